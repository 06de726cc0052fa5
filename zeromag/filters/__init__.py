"""Blocks to cleaner blocks: one operation a file."""
