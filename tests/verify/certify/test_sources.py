"""Where data lie and how they are read: told to a certificate, and found again from it."""

import json

import numpy as np
import pytest

from verify.certify import sources
from verify.errors import InputError

X = np.random.default_rng(0).integers(0, 9, (30, 4)).astype(float)


def back(source, beside, **where):
    """The hash of the data that a source leads to, by way of JSON without floats."""
    return sources.again(json.loads(json.dumps(source), parse_float=pytest.fail), beside, **where).subject.sha256


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"scale": 255.0},
        {"scale": 0.1},
        {"scale": 3, "seed": 5},
        {"columns": [1, 3]},
        {"columns": "2-4"},
        {"columns": 2},
        {"drop": ["1"]},
        {"standardize": True},
        {"logit": 1e-6, "scale": 16.0, "seed": 2},
        {"dequantise": True, "scale": 16.0, "seed": 2},
        {"header": False, "decimal": "."},
        {"missing": "drop", "standardize": False, "scale": None, "columns": None},
    ],
)
def test_the_same_options_read_the_same_data(options, tmp_path):
    path = tmp_path / "rows.csv"
    np.savetxt(path, X, delimiter=",", fmt="%d")
    subject, source = sources.subject_of(str(path), options), sources.described(str(path), options, tmp_path)
    assert back(source, tmp_path) == subject.sha256
    assert source["file"]["path"] == source["data"] == "rows.csv"
    assert back({**source, "data": None, "file": None}, tmp_path, data=str(path)) == subject.sha256


def test_other_options_are_other_data(tmp_path):
    path = tmp_path / "rows.csv"
    np.savetxt(path, X, delimiter=",", fmt="%d")
    given = [{}, {"scale": 2.0}, {"scale": np.nextafter(2, 3)}, {"columns": [1, 2]}, {"columns": [2, 1]}]
    given += [{"standardize": True}, {"dequantise": True, "scale": 16.0, "seed": 1}]
    given += [{"dequantise": True, "scale": 16.0, "seed": 2}]
    assert len({sources.subject_of(str(path), options).sha256 for options in given}) == len(given)


@pytest.mark.parametrize("name", ["a.npz", "with:colon.npz", "blank name.npz"])
def test_a_member_of_a_file_is_found_in_whatever_folder_both_lie(name, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    np.savez(folder / name, X=X, Y=X + 1)
    for member, rows in (("X", X), ("Y", X + 1)):
        word = f"{folder / name}:{member}"
        source = sources.described(word, {}, tmp_path / "certificates")
        assert source["file"] == {**source["file"], "path": f"../data/{name}", "member": member}
        (tmp_path / "certificates").mkdir(exist_ok=True)
        assert back(source, tmp_path / "certificates") == sources.subject_of(rows, {}).sha256


def test_how_numbers_are_stored_makes_no_difference(tmp_path):
    kinds = (np.uint8, np.float32, np.float64, np.int64, ">i4")
    assert len({sources.subject_of(X.astype(kind), {}).sha256 for kind in kinds}) == 1
    assert sources.subject_of(np.asfortranarray(X), {}).sha256 == sources.subject_of(X, {}).sha256
    signed = np.where(X == 0, -0.0, X)
    assert sources.subject_of(signed, {}).sha256 == sources.subject_of(X, {}).sha256
    assert sources.subject_of(X.reshape(15, 8), {}).sha256 != sources.subject_of(X, {}).sha256  # control


def test_a_spectrum_is_its_numbers():
    one = sources.subject_of("eigenvalues:2.5,6,4", {}).sha256
    assert one == sources.subject_of("eigenvalues:6.0,4,2.50", {}).sha256
    assert one != sources.subject_of("eigenvalues:6,4,2.5000000000000000001", {}).sha256
    source = sources.described("eigenvalues:2.5,6,4", {"data_dir": "/somewhere", "seed": 0})
    assert source == {"data": "eigenvalues:2.5,6,4", "options": {"seed": 0}}


@pytest.mark.parametrize(
    "options",
    [None, [], {"scale": "nan"}, {"scale": "0x1p+2000"}, {"scale": 2}, {"seed": "0"}, {"seed": True}, {"columns": "1"},
     {"columns": [["1"]]}, {"standardize": 1}, {"data_dir": "/"}, {"noises": []}],
)  # fmt: skip
def test_options_that_are_none_are_refused(options):
    with pytest.raises(InputError):
        sources.again({"data": "iris", "options": options}, sources.HERE)


def test_how_it_is_read_is_told_as_it_would_be_typed_and_on_one_line():
    for options, said in (
        ({"scale": "255", "seed": 3, "standardize": False}, "--scale 255 --seed 3"),
        ({"scale": "0x1.999999999999ap-4", "columns": ["1-2", "4"]}, "--scale 0.1 --columns 1-2 4"),
        ({"standardize": True, "seed": 0}, "--standardize"),
        ({"drop": ["petal length (cm)"]}, "--drop 'petal length (cm)'"),
    ):
        read = sources.again({"data": "iris", "options": options}, sources.HERE).read
        assert read.endswith(f"; read as the certificate has it, with {said}") and read.isprintable()
    for name in ("decimal", "missing"):  # no free text
        with pytest.raises(InputError, match=name):
            sources.again({"data": "iris", "options": {name: "mnist"}}, sources.HERE)
    assert "certificate" not in sources.again({"data": "iris", "options": {"seed": 0}}, sources.HERE).read
    assert "certificate" not in sources.reading("iris", {"scale": 2.0}).read  # who typed it knows


def test_nobody_typed_the_spectrum_of_a_certificate():
    source = {"data": "eigenvalues:6,4", "options": {"seed": 0}}
    assert sources.again(source, sources.HERE).read == "2 eigenvalues, as the certificate has them"
    assert sources.again(source, sources.HERE, data="eigenvalues:6,4").read == "2 eigenvalues, as typed"
