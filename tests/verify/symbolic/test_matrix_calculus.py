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
    Letter,
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


P = letter("P", k, k, "diagonal")
F = letter("F", k, k)


@pytest.mark.parametrize(
    ("product", "text"),
    [
        (A @ S @ inverse(A), "A S A^-1"),
        (S @ A @ inverse(A), "S"),
        (A @ inverse(A) @ S, "S"),
        (S @ A @ S @ inverse(S) @ inverse(A), "S"),
        (inverse(A) @ S @ A, "A^-1 S A"),
        (M @ E @ D, "M D E"),
        (P @ E @ D, "D E P"),
        (F @ P @ E @ D @ F @ E @ D, "F D E P F D E"),
        (F @ D @ E @ P @ inverse(D), "F E P"),
        (D @ E @ F @ inverse(D), "D E F D^-1"),
        (D @ F @ inverse(F) @ inverse(D), "I"),
        (diag(A.T), "diag(A)"),
        (diag(D @ F @ E @ M @ P), "D P diag(F E M)"),
        (diag(E @ D), "D E"),
        (diag(F @ D), "D diag(F)"),
    ],
    ids=str,
)
def test_only_neighbours_cancel_and_only_diagonal_ones_are_sorted(product, text):
    assert str(product) == text


@pytest.mark.parametrize(
    ("equal", "value"),
    [
        (
            [diag(A) @ diag(S), A @ diag(S), diag(A) @ S],
            lambda a: np.sum(np.diag(a["A"]) * np.diag(a["S"])),
        ),
        (
            [D @ diag(V @ W) @ M, D @ V @ W @ diag(M), diag(M) @ D @ diag(V @ W), M @ diag(D @ V @ W)],
            lambda a: np.sum(np.diag(a["D"]) * np.diag(a["V"] @ a["W"]) * np.diag(a["M"])),
        ),
        (
            [
                diag(M) @ diag(V @ W) @ diag(V @ A @ W),
                V @ W @ diag(V @ A @ W) @ diag(M),
                diag(V @ A @ W) @ M @ diag(V @ W),
            ],
            lambda a: np.sum(np.diag(a["M"]) * np.diag(a["V"] @ a["W"]) * np.diag(a["V"] @ a["A"] @ a["W"])),
        ),
        (
            [inverse(diag(M)) @ V @ W @ D, inverse(diag(M)) @ D @ diag(V @ W)],
            lambda a: np.sum(np.diag(a["V"] @ a["W"]) * np.diag(a["D"]) / np.diag(a["M"])),
        ),
        (
            [D @ E @ M @ E, E @ D @ E @ M, M @ E @ E @ D, E @ M @ D @ E],
            lambda a: np.sum(np.diag(a["D"]) * np.diag(a["E"]) ** 2 * np.diag(a["M"])),
        ),
    ],
    ids=lambda case: str(case[0]) if isinstance(case, list) else "",
)
def test_however_a_ring_with_diagonal_parts_is_written_it_is_one_trace(equal, value):
    first, *others = (trace(word) for word in equal)
    assert all(other == first and str(other) == str(first) for other in others)
    assert close(on_arrays(first, arrays(), VALUES), value(arrays()))


def test_a_coefficient_that_only_simplify_sees_to_be_zero_is_zero():
    hidden = sigma2 / (1 + sigma2) + 1 / (1 + sigma2) - 1
    assert (hidden * W).is_zero() and Scalar(hidden).is_zero() and (trace(A) * hidden).is_zero()
    assert W + hidden * V.T == W
    assert not (W + hidden * V.T).is_zero() and not (trace(A) + hidden).is_zero()
    for c in (1, -1, 2):
        assert not (c * W).is_zero() and not Scalar(c).is_zero()
        assert zero(n, k) != c * W and Scalar() != Scalar(c)


def test_nothing_else_is_equal_to_a_sum_of_words():
    assert (W == 1) is False and (zero(n, k) == 0) is False


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
    for wrong in (W, A @ W, W @ D, W @ V, W.T @ W + identity(k), zero(n, n)):
        with pytest.raises(NotInvertible):
            inverse(wrong)
        with pytest.raises(NotInvertible):
            log_det(wrong)


def test_a_defined_letter_inherits_symmetry():
    assert the_letter(M).kind == "symmetric"
    assert the_letter(defined("F", D @ E + D)).kind == "diagonal"
    assert the_letter(defined("F", D + identity(k))).kind == "diagonal"
    assert the_letter(defined("F", D @ M @ D)).kind == "symmetric"
    assert the_letter(defined("F", A @ S)).kind == "general" == the_letter(defined("F", W)).kind


def test_only_a_letter_is_a_single_letter():
    assert the_letter(A) == Letter("A", Shape(n, n)) and the_letter(M).definition == W.T @ W + sigma2 * identity(k)
    for wrong in (2 * W, W.T, W @ D, W + W @ D, zero(n, k), identity(k), inverse(A), diag(A), -W):
        with pytest.raises(ValueError, match="not a single letter"):
            the_letter(wrong)


def test_values_on_explicit_matrices_are_those_on_arrays():
    f = trace(A @ inverse(S)) * sigma2 + log_det(S) - 2 * trace(diag(A) @ S) + trace(identity(n))
    matrices = {name: sp.Matrix(value.tolist()) for name, value in arrays().items()}
    exact = on_matrices(f, matrices, VALUES)
    assert close(float(exact), on_arrays(f, arrays(), VALUES))


def test_values_are_arrays_or_matrices_also_where_there_is_no_word():
    for words in (zero(n, k), W, W @ D):
        value = on_arrays(words, arrays(), VALUES)
        assert isinstance(value, np.ndarray) and value.dtype == float and value.shape == (4, 3)
    a, b, c, d = sp.symbols("a b c d")
    matrices, values = {"A": sp.Matrix([[a, b], [c, d]])}, {n: 2, k: 1}
    assert on_matrices(zero(n, k), {}, values) == sp.zeros(2, 1)
    assert on_matrices(diag(A) + A.T, matrices, values) == sp.Matrix([[2 * a, c], [b, 2 * d]])
    assert on_matrices(A @ inverse(A), matrices, values) == sp.eye(2)


def test_a_value_that_is_given_goes_before_a_definition():
    assert np.array_equal(on_arrays(M, {"M": np.eye(3)}, VALUES), np.eye(3))
    W_ = np.ones((4, 3))
    assert np.allclose(on_arrays(M, {"W": W_}, VALUES), W_.T @ W_ + VALUES[sigma2] * np.eye(3))


def test_a_letter_without_a_value_and_a_negative_determinant_are_refused():
    with pytest.raises(KeyError):
        on_arrays(W, {}, VALUES)
    for last in (-1.0, 0.0):
        with pytest.raises(ValueError, match="not positive"):
            on_arrays(log_det(A), {"A": np.diag([1.0, 1.0, 1.0, last])}, VALUES)


def test_words_and_scalars_say_what_they_are():
    assert str(W @ D) == "W D"
    assert str(zero(n, k)) == "0"
    assert str(identity(n)) == "I"
    assert str(inverse(M) @ W.T) == "M^-1 W^T"
    assert str(2 * diag(W.T @ W)) == "(2) diag(W^T W)"
    assert str(W - W) == "0" and str(W @ D - W + W) == "W D"
    # A trace says the least of the words that have it.
    assert str(trace(W @ V)) == str(trace(V.T @ W.T)) == "tr(V W)"
    assert str(trace(z.T @ W.T @ x)) == "tr(x^T W z)"
    B = letter("B", k, k)
    assert str(trace(D @ B)) == str(trace(B.T @ D)) == "tr(B D)" and str(trace(D @ F)) == "tr(D F)"
    assert str(trace(A) - 2 * log_det(S)) == "tr(A) + (-2) log det(S)"
    assert str(Scalar()) == str(trace(A) - trace(A)) == "0"
    assert str(Scalar(1)) == "1" and str(Scalar(sigma2)) == "(sigma2) 1"
    assert str(trace(A) + 1) == "tr(A) + 1" and str(trace(A) - 1) == "tr(A) + (-1) 1"
