"""Sec. 6.2: (epsilon, delta)-collapse, and the (0, 0)-collapse of the linear VAE.

Statement   latent i has (epsilon, delta)-collapsed if P_x[KL(q(z_i|x), p(z_i)) < epsilon] >= 1 - delta; the linear VAE
            can be (0, 0)-collapsed.
Correction  with "<" nothing is ever (0, delta)-collapsed for delta < 1, as no KL is negative: a misprint for "<=".
            With "<=" a zero column of the linear VAE at its optimal encoder is (0, 0)-collapsed, a column that is not
            zero is not, and the linear VAE can have zero columns at its global maximum. With "<" a zero column is
            (epsilon, 0)-collapsed for every epsilon > 0.
Source      Lucas et al. 2019, Sec. 6.2; theory 3.11.
Method      KL = 1/2 (mu^2 + d - 1 - log d) is 0 at mu = 0, d = 1 only, and a zero column of W has V*_i = 0 and
            D*_i = 1, in words for all n and k. The definition itself is counted in fractions, datum by datum. Controls:
            averaging the KL over the data first, and comparing the proportion with delta (both found in a published
            program).
Trusted     fact kl-nonnegative for ELBO <= L; that V* and D* are optimal is claims eq-22 and eq-21.
"""

from fractions import Fraction

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.spectra import data, hard_problems, random_problem
from verify.arrays import namespace, to_numpy
from verify.landscape.collapse import collapse_curve, collapsed, kl
from verify.models import linear_vae as model
from verify.models import ppca
from verify.symbolic import linear_vae
from verify.symbolic.letters import M, W, k, n, sigma2
from verify.symbolic.matrix_calculus import identity, inverse, letter, zero
from verify.symbolic.relations import expand, reduce, relation

CLAIM = Claim(
    id="collapse-definition",
    source="Sec. 6.2",
    statement="latent i is (epsilon, delta)-collapsed if P_x[KL(q(z_i|x), p(z_i)) < epsilon] >= 1 - delta; the linear "
    "VAE can be (0, 0)-collapsed",
    hypotheses="(0, 0)-collapse needs KL <= epsilon: with < it is impossible, since no KL is negative",
    section="The linear VAE",
    rests_on=("eq-21", "eq-22"),
    trusts=("kl-nonnegative",),
    quote="We say that latent dimension dimension i has (, δ)-collapsed if Px∼p [KL(q(zi |x)||p(zi )) < ] ≥ 1 − δ. "
    "Note that the linear VAE can suffer (0, 0)-collapse.",
    fault="misprint",
    finding="with <= in the place of < it is right: at the optimal encoder the latents of zero columns, and no others, "
    "are (0, 0)-collapsed, and there are maxima with zero columns",
)
STRICT = CLAIM.step(
    "strict",
    "KL(N(mu, d), N(0, 1)) is never below 0, so that P_x[KL < 0] = 0 and, with <, no latent of a Gaussian encoder is "
    "(0, delta)-collapsed for delta < 1",
)
KL = CLAIM.step(
    "kl",
    "KL(N(mu, d), N(0, 1)) = 1/2 (mu^2 + d - 1 - log d), which is 0 at mu = 0, d = 1 and positive elsewhere",
    says="posterior_is_prior -> kl_is_zero",
)
ZERO_COLUMN = CLAIM.step(
    "zero-column",
    "where w_i = 0, V* and D* give latent i the mean 0 and the variance 1 at every x, for all n and k",
    says="zero_column & best_V & best_D -> posterior_is_prior",
)
ACTIVE = CLAIM.step(
    "active-column",
    "where w_i != 0, D*_i = sigma2/(|w_i|^2 + sigma2) < 1, so that KL > 0 at every x: latent i is not (0, 0)-collapsed",
)
EXISTS = CLAIM.step(
    "maximum",
    "a maximum can have a zero column: for n = k = 1, S = 1, sigma2 = 2 (fixed) the global maximum of the ELBO has W = "
    "0",
    says="kl_of_posterior_nonnegative -> some_maximum_has_a_zero_column",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "with <=, a zero column at its optimal encoder is within 0 of the prior at every datum, and some maximum has one: "
    "a proportion of 1 >= 1 - 0, that is (0, 0)-collapse",
)
USED = {
    "eq-21": "optimal_encoder -> best_D",
    "eq-22": "optimal_encoder -> best_V",
    "kl-nonnegative": "kl_of_posterior_nonnegative",
}


@CONCLUSION.evidence(role="corrected", kind="symbolic", strength="proved")
def test_the_steps_entail_that_zero_columns_collapse_and_that_there_are_some(record):
    record(
        instances=concludes(
            CLAIM,
            "some_maximum_has_a_zero_column & (kl_is_zero | ~zero_column | ~optimal_encoder)",
            USED,
        )
    )
    with rejected():  # not whatever the encoder
        concludes(CLAIM, "some_maximum_has_a_zero_column & (kl_is_zero | ~zero_column)", USED)


def collapsed_by_definition(divergence, epsilon, delta, strict):
    """The definition, datum by datum and in fractions; delta is a string, such as "0.01".  (N, k) -> list of bool."""
    N, latents = divergence.shape
    verdicts = []
    for i in range(latents):
        within = [d < epsilon if strict else d <= epsilon for d in divergence[:, i].tolist()]
        verdicts.append(Fraction(sum(within), N) >= 1 - Fraction(delta))
    return verdicts


def of_linear_vae(weights, noise, X):
    """The KL of each latent for each row of X (N, n), at the optimal encoder.  -> (N, k)."""
    V, D = model.optimal_encoder(weights, noise)
    xp = namespace(D)
    return kl(X @ V.T, xp.log(D) * xp.ones((len(X), 1)))


def rows_with_covariance(p, rng, N=400):
    """Random rows (N, n) with mean 0."""
    X = rng.standard_normal((N // 2, p.n)) * np.sqrt(p.lam) @ p.U.T
    return np.concatenate([X, -X])


def three_latents():
    """KL (1000, 3): latent 1 tiny but for 5 data, latent 2 small but for 950 data, latent 3 always 0."""
    divergence = np.zeros((1000, 3))
    divergence[:, 0] = 1e-4
    divergence[:5, 0] = 50.0
    divergence[:, 1] = 1e-4
    divergence[:950, 1] = 0.5
    return divergence


@KL.evidence(role="corrected", kind="symbolic", strength="proved")
def test_the_kl_is_zero_at_the_prior_and_positive_elsewhere(record):
    mu = sp.Symbol("mu", real=True)
    d = sp.Symbol("d", positive=True)
    t = sp.Symbol("t", real=True)
    density = sp.exp(-((t - mu) ** 2) / (2 * d)) / sp.sqrt(2 * sp.pi * d)
    ratio = (t**2 - (t - mu) ** 2 / d - sp.log(d)) / 2  # log q - log p
    integral = sp.integrate(sp.expand(density * sp.expand(ratio)), (t, -sp.oo, sp.oo))
    closed = (mu**2 + d - 1 - sp.log(d)) / 2
    vanishes(sp.expand_log(sp.simplify(integral - closed), force=True))
    with rejected():  # without the -1
        vanishes(sp.expand_log(sp.simplify(integral - closed - sp.Rational(1, 2)), force=True))
    # mu^2 >= 0, and d - 1 - log d is convex with its minimum 0 at d = 1.
    rest = d - 1 - sp.log(d)
    same((rest.subs(d, 1), sp.solve(sp.diff(rest, d), d)), (0, [1]))
    check(sp.diff(rest, d, 2).is_positive, "d - 1 - log d is not convex")
    record(instances=2)


@ZERO_COLUMN.evidence(role="corrected", kind="symbolic", strength="proved")
def test_a_zero_column_has_the_prior_as_optimal_posterior_for_all_n_and_k(record):
    # e the unit vector of the column: W e = 0.
    e = letter("e", k, 1)
    zero_column = relation(W @ e, zero(n, 1))
    same(reduce(expand(M, M) @ e, zero_column), sigma2 * e)
    precision = relation(inverse(M) @ e, e / sigma2)
    best, _ = linear_vae.optimal_encoder()
    same(reduce(e.T @ best, precision, zero_column), zero(1, n))  # the mean V* x is 0 for every x
    same(reduce(e.T @ expand(M, M) @ e, zero_column, relation(e.T @ e, identity(1))), sigma2 * identity(1))
    with rejected():  # not for a column that is not zero
        same(reduce(e.T @ best, precision), zero(1, n))
    record(instances=3)
    record.witness("W e = 0 gives e^T V* = 0 and D* = sigma2 / M_ii = 1: KL = 0 for every datum")


@ACTIVE.evidence(role="corrected", kind="symbolic", strength="proved")
def test_a_column_that_is_not_zero_has_a_variance_below_that_of_the_prior(record):
    # M_ii = e^T M e = |w|^2 + sigma2 for w = W e, so d = sigma2/(|w|^2 + sigma2) = 1/(1 + t), t > 0.
    e = letter("e", k, 1)
    unit = relation(e.T @ e, identity(1))
    same(reduce(e.T @ expand(M, M) @ e, unit), (W @ e).T @ (W @ e) + sigma2 * identity(1))
    t = sp.Symbol("t", positive=True)
    check_positive_kl(1 / (1 + t), t)
    with rejected():  # of a zero column it is not positive
        check_positive_kl(1 / (1 + 0 * t), t)
    record(instances=2)


def check_positive_kl(d, t):
    """d - 1 - log d > 0 for all t > 0: zero at t = 0, rising in t."""
    rest = d - 1 - sp.log(d)
    same(sp.limit(rest, t, 0), 0)
    check(sp.factor(sp.simplify(sp.diff(rest, t))).is_positive, "the KL of an active latent may vanish")


@EXISTS.evidence(role="corrected", kind="symbolic", strength="proved")
def test_a_maximum_with_a_zero_column_to_check_by_hand(record):
    """L = -1/2 [log 2 pi + log c + S/c], c = w^2 + sigma2, falls in c for c > S: ELBO <= L <= L(0) = ELBO(0, 0, 1)."""
    check_maximum_at_zero(sp.Integer(1), sp.Integer(2))
    with rejected():  # sigma2 below S: the maximum is elsewhere
        check_maximum_at_zero(sp.Integer(2), sp.Integer(1))
    with rejected():  # D = 2: the KL is not 0, and the bound not attained
        check_maximum_at_zero(sp.Integer(1), sp.Integer(2), sp.Integer(2))
    record(instances=1)
    record.witness("n = k = 1, S = 1, sigma2 = 2: the ELBO is at most L(W) <= L(0), attained at W = V = 0, D = 1")


def check_maximum_at_zero(S, noise, d=sp.S.One):
    u = sp.Symbol("u", positive=True)  # w^2
    L = -(sp.log(2 * sp.pi) + sp.log(noise + u) + S / (noise + u)) / 2
    check(sp.factor(-sp.diff(L, u)).is_positive, "L does not fall from w = 0 on")
    # The ELBO at W = V = 0, D = 1: KL = 0, and the observation's log density with error S.
    elbo = -sp.log(2 * sp.pi * noise) / 2 - S / (2 * noise) - (d - 1 - sp.log(d)) / 2
    vanishes(elbo - sp.expand_log(L.subs(u, 0)))


@ACTIVE.evidence(role="corrected", kind="property")
@given(p=hard_problems(), seed=st.integers(0, 2**32 - 1))
def test_at_the_optimum_exactly_the_zero_columns_are_collapsed(p, seed, record, xp):
    weights = ppca.fixed_noise_maximum(p.lam, p.U, p.k, p.sigma2)
    X = rows_with_covariance(p, np.random.default_rng(seed), N=40)
    divergence = of_linear_vae(xp.asarray(weights), p.sigma2, xp.asarray(X))
    zero_columns = [bool(x) for x in (p.lam[: p.k] <= p.sigma2)]
    same(_list(collapsed(divergence, 0.0, 0.0, strict=False)), zero_columns)
    same(collapsed_by_definition(to_numpy(divergence), 0.0, "0", strict=False), zero_columns)
    for epsilon in (1e-300, 1e-9, 1.0):  # (0+, 0) with "<"
        check(all(np.array(_list(collapsed(divergence, epsilon, 0.0)))[zero_columns]), "a zero column is active")
    record()


def _list(verdicts):
    return [bool(v) for v in to_numpy(verdicts)]


@ACTIVE.evidence(role="corrected", kind="numeric")
def test_the_digits_lose_the_latents_whose_eigenvalue_is_below_the_noise(record):
    covariance = data("digits")
    rng = np.random.default_rng(6)
    X = rng.standard_normal((2000, covariance.n)) * np.sqrt(covariance.eigenvalues) @ covariance.eigenvectors.T
    lam, columns = covariance.eigenvalues, 20
    for noise in (1.0, 10.0, 100.0):
        weights = ppca.fixed_noise_maximum(lam, covariance.eigenvectors, columns, noise)
        divergence = of_linear_vae(weights, noise, X)
        found = sum(_list(collapsed(divergence, 0.0, 0.0, strict=False)))
        same(found, int((lam[:columns] <= noise).sum()))
        same(float(collapse_curve(divergence, [1e-12], 0.01)[0]), 100.0 * found / columns)
        record()


@CONCLUSION.evidence(role="corrected", kind="property")
@given(
    counts=st.lists(st.integers(0, 200), min_size=1, max_size=4),
    delta=st.sampled_from(["0", "0.01", "0.05", "0.1", "0.3", "0.7", "0.99", "1"]),
    N=st.sampled_from([1, 3, 7, 10, 100, 200]),
    on_the_edge=st.booleans(),
    strict=st.booleans(),
)
def test_the_proportion_is_compared_as_defined(counts, delta, N, on_the_edge, strict, record, xp):
    # As many data as `counts` within epsilon, or, on the edge, exactly as many as needed and one less.
    epsilon = 0.01
    needed = -((-N * (1 - Fraction(delta))) // 1)
    counts = [int(needed), max(int(needed) - 1, 0)] if on_the_edge else [min(c, N) for c in counts]
    divergence = np.full((N, len(counts)), 1.0)
    for i, c in enumerate(counts):
        divergence[:c, i] = epsilon if i % 2 else 0.0  # equal to epsilon: within for <= only
    expected = collapsed_by_definition(divergence, epsilon, delta, strict)
    same(_list(collapsed(xp.asarray(divergence), epsilon, float(delta), strict)), expected)
    record(instances=len(counts))


@CONCLUSION.evidence(role="corrected", kind="numeric")
def test_a_proportion_of_exactly_one_minus_delta_is_enough(record, thorough, xp):
    # N (1 - delta) in floating point misses whole numbers by an ulp, to either side.
    for N in range(1, thorough(200, 1000)):
        for delta in ("0.01", "0.05", "0.1", "0.2", "0.3", "0.7", "0.9"):
            needed = int(-((-N * (1 - Fraction(delta))) // 1))
            divergence = np.ones((N, 2))
            divergence[:needed, 0] = divergence[: needed - 1, 1] = 0.0
            same(_list(collapsed(xp.asarray(divergence), 0.01, float(delta))), [True, False])
            record()


@CONCLUSION.evidence(role="corrected", kind="numeric")
def test_it_is_the_kl_per_datum_that_counts(record):
    divergence = three_latents()
    expected = [True, False, True]  # 99.5 %, 5 % and 100 % of the data are within epsilon
    same(collapsed_by_definition(divergence, 0.01, "0.01", strict=True), expected)
    same(_list(collapsed(divergence, 0.01, 0.01)), expected)
    record(instances=3)


@KL.evidence(role="corrected", kind="numeric")
def test_the_kl_of_the_package_is_that_of_the_models(record, thorough, xp):
    rng = np.random.default_rng(62)
    for _ in range(thorough(20, 200)):
        p = random_problem(rng)
        X = rows_with_covariance(p, rng)
        weights = rng.standard_normal((p.n, p.k))
        V, D = model.optimal_encoder(weights, p.sigma2)
        total = of_linear_vae(xp.asarray(weights), p.sigma2, xp.asarray(X)).sum(axis=1).mean()
        record(worst_error=agree(total, model.kl(V, D, X.T @ X / len(X)), tolerance=1e-12))
        with rejected():  # deviations for variances
            agree(total, model.kl(V, np.sqrt(D), X.T @ X / len(X)), tolerance=1e-12)


@STRICT.evidence(role="refutes", kind="symbolic", strength="proved")
def test_no_kl_is_below_zero(record):
    # KL < 0 has no solution: the least value is 0, at mu = 0, d = 1 (above); so P[KL < 0] = 0 < 1 - delta.
    mu = sp.Symbol("mu", real=True)
    d = sp.Symbol("d", positive=True)
    closed = (mu**2 + d - 1 - sp.log(d)) / 2
    same(sp.solve([sp.diff(closed, mu), sp.diff(closed, d)], [mu, d], dict=True), [{mu: 0, d: 1}])
    same(closed.subs({mu: 0, d: 1}), 0)
    same(sp.hessian(closed, (mu, d)), sp.diag(1, 1 / (2 * d**2)))  # positive: convex in (mu, d)
    with rejected():  # the least value of KL without the -1 is not 0
        same((closed + sp.Rational(1, 2)).subs({mu: 0, d: 1}), 0)
    record()


@STRICT.evidence(role="refutes", kind="numeric")
def test_with_the_printed_sign_a_latent_that_equals_the_prior_is_not_collapsed(record):
    # W = 0: q(z|x) = N(0, 1) exactly, whatever x.
    X = np.array([[1.0, -2.0], [-1.0, 2.0]])
    divergence = of_linear_vae(np.zeros((2, 1)), 1.0, X)
    same(divergence.tolist(), [[0.0], [0.0]])
    same(_list(collapsed(divergence, 0.0, 0.0)), [False])
    same(collapsed_by_definition(divergence, 0.0, "0", strict=True), [False])
    same(collapsed_by_definition(divergence, 0.0, "0.99", strict=True), [False])
    record(instances=1)
    record.witness("W = 0, V = 0, D = 1: KL = 0 for every x; 0 < 0 is false, so P[KL < 0] = 0 and nothing collapsed")


@STRICT.evidence(role="refutes", kind="property")
@given(p=hard_problems(), seed=st.integers(0, 2**32 - 1))
def test_the_linear_vae_is_never_0_0_collapsed_as_printed(p, seed, record):
    rng = np.random.default_rng(seed)
    X = rows_with_covariance(p, rng, N=20)
    for weights in (ppca.fixed_noise_maximum(p.lam, p.U, p.k, p.sigma2), rng.standard_normal((p.n, p.k))):
        divergence = of_linear_vae(weights, p.sigma2, X)
        at_most(-divergence, 0.0, slack=1e-15)  # an ulp of 1/2 (d - 1 - log d) near d = 1
        same(_list(collapsed(np.maximum(divergence, 0.0), 0.0, 0.0)), [False] * p.k)
    record()


@STRICT.evidence(role="control", kind="numeric")
def test_with_the_logarithm_of_the_standard_deviation_the_kl_would_fall_below_zero():
    # W = (1, 0)^T, sigma2 = 1: d = 1/2, and 1/2 (1/2 - 1 + 1/2 log 2) < 0 where the mean is 0.
    weights, X = np.array([[1.0], [0.0]]), np.array([[0.0, 2.0], [1.0, 2.0]])
    divergence = of_linear_vae(weights, 1.0, X)
    at_most(-divergence, 0.0, slack=1e-15)
    with rejected():
        at_most(-(divergence + np.log(0.5) / 4), 0.0, slack=1e-15)


@CONCLUSION.evidence(role="control", kind="numeric")
def test_averaging_the_kl_first_is_rejected():
    # Five data of a thousand with a KL of 50 lift the mean to 0.25.
    divergence, expected = three_latents(), collapsed_by_definition(three_latents(), 0.01, "0.01", strict=True)
    averaged = [bool(x) for x in divergence.mean(axis=0) < 0.01]
    with rejected():
        same(averaged, expected)


@CONCLUSION.evidence(role="control", kind="numeric")
def test_comparing_the_proportion_with_delta_is_rejected():
    # 5 % of the data within epsilon is more than delta = 1 %, and far from 99 %.
    divergence, expected = three_latents(), collapsed_by_definition(three_latents(), 0.01, "0.01", strict=True)
    with_delta = [bool(x) for x in (divergence < 0.01).mean(axis=0) >= 0.01]
    with rejected():
        same(with_delta, expected)


@KL.evidence(role="control", kind="symbolic")
def test_slips_in_the_kl_are_rejected():
    d = sp.Symbol("d", positive=True)
    for wrong in (d - sp.log(d), d - 1 - 2 * sp.log(d), d**2 - 1 - sp.log(d)):  # without -1; sd for variance
        with rejected():
            same((wrong.subs(d, 1), sp.solve(sp.diff(wrong, d), d)), (0, [1]))


@ACTIVE.evidence(role="control", kind="numeric")
def test_calling_an_active_latent_collapsed_is_rejected():
    p = random_problem(np.random.default_rng(63), 5, 3)
    noise = float((p.lam[1] + p.lam[2]) / 2)
    weights = ppca.fixed_noise_maximum(p.lam, p.U, 3, noise)
    divergence = of_linear_vae(weights, noise, rows_with_covariance(p, np.random.default_rng(64)))
    with rejected():
        same(_list(collapsed(divergence, 0.0, 0.0, strict=False)), [True, True, True])
    with rejected():
        same(_list(collapsed(divergence, 0.0, 0.0, strict=False)), [False, False, False])
