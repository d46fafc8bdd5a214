"""The second order about collapse, in words, against the functions it is the second order of."""

import numpy as np
import pytest
import sympy as sp

from verify.models import bernoulli as model
from verify.models.quadrature import hermite
from verify.symbolic import bernoulli
from verify.symbolic.evaluation import on_arrays
from verify.symbolic.expectations import expectation
from verify.symbolic.letters import D, V, W, k, n, x, z
from verify.symbolic.matrix_calculus import identity, letter, zero
from verify.symbolic.traces import Scalar, log_det, trace

A = letter("A", n, n)


@pytest.fixture(params=[(3, 2, 0), (4, 1, 1)], ids=lambda p: f"n{p[0]}k{p[1]}")
def problem(request):
    size, columns, seed = request.param
    rng = np.random.default_rng(seed)
    x = rng.random((12, size))
    mean = x.mean(axis=0)
    W, V = rng.standard_normal((size, columns)), rng.standard_normal((columns, size))
    letters = {"W": W, "V": V, "S": model.second_moment(x), "Y": np.diag(mean * (1 - mean))}
    return x, W, V, letters, {n: size, k: columns}


def second_difference(f):
    """1/2 f'' of an even f at 0, to fourth order in the step."""
    t = 1e-2
    return (16 * (f(t) - f(0)) - (f(2 * t) - f(0))) / (12 * t**2)


def test_the_likelihood(problem):
    x, W, _, letters, values = problem
    mu, rule = model.collapsed_mean(x), hermite(W.shape[1], 20)
    expected = second_difference(lambda t: float(model.log_likelihood(t * W, mu, x, rule)))
    assert on_arrays(bernoulli.likelihood(), letters, values) == pytest.approx(expected, abs=1e-6)


def test_the_elbo(problem):
    x, W, V, letters, values = problem
    mu, D = model.collapsed_mean(x), np.ones(W.shape[1])
    expected = second_difference(lambda t: float(model.elbo(t * W, t * V, D, mu, x)))
    found = on_arrays(bernoulli.second_order(bernoulli.elbo()), letters, values)
    assert found == pytest.approx(expected, abs=1e-6)


def test_the_hessian_without_matrix_calculus_is_that_of_theory_4_2():
    """(S - Y) (x) I_k in W, row by row, -Y in mu, nothing between them; S and xbar are symbols, so for all data."""
    for size, columns in ((2, 2), (3, 1)):
        H, S, y = bernoulli.explicit_hessian(size, columns)
        assert len(S.free_symbols) == size * (size + 1) // 2 and S == S.T and len(y) == size
        Y = sp.diag(*[m * (1 - m) for m in y])
        expected = sp.diag(sp.kronecker_product(S - Y, sp.eye(columns)), -Y)
        assert (H - expected).applyfunc(sp.expand) == sp.zeros(*H.shape)
        assert (H + expected).applyfunc(sp.expand) != sp.zeros(*H.shape)


def test_the_hessian_of_one_pixel_and_one_latent():
    H, S, (y,) = bernoulli.explicit_hessian(1, 1)
    slope = y * (1 - y)
    assert (H - sp.diag(S[0, 0] - slope, -slope)).applyfunc(sp.expand) == sp.zeros(2, 2)


def test_the_first_order_has_no_mean_at_a_datum():
    """Or half the square of that mean would have to be taken off the likelihood."""
    first, second = bernoulli.log_ratio()
    assert expectation(first, z, zero(k, 1), identity(k)) == Scalar()
    assert expectation(second, z, zero(k, 1), identity(k)) != Scalar()


def test_the_second_order_is_of_degree_two_in_both_letters():
    kept = trace(W @ V) + trace(W.T @ W) / 3
    other = Scalar(5) + log_det(D) + trace(A) + trace(W.T @ x @ z.T) + trace(V @ x @ x.T @ W @ W.T @ W)
    assert bernoulli.second_order(kept + other) == kept
    assert bernoulli.second_order(trace(D @ W.T @ W)) == trace(W.T @ W)


def test_the_slopes_of_one_observation():
    slopes = bernoulli.observation_slopes(3)
    values = {"xbar": 0.3, "d": 0.2}
    expected = [0.2, -0.21, -0.21 * 0.4]  # y'' = y (1 - y) (1 - 2 y)
    found = [float(s.subs({v: values[v.name] for v in s.free_symbols})) for s in slopes]
    assert found == pytest.approx(expected)
    d, y = sp.symbols("d xbar")
    slope = y * (1 - y)
    exact = [d, -slope, -slope * (1 - 2 * y), -slope * (1 - 6 * slope)]
    assert [sp.expand(s - e) for s, e in zip(bernoulli.observation_slopes(4), exact, strict=True)] == [0] * 4
