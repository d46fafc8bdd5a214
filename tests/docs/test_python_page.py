"""docs/python.md: its blocks run, print what it says, and every name at the top of verify is told there."""

import re

import pytest

import verify
from tests.docs.blocks import DOCS, blocks, run

PAGE = (DOCS / "python.md").read_text(encoding="utf-8")


def test_the_page_of_python_is_true(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # what the page saves
    pytest.importorskip("pandas")
    found = list(run(PAGE))
    assert len(found) == len(blocks(PAGE)) > 8
    for printed, said in found:
        assert [line.rstrip() for line in printed] == said


def test_every_name_is_told_and_imported():
    lines = re.findall(r"^from verify import (.+)$", PAGE, re.MULTILINE)
    assert {name.strip() for line in lines for name in line.split(",")} == set(verify.__all__)
    table = re.findall(r"\w+", PAGE.split("\n## ")[0])
    assert set(verify.__all__) <= set(table)


def test_links_within_the_page_lead_somewhere():
    headings = [line.lower() for line in re.findall(r"^## (.+)$", PAGE, re.MULTILINE)]
    anchors = {re.sub(r"[^\w -]", "", heading).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(#([^)]+)\)", PAGE)
    assert links and set(links) <= anchors
    assert "no-such-place" not in anchors  # control
    assert all((DOCS / file).exists() for file in re.findall(r"\]\((\w+\.md)\)", PAGE))
