"""What is said of tables that hold more than a header and rows of numbers, and of numbers that are not alone."""

import gzip

import pytest

from tests.verify.data.files.text.reading import read, refusal

ROWS = "".join(f"{i}.5,{i * i},{i % 7}\n" for i in range(1, 50))
TABLE = "alcohol,ash,hue\n" + ROWS


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (TABLE + TABLE, "line 51 repeats the header of line 1; delete it"),
        (TABLE * 7, "lines 51, 101, 151, 201 and 2 more repeat the header of line 1; delete them"),
        ("# ours\n" + TABLE + TABLE, "line 52 repeats the header of line 2; delete it"),
        (
            TABLE + "Mean,2,3\n",
            "line 51, row 50, column 1 (alcohol): 'Mean' is not a number, in the last row only: a summary or a note? "
            "delete that line, or leave the column out (--drop alcohol); ",
        ),
        (TABLE + "Mean,2,3\n1,2,3\n", "line 51, row 50, column 1 (alcohol): 'Mean' is not a number; mend it, or"),
        (
            TABLE + "Source: our cellar\n",
            "line 51 (row 50) has 1 field, line 1 has 3; it is the last line: a note or a summary? delete it, for "
            "every line needs as many",
        ),
        (TABLE + "1,2\n1,2,3\n", "line 51 (row 50) has 2 fields, line 1 has 3; every line needs as many"),
        (
            TABLE + "# one,two\n" + "# one,two,three,four\n" + "7\n#,8,9\n",
            "line 53 (row 50) has 1 field, line 1 has 3; every line needs as many",
        ),
        (
            "Wines of 2020,,\n" + TABLE,
            "line 2 (alcohol,ash,hue) looks like the header; delete the lines above it, or begin them with # if they",
        ),
        ("Wines of 2020,,\n,,\n" + TABLE, "line 3 (alcohol,ash,hue) looks like the header; delete the lines above"),
        ("alcohol,ash,hue\nvol%,g/l,-\n" + ROWS, "line 2 (vol%,g/l,-) stands under the header and is no row of num"),
        ("alcohol,ash,hue\n,g/l,g/l\n" + ROWS, "line 2 (,g/l,g/l) stands under the header and is no row of numbers"),
        ("alcohol,ash,hue\n12 %,5 g/l,7\n" + ROWS, "line 2, row 1, column 1 (alcohol): '12 %' is a number with some"),
    ],
)
def test_lines_that_are_no_rows_are_called_what_they_are(tmp_path, content, words):
    assert refusal(tmp_path, content).startswith(words)


@pytest.mark.parametrize(
    "word", ["01.02.2023", "Mar-28", "28-Mar", "01. Mai", "1. Mrz", "3. März 2020", "12 dic", "May 5, 2020"]
)
def test_a_date_among_numbers_is_perhaps_a_spreadsheets_doing(tmp_path, word):
    message = refusal(tmp_path, f'{TABLE}7,"{word}",9\n8,9,10\n')
    assert f"line 51, row 50, column 2 (ash): '{word}' is a date; did a spreadsheet make it of a number?" in message
    found = read(tmp_path, f'a,b\n1,"{word}"\n2,"{word}"\n')
    assert found.table.asides[0].holds == f"dates, such as '{word}'"


@pytest.mark.parametrize("word", ["Margaret-28", "mass 5", "Marz", "5. Maria ", "Sept"])
def test_not_every_word_with_a_number_is_a_date(tmp_path, word):
    found = read(tmp_path, f"a,b\n1,{word}x\n2,{word}y\n")
    assert found.table.asides[0].holds.startswith("words, such as ")


WRAPPED = ["14.23%", "14.23 %", "12 kg", "12kg", "5,3 mg/l", "21 °C", "3 km²", "9 kg/m²", "<0.4", "> 5", "<=3", "≤3"]
WRAPPED += ["~7", "ca. 7", "$85.00", "$1,234.50", "5±0.1", "1.2 ± 0.3", "12.5*", "10+", "36 months", "74 bhp"]


@pytest.mark.parametrize("word", WRAPPED)
def test_a_column_of_numbers_that_are_not_alone_is_a_question(tmp_path, word):
    for content in (f'x,y\n1,"{word}"\n2,"{word}"\n3,\n', f'x,y\n1,"{word}"\n2,7\n3,unknown\n'):
        message = refusal(tmp_path, content)
        assert message.startswith(f"line 2, row 1, column 2 (y): '{word}' ") and "(--drop y)" in message
        assert "number alone" in message or "write a number, or NaN" in message
    assert read(tmp_path, f'x,y\n1,"{word}"\n2,"{word}"\n3,\n', drop=("y",)).raw.tolist() == [[1], [2], [3]]


@pytest.mark.parametrize(
    "words",
    [
        ["1st", "2nd", "3rd"],
        ["12A", "7B", "3C", "5D", "6E"],
        ["10-20", "20-30"],
        ["A1", "B2"],
        ["1 Main St", "2 Oak Rd"],
    ],
)
def test_codes_are_words(tmp_path, words):
    found = read(tmp_path, "x,y\n" + "".join(f"{i},{word}\n" for i, word in enumerate(words * 3)))
    assert found.table.asides[0].holds == f"words, such as '{words[0]}'"


def test_one_bound_among_numbers_is_named_as_such(tmp_path):
    assert refusal(tmp_path, TABLE + "1,<0.2,3\n4,5,6\n") == (
        "line 51, row 50, column 2 (ash): '<0.2' says only on which side of a number the value lies; write a number, "
        "or NaN if it is missing, or leave the column out (--drop ash)"
    )


@pytest.mark.parametrize("name", ["Mean", "TOTAL", "Grand Total:", "Summe", '"Avg."'])
def test_a_last_row_that_sums_up_is_doubted_where_its_name_is_left_out(tmp_path, name):
    content = "id,x,y\n" + "".join(f"s{i},{i},{i * i}\n" for i in range(20000))
    for rows in (content[:200].rpartition("\n")[0] + "\n", content):
        found = read(tmp_path, f"{rows}{name},7,8\n\n")
        said = name.strip('"')
        assert found.doubts == (f"the last row is called '{said}': if it sums up the others, delete it",)
        assert not read(tmp_path, f"{rows}Meander,7,8\n").doubts
        assert not read(tmp_path, f"{rows}{name},7,8\nx,7,8\n").doubts
        assert (
            read(tmp_path, gzip.compress(f"{rows}{name},7,8\n".encode())).doubts == ()
        )  # nobody reads it twice for that
