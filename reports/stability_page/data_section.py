"""The data on the page: their mean, their leading axes, and what each noise keeps of a few of them.

Notation   document: report.json as a dict; arrays: those of its portrait (analysis/portrait.py), from report.npz;
           lam_j eigenvalues; k latents; an axis is an eigenvector u_j.
Main       section, all that the template data.html and the script data.js need.

Pictures are there without a script, at the noises told of and at the recommended one; the script adds any other noise.
"""

import base64
from typing import Any

import numpy as np
from markupsafe import Markup, escape

from reports.stability_page.pixels import displayed, packed, png
from verify.arrays import Array
from verify.landscape.weighted import PLAIN
from verify.words.numerals import counted, scaled, start, threshold, typed, weight
from verify.words.wording import number, ranges, told_of

Document = dict[str, Any]

# Eigen-images in sight; the others are folded. A small image is drawn so wide, in CSS pixels.
IN_SIGHT, WIDE = 24, 72
# Axes of a table in sight and in all; data of a table that are drawn.
PROFILES, MOST_PROFILES, DRAWN = 4, 12, 3
# A row of a table's picture, its width, the room for names, and the longest name, in CSS pixels and letters.
LINE, WIDTH, NAMES, LETTERS = 15, 330, 118, 19
# Of the largest loading of an axis: what is less is not drawn.
SLIGHT = 0.02
# Of the noises that a report tells of, in turn, and of the recommended one.
TOLD, RECOMMENDED = ("vermillion", "purple", "blue"), "green"


def section(document: Document, arrays: dict[str, Array]) -> Document | None:
    """What the section shows; None for a bare spectrum, and for a report that was written without a portrait."""
    portrait = document.get("portrait")
    if portrait is None or not arrays:
        return None
    facts, m = document["stability"], portrait["shown"]
    colours = [_colour(document, i) for i in range(len(portrait["at"]))]
    of = _images(portrait, arrays) if portrait["kind"] == "image" else _table(portrait, arrays, colours)
    live = {
        "kind": portrait["kind"],
        "image": portrait["image"],
        "display": portrait["display"],
        "latents": portrait["latents"],
        "eigenvalues": facts["eigenvalues"][:m],
        **{name: packed(arrays[name]) for name in ("mean", "axes", "coordinates")},
        **of.pop("live", {}),
    }
    at = [_at(document, i, told) for i, told in enumerate(portrait["at"])]
    beta = weight(facts)
    return {
        **of,
        "shrunk": f"1 - {scaled(beta)}/lam_j",
        "share": "" if beta == PLAIN else f"/{typed(beta)}",
        "threshold": "eigenvalue, the noise" if beta == PLAIN else f"eigenvalue divided by {typed(beta)}, the noise",
        "usual": f"sigma2 = {typed(document['usual']['sigma2'])}",
        "kind": portrait["kind"],
        "rows": portrait["rows"],
        "axes": [_axis(document, j, of["axes"][j - 1]) for j in range(1, m + 1)],
        "in_sight": IN_SIGHT if portrait["kind"] == "image" else PROFILES,
        "at": at,
        "caveats": list(_caveats(document)),
        "latents": portrait["latents"],
        "live": live,
    }


def _at(document: Document, i: int, told: Document) -> Document:
    """A noise at which data are given back: its name, how many latents it keeps, and how far off they are."""
    k, rows = document["k"], told_of(document)
    if i < len(rows):
        name, held = f"sigma2 = {typed(told['sigma2'])}", counted(rows[i]["retained"], rows[i]["retained_at_most"])
    else:
        name, held = f"the recommended sigma2 = {start(document['stability'])}", str(k)
    error = number(told["mean_squared_error"], 3)
    said = f"{held} of {k} latents" if held != "0" else "no latent: every datum becomes the mean"
    return {"name": name, "held": said, "error": error, "colour": _colour(document, i)}


def _colour(document: Document, i: int) -> str:
    return TOLD[i % len(TOLD)] if i < len(told_of(document)) else RECOMMENDED


def _axis(document: Document, j: int, picture: Any) -> Document:
    """An axis with its threshold, and whether it is kept at the usual noise."""
    return {"number": j, "threshold": threshold(document["stability"], j), "picture": picture,
            "kept": j <= document["usual"]["retained"]}  # fmt: skip


def _caveats(document: Document) -> Any:
    """What one must know to read the pictures."""
    portrait, facts = document["portrait"], document["stability"]
    lam, m = facts["eigenvalues"], portrait["shown"]
    tied = [j for j in range(1, m + 1) if lam[j - 1] in (lam[j : j + 1] + (lam[j - 2 : j - 1] if j > 1 else []))]
    if tied:
        yield f"The eigenvalues {ranges(tied)} are equal to a neighbour: within such a group the axes are arbitrary"
    if portrait["display"]["transform"] == "logit":
        yield (
            "Data, mean and reconstructions are drawn with the logit taken back, on the scale from 0 to 1; the axes as "
            "the model sees them"
        )
    if m < portrait["latents"]:
        yield (
            f"Only the first {m} of {portrait['latents']} axes are kept in this file: at a noise of your own so many "
            "are used, at the two given ones all"
        )
    if portrait["columns"] is not None and len(portrait["columns"]) < document["n"]:
        yield (
            f"Of the {number(document['n'])} columns the {len(portrait['columns'])} of largest variance are drawn; "
            "axes name the columns that weigh most in them"
        )


def _images(portrait: Document, arrays: dict[str, Array]) -> Document:
    """Everything as small PNGs."""
    image, display = portrait["image"], portrait["display"]
    height, width, _ = image

    def drawn(values: Array) -> str:
        return _uri(png(displayed(values, display), image, display["low"], display["high"]))

    pairs = zip(arrays["axes"].T, portrait["axes"], strict=True)
    mean = displayed(arrays["mean"], display)
    return {
        "width": (shown := WIDE if width <= WIDE else 96),
        "height": round(shown * height / width),
        "mean": _uri(png(mean, image, display["low"], display["high"])),
        "axes": [_uri(png(u, image, 0.0, of["largest"], symmetric=True)) for u, of in pairs],
        "examples": [drawn(x) for x in arrays["examples"]],
        "again": [[drawn(x) for x in of] for of in arrays["reconstructions"]],
        "pixels": [width, height],
    }


def _uri(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def _table(portrait: Document, arrays: dict[str, Array], colours: list[str]) -> Document:
    """Profiles as bars, and a few data as rows of dots: each column in its standard deviations from the mean."""
    columns = portrait["columns"]
    deviation = np.array([c["deviation"] for c in columns])
    scale = np.where(deviation > 0, deviation, 1.0)
    mean = np.array([c["mean"] for c in columns])
    drawn = min(DRAWN, len(portrait["rows"]))

    def standard(values: Array) -> Array:
        return np.asarray((values[..., :drawn, :] - mean) / scale)

    data, again = standard(arrays["examples"]), standard(arrays["reconstructions"])
    reach = max(3.0, float(np.ceil(np.abs(data).max())))
    names = [c["name"] for c in columns]
    figures = [_dots(names, data[r], again[:, r], colours, reach, portrait["rows"][r]) for r in range(drawn)]
    bars = [[_bar(of, axis["largest"]) for of in axis["loadings"] if _seen(of, axis)] for axis in portrait["axes"]]
    return {
        "axes": bars,
        "profiles": min(MOST_PROFILES, sum(bool(b) for b in bars)),
        "figures": figures,
        "reach": reach,
        "columns": len(columns),
        "live": {"scale": scale.tolist(), "reach": reach, "place": [NAMES, WIDTH - 6], "drawn": drawn},
    }


def _seen(loading: Document, axis: Document) -> bool:
    """Whether a bar is longer than a hair."""
    return bool(abs(loading["value"]) >= SLIGHT * axis["largest"])


def _bar(loading: Document, largest: float) -> Document:
    share = loading["value"] / largest
    return {
        "name": loading["name"],
        "said": f"{loading['value']:.2f}".replace("-", "−"),
        "left": round(50 * (1 + min(share, 0.0)), 2),
        "width": round(50 * abs(share), 2),
        "sign": "minus" if share < 0 else "plus",
    }


def _dots(names: list[str], data: Array, again: Array, colours: list[str], reach: float, row: int) -> Markup:
    """One datum as an SVG: a line for each column, a ring where it is, a dot for each noise."""
    height = LINE * len(names) + 22

    def x(value: float) -> float:
        left, right = NAMES, WIDTH - 6
        return round(left + (right - left) * (min(max(value, -reach), reach) + reach) / (2 * reach), 2)

    parts = []
    for i, name in enumerate(names):
        y = LINE * i + 9
        short = name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"
        parts.append(
            f'<text x="{NAMES - 8}" y="{y + 3.5}" text-anchor="end"><title>{escape(name)}</title>{escape(short)}</text>'
            f'<line x1="{NAMES}" x2="{WIDTH - 6}" y1="{y}" y2="{y}" class="rail"/>'
        )
        for values, colour in zip(again, colours, strict=True):
            parts.append(f'<circle cx="{x(values[i])}" cy="{y}" r="3" fill="var(--{colour})"/>')
        parts.append(f'<circle cx="{x(data[i])}" cy="{y}" r="4.2" class="datum"/>')
        parts.append(f'<path class="tried" d="M0 -4.5 L4.5 0 L0 4.5 L-4.5 0 Z" data-y="{y}"/>')
    ticks = "".join(
        f'<text x="{x(v)}" y="{height - 4}" text-anchor="middle">{number(v).replace("-", "−")}</text>'
        f'<line x1="{x(v)}" x2="{x(v)}" y1="2" y2="{height - 18}" class="rail"/>'
        for v in (-reach, 0.0, reach)
    )
    label = f"Row {row}: {len(names)} columns in standard deviations from the mean, and what each noise keeps of them"
    return Markup(f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">{ticks}{"".join(parts)}</svg>')
