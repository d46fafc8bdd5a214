"""What both estimators are: a linear decoder of standard normal latents with equal noise in every column.

Notation   x = mean + W z + noise, z ~ N(0, I_k), noise ~ N(0, sigma2 I_n); W (n, k); V (k, n) gives the mean of z.
Main       LinearGaussian, the base class; compute in float64, answer in the type that came.
Reference  scikit-learn's developer guide, "Developing scikit-learn estimators".
"""

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from verify.arrays import Array
from verify.checks import whole_number
from verify.data.covariance import Covariance
from verify.data.entries import check_entries
from verify.errors import InputError
from verify.estimators.optimum import Optimum
from verify.landscape.weighted import noise_at

# What comes in another type is computed with and answered in the first.
TYPES = (np.float64, np.float32)


class LinearGaussian(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The base of `ProbabilisticPCA` and `LinearVAE`: no estimator itself."""

    @abstractmethod
    def _decoder(self) -> Array:
        """W (n, k)."""

    @abstractmethod
    def _encoder(self) -> Array:
        """V (k, n)."""

    @abstractmethod
    def score_samples(self, X: Any) -> Array:
        """Nats of each row.  (N, n) -> (N,)."""

    def _keep(self, found: Optimum) -> Self:
        """What both keep of a fit."""
        data, k = found.data, len(found.D)
        self.n_components_ = k
        self.n_samples_ = int(data.N or 0)
        self.mean_ = np.array(data.mean)
        self.noise_variance_ = found.sigma2
        self.eigenvalues_ = np.array(data.eigenvalues)
        self.thresholds_ = np.array([float(noise_at(float(x), found.beta)) for x in data.eigenvalues[:k]])
        self.standard_errors_ = data.standard_errors(k) / found.beta
        self.retained_ = found.retained
        return self

    def transform(self, X: Any) -> Array:
        """Posterior means of the latents, V (x - mean).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components), of the type of `X` if that is float32, else float64
        """
        X = self._rows(X)
        return ((X.astype(np.float64) - self.mean_) @ self._encoder().T).astype(X.dtype)

    def inverse_transform(self, Z: Any) -> Array:
        """Means of the data given the latents, mean + W z.

        After `transform` that is the mean of x under the model, shrunk by (lam_j - s)/lam_j towards the mean in each
        retained direction, s being the noise: not the orthogonal projection that scikit-learn's `PCA` returns.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)

        Returns
        -------
        X : ndarray of shape (n_samples, n_features), of the type of `Z` if that is float32, else float64
        """
        check_is_fitted(self)
        Z = check_array(Z, dtype=list(TYPES), input_name="Z")
        if Z.shape[1] != self.n_components_:
            raise InputError(f"Z has {Z.shape[1]} columns; give {self.n_components_}, one for each latent")
        return (self.mean_ + Z.astype(np.float64) @ self._decoder().T).astype(Z.dtype)

    def score(self, X: Any, y: Any = None) -> float:
        """The mean of `score_samples`, in nats per row: higher is better, as model selection expects.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        score : float
        """
        return float(self.score_samples(X).mean())

    def sample(self, n_samples: int = 1, random_state: Any = None) -> Array:
        """New data: mean + W z + noise.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, RandomState, Generator or None, default=None

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        if whole_number(n_samples, "n_samples") < 1:
            raise InputError(f"n_samples = {n_samples}: give 1 or more")
        given = isinstance(random_state, np.random.Generator)
        source = random_state if given else check_random_state(random_state)
        z = source.standard_normal(size=(n_samples, self.n_components_))
        noise = source.standard_normal(size=(n_samples, len(self.mean_)))
        drawn: Array = self.mean_ + z @ self._decoder().T + np.sqrt(self.noise_variance_) * noise
        return drawn

    def _training_rows(self, X: Any) -> Array:
        """X (N, n) as numbers, N >= 2."""
        _refuse_covariance(X)
        return validate_data(self, X, dtype=list(TYPES), ensure_min_samples=2)

    def _rows(self, X: Any) -> Array:
        """X (N, n) as numbers, as wide as what was fitted."""
        check_is_fitted(self)
        _refuse_covariance(X)
        X = validate_data(self, X, dtype=list(TYPES), reset=False)
        check_entries(X)  # beyond 1e150 squares overflow
        return X

    def _centred(self, X: Any) -> Array:
        """x - mean (N, n), in double precision."""
        return self._rows(X).astype(np.float64) - self.mean_

    @property
    def _n_features_out(self) -> int:
        """How many names `get_feature_names_out` gives."""
        return int(self.n_components_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = [kind.__name__ for kind in TYPES]
        return tags


def _refuse_covariance(X: Any) -> None:
    """Raises InputError at what `verify.load` returns, which scikit-learn has no words for."""
    if isinstance(X, Covariance):
        raise InputError("X is what load returned, a covariance; give the rows themselves, an array or a DataFrame")
