"""The axes of the figure of `elbo-verify tables`: collapse and ELBO over noise, printed and trained.

Notation   document: tables.json as a dict; number: of the training, from 1; sigma2 the noise at the start.
Main       draw; series, what is drawn.
Reference  Lucas et al. 2019, Tables 1-5. Colours: Okabe & Ito 2008.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from reports.pages.drawing import HEIGHT, WIDTH, blank, drawing, save
from reports.pages.palette import PALETTE
from reports.words import wording

Document = dict[str, Any]
COLOURS = {"fixed": "vermillion", "learned": "blue"}


def series(document: Document, number: int, noise: str) -> list[Document]:
    """The rows of a training with fixed or learned noise, each noise once, smallest first."""
    rows = [row for row in document["rows"] if row["training"] == number and row["noise"] == noise]
    # A noise that stands in two tables was trained once; the later, fuller table speaks for print.
    return [row for _, row in sorted({row["init_sigma2"]: row for row in rows}.items())]


def both(axes: Sequence[Axes], document: Document, number: int) -> None:
    """Percentage of collapsed latents, and ELBO, over the noise at the start."""
    collapse, elbo = axes
    for noise, colour in COLOURS.items():
        rows = series(document, number, noise)
        _points(collapse, rows, "collapse_percent", noise, PALETTE[colour], 1)
        _points(elbo, rows, "elbo", noise, PALETTE[colour], -1)
    fixed = [row for row in series(document, number, "fixed") if row["retained"]["linear"] is not None]
    linear = [100 * (1 - row["retained"]["linear"] / row["retained"]["of"]) for row in fixed]
    noises = [row["init_sigma2"] for row in fixed]
    collapse.plot(noises, linear, color=PALETTE["ink"], linewidth=1.1, linestyle=":", label="linear theory, fixed")
    collapse.set_ylabel("collapsed latents, %")
    collapse.set_ylim(-3, 103)
    collapse.legend(loc="upper left")
    elbo.set_yscale("log")
    elbo.invert_yaxis()
    elbo.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"−{wording.number(value, 6)}"))
    elbo.set_ylabel("ELBO, nats per datum, scale of grey values")
    for panel in axes:
        panel.set_xscale("log")
        panel.set_xlabel("noise σ², at the start")


def _points(axes: Axes, rows: Sequence[Document], name: str, noise: str, colour: str, sign: int) -> None:
    """Ours as full circles with their spread, the printed ones as open squares on a dashed line."""
    cells = [(row["init_sigma2"], row["cells"][name]) for row in rows]
    ours = [
        (s, sign * c["ours"], c["spread"] or 0.0) for s, c in cells if c["ours"] is not None and sign * c["ours"] > -1
    ]
    printed = [(s, sign * c["printed"], c["printed_spread"] or 0.0) for s, c in cells]
    if ours:
        x, y, e = zip(*ours, strict=True)
        axes.errorbar(x, y, yerr=e, color=colour, marker="o", markersize=4.5, capsize=2, label=f"{noise} noise")
    if printed:
        x, y, _ = zip(*printed, strict=True)
        axes.plot(
            x, y, color=colour, marker="s", markersize=4.5, markerfacecolor="none", linewidth=1, linestyle="--",
            label=f"{noise}, as printed",
        )  # fmt: skip


def draw(document: Document, folder: Path) -> list[Path]:
    """Collapse and ELBO over noise for each training of tables.json: tables-1.svg ... in `folder`; -> the paths."""
    written = []
    with drawing():
        for number in range(1, len(document["trainings"]) + 1):
            figure = blank(2 * WIDTH, 1.1 * HEIGHT)
            both(figure.subplots(1, 2), document, number)
            written += save(figure, folder, f"tables-{number}")
    return written
