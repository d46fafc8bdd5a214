"""Figures of curves: what many panels share is said once, legends fit, marks on the edge are seen whole."""

import matplotlib
import pytest

from reports.paper_figures import lines
from reports.paper_figures.document import line, panel
from verify.pictures.drawing import drawing, settle

matplotlib.use("Agg")


def entry(count, across=None, **options):
    curves = [
        line("deep models", "trained", [0, 1, 2], [0, 50, 100], 0, [1, 2, 3]),
        line("printed", "printed", [2], [5]),
    ]
    limits = {"xlim": (0, 2), "ylim": (-3, 103), **options}
    panels = [panel(f"sigma2 = {at}", "epsilon", "percent", curves, **limits) for at in range(count)]
    return {"panels": panels} | ({} if across is None else {"across": across})


def drawn(of):
    with drawing():
        figure = lines.draw(of, {})
        settle(figure)
    return figure, [axes for axes in figure.axes if axes.get_visible()]


def test_names_of_axes_stand_at_the_edges():
    _, frames = drawn(entry(10, 5))
    assert [bool(axes.get_ylabel()) for axes in frames] == ([True] + [False] * 4) * 2
    assert [bool(axes.get_xlabel()) for axes in frames] == [False] * 5 + [True] * 5
    # A panel with nothing below keeps its own.
    assert [bool(axes.get_xlabel()) for axes in drawn(entry(7, 5))[1]] == [False, False, True, True, True, True, True]


def test_axes_of_their_own_keep_their_names():
    of = entry(4, 2)
    of["panels"][1]["ylim"] = (0, 7)
    _, frames = drawn(of)
    assert [bool(axes.get_ylabel()) for axes in frames] == [True, True, True, False]
    assert all(axes.get_ylabel() for axes in drawn(entry(4, 2, ylim=None))[1])


NAMES = ["annealed", "annealed, after 20 epochs", "standard", "standard, after 20 epochs", "linear theory",
         "linear theory at beta = 0.8", "standard, printed at epsilon = 0.01"]  # fmt: skip


@pytest.mark.parametrize("across", [1, 2, 4])
def test_the_legend_fits(across):
    of = entry(across, across)
    for one in of["panels"]:
        one["lines"] = [line(name, "trained", [0, 2], [1, 2]) for name in NAMES]
    figure, _ = drawn(of)
    [legend] = figure.legends
    box, width = legend.get_window_extent(), figure.get_figwidth() * figure.dpi
    assert box.x0 >= 0 and box.x1 <= width
    assert len(legend.get_texts()) == len(NAMES)


def test_marks_on_the_edge_are_whole_and_those_outside_are_not_drawn():
    _, [axes] = drawn(entry(1))
    assert not axes.lines[1].get_clip_on() and axes.lines[0].get_clip_on()
    _, [axes] = drawn(entry(1, xlim=(0, 1)))
    assert axes.lines[1].get_clip_on()


def test_bands_of_percentages_end_at_none_and_all():
    def band(**options):
        _, [axes] = drawn(entry(1, **options))
        y = axes.collections[0].get_paths()[0].vertices[:, 1]
        return y.min(), y.max()

    assert band() == (0, 100)  # 0 ± 1 and 100 ± 3
    assert band(ylim=(-3, 110)) == (-1, 103)


@pytest.mark.parametrize("x", ["epoch", "step", "epsilon"])
def test_epochs_are_whole_numbers(x):
    of = entry(1)
    of["panels"][0]["x"] = x
    _, [axes] = drawn(of)
    assert all(tick == round(tick) for tick in axes.get_xticks()) == (x != "epsilon")


def test_finals_are_dots_in_the_colour_of_their_curve_and_not_named_twice():
    of = entry(1)
    of["panels"][0]["lines"] = [line("a", "trained", [0, 2], [1, 2], 1), line("a", "final", [2], [3], 1)]
    figure, [axes] = drawn(of)
    curve, dot = axes.lines
    assert dot.get_marker() == "o" and dot.get_color() == curve.get_color() and not dot.get_clip_on()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a"]


def test_numbers_on_axes_are_short():
    _, [axes] = drawn(entry(1))
    assert "0" in [text.get_text() for text in axes.get_xticklabels()]
    _, [axes] = drawn(entry(1, ylim=(0.1, 100), yscale="log"))
    assert {"0.3", "1", "3"} <= {text.get_text() for text in axes.get_yticklabels()}


def test_ticks_of_neighbours_do_not_run_into_each_other():
    _, frames = drawn(entry(10, 5))
    last, first = (axes.get_xticklabels() for axes in frames[5:7])
    boxes = [text.get_window_extent() for text in (*last, *first) if text.get_text()]
    assert len(boxes) > 4
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])
