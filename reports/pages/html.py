"""What pages are made of: templates, style sheet, scripts and pictures in one file that needs nothing else.

Main       environment, inline_svg.

Everything from outside (names, the ledger's texts, the command) passes through Jinja's autoescape. Only our own SVGs,
style sheet and script are put in as they are.
"""

import re
from math import ceil

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.words.mathml import mathematics, plain
from verify.pictures.palette import PALETTE
from verify.words import wording


def environment(*rooms: str) -> Environment:
    """Templates of these packages and of this one, and what all pages need to print numbers and formulas."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader(room) for room in (*rooms, "reports.pages")]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.filters |= {
        "number": wording.number,
        "sentence": wording.sentence,
        "nats": wording.nats,
        "ranges": wording.ranges,
        "measured": lambda value: wording.number(value, 2) if isinstance(value, int | float) else "–",
        "maths": mathematics,
        "plain": plain,
    }
    made.globals |= {"sub": wording.sub, "source": lambda name: _source(made, name)}
    return made


def _source(made: Environment, name: str) -> Markup:
    """Our own style sheet or script, not escaped."""
    assert made.loader is not None
    return Markup(made.loader.get_source(made, name)[0])


def inline_svg(svg: str, name: str, label: str) -> Markup:
    """An SVG file as an element of the page: its own ids, the page's colours, and a text for who cannot see it.

    --natural is the width, in CSS, at which its letters are as large as those of the page's pictures are meant to be.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", body)
    # The page's font rules; the file keeps its own for whoever opens it alone.
    body = re.sub(r"font-family: [^;\"]*", "font-family: var(--sans)", body)
    for colour, value in PALETTE.items():
        body = body.replace(value, "currentColor" if colour == "ink" else f"var(--{colour})")
    opening = re.match(r"<svg [^>]*>", body)
    assert opening is not None
    kept = " ".join(re.findall(r'(?:viewBox|data-\w+)="[^"]*"', opening[0]))
    width = re.search(r'viewBox="\S+ \S+ ([\d.]+) ', opening[0])
    natural = f' style="--natural: {ceil(float(width[1]))}px"' if width else ""
    names = Markup('class="{}" role="img" aria-label="{}"').format(name, label) + Markup(natural)
    return Markup(f'<svg xmlns:xlink="http://www.w3.org/1999/xlink" {names} {kept}>{body[opening.end() :]}')
