"""Eqs. 11 and 12: the stationarity of pPCA, and what it says of the singular value decomposition of W.

Statement   dL/dW = 0 iff S C^-1 W = W (Eq. 11); with W = U L V^T (SVD) iff S U L = U (sigma2 I + L^2) L (Eq. 12):
            u_j is an eigenvector of S with lam_j = sigma2 + l_j^2 where l_j > 0, and arbitrary where l_j = 0. So
            W = U_q (K_q - sigma2 I)^{1/2} R with R orthogonal, and all of these are stationary.
Hypotheses  sigma2 > 0 fixed; mu at the sample mean.
Source      Lucas et al. 2019, Eqs. 11, 12, App. A; Tipping & Bishop 1999, App. A.
Method      in words, for all n and k, k > n as well: the gradient is C^-1 times the residual of Eq. 11; that is Eq. 12
            times (sigma2 I + L^2)^-1 V^T, where L may have zeros; without these Eq. 12 is S U = U Lam; and back.
            Blind searches for roots find no stationary point of another form.
"""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.machinery.checks import agree, check, rejected, same
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.spectra import SpectralProblem, hard_problems, random_problem, random_rotation
from verify import reference
from verify.arrays import to_numpy
from verify.landscape.roots import CONVERGED, find_roots
from verify.models import ppca as model
from verify.symbolic import ppca
from verify.symbolic.letters import C, M, S, W, gram, k, marginal_precision, n, sigma2, woodbury
from verify.symbolic.matrix_calculus import defined, identity, inverse, letter, zero
from verify.symbolic.relations import expand, reduce, relation, substitute

CLAIM = Claim(
    id="eq-11-12",
    source="Eqs. 11, 12, App. A",
    statement="stationary iff S C^-1 W = W iff S U L = U (sigma2 I + L^2) L; so W = U_q (K_q - sigma2 I)^{1/2} R",
    hypotheses="sigma2 > 0 fixed; mu at the sample mean",
    section="Probabilistic PCA",
    trusts=("jacobi", "svd"),
)
GRADIENT = CLAIM.step(
    "gradient",
    "dL/dW = C^-1 (S C^-1 W - W), by Jacobi, with C invertible, so it vanishes iff Eq. 11 holds; for all n and k",
    says="(gradient_vanishes & eq_11) | (~gradient_vanishes & ~eq_11) | ~jacobi",
    place="Proposition 1",
)
EQ_12 = CLAIM.step(
    "eq-12",
    "at W = U L V^T, U and V with m = min(n, k) orthonormal columns, the residual of Eq. 11 is [S U L - U (sigma2 I + "
    "L^2) L] (sigma2 I + L^2)^-1 V^T, so Eq. 11 holds iff Eq. 12 does, zero singular values included; for all n and k",
    says="svd & eq_11 -> eq_12",
    place="Proposition 2",
)
EIGENVECTORS = CLAIM.step(
    "eigenvectors",
    "without the columns where l_j = 0, which W does not contain, Eq. 12 says S U = U (sigma2 I + L^2): W is "
    "U_A (Lam_A - sigma2 I)^{1/2} R with q <= k orthonormal eigenvectors, all lam_a > sigma2, and orthonormal rows R; "
    "or every l_j = 0 and W = 0, which is this form with q = 0",
    says="svd & eq_12 -> of_the_form",
    place="Proposition 2",
)
CONVERSE = CLAIM.step(
    "converse",
    "every W of this form satisfies Eq. 11, whatever the set A, q and R, W = 0 (q = 0) included; for all n and k",
    says="of_the_form -> eq_11",
    place="Proposition 2",
)
CONCLUSION = CLAIM.step("conclusion", "so the stationary points are exactly the W of this form", place="Proposition 2")

m = sp.Symbol("m", integer=True, positive=True)  # min(n, k)
U = letter("U", n, m)
L = letter("L", m, m, "diagonal")
V = letter("V", k, m)
K = defined("K", L @ L + sigma2 * identity(m))
SVD = (
    relation(U.T @ U, identity(m)),
    relation(V.T @ V, identity(m)),
    relation(L @ L, K - sigma2 * identity(m)),
)


N = letter("N", k, k, "symmetric")  # M at this W


def in_svd(A):
    """A with W = U L V^T, and M V = V K, which it implies (checked below), so that V^T M^-1 = K^-1 V^T."""
    at = substitute(A, {"W": U @ L @ V.T, "M": N})
    return reduce(at, *SVD, relation(V.T @ inverse(N), inverse(K) @ V.T))


def residual():
    """S C^-1 W - W with C^-1 W = W M^-1 (Eq. 11)."""
    return reduce(S @ inverse(C) @ W - W, marginal_precision(), gram)


def eq_12(A):
    """S U L - U A L for A in the place of sigma2 I + L^2."""
    return S @ U @ L - U @ A @ L


@GRADIENT.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_gradient_is_c_inverse_times_the_residual_of_eq_11_for_all_n_and_k(record):
    same(ppca.gradient(), inverse(C) @ (S @ inverse(C) @ W - W))
    # C has the inverse that C^-1 stands for.
    same(reduce(expand(C, C) @ woodbury(), gram), identity(n))
    record(instances=2)
    record.witness(f"dL/dW = {ppca.gradient()} for all n, k")


@EQ_12.evidence(role="supports", kind="symbolic", strength="proved")
def test_eq_12_is_eq_11_times_an_invertible_matrix_for_all_n_and_k(record):
    same(residual(), S @ W @ inverse(M) - W)
    # M = W^T W + sigma2 I has M V = V K.
    same(reduce((V @ L @ U.T @ U @ L @ V.T + sigma2 * identity(k)) @ V - V @ K, *SVD), 0 * V)
    same(in_svd(residual()), eq_12(K) @ inverse(K) @ V.T)
    # And back: times V K it is Eq. 12 itself.
    same(reduce(eq_12(K) @ inverse(K) @ V.T @ V @ K, *SVD), eq_12(K))
    record(instances=4)


# The columns with l_j > 0: L = P T P^T with T (q, q) > 0, and P (m, q) the coordinate vectors of these columns.
q = sp.Symbol("q", integer=True, positive=True)
P, T = letter("P", m, q), letter("T", q, q, "diagonal")
POSITIVE = (relation(P.T @ P, identity(q)), *SVD[:2])


def on_the_positive_columns(A):
    """A with L = P T P^T."""
    return reduce(substitute(A, {"L": P @ T @ P.T}), *POSITIVE)


def lam(noise=sigma2):
    """Lam_A: T^2 + sigma2 I."""
    return T @ T + noise * identity(q)


@EIGENVECTORS.evidence(role="supports", kind="symbolic", strength="proved")
def test_without_zero_singular_values_eq_12_says_that_u_is_of_eigenvectors_for_all_n_k_and_q(record):
    kept, R = U @ P, P.T @ V.T
    # Nothing of W is lost, and what is kept has orthonormal columns and rows.
    same(on_the_positive_columns(U @ L @ V.T), kept @ T @ R)
    same(on_the_positive_columns(kept.T @ kept), identity(q))
    same(on_the_positive_columns(R @ R.T), identity(q))
    # Eq. 12 times P T^-1, T > 0: S U_A = U_A (T^2 + sigma2 I), eigenvalues above sigma2 because T > 0.
    found = on_the_positive_columns(eq_12(sigma2 * identity(m) + L @ L)) @ P @ inverse(T)
    same(reduce(found, *POSITIVE), S @ kept - kept @ lam())
    for wrong in (lam(0 * sigma2), lam(-sigma2), lam() + T):
        with rejected():
            same(reduce(found, *POSITIVE), S @ kept - kept @ wrong)
    # Where no column is left, W = 0.
    same(substitute(U @ L @ V.T, {"L": zero(m, m)}), zero(n, k))
    record(instances=5)


@CONVERSE.evidence(role="supports", kind="symbolic", strength="proved")
def test_every_w_of_eigenvectors_is_stationary_for_all_n_k_and_q(record):
    A, R = letter("A", n, q), letter("R", q, k)  # A: U_A

    def at_form(word, spectrum):
        rules = relation(A.T @ A, identity(q)), relation(R @ R.T, identity(q)), relation(S @ A, A @ spectrum)
        return reduce(substitute(word, {"W": A @ T @ R}), *rules)

    # Eq. 11 is S W = W M, for C W = W M and both are invertible.
    same(reduce(residual() @ M, gram), S @ W - W @ M)
    eq_11 = S @ W - W @ expand(M, M)
    same(at_form(eq_11, lam()), 0 * W)
    for wrong in (lam(-sigma2), T @ T, lam(2 * sigma2)):
        with rejected():
            same(at_form(eq_11, wrong), 0 * W)
    same(substitute(eq_11, {"W": zero(n, k)}), 0 * W)  # q = 0
    record(instances=3)


USED = {"jacobi": "jacobi", "svd": "svd"}


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_stationary_points_are_those_of_the_form(record):
    record(instances=concludes(CLAIM, "gradient_vanishes <-> of_the_form", USED))
    with rejected():  # every W is of the form
        concludes(CLAIM, "svd -> of_the_form", USED)
    with rejected():  # the decomposition is needed
        concludes(CLAIM, "gradient_vanishes <-> of_the_form", {**USED, "svd": "~svd | svd"})


@GRADIENT.evidence(role="supports", kind="numeric")
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


@EIGENVECTORS.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize("spectrum", [(5.0, 3.0, 2.0, 0.7, 0.3), (4.0, 4.0, 2.0, 2.0, 0.0), (3.0, 0.9, 0.9, 0.0, 0.0)])
def test_blind_searches_find_nothing_else(spectrum, record, thorough):
    # sigma2 = 1; S has ties and null directions too.
    rng = np.random.default_rng(12)
    p = SpectralProblem(np.array(spectrum), random_rotation(rng, 5), 3, 1.0)
    S_, s = p.S, p.sigma2
    # Long starts run off to infinity, where the gradient vanishes as well; very short ones all end at W = 0.
    starts = rng.standard_normal((thorough(60, 600), 5, 3)) * rng.uniform(0.1, 0.6, (thorough(60, 600), 1, 1))

    def search(starts):
        roots = find_roots(lambda w: model.gradient(w, s, S_), lambda w: model.hessian(w, s, S_), starts)
        found = roots.W[roots.status == CONVERGED]
        check(len(found) > len(starts) / 2, f"only {len(found)} of {len(starts)} searches converged")
        return found

    found = search(starts)
    for weights in found:
        # |gradient| <= 1e-11, over curvatures of 0.03 and more across the manifolds of roots.
        record(worst_error=agree(_distance_from_eq_12(p, weights), 0.0, tolerance=1e-8))
    check_ranks(found)
    with rejected():  # from far away
        search(100 * starts[:12])
    with rejected():  # from beside W = 0, to which they all go
        check_ranks(search(1e-3 * starts[:12]))


def check_ranks(found):
    ranks = {int((np.linalg.svd(w)[1] > 1e-3).sum()) for w in found}
    check(len(ranks) > 1, f"the searches found points of rank {ranks} only: zero singular values were not met")


def _distance_from_eq_12(p, weights):
    """How far the non-zero part of the SVD is from eigenpairs of S with lam_j = sigma2 + l_j^2."""
    left, singular, _ = np.linalg.svd(weights, full_matrices=False)
    active = singular > 1e-3
    u, eigenvalue = left[:, active], p.sigma2 + singular[active] ** 2
    return np.linalg.norm(p.S @ u - u * eigenvalue) / p.lam[0]


@CONVERSE.evidence(role="supports", kind="property")
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


@CONVERSE.evidence(role="supports", kind="property")
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


@GRADIENT.evidence(role="control", kind="symbolic")
def test_slips_in_the_gradient_are_rejected():
    with rejected():  # without C^-1 in front, the gradient is another vector
        same(ppca.gradient(), S @ inverse(C) @ W - W)
    with rejected():  # C^-1 for I in the second term: that of S C^-1 W = C W
        same(ppca.gradient(), inverse(C) @ (S @ inverse(C) @ W - C @ W))
    with rejected():  # the determinant's term with the sign of the other
        same(ppca.gradient(), inverse(C) @ (S @ inverse(C) @ W + W))


@EQ_12.evidence(role="control", kind="symbolic")
def test_slips_in_eq_12_are_rejected():
    with rejected():  # the stationarity of a plain autoencoder, S W = W (W^T W)
        same(residual() @ M, S @ W - W @ W.T @ W)
    transformed = reduce(in_svd(residual()) @ V @ K, *SVD)
    with rejected():  # another factor than (sigma2 I + L^2)^-1 V^T
        same(in_svd(residual()), eq_12(K) @ V.T / sigma2)
    same(transformed, eq_12(K))
    for wrong in (
        sigma2 * identity(m) + L,  # L for L^2
        L @ L,  # without sigma2: the principal axes of PCA
        L @ L - sigma2 * identity(m),
    ):
        with rejected():
            same(expand(transformed, K), expand(eq_12(wrong), K))


@CONVERSE.evidence(role="control", kind="numeric")
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
