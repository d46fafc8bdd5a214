"""Claims that are read from their files are those that pytest collects, and what cannot be read is named."""

import importlib

import pytest

from proofs.machinery import declared as module
from proofs.machinery.declared import declared, files, unknown
from proofs.machinery.ledger import SECTIONS, Claim, stated
from proofs.machinery.run import PROOFS, prove
from tests.proofs.machinery import claims
from verify.errors import InputError


def test_they_are_what_the_files_hold_when_they_are_run():
    found, unread = declared(PROOFS)
    held = {}
    for path in PROOFS.rglob("test_*.py"):
        name = ".".join(path.relative_to(PROOFS.parent).with_suffix("").parts)
        for value in vars(importlib.import_module(name)).values():
            held |= {value.id: value} if isinstance(value, Claim) else {}
    assert {claim.id: stated(claim) for claim in found} == {id: stated(claim) for id, claim in held.items()}
    assert len(found) > 30
    assert not unread


def test_they_come_by_section():
    places = [SECTIONS.index(claim.section) for claim in declared(PROOFS)[0]]
    assert places == sorted(places) and len(set(places)) > 1


COMPUTED = 'from proofs.machinery.ledger import Claim\nCLAIM = Claim(id="eq-" + "7", source="", statement="")\n'


@pytest.mark.parametrize("text", [COMPUTED, "Claim(nonsense=1)\n", "def broken(:\n"])
def test_a_file_that_must_be_run_is_named(tmp_path, text):
    folder = claims.write_claims(tmp_path / "claims", a=claims.HOLDS, b=text)
    found, unread = declared(folder)
    assert [claim.id for claim in found] == ["eq-5"]
    assert [path.name for path in unread] == ["test_b.py"]


def test_an_unknown_name_is_refused_before_anything_runs(tmp_path, monkeypatch):
    folder = claims.write_claims(tmp_path / "claims", a=claims.HOLDS)
    monkeypatch.setattr("proofs.machinery.run._run", lambda *args, **options: (0, ""))
    with pytest.raises(InputError, match="no such claim: eq-55; the nearest are eq-5"):
        prove(["eq-5", "eq-55"], folder=folder)
    assert prove(["eq-5"], folder=folder) == 0  # control
    monkeypatch.setattr("proofs.machinery.run.declared", lambda folder: (module.declared(folder)[0], [folder]))
    assert prove(["eq-55"], folder=folder) == 0  # a file that must be run may hold it


def test_the_nearest_are_named_and_the_first_where_none_is_near():
    assert unknown("eq-2", ["eq-1", "lemma"]) == "no such claim: eq-2; the nearest are eq-1"
    assert unknown("zzz", ["eq-1", "lemma"]) == "no such claim: zzz; the nearest are eq-1, lemma"
    assert unknown("zzz", []) == "no such claim: zzz"


@pytest.mark.parametrize("name", ["zzz", "eq-9"])
def test_no_more_than_three_are_named(name):
    said = unknown(name, ["eq-1", "eq-2", "eq-3", "eq-4"])
    assert len(said.split("the nearest are ")[1].split(", ")) == 3


STORED = """
from proofs.machinery.claims import Claim
CLAIMS, OTHER = {}, None
CLAIMS["a"] = Claim("a", "Eq. 1", "1 = 1")
AGAIN = NAME = Claim("b", "Eq. 2", "2 = 2", rests_on=("a",))
OTHER.step("none", "of a claim that is none")
NAME.step("first", "of two", place="Lemma 1")
AGAIN.step("second", "of two")
"""


def test_a_claim_is_read_wherever_it_is_stored_and_its_steps_by_any_name_of_it(tmp_path):
    (a, b), unread = declared(claims.write_claims(tmp_path, a=STORED))
    assert (a.id, list(a.steps), b.rests_on, list(b.steps), unread) == ("a", [], ("a",), ["first", "second"], [])
    assert (b.steps["first"].claim, b.steps["first"].place) == (b, ("Lemma 1",))


def test_a_claim_that_two_files_state_has_the_steps_of_both_in_the_words_of_the_first(tmp_path):
    other = claims.HOLDS.replace('"all of it"', '"said otherwise"') + 'CLAIM.step("more", "beside it")\n'
    folder = claims.write_claims(tmp_path, a=claims.HOLDS, b=other, c=claims.GROUND, d="def broken(:\n")
    by_id = {claim.id: claim for claim in declared(folder)[0]}
    steps = {id: step.statement for id, step in by_id["eq-5"].steps.items()}
    assert steps == {"whole": "all of it", "more": "beside it"}
    found = {id: [path.name for path in paths] for id, paths in files([folder, folder]).items()}
    assert found == {"eq-5": ["test_a.py", "test_b.py"], "ground": ["test_c.py"]}
