"""Which stationary points of a document are proved to be what it says: index, nullity, kind, strict, global.

Main       certified, of the points of a document.
Reference  verify/certify/decided/points.py. Values, and the order of points by value, are not certified.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from verify.certify.decided.enclosed import Contradiction, Enclosed
from verify.certify.decided.noise import Open
from verify.certify.decided.points import Memory, counts, kind
from verify.errors import InputError
from verify.landscape.points import Point
from verify.words.certified import CERTIFIED, UNDECIDED

Document = dict[str, Any]


def certified(described: Sequence[Document], points: Sequence[Point], found: Enclosed, level: Fraction | None) -> None:
    """Each entry of "points" gets "certified", and what is proved where rounding left it open.  Raises Contradiction.

    level: beta sigma2; None: the noise is learned.
    """
    memory: Memory = {}
    for number, (of, point) in enumerate(zip(described, points, strict=True), start=1):
        if level is None:  # every point has a noise of its own
            memory = {}
        try:
            proved = counts(point, found, level, memory)
        except (Open, InputError) as error:
            of["certified"] = {"status": UNDECIDED, "why": str(error)}
            continue
        # Ties of what was measured, and of decimals that agree to 40 digits, may be none: zeros are then signs.
        zeros = max(of["nullity"] - of["gauge"], of["undecided"])
        if not of["index"] <= proved.index <= of["index"] + zeros or proved.nullity > of["nullity"]:
            raise Contradiction(
                f"point {number}: index {of['index']} and nullity {of['nullity']} were computed, and {proved.index} and"
                f" {proved.nullity} are proved"
            )
        of |= kind(proved, of["gauge"], len(found) * point.k + int(point.objective == "elbo" or level is None))
        of["certified"] = {"status": CERTIFIED, "why": None}
