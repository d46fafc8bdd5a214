"""Figure 6: collapsed latents over the threshold epsilon, MNIST, learned noise.

Reference  Lucas et al. 2019, Figure 6, Sec. 6.2; Table 2 has the same models.
"""

from collections.abc import Sequence

from reports.paper_figures import collapse_over_noise
from reports.paper_figures.collapse import standard_experiment
from reports.paper_figures.document import Measured
from reports.paper_figures.setting import Setting
from reports.training.experiment import Bench, Experiment

TITLE = "Collapse over its threshold, MNIST, learned noise"
SOURCE = "Figure 6, Sec. 6.2"
PAPER = (
    "Curves for each start of a learned noise of Table 2: from large starts the latents match the prior closely even "
    "though sigma2 is learned, which suggests local optima. Numbers are printed at epsilon = 0.01 only, in Table 2."
)
DATASET = "mnist"


def experiments(setting: Setting) -> Sequence[Experiment]:
    """All models of Table 2."""
    return [standard_experiment(setting, DATASET)]


def measure(setting: Setting, bench: Bench) -> Measured:
    """The curves of all starts.  Raises InputError."""
    return collapse_over_noise.measure(setting, bench, DATASET, "learned")
