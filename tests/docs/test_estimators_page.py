"""docs/estimators.md: its blocks run, and print what it says that they print."""

import pytest

from tests.docs.blocks import DOCS, blocks, run


def test_the_page_of_the_estimators_is_true():
    pytest.importorskip("pandas")
    page = (DOCS / "estimators.md").read_text(encoding="utf-8")
    found = list(run(page))
    assert len(found) == len(blocks(page)) > 5
    for printed, said in found:
        assert printed == said


def test_a_page_that_says_something_else_is_caught():
    wrong = "```python\nprint(2)\n# -> 3\n```\n\n```python\nx = 1\nprint(x)\n# -> 1\n```\n"
    (first, second) = run(wrong)
    assert first == (["2"], ["3"]) and second == (["1"], ["1"])
