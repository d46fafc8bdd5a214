"""PyTorch: dense Hessians and Hessian-vector products of L by automatic differentiation.

Notation   as in verify/models/ppca.py; the constant terms of L, which no derivative sees, are left out.
Main       dense_hessian, dense_spectrum, double_backward, linearized, curvature_operator, ... with a log-determinant.

The loss has its fastest form: k x k matrices and a Cholesky factor, S diagonal where the eigenbasis is known. Two
traps of PyTorch 2.13 (and curvlinops 3.0.1): torch.func.hessian under no_grad is wrong, and so are derivatives
forwards through cholesky_inverse, logdet and linalg.solve here, silently. The check would catch either.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks.problems import Problem, anywhere_problem, stationary_problem

Run = Callable[[], dict[str, Any]]

torch.set_default_dtype(torch.float64)


def likelihood(W: Any, S: Any, sigma2: float) -> Any:
    """L without constants: -1/2 [log det M - tr(M^-1 W^T S W)/sigma2].  S (n, n), or (n,) if diagonal."""
    M = W.T @ W + sigma2 * torch.eye(W.shape[1])
    factor = torch.linalg.cholesky(M)
    image = S[:, None] * W if S.ndim == 1 else S @ W
    explained = torch.cholesky_solve(image.T @ W, factor).trace()
    return -0.5 * (2.0 * factor.diagonal().log().sum() - explained / sigma2)


def likelihood_by_logdet(W: Any, S: Any, sigma2: float) -> Any:
    """The same by logdet and solve."""
    M = W.T @ W + sigma2 * torch.eye(W.shape[1])
    image = S[:, None] * W if S.ndim == 1 else S @ W
    return -0.5 * (torch.logdet(M) - torch.linalg.solve(M, image.T @ W).trace() / sigma2)


def _dense(problem: Problem) -> Callable[[], Any]:
    W, S = torch.tensor(problem.W), torch.tensor(problem.S)
    hessian = torch.func.hessian(lambda w: likelihood(w, S, problem.sigma2))
    return lambda: hessian(W).reshape(W.numel(), W.numel())


def dense_hessian(setup: dict[str, Any]) -> Run:
    """torch.func.hessian."""
    hessian = _dense(anywhere_problem(setup))
    return lambda: {"H": hessian().numpy()}


def dense_spectrum(setup: dict[str, Any]) -> Run:
    """torch.func.hessian, then its eigenvalues, by whichever of torch and NumPy is faster: NumPy."""
    hessian = _dense(stationary_problem(setup))
    return lambda: {"values": np.linalg.eigvalsh(hessian().numpy())}


def _in_eigenbasis(setup: dict[str, Any]) -> tuple[Any, Any, float, Any]:
    """W, lam, sigma2 and the direction, in the eigenbasis of S."""
    problem = (stationary_problem if setup["stationary"] else anywhere_problem)(setup)
    W = torch.tensor(np.ascontiguousarray(problem.U.T @ problem.W))
    X = torch.tensor(np.random.default_rng(2).standard_normal(W.shape))
    return W, torch.tensor(problem.lam), problem.sigma2, X


def double_backward(setup: dict[str, Any]) -> Run:
    """The gradient's graph is kept, and only its product with X is differentiated."""
    W, lam, sigma2, X = _in_eigenbasis(setup)
    W.requires_grad_(True)
    (slope,) = torch.autograd.grad(likelihood(W, lam, sigma2), W, create_graph=True)
    return lambda: {"product": torch.autograd.grad(slope, W, X, retain_graph=True)[0].numpy()}


def linearized(setup: dict[str, Any]) -> Run:
    """torch.func.linearize of the gradient, once."""
    W, lam, sigma2, X = _in_eigenbasis(setup)
    _, product = torch.func.linearize(torch.func.grad(lambda w: likelihood(w, lam, sigma2)), W)
    return lambda: {"product": product(X).numpy()}


class _Model(torch.nn.Module):
    """A module whose prediction is W itself: curvlinops asks for one."""

    def __init__(self, W: Any):
        super().__init__()
        self.W = torch.nn.Parameter(W)

    def forward(self, data: Any) -> Any:
        return self.W


class _Loss(torch.nn.Module):
    """L as a loss of the prediction W; the data hold lam."""

    reduction = "mean"

    def __init__(self, sigma2: float, loss: Callable[..., Any]):
        super().__init__()
        self.sigma2, self.loss = sigma2, loss

    def forward(self, prediction: Any, target: Any) -> Any:
        return self.loss(prediction, target[0], self.sigma2)


def _curvature(setup: dict[str, Any], loss: Callable[..., Any]) -> Run:
    from curvlinops import HessianLinearOperator

    W, lam, sigma2, X = _in_eigenbasis(setup)
    model, data = _Model(W), [(torch.zeros(1, 1), lam[None])]
    operator = HessianLinearOperator(model, _Loss(sigma2, loss), [model.W], data, check_deterministic=False)
    return lambda: {"product": (operator @ X.reshape(-1)).detach().numpy().reshape(W.shape)}


def curvature_operator(setup: dict[str, Any]) -> Run:
    """curvlinops.HessianLinearOperator."""
    return _curvature(setup, likelihood)


def curvature_by_logdet(setup: dict[str, Any]) -> Run:
    """The same with logdet and solve in the loss."""
    return _curvature(setup, likelihood_by_logdet)
