"""The normal forms of words and traces against products multiplied out in NumPy.

The tolerance is 1e-10 of the size of the value: up to ten factors and their inverses, conditioned about 10 each.
"""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from tests.verify.symbolic.random_words import VALUES, WORDS, arrays, products, reproducible
from verify.symbolic.evaluation import on_arrays, on_matrices
from verify.symbolic.letters import k, n, sigma2
from verify.symbolic.matrix_calculus import (
    NotConformable,
    NotInvertible,
    Shape,
    defined,
    diag,
    identity,
    inverse,
    letter,
    the_letter,
    zero,
)
from verify.symbolic.traces import Scalar, log_det, trace

W, V, A, S, D, E, M = (WORDS[name] for name in "WVASDEM")
x, z = WORDS["x"], WORDS["z"]
SHAPES = st.sampled_from([("n", "n"), ("k", "k"), ("n", "k"), ("k", "1"), ("1", "1")])


def close(actual, expected, tolerance=1e-10):
    scale = max(1.0, float(np.max(np.abs(expected))))
    return bool(np.max(np.abs(np.asarray(actual) - expected)) <= tolerance * scale)


@reproducible
@given(st.data())
def test_the_normal_form_of_a_product_has_its_value(data):
    p = data.draw(products(*data.draw(SHAPES)))
    assert close(on_arrays(p.words, arrays(), VALUES), p.array)
    assert close(on_arrays(p.words.T, arrays(), VALUES), p.array.T)
    # The control: twice the product is not the product.
    assert not close(2 * on_arrays(p.words, arrays(), VALUES), p.array) or close(p.array, 0 * p.array)


@reproducible
@given(st.data())
def test_sums_multiply_out(data):
    p, q = (data.draw(products("n", "k")) for _ in range(2))
    r = data.draw(products("k", "n"))
    combination = (3 * p.words - q.words / sigma2) @ r.words
    expected = (3 * p.array - q.array / VALUES[sigma2]) @ r.array
    assert close(on_arrays(combination, arrays(), VALUES), expected)
    assert combination == 3 * (p.words @ r.words) - q.words @ r.words / sigma2


@reproducible
@given(st.data())
def test_the_diagonal_part_has_its_value(data):
    p = data.draw(products("k", "k"))
    expected = np.diag(np.diag(p.array))
    assert close(on_arrays(diag(p.words), arrays(), VALUES), expected)
    assert diag(p.words.T) == diag(p.words)
    assert diag(diag(p.words)) == diag(p.words)
    assert diag(D @ p.words @ E) == E @ diag(p.words) @ D


@reproducible
@given(st.data())
def test_a_trace_has_its_value_and_turns_freely(data):
    rows, cols = data.draw(SHAPES)
    p, q = data.draw(products(rows, cols)), data.draw(products(cols, rows))
    f = trace(p.words @ q.words)
    assert close(on_arrays(f, arrays(), VALUES), np.trace(p.array @ q.array))
    assert f == trace(q.words @ p.words) == trace(q.words.T @ p.words.T)


@reproducible
@given(st.data())
def test_a_diagonal_part_moves_under_the_trace(data):
    p, q = data.draw(products("k", "k")), data.draw(products("k", "k"))
    assert trace(diag(p.words) @ q.words) == trace(p.words @ diag(q.words))
    assert trace(D @ diag(p.words)) == trace(D @ p.words)


@reproducible
@given(st.data())
def test_numbers_in_a_product_commute(data):
    u, v, w = (data.draw(products("1", "1")) for _ in range(3))
    f = trace(u.words @ v.words @ w.words)
    assert f == trace(v.words @ u.words.T @ w.words) == trace(w.words.T @ v.words @ u.words)
    assert close(on_arrays(f, arrays(), VALUES), np.trace(u.array @ v.array @ w.array))


def test_what_cancels_and_what_does_not():
    assert A @ inverse(A) == identity(n) == inverse(A).T @ A.T
    assert inverse(2 * A @ S) == inverse(S) @ inverse(A) / 2
    assert D @ E == E @ D and D @ E @ inverse(D) == E
    assert S.T == S
    assert trace(M @ inverse(diag(M))) == Scalar(k)
    assert trace(identity(n)) == Scalar(n)
    # Bent into a ring, P and E meet, on whichever side of M they were written.
    P = letter("P", k, k, "diagonal")
    assert trace(E @ M @ P) == trace(E @ P @ M) == trace(M @ P @ E)
    # Controls: what does not commute, and what is not symmetric, stays apart.
    assert S @ A != A @ S
    assert A.T != A
    assert A @ inverse(A.T) != identity(n)
    assert D @ M != M @ D
    assert trace(A @ S @ A @ S) != trace(A @ A @ S @ S)
    assert trace(D @ M @ E @ M) != trace(D @ E @ M @ M)
    assert diag(W.T @ W) != W.T @ W
    assert trace(W @ V @ S) != trace(W @ V @ A)
    assert zero(n, k) != zero(k, n)
    assert not W.is_zero() and (W - W).is_zero() and (W - W).shape == W.shape


def test_the_log_det_of_a_product_is_a_sum():
    f = log_det(3 * A @ inverse(S))
    assert f == log_det(A) - log_det(S) + n * sp.log(3)
    expected = np.linalg.slogdet(3 * arrays()["A"] @ np.linalg.inv(arrays()["S"]))[1]
    assert close(on_arrays(f, arrays(), VALUES), expected)
    assert f != log_det(A) - log_det(S)


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(NotConformable, match=r"\(k, k\) and \(n, k\)") as refusal:
        D @ W
    assert (refusal.value.left, refusal.value.right) == (D.shape, W.shape)
    for wrong in (lambda: W + V, lambda: trace(W), lambda: diag(W), lambda: letter("X", n, k, "symmetric")):
        with pytest.raises(NotConformable):
            wrong()
    assert (W @ D).shape == Shape(n, k)


def test_equal_dimensions_conform_where_different_ones_do_not():
    square, diagonal = letter("W", 2, 2), letter("D", 2, 2, "diagonal")
    assert (diagonal @ square).shape == Shape(2, 2)
    assert diagonal @ square != square @ diagonal


def test_only_products_of_square_letters_are_inverted():
    for wrong in (W, W.T @ W + identity(k), zero(n, n)):
        with pytest.raises(NotInvertible):
            inverse(wrong)
        with pytest.raises(NotInvertible):
            log_det(wrong)


def test_a_defined_letter_inherits_symmetry():
    assert the_letter(M).kind == "symmetric"
    assert the_letter(defined("F", D @ E + D)).kind == "diagonal"
    assert the_letter(defined("F", A @ S)).kind == "general"
    for wrong in (2 * W, W.T, W @ D, W + W @ D):
        with pytest.raises(ValueError, match="not a single letter"):
            the_letter(wrong)


def test_values_on_explicit_matrices_are_those_on_arrays():
    f = trace(A @ inverse(S)) * sigma2 + log_det(S) - 2 * trace(diag(A) @ S) + trace(identity(n))
    matrices = {name: sp.Matrix(value.tolist()) for name, value in arrays().items()}
    exact = on_matrices(f, matrices, VALUES)
    assert close(float(exact), on_arrays(f, arrays(), VALUES))


def test_a_letter_without_a_value_and_a_negative_determinant_are_refused():
    with pytest.raises(KeyError):
        on_arrays(W, {}, VALUES)
    with pytest.raises(ValueError, match="not positive"):
        on_arrays(log_det(A), {"A": np.diag([1.0, 1.0, 1.0, -1.0])}, VALUES)


def test_words_and_scalars_say_what_they_are():
    assert str(W @ D) == "W D"
    assert str(zero(n, k)) == "0"
    assert str(identity(n)) == "I"
    assert str(inverse(M) @ W.T) == "M^-1 W^T"
    assert str(2 * diag(W.T @ W)) == "(2) diag(W^T W)"
    assert "tr(" in str(trace(W @ V)) and "log det(S)" in str(log_det(S))
