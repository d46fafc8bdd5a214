"""How far eigenvalues are from those of the population that the rows were drawn from.

Notation   x (n,) rows, N of them; lam_j, u_j eigenvalues and eigenvectors of their covariance S, divided by N.
Main       standard_errors, marchenko_pastur_edge, beyond_noise, permuted_edges, suggested_latents.
Reference  theory section 8; [A63] Anderson, Ann. Math. Statist. 34 (1963); [MP67] Marchenko & Pastur, Math. USSR
           Sbornik 1 (1967); [M00] Minka, NeurIPS 2000: the dimension of probabilistic PCA by Laplace's method; [BE92]
           Buja & Eyuboglu, Multivariate Behavioral Research 27 (1992): Horn's parallel analysis by permutations.
"""

import math
from collections.abc import Iterable

import numpy as np

from verify.arrays import Array
from verify.errors import InputError

# The standard deviation of a squared normal variable is estimated to 1.3 % from so many rows, and the rest is not read.
ROWS = 20000


def standard_errors(blocks: Iterable[Array], N: int, mean: Array, U: Array, lam: Array | None = None) -> Array:
    """se_j = sd_x[(u_j^T (x - mean))^2] / sqrt(N), to first order and for simple eigenvalues.  U (n, m) -> (m,).

    For Gaussian rows that is lam_j sqrt(2/N) [A63]; heavy tails make it larger. Of more than 20000 rows as many, drawn
    with a fixed seed, estimate the deviation: to 1.3 % for Gaussian rows.

    lam (m,): of rows that were standardized, other ones by their own means and deviations. S is then a correlation
    matrix, and the deviation that of (u_j^T x)^2 - lam_j sum_i u_ij^2 x_i^2: with the columns' variances held at 1 an
    eigenvalue has less room.
    """
    chosen = None
    if N > ROWS:
        chosen = np.zeros(N, dtype=bool)
        chosen[np.random.default_rng(0).choice(N, ROWS, replace=False)] = True
    parts, held = [], []
    start = 0
    for X in blocks:
        rows = X if chosen is None else X[chosen[start : start + len(X)]]
        apart = np.subtract(rows, mean, dtype=np.float64)
        parts.append(apart @ U)
        if lam is not None:
            held.append(apart**2 @ (lam * U**2))
        start += len(X)
    projected = np.concatenate(parts)
    # What rounding left of the mean: beside a small spread, half a unit in the last place of a large one is much.
    projected -= projected.mean(axis=0)
    if lam is not None:
        return np.asarray((projected**2 - np.concatenate(held)).std(axis=0) / math.sqrt(N))
    # Fourth powers of entries near 1e150 would overflow.
    exponent = np.frexp(np.abs(projected).max(axis=0))[1]
    spread = (np.ldexp(projected, -exponent) ** 2).std(axis=0)
    return np.asarray(np.ldexp(spread / math.sqrt(N), 2 * exponent))


def simple(lam: Array) -> Array:
    """Which of the descending lam (n,) are positive and differ from their neighbours."""
    steps = np.r_[True, lam[1:] != lam[:-1], True]
    return np.asarray((lam > 0) & steps[1:] & steps[:-1])


def marchenko_pastur_edge(s: float, n: int, N: int) -> float:
    """s (1 + sqrt(n/N))^2: up to here the eigenvalues of N rows of n-dimensional noise of variance s reach [MP67]."""
    return float(s * (1 + math.sqrt(n / N)) ** 2)


def beyond_noise(lam: Array, N: int, k: int) -> tuple[int, float, float]:
    """How many of lam_1 ... lam_k stand out of what noise would show if all that is left, they included, were noise.

    The maximum-likelihood noise cannot judge that: of noise alone the k largest directions are taken out of it, and
    what is left is too small. -> beyond, and the noise and the edge that lam_j, j = min(beyond + 1, k), was held
    against.  lam (n,) descending, 1 <= k <= n.
    """
    n = len(lam)
    left = np.cumsum(lam[::-1])[::-1] / np.arange(n, 0, -1)
    edges = [marchenko_pastur_edge(float(left[j]), n - j, N) for j in range(k)]
    beyond = next((j for j in range(k) if lam[j] <= edges[j]), k)
    last = min(beyond, k - 1)
    return beyond, float(left[last]), edges[last]


def permuted_edges(X: Array, *, draws: int = 19, seed: int = 0) -> Array:
    """The largest j-th eigenvalue, j = 1..n, over `draws` data sets in which each column of X was shuffled by itself.

    X (N, n) rows, not all of them equal -> (n,) descending.  If the columns are independent, and the rows too, of one
    law, X and the shuffled ones are equally likely, and lam_1 exceeds its edge with probability at most 1/(draws + 1),
    whatever the laws of the columns: columns of different variance and heavy tails, which pass the Marchenko-Pastur
    edge, do not pass this one.
    Raises InputError.

    Rows that depend on one another, as in a time series, pass it though their columns are independent. Two things that
    it does not see: after a strong direction, which stays in the columns' variances, the edges of the next ones are too
    high; and rows that are far out as a whole make columns depend on one another without any direction being
    preferred.  It takes draws n^2 max(n, N) steps.
    """
    if X.ndim != 2 or len(X) < 2 or not X.size or draws < 1:
        raise InputError(f"shape {X.shape}, {draws} draws: at least two rows, one column and one draw are needed")
    rng = np.random.default_rng(seed)
    # Shuffling changes no mean and no variance.
    apart = np.asarray(X, dtype=np.float64) - X.mean(axis=0, dtype=np.float64)
    largest = np.zeros(X.shape[1])
    for _ in range(draws):
        shuffled = rng.permuted(apart, axis=0)
        found = np.linalg.svd(shuffled, compute_uv=False) ** 2 / len(X)
        largest[: len(found)] = np.maximum(largest[: len(found)], found)
    return largest


def suggested_latents(eigenvalues: Array, N: int) -> int | None:
    """The number of latents with the largest evidence by Laplace's method [M00, Eq. 30].

    eigenvalues (n,) of S, N rows; the answer lies in 1..n-1. It is the estimator of scikit-learn's
    PCA(n_components="mle"), computed by sums along the spectrum in n^2 steps instead of n^3, and without its least
    variance of 1e-15.  None where it does not apply: N <= n, n = 1, or eigenvalues that are 0 or equal, where the
    evidence is infinite.
    """
    lam = np.asarray(eigenvalues, dtype=np.float64)
    if len(lam) >= N or len(lam) < 2 or not lam[-1] > 0 or np.any(lam[:-1] == lam[1:]):
        return None
    return int(np.argmax(_log_evidence(lam / lam[0], N))) + 1


def _log_evidence(lam: Array, N: int) -> Array:
    """Up to a constant, log p(data | q) for q = 1..n-1 [M00, Eq. 30].  Descending lam (n,) -> (n-1,)."""
    n = len(lam)
    q = np.arange(1, n)
    # The noise, the mean of the rest: summed from its end, for less the rest a sum of all has no digits left.
    v = np.cumsum(lam[::-1])[-2::-1] / (n - q)
    half = (n - q + 1) / 2
    volume = np.cumsum([math.lgamma(h) for h in half]) - np.cumsum(half) * math.log(math.pi) - q * math.log(2)
    likelihood = -N / 2 * (np.cumsum(np.log(lam))[:-1] + (n - q) * np.log(v))
    free = n * q - q * (q + 1) / 2
    # log det of the Hessian: sum over i < q and j > i of log[(lam_i - lam_j) (1/l_j - 1/l_i) N], l_j = v for j >= q.
    # v exceeds none of lam_i, i < q, and equals one only if all from there on are equal.
    inverse = 1 / lam
    with np.errstate(divide="ignore"):
        gaps = [np.log(lam[i] - lam[i + 1 :]).sum() for i in range(n - 1)]
        within = [np.log(inverse[i] - inverse[:i]).sum() for i in range(n - 1)]
        to_noise = (n - q) * np.array([np.log(1 / v[i - 1] - inverse[:i]).sum() for i in q])
    hessian = np.cumsum(gaps) + np.cumsum(within) + to_noise + free * math.log(N)
    return np.asarray(volume + likelihood + (free + q) / 2 * math.log(2 * math.pi) - hessian / 2 - q / 2 * math.log(N))
