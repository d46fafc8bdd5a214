"""The axes of the figure of `elbo-verify tables`: collapse and ELBO over noise, printed and trained.

Notation   document: tables.json as a dict; number: of the training, from 1; sigma2 the noise at the start.
Main       draw; series, what is drawn; below, what lies outside the frame.
Reference  Lucas et al. 2019, Tables 1-5. Colours: Okabe & Ito 2008.
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from reports.paper_tables.pattern import number as measured
from verify.pictures.drawing import HEIGHT, WIDTH, blank, drawing, save
from verify.pictures.palette import PALETTE
from verify.pictures.ticks import decades
from verify.words import wording

Document = dict[str, Any]
COLOURS = {"fixed": "vermillion", "learned": "blue"}
# So many times as low as what is printed: no training that went well.
FAR = 100


def series(document: Document, number: int, noise: str) -> list[Document]:
    """The rows of a training with fixed or learned noise, each noise once, smallest first."""
    rows = [row for row in document["rows"] if row["training"] == number and row["noise"] == noise]
    # A noise that stands in two tables was trained once; the later, fuller table speaks for print.
    return [row for _, row in sorted({row["init_sigma2"]: row for row in rows}.items())]


def below(document: Document, number: int) -> list[Document]:
    """The rows of a training whose ELBO is not worth a frame: one that blew up would flatten all others.

    That is FAR times as low as any that is printed for them, and as our median; or above 0, where a logarithm ends.
    """
    rows = [row for noise in COLOURS for row in series(document, number, noise)]
    cells = [row["cells"]["elbo"] for row in rows]
    ours = [-cell["ours"] for cell in cells if cell["ours"] is not None]
    if not ours:
        return []
    deepest = FAR * max(median(ours), *(-cell["printed"] for cell in cells))
    told = [(row, row["cells"]["elbo"]["ours"]) for row in rows]
    return [row for row, elbo in told if elbo is not None and not 0 < -elbo <= deepest]


def told_of(rows: Sequence[Document]) -> str:
    """What lies outside the frame, in words; "" where nothing does."""
    elbos = [f"{row['noise']} {row['init_sigma2']:g}: {measured(row['cells']['elbo']['ours'])}" for row in rows]
    return f"an ELBO outside the frame (an arrow at its edge): {'; '.join(elbos)}" if rows else ""


def both(axes: Sequence[Axes], document: Document, number: int) -> None:
    """Percentage of collapsed latents, and ELBO, over the noise at the start."""
    collapse, elbo = axes
    outside = below(document, number)
    for noise, colour in COLOURS.items():
        rows = series(document, number, noise)
        _points(collapse, rows, "collapse_percent", noise, PALETTE[colour], 1)
        _points(elbo, rows, "elbo", noise, PALETTE[colour], -1, outside)
    fixed = [row for row in series(document, number, "fixed") if row["retained"]["linear"] is not None]
    linear = [100 * (1 - row["retained"]["linear"] / row["retained"]["of"]) for row in fixed]
    noises = [row["init_sigma2"] for row in fixed]
    # Above the others, which hide it where all is 0.
    style = {"color": PALETTE["ink"], "linewidth": 1.4, "linestyle": ":", "zorder": 5}
    collapse.plot(noises, linear, label="linear theory, fixed", **style)
    collapse.set_ylabel("collapsed latents, %")
    collapse.set_ylim(-3, 103)
    elbo.set_yscale("log")
    elbo.invert_yaxis()
    decades(elbo.yaxis)
    elbo.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"−{wording.number(value, 6)}"))
    elbo.set_ylabel("ELBO, nats per datum, scale of grey values")
    for panel in axes:
        panel.set_xscale("log")
        panel.set_xlabel("noise σ², at the start")


def _points(
    axes: Axes,
    rows: Sequence[Document],
    name: str,
    noise: str,
    colour: str,
    sign: int,
    outside: Sequence[Document] = (),
) -> None:
    """Ours as full circles with their spread, the printed ones as open squares on a dashed line.

    What lies outside the frame is an arrow at its lower edge, and parts the line.
    """
    cells = [(row["init_sigma2"], row["cells"][name], row in outside) for row in rows]
    # A gap where there is nothing to show.
    ours = [
        (s, float("nan"), 0.0) if gone or c["ours"] is None else (s, sign * c["ours"], c["spread"] or 0.0)
        for s, c, gone in cells
    ]
    printed = [(s, sign * c["printed"]) for s, c, _ in cells]
    if ours:
        x, y, e = zip(*ours, strict=True)
        axes.errorbar(x, y, yerr=e, color=colour, marker="o", markersize=4.5, capsize=2, label=f"{noise} noise")
    if printed:
        x, y = zip(*printed, strict=True)
        axes.plot(
            x, y, color=colour, marker="s", markersize=4.5, markerfacecolor="none", linewidth=1, linestyle="--",
            label=f"{noise}, as printed",
        )  # fmt: skip
    for s in (s for s, _, gone in cells if gone):
        axes.plot(s, 0.03, marker="v", markersize=7, color=colour, transform=axes.get_xaxis_transform(), clip_on=False)


def draw(document: Document, folder: Path) -> list[Path]:
    """Collapse and ELBO over noise for each training of tables.json: tables-1.svg ... in `folder`; -> the paths."""
    written = []
    with drawing():
        for number in range(1, len(document["trainings"]) + 1):
            figure = blank(2 * WIDTH, 1.1 * HEIGHT)
            frames = figure.subplots(1, 2)
            both(frames, document, number)
            # Above the frames, where no curve runs.
            named = dict(zip(*reversed(frames[0].get_legend_handles_labels()), strict=True))
            names = sorted(named, key=lambda name: not name.endswith("noise"))  # what was trained here comes first
            handles = [named[name] for name in names]
            figure.legend(handles, names, loc="outside upper center", ncols=len(names), handlelength=2.6)
            written += save(figure, folder, f"tables-{number}")
    return written
