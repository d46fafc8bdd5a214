"""Convolutions with 4 x 4 kernels, stride 2 and padding 1, and their transposes: explicit forward and backward passes.

Notation   big grid (2h, 2w) of C channels, small grid (h, w) of c, channels last; an image is flat, in the order (row,
           column, channel): x (E, B, 2h 2w C) for a convolution, (E, B, h w c) for a transposed one; a kernel
           K (E, 4, 4, channels in, channels out) and bias (E, channels out) are views of a flat buffer (E, P).
Main       Convolution, TransposedConvolution: layers as gpu/vae/layers.py has them.
Reference  Dumoulin & Visin, arXiv:1603.07285 (2016), Sec. 4: a transposed convolution is the adjoint of one.

    convolution   small[i, j] = sum_pq big[2i - 1 + p, 2j - 1 + q] K[p, q]           (0 outside of the grid)
    transposed    big[2i - 1 + p, 2j - 1 + q] += small[i, j] K[p, q]

With the big grid padded by one pixel and cut into (h + 1)(w + 1) blocks of 2 x 2 pixels, the window of (i, j) is the
four blocks (i + a, j + b), a and b in {0, 1}. So with p = 2a + r, q = 2b + s either layer is one matrix for each model,

    M[(r, s, C), (a, b, c)] = K[p, q]                          of 4C rows and 4c columns,

and three products, in which nothing is ever scattered:

    down       small[i, j] = sum_ab (blocks[i + a, j + b] M)[a, b]
    up         blocks = spread M^T         where spread[i, j, a, b] = small[i - a, j - b], 0 outside
    gradient   dM = blocks^T spread

The host works on a few images at a time, whose blocks stay in a core's cache, and shares them out to the cores; each
such chunk has its own dM, and these are added in the order of the images. So a gradient depends neither on the number
of cores nor on the models beside it.
"""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from gpu.vae.elementwise import share_out
from gpu.vae.layers import Buffers
from gpu.vae.products import multiply, one_thread
from verify.arrays import Array, namespace, transpose
from verify.errors import InputError

# Numbers of blocks or spread pixels, whichever are more, in one chunk of images of one model: on the host they are to
# stay in the second-level cache, on a device only to fit beside everything else.
CHUNK, DEVICE_CHUNK = 1 << 17, 1 << 22
Work = Callable[[slice, slice, Buffers, int], object]


class _Layer:
    """What both directions share: the grids, and how images are shared out."""

    fan_in: int
    fan_out: int
    width: int
    weight_shape: tuple[int, ...]
    bias_shape: tuple[int, ...]

    def __init__(self, h: int, w: int, C: int, c: int, relu: bool):
        if min(h, w, C, c) < 1:
            raise InputError(f"a convolution from {2 * h} x {2 * w} x {C} to {h} x {w} x {c}: all must be at least 1")
        self._h, self._w, self._C, self._c, self.relu = h, w, C, c, relu
        self._big, self._small = (2 * h, 2 * w, C), (h, w, c)
        self.multiplications = 16 * C * c * h * w
        self._buffer = Buffers()
        self._own = threading.local()

    def _blocks(self, big: Array, scratch: Buffers) -> Array:
        """Blocks of the padded images: (E, b, 2h, 2w, C) -> (E, b (h+1)(w+1), 4C)."""
        h, w = self._h, self._w
        blocks = scratch(f"blocks {big.shape[1]}", (*big.shape[:2], h + 1, w + 1, 2, 2, self._C), big)
        pixels = _pairs(big)
        for r in (0, 1):
            for s in (0, 1):  # padded pixel (2i + r, 2j + s) is pixel (2i + r - 1, 2j + s - 1)
                blocks[:, :, 1 - r : h + 1 - r, 1 - s : w + 1 - s, r, s] = pixels[:, :, :, 1 - r, :, 1 - s]
        return blocks.reshape(len(big), -1, 4 * self._C)

    def _spread(self, small: Array, scratch: Buffers) -> Array:
        """Each pixel at the four blocks that it has to do with: (E, b, h, w, c) -> (E, b (h+1)(w+1), 4c)."""
        h, w = self._h, self._w
        spread = scratch(f"spread {small.shape[1]}", (*small.shape[:2], h + 1, w + 1, 2, 2, self._c), small)
        for a in (0, 1):
            for b in (0, 1):
                spread[:, :, a : a + h, b : b + w, a, b] = small
        return spread.reshape(len(small), -1, 4 * self._c)

    def _down(self, blocks: Array, M: Array, out: Array, scratch: Buffers) -> None:
        """out (E, b, h, w, c) <- the convolution of the images with these blocks."""
        h, w = self._h, self._w
        product = scratch(f"product {out.shape[1]}", (*blocks.shape[:2], 4 * self._c), out)
        multiply(blocks, M, out=product)
        part = product.reshape(*out.shape[:2], h + 1, w + 1, 2, 2, self._c)
        namespace(out).add(part[:, :, :h, :w, 0, 0], part[:, :, :h, 1:, 0, 1], out=out)
        out += part[:, :, 1:, :w, 1, 0]
        out += part[:, :, 1:, 1:, 1, 1]

    def _up(self, spread: Array, M: Array, out: Array, scratch: Buffers) -> None:
        """out (E, b, 2h, 2w, C) <- the transposed convolution of the images spread so."""
        h, w = self._h, self._w
        product = scratch(f"image {out.shape[1]}", (*spread.shape[:2], 4 * self._C), out)
        multiply(spread, transpose(M), out=product)
        blocks = product.reshape(*out.shape[:2], h + 1, w + 1, 2, 2, self._C)
        pixels = _pairs(out)
        for r in (0, 1):
            for s in (0, 1):
                pixels[:, :, :, 1 - r, :, 1 - s] = blocks[:, :, 1 - r : h + 1 - r, 1 - s : w + 1 - s, r, s]

    def _rectify(self, dy: Array, y: Array) -> None:
        """dy <- dy where the ReLU lets it through."""
        if self.relu:
            namespace(y).multiply(dy, y > 0, out=dy)

    def _finish(self, y: Array, bias: Array) -> None:
        """y (E, b, ., ., channels) <- y + bias, and max(., 0) of it for ReLU."""
        y += bias[:, None, None, None, :]
        if self.relu:
            namespace(y).maximum(y, 0, out=y)

    def _chunks(self, x: Array) -> list[slice]:
        """The images (E, B, ...) cut into chunks whose size depends on the layer alone."""
        numbers = (self._h + 1) * (self._w + 1) * 4 * max(self._C, self._c)
        size = max(1, (CHUNK if namespace(x) is np else DEVICE_CHUNK) // numbers)
        return [slice(start, min(start + size, x.shape[1])) for start in range(0, x.shape[1], size)]

    def _run(self, x: Array, work: Work, after: Callable[[slice], object] | None = None) -> None:
        """work(models, images, scratch, number of the chunk) for all of x (E, B, ...), then after(models).

        On the host one model after the other, the chunks by several threads; on a device all models at once.
        """
        chunks = list(enumerate(self._chunks(x)))
        if namespace(x) is not np:
            scratch = Buffers()  # given back at the end: the next layer takes the same memory
            for i, images in chunks:
                work(slice(None), images, scratch, i)
            if after:
                after(slice(None))
            return

        for e in range(len(x)):
            models = slice(e, e + 1)

            def one(chunk: tuple[int, slice], models: slice = models) -> None:
                work(models, chunk[1], self._scratch(), chunk[0])

            with one_thread() as alone:
                share_out(one, chunks, threads=alone)
            if after:
                after(models)

    def _scratch(self) -> Buffers:
        """The buffers of this thread."""
        if not hasattr(self._own, "buffers"):
            self._own.buffers = Buffers()
        return self._own.buffers  # type: ignore[no-any-return]

    def _gradients(self, x: Array, dweight: Array, dbias: Array, work: Any, kernel: Callable[[Array], Array]) -> None:
        """work(models, images, scratch, dM, db) for all chunks; their sums, M as a kernel, to dweight and dbias."""
        E = 1 if namespace(x) is np else len(x)
        count = len(self._chunks(x))
        dM = self._buffer("dM", (count, E, 4 * self._C, 4 * self._c), x)
        db = self._buffer("db", (count, E, dbias.shape[-1]), x)

        def one(models: slice, images: slice, scratch: Buffers, i: int) -> None:
            work(models, images, scratch, dM[i], db[i])

        def total(models: slice) -> None:
            dweight[models] = kernel(dM.sum(axis=0))
            dbias[models] = db.sum(axis=0)

        self._run(x, one, total)


class Convolution(_Layer):
    """From (height, width, channels_in) to half the height and width; height and width are even."""

    def __init__(self, height: int, width: int, channels_in: int, channels_out: int, relu: bool):
        _check_even(height, width)
        super().__init__(height // 2, width // 2, channels_in, channels_out, relu)
        self.shape_in, self.shape_out = self._big, self._small
        self.weight_shape = (4, 4, channels_in, channels_out)
        self.bias_shape = (channels_out,)
        self.width = self._h * self._w * channels_out
        # How many inputs an output sees, and how many outputs an input reaches.
        self.fan_in, self.fan_out = 16 * channels_in, 4 * channels_out

    def forward(self, x: Array, weight: Array, bias: Array) -> Array:
        """x (E, B, height width channels_in) -> y (E, B, width), the layer's own array."""
        E, B = x.shape[:2]
        y, M = self._buffer("y", (E, B, self.width), x), _matrix(weight, transposed=False)
        big, small = x.reshape(E, B, *self._big), y.reshape(E, B, *self._small)

        def work(models: slice, images: slice, scratch: Buffers, _: int) -> None:
            out = small[models, images]
            self._down(self._blocks(big[models, images], scratch), M[models], out, scratch)
            self._finish(out, bias[models])

        self._run(big, work)
        return y

    def backward(self, dy: Array, x: Array, y: Array, weight: Array, dweight: Array, dbias: Array, need: bool) -> Any:
        """Write dweight and dbias; -> dx, the layer's own array, or None unless `need`.  dy is overwritten."""
        E, B = x.shape[:2]
        dx = self._buffer("dx", x.shape, x) if need else None
        big, M = x.reshape(E, B, *self._big), _matrix(weight, transposed=False)
        dsmall, small = dy.reshape(E, B, *self._small), y.reshape(E, B, *self._small)

        def work(models: slice, images: slice, scratch: Buffers, dM: Array, db: Array) -> None:
            gradient = dsmall[models, images]
            self._rectify(gradient, small[models, images])
            gradient.sum(axis=(1, 2, 3), out=db)
            spread = self._spread(gradient, scratch)
            multiply(transpose(self._blocks(big[models, images], scratch)), spread, out=dM)
            if dx is not None:
                self._up(spread, M[models], dx.reshape(E, B, *self._big)[models, images], scratch)

        self._gradients(big, dweight, dbias, work, lambda total: _kernel(total, weight.shape[1:], transposed=False))
        return dx


class TransposedConvolution(_Layer):
    """From (height, width, channels_in) to twice the height and width."""

    def __init__(self, height: int, width: int, channels_in: int, channels_out: int, relu: bool):
        super().__init__(height, width, channels_out, channels_in, relu)
        self.shape_in, self.shape_out = self._small, self._big
        self.weight_shape = (4, 4, channels_in, channels_out)
        self.bias_shape = (channels_out,)
        self.width = 4 * height * width * channels_out
        # Of the 16 places of its kernel an output sees 4, wherever it lies.
        self.fan_in, self.fan_out = 4 * channels_in, 16 * channels_out

    def forward(self, x: Array, weight: Array, bias: Array) -> Array:
        """x (E, B, height width channels_in) -> y (E, B, width), the layer's own array."""
        E, B = x.shape[:2]
        y, M = self._buffer("y", (E, B, self.width), x), _matrix(weight, transposed=True)
        small, big = x.reshape(E, B, *self._small), y.reshape(E, B, *self._big)

        def work(models: slice, images: slice, scratch: Buffers, _: int) -> None:
            out = big[models, images]
            self._up(self._spread(small[models, images], scratch), M[models], out, scratch)
            self._finish(out, bias[models])

        self._run(small, work)
        return y

    def backward(self, dy: Array, x: Array, y: Array, weight: Array, dweight: Array, dbias: Array, need: bool) -> Any:
        """Write dweight and dbias; -> dx, the layer's own array, or None unless `need`.  dy is overwritten."""
        E, B = x.shape[:2]
        dx = self._buffer("dx", x.shape, x) if need else None
        small, M = x.reshape(E, B, *self._small), _matrix(weight, transposed=True)
        dbig, big = dy.reshape(E, B, *self._big), y.reshape(E, B, *self._big)

        def work(models: slice, images: slice, scratch: Buffers, dM: Array, db: Array) -> None:
            gradient = dbig[models, images]
            self._rectify(gradient, big[models, images])
            gradient.sum(axis=(1, 2, 3), out=db)
            blocks = self._blocks(gradient, scratch)
            multiply(transpose(blocks), self._spread(small[models, images], scratch), out=dM)
            if dx is not None:
                self._down(blocks, M[models], dx.reshape(E, B, *self._small)[models, images], scratch)

        self._gradients(small, dweight, dbias, work, lambda total: _kernel(total, weight.shape[1:], transposed=True))
        return dx


def _check_even(height: int, width: int) -> None:
    if height % 2 or width % 2:
        raise InputError(f"images of {height} x {width}: a convolution with stride 2 needs an even height and width")


def _pairs(big: Array) -> Array:
    """Rows and columns as pairs of neighbours: a view (E, b, h, 2, w, 2, C) of (E, b, 2h, 2w, C)."""
    E, b, height, width, C = big.shape
    return big.reshape(E, b, height // 2, 2, width // 2, 2, C)


def _matrix(kernel: Array, *, transposed: bool) -> Array:
    """M (E, 4C, 4c) of K (E, 4, 4, in, out), where C is `out` if transposed."""
    E, _, _, inputs, outputs = kernel.shape
    parts = kernel.reshape(E, 2, 2, 2, 2, inputs, outputs)  # a, r, b, s, in, out
    order, C, c = ((0, 2, 4, 6, 1, 3, 5), outputs, inputs) if transposed else ((0, 2, 4, 5, 1, 3, 6), inputs, outputs)
    return namespace(kernel).ascontiguousarray(parts.transpose(order)).reshape(E, 4 * C, 4 * c)


def _kernel(M: Array, shape: tuple[int, ...], *, transposed: bool) -> Array:
    """K (E, 4, 4, in, out), the inverse of `_matrix`; shape = (4, 4, in, out)."""
    E, (_, _, inputs, outputs) = len(M), shape
    C, c, order = (outputs, inputs, (0, 4, 1, 5, 2, 6, 3)) if transposed else (inputs, outputs, (0, 4, 1, 5, 2, 3, 6))
    return M.reshape(E, 2, 2, C, 2, 2, c).transpose(order).reshape(E, *shape)
