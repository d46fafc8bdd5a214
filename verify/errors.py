"""What bad input raises.

Main       InputError.
"""


class InputError(ValueError):
    """One line for the user: what is wrong, where, and what to do about it (exit code 2 of the command)."""
