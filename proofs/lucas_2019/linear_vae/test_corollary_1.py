"""Corollary 1: at the global maximum of the ELBO the columns of W are the scaled principal components.

Statement   at every global maximum, at its sigma2, the columns of W are orthogonal: sqrt(lam_a - sigma2) u_a, u_a unit
            eigenvectors of S, for the q* = min(k, #{lam > sigma2}) largest eigenvalues, and the others zero.
Hypotheses  none: where eigenvalues tie the principal components are any orthonormal eigenvectors.
Beside it   at fixed sigma2, or with sigma2 learned and k < n, there is one such W up to the signs and the order of
            the columns iff the retained eigenvalues are simple eigenvalues of S: that is, distinct, and
            lam_k > lam_{k+1} if q* = k < n. Else it can be turned at no cost. lam_k > sigma2 is not needed.
Source      Lucas et al. 2019, Corollary 1, App. B; theory 3.4, 3.5.
Method      A global maximum has the value sup L (lemma-1), so W maximises L and the gap is 0: S W = W M with M
            diagonal. So each column is an eigenvector of S, of the eigenvalue kappa_i = |w_i|^2 + sigma2, or zero; and
            L is its value at W = 0 plus the sum of g(kappa_i), g(x) = 1/2 (x/sigma2 - 1 - log(x/sigma2)), both in words
            for all n and k. g rises from 0 at sigma2: a column can be exchanged for a larger discarded eigenvalue. For
            ties: the columns turn, and S W = W K, W^T W = K - sigma2 I stay, in words. Infinitesimally: the Hessian of
            the profile ELBO has -(l_a +- l_b)^2/(lam_a lam_b), l_a = sqrt(lam_a - sigma2), for a pair of columns
            (claim spectrum): it is negative definite iff there is no such tie, and none of a discarded lam and sigma2;
            counted in balls as well.
Trusted     lemma-1, eq-24-28, profile, noise-gradient, spectrum; that the gradient vanishes at a maximum; that S has an
            eigenbasis; the rules of verify.symbolic.
"""

from fractions import Fraction
from itertools import permutations, product

import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given

from proofs.machinery.checks import Disagreement, agree, at_most, certified, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems import certificates
from proofs.problems.points_in_words import LIKELIHOOD_POINT, ORTHOGONAL_POINT, K, retained
from proofs.problems.spectra import SpectralProblem, climb, data, hard_problems, random_problem, random_rotation
from verify.landscape.roots import CONVERGED, find_roots
from verify.models import linear_vae as model
from verify.models import ppca as likelihood
from verify.symbolic import linear_vae, ppca
from verify.symbolic.letters import C, M, S, W, gram, k, log_det_of_marginal, marginal_precision, n, sigma2, x
from verify.symbolic.matrix_calculus import diag, identity, letter, zero
from verify.symbolic.relations import expand, reduce, relation, substitute, substitute_log_det
from verify.symbolic.traces import Scalar, log_det, trace
from verify.symbolic.unit_vectors import orthonormal, unit_vector

CLAIM = Claim(
    id="corollary-1",
    source="Corollary 1, Secs. 4, 4.2",
    statement="at every global maximum of the ELBO the columns of W are scaled principal components of S, those of its "
    "largest eigenvalues; up to signs and order of its columns W is the only one if (Sec. 4), and only if, these are "
    "simple",
    hypotheses="of uniqueness: sigma2 fixed, or learned with k < n",
    section="The linear VAE",
    rests_on=("lemma-1", "eq-24-28", "profile", "noise-gradient", "spectrum"),
    trusts=("mean", "second-order", "spectral"),
    quote="Moreover, when the data covariance eigenvalues are distinct, the linear VAE identifies the individual "
    "principal components, unlike pPCA, which recovers only the PCA subspace. ... Corollary 1. The global maximum of "
    "the ELBO objective (Eq. (4)) for the linear VAE (Eq. (9)) has the scaled principal components as the columns of "
    "the decoder network.",
)
MAXIMAL = CLAIM.step(
    "maximal",
    "L - ELBO is the gap plus the two losses of the encoder, all >= 0, for all n and k: so where the ELBO is sup L, W "
    "maximises L and its columns are orthogonal",
    says="reaches_sup_of_L & gap_zero_iff_orthogonal & losses_nonnegative -> top_of_L & orthogonal",
    place="Corollary 1",
)
COLUMNS = CLAIM.step(
    "columns",
    "where dL/dW = 0 and the columns are orthogonal each is 0 or sqrt(lam - sigma2) times a unit eigenvector of S, for "
    "all n and k",
    says="top_of_L & orthogonal & stationary_at_maxima -> scaled_eigenvectors",
    place="Corollary 1",
)
LARGEST = CLAIM.step(
    "largest",
    "at such W L = L(0) + sum of g(lam) over its columns that are not 0, g rising from g(sigma2) = 0: with a smaller "
    "eigenvalue, or a zero column, in the place of a larger one above sigma2, W would not maximise L",
    says="top_of_L & scaled_eigenvectors & eigenbasis -> largest_held",
    place="Corollary 1",
)
UNIQUE = CLAIM.step(
    "unique",
    "of orthogonal columns at most one holds a simple eigenvalue of S, and it is sqrt(lam - sigma2) u or its negative",
    says="scaled_eigenvectors & largest_held & simple -> unique",
    place="Corollary 1",
)
TIES = CLAIM.step(
    "ties",
    "two columns of equal eigenvalue can be turned in their plane, a column towards a discarded eigenvector of equal "
    "eigenvalue, by any angle, and the ELBO at the optimal encoder stays, for all n and k",
    says="top_of_ELBO & scaled_eigenvectors & ~simple -> ~unique",
    place="Corollary 1",
)
DEFINITE = CLAIM.step(
    "definite",
    "at fixed sigma2 the Hessian of P is negative definite there iff the eigenvalues held are simple and, where a "
    "column is zero, no eigenvalue of S is sigma2: those of the Hessian in closed form are <= 0, and 0 for such a tie "
    "alone",
    says="scaled_eigenvectors & largest_held & rows_of_P -> "
    "definite & simple & ~tie_with_noise | ~definite & (~simple | tie_with_noise)",
    place="Corollary 1",
)
NOISE = CLAIM.step(
    "noise",
    "where sigma2 is learned and k < n it is, at every global maximum, the mean of the n - k smallest eigenvalues (Eq. "
    "7)",
    says="top_of_ELBO & largest_held & stationary_at_maxima & noise_equation & learned & numbers_at_their_mean -> "
    "same_noise",
    place="Corollary 1",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "so the columns are as stated, and W unique up to their signs and order iff the eigenvalues held are simple",
)


def maximum(p):
    """W of theory 1.5 at the noise of p, with R = I: a global maximum of the profile ELBO."""
    return likelihood.fixed_noise_maximum(p.lam, p.U, p.k, p.sigma2)


def attains_the_maximum(weights, p, tolerance=1e-12):
    """The profile ELBO at W falls short of the maximum of L by no more than rounding; else Disagreement."""
    best = float(likelihood.log_likelihood(maximum(p), p.sigma2, p.S))
    return agree(model.profile_elbo(weights, p.sigma2, p.S), best, tolerance=tolerance)


def has_principal_columns(weights, p, tolerance):
    """Up to signs and order, the columns are those of `maximum`; else Disagreement. Returns the relative error."""
    target = maximum(p)
    cosines = np.abs(target.T @ weights)
    remaining, order = list(range(p.k)), np.full(p.k, -1)
    for a in range(p.k):  # to each target column the one that has most of it; zero columns take what is left
        best = max(remaining, key=lambda i, a=a: cosines[a, i])
        order[a] = best
        remaining.remove(best)
    matched = weights[:, order]
    signs = np.where(np.sum(matched * target, axis=0) < 0, -1.0, 1.0)
    return agree(matched * signs, target, tolerance=tolerance, scale=np.sqrt(p.lam[0]))


def held(p):
    """q*, how many columns of the maximum are not zero."""
    return min(p.k, int((p.lam > p.sigma2).sum()))


def conditions(p):
    """(1) and (2) above, compared exactly."""
    q = held(p)
    distinct = all(p.lam[a] > p.lam[a + 1] for a in range(q - 1))
    return distinct and not (q == p.k < p.n and p.lam[q - 1] == p.lam[q])


@MAXIMAL.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_elbo_is_the_likelihood_less_the_gap_and_two_losses_for_all_n_and_k(record):
    """V = V* + Y, D = D* R: the losses are a mean of squares over the data, and 1/2 sum (r_i - 1 - log r_i)."""
    Y, R = letter("Y", k, n), letter("R", k, k, "diagonal")
    best_V, best_D = linear_vae.optimal_encoder()
    elbo = reduce(substitute(linear_vae.elbo(), {"V": best_V + Y, "D": best_D @ R}), gram)
    in_M = substitute_log_det(reduce(ppca.log_likelihood(), marginal_precision(), gram), C, log_det_of_marginal())
    squares = trace((W @ Y @ x).T @ (W @ Y @ x)) + sigma2 * trace((Y @ x).T @ (Y @ x))
    losses = linear_vae.over_data(squares) / (2 * sigma2) + (trace(R) - k - log_det(R)) / 2
    same(in_M - elbo, reduce(linear_vae.gap() + losses, gram))
    with rejected():  # as if every maximum of L were one of the ELBO
        same(in_M - elbo, reduce(losses, gram))
    record()


@COLUMNS.evidence(role="supports", kind="symbolic", strength="proved")
def test_without_a_gap_each_stationary_column_is_a_scaled_eigenvector_for_all_n_and_k(record):
    """dL/dW = 0 is S W = W M; no gap is M = diag(M), the letter K: S w_i = kappa_i w_i, |w_i|^2 = kappa_i - sigma2."""
    # C and M are invertible.
    same(reduce(expand(C, C) @ ppca.gradient_in_latents() @ M, gram), S @ W - W @ M)
    at_K = substitute(S @ W - W @ M, {"M": K}), substitute(W.T @ W + sigma2 * identity(k) - M, {"M": K})
    for word, nothing in zip(at_K, (0 * W, zero(k, k)), strict=True):
        same(reduce(word, *ORTHOGONAL_POINT), nothing)
    same(reduce(diag(W.T @ W), *ORTHOGONAL_POINT), K - sigma2 * identity(k))
    # Column by column, e an axis of the latent space, K e = kappa e: |w|^2 = kappa - sigma2, or w = 0.
    e, kappa = unit_vector("e", k), sp.Symbol("kappa", positive=True)
    here = (*ORTHOGONAL_POINT, relation(K @ e, kappa * e), *orthonormal(e))
    same(reduce(S @ W @ e, *here), kappa * W @ e)
    same(reduce(trace((W @ e).T @ (W @ e)), *here), Scalar(kappa - sigma2))
    with rejected():  # the length without the noise taken off
        same(reduce(trace((W @ e).T @ (W @ e)), *here), Scalar(kappa))
    with rejected():  # columns that are not orthogonal are no eigenvectors: M is not its diagonal
        same(reduce(expand(C, C) @ ppca.gradient_in_latents() @ M, gram), S @ W - W @ diag(M))
    record(instances=2)


def rise_in_words():
    """L - L(0) where S W = W K and W^T W = K - sigma2 I with K diagonal."""
    in_M = reduce(ppca.log_likelihood(), marginal_precision(), gram)
    in_K = substitute(substitute_log_det(in_M, C, log_det_of_marginal()), {"M": K})
    at_zero = -(trace(S) / sigma2 + Scalar(n * sp.log(2 * sp.pi * sigma2))) / 2
    return reduce(in_K - at_zero, *ORTHOGONAL_POINT)


def sum_of_gains():
    """1/2 sum_i [kappa_i/sigma2 - 1 - log(kappa_i/sigma2)]: zero columns, kappa_i = sigma2, add nothing."""
    return (trace(K) / sigma2 - k - log_det(K) + k * sp.log(sigma2)) / 2


@LARGEST.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_largest_eigenvalues_are_held_since_the_gain_rises_for_all_n_and_k(record):
    same(rise_in_words(), sum_of_gains())
    x, s = sp.symbols("x s", positive=True)
    gain = (x / s - 1 - sp.log(x / s)) / 2
    # It is what each entry of K adds: trace and log det are sums over these.
    same(substitute(sum_of_gains(), {"K": x * identity(k)}), Scalar((k * gain).subs(s, sigma2)))
    vanishes(gain.subs(x, s))
    above = sp.Symbol("excess", positive=True)  # x = s + excess
    check(sp.diff(gain, x).subs(x, s + above).factor().is_positive, "the gain does not rise above the noise")
    # The exchange: S u = lam u, u orthogonal to all columns; sqrt(lam - sigma2) u in the place of column e (of kappa)
    # is again such a point, with lam for kappa in K.
    lam, kappa = sp.symbols("lam kappa", positive=True)
    u, e = unit_vector("u", n), unit_vector("e", k)
    rules = (
        *orthonormal(u),
        *orthonormal(e),
        *ORTHOGONAL_POINT,
        relation(S @ u, lam * u),
        relation(W.T @ u, zero(k, 1)),
        relation(K @ e, kappa * e),
    )
    exchanged = W - W @ e @ e.T + sp.sqrt(lam - sigma2) * u @ e.T
    new_K = K + (lam - kappa) * e @ e.T
    same(reduce(exchanged.T @ exchanged, *rules), new_K - sigma2 * identity(k))
    same(reduce(S @ exchanged - exchanged @ new_K, *rules), zero(n, k))
    record(instances=4)
    record.witness(f"L - L(0) = {sum_of_gains()} at orthogonal stationary columns, K = W^T W + sigma2 I, all n and k")


@UNIQUE.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_simple_eigenvalue_leaves_one_column_and_its_sign(record):
    """S u = lam u, S w = lam w: v = w - (u^T w) u is 0 or a second eigenvector, orthogonal to u, of the same lam."""
    lam = sp.Symbol("lam", positive=True)
    u, w = unit_vector("u", n), letter("w", n, 1)
    rules = (*orthonormal(u), relation(S @ u, lam * u), relation(S @ w, lam * w))
    v = w - u @ u.T @ w
    same(reduce(S @ v, *rules), lam * v)
    same(reduce(u.T @ v, *rules), zero(1, 1))
    # So w = a u with a = u^T w: |w|^2 = a^2 = lam - sigma2 leaves a sign.
    a = letter("a", 1, 1)
    same(reduce((u @ a).T @ (u @ a), *rules), a.T @ a)
    # Two such columns, a u and b u, are orthogonal only if a b = 0.
    b = letter("b", 1, 1)
    same(reduce((u @ a).T @ (u @ b), *rules), a.T @ b)
    with rejected():  # of another eigenvalue it is not an eigenvector
        same(reduce(S @ v, *orthonormal(u), relation(S @ u, lam * u), relation(S @ w, 2 * lam * w)), lam * v)
    record(instances=3)


def _stays_a_point(turned, *rules):
    """S W' = W' K and W'^T W' = K - sigma2 I with the K of W: the ELBO is that of W, by the sum of gains."""
    rules = (*rules, *ORTHOGONAL_POINT)
    same(reduce(turned.T @ turned, *rules), K - sigma2 * identity(k))
    same(reduce(S @ turned - turned @ K, *rules), zero(n, k))


@TIES.evidence(role="supports", kind="symbolic", strength="proved")
def test_at_a_tie_columns_turn_at_no_cost_for_all_n_and_k(record):
    t, lam, other = sp.Symbol("t", real=True), sp.Symbol("lam", positive=True), sp.Symbol("mu", positive=True)
    c, s = sp.cos(t), sp.sin(t)
    e, f = unit_vector("e", k), unit_vector("f", k)
    plane = (c - 1) * (e @ e.T + f @ f.T) + s * (e @ f.T - f @ e.T)

    def two_columns(of_f):
        return _stays_a_point(W + W @ plane, *orthonormal(e, f), relation(K @ e, lam * e), relation(K @ f, of_f * f))

    two_columns(lam)
    u, v = unit_vector("u", n), unit_vector("v", n)
    length = sp.sqrt(lam - sigma2)
    along = (*retained(u, e, lam, K), *orthonormal(u, v), *orthonormal(e), relation(W.T @ v, zero(k, 1)))
    towards = W + length * ((c - 1) * u + s * v) @ e.T
    _stays_a_point(towards, *along, relation(S @ v, lam * v))
    for wrong in (lambda: two_columns(other), lambda: _stays_a_point(towards, *along, relation(S @ v, other * v))):
        with rejected():  # without the tie
            wrong()
    record(instances=2)


def check_flat_only_at(tie, row):
    """row is -tie times what is positive, so that, tie being >= 0, it is <= 0, and 0 iff tie is."""
    check(sp.simplify(-row / tie).is_positive is True, f"{row} is not minus {tie} times what is positive")


@DEFINITE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_rows_of_the_spectrum_vanish_only_at_ties(record):
    """The eigenvalues of claim spectrum; lam_a = s + x for what is held, no discarded lam_j above it, or above s where
    a column is zero."""
    s, x, y, tie = sp.symbols("s x y tie", positive=True)  # tie: positive here, and 0 where there is one
    lam_a, lam_b = s + x, s + y
    check((-2 * x / lam_a**2).is_negative, "along u_a")
    check((-x / (s * lam_a)).is_negative, "a zero column towards u_a")
    check((-((sp.sqrt(x) + sp.sqrt(y)) ** 2) / (lam_a * lam_b)).is_negative, "the sum of a pair")
    # The difference of a pair: lam_a - lam_b = x - y = (l_a - l_b)(l_a + l_b), and l_a + l_b > 0.
    vanishes(sp.expand((sp.sqrt(x) - sp.sqrt(y)) * (sp.sqrt(x) + sp.sqrt(y)) - (lam_a - lam_b)))
    check_flat_only_at(tie**2, -(tie**2) / (lam_a * lam_b))
    check_flat_only_at(tie, ((lam_a - tie) / lam_a - 1) / s)  # a column that holds lam_a, towards lam_j = lam_a - tie
    check_flat_only_at(tie, ((s - tie) - s) / s**2)  # a zero column, towards lam_j = s - tie
    with rejected():  # towards a larger one it rises
        check_flat_only_at(tie, ((lam_a + tie) / lam_a - 1) / s)
    with rejected():  # what is 0 without a tie: in the likelihood, the turn of a pair
        check_flat_only_at(tie, sp.Integer(0))
    record(instances=6)


@NOISE.evidence(role="supports", kind="symbolic", strength="proved")
def test_with_learned_noise_all_maxima_have_one_noise(record):
    """q eigenvalues held, of sum A; B the sum of the n - q others; tr K = A + (k - q) sigma2."""
    q, held_sum, rest = sp.symbols("q A B", positive=True)
    # The noise equation, tr S - tr K = (n - k) sigma2, says that sigma2 is the mean of all that is not held.
    equation = (held_sum + rest) - (held_sum + (k - q) * sigma2) - (n - k) * sigma2
    vanishes(equation - (rest - (n - q) * sigma2))
    # If q = k that is Eq. 7. If q < k none of them exceeds sigma2 (step "largest"), so all are equal to their mean, by
    # the fact of this name: the n - k smallest of them have the sum (n - k) sigma2.
    vanishes(sp.solve(equation.subs(q, k), sigma2)[0] - rest / (n - k))
    vanishes(((n - q) * sigma2 - (k - q) * sigma2) - (n - k) * sigma2)
    with rejected():  # the mean over n
        vanishes(sp.solve(equation.subs(q, k), sigma2)[0] - rest / n)
    record(instances=3)


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_the_corollary(record):
    premises = {
        "lemma-1": "top_of_ELBO -> reaches_sup_of_L",
        "eq-24-28": "gap_zero_iff_orthogonal",
        "profile": "losses_nonnegative",
        "noise-gradient": "noise_equation",
        "spectrum": "rows_of_P",
        "mean": "numbers_at_their_mean",
        "second-order": "stationary_at_maxima",
        "spectral": "eigenbasis",
    }
    columns = "scaled_eigenvectors & largest_held"
    uniqueness = "(simple & unique | ~simple & ~unique) & (same_noise | ~learned)"
    definite = "(definite & simple & ~tie_with_noise | ~definite & (~simple | tie_with_noise))"
    goal = f"top_of_ELBO -> {columns} & {uniqueness} & {definite}"
    record(instances=concludes(CLAIM, goal, premises))
    with rejected():  # definite whenever it is unique
        concludes(CLAIM, f"top_of_ELBO -> {columns} & {uniqueness} & (~simple | definite)", premises)
    with rejected():  # unique whatever the eigenvalues
        concludes(CLAIM, f"top_of_ELBO -> {columns} & unique", premises)


@LARGEST.evidence(role="supports", kind="numeric")
def test_searches_at_fixed_noise_end_at_the_scaled_principal_axes(record, thorough):
    rng = np.random.default_rng(1)
    for _ in range(thorough(20, 200)):
        p = random_problem(rng, int(rng.integers(3, 7)))
        assert conditions(p)
        ends = np.stack([_climbed(p, rng)[0] for _ in range(4)])
        _check_ends(p, ends, record)


def _check_ends(p, ends, record):
    """Of the points where searches ended, those at the maximum have principal columns; some are there."""
    best = float(likelihood.log_likelihood(maximum(p), p.sigma2, p.S))
    at_top = ends[model.profile_elbo(ends, p.sigma2, p.S) > best - 1e-9 * abs(best)]
    check(len(at_top) > 0, "no search reached the maximum")
    # Polished by root finding: a maximum without flat directions is then known to its condition number.
    polished = find_roots(
        lambda w: model.profile_gradient(w, p.sigma2, p.S),
        lambda w: model.profile_hessian(w, p.sigma2, p.S),
        at_top,
    )
    check(polished.count(CONVERGED) == len(at_top), "a maximum could not be polished")
    for weights in polished.W:
        attains_the_maximum(weights, p)
        # |gradient| <= 1e-11 over the smallest curvature: eigenvalues 5 % apart, or a noise as close to one.
        record(worst_error=has_principal_columns(weights, p, tolerance=1e-6))


def _climbed(p, rng, learn_noise=False):
    """W and sigma2 where a search over W (and log sigma2) for the maximum of the profile ELBO ends."""

    def value_and_gradient(x):
        weights, s = x[:-1].reshape(p.n, p.k), float(np.exp(x[-1])) if learn_noise else p.sigma2
        noise_slope = s * model.profile_noise_gradient(weights, s, p.S) if learn_noise else 0.0
        slope = np.append(model.profile_gradient(weights, s, p.S).ravel(), noise_slope)
        return model.profile_elbo(weights, s, p.S), slope

    x = climb(value_and_gradient, 0.5 * rng.standard_normal(p.n * p.k + 1))
    return x[:-1].reshape(p.n, p.k), float(np.exp(x[-1]))


@LARGEST.evidence(role="supports", kind="numeric")
def test_searches_that_learn_the_noise_end_there_too(record, thorough):
    rng = np.random.default_rng(2)
    for _ in range(thorough(10, 100)):
        p = random_problem(rng, int(rng.integers(3, 7))).with_learned_noise()
        best = float(likelihood.log_likelihood(maximum(p), p.sigma2, p.S))
        ends = [_climbed(p, rng, learn_noise=True) for _ in range(4)]
        values = [float(model.profile_elbo(weights, s, p.S)) for weights, s in ends]
        weights, s = ends[int(np.argmax(values))]
        agree(max(values), best, tolerance=1e-10)
        # What a search that compares values can tell: the root of 1e-10 over the smallest curvature.
        record(instances=4, worst_error=has_principal_columns(weights, p, tolerance=1e-3))
        agree(s, p.sigma2, tolerance=1e-3)


@UNIQUE.evidence(role="supports", kind="property")
@given(p=hard_problems(max_n=4))
def test_the_maximum_is_without_flat_directions_exactly_under_the_conditions(p, record):
    # In the basis in which S is diagonal; a noise that equals a discarded eigenvalue is flat at second order only and
    # has its own test below.
    q = held(p)
    assume(q == p.k or not any(p.lam == p.sigma2))
    p = SpectralProblem(p.lam, np.eye(p.n), p.k, p.sigma2)
    closed = np.array(list(_curvatures(p)))
    size = (1 + p.lam[0] / p.sigma2) / p.sigma2  # of the terms that the Hessian is a sum of
    doubtful = p.rounding * size
    assume(all((closed == 0) | (np.abs(closed) > doubtful)))  # near-ties that floating point cannot resolve
    values = np.linalg.eigvalsh(model.profile_hessian(maximum(p), p.sigma2, p.S))
    record(worst_error=agree(values, np.sort(closed), tolerance=p.rounding, scale=size))
    same(bool(values.max() < -doubtful), conditions(p))


def _curvatures(p):
    """All nk eigenvalues of the Hessian of the profile ELBO at the maximum (theory 3.5)."""
    q, lam, s = held(p), p.lam, p.sigma2
    lengths = np.sqrt(lam[:q] - s)
    for a in range(q):
        yield -2 * (lam[a] - s) / lam[a] ** 2
        yield from ((lam[j] / lam[a] - 1) / s for j in range(q, p.n))
        yield from (-(lam[a] - s) / s / lam[a] for _ in range(p.k - q))
        for b in range(a):
            yield -((lengths[a] + lengths[b]) ** 2) / lam[a] / lam[b]
            yield -((lengths[a] - lengths[b]) ** 2) / lam[a] / lam[b]
    yield from ((lam[j] - s) / s**2 for j in range(q, p.n) for _ in range(p.k - q))


@UNIQUE.evidence(role="supports", kind="numeric")
def test_a_collapsed_column_does_no_harm(record):
    # lam = (4, 3, 1), sigma2 = 2, k = 3: lam_3 < sigma2, the third column is zero, and the maximum still isolated.
    rng = np.random.default_rng(3)
    p = SpectralProblem(np.array([4.0, 3.0, 1.0]), random_rotation(rng, 3), 3, 2.0)
    check(conditions(p) and held(p) == 2, "not the instance that was meant")
    values = np.linalg.eigvalsh(model.profile_hessian(maximum(p), p.sigma2, p.S))
    at_most(values.max(), -0.01)
    with rejected():  # with lam_2 tied to lam_1 it is not isolated
        tied = SpectralProblem(np.array([4.0, 4.0, 1.0]), p.U, 3, 2.0)
        at_most(np.linalg.eigvalsh(model.profile_hessian(maximum(tied), tied.sigma2, tied.S)).max(), -0.01)
    _check_ends(p, np.stack([_climbed(p, rng)[0] for _ in range(20)]), record)
    record.witness(
        "lam = (4, 3, 1), sigma2 = 2, k = 3: W = (sqrt(2) u_1, u_2, 0), isolated (largest curvature "
        f"{values.max():.4f}) though lam_3 < sigma2"
    )


@UNIQUE.evidence(role="supports", kind="numeric")
def test_a_noise_on_a_discarded_eigenvalue_does_no_harm_either(record):
    # lam = (4, 2, 1), sigma2 = 2, k = 2: flat to second order towards u_2, falling at fourth.
    p = SpectralProblem(np.array([4.0, 2.0, 1.0]), np.eye(3), 2, 2.0)
    best = maximum(p)
    values = np.linalg.eigvalsh(model.profile_hessian(best, 2.0, p.S))
    agree(values.max(), 0.0, tolerance=1e-14)
    same(int((values > -1e-9).sum()), 1)
    X = np.zeros((3, 2))
    X[1, 1] = 1.0
    for h in (0.05, 0.2, 1.0, 5.0):
        fall = model.profile_elbo(best + h * X, 2.0, p.S) - model.profile_elbo(best, 2.0, p.S)
        check(fall < -1e-8, "flat beyond second order")
        record(worst_error=agree(fall, -(np.log1p(h * h / 2) - h * h / (2 + h * h)) / 2, tolerance=1e-6))


@UNIQUE.evidence(role="supports", kind="numeric")
def test_real_data_are_identified(record, xp):
    covariance = data("digits")
    p = SpectralProblem(covariance.eigenvalues, covariance.eigenvectors, 10, float(covariance.eigenvalues[12]))
    check(conditions(p), "the digits have a tie among their first eigenvalues")
    weights, S_ = maximum(p), covariance.matrix()
    H = model.profile_hessian(xp.asarray(weights), p.sigma2, xp.asarray(S_))
    at_most(float(xp.linalg.eigvalsh(H).max()), -1e-6)
    gradient = model.profile_gradient(xp.asarray(weights), p.sigma2, xp.asarray(S_))
    record(worst_error=agree(gradient, np.zeros_like(weights), tolerance=1e-11, scale=p.sigma2**-0.5))


@TIES.evidence(role="supports", kind="numeric")
def test_with_tied_retained_eigenvalues_the_axes_are_not_identified(record):
    # S = diag(2, 2, 1), sigma2 = 1, k = 2, the maximum-likelihood noise.
    p = SpectralProblem(np.array([2.0, 2.0, 1.0]), np.eye(3), 2, 1.0)
    same(p.with_learned_noise().sigma2, 1.0)
    _check_not_identified(p, lambda t: np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)], [0, 0]]), record)
    record.witness(
        "S = diag(2, 2, 1), sigma2 = 1, k = 2: W = [[.8, -.6], [.6, .8], [0, 0]] has the ELBO of the maximum, as every "
        "rotation of u_1, u_2 has; its columns are neither u_1 nor u_2"
    )


@TIES.evidence(role="supports", kind="numeric")
def test_with_a_tie_at_the_edge_the_subspace_is_not_identified(record):
    # S = diag(3, 2, 2, 1), k = 2: sigma2 = 3/2; the second column is any axis in the plane of u_2, u_3.
    p = SpectralProblem(np.array([3.0, 2.0, 2.0, 1.0]), np.eye(4), 2, 1.5)
    same(p.with_learned_noise().sigma2, 1.5)
    l_1, l_2 = np.sqrt(1.5), np.sqrt(0.5)

    def turned(t):
        return np.array([[l_1, 0], [0, l_2 * np.cos(t)], [0, l_2 * np.sin(t)], [0, 0]])

    _check_not_identified(p, turned, record)
    record.witness(
        "S = diag(3, 2, 2, 1), sigma2 = 3/2, k = 2: W = [[sqrt 1.5, 0], [0, .8 sqrt .5], [0, .6 sqrt .5], [0, 0]] "
        "has the ELBO of the maximum; its second column is neither sqrt .5 u_2 nor sqrt .5 u_3"
    )


def _check_not_identified(p, turned, record):
    """Global maxima in floating point, (.8, .6) among them, whose columns are no principal axes."""
    check(not conditions(p), "not the instance that was meant")
    for t in (np.arctan2(0.6, 0.8), 0.1, 1.0, 2.5):
        record(worst_error=attains_the_maximum(turned(t), p, tolerance=1e-14))
        try:
            has_principal_columns(turned(t), p, tolerance=1e-6)
        except Disagreement:
            continue
        raise Disagreement("the turned columns are principal axes after all")


@UNIQUE.evidence(role="supports", kind="numeric")
def test_signs_and_order_are_not_identified(record):
    p = SpectralProblem(np.array([4.0, 3.0, 1.0]), np.eye(3), 2, 1.0)
    values = [
        attains_the_maximum(maximum(p)[:, order] * signs, p, tolerance=1e-14)
        for order in map(list, permutations(range(2)))
        for signs in product((-1.0, 1.0), repeat=2)
    ]
    same(len(values), 8)
    record(instances=8, worst_error=max(values))
    record.witness(
        "S = diag(4, 3, 1), sigma2 = 1, k = 2: eight global maxima, W = (+-sqrt 3 u_1, +-sqrt 2 u_2) and their swaps"
    )


@MAXIMAL.evidence(role="control", kind="numeric")
def test_rotated_maxima_of_the_likelihood_are_rejected():
    # They attain max L, as in pPCA, but neither is their ELBO maximal nor are their columns principal axes.
    rng = np.random.default_rng(4)
    p = random_problem(rng, 5, 3).with_learned_noise()
    rotated = maximum(p) @ random_rotation(rng, 3)
    agree(likelihood.log_likelihood(rotated, p.sigma2, p.S), attained(p), tolerance=1e-12)
    with rejected():
        attains_the_maximum(rotated, p)
    with rejected():
        has_principal_columns(rotated, p, tolerance=1e-3)


def attained(p):
    """max L at the noise of p."""
    return likelihood.log_likelihood(maximum(p), p.sigma2, p.S)


@LARGEST.evidence(role="control", kind="numeric")
def test_other_columns_are_rejected():
    p = random_problem(np.random.default_rng(5), 5, 2).with_learned_noise()
    good = maximum(p)
    has_principal_columns(-good[:, ::-1], p, tolerance=1e-12)
    unscaled = p.U[:, :2] * np.sqrt(p.lam[:2])  # without the noise taken off
    other = p.U[:, [0, 2]] * np.sqrt(np.maximum(p.lam[[0, 2]] - p.sigma2, 0))
    repeated = good[:, [0, 0]]
    for weights in (unscaled, other, repeated):
        with rejected():
            has_principal_columns(weights, p, tolerance=1e-3)
        with rejected():
            attains_the_maximum(weights, p)


@UNIQUE.evidence(role="control", kind="numeric")
def test_asking_for_lam_k_above_the_noise_is_rejected():
    # As a condition for an isolated maximum it says no where the Hessian says yes.
    p = SpectralProblem(np.array([4.0, 3.0, 1.0]), np.eye(3), 3, 2.0)
    values = np.linalg.eigvalsh(model.profile_hessian(maximum(p), p.sigma2, p.S))
    with rejected():
        same(bool(values.max() < -1e-9), conditions(p) and bool(p.lam[p.k - 1] > p.sigma2))


@LARGEST.evidence(role="control", kind="symbolic")
def test_slips_in_the_words_are_rejected():
    with rejected():  # with a gap the columns are no eigenvectors: S W = W M, and M is not its diagonal
        same(reduce(S @ W, *LIKELIHOOD_POINT), W @ diag(M))
    with rejected():  # the eigenvalue without the noise
        same(reduce(S @ W, *ORTHOGONAL_POINT), W @ (K - sigma2 * identity(k)))
    for wrong in (
        sum_of_gains() * 2,
        sum_of_gains() + k / 2,  # as if a zero column cost something
        (trace(K) / sigma2 - k) / 2,  # without the normaliser, log det C
        (trace(K) / sigma2 - k + log_det(K) - k * sp.log(sigma2)) / 2,
    ):
        with rejected():
            same(rise_in_words(), wrong)
    x, s, above = sp.symbols("x s excess", positive=True)
    with rejected():  # without the normaliser a latent at the noise would still gain by shrinking
        check(sp.diff(sp.log(x / s) - x / s, x).subs(x, s + above).factor().is_positive, "falls above the noise")


def check_definite_in_balls(lam, columns, noise, learned=False, objective="elbo"):
    """At the principal columns there is one stationary point, and the Hessian of P is negative definite."""
    held = tuple(range(min(columns, sum(x > noise for x in lam))))
    plain = certificates.plain(objective, held, columns)
    point = certificates.Stated(lam, plain, noise, learned=learned)
    certified(point.inertia(0, len(lam) * columns + learned, 0))


@DEFINITE.evidence(role="supports", kind="certificate", strength="certified")
@pytest.mark.parametrize("name", certificates.LANDSCAPES)
def test_in_balls_the_maximum_is_isolated(record, name):
    """All nk eigenvalues are negative, ties split by 1e-12 included; not those of L, which turns at no cost."""
    pytest.importorskip("flint")
    at = certificates.LANDSCAPES[name]
    check_definite_in_balls(at.lam, at.k, at.noise)
    # More columns than exceed the noise: the maximum has zero columns.
    check_definite_in_balls(at.lam, at.k, (at.lam[0] + at.lam[1]) / 2)
    record(instances=2)
    with rejected():
        check_definite_in_balls(at.lam, at.k, at.noise, objective="ppca")
    for i, j in ((at.k - 1, at.k), (0, 1)):  # a tie of a retained and a discarded one, of two retained ones
        tied = tuple(at.lam[i] if a == j else x for a, x in enumerate(at.lam))
        with rejected():
            check_definite_in_balls(tied, at.k, at.noise)
    with rejected():  # a zero column, and an eigenvalue that is the noise
        check_definite_in_balls(at.lam, at.k, at.lam[1])


@NOISE.evidence(role="supports", kind="certificate", strength="certified")
@pytest.mark.parametrize("name", certificates.LANDSCAPES)
def test_in_balls_the_noise_of_the_isolated_maximum_is_the_mean_of_the_smallest(record, name):
    pytest.importorskip("flint")
    at = certificates.LANDSCAPES[name]
    mean = certificates.noise_at_rest(at, tuple(range(at.k)))
    check_definite_in_balls(at.lam, at.k, mean, learned=True)
    record(instances=1)
    with rejected():
        check_definite_in_balls(at.lam, at.k, mean * (1 + Fraction(1, 10**12)), learned=True)


@LARGEST.evidence(role="supports", kind="certificate", strength="certified")
@pytest.mark.parametrize("name", certificates.LANDSCAPES)
def test_in_balls_a_smaller_eigenvalue_or_a_zero_column_is_no_maximum(record, name):
    """The stationary points with orthogonal columns that do not hold the largest: P rises at each."""
    pytest.importorskip("flint")
    at = certificates.LANDSCAPES[name]
    largest = at.top
    for A in certificates.retained_sets(at):
        point = certificates.Stated(at.lam, certificates.plain("elbo", A, at.k), at.noise)
        if largest != A:
            certified(point.saddle(Fraction(0), point.vectors))
            record(instances=1)
        else:
            with rejected():
                certified(point.saddle(Fraction(0), point.vectors))
