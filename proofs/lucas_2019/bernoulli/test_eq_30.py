"""Eq. 30: the density of y = sigmoid(W z + mu), z ~ N(0, I_k).

Statement   f(y) = (2 pi |W W^T|)^{-1/2} prod_i 1/(y_i (1 - y_i)) exp(-1/2 r^T (W W^T)^{-1} r), r = logit(y) - mu.
Hypotheses  missing: W W^T > 0, for which k >= n is needed. Where W W^T is singular, as always for k < n, which is what
            pPCA is for, logit(y) - mu lies in the column space of W, a null set, and there is no density at all.
Correction  beside the missing hypothesis a misprint: the normaliser is |2 pi W W^T|^{1/2}, and the printed one has mass
            (2 pi)^{(n-1)/2}, which is 1 at n = 1 only.
Source      Lucas et al. 2019, Eq. 30, App. C.3; theory 4.1.
Method      change of variables in words, for all n <= k; integrals over y in the unit cube by tanh-sinh nodes, which
            know nothing of the change of variables; expectations of y against sums over z.
Trusted     facts change-of-variables, gaussian-moments, rank-nullity; the integral of exp(-t^2/2).
"""

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.machinery.checks import agree, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from verify.models.bernoulli import sigmoid
from verify.models.quadrature import spacing_for_sigmoids, uniform
from verify.symbolic.expectations import expectation, log_gaussian
from verify.symbolic.letters import W, k, z
from verify.symbolic.letters import n as N_DIM
from verify.symbolic.matrix_calculus import identity, inverse, letter, zero
from verify.symbolic.relations import reduce, relation
from verify.symbolic.traces import Scalar, log_det, trace

CLAIM = Claim(
    id="eq-30",
    source="Eq. 30, App. C.3",
    statement="y = sigmoid(W z + mu) has the logit-normal density with normaliser (2 pi |W W^T|)^{1/2}",
    hypotheses="k >= n and W W^T > 0, else there is no density; the normaliser should read |2 pi W W^T|^{1/2}",
    section="Bernoulli pPCA",
    trusts=("change-of-variables", "gaussian-moments", "rank-nullity"),
    quote="We can compute the density function for y using the change of variables formula. Noting that Wz + µ ∼ N (µ, "
    "WWT ), we recover the following logit-Normal distribution: ...",
    fault="missing hypothesis",
    finding="with k >= n and W W^T > 0, and with the normaliser |2 pi W W^T|^{1/2}, of which the printed one is a "
    "misprint, it is right; where W W^T is singular, as always for k < n, the usual case, there is no "
    "density",
)
FEWER = CLAIM.step(
    "fewer-latents",
    "where W W^T is singular, as always for k < n, some c != 0 has c^T W = 0, so c^T (logit(y) - mu) = 0 at every z "
    "and W W^T c = 0: y keeps to a null set",
)
PRINTED = CLAIM.step(
    "printed", "as printed the mass is (2 pi)^{(n-1)/2}, for all n <= k with W W^T > 0: not 1 for n > 1"
)
CORRECTED = CLAIM.step(
    "corrected",
    "with the normaliser |2 pi W W^T|^{1/2} it is the density of y, that of N(mu, W W^T) at logit(y) times the "
    "Jacobian prod 1/(y_i (1 - y_i)), and its mass is 1; for all n <= k with W W^T > 0",
)


def unit_interval(points):
    """Tanh-sinh nodes in (0, 1): y, 1 - y without cancellation, and weights, each (points,)."""
    u = np.linspace(-3.6, 3.6, points)
    s = 0.5 * np.pi * np.sinh(u)
    weights = (u[1] - u[0]) * 0.25 * np.pi * np.cosh(u) / np.cosh(s) ** 2
    return 1 / (1 + np.exp(-2 * s)), 1 / (1 + np.exp(2 * s)), weights


def printed_normaliser(A):
    return np.sqrt(2 * np.pi * np.linalg.det(A))


def corrected_normaliser(A):
    return np.sqrt(np.linalg.det(2 * np.pi * A))


def density(y, one_minus_y, W, mu, normaliser):
    """Eq. 30 at y (..., n), with the normaliser left open."""
    A = W @ W.T
    r = np.log(y) - np.log(one_minus_y) - mu
    quadratic = np.sum(r * np.linalg.solve(A, r[..., None])[..., 0], axis=-1)
    return np.exp(-0.5 * quadratic) / normaliser(A) / np.prod(y * one_minus_y, axis=-1)


def integral(W, mu, normaliser, f=None, points=None):
    """The integral of f(y) times the density over (0, 1)^n; of the density itself without f."""
    n = len(W)
    one, other, weights = unit_interval(points or {1: 400, 2: 240, 3: 120}[n])
    y, rest = (np.stack(np.meshgrid(*[v] * n, indexing="ij"), axis=-1) for v in (one, other))
    total = density(y, rest, W, mu, normaliser) * np.prod(np.stack(np.meshgrid(*[weights] * n), axis=-1), axis=-1)
    return float(np.sum(total if f is None else total * f(y)))


def problem(rng, n, extra=0):
    """W (n, n + extra) whose W W^T has no small eigenvalue, and mu (n,)."""
    W = np.linalg.qr(rng.standard_normal((n, n)))[0] * rng.uniform(0.7, 1.5, n)
    return np.hstack([W, 0.5 * rng.standard_normal((n, extra))]), rng.uniform(-1, 1, n)


Y_ = sp.Symbol("y", positive=True)


def check_density(power, jacobian):
    """W z has mean 0 and covariance W W^T, its log density the normaliser |2 pi A|^power; d logit(y)/dy = jacobian."""
    F, r, A = letter("F", N_DIM, N_DIM), letter("r", N_DIM, 1), letter("A", N_DIM, N_DIM, "symmetric")
    a = W @ z
    same(expectation(trace(r.T @ a), z, zero(k, 1), identity(k)), Scalar(0))
    same(expectation(trace(a.T @ F @ a), z, zero(k, 1), identity(k)), trace(F @ W @ W.T))
    printed = -trace(r.T @ inverse(A) @ r) / 2 - log_det(2 * sp.pi * A) * power
    same(log_gaussian(r, inverse(A), log_det(A)), printed)
    vanishes(sp.diff(sp.log(Y_ / (1 - Y_)), Y_) - jacobian)


@CORRECTED.evidence(role="corrected", kind="symbolic", strength="proved")
def test_the_corrected_normaliser_is_right_for_all_n(record):
    """W W^T = T T^T, T square; r = T t turns the exponent into -t^T t / 2, and dy into |det T| prod y (1 - y) dt."""
    check_density(sp.Rational(1, 2), 1 / (Y_ * (1 - Y_)))
    T = letter("T", N_DIM, N_DIM)
    same(T.T @ inverse(T @ T.T) @ T, identity(N_DIM))
    same(log_det(T @ T.T), 2 * log_det(T))
    a, t = sp.symbols("a t", real=True)
    y = 1 / (1 + sp.exp(-a))
    vanishes(sp.diff(y, a) - y * (1 - y))
    # One factor per pixel: log |2 pi A|^{1/2} = n/2 log 2 pi + 1/2 log det A takes up all of them.
    same(sp.integrate(sp.exp(-(t**2) / 2), (t, -sp.oo, sp.oo)), sp.sqrt(2 * sp.pi))
    A = T @ T.T
    mass = log_det(T) + N_DIM * sp.log(2 * sp.pi) / 2 - log_det(2 * sp.pi * A) / 2
    same(mass.is_zero(), True)
    with rejected():  # without the root
        check_density(sp.Integer(1), 1 / (Y_ * (1 - Y_)))
    with rejected():  # the Jacobian turned over
        check_density(sp.Rational(1, 2), Y_ * (1 - Y_))
    record(instances=2)


@PRINTED.evidence(role="refutes", kind="symbolic", strength="proved")
def test_the_printed_normaliser_has_mass_two_pi_to_the_half_n_minus_one(record):
    T = letter("T", N_DIM, N_DIM)
    # (2 pi |A|)^{1/2} has one factor 2 pi whatever n is.
    log_mass = log_det(T) + N_DIM * sp.log(2 * sp.pi) / 2 - (log_det(T @ T.T) + sp.log(2 * sp.pi)) / 2
    vanishes(log_mass.constant - (N_DIM - 1) * sp.log(2 * sp.pi) / 2)
    same((log_mass - log_mass.constant).is_zero(), True)
    vanishes(log_mass.constant.subs(N_DIM, 1))
    # log(2 pi) > 0, so that only n = 1 makes it vanish; sqrt(2 pi) exactly at n = 2.
    check(sp.log(2 * sp.pi).is_positive, "log(2 pi) is not positive")
    vanishes(sp.exp(log_mass.constant.subs(N_DIM, 2)) - sp.sqrt(2 * sp.pi))
    with rejected():
        vanishes(log_mass.constant)
    with rejected():
        vanishes(log_mass.constant - N_DIM * sp.log(2 * sp.pi) / 2)
    record(instances=1)
    record.witness("mass of Eq. 30 as printed: (2 pi)^{(n-1)/2} for all n <= k and all W, mu; sqrt(2 pi) at n = 2")


@PRINTED.evidence(role="refutes", kind="numeric")
def test_the_printed_density_of_two_pixels_has_mass_sqrt_two_pi(record):
    W, mu = np.eye(2), np.zeros(2)
    mass = integral(W, mu, printed_normaliser)
    record(worst_error=agree(mass, np.sqrt(2 * np.pi), tolerance=1e-10))
    check(abs(mass - 1) > 1, "it is a density after all")
    with rejected():  # with the corrected normaliser it is one
        check(abs(integral(W, mu, corrected_normaliser) - 1) > 1, "it is a density after all")
    # By hand: P(y_1 < 1/2, y_2 < 1/2) = 1/4 by symmetry.
    quarter = integral(W, mu, printed_normaliser, lambda y: (y < 0.5).all(axis=-1))
    agree(quarter, mass / 4, tolerance=1e-12)
    record.witness(
        f"W = I, mu = 0, n = k = 2: the printed density has mass {mass:.12f} (sqrt(2 pi) = 2.506628274631); it gives "
        f"P(y < 1/2) = {quarter:.3f}, by symmetry 1/4"
    )


@FEWER.evidence(role="refutes", kind="symbolic", strength="proved")
def test_the_logits_lie_in_a_plane_for_all_n_and_k(record):
    c = letter("c", N_DIM, 1)
    left_out = relation(c.T @ W, zero(1, k))
    same(reduce(c.T @ W @ z, left_out), zero(1, 1))
    same(reduce(W @ W.T @ c, left_out), zero(N_DIM, 1))
    # W W^T c = 0 makes |W^T c|^2 = c^T W W^T c = 0, whatever k is.
    same((W.T @ c).T @ (W.T @ c), c.T @ W @ W.T @ c)
    same(reduce((W.T @ c).T @ (W.T @ c), relation(W @ W.T @ c, zero(N_DIM, 1))), zero(1, 1))
    with rejected():
        same((W.T @ c).T @ (W.T @ c), zero(1, 1))
    with rejected():  # not for a c that W sees
        same(c.T @ W @ z, zero(1, 1))
    with rejected():
        same(reduce(W.T @ W @ W.T @ W, left_out), zero(k, k))
    record(instances=4)
    record.witness("k < n: c^T W = 0 for some c != 0, so c^T (logit(y) - mu) = 0 and |W W^T| = 0")


@FEWER.evidence(role="refutes", kind="numeric")
def test_with_fewer_latents_than_pixels_there_is_no_density(record, thorough):
    rng = np.random.default_rng(303)
    for _ in range(thorough(20, 200)):
        n = int(rng.integers(2, 6))
        k = int(rng.integers(1, n))
        W, mu = rng.standard_normal((n, k)), rng.standard_normal(n)
        same(int(np.linalg.matrix_rank(W @ W.T)), k)
        # All of the mass lies on a null set: some direction c != 0 has c^T (logit(y) - mu) = 0 always.
        c = np.linalg.svd(W)[0][:, k:]
        y = sigmoid(rng.standard_normal((100, k)) @ W.T + mu)
        r = np.log(y) - np.log1p(-y) - mu
        # 1 - y loses digits where y is close to 1: an error of eps / (y (1 - y)) in the logit.
        lost = 1e-15 / (y * (1 - y)).min()
        agree(r @ c, np.zeros((100, n - k)), tolerance=1e-13 + lost, scale=10 * np.linalg.norm(r))
        record(instances=1)
    w1, w2 = sp.symbols("w_1 w_2", real=True)
    column = sp.Matrix([w1, w2])
    vanishes((column * column.T).det())
    record.witness(
        "n = 2, k = 1: |W W^T| = 0 for every W = (w_1, w_2)^T; w_2 (logit y_1 - mu_1) = w_1 (logit y_2 - mu_2)"
    )


@CORRECTED.evidence(role="corrected", kind="numeric")
def test_the_corrected_density_integrates_to_one(record, thorough):
    rng = np.random.default_rng(30)
    for n, many in ((1, 10), (2, 10), (3, 1)):
        for _ in range(thorough(many, 10 * many)):
            W, mu = problem(rng, n, extra=int(rng.integers(0, 3)))
            # The nodes of three dimensions are coarser.
            tolerance = 1e-10 if n < 3 else 1e-8
            record(worst_error=agree(integral(W, mu, corrected_normaliser), 1.0, tolerance=tolerance))


@CORRECTED.evidence(role="corrected", kind="property")
@given(
    scales=st.tuples(st.floats(-0.7, 0.5), st.floats(-0.7, 0.5)),
    turn=st.floats(0, 3.2),
    mu=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
)
def test_the_corrected_mass_is_one_from_narrow_to_bimodal(scales, turn, mu, record):
    """Standard deviations of the logits from 0.2 to 3.2: peaks in the cube, and peaks in its corners."""
    R = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    W = R * 10.0 ** np.array(scales)
    mass = integral(W, np.array(mu), corrected_normaliser, points=300)
    record(worst_error=agree(mass, 1.0, tolerance=1e-8))


@CORRECTED.evidence(role="corrected", kind="numeric")
def test_expectations_under_the_corrected_density_are_those_of_the_model(record, thorough):
    rng = np.random.default_rng(301)
    for _ in range(thorough(6, 60)):
        W, mu = problem(rng, 2, extra=1)
        rule = uniform(3, spacing_for_sigmoids(float(np.linalg.norm(W, axis=1).max())))
        y, weights = sigmoid(rule.nodes @ W.T + mu), np.exp(rule.log_weights)
        for f in (lambda y: y[..., 0], lambda y: y[..., 0] * y[..., 1], lambda y: y[..., 1] ** 2):
            found = integral(W, mu, corrected_normaliser, f)
            record(worst_error=agree(found, weights @ f(y), tolerance=1e-10))


@CORRECTED.evidence(role="corrected", kind="numeric")
def test_boxes_have_the_share_of_samples_that_the_corrected_density_says(record, thorough):
    rng = np.random.default_rng(302)
    W, mu = problem(rng, 2, extra=1)
    samples = thorough(200_000, 5_000_000)
    y = sigmoid(rng.standard_normal((samples, 3)) @ W.T + mu)
    one, _, weights = unit_interval(160)
    for low, high in ((0.1, 0.4), (0.3, 0.9), (0.5, 0.99)):
        inside = low + (high - low) * one
        grid = np.stack(np.meshgrid(inside, inside, indexing="ij"), axis=-1)
        share = (high - low) ** 2 * weights @ density(grid, 1 - grid, W, mu, corrected_normaliser) @ weights
        found = float(((y > low) & (y < high)).all(axis=1).mean())
        # Five standard errors: one false alarm in two million.
        agree(found, share, tolerance=5.0, scale=np.sqrt(share * (1 - share) / samples))
        record(instances=samples)


@CORRECTED.evidence(role="control", kind="numeric")
def test_slips_in_the_normaliser_are_rejected():
    rng = np.random.default_rng(304)
    W, mu = problem(rng, 2)
    for wrong in (
        printed_normaliser,
        lambda A: np.linalg.det(2 * np.pi * A),  # without the root
        lambda A: 2 * np.pi * np.linalg.det(A),  # the root of the constant only
        lambda A: corrected_normaliser(A) * 1.00000001,
    ):
        with rejected():
            agree(integral(W, mu, wrong), 1.0, tolerance=1e-10)
    with rejected():  # the Jacobian prod 1/(y (1 - y)) left out
        one = integral(W, mu, corrected_normaliser, lambda y: np.prod(y * (1 - y), axis=-1))
        agree(one, 1.0, tolerance=1e-10)


@CORRECTED.evidence(role="control", kind="symbolic")
def test_the_symbolic_mass_rejects_a_missing_root():
    T = letter("T", N_DIM, N_DIM)
    with rejected():
        wrong = log_det(T) + N_DIM * sp.log(2 * sp.pi) / 2 - log_det(2 * sp.pi * (T @ T.T))
        same(wrong.is_zero(), True)
    with rejected():
        same(T.T @ inverse(T.T @ T) @ T, identity(N_DIM))
