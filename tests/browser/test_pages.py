"""The pages, narrow and wide, light and dark, by keyboard and on paper: nothing is wrong with them."""

import pytest

from tests.browser import faults, pages

WIDTHS = [420, 1400]
# Page -> beginnings of faults that are let stand, each with a reason.
KNOWN: dict[str, tuple[str, ...]] = {}


def none(name, found):
    """One fault a line, so that a failure can be read."""
    found = [fault for fault in found if not fault.startswith(KNOWN.get(name, ()))]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", pages.PAGES)
def test_a_page_has_no_faults(built, page_of, name, width):
    opened = page_of(built(name), width)
    light = faults.found(opened)
    opened.page.emulate_media(color_scheme="dark")
    assert opened.page.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches")
    none(name, light + [f"in the dark, {fault}" for fault in faults.found(opened) if fault not in light])


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["wine", "claims", "spectrum", "tables", "train", "figures", "audit", "vae"])
def test_a_page_can_be_used_by_keyboard(built, page_of, name, width):
    none(name, faults.tabbing(page_of(built(name), width)))


@pytest.mark.parametrize(
    "name", ["wine", "claims", "spectrum", "genes", "tables", "train", "figures", "audit", "vae", "vae-table"]
)
def test_a_page_can_be_printed(built, page_of, name):
    opened = page_of(built(name), 1400)
    none(name, faults.on_paper(opened, pages.EXPLORER))
    assert opened.page.pdf().startswith(b"%PDF") and faults.console(opened) == []


def test_what_was_folded_is_folded_again_after_printing(built, page_of):
    page = page_of(built("wine"), 1400).page
    assert page.locator("details").count() >= len(pages.LEDGER["claims"])
    page.locator("details").first.locator("summary").click()
    page.pdf()
    opened = page.locator("details").evaluate_all("all => all.map(d => d.open)")
    assert opened[0] and not any(opened[1:])


@pytest.mark.parametrize("name", ["wine", "claims", "audit"])
@pytest.mark.parametrize("width", WIDTHS)
def test_unfolded_claims_have_no_faults(built, page_of, name, width):
    opened = page_of(built(name), width)
    for summary in opened.page.locator("details > summary").all():
        summary.click()
    assert opened.measure("folded") == []
    none(name, faults.found(opened))
