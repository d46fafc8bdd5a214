"""The linear VAE as an estimator: decoder, encoder and variances at the maximum of its ELBO.

Notation   p(x|z) = N(mean + W z, sigma2 I), q(z|x) = N(V (x - mean), diag D); beta the weight of the KL; s = beta
           sigma2; lam_j, u_j eigenvalues and eigenvectors of the sample covariance, divided by N.
Main       LinearVAE.
Reference  Lucas et al., NeurIPS 2019, App. C; theory 3.1, 3.3, 3.4, 3.9.
"""

from math import log, pi
from typing import Any, Self

import numpy as np

from verify.arrays import Array
from verify.estimators.linear_gaussian import LinearGaussian
from verify.estimators.optimum import LEARNED, optimum
from verify.landscape.collapse import kl


class LinearVAE(LinearGaussian):
    """The linear (beta-)VAE at the global maximum of its ELBO, in closed form: what training can reach at best.

    p(x|z) = N(mean + W z, sigma2 I) and q(z|x) = N(V (x - mean), diag D). With s = beta sigma2 the optimum retains
    the latents j <= n_components with lam_j > s:

        w_j = (lam_j - s)^(1/2) u_j,   v_j = w_j^T / lam_j,   D_j = s / lam_j,   mean KL_j = 1/2 log(lam_j / s).

    All others have collapsed: w_j = 0, v_j = 0, D_j = 1, KL_j = 0. That is the optimum, and no failure of training.

    Parameters
    ----------
    n_components : int or "mle", default=2
        The number of latents, k, from 1 to n_features; "mle" takes the one of largest evidence by Laplace's method
        (Minka 2000), from 1 to n_features - 1.
    sigma2 : float or "learned", default="learned"
        The variance of the noise. `verify.noise_of_loss` tells which one a loss means. A learned one maximises the
        ELBO with weight beta; where that has no maximum, because the latents explain the data wholly, `fit` raises a
        ValueError that says so.
    beta : float, default=1.0
        The weight of the KL in what is maximised, > 0.

    Attributes
    ----------
    decoder_ : ndarray of shape (n_features, n_components)
        W.
    encoder_ : ndarray of shape (n_components, n_features)
        V.
    encoder_variance_ : ndarray of shape (n_components,)
        D.
    mean_ : ndarray of shape (n_features,)
    noise_variance_ : float
        sigma2.
    retained_ : int
        How many latents are used; they come first.
    collapsed_ : ndarray of shape (n_components,), of bool
        Which latents have collapsed: a mask, so that ``model.transform(X)[:, ~model.collapsed_]`` leaves them out.
    kl_ : ndarray of shape (n_components,)
        The KL of each latent to its prior, averaged over the training data, in nats.
    elbo_ : float
        The ELBO of the training data, in nats per row, **with weight 1**: a lower bound of the log-likelihood, and
        what `score` gives. With beta = 1 it equals the maximum of the likelihood at this noise.
    objective_ : float
        The same with weight beta: what was maximised.
    eigenvalues_ : ndarray of shape (n_features,)
        All eigenvalues of the sample covariance divided by N, in descending order; what cannot be told from 0 is 0.
    thresholds_ : ndarray of shape (n_components,)
        The sigma2 at which each latent collapses: lam_j / beta.
    standard_errors_ : ndarray of shape (n_components,)
        Sampling errors of `thresholds_`, to first order; NaN where an eigenvalue is 0 or equals its neighbour.
        Behind a `StandardScaler` they hold its scaling fixed and are mostly larger, up to several times, than those of
        a scaling fitted anew to other data; ``verify.stability(X, k, beta=beta, standardize=True).thresholds`` has
        these.
    n_components_ : int
    n_samples_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if all column names are strings.

    See Also
    --------
    ProbabilisticPCA : the model whose likelihood the ELBO bounds.

    Notes
    -----
    Computed in float64; `transform` and `inverse_transform` answer float32 in float32. Sparse input is refused, and
    weights of rows are not supported. Scores with other beta or sigma2 can be compared, since all are bounds of the
    same log-likelihood.

    References
    ----------
    Lucas, Tucker, Grosse, Norouzi, "Don't blame the ELBO!", NeurIPS 2019.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from verify.estimators import LinearVAE
    >>> X = load_iris().data
    >>> model = LinearVAE(n_components=3, sigma2=0.1).fit(X)
    >>> model.retained_, model.collapsed_.tolist()
    (2, [False, False, True])
    >>> model.thresholds_.round(3).tolist()
    [4.2, 0.241, 0.078]
    >>> LinearVAE(n_components=3, sigma2=0.1, beta=4).fit(X).retained_
    1
    """

    def __init__(self, n_components: int | str = 2, *, sigma2: float | str = LEARNED, beta: float = 1.0) -> None:
        self.n_components = n_components
        self.sigma2 = sigma2
        self.beta = beta

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the maximum of the ELBO.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            At least two rows.
        y : ignored

        Returns
        -------
        self : LinearVAE
        """
        found = optimum(self._training_rows(X), self.n_components, self.sigma2, self.beta)
        self.decoder_, self.encoder_, self.encoder_variance_ = found.W, found.V, found.D
        self.collapsed_ = np.arange(len(found.D)) >= found.retained
        self.kl_ = found.divergence
        self.elbo_, self.objective_ = found.elbo(), found.elbo(found.beta)
        return self._keep(found)

    def score_samples(self, X: Any) -> Array:
        """The ELBO of each row with weight 1 on the KL, in nats: a lower bound of log p(x).

        -KL(q(z|x) || N(0, I)) - 1/(2 sigma2) [|x - mean - W V (x - mean)|^2 + sum_j D_j |w_j|^2] - n/2 log(2 pi sigma2)

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        elbo : ndarray of shape (n_samples,)
        """
        d = self._centred(X)
        W, D, s = self.decoder_, self.encoder_variance_, self.noise_variance_
        means = d @ self.encoder_.T
        paid = kl(means, np.broadcast_to(np.log(D), means.shape)).sum(axis=1)
        spread = float(D @ (W * W).sum(axis=0))
        error = ((d - means @ W.T) ** 2).sum(axis=1) + spread
        return np.asarray(-paid - error / (2 * s) - 0.5 * len(W) * (log(2 * pi) + log(s)))

    def _decoder(self) -> Array:
        return self.decoder_

    def _encoder(self) -> Array:
        return self.encoder_
