"""Which first lines name the columns, which are rows, and which are a question."""

import numpy as np
import pytest

from tests.verify.data.files.text.reading import read, refusal, rows


def names(folder, content, **asked):
    """The names of all columns used; None where there is no header."""
    return read(folder, content, **asked).facts.get("columns")


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("a,b\n1,2\n3,4\n", ["a", "b"]),
        ('height , "weight, kg",  age\n1,2,3\n4,6,5\n', ["height", "weight, kg", "age"]),
        ('a,,"c ""x"""\n1,2,3\n4,6,5\n', ["a", "", 'c "x"']),
        ("mean,25%,50%\n1,2,3\n4,5,7\n", ["mean", "25%", "50%"]),
        ("Na,Mg\n1,2\n3,4\n", ["Na", "Mg"]),
        ("2020-01-01,2020-01-02\n1,2\n4,5\n", ["2020-01-01", "2020-01-02"]),
        ("a,b,\n1,2,\n3,4,\n", ["a", "b"]),
        ("a,b\n1,2,\n3,4,\n", ["a", "b"]),
        ("a,b,\n1,2\n3,4\n", ["a", "b"]),
        ('"line\nend",b\n1,2\n3,4\n', ["line end", "b"]),
        # What would turn a line round, ring a bell or run on is not shown.
        (f"a\u202eb,\x07,{'long' * 50}\n1,2,3\n4,6,5\n", ["a?b", "?", "long" * 15]),
        ("1,2\n3,4\n", None),
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n", None),
        ("setosa,NA,NA\nv,1,2\nw,3,4\n", None),
    ],
)
def test_a_first_line_of_words_is_the_header(tmp_path, content, wanted):
    assert names(tmp_path, content) == wanted
    assert ("no header" if wanted is None else "line 1 is the header") in read(tmp_path, content).said


def test_the_line_of_the_header_is_said_as_an_editor_counts(tmp_path):
    found = read(tmp_path, "# made by us\n\na,b\n1,2\n3,4\n")
    assert found.said == ("line 3 is the header", "1 comment line left out")


def test_many_columns_keep_their_names(tmp_path):
    wanted = [f"gene {i}" for i in range(2000)]
    table = np.random.default_rng(1).integers(0, 9, (6, 2000))
    content = "\n".join([";".join(wanted), *(";".join(map(str, row)) for row in table)])
    found = read(tmp_path, content)
    assert found.facts == {"columns": wanted} and np.array_equal(found.raw, table)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("1kg,2kg\n3,4\n", "line 1, row 1, column 1: '1kg' is a number with something behind it, perhaps a unit"),
        ("1kg,2kg\n3kg,4kg\n", "line 1, row 1, column 1: '1kg' is a number with something behind it"),
        ("#REF!,#N/A\n1,2\n3,4\n", "line 1, row 1, column 1: '#REF!' is a spreadsheet's error; mend the cell"),
        ("a,b\nkg,m\n1,2\n3,4\n", "line 2 (kg,m) stands under the header and is no row of numbers"),
        ("a,b\n", "holds a header but no rows (line 1: a,b)"),
        ("a,b,c,d\n1,2,3\n4,5,6\n", "line 1 has 4 names, line 2 has 3 fields: a name too many, or a field missing"),
        ("My table\n1,2,3\n3,4,5\n", "line 1 has 1 name, line 2 has 3 fields: missing names, or a title? complete or"),
        ("My table\na,b\n1,2\n3,4\n", "line 1 has 1 name, line 2 has 2 fields: a missing name, or a title?"),
    ],
)
def test_no_first_line_is_dropped_unsaid(tmp_path, content, words):
    assert words in refusal(tmp_path, content)


@pytest.mark.parametrize("first", ["n.a.,n.a.", "NA,NA", "-,?", "null,.", "#N/A,#N/A"])
def test_a_first_line_of_missing_values_is_a_row(tmp_path, first):
    assert rows(tmp_path, f"{first}\n1,2\n3,4\n") == [[None, None], [1, 2], [3, 4]]


QUESTIONS = [
    "1990,1991,1992\n1.5,2.5,3.5\n1,2.5,9\n",
    "1990,1991\n0.5,0.7\n0.2,0.9\n",
    "1990;1991\n1,5;2,5\n2,5;3,5\n",
    "1990,1995,1996,2000\n12,3,55,4\n3,9,4,71\n",
    "name,1990,1991\nFrance,1.5,2\nSpain,2.5,3.5\n",
    "400,410,420,430\n.1,.2,.15,.11\n.3,.21,.1,.2\n",
    "4000.5,3999.0,3997.5,3996.0,3994.5\n.1,.2,.15,.11,.3\n.3,.21,.1,.2,.4\n",
    "10,20,30,40,50\n7,3,12,33,1\n9,60,2,31,44\n",
    "0,1,2\n5,6,4\n7,7,3\n",
    "id,1\n2,3\n",
    "x,2.5,3.5\n1,2,9\n",
]


@pytest.mark.parametrize("content", QUESTIONS)
def test_a_line_of_numbers_that_may_be_a_header_is_a_question(tmp_path, content):
    first, _, rest = content.partition("\n")
    question = refusal(tmp_path, content)
    assert question.startswith("line 1 (") and "may be a header or the first row" in question
    assert question.endswith("say --header yes or --header no") and first.split(",")[0].split(";")[0] in question
    # And either answer is taken.
    found = read(tmp_path, content, header=True)
    assert found.table.line(1) == 2 and len(found.raw) == rest.count("\n")
    if not first[0].isalpha():
        assert len(read(tmp_path, content, header=False).raw) == 1 + rest.count("\n")


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("0,1,2\n0.5,.1,.2\n1.5,2.0,3.0\n", ["0", "1", "2"]),
        ("1,2\n0.5,.1\n1.5,2.0\n", ["1", "2"]),
        (",0,1,2\n0,0.5,.1,.2\n1,1.5,2.0,3.0\n", ["0", "1", "2"]),
        (",0,1\nx,5,1\ny,1,2\n", ["0", "1"]),
        (
            "\n".join([",".join(map(str, range(12))), *(",".join(map(str, row)) for row in np.eye(12, dtype=int))]),
            list(map(str, range(12))),
        ),
    ],
)
def test_counts_above_other_rows_are_the_header_that_pandas_writes(tmp_path, content, wanted):
    assert names(tmp_path, content) == wanted


def ordinary_tables():
    rng = np.random.default_rng(7)
    yield "grey values", np.minimum(255, rng.integers(0, 256, (40, 30)) * (rng.random((40, 30)) > 0.7))
    yield "one pixel", rng.integers(0, 2, (40, 3))
    for n in (2, 3, 4, 5, 12):
        yield f"whole numbers {n}", rng.integers(0, 10, (60, n))
        yield f"sorted rows {n}", np.sort(rng.integers(0, 1000, (60, n)), axis=1)
        yield f"sorted columns {n}", np.sort(rng.integers(0, 1000, (60, n)), axis=0)
        yield f"sorted both {n}", np.sort(np.sort(rng.integers(0, 100, (60, n)), axis=1), axis=0)
        yield f"counting on {n}", np.arange(30 * n).reshape(30, n)
        yield f"counting down {n}", np.arange(30)[:, None] + np.arange(n)
        yield f"equal {n}", np.full((9, n), 7) + np.eye(9, n, 2, dtype=int)
        yield f"fractions {n}", rng.standard_normal((60, n)).round(3)
    yield "years as data", np.sort(rng.integers(1900, 2020, (50, 3)), axis=0)
    yield "toy", np.array([[1, 2, 3], [4, 5, 6], [7, 8, 10]])


@pytest.mark.parametrize(("what", "table"), list(ordinary_tables()))
def test_ordinary_numbers_are_not_asked_about(tmp_path, what, table):
    content = "\n".join(",".join(map(str, row)) for row in table.tolist())
    found = read(tmp_path, content)
    assert np.array_equal(found.raw, table) and found.said == ("no header",)


def test_no_random_table_of_whole_numbers_is_asked_about(tmp_path):
    for seed in range(300):
        rng = np.random.default_rng(seed)
        table = rng.integers(0, rng.choice([3, 10, 256, 5000]), (30, rng.integers(4, 9)))
        assert len(read(tmp_path, "\n".join(",".join(map(str, row)) for row in table.tolist())).raw) == 30


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ('"x" "y"\n"a" 1.5 2.5\n"b" 3 4\n', "a.txt"),
        ("x,y\n1,1.5,2.5\n2,3,4\n", "a.csv"),
        ("x\ty\nfirst\t1.5\t2.5\nsecond\t3\t4\n", "a.tsv"),
    ],
)
def test_a_header_without_a_name_for_the_names_of_rows_is_that_of_r(tmp_path, content, name):
    found = read(tmp_path, content, name)
    assert found.raw.tolist() == [[1.5, 2.5], [3, 4]]
    assert found.facts == {"columns": ["x", "y"]} and found.table.numbers == (2, 3)
    assert "it has no name for the first column, the names of the rows" in found.said
    assert [(aside.number, aside.holds) for aside in found.table.asides] == [(1, "an index")]


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("# made by numpy\n# a b\n1 2\n3 4\n", ["a", "b"]),
        ("#a,b\n1,2\n3,4\n", ["a", "b"]),
        ("#,x,y\n1,2,3\n2,3,5\n", ["x", "y"]),
        ("# of three\n1 2 5\n3 4 6\n", None),
        ("# a a\n1 2\n3 4\n", None),
        ("# a 1\n1 2\n3 4\n", None),
    ],
)
def test_a_comment_that_names_the_columns_does(tmp_path, content, wanted):
    found = read(tmp_path, content)
    assert found.facts.get("columns") == wanted
    assert any("a comment, names the columns" in said for said in found.said) == (wanted is not None)


def test_the_header_can_be_said(tmp_path):
    assert rows(tmp_path, "a,b\n1,2\n3,4\n", header=True) == [[1, 2], [3, 4]]
    assert names(tmp_path, "5,6\n1,2\n3,4\n", header=True) == ["5", "6"]
    assert names(tmp_path, "1kg,2kg\n1,2\n3,4\n", header=True) == ["1kg", "2kg"]
    assert "line 1, row 1, column 1: 'a' is not a number" in refusal(tmp_path, "a,b\n1,2\n3,4\n", header=False)


@pytest.mark.parametrize(
    "content",
    [
        ",,setosa\n5.1,3.5,setosa\n4.9,3.0,versicolor\n",
        "<0.1,<0.2\n1,2\n3,4\n",
        "−5,−6\n1,2\n3,4\n",
        "(5),(6)\n1,2\n3,4\n",
        "0x10,0x20\n1,2\n3,4\n",
        "1_000,2_000\n1,2\n3,4\n",
        "5±1,6±2\n1,2\n3,4\n",
        "*,*\n1,2\n3,4\n",
        "2000,2001\n1.5,a\n2.5,b\n7.25,c\n",
        ",2000\n0,1.5\n1,2.5\n",
    ],
)
def test_a_first_line_that_may_be_a_row_is_a_question(tmp_path, content):
    message = refusal(tmp_path, content)
    # A bound is asked about as one.
    assert (
        "or, if this line names the columns, say --header yes" in message
        if "<" in content
        else ("may be a header or the first row: say --header yes or --header no" in message)
    )
    assert read(tmp_path, content, header=True).raw.shape[0] == content.count("\n") - 1


def test_truth_values_below_make_a_first_line_a_row(tmp_path):
    assert rows(tmp_path, "a,True\nb,False\nc,True\n") == [[1], [0], [1]]


def test_pandas_numbers_columns_above_words_too(tmp_path):
    found = read(tmp_path, ",0,1,2\n0,1.5,a,1.0\n1,2.5,b,2.0\n2,3.5,c,5.0\n")
    assert found.raw.tolist() == [[1.5, 1], [2.5, 2], [3.5, 5]] and found.table.names == ("0", "2")
