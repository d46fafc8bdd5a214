"""What models are trained on: preprocessed rows, dequantised once or anew every epoch.

Notation   X (N, n) float32 what the model sees; J = mean log|det Jacobian| of the logit, plus that of the scale.
Main       TrainingRows, a plan.Data.
Reference  theory 5.2: log-density of the raw values = log-density in the model's space + J.

Epoch 0 holds the noise that the rows came with; models are evaluated on it, and J belongs to it.
"""

import hashlib
import json
from functools import cached_property

from verify.arrays import Array
from verify.data.rows import Rows


class TrainingRows:
    """Rows for `train`.  redrawn: every epoch draws its own dequantisation noise.  Raises InputError as Rows do."""

    def __init__(self, rows: Rows, *, redrawn: bool = False):
        self.rows = rows
        self.redrawn = redrawn and rows.preprocessing.dequantised
        self._held: tuple[int, Array] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(N, n)."""
        return self.rows.shape

    def array(self, epoch: int) -> Array:
        """X (N, n) float32 of this epoch; kept until another one is asked for."""
        epoch = epoch if self.redrawn else 0
        if self._held is None or self._held[0] != epoch:
            self._held = None  # two epochs need not fit into memory
            self._held = epoch, self.rows.float32_array(epoch or None)
        return self._held[1]

    @property
    def log_scale_jacobian(self) -> float:
        """log|det| of dividing the raw values by the scale, or by the number of grey values."""
        return float(self.rows.preprocessing.log_scale_jacobian(self.shape[1]))

    @cached_property
    def mean_log_jacobian(self) -> float:
        """The mean over data of log|det Jacobian| of the logit; 0 without one."""
        return self.rows.mean_log_jacobian()

    @cached_property
    def raw_scale_constant(self) -> float:
        """J: takes an ELBO from the model's space to the scale of the raw values, 0..255 of images (theory 5.2)."""
        return self.mean_log_jacobian + self.log_scale_jacobian

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what decides every number of every epoch: source, rows drawn, preprocessing, seed."""
        facts = self.rows.provenance
        told = {name: facts.get(name) for name in ("kind", "sha256", "rows", "shape", "preprocessing", "seed")}
        return hashlib.sha256(json.dumps([told, self.redrawn], sort_keys=True).encode()).hexdigest()
