"""docs/python.md: its blocks run, print what it says, and every name at the top of verify is told there."""

import re

import pytest

import verify
from tests.docs.blocks import DOCS, blocks, run

PAGE = (DOCS / "python.md").read_text(encoding="utf-8")


def test_the_page_of_python_is_true():
    pytest.importorskip("pandas")
    found = list(run(PAGE))
    assert len(found) == len(blocks(PAGE)) > 8
    for printed, said in found:
        assert [line.rstrip() for line in printed] == said


def test_every_name_is_told_and_imported():
    imported = {
        name.strip()
        for line in re.findall(r"^from verify import (.+)$", PAGE, re.MULTILINE)
        for name in line.split(",")
    }
    assert imported == set(verify.__all__)
    table = PAGE.split("\n## ")[0]
    assert all(f"`{name}`" in table or f"`{name}," in table or f" {name}`" in table for name in verify.__all__)


def test_links_within_the_page_lead_somewhere():
    headings = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    }
    links = re.findall(r"\]\(#([^)]+)\)", PAGE)
    assert links and set(links) <= headings
    assert "no-such-place" not in headings  # control
    assert all((DOCS / file).exists() for file in re.findall(r"\]\((\w+\.md)\)", PAGE))
