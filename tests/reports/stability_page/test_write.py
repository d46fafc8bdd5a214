"""The report: what is written, that it is drawn from its data alone, and that nothing is left half-written."""

import json
import shutil

import numpy as np
import pytest

from reports.analysis.figure_2 import latent_dimensions
from reports.stability_page import write as report
from reports.stability_page.write import redraw
from tests.reports.written import write_report
from verify.data import load
from verify.errors import InputError
from verify.landscape.stationary import retained_count


@pytest.fixture
def pictures(folder, monkeypatch):
    """The pictures of another report instead of new ones: drawing takes seconds, and most tests are not about it."""

    def copied(document, slices, target):
        for picture in (folder / "figures").iterdir():
            shutil.copyfile(picture, target / picture.name)

    monkeypatch.setattr(report, "draw", copied)


def written(out, spec="eigenvalues:6,4,2.5,1.2,0.5", k=2, ledger=None, name="data"):
    page = write_report(load(spec), k=k, name=name, ledger=ledger, out=out)
    return page, json.loads((out / "report.json").read_text())


def test_everything_is_there(folder):
    names = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert {
        "index.html",
        "audit.html",
        "report.json",
        "report.npz",
        "figures/scree.svg",
        "figures/landscape.png",
    } <= names
    assert not [name for name in names if "unfinished" in name]


def test_document_agrees_with_theory(folder):
    document = json.loads((folder / "report.json").read_text())
    lam = np.array(document["stability"]["eigenvalues"])
    assert document["usual"]["retained"] == int((lam[:4] > 1).sum()) == 4
    for row in document["stability"]["noise"]:
        assert row["retained"] == retained_count(lam, 4, row["sigma2"])
    at_one = [row for row in document["stability"]["noise"] if row["sigma2"] == 1.0]
    assert at_one[0]["value"] == document["usual"]["value"]
    assert [t["objective"] for t in document["stationary"]] == ["ppca", "ppca", "elbo", "elbo"]
    assert [t["sigma2"] for t in document["stationary"]] == [1.0, None, 1.0, None]
    assert all(t["points"][0]["global"] and not t["points"][1]["global"] for t in document["stationary"])


def test_figure_2_holds_the_users_k_and_lemma_1(folder):
    data = json.loads((folder / "report.json").read_text())["figure2"]
    assert data["k"] == [1, 2, 3, 4, 5, 6, 7] and data["reference_k"] == 4
    assert data["optimal_elbo"] == pytest.approx(data["maximum_likelihood"], rel=1e-12)  # rounding
    assert data["weights_at_reference"][3] == pytest.approx(data["maximum_likelihood"][3], rel=1e-12)


@pytest.mark.parametrize(
    "rank, k, last, reference",
    [(586, 50, 300, 50), (61, 10, 60, 50), (586, 217, 300, 50), (8, 4, 7, 4)],
)
def test_latent_dimensions_of_figure_2(rank, k, last, reference):
    ks = latent_dimensions(rank, k)
    assert ks[0] == 1 and ks[-1] == last and {k, reference} <= set(ks) and ks == sorted(set(ks))
    assert len(ks) <= 64


def test_redraw_needs_no_computation_and_gives_the_same_bytes(tmp_path):
    out = tmp_path / "out"
    written(out)
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    (out / "index.html").write_text("spoilt")
    (out / "figures" / "scree.svg").unlink()
    assert redraw(out) == out / "index.html"
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before


def test_redraw_shows_what_the_data_say(pictures, tmp_path):
    # Control: a page that was not drawn from report.json would not change with it.
    out = tmp_path / "out"
    _, document = written(out)
    document["usual"] |= {"retained": 1, "retained_at_most": 1, "collapsed": 1}
    (out / "report.json").write_text(json.dumps(document))
    assert "1 of 2 latents collapses" in redraw(out).read_text()


def test_redraw_without_a_report_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"report\.json: not there"):
        redraw(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_damaged_slices_are_refused(pictures, tmp_path):
    out = tmp_path / "out"
    written(out)
    (out / "report.npz").write_bytes(b"PK\x03\x04 not much")
    with pytest.raises(InputError, match="damaged"):
        redraw(out)


def test_a_second_report_replaces_the_first_and_leaves_other_files_alone(pictures, tmp_path):
    out = tmp_path / "out"
    written(out, k=2)
    (out / "mine.txt").write_text("keep")
    written(out, k=3)
    assert json.loads((out / "report.json").read_text())["k"] == 3
    assert (out / "mine.txt").read_text() == "keep"


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    def broken(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report, "draw", broken)
    with pytest.raises(InputError, match="No space left"):
        written(tmp_path / "deep" / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_bad_input(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        written(tmp_path / "file" / "out")


@pytest.mark.parametrize("k", [0, 6])
def test_k_out_of_range_is_bad_input(tmp_path, k):
    with pytest.raises(InputError, match="latent dimension"):
        written(tmp_path / "out", k=k)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["[]", '{"schema": 1, "claims": [{"id": "x"}]}', '{"schema": 1, "claims": [3]}', "no"])
def test_a_ledger_that_is_none_is_bad_input(tmp_path, text):
    (tmp_path / "ledger.json").write_text(text)
    with pytest.raises(InputError, match="ledger"):
        written(tmp_path / "out", ledger=tmp_path / "ledger.json")


@pytest.mark.parametrize(
    "spec, k",
    [
        ("eigenvalues:0.5", 1),
        ("eigenvalues:3,0", 1),
        ("eigenvalues:3,2,0,0,0", 4),
        ("eigenvalues:3,3,3,3", 2),
        ("eigenvalues:6,4,2.5,1,0.5", 5),
        ("eigenvalues:3e40,2e39,1e39,1e38,1e37", 3),
        ("eigenvalues:3e-40,2e-40,1e-41", 2),
        ("eigenvalues:3e20,2,1e-20", 2),
    ],
)
def test_spectra_at_the_edge(tmp_path, spec, k):
    page, document = written(tmp_path / "out", spec=spec, k=k)
    assert page.is_file() and document["k"] == k


def test_a_table_that_cannot_be_made_is_explained(pictures, tmp_path):
    page, document = written(tmp_path / "out", spec="eigenvalues:3e40,2e39,1e39", k=2)
    assert [t["objective"] for t in document["stationary"]].count("ppca") == 2
    assert document["notes"] and "Not shown: elbo" in page.read_text(encoding="utf-8")


def test_the_date_can_be_set_from_outside(pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    _, document = written(tmp_path / "out")
    assert document["provenance"]["date"] == "1970-01-01 00:00 UTC"


def test_a_name_that_is_no_text_is_written(pictures, tmp_path):
    page, document = written(tmp_path / "out", name="odd\udcff.npy")
    assert document["name"] == "odd?.npy" and "odd?.npy" in page.read_text(encoding="utf-8")


def test_progress_is_told(pictures, tmp_path):
    told = []
    data = load("eigenvalues:6,4,2.5")
    write_report(data, k=1, name="x", ledger=None, out=tmp_path / "out", progress=told.append)
    assert told[0] == "stability" and told[-1] == "the printed tables"
