"""Ties through the command line: typed ones exact, those of a file undecided; and the curve of k = n."""

import json

import numpy as np
import pytest

from reports.analysis.walk import walking
from reports.cli import main
from tests.reports.schemas import check
from verify.analysis.stationary import stationary
from verify.data import load
from verify.data.covariance import Covariance, from_eigenvalues
from verify.eigenvalues import Eigenvalues
from verify.models.linear_vae import profile_gradient
from verify.models.ppca import gradient


def rows(lam):
    """(2n, n) rows whose sample covariance is diagonal with these entries."""
    half = np.diag(np.sqrt(len(lam) * np.array(lam)))
    return np.concatenate([half, -half])


@pytest.fixture
def tied_file(tmp_path):
    """A file whose third eigenvalue lies within rounding of 2.5."""
    path = tmp_path / "tied.npy"
    np.save(path, rows([4.0, 3.0, 2.5 + 2e-15]))
    return str(path)


def document_of(capsys, *argv):
    assert main(["stationary", *argv, "--json"]) == 0
    return check("stationary", json.loads(capsys.readouterr().out))


def said_by(capsys, *argv):
    """What the terminal shows, in one line, and what goes to standard error."""
    assert main(["stationary", *argv]) == 0
    out, err = capsys.readouterr()
    return " ".join(out.split()), err


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
def test_a_file_whose_eigenvalue_ties_with_the_noise_says_both_sides(capsys, tied_file, objective):
    argv = tied_file, "-k", "3", "--sigma2", "2.5", "--objective", objective
    document = document_of(capsys, *argv)
    assert document["tied"] == [3] and document["undecided"] > 0
    best = document["points"][0]
    assert (best["retained"], best["index"], best["undecided"]) == ([1, 2], 0, 1)
    assert (best["kind"], best["global"], best["strict"], best["escape"]) == ("undecided", False, False, None)
    assert not any(p["global"] for p in document["points"])
    tie = "sigma2 = 2.5 cannot be told from lam_3 (within "
    assert any(
        note.startswith(f"rounding: {tie}") and note.endswith("2 or 3 of 3 latents are retained")
        for note in document["notes"]
    )
    out, err = said_by(capsys, *argv)
    assert tie in out and "2 or 3 of 3 latents are retained" in out and tie not in " ".join(err.split())
    assert f"and perhaps {document['undecided']} more" in out and "undecided" in out
    if objective == "ppca":
        assert (document["count"], document["undecided"]) == (4, 4)
        for point in document["points"]:  # no escape along what rounding cannot tell
            assert point["escape"] is None or point["escape"]["direction"]["eigen"] != [3]


def test_the_same_numbers_typed_are_decided(capsys):
    """The control: the noise lies on lam_3, or a little below it, and both are known."""
    on = document_of(capsys, "eigenvalues:4,3,2.5", "-k", "3", "--sigma2", "2.5")
    assert (on["count"], on["undecided"], on["tied"], on["points"][0]["kind"]) == (4, 0, [3], "maximum")
    assert "counts as collapsed" in on["notes"][0]
    below = document_of(capsys, "eigenvalues:4,3,2.500000000000002", "-k", "3", "--sigma2", "2.5")
    assert (below["count"], below["tied"], below["notes"]) == (8, [], [])
    # Their values agree to the last digits, so that either may be listed first; which is the maximum is known.
    assert [p["retained"] for p in below["points"] if p["global"]] == [[1, 2, 3]]


def test_a_typed_noise_keeps_its_digits(capsys):
    third = "0.3333333333333333333"  # more digits than a double holds
    on = document_of(capsys, f"eigenvalues:{third},0.2", "-k", "1", "--sigma2", third)
    assert (on["count"], on["tied"]) == (1, [1])
    below = document_of(capsys, f"eigenvalues:{third},0.2", "-k", "1", "--sigma2", third[:-1] + "2")
    assert (below["count"], below["tied"]) == (2, [])
    assert on["sigma2"] == below["sigma2"] == float(third)
    for sigma2, kept in ((third, 0), (third[:-1] + "2", 1)):
        assert main(["stability", f"eigenvalues:{third},0.2", "-k", "1", "--sigma2", sigma2, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["noise"][0]["retained"] == kept
    for word in ("0x1p-2", "one", ""):
        assert main(["stability", "eigenvalues:2,1", "-k", "1", "--sigma2", word]) == 2
        assert "--sigma2: invalid number" in capsys.readouterr().err
    assert main(["stability", "eigenvalues:2,1", "-k", "1", "--sigma2", "1e-999999999"]) == 2  # and soon


def test_a_noise_apart_from_the_eigenvalues_of_the_file_is_decided(capsys, tied_file):
    document = document_of(capsys, tied_file, "-k", "3", "--sigma2", "2.4")
    assert (document["count"], document["undecided"], document["tied"]) == (8, 0, [])
    assert document["points"][0]["global"] and "cannot be told" not in " ".join(document["notes"])
    two = document_of(capsys, tied_file, "-k", "2", "--sigma2", "2.5")  # the tie is there, and does not matter
    assert two["points"][0]["global"] and two["tied"] == [3]
    assert "2 of 2 latents are retained either way" in " ".join(two["notes"])
    assert "the global maximum retains 2 of 2 latents" in said_by(capsys, tied_file, "-k", "2", "--sigma2", "2.5")[0]


def test_learned_noise_counts_undecided_sets_apart(capsys, tmp_path):
    """lam = (3, 2, 1.5, 1): {1, 3} retains what the mean of the others is, {1} discards it."""
    np.save(tmp_path / "means.npy", rows([3.0, 2.0, 1.5, 1.0]))
    argv = str(tmp_path / "means.npy"), "-k", "3", "--learned-noise"
    document = document_of(capsys, *argv)
    assert (document["count"], document["undecided"]) == (5, 1)
    assert document["walk"]["undecided"] == document["walk"]["index_undecided"] == 1
    assert [1, 3] not in [p["retained"] for p in document["points"]]
    assert [p["undecided"] for p in document["points"] if p["retained"] == [1]] == [2]
    assert "rounding: it cannot be told of 1 more index set whether it is stationary" in " ".join(document["notes"])
    typed = document_of(capsys, "eigenvalues:3,2,1.5,1", "-k", "3", "--learned-noise")
    assert (typed["count"], typed["undecided"], typed["walk"]["by_index"]) == (5, 0, document["walk"]["by_index"])
    assert not any(p["undecided"] for p in typed["points"])


def test_the_searched_list_counts_them_as_the_walk_does():
    spectrum = Eigenvalues.measured(np.array([3.0, 2.0, 1.5, 1.0]), np.full(4, 1e-14))
    data = Covariance(np.zeros(4), spectrum, np.eye(4), 8, {"name": "here", "kind": "array"})
    walked, _ = stationary(data, 3, sigma2=None, walk=walking())
    searched, _ = stationary(data, 3, sigma2=None)
    assert "walk" in walked and "walk" not in searched
    assert {k: v for k, v in walked.items() if k != "walk"} == searched


@pytest.mark.parametrize(
    ("lam", "k", "count", "retained", "index"),
    [
        ("1.4,0.7,0", 1, 2, [], 1),
        ("0.9999999999999999,1,1", 3, 4, [], 6),
        ("0.30000000000000004,0.3", 1, 2, [], 1),
    ],
)
def test_typed_spectra_at_learned_noise(capsys, lam, k, count, retained, index):
    document = document_of(capsys, f"eigenvalues:{lam}", "-k", str(k), "--learned-noise")
    assert document["count"] == count
    point = next(p for p in document["points"] if p["retained"] == retained)
    assert (point["index"], point["kind"], point["global"]) == (index, "saddle", False)
    assert sum(p["global"] for p in document["points"]) == 1
    assert point["strict"] == (lam != "1.4,0.7,0")


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
def test_at_k_equal_n_the_maximum_is_said_to_be_a_curve(capsys, objective, tmp_path):
    argv = "eigenvalues:5,4,3,2,0.5", "-k", "5", "--learned-noise", "--objective", objective
    document = document_of(capsys, *argv)
    assert document["continuum"] == {"largest_sigma2": 0.5}
    best = document["points"][0]
    assert (best["retained"], best["sigma2"], best["kind"], best["strict"]) == ([1, 2, 3, 4, 5], 0.25, "maximum", False)
    assert [1, 2, 3, 4] not in [p["retained"] for p in document["points"] if p["orthogonal"]]
    words = "every sigma2 up to lam_5 = 0.5 attains it, with all 5 of 5 latents retained"
    out, err = said_by(capsys, *argv, "--save", str(tmp_path / "points.npz"))
    assert words in out and words not in " ".join(err.split())  # once
    if objective == "ppca":
        assert document["count"] == sum(document["walk"]["by_index"])
    else:
        assert "curves of saddles" in " ".join(document["notes"])
    saved = np.load(tmp_path / "points.npz")
    W, sigma2 = saved["W"][0], saved["sigma2"][0]
    assert np.allclose(W @ W.T + sigma2 * np.eye(5), np.diag([5, 4, 3, 2, 0.5]))
    fewer = document_of(capsys, "eigenvalues:5,4,3,2,0.5", "-k", "4", "--learned-noise")
    assert fewer["continuum"] is None and fewer["points"][0]["retained"] == [1, 2, 3, 4]


def test_spectra_of_too_many_digits_to_walk_are_searched():
    document, _ = stationary(from_eigenvalues([1e30, 1.0, 1e-10]), 2, sigma2=None)
    assert "walk" not in check("stationary", document)
    assert (document["count"], document["truncated"]) == (3, False)


def test_the_page_of_the_report_says_them_too(tmp_path):
    """sigma2 = 1 within rounding of lam_3, and k = n."""
    np.save(tmp_path / "tied.npy", rows([4.0, 3.0, 1.0 + 1e-15]))
    out = tmp_path / "page"
    assert main(["report", str(tmp_path / "tied.npy"), "-k", "3", "--out", str(out), "--quiet"]) == 0
    document = check("report", json.loads((out / "report.json").read_text()))
    fixed, learned = document["stationary"][0], document["stationary"][1]
    assert (fixed["sigma2"], fixed["tied"], fixed["undecided"]) == (1.0, [3], 4)
    assert learned["continuum"] is not None and learned["sigma2"] is None
    page = " ".join((out / "index.html").read_text().split())
    assert "Of 4 more index sets rounding cannot tell whether they are stationary." in page
    assert "undecided by rounding" in page and "no point but a curve" in page


@pytest.mark.parametrize("objective", ["ppca", "elbo"])
def test_a_point_that_tears_equal_eigenvalues_apart_is_said_to_be_one_of_a_continuum(objective):
    """It is: turn the eigenvectors of the equal ones into each other, and gradient and value stay what they are."""

    def told(word, k):
        document, _ = stationary(load(word), k, sigma2=1.0, objective=objective)
        return [note for note in document["notes"] if "continuum" in note]

    (note,) = told("eigenvalues:6,4,2.5,2.5,0.5", 3)
    assert note.startswith("lam_3 and lam_4 are equal: ")
    assert told("eigenvalues:6,4,2.6,2.5,0.5", 3) == []
    assert told("eigenvalues:6,4,0.001,0.001", 3) == []  # retained by none
    lam = np.array([6, 4, 2.5, 2.5, 0.5])
    for angle in (0.3, 1.2):
        W = np.zeros((5, 3))
        W[0, 0], W[1, 1] = np.sqrt(lam[:2] - 1)
        W[2:4, 2] = np.sqrt(1.5) * np.array([np.cos(angle), np.sin(angle)])
        of = gradient if objective == "ppca" else profile_gradient
        assert np.abs(of(W, 1.0, np.diag(lam))).max() < 1e-14
