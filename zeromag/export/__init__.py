"""Recordings and averaged beats in the formats of others' tools: a BIDS tree, EDF, tables."""
