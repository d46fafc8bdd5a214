"""App. C.2: every rotation is the exponential of B - B^T with a strictly upper triangular B.

Statement   the right singular vectors R of W can be taken with det R = 1 by flipping a column of R and of U; then
            R = exp(B - B^T) with B upper triangular, and exp((B - B^T)/m) = I + (B - B^T)/m + O(1/m^2) is a rotation as
            close to I as one likes, on the way to R.
Hypotheses  R orthogonal (k, k). The diagonal of B cancels, so B can be strictly upper triangular; it is B that is
            triangular, not R (a triangular rotation is diagonal). B is not unique: angles are given up to 2 pi.
Source      Lucas et al. 2019, App. C.2. What the paper concludes from it is refuted: claim theorem-1-path.
Method      constructive. The real Schur form of an orthogonal R is R = Q T Q^T, T of plane rotations by angles t_i and
            entries +-1; det R = 1 leaves an even number of -1, which pair up as rotations by pi. With K of the
            blocks t_i [[0, -1], [1, 0]], exp(K) = T, and Q K^m Q^T = (Q K Q^T)^m term by term, so R = exp(Q K Q^T),
            which is skew, and B is its upper part. In words for all k; the block explicitly; the construction run on
            random and hostile rotations and compared with the exponential at 50 digits.
Trusted     the real Schur form of an orthogonal matrix is block diagonal (spectral theorem for normal matrices);
            det exp(A) = exp(tr A).
"""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm, schur

from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.problems.spectra import random_rotation
from verify import reference
from verify.models import ppca
from verify.symbolic.letters import k, n
from verify.symbolic.matrix_calculus import identity, letter, zero
from verify.symbolic.relations import reduce, relation
from verify.symbolic.traces import Scalar, trace

CLAIM = Claim(
    id="rotation-construction",
    source="App. C.2",
    statement="det R = 1 after flips, and then R = exp(B - B^T) with B strictly upper triangular",
    hypotheses="R orthogonal; B is triangular, not R",
    section="The linear VAE",
)

B, Q, P = letter("B", k, k), letter("Q", k, k), letter("P", k, k)


def flipped_to_a_rotation(U, R):
    """U (n, k) and R (k, k) with the last column of both negated if det R = -1."""
    signs = np.ones(len(R))
    signs[-1] = np.sign(np.linalg.det(R))
    return U * signs, R * signs


def generator(R):
    """A strictly upper triangular B (k, k) with R = exp(B - B^T), for R orthogonal with det R = 1."""
    T, Q = schur(R, output="real")
    K = np.zeros_like(T)
    halves, i = [], 0  # halves: where T has a -1 by itself
    while i < len(T):
        if i + 1 < len(T) and T[i + 1, i] != 0:
            K[i + 1, i] = np.arctan2(T[i + 1, i] - T[i, i + 1], T[i, i] + T[i + 1, i + 1])
            i += 2
        else:
            halves += [i] if T[i, i] < 0 else []
            i += 1
    for a, b in zip(halves[::2], halves[1::2], strict=True):  # an odd number of them would mean det R = -1
        K[b, a] = np.pi
    A = Q @ (K - K.T) @ Q.T
    return np.triu(A, 1)


def check_generates(B, R, tolerance=1e-13):
    """B is strictly upper triangular and exp(B - B^T) = R; at 50 digits, so that no error of expm hides one of B."""
    same(np.count_nonzero(np.tril(B)), 0)
    with reference.precision():
        A = reference.mpmath.matrix(B.tolist())
        found = np.array(reference.mpmath.expm(A - A.T).tolist(), dtype=float)
    # R is orthogonal to rounding, and so is Q of its Schur form; B has entries up to pi.
    return agree(found, R, tolerance=tolerance)


def rotation_by(angles, odd, Q):
    """Q (blocks of plane rotations by these angles, and a 1 if odd) Q^T."""
    blocks = [np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) for t in angles]
    T = np.eye(2 * len(angles) + odd)
    for i, block in enumerate(blocks):
        T[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = block
    return Q @ T @ Q.T


@CLAIM.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_flip_of_both_factors_leaves_w_and_changes_the_sign_of_det(record):
    """W = U L R^T = (U J)(L)(R J)^T with J = diag(+-1), J^2 = I; and W R = U L has orthogonal columns."""
    U, L, R, J = letter("U", n, k), letter("L", k, k, "diagonal"), letter("R", k, k), letter("J", k, k, "diagonal")
    same(reduce(U @ J @ L @ (R @ J).T, relation(J @ J, identity(k))), U @ L @ R.T)
    same(reduce(R @ J @ (R @ J).T, relation(J @ J, identity(k)), relation(R @ R.T, identity(k))), identity(k))
    turned = reduce(U @ L @ R.T @ R, relation(R.T @ R, identity(k)))
    same(reduce(turned.T @ turned, relation(U.T @ U, identity(k))), L @ L)
    explicit = sp.Matrix(3, 3, lambda i, j: sp.Symbol(f"r{i}{j}"))
    vanishes((explicit * sp.diag(1, 1, -1)).det().expand() + explicit.det().expand())
    record(instances=4)


@CLAIM.evidence(role="supports", kind="symbolic", strength="proved")
def test_b_less_its_transpose_is_skew_and_only_its_triangle_matters(record):
    """(B - B^T)^T = -(B - B^T), of trace 0, so that det exp = 1; a diagonal part of B would cancel."""
    A = B - B.T
    same(A.T, -A)
    same(trace(A), Scalar(0))
    G = letter("G", k, k, "diagonal")
    same((B + G) - (B + G).T, A)
    turned = Q @ A @ Q.T
    same(turned.T, -turned)
    # exp(A)^T = exp(A^T) = exp(-A): of order m the terms agree, (A^m)^T = (-1)^m A^m, by one step from m to m + 1.
    same((A @ A).T, A @ A)
    same((A @ A @ A).T, -(A @ A @ A))
    record(instances=6)


@CLAIM.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_exponential_of_the_turned_generator_is_the_turned_exponential(record):
    """With P = K^m: (Q P Q^T)(Q K Q^T) = Q (P K) Q^T, from m to m + 1 for every m, so for the whole series."""
    K = letter("K", k, k)
    orthogonal = relation(Q.T @ Q, identity(k))
    same(reduce((Q @ P @ Q.T) @ (Q @ K @ Q.T), orthogonal), Q @ P @ K @ Q.T)
    record(instances=1)


@CLAIM.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_plane_rotation_is_the_exponential_of_its_angle(record):
    """J^2 = -I, so exp(t J) = cos t I + sin t J, rotation by t; t = pi is diag(-1, -1), which pairs two -1."""
    t, m = sp.Symbol("t", real=True), sp.Symbol("m", integer=True, nonnegative=True)
    J = sp.Matrix([[0, -1], [1, 0]])
    vanishes(J * J + sp.eye(2))
    even = sp.summation((-1) ** m * t ** (2 * m) / sp.factorial(2 * m), (m, 0, sp.oo))
    odd = sp.summation((-1) ** m * t ** (2 * m + 1) / sp.factorial(2 * m + 1), (m, 0, sp.oo))
    rotation = sp.Matrix([[sp.cos(t), -sp.sin(t)], [sp.sin(t), sp.cos(t)]])
    vanishes((even * sp.eye(2) + odd * J - rotation).applyfunc(sp.simplify))
    vanishes(rotation.subs(t, sp.pi) + sp.eye(2))
    record(instances=3)
    record.witness("exp(t [[0, -1], [1, 0]]) is the rotation by t; B = [[0, -t], [0, 0]]")


@CLAIM.evidence(role="supports", kind="symbolic")
def test_three_latents_in_closed_form(record):
    """A cyclic permutation of three axes, a rotation by 2 pi/3: B has the entries -+2 pi/(3 sqrt 3). Explicit 3 x 3."""
    R = sp.Matrix([[0, 0, 1], [1, 0, 0], [0, 1, 0]])
    A = (2 * sp.pi / (3 * sp.sqrt(3))) * (R - R.T)
    # Rodrigues: (R - R^T)/sqrt 3 =: K has K^3 = -K, so exp(t K) = I + sin t K + (1 - cos t) K^2.
    K, t = (R - R.T) / sp.sqrt(3), 2 * sp.pi / 3
    vanishes(K**3 + K)
    vanishes(A - t * K)
    vanishes((sp.eye(3) + sp.sin(t) * K + (1 - sp.cos(t)) * K * K - R).applyfunc(sp.simplify))
    b = 2 * np.pi / (3 * np.sqrt(3))
    upper = np.array([[0, -b, b], [0, 0, -b], [0, 0, 0]])
    record(worst_error=check_generates(upper, np.array(R.tolist(), dtype=float)))
    record.witness(f"R: axes 1 to 2 to 3 to 1. B = [[0, -b, b], [0, 0, -b], [0, 0, 0]], b = 2 pi/(3 sqrt 3) = {b:.6f}")


@CLAIM.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 8])
def test_the_construction_on_random_decoders(size, record, thorough):
    """From W alone: its singular vectors, flipped, and the B of their rotation; W R has orthogonal columns, L stays."""
    rng = np.random.default_rng(111 + size)
    for _ in range(thorough(8, 80)):
        W = rng.standard_normal((size + 2, size))
        U, L, Rt = np.linalg.svd(W, full_matrices=False)
        U, R = flipped_to_a_rotation(U, Rt.T)
        agree((U * L) @ R.T, W, tolerance=1e-13)
        record(worst_error=check_generates(generator(R), R))
        gram = (W @ R).T @ (W @ R)
        agree(gram, np.diag(L**2), tolerance=1e-13)
        S = np.cov(rng.standard_normal((size + 2, 20)))
        agree(ppca.log_likelihood(W @ R, 0.5, S), ppca.log_likelihood(W, 0.5, S), tolerance=1e-12)


HOSTILE = st.sampled_from([0.0, np.pi, -np.pi, np.pi / 2, 1e-9, -1e-9, np.pi - 1e-9, np.pi - 1e-15, 1e-200])


@CLAIM.evidence(role="supports", kind="property")
@given(
    angles=st.lists(st.one_of(HOSTILE, st.floats(-np.pi, np.pi)), min_size=1, max_size=3),
    odd=st.integers(0, 1),
    seed=st.integers(0, 2**32 - 1),
    plain=st.booleans(),
)
def test_hostile_angles(angles, odd, seed, plain, record):
    """Repeated angles, no turn, half turns, and angles a rounding away from them, in any basis."""
    size = 2 * len(angles) + odd
    Q = np.eye(size) if plain else random_rotation(np.random.default_rng(seed), size)
    R = rotation_by(angles, odd, Q)
    found = generator(R)
    # Beside a half turn eigenvalues come in clusters, and Schur's blocks are orthogonal to rounding all the same.
    record(worst_error=check_generates(found, R))
    at_most(np.linalg.norm(found - found.T, 2), np.pi, slack=1e-12)


@CLAIM.evidence(role="supports", kind="property")
@given(
    order=st.permutations(range(5)),
    signs=st.lists(st.sampled_from([1.0, -1.0]), min_size=5, max_size=5),
)
def test_signed_permutations(order, signs, record):
    """What R is at orthogonal columns: after a flip of the last column each has a B."""
    R = np.eye(5)[:, list(order)] * np.array(signs)
    _, R = flipped_to_a_rotation(np.zeros((5, 5)), R)
    check(np.linalg.det(R) > 0, "the flip leaves det R = -1")
    record(worst_error=check_generates(generator(R), R))


@CLAIM.evidence(role="supports", kind="numeric")
def test_small_steps_are_rotations_near_the_identity_and_lead_to_r(record, thorough):
    rng = np.random.default_rng(112)
    for _ in range(thorough(20, 200)):
        _, R = flipped_to_a_rotation(np.zeros((4, 4)), random_rotation(rng, 4))
        found = generator(R)
        A = found - found.T
        for m in (1, 10, 1000):
            step = expm(A / m)
            size = np.linalg.norm(A, 2) / m
            agree(step.T @ step, np.eye(4), tolerance=1e-13)
            # Taylor: |exp(X) - I - X| <= |X|^2/2 for a skew X; and m steps are R.
            at_most(np.linalg.norm(step - np.eye(4) - A / m, 2), size**2 / 2, slack=1e-14)
            at_most(np.abs(found / m).max(), size, slack=1e-14)
            record(worst_error=agree(np.linalg.matrix_power(step, m), R, tolerance=1e-11))


@CLAIM.evidence(role="control", kind="numeric")
def test_a_reflection_has_no_generator_and_is_rejected():
    """det exp(A) = 1 for every skew A: whatever B, the distance to a reflection stays at least 2."""
    rng = np.random.default_rng(113)
    for size in (2, 3, 4):
        _, R = flipped_to_a_rotation(np.zeros((size, size)), random_rotation(rng, size))
        R[:, 0] *= -1
        for B in (np.triu(rng.standard_normal((size, size)), 1), generator(R * ([-1] + [1] * (size - 1)))):
            with rejected():
                check_generates(B, R, tolerance=0.1)


@CLAIM.evidence(role="control", kind="numeric")
def test_a_triangular_r_and_other_exponentials_are_rejected():
    """R itself is not triangular; exp(B) and exp(B + B^T) are no rotations; B^T in place of B turns the other way."""
    R = rotation_by([0.7, 2.0], 1, random_rotation(np.random.default_rng(114), 5))
    B = generator(R)
    with rejected():
        same(np.count_nonzero(np.abs(np.tril(R, -1)) > 1e-12), 0)
    for wrong in (expm(B), expm(B + B.T), R.T):
        with rejected():
            agree(wrong, R, tolerance=1e-3)
    for wrong in (B.T, 1.001 * B, -B):
        with rejected():
            check_generates(wrong, R)
    # The same exponent from a matrix that is not upper triangular, or not strictly.
    for wrong in ((B - B.T) / 2, B + np.eye(5)):
        agree(wrong - wrong.T, B - B.T, tolerance=1e-15)
        with rejected():
            check_generates(wrong, R)


@CLAIM.evidence(role="control", kind="symbolic")
def test_slips_in_words_are_rejected():
    with rejected():
        same((B + B.T).T, -(B + B.T))
    with rejected():  # one flip alone
        same(letter("U", n, k) @ letter("J", k, k, "diagonal"), letter("U", n, k))
    with rejected():  # a generator that is turned on one side only
        same((Q @ (B - B.T)).T + Q @ (B - B.T), zero(k, k))
