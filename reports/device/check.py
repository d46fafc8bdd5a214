"""The acceptance run on a real device: kernels against twins, speed, a training, proofs, peers; one file of results.

Main       STAGES, perform -> document (schema 1), Run, Finding; evidence_name.

A stage is a function of a Run that returns a Finding; to add one, put it into STAGES in the place where it is to run.
The results are written whole after every stage, so that whatever happens keeps what came before. Nothing here needs
more than numpy, scipy, sympy, mpmath, cupy, pytest, hypothesis and rich.
"""

import datetime
import importlib.metadata
import platform
import re
import subprocess
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import verify
from gpu import check
from gpu.device import Device, find_device
from gpu.throughput import Clock
from gpu.vae.check import training_check
from reports.device.doctor import HOUSE
from verify.errors import InputError, first_line

Document = dict[str, Any]

# The whole run takes less than 8 minutes: the proofs, which can be stopped anywhere, come last and get what is left.
WHOLE, LEAST_FOR_PROOFS = 450.0, 60.0
# How large the work is, and which claims are put to the test (none: all that compute on a device): for tests, which
# have an emulator and no time.
SCALE = 1.0
CLAIMS: tuple[str, ...] = ()
PACKAGES = ("numpy", "scipy", "sympy", "mpmath", "pytest", "hypothesis", "rich", "torch", "jax")


_OUTCOMES = {"disagrees": "disagrees", "partial": "did not come to its end", "failed": "broke"}


@dataclass
class Run:
    """What a stage is given: the array module of the device, a clock, whom to tell in lines, and when it all began."""

    xp: Any
    clock: Clock
    told: Callable[[str], object]
    peers: bool = False
    started: float = field(default_factory=time.monotonic)


class Finding(NamedTuple):
    """passed; disagrees: something is wrong; partial: nothing is, but it did not come to its end; result: figures."""

    outcome: str
    result: Any
    reason: str | None = None


def comparisons(run: Run) -> Finding:
    """Every kernel against its twin, with its control."""
    found = check.comparisons(run.xp, run.told)
    wrong = [c["name"] for c in found if not c["agrees"] or c["caught"] is False]
    reason = f"wrong or without a control that was caught: {', '.join(wrong)}" if wrong else None
    return Finding("passed" if check.sound(found) else "disagrees", found, reason)


def throughput(run: Run) -> Finding:
    """Figures beside their floors; they are neither right nor wrong.  What breaks otherwise than for memory is."""
    result = check.throughput(run.xp, run.clock, SCALE, run.told)
    missed = result["missed"]
    if not missed:
        return Finding("passed", result)
    reason = "; ".join(f"{' '.join(filter(None, (m['name'], m['size'])))}: {m['reason']}" for m in missed)
    return Finding("partial" if all(m["memory"] for m in missed) else "disagrees", result, reason)


def training(run: Run) -> Finding:
    """A short training that must reach a known optimum, and the minutes that the paper's Table 2 would take."""
    found = training_check(run.xp, run.clock, SCALE)
    run.told(f"a linear VAE ends {found['nats_from_optimum']:.1e} nats from the optimum of pPCA")
    for speed in found["speeds"]:
        run.told(
            f"{speed['models']} models, batch {speed['batch']}, {speed['precision']}: "
            f"{speed['samples_per_second']:.3g} data/s, {speed['of_floor']:.3g} times the floor; "
            f"Table 2 would take {speed['table_minutes']:.3g} minutes"
        )
    why = None if found["agrees"] else "the descent does not end at the optimum, or too short a one is not told from it"
    return Finding("passed" if found["agrees"] else "disagrees", found, why)


def peers(run: Run) -> Finding:
    """Other libraries for the same answers, in this process.  A peer that is not there is said in its row."""
    from reports.device import vae_peers
    from reports.device.peers import measure

    rows = [*measure(run.xp, SCALE), *vae_peers.measure(run.xp, SCALE)]
    for row in rows:
        run.told(_peer_line(row))
    others = sorted({f"{r['peer']} ({r['task']})" for r in rows if r["agrees"] is False})
    return Finding(
        "disagrees" if others else "passed", rows, f"answers differ: {', '.join(others)}" if others else None
    )


def proofs(run: Run) -> Finding:
    """The claims with evidence that computes on the device, in a process of its own, for as long as is left."""
    from proofs.machinery.reading import read
    from proofs.machinery.run import INTERRUPTED, TIMED_OUT, prove

    left = max(LEAST_FOR_PROOFS, WHOLE - (time.monotonic() - run.started))
    with tempfile.TemporaryDirectory(prefix="elbo-verify-") as scratch:
        path = Path(scratch, "ledger.json")
        code = prove(CLAIMS, ledger=path, backend="cupy", quiet=True, on_device=True, seconds=left)
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        document = read(path)
    claims = [_claim(entry) for entry in document["claims"]]
    broken = [c["id"] for c in claims if c["verdict"] == "broken"] + document["errors"]
    verdicts = dict(Counter(c["verdict"] for c in claims))
    run.told(f"{len(claims)} claims: " + ", ".join(f"{number} {verdict}" for verdict, number in verdicts.items()))
    result = {"complete": document["complete"], "verdicts": verdicts, "claims": claims, "errors": document["errors"]}
    if broken or code not in (0, TIMED_OUT):
        return Finding("disagrees", result, f"broken: {', '.join(broken) or 'see the errors'}")
    stopped = f"stopped after {left:.0f} s with {len(claims)} claims" if code == TIMED_OUT else None
    return Finding("partial" if stopped else "passed", result, stopped)


def _claim(entry: Document) -> Document:
    """One claim of the ledger: the verdict, and what was computed on the device for it."""
    there = [e for e in entry["evidence"] if e["backend"] == "cupy" and e["outcome"] == "passed"]
    errors = [e["worst_error"] for e in there if e["worst_error"] is not None and e["role"] != "control"]
    return {
        "id": entry["id"],
        "verdict": entry["verdict"],
        "reasons": entry["reasons"],
        "on_device": {
            "evidence": len(there),
            "instances": sum(e["instances"] for e in there),
            "worst_error": max(errors, default=None),
        },
    }


STAGES: dict[str, Callable[[Run], Finding]] = {
    "comparisons": comparisons,
    "throughput": throughput,
    "training": training,
    "peers": peers,
    "proofs": proofs,
}


def perform(run: Run, keep: Callable[[Document], object]) -> Document:
    """All stages in turn; `keep(document)` after each.  An interruption passes through, with all before it kept."""
    document = _head()
    for name, stage in STAGES.items():
        if name == "peers" and not run.peers:
            continue
        run.told(f"-- {name}")
        start = time.monotonic()
        try:
            finding = stage(run)
        except Exception as error:  # one that breaks is a finding, and the others still run
            traceback.print_exc()  # where it broke; the document keeps one line
            finding = Finding("failed", None, first_line(error))
        seconds = round(time.monotonic() - start, 3)
        document["stages"].append({"name": name, **finding._asdict(), "seconds": seconds})
        document["notes"] += _notes(name, finding)
        run.told(f"   {finding.outcome} after {seconds:.1f} s{f': {finding.reason}' if finding.reason else ''}")
        keep(document)
    document["complete"] = True
    keep(document)
    return document


def _notes(name: str, finding: Finding) -> list[str]:
    """Why a stage did not pass, and which peers it could not ask, a sentence each."""
    found = [] if finding.reason is None else [f"{name} {_OUTCOMES[finding.outcome]}: {finding.reason}"]
    if name == "peers" and finding.outcome != "failed":
        found += [f"peers: {_peer_line(row)}" for row in finding.result if row["reason"]]
    return found


def sound(document: Document) -> bool:
    """Whether every stage ran and nothing disagrees."""
    return bool(document["stages"]) and all(s["outcome"] in ("passed", "partial") for s in document["stages"])


def _head() -> Document:
    return {
        "schema": 1,
        "complete": False,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "device": _facts(find_device()),
        "versions": {"elbo-verify": verify.__version__, "python": platform.python_version()}
        | {package: _version(package) for package in PACKAGES},
        "platform": platform.platform(),
        "commit": commit(HOUSE),
        "scale": SCALE,
        "stages": [],
        "notes": [],
    }


def _facts(device: Device) -> Document:
    facts = asdict(device)
    for name in ("available", "reason"):
        del facts[name]
    return facts


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def commit(house: Path) -> Document | None:
    """The commit that is checked out in `house` and whether files differ from it; None where it is no clone."""
    if not (house / ".git").exists():  # a package installed inside of somebody else's clone
        return None

    def git(*words: str) -> str:
        command = ["git", "-C", str(house), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()

    try:
        return {"hash": git("rev-parse", "HEAD"), "changed": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None


def evidence_name(device: Device) -> str:
    """device-check-nvidia-h200.json.  InputError where there is no device."""
    if not device.available:
        raise InputError(f"device-check: {device.reason}; run it where there is a device")
    name = re.sub(r"[^a-z0-9]+", "-", str(device.name).lower()).strip("-")
    return f"device-check-{name}.json"


def _peer_line(row: Document) -> str:
    who = f"{row['peer']} {row['version'] or ''}".rstrip()
    if row["reason"]:
        return f"{', '.join(filter(None, (who, row['task'])))}: {row['reason']}"
    ratio = row["peer_seconds"] / row["seconds"]
    return f"{who}, {row['task']}: {row['count'] / row['peer_seconds']:.3g}/s; ours are {ratio:.3g} times as fast"
