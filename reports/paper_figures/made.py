"""The figures of a folder: made one at a time, and written as soon as they are.

Main       Made.

What lies in the folder was made with the same options (reports/terminal/folders.py sees to that), so figures that are
not asked for this time stay in figures.json and on the page.
"""

import argparse
from pathlib import Path
from typing import Any

from reports.paper_figures import document as of
from reports.paper_figures.declared import FIGURES, dataset_of, figure
from reports.paper_figures.page import write_figures
from reports.paper_figures.setting import Setting
from reports.paper_figures.text import caveats
from reports.terminal.files import read_json
from reports.training.document import provenance
from reports.training.experiment import Bench
from verify.arrays import Array

Document = dict[str, Any]
IMAGES_MISSING = "CelebA's images are not at hand; name their folder with --data celeba:FOLDER, or try patches:300"


class Made:
    """document: figures.json, of what has been made so far."""

    def __init__(self, out: Path, document: Document):
        self.out, self.document = out, document

    @classmethod
    def found(cls, out: Path, args: argparse.Namespace) -> "Made":
        """What an earlier run with the same options left in the folder, or nothing yet; all else is of this run."""
        path = out / "figures.json"
        before = read_json(path)["figures"] if path.is_file() and not args.overwrite else []
        document = {"schema": 1, "preset": args.preset, "figures": before}
        return cls(out, document | {"provenance": provenance(args), "notes": []})

    def make(self, number: int, setting: Setting, bench: Bench) -> None:
        """Perform what a figure needs, measure, draw and write it.  Raises InputError."""
        module, command = figure(number), self.document["provenance"]["command"]
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
        for path in write_figures(self.document, number, arrays, self.out):
            bench.session.wrote(path)
