"""Documents with --beta: numbers against the objective written out at the W, V, D that are saved; refusals."""

import numpy as np
import pytest

from reports.analysis.landscape import landscape
from tests.reports.schemas import check
from tests.reports.spectra import measured
from verify.analysis.stability import stability
from verify.analysis.stationary import save_points, stationary
from verify.data.covariance import from_eigenvalues
from verify.eigenvalues import Written
from verify.errors import InputError
from verify.landscape.weighted import noise_at
from verify.models import linear_vae
from verify.models.beta_vae import fixed_noise_optimum
from verify.words.wording import stability_verdict

LAM = np.array([6.0, 4.0, 2.5, 1.2, 0.3])
CASES = [(0.5, 4.0), (2.0, 0.4)]


def weighted_elbo(W, V, D, sigma2, beta):
    S = np.diag(LAM)
    return float(linear_vae.reconstruction(W, V, D, sigma2, S) - beta * linear_vae.kl(V, D, S))


@pytest.mark.parametrize(("sigma2", "beta"), CASES)
def test_values_are_those_of_the_objective_at_what_is_saved(sigma2, beta, tmp_path):
    data = from_eigenvalues(LAM)
    document, points = stationary(data, 3, sigma2=sigma2, objective="elbo", beta=beta)
    check("stationary", document)
    assert (document["beta"], document["sigma2"]) == (beta, sigma2)
    save_points(tmp_path / "points.npz", points, data, beta)
    with np.load(tmp_path / "points.npz") as saved:
        assert float(saved["beta"]) == beta and set(saved["sigma2"].tolist()) == {sigma2}
        kept = [saved[name] for name in ("W", "V", "D")]
    values = [weighted_elbo(*at, sigma2, beta) for at in zip(*kept, strict=True)]
    told = [p["value"] for p in document["points"]]
    assert told == pytest.approx(values, rel=1e-12)
    assert told == sorted(told, reverse=True)
    assert [p["deficit"] for p in document["points"]] == [told[0] - v for v in told]
    # Control: the same without the weight is another list.
    assert weighted_elbo(*(a[0] for a in kept), sigma2, 1.0) != pytest.approx(told[0], abs=1e-3)


@pytest.mark.parametrize(("sigma2", "beta"), CASES)
def test_the_best_point_and_the_noise_table_agree(sigma2, beta):
    data = from_eigenvalues(LAM)
    best = stationary(data, 3, sigma2=sigma2, objective="elbo", beta=beta)[0]["points"][0]
    row = check("stability", stability(data, 3, [sigma2], beta=beta))["noise"][0]
    assert row["retained"] == len(best["retained"]) and best["global"] and best["escape"] is None
    assert row["value"] == pytest.approx(best["value"], rel=1e-13)
    assert row["value"] == pytest.approx(fixed_noise_optimum(LAM, 3, sigma2, beta), rel=1e-13)


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
def test_with_weight_one_nothing_changes(objective):
    data = from_eigenvalues(LAM)
    for sigma2 in (1.0, None):
        plain = stationary(data, 2, sigma2=sigma2, objective=objective)[0]
        assert plain == stationary(data, 2, sigma2=sigma2, objective=objective, beta=1)[0] and plain["beta"] == 1
    assert stability(data, 2) == stability(data, 2, beta=1.0)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"sigma2": 1.0, "objective": "ppca"}, "no KL.*--objective elbo"),
        ({"sigma2": None, "objective": "elbo"}, "learned noise.*--sigma2"),
    ],
)
def test_where_a_weight_means_nothing_it_is_refused(asked, said):
    with pytest.raises(InputError, match=said):
        stationary(from_eigenvalues(LAM), 2, beta=4.0, **asked)


@pytest.mark.parametrize("beta", [0.25, 4.0])
def test_thresholds_are_shares_of_the_eigenvalues(beta):
    facts = check("stability", stability(from_eigenvalues(LAM), 4, beta=beta))
    assert [t["eigenvalue"] for t in facts["thresholds"]] == LAM[:4].tolist()
    assert [t["sigma2"] for t in facts["thresholds"]] == pytest.approx(LAM[:4] / beta, rel=1e-15)
    for row in facts["noise"]:
        assert row["retained"] == min(4, int((LAM / beta > row["sigma2"]).sum()))
    assert {0, 4} <= {row["retained"] for row in facts["noise"]}  # the grid sees both ends
    values = [fixed_noise_optimum(LAM, 4, s, beta) for s in np.geomspace(1e-3, 1e3, 4001)]
    assert fixed_noise_optimum(LAM, 4, facts["sigma2_learned"], beta) >= max(values)
    said = stability_verdict(facts)
    assert f"With beta = {beta:g}" in said and f"below lam_4/{beta:g} = {1.2 / beta:g} keeps" in said


def test_a_decimal_noise_times_a_decimal_weight_is_compared_exactly():
    data = from_eigenvalues([1.0, 0.3, 0.1])
    facts = stability(data, 2, [Written("0.1")], beta=Written("3"))
    row = facts["noise"][0]
    assert (row["effective_sigma2"], row["tied"], row["retained"], row["margin"]) == (0.3, [2], 1, 0.0)
    assert any("lam_2 equals beta sigma2 = 0.3" in note for note in facts["notes"])
    document = stationary(data, 2, sigma2=Written("0.1"), objective="elbo", beta=Written("3"))[0]
    assert document["tied"] == [2] and any("3 sigma2 = 0.3 equals lam_2" in note for note in document["notes"])


def test_rounding_and_sampling_are_judged_at_beta_sigma2():
    data = measured(5.0, 2.0, 0.25, error=1e-12, sampling=0.1)
    row = stability(data, 2, [0.5], beta=4.0)["noise"][0]
    assert row["undecided"] == [2] and (row["retained"], row["retained_at_most"]) == (1, 2)
    assert stability(data, 2, [0.5])["noise"][0]["undecided"] == []  # control
    assert stability(data, 2, [0.51], beta=4.0)["noise"][0]["sampling_range"] == [1, 2]
    assert stability(data, 2, [0.6], beta=4.0)["noise"][0]["sampling_range"] == [1, 1]


@pytest.mark.parametrize(("lam", "k", "beta"), [([3.0, 1.0, 0.0, 0.0], 2, 0.5), ([3.0, 1.0], 2, 0.5)])
def test_a_learned_noise_that_runs_to_zero_is_said(lam, k, beta):
    facts = check("stability", stability(from_eigenvalues(lam), k, beta=beta))
    assert facts["sigma2_learned"] is None
    assert any("beta = 0.5 is unbounded" in note for note in facts["notes"])


def test_a_large_weight_bounds_what_the_likelihood_does_not():
    facts = check("stability", stability(from_eigenvalues([3.0, 1.0, 0.0, 0.0]), 2, beta=3.0))
    assert facts["sigma2_mle"] is None and facts["sigma2_learned"] > 0
    assert any(note.startswith("with beta = 3 a learned noise goes") for note in facts["notes"])


@pytest.mark.parametrize("beta", [0.4, 4.0])
def test_slices_are_those_of_the_weighted_elbo_with_its_best_encoder(beta):
    document, _ = landscape(from_eigenvalues(LAM), 4, [0.5], (3, 5), grid=5, beta=beta)
    piece = check("landscape", document)["slices"][0]
    s, held = beta * 0.5, [i - 1 for i in piece["retained"]]
    assert held == [0, 1] and document["beta"] == beta
    values = np.zeros((5, 5))
    for i, a in enumerate(piece["a"]):
        for j, b in enumerate(piece["b"]):
            W = np.zeros((5, 4))
            W[held, held] = np.sqrt(LAM[held] - s)
            W[2, 2], W[4, 3] = a, b
            values[i, j] = weighted_elbo(W, *linear_vae.optimal_encoder(W, s), 0.5, beta)
    np.testing.assert_allclose(piece["values"], values, rtol=1e-12)
    h, top = 1e-4, values[2, 2]  # a parabola at the centre
    fine = landscape(from_eigenvalues(LAM), 4, [0.5], (3, 5), grid=3, extent=h, beta=beta)[0]["slices"][0]["values"]
    bend = [2 * (fine[2][1] - top) / h**2, 2 * (fine[1][2] - top) / h**2]
    assert piece["curvatures"] == pytest.approx(bend, rel=1e-4)


def test_slices_stand_at_shares_of_the_eigenvalues():
    lam = [9.0, 7.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.5]
    document, _ = landscape(from_eigenvalues(lam), 5, grid=3, beta=3.0)
    assert [p["sigma2"] for p in document["slices"]] == pytest.approx([4 / 3, 2 / 3, 0.5 / 3], rel=1e-15)
    assert [p["unstable"] for p in document["slices"]] == [0, 1, 2]
    # A third of lam_2 is no decimal; towards u_2 the point at that noise is flat all the same.
    for noise, flat in ((noise_at(7.0, 3.0), True), (7 / 3, False)):
        piece = landscape(from_eigenvalues(lam), 1, [noise], (2, 3), 3, beta=3.0)[0]["slices"][0]
        assert (piece["curvatures"][0] == 0.0) == flat and piece["curvatures"][1] < 0
