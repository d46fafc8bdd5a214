"""Bernoulli pPCA against its definition written out, and its derivatives against central differences.

Central differences with step h err by about h^2 + eps/h, 1e-10 at h = 1e-5; a wrong factor or sign by far more.
"""

import numpy as np
import pytest
from scipy.special import logsumexp

from tests.verify.models.test_derivatives import close, numerical
from verify.errors import InputError
from verify.models import bernoulli
from verify.models.quadrature import hermite, sampled, uniform


@pytest.fixture(params=[(4, 2, 0), (3, 1, 1), (1, 1, 2), (2, 3, 3)], ids=lambda p: f"n{p[0]}k{p[1]}")
def problem(request):
    n, k, seed = request.param
    rng = np.random.default_rng(seed)
    return {
        "W": rng.standard_normal((n, k)),
        "V": rng.standard_normal((k, n)),
        "D": rng.uniform(0.3, 2.0, k),
        "mu": rng.standard_normal(n),
        "x": np.concatenate([rng.integers(0, 2, (5, n)), rng.random((3, n))]),
    }


def naive_density(W, mu, datum, rule):
    """The sum over nodes of weight times the product over pixels of y^x (1 - y)^(1 - x)."""
    total = 0.0
    for z, log_weight in zip(rule.nodes, rule.log_weights, strict=True):
        p = np.exp(log_weight)
        for i in range(len(mu)):
            y = 1 / (1 + np.exp(-(W[i] @ z + mu[i])))
            p *= y ** datum[i] * (1 - y) ** (1 - datum[i])
        total += p
    return total


def test_the_likelihood_is_its_definition(problem):
    W, mu, x = problem["W"], problem["mu"], problem["x"]
    rule = hermite(W.shape[1], 7)
    expected = [np.log(naive_density(W, mu, datum, rule)) for datum in x]
    assert np.allclose(bernoulli.log_densities(W, mu, x, rule), expected, rtol=1e-13)
    assert bernoulli.log_likelihood(W, mu, x, rule) == pytest.approx(np.mean(expected), rel=1e-13)
    assert not np.allclose(bernoulli.log_densities(W, mu, 1 - x, rule), expected, rtol=1e-6)


def test_small_blocks_change_nothing(problem, monkeypatch):
    W, mu, x = problem["W"], problem["mu"], problem["x"]
    rule = hermite(W.shape[1], 7)
    whole = (
        bernoulli.log_likelihood(W, mu, x, rule),
        *bernoulli.gradient(W, mu, x, rule),
        bernoulli.monte_carlo(W, mu, x, 64),
    )
    for block in (40, 1):  # of one node each where even one is too large
        monkeypatch.setattr(bernoulli, "BLOCK", block)
        small = bernoulli.monte_carlo(W, mu, x, 64)
        parts = bernoulli.log_likelihood(W, mu, x, rule), *bernoulli.gradient(W, mu, x, rule), small
        for a, b in zip(whole, parts, strict=True):
            assert np.allclose(a, b, rtol=1e-12, atol=1e-15)


def test_the_gradient_is_the_derivative(problem):
    W, mu, x = problem["W"], problem["mu"], problem["x"]
    for rule in (hermite(W.shape[1], 9), sampled(W.shape[1], 50)):
        g = bernoulli.gradient(W, mu, x, rule)
        assert close(g.W, numerical(lambda w, r=rule: bernoulli.log_likelihood(w, mu, x, r), W))
        assert close(g.mu, numerical(lambda m, r=rule: bernoulli.log_likelihood(W, m, x, r), mu))
        assert not close(1.001 * g.W, numerical(lambda w, r=rule: bernoulli.log_likelihood(w, mu, x, r), W))


def test_the_gradients_of_the_elbo(problem):
    W, V, D, mu, x = problem.values()
    for centre in (None, mu):
        g = bernoulli.elbo_gradients(W, V, D, mu, x, centre)
        assert close(g.W, numerical(lambda w, c=centre: bernoulli.elbo(w, V, D, mu, x, c), W))
        assert close(g.V, numerical(lambda v, c=centre: bernoulli.elbo(W, v, D, mu, x, c), V))
        assert close(g.D, numerical(lambda d, c=centre: bernoulli.elbo(W, V, d, mu, x, c), D))
        # The derivative in mu is that at a fixed centre.
        assert close(g.mu, numerical(lambda m, c=centre: bernoulli.elbo(W, V, D, m, x, c), mu))


def elbo_on_a_grid(W, V, D, mu, x, centre, rule):
    """E_q[log p(x|z) + log p(z) - log q(z|x)], z on a grid in k dimensions."""
    total = 0.0
    for datum in x:
        e = rule.nodes * np.sqrt(D)
        z = V @ (datum - centre) + e
        a = z @ W.T + mu
        log_p = (datum * a - np.logaddexp(0, a)).sum(axis=1)
        log_ratio = -0.5 * (z**2).sum(axis=1) + 0.5 * (e**2 / D).sum(axis=1) + 0.5 * np.log(D).sum()
        total += np.exp(rule.log_weights) @ (log_p + log_ratio)
    return total / len(x)


def test_the_elbo_is_its_definition(problem):
    W, V, D, mu, x = problem.values()
    rule, digits = (uniform(len(D), 0.3), 1e-10) if len(D) < 3 else (uniform(3, 0.5), 1e-6)
    expected = elbo_on_a_grid(W, V, D, mu, x, x.mean(axis=0), rule)
    assert bernoulli.elbo(W, V, D, mu, x) == pytest.approx(expected, rel=digits)
    assert bernoulli.elbo(W, V, D, mu, x) < bernoulli.log_likelihood(W, mu, x)
    assert bernoulli.elbo(W, V, D**2, mu, x) != pytest.approx(expected, rel=1e-3)
    expected = elbo_on_a_grid(W, V, D, mu, x, mu, rule)
    assert bernoulli.elbo(W, V, D, mu, x, mu) == pytest.approx(expected, rel=digits)


def test_the_elbo_is_concave_in_the_encoder():
    """In (V, sqrt D) together, along random chords."""
    rng = np.random.default_rng(5)
    for _ in range(30):
        W, mu, x = 3 * rng.standard_normal((3, 2)), rng.standard_normal(3), rng.random((4, 3))
        V, s = 2 * rng.standard_normal((2, 2, 3)), rng.uniform(0.1, 3, (2, 2))
        ends = [bernoulli.elbo(W, v, t**2, mu, x) for v, t in zip(V, s, strict=True)]
        assert bernoulli.elbo(W, V.mean(axis=0), s.mean(axis=0) ** 2, mu, x) > np.mean(ends)


@pytest.mark.parametrize("scale", [1.0, 0.2])
def test_the_standard_error_is_that_of_many_seeds(scale):
    """Where W is small log p(x|z) is nearly linear in z, and what one sample of a pair has too much the other lacks."""
    rng = np.random.default_rng(6)
    W, mu, x = scale * rng.standard_normal((4, 5)), rng.standard_normal(4), rng.integers(0, 2, (20, 4))
    estimates = [bernoulli.monte_carlo(W, mu, x, 400, seed) for seed in range(200)]
    spread = np.std([e.value for e in estimates], ddof=1)
    claimed = np.mean([e.standard_error for e in estimates])
    # The spread of 200 values is known to 5 %; the pairs must not be taken for independent samples.
    assert claimed == pytest.approx(spread, rel=0.2)
    exact = bernoulli.monte_carlo(W, mu, x, 200_000).value
    assert abs(np.mean([e.value for e in estimates]) - exact) < 0.2 * spread


def test_the_standard_error_of_two_pairs_is_half_their_distance(problem):
    """The deviation of two numbers, with N - 1, is their distance over sqrt(2), that of their mean half of it."""
    W, mu, x = problem["W"], problem["mu"], problem["x"]
    rule = sampled(W.shape[1], 4, 3)
    each = [rule._replace(nodes=rule.nodes[i : i + 1], log_weights=np.zeros(1)) for i in range(4)]
    given_z = np.array([[naive_density(W, mu, datum, one) for one in each] for datum in x])
    relative = (given_z / given_z.mean(axis=1, keepdims=True)).mean(axis=0)
    first, second = relative[[0, 2]].mean(), relative[[1, 3]].mean()
    found = bernoulli.monte_carlo(W, mu, x, 4, 3)
    assert found.standard_error == pytest.approx(abs(first - second) / 2, rel=1e-10)
    assert found.value == pytest.approx(np.log(given_z.mean(axis=1)).mean(), rel=1e-12)


def test_who_names_no_rule_has_samples_with_seed_0_beyond_three_latents():
    rng = np.random.default_rng(8)
    W, mu, x = rng.standard_normal((3, 4)), rng.standard_normal(3), rng.integers(0, 2, (5, 3))
    assert bernoulli.log_likelihood(W, mu, x) == bernoulli.log_likelihood(W, mu, x, sampled(4, seed=0))
    assert bernoulli.monte_carlo(W, mu, x, 64) == bernoulli.monte_carlo(W, mu, x, 64, 0)


@pytest.mark.parametrize("shape", [(8, 3), (3, 8)])
@pytest.mark.parametrize(("block", "nodes"), [(40, 5), (39, 4), (1, 1)])
def test_a_block_of_nodes_has_no_more_entries_than_it_may(monkeypatch, shape, block, nodes):
    """Neither the logits (nodes, n) nor the values (N, nodes); and one node is the least."""
    seen, softplus = [], bernoulli.softplus
    monkeypatch.setattr(bernoulli, "BLOCK", block)
    monkeypatch.setattr(bernoulli, "softplus", lambda a: seen.append(len(a)) or softplus(a))
    bernoulli.log_likelihood(np.ones((shape[1], 1)), np.zeros(shape[1]), np.zeros(shape), hermite(1, 10))
    assert seen == [nodes] * (10 // nodes) + [10 % nodes] * (10 % nodes > 0)


def test_a_block_takes_32_mib_and_is_not_split_for_less(monkeypatch):
    def first(a):
        raise MemoryError(a.nbytes)

    monkeypatch.setattr(bernoulli, "softplus", first)
    with pytest.raises(MemoryError) as size:
        bernoulli.log_likelihood(np.ones((1000, 4)), np.zeros(1000), np.zeros((1, 1000)))
    assert 2**24 < size.value.args[0] <= 2**25


def test_a_pixel_is_integrated_as_if_it_were_alone_and_with_few_nodes():
    deviations, calls = np.array([0.1, 3.0, 1.0]), []

    def counted(a):
        calls.append(a)
        return bernoulli.softplus(a)

    mean = np.array([[0.5, -1.0, 2.0]])
    together = bernoulli.gaussian_mean(counted, mean, deviations)
    assert len(calls) < 200  # a rule on the line: that in the plane has thousands
    for i in range(3):
        alone = bernoulli.gaussian_mean(bernoulli.softplus, mean[:, [i]], deviations[[i]])
        assert together[:, [i]] == pytest.approx(alone, rel=1e-13)


def test_doubles_are_taken_as_they_are():
    x = np.array([[0.0, 0.25]])
    assert np.shares_memory(bernoulli.observations(x), x)
    assert bernoulli.observations(x > 0).dtype == np.float64


def test_nodes_of_very_different_weight_do_not_overflow():
    """p(x|z) of 3000 pixels runs over thousands of decades from node to node."""
    rule, W, mu = hermite(1, 20), np.ones((3000, 1)), np.full(3000, 2.0)
    a = rule.nodes[:, 0] + 2.0
    with np.errstate(over="raise", invalid="raise"):
        value = bernoulli.log_likelihood(W, mu, np.zeros((1, 3000)), rule)
    expected = logsumexp(rule.log_weights - 3000 * np.log1p(np.exp(a)))
    assert value == pytest.approx(expected, rel=1e-13)


def test_extreme_logits_neither_overflow_nor_lose_everything():
    a = np.array([-1e4, -800.0, -40.0, 0.0, 40.0, 800.0, 1e4])
    with np.errstate(over="raise", invalid="raise"):
        assert np.allclose(bernoulli.softplus(a), [0, 0, np.exp(-40), np.log(2), 40, 800, 1e4], rtol=1e-14)
        assert np.allclose(bernoulli.sigmoid(a), [0, 0, np.exp(-40), 0.5, 1, 1, 1], rtol=1e-14)
        # 3000 pixels of which the model is certain, and wrong: p is far below the smallest double.
        value = bernoulli.log_likelihood(np.zeros((3000, 1)), np.full(3000, 50.0), np.zeros((1, 3000)))
    assert value == pytest.approx(-150_000, rel=1e-12)


def test_constant_pixels_are_found_and_refused():
    x = np.array([[0, 1, 1, 0.5], [0, 0, 1, 0.5]])
    assert bernoulli.constant_pixels(x) == [0, 2]  # the last is constant, too, but its mu is finite
    with pytest.raises(InputError, match="column 1 is constantly 0 or 1"):
        bernoulli.collapsed_mean(x)
    assert np.allclose(bernoulli.collapsed_mean(x[:, [1, 3]]), 0)
    near_one = np.ones((10, 1))
    near_one[0] -= 2.0**-50
    assert bernoulli.collapsed_mean(near_one)[0] == pytest.approx(np.log(10 * 2.0**50), rel=1e-14)


def test_the_bracket_is_its_definition_and_exact_for_binary_data():
    rng = np.random.default_rng(7)
    mixed = np.where(rng.random((9, 4)) < 0.5, rng.random((9, 4)), rng.integers(0, 2, (9, 4)))
    for x in (rng.random((9, 4)), mixed, rng.integers(0, 2, (9, 4)).astype(float), rng.random((3, 4)) < 0.5):
        X = np.asarray(x, dtype=float)
        mean = X.mean(axis=0)
        expected = (X - mean).T @ (X - mean) / len(X) - np.diag(mean * (1 - mean))
        assert np.allclose(bernoulli.collapsed_bracket(x), expected, atol=1e-15)
        assert np.allclose(bernoulli.collapsed_hessian(x, 3), np.kron(expected, np.eye(3)), atol=1e-15)
    # 3/11 of 5/7 of the data: no correlation, where the usual formulas round to one.
    x = np.array([(a < 3, b < 5) for a in range(11) for b in range(7)])
    assert (bernoulli.collapsed_bracket(x) == 0).all()
    assert np.cov(x.T, bias=True)[0, 1] != 0
    assert (x[:, 0] & x[:, 1]).mean() - x[:, 0].mean() * x[:, 1].mean() != 0


@pytest.mark.parametrize(
    ("x", "words"),
    [
        ([[0.0, 1.5]], "1.5 at row 1, column 2"),
        ([[0.0, 1.0], [-1e-9, 0.5]], "-1e-09 at row 2, column 1"),
        ([[0.0], [np.nan]], "nan at row 2, column 1"),
        ([[0.0, 2.0], [3.0, 0.5]], "2 at row 1, column 2"),  # the first of two
        ([[np.inf]], "inf at row 1"),
        ([0.0, 1.0], r"shape \(2,\)"),
        (np.zeros((0, 3)), r"shape \(0, 3\)"),
        ([["a", "b"]], "not real numbers"),
        ([[1j]], "not real numbers"),
        ([[1.0, 0.0], [1.0]], "different lengths"),
    ],
)
def test_what_is_no_bernoulli_observation_is_refused(x, words):
    for f in (bernoulli.observations, bernoulli.constant_pixels, bernoulli.collapsed_bracket):
        with pytest.raises(InputError, match=words):
            f(x)
    with pytest.raises(InputError, match=words):
        bernoulli.log_likelihood(np.zeros((2, 1)), np.zeros(2), x)


def test_a_rule_of_another_dimension_is_refused():
    with pytest.raises(InputError, match="2 dimensions for W with 1 columns"):
        bernoulli.log_likelihood(np.zeros((2, 1)), np.zeros(2), np.zeros((1, 2)), hermite(2, 3))
