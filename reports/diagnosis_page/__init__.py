"""The page of a diagnosis, drawn from its document and arrays."""
