"""index.html of `elbo-verify tables`, and the other files: all drawn from tables.json.

Notation   document: tables.json as a dict.
Main       write_tables, render.
"""

from itertools import groupby
from pathlib import Path
from typing import Any

from reports.pages.html import environment, inline_svg
from reports.paper_tables import figure
from reports.paper_tables.figure import below, series, told_of
from reports.paper_tables.pattern import number
from reports.paper_tables.text import HEADINGS, csv_table, difference, doubts, legend, shown, with_spread
from reports.terminal.files import staged
from reports.training.document import write_csv
from reports.training.verdicts import in_short
from verify.data.documents import write_json

Document = dict[str, Any]
ENVIRONMENT = environment("reports.paper_tables")
FILES = ("tables.json", "tables.csv", "index.html")
WRITES = (*FILES, "tables-*.svg", "tables-*.png")
COLUMNS = ("elbo", "tuned_elbo", "final_sigma2", "tuned_sigma2", "collapse_percent", "kl")


def write_tables(document: Document, out: Path) -> list[Path]:
    """tables.json, tables.csv, index.html and the figures into the folder `out`; -> the paths."""
    with staged(out) as stage:
        write_json(document, stage / "tables.json")
        write_csv(stage / "tables.csv", *csv_table(document))
        pictures = figure.draw(document, stage)
        (stage / "index.html").write_text(render(document, stage), encoding="utf-8")
    return [out / name for name in FILES] + [out / path.name for path in pictures]


def render(document: Document, folder: Path) -> str:
    """The page as text; the pictures lie in `folder`."""
    return ENVIRONMENT.get_template("tables.html").render(
        document=document,
        trainings=[_training(document, place, folder) for place in range(1, len(document["trainings"]) + 1)],
        tables=[_table(document, *group) for group in groupby(document["rows"], key=_heading)],
        legend=list(legend(document)),
        columns=[HEADINGS[name] for name in COLUMNS],
    )


def _training(document: Document, place: int, folder: Path) -> Document:
    training = document["trainings"][place - 1]
    name = f"tables-{place}"
    svg = (folder / f"{name}.svg").read_text(encoding="utf-8")
    return {
        **training,
        "title": f"{training['dataset']}, {_transform(training['preprocessing'])}",
        "shown": shown(training["pattern"]),
        "good": bool(training["pattern"]) and all(p["holds"] for p in training["pattern"]),
        "doubts": doubts(training),
        "outside": told_of(below(document, place)),
        "picture": inline_svg(svg, name, _alt(document, place)),
    }


def _alt(document: Document, place: int) -> str:
    """The figure in words."""
    said = []
    for noise in ("fixed", "learned"):
        rows = [row for row in series(document, place, noise) if row["cells"]["elbo"]["ours"] is not None]
        for row in (rows[:1] + rows[-1:]) if rows else []:
            collapse, elbo = row["cells"]["collapse_percent"], row["cells"]["elbo"]
            said.append(
                f"{noise} from {row['init_sigma2']:g}: {collapse['ours']:.0f}% collapsed (printed "
                f"{collapse['printed']:.0f}%), ELBO {number(elbo['ours'])} (printed {number(elbo['printed'])})"
            )
    outside = told_of(below(document, place))
    return "Collapsed latents and ELBO over the noise. " + "; ".join([*said, *([outside] if outside else [])])


def _transform(preprocessing: str) -> str:
    return "logit transform" if preprocessing == "logit" else "no transform"


def _heading(row: Document) -> tuple[int, str, str, int]:
    return row["table"], row["dataset"], row["preprocessing"], row["training"]


def _table(document: Document, heading: tuple[int, str, str, int], rows: Any) -> Document:
    """One table ready to be laid out: every cell as three texts, the last of them shown if `compared`."""
    lines = [
        {
            **row,
            "texts": [_cell(row["cells"].get(name), name) for name in COLUMNS],
            "short": in_short(row.get("diagnosis")),
        }
        for row in rows
    ]
    table, dataset, preprocessing, training = heading
    compared = not document["trainings"][training - 1]["incomparable"]
    title = f"Table {table}: {dataset}, {_transform(preprocessing)}"
    return {"title": title, "rows": lines, "training": training, "retained": lines[0]["retained"], "compared": compared}


def _cell(cell: Document | None, name: str) -> tuple[str, str, str] | None:
    if cell is None:
        return None
    printed = with_spread(cell["printed"], cell["printed_spread"], name)
    return with_spread(cell["ours"], cell["spread"], name), printed, difference(cell)
