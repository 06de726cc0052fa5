"""Programs that print the figures of the docs; each is run as a module."""
