"""`python -m benchmarks.mutation`: plant small faults in the checkers, and count those that the tests see.

Not mutmut 3: it mutates functions without decorators only, no constants of a module and no properties, judges all by
one suite and draws no sample. Not cosmic-ray 8: it mutates in the working tree, one after the other (its parallel
workers are clones behind HTTP), and has one command of tests for all modules. Neither keeps a list of explanations.
"""

import argparse
import difflib
import json
import random
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.mutation import explained
from benchmarks.mutation.judges import STRATA
from benchmarks.mutation.operators import Mutant, mutants
from benchmarks.mutation.sampling import interval, sample
from benchmarks.mutation.trials import KILLED, Trial
from benchmarks.mutation.workers import performed

ROOT = Path(__file__).resolve().parents[2]


def population(root: Path, strata: Sequence[str] = STRATA) -> dict[str, list[Mutant]]:
    """All mutants, by stratum."""
    found: dict[str, list[Mutant]] = {}
    for stratum in strata:
        files = sorted((root / stratum).rglob("*.py"))
        found[stratum] = [m for f in files for m in mutants(str(f.relative_to(root)), f.read_text())]
    return found


def difference(mutant: Mutant, root: Path) -> str:
    """The mutant as a diff without context.  To be asked before somebody edits the tree."""
    before = (root / mutant.path).read_text()
    lines = difflib.unified_diff(before.splitlines(), mutant.applied(before).splitlines(), lineterm="", n=0)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def counted(trials: Sequence[Trial], reasons: Mapping[Mutant, str]) -> dict[str, Any]:
    """How many were killed, explained and left; the rate of those killed or explained with its interval."""
    killed = sum(t.outcome == KILLED for t in trials)
    told = sum(t.outcome != KILLED and bool(reasons.get(t.mutant)) for t in trials)
    low, high = interval(killed + told, len(trials))
    return {
        "mutants": len(trials),
        "killed": killed,
        "explained": told,
        "survived": len(trials) - killed - told,
        "rate": (killed + told) / len(trials) if trials else None,
        "interval": [low, high],
        "killed_of_unexplained": killed / (len(trials) - told) if len(trials) > told else None,
    }


def in_words(name: str, count: Mapping[str, Any], population: int) -> str:
    if not count["mutants"]:
        return f"{name:<20} none of {population}"
    low, high = count["interval"]
    return (
        f"{name:<20} {count['mutants']:>4} of {population:<5} killed {count['killed']:>4}, explained"
        f" {count['explained']:>3}, survived {count['survived']:>3}: {count['rate']:6.1%} [{low:.1%}, {high:.1%}]"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutation", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("-n", type=int, default=400, help="mutants in the sample (400)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--only",
        metavar="TEXT",
        action="append",
        default=[],
        help="those with TEXT in 'PATH:LINE: OPERATOR'",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="judged by the tests that run its line, not by whole files and claims",
    )
    parser.add_argument("--goal", type=float, default=0.97, help="exit status 1 below this rate (0.97)")
    parser.add_argument("--json", type=Path, default=ROOT / "reports" / "out" / "mutation.json")
    options = parser.parse_args(arguments)

    everything = population(ROOT)
    entries = explained.read()
    if old := explained.stale(entries, [m for ms in everything.values() for m in ms]):
        for entry in old:
            print(f"explained.toml: no such mutant in {entry.path}, {entry.scope}: {entry.text} -> {entry.becomes}")
        return 1
    strata = {s: [m for m in ms if _wanted(m, options.only)] for s, ms in everything.items()}
    if not any(strata.values()):
        print(f"no mutant has all of {', '.join(options.only)} in its name")
        return 1
    chosen = sample(strata, options.n, options.seed)
    every = [m for ms in chosen.values() for m in ms]
    random.Random(options.seed).shuffle(every)  # a run that is interrupted has drawn a smaller sample of the same kind
    differences = {m: difference(m, ROOT) for m in every}
    reasons = {m: explained.explanation(m, entries) for m in every}
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell ignores for what runs in the background
    started, trials, red = time.monotonic(), [], {}
    with suppress(KeyboardInterrupt):
        for trial, failing in performed(ROOT, every, workers=options.workers, quick=options.quick):
            trials.append(trial)
            red |= failing
            if trial.outcome != KILLED:
                print(f"{len(trials)}/{len(every)} {_survivor(trial.mutant, reasons, differences)}", flush=True)
            elif len(trials) % 25 == 0:
                print(f"{len(trials)}/{len(every)}", flush=True)
    document = _document(options, strata, trials, reasons, differences, red)
    document["seconds"] = round(time.monotonic() - started, 1)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(document, indent=1) + "\n")
    return _said(document, strata, options)


def _wanted(mutant: Mutant, texts: Sequence[str]) -> bool:
    return all(text in f"{mutant.path}:{mutant.line}: {mutant.operator}" for text in texts)


def _survivor(mutant: Mutant, reasons: Mapping[Mutant, str], differences: Mapping[Mutant, str]) -> str:
    why = reasons[mutant]
    head = f"{mutant.path}:{mutant.line} ({mutant.scope}, {mutant.operator})"
    return f"{head}{': explained: ' + why if why else ' SURVIVED'}\n{differences[mutant]}"


def _document(
    options: argparse.Namespace,
    strata: Mapping[str, Sequence[Mutant]],
    trials: Sequence[Trial],
    reasons: Mapping[Mutant, str],
    differences: Mapping[Mutant, str],
    red: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    by_stratum = {s: [t for t in trials if t.mutant.path.startswith(s + "/")] for s in strata}
    listed = sorted(trials, key=lambda t: t.mutant)
    return {
        "schema": 1,
        "n": options.n,
        "complete": len(trials) == len(reasons),
        "seed": options.seed,
        "quick": options.quick,
        "population": {s: len(ms) for s, ms in strata.items()},
        "strata": {s: counted(ts, reasons) for s, ts in by_stratum.items()},
        "all": counted(trials, reasons),
        "trials": [
            {**asdict(t), "difference": differences[t.mutant], "explanation": reasons[t.mutant]} for t in listed
        ],
        "red_without_a_mutant": {file: list(tests) for file, tests in sorted(red.items())},
    }


def _said(document: Mapping[str, Any], strata: Mapping[str, Sequence[Mutant]], options: argparse.Namespace) -> int:
    """The summary on the terminal, and the exit status."""
    short = "" if document["complete"] else ", interrupted"
    print(f"\nseed {options.seed}, {document['seconds']:.0f} s{short}; killed or explained [95 % interval]")
    for stratum, count in document["strata"].items():
        print(in_words(stratum, count, len(strata[stratum])))
    print(in_words("all", document["all"], sum(map(len, strata.values()))))
    for file, tests in document["red_without_a_mutant"].items():
        print(f"red without a mutant, so it judges nothing: {file} ({len(tests)})")
    wrong = [t for t in document["trials"] if t["explanation"] and t["outcome"] == KILLED]
    for t in wrong:
        mutant = t["mutant"]
        print(f"explained, and killed all the same: {mutant['path']}:{mutant['line']} by {t['by']}")
    print(options.json)
    return int(bool(wrong) or not document["all"]["mutants"] or document["all"]["rate"] < options.goal)


if __name__ == "__main__":
    sys.exit(main())
