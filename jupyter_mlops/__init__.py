"""From a notebook to production without leaving Jupyter."""
