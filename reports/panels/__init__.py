"""Figures of the paper for any data, one file each, drawn from documents alone."""
