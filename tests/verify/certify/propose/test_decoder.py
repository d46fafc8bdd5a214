"""What is proposed for the threshold of every decoder: levels near the witness, and nothing where nothing can be."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from verify.certify.checker import decoder as checker
from verify.certify.checker.numbers import exact
from verify.certify.checker.outcome import Status
from verify.certify.checker.subject import Subject
from verify.certify.propose import decoder as propose
from verify.certify.subjects import of_rows
from verify.data import load_rows
from verify.landscape.any_decoder import lower_bound, upper_bound

pytest.importorskip("flint")


def subject_of(rows):
    return of_rows(load_rows(rows))


def stated(subject, level):
    """On which side of s* a noise lies, with what the checker says: a witness, or that no decoder gains; or nothing."""
    if not level > 0:
        return []
    found = lower_bound(subject.rows / subject.divisor)
    below = found.value > level
    proposed = propose.witness(subject, level, found.t) if below else propose.every_decoder(subject, level)
    check = checker.witness if below else checker.every_decoder
    return [] if proposed is None else [(proposed, check(proposed, subject))]


@pytest.mark.parametrize("name", ["iris", "wine"])
def test_the_tightest_level_is_a_hundredth_above_the_witness_or_less(name):
    subject, found = subject_of(name), lower_bound(load_rows(name).array())
    level = exact(propose.tightest(subject, found.value)["level"])
    assert found.value < level < 1.0031 * found.value
    assert level < 0.8 * upper_bound(found.lam_1, found.largest)  # what it has to be better than


def test_two_values_need_no_tilt():
    y = np.array([0.0, 0.0, 0.0, 1.0])[:, None]
    threshold = 0.5 / (2 * math.log(3))
    for excess in (1.5, 1.01):
        statement = propose.every_decoder(subject_of(y), Fraction(excess * threshold))
        assert checker.every_decoder(statement, subject_of(y)).status is Status.PROVED
    assert propose.every_decoder(subject_of(y), Fraction(0.999 * threshold)) is None


def test_two_directions_do_what_one_does_not():
    """Two columns alike: with boxes over one direction only, the other has to be settled by one kernel."""
    rng = np.random.default_rng(11)
    ones = (rng.random((200, 2)) < 0.06) * [1.0, 0.98]
    subject, found = subject_of(ones), lower_bound(ones)
    level = Fraction(1.01 * found.value)
    assert propose.every_decoder(subject, level, depth=1) is None
    statement = propose.every_decoder(subject, level, depth=2)
    assert checker.every_decoder(statement, subject).status is Status.PROVED


@pytest.mark.parametrize(("excess", "kind"), [(0.98, "witness"), (1.02, "every decoder")])
def test_what_is_stated_of_a_noise(excess, kind):
    found = lower_bound(load_rows("iris").array())
    ((statement, outcome),) = stated(subject_of("iris"), Fraction(excess * found.value))
    assert statement["kind"] == kind and outcome.status is Status.PROVED
    assert stated(subject_of("iris"), Fraction(0)) == []


def test_at_the_threshold_itself_nothing_is_proved():
    """Above s* by less than 1e-15 of it: no witness can be one, and the boxes near 0 would have to be too many."""
    y = np.repeat([1.0, 0.0], [10, 90])[:, None]
    threshold = Fraction(0.8 / (2 * math.log(9)) * (1 + 1e-15))
    assert all(outcome.status is not Status.PROVED for _, outcome in stated(subject_of(y), threshold))


def test_levels_descend_and_lie_above_the_witness():
    for lower in (191.8686908949508, 1e-12, 3e7):
        tried = propose.levels(lower)
        assert all(a > b for a, b in pairwise(tried)) and tried[-1] > Fraction(lower)
        assert all(float(f"{float(level):.4g}") == float(level) for level in tried)  # four digits


@pytest.mark.parametrize(("N", "kept"), [(178, False), (propose._FEW + 1, True), (None, False)])
def test_products_of_few_rows_are_on_one_thread(N, kept):
    """Threads that wait for each other made bounds of 178 rows ten times slower on busy cores."""
    info = pytest.importorskip("threadpoolctl").threadpool_info

    def threads():
        return [library["num_threads"] for library in info() if library["user_api"] == "blas"]

    before = threads()
    with propose.threads(Subject("none", 3, N)):
        assert before and threads() == (before if kept else [1] * len(before))
    assert threads() == before
