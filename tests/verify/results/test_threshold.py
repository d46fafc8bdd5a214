"""`collapse_threshold` of Python: the closed form of two-valued data, a witness that checks, bounds in order."""

from math import log

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from verify import collapse_threshold
from verify.certify.checker.certificate import check
from verify.certify.checker.outcome import Status
from verify.certify.subjects import of_rows
from verify.data import load_rows
from verify.errors import InputError

matplotlib.use("agg")


def test_bernoulli_data_have_the_threshold_of_kearns_and_saul():
    x = np.repeat([1.0, 0.0], [30, 70])[:, None]
    result = collapse_threshold(x)
    p = 0.3
    wanted = (1 - 2 * p) / (2 * log((1 - p) / p))
    # The search ascends until its quotient stands still, so that its error is that of a maximum squared.
    assert result.lower == pytest.approx(wanted, rel=1e-9)
    assert result.lam_1 == pytest.approx(p * (1 - p)) and result.lam_1 < result.lower <= result.upper
    assert result.witness.check(x) == pytest.approx(result.lower, rel=1e-12)
    frame = result.to_frame()
    assert frame["quotient"].max() <= result.lower * (1 + 1e-12) and len(frame) == 60


def test_symmetric_data_leave_nothing_between():
    result = collapse_threshold(np.repeat([1.0, -1.0], 50)[:, None])
    assert result.lower == result.lam_1 == 1 and "No decoder was found" in result.verdict
    assert result.plot().get_ylabel() == "noise σ²"
    plt.close("all")


def test_a_witness_that_lives_on_one_datum_is_told():
    x = np.zeros((400, 2))
    x[0], x[1:] = 40, np.random.default_rng(0).normal(size=(399, 2))
    result = collapse_threshold(x)
    assert any("learning single data by heart" in note for note in result.notes)
    assert not any("by heart" in note for note in collapse_threshold("iris").notes)  # control
    assert len(result.plot().lines) == 3
    plt.close("all")


def test_a_spectrum_does_not_tell():
    with pytest.raises(InputError, match="has no rows"):
        collapse_threshold("eigenvalues:3,2")


def test_certified_bounds_are_closer_and_check():
    pytest.importorskip("flint")
    plain, result = collapse_threshold("iris"), collapse_threshold("iris", certify=True)
    assert result.lower == plain.lower < result.upper < 1.01 * result.lower < plain.upper
    assert result.certified and not plain.certified and plain.certificate is None
    subject = of_rows(load_rows("iris"))
    assert [one.status for one in check(result.certificate, subject)] == [Status.PROVED] * 2
    with pytest.raises(InputError, match="other data"):
        check(result.certificate, of_rows(load_rows("wine")))  # control
    assert any(note.startswith("certified: no decoder whatever") for note in result.notes)
    assert not any(note.startswith("certified") for note in plain.notes)
