"""A folder of results is not replaced by results on something else without a word, and the same command works again."""

import json

import numpy as np
import pytest

from reports.cli import main
from reports.commands import report as command
from reports.terminal.folders import folder_name
from reports.terminal.options import Parser

SPECTRUM = "eigenvalues:6,4,2.5,1.2,0.5"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Two files of one name, in a current folder of their own."""
    monkeypatch.chdir(tmp_path)
    for seed, folder in enumerate(("a", "b")):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "data.npy", np.random.default_rng(seed).normal(size=(30, 3)))
    return tmp_path


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def landscape(*words):
    return main(["landscape", *words, "--grid", "5", "--out", "out", "--quiet"])


def test_the_same_command_works_again(here):
    assert main(["report", "a/data.npy", "--quiet"]) == 0
    assert main(["report", "./a/data.npy", "-k", "2", "--out", "reports/out/data.npy", "--json"]) == 0  # k = 2 it was
    assert landscape("a/data.npy", "-k", "2") == 0
    assert landscape("a/data.npy", "-k", "2", "--backend", "numpy", "--save", "grids.npz") == 0


OTHER = [
    (["b/data.npy", "-k", "2"], "other data"),
    (["a/data.npy", "-k", "1"], "k = 2, not 1"),
    (["a/data.npy", "-k", "2", "--scale", "2"], "other data"),
    (["a/data.npy", "-k", "2", "--sigma2", "1"], "other --sigma2"),
]


@pytest.mark.parametrize(("words", "said"), OTHER)
def test_other_results_are_refused_unless_that_is_asked_for(here, capsys, words, said):
    assert landscape("a/data.npy", "-k", "2") == 0
    before = contents(here / "out")
    capsys.readouterr()
    assert landscape(*words) == 2
    err = capsys.readouterr().err
    assert err.startswith("elbo-verify: out: holds what `elbo-verify landscape a/data.npy -k 2 ") and said in err
    assert "--out" in err and "--overwrite" in err and err.count("\n") == 1
    assert contents(here / "out") == before
    assert landscape(*words, "--overwrite") == 0
    assert contents(here / "out") != before
    assert landscape(*words) == 0  # now these are the ones that lie there


def test_two_files_and_two_k_do_not_meet_by_accident(here, capsys):
    assert main(["report", "a/data.npy", "--quiet"]) == 0
    assert main(["report", "a/data.npy", "-k", "1", "--quiet"]) == 0
    assert {path.name for path in (here / "reports" / "out").iterdir()} == {"data.npy", "data.npy-k1"}
    before = contents(here)
    capsys.readouterr()
    assert main(["report", "b/data.npy", "--quiet"]) == 2
    assert "reports/out/data.npy: holds what `elbo-verify report a/data.npy --quiet` made (other data)" in (
        capsys.readouterr().err
    )
    assert contents(here) == before


def test_a_typed_noise_is_the_same_however_it_is_written(here):
    assert landscape(SPECTRUM, "-k", "2", "--sigma2", "0.10", "1") == 0
    assert landscape(SPECTRUM, "-k", "2", "--sigma2", "0.1", "1.0") == 0
    assert landscape(SPECTRUM, "-k", "2", "--sigma2", "1", "0.1") == 2  # control: in another order


@pytest.mark.parametrize("argv", [["report", SPECTRUM], ["audit"], ["tables", "2"]])
def test_a_page_that_another_command_made_is_kept(here, capsys, argv):
    (here / "out").mkdir()
    (here / "out" / "index.html").write_text("a page of somebody's own")
    assert main([*argv, "--out", "out"]) == 2
    assert f"out: holds an index.html that {argv[0]} did not make" in capsys.readouterr().err
    assert (here / "out" / "index.html").read_text() == "a page of somebody's own"


def test_the_audit_can_be_written_again(here, monkeypatch):
    monkeypatch.setattr("reports.commands.audit.audit_document", lambda *args, **options: AUDIT)
    monkeypatch.setattr("reports.commands.audit.summary", lambda document: [])
    monkeypatch.setattr("reports.commands.audit.write_audit", _written)
    assert main(["audit", "--out", "out"]) == 0
    assert main(["audit", "--out", "out", "--data-dir", "elsewhere", "--quiet"]) == 0
    assert main(["audit", "--out", "out"]) == 0
    assert main(["audit", "--out", "out", "--seed", "4"]) == 2  # control: other subsets of MNIST


AUDIT = {"notes": [], "rows": [], "sentences": [], "assumptions": [], "constants": []}


def _written(document, out):
    out.mkdir(exist_ok=True)
    (out / "audit.json").write_text(json.dumps(document))
    return [out / "audit.json"]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"provenance": {"command": "elbo-verify landscape --nonsense"}}'])
def test_what_cannot_be_known_is_kept(here, capsys, text):
    (here / "out").mkdir()
    (here / "out" / "landscape.json").write_text(text)
    assert landscape(SPECTRUM, "-k", "2") == 2
    assert "what it is of is not known" in capsys.readouterr().err
    assert (here / "out" / "landscape.json").read_text() == text


def parsed(*words):
    parser = Parser(prog="elbo-verify report")
    command.options(parser)
    parser.set_defaults(parser=parser, idle=command.IDLE)
    return parser.parse_args(list(words))


@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        ("digits", ["digits"], "digits"),
        ("wine.csv", ["x/wine.csv", "-k", "5"], "wine.csv-k5"),
        ("wine.csv", ["wine.csv", "--scale", "255", "--json", "--backend", "numpy"], "wine.csv-scale-255"),
        ("eigenvalues:6,4", ["eigenvalues:6,4"], "eigenvalues-6-4"),
        ("../..", [], "data"),
        ("", [], "data"),
        ("../../etc/passwd", [], "etc-passwd"),
        ("<script>alert(1)</script>", [], "script-alert-1-script"),
        ("a b.npy", [], "a-b.npy"),
        ("a/\x00b.", [], "a-b"),
    ],
)
def test_a_folder_is_named_for_what_distinguishes_it(name, words, expected):
    assert folder_name(name, parsed(*words)) == expected


def test_long_names_and_many_options_stay_apart():
    many = ["-k", "5", "--scale", "255.125", "--logit", "1e-6", "--seed"]
    names = [
        folder_name("n" * 200, parsed("-k", "5")),
        folder_name("n" * 201, parsed("-k", "5")),
        folder_name("n" * 80, parsed("-k", "5")),
        folder_name("data.npy", parsed("x", *many, "123456789")),
        folder_name("data.npy", parsed("x", *many, "123456780")),
    ]
    assert len(set(names)) == len(names) and max(map(len, names)) <= 80
    assert names[0].endswith("-k5") and names[3].startswith("data.npy-")
