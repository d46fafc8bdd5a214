"""Near-degenerate landscapes: spectra, data sets that have such covariances, and stationary points with rational W.

Notation   lam (n,) descending fractions, sigma2 > 0 a fraction, S = diag(lam); W (n, k) of fractions.
           P = L - gap the profile ELBO; dP/dW = C^-1 S C^-1 W - W diag(M)^-1, and for L M^-1 in place of diag(M)^-1.
Main       spectrum_of, rows_of, point_of; Landscape, RationalPoint, Derivatives.
Reference  docs/mathematics.md, sections 3 and 4.

Why W can be rational: a column on u_a with lam_a = sigma2 + r^2 is r u_a; two coupled columns with lam = 4u^2, 4v^2 and
sigma2 = 2uv are (u, v) and (-u, v), for sqrt(m) = u + v, t = 2u(u + v), 2v(u + v), and t - sigma2 = 2u^2, 2v^2.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from benchmarks.soundness.exact import Symmetric

Numbers = tuple[Fraction, ...]


@dataclass(frozen=True)
class Landscape:
    """A bare spectrum, a noise, a number of latents."""

    family: str
    lam: Numbers
    sigma2: Fraction
    k: int

    def above(self, level: Fraction) -> int:
        """How many eigenvalues exceed the level."""
        return sum(x > level for x in self.lam)


def beside(rng: np.random.Generator, x: float, most: int = 1) -> float:
    """x, or one of the doubles beside it."""
    for _ in range(int(rng.integers(0, most + 1))):
        x = math.nextafter(x, float(rng.choice([0.0, math.inf])))
    return x


def _doubles(rng: np.random.Generator, n: int) -> list[float]:
    """Of order one, of twelve decades, or small whole numbers."""
    draw = rng.random()
    if draw < 0.5:
        return rng.uniform(0.1, 5, n).tolist()
    return (10.0 ** rng.uniform(-6, 6, n)).tolist() if draw < 0.75 else rng.integers(1, 6, n).astype(float).tolist()


def spectrum_of(rng: np.random.Generator) -> Landscape:
    """Ties, ties split by one ulp, and a noise at, beside or between eigenvalues."""
    n = int(rng.integers(2, 9))
    values = _doubles(rng, n)
    family = str(rng.choice(["ties", "split ties", "apart", "with zeros"]))
    for i in range(1, n):
        if family != "apart" and rng.random() < 0.5:
            values[i] = values[i - 1] if family == "ties" else beside(rng, values[i - 1], 2)
    if family == "with zeros":
        values[-1] = float(rng.choice([0.0, 5e-324, 1e-300]))
    noise = str(rng.choice(["at", "beside", "third", "mean", "anywhere"]))
    near = float(rng.choice([v for v in values if v > 1e-200]))
    exactly = {
        "at": Fraction(near),
        "beside": Fraction(math.nextafter(near, float(rng.choice([0.0, math.inf])))),
        # A fraction that is no double, nearer to the eigenvalue than any double.
        "third": Fraction(near) * (1 + Fraction(int(rng.choice([-1, 1])), 3 * 2**60)),
        "mean": sum(map(Fraction, values), Fraction(0)) / n,
        "anywhere": Fraction(float(rng.uniform(0.05, 6))),
    }[noise]
    lam = tuple(sorted(map(Fraction, values), reverse=True))
    return Landscape(f"noise {noise}", lam, exactly, int(rng.integers(1, n + 1)))


_HADAMARD = np.array([[1]])
for _ in range(3):
    _HADAMARD = np.block([[_HADAMARD, _HADAMARD], [_HADAMARD, -_HADAMARD]])


def rows_of(rng: np.random.Generator) -> tuple[str, np.ndarray, float]:
    """A data set (N, n) and its divisor: orthogonal rows, so that eigenvalues tie or nearly do, or rows of any kind."""
    family = str(rng.choice(["orthogonal rows", "whole numbers", "few rows", "constant columns", "reals", "binary"]))
    n = int(rng.choice([2, 4, 8]))
    if (
        family == "orthogonal rows"
    ):  # the rows +-a_j h_j: S has the eigenvalues a_j^2 n/n, nearly the same where a_j are
        base = int(rng.choice([1, 3, 2**12, 2**25]))
        a = base + rng.integers(0, 2, n)
        half = a[:, None] * _HADAMARD[:n, :n]
        rows = np.concatenate([half, -half]).astype(float)
    else:
        N = int(rng.integers(2, n + 1)) if family == "few rows" else int(rng.integers(n + 1, 6 * n))
        rows = rng.integers(0, 256, (N, n)).astype(float)
        if family == "binary":
            rows = np.floor(rows / 128)
        elif family == "reals":
            rows = rng.standard_normal((N, n)) * 10.0 ** rng.uniform(-4, 4, n)
        elif family == "constant columns":
            rows[:, 0] = 7
            rows[:, -1] = rows[:, n // 2]  # and one twice
    if (rows == rows[0]).all():
        rows[0] += 1  # of constant data there is nothing to certify
    return family, rows[rng.permutation(len(rows))], float(rng.choice([1.0, 1.0, 255.0, 3.0, 0.1]))


@dataclass(frozen=True)
class RationalPoint:
    """S = diag(lam), and a W of fractions at which the gradient is zero exactly."""

    family: str
    lam: Numbers
    sigma2: Fraction
    W: tuple[Numbers, ...]
    learned: bool = False  # whether the slope along sigma2 is zero as well

    @property
    def k(self) -> int:
        """The number of columns."""
        return len(self.W[0])


def _dyadic(rng: np.random.Generator, bits: int = 8) -> Fraction:
    return Fraction(int(rng.integers(1, 2**bits)), 2 ** int(rng.integers(bits - 4, bits)))


def point_of(rng: np.random.Generator) -> RationalPoint:
    """Columns on axes, one coupled pair or none, zero columns; eigenvalues nearly tied with each other or the noise."""
    n = int(rng.integers(2, 6))
    k = int(rng.integers(1, min(n, 3) + 1))
    coupled = k >= 2 and rng.random() < 0.5
    tiny = Fraction(1, 2 ** int(rng.choice([12, 26, 40])))
    sigma2, r = _dyadic(rng), [_dyadic(rng) for _ in range(k)]
    if coupled:
        u = _dyadic(rng)
        v = u * (1 + tiny) if rng.random() < 0.3 else _dyadic(rng)
        sigma2, r[:2] = 2 * u * v, []
        lam = [4 * u * u, 4 * v * v]
        columns = [[u, v], [-u, v]]
    else:
        lam, columns = [], []
    zero = 0
    for x in r:
        draw = rng.random()
        if draw < 0.25:
            zero += 1
            continue
        length = tiny if draw < 0.4 else x * (1 + tiny) if draw < 0.5 else x  # tiny: lam is just above the noise
        columns.append([Fraction(0)] * len(lam) + [length])
        lam.append(sigma2 + length * length)
    columns += [[]] * zero
    while len(lam) < n:  # discarded: tied with another or the noise, nearly so, zero, or apart
        near = [sigma2, *lam][int(rng.integers(0, len(lam) + 1))]
        lam.append([near, near * (1 + tiny), near * (1 - tiny), Fraction(0), _dyadic(rng)][int(rng.integers(0, 5))])
    held = sum(any(column) for column in columns)
    rest = sigma2 * (n - held) - sum(lam[held:-1], Fraction(0))
    learned = n > held and rest >= 0 and rng.random() < 0.5
    if learned:  # sigma2 is the mean of what is discarded
        lam[-1] = rest
    W = tuple(tuple(c[i] if i < len(c) else Fraction(0) for c in columns) for i in range(len(lam)))
    family = ("coupled" if coupled else "on axes") + (", learned" if learned else "")
    return _shuffled(rng, RationalPoint(family, tuple(lam), sigma2, W, learned))


def _shuffled(rng: np.random.Generator, point: RationalPoint) -> RationalPoint:
    """The same with lam descending, and the columns in any order and of any sign."""
    order = sorted(range(len(point.lam)), key=lambda i: -point.lam[i])
    columns, signs = rng.permutation(point.k), rng.choice([-1, 1], point.k)
    W = tuple(tuple(point.W[i][c] * int(signs[c]) for c in columns) for i in order)
    return RationalPoint(point.family, tuple(point.lam[i] for i in order), point.sigma2, W, point.learned)


def _matrix(rows: Sequence[Sequence[Fraction]]) -> Any:
    import flint

    return flint.fmpq_mat([[flint.fmpq(x.numerator, x.denominator) for x in row] for row in rows])


def _diagonal(numbers: Sequence[Any]) -> Any:
    import flint

    n = len(numbers)
    return flint.fmpq_mat([[numbers[i] if i == j else flint.fmpq(0) for j in range(n)] for i in range(n)])


class Derivatives:
    """Gradient and Hessian of L ("ppca") or of the profile ELBO ("elbo") at a W of fractions, exactly.

    Where the noise is learned, sigma2 is one more coordinate, the last.
    """

    def __init__(
        self, objective: str, lam: Numbers, sigma2: Fraction, W: Sequence[Sequence[Fraction]], learned: bool = False
    ) -> None:
        import flint

        self.elbo, self.learned, self.n, self.k = objective == "elbo", learned, len(W), len(W[0])
        noise = flint.fmpq(sigma2.numerator, sigma2.denominator)
        self.S, self.W = _diagonal([flint.fmpq(x.numerator, x.denominator) for x in lam]), _matrix(W)
        self.inverse = (self.W * self.W.transpose() + _diagonal([noise] * self.n)).inv()
        self.M = self.W.transpose() * self.W + _diagonal([noise] * self.k)

    def _weight(self) -> Any:
        return _diagonal([1 / self.M[i, i] for i in range(self.k)]) if self.elbo else self.M.inv()

    def gradient(self) -> list[Any]:
        """C^-1 S C^-1 W - W diag(M)^-1, or - W M^-1, row by row; and tr(C^-1 S C^-1 - C^-1)/2 less that of the gap."""
        found = self.inverse * self.S * self.inverse * self.W - self.W * self._weight()
        slope = _trace(self.inverse * self.S * self.inverse - self.inverse) - _trace(self._weight() - self.M.inv())
        return [*found.entries(), *[slope / 2] * self.learned]

    def along(self, E: Any, noise: int = 0) -> list[Any]:
        """The derivative of the gradient in the direction (E, noise), E (n, k)."""
        C, S, W, weight, B = self.inverse, self.S, self.W, self._weight(), self.M.inv()
        dC = -(C * (E * W.transpose() + W * E.transpose() + _diagonal([noise] * self.n)) * C)
        dM = E.transpose() * W + W.transpose() * E + _diagonal([noise] * self.k)
        change = _diagonal([dM[i, i] for i in range(self.k)]) if self.elbo else dM
        dR, dweight = dC * S * C + C * S * dC, -(weight * change * weight)
        found = dR * W + C * S * C * E - E * weight - W * dweight
        slope = _trace(dR - dC) - _trace(dweight + B * dM * B)
        return [*found.entries(), *[slope / 2] * self.learned]

    def hessian(self) -> Symmetric:
        """The Hessian (N, N), W row by row."""
        import flint

        size, zero = self.n * self.k, flint.fmpq_mat(self.n, self.k)
        units = [flint.fmpq_mat(self.n, self.k, [flint.fmpq(int(i == j)) for j in range(size)]) for i in range(size)]
        rows = [self.along(E) for E in units] + [self.along(zero, 1)] * self.learned
        common = math.lcm(*(int(x.q) for row in rows for x in row))
        whole = [[int(x.p) * (common // int(x.q)) for x in row] for row in rows]
        return Symmetric(whole, Fraction(1, common))


def _trace(A: Any) -> Any:
    return sum((A[i, i] for i in range(1, A.nrows())), A[0, 0])
