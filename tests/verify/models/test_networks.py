"""Affine maps as ReLU networks: against the map itself, unit by unit, and what is too narrow."""

import numpy as np
import pytest

from verify.errors import InputError
from verify.models.networks import apply, rank_factors, relu_network, shifted_relu_network

DEPTHS = [(4,), (4, 9), (8, 4, 5), (6, 6, 6, 6)]


def affine(seed, n=5, k=4, q=2):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, q)) @ rng.standard_normal((q, k)), rng.standard_normal(n), rng


def by_hand(layers, x, slope):
    """One datum, one unit after the other."""
    for depth, (weight, bias) in enumerate(layers):
        sums = [sum(w * v for w, v in zip(row, x, strict=True)) + c for row, c in zip(weight, bias, strict=True)]
        x = sums if depth + 1 == len(layers) else [t if t > 0 else slope * t for t in sums]
    return x


@pytest.mark.parametrize("widths", DEPTHS, ids=str)
@pytest.mark.parametrize("slope", [0.0, 0.01, 0.3, 1.0, -0.5])
def test_the_network_is_the_affine_map(widths, slope):
    A, b, rng = affine(1)
    layers = relu_network(A, b, widths, slope)
    assert [w.shape for w, _ in layers] == [(h, k) for k, h in zip((4, *widths), (*widths, 5), strict=True)]
    X = 100 * rng.standard_normal((50, 4))
    size = np.abs(X @ A.T).max()
    np.testing.assert_allclose(apply(layers, X, slope), X @ A.T + b, rtol=0, atol=1e-13 * size)
    # The control: the same weights with another unit between the layers.
    assert np.abs(apply(layers, X, slope + 0.1) - X @ A.T - b).max() > 1e-2 * size or slope == -1.1


@pytest.mark.parametrize("widths", [(4, 6)], ids=str)
def test_applying_is_what_is_meant_by_it(widths):
    A, b, rng = affine(2)
    x = rng.standard_normal(4)
    for slope in (0.0, 0.2):
        layers = relu_network(A, b, widths, slope)
        np.testing.assert_allclose(apply(layers, x, slope), by_hand(layers, x, slope), rtol=1e-12)
    layers = [(rng.standard_normal((3, 4)), rng.standard_normal(3)), (rng.standard_normal((2, 3)), np.ones(2))]
    np.testing.assert_allclose(apply(layers, x, 0.1), by_hand(layers, x, 0.1), rtol=1e-12)


@pytest.mark.parametrize("widths", DEPTHS, ids=str)
def test_every_unit_that_is_used_is_needed(widths):
    A, b, rng = affine(3)
    X = rng.standard_normal((40, 4))
    layers = relu_network(A, b, widths)
    for depth, width in enumerate(widths):
        for unit in range(width):
            cut = [(w.copy(), c) for w, c in layers]
            cut[depth + 1][0][:, unit] = 0.0
            off = np.abs(apply(cut, X) - X @ A.T - b).max()
            assert (off > 1e-3) == (unit < 4)


def test_a_layer_narrower_than_twice_the_rank_is_refused():
    A, b, _ = affine(4)
    with pytest.raises(InputError, match=r"^hidden layer 2 has 3 units: it takes 4, two units for each of the 2 dim"):
        relu_network(A, b, (4, 3))
    with pytest.raises(InputError, match=r"^hidden layer 1 has 1 units: it takes 2, one unit"):
        shifted_relu_network(A, b, (1, 3), 5.0)
    with pytest.raises(InputError, match="slope = -1"):
        relu_network(A, b, (4,), -1.0)
    with pytest.raises(InputError, match="width of hidden layer 1"):
        relu_network(A, b, (4.5,))


def test_no_hidden_layer_is_the_map_itself():
    A, b, _ = affine(5)
    ((weight, bias),) = relu_network(A, b, ())
    np.testing.assert_allclose(weight, A, rtol=0, atol=1e-13)
    assert (bias == b).all()
    with pytest.raises(InputError, match="no hidden layer"):
        shifted_relu_network(A, b, (), 1.0)


def test_a_map_that_is_constant_takes_any_width():
    layers = relu_network(np.zeros((3, 2)), np.ones(3), (1, 1))
    assert (apply(layers, np.array([[5.0, -7.0]])) == 1).all()
    with pytest.raises(InputError, match=r"^hidden layer 2 has 0 units: it takes 1"):
        relu_network(np.zeros((3, 2)), np.ones(3), (1, 0))


@pytest.mark.parametrize("widths", [(2,), (2, 3), (5, 2, 2)], ids=str)
def test_the_shifted_network_is_the_map_down_to_its_reach_and_stops_there(widths):
    A, b, rng = affine(6)
    G, H = rank_factors(A)
    X = 3 * rng.standard_normal((200, 4))
    for reach in (0.0, 1.0, 4.0):
        layers = shifted_relu_network(A, b, widths, reach)
        expected = np.maximum(X @ H.T, -reach) @ G.T + b
        np.testing.assert_allclose(apply(layers, X), expected, rtol=0, atol=1e-12)
        inside = np.min(X @ H.T, axis=1) >= -reach
        assert 0 < inside.sum() < 200
        assert np.abs(apply(layers, X)[~inside] - (X @ A.T + b)[~inside]).min() > 1e-6
    far = shifted_relu_network(A, b, widths, float(-(X @ H.T).min()))
    np.testing.assert_allclose(apply(far, X), X @ A.T + b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("reach", [-1.0, np.inf, np.nan])
def test_a_reach_that_is_none_is_refused(reach):
    with pytest.raises(InputError, match=r"^reach = "):
        shifted_relu_network(np.eye(2), np.zeros(2), (2,), reach)


@pytest.mark.parametrize("scale", [1e-150, 1e-6, 1.0, 1e6, 1e150])
def test_the_factors_have_the_rank_and_the_product(scale):
    for q in range(5):
        A = scale * affine(7, q=q)[0]
        G, H = rank_factors(A)
        assert G.shape == (5, q)
        assert H.shape == (q, 4)
        np.testing.assert_allclose(G @ H, A, rtol=0, atol=1e-14 * scale * 10)
        np.testing.assert_allclose(G.T @ G, H @ H.T, rtol=0, atol=1e-14 * scale * 20)
