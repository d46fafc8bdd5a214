"""Convolutions with 4 x 4 kernels, stride 2 and padding 1, and their transposes: explicit forward and backward passes.

Notation   images are flat, in the order (row, column, channel): x (E, B, height width channels); a kernel
           (E, 4, 4, channels in, channels out) and a bias (E, channels out) are views of a flat buffer (E, P).
Main       Convolution, TransposedConvolution: layers as gpu/vae/layers.py has them; the mathematics is in grids.py.

The host works on a few images at a time, whose blocks stay in a core's cache, and shares them out to the cores; each
such chunk has its own gradient, and these are added in the order of the images. So no result depends on the number of
cores, or on the models beside it.
"""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from gpu.vae.elementwise import share_out
from gpu.vae.grids import Grids, Matrices
from gpu.vae.layers import Buffers
from verify.arrays import Array, namespace
from verify.errors import InputError
from verify.threads import one_thread

# Numbers that the images of one model may become on the way, in one chunk: on the host they are to stay in the
# second-level cache, on a device only to fit beside everything else.
CHUNK, DEVICE_CHUNK = 1 << 17, 1 << 22
# models, images, scratch, number of the chunk
Work = Callable[[slice, slice, Buffers, int], object]


class _Layer:
    """What both directions share: the grids, ReLU and bias, and how images are shared out."""

    def __init__(self, grids: Grids, channels_in: int, channels_out: int, relu: bool):
        self._grids, self.relu = grids, relu
        self.weight_shape: tuple[int, ...] = (4, 4, channels_in, channels_out)
        self.bias_shape: tuple[int, ...] = (channels_out,)
        self.multiplications = grids.multiplications
        self._buffer = Buffers()
        self._own = threading.local()

    def _rectify(self, dy: Array, y: Array, dbias: Array) -> None:
        """dy <- dy where the ReLU lets it through; dbias (E, channels) <- its sum."""
        if self.relu:
            namespace(y).multiply(dy, y > 0, out=dy)
        E, b, height, width, channels = dy.shape
        # Whole rows of the images first: sums of a few channels side by side are slow.
        rows = dy.reshape(E, b * height, width * channels).sum(axis=1)
        rows.reshape(E, width, channels).sum(axis=1, out=dbias)

    def _finish(self, y: Array, bias: Array) -> None:
        """y (E, b, ., ., channels) <- y + bias, and max(., 0) of it for ReLU."""
        y += bias[:, None, None, None, :]
        if self.relu:
            namespace(y).maximum(y, 0, out=y)

    def _chunks(self, x: Array) -> list[slice]:
        """The images (E, B, ...) cut into chunks whose size depends on the layer alone."""
        size = max(1, (CHUNK if namespace(x) is np else DEVICE_CHUNK) // self._grids.largest)
        return [slice(start, min(start + size, x.shape[1])) for start in range(0, x.shape[1], size)]

    def _run(self, x: Array, work: Work, after: Callable[[slice], object] = lambda models: None) -> None:
        """work(models, images, scratch, number of the chunk) for all of x (E, B, ...), then after(models).

        On the host one model after the other, the chunks by several threads; on a device all models at once.
        """
        chunks = list(enumerate(self._chunks(x)))
        if namespace(x) is not np:
            scratch = Buffers()  # given back at the end: the next layer takes the same memory
            for i, images in chunks:
                work(slice(None), images, scratch, i)
            after(slice(None))
            return
        with one_thread() as alone:
            for e in range(len(x)):
                models = slice(e, e + 1)

                def one(chunk: tuple[int, slice], models: slice = models) -> None:
                    work(models, chunk[1], self._scratch(), chunk[0])

                share_out(one, chunks, threads=alone)
                after(models)

    def _scratch(self) -> Buffers:
        """The buffers of this thread."""
        if not hasattr(self._own, "buffers"):
            self._own.buffers = Buffers()
        return self._own.buffers  # type: ignore[no-any-return]

    def _gradients(self, x: Array, dkernel: Array, dbias: Array, work: Any) -> None:
        """work(models, images, scratch, dK, db) for all chunks; the sums to dkernel (E, 4, 4, C, c) and dbias."""
        E, count = 1 if namespace(x) is np else len(x), len(self._chunks(x))
        dK = self._buffer("dK", (count, E, 16 * self._grids.C * self._grids.c), x)
        db = self._buffer("db", (count, E, dbias.shape[1]), x)

        def one(models: slice, images: slice, scratch: Buffers, i: int) -> None:
            work(models, images, scratch, dK[i], db[i])

        def total(models: slice) -> None:
            dkernel[models] = self._grids.kernel(dK.sum(axis=0))
            dbias[models] = db.sum(axis=0)

        self._run(x, one, total)


class Convolution(_Layer):
    """From (height, width, channels_in) to half the height and width.  InputError unless both are even."""

    def __init__(self, height: int, width: int, channels_in: int, channels_out: int, relu: bool):
        if height % 2 or width % 2:
            raise InputError(
                f"images of {height} x {width}: a convolution with stride 2 needs an even height and width"
            )
        super().__init__(Grids(height // 2, width // 2, channels_in, channels_out), channels_in, channels_out, relu)
        self.shape_in, self.shape_out = self._grids.big, self._grids.small
        self.width = height // 2 * (width // 2) * channels_out
        # How many inputs an output sees, and how many outputs an input reaches.
        self.fan_in, self.fan_out = 16 * channels_in, 4 * channels_out

    def forward(self, x: Array, weight: Array, bias: Array) -> Array:
        """x (E, B, height width channels_in) -> y (E, B, width), the layer's own array."""
        (E, B), grids, matrices = x.shape[:2], self._grids, self._grids.matrices(weight)
        y = self._buffer("y", (E, B, self.width), x)
        big, small = x.reshape(E, B, *grids.big), y.reshape(E, B, *grids.small)

        def work(models: slice, images: slice, scratch: Buffers, _: int) -> None:
            out = small[models, images]
            grids.down(grids.of_big(big[models, images], scratch), matrices.of(models), out, scratch)
            self._finish(out, bias[models])

        self._run(big, work)
        return y

    def backward(self, dy: Array, x: Array, y: Array, weight: Array, dweight: Array, dbias: Array, need: bool) -> Any:
        """Write dweight and dbias; -> dx, the layer's own array, or None unless `need`.  dy is overwritten."""
        (E, B), grids = x.shape[:2], self._grids
        dx = self._buffer("dx", x.shape, x) if need else None
        matrices = grids.matrices(weight) if need else None
        big, small, dsmall = x.reshape(E, B, *grids.big), y.reshape(E, B, *grids.small), dy.reshape(E, B, *grids.small)

        def work(models: slice, images: slice, scratch: Buffers, dK: Array, db: Array) -> None:
            gradient = dsmall[models, images]
            self._rectify(gradient, small[models, images], db)
            grids.gradient(grids.of_big(big[models, images], scratch), grids.of_small(gradient, scratch), dK)
            if dx is not None and matrices is not None:
                out = dx.reshape(E, B, *grids.big)[models, images]
                grids.up(grids.spread(gradient, scratch), matrices.of(models), out, scratch)

        self._gradients(big, dweight, dbias, work)
        return dx


class TransposedConvolution(_Layer):
    """From (height, width, channels_in) to twice the height and width."""

    def __init__(self, height: int, width: int, channels_in: int, channels_out: int, relu: bool):
        super().__init__(Grids(height, width, channels_out, channels_in), channels_in, channels_out, relu)
        self.shape_in, self.shape_out = self._grids.small, self._grids.big
        self.width = 4 * height * width * channels_out
        # Of the 16 places of its kernel an output sees 4, wherever it lies.
        self.fan_in, self.fan_out = 4 * channels_in, 16 * channels_out

    def _matrices(self, weight: Array) -> Matrices:
        return self._grids.matrices(weight.swapaxes(3, 4))

    def forward(self, x: Array, weight: Array, bias: Array) -> Array:
        """x (E, B, height width channels_in) -> y (E, B, width), the layer's own array."""
        (E, B), grids, matrices = x.shape[:2], self._grids, self._matrices(weight)
        y = self._buffer("y", (E, B, self.width), x)
        small, big = x.reshape(E, B, *grids.small), y.reshape(E, B, *grids.big)

        def work(models: slice, images: slice, scratch: Buffers, _: int) -> None:
            out = big[models, images]
            grids.up(grids.spread(small[models, images], scratch), matrices.of(models), out, scratch)
            self._finish(out, bias[models])

        self._run(small, work)
        return y

    def backward(self, dy: Array, x: Array, y: Array, weight: Array, dweight: Array, dbias: Array, need: bool) -> Any:
        """Write dweight and dbias; -> dx, the layer's own array, or None unless `need`.  dy is overwritten."""
        (E, B), grids, matrices = x.shape[:2], self._grids, self._matrices(weight)
        dx = self._buffer("dx", x.shape, x) if need else None
        small, big, dbig = x.reshape(E, B, *grids.small), y.reshape(E, B, *grids.big), dy.reshape(E, B, *grids.big)

        def work(models: slice, images: slice, scratch: Buffers, dK: Array, db: Array) -> None:
            gradient = dbig[models, images]
            self._rectify(gradient, big[models, images], db)
            seen = grids.of_big(gradient, scratch)
            grids.gradient(seen, grids.of_small(small[models, images], scratch), dK)
            if dx is not None:
                out = dx.reshape(E, B, *grids.small)[models, images]
                grids.down(seen, matrices.of(models), out, scratch)

        self._gradients(small, dweight.swapaxes(3, 4), dbias, work)
        return dx
