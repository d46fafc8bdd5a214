"""Eqs. 7 and 8: the maximum-likelihood W and sigma2 of pPCA.

Statement   sigma2_MLE = 1/(n - k) sum_{j > k} lam_j and W_MLE = U_k (Lam_k - sigma2_MLE I)^{1/2} R, R orthogonal,
            attain the maximum of the likelihood over W and sigma2 together.
Hypotheses  mu at the sample mean; k < n (at k = n Eq. 7 is 0/0); rank S > k. The likelihood is unbounded, and has no
            maximum, iff rank S <= k and rank S < n: then sigma2 -> 0 at W = U_r (Lam_r - sigma2 I)^{1/2}, r = rank S.
Source      Lucas et al. 2019, Eqs. 7, 8; Tipping & Bishop 1999, App. A.
Method      Both scores vanish, in words for all n and k. Nothing is higher: let c_1 >= ... >= c_n be the eigenvalues
            of C, the last n - k equal to sigma2. Then -2 L - n log 2 pi = sum log c_i + tr(C^-1 S)
            >= sum log c_i + lam_i/c_i (von Neumann), and log c + lam/c >= log lam + 1 for each of the first k, while
            the rest is (n - k)(log sigma2 + m/sigma2) >= (n - k)(log m + 1), m their mean. The sum of the lower bounds
            is the value at Eqs. 7 and 8. Beside it: every other stationary point, searches from random starts,
            hostile spectra with 50 digits.
Trusted     von Neumann's trace inequality, tr(A B) >= sum of products of oppositely sorted eigenvalues (proved from
            Ky Fan's in proofs/standard_facts, and tried on numbers below); that a singular value decomposition exists;
            the rules of verify.symbolic.
"""

from itertools import combinations, pairwise

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.points_in_words import full_point
from proofs.problems.spectra import SpectralProblem, climb, data, hard_problems, random_problem, random_rotation
from verify import reference
from verify.data import covariance
from verify.errors import InputError
from verify.landscape.stationary import learned_noise_points
from verify.models import ppca as model
from verify.symbolic import ppca
from verify.symbolic.evaluation import on_arrays
from verify.symbolic.expectations import expectation, log_gaussian
from verify.symbolic.letters import C, M, S, gram, k, log_det_of_marginal, marginal_precision, n, sigma2, x
from verify.symbolic.matrix_calculus import defined, identity, inverse, letter, zero
from verify.symbolic.relations import expand, reduce, relation, substitute, substitute_log_det
from verify.symbolic.traces import Scalar, log_det, trace

CLAIM = Claim(
    id="eq-07-08",
    source="Eqs. 7, 8, Sec. 4.1",
    statement="sigma2 = mean of the n - k smallest eigenvalues and W = U_k (Lam_k - sigma2 I)^{1/2} R maximise L",
    hypotheses="k < n; rank S > k, for L is unbounded iff rank S <= k and rank S < n; mu at the sample mean",
    section="Probabilistic PCA",
    rests_on=("eq-05-06",),
    trusts=("svd", "von-neumann"),
)
MEAN = CLAIM.step(
    "mean",
    "with mu in the place of the sample mean the likelihood is lower by (xbar - mu)^T C^-1 (xbar - mu)/2, for all n, "
    "W and sigma2: the sample mean is the best mu",
    says="best_at_the_sample_mean",
)
SCORES = CLAIM.step(
    "scores",
    "at W = U_k (Lam_k - sigma2 I)^{1/2} R the gradient in W is zero at every sigma2 <= lam_k, and dL/dsigma2 is zero "
    "iff sigma2 is the mean of the n - k other eigenvalues, for all k < n; at k = n it is zero at every such sigma2",
    place="Proposition 4",
)
NOISE = CLAIM.step(
    "noise-eigenvalues",
    "C = W W^T + sigma2 I has eigenvalues above sigma2 on the at most k left singular vectors of W that belong to "
    "positive singular values, and sigma2 on all that is orthogonal to these: so the last n - k of its sorted "
    "eigenvalues c_i are sigma2",
    says="svd -> the_rest_is_noise",
    place="Proposition 5",
)
BOUND = CLAIM.step(
    "bound",
    "if tr(C^-1 S) >= sum lam_i/c_i, c_i = sigma2 for i > k and lam_k > 0, then at every sigma2 and W L <= -1/2 "
    "[n log 2 pi + sum_{i <= k} (log lam_i + 1) + (n - k) log sigma2 + T/sigma2], T the sum of the n - k smallest "
    "eigenvalues, as each log c + lam/c is least at c = lam; where T > 0 that is greatest at their mean m = T/(n - k): "
    "L <= -1/2 [n log 2 pi + sum_{i <= k} log lam_i + (n - k) log m + n], for all n > k",
    says="trace_inequality & the_rest_is_noise & rank_above_k -> bounded & at_most_the_value_of_eqs_7_8",
    place="Proposition 5",
)
VALUE = CLAIM.step(
    "value",
    "at W = U (Lam - sigma2 I)^{1/2} R on any k <= n eigenvectors with lam_a >= sigma2 L is -1/2 [n log 2 pi + sum log "
    "lam_a + (n - k) log sigma2 + k + sum of the other lam_j/sigma2], for all n and k; at Eqs. 7 and 8, which are real "
    "because the mean of the n - k smallest eigenvalues is at most lam_k, this is the bound",
    says="likelihood & rank_above_k -> value_of_eqs_7_8_attained",
    place=("Proposition 2", "Proposition 5"),
)
FULL = CLAIM.step(
    "full-rank",
    "if all lam_i > 0, then L <= -1/2 [n log 2 pi + sum log lam_i + n] whatever k is, with equality where C = S; and "
    "if k >= n that is so at W = U_n (Lam_n - sigma2 I)^{1/2} R, R R^T = I, for every sigma2 <= lam_n; for all n",
    says="trace_inequality & full_rank -> bounded & at_most_the_value_of_s & (value_of_s_attained | rank_above_k)",
    place="Proposition 5",
)
UNBOUNDED = CLAIM.step(
    "unbounded",
    "if r = rank S <= k and r < n, L at W = U_r (Lam_r - sigma2 I)^{1/2} (other columns zero; W = 0 if r = 0), real "
    "for sigma2 <= lam_r if r > 0, is a constant less (n - r)/2 log sigma2, and grows without bound as sigma2 -> 0, "
    "for all n and r",
    says="likelihood & ~rank_above_k & ~full_rank -> ~bounded",
    place="Proposition 5",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "so the sample mean attains the maximum with Eqs. 7 and 8 if rank S > k, with C = S if rank S = n <= k; and L is "
    "unbounded iff rank S <= k and rank S < n",
    place="Proposition 5",
)

U = letter("U", n, k)
L = letter("L", k, k, "diagonal")
R = letter("R", k, k)
K = defined("K", L @ L + sigma2 * identity(k))  # Lam_k
EQ_8 = (
    relation(U.T @ U, identity(k)),
    relation(S @ U, U @ K),
    relation(R.T @ R, identity(k)),
    relation(R @ R.T, identity(k)),
    relation(inverse(R), R.T),
    relation(inverse(R).T, R),
    relation(L @ L, K - sigma2 * identity(k)),
)
tail = trace(S) - trace(K)  # the sum of the discarded eigenvalues


def at_eq_8(A):
    """A at W = U L R, L^2 = Lam_k - sigma2 I, for any sigma2; M = R^T Lam_k R follows (checked below)."""
    in_M = reduce(A, marginal_precision(), gram)
    return reduce(substitute(in_M, {"W": U @ L @ R, "M": R.T @ K @ R}), *EQ_8)


def noise_score():
    """dL/dsigma2 at W of Eq. 8: zero at Eq. 7 and nowhere else."""
    return tail / (2 * sigma2**2) - Scalar((n - k) / (2 * sigma2))


@MEAN.evidence(role="supports", kind="symbolic", strength="proved")
def test_another_mean_is_less_likely_for_all_n_and_k(record):
    away = letter("m", n, 1)  # mu - xbar; x is measured from xbar

    def likelihood_less(loss):
        return expectation(log_gaussian(x - away, inverse(C), log_det(C)), x, zero(n, 1), S) + loss

    lost = trace(away.T @ inverse(C) @ away) / 2
    same(likelihood_less(lost), ppca.log_likelihood())
    with rejected():
        same(likelihood_less(2 * lost), ppca.log_likelihood())
    record()


@SCORES.evidence(role="supports", kind="symbolic", strength="proved")
def test_both_scores_vanish_there_for_all_n_and_k(record):
    same(reduce(R.T @ L @ U.T @ U @ L @ R + sigma2 * identity(k) - R.T @ K @ R, *EQ_8), 0 * M)
    same(at_eq_8(ppca.gradient()), 0 * U)
    same(at_eq_8(ppca.noise_gradient()), noise_score())
    # Twice sigma2^2 times the score is tail - (n - k) sigma2: linear in sigma2.
    same(noise_score() * (2 * sigma2**2), tail - (n - k) * sigma2)
    # Where U holds all eigenvectors nothing is left over: at k = n the score is zero at every sigma2.
    nothing_left = reduce(noise_score(), relation(S, U @ K @ U.T), *EQ_8)
    same(nothing_left, Scalar((k - n) / (2 * sigma2)))
    with rejected():  # with fewer columns it is not
        same(nothing_left, Scalar(0))
    record(instances=5)
    record.witness(f"dL/dsigma2 at Eq. 8 = {noise_score()}: zero iff sigma2 = (tr S - tr Lam_k)/(n - k)")


@NOISE.evidence(role="supports", kind="symbolic", strength="proved")
def test_c_has_the_noise_for_eigenvalue_where_w_has_no_singular_vector_for_all_n_and_k(record):
    # W = A T Q with the q positive singular values of W in T, whatever q; v any vector with A^T v = 0.
    q, v = sp.Symbol("q", integer=True, positive=True), letter("v", n, 1)
    A, T, Q = letter("A", n, q), letter("T", q, q, "diagonal"), letter("Q", q, k)
    rules = (relation(A.T @ A, identity(q)), relation(Q @ Q.T, identity(q)), relation(A.T @ v, zero(q, 1)))
    at_svd = substitute(expand(C, C), {"W": A @ T @ Q})
    same(reduce(at_svd @ A, *rules), A @ (T @ T + sigma2 * identity(q)))
    same(reduce(at_svd @ v, *rules), sigma2 * v)
    same(substitute(expand(C, C), {"W": zero(n, k)}), sigma2 * identity(n))  # q = 0
    with rejected():  # of W W^T itself
        same(reduce(at_svd @ A, *rules), A @ T @ T)
    record(instances=3)


def excess(lam, c):
    """log c + lam/c less its value at c = lam; and what it should be, x - 1 - log x at x = lam/c."""
    x = sp.Symbol("x", positive=True)
    found = (sp.log(c) + lam / c) - (sp.log(lam) + 1)
    return sp.expand_log(sp.simplify(found.subs(lam, x * c))), x - 1 - sp.log(x), x


def check_the_least_value(f, x):
    """f, a function of x > 0, is zero at x = 1, convex, and stationary nowhere else: so positive elsewhere."""
    same((f.subs(x, 1), sp.solve(sp.diff(f, x), x)), (0, [1]))
    check(sp.diff(f, x, 2).is_positive, f"{f} is not convex")


def check_least_at_the_mean(f, x, weight):
    """p log s + p m/s less its value at s = m is weight times f(m/s)."""
    p, m, s = sp.symbols("p m sigma2", positive=True)
    less = (p * sp.log(s) + p * m / s) - p * (sp.log(m) + 1)
    vanishes(sp.expand(sp.expand_log(sp.expand(less.subs(m, x * s)))) - sp.expand(weight * f))


@BOUND.evidence(role="supports", kind="symbolic", strength="proved")
def test_each_term_has_its_least_value_at_its_eigenvalue_and_the_rest_at_their_mean(record):
    lam, c, s, m = sp.symbols("lam c sigma2 m", positive=True)
    found, expected, x = excess(lam, c)
    vanishes(found - expected)
    check_the_least_value(expected, x)
    # Over i > k: sum (log s + lam_i/s) = (n - k)(log s + m/s), n - k > 0 times the same function.
    count, total = sp.symbols("p tail", positive=True)
    rest = count * sp.log(s) + total / s
    vanishes(rest.subs(total, count * m) - count * (sp.log(s) + m / s))
    # Without a choice of s that is (n - k) log s + T/s; less its value at s = m, n - k times the same function of m/s.
    check_least_at_the_mean(expected, x, count)
    with rejected():  # at the sum it is not least
        check_least_at_the_mean(expected, x, sp.Integer(1))
    # The lower bounds add up: k terms log lam_i + 1, and (n - k)(log m + 1); so does the constant k + (n - k) = n.
    vanishes(k + (n - k) - n)
    with rejected():  # the sum in the place of the mean
        vanishes(rest.subs(total, m) - count * (sp.log(s) + m / s))
    with rejected():  # without the log there is no least value at c = lam
        check_the_least_value(x - 1 - sp.log(x) / 2, x)
    with rejected():  # log x - (x - 1) has its greatest value there
        check_the_least_value(-expected, x)
    record(instances=3)


@FULL.evidence(role="supports", kind="symbolic", strength="proved")
def test_every_term_is_bounded_by_itself_if_no_eigenvalue_is_zero(record):
    lam, c = sp.symbols("lam c", positive=True)
    found, expected, x = excess(lam, c)
    vanishes(found - expected)
    check_the_least_value(expected, x)
    with rejected():  # at lam = 0 the term log c has no least value
        same(sp.limit((sp.log(c) + lam / c).subs(lam, 0), c, 0, "+"), 1)
    # Where C = S: log det S, and tr(S^-1 S) = n.
    at_s = substitute(ppca.log_likelihood(), {"S": C})
    same(at_s, -(log_det(C) + Scalar(n * sp.log(2 * sp.pi) + n)) / 2)
    same(*full_point(sigma2))
    with rejected():
        same(*full_point(2 * sigma2))
    record(instances=3)


def value_at_eq_8():
    """L at W of Eq. 8 and any sigma2, derived in words."""
    likelihood = substitute_log_det(reduce(ppca.log_likelihood(), marginal_precision(), gram), C, log_det_of_marginal())
    # log det M = log det Lam_k, for det R^2 = 1.
    return substitute_log_det(at_eq_8(likelihood), R, Scalar(0))


def value_in_eigenvalues(rest):
    """-1/2 [n log 2 pi + log det Lam_k + (n - k) log sigma2 + k + rest/sigma2]."""
    constants = Scalar(n * sp.log(2 * sp.pi) + (n - k) * sp.log(sigma2) + k)
    return -(constants + log_det(K) + rest / sigma2) / 2


@VALUE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_value_there_is_the_upper_bound_for_all_n_and_k(record):
    same(value_at_eq_8(), value_in_eigenvalues(tail))
    # At Eq. 7 tail/sigma2 is n - k, so that the constants are n.
    at_eq_7 = value_in_eigenvalues(Scalar((n - k) * sigma2))
    same(at_eq_7, -(Scalar(n * sp.log(2 * sp.pi) + (n - k) * sp.log(sigma2) + n) + log_det(K)) / 2)
    # lam_k less the mean of p numbers lam_k - d_i with d_i >= 0 is the mean of the d_i.
    lam_k, p, d = sp.symbols("lam_k p d", nonnegative=True)
    vanishes(lam_k - (p * lam_k - d) / p - d / p)
    with rejected():  # Lam_k - sigma2 I for Lam_k under the log
        same(value_at_eq_8(), value_in_eigenvalues(tail) - (log_det(L) * 2 - log_det(K)) / 2)
    record(instances=3)


@UNBOUNDED.evidence(role="supports", kind="symbolic", strength="proved")
def test_with_nothing_discarded_l_grows_as_the_noise_vanishes_for_all_n_and_r(record):
    # The words above with r = rank S for k, so that tail = tr S - tr Lam_r = 0; zero columns change neither C nor L.
    at_zero_tail = reduce(value_at_eq_8(), relation(S, U @ K @ U.T), *EQ_8)
    same(at_zero_tail, value_in_eigenvalues(Scalar(0)))
    # r = 0 is S = 0 and W = 0, where C = sigma2 I: no words of no columns.
    in_M = reduce(ppca.log_likelihood(), marginal_precision(), gram)
    nothing = substitute(substitute_log_det(in_M, C, log_det_of_marginal()), {"W": zero(n, k), "S": zero(n, n)})
    same(nothing, Scalar(-n * sp.log(2 * sp.pi * sigma2) / 2))
    s, p, constant = sp.symbols("s p constant", positive=True)
    along = constant - p * sp.log(s) / 2  # p = n - r
    same(sp.limit(along.subs(p, 1), s, 0, "+"), sp.oo)
    vanishes((along - constant) - p * (along.subs(p, 1) - constant))
    with rejected():  # with something discarded it falls
        same(sp.limit(along.subs(p, 1) - 1 / s, s, 0, "+"), sp.oo)
    record(instances=2)


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_the_maximum_and_where_there_is_none(record):
    used = {"eq-05-06": "likelihood", "svd": "svd", "von-neumann": "trace_inequality"}
    at_eqs_7_8 = "at_most_the_value_of_eqs_7_8 & value_of_eqs_7_8_attained"
    at_s = "at_most_the_value_of_s & value_of_s_attained"
    above, full = f"rank_above_k & bounded & {at_eqs_7_8}", f"~rank_above_k & full_rank & bounded & {at_s}"
    cases = f"best_at_the_sample_mean & ({above} | {full} | ~rank_above_k & ~full_rank & ~bounded)"
    record(instances=concludes(CLAIM, cases, used))
    with rejected():  # bounded whatever the rank
        concludes(CLAIM, "bounded", used)
    with rejected():
        concludes(CLAIM, f"({cases}) & value_of_s_attained", used)


@BOUND.evidence(role="supports", kind="property")
@given(p=hard_problems(), seed=st.integers(0, 2**32 - 1))
def test_aligning_c_with_s_never_lowers_the_likelihood(p, seed, record):
    # von Neumann's inequality, the one step above that is trusted.
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((p.n, p.k)) * np.sqrt(10.0 ** rng.uniform(-3, 3) * p.lam[0])
    c = np.linalg.eigvalsh(W @ W.T + p.sigma2 * np.eye(p.n))[::-1]
    c[p.k :] = p.sigma2
    bound = -0.5 * (p.n * np.log(2 * np.pi) + np.sum(np.log(c) + p.lam / c))
    size = np.sum(2 + np.abs(np.log(c)) + p.lam / c)  # of the terms that are added up
    excess = (model.log_likelihood(W, p.sigma2, p.S) - bound) / size
    record(worst_error=at_most(excess, 0.0, slack=p.rounding))


@SCORES.evidence(role="supports", kind="numeric")
def test_both_scores_vanish_in_floating_point_whatever_the_rotation(record, thorough, xp):
    rng = np.random.default_rng(7)
    for _ in range(thorough(60, 600)):
        p = random_problem(rng)
        W, s = model.maximum_likelihood(xp.asarray(p.lam), xp.asarray(p.U), p.k)
        W, S_ = W @ xp.asarray(random_rotation(rng, p.k)), xp.asarray(p.S)
        agree(s, p.lam[p.k :].mean(), tolerance=1e-15)
        # Relative to the two terms that cancel in each score; condition numbers below 100.
        at_most(float(abs(model.gradient(W, s, S_)).max()), 0.0, slack=1e-12 / np.sqrt(s))
        record(worst_error=agree(model.noise_gradient(W, s, S_), 0.0, tolerance=1e-12, scale=p.n / s))


@SCORES.evidence(role="supports", kind="numeric")
def test_the_scores_of_the_model_are_the_derived_ones(record, thorough, xp):
    # Away from the maximum, where a factor would not hide behind a zero.
    rng = np.random.default_rng(70)
    for _ in range(thorough(30, 300)):
        p = random_problem(rng)
        W, S_ = rng.standard_normal((p.n, p.k)), xp.asarray(p.S)
        values, letters = {n: p.n, k: p.k, sigma2: p.sigma2}, {"W": W, "S": p.S}
        for score, derived in (
            (model.gradient(xp.asarray(W), p.sigma2, S_), ppca.gradient()),
            (model.noise_gradient(xp.asarray(W), p.sigma2, S_), ppca.noise_gradient()),
        ):
            # Inverting C loses its condition number, here below 1e3.
            record(worst_error=agree(score, on_arrays(derived, letters, values), tolerance=1e-11))


@BOUND.evidence(role="supports", kind="numeric")
def test_no_other_stationary_point_is_higher(record, thorough):
    rng = np.random.default_rng(71)
    for _ in range(thorough(30, 300)):
        p = random_problem(rng, int(rng.integers(2, 7)))
        W, s = model.maximum_likelihood(p.lam, p.U, p.k)
        best = float(model.log_likelihood(W, s, p.S))
        others = list(_joint_stationary_points(p))
        record(instances=len(others))
        for W_A, s_A in others:
            agree(model.gradient(W_A, s_A, p.S), np.zeros_like(W_A), tolerance=1e-11, scale=1 / np.sqrt(s_A))
            at_most(model.log_likelihood(W_A, s_A, p.S), best, slack=1e-12 * abs(best))
        listed = list(learned_noise_points(p.lam, p.k))
        same(len(listed), len(others))
        record(instances=0, worst_error=agree(listed[0].value, best, tolerance=1e-12))


def _joint_stationary_points(p):
    """All W = U_A (Lam_A - s I)^{1/2}, s the mean of the discarded eigenvalues, that are real (theory 2)."""
    for q in range(p.k + 1):
        for A in map(list, combinations(range(p.n), q)):
            s = float(np.delete(p.lam, A).mean())
            if all(p.lam[A] > s):
                W = np.zeros((p.n, p.k))
                W[:, :q] = p.U[:, A] * np.sqrt(p.lam[A] - s)
                yield W, s


@BOUND.evidence(role="supports", kind="numeric")
def test_searches_from_random_starts_end_there_and_never_above(record, thorough):
    rng = np.random.default_rng(72)
    for _ in range(thorough(20, 200)):
        p = random_problem(rng, int(rng.integers(3, 7)))
        best = float(model.log_likelihood(*model.maximum_likelihood(p.lam, p.U, p.k), p.S))
        reached = [_climbed(p, rng) for _ in range(6)]
        at_most(max(reached), best, slack=1e-12 * abs(best))
        # Second-order search: the value is right to the square of the error that is left in the gradient.
        record(instances=6, worst_error=agree(max(reached), best, tolerance=1e-11))


def _climbed(p, rng):
    """L where a search over W and log sigma2 ends."""

    def value_and_gradient(x):
        W, s = x[:-1].reshape(p.n, p.k), float(np.exp(x[-1]))
        slope = np.append(model.gradient(W, s, p.S).ravel(), s * model.noise_gradient(W, s, p.S))
        return model.log_likelihood(W, s, p.S), slope

    start = np.append(rng.standard_normal(p.n * p.k), rng.uniform(-1, 1))
    return float(value_and_gradient(climb(value_and_gradient, start))[0])


@BOUND.evidence(role="supports", kind="numeric")
def test_real_data_attain_their_maximum_there(record, xp):
    digits = data("digits")
    S_, rng = xp.asarray(digits.matrix()), np.random.default_rng(73)
    for columns in (1, 5, 20, digits.rank - 1):
        W, s = model.maximum_likelihood(xp.asarray(digits.eigenvalues), xp.asarray(digits.eigenvectors), columns)
        best = float(model.log_likelihood(W, s, S_))
        size = float(np.sqrt(digits.eigenvalues[0] / s))
        at_most(float(abs(model.gradient(W, s, S_)).max()), 0.0, slack=1e-11 * size / np.sqrt(s))
        for h in (1e-3, 1e-1):
            moved = W + h * float(np.sqrt(s)) * xp.asarray(rng.standard_normal(W.shape))
            check(model.log_likelihood(moved, s * (1 + h), S_) < best, "a perturbation is higher")
        record(worst_error=agree(model.noise_gradient(W, s, S_), 0.0, tolerance=1e-11, scale=64 / s))


def check_best_noise(density, s):
    check(density(s) > max(density(0.99 * s), density(1.01 * s)), "another noise fits the data better")


@BOUND.evidence(role="supports", kind="numeric")
def test_it_maximises_the_mean_log_density_of_the_data_themselves(record, thorough):
    # Row by row, without S: so that S must be the covariance with 1/N.
    rng = np.random.default_rng(76)
    for _ in range(thorough(10, 100)):
        X = rng.standard_normal((12, 4)) * [3.0, 2.0, 1.0, 0.5] + rng.standard_normal(4)
        measured = covariance(X)
        W, s = model.maximum_likelihood(measured.eigenvalues, measured.eigenvectors, 2)

        def density(noise, W=W, X=X):
            return multivariate_normal(X.mean(axis=0), W @ W.T + noise * np.eye(4)).logpdf(X).mean()

        record(worst_error=agree(model.log_likelihood(W, s, measured.matrix()), density(s), tolerance=1e-12))
        check_best_noise(density, s)
        with rejected():  # S with 1/(N - 1), N = 12, is off by more
            check_best_noise(density, 1.02 * s)
        record(instances=0, worst_error=agree(np.trace(measured.matrix()), X.var(axis=0).sum(), tolerance=1e-12))


@BOUND.evidence(role="supports", kind="property")
@given(
    p=hard_problems(max_n=4, bounded=True),
    seed=st.integers(0, 2**32 - 1),
    step=st.sampled_from([1e-12, 1e-6, 1e-2, 1.0]),
)
def test_no_perturbation_is_higher_on_hostile_spectra_with_50_digits(p, seed, step, record):
    p = p.with_learned_noise()
    rng = np.random.default_rng(seed)
    W, s, S_ = _maximum_with_50_digits(p)
    with reference.precision():
        best, h = reference.log_likelihood(W, s, S_), reference.exact(step)[()]
        size = np.sqrt(s if rng.random() < 0.5 else reference.exact(p.lam[0])[()])
        moved = W + h * size * reference.exact(rng.standard_normal(W.shape))
        noise = s * (1 + h * reference.exact(rng.uniform(-0.9, 0.9))[()])
        ahead = reference.log_likelihood(moved, noise, S_) - best
        slope = np.linalg.norm(reference.gradient(W, s, S_).astype(float)) * float(np.sqrt(s))
    # Twelve decades of eigenvalues cost up to 24 of the 50 digits.
    at_most(float(ahead), 0.0, slack=1e-22)
    record(worst_error=agree(slope, 0.0, tolerance=1e-22))


def _maximum_with_50_digits(p):
    """W_MLE, sigma2_MLE and S (Eqs. 7, 8), object arrays."""
    lam, basis, S_ = p.exactly()
    with reference.precision():
        s = sum(lam[p.k :]) / (p.n - p.k)
        # Where all eigenvalues from lam_k on are equal, their mean may miss them by a rounding.
        return basis[:, : p.k] * np.sqrt(np.maximum(lam[: p.k] - s, 0 * s)), s, S_


@UNBOUNDED.evidence(role="supports", kind="property")
@given(p=hard_problems(max_n=4))
def test_the_likelihood_is_unbounded_exactly_if_rank_s_is_at_most_k_and_below_n(p, record):
    # The best L at each noise, over four decades of noise below the least positive eigenvalue.
    best = [_best_at_noise(p, p.lam[p.rank - 1] * 10.0**-j) for j in range(1, 6)]
    with reference.precision():
        rises = np.array([float((b - a) / np.log(10)) for a, b in pairwise(best)])
    if p.rank <= p.k and p.rank < p.n:
        # C = diag(lam_1, ..., lam_r, s, ..., s): L rises by (n - r)/2 log 10 a decade, for ever.
        record(worst_error=agree(rises, np.full(4, (p.n - p.rank) / 2), tolerance=1e-14))
        with pytest.raises(InputError, match="unbounded"):
            model.maximum_likelihood(p.lam, p.U, p.k)
        return
    if p.rank > p.k:  # lam_{k+1}/s wins over log s
        check(all(rises < 0), f"L does not fall as the noise vanishes: {rises}")
    else:  # rank = n = k: C = S for every sigma2 <= lam_n
        agree(rises, np.zeros(4), tolerance=1e-14)
    _, s = model.maximum_likelihood(p.lam, p.U, p.k)
    check(s > 0, "no positive sigma2_MLE though the likelihood is bounded")
    record()


def _best_at_noise(p, s):
    """L with 50 digits at the best W of this noise, in the basis in which S is diagonal."""
    with reference.precision():
        lam = reference.exact(p.lam)
        W = np.diag(np.sqrt(np.maximum(lam - reference.exact(s)[()], 0 * lam)))[:, : p.k]
        return reference.log_likelihood(W, s, np.diag(lam))


@SCORES.evidence(role="control", kind="symbolic")
def test_slips_in_eqs_7_and_8_are_rejected():
    with rejected():  # the mean over all n eigenvalues, or of the discarded ones over n
        same(at_eq_8(ppca.noise_gradient()), tail / (2 * sigma2**2) - Scalar(n / (2 * sigma2)))
    unshifted = substitute(
        reduce(ppca.gradient(), marginal_precision(), gram), {"W": U @ K @ R, "M": R.T @ (K @ K) @ R}
    )
    with rejected():  # another singular value than sqrt(lam - sigma2)
        same(reduce(unshifted, *EQ_8), 0 * U)


@BOUND.evidence(role="control", kind="numeric")
def test_other_stationary_points_are_rejected_as_maximum():
    p = random_problem(np.random.default_rng(74), 5, 2)
    best = float(model.log_likelihood(*model.maximum_likelihood(p.lam, p.U, p.k), p.S))
    for order in ([0, 2, 1, 3, 4], [2, 3, 0, 1, 4]):  # stationary or not, but not leading
        moved = SpectralProblem(p.lam[order], p.U[:, order], 2, p.sigma2)
        s = float(moved.lam[2:].mean())
        W = moved.U[:, :2] * np.sqrt(np.maximum(moved.lam[:2] - s, 0))
        with rejected():
            at_most(best, model.log_likelihood(W, s, p.S), slack=1e-12 * abs(best))
    W, s = model.maximum_likelihood(p.lam, p.U, p.k)
    for factor in (0.99, 1.01):  # S with 1/(N - 1) at N = 100 is off by as much
        with rejected():
            agree(model.noise_gradient(W, factor * s, p.S), 0.0, tolerance=1e-12, scale=p.n / s)
        with rejected():
            at_most(best, model.log_likelihood(W, factor * s, p.S), slack=1e-12 * abs(best))


@VALUE.evidence(role="control", kind="numeric")
def test_a_point_beside_the_maximum_is_rejected_with_50_digits():
    p = random_problem(np.random.default_rng(75), 4, 2).with_learned_noise()
    W, s, S_ = _maximum_with_50_digits(p)
    with reference.precision():
        best = reference.log_likelihood(W, s, S_)
        beside = reference.log_likelihood(W * (1 + reference.exact(1e-9)[()]), s, S_)
        with rejected():  # lower by about 1e-18, invisible to floating point
            at_most(float(best - beside), 0.0, slack=1e-22)
