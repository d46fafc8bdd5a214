"""The sample is seeded, shared out by size, and without repetition; the interval is Clopper and Pearson's."""

import pytest
from scipy.stats import binom

from benchmarks.mutation.sampling import interval, sample

STRATA = {"a": range(1000), "b": range(1000, 1300), "c": range(1300, 1333)}


def test_a_sample_is_that_of_its_seed():
    first = sample(STRATA, 100, 0)
    assert first == sample(STRATA, 100, 0)
    assert first != sample(STRATA, 100, 1)
    assert {name: len(items) for name, items in first.items()} == {"a": 75, "b": 23, "c": 2}
    for name, items in first.items():
        assert len(set(items)) == len(items) and set(items) <= set(STRATA[name])


def test_the_shares_add_up_whatever_is_asked_for():
    for size in (0, 1, 2, 99, 1333):
        assert sum(map(len, sample(STRATA, size, 3).values())) == size
    assert {k: sorted(v) for k, v in sample(STRATA, 10_000, 3).items()} == {k: list(v) for k, v in STRATA.items()}
    assert sample({"a": [], "b": [1, 2]}, 1, 0)["a"] == []


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (388, 400), (400, 400)])
def test_the_ends_of_the_interval_are_where_the_tails_weigh_half_the_rest(successes, trials):
    low, high = interval(successes, trials)
    assert low <= successes / trials <= high
    assert low == 0.0 if successes == 0 else binom.sf(successes - 1, trials, low) == pytest.approx(0.025)
    assert high == 1.0 if successes == trials else binom.cdf(successes, trials, high) == pytest.approx(0.025)
    wider = interval(successes, trials, confidence=0.99)
    assert wider[0] <= low and wider[1] >= high
