"""What columns hold: numbers, missing values, truth values, words, dates, nothing; and entries that are faults."""

import shlex

import numpy as np
import pytest

from tests.verify.data.files.text.reading import read, refusal, rows
from verify.data.files.found import Asked
from verify.data.files.text import reader
from verify.data.files.text.faults import dropping


def asides(folder, content, **asked):
    return [(aside.number, aside.name, aside.holds) for aside in read(folder, content, **asked).table.asides]


MISSING = ["", " ", "NA", "na", "N/A", "n.a.", "#N/A", "NaN", "nan", "-nan", "NULL", "None", "nil", ".", "-", "?"]
MISSING += ["Missing", "#N/A N/A", "<NA>", '""', '"NA"', "nan(ind)"]


@pytest.mark.parametrize("word", MISSING)
@pytest.mark.parametrize("column", [0, 1])
def test_missing_values_are_nan(tmp_path, word, column):
    row = ["7", "8"]
    row[column] = word
    wanted = [7.0, 8.0]
    wanted[column] = None
    assert rows(tmp_path, f"a,b\n1,2\n{','.join(row)}\n5,6\n") == [[1, 2], wanted, [5, 6]]


def test_infinity_is_read_as_it_is_written(tmp_path):
    assert rows(tmp_path, "1,inf\n3,-Infinity\n1e999,0\n") == [[1, np.inf], [3, -np.inf], [np.inf, 0]]


def test_words_dates_and_nothing_are_left_out_by_name(tmp_path):
    content = "a,species,day,note,b\n1,setosa,2020-01-01,,2\n3,NA,02.01.2020,NA,4\n5,virginica,,,6\n"
    found = read(tmp_path, content)
    assert found.raw.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert found.facts == {"columns": ["a", "b"]}
    assert found.table.names == ("a", "b") and found.table.numbers == (1, 5) and found.table.width == 5
    assert asides(tmp_path, content) == [
        (2, "species", "words, such as 'setosa'"),
        (3, "day", "dates, such as '2020-01-01'"),
        (4, "note", "no values"),
    ]
    assert asides(tmp_path, "a,t\n1,12:30\n2,12:45\n") == [(2, "t", "dates, such as '12:30'")]
    assert asides(tmp_path, "a,t\n1,x\n2,7\n3,y\n") == [(2, "t", "words and numbers, such as 'x'")]
    assert asides(tmp_path, 'a,t\n1,"x\u202e\ny, z"\n2,w\n') == [(2, "t", r"words, such as 'x\u202e y, z'")]


def test_an_index_is_left_out(tmp_path):
    found = read(tmp_path, ",x,y\n0,1.5,2\n1,2.5,3\n")
    assert found.raw.tolist() == [[1.5, 2], [2.5, 3]]
    assert asides(tmp_path, ",x,y\n0,1.5,2\n1,2.5,3\n") == [(1, "", "an index")]
    # Whatever an index holds, it is no fault.
    assert rows(tmp_path, ",x,y\n0,1.5,2\n7a,2.5,3\n9,1,1\n") == [[1.5, 2], [2.5, 3], [1, 1]]


@pytest.mark.parametrize(("yes", "no"), [("True", "False"), ("TRUE", "FALSE"), ("true", "false"), ("tRUE", "fALSE")])
def test_truth_values_are_one_and_zero_and_said(tmp_path, yes, no):
    found = read(tmp_path, f"x,adult\n1.5,{yes}\n2.5,{no}\n0,\n")
    assert rows(tmp_path, f"x,adult\n1.5,{yes}\n2.5,{no}\n0,\n") == [[1.5, 1], [2.5, 0], [0, None]]
    assert found.said == ("line 1 is the header", "True and False of column 2 (adult) as 1 and 0")
    assert "'True' is not a number" in refusal(tmp_path, "a\n1\nTrue\n3\n")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,b\n1,2\n3,x\n5,6\n", "line 3, row 2, column 2 (b): 'x' is not a number; mend it, or leave the column out "),
        (
            "a,b\n1,2\n3,x\n5,6\n",
            "(--drop b); a missing value is nothing, NA, NaN, null, none, nil, missing, ., - or ?",
        ),
        (
            "1,2\n3,x\n5,6\n",
            "line 2, row 2, column 2: 'x' is not a number; mend it, or leave the column out (--drop 2)",
        ),
        ("# one\n\na,b\n1,2\n# two\n3,x\n5,6\n", "line 6, row 2, column 2 (b): 'x'"),
        ('a,"b\nc"\n1,2\n3,x\n5,6\n', "line 4, row 2, column 2 (b c): 'x' is not a number"),
        ('a,"b\nc"\n1,2\n3,x\n5,6\n', "(--drop 'b c')"),
        ("a,a\n1,2\n3,x\n5,6\n", "(--drop 2)"),
        ("1,2\n3,4+1j\n", "'4+1j' is not a number"),
        ("1,2\n1_0,4\n", "'1_0' is not a number"),
        ("1,2\n0x1F,4\n", "'0x1F' is not a number"),
        ("1,2\n٣,4\n", "'٣' is not a number"),
        (
            "a,b\n1,2\n3,4kg\n5,6\n",
            "'4kg' is a number with something behind it, perhaps a unit; write the number alone",
        ),
        ("a,b\n1,2\n3,50%\n5,6\n", "'50%' is a number with something behind it"),
        (
            "a,b\n1,2\n3,#DIV/0!\n5,6\n",
            "line 3, row 2, column 2 (b): '#DIV/0!' is a spreadsheet's error; mend the cell",
        ),
        ("a,b\n1,#REF!\n3,#VALUE!\n5,\n", "line 2, row 1, column 2 (b): '#REF!' is a spreadsheet's error"),
        (
            "a,b\n1,2\n3,2020-01-01\n5,6\n",
            "'2020-01-01' is a date; did a spreadsheet make it of a number? mend the cell",
        ),
        ("a,b\n1,2\n3," + "y" * 200 + "\n5,6\n", f"'{'y' * 37}...' is not"),
        ("a,b\n1,2\n3\n", "line 3 (row 2) has 1 field, line 1 has 2; every line needs as many"),
        ("1,2\n3,4,5\n", "line 2 (row 2) has 3 fields, line 1 has 2"),
        (
            'a,b\n1,2\n3,"4\n5"6,7\n',
            "line 3 (row 2) has 3 fields, line 1 has 2; is a quotation mark there never closed?",
        ),
        ('a,b\n1,2\n3,"4\n5,6\n', "line 3: a quotation mark that opens a field there is not closed"),
        (f'a,b\n1,2\n3,"{"4 " * 100000}\n5,6\n', "line 3: a field of more than 131072 characters; is a quotation"),
        ("a,b\nx,y\nz,w\n", "no column holds numbers: column 1 (a) holds words, such as 'x'"),
        ("a,b\n,\n,\n", "no column holds numbers: column 1 (a) holds no values"),
        ("# nothing\n% here\n", "the file is empty but for comments"),
        ("", "the file is empty"),
        ("\n \n\t\n", "the file is empty"),
        (
            "a,b\n1,2\n3,9007199254740993\n",
            "line 3: 9007199254740993 at row 2, column 2 is beyond 2^53, and float64 does not hold it; subtract a "
            "constant from its column first, or leave the column out (--drop b)",
        ),
        ('1,2\n"-1152921504606846977",4\n', "line 2: -1152921504606846977 at row 2, column 1 is beyond 2^53"),
        ("x;y\n1,5;2\n9007199254740993;4\n", "line 3: 9007199254740993 at row 2, column 1 is beyond 2^53"),
    ],
)
def test_faults_are_named_with_their_place_and_a_way_out(tmp_path, content, words):
    assert words in refusal(tmp_path, content)


@pytest.mark.parametrize(
    ("names", "option"),
    [
        (("a", "b"), "--drop b"),
        ((), "--drop 2"),
        (("a", "b c"), "--drop 'b c'"),
        (("a", "a"), "--drop 2"),
        (("a", ""), "--drop 2"),
        (("a", "1990"), "--drop 2"),
        (("2", "1990"), "--drop '#2'"),
        (("2", "2"), "--drop '#2'"),
        (("a", "-b"), "--drop 2"),
    ],
)
def test_the_option_that_leaves_a_column_out_means_that_column(names, option):
    assert dropping(2, names) == option
    (word,) = shlex.split(option)[1:]
    assert Asked(drop=(word,)).chosen(names, 2) == [0]


def test_the_first_fault_is_named(tmp_path):
    assert "line 3, row 2, column 3 (c): 'x'" in refusal(tmp_path, "a,b,c\n1,2,3\n4,5,x\n7,y,9\n1,1,1\n")
    assert "line 3, row 2, column 2 (b): 'y'" in refusal(tmp_path, "a,b,c\n1,2,3\n4,y,x\n7,8,9\n1,1,1\n")


def test_large_numbers_are_taken_where_they_are_floats(tmp_path):
    words = ("9007199254740992", "1152921504606846976", "1152921504606847000", "1e23", "1.2345678901234567e+20")
    assert rows(tmp_path, "".join(f"{word},0\n" for word in words)) == [[float(word), 0] for word in words]


def test_columns_left_out_cannot_be_at_fault(tmp_path):
    content = "a,b,c\n1,x,2\n3,4,9007199254740993\n5,6,7\n"
    assert rows(tmp_path, content, columns=("a",)) == [[1], [3], [5]]
    assert rows(tmp_path, content, drop=("2", "c")) == [[1], [3], [5]]
    assert "column 2 (b): 'x'" in refusal(tmp_path, content, drop=("c",))
    assert "9007199254740993" in refusal(tmp_path, content, drop=("b",))


def test_chosen_columns_come_in_the_order_asked(tmp_path):
    found = read(tmp_path, "a,b,c\n1,x,2\n3,4,4\n", columns=("c", "a"))
    assert found.raw.tolist() == [[2, 1], [4, 3]]
    assert found.facts == {"columns": ["c", "a"]} and found.table.numbers == (3, 1) and not found.table.asides
    assert "column 2 (b) holds no values" in refusal(tmp_path, "a,b\n1,\n2,\n", columns=("b",))
    assert "column 2 (s) holds words, such as 'x'; leave it out" in refusal(tmp_path, "a,s\n1,x\n2,y\n", columns=("s",))
    assert "column 'd': no such column; there are 2: a, s" in refusal(tmp_path, "a,s\n1,x\n2,y\n", columns=("d",))


@pytest.fixture
def short_sample(monkeypatch):
    """Only some lines are looked at before the reading starts."""
    monkeypatch.setattr(reader, "_RECORDS", 5)


LONG = "\n".join(f"{i},,{i % 3}" for i in range(200))


@pytest.mark.parametrize(
    ("late", "wanted"),
    [
        ("7,,word", "line 202, row 201, column 3 (c): 'word' is not a number"),
        ("7,,", ["a", "c"]),
        ("7,12,3", ["a", "b", "c"]),
        ("7,word,3", ["a", "c"]),
        ("7,2020-01-01,3", ["a", "c"]),
        ("7,True,3", ["a", "b", "c"]),
        ("7,#REF!,3", "line 202, row 201, column 2 (b): '#REF!' is a spreadsheet's error"),
        ("7,,3,4", "line 202 (row 201) has 4 fields, line 1 has 3"),
    ],
)
def test_what_shows_late_in_a_file_is_met_as_if_it_had_shown_at_once(tmp_path, short_sample, late, wanted):
    content = f"a,b,c\n{LONG}\n{late}\n7,,3\n"
    if isinstance(wanted, str):
        assert refusal(tmp_path, content).startswith(wanted)
    else:
        found = read(tmp_path, content)
        assert found.facts["columns"] == wanted and found.raw.shape == (202, len(wanted))


def test_a_column_of_words_that_begins_with_numbers_is_one_of_words(tmp_path, short_sample):
    content = "a,ticket\n" + "".join(f"{i},{i}\n" for i in range(20)) + "".join(f"{i},A/{i}\n" for i in range(30))
    assert asides(tmp_path, content) == [(2, "ticket", "words and numbers, such as 'A/0'")]
    # As many numbers as words: then somebody has to say it.
    assert "'A/0' is not a number" in refusal(tmp_path, "\n".join(content.split("\n")[:41]))


def test_a_chosen_column_may_begin_with_nothing(tmp_path, short_sample):
    content = f"a,b,c\n{LONG}\n7,12,3\n"
    assert read(tmp_path, content, columns=("b",)).raw[-1].tolist() == [12]
    assert read(tmp_path, "b\n" + "NA\n" * 50 + "3\n4\n").raw.shape == (52, 1)
