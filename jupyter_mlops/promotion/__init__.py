"""From a notebook to an image: what it needs, how it is written down, how it is built."""
