"""Regularised linear autoencoders: a uniform penalty leaves a rotation open, a non-uniform one identifies the axes.

Statement   (Sec. 4.2) full identifiability of the principal components is not achieved even with the regularised linear
            autoencoder. Its loss, for a decoder W (n, k) and an encoder V (k, n), per datum:
            tr((I - W V) S (I - W V)^T) + tr(G V V^T) + tr(W G W^T), G = diag(g_1, ..., g_k) > 0.
Hypotheses  true for the uniform penalty G = g I of the reference given there: (W R, R^T V) has the same loss for every
            R in O(k). False for a non-uniform one, 0 < g_1 < ... < g_k < lam_k: at *every* stationary point W^T W and
            V V^T are diagonal and equal, and the global minimum, w_i = v_i = +- sqrt(1 - g_i/lam_i) u_i, is unique up
            to signs, the order of the axes included, if lam_1 > ... > lam_k > lam_{k+1}.
Source      Lucas et al. 2019, Sec. 4.2; Kunin et al. 2019 (uniform); Bao et al. 2020 (non-uniform).
Method      words, for all n and k: the two gradients give G A = B G, A = V V^T, B = W^T W; for distinct g_i that makes
            A = B = diag(b_i), so v_i = sqrt(b_i) e_i with orthonormal e_i. Then the loss is tr S - sum b_i^2 s_i,
            s_i = e_i^T S e_i, and (b_i S + g_i I) v_i = S w_i with |w_i| = |v_i| gives b_i <= 1 - g_i/s_i, by Jensen.
            So the loss is at least tr S - sum f_i(s_i), f_i(s) = (s - g_i)_+^2/s, convex, f_i' falling in g_i; and that
            is least at s_i = lam_i, in this order (Ky Fan's partial sums, summed by parts). Beside it: gradient and
            Hessian at the minimum, searches from random starts, the exact loss along rotations.
Trusted     the normal form of words; Ky Fan: sums of Rayleigh quotients of orthonormal vectors.
"""

from dataclasses import dataclass
from itertools import permutations

import mpmath
import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from proofs.lucas_2019.linear_vae.axes import agree_with_axes
from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.problems.spectra import random_problem, random_rotation
from verify import reference
from verify.symbolic.differentials import gradient
from verify.symbolic.evaluation import on_arrays
from verify.symbolic.letters import S, V, W, k, n
from verify.symbolic.matrix_calculus import identity, letter
from verify.symbolic.relations import reduce, relation, substitute
from verify.symbolic.traces import trace

CLAIM = Claim(
    id="regularised-lae",
    source="Sec. 4.2",
    statement="the regularised linear autoencoder does not identify the principal components",
    hypotheses="true of a uniform L2 penalty; a non-uniform one, g_1 < ... < g_k < lam_k, identifies them in order",
    section="The linear VAE",
)

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


@CLAIM.evidence(role="corrected", kind="symbolic", strength="proved")
def test_a_uniform_penalty_is_invariant_under_all_rotations_for_all_n_and_k(record):
    uniform = loss_in_words(g * identity(k))
    same(turned(uniform), uniform)
    record(instances=1)
    record.witness("uniform penalty: (W R, R^T V) has the loss of (W, V) for every R in O(k), all n and k")


@CLAIM.evidence(role="refutes", kind="symbolic", strength="proved")
def test_a_non_uniform_penalty_makes_the_columns_orthogonal_at_every_stationary_point(record):
    by_W, by_V = gradient(loss_in_words(), W), gradient(loss_in_words(), V)
    # dV V^T and W^T dW vanish at a stationary point, and so does their difference.
    same((by_V @ V.T - W.T @ by_W) / 2, G @ V @ V.T - W.T @ W @ G)
    # Entry by entry, with A = V V^T and B = W^T W: g_i A_ij = B_ij g_j, and with i and j exchanged.
    a, b = sp.symbols("A_ij B_ij", real=True)
    g_i, g_j = sp.symbols("g_i g_j", positive=True)
    solved = sp.solve([g_i * a - b * g_j, g_j * a - b * g_i], [a, b], dict=True)
    same(solved, [{a: 0, b: 0}])  # for g_i != g_j ...
    vanishes(sp.Matrix([[g_i, -g_j], [g_j, -g_i]]).det() - (g_j**2 - g_i**2))  # ... the determinant being this
    # For i = j: A_ii = B_ii.
    same(sp.solve(g_i * a - b * g_i, a), [b])
    record(instances=3)
    record.witness(
        "G V V^T = W^T W G at every stationary point: with distinct g_i both V V^T and W^T W are diagonal, equal"
    )


@CLAIM.evidence(role="refutes", kind="symbolic", strength="proved")
def test_the_ordered_principal_axes_are_stationary_for_all_n_and_k(record):
    # W = U P, V = P U^T, P^2 = I - G Lam^-1, for an orthonormal U with S U = U Lam.
    U, P, Lam = letter("U", n, k), letter("P", k, k, "diagonal"), letter("Lam", k, k, "diagonal")
    axes = relation(U.T @ U, identity(k)), relation(S @ U, U @ Lam)
    squares = relation(Lam @ P @ P, Lam - G)
    for X, shape in ((W, U), (V, U.T)):
        at = substitute(gradient(loss_in_words(), X), {"W": U @ P, "V": P @ U.T})
        same(reduce(at, *axes, squares), 0 * shape)
    record(instances=2)


@CLAIM.evidence(role="refutes", kind="symbolic", strength="proved")
def test_no_stationary_point_is_below_the_ordered_axes_for_all_n_and_k(record):
    by_W, by_V = gradient(loss_in_words(), W) / 2, gradient(loss_in_words(), V) / 2
    # Where both vanish the loss is tr S - tr(B V S V^T) = tr S - sum b_i v_i^T S v_i.
    slopes = trace(by_V @ V.T) + trace(W.T @ by_W)
    same(loss_in_words(), trace(S) - trace(W.T @ W @ V @ S @ V.T) + slopes)
    # Row i of dV = 0 is (b_i S + g_i I) v_i = S w_i: w_i = (b_i + g_i/s) v_i on an eigenvector of S, and 1 =
    # E[(b_i + g_i/s)^2] >= (b_i + g_i E[1/s])^2 >= (b_i + g_i/s_i)^2, E over the shares of e_i, E[s] = s_i.
    same(by_V, W.T @ W @ V @ S + G @ V - W.T @ S)
    x, b, s = sp.symbols("x b s", positive=True)
    check(sp.diff(1 / s, s, 2).is_positive and sp.diff(x**2, x, 2).is_positive, "Jensen needs convex functions")
    f = s * b**2
    f = f.subs(b, 1 - g / s)  # what a column saves at most, for s >= g
    vanishes(f - (s - g) ** 2 / s)
    vanishes(sp.diff(f, s) - (1 - g**2 / s**2))  # >= 0, rises in s and falls in g
    check(sp.diff(f, s, 2).simplify().is_positive, "what is saved is not convex in s")
    record(instances=4)
    record.witness("loss at any stationary point = tr S - sum b_i^2 s_i >= tr S - sum (lam_i - g_i)^2/lam_i")


@CLAIM.evidence(role="refutes", kind="symbolic")
def test_rotating_two_axes_costs_what_the_penalties_differ_by(record):
    # S = diag(s_1, s_2), k = 2: the loss along W = P R, V = R^T P in closed form.
    s_1, s_2, g_1, g_2 = sp.symbols("s_1 s_2 g_1 g_2", positive=True)
    theta = sp.Symbol("theta", real=True)
    P = sp.diag(sp.sqrt(1 - g_1 / s_1), sp.sqrt(1 - g_2 / s_2))
    R = sp.Matrix([[sp.cos(theta), -sp.sin(theta)], [sp.sin(theta), sp.cos(theta)]])
    rise = explicit_loss(P * R, R.T * P, sp.diag(g_1, g_2), sp.diag(s_1, s_2))
    rise -= explicit_loss(P, P, sp.diag(g_1, g_2), sp.diag(s_1, s_2))
    expected = 2 * sp.sin(theta) ** 2 * (g_2 - g_1) * ((1 - g_1 / s_1) - (1 - g_2 / s_2))
    vanishes(sp.expand_trig(rise - expected))
    record(instances=1)
    record.witness("rotating axes 1, 2 of the minimum by theta costs 2 sin(theta)^2 (g_2 - g_1)(g_2/lam_2 - g_1/lam_1)")


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


@CLAIM.evidence(role="refutes", kind="numeric")
def test_training_with_a_non_uniform_penalty_finds_the_ordered_axes(record, thorough):
    rng = np.random.default_rng(41)
    for _ in range(thorough(12, 120)):
        at = random_autoencoder(rng)
        for _ in range(2):
            W, V = trained(at, rng)
            agree(V, W.T, tolerance=1e-5)
            # The search stops at |gradient| = 1e-8; the flattest direction, a rotation, has curvature above 1e-3.
            record(worst_error=check_identified(at, W, tolerance=1e-4))


@CLAIM.evidence(role="corrected", kind="numeric")
def test_training_with_a_uniform_penalty_finds_another_rotation_each_time(record, thorough):
    rng = np.random.default_rng(42)
    for _ in range(thorough(6, 60)):
        at = random_autoencoder(rng, uniform=True)
        ends = [trained(at, rng)[0] for _ in range(3)]
        axes = at.axes()
        for decoder in ends:  # the subspace and the lengths are found, by all of them
            record(worst_error=agree(decoder @ decoder.T, axes @ axes.T, tolerance=1e-5))
        errors = [_misfit(decoder, axes) for decoder in ends]
        check(max(errors) > 1e-2, "every training found the axes")


def _misfit(decoder, axes):
    return agree_with_axes(decoder, axes, tolerance=np.inf)


@CLAIM.evidence(role="refutes", kind="property")
@given(
    lam=st.lists(st.floats(-6, 6).map(lambda e: 10.0**e), min_size=3, max_size=5, unique=True),
    shares=st.lists(st.floats(0.01, 0.99), min_size=2, max_size=2, unique=True),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_axes_beat_all_rotations_and_other_orders_on_hostile_spectra(lam, shares, seed, record):
    lam = np.sort(lam)[::-1]
    penalties = np.sort(shares) * lam[1]
    rng = np.random.default_rng(seed)
    at = Autoencoder(lam, random_rotation(rng, len(lam)), penalties)
    W = at.axes()
    best, size = at.loss(W, W.T), at.lam.sum() + penalties.sum()
    for part in at.slopes(W, W.T):
        record(worst_error=agree(part, np.zeros_like(part), tolerance=1e-13, scale=size))
    # sum 2 g_i - g_i^2/lam_i over the columns, and what is left out.
    agree(best, float(np.sum(2 * penalties - penalties**2 / lam[:2]) + lam[2:].sum()), tolerance=1e-13, scale=size)
    R = random_rotation(rng, 2)
    at_most(best, at.loss(W @ R, R.T @ W.T), slack=1e-13 * size)
    for order in permutations(range(len(lam)), 2):
        p = np.sqrt(np.maximum(1 - penalties / lam[list(order)], 0))
        other = at.U[:, list(order)] * p
        at_most(best, at.loss(other, other.T), slack=1e-13 * size)


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


@CLAIM.evidence(role="refutes", kind="numeric")
def test_the_minimum_is_isolated_with_a_non_uniform_penalty(record, thorough):
    rng = np.random.default_rng(43)
    for _ in range(thorough(15, 150)):
        at = random_autoencoder(rng)
        check_isolated(at, at.axes())
        record()


@CLAIM.evidence(role="corrected", kind="numeric")
def test_the_minimum_is_flat_along_all_rotations_with_a_uniform_penalty(record, thorough):
    rng = np.random.default_rng(44)
    for _ in range(thorough(15, 150)):
        at = random_autoencoder(rng, uniform=True)
        W = at.axes() @ random_rotation(rng, at.shape[1])
        values = curvatures(at, W)
        flat = int((np.abs(values) < 1e-7 * values[-1]).sum())
        same(flat, at.shape[1] * (at.shape[1] - 1) // 2)  # dim O(k)
        check((values > -1e-7 * values[-1]).all(), "not a minimum")
        record()


@CLAIM.evidence(role="refutes", kind="numeric")
def test_the_derived_gradient_is_the_one_that_was_used(record):
    rng = np.random.default_rng(45)
    for _ in range(10):
        at = random_autoencoder(rng)
        A, B = rng.standard_normal(at.shape), rng.standard_normal(at.shape[::-1])
        letters = {"W": A, "V": B, "S": at.S, "G": np.diag(at.penalties)}
        sizes = dict(zip((n, k), at.shape, strict=True))
        for X, part in zip((W, V), at.slopes(A, B), strict=True):
            derived = on_arrays(gradient(loss_in_words(), X), letters, sizes)
            record(worst_error=agree(2 * part, derived, tolerance=1e-13))
        agree(at.loss(A, B), on_arrays(loss_in_words(), letters, sizes), tolerance=1e-13)


@CLAIM.evidence(role="refutes", kind="numeric")
def test_two_axes_to_check_by_hand(record):
    # S = diag(4, 2), g = (1/2, 1): p = (7/8, 1/2), loss 2 (1/2) - 1/16 + 2 - 1/2.
    at = Autoencoder(np.array([4.0, 2.0]), np.eye(2), np.array([0.5, 1.0]))
    W, swap = at.axes(), np.array([[0.0, 1.0], [1.0, 0.0]])
    R = np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2)
    losses = [at.loss(A, A.T) for A in (W, W @ R, W @ swap)]
    agree(losses, [2.4375, 2.625, 2.8125], tolerance=1e-15)
    with reference.precision():  # 50 digits: the gradient, with sqrt(7/8) to as many
        p = [mpmath.sqrt(mpmath.mpf(7) / 8), mpmath.sqrt(mpmath.mpf(1) / 2)]
        slopes = [(p[i] ** 2 - 1) * (4, 2)[i] * p[i] + (0.5, 1.0)[i] * p[i] for i in range(2)]
    agree([float(s) for s in slopes], [0.0, 0.0], tolerance=1e-48)
    uniform = Autoencoder(at.lam, at.U, np.array([0.5, 0.5]))
    V = uniform.axes()
    same_loss = [uniform.loss(A, A.T) for A in (V, V @ R, V @ swap)]
    agree(same_loss, [same_loss[0]] * 3, tolerance=1e-15)
    record(instances=2)
    record.witness(
        f"S = diag(4, 2), g = (1/2, 1): W = V^T = diag(sqrt(7/8), sqrt(1/2)) has loss {losses[0]:.4f}; its columns "
        f"rotated by 45 degrees {losses[1]:.4f}, exchanged {losses[2]:.4f}. With g = (1/2, 1/2) all three are equal"
    )


@CLAIM.evidence(role="control", kind="symbolic")
def test_a_non_uniform_penalty_is_not_invariant_and_the_checker_says_so():
    with rejected():
        same(turned(loss_in_words()), loss_in_words())
    by_W, by_V = gradient(loss_in_words(), W), gradient(loss_in_words(), V)
    with rejected():  # the encoder's Gram matrix taken for the decoder's
        same((by_V @ V.T - W.T @ by_W) / 2, G @ W.T @ W - V @ V.T @ G)
    a, b = sp.symbols("A_ij B_ij", real=True)
    with rejected():  # equal penalties leave A_ij = B_ij free
        same(sp.solve([g * a - b * g, g * a - b * g], [a, b], dict=True), [{a: 0, b: 0}])


@CLAIM.evidence(role="control", kind="numeric")
def test_uniform_penalties_are_rejected_as_identifying():
    rng = np.random.default_rng(46)
    at = random_autoencoder(rng, uniform=True)
    with rejected():
        check_identified(at, trained(at, rng)[0], tolerance=1e-2)
    with rejected():
        check_isolated(at, at.axes())
    non_uniform = random_autoencoder(rng)
    with rejected():  # the order counts
        check_identified(non_uniform, non_uniform.axes()[:, ::-1], tolerance=1e-2)


@CLAIM.evidence(role="control", kind="numeric")
def test_two_equal_penalties_among_others_are_rejected_as_identifying():
    # A tie of two penalties leaves their plane open, however the third differs.
    p = random_problem(np.random.default_rng(47), 4, 3)
    lam, U = np.array([8.0, 5.0, 3.0, 1.0]), p.U
    with rejected():
        check_isolated(
            Autoencoder(lam, U, np.array([0.5, 1.0, 1.0])), Autoencoder(lam, U, np.array([0.5, 1.0, 1.0])).axes()
        )
