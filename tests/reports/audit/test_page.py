"""The audit's page: every contradiction once, drawn from its document alone, written whole or not at all."""

import copy
import json
import re

import pytest

from reports.audit import document as audit_document_module
from reports.audit import page
from reports.audit import sentences as audit_sentences
from reports.audit.document import audit_document
from reports.audit.page import clauses, render
from reports.cli import main
from tests.reports.schemas import validator
from tests.reports.stability_page.test_page import HOSTILE, checked
from verify.errors import InputError

PROVENANCE = {"environment": {"python": "3"}, "seed": 0, "command": "elbo-verify audit", "date": "2020-01-01 00:00 UTC"}


@pytest.fixture(scope="module")
def document():
    return json.loads(json.dumps(audit_document(figures=False))) | {"provenance": PROVENANCE}


@pytest.fixture
def without_mnist(monkeypatch):
    def absent(*args, **options):
        raise InputError("mnist: not found")

    for module in (audit_sentences, audit_document_module):
        monkeypatch.setattr(module, "find_training_file", absent)


def listed(text: str, section: str) -> int:
    return re.search(rf'<section id="{section}">(.*?)</section>', text, re.DOTALL)[1].count('<td class="words">')


@pytest.mark.parametrize(("section", "excusable"), [("contradictions", False), ("excusable", True)])
def test_every_contradiction_is_listed_once(document, section, excusable):
    found = [c for row in document["rows"] for c in row["contradictions"] if c["excusable"] == excusable]
    other = {"contradictions": "excusable", "excusable": "contradictions"}[section]
    text = render(document)
    assert listed(text, section) == len(found) > 50
    more = copy.deepcopy(document)
    more["rows"][0]["contradictions"].append({**found[0], "why": HOSTILE})
    shown = render(more)
    assert listed(shown, section) == len(found) + 1
    assert listed(shown, other) == listed(text, other)
    assert "<script>alert" not in shown and "&lt;script&gt;alert" in shown


def test_the_row_grid_counts_what_the_rows_have(document):
    section = re.search(r'<section id="rows">(.*?)</section>', render(document), re.DOTALL)[1]
    grave = [sum(not c["excusable"] for c in row["contradictions"]) for row in document["rows"]]
    assert sorted(int(n) for n in re.findall(r"<b>(\d+)</b>", section)) == sorted(n for n in grave if n)
    cells = [cell.strip() for cell in re.findall(r'<td class="n(?: grave)?">(.*?)</td>', section, re.DOTALL)]
    assert len(cells) == 12 * 10 and cells.count("") == 12 * 10 - len(document["rows"])


def test_the_page_says_what_the_document_says(document):
    text = render(document)
    assert all(f">{sentence['verdict']}</span>" in text for sentence in document["sentences"])
    assert "59 of 100 printed rows contradict" in text and "2020-01-01" in text and "audit.json" in text
    assert "report.json" in render(document, "report.json")
    calm = copy.deepcopy(document)
    for row in calm["rows"]:
        row["contradictions"] = []
    text = render(calm)
    assert '<p class="verdict good">' in text and "0 of 100 printed rows" in text and text.count("There are none.") == 2


def test_the_page_is_one_well_formed_file(document):
    found = checked(render(document))
    assert found.wrong == [] and found.open == [] and len(found.ids) == len(set(found.ids)) > 10
    assert all(link.startswith("#") and link[1:] in found.ids for link in found.links) and found.links


def test_the_data_of_a_report_are_none_of_the_audits(document):
    text = render({**document, "provenance": {**PROVENANCE, "data": {"name": "my-own-data"}}})
    assert "my-own-data" not in text


def test_clauses_keep_parentheses_together():
    assert clauses("table 2: so (38 rise; 1 falls); table 3: not") == ["table 2: so (38 rise; 1 falls)", "table 3: not"]
    assert clauses("one") == ["one"] and clauses("odd); two") == ["odd)", "two"]


def test_the_command_writes_both_and_prints_the_same(without_mnist, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert main(["audit", "--json"]) == 0
    plain = capsys.readouterr()
    out = tmp_path / "new" / "audit"
    assert main(["audit", "--json", "--out", str(out)]) == 0
    beside = capsys.readouterr()
    assert beside.out == plain.out
    assert beside.err.count("wrote ") == 2 and "wrote " not in plain.err
    assert sorted(p.name for p in out.iterdir()) == ["audit.json", "index.html"]
    stored = json.loads((out / "audit.json").read_text())
    assert validator("audit").is_valid(stored)
    assert (out / "index.html").read_text() == render(stored)
    provenance = stored.pop("provenance")
    assert stored == json.loads(plain.out)
    assert provenance["date"] == "1970-01-01 00:00 UTC" and provenance["command"].startswith("elbo-verify audit --json")
    damaged = stored | {"provenance": {"seed": 0}}
    assert not validator("audit").is_valid(damaged)  # control


def test_a_failure_leaves_nothing_behind(without_mnist, capsys, tmp_path, monkeypatch):
    def fails(document):
        raise OSError("no space left on device")

    monkeypatch.setattr(page, "render", fails)
    out = tmp_path / "new" / "audit"
    assert main(["audit", "--out", str(out)]) == 2
    assert list(tmp_path.iterdir()) == []
    assert "wrote" not in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["audit", "--out", str(tmp_path / "file")]) == 2
