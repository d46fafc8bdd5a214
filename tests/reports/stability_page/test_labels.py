"""What is written in the pictures can be read: nothing lies over anything else, and nothing is cut off."""

import json
import re
from html import unescape
from math import log10
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.cbook import STEP_LOOKUP_MAP
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from reports.analysis.landscape import landscape
from reports.pages.html import inline_svg
from reports.panels import slices as figure_1
from reports.stability_page.figures import likelihood, phase, pictures, retained, scree
from reports.stability_page.write import drawn
from tests.reports.stability_page.zoo import ZOO, document_of
from verify.data.covariance import from_eigenvalues
from verify.pictures.drawing import blank, drawing, save, settle

# Of a pixel, at 100 a inch: boxes of texts that touch are no fault.
TOUCH = 0.5


def picture(name: str, document) -> tuple[Figure, Axes]:
    """A picture as it is written, before it is."""
    return drawn(pictures(document)[name], document)


def texts(figure: Figure) -> list[Text]:
    """All texts that are seen: of ticks only those in view."""
    panels = [*figure.axes, *(child for axes in figure.axes for child in axes.child_axes)]
    found = [text for legend in figure.legends for text in legend.get_texts()]
    for axes in panels:
        found += [*axes.texts, axes.title]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [*zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True)]
            ticks += zip(axis.get_minorticklocs(), axis.get_minorticklabels(), strict=True)
            found += [axis.label, axis.get_offset_text(), *(text for at, text in ticks if low <= at <= high)]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def faults(figure: Figure) -> list[str]:
    """Texts that overlap or leave the figure."""
    figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent().padded(-TOUCH)) for text in texts(figure)]
    width, height = figure.bbox.width, figure.bbox.height
    found = [f"{said} leaves" for said, b in boxes if b.x0 < 0 or b.y0 < 0 or b.x1 > width or b.y1 > height]
    pairs = ((one, other) for i, one in enumerate(boxes) for other in boxes[:i])
    return found + [f"{a} over {b}" for (a, first), (b, second) in pairs if Bbox.intersection(first, second)]


def struck(axes: Axes) -> list[str]:
    """Texts within the axes that a line runs through, found by walking along every line."""
    boxes = [(text.get_text(), text.get_window_extent()) for text in axes.texts]
    found = []
    for line in axes.lines:
        style = line.get_drawstyle()
        x, y = line.get_data() if style == "default" else STEP_LOOKUP_MAP[style](*line.get_data())
        corners = line.get_transform().transform(np.column_stack([x, y]).astype(float))
        t = np.linspace(0, 1, 150)[:, None, None]
        walk = (corners[:-1] + (corners[1:] - corners[:-1]) * t).reshape(-1, 2)
        for said, box in boxes:
            found += [said] * bool(((walk >= box.min) & (walk <= box.max)).all(axis=1).any())
    return found


@pytest.fixture(params=sorted(ZOO))
def name(request):
    return request.param


def test_no_text_lies_over_another_or_is_cut_off(name):
    document, _ = document_of(name)
    with drawing():
        said = {of: faults(picture(of, document)[0]) for of in pictures(document)}
    assert not any(said.values()), said


def test_no_line_runs_through_a_text(name):
    document, _ = document_of(name)
    with drawing():
        said = {of: struck(picture(of, document)[1]) for of in pictures(document)}
    assert not any(said.values()), said


def test_slices_can_be_read_side_by_side_and_alone(name):
    _, slices = document_of(name)
    with drawing():
        for piece in slices:
            figure = blank(3.9, 3.5)
            figure_1.draw(figure.subplots(), piece, figure_1.Scale.of(slices))
            settle(figure)
            assert faults(figure) == []


def test_a_label_over_another_and_one_over_a_line_are_found():  # control
    document, _ = document_of("bare")
    with drawing():
        figure, axes = picture("phase", document)
        assert faults(figure) == [] and struck(axes) == []
        lam = document["stability"]["eigenvalues"]
        axes.text(lam[1], 2, "over the step")
        axes.text(lam[1], 2, "over that")
        assert faults(figure) == ["over that over over the step"]
        assert {"over the step", "over that"} == set(struck(axes))
        axes.texts[-1].set_position((1e3, 1))
        assert faults(figure) == ["over that leaves"]


def test_regions_of_the_phase_diagram_are_named_where_there_is_room():
    named = {
        name: {text.get_text().replace("\n", " ") for text in picture("phase", document_of(name)[0])[1].texts}
        for name in ("bare", "wine", "iris")
    }
    both = {"retained", "collapsed"}
    assert both | {"unstable, but all k are in use"} <= named["bare"]
    # A sliver of it is left on these data: the caption says it alone.
    for name in ("wine", "iris"):
        assert both <= named[name] and not any("in use" in text for text in named[name])
        assert "Yellow: unstable, but all k latents are in use." in phase.caption(document_of(name)[0])
    assert "Yellow" not in phase.caption(document_of("k = n")[0])  # control


def test_every_eigenvalue_of_a_few_is_drawn_and_the_grid_of_noises_is_as_it_was():
    document, _ = document_of("wine")
    _, axes = picture("scree", document)
    drawn = sum(len(found.get_offsets()) for found in axes.collections if len(found.get_offsets()) > 1)
    low, high = axes.get_ylim()
    lam = document["stability"]["eigenvalues"]
    assert drawn == len(lam) == 13 and low < min(lam) and max(lam) < high
    assert "nothing is drawn" not in scree.caption(document)
    _, likeliest = picture("likelihood", document)
    assert likeliest.get_xlim()[0] > min(lam)  # control: the others keep to six decades


def test_bands_are_two_standard_errors_wide_and_said_only_where_they_are():
    document, _ = document_of("iris")
    thresholds = document["stability"]["thresholds"]
    error, lam = thresholds[1]["standard_error"], document["stability"]["eigenvalues"][1]
    for panel, across in ((scree, 1), (phase, 0)):
        _, axes = picture(panel.__name__.rpartition(".")[2], document)
        corners = np.vstack([path.vertices for found in axes.collections for path in found.get_paths()])
        for edge in (lam - 2 * error, lam + 2 * error):
            assert np.isclose(corners[:, across], edge, rtol=1e-12).any()
        assert "two standard errors" in panel.caption(document)
        assert "standard errors" not in panel.caption(document_of("bare")[0])


@pytest.mark.parametrize("panel", [scree, phase, retained])
def test_a_caption_explains_rings_only_where_there_are_some(panel):
    assert "equals sigma2 = 1" in panel.caption(document_of("ties")[0])
    assert "rounding cannot tell" in panel.caption(document_of("within rounding")[0])
    assert "Ring" not in panel.caption(document_of("bare")[0])


@pytest.mark.parametrize(
    "name, said",
    [
        ("wine", {"σ² = 1: 5 of 10", "recommended: all 10"}),
        ("ties", {"σ² = 1: 1 of 2", "recommended: both"}),
        ("within rounding", {"σ² = 1: 2 or 3 of 3", "recommended: all 3"}),
        ("rank < n", {"σ² = 1: 2 of 4"}),
        ("tiny", {"σ² = 1: 0 of 3 →", "recommended: all 3"}),
        ("huge", {"← σ² = 1: 3 of 3", "recommended: all 3"}),
    ],
)
def test_the_staircase_says_where_one_is(name, said):
    _, axes = picture("retained", document_of(name)[0])
    assert {text.get_text() for text in axes.texts} == said


def read_scales(svg: str):
    return json.loads(unescape(re.search(r'data-axes="([^"]*)"', svg)[1]))


def placed(scale, value: float) -> float:
    """Where a value of the data lies, by data-axes alone."""
    start, end, first, last, kind = scale
    a, b, v = (log10(first), log10(last), log10(value)) if kind == "log" else (first, last, value)
    return start + (v - a) / (b - a) * (end - start)


@pytest.mark.parametrize("name", ["scree", "phase", "retained", "likelihood", "figure2"])
def test_every_picture_over_noise_says_where_its_scales_lie(folder, name):
    svg = (folder / "figures" / f"{name}.svg").read_text()
    found = read_scales(svg)
    view = [float(side) for side in ElementTree.fromstring(svg).get("viewBox").split()]
    assert view[0] < found["x"][0] < found["x"][1] <= view[2] and view[1] < found["y"][0] < found["y"][1] < view[3]
    assert found["y" if name == "scree" else "x"][4] == ("linear" if name == "figure2" else "log")
    assert read_scales(str(inline_svg(svg, name, "x"))) == found


def test_a_point_is_found_in_the_svg_where_data_axes_has_it(tmp_path):
    document, _ = document_of("wine")
    with drawing():
        figure, axes = picture("retained", document)
        svg = save(figure, tmp_path, "retained", scaled=axes)[0].read_text()
    found = read_scales(svg)
    # The dots, which are outlined in the colour of the paper; the strokes on the axes are markers too.
    used = re.findall(r'<use xlink:href="[^"]*" x="([\d.]+)" y="([\d.]+)" style="[^"]*stroke: #fffefd', svg)
    dots = [(float(x), float(y)) for x, y in used]
    expected = [(1.0, document["usual"]["retained"]), (document["stability"]["recommended_sigma2"], document["k"])]
    assert len(dots) == 2
    for (x, y), (sigma2, held) in zip(dots, expected, strict=True):
        assert abs(placed(found["x"], sigma2) - x) < 0.01 and abs(placed(found["y"], held) - y) < 0.01
        assert abs(placed(found["x"], 1.1 * sigma2) - x) > 0.5  # control


def test_panels_of_figure_1_share_axes_and_colours():
    _, slices = landscape(from_eigenvalues([6, 4, 2.5, 1.2, 0.5]), 3)
    figure = blank(10, 3.5)
    scale = figure_1.Scale.of(slices)
    panels = figure.subplots(1, len(slices))
    for axes, piece in zip(panels, slices, strict=True):
        figure_1.draw(axes, piece, scale)
    assert len({(*axes.get_xlim(), *axes.get_ylim()) for axes in panels}) == 1
    assert {axes.images[0].norm.vmax for axes in panels} == {scale.depth}
    assert all(axes.child_axes[0].get_ylabel() == "nats below the panel's best" for axes in panels)
    assert len({float(np.abs(piece.a).max()) for piece in slices}) > 1  # control: alone they would differ


def test_the_panels_of_a_report_are_computed_over_one_square():
    _, slices = document_of("bare")
    assert len({float(np.abs(piece.a).max()) for piece in slices}) == 1


def test_the_dot_of_the_likelihood_is_the_maximum_likelihood_noise():
    for name in ("bare", "k = n"):
        document, _ = document_of(name)
        _, axes = picture("likelihood", document)
        dots = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"]
        assert dots == [document["stability"]["sigma2_mle"]]
    assert likelihood.caption(document_of("bare")[0]).count("highest at") == 1
