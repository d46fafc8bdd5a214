"""The python blocks of a page: run in order in one namespace, what they print held against what the page says.

Main       blocks, run; fenced -> Block, of a page with blocks of several kinds.
"""

import contextlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
SAYS = "# -> "  # a formatter would turn "#>" into "# >"


def blocks(text):
    """The python blocks of a page."""
    return re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def run(text):
    """Pairs (what a block printed, what the page says of it)."""
    namespace = {"__name__": "page"}
    for block in blocks(text):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block, "page", "exec"), namespace)
        said = [line.removeprefix(SAYS) for line in block.splitlines() if line.startswith(SAYS)]
        yield printed.getvalue().splitlines(), said


@dataclass(frozen=True)
class Block:
    """language and label: what follows the fence; line: of the page, where the code begins."""

    page: str
    language: str
    label: str
    code: str
    line: int

    def run(self, namespace):
        """A block of Python; an error shows the line of the page."""
        exec(compile("\n" * (self.line - 1) + self.code, str(DOCS / self.page), "exec"), namespace)


def fenced(page):
    """All blocks of docs/PAGE, whatever language they are in."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.finditer(r"^```(\w+)[ \t]*([^\n]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(page, *one.groups(), text.count("\n", 0, one.start(3)) + 1) for one in found]
