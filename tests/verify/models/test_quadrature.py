"""The rules for Gaussian expectations, against moments and integrals that are known."""

import numpy as np
import pytest

from verify.errors import InputError
from verify.models import quadrature
from verify.models.quadrature import for_dimension, hermite, product, sampled, spacing_for_sigmoids, uniform


def mean(rule, f):
    return float(np.exp(rule.log_weights) @ f(rule.nodes))


@pytest.mark.parametrize("rule", [hermite(1, 5), hermite(2, 6), hermite(3), uniform(1, 0.7), uniform(2, 0.7)])
def test_weights_and_moments_of_a_normal_vector(rule):
    """1, E z = 0, E z_i^2 = 1, E z_1^4 = 3, E z_i z_j = 0; E z^10 = 945 is beyond five points and only there wrong."""
    k = rule.nodes.shape[1]
    assert mean(rule, lambda z: np.ones(len(z))) == pytest.approx(1, abs=1e-13)
    for i in range(k):
        assert mean(rule, lambda z, i=i: z[:, i]) == pytest.approx(0, abs=1e-13)
        for j in range(k):
            assert mean(rule, lambda z, i=i, j=j: z[:, i] * z[:, j]) == pytest.approx(float(i == j), abs=1e-12)
    assert mean(rule, lambda z: z[:, 0] ** 4) == pytest.approx(3, rel=1e-11)
    tenth = mean(rule, lambda z: z[:, 0] ** 10)
    five = len(rule.nodes) == 5
    assert (tenth == pytest.approx(945, rel=1e-9)) is not five


def test_the_uniform_rule_is_symmetric_and_reaches_as_far_as_it_says():
    rule = uniform(1, 0.7, reach=3.0)
    assert rule.nodes[:, 0].tolist() == pytest.approx([0.7 * i for i in range(-4, 5)], rel=1e-15)
    density = 0.7 * np.exp(-0.5 * rule.nodes[:, 0] ** 2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(np.exp(rule.log_weights), density, rtol=1e-14)
    assert len(uniform(1, 3.0, reach=3.0).nodes) == 3


def test_the_spacing_for_sigmoids_is_the_widest_that_its_bound_allows():
    """exp(d^2/2 - 2 pi d/h) = exp(-37), some 1e-16, at the pole, or at the best d where the poles are further away."""
    for scale in (0.0, 1e-3, 0.1, 0.5, 2.0, 30.0):
        h = spacing_for_sigmoids(scale)
        depths = np.linspace(1e-3, min(np.pi / scale, 60.0) if scale else 60.0, 100_001)
        best = (0.5 * depths**2 - 2 * np.pi * depths / h).min()
        assert best == pytest.approx(-37, abs=1e-3)  # of the grid of depths


def test_the_spacing_for_sigmoids_is_fine_enough_and_not_wasteful():
    for scale in (0.0, 1e-3, 0.3, 1.0, 4.0, 30.0):
        h = spacing_for_sigmoids(scale)

        def at(spacing, scale=scale):
            return mean(uniform(1, spacing), lambda z: np.logaddexp(0, 0.3 + scale * z[:, 0]))

        exact = at(h / 3)
        assert abs(at(h) - exact) <= 1e-14 * max(1, scale)
        if scale >= 1:  # with a third of the nodes it is no longer exact
            assert abs(at(3 * h) - exact) > 1e-12


def test_samples_come_in_pairs_from_a_seed():
    rule = sampled(5, 1001, seed=3)
    assert rule.pairs
    assert rule.nodes.shape == (1002, 5)
    assert (rule.nodes[:501] == -rule.nodes[501:]).all()
    assert np.exp(rule.log_weights).sum() == pytest.approx(1, abs=1e-13)
    assert (sampled(5, 1001, seed=3).nodes == rule.nodes).all()
    assert not (sampled(5, 1001, seed=4).nodes == rule.nodes).any()
    # Five standard errors of E z^2, 0.02.
    assert mean(sampled(2, 20_000), lambda z: z[:, 0] ** 2) == pytest.approx(1, abs=0.1)


def test_an_even_number_of_samples_is_drawn_as_it_is_and_four_are_enough():
    assert [len(sampled(2, samples).nodes) for samples in (4, 5, 6, 1000)] == [4, 6, 6, 1000]


def test_who_names_no_seed_has_seed_0():
    """Two people who say nothing see the same numbers, and those who say 0 see them too."""
    for rule in (sampled(4), for_dimension(4)):
        assert (rule.nodes == sampled(4, seed=0).nodes).all()


def test_one_point_is_the_mean():
    for k in (1, 3):
        rule = hermite(k, 1)
        assert rule.nodes.tolist() == [[0.0] * k]
        assert np.exp(rule.log_weights) == pytest.approx([1.0], abs=1e-15)


def test_nodes_without_weight_are_left_out():
    """At z = 40 the normal density is exp(-800), which is zero in doubles: its logarithm would be -inf."""
    rule = hermite(1, 600)
    assert len(rule.nodes) < 600 and np.isfinite(rule.log_weights).all()
    assert mean(rule, lambda z: z[:, 0] ** 8) == pytest.approx(105, rel=1e-11)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_rules_that_nobody_chose_see_a_sigmoid_and_keep_nobody_waiting(k):
    rule, fine = hermite(k), uniform(1, spacing_for_sigmoids(1.0))
    assert len(rule.nodes) <= 2**15
    exact = mean(fine, lambda z: np.logaddexp(0, 0.3 + z[:, 0]))
    for i in range(k):
        assert mean(rule, lambda z, i=i: np.logaddexp(0, 0.3 + z[:, i])) == pytest.approx(exact, rel=1e-9)


def test_a_product_has_at_most_2_to_the_24_nodes(monkeypatch):
    line = np.zeros(4097)  # the square of 4096 is 2^24
    with pytest.raises(InputError, match="at most 2\\^24 nodes"):
        product(line, line, 2)
    monkeypatch.setattr(quadrature, "MOST_NODES", 16)  # the bound itself is allowed
    assert len(product(line[:4], line[:4], 2).nodes) == 16
    with pytest.raises(InputError, match="a product of 5 nodes"):
        product(line[:5], line[:5], 2)


def test_many_dimensions_are_sampled():
    assert [for_dimension(k).pairs for k in (1, 2, 3, 4, 20)] == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: hermite(4), "k = 4: say how many points"),
        (lambda: hermite(2, 0), "how many points"),
        (lambda: hermite(0, 5), "1 <= k"),
        (lambda: hermite(8, 32), "2\\^24"),
        (lambda: hermite(1.5, 3), "whole number"),
        (lambda: uniform(1, 0.0), "positive"),
        (lambda: uniform(1, 9.0), "at most the reach"),
        (lambda: sampled(2, 3), "4 samples"),
        (lambda: sampled(0), "at least 1 dimension"),
        (lambda: sampled(2, 100, seed=-1), "seed"),
    ],
)
def test_rules_that_make_no_sense_are_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()
