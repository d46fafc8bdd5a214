"""Do two checkouts print and write the same?  For changes that move code and must change nothing else.

    python tests/same_documents.py BEFORE AFTER [--allow GLOB ...] [--only WORD] [--keep FOLDER]

Every command of elbo-verify runs in both checkouts, with this Python, on the same inputs. Exit codes, both streams and
every file are compared field by field. Left out is what differs from run to run: dates, seconds, free memory, the
folder of the run, and the path of a test (its name counts). An --allow is for what AFTER changes on purpose, as
`report.json:portrait` (with all below it), `index.html`, `*:portrait`, or `help stdout` for one command only.

Main       fields (a file as a dictionary), differences (of two dictionaries); cases (what is run); main.
"""

import argparse
import concurrent.futures
import csv
import fnmatch
import functools
import hashlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ABSENT = "(absent)"
BINARY = (".npz", ".png", ".safetensors")
# Fields of documents that are never the same twice, by the last part of their name.
RESTLESS = re.compile(r"(^|\.)(date|seconds|\w+_seconds|free_bytes)$")
# The same in running text; the second group of a test's name is kept.
TEXT = [
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:[\d.]+)?( UTC|Z|[+-]\d\d:?\d\d)?"), "DATE"),
    (re.compile(r"\b\d[\d.]* ?(s|seconds?|minutes?)\b"), "SECONDS"),
    (re.compile(r"[\w./-]+\.py::"), "TEST::"),
]


# --- what a file says ---------------------------------------------------------------------------------------------


def plain(text: str) -> str:
    """The text without what differs from run to run."""
    return functools.reduce(lambda said, rule: rule[0].sub(rule[1], said), TEXT, text)


def fields(name: str, content: bytes) -> dict[str, Any]:
    """{"NAME:FIELD": value} of one file; of the streams as well, JSON where they are JSON."""
    suffix = Path(name).suffix
    if suffix == ".npz":
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {f"{name}:{key}": _array(arrays[key]) for key in arrays.files}
    if suffix == ".safetensors":
        return _tensors(name, content)
    if suffix in BINARY:
        return {name: hashlib.sha256(content).hexdigest()}
    text = content.decode()
    if suffix == ".json" or (suffix == "" and text.startswith("{")):
        return dict(_leaves(f"{name}:", json.loads(text)))
    if suffix == ".csv":
        rows = list(csv.DictReader(io.StringIO(text)))
        return {f"{name}:{i}.{key}": value for i, row in enumerate(rows, 1) for key, value in row.items()}
    return {f"{name}:{i}": plain(line) for i, line in enumerate(text.splitlines(), 1)}


def _tensors(name: str, content: bytes) -> dict[str, Any]:
    """A header in JSON, whose order is left to chance, and then all numbers."""
    size = int.from_bytes(content[:8], "little")
    header, numbers = json.loads(content[8 : 8 + size]), content[8 + size :]
    return dict(_leaves(f"{name}:", header)) | {f"{name}:numbers": hashlib.sha256(numbers).hexdigest()}


def _array(values: np.ndarray) -> str:
    """Type, shape and bytes: -0 and 0, or two NaNs of different bits, are not the same."""
    return f"{values.dtype} {values.shape} {hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]}"


def _leaves(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    """(name, value) of every leaf of a JSON document; an empty list or dictionary is a leaf."""
    join = "" if prefix.endswith(":") else "."
    if isinstance(value, dict | list) and value:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value, 1):
            yield from _leaves(f"{prefix}{join}{key}", inner)
    elif not RESTLESS.search(prefix.partition(":")[2]):
        # repr tells 1 from 1.0 from true, and finds NaN equal to NaN.
        yield prefix, plain(value) if isinstance(value, str) else repr(value)


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], allowed: Sequence[str] = (), case: str = ""
) -> list:
    """[(field, before, after)] of the fields that differ and are not allowed to, in the order of the files."""
    names = [*before, *(name for name in after if name not in before)]
    found = [(name, before.get(name, ABSENT), after.get(name, ABSENT)) for name in names]
    return [each for each in found if each[1] != each[2] and not _permitted(each[0], allowed, case)]


def _permitted(name: str, allowed: Sequence[str], case: str) -> bool:
    said = (name, f"{case} {name}", f"{case.split()[0]} {name}" if case else name)
    return any(fnmatch.fnmatchcase(s, glob + end) for s in said for glob in allowed for end in ("", ".*", ":*"))


# --- what is run --------------------------------------------------------------------------------------------------


class Case(NamedTuple):
    """One line of the table: commands that run one after the other in a folder of their own."""

    command: str
    input: str
    steps: list[list[str]]


# Name, DATA as it is typed, and k.
INPUTS = [
    ("digits", "digits", "10"),
    ("mnist", "mnist:1000", "50"),
    ("wine", "wine.csv", "4"),
    ("genes", "genes.npy", "10"),
    ("patches", "patches:300", "10"),
    ("spectrum", "eigenvalues:6,4,2.5,1.2,0.5", "3"),
]
COMMANDS = [
    *("doctor", "prove", "device-check", "audit", "collapse", "diagnose"),
    *("stationary", "stability", "certify", "landscape", "report", "train", "tables", "figures"),
]
BAD = {
    "no command": [],
    "version": ["--version"],
    "unknown command": ["nonsense"],
    "unknown option": ["stability", "digits", "-k", "2", "--nonsense"],
    "no such file": ["stability", "nowhere.csv", "-k", "2"],
    "k too large": ["report", "digits", "-k", "200", "--out", "page"],
    "sigma2 negative": ["stationary", "digits", "-k", "2", "--sigma2", "-1"],
    "not a number": ["stability", "broken.csv", "-k", "1"],
    "one value": ["stability", "eigenvalues:0,0", "-k", "1"],
    "no such claim": ["prove", "eq-5"],
    "train spectrum": ["train", "eigenvalues:3,2,1", "--arch", "linear", "-k", "1", "--sigma2", "1"],
    "no device": ["stability", "digits", "-k", "2", "--backend", "cupy"],
    "unbounded": ["stationary", "eigenvalues:2,1,0", "-k", "2", "--learned-noise"],
}
TINY = shlex.split("--seeds 1 --epochs 1 --learning-rates 0.001 --hidden 8 -k 3 --data digits")
TRAIN = shlex.split("train digits --arch linear -k 3 --sigma2 1 --learned-noise 0.5 --epochs 3 --out made")


def write_inputs(folder: Path) -> None:
    """The input files, and what they are made of: the same for both sides."""
    from sklearn.datasets import load_wine

    wine, rng = load_wine(), np.random.default_rng(0)
    heading = ",".join(str(name).replace("/", " ") for name in wine.feature_names)
    np.savetxt(folder / "wine.csv", wine.data, delimiter=",", header=heading, comments="", fmt="%.10g")
    genes = rng.normal(size=(60, 6)) @ (rng.normal(size=(6, 2000)) * np.geomspace(3, 1, 6)[:, None])
    np.save(folder / "genes.npy", genes + rng.normal(size=(60, 2000)))
    mu = rng.normal(size=(200, 4)) * [2, 1, 0.01, 0]
    np.savez(folder / "latents.npz", mu=mu, logvar=-(mu**2))
    x = rng.normal(size=(200, 9)) * np.linspace(3, 0.5, 9)
    drawn = rng.normal(size=(2, 200, 9))
    np.savez(folder / "vae.npz", x=x, mu=mu, logvar=-(mu**2), reconstructions=0.4 * x, samples=0.4 * x + drawn / 4)
    (folder / "broken.csv").write_text("a,b\n1,2\n3,four\n")


def mnist_folder(checkout: Path) -> Path | None:
    """The folder that holds mnist/, as it is named or beside or in the checkout: one for both sides."""
    named = [Path(os.environ["ELBO_VERIFY_DATA"])] if os.environ.get("ELBO_VERIFY_DATA") else []
    places = [*named, checkout.parent / "shared" / "data", checkout / "shared" / "data"]
    return next((place.resolve() for place in places if (place / "mnist").is_dir()), None)


def on_data(name: str, data: str, k: str) -> Iterator[Case]:
    """The commands that look at data; report with --json, the others once for machines and once for people."""
    begin = [data, "-k", k]
    yield Case("report", name, [["report", *begin, "--json", "--out", "page"]])
    landscape = ["landscape", *begin, "--grid", "15", "--out", "slices"]
    yield Case("landscape", name, [[*landscape, "--json", "--save", "slices.npz"]])
    yield Case("stability", name, [["stability", *begin, "--json"]])
    for objective in ("ppca", "elbo"):
        for noise in (["--sigma2", "1"], ["--learned-noise"]):
            options = ["--objective", objective, *noise, "--top", "12", "--json", "--save", "points.npz"]
            yield Case(f"stationary {objective} {noise[0][2:]}", name, [["stationary", *begin, *options]])
    if name not in ("mnist", "patches"):  # those take their time to be read
        yield Case("stability for people", name, [["stability", *begin, "--sigma2", "0.5", "1", "30"]])
        yield Case("stationary for people", name, [["stationary", *begin, "--sigma2", "1", "--objective", "elbo"]])


def cases() -> list[Case]:
    """All of them, the longest first."""
    asked = ["eigenvalues:6,4,2.5,1.2,0.5", "-k", "2", "--sigma2", "1"]
    certify, check = ["certify", *asked, "--out", "proof.json"], ["certify", "--check", "proof.json"]
    proofs = ["prove", "eq-13", "eq-33", "--json", "--ledger", "ledger.json"]
    made = [
        Case("prove, report", "digits", [proofs, ["report", "digits", "--ledger", "ledger.json", "--out", "page"]]),
        *(case for data in INPUTS for case in on_data(*data)),
        Case("audit", "", [["audit", "--json"]]),
        Case("audit for people", "", [["audit"], ["audit", "--all"]]),
        Case("tables", "digits", [["tables", *TINY, "--json", "--out", "made"]]),
        Case("tables for people", "digits", [["tables", "1", *TINY, "--out", "made"]]),
        Case("figures", "digits", [["figures", "1", "2", "--json", "--out", "made"]]),
        Case("figures for people", "digits", [["figures", "4", "--epochs", "2", "--seeds", "1", "--out", "made"]]),
        Case("train", "digits", [[*TRAIN, "--json", "--save-latents", "l.npz"], ["collapse", "l.npz"]]),
        Case("train for people", "digits", [TRAIN]),
        Case("collapse", "latents", [["collapse", "latents.npz", "--json"]]),
        Case("diagnose", "vae", [["diagnose", "vae.npz", "--sigma2", "1", "--json", "--save-escape", "escape.npz"]]),
        Case("diagnose for people", "vae", [["diagnose", "vae.npz", "--loss", "mse-sum", "--out", "page"]]),
        Case("certify", "spectrum", [[*certify, "--json"], [*check, "--json"]]),
        Case("certify for people", "spectrum", [certify, check]),
        Case("certified", "spectrum", [[name, *asked, "--certify", "--json"] for name in ("stability", "stationary")]),
        Case("doctor", "", [["doctor", "--json"]]),
        Case("doctor for people", "", [["doctor"]]),
        *(Case("bad input", why, [argv]) for why, argv in BAD.items()),
        Case("help", "", [["--help"], *([command, "--help"] for command in COMMANDS)]),
    ]
    return sorted(made, key=lambda case: not case.command.startswith(("prove", "report")))


def outcome(case: Case, checkout: Path, inputs: Path, folder: Path) -> dict[str, Any]:
    """All that a checkout prints and writes, as fields; in `folder`, which is new."""
    folder.mkdir(parents=True)
    for path in inputs.iterdir():
        (folder / path.name).symlink_to(path)
    # One thread each: sums are then added in one order.  A folder without a terminal has no width but ours.
    said = {"PYTHONPATH": str(checkout), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")} | said

    def placeless(content: bytes) -> bytes:
        return content.replace(str(folder).encode(), b"HERE").replace(str(checkout).encode(), b"CHECKOUT")

    made: dict[str, Any] = {}
    for number, argv in enumerate(case.steps, 1):
        end = f" {number}" if number > 1 else ""
        command = [sys.executable, "-m", "reports", *argv]
        run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, stdin=subprocess.DEVNULL)
        made[f"exit code{end}"] = run.returncode
        made |= fields(f"stdout{end}", placeless(run.stdout)) | fields(f"stderr{end}", placeless(run.stderr))
        for path in folder.glob("ledger.json"):  # the page that shows it shows its seconds
            path.write_text(re.sub(r'"seconds": [-+.\de]+', '"seconds": 0', path.read_text()))
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
        name, content = str(path.relative_to(folder)), path.read_bytes()
        made[name] = "(written)"
        made |= fields(name, content if path.suffix in BINARY else placeless(content))
    return made


# --- what is said -------------------------------------------------------------------------------------------------


def compare(case: Case, sides: tuple[Path, Path], inputs: Path, work: Path, allowed: list[str]) -> list:
    """Both sides of one case, one after the other; its differences."""
    name = re.sub(r"\W+", "-", f"{case.command}-{case.input}").strip("-")
    both = [
        outcome(case, side, inputs, work / place / name) for side, place in zip(sides, ("before", "after"), strict=True)
    ]
    return differences(*both, allowed, f"{case.command} {case.input}".strip())


def clipped(value: Any) -> str:
    return text if len(text := str(value)) <= 60 else f"{text[:57]}..."


def main(argv: list[str] | None = None) -> int:
    about, _, more = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(description=about, epilog=more, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("before", type=Path, help="a checkout")
    parser.add_argument("after", type=Path, help="another")
    parser.add_argument("--allow", action="append", default=[], metavar="GLOB", help="fields that may differ")
    parser.add_argument("--only", default="", metavar="WORD", help="the lines of the table in which it stands")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="a new folder for all that is written")
    parser.add_argument("--processes", type=int, default=2, metavar="P")
    args = parser.parse_args(argv)
    sides = (args.before.resolve(), args.after.resolve())
    for side in sides:
        if not (side / "reports" / "__main__.py").is_file():
            parser.error(f"{side}: no checkout, since it has no reports/__main__.py")
    with tempfile.TemporaryDirectory() as temporary:
        work = (args.keep or Path(temporary) / "work").resolve()
        inputs = work / "inputs"
        inputs.mkdir(parents=True)
        write_inputs(inputs)
        return tell(args, sides, inputs, work)


def tell(args: argparse.Namespace, sides: tuple[Path, Path], inputs: Path, work: Path) -> int:
    """Runs all, prints the table; -> the exit code."""
    chosen = [case for case in cases() if args.only in f"{case.command} {case.input}"]
    data = mnist_folder(sides[0])
    skipped = [case for case in chosen if case.input == "mnist" and data is None]
    chosen = [case for case in chosen if case not in skipped]
    os.environ["ELBO_VERIFY_DATA"] = str(data or "")
    start, wrong = time.monotonic(), 0
    with concurrent.futures.ThreadPoolExecutor(args.processes) as pool:
        # Found in turn, so the table keeps its order.
        for case, found in zip(
            chosen, pool.map(lambda case: compare(case, sides, inputs, work, args.allow), chosen), strict=True
        ):
            wrong += bool(found)
            print(f"{case.command:26} {case.input:18} {f'DIFFERS in {len(found)}' if found else 'same'}", flush=True)
            for field, before, after in found[:1]:
                print(f"    {field}\n      before  {clipped(before)}\n      after   {clipped(after)}")
    for case in skipped:
        print(f"{case.command:26} {case.input:18} SKIPPED: ELBO_VERIFY_DATA names no folder with mnist/ in it")
    print(f"{len(chosen)} compared, {wrong} differ; {time.monotonic() - start:.0f} s")
    return int(wrong > 0 or not chosen)


if __name__ == "__main__":
    sys.exit(main())
