"""One number, one printing; and what is printed, typed in again, keeps its promise."""

from fractions import Fraction

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


def test_bounds_are_never_rounded_down():
    for text in ("0.1201", "0.12", "1.2e-13", "1.201e-13", "99.1", "9.91", "123456", "1e-320"):
        bound = float(text)
        assert Fraction(bound) <= Fraction(numerals.at_most(bound)) <= Fraction(bound) * Fraction(11, 10)
    assert numerals.at_most(0.0) == "0" and numerals.at_most(Fraction(1, 3)) == "0.34"
    assert Fraction(f"{0.1201:.2g}") < Fraction(0.1201)  # control: rounding to nearest does that


def test_a_value_is_printed_as_closely_as_it_is_proved():
    rng = np.random.default_rng(0)
    for _ in range(300):
        value, radius = float(rng.normal() * 10.0 ** rng.integers(-6, 6)), float(10.0 ** rng.uniform(-14, 2))
        text, within = numerals.enclosed(value, radius)
        # Whatever lies within the radius of the value lies within what is printed of what is printed.
        for end in (Fraction(value) - Fraction(radius), Fraction(value) + Fraction(radius)):
            assert abs(end - Fraction(text)) <= Fraction(within)
        assert Fraction(within) <= 7 * Fraction(radius)
    assert numerals.enclosed(2.5, 0.0) == ("2.5", "0")
