"""The estimators where scikit-learn uses them: its own checks, whole; pipelines, searches, data frames, pickles."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.verify.estimators.rows import rows
from verify import load, stability
from verify.errors import InputError
from verify.estimators import LinearVAE, ProbabilisticPCA

X = rows(120)
BOTH = pytest.mark.parametrize("kind", [ProbabilisticPCA, LinearVAE])


@parametrize_with_checks(
    [
        ProbabilisticPCA(),
        ProbabilisticPCA(1, sigma2=0.5),
        LinearVAE(),
        LinearVAE(1, sigma2=0.5, beta=4.0),
    ]
)
def test_it_passes_every_check_of_scikit_learn(estimator, check):
    check(estimator)


def test_and_those_that_need_a_variable_of_the_environment():
    """scipy reads SCIPY_ARRAY_API when it is imported, so that these checks are skipped above."""
    code = (
        "import warnings; warnings.simplefilter('error')\n"
        "from sklearn.utils.estimator_checks import check_estimator\n"
        "from verify.estimators import LinearVAE, ProbabilisticPCA\n"
        "for estimator in (ProbabilisticPCA(), LinearVAE()):\n"
        "    found = check_estimator(estimator)\n"
        "    assert len(found) > 40 and {check['status'] for check in found} == {'passed'}, found\n"
    )
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


@BOTH
def test_a_pipeline_scores_and_goes_back(kind):
    pipe = make_pipeline(StandardScaler(), kind(2)).fit(X)
    assert pipe.transform(X).shape == (120, 2)
    assert pipe.score(X) == pytest.approx(kind(2).fit(StandardScaler().fit_transform(X)).score(pipe[0].transform(X)))
    assert pipe.inverse_transform(pipe.transform(X)).shape == X.shape
    assert list(pipe.get_feature_names_out()) == [f"{kind.__name__.lower()}{i}" for i in range(2)]


@BOTH
def test_a_search_finds_the_noise_and_the_number_of_latents(kind):
    rng = np.random.default_rng(0)
    planted = rng.normal(size=(300, 2)) @ rng.normal(size=(2, 6)) * 3 + rng.normal(size=(300, 6))
    grid = {"n_components": [1, 2, 4], "sigma2": ["learned", 0.1, 1.0, 10.0]}
    search = GridSearchCV(kind(), grid, cv=3, error_score="raise").fit(planted)
    assert search.best_params_["n_components"] == 2 and search.best_params_["sigma2"] in ("learned", 1.0)
    assert search.best_estimator_.score(planted) == search.score(planted)
    assert np.isfinite(cross_val_score(kind(2), planted, cv=3)).all()


def test_a_search_over_beta_is_one_of_bounds_of_the_same_likelihood():
    search = GridSearchCV(LinearVAE(3, sigma2=0.5), {"beta": [0.1, 1.0, 10.0]}, cv=3).fit(X)
    assert search.best_params_ == {"beta": 1.0}  # were the KL weighted by beta, the least would win


@BOTH
def test_frames_come_out_where_frames_are_asked_for(kind):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=[f"gene {i}" for i in range(5)], index=[f"cell {i}" for i in range(120)])
    model = kind(2).set_output(transform="pandas").fit(frame)
    found = model.transform(frame)
    assert list(found.columns) == list(model.get_feature_names_out()) and list(found.index) == list(frame.index)
    assert list(model.feature_names_in_) == list(frame.columns) and model.n_features_in_ == 5
    np.testing.assert_array_equal(found.to_numpy(), kind(2).fit(X).transform(X))
    assert model.inverse_transform(found).shape == X.shape
    with pytest.raises(ValueError, match="feature names"):
        model.transform(frame.rename(columns={"gene 0": "gene 9"}))


@BOTH
def test_copies_and_pickles_give_the_same(kind):
    model = kind(2, sigma2=0.5).fit(X)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.transform(X), model.transform(X))
    copy = clone(model)
    assert copy.get_params() == model.get_params() and not hasattr(copy, "mean_")
    with pytest.raises(NotFittedError):
        copy.score(X)
    for call in (copy.sample, lambda: copy.inverse_transform(X[:, :2])):
        with pytest.raises(NotFittedError):
            call()


@BOTH
def test_single_precision_stays_so_outside_and_is_double_inside(kind):
    single = X.astype(np.float32)
    model, other = kind(2).fit(single), kind(2).fit(single.astype(np.float64))
    Z = model.transform(single)
    assert Z.dtype == np.float32 and model.inverse_transform(Z).dtype == np.float32
    assert model.mean_.dtype == model.eigenvalues_.dtype == model.score_samples(single).dtype == np.float64
    np.testing.assert_array_equal(model.eigenvalues_, other.eigenvalues_)
    np.testing.assert_array_equal(Z, other.transform(single.astype(np.float64)).astype(np.float32))
    assert model.transform(np.ones((2, 5), dtype=int)).dtype == np.float64


@BOTH
def test_what_is_not_supported_is_refused(kind):
    with pytest.raises(TypeError, match="parse data was passed"):
        kind(2).fit(sparse.csr_array(X))
    with pytest.raises(TypeError, match="sample_weight"):
        kind(2).fit(X, sample_weight=np.ones(120))
    with pytest.raises(InputError, match="n_components"):
        kind(6).fit(X)
    model = kind(2).fit(X)
    with pytest.raises(InputError, match="3 columns; give 2"):
        model.inverse_transform(X[:, :3])
    with pytest.raises(InputError, match="n_samples = 0"):
        model.sample(0)
    with pytest.raises(InputError, match="beyond 1e\\+150"):
        model.score(X * 1e200)
    with pytest.raises(ValueError, match="5 features"):
        model.transform(X[:, :4])


@BOTH
def test_a_covariance_is_no_rows_and_an_estimator_no_data(kind):
    model = kind(2).fit(X)
    for call in (kind(2).fit, kind(2).fit_transform, model.transform, model.score):
        with pytest.raises(InputError, match=r"^X is what load returned, a covariance; give the rows [^\n]*DataFrame$"):
            call(load(X))
    with pytest.raises(InputError, match=rf"the data are a {kind.__name__}, an estimator; give the rows [^\n]*$"):
        stability(model, 2)


@BOTH
def test_behind_a_scaler_errors_hold_it_fixed_and_those_of_stability_refit_it(kind):
    model = make_pipeline(StandardScaler(), kind(2)).fit(X)[-1]
    refitted = stability(X, 2, standardize=True).thresholds
    np.testing.assert_allclose(model.thresholds_, [row["sigma2"] for row in refitted], rtol=1e-9)
    held = stability(StandardScaler().fit_transform(X), 2).thresholds
    np.testing.assert_allclose(model.standard_errors_, [row["standard_error"] for row in held], rtol=1e-9)
    assert model.standard_errors_[0] > 1.05 * refitted[0]["standard_error"]
