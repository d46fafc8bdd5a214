"""Sec. 4.1: Eq. 8 with any other sigma2 in it is stationary at that sigma2.

Statement   W = U_k (Lam_k - sigma2 I)^{1/2} R is a stationary point of the likelihood at any fixed sigma2.
            For sigma2 > lam_k, which the sentence does not exclude, the root is imaginary. Corrected:
            (Lam_k - sigma2 I)_+^{1/2}, with zero columns where lam_a <= sigma2 (as the columns of Figure 1 and those of
            App. A with k_j = sigma2 are); this is stationary at every sigma2 > 0 and for every R.
Hypotheses  printed form: lam_k >= sigma2.
Source      Lucas et al. 2019, Sec. 4.1, Eq. 8.
Method      refuting: W W^T = U_k (Lam_k - sigma2 I) U_k^T has a negative eigenvalue, so no real W has it, and the real
            reading of the root by absolute values is not stationary: in words, and in rational numbers. Corrected: in
            words for all n, k, R (S U L = U (L^2 + sigma2 I) L holds in a zero column as well); hostile spectra; 50
            digits; no point is higher.
Trusted     the rules of verify.symbolic.
"""

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.problems import rational_ppca as exact
from proofs.problems.points_in_words import LIKELIHOOD_POINT, svd_point
from proofs.problems.spectra import SpectralProblem, hard_problems, random_problem, random_rotation
from verify import reference
from verify.arrays import to_numpy
from verify.landscape.stationary import fixed_noise_points
from verify.models import ppca as model
from verify.symbolic import ppca
from verify.symbolic.letters import M, S, gram, sigma2
from verify.symbolic.letters import W as W_IN_WORDS
from verify.symbolic.relations import reduce, relation

CLAIM = Claim(
    id="eq-08-any-noise",
    source="Sec. 4.1, Eq. 8",
    statement="W = U_k (Lam_k - sigma2 I)^{1/2} R is stationary at every sigma2, not at its optimum only",
    hypotheses="lam_k >= sigma2; else (Lam_k - sigma2 I)_+",
    section="Probabilistic PCA",
    rests_on=("eq-05-06",),
    quote="In this section we consider σ 2 to be fixed and not necessarily equal to the MLE solution. Equation 8 "
    "remains a stationary point when the general σ 2 is swapped in.",
    fault="missing hypothesis",
    finding="Eq. 8 is stationary at every sigma2 up to lam_k; above it the root is imaginary, and with zero columns in "
    "its place, (Lam_k - sigma2 I)_+^{1/2}, as App. A has them (k_j = sigma2), the point is stationary at every "
    "sigma2 > 0",
)
IMAGINARY = CLAIM.step(
    "imaginary",
    "at S = diag(3, 1), k = 2, sigma2 = 2 no real W is as printed, for W W^T would be negative along u_2; and with "
    "|Lam_k - sigma2 I| under the root, R = I, W is real and not stationary",
)
STATIONARY = CLAIM.step(
    "stationary",
    "W = U_k (Lam_k - sigma2 I)_+^{1/2} R, in a zero column u_j any eigenvector, is stationary at every sigma2 > 0, "
    "for all n, k <= n and orthogonal R; for sigma2 <= lam_k this is Eq. 8 as printed",
    place="Proposition 2",
)


def squared_lengths(p):
    """lam_a - sigma2 for the first k: what Eq. 8 takes the root of."""
    return p.lam[: p.k] - p.sigma2


def check_real(p):
    """A real W with W W^T = U_k (Lam_k - sigma2 I) U_k^T exists: no eigenvalue of W W^T is negative."""
    at_most(-squared_lengths(p), 0.0)


def check_stationary(p, W, tolerance=None, xp=np):
    """The gradient of L at W vanishes; -> its size relative to the terms that cancel in it."""
    gradient = to_numpy(model.gradient(xp.asarray(W), p.sigma2, xp.asarray(p.S)))
    # C^-1 W is at most 1/(2 sqrt sigma2): the size of the two terms of the gradient that must cancel.
    size = np.sqrt(p.k / p.sigma2)
    return agree(gradient, np.zeros_like(gradient), tolerance=tolerance or p.rounding, scale=size)


def corrected(p, R):
    """U_k (Lam_k - sigma2 I)_+^{1/2} R."""
    return p.U[:, : p.k] * np.sqrt(np.maximum(squared_lengths(p), 0.0)) @ R


@IMAGINARY.evidence(role="refutes", kind="numeric")
def test_above_the_kth_eigenvalue_no_real_weights_are_as_printed(record, thorough):
    rng = np.random.default_rng(8)
    for _ in range(thorough(50, 500)):
        p = random_problem(rng)
        p = SpectralProblem(p.lam, p.U, p.k, float(p.lam[p.k - 1] * rng.uniform(1.01, 2)))
        # u_k^T (W W^T) u_k would be |W^T u_k|^2, and is negative.
        u = p.U[:, p.k - 1]
        outer = (p.U[:, : p.k] * squared_lengths(p)) @ p.U[:, : p.k].T
        check(u @ outer @ u < 0, "W W^T is not negative along u_k")
        record(worst_error=agree(u @ outer @ u, p.lam[p.k - 1] - p.sigma2, tolerance=1e-13, scale=p.lam[0]))
        # With |lam - sigma2| for it, column k of the gradient is (lam_k - c)/c^2 W, c = 2 sigma2 - lam_k: not zero.
        read = p.U[:, : p.k] * np.sqrt(np.abs(squared_lengths(p)))
        c = 2 * p.sigma2 - p.lam[p.k - 1]
        expected = (p.lam[p.k - 1] - c) / c**2 * read[:, -1]
        check(np.linalg.norm(expected) > 0, "the absolute value is stationary after all")
        agree(model.gradient(read, p.sigma2, p.S)[:, -1], expected, tolerance=1e-9)


@IMAGINARY.evidence(role="refutes", kind="symbolic", strength="proved")
def test_a_noise_between_two_eigenvalues_exactly(record):
    S = exact.diagonal(3, 1)
    shifted = S - 2 * sp.eye(2)  # what Eq. 8 takes the root of; U = R = I
    # A real W with W W^T = Lam - sigma2 I would have |W^T u_2|^2 = -1.
    same(list(shifted.eigenvals()), [1, -1])
    check(shifted[1, 1] < 0, "the printed W W^T is not negative along u_2")
    with rejected():  # at a noise below lam_2 it is not
        check((S - sp.eye(2) / 2)[1, 1] < 0, "the printed W W^T is not negative along u_2")
    # |w_2| = 1: M = diag(3, 3), and the gradient of column 2 is u_2 (1/9 - 1/3).
    gradient = exact.gradient(exact.weights((1, 0), (0, 1)), 2, S)
    same(gradient, exact.diagonal(0, "-2/9"))
    with rejected():
        exact.check_zero(gradient)
    exact.check_zero(exact.gradient(exact.weights((1, 0), (0, 0)), 2, S))
    record(instances=2)
    record.witness(
        "S = diag(3, 1), k = 2, sigma2 = 2: Lam - sigma2 I = diag(1, -1) has no real root; with |lam - sigma2| for it, "
        f"W = I has the gradient diag(0, {gradient[1, 1]}); W = diag(1, 0) is stationary and the global maximum"
    )


@STATIONARY.evidence(role="corrected", kind="symbolic", strength="proved")
def test_with_the_positive_part_it_is_stationary_for_all_n_k_and_r(record):
    """L^2 = (Lam - sigma2)_+ gives S U L = U (L^2 + sigma2 I) L: where l_j = 0 both sides of the column are zero."""
    for word in svd_point():
        check(word.is_zero(), f"W = U L R does not have what is assumed of a stationary point: {word}")
    same(reduce(ppca.gradient_in_latents(), *LIKELIHOOD_POINT), 0 * W_IN_WORDS)
    # What svd_point assumes, S U L = U (L^2 + sigma2 I) L, says of column j: l (lam - l^2 - sigma2) = 0.
    lam, noise = sp.symbols("lam sigma2", positive=True)
    for length in (sp.sqrt(lam - noise), sp.Integer(0)):  # lam > sigma2; else
        vanishes(length * (lam - length**2 - noise))
    with rejected():
        vanishes(sp.sqrt(noise - lam) * (lam - (noise - lam) - noise))
    record(instances=3)


@STATIONARY.evidence(role="corrected", kind="numeric")
def test_the_printed_form_is_stationary_at_every_noise_up_to_the_kth_eigenvalue(record, thorough):
    rng = np.random.default_rng(81)
    for _ in range(thorough(60, 600)):
        p = random_problem(rng)
        p = SpectralProblem(p.lam, p.U, p.k, float(p.lam[p.k - 1] * rng.uniform(0.01, 1)))
        check_real(p)
        printed = p.U[:, : p.k] * np.sqrt(squared_lengths(p)) @ random_rotation(rng, p.k)
        record(worst_error=check_stationary(p, printed))


@STATIONARY.evidence(role="corrected", kind="property")
@given(p=hard_problems(), seed=st.integers(0, 2**32 - 1))
def test_the_positive_part_is_stationary_and_highest_on_hostile_spectra(p, seed, record, xp):
    W = corrected(p, random_rotation(np.random.default_rng(seed), p.k))
    record(worst_error=check_stationary(p, W, xp=xp))
    best = next(fixed_noise_points(p.lam, p.k, p.sigma2)).value
    value = float(model.log_likelihood(W, p.sigma2, p.S))
    agree(value, best, tolerance=p.rounding, scale=abs(best) + p.lam.sum() / p.sigma2)


@STATIONARY.evidence(role="corrected", kind="property")
@given(p=hard_problems(max_n=4))
def test_its_gradient_vanishes_in_50_digits(p, record):
    eigenvalues, U, S = p.exactly()
    with reference.precision():
        noise = reference.exact(p.sigma2)[()]
        zero = reference.exact(0.0)[()]
        lengths = np.array([np.sqrt(max(x - noise, zero)) for x in eigenvalues[: p.k]], dtype=object)
        gradient = reference.gradient(U[:, : p.k] * lengths, p.sigma2, S)
        error = float(np.linalg.norm(gradient.astype(float))) * np.sqrt(p.sigma2)
    # Twelve decades of eigenvalues cost up to 24 of the 50 digits.
    record(worst_error=agree(error, 0.0, tolerance=1e-22))


@STATIONARY.evidence(role="control", kind="symbolic")
def test_other_points_in_words_are_rejected():
    W_ = W_IN_WORDS
    for image in (W_ @ M - sigma2 * W_, W_ @ M + sigma2 * W_, W_):  # PCA's S W = W W^T W; the noise twice; sphered
        with rejected():
            same(reduce(ppca.gradient_in_latents(), gram, relation(S @ W_, image)), 0 * W_)


@STATIONARY.evidence(role="control", kind="numeric")
def test_slips_are_rejected():
    p = random_problem(np.random.default_rng(82), 5, 2)
    below = SpectralProblem(p.lam, p.U, 2, 0.6 * p.lam[1])
    above = SpectralProblem(p.lam, p.U, 2, 0.5 * (p.lam[0] + p.lam[1]))
    check_real(below)
    check_stationary(below, corrected(below, np.eye(2)))
    with rejected():  # real at any noise: false above lam_k
        check_real(above)
    for wrong in (
        p.U[:, :2] * np.sqrt(p.lam[:2]),  # sigma2 not swapped in at all: PCA
        corrected(SpectralProblem(p.lam, p.U, 2, 0.5 * below.sigma2), np.eye(2)),  # swapped in on one side only
        p.U[:, :2] * (p.lam[:2] - below.sigma2),  # no root
        np.linalg.qr(p.U[:, :2] + 0.01)[0] * np.sqrt(squared_lengths(below)),  # other axes
    ):
        with rejected():
            check_stationary(below, wrong)
    with rejected():  # the absolute value above lam_k
        check_stationary(above, p.U[:, :2] * np.sqrt(np.abs(squared_lengths(above))))
