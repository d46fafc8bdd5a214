"""What the models are: layers, and where their parameters lie in one flat buffer.

Notation   n data, k latent dimensions; P parameters of a model; the encoder's last layer gives mean and log variance
           (2k numbers), or the mean alone where the variances are constant, as in the linear VAE (D in theory 3).
Main       Architecture; Layout.
Reference  Lucas et al. 2019, App. E (784-1024-512-k-512-1024-784); [H17] Higgins et al., ICLR 2017, Table 1 (CelebA).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isqrt, prod, sqrt
from typing import Any

import numpy as np

from gpu.vae.convolution import Convolution, TransposedConvolution
from gpu.vae.layers import Dense, Layer
from gpu.vae.noise import INITIAL, generator
from verify.arrays import Array
from verify.errors import InputError

KINDS = ("mlp", "linear", "linear-decoder", "conv")
HIDDEN = (1024, 512)
# Channels of the convolutions, and the units of the dense layer behind them [H17].
CHANNELS = (32, 32, 64, 64, 256)
# Weights begin at multiples of so many numbers, as do models in the flat buffer: matrices that begin at multiples of
# 16 bytes a device reads several numbers at a time, and its tensor cores are fastest on them.
ALIGNED = 32


@dataclass(frozen=True)
class Architecture:
    """kind, n, k and the widths of hidden layers, encoder's order; `layers()` makes the layers.

    For "conv": channels of the convolutions (4 x 4, stride 2), then the units of one dense layer. InputError where n is
    no square image with 1 or 3 channels that can be halved so often.
    """

    kind: str
    n: int
    k: int
    hidden: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"architecture {self.kind!r}: none of {', '.join(KINDS)}; choose one of them")
        if self.n < 1 or self.k < 1 or any(width < 1 for width in self.hidden):
            raise InputError(f"architecture {self.kind}: n = {self.n}, k = {self.k}, hidden {self.hidden}: all from 1")
        if self.kind == "conv":
            _image(self.n, len(self.hidden) - 1)

    @property
    def constant_variance(self) -> bool:
        """Whether D is the same for all data: a parameter, not an output of the encoder."""
        return self.kind == "linear"

    @property
    def linear_decoder(self) -> bool:
        """Whether the reconstruction is W z + mu, so that its expected error has a closed form (Eq. 20)."""
        return self.kind in ("linear", "linear-decoder")

    def layers(self) -> tuple[list[Layer], list[Layer]]:
        """New layers of encoder and decoder."""
        heads = self.k if self.constant_variance else 2 * self.k
        if self.kind == "conv":
            return _convolutional(self.n, self.k, self.hidden)
        encoder = _dense([self.n, *self.hidden, heads])
        decoder = [self.k, self.n] if self.linear_decoder else [self.k, *self.hidden[::-1], self.n]
        return encoder, _dense(decoder)


def _dense(widths: Sequence[int]) -> list[Layer]:
    pairs = list(pairwise(widths))
    return [Dense(a, b, relu=i + 1 < len(pairs)) for i, (a, b) in enumerate(pairs)]


def _image(n: int, halvings: int) -> tuple[int, int]:
    """(side, channels) of square images of n numbers.  InputError where they cannot be halved so often."""
    for channels in (3, 1):
        side = isqrt(n // channels)
        if side * side * channels == n and halvings >= 1 and side % 2**halvings == 0:
            return side, channels
    raise InputError(
        f"architecture conv: {n} numbers are no square image of 1 or 3 channels whose side can be halved {halvings} "
        "times; choose mlp, or other channels"
    )


def _convolutional(n: int, k: int, hidden: Sequence[int]) -> tuple[list[Layer], list[Layer]]:
    """Convolutions, a dense layer, the heads; and the same backwards [H17]."""
    *channels, units = hidden
    side, colours = _image(n, len(channels))
    encoder: list[Layer] = []
    decoder: list[Layer] = []
    for below, above in pairwise([colours, *channels]):
        encoder.append(Convolution(side, side, below, above, relu=True))
        side //= 2
        decoder.insert(0, TransposedConvolution(side, side, above, below, relu=bool(decoder)))
    features = side * side * channels[-1]
    encoder += [Dense(features, units, relu=True), Dense(units, 2 * k, relu=False)]
    return encoder, [Dense(k, units, relu=True), Dense(units, features, relu=True), *decoder]


def _aligned(at: int) -> int:
    return -(-at // ALIGNED) * ALIGNED


class Layout:
    """Names of parameters and where they lie: encoder.0.weight, encoder.0.bias, ..., log_variance, log_sigma2.

    Between some of them a few numbers belong to none; their gradient is 0, so that they stay 0.
    """

    def __init__(self, architecture: Architecture):
        encoder, decoder = architecture.layers()
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.fans: dict[str, tuple[int, int]] = {}
        for half, layers in (("encoder", encoder), ("decoder", decoder)):
            for i, layer in enumerate(layers):
                self.shapes[f"{half}.{i}.weight"] = layer.weight_shape
                self.shapes[f"{half}.{i}.bias"] = layer.bias_shape
                self.fans[f"{half}.{i}.weight"] = (layer.fan_in, layer.fan_out)
        if architecture.constant_variance:
            self.shapes["log_variance"] = (architecture.k,)
        self.shapes["log_sigma2"] = ()
        self.slices: dict[str, slice] = {}
        at = 0
        for name, shape in self.shapes.items():
            at = _aligned(at) if name.endswith("weight") else at
            self.slices[name] = slice(at, at + prod(shape))
            at += prod(shape)
        self.size = _aligned(at)

    def views(self, flat: Array) -> dict[str, Array]:
        """Each parameter (E, *shape) as a view of the flat buffer (E, P)."""
        return {name: flat[:, self.slices[name]].reshape(len(flat), *shape) for name, shape in self.shapes.items()}

    def initial(self, seeds: Sequence[int], sigma2: Sequence[float], dtype: Any) -> Array:
        """(E, P): weights uniform within +-sqrt(6/(fan in + fan out)) (Glorot), biases and log variances 0."""
        flat = np.zeros((len(seeds), self.size), dtype=dtype)
        views = self.views(flat)
        for e, seed in enumerate(seeds):
            rng = generator(seed, INITIAL)
            for name, fans in self.fans.items():
                bound = sqrt(6 / sum(fans))
                views[name][e] = rng.uniform(-bound, bound, self.shapes[name])
        views["log_sigma2"][:] = np.log(np.asarray(sigma2, dtype=np.float64))
        return flat
