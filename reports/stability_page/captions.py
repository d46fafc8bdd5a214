"""What the report says of its tables and pictures: captions, directions of escape.

Notation   document: report.json as a dict; indices count from 1. Plain text; the templates escape it.
Main       table_caption, table_gist, blocks, escape, kind, figure1_intro, figure1_panel, figure2, prepared.
Reference  theory 1.3, 3.6, 3.7; Lucas et al. 2019, Figures 1 and 2.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from verify.landscape.weighted import PLAIN
from verify.words.lists import how_found
from verify.words.numerals import DIGITS, as_threshold, scaled, typed, weight
from verify.words.wording import number, power, ranges, sub, symbols

Document = dict[str, Any]


def column_name(point: Document, column: int) -> str:
    """What a column of W holds: "the column on u₃", "a zero column", "a column of the block on u₁, u₂"."""
    blocks = point.get("blocks") or [{"columns": [c + 1], "eigen": [a]} for c, a in enumerate(point["retained"])]
    for block in blocks:
        if column in block["columns"] and block["eigen"]:
            names = ", ".join(sub("u", a) for a in block["eigen"])
            return f"the column on {names}" if len(block["columns"]) == 1 else f"the block on {names}"
    return "a zero column"


def escape(point: Document) -> str:
    """The steepest way up in words (theory 1.3, 3.7)."""
    if point["escape"] is None:
        return "none"
    direction = point["escape"]["direction"]
    names = ", ".join(sub("u", a) for a in direction["eigen"])
    who = list(dict.fromkeys(column_name(point, c) for c in direction["columns"]))
    if direction["type"] == "rotation":
        columns = " and ".join(str(c) for c in direction["columns"])
        return f"rotate columns {columns}"
    if direction["type"] == "dense":
        return f"{' with '.join(who)}, mixing {names}"
    grows = who == ["a zero column"]
    return f"{who[0]} {'grows along' if grows else 'turns towards'} {names}"


def blocks(point: Document) -> list[str]:
    """The blocks of a point whose columns are not orthogonal: "u₃, u₄ in 2 columns"."""
    found = []
    for block in point.get("blocks", []):
        if len(block["columns"]) > 1:
            held = ", ".join(sub("u", a) for a in block["eigen"])
            found.append(f"{held} in {len(block['columns'])} columns")
    return found


def kind(point: Document) -> str:
    """What a point is: "global maximum", "saddle, not strict", "undecided by rounding, in 2 directions"."""
    if point["kind"] == "undecided":
        open_signs = point.get("undecided", 0)
        return f"undecided by rounding, in {open_signs} direction{'' if open_signs == 1 else 's'}"
    return f"{'global ' if point['global'] else ''}{point['kind']}{'' if point['strict'] else ', not strict'}"


def figure1_intro(figure1: Document) -> str:
    """What is moved where in the slices."""
    i, j = (sub("u", d) for d in figure1["directions"])
    first = figure1["panels"][0]["retained"]
    held = f"W holds the leading principal axes ({ranges(first)})" if first else "W is zero"
    moved = "a zero column is" if figure1["moved_columns"] == 1 else "two zero columns are"
    return (
        f"Figure 1 of the paper on these data. {held}; {moved} moved along {i} and {j}. "
        "Bright is high, the circle is the stationary point."
    )


def figure1_panel(piece: Document, beta: float = PLAIN) -> str:
    """What one panel of Figure 1 shows, in words."""
    named = list(zip((sub("u", d) for d in piece["directions"]), piece["curvatures"], strict=True))
    unstable, flat = [u for u, c in named if c > 0], [u for u, c in named if c == 0]
    stable = (
        "stable in both directions" if not flat else f"unstable towards neither {' nor '.join(u for u, _ in named)}"
    )
    said = {0: stable, 1: f"unstable towards {''.join(unstable)}", 2: "unstable towards both"}
    exactly = "within rounding" if piece.get("undecided") else "to second order"
    level = f", flat {exactly} along {', '.join(flat)}" if flat else ""
    depth = piece["high"] - piece["at_point"]
    below = "the highest point of the plane" if depth <= 0 else f"{number(depth, 3)} nats below the best of the plane"
    noise = f"σ² = {symbols(as_threshold(piece['sigma2']))}{_as_eigenvalue(piece, beta)}"
    return f"{noise}: {said[len(unstable)]}{level}; {below}"


def _as_eigenvalue(piece: Document, beta: float) -> str:
    share = "" if beta == PLAIN else f"/{typed(beta)}"
    return f" = {sub('λ', piece['eigenvalue'])}{share}" if piece.get("eigenvalue") else ""


def figure2(document: Document) -> str:
    """Figure 2 in numbers, and why one curve falls."""
    data = document["figure2"]
    k0, ks, own = data["reference_k"], data["k"], data["maximum_likelihood"]
    gap = max(abs(a - b) for a, b in zip(data["optimal_elbo"], own, strict=True))
    stations = ", ".join(f"{number(v)} at k = {k}" for k, v in _stations(ks, own, k0))
    return (
        "Figure 2 of the paper on these data. At the noise of each k the optimal ELBO meets the likelihood "
        f"(Lemma 1; they differ by at most {number(gap, 2)} nats here): {stations}. {_at_reference(data)}"
    )


def _at_reference(data: Document) -> str:
    """What the weights of each k are worth at the noise of one."""
    ks, judged, last = data["k"], data["weights_at_reference"], data["k"][-1]
    top = max(range(len(ks)), key=lambda i: judged[i])
    noise = symbols(f"{data['reference_sigma2']:.{DIGITS}g}")
    read = f"read at the noise of k = {data['reference_k']} (σ² = {noise})"
    best = number(data["fixed_noise"][-1])
    if judged[-1] < judged[top]:
        return (
            f"The full weights of each k, {read}, reach {number(judged[top])} at k = {ks[top]} and fall to "
            f"{number(judged[-1])} at k = {last}. They fall only because each k brings weights fitted for its own, "
            "smaller noise: with the best weights for the fixed noise the likelihood never falls, and stands at "
            f"{best} at k = {last}."
        )
    return (
        f"The full weights of each k, {read}, do not fall over this range: they reach {number(judged[-1])} at "
        f"k = {last}, the best weights for that noise {best}."
    )


def _stations(ks: Sequence[int], values: Sequence[float], k0: int) -> list[tuple[int, float]]:
    """A handful of points to print: the reference, then round numbers, or thirds of a short range."""
    wanted = {k0, 100, 200, ks[-1]} if ks[-1] > 100 else {k0, ks[0], ks[len(ks) // 2], ks[-1]}
    return [(k, v) for k, v in zip(ks, values, strict=True) if k in wanted]


def table_caption(table: Document) -> str:
    """How many points there are, how the ones shown were found, and what rounding and ties leave open."""
    return " ".join([_listed(table), *_open(table)])


def table_gist(table: Document) -> str:
    """What a folded table holds: "the best 8 of 71; all but the first are saddles"."""
    shown, count = len(table["points"]), table["count"]
    if table["truncated"] is not False:
        some = f"the best {shown}{'' if count is None else f' of {number(count)}'}"
    else:
        some = "the only one" if shown == 1 else f"all {shown}"
    return f"{some}; {_kinds(table['points'])}"


def _kinds(points: Sequence[Document]) -> str:
    """Which of the points are saddles: most often all but the first."""
    first, rest = points[0], {point["kind"] for point in points[1:]}
    if first["global"] and not rest:
        return f"a {kind(first)}"
    if first["global"] and rest == {"saddle"}:
        return "all but the first are saddles" if len(points) > 2 else "the other one is a saddle"
    counts = Counter(str(point["kind"]) for point in points)
    return ", ".join(f"{count} {_plural(name, count)}" for name, count in counts.items())


def _plural(name: str, count: int) -> str:
    if count == 1 or name == "undecided":
        return name
    return {"maximum": "maxima"}.get(name, f"{name}s")


def prepared(data: Document) -> str:
    """What was done with the rows before S was formed; data: provenance.data."""
    if data.get("kind") == "eigenvalues":
        return "a bare spectrum, taken as it was typed"
    drawn, done = data.get("rows"), preprocessing(data)
    done = f"values {done}" if done == "as given" else done
    if isinstance(drawn, dict) and {"drawn", "of"} <= drawn.keys():
        done = f"{_count(drawn['drawn'])} of {_count(drawn['of'])} rows, drawn with seed {data.get('seed', 0)}; {done}"
    return done


def preprocessing(data: Document) -> str:
    """The options --scale, --standardize, --logit and --dequantise in words, "as given" without any."""
    given = data.get("preprocessing")
    if not isinstance(given, dict) or not given:
        return "as given"
    said = {
        "scale": lambda value: f"divided by {_count(value)}",
        "logit": lambda value: f"logit, alpha = {_count(value)}",
        "levels": lambda value: f"{_count(value)} grey values",
        "dequantised": lambda value: f"dequantised, seed {data.get('seed', 0)}",
        "standardized": lambda value: "each column standardized to mean 0 and variance 1",
    }
    return ", ".join(said[name](value) if name in said else f"{name} {value}" for name, value in given.items())


def _count(value: Any) -> str:
    """A number of an option as somebody typed it."""
    if isinstance(value, float):
        return number(int(value)) if value.is_integer() and abs(value) < 1e6 else typed(value)
    return number(value) if isinstance(value, int) else str(value)


def _open(table: Document) -> Iterator[str]:
    if tied := table.get("tied"):
        noise = "the noise" if weight(table) == PLAIN else symbols(scaled(weight(table)))
        yield f"Eigenvalues that {noise} equals or cannot be told from: {ranges(tied)}."
    if undecided := table.get("undecided"):
        what = "index set" if table["objective"] == "ppca" else "family"
        more = what if undecided == 1 else "families" if what == "family" else f"{what}s"
        yield f"Of {number(undecided)} more {more} rounding cannot tell whether they are stationary."
    if continuum := table.get("continuum"):
        largest = symbols(as_threshold(continuum["largest_sigma2"]))
        yield (
            f"The global maximum is no point but a curve, for which one point stands: every noise up to {largest} "
            "attains it, with all directions retained."
        )


def _listed(table: Document) -> str:
    found = how_found(table)
    if found is None:
        shown = len(table["points"])
        return "The only one." if shown == 1 else f"All {shown}, best first."
    text = re.sub(r"(\d\.\d)e\+(\d+)", lambda m: power(m[1], int(m[2])), found)
    text = re.sub(r"\b\d{5,}\b", lambda m: f"{int(m[0]):,}", text)
    return f"{text[0].upper()}{text[1:]}."
