"""What a figure comes to: an entry of figures.json, with arrays beside it.

Notation   a finding says what the paper says, whether it shows here (None: what ran cannot tell), and by which numbers.
Main       Measured, LeftOut, finding, beside_print, line, panel; entry, which puts an entry together.
Reference  reports/schema/figures.json.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from types import ModuleType
from typing import Any

from reports.paper_tables.presets import other_photographs
from reports.training.document import Material
from verify.arrays import Array

Document = dict[str, Any]


class LeftOut(Exception):
    """Why `measure` can make nothing of these data or models, in a sentence without its point."""


@dataclass
class Measured:
    """What `measure` of a figure gives.

    panels: see `panel`; findings: see `finding`; deviations: in what this is not the paper's experiment; alt: the
    picture in words, with numbers; caption: how to read it; beside: see `beside_print`; materials: the data; arrays:
    what figure-N.npz holds; more: what else the figure draws from.
    """

    panels: list[Document]
    findings: list[Document]
    alt: str
    caption: str
    materials: Sequence[Material]
    deviations: Sequence[str] = ()
    beside: Sequence[Document] = ()
    notes: Sequence[str] = ()
    arrays: dict[str, Array] = field(default_factory=dict)
    more: Document = field(default_factory=dict)


def finding(text: str, holds: bool | None, evidence: str) -> Document:
    """What the paper says, whether it shows here, and the numbers that say so."""
    return {"finding": text, "holds": holds, "evidence": evidence}


def beside_print(what: str, ours: float | None, spread: float | None, printed: float, difference: str) -> Document:
    """A number of the paper with ours; difference: in words, what lies between them and whether it means anything."""
    return {"what": what, "ours": ours, "spread": spread, "printed": printed, "difference": difference}


def line(
    name: str, kind: str, x: Sequence[float], y: Sequence[float | None], group: int = 0, spread: Any = None
) -> Document:
    """A curve.  kind: "trained"; "on the way"; "linear", of the linear theory; "printed"; "exact"; "final", after
    the last step.

    group: lines of one group have one colour; spread: a standard deviation for each y, or None.
    """
    return {
        "name": name,
        "kind": kind,
        "group": group,
        "x": [float(v) for v in x],
        "y": list(map(_finite, y)),
        "spread": None if spread is None else list(map(_finite, spread)),
    }


def _finite(value: float | None) -> float | None:
    """What JSON can hold: the picture is drawn from that."""
    return None if value is None or not isfinite(value) else float(value)


def panel(
    title: str, x: str, y: str, lines: Sequence[Document], *, xscale: str = "linear", yscale: str = "linear",
    xlim: Sequence[float] | None = None, ylim: Sequence[float] | None = None,
) -> Document:  # fmt: skip
    """One frame: title, labels of the axes, curves; limits where they are not those of the curves."""
    scales = {"xscale": xscale, "yscale": yscale}
    return {"title": title, "x": x, "y": y, **scales, "xlim": xlim, "ylim": ylim, "lines": list(lines)}


def entry(number: int, module: ModuleType, found: Measured, command: str) -> Document:
    """The entry of a figure in figures.json."""
    # Several draws may be of the same rows, where there are no others to draw.
    materials = list({one.rows.fingerprint: one for one in found.materials}.values())
    names = ("name", "read", "N", "n", "rank", "preprocessing", "fingerprint")
    return {
        "figure": number,
        "title": module.TITLE,
        "source": module.SOURCE,
        "paper": module.PAPER,
        "left_out": None,
        "data": [{name: one.facts()[name] for name in names} for one in materials],
        "deviations": [*found.deviations, *_other_photographs(materials)],
        "findings": found.findings,
        "beside": list(found.beside),
        "panels": found.panels,
        "caption": found.caption,
        "alt": found.alt,
        "notes": list(dict.fromkeys(found.notes)),
        "arrays": bool(found.arrays),
        "command": command,
        **found.more,
    }


def _other_photographs(materials: Sequence[Material]) -> list[str]:
    """Any folder may be called CelebA."""
    counts = dict.fromkeys(one.rows.shape[0] for one in materials if one.name.startswith("celeba:"))
    return [said for count in counts for said in other_photographs(count)]


def left_out(number: int, module: ModuleType, why: str, command: str) -> Document:
    """The entry of a figure that was not made: the data are not at hand, or nothing can be made of them."""
    empty: Document = dict.fromkeys(("data", "deviations", "findings", "beside", "panels", "notes"))
    told = {"figure": number, "title": module.TITLE, "source": module.SOURCE, "paper": module.PAPER, "left_out": why}
    return {**told, **{name: [] for name in empty}, "caption": "", "alt": "", "arrays": False, "command": command}
