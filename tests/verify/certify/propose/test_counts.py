"""Thresholds, counts and optima of data, beside exact arithmetic and beside what the fast path says."""

from fractions import Fraction

import numpy as np
import pytest

from tests.verify.certify.exactly import inertia
from verify.certify import subjects
from verify.certify.checker.outcome import Status
from verify.certify.checker.subject import Enclosure, Subject
from verify.certify.propose import counts
from verify.data.sources import load_rows


@pytest.mark.parametrize("data", ["iris", "wine", "digits"])
def test_thresholds_of_real_data_agree_with_the_fast_path(data):
    rows = load_rows(data)
    found, fast = counts.thresholds(subjects.of_rows(rows)), rows.covariance()
    assert (np.abs(found.values - fast.eigenvalues) <= found.radii + fast.resolution).all()
    assert (found.radii < 1e-11 * found.values[0]).all()  # some (n^2) u: nothing is lost on the way
    # Control: they are no spectrum of other data.
    assert not (np.abs(found.values * (1 + 1e-9) - fast.eigenvalues) <= found.radii + fast.resolution).all()


def test_thresholds_hold_the_exact_eigenvalues_of_small_data():
    rng = np.random.default_rng(0)
    for X in (rng.integers(0, 3, (6, 3)), rng.integers(0, 2, (4, 4)), np.vstack([np.eye(3), np.eye(3)])):
        X = X.astype(float)
        known = counts.thresholds(subjects.of_rows(load_rows(X)))
        N, n = X.shape
        whole = (N * X.T @ X - np.outer(X.sum(axis=0), X.sum(axis=0))).tolist()  # N^2 S, exactly
        for j, (value, radius) in enumerate(zip(known.values, known.radii, strict=True)):
            low, high = ((Fraction(float(value)) + sign * Fraction(float(radius))) * N * N for sign in (-1, 1))
            assert inertia(whole, low)[2] <= n - 1 - j and inertia(whole, high)[0] <= j
            assert radius < 1e-13


def test_a_spectrum_is_exact():
    found = counts.thresholds(subjects.of_spectrum([Fraction(1, 3), Fraction(2)]))
    assert found.radii[0] == 0 and 0 < found.radii[1] < 1e-16
    assert abs(Fraction(float(found.values[1])) - Fraction(1, 3)) <= Fraction(float(found.radii[1]))


def test_a_spectrum_beyond_doubles_has_no_thresholds_and_counts_all_the_same():
    known = subjects.of_spectrum([Fraction(10) ** 399, Fraction(1)])
    found = counts.thresholds(known)
    assert found.radii[0] == np.inf and (found.values[1], found.radii[1]) == (1.0, 0.0)
    assert counts.count(known, Fraction(2))[1].status is Status.PROVED


def test_tied_eigenvalues_lie_together_and_a_noise_between_ties_is_undecided():
    known = Subject("none", 4, 9, Enclosure(np.diag([2.0, 1.0, 1.0, 1.0 - 2.0**-53]), 0.0))
    assert (counts.thresholds(known).radii < 1e-13).all()
    assert counts.count(known, Fraction(1))[1].status is Status.UNDECIDED
    statement, outcome = counts.count(known, Fraction(3, 2))
    assert outcome.status is Status.PROVED and statement["above"] == 1


def test_few_bits_prove_what_is_far_apart():
    wide = subjects.of_rows(load_rows("wine"))
    statement, outcome = counts.count(wide, Fraction(1000))
    assert outcome.status is Status.PROVED
    assert max(map(abs, statement["evidence"]["vectors"]["integers"])) < 2**24


def test_numbers_beyond_doubles_are_undecided_and_no_crash():
    known = subjects.of_rows(load_rows(1e149 * np.random.default_rng(0).standard_normal((20, 3))))
    for outcome in (counts.eigenvalues(known, 2)[1], counts.optimum(known, 2, Fraction(1, 10**300))[1],
                    counts.count(known, Fraction(1, 10**300))[1], counts.count(known, Fraction(10**380))[1]
                    ):  # fmt: skip
        assert outcome.status in (Status.PROVED, Status.UNDECIDED)
    tiny = subjects.of_rows(load_rows(1e-150 * np.random.default_rng(0).standard_normal((20, 3))))
    assert (
        counts.count(tiny, Fraction(1))[0]["above"] == 0 and counts.count(tiny, Fraction(1))[1].status is Status.PROVED
    )
    assert counts.optimum(tiny, 3, Fraction(1, 3))[1].status is Status.PROVED


def test_with_as_many_latents_as_dimensions_everything_may_be_retained():
    known = subjects.of_rows(load_rows(np.random.default_rng(0).standard_normal((9, 3))))
    statement, outcome = counts.optimum(known, 3, Fraction(1, 1000))
    assert (statement["retained"], outcome.status) == (3, Status.PROVED)
    spectrum = subjects.of_spectrum([Fraction(4), Fraction(5, 2), Fraction(1)])
    for sigma2 in (4, 100):
        statement, outcome = counts.optimum(spectrum, 2, Fraction(sigma2))
        assert (statement["retained"], outcome.status) == (0, Status.PROVED)
