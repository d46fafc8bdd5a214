"""elbo-verify figures, killed and interrupted: the same command goes on, and ends in the same bytes.

All figures, of the smallest data: as pictures cost more than such trainings, a run takes some ten seconds, and what is
killed twice about three.
"""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reports.cli import main
from reports.paper_figures.declared import FIGURES
from reports.terminal.folders import alone
from tests.reports.training.test_train import interrupting
from verify.errors import InputError

pytest.importorskip("safetensors")
TINY = ("--data", "tiny.npy", "patches:6", "--epochs", "3", "--seeds", "1")
# A process that gets a signal (a number) just before it moves a file for the nth time (0: never), and says how many it
# has moved: files go into their places by that.
# Whoever runs the tests in the background may have had interruptions ignored, which a process inherits.
SIGNALLED = """
import os, signal, sys
from reports.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
move, (number, at) = os.replace, map(int, sys.argv[1:3])
moves = 0
def counted(*args):
    global moves
    moves += 1
    if moves == at:
        os.kill(os.getpid(), number)
    return move(*args)
os.replace = counted
code = main(sys.argv[3:])
print(f"moved {moves}")
sys.exit(code)
"""


def tiny(folder):
    """40 images of 6 x 6 grey values that vary in four directions most."""
    rng = np.random.default_rng(0)
    X = 128 + 50 * rng.normal(size=(40, 4)) @ rng.normal(size=(4, 36)) + 5 * rng.normal(size=(40, 36))
    np.save(folder / "tiny.npy", np.clip(np.round(X), 0, 255).astype(np.uint8).reshape(40, 6, 6))
    return folder


def process(folder, *words, number=0, at=0):
    """A command in a process of its own."""
    here = Path(__file__).resolve().parents[3]
    environment = {**os.environ, "PYTHONPATH": str(here), "OPENBLAS_NUM_THREADS": "1"}
    argv = [sys.executable, "-c", SIGNALLED, str(int(number)), str(at), *words]
    return subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


def files(out):
    """All that lies in a folder of results, but for checkpoints, by name."""
    return {
        path.name: path.read_bytes() if path.is_file() else None for path in out.iterdir() if path.name != "checkpoints"
    }


def figures(*words):
    return main(["figures", *words, "--quiet"])


def test_killed_twice_it_ends_in_the_same_bytes(tmp_path):
    whole, killed = (tiny(tmp_path / name) for name in ("whole", "killed") if not (tmp_path / name).mkdir())
    argv = ["figures", *map(str, FIGURES), *TINY, "--out", "out", "--quiet"]
    done = process(whole, *argv)
    assert done.returncode == 0, done.stderr
    moves, moments = int(done.stdout.split()[-1]), random.Random(0)
    for part in (moments.uniform(0.2, 0.4), moments.uniform(0.4, 0.6)):
        gone = process(killed, *argv, number=signal.SIGKILL, at=round(part * moves))
        assert gone.returncode == -signal.SIGKILL
    assert process(killed, *argv).returncode == 0
    found, expected = files(killed / "out"), files(whole / "out")
    assert found.keys() == expected.keys()
    assert [name for name in expected if found[name] != expected[name]] == []


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_killed_amid_its_files_a_figure_is_made_again(tmp_path, at):
    """Before the first of them moves, after figures.json, after the numbers, after the PNG."""
    tiny(tmp_path)
    argv = ["figures", "2", *TINY, "--out", "out", "--quiet"]
    # What is staged moves last; before it each file of text moves within the stage.
    within = 1
    assert process(tmp_path, *argv, number=signal.SIGKILL, at=within + at).returncode == -signal.SIGKILL
    assert any(name.startswith(".unfinished-") for name in files(tmp_path / "out"))
    assert process(tmp_path, *argv).returncode == 0
    assert sorted(files(tmp_path / "out")) == [
        "figure-2.csv",
        "figure-2.png",
        "figure-2.svg",
        "figures.json",
        "index.html",
    ]


def test_interrupted_it_says_what_it_keeps(tmp_path):
    tiny(tmp_path)
    argv = ["figures", "1", "2", *TINY, "--out", "out"]
    stopped = process(tmp_path, *argv, number=signal.SIGINT, at=10)
    assert stopped.returncode == 130 and "Traceback" not in stopped.stderr
    last = stopped.stderr.splitlines()[-1]
    assert last.startswith("elbo-verify: interrupted; kept ") and "figure-1.svg" in last
    assert not any(name.startswith(".unfinished-") for name in files(tmp_path / "out"))


def test_interrupted_in_a_training_it_goes_on_there(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tiny(tmp_path))
    with interrupting(monkeypatch, after=1):
        assert main(["figures", "5", *TINY, "--out", "out"]) == 130
    told = capsys.readouterr().err
    assert "kept" in told and "checkpoints" in told and "the same command continues" in told
    assert main(["figures", "5", *TINY, "--out", "out"]) == 0
    assert "continuing" in capsys.readouterr().err


@pytest.fixture
def made(tmp_path, monkeypatch):
    """The folder of Figures 1 and 2."""
    monkeypatch.chdir(tiny(tmp_path))
    assert figures("1", "2", *TINY, "--out", "out") == 0
    return tmp_path / "out"


def listed(out):
    return [one["figure"] for one in json.loads((out / "figures.json").read_text())["figures"]]


def test_a_figure_without_all_its_files_is_taken_for_not_made(made, capsys):
    (made / "figure-2.png").unlink()
    assert main(["figures", "1", *TINY, "--out", "out"]) == 0
    assert listed(made) == [1] and "Figure 2 was not finished in out" in capsys.readouterr().err
    assert 'id="figure-2"' not in (made / "index.html").read_text()
    assert figures("2", *TINY, "--out", "out") == 0 and listed(made) == [1, 2]


def test_an_entry_of_another_version_is_not_put_on_the_page(made):
    document = json.loads((made / "figures.json").read_text())
    del document["figures"][1]["caption"]
    (made / "figures.json").write_text(json.dumps(document))
    assert figures("1", *TINY, "--out", "out") == 0 and listed(made) == [1]


@pytest.mark.parametrize("text", ["{", '{"schema": 1}', "[]"])
def test_a_damaged_document_is_refused_and_can_be_replaced(made, capsys, text):
    (made / "figures.json").write_text(text)
    assert figures("1", *TINY, "--out", "out") == 2
    said = capsys.readouterr().err
    assert "figures.json that figures did not make" in said and "--overwrite" in said and said.count("\n") == 1
    assert figures("1", *TINY, "--out", "out", "--overwrite") == 0 and listed(made) == [1]


def test_a_picture_of_somebodys_own_is_kept(made, capsys):
    (made / "figure-3.svg").write_text("mine")
    assert figures("1", *TINY, "--out", "out") == 0  # it is not in the way
    assert figures("3", *TINY, "--out", "out") == 2
    said = capsys.readouterr().err
    assert "figure-3.svg that figures did not make" in said and said.count("\n") == 1
    assert (made / "figure-3.svg").read_text() == "mine"
    assert figures("3", *TINY, "--out", "out", "--overwrite") == 0 and listed(made) == [1, 2, 3]
    assert (made / "figure-3.svg").read_text() != "mine"


def test_replacing_what_is_alike_keeps_the_rest_and_what_is_not_goes(made):
    assert figures("1", *TINY, "--out", "out", "--overwrite") == 0 and listed(made) == [1, 2]
    (made / "notes.txt").write_text("mine")
    assert figures("1", *TINY, "--seed", "3", "--out", "out", "--overwrite") == 0 and listed(made) == [1]
    assert sorted(files(made)) == [
        "figure-1.csv", "figure-1.npz", "figure-1.png", "figure-1.svg", "figures.json", "index.html", "notes.txt",
    ]  # fmt: skip


def test_two_runs_do_not_write_to_one_folder(made, capsys):
    with alone(made):
        assert figures("1", *TINY, "--out", "out") == 2
    said = capsys.readouterr().err
    assert "another run writes there" in said and said.count("\n") == 1
    with pytest.raises(InputError), alone(made), alone(made):
        pass
    assert figures("1", *TINY, "--out", "out") == 0


def test_pictures_are_not_written_among_the_photographs_that_are_read(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faces").mkdir()
    for seed in range(3):
        pixels = np.random.default_rng(seed).integers(0, 256, (70, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "faces" / f"{seed}.png")
    for out in ("faces", "faces/results"):
        assert figures("2", "--data", "celeba:faces", "--out", out) == 2
        said = capsys.readouterr().err
        assert "faces, whose pictures are read" in said and said.count("\n") == 1
    assert len(list((tmp_path / "faces").rglob("*"))) == 3


def test_what_cannot_be_trained_is_told_before_anything_is(tmp_path, monkeypatch, capsys):
    """Figure 10 needs images whose channels come last; Figure 5, which does not, is not begun."""
    monkeypatch.chdir(tiny(tmp_path))
    np.save("first.npy", np.random.default_rng(0).integers(0, 256, (5, 3, 64, 64), dtype=np.uint8))
    words = ["--data", "tiny.npy", "first.npy", "--epochs", "3", "--seeds", "1", "--out", "out"]
    assert figures("5", "10", *words) == 2
    said = capsys.readouterr().err
    assert "first.npy" in said and "channels first" in said and said.count("\n") == 1
    assert list((tmp_path / "out").iterdir()) == []
    assert figures("5", *words) == 0
