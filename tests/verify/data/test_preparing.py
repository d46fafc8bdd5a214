"""From what was found to rows: what is chosen, left out, filled in and said."""

import numpy as np
import pytest

from verify.data.files.found import Aside, Asked, Found, Table
from verify.data.preparing import prepared
from verify.data.preprocess import Preprocessing
from verify.errors import InputError

X = np.random.default_rng(0).standard_normal((30, 3))


def rows(raw, table=None, asked=Asked(), said=(), scale=None, logit=None, **options):  # noqa: B008, it is frozen
    found = Found(raw, {"kind": "csv"}, said, (), table)
    return prepared(found, "a.csv", asked, Preprocessing(scale, logit), **options)


def table(raw, names=(), asides=(), numbers=None):
    width = raw.shape[1]
    return Table(numbers or tuple(range(1, width + 1)), names, asides, width + len(asides), lambda row: row + 1)


def refusal(*args, **options):
    with pytest.raises(InputError) as caught:
        rows(*args, **options)
    return str(caught.value)


def notes(*args, **options):
    return " ".join(rows(*args, **options).provenance["notes"])


# --- columns ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [0, 1])
def test_a_column_that_counts_the_rows_is_an_index_of_a_table(first):
    counted = np.column_stack([first + np.arange(30.0), X])
    found = rows(counted, table(counted, ("id", "a", "b", "c")))
    assert np.array_equal(found.array(), X)
    assert found.provenance["read"] == (
        f"30 rows x 3 columns; column 1 (id) left out as an index (it counts the rows from {first})"
    )
    assert found.provenance["columns"] == ["a", "b", "c"] and found.provenance["column_numbers"] == [2, 3, 4]


def test_what_is_not_quite_a_count_is_data():
    counted = np.column_stack([np.arange(30.0), X])
    for change in (lambda c: c.__setitem__((29, 0), 30), lambda c: c.__setitem__((slice(None), 0), np.arange(30) + 2)):
        other = counted.copy()
        change(other)
        assert rows(other, table(other)).shape == (30, 4)
    assert rows(counted, table(counted), Asked(columns=("1-4",))).shape == (30, 4)  # who asks for it gets it


def test_an_array_that_may_hold_an_index_says_so():
    counted = np.column_stack([np.arange(30.0), X])
    assert rows(counted).shape == (30, 4)
    assert "column 1 counts the rows from 0, as an index does, and was taken as data" in notes(counted)
    assert "counts the rows" not in notes(counted[::-1]) + notes(counted[:, :1])


def test_columns_left_out_unasked_are_said_with_the_reason():
    asides = (Aside(1, "", "an index"), Aside(5, "kind", "words, such as 'setosa'"))
    found = rows(X, table(X, ("a", "b", "c"), asides, (2, 3, 4)), said=("line 1 is the header",))
    assert found.provenance["read"] == (
        "30 rows x 3 columns; line 1 is the header; column 1 left out as an index; column 5 (kind) left out, it holds "
        "words, such as 'setosa'"
    )


def test_columns_of_an_array_are_chosen_by_number():
    assert np.array_equal(rows(X, asked=Asked(columns=("3", "1"))).array(), X[:, [2, 0]])
    assert np.array_equal(rows(X, asked=Asked(drop=("2-3",))).array(), X[:, [0]])
    assert "no such column; there are 3" in refusal(X, asked=Asked(columns=("4",)))
    assert "no such column" in refusal(X, asked=Asked(columns=("a",)))
    assert "no column is left" in refusal(X, asked=Asked(drop=("1-3",)))


def test_part_of_an_image_is_none():
    found = Found(X, {"image": [1, 3, 1]})
    facts = prepared(found, "x", Asked(drop=("2",)), Preprocessing()).provenance
    assert "image" not in facts and facts["read"] == "30 rows x 2 columns (1 dropped, as asked)"


def test_options_of_text_are_refused_elsewhere():
    assert "--decimal is for text files" in refusal(X, asked=Asked(decimal=","))
    assert "--header is for text files" in refusal(X, asked=Asked(header=True))


# --- missing values -----------------------------------------------------------------------------------------


def holes():
    raw = X.copy()
    raw[4, 1] = raw[4, 2] = raw[9, 1] = np.nan
    return raw


def test_missing_values_are_asked_about():
    message = refusal(holes(), table(X, ("a", "b", "c")))
    assert message.startswith(
        "3 values are missing, in 2 of 30 rows (column 2 (b): 2, column 3 (c): 1; the first at row 5 (line 6), column "
        "2 (b)); say --missing drop"
    )
    one = X.copy()
    one[0, 0] = np.nan
    assert refusal(one).startswith("1 value is missing, in 1 of 30 rows (column 1: 1; the first at row 1, column 1)")


def test_drop_leaves_those_rows_out():
    found = rows(holes(), missing="drop")
    assert np.array_equal(found.array(), np.delete(X, [4, 9], axis=0))
    assert found.provenance["read"].endswith("3 values are missing, in 2 of 30 rows: these rows left out")
    assert found.provenance["missing"] == {"values": 3, "rows": 2, "treated": "drop"}
    assert found.places.row(4) == "row 6"  # in the source


def test_mean_puts_the_mean_in_and_says_what_that_does():
    raw = holes()
    found = rows(raw, missing="mean")
    expected = np.where(np.isnan(raw), np.nanmean(raw, axis=0), raw)
    assert np.allclose(found.array(), expected, rtol=1e-15, atol=1e-15) and found.shape == (30, 3)
    assert any("replaced by the mean" in note for note in found.provenance["notes"])


def test_nothing_missing_is_no_matter():
    assert np.array_equal(rows(X, missing="drop").array(), X) and "missing" not in rows(X, missing="mean").provenance


def test_what_cannot_be_dropped_or_filled_is_refused():
    raw = X.copy()
    raw[:29, 1] = np.nan
    assert "--missing drop leaves 1 of 30 rows" in refusal(raw, missing="drop")
    assert "column 2 lacks 29 values" in refusal(raw, missing="drop")
    raw[:, 1] = np.nan
    assert "column 2 is without any value" in refusal(raw, missing="mean")
    assert "drop or mean" in refusal(raw, missing="median")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_infinity_is_no_missing_value(dtype):
    raw = holes().astype(dtype)
    raw[7, 0] = np.inf
    for missing in (None, "drop", "mean"):
        assert refusal(raw, table(raw, ("a", "b", "c")), missing=missing).startswith(
            "infinity at row 8 (line 9), column 1 (a)"
        )


# --- standardizing ------------------------------------------------------------------------------------------


def test_standardized_columns_have_mean_0_and_variance_1():
    raw = X * [1, 1e4, 1e-3] + [0, 5, 10]
    found = rows(raw, standardize=True)
    y = found.array()
    assert np.allclose(y.mean(axis=0), 0, atol=1e-9) and np.allclose(y.var(axis=0), 1, rtol=1e-9)
    expected = np.linalg.eigvalsh(np.corrcoef(raw.T))[::-1]
    assert np.allclose(found.covariance().eigenvalues, expected, rtol=1e-8)
    assert not np.allclose(rows(raw).covariance().eigenvalues, expected, rtol=0.1)  # control
    assert found.provenance["preprocessing"] == {"standardized": True}
    assert found.provenance["log_scale_jacobian"] == pytest.approx(-np.log(raw.std(axis=0)).sum())


def test_standardizing_counts_what_was_filled_in_and_not_what_was_dropped():
    for missing in ("drop", "mean"):
        assert np.allclose(rows(holes(), missing=missing, standardize=True).array().var(axis=0), 1)


def test_a_constant_column_stays_constant():
    raw = np.column_stack([X, np.full(30, 0.1)])
    assert np.array_equal(rows(raw, standardize=True).array()[:, 3], np.zeros(30))


def test_standardizing_and_scaling_exclude_each_other():
    assert "leave out scale" in refusal(X, standardize=True, scale=2.0)
    assert "leave out scale" in refusal(X, standardize=True, logit=0.1)


# --- doubts -------------------------------------------------------------------------------------------------


def test_plain_data_raise_no_doubt():
    assert notes(X) == ""


def test_a_column_that_carries_the_variance_is_named():
    raw = X * [1, 1, 100]
    assert "column 3 (proline) carries more than 99.9% of the variance" in notes(raw, table(raw, ("a", "b", "proline")))
    assert "--standardize" in notes(raw) and notes(raw, standardize=True) == ""
    assert notes(X * [1, 1, 3]) == ""
    assert notes(X[:, :1]) == ""  # one column carries all of it by right


@pytest.mark.parametrize("dtype", ["u1", "i8", "f4", "f8"])
def test_grey_levels_are_recognised(dtype):
    grey = np.random.default_rng(1).integers(0, 256, (50, 20)).astype(dtype)
    grey[0, 0] = 0
    assert "--scale 255" in notes(grey) and "--scale 255" not in notes(grey, scale=255.0)
    assert "--scale 255" not in notes(grey[:, :8])
    if grey.dtype.kind == "f":
        grey[3, 3] += 0.5
        assert notes(grey) == ""


@pytest.mark.parametrize("value", [-9999.0, 1e20, -99999.0, 3e9])
def test_a_fill_value_is_named_with_its_place(value):
    raw = X.copy()
    raw[11, 1] = raw[20, 1] = value
    said = notes(raw, table(raw, ("a", "b", "c")))
    assert f"column 2 (b) holds {value:g} (2 times, first at row 12 (line 13))" in said and "NaN" in said


def test_a_value_that_makes_most_of_a_variance_is_named():
    raw = X.copy()
    raw[6, 1] = 1406.0
    said = notes(raw, table(raw, ("a", "b", "c")))
    assert "column 2 (b) holds 1406 (at row 7 (line 8)), which alone makes 97% of its variance" in said
    raw[6, 1] = 4.0
    assert notes(raw) == ""
    raw[6, 1] = -60.0
    assert "column 2 holds -60 (at row 7)" in notes(raw)
    assert "alone" not in notes(raw[:15])  # of few, one may well
    spike = np.zeros((100, 2))
    spike[3, 0] = spike[5, 1] = 1.0
    assert "alone" not in notes(spike)  # nothing else is there to compare with


def test_large_but_ordinary_values_are_no_fill_values():
    raw = np.random.default_rng(2).uniform(-9999, 9999, (4000, 2)).round()
    raw[0, 0], raw[1, 1] = -9999, 9999
    assert notes(raw) == ""
    sparse = np.zeros((1000, 3))
    sparse[::100] = np.random.default_rng(3).standard_normal((10, 3))
    assert notes(sparse) == ""


def test_constant_and_equal_columns_are_named():
    raw = np.column_stack([X, X[:, 0], np.full(30, 7.0)])
    said = notes(raw, table(raw, ("a", "b", "c", "d", "e")))
    assert "column 5 (e) is constant" in said and "column 4 (d) equals column 1 (a) in every row" in said
    near = raw.copy()
    near[29, 3] = np.nextafter(near[29, 3], 9)
    assert "equals" not in notes(near)
    image = prepared(Found(raw, {"image": [1, 5, 1]}), "x", Asked(), Preprocessing())
    assert image.provenance["notes"] == []  # pixels may well never change


def test_a_first_row_that_counts_the_columns_is_remarked_on():
    raw = np.vstack([np.arange(3.0), X])
    assert "header" in notes(raw) and "header" not in notes(X)


def test_a_label_among_the_columns_is_asked_about():
    labelled = np.column_stack([X, np.arange(30) % 3])
    names = ("a", "b", "c", "target")
    assert "column 4 (target) looks like a label" in notes(labelled, table(labelled, names))
    assert "--drop target" in notes(labelled, table(labelled, names))
    measured = np.column_stack([X, X[:, 0] + X[:, 1]])
    assert "label" not in notes(measured, table(measured, names))  # values that are measured are none
    assert "column 4 (kind) holds 3 different whole numbers only, as a label does," in notes(
        labelled, table(labelled, ("a", "b", "c", "kind"))
    )
    inside = labelled[:, [0, 3, 1, 2]]
    assert "label" not in notes(inside, table(inside, ("a", "rooms", "b", "c")))
    assert "label" not in notes(np.round(labelled))  # whole numbers among whole numbers


def test_identifiers_and_dates_among_the_columns_are_asked_about():
    for name, values in (("date", 20230101 + np.arange(30) ** 2), ("year", 1990 + np.arange(30) % 7), ("id", X[:, 0])):
        marked = np.column_stack([X, values])
        said = notes(marked, table(marked, ("a", "b", "c", name)))
        assert ("column 4" in said and f"--drop {name}" in said) == (name != "id")  # fractions identify nothing
    numbered = np.column_stack([1001 + np.arange(30), X])
    assert "column 1 (no) counts the rows from 1001" in notes(numbered, table(numbered, ("no", "a", "b", "c")))


def test_a_column_whose_name_ends_in_id_and_that_tells_all_rows_apart_is_asked_about():
    codes = np.random.default_rng(4).permutation(5000)[:30]
    for name in ("patient_id", "CustomerID"):
        said = notes(np.column_stack([X[:, 0], codes, X[:, 1]]), table(X, ("a", name, "b")))
        assert f"column 2 ({name}) looks like an identifier and was taken as data" in said and f"--drop {name}" in said
    for other in (codes // 500, X[:, 2]):  # what comes twice, and fractions, identify nothing
        inside = np.column_stack([X[:, 0], other, X[:, 1]])
        assert "identifier" not in notes(inside, table(inside, ("a", "acid", "b")))
    inside = np.column_stack([X[:, 0], codes, X[:, 1]])
    assert "identifier" not in notes(inside, table(inside, ("a", "income", "b")))


def test_columns_of_two_whole_numbers_beside_others_are_asked_about():
    churned = np.arange(30) % 2
    inside = np.column_stack([X[:, 0], churned, X[:, 1]])
    said = notes(inside, table(inside, ("a", "churned", "b")))
    assert said == (
        "column 2 (churned) holds 0 and 1 only, as a label does, and was taken as data; if that is what it is, say "
        "--drop churned"
    )
    assert notes(inside[:16]) == "" and notes(inside / 2) == ""  # few rows; fractions
    said = notes(inside, table(inside, ("a", "target", "b")))
    assert said.count("column 2") == 1 and "looks like a label" in said
    hot = np.eye(8)[np.random.default_rng(5).permutation(np.arange(80) % 8)]
    coded = np.column_stack([np.random.default_rng(6).standard_normal((80, 9)), hot])
    assert notes(coded) == (
        "columns 10, 11, 12, 13, 14 and 3 more are of two whole numbers each, as labels and one-hot codes are, and "
        "were taken as data; leave labels out with --drop"
    )
    assert notes(hot) == ""  # nothing else is there
    image = prepared(Found(coded, {"image": [1, 17, 1]}), "x", Asked(), Preprocessing())
    assert image.provenance["notes"] == []
    sparse = np.column_stack([X, np.arange(30) == 7])
    assert notes(sparse) == ""
    third = np.column_stack([np.random.default_rng(7).standard_normal((5_000_000, 1)), np.arange(5_000_000) % 2])
    third[1, 1] = 0.5  # between the rows that are looked at first
    assert notes(third) == ""


def test_columns_whose_squares_vanish_are_not_standardized():
    raw = X * [1, 1e-160, 1]
    assert refusal(raw, standardize=True).startswith("column 2 is too small or too large to be standardized")
    assert np.allclose(rows(X * [1, 1e-140, 1], standardize=True).array().var(axis=0), 1)


def test_columns_dropped_from_an_array_do_not_make_it_a_table():
    counted = np.column_stack([np.arange(30.0), X])
    bare = Table((1, 2, 3), (), (), 4)
    assert rows(counted[:, :3], bare, Asked(drop=("4",))).shape == (30, 3)


def test_one_pass_finds_all_values_that_stand_out():
    class Counted:
        shape, ndim, size, dtype, read = (400, 50), 2, 20000, np.dtype(float), 0

        def __getitem__(self, part):
            Counted.read += 1
            return spiked[part]

    spiked = np.random.default_rng(8).standard_normal((400, 50))
    spiked[np.arange(50), np.arange(50)] = 1e3
    assert "47 more columns hold such values" in notes(Counted())
    assert Counted.read < 12  # not once for each column
