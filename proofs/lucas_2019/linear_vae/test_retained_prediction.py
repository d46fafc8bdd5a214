"""How many latents the printed deep VAEs keep, beside the linear count: reported, an upper bound in the same order.

Statement   the paper finds its linear analysis "predictive even for high-capacity, non-linear VAEs" (Abstract), and
            gives no number. We report one way to look at it: on the printed rows of MNIST with the logit transform and
            fixed noise (Table 2, k = 200, retained = 200 less the collapse percentage) the linear count min(k, #{lam_i
            > sigma2}) is an upper bound on all ten, and rows that it tells apart come in its order. It is no equality,
            by a factor of up to 3.8, and nobody said that it is.
Hypotheses  an observation on ten printed rows of one architecture and one data set, each a mean over trials; nothing
            here proves it for deep models, and with learned noise the bound is k and excludes nothing. Collapse as in
            Sec. 6.2, epsilon = delta = 0.01.
Source      ours, on Lucas et al. 2019, Abstract, Sec. 6.2, Table 2; theory 1.5, 5.3.
Method      eigenvalues of the 60000 training images, dequantised and put through logit(alpha + (1 - 2 alpha) x), with
            alpha = 1e-6; two draws of the dequantisation noise. Without the MNIST files these tests are skipped.
Trusted     the printed numbers; claim fixed-noise-maxima for the linear count.
"""

from functools import lru_cache
from itertools import combinations

import numpy as np
import pytest

from proofs.machinery.checks import agree, at_most, check, rejected, same
from proofs.machinery.claims import Claim
from verify.data import load
from verify.data.mnist import find_training_file
from verify.errors import InputError
from verify.landscape.stationary import retained_count
from verify.models import ppca

CLAIM = Claim(
    id="retained-prediction",
    source="ours, on Sec. 6.2, Table 2",
    statement="on the ten printed rows of MNIST with fixed noise the linear count min(k, #{lam_i > sigma2}) bounds the "
    "number of latents that the deep VAEs retain and, where it tells two rows apart, orders them",
    hypotheses="reported of printed numbers, not proved of deep models; no equality, by a factor of up to 3.8",
    section="The linear VAE",
    rests_on=("fixed-noise-maxima",),
)
BOUND = CLAIM.step(
    "bound",
    "no printed count of retained latents is above the linear one, and rows with different linear counts have printed "
    "ones in the same order, at ten noises and two draws of the dequantisation",
)
NOT_EQUAL = CLAIM.step(
    "no-equality",
    "at sigma2 = 30 and 10 the linear count is more than three times the printed one, and on no row more than 3.8 "
    "times, on two draws of the dequantisation",
)
LINEAR = CLAIM.step(
    "linear-count",
    "at the ten noises the linear optimum has that many columns on MNIST, on two draws of the dequantisation; where "
    "they are fewer than k, L falls to second order as a zero column moves along the next eigenvector",
)

K = 200
ALPHA = 1e-6
# Table 2: sigma2 and the percentage of collapsed latents, fixed noise; initial sigma2 and the same, learned noise.
NOISES = (30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
FIXED = dict(zip(NOISES, (95.0, 89.88, 76.75, 27.38, 2.0, 3.25, 0.0, 0.0, 0.0, 0.0), strict=True))
LEARNED = dict(zip(NOISES, (33.75, 73.75, 58.38, 47.88, 37.75, 29.25, 22.62, 23.0, 16.62, 27.0), strict=True))


def retained(percentages):
    """Printed percentages of collapsed latents as numbers of retained ones, right to 0.01: {sigma2: number}."""
    return {noise: K * (1 - percentage / 100) for noise, percentage in percentages.items()}


def predicted(lam, noises):
    """The linear count at each noise."""
    return {noise: retained_count(lam, K, noise) for noise in noises}


@lru_cache
def spectrum(seed):
    """The eigenvalues (784,) of MNIST with the logit transform; skips the test where the files are not there."""
    try:
        find_training_file()
    except InputError as error:
        pytest.skip(str(error))
    covariance = load("mnist", logit=ALPHA, seed=seed)
    return covariance.eigenvalues, covariance.eigenvectors


def check_equal(linear, printed):
    """The same counts, to the rounding of the percentages and half a latent."""
    agree([linear[s] for s in printed], list(printed.values()), tolerance=0.52, scale=1.0)


def check_bound(linear, printed):
    """No printed count above the linear one; 0.01 for the rounding of the percentages."""
    return at_most([printed[s] for s in printed], [linear[s] for s in printed], slack=0.011)


def check_order(linear, printed):
    """Rows whose linear counts differ have printed counts in the same order; -> how many pairs were told apart."""
    pairs = [(a, b) for a, b in combinations(printed, 2) if linear[a] != linear[b]]
    for a, b in pairs:
        same_order = np.sign(printed[a] - printed[b]) == np.sign(linear[a] - linear[b])
        check(same_order, f"sigma2 = {a} and {b} are in another order")
    return len(pairs)


def table(linear, printed):
    return ", ".join(f"{s:g}: {linear[s]} | {printed[s]:.1f}" for s in printed)


def check_factor(linear, printed, most):
    """No linear count is more than `most` times the printed one."""
    return at_most([linear[s] / printed[s] for s in printed], most, slack=1e-9)


@NOT_EQUAL.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize("seed", [0, 1])
def test_the_counts_are_not_equal(seed, record):
    lam, _ = spectrum(seed)
    printed = retained(FIXED)
    linear = predicted(lam, printed)
    with rejected():
        check_equal(linear, printed)
    # Not for a few latents, nor for the noise between trials: by a factor of more than three at large noise.
    check(linear[30.0] > 3 * printed[30.0] and linear[10.0] > 3 * printed[10.0], "the counts are close after all")
    check_factor(linear, printed, 3.8)
    with rejected():
        check_factor(linear, printed, 3.7)
    # Nor for the definition of collapse: a linear latent has KL < 0.01 on 99 % of normal data only if lam_i/sigma2 is
    # below 1.003 (the 99 % quantile of chi^2, 6.63, times (1 - sigma2/lam_i)/2 is 0.01 there).
    for noise in (30.0, 10.0, 3.0, 1.0):
        barely = int(((lam[:K] > noise) & (lam[:K] < 1.003 * noise)).sum())
        check(barely <= 1, f"{barely} latents are retained by so little that they count as collapsed")
    record(instances=len(printed))
    record.witness(f"seed {seed}, sigma2: linear | printed deep model, of 200: {table(linear, printed)}")


@BOUND.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize("seed", [0, 1])
def test_the_linear_count_is_an_upper_bound_in_the_same_order(seed, record):
    lam, _ = spectrum(seed)
    printed = retained(FIXED)
    linear = predicted(lam, printed)
    record(instances=len(printed), worst_error=check_bound(linear, printed))
    pairs = check_order(linear, printed)
    check(pairs >= 20, f"only {pairs} of 45 pairs are told apart")
    counts = ", ".join(str(int((lam > s).sum())) for s in (30, 10, 3, 1))
    record.witness(
        f"dequantisation seed {seed}: #{{lam_i > 30, 10, 3, 1}} = {counts}; {pairs} of 45 pairs of rows have the "
        f"order of the linear theory, which has both at {K} in the others"
    )


@LINEAR.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize("seed", [0, 1])
def test_the_linear_optimum_has_that_many_columns_on_mnist(seed, record):
    lam, U = spectrum(seed)
    S = (U * lam) @ U.T
    for noise in NOISES:
        W = ppca.fixed_noise_maximum(lam, U, K, noise)
        count = retained_count(lam, K, noise)
        same(int((np.linalg.norm(W, axis=0) > 0).sum()), count)
        slope = ppca.gradient(W, noise, S)
        # Relative to the two terms that cancel; S is right to eps lam_1.
        size = np.linalg.norm(W) / noise * lam[0] / noise
        record(worst_error=agree(slope, np.zeros_like(slope), tolerance=1e-13, scale=size))
        if count == K:
            continue
        # The next direction is below the noise: a zero column falls along it, by (lam_j - sigma2)/sigma2^2.
        X = np.zeros_like(W)
        X[:, count] = U[:, count]
        curvature = float(np.sum(X * ppca.hessian_vector_product(W, noise, S, X)))
        agree(curvature, (lam[count] - noise) / noise**2, tolerance=1e-9, scale=1 / noise)
        check(curvature < 0, "one more latent would help")
        with rejected():  # beside W = 0 the first direction would
            X[:, count] = U[:, 0]
            check(float(np.sum(X * ppca.hessian_vector_product(0 * W, noise, S, X))) < 0, "one more latent would help")


@BOUND.evidence(role="supports", kind="numeric")
def test_what_follows_for_deep_models_is_open(record):
    lam, _ = spectrum(0)
    learned = retained(LEARNED)
    sigma2 = ppca.mean_of_discarded(lam, K)
    linear = {noise: retained_count(lam, K, sigma2) for noise in learned}
    check_bound(linear, learned)
    # A bound that is k itself excludes nothing, and ten averaged rows do not make a law.
    same(set(linear.values()), {K})
    record.undecided(
        f"with learned noise the linear theory keeps all {K} latents (sigma2 = {sigma2:.3f}) whatever the initial "
        f"noise; the printed models keep {min(learned.values()):.1f} to {max(learned.values()):.1f}: a bound that "
        "excludes nothing. Whether bound and order hold for deep models beyond the printed rows, these cannot tell"
    )


@BOUND.evidence(role="control", kind="numeric")
def test_the_checks_reject_counts_that_are_no_bound_or_in_another_order():
    printed = retained(FIXED)
    agree(printed[10.0], 20.24, tolerance=1e-12)
    at_all = dict.fromkeys(printed, K)
    check_bound(at_all, printed)
    same(check_order(at_all, printed), 0)  # says nothing, and is seen to say nothing
    with rejected():  # one row told apart from the others says something
        same(check_order({**at_all, 30.0: 38}, printed), 0)
    check_equal(printed, printed)
    for wrong in ({**at_all, 1.0: 145}, dict.fromkeys(printed, 199)):
        with rejected():
            check_bound(wrong, printed)
    with rejected():
        check_order({**at_all, 30.0: 30, 10.0: 20}, printed)
    with rejected():
        check_equal({**printed, 3.0: 48}, printed)
    steep = 40 * 0.5 ** np.arange(784)  # a spectrum that falls too fast
    with rejected():
        check_bound(predicted(steep, printed), printed)


@BOUND.evidence(role="control", kind="numeric")
def test_thresholds_other_than_the_noise_are_no_bound_on_mnist():
    lam, _ = spectrum(0)
    printed = retained(FIXED)
    for factor in (4.0, 784.0):  # too few; and a noise that is a sum over the 784 pixels
        linear = {noise: retained_count(lam, K, factor * noise) for noise in printed}
        with rejected():
            check_bound(linear, printed)
    backwards = {noise: retained_count(lam, K, 1 / noise) for noise in printed}
    with rejected():
        check_order(backwards, printed)
