"""Tables of numbers in text files, packed or not.

Main       read_text.

The first lines say how the file is written; all of it is then read in one pass, in blocks. Where a column that is read
turns out other than it began, its every field is counted, and what it holds is decided anew.
"""

import itertools
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from verify.data.files.columns import taken
from verify.data.files.found import Aside, Asked, Found, Table
from verify.data.files.opening import readable
from verify.data.files.rows_on_disk import Growing
from verify.data.files.text.dialect import EXPECTED, NAMES, recognised
from verify.data.files.text.fast import Unfit, read_fast
from verify.data.files.text.faults import Place, counted, not_a_number, repeated_header, second_header, title
from verify.data.files.text.header import heading
from verify.data.files.text.kinds import Tally, survey
from verify.data.files.text.records import Records, cut, is_comment
from verify.data.files.text.slow import Plan, Surprise, read_slowly
from verify.data.files.text.source import Source, opened
from verify.data.files.text.words import Kind, kind_of, shown, sums_up
from verify.errors import InputError, about

_RECORDS, _LEAST, _CHARACTERS = 1000, 20, 1 << 20  # of the sample
_TITLES = 10  # rows among which a header may stand below a title


def read_text(path: Path, asked: Asked) -> Found:
    """The numbers of a text table (N, n), missing values NaN.  Raises InputError, which names the file.

    Delimiter, decimal mark and header are recognised, or asked about where they could be two things; columns of words
    and dates are left out.
    """
    with readable(path):
        source = opened(path)
        try:
            with closing(_Reading(source, asked)) as reading:
                return reading.found()
        except InputError as error:
            raise about(str(path), error) from None


class _Reading:
    """One file being read."""

    def __init__(self, source: Source, asked: Asked) -> None:
        self.source, self.asked = source, asked
        self.opened: list[Generator[str, None, None]] = []
        lines, self.whole = _beginning(source)
        self.longest = max(map(len, lines), default=0)
        self.dialect = recognised(lines, asked.decimal, _ending(source.path))
        records = Records(lines, self.dialect.delimiter, cut=not self.whole)
        self.sample = list(records)
        if not self.whole and len(self.sample) > 2:
            self.sample.pop()  # a quoted field may go on
        if not self.sample:
            raise InputError(
                f"the file is empty but for comments ({counted(records.comments, 'line')} after # or %); there are no "
                "rows; if these are data, write their first field in quotation marks"
            )
        self.heading = heading(self.sample, self.dialect, asked.header, records)
        self.rows = self.sample[int(self.heading.present) :]
        self.chosen = asked.chosen(self.heading.names, self.heading.width)
        self.counted: set[int] = set()  # columns that were looked at to the end

    def records(self) -> Records:
        """All records of the file."""
        self.opened.append(self.source.lines())
        return Records(self.opened[-1], self.dialect.delimiter)

    def close(self) -> None:
        """Closes the file where it was not read to its end, which an error would else keep open."""
        while self.opened:
            self.opened.pop().close()

    def found(self) -> Found:
        """Reads it."""
        everywhere = range(self.heading.width)
        if all(len(fields) == self.heading.width for _, fields in self.rows):
            tallies = survey(self.rows, self.heading.width, self.dialect.mark, self.sample[0][0], everywhere)
            unsure = self._unsure(tallies)
            if unsure:
                tallies = self._surveyed(tallies, unsure)
        else:
            tallies = self._surveyed([Tally() for _ in everywhere], everywhere)
        for last in (False, True):
            try:
                return self._read(tallies)
            except Surprise as surprise:
                # Those columns are known then. Where others turn up after them, all are looked at.
                places = set(everywhere if last else surprise.places)
            # Not above, where what was read so far would be kept.
            tallies = self._surveyed(tallies, places)
        try:
            return self._read(tallies)
        except Surprise:
            raise InputError("the file changes while it is read; read it again when it is complete") from None

    def _surveyed(self, tallies: Sequence[Tally], places: Iterable[int]) -> list[Tally]:
        """What the columns hold, those at `places` by all rows of the file."""
        self.counted |= set(places)
        rows = itertools.islice(self.records(), int(self.heading.present), None)
        new = survey(rows, self.heading.width, self.dialect.mark, self.sample[0][0], places)
        return [new[j] if j in places else tally for j, tally in enumerate(tallies)]

    def _unsure(self, tallies: Sequence[Tally]) -> set[int]:
        """The columns among those asked for of which the first rows do not tell what they are."""
        if self.whole:
            return set()
        used = set(range(self.heading.width) if self.chosen is None else self.chosen)
        try:
            _, asides = taken(self.heading.names, [tally.holds for tally in tallies], self.asked)
        except InputError:
            return used  # no numbers so far
        index = {aside.number - 1 for aside in asides if aside.holds == "an index"}
        return {j for j in used - index if tallies[j].mixed}

    def _read(self, tallies: Sequence[Tally]) -> Found:
        names, width = self.heading.names, self.heading.width
        places, asides = taken(names, [tally.holds for tally in tallies], self.asked)
        self._refuse_faults(tallies, places)
        trailing = width > 1 and not (names and names[-1]) and not tallies[-1].filled and width - 1 not in places
        plan = Plan(
            self.dialect,
            self.sample[0][0],
            self.heading.present,
            width,
            tuple(places),
            frozenset(j for j in places if tallies[j].truths),
            tuple(aside.number - 1 for aside in asides if aside.holds == "no values"),
            names,
        )
        growing, records = self._grown(plan)
        shown = width - trailing
        table = Table(
            tuple(j + 1 for j in places),
            tuple(names[j] for j in places) if names else (),
            tuple(map(self._as_far_as_seen, (aside for aside in asides if aside.number <= shown))),
            shown,
            lru_cache(self._line),
        )
        facts = {"columns": list(table.names)} if names else {}
        return Found(growing.rows(), facts, self._said(plan, records, trailing), self._summary(asides), table)

    def _as_far_as_seen(self, aside: Aside) -> Aside:
        """A column of words as the first rows have it: what comes below is not looked at, and that is said."""
        if self.whole or aside.number - 1 in self.counted or not aside.holds.startswith(("words", "dates")):
            return aside
        return replace(aside, holds=f"{aside.holds} in the first {len(self.rows)} rows")

    def _summary(self, asides: Sequence[Aside]) -> tuple[str, ...]:
        """Whether the last row, by its name in a column left out, sums up the others."""
        fields = cut(self.source.last(), self.dialect.delimiter) if asides else []
        if len(fields) != self.heading.width:
            return ()
        name = next((fields[aside.number - 1].strip() for aside in asides if sums_up(fields[aside.number - 1])), None)
        return (f"the last row is called {shown(name)}: if it sums up the others, delete it",) if name else ()

    def _grown(self, plan: Plan) -> tuple[Growing, Records | None]:
        """The rows, by the fast reader where it takes them; and the records if they were read one by one."""
        if not self.rows:
            raise InputError("there are no rows")
        with suppress(Unfit):
            return read_fast(self.source, plan, self.rows[0][0], self.longest), None
        records = self.records()
        return read_slowly(records, plan), records

    def _refuse_faults(self, tallies: Sequence[Tally], places: Sequence[int]) -> None:
        faulty = [(*tallies[j].stray(), j) for j in places if tallies[j].faulty]
        if not faulty:
            return
        kind, place, j = min(faulty, key=lambda fault: (fault[1].row, fault[2]))
        if self.heading.present:
            self._refuse_lines_of_names(place, places)
        raise not_a_number(kind, place, j + 1, self.heading.names, self.dialect.mark)

    def _refuse_lines_of_names(self, place: Place, places: Sequence[int]) -> None:
        """Raises InputError where a fault at `place` lies in a line that names columns or their units."""
        header, fields = self.sample[0]
        below = itertools.islice(self.records(), 1, None)
        repeats = [line for line, words in below if words == fields] if place.word in fields else []
        if repeats and place.line == repeats[0]:
            raise repeated_header(repeats, header)
        if place.row > _TITLES or len(places) < 2:
            return
        words = self.rows[place.row - 1][1]
        few = 2 * sum(bool(word.strip()) for word in fields) <= len(fields)
        if few and all(kind_of(word, self.dialect.mark) in (Kind.WORD, Kind.WRAPPED) for word in words):
            raise title(place.line, words)
        kinds = [kind_of(words[j], self.dialect.mark) for j in places]
        if place.row == 1 and Kind.NUMBER not in kinds and sum(k in (Kind.WORD, Kind.WRAPPED) for k in kinds) > 1:
            raise second_header(place, words)

    def _said(self, plan: Plan, records: Records | None, trailing: bool) -> tuple[str, ...]:
        """How the file was read, where that is not as everybody would expect."""
        said = list(self.source.said)
        expected = EXPECTED.get(_ending(self.source.path), ",")
        if self.dialect.delimiter not in ("", expected):
            said.append(f"fields separated by {NAMES.get(self.dialect.delimiter, self.dialect.delimiter)}")
        if self.dialect.mark == ",":
            said.append("decimal comma")
        if trailing:
            said.append("a delimiter at the end of every line")
        said += self.heading.said
        if records is None:
            records = Records(self._before(), self.dialect.delimiter)
            for _ in records:
                pass
        if records.spanning:
            lines, first = records.spanning
            said.append(f"{counted(lines, 'quoted field')} over several lines, the first at line {first}")
        if records.comments:
            said.append(f"{counted(records.comments, 'comment line')} left out")
        if records.blanks and plan.width == 1:
            said.append(f"{counted(records.blanks, 'blank line')} between the rows left out")
        for j in sorted(plan.truths):
            name = f" ({plan.names[j]})" if plan.names and plan.names[j] else ""
            said.append(f"True and False of column {j + 1}{name} as 1 and 0")
        return tuple(said)

    def _before(self) -> Iterator[str]:
        """The lines before the first row: comments below keep the fast reader away."""
        return itertools.islice(self.source.lines(), self.rows[0][0] - 1)

    def _line(self, row: int) -> int:
        """The line of a row, both from 1."""
        with closing(self):
            return next(itertools.islice(self.records(), int(self.heading.present) + row - 1, None))[0]


def _beginning(source: Source) -> tuple[list[str], bool]:
    """The first lines, and whether they are all."""
    lines: list[str] = []
    count = size = 0
    for line in source.lines():
        if count >= _RECORDS or (count >= _LEAST and size > _CHARACTERS):
            return lines, False
        lines.append(line)
        # Below the first record, what looks like a comment may be one too.
        if line.strip() and (count or not is_comment(line)):
            count += 1
            size += len(line)
    return lines, True


def _ending(path: Path) -> str:
    """The ending of a file's name in lower case, without that of its compression."""
    name = Path(path.name.lower())
    return (Path(name.stem) if name.suffix in (".gz", ".bz2", ".xz") else name).suffix
