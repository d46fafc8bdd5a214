"""Text tables read whole: in one pass, in bounded memory, each row with its line."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.verify.data.files.text.reading import read, refusal, rows
from verify.data.files import rows_on_disk
from verify.data.files.found import Asked
from verify.data.files.text import fast, read_text, reader, slow
from verify.errors import InputError

X = np.random.default_rng(0).standard_normal((12, 4)).round(3)


def csv_of(table, delimiter=","):
    return "".join(delimiter.join(map(repr, row)) + "\n" for row in table.tolist())


@pytest.fixture
def passes(monkeypatch):
    """How often the file was opened for its lines, and which readers were at work."""
    seen = []

    def noted(name, function):
        def call(*arguments):
            seen.append(name)
            return function(*arguments)

        return call

    monkeypatch.setattr(reader, "read_fast", noted("fast", reader.read_fast))
    monkeypatch.setattr(reader, "read_slowly", noted("slow", reader.read_slowly))
    monkeypatch.setattr(reader, "survey", noted("survey", reader.survey))
    return seen


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (csv_of(X), ["survey", "fast"]),
        ("a,b,c,d\n" + csv_of(X), ["survey", "fast"]),
        ("# by hand\n" + csv_of(X, ";").replace(".", ","), ["survey", "fast"]),
        (csv_of(X[:6]) + "# a remark\n" + csv_of(X[6:]), ["survey", "fast", "slow"]),
        (csv_of(X, " "), ["survey", "fast", "slow"]),
        (csv_of(X).replace("\n", "\r"), ["survey", "fast", "slow"]),
    ],
)
def test_each_reader_is_used_where_it_should_be(tmp_path, passes, content, wanted):
    found = read(tmp_path, content)
    assert passes == wanted
    assert np.array_equal(found.raw, X)


def test_without_pyarrow_all_is_read_all_the_same(tmp_path, monkeypatch, passes):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert np.array_equal(read(tmp_path, "a,b,c,d\n" + csv_of(X)).raw, X)
    assert passes == ["survey", "fast", "slow"]


def test_pyarrow_is_not_imported_before_it_is_needed():
    code = "import sys, verify.data.files.text; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


CONTENT = '# one\n\na,s\n1,x\n\n2,"y\nz"\n# two\n3,w\n'


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_know_their_lines(tmp_path, end):
    found = read(tmp_path, CONTENT.replace("\n", end))
    assert found.raw.tolist() == [[1], [2], [3]]
    assert [found.table.line(row) for row in (3, 1, 2)] == [9, 4, 6]
    assert found.said == (
        "line 3 is the header",
        "1 quoted field over several lines, the first at line 6",
        "2 comment lines left out",
    )


def test_blank_lines_in_one_column_are_said(tmp_path):
    assert read(tmp_path, "x\n1\n\n2\n\n\n3\n\n").said[-1] == "3 blank lines between the rows left out"
    assert read(tmp_path, "x\n1\n2\n3\n\n\n").said == ("line 1 is the header",)
    assert rows(tmp_path, "x,y\n1,2\n\n3,4\n") == [[1, 2], [3, 4]]


@pytest.mark.parametrize("quick", [True, False])
def test_a_table_larger_than_memory_is_a_file(tmp_path, monkeypatch, quick):
    table = np.random.default_rng(1).standard_normal((3000, 5))
    monkeypatch.setattr(rows_on_disk.Growing.__init__, "__defaults__", (10_000,))
    monkeypatch.setattr(fast, "_PIECE", 5000)
    monkeypatch.setattr(slow, "_ENTRIES", 500)
    if not quick:
        monkeypatch.setitem(sys.modules, "pyarrow", None)
    found = read(tmp_path, csv_of(table))
    assert isinstance(found.raw, np.memmap) and np.array_equal(found.raw, table)


@pytest.mark.parametrize(("setup", "few", "many"), [("pass", 20, 50), ("sys.modules['pyarrow'] = None", 5, 20)])
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process's own memory is not told")
def test_memory_does_not_grow_with_the_file(tmp_path, setup, few, many):
    """More rows take no more memory, once they go to the disk and pyarrow has its buffers."""
    code = (
        f"import sys; from pathlib import Path; {setup}\n"
        "from verify.data.files import rows_on_disk; from verify.data.files.found import Asked\n"
        "from verify.data.files.text import read_text\n"
        "rows_on_disk.Growing.__init__.__defaults__ = (1 << 20,)\n"
        "read_text(Path(sys.argv[1]), Asked())\n"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))\n"
    )
    used = []
    text = csv_of(np.random.default_rng(2).standard_normal((4000, 20)))
    for times in (few, many):  # 1.6 MB of text each
        (tmp_path / "a.csv").write_text(text * times)
        done = subprocess.run([sys.executable, "-c", code, tmp_path / "a.csv"], capture_output=True, check=True)
        used.append(int(done.stdout))
    # In kB. The text alone grew by 24000 or more; buffers by up to 7000, measured.
    assert used[1] - used[0] < 15000


def test_wide_tables(tmp_path):
    table = np.random.default_rng(3).standard_normal((6, 30_000)).round(4)
    assert np.array_equal(read(tmp_path, csv_of(table)).raw, table)


def test_no_rows(tmp_path):
    assert "holds a header but no rows" in refusal(tmp_path, "a,b\n# end\n")
    assert "holds a header but no rows" in refusal(tmp_path, "1,2\n", header=True)
    assert read(tmp_path, "1,2\n").raw.shape == (1, 2)  # that one is too few is for others to say


def test_messages_name_the_file_once(tmp_path):
    for content in ("", "a,b\n1,x\n2,3\n4,5\n", "<html>"):
        (tmp_path / "b.csv").write_text(content)
        with pytest.raises(ValueError, match=r"b\.csv") as caught:
            read_text(tmp_path / "b.csv", Asked())
        assert str(caught.value).count("b.csv") == 1


def test_quoted_fields_over_several_lines_are_said(tmp_path):
    found = read(tmp_path, 'x,w\n1,"abc\n2,x\n3,"def\n4,z\n5,"a\nb"\n')
    assert found.raw.tolist() == [[1], [4], [5]]
    assert "2 quoted fields over several lines, the first at line 2" in found.said
    assert not any("quoted" in said for said in read(tmp_path, 'x,w\n1,"abc"\n2,"d, e"\n').said)


def test_columns_of_words_are_said_as_far_as_they_were_seen(tmp_path):
    early = "a,b\n" + "".join(f"{i * 1.5},unknown\n" for i in range(1200))
    late = read(tmp_path, early + "".join(f"{i * 1.5},{i * 2.5}\n" for i in range(1500)))
    assert [aside.holds for aside in late.table.asides] == ["words, such as 'unknown' in the first 998 rows"]
    assert [aside.holds for aside in read(tmp_path, "a,b\n1,x\n2,y\n").table.asides] == ["words, such as 'x'"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are not told")
def test_an_error_that_is_kept_keeps_no_file_open(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3\n" + "1,2\n" * 9)
    with pytest.raises(InputError, match="has 1 field") as caught:
        read_text(tmp_path / "a.csv", Asked())
    assert not [fd for fd in Path("/proc/self/fd").iterdir() if fd.exists() and fd.resolve().name == "a.csv"], caught
