"""What `elbo-verify figures` is asked for: preset, data, trials; and what of it is not as in the paper.

Main       Setting; setting_of, which checks it.
Reference  Lucas et al. 2019, App. E; sizes are those of the tables (reports/paper_tables/presets.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from gpu.vae.plan import Run
from reports.paper_tables.presets import PAPER, Sizes, dataset_of, sizes_of, words_of
from verify.errors import InputError

# Of the paper's 1000 epochs, beta rises over the first 100, and Figure 7 looks at 80.
ANNEALED, SEEN, OF = 100, 80, 1000
# So many images of MNIST are the data of the paper's pPCA and linear VAEs (Secs. 6.1 and E).
DRAWN = 1000


@dataclass(frozen=True)
class Setting:
    """preset; words: the DATA word of each data set of the paper that there is one for; the rest overrides a preset.

    named: those data sets whose word is the user's own.
    """

    preset: str
    words: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    first_seed: int = 0
    seeds: tuple[int, ...] | None = None
    epochs: int | None = None
    learning_rates: tuple[float, ...] | None = None
    named: tuple[str, ...] = ()

    def sizes(self, dataset: str) -> Sizes:
        """Kind, widths, k, epochs, batch, trials and learning rates for models of this data set."""
        own = sizes_of(self.preset, dataset, self.words[dataset])
        asked = {"epochs": self.epochs, "learning_rates": self.learning_rates}
        return replace(own, **{name: value for name, value in asked.items() if value is not None})

    def trials(self, count: int) -> tuple[int, ...]:
        """The seeds: those that were asked for, or so many."""
        return self.seeds if self.seeds is not None else tuple(range(self.first_seed, self.first_seed + count))

    def drawn(self) -> str:
        """The word of the data of Figures 1 to 3: so many images of MNIST as in the paper, or what stands for them."""
        word = self.words["mnist"]
        return f"mnist:{DRAWN}" if word == "mnist" else word

    def annealed(self, epochs: int) -> int:
        """Over how many epochs beta rises: the same part of all as in the paper."""
        return max(1, round(epochs * ANNEALED / OF))

    def seen(self, epochs: int) -> int:
        """After how many epochs Figure 7 looks at the models first: at 0.8 of the annealing."""
        return max(1, round(self.annealed(epochs) * SEEN / ANNEALED))

    def other_data(self, dataset: str) -> list[str]:
        """What is not the paper's: the data, or that they are a part."""
        word = self.words[dataset]
        own = word == "mnist" if dataset == "mnist" else word.startswith("celeba:")
        return [] if own else [f"{word} in place of {'MNIST' if dataset == 'mnist' else 'CelebA'}"]

    def other_sizes(self, dataset: str, own: Sizes, names: Sequence[str]) -> list[str]:
        """Which of these sizes are not the paper's."""
        return own.unlike(PAPER[dataset], names)


def setting_of(
    preset: str,
    data: Sequence[str] = (),
    *,
    first_seed: int = 0,
    seeds: Sequence[int] | None = None,
    epochs: int | None = None,
    learning_rates: Sequence[float] | None = None,
) -> Setting:
    """Checked.  Raises InputError."""
    for rate in learning_rates or []:
        Run(1.0, False, learning_rate=rate)  # a wrong one is told at once
    if epochs is not None and epochs < 1:
        raise InputError(f"epochs = {epochs}: at least 1")
    rates = tuple(dict.fromkeys(learning_rates or [])) or None
    words, named = words_of(preset, data), tuple(map(dataset_of, data))
    return Setting(preset, words, first_seed, None if seeds is None else tuple(seeds), epochs, rates, named)
