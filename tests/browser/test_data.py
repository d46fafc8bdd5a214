"""The reconstructions at the noise one tries are those of the optimum there."""

import json

import numpy as np

from reports.analysis.portrait import reconstruct
from reports.stability_page.pixels import unpacked
from tests.browser import pages


def moved(page, value):
    page.locator(pages.SLIDER).evaluate(
        "(s, value) => { s.value = value; s.dispatchEvent(new Event('input', {bubbles: true})); }", value
    )


def noise(page):
    return float(page.locator("#typed").input_value())


def test_the_canvas_shows_the_optimum_of_every_noise(built, page_of):
    page = page_of(built("digits"), 1400).page
    live = json.loads(page.locator("#portrait").text_content())
    mean, axes, coordinates = (unpacked(live[name]) for name in ("mean", "axes", "coordinates"))
    seen = []
    for value in (50, 500, 950):
        moved(page, value)
        s = noise(page)
        grey = page.locator("#tried canvas").first.evaluate(
            "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, i) => i % 4 === 0)"
        )
        lam = np.array(live["eigenvalues"])
        x = reconstruct(mean, axes, coordinates, lam, s, live["latents"])[0]
        low, high = live["display"]["low"], live["display"]["high"]
        assert np.abs(np.clip((x - low) / (high - low), 0, 1) * 255 - grey).max() <= 1
        other = reconstruct(mean, axes, coordinates, lam, s / 2, live["latents"])[0]
        assert np.abs(np.clip((other - low) / (high - low), 0, 1) * 255 - grey).max() > 1 or s < 1  # control
        faded = page.locator("#data .fallen").count()
        assert faded == int((lam <= s).sum())
        seen.append(grey)
    assert seen[0] != seen[1] != seen[2]


def test_the_dots_of_a_table_move(built, page_of):
    page = page_of(built("wine"), 420).page
    first = page.locator(".dots .tried").first
    moved(page, 100)
    before = first.get_attribute("transform")
    moved(page, 1000)
    assert first.get_attribute("transform") != before
    # Beyond lam_1 every datum becomes the mean, which stands in the middle.
    left, right = json.loads(page.locator("#portrait").text_content())["place"]
    assert first.get_attribute("transform") == f"translate({(left + right) / 2:g} 9)"


def test_a_bare_spectrum_has_no_data(built, page_of):
    assert page_of(built("spectrum"), 1400).page.locator("#data").count() == 0
