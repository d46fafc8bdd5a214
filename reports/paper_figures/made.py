"""The figures of a folder: made one at a time, and written as soon as they are.

Main       Made.

What was made with the same options stays in figures.json and on the page where it is not asked for this time; what
--overwrite replaces goes, with its files. A run that is killed may leave a figure without some of its files: it is
taken for not made.
"""

import argparse
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reports.paper_figures import document as of
from reports.paper_figures.declared import FIGURES, dataset_of, figure
from reports.paper_figures.page import ENDINGS, files_of, write_figures
from reports.paper_figures.setting import Setting
from reports.paper_figures.text import caveats
from reports.terminal.files import read_json
from reports.terminal.folders import made_alike
from reports.training.document import provenance
from reports.training.experiment import Bench, greatest
from verify.arrays import Array
from verify.errors import InputError

Document = dict[str, Any]
IMAGES_MISSING = "CelebA's images are not at hand; name their folder with --data celeba:FOLDER, or try patches:200"


SCHEMA = 1
# Options that say which figures, and not how they are made.
APART: Mapping[str, Any] = {"figures": None}
# Options of one run, which the command under a figure does without.
ASIDE = ("json", "quiet", "overwrite")


class Made:
    """args: the command line; document: figures.json, of what has been made so far.

    gone: files of results that are replaced, or not whole.

    lost: numbers of figures that the folder holds in part.
    """

    def __init__(
        self, args: argparse.Namespace, document: Document, out: Path, gone: Sequence[Path], lost: Sequence[int]
    ):
        self.args, self.document, self.out, self.gone, self.lost = args, document, out, list(gone), list(lost)

    @classmethod
    def found(cls, out: Path, args: argparse.Namespace, numbers: Sequence[int]) -> "Made":
        """What an earlier run with the same options left whole in the folder; all else is of this run.

        numbers: the figures that will be made.  Raises InputError: files of theirs that figures did not make, an
        entry of another version.
        """
        listed, alike = _listed(out / "figures.json"), made_alike(out, args, APART)
        known = [one["figure"] for one in listed]
        foreign = [path for number in numbers if number not in known for path in _files(out, number)]
        if foreign and not args.overwrite:
            raise InputError(
                f"{out}: holds a {foreign[0].name} that figures did not make; name another folder with --out, or "
                "replace it with --overwrite"
            )
        whole = [one for one in listed if alike and _whole(one, out)]
        kept = [one["figure"] for one in whole]
        gone = [path for number in known if number not in kept for path in _files(out, number)]
        lost = [number for number in known if alike and number not in [*numbers, *kept]]
        document = {"schema": SCHEMA, "preset": args.preset, "figures": whole}
        return cls(args, document | {"provenance": provenance(args), "notes": []}, out, gone, lost)

    def check(self, number: int, setting: Setting, bench: Bench) -> None:
        """Read what a figure needs, so that what cannot be trained is told before anything is.  Raises InputError."""
        module = figure(number)
        if dataset_of(module, setting) in setting.words:
            for experiment in module.experiments(setting):
                if bench.read_only_as_it_is(experiment):
                    raise InputError(
                        f"{experiment.data}: Figure {number} needs grey levels, whole numbers from 0 to "
                        f"{greatest(experiment.data):g}, and these are others; name images with --data (mnist:1000, "
                        "patches:300)"
                    )
                bench.ready(experiment)

    def make(self, number: int, setting: Setting, bench: Bench) -> None:
        """Perform what a figure needs, measure, draw and write it.  Raises InputError."""
        module, command = figure(number), alone_again(self.args, number)
        arrays: dict[str, Array] = {}
        try:
            if dataset_of(module, setting) not in setting.words:
                raise of.LeftOut(IMAGES_MISSING)
            found = module.measure(setting, bench)
            entry, arrays = of.entry(number, module, found, command), found.arrays
        except of.LeftOut as why:
            entry = of.left_out(number, module, str(why), command)
            bench.session.note(f"Figure {number} is left out: {why}")
        others = [one for one in self.document["figures"] if one["figure"] != number]
        self.document["figures"] = sorted([*others, entry], key=lambda one: FIGURES.index(one["figure"]))
        self.document["notes"] = caveats(self.document)
        for path in self.gone:
            path.unlink(missing_ok=True)
        self.gone = []
        for path in write_figures(self.document, number, arrays, self.out):
            bench.session.wrote(path)


def alone_again(args: argparse.Namespace, number: int) -> str:
    """The command that makes one figure alone as this command line does, into the same folder."""
    words = ["elbo-verify", args.command, str(number)]
    for name, value in vars(args).items():
        typed = args.parser.as_typed(name)
        if name in ASIDE or not typed.startswith("-") or value == args.parser.get_default(name):
            continue
        words += [typed, *(map(str, value) if isinstance(value, list) else [] if value is True else [str(value)])]
    return shlex.join(words)


def _listed(path: Path) -> list[Document]:
    """The entries of an earlier figures.json, whatever made it; [] where there is none that can be read."""
    try:
        document = read_json(path)
        entries = document["figures"] if document["schema"] == SCHEMA else []
        return [one for one in entries if one["figure"] in FIGURES]
    except (InputError, LookupError, TypeError):
        return []


def _files(out: Path, number: int) -> list[Path]:
    """All files that a figure may have."""
    return [path for ending in ENDINGS if (path := out / f"figure-{number}.{ending}").is_file()]


def _whole(entry: Document, out: Path) -> bool:
    """Whether an entry has all that ours have, and its files are there."""
    expected = of.left_out(entry["figure"], figure(entry["figure"]), "", "")
    return set(expected) <= set(entry) and all((out / name).is_file() for name in files_of(entry))
