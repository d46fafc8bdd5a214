"""The command `figures`: the paper's figures made again, each beside what the paper shows."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from reports.paper_figures.declared import chosen, dataset_of, figure
from reports.paper_figures.made import APART, Made
from reports.paper_figures.page import WRITES
from reports.paper_figures.setting import Setting, setting_of
from reports.paper_figures.text import pieces
from reports.terminal.console import Session
from reports.terminal.folders import alone, folder_name, keep_others
from reports.terminal.options import common, folder, made_again
from reports.training.experiment import Bench
from reports.training.models import seeds_of
from verify.checks import random_seed
from verify.data.writing import writable

SHELF = ("The paper", 4)
MORE = (
    "quick: small models on the digits and on patches of two photographs; all figures in a quarter of an hour on two "
    "cores. paper: the paper's models and data, for which Figures 1 to 3 take an hour and a half here and most others "
    "a device; --epochs (in Figure 3, steps), --seeds and --learning-rates name less. Each figure is written as soon "
    "as it is made; interrupted, the same command continues. Figures asked for later join those of the same folder "
    "that were made with the same options; with others they need a folder of their own. In quick a figure takes up "
    "to a few minutes. What cannot be told needs more --epochs or --seeds."
)

OF_TRAININGS = ("epochs", "seeds", "learning_rates", "precision")


def options(parser: argparse.ArgumentParser) -> None:
    common(parser)
    parser.add_argument(
        "figures", type=int, nargs="*", metavar="FIGURE", help="numbers of figures, 1 to 13 (default: all)"
    )
    made_again(parser)
    folder(parser, "folder for page, pictures, numbers and checkpoints (default reports/out/figures-PRESET)")


def unused(args: argparse.Namespace, numbers: Sequence[int], setting: Setting) -> list[str]:
    """Options of trainings that are given, where none of these figures trains anything."""
    given = [
        args.parser.as_typed(name) for name in OF_TRAININGS if getattr(args, name) != args.parser.get_default(name)
    ]
    trains = any(dataset_of(figure(n), setting) in setting.words and figure(n).experiments(setting) for n in numbers)
    if not given or trains:
        return []
    which = " and ".join(map(str, numbers)) if len(numbers) < 3 else ", ".join(map(str, numbers))
    return [
        f"{' and '.join(given)} change{'s' * (len(given) == 1)} nothing of Figure{'s' * (len(numbers) > 1)} {which}, "
        "for which nothing is trained"
    ]


def run(args: argparse.Namespace, session: Session) -> int:
    """Make the figures one after the other; each is written, and the page with it, as soon as it is made."""
    numbers = chosen(args.figures)
    setting = setting_of(
        args.preset,
        args.data,
        first_seed=random_seed(args.seed),
        seeds=None if args.seeds is None else seeds_of(args.seeds, args.seed),
        epochs=args.epochs,
        learning_rates=args.learning_rates,
    )
    usual = folder_name(f"figures-{args.preset}", args, ("preset", "figures"))
    out = args.out if args.out is not None else Path("reports", "out", usual)
    # Figures made by another command line with the same options stay where they are.
    keep_others(out, args, APART, WRITES)
    writable(out / "figures.json")
    for said in unused(args, numbers, setting):
        session.note(said)
    with alone(out):
        made, bench = Made.found(out, args, numbers), Bench.of(args, out, session)
        for number in made.lost:
            session.note(f"Figure {number} was not finished in {out}; ask for it again")
        for number in numbers:
            made.check(number, setting, bench)
        for number in numbers:
            made.make(number, setting, bench)
    session.result(made.document)
    for piece in pieces(made.document, numbers):
        session.say(piece)
    session.say(f"\nopen {out / 'index.html'}")
    return 0
