"""Two outputs of a decoder: the likelihood that they have, that it gains below the proxy, and nothing above."""

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from verify.errors import InputError
from verify.landscape.any_decoder import lower_bound
from verify.landscape.two_outputs import two_atoms


def rows():
    return np.random.default_rng(6).exponential(size=(200, 3)) ** 1.5 * [3, 1, 1] + 5.0


def nats(X, pair, s):
    """Mean log likelihood of the mixture, less that of collapse, by the densities."""
    n = X.shape[1]
    mixture = sum(
        w * multivariate_normal(a, s * np.eye(n)).pdf(X) for w, a in zip(pair.weights, pair.atoms, strict=True)
    )
    return float(np.mean(np.log(mixture) - multivariate_normal(X.mean(axis=0), s * np.eye(n)).logpdf(X)))


@pytest.mark.parametrize("part", [0.3, 0.9, 0.999])
def test_below_the_bound_they_gain_what_is_said(part):
    X = rows()
    found = lower_bound(X)
    s = part * found.value
    pair = two_atoms(X, found.t, s)
    assert pair.nats > 0 and pair.weights.sum() == pytest.approx(1, rel=1e-15) and (pair.weights > 0).all()
    # The densities are near e^-30 and their logarithms near 30: twelve digits of those.
    assert pair.nats == pytest.approx(nats(X, pair, s), abs=3e-12)
    gains = [two_atoms(X, found.t, s, steps).nats for steps in (0, 1, 5, 40)]
    assert gains == sorted(gains) and gains[0] > 0


def test_in_blocks_and_at_other_scales_it_is_the_same():
    X = rows()
    found = lower_bound(X)
    s = 0.5 * found.value
    one = two_atoms(X, found.t, s)
    same = two_atoms(lambda: (X[i : i + 30] for i in range(0, 200, 30)), found.t, s)
    assert same.nats == pytest.approx(one.nats, rel=1e-10) and same.atoms == pytest.approx(one.atoms, rel=1e-9)
    for scale in (2.0**-400, 2.0**400):
        moved = two_atoms(X * scale, found.t / scale, s * scale**2)
        assert moved.nats == pytest.approx(one.nats, rel=1e-9)
        assert moved.atoms / scale == pytest.approx(one.atoms, rel=1e-8)


def test_above_the_proxy_there_is_collapse():
    X = rows()
    found = lower_bound(X)
    for s in (found.upper * 1.01, 10 * found.upper, 1e9):
        pair = two_atoms(X, found.t, s)
        assert pair.nats == 0.0 and pair.weights.tolist() == [1.0, 0.0]
        assert pair.atoms == pytest.approx(np.stack([X.mean(axis=0)] * 2), rel=1e-14)


def test_a_weight_by_hand():
    """Two data of ten lie at 1: with e of the prior at theta the gain is 0.2 log(1 + e a) + 0.8 log(1 - e b)."""
    X = np.repeat([[0.0], [1.0]], [8, 2], axis=0)
    s = 0.05
    pair = two_atoms(X, np.array([1 / s]), s, steps=0)
    theta = float(pair.atoms[1, 0]) - 0.2
    a, b = (math.exp((y * theta - theta**2 / 2) / s) - 1 for y in (0.8, -0.2))
    e = -(0.2 * a + 0.8 * b) / (a * b)
    assert pair.weights[1] == pytest.approx(e, rel=1e-9)
    assert pair.nats == pytest.approx(0.2 * math.log1p(e * a) + 0.8 * math.log1p(e * b), rel=1e-12)
    # Of the lengths that were tried no other is better.
    for r in np.geomspace(0.25, 4, 9):
        a, b = (math.exp((y * r - r**2 / 2) / s) - 1 for y in (0.8, -0.2))
        e = min(max(-(0.2 * a + 0.8 * b) / (a * b), 0.0), 1 - 1e-12)
        assert pair.nats >= 0.2 * math.log1p(e * a) + 0.8 * math.log1p(e * b) - 1e-12


def test_at_small_noise_they_are_the_two_values():
    X = np.repeat([[0.0, 3.0], [1.0, 3.0]], [8, 2], axis=0)
    pair = two_atoms(X, np.array([1e4, 0.0]), 1e-4)
    assert pair.atoms == pytest.approx(np.array([[0.0, 3.0], [1.0, 3.0]]), abs=1e-9)
    assert pair.weights == pytest.approx([0.8, 0.2], rel=1e-9)
    entropy = -(0.8 * math.log(0.8) + 0.2 * math.log(0.2))
    assert pair.nats == pytest.approx(0.16 / 2e-4 - entropy, rel=1e-12)


@pytest.mark.parametrize(
    ("t", "s", "said"),
    [
        (np.zeros(3), 1.0, "not all of them 0"),
        (np.array([1.0, np.nan, 0.0]), 1.0, "finite"),
        (np.ones((3, 1)), 1.0, "shape"),
        (np.ones(2), 1.0, "3 columns"),
        (np.ones(3), 0.0, "sigma2 = 0"),
        (np.ones(3), -1.0, "positive"),
    ],
)
def test_bad_input_is_said_in_a_line(t, s, said):
    with pytest.raises(InputError, match=said) as error:
        two_atoms(rows(), t, s)
    assert "\n" not in str(error.value)
