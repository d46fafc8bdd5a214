"""The best model of each noise, held in memory: what a training without a folder leaves behind.

Main       Best, a training.Store that has nothing to continue from.
"""

from collections.abc import Sequence

import numpy as np

from gpu.vae.model import Ensemble
from gpu.vae.plan import Outcome, Plan
from gpu.vae.training import State
from verify.arrays import Array, to_numpy


class Best:
    """Parameters of the models that `signs.bests` calls the best; of all others nothing is kept."""

    def __init__(self, plan: Plan):
        self.plan = plan
        # By noise: ELBO and place of the best so far, its parameters (1, P).
        self._found: dict[float | None, tuple[tuple[float, int], Array]] = {}

    def states(self) -> list[State]:
        """None to resume from."""
        return []

    def outcomes(self) -> dict[int, Outcome]:
        """None from before."""
        return {}

    def save(self, state: State, outcomes: Sequence[Outcome] = ()) -> None:
        """Of finished models those that are better than what was seen; groups may end in any order."""
        if not outcomes:
            return
        parameters = to_numpy(state.parameters)
        for at, (model, outcome) in enumerate(zip(state.models, outcomes, strict=True)):
            if outcome.evaluation is None:
                continue
            noise, rank = (None if outcome.run.learned else outcome.run.sigma2), (outcome.evaluation.elbo, -model)
            if noise not in self._found or rank > self._found[noise][0]:
                self._found[noise] = rank, np.array(parameters[at : at + 1])

    def ensembles(self, models: Sequence[int]) -> dict[int, Ensemble]:
        """Those of these places in the plan that are held, each by itself; on the host."""
        held = {-rank[1]: parameters for rank, parameters in self._found.values()}
        return {
            i: Ensemble(self.plan.architecture, held[i], np.array([self.plan.runs[i].learned]))
            for i in models
            if i in held
        }
