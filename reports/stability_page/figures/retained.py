"""How many latents the optimum retains at each noise."""

from typing import Any

from matplotlib.axes import Axes

from reports.stability_page.axes import (
    Spectrum,
    mark_vertically,
    name_marks,
    ring,
    ring_caption,
    said_of_ties,
)
from verify.pictures.palette import PALETTE
from verify.pictures.placing import beside
from verify.pictures.retained import sampled, staircase
from verify.pictures.ticks import noise_axis
from verify.words.numerals import counted, typed
from verify.words.wording import number, told_of

Document = dict[str, Any]
SECTION, ORDER = "verdict", 30


def draw(axes: Axes, document: Document) -> None:
    """How many of the k latents the optimum retains at each noise: a staircase with its steps at the lam_j."""
    found = Spectrum(document)
    lam, k, low, high = found.lam, found.k, found.low, found.high
    staircase(axes, lam, k, low, high)
    sampled(axes, document["stability"])
    axes.set_xlabel(noise_axis(found.beta))
    mark_vertically(axes, found.marks)
    for sigma2, held, _, colour in _stand(document):
        if held is not None:
            dot = {"markersize": 7, "markeredgecolor": PALETTE["paper"], "markeredgewidth": 1.2, "zorder": 6}
            axes.plot(sigma2, held, "o", color=colour, **dot)
    for row in found.told:
        if ties := [j for j in (*row["tied"], *row["undecided"]) if j <= k]:
            ring(axes, [row["sigma2"]] * 2, [min(ties) - 1, max(ties)])


def _stand(document: Document) -> list[tuple[float, int | None, str, str]]:
    """Where one is: the marked noises with the number held there, None where rounding leaves it open, and its name."""
    k, rows, stand = document["k"], {row["sigma2"]: row for row in told_of(document)}, []
    for sigma2, name, colour in Spectrum(document).marks:
        if name == "recommended":
            stand.append((sigma2, k, f"recommended: {_all(k)}", colour))
        else:
            row = rows[sigma2]
            open_ = row["retained_at_most"] > row["retained"]
            stand.append((sigma2, None if open_ else row["retained"], f"{name}: {_held(row, k)}", colour))
    return stand


def _held(row: Document, k: int) -> str:
    """12 of 50."""
    return f"{counted(row['retained'], row['retained_at_most'])} of {k}"


def _all(k: int) -> str:
    return {1: "1 of 1", 2: "both"}.get(k, f"all {number(k)}")


def label(axes: Axes, document: Document) -> None:
    """Each name at its dot, or above the frame; an arrow towards a noise told of that lies beyond."""
    stand, rows = _stand(document), {row["sigma2"]: row for row in told_of(document)}
    # The dot of the recommended noise is at the top, and so is its name.
    above = [(sigma2, name, colour) for sigma2, _, name, colour in stand if colour == PALETTE["green"]]
    for sigma2, _, name, colour in stand:
        if colour != PALETTE["green"] and not beside(axes, name, (sigma2, rows[sigma2]["retained"]), colour):
            above.append((sigma2, name, colour))
    for row in rows.values():
        if all(row["sigma2"] != sigma2 for sigma2, _, _, _ in stand):
            above += _beyond(axes, row, document["k"])
    name_marks(axes, above)


def _beyond(axes: Axes, row: Document, k: int) -> list[tuple[float, str, str]]:
    """An arrow towards a noise told of that is not in the frame; -> what has no room there, for above."""
    name, colour = f"σ² = {number(row['sigma2'])}: {_held(row, k)}", PALETTE["vermillion"]
    right = bool(row["sigma2"] > axes.get_xlim()[1])
    text = f"{name} →" if right else f"← {name}"
    far = [(-3 if right else 3, side * y) for y in (6, 12, 24, 48) for side in (1, -1)]
    at = (1.0 if right else 0.0, row["retained"])
    found = beside(axes, text, at, colour, far, ("axes fraction", "data"))
    return [] if found else [(axes.get_xlim()[right], text, colour)]


def caption(document: Document) -> str:
    """What one sees, and where the noises told of lie."""
    rows, k = told_of(document), document["k"]
    held = "; at ".join(f"sigma2 = {typed(row['sigma2'])}: {_held(row, k)}" for row in rows)
    text = f"Latents retained at the optimum of each noise. At {held}."
    if document["N"] and rows[0]["sampling_range"]:
        text += " Shaded: what other data of the same kind may retain, thresholds moved by up to two standard errors."
    return text + ring_caption(document)


def alt(document: Document) -> str:
    """For who cannot see it."""
    noises = document["stability"]["noise"]
    told = {row["sigma2"] for row in told_of(document)}
    rows = [row for row in noises if row["sigma2"] not in told] or noises
    first, last = (counted(row["retained"], row["retained_at_most"]) for row in (rows[0], rows[-1]))
    return (
        f"Staircase: from {first} latents retained at noise {number(rows[0]['sigma2'])} down to {last} at "
        f"{number(rows[-1]['sigma2'])}.{said_of_ties(document)}"
    )
