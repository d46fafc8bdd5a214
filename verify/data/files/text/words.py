"""What the fields of a text table are: numbers, missing values, truth values, dates, spreadsheets' errors, words.

Main       kind_of, number, MISSING.
"""

import re
from enum import Enum

MISSING = frozenset(
    ("", "na", "n/a", "n.a.", "#n/a", "#n/a n/a", "<na>", "nan", "null", "none", "nil", ".", "-", "?", "missing")
)  # in lower case
TRUTHS = {"true": 1.0, "false": 0.0}  # likewise
_ERRORS = ("#ref!", "#div/0!", "#value!", "#name?", "#num!", "#null!", "#spill!", "#calc!", "#####")

_EXPONENT = r"(?:[eE][+-]?[0-9]+)?"
_NUMBERS = {
    mark: re.compile(rf"[+-]?(?:[0-9]+(?:[{mark}][0-9]*)?|[{mark}][0-9]+){_EXPONENT}|[+-]?inf(?:inity)?", re.IGNORECASE)
    for mark in ".,"
}
_FORTRAN = re.compile(r"[+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+)[dD][+-][0-9]{2,3}")
_NAN = re.compile(r"[+-]?nan(?:\(\w*\))?", re.IGNORECASE)
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:([.,' \u00a0\u202f’])[0-9]{3})(?:\1[0-9]{3})*(?:[.,][0-9]*)?")
_DATE = re.compile(
    r"(?:[0-9]{4}([-/.])[0-9]{1,2}\1[0-9]{1,2}|[0-9]{1,2}([-/.])[0-9]{1,2}\2[0-9]{2,4})"
    r"(?:[T ]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)? ?(?:Z|UTC|[AaPp][Mm]|[+-][0-9]{2}:?[0-9]{2})?)?"
    r"|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:[.,][0-9]*)?"
)
_WITH_UNIT = re.compile(r"[$€£+-]?\s*[0-9]+(?:[.,][0-9]+)?\s*(?:[^\W\d_]{1,3}|[%$€£°‰])(?:[/^][\w]+)?")


class Kind(Enum):
    """What one field is."""

    NUMBER = "a number"
    MISSING = "a missing value"
    TRUTH = "True or False"
    DATE = "a date"
    ERROR = "a spreadsheet's error"
    MARKED = "a number with other marks"  # 1.234,5 or, where the decimal mark is a point, 1,5
    WORD = "a word"


def kind_of(word: str, mark: str = ".") -> Kind:
    """What a field is, by its word and the decimal mark."""
    word = word.strip()
    lower = word.lower()
    if lower in MISSING or _NAN.fullmatch(word):
        return Kind.MISSING
    if _NUMBERS[mark].fullmatch(word) or (mark == "." and _FORTRAN.fullmatch(word)):
        return Kind.NUMBER
    if lower in TRUTHS:
        return Kind.TRUTH
    if is_error(word):
        return Kind.ERROR
    if _DATE.fullmatch(word):
        return Kind.DATE
    if _NUMBERS["," if mark == "." else "."].fullmatch(word) or _GROUPED.fullmatch(word):
        return Kind.MARKED
    return Kind.WORD


def is_error(word: str) -> bool:
    """Whether a field is what a spreadsheet writes where a formula fails."""
    return word.strip().lower().startswith(_ERRORS)


def is_grouped(word: str) -> bool:
    """Whether digits stand in groups of three, as in 1.234 or 1 234,5."""
    return bool(_GROUPED.fullmatch(word.strip()))


def has_unit(word: str) -> bool:
    """Whether a field is a number with its unit, as 1kg or 25%."""
    return bool(_WITH_UNIT.fullmatch(word.strip()))


def number(word: str, mark: str = ".", truth: bool = False) -> float | None:
    """The value of a field, NaN if it is missing; None if it is no number, or with `truth` neither True nor False."""
    word = word.strip()
    if not truth and _NUMBERS[mark].fullmatch(word):
        return float(word.replace(",", ".") if mark == "," else word)
    if not truth and mark == "." and _FORTRAN.fullmatch(word):
        return float(word.lower().replace("d", "e"))
    if truth and word.lower() in TRUTHS:
        return TRUTHS[word.lower()]
    return float("nan") if word.lower() in MISSING or _NAN.fullmatch(word) else None


def shown(word: str, most: int = 40) -> str:
    """A field in quotes for a message: printable, on one line, 40 characters at most."""
    word = " ".join(word.split())
    return repr(word if len(word) <= most else word[: most - 3] + "...")
