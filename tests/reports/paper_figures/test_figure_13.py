"""Figure 13: the plane through three latents, its corners, and how smooth the way between them is."""

import csv
import json

import numpy as np
import pytest

from reports.cli import main
from reports.paper_figures import figure_13, pictures


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("plane")
    argv = ["figures", "13", "--data", "digits", "--epochs", "2", "--seeds", "1", "--quiet"]
    assert main([*argv, "--out", str(out)]) == 0
    with np.load(out / "figure-13.npz") as arrays:
        return out, dict(arrays)


def test_the_plane_has_three_corners_and_extrapolates_the_fourth():
    a, b, c = np.random.default_rng(0).normal(size=(3, 5))
    z = figure_13.plane(a, b, c)
    for corner, expected in (((0, 0), a), ((0, -1), b), ((-1, 0), c)):
        np.testing.assert_array_equal(z[corner], expected)
    np.testing.assert_allclose(z[-1, -1], b + c - a, atol=1e-15)
    np.testing.assert_allclose(z[2, 3], a + 3 / 7 * (b - a) + 2 / 7 * (c - a), atol=1e-15)


def test_the_files_hold_the_grid_and_its_distances(made):
    out, arrays = made
    grid = arrays["grid"]
    assert grid.shape == (8, 8, 8, 8, 1) and grid.dtype == np.uint8
    for i, at in enumerate([(0, 0), (0, 7), (7, 0)]):
        assert np.abs(grid[at].astype(int) - arrays["reconstructions"][i]).max() <= 1
    lines = list(csv.DictReader((out / "figure-13.csv").read_text().splitlines()))
    assert len(lines) == 64
    line = lines[8 * 2 + 3]
    assert (line["row"], line["column"]) == ("3", "4") and float(line["s"]) == pytest.approx(3 / 7)
    expected = pictures.rms(grid[2, 3], grid[2, 4]) ** 2, pictures.rms(grid[2, 3], grid[3, 3]) ** 2
    assert (float(line["to_the_right"]), float(line["to_the_one_below"])) == pytest.approx(expected)
    corners = [i for i, one in enumerate(lines) if one["to_its_reconstruction"]]
    assert corners == [0, 7, 56] and lines[63]["to_the_right"] == ""


def blended(steps):
    """A grid between three grey images, whose way goes by these parts; and the three images."""
    s, t = np.meshgrid(steps, steps)
    a, b, c = 20.0, 220.0, 120.0
    grid = (a + s * (b - a) + t * (c - a))[..., None, None, None] * np.ones((3, 3, 1))
    grid = np.clip(grid, 0, 255).round().astype(np.uint8)
    return grid, np.stack([grid[0, 0], grid[0, -1], grid[-1, 0]])


def test_findings_turn_with_the_grid():
    even = np.linspace(0, 1, figure_13.SIDE)
    grid, again = blended(even)
    assert [f["holds"] for f in figure_13.findings(grid, again)] == [True]
    assert figure_13.findings(grid, again, "it moves")[0] == {
        "finding": figure_13.findings(grid, again)[0]["finding"],
        "holds": None,
        "evidence": "the training of the model shown is unfinished (it moves); "
        + figure_13.findings(grid, again)[0]["evidence"],
    }
    jump = np.array([0, 0.05, 0.1, 0.15, 0.8, 0.9, 0.95, 1])
    grid, again = blended(jump)
    assert [f["holds"] for f in figure_13.findings(grid, again)] == [False]


def test_corners_are_the_reconstructions():
    grid, again = blended(np.linspace(0, 1, figure_13.SIDE))
    assert figure_13.corners_off(grid, again) == 0 and figure_13.corners_off(grid, again[::-1]) == 100


def test_of_a_grid_that_is_one_image_nothing_can_be_told():
    grid, again = blended(np.zeros(figure_13.SIDE))
    found = figure_13.findings(grid, again)
    assert found[0]["holds"] is None and "not three images" in found[0]["evidence"]
    # Two of the three alike are not enough either.
    grid, again = blended(np.linspace(0, 1, figure_13.SIDE))
    grid = np.repeat(grid[:1], figure_13.SIDE, axis=0)
    [found] = figure_13.findings(grid, np.stack([grid[0, 0], grid[0, -1], grid[-1, 0]]))
    assert found["holds"] is None and "from first to third image" in found["evidence"]


def test_too_few_images_are_left_out_with_a_sentence(tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).integers(0, 256, (2, 4, 4)).astype(np.uint8))
    argv = ["figures", "13", "--data", str(tmp_path / "x.npy"), "--epochs", "1", "--quiet"]
    assert main([*argv, "--json", "--out", str(tmp_path / "out")]) == 0
    [entry] = json.loads(capsys.readouterr().out)["figures"]
    assert "holds 2 images, and this figure goes between three" in entry["left_out"]
