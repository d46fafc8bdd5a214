"""Figure 5: collapsed latents over the threshold epsilon, MNIST, fixed noise.

Reference  Lucas et al. 2019, Figure 5, Sec. 6.2; Table 2 has the same models.
"""

from collections.abc import Sequence

from reports.paper_figures import collapse_over_noise
from reports.paper_figures.collapse import standard_experiment
from reports.paper_figures.document import Measured
from reports.paper_figures.setting import Setting
from reports.training.experiment import Bench, Experiment

TITLE = "Collapse over its threshold, MNIST, fixed noise"
SOURCE = "Figure 5, Sec. 6.2"
PAPER = (
    "Curves for each fixed noise of Table 2: for large choices of sigma2 the latents match the prior closely. Over a "
    "range of thresholds the measure is (moderately) robust to stochasticity in the preprocessing. Numbers are printed "
    "at epsilon = 0.01 only, in Table 2."
)
DATASET = "mnist"


def experiments(setting: Setting) -> Sequence[Experiment]:
    """All models of Table 2."""
    return [standard_experiment(setting, DATASET)]


def measure(setting: Setting, bench: Bench) -> Measured:
    """The curves of all noises.  Raises InputError."""
    return collapse_over_noise.measure(setting, bench, DATASET, "fixed")
