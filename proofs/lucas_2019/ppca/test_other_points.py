"""Sec. 4.1: whatever else is stationary is W_MLE with columns set to zero.

Statement   the stationary points besides W_MLE = U_k (Lam_k - sigma2 I)^{1/2} R are W_MLE with some columns zeroed.
            Refuted twice. Such points need not be stationary: for R other than a signed permutation (up to ties) they
            are not. And not all stationary points are such: columns may hold eigenvectors that are not leading.
            What holds is theory 1.2: W = U_A (Lam_A - sigma2 I)^{1/2} R, A any set of up to k eigenvectors with
            lam_a > sigma2 (claims eq-11-12 and elbo-points search for others).
Hypotheses  none that would save it but R = I and k = n, or no lam_j > sigma2 beyond the first k.
Source      Lucas et al. 2019, Sec. 4.1; theory 1.2.
Method      in words, for all n and k: the one column p u_a + r u_b left of a rotated pair has the residual
            p (lam_a/c - 1) u_a + r (lam_b/c - 1) u_b, c = p^2 + r^2 + sigma2, which vanishes with p, r != 0 only if
            lam_a = lam_b. Random rotations; joint stationarity in W and sigma2 of points with other eigenvectors;
            blind root-finding.
Trusted     the rules of verify.symbolic; the gradient (claim eq-11-12).
"""

from functools import partial

import numpy as np
import sympy as sp

from proofs.machinery.checks import agree, at_most, check, rejected, same
from proofs.machinery.claims import Claim
from proofs.problems.points_in_words import eigenvector_of_M
from proofs.problems.spectra import SpectralProblem, random_problem, random_rotation
from verify.landscape.roots import CONVERGED, find_roots
from verify.landscape.stationary import fixed_noise_points
from verify.models import ppca as model
from verify.symbolic import ppca
from verify.symbolic.letters import C, gram, k, marginal_precision, n, sigma2
from verify.symbolic.letters import S as S_IN_WORDS
from verify.symbolic.letters import W as W_IN_WORDS
from verify.symbolic.matrix_calculus import inverse
from verify.symbolic.relations import reduce, relation
from verify.symbolic.unit_vectors import orthonormal, unit_vector

CLAIM = Claim(
    id="other-points",
    source="Sec. 4.1",
    statement="the other stationary points of pPCA are W_MLE with columns set to zero",
    hypotheses="R a signed permutation, and leading eigenvectors only",
    section="Probabilistic PCA",
    rests_on=("eq-11-12",),
)


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


@CLAIM.evidence(role="refutes", kind="symbolic", strength="proved")
def test_a_column_left_of_a_rotated_pair_is_not_stationary_for_all_n_and_k(record):
    lam_a, lam_b, p, r = sp.symbols("lam_a lam_b p r", positive=True)
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
    # u_a and u_b are independent; both shares zero with p, r > 0: lam_a = c = lam_b.
    same(sp.solve([lam_a / c - 1, lam_b / c - 1], [lam_a, lam_b]), {lam_a: c, lam_b: c})
    record(instances=2)
    record.witness("all n, k: a column p u_a + r u_b with p, r != 0 is stationary only if lam_a = lam_b")


@CLAIM.evidence(role="refutes", kind="numeric")
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


@CLAIM.evidence(role="refutes", kind="numeric")
def test_a_zeroed_column_by_hand(record):
    S, R = np.diag([3.0, 2.0, 1.0]), np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2)
    W_mle = np.diag([np.sqrt(2.0), 1.0, 0.0])[:, :2] @ R  # sigma2_MLE = lam_3 = 1
    at_most(gradient_size(W_mle, 1.0, S), 0.0, slack=1e-15)
    W = zeroed(W_mle, 1)
    agree(W[:, 0], np.array([1.0, np.sqrt(0.5), 0.0]), tolerance=1e-15)
    # S C^-1 w - w = S w/2.5 - w = (0.2, -0.2 sqrt(1/2), 0), and C^-1 r = r - w (w.r)/2.5 with w.r = 0.1.
    expected = np.array([0.16, -0.24 * np.sqrt(0.5), 0.0])
    gradient = model.gradient(W, 1.0, S)
    error = agree(gradient[:, 0], expected, tolerance=1e-14)
    agree(gradient[:, 1], 0.0, tolerance=1e-15)
    check_not_stationary(W, 1.0, S)
    record(worst_error=error)
    record.witness(
        "S = diag(3, 2, 1), k = 2, sigma2_MLE = 1, R a rotation by 45 degrees: W_MLE = [[1, -1], [r, r], [0, 0]] with "
        f"r = sqrt(1/2); without column 2 the gradient is ({gradient[0, 0]:.4f}, {gradient[1, 0]:.4f}, 0) in column 1"
    )


@CLAIM.evidence(role="refutes", kind="numeric")
def test_an_eigenvector_that_is_not_leading_gives_a_stationary_point_in_noise_too(record):
    """lam = (4, 3, 1), k = 1: W_MLE holds u_1, zeroed it is 0. But u_2 alone is stationary, jointly with its noise."""
    S = np.diag([4.0, 3.0, 1.0])
    mle, noise = model.maximum_likelihood(np.array([4.0, 3.0, 1.0]), np.eye(3), 1)
    agree(noise, 2.0, tolerance=1e-15)
    agree(mle[:, 0], np.array([np.sqrt(2.0), 0, 0]), tolerance=1e-15)
    W, own = np.array([[0.0], [np.sqrt(0.5)], [0.0]]), 2.5  # the mean of 4 and 1
    at_most(gradient_size(W, own, S), 0.0, slack=1e-15)
    at_most(abs(float(model.noise_gradient(W, own, S))), 0.0, slack=1e-15)
    at_fixed = np.array([[0.0], [1.0], [0.0]])  # the same at sigma2_MLE = 2
    at_most(gradient_size(at_fixed, noise, S), 0.0, slack=1e-15)
    for point, s in ((W, own), (at_fixed, noise)):
        p = SpectralProblem(np.array([4.0, 3.0, 1.0]), np.eye(3), 1, s)
        check(nearest_zeroing(point, p) > 0.1, "it is W_MLE with columns zeroed after all")
    record(instances=2)
    record.witness(
        "S = diag(4, 3, 1), k = 1: W = sqrt(1/2) u_2 with sigma2 = (4 + 1)/2 has zero gradient in W and in sigma2, and "
        "so has W = u_2 in W at sigma2_MLE = 2; zeroing W_MLE = sqrt(2) u_1 gives W = 0 only"
    )


@CLAIM.evidence(role="refutes", kind="numeric")
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
        f"columns zeroed; all are among the {len(listed)} of theory 1.2, U_A (Lam_A - sigma2 I)^(1/2) R"
    )


@CLAIM.evidence(role="control", kind="numeric")
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


@CLAIM.evidence(role="control", kind="numeric")
def test_zeroed_leading_columns_are_recognised(record):
    p = SpectralProblem(np.array([4.0, 3.0, 1.0]), np.eye(3), 2, 0.5)
    for column in (0, 1):
        W = zeroed(leading(p, np.eye(2)), column)
        with rejected():
            check(nearest_zeroing(W, p) > 0.1, "it is W_MLE with a column zeroed")
    record(instances=2)
