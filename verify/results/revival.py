"""What linear latents would add to a VAE that is left as it is: the result of `revival`.

Notation   x (N, n) the data; xhat (N, n) the mean of the decoder over q(z|x); s the noise that counts; rho_j the
           eigenvalues of the covariance of x - xhat.
Main       revival -> RevivalResult.
Reference  theory 6.1; verify/landscape/revival.py.
"""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from verify.arrays import Array
from verify.checks import positive_noise, whole_number
from verify.data.covariance import covariance
from verify.data.files.objects import to_array
from verify.data.sources import Options, load_rows
from verify.data.writing import write_npz
from verify.errors import InputError, about
from verify.keywords import speaking_python
from verify.landscape.revival import Escape, direction_nats, escape, shift_nats
from verify.landscape.weighted import PLAIN, effective_noise, usable_weight
from verify.results.base import Document, Result
from verify.words.revival import AT_MEANS, said
from verify.words.tables import Blocks

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class RevivalResult(Result):
    """The directions of the mean residual that exceed the noise, the nats that latents along them would add."""

    row = "direction"
    n: int
    N: int
    sigma2: float
    beta: float
    eigenvalues: Array
    directions: int
    nats: float
    bias_nats: float

    def __init__(self, document: Document, added: Escape):
        super().__init__(document)
        self._escape = added

    @property
    def escape(self) -> Escape:
        """The latents to add: U (n, m), V (m, n), D (m,), b (n,), center (n,); encode(residuals) -> (N, m)."""
        return self._escape

    def save_escape(self, path: str | PathLike[str]) -> None:
        """These arrays as a file .npz.  Raises InputError."""
        write_npz(Path(path), **self._escape.arrays())

    def said(self) -> Blocks:
        """The verdict, and the directions."""
        return said(self._document)

    def records(self) -> list[Document]:
        """One row for each direction."""
        rho, s = self.eigenvalues, effective_noise(self.sigma2, self.beta)
        return [{"eigenvalue": float(r), "nats": float(direction_nats(r, s))} for r in rho]

    def draw(self, axes: "Axes") -> None:
        """What each direction would add, largest first."""
        from verify.pictures.said_and_unsaid import alone

        alone(axes, self._document["eigenvalues"], float(effective_noise(self.sigma2, self.beta)))


def revival(
    data: Any,
    reconstructions: Any,
    sigma2: float,
    *,
    beta: float = PLAIN,
    latents: int | None = None,
    **options: Unpack[Options],
) -> RevivalResult:
    """What linear latents would add to the ELBO of a VAE that is left as it is, and these latents (theory 6.1).

    data: the rows (N, n) as the model saw them, whatever `load` takes, with its options.  reconstructions (N, n): the
    decoder's mean over q(z|x), or at the mean of z.  sigma2, beta: the noise and the weight of the KL that were trained
    with.  latents: add at most so many; None: all that pay.  Raises InputError.
    """
    with speaking_python():
        s = positive_noise(effective_noise(positive_noise(sigma2), usable_weight(beta)))
        if latents is not None and whole_number(latents, "latents") < 0:
            raise InputError(f"latents = {latents}: add none or more")
        x = load_rows(data, **options).array()
        try:
            xhat = to_array(reconstructions)
        except InputError as error:
            raise about("reconstructions", error) from None
        if xhat.size != x.size or len(xhat) != len(x):
            raise InputError(
                f"reconstructions have shape {xhat.shape}, the data {x.shape}; both must be of the same rows"
            )
        try:
            residuals = covariance(x - xhat.reshape(x.shape).astype(np.float64), noises=[s])
        except InputError as error:
            raise about("data - reconstructions", error) from None
    added = escape(residuals, s, latents)
    rho = residuals.eigenvalues[: added.latents]
    bias = shift_nats(added.b, s)
    document = {
        "N": len(x),
        "n": x.shape[1],
        "sigma2": float(sigma2),
        "beta": float(beta),
        "eigenvalues": rho.tolist(),
        "directions": int((residuals.eigenvalues > s).sum()),
        "nats": float(direction_nats(rho, s).sum()) + bias,
        "bias_nats": bias,
        "notes": [AT_MEANS],
    }
    return RevivalResult(document, added)
