"""Certificates from Python: made, kept, checked, told and drawn."""

import json

import numpy as np
import pytest

import verify
from verify.certify import verdict
from verify.certify.checker.outcome import Status
from verify.errors import InputError

SPECTRUM = "eigenvalues:6,4,2.5"
ROWS = np.random.default_rng(3).integers(-9, 10, (30, 4)).astype(float)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Few points, and no search for bounds on every decoder: the same road, in less time."""
    monkeypatch.setattr(verdict, "POINTS", 1)
    monkeypatch.setattr(verdict, "PARTS", tuple(part for part in verdict.PARTS if "decoder" not in part.doing))


def test_a_certificate_is_kept_and_checked_again(tmp_path):
    made = verify.certificate(SPECTRUM, 1, 3.0)
    assert made.status is Status.PROVED and made.proved == len(made.statements)
    assert made.verdict.startswith(f"All {made.proved} statements are proved for {SPECTRUM}")
    made.save(tmp_path / "c.json")
    checked = verify.check_certificate(tmp_path / "c.json")
    assert checked.statements == made.statements and checked.status is Status.PROVED
    with pytest.raises(TypeError, match="no bool"):
        bool(verify.certify.checker.outcome.proved("an outcome never is"))


def test_of_an_array_the_data_are_given_again(tmp_path):
    path = tmp_path / "c.json"
    verify.certificate(ROWS, 2, 10.0, scale=2.0).save(path)
    assert verify.check_certificate(path, ROWS).status is Status.PROVED  # divided as it was then
    with pytest.raises(InputError, match="name the data with data"):
        verify.check_certificate(path)
    with pytest.raises(InputError, match="other data"):
        verify.check_certificate(path, ROWS + 1)


def test_beta_enters_as_it_was_written(tmp_path):
    at = verify.certificate("eigenvalues:0.3,0.1", 1, 0.1, beta=3.0)
    assert at.statements[1]["says"] == "exactly 0 eigenvalues exceed 0.3, and 1 equals it"


def test_the_same_file_comes_of_the_same_data(tmp_path):
    for name in ("a", "b"):
        verify.certificate(ROWS, 2, 10.0).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_refuted_statement_shows(tmp_path):
    path = tmp_path / "c.json"
    verify.certificate(SPECTRUM, 1, 3.0).save(path)
    from verify.certify import files

    whole = files.read(path)
    whole["statements"] = [{**whole["statements"][1], "above": 0}]
    path.write_text(json.dumps(files.sealed(whole)))
    found = verify.check_certificate(path)
    assert found.status is Status.REFUTED and found.verdict.startswith("0 of 1 statements are proved")


def test_frame_summary_and_picture(tmp_path):
    pytest.importorskip("pandas")
    made = verify.certificate(ROWS, 2, 10.0)
    frame = made.to_frame()
    assert list(frame.columns) == ["kind", "says", "status", "reason"] and frame.index[0] == 1
    assert "Sampling: " in made.summary() and "proved: " in made.summary()
    texts = [text.get_text() for text in made.plot().texts]
    assert texts.count("proved") == made.proved


@pytest.mark.parametrize(
    ("given", "said"),
    [((SPECTRUM, 4, 1.0), "between 1 and n = 3"), ((SPECTRUM, 1, -1.0), "sigma2"), (("nothing", 1, 1.0), "nothing")],
)
def test_what_cannot_be_certified_is_refused(given, said):
    with pytest.raises(InputError, match=said):
        verify.certificate(*given)


def test_neither_a_status_nor_a_check_is_a_bool(tmp_path):
    """Every text but the empty one is true in Python, "refuted" too."""
    for found in (*Status, verify.certificate(SPECTRUM, 1, 3.0)):
        with pytest.raises(TypeError, match="no bool"):
            bool(found)


def test_it_is_not_written_over_its_data_nor_under_no_name(tmp_path):
    path, link = tmp_path / "rows.csv", tmp_path / "link"
    np.savetxt(path, ROWS, delimiter=",")
    link.symlink_to(path)
    before, made = path.read_bytes(), verify.certificate(path, 2, 10.0)
    for place, said in ((path, "holds the data"), (link, "holds the data"), ("c\0.json", "zero byte")):
        with pytest.raises(InputError, match=said):
            made.save(place)
    assert path.read_bytes() == before
    made.save(tmp_path / "c.json")
    path.rename(tmp_path / "moved.csv")
    made_again = verify.check_certificate(tmp_path / "c.json", tmp_path / "moved.csv")
    assert made_again.status is Status.PROVED
