"""The two checkers on what is said of every decoder, and on boxes of parameters."""

import random
from fractions import Fraction

import numpy as np
import pytest

from tests.verify.certify import second_checker as second
from tests.verify.certify.tampering import changed
from tests.verify.certify.test_second_checker import judged, of_rows, of_spectrum
from verify.certify.propose import boxes, decoder
from verify.landscape.any_decoder import lower_bound

pytest.importorskip("flint")


@pytest.fixture(scope="module")
def small():
    """Skewed rows, of which some decoder beats collapse above lam_1."""
    subject, data = of_rows(4, N=12, n=2)
    best = lower_bound(subject.rows, random=2)
    above = decoder.every_decoder(subject, Fraction(float(f"{2 * best.value:.3g}")))
    return subject, data, best, above


def test_witnesses_are_proved_by_both_and_none_beyond_the_best(small, tmp_path):
    subject, data, best, _ = small
    for share, expected in ((0.5, "proved"), (0.999, "proved"), (1.001, "undecided"), (2.0, "undecided")):
        statement = decoder.witness(subject, Fraction(best.value * share), best.t)
        assert judged(statement, subject, data, tmp_path) == [expected] * 2


def test_a_witness_that_is_tampered_with_proves_nothing_false(small, tmp_path):
    subject, data, best, _ = small
    statement = decoder.witness(subject, Fraction(best.value * 0.999), best.t)
    for part in (None, "evidence"):
        for where, copied in changed(statement, part):
            first, other = judged(copied, subject, data, tmp_path)
            assert first != "proved" or other == "proved", where


def test_a_bound_on_every_decoder_is_proved_where_it_may_be(small, tmp_path):
    subject, data, best, above = small
    assert judged(above, subject, data, tmp_path)[0] == "proved"
    # The same evidence says nothing of a level below a witness, and other rows say nothing of these.
    for level in (best.value * 0.999, best.lam_1 * 0.9, 0.001):
        assert judged({**above, "level": str(Fraction(level))}, subject, data, tmp_path)[0] != "proved"
    strange, known = of_rows(8, N=12, n=2)
    assert judged({**above, "level": "1"}, strange, known, tmp_path)[0] != "proved"
    largest = max(sum(x * x for x in row) for row in data.rows)
    assert second.every_decoder({"level": str(largest)}, data) == "proved"
    assert second.every_decoder({"level": "1"}, data) == "refuted"  # below lam_1


def test_a_bound_that_is_tampered_with_is_never_one_below_a_witness(small, tmp_path):
    """Evidence may change and still suffice; with a level that is false nothing may."""
    subject, data, best, above = small
    false = {**above, "level": str(Fraction(best.value * 0.99))}
    assert second.witness(decoder.witness(subject, Fraction(best.value * 0.99), best.t), data) == "proved"
    for part in (None, "evidence"):
        found = [pair for pair in changed(false, part) if "level" not in pair[0]]
        for where, copied in random.Random(0).sample(found, min(len(found), 60)):
            assert judged(copied, subject, data, tmp_path)[0] != "proved", where


BOXES = [
    ("gap of two", ">", [("-1", "1")]),
    ("gap of three", ">", [("-1", "1"), ("-1/2", "1/2"), ("-1/2", "1/2")]),
]


@pytest.mark.parametrize(("name", "sign", "ends"), BOXES)
def test_boxes_are_proved_by_both(name, sign, ends, tmp_path):
    subject, data = of_spectrum("eigenvalues:1")
    statement = boxes.statement(name, sign, ends)
    assert judged(statement, subject, data, tmp_path) == ["proved", "proved"]
    assert judged({**statement, "sign": "<"}, subject, data, tmp_path) == ["refuted", "refuted"]


@pytest.mark.parametrize(("name", "sign", "ends"), BOXES)
@pytest.mark.parametrize("part", [None, "evidence"])
def test_a_box_that_is_tampered_with_proves_nothing_false(name, sign, ends, part, tmp_path):
    subject, data = of_spectrum("eigenvalues:1")
    statement = boxes.statement(name, sign, ends)
    found = list(changed(statement, part))
    for where, copied in random.Random(1).sample(found, min(len(found), 40)):
        first, other = judged(copied, subject, data, tmp_path)
        assert first != "proved" or other == "proved", where


@pytest.mark.parametrize(("name", "sign", "ends"), BOXES)
def test_a_tree_that_is_cut_or_grafted_covers_its_box_or_proves_nothing(name, sign, ends, tmp_path):
    subject, data = of_spectrum("eigenvalues:1")
    statement = boxes.statement(name, sign, ends)
    tree = statement["evidence"]["tree"]
    for cut in random.Random(0).sample(range(len(tree)), min(len(tree), 10)):
        for other in (tree[:cut], tree[:cut] + "." + tree[cut + 1 :], tree[:cut] + "0" + tree[cut + 1 :], tree + "."):
            copied = {**statement, "evidence": {"tree": other}}
            first, _ = judged(copied, subject, data, tmp_path)
            assert first != "proved" or covers(other, len(ends))


def covers(tree, d):
    """Whether a text is one whole tree."""
    left = 1
    for step in tree:
        if left == 0:
            return False
        left += 1 if step.isdigit() and int(step) < d else -1
    return left == 0


def test_the_rows_of_the_small_example_are_skewed(small):
    _, _, best, _ = small
    assert best.value > best.lam_1 * 1.0001
    assert np.isfinite(best.t).all()
