"""Evidence that a matrix is near a stationary point, and of what kind that is: floats polished, and eigenvectors.

Notation   W (n, k), sigma2 the noise; H the Hessian of L or of the profile ELBO in W, and in sigma2 where it is learned.
Main       certify_point, certify_weights -> Certified; proposals.
Reference  docs/mathematics.md, section 13.

Nothing here is relied upon: the checker decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.certify.checker.balls import balls, ball, flint, precision
from verify.certify.checker.numbers import written, written_matrix
from verify.certify.checker.outcome import Outcome, Status, undecided
from verify.certify.checker.stationary import (
    LARGEST,
    check_inertia,
    check_saddle,
    check_stationary,
    covariance,
    derivatives,
    hessian,
    tangents,
)
from verify.certify.checker.subject import Subject
from verify.certify.subjects import of_spectrum
from verify.eigenvalues import Eigenvalues
from verify.landscape.points import Point, weights

Statement = dict[str, Any]
CHECKS = {"stationary": check_stationary, "inertia": check_inertia, "saddle": check_saddle}
_BITS = 256  # of the polish
_RADII = tuple(2.0**-e for e in (14, 24, 34, 44, 54, 64, 80))  # of the largest entry, in turn


@dataclass(frozen=True)
class Certified:
    """What was tried on a point, in the order stationary, inertia, saddle; and what is certain of it, None: nothing.

    kind: "maximum", "minimum" or "saddle" as far as the second derivatives decide it; else "undecided".
    """

    tried: tuple[tuple[Statement, Outcome], ...]
    index: int | None = None
    nullity: int | None = None
    kind: str = "undecided"

    @property
    def proved(self) -> list[Statement]:
        """The statements that hold."""
        return [statement for statement, outcome in self.tried if outcome.status is Status.PROVED]
