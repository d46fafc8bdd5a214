"""python -m benchmarks [NAME ...] [--json FILE] [--quick]: a table, and the same as JSON."""

import argparse
import importlib
import sys
from pathlib import Path

from benchmarks import floors, tables
from benchmarks.harness import FULL, QUICK, compare
from benchmarks.processes import Failed

MODULES = ("spectrum", "hessian", "product", "ends", "enumeration", "training", "reading", "certificates")


def main(argv: list[str] | None = None) -> int:
    """Run the benchmarks; 1 if one of ours does not run.  A target that is missed is reported and no failure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Ours beside its peers, in one run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(MODULES)} (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured")
    parser.add_argument("--quick", action="store_true", help="fewer sizes, fewer pairs, one thread")
    args = parser.parse_args(argv)
    if unknown := sorted(set(args.names) - set(MODULES)):
        parser.error(f"unknown {', '.join(unknown)}; choose from {', '.join(MODULES)}")
    effort = QUICK if args.quick else FULL
    tables.progress("the machine")
    machine = floors.measured(effort)
    tables.show_machine(machine)
    results, code = [], 0
    for name in args.names or MODULES:
        for subject in importlib.import_module(f"benchmarks.{name}").subjects(args.quick):
            try:
                result = compare(subject, machine, effort, tables.progress)
            except Failed as failed:
                print(f"{subject.title}: ours does not run: {failed}", file=sys.stderr)
                code = 1
                continue
            tables.show(result)
            results.append(result)
            if args.json is not None:  # after each, so that an interruption keeps what there is
                tables.write(args.json, machine, results, quick=args.quick)
    tables.show_targets(results)
    return code


if __name__ == "__main__":
    sys.exit(main())
