"""Which file is read by which reader, and what is said of a file that none reads."""

import bz2
import gzip
import hashlib
import lzma
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from tests.verify.data.files.reading import read, refusal
from verify.data.files.formats import TEXT, split

X = np.arange(12.0).reshape(4, 3)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_name_behind_a_colon_is_that_of_an_array(folder):
    for word in ("a.npz:x", "there/a.h5:group/x", "a.mat:x:y"):
        path, member = split(word)
        assert f"{path}:{member}" == word and path.suffix in (".npz", ".h5", ".mat")
    assert split("a.npz")[1] is None and split("eigenvalues")[1] is None
    assert split("a.npz:")[1] == ""  # asked for, and not there


def test_a_file_whose_own_name_has_a_colon_is_that_file(folder):
    (folder / "12:30.npy").write_bytes(b"")
    assert split("12:30.npy") == (folder.__class__("12:30.npy"), None)
    assert split("C:\\data\\a.npy")[1] is None
    assert split("C:\\data\\a.npz:x")[1] == "x"
    (folder / "b:c.npz").write_bytes(b"")
    assert split("b:c.npz:x") == (folder.__class__("b:c.npz"), "x")


def test_facts_are_the_ending_and_the_hash_of_the_file(folder):
    np.save("a.npy", X)
    shutil.move("a.npy", "A.NPY")
    found = read("A.NPY")
    digest = hashlib.sha256((folder / "A.NPY").read_bytes()).hexdigest()
    assert found.facts == {"kind": "npy", "sha256": digest} and np.array_equal(found.raw[:], X)


@pytest.mark.parametrize("made", ["npz", "parquet", "feather", "hdf5", "safetensors", "png", "pickle", "page"])
@pytest.mark.parametrize("ending", [".npy", ".csv"])
def test_a_file_that_is_something_else_is_named_in_truth(folder, made, ending):
    heads = {
        "parquet": (b"PAR1", "Parquet"),
        "feather": (b"ARROW1", "Arrow"),
        "hdf5": (b"\x89HDF\r\n\x1a\n", "HDF5"),
        "safetensors": (b"\x40\0\0\0\0\0\0\0{", "safetensors"),
        "png": (b"\x89PNG\r\n", "PNG"),
        "pickle": (b"\x80\x04\x95", "a pickle"),
        "page": (b"\n<!DOCTYPE html>", "a web page"),
    }
    if made == "npz":
        np.savez("a.npz", X)
        shutil.move("a.npz", f"a{ending}")
        word = "archive of NumPy arrays"
    else:
        head, word = heads[made]
        (folder / f"a{ending}").write_bytes(head + bytes(100))
    message = refusal(f"a{ending}")
    assert f"in truth {word}" in message or f"in truth an {word}" in message or f"in truth a {word}" in message
    assert ("rename" in message) == (made in ("npz", "parquet", "feather", "hdf5", "safetensors"))
    if made == "pickle":  # not over the file itself
        assert 'numpy.save("a-converted.npy"' in message


@pytest.mark.parametrize(("pack", "name"), [(gzip.compress, "gzip"), (bz2.compress, "bzip2"), (lzma.compress, "xz")])
def test_a_text_that_is_packed_without_saying_so_is_read_and_said(folder, pack, name):
    (folder / "a.csv").write_bytes(pack(b"1,2\n3,4\n"))
    found = read("a.csv")
    assert found.raw[:].tolist() == [[1, 2], [3, 4]] and found.facts["kind"] == "csv"
    assert found.said[0] == f"compressed by {name}, though its name does not say so"
    (folder / "a.npy").write_bytes(pack(b"1,2\n3,4\n"))
    assert "unpack it" in refusal("a.npy")
    (folder / "a").write_bytes(pack(b"1,2\n3,4\n"))
    assert f"rename it so that it ends in .csv.{ {'gzip': 'gz', 'bzip2': 'bz2'}.get(name, name) }" in refusal("a")


@pytest.mark.parametrize("ending", TEXT)
def test_text_goes_by_many_endings(folder, ending):
    (folder / f"a{ending}").write_text("5.1 3.5\n4.9 3.0\n")
    found = read(f"a{ending}")
    assert found.raw[:].tolist() == [[5.1, 3.5], [4.9, 3]] and found.facts["kind"] == ending[1:]
    assert ("fields separated by spaces" in found.said) == (ending != ".prn")


@pytest.mark.parametrize("name", ["data", "a.values", "x.foo", "iris"])
def test_a_text_table_without_a_known_ending_is_to_be_renamed(folder, name):
    for content in ("x,y\n1,2\n3,4\n", "1\t2.5\n3\t-4e-5\n", "5.1;3.5;setosa\n", '"1" "2"\n'):
        (folder / name).write_text(content)
        assert refusal(name).endswith("looks like a text table; rename it so that it ends in .csv or .txt")
    for content in (b"dear reader, in 2020 we went", b"\0\1\2 3 4 5", b" "):
        (folder / name).write_bytes(content)
        assert "looks like" not in refusal(name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.pt", ("pickles", "never loaded", 'a.npy", x.detach()')),
        ("a.pkl", ("never loaded", 'numpy.save("a.npy"')),
        ("a.joblib", ("never loaded", 'joblib.load("a.joblib")')),
        ("a.rds", ("readRDS",)),
        ("a.RData", ('load("a.RData")', '"a.csv"')),
        ("a.xlsx", ("spreadsheets", 'read_excel("a.xlsx").to_csv("a.csv"')),
        ("a.json", ("read_json",)),
        ("a.dta", ("read_stata",)),
        ("a.zip", ("unpack",)),
        ("a.tar.gz", ("unpack",)),
        ("a.png", ("celeba:FOLDER",)),
        ("a.npy.gz", ("unpack",)),
        ("a.foo", (".foo are not read", ".npy")),
        ("a", ("no ending",)),
    ],
)
def test_a_format_that_is_not_read_says_how_it_is_converted(folder, name, words):
    (folder / name).write_bytes(b"something")
    message = refusal(name)
    assert all(word in message for word in words) and "  " not in message


def test_archives_are_told_apart_by_what_is_in_them(folder):
    for inside, word in (("archive/data.pkl", "PyTorch"), ("xl/workbook.xml", "Excel"), ("a.txt", "zip archive")):
        with zipfile.ZipFile("a.npz", "w") as archive:
            archive.writestr(inside, "x")
        assert word in refusal("a.npz")


def test_a_file_without_an_ending_that_is_known_by_its_bytes_is_named(folder):
    np.save("a.npy", X)
    shutil.move("a.npy", "a")
    assert "a NumPy array; rename it so that it ends in .npy" in refusal("a")


def test_a_folder_names_what_can_be_read_in_it(folder):
    assert refusal(".").endswith("is a folder; name a file with rows of numbers")
    for name in ("b.npz", "a.csv", "notes.pdf", ".hidden.csv"):
        (folder / name).write_bytes(b"1,2\n")
    (folder / "sub.csv").mkdir()
    assert refusal(".").endswith("is a folder; name a file in it: a.csv, b.npz")
    for i in range(9):
        (folder / f"c{i}.csv").write_bytes(b"1,2\n")
    assert refusal(".").endswith("name a file in it: a.csv, b.npz, c0.csv, c1.csv, c2.csv, c3.csv and 5 more")


def test_a_folder_of_pictures_says_how_they_are_read(folder):
    (folder / "faces").mkdir()
    (folder / "faces" / "1.PNG").write_bytes(b"")
    message = refusal("faces")
    assert "is a folder of pictures; photographs of 64 x 64 pixels or more are celeba:faces" in message
    assert "smaller ones are stacked: import glob, numpy, PIL.Image; numpy.save(" in message


def test_the_stacking_of_small_pictures_that_is_advised_works(folder):
    for i in range(3):
        Image.fromarray(np.full((5, 4), i, np.uint8)).save(folder / f"{i}.png")
    (folder / "sub").mkdir()
    shutil.copy(folder / "0.png", folder / "sub" / "9.png")
    lines = refusal(".").partition("stacked: ")[2]
    exec(lines, {})
    assert read("pictures.npy").raw[:].tolist() == [[i] * 20 for i in range(3)]


def test_what_is_no_file(folder):
    assert "is a folder" in refusal(".")
    assert "no such file" in refusal("rows.npy") and str(folder) in refusal("rows.npy")
    np.save("row.npy", X)
    assert "did you mean row.npy?" in refusal("rows.npy")
    assert "did you mean" not in refusal("entirely.npz")
    assert f"there is no folder {folder / 'absent'}" in refusal("absent/rows.npy")
    assert "is no file" in refusal("/dev/null")
    (folder / "empty.npy").write_bytes(b"")
    assert "the file is empty" in refusal("empty.npy")


def test_options_of_text_and_names_of_arrays_are_refused_where_they_mean_nothing(folder):
    np.save("a.npy", X)
    assert "only text has use for it" in refusal("a.npy", decimal=",")
    assert "only text has use for it" in refusal("a.npy", header=False)
    assert "leave out :X" in refusal("a.npy:X")


def test_an_array_that_was_named_is_named_in_what_is_wrong_with_it(folder):
    np.savez("a.npz", x=X, y=X[:, 0], bad=np.array([["a"]]))
    assert refusal("a.npz:y").startswith("a.npz:y: shape (4,): a list of 4 numbers, no table")
    assert "a.npz: holds no array 'z'" in refusal("a.npz:z")
    assert refusal("a.npz:bad").startswith("a.npz: bad is words")
