"""All stationary points, best first, and how saddles escape: the result of `stationary_points`.

Notation   k latents; sigma2 the noise, None where it is learned; beta the weight of the KL.
Main       stationary_points -> StationaryResult.
Reference  theory 1.2-3.8; reports/schema/stationary.json.
"""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from verify.analysis.scales import compared
from verify.analysis.stationary import save_points, saved
from verify.analysis.stationary import stationary as stationary_document
from verify.arrays import Array
from verify.data.covariance import Covariance
from verify.data.sources import Options
from verify.keywords import in_python, speaking_python
from verify.landscape.points import Point
from verify.landscape.weighted import PLAIN
from verify.results.base import Document, Result
from verify.results.inputs import covariance_of
from verify.words.numerals import weight
from verify.words.stationary import said
from verify.words.tables import Blocks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHOWN = (
    "value",
    "deficit",
    "sigma2",
    "bound_gap",
    "index",
    "nullity",
    "gauge",
    "kind",
    "strict",
    "global",
    "retained",
)


class StationaryResult(Result):
    """The stationary points of the likelihood, or of the ELBO, best first; their weights as arrays."""

    row = "point"
    n: int
    k: int
    sigma2: float | None
    beta: float
    objective: str
    count: int | None
    truncated: bool | None
    points: list[Document]

    def __init__(self, document: Document, points: Sequence[Point], covariance: Covariance):
        super().__init__(document)
        self._points, self._covariance = points, covariance

    def arrays(self) -> dict[str, Array]:
        """W (P, n, k), V (P, k, n), D (P, k), sigma2 (P,), eigenvectors (n, n) of the P points listed.

        In their order, in the coordinates of the data.  Raises InputError where that is too large.
        """
        with speaking_python():
            return saved(self._points, self._covariance, weight(self._document))

    def save(self, path: str | PathLike[str]) -> None:
        """These arrays as a file .npz.  Raises InputError."""
        with speaking_python():
            save_points(Path(path), self._points, self._covariance, weight(self._document))

    def said(self) -> Blocks:
        """The verdict, the points, and what the columns mean."""
        return said(self._document)

    def records(self) -> list[Document]:
        """One row for each point; rate and escape: how fast the objective rises, and which way."""
        return [
            {**{name: point[name] for name in _SHOWN}, **_escape(point["escape"]), **_certified(point)}
            for point in self.points
        ]

    def draw(self, axes: "Axes") -> None:
        """The value of each point over the number of directions in which it rises."""
        from verify.pictures.index_and_value import draw

        draw(axes, self._document)


def _certified(point: Document) -> Document:
    """Whether it is, and why not, where that was asked."""
    if "certified" not in point:
        return {}
    return {"certified": point["certified"]["status"], "why": point["certified"]["why"]}


def _escape(escape: Document | None) -> Document:
    if escape is None:
        return {"rate": None, "escape": None}
    return {"rate": escape["rate"], "escape": escape["direction"]["type"]}


def stationary_points(
    data: Any,
    k: int,
    sigma2: float | None,
    *,
    objective: str = "ppca",
    beta: float = PLAIN,
    top: int | None = None,
    certify: bool = False,
    **options: Unpack[Options],
) -> StationaryResult:
    """The stationary points of the likelihood ("ppca") or the ELBO ("elbo"), best first (theory 1.2-3.8).

    data: whatever `load` takes, with its options, or what it returned.  sigma2: the noise; None: learned.  beta: the
    weight of the KL, of the ELBO at a fixed noise.  top: list so many; None: all if few, else 20.  At learned noise
    they are searched for, best first, and counted if that ends soon (the command walks all index sets).  certify: tell
    of each whether its index and kind are proved, in exact arithmetic for these very data.

    Raises InputError.
    """
    with speaking_python():
        covariance = covariance_of(data, compared([] if sigma2 is None else [sigma2], beta), **options)
        document, points = stationary_document(
            covariance, k, sigma2=sigma2, objective=objective, top=top, beta=beta, certify=certify
        )
    notes = [in_python(note) for note in document["notes"]]
    return StationaryResult(document | {"notes": notes}, points, covariance)
