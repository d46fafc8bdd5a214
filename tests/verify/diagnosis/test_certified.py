"""What of a diagnosis is proved: closed forms lie within it, and what is not proved is said to be undecided."""

import math
import sys

import numpy as np
import pytest

from tests.verify.diagnosis.made_up import rows_of
from verify.certify.propose import decoder
from verify.diagnosis import certified
from verify.diagnosis.certified import BOUNDS, LOWER, UPPER, Proved, into, proved
from verify.landscape.any_decoder import lower_bound
from verify.words.certified import CERTIFIED, UNDECIDED

P = 0.3
COIN = np.repeat([1.0, 0.0], [30, 70])[:, None]
THRESHOLD = (1 - 2 * P) / (2 * math.log((1 - P) / P))  # Kearns & Saul


def of(x, told=lambda doing: None):
    return proved(rows_of(x), lower_bound(x), told)


@pytest.fixture(scope="module")
def coin():
    pytest.importorskip("flint")
    doing = []
    return of(COIN, doing.append), doing


def test_the_threshold_of_two_values_lies_between_the_bounds(coin):
    known, doing = coin
    assert known.lower < THRESHOLD < known.upper < 1.02 * known.lower
    assert not known.interrupted and not known.notes
    assert any("level 2 of" in one for one in doing)


def test_bounds_that_are_false_are_not_said(monkeypatch):
    """A search that promises too much: a witness that is no witness, a level below the threshold."""
    pytest.importorskip("flint")
    found = lower_bound(COIN)
    too_long = type(found)(found.value * 1.01, found.t, found.limit, found.lam_1, found.largest, found.data)
    search = decoder.every_decoder

    def relabelled(subject, level, *more):
        statement = search(subject, level, *more)
        return statement and {**statement, "level": "0.95" if level > 1 else "0.2"}

    monkeypatch.setattr(decoder, "every_decoder", relabelled)
    known = proved(rows_of(COIN), too_long)
    assert known.lower is None and known.upper is None
    assert f"not certified: {LOWER} (the witness that was found is not long enough)" in known.notes
    assert f"not certified: {UPPER} (no bound was found)" in known.notes


def test_a_bound_is_not_below_its_level_however_it_is_read(coin, monkeypatch):
    """As a decimal and as a double, of levels that are neither."""
    from fractions import Fraction

    seen = []
    monkeypatch.setattr(decoder, "every_decoder", lambda subject, level: seen.append(level))
    of(COIN)
    for tried, level in zip(seen, decoder.levels(lower_bound(COIN).value), strict=True):
        assert tried <= Fraction(float(level)) and tried <= Fraction(repr(float(level)))
        assert tried in (level, Fraction(float(level)))


@pytest.mark.parametrize("at", [1, 3])
def test_an_interrupt_leaves_what_was_proved_by_then(monkeypatch, at):
    pytest.importorskip("flint")
    search, calls = decoder.every_decoder, []

    def one(*given):
        calls.append(1)
        if len(calls) == at:
            raise KeyboardInterrupt
        return search(*given)

    monkeypatch.setattr(decoder, "every_decoder", one)
    known = of(COIN)
    assert known.interrupted and known.lower < THRESHOLD
    assert (known.upper is None) == (at == 1) and (at == 1 or known.upper > THRESHOLD)
    assert f"not certified: {UPPER} (interrupted; what was proved by then stands)" in known.notes


def test_without_flint_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "flint", None)
    monkeypatch.setattr(decoder, "every_decoder", None)  # nobody searches for what cannot be checked
    known = of(COIN)
    assert known.lower is known.upper is None
    missing = [note for note in known.notes if note.startswith("not certified")]
    assert len(missing) == 1 and "pip install python-flint" in missing[0]


def test_larger_data_are_told(monkeypatch):
    pytest.importorskip("flint")
    known = of(np.tile(COIN, (21, 1)))
    assert known.upper is None and known.lower < THRESHOLD
    wanted = f"not certified: {UPPER} (this is searched for in at most 2000 rows of 64 columns, and these are 2100 x 1)"
    assert wanted in known.notes
    monkeypatch.setattr(certified, "ENTRIES", 99)
    known = of(COIN)
    assert known.lower is known.upper is None
    assert known.notes == [f"not certified: {BOUNDS} (they are proved of at most 99 numbers; these are 100 x 1)"]


def test_a_search_that_fails_leaves_the_rest(monkeypatch):
    pytest.importorskip("flint")

    def fails(*given):
        raise ZeroDivisionError("of no use")

    monkeypatch.setattr(decoder, "every_decoder", fails)
    known = of(COIN)
    assert known.upper is None and known.lower < THRESHOLD
    assert f"not certified: {UPPER} (the search failed: of no use)" in known.notes


def test_documents_say_what_is_certified():
    facts = {"any_decoder": {"lower": 2.0, "data": 9.0, "upper": None}, "n": 4}
    told = into(facts, Proved(1.9, 2.5))
    both, neither = ({"lower": status, "upper": status} for status in (CERTIFIED, UNDECIDED))
    assert told == {"any_decoder": {"lower": 1.9, "data": 9.0, "upper": 2.5, "certified": both}, "n": 4}
    assert into(facts, Proved())["any_decoder"] == {"lower": 2.0, "data": 9.0, "upper": None, "certified": neither}
