"""The ledger of claims for readers: the blueprint of what rests on what, and the claims folded out."""
