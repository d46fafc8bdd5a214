"""Linear autoencoders whose penalty differs between the columns: it identifies the principal axes, and their order.

Statement   for the loss tr((I - W V) S (I - W V)^T) + tr(G V V^T) + tr(W G W^T), G = diag(g_1, ..., g_k), 0 < g_1 <
            ... < g_k < lam_k and lam_1 > ... > lam_k > lam_{k+1}, at *every* stationary point W^T W and V V^T are
            diagonal and equal, and every global minimum is w_i = v_i = +- sqrt(1 - g_i/lam_i) u_i, the order of the
            axes included.
Hypotheses  as stated; lam_k > lam_{k+1} where k < n. With a uniform penalty a rotation stays open (claim
            regularised-lae, the paper's).
Source      ours, beside Lucas et al. 2019, Sec. 4.2; after Bao et al. 2020.
Method      words, for all n and k: the two gradients give G A = B G, A = V V^T, B = W^T W; for distinct g_i that makes
            A = B = diag(b_i), so v_i = sqrt(b_i) e_i with orthonormal e_i. Then the loss is tr S - sum b_i^2 s_i,
            s_i = e_i^T S e_i, and (b_i S + g_i I) v_i = S w_i with |w_i| = |v_i| gives b_i <= 1 - g_i/s_i, which is
            b_i^2 s_i <= c_i s_i - 2 g_i b_i, c_i = 2 b_i - b_i^2. Here sum c_i s_i = tr(K S), K = sum c_i e_i e_i^T,
            and sum g_i b_i is a trace, too: von Neumann bounds both by the sorted sums, b_(1) >= ... >= b_(k), and what
            they bound is sum (lam_i - g_i)^2/lam_i - sum lam_i (b_(i) - p_i)^2, p_i = 1 - g_i/lam_i. So the loss is at
            least that of the ordered axes. Equality needs b_(i) = p_i, all different, and one basis for each trace, in
            order: so b_i = p_i, e_i = +- u_i, and then w_i = v_i. A minimum exists, as the loss is at least
            tr(G V V^T) + tr(W G W^T). Beside it: searches from random starts, the exact loss along rotations.
Trusted     facts cauchy-schwarz, coercive, second-order, spectral, von-neumann (with its case of equality); the normal
            form of words.
"""

from itertools import permutations

import mpmath
import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.lucas_2019.linear_vae.autoencoders import (
    Autoencoder,
    G,
    check_identified,
    check_isolated,
    explicit_loss,
    g,
    loss_in_words,
    random_autoencoder,
    trained,
)
from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.spectra import random_problem, random_rotation
from verify import reference
from verify.symbolic.differentials import gradient
from verify.symbolic.evaluation import on_arrays
from verify.symbolic.letters import S, V, W, k, n
from verify.symbolic.matrix_calculus import identity, inverse, letter, zero
from verify.symbolic.relations import reduce, relation, substitute
from verify.symbolic.traces import trace

CLAIM = Claim(
    id="non-uniform-lae",
    source="ours, beside Sec. 4.2",
    statement="a linear autoencoder with an L2 penalty that differs between the columns identifies the principal "
    "components, in order",
    hypotheses="0 < g_1 < ... < g_k < lam_k; lam_1 > ... > lam_k, and > lam_{k+1} if k < n",
    section="The linear VAE",
    trusts=("cauchy-schwarz", "coercive", "second-order", "spectral", "von-neumann"),
)
GRAMS = CLAIM.step(
    "grams",
    "at every stationary point G V V^T = W^T W G, so that for distinct g_i both Gram matrices are diagonal and equal, "
    "for all n and k",
    says="stationary & distinct_penalties -> equal_diagonal_grams",
)
VALUE = CLAIM.step(
    "value",
    "there the loss is tr S - sum b_i^2 s_i, V V^T = W^T W = diag(b_i), v_i = sqrt(b_i) e_i, |e_i| = 1, s_i = "
    "e_i^T S e_i, and (b_i S + g_i I) v_i = S w_i, for all n and k",
    says="stationary & equal_diagonal_grams -> loss_by_rayleigh_quotients",
)
SAVED = CLAIM.step(
    "saved",
    "(b S + g I) v = S w, |w| = |v| > 0 give b <= 1 - g/s, s = v^T S v/|v|^2: so column i saves b_i^2 s_i <= c_i s_i - "
    "2 g_i b_i, c_i = 2 b_i - b_i^2, for all n",
    says="loss_by_rayleigh_quotients & schwarz & range_of_s -> saves_at_most_the_traces",
)
TRACES = CLAIM.step(
    "traces",
    "sum c_i s_i = tr(K S) with K = sum c_i e_i e_i^T, whose eigenvalues are the c_i >= 0 and zeros, and sum g_i b_i = "
    "tr(G diag(b)); c_i rises with b_i: so with b_(1) >= ... >= b_(k) at most sum [c_(i) lam_i - 2 g_i b_(i)] is "
    "saved, for all n and k",
    says="saves_at_most_the_traces & traces_between_sorted_sums -> saves_at_most_the_sorted_sum",
)
SQUARES = CLAIM.step(
    "squares",
    "(2 b - b^2) lam - 2 g b = (lam - g)^2/lam - lam (b - (1 - g/lam))^2, and sum (lam_i - g_i)^2/lam_i is what the "
    "ordered axes save: the loss is above theirs, or b_(i) = 1 - g_i/lam_i and both traces are sorted sums",
    says="saves_at_most_the_sorted_sum -> above_ordered_axes | lengths_of_axes & traces_are_sorted_sums",
)
ORDER = CLAIM.step(
    "order",
    "the 1 - g_i/lam_i fall with i: where G, diag(b) and K, S each have one basis in order, b_i = 1 - g_i/lam_i and "
    "e_i = +- u_i; then (b_i S + g_i I) v_i = S w_i and |w_i| = |v_i| make w_i = v_i, for all n and k",
    says="lengths_of_axes & one_basis_each & range_of_s -> at_ordered_axes",
)
AXES = CLAIM.step(
    "axes",
    "w_i = v_i = sqrt(1 - g_i/lam_i) u_i has the loss tr S - sum (lam_i - g_i)^2/lam_i, and is stationary, for all n "
    "and k: no minimum is above it",
    says="minimum -> ~above_ordered_axes",
)
EXISTS = CLAIM.step(
    "exists",
    "the loss is at least tr(G V V^T) + tr(W G W^T) >= g_1 (|V|^2 + |W|^2), for all n and k",
    says="roots -> loss_grows",
)
CONCLUSION = CLAIM.step(
    "conclusion", "a global minimum exists, and every one is the ordered principal axes, up to signs"
)
USED = {
    "cauchy-schwarz": "schwarz",
    "coercive": "loss_grows -> minimum_exists",
    "second-order": "minimum -> stationary",
    # A symmetric S has for its range what is orthogonal to its kernel, and a root if it is not negative.
    "spectral": "range_of_s & roots",
    "von-neumann": "traces_between_sorted_sums & (one_basis_each | ~traces_are_sorted_sums)",
}


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_that_the_axes_are_identified(record):
    identified = "minimum_exists & (at_ordered_axes | ~minimum | ~distinct_penalties)"
    record(instances=concludes(CLAIM, identified, USED))
    with rejected():  # nor for a uniform penalty
        concludes(CLAIM, "minimum -> at_ordered_axes", USED)
    with rejected():  # the case of equality left out
        concludes(CLAIM, identified, USED | {"von-neumann": "traces_between_sorted_sums"})
    with rejected():  # saddles are not at the ordered axes
        concludes(CLAIM, "stationary & distinct_penalties -> at_ordered_axes", USED)


@VALUE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_loss_at_a_stationary_point_for_all_n_and_k(record):
    by_W, by_V = gradient(loss_in_words(), W) / 2, gradient(loss_in_words(), V) / 2
    # Where both vanish the loss is tr S - tr(B V S V^T) = tr S - sum b_i v_i^T S v_i, B = W^T W.
    slopes = trace(by_V @ V.T) + trace(W.T @ by_W)
    same(loss_in_words(), trace(S) - trace(W.T @ W @ V @ S @ V.T) + slopes)
    with rejected():  # penalties counted once
        same(loss_in_words(), trace(S) - trace(W.T @ W @ V @ S @ V.T) + slopes / 2)
    # Row i of dV = 0, with W^T W = B diagonal, is (b_i S + g_i I) v_i = S w_i.
    same(by_V, W.T @ W @ V @ S + G @ V - W.T @ S)
    record(instances=2)


@SAVED.evidence(role="supports", kind="symbolic", strength="proved")
def test_what_a_column_saves_for_all_n(record):
    v, w, u = letter("v", n, 1), letter("w", n, 1), letter("u", n, 1)
    b, s, q = sp.symbols("b s q", positive=True)
    row = relation(S @ w, b * S @ v + g * v)
    # u^T S = 0 makes g u^T v = 0: v lies in the range of S, v = S y, and S (w - b v - g y) = 0, so w = b v + g y + u
    # with S u = 0.
    same(reduce(u.T @ S @ w - g * u.T @ v, row, relation(u.T @ S, zero(1, n))), zero(1, 1))
    y = letter("y", n, 1)
    in_range, off = {"v": S @ y}, relation(S @ u, zero(n, 1))
    same(reduce(S @ (b * S @ y + g * y + u), off), substitute(b * S @ v + g * v, in_range))
    # v^T w = b |v|^2 + g y^T S y, and v^T w <= |v| |w| = |v|^2 (Schwarz): 1 >= b + g q, q = y^T S y/|v|^2.
    product = reduce((S @ y).T @ (b * S @ y + g * y + u), off)
    same(product, substitute(b * v.T @ v, in_range) + g * y.T @ S @ y)
    with rejected():  # a part of w off the range of S left in
        same((S @ y).T @ (b * S @ y + g * y + u), product)
    # (v^T v)^2 = (y^T S v)^2 <= y^T S y v^T S v (Schwarz): q >= 1/s, and b <= 1 - g q <= 1 - g/s. For v = 0, b = 0.
    same(substitute(y.T @ S @ v, in_range), substitute(v.T @ v, in_range))
    vanishes((1 - g / s) - (1 - g * q) - g * (q - 1 / s))
    check_saved(lambda b, s: (2 * b - b**2) * s - 2 * g * b)
    for wrong in (lambda b, s: b * s - 2 * g * b, lambda b, s: (2 * b - b**2) * s - g * b, lambda b, s: b**2 * s):
        with rejected():
            check_saved(wrong)
    record(instances=4)


def check_saved(bound):
    """The bound less b^2 s is 2 b s times what b lacks to 1 - g/s."""
    b, s = sp.symbols("b s", positive=True)
    vanishes(bound(b, s) - b**2 * s - 2 * b * s * ((1 - g / s) - b))


def lengths():
    """The orthonormal e_i (n, k), and the letters b and c = 2 b - b^2 on a diagonal."""
    return letter("e", n, k), letter("b", k, k, "diagonal"), letter("c", k, k, "diagonal")


@TRACES.evidence(role="supports", kind="symbolic", strength="proved")
def test_what_is_saved_is_a_difference_of_two_traces_for_all_n_and_k(record):
    e, b, c = lengths()
    K, orthonormal = e @ c @ e.T, relation(e.T @ e, identity(k))
    # sum c_i s_i, s_i = e_i^T S e_i, is tr(c e^T S e).
    same(trace(c @ (e.T @ S @ e)), trace(K @ S))
    # K has the eigenvalues c_i on the e_i and 0 on what is orthogonal to them.
    same(reduce(K @ e, orthonormal), e @ c)
    x = letter("x", n, 1)
    same(reduce(K @ x, relation(e.T @ x, zero(k, 1))), zero(n, 1))
    with rejected():  # of columns that are not orthonormal
        same(K @ e, e @ c)
    # b^2 s <= (2 b - b^2) s - 2 g b, summed: tr(K S) - 2 tr(G b).
    square = relation(c, 2 * b - b @ b)
    saved = reduce(trace((2 * b - b @ b) @ (e.T @ S @ e)) - 2 * trace(G @ b), square)
    same(saved, reduce(trace(K @ S) - 2 * trace(G @ b), square))
    # 0 <= b <= 1: c = 1 - (1 - b)^2 lies between 0 and 1, and rises with b.
    check_rising(lambda t: 2 * t - t**2)
    with rejected():
        check_rising(lambda t: t - t**2)
    record(instances=5)


def check_rising(c):
    """0 <= c(b) and c(b + step) > c(b), for 0 <= b < b + step <= 1."""
    b, step, rest = (sp.Symbol(name, nonnegative=True) for name in ("b", "step", "rest"))
    gained = sp.factor(sp.expand(c(b + step) - c(b)))
    # With b + step + rest = 1 the other factor is b + step + rest - b + rest = step + 2 rest.
    vanishes(sp.expand((gained - step * (step + 2 * rest)).subs(rest, 1 - b - step)))
    same(c(sp.S.Zero), 0)


@SQUARES.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_sorted_sum_is_that_of_the_axes_less_squares(record):
    b, lam = sp.symbols("b lam", positive=True)
    sorted_term = (2 * b - b**2) * lam - 2 * g * b
    square = lam * (b - (1 - g / lam)) ** 2
    vanishes(sorted_term - ((lam - g) ** 2 / lam - square))
    for wrong in (lam**2 - g**2, (lam - g) ** 2):
        with rejected():
            vanishes(sorted_term - (wrong / lam - square / lam))
    record(instances=1)
    record.witness("saved <= sum (lam_i - g_i)^2/lam_i - sum lam_i (b_(i) - 1 + g_i/lam_i)^2")


@ORDER.evidence(role="supports", kind="symbolic", strength="proved")
def test_one_basis_in_order_is_that_of_the_axes_for_all_n_and_k(record):
    # p_i = 1 - g_i/lam_i falls: g_j = g_i + more, lam_i = lam_j + gap.
    g_i, lam_j, more, gap = sp.symbols("g_i lam_j more gap", positive=True)
    falls = sp.factor((1 - g_i / (lam_j + gap)) - (1 - (g_i + more) / lam_j))
    check(falls.is_positive, "the lengths do not fall")
    # x an eigenvector of K, of eigenvalue gamma > 0, and f one of K or G, of another one: x and f are orthogonal. So
    # x_i is +- e_i where the c_i differ; for G and diag(b) it is +- a coordinate vector: b_1 > ... > b_k in this order.
    K, x, f = letter("K", n, n, "symmetric"), letter("x", n, 1), letter("f", n, 1)
    gamma, other = sp.symbols("gamma other", positive=True)
    both = trace(f.T @ K @ x)
    by_x, by_f = reduce(both, relation(K @ x, gamma * x)), reduce(both, relation(K @ f, other * f))
    same(by_x - by_f, (gamma - other) * trace(f.T @ x))
    with rejected():
        same(by_x - by_f, (gamma + other) * trace(f.T @ x))
    # What is orthogonal to all e has the eigenvalue 0, so x, of gamma > 0, is in their span (see step "traces").
    # In the basis of S, x_i = +- e_i has S x_i = lam_i x_i, and lam_i is simple: e_i = +- u_i, by the same identity.
    # v = sqrt(b) u, b = 1 - g/lam: (b S + g I) v = lam v = S w, so S (w - v) = 0 and w = v + z, S z = 0; v is in the
    # range of S, |w|^2 = |v|^2 + |z|^2, and z = 0.
    v, z, lam = letter("v", n, 1), letter("z", n, 1), sp.Symbol("lam", positive=True)
    axis = relation(S @ v, lam * v)
    left = reduce((1 - g / lam) * S @ v + g * v, axis)
    same(left, lam * v)
    same(reduce(S @ (v + z), axis, relation(S @ z, zero(n, 1))), lam * v)
    same(reduce(trace(v.T @ S @ z), axis), lam * trace(v.T @ z))  # 0, so v^T z = 0
    same(reduce(trace((v + z).T @ (v + z)), relation(v.T @ z, zero(1, 1))), trace(v.T @ v) + trace(z.T @ z))
    with rejected():  # b = 1, without the penalty's share
        same(reduce(S @ v + g * v, axis), lam * v)
    record(instances=6)


@EXISTS.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_loss_is_at_least_the_penalty_for_all_n_and_k(record):
    """S = H H: the rest is |(I - W V) H|^2; and G = g_1 I + F F leaves more than g_1 (|V|^2 + |W|^2)."""
    H, F, g_1 = letter("H", n, n, "symmetric"), letter("F", k, k, "diagonal"), sp.Symbol("g_1", positive=True)
    off = (identity(n) - W @ V) @ H
    penalty = trace(G @ V @ V.T) + trace(W @ G @ W.T)
    same(substitute(loss_in_words(), {"S": H @ H}), trace(off @ off.T) + penalty)
    rest = trace((F @ V) @ (F @ V).T) + trace((W @ F) @ (W @ F).T)
    least = g_1 * (trace(V @ V.T) + trace(W @ W.T))
    square = relation(G, g_1 * identity(k) + F @ F)
    same(reduce(penalty, square), least + rest)
    with rejected():  # a loss without a penalty need not grow
        same(substitute(loss_in_words(), {"S": H @ H}), trace(off @ off.T))
    record(instances=2)


@AXES.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_ordered_principal_axes_are_stationary_for_all_n_and_k(record):
    # W = U P, V = P U^T, P^2 = I - G Lam^-1, for an orthonormal U with S U = U Lam.
    U, P, Lam = letter("U", n, k), letter("P", k, k, "diagonal"), letter("Lam", k, k, "diagonal")
    axes = relation(U.T @ U, identity(k)), relation(S @ U, U @ Lam)
    for X, shape in ((W, U), (V, U.T)):
        at = substitute(gradient(loss_in_words(), X), {"W": U @ P, "V": P @ U.T})
        same(reduce(at, *axes, relation(Lam @ P @ P, Lam - G)), 0 * shape)
        with rejected():  # the lengths of pPCA, or twice the penalty
            same(reduce(at, *axes, relation(Lam @ P @ P, Lam - 2 * G)), 0 * shape)
    # The loss there, by the gradients: tr S - tr(P^2 P Lam P), P^2 = I - G Lam^-1.
    value = reduce(substitute(loss_in_words(), {"W": U @ P, "V": P @ U.T}), *axes)
    value = reduce(value, relation(P @ P, identity(k) - G @ inverse(Lam)))
    same(value, trace(S) - trace((Lam - G) @ (Lam - G) @ inverse(Lam)))
    record(instances=3)


@GRAMS.evidence(role="supports", kind="symbolic", strength="proved")
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
    with rejected():  # the encoder's Gram matrix taken for the decoder's
        same((by_V @ V.T - W.T @ by_W) / 2, G @ W.T @ W - V @ V.T @ G)
    with rejected():  # equal penalties leave A_ij = B_ij free
        same(sp.solve([g * a - b * g, g * a - b * g], [a, b], dict=True), [{a: 0, b: 0}])
    record(instances=3)
    record.witness(
        "G V V^T = W^T W G at every stationary point: with distinct g_i both V V^T and W^T W are diagonal, equal"
    )


@CONCLUSION.evidence(role="supports", kind="symbolic")
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


@CONCLUSION.evidence(role="supports", kind="numeric")
def test_training_with_a_non_uniform_penalty_finds_the_ordered_axes(record, thorough):
    rng = np.random.default_rng(41)
    for _ in range(thorough(12, 120)):
        at = random_autoencoder(rng)
        for _ in range(2):
            W, V = trained(at, rng)
            agree(V, W.T, tolerance=1e-5)
            # The search stops at |gradient| = 1e-8; the flattest direction, a rotation, has curvature above 1e-3.
            record(worst_error=check_identified(at, W, tolerance=1e-4))


@CONCLUSION.evidence(role="supports", kind="property")
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
    check_beats(at, W, W @ random_rotation(rng, 2))
    for order in permutations(range(len(lam)), 2):
        check_beats(at, W, axes_in(at, order))


def axes_in(at, order):
    """The axes with these eigenvectors instead of the first, zero where the penalty is above the eigenvalue."""
    return at.U[:, list(order)] * np.sqrt(np.maximum(1 - at.penalties / at.lam[list(order)], 0))


def check_beats(at, W, other):
    """The loss at `other` is not below that at W, both with V = W^T."""
    slack = 1e-13 * (at.lam.sum() + at.penalties.sum())
    at_most(at.loss(W, W.T), at.loss(other, other.T), slack=slack)


@CONCLUSION.evidence(role="control", kind="numeric")
def test_axes_in_another_order_or_rotated_do_not_beat_these():
    at = random_autoencoder(np.random.default_rng(48))
    W, columns = at.axes(), len(at.penalties)
    for wrong in (axes_in(at, [1, 0, *range(2, columns)]), W @ random_rotation(np.random.default_rng(49), columns)):
        check_beats(at, W, wrong)
        with rejected():
            check_beats(at, wrong, W)


@CONCLUSION.evidence(role="supports", kind="numeric")
def test_the_minimum_is_isolated_with_a_non_uniform_penalty(record, thorough):
    rng = np.random.default_rng(43)
    for _ in range(thorough(15, 150)):
        at = random_autoencoder(rng)
        check_isolated(at, at.axes())
        record()


@VALUE.evidence(role="supports", kind="numeric")
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
            with rejected():  # the gradient of half the loss
                agree(part, derived, tolerance=1e-13)
        agree(at.loss(A, B), on_arrays(loss_in_words(), letters, sizes), tolerance=1e-13)


@CONCLUSION.evidence(role="supports", kind="numeric")
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
    with rejected():  # with penalties that differ they are not equal
        agree(losses, [losses[0]] * 3, tolerance=1e-15)
    record(instances=2)
    record.witness(
        f"S = diag(4, 2), g = (1/2, 1): W = V^T = diag(sqrt(7/8), sqrt(1/2)) has loss {losses[0]:.4f}; its columns "
        f"rotated by 45 degrees {losses[1]:.4f}, exchanged {losses[2]:.4f}. With g = (1/2, 1/2) all three are equal"
    )


@CONCLUSION.evidence(role="control", kind="numeric")
def test_two_equal_penalties_among_others_are_rejected_as_identifying():
    # A tie of two penalties leaves their plane open, however the third differs.
    p = random_problem(np.random.default_rng(47), 4, 3)
    lam, U = np.array([8.0, 5.0, 3.0, 1.0]), p.U
    with rejected():
        check_isolated(
            Autoencoder(lam, U, np.array([0.5, 1.0, 1.0])), Autoencoder(lam, U, np.array([0.5, 1.0, 1.0])).axes()
        )
