"""Eqs. 11 and 12: the stationarity of pPCA, and what it says of the singular value decomposition of W.

Statement   dL/dW = 0 iff S C^-1 W = W (Eq. 11); with W = U L V^T (SVD) iff S U L = U (sigma2 I + L^2) L (Eq. 12):
            u_j is an eigenvector of S with lam_j = sigma2 + l_j^2 where l_j > 0, and arbitrary where l_j = 0. So
            W = U_q (K_q - sigma2 I)^{1/2} R with R orthogonal, and all of these are stationary.
Hypotheses  sigma2 > 0 fixed; mu at the sample mean.
Source      Lucas et al. 2019, Eqs. 11, 12, App. A; Tipping & Bishop 1999, App. A.
Method      in words, for all n and k: dL/dW = C^-1 (S C^-1 W - W), and (S C^-1 W - W) V (sigma2 I + L^2) =
            S U L - U (sigma2 I + L^2) L. C, V and sigma2 I + L^2 are invertible, so that each vanishes iff the other
            does; L is not inverted, so that zero singular values are included. Blind searches for roots find no
            stationary point of another form.
Trusted     that W = U L V^T exists, U (n, k) with orthonormal columns, L >= 0 diagonal; the rules of verify.symbolic.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs.machinery.checks import agree, check, rejected, same
from proofs.machinery.claims import Claim
from proofs.problems.spectra import SpectralProblem, hard_problems, random_problem, random_rotation
from verify import reference
from verify.arrays import to_numpy
from verify.landscape.roots import CONVERGED, find_roots
from verify.models import ppca as model
from verify.symbolic import ppca
from verify.symbolic.letters import C, M, S, W, gram, k, marginal_precision, n, sigma2
from verify.symbolic.matrix_calculus import defined, identity, inverse, letter
from verify.symbolic.relations import expand, reduce, relation, substitute

CLAIM = Claim(
    id="eq-11-12",
    source="Eqs. 11, 12, App. A",
    statement="stationary iff S C^-1 W = W iff S U L = U (sigma2 I + L^2) L; so W = U_q (K_q - sigma2 I)^{1/2} R",
    hypotheses="sigma2 > 0 fixed; mu at the sample mean",
    section="Probabilistic PCA",
)

U = letter("U", n, k)
L = letter("L", k, k, "diagonal")
V = letter("V", k, k)
K = defined("K", L @ L + sigma2 * identity(k))
SVD = (
    relation(U.T @ U, identity(k)),
    relation(V.T @ V, identity(k)),
    relation(V @ V.T, identity(k)),
    relation(inverse(V), V.T),
    relation(inverse(V).T, V),
    relation(L @ L, K - sigma2 * identity(k)),
)


def in_svd(A):
    """A with W = U L V^T, and M = V K V^T, which it implies (checked below)."""
    return reduce(substitute(A, {"W": U @ L @ V.T, "M": V @ K @ V.T}), *SVD)


def residual():
    """S C^-1 W - W with C^-1 W = W M^-1 (Eq. 11)."""
    return reduce(S @ inverse(C) @ W - W, marginal_precision(), gram)


def eq_12(A):
    """S U L - U A L for A in the place of sigma2 I + L^2."""
    return S @ U @ L - U @ A @ L


@CLAIM.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_gradient_is_c_inverse_times_the_residual_of_eq_11_for_all_n_and_k(record):
    same(ppca.gradient(), inverse(C) @ (S @ inverse(C) @ W - W))
    record()
    record.witness(f"dL/dW = {ppca.gradient()} for all n, k")


@CLAIM.evidence(role="supports", kind="symbolic", strength="proved")
def test_eq_12_is_eq_11_times_an_invertible_matrix_for_all_n_and_k(record):
    same(residual(), S @ W @ inverse(M) - W)
    # M = W^T W + sigma2 I becomes V K V^T.
    same(reduce(V @ L @ U.T @ U @ L @ V.T + sigma2 * identity(k) - V @ K @ V.T, *SVD), 0 * M)
    same(reduce(in_svd(residual()) @ V @ K, *SVD), eq_12(K))
    record(instances=3)


@CLAIM.evidence(role="supports", kind="symbolic", strength="proved")
def test_every_w_of_eigenvectors_is_stationary_for_all_n_and_k(record):
    # Eq. 12 times K^-1 (diagonal factors commute); it says nothing of u_j where l_j = 0.
    eigenvectors = relation(S @ U @ L @ inverse(K), U @ L)
    same(reduce(in_svd(residual()), eigenvectors, *SVD), 0 * W)
    record(instances=1)


@CLAIM.evidence(role="supports", kind="numeric")
def test_the_numpy_gradient_factors_as_eq_11_says(record, thorough, xp):
    rng = np.random.default_rng(11)
    for _ in range(thorough(60, 600)):
        p = random_problem(rng)
        weights = rng.standard_normal((p.n, p.k))
        marginal = weights @ weights.T + p.sigma2 * np.eye(p.n)
        eq_11 = p.S @ np.linalg.solve(marginal, weights) - weights
        actual = model.gradient(xp.asarray(weights), p.sigma2, xp.asarray(p.S))
        # Solving with C loses its condition number, here below 1e3.
        record(worst_error=agree(actual, np.linalg.solve(marginal, eq_11), tolerance=1e-11))
        left, singular, right = np.linalg.svd(weights, full_matrices=False)
        eq_12_residual = p.S @ left * singular - left * (p.sigma2 + singular**2) * singular
        scaled = eq_11 @ right.T * (p.sigma2 + singular**2)
        record(worst_error=agree(scaled, eq_12_residual, tolerance=1e-11))


@CLAIM.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize("spectrum", [(5.0, 3.0, 2.0, 0.7, 0.3), (4.0, 4.0, 2.0, 2.0, 0.0), (3.0, 0.9, 0.9, 0.0, 0.0)])
def test_blind_searches_find_nothing_else(spectrum, record, thorough):
    # sigma2 = 1; S has ties and null directions too.
    rng = np.random.default_rng(12)
    p = SpectralProblem(np.array(spectrum), random_rotation(rng, 5), 3, 1.0)
    S_, s = p.S, p.sigma2
    # Long starts run off to infinity, where the gradient vanishes as well; very short ones all end at W = 0.
    starts = rng.standard_normal((thorough(60, 600), 5, 3)) * rng.uniform(0.1, 0.6, (thorough(60, 600), 1, 1))
    roots = find_roots(lambda w: model.gradient(w, s, S_), lambda w: model.hessian(w, s, S_), starts)
    found = roots.W[roots.status == CONVERGED]
    check(len(found) > len(starts) / 2, f"only {len(found)} of {len(starts)} searches converged")
    for weights in found:
        # |gradient| <= 1e-11, over curvatures of 0.03 and more across the manifolds of roots.
        record(worst_error=agree(_distance_from_eq_12(p, weights), 0.0, tolerance=1e-8))
    ranks = {int((np.linalg.svd(w)[1] > 1e-3).sum()) for w in found}
    check(len(ranks) > 1, f"the searches found points of rank {ranks} only: zero singular values were not met")


def _distance_from_eq_12(p, weights):
    """How far the non-zero part of the SVD is from eigenpairs of S with lam_j = sigma2 + l_j^2."""
    left, singular, _ = np.linalg.svd(weights, full_matrices=False)
    active = singular > 1e-3
    u, eigenvalue = left[:, active], p.sigma2 + singular[active] ** 2
    return np.linalg.norm(p.S @ u - u * eigenvalue) / p.lam[0]


@CLAIM.evidence(role="supports", kind="property")
@given(p=hard_problems(max_n=5), order=st.permutations(range(5)), seed=st.integers(0, 2**32 - 1))
def test_all_points_of_the_form_are_stationary_on_hostile_spectra(p, order, seed, record, xp):
    rng = np.random.default_rng(seed)
    kept = [a for a in order if a < p.n and p.lam[a] > p.sigma2][: p.k]
    R = random_rotation(rng, p.k)[: len(kept)]
    weights = p.U[:, kept] * np.sqrt(p.lam[kept] - p.sigma2) @ R
    gradient = to_numpy(model.gradient(xp.asarray(weights), p.sigma2, xp.asarray(p.S)))
    # C^-1 W is at most 1/(2 sqrt sigma2): the size of the two terms of the gradient that must cancel.
    size = np.sqrt(p.k / p.sigma2)
    record(worst_error=agree(gradient, np.zeros_like(gradient), tolerance=p.rounding, scale=size))


@CLAIM.evidence(role="supports", kind="property")
@given(p=hard_problems(max_n=4), order=st.permutations(range(4)), seed=st.integers(0, 2**32 - 1))
def test_and_their_gradient_vanishes_in_50_digits(p, order, seed, record):
    kept = [a for a in order if a < p.n and p.lam[a] > p.sigma2][: p.k]
    eigenvalues, basis, S_ = p.exactly()
    weights = np.full((p.n, p.k), reference.exact(0.0)[()], dtype=object)
    with reference.precision():
        angle = reference.exact(float(np.random.default_rng(seed).uniform(0, 6)))[()]
        for i, a in enumerate(kept):
            weights[:, i] = basis[:, a] * np.sqrt(eigenvalues[a] - reference.exact(p.sigma2)[()])
        if p.k > 1:
            weights[:, :2] = weights[:, :2] @ _exact_rotation(angle)
        error = np.linalg.norm((reference.gradient(weights, p.sigma2, S_)).astype(float)) * np.sqrt(p.sigma2)
    # Twelve decades of eigenvalues cost up to 24 of the 50 digits.
    record(worst_error=agree(error, 0.0, tolerance=1e-22))


def _exact_rotation(t):
    """A rotation of two columns with 50 digits, by its tangent."""
    cos, sin = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
    return np.array([[cos, -sin], [sin, cos]], dtype=object)


@CLAIM.evidence(role="control", kind="symbolic")
def test_slips_in_the_two_equations_are_rejected():
    with rejected():  # without C^-1 in front, the gradient is another vector
        same(ppca.gradient(), S @ inverse(C) @ W - W)
    with rejected():  # the stationarity of a plain autoencoder, S W = W (W^T W)
        same(residual() @ M, S @ W - W @ W.T @ W)
    transformed = reduce(in_svd(residual()) @ V @ K, *SVD)
    same(transformed, eq_12(K))
    for wrong in (
        sigma2 * identity(k) + L,  # L for L^2
        L @ L,  # without sigma2: the principal axes of PCA
        L @ L - sigma2 * identity(k),
    ):
        with rejected():
            same(expand(transformed, K), expand(eq_12(wrong), K))


@CLAIM.evidence(role="control", kind="numeric")
def test_a_column_that_is_no_eigenvector_is_rejected():
    p = random_problem(np.random.default_rng(14), 5, 2)
    p = SpectralProblem(p.lam, p.U, 2, 0.5 * p.lam[-1])
    good = p.U[:, :2] * np.sqrt(p.lam[:2] - p.sigma2)
    size = np.sqrt(p.k / p.sigma2)
    agree(model.gradient(good, p.sigma2, p.S), np.zeros((5, 2)), tolerance=p.rounding, scale=size)
    mixed = (p.U[:, [0, 1]] + 1e-3 * p.U[:, [2, 3]]) * np.sqrt(p.lam[:2] - p.sigma2)
    unshifted = p.U[:, :2] * np.sqrt(p.lam[:2])  # l_j^2 = lam_j
    for weights in (mixed, unshifted):
        with rejected():
            agree(model.gradient(weights, p.sigma2, p.S), np.zeros((5, 2)), tolerance=p.rounding, scale=size)
        with rejected():
            agree(_distance_from_eq_12(p, weights), 0.0, tolerance=1e-8)
