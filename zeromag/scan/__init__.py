"""One stream from raw blocks to its outcome: what `live` and `map` share."""
