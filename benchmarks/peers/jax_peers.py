"""JAX: the same losses as torch_peers.py, compiled.

Main       dense_hessian, dense_spectrum, product.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.problems import Problem, anywhere_problem, stationary_problem

Run = Callable[[], dict[str, Any]]

jax.config.update("jax_enable_x64", True)


def likelihood(W: Any, S: Any, sigma2: float) -> Any:
    """L without constants: -1/2 [log det M - tr(M^-1 W^T S W)/sigma2].  S (n, n), or (n,) if diagonal."""
    M = W.T @ W + sigma2 * jnp.eye(W.shape[1])
    factor = jnp.linalg.cholesky(M)
    image = S[:, None] * W if S.ndim == 1 else S @ W
    explained = jnp.trace(jax.scipy.linalg.cho_solve((factor, True), image.T @ W))
    return -0.5 * (2.0 * jnp.log(jnp.diagonal(factor)).sum() - explained / sigma2)


def _dense(problem: Problem) -> Callable[[], Any]:
    W, S = jnp.array(problem.W), jnp.array(problem.S)
    hessian = jax.jit(jax.hessian(lambda w: likelihood(w, S, problem.sigma2)))
    return lambda: np.asarray(hessian(W)).reshape(W.size, W.size)


def dense_hessian(setup: dict[str, Any]) -> Run:
    """jax.hessian, compiled."""
    hessian = _dense(anywhere_problem(setup))
    return lambda: {"H": hessian()}


def dense_spectrum(setup: dict[str, Any]) -> Run:
    """jax.hessian, then numpy.linalg.eigvalsh."""
    hessian = _dense(stationary_problem(setup))
    return lambda: {"values": np.linalg.eigvalsh(hessian())}


def product(setup: dict[str, Any]) -> Run:
    """jax.linearize of the gradient once, its tangent map compiled, in the eigenbasis of S."""
    problem = (stationary_problem if setup["stationary"] else anywhere_problem)(setup)
    W, lam = jnp.array(problem.U.T @ problem.W), jnp.array(problem.lam)
    X = jnp.array(np.random.default_rng(2).standard_normal(W.shape))
    _, tangent = jax.linearize(jax.grad(lambda w: likelihood(w, lam, problem.sigma2)), W)
    compiled = jax.jit(tangent)
    return lambda: {"product": np.asarray(compiled(X))}
