"""Near-degenerate landscapes: ties split by one ulp, a noise beside an eigenvalue, scales of blocks nearly equal.

Main       questions.
"""

from collections.abc import Iterator

import numpy as np

from benchmarks.soundness import points, spectra
from benchmarks.soundness.asked import Question


def questions(rng: np.random.Generator) -> Iterator[Question]:
    """One landscape."""
    point = spectra.point_of(rng)
    objective = "elbo" if point.family.startswith("coupled") else str(rng.choice(["elbo", "ppca"]))
    for posed in points.posed_at(point, objective, rng):
        yield posed.question()
