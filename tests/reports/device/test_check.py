"""The acceptance run over CuPy's stand-in, whole: what it finds, what it writes, and how it ends."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from gpu import kernels
from gpu.device import Device
from gpu.throughput import WORKLOADS
from proofs.machinery.claims import Claim
from proofs.machinery.judging import Evidence
from proofs.machinery.ledger import ledger as a_ledger
from proofs.machinery.ledger import write
from reports.cli import main
from reports.device import check as acceptance
from reports.device import peers, vae_peers
from reports.device.check import Finding, Run, commit, evidence_name, perform, sound
from reports.device.doctor import HOUSE
from tests.emulator import device
from tests.gpu.test_device import without_cupy
from tests.reports.schemas import check, validator
from verify.errors import InputError

NAME = "device-check-emulator.json"
IN_SUBPROCESSES = HOUSE / "tests" / "emulator" / "as_cupy"


@pytest.fixture
def cupy(monkeypatch):
    """The stand-in, here and in the processes that are started; the smallest of everything."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(IN_SUBPROCESSES), str(HOUSE)]))
    monkeypatch.setattr(acceptance, "SCALE", 2e-4)
    monkeypatch.setattr(acceptance, "CLAIMS", ("eq-22",))
    return device.install(monkeypatch)


def test_the_whole_run_is_sound_and_its_document_valid(cupy, tmp_path, capsys):
    assert main(["device-check", "--out", str(tmp_path / "new" / "folder"), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    document = check("device-check", json.loads((tmp_path / "new" / "folder" / NAME).read_text()))
    assert printed == document
    assert document["complete"] and document["scale"] == 2e-4 and document["notes"] == []
    assert document["device"]["name"] == "Emulator"
    outcomes = {stage["name"]: stage["outcome"] for stage in document["stages"]}
    assert outcomes == {"comparisons": "passed", "throughput": "passed", "training": "passed", "proofs": "passed"}
    trained = document["stages"][2]["result"]
    assert 0 <= trained["nats_from_optimum"] < 0.02 < trained["control_nats"]
    assert [speed["precision"] for speed in trained["speeds"]] == ["float32", "tf32", "bf16"]
    claims = {claim["id"]: claim for claim in document["stages"][-1]["result"]["claims"]}
    claim = claims["eq-22"]  # and what it rests on
    assert {claim["verdict"] for claim in claims.values()} == {"holds"}
    assert claim["on_device"]["evidence"] > 0 and claim["on_device"]["worst_error"] < 1e-12


def test_a_flipped_kernel_ends_the_run_with_1(cupy, tmp_path, monkeypatch, capsys):
    source = kernels.source
    wrong = source("gradients").replace("0.5 * error / (s * s)", "-0.5 * error / (s * s)")
    assert wrong != source("gradients")
    monkeypatch.setattr(kernels, "source", lambda name: wrong if name == "gradients" else source(name))
    assert main(["device-check", "--out", str(tmp_path)]) == 1
    document = check("device-check", json.loads((tmp_path / NAME).read_text()))
    assert document["complete"] and document["stages"][0]["outcome"] == "disagrees"
    assert document["stages"][0]["reason"].endswith(": gradients")
    [note] = document["notes"]
    assert note == f"comparisons disagrees: {document['stages'][0]['reason']}"
    out, err = capsys.readouterr()
    assert "gradients    DIFFERS" in out and f"wrote {tmp_path / NAME}" in err


def test_a_broken_claim_ends_the_run_with_1(cupy, tmp_path, monkeypatch):
    only(monkeypatch, proofs=acceptance.proofs)
    claim = Claim("x", "Eq. 1", "1 = 2")
    claim.step("whole", "all of it")
    failed = Evidence("test_x", "supports", "numeric", "tested", "failed", step="whole")

    def broken(claims, *, ledger, **options):
        write(a_ledger([(claim, [failed])], environment={}), ledger)
        return 1

    monkeypatch.setattr("proofs.machinery.run.prove", broken)
    assert main(["device-check", "--out", str(tmp_path)]) == 1
    [stage] = check("device-check", json.loads((tmp_path / NAME).read_text()))["stages"]
    assert (stage["outcome"], stage["reason"]) == ("disagrees", "broken: x")


def test_proofs_that_run_out_of_time_are_partial_and_no_failure(cupy, tmp_path, monkeypatch):
    only(monkeypatch, proofs=acceptance.proofs)
    given = {}

    def stopped(claims, *, ledger, **options):
        given.update(options)
        ledger.write_text(json.dumps({"schema": 1, "complete": False, "errors": [], "claims": []}))
        return 124

    monkeypatch.setattr("proofs.machinery.run.prove", stopped)
    assert main(["device-check", "--out", str(tmp_path)]) == 0
    document = check("device-check", json.loads((tmp_path / NAME).read_text()))
    [stage] = document["stages"]
    assert stage["outcome"] == "partial" and "with 0 claims" in stage["reason"]
    assert document["notes"] == [f"proofs did not come to its end: {stage['reason']}"]
    assert given["backend"] == "cupy" and given["on_device"]
    assert acceptance.WHOLE - 30 < given["seconds"] <= acceptance.WHOLE


@pytest.mark.parametrize(("memory", "outcome", "code"), [(True, "partial", 0), (False, "disagrees", 1)])
def test_a_workload_without_a_figure_is_told_and_is_wrong_unless_it_lacked_memory(
    cupy, tmp_path, monkeypatch, memory, outcome, code
):
    only(monkeypatch, throughput=acceptance.throughput)

    def lacking(xp, rng, scale):
        raise MemoryError("9 bytes") if memory else RuntimeError("9 bytes")
        yield

    monkeypatch.setitem(WORKLOADS, "gradients", lacking)
    assert main(["device-check", "--out", str(tmp_path)]) == code
    document = check("device-check", json.loads((tmp_path / NAME).read_text()))
    [stage] = document["stages"]
    assert (stage["outcome"], stage["reason"]) == (outcome, "gradients: 9 bytes")
    assert len(stage["result"]["missed"]) == 1 and len(stage["result"]["figures"]) > 10


def only(monkeypatch, **stages):
    monkeypatch.setattr(acceptance, "STAGES", stages)


def fine(run):
    return Finding("passed", {"any": "thing"})


def test_a_stage_that_breaks_is_a_finding_and_the_others_run(cupy, tmp_path, monkeypatch, capsys):
    def breaks(run):
        raise RuntimeError("CUDA_ERROR_ILLEGAL_ADDRESS\nand a long story")

    only(monkeypatch, first=breaks, second=fine)
    assert main(["device-check", "--out", str(tmp_path)]) == 1
    document = check("device-check", json.loads((tmp_path / NAME).read_text()))
    first, second = document["stages"]
    assert document["notes"] == ["first broke: CUDA_ERROR_ILLEGAL_ADDRESS"]
    assert (first["outcome"], first["reason"], first["result"]) == ("failed", "CUDA_ERROR_ILLEGAL_ADDRESS", None)
    assert second["outcome"] == "passed"
    assert "in breaks\n" in capsys.readouterr().err  # where it broke


def test_an_interruption_keeps_what_is_there_and_says_so(cupy, tmp_path, monkeypatch, capsys):
    def interrupted(run):
        raise KeyboardInterrupt

    only(monkeypatch, first=fine, second=interrupted)
    assert main(["device-check", "--out", str(tmp_path)]) == 130
    document = check("device-check", json.loads((tmp_path / NAME).read_text()))
    assert not document["complete"] and [s["name"] for s in document["stages"]] == ["first"]
    assert document["notes"] == []
    assert f"interrupted; kept {tmp_path / NAME}" in capsys.readouterr().err


def test_the_notes_are_kept_with_each_stage(cupy, monkeypatch):
    only(monkeypatch, first=fine, second=lambda run: Finding("disagrees", 1, "it is wrong"), third=fine)
    kept = []
    perform(Run(cupy, None, lambda line: None), lambda document: kept.append(list(document["notes"])))
    assert kept == [[]] + 3 * [["second disagrees: it is wrong"]]


def test_nothing_is_sound_where_nothing_ran():
    assert not sound({"stages": []})
    for outcome, expected in {"passed": True, "partial": True, "disagrees": False, "failed": False}.items():
        assert sound({"stages": [{"outcome": "passed"}, {"outcome": outcome}]}) is expected


def test_without_a_device_it_is_bad_input_and_nothing_is_written(monkeypatch, tmp_path, capsys):
    without_cupy(monkeypatch, ModuleNotFoundError("No module named 'cupy'"))
    assert main(["device-check", "--out", str(tmp_path / "new")]) == 2
    err = capsys.readouterr().err
    assert "CuPy cannot be imported" in err and err.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_written_is_said_before_anything_runs(cupy, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["device-check", "--out", str(tmp_path / "file")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_the_file_is_named_for_the_device():
    assert evidence_name(Device(True, "NVIDIA H200 (80 GB)/x")) == "device-check-nvidia-h200-80-gb-x.json"
    with pytest.raises(InputError, match="no driver"):
        evidence_name(Device(False, reason="no driver"))


def test_the_commit_is_that_of_the_house_alone(tmp_path):
    assert commit(tmp_path) is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@x"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    clean = commit(tmp_path)
    assert len(clean["hash"]) == 40 and not clean["changed"]
    (tmp_path / "new").touch()
    assert commit(tmp_path) == clean | {"changed": True}
    (tmp_path / "inside").mkdir()
    assert commit(tmp_path / "inside") is None  # installed inside of somebody's clone


class Here:
    """A peer on the host: NumPy's eigenvalues, and Hessians of L by the models."""

    def __init__(self, slip=1.0):
        self.slip = slip

    def __call__(self):
        from verify.models import ppca

        return peers.Peer(
            "1.0", np.array, np.asarray, lambda: None, np.linalg.eigvalsh, lambda *p: self.slip * ppca.hessian(*p)
        )


def absent():
    raise peers.Absent("it is not there")


def test_peers_are_compared_before_they_are_timed(cupy, tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "PEERS", {"numpy": Here(), "nobody": absent})
    monkeypatch.setattr(vae_peers, "measure", lambda xp, scale: [])  # they have tests of their own
    only(monkeypatch, peers=acceptance.peers)
    assert main(["device-check", "--peers", "--out", str(tmp_path)]) == 0
    document = check("device-check", json.loads((tmp_path / NAME).read_text()))
    [stage] = document["stages"]
    assert document["notes"] == ["peers: nobody: it is not there"]
    *rows, missing = stage["result"]
    assert len(rows) == 4 and all(row["agrees"] and row["peer_seconds"] > 0 and row["seconds"] > 0 for row in rows)
    assert (missing["peer"], missing["reason"], missing["agrees"]) == ("nobody", "it is not there", None)


def test_a_peer_that_answers_otherwise_is_not_timed_and_ends_the_run_with_1(cupy, tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "PEERS", {"numpy": Here(slip=1 + 1e-6)})
    monkeypatch.setattr(vae_peers, "measure", lambda xp, scale: [])  # they have tests of their own
    only(monkeypatch, peers=acceptance.peers)
    assert main(["device-check", "--peers", "--out", str(tmp_path)]) == 1
    [stage] = check("device-check", json.loads((tmp_path / NAME).read_text()))["stages"]
    last = stage["result"][-1]
    assert last["agrees"] is False and last["peer_seconds"] is None
    assert stage["reason"] == "answers differ: numpy (Hessians of L, n = 16, k = 4)"


def test_a_peer_that_breaks_says_nothing_of_us(cupy, monkeypatch):
    def breaks(a):
        raise RuntimeError("cusolver error")

    monkeypatch.setattr(peers, "PEERS", {"numpy": lambda: Here()()._replace(eigenvalues=breaks)})
    rows = peers.measure(cupy, 2e-4)
    assert [row["agrees"] for row in rows] == [None, None, None, True]
    assert rows[0]["reason"] == "cusolver error"


@pytest.mark.parametrize("name", peers.PEERS)
def test_a_peer_that_is_not_installed_is_absent(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(peers.Absent, match=f"{name} cannot be imported"):
        peers.PEERS[name]()


def test_peers_run_only_where_they_are_asked_for(cupy, monkeypatch):
    only(monkeypatch, peers=lambda run: Finding("passed", []), other=fine)
    for asked, expected in ((False, ["other"]), (True, ["peers", "other"])):
        document = perform(Run(cupy, None, lambda line: None, asked), lambda document: None)
        assert [s["name"] for s in document["stages"]] == expected


NOT_THERE = ("flint", "dask", "pooch", "matplotlib", "sklearn", "jinja2", "jsonschema", "torch", "jax", "safetensors")


def test_a_plain_cuda_image_is_enough(cupy, tmp_path):
    """Where nothing else can be imported, here or by the proofs; lemma-1 would like to see the digits too."""
    blocked = tmp_path / "blocked"
    for name in NOT_THERE:
        blocked.mkdir(exist_ok=True)
        (blocked / f"{name}.py").write_text(
            "raise ModuleNotFoundError(f'No module named {__name__!r}', name=__name__)\n"
        )
    code = (
        "import sys; from reports.device import check as c; c.SCALE = 2e-4; c.CLAIMS = ('eq-22', 'lemma-1');"
        "from reports.cli import main; sys.exit(main())"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(blocked), str(IN_SUBPROCESSES), str(HOUSE)])}
    command = [sys.executable, "-P", "-c", code, "device-check", "--peers", "--out", str(tmp_path / "out")]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    document = json.loads((tmp_path / "out" / NAME).read_text())
    assert [s["outcome"] for s in document["stages"]] == ["passed"] * 5
    [others] = [stage["result"] for stage in document["stages"] if stage["name"] == "peers"]
    assert len(others) == 3 and all("cannot be imported" in row["reason"] for row in others)


EVIDENCE = HOUSE / "reports" / "evidence"
CHECKED, TABLES = (sorted(EVIDENCE.glob(f"{name}-*.json")) for name in ("device-check", "tables"))


def test_committed_results_are_valid_and_named_for_their_device():
    assert CHECKED
    for path in CHECKED:
        document = check("device-check", json.loads(path.read_text()))
        assert path.name == evidence_name(Device(True, document["device"]["name"]))
        assert document["scale"] == 1.0


def test_committed_tables_are_valid_and_were_trained_on_a_device():
    for path in TABLES:
        document = check("tables", json.loads(path.read_text()))
        assert document["provenance"]["environment"]["backend"] == "cupy"
        assert path.name.split("-", 2)[2] in {checked.name.split("-", 2)[2] for checked in CHECKED}
    assert {p.name for p in (*CHECKED, *TABLES)} == {p.name for p in EVIDENCE.iterdir()}


def test_the_readme_says_what_was_measured():
    said = " ".join((HOUSE / "README.md").read_text().split())
    checked, tables = (
        json.loads((EVIDENCE / f"{name}-nvidia-h200.json").read_text()) for name in ("device-check", "tables-2")
    )
    of = {stage["name"]: stage["result"] for stage in checked["stages"]}
    [trained] = tables["trainings"]
    sets = max(f["per_second"] for f in of["throughput"]["figures"] if f["name"] == "enumeration")

    def ratios(peer, task):
        return [
            r["peer_seconds"] / r["seconds"] for r in of["peers"] if r["peer"] == peer and r["task"].startswith(task)
        ]

    torch, jax = ratios("torch", "eigenvalues"), ratios("jax", "eigenvalues")
    [of_torch], [of_jax] = (ratios(name, "Hessians of L, n = 16, k = 4") for name in ("torch", "jax"))
    [step], [compiled] = (
        ratios(name, "a training step of 100 models, batch 500, tf32")
        for name in ("torch.func.vmap", "torch.func.vmap, compiled")
    )
    [coarse] = ratios("torch.func.vmap, compiled", "a training step of 100 models, batch 500, bf16")
    elbos = [row["cells"]["elbo"]["ours"] for row in tables["rows"]]
    assert 0.95 <= compiled <= 1.05 and sum(elbo is not None and elbo < -1e6 for elbo in elbos) == 1
    [minutes] = [s["table_minutes"] for s in of["training"]["speeds"] if s["precision"] == "tf32"]
    claims = of["proofs"]["claims"]
    for figure in [
        f"{len(claims)} of {len(claims)} claims",
        f"{sets:.1e}".replace("e+", "e") + " index sets",
        f"{min(torch):.1f} to {max(torch):.0f} times as fast as `torch",
        f"{min(jax):.1f} to {max(jax):.1f} times as jax's",
        f"{of_torch:.0f} times as fast as `torch.func.hessian`, {of_jax:.0f} times as `jax.hessian`",
        f"{step:.1f} times as fast as `torch.func.vmap`",
        f"in bf16 is {1 / coarse:.2f} times as fast as ours",
        f"take {minutes:.0f} minutes",
        f"[{trained['models']} models of Table 2]",
        f"for {trained['epochs']} epochs in {trained['precision']}, took {trained['seconds']:.0f} s",
        f"{trained['frozen']} diverged",
    ]:
        assert figure in said, figure


def test_the_schema_refuses_documents_that_contradict_themselves(cupy, tmp_path, monkeypatch):
    only(monkeypatch, comparisons=acceptance.comparisons)
    assert main(["device-check", "--out", str(tmp_path)]) == 0
    text = (tmp_path / NAME).read_text()
    for path, value in [
        (("stages", 0, "outcome"), "fine"),
        (("stages", 0, "outcome"), "failed"),  # with a result
        (("stages", 0, "reason"), "a passed stage needs none"),
        (("stages", 0, "result"), []),
        (("stages", 0, "result", 0, "worst"), -1.0),
        (("device", "name"), None),
        (("commit",), {"hash": "short", "changed": False}),
        (("surprise",), 1),
    ]:
        document = json.loads(text)
        assert validator("device-check").is_valid(document)
        place = document
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        assert not validator("device-check").is_valid(document), path
