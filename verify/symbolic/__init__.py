"""Derivations with SymPy: for all n and k as words in matrices, and on explicit small matrices."""
