"""Posterior collapse while a VAE is trained, watched batch by batch, by whatever library it is trained.

Notation   mu, logvar (b, k): what the encoder says of a batch; n columns of the data, lam_1 >= ... >= lam_n the
           eigenvalues of their covariance; s = beta sigma2 the noise that they are compared with (theory 3.9).
Main       LatentWatch: add, epoch_end, log, warn, should_stop.
Reference  theory 1.5, 3.9, 3.11, 6.2, 6.4, 6.5.

A linear VAE keeps min(k, #{lam > s}) latents. For a deep decoder that is a prediction: the collapse of all latents is
certain only from a noise on at which no decoder gains by them. For that the upper bound of theory 6.2 is taken, which
needs lam_1 and the farthest datum only; where the decoder is linear, lam_1. During an epoch the weights move: the sums
are over encoders of that epoch, not of one.
"""

import math
import numbers
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.checks import number, positive_noise, whole_number
from verify.data.covariance import Covariance, from_eigenvalues
from verify.data.files.objects import to_array
from verify.data.sources import load
from verify.errors import InputError
from verify.landscape.any_decoder import upper_bound
from verify.landscape.collapse import DELTA, EPSILON, Proportion, enough
from verify.landscape.latent_sums import LatentSums
from verify.landscape.weighted import effective_noise, usable_weight
from verify.models.losses import noise_of_loss
from verify.words.watched import CERTAIN, EMPTY, FREE, PARTIAL, PREDICTED, messages

Document = dict[str, Any]
# Upwards: sums of squares and a quotient of logarithms, in doubles.
ROUNDING = 1e-9


class LatentWatch:
    """Collapse over an epoch of training, against the spectrum of the data.

    data: rows (N, n) as the model sees them (array, tensor, DataFrame, a name that `verify.load` knows), their
    Covariance, or their eigenvalues (n,). The noise: sigma2, or loss and kl as `verify.noise_of_loss` knows them (with
    batch, where one of the terms is summed over it). beta: the weight of the KL at the end of training. linear: whether
    the decoder is. certain_above: a noise from which on no decoder gains anything by its latents, where a lower one is
    known than follows from lam_1 and the farthest row. (epsilon, delta): what is called collapsed. Raises InputError.
    """

    def __init__(
        self,
        data: Any,
        k: int,
        *,
        sigma2: float | None = None,
        loss: str | None = None,
        kl: str = "sum",
        beta: float = 1.0,
        batch: int | None = None,
        linear: bool = False,
        certain_above: float | None = None,
        epsilon: float = EPSILON,
        delta: Proportion = DELTA,
    ):
        found = _covariance(data)
        self.spectrum, self.k = found.spectrum, whole_number(k, "k")
        if self.k < 1:
            raise InputError(f"k = {self.k}: a VAE has at least one latent")
        self.sigma2 = _noise(sigma2, loss, len(self.spectrum), self.k, kl, batch)
        self.beta = self.final_beta = usable_weight(beta)
        self.lam_1 = float(self.spectrum.values[0])
        self.certain_above = self._certain(found, linear, certain_above)
        self.epsilon, self.delta = number(epsilon, "epsilon"), delta
        if not (math.isfinite(self.epsilon) and self.epsilon >= 0):
            raise InputError(f"epsilon = {self.epsilon:g}: a KL in nats, finite and at least 0")
        if enough(1, delta) == 0:
            raise InputError(f"delta = {delta}: a proportion of the data, at least 0 and below 1")
        self.learned_noise, self.epoch = False, 0
        self.last: Document | None = None
        self._said: set[str] = set()
        self._sums = LatentSums(self.k, self.epsilon)

    def _certain(self, data: Covariance, linear: bool, certain_above: float | None) -> float | None:
        """From which noise on collapse is certain; None where that is not known."""
        highest = self.lam_1 + float(self.spectrum.errors[0])
        if certain_above is None:
            return highest if linear else _of_every_decoder(data, highest)
        value = number(certain_above, "certain_above")
        # No decoder does worse than a linear one, which keeps a latent below lam_1.
        if not value >= self.lam_1 - float(self.spectrum.errors[0]):
            raise InputError(
                f"certain_above = {value:.6g} lies below lam_1 = {self.lam_1:.6g}, where a linear decoder still gains; "
                "give a noise from which on no decoder does, in the units of the data squared"
            )
        return value

    def add(self, mu: Any, logvar: Any, *, beta: Any = None, sigma2: Any = None) -> None:
        """A batch: mu and logvar (b, k), arrays or tensors of any library.

        beta: the weight of the KL now, where it is annealed (0 is allowed); sigma2: the noise now, where it is learned;
        numbers, or tensors that hold one.
        Raises InputError: shapes.
        """
        mu, logvar = _batch(mu, "mu", self.k), _batch(logvar, "logvar", self.k)
        if mu.shape != logvar.shape:
            raise InputError(f"mu has shape {mu.shape}, logvar {logvar.shape}; both must be (batch, k)")
        if beta is not None:
            weight = _scalar(beta)
            self.beta = 0.0 if weight == 0 else usable_weight(weight)
        if sigma2 is not None:
            self.sigma2, self.learned_noise = positive_noise(_scalar(sigma2)), True
        self._sums.add(mu, logvar)

    def epoch_end(self) -> Document:
        """What the epoch showed, as a document of plain numbers; the next one begins."""
        sums, self._sums = self._sums, LatentSums(self.k, self.epsilon)
        self.epoch += 1
        end = self._at(self.final_beta)
        document: Document = {
            "epoch": self.epoch,
            "N": sums.N,
            "k": self.k,
            "left_out": sums.left_out,
            "lowest_logvar": sums.lowest if sums.N else None,
            "highest_logvar": sums.highest if sums.N else None,
            "kl": sums.divergence.tolist(),
            "kl_total": float(sums.divergence.sum()),
            "active_units": int(sums.active.sum()),
            "collapsed": (np.flatnonzero(sums.collapsed(self.delta)) + 1).tolist(),
            "second_moment": sums.second_moment.tolist(),
            "sigma2": float(self.sigma2),
            "learned_noise": self.learned_noise,
            "beta": float(self.beta),
            "noise": self._at(self.beta),
            "noise_at_end": end,
            "lam_1": self.lam_1,
            "certain_above": self.certain_above,
            "retained": self._retained(self._at(self.beta)),
            "retained_at_end": self._retained(end),
            "state": self._state(end) if sums.N else EMPTY,
        }
        self.last = {**document, "notes": list(messages(document).values())}
        return self.last

    def log(self, prefix: str = "", *, latents: bool = True) -> dict[str, float]:
        """The numbers of the epoch that ended last, each a float with a name, as loggers take them.

        latents: two further numbers of each latent; without them the seven totals only.
        """
        last = self._ended()
        one = {name: float(last[name]) for name in ("kl_total", "active_units", "noise", "lam_1", "retained")}
        one["collapsed"] = float(len(last["collapsed"]))
        one["certain_collapse"] = float(last["state"] == CERTAIN)
        for name in ("kl", "second_moment") if latents else ():
            one.update({f"{name}_{i}": value for i, value in enumerate(last[name], start=1)})
        return {f"{prefix}{name}": value for name, value in one.items()}

    def warn(self) -> list[str]:
        """What there is to be said of the epoch that ended last, in sentences; what was said already is left out."""
        found = {kind: text for kind, text in messages(self._ended()).items() if kind not in self._said}
        self._said.update(found)
        return list(found.values())

    @property
    def should_stop(self) -> bool:
        """Whether the collapse of all latents is certain to be the optimum at the end of training.

        Never while the noise is learned, which can still fall, nor after an epoch in which no data came: whether the
        noise is learned is not known without them.
        """
        if self.last is not None and self.last["state"] == EMPTY:
            return False
        return self._state(self._at(self.final_beta)) == CERTAIN

    def _ended(self) -> Document:
        if self.last is None:
            raise InputError("no epoch has ended yet; call epoch_end() first")
        return self.last

    def _at(self, beta: float) -> float:
        return 0.0 if beta == 0 else float(effective_noise(self.sigma2, beta))

    def _retained(self, s: float) -> int:
        """How many latents a linear VAE keeps; those that cannot be told from s count as lost."""
        return self.spectrum.position(s).retained(self.k)[0] if s > 0 else min(self.k, self.spectrum.rank)

    def _state(self, s: float) -> str:
        """What s leaves to be kept; one of verify.words.watched.STATES."""
        if self.certain_above is not None and s >= self.certain_above and not self.learned_noise:
            return CERTAIN
        kept = self._retained(s)
        return FREE if kept == self.k else PARTIAL if kept else PREDICTED


def _covariance(data: Any) -> Covariance:
    """Of rows, of the words for them, or of eigenvalues (n,)."""
    if isinstance(data, Covariance):
        return data
    listed = isinstance(data, (list, tuple)) and bool(data) and isinstance(data[0], numbers.Real)
    if listed or getattr(data, "ndim", 2) == 1:
        return from_eigenvalues(to_array(data))
    return load(data)


def _of_every_decoder(data: Covariance, lam_1: float) -> float | None:
    """A noise from which on no decoder gains by its latents (theory 6.2); None without rows that can be read again."""
    if data.source is None or data.mean is None:
        return None
    C = data.source.divisor
    centre = data.mean * C
    squares = (((np.asarray(X, dtype=np.float64) - centre) ** 2).sum(axis=1).max() for X in data.source.blocks_again())
    largest = math.sqrt(max(map(float, squares))) / C
    return upper_bound(lam_1, max(largest, math.sqrt(lam_1))) * (1 + ROUNDING)


def _noise(sigma2: float | None, loss: str | None, n: int, k: int, kl: str, batch: int | None) -> float:
    """The noise at beta = 1, of a likelihood or of a loss."""
    if (sigma2 is None) == (loss is None):
        raise InputError("the noise is said once: give sigma2=..., or loss=... (and kl=...) as it was written")
    if loss is None:
        return positive_noise(sigma2)
    return positive_noise(noise_of_loss(loss, n=n, k=k, kl=kl, batch=batch).sigma2)


def _scalar(value: Any) -> Any:
    """The one number that an array or a tensor holds; anything else as it is."""
    if isinstance(value, numbers.Real) or not hasattr(value, "shape"):
        return value
    array = to_array(value)
    return float(array.reshape(())) if array.size == 1 and array.dtype.kind in "iuf" else value


def _batch(values: Any, name: str, k: int) -> Array:
    """(b, k) float64; further axes of length 1 are dropped."""
    array = to_array(values)
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name} is of type {array.dtype}; give real numbers")
    if array.ndim == 0 or array.size != len(array) * k:
        raise InputError(f"{name} has shape {array.shape}; it must be (batch, {k}), one row per datum")
    return array.reshape(-1, k).astype(np.float64, copy=False)
