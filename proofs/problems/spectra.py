"""Spectra, bases and noises to put claims to the test on: harmless ones, hostile ones, and those of real data.

Notation   lam (n,) eigenvalues, descending; U (n, n) eigenvectors; S = U diag(lam) U^T; k columns; noise sigma2.
Main       SpectralProblem, random_problem, landscapes (many, ties and zeros among them), wider (k > n), hard_problems
           (for hypothesis), random_rotation, spectrum_of, data, climb.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy.optimize import minimize

from verify import reference
from verify.arrays import Array
from verify.data import Covariance, load
from verify.data.mnist import find_training_file
from verify.errors import InputError

EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class SpectralProblem:
    """A spectrum in a basis, a number of columns and a noise."""

    lam: Array
    U: Array
    k: int
    sigma2: float

    def __iter__(self) -> Iterator[Any]:
        """lam, U, S, k, sigma2, for unpacking."""
        return iter((self.lam, self.U, self.S, self.k, self.sigma2))

    @property
    def n(self) -> int:
        return len(self.lam)

    @property
    def rank(self) -> int:
        return int((self.lam > 0).sum())

    @property
    def bounded(self) -> bool:
        """Whether the likelihood has a maximum when the noise is learned."""
        return self.rank == self.n or self.rank > self.k

    @property
    def S(self) -> Array:
        half = self.U * np.sqrt(self.lam)
        return half @ half.T

    @property
    def rounding(self) -> float:
        """The relative error to allow: S errs by eps lam_1, which C^-1 magnifies by up to 1/sigma2."""
        return 30 * self.n * EPS * (1 + float(self.lam[0]) / self.sigma2)

    def exactly(self) -> tuple[Array, Array, Array]:
        """(lam, U, S) with 50 digits, U orthonormal to as many; object arrays, for verify.reference."""
        with reference.precision():
            lam, U = reference.exact(self.lam), reference.exact(self.U)
            for _ in range(2):  # Gram-Schmidt on columns that are orthonormal to 16 digits already
                for i in range(self.n):
                    u = U[:, i] - U[:, :i] @ (U[:, :i].T @ U[:, i])
                    U[:, i] = u / np.sqrt(u @ u)
            return lam, U, (U * lam) @ U.T

    def with_learned_noise(self) -> "SpectralProblem":
        """The same at sigma2_MLE, the mean of the discarded eigenvalues (Eq. 7); rank > k is needed."""
        return replace(self, sigma2=float(self.lam[self.k :].mean()))


def random_rotation(rng: np.random.Generator, m: int) -> Array:
    """An orthogonal matrix (m, m), uniformly distributed."""
    Q, R = np.linalg.qr(rng.standard_normal((m, m)))
    return Q * np.sign(np.diag(R))


def random_problem(rng: np.random.Generator, n: int | None = None, k: int | None = None) -> SpectralProblem:
    """Distinct eigenvalues between 0.2 and 1.6, 5 % apart or more, a random basis, sigma2 about the spectrum."""
    n = int(rng.integers(2, 8)) if n is None else n
    k = int(rng.integers(1, n)) if k is None else k
    steps = rng.uniform(1.05, 8 ** (1 / n), n)
    lam = np.sort(0.2 * np.cumprod(steps))[::-1]
    return SpectralProblem(lam, random_rotation(rng, n), k, float(rng.uniform(0.3 * lam[-1], lam[0])))


def spectrum_of(rng: np.random.Generator, n: int, ties: bool = False, zeros: int = 0) -> Array:
    """A descending spectrum (n,) of order one, optionally with its two largest equal and its last ones zero."""
    lam = np.sort(rng.gamma(0.8, 1.0, n) + 0.05)[::-1].copy()
    if ties and n > 1:
        lam[1] = lam[0]
    if zeros:
        lam[-zeros:] = 0.0
    return lam


def landscapes(
    count: int, most_n: int = 6, most_k: int = 4, seed: int = 0, generic: bool = False
) -> Iterator[SpectralProblem]:
    """`count` landscapes; unless `generic`, a third with ties, a fifth with zeros, a quarter on a threshold."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        n = int(rng.integers(2, most_n + 1))
        k = int(rng.integers(1, min(n, most_k) + 1))
        zeros = int(i % 5 == 0 and n > 2 and not generic)
        lam = spectrum_of(rng, n, ties=i % 3 == 0 and not generic, zeros=zeros)
        on_threshold = i % 4 == 0 and not generic
        sigma2 = lam[int(rng.integers(0, n - 1))] if on_threshold else rng.uniform(0.05, 1.2) * lam[0]
        yield SpectralProblem(lam, random_rotation(rng, n), k, float(sigma2))


def wider(count: int, seed: int) -> Iterator[SpectralProblem]:
    """`count` landscapes with more columns than dimensions, n <= 3 and k = n + 1 or n + 2."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        n = int(rng.integers(1, 4))
        lam = spectrum_of(rng, n)
        sigma2 = float(rng.uniform(0.05, 0.9) * lam[0])
        yield SpectralProblem(lam, random_rotation(rng, n), n + int(rng.integers(1, 3)), sigma2)


@st.composite
def hard_problems(draw: st.DrawFn, max_n: int = 6, bounded: bool = False) -> SpectralProblem:
    """Ties, near-ties and zeros over twelve decades; the noise on a threshold, beside one, between, above, below.

    bounded: with k < rank S, so that the likelihood has a maximum over the noise as well.
    """
    n = draw(st.integers(2 if bounded else 1, max_n))
    magnitudes = st.floats(-6, 6).map(lambda exponent: 10.0**exponent)
    near = st.sampled_from([1.0, 1.0, 1.0 + 2.0**-30, 1.0 - 2.0**-20])
    pool = draw(st.lists(magnitudes, min_size=1, max_size=3))  # few values for n places: ties
    values = [draw(st.sampled_from([0.0, *pool])) * draw(near) for _ in range(n - 1)]
    if bounded:
        values[0] = draw(st.sampled_from(pool))
    lam = np.sort([draw(st.sampled_from(pool)), *values])[::-1]
    k = draw(st.integers(1, int((lam > 0).sum()) - 1 if bounded else n))
    threshold = st.sampled_from([float(v) for v in lam if v > 0])
    sigma2 = draw(st.one_of(threshold, st.builds(float.__mul__, threshold, near), magnitudes))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    U = random_rotation(rng, n) if draw(st.booleans()) else np.eye(n)
    return SpectralProblem(lam, U, k, sigma2)


@lru_cache
def data(spec: str, scale: float | None = None, seed: int = 0) -> Covariance:
    """The covariance of a DATA word; skips the test where the MNIST files or scikit-learn are not on this machine."""
    if spec.startswith("mnist"):
        try:
            find_training_file()
        except InputError as error:
            pytest.skip(str(error))
    if spec == "digits":
        pytest.importorskip("sklearn", reason="the digits come with scikit-learn, which is not installed")
    return load(spec, scale=scale, seed=seed)


def climb(value_and_gradient: Callable[[Array], tuple[float, Array]], start: Array) -> Array:
    """Where L-BFGS gets from `start` (m,), uphill, without any knowledge of closed forms.  -> (m,)."""

    def downhill(x: Array) -> tuple[float, Array]:
        value, gradient = value_and_gradient(x)
        return -float(value), -np.asarray(gradient, dtype=float)

    options: dict[str, Any] = {"maxiter": 5000, "maxfun": 20000, "ftol": 0.0, "gtol": 1e-10}
    return minimize(downhill, start, jac=True, method="L-BFGS-B", options=options).x
