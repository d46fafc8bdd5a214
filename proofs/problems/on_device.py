"""SymPy's derivations against the kernels of gpu/, on the same random problems.

Notation   W (B, n, k), V (B, k, n), D (B, k), sigma2 (B,), S (B, n, n): B problems in one launch; xp the array module:
           CuPy runs the kernels, NumPy their twins.
Main       gradient_agrees, hessian_agrees; spectra_agree, against the closed form: the worst relative error, or
           Disagreement.

The derivatives are taken by SymPy entry by entry of explicit matrices (verify/symbolic/explicit.py) and lambdified.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp

from gpu.gradients import gradients
from gpu.spectra import hessian_eigenvalues
from proofs.machinery.checks import agree
from proofs.problems.linear_vaes import Problem, random_vae
from verify.arrays import Array, to_numpy
from verify.landscape.points import Block, Point, ordered, weights
from verify.landscape.spectrum import spectrum
from verify.symbolic.explicit import Explicit

# Entries of order 1 and a few dozen roundings each, relative to the norm of one problem's derivative.
TOLERANCE = 1e-12
SIZE = (3, 2)


def _problems(count: int, seed: int) -> list[Problem]:
    rng = np.random.default_rng(seed)
    return [random_vae(rng, *SIZE) for _ in range(count)]


def _stacked(problems: list[Problem], xp: Any) -> list[Array]:
    """W, V, D, sigma2, S of all problems, on the device of xp."""
    rows = [[p.W, p.V, p.D, p.sigma2, p.S] for p in problems]
    return [xp.asarray(np.array(column)) for column in zip(*rows, strict=True)]


def _worst(found: Array, problems: list[Problem], expected: Callable[..., Array]) -> float:
    pairs = zip(to_numpy(found), problems, strict=True)
    return max(agree(f, expected(p.W, p.V, p.D, p.sigma2, p.S), tolerance=TOLERANCE) for f, p in pairs)


@lru_cache
def derived_gradient(name: str) -> Callable[..., Array]:
    """dELBO/d(name) for name W, V or D, in its shape, by SymPy."""
    explicit = Explicit(*SIZE)
    derivative = explicit.gradient(explicit.elbo, getattr(explicit, name))
    return explicit.lambdified(list(derivative.diagonal()) if name == "D" else derivative)


@lru_cache
def derived_noise_gradient() -> Callable[..., Array]:
    """dELBO/dsigma2, by SymPy."""
    explicit = Explicit(*SIZE)
    return explicit.lambdified(sp.diff(explicit.elbo, explicit.sigma2))


@lru_cache
def derived_hessian(profile: bool) -> Callable[..., Array]:
    """The Hessian in W of L, or of P = L - 1/2 [sum_i log M_ii - log det M], by SymPy."""
    explicit = Explicit(*SIZE)
    f, entries = explicit.log_likelihood, list(explicit.W)
    if profile:
        M = explicit.W.T * explicit.W + explicit.sigma2 * sp.eye(explicit.columns)
        f -= (sum(sp.log(m) for m in M.diagonal()) - sp.log(sp.expand(M.det()))) / 2
    rows, columns = np.tril_indices(len(entries))
    slopes = [sp.diff(f, x) for x in entries]
    triangle = explicit.lambdified([sp.diff(slopes[i], entries[j]) for i, j in zip(rows, columns, strict=True)])

    def of_arrays(*arrays: Array) -> Array:
        H = np.empty((len(entries), len(entries)))
        H[rows, columns] = H[columns, rows] = triangle(*arrays)
        return H

    return of_arrays


def gradient_agrees(name: str, xp: Any, count: int, seed: int, moved: float = 1.0) -> float:
    """The kernel's gradient in W, V, D or sigma2 against SymPy's.  Other than 1, `moved` times the noise: a control."""
    problems = _problems(count, seed)
    W, V, D, sigma2, S = _stacked(problems, xp)
    found = getattr(gradients(W, V, D, moved * sigma2, S), name)
    return _worst(found, problems, derived_noise_gradient() if name == "sigma2" else derived_gradient(name))


def spectra_agree(xp: Any, count: int, seed: int, shifted: int = 0) -> float:
    """The eigenvalues of the Hessians, assembled and diagonalised in one batch, against the closed form (theory 1.3).

    At points of L, and of the profile ELBO, that retain leading eigenvalues. `shifted` other than 0 takes the closed
    form of another problem: a control.
    """
    rng = np.random.default_rng(seed)
    worst = 0.0
    for objective in ("ppca", "elbo"):
        spectra_of = [np.sort(rng.uniform(0.2, 4.0, 5))[::-1].copy() for _ in range(count)]
        points = []
        for lam in spectra_of:
            retained = range(int(rng.integers(0, 4)))
            noise = float(lam[len(retained)]) * 0.9
            points.append(Point(objective, ordered([Block((i,)) for i in retained], 3), noise, 0.0))
        W = np.stack([weights(p, lam, np.eye(5)) for p, lam in zip(points, spectra_of, strict=True)])
        noises, S = np.array([p.sigma2 for p in points]), np.stack([np.diag(lam) for lam in spectra_of])
        on = [xp.asarray(a) for a in (W, noises, S)]
        found = to_numpy(hessian_eigenvalues(*on, profile=objective == "elbo"))
        for i, values in enumerate(found):
            at = (i + shifted) % count
            expected = spectrum(points[at], spectra_of[at]).values()
            worst = max(worst, agree(values, expected, tolerance=TOLERANCE, scale=float(np.abs(expected).max())))
    return worst


def hessian_agrees(function: Callable[..., Array], profile: bool, xp: Any, count: int, seed: int) -> float:
    """A function of gpu.hessian against SymPy's Hessian of L, or of the profile ELBO."""
    problems = _problems(count, seed)
    W, _, _, sigma2, S = _stacked(problems, xp)
    return _worst(function(W, sigma2, S), problems, derived_hessian(profile))
