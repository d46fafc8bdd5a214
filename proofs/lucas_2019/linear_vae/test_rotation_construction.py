"""App. C.2: every rotation is the exponential of B - B^T with a strictly upper triangular B.

Statement   the right singular vectors R of W can be taken with det R = 1 by flipping a column of R and of U; then
            R = exp(B - B^T) with B upper triangular, and exp((B - B^T)/N) = I + (B - B^T)/N + O(1/N^2) is a rotation
            as close to I as one likes, on the way to R.
Hypotheses  R orthogonal (k, k). The diagonal of B cancels, so B can be strictly upper triangular; it is B that is
            triangular, not R (a triangular rotation is diagonal). B is not unique: angles are given up to 2 pi.
Source      Lucas et al. 2019, App. C.2. What the paper concludes from it: claim theorem-1-path.
Method      constructive, for all k. The real Schur form of an orthogonal R is R = Q T Q^T, T of plane rotations by
            angles t_i and entries +-1; det R = 1 leaves an even number of -1, which pair up as rotations by pi. With K
            of the blocks t_i [[0, -1], [1, 0]], exp(K) = T, and Q K^m Q^T = (Q K Q^T)^m term by term, so that
            R = exp(Q K Q^T), which is skew, and B is its upper part. Beside it: the construction run on random and
            hostile rotations and compared with the exponential at 50 digits.
"""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from proofs.lucas_2019.linear_vae.rotations import flipped_to_a_rotation, generator
from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
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
    trusts=("real-schur",),
)
FLIP = CLAIM.step(
    "flip",
    "negating the same column of U and R leaves W = U L R^T and negates det R; W R = U L has orthogonal columns, "
    "for all n and k <= n",
    says="svd -> det_one",
    place="The paper's path",
)
PAIRS = CLAIM.step(
    "pairs",
    "det T is 1 iff the entries -1 of the Schur form are even in number; two of them are a plane rotation by pi: so T "
    "consists of plane rotations and ones",
    says="det_one & schur_form -> plane_rotations",
    place="The paper's path",
)
EXPONENTIAL = CLAIM.step(
    "exponential",
    "a plane rotation by t is exp(t [[0, -1], [1, 0]]), and Q exp(K) Q^T = exp(Q K Q^T), for all k: so R = exp(A) "
    "with a skew A",
    says="plane_rotations -> exponential_of_skew",
    place="The paper's path",
)
TRIANGLE = CLAIM.step(
    "triangle",
    "every skew A is B - B^T with B its part above the diagonal, for all k; a diagonal part of B would cancel",
    says="exponential_of_skew -> generated",
    place="The paper's path",
)
SMALL = CLAIM.step(
    "small",
    "exp(A/N) is a rotation, exp(A/N)^N = exp(A), and |exp(A/N) - I - A/N| <= |A|^2/(2 N^2) in the spectral norm, "
    "for all k",
    says="generated -> small_steps",
    place="The paper's path",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "so App. C.2 constructs what it says: R = exp(B - B^T), and rotations arbitrarily close to I on the way to it",
    place="The paper's path",
)

B, Q, P = letter("B", k, k), letter("Q", k, k), letter("P", k, k)


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


@FLIP.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_flip_of_both_factors_leaves_w_and_changes_the_sign_of_det(record):
    """W = U L R^T = (U J)(L)(R J)^T with J = diag(1, ..., 1, -1), J^2 = I; and W R = U L has orthogonal columns."""
    U, L, R, J = letter("U", n, k), letter("L", k, k, "diagonal"), letter("R", k, k), letter("J", k, k, "diagonal")
    square = relation(J @ J, identity(k))
    same(reduce(U @ J @ L @ (R @ J).T, square), U @ L @ R.T)
    same(reduce(R @ J @ (R @ J).T, square, relation(R @ R.T, identity(k))), identity(k))
    turned = reduce(U @ L @ R.T @ R, relation(R.T @ R, identity(k)))
    same(reduce(turned.T @ turned, relation(U.T @ U, identity(k))), L @ L)
    any_R, any_J = (sp.MatrixSymbol(name, k, k) for name in "RJ")
    product = sp.Determinant(any_R * any_J).doit()
    same(product, sp.Determinant(any_R) * sp.Determinant(any_J))  # and det J = -1
    with rejected():  # one flip alone
        same(reduce(U @ J @ L @ R.T, square), U @ L @ R.T)
    record(instances=4)


@PAIRS.evidence(role="supports", kind="symbolic", strength="proved")
def test_an_even_number_of_minus_ones_are_half_turns(record):
    """det R = det Q det T det Q^T = det T, and det T = (-1)^j: plane rotations have det 1."""
    t, j = sp.Symbol("t", real=True), sp.Symbol("j", integer=True, nonnegative=True)
    vanishes(plane(t).det() - 1)
    vanishes(plane(sp.pi) + sp.eye(2))
    vanishes((-1) ** (2 * j) - 1)
    vanishes((-1) ** (2 * j + 1) + 1)
    Q_, T_ = (sp.MatrixSymbol(name, k, k) for name in "QT")
    whole = sp.Determinant(Q_ * T_ * Q_.T).doit()
    same(whole, sp.Determinant(Q_) * sp.Determinant(T_) * sp.Determinant(Q_.T))  # det Q = +-1, and so det Q^T
    with rejected():  # a single -1 is a reflection, no rotation of a plane
        vanishes(sp.diag(1, -1).det() - 1)
    record(instances=4)


def plane(t):
    return sp.Matrix([[sp.cos(t), -sp.sin(t)], [sp.sin(t), sp.cos(t)]])


def check_is_exponential(J, t, expected):
    """exp(t J) for J^2 = -I: the even terms of the series sum to cos t, the odd ones to sin t."""
    m = sp.Symbol("m", integer=True, nonnegative=True)
    vanishes(J * J + sp.eye(2))
    even = sp.summation((-1) ** m * t ** (2 * m) / sp.factorial(2 * m), (m, 0, sp.oo))
    odd = sp.summation((-1) ** m * t ** (2 * m + 1) / sp.factorial(2 * m + 1), (m, 0, sp.oo))
    vanishes((even * sp.eye(2) + odd * J - expected).applyfunc(sp.simplify))


@EXPONENTIAL.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_rotation_is_the_exponential_of_its_angles_in_any_basis(record):
    """J = [[0, -1], [1, 0]] has J^2 = -I.  With P = K^m, (Q P Q^T)(Q K Q^T) = Q (P K) Q^T: from m to m + 1, for all m.

    So for the whole series."""
    t, J = sp.Symbol("t", real=True), sp.Matrix([[0, -1], [1, 0]])
    check_is_exponential(J, t, plane(t))
    K = letter("K", k, k)
    orthogonal = relation(Q.T @ Q, identity(k))
    same(reduce((Q @ P @ Q.T) @ (Q @ K @ Q.T), orthogonal), Q @ P @ K @ Q.T)
    skew = K - K.T
    same((Q @ skew @ Q.T).T, -(Q @ skew @ Q.T))
    with rejected():  # the other way round
        check_is_exponential(J.T, t, plane(t))
    with rejected():
        check_is_exponential(sp.Matrix([[0, 1], [1, 0]]), t, plane(t))
    with rejected():  # Q not orthogonal
        same((Q @ P @ Q.T) @ (Q @ K @ Q.T), Q @ P @ K @ Q.T)
    with rejected():  # a generator that is turned on one side only
        same((Q @ skew).T + Q @ skew, zero(k, k))
    record(instances=3)
    record.witness("exp(t [[0, -1], [1, 0]]) is the rotation by t; B = [[0, -t], [0, 0]]")


@TRIANGLE.evidence(role="supports", kind="symbolic", strength="proved")
def test_b_less_its_transpose_is_skew_and_only_its_triangle_matters(record):
    """A_ij for i < j, 0 elsewhere: (B - B^T)_ij is A_ij above, -A_ji = A_ij below the diagonal, and 0 = A_ii on it."""
    A = B - B.T
    same(A.T, -A)
    same(trace(A), Scalar(0))  # det exp(A) = 1
    G = letter("G", k, k, "diagonal")
    same((B + G) - (B + G).T, A)
    i, j = sp.symbols("i j", integer=True)
    skew, upper = sp.Function("A"), lambda i, j: sp.Piecewise((sp.Function("A")(i, j), i < j), (0, True))
    for above in (True, False):
        place = {j: i + sp.Symbol("d", positive=True, integer=True)} if above else {}
        place = place or {i: j + sp.Symbol("d", positive=True, integer=True)}
        entry = (upper(i, j) - upper(j, i)).subs(place)
        same(sp.simplify(entry), (skew(i, j) if above else -skew(j, i)).subs(place))
    same((upper(i, j) - upper(j, i)).subs(j, i), 0)
    with rejected():
        same((B + B.T).T, -(B + B.T))
    with rejected():  # a diagonal of A would be lost, and skew matrices have none
        same((B + G) - (B - G).T, A)
    record(instances=6)


@SMALL.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_small_step_is_a_rotation_within_the_square_of_its_size(record):
    """In each plane of the Schur form: rotation by x = t/N, N of which are rotation by t; |A| is the largest t.

    exp(i x) - 1 - i x is -int_0^x (x - u) exp(i u) du, at most int_0^x (x - u) du = x^2/2."""
    a, b = sp.symbols("a b", real=True)
    vanishes((plane(a) * plane(b) - plane(a + b)).applyfunc(sp.simplify))
    vanishes((plane(a).T * plane(a) - sp.eye(2)).applyfunc(sp.simplify))
    x, u = sp.symbols("x u", positive=True)
    for part, value in ((sp.cos, sp.cos(x) - 1), (sp.sin, sp.sin(x) - x)):
        vanishes(sp.integrate((x - u) * part(u), (u, 0, x)) + value)
    vanishes(sp.integrate(x - u, (u, 0, x)) - x**2 / 2)
    # The plane matrix rotation - I - x J is that complex number: its squared norm is (cos x - 1)^2 + (sin x - x)^2.
    rest = plane(x) - sp.eye(2) - x * sp.Matrix([[0, -1], [1, 0]])
    norm = (sp.cos(x) - 1) ** 2 + (sp.sin(x) - x) ** 2
    vanishes((rest.T * rest - norm * sp.eye(2)).applyfunc(sp.simplify))
    with rejected():
        vanishes((plane(a) * plane(b) - plane(a - b)).applyfunc(sp.simplify))
    with rejected():
        vanishes(sp.integrate((x - u) * sp.cos(u), (u, 0, x)) - (sp.cos(x) - 1))
    record(instances=5)


USED = {"real-schur": "schur_form"}


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_give_the_construction(record):
    count = concludes(CLAIM, "svd -> generated & small_steps", USED)
    with rejected():
        concludes(CLAIM, "schur_form -> generated", USED)
    record(instances=count)


@CONCLUSION.evidence(role="supports", kind="symbolic")
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


@CONCLUSION.evidence(role="supports", kind="numeric")
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


@EXPONENTIAL.evidence(role="supports", kind="property")
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


@PAIRS.evidence(role="supports", kind="property")
@given(
    order=st.permutations(range(5)),
    signs=st.lists(st.sampled_from([1.0, -1.0]), min_size=5, max_size=5),
)
def test_signed_permutations(order, signs, record):
    """What R is at orthogonal columns: after a flip of the last column each has a B."""
    R = np.eye(5)[:, list(order)] * np.array(signs)
    _, R = flipped_to_a_rotation(np.zeros((5, 5)), R)
    check_no_reflection(R)
    record(worst_error=check_generates(generator(R), R))


def check_no_reflection(R):
    check(np.linalg.det(R) > 0, "the flip leaves det R = -1")


@SMALL.evidence(role="supports", kind="numeric")
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
        with rejected():  # of the smallest step: what is left without the term of first order is no square
            at_most(np.linalg.norm(step - np.eye(4), 2), size**2 / 2, slack=1e-14)


@PAIRS.evidence(role="control", kind="numeric")
def test_a_reflection_has_no_generator_and_is_rejected():
    """det exp(A) = 1 for every skew A: whatever B, the distance to a reflection stays at least 2."""
    rng = np.random.default_rng(113)
    for size in (2, 3, 4):
        _, R = flipped_to_a_rotation(np.zeros((size, size)), random_rotation(rng, size))
        R[:, 0] *= -1
        with rejected():
            check_no_reflection(R)
        for B in (np.triu(rng.standard_normal((size, size)), 1), generator(R * ([-1] + [1] * (size - 1)))):
            with rejected():
                check_generates(B, R, tolerance=0.1)


@TRIANGLE.evidence(role="control", kind="numeric")
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
