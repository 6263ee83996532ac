"""A lecture as one HTML file: it runs, it steps, and it asks nothing of a kernel or a network."""
