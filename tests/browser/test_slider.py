"""The explorer says what the eigenvalues in the page say, whatever the noise, and nothing goes wrong on the way."""

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
    s = embedded["beta"] * noise
    sure = sum(value > s and value - s > error for value, error in pairs)
    open_ = sum(abs(value - s) <= error and error > 0 for value, error in pairs)
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


HEARD = "() => { window.heard = []; document.addEventListener('noise', (e) => window.heard.push(e.detail)); }"


def type_noise(page, text):
    """Type it into the field, and mean it."""
    page.locator(pages.TYPED).fill(text)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("text", ["1e-3", "0.12345678901", "2", ".5", " 3 ", "7 × 10⁻⁵", "123456.789", "1E4", "1e-30"])
def test_a_typed_noise_is_computed_with_to_the_last_digit(explored, text):
    opened, embedded = explored("spectrum")
    opened.page.evaluate(HEARD)
    type_noise(opened.page, text)
    wanted = number(text) if "×" in text else float(text)
    assert right(opened.page, embedded) == wanted
    heard = opened.page.evaluate("() => window.heard")
    _, least, most, k, _ = readout(opened.page)
    said = heard[-1].pop("said")  # as the page prints it
    assert number(said) == wanted and heard[-1] == {
        "sigma2": wanted,
        "effective": wanted,
        "retained": least,
        "most": most,
        "k": k,
    }
    assert opened.page.locator(pages.WRONG).inner_text() == ""
    assert opened.page.locator(pages.TYPED).get_attribute("aria-invalid") == "false"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0,5", "write a point"),
        ("12,345", "no commas"),
        ("", "Type a number"),
        ("half", "is no number"),
        ("-1", "greater than 0"),
        ("0", "greater than 0"),
        ("0e5", "greater than 0"),
        ("1e-400", "too small"),
        ("1e400", "too large"),
        ("<img src=x onerror=alert(1)>", "is no number"),
    ],
)
def test_what_is_no_noise_is_refused_in_words(explored, text, said):
    opened, embedded = explored("spectrum")
    before = right(opened.page, embedded)
    opened.page.evaluate(HEARD)
    type_noise(opened.page, text)
    wrong = opened.page.locator(pages.WRONG)
    assert said in wrong.inner_text() and wrong.locator("img").count() == 0
    assert opened.page.locator(pages.TYPED).get_attribute("aria-invalid") == "true"
    assert right(opened.page, embedded) == before and opened.page.evaluate("() => window.heard") == []
    type_noise(opened.page, "2")
    assert wrong.inner_text() == "" and right(opened.page, embedded) == 2


def test_half_a_number_is_no_mistake_while_it_is_typed(explored):
    page = explored("spectrum")[0].page
    page.locator(pages.TYPED).fill("")
    page.keyboard.type("1e-")
    assert page.locator(pages.WRONG).inner_text() == "" and readout(page)[0] == 1
    page.keyboard.type("2")
    assert readout(page)[0] == 0.01


@pytest.mark.parametrize(("text", "words"), [("2.5", "λ₃ equals this noise, which counts as collapsed"), ("2.4", "")])
def test_a_tie_is_named(explored, text, words):
    opened, embedded = explored("spectrum")
    type_noise(opened.page, text)
    right(opened.page, embedded)
    assert words in readout(opened.page)[-1] and ("equals" in readout(opened.page)[-1]) == bool(words)


def test_what_rounding_leaves_open_is_said(explored):
    opened, embedded = explored("digits")
    type_noise(opened.page, repr(embedded["eigenvalues"][4]))
    right(opened.page, embedded)
    assert "4 or 5 of 10 latents retained" in readout(opened.page)[-1]
    assert "Rounding cannot tell λ₅ from this noise" in readout(opened.page)[-1]


@pytest.fixture
def charted(built, page_of, tmp_path):
    """The page of the spectrum, its staircase with axes by hand: noise 0.1 to 10 lies between 50 and 300."""
    text = built("spectrum").read_text(encoding="utf-8")
    axes = '{"x": [50, 300, 0.1, 10, "log"], "y": [20, 200, 3, 0, "linear"]}'.replace('"', "&quot;")
    bare = re.sub(r' data-axes="[^"]*"', "", text)
    (tmp_path / "index.html").write_text(bare.replace('class="retained"', f'class="retained" data-axes="{axes}"'))
    return page_of(tmp_path / "index.html", 1400)


def test_pictures_mark_the_noise_and_take_one(charted):
    page = charted.page
    type_noise(page, "1")
    line = page.locator(f"{pages.CURSOR} line")
    assert float(line.get_attribute("x1")) == pytest.approx(175) == pytest.approx(float(line.get_attribute("x2")))
    assert page.locator(f"{pages.CURSOR} text").text_content() == "3 of 3"
    type_noise(page, "20")
    assert not page.locator(pages.CURSOR).is_visible()
    # Pressing where the picture has noise 10^0.5 tries that noise; hovering tells of it first.
    x, y = page.locator("svg.retained").evaluate(
        "(s) => { const p = new DOMPoint(237.5, 150).matrixTransform(s.getScreenCTM()); return [p.x, p.y]; }"
    )
    page.mouse.move(x, y)
    assert page.locator(".tip").inner_text().endswith("; 2 of 3 retained")
    page.mouse.click(x, y)
    assert readout(page)[0] == pytest.approx(10**0.5, rel=0.02)  # a pixel
    assert page.locator(pages.TYPED).input_value() == str(readout(page)[0])
    page.mouse.move(5, 5)
    assert not page.locator(".tip").is_visible()
    assert faults.console(charted) + faults.collisions(charted) == []


def test_damaged_axes_leave_the_rest_of_the_page_alone(built, page_of, tmp_path):
    text = built("spectrum").read_text(encoding="utf-8")
    bare = re.sub(r' data-axes="[^"]*"', "", text)
    (tmp_path / "index.html").write_text(bare.replace('class="retained"', 'class="retained" data-axes="{"'))
    opened = page_of(tmp_path / "index.html", 1400)
    assert readout(opened.page)[0] > 0 and faults.console(opened) == []
    assert opened.page.locator(pages.CURSOR).count() == 0


def test_the_slice_has_a_scale(explored):
    page = explored("digits")[0].page
    assert page.locator(pages.CANVAS).is_visible()
    figure = page.locator("figure", has=page.locator(pages.CANVAS)).inner_text()
    assert "nats below the best of the plane" in figure and "a column along u" in figure


@pytest.mark.parametrize(("width", "height"), [(1400, 900), (420, 850)])
@pytest.mark.parametrize("name", pages.REPORTS)
def test_the_first_screen_has_the_sentence_and_the_picture(built, page_of, name, width, height):
    page = page_of(built(name), width).page
    page.set_viewport_size({"width": width, "height": height})
    for part in ("#verdict .verdict", "#verdict svg"):
        box = page.locator(part).bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= height, (part, box)
