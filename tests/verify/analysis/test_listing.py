"""A list says that it is whole, that it is not, or that nobody knows: true to what there is, however it was found."""

from itertools import combinations

import numpy as np
import pytest

from tests.reports.schemas import check
from verify.analysis import listing
from verify.analysis.stationary import stationary
from verify.data.covariance import from_eigenvalues
from verify.landscape.families import every_family
from verify.words.lists import how_found

# Too many for masks of 64 bits, and so close together that many sets are stationary at learned noise (theory 2).
WHOLE = range(10_070, 10_000, -1)
CLOSE = np.array(WHOLE) / 1e4
ALL = sum(all(a * (70 - q) > sum(WHOLE) - sum(held) for a in held) for q in range(3) for held in combinations(WHOLE, q))


def of(lam, k, **asked):
    document, points = stationary(from_eigenvalues(lam), k, **asked)
    assert len(points) == len(document["points"])
    said = how_found(check("stationary", document))
    assert (said is None) == (document["truncated"] is False)
    return document["count"], document["truncated"], len(points), said


@pytest.fixture
def short_search(monkeypatch):
    """A search that gives up counting before it has met all of CLOSE."""
    monkeypatch.setattr(listing, "SEARCHED", 50)


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
@pytest.mark.parametrize("sigma2", [1.0, None])
def test_top_below_at_and_above_the_count(objective, sigma2):
    lam = [6.0, 4.0, 2.5, 1.2, 0.5]
    count, truncated, shown, _ = of(lam, 2, sigma2=sigma2, objective=objective)
    assert (truncated, shown) == (False, count)
    for top, less in ((count - 1, True), (count, False), (count + 1, False), (10**9, False)):
        assert of(lam, 2, sigma2=sigma2, objective=objective, top=top)[:3] == (count, less, min(top, count))


def test_a_search_that_meets_all_that_was_asked_for_knows_that_these_are_all(short_search):
    for top in (ALL, ALL + 1, 10**6):
        assert of(CLOSE, 2, sigma2=None, top=top)[:3] == (ALL, False, ALL)
    count, truncated, shown, said = of(CLOSE, 2, sigma2=None, top=ALL - 2)
    assert (count, truncated, shown) == (None, True, ALL - 2) and "not known" not in said


def test_families_at_fixed_noise_whose_number_is_the_top(monkeypatch):
    lam = [6.0, 4.0, 2.5, 1.2, 0.5]
    count = len(every_family(np.array(lam), 2, 1.0)[0])
    monkeypatch.setattr(listing, "COMPLETE", 0)
    assert of(lam, 2, sigma2=1.0, objective="elbo", top=count)[:3] == (count, False, count)
    assert of(lam, 2, sigma2=1.0, objective="elbo", top=count - 1)[:3] == (None, True, count - 1)


def test_a_search_that_leaves_families_out_does_not_claim_that_there_are_more(monkeypatch):
    lam = [6.0, 4.0, 2.5, 1.2, 0.5]
    count = len(every_family(np.array(lam), 2, None)[0])
    monkeypatch.setattr(listing, "COMPLETE", 0)
    known, truncated, shown, said = of(lam, 2, sigma2=None, objective="elbo", top=count)
    assert (known, truncated) == (None, None) and shown <= count
    assert said.endswith("whether there are more is not known")
    assert of(lam, 2, sigma2=None, objective="elbo", top=2)[:3] == (None, True, 2)
