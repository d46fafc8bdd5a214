"""What averaging and Monte Carlo noise can do: bounds that hold and are reached; the constants of the data."""

import math
from dataclasses import replace

import numpy as np
import pytest

from reports.audit.bounds import (
    DEQUANTISATION_SD,
    MNIST_LOG_JACOBIAN,
    Interval,
    averaging_room,
    constants,
    gain,
    likelihood_constant,
    unequal_trials,
)
from reports.audit.checks import tuning_identity
from reports.paper import Printed, printed_tables
from tests.reports.printed import CONSTANTS, SPREADS, averages, model_row, print_row, simulated_tables
from verify.data.mnist import find_training_file
from verify.data.sources import load_rows
from verify.errors import InputError


@pytest.mark.parametrize("spread", [0.01, 0.3, 1.5])
def test_averaging_only_raises_and_by_no_more_than_its_room(spread):
    """Unrounded averages over trials: T - E and J against their value for one model with the mean error."""
    rng = np.random.default_rng(5)
    n, s0, J = 784, 0.5, CONSTANTS["mnist", "none"]
    raised = []
    for _ in range(300):
        E, T, f, m, K = averages(rng, "mnist", J, "fixed", s0, error=0.05, kl=80.0, spread=spread)
        m = (J - K - E - n / 2 * np.log(2 * math.pi * s0)) * 2 * s0 / n  # the error that E saw
        T = J - K - n / 2 * (1 + np.log(2 * math.pi * m))  # and no other: averaging alone
        r = m.mean() / s0
        excess = T.mean() - E.mean() - n / 2 * (r - 1 - math.log(r))
        J_row = T.mean() + K.mean() + n / 2 * (1 + math.log(2 * math.pi * m.mean()))
        assert J_row - J == pytest.approx(excess, abs=1e-8)  # rounding of doubles: both are n/2 (log M - mean log m)
        assert excess >= -1e-8
        for convention in SPREADS:
            values = (E, T, f, m, K)
            row = print_row(
                4, "mnist", "none", "fixed", Printed("0.5"), values, np.zeros(5), digits=9, spread=convention
            )
            assert excess <= averaging_room(row) + 1e-8
        raised.append(excess)
    assert max(raised) > 1e-3 * spread  # the room is used


def test_the_room_is_reached_when_one_trial_stands_out():
    """One low error among equal ones, KL constant: the bound through E is attained, to the rounding of the spreads."""
    n, s0, J = 784, 0.5, 0.0
    m = np.array([0.02, 0.05, 0.05, 0.05, 0.05])
    K = np.full(5, 80.0)
    E = J - K - n / 2 * np.log(2 * math.pi * s0) - n / 2 * m / s0
    T = J - K - n / 2 * (1 + np.log(2 * math.pi * m))
    # A printed spread counts as a standard error, which is half a population deviation of five trials.
    half = lambda x: x.std() / 2  # noqa: E731
    row = print_row(4, "mnist", "none", "fixed", Printed("0.5"), (E, T, m, m, K), np.zeros(5), digits=9, spread=half)
    row = replace(row, elbo_err=Printed(f"{half(E):.9f}"), kl_err=Printed("0.000000000"))
    excess = n / 2 * (math.log(m.mean()) - np.log(m).mean())
    assert averaging_room(row) == pytest.approx(excess, rel=1e-5)
    assert averaging_room(replace(row, elbo_err=Printed(f"{half(E) / 2:.9f}"))) < excess / 2  # control


def test_unequal_trials_explain_so_much_between_final_and_tuned_noise_and_no_more():
    """n/2 g(M/F) against the mean of n/2 g(m_t/f_t), for trials that differ in m_t, and in m_t/f_t, as they like."""
    rng = np.random.default_rng(8)
    n, ratios = 784, []
    for _ in range(300):
        m = 0.05 * np.exp(rng.choice([0.01, 0.5, 2.0]) * rng.normal(size=5))
        alone = (m == m.max()) if rng.random() < 0.5 else True  # the trial that weighs most, or all
        rho = np.exp(rng.choice([0.01, 0.3]) * rng.normal(size=5) * alone)
        gained = (n / 2 * (rho - 1 - np.log(rho))).mean()
        r = m.mean() / (m / rho).mean()
        K = np.full(5, 80.0)
        T = -K - n / 2 * (1 + np.log(2 * math.pi * m))
        row = print_row(4, "mnist", "none", "learned", Printed("1.0"), (T, T, m / rho, m, K), np.zeros(5), digits=9)
        worth = n / 2 * (r - 1 - math.log(r))
        assert worth <= unequal_trials(row, gained) * gained + 1e-9  # rounding of doubles
        ratios.append(worth / gained)
    assert max(ratios) > 1  # control: the mean gain alone is no bound


def test_below_and_above_are_not_alike():
    """Lowered by 20 nats a tuned ELBO has no excuse; raised by as much it has, where the trials differ enough."""
    rng = np.random.default_rng(2)
    n, s0 = 784, 0.5
    m = np.array([0.02, 0.05, 0.05, 0.05, 0.05])
    E, T, f, _, K = averages(rng, "mnist", 0.0, "fixed", s0, error=0.05, kl=80.0, spread=0.0)
    E, T = (x.mean() + n / 2 * (0.05 - m) / s0 for x in (E, T))
    row = print_row(4, "mnist", "none", "fixed", Printed("0.5"), (E, T, f, m, K), np.zeros(5), digits=6)
    due = gain(Interval(m.mean() / s0, m.mean() / s0)).times(n / 2).low
    shifted = [replace(row, tuned_elbo=Printed(f"{E.mean() + due + d:.1f}")) for d in (15.0, -45.0, 90.0)]
    verdicts = [[found.excusable for found in tuning_identity(r)] for r in shifted]
    assert verdicts[0] == [True]
    assert verdicts[1] == [False] and verdicts[2] == [False]


def test_the_constant_of_celeba_is_found_by_consensus():
    rows = simulated_tables(3)
    found = constants(rows)["celeba64", "logit"].value
    truth = CONSTANTS["celeba64", "logit"]
    assert found.low <= truth <= found.high
    assert found.high - found.low < 100  # nats: the tightest rows print their spreads to far less
    # Moved by a thousand nats, it is found there: nothing remembers the printed one.
    moved = constants(simulated_tables(3, {**CONSTANTS, ("celeba64", "logit"): truth + 1000}))[
        "celeba64", "logit"
    ].value
    assert moved.low == pytest.approx(found.low + 1000, abs=1.0)  # the same draws, rounded elsewhere


def test_the_log_jacobian_of_mnist_is_as_stated():
    try:
        find_training_file()
    except InputError:
        pytest.skip("the MNIST training images are not at hand")
    measured = load_rows("mnist", logit=1e-6, seed=1).mean_log_jacobian()
    # Two draws of the dequantisation noise, one of them behind the constant, which is printed to 0.05.
    assert abs(measured - MNIST_LOG_JACOBIAN) < 4 * math.sqrt(2) * DEQUANTISATION_SD + 0.05
    coarser = load_rows("mnist", logit=1e-4, seed=1).mean_log_jacobian()
    assert abs(coarser - MNIST_LOG_JACOBIAN) > 5  # control: another alpha is told apart


def test_the_constant_of_a_single_row_is_an_interval_around_its_model():
    row = model_row(np.random.default_rng(0), printed_tables()[60], error=0.05, kl=100.0, spread=1e-4)
    found = likelihood_constant(row)
    assert found.low <= CONSTANTS["mnist", "none"] <= found.high
    assert 0.1 < found.high - found.low < 9  # +-0.05 twice, and 392 times +-0.0005/0.05
