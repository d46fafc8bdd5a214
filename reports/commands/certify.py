"""The command `certify`: check a stored certificate (later version)."""

import argparse
from pathlib import Path

from reports.terminal.console import Session
from reports.terminal.options import common
from verify.errors import InputError


def options(parser: argparse.ArgumentParser) -> None:
    common(parser)
    parser.add_argument("--check", type=Path, metavar="FILE", help="the certificate")


def run(args: argparse.Namespace, session: Session) -> int:
    """Not yet."""
    raise InputError("certify: certificates come with a later version; this one neither writes nor checks them")
