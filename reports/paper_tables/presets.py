"""What `elbo-verify tables` trains: data, sizes and rows of each preset, and what the paper leaves open.

Notation   a training is everything that is trained on the same data: the rows of all tables that need them, each once.
Main       trainings -> [Training]; Training, Sizes, open_choices, ALPHA.
Reference  Lucas et al. 2019, Sec. 6.2, App. E; [PPM17] Papamakarios, Pavlakou & Murray, NeurIPS 2017 (alpha).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from gpu.vae.adam import BETA1, BETA2
from gpu.vae.adam import EPSILON as ADAM_EPSILON
from gpu.vae.architecture import CHANNELS
from gpu.vae.plan import Run
from reports.paper import TABLES, Row, printed_tables
from reports.training.experiment import Experiment
from verify.data.sources import image_shape
from verify.errors import InputError

# [PPM17] takes 1e-6 for MNIST and 0.05 for colour images; the paper follows it without a number.
ALPHA = {"mnist": 1e-6, "celeba64": 0.05}
# What stands for the paper's data where nothing is named; CelebA's images must be.
DATA = {"quick": {"mnist": "digits", "celeba64": "patches:200"}, "paper": {"mnist": "mnist"}}


# Its photographs, and those of its training set: which of both the paper took it does not say.
CELEBA = (202599, 162770)


@dataclass(frozen=True)
class Sizes:
    """How much is trained: kind and sizes of the models, epochs, batch, trials and learning rates."""

    kind: str
    hidden: tuple[int, ...]
    k: int
    epochs: int
    batch: int
    seeds: int
    learning_rates: tuple[float, ...]

    def unlike(self, other: "Sizes", names: Sequence[str]) -> list[str]:
        """Which of these differ, in words: "k 30, not 200"."""
        return [
            f"{name.replace('_', ' ')} {_plain(getattr(self, name))}, not {_plain(getattr(other, name))}"
            for name in names
            if getattr(self, name) != getattr(other, name)
        ]


# The paper does not say its batch size. 500 divides 60000, and Adam, which moves ten times the bytes of a small batch's
# activations, is the rarer the larger the batch is.
PAPER = {
    "mnist": Sizes("mlp", (1024, 512), 200, 1000, 500, 5, (1e-4, 3e-4, 1e-3, 3e-3)),
    "celeba64": Sizes("conv", CHANNELS, 500, 1000, 128, 5, (1e-4, 3e-4, 1e-3, 3e-3)),
}
# Found by experiment: Table 2 takes minutes on two cores. A noise that starts at 0.001 needs some 12000 steps
# to grow, at whatever learning rate (its gradient falls faster than Adam forgets the first ones), and MNIST needs as
# many for latents to collapse below a KL of 0.01. So many steps of 40 models are affordable for 64 pixels, not for 784,
# and for 64 x 64 pixels in colour, whose time goes by the images, not even 3000 of small batches: there, latents that a
# large noise leaves without use come below a KL of 0.5 or 0.1, not of 0.01. k is so large that the linear theory gives
# some up at two noises of Table 3, and the learning rate as large as it can be before most models are lost: with it a
# noise comes down from 30 in a third of the steps.
QUICK = {
    "digits": Sizes("mlp", (64, 32), 30, 250, 36, 2, (3e-3,)),
    "mnist": Sizes("mlp", (64, 48), 50, 150, 50, 2, (3e-3,)),
    "celeba64": Sizes("conv", (4, 8, 16, 16, 64), 100, 80, 5, 2, (5e-3,)),
}


@dataclass(frozen=True)
class Training:
    """One data set with one preprocessing: `data` is the DATA word, `noises` what is to be trained, each once."""

    dataset: str
    preprocessing: str
    data: str
    sizes: Sizes
    seeds: tuple[int, ...]
    noises: tuple[tuple[str, float], ...]

    def runs(self) -> tuple[Run, ...]:
        """Noises x learning rates x seeds, seeds fastest."""
        everything = product(self.noises, self.sizes.learning_rates, self.seeds)
        return tuple(Run(s, noise == "learned", seed, rate) for (noise, s), rate, seed in everything)

    def experiment(self, seed: int) -> Experiment:
        """seed: of the rows that are drawn, and of the noise that dequantises them."""
        name, sizes = f"{self.dataset}, {self.preprocessing}", self.sizes
        alpha = ALPHA[self.dataset] if self.preprocessing == "logit" else None
        amounts = (sizes.kind, sizes.hidden, sizes.k, sizes.epochs, sizes.batch)
        return Experiment(name, self.data, *amounts, self.runs(), logit=alpha, dequantised=alpha is None, seed=seed)

    @property
    def same_data(self) -> bool:
        """Whether it is the paper's data set, all of it or a part."""
        return self.data.startswith("celeba:" if self.dataset == "celeba64" else "mnist")

    def incomparable(self) -> list[str]:
        """Why its numbers are not the paper's, whatever their spread: other data, other models, or too few epochs.

        Other trials and learning rates change the spread and the choice, not what is measured.
        """
        names = ["kind", "hidden", "k"] + ["epochs"] * (self.sizes.epochs < PAPER[self.dataset].epochs)
        return self._other_data() + self._other_sizes(names)

    def deviations(self) -> list[str]:
        """In what it is not the paper's experiment."""
        trials = PAPER[self.dataset].seeds
        found = self._other_data() + self._other_sizes(["kind", "hidden", "k", "epochs", "learning_rates"])
        if len(self.seeds) != trials:
            found.append(f"{len(self.seeds)} trial{'s' * (len(self.seeds) != 1)}, not {trials}")
        return found

    def _other_data(self) -> list[str]:
        return [] if self.data == "mnist" or self.data.startswith("celeba:") else [f"trained on {self.data}"]

    def _other_sizes(self, names: Sequence[str]) -> list[str]:
        return self.sizes.unlike(PAPER[self.dataset], names)


def _plain(value: object) -> str:
    return " ".join(f"{v:g}" for v in value) if isinstance(value, tuple) else str(value)


def trainings(
    tables: Sequence[int],
    preset: str,
    *,
    data: Sequence[str] = (),
    seeds: Sequence[int] | None = None,
    first_seed: int = 0,
    hidden: tuple[int, ...] | None = None,
    channels: tuple[int, ...] | None = None,
    **sizes: Any,
) -> tuple[list[Training], list[Row], list[Row]]:
    """What is to be trained for these tables; the printed rows it serves; those that are left out for want of data.

    seeds: which, if not the preset's number from `first_seed` on; hidden, channels: widths of MNIST's and of CelebA's
    models; sizes: fields of Sizes; None for the preset's.  Raises InputError.
    """
    wrong = [t for t in tables if t not in TABLES]
    if wrong:
        raise InputError(f"table {wrong[0]}: the paper has Tables {TABLES[0]} to {TABLES[-1]}")
    rows = [row for row in printed_tables() if row.table in (tables or TABLES)]
    words, widths = words_of(preset, data), {"mnist": hidden, "celeba64": channels}
    served = [row for row in rows if row.dataset in words]
    _check_used(widths, data, {row.dataset for row in served})
    found = []
    for dataset, preprocessing in dict.fromkeys(row.data for row in served):
        word = words[dataset]
        changed = {name: v for name, v in {**sizes, "hidden": widths[dataset]}.items() if v is not None}
        own = replace(sizes_of(preset, dataset, word), **changed)
        which = tuple(seeds if seeds is not None else range(first_seed, first_seed + own.seeds))
        noises = dict.fromkeys((row.noise, row.init_sigma2) for row in served if row.data == (dataset, preprocessing))
        found.append(Training(dataset, preprocessing, word, own, which, tuple(noises)))
    return found, served, [row for row in rows if row.dataset not in words]


def _check_used(widths: Mapping[str, object], data: Sequence[str], trained: Collection[str]) -> None:
    """Raises InputError where widths or data are given for rows that these tables do not have."""
    of = {"mnist": ("--hidden", "MNIST's rows"), "celeba64": ("--channels", "CelebA's rows")}
    given = [(of[dataset][0], dataset) for dataset, width in widths.items() if width is not None]
    for said, dataset in [*given, *((f"--data {word}", dataset_of(word)) for word in data)]:
        if dataset not in trained:
            raise InputError(f"{said}: is for {of[dataset][1]}, and none are trained here; leave it out")


def words_of(preset: str, data: Sequence[str]) -> dict[str, str]:
    """The DATA word for each data set of the paper that there is one for.  Raises InputError."""
    words: dict[str, str] = {}
    for word in data:
        dataset = dataset_of(word)
        if dataset in words:
            raise InputError(f"--data {words[dataset]} {word}: both would stand for {dataset}; name one")
        words[dataset] = word
    return {**DATA[preset], **words}


def dataset_of(word: str) -> str:
    """Which data set of the paper a DATA word stands for.

    CelebA where it is images in colour that its convolutions can halve, MNIST otherwise.
    """
    height, width, colours = image_shape(word) or (0, 0, 0)
    return "celeba64" if colours == 3 and height == width and height % 2 ** (len(CHANNELS) - 1) == 0 else "mnist"


def sizes_of(preset: str, dataset: str, word: str) -> Sizes:
    """What a preset trains on that data."""
    if preset == "paper":
        return PAPER[dataset]
    return QUICK["digits" if word == "digits" else dataset]


def other_photographs(count: int) -> list[str]:
    """What is to be said of a folder that is called CelebA, if it does not hold so many: in words, at most one."""
    return [] if count in CELEBA else [f"{count} photographs, not CelebA's {CELEBA[0]}"]


def open_choices(training: Training) -> list[dict[str, str]]:
    """What the paper does not say, and what was taken here."""
    rates = len(training.sizes.learning_rates)
    choices = {
        "batch size": str(training.sizes.batch),
        "initialisation": "weights uniform within sqrt(6/(fan in + fan out)) (Glorot), biases 0",
        "dequantisation": "the noise is drawn once, not anew every epoch",
        "trials behind the spread": f"{len(training.seeds)} here; spread is the sample standard deviation. "
        "The paper has 5 trials and does not say whether its spread is that or the error of the mean",
        "choice of the learning rate": f"the best mean over the seeds of the final training ELBO, of {rates}; rates at "
        "which a model diverged come last. The paper does not say whether it chose by trial or by mean",
        "evaluation": "one draw of z for each training datum, after the last step",
        "Adam": f"beta1 = {BETA1:g}, beta2 = {BETA2:g}, epsilon = {ADAM_EPSILON:g}",
        "learned noise": "log sigma^2 is a parameter like all others, with their learning rate",
    }
    if training.preprocessing == "logit":
        choices["logit"] = f"alpha = {ALPHA[training.dataset]:g}, as in the work that the paper follows"
    return [{"name": name, "value": value} for name, value in choices.items()]
