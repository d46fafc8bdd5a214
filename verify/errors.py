"""What bad input raises.

Main       InputError, MissingError, about, first_line, one_line.
"""


class InputError(ValueError):
    """One line for the user: what is wrong, where, and what to do about it (exit code 2 of the command)."""


class MissingError(InputError):
    """A package that this needs is not installed."""


def about(name: str, error: InputError) -> InputError:
    """The error with the name of what it is about in front, unless it says it already."""
    said = str(error)
    known = said.startswith(name[:60]) or repr(name) in said  # long names are cut where they are unknown
    return InputError(said if known else f"{name}: {said}")


def first_line(error: BaseException, most: int | None = None) -> str:
    """What an error says, in one line: the next one too where the first only announces it; its type if nothing.

    most: characters, None for all.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    words = " ".join(lines[: 2 if lines[0].endswith(":") else 1]) if lines else type(error).__name__
    return words[:most]


def one_line(text: str) -> str:
    """A text from anywhere as one line that cannot steer a terminal, nor look like several."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
