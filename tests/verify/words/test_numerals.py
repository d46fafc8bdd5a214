"""One number, one printing; and what is printed, typed in again, keeps its promise."""

import numpy as np
import pytest

from tests.reports.spectra import measured
from verify.analysis.stability import stability
from verify.data.covariance import from_eigenvalues
from verify.words import numerals


def test_a_threshold_is_never_printed_above_itself():
    rng = np.random.default_rng(0)
    above = 0
    for value in 10 ** rng.uniform(-9, 9, size=500):
        text = numerals.not_above(value)
        assert float(text) <= value and float(text) == pytest.approx(value, rel=1e-5)
        above += float(f"{value:.6g}") > value
    assert above > 100  # control: rounded to nearest, half of them would be
    assert numerals.not_above(2 - 1e-15) == "1.99999" and numerals.not_above(2 - 1e-15, 1e-14) == "2"


def test_what_is_typed_is_printed():
    assert [numerals.typed(x) for x in (1.0, 0.1, 1e-05, 60000.0)] == ["1", "0.1", "1e-05", "60000"]
    assert [numerals.rough(x) for x in (9712.0, 0.3812, 1.0)] == ["9700", "0.38", "1"]


@pytest.mark.parametrize(
    "lam", [[1.00004, 1.00002, 1.00001, 1.00001], [6.0, 4.0, 2.34567, 2.1], [2.0000001, 2.00000009, 2.0, 2.0]]
)
@pytest.mark.parametrize("make", [from_eigenvalues, lambda lam: measured(*lam)])
def test_the_printed_noise_keeps_all_latents(lam, make):
    k = 2
    data = make(lam)
    facts = stability(data, k)
    for text in (numerals.start(facts), numerals.likeliest(facts)):
        row = stability(data, k, [float(text)])["noise"][0]
        assert row["retained"] == k, text
    just_below = float(np.nextafter(float(numerals.threshold(facts, k)), 0)) - 2 * numerals.error(facts, k)
    assert stability(data, k, [just_below])["noise"][0]["retained"] == k
    assert stability(data, k, [lam[k - 1] + 1e-9])["noise"][0]["retained"] < k  # control


def test_the_recommended_noise_is_printed_as_the_maximum_likelihood_noise():
    facts = stability(from_eigenvalues([3.0, 2.0, 0.3, 0.2, 0.1]), 2)
    assert numerals.start(facts) == numerals.likeliest(facts) == "0.2"
    assert numerals.likeliest(stability(from_eigenvalues([3.0, 0.0]), 1)) is None
    at_n = stability(from_eigenvalues([3.0, 1.0]), 2)
    assert (numerals.start(at_n), numerals.likeliest(at_n)) == ("0.5", "1")


def test_a_rank_that_rounding_leaves_open():
    facts = stability(measured(3.0, 2.0, 0.0, 0.0), 2)
    assert numerals.rank(facts) == "2 to 4"
    assert "2 of 4 directions, or up to 4: 2 eigenvalues cannot be told from 0" in numerals.directions(facts)
    few = stability(measured(3.0, 2.0, 0.0, 0.0, N=3), 2)
    assert numerals.rank(few) == "2" and numerals.directions(few) == "only 2 of 4 directions"  # N data: at most N - 1
    typed = stability(from_eigenvalues([3.0, 2.0, 0.0, 0.0]), 2)
    assert numerals.rank(typed) == "2"


@pytest.mark.parametrize(("least", "most", "text"), [(3, 3, "3"), (3, 4, "3 or 4"), (3, 6, "3 to 6")])
def test_counted(least, most, text):
    assert numerals.counted(least, most) == text
