"""The noise above which collapse is the optimum of every decoder: the result of `collapse_threshold`.

Notation   y (N, n) centred rows; lam_1 the largest eigenvalue of their covariance; t (n,) any vector;
           s* = sup_t 2 log mean exp <y, t>/|t|^2 >= lam_1.
Main       collapse_threshold -> ThresholdResult.
Reference  theory 6.2; verify/landscape/any_decoder.py.
"""

from fractions import Fraction
from math import inf, nextafter
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

import numpy as np

from verify.arrays import Array
from verify.certify.checker.certificate import KINDS
from verify.certify.checker.numbers import exact
from verify.certify.checker.outcome import Status
from verify.certify.checker.subject import Subject
from verify.certify.propose import decoder as propose
from verify.certify.subjects import of_rows
from verify.certify.verdict import certificate
from verify.data.sources import Options, load_rows
from verify.keywords import in_python, speaking_python
from verify.landscape.any_decoder import Witness, lower_bound, proxy
from verify.results.base import Document, Result
from verify.words.tables import Blocks
from verify.words.threshold import notes, said

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The witness is drawn at so many lengths, from a part of it to a multiple.
_LENGTHS = np.linspace(0.05, 3.0, 60)


class ThresholdResult(Result):
    """Between which noises the threshold of every decoder lies, and a vector that proves the lower one."""

    row = "length"
    N: int
    n: int
    lam_1: float
    lower: float
    upper: float
    data: float

    certified: bool

    def __init__(self, document: Document, witness: Witness, certificate: "_Certificate | None" = None):
        super().__init__(document)
        self._witness, self._certificate = witness, certificate

    @property
    def witness(self) -> Witness:
        """t (n,) and its value; witness.check(rows) computes the value again from the rows alone."""
        return self._witness

    @property
    def certificate(self) -> Document | None:
        """What `elbo-verify certify --check` reads: the bounds and their evidence; None without certify, or a proof."""
        return None if self._certificate is None else self._certificate.document

    def said(self) -> Blocks:
        """Below which noise some decoder gains by its latents, and above which none does."""
        return said(self._document)

    def records(self) -> list[Document]:
        """The quotient along the witness, one row for each length."""
        rows: list[Document] = self._document["along"]
        return [dict(row) for row in rows]

    def draw(self, axes: "Axes") -> None:
        """The quotient along the witness, between the threshold of the linear VAE and the upper bound."""
        from verify.pictures.along_witness import draw

        draw(axes, self._document)


def collapse_threshold(
    data: Any, *, random: int = 16, certify: bool = False, **options: Unpack[Options]
) -> ThresholdResult:
    """The noise above which total collapse is the optimum of every decoder, however deep: bounds (theory 6.2).

    Below `lower` a decoder gains by leaving collapse, and `witness` proves it; above `upper` none does, in exact
    arithmetic; between lam_1 and `lower` a linear VAE collapses and a deeper one need not.

    data: rows, whatever `load` takes, with its options (a bare spectrum does not tell it).  random: further starts of
    the search, which `seed` makes the same each time.  certify: a closer upper bound, proved beyond rounding, and a
    proof of the lower one; `certificate` holds both. Seconds for small tables, minutes for some thousand rows; it needs
    python-flint.  Raises InputError.
    """
    with speaking_python():
        rows = load_rows(data, **options)
        covariance = rows.covariance()
        found = lower_bound(rows.blocks, covariance, seed=options.get("seed", 0), random=random)
        along = _along(rows.array(), found.t, found.lam_1 if found.limit else None)
        proof = _proved(of_rows(rows), found) if certify else None
        told = [in_python(str(note)) for note in rows.provenance.get("notes", [])]
    document = {
        "N": rows.shape[0],
        "n": rows.shape[1],
        "lam_1": found.lam_1,
        "lower": found.value,
        "upper": found.upper if proof is None else proof.upper,
        "certified": proof is not None,
        "limit": found.limit,
        "data": found.data,
        "along": along,
    }
    return ThresholdResult(document | {"notes": [*told, *notes(document)]}, found, proof)


class _Certificate(NamedTuple):
    document: Document
    upper: float


def _proved(subject: Subject, found: Witness) -> _Certificate | None:
    with propose.threads(subject):
        return _certificate(subject, found)


def _certificate(subject: Subject, found: Witness) -> _Certificate | None:
    """The bounds as statements that the checker proves; None where it proves no upper one."""
    above = propose.tightest(subject, found.value)
    if above is None:
        return None
    # A witness that is as long as it is exact loses its last digits to rounding.
    below = propose.witness(subject, Fraction(found.value * (1 - 1e-9)), found.t)
    proved = [one for one in (below, above) if KINDS[one["kind"]](one, subject).status is Status.PROVED]
    level = exact(above["level"])
    return _Certificate(certificate(subject, proved), float(level) if float(level) >= level else nextafter(level, inf))


def _along(x: Array, t: Array, lam_1: float | None) -> list[Document]:
    """The quotient at multiples of the witness; of a limit towards t = 0, at lengths of a standard deviation."""
    unit = t if lam_1 is None else t / np.sqrt(lam_1)
    quotients = proxy(x, unit[:, None] * _LENGTHS)
    return [{"length": float(r), "quotient": float(q)} for r, q in zip(_LENGTHS, quotients, strict=True)]
