"""What a message says of options, as they are written in Python: missing="drop" where a terminal takes --missing drop.

Main       in_python, of a text; speaking_python, of every InputError of a block.
"""

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from verify.errors import InputError

_WORD = r"((?:'[^']*'|\"'\"|[\w@%+=:,./-])+)"


def in_python(text: str) -> str:
    """The same text with keywords in place of options, and calls in place of commands."""
    text = text.replace("elbo-verify stability --beta", "verify.stability(..., beta=...)")
    text = text.replace("--latents FILE (mu and logvar)", "mu= and logvar=")
    text = re.sub(r"--header (yes|no)", lambda found: f"header={found[1] == 'yes'}", text)
    text = re.sub(r"--decimal ([.,])", r'decimal="\1"', text)
    text = re.sub(r"--objective (ppca|elbo)", r'objective="\1"', text)
    text = re.sub(rf"--(missing|drop|columns) {_WORD}", _word_in_python, text)
    text = re.sub(r"--scale (\d+)", r"scale=\1", text.replace("--standardize", "standardize=True"))
    text = text.replace("--learned-noise", "sigma2=None")
    text = re.sub(r"(--[a-z][a-z0-9-]*) [A-Z]+(?:\.npz)?\b", r"\1", text)  # what stands for a value in a help
    return re.sub(r"(?<![\w-])--([a-z][a-z0-9-]*)", _keyword, text)  # and not of a name like a--b


def _keyword(found: re.Match[str]) -> str:
    return found[1].replace("-", "_")


def _word_in_python(found: re.Match[str]) -> str:
    """An option with one word after it, quoted as a shell takes it."""
    word = found[2].rstrip(".,:") or found[2]  # which end the sentence
    return f"{found[1]}={json.dumps(*shlex.split(word), ensure_ascii=False)}{found[2][len(word) :]}"


@contextmanager
def speaking_python() -> Iterator[None]:
    """An InputError of this block leaves it in the words of Python."""
    try:
        yield
    except InputError as error:
        raise InputError(in_python(str(error))) from None
