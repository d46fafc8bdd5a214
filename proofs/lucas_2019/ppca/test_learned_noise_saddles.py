"""Secs. 4.1 and A.1: when sigma2 is learned, the collapsed maxima of fixed noise become saddle points.

Statement   the paper: learning sigma2 turns the local maxima with zero columns into saddle points "where sigma2 is made
            smaller by its gradient". So it does: at such a maximum dL/dsigma2 = sum of (lam_j - sigma2) over the unused
            j / (2 sigma2^2) is negative; sigma2 comes to rest at the mean of the unused eigenvalues, and there every
            point is a saddle unless it has the k largest eigenvalues or all unused ones are equal.
Hypotheses  a saddle point is stationary, so what is called one is the point at the sigma2 where that comes to rest;
            not all unused eigenvalues equal (the degenerate case, which Sec. 4.1 leaves out and A.1 does not).
Source      Lucas et al. 2019, Secs. 4.1, A.1; Tipping & Bishop 1999, App. A; theory 2.
Method      in words, for all n, k, R: 2 sigma2^2 dL/dsigma2 = tr S - tr C, and S - C vanishes on the columns of W and
            is lam_j - sigma2 on u_j; the noise adds one negative direction: Schur complement -(n - q)/(2 sigma2^2). If
            some unused lam_j is above a retained one, or q < k and the unused ones differ, so that one is above their
            mean, then a column rises (claim spectrum). Numeric: dense joint Hessians at all joint stationary points;
            balls count the signs.
"""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given

from proofs.machinery.checks import agree, at_most, certified, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems import certificates
from proofs.problems.points_in_words import LIKELIHOOD_POINT, discarded, full_point
from proofs.problems.spectra import SpectralProblem, hard_problems, landscapes, wider
from verify.landscape.points import weights
from verify.landscape.stability import verdict
from verify.landscape.stationary import fixed_noise_points, learned_noise_points
from verify.models import ppca as model
from verify.symbolic import ppca
from verify.symbolic.letters import C, M, S, W, gram, k, marginal_precision, n, sigma2
from verify.symbolic.matrix_calculus import identity, inverse, letter, zero
from verify.symbolic.relations import expand, reduce, relation, substitute
from verify.symbolic.traces import Scalar, trace
from verify.symbolic.unit_vectors import unit_vector

CLAIM = Claim(
    id="learned-noise-saddles",
    source="Secs. 4.1, A.1",
    statement="when sigma2 is learned, the collapsed local maxima of fixed noise become saddle points",
    hypotheses="at the sigma2 that its gradient leads to, the mean of the unused eigenvalues, of which App. A.1 "
    "speaks; not all of these equal",
    section="Probabilistic PCA",
    rests_on=("eq-11-12", "fixed-noise-maxima", "spectrum"),
    trusts=("sylvester",),
    quote="Fortunately, decreasing σ 2 will increase likelihood at these stationary points so that when learning σ 2 "
    "simultaneously these stationary points are saddle points [39]. ... Tipping and Bishop [39] show that if σ 2 = σM "
    "LE , then this also corresponds to a saddle point as σ 2 is the average of the smallest eigenvalues meaning some "
    "perturbation will be unstable (except in a special case which is handled separately). ... Note that when σ 2 is "
    "learned in non-degenerate cases the local maxima presented above become saddle points where σ 2 is made smaller "
    "by its gradient.",
    finding="at the old sigma2 the point is no saddle, for it is not stationary there: dL/dsigma2 < 0. The joint "
    "stationary points with a zero column are saddles unless all unused eigenvalues are equal",
)
SLOPE = CLAIM.step(
    "slope",
    "wherever W is stationary, 2 sigma2^2 dL/dsigma2 = sum over the unused j of (lam_j - sigma2); for all n, k and R",
    says="slope_formula",
    place="Proposition 4",
)
FALLS = CLAIM.step(
    "falls",
    "at a local maximum for fixed sigma2 with a zero column no unused eigenvalue exceeds sigma2, so that dL/dsigma2 < "
    "0 unless all of them equal it: decreasing sigma2 increases the likelihood",
    says="slope_formula & on_top & collapsed -> noise_falls | all_unused_equal",
    place="Escape",
)
NONE_UNUSED = CLAIM.step(
    "none-unused",
    "a stationary point with q = n has C = S, and there dL/dsigma2 = 0; and every W with C = S is stationary, jointly "
    "with sigma2; for all n and k",
    place="Proposition 4",
)
MEAN = CLAIM.step(
    "mean",
    "at a joint stationary point with q < n (so in all that follows: where q = n, C = S and nothing is unused) sigma2 "
    "is the mean of the unused eigenvalues",
    says="slope_formula & joint -> noise_is_the_mean",
    place="Proposition 4",
)
RISING = CLAIM.step(
    "rising",
    "there a column rises, unless the k largest eigenvalues are retained or all unused ones are equal (exempt): "
    "towards some lam_j > lam_a; or, if q < k, towards the largest unused one, which is above their mean",
    says="of_the_form & index_formula & noise_is_the_mean & ~exempt -> rising_in_W",
    place="Proposition 5",
)
NOISE = CLAIM.step(
    "noise",
    "the joint Hessian there has the inertia of the Hessian in W and one negative eigenvalue more: the Schur "
    "complement of the noise is -(n - q)/(2 sigma2^2); for all n, k, q and R",
    says="of_the_form & joint & inertia_is_kept -> falling & (rising | ~rising_in_W)",
    place="Proposition 5",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "so at a collapsed maximum of fixed noise sigma2 falls, unless all unused eigenvalues equal it, and every joint "
    "stationary point that is not exempt is a saddle",
    place="Proposition 5",
)
EXCEPTION = CLAIM.step(
    "exception",
    "there is a collapsed joint stationary point with equal unused eigenvalues that is no saddle: there C = S",
)


def noise_slope(lam, used, noise):
    """sum over the unused j of (lam_j - sigma2) / (2 sigma2^2)."""
    return float((np.delete(lam, used) - noise).sum()) / (2 * noise**2)


def check_joint_stationary(W, noise, S):
    """Both gradients vanish, to 1e-9 of the scale of the data; -> the larger."""
    size = max(1.0, float(np.trace(S)) / noise)
    in_W = np.abs(model.gradient(W, noise, S)).max() * np.sqrt(noise)
    return at_most(max(in_W, abs(float(model.noise_gradient(W, noise, S))) * noise) / size, 0.0, slack=1e-9)


def collapsed_maximum(at):
    """The best point at this noise, if it leaves columns zero while S still has directions that are unused; or None."""
    best = next(fixed_noise_points(at.lam, at.k, at.sigma2))
    return best if len(best.retained) < at.k else None


def twice_slope():
    """2 sigma2^2 dL/dsigma2 wherever S W = W M, in words."""
    return 2 * sigma2**2 * reduce(reduce(ppca.noise_gradient(), marginal_precision(), gram), *LIKELIHOOD_POINT)


@SLOPE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_slope_in_the_noise_is_the_sum_over_unused_eigenvalues_for_all_n_k_and_r(record):
    same(expand(twice_slope(), M), expand(trace(S) - trace(C), C))
    same(twice_slope(), trace(S) - trace(M) - (n - k) * sigma2)
    # The trace of S - C, eigenvector by eigenvector: 0 on the columns of W, lam_j - sigma2 on the rest.
    u, lam = unit_vector("u", n), sp.Symbol("lam")
    same(reduce(expand(S @ W - C @ W, C), *LIKELIHOOD_POINT), 0 * W)
    same(reduce(expand(S @ u - C @ u, C), *discarded(u, lam)), (lam - sigma2) * u)
    record(instances=3)
    record.witness("all n, k, R: 2 sigma2^2 dL/dsigma2 = tr(S - C) = sum of lam_j - sigma2 over the unused u_j")


@FALLS.evidence(role="supports", kind="numeric")
def test_a_collapsed_maximum_is_not_stationary_in_the_noise(record, thorough):
    met = 0
    for at in landscapes(thorough(200, 2000), seed=51, generic=True):
        point = collapsed_maximum(at)
        if point is None:
            continue
        W = weights(point, at.lam, at.U)
        expected = noise_slope(at.lam, point.retained, at.sigma2)
        actual = model.noise_gradient(W, at.sigma2, at.S)
        # Rounding of traces of order lam_1/sigma2^2.
        record(worst_error=agree(actual, expected, tolerance=1e-12, scale=at.n * at.lam[0] / at.sigma2**2))
        check(expected < 0, "the noise is not driven down")
        met += 1
    check(met > 20, f"only {met} collapsed maxima were met")


@FALLS.evidence(role="supports", kind="numeric")
def test_a_collapsed_maximum_by_hand(record):
    lam, S = np.array([3.0, 1.0, 0.5]), np.diag([3.0, 1.0, 0.5])
    W = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    at_most(np.abs(model.gradient(W, 2.0, S)), 0.0, slack=1e-15)
    at_most(np.linalg.eigvalsh(model.hessian(W, 2.0, S)), 0.0, slack=1e-15)
    slope = float(model.noise_gradient(W, 2.0, S))
    error = agree(slope, (1 - 2 + 0.5 - 2) / 8, tolerance=1e-14)
    agree(noise_slope(lam, [0], 2.0), slope, tolerance=1e-14)
    with rejected():  # summed over all eigenvalues
        agree(noise_slope(lam, [], 2.0), slope, tolerance=1e-14)
    with rejected():
        check_joint_stationary(W, 2.0, S)
    # Where it becomes stationary, at the mean of 1 and 0.5, it is a saddle: column 2 rises towards u_2.
    moved = np.array([[1.5, 0.0], [0.0, 0.0], [0.0, 0.0]])
    check_joint_stationary(moved, 0.75, S)
    rate = float(np.linalg.eigvalsh(model.joint_hessian(moved, 0.75, S)).max())
    agree(rate, (1 - 0.75) / 0.75**2, tolerance=1e-13)
    record(worst_error=error)
    record.witness(
        f"S = diag(3, 1, 0.5), k = 2, sigma2 = 2: W = (u_1, 0) is a maximum at fixed noise, and dL/dsigma2 = "
        f"(1 - 2 + 0.5 - 2)/8 = {slope:.4f}, not 0; at sigma2 = 0.75, W = (1.5 u_1, 0) is stationary and column 2 "
        f"rises towards u_2 at rate 0.25/0.75^2 = {rate:.4f}"
    )


@EXCEPTION.evidence(role="supports", kind="numeric")
def test_equal_unused_eigenvalues_give_no_saddle(record):
    """The exception, which App. A.1 allows for ("non-degenerate cases") and Sec. 4.1 does not: here C = S."""
    S, W = np.diag([3.0, 1.0, 1.0]), np.array([[np.sqrt(2.0), 0.0], [0.0, 0.0], [0.0, 0.0]])
    check_joint_stationary(W, 1.0, S)
    agree(W @ W.T + np.eye(3), S, tolerance=1e-15)
    with rejected():  # unused eigenvalues that differ, of the same mean
        agree(W @ W.T + np.eye(3), np.diag([3.0, 1.1, 0.9]), tolerance=1e-15)
    at_most(np.linalg.eigvalsh(model.joint_hessian(W, 1.0, S)), 0.0, slack=1e-14)
    record(instances=1)
    record.witness(
        "S = diag(3, 1, 1), k = 2: W = (sqrt(2) u_1, 0), sigma2 = 1 has C = S, a global maximum with a collapsed "
        "latent although sigma2 is learned"
    )


p, m = sp.symbols("p m", positive=True)  # a positive difference, and n - q
below = sp.Symbol("below", nonnegative=True)


def check_falls(*unused):
    """The slope, sum of lam_j - sigma2 over these, is negative."""
    slope = sum(lam - sigma2 for lam in unused)
    check(bool(sp.expand(slope).is_negative), f"{slope} need not be negative")


@FALLS.evidence(role="supports", kind="symbolic", strength="proved")
def test_on_top_with_a_zero_column_the_slope_is_negative(record):
    """On top with q < k no unused lam_j is above sigma2; one below it makes the sum negative, whatever their number."""
    check_falls(sigma2 - p)
    check_falls(sigma2 - p, sigma2 - below)  # p the sum of what some lack, below that of the others
    with rejected():  # all of them may equal sigma2
        check_falls(sigma2 - below)
    with rejected():  # one above the noise, as where the point is no maximum
        check_falls(sigma2 - below, sigma2 + p)
    record(instances=2)


@NONE_UNUSED.evidence(role="supports", kind="symbolic", strength="proved")
def test_with_nothing_unused_c_is_s_and_the_noise_is_stationary_for_all_n_and_k(record):
    same(*full_point(sigma2))
    with rejected():
        same(*full_point(2 * sigma2))
    same(substitute(ppca.gradient(), {"S": C}), 0 * W)
    same(substitute(ppca.noise_gradient(), {"S": C}), Scalar(0))
    with rejected():
        same(substitute(ppca.noise_gradient(), {"S": C + sigma2 * identity(n)}), Scalar(0))
    record(instances=3)


@MEAN.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_noise_comes_to_rest_at_the_mean_of_the_unused(record):
    total = sp.Symbol("total", positive=True)  # of the m = n - q unused
    slope = total - m * sigma2
    same(sp.solve(slope, sigma2), [total / m])
    with rejected():
        same(sp.solve(total - (m + p) * sigma2, sigma2), [total / m])
    record(instances=1)


def check_rises(exchange, gain):
    """Row 1 towards lam_j = lam_a + p; row 4 towards the largest unused, if the m unused lack p of m times it."""
    lam_a, largest = sp.symbols("lam_a largest", positive=True)
    check(bool(sp.factor(exchange(lam_a + p, lam_a)).is_positive), "no exchange rises")
    mean = (m * largest - p) / m
    noise = sp.Symbol("noise", positive=True)
    vanishes(sp.factor(gain(largest, noise) * noise**2).subs(noise, mean) - p / m)


@RISING.evidence(role="supports", kind="symbolic", strength="proved")
def test_what_is_not_exempt_has_a_rising_column(record):
    """If q = k some unused lam_j is above a retained one; if q < k the unused differ: p = sum (largest - lam_j) > 0."""
    check_rises(lambda to, of: (to / of - 1) / sigma2, lambda to, noise: (to - noise) / noise**2)
    with rejected():
        check_rises(lambda to, of: (of / to - 1) / sigma2, lambda to, noise: (to - noise) / noise**2)
    with rejected():
        check_rises(lambda to, of: (to / of - 1) / sigma2, lambda to, noise: (noise - to) / noise**2)
    record(instances=2)


# Y is half the transposed pseudo-inverse of W, Z the projector on the k - q zero directions of W.
Y, Z, q = letter("Y", n, k), letter("Z", k, k, "symmetric"), sp.Symbol("q", integer=True, positive=True)
COUPLING = (
    *LIKELIHOOD_POINT,
    relation(S @ Y, Y @ M),
    relation(W.T @ Y, (identity(k) - Z) / 2),
    relation(W @ Z, zero(n, k)),
    relation(Y @ Z, zero(n, k)),
    relation(M @ Z, sigma2 * Z),
    relation(inverse(M) @ Z, Z / sigma2),
)


def check_coupling(half):
    """At W = A T R (claim eq-11-12) the matrices Y = A T^-1 R / 2 and Z = I - R^T R have what COUPLING says of them."""
    A, T, R = letter("A", n, q), letter("T", q, q, "diagonal"), letter("R", q, k)
    form = (
        relation(A.T @ A, identity(q)),
        relation(R @ R.T, identity(q)),
        relation(S @ A, A @ (T @ T + sigma2 * identity(q))),
    )
    at_W, at_Y, at_Z = A @ T @ R, half * A @ inverse(T) @ R, identity(k) - R.T @ R
    at_M = at_W.T @ at_W + sigma2 * identity(k)
    same(reduce(S @ at_Y - at_Y @ at_M, *form), zero(n, k))
    same(reduce(at_W.T @ at_Y - (identity(k) - at_Z) / 2, *form), zero(k, k))
    for word in (at_W @ at_Z, at_Y @ at_Z):
        same(reduce(word, *form), zero(n, k))
    same(reduce(at_M @ at_Z - sigma2 * at_Z, *form), zero(k, k))
    same(reduce(trace(at_Z), *form), Scalar(k - q))


def check_nothing_retained(count):
    """q = 0: at W = 0 nothing couples to the noise, whose curvature is -count/(2 sigma2^2) where tr S = n sigma2."""
    same(substitute(reduce(ppca.mixed_noise_gradient(), *LIKELIHOOD_POINT), {"W": zero(n, k)}), zero(n, k))
    in_M = reduce(ppca.noise_curvature(), marginal_precision(), gram)
    curvature = substitute(in_M, {"W": zero(n, k)})
    same(curvature + (trace(S) - n * sigma2) / sigma2**3, Scalar(-count / (2 * sigma2**2)))


@NOISE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_noise_adds_one_negative_direction_for_all_n_k_q_and_r(record):
    """The joint form of (X, t) is that of the Hessian in W at X + t Y and t^2 times the Schur complement."""
    check_coupling(sp.Rational(1, 2))
    with rejected():
        check_coupling(1)
    check_nothing_retained(n)
    with rejected():
        check_nothing_retained(n - k)
    mixed = reduce(ppca.mixed_noise_gradient(), *COUPLING)
    same(reduce(ppca.hessian_vector_product(Y), *COUPLING), mixed)
    # At a joint stationary point tr S = tr M + (n - k) sigma2; tr Z = k - q.
    excess = trace(S) - trace(M) - (n - k) * sigma2
    schur = reduce(ppca.noise_curvature() - trace(mixed.T @ Y), *COUPLING)
    same(schur, -excess / sigma2**3 - (n - k + trace(Z)) / (2 * sigma2**2))
    same(schur + excess / sigma2**3 + (trace(Z) - (k - q)) / (2 * sigma2**2), 0 * trace(Z) - (n - q) / (2 * sigma2**2))
    # q = 0, where there is no A and no R: W = 0, nothing is mixed, and the curvature itself is the complement.
    empty = {"W": zero(n, k), "M": sigma2 * identity(k)}
    same(reduce(substitute(ppca.mixed_noise_gradient(), empty)), zero(n, k))
    alone = reduce(substitute(reduce(ppca.noise_curvature(), marginal_precision(), gram), empty))
    same(alone, -(trace(S) - n * sigma2) / sigma2**3 - Scalar(n / (2 * sigma2**2)))
    for wrong in (n - k, n, 2 * (n - k + trace(Z))):
        with rejected():
            same(schur, -excess / sigma2**3 - wrong / (2 * sigma2**2))
    record(instances=9)
    record.witness("all n, k, R: Schur complement of the noise -(n - q)/(2 sigma2^2)")


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_so_collapsed_maxima_are_left_and_joint_points_are_saddles(record):
    used = {
        "eq-11-12": "joint -> of_the_form",
        "fixed-noise-maxima": "maximum_at_its_noise -> on_top",
        "spectrum": "of_the_form -> index_formula",
        "sylvester": "inertia_is_kept",
    }
    left = "(~maximum_at_its_noise | ~collapsed | all_unused_equal | noise_falls)"
    record(instances=concludes(CLAIM, f"(~joint | exempt | (rising & falling)) & {left}", used))
    with rejected():  # without exceptions not even the global maximum would be left
        concludes(CLAIM, f"(~joint | (rising & falling)) & {left}", used)
    with rejected():  # at the old noise there is no saddle
        concludes(CLAIM, "maximum_at_its_noise & collapsed -> all_unused_equal | (rising & falling)", used)


def check_exception(covariance, W, noise):
    """W is stationary in W and sigma2, collapsed, and C = S, which no Gaussian beats."""
    C_ = W * W.T + noise * sp.eye(W.rows)
    same((C_.inv() ** 2 * covariance).trace() - C_.inv().trace(), 0)
    check(W.rank() < W.cols, "nothing is collapsed")
    same(C_, covariance)


@EXCEPTION.evidence(role="supports", kind="symbolic", strength="proved")
def test_an_exact_collapsed_point_with_equal_unused_eigenvalues_is_no_saddle(record):
    """-2 L + const = log det C + tr(C^-1 S) >= log det S + n, since x - 1 - log x >= 0 of each eigenvalue of C^-1 S."""
    W_ = sp.Matrix([[1, 0], [0, 0], [0, 0]])
    check_exception(sp.diag(2, 1, 1), W_, sp.Integer(1))
    with rejected():  # with unused eigenvalues that differ
        check_exception(sp.diag(2, sp.Rational(3, 2), sp.Rational(1, 2)), W_, sp.Integer(1))
    with rejected():
        check_exception(sp.diag(2, 2, 1), sp.Matrix([[1, 0], [0, 1], [0, 0]]), sp.Integer(1))
    x = sp.Symbol("x", positive=True)
    vanishes(sp.diff(x - 1 - sp.log(x), x) - (x - 1) / x)  # falls to 0 at x = 1, and rises from there
    record(instances=1)
    record.witness(
        "S = diag(2, 1, 1), k = 2: W = (u_1, 0), sigma2 = 1 has C = S, a global maximum with a collapsed latent "
        "although sigma2 is learned"
    )


def is_exempt(point, lam):
    """It retains the k largest eigenvalues, or all unused eigenvalues are equal; at k = n there may be none unused."""
    unused = np.delete(lam, point.retained)
    if not unused.size:
        return True
    on_top = len(point.retained) == point.k and min(lam[list(point.retained)], default=0) >= unused.max()
    return bool(on_top or unused.max() == unused.min())


def check_saddles(at, exempt, rounding):
    """Each joint stationary point is a saddle of the dense joint Hessian unless `exempt` says that it is highest."""
    points = list(learned_noise_points(at.lam, at.k))
    best = points[0].value
    worst = 0.0
    for point in points:
        W = weights(point, at.lam, at.U)
        values = np.linalg.eigvalsh(model.joint_hessian(W, point.sigma2, at.S))
        zero = rounding * np.abs(values).max()
        check(values[0] < -zero, "no falling direction")
        same(bool(values[-1] > zero), not exempt(point, at.lam))
        if exempt(point, at.lam):
            worst = max(worst, agree(point.value, best, tolerance=1e-12))
        worst = max(worst, check_joint_stationary(W, point.sigma2, at.S))
    return len(points), worst


@CONCLUSION.evidence(role="supports", kind="numeric")
def test_every_joint_stationary_point_is_a_saddle_or_a_global_maximum(record, thorough):
    met = 0
    for at in (*landscapes(thorough(120, 1200), most_n=6, seed=52), *wider(thorough(20, 200), seed=55)):
        if at.bounded:
            count, worst = check_saddles(at, is_exempt, 1e-9)
            record(instances=count, worst_error=worst)
            met += count
    check(met > 300, f"only {met} points were met")


@CONCLUSION.evidence(role="supports", kind="property")
@given(p=hard_problems(bounded=True))
def test_the_same_by_exact_comparison_on_hostile_spectra(p, record):
    """The index by its formula (claim spectrum, and no more from the noise) at every joint stationary point."""
    points = list(learned_noise_points(p.lam, p.k))
    for point in points:
        found = verdict(point, p.lam, learned_noise=True)
        same(found.kind, "maximum" if is_exempt(point, p.lam) else "saddle")
        if is_exempt(point, p.lam):
            agree(point.value, points[0].value, tolerance=1e-12, scale=p.n * (5 + abs(points[0].value)))
        record(instances=1)


@FALLS.evidence(role="supports", kind="numeric")
def test_from_a_collapsed_maximum_the_noise_falls_until_the_latents_return(record, thorough):
    """Along U_A (Lam_A - sigma2)^{1/2}, sigma2 falling to the mean of the unused, L rises; there a column rises."""
    met = 0
    for at in landscapes(thorough(60, 600), seed=53, generic=True):
        point = collapsed_maximum(at)
        if point is None:
            continue
        used = list(point.retained)
        unused = np.delete(at.lam, used)
        values = []
        for s in np.linspace(at.sigma2, unused.mean(), 12):
            W = np.zeros((at.n, at.k))
            W[:, : len(used)] = at.U[:, used] * np.sqrt(at.lam[used] - s)
            values.append(float(model.log_likelihood(W, s, at.S)))
        check((np.diff(values) > 0).all(), "the likelihood does not rise as the noise falls")
        check_joint_stationary(W, unused.mean(), at.S)
        rate = np.linalg.eigvalsh(model.joint_hessian(W, unused.mean(), at.S)).max()
        expected = (unused.max() - unused.mean()) / unused.mean() ** 2
        record(worst_error=at_most(expected - rate, 0.0, slack=1e-9 * expected + 1e-12))
        met += 1
    check(met > 8, f"only {met} collapsed maxima were met")


@SLOPE.evidence(role="control", kind="symbolic")
def test_slips_in_the_noise_slope_are_rejected():
    for wrong in (
        trace(S) - trace(M),  # as if the noise had no directions of its own
        trace(S) - trace(M) - n * sigma2,
        trace(M) + (n - k) * sigma2 - trace(S),
    ):
        with rejected():
            same(twice_slope(), wrong)
    with rejected():  # without stationarity it is another number
        general = 2 * sigma2**2 * reduce(ppca.noise_gradient(), marginal_precision(), gram)
        same(general, trace(S) - trace(M) - (n - k) * sigma2)


@CONCLUSION.evidence(role="control", kind="numeric")
def test_saddles_without_exception_are_rejected(record):
    """Not even the global maximum would be left."""
    for at in landscapes(30, seed=54):
        if at.bounded and at.k < at.n:
            with rejected():
                check_saddles(at, lambda point, lam: False, 1e-9)
            record(instances=1)


@CONCLUSION.evidence(role="control", kind="numeric")
def test_telling_saddles_by_the_number_of_columns_is_rejected(record):
    """lam = (3, 1, 1), k = 2: u_1 alone is no saddle; lam = (4, 3, 1), k = 1: u_2 alone is one."""
    for lam, k_ in (((3.0, 1.0, 1.0), 2), ((4.0, 3.0, 1.0), 1)):
        at = SpectralProblem(np.array(lam), np.eye(3), k_, 1.0)
        check_saddles(at, is_exempt, 1e-9)
        with rejected():
            check_saddles(at, lambda point, lam: len(point.retained) == point.k, 1e-9)
        record(instances=1)


def joint_point(at, A):
    """The joint stationary point that retains A, in balls: W and the noise are the variables."""
    noise = certificates.noise_at_rest(at, A)
    return certificates.Stated(at.lam, certificates.plain("ppca", A, at.k), noise, learned=True)


def check_joint_inertia(at, A, positive, negative_of_noise=1):
    """Balls count so many positive eigenvalues, the gauge, and the rest of those of W and the noise's as negative."""
    flat = certificates.gauge(at, A)
    negative = at.n * at.k - certificates.index(at, A, certificates.noise_at_rest(at, A)) - flat + negative_of_noise
    certified(joint_point(at, A).inertia(positive, negative, flat))


@NOISE.evidence(role="supports", kind="certificate", strength="certified")
@pytest.mark.parametrize("name", certificates.LANDSCAPES)
def test_balls_count_one_negative_eigenvalue_more_than_in_w(record, name):
    """At every joint stationary point; the k largest alone have none that is positive."""
    pytest.importorskip("flint")
    at = certificates.LANDSCAPES[name]
    for A in certificates.joint_sets(at):
        rising = certificates.index(at, A, certificates.noise_at_rest(at, A))
        check_joint_inertia(at, A, rising)
        same(rising == 0, tuple(range(at.k)) == A)
        with rejected():  # as if the noise rose
            check_joint_inertia(at, A, rising + 1, 0)
        record(instances=1)


@RISING.evidence(role="supports", kind="certificate", strength="certified")
@pytest.mark.parametrize("name", certificates.LANDSCAPES)
def test_in_balls_every_joint_point_but_the_top_one_is_a_saddle(record, name):
    pytest.importorskip("flint")
    at = certificates.LANDSCAPES[name]
    for A in certificates.joint_sets(at):
        point = joint_point(at, A)
        if tuple(range(at.k)) != A:
            certified(point.saddle(Fraction(0), point.vectors))
            record(instances=1)
        else:
            with rejected():
                certified(point.saddle(Fraction(0), point.vectors))


@FALLS.evidence(role="control", kind="certificate")
def test_a_collapsed_maximum_of_fixed_noise_is_no_joint_point_in_balls():
    """lam = (3, 1, 1/2), sigma2 = 2, k = 2: stationary in W, and in no neighbourhood jointly with the noise."""
    pytest.importorskip("flint")
    lam, noise = (Fraction(3), Fraction(1), Fraction(1, 2)), Fraction(2)
    point = certificates.plain("ppca", (0,), 2)
    certified(certificates.Stated(lam, point, noise).stationary())
    with rejected():
        certified(certificates.Stated(lam, point, noise, learned=True).stationary())
