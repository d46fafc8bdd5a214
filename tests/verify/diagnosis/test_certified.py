"""What of a diagnosis is proved: closed forms lie within it, and what is not proved is said to be undecided."""

import math
import sys

import numpy as np
import pytest

from tests.verify.diagnosis.made_up import rows_of
from verify.certify.propose import counts, decoder
from verify.diagnosis import certified
from verify.diagnosis.certified import CERTIFIED, LOWER, RETAINED, UNDECIDED, UPPER, Proved, into, proved
from verify.landscape.any_decoder import lower_bound

P = 0.3
COIN = np.repeat([1.0, 0.0], [30, 70])[:, None]
THRESHOLD = (1 - 2 * P) / (2 * math.log((1 - P) / P))  # Kearns & Saul


def crossed(lengths):
    """Rows +-length e_j: the covariance is diagonal, with length^2/n, exactly."""
    return np.vstack([np.diag(lengths), -np.diag(lengths)])


def of(x, k, s, decoders=True, told=lambda doing: None):
    return proved(rows_of(x), k, s, lower_bound(x) if decoders else None, told)


@pytest.fixture(scope="module")
def coin():
    pytest.importorskip("flint")
    doing = []
    return of(COIN, 1, 0.1, told=doing.append), doing


def test_the_threshold_of_two_values_lies_between_the_bounds(coin):
    known, doing = coin
    assert known.lower < THRESHOLD < known.upper < 1.02 * known.lower
    assert known.retained == 1 and known.decoders and not known.interrupted  # p (1 - p) = 0.21 > 0.1
    assert len(known.notes) == 1 and known.notes[0].startswith("certified: proved in exact arithmetic")
    assert any("level 2 of" in one for one in doing)


@pytest.mark.parametrize(("s", "wanted"), [(0.5, 2), (3.9, 2), (4.1, 1), (9.1, 0)])
def test_what_is_retained_is_how_many_eigenvalues_exceed_the_noise(s, wanted):
    x = crossed([6.0, 4.0, 2.0, 1.0])  # lam = 9, 4, 1, 1/4
    known = of(x, 2, s, decoders=False)
    assert known.retained == wanted
    assert known.lower is known.upper is None and len(known.notes) == 1


@pytest.mark.parametrize("s", [4.0, float(np.nextafter(4.0, 5)), float(np.nextafter(4.0, 3))])
def test_a_noise_on_an_eigenvalue_is_undecided_or_decided_rightly(s):
    known = of(crossed([6.0, 4.0, 2.0, 1.0]), 3, s, decoders=False)
    assert known.retained in (None, 2 if s < 4 else 1)
    if known.retained is None:
        assert known.notes == [f"not certified: {RETAINED} (an eigenvalue lies on the noise, or too near to it)"]


def test_an_eigenvalue_on_the_noise_behind_the_last_latent_does_not_matter():
    assert of(crossed([6.0, 4.0, 2.0, 1.0]), 1, 4.0, decoders=False).retained == 1


def test_a_noise_that_is_two_numbers_is_decided_for_both(monkeypatch):
    """0.1 is a decimal and a double, and an eigenvalue between them would make them differ."""
    levels = []
    monkeypatch.setattr(certified, "_retained_at", lambda subject, k, level: levels.append(level) or len(levels))
    assert of(COIN, 1, 0.1, decoders=False).retained is None
    assert len(levels) == 2 and min(levels) < max(levels)
    monkeypatch.setattr(certified, "_retained_at", lambda subject, k, level: 1)
    assert of(COIN, 1, 0.1, decoders=False).retained == 1  # control


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
    known = proved(rows_of(COIN), 1, 0.1, too_long)
    assert known.lower is None and known.upper is None and known.retained == 1
    assert f"not certified: {LOWER} (the witness that was found is not long enough)" in known.notes
    assert f"not certified: {UPPER} (no bound was found)" in known.notes


def test_counts_that_are_false_are_not_said(monkeypatch):
    count, optimum = counts.count, counts.optimum

    def spoiled(make):
        def one(subject, *given):
            statement, outcome = make(subject, *given)
            return statement, type(outcome)(type(outcome.status)("refuted"), "made up")

        return one

    monkeypatch.setattr(counts, "count", spoiled(count))
    monkeypatch.setattr(counts, "optimum", spoiled(optimum))
    assert of(COIN, 1, 0.1, decoders=False).retained is None


def test_a_bound_is_not_below_its_level_however_it_is_read(coin, monkeypatch):
    """As a decimal and as a double, of levels that are neither."""
    from fractions import Fraction

    seen = []
    monkeypatch.setattr(decoder, "every_decoder", lambda subject, level: seen.append(level))
    of(COIN, 1, 0.1)
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
    known = of(COIN, 1, 0.1)
    assert known.interrupted and known.retained == 1 and known.lower < THRESHOLD
    assert (known.upper is None) == (at == 1) and (at == 1 or known.upper > THRESHOLD)
    assert f"not certified: interrupted while it was searched for: {UPPER}; what is said stands" in known.notes


def test_without_flint_one_sentence_and_the_count(monkeypatch):
    monkeypatch.setitem(sys.modules, "flint", None)
    monkeypatch.setattr(decoder, "every_decoder", None)  # nobody searches for what cannot be checked
    known = of(COIN, 1, 0.1)
    assert known.retained == 1 and known.lower is known.upper is None
    missing = [note for note in known.notes if note.startswith("not certified")]
    assert len(missing) == 1 and "pip install python-flint" in missing[0]


def test_larger_data_are_told(monkeypatch):
    pytest.importorskip("flint")
    known = of(np.tile(COIN, (21, 1)), 1, 0.1)
    assert known.upper is None and known.lower < THRESHOLD
    wanted = f"not certified: {UPPER} (this is searched for in at most 2000 rows of 64 columns, and these are 2100 x 1)"
    assert wanted in known.notes
    monkeypatch.setattr(certified, "ENTRIES", 99)
    known = of(COIN, 1, 0.1)
    assert known.lower is None
    assert any(note.endswith("(this is proved of at most 99 numbers, and these are 100 x 1)") for note in known.notes)


def test_a_search_that_fails_leaves_the_rest(monkeypatch):
    pytest.importorskip("flint")

    def fails(*given):
        raise ZeroDivisionError("of no use")

    monkeypatch.setattr(decoder, "every_decoder", fails)
    known = of(COIN, 1, 0.1)
    assert known.upper is None and known.lower < THRESHOLD
    assert f"not certified: {UPPER} (the search failed: of no use)" in known.notes


def test_documents_say_what_is_certified():
    facts = {"linear": {"retained": 3, "value": 1.0}, "any_decoder": {"lower": 2.0, "data": 9.0, "upper": None}, "n": 4}
    told = into(facts, Proved(True, 2, 1.9, 2.5))
    assert told["linear"] == {"retained": 2, "value": 1.0, "certified": CERTIFIED} and told["n"] == 4
    both = {"lower": CERTIFIED, "upper": CERTIFIED}
    assert told["any_decoder"] == {"lower": 1.9, "data": 9.0, "upper": 2.5, "certified": both}
    nothing = into(facts, Proved(True))
    assert nothing["linear"] == {"retained": 3, "value": 1.0, "certified": UNDECIDED}
    neither = {"lower": UNDECIDED, "upper": UNDECIDED}
    assert nothing["any_decoder"] == {"lower": 2.0, "data": 9.0, "upper": None, "certified": neither}
    assert into({**facts, "any_decoder": None}, Proved(False, 2))["any_decoder"] is None
