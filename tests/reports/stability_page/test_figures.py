"""The pictures: which there are, that they are the same each time, and that what is on the axes is what theory says."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from reports.analysis import report as contents
from reports.pages import noises
from reports.panels import components as figure_2
from reports.panels import slices as figure_1
from reports.stability_page import write
from reports.stability_page.figures import phase, retained, scree
from reports.terminal.files import staged
from tests.reports.spectra import measured
from verify.data.covariance import from_eigenvalues
from verify.landscape.slices import zero_column_slice

LAM = np.array([6.0, 4.0, 2.5, 1.2, 0.5])


@pytest.fixture
def document(folder):
    return json.loads((folder / "report.json").read_text())


@pytest.fixture
def axes():
    return Figure().subplots()


def test_every_picture_is_svg_and_png(folder):
    found = {p.name for p in (folder / "figures").iterdir()}
    for name in ("scree", "phase", "retained", "likelihood", "figure2", "slice-1", "slice-2", "slice-3", "landscape"):
        assert {f"{name}.svg", f"{name}.png"} <= found
    for svg in (folder / "figures").glob("*.svg"):
        assert ElementTree.fromstring(svg.read_text()).tag.endswith("svg")
    assert (folder / "figures" / "scree.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_data_give_the_same_bytes(document, tmp_path):
    drawn = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write.draw(document, [], tmp_path / name)
        drawn.append({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()})
    assert drawn[0] == drawn[1]
    document["k"] = 2
    (tmp_path / "c").mkdir()
    write.draw(document, [], tmp_path / "c")
    assert (tmp_path / "c" / "scree.svg").read_bytes() != drawn[0]["scree.svg"]  # control


def test_no_date_and_no_machine_in_an_svg(folder):
    text = (folder / "figures" / "scree.svg").read_text()
    assert "<dc:date>" not in text and "/home" not in text and "/tmp" not in text


def test_landscape_draws_every_slice_side_by_side(tmp_path):
    slices = [zero_column_slice(LAM, s, (1, 3), 0, grid=11) for s in (5.0, 2.0)]
    paths = figure_1.landscape(slices, tmp_path)
    assert [p.name for p in paths] == ["landscape.svg", "landscape.png"] and all(p.stat().st_size for p in paths)
    assert figure_1.landscape([], tmp_path) == []


def test_the_staircase_steps_at_the_eigenvalues(axes, document):
    retained.draw(axes, document)
    x, y = axes.lines[0].get_data()
    lam = document["stability"]["eigenvalues"]
    # Drawn with falling noise and "post" steps: from x[i] down to x[i + 1] y[i] latents are held.
    for upper, lower, held in zip(x[:-1], x[1:], y[:-1], strict=True):
        middle = float(np.sqrt(upper * lower))
        assert held == min(document["k"], sum(value > middle for value in lam))


def test_the_phase_boundary_is_the_spectrum(axes, document):
    phase.draw(axes, document)
    bound, edges = axes.lines[0].get_data()
    lam = document["stability"]["eigenvalues"]
    # "Steps before": the upright at bound[i] runs from edges[i] to edges[i + 1], over direction i + 1.
    assert axes.lines[0].get_drawstyle() == "steps-pre"
    assert edges[:-1].tolist() == [i + 0.5 for i in range(len(lam))] and bound[:-1].tolist() == lam


def test_a_noise_far_off_the_spectrum_is_not_marked():
    near, far = noises.marked_noises(LAM, 0.8, [1.0]), noises.marked_noises(LAM * 1e-9, 0.8e-9, [1.0])
    assert [s for s, _, _ in near] == [1.0, 0.8] and [s for s, _, _ in far] == [0.8e-9]
    low, high = noises.window(LAM * 1e-9, 0.8e-9, [1.0])
    assert low < 0.5e-9 and 6e-9 < high < 1e-7


def test_a_slice_is_drawn_the_right_way_round(axes):
    # Unstable along a (x) only: the two maxima, of depth 0, lie on the x axis, whatever the order of the array.
    piece = zero_column_slice(LAM, 2.0, (1, 3), 0, grid=21)
    figure_1.draw(axes, piece)
    shown = axes.images[0].get_array()
    row, column = np.unravel_index(int(shown.argmin()), shown.shape)
    assert row == 10 and column != 10
    turned = Figure().subplots()
    figure_1.draw(turned, replace(piece, values=piece.values.T))  # control
    assert np.unravel_index(int(turned.images[0].get_array().argmin()), shown.shape)[1] == 10


def test_slices_of_another_weight_say_so(tmp_path):
    piece = zero_column_slice(LAM, 2.0, (1, 3), 0, grid=11)
    for beta, there in ((1.0, False), (4.0, True)):
        svg = figure_1.landscape([piece], tmp_path, beta)[0].read_text()
        assert ("ELBO (β = 4)" in svg) == there


@pytest.mark.parametrize("beta", [1.0, 4.0])
def test_pictures_and_page_of_another_weight_say_so(beta, tmp_path):
    data = from_eigenvalues(LAM)
    with staged(tmp_path) as stage:
        write.write(*contents.report(data, k=3, name="x", beta=beta), stage, tmp_path)
    for name in ("scree", "phase", "retained", "likelihood", "slice-1", "landscape"):
        text = (tmp_path / "figures" / f"{name}.svg").read_text()
        assert ("β = 4" in text or "λⱼ/4" in text) == (beta == 4.0), name
    page = (tmp_path / "index.html").read_text()
    assert ("of the likelihood (<i>β</i> = 1)" in page) == (beta == 4.0)
    assert ("Here the noises are such eigenvalues divided by" in page) == (beta == 4.0)


def test_figure_2_has_a_detail_only_where_a_curve_falls():
    rising = {"weights_at_reference": [1.0, 2.0, 2.0]}
    assert not figure_2.falls(rising) and figure_2.falls({"weights_at_reference": [1.0, 2.0, 1.9]})


@pytest.mark.parametrize("panel", [scree, phase, retained])
def test_a_tie_with_the_usual_noise_is_ringed(panel):
    def rings(data):
        axes = Figure().subplots()
        panel.draw(axes, contents.compute(data, 3, "x")[0])
        return [c for c in axes.collections if isinstance(c, PathCollection) and c.get_facecolor().size == 0]

    assert len(rings(measured(3.0, 2.0, 1.0, 0.5))) == 1
    assert len(rings(from_eigenvalues([3.0, 2.0, 1.0, 0.5]))) == 1
    assert rings(measured(3.0, 2.0, 1.1, 0.5)) == []  # control
