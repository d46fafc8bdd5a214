"""SymPy's derivations against the kernels of gpu/, on the same random problems.

Notation   W (B, n, k), V (B, k, n), D (B, k), sigma2 (B,), S (B, n, n): B problems in one launch; xp the array module:
           CuPy runs the kernels, NumPy their twins.
Main       gradient_agrees, hessian_agrees: the worst relative error, or Disagreement.

The derivatives are taken by SymPy entry by entry of explicit matrices (verify/symbolic/explicit.py) and lambdified.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp

from gpu.gradients import gradients
from proofs.checks import agree
from proofs.linear_vae_problems import Problem, random_vae
from verify.arrays import Array, to_numpy
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


def gradient_agrees(name: str, xp: Any, count: int, seed: int) -> float:
    """The kernel's gradient in W, V, D or sigma2 against SymPy's."""
    problems = _problems(count, seed)
    found = getattr(gradients(*_stacked(problems, xp)), name)
    return _worst(found, problems, derived_noise_gradient() if name == "sigma2" else derived_gradient(name))


def hessian_agrees(function: Callable[..., Array], profile: bool, xp: Any, count: int, seed: int) -> float:
    """A function of gpu.hessian against SymPy's Hessian of L, or of the profile ELBO."""
    problems = _problems(count, seed)
    W, _, _, sigma2, S = _stacked(problems, xp)
    return _worst(function(W, sigma2, S), problems, derived_hessian(profile))
