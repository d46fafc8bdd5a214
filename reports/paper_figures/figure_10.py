"""Figure 10: collapsed latents over the threshold epsilon, CelebA, fixed noise.

Reference  Lucas et al. 2019, Figure 10, Sec. E.1; Table 3 has the same models.
"""

from collections.abc import Sequence

from reports.paper_figures import collapse_over_noise
from reports.paper_figures.collapse import standard_experiment
from reports.paper_figures.document import Measured
from reports.paper_figures.setting import Setting
from reports.training.experiment import Bench, Experiment

TITLE = "Collapse over its threshold, CelebA, fixed noise"
SOURCE = "Figure 10, Sec. E.1"
PAPER = (
    "Curves for each fixed noise of Table 3, as Figure 5 for MNIST. Numbers are printed at epsilon = 0.01 only, in "
    "Table 3; there the smaller of two noises collapses more at times (2.52% at sigma2 = 1, 74.52% at 0.3)."
)
DATASET = "celeba64"


def experiments(setting: Setting) -> Sequence[Experiment]:
    """All models of Table 3."""
    return [standard_experiment(setting, DATASET)]


def measure(setting: Setting, bench: Bench) -> Measured:
    """The curves of all noises.  Raises InputError."""
    return collapse_over_noise.measure(setting, bench, DATASET, "fixed")
