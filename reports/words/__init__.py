"""How words are set as mathematics."""
