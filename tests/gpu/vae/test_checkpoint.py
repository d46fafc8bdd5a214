"""Trainings that are kept: resumed to the bit after any end, damaged files refused, foreign ones too."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gpu.vae import checkpoint
from gpu.vae.checkpoint import Folder, identity
from gpu.vae.plan import Plan, Run
from gpu.vae.training import Group, fresh, train
from tests.gpu.vae.problems import Fixed
from tests.gpu.vae.test_training import MLP, RUNS, rows, same
from verify.errors import InputError

ROOT = Path(__file__).parents[3]
PLAN = Plan(MLP, RUNS, 6, 16, group=2, watched=(2, 5))
DATA = Fixed(rows())


def folder(path, plan=PLAN, note=lambda text: None, **other):
    return Folder(path, plan, identity(plan, "rows") | other, note=note)


def kept(path):
    return sorted(p.name for p in path.glob("*.safetensors"))


@pytest.fixture(scope="module")
def expected():
    return train(PLAN, DATA)


def interrupted_at(monkeypatch, step, how=KeyboardInterrupt):
    """Make the training end at a step of its first group."""
    true = Group._step

    def stopping(self, x, noise):
        if self.state.step == step and self.state.models[0] == 0:
            raise how
        true(self, x, noise)

    monkeypatch.setattr(Group, "_step", stopping)


class Killed(Exception):
    """The process is gone: nothing more is saved."""


@pytest.mark.parametrize("step", [1, 3, 7, 17])
def test_a_training_killed_anywhere_is_resumed_to_the_bit(tmp_path, monkeypatch, expected, step):
    with monkeypatch.context() as patch:
        interrupted_at(patch, step, Killed)
        with pytest.raises(Killed):
            store = folder(tmp_path)
            try:
                train(PLAN, DATA, store=store, every=0)
            finally:
                store.close()
    store = folder(tmp_path)
    assert [s.step for s in store.states()] == [step]
    steps = []
    monkeypatch.setattr(
        Group, "_step", lambda self, x, n, true=Group._step: (steps.append(self.state.step), true(self, x, n))
    )
    found = train(PLAN, DATA, store=store)
    assert all(same(a, b) for a, b in zip(found, expected, strict=True))
    assert steps[0] == step  # continued, not begun anew


CHILD = """
import sys
from pathlib import Path
from gpu.vae.training import train
from tests.gpu.vae.test_checkpoint import DATA, LONG, folder
train(LONG, DATA, store=folder(Path(sys.argv[1]), LONG), every=0.0)
"""
LONG = Plan(MLP, RUNS, 400, 16, watched=(50, 390))


def test_kill_9_at_three_moments_loses_nothing(tmp_path):
    """A real process, killed while it trains and writes; what comes of it is as if nothing had happened."""
    expected = train(LONG, DATA)
    for _ in range(3):
        before = _steps_kept(tmp_path)
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path)], cwd=ROOT, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        )
        deadline = time.monotonic() + 120
        while _steps_kept(tmp_path) <= before + 5 and time.monotonic() < deadline and child.poll() is None:
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        assert before < _steps_kept(tmp_path) < 400 * 3
    found = train(LONG, DATA, store=folder(tmp_path, LONG))
    assert all(same(a, b) for a, b in zip(found, expected, strict=True))
    assert not list(tmp_path.glob(".unfinished-*"))


def _steps_kept(path):
    """How far the newest whole file is, read without the lock of a Folder."""
    steps = [0]
    for file in path.glob("models-*.safetensors"):
        try:
            with checkpoint._library().safe_open(file, framework="numpy") as opened:
                steps.append(int(opened.metadata()["step"]))
        except Exception:  # it may be put in its place this very moment
            continue
    return max(steps)


def test_ctrl_c_ends_a_step_and_keeps_it(tmp_path, monkeypatch, expected):
    true = Group._step

    def step(self, x, noise):
        if self.state.step == 8:
            os.kill(os.getpid(), signal.SIGINT)
            assert self.state.step == 8  # the interrupt waits for the end of the step
        true(self, x, noise)

    before = signal.getsignal(signal.SIGINT)
    store = folder(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Group, "_step", step)
        with pytest.raises(KeyboardInterrupt):
            train(PLAN, DATA, store=store)
    store.close()
    assert signal.getsignal(signal.SIGINT) is before
    store = folder(tmp_path)
    assert [s.step for s in store.states()] == [9]
    assert all(same(a, b) for a, b in zip(train(PLAN, DATA, store=store), expected, strict=True))


def test_what_is_finished_is_not_trained_again(tmp_path, monkeypatch, expected):
    store = folder(tmp_path)
    train(PLAN, DATA, store=store)
    store.close()
    assert kept(tmp_path) == ["models-1-2.safetensors", "models-3-3.safetensors"]
    monkeypatch.setattr(Group, "_step", None)
    found = train(PLAN, DATA, store=folder(tmp_path))
    assert all(same(a, b) for a, b in zip(found, expected, strict=True))


def test_more_epochs_continue_a_finished_training(tmp_path):
    short, long = (Plan(MLP, RUNS, epochs, 16, group=2) for epochs in (3, 6))
    store = folder(tmp_path, short)
    train(short, DATA, store=store)
    store.close()
    store = folder(tmp_path, long)
    found = train(long, DATA, store=store)
    store.close()
    assert all(same(a, b) for a, b in zip(found, train(long, DATA), strict=True))
    with pytest.raises(InputError, match="6 epochs already"):
        folder(tmp_path, short).states()


def test_another_size_of_groups_continues_what_was_begun(tmp_path, monkeypatch, expected):
    with monkeypatch.context() as patch:
        interrupted_at(patch, 5, Killed)
        store = folder(tmp_path)
        with pytest.raises(Killed):
            train(PLAN, DATA, store=store, every=0)
        store.close()
    other = Plan(MLP, RUNS, 6, 16, group=1, watched=PLAN.watched)
    assert all(same(a, b) for a, b in zip(train(other, DATA, store=folder(tmp_path, other)), expected, strict=True))


def test_a_split_group_replaces_the_whole(tmp_path):
    plan = Plan(MLP, RUNS, 6, 16)
    store = folder(tmp_path, plan)
    state = fresh(plan, range(3))
    store.save(state)
    left, right = state.split()
    store.save(left)
    assert kept(tmp_path) == ["models-1-1.safetensors", "models-1-3.safetensors"]
    store.save(right)
    assert kept(tmp_path) == ["models-1-1.safetensors", "models-2-3.safetensors"]
    assert [s.models for s in folder_states(tmp_path, store, plan)] == [[0], [1, 2]]


def folder_states(path, store, plan):
    store.close()
    return folder(path, plan).states()


def damage_a_byte(path):
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)


DAMAGE = {
    "a byte": damage_a_byte,
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("not a checkpoint"),
}


@pytest.mark.parametrize("harm", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_file_is_named_and_the_one_before_it_used(tmp_path, monkeypatch, expected, harm):
    store = folder(tmp_path)
    with monkeypatch.context() as patch:
        interrupted_at(patch, 9, Killed)
        with pytest.raises(Killed):
            train(PLAN, DATA, store=store, every=0)
    store.close()
    harm(tmp_path / "models-1-2.safetensors")
    said = []
    store = folder(tmp_path, note=said.append)
    assert [s.step for s in store.states()] == [8]
    assert len(said) == 1 and str(tmp_path / "models-1-2.safetensors") in said[0] and "damaged" in said[0]
    assert all(same(a, b) for a, b in zip(train(PLAN, DATA, store=store), expected, strict=True))


def test_a_changed_number_of_steps_is_damage_too(tmp_path):
    """What is not an array is covered by the hash as well."""
    store = folder(tmp_path)
    store.save(fresh(PLAN, [0, 1]))
    path = tmp_path / "models-1-2.safetensors"
    content = path.read_bytes()
    assert content.count(b'"step":"0"') == 1
    path.write_bytes(content.replace(b'"step":"0"', b'"step":"7"'))
    said = []
    store.close()
    assert folder(tmp_path, note=said.append).states() == [] and "SHA-256" in said[0]


@pytest.mark.parametrize(
    ("plan", "other", "words"),
    [
        (Plan(MLP, RUNS, 6, 17), {}, "batch"),
        (Plan(MLP, RUNS[:2], 6, 16), {}, "runs"),
        (Plan(MLP, (Run(9.0, False), *RUNS[1:]), 6, 16), {}, "runs"),
        (PLAN, {"data": "other rows"}, "data"),
        (PLAN, {"backend": "cupy"}, "backend"),
    ],
)
def test_another_training_is_refused(tmp_path, plan, other, words):
    store = folder(tmp_path)
    store.save(fresh(PLAN, [0, 1]))
    store.close()
    with pytest.raises(InputError, match=f"other {words}"):
        folder(tmp_path, plan, **other).states()


def test_two_trainings_cannot_share_a_folder(tmp_path):
    store = folder(tmp_path)
    with pytest.raises(InputError, match="another training is running"):
        folder(tmp_path)
    store.close()
    folder(tmp_path).close()


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        folder(tmp_path / "file" / "inside")


def test_a_full_disk_leaves_what_was_kept(tmp_path, monkeypatch):
    store = folder(tmp_path)
    state = fresh(PLAN, [0, 1])
    store.save(state)
    state.step = 3

    def full(file):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(InputError, match="No space left"):
            store.save(state)
    store.close()
    assert [s.step for s in folder(tmp_path).states()] == [0]


def test_without_the_library_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(InputError, match="pip install safetensors"):
        folder(tmp_path)


def test_states_survive_the_file_to_the_bit(tmp_path):
    state = fresh(PLAN, [0, 1])
    group = Group(PLAN, state, DATA)
    group.advance(7)
    store = folder(tmp_path)
    store.save(state)
    store.close()
    [found] = folder(tmp_path).states()
    for name in checkpoint.ARRAYS:
        assert np.array_equal(getattr(found, name), getattr(state, name)), name
        assert getattr(found, name).dtype == getattr(state, name).dtype
    assert found.step == 7 and all(np.array_equal(a, b) for a, b in zip(found.history, state.history, strict=True))


def test_what_an_earlier_version_found_out_is_evaluated_again(tmp_path, expected, monkeypatch):
    """Its checkpoints go on: their evaluations lack what ours hold, their parameters lack nothing."""
    true = checkpoint.asdict

    def as_before(thing):
        told = true(thing)
        for outcome in [told] if told.get("evaluation") else []:
            outcome["evaluation"] = {
                k: v for k, v in outcome["evaluation"].items() if k not in ("second_moment", "exact_error")
            }
        return told

    store = folder(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "asdict", as_before)
        train(PLAN, DATA, store=store)
    store.close()
    store = folder(tmp_path)
    assert store.outcomes() == {} and len(store.states()) == 2
    found = train(PLAN, DATA, store=store)
    assert all(same(a, b) for a, b in zip(found, expected, strict=True))
    store.close()
    assert len(folder(tmp_path).outcomes()) == len(RUNS)  # from now on they are kept
