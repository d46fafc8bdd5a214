"""The command `device-check`: kernels, speed and proofs on this GPU."""

import argparse
from pathlib import Path
from typing import Any

from gpu.device import backend, find_device
from reports.terminal.console import Session
from reports.terminal.options import common
from verify.data.documents import write_json
from verify.data.writing import writable

Document = dict[str, Any]
BROKEN = 1
MORE = "Takes minutes, and needs an NVIDIA GPU and CuPy: elbo-verify doctor says whether they are there."
SHELF = ("This machine", 2)
IDLE = ("seed", "backend")


def options(parser: argparse.ArgumentParser) -> None:
    common(parser, data_dir=False)
    parser.add_argument("--out", type=Path, metavar="DIR", required=True, help="folder for what was measured (JSON)")
    parser.add_argument("--peers", action="store_true", help="measure torch and jax as well, where installed")


def run(args: argparse.Namespace, session: Session) -> int:
    """The acceptance run on this device.  1 if something disagrees."""
    from gpu.throughput import Events
    from reports.device import check as acceptance

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
