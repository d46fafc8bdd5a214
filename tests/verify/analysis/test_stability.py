"""The document of `stability`: the best of all sets at each noise, thresholds, what is not certified."""

import pytest

from verify.analysis.stability import stability
from verify.analysis.stationary import stationary
from verify.data.covariance import from_eigenvalues

SPECTRUM = [6.0, 4.0, 2.5, 1.2, 0.5]


@pytest.fixture
def spectrum():
    return from_eigenvalues(SPECTRUM)


def test_stability_finds_the_best_of_all_sets_at_each_noise(spectrum):
    document = stability(spectrum, 3)
    assert len(document["noise"]) > 10
    for row in document["noise"]:
        best, _ = stationary(spectrum, 3, sigma2=row["sigma2"])
        top = best["points"][0]
        assert row["value"] == pytest.approx(top["value"], rel=1e-13)
        assert row["retained"] == len(top["retained"]) == 3 - row["collapsed"]
        assert row["margin"] == min(abs(x - row["sigma2"]) for x in SPECTRUM[:3])
    assert [t["eigenvalue"] for t in document["thresholds"]] == SPECTRUM[:3]


def test_the_recommended_noise_keeps_all_and_the_threshold_does_not(spectrum):
    document = stability(spectrum, 3)
    start = document["recommended_sigma2"]
    rows = stability(spectrum, 3, [start, SPECTRUM[2]])["noise"]
    assert [row["collapsed"] for row in rows] == [0, 1]
    assert stability(from_eigenvalues([1.0, 0.0]), 2)["recommended_sigma2"] is None


def test_nothing_is_certified_and_the_document_says_so(spectrum):
    document = stability(spectrum, 3)
    assert {row["certified"] for row in document["noise"]} == {"not requested"}
    assert {threshold["radius"] for threshold in document["thresholds"]} == {None}
