"""Every kernel against its twin on a real device, and how fast each is there: python -m gpu.check.

Main       comparisons, throughput -> documents; main (the command): exit code 0, 1 where something disagrees, 2
           without a device or for a file that cannot be written, 130 interrupted.

`python -m gpu.check --quick` measures on small arrays, whose times are those of launches rather than of kernels.
`reports device-check` runs the same beside the proofs and keeps the results.
"""

import argparse
import json
import math
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gpu.comparisons import COMPARISONS, Outcome, compare
from gpu.device import backend, find_device
from gpu.throughput import Clock, Events, Missed
from gpu.throughput import throughput as measured
from verify.errors import InputError, first_line

Document = dict[str, Any]
Told = Callable[[str], object]

QUICK = 0.02
BAD_INPUT, INTERRUPTED = 2, 130


def comparisons(xp: Any, told: Told = lambda line: None) -> list[Document]:
    """Each kernel file against its twin, with its control.  `told` hears a line about each."""
    found = []
    for name in COMPARISONS:
        try:
            document = _compared(compare(name, xp))
        except Exception as error:  # a kernel that does not compile or run is a finding, and the others are looked at
            traceback.print_exc()
            nothing = dict.fromkeys(("worst", "where", "control"))
            document = {
                "name": name,
                "cases": 0,
                **nothing,
                "agrees": False,
                "caught": None,
                "reason": first_line(error),
            }
        found.append(document)
        told(_comparison_line(document))
    return found


def _compared(outcome: Outcome) -> Document:
    return {
        "name": outcome.name,
        "cases": outcome.cases,
        "worst": _finite(outcome.worst),
        "where": outcome.where,
        "control": _finite(outcome.control),
        "agrees": outcome.agrees,
        "caught": None if outcome.control is None else outcome.caught,
        "reason": None if outcome.agrees else f"differs from its twin: {outcome.where}",
    }


def sound(compared: Sequence[Document]) -> bool:
    """Whether every kernel is its twin and every control was caught."""
    return bool(compared) and all(c["agrees"] and c["caught"] is not False for c in compared)


def throughput(xp: Any, clock: Clock, scale: float = 1.0, told: Told = lambda line: None) -> Document:
    """The rates of the device and a figure of each workload.  `told` hears a line about each."""
    rates, figures = measured(xp, clock, scale=scale)
    told(f"copy {rates.bandwidth / 1e9:.4g} GB/s, float64 matrix product {rates.rate / 1e12:.4g} Tflop/s")
    document: Document = {"bandwidth": rates.bandwidth, "rate": rates.rate, "scale": scale, "figures": [], "missed": []}
    for found in figures:
        if isinstance(found, Missed):
            document["missed"].append(asdict(found))
            told(f"{found.name:<16} {found.size or '':<26} missed: {found.reason}")
        else:
            document["figures"].append(asdict(found))
            told(_figure_line(document["figures"][-1]))
    return document


def _comparison_line(document: Document) -> str:
    if document["cases"] == 0:
        return f"{document['name']:<12} fails: {document['reason']}"
    said = "agrees" if document["agrees"] else "DIFFERS"
    worst = "infinite" if document["worst"] is None else f"{document['worst']:.1e}"
    control = {None: "", True: ", control caught", False: ", control MISSED"}[document["caught"]]
    return f"{document['name']:<12} {said} in {document['cases']} cases, worst {worst} ({document['where']}){control}"


def _figure_line(figure: Document) -> str:
    line = f"{figure['name']:<16} {figure['size']:<26} {figure['per_second']:>9.3g} {figure['unit']}/s"
    line += f", {figure['of_floor']:.3g} times the floor ({figure['floor']})"
    if figure["library_agrees"] is False:
        return f"{line}; the library's answer is another"
    if figure["library_seconds"] is None:
        return line
    return f"{line}; {figure['library_seconds'] / figure['seconds']:.3g} times as fast as the library"


def main(argv: Sequence[str] | None = None) -> int:
    """The command; -> its exit code."""
    parser = argparse.ArgumentParser(prog="python -m gpu.check", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small arrays")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    args = parser.parse_args(argv)
    try:
        if args.json is not None and not os.access(args.json.absolute().parent, os.W_OK):
            raise InputError(f"{args.json}: cannot be written; name a file in a writable folder")
        xp: Any = backend("cupy")
        compared = comparisons(xp, _say)
        figures = throughput(xp, Events(xp), QUICK if args.quick else 1.0, _say)
        document = {"device": asdict(find_device()), "comparisons": compared, "throughput": figures}
        if args.json is not None:
            args.json.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    except KeyboardInterrupt:
        return INTERRUPTED
    except (InputError, OSError) as error:
        print(f"gpu.check: {first_line(error)}", file=sys.stderr)
        return BAD_INPUT
    return 0 if sound(compared) else 1


def _say(line: str) -> None:
    print(line, flush=True)


def _finite(value: float | None) -> float | None:
    """JSON knows no infinity."""
    return value if value is not None and math.isfinite(value) else None


if __name__ == "__main__":
    sys.exit(main())
