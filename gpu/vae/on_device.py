"""What runs between two matrix products on a device: the kernels of kernels/vae.cuh, called.

Notation   E models, B data of a batch; arrays (E, B, d) contiguous, those named views with neighbours in a row.
Main       add_bias, bias_gradient, gather, reparameterise, reparameterise_gradient, likelihood, weigh, account, adam,
           normals.

The functions of the same names in elementwise.py, loss.py, account.py, adam.py and noise.py come here with arrays of a
device, and say what is computed.  Numbers of a model (E,) stay on the device as float64: nothing here waits for it.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gpu.kernels import kernel
from verify.arrays import Array, namespace
from verify.errors import InputError

THREADS = 256
# Numbers a thread, as in kernels/vae.cuh; columns of a strip there.
EACH, MORE, STRIP = 4, 8, 128
# Rows that one block adds up, for a strip of columns; where there are more, a second launch adds up the parts.
ROWS = 256
# Names of files; the name that NumPy has for a dtype takes it a microsecond.
FILES = {np.dtype(name): f"vae_{name}" for name in ("float32", "float64")}


def add_bias(y: Array, bias: Array, relu: bool) -> None:
    """y (E, B, d) <- y + bias and max(., 0) of it; bias (E, d), a view."""
    E, B, d = y.shape
    _plain(y, (E, B, d), y.dtype)
    _view(bias, (E, d), y.dtype)
    args = (y, bias, _stride(bias), np.int32(B * d), np.int32(d))
    _over_tiles(y, "add_bias", E, B * d, args, (np.int32(relu),), MORE)


def bias_gradient(dy: Array, y: Array | None, out: Array) -> None:
    """out (E, d), a view <- the sums of dy (E, B, d), a view, where y > 0."""
    E, B, d = dy.shape
    _view(dy, (E, B, d), dy.dtype)
    _view(out, (E, d), dy.dtype)
    if y is not None:
        _plain(y, (E, B, d), dy.dtype)
    chunks = max(1, -(-B // ROWS))
    parts = out if chunks == 1 else namespace(dy).empty((E, chunks, d), dtype=dy.dtype)
    _sum_rows(dy, y, parts, chunks)
    if chunks > 1:
        bias_gradient(parts, None, out)


def _sum_rows(dy: Array, y: Array | None, out: Array, chunks: int) -> None:
    E, B, d = dy.shape
    blocks = E * chunks * (-(-d // STRIP))
    if blocks:
        sizes = (_stride(out), np.int32(B), np.int32(d), np.int32(ROWS), np.int32(chunks))
        _launch(dy, "bias_gradient", blocks, (dy, _stride(dy), _stride(dy, 1), y, out, *sizes), EACH)


def gather(X: Array, rows: Array, out: Array) -> Array:
    """out (E, B, n) <- the rows (E, B), a view, of X (N, n) -> out."""
    E, B, n = out.shape
    _plain(out, (E, B, n), X.dtype)
    _plain(X, (len(X), n), X.dtype)
    _view(rows, (E, B), np.int32)
    if not len(X) and B:
        raise InputError("no data to take a batch from; give at least one row")
    args = (X, np.int32(len(X)), rows, _stride(rows), out, np.int32(B * n), np.int32(n))
    _over_tiles(X, "gather", E, B * n, args, each=MORE)
    return out


def reparameterise(mean: Array, log_variance: Array, noise: Array | None, z: Array, deviation: Array) -> Array:
    """z and deviation (E, B, k), written; -> the sums of the KL (E,).  mean, log_variance views."""
    E, B, k = mean.shape
    for a in (mean, log_variance):
        _view(a, (E, B, k), z.dtype)
    for a in (z, deviation) if noise is None else (z, deviation, noise):
        _plain(a, (E, B, k), z.dtype)
    args = (*_strided(mean), *_strided(log_variance), noise, z, deviation)
    return _sums(z, "reparameterise", E, B * k, args, (np.int32(B * k), np.int32(k)))


def reparameterise_gradient(
    dz: Array, mean: Array, deviation: Array, noise: Array | None, scale: Array, dmean: Array, dlog_variance: Array
) -> None:
    """dmean, dlog_variance (E, B, k), views, written.  mean a view; scale (E,)."""
    E, B, k = dz.shape
    for a in (mean, dmean, dlog_variance):
        _view(a, (E, B, k), dz.dtype)
    for a in (dz, deviation) if noise is None else (dz, deviation, noise):
        _plain(a, (E, B, k), dz.dtype)
    args = (dz, *_strided(mean), deviation, noise, _of_models(scale, E), *_strided(dmean), *_strided(dlog_variance))
    _over_tiles(dz, "reparameterise_gradient", E, B * k, (*args, np.int32(B * k), np.int32(k)))


def likelihood(y: Array, x: Array, weight: Array) -> Array:
    """y <- weight (y - x); -> the sums of (y - x)^2, (E,).  y, x (E, B, n); weight (E,)."""
    E, B, n = y.shape
    for a in (y, x):
        _plain(a, (E, B, n), y.dtype)
    return _sums(y, "likelihood", E, B * n, (y, x, _of_models(weight, E)), (np.int32(B * n),))


def weigh(
    log_sigma2: Array, beta: Array, anneal: Array | None, done: float, B: int, out: tuple[Array, Array, Array]
) -> None:
    """out (E,) <- sigma2 and the weights of error and KL.  log_sigma2 (E,), a view; beta, anneal (E,)."""
    E, column = len(log_sigma2), log_sigma2[:, None]
    _view(column, (E, 1), log_sigma2.dtype)
    for a in out:
        _plain(a, (E,), np.float64)
    rising = None if anneal is None else _of_models(anneal, E)
    args = (column, _stride(column), _of_models(beta, E), rising, np.float64(done), np.float64(B), *out, np.int32(E))
    _over_models(column, "weigh", E, args)


def account(
    sums: tuple[Array, Array], spread: Array | None, sigma2: Array, learned: Array, n: int, B: int, dlog_sigma2: Array,
    ledger: tuple[Array, Array, Array] | None, step: int,
) -> tuple[Array, Array]:  # fmt: skip
    """-> error and KL (E,); dlog_sigma2 (E,), a view, and the ledger (E,), (E, 3), (E,) written."""
    E, column = len(dlog_sigma2), dlog_sigma2[:, None]
    _view(column, (E, 1), dlog_sigma2.dtype)
    for a in (*sums, sigma2):
        _plain(a, (E,), np.float64)
    _plain(learned, (E,), np.bool_)
    for a, shape, dtype in zip(ledger or (), ((E,), (E, 3), (E,)), (np.int64, np.float64, np.bool_), strict=False):
        _plain(a, shape, dtype)
    spread = None if spread is None else _of_models(spread, E)
    empty = namespace(column).empty
    found = empty(E), empty(E)
    args = (*sums, spread, sigma2, learned, np.float64(n), np.float64(B), np.int64(step), *found)
    kept = ledger or (None, None, None)
    _over_models(column, "account", E, (*args, column, _stride(column), *kept, np.int32(E)))
    return found


def adam(
    p: Array, g: Array, m: Array, v: Array, rates: Array, alive: Array, factor: float, epsilon: float,
    betas: tuple[float, float],
) -> None:  # fmt: skip
    """p, m, v (E, P) one step on; rates (E,), alive (E,) bool."""
    E, P = p.shape
    for a in (p, g, m, v):
        _plain(a, (E, P), p.dtype)
    _plain(alive, (E,), np.bool_)
    numbers = tuple(np.float64(f) for f in (factor, *betas, epsilon))
    _over_tiles(p, "adam", E, P, (p, g, m, v, _of_models(rates, E), alive, *numbers, np.int32(P)))


def normals(seeds: Sequence[int], purpose: int, step: int, out: Array) -> Array:
    """Standard normal numbers from the streams of philox.py, out (E, ...) -> out."""
    E = len(seeds)
    _plain(out, (E, *out.shape[1:]), out.dtype)
    size = out.size // E if E else 0
    keys = _seeds(namespace(out), tuple(seeds))
    _over_tiles(out, "normals", E, size, (keys, np.uint32(purpose), np.uint64(step), out, np.int32(size)))
    return out


@lru_cache(maxsize=64)
def _seeds(xp: Any, seeds: tuple[int, ...]) -> Array:
    """The seeds on the device, brought there once: a transfer in every step would be waited for."""
    return xp.asarray(np.array(seeds, dtype=np.uint64))


def _plain(a: Array, shape: tuple[int, ...], dtype: Any) -> None:
    """Refuse what a kernel would misread."""
    if tuple(a.shape) != shape or a.dtype != dtype or not a.flags.c_contiguous:
        raise InputError(f"an array {tuple(a.shape)} of {a.dtype}: give a contiguous one, {shape} of {np.dtype(dtype)}")


def _view(a: Array, shape: tuple[int, ...], dtype: Any) -> None:
    neighbours = a.size <= 1 or a.shape[-1] == 1 or a.strides[-1] == a.dtype.itemsize
    if tuple(a.shape) != shape or a.dtype != dtype or not neighbours:
        raise InputError(
            f"an array {tuple(a.shape)} of {a.dtype}: give rows of neighbours, {shape} of {np.dtype(dtype)}"
        )


def _stride(a: Array, axis: int = 0) -> Any:
    return np.int64(a.strides[axis] // a.dtype.itemsize)


def _strided(a: Array) -> tuple[Array, Any, Any]:
    return a, _stride(a), _stride(a, 1)


def _of_models(a: Array, E: int) -> Array:
    """One number a model as the kernels take it; what lies on the host already is refused by the library."""
    if a.dtype == np.float64 and a.shape == (E,) and (E <= 1 or a.strides == (8,)):
        return a
    xp = namespace(a)
    return xp.ascontiguousarray(xp.broadcast_to(a.astype("float64", copy=False), (E,)))


def _tiles(size: int, each: int = EACH) -> int:
    if size >= 2**31:
        raise InputError(f"{size} numbers a model in one array: choose a smaller batch")
    return -(-size // (each * THREADS))


def _over_models(like: Array, name: str, E: int, args: tuple[Any, ...]) -> None:
    """A kernel with a thread for each model."""
    if E:
        _launch(like, name, -(-E // THREADS), args)


def _over_tiles(
    like: Array, name: str, E: int, size: int, args: tuple[Any, ...], after: tuple[Any, ...] = (), each: int = EACH
) -> None:
    """A kernel whose blocks take tiles of the models' arrays; their number comes behind `args`."""
    tiles = _tiles(size, each)
    if E * tiles:
        _launch(like, name, E * tiles, (*args, np.int32(tiles), *after))


def _sums(like: Array, name: str, E: int, size: int, args: tuple[Any, ...], sizes: tuple[Any, ...]) -> Array:
    """The same where each tile has a sum; -> the sums of the models, (E,) float64."""
    xp, tiles = namespace(like), _tiles(size)
    if not E * tiles:
        return xp.zeros(E)
    parts = xp.empty((E, tiles))
    _over_tiles(like, name, E, size, (*args, parts, *sizes))
    if tiles == 1:
        return parts.reshape(E)
    out = xp.empty(E)
    _launch(like, "add_up", E, (parts, out, np.int32(tiles)))
    return out


def _launch(like: Array, name: str, blocks: int, args: tuple[Any, ...], doubles: int = 1) -> None:
    """So many blocks, with so many doubles of shared memory a thread."""
    if (file := FILES.get(like.dtype)) is None:
        raise InputError(f"arrays of {like.dtype}: the deep VAE takes {' or '.join(map(str, FILES))}")
    kernel(file, name, namespace(like))((blocks,), (THREADS,), args, shared_mem=8 * doubles * THREADS)
