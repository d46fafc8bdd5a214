"""Figure 2: adding components at the noise of k = 50 raises the likelihood, and lowers it beyond about 200.

Statement   the maximum-likelihood W of each k, judged at the noise that is optimal for 50 latents: more principal
            components first raise the likelihood and, after about 200, lower it, so that a collapsed solution is
            preferred.
Hypotheses  the experiment as Sec. 6.1 describes it: W_k was fitted with its own smaller noise sigma2_k. Then every used
            eigenvalue of C is lam_a + sigma2_50 - sigma2_k, too large, and L falls at every step from k >= 50 to k + 1
            < n with lam_{k+1} <= sigma2_50, or stays where all eigenvalues left are equal. With W stationary for the
            fixed noise L never falls: what is then preferred to the full weights has zero columns.
Source      Lucas et al. 2019, Figure 2, Sec. 6.1; theory 1.5, 5.4.
Method      g(c; lam) = -1/2 [log c + lam/c] rises for c < lam and falls for c > lam. Full weights: sigma2_k falls with
            k, so every c_a moves away from lam_a, and the new c_{k+1} rises from sigma2_50 >= lam_{k+1}. Stationary
            weights: c_a = max(lam_a, sigma2), so each component adds g at its maximum over c >= sigma2. Then the
            curves themselves, on 1000 MNIST images / 255 and on digits, against the model in all dimensions.
Trusted     SymPy's calculus; the data.
"""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given

from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.problems.spectra import data, hard_problems
from verify.landscape import likelihood_curves as curves
from verify.models import linear_vae
from verify.models import ppca as model

CLAIM = Claim(
    id="figure-2",
    source="Figure 2, Sec. 6.1",
    statement="the maximum-likelihood W of each k, at the noise of k = 50: more components first raise the likelihood, "
    "beyond about 200 they lower it, and a collapsed solution is preferred",
    hypotheses="W of each k was fitted with that k's own noise, as Sec. 6.1 says; 1000 images drawn at random",
    section="Probabilistic PCA",
    quote="we took the pPCA MLE solution for W for each number of hidden dimensions and computed the likelihood under "
    "the observation noise which maximizes likelihood for 50 hidden dimensions. We observed that adding additional "
    "principal components (after 50) will initially improve likelihood but eventually adding more components (after "
    "200) actually decreases the likelihood. In other words, the collapsed solution is actually preferred if the "
    "observation noise is not set correctly",
    finding="on all spectra the likelihood rises no more from lam_{k+1} <= sigma2 on, k + 1 < n, and falls unless the "
    "eigenvalues left are equal, because each W was fitted with its own smaller noise; with W best for the fixed noise "
    "the likelihood never falls, and those components are zero columns",
)
CURVE = CLAIM.step(
    "curve",
    "on 1000 MNIST images the full weights at the noise of k = 50 raise the likelihood up to k of about 200 and lower "
    "it from there on",
)
FALLS = CLAIM.step(
    "falls",
    "on every spectrum, for k + 1 < n: once lam_{k+1} is at most the fixed noise, sigma2 >= sigma2_k, the full weights "
    "of k + 1 have no higher likelihood at it than those of k, and a lower one if sigma2_{k+1} < lam_{k+1}",
)
COLLAPSED = CLAIM.step(
    "collapsed",
    "on every spectrum: at a fixed noise the column best for u_j has c_j = max(lam_j, sigma2), so that it is zero for "
    "lam_j <= sigma2, where every longer one is worse; with such columns the likelihood never falls with k",
)

# Data, scale, the k whose noise is fixed, and the largest k drawn.
FIGURES = [("digits", None, 10, 60), ("mnist:1000", 255, 50, 300)]
NAMES = [figure[0] for figure in FIGURES]


def curves_of(spec, scale, base, largest):
    """lam, ks from `base` on, the fixed noise, and L of the full weights at that noise."""
    lam = data(spec, scale).eigenvalues
    ks = np.arange(base, largest + 1)
    sigma2 = float(curves.maximum_likelihood_noises(lam, [base])[0])
    return lam, ks, sigma2, curves.weights_at_noise_curve(lam, ks, sigma2)


def never_falls(L):
    """Disagreement where L (m,) falls by more than the rounding of its sums."""
    at_most(-np.diff(L), 0.0, slack=1e-12 * np.abs(L).max())


def rises_then_falls(L):
    """The place of the maximum of L (m,), which rises all the way to it and falls from it on; else Disagreement."""
    top = int(np.argmax(L))
    check(0 < top < len(L) - 1, "the maximum lies at an end")
    slack = 1e-12 * np.abs(L).max()
    at_most(-np.diff(L[: top + 1]), 0.0, slack=slack)
    at_most(np.diff(L[top:]), 0.0, slack=slack)
    check(L[top] - L[-1] > 1e-3 and L[top] - L[0] > 1e-3, "no rise or no fall to speak of")
    return top


c, s, x = sp.symbols("c s x", positive=True)
lam = sp.Symbol("lam", nonnegative=True)
g = -(sp.log(c) + lam / c) / 2  # what one eigenvalue c of C adds to L on the eigenvector with lam


def check_slope(f, derivative):
    vanishes(sp.diff(f, c) - derivative)


@FALLS.evidence(role="supports", kind="symbolic", strength="proved")
def test_every_eigenvalue_moves_away_from_its_best_place_on_every_spectrum(record):
    check_slope(g, (lam - c) / (2 * c**2))  # rises below lam, falls above: falls as c moves away above it
    # sigma2_k is the mean of p numbers, lam_{k+1} = mean + gap the largest: without it the mean falls by gap/(p - 1).
    p, mean, gap = sp.symbols("p mean gap", nonnegative=True)
    own, next_own = mean, (p * mean - (mean + gap)) / (p - 1)
    vanishes(own - next_own - gap / (p - 1))
    # c_a = lam_a + sigma2 - sigma2_k, a <= k: at least lam_a, and rises by own - next_own. Both are not negative.
    at = lam + s - own
    vanishes((at - lam) - (s - own))
    vanishes((lam + s - next_own) - at - gap / (p - 1))
    # c_{k+1} goes from sigma2 >= lam_{k+1} to sigma2 + lam_{k+1} - sigma2_{k+1}: by gap + gap/(p - 1), upwards.
    vanishes((s + (mean + gap) - next_own) - s - (gap + gap / (p - 1)))
    with rejected():  # without the log g never falls
        check_slope(-lam / c / 2, (lam - c) / (2 * c**2))
    with rejected():  # the mean of the rest does not stay
        vanishes(own - next_own)
    record(instances=5)


@COLLAPSED.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_column_adds_most_at_the_larger_of_eigenvalue_and_noise(record):
    check_slope(g, (lam - c) / (2 * c**2))  # over c >= sigma2: best at lam if that is allowed, else at sigma2
    # What it gains over c = sigma2 if lam = x sigma2 >= sigma2: 1/2 (x - 1 - log x), zero at x = 1, rising from there.
    gain = (g.subs(c, lam) - g.subs(c, s)).subs(lam, x * s)
    vanishes(sp.expand_log(gain) - (x - 1 - sp.log(x)) / 2)
    vanishes(sp.diff((x - 1 - sp.log(x)) / 2, x) - (x - 1) / (2 * x))
    vanishes(((x - 1 - sp.log(x)) / 2).subs(x, 1))
    with rejected():  # without the normaliser log det C, retaining would gain 1/2 (x - 1)
        vanishes(sp.expand_log(gain) - (x - 1) / 2)
    record(instances=4)


def check_rises_and_falls(figure, record):
    """The maximum of the full weights' curve, after its checks; a witness is recorded."""
    lam, ks, sigma2, L = curves_of(*figure)
    top = int(ks[rises_then_falls(L)])
    above = int((lam > sigma2).sum())
    # The fall is forced from lam_{k+1} <= sigma2 on; it may start before, as what overshoots costs too.
    at_most(top, above)
    record(instances=len(ks))
    record.witness(
        f"{figure[0]}: at the noise {sigma2:.4g} of k = {ks[0]}, L = {L[0]:.1f}, rises to {L.max():.1f} at k = {top} "
        f"and falls to {L[-1]:.1f} at k = {ks[-1]}; lam_k exceeds that noise up to k = {above}"
    )
    return top


@CURVE.evidence(role="supports", kind="numeric")
def test_the_full_weights_of_1000_images_rise_up_to_about_200_and_then_fall(record):
    top = check_rises_and_falls(FIGURES[1], record)
    check(150 <= top <= 250, f"the maximum at k = {top} is not 'about 200'")


@FALLS.evidence(role="supports", kind="numeric")
def test_the_full_weights_of_the_digits_rise_and_then_fall(record):
    check_rises_and_falls(FIGURES[0], record)


@FALLS.evidence(role="supports", kind="property")
@given(p=hard_problems(max_n=8, bounded=True))
def test_the_full_weights_fall_from_lam_next_below_the_noise_on_all_spectra(p, record):
    ks = np.arange(p.k, p.rank)
    sigma2 = float(curves.maximum_likelihood_noises(p.lam, [p.k])[0])
    L = curves.weights_at_noise_curve(p.lam, ks, sigma2)
    forced = p.lam[ks[:-1]] <= sigma2  # the step from k to k + 1 adds lam_{k+1}, at the place k counted from 0
    slack = 1e-14 * p.n * (abs(np.log(sigma2)) + float(p.lam[0]) / sigma2 + 20)
    if forced.any():
        record(instances=int(forced.sum()), worst_error=at_most(np.diff(L)[forced], 0.0, slack=slack))


@FALLS.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize("figure", FIGURES, ids=NAMES)
def test_the_curves_are_those_of_the_model_in_all_dimensions(figure, record, xp):
    covariance = data(figure[0], figure[1])
    lam, S = covariance.eigenvalues, xp.asarray(covariance.matrix())
    _, ks, sigma2, L = curves_of(*figure)
    own, elbo = curves.maximum_likelihood_curve(lam, ks), curves.optimal_elbo_curve(lam, ks)
    best = curves.fixed_noise_curve(lam, ks, sigma2)
    for i in (0, len(ks) // 2, len(ks) - 1):
        W, s = model.maximum_likelihood(xp.asarray(lam), xp.asarray(covariance.eigenvectors), int(ks[i]))
        V, D = linear_vae.optimal_encoder(W, s)
        stationary = model.fixed_noise_maximum(xp.asarray(lam), xp.asarray(covariance.eigenvectors), int(ks[i]), sigma2)
        agree(model.gradient(stationary, sigma2, S), np.zeros(W.shape), tolerance=1e-10, scale=sigma2**-0.5)
        # Sums of up to 784 terms.
        for curve, value in (
            (L, model.log_likelihood(W, sigma2, S)),
            (own, model.log_likelihood(W, s, S)),
            (elbo, linear_vae.elbo(W, V, D, s, S)),
            (best, model.log_likelihood(stationary, sigma2, S)),
        ):
            record(worst_error=agree(curve[i], value, tolerance=1e-10))
    # The green line and the red one lie on each other (Lemma 1), and the blue line meets them at the first k only.
    record(worst_error=agree(elbo, own, tolerance=1e-12))
    agree(L[0], own[0], tolerance=1e-12)
    check(all(L[1:] < own[1:]), "the weights of another noise do as well as the optimum")


@COLLAPSED.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize("figure", FIGURES, ids=NAMES)
def test_with_stationary_weights_the_likelihood_never_falls_on_the_same_data(figure, record):
    lam, ks, sigma2, L = curves_of(*figure)
    best = curves.fixed_noise_curve(lam, ks, sigma2)
    never_falls(best)
    above = int((lam > sigma2).sum())
    rising = best[: above - ks[0] + 1]
    check(all(np.diff(rising) > 0), "components above the noise do not add")
    same(set(best[above - ks[0] :]), {best[-1]})  # zero columns change nothing
    with rejected():  # the last component above the noise does
        same(set(best[above - ks[0] - 1 :]), {best[-1]})
    check(best[-1] > L.max(), "no gain over the weights of another noise")
    record(instances=len(ks))
    record.witness(
        f"{figure[0]}, sigma2 = {sigma2:.4g} (k = {ks[0]}): with W stationary for that noise L rises from "
        f"{best[0]:.1f} to {best[-1]:.1f} at k = {above} and stays there to k = {ks[-1]}"
    )


@FALLS.evidence(role="supports", kind="numeric")
def test_an_instance_to_check_by_hand(record):
    # lam = (8, 4, 2, 1, 1): the noise of k = 1 is 2. A third and a fourth component:
    lam = np.array([8.0, 4.0, 2.0, 1.0, 1.0])
    ks = np.array([1, 2, 3])
    same(float(curves.maximum_likelihood_noises(lam, [1])[0]), 2.0)
    full = curves.weights_at_noise_curve(lam, ks, 2.0)
    best = curves.fixed_noise_curve(lam, ks, 2.0)
    naive = [-(5 * np.log(2 * np.pi) + np.sum(np.log(c) + lam / c)) / 2 for c in _by_hand(lam)]
    record(worst_error=agree(full, np.array(naive), tolerance=1e-14))
    check(full[2] < full[1], "the third component of the full weights does not lower L")
    never_falls(best)
    record.witness(
        "S = diag(8, 4, 2, 1, 1), sigma2 = 2 (the noise of k = 1): W_MLE of k = 1, 2, 3 gives L = "
        + ", ".join(f"{v:.4f}" for v in full)
        + "; U_k (Lam_k - 2 I)_+^(1/2) gives "
        + ", ".join(f"{v:.4f}" for v in best)
    )


def _by_hand(lam):
    """The eigenvalues of W_k W_k^T + 2 I for k = 1, 2, 3: sigma2_k = 2, 4/3, 1."""
    for k, own in ((1, 2.0), (2, 4 / 3), (3, 1.0)):
        yield np.append(lam[:k] - own, np.zeros(5 - k)) + 2.0


@COLLAPSED.evidence(role="supports", kind="property")
@given(p=hard_problems(max_n=8))
def test_with_stationary_weights_it_never_falls_on_hostile_spectra(p, record):
    ks = np.arange(1, p.n + 1)
    L = curves.fixed_noise_curve(p.lam, ks, p.sigma2)
    slack = 1e-15 * p.n * (abs(np.log(p.sigma2)) + float(p.lam[0]) / p.sigma2 + 20)
    record(worst_error=at_most(np.append(-np.diff(L), -1.0), 0.0, slack=slack))


@CURVE.evidence(role="control", kind="numeric")
def test_the_checkers_tell_the_curves_apart():
    lam, ks, sigma2, L = curves_of(*FIGURES[0])
    with rejected():
        never_falls(L)
    with rejected():
        rises_then_falls(curves.fixed_noise_curve(lam, ks, sigma2))
    with rejected():  # each k at its own noise
        rises_then_falls(curves.maximum_likelihood_curve(lam, ks))
    with rejected():
        agree(L, curves.fixed_noise_curve(lam, ks, sigma2), tolerance=1e-10)
