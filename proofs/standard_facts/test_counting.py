"""Components of graphs, numbers and their mean, and how many solutions linear equations have.

Method     exact: every graph of up to five vertices, every list of up to five small integers, rational matrices.
"""

from itertools import combinations, product
from random import Random

import sympy as sp

from proofs.machinery.checks import check, rejected, same, vanishes
from proofs.machinery.facts import fact
from proofs.problems.rational_matrices import rational_matrix

COMPONENTS, MEAN, RANK_NULLITY = fact("components"), fact("mean"), fact("rank-nullity")


def component_labels(size, edges):
    """For each vertex the least one that a path leads to."""
    labels = list(range(size))
    for _ in range(size):
        for i, j in edges:
            labels[i] = labels[j] = min(labels[i], labels[j])
    return labels


def check_components(size, edges, labels):
    """No edge joins two parts, and the functions equal along every edge are those constant on each part: exactly, as
    the null space of the differences along edges has the parts' indicators for a basis."""
    check(all(labels[i] == labels[j] for i, j in edges), "an edge joins two parts")
    differences = sp.zeros(max(len(edges), 1), size)
    for row, (i, j) in enumerate(edges):
        differences[row, i], differences[row, j] = 1, -1
    same(size - differences.rank(), len(set(labels)))


@COMPONENTS.evidence(role="supports", kind="symbolic")
def test_what_is_equal_along_edges_is_constant_on_components(record, thorough):
    for size in range(1, thorough(5, 6)):
        pairs = list(combinations(range(size), 2))
        for chosen in range(2 ** len(pairs)):
            edges = [pair for i, pair in enumerate(pairs) if chosen >> i & 1]
            check_components(size, edges, component_labels(size, edges))
            record()


@COMPONENTS.evidence(role="control", kind="symbolic")
def test_parts_that_are_no_components_are_rejected():
    with rejected():  # two parts taken for one
        check_components(4, [(0, 1), (2, 3)], [0, 0, 0, 0])
    with rejected():  # one part cut in two
        check_components(3, [(0, 1), (1, 2)], [0, 0, 2])


def check_mean(values):
    """None above the mean, or none below it: then all are the mean."""
    mean = sp.Rational(sum(values), len(values))
    if all(x <= mean for x in values) or all(x >= mean for x in values):
        check_equal(values, mean)


def check_equal(values, mean):
    check(all(x == mean for x in values), f"{values} are not all {mean}")


@MEAN.evidence(role="supports", kind="symbolic")
def test_a_mean_that_nothing_exceeds_equals_every_number(record):
    """c - x_i >= 0 add up to 0, and each is at most the sum."""
    one, rest = sp.symbols("c-x_i rest", nonnegative=True)
    check(((one + rest) - one).is_nonnegative, "no number is larger than a sum that holds it and is not negative")
    same(sp.solve(one + rest, one), [-rest])  # so one + rest = 0 makes 0 <= one = -rest <= 0
    signed = sp.Symbol("signed", real=True)
    with rejected():  # a sum of numbers of any sign
        check(((one + signed) - one).is_nonnegative is True, "the rest may be negative")
    for size in range(1, 6):
        for values in product(range(4), repeat=size):
            check_mean(values)
            record()


@MEAN.evidence(role="control", kind="symbolic")
def test_numbers_on_both_sides_of_their_mean_are_rejected():
    with rejected():
        check_equal((0, 2, 1), 1)
    with rejected():  # a bound that is not their mean
        check_equal((1, 1), 2)


def check_rank_nullity(A):
    """Rank and nullity, counted by a basis that is checked, add up; and the transpose has the same rank."""
    null = A.nullspace()
    for v in null:
        vanishes(A * v)
    if null:
        same(sp.Matrix.hstack(*null).rank(), len(null))
    same((A.rank() + len(null), A.T.rank()), (A.cols, A.rank()))
    return len(null)


@RANK_NULLITY.evidence(role="supports", kind="symbolic")
def test_the_number_of_solutions_of_rational_equations(record, thorough):
    rng = Random(12)
    for _ in range(thorough(30, 200)):
        rows, cols, inner = (rng.randint(1, 4) for _ in range(3))
        low = rational_matrix(rng, rows, inner) * rational_matrix(rng, inner, cols)
        for A in (rational_matrix(rng, rows, cols), low):
            check(check_rank_nullity(A) >= cols - rows, "too few solutions")
            record()


@RANK_NULLITY.evidence(role="control", kind="symbolic")
def test_as_many_equations_as_unknowns_need_have_no_other_solution_than_0():
    with rejected():
        check(check_rank_nullity(sp.eye(3)) > 0, "only 0")
