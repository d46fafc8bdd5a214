"""Differentials, gradients, relations, substitution and expectations against NumPy and against definitions.

Central differences with step 1e-5 err by about 1e-10 times the third derivative; 1e-5 of the size leaves room for
inverses, and a wrong sign, factor or transpose is wrong by far more.
"""

import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.verify.symbolic.random_words import NOISE, VALUES, WORDS, arrays, products, reproducible
from tests.verify.symbolic.test_matrix_calculus import close
from verify.symbolic.differentials import derivative, differential, gradient
from verify.symbolic.evaluation import on_arrays
from verify.symbolic.expectations import NotQuadratic, _ending_in, expectation, log_gaussian
from verify.symbolic.letters import k, n, sigma2
from verify.symbolic.matrix_calculus import (
    Factor,
    Letter,
    NotConformable,
    NotInvertible,
    defined,
    diag,
    identity,
    inverse,
    letter,
    of_factor,
    zero,
)
from verify.symbolic.relations import expand, of_definition, reduce, relation, substitute, substitute_log_det
from verify.symbolic.traces import Scalar, log_det, trace

W, V, A, S, D, E, M = (WORDS[name] for name in "WVASDEM")
x, z = WORDS["x"], WORDS["z"]
STEP, TOLERANCE = 1e-5, 1e-5


def change_of(name, rng):
    """A direction that the kind of the letter allows."""
    dX = rng.standard_normal(arrays()[name].shape)
    if name == "S":
        return dX + dX.T
    return np.diag(np.diag(dX)) if name == "D" else dX


def along(f, name, dX, noise=NOISE):
    """The derivative of f along dX by central differences; M follows W."""
    total = 0.0
    for sign in (1, -1):
        values = arrays()
        values[name] = values[name] + sign * STEP * dX
        del values["M"]
        total = total + sign * np.asarray(on_arrays(f, values, {**VALUES, sigma2: noise}))
    return total / (2 * STEP)


@reproducible
@given(st.data())
def test_a_differential_is_the_change_to_first_order(data):
    name = data.draw(st.sampled_from("WVASD"))
    p = data.draw(products("n", "k"))
    dX = change_of(name, np.random.default_rng(1))
    X = WORDS[name]
    marker = letter("dX", X.shape.rows, X.shape.cols)
    values = {**arrays(), "dX": dX}
    actual = on_arrays(differential(p.words, X, marker), values, VALUES)
    assert close(actual, along(p.words, name, dX), TOLERANCE * (1 + np.max(np.abs(p.array))))


@reproducible
@given(st.data())
def test_a_gradient_pairs_with_every_change_to_the_differential(data):
    name = data.draw(st.sampled_from("WVASD"))
    p = data.draw(products("k", "k"))
    f = trace(p.words)
    G = on_arrays(gradient(f, WORDS[name]), arrays(), VALUES)
    dX = change_of(name, np.random.default_rng(2))
    expected = along(f, name, dX)
    size = 1 + np.max(np.abs(p.array))
    assert close(np.sum(G * dX), expected, TOLERANCE * size)
    # The control: a gradient of the wrong sign pairs to something else.
    assume(abs(expected) > 1e-2 * size)
    assert not close(-np.sum(G * dX), expected, TOLERANCE * size)


def test_jacobis_formula_against_differences():
    f = log_det(M) + 2 * log_det(diag(M)) - log_det(S)
    for name in "WS":
        dX = change_of(name, np.random.default_rng(3))
        G = on_arrays(gradient(f, WORDS[name]), arrays(), VALUES)
        assert close(np.sum(G * dX), along(f, name, dX), TOLERANCE)
    assert gradient(log_det(M), W) == 2 * W @ inverse(M)
    assert gradient(log_det(M), W) != W @ inverse(M)  # the control: the factor 2 of d(W^T W)
    assert gradient(log_det(diag(M)), W) == 2 * W @ inverse(diag(M))


def test_the_derivative_in_the_noise_goes_through_definitions():
    f = sigma2**2 * trace(inverse(M) @ D) + log_det(M) + sp.log(sigma2) + trace(W @ V)
    step = 1e-5
    above, below = (on_arrays(f, _without_M(), {**VALUES, sigma2: NOISE + s}) for s in (step, -step))
    actual = on_arrays(derivative(f, sigma2), arrays(), VALUES)
    assert close(actual, (above - below) / (2 * step), TOLERANCE)
    expected = 2 * sigma2 * trace(inverse(M) @ D) - sigma2**2 * trace(inverse(M) @ D @ inverse(M))
    assert derivative(f, sigma2) == expected + trace(inverse(M)) + 1 / sigma2


def test_textbook_gradients():
    assert gradient(trace(A @ W @ V), W) == A.T @ V.T
    assert gradient(trace(A @ W @ V), W) != A @ V.T  # the control: a transposed word
    assert gradient(trace(A @ S), S) == (A + A.T) / 2
    assert gradient(trace(M @ D), D) == diag(M)
    assert gradient(trace(A @ inverse(S)), S) == -inverse(S) @ (A + A.T) @ inverse(S) / 2
    assert gradient(trace(diag(W.T @ W) @ D), W) == 2 * W @ D
    assert gradient(trace(W.T @ A @ W), W) == (A + A.T) @ W
    assert gradient(trace(z.T @ W.T @ x), W) == x @ z.T
    assert gradient(trace(A @ W @ diag(V @ W) @ V), W) == A.T @ V.T @ diag(V @ W) + V.T @ diag(V @ A @ W)
    assert gradient(trace(diag(diag(V @ W) @ V @ W) @ E), W) == 2 * V.T @ diag(V @ W) @ E
    assert gradient(log_det(D), D) == inverse(D)
    assert gradient(Scalar(3) + trace(V @ W), D) == zero(k, k)


@reproducible
@given(st.data())
def test_reducing_by_a_definition_keeps_the_value(data):
    p, q = data.draw(products("n", "k")), data.draw(products("k", "n"))
    for f in (p.words @ inverse(M) @ W.T @ W @ q.words, W.T @ W @ inverse(M) @ q.words):
        reduced = reduce(f, of_definition(M))
        assert close(on_arrays(reduced, arrays(), VALUES), on_arrays(f, arrays(), VALUES), 1e-9)
        assert "W^T W" not in str(reduced)
        assert expand(reduced, M).shape == f.shape
    around = trace(p.words @ q.words @ W @ inverse(M) @ W.T)
    reduced = reduce(around, of_definition(M))
    assert close(on_arrays(reduced, arrays(), VALUES), on_arrays(around, arrays(), VALUES), 1e-9)


def test_the_definition_meets_the_inverse():
    gram = of_definition(M)
    assert reduce(inverse(M) @ W.T @ W, gram) == identity(k) - sigma2 * inverse(M)
    assert reduce(trace(W @ inverse(M) @ W.T), gram) == k - sigma2 * trace(inverse(M))
    assert reduce(diag(W.T @ W), gram) == diag(M) - sigma2 * identity(k)
    assert expand(M @ inverse(M), M) == identity(k)
    assert expand(W @ inverse(M), M) == W @ inverse(M)
    assert expand(M, M) == W.T @ W + sigma2 * identity(k)
    # A sum under an inverse has no inverse as words: it stays.
    assert reduce(inverse(diag(W.T @ W)), gram) == inverse(diag(W.T @ W))
    # Controls: W W^T is no W^T W, and without the relation the two sides stay apart.
    assert reduce(W @ W.T, gram) == W @ W.T
    assert inverse(M) @ W.T @ W != identity(k) - sigma2 * inverse(M)


def test_relations_hold_transposed_and_are_checked():
    eigen = relation(S @ W, W @ D)
    assert reduce(W.T @ S @ A, eigen) == D @ W.T @ A
    assert reduce(S @ S @ W, eigen) == W @ D @ D
    # Around the ring: V and A meet in tr(A W V).
    assert reduce(trace(A @ W @ V), relation(V @ A, D @ V)) == trace(D @ V @ W)
    with pytest.raises(NotConformable):
        relation(S @ W, V)
    for left, right in ((W + W @ D, W), (identity(k), D), (zero(n, k), W)):
        with pytest.raises(ValueError, match="one word"):
            relation(left, right)
    for use in (of_definition, lambda letter: expand(letter, letter)):
        with pytest.raises(ValueError, match="no definition"):
            use(S)
    with pytest.raises(RuntimeError, match="longer"):
        reduce(S, relation(S, S @ A))


def test_the_left_side_of_a_relation_may_have_a_coefficient():
    assert reduce(S @ W, relation(2 * S @ W, W @ D)) == W @ D / 2
    assert reduce(A @ W, of_definition(defined("N", 3 * A @ W + W))) == (defined("N", 3 * A @ W + W) - W) / 3


def test_only_a_trace_is_a_ring():
    """V and A are neighbours in tr(A W V), in A W V they are not."""
    around = relation(V @ A, D @ V)
    for words in (A @ W @ V, diag(A @ W @ V), A @ diag(A @ W @ V) @ W):
        assert reduce(words, around) == words
    assert reduce(trace(A @ W @ V), around) == trace(D @ V @ W)
    assert reduce(trace(S @ A), relation(S, A)) == trace(A @ A)
    # Wherever the ring is written open, the neighbours in it are the same.
    N = letter("N", k, k)
    for words in (N @ D @ M, D @ M @ N, M @ N @ D):
        assert reduce(trace(words), relation(N @ D, D)) == trace(M @ D)
        assert reduce(trace(words), relation(D @ M, D)) == trace(N @ D)
        assert reduce(trace(words), relation(M @ N, D)) == trace(D @ D)


def test_a_relation_is_used_inside_diagonal_parts_wherever_they_stand():
    gram = of_definition(M)
    inner = diag(M) - sigma2 * identity(k)
    assert reduce(W @ diag(W.T @ W) @ V, gram) == W @ inner @ V
    assert reduce(V @ A @ W @ diag(W.T @ W) @ V @ W, gram) == V @ A @ W @ inner @ V @ W
    assert reduce(diag(V @ W) @ V @ W @ diag(W.T @ W), gram) == diag(V @ W) @ V @ W @ inner
    assert reduce(trace(V @ A @ W @ diag(W.T @ W) @ V @ W), gram) == trace(V @ A @ W @ inner @ V @ W)
    # Under an inverse as well, where it leaves one word.
    eigen = relation(S @ W, W @ D)
    assert reduce(W @ inverse(diag(V @ S @ W)), eigen) == W @ inverse(diag(V @ W)) @ inverse(D)


def test_a_long_word_is_reduced_to_the_end():
    power = identity(n)
    for _ in range(60):
        power = power @ A
    assert reduce(power, relation(A @ A, A)) == A


def test_substitution_follows_transposes_and_inverses():
    X = letter("X", k, n)
    assert substitute(V.T @ D, {"V": X @ A}) == A.T @ X.T @ D
    assert substitute(inverse(A).T @ W, {"A": 2 * A @ S}) == inverse(A).T @ inverse(S) @ W / 2


def test_substitution_reaches_everywhere():
    values = arrays()
    f = trace(V @ W @ D) + log_det(D) + trace(inverse(D) @ M) + trace(diag(V @ W) @ D)
    g = substitute(f, {"V": inverse(M) @ W.T, "D": 2 * E})
    inserted = {**values, "V": np.linalg.inv(values["M"]) @ values["W"].T, "D": 2 * values["E"]}
    assert close(on_arrays(g, values, VALUES), on_arrays(f, inserted, VALUES))
    assert not close(on_arrays(f, values, VALUES), on_arrays(f, inserted, VALUES))
    # A letter with a definition changes with what defines it.
    assert substitute(M, {"W": zero(n, k)}) == sigma2 * identity(k)
    assert substitute(log_det(M), {"W": zero(n, k)}) == Scalar(k * sp.log(sigma2))
    assert substitute_log_det(log_det(M) * 2, M, Scalar(k)) == Scalar(2 * k)
    for replaced in (f, V):  # also where the shapes around it would not tell
        with pytest.raises(NotConformable, match="V replaced by W"):
            substitute(replaced, {"V": W})
    with pytest.raises(NotInvertible):
        substitute(trace(inverse(M)), {"W": W @ D})


def test_an_expectation_is_the_mean_over_points_with_these_moments():
    values = arrays()
    mean, covariance = WORDS["V"] @ x, D
    terms = (trace(z.T @ M @ z), trace(x.T @ W @ z), trace(z.T @ z @ x.T @ x), trace(A), log_det(D), Scalar(3))
    f = sum(terms[:2] + terms[3:], Scalar())
    # mean +- sqrt(k d_i) e_i has this mean and this covariance, and f is quadratic.
    k_ = len(values["D"])
    centre = values["V"] @ values["x"]
    points = [
        centre + sign * np.sqrt(k_ * values["D"][i, i]) * np.eye(k_)[:, [i]] for i in range(k_) for sign in (1, -1)
    ]
    expected = np.mean([on_arrays(f, {**values, "z": p}, VALUES) for p in points])
    assert close(on_arrays(expectation(f, z, mean, covariance), values, VALUES), expected)
    # The control: the covariance counts.
    assert not close(on_arrays(expectation(f, z, mean, zero(k, k)), values, VALUES), expected)


def test_a_product_of_two_numbers_has_its_second_moment():
    u, v = W.T @ x, V @ x
    f = trace(u.T @ z @ v.T @ z)
    assert expectation(f, z, zero(k, 1), D) == trace(u.T @ D @ v)
    assert expectation(f, z, zero(k, 1), D) != trace(u.T @ v)


def test_a_number_without_the_vector_stays_a_factor():
    u, v = W.T @ x, V @ x
    f = trace(u.T @ z @ v.T @ z @ x.T @ S @ x)
    expected = trace(u.T @ D @ v @ x.T @ S @ x)
    assert expectation(f, z, zero(k, 1), D) == expected
    assert expectation(f, z, v, D) == expected + trace(u.T @ v @ v.T @ v @ x.T @ S @ x)


def test_a_diagonal_part_without_the_vector_is_a_matrix_like_any_other():
    f = trace(z.T @ inverse(diag(M)) @ z) + trace(diag(M) @ E)
    assert expectation(f, z, zero(k, 1), D) == trace(inverse(diag(M)) @ D) + trace(diag(M) @ E)


def test_a_quadratic_form_is_found_behind_a_diagonal_part():
    f = trace(diag(z @ z.T) @ M @ D @ M)
    assert expectation(f, z, zero(k, 1), D) == trace(D @ M @ D @ M)


def test_what_two_moments_do_not_determine_is_refused():
    third = trace(z.T @ z @ x.T @ W @ z)
    fourth = trace(z @ z.T @ z @ z.T), trace(diag(z @ z.T) @ M @ diag(z @ z.T) @ M)
    for f in (third, *fourth, trace(z.T @ z @ x.T @ x)):
        with pytest.raises(NotQuadratic):
            expectation(f, z, zero(k, 1), D)


def test_the_log_density_of_a_gaussian():
    values = arrays()
    f = log_gaussian(x, inverse(S), log_det(S))
    covariance = values["S"]
    point = values["x"][:, 0]
    quadratic = point @ np.linalg.solve(covariance, point)
    expected = -0.5 * (quadratic + np.linalg.slogdet(2 * np.pi * covariance)[1])
    assert close(on_arrays(f, values, VALUES), expected)


def _without_M():
    values = arrays()
    del values["M"]
    return values


def test_a_change_of_another_shape_is_refused():
    for change in (letter("dX", k, n), letter("dX", n, n)):
        with pytest.raises(NotConformable, match="change of W by dX"):
            differential(W @ V, W, change)
    assert differential(W @ V, W, letter("dX", n, k)) == letter("dX", n, k) @ V


def test_a_number_is_read_from_either_end():
    """x^T W e and e^T W^T x are the same number, of which the part before e is x^T W."""
    e = Letter("(z - E z)", z.shape)
    ((forwards, _),) = (x.T @ W @ of_factor(Factor(e))).terms.items()
    ((backwards, _),) = (of_factor(Factor(e)).T @ W.T @ x).terms.items()
    ((before, _),) = (x.T @ W).terms.items()
    assert forwards.factors != backwards.factors
    assert _ending_in(forwards.factors, e) == _ending_in(backwards.factors, e) == before.factors


def test_a_transposed_letter_expands_to_its_definition_transposed():
    A, B = letter("A", n, k), letter("B", k, n)
    N = defined("N", A @ B)  # not symmetric
    assert expand(N, N) == A @ B
    assert expand(N.T, N) == B.T @ A.T != A @ B
