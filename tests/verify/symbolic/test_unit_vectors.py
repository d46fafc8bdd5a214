"""Unit vectors in words against NumPy, and the second derivatives derived with them."""

import numpy as np
import pytest

from tests.verify.symbolic.random_words import VALUES, WORDS, arrays
from tests.verify.symbolic.test_matrix_calculus import close
from verify.models import linear_vae as vae_model
from verify.models import ppca as ppca_model
from verify.symbolic import linear_vae, ppca
from verify.symbolic.evaluation import on_arrays
from verify.symbolic.letters import k, n, sigma2
from verify.symbolic.matrix_calculus import NotConformable, diag, identity, inverse, letter, zero
from verify.symbolic.relations import reduce
from verify.symbolic.traces import Scalar, trace
from verify.symbolic.unit_vectors import on_axes, on_blocks, orthonormal, unit_vector

W, V, A, S, D, M = (WORDS[name] for name in "WVASDM")
e, f = unit_vector("e", k), unit_vector("f", k)


def with_axes(i=0, j=2):
    """The arrays of random_words, with e and f two axes."""
    return {**arrays(), "e": np.eye(3)[:, [i]], "f": np.eye(3)[:, [j]]}


@pytest.mark.parametrize(
    "words",
    [
        diag(M @ e @ f.T),
        diag(e @ f.T @ M),
        diag(D @ V @ A @ W @ e @ f.T @ D),
        diag(e @ f.T),
        diag(e @ e.T),
        inverse(M) @ diag(V @ W @ e @ e.T) @ M,
        trace(diag(M @ e @ f.T) @ M @ diag(V @ W @ e @ f.T) @ M),
    ],
    ids=str,
)
def test_a_diagonal_part_on_an_axis_has_the_value_of_its_entry(words):
    values = with_axes()
    rewritten = on_axes(words, e, f)
    assert close(on_arrays(rewritten, values, VALUES), on_arrays(words, values, VALUES))
    assert "diag" not in str(rewritten)
    # The control: for a vector that is no axis the two differ.
    skew = {**values, "e": np.ones((3, 1)) / np.sqrt(3), "f": np.array([[0.6], [0.0], [0.8]])}
    assert not close(on_arrays(rewritten, skew, VALUES), on_arrays(words, skew, VALUES), 1e-3)


def test_only_the_given_axes_are_used_and_inverses_are_left_alone():
    assert on_axes(diag(M @ e @ f.T), e) == diag(M @ e @ f.T)  # e is inside: the axis at the end is f
    assert on_axes(diag(M @ e @ f.T), f) == f @ f.T @ M @ e @ f.T
    assert on_axes(diag(M @ e @ f.T)) == diag(M @ e @ f.T)
    # e f^T ends in an axis whichever way it is read, and so does f e^T.
    assert on_axes(diag(e @ f.T), e) == e @ e.T @ f @ e.T
    assert on_axes(diag(e @ f.T), f) == f @ f.T @ e @ f.T
    assert on_axes(diag(V @ W), e, f) == diag(V @ W)
    assert on_axes(inverse(diag(M)), e) == inverse(diag(M))
    assert on_axes(inverse(diag(M @ e @ f.T)), e, f) == inverse(diag(M @ e @ f.T))
    assert on_axes(inverse(diag(M @ e @ e.T @ M @ e @ e.T)), f) == inverse(diag(M @ e @ e.T @ M @ e @ e.T))


def test_a_diagonal_part_on_a_selector_has_the_values_of_its_block():
    P, B = letter("P", k, 2), letter("B", 2, 2)
    values = {**arrays(), "P": np.eye(3)[:, [2, 0]], "B": np.array([[1.0, 2.0], [3.0, 5.0]])}
    skew = {**values, "P": np.linalg.qr(np.array([[1.0, 2.0], [3.0, 1.0], [1.0, 1.0]]))[0]}
    for words in (diag(P @ B @ P.T), diag(P @ B @ P.T @ M @ P @ P.T), M @ diag(P @ B.T @ P.T) @ M):
        rewritten = on_blocks(words, P)
        assert close(on_arrays(rewritten, values, VALUES), on_arrays(words, values, VALUES))
        assert rewritten != words
        assert not close(on_arrays(rewritten, skew, VALUES), on_arrays(words, skew, VALUES), 1e-3)  # no selector
    assert on_blocks(diag(P @ P.T), P) == P @ P.T
    assert on_blocks(V @ diag(A) @ W @ diag(P @ B @ P.T) @ M, P) == V @ diag(A) @ W @ P @ diag(B) @ P.T @ M
    # One end alone is no block, nor is a selector that is symmetric.
    exchange = letter("R", k, k, "symmetric")
    for words in (diag(P @ B @ P.T @ M), diag(P @ letter("C", 2, k)), diag(exchange), diag(V @ W)):
        assert on_blocks(words, P, exchange) == words
    assert on_blocks(diag(P @ B @ P.T)) == diag(P @ B @ P.T)
    assert on_blocks(diag(P @ B @ P.T @ M), P) == diag(P @ B @ P.T @ M)
    assert on_blocks(inverse(diag(P @ B @ P.T)), P) == inverse(diag(P @ B @ P.T))


def test_orthonormal_vectors_have_length_one_and_no_angles():
    rules = orthonormal(e, f)
    assert reduce(e.T @ e, *rules) == identity(1)
    assert reduce(M @ f @ f.T @ f, *rules) == M @ f
    assert reduce(e.T @ f, *rules) == zero(1, 1) == reduce(f.T @ e, *rules)
    assert reduce(trace(e @ e.T), *rules) == Scalar(1)
    assert reduce(e.T @ e, *orthonormal(f)) != identity(1)  # the control: not asked for
    with pytest.raises(NotConformable):
        orthonormal(e, unit_vector("u", n))


def second_order(rng):
    """Arrays for W, X, S and values for the symbols."""
    B = rng.standard_normal((5, 9))
    arrays_ = {"W": rng.standard_normal((5, 3)), "X": rng.standard_normal((5, 3)), "S": B @ B.T / 9}
    return arrays_, {n: 5, k: 3, sigma2: 0.7}


def test_the_derived_hessians_are_those_of_finite_differences():
    values, symbols = second_order(np.random.default_rng(1))
    X, h = letter("X", n, k), 1e-5
    for words, of in (
        (ppca.hessian_vector_product(X), ppca_model.gradient),
        (linear_vae.profile_hessian_vector_product(X), vae_model.profile_gradient),
    ):
        there, back = (of(values["W"] + sign * h * values["X"], 0.7, values["S"]) for sign in (1, -1))
        # Central differences err by h^2 = 1e-10 and by rounding, 1e-16/h.
        assert close(on_arrays(words, values, symbols), (there - back) / (2 * h), 1e-7)
        assert not close(-on_arrays(words, values, symbols), (there - back) / (2 * h), 1e-7)


def test_the_derived_noise_derivatives_are_those_of_the_models():
    values, symbols = second_order(np.random.default_rng(2))
    arguments = values["W"], 0.7, values["S"]
    for words, of in (
        (ppca.gradient_in_latents(), ppca_model.gradient),
        (ppca.mixed_noise_gradient(), ppca_model.mixed_noise_gradient),
        (ppca.noise_curvature(), ppca_model.noise_curvature),
        (linear_vae.profile_elbo(), vae_model.profile_elbo),
        (linear_vae.profile_gradient(), vae_model.profile_gradient),
        (linear_vae.profile_noise_gradient(), vae_model.profile_noise_gradient),
    ):
        actual = on_arrays(words, values, symbols)
        # Order-1 terms in float64.
        assert close(actual, of(*arguments), 1e-11)
        assert not close(1.001 * np.asarray(actual), of(*arguments), 1e-6)  # the control
