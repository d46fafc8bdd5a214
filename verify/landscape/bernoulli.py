"""Is posterior collapse a local maximum of Bernoulli pPCA?

Notation   x (N, n) in [0, 1]; the collapsed point is W = 0, mu = logit(xbar); B = S - diag(xbar (1 - xbar)), and
           B (x) I_k is its Hessian in W, for the likelihood and for the ELBO profiled over the encoder.
Main       CollapsedPoint, collapsed_point.
Reference  theory 4.2.

tr B = -mean of sum_i x_i (1 - x_i): zero for binary data. Then, if pixels i and j are correlated, the direction
e_i + sign(B_ij) e_j rises, and no noise is there to make collapse stable; this is decided in whole numbers, without
rounding. If no two pixels are correlated B is zero and the second order says nothing.
"""

from dataclasses import dataclass

import numpy as np

from verify.arrays import Array, to_numpy
from verify.errors import InputError
from verify.models.bernoulli import collapsed_bracket, collapsed_mean, constant_pixels, observations


@dataclass(frozen=True, eq=False)
class CollapsedPoint:
    """The collapsed point of data with the constant pixels dropped: mu (m,), eigenvalues (m,) of B, descending.

    verdict: "stable" (a strict local maximum in W and mu), "unstable" (a saddle) or "open" (the largest eigenvalue is
    zero, or rounding cannot tell it from zero). unstable_directions counts the positive eigenvalues of B: the index is
    k times that. kept, dropped: columns of x, from 0. resolution: the rounding to allow for.
    """

    kept: tuple[int, ...]
    dropped: tuple[int, ...]
    binary: bool
    mu: Array
    eigenvalues: Array
    direction: Array
    resolution: float
    verdict: str
    unstable_directions: int

    @property
    def rate(self) -> float:
        """The largest eigenvalue; if positive, gradient flow in W leaves at this rate along `direction` (m,)."""
        return float(self.eigenvalues[0])


def collapsed_point(x: Array) -> CollapsedPoint:
    """The collapsed point of data x (N, n) and its stability (theory 4.2).  Raises InputError; all pixels constant."""
    x = to_numpy(observations(x))
    dropped = constant_pixels(x)
    kept = [i for i in range(x.shape[1]) if i not in set(dropped)]
    if not kept:
        raise InputError("every pixel is constantly 0 or 1; there is nothing to model")
    x = x[:, kept]
    B = collapsed_bracket(x)
    values, vectors = np.linalg.eigh(B)
    binary = bool(((x == 0) | (x == 1)).all())
    # As for a covariance: what rounding may amount to, in S where it is not exact, and in the eigenvalues of B.
    mean = x.mean(axis=0)
    size = np.abs(values).max() if binary else (mean * (1 - mean)).max()
    resolution = max(x.shape) * float(np.finfo(float).eps) * float(size)
    return CollapsedPoint(
        kept=tuple(kept),
        dropped=tuple(dropped),
        binary=binary,
        mu=collapsed_mean(x),
        eigenvalues=values[::-1],
        direction=vectors[:, -1],
        resolution=resolution,
        verdict=_verdict(float(values[-1]), resolution),
        unstable_directions=int((values > resolution).sum()),
    )


def _verdict(largest: float, resolution: float) -> str:
    """By the largest eigenvalue of B; zero is open, and so is what rounding may have made of zero.

    For binary data tr B = 0, so the largest eigenvalue is at least 1/(n - 1) of the norm of B, far above the rounding.
    """
    if largest > resolution:
        return "unstable"
    return "stable" if largest < -resolution else "open"
