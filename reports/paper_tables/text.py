"""Tables of numbers for the terminal and for spreadsheets, from tables.json alone.

Notation   document: tables.json as a dict; a cell has ours, spread, printed, printed_spread and difference.
Main       pieces, doubts, caveats, csv_table, verdict, with_spread.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from reports.paper_tables.document import CELLS
from reports.paper_tables.pattern import number
from reports.terminal.console import table
from reports.training.verdicts import CONVOLUTIONS, in_short, missed, word
from reports.training.verdicts import legend as meanings

Document = dict[str, Any]

MARKS = {True: "yes", False: "NO", None: "open"}
NO_DIFFERENCE = (
    "no differences are given: other data or other models have other numbers, and only the pattern can be compared"
)

HEADINGS = {
    "elbo": "ELBO",
    "tuned_elbo": "tuned ELBO",
    "final_sigma2": "sigma2",
    "tuned_sigma2": "tuned sigma2",
    "collapse_percent": "collapsed %",
    "kl": "KL",
}


def with_spread(value: float | None, spread: float | None, name: str) -> str:
    """-1022.1±5.4"""
    if value is None or spread is None:
        return number(value, name)
    return f"{number(value, name)}±{f'{spread:.1g}' if 'sigma2' in name else number(spread, name)}"


def difference(cell: Document) -> str:
    """The difference in units of the combined spread: +1.8x; a dash where there is none to be given."""
    value = cell["difference"]
    if value is None:
        return "-"
    return f"{value:+.1f}x" if abs(value) < 9.95 else f"{value:+.0f}x" if abs(value) < 1e4 else f"{value:+.0e}x"


def pieces(document: Document) -> Iterator[Any]:
    """Everything for people, as lines and tables."""
    yield verdict(document)
    for number_, rows in groupby(document["rows"], key=lambda row: row["table"]):
        for (dataset, preprocessing), own in groupby(rows, key=lambda row: (row["dataset"], row["preprocessing"])):
            lines = list(own)
            training = document["trainings"][lines[0]["training"] - 1]
            yield f"\nTable {number_}, {dataset}, {_preprocessed(preprocessing)}{_on(training)}"
            compared = not training["incomparable"]
            yield _rows(lines, compared)
            yield "\nTheir noises"
            yield _noises(lines, compared)
    yield ""
    yield from legend(document)
    for training in document["trainings"]:
        name = f"{training['dataset']}, {_preprocessed(training['preprocessing'])}"
        yield f"\n{name}: left open by the paper, and chosen here"
        yield table([("", False), ("", False)], [(f"  {o['name']}", o["value"]) for o in training["open"]])
    for left in document["left_out"]:
        yield f"\nLeft out: {left['rows']} rows of Table {left['table']} ({left['dataset']}): {left['why']}"


def _preprocessed(name: str) -> str:
    return "logit transform" if name == "logit" else "no transform"


def _on(training: Document) -> str:
    found = training["deviations"]
    if not found:
        return "\nthe paper's experiment"
    said = f"\nnot the paper's experiment: {'; '.join(found)}"
    return f"{said}\n{NO_DIFFERENCE}" if training["incomparable"] else said


def _rows(rows: list[Document], compared: bool) -> Any:
    """Three lines a row: ours, printed, difference; without the last where it is not given."""
    kept = rows[0]["retained"]
    names = ("elbo", "tuned_elbo", "kl", "collapse_percent")
    columns = [("noise", True), *((HEADINGS[name], True) for name in names)]
    columns += [(f"kept of {kept['of']}\n(printed: {kept['printed_of']})", True), ("linear,\nverdict", True)]
    lines = []
    for row in rows:
        kept = row["retained"]
        found = ["\n".join(_texts(row["cells"][name], name, compared)) for name in names]
        linear = "-" if kept["linear"] is None else str(kept["linear"])
        both = "\n".join([linear, *in_short(row.get("diagnosis"), unit="")])
        label = f"{row['noise']} {row['init_sigma2']:g}\nprinted\n" + "difference\n" * compared
        lines.append((label, *found, f"{number(kept['ours'])}\n{number(kept['printed'])}", both))
    return table(columns, lines)


def _noises(rows: list[Document], compared: bool) -> Any:
    """One line a row: where the noise ends, what it would be tuned to, the learning rate that won."""
    beside = ("printed", "difference") if compared else ("printed",)
    heads = ("noise", "sigma2", *beside, "tuned", *beside, "rate", "diverged")
    lines = []
    for row in rows:
        cells = [row["cells"].get(name) for name in ("final_sigma2", "tuned_sigma2")]
        blank = ("",) * (1 + len(beside))
        texts = [text for cell in cells for text in (_texts(cell, "sigma2", compared) if cell else blank)]
        rate = "-" if row["learning_rate"] is None else f"{row['learning_rate']:g}"
        lines.append((f"{row['noise']} {row['init_sigma2']:g}", *texts, rate, str(row["frozen"] or "")))
    return table([(name, True) for name in heads], lines)


def _texts(cell: Document, name: str, compared: bool) -> tuple[str, ...]:
    ours = with_spread(cell["ours"], cell["spread"], name)
    told = ours, with_spread(cell["printed"], cell["printed_spread"], name)
    return (*told, difference(cell)) if compared else told


def verdict(document: Document) -> str:
    """What the trainings show, in sentences."""
    said = []
    for training in document["trainings"]:
        head = (
            f"{training['dataset']} ({_preprocessed(training['preprocessing'])}), trained on {training['data']['name']}"
        )
        said.append(f"{head}: {shown(training['pattern'])}.")
        said += [f"  {MARKS[p['holds']]:4} {p['finding']}: {p['evidence']}" for p in training["pattern"]]
        said += [f"  {doubt}" for doubt in doubts(training)]
    return "\n".join(said)


def shown(pattern: Sequence[Document]) -> str:
    """How many of the findings show, in a sentence without its point."""
    found = [p["holds"] for p in pattern]
    if not found:
        return "too few models were trained to look for the paper's findings"
    said = f"{found.count(True)} of {len(found)} findings show"
    return f"{said}; of {found.count(None)} nothing can be told" if None in found else said


def doubts(training: Document) -> list[str]:
    """What stands in the way of taking a training at its word, apart from its deviations."""
    found, models = [], training["models"]
    if training["precision"] != "float32":
        found.append(f"products in {training['precision']}, the rest in float32")
    if training["worsened"]:
        found.append(
            f"{training['worsened']} of {models} models ended with a lower ELBO than in their first epoch: their "
            "training blew up. The tables hold them, the findings leave them out"
        )
    if training["frozen"]:
        found.append(f"{training['frozen']} of {models} models diverged and were frozen")
    if training["unfinished"]:
        found.append(
            f"{training['unfinished']} of {models} models have not come to their end (noise, error, KL or ELBO "
            "still move over the last tenth of the epochs): the findings leave their noises out"
        )
    return found


def caveats(document: Document) -> list[str]:
    """What the tables do not show by themselves."""
    found = []
    for training in document["trainings"]:
        name = f"{training['dataset']}, {_preprocessed(training['preprocessing'])}"
        if training["deviations"]:
            found.append(f"{name}: not the paper's experiment: {'; '.join(training['deviations'])}")
        if training["incomparable"]:
            found.append(f"{name}: {NO_DIFFERENCE}")
        found += [f"{name}: {doubt}" for doubt in doubts(training)]
    left = document["left_out"]
    return [*found, *(f"{gone['rows']} rows of Table {gone['table']} are left out: {gone['why']}" for gone in left)]


def legend(document: Document) -> Iterator[str]:
    """How to read the tables."""
    given = [not training["incomparable"] for training in document["trainings"]]
    third = (
        "; then the difference in units of the combined spread (ours, the printed one and its rounding), or a dash "
        f"where the spread is less than the rounding{'' if all(given) else '; only where it is the same experiment'}"
    )
    yield (
        f"First line: mean ± spread over the trials; then as printed{third if any(given) else ''}. Collapse and "
        "noises are printed without a spread. kept: latents that do not collapse, printed below; linear: what the "
        "linear theory keeps at that noise on these data (with learned noise: at the noise that was learned)."
    )
    found = [told for row in document["rows"] if (told := row.get("diagnosis"))]
    if found:
        meant = meanings({word(told) for told in found})
        yield (
            "verdict: whether that collapse is the optimum or the training, of the best trial at its noise; with the "
            f"nats that the training missed there. {meant[0].upper()}{meant[1:]}."
            + (
                f" Where a training fails, {CONVOLUTIONS}."
                if any(t["kind"] == "conv" for t in document["trainings"])
                else ""
            )
        )
    for training in document["trainings"]:
        scale, data = training["scale"], training["data"]
        J = data["mean_log_jacobian"] + data["log_scale_jacobian"]
        name = f"{training['dataset']}, {_preprocessed(training['preprocessing'])}"
        yield f"{name}: ELBOs on the scale of grey values; in the model's space they are {J:.1f} less. {_scale(scale)}"


def _scale(scale: Document | None) -> str:
    if scale is None:
        return "These are other data than the paper's, so what the scale adds is another number too."
    known = ", ".join(f"{value:.1f} for {name}" for name, value in scale["constants"].items())
    return (
        f"The printed rows imply a constant of {scale['printed_constant']:.1f}; these data have {known}: "
        f"the printed ELBOs are on scale {scale['nearest']}."
    )


def csv_table(document: Document) -> tuple[list[str], list[list[Any]]]:
    """Heading and lines: one a printed row, every cell with all it holds."""
    parts = ("ours", "spread", "printed", "printed_spread", "difference")
    named = ["table", "dataset", "preprocessing", "noise", "init_sigma2", "learning_rate", "trials", "frozen"]
    heading = [*named, "trained_on", *(f"{name}_{part}" for name in CELLS for part in parts)]
    heading += ["elbo_model_space", "tuned_elbo_model_space", "retained", "k", "linear_retained", "linear_sigma2"]
    heading += ["printed_retained", "printed_k", "verdict", "missed_nats"]
    lines = []
    for row in document["rows"]:
        kept, space = row["retained"], row["model_space"]
        line = [row[name] for name in named] + [document["trainings"][row["training"] - 1]["data"]["name"]]
        line += [row["cells"].get(name, {}).get(part) for name in CELLS for part in parts]
        line += [space["elbo"]["ours"], space["tuned_elbo"]["ours"], kept["ours"], kept["of"], kept["linear"]]
        line += [kept["linear_sigma2"], kept["printed"], kept["printed_of"]]
        told = row.get("diagnosis")
        lines.append([*line, *((None, None) if told is None else (word(told), missed(told)))])
    return heading, lines
