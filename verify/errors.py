"""What bad input raises.

Main       InputError, first_line.
"""


class InputError(ValueError):
    """One line for the user: what is wrong, where, and what to do about it (exit code 2 of the command)."""


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or its type where there is no message."""
    message = str(error).strip().splitlines()
    return message[0] if message else type(error).__name__
