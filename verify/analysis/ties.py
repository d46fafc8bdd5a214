"""What ties, curves and rounding mean for a list of stationary points, in sentences.

Notation   lam (n,) descending eigenvalues; sigma2 the given noise, None where it is learned; beta the weight of the KL,
           whose product with sigma2 eigenvalues are compared with; eigen-indices from 1.
Main       tied, continuum, notes.
Reference  theory 1.3-1.5, 2; verify/eigenvalues.py.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from verify.eigenvalues import Eigenvalues
from verify.landscape.stationary import curve_end
from verify.words.caveats import names
from verify.words.lists import curve_in_words, readable, tied_either_way
from verify.words.numerals import at_noise, weight

Document = dict[str, Any]


def tied(spectrum: Eigenvalues, effective: float | None) -> list[int]:
    """The eigen-indices that beta sigma2 equals, or cannot be told from."""
    if effective is None:
        return []
    at = spectrum.position(effective)
    return list(range(at.above + 1, at.above + at.level + 1))


def continuum(spectrum: Eigenvalues, k: int, sigma2: float | None) -> Document | None:
    """The curve of maxima at k = n and learned noise, None where there is none (stationary.py)."""
    if sigma2 is not None or curve_end(spectrum, k) is None:
        return None
    return {"largest_sigma2": float(spectrum.values[-1])}


def notes(document: Document, spectrum: Eigenvalues, unsure: int) -> list[str]:
    """All that a reader of the list must know. unsure: of so many points the index may be higher."""
    said = []
    sigma2, several = document["sigma2"], document["undecided"]
    what = ("index set", "index sets") if document["objective"] == "ppca" else ("family", "families")
    if document["tied"] and spectrum.exact is not None:
        towards = "its eigenvector" if len(document["tied"]) == 1 else "their eigenvectors"
        said.append(
            f"{at_noise(sigma2, weight(document))} equals {names(document['tied'])}: flat to second order towards "
            f"{towards}, which counts as collapsed"
        )
    elif document["tied"]:
        said.append(f"rounding: {tied_either_way(document)}")
    said += list(_torn(document, spectrum))
    if several:
        whether = "whether it is stationary; it is" if several == 1 else "whether they are stationary; they are"
        said.append(
            f"rounding: it cannot be told of {readable(several)} more {what[several != 1]} {whether} not counted"
        )
    if unsure:
        where = "one of the points" if unsure == 1 else f"{readable(unsure)} of the points"
        said.append(
            f"rounding: at {where} an eigenvalue cannot be told from the noise, and the index counts the directions "
            "that surely rise"
        )
    if document["continuum"] is not None:
        said.append(curve_in_words(document))
        if document["objective"] == "elbo" and spectrum.values[0] != spectrum.values[-1]:
            said.append(
                "left out are curves of saddles, which hold all eigenvectors in columns that are not orthogonal; the "
                "points in which they end are listed"
            )
    return said


def _torn(document: Document, spectrum: Eigenvalues) -> Iterator[str]:
    """Of equal eigenvalues of which a point retains some: any of their eigenvectors would do, so it is one of many."""
    values: Sequence[Any] = spectrum.listed if spectrum.exact is None else spectrum.exact
    starts = [0, *(j for j in range(1, len(values)) if values[j] != values[j - 1]), len(values)]
    sets = [set(point["retained"]) for point in document["points"]]
    for start, end in pairwise(starts):
        equal = range(start + 1, end + 1)
        if any(0 < len(kept.intersection(equal)) < len(equal) for kept in sets):
            are = "are equal" if spectrum.exact is not None else "count as equal"
            yield (
                f"{names(equal)} {are}: a point that retains some of them and not all belongs to a continuum of points "
                "of the same kind and value, with other eigenvectors of theirs; listed and counted is one for each "
                "choice of indices"
            )
