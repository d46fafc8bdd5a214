"""What bad input raises.

Main       InputError, first_line.
"""


class InputError(ValueError):
    """One line for the user: what is wrong, where, and what to do about it (exit code 2 of the command)."""


def first_line(error: BaseException) -> str:
    """What an error says, in one line: the next one too where the first only announces it; its type if nothing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[: 2 if lines[0].endswith(":") else 1]) if lines else type(error).__name__
