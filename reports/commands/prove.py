"""The command `prove`: the paper's claims, put to the test; --list says what they are."""

import argparse
import tempfile
from pathlib import Path

from reports.terminal.console import Session
from reports.terminal.options import common

INTERRUPTED = 130
SHELF = ("The paper", 1)
IDLE = ("seed",)


def options(parser: argparse.ArgumentParser) -> None:
    common(parser, data_dir=False)
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help="only these (default: all)")
    parser.add_argument("--thorough", action="store_true", help="more instances per claim; takes far longer")
    parser.add_argument("--ledger", type=Path, metavar="FILE", help="write the ledger (JSON)")


def run(args: argparse.Namespace, session: Session) -> int:
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
