"""Figure 9: annealed against standard training where the noise is learned, CelebA.

Reference  Lucas et al. 2019, Figure 9, App. E.1.1.
"""

from collections.abc import Sequence

from reports.paper_figures import annealed_noise
from reports.paper_figures.annealing import annealed
from reports.paper_figures.collapse import standard_experiment
from reports.paper_figures.document import Measured
from reports.paper_figures.setting import Setting
from reports.training.experiment import Bench, Experiment

TITLE = "Annealed and standard training, CelebA, learned noise"
SOURCE = "Figure 9, Sec. E.1.1"
PAPER = (
    "As Figure 8, on CelebA: annealing enables a smaller sigma2 to be learned and reduces collapse. Of annealed models "
    "nothing is printed in numbers."
)
DATASET = "celeba64"


def experiments(setting: Setting) -> Sequence[Experiment]:
    """Standard models, all of the table; annealed ones."""
    return [standard_experiment(setting, DATASET), annealed(setting, DATASET)]


def measure(setting: Setting, bench: Bench) -> Measured:
    """Collapse, and the course of the noise.  Raises InputError."""
    return annealed_noise.measure(setting, bench, DATASET)
