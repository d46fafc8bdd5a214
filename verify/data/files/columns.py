"""Which columns of a table are its rows: those of numbers, less an index, or those that were asked for.

Main       taken, table_of, of_matrix, is_index.
"""

from collections.abc import Sequence

from verify.arrays import Array
from verify.data.files.found import Aside, Asked, Table, clean
from verify.data.files.lazy import chosen as chosen_columns
from verify.errors import InputError

_OF_INDEX = ("", "unnamed: 0", "index", "rownames", "row.names", "__index_level_0__")  # as pandas and R call it


def taken(names: Sequence[str], holds: Sequence[str], asked: Asked) -> tuple[list[int], tuple[Aside, ...]]:
    """The places (from 0) of the columns to use, and those left out unasked, each with the reason.

    names: of each column, or empty. holds: of each column "" where it holds numbers, else what it holds, for instance
    "words, such as 'setosa'".  Raises InputError: a column that was asked for holds no numbers, or no column does.
    """
    width = len(holds)
    named = list(map(clean, names)) or [""] * width
    chosen = asked.chosen(names, width)
    if asked.columns:
        for j in chosen or ():
            if holds[j]:
                raise InputError(f"{shown(j + 1, named[j])} holds {holds[j]}; leave it out of the columns")
    places, asides = list(range(width)) if chosen is None else chosen, []
    if not asked.columns:
        for j in list(places):
            index = is_index(j, named)
            if index or holds[j]:
                # Words in a column without a name are the names of the rows.
                asides.append(Aside(j + 1, named[j], "an index" if index else holds[j]))
                places.remove(j)
    if not places:
        first = next((aside for aside in asides if aside.holds != "an index"), None)
        why = f": {shown(first.number, first.name)} holds {first.holds}" if first else ""
        raise InputError(f"no column holds numbers{why}; save numbers, one row per datum")
    return places, tuple(asides)


def table_of(names: Sequence[str], holds: Sequence[str], asked: Asked) -> tuple[list[int], Table]:
    """The places (from 0) of the columns to use, and where they stand in the table.  Raises as `taken`.

    names: as they are written, for it is by these that columns are asked for; the table has them as they are shown.
    """
    places, asides = taken(names, holds, asked)
    called = tuple(clean(names[j]) for j in places) if any(names) else ()
    return places, Table(tuple(j + 1 for j in places), called, asides, len(holds))


def of_matrix(raw: Array, names: Sequence[str], asked: Asked) -> tuple[Array, Table | None]:
    """The columns to use of a matrix (N, n) of numbers, and where they stand: None if all do and have no names.

    Raises as `taken`.
    """
    if not (names or asked.columns or asked.drop):
        return raw, None
    places, table = table_of(names, [""] * int(raw.shape[1]), asked)
    return chosen_columns(raw, places), table


def is_index(place: int, names: Sequence[str]) -> bool:
    """Whether the column at this place (from 0) is an index by its name, beside columns that have one."""
    return place == 0 and any(names[1:]) and names[0].lower() in _OF_INDEX


def shown(number: int, name: str) -> str:
    """A column in words: "column 3 (alcohol)"."""
    return f"column {number} ({name})" if name else f"column {number}"
