"""Compressed files, encodings, and files that are no tables of text."""

import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pytest

from tests.verify.data.files.text.reading import read, refusal, rows
from verify.data.files.found import Asked
from verify.data.files.text import read_text
from verify.errors import InputError

PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
TABLE = "a,b\n" + "".join(f"{i},{i / 7}\n" for i in range(300))
WANTED = [[i, i / 7] for i in range(300)]


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.dat", "A.CSV"])
def test_packed_files_are_read(tmp_path, ending, name):
    assert rows(tmp_path, PACKERS[ending](TABLE.encode()), name + ending) == WANTED
    assert rows(tmp_path, PACKERS[ending](TABLE.encode("utf-16")), name + ending.upper()) == WANTED


@pytest.mark.parametrize("ending", PACKERS)
def test_damaged_and_truncated_files_are_refused(tmp_path, ending):
    good = PACKERS[ending](TABLE.encode())
    for content in (good[:-6], good[: len(good) // 2], good[:20], good[:8] + b"garbage" * 9, TABLE.encode()):
        assert "damaged" in refusal(tmp_path, content, f"a.csv{ending}")
    assert refusal(tmp_path, b"", f"a.csv{ending}") == "the file is empty"
    assert refusal(tmp_path, PACKERS[ending](b""), f"a.csv{ending}") == "the file is empty"
    assert "damaged" in refusal(tmp_path, gzip.compress(b"1,2\n3,4\n") + b"x", "a.csv.gz")


def test_a_truncation_far_down_is_found(tmp_path):
    content = "".join(f"{row}\n" for row in np.random.default_rng(0).random(200_000).tolist())
    assert "truncated" in refusal(tmp_path, gzip.compress(content.encode(), 1)[:-100_000], "a.csv.gz")


def test_packed_without_saying_so_is_read_and_said(tmp_path):
    found = read(tmp_path, gzip.compress(TABLE.encode()), "a.csv")
    assert found.raw.tolist() == WANTED
    assert found.said[0] == "compressed by gzip, though its name does not say so"
    assert "call it a.csv" in refusal(tmp_path, TABLE, "a.csv.gz")


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", ()),
        ("utf-8-sig", ()),
        ("utf-16", ("characters in UTF-16",)),
        ("utf-16-le", ("characters in UTF-16",)),
        ("utf-16-be", ("characters in UTF-16",)),
        ("latin-1", ("characters that are not UTF-8, read as Latin-1",)),
    ],
)
def test_encodings(tmp_path, encoding, said):
    found = read(tmp_path, "größe,b\n1,2\n3,4\n".encode(encoding))
    assert found.raw.tolist() == [[1, 2], [3, 4]] and found.facts == {"columns": ["größe", "b"]}
    assert found.said == (*said, "line 1 is the header")


def test_bytes_that_are_not_utf8_far_down_among_words_do_no_harm(tmp_path):
    content = b"a,s\n" + b"1,x\n" * 40000 + b"2,\xff\xfe\n"
    assert read(tmp_path, content).raw.shape == (40001, 1)
    late = b"a,s\n" + b"1,2\n" * 40000 + b"2,\xff\xfe\n"
    assert "line 40002, row 40001, column 2 (s): " in refusal(tmp_path, late)


def test_a_character_cut_in_two_at_the_end_of_what_is_looked_at(tmp_path):
    content = b"a,s\n" + "1,é\n".encode() * 20000  # 5 bytes a line: one of them is cut at 65536
    assert read(tmp_path, b"x" + content).facts == {"columns": ["xa"]}
    assert not any("Latin" in said for skew in range(5) for said in read(tmp_path, b"x" * skew + content).said)


def archive(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return buffer.getvalue()


def npy():
    buffer = io.BytesIO()
    np.save(buffer, np.eye(3))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html>\n<html><body>Sign in", "a web page (HTML); perhaps a page of a login or an error; download"),
        (b"\n <HTML>", "a web page"),
        (b'<?xml version="1.0"?><table/>', "an XML file"),
        (b"%PDF-1.4\n1 0 obj", "a PDF document"),
        (npy(), "a NumPy array; rename it so that it ends in .npy"),
        (archive("arr_0.npy"), "an archive of NumPy arrays; rename it so that it ends in .npz"),
        (
            archive("[Content_Types].xml", "xl/workbook.xml"),
            "an Excel workbook; spreadsheets are not read; in Python: import pandas",
        ),
        (archive("mimetype", "content.xml"), "a spreadsheet of OpenDocument"),
        (archive("data.csv"), "a zip archive; archives are not read; unpack it first"),
        (archive("x/data.pkl"), "a PyTorch file"),
        (b"PK\x03\x04cut", "a zip archive"),
        (b"\x89HDF\r\n\x1a\n\0\0", "an HDF5 file; rename it so that it ends in .h5"),
        (b"PAR1\x15\x04", "a Parquet file; rename it so that it ends in .parquet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an Excel workbook or another old Office document; spreadsheets are not"),
        (b"\x80\x04\x95\x10", "a pickle; one of Python's pickles, which run whatever code is in them and are"),
        (b"\x89PNG\r\n", "a PNG picture; one picture is one datum"),
        (b'{"a": [1, 2]}', "JSON; JSON is not read; in Python:"),
        (b"[[1, 2], [3, 4]]", "JSON; JSON is not read; in Python:"),
        (b"% of Weka\n@RELATION iris\n@DATA\n1,2", "an ARFF file"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:1",
            "a pointer of Git LFS, not the data; fetch the data with: git lfs pull",
        ),
        (b"a" * 257 + b"ustar\x0000", "a tar archive"),
    ],
)
def test_what_is_no_text_table_is_called_by_its_name(tmp_path, content, words):
    assert refusal(tmp_path, content).startswith(f"in truth {words}")
    assert refusal(tmp_path, gzip.compress(content), "a.txt.gz").startswith("in truth ")


def test_zero_bytes_are_no_text(tmp_path):
    assert refusal(tmp_path, bytes(range(256)) * 9).startswith("not a text file (it holds zero bytes)")


def test_a_missing_file_and_a_folder(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for name, words in (("absent.csv", "no such file"), ("folder.csv", "cannot be read")):
        with pytest.raises(InputError, match=words):
            read_text(tmp_path / name, Asked())


@pytest.mark.parametrize(
    "content", ["\n" * 5000 + "1,2\n3,4\n", "%\n" * 5000 + "1,2\n3,4\n", " \n\n%\n" * 900 + "1,2\n3,4\n"]
)
def test_many_blank_lines_and_remarks_in_front_cost_nothing(tmp_path, content):
    assert rows(tmp_path, content) == [[1, 2], [3, 4]]
