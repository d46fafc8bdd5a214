"""scikit-learn's tables by name."""

import numpy as np
import pytest
from sklearn import datasets

from verify.data import load_rows
from verify.data.files.bundled import NAMES, bundled
from verify.data.files.found import Asked
from verify.errors import InputError


@pytest.mark.parametrize("name", NAMES)
def test_a_bundled_table_is_scikit_learns(name):
    held, found = getattr(datasets, f"load_{name}")(), bundled(name)
    assert np.array_equal(found.raw, held.data) and len(found.facts["sha256"]) == 64
    if name != "digits":
        assert found.table.names == tuple(held.feature_names) and "target" in found.said[0]
    assert any("all variances are equal" in doubt for doubt in found.doubts) == (name == "diabetes")


def test_diabetes_has_equal_variances():
    variances = np.var(bundled("diabetes").raw, axis=0)
    assert np.allclose(variances, 1 / 442, rtol=1e-12)
    assert not np.allclose(np.var(bundled("wine").raw, axis=0), 1 / 178)  # control


def test_digits_are_as_they_were():
    found, known = bundled("digits"), load_rows("digits").provenance
    names = ("name", "kind", "sha256", "image")
    assert list({name: known[name] for name in names}.items()) == list(found.facts.items())
    assert found.said == ("images of 8 x 8",) and known["read"] == "1797 rows x 64 columns; images of 8 x 8"
    assert bundled("digits", Asked(columns=("3",))).said == ()
    assert "image" not in bundled("digits", Asked(drop=("1",))).facts


def test_columns_of_a_bundled_table():
    found = bundled("wine", Asked(columns=("alcohol", "13")))
    assert found.table.names == ("alcohol", "proline") and found.table.numbers == (1, 13)
    assert np.array_equal(found.raw[:], datasets.load_wine().data[:, [0, 12]])


def test_columns_are_chosen_by_the_words_of_the_command_line_too():
    rows = load_rows("wine", columns=["alcohol", "13"])
    assert rows.provenance["columns"] == ["alcohol", "proline"] and rows.shape == (178, 2)
    assert load_rows("wine", drop="proline").shape == (178, 12)


def test_what_scikit_learn_does_not_bundle():
    with pytest.raises(InputError, match="bundles no such data; give one of digits, iris"):
        bundled("boston")
    with pytest.raises(InputError, match="decimal: only files"):
        bundled("wine", Asked(decimal=","))
