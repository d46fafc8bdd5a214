"""Data: sources, preprocessing and the sample covariance; the only room of `verify` that knows files.

Main       load (DATA -> Covariance), load_rows (DATA -> Rows), covariance, from_eigenvalues.
"""

from verify.data.covariance import Covariance, covariance, from_eigenvalues
from verify.data.rows import Rows
from verify.data.sources import load, load_rows

__all__ = ["Covariance", "Rows", "covariance", "from_eigenvalues", "load", "load_rows"]
