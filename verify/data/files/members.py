"""The array to use of a file that holds several: the one that was named, or the only one that can be meant.

Main       Member, member, as_member.

Without a name it is, of those with more than one row and column, the one called X, x, data, x_train or X_train, else
the only one: labels and coordinates beside it, a single row or column, do not count, whatever they are called.  What
else lies there is said.  Where two could be meant, that is a question.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from verify.data.files.found import Found, clean
from verify.data.files.stacks import shown
from verify.errors import InputError

_KNOWN = ("X", "x", "data", "x_train", "X_train")
_SHOWN = 12


@dataclass(frozen=True)
class Member:
    """An array in a file: its name, its shape, and what it holds that is no array of numbers ("a struct"), or ""."""

    name: str
    shape: tuple[int, ...]
    holds: str = ""

    @property
    def is_table(self) -> bool:
        """Whether it has rows and columns, more than one of each, and is made of numbers."""
        return not self.holds and len(self.shape) > 1 and not (len(self.shape) == 2 and 1 in self.shape)

    def __str__(self) -> str:
        return f"{clean(self.name)} ({self.holds or shown(self.shape)})"


def member(path: Path, members: Sequence[Member], asked: str | None, how: str) -> tuple[Member, tuple[str, ...]]:
    """The array to use, and what is to be said of the choice.  how: to save one, for the message where there is none.

    Raises InputError: none, no such one, several that could be meant, or one that is made of something else.
    """
    if not members:
        raise InputError(f"{path}: holds no array; {how}")
    if asked is not None:
        found = [one for one in members if one.name == asked] or [one for one in members if clean(one.name) == asked]
        if len(found) > 1:
            raise InputError(f"{path}: several arrays are shown as {asked}; write the name in full")
        if not found:
            raise InputError(f"{path}: holds no array {clean(asked)!r}; there are: {_listed(members)}")
        return _usable(path, found[0]), (_said(found[0], members),)
    tables = [one for one in members if one.is_table]
    known = sorted((one for one in tables if one.name in _KNOWN), key=lambda one: _KNOWN.index(one.name))
    twins = [one for one in known if one.name.lower() == known[0].name.lower()]
    if len(twins) > 1 or (not known and len(tables) > 1):
        raise InputError(
            f"{path}: holds several arrays that could be meant: {_listed(twins if len(twins) > 1 else tables)}; name "
            f"one, for instance {path}:{clean(tables[0].name)}"
        )
    if known or tables:
        one = (known or tables)[0]
        return one, (_said(one, members),) if len(members) > 1 else ()
    numbers = [one for one in members if not one.holds]
    named = [one for one in numbers if one.name in _KNOWN]
    if len(members) > 1 and len(named) != 1:
        raise InputError(f"{path}: holds no array with rows and columns, only {_listed(members)}; {how}")
    one = named[0] if named else members[0]
    return _usable(path, one), (_said(one, members),) if len(members) > 1 else ()


def as_member(found: Found, one: Member, members: Sequence[Member], said: Sequence[str]) -> Found:
    """What was found in an array of a file of several, with its name and what is to be said of the choice."""
    return found.told({"member": one.name} if len(members) > 1 else {}, said)


def _usable(path: Path, one: Member) -> Member:
    if one.holds:
        raise InputError(f"{path}: {clean(one.name)} is {one.holds}, not an array of numbers; save the numbers in it")
    return one


def _said(one: Member, members: Sequence[Member]) -> str:
    rest = [other for other in members if other is not one]
    return f"the array {clean(one.name)}" + (f"; {_listed(rest)} left aside" if rest else "")


def _listed(members: Sequence[Member]) -> str:
    more = f" and {len(members) - _SHOWN} more" if len(members) > _SHOWN else ""
    return ", ".join(map(str, members[:_SHOWN])) + more
