"""What a 4 x 4 kernel with stride 2 and padding 1 does between two grids, as three matrix products.

Notation   big (E, b, 2h, 2w, C) and small (E, b, h, w, c): b images of each of E models, channels last; kernel
           K (E, 4, 4, C, c); outside of a grid everything is 0.
Main       Grids.
Reference  Dumoulin & Visin, arXiv:1603.07285 (2016), Sec. 4: a transposed convolution is the adjoint of one.

    down       small[i, j] = sum_pq big[2i - 1 + p, 2j - 1 + q] K[p, q]               a convolution
    up         big[2i - 1 + p, 2j - 1 + q] += K[p, q] small[i, j], for all i, j        its adjoint, transposed
    gradient   dK[p, q] = sum_ij big[2i - 1 + p, 2j - 1 + q] small[i, j]^T

With the big grid padded by one pixel and cut into (h + 1)(w + 1) blocks of 2 x 2 pixels, the window of (i, j) is the
four blocks (i + a, j + b), a and b in {0, 1}. So with p = 2a + r, q = 2b + s all three are products with one matrix or
for it, M[(r, s, C), (a, b, c)] = K[p, q] of 4C rows and 4c columns, and nothing is ever scattered:

    down       small[i, j] = sum_ab (blocks[i + a, j + b] M)[a, b]
    up         blocks = spread M^T         where spread[i, j, a, b] = small[i - a, j - b]
    gradient   dM = blocks^T spread

Where a block is thin, 4C < c (the first layer of an image in colours), the definition itself is cheaper, with windows
of 16C numbers: small = windows K and dK = windows^T small.
"""

from typing import NamedTuple

from gpu.products import multiply
from gpu.vae.layers import Buffers
from verify.arrays import Array, namespace, transpose
from verify.errors import InputError


class Matrices(NamedTuple):
    """A kernel as `down` and as `up` take it; the same array unless blocks are thin."""

    down: Array
    up: Array

    def of(self, models: slice) -> "Matrices":
        """Those of some models."""
        return Matrices(self.down[models], self.up[models])


class Grids:
    """The two grids; what lies between is written to the buffers that are handed in.  InputError for empty ones."""

    def __init__(self, h: int, w: int, C: int, c: int):
        if min(h, w, C, c) < 1:
            raise InputError(f"a convolution from {2 * h} x {2 * w} x {C} to {h} x {w} x {c}: all must be at least 1")
        self.h, self.w, self.C, self.c = h, w, C, c
        self.big, self.small = (2 * h, 2 * w, C), (h, w, c)
        self.thin = c > 4 * C
        self.multiplications = 16 * C * c * h * w
        # Numbers that an image becomes on the way, at most.
        self.largest = 4 * (h + 1) * (w + 1) * max(C, c)

    def matrices(self, kernel: Array) -> Matrices:
        """K (E, 4, 4, C, c), perhaps a transposed view, as matrices (E, 4C, 4c), or (E, 16C, c) to go down if thin."""
        E, contiguous = len(kernel), namespace(kernel).ascontiguousarray
        parts = kernel.reshape(E, 2, 2, 2, 2, self.C, self.c)  # a, r, b, s
        M = contiguous(parts.transpose(0, 2, 4, 5, 1, 3, 6)).reshape(E, 4 * self.C, 4 * self.c)
        return Matrices(contiguous(kernel).reshape(E, 16 * self.C, self.c) if self.thin else M, M)

    def kernel(self, gradient: Array) -> Array:
        """(E, 16 C c), what `gradient` wrote, as a kernel (E, 4, 4, C, c)."""
        E, C, c = len(gradient), self.C, self.c
        if self.thin:
            return gradient.reshape(E, 4, 4, C, c)
        return gradient.reshape(E, 2, 2, C, 2, 2, c).transpose(0, 4, 1, 5, 2, 3, 6).reshape(E, 4, 4, C, c)

    def of_big(self, big: Array, scratch: Buffers) -> Array:
        """What `down` and `gradient` take of the big grid: blocks (E, b (h+1)(w+1), 4C) or windows (E, b h w, 16C)."""
        return self._windows(big, scratch) if self.thin else self._blocks(big, scratch)

    def of_small(self, small: Array, scratch: Buffers) -> Array:
        """What `gradient` takes of the small grid: `spread`, or if thin the pixels (E, b h w, c)."""
        return small.reshape(len(small), -1, self.c) if self.thin else self.spread(small, scratch)

    def spread(self, small: Array, scratch: Buffers) -> Array:
        """Each pixel at the four blocks that it has to do with: -> (E, b (h+1)(w+1), 4c)."""
        h, w = self.h, self.w
        spread = scratch(f"spread {small.shape[1]}", (*small.shape[:2], h + 1, w + 1, 2, 2, self.c), small)
        for a in (0, 1):
            for b in (0, 1):
                spread[:, :, a : a + h, b : b + w, a, b] = small
        return spread.reshape(len(small), -1, 4 * self.c)

    def down(self, of_big: Array, matrices: Matrices, out: Array, scratch: Buffers) -> None:
        """out (E, b, h, w, c) <- the convolution."""
        h, w = self.h, self.w
        product = scratch(f"product {out.shape[1]}", (*of_big.shape[:2], matrices.down.shape[2]), out)
        multiply(of_big, matrices.down, out=product)
        if self.thin:
            out[...] = product.reshape(out.shape)
            return
        part = product.reshape(*out.shape[:2], h + 1, w + 1, 2, 2, self.c)
        namespace(out).add(part[:, :, :h, :w, 0, 0], part[:, :, :h, 1:, 0, 1], out=out)
        out += part[:, :, 1:, :w, 1, 0]
        out += part[:, :, 1:, 1:, 1, 1]

    def up(self, spread: Array, matrices: Matrices, out: Array, scratch: Buffers) -> None:
        """out (E, b, 2h, 2w, C) <- the transposed convolution."""
        h, w = self.h, self.w
        product = scratch(f"image {out.shape[1]}", (*spread.shape[:2], 4 * self.C), out)
        multiply(spread, transpose(matrices.up), out=product)
        blocks = product.reshape(*out.shape[:2], h + 1, w + 1, 2, 2, self.C)
        pixels = _pairs(out)
        for r in (0, 1):
            for s in (0, 1):
                pixels[:, :, :, 1 - r, :, 1 - s] = blocks[:, :, 1 - r : h + 1 - r, 1 - s : w + 1 - s, r, s]

    def gradient(self, of_big: Array, of_small: Array, out: Array) -> None:
        """out (E, 16 C c) <- the gradient, in the order that `kernel` knows."""
        multiply(transpose(of_big), of_small, out=out.reshape(len(out), of_big.shape[2], of_small.shape[2]))

    def _blocks(self, big: Array, scratch: Buffers) -> Array:
        h, w = self.h, self.w
        blocks = scratch(f"blocks {big.shape[1]}", (*big.shape[:2], h + 1, w + 1, 2, 2, self.C), big)
        pixels = _pairs(big)
        for r in (0, 1):
            for s in (0, 1):  # padded pixel (2i + r, 2j + s) is pixel (2i + r - 1, 2j + s - 1)
                blocks[:, :, 1 - r : h + 1 - r, 1 - s : w + 1 - s, r, s] = pixels[:, :, :, 1 - r, :, 1 - s]
        return blocks.reshape(len(big), -1, 4 * self.C)

    def _windows(self, big: Array, scratch: Buffers) -> Array:
        (E, b), h, w, C = big.shape[:2], self.h, self.w, self.C
        padded = scratch(f"padded {b}", (E, b, 2 * h + 2, 2 * w + 2, C), big)
        padded[:, :, 1:-1, 1:-1] = big
        windows = scratch(f"windows {b}", (E, b, h, w, 4, 4 * C), big)
        model, image, row, column, channel = padded.strides
        view = namespace(big).lib.stride_tricks.as_strided
        windows[...] = view(padded, windows.shape, (model, image, 2 * row, 2 * column, row, channel))
        return windows.reshape(E, -1, 16 * C)


def _pairs(big: Array) -> Array:
    """Rows and columns as pairs of neighbours: a view (E, b, h, 2, w, 2, C)."""
    E, b, height, width, C = big.shape
    return big.reshape(E, b, height // 2, 2, width // 2, 2, C)
