"""Which latents of an encoder collapsed: the result of `collapse`, from arrays or a file to an object.

Notation   mu, logvar (N, k): mean and log variance of q(z|x) for each datum.
Main       collapse -> CollapseResult.
Reference  theory 3.11, 6.4; reports/schema/collapse.json.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from verify.analysis.collapse import Proportion, collapse_document
from verify.analysis.latents_in_memory import given_latents
from verify.arrays import Array
from verify.keywords import in_python, speaking_python
from verify.landscape.collapse import DELTA
from verify.results.base import Document, Result, latents
from verify.words.collapse import said
from verify.words.tables import Blocks

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class CollapseResult(Result):
    """(epsilon, delta)-collapse, KL, active units and second moments of an encoder."""

    row = "latent"
    N: int
    k: int
    delta: float
    epsilon: float
    collapsed_percent: float
    collapsed: Array
    curve: list[Document]
    kl_total: float
    kl: Array
    active_units: int
    second_moment: Array

    def said(self) -> Blocks:
        """The verdict, collapse over epsilon, the latents that say least."""
        return said(self._document)

    def records(self) -> list[Document]:
        """One row for each latent."""
        return latents(self._document)

    def draw(self, axes: "Axes") -> None:
        """The KL of each latent, largest first."""
        from verify.pictures.kl_of_latents import draw

        draw(axes, self._document)


def collapse(
    mu: Any,
    logvar: Any = None,
    *,
    var: Any = None,
    std: Any = None,
    epsilon: float | Iterable[float] | None = None,
    delta: Proportion = DELTA,
) -> CollapseResult:
    """Which latents of an encoder say nothing of the data, from its means and variances (N, k).

    mu with one of logvar, var or std: arrays, tensors or DataFrames.  Or mu alone: a dictionary of both by name, or the
    name of a file that holds both.  epsilon: nats below which a latent says nothing of a datum, one or several; None:
    those of the paper's figures.  delta: the share of data of which a collapsed latent may say more.

    Raises InputError.
    """
    with speaking_python():
        latents = given_latents(mu, logvar=logvar, var=var, std=std)
        epsilons = [epsilon] if isinstance(epsilon, str) or not isinstance(epsilon, Iterable | None) else epsilon
        document = collapse_document(latents.mu, latents.logvar, epsilons, delta, latents.notes)
    return CollapseResult(document | {"notes": [in_python(note) for note in document["notes"]]})
