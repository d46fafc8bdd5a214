"""What each command does: load, compute, print.

Main       prove, device_check, stationary, stability, landscape, certify, report, audit.

Each takes the parsed arguments and a Session, and returns an exit code. What is slow to import (figures, pages, the
proofs) is imported where it is used.
"""

import argparse
import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gpu.device import backend, find_device
from reports import analysis, ties
from reports.console import Session, one_line, short, table
from reports.files import read_json, staged, write_json, write_npz
from reports.listing import how_found, interrupted, readable
from reports.numerals import as_threshold, counted, rough, threshold, typed
from reports.wording import ranges, stability_verdict, verdict
from verify.checks import positive_noise, random_seed
from verify.data.covariance import Covariance
from verify.data.sources import load
from verify.data.writing import writable
from verify.eigenvalues import Eigenvalues
from verify.errors import InputError

Document = dict[str, Any]
BROKEN, INTERRUPTED = 1, 130
LATENTS = 10
MOST_THRESHOLDS = 13


def _loaded(args: argparse.Namespace, session: Session, noises: Sequence[float] | None = None) -> Covariance:
    """The covariance of DATA, of which these noises will be asked.  Raises InputError."""
    _checked_backend(args.backend)
    seed, asked = random_seed(args.seed), [positive_noise(s) for s in noises or ()]
    with session.working(f"reading {one_line(args.data)}"):
        return load(args.data, scale=args.scale, logit=args.logit, seed=seed, data_dir=args.data_dir, noises=asked)


def _checked_backend(name: str) -> None:
    """Raises InputError where a device is asked for and there is none; closed forms need none."""
    if name == "cupy":
        backend(name)


def prove(args: argparse.Namespace, session: Session) -> int:
    """Put the claims to the test.  1 if one is broken, 130 if interrupted."""
    from proofs.machinery import ledger
    from proofs.machinery.run import prove as run

    with tempfile.TemporaryDirectory(prefix="elbo-verify-") as scratch:
        path: Path | None = args.ledger or (Path(scratch, "ledger.json") if args.json else None)
        quiet = args.json or args.quiet
        code = run(args.claims, thorough=args.thorough, ledger=path, backend=args.backend, quiet=quiet)
        if path is not None and path.is_file():
            session.result(ledger.read(path) if args.json else None)
            if args.ledger is not None:
                session.wrote(path)
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return code


def device_check(args: argparse.Namespace, session: Session) -> int:
    """The acceptance run on this device.  1 if something disagrees."""
    from gpu.throughput import Events
    from reports import device_check as acceptance

    path = args.out / acceptance.evidence_name(find_device())
    writable(path)

    def keep(document: Document) -> None:
        write_json(document, path)
        if path not in session.kept:
            session.wrote(path)

    xp = backend("cupy")
    document = acceptance.perform(acceptance.Run(xp, Events(xp), session.say, args.peers), keep)
    session.result(document)
    return 0 if acceptance.sound(document) else BROKEN


def stationary(args: argparse.Namespace, session: Session) -> int:
    """The stationary points, best first."""
    save = None if args.save is None else writable(args.save)
    covariance = _loaded(args, session, [] if args.sigma2 is None else [args.sigma2])
    with session.working("searching"):
        document, points = analysis.stationary(
            covariance,
            args.k,
            sigma2=args.sigma2,
            objective=args.objective,
            top=args.top,
            backend=args.backend,
            progress=session,
        )
    if save is not None:
        analysis.save_points(save, points, covariance)
        session.wrote(save)
    session.result(document)
    # What an interrupted walk came to know is said at the end.
    verdict = _stationary_verdict(document, covariance.spectrum)
    session.notes(document["notes"][: -1 if interrupted(document) else None], verdict)
    session.say(verdict)
    session.say("")
    session.say(_points_table(document))
    session.say(f"\n{_legend(document)}")
    if interrupted(document):
        raise KeyboardInterrupt(how_found(document))
    return 0


def _stationary_verdict(document: Document, spectrum: Eigenvalues) -> str:
    points = document["points"]
    of = "the likelihood" if document["objective"] == "ppca" else "the ELBO"
    at = "With learned noise" if document["sigma2"] is None else f"At sigma2 = {short(document['sigma2'])}"
    what = "stationary point" if document["objective"] == "ppca" else "family of stationary points"
    plural = "stationary points" if document["objective"] == "ppca" else "families of stationary points"
    count = document["count"]
    known = max(len(points), sum(document["walk"]["by_index"]) if "walk" in document else 0)
    many = (
        f"at least {readable(known)} {plural}"
        if count is None
        else f"{readable(count)} {what if count == 1 else plural}"
    )
    if document["undecided"]:
        many += f", and perhaps {readable(document['undecided'])} more"
    names = {
        "maximum": ("global maximum", "global maxima"),
        "undecided": ("undecided", "undecided"),
        "saddle": ("saddle", "saddles"),
        "minimum": ("minimum", "minima"),
    }
    tally = [(sum(p["kind"] == kind for p in points), words) for kind, words in names.items()]
    kinds = ", ".join(f"{number} {words[number != 1]}" for number, words in tally if number)
    return f"{at} {of} has {many}; {_best_point(document, spectrum)}. Of the {len(points)} listed: {kinds}."


def _best_point(document: Document, spectrum: Eigenvalues) -> str:
    """What the global maximum retains, on both sides of a tie where rounding leaves one."""
    points, k, sigma2 = document["points"], document["k"], document["sigma2"]
    if document["continuum"] is not None:
        return ties.curve_in_words(document)
    if sigma2 is not None:
        fewest, most = spectrum.position(sigma2).retained(k)
        if fewest < most:
            return ties.retained_either_way(spectrum, k, sigma2)
    top = next((p for p in points if p["global"]), points[0])  # it may tie with others to the last digit
    best = f"the global maximum retains {len(top['retained'])} of {k} latents"
    if not top["global"]:
        best = (
            f"the best of them, which retains {len(top['retained'])} of {k} latents, is the maximum to within rounding"
        )
    return best if sigma2 is not None else f"{best} at sigma2 = {short(top['sigma2'])}"


def _points_table(document: Document) -> Any:
    elbo, learned = document["objective"] == "elbo", document["sigma2"] is None
    columns = [("", True), ("value", True), ("deficit", True)]
    columns += [("sigma2", True)] if learned else []
    columns += [("gap", True)] if elbo else []
    columns += [("index", True), ("kind", False), ("rate", True), ("escape", False), ("retained", False)]
    rows = []
    for number, point in enumerate(document["points"], start=1):
        row = [str(number), short(point["value"], 8), short(point["deficit"], 4)]
        row += [short(point["sigma2"], 5)] if learned else []
        row += [short(point["bound_gap"], 3)] if elbo else []
        escape = point["escape"]
        flat = not point["strict"] and point["kind"] != "undecided"
        row += [str(point["index"]), point["kind"] + (" (flat)" if flat else "")]
        row += [short(escape["rate"], 3) if escape else "-", _way(escape), _held(point)]
        rows.append(row)
    return table(columns, rows)


def _legend(document: Document) -> str:
    points = document["points"]
    text = "value: nats per datum; deficit: best value minus this one"
    if document["objective"] == "elbo":
        text += "; gap: likelihood minus ELBO"
    text += "; index: directions in which the objective still rises; rate: largest eigenvalue of the Hessian"
    text += "; w: columns of W; u: eigenvectors"
    if any(p["kind"] == "undecided" for p in points):
        text += "; undecided: rounding leaves open which kind it is, as an eigenvalue cannot be told from the noise"
    if any(not p["strict"] and p["kind"] != "undecided" for p in points):
        text += "; flat: in directions beyond those of symmetry, to second order"
    if not all(p["orthogonal"] for p in points):
        text += "; {}: eigenvectors that as many columns share (not orthogonal), 0 for each column more"
    return text


def _way(escape: Document | None) -> str:
    """The steepest way up in a few characters."""
    if escape is None:
        return "-"
    direction = escape["direction"]
    columns, eigen = (ranges(sorted(direction[of])).replace(" ", "") for of in ("columns", "eigen"))
    if direction["type"] == "rotation":
        return f"rotate w{columns}"
    return f"w{columns} to u{eigen}" if direction["type"] == "column" else f"w{columns} with u{eigen}"


def _held(point: Document) -> str:
    """The retained indices; those that share columns in braces, with a 0 for each column more."""
    blocks = [b for b in point.get("blocks", []) if len(b["columns"]) > 1]
    shared = {i for b in blocks for i in b["eigen"]}
    singles = [i for i in point["retained"] if i not in shared]
    parts = [ranges(singles)] if singles or not blocks else []
    for block in blocks:
        more = ",0" * (len(block["columns"]) - len(block["eigen"]))
        # Without spaces, so that no line of the table breaks inside.
        parts.append("{" + ranges(block["eigen"]).replace(" ", "") + more + "}")
    return " ".join(parts)


def stability(args: argparse.Namespace, session: Session) -> int:
    """Which latents the optimum retains at each noise."""
    if args.certify:
        raise InputError("certified thresholds come with a later version; leave out --certify")
    document = analysis.stability(_loaded(args, session, args.sigma2), args.k, args.sigma2)
    session.result(document)
    session.notes(document["notes"], stability_verdict(document))
    session.say(stability_verdict(document))
    session.say("")
    session.say(_noise_table(document))
    session.say(f"\n{_noise_legend(document)}")
    session.say(_thresholds(document))
    return 0


def _noise_table(document: Document) -> Any:
    sampled = document["N"] is not None
    columns = [("sigma2", True), ("retained", True), *([("other data", True)] if sampled else [])]
    columns += [("collapsed", True), ("value", True), ("margin", True)]
    rows = []
    for r in document["noise"]:
        least, most, k = r["retained"], r["retained_at_most"], document["k"]
        other = [] if not sampled else ["-" if r["sampling_range"] is None else counted(*r["sampling_range"])]
        row = [typed(r["sigma2"]), counted(least, most), *other, counted(k - most, k - least)]
        rows.append((*row, short(r["value"], 8), short(r["margin"], 4)))
    return table(columns, rows)


def _noise_legend(document: Document) -> str:
    text = "value: nats per datum; margin: distance from sigma2 to the nearest threshold"
    if document["N"] is None:
        return text
    other = "what other data of the same kind may retain, thresholds moved by up to two standard errors"
    return f"{text}; other data: {other}"


def _thresholds(document: Document) -> str:
    """The noises at which latents collapse, with their standard errors."""
    found = document["thresholds"]
    shown = [
        threshold(document, j) + ("" if t["standard_error"] is None else f"±{rough(t['standard_error'])}")
        for j, t in enumerate(found, start=1)
    ]
    if len(shown) > MOST_THRESHOLDS:
        shown = [*shown[: MOST_THRESHOLDS - 1], "...", shown[-1]]
    errors = any(t["standard_error"] is not None for t in found)
    said = "latents collapse one by one as sigma2 passes" if len(found) > 1 else "the latent collapses as sigma2 passes"
    return f"{said} {', '.join(shown).replace('..., ', '... ')}{' (± one standard error)' if errors else ''}"


def landscape(args: argparse.Namespace, session: Session) -> int:
    """Slices as in Figure 1: landscape.json, .svg and .png in a folder, the grids as .npz if asked for."""
    save = None if args.save is None else writable(args.save)
    covariance = _loaded(args, session, args.sigma2)
    xp = backend(args.backend)
    document, slices = analysis.landscape(covariance, args.k, args.sigma2, args.directions, args.grid, xp)
    with session.working("drawing"), staged(args.out) as stage:
        from reports import figures

        write_json(document, stage / "landscape.json")
        figures.landscape(slices, stage)
    for name in ("landscape.json", "landscape.svg", "landscape.png"):
        session.wrote(args.out / name)
    if save is not None:
        arrays = {name: np.array([getattr(s, name) for s in slices]) for name in ("sigma2", "a", "b", "values")}
        write_npz(save, directions=np.array(document["directions"]), **arrays)
        session.wrote(save)
    session.result(document)
    session.notes(document["notes"])
    i, j = document["directions"]
    stable = [s for s in document["slices"] if max(s["curvatures"]) < 0 and not s["undecided"]]
    noises = ", ".join(_noise(s["sigma2"]) for s in stable)
    at = f"sigma2 = {noises}" if stable else "no noise listed"
    who = "A zero column moved" if document["moved_columns"] == 1 else "Two zero columns moved"
    session.say(f"{who} along u{i} and u{j}, beside the retained ones: stable in both directions at {at}.\n")
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


def certify(args: argparse.Namespace, session: Session) -> int:
    """Not yet."""
    raise InputError("certify: certificates come with a later version; this one neither writes nor checks them")


def report(args: argparse.Namespace, session: Session) -> int:
    """The stability report as one self-contained page."""
    from proofs.machinery import ledger
    from reports.contents import USUAL_NOISE
    from reports.report import folder_name, write_report

    if args.ledger is not None:
        ledger.read(args.ledger)  # a wrong file is told before anything is computed
    covariance = _loaded(args, session, [USUAL_NOISE])
    name = str(covariance.provenance.get("name", args.data))
    k = args.k if args.k is not None else max(1, min(LATENTS, covariance.n - 1))
    out = args.out if args.out is not None else Path("reports", "out", folder_name(name))
    command = shlex.join(["elbo-verify", *args.argv])
    with session.working("computing") as doing:
        page = write_report(
            covariance, k=k, name=name, ledger=args.ledger, out=out, seed=args.seed, command=command, progress=doing
        )
    session.wrote(page)
    document = read_json(page.parent / "report.json")
    session.result(document)
    session.notes(document["notes"], verdict(document))
    session.say(verdict(document))
    session.say(f"\nopen {page}")
    return 0


def audit(args: argparse.Namespace, session: Session) -> int:
    """The printed tables, read as by a hostile statistician."""
    from reports.audit import audit_document, pieces

    seed = random_seed(args.seed)
    with session.working("auditing 100 rows"):
        document = audit_document(args.data_dir, seed=seed)
    session.result(document)
    session.notes(document["notes"])
    for piece in pieces(document):
        session.say(piece)
    return 0
