"""What Python holds in memory as rows: arrays of any library, DataFrames, sparse matrices, tensors.

Main       of_object; to_array, one array or tensor of any library.

Libraries are known by their names and by the protocols of arrays; none is imported for it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from verify.arrays import Array, to_numpy
from verify.data.entries import BLOCK_ENTRIES, LARGEST_WHOLE, not_held
from verify.data.files.found import Asked, Found
from verify.data.files.masked import Sliced, as_list, unmasked
from verify.data.files.opening import LONGEST
from verify.data.files.sparse import of_sparse
from verify.data.files.stacks import of_array
from verify.data.files.tables import as_floats
from verify.data.files.text.words import shown
from verify.errors import InputError, first_line

_AXES = ("row", "column", "entry", "entry")


def of_object(data: Any, asked: Asked | None = None) -> Found:
    """The rows of an array (N, ...), a list of rows, a DataFrame, a sparse matrix, a tensor.

    facts: kind ("array", "list", "dataframe", "sparse matrix", "tensor"), and sha256, of the values row by row as their
    type holds them: the same rows of another type have another one.  Raises InputError, one line.
    """
    asked = asked or Asked()
    if asked.of_text or asked.member is not None:
        what = asked.of_text or f"member {asked.member!r}"
        raise InputError(f"{what}: only files have use for it; leave it out")
    kind, found = _found(data, asked)
    N, n = found.raw.shape
    if N < 2 or n == 0:
        what = "have one row" if N == 1 and n else "are empty"
        raise InputError(f"the data {what} (shape {(N, n)}); give at least two rows and one column")
    return found.told({"kind": kind, "sha256": sha256_of_rows(found.raw)})


def to_array(data: Any) -> Array:
    """What an array, a tensor or a list of numbers holds, as an array of NumPy: off its device, without a gradient.

    Raises InputError, one line, at what is no array.
    """
    origin = _origins(data)
    _refuse(data, origin)
    if "torch" in origin:
        return _tensor(data)
    if isinstance(data, (list, tuple)):
        return _of_list(data)
    array = _array(data)
    _refuse_objects(array)
    return np.asarray(array[:] if isinstance(array, Sliced) else array)


def sha256_of_rows(raw: Array) -> str:
    """The SHA-256 of the values of raw (N, n), row by row, a block at a time."""
    digest = hashlib.sha256()
    step = max(1, BLOCK_ENTRIES // max(1, raw.shape[1]))
    for start in range(0, raw.shape[0], step):
        digest.update(np.ascontiguousarray(raw[start : start + step]).tobytes())
    return digest.hexdigest()


def _found(data: Any, asked: Asked) -> tuple[str, Found]:
    origin = _origins(data)
    _refuse(data, origin)
    if "torch" in origin:
        return "tensor", of_array(_tensor(data), asked)
    if "cupyx" in origin and hasattr(data, "get"):
        data, origin = data.get(), _origins(data.get())
    if hasattr(data, "tocsr") and hasattr(data, "nnz"):
        return "sparse matrix", of_sparse(data, asked)
    if hasattr(data, "iloc") and hasattr(data, "columns"):
        return "dataframe", _of_pandas(data, asked)
    if hasattr(data, "__arrow_c_stream__") and not hasattr(data, "__array_interface__") and _has_columns(data):
        return "dataframe", _of_arrow(data, asked)
    if isinstance(data, (list, tuple)):
        return "list", of_array(_of_list(data), asked)
    array = _array(data)
    _refuse_objects(array)
    return "array", of_array(array, asked)


def _origins(data: Any) -> set[str]:
    """The libraries that the type of `data` and its bases come from."""
    return {base.__module__.split(".", 1)[0] for base in type(data).__mro__}


def _refuse(data: Any, origin: set[str]) -> None:
    """Raises InputError for what is no table, with what to give instead."""
    kind = type(data).__name__
    if isinstance(data, dict) and not hasattr(data, "tocsr"):  # scipy's DOK is one
        names = ", ".join(repr(name) for name in list(data)[:12])
        raise InputError(f"the data are a {kind} (of {names}); give one of its arrays" if names else "an empty dict")
    if isinstance(data, (set, frozenset)):
        raise InputError(f"the data are a {kind}, which has no order; give a list of rows")
    if isinstance(data, Iterator):
        raise InputError(f"the data are a {kind}, which can be read only once; give numpy.stack(list(...))")
    if isinstance(data, (bytes, bytearray, memoryview)) or data is None:
        raise InputError(f"the data are of type {kind}; give an array with one row per datum, or the name of a file")
    if hasattr(data, "fit") and hasattr(data, "get_params"):
        raise InputError(f"the data are a {kind}, an estimator; give the rows that it is fitted to")
    if hasattr(data, "collect") and not hasattr(data, "__array__"):
        raise InputError(f"the data are a {kind}, whose rows are not there yet; give its .collect()")
    if "torch" in origin and not hasattr(data, "detach"):
        raise InputError(f"the data are a {kind} of PyTorch; give a tensor, for instance its .data or .tensors[0]")


def _tensor(data: Any) -> Array:
    """A tensor of PyTorch as an array, without a copy where it lies in this machine's memory and has NumPy's type."""
    if str(getattr(data, "layout", "torch.strided")) != "torch.strided":
        raise InputError(f"a sparse tensor ({data.layout}); give its .to_dense(), or a sparse matrix of scipy")
    data = data.detach().cpu()
    if "bfloat16" in str(data.dtype):
        data = data.float()  # every bfloat16 is a float32
    for last in ("resolve_conj", "resolve_neg"):
        data = getattr(data, last)() if hasattr(data, last) else data
    return np.asarray(data) if hasattr(data, "__array__") else np.from_dlpack(data)


def _has_columns(data: Any) -> bool:
    return hasattr(data, "columns") or hasattr(data, "column_names") or hasattr(data, "schema")


def _of_pandas(data: Any, asked: Asked) -> Found:
    """A DataFrame of pandas, column by column: names may come twice.  Its index is no column."""
    import pyarrow as pa

    from verify.data.files.columnar import of_arrow

    names = [" ".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in data.columns]
    # Columns that are only numbered have no names, but whoever asks for 1 may mean that label, the second column.
    if names == [str(i) for i in range(len(names))]:
        asked = _by_places(names, asked)
        names = [""] * len(names)
    _refuse_delimiters(names, data)
    held, known = [], {}
    for j in range(len(names)):
        column = data.iloc[:, j]
        try:
            held.append(_whole(pa.array(column, from_pandas=True)))
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            values = np.asarray(column)
            if _complex(values):
                known[j] = "complex numbers"
            held.append(_mixed(values, j, pa))
    found = of_arrow(names, held, asked, known)
    levels = getattr(data.index, "nlevels", 1)
    if levels < 2:
        return found
    doubt = f"the {levels} levels of the index are no columns of the data; reset_index() makes them some"
    return found.told(doubts=[doubt])


def _by_places(names: Sequence[str], asked: Asked) -> Asked:
    """The same columns by their numbers.  Raises InputError where a word may be a name or a number."""
    chosen = asked.chosen(names, len(names))
    if chosen is None:
        return asked
    places = chosen if asked.columns else sorted(set(range(len(names))) - set(chosen))
    words = tuple(f"#{j + 1}" for j in places)
    return replace(asked, columns=words) if asked.columns else replace(asked, drop=words)


def _refuse_delimiters(names: Sequence[str], data: Any) -> None:
    """Raises InputError where a DataFrame was read from a file with another delimiter than its own."""
    mark = next((mark for mark in ";\t|" if len(names) == 1 and mark in names[0]), None)
    if mark is None:
        return
    levels = getattr(data.index, "nlevels", 1)
    spoiled = f", and {levels} levels of an index made of the parts of its numbers" if levels > 1 else ""
    raise InputError(
        f"the DataFrame has one column, {names[0][:40]!r}{spoiled}: read the file with sep={mark!r}, and "
        "decimal=',' if its numbers have decimal commas"
    )


def _whole(one: Any) -> Any:
    return one.combine_chunks() if hasattr(one, "combine_chunks") else one


def _complex(values: Array) -> bool:
    return values.dtype.kind == "c" or (values.dtype.kind == "O" and any(isinstance(one, complex) for one in values))


def _mixed(values: Array, place: int, pa: Any) -> Any:
    """A column that Arrow has no type for: its own numbers where it has some, else its values as words."""
    if values.dtype.kind not in "biuf":
        return pa.array([str(value) for value in values])
    if values.dtype.itemsize > 8:
        return pa.array(as_floats(values, place, 0))
    return pa.array(values.astype(values.dtype.newbyteorder("=")))


def _of_arrow(data: Any, asked: Asked) -> Found:
    """A table of polars, pyarrow or anyone who gives an Arrow stream."""
    import pyarrow as pa

    from verify.data.files.columnar import index_of, of_arrow

    try:
        table = pa.table(data)
    except (pa.ArrowException, TypeError, ValueError) as error:
        reason = first_line(error, LONGEST)
        raise InputError(f"the columns of the {type(data).__name__} are not what Arrow takes ({reason})") from None
    return of_arrow(table.column_names, table.columns, asked, index_of(table.schema, asked))


def _of_list(data: Sequence[Any]) -> Array:
    """Rows of numbers, or of arrays of one shape."""
    rows = _on_host(data)
    try:
        array = np.asarray(rows)
    except (ValueError, TypeError):
        raise InputError("the data are not a table of numbers: its rows have different lengths") from None
    _refuse_objects(array)
    if array.dtype == np.float64:
        _check_not_rounded(rows, array)
    return array


def _check_not_rounded(rows: Any, array: Array) -> None:
    """Raises InputError where a whole number became another one beside numbers of another type."""
    for index in np.argwhere(np.abs(array) >= LARGEST_WHOLE):
        entry = rows
        for i in index:
            entry = entry[i] if isinstance(entry, list) else np.asarray(entry)[i]
        if isinstance(entry, (int, np.integer)) and int(entry) != int(array[tuple(index)]):
            column = np.ravel_multi_index(index[1:], array.shape[1:]) if array.ndim > 1 else 0
            raise not_held(str(entry), int(index[0]), int(column))


def _refuse_objects(array: Any) -> None:
    """Raises InputError at an array of Python objects, with the first of them that is no number."""
    if array.dtype.kind != "O":
        return
    for place, entry in np.ndenumerate(np.asarray(array)):
        if not _becomes_number(entry):
            where = ", ".join(f"{axis} {i + 1}" for axis, i in zip(_AXES, place, strict=False)) or "the only place"
            raise InputError(
                f"the data are Python objects, and {shown(str(entry))} at {where} is no number that float64 holds; "
                "mend it (a missing value is NaN), then give numpy.asarray(data, dtype=float)"
            )
    raise InputError("the data are numbers held as Python objects; give numpy.asarray(data, dtype=float): None is NaN")


def _becomes_number(entry: Any) -> bool:
    """Whether an object is a number to NumPy, or missing."""
    try:
        value = float("nan" if entry is None else entry)
    except (TypeError, ValueError, OverflowError):
        return False
    return not isinstance(entry, int) or abs(entry) < LARGEST_WHOLE or int(value) == entry


def _on_host(row: Any) -> Any:
    """A list or a row of one: copied from the device where it lies on one, what is masked NaN, else as it is."""
    if isinstance(row, (list, tuple)):
        return [one if isinstance(one, (int, float, np.generic)) else _on_host(one) for one in row]
    if isinstance(row, np.ma.MaskedArray):
        return as_list(row)
    if "torch" in _origins(row) and hasattr(row, "detach"):
        return _tensor(row)
    return to_numpy(row) if "cupy" in _origins(row) else row


def _array(data: Any) -> Any:
    """Anything that is an array by one of the protocols, or slices by rows like one."""
    if isinstance(data, np.ma.MaskedArray):
        return unmasked(data)
    if isinstance(data, np.ndarray) or "cupy" in _origins(data):
        return to_numpy(data).view(np.ndarray) if isinstance(data, np.matrix) else _known(to_numpy(data))
    if isinstance(getattr(data, "dtype", None), np.dtype) and len(getattr(data, "shape", ())) > 1 and _slices(data):
        return Sliced(_known(data))  # perhaps on disk: HDF5, Zarr, memory maps of others
    for protocol in (np.asarray, np.from_dlpack):
        if not hasattr(data, "__array__" if protocol is np.asarray else "__dlpack__"):
            continue
        try:
            return _known(protocol(data))
        except (TypeError, ValueError, RuntimeError, BufferError) as error:
            reason = first_line(error, LONGEST)
            raise InputError(f"the {type(data).__name__} does not become an array ({reason})") from None
    raise InputError(
        f"the data are of type {type(data).__name__}; give an array with one row per datum, a DataFrame, or the name "
        "of a file"
    )


def _slices(data: Any) -> bool:
    return hasattr(data, "__getitem__") and hasattr(data, "__len__")


def _known(array: Any) -> Any:
    """bfloat16, as JAX and others bring it to NumPy, as float32."""
    return array.astype(np.float32) if getattr(array.dtype, "name", "") == "bfloat16" else array
