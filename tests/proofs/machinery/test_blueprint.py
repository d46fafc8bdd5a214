"""What the files promise without a run, and the lists "checked by" of docs/mathematics.md."""

import re
import runpy
from itertools import pairwise
from pathlib import Path

import pytest

from proofs.machinery import blueprint
from proofs.machinery.blueprint import LIST, WIDTH, checked_by, places, promised, refreshed
from proofs.machinery.claims import STRENGTHS
from proofs.machinery.facts import FACTS
from proofs.machinery.run import PROOFS

MATHEMATICS = PROOFS.parent / "docs" / "mathematics.md"
STATEMENT = re.compile(r"^\*\*(Proposition \d+|Theorem \w+|Lemma \d+|Corollary \d+)\b", re.MULTILINE)


@pytest.fixture(scope="module")
def document():
    return promised(PROOFS)


def test_every_claim_of_ours_is_promised_whole(document):
    assert document["errors"] == []
    assert [claim["id"] for claim in document["claims"] if claim["verdict"] in ("broken", "undecided")] == []
    assert all(claim["strength"] in STRENGTHS for claim in document["claims"])
    assert len(document["claims"]) >= 45


def test_no_strength_is_promised_that_its_steps_and_grounds_do_not_have(document):
    by_id = {claim["id"]: claim for claim in document["claims"]}
    for claim in document["claims"]:
        links = [step["strength"] for step in claim["steps"]] + [by_id[id]["strength"] for id in claim["rests_on"]]
        assert claim["strength"] == min(links, key=STRENGTHS.index)


def test_the_lists_of_the_mathematics_are_up_to_date(document):
    text = MATHEMATICS.read_text(encoding="utf-8")
    assert refreshed(text, document) == text, "run `make docs`"
    assert max(len(line) for match in LIST.finditer(text) for line in match["words"].splitlines()) <= WIDTH


def test_every_statement_of_the_mathematics_is_checked_by_a_step_and_every_place_is_there(document):
    text = MATHEMATICS.read_text(encoding="utf-8")
    listed = [match["place"] for match in LIST.finditer(text)]
    stated = STATEMENT.findall(text)
    assert len(stated) >= 15 and len(set(stated)) == len(stated)
    assert len(set(listed)) == len(listed)
    assert set(stated) <= set(listed)
    assert set(places(document)) == set(listed)


def test_each_list_stands_below_its_statement_and_above_the_next():
    text = MATHEMATICS.read_text(encoding="utf-8")
    starts = {match[1]: match.start() for match in STATEMENT.finditer(text)}
    for match in LIST.finditer(text):
        before = [name for name, start in starts.items() if start < match.start()]
        if match["place"] in starts:
            assert before[-1] == match["place"]


def claim(id, **steps):
    return {"id": id, "steps": [{"id": name, "strength": s, "place": ["Lemma 1"]} for name, s in steps.items()]}


def test_a_list_names_steps_by_strength_and_the_weakest():
    found = places({"claims": [claim("a", one="proved", two="tested", three="proved"), claim("b", four="proved")]})
    words = checked_by(found["Lemma 1"])
    assert words == "*Checked by* `a` (proved: one, three; tested: two), `b` (proved: four). Weakest: **tested**."
    assert checked_by(found["Lemma 1"][3:]).endswith("Weakest: **proved**.")


def test_only_the_lists_are_written():
    text = "a\n<!-- checked by: Lemma 1 -->\nold\n<!-- end -->\nb <!-- other -->\n"
    document = {"claims": [claim("a", one="proved")]}
    new = refreshed(text, document)
    assert new == text.replace("old", "*Checked by* `a` (proved: one). Weakest: **proved**.")
    assert refreshed(new, document) == new
    with pytest.raises(KeyError, match="Lemma 2"):
        refreshed(text.replace("Lemma 1", "Lemma 2"), document)


def test_long_lists_are_wrapped():
    document = {"claims": [claim("a", **{f"step{i}": "proved" for i in range(60)})]}
    new = refreshed("<!-- checked by: Lemma 1 -->\n<!-- end -->\n", document)
    assert max(map(len, new.splitlines())) <= WIDTH and len(new.splitlines()) > 5


def test_a_word_longer_than_a_line_stays_whole():
    document = {"claims": [claim("long-" * 40, one="proved")]}
    new = refreshed("<!-- checked by: Lemma 1 -->\n<!-- end -->\n", document)
    assert f"`{'long-' * 40}`" in new.splitlines()[2]


def test_a_line_is_filled_before_the_next_begins(document):
    words = [line.split(" ") for line in checked_lines(document)]
    for line, after in pairwise(words):
        assert len(" ".join([*line, after[0]])) > WIDTH >= len(" ".join(line))


def checked_lines(document):
    place = max(places(document), key=lambda place: len(checked_by(places(document)[place])))
    text = refreshed(f"<!-- checked by: {place} -->\n<!-- end -->\n", document)
    assert " ".join(text.splitlines()[1:-1]) == checked_by(places(document)[place])
    assert len(text.splitlines()) > 3
    return text.splitlines()[1:-1]


def test_the_module_writes_the_lists_of_the_mathematics(monkeypatch):
    written = []
    monkeypatch.setattr(Path, "write_text", lambda path, text, **options: written.append((path, text)))
    runpy.run_path(blueprint.__file__, run_name="__main__")
    assert written == [(MATHEMATICS, MATHEMATICS.read_text(encoding="utf-8"))]


def test_the_facts_that_our_claims_trust_are_promised_too(document):
    trusted = {id for claim in document["claims"] for id in claim["trusts"]}
    assert [fact["id"] for fact in document["facts"]] == sorted(trusted) and trusted <= set(FACTS)
    assert all(fact["trusted_by"] for fact in document["facts"])


@pytest.fixture
def promise_of(tmp_path, monkeypatch):
    """promise_of(text) -> what a folder promises whose one file holds it."""

    def of(text):
        package = tmp_path / f"promise_of_{tmp_path.name}"  # imported once in this process
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "test_a.py").write_text(f"from proofs.machinery.claims import Claim, Fact\n{text}")
        monkeypatch.syspath_prepend(tmp_path)
        return promised(package)

    return of


MARKED = """
CLAIM = Claim('a', '', ''{more})
STEP = CLAIM.step('whole', '')
@STEP.evidence(role='supports', kind='symbolic', strength='proved')
def test_it():
    raise RuntimeError('it was run')
"""


def test_a_promise_is_made_from_marks_alone(promise_of):
    document = promise_of(MARKED.format(more=""))
    [found] = document["claims"]
    assert (found["verdict"], found["strength"]) == ("holds", "proved")
    assert not document["complete"]  # for nothing was run


def test_only_tests_that_are_marked_are_promised(promise_of):
    helpers = """
def test_of_no_claim(): pass
test_data = 3
def helper(): pass
marked_and_no_test = test_it
@Fact('ours', 'it is so', 'here').evidence(role='supports', kind='numeric')
def test_fact(): pass
"""
    [found] = promise_of(MARKED.format(more="") + helpers)["claims"]
    assert [e["test"].split("::")[1] for e in found["evidence"]] == ["test_it"]


def test_a_claim_that_rests_on_nothing_there_is_told_and_a_fact_that_nobody_knows_is_not_promised(promise_of):
    document = promise_of(MARKED.format(more=", rests_on=('nowhere',), trusts=('nobody', 'svd')"))
    assert document["errors"] == ["claim a rests on nowhere, which is no claim"]
    assert [fact["id"] for fact in document["facts"]] == ["svd"]
