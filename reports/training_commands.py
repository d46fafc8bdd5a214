"""The command `train`: models from options, what came of them as a table.  (`tables` is in tables_command.py.)

Main       train, which takes the parsed arguments and a Session, and returns an exit code; seeds_of.
"""

import argparse
from collections.abc import Sequence
from itertools import product
from typing import Any

from gpu.device import backend
from gpu.vae.architecture import CHANNELS, HIDDEN, Architecture
from gpu.vae.checkpoint import identity
from gpu.vae.plan import Plan, Run
from reports.console import Session, one_line, short, table
from reports.training import Material, material, save_latents, train_document, trained, write_training
from verify.checks import latent_dimension, positive_noise, random_seed
from verify.data.rows import Rows
from verify.data.sources import load_rows
from verify.data.writing import writable
from verify.errors import InputError

Document = dict[str, Any]
LEARNING_RATE = 1e-3
# Seeds are keys of random streams of 64 bits.
LARGEST_SEED = 2**64 - 1


def train(args: argparse.Namespace, session: Session) -> int:
    """Train every model that the options name, all as one, and say what came of each."""
    runs = _runs(args)
    xp = backend(args.backend)  # a device that is asked for and missing is told before anything is read
    if args.save_latents is not None and args.out is None:
        raise InputError("--save-latents takes the model from its checkpoint; name a folder for it with --out")
    save = None if args.save_latents is None else writable(args.save_latents)
    if args.out is not None:
        writable(args.out / "train.json")
    rows = _rows(args)
    plan = _plan(args, runs, rows.shape[1])
    data = _material(args, rows, session)
    _warn(data, plan, session)
    outcomes = trained(plan, data.rows, session, on=args.backend, precision=args.precision, folder=args.out)
    document = train_document(plan, outcomes, data, args)
    if args.out is not None:
        for path in write_training(document, outcomes, args.out):
            session.wrote(path)
    if save is not None and document["best"] is not None:
        identified = identity(plan, data.rows.fingerprint, xp.__name__, args.precision)
        save_latents(save, plan, document["best"] - 1, data.rows, args.out, identified)
        session.wrote(save)
    session.result(document)
    session.say(_verdict(document))
    session.say("")
    session.say(_models(document))
    session.say(_legend(document))
    return 0


def seeds_of(given: Sequence[int] | None, first: int, default: int = 1) -> list[int]:
    """One number: so many seeds from `first` on; several: these.  Raises InputError."""
    first = random_seed(first)
    if given is None or len(given) == 1:
        count = default if given is None else given[0]
        if count < 1:
            raise InputError(
                f"seeds = {count}: train at least one model of each kind, or name the seeds: --seeds 3 4 5"
            )
        seeds = list(range(first, first + count))
    else:
        seeds = [random_seed(seed) for seed in given]
    if len(set(seeds)) < len(seeds):
        raise InputError(f"seeds {' '.join(map(str, seeds))}: the same twice; name different ones")
    if max(seeds) > LARGEST_SEED:
        raise InputError(f"seed = {max(seeds)}: must be below 2^64")
    return seeds


def _runs(args: argparse.Namespace) -> tuple[Run, ...]:
    """Noises x learning rates x seeds.  Raises InputError."""
    noises = [(positive_noise(s), False) for s in args.sigma2] + [(positive_noise(s), True) for s in args.learned_noise]
    if not noises:
        raise InputError("no models to train; name noises with --sigma2 (fixed) or --learned-noise (where they start)")
    rates = args.learning_rates or [LEARNING_RATE]
    everything = product(noises, rates, seeds_of(args.seeds, args.seed))
    return tuple(Run(s, learned, seed, rate, args.beta, args.anneal) for (s, learned), rate, seed in everything)


def _rows(args: argparse.Namespace) -> Rows:
    return load_rows(
        args.data,
        scale=args.scale,
        logit=args.logit,
        dequantise=args.dequantise is not None,
        seed=random_seed(args.seed),
        data_dir=args.data_dir,
    )


def _plan(args: argparse.Namespace, runs: tuple[Run, ...], n: int) -> Plan:
    """The plan.  Raises InputError: architecture, k, sizes."""
    k, hidden = latent_dimension(args.k, n), tuple(args.hidden or ())
    if args.arch == "linear" and hidden:
        raise InputError("--hidden: a linear model has no hidden layers; leave it out")
    usual = {"mlp": HIDDEN, "linear-decoder": HIDDEN, "conv": CHANNELS}.get(args.arch, ())
    architecture = Architecture(args.arch, n, k, hidden or usual)
    return Plan(architecture, runs, args.epochs, args.batch, args.analytic, group=args.group)


def _material(args: argparse.Namespace, rows: Rows, session: Session) -> Material:
    with session.working(f"reading {one_line(args.data)}"):
        data = material(args.data, rows, redrawn=args.dequantise == "epoch")
    for sentence in data.notes:
        session.note(sentence)
    return data


def _warn(data: Material, plan: Plan, session: Session) -> None:
    """What the reader should know before it starts."""
    rank = int((data.lam > 0).sum())
    learned = any(run.learned for run in plan.runs)
    if learned and plan.architecture.linear_decoder and plan.architecture.k >= rank and rank < len(data.lam):
        session.note(
            f"k = {plan.architecture.k} latents explain all of the {rank} directions in which the data vary: the "
            "likelihood has no upper bound, and a learned noise falls for as long as it is trained"
        )


def _verdict(document: Document) -> str:
    models, k = document["models"], document["architecture"]["k"]
    frozen = sum(m["evaluation"] is None for m in models)
    lost = f" {frozen} of {len(models)} models diverged and were frozen." if frozen else ""
    if document["best"] is None:
        return f"No model is left:{lost} Choose a smaller learning rate."
    best = models[document["best"] - 1]
    e = best["evaluation"]
    where = f"ending at sigma2 = {short(e['sigma2'], 4)}" if best["noise"] == "learned" else "which is fixed"
    return (
        f"The best of {len(models)} models (number {document['best']}) reaches an ELBO of {e['elbo']:.1f} nats per "
        f"datum from sigma2 = {short(best['init_sigma2'])}, {where}; it keeps {e['retained']} of {k} latents, a linear "
        f"model would keep {e['linear_retained']} at that noise.{lost}"
    )


def _models(document: Document) -> Any:
    columns = [(name, True) for name in ("", "noise", "rate", "seed", "ELBO", "tuned ELBO", "sigma2", "KL")]
    columns += [("collapsed %", True), ("kept", True), ("linear", True)]
    lines = []
    for number, m in enumerate(document["models"], start=1):
        named = (str(number), f"{m['noise']} {m['init_sigma2']:g}", f"{m['learning_rate']:g}", str(m["seed"]))
        e = m["evaluation"]
        if e is None:
            lines.append((*named, f"frozen at step {m['frozen']}", *["-"] * 6))
            continue
        shown = (f"{e['elbo']:.1f}", f"{e['tuned_elbo']:.1f}", short(e["sigma2"], 4), f"{e['kl']:.1f}")
        lines.append((*named, *shown, f"{e['collapse_percent']:.1f}", str(e["retained"]), str(e["linear_retained"])))
    return table(columns, lines)


def _legend(document: Document) -> str:
    data = document["data"]
    J = data["mean_log_jacobian"] + data["log_scale_jacobian"]
    scale = f"; on the scale of the raw values every ELBO is {abs(J):.1f} {'higher' if J > 0 else 'lower'}" if J else ""
    return (
        "\nELBO in nats per datum, over all data, in the model's space" + scale + "; tuned: at the best noise for the "
        "same reconstructions; collapsed: KL below 0.01 for 99% of the data; linear: latents that the linear theory "
        "keeps at sigma2"
    )
