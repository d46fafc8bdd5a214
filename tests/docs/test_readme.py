"""README.md: its blocks of Python run, and print what it says that they print."""

from tests.docs.blocks import DOCS, blocks, run


def test_the_python_of_the_readme_is_true():
    page = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    found = list(run(page))
    assert len(found) == len(blocks(page)) == 2
    for printed, said in found:
        assert printed == said and said
