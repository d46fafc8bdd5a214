"""Delimiters and decimal marks, recognised and said."""

import pytest

from tests.verify.data.files.text.reading import read, refusal, rows

WANTED = [[1.0, 2.5], [3.0, -4.5]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("1,2.5\n3,-4.5\n", ()),
        ("1;2.5\n3;-4.5\n", ("fields separated by semicolons",)),
        ("1\t2.5\n3\t-4.5\n", ("fields separated by tabs",)),
        ("1|2.5\n3|-4.5\n", ("fields separated by bars",)),
        ("1 2.5\n3 -4.5\n", ("fields separated by spaces",)),
        ("  1    2.5\n\t3   -4.5  \n", ("fields separated by spaces",)),
        ("1, 2.5\n3, -4.5\n", ()),
        ("1 ; 2.5\n3 ; -4.5\n", ("fields separated by semicolons",)),
        ('"1","2.5"\n"3","-4.5"\n', ()),
        ('1, "2.5"\n3, "-4.5"\n', ()),
        ("1;2,5\n3;-4,5\n", ("fields separated by semicolons", "decimal comma")),
        ("1\t2,5\n3\t-4,5\n", ("fields separated by tabs", "decimal comma")),
        ("1 2,5\n3 -4,5\n", ("fields separated by spaces", "decimal comma")),
        ('"1","2,5"\n"3","-4,5"\n', ("decimal comma",)),
        ("sep=;\n1;2.5\n3;-4.5\n", ("fields separated by semicolons",)),
        ("1,2.5,\n3,-4.5,\n", ("a delimiter at the end of every line",)),
        (
            "1;2,5;\n3;-4,5;\n",
            ("fields separated by semicolons", "decimal comma", "a delimiter at the end of every line"),
        ),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_each_delimiter_and_mark_is_recognised(tmp_path, content, said, end):
    content = content.replace("\n", end)
    found = read(tmp_path, content)
    assert found.raw.tolist() == WANTED
    assert found.said == (*said, "no header")
    assert read(tmp_path, content.rstrip("\r\n"), "b.txt").raw.tolist() == WANTED


def test_the_ending_of_the_name_decides_only_between_equals(tmp_path):
    assert rows(tmp_path, "1,5\n2,6\n", "a.tsv") == [[1, 5], [2, 6]]
    assert rows(tmp_path, "1\t5\n2\t6\n", "a.csv") == [[1, 5], [2, 6]]
    assert read(tmp_path, "1\t5\n2\t6\n", "a.tsv").said == ("no header",)  # as expected, so not said
    assert read(tmp_path, "1,5\n2,6\n", "a.tsv").said == ("fields separated by commas", "no header")
    # Numbers on both sides of either: the name tells.
    assert rows(tmp_path, "1,5\t2\n3,6\t4\n", "a.tsv") == [[1.5, 2], [3.6, 4]]


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("name;x;y\nNew York, NY;1;2\nParis;3;4\n", [[1, 2], [3, 4]]),
        ("x;note\n1;a, b, c\n2;d, e\n", [[1], [2]]),
        ("a b,c d\n1,2\n3,4\n", [[1, 2], [3, 4]]),
        ('x,"a;b;c"\n1,2\n3,4\n', [[1, 2], [3, 4]]),
        ("time,x\n2020-01-01 12:00:00,1\n2020-01-01 13:00:00,2\n", [[1], [2]]),
        ("total weight\n5\n6\n", [[5], [6]]),
        ("1\n2\n3\n", [[1], [2], [3]]),
        ("city;v;w\nNew York;1,5;2\nParis;2;3\n", [[1.5, 2], [2, 3]]),
        ("x\ty\n1\t\n\t2\n", [[1, None], [None, 2]]),
        ("x y\n1 NA\n. 2\n", [[1, None], [None, 2]]),
        ("1\tx y\n2\tz\n", [[1], [2]]),
    ],
)
def test_words_with_other_delimiters_in_them_mislead_nobody(tmp_path, content, wanted):
    assert rows(tmp_path, content) == wanted


def test_a_decimal_comma_can_be_asked_for(tmp_path):
    assert rows(tmp_path, "x\n1,5\n2,25\n", decimal=",") == [[1.5], [2.25]]
    assert rows(tmp_path, "1,5\n2,25\n", decimal=",") == [[1.5], [2.25]]
    assert rows(tmp_path, "1,5\n2,25\n") == [[1, 5], [2, 25]]  # control: as it stands it is two columns
    assert rows(tmp_path, '"1,5","2"\n"3","4"\n', decimal=",") == [[1.5, 2], [3, 4]]
    assert rows(tmp_path, "1,234;5,678\n2,345;1,111\n", decimal=",") == [[1.234, 5.678], [2.345, 1.111]]
    assert "'1,5' has a decimal comma; say --decimal ," in refusal(tmp_path, "1,5;2,5\n3;4\n", decimal=".")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("x\n1,5\n2,5\n", "line 1 has 1 name, line 2 has 2 fields: a decimal comma (--decimal ,) or a missing name?"),
        ("x,y\n1,5,2,5\n", "line 1 has 2 names, line 2 has 4 fields: decimal commas (then save with ; between"),
        ("1,234;5,678\n2,345;1,111\n", "1,234 may be 1.234 or 1234: say --decimal , if the comma is a decimal mark"),
        (
            "1.234,5;2.000,7\n1,5;3\n",
            "line 1, row 1, column 1: '1.234,5' has marks between thousands; write the",
        ),
        ('"1,234,567","2"\n"3","4"\n', "'1,234,567' has marks between thousands"),
        ("1 234,5;2\n3 456,7;4\n", "'1 234,5' has marks between thousands"),
        ("0,05\n3,12\n", "0,05 may be one number with a decimal comma or two: say --decimal ,; if two, --decimal ."),
        ("1,5,0,05\n3,1,2,12\n", "0,05 may be one number with a decimal comma or two: save the table with ; between"),
        ("a,b\n1,2\n3,4\n", None),
        ("0,-05\n3,12\n", None),
        ('"0","05"\n"3","12"\n', None),
        ("0,05,1\n3,12,1\n", None),
        ("a;b\n1.5;1,5\n3;4\n", "'1,5' has a decimal comma; say --decimal , if all numbers are written so, else write"),
        (
            "a;b\n1,5;1,5\n3,5;4.25\n",
            "line 3, row 2, column 2 (b): '4.25' has a decimal point where other",
        ),
    ],
)
def test_what_a_comma_means_is_never_guessed(tmp_path, content, words):
    if words is None:  # control
        assert len(rows(tmp_path, content)) == 2
    else:
        assert words in refusal(tmp_path, content)


@pytest.mark.parametrize("name", ["a.tsv", "a.txt", "a.csv"])
def test_blanks_within_fields_do_not_cut_a_table_of_tabs(tmp_path, name):
    content = "sample id\tvalue\nSample 1\t5.1\nSample 2\t6.2\nSample 3\t9.4\n"
    assert rows(tmp_path, content, name) == [[5.1], [6.2], [9.4]]
    assert rows(tmp_path, "1\t\t3\n4\t5\t\n\t8\t9\n", name) == [[1, None, 3], [4, 5, None], [None, 8, 9]]
    assert "thousands" in refusal(tmp_path, "1 234\t5.5\n2 345\t6.5\n", name)


def test_blanks_between_thousands_are_a_question(tmp_path):
    assert "blanks may stand between fields or between thousands" in refusal(
        tmp_path, "1 234,2 333\n2 345,6 777\n3 456,7 001\n"
    )
    assert rows(tmp_path, "1 234\n2 345\n3 456\n", "a.txt") == [[1, 234], [2, 345], [3, 456]]
