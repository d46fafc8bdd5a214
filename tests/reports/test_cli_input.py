"""What bad input gets: one line that says what, where and what to do, exit code 2, and nothing half-written."""

import gzip
import os
import pickle
import shlex

import numpy as np
import pytest

from gpu.device import Device
from reports.cli import main
from reports.terminal import files
from verify.data import documents, writing
from verify.errors import InputError

SPECTRUM = "eigenvalues:6,4,2.5,1.2,0.5"


def table(path):
    """Every bad file of the table below, in the folder `path`."""
    X = np.random.default_rng(0).normal(size=(20, 3))

    def changed(value):
        Y = X.copy()
        Y[4, 1] = value
        return Y

    np.save(path / "good.npy", X)
    np.save(path / "nan.npy", changed(np.nan))
    np.save(path / "inf.npy", changed(-np.inf))
    np.save(path / "list.npy", X[:, 0])
    np.save(path / "empty.npy", np.empty((0, 3)))
    np.save(path / "one.npy", X[:1])
    np.save(path / "constant.npy", np.ones((20, 3)))
    np.save(path / "words.npy", np.array([["a", "b"], ["c", "d"]]))
    np.save(path / "objects.npy", np.array([[1, None]], dtype=object), allow_pickle=True)
    np.save(path / "huge.npy", X * 1e60)
    np.save(path / "tiny.npy", X * 1e-60)
    (path / "pickle.npy").write_bytes(pickle.dumps(X))
    (path / "cut.npy").write_bytes((path / "good.npy").read_bytes()[:200])
    np.savez(path / "good.npz", X=X)
    (path / "cut.npz").write_bytes((path / "good.npz").read_bytes()[:200])
    (path / "cut.csv.gz").write_bytes(gzip.compress(b"1,2\n3,4\n5,7\n" * 100)[:40])
    (path / "letters.csv").write_text("1,2\n3,x\n")
    (path / "ragged.csv").write_text("1,2\n3\n")
    (path / "blank.csv").write_text("")
    (path / "file").write_text("")
    (path / "model.pt").write_bytes(pickle.dumps({}))
    latents(path)


def latents(path):
    mu = np.zeros((6, 2))
    bad = mu.copy()
    bad[2, 1] = np.nan
    np.savez(path / "no-logvar.npz", mu=mu)
    np.savez(path / "shapes.npz", mu=mu, logvar=mu[:5])
    np.savez(path / "flat.npz", mu=mu[0], logvar=mu[0])
    np.savez(path / "nothing.npz", mu=mu[:0], logvar=mu[:0])
    np.savez(path / "nan.npz", mu=mu, logvar=bad)
    np.savez(path / "overflow.npz", mu=mu, logvar=mu + 1e4)
    np.savez(path / "complex.npz", mu=mu + 1j, logvar=mu)
    np.savez(path / "objects.npz", mu=np.array([[None]]), logvar=mu)
    np.savez(path / "fine.npz", mu=mu, logvar=mu)
    (path / "latents-cut.npz").write_bytes((path / "fine.npz").read_bytes()[:300])
    (path / "latents-bent.npz").write_bytes((path / "fine.npz").read_bytes().replace(b"descr", b"dexcr"))
    (path / "latents-pickle.npz").write_bytes(pickle.dumps({"mu": mu}))


# (command line, what the message must name)
BAD = [
    # data
    ("stability nan.npy -k 1", "row 5, column 2"),
    ("stability inf.npy -k 1", "row 5, column 2"),
    ("stability list.npy -k 1", "(20,)"),
    ("stability nan.npy -k 1 --missing median", "--missing"),
    ("stability good.npy -k 1 --columns 4", "no such column"),
    ("stability good.npy -k 1 --columns 1 --drop 2", "give one of them"),
    ("stability good.npy -k 1 --decimal ,", "decimal"),
    ("stability good.npy -k 1 --standardize --scale 2", "standardize"),
    ("stability good.npy:X -k 1", "one table only"),
    ("stability good.npz:Y -k 1", "Y"),
    ("stability empty.npy -k 1", "empty"),
    ("stability one.npy -k 1", "one row"),
    ("stability constant.npy -k 1", "constant"),
    ("stability words.npy -k 1", "numbers"),
    ("stability objects.npy -k 1", "objects"),
    ("stability pickle.npy -k 1", "pickle"),
    ("stability huge.npy -k 1", "multiply the data"),
    ("stability tiny.npy -k 1", "multiply the data"),
    ("stability cut.npy -k 1", "truncated"),
    ("stability cut.npz -k 1", "truncated"),
    ("stability cut.csv.gz -k 1", "truncated"),
    ("stability letters.csv -k 1", "row 2, column 2"),
    ("stability ragged.csv -k 1", "row 2"),
    ("stability blank.csv -k 1", "empty"),
    ("stability missing.npy -k 1", "no such file"),
    ("stability nonsense -k 1", "unknown data"),
    ("stability fashion-mnist --data-dir . -k 1", "fashion-mnist/train-images-idx3-ubyte.gz not found"),
    ("stability celeba:faces -k 1", "no such file"),
    ("stability patches:1 -k 1", "between 2 and"),
    ("stability rows.parquet -k 1", "no such file"),
    ("stability file -k 1", "empty"),
    ("stability model.pt -k 1", "pickles"),
    ("stability wines -k 1", "did you mean wine?"),
    ("stability mnist:many -k 1", "mnist:many"),
    # spectra
    ("stability eigenvalues:1,-2 -k 1", "negative eigenvalue"),
    ("stability eigenvalues:0,0 -k 1", "all zero"),
    ("stability eigenvalues:1,nan -k 1", "eigenvalue 2"),
    ("stability eigenvalues:1,x -k 1", "'x'"),
    ("stability eigenvalues: -k 1", "not a number"),
    ("stability eigenvalues:1e100,1 -k 1", "multiply the data"),
    ("stability eigenvalues:1e-100 -k 1", "multiply the data"),
    ("stability eigenvalues:1,1e-100 -k 1", "1e-100"),
    (f"stability {SPECTRUM} -k 1 --scale 255", "scale"),
    # k
    (f"stability {SPECTRUM} -k 0", "between 1 and n = 5"),
    (f"stability {SPECTRUM} -k 6", "between 1 and n = 5"),
    (f"stability {SPECTRUM} -k -1", "between 1 and n = 5"),
    (f"stability {SPECTRUM} -k 1.5", "-k"),
    (f"stability {SPECTRUM}", "-k"),
    ("report eigenvalues:3,2 -k 3", "between 1 and n = 2"),
    # noise
    (f"stationary {SPECTRUM} -k 2 --sigma2 0", "sigma2 = 0"),
    (f"stationary {SPECTRUM} -k 2 --sigma2 -1", "sigma2 = -1"),
    (f"stationary {SPECTRUM} -k 2 --sigma2 -1e-3", "sigma2 = -0.001"),
    (f"stationary {SPECTRUM} -k 2 --sigma2 nan", "sigma2 = nan"),
    (f"stationary {SPECTRUM} -k 2 --sigma2 inf", "sigma2 = inf"),
    (f"stationary {SPECTRUM} -k 2 --sigma2 1e-90", "sigma2 = 1e-90"),
    ("stationary eigenvalues:1e10,1 -k 2 --sigma2 1e-9 --objective elbo", "larger sigma2"),
    (f"stationary {SPECTRUM} -k 2 --sigma2 much", "--sigma2"),
    (f"stationary {SPECTRUM} -k 2", "--sigma2 --learned-noise"),
    (f"stationary {SPECTRUM} -k 2 --sigma2 1 --learned-noise", "not allowed with"),
    (f"stability {SPECTRUM} -k 2 --sigma2 1 0", "sigma2 = 0"),
    (f"landscape {SPECTRUM} -k 2 --sigma2 -2 --out new", "sigma2 = -2"),
    ("stationary eigenvalues:2,1,0,0 -k 2 --learned-noise", "unbounded"),
    ("stationary eigenvalues:2,1,0,0 -k 4 --learned-noise", "unbounded"),
    ("stationary eigenvalues:2,1,0,0 -k 3 --learned-noise --objective elbo", "fix sigma2"),
    # the weight of the KL
    (f"stability {SPECTRUM} -k 2 --beta 0", "beta = 0: without the KL"),
    (f"stability {SPECTRUM} -k 2 --beta -1", "beta = -1"),
    (f"landscape {SPECTRUM} -k 2 --beta inf --out new", "beta = inf"),
    (f"stability {SPECTRUM} -k 2 --beta 1e60 --sigma2 1e60", "beta sigma2 = 1e+120"),
    (f"stability {SPECTRUM} -k 2 --beta nan", "beta = nan"),
    (f"report {SPECTRUM} -k 2 --beta four", "--beta"),
    (f"stationary {SPECTRUM} -k 2 --sigma2 1 --beta 4", "take --objective elbo"),
    (f"stationary {SPECTRUM} -k 2 --learned-noise --objective elbo --beta 4", "fix it with --sigma2"),
    # other options
    (f"stationary {SPECTRUM} -k 2 --sigma2 1 --top 0", "top = 0"),
    (f"stationary {SPECTRUM} -k 2 --sigma2 1 --objective vae", "--objective"),
    (f"stationary {SPECTRUM} -k 2 --sigma2 1 --sig 3", "--sig"),
    (f"landscape {SPECTRUM} -k 2 --out new --certify", "unrecognized arguments: --certify"),
    ("stationary good.npy -k 1 --sigma2 1 --save good.npy", "holds the data"),
    ("landscape ./good.npz -k 1 --save good.npz --out new", "holds the data"),
    ("train good.npy --arch linear -k 1 --sigma2 1 --save-latents ./good.npy --out new", "holds the data"),
    ("collapse fine.npz --data-dir .", "unrecognized arguments: --data-dir"),
    ("prove --data-dir .", "unrecognized arguments: --data-dir"),
    ("device-check --out new --data-dir .", "unrecognized arguments: --data-dir"),
    ("prove --list eq-2200", "no such claim"),
    ("prove --list --ledger good.npy", "not a ledger"),
    (f"stability {SPECTRUM} -k 2 --backend torch", "--backend"),
    (f"stability {SPECTRUM} -k 2 --seed -1", "seed"),
    ("stability good.npy -k 2 --scale 0", "scale"),
    ("stability good.npy -k 2 --logit 2", "logit"),
    ("stability good.npy -k 2 --logit 1e-6", "row 1, column 1"),
    ("landscape eigenvalues:3 -k 1 --out new", "two directions"),
    (f"landscape {SPECTRUM} -k 2 --grid 1 --out new", "grid = 1"),
    (f"landscape {SPECTRUM} -k 2 --grid 1000000 --out new", "grid = 1000000"),
    (f"landscape {SPECTRUM} -k 2 --directions 2 2 --out new", "different"),
    (f"landscape {SPECTRUM} -k 2 --directions 0 2 --out new", "direction 0"),
    (f"landscape {SPECTRUM} -k 2 --directions 1 6 --out new", "direction 6"),
    (f"landscape {SPECTRUM} -k 2 --directions 1 --out new", "--directions"),
    (f"landscape {SPECTRUM} -k 2", "--out"),
    # where to write
    (f"stationary {SPECTRUM} -k 2 --sigma2 1 --save file/points.npz", "file/points.npz"),
    (f"stationary {SPECTRUM} -k 2 --sigma2 1 --save .", "folder"),
    (f"landscape {SPECTRUM} -k 2 --out file", "file"),
    (f"landscape {SPECTRUM} -k 2 --out file/below", "file/below"),
    (f"report {SPECTRUM} --out file/below", "file/below"),
    (f"report {SPECTRUM} --ledger missing.json", "missing.json"),
    (f"report {SPECTRUM} --ledger good.npy", "not a ledger"),
    ("prove eq-2200", "no such claim"),
    ("prove --ledger file/ledger.json", "file/ledger.json"),
    # latents
    ("collapse missing.npz", "no such file"),
    ("collapse no-logvar.npz", "logvar"),
    ("collapse shapes.npz", "(6, 2)"),
    ("collapse flat.npz", "(N, k)"),
    ("collapse nothing.npz", "(0, 2)"),
    ("collapse nan.npz", "NaN at row 3, column 2"),
    ("collapse overflow.npz", "too large"),
    ("collapse complex.npz", "complex"),
    ("collapse objects.npz", "pickle"),
    ("collapse latents-cut.npz", "latents-cut.npz"),
    ("collapse latents-bent.npz", "latents-bent.npz"),
    ("collapse latents-pickle.npz", "latents-pickle.npz"),
    ("collapse good.npy", "good.npy"),
    ("collapse file", "file"),
    ("collapse .", "cannot be read"),
    ("collapse fine.npz --delta 1", "delta = 1"),
    ("collapse fine.npz --delta -0.1", "delta = -0.1"),
    ("collapse fine.npz --epsilon -1", "at least 0"),
    ("collapse fine.npz --epsilon nan", "finite"),
    # commands
    ("certify --check certificate.json", "certificate.json: cannot be read (No such file or directory)"),
    ("certify --check .", "is no file; name the file of a certificate"),
    ("certify --check good.npy", "good.npy: is no text: this is no certificate"),
    ("certify --check /dev/null", "/dev/null: is no file"),
    ("certify --check -", "-: cannot be read"),
    ("certify", "certify needs DATA and -k K and --sigma2 S and --out FILE; or --check FILE"),
    (f"certify {SPECTRUM} -k 2 --sigma2 1", "certify needs --out FILE"),
    (f"certify {SPECTRUM} --check c.json", "DATA: the certificate says it itself; leave it out beside --check"),
    ("certify --check c.json -k 2 --sigma2 1", "-k, --sigma2: the certificate says it itself"),
    ("certify --check c.json --scale 255", "--scale: the certificate says it itself"),
    (f"certify --data {SPECTRUM} -k 2 --sigma2 1 --out c.json", "--data: goes with --check"),
    (f"certify {SPECTRUM} -k 2 --sigma2 1 --out good.npy", "good.npy: is no certificate of ours"),
    ("certify good.npy -k 2 --sigma2 1 --out good.npy", "good.npy: holds the data that are read"),
    (f"certify {SPECTRUM} -k 2 --sigma2 1 --out .", "is a folder; name a file"),
    (f"certify {SPECTRUM} -k 9 --sigma2 1 --out c.json", "k = 9: the latent dimension must lie between 1 and n = 5"),
    (f"certify {SPECTRUM} -k 2 --sigma2 nan --out c.json", "sigma2"),
    (f"certify {SPECTRUM} -k 2 --sigma2 1 --beta 0 --out c.json", "beta = 0"),
    ("certify nan.npy -k 1 --sigma2 1 --out c.json", "nan.npy: 1 value is missing"),
    ("certify constant.npy -k 1 --sigma2 1 --out c.json", "constant.npy: the data are constant"),
    ("stabilty digits -k 2", "no such command: stabilty; did you mean stability?"),
    ("good.npy -k 2", "elbo-verify report good.npy"),
    ("eigenvalues:3,2", "elbo-verify report eigenvalues:3,2"),
    ("--quiet", "name a command first"),
    ("--quiet stability digits -k 2", "--quiet: options come after the command, as in elbo-verify stability"),
    ("--seed 3 stability digits -k 2", "--seed: options come after the command, as in elbo-verify stability"),
    (f"stability {SPECTRUM} -k 1 --sigma2 1 0,5", "invalid number: '0,5'; write 0.5"),
    ("train digits --arch linear -k 1 --sigma2 0,5", "invalid number: '0,5'; write 0.5"),
    ("train digits --arch linear -k 1 --sigma2 1 --learning-rate ,01", "write .01"),
    ("collapse fine.npz --epsilon 0,01", "write 0.01"),
    ("collapse fine.npz --delta 0,01", "write 0.01"),
    ("stability iris -k 5", "between 1 and n = 4 (the columns of the data)"),
    ("stability --version", "DATA"),
    ("train digits --arch mlp", "train"),
    ("tables 9", "Tables 1 to 5"),
    ("stability", "DATA"),
    (f"doctor {SPECTRUM}", "unrecognized"),
    (f"stability {SPECTRUM} -k 1 --sigm2 1", "unrecognized arguments: --sigm2 1; see elbo-verify stability --help"),
]


# With --json nothing may change; each proof takes a second, so once is enough there.
BOTH = [*BAD, *((f"{line} --json", named) for line, named in BAD if line and not line.startswith("prove"))]


@pytest.mark.parametrize(("line", "named"), BOTH, ids=[line for line, _ in BOTH])
def test_bad_input_is_one_line_and_leaves_nothing_behind(line, named, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    table(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert main(shlex.split(line)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("elbo-verify: ") and err.count("\n") == 1
    assert named in err and "Traceback" not in err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "line",
    [
        "stability good.npy -k 3",
        "stability good.npz -k 3 --backend auto",
        "collapse fine.npz --epsilon 0 --delta 0",
        "stationary eigenvalues:2,1,0,0 -k 4 --sigma2 0.1",
        f"stationary {SPECTRUM} -k 5 --learned-noise",
        f"stationary {SPECTRUM} -k 2 --sigma2 2.5",
    ],
)
def test_good_input_beside_it_is_accepted(line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    table(tmp_path)
    assert main(shlex.split(line)) == 0
    assert not capsys.readouterr().err.startswith("elbo-verify: ")


def test_a_device_that_is_not_there_is_bad_input(monkeypatch, capsys):
    monkeypatch.setattr("gpu.device.find_device", lambda: Device(False, reason="the driver sees no CUDA device"))
    assert main(["stability", SPECTRUM, "-k", "2", "--backend", "cupy"]) == 2
    assert "the driver sees no CUDA device" in capsys.readouterr().err


def test_names_that_would_steer_the_terminal_are_defused(capsys):
    assert main(["stability", "\x1b[31mred\nline.npy", "-k", "1"]) == 2
    err = capsys.readouterr().err
    assert "\x1b" not in err and err.count("\n") == 1


def test_without_a_command_there_is_help(capsys):
    assert main([]) == 0
    said = capsys.readouterr().out
    assert main(["--help"]) == 0
    assert capsys.readouterr().out == said
    assert said.index("report  ") < said.index("stability  ") < said.index("doctor  ")


def test_help_is_no_error(capsys):
    assert main(["stationary", "--help"]) == 0
    assert "--learned-noise" in capsys.readouterr().out


def test_a_missing_package_is_named(monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "reports.commands.stability", None)
    assert main(["stability", SPECTRUM, "-k", "1"]) == 2
    assert "doctor" in capsys.readouterr().err


def test_too_little_memory_is_said(monkeypatch, capsys):
    def exhausted(*_, **__):
        raise MemoryError

    monkeypatch.setattr("reports.commands.stability.stability", exhausted)
    assert main(["stability", SPECTRUM, "-k", "1"]) == 2
    assert "out of memory" in capsys.readouterr().err


def full(*_):
    raise OSError(28, "No space left on device")


def test_a_disk_that_fills_while_points_are_saved_leaves_the_old_file(tmp_path, monkeypatch, capsys):
    path = tmp_path / "points.npz"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    assert main(["stationary", SPECTRUM, "-k", "2", "--sigma2", "1", "--save", str(path)]) == 2
    assert "No space left" in capsys.readouterr().err
    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]


def test_a_disk_that_fills_while_figures_are_drawn_leaves_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("reports.panels.slices.landscape", full)
    assert main(["landscape", SPECTRUM, "-k", "2", "--grid", "3", "--out", str(tmp_path / "a" / "b")]) == 2
    assert "No space left" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "document.json"
    documents.write_json({"n": 1}, path)
    with pytest.raises(KeyboardInterrupt), writing.atomic(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert files.read_json(path) == {"n": 1} and len(list(tmp_path.iterdir())) == 1
    with pytest.raises(InputError):
        files.read_json(tmp_path / "other.json")
