"""Cauchy and Schwarz's inequality, and the inertia of congruent and of block matrices.

Method     Cauchy-Schwarz: w = x - s A^-1 y has w^T A w = x^T A x - 2 s x^T y + s^2 y^T A^-1 y >= 0, for all n; at the
           best s this is the inequality. Haynsworth: a block congruence in words, for all sizes. Sylvester: the
           inertia of rational matrices, counted without rounding.
"""

from random import Random

import sympy as sp

from proofs.machinery.checks import check, rejected, same, vanishes
from proofs.machinery.facts import fact
from proofs.problems.rational_matrices import inertia, positive_definite, rational_matrix
from verify.symbolic.letters import k, n
from verify.symbolic.matrix_calculus import inverse, letter
from verify.symbolic.traces import trace

CAUCHY, HAYNSWORTH, SYLVESTER = fact("cauchy-schwarz"), fact("haynsworth"), fact("sylvester")


@CAUCHY.evidence(role="supports", kind="symbolic", strength="proved")
def test_cauchy_schwarz_for_all_n(record):
    A, x, y = letter("A", n, n, "symmetric"), letter("x", n, 1), letter("y", n, 1)
    s, xx, xy, yy = sp.Symbol("s", real=True), *sp.symbols("xx xy", real=True), sp.Symbol("yy", positive=True)
    w = x - s * inverse(A) @ y
    form = trace(x.T @ A @ x) - 2 * s * trace(x.T @ y) + s**2 * trace(y.T @ inverse(A) @ y)
    same(trace(w.T @ A @ w), form)
    # xx - 2 s xy + s^2 yy >= 0 at s = xy/yy: xx yy >= xy^2, equal iff w = 0; at y = 0 both sides are 0.
    vanishes((xx - 2 * s * xy + s**2 * yy).subs(s, xy / yy) * yy - (xx * yy - xy**2))
    with rejected():  # A for A^-1
        same(trace((x - s * A @ y).T @ A @ (x - s * A @ y)), form)
    record(instances=2)


def check_cauchy_schwarz(A, x, y, factor=1):
    left, right = (x.T * y)[0] ** 2, (x.T * A * x)[0] * (y.T * A.inv() * y)[0]
    check(left <= factor * right, "(x^T y)^2 is above the product of the two forms")


@CAUCHY.evidence(role="supports", kind="symbolic")
def test_cauchy_schwarz_on_rational_matrices(record, thorough):
    rng = Random(7)
    for _ in range(thorough(15, 100)):
        size = rng.randint(1, 4)
        A, x = positive_definite(rng, size), rational_matrix(rng, size, 1)
        check_cauchy_schwarz(A, x, rational_matrix(rng, size, 1))
        check_cauchy_schwarz(A, x, A * x)  # equality
        record(instances=2)


@CAUCHY.evidence(role="control", kind="symbolic")
def test_a_sharper_cauchy_schwarz_is_rejected():
    A, x = positive_definite(Random(8), 3), sp.Matrix([1, 2, 3])
    with rejected():
        check_cauchy_schwarz(A, x, A * x, factor=sp.Rational(99, 100))


@HAYNSWORTH.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_congruence_to_block_and_schur_complement_for_all_sizes(record):
    """With L = [[I, 0], [-B A^-1, I]], L [[A, B^T], [B, D]] L^T is block diagonal, A and D - B A^-1 B^T: Sylvester."""
    A, D, B = letter("A", n, n, "symmetric"), letter("D", k, k, "symmetric"), letter("B", k, n)
    lower = -B @ inverse(A)
    complement = D - B @ inverse(A) @ B.T
    same(B + lower @ A, 0 * B)  # below the diagonal
    same(D + lower @ B.T + (B + lower @ A) @ lower.T, complement)
    with rejected():  # D + B A^-1 B^T
        same(D + lower @ B.T, D + B @ inverse(A) @ B.T)
    record(instances=2)


def check_haynsworth(A, B, D, complement):
    whole = sp.Matrix(sp.BlockMatrix([[A, B.T], [B, D]]))
    same(inertia(whole), tuple(a + b for a, b in zip(inertia(A), inertia(complement), strict=True)))


def symmetric(rng, size):
    A = rational_matrix(rng, size, size)
    return A + A.T


@HAYNSWORTH.evidence(role="supports", kind="symbolic")
def test_inertia_adds_up_on_rational_blocks(record, thorough):
    rng = Random(9)
    for _ in range(thorough(15, 100)):
        A, D, B = symmetric(rng, 2), symmetric(rng, 2), rational_matrix(rng, 2, 2)
        if A.det() != 0:
            check_haynsworth(A, B, D, D - B * A.inv() * B.T)
            record()


@HAYNSWORTH.evidence(role="control", kind="symbolic")
def test_a_complement_with_another_sign_is_rejected():
    one = sp.eye(1)
    with rejected():
        check_haynsworth(one, 2 * one, one, one + 4 * one)


@SYLVESTER.evidence(role="supports", kind="symbolic")
def test_congruence_keeps_inertia_on_rational_matrices(record, thorough):
    rng = Random(10)
    for _ in range(thorough(15, 100)):
        size = rng.randint(2, 4)
        A, P = symmetric(rng, size), rational_matrix(rng, size, size)
        if rng.random() < 0.3:  # a zero eigenvalue
            A[:, 0], A[0, :] = sp.zeros(size, 1), sp.zeros(1, size)
        if P.det() != 0:
            same(inertia(P.T * A * P), inertia(A))
            record()


@SYLVESTER.evidence(role="supports", kind="symbolic")
def test_a_change_of_coordinates_changes_a_hessian_by_congruence_at_a_stationary_point(record):
    """f(phi(y)) has the Hessian J^T H J there, J the Jacobian of phi, however curved phi is."""
    a, b, c, p, q, r, s, u, v, x, y, curved = sp.symbols("a b c p q r s u v x y e")
    H = sp.Matrix([[a, b], [b, c]])
    image = sp.Matrix([p * x + q * y + curved * x * y, r * x + s * y + u * x**2 + v * y**2])
    f = (image.T * H * image)[0] / 2
    at = {x: 0, y: 0}
    J = image.jacobian([x, y]).subs(at)
    vanishes(sp.hessian(f, [x, y]).subs(at) - J.T * H * J)
    with rejected():  # at a point with a slope the curvature of phi adds to it
        vanishes(sp.hessian(f + image[1], [x, y]).subs(at) - J.T * H * J)
    record()


@SYLVESTER.evidence(role="control", kind="symbolic")
def test_a_singular_congruence_is_rejected():
    with rejected():
        ones = sp.ones(2, 2)
        same(inertia(ones.T * sp.eye(2) * ones), inertia(sp.eye(2)))
