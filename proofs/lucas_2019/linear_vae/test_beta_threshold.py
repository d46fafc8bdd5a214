"""The linear beta-VAE at fixed noise retains what exceeds beta sigma2; a learned noise moves that threshold.

Statement   W, V, D are stationary, or a maximum, of the linear beta-VAE at the noise sigma2 iff they are of the VAE at
            beta sigma2: its maxima retain the largest lam_j > beta sigma2, at most k of them.
            The last term of claim beta-vae depends on sigma2: with a learned noise a stationary point whose q nonzero
            columns are orthogonal has beta sigma2 = lost/(n/beta - q), lost the sum of the discarded eigenvalues,
            instead of lost/(n - q); and the noise of the VAE with the same gradients would move there.
Hypotheses  sigma2 > 0, beta > 0; with learned noise not both n = beta q and lost = 0: then every noise is stationary.
Source      ours, after Lucas et al. 2019, Sec. 5; theory 3.9.
Method      in words for all n, k; ascent of a linear beta-VAE from random starts; 50 digits on hostile spectra.
Trusted     the rules of verify.symbolic; which latents the VAE retains is claims theorem-1 and fixed-noise-maxima.
"""

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.lucas_2019.linear_vae.beta_weights import at_noise, beta, beta_elbo_in_words, beta_gradients, constant
from proofs.lucas_2019.linear_vae.stationary_problems import exact_point, orthogonal_points
from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.spectra import climb
from proofs.problems.spectra import random_problem as random_spectrum
from verify import reference
from verify.landscape.stationary import retained_count
from verify.models import linear_vae as model
from verify.symbolic import linear_vae, ppca
from verify.symbolic.differentials import derivative
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
    x,
)
from verify.symbolic.matrix_calculus import identity, inverse, letter, zero
from verify.symbolic.relations import expand, reduce, relation, substitute, substitute_log_det
from verify.symbolic.traces import Scalar, log_det, trace

CLAIM = Claim(
    id="beta-threshold",
    source="ours, after Sec. 5",
    statement="the maxima of the linear beta-VAE at fixed noise retain the largest lam_j > beta sigma2, at most k; "
    "with a learned noise beta sigma2 = lost/(n/beta - q)",
    hypotheses="beta > 0; with learned noise: orthogonal columns, q of them nonzero, and not both n = beta q and lost "
    "= 0, where every noise with beta sigma2 below the retained lam_a will do; of other points nothing is said",
    section="The linear VAE",
    rests_on=("fixed-noise-maxima", "theorem-1"),
)
OBJECTIVE = CLAIM.step(
    "objective",
    "ELBO_beta(sigma2) is beta times ELBO_1(beta sigma2) plus a term without W, V, D, for all n and k: stationary "
    "points and maxima in W, V, D are the same",
    says="maximum_for_beta -> maximum_at_beta_sigma2",
    place="Beta-VAE",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "maxima at fixed noise retain the eigenvectors of the largest lam_j > beta sigma2, at most k",
    place="Beta-VAE",
)
KL_OF_A_LATENT = CLAIM.step(
    "kl-of-a-latent",
    "where the columns are orthogonal, W^T W = Lam - s I and S W = W Lam, s = beta sigma2, and the encoder is V*, D* "
    "at s, a latent with column (lam - s)^{1/2} u has at the datum x the mean (lam - s)^{1/2} u^T x / lam and the "
    "variance s/lam, one with a zero column 0 and 1, and the mean KL is 1/2 log(lam/s), for all n and k",
    place="Collapse over its threshold",
)
VALUE = CLAIM.step(
    "value",
    "there ELBO_beta is -1/2 [n log(2 pi sigma2) + beta (sum_a log(lam_a/s) + q) + lost/sigma2], sum_a over the q "
    "columns that are not zero, lost = tr S - sum_a lam_a, for all n, k and q <= k",
    place="Beta-VAE",
)
BOUND = CLAIM.step(
    "no-bound",
    "ELBO_beta is ELBO_1 less (beta - 1) KL at every W, V, D and sigma2, and with orthogonal columns and the encoder "
    "V*, D* at sigma2 it is L less (beta - 1) KL: at most that for beta >= 1, at least that for beta <= 1, strictly "
    "unless beta = 1 or KL = 0, which is so iff V x = 0 at every datum and D = I; for all n and k",
    place="Beta-VAE",
)
NOISE = CLAIM.step(
    "noise",
    "dELBO_beta/dsigma2 is not that of beta ELBO_1(beta sigma2) unless beta = 1: they differ by n (beta - 1)/(2 "
    "sigma2)",
    place="Beta-VAE",
)
LEARNED = CLAIM.step(
    "learned-noise",
    "there E||x - W z||^2 = q s + lost, and the noise is stationary, n sigma2 = E||x - W z||^2, iff (n/beta - q) s = "
    "lost, for all n, k and q <= k: as s > 0, either beta q < n, lost > 0 and s = lost/(n/beta - q), or beta q = n, "
    "lost = 0 and s is any",
    place="Beta-VAE",
)
USED = {
    "theorem-1": "maximum_at_beta_sigma2 -> likelihood_maximum_at_beta_sigma2",
    "fixed-noise-maxima": "likelihood_maximum_at_beta_sigma2 -> retains_the_largest_above_beta_sigma2",
}


@OBJECTIVE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_objectives_differ_by_a_term_without_w_v_and_d_for_all_n_and_k(record):
    same(beta_elbo_in_words(), beta * at_noise(linear_vae.elbo(), beta * sigma2) + constant())
    for noise, factor in ((sigma2, beta), (sigma2 / beta, beta), (beta * sigma2, 1)):
        rest = beta_elbo_in_words() - factor * at_noise(linear_vae.elbo(), noise)
        with rejected():
            same((dict(rest.traces), dict(rest.log_dets)), ({}, {}))
    rest = beta_elbo_in_words() - beta * at_noise(linear_vae.elbo(), beta * sigma2)
    same((dict(rest.traces), dict(rest.log_dets)), ({}, {}))
    record(instances=2)


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_the_threshold(record):
    record(instances=concludes(CLAIM, "maximum_for_beta -> retains_the_largest_above_beta_sigma2", USED))
    with rejected():
        concludes(CLAIM, "retains_the_largest_above_beta_sigma2 -> maximum_for_beta", USED)


# Orthogonal columns, zero ones included: Lam has lam_a for a column (lam_a - s)^{1/2} u_a and s for a zero one.
LAM = letter("Lam", k, k, "diagonal")
s = sp.Symbol("s", positive=True)
AXES = relation(W.T @ W, LAM - s * identity(k)), relation(S @ W, W @ LAM)


def at_the_axes(f, variances):
    """f at such a W, V = Lam^-1 W^T and these D, reduced."""
    return reduce(substitute(f, {"V": inverse(LAM) @ W.T, "D": variances}), *AXES)


def lost(columns, q):
    """tr S less the sum of the q retained eigenvalues, which is tr Lam less s for each of the other columns."""
    return trace(S) - trace(LAM) + (columns - q) * s


@KL_OF_A_LATENT.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_encoder_of_orthogonal_columns_for_all_n_and_k(record):
    # M = W^T W + s I = Lam, so that V* = M^-1 W^T and D* = s diag(M)^-1 are Lam^-1 W^T and s Lam^-1.
    same(reduce(expand(M, M) + (s - sigma2) * identity(k), *AXES), LAM)
    # Row e of both, for a latent with W e = l u and Lam e = lam e, l^2 = lam - s.
    e, u, lam = letter("e", k, 1), letter("u", n, 1), sp.Symbol("lam", positive=True)
    column = relation(W @ e, sp.sqrt(lam - s) * u), relation(inverse(LAM) @ e, e / lam), relation(e.T @ e, identity(1))
    mean = reduce(e.T @ inverse(LAM) @ W.T @ x, *column)
    same(mean, sp.sqrt(lam - s) / lam * u.T @ x)
    same(reduce(e.T @ (s * inverse(LAM)) @ e, *column), s / lam * identity(1))
    empty = relation(W @ e, zero(n, 1)), relation(inverse(LAM) @ e, e / s), relation(e.T @ e, identity(1))
    same(reduce(e.T @ inverse(LAM) @ W.T @ x, *empty), zero(1, 1))
    same(reduce(e.T @ (s * inverse(LAM)) @ e, *empty), identity(1))
    with rejected():  # the length of the column without the eigenvalue below it
        same(mean, sp.sqrt(lam - s) * u.T @ x)
    # The mean KL of a latent is 1/2 [-log d + (V S V^T)_ii + d - 1] = 1/2 log(lam/s), as the last three add up to 0.
    check_mean_square(s * inverse(LAM))
    with rejected():
        check_mean_square(inverse(LAM))
    record(instances=6)


def check_mean_square(variances):
    """V S V^T + D = I."""
    same(at_the_axes(V @ S @ V.T + D, variances), identity(k))


@VALUE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_value_at_the_axes_for_all_n_and_k(record):
    found, q = at_noise_and_axes(beta_elbo_in_words()), sp.Symbol("q", integer=True, nonnegative=True)
    # sum_a log(lam_a/s) is log det Lam - k log s: zero columns add log(s/s).
    twice = n * sp.log(2 * sp.pi * s / beta) + beta * (log_det(LAM) - k * sp.log(s) + q) + beta * lost(k, q) / s
    same(found, twice / -2)
    with rejected():  # the ELBO of the VAE at beta sigma2
        same(found, (twice + (1 - beta) * q) / -2)
    with rejected():  # zero columns counted with the retained ones
        same(found, (twice + beta * (k - q)) / -2)
    record(instances=1)


def at_noise_and_axes(f):
    """f at the axes, with s/beta for sigma2."""
    return at_the_axes(at_noise(f, s / beta), s * inverse(LAM))


@LEARNED.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_noise_at_rest_for_all_n_and_k(record):
    q = sp.Symbol("q", integer=True, nonnegative=True)
    error = at_the_axes(linear_vae.squared_error(), s * inverse(LAM))
    same(error, lost(k, q) + q * s)
    with rejected():
        same(error, lost(k, q))
    with rejected():  # every column counted
        same(error, lost(k, q) + k * s)
    # dELBO_beta/dsigma2 = 0 iff E||x - W z||^2 = n sigma2 (step noise), and sigma2 = s/beta.
    check_at_rest(lambda room, lost_: room * s - lost_)
    with rejected():
        check_at_rest(lambda room, lost_: room * s + lost_)
    missing, found = sp.symbols("lost s", nonnegative=True)
    (at_rest,) = sp.solve(sp.Eq(n * found / beta, missing + q * found), found)
    vanishes(at_rest - missing / (n / beta - q))
    with rejected():
        vanishes(at_rest - missing / (n - q))
    record(instances=4)
    record.witness("beta sigma2 = lost/(n/beta - q), lost the sum of the discarded eigenvalues")


def check_at_rest(excess):
    """n s/beta - (q s + lost) is this at n/beta - q = room, and zero in the two cases of the step alone."""
    b, missing = sp.Symbol("beta", positive=True), sp.Symbol("lost", nonnegative=True)
    size, q = sp.symbols("n q", integer=True, nonnegative=True)
    vanishes(sp.expand(size * s / b - (q * s + missing) - excess(size / b - q, missing)))
    vanishes(excess(0, 0))  # beta q = n, lost = 0: at every s
    room, something = sp.symbols("room something", positive=True)
    vanishes(excess(room, room * s))
    check(excess(room, 0).is_positive, "with nothing lost and beta q < n the noise would be 0")
    check(excess(0, something).is_negative, "with something lost there is none where beta q = n")
    check(sp.expand(excess(-room, missing)).is_negative, "there is none where beta q > n")


@BOUND.evidence(role="supports", kind="symbolic", strength="proved")
def test_it_bounds_the_likelihood_for_beta_above_1_only_for_all_n_and_k(record):
    same(beta_elbo_in_words() - linear_vae.elbo(), (1 - beta) * linear_vae.kl())
    check_the_kl_is_not_negative(linear_vae.kl())
    with rejected():  # without the 1 of each latent it may be
        check_the_kl_is_not_negative(linear_vae.kl() - Scalar(k / 2))
    # W^T W = Lam - sigma2 I, where M = Lam, V* = Lam^-1 W^T, D* = sigma2 Lam^-1: the ELBO is L, whatever S.
    orthogonal = relation(W.T @ W, LAM - sigma2 * identity(k))
    encoder = {"V": inverse(LAM) @ W.T, "D": sigma2 * inverse(LAM)}
    in_M = reduce(ppca.log_likelihood(), marginal_precision(), gram)
    likelihood = reduce(substitute(substitute_log_det(in_M, C, log_det_of_marginal()), {"M": LAM}), orthogonal)
    short = likelihood - (beta - 1) * substitute(linear_vae.kl(), encoder)
    same(reduce(substitute(beta_elbo_in_words(), encoder), orthogonal), reduce(short, orthogonal))
    with rejected():  # a bound whatever beta
        same(reduce(substitute(beta_elbo_in_words(), encoder), orthogonal), likelihood)
    record(instances=3)


def check_the_kl_is_not_negative(kl):
    """Twice the KL is the mean of |V x|^2 and the sum over latents of d - 1 - log d, which is positive unless d = 1."""
    squares = linear_vae.over_data(trace((V @ x).T @ (V @ x)))
    same(2 * kl, squares + trace(D) - log_det(D) - k)
    d = sp.Symbol("d", positive=True)
    of_a_latent = d - 1 - sp.log(d)  # tr D, k and log det D add up over the diagonal of D
    same((of_a_latent.subs(d, 1), sp.solve(sp.diff(of_a_latent, d), d)), (0, [1]))
    check(sp.diff(of_a_latent, d, 2).is_positive, "d - 1 - log d is not convex")


@NOISE.evidence(role="supports", kind="symbolic", strength="proved")
def test_in_the_noise_the_objectives_differ(record):
    off = derivative(beta_elbo_in_words(), sigma2) - derivative(
        beta * at_noise(linear_vae.elbo(), beta * sigma2), sigma2
    )
    same(off, Scalar(n * (beta - 1) / (2 * sigma2)))
    with rejected():
        same(off, Scalar())
    # Where the beta-VAE's noise is at rest, E||x - W z||^2 = n sigma2, the other's moves, at every rate.
    at_rest = linear_vae.squared_error() - n * sigma2
    same(derivative(beta_elbo_in_words(), sigma2), at_rest / (2 * sigma2**2))
    of_other = at_noise(linear_vae.gradients().sigma2, beta * sigma2)
    same(of_other - at_rest / (2 * beta**2 * sigma2**2), Scalar(n * (1 - beta) / (2 * beta**2 * sigma2)))
    record(instances=3)
    record.witness(
        "at E||x - D(z)||^2 = n sigma2: dELBO_beta/dsigma2 = 0, dELBO_1 at beta sigma2 = n (1 - beta)/(2 beta^2 sigma2)"
    )


def linear_point(lam, s, effective):
    """n = 2, k = 1: W, V, D, sigma2 = s and S = diag(lam), with W, V, D optimal for the VAE at noise `effective`."""
    w = np.sqrt(lam[0] - effective)
    return np.array([[w], [0.0]]), np.array([[w / lam[0], 0.0]]), np.array([effective / lam[0]]), s, np.diag(lam)


@LEARNED.evidence(role="supports", kind="numeric")
def test_a_learned_noise_to_check_by_hand(record):
    """S = diag(4, 1), k = 1, beta = 1/2: sigma2 = 2/3, w^2 = 4 - 1/3; the VAE itself has sigma2 = 1, w^2 = 3."""
    lam = np.array([4.0, 1.0])
    found = linear_point(lam, 2 / 3, 1 / 3)
    for g in beta_gradients(*found, 0.5):
        record(worst_error=agree(g, np.zeros_like(g), tolerance=1e-14))
    plain = linear_point(lam, 1.0, 1.0)
    for g in beta_gradients(*plain, 1.0):
        agree(g, np.zeros_like(g), tolerance=1e-14)
    check_another_decoder(found, plain)
    # The VAE of the same gradients has the noise 1/3 = beta sigma2, where its own noise gradient is not zero.
    matched = model.gradients(*linear_point(lam, 1 / 3, 1 / 3))
    agree(matched.W, np.zeros((2, 1)), tolerance=1e-14)
    agree(matched.sigma2, 3.0, tolerance=1e-14)
    record.witness(
        "S = diag(4, 1), k = 1, beta = 1/2, noise learned: w^2 = 11/3, sigma2 = 2/3; a VAE with learned noise has "
        "w^2 = 3, sigma2 = 1; at w^2 = 11/3 and sigma2 = 1/3 its noise gradient is 3"
    )
    with rejected():  # at that noise it has the same decoder
        check_another_decoder(found, linear_point(lam, 1 / 3, 1 / 3))


def check_another_decoder(found, plain):
    check(abs(found[0][0, 0] ** 2 - plain[0][0, 0] ** 2) > 0.6, "both learn the same decoder")


@LEARNED.evidence(role="supports", kind="numeric")
def test_with_a_learned_noise_the_threshold_is_another(record, thorough):
    """beta sigma2 = lost/(n/beta - q), wherever that is positive and below lam_q: all four gradients vanish."""
    rng, seen = np.random.default_rng(101), 0
    for _ in range(thorough(60, 600)):
        p, b = random_spectrum(rng), float(rng.uniform(0.2, 2.0))
        room = p.n / b - p.k
        effective = p.lam[p.k :].sum() / room if room > 0 else np.inf
        if effective >= p.lam[p.k - 1]:
            continue
        lengths = np.sqrt(p.lam[: p.k] - effective)
        U = p.U[:, : p.k]
        V, D = (U * (lengths / p.lam[: p.k])).T, effective / p.lam[: p.k]
        for g in beta_gradients(U * lengths, V, D, effective / b, p.S, b):
            record(worst_error=agree(g, np.zeros_like(g), tolerance=1e-11, scale=p.n * (1 + p.lam[0] / effective) ** 2))
        seen += 1
    check(seen > 15, f"only {seen} spectra had such a point")


@CONCLUSION.evidence(role="supports", kind="numeric")
def test_a_linear_beta_vae_retains_what_exceeds_beta_sigma2(record, thorough):
    """Ascent in W, V and log D from random starts; a latent is retained where its mean KL is not zero."""
    rng, counts = np.random.default_rng(104), set()
    for _ in range(thorough(12, 120)):
        p, b = random_spectrum(rng, 4, 3), float(np.exp(rng.uniform(-1.2, 1.2)))
        threshold = b * p.sigma2
        if np.min(np.abs(np.log(p.lam / threshold))) < 0.1:  # too flat to climb
            continue
        retained, found = retained_count(p.lam, p.k, threshold), ascend(p, b, rng)
        check_retained(*found, p, retained)
        lengths = np.sort(np.sum(found[0] ** 2, axis=0))[::-1]
        expected = np.maximum(p.lam[: p.k] - threshold, 0.0)
        record(worst_error=agree(lengths, expected, tolerance=1e-3, scale=p.lam[0]))
        counts.add(retained)
    check(len(counts) > 2, f"only {counts} latents were retained")


def ascend(p, b, rng):
    """W, V, D at the end of L-BFGS on the beta-ELBO."""
    size = p.n * p.k

    def parts(x):
        return x[:size].reshape(p.n, p.k), x[size : 2 * size].reshape(p.k, p.n), np.exp(x[2 * size :])

    def value_and_gradient(x):
        W, V, D = parts(x)
        g = beta_gradients(W, V, D, p.sigma2, p.S, b)
        value = model.reconstruction(W, V, D, p.sigma2, p.S) - b * model.kl(V, D, p.S)
        return value, np.concatenate([g[0].ravel(), g[1].ravel(), D * g[2]])

    return parts(climb(value_and_gradient, rng.standard_normal(2 * size + p.k)))


def check_retained(W, V, D, p, expected):
    """The number of latents whose mean KL is above 1e-3 (at lam/(beta sigma2) = 1.1 it is 0.048)."""
    kl = 0.5 * (np.einsum("ij,jl,il->i", V, p.S, V) + D - 1 - np.log(D))
    same(int((kl > 1e-3).sum()), expected)


def check_stationary_for_beta(p, b, s):
    """The gradients of the beta-ELBO at noise s vanish at p, to 50 digits; -> the size of their terms."""
    second, lengths = p.V @ p.S @ p.V.T, (p.W**2).sum(axis=0)
    scale = b * (1 + p.S.trace() / p.sigma2) ** 2 / min(1, p.sigma2, p.D.min())
    for g in (
        (p.S @ p.V.T - p.W * p.D - p.W @ second) / s,
        (p.W.T - p.W.T @ p.W @ p.V) @ p.S / s - b * p.V @ p.S,
        (b / p.D - b - lengths / s) / 2,
    ):
        at_most(abs(g) / scale, 0.0, slack=1e-35)
    return scale


@OBJECTIVE.evidence(role="supports", kind="property")
@given(p=orthogonal_points(max_n=4), exponent=st.floats(-3, 3))
def test_to_50_digits_the_points_at_beta_sigma2_are_stationary_for_beta(p, exponent, record):
    """Hostile spectra: p is stationary for the VAE at noise p.sigma2 = beta sigma2."""
    mp = reference.mpmath
    with reference.precision():
        b = mp.mpf(10.0**exponent)
        s = p.sigma2 / b
        scale = check_stationary_for_beta(p, b, s)
        kl = p.kl_per_latent.sum()
        ours = reference.elbo(p.W, p.V, p.D, s, p.S) + (1 - b) * kl
        other = b * reference.elbo(p.W, p.V, p.D, p.sigma2, p.S)
        rest = len(p.S) * ((b - 1) * mp.log(2 * mp.pi * s) + b * mp.log(b)) / 2
        record(worst_error=at_most(abs(ours - other - rest) / scale, 0.0, slack=1e-35))


@OBJECTIVE.evidence(role="control", kind="numeric")
def test_to_50_digits_a_noise_off_by_a_billionth_is_rejected():
    p = exact_point(random_spectrum(np.random.default_rng(107), 4, 2), (0, None), (1, 1))
    with reference.precision():
        b = reference.mpmath.mpf(2)
        check_stationary_for_beta(p, b, p.sigma2 / b)
        with rejected():
            check_stationary_for_beta(p, b, p.sigma2 / b * (1 + reference.mpmath.mpf(10) ** -9))


@CONCLUSION.evidence(role="control", kind="numeric")
def test_the_threshold_without_beta_is_rejected():
    """lam = 4, 2, 1, 1/2, sigma2 = 0.8, beta = 2: two of three latents are retained, not three."""
    rng = np.random.default_rng(106)
    p = random_spectrum(rng, 4, 3)
    p = type(p)(np.array([4.0, 2.0, 1.0, 0.5]), p.U, 3, 0.8)
    found = ascend(p, 2.0, rng)
    check_retained(*found, p, 2)
    with rejected():
        check_retained(*found, p, retained_count(p.lam, p.k, p.sigma2))


@LEARNED.evidence(role="control", kind="numeric")
def test_with_a_learned_noise_the_threshold_of_the_vae_is_rejected():
    """lost/(n - q) for beta sigma2 (or for sigma2): the gradients do not vanish."""
    lam = np.array([4.0, 1.0])
    for s, effective in ((2.0, 1.0), (1.0, 0.5)):
        with rejected():
            for g in beta_gradients(*linear_point(lam, s, effective), 0.5):
                agree(g, np.zeros_like(g), tolerance=1e-6)
