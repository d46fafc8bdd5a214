"""Hadamard's inequality, and Schur and Horn's theorem on the diagonals that eigenvalues allow.

Method     Hadamard: with E = diag(M) and z_i the eigenvalues of E^{-1/2} M E^{-1/2}, tr = n and
           log prod M_ii - log det M = sum (z_i - 1 - log z_i) >= 0, for all n. Schur: a diagonal of rationals is a mean
           of the eigenvalues with the squares of a rotation. Horn: one plane rotation sets one entry, in closed form,
           and a chain of them the whole diagonal, in floating point.
"""

from random import Random

import numpy as np
import sympy as sp

from proofs.machinery.checks import agree, check, rejected, same, vanishes
from proofs.machinery.facts import fact
from proofs.problems.rational_matrices import positive_definite, rational_rotation
from verify.symbolic.letters import n
from verify.symbolic.matrix_calculus import diag, inverse, letter
from verify.symbolic.traces import Scalar, log_det, trace

HADAMARD, SCHUR_HORN = fact("hadamard"), fact("schur-horn")


@HADAMARD.evidence(role="supports", kind="symbolic", strength="proved")
def test_hadamard_for_all_n(record):
    M = letter("M", n, n, "symmetric")
    Z = inverse(diag(M)) @ M  # similar to E^{-1/2} M E^{-1/2} > 0
    same(trace(Z), Scalar(n))
    same(log_det(Z), log_det(M) - log_det(diag(M)))
    # So log det E - log det M = tr Z - n - log det Z, the sum of h(z) = z - 1 - log z over positive z; zero iff Z = I.
    z = sp.Symbol("z", positive=True)
    h = z - 1 - sp.log(z)
    same((h.subs(z, 1), sp.solve(sp.diff(h, z), z)), (0, [1]))
    check(sp.diff(h, z, 2).is_positive, "z - 1 - log z is not convex")
    with rejected():  # without the diagonal part
        same(trace(M), Scalar(n))
    record(instances=3)


def check_hadamard(M):
    product = sp.prod(M.diagonal())
    check(M.det() <= product, "det M is above the product of its diagonal")
    same(M.det() == product, M.is_diagonal())


@HADAMARD.evidence(role="supports", kind="symbolic")
def test_hadamard_on_rational_matrices(record, thorough):
    rng = Random(4)
    for _ in range(thorough(15, 100)):
        check_hadamard(positive_definite(rng, rng.randint(1, 4)))
        check_hadamard(sp.diag(*positive_definite(rng, 3).diagonal()))
        record(instances=2)


@HADAMARD.evidence(role="control", kind="symbolic")
def test_hadamard_without_positivity_is_rejected():
    with rejected():
        check_hadamard(sp.Matrix([[-1, 0, 0], [0, 1, 2], [0, 2, 1]]))


def majorises(t, d):
    """Whether the largest of t always sum to at least those of d, with equal totals."""
    t, d = (sorted(values, reverse=True) for values in (t, d))
    return sum(t) == sum(d) and all(sum(t[:i]) >= sum(d[:i]) for i in range(len(t)))


@SCHUR_HORN.evidence(role="supports", kind="symbolic")
def test_schur_on_rational_matrices(record, thorough):
    rng = Random(5)
    for _ in range(thorough(15, 100)):
        size = rng.randint(2, 4)
        t = [sp.Rational(rng.randint(-6, 6), rng.randint(1, 3)) for _ in range(size)]
        Q = rational_rotation(rng, size)
        check(majorises(t, list((Q.T * sp.diag(*t) * Q).diagonal())), f"{t} do not majorise the diagonal")
        record()


@SCHUR_HORN.evidence(role="supports", kind="symbolic")
def test_one_plane_rotation_sets_one_entry_to_anything_between(record):
    a, b, d = sp.symbols("a b d", real=True)
    cos2 = (d - b) / (a - b)  # between 0 and 1 for b <= d <= a
    vanishes(a * cos2 + b * (1 - cos2) - d)
    vanishes(a * (1 - cos2) + b * cos2 - (a + b - d))  # the other entry, for the trace stays
    with rejected():
        vanishes(a * (1 - cos2) + b * cos2 - d)
    record(instances=2)


def with_diagonal(t, d):
    """A symmetric matrix with eigenvalues t and diagonal d (as a set), by at most n - 1 plane rotations (Horn)."""
    A = np.diag(np.sort(t)[::-1].astype(float))
    free = list(range(len(t)))
    for goal in sorted(d, reverse=True)[:-1]:
        above = max((i for i in free if A[i, i] >= goal - 1e-12), key=lambda i: -A[i, i])
        below = max((i for i in free if i != above and A[i, i] <= goal + 1e-12), key=lambda i: A[i, i])
        a, b = A[above, above], A[below, below]
        cos2 = 1.0 if a == b else float(np.clip((goal - b) / (a - b), 0.0, 1.0))
        # The two rows are still coordinate vectors of the free part: A is diagonal there.
        G = np.eye(len(t))
        c, s = np.sqrt(cos2), np.sqrt(1 - cos2)
        G[[above, above, below, below], [above, below, above, below]] = c, -s, s, c
        A = G.T @ A @ G
        free.remove(above)
    return A


@SCHUR_HORN.evidence(role="supports", kind="numeric")
def test_horn_by_plane_rotations(record, thorough):
    rng = np.random.default_rng(6)
    for _ in range(thorough(60, 600)):
        size = int(rng.integers(2, 7))
        t, d = rng.uniform(0, 3, size), np.zeros(size)
        for weight in rng.dirichlet(np.ones(4)):  # a mean of permutations of t: t majorises it
            d += weight * rng.permutation(t)
        A = with_diagonal(t, d)
        agree(np.linalg.eigvalsh(A), np.sort(t), tolerance=1e-12)
        record(worst_error=agree(np.sort(np.diag(A)), np.sort(d), tolerance=1e-10))


@SCHUR_HORN.evidence(role="control", kind="numeric")
def test_a_diagonal_that_is_not_majorised_is_rejected():
    t = [3, 2, 1]
    for d in ([4, 1, 1], [3, 2, 2]):  # a larger entry than any of t; another sum
        with rejected():
            check(majorises(t, d), "not majorised")
    with rejected():  # another sum, by the construction
        agree(np.sort(np.diag(with_diagonal(np.array(t), np.array([2, 2, 1])))), np.array([1.0, 2, 2]), tolerance=1e-10)
