"""Stationary points of the ELBO to put claims to the test on: with 50 digits on hostile spectra, and all families.

Notation   lam, U, k, sigma2 as in proofs.problems.spectra; a column of W is u_a sqrt(lam_a - sigma2), up to its sign,
           or zero.
Main       ExactPoint, orthogonal_points and learned_orthogonal_points (for hypothesis), families, gradient_sizes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from proofs.problems.linear_vaes import Problem
from proofs.problems.spectra import SpectralProblem, hard_problems, landscapes
from verify import reference
from verify.arrays import Array
from verify.landscape.families import fixed_noise_families, learned_noise_families
from verify.landscape.points import Point, weights
from verify.landscape.stationary import learned_noise_search
from verify.models import linear_vae


@dataclass(frozen=True, eq=False)
class ExactPoint:
    """A point with orthogonal columns at its optimal encoder; object arrays of 50 digits.

    lam_of_column (k,): the eigenvalue that each column holds, or sigma2 where the column is zero.
    """

    W: Array
    V: Array
    D: Array
    sigma2: Any
    S: Array
    lam_of_column: Array

    @property
    def second_moments(self) -> Array:
        """diag(V S V^T) (k,), the mean square of each latent's posterior mean."""
        with reference.precision():
            return np.einsum("ij,jl,il->i", self.V, self.S, self.V)

    @property
    def kl_per_latent(self) -> Array:
        """1/2 [-log d_i + (V S V^T)_ii + d_i - 1], (k,)."""
        with reference.precision():
            log_d = np.array([reference.mpmath.log(d) for d in self.D], dtype=object)
            return (self.second_moments + self.D - 1 - log_d) / 2


def exact_point(p: SpectralProblem, columns: tuple[int | None, ...], signs: tuple[int, ...]) -> ExactPoint:
    """The point whose columns hold these eigen-indices (None: zero), at the noise of p, which may have 50 digits."""
    with reference.precision():
        lam, U, S = p.exactly()
        s = reference.mpmath.mpf(p.sigma2)
        W = reference.exact(np.zeros((p.n, len(columns))))
        held = np.array([s if a is None else lam[a] for a in columns], dtype=object)
        for c, (a, sign) in enumerate(zip(columns, signs, strict=True)):
            if a is not None:
                W[:, c] = U[:, a] * (sign * reference.mpmath.sqrt(lam[a] - s))
        return ExactPoint(W, *reference.optimal_encoder(W, s), s, S, held)


@st.composite
def _columns(draw: st.DrawFn, retained: list[int], k: int) -> tuple[tuple[int | None, ...], tuple[int, ...]]:
    """These eigen-indices and zero columns in any order, with any signs."""
    order = draw(st.permutations([*retained, *[None] * (k - len(retained))]))
    return tuple(order), tuple(draw(st.lists(st.sampled_from([1, -1]), min_size=k, max_size=k)))


@st.composite
def orthogonal_points(draw: st.DrawFn, max_n: int = 5, best: bool = False) -> ExactPoint:
    """A stationary point with orthogonal columns at fixed noise on a hostile spectrum; best: a global maximum."""
    p = draw(hard_problems(max_n=max_n))
    above = [i for i in range(p.n) if p.lam[i] > p.sigma2]
    if best:
        retained = above[: p.k]
    else:
        retained = draw(st.lists(st.sampled_from(above), unique=True, max_size=p.k)) if above else []
    return exact_point(p, *draw(_columns(retained, p.k)))


@st.composite
def learned_orthogonal_points(draw: st.DrawFn, max_n: int = 5) -> ExactPoint:
    """The same, stationary in the noise as well: sigma2 is the mean of the discarded eigenvalues, to 50 digits."""
    p = draw(hard_problems(max_n=max_n, bounded=True))
    retained = list(draw(st.sampled_from([A for A, _ in learned_noise_search(p.lam, p.k)])))
    with reference.precision():
        discarded = reference.exact(np.delete(p.lam, retained))
        p = replace(p, sigma2=discarded.sum() / len(discarded))
    return exact_point(p, *draw(_columns(retained, p.k)))


def families(
    count: int, *, seed: int, learned: bool = False, generic: bool = False
) -> Iterator[tuple[Problem, Point, Array]]:
    """Every family of stationary points on `count` landscapes: the point at its encoder, its blocks, and lam (n,)."""
    for at in landscapes(count, most_n=5, most_k=3, seed=seed, generic=generic):
        found = learned_noise_families(at.lam, at.k) if learned else fixed_noise_families(at.lam, at.k, at.sigma2)
        for point in found:
            W = weights(point, at.lam, at.U)
            yield Problem(W, *linear_vae.optimal_encoder(W, point.sigma2), point.sigma2, at.S), point, at.lam
