"""The claims on a page: steps, faults, quotations, facts, in words that do not promise more; escaped throughout."""

import re

import pytest

from reports.ledger_page.page import render
from tests.reports.ledger_page import made_up
from tests.reports.stability_page.test_page import HOSTILE, checked


def plain(html):
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


@pytest.fixture(scope="module")
def page():
    return render(made_up.document())


def entry(page, id):
    return plain(re.search(rf'<details class="claim" id="claim-{id}">(.*?)</details>', page, re.DOTALL)[1])


def test_it_is_well_formed_and_every_link_leads_somewhere(page):
    found = checked(page)
    assert found.wrong == [] and found.open == []
    assert len(found.ids) == len(set(found.ids)) > 12
    assert {link[1:] for link in found.links if link.startswith("#")} <= set(found.ids)
    assert all(link.startswith("#") for link in found.links)


def test_the_summary_counts_verdicts_faults_and_strengths_apart(page):
    said = plain(page)
    assert "8 claims: 3 holds 2 holds with correction 1 refuted 1 undecided 1 broken" in said
    assert "Of the 3 that do not hold as printed, 1 is a misprint, 1 lacks a hypothesis, 1 is false." in said
    strengths = "Strength of the evidence: 2 proved, 1 certified, 1 tested, 2 argued, 2 without."
    assert strengths in said.replace(" ,", ",").replace(" .", ".")


def test_a_single_fault_is_counted_as_one():
    said = plain(render(made_up.document(ids=("ground", "misprinted"))))
    assert "The one that does not hold as printed is a misprint." in said
    sound = plain(render(made_up.document(ids=("ground",))))
    assert "not hold as printed" not in sound.partition("What these words")[0]


def test_steps_show_strength_tests_and_refused_falsehoods(page):
    said = entry(page, "ground")
    assert "proved first the first of ground 1 test passed, 2 false statements refused" in said
    assert "written out as Proposition 3 in docs/mathematics.md" in said
    words = entry(page, "in-words")
    assert "argued first the first of in-words since it is so no test speaks for it" in words
    assert "against the printed form, 1 test passed" in entry(page, "false-claim")
    assert "nothing speaks for it first" in entry(page, "cannot-tell")


def test_a_fault_shows_the_quotation_the_kind_and_what_was_found(page):
    said = entry(page, "misprinted")
    assert "holds with correction: misprint" in said and "refuted tested" in entry(page, "false-claim")
    assert "The paper: printed as misprint A misprint: found instead of misprint." in said
    assert "A hypothesis is missing: found instead of missing hypothesis." in entry(page, "hypothesis-missing")
    assert "False as printed: found instead of false." in entry(page, "false-claim")
    assert "The paper:" not in entry(page, "ground")


def test_weakest_links_ground_and_trust_are_named(page):
    said = entry(page, "upon-words")
    assert "Weakest link rests on in-words, argued." in said and "Rests on in-words , ground ." in said
    assert "Trusts svd , chain-rule , not proved here." in entry(page, "in-words")
    assert "Weakest link" not in entry(page, "ground")


def test_standard_facts_are_listed_with_reference_and_users(page):
    said = plain(re.search(r'<dl class="standard">(.*?)</dl>', page, re.DOTALL)[1])
    assert "svd every matrix is" in said and "chain-rule derivatives of compositions. any course" in said
    assert "Examples of it were checked here, which proves nothing in general." in said
    assert "Trusted by ground , in-words ." in said and "Trusted by in-words ." in said


def test_every_word_of_strength_and_verdict_is_explained(page):
    terms = re.search(r'<details class="more meanings">(.*?)</details>', page, re.DOTALL)[1]
    explained = re.findall(r"<dt>(.*?)</dt>", terms)
    used = {"proved", "certified", "tested", "argued", "holds with correction", "refuted", "undecided", "broken"}
    assert used <= set(explained)


def test_hostile_words_are_escaped():
    text = render(made_up.renamed(HOSTILE))
    assert "<script>alert" not in text and "<img" not in text and "&lt;script&gt;alert" in text
    assert checked(text).wrong == []
    assert checked(text).tags.count("script") == checked(render(made_up.document())).tags.count("script") == 1


def test_a_ledger_without_claims_has_a_page_as_well():
    text = render(made_up.ledger([], environment={}, errors=["a file cannot be read"]))
    assert "0 claims:" in plain(text) and "a file cannot be read" in text and checked(text).wrong == []
