"""A report tells of the noises that were named, and of the weight of the KL: verdict, tables, pictures, portrait."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure

from reports.analysis.portrait import portrait
from reports.analysis.report import compute
from reports.cli import main
from reports.stability_page import captions
from reports.stability_page.figures import likelihood, retained, scree
from tests.reports.schemas import check
from verify.analysis.stability import USUAL_NOISE
from verify.analysis.stationary import stationary
from verify.data.covariance import covariance, from_eigenvalues
from verify.models.beta_vae import fixed_noise_optimum
from verify.words.wording import reason_for_noise, told_of, verdict

LAM = [6.0, 4.0, 2.5, 1.2, 0.5]


def of(k=3, **asked):
    return compute(from_eigenvalues(LAM), k, "x", **asked)[0]


def test_without_names_it_tells_of_the_usual_noise():
    document = of()
    assert document["named"] == [] and [row["sigma2"] for row in told_of(document)] == [USUAL_NOISE]
    assert verdict(document).startswith("At sigma2 = 1, the usual default, no latent collapses")


def test_verdict_tables_and_pictures_tell_of_what_is_named():
    document = of(named=[3.0, 0.7, 5.0])
    assert [(row["sigma2"], row["retained"]) for row in document["named"]] == [(3.0, 2), (0.7, 3), (5.0, 1)]
    assert document["usual"] == document["named"][0]
    said = verdict(document)
    assert said.startswith(
        "At sigma2 = 3, 1 of 3 latents collapses; at sigma2 = 0.7, no latent collapses; at sigma2 = 5, 2 of 3 latents "
        "collapse: each is the global optimum there; every noise below lam_3 = 2.5 keeps all 3"
    )
    assert "usual" not in said and "sigma2 = 1" not in said
    asked = [(table["objective"], table["sigma2"]) for table in document["stationary"]]
    assert asked == [(objective, s) for objective in ("ppca", "elbo") for s in (3.0, 0.7, 5.0, None)]
    for picture in (retained, likelihood):
        assert all(f"sigma2 = {s}" in picture.caption(document) for s in ("3", "0.7", "5"))
        assert "sigma2 = 1" not in picture.caption(document)


def test_one_that_is_named_is_not_called_usual():
    assert verdict(of(named=[3.0])).startswith("At sigma2 = 3, 1 of 3 latents collapses, and that is the global")
    assert verdict(of(named=[1.0])).startswith("At sigma2 = 1, no latent collapses")
    assert "equals the noise" in verdict(of(named=[3.0, 2.5])) and "equals" not in verdict(of(named=[3.0, 2.4]))


def test_with_a_weight_all_speaks_of_the_weighted_elbo():
    document = of(named=[0.5], beta=4.0)
    row = document["usual"]
    assert (row["effective_sigma2"], row["retained"]) == (2.0, 3)
    assert row["value"] == pytest.approx(fixed_noise_optimum(np.array(LAM), 3, 0.5, 4.0), rel=1e-13)
    assert [(t["objective"], t["sigma2"], t["beta"]) for t in document["stationary"]] == [("elbo", 0.5, 4.0)]
    assert (
        document["stationary"][0]
        == stationary(from_eigenvalues(LAM), 3, sigma2=0.5, objective="elbo", top=8, beta=4.0)[0]
    )
    assert document["figure2"] is None and any("not shown" in n and "no KL" in n for n in document["notes"])
    assert "below lam_3/4 = 0.625" in verdict(document) and "beta = 4" in verdict(document)
    assert "below lam_3/4 = 0.625" in reason_for_noise(document)
    assert "lam_j/4" in scree.caption(document) and "lam_1/4 = 1.5" in scree.caption(document)
    assert likelihood.caption(document).startswith("ELBO with beta = 4")
    ties = [(p["sigma2"], LAM[p["eigenvalue"] - 1] / 4) for p in document["figure1"]["panels"] if p["eigenvalue"]]
    assert len(ties) > 1 and all(sigma2 == pytest.approx(share, rel=1e-15) for sigma2, share in ties)


def test_the_highest_point_of_the_curve_is_where_a_learned_noise_goes():
    document = of(beta=4.0)
    best = document["stability"]["sigma2_learned"]
    rows = document["stability"]["noise"]
    top = max(rows, key=lambda row: row["value"])["sigma2"]
    assert top == pytest.approx(best, rel=0.1)  # the grid's steps
    assert best != pytest.approx(document["stability"]["sigma2_mle"], rel=0.1)


@pytest.mark.parametrize(("lam", "k", "beta", "named"), [([6, 4, 0, 0], 2, 4, []), ([900, 50, 20, 18], 2, 100, [0.5])])
def test_the_picture_of_the_elbo_holds_its_top_and_the_marked_noises(lam, k, beta, named):
    document, _ = compute(from_eigenvalues([float(x) for x in lam]), k, "x", named=named, beta=float(beta))
    facts, axes = document["stability"], Figure().subplots()
    likelihood.draw(axes, document)
    (low, high), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    marked = [row["sigma2"] for row in told_of(document)] + [facts["recommended_sigma2"], facts["sigma2_learned"]]
    rows = {row["sigma2"]: row["value"] for row in facts["noise"]}
    assert all(low < sigma2 < high and bottom < rows[sigma2] < top for sigma2 in marked)
    x, y = axes.lines[0].get_data()
    assert ((y > bottom) & (y < top)).sum() > 20 and x[y.argmax()] == facts["sigma2_learned"]
    assert f"(β = {beta})" in axes.get_xlabel()


def test_a_plateau_is_no_point_in_caption_and_alt():
    document, _ = compute(from_eigenvalues([5.0, 2.0, 0.0, 0.0]), 3, "x", beta=2.0)
    assert "highest at every noise up to sigma2 = 1." in likelihood.caption(document)
    assert "every noise up to sigma2 = 1" in likelihood.alt(document)
    assert "every noise" not in likelihood.caption(of(beta=4.0))  # control


def test_ties_are_with_beta_sigma2_in_the_caption_of_points():
    document = of(named=[1.0], beta=4.0)
    (table,) = document["stationary"]
    assert table["tied"] == [2]
    assert "Eigenvalues that 4 σ² equals or cannot be told from: 2." in captions.table_caption(table)
    plain = next(t for t in of(named=[4.0])["stationary"] if t["sigma2"] == 4.0)
    assert "Eigenvalues that the noise equals" in captions.table_caption(plain)  # control


def test_the_portrait_shrinks_by_beta_sigma2():
    X = np.random.default_rng(0).normal(size=(50, 4)) * [3, 2, 1, 0.5]
    data = covariance(X)
    told, arrays = portrait(data, 2, [0.25], beta=4.0)
    plain, same = portrait(data, 2, [1.0])
    np.testing.assert_array_equal(arrays["reconstructions"], same["reconstructions"])
    assert told["at"][0] == plain["at"][0] | {"sigma2": 0.25}
    other = portrait(data, 2, [0.25])[1]
    assert not np.allclose(arrays["reconstructions"], other["reconstructions"])  # control


@pytest.mark.parametrize("options", [["--sigma2", "0.5", "2"], ["--beta", "4"], ["--beta", "0.2", "--sigma2", "3"]])
@pytest.mark.parametrize("data", ["eigenvalues:6,4,2.5,1.2,0.5", "digits"])
def test_documents_are_valid_and_the_page_is_drawn(data, options, capsys, tmp_path):
    assert main(["report", data, "-k", "3", *options, "--json", "--out", str(tmp_path)]) == 0
    document = check("report", json.loads(capsys.readouterr().out))
    page = (tmp_path / "index.html").read_text()
    assert ("VAE on these data" in page) and ("weighted by <i>β</i>" in page) == (document["beta"] != 1)
    noises = [row["sigma2"] for row in document["named"]] or [1.0]
    if document["portrait"] is not None:
        assert [at["sigma2"] for at in document["portrait"]["at"]][: len(noises)] == noises


@pytest.mark.parametrize("wrong", [["--sigma2", "0"], ["--sigma2", "-1"], ["--beta", "0"], ["--beta", "x"]])
def test_bad_noises_and_weights_are_refused(wrong, capsys, tmp_path):
    assert main(["report", "eigenvalues:3,2,1", "-k", "1", *wrong, "--out", str(tmp_path / "out")]) == 2
    out, err = capsys.readouterr()
    assert not out and err.count("\n") == 1 and not (tmp_path / "out").exists()
