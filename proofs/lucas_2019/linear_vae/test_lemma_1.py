"""Lemma 1: the global maximum of the linear VAE's ELBO is that of the pPCA likelihood.

Statement   sup over W, V, D (and sigma2, or at each fixed sigma2) of the ELBO = sup over W (and sigma2) of L, and one
            is attained iff the other is; at W = U_k (Lam_k - sigma2 I)^{1/2} (R = I), V = M^-1 W^T, D = sigma2 M^-1
            they are equal.
Hypotheses  S with 1/N, about the mu of the model. None on the rank of S: where L has no maximum (sigma2 learned, rank S
            <= k and rank S < n), neither has the ELBO.
Source      Lucas et al. 2019, Lemma 1; Eqs. 7, 8 and 28.
Method      L - ELBO = KL(q, posterior) in words, for all n, k, W, V, D; it is 1/2 sum (z - 1 - log z) over the
            eigenvalues z of D^{1/2} M D^{1/2}/sigma2, plus a mean of squares over the data: never negative. For every W
            there is an orthogonal R for which W R has orthogonal columns; L(W R) = L(W), and there the gap is 0. So for
            every number t the ELBO is >= t somewhere iff L is. Beside it: searches, 50 digits, balls at hard spectra.
Trusted     eq-24-28 for L - ELBO and for the gap; the spectral theorem; the rules of verify.symbolic.
"""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.machinery.checks import agree, at_most, check, rejected, same
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems import certificates
from proofs.problems.spectra import climb, data, hard_problems, random_problem, random_rotation
from verify import reference
from verify.arrays import to_numpy
from verify.certify.checker.balls import ball, diagonal, flint, precision
from verify.landscape.families import fixed_noise_families
from verify.landscape.stationary import learned_noise_points
from verify.models import linear_vae as model
from verify.models import ppca as likelihood
from verify.symbolic import linear_vae, ppca
from verify.symbolic.evaluation import on_arrays
from verify.symbolic.expectations import expectation
from verify.symbolic.letters import C, D, M, S, V, W, gram, k, log_det_of_marginal, marginal_precision, n, sigma2, x
from verify.symbolic.matrix_calculus import defined, identity, inverse, letter
from verify.symbolic.relations import expand, reduce, relation, substitute, substitute_log_det
from verify.symbolic.traces import Scalar, log_det, trace

CLAIM = Claim(
    id="lemma-1",
    source="Lemma 1, Sec. 4.2",
    statement="the global maximum of the linear VAE's ELBO equals that of the log marginal likelihood of pPCA, and one "
    "exists iff the other does",
    hypotheses="sigma2 learned or fixed, mu learned or at the sample mean",
    section="The linear VAE",
    rests_on=("eq-24-28",),
    trusts=("spectral",),
)
BELOW = CLAIM.step(
    "below",
    "the ELBO is nowhere above L at the same W and sigma2, for all n and k: where the ELBO is >= t, so is L",
    says="shortfall & spectral & elbo_reaches_t -> likelihood_reaches_t",
    place="Lemma 1",
)
REACHED = CLAIM.step(
    "reached",
    "for every W there is an orthogonal R for which W R has orthogonal columns, and L(W R) = L(W): where L is >= t, so "
    "is the ELBO at W R with V*, D*, for all n and k",
    says="tight_at_orthogonal_columns & spectral & likelihood_reaches_t -> elbo_reaches_t",
    place="Lemma 1",
)
PRINCIPAL = CLAIM.step(
    "principal-axes",
    "at W = U_k (Lam_k - sigma2 I)^{1/2}, k <= n, sigma2 <= lam_k, V = M^-1 W^T, D = sigma2 M^-1 the ELBO is L, and "
    "-1/2 [n log 2 pi + sum_{i <= k} log lam_i + (n - k) log sigma2 + k + (sum of the other lam_j)/sigma2]",
    place="Lemma 1",
)
MEAN = CLAIM.step(
    "mean",
    "with another mu, the same in decoder and encoder, S is the second moments about it in both objectives, and all "
    "else stays: so the Lemma holds with mu learned as well, for all n and k",
    place="Lemma 1",
)
CONCLUSION = CLAIM.step(
    "conclusion", "so for every t the ELBO reaches t iff L does: one supremum, attained together", place="Lemma 1"
)

U = letter("U", n, k)
L = letter("L", k, k, "diagonal")
K = defined("K", L @ L + sigma2 * identity(k))  # Lam_k
PRINCIPAL_AXES = (
    relation(U.T @ U, identity(k)),
    relation(S @ U, U @ K),
    relation(L @ L, K - sigma2 * identity(k)),
)


def in_latent_terms(f):
    """f with C^-1, log det C and W^T W in terms of M."""
    return substitute_log_det(reduce(f, marginal_precision(), gram), C, log_det_of_marginal())


def covariance_part():
    """1/2 [tr(M D)/sigma2 - k - log det(M D/sigma2)]."""
    return (trace(M @ D) / sigma2 - k + k * sp.log(sigma2) - log_det(M) - log_det(D)) / 2


def mean_part():
    """1/2 tr((V - V*)^T M (V - V*) S) / sigma2."""
    best, _ = linear_vae.optimal_encoder()
    return trace((V - best).T @ M @ (V - best) @ S) / (2 * sigma2)


@BELOW.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_elbo_is_the_likelihood_less_two_parts_that_are_never_negative(record):
    shortfall = reduce(in_latent_terms(ppca.log_likelihood()) - linear_vae.elbo(), gram)
    same(shortfall, reduce(covariance_part() + mean_part(), gram))
    # The part of the means is a mean of squares over the data: M = W^T W + sigma2 I.
    best, _ = linear_vae.optimal_encoder()
    Y = letter("Y", k, n)
    squares = trace((W @ Y @ x).T @ (W @ Y @ x)) + sigma2 * trace((Y @ x).T @ (Y @ x))
    squares = linear_vae.over_data(squares) / (2 * sigma2)
    same(reduce(mean_part(), gram), reduce(substitute(squares, {"Y": V - best}), gram))
    # The covariance part, over the eigenvalues z of Z = D^{1/2} M D^{1/2} / sigma2 > 0, is 1/2 sum (z - 1 - log z).
    F = letter("F", k, k, "diagonal")
    Z = F @ M @ F / sigma2
    same(substitute(covariance_part(), {"D": F @ F}), (trace(Z) - k - log_det(Z)) / 2)
    z = sp.Symbol("z", positive=True)
    term = z - 1 - sp.log(z)
    same((term.subs(z, 1), sp.solve(sp.diff(term, z), z)), (0, [1]))
    check(sp.diff(term, z, 2).is_positive, "z - 1 - log z is not convex")
    with rejected():  # the other way round, log z above z - 1
        check(sp.diff(-term, z, 2).is_positive, "log z - (z - 1) is not convex")
    record(instances=4)


@REACHED.evidence(role="supports", kind="symbolic", strength="proved")
def test_every_decoder_has_a_rotation_with_orthogonal_columns_for_all_n_and_k(record):
    # W^T W is symmetric: R^T W^T W R = G is diagonal for some orthogonal R (spectral).
    R, G = letter("R", k, k), letter("G", k, k, "diagonal")
    turned = W @ R
    same(reduce(turned.T @ turned, relation(R.T @ W.T @ W @ R, G)), G)
    # L knows W through C = W W^T + sigma2 I alone, and C stays.
    same(ppca.log_likelihood(), -(Scalar(n * sp.log(2 * sp.pi)) + log_det(C) + trace(inverse(C) @ S)) / 2)
    orthogonal = relation(R @ R.T, identity(k))
    same(reduce(turned @ turned.T + sigma2 * identity(n), orthogonal), expand(C, C))
    with rejected():  # a matrix R that is not orthogonal changes L
        same(turned @ turned.T + sigma2 * identity(n), expand(C, C))
    record(instances=3)


@MEAN.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_mean_enters_through_the_second_moments_alone(record):
    m, covariance = letter("m", n, 1), letter("Q", n, n, "symmetric")  # xbar - mu, and the covariance
    second = {"S": covariance + m @ m.T}
    at_datum = linear_vae.reconstruction_at_datum() - linear_vae.kl_at_datum()
    same(expectation(at_datum, x, m, covariance), substitute(linear_vae.elbo(), second))
    same(expectation(ppca.log_density(), x, m, covariance), substitute(ppca.log_likelihood(), second))
    with rejected():  # the covariance alone
        same(expectation(at_datum, x, m, covariance), substitute(linear_vae.elbo(), {"S": covariance}))
    record(instances=2)


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_one_supremum(record):
    premises = {"eq-24-28": "shortfall & tight_at_orthogonal_columns", "spectral": "spectral"}
    record(instances=concludes(CLAIM, "elbo_reaches_t <-> likelihood_reaches_t", premises))
    with rejected():  # that every level is reached
        concludes(CLAIM, "elbo_reaches_t & likelihood_reaches_t", premises)


@PRINCIPAL.evidence(role="supports", kind="symbolic", strength="proved")
def test_at_the_principal_axes_the_elbo_is_the_likelihood_for_all_n_and_k(record):
    # W = U L with R = I: then M = Lam_k is diagonal, and D = sigma2 Lam_k^-1 is the whole posterior covariance.
    same(reduce(L @ U.T @ U @ L + sigma2 * identity(k) - K, *PRINCIPAL_AXES), 0 * M)
    encoder = {"W": U @ L, "M": K, "V": inverse(K) @ L @ U.T, "D": sigma2 * inverse(K)}
    parts = substitute(reduce(covariance_part() + mean_part(), gram), encoder)
    same(reduce(parts, *PRINCIPAL_AXES), Scalar(0))
    # And its value is the maximum of eq-07-08: the last term is n - k at Eq. 7.
    value = reduce(substitute(reduce(linear_vae.elbo(), gram), encoder), *PRINCIPAL_AXES)
    constants = Scalar(n * sp.log(2 * sp.pi) + (n - k) * sp.log(sigma2) + k)
    same(value, -(constants + log_det(K) + (trace(S) - trace(K)) / sigma2) / 2)
    record(instances=3)


@BELOW.evidence(role="supports", kind="numeric")
def test_the_models_differ_by_what_was_derived(record, thorough, xp):
    rng = np.random.default_rng(10)
    for _ in range(thorough(30, 300)):
        p = random_problem(rng)
        W, S_ = xp.asarray(rng.standard_normal((p.n, p.k))), xp.asarray(p.S)
        encoder = rng.standard_normal((p.k, p.n)), rng.uniform(0.3, 2.0, p.k)
        best = [to_numpy(a) for a in model.optimal_encoder(W, p.sigma2)]
        L_ = likelihood.log_likelihood(W, p.sigma2, S_)
        for V_, D_ in (encoder, best):
            letters = {"W": to_numpy(W), "V": V_, "D": np.diag(D_), "S": p.S}
            shortfall = on_arrays(covariance_part() + mean_part(), letters, {n: p.n, k: p.k, sigma2: p.sigma2})
            elbo = model.elbo(W, xp.asarray(V_), xp.asarray(D_), p.sigma2, S_)
            # Sums of terms up to 1e3 for a random encoder, condition numbers below 1e3.
            record(worst_error=agree(L_ - elbo, shortfall, tolerance=1e-11, scale=1 + abs(float(elbo))))
        profile = model.profile_elbo(W, p.sigma2, S_)  # elbo: that of the best encoder, the last of the two
        record(worst_error=agree(profile, elbo, tolerance=1e-11))


@REACHED.evidence(role="supports", kind="numeric")
def test_searches_over_all_parameters_reach_the_likelihood_and_never_exceed_it(record, thorough):
    rng = np.random.default_rng(1)
    for _ in range(thorough(12, 120)):
        p = random_problem(rng, int(rng.integers(3, 6)))
        best = float(likelihood.log_likelihood(*likelihood.maximum_likelihood(p.lam, p.U, p.k), p.S))
        reached = [_climbed(p, rng, learn_noise=True) for _ in range(4)]
        at_most(max(reached), best, slack=1e-12 * abs(best))
        # Right to the square of what is left of the gradient.
        record(instances=4, worst_error=agree(max(reached), best, tolerance=1e-10))


@REACHED.evidence(role="supports", kind="numeric")
def test_so_they_do_at_fixed_noise(record, thorough):
    rng = np.random.default_rng(2)
    for _ in range(thorough(12, 120)):
        p = random_problem(rng, int(rng.integers(3, 6)))
        W = likelihood.fixed_noise_maximum(p.lam, p.U, p.k, p.sigma2)
        best = float(likelihood.log_likelihood(W, p.sigma2, p.S))
        reached = [_climbed(p, rng, learn_noise=False) for _ in range(4)]
        at_most(max(reached), best, slack=1e-12 * abs(best))
        record(instances=4, worst_error=agree(max(reached), best, tolerance=1e-9))


def _climbed(p, rng, learn_noise):
    """The ELBO where a search over W, V, log D and, if it is learned, log sigma2 ends."""
    size = p.n * p.k

    def value_and_gradient(x):
        W, V_ = x[:size].reshape(p.n, p.k), x[size : 2 * size].reshape(p.k, p.n)
        D_ = np.exp(x[2 * size : 2 * size + p.k])
        s = float(np.exp(x[-1])) if learn_noise else p.sigma2
        g = model.gradients(W, V_, D_, s, p.S)
        slope = np.concatenate([g.W.ravel(), g.V.ravel(), D_ * g.D, [s * g.sigma2 if learn_noise else 0.0]])
        return model.elbo(W, V_, D_, s, p.S), slope

    start = 0.5 * rng.standard_normal(2 * size + p.k + 1)
    return float(value_and_gradient(climb(value_and_gradient, start))[0])


@PRINCIPAL.evidence(role="supports", kind="numeric")
def test_on_real_data_the_two_maxima_are_the_same_number(record, xp):
    covariance = data("digits")
    lam, basis, S_ = (xp.asarray(a) for a in (covariance.eigenvalues, covariance.eigenvectors, covariance.matrix()))
    for columns in (1, 5, 20, covariance.rank - 1):
        W, s = likelihood.maximum_likelihood(lam, basis, columns)
        V_, D_ = model.optimal_encoder(W, s)
        elbo, L_ = model.elbo(W, V_, D_, s, S_), likelihood.log_likelihood(W, s, S_)
        record(worst_error=agree(elbo, L_, tolerance=1e-10))  # condition numbers up to 1e6


@BELOW.evidence(role="supports", kind="property")
@given(p=hard_problems(max_n=4), seed=st.integers(0, 2**32 - 1), step=st.sampled_from([1e-12, 1e-6, 1e-2, 1.0]))
def test_the_elbo_is_nowhere_above_the_likelihood_with_50_digits(p, seed, step, record):
    # Around the optimal encoder of a random decoder, where the two nearly touch.
    rng = np.random.default_rng(seed)
    _, _, S_ = p.exactly()
    W = rng.standard_normal((p.n, p.k)) * np.sqrt(10.0 ** rng.uniform(-2, 2) * p.sigma2)
    V_, D_ = reference.optimal_encoder(W, p.sigma2)
    with reference.precision():
        moved = V_ + reference.exact(step * rng.standard_normal(V_.shape)) * max(abs(V_.ravel()))
        spread = D_ * (1 + reference.exact(step * rng.uniform(-0.9, 0.9, p.k)))
        ahead = reference.elbo(W, moved, spread, p.sigma2, S_) - reference.log_likelihood(W, p.sigma2, S_)
    at_most(float(ahead), 0.0, slack=1e-22)  # twelve decades of eigenvalues cost up to 24 of the 50 digits
    record()


@PRINCIPAL.evidence(role="supports", kind="property")
@given(p=hard_problems(max_n=4, bounded=True))
def test_at_the_maximum_they_are_equal_with_50_digits(p, record):
    lam, basis, S_ = p.exactly()
    with reference.precision():
        for s in (sum(lam[p.k :]) / (p.n - p.k), reference.exact(p.sigma2)[()]):  # learned and fixed noise
            W = basis[:, : p.k] * np.sqrt(np.maximum(lam[: p.k] - s, 0 * s))
            L_ = reference.log_likelihood(W, s, S_)
            error = abs(reference.profile_elbo(W, s, S_) - L_)
            record(worst_error=agree(float(error), 0.0, tolerance=1e-22))
            record(instances=0, worst_error=agree(float(reference.gap(W, s)), 0.0, tolerance=1e-22))


@BELOW.evidence(role="supports", kind="property")
@given(p=hard_problems(), seed=st.integers(0, 2**32 - 1))
def test_no_parameters_reach_above_the_best_likelihood_at_their_noise(p, seed, record, xp):
    rng = np.random.default_rng(seed)
    best = likelihood.log_likelihood(likelihood.fixed_noise_maximum(p.lam, p.U, p.k, p.sigma2), p.sigma2, p.S)
    W = rng.standard_normal((20, p.n, p.k)) * np.sqrt(p.lam[0] * 10.0 ** rng.uniform(-4, 1, (20, 1, 1)))
    W[:5] = likelihood.fixed_noise_maximum(p.lam, p.U, p.k, p.sigma2) * (1 + 1e-3 * rng.standard_normal((5, 1, p.k)))
    V_, D_ = model.optimal_encoder(xp.asarray(W), p.sigma2)
    spread = D_ * xp.asarray(10.0 ** rng.uniform(-2, 1, D_.shape))
    size = abs(float(best)) + p.lam.sum() / p.sigma2 + p.n * (2 + abs(np.log(p.sigma2)))
    for values in (
        model.elbo(xp.asarray(W), V_, D_, p.sigma2, xp.asarray(p.S)),
        model.elbo(xp.asarray(W), V_, spread, p.sigma2, xp.asarray(p.S)),
    ):
        excess = (np.max(np.asarray([float(v) for v in values])) - float(best)) / size
        record(instances=20, worst_error=at_most(excess, 0.0, slack=p.rounding))


@REACHED.evidence(role="supports", kind="numeric")
def test_where_the_likelihood_is_unbounded_so_is_the_elbo(record):
    # rank 2 <= k < n: at W = U_k (Lam_k - sigma2 I)_+^{1/2} both rise by (n - rank)/2 log 10 a decade of noise.
    lam, columns = np.array([4.0, 2.0, 0.0, 0.0]), 3
    noises = 10.0 ** -np.arange(1, 9)
    elbo, L_ = np.empty(8), np.empty(8)
    for i, s in enumerate(noises):
        W = likelihood.fixed_noise_maximum(lam, np.eye(4), columns, s)
        V_, D_ = model.optimal_encoder(W, s)
        elbo[i], L_[i] = model.elbo(W, V_, D_, s, np.diag(lam)), likelihood.log_likelihood(W, s, np.diag(lam))
    record(instances=8, worst_error=agree(elbo, L_, tolerance=1e-9))
    agree(np.diff(elbo[3:]), np.full(4, np.log(10)), tolerance=1e-6)


@PRINCIPAL.evidence(role="control", kind="symbolic")
def test_a_rotated_decoder_is_rejected():
    # At W = U L R the likelihood is the same, but M is not diagonal and the gap log det diag(M) - log det M remains.
    R = letter("R", k, k)
    orthogonal = (relation(R.T @ R, identity(k)), relation(inverse(R), R.T), relation(inverse(R).T, R))
    gap = substitute(linear_vae.gap(), {"W": U @ L @ R, "M": R.T @ K @ R})
    with rejected():
        same(reduce(gap, *PRINCIPAL_AXES, *orthogonal), Scalar(0))


@BELOW.evidence(role="control", kind="symbolic")
def test_another_shortfall_is_rejected():
    shortfall = reduce(in_latent_terms(ppca.log_likelihood()) - linear_vae.elbo(), gram)
    for wrong in (
        covariance_part(),  # as if V were always optimal
        covariance_part() + mean_part() + trace(D) / 2,  # a KL to the prior that lacks tr D
        covariance_part() - mean_part(),
    ):
        with rejected():
            same(shortfall, reduce(wrong, gram))


@PRINCIPAL.evidence(role="control", kind="numeric")
def test_a_rotated_maximum_of_the_likelihood_is_rejected():
    rng = np.random.default_rng(3)
    p = random_problem(rng, 5, 2)
    W, s = likelihood.maximum_likelihood(p.lam, p.U, p.k)
    W = W @ random_rotation(rng, 2)
    with rejected():
        agree(model.profile_elbo(W, s, p.S), likelihood.log_likelihood(W, s, p.S), tolerance=1e-10)


@BELOW.evidence(role="control", kind="numeric")
def test_a_maximum_computed_with_one_over_n_minus_1_is_rejected_as_bound():
    # A published notebook does this, and finds the ELBO above the "maximum" likelihood.
    p = random_problem(np.random.default_rng(4), 5, 2)
    N = 1000
    W, s = likelihood.maximum_likelihood(p.lam, p.U, p.k)
    wrong = likelihood.maximum_likelihood(p.lam * N / (N - 1), p.U, p.k)
    bound = likelihood.log_likelihood(*wrong, p.S * N / (N - 1))
    elbo = float(model.profile_elbo(W, s, p.S))
    at_most(elbo, likelihood.log_likelihood(W, s, p.S), slack=1e-12 * abs(elbo))
    with rejected():
        at_most(elbo, bound, slack=1e-12 * abs(elbo))


@BELOW.evidence(role="control", kind="numeric")
def test_an_elbo_without_its_kl_is_rejected_as_bounded():
    p = random_problem(np.random.default_rng(5), 5, 2)
    W, s = likelihood.maximum_likelihood(p.lam, p.U, p.k)
    V_, D_ = model.optimal_encoder(W, s)
    best = likelihood.log_likelihood(W, s, p.S)
    with rejected():
        at_most(model.reconstruction(W, V_, D_, s, p.S), best, slack=1e-12 * abs(best))


def check_one_number(W, s, S_, value):
    """L, the ELBO at the optimal encoder, both by their definitions, and the value are one number as far as seen."""
    found = certificates.log_likelihood(W, s, S_), certificates.elbo(W, s, S_)
    check(all(y.rad() < 1e-40 for y in (*found, value)), "the balls are too wide to tell")
    check((found[0] - found[1]).contains(0), f"the gap {found[0] - found[1]} is not 0")
    check(all(y.overlaps(value) for y in found), f"{found[1]} is not {value}")
    return found[1]


def closed_maximum(at, noise):
    """-1/2 [n log 2 pi + sum_{i <= k} log lam_i + (n - k) log sigma2 + k + (sum of the other lam_j)/sigma2]."""
    logs = sum(ball(x).log() for x in at.lam[: at.k])
    constants = at.n * (2 * flint().arb.pi()).log() + (at.n - at.k) * ball(noise).log() + at.k
    return -(constants + logs + ball(sum(at.lam[at.k :]) / noise)) / 2


@PRINCIPAL.evidence(role="supports", kind="certificate", strength="certified")
@pytest.mark.parametrize("name", certificates.LANDSCAPES)
def test_in_balls_the_two_maxima_are_one_number_that_no_other_point_reaches(record, name):
    """At fixed and at learned noise; at the other points listed, of the ELBO and of L, even L is less."""
    pytest.importorskip("flint")
    at = certificates.LANDSCAPES[name]
    top = tuple(range(at.k))
    for noise, learned in ((at.noise, False), (certificates.noise_at_rest(at, top), True)):
        point = certificates.Stated(at.lam, certificates.plain("elbo", top, at.k), noise, learned=learned)
        lam = np.array([float(x) for x in at.lam])
        listed = learned_noise_points(lam, at.k) if learned else fixed_noise_families(lam, at.k, float(noise))
        with precision(certificates.BITS):
            W_, s = point.place.parts(point.enclosed()[0])
            S_, closed = diagonal([ball(x) for x in at.lam]), closed_maximum(at, noise)
            best = check_one_number(W_, s, S_, closed)
            for other in (p for p in listed if p.retained != top or not p.orthogonal):
                of = certificates.noise_at_rest(at, other.retained) if learned else noise
                place = certificates.Stated(at.lam, other, of).place
                check(certificates.log_likelihood(*place.parts(place.coordinates()), S_) < best, "another reaches it")
                record(instances=1)
            turn = flint().arb_mat(at.k, at.k, [int(i == j) for i in range(at.k) for j in range(at.k)])
            turn[0, 0], turn[0, 1], turn[1, 0], turn[1, 1] = (ball(Fraction(x, 5)) for x in (3, -4, 4, 3))
            with rejected():  # turned, L is the same and the ELBO is below
                check_one_number(W_ * turn, s, S_, closed)
            with rejected():
                check_one_number(W_, s, S_, closed + ball(Fraction(1, 10**30)))
        with rejected():  # W twice as long is not stationary
            certificates.Stated(at.lam, certificates.plain("elbo", top, at.k), noise, W=point.W * 2).enclosed()
