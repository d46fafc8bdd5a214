"""How many small faults in the checkers do the tests see?  `python -m benchmarks.mutation`, or `make mutation`."""
