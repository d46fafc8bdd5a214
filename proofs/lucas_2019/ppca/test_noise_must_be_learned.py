"""Sec. 4.1: only with a learned sigma2 can all latents be used.

Statement   the paper: with sigma2 fixed, not all k latents can be gained; it must be learned. That is so at a fixed
            sigma2 >= lam_k. At every fixed sigma2 < lam_k each stationary point that leaves a column zero rises, and
            the only local maxima retain k eigenvectors, on the k largest eigenvalues.
Hypotheses  missing: sigma2 is fixed at lam_k or above. (lam_k > 0, or there are no k directions to be gained.)
Source      Lucas et al. 2019, Sec. 4.1; theory 1.3, 1.5.
Method      which points are maxima is claim fixed-noise-maxima; they have min(k, #{lam_i > sigma2}) columns, which is k
            iff lam_k > sigma2. Beside it: the rising direction in words, an exact instance, dense Hessians, ascent from
            almost nothing at a noise that never moves, hostile spectra, the KL per latent.
"""

import numpy as np
import sympy as sp
from hypothesis import assume, given
from hypothesis import strategies as st

from proofs.machinery.checks import agree, at_most, check, rejected, same
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.points_in_words import LIKELIHOOD_POINT, discarded, zero_column
from proofs.problems.spectra import SpectralProblem, climb, hard_problems, landscapes, random_rotation
from verify.landscape.points import weights
from verify.landscape.stationary import fixed_noise_points, retained_count
from verify.models import linear_vae, ppca
from verify.symbolic import ppca as in_words
from verify.symbolic.letters import k, n, sigma2
from verify.symbolic.relations import reduce
from verify.symbolic.unit_vectors import orthonormal, unit_vector

CLAIM = Claim(
    id="noise-must-be-learned",
    source="Sec. 4.1",
    statement="sigma2 has to be learned for all latents to be used",
    hypotheses="sigma2 fixed at lam_k or above",
    section="Probabilistic PCA",
    rests_on=("fixed-noise-maxima",),
    quote="The stability of the pPCA stationary points depends on the size of σ 2 — as σ 2 increases the stationary "
    "point tends towards a stable local maximum so that we cannot learn the additional components. ... Fortunately, "
    "decreasing σ 2 will increase likelihood at these stationary points so that when learning σ 2 simultaneously these "
    "stationary points are saddle points [39]. Therefore, learning σ 2 is necessary for gaining a full latent "
    "representation.",
    fault="missing hypothesis",
    finding="what is necessary is sigma2 < lam_k: at each such noise, learned or not, every local maximum uses all k "
    "latents, and at sigma2 >= lam_k none does",
)
USED = CLAIM.step(
    "used",
    "on top, that is with the min(k, #{lam_i > sigma2}) largest eigenvalues retained, all k latents are used (rank k) "
    "iff sigma2 < lam_k, lam_k = 0 if k > n; for all n and k",
    says="on_top -> (below_lam_k & all_used) | (~below_lam_k & ~all_used)",
    place="Theorem A",
)
CONCLUSION = CLAIM.step(
    "conclusion", "so at a fixed sigma2 < lam_k all local maxima use all k latents, and at a fixed sigma2 >= lam_k none"
)
RISING = CLAIM.step(
    "rising",
    "at a fixed sigma2 < lam_k a stationary point with a zero column is unstable: the column rises towards an unused "
    "u_j among the first k, with a curvature (lam_j - sigma2)/sigma2^2 >= (lam_k - sigma2)/sigma2^2 > 0; for all n, k "
    "and R",
    place="Proposition 3",
)
WITNESS = CLAIM.step(
    "witness",
    "there is a data set, a k and a fixed noise that learning would change, with a maximum that uses all k latents",
)


def used_latents(W, lam, noise):
    """How many latent directions W uses: singular values above 1 % of the least that Eq. 8 gives at this noise."""
    floor = 1e-2 * np.sqrt(max(float(lam[W.shape[1] - 1]) - noise, 0.0))
    return int((np.linalg.svd(W, compute_uv=False) > max(floor, 1e-6)).sum())


def check_full(W, at):
    """All k latents are in use, and W spans the subspace of the k leading eigenvectors, as W_MLE does."""
    same(used_latents(W, at.lam, at.sigma2), at.k)
    basis, top = np.linalg.qr(W)[0], at.U[:, : at.k]
    return agree(basis @ basis.T, top @ top.T, tolerance=1e-4)


def below(at, share):
    """The same landscape at a fixed noise between 0 and lam_k."""
    return type(at)(at.lam, at.U, at.k, float(share * at.lam[at.k - 1]))


z, d = sp.symbols("z d", integer=True, nonnegative=True)


def check_used(columns, above, full):
    """Whether min(k, #{lam_i > sigma2}) is k."""
    missing = columns - sp.Min(columns, above)
    check(missing == 0 if full else bool(missing.is_positive), f"{missing} columns are left")


@USED.evidence(role="corrected", kind="symbolic", strength="proved")
def test_all_are_used_exactly_below_the_kth_eigenvalue_for_all_n_and_k(record):
    """lam_k > sigma2 iff the first k eigenvalues are above it, k + d in number; else at most k - 1 are: k - 1 - d."""
    columns = z + 1
    check_used(columns, columns + d, full=True)
    check_used(columns, columns - 1 - d, full=False)
    with rejected():
        check_used(columns, columns - 1 - d, full=True)
    with rejected():
        check_used(columns, columns + d, full=False)
    record(instances=2)


@CONCLUSION.evidence(role="corrected", kind="symbolic", strength="proved")
def test_so_are_they_in_every_local_maximum(record):
    used = {"fixed-noise-maxima": "local_maximum -> on_top"}
    iff = "(below_lam_k & all_used) | (~below_lam_k & ~all_used)"
    record(instances=concludes(CLAIM, f"local_maximum -> {iff}", used))
    with rejected():  # it is not so at every fixed noise
        concludes(CLAIM, "local_maximum -> all_used", used)


@RISING.evidence(role="corrected", kind="symbolic", strength="proved")
def test_a_zero_column_rises_towards_every_unused_eigenvalue_above_the_noise_for_all_n_k_and_r(record):
    u, e, lam = unit_vector("u", n), unit_vector("e", k), sp.Symbol("lam", positive=True)
    rules = (*LIKELIHOOD_POINT, *orthonormal(u), *orthonormal(e), *discarded(u, lam), *zero_column(e))
    image = reduce(in_words.hessian_vector_product(u @ e.T), *rules)
    same(image, (lam - sigma2) / sigma2**2 * (u @ e.T))
    with rejected():
        same(image, (lam - sigma2) / (lam * sigma2) * (u @ e.T))
    # Of the first k eigenvectors q < k are used, so one is not: lam_j = lam_k + more >= lam_k = sigma2 + gap.
    gap, more = sp.Symbol("gap", positive=True), sp.Symbol("more", nonnegative=True)
    check(bool(((lam - sigma2) / sigma2**2).subs(lam, sigma2 + gap + more).is_positive), "it does not rise")
    record(instances=2)
    record.witness("all n, k, R: towards u_j a zero column has curvature (lam_j - sigma2)/sigma2^2 > 0")


def check_full_maximum(covariance, W, noise):
    """W is stationary, uses all its columns on the largest eigenvalues of the diagonal S, and not at its best noise."""
    rows, columns = W.shape
    C = W * W.T + noise * sp.eye(rows)
    same(C.inv() * covariance * C.inv() * W - C.inv() * W, sp.zeros(rows, columns))
    same(W.rank(), columns)
    above = [covariance[i, i] for i in range(rows) if covariance[i, i] > noise]
    same(sorted(C[i, i] for i in range(columns)), sorted(above))  # on top: so a maximum, by claim fixed-noise-maxima
    slope = (C.inv() ** 2 * covariance - C.inv()).trace() / 2
    check(slope != 0, "the noise is where learning would leave it")
    return slope


@WITNESS.evidence(role="refutes", kind="symbolic", strength="proved")
def test_an_exact_instance_with_a_fixed_noise_uses_all_latents(record):
    noise = sp.Rational(1, 2)
    covariance = sp.diag(sp.Rational(9, 2), sp.Rational(3, 2), sp.Rational(1, 4))
    W = sp.Matrix([[2, 0], [0, 1], [0, 0]])
    slope = check_full_maximum(covariance, W, noise)
    for wrong in (W * sp.diag(1, 0), sp.Matrix([[2, 0], [0, 2], [0, 0]])):  # collapsed; not stationary
        with rejected():
            check_full_maximum(covariance, wrong, noise)
    with rejected():  # at the noise that learning finds, the mean of what is unused
        check_full_maximum(covariance, sp.diag(sp.sqrt(17) / 2, sp.sqrt(5) / 2, 0)[:, :2], sp.Rational(1, 4))
    record.witness(
        "S = diag(9/2, 3/2, 1/4), k = 2, sigma2 fixed at 1/2: W = (2 u_1, u_2) is a global maximum with both latents "
        f"in use, and dL/dsigma2 = {slope} there"
    )
    record(instances=1)


@CONCLUSION.evidence(role="corrected", kind="numeric")
def test_at_every_noise_below_the_kth_eigenvalue_all_maxima_use_all_latents(record, thorough):
    rng = np.random.default_rng(61)
    for at in landscapes(thorough(60, 600), most_n=5, most_k=3, seed=61, generic=True):
        at = below(at, rng.uniform(0.05, 0.95))
        points = list(fixed_noise_points(at.lam, at.k, at.sigma2))
        maxima = 0
        for point in points:
            W = weights(point, at.lam, at.U)
            values = np.linalg.eigvalsh(ppca.hessian(W, at.sigma2, at.S))
            # Rounding of the Hessian, relative to its norm.
            if values[-1] <= 1e-10 * np.abs(values).max():
                record(instances=0, worst_error=check_full(W, at))
                maxima += 1
        same(maxima, 1)
        check(len(points) > 1, "there is nothing but the maximum")
        record(instances=len(points))


@CONCLUSION.evidence(role="corrected", kind="property")
@given(p=hard_problems(), share=st.floats(1e-6, 1.0))
def test_the_global_maximum_uses_all_latents_on_hostile_spectra(p, share, record):
    assume(p.lam[p.k - 1] > 0)
    noise = share * float(p.lam[p.k - 1]) / 2
    same(retained_count(p.lam, p.k, noise), p.k)
    W = ppca.fixed_noise_maximum(p.lam, p.U, p.k, noise)
    lengths = np.linalg.norm(W, axis=0)
    record(worst_error=agree(lengths, np.sqrt(p.lam[: p.k] - noise), tolerance=1e-13))
    check(lengths.min() > 0, "a column is zero")
    # Each latent carries 1/2 log(lam_a/sigma2) nats: the KL of q(z_a|x) from the prior, on average.
    V, D = linear_vae.optimal_encoder(W, noise)
    S = (p.U * p.lam) @ p.U.T
    kl = [float(linear_vae.kl(V[[a]], D[[a]], S)) for a in range(p.k)]
    expected = np.log(p.lam[: p.k] / noise) / 2
    check(expected.min() >= np.log(2) / 2 - 1e-12, "a latent carries less than half a bit")
    # V S V^T sums rounding of size eps lam_1/sigma2.
    agree(kl, expected, tolerance=1e-12, scale=np.linalg.norm(expected) + p.n * p.lam[0] / noise)


@CONCLUSION.evidence(role="corrected", kind="numeric")
def test_ascent_from_almost_nothing_gains_all_latents_while_the_noise_never_moves(record, thorough):
    rng = np.random.default_rng(62)
    for at in landscapes(thorough(15, 100), most_n=6, most_k=4, seed=62, generic=True):
        if at.k == at.n or at.lam[at.k] > 0.9 * at.lam[at.k - 1]:
            continue  # a near-tie makes the subspace, not the number of latents, hard to see
        at = below(at, 0.5)

        def value_and_gradient(w, at=at):
            W = w.reshape(at.n, at.k)
            return ppca.log_likelihood(W, at.sigma2, at.S), ppca.gradient(W, at.sigma2, at.S).ravel()

        start = 1e-3 * np.sqrt(at.sigma2) * rng.standard_normal(at.n * at.k)
        W = climb(value_and_gradient, start).reshape(at.n, at.k)
        # |gradient| = 1e-10 or where L-BFGS stops; the subspace is right to about 1e-5.
        record(worst_error=check_full(W, at))


@WITNESS.evidence(role="refutes", kind="numeric")
def test_a_full_representation_at_a_fixed_noise_by_hand(record):
    S, noise = np.diag([3.0, 2.0, 1.0]), 0.5
    W = np.array([[np.sqrt(2.5), 0.0], [0.0, np.sqrt(1.5)], [0.0, 0.0]])
    at_most(np.abs(ppca.gradient(W, noise, S)), 0.0, slack=1e-15)
    at_most(np.linalg.eigvalsh(ppca.hessian(W, noise, S)), 0.0, slack=1e-14)
    with rejected():  # with column 2 on u_3, not u_2: no maximum either
        at_most(np.linalg.eigvalsh(ppca.hessian(W[[0, 2, 1]] / [1, np.sqrt(3)], noise, S)), 0.0, slack=1e-14)
    best = next(fixed_noise_points(np.array([3.0, 2.0, 1.0]), 2, noise)).value
    error = agree(ppca.log_likelihood(W, noise, S), best, tolerance=1e-14)
    slope = float(ppca.noise_gradient(W, noise, S))
    check(abs(slope) > 0.1, "the noise is at its optimum, where learning would leave it")
    rate = float(np.linalg.eigvalsh(ppca.hessian(W * [1, 0], noise, S)).max())
    agree(rate, (2 - 0.5) / 0.5**2, tolerance=1e-13)
    record(worst_error=error)
    record.witness(
        "S = diag(3, 2, 1), k = 2, sigma2 fixed at 0.5 (sigma2_MLE is 1): the global maximum is W = (sqrt(2.5) u_1, "
        f"sqrt(1.5) u_2), both latents in use; with column 2 zeroed it rises at rate 1.5/0.25 = {rate:.1f}"
    )


@CONCLUSION.evidence(role="control", kind="numeric")
def test_above_the_kth_eigenvalue_the_same_check_finds_latents_missing(record):
    for at in landscapes(30, seed=63, generic=True):
        above = below(at, 1.05)
        W = weights(next(fixed_noise_points(above.lam, above.k, above.sigma2)), above.lam, above.U)
        with rejected():
            check_full(W, above)
        record(instances=1)


@CONCLUSION.evidence(role="control", kind="numeric")
def test_all_latents_on_other_eigenvectors_are_not_taken_for_full(record):
    lam = np.array([5.0, 4.0, 2.0, 1.0])
    at = SpectralProblem(lam, random_rotation(np.random.default_rng(64), 4), 2, 0.5)
    for retained in ((0, 2), (2, 3)):
        with rejected():
            check_full(at.U[:, retained] * np.sqrt(lam[list(retained)] - 0.5), at)
    with rejected():  # W = 0, the last of the stationary points
        check_full(weights(list(fixed_noise_points(lam, 2, 0.5))[-1], lam, at.U), at)
    check_full(at.U[:, :2] * np.sqrt(lam[:2] - 0.5), at)
    record(instances=3)
