"""Ours beside its peers, in one run: `python -m benchmarks [NAME ...] [--json FILE] [--quick]`."""
