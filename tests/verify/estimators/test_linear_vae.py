"""The linear VAE: its score by draws from its encoder, its optimum beside probabilistic PCA, beta, what collapses."""

import numpy as np
import pytest

from tests.verify.estimators.rows import covariance_of, rows
from verify.estimators import LinearVAE, ProbabilisticPCA
from verify.models import linear_vae

X, NEW = rows(), rows(20, seed=5) * 1.3
S = covariance_of(X)
LAM = np.linalg.eigvalsh(S)[::-1]
MODELS = [
    LinearVAE(2),
    LinearVAE(3, sigma2=2.0),
    LinearVAE(3, sigma2=0.3, beta=4.0),
    LinearVAE(3, beta=0.5),
    LinearVAE(2, sigma2=100.0),
]
each_model = pytest.mark.parametrize("model", MODELS, ids=str)


@each_model
def test_the_score_is_what_draws_from_the_encoder_give(model):
    """E_q log p(x|z) + log p(z) - log q(z|x), by draws and by nothing else."""
    model.fit(X)
    W, D, s = model.decoder_, model.encoder_variance_, model.noise_variance_
    draws = np.random.default_rng(0).normal(size=(40_000, model.n_components_))
    for x, found in zip(NEW[:3], model.score_samples(NEW[:3]), strict=True):
        z = model.encoder_ @ (x - model.mean_) + np.sqrt(D) * draws
        of_x = -0.5 * (((x - model.mean_ - z @ W.T) ** 2).sum(axis=1) / s + 5 * np.log(2 * np.pi * s))
        of_z = -0.5 * (z**2).sum(axis=1)
        of_q = -0.5 * ((draws**2).sum(axis=1) + np.log(D).sum())
        value = of_x + of_z - of_q
        error = value.std() / np.sqrt(len(value))
        assert abs(found - value.mean()) < 5 * error + 1e-9 * abs(found)
        assert error < 0.05


@each_model
def test_training_data_have_the_elbo_that_is_kept(model):
    model.fit(X)
    W, V, D, s = model.decoder_, model.encoder_, model.encoder_variance_, model.noise_variance_
    expected = linear_vae.elbo(W, V, D, s, S)
    assert model.elbo_ == pytest.approx(expected, rel=1e-12)
    assert model.score(X) == pytest.approx(expected, rel=1e-12)
    kl = linear_vae.kl(V, D, S)
    assert model.kl_.sum() == pytest.approx(kl, rel=1e-12, abs=1e-12)
    assert model.objective_ == pytest.approx(expected - (model.beta - 1) * kl, rel=1e-12)


@pytest.mark.parametrize("sigma2", ["learned", 0.3, 2.0])
def test_with_weight_one_it_is_probabilistic_pca(sigma2):
    """The encoder is the posterior: the ELBO of every datum is its likelihood (theory 3.3)."""
    vae, ppca = LinearVAE(3, sigma2=sigma2).fit(X), ProbabilisticPCA(3, sigma2=sigma2).fit(X)
    np.testing.assert_allclose(vae.score_samples(NEW), ppca.score_samples(NEW), rtol=1e-11)
    np.testing.assert_allclose(vae.transform(NEW), ppca.transform(NEW), rtol=1e-11, atol=1e-13)
    np.testing.assert_array_equal(vae.sample(4, random_state=0), ppca.sample(4, random_state=0))
    assert vae.retained_ == ppca.retained_ and vae.noise_variance_ == ppca.noise_variance_
    weighted = LinearVAE(3, sigma2=sigma2, beta=2.0).fit(X)
    assert weighted.elbo_ < vae.elbo_ - 1e-3  # with another weight it is less


def test_beta_is_a_noise():
    """What is retained, and both maps, are those of the VAE at beta sigma2 (theory 3.9)."""
    weighted, plain = LinearVAE(4, sigma2=0.3, beta=5.0).fit(X), LinearVAE(4, sigma2=1.5).fit(X)
    for name in ("decoder_", "encoder_", "encoder_variance_", "kl_"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(plain, name), rtol=1e-13)
    np.testing.assert_allclose(5 * weighted.thresholds_, plain.thresholds_, rtol=1e-13)
    np.testing.assert_allclose(5 * weighted.standard_errors_, plain.standard_errors_, rtol=1e-13)
    assert weighted.noise_variance_ == 0.3 and plain.noise_variance_ == 1.5


def test_what_has_collapsed_is_the_prior():
    model = LinearVAE(4, sigma2=2.0).fit(X)
    kept = int((LAM[:4] > 2.0).sum())
    assert 0 < model.retained_ == kept < 4
    np.testing.assert_array_equal(model.collapsed_, np.arange(4) >= kept)
    assert np.all(model.encoder_variance_[kept:] == 1) and np.all(model.encoder_[kept:] == 0)
    assert np.all(model.kl_[kept:] == 0) and np.all(model.kl_[:kept] > 0)
    assert model.transform(NEW)[:, ~model.collapsed_].shape == (20, kept)
    below = LinearVAE(4, sigma2=float(model.thresholds_[kept]) * 0.999).fit(X)
    above = LinearVAE(4, sigma2=float(model.thresholds_[kept]) * 1.001).fit(X)
    assert (below.retained_, above.retained_) == (kept + 1, kept)


def test_second_moments_are_one():
    """mean mu_i^2 + D_i = 1 in each latent of an optimum (theory 6.4)."""
    model = LinearVAE(4, sigma2=0.3, beta=2.0).fit(X)
    moments = (model.transform(X) ** 2).mean(axis=0) + model.encoder_variance_
    np.testing.assert_allclose(moments, 1, rtol=1e-12)
    moments = (model.transform(NEW) ** 2).mean(axis=0) + model.encoder_variance_
    assert not np.allclose(moments, 1, rtol=1e-3)  # of other data they are not
