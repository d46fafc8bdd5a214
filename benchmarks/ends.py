"""Both ends of a Hessian's spectrum without the Hessian, the gauge taken out, copies counted.

Ours       gpu/ends.py.
Peers      scipy's eigsh, given our product and our projection; the closed form, for what theory saves.
Floor      as many products as ours needed, each at its floor (product.py).

The spectrum ends in a hundred zeros, as that of images does: without them eigsh does not converge at the lower end,
where the eigenvalues crowd, within many times the time. Undeflated, its top at a maximum is the gauge's zeros.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Answer, Contender, Setup, Subject, Work
from benchmarks.problems import UNUSED, spectrum_of
from gpu.ends import ends
from verify.landscape.points import Block, Point, ordered, weights
from verify.landscape.spectrum import spectrum

COUNT = 10
CLOSE = 1e-8  # of the norm: what is promised


def place(setup: Setup) -> tuple[Any, Any, float, Point]:
    """lam, W, sigma2 and the point, in the eigenbasis: k - unused retained, the noise below lam_k."""
    lam, k = spectrum_of(setup), setup["k"]
    lam[len(lam) - setup["zeros"] :] = 0.0
    sigma2 = float(0.5 * (lam[k] + lam[k + 1]))
    point = Point("ppca", ordered([Block((i,)) for i in range(k - setup["unused"])], k), sigma2, 0.0)
    return lam, weights(point, lam, np.eye(len(lam))), sigma2, point


def matrix_free(setup: Setup) -> Callable[[], Answer]:
    """gpu.ends.ends, preparation of the operator included."""
    lam, W, sigma2, _ = place(setup)

    def run() -> Answer:
        found = ends(W, sigma2, lam, count=COUNT)
        copies = [times for _, times in found.top.levels(CLOSE * found.norm)]
        bottom, top = np.sort(found.bottom.values), np.sort(found.top.values)
        return {"bottom": bottom, "top": top, "copies": copies, "norm": found.norm, "products": found.products}

    return run


def closed_form(setup: Setup) -> Callable[[], Answer]:
    """verify.landscape.spectrum, without as many zeros as the gauge has."""
    lam, _, _, point = place(setup)

    def run() -> Answer:
        whole = spectrum(point, lam)
        values = whole.values()
        rest = np.delete(values, np.flatnonzero(values == 0)[: whole.gauge])
        cuts = np.flatnonzero(np.diff(rest[-COUNT:]) > CLOSE * np.abs(rest).max()) + 1
        copies = [len(level) for level in np.split(rest[-COUNT:], cuts)][::-1]
        return {"bottom": rest[:COUNT], "top": rest[-COUNT:], "copies": copies}

    return run


def check(ours: Answer, theirs: Answer) -> float:
    """The largest deviation of both ends, as a share of the norm; infinite where copies are counted differently."""
    if "copies" in theirs and ours["copies"].tolist() != theirs["copies"].tolist():
        return float("inf")
    return max(float(np.abs(ours[end] - theirs[end]).max()) for end in ("bottom", "top")) / float(ours["norm"])


def work(setup: Setup, ours: Answer) -> Work:
    """As many products as ours took."""
    n, k, products = setup["n"], setup["k"], float(ours["products"])
    return Work(products * 16.0 * n * k, products * 4.0 * n * k * k)


def _subject(where: str, setup: Setup, *peers: Contender) -> Subject:
    return Subject(
        name="ends",
        title=f"both ends, {COUNT} eigenvalues each, n = {setup['n']}, k = {setup['k']}, {where}",
        setup=setup,
        ours=Contender("block Davidson, matrix-free", "benchmarks.ends:matrix_free"),
        peers=peers,
        check=check,
        tolerance=CLOSE,
        work=work,
    )


def subjects(quick: bool) -> list[Subject]:
    """A maximum of 640 dimensions, where the gauge stands at the top; the same with more copies than Lanczos meets; a
    saddle of 39200 dimensions with threefold copies."""
    peer = "benchmarks.peers.scipy_peers"
    deflated = Contender("scipy eigsh, gauge deflated", f"{peer}:deflated", target=3.0)
    theory = Contender("closed form", "benchmarks.ends:closed_form")
    undeflated = Contender("scipy eigsh, undeflated", f"{peer}:undeflated", wrong_on_purpose=True)
    small = {"n": 64, "k": 10, "unused": 0, "zeros": 0}
    copies = Contender("scipy eigsh, gauge deflated", f"{peer}:deflated", wrong_on_purpose=True)
    large = {"n": 784, "k": 50, "unused": UNUSED, "zeros": 100}
    found = [
        _subject("at a maximum", small, deflated, theory),
        _subject("whose lowest eigenvalue is a hundredfold", small | {"zeros": 10}, theory, copies, undeflated),
    ]
    return found if quick else [*found, _subject("at a saddle", large, deflated, theory)]
