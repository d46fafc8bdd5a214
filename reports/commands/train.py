"""The command `train`: Gaussian VAEs, deep or linear, many at once."""

import argparse
from collections.abc import Sequence
from functools import partial
from itertools import product
from pathlib import Path

from gpu.device import backend
from gpu.vae.architecture import CHANNELS, HIDDEN, Architecture
from gpu.vae.checkpoint import identity
from gpu.vae.plan import Outcome, Plan, Run
from reports.terminal import data as data_words
from reports.terminal.console import Session
from reports.terminal.folders import beside, keep_others
from reports.terminal.options import real, trials
from reports.training.best import Best
from reports.training.diagnosed import judged
from reports.training.document import (
    Material,
    described,
    material,
    save_latents,
    train_document,
    trained,
)
from reports.training.experiment import kept
from reports.training.models import check_images, latents_number, seeds_of
from reports.training.text import pieces
from reports.training.write import CHECKPOINTS, FILES, reconstructions, write_training
from verify.checks import positive_noise
from verify.data.rows import Rows
from verify.data.writing import writable
from verify.errors import InputError
from verify.words.numerals import typed
from verify.words.wording import ranges

MORE = (
    "The best model of each noise is diagnosed as diagnose does it: whether what has collapsed is the optimum at that "
    "noise, a matter of the noise, or of the training, and what to change."
)
SHELF = ("Models", 2)


def options(parser: argparse.ArgumentParser) -> None:
    data_words.options(parser)
    parser.add_argument(
        "--arch",
        required=True,
        metavar="ARCH",
        help="what to train: mlp, conv (of images), linear, or linear-decoder (its encoder is deep)",
    )
    parser.add_argument("-k", type=int, metavar="K", required=True, help="number of latents, as many as you like")
    parser.add_argument(
        "--hidden",
        type=int,
        nargs="+",
        metavar="H",
        help="hidden units of each layer (default 1024 512); of conv: channels, then units",
    )
    parser.add_argument(
        "--sigma2",
        type=real,
        nargs="+",
        default=[],
        metavar="S",
        help="models with each of these noise variances, fixed",
    )
    parser.add_argument(
        "--learned-noise",
        type=real,
        nargs="+",
        default=[],
        metavar="S",
        help="models that learn the noise variance, from each of these on",
    )
    trials(parser, "one, that of --seed", "0.001", "--learning-rate")
    parser.add_argument("--beta", type=real, default=1.0, metavar="B", help="weight of the KL (default 1)")
    parser.add_argument("--anneal", type=int, default=0, metavar="EPOCHS", help="raise beta from 0 over so many epochs")
    parser.add_argument("--epochs", type=int, default=100, metavar="E", help="passes over the data (default 100)")
    parser.add_argument("--batch", type=int, default=128, metavar="B", help="rows per step (default 128)")
    parser.add_argument(
        "--analytic",
        action="store_true",
        help="train on the ELBO in closed form, without sampling; linear decoders only",
    )
    parser.add_argument(
        "--dequantise", choices=("once", "epoch"), help="add noise to grey values: the same or anew every epoch"
    )
    parser.add_argument(
        "--group",
        type=int,
        metavar="G",
        help="how many models are trained in step (default: as many as suit the machine)",
    )
    parser.add_argument(
        "--save-latents",
        type=Path,
        metavar="FILE.npz",
        help="write mu and logvar of the best model, for collapse; needs --out",
    )
    parser.add_argument(
        "--latents-of",
        nargs="+",
        metavar=("NOISE", "SEED"),
        help="which model --save-latents means: of this fixed noise (or: learned), the best or of this seed",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="page, results, pictures, checkpoints to continue from")


LEARNING_RATE = 1e-3
# With other ones the results are of the same models, however long they were trained.
AS_YOU_LIKE = ("epochs", "group", "save_latents", "latents_of")


def run(args: argparse.Namespace, session: Session) -> int:
    """Train every model that the options name, all as one, and say what came of each."""
    runs = _runs(args)
    xp = backend(args.backend)  # a device that is asked for and missing is told before anything is read
    wanted = _wanted(args, runs)
    save = None if args.save_latents is None else writable(beside(args.save_latents, args, (*FILES, *CHECKPOINTS)))
    if args.out is not None:
        keep_others(args.out, args, dict.fromkeys(AS_YOU_LIKE), (*FILES, *CHECKPOINTS), ours=CHECKPOINTS)
        writable(args.out / "train.json")
    rows = data_words.read_rows(args, session, dequantise=args.dequantise is not None)
    check_images(args.data, args.arch, rows)
    plan = _plan(args, runs, rows.shape[1])
    data = _material(args, rows, runs, session)
    before = [*data.notes, *warnings(data, plan)]
    session.notes(before)
    best, identified = Best(plan), identity(plan, data.rows.fingerprint, xp.__name__, args.precision)
    outcomes = trained(plan, data.rows, session, xp=xp, precision=args.precision, folder=args.out, best=best)
    chosen = _best_of(wanted, outcomes)
    if save is not None and chosen is None:
        before.append(f"{save} was not written: of the models that --latents-of means all diverged")
        session.note(before[-1])
    with session.working("diagnosing"):
        ensembles = best.ensembles if args.out is None else partial(kept, args.out, plan, identified)
        models = [described(outcome, data, plan) for outcome in outcomes]
        models, diagnosed, notes = judged(models, outcomes, plan, data, args.seed, ensembles)
    document = train_document(plan, models, diagnosed, data, args, [*before, *notes])
    said = [piece for piece in pieces(document, outcomes) if isinstance(piece, str)]
    session.notes(document["notes"][len(before) :], "\n".join(said))
    if args.out is not None:
        again = reconstructions(document, data, args.out, plan, identified)
        for path in write_training(document, outcomes, args.out, again):
            session.wrote(path)
    if save is not None and chosen is not None:
        save_latents(save, kept(args.out, plan, identified, [chosen])[chosen], data.rows)
        session.wrote(save)
    session.result(document)
    for piece in pieces(document, outcomes):
        session.say(piece)
    if args.out is not None:
        session.say(f"\nopen {args.out / 'index.html'}")
    return 0


def _wanted(args: argparse.Namespace, runs: Sequence[Run]) -> list[int]:
    """The places of the runs whose best one --save-latents means.  Raises InputError, before anything is trained."""
    if args.save_latents is None:
        if args.latents_of is not None:
            raise InputError("--latents-of chooses the model of --save-latents; name a file with that")
        return []
    if args.out is None:
        raise InputError("--save-latents takes the model from its checkpoint; name a folder for it with --out")
    noises = list(dict.fromkeys("learned" if run.learned else typed(run.sigma2) for run in runs))
    if args.latents_of is None:
        if len(noises) > 1:
            raise InputError(
                f"--save-latents: models of {len(noises)} noises ({', '.join(noises)}), whose ELBOs are not ranked; "
                f"say of which with --latents-of NOISE [SEED], for instance --latents-of {noises[0]}"
            )
        return list(range(len(runs)))
    if len(args.latents_of) > 2:
        raise InputError(f"--latents-of {' '.join(args.latents_of)}: give a noise, and a seed if you like")
    noise, *seeds = args.latents_of
    found = [i for i, run in enumerate(runs) if _is_noise(run, noise)]
    if not found:
        raise InputError(f"--latents-of {noise}: no model has that noise; choose one of {', '.join(noises)}")
    if seeds:
        own = sorted({runs[i].seed for i in found})
        found = [i for i in found if str(runs[i].seed) == seeds[0]]
        if not found:
            raise InputError(f"--latents-of {noise} {seeds[0]}: no such seed; choose one of {ranges(own)}")
    return found


def _is_noise(run: Run, noise: str) -> bool:
    """Whether --latents-of means this run: "learned", or a fixed noise as a number."""
    if run.learned:
        return noise == "learned"
    try:
        return float(noise) == run.sigma2
    except ValueError:
        return False


def _best_of(wanted: Sequence[int], outcomes: Sequence[Outcome]) -> int | None:
    """The place of the best of these models; None where all of them diverged."""
    elbos = {i: e.elbo for i in wanted if (e := outcomes[i].evaluation) is not None}
    return max(elbos, key=elbos.__getitem__, default=None)


def _runs(args: argparse.Namespace) -> tuple[Run, ...]:
    """Noises x learning rates x seeds.  Raises InputError."""
    noises = [(positive_noise(s), False) for s in args.sigma2] + [(positive_noise(s), True) for s in args.learned_noise]
    if not noises:
        raise InputError("no models to train; name noises with --sigma2 (fixed) or --learned-noise (where they start)")
    rates = args.learning_rates or [LEARNING_RATE]
    everything = product(noises, rates, seeds_of(args.seeds, args.seed))
    return tuple(Run(s, learned, seed, rate, args.beta, args.anneal) for (s, learned), rate, seed in everything)


def _plan(args: argparse.Namespace, runs: tuple[Run, ...], n: int) -> Plan:
    """The plan.  Raises InputError: architecture, k, sizes."""
    k, hidden = latents_number(args.k), tuple(args.hidden or ())
    if args.arch == "linear" and hidden:
        raise InputError("--hidden: a linear model has no hidden layers; leave it out")
    usual = {"mlp": HIDDEN, "linear-decoder": HIDDEN, "conv": CHANNELS}.get(args.arch, ())
    architecture = Architecture(args.arch, n, k, hidden or usual)
    return Plan(architecture, runs, args.epochs, args.batch, args.analytic, group=args.group)


def _material(args: argparse.Namespace, rows: Rows, runs: Sequence[Run], session: Session) -> Material:
    compared = [run.sigma2 * run.beta for run in runs if not run.learned]
    with session.working("computing the covariance"):
        return material(args.data, rows, redrawn=args.dequantise == "epoch", noises=compared)


def warnings(data: Material, plan: Plan) -> list[str]:
    """What the reader should know before it starts."""
    k, n = plan.architecture.k, len(data.lam)
    learned = any(run.learned for run in plan.runs)
    found = []
    if learned and plan.architecture.linear_decoder and k >= data.rank and data.rank < n:
        found.append(
            f"k = {k} latents explain all of the {data.rank} directions in which the data vary: the likelihood has no "
            "upper bound, and a learned noise falls for as long as it is trained"
        )
    if k > n:
        found.append(f"k = {k} latents for {n} columns: a linear model keeps at most {n} of them, the rest collapses")
    rounding = float(data.rows.survey.rounding.max())
    # Rounding acts like a noise of its own; at a hundredth of sigma2 it shows in the third digit of the error.
    lost = sorted({run.sigma2 for run in plan.runs if run.sigma2 < 100 * rounding})
    if lost:
        found.append(
            f"single precision rounds the data by a variance of up to {rounding:.2g} in a column, which is not small "
            f"beside sigma2 = {', '.join(map(typed, lost))}: errors and ELBOs are inexact there"
        )
    return found
