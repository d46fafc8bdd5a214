"""The estimators where scikit-learn uses them: its own checks, whole; pipelines, searches, data frames, pickles."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from verify.estimators import LinearVAE, ProbabilisticPCA


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
