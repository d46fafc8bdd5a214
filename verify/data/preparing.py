"""From what was found to rows: columns chosen, an index left out, missing values dealt with, doubts said.

Main       prepared.

One pass over the source checks every entry, so that what is wrong is named by its place in the source before anything
is computed. Of built-in images, which are known, there is none.
"""

from dataclasses import replace

import numpy as np

from verify.arrays import Array
from verify.checks import LARGEST_VARIANCE, SMALLEST_VARIANCE
from verify.data.doubts import counts_rows, doubts
from verify.data.entries import BadEntry, check_entries, real_matrix
from verify.data.files.columns import shown
from verify.data.files.found import Aside, Asked, Found
from verify.data.files.lazy import chosen as chosen_columns
from verify.data.missing import CHOICES, Missing
from verify.data.moments import Moments
from verify.data.preprocess import Preprocessing, Standard
from verify.data.rows import Rows
from verify.data.selected import HERE, Places, Selected, blocks
from verify.errors import InputError

_SHOWN = 4  # columns left out that are named


def prepared(
    found: Found,
    name: str,
    asked: Asked,
    preprocessing: Preprocessing,
    *,
    missing: str | None = None,
    standardize: bool = False,
    known: bool = False,
) -> Rows:
    """Rows of what was found under this name.  missing: None asks, "drop", "mean". known: nothing is looked at.

    Raises InputError: not a table of real numbers, fewer than two rows, no such column, missing values nobody spoke
    of, NaN, infinity or too large entries with their place in the source, preprocessing that does not fit.
    """
    _check_options(missing, standardize, preprocessing)
    if asked.of_text is not None and (found.table is None or found.table.line is None):
        raise InputError(f"{name}: --{asked.of_text} is for text files; leave it out")
    raw, places, asides = _columns(found, name, asked)
    facts = {**found.facts, "name": found.facts.get("name", name)}
    n = int(raw.shape[1])
    whole = places.numbers is None or list(places.numbers) == list(range(1, n + 1))
    said = list(found.said)
    if not whole:  # part of an image is none
        facts.pop("image", None)
        said = [words for words in said if not words.startswith("images of")]
    said += _left_out(asides)
    notes = list(found.doubts)
    if not known:
        moments, lacking = _looked_at(raw, places)
        if lacking is not None:
            if missing is None:
                raise lacking.question(places)
            said.append(f"{lacking.words()}: {'these rows left out' if missing == 'drop' else 'means put in'}")
            facts["missing"] = {"values": lacking.values, "rows": len(lacking.rows), "treated": missing}
            raw, places = _without(raw, places, lacking, missing, moments)
            moments, _ = _looked_at(raw, places)
            if missing == "mean":
                notes.append(
                    f"{'a missing value was' if lacking.values == 1 else f'{lacking.values} missing values were'} "
                    "replaced by the mean of the column, which makes its variance and its correlations smaller"
                )
        divided = standardize or preprocessing.scale is not None or preprocessing.dequantised
        notes += doubts(raw, moments, places, image="image" in facts, divided=divided)
        if standardize:
            standard = _standard(moments, places)
            preprocessing = replace(preprocessing, standard=standard)
    N = int(raw.shape[0])
    if places.names:
        facts["columns"] = list(places.names)
    if places.numbers is not None and not whole:
        facts["column_numbers"] = list(places.numbers)
    said = [f"{N} rows x {n} {'column' if n == 1 else 'columns'}{_as_asked(found, asked, n)}", *said]
    provenance = {
        **facts,
        "shape": [N, n],
        "read": "; ".join(said),
        "preprocessing": preprocessing.facts(),
        "log_scale_jacobian": preprocessing.log_scale_jacobian(n),
        "seed": preprocessing.seed,
        "notes": notes,
    }
    return Rows(raw, preprocessing, provenance, places)


def _check_options(missing: str | None, standardize: bool, preprocessing: Preprocessing) -> None:
    if missing not in (None, *CHOICES):
        raise InputError(f"missing = {missing!r}: give drop or mean")
    if standardize and (preprocessing.scale is not None or preprocessing.dequantised):
        raise InputError(
            "standardize divides each column by its own standard deviation; leave out scale, logit and dequantise"
        )


def _columns(found: Found, name: str, asked: Asked) -> tuple[Array, Places, list[Aside]]:
    """The columns to use, where they stand, and what was left out unasked.  Raises InputError."""
    raw, table = real_matrix(found.raw, name), found.table
    N, n = (int(length) for length in raw.shape)
    if N == 0:
        raise InputError(f"{name}: the data are empty; give at least two rows")
    if N == 1:
        raise InputError(f"{name}: the data have one row; a covariance needs at least two")
    if table is None:
        chosen = asked.chosen([], n)
        if chosen is None:
            return raw, HERE, []
        return chosen_columns(raw, chosen), HERE.chosen(np.array(chosen), None), []
    places, asides = Places(table.numbers, table.names, None, table.line), list(table.asides)
    told = any(table.names) or table.line is not None  # else it is an array whose columns were chosen
    if told and not asked.columns and n > 1 and places.number(0) == 1:
        first = counts_rows(raw)
        if first is not None:
            asides.insert(0, Aside(1, places.name(0), f"an index (it counts the rows from {first})"))
            rest = np.arange(1, n)
            return chosen_columns(raw, rest.tolist()), places.chosen(rest, None), asides
    return raw, places, asides


def _standard(moments: Moments, places: Places) -> Standard:
    """Means and deviations of the columns.  Raises InputError where a variance is no normal number."""
    constant = moments.low == moments.high
    usable = (moments.variance >= SMALLEST_VARIANCE) & (moments.variance <= LARGEST_VARIANCE)
    if not (constant | usable).all():
        which = np.flatnonzero(~(constant | usable))
        raise InputError(
            f"{places.columns(which, moments.n)} too small or too large to be standardized; multiply by a constant"
        )
    deviation = np.where(constant, 1.0, np.sqrt(moments.variance))
    return Standard(np.where(constant, moments.low, moments.mean), deviation)


def _as_asked(found: Found, asked: Asked, used: int) -> str:
    """How many columns there were, where some were chosen or dropped; else ""."""
    width = found.table.width if found.table is not None else int(found.raw.shape[1])
    if not (asked.columns or asked.drop) or used == width:
        return ""
    dropped = width - used - (0 if found.table is None else len(found.table.asides))
    return f" (of {width}, as asked)" if asked.columns else f" ({dropped} dropped, as asked)"


def _left_out(asides: list[Aside]) -> list[str]:
    """The columns left out, each with the reason."""
    words = [
        f"{shown(a.number, a.name)} left out as {a.holds}"
        if a.holds.startswith("an ")
        else f"{shown(a.number, a.name)} left out, it holds {a.holds}"
        for a in asides
    ]
    more = len(words) - _SHOWN
    return words[:_SHOWN] + ([f"{more} more columns without numbers left out"] if more > 0 else [])


def _looked_at(raw: Array, places: Places) -> tuple[Moments, Missing | None]:
    """Moments of the columns, and the missing values, if any.  Raises InputError at an entry that cannot be used."""
    N, n = (int(length) for length in raw.shape)
    moments, lacking = Moments(N, n), []
    first: tuple[int, int] | None = None
    for start, block in blocks(raw):
        nan = np.isnan(block) if block.dtype.kind == "f" else None
        if nan is not None and nan.any():
            rows = np.flatnonzero(nan.any(axis=1))
            lacking.append(start + rows)
            first = first or (start + int(rows[0]), int(np.argmax(nan[rows[0]])))
            checked = np.where(nan, np.zeros((), block.dtype), block)
        else:
            checked = block
        try:
            check_entries(checked, start)
        except BadEntry as error:
            raise error.at(places.entry(error.row, error.column)) from None
        moments.add(block.astype(np.float64))
    return moments, None if first is None else Missing.counted(moments, lacking, first)


def _without(raw: Array, places: Places, lacking: Missing, missing: str, moments: Moments) -> tuple[Selected, Places]:
    """The rows that lack nothing, or all of them with means put in.  Raises InputError where that cannot be."""
    if missing == "drop":
        kept = lacking.kept(places)
        return Selected(raw, rows=kept), places.chosen(None, kept)
    lacking.check_fillable(places)
    return Selected(raw, fill=moments.mean), places
