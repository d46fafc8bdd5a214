"""Sec. 1: a collapsed solution can be left only by reducing the noise and learning better features, both.

Statement   the paper: there is no way out of collapse but less noise and better features "simultaneously". Read as in
            Sec. 4.1 ("when learning sigma2 simultaneously"), jointly and not one of them alone, it holds: at its own
            noise a collapsed maximum is the highest point, with the same W its latents stay unused at every noise, and
            only at a smaller one does a maximum use more. At the same moment they need not move: one after the other
            does. With W = 0 the noise alone goes to the mean of all eigenvalues, and there the features rise alone.
Hypotheses  not all unused eigenvalues equal to sigma2: else the point is the best that there is.
Source      Lucas et al. 2019, Secs. 1, 4.1; theory 1.3 and 2.
Method      in words, for all n and k: a latent whose column is zero has KL 0 whatever sigma2; at W = 0,
            2 sigma2^2 dL/dsigma2 = tr S - n sigma2, a column towards u_j has the curvature (lam_j - sigma2)/sigma2^2.
            With retained columns held literally fixed the best noise is NOT the mean of the unused, but higher
            (control), and may even exceed all the unused: then one more step in W and one in sigma2 are needed. That
            steps in turn end at the global maximum from every collapsed maximum is proved on paper
            (docs/mathematics.md, Escape) and tried here on numbers.
"""

import numpy as np
import sympy as sp
from scipy.optimize import brentq

from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems import rational_ppca as exact
from proofs.problems.points_in_words import LIKELIHOOD_POINT, discarded, zero_column
from proofs.problems.spectra import climb, landscapes
from verify.landscape.points import weights
from verify.landscape.stationary import fixed_noise_points
from verify.models import ppca
from verify.symbolic import linear_vae as elbo_in_words
from verify.symbolic import ppca as in_words
from verify.symbolic.letters import M, S, W, k, marginal_precision, n, sigma2
from verify.symbolic.matrix_calculus import identity, inverse, zero
from verify.symbolic.relations import expand, reduce, substitute
from verify.symbolic.traces import trace
from verify.symbolic.unit_vectors import orthonormal, unit_vector

CLAIM = Claim(
    id="escape-needs-both",
    source="Sec. 1",
    statement="posterior collapse can be left only by reducing the noise and learning better features simultaneously",
    hypotheses="simultaneously: jointly, not one of them alone; not all unused eigenvalues equal to sigma2",
    section="Probabilistic PCA",
    rests_on=("eq-05-06", "fixed-noise-maxima", "learned-noise-saddles"),
    quote="we characterize the stationary points of pPCA and show that the variance of the observation model directly "
    "influences the stability of local stationary points corresponding to posterior collapse – it is only possible to "
    "escape these sub-optimal solutions by simultaneously reducing noise and learning better features. ... decreasing "
    "σ 2 will increase likelihood at these stationary points so that when learning σ 2 simultaneously these "
    "stationary points are saddle points",
    finding="neither less noise nor better features alone suffices. They need not change at the same time: the noise "
    "alone and the features alone, in turn and perhaps several times, leave collapse too; shown from W = 0 and from "
    "one partly collapsed maximum",
)
FEATURES = CLAIM.step(
    "features",
    "a unit vector e of the latent space is unused if W e = 0, and a latent if its column is zero. While W stays, so "
    "does the dimension k - rank W of what is unused; each such e has the posterior (Eq. 6) of mean 0 and variance 1, "
    "whatever sigma2 (an unused latent has that optimal encoder, too): to use more takes other features, for all n "
    "and k",
    says="posterior & more_in_use -> features_changed",
)
NOISE = CLAIM.step(
    "noise",
    "if two maxima, each on top at its noise, use different numbers of directions, min(k, #{lam_i > sigma2}), then "
    "that which uses more is at the smaller noise: the number never grows with sigma2; for all n and k",
    says="on_top & other_on_top & more_in_use -> noise_reduced",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "so nothing is higher than a collapsed maximum at its own noise, any other maximum of higher rank has both "
    "another W and a smaller noise, and the gradient in sigma2 points to a smaller one, unless all unused eigenvalues "
    "equal sigma2",
)
TURN = CLAIM.step(
    "in-turn",
    "they need not change at the same time: from W = 0, if S != 0, the noise alone leads to the mean of all "
    "eigenvalues, where u_1 rises alone unless all are equal, for all n and k; and there is a partly collapsed maximum "
    "that is left so",
    place="Escape",
)


def best_noise(W_, S_, start):
    """Where sigma2 ends that climbs L from `start` with W held fixed: the first zero of dL/dsigma2 on its way."""

    def slope(s):
        return float(ppca.noise_gradient(W_, s, S_))

    step = 0.99 if slope(start) < 0 else 1 / 0.99
    s = start
    while slope(s) * slope(s * step) > 0:
        s *= step
        if not 1e-6 < s / start < 1e6:
            raise ValueError("the noise runs away")
    return float(brentq(slope, min(s, s * step), max(s, s * step), xtol=1e-15 * s, rtol=1e-14))


def rate_of(W_, noise, S_):
    """The largest curvature of L in W alone."""
    return float(np.linalg.eigvalsh(ppca.hessian(W_, noise, S_)).max())


def alternate(at, rounds):
    """(W, sigma2) after steps in sigma2 alone and in W alone; at most one moves at a time, and L never falls."""
    W_, s = weights(next(fixed_noise_points(at.lam, at.k, at.sigma2)), at.lam, at.U), at.sigma2
    value = float(ppca.log_likelihood(W_, s, at.S))
    slack = 1e-12 * (abs(value) + at.n)
    for _ in range(rounds):
        s = best_noise(W_, at.S, s)
        lower = float(ppca.log_likelihood(W_, s, at.S))
        W_ = ppca.fixed_noise_maximum(at.lam, at.U, at.k, s)
        higher = float(ppca.log_likelihood(W_, s, at.S))
        at_most(value, lower, slack=slack)
        at_most(lower, higher, slack=slack)
        if higher - value <= 1e-15 * abs(value):
            break
        value = higher
    return W_, s


def check_reaches_the_maximum(at, rounds=400):
    """Alternation ends at the value of W_MLE, sigma2_MLE and at that noise; -> the error."""
    mle, noise = ppca.maximum_likelihood(at.lam, at.U, at.k)
    W_, s = alternate(at, rounds)
    best = float(ppca.log_likelihood(mle, noise, at.S))
    # It converges linearly, at a ratio below q/n a round.
    agree(s, noise, tolerance=1e-6)
    return agree(float(ppca.log_likelihood(W_, s, at.S)), best, tolerance=1e-9, scale=1 + abs(best))


def collapsed(at):
    """Whether the best point at this noise leaves a latent unused that could be used: k < n, and none is equal."""
    point = next(fixed_noise_points(at.lam, at.k, at.sigma2))
    return at.k < at.n and len(point.retained) < at.k


@FEATURES.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_zero_column_is_collapsed_whatever_the_noise_for_all_n_and_k(record):
    """e any unit vector, W e = 0: e^T M^-1 W^T = 0, sigma2 e^T M^-1 e = 1 (Eq. 6); V* = M^-1 W^T, D* = sigma2/M_ee."""
    e = unit_vector("e", k)
    mean, _ = elbo_in_words.optimal_encoder()
    unused = (*orthonormal(e), *zero_column(e))
    same(reduce(e.T @ mean, *unused), zero(1, n))
    same(reduce(e.T @ expand(M, M) @ e, *unused), reduce(sigma2 * e.T @ e, *unused))
    same(reduce(sigma2 * e.T @ inverse(M) @ e, *unused), identity(1))
    with rejected():  # a column that is not zero
        same(reduce(e.T @ mean, *orthonormal(e)), zero(1, n))
    record(instances=3)


more, d, above = sp.symbols("more d above", integer=True, nonnegative=True)


def check_not_more(columns, at_larger_noise, at_smaller_noise):
    """min(k, #{lam_i > sigma2}) is not larger at the larger noise."""
    difference = sp.Min(columns, at_smaller_noise) - sp.Min(columns, at_larger_noise)
    check(bool(difference.is_nonnegative), f"{difference} may be negative")


@NOISE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_number_in_use_never_grows_with_the_noise(record):
    """What exceeds the larger noise exceeds the smaller: nu and nu + d; k below nu, between them, above."""
    for columns, nu, larger in ((above, above + more, above + more + d), (above + more, above, above + more + d)):
        check_not_more(columns, nu, larger)
    check_not_more(above + more + d, above, above + more)
    with rejected():
        check_not_more(above + more + d + 1, above + more + 1, above)
    record(instances=3)


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_so_neither_alone_suffices(record):
    used = {
        "eq-05-06": "posterior",
        # Used of both maxima, the collapsed one and the other.
        "fixed-noise-maxima": "(~maximum_at_its_noise | on_top & highest_at_its_noise) & "
        "(~other_maximum | other_on_top)",
        "learned-noise-saddles": "maximum_at_its_noise & collapsed -> noise_falls | all_unused_equal",
    }
    both = "highest_at_its_noise & (~more_in_use | ~other_maximum | (noise_reduced & features_changed))"
    left = "(noise_falls | all_unused_equal)"
    record(instances=concludes(CLAIM, f"maximum_at_its_noise & collapsed -> {both} & {left}", used))
    with rejected():  # that both change says nothing of when
        concludes(CLAIM, f"maximum_at_its_noise & collapsed -> {both} & {left} & at_the_same_time", used)
    with rejected():  # what is no maximum may use more latents at any noise
        concludes(CLAIM, "maximum_at_its_noise & collapsed & more_in_use -> noise_reduced", used)


def check_left_in_turn(slope, gain, old, lam):
    """The slope in the noise is negative from `old` down to lam, both included; below lam the column rises."""
    x = sp.Symbol("x", positive=True)
    between = lam + (old - lam) * x / (1 + x)
    for noise in (old, between, lam):
        fall = sp.numer(sp.together(-slope.subs(sigma2, noise)))
        check(bool(sp.expand(fall).is_positive), f"the noise may stop before lam: {fall}")
    vanishes(gain * sigma2**2 - (lam - sigma2))


def slope_at(w_1_squared):
    """dL/dsigma2 at S = diag(4, 2, 1), W = (w_1 u_1, 0), factored."""
    c = sp.diag(w_1_squared + sigma2, sigma2, sigma2)
    return sp.factor(sp.diff(-(sp.log(c.det()) + (c.inv() * sp.diag(4, 2, 1)).trace()) / 2, sigma2))


@TURN.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_partly_collapsed_maximum_is_left_in_turn(record):
    """S = diag(4, 2, 1), k = 2, sigma2 = 3, W = (u_1, 0): C = diag(1 + s, s, s) at another noise s."""
    # A maximum at sigma2 = 3, for it is stationary and on top (claim fixed-noise-maxima).
    S_, W_ = exact.diagonal(4, 2, 1), exact.weights((1, 0), (0, 0), (0, 0))
    exact.check_zero(exact.gradient(W_, 3, S_))
    same([bool(S_[i, i] > 3) for i in range(3)], [True, False, False])
    slope = slope_at(1)
    vanishes(slope + (3 * sigma2**3 - 2 * sigma2**2 - 4 * sigma2 - 3) / (2 * sigma2**2 * (1 + sigma2) ** 2))
    x = sp.Symbol("x", positive=True)
    along = -(sp.log(sigma2 + x**2) + 2 / (sigma2 + x**2)) / 2  # column 2 moved to x u_2, everything else held
    gain = sp.diff(along, x, 2).subs(x, 0)
    vanishes(sp.diff(along, x).subs(x, 0))
    check_left_in_turn(slope, gain, 3, 2)
    with rejected():  # from sigma2 = 3.9 the first turn ends above lam_2 = 2
        check_left_in_turn(slope_at(sp.Rational(1, 10)), gain, sp.Rational(39, 10), 2)
    with rejected():  # the rate lam_2/sigma2 - 1
        check_left_in_turn(slope, gain * sigma2, 3, 2)
    record(instances=1)
    record.witness(
        "S = diag(4, 2, 1), k = 2, sigma2 = 3, W = (u_1, 0): with W held fixed dL/dsigma2 < 0 from 3 down to 2 and a "
        "bit beyond, where column 2 alone rises towards u_2 at the rate (2 - sigma2)/sigma2^2"
    )


@TURN.evidence(role="supports", kind="symbolic", strength="proved")
def test_full_collapse_is_left_one_after_the_other_for_all_n_and_k(record):
    slope = 2 * sigma2**2 * reduce(in_words.noise_gradient(), marginal_precision())
    # At W = 0, where C = sigma2 I: the best noise is tr S / n, the mean eigenvalue.
    at_zero = substitute(reduce(slope, *LIKELIHOOD_POINT), {"W": zero(n, k)})
    same(at_zero, trace(S) - n * sigma2)
    with rejected():
        same(at_zero, trace(S) - (n - k) * sigma2)
    # There a column rises towards the largest, unless all are equal: mean < largest.
    u, e, lam = unit_vector("u", n), unit_vector("e", k), sp.Symbol("lam", positive=True)
    rules = (*LIKELIHOOD_POINT, *orthonormal(u), *orthonormal(e), *discarded(u, lam), *zero_column(e))
    image = reduce(in_words.hessian_vector_product(u @ e.T), *rules)
    same(image, (lam - sigma2) / sigma2**2 * (u @ e.T))
    same(substitute(reduce(in_words.gradient_in_latents(), *LIKELIHOOD_POINT), {"W": zero(n, k)}), 0 * W)
    # sum (lam_1 - lam_j) = n (lam_1 - mean) is p > 0 unless all are equal.
    p, largest = sp.symbols("p largest", positive=True)
    mean = sp.solve(n * (largest - sigma2) - p, sigma2)[0]
    vanishes((largest - mean) - p / n)
    record(instances=3)
    record.witness(
        "all n, k: at W = 0 the noise alone goes to tr S/n < lam_1; then u_1 rises at (lam_1 - sigma2)/sigma2^2"
    )


@TURN.evidence(role="supports", kind="numeric")
def test_after_the_noise_alone_the_features_rise_alone(record, thorough):
    """From W = 0 at a noise above all eigenvalues, a maximum of L in W: first sigma2, then W."""
    for at in landscapes(thorough(60, 600), seed=71, generic=True):
        nothing, start = np.zeros((at.n, at.k)), 1.3 * float(at.lam[0])
        at_most(rate_of(nothing, start, at.S), 0.0)
        noise = best_noise(nothing, at.S, start)
        record(instances=0, worst_error=agree(noise, at.lam.mean(), tolerance=1e-10))
        expected = (at.lam[0] - at.lam.mean()) / at.lam.mean() ** 2
        record(worst_error=agree(rate_of(nothing, noise, at.S), expected, tolerance=1e-8))
        check(expected > 0, "the features do not rise")


@TURN.evidence(role="supports", kind="numeric")
def test_retained_columns_that_follow_the_noise_leave_it_at_the_mean_of_the_unused(record, thorough):
    """Along the stationary points of A, the best noise is below max lam_j: features alone rise from there."""
    met = 0
    for at in landscapes(thorough(80, 800), seed=72, generic=True):
        if not collapsed(at):
            continue
        used = list(next(fixed_noise_points(at.lam, at.k, at.sigma2)).retained)
        unused = np.delete(at.lam, used)

        def stationary(s, at=at, used=used):
            W_ = np.zeros((at.n, at.k))
            W_[:, : len(used)] = at.U[:, used] * np.sqrt(at.lam[used] - s)
            return W_

        def slope(s, at=at, stationary=stationary):
            return float(ppca.noise_gradient(stationary(s), s, at.S))

        noise = brentq(slope, 0.5 * unused.mean(), at.sigma2, xtol=1e-15, rtol=1e-14)
        record(instances=0, worst_error=agree(noise, unused.mean(), tolerance=1e-9))
        expected = (unused.max() - noise) / noise**2
        check(rate_of(stationary(noise), noise, at.S) > 0.99 * expected > 0, "the features do not rise alone")
        record()
        met += 1
    check(met > 10, f"only {met} collapsed maxima were met")


@TURN.evidence(role="supports", kind="numeric")
def test_alternating_ends_at_the_global_maximum(record, thorough):
    met = 0
    for at in landscapes(thorough(60, 500), most_n=5, seed=73, generic=True):
        if collapsed(at):
            record(worst_error=check_reaches_the_maximum(at))
            met += 1
    check(met > 8, f"only {met} collapsed maxima were met")


@TURN.evidence(role="supports", kind="numeric")
def test_blind_steps_in_one_thing_at_a_time_leave_collapse_too(record, thorough):
    """The step in W is L-BFGS from where W was, slightly perturbed, with the noise held fixed: no closed form."""
    rng = np.random.default_rng(74)
    met = 0
    for at in landscapes(200, most_n=4, most_k=2, seed=74, generic=True):
        if not collapsed(at) or at.lam[at.k] > 0.8 * at.lam[at.k - 1]:
            continue
        W_, s = weights(next(fixed_noise_points(at.lam, at.k, at.sigma2)), at.lam, at.U), at.sigma2
        for _ in range(25):
            s = best_noise(W_, at.S, s)

            def value_and_gradient(w, s=s, at=at):
                W_ = w.reshape(at.n, at.k)
                return ppca.log_likelihood(W_, s, at.S), ppca.gradient(W_, s, at.S).ravel()

            start = W_ + 1e-4 * np.sqrt(s) * rng.standard_normal(W_.shape)
            W_ = climb(value_and_gradient, start.ravel()).reshape(at.n, at.k)
        mle, noise = ppca.maximum_likelihood(at.lam, at.U, at.k)
        best = float(ppca.log_likelihood(mle, noise, at.S))
        # 25 rounds at a ratio below k/n = 2/3 leave 1e-4 of the noise, and its square in the value.
        record(worst_error=agree(float(ppca.log_likelihood(W_, s, at.S)), best, tolerance=1e-6, scale=1 + abs(best)))
        met += 1
        if met == thorough(4, 30):
            break
    check(met >= 4, f"only {met} collapsed maxima were met")


@TURN.evidence(role="supports", kind="numeric")
def test_an_escape_by_hand(record):
    S_ = np.diag([4.0, 2.0, 1.0])
    start = np.zeros((3, 2))
    start[0, 0] = 1.0  # (4 - 3)^{1/2}: a maximum at sigma2 = 3
    at_most(rate_of(start, 3.0, S_), 0.0, slack=1e-15)
    with rejected():  # the same set below lam_2 = 2: stationary, and no maximum
        at_most(rate_of(start * np.sqrt(4 - 1.99), 1.99, S_), 0.0, slack=1e-15)
    noise = best_noise(start, S_, 3.0)
    # 2 dL/ds = (3 - s)/(1 + s)^2 + (3 - 2 s)/s^2, which times -s^2 (1 + s)^2 is 3 s^3 - 2 s^2 - 4 s - 3.
    cubic = np.roots([3.0, -2.0, -4.0, -3.0])
    expected = float(cubic[np.abs(cubic.imag) < 1e-12].real.max())
    error = agree(noise, expected, tolerance=1e-12)
    # Column 1 is not at its best at this noise, so the curvature is taken along column 2 alone, where the slope is 0.
    X = np.zeros((3, 2))
    X[1, 1] = 1.0
    agree(float(np.sum(X * ppca.gradient(start, noise, S_))), 0.0, tolerance=1e-15)
    rate = float(np.sum(X * ppca.hessian_vector_product(start, noise, S_, X)))
    agree(rate, (2 - noise) / noise**2, tolerance=1e-13)
    check(rate > 0.07, "the features do not rise alone")
    W_, s = start, noise
    for _ in range(200):
        W_ = ppca.fixed_noise_maximum(np.array([4.0, 2.0, 1.0]), np.eye(3), 2, s)
        s = best_noise(W_, S_, s)
    agree(s, 1.0, tolerance=1e-9)
    agree(W_, np.array([[np.sqrt(3), 0], [0, 1], [0, 0]]), tolerance=1e-9)
    record(worst_error=error)
    record.witness(
        "S = diag(4, 2, 1), k = 2, sigma2 = 3: W = (u_1, 0) is a maximum. sigma2 alone falls to "
        f"{noise:.4f} (a zero of 3 s^3 - 2 s^2 - 4 s - 3); there column 2 alone rises towards u_2 at rate {rate:.4f}; "
        "going on in turn ends at sigma2 = 1, W = (sqrt(3) u_1, u_2), the global maximum"
    )


@TURN.evidence(role="supports", kind="numeric")
def test_an_escape_that_takes_two_turns(record):
    """lam = (4, 2, 1), sigma2 = 3.9: with W held fixed the best noise is above lam_2; u_1 must grow first."""
    S_, lam = np.diag([4.0, 2.0, 1.0]), np.array([4.0, 2.0, 1.0])
    W_ = np.zeros((3, 2))
    W_[0, 0] = np.sqrt(0.1)
    noises = []
    s = 3.9
    for _ in range(3):
        s = best_noise(W_, S_, s)
        noises.append(s)
        W_ = ppca.fixed_noise_maximum(lam, np.eye(3), 2, s)
    check(noises[0] > 2 > noises[1], f"the noises were {noises}")
    check(W_[1, 1] > 0, "the second latent is still unused")
    record(instances=1)
    record.witness(
        f"S = diag(4, 2, 1), k = 2, sigma2 = 3.9, W = (sqrt(0.1) u_1, 0): sigma2 alone stops at {noises[0]:.4f} > "
        f"lam_2, since W holds too little of u_1; after W alone it stops at {noises[1]:.4f} < lam_2, and column 2 rises"
    )


@TURN.evidence(role="control", kind="numeric")
def test_the_mean_of_the_unused_is_not_the_best_noise_of_retained_columns_held_fixed(record):
    for at in landscapes(60, seed=75, generic=True):
        point = next(fixed_noise_points(at.lam, at.k, at.sigma2))
        if not (collapsed(at) and point.retained):
            continue
        unused = np.delete(at.lam, point.retained)
        noise = best_noise(weights(point, at.lam, at.U), at.S, at.sigma2)
        with rejected():
            agree(noise, unused.mean(), tolerance=1e-9)
        check(unused.mean() < noise < at.sigma2, "it is between that mean and the old noise")
        record(instances=1)


@CONCLUSION.evidence(role="control", kind="numeric")
def test_features_alone_or_noise_alone_do_not_reach_the_maximum(record):
    """Both must move at some time: no alternation, no escape. And too few rounds are seen."""
    met = 0
    for at in landscapes(60, seed=73, generic=True, most_n=5):
        if not collapsed(at):
            continue
        point = next(fixed_noise_points(at.lam, at.k, at.sigma2))
        W_ = weights(point, at.lam, at.U)
        mle, noise = ppca.maximum_likelihood(at.lam, at.U, at.k)
        best = float(ppca.log_likelihood(mle, noise, at.S))
        lowered = best_noise(W_, at.S, at.sigma2)
        for stuck in (ppca.log_likelihood(W_, at.sigma2, at.S), ppca.log_likelihood(W_, lowered, at.S)):
            with rejected():
                agree(float(stuck), best, tolerance=1e-9, scale=1 + abs(best))
        with rejected():
            check_reaches_the_maximum(at, rounds=0)
        met += 1
        record(instances=1)
    check(met > 8, f"only {met} collapsed maxima were met")
