"""The portrait against the definitions: the optimal decoder at the encoder's mean, errors summed over all data."""

import json

import numpy as np
import pytest

from reports.analysis.portrait import (
    LARGEST_ARRAY,
    LISTED,
    mean_squared_error,
    portrait,
    reconstruct,
)
from reports.stability_page.pixels import displayed
from verify.data import covariance, load, load_rows
from verify.data.mnist import find_training_file
from verify.errors import InputError
from verify.models.linear_vae import optimal_encoder
from verify.models.ppca import fixed_noise_maximum, posterior


def genes():
    """Rows (60, 2000), more columns than rows, that vary along five directions and a little along all."""
    rng = np.random.default_rng(3)
    return rng.standard_normal((60, 5)) * [9, 7, 5, 3, 2] @ rng.standard_normal((5, 2000)) + rng.standard_normal(2000)


def rank_deficient():
    """Rows (9, 14) of whole numbers: rank 8 at most."""
    return np.random.default_rng(5).integers(0, 20, (9, 14)).astype(float)


def tall():
    return np.random.default_rng(0).standard_normal((400, 7)) * [5, 3, 3, 2, 1, 0.5, 0.1] + 10


def by_the_model(X, c, k, s):
    """mean + W V (x - mean), the decoder of the optimum at the mean of its encoder, for all rows."""
    W = fixed_noise_maximum(c.eigenvalues, c.leading(k), k, s)
    V, _ = optimal_encoder(W, s)
    means, _ = posterior(W, s, X - c.mean)
    assert np.allclose((X - c.mean) @ V.T, means, rtol=0, atol=1e-10 * np.abs(means).max() + 1e-300)
    return c.mean + (X - c.mean) @ V.T @ W.T


DATA = {"tall": tall, "genes": genes, "rank-deficient": rank_deficient}


# --- reconstructions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("at", ["below all", "between", "on an eigenvalue", "above all"])
@pytest.mark.parametrize("k", [1, 4, 7])
def test_a_reconstruction_is_the_decoder_at_the_mean_of_the_encoder(name, at, k):
    X = DATA[name]()
    c = covariance(X)
    lam = c.eigenvalues
    noises = {"below all": lam[lam > 0][-1] / 2, "between": (lam[2] + lam[3]) / 2, "on an eigenvalue": lam[1]}
    s = noises.get(at, 2 * lam[0])
    expected = by_the_model(X, c, k, s)
    U = c.leading(k)
    found = reconstruct(c.mean, U, (X - c.mean) @ U, lam, s, k)
    # Rounding of two routes to the same matrix; 1e-9 of the spread of the data.
    tolerance = 1e-9 * np.sqrt(lam[0])
    assert np.abs(found - expected).max() <= tolerance
    error = np.square(X - expected).sum(axis=1).mean()
    assert mean_squared_error(lam, s, k) == pytest.approx(error, rel=1e-9)
    # Controls: the factor of W alone, and no shrinking at all.
    if lam[0] > s:
        kept = np.sqrt(1 - s / lam[:k].clip(min=s))
        for wrong in (kept, (lam[:k] > s).astype(float)):
            assert np.abs(c.mean + ((X - c.mean) @ U * wrong) @ U.T - expected).max() > 100 * tolerance
    if at == "between":
        assert mean_squared_error(lam, s, k) != pytest.approx(lam[min(k, 3) :].sum(), rel=1e-3)


def test_nothing_jumps_where_a_latent_is_lost():
    c = covariance(tall())
    lam, U = c.eigenvalues, c.leading(4)
    coordinates = (tall()[:5] - c.mean) @ U
    both = [reconstruct(c.mean, U, coordinates, lam, lam[2] * x, 4) for x in (1 - 1e-12, 1 + 1e-12)]
    assert np.abs(both[0] - both[1]).max() < 1e-9
    assert np.allclose(reconstruct(c.mean, U, coordinates, lam, 2 * lam[0], 4), c.mean, rtol=0, atol=0)


@pytest.mark.parametrize("size", [1e-140, 1e140])
def test_scales_at_the_ends_of_double_precision(size):
    c, one = covariance(tall() * size), covariance(tall())
    s = one.eigenvalues[2] / 2
    found, expected = (portrait(d, 4, [s * scale**2])[1] for d, scale in ((c, size), (one, 1.0)))
    for name in ("mean", "examples", "coordinates", "reconstructions"):
        assert np.allclose(found[name] / size, expected[name], rtol=0, atol=1e-9), name
    (at,) = portrait(c, 4, [s * size**2])[0]["at"]
    assert at["mean_squared_error"] / size**2 == pytest.approx(mean_squared_error(one.eigenvalues, s, 4), rel=1e-9)
    deviations = [column["deviation"] / size for column in portrait(c, 4)[0]["columns"]]
    assert np.allclose(deviations, tall().std(axis=0), rtol=1e-9)


# --- which data, and what is said of them --------------------------------------------------------------------


def test_examples_are_the_rows_of_their_numbers_and_spread_over_all():
    X = tall()
    document, arrays = portrait(covariance(X), 3)
    assert document["rows"] == [48, 142, 201, 237, 295, 389]
    assert len({row % 10 for row in document["rows"]}) >= 4  # of rows that come in turns of ten, say
    assert np.array_equal(arrays["examples"], X[np.array(document["rows"]) - 1])
    assert not np.array_equal(arrays["examples"], X[np.array(document["rows"])])  # control: counted from 0


@pytest.mark.parametrize("N", [2, 3, 5, 6, 7, 13])
def test_few_data_are_shown_once_each(N):
    X = np.random.default_rng(N).standard_normal((N, 4))
    document, arrays = portrait(covariance(X), 2)
    assert len(set(document["rows"])) == min(6, N) and arrays["examples"].shape == (min(6, N), 4)
    assert all(1 <= row <= N for row in document["rows"])
    assert np.array_equal(arrays["examples"], X[np.array(document["rows"]) - 1])


def test_nothing_depends_on_how_rows_are_cut_or_scaled(tmp_path):
    np.save(tmp_path / "rows.npy", (10 * tall()).round().astype(np.int16))
    for scale in (None, 255):
        rows = load_rows(tmp_path / "rows.npy", scale=scale)
        document, arrays = portrait(rows.covariance(), 3)
        whole, same = portrait(covariance(rows.array()), 3)
        assert document["rows"] == whole["rows"]
        for name in arrays:
            assert np.allclose(arrays[name], same[name], rtol=0, atol=1e-9), name
        assert document["display"]["high"] == rows.array().max()


def test_where_rows_cannot_be_read_again_there_is_no_portrait():
    assert portrait(load("eigenvalues:6,4,2.5"), 2) is None
    assert portrait(covariance(block for block in np.split(tall(), 4)), 2) is None
    assert portrait(covariance(tall()), 2) is not None  # control


@pytest.mark.parametrize(("k", "noises"), [(0, []), (8, []), (2, [0.0]), (2, [float("nan")])])
def test_bad_input_is_refused(k, noises):
    with pytest.raises(InputError):
        portrait(covariance(tall()), k, noises)


# --- images -------------------------------------------------------------------------------------------------


def test_digits_are_images():
    c = load("digits")
    document, arrays = portrait(c, 10, [1.0, c.eigenvalues[9] / 2])
    X = load_rows("digits").array()
    assert document["kind"] == "image" and document["image"] == [8, 8, 1] and document["columns"] is None
    assert document["display"] == {"transform": "none", "alpha": None, "low": 0.0, "high": 16.0}
    assert (document["latents"], document["shown"]) == (10, 10)
    assert np.array_equal(arrays["examples"], X[np.array(document["rows"]) - 1])
    assert np.allclose(arrays["mean"], X.mean(axis=0), rtol=0, atol=1e-12)
    assert np.allclose(arrays["coordinates"], (arrays["examples"] - arrays["mean"]) @ arrays["axes"], atol=1e-10)
    for again, at in zip(arrays["reconstructions"], document["at"], strict=True):
        expected = by_the_model(X, c, 10, at["sigma2"])
        assert np.allclose(again, expected[np.array(document["rows"]) - 1], rtol=0, atol=1e-9)
        error = np.square(X - expected).sum(axis=1).mean()
        assert at["mean_squared_error"] == pytest.approx(error, rel=1e-9)
        assert at["mean_squared_error"] != pytest.approx(error * 1797 / 1796, rel=1e-5)  # control: N - 1
    assert [axis["largest"] for axis in document["axes"]] == np.abs(arrays["axes"]).max(axis=0).tolist()
    assert all(axis["loadings"] == [] for axis in document["axes"])
    assert json.loads(json.dumps(document)) == document


def test_the_logit_is_taken_back_for_display():
    c = load("digits", scale=16, logit=0.01, seed=2)
    document, arrays = portrait(c, 5)
    rows = load_rows("digits", scale=16, logit=0.01, seed=2)
    assert np.array_equal(arrays["examples"], rows.array()[np.array(document["rows"]) - 1])
    assert document["display"] == {"transform": "logit", "alpha": 0.01, "low": 0.0, "high": 1.0}
    shown = displayed(arrays["examples"], document["display"])
    raw = load_rows("digits").array()[np.array(document["rows"]) - 1]
    # x = (v + u)/17 with 0 <= u < 1: the grey value can be read off, but for rounding.
    assert np.array_equal(np.floor(shown * 17 + 1e-9), raw)
    plain = 1 / (1 + np.exp(-arrays["examples"]))  # control: alpha forgotten
    assert not np.array_equal(np.floor(plain * 17 + 1e-9), raw)
    ends = displayed(np.array([-1e308, -800.0, 800.0, 1e308]), document["display"])
    assert np.array_equal(ends, [0, 0, 1, 1])


def test_images_with_their_channels_first_are_drawn_as_those_with_them_last(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (40, 5, 6, 3))
    np.save(tmp_path / "last.npy", images)
    np.save(tmp_path / "first.npy", np.moveaxis(images, -1, 1))
    found = {}
    for name in ("last", "first"):
        c = load(tmp_path / f"{name}.npy")
        assert c.provenance["image"] == [5, 6, 3]
        found[name] = portrait(c, 4, [c.eigenvalues[1]])
    (document, arrays), (same, again) = found["last"], found["first"]
    assert same["image"] == document["image"] == [5, 6, 3]
    for name in ("mean", "examples", "reconstructions"):
        assert np.allclose(again[name], arrays[name], rtol=0, atol=1e-9), name
    assert np.array_equal(again["examples"], images[np.array(same["rows"]) - 1].reshape(-1, 90))
    unlike = np.moveaxis(images, -1, 1)[np.array(same["rows"]) - 1].reshape(-1, 90)
    assert not np.array_equal(again["examples"], unlike)  # control


def test_a_shape_that_rows_do_not_have_is_refused():
    X = np.random.default_rng(0).standard_normal((20, 6))
    for image in ([2, 3, 1], [3, 2, 1], [1, 2, 3]):
        assert portrait(covariance(X, provenance={"image": image}), 2)[0]["image"] == image
    for image in ([2, 2, 1], [1, 3, 2], [6]):
        with pytest.raises(InputError, match="6 values"):
            portrait(covariance(X, provenance={"image": image}), 2)


def test_large_images_have_fewer_axes_and_exact_reconstructions_all_the_same():
    c = load("patches:40", scale=255, seed=1)
    s = float(c.eigenvalues[19]) / 2
    document, arrays = portrait(c, 20, [s])
    assert document["image"] == [64, 64, 3] and (document["latents"], document["shown"]) == (20, LARGEST_ARRAY // 12288)
    assert arrays["axes"].size <= LARGEST_ARRAY and arrays["examples"].shape == (6, 12288)
    X = load_rows("patches:40", scale=255, seed=1).array()
    expected = by_the_model(X, c, 20, s)[np.array(document["rows"]) - 1]
    assert np.allclose(arrays["reconstructions"][0], expected, rtol=0, atol=1e-9)
    part = reconstruct(arrays["mean"], arrays["axes"], arrays["coordinates"], c.eigenvalues, s, 20)
    assert np.abs(part - expected).max() > 0.01  # control: the axes that are left out are seen


def test_mnist_is_images():
    try:
        folder = find_training_file().parents[1]
    except InputError as error:
        pytest.skip(str(error))
    c = load("mnist:1000", scale=255, data_dir=folder)
    document, arrays = portrait(c, 50, [1.0])
    assert document["image"] == [28, 28, 1] and document["shown"] == 50
    assert document["display"] == {"transform": "none", "alpha": None, "low": 0.0, "high": 1.0}
    X = load_rows("mnist:1000", scale=255, data_dir=folder).array()
    assert np.array_equal(arrays["examples"], X[np.array(document["rows"]) - 1])
    error = np.square(X - by_the_model(X, c, 50, 1.0)).sum(axis=1).mean()
    assert document["at"][0]["mean_squared_error"] == pytest.approx(error, rel=1e-9)


# --- tables -------------------------------------------------------------------------------------------------


def test_columns_have_the_names_of_the_header(tmp_path):
    lines = ["height,,<b>weight</b>,age,e,f,g", *(",".join(f"{v:.6g}" for v in row) for row in tall())]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    document, arrays = portrait(load(tmp_path / "a.csv"), 3)
    X = load_rows(tmp_path / "a.csv").array()
    assert document["kind"] == "table" and document["image"] is None
    names = ["height", "column 2", "<b>weight</b>", "age", "e", "f", "g"]
    assert [(c["column"], c["name"]) for c in document["columns"]] == list(enumerate(names, start=1))
    assert np.allclose([c["deviation"] for c in document["columns"]], X.std(axis=0), rtol=1e-12)
    assert not np.allclose([c["deviation"] for c in document["columns"]], X.std(axis=0, ddof=1), rtol=1e-4)  # control
    assert np.allclose([c["mean"] for c in document["columns"]], X.mean(axis=0), rtol=1e-12)
    for axis, u in zip(document["axes"], arrays["axes"].T, strict=True):
        sizes = [abs(entry["value"]) for entry in axis["loadings"]]
        assert sizes == sorted(sizes, reverse=True) and len(sizes) == 7
        assert all(u[entry["column"] - 1] == entry["value"] for entry in axis["loadings"])
        assert all(names[entry["column"] - 1] == entry["name"] for entry in axis["loadings"])
    # Without a header, or with one that fits other rows.
    for facts in ({}, {"columns": ["a", "b"]}):
        listed = portrait(covariance(X, provenance=facts), 3)[0]["columns"]
        assert [c["name"] for c in listed] == [f"column {i}" for i in range(1, 8)]


def test_of_a_wide_table_the_columns_that_vary_most_are_shown():
    X = genes()
    c = covariance(X, provenance={"columns": [f"gene {i}" for i in range(2000)]})
    document, arrays = portrait(c, 10, [1.0])
    shown = np.array([column["column"] for column in document["columns"]]) - 1
    assert len(shown) == LISTED and np.array_equal(shown, np.sort(shown))
    others = np.delete(X.std(axis=0), shown)
    assert X.std(axis=0)[shown].min() >= others.max()
    assert X.std(axis=0)[shown - 1].min() < others.max()  # control: numbers off by one
    assert np.array_equal(arrays["examples"], X[np.array(document["rows"]) - 1][:, shown])
    # Rank 5, to rounding.
    assert document["latents"] == document["shown"] == min(10, c.rank)
    assert arrays["axes"].shape == (LISTED, document["shown"])
    whole = by_the_model(X, c, 10, 1.0)[np.array(document["rows"]) - 1]
    assert np.allclose(arrays["reconstructions"][0], whole[:, shown], rtol=0, atol=1e-8)
    U = c.leading(document["shown"])
    for j, axis in enumerate(document["axes"]):
        expected = np.argsort(-np.abs(U[:, j]))[:12]
        assert [entry["column"] - 1 for entry in axis["loadings"]] == expected.tolist()
        assert [entry["name"] for entry in axis["loadings"]] == [f"gene {i}" for i in expected]
        assert axis["largest"] == np.abs(U[:, j]).max()


def test_rank_deficient_rows_and_constant_columns():
    X = np.c_[rank_deficient(), np.full(9, 0.1)]
    c = covariance(X)
    document, arrays = portrait(c, 15, [1e-3])
    assert document["latents"] == c.rank == 8 and arrays["axes"].shape == (15, 8)
    assert document["columns"][-1]["deviation"] == 0
    assert all(entry["column"] != 15 for axis in document["axes"] for entry in axis["loadings"] if entry["value"] > 0.1)
    # With all eight directions and little noise the rows themselves come back.
    assert np.abs(arrays["reconstructions"][0] - arrays["examples"]).max() < 0.01


def test_rows_are_numbered_as_in_their_source():
    X = np.random.default_rng(5).standard_normal((40, 3))
    X[::2, 1] = np.nan
    kept = load(X, missing="drop")
    document, arrays = portrait(kept, 2)
    assert all(row % 2 == 0 for row in document["rows"]) and max(document["rows"]) > 20
    assert np.allclose(arrays["examples"], X[[row - 1 for row in document["rows"]]])
    assert portrait(covariance(X[1::2]), 2)[0]["rows"] != document["rows"]  # control
