"""The consistency audit of the printed tables."""
