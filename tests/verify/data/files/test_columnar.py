"""Parquet, Feather and Arrow files: columns of numbers are the rows, the others are named."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather, ipc, parquet

from tests.verify.data.files.reading import read, refusal

COLUMNS = {
    "a": pa.array([1, 2, 3], pa.int8()),
    "b": pa.array([0.5, None, 2.5]),
    "w": pa.array([None, "abc", "de"]),
    "h": pa.array(np.array([1, 2, 3], np.float16)),
    "flag": pa.array([True, None, False]),
    "cat": pa.array(["u", "v", "u"]).dictionary_encode(),
    "day": pa.array([datetime.date(2020, 1, 2)] * 3),
    "dec": pa.array([Decimal("1.25"), None, Decimal("-3.50")]),
    "list": pa.array([[1], [2, 3], []]),
    "none": pa.array([None] * 3, pa.null()),
    "long": pa.array([2**53, None, -4]),
    "took": pa.array([datetime.timedelta(1)] * 3),
}
NUMBERS = ("a", "b", "h", "flag", "dec", "long")
VALUES = [[1, 0.5, 1, 1, 1.25, 2**53], [2, np.nan, 2, np.nan, np.nan, np.nan], [3, 2.5, 3, 0, -3.5, -4]]
TABLE = pa.table(COLUMNS)


def write(path, table):
    if path.suffix == ".parquet":
        parquet.write_table(table, path, row_group_size=2)
    elif path.suffix == ".feather":
        feather.write_feather(table, path, compression="lz4", chunksize=2)
    else:
        with ipc.new_stream(path, table.schema) as stream:
            stream.write_table(table, max_chunksize=2)


@pytest.fixture(params=["a.parquet", "a.feather", "a.arrow"])
def path(tmp_path, request):
    return tmp_path / request.param


def test_columns_of_numbers_are_the_rows(path):
    write(path, TABLE)
    found = read(path)
    assert np.array_equal(found.raw[:], np.array(VALUES, float), equal_nan=True)
    assert found.table.names == NUMBERS and found.table.numbers == (1, 2, 4, 5, 8, 11) and found.table.width == 12
    assert found.said == ("true and false in column 5 as 1 and 0",)
    assert {aside.name: aside.holds.split(";")[0] for aside in found.table.asides} == {
        "w": "words, such as 'abc'",
        "cat": "categories, such as 'u'",
        "day": "dates, such as 2020-01-02",
        "list": "lists or records",
        "none": "nothing",
        "took": "durations, such as 1 day, 0:00:00",
    }


def test_columns_asked_for(path):
    write(path, TABLE)
    found = read(path, columns=("long", "a"))
    assert np.array_equal(found.raw[:], [[2**53, 1], [np.nan, 2], [-4, 3]], equal_nan=True)
    assert "column 3 (w) holds words, such as 'abc'" in refusal(path, columns=("w",))
    assert "no such column" in refusal(path, columns=("zz",))
    assert read(path, drop=("a",)).table.names == NUMBERS[1:]


@pytest.mark.parametrize("names", [("a", "a", "b"), ("a.b", "a", "c.d")])
def test_names_that_come_twice_or_have_dots(path, names):
    write(path, pa.Table.from_arrays([pa.array([float(i), i + 1]) for i in range(3)], names=names))
    found = read(path, columns=("3", "1"))
    assert np.array_equal(found.raw[:], [[2, 0], [3, 1]]) and found.table.names == (names[2], names[0])


@pytest.mark.parametrize(
    "held",
    [
        pa.array([1, None, 2**53 + 1]),
        pa.array([0, 1, 2**64 - 1], pa.uint64()),
        pa.array([Decimal(1), Decimal(1), Decimal(2**53 + 1)]),
    ],
    ids=["int", "unsigned", "decimal"],
)
def test_whole_numbers_that_float64_does_not_hold_are_refused(path, held):
    write(path, pa.table({"w": ["x"] * 3, "n": held}))
    assert "at row 3, column 2 is beyond 2^53" in refusal(path)


def test_the_index_of_pandas_is_left_out(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 2, 4], "b": [3.0, 5, 5]}, index=pd.Index([10.0, 12.5, 11], name="key"))
    frame.to_parquet(tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    assert found.table.names == ("a", "b") and found.table.asides[0].name == "key"
    assert found.table.asides[0].holds == "an index"
    assert np.array_equal(read(tmp_path / "a.parquet", columns=("key",)).raw[:, 0], [10, 12.5, 11])
    frame.reset_index().to_feather(tmp_path / "b.feather")  # as a column of its own it is one
    assert read(tmp_path / "b.feather").table.names == ("key", "a", "b")


def test_names_are_shown_on_one_line_and_asked_for_as_they_are_written(path):
    names = ["two\nlines", "\x1b[31mred", "a  b", "g" * 99]
    write(path, pa.Table.from_arrays([pa.array(["x\n", "y"]), *(pa.array([float(i), i + 1]) for i in range(3))], names))
    table = read(path).table
    assert table.names == ("?[31mred", "a b", "g" * 60)
    assert (table.asides[0].name, table.asides[0].holds) == ("two lines", "words, such as 'x'")
    assert read(path, columns=("g" * 99, "a  b", "?[31mred")).table.numbers == (4, 3, 2)
    assert "column 1 (two lines) holds words" in refusal(path, columns=("two\nlines",))
    assert "\x1b" not in refusal(path, columns=("nothing",))


def test_strings_are_judged_as_the_words_of_a_text(path):
    write(path, pa.table({"a": [1.0, 2, 4], "ash": ["14.23", "14.06 %", "13"], "w": ["x", "1", "y"]}))
    assert "row 2, column 2 (ash): '14.06 %' is a number with something behind it" in refusal(path)
    found = read(path, drop=("ash",))
    assert found.table.names == ("a",) and found.table.asides[0].holds == "words and numbers, such as 'x'"
    write(path, pa.table({"a": [1.0, 2, 4], "ash": ["14.23", "14.06", None]}))
    assert "column 2 (ash) holds numbers as words, such as '14.23'; convert them (in pandas: df['ash'] =" in refusal(
        path
    )


def test_words_alone_are_no_rows(path):
    write(path, pa.table({"w": ["x", "y"]}))
    assert "no column holds numbers: column 1 (w) holds words, such as 'x'" in refusal(path)


def test_a_damaged_file_is_refused(path):
    write(path, TABLE)
    good = path.read_bytes()
    for cut in (len(good) // 2, len(good) - 3, 20):
        if path.suffix == ".arrow" and cut > 20:
            continue  # a stream may end after any whole batch
        path.write_bytes(good[:cut])
        assert "truncated or damaged" in refusal(path)
