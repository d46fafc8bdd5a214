"""Linear autoencoders with a penalty on their weights: the loss in words, on SymPy matrices and in numbers.

Notation   W (n, k) decoder, V (k, n) encoder, G = diag(g_1, ..., g_k) > 0 the penalties, S (n, n); per datum the loss
            is
           tr((I - W V) S (I - W V)^T) + tr(G V V^T) + tr(W G W^T).
Main       loss_in_words, G, g, turned, explicit_loss, Autoencoder, random_autoencoder, trained, curvatures,
           check_identified, check_isolated.
"""

from dataclasses import dataclass

import numpy as np
import sympy as sp
from scipy.optimize import minimize

from proofs.lucas_2019.linear_vae.axes import agree_with_axes
from proofs.machinery.checks import agree, check
from proofs.problems.spectra import random_rotation
from verify.symbolic.letters import S, V, W, k, n
from verify.symbolic.matrix_calculus import identity, letter
from verify.symbolic.relations import reduce, relation, substitute
from verify.symbolic.traces import trace

G = letter("G", k, k, "diagonal")
g = sp.Symbol("g", positive=True)


def loss_in_words(penalty=G):
    off = identity(n) - W @ V
    return trace(off @ S @ off.T) + trace(penalty @ V @ V.T) + trace(W @ penalty @ W.T)


def turned(A):
    """A at W R and R^T V, R orthogonal."""
    R = letter("R", k, k)
    orthogonal = relation(R @ R.T, identity(k)), relation(R.T @ R, identity(k))
    return reduce(substitute(A, {"W": W @ R, "V": R.T @ V}), *orthogonal)


def explicit_loss(decoder, encoder, penalty, covariance):
    """The loss on SymPy matrices."""
    off = sp.eye(covariance.rows) - decoder * encoder
    regular = (penalty * encoder * encoder.T).trace() + (decoder * penalty * decoder.T).trace()
    return (off * covariance * off.T).trace() + regular


@dataclass(frozen=True)
class Autoencoder:
    """S = U diag(lam) U^T and the penalties (k,)."""

    lam: np.ndarray
    U: np.ndarray
    penalties: np.ndarray

    @property
    def S(self):
        return (self.U * self.lam) @ self.U.T

    @property
    def shape(self):
        return len(self.lam), len(self.penalties)

    def loss(self, W, V):
        off = np.eye(len(self.lam)) - W @ V
        regular = np.sum(self.penalties * ((V**2).sum(axis=1) + (W**2).sum(axis=0)))
        return float(np.trace(off @ self.S @ off.T) + regular)

    def slopes(self, W, V):
        """The gradient in W and V, halved."""
        off = W @ V - np.eye(len(self.lam))
        return off @ self.S @ V.T + W * self.penalties, W.T @ off @ self.S + self.penalties[:, None] * V

    def axes(self):
        """w_i = sqrt(1 - g_i/lam_i) u_i, in this order."""
        _, columns = self.shape
        return self.U[:, :columns] * np.sqrt(1 - self.penalties / self.lam[:columns])


def random_autoencoder(rng, uniform=False):
    """lam at least 20 % apart; penalties below lam_k, a fifth of the range apart or all equal."""
    columns = int(rng.integers(2, 4))
    size = columns + int(rng.integers(1, 3))
    lam = np.sort(0.5 * np.cumprod(rng.uniform(1.2, 1.8, size)))[::-1]
    step = lam[columns - 1] / (columns + 1)
    penalties = step * (np.arange(columns) + rng.uniform(0.3, 0.7, columns))
    if uniform:
        penalties = np.full(columns, penalties.mean())
    return Autoencoder(lam, random_rotation(rng, size), penalties)


def unpacked(at, v):
    rows, columns = at.shape
    return v[: rows * columns].reshape(rows, columns), v[rows * columns :].reshape(columns, rows)


def trained(at, rng):
    """(W, V) where descent ends, from a random start."""

    def value_and_gradient(v):
        W, V = unpacked(at, v)
        return at.loss(W, V), 2 * np.concatenate([part.ravel() for part in at.slopes(W, V)])

    start = rng.standard_normal(2 * at.shape[0] * at.shape[1])
    return unpacked(at, minimize(value_and_gradient, start, jac=True, method="BFGS", options={"gtol": 1e-8}).x)


def check_identified(at, decoder, *, tolerance):
    """The columns are the scaled principal axes up to signs and, unlike for the VAE, in this order."""
    agree_with_axes(decoder, at.axes(), tolerance=tolerance)
    return agree(np.abs(at.axes().T @ decoder), at.axes().T @ at.axes(), tolerance=tolerance)


def curvatures(at, W):
    """Eigenvalues of the Hessian of the loss over 2 at (W, W^T), by central differences of the exact gradient."""
    v, h = np.concatenate([W.ravel(), W.T.ravel()]), 1e-5
    rows = []
    for e in h * np.eye(v.size):
        ends = [np.concatenate([p.ravel() for p in at.slopes(*unpacked(at, v + sign * e))]) for sign in (1, -1)]
        rows.append((ends[0] - ends[1]) / (2 * h))
    H = np.array(rows)
    return np.linalg.eigvalsh((H + H.T) / 2)


def check_isolated(at, W):
    """A strict minimum: all curvatures positive, beyond the 1e-9 that differences of cubic terms leave."""
    values = curvatures(at, W)
    check(values[0] > 1e-6 * values[-1], f"a flat direction: {values[0]:.2g}")
