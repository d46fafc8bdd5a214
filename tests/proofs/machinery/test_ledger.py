"""Every branch of the verdict, and the document that carries it."""

import json
from itertools import product

import pytest

from proofs.machinery.ledger import Claim, Evidence, environment, judge, ledger, read, worst_error, write
from proofs.machinery.summary import lines
from verify.errors import InputError

CLAIM = Claim(id="eq-1", source="Eq. 1", statement="1 = 1", hypotheses="none")


def said(role, outcome="passed", strength="tested", **fields):
    return Evidence(test=f"test_{role}", role=role, kind="numeric", strength=strength, outcome=outcome, **fields)


CONTROL = said("control")


@pytest.mark.parametrize(
    ("roles", "verdict"),
    [
        ({"supports"}, "holds"),
        ({"supports", "corrected"}, "holds"),
        ({"refutes"}, "refuted"),
        ({"refutes", "corrected"}, "holds with correction"),
        ({"corrected"}, "undecided"),
        (set(), "undecided"),
        ({"supports", "refutes"}, "broken"),
        ({"supports", "refutes", "corrected"}, "broken"),
    ],
    ids=lambda value: "+".join(sorted(value)) or "nothing" if isinstance(value, set) else "",
)
def test_verdict_follows_from_the_roles_that_passed(roles, verdict):
    assert judge([*map(said, sorted(roles)), CONTROL]).verdict == verdict


@pytest.mark.parametrize("role", ["supports", "corrected", "refutes", "control"])
def test_a_failing_test_breaks_the_claim_whatever_else_passed(role):
    for others in product(["supports", "corrected", "refutes", None], repeat=2):
        evidence = [said(other) for other in others if other] + [
            CONTROL,
            said(role, "failed", reason="off by 2"),
        ]
        judgement = judge(evidence)
        assert judgement.verdict == "broken"
        assert judgement.strength is None
        assert f"{role} test_{role} failed: off by 2" in judgement.reasons


@pytest.mark.parametrize("role", ["supports", "corrected", "refutes"])
def test_a_claim_without_a_control_is_broken(role):
    assert judge([said(role)]).verdict == "broken"
    assert judge([said(role, "skipped")]).verdict == "broken"
    assert judge([]).verdict == "broken"
    assert "no control" in judge([said(role)]).reasons[0]


@pytest.mark.parametrize("outcome", ["skipped", "undecided"])
def test_a_conclusion_beside_a_control_that_did_not_pass_is_broken(outcome):
    judgement = judge([said("supports"), said("control", outcome)])
    assert judgement.verdict == "broken"
    assert "no control passed" in judgement.reasons[0]


def test_one_control_that_passed_is_enough_beside_a_skipped_one():
    assert judge([said("supports"), CONTROL, said("control", "skipped")]).verdict == "holds"


def test_where_all_was_skipped_the_claim_is_undecided_and_says_why():
    evidence = [said("supports", "skipped", reason="python-flint is missing"), said("control", "skipped")]
    judgement = judge(evidence)
    assert judgement.verdict == "undecided"
    assert judgement.reasons[0].endswith("skipped: python-flint is missing")


def test_evidence_that_cannot_tell_is_undecided():
    judgement = judge([said("supports", "undecided", reason="ball too wide"), CONTROL])
    assert (judgement.verdict, judgement.strength) == ("undecided", None)
    assert "ball too wide" in judgement.reasons[0]


@pytest.mark.parametrize("outcome", ["skipped", "undecided"])
def test_evidence_that_did_not_run_through_leaves_the_rest_to_speak(outcome):
    assert judge([said("supports"), said("refutes", outcome), CONTROL]).verdict == "holds"
    assert judge([said("refutes"), said("corrected", outcome), CONTROL]).verdict == "refuted"
    assert judge([said("refutes", outcome), said("corrected"), CONTROL]).verdict == "undecided"


def test_a_partial_run_excuses_a_missing_control_but_concludes_nothing_from_it():
    assert judge([said("supports")], complete=False).verdict == "undecided"
    assert judge([said("supports"), CONTROL], complete=False).verdict == "holds"
    assert judge([said("supports", "failed")], complete=False).verdict == "broken"
    assert judge([said("supports"), said("refutes")], complete=False).verdict == "broken"


def test_strength_is_the_strongest_that_speaks_for_the_verdict():
    control = said("control", strength="proved")
    both = [said("supports", strength="tested"), said("supports", strength="certified"), control]
    assert judge(both).strength == "certified"
    assert judge([said("refutes", strength="proved"), said("corrected"), control]).strength == "tested"
    assert judge([said("refutes", strength="certified"), control]).strength == "certified"
    assert judge([said("supports"), said("supports", "skipped", strength="proved"), control]).strength == "tested"


def test_worst_error_is_that_of_evidence_that_passed_and_is_no_control():
    evidence = [
        said("supports", worst_error=1e-13),
        said("corrected", worst_error=3e-13),
        said("control", worst_error=1.0),
        said("supports", "failed", worst_error=2.0),
        said("supports"),
    ]
    assert worst_error(evidence) == 3e-13
    assert worst_error([CONTROL, said("supports")]) is None


@pytest.mark.parametrize("field", ["role", "kind", "strength"])
def test_a_mark_with_an_unknown_word_is_refused(field):
    words = {"role": "supports", "kind": "numeric", "strength": "tested", field: "maybe"}
    with pytest.raises(ValueError, match=f"evidence on eq-1: {field} 'maybe' is none of"):
        CLAIM.evidence(**words)


def test_the_mark_lies_on_the_function_itself():
    def test():
        return 7

    marked = CLAIM.evidence(role="supports", kind="symbolic", strength="proved")(test)
    assert marked is test
    assert (marked.evidence_mark.claim, marked.evidence_mark.strength) == (CLAIM, "proved")


def test_the_document_carries_claim_verdict_and_evidence():
    document = ledger([(CLAIM, [said("supports", instances=3, worst_error=1e-14), CONTROL])], facts={"a": 1})
    assert document["schema"] == 1
    assert document["environment"] == {"a": 1}
    [entry] = document["claims"]
    assert (entry["id"], entry["source"], entry["statement"], entry["hypotheses"]) == (
        "eq-1",
        "Eq. 1",
        "1 = 1",
        "none",
    )
    assert (entry["verdict"], entry["strength"], entry["worst_error"]) == ("holds", "tested", 1e-14)
    assert entry["evidence"][0] == {
        "test": "test_supports",
        "role": "supports",
        "kind": "numeric",
        "strength": "tested",
        "outcome": "passed",
        "instances": 3,
        "worst_error": 1e-14,
        "seconds": 0.0,
        "backend": "numpy",
        "witness": "",
        "reason": "",
    }


def test_claims_are_ordered_by_section_and_keep_their_order_within():
    sections = {"z": "Another", "a": "The linear VAE", "c": "Probabilistic PCA", "b": "The linear VAE"}
    entries = [(Claim(id, "", "", section=section), [CONTROL]) for id, section in sections.items()]
    assert [claim["id"] for claim in ledger(entries, facts={})["claims"]] == ["c", "a", "b", "z"]


def resting(**arrows):
    """A whole ledger of claims that rest on one another: a=("b", "c") for each claim."""
    return [(Claim(id, "", "", rests_on=ids), [said("supports"), CONTROL]) for id, ids in arrows.items()]


def test_what_a_claim_rests_on_is_in_the_document_and_changes_no_verdict():
    document = ledger(resting(a=("b", "c"), b=("c",), c=()), facts={}, whole=True)
    assert [claim["rests_on"] for claim in document["claims"]] == [["b", "c"], ["c"], []]
    assert {claim["verdict"] for claim in document["claims"]} == {"holds"}
    assert document["errors"] == []


def test_resting_on_a_claim_that_is_not_there_is_an_error_of_a_whole_ledger_only():
    entries = resting(a=("b", "x"), b=())
    document = ledger(entries, facts={}, whole=True, errors=["another"])
    assert document["errors"] == ["another", "claim a rests on x, which is no claim"]
    assert "outside any claim: claim a rests on x, which is no claim" in document["notes"]
    assert ledger(entries, facts={}, whole=False)["errors"] == []


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
    [error] = ledger(resting(**arrows), facts={}, whole=whole)["errors"]
    *chain, last = error.removeprefix("claims in a circle: ").split(" rests on ")
    start = circle.split(" rests on ")[:-1]
    assert last == chain[0]
    assert chain in [start[i:] + start[:i] for i in range(len(start))]  # wherever the circle is entered


def test_a_bare_string_is_no_list_of_ids():
    with pytest.raises(ValueError, match=r"claim a: rests_on is 'bc'; write \('bc',\)"):
        Claim("a", "", "", rests_on="bc")


def test_a_ledger_from_before_claims_rested_on_others_is_still_printed(tmp_path):
    document = ledger([(CLAIM, [said("supports"), CONTROL])], facts={})
    printed = list(lines(document))
    del document["claims"][0]["rests_on"]
    write(document, tmp_path / "old.json")
    assert list(lines(read(tmp_path / "old.json"))) == printed


def test_environment_names_what_numbers_depend_on():
    facts = environment("cupy", thorough=True)
    assert {"python", "numpy", "scipy", "sympy", "mpmath", "platform"} <= facts.keys()
    assert (facts["backend"], facts["thorough"]) == ("cupy", True)
    assert all(facts[name] for name in ("python", "numpy", "scipy", "sympy", "mpmath", "platform"))


def test_a_ledger_comes_back_as_it_was_written_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "ledger.json"
    document = ledger([(CLAIM, [CONTROL])], facts={"platform": "Λ"})
    write({"schema": 1, "claims": []}, path)
    write(document, path)
    assert read(path) == document
    assert list(tmp_path.iterdir()) == [path]


def test_a_ledger_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="folder"):
        write({"schema": 1, "claims": []}, tmp_path / "folder")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", json.dumps({"schema": 2, "claims": []}), '{"schema": 1}'])
def test_what_is_no_ledger_is_refused_by_name(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"x\.json: not a ledger; write one with"):
        read(path)


def test_a_ledger_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"none\.json: No such file"):
        read(tmp_path / "none.json")
