"""What the reader of a result should know of rows that were taken as they are: nothing is changed, it is said.

Notation   n columns; of each, Moments of all rows.
Main       doubts, counts_rows.
"""

import shlex

import numpy as np

from verify.arrays import Array
from verify.data.moments import Moments
from verify.data.selected import Places, blocks

CARRIES = 0.9  # of the variance in one column
FILL = 1e6  # times the rest
ALONE = 0.5  # of a column's variance in one value
_CODES = (-9999.0, -999.0, -99999.0, -999999.0, 9999.0, 99999.0, 999999.0)  # that people write for a missing value
_LABEL = "a label"
# As such columns are called, mostly.
_ROLES = {
    **dict.fromkeys(("target", "label", "labels", "class", "y", "species", "cultivar", "group"), _LABEL),
    **dict.fromkeys(("id", "sample", "sample_id", "nr", "no"), "an identifier"),
    **dict.fromkeys(("date", "datum", "year", "jahr", "time", "timestamp"), "a date"),
}
_MOST_CLASSES = 10  # of a column that has no such name
_RARER = 0.05  # of the rows hold the rarer one of two values, else it is a mark that is sparse
_FEWEST_COUNTED = 3  # rows whose numbers, one after the other, are no chance
_FEWEST_JUDGED = 20  # rows of which one value cannot have half of the variance by chance
_GREY_COLUMNS = 16  # fewer are no image
_SAID = 3  # columns of one kind


def doubts(raw: Array, moments: Moments, places: Places, *, image: bool, divided: bool) -> list[str]:
    """Sentences on rows (N, n) before they are preprocessed.

    image: whether a row is known to be one, of which some pixels never change. divided: whether a scale or
    standardizing will see to the sizes of the columns.
    """
    fills, grey = _fills(raw, moments, places, image), _grey(raw, moments)
    roles = [] if image or grey else _no_measurements(raw, moments, places)
    found = _counting(raw) + roles + fills
    if not image and not grey:
        found += _two_valued(raw, moments, places)
    if grey and not divided:
        found.append(
            "the values are whole numbers from 0 to 255, as grey levels are: sigma2 counts in squared grey levels; "
            "--scale 255 divides them"
        )
    if not (divided or grey or fills):
        found += [said for said in _carrying(moments, places) if not any(_same_column(said, role) for role in roles)]
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


def _no_measurements(raw: Array, moments: Moments, places: Places) -> list[str]:
    """Columns that tell rows or classes apart, which were saved beside what was measured."""
    found = []
    for j in range(moments.n) if moments.n > 1 else ():
        name = places.name(j)
        named = name.lower() in _ROLES or name.lower().endswith("id")
        what = _role(raw, moments, places, j) if named or j in (0, moments.n - 1) else ""
        if what:
            found.append(_taken(places, j, what))
    return found[:_SAID]


def _taken(places: Places, j: int, what: str) -> str:
    """That a column is data, and how to leave it out."""
    name = places.name(j)
    drop = f"--drop {shlex.quote(name) if name else places.number(j)}"
    return f"{places.column(j)} {what} and was taken as data; if that is what it is, say {drop}"


def _two_valued(raw: Array, moments: Moments, places: Places) -> list[str]:
    """Columns of two whole numbers beside others: a label that was saved with the data, or one-hot codes."""
    low, high, sample = moments.low, moments.high, moments.sample
    if moments.N < _FEWEST_JUDGED or not (np.isfinite(low) & np.isfinite(high)).all():
        return []
    whole = (np.floor(low) == low) & (np.floor(high) == high)
    which = np.flatnonzero((low < high) & whole & ((sample == low) | (sample == high)).all(axis=0))
    for _, block in blocks(raw) if which.size else ():
        part = block[:, which]
        which = which[((part == low[which]) | (part == high[which])).all(axis=0)]
    if which.size == np.count_nonzero(low < high):
        return []  # such are these data
    share = (moments.mean[which] - low[which]) / (high[which] - low[which])
    which = which[np.minimum(share, 1 - share) >= _RARER]
    # Of columns that are called a label it is said already.
    unsaid = [int(j) for j in which if places.name(int(j)).lower() not in _ROLES]
    if len(unsaid) == 1:
        j = unsaid[0]
        return [_taken(places, j, f"holds {low[j]:g} and {high[j]:g} only, as a label does,")]
    return [
        f"{places.columns(unsaid, moments.n)} of two whole numbers each, as labels and one-hot codes are, and were "
        "taken as data; leave labels out with --drop"
    ] * bool(unsaid)


def _role(raw: Array, moments: Moments, places: Places, j: int) -> str:
    """What a column looks like that is not measured, "" for others."""
    values, role = moments.sample[:, j], _ROLES.get(places.name(j).lower(), "")
    if moments.low[j] == moments.high[j] or not np.array_equal(np.floor(values), values):
        return ""
    if j == 0 and (first := counts_rows(raw, anywhere=True)) is not None:
        return f"counts the rows from {first}, as an index does,"
    classes = np.unique(values)
    few = len(classes) <= max(2, len(values) // 10)
    if role and (few or role != _LABEL):
        return f"looks like {role}"
    if places.name(j).lower().endswith("id") and len(values) >= _FEWEST_COUNTED and len(classes) == len(values):
        return "looks like an identifier"
    # Classes 0, 1, 2 beside fractions.
    counted = classes[0] in (0, 1) and np.array_equal(classes, classes[0] + np.arange(len(classes)))
    rest = np.delete(moments.sample, j, axis=1)
    fractional = (np.floor(rest) != rest).any(axis=0).mean() > 0.5
    if few and counted and 2 < len(classes) <= _MOST_CLASSES and j in (0, moments.n - 1) and fractional:
        return f"holds {len(classes)} different whole numbers only, as a label does,"
    return ""


def counts_rows(raw: Array, *, anywhere: bool = False) -> int | None:
    """From which number the first column of rows (N, n) counts them: 0 or 1, or any if `anywhere`, else None."""
    N = int(raw.shape[0])
    first = float(np.asarray(raw[0:1])[0, 0])
    if N < _FEWEST_COUNTED or first != np.floor(first) or not (anywhere or first in (0.0, 1.0)):
        return None
    counted = all(
        np.array_equal(block[:, 0], first + np.arange(start, start + len(block))) for start, block in blocks(raw)
    )
    return int(first) if counted else None


def _same_column(one: str, other: str) -> bool:
    """Whether two doubts are about one column: of an index that carries the variance, that it is one is enough."""
    return one.partition(" carries ")[0] == other[: one.find(" carries ")]


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


def _fills(raw: Array, moments: Moments, places: Places, image: bool) -> list[str]:
    """An entry that is 1e6 times the rest of its column, a number that people write for a missing value, or a value
    that has most of its column's variance to itself."""
    if raw.dtype.kind == "b" or (raw.dtype.kind in "iu" and raw.dtype.itemsize == 1):
        return []
    sizes = np.abs(moments.sample)
    with np.errstate(invalid="ignore", over="ignore"):
        middle = np.nanmedian(sizes, axis=0)
        typical = np.where(middle > 0, middle, np.sqrt((sizes**2).mean(axis=0)))
        largest = np.maximum(np.abs(moments.low), np.abs(moments.high))
        codes = _codes(raw)
        coded = np.isin(moments.low, codes) | np.isin(moments.high, codes)
        apart = np.maximum(moments.high - moments.mean, moments.mean - moments.low) ** 2 / moments.N
        alone = (apart > ALONE * moments.variance) & (moments.variance > 0) & (not image)
        suspicious = np.flatnonzero((largest > FILL * typical) | coded | alone)
    if not suspicious.size:
        return []
    far = _Far(raw, moments, suspicious)
    said = [sentence for i in range(suspicious.size) if (sentence := far.said(i, moments, places, codes))]
    more = len(said) - _SAID
    return said[:_SAID] + ([f"{more} more columns hold such values"] if more > 0 else [])


def _codes(raw: Array) -> list[float]:
    """What people write for a missing value, as the type of the rows holds it."""
    if raw.dtype.kind != "f":
        return list(_CODES)
    with np.errstate(over="ignore"):
        return [float(code) for code in np.array(_CODES).astype(raw.dtype) if np.isfinite(code)]


class _Far:
    """Of the columns at `which` (m,) the values farthest from the mean: how often, where first, how far the rest."""

    def __init__(self, raw: Array, moments: Moments, which: Array) -> None:
        self.which = which
        mean, low, high = moments.mean[which], moments.low[which], moments.high[which]
        self.extreme = np.where(mean - low > high - mean, low, high)
        self.times, self.first = np.zeros(len(which), dtype=int), np.full(len(which), -1)
        self.low, self.high = np.full(len(which), np.inf), np.full(len(which), -np.inf)
        for start, block in blocks(raw):
            part = block[:, which].astype(np.float64)
            there = part == self.extreme
            new = there.any(axis=0) & (self.first < 0)
            self.first[new] = start + there.argmax(axis=0)[new]
            self.times += there.sum(axis=0)
            self.low = np.minimum(self.low, np.where(there, np.inf, part).min(axis=0))
            self.high = np.maximum(self.high, np.where(there, -np.inf, part).max(axis=0))

    def said(self, i: int, moments: Moments, places: Places, codes: list[float]) -> str:
        """What is to be said of the i-th of them, "" if nothing."""
        j, extreme, low, high = int(self.which[i]), float(self.extreme[i]), float(self.low[i]), float(self.high[i])
        size = max(abs(low), abs(high))
        if not low < high:
            return ""
        much = f"{self.times[i]} times, first " if self.times[i] > 1 else ""
        held = f"{places.column(j)} holds {extreme:g} ({much}at {places.row(int(self.first[i]))})"
        if abs(extreme) > FILL * size > 0 or (extreme in codes and 0 < size < abs(extreme) / 3):
            return (
                f"{held}, the rest of it lies from {low:.4g} to {high:.4g}: if it stands for a missing value, write "
                "NaN in its place and choose with --missing"
            )
        share = (extreme - moments.mean[j]) ** 2 / moments.N / moments.variance[j]
        low_quarter, high_quarter = np.quantile(moments.sample[:, j], (0.25, 0.75))
        if self.times[i] > 1 or moments.N < _FEWEST_JUDGED or share <= ALONE or low_quarter == high_quarter:
            return ""  # a sparse column is like that
        return f"{held}, which alone makes {share:.0%} of its variance; the rest lies from {low:.4g} to {high:.4g}"


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
    said = [f"{places.column(b)} equals {places.column(a)} in every row" for a, b in pairs[:_SAID]]
    return said + ([f"so do {len(pairs) - _SAID} more pairs of columns"] if len(pairs) > _SAID else [])
