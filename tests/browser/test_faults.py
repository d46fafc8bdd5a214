"""Every check finds the fault it is for, in a small page with just that fault, and none in a page without."""

import pytest

from tests.browser import faults

SOUND = """
<h1>Nothing is wrong here</h1><p>Words, and a <a href="#end">link</a>.</p>
<div style="overflow-x: auto"><table style="width: 900px"><tr><td>A wide table that scrolls</td></tr></table></div>
<p style="overflow: hidden; white-space: nowrap; text-overflow: ellipsis; width: 60px">cut, and three dots say so</p>
<style>.skip { position: absolute; left: -999rem } .skip:focus { left: 0; top: 0 }</style>
<a href="#end" class="skip">a skip link</a>
<svg viewBox="0 0 300 100" width="300" role="img" aria-label="Two labels">
  <text x="10" y="30" font-size="12">one</text><text x="10" y="43" font-size="12">close below it</text>
  <text x="10" y="80" font-size="12">first</text><text x="45" y="80" font-size="12">second</text>
  <text transform="translate(200 90) rotate(-45)" font-size="12">slanted</text>
  <text transform="translate(217 90) rotate(-45)" font-size="12">slanted</text>
</svg>
<details open><summary>Fold</summary><p>text</p></details>
<p id="end">End</p>
"""


def picture(labels: str, style: str = "") -> str:
    return f'<svg viewBox="0 0 200 100" width="200" height="100" style="{style}" font-size="12">{labels}</svg>'


CONTROLS = [
    (faults.console, "<script>console.error('mistake')</script>", "mistake"),
    (faults.console, "<script>throw new Error('thrown')</script>", "thrown"),
    (faults.console, "<script>JSON.parse('{')</script>", "JSON"),
    (faults.requests, '<img alt="far" src="https://example.org/far.png">', "https://example.org/far.png"),
    (faults.requests, '<img alt="near" src="near.png">', "near.png"),
    (faults.requests, "<script>fetch('https://example.org/x').catch(() => 0)</script>", "https://example.org/x"),
    (faults.requests, "<style>@import 'https://example.org/a.css';</style>", "a.css"),
    (faults.overflow, '<p style="width: 900px">wide</p>', "the page is"),
    (faults.overflow, '<p id="wide" style="width: 900px">wide</p>', "#wide reaches"),
    (faults.overflow, '<p id="left" style="margin-left: -30px">left</p>', "#left reaches from -"),
    (faults.overflow, f'<svg id="s" width="700" height="20">{"<g/>"}</svg>', "#s reaches"),
    (
        faults.cramped,
        '<div style="width: 200px; overflow: auto"><p style="width: 300px">room</p></div>',
        "shows 200 of 300, and the window has 420",
    ),
    (
        faults.clipped,
        '<p id="cut" style="width: 50px; overflow: hidden; white-space: nowrap">lost words</p>',
        "#cut cuts",
    ),
    (
        faults.clipped,
        '<p id="low" style="height: 20px; overflow: hidden">many<br>lines<br>are<br>lost</p>',
        "#low cuts",
    ),
    (faults.collisions, picture('<text x="10" y="50">0.01</text><text x="25" y="50">0.02</text>'), "“0.01” and “0.02”"),
    (faults.collisions, picture('<text x="9" y="50">up</text><text x="9" y="55">down</text>'), "“up” and “down”"),
    (
        faults.collisions,
        picture('<text x="9" y="60">level</text><text transform="translate(20 70) rotate(-90)">upright</text>'),
        "“level” and “upright”",
    ),
    (faults.outside, picture('<text x="180" y="50">too far right</text>', "overflow: visible"), "“too far right”"),
    (faults.outside, picture('<text x="10" y="5">too high</text>'), "“too high”"),
    (faults.tiny, '<p id="fine" style="font-size: 8px">fine print</p>', "#fine at 8.0 pixels"),
    (faults.tiny, '<p>x<sub style="font-size: 6px">j</sub></p>', "sub at 6.0 pixels"),
    (faults.tiny, '<svg viewBox="0 0 400 9" width="200"><text y="9" font-size="12">half</text></svg>', "at 6.0 pixels"),
    (faults.tabbing, '<a href="#a">plain</a><style>a:focus { outline: none }</style>', "looks the same"),
    (faults.tabbing, '<a href="#a" tabindex="2">late</a><a href="#b" tabindex="1">early</a>', "comes after"),
    (
        faults.tabbing,
        '<a href="#a">one</a><button style="visibility: visible" onfocus="this.blur()">two</button>',
        "“two”",
    ),
    (faults.tabbing, '<a href="#a" style="position: fixed; left: -900px">away</a>', "outside of the window"),
    (faults.tabbing, "<p>nothing</p>", "nowhere"),
]


@pytest.mark.parametrize(("check", "body", "said"), CONTROLS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_fault_is_found(page_from, check, body, said):
    assert any(said in fault for fault in check(page_from(body))), check(page_from(body))


@pytest.mark.parametrize("width", [420, 1400])
def test_nothing_is_found_where_nothing_is_wrong(page_from, width):
    opened = page_from(SOUND, width)
    assert faults.found(opened) == []
    assert faults.tabbing(opened) == []
    assert faults.on_paper(page_from(SOUND.replace("900px", "500px"), width), "#explorer") == []


def test_what_a_policy_forbids_is_found(page_from):
    policy = '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'">'
    assert any(
        "example.org" in f for f in faults.found(page_from('<img src="https://example.org/a.png">', head=policy))
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('<details id="d"><summary>Fold</summary><p>hidden</p></details>', "#d stays folded"),
        ('<div id="explorer">a slider</div>', "#explorer is printed"),
        ('<div id="t" style="overflow-x: auto"><p style="width: 900px">a table</p></div>', "#t is cut"),
        ('<div id="w" style="width: 900px">wide</div>', "#w reaches"),
    ],
)
def test_a_fault_on_paper_is_found(page_from, body, said):
    assert any(said in fault for fault in faults.on_paper(page_from(body), "#explorer"))


def test_on_paper_a_page_may_open_what_is_folded_when_it_is_printed(page_from):
    script = (
        "<script>addEventListener('beforeprint', () => { document.querySelector('details').open = true; })</script>"
    )
    body = f"<details><summary>Fold</summary><p>hidden</p></details>{script}"
    assert faults.on_paper(page_from(body), "#explorer") == []
