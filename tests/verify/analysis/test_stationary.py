"""The documents say what the definitions say: gradients vanish, dense Hessians have the index, sets are all there."""

from itertools import combinations
from math import comb

import numpy as np
import pytest

from reports.analysis.landscape import landscape
from verify.analysis.listing import BEST, LISTED
from verify.analysis.stability import stability
from verify.analysis.stationary import save_points, stationary
from verify.data.covariance import covariance, from_eigenvalues
from verify.errors import InputError
from verify.models import linear_vae, ppca
from verify.words.lists import how_found, readable

SPECTRUM = [6.0, 4.0, 2.5, 1.2, 0.5]
LAM = np.array(SPECTRUM)
# Dense Hessians of these sizes have eigenvalues accurate to about 1e-14 of their norm.
ZERO = 1e-9


@pytest.fixture
def spectrum():
    return from_eigenvalues(SPECTRUM)


def saved(tmp_path, points, data):
    save_points(tmp_path / "points.npz", points, data)
    with np.load(tmp_path / "points.npz", allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


@pytest.mark.parametrize("sigma2", [1.0, None])
@pytest.mark.parametrize("objective", ["ppca", "elbo"])
def test_saved_points_are_stationary_and_have_the_index_of_the_dense_hessian(objective, sigma2, tmp_path):
    X = np.random.default_rng(3).normal(size=(40, 5)) * [3, 2, 1.5, 1, 0.7]
    data = covariance(X)
    S = np.cov(X.T, bias=True)
    document, points = stationary(data, 2, sigma2=sigma2, objective=objective)
    arrays = saved(tmp_path, points, data)
    gradient = ppca.gradient if objective == "ppca" else linear_vae.profile_gradient
    hessian = ppca.hessian if objective == "ppca" else linear_vae.profile_hessian
    value = ppca.log_likelihood if objective == "ppca" else linear_vae.profile_elbo
    assert document["count"] == len(points) > 3
    for entry, W, noise in zip(document["points"], arrays["W"], arrays["sigma2"], strict=True):
        assert np.abs(gradient(W, noise, S)).max() < 1e-9
        assert np.abs(gradient(W + 0.1, noise, S)).max() > 1e-3  # control: elsewhere it does not vanish
        assert entry["value"] == pytest.approx(float(value(W, noise, S)), rel=1e-10)
        of = np.linalg.eigvalsh(hessian(W, noise, S))
        assert (entry["index"], entry["nullity"]) == ((of > ZERO).sum(), (np.abs(of) <= ZERO).sum())
        rate = entry["escape"]["rate"] if entry["escape"] else 0.0
        assert rate == pytest.approx(max(of.max(), 0.0), abs=1e-9)


def test_the_saved_encoder_is_optimal(spectrum, tmp_path):
    document, points = stationary(spectrum, 2, sigma2=1.0, objective="elbo")
    arrays = saved(tmp_path, points, spectrum)
    np.testing.assert_array_equal(arrays["eigenvectors"], np.eye(5))
    for entry, W, V, D in zip(document["points"], arrays["W"], arrays["V"], arrays["D"], strict=True):
        slopes = linear_vae.gradients(W, V, D, 1.0, np.diag(LAM))
        assert max(np.abs(part).max() for part in (slopes.W, slopes.V, slopes.D)) < 1e-12
        assert entry["value"] == pytest.approx(float(linear_vae.elbo(W, V, D, 1.0, np.diag(LAM))), rel=1e-13)
        gap = float(ppca.log_likelihood(W, 1.0, np.diag(LAM))) - entry["value"]
        assert entry["bound_gap"] == pytest.approx(gap, abs=1e-13)
        assert entry["orthogonal"] == (entry["bound_gap"] == 0.0)


def test_blocks_cover_all_columns_and_count_from_one(spectrum):
    document, _ = stationary(spectrum, 3, sigma2=1.0, objective="elbo")
    for entry in document["points"]:
        columns = [c for block in entry["blocks"] for c in block["columns"]]
        assert columns == [1, 2, 3]
        assert sorted(i for block in entry["blocks"] for i in block["eigen"]) == entry["retained"]
        zero = [block["m"] for block in entry["blocks"] if not block["eigen"]]
        assert zero == [1.0] * len(zero)


@pytest.mark.parametrize("k", [1, 2, 4, 5])
@pytest.mark.parametrize("sigma2", [0.1, 1.0, 3.0, 7.0])
def test_at_fixed_noise_every_set_above_the_noise_is_listed_once(spectrum, k, sigma2):
    document, _ = stationary(spectrum, k, sigma2=sigma2)
    above = [i for i in range(1, 6) if SPECTRUM[i - 1] > sigma2]
    expected = {chosen for q in range(k + 1) for chosen in combinations(above, q)}
    assert {tuple(entry["retained"]) for entry in document["points"]} == expected
    assert document["count"] == len(expected) == len(document["points"])


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_at_learned_noise_every_valid_set_is_listed_with_the_mean_of_the_discarded(spectrum, k):
    document, _ = stationary(spectrum, k, sigma2=None)
    expected = {}
    for q in range(min(k, 4) + 1):
        for chosen in combinations(range(5), q):
            mean = np.delete(LAM, chosen).mean()
            if all(LAM[i] > mean for i in chosen):
                expected[tuple(i + 1 for i in chosen)] = mean
    if k == 5:  # of the curve of maxima, which ends in the set of four, one point is listed
        del expected[1, 2, 3, 4]
        expected[1, 2, 3, 4, 5] = document["continuum"]["largest_sigma2"] / 2
    assert (document["continuum"] is not None) == (k == 5)
    found = {tuple(entry["retained"]): entry["sigma2"] for entry in document["points"]}
    assert found == pytest.approx(expected, rel=1e-14)
    assert document["count"] == len(expected) < sum(comb(5, q) for q in range(k + 1))
    assert document["sigma2"] is None


def test_the_best_comes_first_and_deficits_are_measured_from_it(spectrum):
    document, _ = stationary(spectrum, 3, sigma2=1.0, objective="elbo")
    values = [entry["value"] for entry in document["points"]]
    assert values == sorted(values, reverse=True)
    assert [entry["deficit"] for entry in document["points"]] == [values[0] - v for v in values]
    assert [entry["global"] for entry in document["points"]] == [True] + [False] * (len(values) - 1)


def test_top_is_the_beginning_of_the_whole_list(spectrum):
    for objective in ("ppca", "elbo"):
        whole, _ = stationary(spectrum, 3, sigma2=1.0, objective=objective)
        part, points = stationary(spectrum, 3, sigma2=1.0, objective=objective, top=4)
        assert part["points"] == whole["points"][:4]
        assert (part["count"], part["truncated"], len(points)) == (whole["count"], True, 4)
        assert not whole["truncated"] and how_found(whole) is None
        assert readable(whole["count"]) in str(how_found(part))


def test_too_many_points_are_counted_and_the_best_are_shown():
    document, _ = stationary(from_eigenvalues(np.arange(20.0, 0, -1)), 8, sigma2=0.5)
    assert document["count"] == sum(comb(20, q) for q in range(9)) > LISTED
    assert len(document["points"]) == BEST and document["truncated"]


@pytest.mark.parametrize(("objective", "sigma2"), [("ppca", None), ("elbo", 0.5), ("elbo", None)])
def test_what_only_a_search_could_count_has_no_count(objective, sigma2):
    lam = 2.0 ** np.arange(30) if objective == "elbo" else 1 + 1e-3 * np.arange(40)
    document, _ = stationary(from_eigenvalues(lam), 12, sigma2=sigma2, objective=objective)
    assert document["count"] is None and document["truncated"] and len(document["points"]) == BEST
    said = str(how_found(document))
    assert "e+" in said and "best" in said
    assert ("left out" in said) == (objective == "elbo" and sigma2 is None)


def test_a_search_that_ends_knows_the_count():
    # Far above the spectrum only W = 0 is stationary, though 218593 structures compete.
    document, _ = stationary(from_eigenvalues(np.ones(64)), 3, sigma2=100.0, objective="elbo")
    assert (document["count"], document["truncated"], len(document["points"])) == (1, False, 1)


@pytest.mark.parametrize("k", [2, 3, 4])
@pytest.mark.parametrize("objective", ["ppca", "elbo"])
def test_learned_noise_without_a_maximum_is_refused(objective, k):
    data = from_eigenvalues([2.0, 1.0, 0.0, 0.0])
    with pytest.raises(InputError, match="unbounded"):
        stationary(data, k, sigma2=None, objective=objective)
    assert stationary(data, k, sigma2=0.1, objective=objective)[0]["points"]  # control: fixed is fine
    assert stability(data, k)["sigma2_mle"] is None
    assert stability(data, 1)["sigma2_mle"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("factor", [1e-70, 1e-30, 1e70])
@pytest.mark.parametrize("objective", ["ppca", "elbo"])
def test_verdicts_do_not_depend_on_the_unit(factor, objective):
    def verdicts(scale, sigma2):
        data = from_eigenvalues(LAM * scale)
        document, _ = stationary(data, 2, sigma2=sigma2, objective=objective)
        return [(e["retained"], e["index"], e["nullity"], e["kind"]) for e in document["points"]]

    for sigma2 in (1.0, None):
        assert verdicts(factor, sigma2 and factor) == verdicts(1.0, sigma2)


@pytest.mark.parametrize("lam", [[1e-80, 1e-81], [1e80, 1.0], [1.0, 1e-80]])
def test_scales_at_which_closed_forms_would_overflow_are_refused(lam):
    data = from_eigenvalues(lam)
    for compute in (
        lambda: stationary(data, 1, sigma2=1.0),
        lambda: stability(data, 1),
        lambda: landscape(data, 1),
    ):
        with pytest.raises(InputError, match="multiply the data"):
            compute()
    with pytest.raises(InputError, match="sigma2"):
        stability(from_eigenvalues([1.0]), 1, [1e-80])


def test_blocks_that_span_more_than_rounding_can_resolve_are_refused():
    data = from_eigenvalues([1e10, 1.0, 1e-9])
    with pytest.raises(InputError, match="larger sigma2"):
        stationary(data, 2, sigma2=1e-9, objective="elbo")
    # control: the likelihood has closed forms throughout, and a larger noise is fine
    assert len(stationary(data, 2, sigma2=1e-9)[0]["points"]) == 4
    document, _ = stationary(data, 2, sigma2=1e-1, objective="elbo")
    assert all(p["index"] > 0 for p in document["points"] if not p["orthogonal"])


def test_points_that_would_fill_the_disk_are_refused(spectrum, tmp_path, monkeypatch):
    _, points = stationary(spectrum, 2, sigma2=1.0)
    monkeypatch.setattr("verify.analysis.stationary.MOST_BYTES", 1000)
    with pytest.raises(InputError, match="--top"):
        save_points(tmp_path / "points.npz", points, spectrum)
    assert not list(tmp_path.iterdir())
