"""Sec. 4.1: whatever else is stationary is W_MLE with columns set to zero.

Statement   the stationary points besides W_MLE = U_k (Lam_k - sigma2 I)^{1/2} R are W_MLE with some columns zeroed.
            Word for word this says too much and too little. Such points need not be stationary: they are not where a
            column that is zeroed mixes different eigenvalues. And not all stationary points are such: columns may hold
            eigenvectors that are not leading, as App. A.1 says ("arbitrary eigenvectors").
            Corrected: W = U_A (Lam_A - sigma2 I)^{1/2} R, A any set of up to k eigenvectors with lam_a > sigma2: zero
            the columns before the rotation, and choose the eigenvectors freely.
Hypotheses  R = I (enough: no zeroed column mixes different eigenvalues); any eigenvectors in the place of the leading
            ones.
Source      Lucas et al. 2019, Sec. 4.1, App. A.1; theory 1.2.
Method      two exact witnesses, in rational numbers, and the first of them for all n and k: the one column
            p u_a + r u_b left of a rotated pair has the residual p (lam_a/c - 1) u_a + r (lam_b/c - 1) u_b,
            c = p^2 + r^2 + sigma2, which vanishes with p, r != 0 only if lam_a = lam_b. Corrected: in words for all
            n, k and R; that there are no others is claim eq-11-12. Random rotations; blind root-finding.
Trusted     claim eq-11-12; the rules of verify.symbolic.
"""

from functools import partial

import numpy as np
import sympy as sp

from proofs.machinery.checks import agree, at_most, check, rejected, same
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems import rational_ppca as exact
from proofs.problems.points_in_words import LIKELIHOOD_POINT, eigenvector_of_M, svd_point
from proofs.problems.spectra import SpectralProblem, random_problem, random_rotation
from verify.landscape.roots import CONVERGED, find_roots
from verify.landscape.stationary import fixed_noise_points
from verify.models import ppca as model
from verify.symbolic import ppca
from verify.symbolic.letters import C, M, gram, k, marginal_precision, n, sigma2
from verify.symbolic.letters import S as S_IN_WORDS
from verify.symbolic.letters import W as W_IN_WORDS
from verify.symbolic.matrix_calculus import identity, inverse, letter
from verify.symbolic.relations import reduce, relation
from verify.symbolic.unit_vectors import orthonormal, unit_vector

CLAIM = Claim(
    id="other-points",
    source="Sec. 4.1",
    statement="the other stationary points of pPCA are W_MLE with columns set to zero",
    hypotheses="R = I, and any eigenvectors of S in the place of the leading ones",
    section="Probabilistic PCA",
    rests_on=("eq-05-06", "eq-11-12"),
    quote="The matrix R is an arbitrary rotation matrix ... The MLE solution is the global optimum. Other stationary "
    "points correspond to zeroing out columns of WMLE (posterior collapse).",
    fault="missing hypothesis",
    finding="the stationary points are W = U_A (Lam_A - sigma2 I)^{1/2} R with any eigenvectors, as App. A.1 says, "
    "zero columns, and then any rotation: W_MLE with a column zeroed that, after a rotation, mixes different "
    "eigenvalues, is not stationary, and points on other than the leading eigenvectors are not W_MLE with columns "
    "zeroed",
)
ROTATED = CLAIM.step(
    "rotated",
    "a column p u_a + r u_b, p, r != 0, to whose u_a and u_b the others are orthogonal (what zeroing leaves of a "
    "rotated pair), is not stationary unless lam_a = lam_b, for all n and k; so at S = diag(5, 2, 1), k = 2, W_MLE "
    "rotated by the angle of cos = 3/5 is stationary, and with either column zeroed it is not",
)
ANY_ROTATION = CLAIM.step(
    "any-rotation",
    "W_MLE with the column e zeroed, L > 0, is stationary only if L R e is an eigenvector of Lam_k: only if R e mixes "
    "no two different eigenvalues; for all n, k and R",
)
NOT_LEADING = CLAIM.step(
    "not-leading",
    "at S = diag(4, 7/2, 1), k = 1, W = u_2 with sigma2 = 5/2 is stationary in W and in sigma2 together, and is not "
    "W_MLE with columns zeroed: that is on u_1 or zero",
)
FAMILY = CLAIM.step(
    "family",
    "W = U (Lam - sigma2 I)^{1/2} R with any orthonormal eigenvectors of S of eigenvalues above sigma2 in U, zero "
    "columns, and any orthogonal R, is stationary, for all n and k",
    says="precision & of_the_form -> stationary",
    place="Proposition 2",
)
CONCLUSION = CLAIM.step("conclusion", "so the points of this form are the stationary ones, and there are no others")


def gradient_size(W, noise, S):
    """The gradient in units of the two terms that cancel in it at a stationary point."""
    return float(np.linalg.norm(model.gradient(W, noise, S)) * np.sqrt(noise / W.shape[1]))


def check_not_stationary(W, noise, S):
    """The gradient is larger than any rounding (1e-13) by far; -> its size."""
    size = gradient_size(W, noise, S)
    check(size > 1e-6, f"the gradient is {size:.1e}: the point is stationary")
    return size


def zeroed(W, column):
    """W with one column zeroed out."""
    W = W.copy()
    W[:, column] = 0
    return W


def leading(p, R):
    """W_MLE at this noise, U_k (Lam_k - sigma2 I)^{1/2} R."""
    return p.U[:, : p.k] * np.sqrt(p.lam[: p.k] - p.sigma2) @ R


def nearest_zeroing(W, p):
    """How far W W^T is from that of any W_MLE with columns zeroed, R = I: the readings that are stationary."""
    best = np.inf
    for kept in range(2**p.k):
        chosen = [a for a in range(p.k) if kept >> a & 1]
        other = (p.U[:, chosen] * (p.lam[chosen] - p.sigma2)) @ p.U[:, chosen].T
        best = min(best, float(np.abs(W @ W.T - other).max()))
    return best / p.lam[0]


@ROTATED.evidence(role="refutes", kind="symbolic", strength="proved")
def test_a_column_left_of_a_rotated_pair_is_not_stationary_for_all_n_and_k(record):
    lam_a, lam_b = sp.symbols("lam_a lam_b", nonnegative=True)
    p, r = sp.symbols("p r", real=True, nonzero=True)
    u_a, u_b, e = unit_vector("u_a", n), unit_vector("u_b", n), unit_vector("e", k)
    # The column w = p u_a + r u_b, orthogonal to the others, which hold other eigenvectors.
    c = p**2 + r**2 + sigma2
    rules = (
        gram,
        *orthonormal(u_a, u_b),
        *orthonormal(e),
        *eigenvector_of_M(e, c),
        relation(W_IN_WORDS @ e, p * u_a + r * u_b),
        relation(W_IN_WORDS.T @ u_a, p * e),
        relation(W_IN_WORDS.T @ u_b, r * e),
        relation(S_IN_WORDS @ u_a, lam_a * u_a),
        relation(S_IN_WORDS @ u_b, lam_b * u_b),
    )
    # dL/dW = C^-1 (S C^-1 W - W), and C is invertible: zero iff the residual is.
    same(ppca.gradient(), inverse(C) @ (S_IN_WORDS @ inverse(C) @ W_IN_WORDS - W_IN_WORDS))
    residual = reduce(S_IN_WORDS @ inverse(C) @ W_IN_WORDS - W_IN_WORDS, marginal_precision(), gram) @ e
    same(reduce(residual, *rules), p * (lam_a / c - 1) * u_a + r * (lam_b / c - 1) * u_b)
    with rejected():  # c without the noise: the stationarity of an autoencoder
        same(reduce(residual, *rules), p * (lam_a / (p**2 + r**2) - 1) * u_a + r * (lam_b / (p**2 + r**2) - 1) * u_b)
    # u_a and u_b are independent; both shares zero with p, r != 0: lam_a = c = lam_b.
    same(sp.solve([lam_a / c - 1, lam_b / c - 1], [lam_a, lam_b]), {lam_a: c, lam_b: c})
    record(instances=2)
    record.witness("all n, k: a column p u_a + r u_b with p, r != 0 is stationary only if lam_a = lam_b")


def check_mixes_nothing(projector):
    """If W = U L R P, P = `projector` of e, is stationary, then Lam w |w|^2 = w (w^T Lam w) for w = L R e."""
    U, L, R, Lam = letter("U", n, k), letter("L", k, k, "diagonal"), letter("R", k, k), letter("Lam", k, k, "diagonal")
    e = unit_vector("e", k)
    rules = (
        *orthonormal(e),
        relation(U.T @ U, identity(k)),
        relation(R @ R.T, identity(k)),
        relation(R.T @ R, identity(k)),
        relation(S_IN_WORDS @ U, U @ Lam),
    )
    W_, w = U @ L @ R @ projector(e), L @ R @ e
    outer = W_ @ W_.T
    commutator = reduce(S_IN_WORDS @ outer - outer @ S_IN_WORDS, *rules)
    found = reduce(U.T @ commutator @ U @ w, *rules)
    same(found, reduce(w @ w.T @ Lam @ w - Lam @ w @ w.T @ w, *rules))


@ANY_ROTATION.evidence(role="refutes", kind="symbolic", strength="proved")
def test_zeroing_a_column_that_mixes_eigenvalues_is_not_stationary_for_all_n_k_and_r(record):
    # Where S W = W M (Eq. 11), S W W^T = W M W^T is symmetric: S commutes with W W^T.
    at_point = reduce(S_IN_WORDS @ W_IN_WORDS @ W_IN_WORDS.T, relation(S_IN_WORDS @ W_IN_WORDS, W_IN_WORDS @ M))
    same(at_point, at_point.T)
    check_mixes_nothing(lambda e: identity(k) - e @ e.T)
    with rejected():  # nothing zeroed, where any rotation will do
        check_mixes_nothing(lambda e: identity(k))
    record(instances=2)


@ROTATED.evidence(role="refutes", kind="numeric")
def test_zeroing_a_column_of_a_rotated_maximum_is_not_stationary(record, thorough):
    rng = np.random.default_rng(41)
    for _ in range(thorough(100, 1000)):
        p = random_problem(rng, n=int(rng.integers(3, 8)))
        if p.k < 2:
            continue
        p = p.with_learned_noise()  # the paper's sigma2_MLE
        W = leading(p, random_rotation(rng, p.k))
        at_most(gradient_size(W, p.sigma2, p.S), 0.0, slack=1e-11)
        for column in range(p.k):
            check_not_stationary(zeroed(W, column), p.sigma2, p.S)
            record(instances=1)


@ROTATED.evidence(role="refutes", kind="symbolic", strength="proved")
def test_a_zeroed_column_exactly(record):
    S = exact.diagonal(5, 2, 1)  # sigma2_MLE = lam_3 = 1; Lam_2 - I = diag(4, 1)
    upright = exact.weights((2, 0), (0, 1), (0, 0))
    W = upright * exact.weights(("3/5", "-4/5"), ("4/5", "3/5"))
    exact.check_zero(exact.gradient(W, 1, S))
    exact.check_zero(exact.noise_gradient(W, 1, S))
    gradients = [exact.gradient(exact_zeroed(W, column), 1, S) for column in (0, 1)]
    for column, gradient in enumerate(gradients):
        with rejected():
            exact.check_zero(gradient)
        # Without the rotation zeroing leaves a stationary point.
        exact.check_zero(exact.gradient(exact_zeroed(upright, column), 1, S))
    record(instances=2)
    record.witness(
        "S = diag(5, 2, 1), k = 2, sigma2_MLE = 1, R = [[3, -4], [4, 3]]/5: W_MLE = [[6, -8], [4, 3], [0, 0]]/5; "
        f"without column 2 the gradient in column 1 is {tuple(gradients[1].col(0))}"
    )


def exact_zeroed(W, column):
    """W with one column zeroed out, exactly."""
    W = W.copy()
    W[:, column] = sp.zeros(W.rows, 1)
    return W


@NOT_LEADING.evidence(role="refutes", kind="symbolic", strength="proved")
def test_an_eigenvector_that_is_not_leading_gives_a_stationary_point_in_noise_too(record):
    """W_MLE holds u_1, zeroed it is 0. But u_2 alone is stationary, jointly with its noise."""
    S, W = exact.diagonal(4, "7/2", 1), exact.weights((0,), (1,), (0,))
    own = sp.Rational(4 + 1, 2)  # the mean of the other eigenvalues
    exact.check_zero(exact.gradient(W, own, S))
    exact.check_zero(exact.noise_gradient(W, own, S))
    with rejected():  # at another noise than 7/2 - 1
        exact.check_zero(exact.gradient(W, 2, S))
    # W_MLE W_MLE^T and 0 have only zeros outside u_1 u_1^T.
    with rejected():
        exact.check_zero((W * W.T)[1:, 1:])
    record()
    record.witness(
        "S = diag(4, 7/2, 1), k = 1: W = u_2 with sigma2 = (4 + 1)/2 has zero gradient in W and in sigma2; zeroing "
        "W_MLE, on u_1, gives W = 0 only"
    )


@NOT_LEADING.evidence(role="refutes", kind="numeric")
def test_it_is_stationary_at_the_noise_of_the_maximum_too(record):
    S = np.diag([4.0, 3.0, 1.0])
    _, noise = model.maximum_likelihood(np.array([4.0, 3.0, 1.0]), np.eye(3), 1)
    agree(noise, 2.0, tolerance=1e-15)
    with rejected():  # (3 + 1)/3, over all directions
        agree(noise, 4 / 3, tolerance=1e-15)
    W = np.array([[0.0], [1.0], [0.0]])
    at_most(gradient_size(W, noise, S), 0.0, slack=1e-15)
    with rejected():  # of the length sqrt(lam_2), the noise not taken off
        at_most(gradient_size(np.sqrt(3) * W, noise, S), 0.0, slack=1e-15)
    check(
        nearest_zeroing(W, SpectralProblem(np.array([4.0, 3.0, 1.0]), np.eye(3), 1, noise)) > 0.1, "it is a zeroed one"
    )
    record()


@FAMILY.evidence(role="corrected", kind="symbolic", strength="proved")
def test_all_of_the_form_are_stationary_for_all_n_k_and_r(record):
    # W = U L R with S U L = U (L^2 + sigma2 I) L: eigenvectors, which ones does not matter, or zero columns.
    for word in svd_point():
        check(word.is_zero(), f"W = U L R does not have what is assumed of a stationary point: {word}")
    same(reduce(ppca.gradient_in_latents(), *LIKELIHOOD_POINT), 0 * W_IN_WORDS)
    autoencoder = relation(S_IN_WORDS @ W_IN_WORDS, W_IN_WORDS @ (M - sigma2 * identity(k)))
    with rejected():  # PCA's S W = W W^T W
        same(reduce(ppca.gradient_in_latents(), gram, autoencoder), 0 * W_IN_WORDS)
    record(instances=2)


@CONCLUSION.evidence(role="corrected", kind="symbolic", strength="proved")
def test_the_steps_entail_that_these_are_all(record):
    used = {"eq-05-06": "precision", "eq-11-12": "stationary -> of_the_form"}
    record(instances=concludes(CLAIM, "stationary <-> of_the_form", used))
    with rejected():
        concludes(CLAIM, "stationary <-> zeroed_maximum", used)


@FAMILY.evidence(role="corrected", kind="numeric")
def test_most_stationary_points_are_none_of_these_but_all_are_of_theory_1_2(record, thorough):
    """Blind root-finding: the roots are exactly points of 1.2, and many of them are no zeroed W_MLE."""
    rng = np.random.default_rng(42)
    lam = np.array([5.0, 4.0, 3.0, 2.0, 0.5])
    p = SpectralProblem(lam, random_rotation(rng, 5), 2, 1.0)
    starts = rng.standard_normal((thorough(120, 1000), 5, 2)) * 0.5
    gradient, hessian = partial(model.gradient, sigma2=1.0, S=p.S), partial(model.hessian, sigma2=1.0, S=p.S)
    roots = find_roots(gradient, hessian, starts)
    found = roots.W[roots.status == CONVERGED]
    check(len(found) > len(starts) / 3, f"only {len(found)} of {len(starts)} searches converged")
    listed = [
        (p.U[:, A] * (lam[A] - 1.0)) @ p.U[:, A].T for A in (list(q.retained) for q in fixed_noise_points(lam, 2, 1.0))
    ]
    others = 0
    for W in found:
        distance = min(np.abs(W @ W.T - outer).max() for outer in listed)
        # |gradient| <= 1e-11, over curvatures of 0.03 and more.
        record(worst_error=at_most(distance / lam[0], 0.0, slack=1e-7))
        others += nearest_zeroing(W, p) > 1e-3
    check(others > len(found) / 4, f"only {others} of {len(found)} roots are not W_MLE with columns zeroed")
    record.witness(
        f"lam = (5, 4, 3, 2, 0.5), k = 2, sigma2 = 1: of {len(found)} roots found blindly {others} are not W_MLE with "
        f"columns zeroed; all are among the {len(listed)} of App. A, U_A (Lam_A - sigma2 I)^(1/2) R"
    )


@ROTATED.evidence(role="control", kind="numeric")
def test_zeroing_is_stationary_for_signed_permutations_and_for_ties(record):
    rng = np.random.default_rng(43)
    for _ in range(10):
        p = random_problem(rng, 6, 3).with_learned_noise()
        R = np.eye(3)[rng.permutation(3)] * rng.choice([-1.0, 1.0], 3)
        with rejected():
            check_not_stationary(zeroed(leading(p, R), int(rng.integers(3))), p.sigma2, p.S)
        record(instances=1)
    tied = SpectralProblem(np.array([3.0, 3.0, 1.0]), np.eye(3), 2, 1.0)
    with rejected():
        check_not_stationary(zeroed(leading(tied, random_rotation(rng, 2)), 0), 1.0, tied.S)


@NOT_LEADING.evidence(role="control", kind="numeric")
def test_zeroed_leading_columns_are_recognised(record):
    p = SpectralProblem(np.array([4.0, 3.0, 1.0]), np.eye(3), 2, 0.5)
    for column in (0, 1):
        W = zeroed(leading(p, np.eye(2)), column)
        with rejected():
            check(nearest_zeroing(W, p) > 0.1, "it is W_MLE with a column zeroed")
    record(instances=2)
