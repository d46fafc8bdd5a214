"""Tables in Arrow's memory: Parquet, Feather and Arrow files, and the DataFrames that give their columns so.

Main       read_parquet, read_arrow, of_arrow.

Columns of numbers are the rows, missing values NaN, true and false 1 and 0.  Files are read a group of rows at a time.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import ipc, parquet, types

from verify.arrays import Array
from verify.data.entries import BLOCK_ENTRIES, LARGEST_WHOLE, not_held
from verify.data.files import strings
from verify.data.files.columns import is_index
from verify.data.files.found import Asked, Found
from verify.data.files.opening import damaged
from verify.data.files.tables import as_floats, of_columns

_LONGEST = 40  # characters of a value that is shown
_EXAMPLES = 64  # rows among which one is looked for
_Batches = Callable[[list[int]], Iterator[list[Any]]]  # of the columns at some places, so many rows at a time


def read_parquet(path: Path, asked: Asked) -> Found:
    """The columns of numbers of a Parquet file.  Raises InputError."""
    try:
        with parquet.ParquetFile(path, memory_map=True) as file:
            names = file.schema_arrow.names
            # A dot in a name means something else to Parquet, and a name may come twice.
            plain = len(set(names)) == len(names) and not any("." in name for name in names)

            def batches(places: list[int]) -> Iterator[list[Any]]:
                wanted = [names[j] for j in places] if plain else None
                for batch in file.iter_batches(max(1, BLOCK_ENTRIES // len(names)), columns=wanted):
                    yield [batch.column(names[j] if plain else j) for j in places]

            first = next(file.iter_batches(_EXAMPLES), None)
            return _of_batches(file.schema_arrow, first, batches, asked)
    except (pa.ArrowException, OSError) as error:
        raise damaged(path, error) from None


def read_arrow(path: Path, asked: Asked) -> Found:
    """The columns of numbers of a Feather or Arrow file, or of an Arrow stream.  Raises InputError."""
    with path.open("rb") as file:
        streamed = file.read(6) != b"ARROW1"
    try:
        with pa.memory_map(str(path)) as source:

            def opened() -> tuple[Any, Iterator[Any]]:
                source.seek(0)
                if streamed:
                    stream = ipc.open_stream(source)
                    return stream.schema, iter(stream)
                table = ipc.open_file(source)
                return table.schema, map(table.get_batch, range(table.num_record_batches))

            def batches(places: list[int]) -> Iterator[list[Any]]:
                for batch in opened()[1]:
                    yield [batch.column(j) for j in places]

            schema, read = opened()
            return _of_batches(schema, next(read, None), batches, asked)
    except (pa.ArrowException, OSError) as error:
        raise damaged(path, error) from None


def of_arrow(names: Sequence[str], held: Sequence[Any], asked: Asked, known: Mapping[int, str] | None = None) -> Found:
    """The rows of columns that are arrays of Arrow, chunked or not, all of one length.  Raises InputError.

    known: of columns (from 0) what they hold, where Arrow has no type for that, or an index.
    """
    kinds = [one.type for one in held]
    holds = [_holds(one.type, one.slice(0, _EXAMPLES)) for one in held]
    holds = [(known or {}).get(j, what) for j, what in enumerate(holds)]
    N = len(held[0]) if held else 0

    def batches(places: list[int]) -> Iterator[list[Any]]:
        step = max(1, BLOCK_ENTRIES // max(1, len(held)))
        for start in range(0, N, step):
            yield [_whole(held[j].slice(start, step)) for j in places]

    return _told(of_columns(names, _judged(names, holds, kinds, batches, asked), _numbers_of(batches), asked), kinds)


def _of_batches(schema: Any, first: Any | None, batches: _Batches, asked: Asked) -> Found:
    """The rows of a table that comes in batches of rows, `first` being one of them."""
    examples = [None if first is None else first.column(j) for j in range(len(schema))]
    holds = [_holds(field.type, example) for field, example in zip(schema, examples, strict=True)]
    index = index_of(schema, asked)
    holds = [index.get(j, what) for j, what in enumerate(holds)]
    holds = _judged(schema.names, holds, schema.types, batches, asked)
    return _told(of_columns(schema.names, holds, _numbers_of(batches), asked), schema.types)


def _judged(
    names: Sequence[str], holds: Sequence[str], kinds: Sequence[Any], batches: _Batches, asked: Asked
) -> list[str]:
    """`holds`, columns of strings looked at unless nobody asks for them.  Raises InputError: one of numbers."""
    places = asked.chosen(names, len(names))
    judged = list(holds)
    for j in range(len(names)) if places is None else places:
        if _is_string(kinds[j]) and holds[j].startswith("words") and (asked.columns or not is_index(j, names)):
            judged[j] = strings.held(_words(batches, j), j + 1, names)
    return judged


def _words(batches: _Batches, place: int) -> Iterator[str | None]:
    for (one,) in batches([place]):
        for start in range(0, len(one), _EXAMPLES):
            yield from one.slice(start, _EXAMPLES).to_pylist()


def _is_string(kind: Any) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _told(found: Found, kinds: Sequence[Any]) -> Found:
    """The same, and that columns of true and false became numbers."""
    assert found.table is not None
    flags = [f"{j}" for j in found.table.numbers if types.is_boolean(kinds[j - 1])]
    more = f" and {len(flags) - 5} more" if len(flags) > 5 else ""
    which = f"column{'s' * (len(flags) > 1)} {', '.join(flags[:5])}{more}"
    return replace(found, said=(*found.said, f"true and false in {which} as 1 and 0")) if flags else found


def index_of(schema: Any, asked: Asked) -> dict[int, str]:
    """The columns (from 0) that pandas wrote for the index of a DataFrame, unless columns were asked for."""
    try:
        told = json.loads((schema.metadata or {}).get(b"pandas", b"{}")).get("index_columns", [])
        index = {name for name in told if isinstance(name, str)}
    except (ValueError, AttributeError, TypeError):
        return {}
    return {} if asked.columns else {j: "an index" for j, name in enumerate(schema.names) if name in index}


def _numbers_of(batches: _Batches) -> Callable[[list[int]], Iterator[list[Array]]]:
    def blocks(places: list[int]) -> Iterator[list[Array]]:
        start = 0
        for batch in batches(places):
            yield [_numbers(one, place, start) for one, place in zip(batch, places, strict=True)]
            start += len(batch[0])

    return blocks


def _numbers(one: Any, place: int, start: int) -> Array:
    """A column of numbers (b,) as float64, missing values NaN; `start` rows came before."""
    if types.is_decimal(one.type):
        return _decimals(one, place, start)
    if types.is_floating(one.type) or types.is_null(one.type):
        return np.asarray(one.to_numpy(zero_copy_only=False), dtype=np.float64)
    present = one.fill_null(False if types.is_boolean(one.type) else 0)
    values = as_floats(present.to_numpy(zero_copy_only=False), place, start)
    if one.null_count:
        values = values.astype(np.float64, copy=True)
        values[one.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return values


def _decimals(one: Any, place: int, start: int) -> Array:
    values = np.asarray(one.cast(pa.float64()).to_numpy(zero_copy_only=False))
    for row in np.flatnonzero(np.abs(values) >= LARGEST_WHOLE):
        written = one[int(row)].as_py()
        if written == int(written) and int(written) not in (int(values[row]), int(Decimal(repr(float(values[row]))))):
            raise not_held(str(written), start + int(row), place)
    return values


def _holds(kind: Any, example: Any | None) -> str:
    """What a column holds, "" where that is numbers."""
    if types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return ""
    shown = _shown(example)
    such = f", such as {shown}" if shown else ""
    if types.is_dictionary(kind):
        return f"categories{such}"
    if types.is_temporal(kind):
        return f"durations{such}" if types.is_duration(kind) else f"dates{such}"
    if _is_string(kind):
        return f"words{such}"
    if types.is_null(kind):
        return "nothing"
    if types.is_nested(kind):
        return "lists or records; give each entry a column of its own, or save them as an array in a .npy file"
    return f"values of type {kind}"


def _shown(example: Any | None) -> str:
    """The first value that is not missing."""
    if example is None:
        return ""
    value = next((one.as_py() for one in example if one.is_valid), None)
    if value is None:
        return ""
    word = " ".join(str(value).split())
    return repr(word[:_LONGEST]) if isinstance(value, str) else word[:_LONGEST]


def _whole(one: Any) -> Any:
    """A chunked array as one."""
    return one.combine_chunks() if isinstance(one, pa.ChunkedArray) else one
