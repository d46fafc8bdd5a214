"""What a VAE misses, to be looked at: the leading directions of its mean residual, and some data with it put back.

Notation   x (n,) a datum as the model sees it; e(x) its mean residual, u_j (n,) the directions along which it varies
           most, s the noise; p places that are shown: all pixels of an image in the order height, width, channels, or
           all columns of a table; r examples.
Main       missed.
Reference  theory 6.1; reports/schema/diagnose.json, "portrait".
"""

from typing import Any

import numpy as np

from reports.analysis.portrait import axis_of, image_of, names_of, places_of, spread_over
from verify.arrays import Array
from verify.data.covariance import Covariance
from verify.diagnosis.document import Diagnosis
from verify.diagnosis.outputs import Outputs
from verify.landscape.revival import direction_nats

Document = dict[str, Any]
DIRECTIONS = 8


def missed(found: Diagnosis, vae: Outputs) -> tuple[Document, dict[str, Array]] | None:
    """The document and the arrays of what the page shows, None where nothing is known of the residual.

    Arrays: directions (m, p), unit vectors, m <= 8 of those above the noise.  Of images also originals,
    reconstructions, missed and installed (r, p): data, what the model makes of them, e, and what it makes of them with
    the escape (at the mean of w).  Raises InputError: a shape of images that is not that of the rows.
    """
    if found.residual is None:
        return None
    data, s = found.data, found.document["sigma2"]
    image = image_of(data)
    rho = found.residual.covariance.eigenvalues
    m = min(DIRECTIONS, int((rho > s).sum()))
    U = found.residual.covariance.leading(m)
    places = places_of(data, image) if image else np.arange(data.n)
    rows = spread_over(data, image) if image else []
    names = None if image else names_of(data)
    directions = [
        {**axis_of(U[:, j], rho[j], names), "nats": float(direction_nats(rho[j], s))}
        for j in range(m)
    ]  # fmt: skip
    arrays = {"directions": U.T[:, places]} | {
        name: array[:, places] for name, array in (_examples(found, vae, rows) if rows else {}).items()
    }
    return {
        "kind": "image" if image else "table",
        "image": image,
        "rows": [int(row if data.places is None else data.places[row]) + 1 for row in rows],
        "display": _display(data, vae),
        "directions": directions,
        "installed": found.residual.escape().latents,
    }, arrays


def _examples(found: Diagnosis, vae: Outputs, rows: list[int]) -> dict[str, Array]:
    """Of these rows, ascending from 0."""
    assert found.residual is not None
    added, kept = found.residual.escape(), []
    for block, (start, e, _) in zip(vae.blocks(), found.residual.pairs(), strict=True):
        here = [row - start for row in rows if start <= row < start + len(e)]
        again = block.x - e if block.mean is None else block.mean
        if block.mean is None and vae.draws:
            again = block.draws[:-1].mean(axis=0) if vae.draws > 1 else block.draws[0]
        kept.append((block.x[here], again[here], e[here]))
    x, again, e = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    return {
        "originals": x,
        "reconstructions": again,
        "missed": e,
        "installed": again + added.b + added.encode(e) @ added.U.T,
    }


def _display(data: Covariance, vae: Outputs) -> Document:
    """How values are drawn: from the smallest of the data, black, to the largest; after a logit from 0 to 1."""
    alpha = data.provenance.get("preprocessing", {}).get("logit")
    if alpha is not None:
        return {"transform": "logit", "alpha": float(alpha), "low": 0.0, "high": 1.0}
    ends = [(float(x.min()), float(x.max())) for x in vae.rows.blocks()]
    return {"transform": "none", "alpha": None, "low": min(a for a, _ in ends), "high": max(b for _, b in ends)}
