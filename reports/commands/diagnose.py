"""The command `diagnose`: is the collapse of a trained VAE the optimum or its training, and what to change."""

import argparse
import shlex
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from reports.analysis.missed import missed
from reports.analysis.report import provenance
from reports.diagnosis_page.write import FILES, write
from reports.terminal import data
from reports.terminal.console import Session
from reports.terminal.files import staged
from reports.terminal.folders import beside, keep_others
from reports.terminal.options import certify, decimal, folder, real
from verify.analysis.latents import read_latents
from verify.data.writing import writable, write_npz
from verify.diagnosis.asked import noise_asked, one_noise
from verify.diagnosis.document import OUTPUTS, Asked, Diagnosis, diagnosis
from verify.diagnosis.files import Held, beside_data, in_one_file, read_arrays
from verify.diagnosis.outputs import outputs
from verify.errors import InputError
from verify.landscape.collapse import EPSILON
from verify.models.losses import DIVERGENCES, ERRORS, NOT_GAUSSIAN
from verify.words.diagnosis import nats, said

MORE = (
    "DATA are the rows that the model was given, prepared as it saw them, or one .npz or .safetensors file that "
    "also holds the arrays mu and logvar (N, k), reconstructions (N, n) (the decoder at z = mu) and samples (N, n) or "
    "(draws, N, n) (the decoder at draws of z): all of the same data in the same order. Say which loss was minimised, "
    "or the noise."
)
SHELF = ("Models", 0)
IDLE = ("backend",)


def options(parser: argparse.ArgumentParser) -> None:
    data.options(parser)
    parser.add_argument(
        "--latents",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="mu and logvar (or std, var) of the encoder: .npz, .safetensors, or mu.npy logvar.npy (default: in DATA)",
    )
    parser.add_argument(
        "--reconstructions",
        metavar="FILE",
        help="what the decoder makes of z = mu (N, n); FILE:name for one of several",
    )
    parser.add_argument(
        "--samples",
        metavar="FILE",
        help="what the decoder makes of draws of z from q(z|x): (N, n), or (draws, N, n); the ELBO needs them",
    )
    meant = parser.add_argument_group("the loss that was minimised, as one of")
    meant.add_argument("--sigma2", type=real, metavar="S", help="Gaussian log-likelihood with this noise variance")
    meant.add_argument(
        "--loss",
        metavar="KIND",
        choices=(*ERRORS, *NOT_GAUSSIAN),
        help=f"KIND + beta KL, averaged over the batch; KIND: {', '.join(ERRORS)}",
    )
    meant.add_argument("--beta", type=real, default=1.0, metavar="B", help="the weight of the KL (default 1)")
    meant.add_argument(
        "--kl",
        choices=tuple(DIVERGENCES),
        help="whether the KL of a datum is summed or averaged over the latents, or summed over the batch as well",
    )
    meant.add_argument("--batch", type=int, metavar="B", help="data in a batch, where one term is summed over it")
    parser.add_argument(
        "-k",
        type=int,
        metavar="K",
        help="latents of the linear VAE to compare with (default: as many as the model has)",
    )
    parser.add_argument(
        "--hidden", type=int, nargs="+", default=[], metavar="H", help="widths of all ReLU layers, of both halves"
    )
    parser.add_argument(
        "--output",
        choices=OUTPUTS,
        help="what the decoder ends in: linear, or bounded, as by a sigmoid (default: bounded if all lies in 0 to 1)",
    )
    parser.add_argument("--held-out", action="store_true", help="these rows were not trained on")
    parser.add_argument(
        "--epsilon", type=real, default=EPSILON, metavar="E", help=f"a collapsed latent says less (default {EPSILON})"
    )
    parser.add_argument(
        "--delta",
        type=decimal,
        default=Decimal("0.01"),
        metavar="D",
        help="the share of data of which it may say more, 0 to 1 (default 0.01)",
    )
    parser.add_argument(
        "--save-escape", type=Path, metavar="FILE.npz", help="the linear latents to add: U, V, D, b, center"
    )
    certify(
        parser,
        "what the best linear VAE keeps and between which noises every decoder begins to collapse (a minute on some "
        "thousand rows, Ctrl-C ends it)",
    )
    folder(parser, "folder for a page, its pictures and diagnose.json")


def run(args: argparse.Namespace, session: Session) -> int:
    """Diagnose somebody's VAE from its arrays."""
    one_noise(args.sigma2, args.loss, args.kl, args.batch)
    whole = args.latents is None
    word, files = in_one_file(args.data) if whole else (args.data, args.latents)
    latents = read_latents(files)
    held = _reconstructions(args, files)
    rows = data.read_rows(args, session, word=word, read=beside_data if whole else str)
    n, k = rows.shape[1], latents.mu.shape[1]
    noise = noise_asked(args.sigma2, args.loss, n=n, k=k, beta=args.beta, kl=args.kl, batch=args.batch)
    how = (args.beta, args.hidden, args.held_out, args.k, args.output, args.epsilon, args.delta, args.seed)
    asked = Asked(noise, *how, certify=args.certify)
    if args.out is not None:
        keep_others(args.out, args, {"provenance.data": rows.provenance}, FILES)
    save = None if args.save_escape is None else writable(beside(args.save_escape, args, FILES))
    vae = outputs(rows, latents.mu, latents.logvar, held.reconstructions, held.samples, tuple(latents.notes))
    with session.working("diagnosing") as doing:
        found = diagnosis(vae, asked, data.covariance_of(word, rows, [asked.s]), doing)
    made_by = provenance(rows.provenance, args.seed, shlex.join(["elbo-verify", *args.argv]))
    document = found.document | {"provenance": made_by}
    session.notes(document["notes"])
    if args.out is not None:
        with session.working("drawing"), staged(args.out) as stage:
            shown, arrays = missed(found, vae) or (None, {})
            document["portrait"] = shown
            write(document, arrays, stage)
        session.wrote(args.out / "index.html")
    if save is not None:
        _save(found, save, session)
    session.result(document)
    session.show(said(document))
    if args.out is not None:
        session.say(f"\nopen {args.out / 'index.html'}")
    if found.interrupted:
        raise KeyboardInterrupt("the diagnosis is whole, and not all of it is certified")
    return 0


def _reconstructions(args: argparse.Namespace, latents: Sequence[Path]) -> Held:
    """Those that are named, and else those that lie beside the latents."""
    beside_latents = Held() if latents[0].suffix.lower() == ".npy" else read_arrays(str(latents[0]))
    named = Held() if args.reconstructions is None else read_arrays(args.reconstructions)
    drawn = Held() if args.samples is None else read_arrays(args.samples)
    reconstructions = named.reconstructions if args.reconstructions else beside_latents.reconstructions
    samples = (
        (drawn.samples if drawn.samples is not None else drawn.reconstructions)
        if args.samples
        else (beside_latents.samples if named.samples is None else named.samples)
    )
    for option, word, array in (
        ("--reconstructions", args.reconstructions, reconstructions),
        ("--samples", args.samples, samples),
    ):
        if word is not None and array is None:
            raise InputError(f"{word}: which array are the {option[2:]}? say {option} FILE:name")
    return Held(None, reconstructions, samples)


def _save(found: Diagnosis, path: Path, session: Session) -> None:
    if found.escape is None:
        session.note(f"{path} was not written: without reconstructions there is no residual to escape to")
    elif not found.escape.latents and not found.escape.b.any():
        session.note(f"{path} was not written: no linear latent would pay at this noise")
    else:
        write_npz(path, **found.escape_arrays())
        session.wrote(path)
        session.note(f"{path.name} holds {_held(found)}")


def _held(found: Diagnosis) -> str:
    """How many latents an escape has, and what they bring; and those that there is room for, where that are fewer."""
    revival = found.document["revival"]
    m, within = revival["directions"], revival["within"]
    if not m:
        return "no latents, as none would pay, and the constant by which the output is off"
    held = f"{m} linear latent{'s' * (m != 1)}, best first, which bring {nats(revival['nats'])} nats"
    if not 0 < within < m:
        return held
    return f"{held}; as many as have collapsed, the first {within}, bring {nats(revival['within_nats'])}"
