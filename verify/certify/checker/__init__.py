"""The part that has to be trusted: small, without a search, and without anybody's eigenvalues."""
