"""What was measured, for people and as JSON.

Main       show, show_machine, show_targets, progress; document, write.
"""

import importlib.metadata
import json
import os
import platform
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.harness import Machine, Outcome, Result, Spread
from benchmarks.processes import cores

PACKAGES = ("numpy", "scipy", "torch", "jax", "curvlinops-for-pytorch", "numba", "cupy-cuda13x")


def _console() -> Console:
    console = Console(markup=False, highlight=False, emoji=False)
    console.width = max(console.width, 110) if not console.is_terminal else console.width
    return console


def progress(text: str) -> None:
    """What is being done now, on standard error."""
    print(f"... {text}", file=sys.stderr, flush=True)


def seconds(value: float) -> str:
    """Three digits and a unit."""
    unit, size = next((u for u in (("s", 1.0), ("ms", 1e-3)) if value >= u[1]), ("µs", 1e-6))
    return f"{value / size:.3g} {unit}"


def spread(samples: list[float], write: Any = seconds) -> str:
    """min / median / max."""
    of = Spread.of(samples)
    return " / ".join(write(x) for x in (of.low, of.middle, of.high))


def show_machine(machine: Machine) -> None:
    """The rates that the floors come from."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(
        f"{cores()} cores{load}: a copy moves {machine.bandwidth / 1e9:.1f} GB/s, products make "
        f"{machine.double / 1e9:.0f} Gflop/s in double and {machine.single / 1e9:.0f} in single precision\n"
    )


def _verdict(outcome: Outcome) -> str:
    target = outcome.contender.target
    if outcome.status != "timed":
        expected = " (shown on purpose)" if outcome.contender.wrong_on_purpose else ""
        return f"{outcome.status}{expected}: {outcome.why}"
    if target is None:
        return "-"
    return f"at least {target:.3g}: {'met' if outcome.met else 'MISSED'}"


def show(result: Result) -> None:
    """One subject as a table."""
    table = Table(title=result.subject.title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for heading in ("threads", "min / median / max", "times ours, pair by pair"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("target")
    middle = Spread.of(result.ours).middle
    floor = f"floor {seconds(result.floor)}: ours takes {middle / result.floor:.3g} times that"
    table.add_row(f"ours: {result.subject.ours.name}", str(result.threads), spread(result.ours), "", floor)
    for o in result.outcomes:
        if o.status != "timed":
            table.add_row(o.contender.name, "", "", "", _verdict(o))
            continue
        whole = [s / o.contender.share for s in o.theirs]
        ratios = spread(o.ratios, lambda x: f"{x:.3g}")
        table.add_row(o.contender.name, str(o.threads), spread(whole), ratios, _verdict(o))
    console = _console()
    console.print(table)
    if result.rate is not None:
        goal = (
            "" if result.met is None else f", at least {result.subject.rate:.2g}: {'met' if result.met else 'MISSED'}"
        )
        console.print(f"  ours: {result.rate:.3g} {result.subject.unit}/s{goal}", soft_wrap=True)
    remarks = [result.subject.remark, *(f"{o.contender.name}: {o.contender.remark}" for o in result.outcomes)]
    for remark in remarks:
        if remark and not remark.endswith(": "):
            console.print(f"  {remark}", soft_wrap=True)
    print(flush=True)


def show_targets(results: list[Result]) -> None:
    """How many of the targets were met."""
    judged = [(r, o) for r in results for o in r.outcomes if o.met is not None]
    missed = [f"{r.subject.title} against {o.contender.name}" for r, o in judged if not o.met]
    rated = [r for r in results if r.met is not None]
    missed += [f"{r.subject.title}: {r.subject.unit}/s" for r in rated if not r.met]
    total = len(judged) + len(rated)
    print(f"{total - len(missed)} of {total} targets met" + "".join(f"\n  missed: {m}" for m in missed))


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def _processor() -> str:
    """The model of the processor, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _outcome(o: Outcome) -> dict[str, Any]:
    timed = o.status == "timed"
    return {
        "name": o.contender.name,
        "status": o.status,
        "why": o.why or None,
        "wrong_on_purpose": o.contender.wrong_on_purpose,
        "error": o.error,
        "threads": o.threads,
        "share": o.contender.share,
        "seconds": asdict(Spread.of(o.theirs)) if timed else None,
        "ratio": asdict(Spread.of(o.ratios)) if timed else None,
        "pairs": [list(pair) for pair in zip(o.ours, o.theirs, strict=True)],
        "target": o.contender.target,
        "met": o.met,
        "remark": o.contender.remark or None,
    }


def document(machine: Machine, results: list[Result], *, quick: bool) -> dict[str, Any]:
    """Everything that was measured.  Seconds; a ratio is the peer's time (of the whole task) over ours."""
    return {
        "schema": 1,
        "quick": quick,
        "machine": {"processor": _processor(), "cores": cores(), **asdict(machine)},
        "versions": _versions(),
        "subjects": [
            {
                "name": r.subject.name,
                "title": r.subject.title,
                "setup": r.subject.setup,
                "tolerance": r.subject.tolerance,
                "remark": r.subject.remark or None,
                "floor": r.floor,
                "ours": {
                    "name": r.subject.ours.name,
                    "threads": r.threads,
                    "seconds": asdict(Spread.of(r.ours)),
                    "of_floor": Spread.of(r.ours).middle / r.floor,
                    "unit": r.subject.unit or None,
                    "rate": r.rate,
                    "target_rate": r.subject.rate,
                    "met": r.met,
                },
                "peers": [_outcome(o) for o in r.outcomes],
            }
            for r in results
        ],
    }


def write(path: Path, machine: Machine, results: list[Result], *, quick: bool) -> None:
    """The document as a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".part")
    scratch.write_text(json.dumps(document(machine, results, quick=quick), indent=2, allow_nan=False) + "\n")
    scratch.replace(path)
