"""The command `certify`: what is made is proved again, and what is no such certificate is refused in one line."""

import json
import os
import shutil

import numpy as np
import pytest

from reports.cli import main
from tests.reports.schemas import check
from verify.certify import files

SPECTRUM = "eigenvalues:6,4,2.5,1.2,0.5"


@pytest.fixture
def rows(tmp_path):
    X = np.random.default_rng(0).integers(0, 16, (40, 5)).astype(float)
    np.savetxt(tmp_path / "rows.csv", X, delimiter=",")
    return tmp_path / "rows.csv"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Few points, and no search for bounds on every decoder: the same road, in less time."""
    from verify.certify import verdict

    monkeypatch.setattr(verdict, "POINTS", 1)
    monkeypatch.setattr(verdict, "PARTS", tuple(part for part in verdict.PARTS if "decoder" not in part.doing))


def made(path, *argv, data=SPECTRUM):
    assert main(["certify", str(data), "-k", "1", "--sigma2", "1", "--out", str(path), *argv, "--quiet"]) == 0
    return path


def checked(capsys, path, *argv):
    """The exit code of --check, its document or None, and the line that it complained in."""
    capsys.readouterr()
    code = main(["certify", "--check", str(path), *argv, "--json"])
    out, err = capsys.readouterr()
    return code, json.loads(out) if out else None, err


def test_what_is_made_is_proved_again(tmp_path, capsys, rows):
    for data, more in (
        (SPECTRUM, []),
        (rows, ["--scale", "3"]),
        (rows, ["--columns", "1-3"]),
        ("iris", ["--standardize"]),
    ):
        path = made(tmp_path / "c.json", "--overwrite", *more, data=data)
        code, document, err = checked(capsys, path)
        assert code == 0 and check("certify", document)["proved"] == len(document["statements"]) >= 2
        assert (document["refuted"], document["undecided"]) == (0, 0)
        assert "Traceback" not in err


def test_the_document_of_making_is_valid_and_the_bytes_are_the_same_each_time(tmp_path, capsys):
    first = made(tmp_path / "a.json").read_bytes()
    capsys.readouterr()
    assert main(["certify", SPECTRUM, "-k", "1", "--sigma2", "1", "--out", str(tmp_path / "b.json"), "--json"]) == 0
    document = check("certify", json.loads(capsys.readouterr().out))
    assert (document["k"], document["sigma2"], document["N"]) == (1, 1.0, None)
    assert (tmp_path / "b.json").read_bytes() == first


def test_people_are_told_what_is_proved_and_where_it_is_kept(tmp_path, capsys):
    assert main(["certify", SPECTRUM, "-k", "1", "--sigma2", "1", "--out", str(tmp_path / "c.json")]) == 0
    out, err = (" ".join(text.split()) for text in capsys.readouterr())
    assert "statements are proved for eigenvalues:6,4,2.5,1.2,0.5" in out
    assert "proved: the optimum of a linear VAE (and of probabilistic PCA) with 1 latent at sigma2 = 1 retains 1" in out
    assert "proved: exactly 4 eigenvalues exceed 1, and none equals it" in out
    assert "wrote" in err and "c.json" in err


def test_a_tie_is_told_as_one(tmp_path, capsys):
    path = tmp_path / "c.json"
    assert main(["certify", SPECTRUM, "-k", "1", "--sigma2", "2.5", "--out", str(path)]) == 0
    assert "exactly 2 eigenvalues exceed 2.5, and 1 equals it" in " ".join(capsys.readouterr().out.split())
    assert checked(capsys, path)[0] == 0


def test_a_certificate_and_its_data_may_move_together(tmp_path, capsys, rows):
    path = made(tmp_path / "c.json", data=rows)
    (tmp_path / "elsewhere").mkdir()
    shutil.move(rows, tmp_path / "elsewhere" / "rows.csv")
    code, _, err = checked(capsys, path)
    assert code == 2 and "the data are not there; say with --data where they have moved" in err
    assert checked(capsys, path, "--data", str(tmp_path / "elsewhere" / "rows.csv"))[0] == 0
    shutil.move(path, tmp_path / "elsewhere" / "c.json")
    assert checked(capsys, tmp_path / "elsewhere" / "c.json")[0] == 0


def test_other_data_are_refused_in_one_line(tmp_path, capsys, rows):
    path = made(tmp_path / "c.json", data=rows)
    X = np.loadtxt(rows, delimiter=",")
    saved = {"same": X, "permuted": X[::-1], "one": X + np.eye(*X.shape)[:, :] * (np.arange(40)[:, None] == 3)}
    saved["bytes"] = X.astype(np.uint8)
    for name, other in saved.items():
        np.save(tmp_path / f"{name}.npy", other)
        code, _, err = checked(capsys, path, "--data", str(tmp_path / f"{name}.npy"))
        same = name in ("same", "bytes")  # however a file stores the numbers, they are the same data
        assert code == (0 if same else 2)
        assert same or ("other data" in err and err.count("\n") == 1)
    np.savetxt(rows, X + 1, delimiter=",")
    code, _, err = checked(capsys, path)
    assert code == 2 and "is another file than the one that was certified" in err


def resealed(path, change):
    whole = files.read(path)
    change(whole)
    path.write_text(json.dumps(files.sealed(whole)))


def test_a_statement_that_is_not_proved_makes_the_exit_code_1(tmp_path, capsys):
    path = made(tmp_path / "c.json")
    resealed(path, lambda whole: whole["statements"][1].update(above=3))
    code, document, _ = checked(capsys, path)
    assert code == 1 and document["refuted"] == 1
    assert document["statements"][1]["status"] == "refuted" and check("certify", document)
    assert main(["certify", "--check", str(path)]) == 1
    said = capsys.readouterr().out
    assert "1 refuted" in said and "refuted: exactly 3 eigenvalues exceed 1" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.update(version=2), "version '2'"),
        (lambda w: w.update(statements=[]), "states something"),
        (lambda w: w["statements"][0].update(kind="theorem"), "no kind of statement: 'theorem'"),
        (lambda w: w["statements"][1].pop("above"), "statement 2 (count): it has no 'above'"),
        (lambda w: w["statements"][0].update(k=6), "k is at least 1 and at most n"),
        (lambda w: w["statements"][1].update(evidence=7), "malformed, something in it is of another type"),
        (lambda w: w["statements"][0].update(sigma2="nan"), "statement 1 (optimum)"),
        (lambda w: w["statements"][0].update(sigma2="1e5"), "statement 1 (optimum)"),
        (lambda w: w["subject"].update(sha256="0" * 64), "other data"),
        (lambda w: w["subject"].update(n=4), "other data"),
        (lambda w: w["source"].update(data="eigenvalues:6,4,2.5,1.2,0.6"), "other data"),
        (lambda w: w["source"].update(data="no-such-file.csv"), "no-such-file.csv"),
        (lambda w: w["source"].update(data=7), "malformed: it has no source"),
        (lambda w: w.update(source=None), "malformed: it has no source"),
        (lambda w: w["source"].update(data=None), "name the data with --data"),
        (lambda w: w["source"].update(options={"scale": "1.0"}), "leave out --scale"),
        (lambda w: w["source"].update(options={"data_dir": "/"}), "option of reading 'data_dir'"),
        (lambda w: w["source"].update(options={"columns": [1]}), "option of reading 'columns'"),
        (lambda w: w["source"].update(file={"path": 3}), "its source says no path"),
        (lambda w: w["source"].update(file={"path": "gone.csv", "sha256": ""}), "the data are not there"),
    ],
)
def test_a_certificate_that_was_changed_and_sealed_again_is_refused_in_one_line(tmp_path, capsys, change, said):
    path = made(tmp_path / "c.json")
    resealed(path, change)
    code, document, err = checked(capsys, path)
    assert (code, document) == (2, None)
    assert said in err and err.count("\n") == 1 and "Traceback" not in err


def test_a_certificate_that_was_changed_is_refused(tmp_path, capsys):
    path = made(tmp_path / "c.json")
    held = path.read_text()
    for old, new, said in [
        ('"above":4', '"above":3', "digest is another one"),
        ('"above":4', '"above":4.0', "not exact"),
        ('"above":4', '"above":NaN', "not exact"),
        ('"above":4', '"above":4,"above":4', "'above' twice"),
        ('"above":4', '"above":' + "4" * 30, "30 digits"),
        ("]\n,", "]", "no JSON"),
        (held[len(held) // 2 :], "", "no JSON"),
    ]:
        path.write_text(held.replace(old, new))
        if held.replace(old, new) != held:
            code, _, err = checked(capsys, path)
            assert code == 2 and said in err and err.count("\n") == 1


def test_only_certificates_are_written_over(tmp_path, capsys):
    path = made(tmp_path / "c.json")
    made(path)  # a certificate takes the place of one that asks the same of the same data
    path.write_text("{}")
    assert main(["certify", SPECTRUM, "-k", "1", "--sigma2", "1", "--out", str(path)]) == 2
    assert "is no certificate of ours; name another file, or replace it with --overwrite" in capsys.readouterr().err
    assert path.read_text() == "{}"
    made(path, "--overwrite")
    assert files.ours(path)


def test_a_disk_that_fills_leaves_the_old_certificate(tmp_path, capsys, monkeypatch):
    path = made(tmp_path / "c.json")
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert main(["certify", SPECTRUM, "-k", "1", "--sigma2", "1", "--out", str(path)]) == 2
    assert "No space left" in capsys.readouterr().err and path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["c.json"]


def test_without_python_flint_the_rest_is_certified(tmp_path, capsys, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "flint", None)
    assert main(["certify", SPECTRUM, "-k", "1", "--sigma2", "1", "--out", str(tmp_path / "c.json")]) == 0
    out, err = capsys.readouterr()
    assert "All 2 statements are proved" in out
    assert "not tried: the best stationary points (" in err and "python-flint" in err


def test_where_nothing_is_proved_nothing_is_written(tmp_path, capsys, monkeypatch):
    from verify.certify import verdict

    monkeypatch.setattr(verdict, "PARTS", ())
    path = tmp_path / "c.json"
    assert main(["certify", SPECTRUM, "-k", "1", "--sigma2", "1", "--out", str(path)]) == 1
    out, err = capsys.readouterr()
    assert "Nothing could be stated" in out and "was not written" in err and not path.exists()


def test_a_pipe_is_neither_waited_for_nor_replaced(tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe")
    for more in ((), ("--overwrite",)):
        assert main(["certify", SPECTRUM, "-k", "1", "--sigma2", "1", "--out", str(tmp_path / "pipe"), *more]) == 2
        assert "is a pipe or a device" in capsys.readouterr().err
    assert (tmp_path / "pipe").is_fifo()


def test_a_scale_that_makes_infinity_of_the_data_is_refused_in_one_line(tmp_path, capsys, rows):
    argv = ["certify", str(rows), "-k", "1", "--sigma2", "1", "--scale", "1e-320", "--out", str(tmp_path / "c.json")]
    assert main(argv) == 2
    err = capsys.readouterr().err
    assert "infinity at row" in err and err.count("\n") == 1


def test_without_python_flint_what_does_not_need_it_is_checked(tmp_path, capsys, monkeypatch):
    import sys

    path = made(tmp_path / "c.json")
    monkeypatch.setitem(sys.modules, "flint", None)
    code, document, _ = checked(capsys, path)
    assert (code, document["proved"], document["refuted"]) == (1, 2, 0) and document["undecided"] > 0
    assert all("pip install python-flint" in s["reason"] for s in document["statements"] if s["status"] == "undecided")


def test_what_was_read_is_told_and_not_what_the_file_calls_it(tmp_path, capsys, rows):
    path = made(tmp_path / "c.json", "--columns", "1-3", data=rows)
    lie = "mnist and every deep VAE.\nAll 9 statements are proved for \x1b[32meverything\x1b[0m"
    resealed(path, lambda whole: whole["source"].update(data=lie))
    assert main(["certify", "--check", str(path)]) == 0
    out, err = capsys.readouterr()
    assert "are proved for rows.csv (40 x 3" in out and "read rows.csv: 40 rows" in err
    assert "; read as the certificate has it, with --columns 1-3" in err
    assert "mnist" not in out + err and "\x1b" not in out + err
    _, document, _ = checked(capsys, path)
    assert document["data"] == "rows.csv" and document["read"].startswith("40 rows")


def test_a_spectrum_of_several_lines_is_named_in_one(tmp_path, capsys):
    path = made(tmp_path / "c.json")
    resealed(path, lambda whole: whole["source"].update(data="eigenvalues:6,4,\n\n2.5,1.2,0.5"))
    code, document, _ = checked(capsys, path)
    assert code == 2 or document["data"].isprintable()


def test_what_reading_has_to_say_is_said_by_check_too(tmp_path, capsys):
    X = np.random.default_rng(1).normal(size=(30, 3)).round(2).astype(str)
    X[4, 1] = ""
    (tmp_path / "gaps.csv").write_text("\n".join(",".join(row) for row in X))
    path = made(tmp_path / "c.json", "--missing", "mean", data=tmp_path / "gaps.csv")
    _, document, _ = checked(capsys, path)
    from verify.data.sources import load_rows

    told = load_rows(str(tmp_path / "gaps.csv"), missing="mean").provenance
    assert told["notes"] and document["notes"][: len(told["notes"])] == told["notes"]
    assert document["read"] == f"{told['read']}; read as the certificate has it, with --missing mean"


def test_a_spectrum_is_no_rows(tmp_path, capsys):
    path = made(tmp_path / "c.json", "--standardize", data="iris")
    code, _, err = checked(capsys, path, "--data", "eigenvalues:1,2,3")
    assert code == 2 and "other data: of rows" in err and "standardize" not in err and err.count("\n") == 1


def test_a_certificate_of_something_else_is_replaced_only_when_asked(tmp_path, capsys, rows):
    path = made(tmp_path / "c.json")
    kept = path.read_bytes()
    argv = ["certify", SPECTRUM, "-k", "1", "--sigma2", "1", "--out", str(path), "--quiet"]
    other = [
        ([*argv, "--beta", "2"], "of another k, sigma2 or beta"),
        ([*argv, "-k", "2"], "of another k, sigma2 or beta"),
        ([*argv, "--sigma2", "1.5"], "of another k, sigma2 or beta"),
        (["certify", str(rows), *argv[2:]], "of other data"),
    ]
    for words, said in other:
        capsys.readouterr()
        assert main(words) == 2
        err = capsys.readouterr().err
        assert f"{said}; name another file, or replace it with --overwrite" in err and err.count("\n") == 1
        assert path.read_bytes() == kept
    path.write_bytes(kept.replace(b'"above":4', b'"above":3'))
    assert main(argv) == 2 and "cannot be read (damaged" in capsys.readouterr().err
    for words, _ in other:
        assert main([*words, "--overwrite"]) == 0


def test_people_are_told_of_which_model_and_of_which_data(tmp_path, capsys, rows):
    argv = ["certify", str(rows), "-k", "1", "--sigma2", "1", "--out", str(tmp_path / "c.json")]
    assert main(argv) == 0
    out, err = (" ".join(text.split()) for text in capsys.readouterr())
    assert "Sampling: what is proved is proved of these very rows" in out and "sampling" not in err
    assert "a linear VAE (and of probabilistic PCA)" in out and "for a deep VAE it is a prediction" in err
    assert main(["certify", SPECTRUM, *argv[2:], "--overwrite", "--beta", "2"]) == 0
    out, err = (" ".join(text.split()) for text in capsys.readouterr())
    assert "ampling" not in out + err and "probabilistic PCA" not in out + err and "with this beta" in err


def test_a_certificate_is_of_one_noise(tmp_path, capsys):
    argv = ["certify", SPECTRUM, "-k", "1", "--sigma2", "1", "2.5", "--out", str(tmp_path / "c.json")]
    assert main(argv) == 2
    assert "unrecognized arguments: 2.5: a certificate is of one noise; see" in capsys.readouterr().err
    assert main([*argv[:6], "word"]) == 2 and "one noise" not in capsys.readouterr().err  # control


def test_what_the_file_lacks_is_told(tmp_path, capsys, monkeypatch):
    from verify.certify.propose import counts
    from verify.data import load

    monkeypatch.setattr(counts, "exact_count", lambda subject, level: None)  # as of too many columns

    lam = repr(float(load("iris").eigenvalues[1]))
    path = tmp_path / "c.json"
    assert main(["certify", "iris", "-k", "2", "--sigma2", lam, "--out", str(path)]) == 0
    err = " ".join(capsys.readouterr().err.split())
    total = len(files.read(path)["statements"])
    held = "the one statement that is proved" if total == 1 else f"the {total} statements that are proved"
    assert f"holds {held}, and lacks the" in err


def test_a_report_says_on_the_terminal_how_much_of_it_is_certified(tmp_path, capsys):
    argv = ["report", "eigenvalues:3,2", "-k", "1", "--out"]
    assert main([*argv, str(tmp_path / "a"), "--certify"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Certified, in exact arithmetic" in said and "nothing is undecided" in said
    assert main([*argv, str(tmp_path / "b")]) == 0
    assert "ertified" not in capsys.readouterr().out  # control
