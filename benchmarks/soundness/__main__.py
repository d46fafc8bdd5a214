"""`python -m benchmarks.soundness`: try to make the checkers of certificates wrong, against exact references.

Exit status 1 where a false statement was proved, a true one refuted, or a checker fell over.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "reports" / "out" / "soundness.json"
_TRUTHS = {"true": True, "false": False, "open": "open", "unknown": None}
_SHOWN = 20  # faults on the terminal; the file has all


def share(counts: Mapping[tuple[Any, str], int]) -> float | None:
    """Of the statements whose truth is known, and which the checker did not refuse: the part that it left undecided."""
    known = {key: many for key, many in counts.items() if isinstance(key[0], bool) and key[1] != "refused"}
    return (
        sum(many for key, many in known.items() if key[1] == "undecided") / total
        if (total := sum(known.values()))
        else None
    )


def rows(tally: Any) -> list[dict[str, Any]]:
    """One row for each family and checker."""
    found: dict[tuple[str, str, str], Counter[tuple[Any, str]]] = {}
    for (stage, family, checker, truth, answered), many in tally.items():
        found.setdefault((stage, checker, family), Counter())[truth, answered] += many
    return [
        {"stage": stage, "checker": checker, "family": family, **_numbers(counts)}
        for (stage, checker, family), counts in sorted(found.items())
    ]


def _numbers(counts: Counter[tuple[Any, str]]) -> dict[str, Any]:
    from benchmarks.soundness.asked import ANSWERS, wrong

    numbers: dict[str, Any] = {"asked": counts.total()}
    for name, truth in _TRUTHS.items():
        numbers[name] = {a: counts[truth, a] for a in ANSWERS if counts[truth, a]}
    return {**numbers, "wrong": sum(many for key, many in counts.items() if wrong(*key)), "undecided": share(counts)}


def main(arguments: Sequence[str] | None = None) -> int:
    # Children inherit it, before their numpy starts as many threads as there are cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from benchmarks.soundness.workers import STAGES

    parser = argparse.ArgumentParser(prog="python -m benchmarks.soundness", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--cases", type=float, default=1.0, metavar="SHARE", help="this share of all cases (1)")
    parser.add_argument("--only", choices=STAGES, action="append", help="this stage only (can be given again)")
    parser.add_argument("--again", metavar="STAGE:CASE", help="one case alone, and every answer told")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2, help="0: in this process (2)")
    parser.add_argument("--json", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    if options.again:
        return again(options.again, options.seed, parser)
    if not 0 < options.cases <= 1000:
        parser.error("--cases is a share above 0: 0.01 for a hundredth of all")
    cases = {s: max(1, round(n * options.cases)) for s, n in STAGES.items() if not options.only or s in options.only}
    document = trial(cases, options.seed, options.processes)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(document, indent=1) + "\n")
    said(document)
    print(options.json)
    return int(bool(document["faults"]) or not document["asked"])


def again(name: str, seed: int, parser: argparse.ArgumentParser) -> int:
    """One case: every question with its truth and its answer."""
    from benchmarks.soundness.workers import STAGES, one

    stage, _, index = name.partition(":")
    if stage not in STAGES or not index.isdecimal():
        parser.error(f"--again takes STAGE:CASE, with a stage of {', '.join(STAGES)}")
    tally = one(stage, int(index), seed)
    for (family, checker, truth, answered), many in tally.counts.items():
        print(f"{family:<24} {checker:<28} truth {truth!s:<8} {answered:<10} x {many}")
    print(json.dumps(tally.faults, indent=1) if tally.faults else "no fault")
    return int(bool(tally.faults))


def trial(cases: Mapping[str, int], seed: int, processes: int) -> dict[str, Any]:
    """All cases; what an interruption leaves is told as incomplete."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from benchmarks.soundness.workers import performed

    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell ignores for what runs in the background
    started, counts, seconds = time.monotonic(), Counter[Any](), Counter[str]()
    faults: list[dict[str, Any]] = []
    done = Counter[str]()
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with suppress(KeyboardInterrupt), Progress(*columns) as progress:
        bars = {stage: progress.add_task(stage, total=count) for stage, count in cases.items()}
        for stage, many, tally in performed(cases, seed, processes):
            counts.update({(stage, *key): n for key, n in tally.counts.items()})
            seconds.update({f"{stage}, {checker}": s for checker, s in tally.seconds.items()})
            done[stage] += many
            faults += tally.faults
            progress.advance(bars[stage], many)
            for fault in tally.faults:
                progress.console.print(f"WRONG {_named(fault)}", markup=False, highlight=False)
    faults.sort(key=lambda fault: (fault["stage"], fault["case"], fault["checker"], fault["family"]))
    return {
        "schema": 1,
        "seed": seed,
        "complete": done == Counter(cases),
        "seconds": round(time.monotonic() - started, 1),
        "cases": {stage: done[stage] for stage in cases},
        "asked": counts.total(),
        "rows": rows(counts),
        "seconds_of_checkers": {name: round(s, 2) for name, s in sorted(seconds.items())},
        "faults": faults,
    }


def _named(fault: Mapping[str, Any]) -> str:
    return (
        f"{fault['stage']}:{fault['case']} {fault['checker']} ({fault['family']}): {fault['answer']} where the truth is"
        f" {fault['truth']}; --again {fault['stage']}:{fault['case']} --seed {fault['seed']}"
    )


def said(document: Mapping[str, Any]) -> None:
    """Of each checker how it answered the true and the false, of each family what was left undecided; the faults."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for stage, cases in document["cases"].items():
        mine = [row for row in document["rows"] if row["stage"] == stage]
        table = Table("", "true", "proved", "undecided", "false", "refuted", "undecided", "refused", title=stage)
        for name in ("checker", "family"):
            for value in sorted({row[name] for row in mine}):
                chosen = [row for row in mine if row[name] == value]
                table.add_row(value, *_cells(chosen))
            table.add_section()
        table.add_row(f"all {cases} cases", *_cells(mine))
        console.print(table)
    faults = document["faults"]
    head = f"seed {document['seed']}, {document['seconds']:.0f} s{'' if document['complete'] else ', interrupted'}"
    print(f"{head}: {document['asked']} questions, {len(faults)} answered wrongly")
    for fault in faults[:_SHOWN]:
        print(_named(fault))
        print("  " + str(fault["why"]).strip().splitlines()[-1])


def _cells(chosen: Sequence[Mapping[str, Any]]) -> list[str]:
    """How many true ones were not refused, which shares of them were proved and undecided; and so of the false."""
    cells = []
    for truth, right in (("true", "proved"), ("false", "refuted")):
        answers = Counter[str]()
        for row in chosen:
            answers.update(row[truth])
        total = answers.total() - answers["refused"]
        cells += [str(total), *(f"{answers[a] / total:.1%}" if total else "" for a in (right, "undecided"))]
    return [*cells, str(sum(row[t].get("refused", 0) for row in chosen for t in _TRUTHS))]


if __name__ == "__main__":
    sys.exit(main())
