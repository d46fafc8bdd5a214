"""Whatever a command or a page says beside its numbers stands in the JSON document, quiet or not."""

import copy
import json
import re

import numpy as np
import pytest

from reports.cli import main
from reports.stability_page import page
from tests.reports.schemas import check
from tests.reports.stability_page.test_page import ledger
from tests.reports.words.house import normal, parsed, read
from verify.words import wording

TIED = "eigenvalues:6,4,4,1,1,0.5"


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Few rows of low rank, the first of which counts the columns: every source of notes at once."""
    X = np.random.default_rng(0).normal(size=(30, 4)) @ np.random.default_rng(1).normal(size=(4, 40))
    X[0] = np.arange(40)
    path = tmp_path_factory.mktemp("rows") / "rows.npy"
    np.save(path, X)
    return str(path)


COMMANDS = [
    ("stability", ["-k", "3", "--sigma2", "1", "4"]),
    ("stability", ["-k", "3"]),
    ("stability", ["-k", "5"]),
    ("stationary", ["-k", "3", "--sigma2", "1", "--top", "2"]),
    ("landscape", ["-k", "3", "--sigma2", "1", "4", "--grid", "3", "--out", "slices"]),
    ("report", ["-k", "3", "--out", "page"]),
]


def said(err):
    """The notes on standard error."""
    return [line.removeprefix("note: ") for line in err.splitlines() if line.startswith("note: ")]


def flat(out):
    """Standard output without its line ends."""
    return " ".join(out.split())


def missing(sentences, notes):
    """The sentences that are not among the notes, whatever stands around them."""
    known = " ".join(wording.symbols(note).lower() for note in notes)
    return [s for s in sentences if wording.symbols(s).rstrip(".").lower() not in known]


@pytest.mark.parametrize(("command", "options"), COMMANDS, ids=[" ".join([c, *o]) for c, o in COMMANDS])
@pytest.mark.parametrize("kind", ["tied", "rows"])
def test_what_is_said_on_standard_error_stands_in_the_document(
    kind, command, options, rows, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    argv = [command, TIED if kind == "tied" else rows, *options]
    assert main(argv) == 0
    out, err = capsys.readouterr()
    assert main([*argv, "--json", "--quiet"]) == 0
    quiet = capsys.readouterr()
    document = check(command, json.loads(quiet.out))
    assert said(err) == [note for note in document["notes"] if missing([note.removeprefix("rounding: ")], [flat(out)])]
    assert main([*argv, "--json"]) == 0
    assert said(capsys.readouterr().err) == document["notes"] and quiet.err == ""
    assert document["resolution"] is None if kind == "tied" else len(document["resolution"]) == 40
    if kind == "rows":
        assert any("counts the columns" in note for note in document["notes"])
    open_questions = [s for s in re.split(r"(?<=\.)\s+", " ".join(out.split())) if re.search("undecided|equal,", s)]
    assert missing(open_questions, document["notes"]) == []


def doubts(text):
    """The sentences of a page that stand under doubt, in normal form."""
    kept = "".join(re.findall(r'<div class="doubts">.*?</div>|<p class="doubt">.*?</p>', text, re.DOTALL))
    found = re.findall(r"<p(?: class=\"doubt\")?>(.*?)</p>", kept, re.DOTALL)
    return [normal(read(parsed(body))).lower().rstrip(".") for body in found]


def unfounded(shown, notes):
    """What is shown and is none of the notes."""
    known = " ".join(normal(note) for note in notes).lower()
    return [sentence for sentence in shown if sentence not in known]


@pytest.mark.parametrize("kind", ["tied", "rows"])
def test_what_the_page_doubts_stands_in_its_document(kind, rows, tmp_path, capsys):
    argv = ["report", TIED if kind == "tied" else rows, "-k", "4", "--out", str(tmp_path), "--quiet"]
    assert main(argv) == 0
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    shown = doubts(text)
    verdict = [wording.verdict(document)]
    once = [note for note in document["notes"] if missing([note], verdict)]
    assert len(shown) == len(once) >= 3 and len(document["notes"]) - len(once) == (kind == "tied")
    assert unfounded(shown, document["notes"]) == []
    for note in once:  # control: a document that lacks one of them is found out
        assert unfounded(shown, [other for other in document["notes"] if other != note])


def test_a_partial_ledger_is_doubted_in_the_document_too(folder):
    document = copy.deepcopy(json.loads((folder / "report.json").read_text()))
    document["ledger"] = ledger() | {"complete": False}
    shown = doubts(page.render(document, folder / "figures"))
    reasons = [reason for claim in document["ledger"]["claims"] for reason in claim["reasons"]]
    partial = "a partial run: each verdict speaks only for the evidence that was run"
    facts = ["outside any claim: plain", "a whole file skipped: plain", partial]
    assert unfounded(shown, [*document["notes"], *facts, *reasons]) == []
    assert unfounded(shown, [*document["notes"], *reasons]) != []  # control


def test_doctor_and_audit_say_in_notes_what_they_say(capsys):
    for command in ("doctor", "audit"):
        assert main([command, "--json", "--quiet"]) == 0
        document = check(command, json.loads(capsys.readouterr().out))
        if command == "doctor":
            off = [f["name"] for f in document["features"] if not f["on"]]
            assert [note.split(" is off")[0] for note in document["notes"]][: len(off)] == off
        else:
            undecided = [
                s for s in document["sentences"] if s["text"].startswith("Figure 3") and s["verdict"] == "undecided"
            ]
            # And of the linear VAE inside: that it needs the images, or of which data set it says nothing.
            assert len(document["notes"]) == len(undecided) + 1 and "linear VAE inside" in document["notes"][-1]
