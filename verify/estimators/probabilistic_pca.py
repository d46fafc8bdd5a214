"""Probabilistic PCA as an estimator: x = mean + W z + noise at its maximum likelihood.

Notation   x (n,) = mean + W z + noise, z ~ N(0, I_k), noise ~ N(0, sigma2 I); C = W W^T + sigma2 I (n, n).
Main       ProbabilisticPCA.
Reference  Tipping & Bishop, JRSS-B 61 (1999); theory 1.1, 1.5, 2, 8.
"""

from math import log, pi
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from verify.arrays import Array
from verify.estimators.linear_gaussian import LinearGaussian
from verify.estimators.optimum import LEARNED, optimum
from verify.models import ppca


class ProbabilisticPCA(LinearGaussian):
    """Probabilistic PCA, at the maximum of its likelihood in closed form.

    The model is x = mean + W z + noise with z ~ N(0, I) and noise ~ N(0, sigma2 I). At a given noise the maximum is

        W = U_q (Lam_q - sigma2 I)^(1/2),   q = #{j <= n_components: lam_j > sigma2},

    lam_j and u_j the eigenvalues and eigenvectors of the sample covariance **divided by N**; the columns of W beyond q
    are 0: those latents say nothing of the data. A learned noise is the mean of the discarded eigenvalues.

    scikit-learn's `PCA` divides by N - 1. Its model has the covariance c C, c = N/(N - 1), and the average
    log-likelihood of its own training data lies n/2 (log c - 1 + 1/c) nats below the maximum, which is attained here.
    (With N <= n its noise differs as well: it averages min(N, n) - k eigenvalues, not all n - k.)

    Parameters
    ----------
    n_components : int or "mle", default=2
        The number of latents, k, from 1 to n_features; "mle" takes the one of largest evidence by Laplace's method
        (Minka 2000), from 1 to n_features - 1.
    sigma2 : float or "learned", default="learned"
        The variance of the noise. If it is learned and the data have rank at most n_components < n_features (or a rank
        below n_components = n_features), the likelihood has no maximum and `fit` raises a ValueError that says so.

    Attributes
    ----------
    loadings_ : ndarray of shape (n_features, n_components)
        W.
    components_ : ndarray of shape (n_components, n_features)
        The axes u_j as rows, of length 1, as in `PCA`; each with its largest entry positive.
    noise_variance_ : float
        sigma2.
    mean_ : ndarray of shape (n_features,)
    eigenvalues_ : ndarray of shape (n_features,)
        All eigenvalues of the sample covariance divided by N, in descending order; what cannot be told from 0 is 0.
    thresholds_ : ndarray of shape (n_components,)
        The noise at which each latent is lost: lam_j.
    standard_errors_ : ndarray of shape (n_components,)
        Sampling errors of `thresholds_`, to first order; NaN where an eigenvalue is 0 or equals its neighbour. They do
        not include that the largest eigenvalues of few data come out too large. Behind a `StandardScaler` they hold its
        scaling fixed and are mostly larger, up to several times, than those of a scaling fitted anew to other data:
        ``verify.stability(X, k, standardize=True).thresholds`` has these.
    retained_ : int
        How many latents are used: q.
    posterior_covariance_ : ndarray of shape (n_components, n_components)
        The covariance of z given x, the same for every x: sigma2 (W^T W + sigma2 I)^-1, diagonal.
    log_likelihood_ : float
        Average log-likelihood of the training data, in nats per row; `score` of the same data.
    n_components_ : int
    n_samples_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if all column names are strings.

    See Also
    --------
    LinearVAE : the same optimum as an autoencoder, with a weight on the KL.

    Notes
    -----
    Computed in float64; `transform` and `inverse_transform` answer float32 in float32. Sparse input is refused, and
    weights of rows are not supported.

    References
    ----------
    Tipping & Bishop, "Probabilistic principal component analysis", JRSS-B 61 (1999).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from verify.estimators import ProbabilisticPCA
    >>> X = load_iris().data
    >>> model = ProbabilisticPCA(n_components=2).fit(X)
    >>> round(model.noise_variance_, 4), model.retained_
    (0.0507, 2)
    >>> model.transform(X).shape
    (150, 2)
    >>> ProbabilisticPCA(n_components=2, sigma2=1.0).fit(X).retained_
    1
    """

    def __init__(self, n_components: int | str = 2, *, sigma2: float | str = LEARNED) -> None:
        self.n_components = n_components
        self.sigma2 = sigma2

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the maximum of the likelihood.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            At least two rows.
        y : ignored

        Returns
        -------
        self : ProbabilisticPCA
        """
        found = optimum(self._training_rows(X), self.n_components, self.sigma2)
        self.loadings_ = found.W
        self.components_ = np.ascontiguousarray(found.axes.T)
        self.posterior_covariance_ = np.diag(found.D)
        self.log_likelihood_ = found.elbo()
        return self._keep(found)

    def score_samples(self, X: Any) -> Array:
        """log p(x) of each row, in nats.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
        """
        d = self._centred(X)
        q, s = self.retained_, self.noise_variance_
        lam, scores = self.eigenvalues_[:q], d @ self.components_[:q].T
        # Not |d|^2 - |scores|^2, which cancels where the noise is small.
        rest = d - scores @ self.components_[:q]
        n = len(self.mean_)
        # Of all directions nothing is left but rounding errors, which a tiny noise would magnify.
        squares = (scores**2 / lam).sum(axis=1) + ((rest**2).sum(axis=1) / s if q < n else 0.0)
        log_det = float(np.log(lam).sum()) + (n - q) * log(s)
        return np.asarray(-0.5 * (n * log(2 * pi) + log_det + squares))

    def get_covariance(self) -> Array:
        """The covariance of the model, C = W W^T + sigma2 I.

        Returns
        -------
        C : ndarray of shape (n_features, n_features)
        """
        check_is_fitted(self)
        W = self.loadings_
        return np.asarray(W @ W.T + self.noise_variance_ * np.eye(len(W)))

    def get_precision(self) -> Array:
        """The inverse of the covariance of the model, by k x k systems only.

        Returns
        -------
        P : ndarray of shape (n_features, n_features)
        """
        check_is_fitted(self)
        W, s = self.loadings_, self.noise_variance_
        P = ppca.precision_times(np.eye(len(W)), W, ppca.whitened(W, s), s)
        return np.asarray(ppca.symmetrised(P))

    def _decoder(self) -> Array:
        return self.loadings_

    def _encoder(self) -> Array:
        """M^-1 W^T (k, n); of orthogonal columns W^T times D/sigma2."""
        return (self.loadings_ * (np.diagonal(self.posterior_covariance_) / self.noise_variance_)).T
