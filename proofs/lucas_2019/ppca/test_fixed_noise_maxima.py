"""Fixed noise has no local maximum but global ones; the collapsed ones are spurious only against another noise.

Statement   the paper (Secs. 1, 4.2): the log marginal likelihood may have spurious local maxima, with a collapsed
            posterior. At fixed sigma2 it has none that another point at this noise exceeds: the only stationary points
            without a rising direction retain the largest q* = min(k, #{lam_i > sigma2}) eigenvalues, up to ties and
            rotation, and all have the same value. What is right: there are collapsed maxima (if sigma2 >= lam_k), and
            they are lower than what another noise reaches, unless all unused eigenvalues equal sigma2.
Read as     the authors mean the latter: the maxima that they show are those of W at a fixed sigma2 (App. A.1), the
            optimum that they compare with is the MLE of both, and that collapse is preferred at a noise that is not set
            correctly they say themselves (Sec. 6.1). So the sentence lacks a condition, and is not false: nowhere is it
            said that "spurious" compares one noise with another. Of L at one noise it is false, and of L with a learned
            noise too, by the authors' own words (claim learned-noise-saddles).
Hypotheses  sigma2 > 0 fixed; any S >= 0, ties included.
Source      Lucas et al. 2019, Secs. 1 and 4.2, App. A.1; theory 1.5.
Method      if A is not on top, exchanging or adding an eigenvector rises (claim: spectrum). That the sets on top have
            the largest value of all is shown term by term, with the multiplier t = g(lam_k) for the number of columns.
            Beside it: all order types up to n = 6, all enumerated points, ascent from random starts, certificates.
"""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from proofs.machinery.checks import at_most, certified, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems import certificates
from proofs.problems.points_in_words import LIKELIHOOD_POINT, discarded, zero_column
from proofs.problems.spectra import SpectralProblem, landscapes, random_rotation, wider
from verify.landscape.points import value_at, weights
from verify.landscape.stability import verdict
from verify.landscape.stationary import fixed_noise_points
from verify.models import ppca
from verify.symbolic import ppca as in_words
from verify.symbolic.letters import C, M, W, gram, k, log_det_of_marginal, marginal_precision, n, sigma2
from verify.symbolic.matrix_calculus import identity, letter, zero
from verify.symbolic.relations import expand, reduce, relation, substitute, substitute_log_det
from verify.symbolic.traces import Scalar, log_det, trace
from verify.symbolic.unit_vectors import orthonormal, unit_vector

CLAIM = Claim(
    id="fixed-noise-maxima",
    source="Secs. 1, 4.2",
    statement="the log marginal likelihood may have spurious local maxima, with a collapsed posterior (at fixed "
    "sigma2)",
    hypotheses="spurious is meant against the maximum over W and sigma2; at their own noise they are global",
    section="Probabilistic PCA",
    rests_on=("eq-05-06", "eq-11-12", "spectrum"),
    trusts=("coercive", "second-order", "spectral"),
    quote="Unexpectedly, we show that spurious local maxima may arise even in the optimization of exact marginal "
    "likelihood, and such local maxima are linked with a collapsed posterior. ... We have shown that log marginal "
    "likelihood may have spurious local maxima but also that in the linear case the ELBO objective does not add any "
    "additional spurious local maxima. ... In this case when σ 2 is fixed, there are local optima where W has "
    "zero-columns — the same solutions that we observe in non-linear VAEs corresponding to posterior collapse. ... In "
    "other words, the collapsed solution is actually preferred if the observation noise is not set correctly",
    fault="missing hypothesis",
    finding="at fixed sigma2 every local maximum of the likelihood is a global one: it retains the "
    "min(k, #{lam_i > sigma2}) largest eigenvalues. If sigma2 >= lam_k that is a collapsed point. It is spurious in "
    "one sense only: a smaller noise reaches more, unless all unused eigenvalues equal sigma2",
)
RISING = CLAIM.step(
    "rising",
    "the index is 0 iff A is on top: no discarded eigenvalue exceeds a retained one, and q = min(k, #{lam_i > "
    "sigma2}); else a retained column rises towards some u_j, lam_j > lam_a, or a zero one towards some lam_j > sigma2",
    says="stationary & all_of_the_form & index_formula & ~on_top -> rising",
    place="Theorem A",
)
VALUE = CLAIM.step(
    "value",
    "L(A) = L(0) + sum_A g(lam_a), g(x) = 1/2 [x/sigma2 - 1 - log(x/sigma2)], which is 0 at sigma2 and increases above "
    "it; for all n, k, q and R",
    says="all_of_the_form & eigenbasis & log_det_of_C -> values_add_up",
    place="Proposition 2",
)
BOUND = CLAIM.step(
    "bound",
    "with g_i = g(max(lam_i, sigma2)), lam_i = 0 for i > n, and t = g_k, every stationary point, and so the highest "
    "point of all, has at most the value B = L(0) + k t + sum_i max(g_i - t, 0): q <= k, and no term of B - L(A) is "
    "negative; all n, k, A",
    says="values_add_up & all_of_the_form & a_highest_point -> nothing_above_B",
    place="Theorem A",
)
ATTAINED = CLAIM.step(
    "attained",
    "every A on top has the value B: each term of B - L(A) is 0; for all n and k",
    says="values_add_up & on_top -> value_is_B",
    place="Theorem A",
)
INFINITY = CLAIM.step(
    "infinity",
    "L falls to minus infinity with |W|: tr(C^-1 S) >= 0, and log det C >= n log sigma2 + log(1 + |W|^2/sigma2); for "
    "all n and k",
    says="eigenbasis & log_det_of_C -> falls_at_infinity",
    place="Theorem A",
)
COLLAPSE = CLAIM.step(
    "collapse",
    "if lam_k <= sigma2 (lam_k = 0 if k > n), A on top has q < k: the maxima at that noise have rank below k, and "
    "leave latents unused, up to a rotation, which L does not see",
    says="on_top & noise_from_lam_k_up -> collapsed",
    place="Theorem A",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "so a point that is a local maximum is on top, and a point on top is a global maximum: none is spurious, and from "
    "sigma2 = lam_k up all are collapsed",
    place="Theorem A",
)
ELSEWHERE = CLAIM.step(
    "another-noise",
    "on the same eigenvectors the value rises as the noise falls from that of a collapsed maximum, unless all unused "
    "eigenvalues equal it, for all n, k and q; and there is one that is exceeded by a point with more latents in use",
    place="Theorem A",
)
TIE = CLAIM.step(
    "tie",
    "where lam_j = sigma2, L is flat to second order as a zero column moves by eps u_j, and falls at fourth, by "
    "eps^4/(4 sigma2^2) + O(eps^6): of C only the eigenvalue on u_j moves, to sigma2 + eps^2; for all n, k and R",
    place="Theorem A",
)


x, s, p = sp.symbols("x s p", positive=True)
g, t = sp.symbols("g t", nonnegative=True)
q_, z, d = sp.symbols("q z d", integer=True, nonnegative=True)


def check_rising(exchange, gain):
    """Both curvatures are positive where what is outside exceeds lam_a, or the noise, by p > 0."""
    lam_a = sp.Symbol("lam_a", positive=True)
    for value in (exchange(lam_a + p, lam_a), gain(s + p)):
        check(bool(sp.simplify(value).is_positive), f"{value} does not rise")


def check_count(zeros, unused, on_top):
    """q retained, all above the noise, `zeros` zero columns, `unused` discarded above the noise: is q = min(k, nu)?"""
    missing = sp.Min(zeros, unused)  # min(q + zeros, q + unused) - q
    check(missing == 0 if on_top else bool(missing.is_positive), f"min(k, nu) - q = {missing}")


@RISING.evidence(role="refutes", kind="symbolic", strength="proved")
def test_whatever_is_not_on_top_has_a_positive_row(record):
    """The index is sum_A #{lam_j > lam_a} + (k - q) #{lam_j > sigma2} (claim spectrum), k = q + z, nu = q + d."""
    check_rising(lambda to, of: (to / of - 1) / s, lambda to: (to - s) / s**2)
    with rejected():
        check_rising(lambda to, of: (of / to - 1) / s, lambda to: (to - s) / s**2)
    # The second term z d is 0 iff z = 0 or d = 0; and then, only then, q = min(k, nu).
    check_count(0, d, on_top=True)
    check_count(z, 0, on_top=True)
    check_count(z + 1, d + 1, on_top=False)
    check(bool(((z + 1) * (d + 1)).is_positive), "the index is 0")
    with rejected():
        check_count(z + 1, d + 1, on_top=True)
    record(instances=5)


def order_types(size):
    """All descending sequences of `size` numbers up to order and ties, and a noise at, between and beyond them."""
    for steps in product((0, 2), repeat=size - 1):
        lam = [2 + sum(steps[i:]) for i in range(size)]
        for noise in range(1, lam[0] + 2):
            yield lam, noise


def count_agreements(most, index_of):
    """Over all order types, k and A: index 0 iff on top; -> how many."""
    agreements = 0
    for size in range(1, most + 1):
        for lam, noise in order_types(size):
            for bits in product((0, 1), repeat=size):
                kept = [v for v, bit in zip(lam, bits, strict=True) if bit]
                outside = [v for v, bit in zip(lam, bits, strict=True) if not bit]
                if kept and min(kept) <= noise:
                    continue
                for columns in range(max(len(kept), 1), size + 1):
                    most_kept = min(columns, sum(v > noise for v in lam))
                    same(index_of(kept, outside, columns, noise) == 0, kept == lam[:most_kept])
                    agreements += 1
    return agreements


def index(kept, outside, columns, noise):
    exchanges = sum(j > a for a in kept for j in outside)
    return exchanges + (columns - len(kept)) * sum(j > noise for j in outside)


@RISING.evidence(role="refutes", kind="symbolic")
def test_index_zero_is_on_top_for_all_order_types_up_to_six(record, thorough):
    record(instances=count_agreements(thorough(5, 6), index))
    with rejected():  # zero columns alone, as Sec. 4.1 looks at them
        count_agreements(3, lambda kept, outside, columns, noise: index([], outside, columns - len(kept), noise))


# M = V K V^T with V orthogonal, for all n and k (spectral): kappa = lam_a q times, and sigma2 (claim spectrum).
V, K = letter("V", k, k), letter("K", k, k, "diagonal")
ORTHOGONAL = (relation(V.T @ V, identity(k)), relation(V @ V.T, identity(k)))


def in_eigenbasis(A):
    """A with M = V K V^T; det V^2 = 1."""
    return substitute_log_det(reduce(substitute(A, {"M": V @ K @ V.T}), *ORTHOGONAL), V, Scalar(0))


def log_likelihood(at_zero=False):
    """L in words where S W = W M (Eq. 11), or at W = 0, where M = sigma2 I."""
    L_of_W = substitute_log_det(reduce(in_words.log_likelihood(), marginal_precision(), gram), C, log_det_of_marginal())
    if at_zero:
        at = substitute_log_det(L_of_W, M, Scalar(k * sp.log(sigma2)))
        return substitute(at, {"W": zero(n, k)})
    return in_eigenbasis(reduce(L_of_W, *LIKELIHOOD_POINT))


def check_gain(scale):
    """L(A) - L(0) is the sum of g over the diagonal of K: tr and log det are sums over it."""
    expected = (trace(K) / sigma2 - k - log_det(K) + k * sp.log(sigma2)) / scale
    same(log_likelihood() - log_likelihood(at_zero=True), expected)


@VALUE.evidence(role="refutes", kind="symbolic", strength="proved")
def test_the_value_is_a_sum_over_the_columns_for_all_n_and_k(record):
    check_gain(2)
    with rejected():
        check_gain(1)
    gain = (x / s - 1 - sp.log(x / s)) / 2
    vanishes(gain.subs(x, s))  # what a zero column, kappa = sigma2, adds
    vanishes(sp.diff(gain, x) - (x - s) / (2 * s * x))
    check(bool(sp.factor(sp.diff(gain, x).subs(x, s + p)).is_positive), "g does not increase above the noise")
    record(instances=3)


def terms_of_gap(excess, retained):
    """The term of B - L(A) - t (k - q) that belongs to one lam_i, g_i - t = excess: max(g_i - t, 0) - a_i (g_i - t)."""
    return sp.Max(excess, 0) - int(retained) * excess


def check_bound(term):
    """No term is negative, whatever A."""
    for excess, retained in product((p, -p, sp.Integer(0)), (False, True)):
        check(bool(term(excess, retained).is_nonnegative), f"a term {term(excess, retained)} is negative")


@BOUND.evidence(role="refutes", kind="symbolic", strength="proved")
def test_no_set_has_more_than_the_bound_term_by_term(record):
    # B - L(A) = k t + sum_i max(g_i - t, 0) - sum_i a_i g_i, a_i = 1 on A: what each i adds, and t (k - sum a_i).
    a, positive_part = sp.symbols("a positive_part")
    vanishes((positive_part - a * g) - (positive_part - a * (g - t)) + a * t)
    check_bound(terms_of_gap)
    # t = g_k >= 0 and q <= k: a retained lam_i is above the noise, where g is positive.
    check(bool((t * z).is_nonnegative), "t (k - q) is negative")
    with rejected():  # without the positive part: B = L(0) + k t + sum (g_i - t)
        check_bound(lambda excess, retained: excess * (1 - int(retained)))
    record(instances=8)


@ATTAINED.evidence(role="refutes", kind="symbolic", strength="proved")
def test_on_top_every_term_vanishes(record):
    """Retained have g_i >= g_k = t, discarded g_i <= t; and t (k - q) = 0: if q < k, then lam_k <= sigma2 and t = 0."""
    for excess, retained in ((p, True), (-p, False), (0, True), (0, False)):
        vanishes(terms_of_gap(excess, retained))
    gain = (x / s - 1 - sp.log(x / s)) / 2  # of max(lam_k, sigma2) = sigma2
    vanishes(gain.subs({s: p + d, x: sp.Max(p, p + d)}))
    with rejected():  # if lam_k were above the noise
        vanishes(gain.subs({s: p, x: sp.Max(p + d + 1, p)}))
    for excess, retained in ((-p, True), (p, False)):  # retained below the k-th, or discarded above it
        with rejected():
            vanishes(terms_of_gap(excess, retained))
    record(instances=5)


def check_grows(product_of_two):
    """prod (1 + x_i) >= 1 + sum x_i, by induction: with P >= 1 + X for the first ones, P (1 + x) - (1 + X + x) >= 0."""
    X, more, one = sp.symbols("X more x", nonnegative=True)
    rest = sp.expand(product_of_two(1 + X + more, one) - (1 + X + one))
    check(bool(rest.is_nonnegative), f"{rest} may be negative")


@INFINITY.evidence(role="refutes", kind="symbolic", strength="proved")
def test_the_likelihood_falls_to_minus_infinity_for_all_n_and_k(record):
    # log det C = (n - k) log sigma2 + log det M, a sum of log kappa_i; kappa_i = sigma2 (1 + x_i), x_i >= 0.
    same(in_eigenbasis(log_det_of_marginal()), (n - k) * sp.log(sigma2) + log_det(K))
    same(in_eigenbasis(reduce(trace(W.T @ W), gram)), trace(K) - k * sigma2)  # |W|^2 = sigma2 sum x_i
    v = letter("v", k, 1)  # x_i >= 0, for v^T M v = |W v|^2 + sigma2 |v|^2
    same(expand(v.T @ M @ v, M), (W @ v).T @ (W @ v) + sigma2 * v.T @ v)
    check_grows(lambda P, one: P * (1 + one))
    with rejected():
        check_grows(lambda P, one: P + one / 2)
    # S = Y Y^T and C > 0: y^T C y = |W^T y|^2 + sigma2 |y|^2.
    y = letter("y", n, 1)
    same(expand(y.T @ C @ y, C), (W.T @ y).T @ (W.T @ y) + sigma2 * y.T @ y)
    record(instances=5)


@COLLAPSE.evidence(role="corrected", kind="symbolic", strength="proved")
def test_from_the_kth_eigenvalue_up_the_sets_on_top_have_fewer_than_k(record):
    """lam_k <= sigma2 leaves at most k - 1 eigenvalues above: nu = k - 1 - d, and q = min(k, nu) < k; else nu >= k."""
    columns = z + 1
    check(bool((columns - sp.Min(columns, columns - 1 - d)).is_positive), "all columns are used")
    with rejected():
        check(bool((columns - sp.Min(columns, columns + d)).is_positive), "all columns are used")
    record(instances=1)


@CONCLUSION.evidence(role="refutes", kind="symbolic", strength="proved")
def test_every_local_maximum_is_on_top_and_everything_on_top_is_global(record):
    used = {
        "eq-05-06": "log_det_of_C",
        "eq-11-12": "all_of_the_form",
        "spectrum": "all_of_the_form -> index_formula",
        "second-order": "local_maximum -> stationary & ~rising",
        "coercive": "falls_at_infinity -> a_highest_point",
        "spectral": "eigenbasis",
    }
    global_maximum = "on_top & value_is_B & nothing_above_B & (~noise_from_lam_k_up | collapsed)"
    record(instances=concludes(CLAIM, f"local_maximum | on_top -> {global_maximum}", used))
    with rejected():  # stationary points are not all on top
        concludes(CLAIM, f"stationary -> {global_maximum}", used)
    with rejected():  # without a highest point nothing says that B is an upper bound everywhere
        concludes(CLAIM, f"local_maximum -> {global_maximum}", {**used, "coercive": "falls_at_infinity"})
    record.witness("no local maximum of L at fixed sigma2 is below another point there: L(W) = B, for all n, k and S")


def value(lam, retained, noise):
    """-2 L - n log 2 pi = sum_A log lam_a + (n - q) log sigma2 + q + sum_rest lam_j/sigma2, a ball."""
    flint = pytest.importorskip("flint")
    arb, fmpq = flint.arb, flint.fmpq
    kept = [fmpq(*v) for i, v in enumerate(lam) if i in retained]
    rest = sum((fmpq(*v) for i, v in enumerate(lam) if i not in retained), fmpq(0))
    logs = sum((arb(v).log() for v in kept), arb(0)) + (len(lam) - len(kept)) * arb(noise).log()
    return logs + len(kept) + arb(rest / noise)


def slope_on_the_same_eigenvectors(unused):
    """The derivative in the noise of L(A) = L(0) + sum_A g (step value), where the unused lam_j sum to `unused`."""
    size, q, kept = sp.symbols("size q kept", nonnegative=True)  # n, |A|, the sum over A
    logs = sp.Symbol("logs", real=True)  # and the sum of the logs
    at_zero = -(size * sp.log(2 * sp.pi * s) + (kept + unused(size - q)) / s) / 2
    return sp.diff(at_zero + (kept / s - q - logs + q * sp.log(s)) / 2, s)


def check_falls(slope):
    check(bool(sp.simplify(slope).is_negative), f"the slope {slope} in the noise is not negative")


@ELSEWHERE.evidence(role="corrected", kind="symbolic", strength="proved")
def test_a_smaller_noise_reaches_more_on_the_same_eigenvectors(record):
    """At a collapsed maximum no unused lam_j exceeds the noise: they sum to (n - q) sigma2 - d, d >= 0, 0 iff all tie.

    With A fixed all lam_a stay above a smaller noise, and W = U_A (Lam_A - sigma2 I)^{1/2} R moves smoothly with it.
    """
    deficit, noise = sp.Symbol("deficit", positive=True), sp.Symbol("noise", positive=True)
    slope = slope_on_the_same_eigenvectors(lambda others: others * noise - deficit)
    check_falls(slope.subs(noise, s))
    vanishes(slope.subs(noise, s) + deficit / (2 * s**2))
    for other in (0, -deficit):  # all unused equal the noise, or some exceed it
        with rejected():
            check_falls(slope_on_the_same_eigenvectors(lambda others, d=other: others * noise - d).subs(noise, s))
    record(instances=2)


@ELSEWHERE.evidence(role="corrected", kind="certificate", strength="proved")
def test_another_noise_can_do_better_than_the_global_maximum_of_a_noise(record):
    """S = diag(3, 2, 1/2), k = 2, sigma2 = 5/2: on top is {3}, collapsed. At sigma2 = 1/2, {3, 2} has more."""
    fmpq = pytest.importorskip("flint").fmpq
    lam, collapsed, learned = [(3, 1), (2, 1), (1, 2)], fmpq(5, 2), fmpq(1, 2)
    same([fmpq(*v) > collapsed for v in lam], [True, False, False])
    check(value(lam, (0, 1), learned) < value(lam, (0,), collapsed), "no gain from the other noise")
    with rejected():
        check(value(lam, (0,), collapsed) < value(lam, (0, 1), learned), "a gain from the other noise")
    gain = (value(lam, (0,), collapsed) - value(lam, (0, 1), learned)) / 2
    record.witness(f"S = diag(3, 2, 1/2), k = 2: sigma2 = 1/2 with u_1 and u_2 is {gain} above the maximum at 5/2")
    record(instances=1)


def is_maximum(point, lam):
    """No rising direction: the checker that the control replaces by a blinder one."""
    return verdict(point, lam).index == 0


def zero_columns_do_not_rise(point, lam):
    """A false criterion of maxima: it looks at zero columns only, as Sec. 4.1 does, and not at exchanges."""
    outside = [x for j, x in enumerate(lam) if j not in point.retained]
    return len(point.retained) == point.k or all(x <= point.sigma2 for x in outside)


def check_maxima_are_global(at, criterion):
    """Every point that `criterion` calls a maximum has the largest value of all; -> (points, maxima, largest miss)."""
    points = list(fixed_noise_points(at.lam, at.k, at.sigma2))
    maxima = [p for p in points if criterion(p, at.lam)]
    check(maxima, "a likelihood that is bounded has a maximum")
    best = max(p.value for p in points)
    slack = 1e-12 * (abs(best) + at.lam.sum() / at.sigma2)
    return len(points), at_most(best, min(p.value for p in maxima), slack=slack)


@CONCLUSION.evidence(role="refutes", kind="numeric")
def test_every_local_maximum_is_global(record, thorough):
    for at in (*landscapes(thorough(150, 1500), most_n=8, most_k=6), *wider(thorough(20, 200), seed=7)):
        count, miss = check_maxima_are_global(at, is_maximum)
        record(instances=count, worst_error=miss)


@TIE.evidence(role="refutes", kind="symbolic", strength="proved")
def test_a_tie_with_the_noise_falls_at_fourth_order(record):
    # u_j is an eigenvector of C with the eigenvalue sigma2 + eps^2, and what is orthogonal to it does not move.
    u, e, v = unit_vector("u", n), unit_vector("e", k), letter("v", n, 1)
    rules = (*LIKELIHOOD_POINT, *orthonormal(u), *orthonormal(e), *discarded(u, sigma2), *zero_column(e))
    moved = substitute(expand(C, C), {"W": W + x * u @ e.T})
    same(reduce(moved @ u, *rules), (s + x**2).subs(s, sigma2) * u)
    same(reduce((moved - expand(C, C)) @ v, *rules, relation(u.T @ v, zero(1, 1))), 0 * v)
    with rejected():  # of a column that is not zero
        same(reduce(moved @ u, *rules[:-3]), (s + x**2).subs(s, sigma2) * u)
    change = -(sp.log(1 + x**2 / s) + s / (s + x**2) - 1) / 2
    vanishes(sp.series(change, x, 0, 6).removeO() + x**4 / (4 * s**2))
    vanishes(sp.diff(change, x) + x**3 / (s + x**2) ** 2)  # it falls all the way
    with rejected():
        vanishes(sp.series(change, x, 0, 6).removeO() + x**4 / (2 * s**2))
    record(instances=4)


scales = st.floats(-6, 6).map(lambda e: 10.0**e)


@CONCLUSION.evidence(role="refutes", kind="property")
@given(
    lam=st.lists(st.one_of(scales, st.just(0.0), st.sampled_from([1.0, 1.0 + 1e-12, 2.0])), min_size=1, max_size=7),
    k=st.integers(1, 7),
    noise=st.one_of(scales, st.sampled_from([1.0, 2.0])),
)
def test_spectra_that_hurt(record, lam, k, noise):
    lam = np.sort(np.array(lam))[::-1]
    at = SpectralProblem(lam, np.eye(len(lam)), min(k, len(lam)), noise)
    count, miss = check_maxima_are_global(at, is_maximum)
    record(instances=count, worst_error=miss / max(1.0, lam.sum() / noise))


@CONCLUSION.evidence(role="refutes", kind="numeric")
def test_ascent_from_random_starts_ends_at_the_global_value(record, thorough):
    rng = np.random.default_rng(5)
    ends = []
    for at in landscapes(thorough(12, 60), most_n=6, seed=6, generic=True):
        best = next(fixed_noise_points(at.lam, at.k, at.sigma2)).value
        shape = (at.n, at.k)

        def fall(w, at=at, shape=shape):
            W = w.reshape(shape)
            value, slope = ppca.log_likelihood(W, at.sigma2, at.S), ppca.gradient(W, at.sigma2, at.S)
            return -float(value), -slope.ravel()

        for _ in range(5):
            start = rng.standard_normal(shape).ravel() * rng.uniform(0.01, 2)
            end = minimize(fall, start, jac=True, method="BFGS", options={"gtol": 1e-9})
            ends.append(best + end.fun)
            # BFGS stops at |gradient| = 1e-9, or where rounding does; the value is then right to 1e-8.
            record(instances=1, worst_error=at_most(abs(best + end.fun), 0.0, slack=1e-7))


@COLLAPSE.evidence(role="corrected", kind="numeric")
def test_a_collapsed_optimum_by_hand(record):
    lam, columns, noise = np.array([3.0, 2.0, 0.5]), 2, 2.5
    points = list(fixed_noise_points(lam, columns, noise))
    maxima = [p for p in points if is_maximum(p, lam)]
    same([p.retained for p in maxima], [(0,)])
    same(maxima[0].value, max(p.value for p in points))
    basis = random_rotation(np.random.default_rng(0), 3)
    covariance, weight = (basis * lam) @ basis.T, weights(maxima[0], lam, basis)
    at_most(np.linalg.eigvalsh(ppca.hessian(weight, noise, covariance)), 0.0, slack=1e-14)
    at_most(value_at([], lam, noise), maxima[0].value)
    record(instances=1)
    record.witness(
        "lam = (3, 2, 0.5), sigma2 = 2.5, k = 2: the only local maximum retains u_1 and collapses the second latent, "
        f"L = {maxima[0].value:.6f}; W = 0 has L = {points[-1].value:.6f} and rises towards u_1 at rate "
        f"(3 - 2.5)/2.5^2 = {verdict(points[-1], lam).escape.rate:.2f}. Collapse is the global optimum here"
    )


@CONCLUSION.evidence(role="control", kind="numeric")
def test_looking_at_zero_columns_only_finds_false_maxima(record):
    """lam = (3, 2, 1), sigma2 = 0.5, k = 1: retaining u_2 has no zero column, and an exchange with u_1 still rises."""
    for lam, columns, noise in (([3.0, 2.0, 1.0], 1, 0.5), ([5.0, 4.0, 3.0, 1.0], 2, 0.5)):
        at = SpectralProblem(np.array(lam), np.eye(len(lam)), columns, noise)
        with rejected():
            check_maxima_are_global(at, zero_columns_do_not_rise)
        record(instances=1)


def check_no_rising_direction(at, A, objective="ppca"):
    """Balls find the point that retains A, and no eigenvalue of its Hessian positive: all but the gauge negative."""
    point = certificates.Stated(at.lam, certificates.plain(objective, A, at.k), at.noise)
    flat = certificates.gauge(at, A)
    certified(point.inertia(0, at.n * at.k - flat, flat))


def check_rises_in_balls(at, A):
    """Balls find the point that retains A, an eigenvalue of its Hessian positive and one negative: a saddle."""
    point = certificates.Stated(at.lam, certificates.plain("ppca", A, at.k), at.noise)
    certified(point.saddle(Fraction(0), point.vectors))


@RISING.evidence(role="refutes", kind="certificate", strength="certified")
@pytest.mark.parametrize("name", certificates.LANDSCAPES)
def test_in_balls_only_the_set_on_top_has_no_rising_direction(record, name):
    pytest.importorskip("flint")
    at = certificates.LANDSCAPES[name]
    top = at.top
    for A in certificates.retained_sets(at):
        if top == A:
            check_no_rising_direction(at, A)
            with rejected():
                check_rises_in_balls(at, A)
        else:
            check_rises_in_balls(at, A)
            with rejected():
                check_no_rising_direction(at, A)
        record(instances=1)
