"""The data on the page: pictures of images, profiles of tables, and what each noise gives back."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from reports.analysis.portrait import reconstruct
from reports.stability_page import data_section, page
from reports.stability_page.pixels import unpacked
from reports.stability_page.write import redraw
from tests.reports.schemas import check
from tests.reports.written import write_report
from verify.data import load

HOSTILE = "<img src=x onerror=alert(1)>"


def written(folder, spec, k):
    write_report(load(spec), k=k, name="data", out=folder)
    document = json.loads((folder / "report.json").read_text())
    with np.load(folder / "report.npz") as arrays:
        portrait = {n.removeprefix("portrait_"): arrays[n] for n in arrays.files if n.startswith("portrait_")}
    return document, portrait


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return written(tmp_path_factory.mktemp("digits"), "digits", 10)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 5)) * [3, 2, 1, 0.5, 0]
    lines = [f"height,{HOSTILE},a very long name of a column indeed,d,constant", *(",".join(map(str, x)) for x in X)]
    (folder / "data.csv").write_text("\n".join(lines))
    return written(folder / "out", folder / "data.csv", 3)


def pixels(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))))


def test_documents_with_and_without_images_are_valid(digits, table):
    for document, _ in (digits, table):
        check("report", document)
    assert digits[0]["portrait"]["kind"] == "image" and table[0]["portrait"]["kind"] == "table"


def test_images_are_those_of_the_data_and_of_the_optimum(digits):
    document, arrays = digits
    found, data = data_section.section(document, arrays), load("digits")
    first = document["portrait"]["rows"][0]
    grey = pixels(found["examples"][0])
    rows = next(iter(data.source.blocks_again()))
    assert grey.shape == (8, 8)
    assert np.abs(grey.ravel() / 255 * 16 - rows[first - 1]).max() < 0.04  # half a grey level of 255
    assert np.abs(grey.ravel() / 255 * 16 - rows[first]).max() > 1  # control: the next row is another
    lam, at = data.eigenvalues, document["portrait"]["at"]
    best = reconstruct(arrays["mean"], arrays["axes"], arrays["coordinates"], lam, at[1]["sigma2"], 10)
    drawn = pixels(found["again"][1][0]).ravel() / 255 * 16
    assert np.abs(drawn - np.clip(best[0], 0, 16)).max() < 0.04
    assert np.abs(drawn - np.clip(arrays["mean"], 0, 16)).max() > 1  # control: the mean is another


def test_the_script_is_given_what_it_needs(digits):
    document, arrays = digits
    live = data_section.section(document, arrays)["live"]
    for name in ("mean", "axes", "coordinates"):
        error = np.abs(unpacked(live[name]) - arrays[name]).max()
        assert live[name]["shape"] == list(arrays[name].shape)
        assert error <= live[name]["step"] / 2 * (1 + 1e-9)
    assert live["eigenvalues"] == document["stability"]["eigenvalues"][:10]


def test_a_table_is_shown_by_the_names_of_its_columns(table):
    document, arrays = table
    found = data_section.section(document, arrays)
    assert found["axes"][0]["picture"][0]["name"] == "height" and found["columns"] == 5
    bar = found["axes"][0]["picture"][0]
    assert bar["width"] == 50 and bar["left"] == (0 if bar["sign"] == "minus" else 50)
    # The ring of the first datum stands where its column has it, in standard deviations.
    x, columns = arrays["examples"][0], document["portrait"]["columns"]
    z = (x[0] - columns[0]["mean"]) / columns[0]["deviation"]
    left, right = data_section.NAMES, data_section.WIDTH - 6
    place = left + (right - left) * (z + found["reach"]) / (2 * found["reach"])
    assert f'<circle cx="{round(place, 2)}" cy="9" r="4.2" class="datum"/>' in found["figures"][0]
    assert 'r="4.2"' in found["figures"][0] and found["figures"][0].count('class="datum"') == 5


def test_names_of_columns_are_escaped(table, tmp_path):
    document, arrays = table
    found = data_section.section(document, arrays)
    assert HOSTILE not in found["figures"][0] and "&lt;img" in found["figures"][0]
    assert "a very long name o…" in found["figures"][0]


def test_the_section_is_on_the_page_only_where_there_are_data(digits, table, folder):
    for document, arrays in (digits, table):
        text = page.render(document | {"figure1": None, "figure2": None}, folder / "figures", arrays)
        assert '<section id="data">' in text and HOSTILE not in text and "<img src=x" not in text
    bare = json.loads((folder / "report.json").read_text())
    assert bare["portrait"] is None and '<section id="data">' not in page.render(bare, folder / "figures")


def test_a_report_of_before_is_drawn_without_the_data(tmp_path):
    out = tmp_path / "out"
    document, _ = written(out, "digits", 2)
    assert '<section id="data">' in (out / "index.html").read_text()
    del document["portrait"]
    (out / "report.json").write_text(json.dumps(document))
    check("report", document)
    assert '<section id="data">' not in redraw(out).read_text()


def test_equal_eigenvalues_are_said_to_leave_axes_open(digits):
    document, arrays = digits
    assert not [c for c in data_section.section(document, arrays)["caveats"] if "arbitrary" in c]
    lam = document["stability"]["eigenvalues"]
    tied = document | {"stability": document["stability"] | {"eigenvalues": [*lam[:3], lam[2], *lam[4:]]}}
    [said] = [c for c in data_section.section(tied, arrays)["caveats"] if "arbitrary" in c]
    assert said.startswith("The eigenvalues 3, 4 are equal")
