"""The course in JupyterLab: the server, its settings, the home page, and a report of what is installed."""
