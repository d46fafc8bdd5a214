"""Trainings kept in a folder: states to continue from to the bit, whatever moment they were killed at.

Notation   a file holds the State of one group (training.py): parameters, Adam's moments, sums of the epoch, its course;
           models-1-20.safetensors is the newest, models-1-20.previous.safetensors the one before.
Main       Folder, a training.Store.

A file is written beside its destination, brought to the disk and only then put in its place; it carries the SHA-256 of
everything in it. A damaged one is refused by name and the previous one taken. Random streams have no state to keep.
"""

import hashlib
import json
import os
import weakref
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gpu.vae.evaluation import Evaluation
from gpu.vae.plan import Outcome, Plan, Run
from gpu.vae.training import State
from verify.arrays import to_numpy
from verify.data.writing import atomic, unwritable
from verify.errors import InputError, first_line

try:
    import fcntl
except ImportError:  # a system without it goes without the lock
    fcntl = None  # type: ignore[assignment]

SCHEMA = "1"
ENDING, PREVIOUS = ".safetensors", ".previous.safetensors"
ARRAYS = ("parameters", "first", "second", "frozen", "sums")
FIELDS = ("schema", "identity", "models", "step", "epochs", "outcomes")
# Files of trainings that are not watched do without it, as they always did.
WATCHED = "watched"
Tensors = dict[str, Any]
Metadata = dict[str, str]


class Damaged(ValueError):
    """A file that is not what was written."""


def identity(plan: Plan, data: str, backend: str = "numpy", precision: str = "float32") -> dict[str, Any]:
    """What must be the same for a state to be continued, as plain JSON; `data` is a fingerprint of the rows.

    The number of epochs and the size of groups are not part of it: they change nothing of what was done so far.
    """
    described = json.loads(json.dumps(asdict(plan)))
    apart = ("epochs", "group") if plan.watched else ("epochs", "group", WATCHED)
    return {k: v for k, v in described.items() if k not in apart} | {
        "data": data,
        "backend": backend,
        "precision": precision,
    }


def _digest(tensors: Tensors, metadata: Metadata) -> str:
    """SHA-256 over every array, its name, type and shape, and the metadata."""
    fields = (*FIELDS, WATCHED) if WATCHED in metadata else FIELDS
    total = hashlib.sha256(json.dumps([metadata.get(name, "") for name in fields]).encode())
    for name in sorted(tensors):
        a = np.ascontiguousarray(tensors[name])
        total.update(f"{name} {a.dtype.str} {a.shape}".encode())
        total.update(a.data)
    return total.hexdigest()


class Folder:
    """Where one training is kept.  InputError: another training, one that runs, a newer format, not writable."""

    def __init__(
        self, path: Path, plan: Plan, identity: dict[str, Any], *, note: Callable[[str], object] = lambda text: None
    ):
        _library()
        self.path, self.plan, self.identity, self.note = path, plan, identity, note
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = os.open(path / ".lock", os.O_CREAT | os.O_WRONLY)
        except OSError as error:
            raise unwritable(path, error) from None
        self.close = weakref.finalize(self, os.close, lock)  # lets others have the folder; by itself when we are gone
        self._claim(lock)
        for left in path.glob(".unfinished-*"):
            left.unlink(missing_ok=True)

    def _claim(self, lock: int) -> None:
        """The folder is ours until `close`, or the end of this process."""
        if fcntl is None:
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.close()
            raise InputError(
                f"{self.path}: another training is running there; wait for it or choose another folder"
            ) from None

    @cached_property
    def _found(self) -> dict[str, tuple[State, dict[int, Outcome]]]:
        """Per group: its state, and the outcomes of its models if they are as far as the plan asks."""
        read = {}
        for name in sorted({p.name.split(".")[0] for p in self.path.glob(f"models-*{ENDING}")}):
            if (group := self._newest(name)) is not None:
                read[name] = group
        taken: dict[str, tuple[State, dict[int, Outcome]]] = {}
        # A group may have been split, and killed before the whole was removed: the smaller ones are newer.
        for name in sorted(read, key=lambda name: len(read[name][0].models)):
            models = set(read[name][0].models)
            if not any(models & set(state.models) for state, _ in taken.values()):
                taken[name] = read[name]
        return taken

    def _newest(self, name: str) -> tuple[State, dict[int, Outcome]] | None:
        """The newest file of a group that is whole."""
        for path in (self.path / (name + ENDING), self.path / (name + PREVIOUS)):
            if not path.exists():
                continue
            try:
                return self._read(path)
            except Damaged as damage:
                self.note(f"{path}: {damage}; the one before it is used instead, if there is one")
        return None

    def _read(self, path: Path) -> tuple[State, dict[int, Outcome]]:
        """One file.  Damaged where it is not what was written; InputError where it belongs to something else."""
        try:
            with _library().safe_open(path, framework="numpy") as file:
                metadata = dict(file.metadata() or {})
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        except Exception as error:  # the library has an error type of its own, and the system has others
            raise Damaged(f"damaged ({first_line(error)})") from None
        if metadata.get("sha256") != _digest(tensors, metadata):
            raise Damaged("damaged (its SHA-256 is another)")
        if metadata["schema"] != SCHEMA:
            raise InputError(f"{path}: checkpoint format {metadata['schema']}, not {SCHEMA}; choose another folder")
        self._same_training(path, json.loads(metadata["identity"]))
        epochs, step = int(metadata["epochs"]), int(metadata["step"])
        if epochs > self.plan.epochs and metadata["outcomes"]:
            raise InputError(
                f"{path}: was trained for {epochs} epochs already; ask for at least as many, or another folder"
            )
        models = json.loads(metadata["models"])
        history = list(tensors.pop("history"))
        outcomes = json.loads(metadata["outcomes"] or "[]") if epochs == self.plan.epochs else []
        # What an earlier version found out of the models is less than we ask: they are evaluated again.
        found = {} if any(map(_lacks, outcomes)) else {i: _outcome(o) for i, o in zip(models, outcomes, strict=False)}
        parameters, first, second, frozen, sums = (tensors[a] for a in ARRAYS)
        seen = [[_evaluation(e) for e in of] for of in json.loads(metadata.get(WATCHED, "[]"))] or [[] for _ in models]
        return State(models, step, parameters, first, second, frozen, sums, history, seen), found

    def _same_training(self, path: Path, other: dict[str, Any]) -> None:
        names = sorted(set(other) | set(self.identity))
        differ = [name for name in names if other.get(name) != self.identity.get(name)]
        if differ:
            raise InputError(
                f"{path}: belongs to a training with other {', '.join(differ)}; "
                "ask for the same again, or choose another folder"
            )

    def states(self) -> list[State]:
        """The states to resume from, in the order of their models."""
        return sorted((state for state, _ in self._found.values()), key=lambda state: state.models)

    def outcomes(self) -> dict[int, Outcome]:
        """The finished models, by their place in the plan."""
        return {i: outcome for _, found in self._found.values() for i, outcome in found.items()}

    def save(self, state: State, outcomes: Sequence[Outcome] = ()) -> None:
        """Keep a state, and the one before it.  Raises InputError where it cannot be written."""
        E = len(state.models)
        tensors = {name: np.ascontiguousarray(to_numpy(getattr(state, name))) for name in ARRAYS}
        tensors["history"] = np.array(state.history).reshape(len(state.history), E, 3)
        metadata = {
            "schema": SCHEMA,
            "identity": json.dumps(self.identity, sort_keys=True),
            "models": json.dumps(state.models),
            "step": str(state.step),
            "epochs": str(self.plan.epochs),
            "outcomes": json.dumps([asdict(o) for o in outcomes]) if outcomes else "",
        }
        if self.plan.watched:
            metadata[WATCHED] = json.dumps([[e and asdict(e) for e in seen] for seen in state.watched])
        metadata["sha256"] = _digest(tensors, metadata)
        path = self._file(state.models)
        with atomic(path.with_name(path.name.removesuffix(ENDING) + ".new" + ENDING)) as file:
            file.write(_library().numpy.save(tensors, metadata))
        self._put(path)
        self._remove_covered(state.models)

    def _file(self, models: Sequence[int]) -> Path:
        return self.path / f"models-{models[0] + 1}-{models[-1] + 1}{ENDING}"

    def _put(self, path: Path) -> None:
        """new -> newest -> previous; between the two steps the previous one is whole."""
        stem = path.name.removesuffix(ENDING)
        if path.exists():
            os.replace(path, path.with_name(stem + PREVIOUS))
        os.replace(path.with_name(stem + ".new" + ENDING), path)

    def _remove_covered(self, models: Sequence[int]) -> None:
        """Files of a larger group that was split, once its parts are kept."""
        spans = {p: _span(p) for p in self.path.glob(f"models-*{ENDING}")}
        own = (models[0] + 1, models[-1] + 1)
        for path, (first, last) in spans.items():
            if (first, last) == own or not (first <= own[0] and own[1] <= last):
                continue
            inner = {s for s in spans.values() if s != (first, last) and first <= s[0] and s[1] <= last}
            if sum(b - a + 1 for a, b in _disjoint(inner)) == last - first + 1:
                path.unlink()


def _span(path: Path) -> tuple[int, int]:
    """models-1-20.previous.safetensors -> (1, 20)."""
    _, first, last = path.name.split(".")[0].split("-")
    return int(first), int(last)


def _disjoint(spans: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """The narrowest spans that do not overlap."""
    kept: list[tuple[int, int]] = []
    for a, b in sorted(spans, key=lambda s: s[1] - s[0]):
        if all(b < c or d < a for c, d in kept):
            kept.append((a, b))
    return kept


def _lacks(stored: dict[str, Any]) -> bool:
    """Whether an evaluation does not hold what ours do."""
    evaluation = stored["evaluation"]
    return evaluation is not None and set(evaluation) != {f.name for f in fields(Evaluation)}


def _outcome(stored: dict[str, Any]) -> Outcome:
    watched = [_evaluation(seen) for seen in stored.get(WATCHED, [])]
    return Outcome(
        Run(**stored["run"]), _evaluation(stored["evaluation"]), stored["frozen"], stored["history"], watched
    )


def _evaluation(stored: dict[str, Any] | None) -> Evaluation | None:
    return None if stored is None else Evaluation(**stored)


def _library() -> Any:
    """safetensors.  InputError where it is missing."""
    try:
        import safetensors
        import safetensors.numpy
    except ImportError:
        raise InputError("checkpoints need safetensors (pip install safetensors); or train without a folder") from None
    return safetensors
