"""Eqs. 24-28: what the ELBO falls short of the likelihood when the encoder is optimal.

Statement   at V* = M^-1 W^T and D* = sigma2 diag(M)^-1, KL(q(z|x), p(z|x)) =
            (24) 1/2 (tr(M D)/sigma2 - k + k log sigma2 - log(det M det D))
            (25) 1/2 (tr(M diag(M)^-1) - k - log(det M / det diag(M)))
            (26, 27) = (28) 1/2 (log det diag(M) - log det M) >= 0, zero iff the columns of W are orthogonal.
Hypotheses  sigma2 > 0; V and D optimal, W arbitrary (it need not be stationary). S may be singular: what Eq. 22
            leaves open of V does not enter.
Source      Lucas et al. 2019, App. C.2.
Method      line by line in words, for all n and k. Sign: with Q^2 = diag(M)^-1 the matrix Z = Q M Q has trace k
            and log det Z = -2 gap, so 2 gap = sum_i (z_i - 1 - log z_i) over its eigenvalues z_i > 0, and
            z - 1 - log z >= 0 with equality only at 1. All z_i are 1 iff Z = I iff M is diagonal.
            Hadamard's inequality is not used; it is the same thing.
Trusted     the posterior (claim eq-05-06) and V*, D* (claims eq-22, eq-21); the spectral theorem (Z is symmetric and
            positive: trace and log det are sums over its eigenvalues); Jacobi's formula, for log det C; the normal form
            of words; SymPy's algebra.
"""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given

from proofs.machinery.checks import agree, at_most, certified, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.boxes import outcome_on
from proofs.problems.linear_vaes import Problem, hard_vaes, random_vae
from verify import reference
from verify.arrays import to_numpy
from verify.models import linear_vae as model
from verify.models import ppca as likelihood
from verify.symbolic import linear_vae, ppca
from verify.symbolic.differentials import gradient
from verify.symbolic.evaluation import on_arrays, on_matrices
from verify.symbolic.explicit import Explicit
from verify.symbolic.letters import (
    C,
    D,
    M,
    S,
    V,
    W,
    gram,
    k,
    log_det_of_marginal,
    marginal_precision,
    n,
    sigma2,
    woodbury,
)
from verify.symbolic.matrix_calculus import diag, identity, inverse, letter, zero
from verify.symbolic.relations import expand, reduce, relation, substitute, substitute_log_det
from verify.symbolic.traces import Scalar, log_det, trace

CLAIM = Claim(
    id="eq-24-28",
    source="Eqs. 24-28, App. C.2",
    statement="at the optimal encoder KL(q, posterior) = 1/2 (log det diag(M) - log det M) >= 0, zero iff the "
    "columns of W are orthogonal",
    hypotheses="sigma2 > 0; V, D optimal, W arbitrary",
    section="The linear VAE",
    rests_on=("eq-05-06", "eq-16-20", "eq-21", "eq-22"),
    trusts=("gaussian-moments", "jacobi", "spectral"),
)
EQ_24 = CLAIM.step(
    "eq-24",
    "wherever V is stationary, KL(q, posterior), averaged over the data, is Eq. 24, whatever D, for all n and k",
    says="eq_05_06 & eq_22 & gaussian_moments -> line_24",
    place="Proposition 7",
)
EQ_28 = CLAIM.step(
    "eq-25-28", "at D* Eq. 24 is each of Eqs. 25 to 28", says="line_24 & eq_21 -> line_28", place="Proposition 7"
)
SHORTFALL = CLAIM.step(
    "shortfall",
    "KL(q, posterior), averaged over the data, is what the ELBO falls short of the likelihood, at every encoder, for "
    "all n and k",
    says="jacobi & eq_05_06 & eq_16_20 -> shortfall",
    place="Proposition 7",
)
SIGN = CLAIM.step(
    "sign",
    "twice Eq. 28 is the sum of z - 1 - log z, which is 0 at z = 1 and positive elsewhere, over the k eigenvalues z > "
    "0 of E^{-1/2} M E^{-1/2}, E = diag(M)",
    says="spectral -> nonnegative & (zero | ~all_one) & (all_one | ~zero)",
    place="Proposition 7",
)
ZERO = CLAIM.step(
    "zero",
    "all z are 1 iff M is diagonal iff the columns of W are orthogonal, for all n and k",
    says="spectral -> (orthogonal | ~all_one) & (all_one | ~orthogonal)",
    place="Proposition 7",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "so at the optimal encoder the ELBO is short of L by Eq. 28, which is >= 0, and 0 iff the columns are orthogonal",
)


def line_24() -> Scalar:
    """Eq. 24, with D not yet at its optimum."""
    return (trace(M @ D) / sigma2 - k + k * sp.log(sigma2) - log_det(M) - log_det(D)) / 2


def line_25() -> Scalar:
    """Eq. 25."""
    return (trace(M @ inverse(diag(M))) - k - log_det(M) + log_det(diag(M))) / 2


def line_28() -> Scalar:
    """Eq. 28."""
    return (log_det(diag(M)) - log_det(M)) / 2


@EQ_24.evidence(role="supports", kind="symbolic", strength="proved")
def test_eq_24_at_every_encoder_that_is_stationary_in_v(record):
    best, _ = linear_vae.optimal_encoder()
    # The posterior KL is line 24 plus a term that vanishes with (V - V*) S, which is Eq. 22.
    of_mean = trace((V - best).T @ M @ (V - best) @ S) / (2 * sigma2)
    same(reduce(linear_vae.posterior_kl() - of_mean, gram), reduce(line_24(), gram))
    Y = letter("Y", k, n)
    stationary = substitute(linear_vae.posterior_kl(), {"V": best + Y})
    same(reduce(stationary, relation(Y @ S, zero(k, n)), gram), reduce(line_24(), gram))
    with rejected():  # where V is not stationary
        same(reduce(stationary, gram), reduce(line_24(), gram))
    record(instances=2)


@EQ_28.evidence(role="supports", kind="symbolic", strength="proved")
def test_eq_25_to_28_line_by_line(record):
    _, best = linear_vae.optimal_encoder()
    same(substitute(line_24(), {"D": best}), line_25())
    # Eqs. 26 and 27: M_ii / M_ii is summed k times.
    same(trace(M @ inverse(diag(M))), Scalar(k))
    same(line_25(), line_28())
    same(linear_vae.gap(), line_28())
    record(instances=4)
    record.witness(f"gap = {linear_vae.gap()} for all n, k")


@SHORTFALL.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_gap_is_what_separates_the_elbo_from_the_likelihood(record):
    # C^-1 (Woodbury): C times the right side is I.
    same(reduce(expand(C, C) @ woodbury(), gram), identity(n))
    # log det C (Sylvester): the same gradient in W, and the same value n log sigma2 at W = 0.
    difference = log_det(C) - log_det_of_marginal()
    same(reduce(gradient(difference, W), marginal_precision(), gram), 0 * W)
    same(substitute(difference, {"W": zero(n, k)}), Scalar(0))
    in_M = reduce(ppca.log_likelihood(), marginal_precision(), gram)
    in_M = substitute_log_det(in_M, C, log_det_of_marginal())
    same(reduce(in_M - linear_vae.elbo(), gram), reduce(linear_vae.posterior_kl(), gram))
    same(in_M - linear_vae.at_optimal_encoder(linear_vae.elbo()), line_28())
    with rejected():  # without the noise in the discarded dimensions
        same(substitute(difference - (n - k) * sp.log(sigma2), {"W": zero(n, k)}), Scalar(0))
    record(instances=4)


@SIGN.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_gap_is_a_sum_of_nonnegative_terms_over_eigenvalues(record):
    Q = letter("Q", k, k, "diagonal")
    square = relation(Q @ Q, inverse(diag(M)))
    same(reduce(trace(Q @ M @ Q), square), Scalar(k))
    # log det Z, with 2 log det Q = -log det diag(M).
    log_det_Z = substitute_log_det(log_det(Q @ M @ Q), Q, log_det(diag(M)) / -2)
    same(log_det_Z, -2 * line_28())
    z = sp.Symbol("z", positive=True)
    term = z - 1 - sp.log(z)
    vanishes(term.subs(z, 1))
    same(sp.solve(sp.diff(term, z), z), [1])
    check(sp.diff(term, z, 2).is_positive, "z - 1 - log z is not convex")
    with rejected():  # a trace of k is needed: z - log z is not 0 at 1
        vanishes((term + 1).subs(z, 1))
    with rejected():  # the unscaled M has another trace
        same(reduce(trace(M), square), Scalar(k))
    record(instances=3)


@ZERO.evidence(role="supports", kind="symbolic", strength="proved")
def test_all_eigenvalues_are_one_iff_the_columns_are_orthogonal(record):
    """A symmetric Z has only the eigenvalue 1 iff Z = I; Z = Q M Q with Q^2 = diag(M)^-1."""
    Q = letter("Q", k, k, "diagonal")
    square = (relation(Q @ Q, inverse(diag(M))), relation(inverse(Q) @ inverse(Q), diag(M)))
    # Q M Q = I says M = Q^-2 = diag(M), and conversely.
    same(reduce(inverse(Q) @ identity(k) @ inverse(Q), *square), diag(M))
    same(inverse(Q) @ (Q @ M @ Q) @ inverse(Q), M)
    same(reduce(Q @ diag(M) @ Q, *square), identity(k))
    # Off the diagonal M_ij is w_i^T w_j.
    same(M - diag(M), reduce(W.T @ W - diag(W.T @ W), gram))
    with rejected():  # orthonormal columns are more than is needed
        same(M - diag(M), reduce(W.T @ W - identity(k), gram))
    record(instances=4)


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_the_gap_and_when_it_is_zero(record):
    premises = {name: name.replace("-", "_") for name in (*CLAIM.rests_on, *CLAIM.trusts)}
    goal = "line_28 & shortfall & nonnegative & (zero & orthogonal | ~zero & ~orthogonal)"
    record(instances=concludes(CLAIM, goal, premises))
    with rejected():  # as if there were never a gap
        concludes(CLAIM, f"{goal} & zero", premises)


@SIGN.evidence(role="supports", kind="certificate", strength="certified")
@pytest.mark.parametrize("size", [2, 3, 4])
def test_a_sum_of_squares_says_the_same_of_small_matrices(size, record):
    """M = L L^T (Cholesky): prod M_ii - det M is a sum of squares of monomials in L, with positive coefficients."""
    entries = {(i, j): sp.Symbol(f"l{i}{j}") for i in range(size) for j in range(i + 1)}
    L = sp.Matrix(size, size, lambda i, j: entries.get((i, j), 0))
    excess = sp.prod((L * L.T).diagonal()) - sp.prod(L[i, i] ** 2 for i in range(size))
    _check_squares(sp.Poly(excess, *entries.values()))
    with rejected():
        _check_squares(sp.Poly(excess - 2 * sp.prod(entries.values()), *entries.values()))
    record()


@SIGN.evidence(role="supports", kind="certificate", strength="certified")
def test_the_determinant_of_every_correlation_matrix_is_below_one_in_ball_arithmetic(record):
    """k = 2, 3, all correlations in [-1, 1]: 1 - det R > 0 but at R = I; twice the gap is -log det R.

    Scaling the latents does not change the gap, so M_ii = 1; for k = 3 the largest correlation is s, the others s a and
    s b, and the order of the latents is free.
    """
    certified(outcome_on("gap of two", ">", [("-1", "1")]))
    found = outcome_on("gap of three", ">", [("-1", "1")] * 3)
    certified(found)
    for box in ([("1/2", "1")] * 3, [("0", "1/8")] * 3):
        with rejected():  # the other sign
            certified(outcome_on("gap of three", "<", box))
    record(instances=2)
    record.witness(f"1 - det R > 0 for all correlations of two and of three columns, but for R = I: {found.reason}")


def _check_squares(poly):
    for powers, coefficient in poly.terms():
        check(coefficient > 0 and all(p % 2 == 0 for p in powers), f"{coefficient} times {powers} is no square")


@EQ_28.evidence(role="supports", kind="symbolic")
@pytest.mark.parametrize("size", [(1, 2), (3, 2), (2, 3)], ids=str)
def test_the_derived_gap_on_explicit_matrices(size, record):
    explicit = Explicit(*size)
    gap = on_matrices(linear_vae.gap(), explicit.matrices, explicit.values)
    gram_matrix = explicit.W.T * explicit.W + explicit.sigma2 * sp.eye(size[1])
    ratio = sp.prod(gram_matrix.diagonal()) / gram_matrix.det()
    vanishes(explicit.at_rationals(sp.exp(2 * gap) - ratio, 1))
    if size[1] == 2:
        cosine2 = gram_matrix[0, 1] ** 2 / (gram_matrix[0, 0] * gram_matrix[1, 1])
        vanishes(sp.together(ratio - 1 / (1 - cosine2)))
    record()


@SHORTFALL.evidence(role="supports", kind="numeric")
def test_elbo_plus_gap_is_the_likelihood_at_the_optimal_encoder(record, thorough, xp):
    rng = np.random.default_rng(24)
    for _ in range(thorough(50, 500)):
        p = random_vae(rng, *(int(i) for i in rng.integers(1, 8, 2)))
        W, _, _, s, S = p.on(xp)
        V, D = model.optimal_encoder(W, s)
        gap = model.gap(W, s)
        # A handful of sums of order-1 terms in float64.
        together = model.elbo(W, V, D, s, S) + gap
        record(worst_error=agree(together, likelihood.log_likelihood(W, s, S), tolerance=1e-12))
        values = {n: p.W.shape[0], k: p.W.shape[1], sigma2: p.sigma2}
        record(worst_error=agree(gap, on_arrays(linear_vae.gap(), {"W": p.W}, values), tolerance=1e-12, scale=1))
        record(worst_error=agree(model.profile_elbo(W, s, S), together - gap, tolerance=1e-12))


@EQ_28.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize("cosine", [1e-1, 1e-3, 1e-5, 1e-7, 1e-9])
def test_the_gap_of_nearly_orthogonal_columns_is_right_to_the_rounding_of_one(cosine, record, xp):
    rng = np.random.default_rng(28)
    for columns in (2, 3, 5):
        W = _nearly_orthogonal(rng, 6, columns, cosine)
        actual, expected = model.gap(xp.asarray(W), 0.3), float(reference.gap(W, 0.3))
        record(worst_error=agree(actual, expected, tolerance=_rounding(columns), scale=1.0))


@SIGN.evidence(role="supports", kind="property")
@given(p=hard_vaes())
def test_the_gap_is_nonnegative_and_zero_only_for_orthogonal_columns(p, record, xp):
    W, _, _, s, _ = p.on(xp)
    gap = float(to_numpy(model.gap(W, s)))
    # Relative to the condition number of the scaled M, which is what its determinant feels.
    scaled = _scaled(p)
    slack = 10 * len(scaled) * np.finfo(float).eps * np.linalg.cond(scaled)
    at_most(-gap, 0.0, slack=slack)
    # A gap without angles between columns is excluded, and angles without a gap: gap >= max cos^2 / 2.
    off_diagonal = scaled - np.diag(np.diag(scaled))
    at_most(np.max(off_diagonal**2) / 2, gap, slack=slack)
    orthogonal = np.linalg.qr(p.W)[0] * np.linalg.norm(p.W, axis=0)
    record(worst_error=agree(model.gap(xp.asarray(orthogonal), s), 0.0, tolerance=1e-14))


@SIGN.evidence(role="control", kind="numeric")
def test_the_whole_square_of_a_cosine_is_not_below_the_gap():
    W, s = np.array([[1.0, 1.0], [0.0, 2.0]]), 0.5  # M = [[3/2, 1], [1, 11/2]]: cos^2 = 4/33
    gap = model.gap(W, s)
    at_most(4 / 33 / 2, gap)
    with rejected():
        at_most(4 / 33, gap)


@SHORTFALL.evidence(role="supports", kind="property")
@given(p=hard_vaes())
def test_no_encoder_closes_the_gap_on_hostile_spectra(p, record, xp):
    W, V, D, s, S = p.on(xp)
    best_V, best_D = model.optimal_encoder(W, s)
    profile = model.profile_elbo(W, s, S)
    at_best = Problem(p.W, to_numpy(best_V), to_numpy(best_D), p.sigma2, p.S)
    # Rounding is relative to the largest terms, and solving with M loses its condition number.
    size = at_best.size_of_elbo
    loss = 1e-13 + 20 * np.linalg.cond(p.M) * np.finfo(float).eps
    reached = model.elbo(W, best_V, best_D, s, S)
    record(worst_error=agree(reached, profile, tolerance=loss, scale=size))
    at_most(model.elbo(W, V, D, s, S), profile, slack=loss * (size + p.size_of_elbo))


@EQ_28.evidence(role="control", kind="symbolic")
def test_a_slip_in_the_gap_is_rejected():
    for wrong in (
        2 * line_28(),  # without the 1/2
        -line_28(),  # the sign
        line_28() + k / 2,  # with the k of Eq. 26 left over
        (log_det(diag(M)) + log_det(M)) / 2,  # the sign of one term
    ):
        with rejected():
            same(linear_vae.gap(), wrong)


@EQ_24.evidence(role="control", kind="symbolic")
def test_eq_24_is_rejected_for_an_encoder_that_is_not_optimal():
    with rejected():
        same(reduce(linear_vae.posterior_kl(), gram), reduce(line_24(), gram))
    # V = W^T / sigma2 forgets that M is not sigma2 I.
    wrong = substitute(linear_vae.posterior_kl(), {"V": W.T / sigma2})
    with rejected():
        same(reduce(wrong, gram), reduce(line_24(), gram))


@EQ_28.evidence(role="control", kind="numeric")
def test_the_reference_rejects_a_gap_without_the_noise_even_at_tiny_cosines():
    # W^T W for M: a difference of 1e-11 at cosines of 1e-5.
    W = _nearly_orthogonal(np.random.default_rng(28), 6, 5, 1e-5)
    expected = float(reference.gap(W, 0.3))
    agree(model.gap(W, 0.3), expected, tolerance=_rounding(5), scale=1.0)
    with rejected():
        agree(model.gap(W, 0.0), expected, tolerance=_rounding(5), scale=1.0)


@SHORTFALL.evidence(role="control", kind="numeric")
def test_a_gap_at_another_encoder_is_rejected():
    p = random_vae(np.random.default_rng(25), 5, 3)
    V, D = model.optimal_encoder(p.W, p.sigma2)
    elbo = model.elbo(p.W, V, 1.01 * D, p.sigma2, p.S)
    with rejected():
        expected = likelihood.log_likelihood(p.W, p.sigma2, p.S)
        agree(elbo + model.gap(p.W, p.sigma2), expected, tolerance=1e-12)


def _nearly_orthogonal(rng, n, k, cosine):
    """(n, k) with columns of different lengths whose angles have cosines of about this size."""
    directions = np.linalg.qr(rng.standard_normal((n, k)))[0] + cosine * rng.standard_normal((n, k))
    return directions * rng.uniform(0.5, 2.0, k)


def _rounding(k):
    """What M of unit diagonal, I + O(cosine), leaves: the rounding of its entries and of a small determinant."""
    return 4 * k * np.finfo(float).eps


def _scaled(p):
    """M with its diagonal scaled to 1: the cosines of the columns of W, damped by the noise."""
    root = np.sqrt(np.diag(p.M))
    return p.M / root / root[:, None]
