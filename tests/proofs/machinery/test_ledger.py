"""The document that carries claims, steps, facts and evidence, and what it is written from."""

import json

import pytest

from proofs.machinery.claims import Claim, Fact
from proofs.machinery.judging import Evidence
from proofs.machinery.ledger import environment, ledger, printable, restored, stated, write
from proofs.machinery.reading import read
from proofs.machinery.summary import lines
from verify.errors import InputError


def said(role, outcome="passed", **fields):
    fields = {"strength": "tested", "step": "whole", "rejections": int(role == "control"), "instances": 1, **fields}
    return Evidence(test=f"test_{role}", role=role, kind="numeric", outcome=outcome, **fields)


CONTROL = said("control")


def claim(id="eq-1", **fields):
    made = Claim(id, "Eq. 1", "1 = 1", "none", **fields)
    made.step("whole", "all of it", argument="by counting", says="one -> one", place="Proposition 1")
    return made


def test_the_document_carries_claim_steps_verdict_and_evidence():
    evidence = [said("supports", instances=3, worst_error=1e-14), CONTROL]
    document = ledger([(claim(trusts=("svd",)), evidence)], environment={"a": 1})
    assert (document["schema"], document["environment"]) == (1, {"a": 1})
    [entry] = document["claims"]
    assert [entry[name] for name in ("id", "source", "statement", "hypotheses")] == ["eq-1", "Eq. 1", "1 = 1", "none"]
    assert (entry["verdict"], entry["strength"], entry["worst_error"]) == ("holds", "tested", 1e-14)
    assert (entry["kind_of_fault"], entry["quote"], entry["finding"], entry["trusts"]) == (None, "", "", ["svd"])
    assert entry["steps"] == [
        {
            "id": "whole",
            "statement": "all of it",
            "argument": "by counting",
            "says": "one -> one",
            "place": ["Proposition 1"],
            "strength": "tested",
            "evidence": ["test_supports", "test_control"],
            "rejections": 1,
        }
    ]
    assert entry.keys() == {
        *("id", "source", "statement", "hypotheses", "section", "quote", "finding", "rests_on", "trusts"),
        *("kind_of_fault", "verdict", "strength", "reasons", "worst_error", "steps", "evidence"),
    }
    assert entry["evidence"][0] == {
        "test": "test_supports",
        "role": "supports",
        "kind": "numeric",
        "strength": "tested",
        "outcome": "passed",
        "step": "whole",
        "rejections": 0,
        "accepted": [],
        "refused": [],
        "instances": 3,
        "worst_error": 1e-14,
        "seconds": 0.0,
        "backend": "numpy",
        "witness": "",
        "reason": "",
    }


def test_a_step_shows_its_own_tests_and_what_those_that_passed_refused():
    about = claim()
    about.step("other", "the rest")
    evidence = [said("supports"), CONTROL, said("supports", step="other"), said("control", step="other", rejections=2)]
    undone = said("control", "skipped", step="other", rejections=4)
    [entry] = ledger([(about, [*evidence, undone])], environment={})["claims"]
    shown = [(step["id"], step["evidence"], step["rejections"]) for step in entry["steps"]]
    assert shown == [
        ("whole", ["test_supports", "test_control"], 1),
        ("other", ["test_supports", "test_control", "test_control"], 2),
    ]


def test_a_claim_comes_back_as_it_was_stated():
    one = claim(rests_on=("a", "b"), trusts=("svd",), quote="as printed", fault="misprint", finding="as found")
    again = restored(json.loads(json.dumps(stated(one))))
    assert again == one
    assert stated(again) == stated(one)


def test_facts_say_who_trusts_them_and_a_failed_one_breaks_what_does():
    fact = Fact("svd", "W = U K R", "a book")
    entries = [(claim("a", trusts=("svd",)), [said("supports"), CONTROL]), (claim("b"), [said("supports"), CONTROL])]
    for outcome, verdict in (("passed", "holds"), ("failed", "broken"), ("skipped", "holds")):
        document = ledger(entries, facts=[(fact, [CONTROL, said("supports", outcome)])], environment={})
        [shown] = document["facts"]
        assert (shown["id"], shown["reference"], shown["trusted_by"]) == ("svd", "a book", ["a"])
        assert [one["outcome"] for one in shown["evidence"]] == ["passed", outcome]
        assert [one["verdict"] for one in document["claims"]] == [verdict, "holds"]


def test_claims_are_ordered_by_section_and_keep_their_order_within():
    sections = {"z": "Another", "a": "The linear VAE", "c": "Probabilistic PCA", "b": "The linear VAE"}
    entries = [(Claim(id, "", "", section=section), [CONTROL]) for id, section in sections.items()]
    assert [claim["id"] for claim in ledger(entries, environment={})["claims"]] == ["c", "a", "b", "z"]


def resting(**arrows):
    """A whole ledger of claims that rest on one another: a=("b", "c") for each claim."""
    return [(claim(id, rests_on=ids), [said("supports"), CONTROL]) for id, ids in arrows.items()]


def test_what_a_claim_rests_on_is_in_the_document():
    document = ledger(resting(a=("b", "c"), b=("c",), c=()), environment={}, whole=True)
    assert [one["rests_on"] for one in document["claims"]] == [["b", "c"], ["c"], []]
    assert {(one["verdict"], one["strength"]) for one in document["claims"]} == {("holds", "tested")}
    assert document["errors"] == []


def test_resting_on_a_claim_that_is_not_there_is_an_error_of_a_whole_ledger_only():
    entries = resting(a=("b", "x"), b=())
    document = ledger(entries, environment={}, whole=True, errors=["another"])
    assert document["errors"] == ["another", "claim a rests on x, which is no claim"]
    assert "outside any claim: claim a rests on x, which is no claim" in document["notes"]
    assert ledger(entries, environment={}, whole=False)["errors"] == ledger(entries, environment={})["errors"] == []
    assert document["claims"][0]["strength"] is None


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    ("arrows", "circle"),
    [
        ({"a": ("a",)}, "a rests on a"),
        ({"a": ("b",), "b": ("a",)}, "b rests on a rests on b"),
        ({"a": ("b",), "b": ("c",), "c": ("d", "a"), "d": ()}, "c rests on a rests on b rests on c"),
    ],
    ids=["itself", "two", "three"],
)
def test_claims_that_rest_on_one_another_in_a_circle_are_an_error(arrows, circle, whole):
    [error] = ledger(resting(**arrows), environment={}, whole=whole)["errors"]
    *chain, last = error.removeprefix("claims in a circle: ").split(" rests on ")
    start = circle.split(" rests on ")[:-1]
    assert last == chain[0]
    assert chain in [start[i:] + start[:i] for i in range(len(start))]  # wherever the circle is entered


def test_environment_names_what_numbers_depend_on():
    facts = environment("cupy", thorough=True)
    assert {"python", "numpy", "scipy", "sympy", "mpmath", "platform"} <= facts.keys()
    assert (facts["backend"], facts["thorough"]) == ("cupy", True)
    assert all(facts[name] for name in ("python", "numpy", "scipy", "sympy", "mpmath", "platform"))


def test_a_ledger_comes_back_as_it_was_written_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "ledger.json"
    document = ledger(resting(a=("b",), b=()), environment={"platform": "Λ"})
    write({"schema": 1, "claims": []}, path)
    write(document, path)
    assert read(path) == document
    assert list(lines(read(path))) == list(lines(document))
    assert list(tmp_path.iterdir()) == [path]


def test_words_are_written_as_they_are_read_and_what_is_no_unicode_as_a_question_mark(tmp_path):
    path = tmp_path / "ledger.json"
    write({"λ": "Λ \ud800"}, path)
    assert '"λ": "Λ ?"' in path.read_text(encoding="utf-8")


def test_a_number_that_json_does_not_know_is_refused_and_what_was_there_stays(tmp_path):
    path = tmp_path / "ledger.json"
    write({"a": 1.0}, path)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write({"a": float("nan")}, path)
    assert json.loads(path.read_text()) == {"a": 1.0}


def test_what_steers_a_terminal_is_no_text_and_line_breaks_are():
    assert printable("\x1b[2J \u202e\ufffe\ud800 é λ ∑ '\n\t-+") == "?[2J ??? é λ ∑ '\n\t-+"


def test_a_ledger_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="folder"):
        write({"schema": 1, "claims": []}, tmp_path / "folder")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]
