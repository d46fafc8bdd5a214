"""The blocks of code of a page of docs/, and running them with the page's own line numbers."""

import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
_FENCE = re.compile(r"^```(\w+)[ \t]*([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


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


def blocks(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    return [
        Block(page, found[1], found[2].strip(), found[3], text.count("\n", 0, found.start(3)) + 1)
        for found in _FENCE.finditer(text)
    ]
