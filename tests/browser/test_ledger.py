"""Links between claims, and in the drawing of what rests on what, open what they lead to."""

import pytest

from tests.browser import faults, pages

CLAIM, OTHER = "#claim-theorem-1-path", "#claim-eq-13"


def is_open(page, claim):
    return page.locator(claim).evaluate("claim => claim.open")


@pytest.mark.parametrize("width", [420, 1400])
def test_a_link_on_the_map_opens_its_claim(built, page_of, width):
    opened = page_of(built("wine"), width)
    page = opened.page
    assert not is_open(page, CLAIM)
    page.locator(f".map a[href='{CLAIM}']").click()
    page.wait_for_function("id => document.querySelector(id).open", arg=CLAIM)
    assert not is_open(page, OTHER)  # control
    assert page.locator(f"{CLAIM} summary").evaluate("node => node.getBoundingClientRect().top") < 200
    page.locator(f"{CLAIM} .rests a[href='{OTHER}']").click()
    page.wait_for_function("id => document.querySelector(id).open", arg=OTHER)
    # Closed by hand and asked for again, at an address that does not change.
    page.locator(f"{OTHER} > summary").click()
    assert not is_open(page, OTHER)
    page.locator(f".map a[href='{OTHER}']").click()
    page.wait_for_function("id => document.querySelector(id).open", arg=OTHER)
    assert faults.console(opened) + faults.requests(opened) + faults.overflow(opened) + faults.clipped(opened) == []


def test_an_address_with_a_claim_opens_it(built, page_of):
    page = page_of(built("wine"), 1400).page
    page.goto("about:blank")
    page.goto(built("wine").as_uri() + CLAIM)
    assert is_open(page, CLAIM) and not is_open(page, OTHER)
    page.goto("about:blank")
    page.goto(built("wine").as_uri() + "#%E0%A4%A")  # no text at all
    assert page.locator("details.claim[open]").count() == 0


def test_all_claims_open_and_close(built, page_of):
    page = page_of(built("wine"), 1400).page
    claims = len(pages.LEDGER["claims"])
    page.get_by_role("button", name="Open all claims").click()
    assert page.locator("details.claim[open]").count() == claims
    page.get_by_role("button", name="Close all claims").click()
    assert page.locator("details.claim[open]").count() == 0


@pytest.mark.parametrize("name", ["wine", "claims"])
@pytest.mark.parametrize("width", [420, 800, 1400])
def test_the_words_of_the_drawing_fit_their_boxes_and_can_be_read(built, page_of, name, width):
    page = page_of(built(name), width).page
    nodes = page.locator(".map .node").evaluate_all(
        """all => all.map(node => [
            node.querySelector("title").textContent,
            node.querySelector(":scope > rect, :scope > polygon").getBoundingClientRect().toJSON(),
            [...node.querySelectorAll("text")].map(text => text.getBoundingClientRect().toJSON()),
        ])"""
    )
    assert len(nodes) == 9
    for title, box, texts in nodes:
        for text in texts:
            assert box["left"] <= text["left"] and text["right"] <= box["right"], title
            assert text["height"] > 9, title  # of a line of letters of 8 pixels
    boxes = [box for _, box, _ in nodes]
    for i, one in enumerate(boxes):
        for other in boxes[i + 1 :]:
            apart = one["right"] <= other["left"] or other["right"] <= one["left"]
            assert apart or one["bottom"] <= other["top"] or other["bottom"] <= one["top"]


def test_the_lines_of_a_claim_light_up(built, page_of):
    page = page_of(built("wine"), 1400).page
    page.locator(f".map a[href='{OTHER}']").hover()
    lit = page.locator(".map path.lit").count()
    assert 0 < lit < page.locator(".map path[data-ends]").count()
