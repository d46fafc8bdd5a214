"""Columns of strings in tables whose columns have types: words, or numbers that were not read as such.

Main       held.
"""

import itertools
from collections.abc import Iterable, Sequence

from verify.data.files.columns import shown
from verify.data.files.found import clean
from verify.data.files.text.faults import dropping, not_a_number
from verify.data.files.text.kinds import Tally
from verify.data.files.text.words import Kind
from verify.errors import InputError

_SAMPLE = 1000  # rows, after which a column of nothing but words is one


def held(words: Iterable[str | None], number: int, names: Sequence[str]) -> str:
    """What a column of strings holds, judged as a column of text is; None is missing.  number: of the column, from 1.

    Raises InputError where it is one of numbers: with the entry that is none, or how to convert it.
    """
    called = list(map(clean, names))
    tally = Tally()
    rows = enumerate(words, start=1)
    for row, word in itertools.islice(rows, _SAMPLE):
        tally.add(word or "", ".", 0, row)
    if tally.mixed or not tally.others:
        for row, word in rows:
            tally.add(word or "", ".", 0, row)
    if tally.faulty:
        raise not_a_number(*tally.stray(), number, called, ".")
    if tally.others or tally.empty:
        return tally.holds or "words, such as 'True'"
    name = names[number - 1] if names else ""
    column = f"df[{name!r}]" if name else f"df[{number - 1}]"
    example = tally.first[Kind.NUMBER].word.strip()[:40]
    raise InputError(
        f"{shown(number, clean(name))} holds numbers as words, such as {example!r}; convert them (in pandas: "
        f"{column} = pandas.to_numeric({column})), or leave the column out ({dropping(number, called)})"
    )
