"""A trial that tries to make the checkers of certificates wrong; `python -m benchmarks.soundness`."""
