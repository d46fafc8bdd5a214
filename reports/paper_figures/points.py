"""Differences of percentages in words, and what of them is chance.

Notation   points: of a percentage, so that no two lie more than 100 apart.
Main       points, by_chance; contrary.
Reference  reports/training/chance.py.
"""

from verify.words.wording import number

ALL = 100.0


def contrary(holds: bool | None, near: bool | None) -> str:
    """That one threshold says yes where all together say no, or the other way round; to stand before the evidence."""
    return "depends on the threshold: " if {holds, near} == {True, False} else ""


def points(value: float) -> str:
    """A difference of percentages, as far as there can be one."""
    return f"{number(value, 3)} points" if value <= ALL else f"more than {ALL:g} points"


def by_chance(margin: float, said: str) -> str:
    """How far chance goes; {} in `said` stands for the points. Beyond all there is, it hides everything."""
    return said.format(points(margin)) if margin <= ALL else "so few trials cannot tell that from chance"
