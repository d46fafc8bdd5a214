"""Random symmetric matrices with eigenvalues within about 1e-14 of zero, relative to their norm: families of doubles.

Notation   A (n, n) exactly symmetric doubles; m = n - 1 or n - 2 the rank of what is singular.
Main       FAMILIES, drawn.
"""

from collections.abc import Callable

import numpy as np

Matrix = np.ndarray
Family = Callable[[np.random.Generator, int], Matrix]


def _symmetric(A: Matrix) -> Matrix:
    return np.tril(A) + np.tril(A, -1).T


def _orthogonal(rng: np.random.Generator, n: int) -> Matrix:
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


def _near_zero(rng: np.random.Generator, n: int) -> Matrix:
    """Numbers of both signs (or one) within 1e-14 of zero, some exactly zero."""
    sizes = 10.0 ** rng.uniform(-18, -14, n) * rng.choice([1, -1], n, p=[0.75, 0.25])
    return np.where(rng.random(n) < 0.1, 0.0, sizes)


def rounded(rng: np.random.Generator, n: int) -> Matrix:
    """U diag U^T, rounded: some eigenvalues of order one, the others within 1e-14 of zero."""
    U, few = _orthogonal(rng, n), int(rng.integers(1, max(2, n // 2)))
    values = np.concatenate([_near_zero(rng, few), rng.uniform(0.1, 1, n - few)])
    return _symmetric((U * values) @ U.T)


def indefinite(rng: np.random.Generator, n: int) -> Matrix:
    """The same with large eigenvalues of both signs."""
    U, few = _orthogonal(rng, n), int(rng.integers(1, max(2, n // 2)))
    values = np.concatenate([_near_zero(rng, few), rng.uniform(0.1, 1, n - few) * rng.choice([1, -1], n - few)])
    return _symmetric((U * values) @ U.T)


def singular(rng: np.random.Generator, n: int) -> Matrix:
    """G diag(d) G^T of whole numbers, without a rounding, so exactly singular."""
    m = max(n - int(rng.integers(1, 3)), 0)
    G = rng.integers(-(10 ** int(rng.integers(1, 5))), 10 ** int(rng.integers(1, 5)) + 1, (n, m))
    signs = np.ones(m, int) if rng.random() < 0.7 else rng.choice([1, -1], m)
    return ((G * signs) @ G.T).astype(float)


def one_ulp(rng: np.random.Generator, n: int) -> Matrix:
    """An exactly singular one in which one entry is the next double, up or down."""
    A = singular(rng, n)
    i, j = rng.integers(n, size=2)
    A[i, j] = A[j, i] = np.nextafter(A[i, j], rng.choice([-np.inf, np.inf]))
    return A


def hilbert(rng: np.random.Generator, n: int) -> Matrix:
    """1/(i + j + s), rounded, scaled to a diagonal of ones or not, mostly less its least eigenvalue."""
    i = np.arange(n)
    A = 1 / (i[:, None] + i + float(rng.integers(1, 4)) + float(rng.choice([0.0, 0.5])))
    A = _symmetric(A / np.sqrt(np.outer(A.diagonal(), A.diagonal()))) if rng.random() < 0.5 else A
    return A - (float(np.linalg.eigvalsh(A)[0]) if rng.random() < 0.7 else 0.0) * np.eye(n)


def graded(rng: np.random.Generator, n: int) -> Matrix:
    """D B D with D over up to sixteen decades, B nearly singular or not."""
    B = rounded(rng, n) if rng.random() < 0.5 else np.eye(n) + 0.1 * _symmetric(rng.standard_normal((n, n)))
    D = 10.0 ** -np.linspace(0, rng.uniform(4, 16), n)
    return _symmetric(B * np.outer(D, D))


def arrow(rng: np.random.Generator, n: int) -> Matrix:
    """A diagonal and one row, its corner such that the Schur complement is about zero."""
    d, v = rng.uniform(0.1, 1, n - 1), rng.uniform(-1, 1, n - 1)
    A = np.zeros((n, n))
    A[1:, 1:], A[0, 1:], A[1:, 0] = np.diag(d), v, v
    A[0, 0] = (v * v / d).sum() * (1 + 1e-15 * float(rng.integers(-8, 9)))
    return A


def wilkinson(rng: np.random.Generator, n: int) -> Matrix:
    """W_n^+ less one of its eigenvalues, which come in pairs that agree in all digits."""
    A = np.diag(np.abs(np.arange(n) - (n - 1) / 2)) + np.diag(np.ones(n - 1), 1) + np.diag(np.ones(n - 1), -1)
    return A - float(rng.choice(np.linalg.eigvalsh(A))) * np.eye(n)


def clustered(rng: np.random.Generator, n: int) -> Matrix:
    """c I + tiny, less c or a number beside it: all eigenvalues agree in 14 digits or more, but the largest."""
    U = _orthogonal(rng, n)
    A = _symmetric((U * (1 + _near_zero(rng, n))) @ U.T)
    A[0, 0] += 1.0
    return A - (1 + float(rng.choice([0, 1, -1])) * 2.0**-52) * np.eye(n)


def shifted(rng: np.random.Generator, n: int) -> Matrix:
    """A random one less its least eigenvalue as computed, or a double beside it."""
    A = _symmetric(rng.standard_normal((n, n)))
    least = float(np.linalg.eigvalsh(A)[0]) + float(rng.integers(-4, 5)) * 2.0**-52
    return A - least * np.eye(n)


def gram(rng: np.random.Generator, n: int) -> Matrix:
    """X X^T of doubles, of a rank that rounding hides."""
    m = max(n - int(rng.integers(1, 3)), 1)
    X = rng.standard_normal((n, m)) * 10.0 ** rng.uniform(-3, 0, (1, m))
    return _symmetric(X @ X.T)


def laplacian(rng: np.random.Generator, n: int) -> Matrix:
    """Of a graph with doubles as weights: singular but for the rounding of its diagonal."""
    A = -np.abs(_symmetric(np.where(rng.random((n, n)) < 0.6, rng.random((n, n)), 0.0)))
    np.fill_diagonal(A, 0.0)
    np.fill_diagonal(A, -A.sum(1))
    return A


def diagonal(rng: np.random.Generator, n: int) -> Matrix:
    """Zeros, zeros with a sign, the least subnormal, the least normal, ones, and few entries beside the diagonal."""
    A = np.diag(rng.choice([0.0, -0.0, 5e-324, -5e-324, 2.3e-308, 1e-16, -1e-16, 1.0, 2.0**-52], n))
    if n > 1 and rng.random() < 0.5:
        A[0, 1] = A[1, 0] = float(rng.choice([5e-324, 1e-20, 2.0**-26, 1.0]))
    return A


def repeated(rng: np.random.Generator, n: int) -> Matrix:
    """Twice the same block, turned by an orthogonal matrix: eigenvalues in pairs, one pair about zero."""
    half = max(n // 2, 1)
    values = np.repeat(np.concatenate([_near_zero(rng, 1), rng.uniform(0.1, 1, half - 1)]), 2)[:n]
    values = np.concatenate([values, rng.uniform(0.1, 1, n - len(values))])
    U = _orthogonal(rng, n)
    return _symmetric((U * values) @ U.T)


FAMILIES: dict[str, Family] = {
    family.__name__: family
    for family in (
        rounded, indefinite, singular, one_ulp, hilbert, graded, arrow, wilkinson, clustered, shifted, gram, laplacian,
        diagonal, repeated,
    )
}  # fmt: skip


def size(rng: np.random.Generator) -> int:
    """2 to 12 mostly, some to 40."""
    return int(rng.integers(13, 41)) if rng.random() < 0.04 else int(rng.integers(2, 13))


def drawn(rng: np.random.Generator) -> tuple[str, Matrix]:
    """A family and a matrix of it; one in three scaled to 1e-150..1e150, one in twenty down to subnormal numbers."""
    name = str(rng.choice(list(FAMILIES)))
    A = FAMILIES[name](rng, size(rng))
    draw = rng.random()
    if draw < 1 / 3:
        return name, A * float(10.0 ** rng.uniform(-150, 150)) if rng.random() < 0.5 else np.ldexp(
            A, rng.integers(-498, 499)
        )
    if draw < 1 / 3 + 1 / 20:
        return name + ", subnormal", np.ldexp(A, int(rng.integers(-1074, -1015)))
    return name, A
