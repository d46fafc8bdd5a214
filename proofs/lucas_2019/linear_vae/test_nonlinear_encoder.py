"""What no encoder takes away: at a global maximum the decoder's columns are still the scaled principal axes.

Statement   whatever means m(x) and variances d(x) > 0 the encoder gives, the ELBO is P(W) - 1/2 E_x[(m - m*)^T M (m -
            m*)/sigma2 + sum_i h(d_i M_ii/sigma2)], with m* = M^-1 W^T x and h(t) = t - 1 - log t >= 0. So if the
            encoder can represent V x and a constant D (a network with a linear part; linear layers at least k wide),
            so that Lemma 1 holds as Sec. 6.1 says, the ELBO has its global maxima over W where the linear VAE has them.
            Sec. 6.1 says "Corollary 1 and Theorem 1 no longer hold in general" and gives as reason that the maximum is
            not unique. That is so (claim deep-linear-encoder); this claim is ours, and says what of Corollary 1 stays.
Hypotheses  sigma2 > 0; q(z|x) Gaussian with diagonal covariance. What fails without them, or with a layer narrower than
            the retained latents, are the controls.
Source      ours, beside Lucas et al. 2019, Sec. 6.1, "Nonlinear Encoders"; theory 3.3, 3.4.
Method      the identity at each datum, in words for all n and k; then numbers: networks that were not trained, networks
            and free tables of m(x), d(x) that were trained together with W, deep linear encoders.
Trusted     the normal form of words; claim corollary-1 for the maxima of P.
"""

from dataclasses import dataclass, replace

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.lucas_2019.linear_vae.axes import agree_with_axes
from proofs.lucas_2019.linear_vae.deep_encoders import best_trained
from proofs.machinery.checks import agree, at_most, check, rejected, same
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.linear_vaes import hard_vaes, random_vae
from proofs.problems.spectra import SpectralProblem, climb, random_problem, random_rotation
from verify import reference
from verify.models import linear_vae as model
from verify.models import ppca as likelihood
from verify.symbolic import linear_vae, ppca
from verify.symbolic.expectations import expectation, log_gaussian
from verify.symbolic.letters import (
    C,
    D,
    M,
    V,
    W,
    gram,
    k,
    log_det_of_marginal,
    marginal_precision,
    sigma2,
    x,
    z,
)
from verify.symbolic.linear_vae import gap
from verify.symbolic.matrix_calculus import diag, identity, inverse, letter
from verify.symbolic.relations import expand, reduce, relation, substitute, substitute_log_det
from verify.symbolic.traces import log_det, trace

CLAIM = Claim(
    id="nonlinear-encoder",
    source="ours, beside Sec. 6.1",
    statement="with any encoder that can represent the linear one, nonlinear or of many layers, the decoder's columns "
    "are the scaled principal components at every global maximum of the ELBO: that much of Corollary 1 stays",
    hypotheses="q diagonal Gaussian; the paper's sentence, that uniqueness and Theorem 1 are lost, is claim "
    "deep-linear-encoder, and holds",
    section="The linear VAE",
    rests_on=("corollary-1", "eq-05-06"),
    trusts=("gaussian-moments",),
)
IDENTITY = CLAIM.step(
    "identity",
    "log p(x) - ELBO(x) = gap(W) + (m - m*)^T M (m - m*)/(2 sigma2) + 1/2 sum_i h(d_i M_ii/sigma2) for any m(x), "
    "d(x) > 0, n and k; h(t) = t - 1 - log t, m* = M^-1 W^T x, x measured from its mean",
    says="posterior & moments & any_encoder -> gap_and_losses",
)
LOSSES = CLAIM.step(
    "losses",
    "the losses are >= 0, and 0 iff m = m* and d = d*: no encoder gets above P(W), which the linear one reaches",
    says="gap_and_losses -> at_most_linear_elbo",
)
REPRESENTS = CLAIM.step(
    "represents",
    "linear layers that are all at least k wide can be any V, for all n, k and depths: the maximum over these, or over "
    "any encoder that can give V x and a constant D, is not below the linear VAE's",
    says="has_linear_part & global_maximum -> at_least_linear_maximum",
)
BETWEEN = CLAIM.step(
    "between",
    "a value that is at most P(W), which is at most the maximum of the linear VAE, and at least this maximum equals "
    "both: W is the decoder of a maximum of the linear VAE",
    says="at_most_linear_elbo & at_least_linear_maximum -> linear_maximum",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "global maxima over W and such an encoder have the scaled principal components as the columns of W",
)
USED = {
    "corollary-1": "linear_maximum -> principal_columns",
    "eq-05-06": "posterior",
    "gaussian-moments": "moments",
}


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_that_the_decoder_stays_identified(record):
    record(instances=concludes(CLAIM, "any_encoder & has_linear_part & global_maximum -> principal_columns", USED))
    with rejected():  # an encoder that cannot represent the linear one: see the controls
        concludes(CLAIM, "any_encoder & global_maximum -> principal_columns", USED)


@BETWEEN.evidence(role="supports", kind="symbolic", strength="proved")
def test_what_lies_between_the_maximum_and_itself_is_the_maximum(record):
    # P(W) = top - short, as P(W) is a value of the linear VAE, and the value is P(W) - lost (step losses).
    short, lost, top = sp.Symbol("short", nonnegative=True), sp.Symbol("lost", nonnegative=True), sp.Symbol("top")
    more = sp.Symbol("more", positive=True)
    for here, there in ((more, lost), (short, more)):  # one of the two is not 0: the value is below the maximum
        check_below(top - here - there, top)
    with rejected():
        check_below(top - short - lost, top)
    record(instances=2)


def check_below(value, maximum):
    check((maximum - value).is_positive, "the value reaches the maximum")


m = letter("m", k, 1)  # the mean of q at one datum, from any encoder
T = diag(M) @ D / sigma2  # t_i = d_i M_ii/sigma2
T_AT_BEST = diag(M) @ linear_vae.optimal_encoder()[1] / sigma2


def log_encoder(covariance):
    return log_gaussian(z - m, inverse(covariance), log_det(covariance))


def posterior_kl_at_datum(covariance=D):
    """KL(N(m, covariance), p(z|x)) at one datum x."""
    return reduce(expectation(log_encoder(covariance) - ppca.log_posterior(), z, m, covariance), gram)


def shortfall_at_datum():
    """(m - m*)^T M (m - m*)/(2 sigma2) + 1/2 sum_i h(t_i): what the encoder loses at one datum, beside the gap."""
    off = m - inverse(M) @ W.T @ x
    return trace(off.T @ M @ off) / (2 * sigma2) + (trace(T) - k - log_det(T)) / 2


@IDENTITY.evidence(role="supports", kind="symbolic", strength="proved")
def test_any_diagonal_gaussian_falls_short_of_log_p_by_the_gap_and_a_sum_of_nonnegative_terms(record):
    joint = ppca.log_observation() + ppca.log_prior()
    elbo = expectation(joint - log_encoder(D), z, m, D)
    log_p = substitute_log_det(reduce(ppca.log_density(), marginal_precision(), gram), C, log_det_of_marginal())
    same(reduce(log_p - elbo, gram), posterior_kl_at_datum())
    # gap() has no x, no m and no D in it: no encoder touches it.
    same(posterior_kl_at_datum(), reduce(gap() + shortfall_at_datum(), gram))
    record(instances=2)
    record.witness(f"log p(x) - ELBO(x; m, D) = {gap()} + {shortfall_at_datum()}, for any m(x), D(x), n and k")


@LOSSES.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_losses_are_not_negative_and_vanish_at_the_linear_encoder_only(record):
    # v^T M v = |W v|^2 + sigma2 |v|^2 > 0 for v != 0, and m* = V* x.
    v = letter("v", k, 1)
    same(v.T @ expand(M, M) @ v, (W @ v).T @ (W @ v) + sigma2 * v.T @ v)
    same(linear_vae.optimal_encoder()[0] @ x, inverse(M) @ W.T @ x)
    same(T_AT_BEST, identity(k))
    # h(t) = t - 1 - log t is convex with its minimum 0 at 1.
    t = sp.Symbol("t", positive=True)
    check_penalty(t - 1 - sp.log(t), t)
    for wrong in (t - sp.log(t), t - 1 - 2 * sp.log(t), t**2 - 1 - sp.log(t), sp.log(t) - t + 1):
        with rejected():
            check_penalty(wrong, t)
    record(instances=4)


def check_penalty(h, t):
    same((h.subs(t, 1), sp.solve(sp.diff(h, t), t)), (0, [1]))
    check(sp.diff(h, t, 2).is_positive, "not convex")


@dataclass(frozen=True)
class Data:
    """Rows X (N, n) with mean zero and covariance S (n, n)."""

    X: np.ndarray
    S: np.ndarray

    @classmethod
    def with_covariance(cls, rng, S, N):
        """N > n rows whose 1/N covariance is S."""
        lam, U = np.linalg.eigh(S)
        random = rng.standard_normal((N, len(S)))
        Q = np.linalg.qr(random - random.mean(axis=0))[0]
        X = np.sqrt(N) * Q * np.sqrt(np.maximum(lam, 0)) @ U.T
        return cls(X, X.T @ X / N)


def elbo_of_encoder(W, sigma2, X, means, variances):
    """-(B) + (C), datum by datum (Eqs. 4, 10), averaged.  means, variances (N, k) are all that an encoder is."""
    error = ((X - means @ W.T) ** 2).sum(axis=1) + variances @ (W**2).sum(axis=0)
    kl = (means**2 + variances - 1 - np.log(variances)).sum(axis=1) / 2
    return float(np.mean(-error / (2 * sigma2) - len(W) / 2 * np.log(2 * np.pi * sigma2) - kl))


def network(rng, n, k, size):
    """Means and variances from tanh networks with one hidden layer and random weights; x in units of `size`."""
    into, out, spread = (rng.standard_normal(shape) for shape in ((n, 6), (6, k), (6, k)))

    def encoder(X):
        hidden = np.tanh(X @ into / size)
        return 3 * hidden @ out, np.exp(hidden @ spread)

    return encoder


@LOSSES.evidence(role="supports", kind="property")
@given(p=hard_vaes(), seed=st.integers(0, 2**32 - 1))
def test_no_network_gets_above_the_profile_elbo_of_its_decoder_on_hostile_spectra(p, seed, record):
    rng = np.random.default_rng(seed)
    n, columns = p.W.shape
    data = Data.with_covariance(rng, p.S, n + 4)
    means, variances = network(rng, n, columns, 1 + np.sqrt(np.trace(p.S)))(data.X)
    reached, best = elbo_of_encoder(p.W, p.sigma2, data.X, means, variances), model.profile_elbo(p.W, p.sigma2, data.S)
    # Rounding is relative to the largest terms, and the profile loses the condition number of M.
    size = abs(reached) + abs(best) + np.trace(data.S) / p.sigma2 + n * (2 + abs(np.log(p.sigma2)))
    slack = (1e-13 + 50 * np.linalg.cond(p.M) * np.finfo(float).eps) * size
    at_most(reached, best, slack=slack)
    off = means - data.X @ model.optimal_encoder(p.W, p.sigma2)[0].T
    t = variances * np.diag(p.M) / p.sigma2
    loss = np.mean(np.sum((off @ p.M) * off, axis=1) / p.sigma2 + np.sum(t - 1 - np.log(t), axis=1)) / 2
    record(worst_error=agree(reached + loss, best, tolerance=slack / size, scale=size))


@LOSSES.evidence(role="control", kind="numeric")
def test_the_elbo_at_variances_one_percent_off_is_exceeded():
    rng = np.random.default_rng(63)
    p = random_vae(rng, 4, 2)
    data = Data.with_covariance(rng, p.S, 8)
    V, D = model.optimal_encoder(p.W, p.sigma2)
    best, worse = (elbo_of_encoder(p.W, p.sigma2, data.X, data.X @ V.T, np.tile(d, (8, 1))) for d in (D, 1.01 * D))
    at_most(best, model.profile_elbo(p.W, p.sigma2, data.S), slack=1e-12)
    with rejected():
        at_most(best, worse, slack=1e-12)


def trained(data, sigma2, start, encoder_of, back):
    """(W, means, variances) where ascent ends, in W and the encoder's parameters together.

    encoder_of(parameters) -> means, log variances (N, k); back(parameters, dmeans, dlog) -> gradient in the parameters.
    """
    W0, parameters = start
    N, size = len(data.X), W0.size

    def value_and_gradient(v):
        W = v[:size].reshape(W0.shape)
        means, logs = encoder_of(v[size:])
        variances, residual, norms = np.exp(logs), data.X - means @ W.T, (W**2).sum(axis=0)
        dW = (residual.T @ means - W * variances.sum(axis=0)) / (N * sigma2)
        dmeans = (residual @ W / sigma2 - means) / N
        dlogs = (1 - variances * (1 + norms / sigma2)) / (2 * N)
        slope = np.concatenate([dW.ravel(), back(v[size:], dmeans, dlogs)])
        return elbo_of_encoder(W, sigma2, data.X, means, variances), slope

    end = climb(value_and_gradient, np.concatenate([W0.ravel(), parameters]))
    means, logs = encoder_of(end[size:])
    return end[:size].reshape(W0.shape), means, np.exp(logs)


def free_table(N, k):
    """The most flexible encoder of all: a mean and a log variance for each datum and latent."""

    def encoder_of(v):
        return tuple(v.reshape(2, N, k))

    return encoder_of, lambda v, dmeans, dlogs: np.concatenate([dmeans.ravel(), dlogs.ravel()])


def tanh_network(X, k, hidden=3):
    """m(x) = V x + A tanh(B x), log d(x) = c + E tanh(B x): a network with a linear part."""
    n = X.shape[1]
    shapes = [(n, k), (hidden, k), (n, hidden), (1, k), (hidden, k)]
    cuts = np.cumsum([a * b for a, b in shapes])

    def parts(v):
        return [p.reshape(s) for p, s in zip(np.split(v, cuts[:-1]), shapes, strict=True)]

    def encoder_of(v):
        V, A, B, c, E = parts(v)
        h = np.tanh(X @ B)
        return X @ V + h @ A, c + h @ E

    def back(v, dmeans, dlogs):
        _, A, B, _, E = parts(v)
        h = np.tanh(X @ B)
        dB = X.T @ ((dmeans @ A.T + dlogs @ E.T) * (1 - h * h))
        slopes = [X.T @ dmeans, h.T @ dmeans, dB, dlogs.sum(axis=0), h.T @ dlogs]
        return np.concatenate([s.ravel() for s in slopes])

    return encoder_of, back, int(cuts[-1])


def check_decoder_is_the_principal_axes(p, W, variances, *, tolerance):
    """Corollary 1: the columns are sqrt(lam_i - sigma2) u_i up to signs and order; and d does not depend on x."""
    error = agree_with_axes(W, likelihood.fixed_noise_maximum(p.lam, p.U, p.k, p.sigma2), tolerance=tolerance)
    agree(variances, np.broadcast_to(variances.mean(axis=0), variances.shape), tolerance=tolerance)
    return error


def clear_of_thresholds(p):
    """The same with a noise at least 2 % from all eigenvalues: at one of them the ELBO is flat to second order."""
    while np.abs(p.lam - p.sigma2).min() < 0.02 * p.sigma2:
        p = replace(p, sigma2=0.97 * p.sigma2)
    return p


@CONCLUSION.evidence(role="supports", kind="numeric")
def test_free_means_and_variances_for_each_datum_lead_to_the_principal_axes(record, thorough):
    rng = np.random.default_rng(61)
    for _ in range(thorough(8, 200)):
        p = clear_of_thresholds(random_problem(rng, int(rng.integers(3, 6)), 2))
        data = Data.with_covariance(rng, p.S, 8)
        encoder_of, back = free_table(8, p.k)
        start = rng.standard_normal((p.n, p.k)), rng.standard_normal(2 * 8 * p.k)
        W, _, variances = trained(data, p.sigma2, start, encoder_of, back)
        # The search stops at |gradient| = 1e-10; the curvature towards a nearly equal eigenvalue is 0.05 or less.
        record(worst_error=check_decoder_is_the_principal_axes(p, W, variances, tolerance=1e-5))


@CONCLUSION.evidence(role="supports", kind="numeric")
def test_a_trained_network_leads_to_the_principal_axes(record, thorough):
    rng = np.random.default_rng(62)
    for _ in range(thorough(2, 30)):
        p = clear_of_thresholds(random_problem(rng, 4, 2))
        data = Data.with_covariance(rng, p.S, 40)
        encoder_of, back, size = tanh_network(data.X, p.k)
        axes = likelihood.fixed_noise_maximum(p.lam, p.U, p.k, p.sigma2)
        best = float(likelihood.log_likelihood(axes, p.sigma2, p.S))
        ends = []
        for _ in range(2):
            start = rng.standard_normal((p.n, p.k)), 0.5 * rng.standard_normal(size)
            W, means, variances = trained(data, p.sigma2, start, encoder_of, back)
            reached = elbo_of_encoder(W, p.sigma2, data.X, means, variances)
            at_most(reached, best, slack=1e-12 * abs(best))
            ends.append((reached, W, variances))
        reached, W, variances = max(ends, key=lambda end: end[0])
        # The value is right to the square of what is left of the error in W, the hidden layer having to fade.
        agree(reached, best, tolerance=1e-7)
        record(worst_error=check_decoder_is_the_principal_axes(p, W, variances, tolerance=1e-2))


@REPRESENTS.evidence(role="supports", kind="symbolic", strength="proved")
def test_layers_at_least_k_wide_are_any_linear_encoder(record):
    """By induction over the layers: a further one of width h >= k, E with E E^T = I, A for the last (k, .) before."""
    h, width = sp.symbols("h width", integer=True, positive=True)
    E, A = letter("E", k, h), letter("A", k, width)
    orthonormal = relation(E @ E.T, identity(k))
    same(reduce(E @ (E.T @ A), orthonormal), A)
    at_best = reduce(substitute(linear_vae.elbo(), {"V": E @ E.T @ V}), orthonormal)
    same(at_best, linear_vae.elbo())
    with rejected():  # h < k: E E^T is a projection and not I
        same(E @ (E.T @ A), A)
    record(instances=2)


def check_axes_at_the_maximum(p, W, reached):
    """Corollary 1: the value is the maximum of L, and the columns of W are the scaled principal axes."""
    axes = likelihood.fixed_noise_maximum(p.lam, p.U, p.k, p.sigma2)
    best = float(likelihood.log_likelihood(axes, p.sigma2, p.S))
    agree(reached, best, tolerance=1e-8, scale=abs(best))
    # The value is right to the square of the error in W.
    return agree_with_axes(W, axes, tolerance=1e-3)


@CONCLUSION.evidence(role="supports", kind="numeric")
def test_trained_deep_encoders_differ_and_their_decoders_do_not(record, thorough):
    rng = np.random.default_rng(66)
    for widths in ((2,), (4, 3)) * thorough(1, 20):
        p = random_problem(rng, 4, 2)
        p = SpectralProblem(p.lam, p.U, p.k, 0.6 * float(p.lam[1]))
        ends = [best_trained(p, widths, rng) for _ in range(2)]
        for decoder, _, _, reached in ends:
            record(worst_error=check_axes_at_the_maximum(p, decoder, reached))
        first, second = (end[1] for end in ends)
        # |V_1^T V_1| sees neither signs nor orders, and no rotation of the hidden layer either.
        apart = np.linalg.norm(first[0].T @ first[0] - second[0].T @ second[0])
        check(apart > 1e-2, "two trainings found the same factors")


def best_of_all_encoders(X, decoder, sigma2, rng):
    """The ELBO that ascent over all tables of means and variances reaches with this decoder (n, k) held fixed."""
    N, columns = len(X), decoder.shape[1]
    encoder_of, back = free_table(N, columns)

    def value_and_gradient(v):
        means, logs = encoder_of(v)
        residual = X - means @ decoder.T
        dlogs = (1 - np.exp(logs) * (1 + (decoder**2).sum(axis=0) / sigma2)) / (2 * N)
        slope = back(v, (residual @ decoder / sigma2 - means) / N, dlogs)
        return elbo_of_encoder(decoder, sigma2, X, means, np.exp(logs)), slope

    return value_and_gradient(climb(value_and_gradient, rng.standard_normal(2 * N * columns)))[0]


@LOSSES.evidence(role="supports", kind="numeric")
def test_a_rotated_decoder_loses_what_no_encoder_can_win_back(record):
    # Four data, x = (+-sqrt 6, 0), (0, +-sqrt 2): S = diag(3, 1). sigma2 = 1/2, M = diag(3, 1) or that rotated.
    X = np.array([[np.sqrt(6), 0], [-np.sqrt(6), 0], [0, np.sqrt(2)], [0, -np.sqrt(2)]])
    axes = np.diag([np.sqrt(2.5), np.sqrt(0.5)])
    rotated = axes @ np.array([[1, -1], [1, 1]]) / np.sqrt(2)
    best = -np.log(2 * np.pi) - np.log(3) / 2 - 1
    loss = np.log(4 / 3) / 2
    for decoder, expected in ((axes, best), (rotated, best - loss)):
        V, d = model.optimal_encoder(decoder, 0.5)
        agree(elbo_of_encoder(decoder, 0.5, X, X @ V.T, np.broadcast_to(d, (4, 2))), expected, tolerance=1e-14)
        agree(float(reference.profile_elbo(decoder, 0.5, np.diag([3.0, 1.0]))), expected, tolerance=1e-15)
        reached = best_of_all_encoders(X, decoder, 0.5, np.random.default_rng(63))
        record(worst_error=agree(reached, expected, tolerance=1e-12))
    record.witness(
        f"x in {{(+-sqrt 6, 0), (0, +-sqrt 2)}}, sigma2 = 1/2: the best of all encoders reaches {best:.6f} at W = "
        f"diag(sqrt 2.5, sqrt 0.5) and log(4/3)/2 = {loss:.6f} less with its columns rotated by 45 degrees"
    )


@IDENTITY.evidence(role="control", kind="symbolic")
def test_with_full_covariance_no_gap_is_left_and_the_identity_is_rejected():
    best = sigma2 * inverse(M)
    at_best = reduce(posterior_kl_at_datum(best), gram)
    off = m - inverse(M) @ W.T @ x
    same(at_best, reduce(trace(off.T @ M @ off) / (2 * sigma2), gram))  # 0 at m = m*, for every W
    with rejected():
        same(at_best, reduce(gap() + trace(off.T @ M @ off) / (2 * sigma2), gram))
    with rejected():  # diag(M)/sigma2 for the precision in the shortfall of the mean
        wrong = trace(off.T @ diag(M) @ off) / (2 * sigma2) + (trace(T) - k - log_det(T)) / 2
        same(posterior_kl_at_datum(), reduce(gap() + wrong, gram))


@CONCLUSION.evidence(role="control", kind="numeric")
def test_with_full_covariance_the_decoder_is_found_only_up_to_a_rotation():
    # The best q with full covariance is the posterior, so ascent is ascent of the likelihood.
    rng = np.random.default_rng(64)
    p = random_problem(rng, 4, 2)

    def value_and_gradient(w):
        W = w.reshape(p.n, p.k)
        return likelihood.log_likelihood(W, p.sigma2, p.S), likelihood.gradient(W, p.sigma2, p.S).ravel()

    W = climb(value_and_gradient, rng.standard_normal(p.n * p.k)).reshape(p.n, p.k)
    axes = likelihood.fixed_noise_maximum(p.lam, p.U, p.k, p.sigma2)
    agree(W @ W.T, axes @ axes.T, tolerance=1e-6)
    constant = np.ones((3, p.k))
    with rejected():
        check_decoder_is_the_principal_axes(p, W, constant, tolerance=1e-2)
    with rejected():
        check_decoder_is_the_principal_axes(p, axes @ random_rotation(rng, p.k), constant, tolerance=1e-2)
    with rejected():  # the checker sees variances that depend on x
        check_decoder_is_the_principal_axes(p, axes, constant * np.array([[1.0], [2.0], [3.0]]), tolerance=1e-2)


@CONCLUSION.evidence(role="control", kind="numeric")
def test_an_encoder_that_cannot_represent_the_posterior_mean_leads_elsewhere():
    # Means that do not depend on x: the decoder collapses, whatever the noise.
    rng = np.random.default_rng(65)
    p = random_problem(rng, 4, 2)
    data = Data.with_covariance(rng, p.S, 8)

    def encoder_of(v):
        return tuple(np.repeat(v.reshape(2, 1, p.k), 8, axis=1))

    def back(v, dmeans, dlogs):
        return np.concatenate([dmeans.sum(axis=0), dlogs.sum(axis=0)])

    start = rng.standard_normal((p.n, p.k)), rng.standard_normal(2 * p.k)
    W, _, variances = trained(data, p.sigma2, start, encoder_of, back)
    with rejected():
        check_decoder_is_the_principal_axes(p, W, variances, tolerance=1e-2)


@CONCLUSION.evidence(role="control", kind="numeric")
def test_a_bottleneck_below_the_retained_latents_has_another_decoder():
    rng = np.random.default_rng(73)
    p = SpectralProblem(np.array([4.0, 3.0, 1.0]), np.eye(3), 2, 0.5)
    W, _, _, reached = best_trained(p, (1,), rng)
    with rejected():
        check_axes_at_the_maximum(p, W, reached)
    with rejected():  # the value alone would not do, nor the axes alone
        check_axes_at_the_maximum(p, likelihood.fixed_noise_maximum(p.lam, p.U, 2, 0.5), reached)
    best = float(likelihood.log_likelihood(likelihood.fixed_noise_maximum(p.lam, p.U, 2, 0.5), 0.5, p.S))
    with rejected():
        check_axes_at_the_maximum(p, W @ random_rotation(rng, 2), best)
