"""The ensemble: ELBO and gradient of E models of one architecture, each on its own batch.

Notation   x (E, B, n); noise (E, B, k) standard normal; beta (E,); parameters, gradient (E, P) as
           architecture.py lays them out.
Main       Ensemble; tuned_sigma2, tuned_elbo.
Reference  Lucas et al. 2019, Eqs. 9, 10, 19, 20; theory 3.1, 5.

With the analytic ELBO (decoders W z + mu only) the decoder sees the mean, and E||x - mu - W z||^2 gains
sum_a d_a ||W_a||^2 (Eq. 20).
"""

from math import log, pi

from gpu.vae.account import Ledger, Terms, Weights, account, weigh
from gpu.vae.architecture import Architecture, Layout
from gpu.vae.layers import Buffers, Layer
from gpu.vae.loss import likelihood, reparameterise, reparameterise_gradient
from verify.arrays import Array, namespace
from verify.errors import InputError


def tuned_sigma2(terms: Terms, n: int) -> Array:
    """The noise that is best for these reconstructions: the mean squared error (theory 5.1).  -> (E,)."""
    return terms.error / n


def tuned_elbo(terms: Terms, n: int) -> Array:
    """The ELBO at that noise: -KL - n/2 (1 + log 2 pi error/n) (theory 5.1).  -> (E,)."""
    return -terms.kl - 0.5 * n * (1 + log(2 * pi) + namespace(terms.kl).log(tuned_sigma2(terms, n)))


class Ensemble:
    """E models of one architecture over flat buffers.  Raises InputError where analytic is asked for in vain."""

    def __init__(self, architecture: Architecture, parameters: Array, learned: Array, *, analytic: bool = False):
        if analytic and not architecture.linear_decoder:
            raise InputError("the analytic ELBO needs a linear decoder; choose architecture linear or linear-decoder")
        self.architecture, self.analytic = architecture, analytic
        self.layout = Layout(architecture)
        self.encoder, self.decoder = architecture.layers()
        self.parameters = parameters
        xp = namespace(parameters)
        self.gradient = xp.zeros(parameters.shape, dtype=parameters.dtype)
        self.learned = xp.asarray(learned, dtype=bool)
        self._weights = Weights(*(xp.zeros(len(parameters)) for _ in Weights._fields))
        self._p, self._g = self.layout.views(self.parameters), self.layout.views(self.gradient)
        self._buffer = Buffers()

    def __len__(self) -> int:
        return len(self.parameters)

    @property
    def sigma2(self) -> Array:
        """The observation noise of each model, (E,) float64."""
        xp = namespace(self.parameters)
        return xp.exp(self._p["log_sigma2"].astype("float64"))

    def encode(self, x: Array) -> tuple[Array, Array]:
        """Mean and log variance of q(z|x).  (E, B, n) -> (E, B, k), (E, B, k)."""
        return self._posterior(self._through("encoder", self.encoder, x)[-1])

    def decode(self, z: Array) -> Array:
        """The mean of p(x|z), in a buffer that the next call overwrites.  (E, B, k) -> (E, B, n)."""
        return self._through("decoder", self.decoder, namespace(z).ascontiguousarray(z))[-1]

    def _posterior(self, heads: Array) -> tuple[Array, Array]:
        """The encoder's output as mean and log variance, views (E, B, k)."""
        k = self.architecture.k
        if self.architecture.constant_variance:
            return heads, namespace(heads).broadcast_to(self._p["log_variance"][:, None, :], heads.shape)
        return heads[..., :k], heads[..., k:]

    def reconstruction_error(
        self, x: Array, mean: Array, log_variance: Array, noise: Array | None, exact: bool | None = None
    ) -> Array:
        """E||x - y||^2 per datum, by one draw of z, or in closed form with the analytic ELBO.  -> (E, B) float64.

        exact: in closed form or not, whatever was trained; linear decoders only.
        """
        xp, exact = namespace(x), self.analytic if exact is None else exact
        deviation = xp.exp(0.5 * log_variance)
        z = mean if exact or noise is None else mean + deviation * noise
        difference = self.decode(z) - x
        error = xp.sum(difference * difference, axis=2, dtype="float64")
        if exact:
            W = self._p["decoder.0.weight"]
            error += xp.sum(deviation * deviation * xp.sum(W * W, axis=2)[:, None, :], axis=2, dtype="float64")
        return error

    def _through(self, half: str, layers: list[Layer], x: Array) -> list[Array]:
        """x and the output of every layer."""
        seen = [x]
        for i, layer in enumerate(layers):
            seen.append(layer.forward(seen[-1], self._p[f"{half}.{i}.weight"], self._p[f"{half}.{i}.bias"]))
        return seen

    def _back(self, half: str, layers: list[Layer], seen: list[Array], dy: Array, need: bool) -> Array:
        """The gradients of one half's layers; -> that of its input, where it is needed."""
        for i in range(len(layers) - 1, -1, -1):
            weight, name = self._p[f"{half}.{i}.weight"], f"{half}.{i}"
            dweight, dbias = self._g[f"{name}.weight"], self._g[f"{name}.bias"]
            dy = layers[i].backward(dy, seen[i], seen[i + 1], weight, dweight, dbias, need or i > 0)
        return dy

    def backward(
        self, x: Array, noise: Array | None, beta: Array, *, anneal: Array | None = None, done: float = 0.0,
        ledger: Ledger | None = None, step: int = 0,
    ) -> Terms:  # fmt: skip
        """The gradient of -ELBO_beta (mean over the batch) into `gradient`; -> the terms of the ELBO.

        x (E, B, n), noise (E, B, k) (None with the analytic ELBO), beta (E,).  anneal (E,) and done: see `weigh`; the
        ledger, if any, is written in the end, behind everything that takes memory.
        """
        B, n, k = x.shape[1], self.architecture.n, self.architecture.k
        into = self._through("encoder", self.encoder, x)
        heads, constant = into[-1], self.architecture.constant_variance
        mean, log_variance = self._posterior(heads)
        noise = None if self.analytic else noise
        z, deviation = (self._buffer(name, mean.shape, x) for name in ("z", "deviation"))
        weights = weigh(self._p["log_sigma2"], beta, anneal, done, B, self._weights)
        kl = reparameterise(mean, log_variance, noise, z, deviation)
        out = self._through("decoder", self.decoder, z)
        sums = Terms(likelihood(out[-1], x, weights.error), kl)
        dz = self._back("decoder", self.decoder, out, out[-1], True)
        dheads = self._buffer("dheads", (*heads.shape[:2], 2 * k), x)
        dmean, dlog_variance = dheads[..., :k], dheads[..., k:]
        reparameterise_gradient(dz, mean, deviation, noise, weights.kl, dmean, dlog_variance)
        spread = self._spread(deviation, weights.sigma2, dlog_variance) if self.analytic else None
        if constant:
            self._g["log_variance"][...] = dlog_variance.sum(axis=1)
            dheads = dmean
        self._back("encoder", self.encoder, into, dheads, False)
        return account(sums, spread, weights, self.learned, n, B, self._g["log_sigma2"], ledger, step)

    def _spread(self, deviation: Array, sigma2: Array, dlog_variance: Array) -> Array:
        """What the analytic ELBO adds: sum_a d_a ||W_a||^2 to the error, and its gradients.  -> (E,)."""
        W, B = self._p["decoder.0.weight"], deviation.shape[1]
        d, norms = deviation * deviation, (W * W).sum(axis=2)
        spread = d.mean(axis=1)
        self._g["decoder.0.weight"][...] += spread[:, :, None] * W / sigma2.astype(W.dtype)[:, None, None]
        dlog_variance += d * (norms / (2 * B * sigma2).astype(W.dtype)[:, None])[:, None, :]
        return (spread.astype("float64") * norms).sum(axis=1)
