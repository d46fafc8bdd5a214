"""Every command: its exit code, its JSON against its schema, what it prints for people and what it writes."""

import copy
import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from reports.cli import commands, main, module_of
from reports.device.doctor import HOUSE, PACKAGES
from reports.terminal import console
from reports.terminal.options import Parser
from tests.reports.ledger_page import made_up
from tests.reports.schemas import NAMES, check, validator
from verify.data.mnist import find_training_file
from verify.errors import InputError

SPECTRUM = "eigenvalues:6,4,2.5,1.2,0.5"


@pytest.fixture
def latents(tmp_path):
    rng = np.random.default_rng(0)
    mu = rng.normal(size=(50, 4)) * [2, 1, 0.01, 0]
    np.savez(tmp_path / "latents.npz", mu=mu, logvar=np.zeros((50, 4)))
    return str(tmp_path / "latents.npz")


def document_of(capsys, *argv):
    """What --json prints: one document and nothing else."""
    assert main([*argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


STATIONARY = [
    ["--sigma2", "1"],
    ["--learned-noise"],
    ["--sigma2", "1", "--objective", "elbo"],
    ["--learned-noise", "--objective", "elbo"],
    ["--sigma2", "1", "--top", "3"],
    ["--sigma2", "9"],
    ["--sigma2", "0.3", "--objective", "elbo", "--beta", "3"],
]


@pytest.mark.parametrize("data", [SPECTRUM, "eigenvalues:4,4,1,1,0", "eigenvalues:3", "digits"])
@pytest.mark.parametrize("options", STATIONARY)
def test_stationary_documents_are_valid(data, options, capsys):
    k = "1" if data in ("digits", "eigenvalues:3") else "2"
    document = check("stationary", document_of(capsys, "stationary", data, "-k", k, *options))
    assert document["points"][0]["deficit"] == 0


@pytest.mark.parametrize("options", [[], ["--sigma2", "0.3", "2", "7"], ["--beta", "4"]])
@pytest.mark.parametrize("data", [SPECTRUM, "digits", "eigenvalues:1,0,0"])
def test_stability_documents_are_valid(data, options, capsys):
    document = check("stability", document_of(capsys, "stability", data, *options, "-k", "3"))
    # Without --sigma2 a grid, the usual noise, and the recommended one where there is one.
    usual = 26 + (document["recommended_sigma2"] is not None)
    assert len(document["noise"]) == (3 if "--sigma2" in options else usual)


def test_landscape_writes_its_document_its_figure_and_its_grids(capsys, tmp_path):
    out, save = tmp_path / "new" / "folder", tmp_path / "grids" / "slices.npz"
    argv = ["landscape", SPECTRUM, "-k", "3", "--grid", "7", "--out", str(out), "--save", str(save)]
    document = check("landscape", document_of(capsys, *argv))
    assert {p.name for p in out.iterdir()} == {"landscape.json", "landscape.svg", "landscape.png"}
    assert json.loads((out / "landscape.json").read_text()) == document
    with np.load(save, allow_pickle=False) as grids:
        np.testing.assert_array_equal(grids["values"], [panel["values"] for panel in document["slices"]])
        np.testing.assert_array_equal(grids["directions"], document["directions"])


def test_landscape_takes_noises_and_directions(capsys, tmp_path):
    argv = ["landscape", SPECTRUM, "-k", "3", "--sigma2", "1", "5", "--directions", "2", "3", "--grid", "5"]
    document = document_of(capsys, *argv, "--out", str(tmp_path))
    assert document["directions"] == [2, 3]
    assert [panel["unstable"] for panel in document["slices"]] == [2, 0]


@pytest.mark.parametrize("options", [[], ["--epsilon", "0.1", "1", "--delta", "0"]])
def test_collapse_documents_are_valid(latents, options, capsys):
    document = check("collapse", document_of(capsys, "collapse", latents, *options))
    assert len(document["curve"]) == (2 if options else 51)
    assert document["active_units"] == 2


def test_doctor_document_is_valid_and_names_every_dependency(capsys):
    document = check("doctor", document_of(capsys, "doctor"))
    listed = (HOUSE / "setup.cfg").read_text().split("install_requires =")[1].split("[")[0].split()
    assert {name for name, _, needed in PACKAGES if needed} == {re.split("[<>=]", name)[0] for name in listed}
    assert not [other for other in document["shadowing"] if other["used"]]


def test_doctor_finds_a_package_of_our_name_elsewhere(tmp_path):
    (tmp_path / "verify").mkdir()
    (tmp_path / "verify" / "__init__.py").write_text("")
    run = elbo_verify("doctor", "--json", paths=[HOUSE, tmp_path])
    other = {"package": "verify", "place": str(tmp_path / "verify"), "used": False}
    assert other in json.loads(run.stdout)["shadowing"]


def test_the_doctor_runs_and_the_rest_says_why_not_where_another_verify_comes_first(tmp_path):
    (tmp_path / "verify").mkdir()
    # With modules of its own: an editable installation lends a package the ones it lacks.
    for module in ("__init__", "errors", "checks", "arrays"):
        (tmp_path / "verify" / f"{module}.py").write_text("")
    run = elbo_verify("doctor", "--json", paths=[tmp_path, HOUSE])
    found = json.loads(run.stdout)["shadowing"]
    assert {"package": "verify", "place": str(tmp_path / "verify"), "used": True} in found
    assert run.returncode == 0
    run = elbo_verify("stability", SPECTRUM, "-k", "2", paths=[tmp_path, HOUSE])
    assert run.returncode == 2 and "doctor" in run.stderr and "Traceback" not in run.stderr


def test_report_document_is_valid_and_the_page_is_there(capsys, tmp_path):
    document = check("report", document_of(capsys, "report", SPECTRUM, "--out", str(tmp_path / "page")))
    assert document["k"] == 4 and document["ledger"] is None
    assert (tmp_path / "page" / "index.html").read_text().startswith("<!")
    assert document["provenance"]["command"].startswith(f"elbo-verify report {SPECTRUM}")


def test_report_goes_to_a_folder_named_for_the_data(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["report", "eigenvalues:3"]) == 0
    assert capsys.readouterr().out.startswith("At sigma2 = 1")
    pages = list(tmp_path.rglob("index.html"))
    assert len(pages) == 1 and pages[0].parent == tmp_path / "reports" / "out" / "eigenvalues-3"


def test_prove_prints_a_valid_ledger(capsys, tmp_path):
    ledger = tmp_path / "ledger.json"
    document = check("ledger", document_of(capsys, "prove", "eq-22", "--ledger", str(ledger), "--backend", "numpy"))
    assert [claim["id"] for claim in document["claims"]] == ["eq-16-20", "eq-22"]  # what it rests on, and itself
    assert json.loads(ledger.read_text()) == document


@pytest.mark.parametrize("code", [0, 1])
def test_prove_passes_on_whether_a_claim_is_broken(code, monkeypatch, capsys):
    monkeypatch.setattr("proofs.machinery.run.prove", lambda claims, **options: code)
    assert main(["prove"]) == code


def test_an_interrupted_proof_says_what_is_kept(monkeypatch, capsys, tmp_path):
    def interrupted(claims, *, ledger, **options):
        ledger.write_text("{}")
        return 130

    monkeypatch.setattr("proofs.machinery.run.prove", interrupted)
    assert main(["prove", "--ledger", str(tmp_path / "ledger.json")]) == 130
    assert f"kept {tmp_path / 'ledger.json'}" in capsys.readouterr().err


def test_an_interruption_leaves_nothing_behind(monkeypatch, capsys, tmp_path):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("reports.panels.slices.landscape", stop)
    assert main(["landscape", SPECTRUM, "-k", "2", "--grid", "3", "--out", str(tmp_path / "out")]) == 130
    assert "interrupted; nothing was written" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", STATIONARY)
def test_stationary_reads_well_in_a_pipe(options, capsys):
    assert main(["stationary", SPECTRUM, "-k", "2", *options]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(("At sigma2 = ", "With learned noise "))
    assert "global maximum" in out.splitlines()[0] + out.splitlines()[1]
    assert max(map(len, out.splitlines())) <= 100
    assert "\x1b" not in out + err and all(line == line.rstrip() for line in out.splitlines())


def test_people_get_a_verdict_first(capsys, latents, tmp_path):
    for argv, first in (
        (
            ["stability", SPECTRUM, "-k", "2"],
            "Every noise below lam_2 = 4 keeps both latents; above it some collapse. Start at",
        ),
        (
            ["stability", "eigenvalues:1,0,0", "-k", "2"],
            "No noise keeps both, because the data vary in only 1 of 3 directions",
        ),
        (["landscape", SPECTRUM, "-k", "2", "--grid", "5", "--out", str(tmp_path)], "Two zero columns moved"),
        (["collapse", latents], "2 of 4 latents have collapsed over 50 data"),
    ):
        assert main(argv) == 0
        assert capsys.readouterr().out.startswith(first)


def test_what_should_be_known_of_the_data_is_said_on_standard_error(capsys):
    assert main(["stability", "eigenvalues:1,2", "-k", "1"]) == 0
    assert "have been sorted" in capsys.readouterr().err
    assert main(["stability", "eigenvalues:1,2", "-k", "1", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert not err and out


def test_saved_points_agree_with_the_document(capsys, tmp_path):
    argv = ["stationary", "digits", "-k", "2", "--learned-noise", "--objective", "elbo", "--top", "5"]
    document = document_of(capsys, *argv, "--save", str(tmp_path / "points.npz"))
    with np.load(tmp_path / "points.npz", allow_pickle=False) as points:
        assert {name: points[name].shape for name in points.files} == {
            "W": (5, 64, 2),
            "V": (5, 2, 64),
            "D": (5, 2),
            "sigma2": (5,),
            "beta": (),
            "eigenvectors": (64, 64),
        }
        np.testing.assert_array_equal(points["sigma2"], [p["sigma2"] for p in document["points"]])


def test_the_same_command_prints_the_same_bits(capsys):
    argv = ["stationary", "digits", "-k", "3", "--sigma2", "20", "--objective", "elbo"]
    assert document_of(capsys, *argv) == document_of(capsys, *argv)


@pytest.mark.parametrize("options", [["--sigma2", "0.1"], ["--learned-noise"]])
@pytest.mark.parametrize("objective", ["ppca", "elbo"])
def test_mnist_with_fifty_latents(objective, options, capsys):
    try:
        find_training_file()
    except InputError:
        pytest.skip("the MNIST training images are not on this machine")
    argv = ["stationary", "mnist:1000", "--scale", "255", "-k", "50", *options, "--top", "20"]
    document = check("stationary", document_of(capsys, *argv, "--objective", objective))
    assert len(document["points"]) == 20 and document["truncated"]
    assert document["points"][0]["retained"] == list(range(1, 51))
    assert [p["global"] for p in document["points"]].count(True) == 1


@pytest.mark.parametrize("name", NAMES)
def test_schemas_refuse_an_empty_document_and_an_unknown_version(name):
    assert not validator(name).is_valid({})
    assert not validator(name).is_valid({"schema": 2})


def spoiled(document, *path_and_value):
    *path, last, value = path_and_value
    document = copy.deepcopy(document)
    place = document
    for step in path:
        place = place[step]
    place[last] = value
    return document


def test_schemas_refuse_documents_that_contradict_themselves(capsys):
    stationary = document_of(capsys, "stationary", SPECTRUM, "-k", "2", "--sigma2", "1", "--objective", "elbo")
    stability = document_of(capsys, "stability", SPECTRUM, "-k", "2")
    rotation = next(i for i, p in enumerate(stationary["points"]) if p["escape"] and "theta_curvature" in p["escape"])
    for name, document, path in (
        ("stationary", stationary, ("points", 0, "retained", [0])),
        ("stationary", stationary, ("points", 0, "kind", "saddle")),
        ("stationary", stationary, ("points", 1, "global", True)),
        ("stationary", stationary, ("points", 0, "deficit", -1e-9)),
        ("stationary", stationary, ("points", rotation, "escape", "direction", "type", "dense")),
        ("stationary", stationary, ("count", None)),
        ("stationary", stationary, ("objective", "ppca")),
        ("stationary", stationary, ("surprise", 1)),
        ("stability", stability, ("noise", 0, "certified", True)),
        ("stability", stability, ("sigma2_mle", 0)),
        ("stability", stability, ("thresholds", 0, "eigenvalue", "6")),
    ):
        assert validator(name).is_valid(document)
        assert not validator(name).is_valid(spoiled(document, *path))


@pytest.mark.parametrize("data", [SPECTRUM, "iris"])
def test_certified_documents_are_as_their_schemas_have_them(capsys, data):
    stability = check("stability", document_of(capsys, "stability", data, "-k", "2", "--sigma2", "1", "--certify"))
    asked = ["-k", "2", "--sigma2", "1", "--objective", "elbo", "--certify"]
    stationary = check("stationary", document_of(capsys, "stationary", data, *asked))
    assert stability["subject"] == stationary["subject"]
    for name, document, path, value in (
        ("stability", stability, ("noise", 0, "why"), "no reason"),
        ("stability", stability, ("noise", 0, "certified"), "not requested"),
        ("stability", stability, ("noise", 0, "certified"), "undecided"),
        ("stability", stability, ("noise", 0, "value_radius"), -1),
        ("stability", stability, ("subject",), "abc"),
        ("stationary", stationary, ("points", 0, "certified", "status"), "undecided"),
        ("stationary", stationary, ("points", 0, "certified", "why"), "no reason"),
        ("stationary", stationary, ("points", 0, "certified"), True),
    ):
        assert not validator(name).is_valid(spoiled(document, *path, value))


def test_progress_shows_on_a_terminal_only(monkeypatch, capsys):
    argv = ["stationary", SPECTRUM, "-k", "2", "--sigma2", "1", "--json"]
    monkeypatch.setattr(console, "PATIENCE", -1.0)
    assert main(argv) == 0
    plain = capsys.readouterr()
    assert "classifying" not in plain.err
    on_terminal = functools.partial(Console, force_terminal=True, width=80)
    monkeypatch.setattr(console, "Console", on_terminal)
    assert main(argv) == 0
    shown = capsys.readouterr()
    assert "classifying" in shown.err and shown.out == plain.out
    assert main([*argv, "--quiet"]) == 0
    assert "classifying" not in capsys.readouterr().err


def elbo_verify(*argv, paths=(HOUSE,), stdout=subprocess.PIPE, **options):
    """The command in a process of its own, found by PYTHONPATH alone."""
    code = "import sys; from reports.cli import main; sys.exit(main())"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    command = [sys.executable, "-P", "-c", code, *argv]
    return subprocess.run(command, env=environment, stdout=stdout, stderr=subprocess.PIPE, text=True, **options)


def test_the_module_runs_without_installing(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(HOUSE)}
    command = [sys.executable, "-m", "reports", "stability", SPECTRUM, "-k", "2", "--json"]
    run = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0 and json.loads(run.stdout)["k"] == 2


def test_a_reader_that_leaves_early_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:
        run = elbo_verify("stability", "digits", "-k", "2", "--json", stdout=stdout)
    assert run.returncode == 0 and "Traceback" not in run.stderr and "Broken" not in run.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_line():
    with open("/dev/full", "w") as stdout:
        run = elbo_verify("stability", SPECTRUM, "-k", "2", "--json", stdout=stdout)
    assert run.returncode == 2
    assert run.stderr.startswith("elbo-verify: ") and run.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["stationary", "stability", "landscape", "collapse"])
def test_slow_packages_are_left_alone_where_they_are_not_needed(command):
    slow = ("sympy", "matplotlib", "sklearn", "pytest")
    code = f"import sys, reports.commands.{command}; print([m for m in {slow} if m in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": str(HOUSE)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_overview_fits_the_terminal_and_names_every_command_once(monkeypatch, capsys, width):
    monkeypatch.setenv("COLUMNS", str(width))
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) < max(width, 80) for line in lines)
    starts = [line.split()[0] for line in lines if line[:2] == "  " and line[2:3].isalpha()]
    assert sorted(starts) == sorted([*commands(), "elbo-verify", "elbo-verify"])


@pytest.mark.parametrize("command", ["elbo-verify", "python -m reports"])
def test_the_version_is_told(command, tmp_path):
    import verify

    if command == "elbo-verify":
        run = elbo_verify("--version")
    else:
        environment = {**os.environ, "PYTHONPATH": str(HOUSE)}
        words = [sys.executable, "-m", "reports", "--version"]
        run = subprocess.run(words, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, f"elbo-verify {verify.__version__}\n", "")


def test_what_changes_nothing_is_accepted_and_said_and_not_in_the_help(latents, capsys):
    argv = ["collapse", latents, "--json"]
    assert main(argv) == 0
    plain = capsys.readouterr()
    assert main([*argv, "--seed", "3", "--backend=numpy"]) == 0
    idle = capsys.readouterr()
    assert idle.out == plain.out
    assert idle.err == f"{plain.err}note: --seed and --backend changed nothing: collapse does the same without\n"
    assert main([*argv, "--seed", "3", "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["stationary", SPECTRUM, "-k", "2", "--sigma2", "1", "--seed", "3"]) == 0
    assert "changed nothing" not in capsys.readouterr().err  # control: with other data it draws rows
    for command, shown in (("collapse", False), ("stability", False), ("stationary", True)):
        assert main([command, "--help"]) == 0
        assert ("--backend" in capsys.readouterr().out) == shown


def test_every_command_takes_what_all_take(capsys):
    for name in commands():
        taken = {option for action in parser_of(name)._actions for option in action.option_strings}
        assert {"--json", "--quiet", "--seed", "--backend"} <= taken
        assert ("--certify" in taken) == (name in ("stability", "stationary", "report", "diagnose"))


def parser_of(name):
    made = Parser(prog=name)
    module_of(name).options(made)
    return made


def test_every_option_says_what_it_is_for():
    for name in commands():
        for action in parser_of(name)._actions:
            assert action.help and len(action.help.split()) > 1, (name, action.dest)


def test_claims_are_listed_without_running_them(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("proofs.machinery.run._run", None)
    document = check("claims", document_of(capsys, "prove", "--list"))
    assert {claim["verdict"] for claim in document["claims"]} == {None} and len(document["claims"]) > 30
    statement = {"id": "eq-13", "source": "Eq. 13, App. A.1", "statement": "moving column i along an eigenvector u_j"}
    said = next(claim for claim in document["claims"] if claim["id"] == "eq-13")
    assert all(said[name].startswith(words) for name, words in statement.items())
    assert {"quote", "trusts", "steps"} <= said.keys()
    ledger = made_up.ledger([made_up.entry("eq-13")], environment={})
    (tmp_path / "ledger.json").write_text(json.dumps(ledger))
    assert main(["prove", "--list", "eq-13", "--ledger", str(tmp_path / "ledger.json")]) == 0
    out = capsys.readouterr().out
    assert "(Eq. 13, App. A.1): holds, proved" in out and "eq-14" not in out
    assert json.loads((tmp_path / "ledger.json").read_text()) == ledger
    assert "not in this ledger" not in out and "not verdicts" not in out
    assert main(["prove", "--list", "eq-13", "eq-14", "--ledger", str(tmp_path / "ledger.json")]) == 0
    out = capsys.readouterr().out
    assert out.count("not in this ledger") == 1 and out.rstrip().endswith("says which hold")


def test_options_that_mean_nothing_to_a_list_are_said_to(capsys):
    assert main(["prove", "--list", "eq-13", "--thorough", "--backend", "numpy"]) == 0
    assert "note: --thorough and --backend changed nothing: --list runs nothing" in capsys.readouterr().err
    assert main(["prove", "--list", "eq-13"]) == 0
    assert capsys.readouterr().err == ""  # control


def test_how_the_data_were_read_is_in_every_document(capsys, tmp_path):
    commands = {
        "stability": [],
        "stationary": ["--sigma2", "1"],
        "landscape": ["--sigma2", "1", "--grid", "5", "--out", str(tmp_path / "l")],
        "report": ["--out", str(tmp_path / "r")],
    }
    for command, more in commands.items():
        document = check(command, document_of(capsys, command, "iris", "-k", "2", *more))
        assert "150 rows x 4 columns" in document.pop("read")
        assert not validator(command).is_valid(document)  # control: it is required


def test_the_default_table_has_the_usual_and_the_recommended_noise(capsys):
    for more in ([], ["--beta", "3"]):
        document = document_of(capsys, "stability", "wine", "-k", "3", *more)
        noises = [row["sigma2"] for row in document["noise"]]
        recommended = document["recommended_sigma2"]
        near = [s for s in noises if abs(s - recommended) < 1e-5 * recommended]
        assert 1.0 in noises and len(near) == 1 and noises == sorted(noises)
        assert main(["stability", "wine", "-k", "3", *more]) == 0
        assert f"\n{near[0]:g}".replace("\n", "") in capsys.readouterr().out  # as it is recommended in words


def test_every_command_says_what_it_does_and_can_be_run():
    found = commands()
    assert {"doctor", "report", "device-check"} <= found.keys()
    for name, about in found.items():
        module = module_of(name)
        assert about and module.__doc__.startswith(f"The command `{name}`: ")
        assert callable(module.options) and callable(module.run)


def test_a_command_is_one_file(tmp_path, monkeypatch, capsys):
    package = tmp_path / "commands"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "say_it.py").write_text(
        '"""The command `say-it`: what is given to it."""\n\n'
        "def options(parser):\n    parser.add_argument('word')\n    parser.set_defaults(json=False, quiet=False)\n\n"
        "def run(args, session):\n    session.say(args.word)\n    return 0\n"
    )
    monkeypatch.setattr("reports.cli.COMMANDS", package)
    monkeypatch.setattr("reports.commands.__path__", [str(package)])
    assert main(["say-it", "yes"]) == 0
    assert capsys.readouterr().out == "yes\n"
    assert main(["--help"]) == 0
    assert "say-it  " in (said := capsys.readouterr().out) and "what is given to it" in said
    assert main(["report"]) == 2  # control: it knows no other
