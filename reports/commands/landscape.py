"""The command `landscape`: slices through the likelihood around a point, as in Figure 1."""

import argparse
import shlex
from pathlib import Path

import numpy as np

from gpu.device import backend
from reports.analysis.landscape import landscape
from reports.analysis.report import provenance
from reports.terminal import data
from reports.terminal.console import Session, table
from reports.terminal.files import staged
from reports.terminal.folders import beside, keep_others
from reports.terminal.options import beta, folder, latents, noises
from verify.analysis.scales import compared
from verify.data.documents import write_json
from verify.data.writing import writable, write_npz
from verify.landscape.weighted import PLAIN
from verify.words.numerals import as_threshold, counted, scaled, typed
from verify.words.tables import short
from verify.words.wording import ranges, what_value

SHELF = ("Your data", 4)
FILES = ("landscape.json", "landscape.svg", "landscape.png")


def options(parser: argparse.ArgumentParser) -> None:
    data.options(parser)
    latents(parser)
    noises(parser, "at lam_4, lam_6, lam_8 over beta, or spread over fewer")
    beta(parser)
    parser.add_argument(
        "--directions",
        type=int,
        nargs=2,
        metavar=("I", "J"),
        help="numbers of two eigenvectors to move along (default 5 7, or what there is)",
    )
    parser.add_argument(
        "--grid", type=int, default=101, metavar="G", help="points along each side of a slice (default 101)"
    )
    parser.add_argument("--save", type=Path, metavar="FILE.npz", help="write the values on the grids, too")
    folder(parser, "folder for the figure and landscape.json", required=True)


def run(args: argparse.Namespace, session: Session) -> int:
    """Slices as in Figure 1: landscape.json, .svg and .png in a folder, the grids as .npz if asked for."""
    save = None if args.save is None else writable(beside(args.save, args, FILES))
    covariance = data.read(args, session, compared(args.sigma2, args.beta))
    keep_others(args.out, args, {"k": args.k, "provenance.data": covariance.provenance}, FILES)
    xp = backend(args.backend)
    document, slices = landscape(covariance, args.k, args.sigma2, args.directions, args.grid, xp, beta=args.beta)
    document["provenance"] = provenance(covariance.provenance, args.seed, shlex.join(["elbo-verify", *args.argv]))
    with session.working("drawing"), staged(args.out) as stage:
        from reports.panels import slices as figure_1  # slow to import

        write_json(document, stage / "landscape.json")
        figure_1.landscape(slices, stage, args.beta)
    for name in FILES:
        session.wrote(args.out / name)
    if save is not None:
        arrays = {name: np.array([getattr(s, name) for s in slices]) for name in ("sigma2", "a", "b", "values")}
        write_npz(save, directions=np.array(document["directions"]), beta=np.array(document["beta"]), **arrays)
        session.wrote(save)
    session.result(document)
    session.notes(document["notes"])
    i, j = document["directions"]
    stable = [s for s in document["slices"] if max(s["curvatures"]) < 0 and not s["undecided"]]
    noises = ", ".join(_noise(s["sigma2"]) for s in stable)
    at = f"sigma2 = {noises}" if stable else "no noise listed"
    who = "A zero column moved" if document["moved_columns"] == 1 else "Two zero columns moved"
    session.say(f"{who} along u{i} and u{j}, beside the retained ones: stable in both directions at {at}.\n")
    if args.beta != PLAIN:
        session.say(f"Planes of {what_value(args.beta)}; u{i} is stable where {scaled(args.beta)} exceeds lam_{i}.\n")
    columns = [("sigma2", True), (f"curvature u{i}", True), (f"curvature u{j}", True), ("unstable", True)]
    rows = [
        (
            _noise(s["sigma2"]),
            *(short(c, 4) for c in s["curvatures"]),
            f"{counted(s['unstable'], s['unstable'] + len(s['undecided']))} of 2",
            ranges(s["retained"]),
        )
        for s in document["slices"]
    ]
    session.say(table([*columns, ("retained", False)], rows))
    return 0


def _noise(value: float) -> str:
    """A noise as it was typed, or an eigenvalue as it stands elsewhere."""
    return typed(value) if len(typed(value)) <= len("0.000123456") else as_threshold(value)
