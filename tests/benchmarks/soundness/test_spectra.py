"""The landscapes of the trial: gradients that vanish exactly, Hessians that are the derivative of the gradient."""

from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("flint")

from benchmarks.soundness import spectra
from verify.models import linear_vae, ppca


def points(many, seed=3):
    rng = np.random.default_rng(seed)
    return [spectra.point_of(rng) for _ in range(many)]


def test_gradients_are_zero_exactly_and_only_there():
    seen = set()
    for point in points(60):
        seen.add(point.family)
        for objective in ["elbo", *["ppca"] * (point.family == "on axes")]:
            at = spectra.Derivatives(objective, point.lam, point.sigma2, point.W).gradient()
            assert not any(at.entries())
        moved = [list(row) for row in point.W]
        moved[0][0] += Fraction(1, 1000)
        assert any(spectra.Derivatives("elbo", point.lam, point.sigma2, moved).gradient().entries())
    assert seen == {"on axes", "coupled"}


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
def test_the_gradient_is_that_of_the_models(objective):
    for point in points(10):
        W = np.array([[float(x) + 0.1 * (i + 2 * j) for j, x in enumerate(row)] for i, row in enumerate(point.W)])
        exactly = [[Fraction(x) for x in row] for row in W]
        ours = spectra.Derivatives(objective, point.lam, point.sigma2, exactly).gradient()
        S, sigma2 = np.diag([float(x) for x in point.lam]), float(point.sigma2)
        theirs = ppca.gradient(W, sigma2, S) if objective == "ppca" else linear_vae.profile_gradient(W, sigma2, S)
        found = np.array([[int(x.p) / int(x.q) for x in row] for row in ours.tolist()])
        # Both are sums of a few products of numbers of order 1/sigma2^2 at most.
        assert np.abs(found - theirs).max() <= 1e-12 * (1 + np.abs(theirs).max() + 1 / sigma2**2)


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
def test_the_hessian_is_the_difference_of_gradients(objective):
    step = Fraction(1, 10**9)
    for point in points(6):
        H = spectra.Derivatives(objective, point.lam, point.sigma2, point.W).hessian()
        k, scale = point.k, 1 + abs(H.unit) * max(abs(x) for row in H.whole for x in row)
        for entry in range(len(point.lam) * k):
            moved = [list(row) for row in point.W]
            moved[entry // k][entry % k] += step
            there = spectra.Derivatives(objective, point.lam, point.sigma2, moved).gradient().entries()
            before = spectra.Derivatives(objective, point.lam, point.sigma2, point.W).gradient().entries()
            for j, (x, y) in enumerate(zip(there, before, strict=True)):
                slope = Fraction(int((x - y).p), int((x - y).q)) / step
                # The step leaves its first power, times a third derivative of this order.
                assert abs(slope - H.unit * H.whole[entry][j]) <= Fraction(1, 10**4) * scale


def test_spectra_and_rows_meet_their_noise():
    rng = np.random.default_rng(0)
    landscapes = [spectra.spectrum_of(rng) for _ in range(200)]
    assert any(x.sigma2 in x.lam for x in landscapes)
    split = [x for x in landscapes for a, b in zip(x.lam, x.lam[1:], strict=False) if 0 < a - b <= a / 2**51]
    assert len(split) > 30
    for _ in range(50):
        family, rows, divisor = spectra.rows_of(rng)
        assert np.isfinite(rows).all() and divisor > 0 and family
