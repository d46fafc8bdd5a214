"""What the reader of a result should know of rows that were taken as they are: nothing is changed, it is said.

Notation   n columns; of each, Moments of all rows.
Main       doubts, counts_rows.
"""

import numpy as np

from verify.arrays import Array
from verify.data.moments import Moments
from verify.data.selected import Places, blocks

CARRIES = 0.9  # of the variance in one column
FILL = 1e6  # times the rest
_CODES = (-9999.0, -999.0, -99999.0, -999999.0, 9999.0, 99999.0, 999999.0)  # that people write for a missing value
_LABELS = ("target", "label", "labels", "class", "y")  # as a column of classes is called, mostly
_FEWEST_COUNTED = 3  # rows whose numbers, one after the other, are no chance
_GREY_COLUMNS = 16  # fewer are no image


def doubts(raw: Array, moments: Moments, places: Places, *, image: bool, divided: bool) -> list[str]:
    """Sentences on rows (N, n) before they are preprocessed.

    image: whether a row is known to be one, of which some pixels never change. divided: whether a scale or
    standardizing will see to the sizes of the columns.
    """
    fills = _fills(raw, moments, places)
    found = _counting(raw) + _rows_counted(raw, places) + _labels(moments, places) + fills
    grey = _grey(raw, moments)
    if grey and not divided:
        found.append(
            "the values are whole numbers from 0 to 255, as grey levels are: sigma2 counts in squared grey levels; "
            "--scale 255 divides them"
        )
    if not (divided or grey or fills):
        found += _carrying(moments, places)
    if not image and not grey:
        found += _constant(moments, places) + _equal(raw, moments, places)
    return found


def _counting(raw: Array) -> list[str]:
    """Column numbers as a header cannot be told from data, and as data they are an outlier."""
    n = int(raw.shape[1])
    first = np.asarray(raw[0:1])[0]
    if n > 2 and any(np.array_equal(first, np.arange(n) + start) for start in (0, 1)):
        return ["the first row counts the columns and was taken as data; delete it if it is a header"]
    return []


def _rows_counted(raw: Array, places: Places) -> list[str]:
    """An index that was saved with the rows: in an array it cannot be told from data."""
    first = counts_rows(raw)
    if first is None or raw.shape[1] == 1:
        return []
    return [
        f"{places.column(0)} counts the rows from {first} and was taken as data; leave it out with --drop "
        f"{places.number(0)} if it is an index"
    ]


def counts_rows(raw: Array) -> int | None:
    """From which number, 0 or 1, the first column of rows (N, n) counts them; None if it does not."""
    N = int(raw.shape[0])
    first = float(np.asarray(raw[0:1])[0, 0])
    if N < _FEWEST_COUNTED or first not in (0.0, 1.0):
        return None
    counted = all(
        np.array_equal(block[:, 0], first + np.arange(start, start + len(block))) for start, block in blocks(raw)
    )
    return int(first) if counted else None


def _labels(moments: Moments, places: Places) -> list[str]:
    """A column of classes beside what is to be modelled, by its name and its few whole numbers."""
    sample = moments.sample
    return [
        f"{places.column(j)} looks like a label and was taken as data; leave it out with --drop {places.name(j)} if it "
        "is one"
        for j in range(moments.n)
        if places.name(j).lower() in _LABELS
        and np.array_equal(np.floor(sample[:, j]), sample[:, j])
        and len(np.unique(sample[:, j])) <= max(2, len(sample) // 10)
    ]


def _carrying(moments: Moments, places: Places) -> list[str]:
    variance = moments.variance
    total, largest = float(variance.sum()), int(np.argmax(variance))
    varying = int((variance > 0).sum())
    if varying < 2 or not np.isfinite(total) or variance[largest] <= CARRIES * total:
        return []
    share = 100 * variance[largest] / total
    shown = f"{share:.1f}" if share < 99.95 else "more than 99.9"
    return [
        f"{places.column(largest)} carries {shown}% of the variance: the first direction is that column, in its units; "
        "--standardize gives every column variance 1"
    ]


def _grey(raw: Array, moments: Moments) -> bool:
    """Whether all values are whole numbers from 0 to 255, and some of them large."""
    if raw.shape[1] < _GREY_COLUMNS or moments.low.min() != 0 or not 128 <= moments.high.max() <= 255:
        return False
    if raw.dtype.kind in "biu":
        return True
    return all(np.array_equal(np.floor(block), block) for _, block in blocks(raw))


def _fills(raw: Array, moments: Moments, places: Places) -> list[str]:
    """An entry that is 1e6 times the rest of its column, or a number that people write for a missing value."""
    if raw.dtype.kind == "b" or (raw.dtype.kind in "iu" and raw.dtype.itemsize == 1):
        return []
    sizes = np.abs(moments.sample)
    with np.errstate(invalid="ignore", over="ignore"):
        middle = np.median(sizes, axis=0)
        typical = np.where(middle > 0, middle, np.sqrt((sizes**2).mean(axis=0)))
        largest = np.maximum(np.abs(moments.low), np.abs(moments.high))
        coded = np.isin(moments.low, _CODES) | np.isin(moments.high, _CODES)
        suspicious = np.flatnonzero((largest > FILL * typical) | coded)
    if not suspicious.size:
        return []
    extreme = np.where(np.abs(moments.low) >= np.abs(moments.high), moments.low, moments.high)[suspicious]
    rest, times = np.zeros(len(suspicious)), np.zeros(len(suspicious), dtype=int)
    first: dict[int, int] = {}
    for start, block in blocks(raw):
        part = block[:, suspicious].astype(np.float64)
        there = part == extreme
        times += there.sum(axis=0)
        rest = np.maximum(rest, np.where(there, 0.0, np.abs(part)).max(axis=0))
        for place in np.flatnonzero(there.any(axis=0)).tolist():
            first.setdefault(place, start + int(np.argmax(there[:, place])))
    found = []
    for j, column in enumerate(suspicious.tolist()):
        code = extreme[j] in _CODES and rest[j] < abs(extreme[j]) / 3
        if (abs(extreme[j]) > FILL * rest[j] > 0) or (code and rest[j] > 0):
            much = f"{times[j]} times, " if times[j] > 1 else ""
            found.append(
                f"{places.column(column)} holds {extreme[j]:g} ({much}first at {places.row(first[j])}), the rest of "
                f"it at most {rest[j]:.3g} in size: if it stands for a missing value, write NaN in its place "
                "and choose with --missing"
            )
    more = len(found) - 3
    return found[:3] + ([f"so do {more} more columns"] if more > 0 else [])


def _constant(moments: Moments, places: Places) -> list[str]:
    which = np.flatnonzero(moments.low == moments.high)
    if not which.size or which.size == moments.n:
        return []
    of_each = "its eigenvalue is" if which.size == 1 else "an eigenvalue each is"
    return [f"{places.columns(which, moments.n)} constant; {of_each} 0"]


def _equal(raw: Array, moments: Moments, places: Places) -> list[str]:
    """Columns that are the same in every row, in groups of their moments."""
    groups: dict[tuple[float, ...], list[int]] = {}
    for j in np.flatnonzero(moments.low < moments.high):
        key = (moments.mean[j], moments.variance[j], moments.low[j], moments.high[j])
        groups.setdefault(tuple(map(float, key)), []).append(int(j))
    twins = [(group[0], j) for group in groups.values() for j in group[1:]]
    if not twins:
        return []
    first, second = (np.array(side) for side in zip(*twins, strict=True))
    same = np.ones(len(twins), dtype=bool)
    for _, block in blocks(raw):
        same &= (block[:, first] == block[:, second]).all(axis=0)
    pairs = [pair for pair, equal in zip(twins, same, strict=True) if equal]
    said = [f"{places.column(b)} equals {places.column(a)} in every row" for a, b in pairs[:3]]
    return said + ([f"so do {len(pairs) - 3} more pairs of columns"] if len(pairs) > 3 else [])
