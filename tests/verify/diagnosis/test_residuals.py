"""The mean residual by what is at hand, and the gain on data that nothing was fitted to."""

import dataclasses
import math

import numpy as np
import pytest

from tests.verify.diagnosis.made_up import holding, outputs_of, rows_of, spread
from verify.diagnosis.measured import halves
from verify.diagnosis.outputs import outputs
from verify.diagnosis.residuals import (
    COLLAPSED,
    DRAWS,
    ONE_DRAW,
    POSTERIOR_MEAN,
    inflated,
    regressed,
    residual_of,
    shrunk,
)
from verify.landscape.collapse import kl

N, S = 600, 1.0
LAM = np.array([9.0, 6.0, 4.0, *[0.9] * 5])


@pytest.fixture(scope="module")
def made():
    x, U = spread(LAM, N)
    return x, holding(x, U, LAM, [0], 3, S)


def residual(vae):
    return residual_of(vae, vae.rows.covariance([S]), S)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"draws": 0}, POSTERIOR_MEAN),
        ({"draws": 2}, POSTERIOR_MEAN),
        ({"draws": 3, "means": False}, DRAWS),
        ({"draws": 1, "means": False}, ONE_DRAW),
    ],
)
def test_the_residual_is_made_of_what_is_there(made, given, kind):
    x, model = made
    vae = outputs_of(model, x, **given)
    found = residual(vae)
    assert found.kind == kind
    parts = list(found.pairs())
    e, r = (np.concatenate([part[i] for part in parts]) for i in (1, 2))
    if kind == POSTERIOR_MEAN:
        assert np.allclose(e, x - vae.reconstructions, atol=1e-12)
        wanted = x - vae.samples.mean(axis=0) if vae.draws else e
    elif kind == DRAWS:
        assert np.allclose(e, x - vae.samples[:-1].mean(axis=0), atol=1e-12)
        wanted = x - vae.samples[-1]
    else:
        # Least squares of the single residual on x, with a constant.
        design = np.column_stack([np.ones(N), x])
        wanted = x - vae.samples[0]
        assert np.allclose(e, design @ np.linalg.lstsq(design, wanted, rcond=None)[0], atol=1e-9)
    assert np.allclose(r, wanted, atol=1e-12)
    assert np.allclose(found.shift, r.mean(axis=0), atol=1e-12)
    assert found.covariance.eigenvalues == pytest.approx(
        np.sort(np.linalg.eigvalsh(np.cov(e.T, bias=True)))[::-1], abs=1e-9
    )


def test_nothing_is_known_without_reconstructions_unless_all_is_collapsed(made):
    x, model = made
    assert residual(outputs_of(model, x, draws=0, means=False)) is None
    zeros = np.zeros((N, 2))
    found = residual(outputs(rows_of(x), zeros, zeros))
    assert found.kind == COLLAPSED
    given = found.given(outputs(rows_of(x), zeros, zeros).rows.covariance([S]))
    assert np.allclose(given.center, x.mean(axis=0)) and np.allclose(given.b, 0, atol=1e-12)


@pytest.mark.parametrize("off", [0.0, 1.0])
def test_crossed_gains_are_those_of_the_other_half(made, off):
    """Half by half, datum by datum: the best latents for one half's residuals, judged on the other.

    With the constant of that half where the output is off by one, and without it where it is not.
    """
    x, model = made
    model = dataclasses.replace(model, m=model.m + off)
    vae = outputs_of(model, x)
    found = residual(vae)
    e, r = x - vae.reconstructions, x - vae.samples.mean(axis=0)
    chosen = halves(N, 0)
    assert chosen.sum() == N // 2
    for count, told in zip((2, 1, 0), found.crossed_gains([2, 1, 0], 0, N), strict=True):
        gains = []
        for half in (chosen, ~chosen):
            c, center = r[half].mean(axis=0) * (off != 0), e[half].mean(axis=0)
            rho, V = np.linalg.eigh(np.cov(e[half].T, bias=True))
            best = [j for j in np.argsort(-rho)[:count] if rho[j] > S]
            for i in np.flatnonzero(~half):
                paid, moved = 0.0, c.copy()
                for j in best:
                    m = np.sqrt(rho[j] - S) / rho[j] * (V[:, j] @ (e[i] - center))
                    d = S / rho[j]
                    moved += m * np.sqrt(rho[j] - S) * V[:, j]
                    paid += 0.5 * (d + m**2 - 1 - np.log(d)) + d * (rho[j] - S) / (2 * S)
                gains.append((r[i] @ r[i] - (r[i] - moved) @ (r[i] - moved)) / (2 * S) - paid)
        assert np.sort(told) == pytest.approx(np.sort(gains), abs=1e-9)


def test_a_half_without_variance_teaches_no_latents():
    """Of six rows all but one have a residual of zero: one half has nothing to learn."""
    x = np.zeros((6, 2))
    x[0] = 3, 1
    found = residual(outputs(rows_of(x), np.zeros((6, 1)), np.zeros((6, 1)), np.zeros((6, 2))))
    (gains,) = found.crossed_gains([1], 0, 6)
    assert np.isfinite(gains).all() and len(gains) == 6


def test_a_regression_on_too_few_rows_has_fewer_directions():
    x, U = spread(LAM, 40)
    vae = outputs_of(holding(x, U, LAM, [0], 3, S), x, draws=1, means=False)
    assert regressed(vae, vae.rows.covariance([S])).U.shape == (8, 4)


def test_single_draws_are_inflated_by_what_they_vary(made):
    x, model = made
    vae = outputs_of(model, x)
    single, mean = inflated(vae, S).eigenvalues.sum(), residual(vae).covariance.eigenvalues.sum()
    mu, logvar = model.encode(x)
    varied = (model.W**2 @ np.exp(logvar[0])).sum()
    # Six hundred draws know their variance to some percent.
    assert single - mean == pytest.approx(varied, rel=0.3) and kl(mu, logvar).shape == (N, 3)


def wavering(draws, means, rows=4000, seed=0):
    """What a decoder misses, of variance 4.09 along the first column, it wavers in by a variance of 2: a latent in use
    turns it by many radians."""
    rng = np.random.default_rng(seed)
    x = 0.3 * rng.normal(size=(rows, 6))
    g = rng.normal(size=rows)
    x[:, 0] += 2 * rng.normal(size=rows)
    x[:, 1] += 3 * g
    mu, logvar = np.zeros((rows, 3)), np.zeros((rows, 3))
    mu[:, 0], logvar[:, 0] = 0.9 * g, math.log(0.19)

    def decode(z):
        f = np.zeros((*z.shape[:-1], 6))
        f[..., 0], f[..., 1] = 2 * np.cos(40 * z[..., 0]), 3 * z[..., 0]
        return f

    z = mu + np.exp(logvar / 2) * rng.normal(size=(draws, rows, 3))
    return outputs(rows_of(x), mu, logvar, decode(mu) if means else None, decode(z))


@pytest.mark.parametrize(("draws", "means"), [(2, False), (3, False), (1, True)])
def test_what_draws_vary_hides_no_latent_that_pays(draws, means):
    """Along the first column latents see e = r + v, with v of variance 2 or 1: of the missed 4.09 they are told
    4.09^2/(4.09 + v), and that brings what it says; made for e itself they cost more."""
    vae = wavering(draws, means)
    data, v = vae.rows.covariance([S]), 2.0 / max(1, draws - 1)
    plain = residual_of(vae, data, S)
    found = shrunk(plain, 0, vae.N)
    told = 4.09**2 / (4.09 + v)
    assert found.covariance.eigenvalues[0] == pytest.approx(told, rel=0.1)
    (before,), (after,) = (one.crossed_gains([1], 0, vae.N) for one in (plain, found))
    assert after.mean() == pytest.approx(0.5 * (told - 1 - math.log(told)), abs=0.1)
    assert before.mean() < after.mean() - 0.1
    # Given away it is encoded from e, and brings that: installed by its definition, datum by datum.
    added, gains = found.given(data), []
    e = vae.rows.array() - (vae.reconstructions if means else vae.samples[:-1].mean(axis=0))
    r = vae.rows.array() - vae.samples[-1]
    for i in range(vae.N):
        m = added.V @ (e[i] - added.center)
        error = ((r[i] - added.b - added.U @ m) ** 2).sum() + np.trace(added.U @ np.diag(added.D) @ added.U.T)
        paid = 0.5 * (added.D + m**2 - 1 - np.log(added.D)).sum()
        gains.append(((r[i] ** 2).sum() - error) / (2 * S) - paid)
    assert np.allclose(gains, found.gains(found.escape()), atol=1e-9)


def test_what_is_told_well_is_left_as_it_is(made):
    x, model = made
    for given in ({"draws": 0}, {"draws": 2}, {"draws": 9, "means": False}, {"draws": 1, "means": False}):
        found = residual(outputs_of(model, x, **given))
        assert shrunk(found, 0, N) is found
    many = wavering(40, False)
    plain = residual_of(many, many.rows.covariance([S]), S)
    assert shrunk(plain, 0, many.N) is plain
