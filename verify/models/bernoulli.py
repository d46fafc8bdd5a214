"""The marginal likelihood and the ELBO of Bernoulli pPCA, p(x|z) = Bernoulli(sigmoid(W z + mu)), z ~ N(0, I_k).

Notation   x (N, n) in [0, 1], binary or not; W (n, k); mu (n,), in logits; xbar (n,) and S (n, n) mean and covariance
           of x, divided by N; V (k, n), D (k,) the encoder q(z|x) = N(V (x - xbar), diag D);
           log p(x|z) = sum_i x_i a_i - softplus(a_i), a = W z + mu, a product over pixels.
Main       log_densities, log_likelihood (Eqs. 31, 32), gradient, monte_carlo; reconstruction (Eq. 33), kl, elbo,
           elbo_gradients; observations, constant_pixels, collapsed_mean, collapsed_bracket, collapsed_hessian.
Reference  Lucas et al., NeurIPS 2019, App. C.3; theory 4.1, 4.2.

The likelihood is a sum over the nodes of a rule (verify.models.quadrature); all that is returned is exact for that
rule, so gradients are the derivatives of the values. The expected reconstruction needs no rule in k dimensions: given
x each a_i is Gaussian, and the trapezoidal rule integrates it to rounding. Per datum, in nats; no batch axes; NumPy or
CuPy arrays. Raises InputError for x that are no probabilities.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from verify.arrays import Array, namespace, to_numpy
from verify.errors import InputError
from verify.models import linear_vae
from verify.models.quadrature import SAMPLES, Rule, for_dimension, sampled, spacing_for_sigmoids, uniform

# Entries of a block (nodes, data or pixels): 2^22 doubles, 32 MiB.
BLOCK = 1 << 22


class Gradient(NamedTuple):
    """d/dW (n, k) and d/dmu (n,)."""

    W: Array
    mu: Array


class Gradients(NamedTuple):
    """The derivatives of the ELBO, in the shapes of W, V, D, mu."""

    W: Array
    V: Array
    D: Array
    mu: Array


class Estimate(NamedTuple):
    """A value and its standard error; the latter knows nothing of regions that no sample has met."""

    value: float
    standard_error: float


def observations(x: Array) -> Array:
    """x as doubles (N, n), if it is a table of values in [0, 1].  Raises InputError."""
    xp = namespace(x)
    try:
        x = xp.asarray(x)
    except ValueError:
        raise InputError("the data are not a table of numbers: its rows have different lengths") from None
    if x.dtype.kind not in "biuf":
        raise InputError(f"the data are of type {x.dtype}, not real numbers; save them as float64")
    if x.ndim != 2 or x.size == 0:
        raise InputError(f"the data have shape {x.shape}; give a matrix with one row per datum and at least one entry")
    x = xp.asarray(x, xp.float64)
    within = (x >= 0) & (x <= 1)  # NaN is not
    if not bool(within.all()):
        row, column = (int(i) for i in to_numpy(xp.argwhere(~within)[0]))
        raise InputError(
            f"{float(x[row, column]):g} at row {row + 1}, column {column + 1}: Bernoulli observations lie in [0, 1]; "
            "divide by the largest grey value, or threshold"
        )
    return x


def softplus(a: Array) -> Array:
    """log(1 + e^a), without overflow.  (...) -> (...)."""
    return namespace(a).logaddexp(0.0, a)


def sigmoid(a: Array) -> Array:
    """1 / (1 + e^-a), without overflow.  (...) -> (...)."""
    xp = namespace(a)
    small = xp.exp(-abs(a))
    return xp.where(a >= 0, 1.0, small) / (1.0 + small)


def _blocks(W: Array, mu: Array, x: Array, rule: Rule | None) -> Iterator[tuple[Array, Array, Array]]:
    """Blocks of nodes z (b, k) with a = W z + mu (b, n) and log weight + log p(x|z) (N, b)."""
    xp = namespace(W, mu, x)
    rule = for_dimension(W.shape[1]) if rule is None else rule
    if rule.nodes.shape[1] != W.shape[1]:
        raise InputError(f"a rule in {rule.nodes.shape[1]} dimensions for W with {W.shape[1]} columns")
    size = max(1, BLOCK // max(x.shape))
    for start in range(0, len(rule.nodes), size):
        z = xp.asarray(rule.nodes[start : start + size])
        a = z @ W.T + mu
        log_weights = xp.asarray(rule.log_weights[start : start + size])
        yield z, a, x @ a.T + (log_weights - softplus(a).sum(axis=1))


def _log_sum_exp(values: Array) -> Array:
    """log sum_b exp(values) (N, b) -> (N,)."""
    xp = namespace(values)
    top = values.max(axis=1)
    return top + xp.log(xp.exp(values - top[:, None]).sum(axis=1))


def log_densities(W: Array, mu: Array, x: Array, rule: Rule | None = None) -> Array:
    """log p(x) = log E_z prod_i y_i^x_i (1 - y_i)^(1 - x_i) of each datum (Eqs. 31, 32).  (n, k), (n,), (N, n) -> (N,).

    Without a rule: Gauss-Hermite for k <= 3, else samples with seed 0. Raises InputError.
    """
    x = observations(x)
    xp = namespace(W, x)
    total = xp.full(len(x), -xp.inf)
    for _, _, values in _blocks(W, mu, x, rule):
        total = xp.logaddexp(total, _log_sum_exp(values))
    return total


def log_likelihood(W: Array, mu: Array, x: Array, rule: Rule | None = None) -> Array:
    """The mean of log p(x) over the data (Eqs. 31, 32).  W (n, k), mu (n,), x (N, n) -> number.  InputError."""
    return log_densities(W, mu, x, rule).mean()


def gradient(W: Array, mu: Array, x: Array, rule: Rule | None = None) -> Gradient:
    """d/dW = mean E[(x - y) z^T | x], d/dmu = mean E[x - y | x] with y = sigmoid(a).  -> (n, k), (n,).  InputError."""
    x = observations(x)
    xp = namespace(W, x)
    log_p = log_densities(W, mu, x, rule)
    of_W, of_mu = xp.zeros(W.shape), x.sum(axis=0)
    for z, a, values in _blocks(W, mu, x, rule):
        posterior = xp.exp(values - log_p[:, None])
        expected = posterior.sum(axis=0)[:, None] * sigmoid(a)
        of_W = of_W + (posterior.T @ x - expected).T @ z
        of_mu = of_mu - expected.sum(axis=0)
    return Gradient(of_W / len(x), of_mu / len(x))


def monte_carlo(W: Array, mu: Array, x: Array, samples: int = SAMPLES, seed: int = 0) -> Estimate:
    """log_likelihood from antithetic samples shared by all data, for any k, with its standard error.  InputError.

    To first order the error is mean_g [mean_x p(x|z_g)/p(x) - 1] over independent pairs of nodes; the logarithm adds
    a bias downwards of half the square of it.
    """
    x = observations(x)
    xp = namespace(W, x)
    rule = sampled(W.shape[1], samples, seed)
    log_p = log_densities(W, mu, x, rule)
    shares = [xp.exp(values - log_p[:, None]).mean(axis=0) for _, _, values in _blocks(W, mu, x, rule)]
    influence = xp.concatenate(shares) * len(rule.nodes)
    pairs = influence.reshape(2, len(influence) // 2).mean(axis=0)
    return Estimate(float(log_p.mean()), float(pairs.std(ddof=1)) / len(pairs) ** 0.5)


def gaussian_mean(f: Callable[[Array], Array], mean: Array, deviation: Array) -> Array:
    """E f(mean + deviation t), t ~ N(0, 1), for f as smooth as softplus.  (N, n), (n,) -> (N, n).

    The trapezoidal rule: Gauss-Hermite would need the square of its number of nodes for large deviations.
    """
    rule = uniform(1, spacing_for_sigmoids(float(deviation.max())))
    terms = zip(rule.nodes.ravel().tolist(), rule.log_weights.tolist(), strict=True)
    xp = namespace(mean)
    return sum(float(xp.exp(w)) * f(mean + t * deviation) for t, w in terms)


def _encoded(W: Array, V: Array, D: Array, mu: Array, x: Array, centre: Array | None) -> tuple[Array, Array, Array]:
    """x - centre (N, n), and the mean (N, n) and standard deviation (n,) of a = W z + mu under q(z|x)."""
    xp = namespace(W, x)
    d = x - (x.mean(axis=0) if centre is None else centre)
    return d, d @ V.T @ W.T + mu, xp.sqrt((W * W) @ D)


def reconstruction(W: Array, V: Array, D: Array, mu: Array, x: Array, centre: Array | None = None) -> Array:
    """The mean of E_q[log p(x|z)], a sum of integrals over one variable for any k (Eq. 33, with its log).  InputError.

    W (n, k), V (k, n), D (k,), mu (n,), x (N, n) -> number. q has the mean V (x - centre); the paper prints mu for
    the centre, which is in logits and not in the units of x; without one it is the mean of x.
    """
    x = observations(x)
    _, mean, deviation = _encoded(W, V, D, mu, x, centre)
    return (x * mean - gaussian_mean(softplus, mean, deviation)).sum(axis=1).mean()


def second_moment(x: Array, centre: Array | None = None) -> Array:
    """The mean of (x - centre)(x - centre)^T; without a centre the covariance S.  (N, n) -> (n, n)."""
    d = x - (x.mean(axis=0) if centre is None else centre)
    return d.T @ d / len(x)


def elbo(W: Array, V: Array, D: Array, mu: Array, x: Array, centre: Array | None = None) -> Array:
    """E_q[log p(x|z)] - KL(q(z|x), p(z)), the mean over the data.  Shapes as in reconstruction -> number.  InputError.

    Concave in (V, sqrt D) together: a is linear in them, softplus convex, and so is the KL.
    """
    x = observations(x)
    return reconstruction(W, V, D, mu, x, centre) - linear_vae.kl(V, D, second_moment(x, centre))


def elbo_gradients(W: Array, V: Array, D: Array, mu: Array, x: Array, centre: Array | None = None) -> Gradients:
    """The derivatives of the ELBO.  With r = x - E y (N, n), c = mean E y (1 - y) (n,), d = x - centre:

    dW = mean r (V d)^T - diag(c) W diag(D), dV = W^T mean r d^T - V S, dmu = mean r,
    dD_j = 1/2 (1/D_j - 1 - sum_i c_i W_ij^2).  Raises InputError.
    """
    x = observations(x)
    d, mean, deviation = _encoded(W, V, D, mu, x, centre)
    r = x - gaussian_mean(sigmoid, mean, deviation)
    c = gaussian_mean(lambda a: sigmoid(a) * sigmoid(-a), mean, deviation).mean(axis=0)
    cross = r.T @ d / len(x)
    return Gradients(
        W=cross @ V.T - c[:, None] * W * D,
        V=W.T @ cross - V @ second_moment(x, centre),
        D=0.5 * (1 / D - 1 - c @ (W * W)),
        mu=r.mean(axis=0),
    )


def constant_pixels(x: Array) -> list[int]:
    """The columns that are 0 in all data, or 1: at the maximum their mu is infinite, so they have to be dropped."""
    x = observations(x)
    constant = (x == 0).all(axis=0) | (x == 1).all(axis=0)
    return [int(i) for i in to_numpy(namespace(x).flatnonzero(constant))]


def collapsed_mean(x: Array) -> Array:
    """mu = logit(xbar), the maximum over mu at W = 0.  (N, n) -> (n,).  InputError for a constant pixel."""
    constant = constant_pixels(x)
    if constant:
        raise InputError(
            f"column {constant[0] + 1} is constantly 0 or 1 ({len(constant)} such): its mu is infinite; drop it"
        )
    x = observations(x)
    xp = namespace(x)
    # 1 - xbar as a mean of its own: next to 1 the difference would lose its digits.
    return xp.log(x.mean(axis=0)) - xp.log((1 - x).mean(axis=0))


def collapsed_bracket(x: Array) -> Array:
    """B = S - diag(xbar (1 - xbar)) (theory 4.2).  (N, n) -> (n, n); for binary data without rounding of zeros.

    Raises InputError.
    """
    x = observations(x)
    xp = namespace(x)
    N = len(x)
    if bool(((x == 0) | (x == 1)).all()):
        # Whole numbers below 2^53 for N < 9e7: zero covariances, and the diagonal, come out as exact zeros.
        together, counts = x.T @ x, x.sum(axis=0)
        B = (N * together - counts[:, None] * counts) / N**2
        return B - xp.diag(xp.diag(B))
    # mean (x - xbar)^2 - xbar (1 - xbar) = - mean x (1 - x): no cancellation where x is nearly binary.
    B = second_moment(x)
    return B - xp.diag(xp.diag(B)) - xp.diag((x * (1 - x)).mean(axis=0))


def collapsed_hessian(x: Array, k: int) -> Array:
    """d^2 L/dW^2 = B (x) I_k at W = 0, mu = logit(xbar); coordinates W.reshape(-1).  (N, n) -> (nk, nk).  InputError.

    The mixed block with mu is zero, that of mu is -diag(xbar (1 - xbar)).
    """
    xp = namespace(x)
    return xp.kron(collapsed_bracket(x), xp.eye(k))
