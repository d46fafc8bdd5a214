"""Rows in single precision: what is taken away first, that nothing changes where nothing must, what is said."""

import numpy as np
import pytest

from verify.data import load_rows
from verify.data.single import FAR, Survey, single
from verify.errors import InputError


def rows(X, tmp_path):
    np.save(tmp_path / "x.npy", X)
    return load_rows(str(tmp_path / "x.npy"))


def survey(X):
    return Survey.of(np.array_split(X, 7), *X.shape)


def data(N=500, n=4, seed=0):
    return np.random.default_rng(seed).normal(size=(N, n)) * [1, 2, 0.5, 3][:n]


def test_the_survey_is_its_definition():
    X = data() + np.array([0, 1, 1e3, 1e9])
    found = survey(X)
    np.testing.assert_allclose(found.mean, X.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(found.variance, X.var(axis=0), rtol=1e-6)  # of 1e9 +- 3, doubles hold 1e-7
    assert (found.low == X.min(axis=0)).all() and (found.high == X.max(axis=0)).all()
    assert sorted(found.sample[:, 0]) == sorted(X[:, 0])  # few rows: all of them


def test_every_so_many_rows_are_looked_at(monkeypatch):
    monkeypatch.setattr("verify.data.moments.SAMPLED", 256)
    X = np.arange(1000.0)[:, None] * [1.0, -1.0]
    assert survey(X).sample[:, 0].tolist() == list(range(0, 1000, 8))


def test_rows_near_zero_stay_as_they_are_to_the_bit(tmp_path):
    X = data() + np.array([0, 100, -300, 0])
    r = rows(X, tmp_path)
    found = Survey.of(r.blocks(), *r.shape)
    assert found.offset is None and found.notes() == []
    np.testing.assert_array_equal(r.float32_array(offset=found.offset), X.astype(np.float32))


def test_rows_far_from_zero_keep_their_variance(tmp_path):
    """1e8 +- 1 in float32 is a constant; less its median it is what it was."""
    X = data() + np.array([1e8, 0, -1e10, 5e4])
    r = rows(X, tmp_path)
    found = Survey.of(r.blocks(), *r.shape)
    assert (found.offset != 0).tolist() == [True, False, True, True]
    kept = r.float32_array(offset=found.offset).astype(np.float64)
    np.testing.assert_allclose(np.cov(kept.T), np.cov(data().T), atol=1e-5)  # doubles hold 1e10 +- 0.5 to 2e-6
    assert "columns 1, 3, 4 are far from 0" in found.notes()[0]
    lost = r.float32_array().astype(np.float64)  # the control
    assert abs(lost[:, 0].var() - 1) > 0.5 and lost[:, 2].var() != pytest.approx(0.25, rel=0.5)


def test_how_far_is_far():
    X = data()[:, :1]
    bulk = survey(X).bulk[0]
    assert survey(X + 0.9 * FAR * bulk).offset is None and survey(X + 1.2 * FAR * bulk).offset is not None


def test_an_outlier_takes_nothing_from_the_rest():
    X = data() + 1e8
    X[17, 0] = 1e13
    kept = (X - survey(X).offset).astype(np.float32).astype(np.float64)
    assert np.delete(kept[:, 0], 17).var() == pytest.approx(np.delete(data()[:, 0], 17).var(), rel=1e-5)
    lost = (X - X.mean(axis=0)).astype(np.float32)  # the control: the mean is 2e10 off
    assert np.delete(lost[:, 0], 17).astype(np.float64).var() != pytest.approx(1, rel=0.5)


def test_a_constant_column_is_measured_by_the_others():
    X = data()
    X[:, 0], X[:, 1] = 0.1, 1e7  # 0.1 is no binary fraction: its mean may miss it by an ulp
    found = survey(X)
    assert found.variance[:2].tolist() == [0, 0] and found.offset.tolist() == [0, 1e7, 0, 0]


def test_what_is_lost_all_the_same_is_said():
    X = data()
    X[:, 2] *= 1e-45
    assert "column 3 is not held by single precision" in survey(X).notes()[0]
    with pytest.raises(InputError, match="holds nothing of how the data vary"):
        survey(X[:, [2, 2]]).notes()


def test_columns_of_very_different_sizes_are_said():
    X = data()
    assert survey(X * [1, 1, 1, 100]).notes() == []
    [note] = survey(X * [1e-3, 1, 1, 1e3]).notes()
    assert "(column 1)" in note and "(column 4)" in note and "one noise serves them all" in note


def test_a_cast_that_loses_is_refused():
    X = data()
    np.testing.assert_array_equal(single(X), X.astype(np.float32))
    with pytest.raises(InputError, match="column 2 is not held by single precision"):
        single(X + np.array([0, 1e8, 0, 0]))
