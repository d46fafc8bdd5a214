"""Ky Fan's and von Neumann's inequalities, proved for all n, and on rational matrices.

Notation   S = sum lam_j u_j u_j^T, lam descending; Q (n, m) with orthonormal columns; p_j = |Q^T u_j|^2.
Method     Ky Fan: 0 <= p_j <= 1 and sum p_j = m, and the largest sum less tr(Q^T S Q) = sum lam_j p_j is
           sum_{j <= m} (lam_j - lam_m)(1 - p_j) + sum_{j > m} (lam_m - lam_j) p_j.
           Von Neumann: summation by parts over the projectors on the first m eigenvectors of B, Ky Fan for each. The
           case of equality: on rational matrices, both ways.
"""

from random import Random

import sympy as sp

from proofs.machinery.checks import check, rejected, same, vanishes
from proofs.machinery.facts import fact
from proofs.problems.rational_matrices import rational_matrix, rational_rotation
from verify.symbolic.letters import k, n
from verify.symbolic.matrix_calculus import identity, letter
from verify.symbolic.relations import reduce, relation
from verify.symbolic.traces import Scalar, trace

KY_FAN, VON_NEUMANN = fact("ky-fan"), fact("von-neumann")


@KY_FAN.evidence(role="supports", kind="symbolic", strength="proved")
def test_ky_fan_for_all_n_and_m(record):
    # p_j = |Q^T u|^2 <= 1, for 1 - p_j = |u - Q Q^T u|^2; and sum p_j = tr(U^T Q Q^T U) = m (here k).
    Q, U, u = letter("Q", n, k), letter("U", n, n), letter("u", n, 1)
    rules = (relation(Q.T @ Q, identity(k)), relation(U @ U.T, identity(n)), relation(u.T @ u, identity(1)))
    rest = u - Q @ Q.T @ u
    same(reduce(trace(rest.T @ rest), *rules), reduce(Scalar(1) - trace(u.T @ Q @ Q.T @ u), *rules))
    same(reduce(trace(U.T @ Q @ Q.T @ U), *rules), Scalar(k))
    # Sums over j <= m: A of lam_j, a of lam_j p_j, p of p_j; over j > m: b of lam_j p_j, r of p_j, with p + r = m.
    A, a, b, p, m, lam_m = sp.symbols("A a b p m lam_m")
    kept = (A - a) - lam_m * (m - p)  # sum (lam_j - lam_m)(1 - p_j)
    others = lam_m * (m - p) - b  # sum (lam_m - lam_j) p_j
    vanishes((A - a - b) - kept - others)
    with rejected():  # without sum p_j = m: r left free
        vanishes((A - a - b) - kept - (lam_m * sp.Symbol("r") - b))
    record(instances=3)


@VON_NEUMANN.evidence(role="supports", kind="symbolic", strength="proved")
def test_von_neumann_follows_from_ky_fan_for_all_n(record):
    """tr(A B) = sum_m (b_m - b_{m+1}) tr(A P_m), b_m - b_{m+1} >= 0, tr(A P_m) >= the sum of the m least a.

    The last term is b_n tr(A), where equality holds. Summation by parts, by induction on n: T(n) = sum_i b_i t_i for
    T(n) = sum_{m < n} (b_m - b_{m+1}) s_m + b_n s_n, s_m = t_1 + ... + t_m. With t_i = v_i v_i^T and
    s_m = P_m the same identity says that the sum over projectors is B.
    """
    b_last, b, s_before, t = sp.symbols("b_last b s_before t")  # b_{n-1}, b_n, s_{n-1}, t_n
    step = ((b_last - b) * s_before + b * (s_before + t)) - b_last * s_before  # T(n) - T(n-1)
    vanishes(step - b * t)
    with rejected():  # the difference the other way round
        vanishes(step + 2 * (b - b_last) * s_before - b * t)
    record()


def sorted_rationals(rng, size):
    return sorted((sp.Rational(rng.randint(-6, 6), rng.randint(1, 3)) for _ in range(size)), reverse=True)


def in_basis(values, basis):
    return basis * sp.diag(*values) * basis.T


@VON_NEUMANN.evidence(role="supports", kind="symbolic")
def test_von_neumann_on_rational_matrices(record, thorough):
    rng = Random(1)
    for _ in range(thorough(15, 100)):
        size = rng.randint(2, 4)
        a, b = sorted_rationals(rng, size), sorted_rationals(rng, size)
        least = sum(x * y for x, y in zip(a, reversed(b), strict=True))
        A, B = (in_basis(values, rational_rotation(rng, size)) for values in (a, b))
        check((A * B).trace() >= least, f"tr(A B) is below the sum of opposite products of {a} and {b}")
        # Attained where both share a basis, the largest with the least.
        same((in_basis(a, sp.eye(size)) * in_basis(b[::-1], sp.eye(size))).trace(), least)
        record()


def equal_iff_in_one_order(a, b, Q):
    """tr(A B) is the largest it can be iff A B = B A and no common eigenvector is out of order; A = diag(a), falling,
    B = Q diag(b) Q^T."""
    A, B = sp.diag(*a), in_basis(b, Q)
    at_top = (A * B).trace() == sum(x * y for x, y in zip(a, sorted(b, reverse=True), strict=True))
    # On each eigenspace of A, by falling a, the eigenvalues of B there must be the next largest.
    ordered, start, left = A * B == B * A, 0, sorted(b, reverse=True)
    while ordered and start < len(a):
        size = a.count(a[start])
        inside = B[start : start + size, start : start + size]
        ordered = sorted(sp.Matrix(inside).eigenvals(multiple=True), reverse=True) == left[start : start + size]
        start += size
    same(at_top, ordered)
    return at_top


@VON_NEUMANN.evidence(role="supports", kind="symbolic")
def test_the_largest_trace_is_that_of_one_basis_in_one_order(record, thorough):
    rng, seen = Random(11), []
    for _ in range(thorough(25, 150)):
        size = rng.randint(2, 3)
        a, b = (sorted_rationals(rng, size) for _ in range(2))
        if rng.random() < 0.3:
            a[1] = a[0]  # a tie of A: B is free in its plane
            a.sort(reverse=True)
        order = sp.eye(size)[:, rng.sample(range(size), size)]
        tie = sp.diag(rational_rotation(rng, 2), *[1] * (size - 2))
        for Q in (order, rational_rotation(rng, size), tie, sp.eye(size)):
            seen.append(equal_iff_in_one_order(a, b, Q))
            record()
    check(20 < sum(seen) < len(seen) - 20, "one side of the equivalence was hardly seen")
    with rejected():  # a common basis is not enough
        same(equal_iff_in_one_order([2, 1], [1, 2], sp.eye(2)), True)


@KY_FAN.evidence(role="supports", kind="symbolic")
def test_ky_fan_on_rational_matrices(record, thorough):
    rng = Random(2)
    for _ in range(thorough(15, 100)):
        size = rng.randint(2, 4)
        lam, columns = sorted_rationals(rng, size), rng.randint(1, size)
        Q = rational_rotation(rng, size)[:, :columns]
        S = in_basis(lam, rational_rotation(rng, size))
        check((Q.T * S * Q).trace() <= sum(lam[:columns]), f"a trace on {columns} dimensions is above the largest sum")
        leading = sp.eye(size)[:, :columns]
        same((leading.T * sp.diag(*lam) * leading).trace(), sum(lam[:columns]))
        record()


@VON_NEUMANN.evidence(role="control", kind="symbolic")
def test_products_in_the_same_order_are_no_lower_bound():
    a = [sp.Integer(2), sp.Integer(1)]
    turned = in_basis(a, sp.Matrix([[3, -4], [4, 3]]) / 5)
    with rejected():
        check((turned * in_basis(a, sp.eye(2))).trace() >= 2 * 2 + 1, "below the sum of products in the same order")


@KY_FAN.evidence(role="control", kind="symbolic")
def test_columns_that_are_not_orthonormal_exceed_the_largest_sum():
    with rejected():
        Q = 2 * rational_matrix(Random(3), 2, 1) + sp.Matrix([9, 0])
        check((Q.T * sp.diag(2, 1) * Q).trace() <= 2, "above the largest eigenvalue")
