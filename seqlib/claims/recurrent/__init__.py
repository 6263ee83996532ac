"""Claims about recurrent networks: what they forget, how their gradients grow and shrink, and what clipping saves."""
