"""What the commands call certified: thresholds, how many latents are retained, and what each stationary point is.

Notation   lam (n,) descending, exact: of a bare spectrum decimals, of rows the eigenvalues of their covariance in whole
           numbers. W, sigma2 of a point as fractions of so many digits; H its Hessian there, exactly.
Main       questions; signs, of a point.

A point is built again here to 120 digits from the blocks that the document names, its gradient and its Hessian from
W alone (spectra.py). An eigenvalue of H counts as zero below 10^-60 of the largest entry; nothing may lie between
that and 10^-40, or the truth is not known.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import mpmath
import numpy as np

from benchmarks.soundness import exact, spectra
from benchmarks.soundness.asked import Question, Truth
from benchmarks.soundness.counted import value_of, within
from benchmarks.soundness.exact import Symmetric
from verify.analysis.stability import stability
from verify.analysis.stationary import stationary
from verify.certify.checker.outcome import Outcome, proved, undecided
from verify.certify.decided.enclosed import OtherData
from verify.data.covariance import Covariance
from verify.data.sources import load
from verify.eigenvalues import decimal
from verify.errors import InputError
from verify.landscape.points import Block, Point, constant_diagonal_rotation

Document = dict[str, Any]
_DIGITS = 120
_ZERO, _CLEAR = Fraction(1, 10**60), Fraction(1, 10**40)
_MOST = 12  # points of a document


def questions(rng: np.random.Generator) -> Iterator[Question]:
    """One data set or spectrum: a table of noises and a list of points."""
    if rng.random() < 0.5:
        family, rows, divisor = spectra.rows_of(rng)
        covariance, S = load(rows, scale=divisor), exact.of_rows(rows, divisor)
        yield from _tables(f"rows, {family}", covariance, S, rng)
        return
    landscape = spectra.spectrum_of(rng)
    numbers = sorted({repr(float(x)) for x in landscape.lam}, key=float, reverse=True)
    words = [numbers[int(i)] for i in rng.integers(0, len(numbers), int(rng.integers(2, 6)))]
    lam = tuple(sorted(map(Fraction, words), reverse=True))
    try:
        covariance = load("eigenvalues:" + ",".join(words))
    except InputError:  # of numbers too small to be worked with
        return
    yield from _tables("spectrum", covariance, exact.of_spectrum(lam), rng)
    yield from _listed(landscape.family, covariance, lam, float(landscape.sigma2), rng)


def _asked(certified: bool, why: str | None) -> Outcome:
    return proved("certified") if certified else undecided(str(why))


def _tables(family: str, covariance: Covariance, S: Symmetric, rng: np.random.Generator) -> Iterator[Question]:
    """`stability --certify` at noises on and beside eigenvalues."""
    near = float(rng.choice(covariance.eigenvalues))
    noises = [x for x in (near, float(np.nextafter(near, np.inf)), float(np.nextafter(near, 0)), 0.5) if x > 0]
    beta = float(rng.choice([1.0, 1.0, 4.0, 0.1]))
    try:
        document = stability(covariance, int(rng.integers(1, S.n + 1)), noises, beta=beta, certify=True)
    except OtherData:  # nobody changes them here
        raise
    except InputError:
        return
    told = {"S": [[str(S.unit * x) for x in row] for row in S.whole], "k": document["k"], "beta": beta}

    def asked(name: str, truth: Truth, outcome: Outcome, entry: Document) -> Question:
        return Question(family, f"stability: {name}", truth, lambda: outcome, lambda: told | {"entry": entry})

    for row in document["noise"]:
        level = decimal(beta) * decimal(row["sigma2"])
        retained = min(document["k"], S.above(level))
        right = row["retained"] == row["retained_at_most"] == retained
        yield asked("retained", right, _asked(row["certified"] == "certified", row["why"]), row)
        if row["value_radius"] is not None:
            value, radius = Fraction(row["value"]), Fraction(row["value_radius"])
            ball = value_of(S, retained, decimal(row["sigma2"]), decimal(beta))
            truth = within(ball, value - radius, value + radius)
            yield asked("value", truth, proved("within its radius"), row)
    for j, threshold in enumerate(document["thresholds"], start=1):
        if threshold["radius"] is None:
            continue
        typed = covariance.N is None
        value = decimal(threshold["eigenvalue"]) if typed else Fraction(threshold["eigenvalue"])
        radius = Fraction(threshold["radius"])
        truth = S.holds(j, value - radius, value + radius)
        yield asked("threshold", truth, proved("within its radius"), threshold)


def _listed(
    family: str, covariance: Covariance, lam: tuple[Fraction, ...], sigma2: float, rng: np.random.Generator
) -> Iterator[Question]:
    """`stationary --certify`, of either objective, with the noise given or learned."""
    objective, noise = str(rng.choice(["ppca", "elbo"])), None if rng.random() < 0.4 else sigma2
    k = int(rng.integers(1, min(len(lam), 3) + 1))
    try:
        document, points = stationary(covariance, k, sigma2=noise, objective=objective, top=_MOST, certify=True)
    except OtherData:  # nobody changes them here
        raise
    except InputError:
        return
    pairs = list(zip(document["points"], points, strict=True))
    for i in rng.permutation(len(pairs))[:4]:
        described, point = pairs[int(i)]
        told = {"lam": [str(x) for x in lam], "k": k, "sigma2": noise, "objective": objective, "point": described}
        kind = f"{objective}, {'learned' if noise is None else 'given'} noise"
        truth = _truth(described, point, lam, None if noise is None else decimal(noise))
        outcome = _asked(described["certified"]["status"] == "certified", described["certified"]["why"])
        yield Question(f"{kind}, {family}", "stationary: index", truth, partial(_same, outcome), partial(_same, told))


def _same(x: Any) -> Any:
    return x


def _truth(described: Document, point: Point, lam: tuple[Fraction, ...], noise: Fraction | None) -> Truth:
    found = signs(point, lam, noise)
    return None if found is None else found == (described["index"], described["nullity"])


def signs(point: Point, lam: tuple[Fraction, ...], noise: Fraction | None) -> tuple[int, int] | None:
    """How many positive and zero eigenvalues the Hessian has; None where W is not stationary, or digits do not tell."""
    with mpmath.workdps(_DIGITS):
        values = [mpmath.mpf(x.numerator) / x.denominator for x in lam]
        s = _learned(point, values) if noise is None else mpmath.mpf(noise.numerator) / noise.denominator
        if s is None:
            return None
        W = _weights(point, values, s)
        if W is None:
            return None
        rational = [[_fraction(x) for x in row] for row in W]
        sigma2 = _fraction(s)
    at = spectra.Derivatives(point.objective, lam, sigma2, rational, learned=noise is None)
    H = _rounded(at.hessian())
    # Of W = 0 with all eigenvalues at the noise H is 0; it is of the size 1/sigma2 where it is not.
    size = max(1 / sigma2, H.unit * max(abs(x) for row in H.whole for x in row))
    slope = max(abs(Fraction(int(x.p), int(x.q))) for x in at.gradient())
    reach = max([abs(x) for row in rational for x in row] + [sigma2])
    if slope * reach > _ZERO * size * reach**2 + _ZERO:
        return None
    positive, zero = H.above(_ZERO * size), H.least(-_ZERO * size)
    if (H.above(_CLEAR * size), H.least(-_CLEAR * size)) != (positive, zero):
        return None
    return positive, zero - positive


def _fraction(x: Any) -> Fraction:
    sign, man, power, _ = mpmath.mpf(x)._mpf_
    return (-1) ** sign * Fraction(int(man)) * Fraction(2) ** int(power)


def _rounded(H: Symmetric) -> Symmetric:
    """Entries to 400 bits below the largest: the counts are then quick."""
    largest = max(abs(x) for row in H.whole for x in row) or 1
    shift = max(0, largest.bit_length() - 400)
    return Symmetric([[x >> shift for x in row] for row in H.whole], H.unit * 2**shift)


def _learned(point: Point, lam: Sequence[Any]) -> Any:
    """The noise that solves (n - k) s + sum_b z_b s^2/m_b = sum of the discarded; None where all are retained."""
    kept = {a for b in point.blocks for a in b.eigen}
    rest = mpmath.fsum(x for j, x in enumerate(lam) if j not in kept)
    if len(kept) == len(lam):
        return None
    if all(b.columns == 1 or not b.zeros for b in point.blocks):
        return rest / (len(lam) - len(kept))

    def equation(s: Any) -> Any:
        total = (len(lam) - point.k) * s - rest
        return total + mpmath.fsum(b.zeros * s * s / _constant(b, lam, s) for b in point.blocks)

    low, high = mpmath.mpf(0), rest + 1
    while equation(high) < 0:
        high *= 2
    for _ in range(450):
        middle = (low + high) / 2
        low, high = (middle, high) if equation(middle) < 0 else (low, middle)
    return high


def _constant(block: Block, lam: Sequence[Any], s: Any) -> Any:
    r = mpmath.fsum(mpmath.sqrt(lam[a]) for a in block.eigen)
    return ((r + mpmath.sqrt(r * r + 4 * block.columns * block.zeros * s)) / (2 * block.columns)) ** 2


def _weights(point: Point, lam: Sequence[Any], s: Any) -> list[list[Any]] | None:
    """W (n, k) in the eigenvectors of S; None where some t is not above the noise: there is no such point."""
    W = [[mpmath.mpf(0)] * point.k for _ in lam]
    for block, columns in zip(point.blocks, point.column_ranges(), strict=True):
        if not block.eigen:
            continue
        m = lam[block.eigen[0]] if block.columns == 1 else _constant(block, lam, s)
        t = [mpmath.sqrt(lam[a] * m) for a in block.eigen]
        if not all(x > s for x in t):
            return None
        scales = np.array([*t, *[s] * block.zeros], dtype=object)
        Q = constant_diagonal_rotation(scales, mpmath.mpf(10) ** -(_DIGITS - 8), mpmath.sqrt)
        for row, a in enumerate(block.eigen):
            for j, c in enumerate(columns):
                W[a][c] = mpmath.sqrt(t[row] - s) * Q[row, j]
    return W
