"""index.html of `elbo-verify diagnose --out` and its pictures, drawn from diagnose.json and diagnose.npz alone.

Notation   document: diagnose.json as a dict; arrays: diagnose.npz, {} where there is nothing to show.
Main       write_page; render, the page as text; PICTURES.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from reports.diagnosis_page import alts, images
from reports.pages.html import environment, inline_svg
from reports.words.mathml import plain
from verify.arrays import Array
from verify.pictures import elbo_over_noise, kl_beside_linear, second_moments, spectra
from verify.pictures.drawing import HEIGHT, WIDTH, blank, drawing, save
from verify.words import caveats, wording
from verify.words.diagnosis import at_most, capital, headline, nats, overlooked, sections, with_error

Document = dict[str, Any]
Arrays = Mapping[str, Array]
ENVIRONMENT = environment("reports.diagnosis_page")
PLAIN: dict[str, Callable[[Axes, Document], None]] = {
    "elbo": elbo_over_noise.draw,
    "latents": kl_beside_linear.draw,
    "moments": second_moments.draw,
    "spectra": spectra.draw,
}
PICTURES = (*PLAIN, "directions", "examples")
# Pictures whose names stand above the frame: there are too many for a corner.
NAMED_ABOVE = ("elbo", "spectra")
# Inches of a picture of an image.
ACROSS = 0.85


def write_page(document: Document, arrays: Arrays, folder: Path) -> None:
    """index.html and the pictures, into `folder`; those for which there is something to show."""
    with drawing():
        for name, draw in PLAIN.items():
            figure = blank(1.25 * WIDTH, 1.15 * HEIGHT if name in NAMED_ABOVE else HEIGHT)
            axes = figure.subplots()
            draw(axes, document)
            if name in NAMED_ABOVE:
                figure.legend(loc="outside upper center", ncols=2, handlelength=2.2, columnspacing=1.2)
            save(figure, folder, name)
        portrait = document.get("portrait")
        if portrait and portrait["kind"] == "image":
            _images(portrait, arrays, folder)
    (folder / "index.html").write_text(render(document, folder), encoding="utf-8")


def _images(portrait: Document, arrays: Arrays, folder: Path) -> None:
    height, width, _ = portrait["image"]
    if portrait["directions"]:
        count = len(portrait["directions"])
        figure = blank(0.9 + ACROSS * count, 0.55 + ACROSS * height / width)
        images.directions(figure.subplots(), portrait, arrays)
        save(figure, folder, "directions")
    down, count = 3 + bool(portrait["installed"]), len(portrait["rows"])
    figure = blank(1.3 + ACROSS * count, 0.2 + ACROSS * down * height / width)
    images.examples(figure.subplots(), portrait, arrays)
    save(figure, folder, "examples")


def render(document: Document, folder: Path) -> str:
    """The page as text; its pictures lie in `folder`."""
    drawn = {name: path for name in PICTURES if (path := folder / f"{name}.svg").is_file()}
    return ENVIRONMENT.get_template("diagnosis.html").render(
        document=document,
        name=document["provenance"]["data"].get("name", "the data"),
        headline=headline(document),
        good=document["verdict"] in ("optimum", "data") and not overlooked(document),
        key=_key(document),
        answers=sections(document)[:3],
        advice=[(capital(line["change"]), _brings(line["nats"])) for line in document["advice"]],
        portrait=document.get("portrait"),
        notes=_notes(document["notes"]),
        provenance=_provenance(document["provenance"]),
        pictures={
            name: inline_svg(path.read_text(encoding="utf-8"), name, plain(alts.ALTS[name](document)))
            for name, path in drawn.items()
        },
    )


def _key(document: Document) -> list[tuple[str, str]]:
    """The numbers that one looks for first, with their names."""
    linear, number = document["linear"], wording.number
    found = [
        ("collapsed latents", f"{len(document['collapsed'])} of {document['k']}"),
        (f"kept by the best linear VAE{_mark(linear)}", f"{linear['retained']} of {document['k']}"),
        ("noise sigma2", number(document["sigma2"])),
        ("error of a column, squared", number(document["tuned_sigma2"])),
        ("ELBO", _without_unit(document["elbo"], document["elbo_error"])),
        ("ELBO of the best linear VAE", wording.number(linear["contained_value"])),
    ]
    decoder = document["any_decoder"]
    if decoder is not None and decoder["upper"] is not None:
        found.append(("no decoder beats collapse from (certified)", at_most(decoder["upper"])))
    return [(name, value) for name, value in found if value != "–"]


def _mark(linear: Document) -> str:
    """Behind what is certified, or was to be and is not."""
    return {"certified": " (certified)", "undecided": " (not certified)"}.get(linear.get("certified"), "")


def _without_unit(value: float | None, error: float | None) -> str:
    return "–" if value is None else with_error(value, error).removesuffix(" nats")


def _brings(value: float | None) -> str:
    """Nats as a cell of the table."""
    return "not known" if value is None else "nothing" if value == 0 else nats(value)


def _notes(notes: list[str]) -> list[tuple[str, list[str]]]:
    """By what they are about, (heading, sentences): first what is said of this model and of no other."""
    found: dict[str, list[str]] = {}
    for note in notes:
        about = caveats.kind(note)
        found.setdefault(about or "this file", []).append(wording.sentence(note.removeprefix(f"{about}: ")))
    return [(about, found[about]) for about in ("this file", *caveats.KINDS) if about in found]


def _provenance(given: Document) -> Document:
    """Without lists that say nothing here."""
    apart = ("columns", "column_numbers", "image", "notes", "missing", "log_scale_jacobian")
    data = {name: value for name, value in given["data"].items() if name not in apart}
    if isinstance(shape := data.get("shape"), list):
        data["shape"] = " × ".join(map(str, shape))
    return {**given, "data": data}
