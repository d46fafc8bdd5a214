"""Words, numbers and formulas as people read them."""
