"""The Python face: the documents of the commands as objects, and the functions that make them."""
