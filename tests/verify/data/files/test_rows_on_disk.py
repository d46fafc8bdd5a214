"""Rows that grow in memory, and on the disk beyond a size: the same rows."""

import tempfile

import numpy as np
import pytest

from verify.data.files.rows_on_disk import Growing
from verify.errors import InputError

X = np.random.default_rng(0).random((50, 3))


@pytest.mark.parametrize("height", [1, 7, 50])
@pytest.mark.parametrize("most", [0, 8 * 3 * 20, 8 * X.size, 1 << 20])
def test_rows_are_those_that_were_added(most, height):
    growing = Growing(3, most)
    for start in range(0, 50, height):
        growing.add(X[start : start + height].astype(np.float32 if start else np.float64))
    rows, wanted = growing.rows(), X.copy()
    wanted[height:] = X[height:].astype(np.float32)
    assert growing.count == 50 and np.array_equal(rows, wanted)
    assert isinstance(rows, np.memmap) == (8 * X.size > most)


def test_no_rows_are_an_empty_array():
    assert Growing(3).rows().shape == (0, 3)


def test_a_full_disk_is_said(monkeypatch):
    class Full:
        def __init__(self, **_):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)
    with pytest.raises(InputError, match=r"no room for the rows \(No space left on device\).*TMPDIR"):
        Growing(3, 0).add(X)
