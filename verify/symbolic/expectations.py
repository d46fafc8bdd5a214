"""Gaussian expectations of scalars that are quadratic in a random vector.

Notation   z a letter of shape (k, 1) with mean E[z] and covariance E[(z - E z)(z - E z)^T].
Main       expectation, log_gaussian, NotQuadratic.

Only the first two moments are used, E[e] = 0 and E[e e^T] = covariance for e = z - E[z]; so the result holds
for every distribution with these moments, and an average over data is an expectation as well (x x^T -> S).
"""

from __future__ import annotations

import sympy as sp

from verify.symbolic.matrix_calculus import (
    DiagonalPart,
    Factor,
    Letter,
    Shape,
    Word,
    WordSum,
    of_factor,
    of_factors,
    the_letter,
)
from verify.symbolic.relations import substitute
from verify.symbolic.traces import Factors, Scalar, segments, trace, transposed


class NotQuadratic(ValueError):
    """An expectation that first and second moments do not determine, or that this module does not do."""


def log_gaussian(residual: WordSum, precision: WordSum, log_det_covariance: Scalar) -> Scalar:
    """log N = -1/2 [r^T P r + log det Sigma + d log 2 pi], r (d, 1), P = Sigma^-1 (d, d)."""
    d = residual.shape.rows
    quadratic = trace(residual.T @ precision @ residual)
    normaliser = log_det_covariance + Scalar(d * sp.log(2 * sp.pi))
    density: Scalar = (quadratic + normaliser) * sp.Rational(-1, 2)
    return density


def expectation(f: Scalar, z: WordSum, mean: WordSum, covariance: WordSum) -> Scalar:
    """E[f] over z (k, 1) with these moments. NotQuadratic if f is of higher than second degree in z."""
    letter = the_letter(z)
    e = Letter(f"({letter.name} - E {letter.name})", letter.shape)
    centred = substitute(f, {letter.name: mean + of_factor(Factor(e))})
    total = Scalar(centred.constant, log_dets=centred.log_dets.items())
    for word, c in centred.traces.items():
        total = total + c * _second_moment(word, e, covariance)
    return total


def _second_moment(word: Word, e: Letter, covariance: WordSum) -> Scalar:
    if any(isinstance(factor.atom, DiagonalPart) and str(e) in factor.key for factor in word.factors):
        raise NotQuadratic(f"{word}: {e} inside a diagonal part")
    degree = sum(factor.atom == e for factor in word.factors)
    if degree == 0:
        return Scalar(traces=[(word, 1)])
    if degree == 1:
        return Scalar()
    numbers = segments(word.factors)
    random = [number for number in numbers if any(factor.atom == e for factor in number)]
    others = [factor for number in numbers if number not in random for factor in number]
    if degree > 2 or (others and len(random) == 1):
        raise NotQuadratic(f"{word}: not a single quadratic form in {e}")
    if len(random) == 1:
        # e^T A e = tr(A e e^T)
        (form,) = random
        return trace(of_factors(form[1:-1], covariance.shape) @ covariance)
    left, right = (_ending_in(number, e) for number in random)
    # (u^T e)(v^T e) = u^T (e e^T) v
    u = of_factors(left, Shape(sp.S.One, e.shape.rows))
    v = of_factors(right, Shape(sp.S.One, e.shape.rows))
    rest = of_factors(others, Shape(sp.S.One, sp.S.One))
    return trace(u @ covariance @ v.T @ rest)


def _ending_in(number: Factors, e: Letter) -> Factors:
    """The u^T of a number u^T e, or e^T u."""
    if number[-1] == Factor(e):
        return number[:-1]
    return transposed(number[1:])
