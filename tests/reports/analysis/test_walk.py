"""Learned noise by walking all index sets: the same points as the search, an exact count, a bar, an interruption."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from itertools import islice
from math import comb

import numpy as np
import pytest

from reports.analysis import walk as walks
from reports.analysis.walk import FEW, WALKED_HERE, walking
from reports.cli import main
from reports.device.doctor import HOUSE
from reports.terminal import console
from tests.emulator import device
from tests.reports.schemas import check
from verify.analysis import listing
from verify.analysis.listing import likelihood_points
from verify.analysis.stationary import stationary
from verify.data.covariance import from_eigenvalues
from verify.landscape.stationary import learned_noise_candidates, learned_noise_points
from verify.words.lists import how_found

RNG = np.random.default_rng(0)
# Twenty-three nearly equal eigenvalues and a zero: half of all index sets are stationary points, so the walk is long.
NEARLY_ALL = np.array([*np.sort(1 + 0.02 * RNG.random(24))[::-1], 0.0])
SPECTRA = {
    "distinct": (np.sort(RNG.exponential(size=14))[::-1], 6),
    "k = n": (np.sort(RNG.exponential(size=9))[::-1], 9),
    "ties": (np.repeat([4.0, 1.0, 0.9, 0.2], 3), 5),
    "ties across the middle": (np.array([5.0, 3.0, 3.0, 3.0, 3.0, 1.0, 1.0, 0.5]), 4),
    "zeros": (np.array([3.0, 2.0, 2.0, 1.0, 0.5, 0.0, 0.0, 0.0]), 4),
    "tenths": (np.array([2.0] + [0.1] * 7), 4),
    "all equal": (np.ones(8), 4),
    "one": (np.array([3.0]), 1),
    "scales": (np.sort(RNG.exponential(size=10))[::-1] * 1e-60, 5),
    "64": (np.sort(RNG.exponential(size=64))[::-1], 2),
}


def spelled(lam):
    return "eigenvalues:" + ",".join(repr(float(x)) for x in lam)


@pytest.mark.parametrize("name", SPECTRA)
def test_the_walk_lists_what_the_search_lists(name):
    lam, k = SPECTRA[name]
    every = list(learned_noise_points(lam, k))
    for top in (None, 1, len(every), 10**6):
        found = likelihood_points(lam, k, None, top, walking())
        assert found.walk is not None and found.walk.complete
        assert found.walk.count == learned_noise_candidates(len(lam), k)
        assert found.count == len(every)
        wanted = every[: top or len(every)]
        assert {p.retained for p in found.points} == {p.retained for p in wanted}
        by_set = {p.retained: p for p in found.points}
        assert all(by_set[p.retained] == p for p in wanted)  # value and noise to the last bit


@pytest.mark.parametrize("name", SPECTRA)
def test_the_document_counts_the_points_by_index(name):
    lam, k = SPECTRA[name]
    document, _ = stationary(from_eigenvalues(lam), k, sigma2=None, top=10**4, walk=walking())
    check("stationary", document)
    assert (document["count"], document["truncated"]) == (len(document["points"]), False)
    indices = [p["index"] for p in document["points"]]
    assert document["walk"]["by_index"] == np.bincount(indices).tolist()


def test_more_than_the_walk_keeps_is_listed_all_the_same(monkeypatch):
    lam, k = SPECTRA["distinct"]
    every = list(learned_noise_points(lam, k))
    assert len(every) > 40
    monkeypatch.setattr(listing, "LISTED", 10)
    assert likelihood_points(lam, k, None, 40, walking()).points == every[:40]
    assert likelihood_points(lam, k, None, None, walking()).points == every[: listing.BEST]


def test_nine_million_index_sets_are_walked_and_agree_with_the_search(capsys):
    lam = np.round(np.sort(RNG.exponential(size=24))[::-1], 6)
    argv = ["stationary", spelled(lam), "-k", "12", "--learned-noise", "--top", "50"]
    assert main([*argv, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    total = sum(comb(24, q) for q in range(13))
    assert total == 9_740_686 == document["walk"]["walked"] == document["walk"]["candidates"]
    assert document["count"] == sum(document["walk"]["by_index"]) > 50 and document["truncated"]
    best = list(islice(learned_noise_points(lam, 12), 50))
    assert [p["retained"] for p in document["points"]] == [[i + 1 for i in p.retained] for p in best]
    assert [p["value"] for p in document["points"]] == [p.value for p in best]
    assert main(argv) == 0
    out, err = capsys.readouterr()
    assert f"has {document['count']} stationary points" in " ".join(out.split())
    assert f"{document['count']} points in all, of 9740686 index sets, each of them tried" in err


def test_beyond_the_bound_the_best_are_searched_for():
    lam = 1 + 1e-3 * np.arange(40.0)[::-1]
    document, _ = stationary(from_eigenvalues(lam), 12, sigma2=None, walk=walking())
    assert learned_noise_candidates(40, 12) > WALKED_HERE
    assert document["count"] is None and "walk" not in document
    assert "and not all were tried" in str(how_found(document))
    document, _ = stationary(
        from_eigenvalues(lam), 4, sigma2=None, walk=walking()
    )  # the control: below it they are walked
    assert "not all" not in str(how_found(document))
    assert document["walk"]["candidates"] == learned_noise_candidates(40, 4) > FEW / 10
    document, _ = stationary(
        from_eigenvalues([*lam, *lam]), 2, sigma2=None, walk=walking()
    )  # more than a mask has bits
    assert "walk" not in document


def test_a_device_walks_where_it_is_asked_to(monkeypatch):
    cupy = device.install(monkeypatch)
    asked = []
    monkeypatch.setattr(walks, "array_module", lambda name: asked.append(name) or cupy)
    lam, k = SPECTRA["ties"]
    every = list(learned_noise_points(lam, k))
    for top in (None, 5):
        found = likelihood_points(lam, k, None, top, walking("cupy"))
        assert (found.points, found.count) == (every[:top], len(every))
    assert {name for name, _, _ in cupy.launches} == {"walk"} and asked == ["cupy", "cupy"]
    assert likelihood_points(lam, k, None, None, walking("auto")).count == len(every)
    assert asked == ["cupy", "cupy"]  # so few are not worth finding a device for


def interrupted_at_once(monkeypatch):
    """Every walk is interrupted when it first says how far it is."""

    @contextmanager
    def counting(self, doing, *, stays=False):
        def told(done, total):
            if "walking" in doing:
                raise KeyboardInterrupt

        yield told

    monkeypatch.setattr(console.Session, "counting", counting)


def test_an_interrupted_walk_shows_and_keeps_what_it_knows(monkeypatch, capsys, tmp_path):
    interrupted_at_once(monkeypatch)
    argv = ["stationary", spelled(NEARLY_ALL), "-k", "12", "--learned-noise", "--top", "9"]
    assert main([*argv, "--json", "--save", str(tmp_path / "points.npz")]) == 130
    out, err = capsys.readouterr()
    document = check("stationary", json.loads(out))
    assert 0 < document["walk"]["walked"] < document["walk"]["candidates"] == learned_noise_candidates(25, 12)
    assert (document["count"], document["truncated"]) == (None, True)
    assert document["points"][0]["retained"] == list(range(1, 13))  # the optimum, whether or not the walk has met it
    assert all(p["deficit"] >= 0 for p in document["points"])
    said = err.splitlines()[-1]
    assert f"interrupted: walked {document['walk']['walked']} of {document['walk']['candidates']} index sets" in said
    assert f"kept {tmp_path / 'points.npz'}" in said
    with np.load(tmp_path / "points.npz", allow_pickle=False) as points:
        assert len(points["W"]) == len(document["points"])
    assert main(argv) == 130
    out, err = capsys.readouterr()
    assert "has at least" in out and "nothing was written" not in err


def test_an_interrupted_report_is_not_written(monkeypatch, capsys, tmp_path):
    """It shows no bar for its walks, so the walk itself is interrupted."""
    walk = walks.enumerate_learned

    def stop(done, total):
        raise KeyboardInterrupt

    monkeypatch.setattr(
        walks, "enumerate_learned", lambda *args, **options: walk(*args, **options | {"progress": stop})
    )
    argv = ["report", spelled(NEARLY_ALL), "-k", "12", "--out", str(tmp_path / "page")]
    assert main(argv) == 130
    assert "interrupted; nothing was written" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def on_a_terminal(argv, interrupt_at=None):
    """The command with standard error on a pseudo-terminal -> (exit code, standard output, what the terminal got)."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(HOUSE), "TERM": "xterm", "COLUMNS": "100"}
    command = [sys.executable, "-m", "reports", *argv]
    # Started in the background the tests themselves would have interruptions ignored, and hand that on.
    listening = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    run = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=theirs, text=True, preexec_fn=listening
    )
    os.close(theirs)
    shown, sent = "", False
    while True:
        try:
            shown += os.read(ours, 1 << 16).decode(errors="replace")
        except OSError:  # the other end is closed
            break
        if interrupt_at and not sent and re.search(interrupt_at, shown):
            run.send_signal(signal.SIGINT)
            sent = True
    out, _ = run.communicate(timeout=60)
    os.close(ours)
    return run.returncode, out, shown


def test_the_bar_shows_on_a_terminal():
    argv = ["stationary", spelled(NEARLY_ALL[1:]), "-k", "12", "--learned-noise", "--top", "5"]
    code, out, shown = on_a_terminal(argv)
    assert code == 0 and "global maximum" in out and "\x1b" not in out
    assert "walking all index sets" in shown and "9740686/9740686" in shown
    code, out, shown = on_a_terminal([*argv, "--quiet"])
    assert code == 0 and "walking" not in shown


def test_control_c_ends_the_walk():
    """n = 64: several seconds here, of which the first tenths are waited for."""
    lam = np.sort(1 + 0.2 * RNG.random(64))[::-1]
    total = learned_noise_candidates(64, 6)
    argv = ["stationary", spelled(lam), "-k", "6", "--learned-noise", "--top", "5", "--json"]
    code, out, shown = on_a_terminal(argv, interrupt_at=rf"[1-9]\d*/{total}")
    assert code == 130
    document = json.loads(out)
    assert 0 < document["walk"]["walked"] < total and document["count"] is None
    assert f"interrupted: walked {document['walk']['walked']} of {total}" in shown and "Traceback" not in shown
