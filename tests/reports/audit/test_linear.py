"""The linear VAE inside: its optimum by hand and by the model itself, the check that holds rows against it, MNIST."""

import math
from dataclasses import replace

import numpy as np
import pytest

from reports.audit.bounds import best_trial, elbo_noise
from reports.audit.checks import linear_inside
from reports.audit.linear import NARROWEST, Linear, holds_linear, linear_vaes
from reports.paper import DIMENSIONS, Printed, printed_tables
from tests.reports.audit.inside import OPTIMA, made_up
from verify.data.mnist import find_training_file
from verify.data.sources import load_rows
from verify.errors import InputError
from verify.models import linear_vae, ppca

N = 60000


def row_of(table, noise, init):
    return next(r for r in printed_tables() if (r.table, r.noise, r.init_sigma2) == (table, noise, init))


def printed(row, elbo, err="0.0"):
    """The row with this ELBO, and with so little spread of the tuned one that it excuses nothing."""
    return replace(row, elbo=Printed(elbo), elbo_err=Printed(err))


# --- the optimum ---


@pytest.mark.parametrize("sigma2", [0.05, 0.7, 2.0, 40.0, None])
def test_the_optimum_is_that_of_the_model_written_out(monkeypatch, sigma2):
    """E, K, M, T of W = sqrt(lam - s0) with its best encoder, term by term, in six dimensions."""
    monkeypatch.setitem(DIMENSIONS, "mnist", (6, 3))
    lam, J = np.array([9.0, 5.0, 1.5, 1.0, 0.4, 0.1]), -7.0
    best = Linear("mnist", "none", N, (lam, J), (lam, J)).optimum(sigma2)
    s0 = lam[3:].mean() if sigma2 is None else sigma2
    W = np.vstack([np.diag(np.sqrt(np.maximum(lam[:3] - s0, 0))), np.zeros((3, 3))])
    M = W.T @ W + s0 * np.eye(3)
    V, D = np.linalg.solve(M, W.T), s0 * np.diag(np.linalg.inv(M))
    S = np.diag(lam)
    K = 0.5 * (-np.log(D) + D - 1 + np.diag(V @ S @ V.T)).sum()
    rest = np.eye(6) - W @ V
    error = (np.trace(rest @ S @ rest.T) + (W**2 @ D).sum()) / 6
    assert best.sigma2 == pytest.approx(s0) and best.retained == (lam[:3] > s0).sum()
    assert best.kl == pytest.approx(K, abs=1e-12) and best.error == pytest.approx(error)
    assert best.drawn == pytest.approx(J - K - 3 * math.log(2 * math.pi * s0) - 3 * error / s0)
    assert best.tuned == pytest.approx(J - K - 3 * (1 + math.log(2 * math.pi * error)))
    assert best.drawn == pytest.approx(J + float(ppca.log_likelihood(W, s0, S)))
    assert best.drawn == pytest.approx(J + float(linear_vae.elbo(W, V, D, s0, S)))
    assert best.drawn > J + float(ppca.log_likelihood(1.01 * W + 0.01, s0, S)) + 1e-6  # control: other weights


def test_both_ways_to_draw_the_noise_are_within_the_value():
    best = OPTIMA["mnist", "logit"].optimum(0.3)
    assert best.afresh < best.drawn
    assert best.value.low < best.afresh and best.drawn < best.value.high


def test_what_a_network_holds():
    assert holds_linear("mnist") and not holds_linear("celeba64")
    assert all(NARROWEST[name] < DIMENSIONS[name][0] for name in DIMENSIONS)


# --- the check ---


@pytest.mark.parametrize(("noise", "init"), [("fixed", 0.3), ("learned", 1.0)])
def test_a_row_below_is_found_by_as_much_as_it_lies_below(noise, init):
    row = row_of(2, noise, init)
    low = OPTIMA[row.data].at(row).value.low
    [found] = linear_inside(printed(row, f"{low - 100:.1f}"), OPTIMA)
    assert found.check == "linear VAE inside" and found.unit == "nats" and not found.excusable
    assert found.size == pytest.approx(100, abs=0.1)  # rounding: half a unit of the last digit, twice
    assert "none of 5 trials" in found.why
    for above in (0.1, 100.0):  # controls
        assert not list(linear_inside(printed(row, f"{low + above:.1f}"), OPTIMA))


def test_rounding_is_given_to_the_row():
    row = row_of(2, "fixed", 0.3)
    low = OPTIMA[row.data].at(row).value.low
    whole = Printed(f"{low - 0.4:.0f}")
    assert bool(list(linear_inside(replace(row, elbo=whole), OPTIMA))) == (whole.value + 0.5 < low)


def test_only_monte_carlo_noise_excuses():
    """The spread of the tuned ELBO bounds it: 6.2 nats of T at an error of 1.275 are 26.4 of E at a noise of 0.3."""
    row = printed(row_of(2, "fixed", 0.3), "0.0", "270.6")
    assert elbo_noise(row) == pytest.approx((6.2 + 0.05) * (1.275 + 0.0005) / 0.3, rel=1e-12)
    low = OPTIMA[row.data].at(row).value.low
    verdicts = [
        next(linear_inside(replace(row, elbo=Printed(f"{low - gap:.1f}")), OPTIMA)).excusable for gap in (20.0, 30.0)
    ]
    assert verdicts == [True, False]
    # With learned noise of 0.5, which is printed to 0.05, no more than the spread of E itself.
    learned = replace(row, noise="learned", final_sigma2=Printed("0.5"), elbo_err=Printed("1.0"))
    assert elbo_noise(learned) == pytest.approx(1.05)


def test_no_trial_can_be_further_above_the_average():
    """Four equal ones and one above: five numbers of deviation sd have a largest of at most mean + 2 sd."""
    values = np.array([0.0, 0, 0, 0, 5])
    half = values.std() / 2  # a printed spread is read as a standard error, half a deviation
    row = replace(row_of(2, "fixed", 0.3), elbo_err=Printed(f"{half:.6f}"))
    assert best_trial(row) == pytest.approx(values.max() - values.mean(), rel=1e-5)
    rng = np.random.default_rng(0)
    for _ in range(200):
        values = rng.choice([0.1, 1, 5]) * rng.standard_t(2, 5)
        row = replace(row, elbo_err=Printed(f"{values.std() / 2:.9f}"))
        assert values.max() - values.mean() <= best_trial(row) + 1e-8


def test_without_images_or_of_other_data_the_check_is_not_made():
    row = printed(row_of(2, "fixed", 0.3), "-9999.0")
    assert list(linear_inside(row, OPTIMA)) and not list(linear_inside(row, {}))
    faces = printed(row_of(3, "fixed", 0.3), "-999999.0")
    assert not list(linear_inside(faces, OPTIMA))


def test_the_value_moves_with_the_constant():
    row = row_of(2, "fixed", 0.3)
    moved = made_up("logit", 50.0).at(row)
    assert moved.drawn - OPTIMA[row.data].at(row).drawn == pytest.approx(50.0)


# --- MNIST ---


@pytest.fixture(scope="module")
def mnist():
    try:
        find_training_file()
    except InputError:
        pytest.skip("the MNIST training images are not at hand")
    return linear_vaes(None, seed=0)


def test_the_optima_of_mnist(mnist):
    """Measured once more by eigenvalues of a plain covariance of another draw of the noise."""
    inside = mnist["mnist", "logit"]
    rows = load_rows("mnist", logit=1e-6, seed=5)
    S = np.cov(rows.array().T, bias=True)
    lam = np.linalg.eigvalsh(S)[::-1]
    J = rows.mean_log_jacobian() - 784 * math.log(256)
    for sigma2 in (30.0, 1.0, 0.01):
        c = np.where((np.arange(784) < 200) & (lam > sigma2), lam, sigma2)
        direct = J - 0.5 * (784 * math.log(2 * math.pi) + np.log(c).sum() + (lam / c).sum())
        best = inside.optimum(sigma2)
        assert best.value.low < direct < best.value.high
        # Two draws differ by less than the draws and the average over all of them do, except where J decides.
        assert abs(direct - best.drawn) < max(0.5, best.drawn - best.afresh)
    assert inside.drawn[1] == pytest.approx(inside.afresh[1], abs=0.5)


def test_the_rows_of_mnist_that_lie_below(mnist):
    found = {
        (row.table, row.noise, row.init_sigma2): contradiction.excusable
        for row in printed_tables()
        for contradiction in linear_inside(row, mnist)
    }
    assert found == {
        **{(1, "fixed", s): s == 0.1 for s in (0.1, 0.01, 0.001)},
        **{(2, "fixed", s): s == 0.1 for s in (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)},
        **{(4, "learned", s): False for s in (30.0, 10.0, 3.0, 1.0, 0.3)},
    }
