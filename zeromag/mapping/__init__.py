"""Blocks to beats, averages, maps, currents, dipoles and parameters."""
