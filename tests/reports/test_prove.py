"""`prove` without a run: earlier ledgers printed and drawn, what makes no sense refused; and --graph of a run."""

import json
import xml.etree.ElementTree as ET

import pytest

from reports.cli import main
from tests.reports.ledger_page import made_up
from tests.reports.schemas import check

NOT_RUN = "proofs.machinery.run._run"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with ledger.json, in which no proof can be run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(NOT_RUN, None)
    (tmp_path / "ledger.json").write_text(json.dumps(made_up.document()))
    return tmp_path


def test_an_earlier_ledger_is_printed_without_a_run(here, capsys):
    assert main(["prove", "--from", "ledger.json"]) == 1  # a claim of it is broken
    out = capsys.readouterr().out
    assert "8 claims: 3 holds, 2 holds with correction, 1 refuted, 1 undecided, 1 broken" in out
    assert "      weakest: rests on in-words, argued" in out and "not as printed: 1 misprint" in out
    assert max(map(len, out.splitlines())) <= 100


def test_some_claims_of_it_come_with_all_that_they_rest_on(here, capsys):
    assert main(["prove", "upon-words", "--from", "ledger.json", "--json"]) == 0
    document = check("ledger", json.loads(capsys.readouterr().out))
    assert [claim["id"] for claim in document["claims"]] == ["ground", "in-words", "upon-words"]
    assert {fact["id"]: fact["trusted_by"] for fact in document["facts"]} == {
        "svd": ["ground", "in-words"],
        "chain-rule": ["in-words"],
    }
    assert main(["prove", "upon-word", "--from", "ledger.json"]) == 2
    assert "no such claim: upon-word; the nearest are upon-words" in capsys.readouterr().err


def test_what_a_file_says_of_itself_is_judged_anew(here, capsys):
    document = made_up.document(ids=("ground",))
    document["claims"][0]["verdict"] = "refuted"
    (here / "ledger.json").write_text(json.dumps(document))
    assert main(["prove", "--from", "ledger.json"]) == 0
    said = capsys.readouterr()
    assert "note: claim ground: the file says refuted, proved; by its evidence it is holds, proved" in said.err
    assert "1 claim: 1 holds" in said.out


@pytest.mark.parametrize("ending", ["svg", "html", "dot"])
def test_it_is_drawn(here, capsys, ending):
    assert main(["prove", "ground", "--from", "ledger.json", "--graph", f"claims.{ending}", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    text = (here / f"claims.{ending}").read_text()
    assert "ground" in text and "upon-words" not in text
    if ending == "svg":
        ET.fromstring(text)
    assert {"svg": "<svg", "html": "<!doctype html>", "dot": "digraph"}[ending] in text[:30]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ("--graph claims.png", "--graph claims.png: ends in none of .svg, .html, .dot"),
        ("--graph claims", "ends in none of"),
        ("--graph nowhere/claims.svg", "there is no such folder"),
        ("--graph same.dot --ledger same.dot", "the ledger has that name"),
        ("--from ledger.json --graph ledger.json", "ends in none of"),
        ("--from ledger.json --ledger other.json", "--from runs nothing that could be written down"),
        ("--list --graph claims.svg", "--list and --graph: a list has no verdicts to draw"),
        ("--list --from ledger.json", "--list and --from"),
        ("--from missing.json", "missing.json: No such file"),
        ("--from other.json --graph claims.svg", "other.json: not a ledger"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line_before_anything_runs(here, capsys, argv, words):
    (here / "other.json").write_text("{}")
    before = {path.name: path.read_text() for path in here.iterdir()}
    assert main(["prove", *argv.split()]) == 2
    said = capsys.readouterr()
    assert said.out == "" and words in said.err and said.err.count("\n") == 1
    assert {path.name: path.read_text() for path in here.iterdir()} == before


def test_options_of_a_run_change_nothing_and_are_said_to(here, capsys):
    assert main(["prove", "ground", "--from", "ledger.json", "--thorough"]) == 0
    assert "note: --thorough changed nothing: --from runs nothing" in capsys.readouterr().err


def test_a_run_is_drawn_with_or_without_its_ledger(here, monkeypatch, capsys):
    def run(claims, *, ledger, **options):
        ledger.write_text(json.dumps(made_up.document(ids=("ground",))))
        return 0

    monkeypatch.setattr("proofs.machinery.run.prove", run)
    assert main(["prove", "--graph", "claims.svg"]) == 0
    assert "wrote claims.svg" in capsys.readouterr().err
    assert "ground" in (here / "claims.svg").read_text()
    assert main(["prove", "--graph", "claims.dot", "--ledger", "mine.json"]) == 0
    assert "wrote mine.json\nwrote claims.dot" in capsys.readouterr().err
    assert sorted(path.name for path in here.iterdir()) == ["claims.dot", "claims.svg", "ledger.json", "mine.json"]


def test_a_run_that_wrote_no_ledger_shows_none_of_an_earlier_one(here, monkeypatch, capsys):
    monkeypatch.setattr("proofs.machinery.run.prove", lambda claims, **options: 1)
    assert main(["prove", "--ledger", "ledger.json", "--graph", "claims.svg"]) == 1
    said = capsys.readouterr()
    assert "wrote" not in said.err and sorted(path.name for path in here.iterdir()) == ["ledger.json"]


def test_a_list_says_what_is_to_be_known_of_its_ledger(here, capsys):
    document = made_up.document(ids=("ground",))
    document |= {"complete": False}
    document["claims"][0]["id"] = "eq-21"
    (here / "ledger.json").write_text(json.dumps(document))
    assert main(["prove", "--list", "eq-21", "--ledger", "ledger.json"]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "a partial run" in said and "claim eq-21: the ledger states it in other words" in said
