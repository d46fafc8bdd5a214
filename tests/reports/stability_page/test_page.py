"""The page: one file, safe against hostile names, whole with and without a ledger."""

import copy
import json
import re
from html.parser import HTMLParser

import pytest

from reports.pages import html
from reports.stability_page import page

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
VOID = {"meta", "input", "br", "img", "link", "hr"}


class Checked(HTMLParser):
    """Counts elements and ids, and notes tags that do not close what they opened."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.wrong, self.tags, self.links = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        attributes = dict(attrs)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.links += [value for name, value in attrs if name in ("src", "href", "xlink:href", "srcset", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def checked(text):
    parser = Checked()
    parser.feed(text)
    return parser


def ledger(text="plain"):
    evidence = {
        "test": f"proofs/test_x.py::test_{text}",
        "role": "refutes",
        "kind": "numeric",
        "strength": "tested",
        "outcome": "passed",
        "instances": 3,
        "worst_error": 1.5e-16,
        "seconds": 0.25,
        "backend": "numpy",
        "witness": f"witness {text}",
        "reason": "",
    }
    claim = {
        "id": f"eq-1 {text}",
        "source": f"Eq. 1 {text}",
        "statement": f"statement {text}",
        "hypotheses": f"hypotheses {text}",
        "section": f"section {text}",
        "verdict": "holds with correction",
        "strength": "tested",
        "reasons": [f"reason {text}"],
        "worst_error": 1.5e-16,
        "evidence": [evidence],
    }
    return {"schema": 1, "complete": True, "claims": [claim], "errors": [text], "skipped": [text], "environment": {}}


@pytest.fixture
def document(folder):
    return json.loads((folder / "report.json").read_text())


def rendered(document, folder):
    return page.render(document, folder / "figures")


def test_the_page_is_well_formed_and_ids_are_unique(document, folder):
    document["ledger"] = ledger()
    found = checked(rendered(document, folder))
    assert found.wrong == [] and found.open == []
    assert len(found.ids) == len(set(found.ids)) > 50
    assert found.tags.count("svg") == 8 + ("figure2-detail" in rendered(document, folder))
    assert checked("<p><b></p>").wrong == ["p"]  # control: the checker can say no


def test_the_page_asks_the_network_for_nothing(document, folder):
    found = checked(rendered(document, folder))
    beside = "audit.html"
    assert found.links and all(
        link == beside or link.startswith(("#", "data:image/png;base64,")) for link in found.links
    )
    assert "@import" not in rendered(document, folder)


def test_every_reference_inside_the_page_leads_somewhere(document, folder):
    text = rendered(document, folder)
    found = checked(text)
    wanted = {link[1:] for link in found.links if link.startswith("#")} | set(re.findall(r"url\(#([^)]+)\)", text))
    assert wanted and wanted <= set(found.ids)


def test_every_picture_has_a_text(document, folder):
    labels = re.findall(r'<svg [^>]*role="img" aria-label="([^"]+)"', rendered(document, folder))
    assert len(labels) >= 8 and all(len(label) > 30 for label in labels)


def test_hostile_names_and_ledgers_are_escaped(document, folder):
    plain = rendered(document | {"ledger": ledger()}, folder)
    document = copy.deepcopy(document)
    document["name"] = HOSTILE
    document["ledger"] = ledger(HOSTILE)
    document["provenance"]["command"] = HOSTILE
    document["provenance"]["data"] = {"name": HOSTILE, HOSTILE: [HOSTILE], "rows": {HOSTILE: HOSTILE}}
    text = rendered(document, folder)
    assert "<script>alert" not in text and "<img" not in text and "&lt;script&gt;alert" in text
    assert checked(text).tags.count("script") == checked(plain).tags.count("script") == 3
    assert checked(text).wrong == []


def test_the_verdict_stands_first(document, folder):
    text = rendered(document, folder)
    assert text.index('<p class="verdict good">') < text.index("<dl") < text.index("<h2")
    document["usual"] |= {"retained": 1, "retained_at_most": 1, "collapsed": 3}
    assert '<p class="verdict bad">' in rendered(document, folder)


def test_the_spectrum_for_the_slider_cannot_end_its_script(document, folder):
    text = rendered(document, folder)
    body = re.search(r'<script type="application/json" id="spectrum">(.*?)</script>', text, re.DOTALL)[1]
    given = json.loads(body)
    # Typed numbers have no errors; the slider starts at the noise as it is printed.
    assert given["k"] == 4 and given["errors"] == [0.0] * 8 and given["start"] == 0.275


def test_inline_svg_takes_its_own_ids_and_the_colours_of_the_page():
    svg = """<?xml version="1.0"?>
<svg width="1pt" height="1pt" viewBox="0 0 1 1" xmlns="x"><metadata>m</metadata>
<path id="a" style="fill: #1c1b1a; clip-path: url(#b)"/><use xlink:href="#a" style="stroke: #0072b2"/></svg>"""
    text = html.inline_svg(svg, "scree", 'a "label" <b>')
    assert 'id="scree-a"' in text and 'href="#scree-a"' in text and "url(#scree-b)" in text
    assert "currentColor" in text and "var(--blue)" in text and "metadata" not in text and "<?xml" not in text
    assert "&lt;b&gt;" in text and 'viewBox="0 0 1 1"' in text and "width=" not in text
