"""docs/examples: each runs from its first cell to its last, and finds what its comments say."""

import os

import matplotlib.pyplot
import numpy as np
import pytest

import verify
from tests.docs.blocks import DOCS

EXAMPLES = sorted((DOCS / "examples").glob("*.py"))


def ran(name, folder, capsys):
    """The names that an example leaves behind, and what it printed."""
    path, before = DOCS / "examples" / f"{name}.py", os.getcwd()
    matplotlib.use("Agg")
    namespace = {"__name__": "example"}
    os.chdir(folder)
    try:
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), namespace)
    finally:
        os.chdir(before)
        matplotlib.pyplot.close("all")
    return namespace, capsys.readouterr().out


def test_each_has_cells_and_a_test_here():
    assert [path.stem for path in EXAMPLES] == ["genes", "images", "own_vae"]
    for path in EXAMPLES:
        text = path.read_text(encoding="utf-8")
        assert text.count("\n# %% ") >= 5 and f"test_{path.stem}" in globals()


def test_genes(tmp_path, capsys):
    names, printed = ran("genes", tmp_path, capsys)
    assert names["raw"].n == names["data"].n == 400 and names["data"].rank == 59
    assert "column 1 (sample) left out" in printed
    # Three programmes were put in: the spectrum falls by more than ten times after them, and nowhere else.
    lam = names["data"].eigenvalues[:10]
    assert np.flatnonzero(lam[:-1] > 10 * lam[1:]).tolist() == [2]
    assert [row["retained"] for row in names["at"].noise] == [3, 1, 0]
    assert (tmp_path / "genes.png").stat().st_size > 1000


def test_images(tmp_path, capsys):
    names, printed = ran("images", tmp_path, capsys)
    assert "pixels from 0 to 16: sigma2 = 1 keeps 10 of 10" in printed
    assert "pixels from 0 to 1: sigma2 = 1 keeps 0 of 10" in printed
    assert names["points"].points[0]["kind"] == "maximum"
    assert all(point["kind"] == "saddle" for point in names["points"].points[1:])
    assert (tmp_path / "digits.png").stat().st_size > 1000


def test_own_vae(tmp_path, capsys):
    names, printed = ran("own_vae", tmp_path, capsys)
    assert "to be stopped: True - active units at the end: 0" in printed
    first, second, third = (names[name] for name in ("first", "second", "third"))
    assert first.cause == "noise" and len(first.collapsed) == 6
    assert second.cause == "training" and second.revival["nats"] > 10
    # The promise has a standard error of its own; 100 draws of the error for 1797 data add less than .1 to each ELBO.
    brought, error = names["after"] - names["before"], second.revival["standard_error"]
    assert brought == pytest.approx(second.revival["nats"], abs=4 * error + 0.3)
    assert names["elbo"](names["impatient"]) > names["after"] > names["before"]
    assert third.linear["below"] < 0


def test_what_the_examples_import_is_the_face():
    for path in EXAMPLES:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("from verify")]
        (line,) = lines
        asked = line.removeprefix("from verify import ").split(", ")
        assert set(asked) <= set(verify.__all__)
