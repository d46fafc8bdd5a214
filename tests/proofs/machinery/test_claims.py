"""What a claim, a step, a mark and a standard fact may be; and the register of facts."""

import pytest

from proofs.machinery.claims import RIGOROUS, STRENGTHS, Claim, Fact
from proofs.machinery.facts import FACTS, fact

CLAIM = Claim(id="eq-1", source="Eq. 1", statement="1 = 1", hypotheses="none")
STEP = CLAIM.step("whole", "all of it", place="Proposition 1")


@pytest.mark.parametrize("field", ["role", "kind", "strength"])
def test_a_mark_with_an_unknown_word_is_refused(field):
    words = {"role": "supports", "kind": "numeric", "strength": "tested", field: "maybe"}
    with pytest.raises(ValueError, match=f"evidence on eq-1: {field} 'maybe' is none of"):
        STEP.evidence(**words)


def test_the_mark_lies_on_the_function_itself():
    def test():
        return 7

    marked = STEP.evidence(role="supports", kind="symbolic", strength="proved")(test)
    assert marked is test
    mark = marked.evidence_mark
    assert (mark.owner, mark.step, mark.strength) == (CLAIM, "whole", "proved")


def test_floating_point_is_never_more_than_tested_and_no_test_is_argued():
    for kind in ("symbolic", "numeric", "property", "certificate", "device"):
        for strength in STRENGTHS:
            if strength == "tested" or (kind in RIGOROUS and strength != "argued"):
                STEP.evidence(role="supports", kind=kind, strength=strength)
                continue
            with pytest.raises(ValueError, match=r"never|none of"):
                STEP.evidence(role="supports", kind=kind, strength=strength)


def test_a_step_has_one_name_and_any_number_of_places():
    assert STEP.place == ("Proposition 1",)
    assert Claim("a", "", "").step("x", "", place=("Lemma 1", "Theorem A")).place == ("Lemma 1", "Theorem A")
    with pytest.raises(ValueError, match="claim eq-1: step whole is declared twice"):
        CLAIM.step("whole", "again")


@pytest.mark.parametrize("name", ["rests_on", "trusts"])
def test_a_bare_string_is_no_list_of_ids(name):
    with pytest.raises(ValueError, match=rf"claim a: {name} is 'bc'; write \('bc',\)"):
        Claim("a", "", "", **{name: "bc"})


def test_a_fault_is_one_of_three():
    with pytest.raises(ValueError, match="claim a: fault 'wrong' is none of misprint, missing hypothesis, false"):
        Claim("a", "", "", fault="wrong")


def test_the_register_is_sorted_and_says_where_each_fact_is_proved():
    assert list(FACTS) == sorted(FACTS)
    assert all(one.statement and one.reference for one in FACTS.values())
    assert fact("hadamard") is FACTS["hadamard"]
    with pytest.raises(ValueError, match="no such standard fact: hadamar; the nearest is hadamard"):
        fact("hadamar")
    with pytest.raises(ValueError, match="no such standard fact: zzz; see FACTS"):
        fact("zzz")


def test_a_fact_is_supported_or_controlled_and_nothing_else():
    one = Fact("f", "1 = 1", "Euclid")
    for role in ("supports", "control"):
        mark = one.evidence(role=role, kind="numeric")(lambda: None).evidence_mark
        assert (mark.owner, mark.step, mark.role, mark.strength) == (one, "", role, "tested")
    for role in ("refutes", "corrected"):
        with pytest.raises(ValueError, match=f"evidence on f: role '{role}' is none of supports, control"):
            one.evidence(role=role, kind="numeric")


def test_a_mark_is_for_one_test_function_and_for_one_step():
    claim = Claim("a", "", "")
    one, other = claim.step("one", ""), claim.step("other", "")
    mark = one.evidence(role="supports", kind="numeric")

    class TestGroup:
        pass

    for thing in (TestGroup, pytest.fixture(lambda: 1), staticmethod(len)):
        with pytest.raises(ValueError, match="is no test function"):
            mark(thing)

    def test_it():
        pass

    mark(test_it)
    with pytest.raises(ValueError, match="test_it is evidence already"):
        other.evidence(role="supports", kind="numeric")(test_it)


@pytest.mark.parametrize(
    "fields", [{"id": 5}, {"id": " "}, {"statement": None}, {"rests_on": (1,)}, {"trusts": ("b", 1)}, {"quote": b"x"}]
)
def test_what_is_no_text_is_refused(fields):
    with pytest.raises(ValueError, match=r"which is no text|it holds ids"):
        Claim(**{"id": "a", "source": "", "statement": "", **fields})
    with pytest.raises(ValueError, match="which is no text"):
        Claim("a", "", "").step("b", None)
