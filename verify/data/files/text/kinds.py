"""What the columns of a text table hold, counted field by field.

Main       Tally, survey, stray.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from verify.data.files.text.faults import Place, ragged
from verify.data.files.text.words import Kind, around, kind_of, shown

_FEW = 4  # units, beyond which what stands behind a number is rather a part of a name, as in 12A, 7B
_PLAIN = re.compile(r"[0-9eE+.-]+")  # what only a number is written with, if float takes it


@dataclass
class Tally:
    """How many fields of a column are of each kind, and where the first of each stands.

    filled: any is not empty. wraps: some different things that stand around numbers.
    """

    counts: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    first: dict[Kind, Place] = field(default_factory=dict)
    filled: bool = False
    wraps: set[str] = field(default_factory=set)

    def add(self, word: str, mark: str, line: int, row: int) -> None:
        """One more field, in a text of this decimal mark."""
        kind = Kind.NUMBER if mark == "." and _is_plain(word) else kind_of(word, mark)
        self.counts[kind] += 1
        if kind not in self.first:
            self.first[kind] = Place(line, row, word)
        self.filled = self.filled or bool(word.strip())
        if kind is Kind.WRAPPED and len(self.wraps) <= _FEW:
            self.wraps.add(around(word))

    def number(self, *kinds: Kind) -> int:
        """How many fields are of these kinds."""
        return sum(self.counts[kind] for kind in kinds)

    @property
    def others(self) -> int:
        """Fields that are neither numbers nor missing."""
        return sum(self.counts.values()) - self.number(Kind.NUMBER, Kind.MISSING)

    @property
    def empty(self) -> bool:
        """Whether no field has a value."""
        return not self.others and not self.counts[Kind.NUMBER]

    @property
    def truths(self) -> bool:
        """Whether all values are True or False."""
        return 0 < self.counts[Kind.TRUTH] == self.others and not self.counts[Kind.NUMBER]

    @property
    def mixed(self) -> bool:
        """Whether it takes the whole file to say what the column is."""
        return (
            self.others > 0
            and not self.truths
            and self.number(Kind.WORD, Kind.DATE) < self.others + self.counts[Kind.NUMBER]
        )

    @property
    def faulty(self) -> bool:
        """Whether the column is one of numbers but for some entries: then they are faults, and it is not left out."""
        if not self.others or self.truths:
            return False
        likely = self.number(Kind.NUMBER, Kind.MARKED)
        names = self.number(Kind.WORD, Kind.DATE)
        if len(self.wraps) > _FEW:
            names += self.counts[Kind.WRAPPED]
        else:
            likely += self.counts[Kind.WRAPPED]
        # Errors and other marks make no column of words.
        return not names or 2 * likely >= self.counts[Kind.NUMBER] + self.others

    def stray(self) -> tuple[Kind, Place]:
        """The first entry that keeps a faulty column from being one of numbers."""
        kinds = [kind for kind in self.first if kind not in (Kind.NUMBER, Kind.MISSING)]
        kind, place = min(((kind, self.first[kind]) for kind in kinds), key=lambda entry: entry[1].row)
        return kind, replace(place, last=place.row == sum(self.counts.values()))

    @property
    def holds(self) -> str:
        """In words what the column holds other than numbers; "" for numbers, truth values, and faulty columns."""
        if self.empty:
            return "no values"
        if not self.others or self.truths or self.faulty:
            return ""
        dates = self.counts[Kind.DATE] == self.others
        kind = next(kind for kind in (Kind.WORD, Kind.DATE, Kind.WRAPPED) if self.counts[kind])
        also = " and numbers" if self.counts[Kind.NUMBER] else ""
        return f"{'dates' if dates else 'words'}{also}, such as {shown(self.first[kind].word)}"


def survey(
    records: Iterable[tuple[int, list[str]]], width: int, mark: str, first: int, places: Iterable[int]
) -> list[Tally]:
    """What each of `width` columns holds, those at `places` (from 0); the others are not looked at.

    first: the line that rows are measured by.  Raises InputError: a ragged row.
    """
    tallies = [Tally() for _ in range(width)]
    looked_at = [(j, tallies[j]) for j in sorted(places)]
    rows = iter(records)
    for row, (line, fields) in enumerate(rows, start=1):
        if len(fields) != width:
            raise ragged(fields, Place(line, row, "", next(rows, None) is None), first, width)
        for j, tally in looked_at:
            tally.add(fields[j], mark, line, row)
    return tallies


def _is_plain(word: str) -> bool:
    """Whether a word is a number beyond doubt."""
    try:
        float(word)
    except ValueError:
        return False
    return bool(_PLAIN.fullmatch(word))
