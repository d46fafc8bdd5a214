"""What the fields of a text table are: numbers, missing values, truth values, dates, spreadsheets' errors, words.

Main       kind_of, number, MISSING.
"""

import re
from enum import Enum

# In lower case; what spreadsheets write for "not available" in any language stands after a hash.
_ABSENT = ("#n/a", "#n/a n/a", "#nv", "#n/d", "#n/b", "#i/t", "#н/д", "#yok")
MISSING = frozenset(("", "na", "n/a", "n.a.", "<na>", "nan", "null", "none", "nil", ".", "-", "?", "missing", *_ABSENT))
TRUTHS = {"true": 1.0, "false": 0.0}  # likewise
_ERRORS = frozenset(("#ref!", "#div/0!", "#value!", "#name?", "#num!", "#null!", "#spill!", "#calc!"))  # likewise
_ERROR = re.compile(r"#[^\s#,;|]*[!?]|Err:[0-9]{3}|#{3,}")  # of any language

_OTHERS = (
    "mittelwert",
    "mittel",
    "summe",
    "gesamt",
    "durchschnitt",
    "moyenne",
    "somme",
    "moy",
    "media",
    "totale",
    "suma",
)
_SUMMARIES = frozenset(
    ("mean", "means", "average", "avg", "total", "totals", "sum", "std", "sd", "stdev", "median", "min", "minimum")
).union(("max", "maximum", "count"), _OTHERS)

_EXPONENT = r"(?:[eE][+-]?[0-9]+)?"
_NUMBERS = {
    mark: re.compile(rf"[+-]?(?:[0-9]+(?:[{mark}][0-9]*)?|[{mark}][0-9]+){_EXPONENT}|[+-]?inf(?:inity)?", re.IGNORECASE)
    for mark in ".,"
}
_FORTRAN = re.compile(r"[+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+)[dD][+-][0-9]{2,3}")
_NAN = re.compile(r"[+-]?nan(?:\(\w*\))?", re.IGNORECASE)
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:([.,' \u00a0\u202f’])[0-9]{3})(?:\1[0-9]{3})*(?:[.,][0-9]*)?")
_MONTHS = (
    "jan(?:uary|uar|v|vier)?|feb(?:ruary|ruar)?|f[ée]vr?(?:ier)?|mar(?:ch|s|zo)?|m[äa]rz|mrz|apr(?:il|ile)?|avr(?:il)?"
    "|abr(?:il)?|may|mai|maggio|mayo|june?|juni|juin|jul[iy]?|juil(?:let)?|aug(?:ust)?|ao[uû]t|ago(?:sto)?"
    "|sept?(?:ember|embre)?|o[ck]t(?:ober|obre)?|nov(?:ember|embre)?|de[cz](?:ember)?|d[ée]c(?:embre)?|ene(?:ro)?"
    "|dic(?:iembre|embre)?|gen(?:naio)?|giugno|luglio|ottobre|junio|julio"
)
_DATE = re.compile(
    r"(?:[0-9]{4}([-/.])[0-9]{1,2}\1[0-9]{1,2}|[0-9]{1,2}([-/.])[0-9]{1,2}\2[0-9]{2,4})"
    r"(?:[T ]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)? ?(?:Z|UTC|[AaPp][Mm]|[+-][0-9]{2}:?[0-9]{2})?)?"
    r"|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:[.,][0-9]*)?"
    rf"|[0-9]{{1,2}}(?:\. ?|[- ])(?:{_MONTHS})\.?(?:,?[- ][0-9]{{2,4}})?"
    rf"|(?:{_MONTHS})\.?[- ][0-9]{{1,4}}(?:,?[- ][0-9]{{4}})?",
    re.IGNORECASE,
)
_AMOUNT = rf"[+-]?(?:[0-9]+(?:[.,][0-9]+)*|[.,][0-9]+){_EXPONENT}"
_WITH_UNIT = re.compile(
    rf"[$€£]?\s*{_AMOUNT}\s*(?!(?:st|nd|rd|th)\b)(?:[^\W\d_]{{1,4}}|[%$€£‰]|°[CFK]?)(?:[/^·][\w]+)?[²³]?"
)
_BOUNDED = re.compile(rf"(?:[<>≤≥]=?|&[lg]t;)\s*{_AMOUNT}")
# What else is written around a number: a currency, an uncertainty, a mark that leads to a remark, a longer unit.
_AROUND = re.compile(
    rf"(?:[~≈$€£]|ca\.)\s*{_AMOUNT}|{_AMOUNT}\s*(?:±\s*{_AMOUNT}|[*+†]+|\s[^\W\d_]{{5,8}})", re.IGNORECASE
)
_INSIDE = re.compile(_AMOUNT)


class Kind(Enum):
    """What one field is."""

    NUMBER = "a number"
    MISSING = "a missing value"
    TRUTH = "True or False"
    DATE = "a date"
    ERROR = "a spreadsheet's error"
    MARKED = "a number with other marks"  # 1.234,5 or, where the decimal mark is a point, 1,5
    WRAPPED = "a number with something around it"  # 12 kg, <0.4
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
    return Kind.WRAPPED if has_unit(word) or is_bounded(word) or _AROUND.fullmatch(word) else Kind.WORD


def is_error(word: str) -> bool:
    """Whether a field is what a spreadsheet writes where a formula fails: #REF! or, in another language, #BEZUG!."""
    word = word.strip()
    return word.lower() in _ERRORS or (
        word.removeprefix("Err") == word.removeprefix("Err").upper() and bool(_ERROR.fullmatch(word))
    )


def sums_up(word: str) -> bool:
    """Whether a row of this name sums up the others: Total, or Mean:."""
    parts = re.findall(r"[^\W\d_]+", word.lower())
    return parts in (["grand", "total"], ["standard", "deviation"]) or (len(parts) == 1 and parts[0] in _SUMMARIES)


def is_grouped(word: str) -> bool:
    """Whether digits stand in groups of three, as in 1.234 or 1 234,5."""
    return bool(_GROUPED.fullmatch(word.strip()))


def has_unit(word: str) -> bool:
    """Whether a field is a number with its unit, as 1kg or 25%."""
    return bool(_WITH_UNIT.fullmatch(word.strip()))


def is_bounded(word: str) -> bool:
    """Whether a field says on which side of a number a value lies, as <0.4."""
    return bool(_BOUNDED.fullmatch(word.strip()))


def around(word: str) -> str:
    """What stands around the number of a field: "kg" of "12 kg"."""
    return " ".join(_INSIDE.sub(" ", word, count=1).split())


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
