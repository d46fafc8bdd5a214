"""What the functions of the Python face take: data of any kind, or a covariance that is there already.

Main       load, covariance_of.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Unpack

from verify.data.covariance import Covariance
from verify.data.sources import Options
from verify.data.sources import load as load_covariance
from verify.errors import InputError
from verify.keywords import in_python, speaking_python


def load(data: Any, *, noises: Iterable[float] = (), **options: Unpack[Options]) -> Covariance:
    """The covariance of data, preprocessed as asked: its eigenvalues, their error bounds, eigenvectors, notes.

    data: rows (N, n) as an array, a DataFrame, a sparse matrix or a tensor; the name of a file; digits, mnist, iris;
    or a spectrum, "eigenvalues:6,4,2.5".  noises: those that will be asked about, so that the eigenvalues are accurate
    enough to tell which exceed each.  options: scale, standardize, missing, columns, drop, logit, dequantise, seed,
    data_dir, decimal, header.  Raises InputError.
    """
    with speaking_python():
        found = load_covariance(data, noises=noises, **options)
    notes = [in_python(note) for note in found.provenance.get("notes", [])]
    return replace(found, provenance={**found.provenance, "notes": notes})


def covariance_of(data: Any, noises: Iterable[float] = (), **options: Unpack[Options]) -> Covariance:
    """The covariance itself where one is given, else that of the data.  Raises InputError."""
    if not isinstance(data, Covariance):
        return load(data, noises=noises, **options)
    if options:
        raise InputError(f"{', '.join(options)}: a covariance is given, not rows to preprocess; give this to load")
    return data
