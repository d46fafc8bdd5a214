"""Which noise keeps how many latents: the result of `stability`, from data to object.

Notation   lam_j eigenvalues of the covariance; k latents; sigma2 the noise; beta the weight of the KL.
Main       stability -> StabilityResult; recommended_noise.
Reference  theory 1.5, 3.9, 8; reports/schema/stability.json.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Unpack

from verify.analysis.scales import compared, latents_of
from verify.analysis.stability import stability as stability_document
from verify.arrays import Array
from verify.data.sources import Options
from verify.errors import InputError
from verify.keywords import in_python, speaking_python
from verify.landscape.stability import recommended_noise as noise_to_start
from verify.landscape.weighted import PLAIN, usable_weight
from verify.results.base import Document, Result, frame_of
from verify.results.inputs import covariance_of
from verify.words.certified import asked
from verify.words.stability import said
from verify.words.tables import Blocks

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class StabilityResult(Result):
    """What the optimum retains at each noise, and the noises at which latents collapse."""

    row = "noise"
    n: int
    k: int
    N: int | None
    rank: int
    beta: float
    eigenvalues: Array
    resolution: Array | None
    sigma2_mle: float | None
    sigma2_learned: float | None
    recommended_sigma2: float | None
    noise: list[Document]
    thresholds: list[Document]
    suggested_k: int | None

    def said(self) -> Blocks:
        """The verdict, the noises, the thresholds."""
        return said(self._document)

    def records(self) -> list[Document]:
        """One row for each noise."""
        return self.noise

    def to_frame(self, rows: str = "noise") -> Any:
        """The rows as a DataFrame of pandas: one for each "noise", or with "thresholds" one for each latent.

        Raises InputError: other words, no pandas.
        """
        if rows == "noise":
            return super().to_frame()
        if rows != "thresholds":
            raise InputError(f"rows = {str(rows)[:40]!r}: give 'noise' or 'thresholds'")
        shown = ("eigenvalue", "sigma2", *(("radius",) if asked(self._document) else ()), "standard_error")
        return frame_of([{name: row[name] for name in shown} for row in self.thresholds], "latent").astype(float)

    def draw(self, axes: "Axes") -> None:
        """Latents retained over the noise."""
        from verify.pictures.retained import draw

        draw(axes, self._document)


def stability(
    data: Any,
    k: int,
    sigma2: float | Iterable[float] | None = None,
    *,
    beta: float = PLAIN,
    certify: bool = False,
    **options: Unpack[Options],
) -> StabilityResult:
    """Which latents the optimum keeps at each noise, and where each collapses (theory 1.5, 3.9).

    data: whatever `load` takes, with its options, or what it returned.  sigma2: one noise or several; None: a range.
    certify: tell of each number whether it is proved, in exact arithmetic for these very data.  Raises InputError.
    """
    with speaking_python():
        noises = None if sigma2 is None else _several(sigma2)
        covariance = covariance_of(data, compared(noises, beta), **options)
        document = stability_document(covariance, k, noises, beta=beta, certify=certify)
    return StabilityResult(document | {"notes": [in_python(note) for note in document["notes"]]})


def recommended_noise(data: Any, k: int, *, beta: float = PLAIN, **options: Unpack[Options]) -> float | None:
    """A noise to start from that keeps all k latents; None where the data have fewer than k directions.

    The maximum-likelihood noise of k latents where it keeps them (over beta), else half of lam_k.  Raises InputError.
    """
    with speaking_python():
        covariance = covariance_of(data, **options)
        return noise_to_start(covariance.spectrum, latents_of(covariance, k), usable_weight(beta))


def _several(sigma2: Any) -> list[Any]:
    """One noise, or all of them, as a list."""
    return list(sigma2) if isinstance(sigma2, Iterable) and not isinstance(sigma2, str) else [sigma2]
