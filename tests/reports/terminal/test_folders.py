"""A folder of results is not replaced by results on something else without a word, and the same command works again."""

import json
from pathlib import Path

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
    monkeypatch.setattr("reports.commands.audit.summary", lambda document, width: [])
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


UNKNOWN = "what it is of is not known"
FOREIGN = "holds a landscape.json that landscape did not make"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", FOREIGN),
        ("[]", FOREIGN),
        ("{}", FOREIGN),
        ('{"provenance": {"command": 3}}', FOREIGN),
        ('{"provenance": {"command": "elbo-verify landscape --nonsense"}}', UNKNOWN),
        ('{"provenance": {"command": "elbo-verify landscape -h"}}', UNKNOWN),
        ('{"provenance": {"command": "elbo-verify landscape x --help"}}', UNKNOWN),
        ('{"provenance": {"command": "elbo-verify"}}', UNKNOWN),
    ],
)
def test_what_cannot_be_known_is_kept(here, capsys, text, said):
    (here / "out").mkdir()
    (here / "out" / "landscape.json").write_text(text)
    assert landscape(SPECTRUM, "-k", "2") == 2
    out, err = capsys.readouterr()
    assert said in err and not out
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
        (
            "wine.csv",
            ["x", "--scale", "2", "--sigma2", "0.5", "--beta", "2", "-k", "5"],
            "wine.csv-k5-beta-2-sigma2-0.5-scale-2",
        ),
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


def test_what_is_cut_off_a_long_name_is_not_k_beta_or_the_noise():
    name = folder_name(
        "cellar.csv", parsed("x", "--drop", "target", "--missing", "drop", "--standardize", "-k", "5", "--beta", "2")
    )
    assert name.startswith("cellar.csv-k5-beta-2-") and len(name) <= 80


TRAIN = ["--arch", "linear", "-k", "1", "--sigma2", "1", "--epochs", "1"]


def table(path):
    path.parent.mkdir(exist_ok=True)
    np.savetxt(path, np.random.default_rng(0).normal(size=(30, 3)), delimiter=",", header="a,b,c", comments="")


DATA_LOST = [
    ("tf/train.csv", table, ["train", "tf/train.csv", *TRAIN, "--out", "tf"]),
    ("tf/train.csv", table, ["train", "./tf/../tf/train.csv", *TRAIN, "--out", "tf/"]),
    ("tf/courses.csv", table, ["train", "tf/courses.csv", *TRAIN, "--out", "tf"]),
    ("train.npz", None, ["train", "train.npz", *TRAIN, "--out", "."]),
    ("train.npz", None, ["train", "train.npz:x", *TRAIN, "--out", "."]),
    ("report.npz", None, ["report", "report.npz", "--out", "."]),
    ("report.npz", None, ["report", "report.npz", "--out", ".", "--overwrite"]),
    ("tables.csv", table, ["tables", "1", "--data", "tables.csv", "--out", "."]),
    ("tables.csv", table, ["tables", "1", "--data", "tables.csv", "--out", ".", "--overwrite"]),
]


@pytest.mark.parametrize(("name", "make", "argv"), DATA_LOST)
def test_data_are_never_written_over(here, capsys, name, make, argv):
    (make or (lambda path: np.savez(path, x=np.random.default_rng(0).normal(size=(30, 3)))))(here / name)
    before = contents(here)
    assert main([*argv, "--quiet"]) == 2
    err = capsys.readouterr().err
    assert f"{name}: is read here, and {argv[0]} would write over it; name another --out" in err
    assert contents(here) == before


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_data_under_another_name_are_known(here, capsys, link):
    table(here / "data.csv")
    (here / "tf").mkdir()
    getattr(here / "tf" / "train.csv", link)(here / "data.csv")
    before = contents(here)
    assert main(["train", "data.csv", *TRAIN, "--out", "tf", "--quiet"]) == 2
    assert "would write over it" in capsys.readouterr().err and contents(here) == before


def test_a_ledger_that_is_shown_is_not_written_over(here, capsys):
    (here / "out").mkdir()
    (here / "out" / "report.json").write_text(LEDGER)
    assert main(["report", SPECTRUM, "--ledger", "out/report.json", "--out", "out", "--overwrite"]) == 2
    assert "out/report.json: is read here" in capsys.readouterr().err


LEDGER = json.dumps({"schema": 1, "claims": [], "environment": {}})


@pytest.mark.parametrize("name", ["landscape.json", "landscape.png", "../out/landscape.svg"])
def test_grids_do_not_take_the_place_of_another_result(here, capsys, name):
    assert landscape(SPECTRUM, "-k", "2", "--save", f"out/{name}") == 2
    assert "landscape writes another file of that name" in capsys.readouterr().err
    assert not (here / "out").exists()
    assert landscape(SPECTRUM, "-k", "2", "--save", "out/grids.npz") == 0


@pytest.mark.parametrize("name", ["train.json", "models-1-1.safetensors"])
def test_latents_do_not_take_the_place_of_another_result(here, capsys, name):
    argv = ["train", "a/data.npy", *TRAIN, "--out", "out", "--save-latents", f"out/{name}"]
    assert main(argv) == 2
    assert "train writes another file of that name" in capsys.readouterr().err


OWN = [
    ("landscape.png", ["landscape", SPECTRUM, "-k", "2"], "a landscape.png"),
    ("report.npz", ["report", SPECTRUM], "a report.npz"),
    ("audit.html", ["report", SPECTRUM], "an audit.html"),
    ("figures/scree.svg", ["report", SPECTRUM], "a figures/scree.svg"),
    ("tables-1.png", ["tables", "2"], "a tables-1.png"),
    ("train.csv", ["train", "a/data.npy", *TRAIN], "a train.csv"),
]


@pytest.mark.parametrize(("name", "argv", "said"), OWN)
def test_files_of_somebodys_own_are_kept(here, capsys, name, argv, said):
    (here / "out" / name).parent.mkdir(parents=True)
    (here / "out" / name).write_text("somebody's own")
    assert main([*argv, "--out", "out", "--quiet"]) == 2
    err = capsys.readouterr().err
    assert f"out: holds {said} that {argv[0]} did not make" in err
    assert ("--overwrite" in err) == (argv[0] != "train")  # which has no such option
    assert (here / "out" / name).read_text() == "somebody's own"


def test_other_files_in_the_folder_are_no_obstacle(here):
    (here / "out").mkdir()
    (here / "out" / "notes.txt").write_text("somebody's own")
    assert landscape(SPECTRUM, "-k", "2") == 0
    assert (here / "out" / "notes.txt").read_text() == "somebody's own"


def test_every_file_that_is_written_is_one_that_was_looked_for(here):
    from reports.commands.landscape import FILES as SLICES
    from reports.stability_page.write import FILES as PAGE
    from reports.training.write import ALWAYS, CHECKPOINTS
    from reports.training.write import FILES as TRAINING

    assert main(["report", "a/data.npy", "--out", "out", "--quiet"]) == 0
    assert written("out") <= {*PAGE} and "figures/slice-1.png" in written("out")
    assert main(["landscape", "a/data.npy", "-k", "2", "--grid", "5", "--out", "out-2", "--quiet"]) == 0
    assert written("out-2") == {*SLICES}
    assert main(["train", "a/data.npy", *TRAIN, "--out", "out-3", "--quiet"]) == 0
    rest = written("out-3") - {*TRAINING, ".lock"}
    assert written("out-3") >= {*ALWAYS, "train-latents.svg"}
    assert rest and all(Path(name).match(CHECKPOINTS[0]) for name in rest)


def written(folder):
    return {str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file()}


def test_more_epochs_continue_in_the_same_folder(here):
    argv = ["train", "a/data.npy", *TRAIN[:-2], "--out", "out", "--quiet"]
    assert main([*argv, "--epochs", "1"]) == 0
    assert main([*argv, "--epochs", "2"]) == 0
    for path in (here / "out").glob("models-*"):
        path.unlink()
    assert main([*argv, "--epochs", "3"]) == 0  # anew, and of the same models
    for path in (here / "out").glob("models-*"):
        path.unlink()
    assert main([*argv, "--epochs", "3", "--sigma2", "2"]) == 2  # control: other ones


def test_proofs_are_not_lost_from_a_page_without_a_word(here, capsys):
    (here / "ledger.json").write_text(LEDGER)
    argv = ["report", "a/data.npy", "--quiet"]
    assert main(argv) == 0
    assert main([*argv, "--ledger", "ledger.json"]) == 0  # they are added
    assert main([*argv, "--ledger", "ledger.json"]) == 0
    before = contents(here)
    capsys.readouterr()
    assert main(argv) == 2
    assert "the proofs on its page would be lost: name them with --ledger" in capsys.readouterr().err
    assert contents(here) == before
    assert main([*argv, "--overwrite"]) == 0


def test_pictures_of_the_report_before_do_not_stay(here):
    argv = ["report", "a/data.npy", "--out", "out", "--quiet"]
    assert main(argv) == 0
    (here / "out" / "figures" / "own.png").write_text("somebody's own")
    assert "figures/figure2.png" in written("out")
    assert main([*argv, "--beta", "2", "--overwrite"]) == 0
    assert not [name for name in written("out") if "figure2" in name]  # of the likelihood, which has no beta
    assert "figures/own.png" in written("out")
