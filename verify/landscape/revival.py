"""What linear latents would add to any Gaussian VAE that is left as it is: the revival test.

Notation   x (n,) a datum; f(z) the decoder's mean; q(z|x) any encoder; s = beta sigma2 the noise that counts; rbar(x) =
           x - E_q f(z) the mean residual (n,), c (n,) its mean over the data, R (n, n) its covariance, divided by N,
           with eigenvalues rho_1 >= ... >= rho_n; w (m,) further latents with prior N(0, I).
Main       direction_nats, shift_nats; Escape, escape, installed_nats; noise_with_latents, where the noise is learned.
Reference  theory 6.1; claim revival. For p(x|z) = N(f(z), s I) and decoder mean f(z) + b + U w with q(w|x) =
           N(V (rbar - c), D), independent of z given x, the ELBO changes by that of a linear VAE on the mean residuals.

The change is exact, per datum, in nats: nothing is linearised and f is not looked into. R is the covariance of the
*mean* residual: that of residuals x - f(z) at single draws of z is larger by E[Cov_q f(z)], and promises too much.
"""

from dataclasses import dataclass

import numpy as np

from verify.arrays import Array
from verify.checks import positive_noise
from verify.data.covariance import Covariance
from verify.errors import InputError
from verify.landscape.collapse import kl


def direction_nats(rho: Array, s: float) -> Array:
    """1/2 (rho/s - 1 - log(rho/s)) where rho > s, 0 elsewhere: what one linear latent adds along its direction.

    rho (...) >= 0 -> (...).
    """
    # Near a tie the terms cancel: with t = rho/s - 1, t - log1p(t) keeps its digits.
    t = np.maximum(np.asarray(rho, dtype=np.float64) / s - 1, 0.0)
    return np.asarray(0.5 * (t - np.log1p(t)))


def shift_nats(c: Array, s: float) -> float:
    """|c|^2/(2 s): what a constant b = c added to the decoder's mean brings.  c (n,)."""
    return float(np.dot(c, c) / (2 * s))


@dataclass(frozen=True, eq=False)
class Escape:
    """Linear latents to be added: mean f(z) + b + U w, q(w|x) = N(V (rbar - center), diag D).

    U (n, m), V (m, n), D (m,), b (n,), center (n,).
    """

    U: Array
    V: Array
    D: Array
    b: Array
    center: Array

    @property
    def latents(self) -> int:
        """How many latents are added."""
        return len(self.D)

    def encode(self, rbar: Array) -> Array:
        """The means of w: V (rbar - center).  rbar (N, n) -> (N, m)."""
        return np.asarray((rbar - self.center) @ self.V.T)

    def arrays(self) -> dict[str, Array]:
        """U, V, D, b and center by name."""
        return {name: getattr(self, name) for name in ("U", "V", "D", "b", "center")}


def escape(residuals: Covariance, s: float, latents: int | None = None, shift: Array | None = None) -> Escape:
    """The best linear latents to add, at most `latents` of them: one for each rho_j > s (theory 6.1).

    residuals: the covariance of rbar, or of what the latents are encoded from in its place; shift (n,): then the mean
    of rbar.  U = u_j sqrt(rho_j - s), V = U^T / rho_j, D = s / rho_j, b = c.  Raises InputError: a bare spectrum, which
    has no mean; s that is no noise.
    """
    s = positive_noise(s)
    if latents is not None and latents < 0:
        raise InputError(f"latents = {latents}: from 0, or None for all that bring something")
    if residuals.mean is None:
        raise InputError("a spectrum alone has no mean residual; give the residuals")
    rho = residuals.eigenvalues
    m = int((rho > s).sum()) if latents is None else min(latents, int((rho > s).sum()))
    U = residuals.leading(m) * np.sqrt(rho[:m] - s)
    return Escape(
        U, (U / rho[:m]).T, s / rho[:m], residuals.mean.copy() if shift is None else shift, residuals.mean.copy()
    )


def noise_with_latents(rho: Array, spread: float, latents: int) -> float:
    """The noise that is best together with as many linear latents, f and q(z|x) being left as they are.

    rho (n,) falling; spread: the mean of tr Cov_q f over the data, which no latent takes from the squared error. -> the
    one s > 0 with (n - q) s = spread + sum of all rho_j but the q retained, those of the first `latents` above s; 0
    where nothing is left over, and the ELBO has no maximum.  Raises InputError: latents not from 0 to n - 1.
    """
    rho, n = np.asarray(rho, dtype=np.float64), len(rho)
    if not 0 <= latents < n:
        raise InputError(f"latents = {latents}: with n = {n} and learned noise from 0 to {n - 1}")
    # Of all q whose own noise lies below rho_q the largest: one more would fall short of its noise.
    for q in range(latents, 0, -1):
        s = (spread + float(rho[q:].sum())) / (n - q)
        if rho[q - 1] > s:
            return s
    return (spread + float(rho.sum())) / n


def installed_nats(added: Escape, encoded: Array, residual: Array, s: float) -> Array:
    """The change of the ELBO at each datum when the escape is installed as it is.  -> (N,).

    encoded (N, n): what the new latents are encoded from, any function of x, usually rbar; residual (N, n): x - f(z) at
    draws of z that are independent of `encoded` given x, or their mean rbar. As the change is linear in the residual, a
    single draw gives it without bias; its spread over the data gives the standard error.

    -KL(q(w|x)) - 1/(2 s) [|r - b - U m|^2 - |r|^2 + sum_j D_j |U_j|^2], m = V (encoded - center).
    """
    m = added.encode(encoded)
    paid = kl(m, np.broadcast_to(np.log(added.D), m.shape)).sum(axis=1)
    moved = added.b + m @ added.U.T
    spread = float(added.D @ (added.U * added.U).sum(axis=0))
    error = np.einsum("ij,ij->i", moved, moved - 2 * residual) + spread
    return np.asarray(-paid - error / (2 * s))
