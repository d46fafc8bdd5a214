"""The slider says what the eigenvalues in the page say, wherever it stands, and nothing goes wrong on the way."""

import json
import re

import pytest

from tests.browser import faults, pages


def number(text):
    """0.5, −1.2 or 3.1 × 10⁻⁵ as it is written for people."""
    plain = text.translate(str.maketrans("−⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789"))
    mantissa, _, power = plain.partition(" × 10")
    return float(f"{mantissa}e{power or 0}")


def readout(page):
    """(noise, retained at least, at most, of how many) as the page says them, and all of what it says."""
    text = page.locator(pages.READOUT).inner_text()
    said = re.search(pages.SAID, text)
    assert said, text
    noise, least, most, k = said.groups()
    return number(noise), int(least), int(most or least), int(k), text


def right(page, embedded):
    """Asserts that what is said agrees with the eigenvalues; -> the noise.  Those within their errors may be either."""
    noise, least, most, k, _ = readout(page)
    pairs = list(zip(embedded["eigenvalues"], embedded["errors"], strict=True))
    sure = sum(value > noise and value - noise > error for value, error in pairs)
    open_ = sum(abs(value - noise) <= error and error > 0 for value, error in pairs)
    assert (least, most, k) == (min(embedded["k"], sure), min(embedded["k"], sure + open_), embedded["k"])
    return noise


@pytest.fixture
def explored(built, page_of):
    def opened(name, width=1400):
        made = page_of(built(name), width)
        return made, json.loads(made.page.locator(pages.SPECTRUM).text_content())

    return opened


@pytest.mark.parametrize("name", pages.REPORTS)
def test_the_readout_agrees_with_the_eigenvalues_everywhere(explored, name):
    opened, embedded = explored(name)
    slider = opened.page.locator(pages.SLIDER)
    assert right(opened.page, embedded) > 0  # where it starts
    low, high = int(slider.get_attribute("min")), int(slider.get_attribute("max"))
    noises, counts = [], set()
    for step in range(21):
        slider.evaluate(
            "(s, value) => { s.value = value; s.dispatchEvent(new Event('input', {bubbles: true})); }",
            low + (high - low) * step // 20,
        )
        noises.append(right(opened.page, embedded))
        counts.add(readout(opened.page)[1])
    assert noises == sorted(set(noises))
    assert max(counts) == embedded["k"] and min(counts) == 0
    assert faults.console(opened) + faults.requests(opened) == []


@pytest.mark.parametrize("width", [420, 1400])
def test_the_slider_moves_by_keyboard(explored, width):
    opened, embedded = explored("digits", width)
    page = opened.page
    page.locator(pages.SLIDER).focus()
    start = readout(page)[0]
    page.keyboard.press("ArrowRight")
    assert right(page, embedded) > start
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    assert right(page, embedded) < start
    page.keyboard.press("End")
    assert right(page, embedded) > max(embedded["eigenvalues"]) and readout(page)[1] == 0
    page.keyboard.press("Home")
    assert right(page, embedded) < start and readout(page)[1] == embedded["k"]
    # Who hears the page hears the noise, not a position.
    assert page.locator(pages.SLIDER).get_attribute("aria-valuetext")
    assert faults.console(opened) + faults.overflow(opened) + faults.clipped(opened) == []


@pytest.mark.parametrize("name", pages.REPORTS)
def test_the_noise_where_it_starts_lies_on_the_slider(explored, name):
    page = explored(name)[0].page
    start = readout(page)[0]
    page.locator(pages.SLIDER).focus()
    page.keyboard.press("End")
    assert readout(page)[0] >= start
    page.keyboard.press("Home")  # from elsewhere: a slider that does not move says nothing new
    assert readout(page)[0] <= start


def test_a_wrong_readout_is_found(explored):
    opened, embedded = explored("spectrum")
    embedded["eigenvalues"] = [value * 1e-9 for value in embedded["eigenvalues"]]
    with pytest.raises(AssertionError):
        right(opened.page, embedded)
