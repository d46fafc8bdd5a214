"""The page: one file, safe against hostile names, whole with and without a ledger."""

import copy
import json
import re
from html.parser import HTMLParser

import pytest

from reports.pages import html
from reports.stability_page import page
from verify.words.caveats import UNPROVED

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


def test_without_a_ledger_the_page_says_so(document, folder):
    text = rendered(document, folder)
    assert text.count("The proofs were not run") == 1 and UNPROVED not in document["notes"]
    assert '<p class="doubt">The proofs' not in text  # no warning to somebody with data of their own
    assert rendered({**document, "notes": [*document["notes"], UNPROVED]}, folder) == text  # reports of earlier days
    text = rendered(document | {"ledger": ledger()}, folder)
    assert "The proofs were not run" not in text


def test_the_verdict_stands_first(document, folder):
    text = rendered(document, folder)
    first = text[: text.index("<h2")]
    assert first.index('<p class="verdict good">') < first.index(
        '<svg xmlns:xlink="http://www.w3.org/1999/xlink" class="ret'
    )
    assert first.index("<svg") < first.index('<dl class="key">') < first.index('id="explorer"')
    assert first.count("<svg") == 1 and "doubts" not in first
    document["usual"] |= {"retained": 1, "retained_at_most": 1, "collapsed": 3}
    assert '<p class="verdict bad">' in rendered(document, folder)


def test_notes_stand_under_headings_by_what_they_are_about(document, folder):
    notes = [
        "sampling: few data",
        "odd rows",
        "model: linear",
        "rounding: at sigma2 = 1, open",
        "sampling: few of them",
    ]
    text = rendered(document | {"notes": notes}, folder)
    shown = re.search(r'<section id="mind">(.*?)</section>', text, re.DOTALL)[1]
    headings = re.findall(r'<div class="doubts"><dt>(.*?)</dt>', shown)
    assert headings == ["These data", "Rounding", "Sampling", "Model"]
    assert shown.index("Few data.") < shown.index("Few of them.") < shown.index("<dt>Model") and "Odd rows." in shown
    assert '<div class="doubts">' not in rendered(document | {"notes": []}, folder)  # control


def test_one_table_is_open_and_the_others_say_what_they_hold(document, folder):
    text = rendered(document, folder)
    section = re.search(r'<section id="points">(.*?)</section>', text, re.DOTALL)[1]
    assert section.index("Likelihood at") < section.index("<table>") < section.index('<dl class="terms">')
    opened = section[: section.index("<details")]
    assert opened.count("<table>") == 1 and section.count('<details class="more">') == section.count("<table>") - 1 == 3
    gists = re.findall(r'<span class="source">(.*?)</span>', section)
    assert len(gists) == 3 and all(gist.startswith("the best 8") for gist in gists)


def test_a_nullity_of_zeros_is_left_out(document, folder):
    for point in document["stationary"][0]["points"]:
        point["nullity"] = 0
    flat = rendered(document, folder)
    document["stationary"][0]["points"][3]["nullity"] = 2
    assert rendered(document, folder).count(">nullity</th>") == flat.count(">nullity</th>") + 1


def test_the_data_are_named_with_their_preprocessing(document, folder):
    assert "<dt>eigenvalues <i>n</i></dt><dd>8</dd>" in rendered(document, folder)
    document["provenance"]["data"] = {
        "name": "mine.csv", "kind": "csv", "columns": ["weight", "height"], "image": [28, 28, 1], "shape": [60000, 784],
        "preprocessing": {"scale": 255.0}, "log_scale_jacobian": 0.0,
    }  # fmt: skip
    text = rendered(document | {"N": 60000, "n": 784}, folder)
    assert "<dd>60,000 × 784</dd>" in text and "Divided by 255." in text and "<i>S</i> is divided by <i>N</i>" in text
    section = re.search(r'<section id="provenance">(.*?)</section>', text, re.DOTALL)[1]
    assert "divided by 255" in section and "60,000 × 784" in section
    assert not any(word in section for word in ("weight", "28, 28", "<dt>image", "jacobian", "255.0"))


def test_the_range_of_the_slider_holds_every_threshold_and_the_marked_noises(document, folder):
    def reach(report):
        low, high = page._explorer(report)["range"]
        return low, high

    facts = document["stability"]
    low, high = reach(document)
    assert low < facts["recommended_sigma2"] < high and low < 1 < high and high > facts["eigenvalues"][0]
    deep = [*facts["eigenvalues"][:3], 1e-9, *[1e-10] * 4]
    document["stability"] = {**facts, "eigenvalues": deep, "recommended_sigma2": None}
    assert reach(document)[0] < 1e-9


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
