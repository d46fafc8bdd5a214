"""Axes that several pages draw, each from documents alone."""
