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
        for objective in ["elbo", *["ppca"] * point.family.startswith("on axes")]:
            at = spectra.Derivatives(objective, point.lam, point.sigma2, point.W, point.learned).gradient()
            assert not any(at)
        moved = [list(row) for row in point.W]
        moved[0][0] += Fraction(1, 1000)
        assert any(spectra.Derivatives("elbo", point.lam, point.sigma2, moved).gradient())
    assert seen == {"on axes", "coupled", "on axes, learned", "coupled, learned"}


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
def test_the_gradient_is_that_of_the_models(objective):
    for point in points(10):
        W = np.array([[float(x) + 0.1 * (i + 2 * j) for j, x in enumerate(row)] for i, row in enumerate(point.W)])
        exactly = [[Fraction(x) for x in row] for row in W]
        ours = spectra.Derivatives(objective, point.lam, point.sigma2, exactly, learned=True).gradient()
        S, sigma2 = np.diag([float(x) for x in point.lam]), float(point.sigma2)
        in_W, in_noise = {
            "ppca": (ppca.gradient, ppca.noise_gradient),
            "elbo": (linear_vae.profile_gradient, linear_vae.profile_noise_gradient),
        }[objective]
        theirs = np.append(in_W(W, sigma2, S), in_noise(W, sigma2, S))
        found = np.array([int(x.p) / int(x.q) for x in ours])
        # Both are sums of a few products of numbers of order 1/sigma2^2 at most.
        assert np.abs(found - theirs).max() <= 1e-12 * (1 + np.abs(theirs).max() + 1 / sigma2**2)


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
def test_the_hessian_is_the_difference_of_gradients(objective):
    step = Fraction(1, 10**9)

    def gradient(point, sigma2, W):
        found = spectra.Derivatives(objective, point.lam, sigma2, W, learned=True).gradient()
        return [Fraction(int(x.p), int(x.q)) for x in found]

    for point in points(6):
        H = spectra.Derivatives(objective, point.lam, point.sigma2, point.W, learned=True).hessian()
        k, size = point.k, len(point.lam) * point.k
        scale = 1 + H.unit * max(abs(x) for row in H.whole for x in row)
        before = gradient(point, point.sigma2, point.W)
        for entry in range(size + 1):
            moved = [list(row) for row in point.W]
            if entry < size:
                moved[entry // k][entry % k] += step
            after = gradient(point, point.sigma2 + step * (entry == size), moved)
            for j, (x, y) in enumerate(zip(after, before, strict=True)):
                # The step leaves its first power, times a third derivative of this order.
                assert abs((x - y) / step - H.unit * H.whole[entry][j]) <= Fraction(1, 10**4) * scale


def test_spectra_and_rows_meet_their_noise():
    rng = np.random.default_rng(0)
    landscapes = [spectra.spectrum_of(rng) for _ in range(200)]
    assert any(x.sigma2 in x.lam for x in landscapes)
    split = [x for x in landscapes for a, b in zip(x.lam, x.lam[1:], strict=False) if 0 < a - b <= a / 2**51]
    assert len(split) > 30
    for _ in range(50):
        family, rows, divisor = spectra.rows_of(rng)
        assert np.isfinite(rows).all() and divisor > 0 and family
