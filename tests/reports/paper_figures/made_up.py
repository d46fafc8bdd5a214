"""Trained models that were never trained: what findings are tested on."""

from gpu.vae.evaluation import Evaluation
from gpu.vae.plan import Outcome, Run
from reports.paper_figures.collapse import AT, Trials
from verify.landscape.collapse import EPSILON, EPSILONS


def evaluation(percent, sigma2=1.0, *, later=None, tuned=None):
    """A model that has collapsed to `percent` from epsilon = 0.01 on; later: from there on beyond."""
    curve = [0.0] + [percent if epsilon <= EPSILON or later is None else later for epsilon in EPSILONS[1:]]
    assert curve[AT] == percent
    tuned = sigma2 if tuned is None else tuned
    return Evaluation(sigma2, 1.0, -100.0, tuned, -99.0, 1.0, [], percent, curve, 0)


EPOCHS = 40


def course(end, moved=1.0, error=1.0, kl=1.0):
    """Epochs of error, KL and noise that have long been flat; each may still move by so much over the last tenth."""
    at = [max(0.0, (epoch - (EPOCHS - 3)) / 3) for epoch in range(1, EPOCHS + 1)]
    return [[error**t, kl**t, end * moved ** (t - 1)] for t in at]


# Of an error that still falls: unfinished.
FALLS = 0.8


def trials(start, percents, *, learned=False, ends=None, moved=1.0, error=1.0, kl=1.0, epochs=EPOCHS, **options):
    """One noise: the percentages of its trials; where a learned noise ends in each; moved, error, kl: see course."""
    ends = ends or [start] * len(percents)
    outcomes = [
        Outcome(
            Run(start, learned, seed),
            evaluation(percent, end, **options),
            None,
            course(end, moved, error, kl)[-epochs:],
        )
        for seed, (percent, end) in enumerate(zip(percents, ends, strict=True))
    ]
    return Trials(start, learned, 1e-3, outcomes, list(range(len(outcomes))), 0)
