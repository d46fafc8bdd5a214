"""Figure 11: collapsed latents over the threshold epsilon, CelebA, learned noise.

Reference  Lucas et al. 2019, Figure 11, Secs. 6.2 and E.1; Table 3 has the same models.
"""

from collections.abc import Sequence

from reports.paper_figures import collapse_over_noise
from reports.paper_figures.collapse import standard_experiment
from reports.paper_figures.document import Measured
from reports.paper_figures.setting import Setting
from reports.training.experiment import Bench, Experiment

TITLE = "Collapse over its threshold, CelebA, learned noise"
SOURCE = "Figure 11, Secs. 6.2 and E.1"
PAPER = (
    "Curves for each start of a learned noise of Table 3, as Figure 6 for MNIST: the number of collapsed latents is "
    "sensitive to the start. Numbers are printed at epsilon = 0.01 only, in Table 3."
)
DATASET = "celeba64"


def experiments(setting: Setting) -> Sequence[Experiment]:
    """All models of Table 3."""
    return [standard_experiment(setting, DATASET)]


def measure(setting: Setting, bench: Bench) -> Measured:
    """The curves of all starts.  Raises InputError."""
    return collapse_over_noise.measure(setting, bench, DATASET, "learned")
