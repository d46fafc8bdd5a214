"""Tests of the standard facts that claims trust: proofs where they are short, exact and random instances elsewhere."""
