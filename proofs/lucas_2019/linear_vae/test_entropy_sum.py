"""At a stationary point with learned noise the ELBO is a sum of entropies.

Statement   ELBO = 1/2 sum_i log d_i - n/2 log(2 pi e sigma2) = H[q(z|x)] - H[p(z)] - H[p(x|z)] at every point that is
            stationary in W, V, D and sigma2: maxima, saddles, with orthogonal columns or not.
Hypotheses  stationary in all four. With sigma2 fixed it is off by exactly -sigma2 dELBO/dsigma2.
Source      ours, for the linear VAE; after Damm et al., The ELBO of variational autoencoders converges to a sum of
            entropies (AISTATS 2023).
Method      for all n, k and everywhere, in words: ELBO minus the right side is
            -1/2 tr(W^T G_W - G_V V^T - 2 D G_D) - sigma2 G_sigma2, with G the gradients. So it holds exactly where this
            one number vanishes. Numeric: all families of stationary points, 50 digits on hostile spectra, real data.
Trusted     claims eq-16-20, eq-21 to eq-23 and noise-gradient for the ELBO and its gradients; gaussian-moments for the
            entropies; the rules of differentials.py (tests/verify/symbolic).
"""

import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given

from proofs.lucas_2019.linear_vae.stationary_problems import families, learned_orthogonal_points, orthogonal_points
from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.problems.linear_vaes import Problem, random_vae
from proofs.problems.spectra import data
from verify import reference
from verify.models import linear_vae as model
from verify.models import ppca
from verify.symbolic import linear_vae
from verify.symbolic import ppca as in_ppca
from verify.symbolic.expectations import expectation
from verify.symbolic.letters import D, M, V, W, k, n, sigma2, x, z
from verify.symbolic.matrix_calculus import identity, zero
from verify.symbolic.relations import expand
from verify.symbolic.traces import Scalar, log_det, trace

CLAIM = Claim(
    id="entropy-sum",
    source="ours, after Damm et al. 2023",
    statement="ELBO = 1/2 sum log d_i - n/2 log(2 pi e sigma2) at every stationary point with learned noise",
    hypotheses="stationary in W, V, D and sigma2; fails at a fixed sigma2 that is not stationary",
    section="The linear VAE",
    rests_on=("eq-16-20", "eq-21", "eq-22", "eq-23", "noise-gradient"),
    trusts=("gaussian-moments",),
)
IDENTITY = CLAIM.step(
    "identity",
    "everywhere ELBO - [1/2 log det D - n/2 log(2 pi e sigma2)] = -1/2 tr(W^T G_W - G_V V^T - 2 D G_D) - sigma2 "
    "G_sigma2, G the gradients: 0 where all four vanish, and -sigma2 G_sigma2 where only the first three do",
    place="Stationarity identities",
)
ENTROPIES = CLAIM.step("entropies", "that bracket is H[q(z|x)] - H[p(z)] - H[p(x|z)], H = -E log, for all n and k")
VALUE = CLAIM.step(
    "value",
    "with d_a = sigma2/lam_a for q retained columns and 1 for the others that bracket is -1/2 [n log 2 pi + sum log "
    "lam_a + (n - q) log sigma2 + n], which the value of Proposition 2 is where sigma2 is the mean of the n - q "
    "discarded eigenvalues, and at every sigma2 where q = n",
)


def in_words():
    """1/2 log det D - n/2 log(2 pi e sigma2)."""
    return log_det(D) / 2 - n * sp.log(2 * sp.pi * sp.E * sigma2) / 2


def of_gradients():
    """-1/2 tr(W^T G_W - G_V V^T - 2 D G_D) - sigma2 G_sigma2."""
    G = linear_vae.gradients()
    scaling = trace(W.T @ G.W) - trace(G.V @ V.T) - 2 * trace(D @ G.D)
    return -scaling / 2 - G.sigma2 * sigma2


def sum_of_entropies(D, sigma2, n):
    """1/2 sum log d_i - n/2 log(2 pi e sigma2), with NumPy."""
    return 0.5 * float(np.sum(np.log(D))) - 0.5 * n * (1 + np.log(2 * np.pi * sigma2))


def exact_sum_of_entropies(p):
    """The same with 50 digits."""
    mp = reference.mpmath
    with reference.precision():
        logs = mp.fsum(mp.log(d) for d in p.D)
        return logs / 2 - len(p.S) * mp.log(2 * mp.pi * mp.e * p.sigma2) / 2


def check_sum(p, tolerance):
    """The statement at a point: its ELBO against the entropies, relative to the size of the ELBO's terms."""
    actual = model.elbo(p.W, p.V, p.D, p.sigma2, p.S)
    return agree(actual, sum_of_entropies(p.D, p.sigma2, len(p.S)), tolerance=tolerance, scale=p.size_of_elbo)


def check_sum_exactly(p):
    """The same with 50 digits, of which the condition of M costs some."""
    elbo = reference.elbo(p.W, p.V, p.D, p.sigma2, p.S)
    with reference.precision():
        return at_most(abs(elbo - exact_sum_of_entropies(p)), 0.0, slack=1e-25)


@IDENTITY.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_difference_is_one_combination_of_the_gradients(record):
    same(expand(of_gradients(), M), linear_vae.elbo() - in_words())
    record()
    record.witness(
        "ELBO - [1/2 log det D - n/2 log(2 pi e sigma2)] = -1/2 tr(W^T G_W - G_V V^T - 2 D G_D) - sigma2 G_sigma2 "
        "for all W, V, D, sigma2, S, n, k"
    )


@ENTROPIES.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_right_side_is_a_sum_of_gaussian_entropies(record):
    """H = -E log of each density under itself; no x and no z is left, so that the average over data does nothing."""
    posterior = -linear_vae.over_latent(linear_vae.log_encoder())
    prior = -expectation(in_ppca.log_prior(), z, zero(k, 1), identity(k))
    observation = -expectation(in_ppca.log_observation(), x, W @ z, sigma2 * identity(n))
    same(observation, Scalar(n * sp.log(2 * sp.pi * sp.E * sigma2) / 2))
    same(posterior - prior - observation, in_words())
    with rejected():
        same(posterior - observation, in_words())
    record(instances=2)


@VALUE.evidence(role="supports", kind="symbolic", strength="proved")
def test_at_points_with_orthogonal_columns_it_is_the_likelihood_of_theory_2(record):
    """With d_a = sigma2/lam_a for q retained columns and 1 for the others; one retained eigenvalue stands for each."""
    size, q, log_lam = sp.symbols("n q L", positive=True)  # L: the sum of the logarithms of the retained eigenvalues
    entropies = (q * sp.log(sigma2) - log_lam) / 2 - size * (1 + sp.log(2 * sp.pi * sigma2)) / 2
    value = -(size * sp.log(2 * sp.pi) + log_lam + (size - q) * sp.log(sigma2) + size) / 2
    vanishes(sp.expand(sp.expand_log(entropies - value)))
    # Proposition 2: ... + q + lost/sigma2, lost = (n - q) sigma2.
    lost = sp.Symbol("lost", positive=True)
    at_any_noise = -(size * sp.log(2 * sp.pi) + log_lam + (size - q) * sp.log(sigma2) + q + lost / sigma2) / 2
    vanishes(sp.expand(at_any_noise.subs(lost, (size - q) * sigma2) - value))
    vanishes(sp.expand((at_any_noise.subs(lost, 0) - value).subs(q, size)))  # nothing discarded
    with rejected():  # some discarded, all of them 0
        vanishes(sp.expand(at_any_noise.subs(lost, 0) - value))
    with rejected():  # the mean over all n
        vanishes(sp.expand(at_any_noise.subs(lost, size * sigma2) - value))
    with rejected():  # with d_a = sigma2/lam_a in all k columns
        vanishes(sp.expand(sp.expand_log(entropies.subs(q, q + 1) - value)))
    record()


@IDENTITY.evidence(role="supports", kind="numeric")
def test_the_numpy_functions_have_that_difference_everywhere(record, thorough, xp):
    rng = np.random.default_rng(51)
    for _ in range(thorough(30, 300)):
        p = random_vae(rng, *(int(i) for i in rng.integers(1, 8, 2)))
        W, V, D, s, _ = p.on(xp)
        G = model.gradients(*p.on(xp))
        scaling = float(xp.sum(W * G.W) - xp.sum(V * G.V) - 2 * xp.sum(D * G.D))
        expected = sum_of_entropies(p.D, s, len(p.S)) - scaling / 2 - s * float(G.sigma2)
        size = p.size_of_elbo
        record(worst_error=agree(model.elbo(*p.on(xp)), expected, tolerance=1e-12, scale=size))


def difference_in_balls(lam, kept, sigma2):
    """ELBO less the sum of entropies for S = diag(lam), W = diag(lam_a - sigma2)^{1/2} on the kept ones, at V*, D*.

    Term by term as Eqs. 16, 19, 20 have them; all matrices are diagonal there.
    """
    arb = pytest.importorskip("flint").arb
    n, s = len(lam), arb(sigma2)
    w = [(arb(x) - s).sqrt() for x in lam[:kept]]
    m = [x * x + s for x in w]
    v, d, x = [a / b for a, b in zip(w, m, strict=True)], [s / b for b in m], [arb(y) for y in lam]
    kl = sum((v[i] ** 2 * x[i] + d[i] - 1 - d[i].log() for i in range(kept)), arb(0)) / 2
    fit = sum((2 * w[i] * v[i] * x[i] - w[i] ** 2 * d[i] - (v[i] * w[i]) ** 2 * x[i] for i in range(kept)), arb(0))
    log_noise = n * (2 * arb.pi() * s).log() / 2
    entropies = sum((y.log() for y in d), arb(0)) / 2 - log_noise - arb(n) / 2
    return (fit - sum(x)) / (2 * s) - log_noise - kl - entropies


def check_within(ball, bound):
    check(abs(ball) < bound, f"{ball} is not surely within {bound}")


@IDENTITY.evidence(role="supports", kind="certificate", strength="certified")
def test_the_two_sides_agree_within_proven_bounds_at_rational_spectra(record):
    """Learned noise, the mean of the discarded ones: an exact rational; at another noise they surely differ."""
    flint = pytest.importorskip("flint")
    bound = flint.arb(10) ** -50
    before, flint.ctx.prec = flint.ctx.prec, 250
    try:
        for lam, kept in (((4, 3, 1), 1), ((9, 5, "1/3", "1/7"), 2), (("1e6", 2, "1e-6"), 2), ((3, 2), 0)):
            exact = [flint.fmpq(int(y.p), int(y.q)) for y in (sp.Rational(y) for y in lam)]
            noise = sum(exact[kept:], flint.fmpq(0)) / (len(exact) - kept)
            check_within(difference_in_balls(exact, kept, noise), bound)
            for factor in (flint.fmpq(1, 2), flint.fmpq(10**9 + 1, 10**9)):
                if all(y > noise * factor for y in exact[:kept]):
                    with rejected():
                        check_within(difference_in_balls(exact, kept, noise * factor), bound)
            record(instances=1)
    finally:
        flint.ctx.prec = before


@IDENTITY.evidence(role="supports", kind="numeric")
def test_every_family_of_stationary_points_with_learned_noise(record, thorough):
    met = list(families(thorough(40, 400), seed=52, learned=True))
    for p, point, _ in met:
        # Stationary to rounding; the ELBO's terms are summed in float64.
        record(worst_error=check_sum(p, 1e-11))
        agree(point.value, sum_of_entropies(p.D, p.sigma2, len(p.S)), tolerance=1e-10, scale=p.size_of_elbo)
    check_skew(point for _, point, _ in met)
    with rejected():  # of the highest point of each spectrum the columns are orthogonal: Theorem 1
        check_skew({lam.tobytes(): point for _, point, lam in sorted(met, key=lambda one: one[1].value)}.values())


def check_skew(points):
    skew = sum(not point.orthogonal for point in points)
    check(skew > 20, f"only {skew} points without orthogonal columns were met")


@IDENTITY.evidence(role="supports", kind="property")
@given(p=learned_orthogonal_points())
def test_to_50_digits_on_hostile_spectra(p, record):
    record(worst_error=check_sum_exactly(p))


@IDENTITY.evidence(role="supports", kind="numeric")
def test_at_the_maximum_on_real_data(record):
    c = data("digits")
    for size in (1, 5, 20):
        W, s = ppca.maximum_likelihood(c.eigenvalues, c.eigenvectors, size)
        V, D = model.optimal_encoder(W, s)
        p = Problem(W, V, D, s, c.matrix())
        record(worst_error=check_sum(p, 1e-12))
        record.witness(f"digits, k = {size}: ELBO = {float(model.elbo(W, V, D, s, p.S)):.4f}, both ways")


@IDENTITY.evidence(role="supports", kind="numeric")
def test_a_point_to_check_by_hand(record):
    p = Problem(np.array([[1.0], [0.0]]), np.array([[0.5, 0.0]]), np.array([0.5]), 1.0, np.diag([2.0, 1.0]))
    record(worst_error=check_sum(p, 1e-15))
    record.witness(
        "S = diag(2, 1), W = (1, 0)^T, V = (1/2, 0), D = 1/2, sigma2 = 1 (stationary): KL = 1/2 log 2, "
        "E||x - W z||^2 = 2, so ELBO = -1 - log(2 pi) - 1/2 log 2 = 1/2 log(1/2) - log(2 pi e)"
    )


@IDENTITY.evidence(role="control", kind="property")
@given(p=orthogonal_points())
def test_with_the_noise_fixed_it_is_off_by_the_noise_gradient_and_rejected(p, record):
    """Points stationary in W, V, D alone are off by -sigma2 dELBO/dsigma2, no more and no less."""
    elbo = reference.elbo(p.W, p.V, p.D, p.sigma2, p.S)
    with reference.precision():
        held = [x for x in p.lam_of_column if x != p.sigma2]
        # E||x - W z||^2 is the sum of the discarded eigenvalues plus q sigma2 at such a point.
        excess = sum(p.S.diagonal()) - sum(held) - (len(p.S) - len(held)) * p.sigma2
        off = -excess / (2 * p.sigma2)
        at_most(abs(elbo - exact_sum_of_entropies(p) - off), 0.0, slack=1e-25)
    assume(abs(off) > 1e-20)  # else it happens to be stationary in sigma2 as well
    record()
    with rejected():
        check_sum_exactly(p)


@IDENTITY.evidence(role="control", kind="numeric")
def test_every_family_at_fixed_noise_is_rejected(record):
    for p, point, lam in families(10, seed=53, generic=True):
        if len(point.retained) == len(lam):  # nothing is discarded, so every sigma2 < lam_n is stationary
            continue
        record()
        with rejected():
            check_sum(p, 1e-6)


@IDENTITY.evidence(role="control", kind="symbolic")
def test_a_slip_in_the_entropies_is_rejected():
    for wrong in (
        in_words() + Scalar(n) / 2,  # without the e
        -log_det(D) / 2 - n * sp.log(2 * sp.pi * sp.E * sigma2) / 2,  # the sign of the posterior's entropy
        log_det(D) / 2 - sp.log(2 * sp.pi * sp.E * sigma2) / 2,  # without the n, as Eq. 10 has it
        in_words() + k * sp.log(2 * sp.pi * sp.E) / 2,  # without the entropy of the prior
    ):
        with rejected():
            same(expand(of_gradients(), M), linear_vae.elbo() - wrong)


@IDENTITY.evidence(role="control", kind="symbolic")
def test_without_the_noise_equation_it_is_rejected():
    G = linear_vae.gradients()
    with rejected():
        same(expand(of_gradients() + G.sigma2 * sigma2, M), linear_vae.elbo() - in_words())
