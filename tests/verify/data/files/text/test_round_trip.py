"""Whatever table is written in whatever way, what is read is what was written, or there is a question."""

import csv
import io
import math

import numpy as np
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from tests.verify.data.files.text.reading import read
from verify.errors import InputError

WORDS = [
    "setosa",
    "New York",
    "Paris, France",
    "a;b",
    "x|y",
    "A/5 21171",
    'say "so"',
    "M",
    "two\nlines",
    "é",
    "Smith 3",
    "#10 repeat",
    "%7",
    "12A",
]
DATES = ["2020-01-01", "2021-12-31", "01.02.2020", "2020-01-01 12:30", "3/4/1999"]
NAMES = ["a", "x y", "price, EUR", "weight;kg", "mean", "25%", "Größe", "p|q", "T1", "col 2"]
MISSING = ["", "NA", "NaN", "n/a", "."]


@st.composite
def tables(draw):
    """Columns of words as they are written with a point, those of numbers marked; 2 to 12 rows."""
    count = draw(st.integers(2, 12))
    column = {
        "whole": st.integers(-50, 300).map(str),
        "fraction": st.floats(-1e3, 1e3).map(lambda value: f"{value:.4f}"),
        "float": st.floats(allow_nan=False, allow_infinity=False).map(repr),
        "word": st.sampled_from(WORDS),
        "date": st.sampled_from(DATES),
    }
    kinds = draw(st.lists(st.sampled_from(list(column)), min_size=1, max_size=5))
    columns = [draw(st.lists(column[kind], min_size=count, max_size=count)) for kind in kinds]
    if draw(st.booleans()):
        for entries in columns:
            for i in range(1, count):
                if draw(st.integers(0, 7)) == 0:
                    entries[i] = draw(st.sampled_from(MISSING))
    names = draw(st.none() | st.lists(st.sampled_from(NAMES), min_size=len(kinds), max_size=len(kinds), unique=True))
    return kinds, columns, names


@st.composite
def manners(draw):
    """(delimiter, decimal mark, quoting, line end)."""
    delimiter, mark = draw(st.sampled_from([(",", "."), (";", "."), ("\t", "."), (";", ","), ("\t", ","), (" ", ".")]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    return delimiter, mark, quoting, draw(st.sampled_from(["\n", "\r\n"]))


@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(tables(), manners())
def test_what_is_read_is_what_was_written_or_a_question(tmp_path, table, manner):
    kinds, columns, names = table
    delimiter, mark, quoting, end = manner
    # A blank between spaces, or a line end between them, is no field that could be written.
    assume(delimiter != " " or not any(word in ("", "two\nlines") for column in columns for word in column))
    # Nor is a sentence after a mark of comments, of as many words as there are columns, told from a row; it is counted.
    assume(delimiter != " " or not any(word[:1] in ("#", "%") for word in columns[0]))
    assume(len(kinds) > 1 or not any(entries == "" for entries in columns[0]))  # a blank line
    assume(len(kinds) > 1 or mark == ".")  # 1,5 alone is two numbers to anybody
    numeric = [j for j, kind in enumerate(kinds) if kind not in ("word", "date")]
    assume(any(word not in MISSING for j in numeric for word in columns[j]))  # else there is nothing to read
    written = [
        [word.replace(".", mark) if j in numeric and word != "." else word for word in column]
        for j, column in enumerate(columns)
    ]
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, quoting=quoting, lineterminator=end)
    if names:
        writer.writerow(names)
    writer.writerows(zip(*written, strict=True))
    try:
        found = read(tmp_path, buffer.getvalue())
    except InputError as error:
        event("a question" if "say --" in str(error) else "refused")
        return
    event("read")
    values = [
        [math.nan if word in MISSING else float(word) for word in columns[j]]
        for j in numeric
        if any(word not in MISSING for word in columns[j])
    ]
    assert np.array_equal(found.raw, np.array(values).T, equal_nan=True)
    assert names is None or found.facts["columns"] == [
        names[j] for j in numeric if any(word not in MISSING for word in columns[j])
    ]
