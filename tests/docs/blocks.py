"""The python blocks of a page: run in order in one namespace, what they print held against what the page says."""

import contextlib
import io
import re
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
