"""What Python holds: arrays of any library, DataFrames, sparse matrices, tensors, and what is no table."""

import hashlib
import io
import subprocess
import sys
import warnings
from fractions import Fraction

import h5py
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from tests.verify import stand_in_cupy
from verify.data.files.found import Asked
from verify.data.files.objects import of_object, to_array
from verify.errors import InputError

X = np.random.default_rng(0).random((6, 3))


def refusal(data, **asked):
    with pytest.raises(InputError) as caught:
        of_object(data, Asked(**asked))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def matrix(values):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asmatrix(values)


class OnDisk:
    """Rows that slice, masked where something is missing, as those of netCDF4."""

    def __init__(self, values):
        self.values, self.dtype, self.shape = values, values.dtype, values.shape

    def __len__(self):
        return len(self.values)

    def __getitem__(self, rows):
        return self.values[rows]


class Protocol:
    """An array that speaks __array__ and nothing else."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return self.values


class Capsule:
    """An array that speaks DLPack and nothing else."""

    def __init__(self, values):
        self.values = values

    def __dlpack__(self, **options):
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


class Tensor:
    """What a tensor of PyTorch does: refuses to become an array while it requires a gradient, lies on a device, or is
    conjugated or negated in name only."""

    layout = "torch.strided"

    def __init__(self, values, dtype="torch.float32", grad=True, device="cuda", lazy=("conj", "neg")):
        self.values, self.dtype, self.grad, self.device, self.lazy = values, dtype, grad, device, lazy

    def but(self, **changes):
        return Tensor(**{**vars(self), **changes})

    def detach(self):
        return self.but(grad=False)

    def cpu(self):
        return self.but(device="cpu")

    def float(self):
        return self.but(dtype="torch.float32")

    def resolve_conj(self):
        return self.but(lazy=tuple(word for word in self.lazy if word != "conj"))

    def resolve_neg(self):
        return self.but(lazy=tuple(word for word in self.lazy if word != "neg"))

    def __array__(self, dtype=None, copy=None):
        assert not self.grad and self.device == "cpu" and self.dtype != "torch.bfloat16" and not self.lazy
        return self.values


Tensor.__module__ = "torch"


@pytest.mark.parametrize("wrap", [lambda a: a, Protocol, Capsule, list, matrix, lambda a: a.tolist(), Tensor])
def test_whatever_is_an_array_gives_its_rows(wrap):
    found = of_object(wrap(X))
    assert np.array_equal(found.raw[:], X)
    assert found.facts["sha256"] == hashlib.sha256(X.tobytes()).hexdigest()
    assert of_object(wrap(X + 1)).facts["sha256"] != found.facts["sha256"]  # control


def test_arrays_are_not_copied():
    for array in (X, np.asfortranarray(X), X[::2]):
        assert np.shares_memory(of_object(array).raw[:], array)


def test_a_tensor_is_detached_and_fetched_and_bfloat16_made_float32():
    for dtype in ("torch.float32", "torch.bfloat16"):
        found = of_object(Tensor(X.reshape(2, 3, 3), dtype))
        assert found.facts["kind"] == "tensor" and np.array_equal(found.raw[:], X.reshape(2, 9))
    assert np.array_equal(of_object([Tensor(row) for row in X]).raw[:], X)
    odd = Tensor(X)
    odd.layout = "torch.sparse_coo"
    assert "to_dense()" in refusal(odd)


@pytest.mark.parametrize("wrap", [lambda a: a, Protocol, Capsule, list, lambda a: a.tolist(), Tensor, OnDisk])
def test_one_array_of_any_library(wrap):
    assert np.array_equal(to_array(wrap(X)), X)


def test_what_is_no_array_is_refused_as_one():
    for wrong in (None, {"mu": X}, iter(X), np.array([1, "a"], dtype=object), "mu"):
        with pytest.raises(InputError) as caught:
            to_array(wrong)
        assert "\n" not in str(caught.value)


def test_torch_itself():
    torch = pytest.importorskip("torch")
    rows = torch.tensor(X, requires_grad=True)
    assert np.array_equal(of_object(rows).raw[:], X)
    assert of_object(rows.to(torch.bfloat16)).raw.dtype == np.float32
    assert "to_dense()" in refusal(rows.detach().to_sparse())


def test_arrays_of_a_device_are_fetched(monkeypatch):
    cupy = stand_in_cupy.module()
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    array = cupy.asarray(X.tolist())
    with pytest.raises(TypeError):  # control: it does not mix with those of NumPy
        array + X
    assert np.array_equal(of_object(array).raw[:], X)
    assert np.array_equal(of_object([cupy.asarray(row.tolist()) for row in X]).raw[:], X)


def test_images_are_said_of_objects_too():
    found = of_object(np.zeros((4, 8, 8), np.float16))
    assert found.facts["image"] == [8, 8, 1] and found.said == ("images of 8 x 8 as rows of 64 values",)
    assert found.raw.dtype == np.float16


FRAME = pd.DataFrame(
    {
        "a": [1, 2, 3],
        "b": [0.5, np.nan, 2.5],
        "w": ["x", "y", None],
        "flag": [True, False, True],
        "n": pd.array([4, None, 6], dtype="Int64"),
        "cat": pd.Categorical(["u", "v", "u"]),
        "mixed": [1, "q", "r"],
    },
    index=["r1", "r2", "r3"],
)
VALUES = np.array([[1, 0.5, 1, 4], [2, np.nan, 0, np.nan], [3, 2.5, 1, 6]])


@pytest.mark.parametrize(
    "frame", [FRAME, pl.from_pandas(FRAME.drop(columns=["mixed"])), pa.Table.from_pandas(FRAME.drop(columns=["mixed"]))]
)
def test_a_dataframe_gives_its_columns_of_numbers(frame):
    found = of_object(frame)
    assert np.array_equal(found.raw[:], VALUES, equal_nan=True) and found.table.names == ("a", "b", "flag", "n")
    held = {aside.name: aside.holds for aside in found.table.asides}
    assert held["w"] == "words, such as 'x'" and held["cat"] == "categories, such as 'u'"
    assert found.facts["kind"] == "dataframe" and found.said == ("true and false in column 4 as 1 and 0",)
    assert np.array_equal(of_object(frame, Asked(columns=("n",))).raw[:, 0], [4, np.nan, 6], equal_nan=True)


def test_columns_of_a_dataframe_that_are_only_numbered_have_no_names():
    found = of_object(pd.DataFrame(X))
    assert np.array_equal(found.raw[:], X) and found.table.names == ()


def test_a_label_that_is_another_columns_number_is_a_question():
    frame = pd.DataFrame(X)
    for asked in ({"columns": ("1",)}, {"drop": ("1",)}):
        assert "column 2 is called so, and there is a column 1; write #2 or #1" in refusal(frame, **asked)
    for word, place in (("0", 0), ("3", 2), ("#2", 1)):
        found = of_object(frame, Asked(columns=(word,)))
        assert np.array_equal(found.raw[:], X[:, [place]]) and found.table.names == ()
        assert found.table.numbers == (place + 1,)
    assert np.array_equal(of_object(frame, Asked(drop=("#2",))).raw[:], X[:, [0, 2]])
    words = of_object(pd.DataFrame([["a", 1.0], ["b", 2.0]]))
    assert "df[0] = pandas.to_numeric(df[0])" in refusal(pd.DataFrame([["1", 1.0], ["3", 2.0]]))
    assert words.table.asides[0].name == "" and words.table.asides[0].holds == "words, such as 'a'"


@pytest.mark.parametrize("index", [[10, 20, 40], [0.5, 1.5, 2.5]])
def test_the_index_that_pandas_gives_to_arrow_is_left_out(index):
    frame = pd.DataFrame({"a": [1.0, 2, 4], "b": [3.0, 5, 5]}, index=index)
    for table in (pa.Table.from_pandas(frame), pa.RecordBatch.from_pandas(frame)):
        assert "__index_level_0__" in table.schema.names  # control
        found = of_object(table)
        assert found.table.names == ("a", "b") and np.array_equal(found.raw[:], frame.to_numpy())
        assert [aside.holds for aside in found.table.asides] == ["an index"]
        assert np.array_equal(of_object(table, Asked(columns=("__index_level_0__",))).raw[:, 0], index)


@pytest.mark.parametrize("kind", [">i4", ">f8", ">f2", ">u2", "g", ">i8"])
def test_columns_of_types_that_arrow_does_not_have(kind):
    values = np.arange(3).astype(kind)
    found = of_object(pd.DataFrame({"w": ["x", "y", "z"], "a": values}))
    assert np.array_equal(found.raw[:, 0], [0, 1, 2]) and found.table.names == ("a",)


def test_more_digits_than_float64_holds_in_a_dataframe():
    if np.finfo(np.longdouble).nmant == 52:
        pytest.skip("long double is double here")
    frame = pd.DataFrame({"w": ["x", "y"], "a": np.array([1, 1 + np.finfo("g").eps], "g")})
    assert "at row 2, column 2 has more digits" in refusal(frame)


@pytest.mark.parametrize("dtype", [complex, object])
def test_complex_columns_are_named_as_such(dtype):
    frame = pd.DataFrame({"a": [1.0, 2.0], "z": np.array([1, 2j], dtype)})
    assert of_object(frame).table.asides[0].holds == "complex numbers"
    assert "column 2 (z) holds complex numbers" in refusal(frame, columns=("z",))


LONG = "length of the petal " * 5
UGLY = ["two\nlines", "\x1b[31mred", "a  b", LONG]


def test_names_are_shown_on_one_line_and_asked_for_as_they_are_written():
    frame = pd.DataFrame([["x", 1.0, 2.0, 3.0]] * 2, columns=UGLY)
    records = np.zeros(2, [(name, "U1" if j == 0 else "f8") for j, name in enumerate(UGLY)])
    records[UGLY[0]] = "x"
    for data in (frame, pa.Table.from_pandas(frame), records):
        table = of_object(data).table
        assert table.names == ("?[31mred", "a b", LONG[:60].strip()) and table.asides[0].name == "two lines"
        assert of_object(data, Asked(columns=(LONG, "a  b", "?[31mred"))).table.numbers == (4, 3, 2)
        assert "\x1b" not in refusal(data, columns=("nothing",))
        assert "column 1 (two lines) holds words" in refusal(data, columns=("two\nlines",))


def test_names_that_come_twice_and_levels_of_names():
    assert of_object(pd.DataFrame(X, columns=["a", "a", "b"])).table.names == ("a", "a", "b")
    levels = pd.MultiIndex.from_tuples([("m", "a"), ("m", "b"), ("s", "a")])
    assert of_object(pd.DataFrame(X, columns=levels)).table.names == ("m a", "m b", "s a")


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (["14.23", "14.06 %", "13.2"], "row 2, column 2 (ash): '14.06 %' is a number with something behind it"),
        ([14.23, "14.06 %", 13.2], "row 2, column 2 (ash): '14.06 %' is a number with something behind it"),
        (["14.23", "#DIV/0!", None], "row 2, column 2 (ash): '#DIV/0!' is a spreadsheet's error"),
        (["14.23", "13", "Mean"], "row 3, column 2 (ash): 'Mean' is not a number, in the last row only"),
        (["14,23", "14,06", "13"], "'14,23' has a decimal comma; give read_csv decimal=\",\" if all numbers are"),
        (["<0.4", "<0.4", ">2"], "'<0.4' says only on which side of a number"),
        (["14.23", None, "NA"], "column 2 (ash) holds numbers as words, such as '14.23'; convert them (in pandas: "),
        (["14.23", None, "NA"], "df['ash'] = pandas.to_numeric(df['ash'])), or leave the column out (--drop ash)"),
    ],
)
@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame, pa.table])
def test_strings_of_a_dataframe_are_judged_as_the_words_of_a_text(column, words, library):
    if library is not pd.DataFrame and not all(isinstance(word, (str, type(None))) for word in column):
        pytest.skip("it has no columns of several types")
    frame = library({"a": [1.0, 2, 4], "ash": column})
    assert words in refusal(frame) and "line" not in words.split("(")[0]
    for asked in ({"drop": ("ash",)}, {"columns": ("a",)}):
        assert of_object(frame, Asked(**asked)).raw[:].tolist() == [[1], [2], [4]]
    assert words in refusal(frame, columns=("ash",))


def test_strings_that_are_words_or_an_index_are_left_out():
    words = pd.DataFrame({"": ["1", "2a", "3"], "a": [1, 2, 4], "t": ["x", "7", "y"], "no": [None, "", "NA"]})
    found = of_object(words.astype({"no": "str"}))
    assert found.table.names == ("a",)
    assert [aside.holds for aside in found.table.asides[1:]] == ["words and numbers, such as 'x'", "no values"]
    # What shows late counts too, once the first rows are not all words.
    late = pd.DataFrame({"a": np.arange(4000), "t": ["1"] * 1500 + ["A/5"] * 2500})
    assert of_object(late).table.names == ("a",)
    assert "row 2501, column 2 (t): 'A/5'" in refusal(
        pd.DataFrame({"a": range(4000), "t": ["1"] * 2500 + ["A/5"] * 1500})
    )


def test_a_dataframe_that_was_read_with_the_wrong_delimiter_is_known():
    text = "alcohol;ash;hue\n14,23;1,71;2\n13,2;1,78;3\n"
    message = refusal(pd.read_csv(io.StringIO(text)))
    assert message == (
        "the DataFrame has one column, 'alcohol;ash;hue', and 2 levels of an index made of the parts of its numbers: "
        "read the file with sep=';', and decimal=',' if its numbers have decimal commas"
    )
    assert "read the file with sep=';'" in refusal(pd.read_csv(io.StringIO(text.replace(",", "."))))
    assert "sep='\\t'" in refusal(pd.read_csv(io.StringIO(text.replace(";", "\t"))))
    assert len(of_object(pd.read_csv(io.StringIO(text), sep=";", decimal=",")).raw[:]) == 2
    levels = pd.DataFrame({"a": [1.0, 2, 4]}, index=pd.MultiIndex.from_product([["x"], [1, 2, 3]]))
    assert of_object(levels).doubts == (
        "the 2 levels of the index are no columns of the data; reset_index() makes them some",
    )


def test_whole_numbers_of_a_dataframe_that_float64_does_not_hold():
    frame = pd.DataFrame({"w": ["x", "y"], "n": [1, 2**53 + 1]})
    assert "9007199254740993 at row 2, column 2 is beyond 2^53" in refusal(frame)


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "dia", "lil", "dok", "bsr"])
def test_sparse_matrices_and_arrays(form):
    M = sparse.random(20, 6, 0.2, rng=1).asformat(form)
    for held in (M, getattr(sparse, f"{form}_array")(M)):
        found = of_object(held)
        assert np.array_equal(found.raw[:], M.toarray()) and f"a sparse {form.upper()} matrix" in found.said[0]
        assert found.facts["sha256"] == hashlib.sha256(M.toarray().tobytes()).hexdigest()


def test_what_is_masked_is_missing():
    masked = np.ma.masked_array([[1, 2], [3, 4]], mask=[[0, 1], [0, 0]])
    assert np.array_equal(of_object(masked).raw[:], [[1, np.nan], [3, 4]], equal_nan=True)
    assert of_object(np.ma.masked_array([[1, 2], [3, 4]])).raw.dtype.kind == "i"
    floats = np.ma.masked_array(np.array([[1, 2], [3, 4]], np.float32), mask=[[0, 1], [0, 0]])
    assert of_object(floats).raw.dtype == np.float32 and np.isnan(of_object(floats).raw[0][1:]).all()
    stack = np.ma.masked_array(np.ones((3, 4, 4)), mask=np.eye(4)[None].repeat(3, 0))
    assert np.isnan(of_object(stack).raw[:]).sum() == 12


MASKED = [np.ma.array([1, 2.0, 999], mask=[0, 0, 1]), np.ma.array([4.0, 5, 6])]


@pytest.mark.parametrize(
    "rows",
    [
        MASKED,
        tuple(MASKED),
        [MASKED[0].astype(int), [4, 5, 6]],
        [[1, 2, np.ma.masked], [4, 5, 6]],
        OnDisk(np.ma.stack(MASKED)),
    ],
)
def test_what_is_masked_in_rows_of_a_list_or_on_disk_is_missing(rows):
    assert np.array_equal(of_object(rows).raw[:], [[1, 2, np.nan], [4, 5, 6]], equal_nan=True)
    images = [[row, row] for row in rows]
    assert np.isnan(of_object(images).raw[:]).sum() == 2


def test_what_is_masked_in_records_is_missing():
    numbers = np.ma.array([("2", 1.0), ("--", 2.0)], [("w", "U2"), ("a", "f8")], mask=[(0, 0), (1, 0)])
    assert "holds numbers as words, such as '2'" in refusal(numbers)
    kind = [("w", "U2"), ("a", "i4"), ("b", "f4"), ("flag", "?")]
    records = np.ma.array([("x", 1, 2.5, True), ("y", 3, 4.5, False)], kind, mask=[(1, 0, 1, 0), (0, 1, 0, 1)])
    found = of_object(records)
    assert np.array_equal(found.raw[:], [[1, np.nan, 1], [np.nan, 4.5, np.nan]], equal_nan=True)
    assert found.table.names == ("a", "b", "flag")


def test_masked_values_that_have_no_nan_are_refused():
    words = np.ma.array([["a", "b"], ["c", "d"]], mask=[[0, 1], [0, 0]])
    assert "give data.filled(...)" in refusal(words)
    whole = OnDisk(np.ma.array([[1, 2], [3, 4]], mask=[[0, 1], [0, 0]]))
    with pytest.raises(InputError, match="give the array in memory"):
        of_object(whole)


@pytest.mark.parametrize(
    ("rows", "number", "place"),
    [
        ([[2**53 + 1, 0.5], [1, 2]], 2**53 + 1, "row 1, column 1"),
        ([[0, 1], [2**63 + 1, -1]], 2**63 + 1, "row 2, column 1"),
        ([np.array([0.5, 1]), np.array([1, -(2**53) - 1])], -(2**53) - 1, "row 2, column 2"),
        ([[[1, 2], [3, 0.5]], [[1, 2], [2**53 + 1, 4]]], 2**53 + 1, "row 2, column 3"),
        ([np.ma.array([1, 2**53 + 1], mask=[1, 0]), [1, 2]], 2**53 + 1, "row 1, column 2"),
        (np.ma.array([[1, 2], [1, 2**53 + 1]], mask=[[1, 0], [0, 0]]), 2**53 + 1, "row 2, column 2"),
    ],
)
def test_whole_numbers_that_float64_does_not_hold_are_not_rounded(rows, number, place):
    with pytest.raises(InputError) as caught:
        of_object(rows)
    assert f"{number} at {place} is beyond 2^53" in str(caught.value)


def test_large_numbers_of_a_list_that_float64_holds():
    rows = [[2**53 + 2, 0.5], [1e300, -(2**60)], [2**63, -1]]
    assert np.array_equal(of_object(rows).raw[:], np.array(rows, float))


def test_a_dataset_on_disk_is_read_by_rows(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = X
        assert np.array_equal(of_object(file["x"]).raw[1:3], X[1:3])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"x": X, "y": X}, "a dict (of 'x', 'y'); give one of its arrays"),
        ({}, "an empty dict"),
        ({1, 2}, "which has no order"),
        ((row for row in X), "can be read only once; give numpy.stack(list(...))"),
        (iter(X), "can be read only once"),
        (None, "of type NoneType"),
        (3, "of type int"),
        (b"ab", "of type bytes"),
        (object(), "of type object"),
        (pl.DataFrame({"a": [1]}).lazy(), "give its .collect()"),
        (pd.Series([1, 2]), "a list of 2 numbers"),
        (X[0], "a list of 3 numbers"),
        ([1.0, 2.0], "a list of 2 numbers"),
        ([[1, 2], [3]], "rows have different lengths"),
        ([[1, None], [3, 4]], "None"),
        ([["a", "b"]], "not real numbers"),
        (X.astype(object), "held as Python objects; give numpy.asarray(data, dtype=float)"),
        (np.array([[1.5, 2], ["3", None]], object), "held as Python objects; give"),
        (
            np.array([[1.5, 2], [3, "5.1 %"]], object),
            "'5.1 %' at row 2, column 2 is no number that float64 holds; mend",
        ),
        ([[1, 2**70 + 1], [3, 4]], "'1180591620717411303425' at row 1, column 2 is no number that float64 holds"),
        (pd.DataFrame({"a": [1.5, 2], "w": ["x", "y"]}).values, "'x' at row 1, column 2 is no number"),
        (X + 1j, "not real numbers"),
        (pd.DataFrame({"w": ["x", "y"]}), "no column holds numbers"),
        (pd.DataFrame(), "no column"),
        (np.zeros((0, 3)), "the data are empty (shape (0, 3)); give at least two rows"),
        (pd.DataFrame({"a": [1.0]}), "the data have one row"),
        ([[10**400, 0.5]], "is no number that float64 holds"),
        ([[Fraction(1, 2)]] * 2, "numbers held as Python objects"),
    ],
)
def test_what_is_no_table_is_refused_with_what_to_give_instead(data, words):
    assert words in refusal(data)


def test_options_of_files_mean_nothing_here():
    assert "only files" in refusal(X, decimal=",")
    assert "only files" in refusal(X, member="x")


def test_no_library_is_imported_for_an_array():
    code = (
        "import sys, numpy; from verify.data.files.objects import of_object; of_object(numpy.ones((3, 2)));"
        "print(sorted({'pandas', 'torch', 'polars', 'cupy', 'h5py', 'pyarrow', 'jax'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_an_estimator_is_no_rows():
    class Fitted:
        def fit(self, X):
            return self

        def get_params(self):
            return {}

    with pytest.raises(InputError, match=r"^the data are a Fitted, an estimator; give the rows that it is fitted to$"):
        of_object(Fitted())
