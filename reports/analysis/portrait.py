"""A portrait of the data: their mean, their leading axes, and what is left of a few of them at each noise.

Notation   x (n,) a datum as the model sees it; mean (n,); lam_j, u_j eigenvalues and eigenvectors of S; k latents;
           s the noise, beta sigma2 with a weight beta of the KL; q = min(k, #{lam_j > s}) latents retained; p places
           that are shown: all pixels of an image, or the listed columns of a table; r examples; m axes.
Main       portrait; reconstruct, mean_squared_error; image_of, places_of, names_of, axis_of, spread_over, its parts.
Reference  theory 1.5 and 3.3; Lucas et al. 2019, Eqs. 6 and 21.

At the optimum W = U_q (Lam_q - s)^{1/2} the decoder, put at the mean of the encoder, gives back

    xhat = mean + W M^-1 W^T (x - mean) = mean + sum_{j <= q} (1 - s / lam_j) u_j u_j^T (x - mean):

each axis shrunk, and gone where lam_j <= s.  Nothing jumps there, so a noise within rounding of an eigenvalue needs no
care.  Everything is in the space of the model and in the units of the data that it sees, variances in their squares.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.analysis.scales import latents_of
from verify.arrays import Array
from verify.checks import positive_noise
from verify.data.covariance import Covariance
from verify.data.files.stacks import CHANNELS_FIRST
from verify.errors import InputError
from verify.landscape.weighted import PLAIN, effective_noise

Document = dict[str, Any]

EXAMPLES = 6
GOLDEN = (math.sqrt(5) - 1) / 2
# Of a table so many columns are shown one by one; of a wider one, those of the largest variance.
NARROW, LISTED = 64, 24
# Loadings are named for so many axes of a table, the largest ones of each.
NAMED_AXES, LOADINGS = 24, 12
# Numbers in one array: 350 kB of a page, at two bytes each and in base64.
LARGEST_ARRAY = 1 << 17


def portrait(
    covariance: Covariance, k: int, noises: Sequence[float] = (), beta: float = PLAIN
) -> tuple[Document, dict[str, Array]] | None:
    """What a page needs to draw the data, by one more pass over them; None: no rows that could be read again.

    Arrays: mean (p,), axes (p, m), examples (r, p), coordinates (r, m) = (x - mean)^T u_j, and with all retained axes,
    also those beyond m, reconstructions (len(noises), r, p).  The document (indices from 1):

        kind         "image" or "table"
        image        [height, width, channels], the order of the p values of an image here, whatever it is in the rows;
                     null for a table
        latents      min(k, rank): so many could be retained;  shown: m, fewer where the axes would be too large
        rows         numbers of the examples in their source, spread over the data (`mnist:1000`: as drawn)
        display      "transform": "none", or "logit" with its "alpha": drawn after they were taken back to [0, 1];
                     "low", "high": what is drawn black and white, the range of the data or [0, 1]
        axes         m times: eigenvalue; largest: max_i |u_ij| over all columns, the symmetric range of an eigen-image;
                     loadings: of the first 24 axes of a table, the up to 12 entries largest in size {column, name,
                     value}, largest first
        columns      of a table: {column, name, mean, deviation} of the p that are shown, in the data's order: all of
                     up to 64, else the 24 of largest variance; null for images
        at           for each of the noises: sigma2, mean_squared_error over all data, per datum

    Raises InputError: k, a noise, a shape of images that is not that of the rows.
    """
    k = latents_of(covariance, k)
    noises = [positive_noise(s) for s in noises]
    image = image_of(covariance)
    if covariance.source is None or covariance.mean is None:
        return None
    lam, latents = covariance.eigenvalues, min(k, covariance.rank)
    seen, U = _seen(covariance, spread_over(covariance, image)), covariance.leading(latents)
    places = places_of(covariance, image) if image else _listed(seen.variance)
    m = min(latents, max(1, LARGEST_ARRAY // len(places)))
    mean, axes, coordinates = covariance.mean[places], U[places], (seen.examples - covariance.mean) @ U
    compared = [effective_noise(sigma2, beta) for sigma2 in noises]
    again = [reconstruct(mean, axes, coordinates, lam, s, k) for s in compared]
    arrays = {
        "mean": mean,
        "axes": axes[:, :m],
        "examples": seen.examples[:, places],
        "coordinates": coordinates[:, :m],
        "reconstructions": np.array(again).reshape(len(noises), len(seen.rows), len(places)),
    }
    names = None if image else names_of(covariance)
    document: Document = {
        "kind": "image" if image else "table",
        "image": image,
        "latents": latents,
        "shown": m,
        "rows": [int(row if covariance.places is None else covariance.places[row]) + 1 for row in seen.rows],
        "display": _display(covariance, seen, places),
        "axes": [axis_of(U[:, j], lam[j], names if j < NAMED_AXES else None) for j in range(m)],
        "columns": None if names is None else [_column(i, names, seen) for i in places.tolist()],
        "at": [
            {"sigma2": sigma2, "mean_squared_error": mean_squared_error(lam, s, k)}
            for sigma2, s in zip(noises, compared, strict=True)
        ],
    }
    return document, arrays


def retained(lam: Array, s: float, k: int) -> int:
    """q = min(k, #{lam_j > s}).  lam (n,) descending."""
    return min(k, int(np.count_nonzero(lam > s)))


def reconstruct(mean: Array, axes: Array, coordinates: Array, lam: Array, s: float, k: int) -> Array:
    """mean + sum_{j <= q} (1 - s/lam_j) c_j u_j, of as many of these axes as there are.

    mean (p,), axes (p, m), coordinates c (r, m), lam (n,) descending -> (r, p).
    """
    q = min(retained(lam, s, k), axes.shape[1])
    kept = (lam[:q] - s) / lam[:q]
    return np.asarray(mean + (coordinates[:, :q] * kept) @ axes[:, :q].T)


def mean_squared_error(lam: Array, s: float, k: int) -> float:
    """1/N sum |x - xhat|^2 = sum_{j <= q} s^2/lam_j + sum_{j > q} lam_j over all data, per datum.  lam (n,)."""
    q = retained(lam, s, k)
    return math.fsum([*(s * (s / lam[:q])), *lam[q:]])  # s^2 could overflow


@dataclass(frozen=True)
class _Seen:
    """Of one pass: examples (r, n) with their row numbers from 0; of each column (n,) mean, variance and range."""

    rows: list[int]
    examples: Array
    mean: Array
    variance: Array
    low: Array
    high: Array


def _seen(covariance: Covariance, rows: list[int]) -> _Seen:
    """One pass over the data that keeps the rows of these numbers, ascending."""
    source, mean, N = covariance.source, covariance.mean, covariance.N
    assert source is not None and mean is not None and N is not None
    n, C = covariance.n, source.divisor
    examples, variance = np.empty((len(rows), n)), np.zeros(n)
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    start = 0
    for block in source.blocks_again():
        for part in _parts(block):
            X = np.asarray(part, dtype=np.float64) / C
            low, high = np.minimum(low, X.min(axis=0)), np.maximum(high, X.max(axis=0))
            for place, row in enumerate(rows):
                if start <= row < start + len(X):
                    examples[place] = X[row - start]
            # Before the square, so that a sum of N squares is no larger than the variance.
            variance += np.square((X - mean) / math.sqrt(N)).sum(axis=0)
            start += len(X)
    # What rounding leaves of a constant is no deviation.
    return _Seen(rows, examples, mean, np.where(low < high, variance, 0.0), low, high)


def _parts(block: Array) -> list[Array]:
    """A block (b, n) in pieces that are small beside it: a whole matrix is one block, of any type."""
    height = max(1, (1 << 20) // block.shape[1])
    return [block[i : i + height] for i in range(0, len(block), height)]


def spread_over(covariance: Covariance, image: list[int] | None) -> list[int]:
    """Numbers of the rows that are shown, ascending from 0, spread over all N rows by the golden ratio.

    Equal steps would fall in with rows that come in turns, one of each class say, and show one class again and again.
    """
    assert covariance.N is not None
    r = min(EXAMPLES, covariance.N, max(1, LARGEST_ARRAY // covariance.n) if image else EXAMPLES)
    spread = sorted({int(covariance.N * ((0.5 + i * GOLDEN) % 1)) for i in range(r)})
    return spread if len(spread) == r else list(range(r))


def image_of(covariance: Covariance) -> list[int] | None:
    """[height, width, channels], where the rows are images.  Raises InputError where their length is another."""
    image = covariance.provenance.get("image")
    if image is None:
        return None
    if len(image) != 3 or image[2] not in (1, 3) or math.prod(image) != covariance.n:
        raise InputError(
            f"image {image}: a row has {covariance.n} values; give height, width and 1 or 3 channels, whose product "
            "that is"
        )
    return [int(length) for length in image]


def places_of(covariance: Covariance, image: list[int]) -> Array:
    """Of each value of an image, by height, width and channel, its place in a row."""
    height, width, channels = image
    places = np.arange(covariance.n)
    if covariance.provenance.get("image_order") == CHANNELS_FIRST:
        return places.reshape(channels, height, width).transpose(1, 2, 0).ravel()
    return places


def names_of(covariance: Covariance) -> list[str]:
    """What the n columns are called; "column 3", the number in the source, where nothing says so."""
    told = covariance.provenance.get("columns") or []
    told = told if len(told) == covariance.n else [""] * covariance.n
    numbers = covariance.provenance.get("column_numbers") or range(1, covariance.n + 1)
    return [name or f"column {i}" for i, name in zip(numbers, told, strict=True)]


def axis_of(u: Array, eigenvalue: float, names: list[str] | None) -> Document:
    """An axis u (n,), with its largest entries where the columns have names (see portrait)."""
    order: list[int] = [] if names is None else np.argsort(-np.abs(u), kind="stable")[:LOADINGS].tolist()
    return {
        "eigenvalue": float(eigenvalue),
        "largest": float(np.abs(u).max()),
        "loadings": [{"column": i + 1, "name": names[i], "value": float(u[i])} for i in order if names and u[i] != 0],
    }


def _column(i: int, names: list[str], seen: _Seen) -> Document:
    mean, deviation = float(seen.mean[i]), math.sqrt(seen.variance[i])
    return {"column": i + 1, "name": names[i], "mean": mean, "deviation": deviation}


def _listed(variance: Array) -> Array:
    """The columns of a table that are shown, ascending from 0."""
    if len(variance) <= NARROW:
        return np.arange(len(variance))
    # Stable, so that of equal ones the first are shown.
    return np.sort(np.argsort(-variance, kind="stable")[:LISTED])


def _display(covariance: Covariance, seen: _Seen, places: Array) -> Document:
    """How values are drawn (see portrait)."""
    alpha = covariance.provenance.get("preprocessing", {}).get("logit")
    if alpha is not None:
        return {"transform": "logit", "alpha": float(alpha), "low": 0.0, "high": 1.0}
    low, high = float(seen.low[places].min()), float(seen.high[places].max())
    return {"transform": "none", "alpha": None, "low": low, "high": high}
