"""Bernoulli pPCA to second order about the collapsed point W = 0, for all n and k.

Notation   x (n, 1) measured from xbar, with E[x x^T] = S; z ~ N(0, I_k), or N(V x, D) under the encoder;
           Y (n, n) diagonal, xbar (1 - xbar), the slope of the sigmoid at mu = logit(xbar).
Main       observation_slopes, log_ratio, likelihood, elbo, second_order, Y; explicit_hessian for given n and k.
Reference  theory 4.2.

With a = W z, log p(x|z) - log p(x|0) = x^T a - 1/2 a^T Y a + O(|a|^3). Its term of order m in W is of order m in z, so
that odd orders have expectation zero, and log E exp(.) is the sum of the first two cumulants up to fourth order.
"""

from typing import Any

import sympy as sp

from verify.symbolic.expectations import expectation
from verify.symbolic.explicit import with_moments
from verify.symbolic.letters import W, k, n, x, z
from verify.symbolic.linear_vae import kl, over_data, over_latent
from verify.symbolic.matrix_calculus import Expression, identity, letter, zero
from verify.symbolic.relations import substitute
from verify.symbolic.traces import Scalar, trace

Y = letter("Y", n, n, "diagonal")


def observation_slopes(order: int) -> list[Expression]:
    """d^m/da^m [x a - log(1 + e^a)] for m = 1..order at a = logit(xbar), in the symbols xbar and d = x - xbar."""
    a, d, mean = sp.symbols("a d xbar")
    log_p = (mean + d) * a - sp.log(1 + sp.exp(a))
    at = sp.log(mean / (1 - mean))
    return [sp.factor(sp.simplify(sp.diff(log_p, a, m).subs(a, at))) for m in range(1, order + 1)]


def log_ratio() -> tuple[Scalar, Scalar]:
    """The terms of first and of second order in W of log p(x|z) - log p(x|0), summed over pixels."""
    a = W @ z
    return trace(x.T @ a), trace(a.T @ Y @ a) * sp.Rational(-1, 2)


def likelihood() -> Scalar:
    """The mean over the data of log E_z exp(first + second) to second order: E[second] + 1/2 E[first^2].

    The first has no mean, or half the square of that would have to be taken off.
    """
    _, second = log_ratio()
    a = W @ z
    square = trace(x.T @ a @ a.T @ x)
    at_datum = expectation(second + square * sp.Rational(1, 2), z, zero(k, 1), identity(k))
    return over_data(at_datum)


def elbo() -> Scalar:
    """The ELBO minus its value at W = 0, to second order in a = W z, with the encoder N(V x, D)."""
    first, second = log_ratio()
    return over_data(over_latent(first + second)) - kl()


def second_order(f: Scalar) -> Scalar:
    """The part of f of second order in (W, V), at D = I."""
    t = sp.Symbol("t")
    scaled = substitute(f, {"W": t * W, "V": t * letter("V", k, n), "D": identity(k)})
    return Scalar(traces=[(word, sp.expand(c).coeff(t, 2)) for word, c in scaled.traces.items()])


def explicit_hessian(size: int, columns: int) -> tuple[Any, Any, Any]:
    """The Hessian in (W, mu) of the mean of log E_z p(x|z) at W = 0, mu = logit(xbar), without any matrix calculus.

    For n = `size`, k = `columns`; W row by row, then mu. Also S and xbar, the symbols that it is written in.
    """
    w, z = sp.Matrix(size, columns, sp.symbols(f"w:{size * columns}")), sp.Matrix(sp.symbols(f"z:{columns}"))
    x, y, shift = (sp.Matrix(sp.symbols(f"{name}:{size}")) for name in "xyh")
    S = sp.Matrix(size, size, lambda i, j: sp.Symbol(f"s{min(i, j)}{max(i, j)}"))
    a = w * z + shift
    log_ratio = sum((x[i] - y[i]) * a[i] - y[i] * (1 - y[i]) * a[i] ** 2 / 2 for i in range(size))
    parameters = [*w, *shift]
    at = dict.fromkeys(parameters, 0)

    def over_z(f: Expression) -> Expression:
        return with_moments(f, list(z), [0] * columns, sp.eye(columns))

    def entry(p: sp.Symbol, q: sp.Symbol) -> Expression:
        # d^2 log E e^f = E[f_pq + f_p f_q] - E f_p E f_q where f = 0.
        slopes = [sp.diff(log_ratio, v).subs(at) for v in (p, q)]
        at_datum = over_z(sp.diff(log_ratio, p, q).subs(at) + slopes[0] * slopes[1]) - over_z(slopes[0]) * over_z(
            slopes[1]
        )
        return with_moments(at_datum, list(x), y, S)

    return sp.Matrix(len(parameters), len(parameters), lambda i, j: entry(parameters[i], parameters[j])), S, y
