"""What models are trained on: preprocessed rows, dequantised once or anew every epoch.

Notation   X (N, n) float32 what the model sees: the rows, less an offset (n,) where they are far from 0 (single.py);
           J = mean log|det Jacobian| of the logit, plus that of the scale.
Main       TrainingRows, a plan.Data.
Reference  theory 5.2: log-density of the raw values = log-density in the model's space + J.

Epoch 0 holds the noise that the rows came with; models are evaluated on it, and J belongs to it.
"""

import hashlib
import json
from functools import cached_property

from verify.arrays import Array
from verify.data.rows import Rows
from verify.data.single import Survey


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
            self._held = epoch, self.rows.float32_array(epoch or None, self.offset)
        return self._held[1]

    @cached_property
    def survey(self) -> Survey:
        """The columns of epoch 0."""
        return Survey.of(self.rows.blocks(), *self.shape)

    @property
    def offset(self) -> Array | None:
        """What is taken away from the rows of every epoch, in float64, before they are rounded; mostly nothing."""
        return self.survey.offset

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
        """SHA-256 of what decides every number of every epoch: source, rows drawn, preprocessing, seed, offset."""
        facts = self.rows.provenance
        told = {name: facts.get(name) for name in ("kind", "sha256", "rows", "shape", "preprocessing", "seed")}
        told |= {name: facts[name] for name in ("member", "column_numbers", "missing") if name in facts}
        # Models that were trained on rows as they are go on with them; those of centred rows are others.
        taken = [] if self.offset is None else [self.offset.tolist()]
        return hashlib.sha256(json.dumps([told, self.redrawn, *taken], sort_keys=True).encode()).hexdigest()
