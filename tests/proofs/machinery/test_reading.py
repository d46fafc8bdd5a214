"""A ledger from a file is judged anew, whatever it says of itself; what is none is refused in one line."""

import json
import sys

import pytest

from proofs.machinery.claims import Claim, Fact
from proofs.machinery.judging import Evidence
from proofs.machinery.ledger import ledger
from proofs.machinery.reading import FIELDS, VALUE, read
from verify.errors import InputError


def said(role, **fields):
    fields = {"outcome": "passed", "instances": 1, "rejections": int(role == "control"), **fields}
    return Evidence(test=f"test_{role}", role=role, kind="numeric", strength="tested", step="whole", **fields)


@pytest.fixture
def document():
    """Two claims that hold, one on the other's ground, with a fact."""
    entries = []
    for id, rests_on in (("top", ("ground",)), ("ground", ())):
        claim = Claim(id, "Eq. 1", "1 = 1", section="Probabilistic PCA", rests_on=rests_on, trusts=("svd",))
        claim.step("whole", "all of it")
        entries.append((claim, [said("supports", worst_error=1e-9, seconds=0.5), said("control")]))
    fact = Fact("svd", "W = U K R", "a book")
    return json.loads(json.dumps(ledger(entries, facts=[(fact, [said("supports")])], environment={"python": "3.11"})))


@pytest.fixture
def reread(tmp_path):
    """reread(document or text) -> what is read from a file that holds it."""

    def through_a_file(what):
        path = tmp_path / "x.json"
        raw = what if isinstance(what, bytes) else (what if isinstance(what, str) else json.dumps(what)).encode()
        path.write_bytes(raw)
        return read(path)

    return through_a_file


def refused(reread, what):
    """The one line that refuses it."""
    with pytest.raises(InputError) as error:
        reread(what)
    text = str(error.value)
    assert "\n" not in text and len(text) < 400 and "x.json: not a ledger" in text
    assert text.endswith("; write one with `elbo-verify prove --ledger FILE`")
    return text


def test_what_was_written_comes_back(document, reread):
    assert reread(document) == document
    assert document["notes"] == []


def test_what_an_erroneous_claim_says_of_itself_comes_back(reread):
    claim = Claim("e", "Eq. 2", "1 = 2", quote="one is two", fault="misprint", finding="1 = 1")
    claim.step("whole", "all of it", argument="by counting", says="one -> one", place=("Lemma 1", "Lemma 2"))
    entries = [(claim, [said("refutes"), said("corrected"), said("control", outcome="failed", instances=0)])]
    entries[0][1][1] = Evidence("t", "corrected", "symbolic", "proved", "passed", "whole", instances=1, rejections=1)
    document = json.loads(json.dumps(ledger(entries, environment={"numpy": None, "cores": 2}, complete=False)))
    document["errors"], document["skipped"] = ["one", "two"], ["three"]
    found = reread(document)
    assert {name: found[name] for name in ("claims", "errors", "skipped", "environment", "complete")} == {
        name: document[name] for name in ("claims", "errors", "skipped", "environment", "complete")
    }


def test_what_a_ledger_need_not_say_is_nothing_and_a_whole_run(document, reread):
    for claim in document["claims"]:
        claim["trusts"] = []
    found = reread({"schema": 1, "claims": document["claims"]})
    assert found == {**found, "facts": [], "errors": [], "skipped": [], "environment": {}, "complete": True}
    assert [claim["verdict"] for claim in found["claims"]] == ["holds", "holds"]
    assert reread({"schema": 1, "claims": []})["claims"] == []


def test_a_file_whose_every_outcome_failed_is_broken_whatever_it_says(document, reread):
    for claim in document["claims"]:
        for evidence in claim["evidence"]:
            evidence["outcome"] = "failed"
    found = reread(document)
    assert {(claim["verdict"], claim["strength"]) for claim in found["claims"]} == {("broken", None)}
    assert "claim top: the file says holds, tested; by its evidence it is broken" in found["notes"]


def test_a_strength_is_not_believed(document, reread):
    for claim in document["claims"]:
        claim["strength"] = claim["steps"][0]["strength"] = "proved"
    found = reread(document)
    assert {(claim["strength"], claim["steps"][0]["strength"]) for claim in found["claims"]} == {("tested", "tested")}
    assert len(found["notes"]) == 2


def test_what_rests_on_a_claim_changed_by_hand_changes_with_it(document, reread):
    document["claims"][1]["evidence"][1]["rejections"] = 0
    assert [claim["verdict"] for claim in reread(document)["claims"]] == ["broken", "broken"]


def test_a_verdict_that_is_no_word_at_all_is_no_obstacle(document, reread):
    document["claims"][0] |= {"verdict": ["x"] * 1000, "strength": {"a": 1}}
    found = reread(document)
    assert found["claims"][0]["verdict"] == "holds"
    assert max(map(len, found["notes"])) < 200


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema": 2, "claims": []}', '{"schema": 1}', "\xff", "nul"])
def test_what_is_no_ledger_is_refused_by_name(reread, text):
    refused(reread, text)


def test_a_ledger_of_an_earlier_version_is_refused_and_says_so(document, reread):
    del document["claims"][0]["steps"]
    assert "claims[0] has no steps: an earlier version wrote it" in refused(reread, document)


def test_no_depth_and_no_text_ends_in_a_traceback(document, reread):
    assert "nested too deeply" in refused(reread, "[" * 100_000 + "]" * 100_000)
    deep = json.dumps(document).replace('"3.11"', "[" * 100_000 + "]" * 100_000)
    refused(reread, deep)
    refused(reread, json.dumps(document).replace('"1 = 1"', '"\\ud800"'))
    refused(reread, json.dumps(document).replace('"3.11"', '"\\udfff"'))
    refused(reread, json.dumps(document).replace('"3.11"', "NaN"))
    refused(reread, json.dumps(document).replace('"3.11"', "1e999"))
    refused(reread, b"\xff\xfe" + json.dumps(document).encode())
    refused(reread, json.dumps(document).replace('"3.11"', "9" * 5000))


WRONG = (None, 1, 1.5, True, "maybe", [], {}, [None], -1, 10**400)


@pytest.mark.parametrize("name", list(FIELDS))
def test_every_field_of_evidence_is_of_its_kind(document, reread, name):
    evidence = document["claims"][0]["evidence"][0]
    right = {"text": (str,), "count": (int,)}.get({"instances": "count", "rejections": "count"}.get(name, "text"))
    for value in WRONG:
        fine = (
            (name == "worst_error" and (value is None or value in (1, 1.5)) and not isinstance(value, bool))
            or (name == "seconds" and value in (1, 1.5) and not isinstance(value, bool))
            or (right == (int,) and value == 1 and not isinstance(value, bool))
            or (name in ("test", "step", "backend", "witness", "reason") and isinstance(value, str))
            or (name in ("accepted", "refused") and value == [])
        )
        evidence_now = {**evidence, name: value}
        changed = {**document, "claims": [{**document["claims"][0], "evidence": [evidence_now]}, document["claims"][1]]}
        if fine:
            reread(changed)
        else:
            assert f"claims[0].evidence[0]: {name} is " in refused(reread, changed)
    missing = {key: value for key, value in evidence.items() if key != name}
    changed = {**document, "claims": [{**document["claims"][0], "evidence": [missing]}, document["claims"][1]]}
    assert f"claims[0].evidence[0] has no {name}" in refused(reread, changed)


@pytest.mark.parametrize("path", ["claims", "claims.0", "claims.0.evidence", "claims.0.evidence.0", "claims.0.steps",
    "claims.0.steps.0", "claims.0.steps.0.id", "claims.0.steps.0.place", "claims.0.rests_on", "claims.0.trusts",
    "claims.0.id", "claims.0.source", "claims.0.statement", "claims.0.hypotheses", "claims.0.section", "claims.0.quote",
    "claims.0.finding", "claims.0.kind_of_fault", "facts", "facts.0", "facts.0.id", "facts.0.reference",
    "facts.0.evidence", "errors", "skipped", "environment", "complete"])  # fmt: skip
def test_no_odd_value_anywhere_ends_in_a_traceback(document, reread, path):
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    refusals = 0
    for value in WRONG:
        changed = json.loads(json.dumps(document))
        where = changed
        for part in parents:
            where = where[part]
        where[last] = value
        try:
            reread(changed)
        except InputError:
            refusals += 1
    assert refusals >= 3


def test_a_claim_or_step_given_twice_is_refused(document, reread):
    twice = {**document, "claims": [document["claims"][0]] * 2}
    assert "claim top stands in it twice" in refused(reread, twice)
    document["claims"][0]["steps"] *= 2
    assert "step whole is declared twice" in refused(reread, document)


def test_claims_in_a_circle_are_broken(document, reread):
    document["claims"][1]["rests_on"] = ["top"]
    found = reread(document)
    assert {claim["verdict"] for claim in found["claims"]} == {"broken"}
    assert found["errors"][0].startswith("claims in a circle: ")


def test_a_ledger_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"none\.json: No such file"):
        read(tmp_path / "none.json")
    with pytest.raises(InputError, match="Is a directory"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"strength": "proved"}, "numeric evidence is tested, never proved"),
        ({"instances": 0}, "it passed and recorded nothing"),
    ],
)
def test_evidence_that_no_run_writes_is_refused(document, reread, fields, words):
    document["claims"][0]["evidence"][0] |= fields
    assert f"claims[0].evidence[0]: {words}" in refused(reread, document)


@pytest.mark.parametrize("place", [0, 1])
def test_every_piece_of_evidence_is_looked_at(document, reread, place):
    document["claims"][0]["evidence"][place]["instances"] = 0
    assert f"claims[0].evidence[{place}]: it passed" in refused(reread, document)
    document["claims"][0]["evidence"][place]["outcome"] = "failed"  # what failed may have recorded nothing
    assert reread(document)["claims"][0]["verdict"] == "broken"


@pytest.mark.parametrize("kind", ["symbolic", "certificate", "numeric"])
def test_words_are_no_evidence(document, reread, kind):
    document["claims"][0]["evidence"][0] |= {"kind": kind, "strength": "argued"}
    assert "claims[0].evidence[0]: strength is argued" in refused(reread, document)


@pytest.mark.parametrize(
    ("name", "largest", "too_large"),
    [
        ("instances", 2**63 - 1, 2**63),
        ("rejections", 2**63 - 1, 2**63),
        ("seconds", sys.float_info.max, int(sys.float_info.max) + 1),
        ("worst_error", sys.float_info.max, int(sys.float_info.max) + 1),
    ],
)
def test_a_number_is_one_that_other_readers_take(document, reread, name, largest, too_large):
    document["claims"][0]["evidence"][0][name] = largest
    assert reread(document)["claims"][0]["evidence"][0][name] == largest
    document["claims"][0]["evidence"][0][name] = too_large
    assert f"claims[0].evidence[0]: {name} is {str(too_large)[:20]}" in refused(reread, document)


@pytest.mark.parametrize(
    ("environment", "fine"),
    [
        ({}, True),
        ({"a": None}, True),
        ({"a": "x", "b": 1, "c": 1.5, "d": True, "e": None}, True),
        ({"a": ["x"]}, False),
        ({"a": "x", "b": {}}, False),
        ({"b": [], "a": None}, False),
    ],
)
def test_the_environment_is_flat(document, reread, environment, fine):
    document["environment"] = environment
    if fine:
        assert reread(document)["environment"] == environment
    else:
        assert "it: environment is " in refused(reread, document)


@pytest.mark.parametrize("texts", [["a", 1], [1, "a"], [None]])
def test_lists_hold_texts_only(document, reread, texts):
    document["errors"] = texts
    assert f"it: errors is {json.dumps(texts)}" in refused(reread, document)


def test_what_is_said_of_a_file_is_one_short_line_in_its_own_letters(document, reread):
    for id, words in (
        ("x" * VALUE, f"claim {'x' * VALUE} stands"),
        ("x" * (VALUE + 1), f"claim {'x' * VALUE}... stands"),
        ("é\n\t é", "claim é é stands"),
    ):
        document["claims"][0]["id"] = document["claims"][1]["id"] = id
        assert words in refused(reread, document)
    document["claims"][1]["id"] = "ground"
    document["claims"][0]["steps"][0]["id"] = "a\n" * 1000
    document["claims"][0]["steps"] *= 2
    assert "a a a" in refused(reread, document)
    document["complete"] = {"é": "\n"}
    assert 'complete is {"é": "\\n"}' in refused(reread, {**document, "claims": []})


def test_a_fact_that_the_file_does_not_state_is_missed(document, reread):
    assert "fact svd stands in it twice" in refused(reread, {**document, "facts": document["facts"] * 2})
    assert reread({**document, "facts": []})["errors"] == ["no such standard fact: svd"]


def test_no_text_of_a_file_steers_a_terminal(document, reread):
    document["claims"][0]["source"] = "\x1b[2J\x07 \u202e \ufffe é\n"
    assert reread(document)["claims"][0]["source"] == "?[2J? ? ? é\n"
