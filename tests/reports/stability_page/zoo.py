"""Spectra of every kind that pictures have to bear.

Main       ZOO (name -> what makes a covariance, k, and what else is asked for); document_of.
"""

import functools
from typing import Any

import numpy as np
from sklearn.datasets import load_iris, load_wine

from reports.analysis.report import compute
from tests.reports.spectra import measured
from verify.data import load
from verify.data.covariance import Covariance, covariance, from_eigenvalues

SMALL = np.array([6.0, 4.0, 2.5, 1.2, 0.5])


def _genes() -> Covariance:
    """60 data of 2000 columns, six directions of which have structure."""
    rng = np.random.default_rng(0)
    structure = rng.normal(size=(60, 6)) @ (rng.normal(size=(6, 2000)) * np.geomspace(3, 1, 6)[:, None])
    return covariance(structure + rng.normal(size=(60, 2000)))


ZOO: dict[str, tuple[Any, ...]] = {
    "bare": (lambda: from_eigenvalues(SMALL), 3),
    "ties": (lambda: from_eigenvalues([4, 1, 1, 0.5]), 2),
    "within rounding": (lambda: measured(3.0, 2.0, 1.0, 0.5, 0.3, error=1e-6, sampling=0.08), 3),
    "k = n": (lambda: from_eigenvalues(SMALL), 5),
    "rank < n": (lambda: from_eigenvalues([5, 2, 0.7, 0, 0]), 4),
    "one": (lambda: from_eigenvalues([2.0]), 1),
    "both noises": (lambda: from_eigenvalues([3, 2, 1.5, 1.02, 0.99, 0.98]), 3),
    "at the edge": (lambda: from_eigenvalues([0.9, 0.5, 0.3, 0.2]), 2),
    "wine": (lambda: covariance(load_wine().data), 10),
    "iris": (lambda: covariance(load_iris().data), 3),
    "digits": (lambda: load("digits"), 10),
    "genes": (_genes, 10),
    "784": (lambda: from_eigenvalues(5 * np.arange(1, 785.0) ** -1.5), 50),
    "tiny": (lambda: from_eigenvalues(SMALL * 1e-9), 3),
    "huge": (lambda: from_eigenvalues(SMALL * 1e9), 3),
    "named": (lambda: from_eigenvalues(SMALL), 3, {"named": [0.7, 2.5, 3.0, 9.0]}),
    "far": (lambda: from_eigenvalues(SMALL), 3, {"named": [1e-9, 2.0, 1e9]}),
    "beta": (lambda: from_eigenvalues(SMALL), 3, {"beta": 4.0}),
    "small beta": (lambda: load("digits"), 10, {"named": [300.0, 20.0], "beta": 0.1}),
    "a tie with beta": (lambda: from_eigenvalues([6.0, 4.0, 0.3, 0.1]), 3, {"named": [0.1], "beta": 3.0}),
}


@functools.cache
def document_of(name: str) -> tuple[dict[str, Any], list[Any]]:
    """The document of a spectrum, not to be changed, and its slices."""
    make, k, *asked = ZOO[name]
    return compute(make(), k, name, **(asked[0] if asked else {}))
