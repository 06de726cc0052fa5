"""Many recordings through one session: found, worked on in a pool, gathered into tables and a group report."""
