"""What `map` and `live --out` leave in a folder: one file of the folder a module."""
