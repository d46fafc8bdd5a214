"""Pictures side by side: every pixel in its place, nothing between them, and words beside them."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from reports.panels.images import gallery, gap, mark, mosaic


def pictures(channels=3, rows=2, columns=3, height=5, width=4):
    shape = (rows, columns, height, width, channels)
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_every_picture_stands_in_its_row_and_column(channels):
    shown = pictures(channels)
    whole, between = mosaic(shown), gap(shown)
    assert whole.shape == (2 * 5 + between, 3 * 4 + 2 * between, 4)
    for i in range(2):
        for j in range(3):
            top, left = i * (5 + between), j * (4 + between)
            tile = whole[top : top + 5, left : left + 4]
            assert np.array_equal(tile[..., :3], np.broadcast_to(shown[i, j], (5, 4, 3)))
            assert (tile[..., 3] == 255).all()
    assert (whole[5] == 0).all() and (whole[:, 4] == 0).all()  # what lies between is not there


def test_words_stand_beside_the_rows_and_below_the_columns():
    figure = Figure()
    axes = figure.subplots()
    gallery(axes, pictures(), ["image", "again"], ["1", "2", "3"], after=["", "off"])
    mark(axes, pictures(), 1, 2, "red", "corner")
    figure.draw_without_rendering()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["image", "again"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "3"]
    frame = axes.get_window_extent()
    off, corner = (next(t for t in axes.texts if t.get_text() == said) for said in ("off", "corner"))
    assert off.get_window_extent().x0 > frame.x1 and corner.get_window_extent().y1 <= frame.y0 + 1
    assert axes.images[0].get_interpolation() == "none"
