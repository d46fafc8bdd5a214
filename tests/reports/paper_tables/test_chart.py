"""The chart of the tables: a frame that one model cannot flatten, what lies outside of it, a legend above it."""

import copy

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from reports.paper_tables import figure
from verify.pictures.drawing import blank, drawing, settle


def document(ours, noise="fixed", printed=-1000.0):
    """tables.json, as far as the chart reads it: rows with these ELBOs, each at its noise."""
    return {
        "trainings": [{}],
        "rows": [
            {
                "training": 1,
                "noise": noise,
                "init_sigma2": init,
                "retained": {"linear": 1, "of": 2},
                "cells": {
                    "elbo": {"ours": elbo, "spread": 1.0, "printed": printed, "printed_spread": 1.0},
                    "collapse_percent": {"ours": 50.0, "spread": None, "printed": 25.0, "printed_spread": None},
                },
            }
            for init, elbo in ours.items()
        ],
    }


def drawn(found):
    with drawing():
        made = blank(9.6, 3.9)
        frames = made.subplots(1, 2)
        figure.both(frames, found, 1)
        settle(made)
    return frames


USUAL = {0.001: -90_000.0, 0.1: -2000.0, 10.0: -1500.0}


def test_a_model_that_blew_up_leaves_the_frame_to_the_others():
    usual, blown = (drawn(document(ours)) for ours in (USUAL, {**USUAL, 1.0: -2.4e29}))
    limits = [sorted(frames[1].get_ylim()) for frames in (usual, blown)]
    np.testing.assert_allclose(limits[1], limits[0], rtol=1e-9)
    assert limits[1][1] < 1e6
    arrows = [line for line in blown[1].lines if line.get_marker() == "v"]
    assert [list(line.get_xdata()) for line in arrows] == [[1.0]]
    assert not [line for line in usual[1].lines if line.get_marker() == "v"]


@pytest.mark.parametrize("elbo", [-2.4e29, 3.0, 0.0])
def test_what_lies_outside_is_told(elbo):
    """Far below all others, or where a logarithm ends."""
    found = document({**USUAL, 1.0: elbo})
    assert [row["init_sigma2"] for row in figure.below(found, 1)] == [1.0]
    assert figure.told_of(figure.below(found, 1)).endswith(f"fixed 1: {figure.measured(elbo)}")
    assert figure.below(document(USUAL), 1) == [] and figure.told_of([]) == ""


def test_lines_part_at_what_is_outside():
    [container] = drawn(document({**USUAL, 1.0: -2.4e29}))[1].containers
    y = np.array(container.lines[0].get_ydata(), dtype=float)
    assert list(np.isnan(y)) == [False, False, True, False]  # by noise, smallest first


def test_of_models_that_all_diverged_only_the_printed_ones_are_drawn():
    found = document(dict.fromkeys(USUAL))
    assert figure.below(found, 1) == []
    low, high = sorted(drawn(found)[1].get_ylim())
    assert low < 1000 < high


def test_the_legend_lies_above_the_frames(tmp_path, monkeypatch):
    kept = []
    monkeypatch.setattr(figure, "save", lambda made, folder, name: kept.append(made) or [])
    found = document(USUAL)
    found["rows"] += copy.deepcopy(document(USUAL, "learned"))["rows"]
    figure.draw(found, tmp_path)
    [made] = kept
    settle(made)
    [legend] = made.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names[:2] == ["fixed noise", "learned noise"] and len(names) == len(set(names)) == 5
    renderer = FigureCanvasAgg(made).get_renderer()
    bottom = legend.get_window_extent(renderer).y0
    assert all(frame.get_window_extent(renderer).y1 <= bottom for frame in made.axes)
