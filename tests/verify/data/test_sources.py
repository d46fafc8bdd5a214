"""Every DATA word, and every way in which one can be bad."""

import gzip
import hashlib
import json
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas
import pandas as pd
import pytest
from sklearn.datasets import load_digits, load_wine

from verify.data import Rows, from_eigenvalues, load, load_rows
from verify.data.mnist import TRAINING_SHA256, find_training_file, read_idx
from verify.errors import InputError

X = np.random.default_rng(0).standard_normal((12, 4)).round(3)


def naive_eigenvalues(rows):
    return np.sort(np.linalg.eigvalsh(np.cov(np.asarray(rows, dtype=float).T, bias=True)))[::-1]


def agrees(c, rows):
    """The eigenvalues are those of the definition, to rounding relative to the largest."""
    expected = naive_eigenvalues(rows)
    return c.eigenvalues.shape == expected.shape and np.allclose(
        c.eigenvalues, expected, rtol=0, atol=1e-12 * expected[0]
    )


def refusal(spec, **options):
    """The one line with which DATA is refused."""
    with pytest.raises(InputError) as caught:
        load(spec, **options)
    message = str(caught.value)
    assert message and "\n" not in message
    return message


# --- what works ---------------------------------------------------------------------------------------------


def test_digits_are_the_1797_images_of_scikit_learn():
    c = load("digits")
    assert (c.N, c.n) == (1797, 64)
    assert agrees(c, load_digits().data)
    assert not agrees(c, load_digits().data[:-1])  # control
    assert c.provenance["name"] == "digits" and c.provenance["shape"] == [1797, 64]
    assert agrees(load("digits", scale=16), load_digits().data / 16)


def test_digits_say_how_their_rows_are_images():
    rows = load_rows("digits")
    assert rows.provenance["image"] == [8, 8, 1] == rows.covariance().provenance["image"]
    images = rows.array().reshape(-1, *rows.provenance["image"])[..., 0]
    assert np.array_equal(images, load_digits().images)
    assert not np.array_equal(images.swapaxes(1, 2), load_digits().images)  # control: rows for columns


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("header", [None, ["a", "b", "c", "d"], ['"a b"', "", "c", "d"]])
@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".CSV"])
def test_csv_with_and_without_header(tmp_path, delimiter, header, ending):
    lines = [] if header is None else [delimiter.join(header)]
    lines += [delimiter.join(f"{value:.17g}" for value in row) for row in X]
    content = "\ufeff" * (ending == ".csv") + "\r\n".join(lines) + "\n\n"
    path = tmp_path / f"rows{ending}"
    path.write_bytes(gzip.compress(content.encode()) if ending.endswith("gz") else content.encode())
    c = load(str(path))
    assert agrees(c, X) and c.provenance["shape"] == [12, 4]
    assert c.provenance["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert c.provenance["name"] == path.name  # not the folder, which is nobody's business


def test_a_csv_of_many_columns_keeps_their_names(tmp_path):
    named = [f"gene {i}" for i in range(2000)]
    rows = np.random.default_rng(1).integers(0, 9, (6, 2000))
    (tmp_path / "a.csv").write_text("\n".join([";".join(named), *(";".join(map(str, row)) for row in rows)]))
    c = load(tmp_path / "a.csv")
    assert c.provenance["columns"] == named and c.provenance["shape"] == [6, 2000]
    assert json.loads(json.dumps(c.provenance)) == c.provenance


def test_a_bare_spectrum_is_sorted_and_said():
    c = load("eigenvalues:4, 6,2.5e0,1E-3")
    assert np.array_equal(c.eigenvalues, [6, 4, 2.5, 1e-3])
    assert c.N is None and any("sorted" in note for note in c.provenance["notes"])
    assert not {"image", "columns"} & c.provenance.keys()
    assert load("eigenvalues:6,4,2.5").provenance["notes"] == []


def test_provenance_is_json_and_the_same_every_time():
    first, second = (json.dumps(load("digits", scale=16, logit=1e-3, seed=4).provenance) for _ in range(2))
    assert first == second
    facts = json.loads(first)
    assert facts["preprocessing"] == {"logit": 1e-3, "levels": 17, "dequantised": True}
    assert facts["seed"] == 4 and facts["mean_log_jacobian"] > 0
    assert facts["log_scale_jacobian"] == pytest.approx(-64 * np.log(17))


# --- MNIST --------------------------------------------------------------------------------------------------


def test_mnist_is_the_original(mnist_folder):
    rows = load_rows("mnist", data_dir=mnist_folder)
    assert rows.shape == (60000, 784)
    # Well-known figures of the training set: mean 33.3184 and standard deviation 78.5675 of the grey values.
    assert rows.raw.mean() == pytest.approx(33.3184, abs=1e-4)
    assert rows.raw.std(dtype=np.float64) == pytest.approx(78.5675, abs=1e-4)


def test_mnist_rows_are_drawn_as_documented(mnist_folder):
    rows = load_rows("mnist:1000", scale=255, seed=3, data_dir=mnist_folder)
    drawn = np.random.default_rng(3).choice(60000, 1000, replace=False)
    raw = gzip.decompress(find_training_file(mnist_folder).read_bytes())[16:]
    images = np.frombuffer(raw, dtype=np.uint8).reshape(60000, 784)
    assert np.array_equal(rows.array(), images[drawn] / 255)
    assert rows.provenance["image"] == [28, 28, 1]
    c = rows.covariance()
    assert agrees(c, images[drawn] / 255)
    assert c.provenance["rows"]["sha256"] == hashlib.sha256(drawn.tobytes()).hexdigest()
    # Pixels that are 0 in all 1000 images: the rank cannot exceed the number of others.
    assert 500 < c.rank <= np.count_nonzero(images[drawn].any(axis=0))


def test_mnist_with_the_logit_has_the_jacobian_of_theory_5_2(mnist_folder):
    c = load("mnist", logit=1e-6, data_dir=mnist_folder)
    # The noise moves the mean over 60000 images by about 0.1.
    assert c.provenance["mean_log_jacobian"] == pytest.approx(4619.7, abs=0.3)
    # theory 5.3: numbers of eigenvalues above the noise; 1 either way, for the noise.
    counts = [int((c.eigenvalues > noise).sum()) for noise in (30, 10, 3, 1)]
    assert np.abs(np.array(counts) - [38, 74, 147, 581]).max() <= 1


@pytest.mark.parametrize("number", ["0", "1", "60001", "-5", "1e3", "", "two", "9" * 5000])
def test_a_bad_number_of_mnist_rows_is_refused(mnist_folder, number):
    assert "mnist:" in refusal(f"mnist:{number}", data_dir=mnist_folder)


def idx(images, magic=0x803):
    return struct.pack(">IIII", magic, *images.shape) + images.tobytes()


IMAGES = np.arange(3 * 2 * 2, dtype=np.uint8).reshape(3, 2, 2)


def gzipped(content):
    return gzip.compress(content, mtime=0)  # the time would make every run, and every process of one, another


@pytest.fixture
def training_file(tmp_path):
    (tmp_path / "mnist").mkdir()
    return tmp_path / "mnist" / "train-images-idx3-ubyte.gz"


def test_idx_files_are_read_row_by_row(training_file):
    training_file.write_bytes(gzipped(idx(IMAGES)))
    assert np.array_equal(read_idx(training_file), IMAGES.reshape(3, 4))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzipped(idx(IMAGES)), "wrong sha256"),
        (gzipped(idx(IMAGES, magic=0x801)), "magic number 0x00000801"),
        (gzipped(idx(IMAGES)[:-1]), "11 bytes of pixels, but the header promises 3 x 2 x 2"),
        (gzipped(idx(IMAGES) + b"\0"), "13 bytes of pixels"),
        (gzipped(idx(IMAGES)[:10]), "too short"),
        (gzipped(idx(IMAGES))[:-9], "truncated"),
        (gzipped(idx(IMAGES))[:-4] + b"\1\1\1\1", "truncated or damaged"),
        (idx(IMAGES), "truncated or damaged"),
        (b"", "too short"),
    ],
    ids=["other bytes", "labels", "short", "long", "header", "cut", "checksum", "not gzip", "empty"],
)
def test_a_damaged_training_file_is_refused(training_file, content, words):
    training_file.write_bytes(content)
    message = refusal("mnist", data_dir=training_file.parents[1])
    assert words in message and str(training_file) in message


def test_fashion_mnist_is_the_original_or_refused(training_file, tmp_path):
    assert "fashion-mnist/train-images-idx3-ubyte.gz not found" in refusal("fashion-mnist", data_dir=tmp_path)
    other = tmp_path / "fashion-mnist" / training_file.name
    other.parent.mkdir()
    other.write_bytes(gzipped(idx(IMAGES)))
    message = refusal("fashion-mnist:2", data_dir=tmp_path)
    assert "wrong sha256, not the original fashion-mnist training images" in message and str(other) in message


def test_fashion_mnist_is_read_like_mnist(training_file, tmp_path, monkeypatch):
    other = tmp_path / "fashion-mnist" / training_file.name
    other.parent.mkdir()
    other.write_bytes(gzipped(idx(IMAGES)))
    digest = hashlib.sha256(other.read_bytes()).hexdigest()
    monkeypatch.setitem(TRAINING_SHA256, "fashion-mnist", digest)
    rows = load_rows("fashion-mnist", data_dir=tmp_path)
    assert np.array_equal(rows.array(), IMAGES.reshape(3, 4))
    assert rows.provenance["kind"] == "fashion-mnist" and rows.provenance["sha256"] == digest
    drawn = np.random.default_rng(5).choice(3, 2, replace=False)
    few = load_rows("fashion-mnist:2", seed=5, data_dir=tmp_path)
    assert np.array_equal(few.array(), IMAGES.reshape(3, 4)[drawn])


def test_mnist_is_looked_for_in_order(training_file, tmp_path, monkeypatch):
    training_file.write_bytes(b"")
    monkeypatch.setenv("ELBO_VERIFY_DATA", str(tmp_path))
    assert find_training_file() == training_file
    assert find_training_file(tmp_path / "elsewhere") == training_file
    other = tmp_path / "first" / "mnist" / training_file.name
    other.parent.mkdir(parents=True)
    other.write_bytes(b"")
    assert find_training_file(tmp_path / "first") == other


def test_missing_mnist_names_the_places(tmp_path, monkeypatch):
    monkeypatch.setenv("ELBO_VERIFY_DATA", str(tmp_path / "there"))
    monkeypatch.setattr(Path, "is_file", lambda self: False)
    message = refusal("mnist", data_dir=tmp_path / "here")
    assert str(tmp_path / "here") in message and str(tmp_path / "there") in message and "--data-dir" in message


# --- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", ["", "digit", "irises", "MNIST"])
def test_unknown_data_lists_the_choices(spec):
    assert "unknown data" in refusal(spec) and "digits, mnist" in refusal(spec)
    assert ("did you mean digits?" in refusal(spec)) == (spec == "digit")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("eigenvalues:", "eigenvalue 1 is '', not a number"),
        ("eigenvalues:6,,4", "eigenvalue 2 is ''"),
        ("eigenvalues:6;4", "eigenvalue 1 is '6;4'"),
        ("eigenvalues:6,-4", "eigenvalue 2 is -4"),
        ("eigenvalues:nan", "eigenvalue 1 is nan"),
        ("eigenvalues:1,inf", "eigenvalue 2 is inf"),
        ("eigenvalues:1,1e400", "eigenvalue 2 is '1e400', outside"),
        ("eigenvalues:1,1e-400", "run from about 1e"),
        ("eigenvalues:1,1e-999999999", "outside"),
        ("eigenvalues:1,1e99999999999999999999999", "outside"),
        ("eigenvalues:1_0,1", "not a number"),
        ("eigenvalues:0x10,1", "not a number"),
        ("eigenvalues:" + "1" * 5000, "characters"),
        ("eigenvalues:0,0", "all zero"),
    ],
)
def test_a_bad_spectrum_is_refused(spec, words):
    assert words in refusal(spec)


def test_a_spectrum_has_no_rows_to_preprocess():
    assert "no rows" in refusal("eigenvalues:2,1", scale=2)
    assert "no rows" in refusal("eigenvalues:2,1", logit=0.1)
    with pytest.raises(InputError, match="no rows"):
        load_rows("eigenvalues:2,1")


@pytest.mark.parametrize("ending", [".npy", ".npz", ".csv", ".csv.gz"])
def test_a_missing_file_says_where_it_was_looked_for(tmp_path, ending):
    message = refusal(tmp_path / f"absent{ending}")
    assert "no such file" in message and str(tmp_path) in message


def with_entry(value):
    bad = X.copy()
    bad[7, 2] = value
    return bad


BAD_ARRAYS = [
    (with_entry(np.nan), "1 value is missing, in 1 of 12 rows"),
    (with_entry(np.inf), "infinity at row 8, column 3"),
    (with_entry(-np.inf).astype(np.float32), "infinity at row 8, column 3"),
    (X.astype(complex), "complex128, not real numbers"),
    (X.astype("U8"), "<U8"),
    (np.zeros(3, dtype="f8,i4"), "constant"),
    (np.zeros((3, 2), dtype="f8,i4"), "a structured array of shape (3, 2)"),
    (np.zeros(3, dtype="M8[s]"), "datetime64[s]"),
    (X[0], "shape (4,)"),
    (X[None], "one row"),
    (np.float64(1.0), "shape ()"),
    (X[:0], "empty"),
    (X[:, :0], "empty"),
    (X[:1], "one row"),
    (np.ones((5, 2)) / 3, "constant"),
]


@pytest.mark.parametrize(("array", "words"), BAD_ARRAYS)
@pytest.mark.parametrize("ending", [".npy", ".npz"])
def test_bad_arrays_are_refused(tmp_path, ending, array, words):
    path = tmp_path / f"bad{ending}"
    np.save(path, array) if ending == ".npy" else np.savez(path, X=array)
    assert words in refusal(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("1,2\n", "one row"),
        ("a,b\n1,2\n", "one row"),
        (
            "a,b\n1,2\n3,\n",
            "1 value is missing, in 1 of 2 rows (column 2 (b): 1; the first at row 2 (line 3), column 2",
        ),
        ("1,2\n3,nan\n", "1 value is missing"),
        ("1,2\n3,1e999\n", "infinity at row 2, column 2"),
        ("a,b\n\n1,2\n3,inf\n", "infinity at row 2 (line 4), column 2 (b)"),
        ("NA,NA\n1,2\n3,4\n", "2 values are missing, in 1 of 3 rows"),
        ("1,2\n1,2\n1,2\n", "constant"),
        ("a,b\n1,2\n3,9007199254740993\n", "line 3: 9007199254740993 at row 2, column 2 is beyond 2^53"),
        ('1,2\n"-1152921504606846977",4\n', "-1152921504606846977 at row 2, column 1 is beyond 2^53"),
    ],
)
def test_a_bad_entry_of_a_csv_is_refused_with_its_place(tmp_path, content, words):
    (tmp_path / "bad.csv").write_text(content)
    assert words in refusal(tmp_path / "bad.csv")


def test_an_index_left_out_does_not_move_the_places(tmp_path):
    lines = [f"{i},{1 + i % 3},{i * i}" for i in range(9)]
    lines[4] = "4,inf,16"
    (tmp_path / "a.csv").write_text("\n".join([",a,b", *lines]))
    assert "infinity at row 5 (line 6), column 2 (a)" in refusal(tmp_path / "a.csv")


def test_options_reach_files_objects_and_bundled_tables(tmp_path):
    holes = X.copy()
    holes[3, 1] = np.nan
    np.save(tmp_path / "a.npy", holes)
    for data in (tmp_path / "a.npy", holes, str(tmp_path / "a.npy")):
        assert "1 value is missing, in 1 of 12 rows" in refusal(data)
        assert agrees(load(data, missing="drop"), np.delete(X, 3, axis=0))
        assert agrees(load(data, missing="drop", columns=[4, 2]), np.delete(X, 3, axis=0)[:, [3, 1]])
        assert agrees(load(data, drop="2"), X[:, [0, 2, 3]])
    wine = load_wine()
    assert agrees(load("wine", columns=["ash", "proline"]), wine.data[:, [2, 12]])
    standard = (wine.data - wine.data.mean(axis=0)) / wine.data.std(axis=0)
    assert agrees(load("wine", standardize=True), standard)
    assert "wine: column 'alc'" in refusal("wine", columns="alc")


def test_what_was_read_is_told():
    assert load("digits").provenance["read"] == "1797 rows x 64 columns; images of 8 x 8"
    assert load("eigenvalues:2,1").provenance["read"] == "2 eigenvalues, as typed"
    assert load(X).provenance["read"] == "12 rows x 4 columns"


def test_large_numbers_in_text_are_taken_where_they_are_floats(tmp_path):
    words = ("9007199254740992", "1152921504606846976", "1152921504606847000", "1e23", "1.2345678901234567e+20")
    (tmp_path / "good.csv").write_text("".join(f"{word},0\n" for word in words))
    assert load_rows(tmp_path / "good.csv").array()[:, 0].tolist() == [float(word) for word in words]


def test_whole_numbers_beyond_float64_are_refused_for_training_too(tmp_path):
    for start, dtype in ((2**53, np.int64), (2**60, np.int64), (2**64 - 64, np.uint64)):
        rows = np.array([[start + i] for i in range(1, 64)], dtype)
        np.save(tmp_path / "a.npy", rows)
        assert f"{start + 1} at row 1, column 1 is beyond 2^53" in refusal(tmp_path / "a.npy")
        assert "is beyond 2^53" in refusal(tmp_path / "a.npy", scale=0.5)
        for read in (Rows.array, Rows.float32_array):
            with pytest.raises(InputError, match="is beyond 2"):
                read(load_rows(tmp_path / "a.npy"))


@pytest.mark.parametrize("options", [{"scale": -1}, {"logit": 2}, {"seed": -1}])
def test_bad_options_are_refused_for_data_too(options):
    assert next(iter(options)) in refusal("digits", **options)


# --- decimals -----------------------------------------------------------------------------------------------


def test_a_typed_spectrum_keeps_its_decimals():
    c = load("eigenvalues:0.30000000000000004,0.3")
    assert c.spectrum.exact == (Fraction("0.30000000000000004"), Fraction("0.3"))
    assert c.spectrum.position(0.3).above == 1 and c.provenance["notes"] == []
    assert load("eigenvalues:.5,5e-1,+0.5").spectrum.exact == (Fraction(1, 2),) * 3


def test_decimals_that_are_one_float_are_kept_apart_and_that_is_said():
    c = load("eigenvalues:0.1,0.10000000000000000001")
    assert c.spectrum.exact == (Fraction("0.10000000000000000001"), Fraction("0.1"))
    assert c.eigenvalues[0] == c.eigenvalues[1]
    notes = " ".join(c.provenance["notes"])
    assert "sorted" in notes and "lam_1 and lam_2 are different decimals that are the same float64" in notes
    # A float stands for the shortest decimal that denotes it, whatever the double is exactly.
    assert from_eigenvalues([0.7, "0.1", Fraction(1, 3)]).spectrum.exact == (
        Fraction(7, 10),
        Fraction(1, 3),
        Fraction(1, 10),
    )


@pytest.mark.parametrize("given", [[Fraction(10) ** 400, 1.0], [Fraction(1, 10**400), 1.0], ["1", "-1e-300"]])
def test_numbers_out_of_range_are_refused_in_one_line(given):
    with pytest.raises(InputError, match=r"^[^\n]*(multiply the data|no negative)[^\n]*$"):
        from_eigenvalues(given)


def test_in_python_options_are_said_as_python_writes_them():
    holes = X.copy()
    holes[3, 1] = np.nan
    assert 'say missing="drop" to leave' in refusal(holes) and "--" not in refusal(holes)
    frame = {"a--b": X[:, 0], "c": np.zeros(12)}
    assert "(c) is constant" in " ".join(load(pandas.DataFrame(frame)).provenance["notes"])
    assert "column 1 (a--b)" in refusal(pandas.DataFrame({**frame, "a--b": np.r_[np.inf, X[1:, 0]]}))
    notes = " ".join(load(X * [1, 1, 1, 1e3]).provenance["notes"])
    assert "standardize=True gives every column variance 1" in notes and "--" not in notes


@pytest.mark.parametrize("columns", [np.int64(2), 2, "2", [2], np.array([2]), np.array(["2"])])
def test_columns_are_named_in_every_way_of_python(columns):
    assert np.array_equal(load_rows(X, columns=columns).array(), X[:, [1]])
    assert "leave out --columns" in refusal("eigenvalues:3,2", columns=columns)


@pytest.mark.parametrize("columns", [1.5, slice(0, 2)])
def test_what_names_no_column_is_refused(columns):
    assert "neither name nor number" in refusal(X, columns=columns)


def test_options_that_there_are_not_are_refused():
    for misspelt, meant in (("standardise", "standardize"), ("scael", "scale"), ("Drop", "drop")):
        assert f"no option '{misspelt}'; did you mean {meant}?" in refusal(X, **{misspelt: True})
        with pytest.raises(InputError, match="no option"):
            load_rows(X, **{misspelt: True})


def test_the_option_that_is_advised_in_python_works():
    frame = pd.DataFrame({"a": [1.0, 2, 4], "b c": ["14", "14 %", "13"]})
    advice = refusal(frame).partition("leave the column out (")[2].partition(")")[0]
    assert advice == 'drop="b c"' and eval(f"load_rows(frame, {advice})").shape == (3, 1)


def test_an_array_of_a_file_keeps_its_name_in_what_is_wrong_with_it(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, y=X[:, 0], z=np.where(X > 1, np.inf, X))
    assert refusal(f"{tmp_path / 'a.npz'}:y").startswith(f"{tmp_path / 'a.npz'}:y: shape (12,)")
    assert refusal(f"{tmp_path / 'a.npz'}:z").startswith(f"{tmp_path / 'a.npz'}:z: infinity at row")
    assert refusal(f"{tmp_path / 'a.npz'}:w").startswith(f"{tmp_path / 'a.npz'}: holds no array 'w'")


def test_a_folder_by_its_name_alone_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cellar").mkdir()
    np.save(tmp_path / "cellar" / "red.npy", X)
    assert refusal("cellar") == "cellar: is a folder; name a file in it: red.npy"
    assert "unknown data 'celler'" in refusal("celler")
    assert "unknown data" in refusal("a" * 5000)
