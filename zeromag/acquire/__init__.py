"""Where blocks come from and how they travel."""
