"""Figure 8: annealed against standard training where the noise is learned, MNIST.

Reference  Lucas et al. 2019, Figure 8, App. E.1.1.
"""

from collections.abc import Sequence

from reports.paper_figures import annealed_noise
from reports.paper_figures.annealing import annealed
from reports.paper_figures.collapse import standard_experiment
from reports.paper_figures.document import Measured
from reports.paper_figures.setting import Setting
from reports.training.experiment import Bench, Experiment

TITLE = "Annealed and standard training, MNIST, learned noise"
SOURCE = "Figure 8, Sec. E.1.1"
PAPER = (
    "Annealed (beta from 0 to 1 over the first 100 of 1000 epochs) and standard training where sigma2 is learned. "
    "Standard training lowers sigma2 somewhat, but much collapse remains; annealing learns a much smaller sigma2 and "
    "reduces collapse. Of annealed models nothing is printed in numbers."
)
DATASET = "mnist"


def experiments(setting: Setting) -> Sequence[Experiment]:
    """Standard models, all of the table; annealed ones."""
    return [standard_experiment(setting, DATASET), annealed(setting, DATASET)]


def measure(setting: Setting, bench: Bench) -> Measured:
    """Collapse, and the course of the noise.  Raises InputError."""
    return annealed_noise.measure(setting, bench, DATASET)
