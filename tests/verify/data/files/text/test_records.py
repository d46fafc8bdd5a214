"""Which lines are comments, and which are rows that only begin like one."""

import pytest

from tests.verify.data.files.text.reading import read, refusal, rows

ERRORS = ["#WERT!", "#BEZUG!", "#ZAHL!", "#VALEUR!", "#NOM?", "#¡VALOR!", "#ÜBERLAUF!", "#REF!", "#div/0!", "Err:502"]
ERRORS += ["########"]
MISSING = ["#NV", "#N/A", "#N/D", "#n/b", "#I/T"]


@pytest.mark.parametrize("word", ERRORS)
@pytest.mark.parametrize("column", [1, 2])
def test_errors_of_spreadsheets_are_faults_in_any_language_and_column(tmp_path, word, column):
    row = f"{word};2,5" if column == 1 else f"1,5;{word}"
    message = refusal(tmp_path, f"a;b\n3,5;4,5\n{row}\n5,5;6,5\n")
    assert message.startswith(f"line 3, row 2, column {column} ({'ab'[column - 1]}): '{word}' is a spreadsheet's error")


@pytest.mark.parametrize("word", MISSING)
def test_what_spreadsheets_write_for_not_available_is_missing_in_any_column(tmp_path, word):
    content = f"a;b\n3,5;4,5\n{word};2,5\n5,5;{word}\n"
    assert rows(tmp_path, content) == [[3.5, 4.5], [None, 2.5], [5.5, None]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("mark", ["#", "%"])
def test_names_of_rows_may_begin_with_a_hash(tmp_path, delimiter, mark):
    content = "sample,x,y\n" + "".join(f"{mark}{i},{i}.5,{i * i}\n" for i in range(1, 179))
    found = read(tmp_path, content.replace(",", delimiter))
    assert found.raw.tolist() == [[i + 0.5, i * i] for i in range(1, 179)]
    assert found.table.asides[0].holds == f"words, such as '{mark}1'" and found.table.line(178) == 179
    # Some of them only.
    content = f"sample,x,y\nA,1,2\n{mark}10 repeat,3,4\nB,5,6\n{mark} 11,7,8\n"
    assert rows(tmp_path, content.replace(",", delimiter)) == [[1, 2], [3, 4], [5, 6], [7, 8]]


def test_a_row_behind_a_hash_is_a_question_and_a_remark_is_none(tmp_path):
    content = "x,y\n1,2\n#3,4\n5,6\n"
    assert refusal(tmp_path, content).startswith(
        "line 3, row 2, column 1 (x): '#3' is not a number; if the line is a comment, delete it; else mend the word, or"
    )
    for remark in ("# a remark", "#3", "% one, two, three", "## 7 days later ##", "#"):
        found = read(tmp_path, content.replace("#3,4", remark))
        assert found.raw.tolist() == [[1, 2], [5, 6]] and found.said[-1] == "1 comment line left out"
    assert "'#3' is not a number; if the line is a comment" in refusal(tmp_path, content.replace(",", " "))
    for remark in ("# remark", "# 3 4", "#remark here"):
        assert rows(tmp_path, f"x y\n1 2\n{remark}\n5 6\n") == [[1, 2], [5, 6]]


def test_a_first_row_behind_a_hash_is_a_question(tmp_path):
    assert refusal(tmp_path, "#10 repeat,1.5,2.5\nA,3,4\nB,5,6\n") == (
        "line 1 (#10 repeat,1.5,2.5) begins as comments do and has the fields of a row; delete it, or write its first "
        "field in quotation marks"
    )
    assert rows(tmp_path, '"#10 repeat",1.5,2.5\nA,3,4\nB,5,6\n') == [[1.5, 2.5], [3, 4], [5, 6]]
    for first in ("#10,setosa,1.5", "#10,NA,NA", "%7,?,2"):
        assert "begins as comments do and has the fields of a row" in refusal(tmp_path, f"{first}\nA,x,3\nB,y,5\n")
    for remark in ("#1 2 3", "# 4 5 6", "#4 5", "#made by us", "#a b c"):  # numbers of columns, sizes, names
        assert rows(tmp_path, f"{remark}\n1.5 2 3\n4 5 6\n") == [[1.5, 2, 3], [4, 5, 6]]


def test_comments_are_counted_where_nothing_else_is_left(tmp_path):
    assert refusal(tmp_path, "a\n#1\n#2\n#3\n") == (
        "holds a header but no rows (line 1: a); 3 lines after # or % were taken for comments"
    )
    assert refusal(tmp_path, "a,b\n") == "holds a header but no rows (line 1: a,b)"
    message = refusal(tmp_path, "#1,2\n#3,4\n")
    assert message.startswith("the file is empty but for comments (2 lines after # or %)")
    assert message.endswith("if these are data, write their first field in quotation marks")


def test_lines_of_hashes_are_drawn_and_no_fields(tmp_path):
    for line in ("#####", "##### part one #####", "###"):
        assert rows(tmp_path, f"{line}\nx,y\n1,2\n{line}\n3,4\n") == [[1, 2], [3, 4]]
