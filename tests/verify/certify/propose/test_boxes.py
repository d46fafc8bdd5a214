"""The search for trees: what it finds is checked, what it cannot find is left undecided."""

import pytest

from verify.certify.checker.functions import check
from verify.certify.checker.outcome import Status
from verify.certify.propose.boxes import statement

pytest.importorskip("flint")


def test_a_tree_is_found_and_a_tree_with_too_few_leaves_is_undecided():
    box = [("1/10", "1/5"), ("2/5", "3/5")]
    given = statement("rotation", ">", box)
    assert check(given).status == Status.PROVED
    assert given["evidence"]["tree"].count(".") + given["evidence"]["tree"].count(":") > 4
    few = statement("rotation", ">", box, leaves=4)
    assert check(few).status == Status.UNDECIDED
    assert few["evidence"]["tree"].count(".") == 4  # no more than were allowed, and all of the box


def test_the_other_sign_is_refuted_by_what_the_search_leaves():
    assert check(statement("rotation", "<", [("1/10", "1/5"), ("2/5", "3/5")])).status == Status.REFUTED
    assert check(statement("gap of two", "<", [("-1", "1")])).status == Status.REFUTED
