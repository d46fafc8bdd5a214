"""Every quotation of a claim stands in the paper, word for word."""

import os
import re
from pathlib import Path

import pytest

from proofs.machinery.declared import declared
from proofs.machinery.run import PROOFS

# Beside the data that tests may want: the paper's text belongs to its authors and is not part of this repository.
DATA = os.environ.get("ELBO_VERIFY_DATA") or PROOFS.parents[1] / "shared" / "data"


def bare(text):
    """A text without spaces, line breaks and hyphens, where extraction and typesetting differ."""
    return re.sub(r"[\s\-\u2010\u2011\u00ad]+", "", text)


@pytest.fixture(scope="module")
def paper():
    texts = sorted(Path(DATA).with_name("paper").glob("*.txt"))
    if not texts:
        pytest.skip("no text of the paper: paper/*.txt beside the folder that ELBO_VERIFY_DATA names")
    return bare(" ".join(path.read_text(encoding="utf-8") for path in texts))


QUOTED = [claim for claim in declared(PROOFS)[0] if claim.quote]


def test_claims_quote():
    assert len(QUOTED) > 15


@pytest.mark.parametrize("claim", QUOTED, ids=lambda claim: claim.id)
def test_the_words_are_the_papers(claim, paper):
    pieces = [bare(piece) for piece in claim.quote.split("...") if bare(piece)]
    assert pieces
    for piece in pieces:
        assert len(piece) > 8, f"{piece!r} is too short to be found by"
        assert piece in paper, piece


def test_other_words_are_not(paper):
    assert bare("posterior collapse is always caused by the ELBO") not in paper
