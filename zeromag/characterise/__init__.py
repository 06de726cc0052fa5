"""What `zeromag bench array` measures."""
