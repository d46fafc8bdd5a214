"""Linear VAEs to put claims to the test on: random ones, hostile ones, and derivatives with 50 digits.

Notation   W (n, k), V (k, n), D (k,), sigma2, S (n, n).
Main       Problem, random_vae, hard_vaes (for hypothesis), elbo_with_50_digits, derivative_with_50_digits.
"""

from dataclasses import dataclass, replace
from typing import Any

import mpmath
import numpy as np
from hypothesis import strategies as st

from verify import reference
from verify.arrays import Array

# Central differences in 50 digits: truncation near STEP^2 = 1e-36, cancellation near 1e-50 / STEP = 1e-32.
STEP = "1e-18"


@dataclass(frozen=True, eq=False)
class Problem:
    """A decoder, an encoder, a noise and a covariance."""

    W: Array
    V: Array
    D: Array
    sigma2: float
    S: Array

    def on(self, xp: Any) -> tuple[Array, Array, Array, float, Array]:
        """(W, V, D, sigma2, S) as arrays of the module xp."""
        return xp.asarray(self.W), xp.asarray(self.V), xp.asarray(self.D), self.sigma2, xp.asarray(self.S)

    @property
    def M(self) -> Array:
        return self.W.T @ self.W + self.sigma2 * np.eye(self.W.shape[1])

    @property
    def size_of_elbo(self) -> float:
        """The sum of the sizes of the ELBO's terms: what its rounding errors are relative to."""
        norm = np.linalg.norm
        of_mean = (1 + norm(self.W) * norm(self.V)) ** 2 * norm(self.S)
        of_noise = np.sum(self.D * np.sum(self.W**2, axis=0))
        kl = norm(self.V) ** 2 * norm(self.S) + np.sum(self.D + 1 + abs(np.log(self.D)))
        return float((of_mean + of_noise) / self.sigma2 + kl + len(self.S) * (2 + abs(np.log(self.sigma2))))


def random_vae(rng: np.random.Generator, n: int, k: int) -> Problem:
    """All entries of order 1 and S of full rank."""
    A = rng.standard_normal((n, 2 * n))
    return Problem(
        W=rng.standard_normal((n, k)),
        V=rng.standard_normal((k, n)),
        D=rng.uniform(0.3, 2.0, k),
        sigma2=float(rng.uniform(0.4, 1.5)),
        S=A @ A.T / (2 * n),
    )


@st.composite
def hard_vaes(draw: st.DrawFn) -> Problem:
    """Spectra with ties and zeros over twelve decades, noise on a threshold, zero and huge columns of W."""
    n = draw(st.integers(1, 5))
    k = draw(st.integers(1, min(n, 3)))
    magnitudes = st.floats(-6, 6).map(lambda exponent: 10.0**exponent)
    pool = [0.0, *draw(st.lists(magnitudes, min_size=1, max_size=3))]  # few values for n places: ties
    eigenvalues = np.sort(draw(st.lists(st.sampled_from(pool), min_size=n, max_size=n)))[::-1]
    sigma2 = draw(st.one_of(st.sampled_from(pool[1:]), magnitudes))
    columns = draw(st.lists(st.one_of(st.just(0.0), magnitudes), min_size=k, max_size=k))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    U = np.linalg.qr(rng.standard_normal((n, n)))[0]
    return Problem(
        W=rng.standard_normal((n, k)) * np.sqrt(columns),
        V=rng.standard_normal((k, n)) / np.sqrt(max(eigenvalues[0], 1.0)),
        D=10.0 ** rng.uniform(-6, 1, k),
        sigma2=sigma2,
        S=(U * eigenvalues) @ U.T,
    )


def elbo_with_50_digits(p: Problem) -> Any:
    """The ELBO of verify.reference, written out from its definition, as an mpmath number."""
    return reference.elbo(p.W, p.V, p.D, p.sigma2, p.S)


def derivative_with_50_digits(p: Problem, name: str) -> Array:
    """dELBO/d(name), entry by entry, by central differences in 50 digits, rounded to float64."""
    value = reference.exact(getattr(p, name))
    result = np.zeros(value.shape)
    with reference.precision():
        h = mpmath.mpf(STEP)
        for index in np.ndindex(value.shape):
            above, below = value.copy(), value.copy()
            above[index] += h
            below[index] -= h
            rise = [elbo_with_50_digits(replace(p, **{name: moved})) for moved in (above, below)]
            result[index] = float((rise[0] - rise[1]) / (2 * h))
    return result
