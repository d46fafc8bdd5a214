"""The command `doctor`: what is installed and what works."""

import argparse
import json

from reports.device.doctor import examine, lines
from reports.terminal.options import common

BARE = True
SHELF = ("This machine", 1)
IDLE = ("seed", "backend")


def options(parser: argparse.ArgumentParser) -> None:
    common(parser)


def run(args: argparse.Namespace, session: None) -> int:
    """Print the examination, as JSON or for people.  Always 0; a Session would need what may be broken."""
    document = examine(args.data_dir)
    print(json.dumps(document, indent=1) if args.json else "\n".join(lines(document)))
    return 0
