"""scikit-learn estimators: probabilistic PCA and the linear VAE, each at its global optimum in closed form.

Main       ProbabilisticPCA, LinearVAE.
"""

from verify.estimators.linear_vae import LinearVAE
from verify.estimators.probabilistic_pca import ProbabilisticPCA

__all__ = ["LinearVAE", "ProbabilisticPCA"]
