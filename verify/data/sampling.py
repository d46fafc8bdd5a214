"""What other data of the same kind would change.

Notation   s the variance of isotropic noise; n dimensions, N data.
Main       marchenko_pastur_edge, suggested_latents.
Reference  theory 8.
"""

from math import sqrt

from verify.arrays import Array


def marchenko_pastur_edge(s: float, n: int, N: int) -> float:
    """The largest eigenvalue of the covariance of N data that are noise of variance s alone: s (1 + sqrt(n/N))^2."""
    return s * (1 + sqrt(n / N)) ** 2


def suggested_latents(eigenvalues: Array, N: int) -> int | None:
    """The k of Minka's estimator, as scikit-learn has it; None where it has none."""
    try:
        from sklearn.decomposition._pca import _infer_dimension
    except ImportError:
        return None
    positive = eigenvalues[eigenvalues > 0]
    if len(eigenvalues) > N or len(positive) < 2:
        return None
    try:
        return int(_infer_dimension(positive, N)) or None
    except ValueError:  # equal eigenvalues
        return None
