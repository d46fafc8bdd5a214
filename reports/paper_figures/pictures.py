"""What Figures 12 and 13 show pictures of: the annealed model, and images drawn from its data.

Notation   k latents; sigma2 the learned noise.
Main       dataset, experiments, shown -> Shown; told, because; rms.
Reference  Lucas et al. 2019, App. E.1.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from gpu.vae.model import Ensemble
from gpu.vae.plan import Run
from reports.paper_figures.annealing import annealed
from reports.paper_figures.document import LeftOut
from reports.paper_figures.setting import Setting
from reports.training.document import Material, described
from reports.training.experiment import Bench, Experiment
from reports.training.images import Images
from reports.training.settled import unsettled
from verify.arrays import Array
from verify.words.numerals import typed
from verify.words.wording import number

Document = dict[str, Any]
UNLIKE = ("kind", "hidden", "k", "epochs", "learning_rates")


def dataset(setting: Setting) -> str:
    """CelebA, or what stands for it; MNIST where the user named data for that alone."""
    return "mnist" if setting.named == ("mnist",) else "celeba64"


def experiments(setting: Setting) -> Sequence[Experiment]:
    """The annealed models, which other figures train too."""
    return [annealed(setting, dataset(setting))]


@dataclass(frozen=True)
class Shown:
    """The model that is looked at, and its data.

    facts: the model as JSON; among: of which it is the best, in words, if there are several;
    unfinished: why it is not yet what it would become.
    """

    material: Material
    images: Images
    ensemble: Ensemble
    facts: Document
    among: str
    unfinished: str

    @property
    def notes(self) -> list[str]:
        """That better pictures may come of more training."""
        return [f"the training of the model shown is unfinished: {self.unfinished}"] if self.unfinished else []

    @property
    def words(self) -> str:
        """The model in a sentence without its point."""
        m, e = self.facts, self.facts["evaluation"]
        of = f", the one with the best ELBO of {self.among}" if self.among else ""
        return (
            f"The model is annealed and learned its noise{of}: sigma2 from {typed(m['init_sigma2'])} to "
            f"{number(e['sigma2'])}, {e['retained']} of {len(e['kl_of_latents'])} latents in use, a KL of "
            f"{number(e['kl'])} nats per datum"
        )


def shown(setting: Setting, bench: Bench) -> Shown:
    """Of the annealed models that learn their noise the one with the best ELBO.  Raises LeftOut, InputError."""
    [experiment] = experiments(setting)
    material = bench.material(experiment.data, experiment.seed, **experiment.preparation)
    images = Images.of(material.rows)
    if images is None:
        raise LeftOut(
            f"{experiment.data} holds no images, and this figure shows some; name others with --data (patches:300, "
            "mnist:1000, celeba:FOLDER, or a stack of images in an .npy file)"
        )
    done = bench.perform(experiment)
    learned = [i for i, run in enumerate(experiment.runs) if run.learned]
    elbos = {i: e.elbo for i in learned if (e := done.outcomes[i].evaluation) is not None and isfinite(e.elbo)}
    if not elbos:
        raise LeftOut("every annealed model that learns its noise diverged; try smaller --learning-rates")
    if done.folder is None:
        raise LeftOut("models are not kept without safetensors, and this figure needs one (pip install safetensors)")
    best = max(elbos, key=elbos.__getitem__)
    facts = described(done.outcomes[best], material, done.plan)
    among = _counted([experiment.runs[i] for i in learned])
    return Shown(material, images, done.ensemble(best), facts, among, unsettled(done.outcomes[best]))


def _counted(runs: Sequence[Run]) -> str:
    """6 (3 starts, 2 seeds): as far as there are several; nothing of one."""
    counts = {
        "start": len({run.sigma2 for run in runs}),
        "learning rate": len({run.learning_rate for run in runs}),
        "seed": len({run.seed for run in runs}),
    }
    parts = ", ".join(f"{count} {name}s" for name, count in counts.items() if count > 1)
    return f"{len(runs)} ({parts})" if parts else ""


def told(holds: bool | None, unfinished: str) -> bool | None:
    """Of a model whose training is unfinished nothing can be told."""
    return None if unfinished else holds


def because(unfinished: str) -> str:
    """Why nothing can be told, to stand before the numbers."""
    return f"the training of the model shown is unfinished ({unfinished}); " if unfinished else ""


def deviations(setting: Setting) -> list[str]:
    """In what this is not the paper's experiment, which is on CelebA."""
    role = dataset(setting)
    word = setting.words[role]
    other = [] if word.startswith("celeba:") else [f"{word} in place of CelebA"]
    return other + setting.other_sizes("celeba64", setting.sizes(role), UNLIKE)


def rms(a: Array, b: Array) -> Array:
    """The root of the mean squared difference of pictures (..., height, width, channels), in grey levels 0..255."""
    difference = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    return np.asarray(np.sqrt((difference**2).mean(axis=(-3, -2, -1))))
