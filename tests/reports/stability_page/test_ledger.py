"""The ledger on the page: whole, linked, escaped whatever its file holds; and the page without one."""

import re

import pytest

from reports.audit.text import finding
from tests.reports.stability_page.test_page import HOSTILE, checked, document, ledger, rendered  # noqa: F401
from verify.words.caveats import UNPROVED


def claims(**rests_on):
    """A ledger of claims that rest on others; a name that ends in a verdict has it."""
    made = ledger()
    [pattern] = made["claims"]
    made["claims"] = [
        {**pattern, "id": name, "rests_on": on, "verdict": name if name in ("undecided", "broken") else "holds"}
        for name, on in rests_on.items()
    ]
    return made


@pytest.fixture
def shown(document, folder):  # noqa: F811
    """shown(ledger) -> the text of the section."""

    def section(found):
        text = rendered(document | {"ledger": found}, folder)
        assert checked(text).wrong == [] and len(checked(text).ids) == len(set(checked(text).ids))
        return re.search(r'<section id="ledger">(.*?)</section>', text, re.DOTALL)[1]

    return section


def entry(text, anchor):
    return re.search(rf'<details class="claim" id="{re.escape(anchor)}">(.*?)</details>', text, re.DOTALL)[1]


def rests(text):
    return " ".join(re.sub(r"<[^>]*>", "", " ".join(re.findall(r'<p class="rests">.*?</p>', text, re.DOTALL))).split())


def test_without_a_ledger_the_page_says_so(document, folder):  # noqa: F811
    text = rendered(document, folder)
    assert "<p>The proofs were not run" in text and "elbo-verify prove --ledger" in text
    document["notes"] = [note for note in document["notes"] if note != UNPROVED]
    text = rendered(document | {"ledger": ledger()}, folder)
    assert "The proofs were not run" not in text
    assert "1 holds with correction" in text and "witness plain" in text and "hypotheses plain" in text


def test_a_claim_without_strength_shows_none(shown):
    undecided = ledger()
    undecided["claims"][0] |= {"verdict": "undecided", "strength": None}
    assert '<span class="strength"></span>' in shown(undecided)
    assert '<span class="strength">tested</span>' in shown(ledger())


def test_a_partial_ledger_says_so(shown):
    assert "A partial run" in shown(ledger() | {"complete": False})
    assert "A partial run" not in shown(ledger())


def test_what_a_ledger_notes_stands_with_the_claims_and_not_with_the_data(document, folder):  # noqa: F811
    note = "claim eq-1: the file says refuted; by its evidence it is holds"
    text = rendered(document | {"ledger": ledger() | {"notes": [note]}, "notes": [*document["notes"], note]}, folder)
    assert text.count("the file says refuted") == 1
    assert "the file says refuted" in re.search(r'<section id="ledger">(.*?)</section>', text, re.DOTALL)[1]


def test_a_ledger_without_the_optional_fields_is_shown(shown):
    bare = {"id": "eq-2", "verdict": "undecided", "evidence": [{"role": "supports"}]}
    text = shown({"schema": 1, "claims": [bare]})
    assert "eq-2" in text and 'figure class="wide map"' not in text and 'class="rests"' not in text


def test_formulas_are_set_as_mathematics(shown):
    found = ledger()
    found["claims"][0] |= {"statement": "W^T W is diagonal", "hypotheses": "sigma2 > 0", "reasons": ["lam_1 = lam_2"]}
    found["claims"][0]["evidence"][0] |= {"witness": "sigma2 = 1", "reason": "lam_3 > 0"}
    text = shown(found)
    assert text.count("<math>") >= 6 and "sigma2" not in text and "lam_" not in text and "W^T" not in text
    assert "<math>" not in shown(ledger())  # control


def test_claims_link_to_what_they_rest_on_and_to_what_they_carry(shown):
    text = shown(claims(ground=[], step=["ground"], top=["step", "ground", "elsewhere"]))
    assert rests(entry(text, "claim-top")) == "Rests on step, ground, elsewhere (not in this ledger)."
    assert rests(entry(text, "claim-step")) == "Rests on ground. Carries top."
    assert rests(entry(text, "claim-ground")) == "Carries step, top."
    assert 'href="#claim-ground"' in entry(text, "claim-top")
    assert "#claim-elsewhere" not in text  # a link to a claim that is missing


def test_what_rests_on_an_open_question_says_so(shown):
    text = shown(claims(undecided=[], broken=[], sound=[], step=["undecided", "sound"], top=["step", "broken"]))
    assert "rests on undecided, which is undecided here" in " ".join(entry(text, "claim-step").split())
    assert rests(entry(text, "claim-step")) == "Rests on undecided, which is undecided here; sound. Carries top."
    assert rests(entry(text, "claim-top")) == (
        "Rests on step, broken, which is broken here. Through these it rests on undecided, which is undecided here."
    )
    assert "shaky" not in entry(text, "claim-sound") and entry(text, "claim-top").count('class="shaky"') == 2


@pytest.mark.parametrize(
    "nonsense", ["ground", 7, None, {"ground": 1}, [], [7, None, ["ground"], {"a": 1}, "", True]], ids=repr
)
def test_what_is_no_list_of_ids_is_ignored(shown, nonsense):
    text = shown(claims(ground=[], top=nonsense))
    assert rests(text) == "" and 'figure class="wide map"' not in text


def test_circles_and_repetitions_are_shown_without_end(shown):
    text = shown(claims(a=["b", "b", "a"], b=["c"], c=["a"]))
    assert rests(entry(text, "claim-a")) == "Rests on b, a. Carries a, c."
    twice = claims(a=[], b=["a"])
    twice["claims"].append(twice["claims"][0])
    assert shown(twice).count('id="claim-a"') == 1


def test_hostile_ids_are_escaped_and_still_linked(shown):
    text = shown(claims(**{HOSTILE: [], "top": [HOSTILE, f"{HOSTILE}2"]}))
    assert "<script>alert" not in text and "<img" not in text
    assert 'href="#claim_1"' in entry(text, "claim-top") and 'id="claim_1"' in text
    assert "&lt;script&gt;alert" in entry(text, "claim-top")


def test_the_blueprint_has_every_claim_and_leads_to_it(shown):
    text = shown(claims(ground=[], step=["ground"], broken=[], alone=[], top=["step", "broken"]))
    drawn = re.search(r'<figure class="wide map".*?</figure>', text, re.DOTALL)[0]
    links = re.findall(r'<a class="node claim (\w+)" href="#claim-(\w+)"', drawn)
    assert sorted(links) == [("broken", "broken"), *(("tested", name) for name in ("alone", "ground", "step", "top"))]
    assert len(re.findall(r'<path class="rests" d="[^"]*" data-ends', drawn)) == 3


def test_the_audit_is_elsewhere_and_the_link_says_what_it_found(document, folder):  # noqa: F811
    text = rendered(document, folder)
    assert f'<a href="audit.html">{finding(document["audit"])}</a>' in text
    assert (folder / "audit.html").is_file() and "59 of 100 printed rows" in (folder / "audit.html").read_text()
    document["audit"]["rows"] = document["audit"]["rows"][:1]
    assert "of 1 printed rows" in rendered(document, folder)  # control
