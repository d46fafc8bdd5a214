"""The command `diagnose`: one file or several, what it writes, and one line for whatever it cannot use."""

import json
import re
import sys

import numpy as np
import pytest

from reports.cli import main
from tests.reports.schemas import check, validator
from tests.reports.test_cli import spoiled
from tests.verify.diagnosis.made_up import holding, spread
from verify.certify.propose import decoder

N, S = 400, 1.0
LAM = np.array([9.0, 6.0, 4.0, *[0.9] * 17])


@pytest.fixture(scope="module")
def arrays():
    """A linear VAE that holds one of the three directions that pay."""
    x, U = spread(LAM, N)
    model, rng = holding(x, U, LAM, [0], 3, S), np.random.default_rng(0)
    mu, logvar = model.encode(x)
    samples = np.stack([model.draw(x, rng) for _ in range(2)])
    return {"x": x, "mu": mu, "logvar": logvar, "reconstructions": model.decode(mu), "samples": samples}


@pytest.fixture
def folder(arrays, tmp_path, monkeypatch):
    """The arrays in one file, and in several."""
    monkeypatch.chdir(tmp_path)
    np.savez("vae.npz", **arrays)
    np.save("x.npy", arrays["x"])
    np.savez("latents.npz", mu=arrays["mu"], logvar=arrays["logvar"])
    np.save("mu.npy", arrays["mu"])
    np.save("logvar.npy", arrays["logvar"])
    np.save("recon.npy", arrays["reconstructions"])
    np.savez("made.npz", at_mean=arrays["reconstructions"], samples=arrays["samples"])
    np.savetxt(
        "named.csv",
        arrays["x"],
        delimiter=",",
        header=",".join(f"gene {i}" for i in range(1, 21)),
        comments="",
        fmt="%.17g",
    )
    return tmp_path


def document(capsys, *words):
    assert main(["diagnose", *words, "--json"]) == 0
    return check("diagnose", json.loads(capsys.readouterr().out))


def same(a, b):
    """Two diagnoses of the same numbers, whatever their files are called."""
    apart = ("provenance", "read", "notes")
    left, right = ({name: value for name, value in d.items() if name not in apart} for d in (a, b))
    assert left == right


def test_one_file_and_several_are_the_same(folder, capsys):
    whole = document(capsys, "vae.npz", "--sigma2", "1")
    made = ["--reconstructions", "made.npz:at_mean", "--samples", "made.npz"]
    same(whole, document(capsys, "x.npy", "--latents", "latents.npz", *made, "--sigma2", "1"))
    same(whole, document(capsys, "x.npy", "--latents", "mu.npy", "logvar.npy", *made, "--sigma2", "1"))
    assert whole["verdict"] == "training" and whole["provenance"]["command"].startswith("elbo-verify diagnose vae.npz")
    assert whole["read"].endswith("beside it") and "left aside" not in whole["read"]


def test_a_file_of_safetensors(folder, arrays, capsys):
    save = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed").save_file
    save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, "vae.safetensors")
    whole = document(capsys, "vae.npz", "--sigma2", "1")
    same(whole, document(capsys, "vae.safetensors", "--sigma2", "1"))


def test_images(folder, arrays, capsys):
    plain = document(capsys, "vae.npz", "--sigma2", "1")
    for shape in ((N, 5, 4), (N, 1, 5, 4)):
        images = {name: arrays[name].reshape(shape) for name in ("x", "reconstructions")}
        np.savez("images.npz", **{**arrays, **images, "samples": arrays["samples"].reshape(2, *shape)})
        found = document(capsys, "images.npz", "--sigma2", "1")
        assert found["revival"] == plain["revival"] and found["provenance"]["data"]["image"] == [5, 4, 1]


@pytest.mark.parametrize(
    "more",
    [
        ["--loss", "mse-mean", "--beta", "0.2", "--kl", "mean"],
        ["--loss", "mse-batch-sum", "--batch", "32", "--kl", "batch-sum"],
        ["--sigma2", "0.5", "--beta", "2"],
        ["--sigma2", "1", "--held-out"],
        ["--sigma2", "1", "--hidden", "8", "4", "-k", "2"],
        ["--sigma2", "30"],
        ["--sigma2", "0.01", "--epsilon", "0.5", "--delta", "0.1"],
    ],
)
def test_documents_hold_to_the_schema(folder, capsys, more):
    document(capsys, "vae.npz", *more)


@pytest.mark.parametrize("kind", [[], ["recon"], ["draws"], ["draw"]])
def test_whatever_reconstructions_there_are(folder, arrays, capsys, kind):
    given = {name: arrays[name] for name in ("x", "mu", "logvar")}
    if "recon" in kind:
        given["reconstructions"] = arrays["reconstructions"]
    if kind and kind[0].startswith("draw"):
        given["samples"] = arrays["samples"] if kind == ["draws"] else arrays["samples"][0]
    np.savez("some.npz", **given)
    found = document(capsys, "some.npz", "--sigma2", "1")
    assert (found["elbo"] is None) == (not kind)
    zeros = np.zeros_like(arrays["mu"])
    np.savez("some.npz", **{**given, "mu": zeros, "logvar": zeros})
    found = document(capsys, "some.npz", "--sigma2", "1")
    assert found["collapsed"] == [1, 2, 3] and found["revival"] is not None


def test_what_people_read(folder, capsys):
    assert main(["diagnose", "vae.npz", "--sigma2", "1"]) == 0
    said = capsys.readouterr()
    text = " ".join(said.out.split())
    assert text.startswith("2 of 3 latents have collapsed. It is the training, not the optimum: at the noise that was ")
    for question in ("1. The noise", "2. What has collapsed", "3. Optimum or training", "4. What to change"):
        assert question in text
    assert "left aside" not in said.err


def test_the_escape_is_saved(folder, arrays, capsys):
    assert main(["diagnose", "vae.npz", "--sigma2", "1", "--save-escape", "escape.npz", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    with np.load("escape.npz") as held:
        added = {name: held[name] for name in held.files}
    assert str(added["encoded_from"]) == "x - f(mu(x))"
    assert added["U"].shape == (20, 2) and added["V"].shape == (2, 20) and added["D"].shape == (2,)
    # Installed by hand, by fresh draws of z: what was promised.
    e = arrays["x"] - arrays["reconstructions"]
    w, rng = (e - added["center"]) @ added["V"].T, np.random.default_rng(4)
    mu, sd = arrays["mu"], np.exp(arrays["logvar"] / 2)
    x, U = spread(LAM, N)
    model = holding(x, U, LAM, [0], 3, S)
    gains = -0.5 * (added["D"] + w**2 - 1 - np.log(added["D"])).sum(axis=1)
    for _ in range(20):
        r = x - model.decode(mu + sd * rng.normal(size=mu.shape))
        moved = added["b"] + (w + np.sqrt(added["D"]) * rng.normal(size=w.shape)) @ added["U"].T
        gains += ((r**2).sum(axis=1) - ((r - moved) ** 2).sum(axis=1)) / (2 * S) / 20
    error = np.hypot(gains.std() / np.sqrt(N), found["revival"]["standard_error"])
    assert abs(gains.mean() - found["revival"]["nats"]) < 3 * error


def test_an_escape_from_nowhere_is_not_written(folder, arrays, capsys):
    np.savez("some.npz", **{name: arrays[name] for name in ("x", "mu", "logvar")})
    assert main(["diagnose", "some.npz", "--sigma2", "1", "--save-escape", "escape.npz"]) == 0
    assert "was not written" in capsys.readouterr().err
    assert not (folder / "escape.npz").exists()


BAD = [
    ("vae.npz", "either --sigma2 S, or --loss KIND"),
    ("vae.npz --sigma2 1 --loss mse-sum", "--sigma2 and --loss both say"),
    ("model.pt --sigma2 1", "a pickle, which is never loaded"),
    ("vae.npz --sigma2 1 --kl mean", "with --sigma2 leave them out"),
    ("vae.npz --sigma2 0", "sigma2 = 0"),
    ("vae.npz --sigma2 nan", "sigma2 = nan"),
    ("vae.npz --sigma2 1 --beta 0", "beta = 0"),
    ("vae.npz --loss mse-sum --beta -1", "beta = -1"),
    ("vae.npz --loss bce", "Bernoulli likelihood"),
    ("vae.npz --loss mse-batch-sum", "say how large it was"),
    ("vae.npz --loss huber", "--loss"),
    ("vae.npz --sigma2 1 -k 0", "k = 0"),
    ("vae.npz --sigma2 1 --hidden 0", "hidden 0"),
    ("vae.npz --sigma2 1 --epsilon -1", "epsilons"),
    ("vae.npz --sigma2 1 --delta 1", "delta"),
    ("missing.npz --sigma2 1", "missing.npz"),
    ("x.npy --sigma2 1", "where are the latents"),
    ("x.npy --latents missing.npz --sigma2 1", "missing.npz"),
    ("x.npy --latents x.npy --sigma2 1", "x.npy"),
    ("latents.npz --sigma2 1", "no array is known to be the data"),
    ("digits --latents latents.npz --sigma2 1", "mu has 400 rows, the data have 1797"),
    ("eigenvalues:3,2,1 --latents latents.npz --sigma2 1", "eigenvalues"),
    ("x.npy --latents latents.npz --reconstructions missing.npy --sigma2 1", "missing.npy"),
    ("x.npy --latents latents.npz --reconstructions made.npz:nothing --sigma2 1", "no array nothing"),
    ("x.npy --latents latents.npz --reconstructions latents.npz --sigma2 1", "which array are the reconstructions"),
    ("x.npy --latents latents.npz --reconstructions mu.npy:mu --sigma2 1", "reconstructions has shape (400, 3)"),
    ("nan.npz --sigma2 1", "reconstructions is NaN at row 3, column 2"),
    ("same.npz --sigma2 1", "differ from their reconstructions by the same amounts"),
    ("constant.npz --sigma2 1", "constant"),
    ("vae.npz --sigma2 1 --save-escape vae.npz", "holds the data that are read"),
    ("x.npy --latents latents.npz --reconstructions made.npz:at_mean --sigma2 1 --save-escape made.npz", "made.npz"),
    ("vae.npz --sigma2 1 --save-escape vae.npz/escape.npz", "vae.npz/escape.npz"),
    ("vae.npz --sigma2 1 --out x.npy", "is a file"),
    ("vae.npz --sigma2 1 --out new --save-escape new/diagnose.npz", "writes another file of that name"),
    ("vae.npz --sigma2 1 --seed -1", "seed"),
]


@pytest.mark.parametrize(("words", "said"), BAD)
def test_bad_input_gets_one_line_and_nothing_is_half_written(folder, arrays, capsys, words, said):
    spoilt = arrays["reconstructions"].copy()
    spoilt[2, 1] = np.nan
    np.savez("nan.npz", **{**arrays, "reconstructions": spoilt})
    np.savez("same.npz", **{**arrays, "reconstructions": arrays["x"]})
    np.savez("constant.npz", **{**arrays, "x": np.ones_like(arrays["x"])})
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert main(["diagnose", *words.split()]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1, err
    assert said in err
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_progress_says_what_is_being_done(folder, monkeypatch):
    from reports.terminal.console import Session

    said = []
    doing = Session.working

    def watched(self, what):
        said.append(what)
        return doing(self, what)

    monkeypatch.setattr(Session, "working", watched)
    assert main(["diagnose", "vae.npz", "--sigma2", "1", "--quiet"]) == 0
    assert any("reading" in what for what in said) and any("diagnosing" in what for what in said)


def test_numbers_are_said_with_sensible_digits(folder, capsys):
    main(["diagnose", "vae.npz", "--loss", "mse-mean", "--beta", "0.11"])
    text = capsys.readouterr().out
    assert not re.findall(r"\d\.\d{8,}", text)


@pytest.fixture
def fewer(folder, arrays):
    """Sixty of the rows and four of the columns, which are certified in a second."""
    x = arrays["x"][:60, :4]
    zeros = np.zeros((60, 2))
    np.savez("few.npz", x=x, mu=zeros, logvar=zeros, reconstructions=np.broadcast_to(x.mean(axis=0), x.shape))
    return folder


def test_certified(fewer, capsys):
    pytest.importorskip("flint")
    plain, proved = (document(capsys, "few.npz", "--sigma2", "90", *more) for more in ((), ("--certify",)))
    assert proved["linear"]["certified"] == "certified" and proved["any_decoder"]["lower"] < 90
    assert proved["any_decoder"]["upper"] < 90 and plain["any_decoder"]["upper"] is None
    assert "certified" not in json.dumps(plain).replace("--certify", "")
    for path, value in (
        (("any_decoder", "upper"), None),
        (("any_decoder", "certified", "upper"), "undecided"),
        (("any_decoder", "certified", "lower"), "not requested"),
        (("linear", "certified"), True),
    ):
        assert not validator("diagnose").is_valid(spoiled(proved, *path, value))
    assert not validator("diagnose").is_valid(spoiled(plain, "any_decoder", "upper", 20.0))  # control: not certified


def test_an_interrupted_proof_leaves_a_whole_diagnosis(fewer, capsys, monkeypatch):
    pytest.importorskip("flint")

    def interrupted(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(decoder, "every_decoder", interrupted)
    assert main(["diagnose", "few.npz", "--sigma2", "90", "--certify", "--out", "page", "--json"]) == 130
    captured = capsys.readouterr()
    made = check("diagnose", json.loads(captured.out))
    assert made["any_decoder"]["upper"] is None and made["any_decoder"]["certified"]["lower"] == "certified"
    assert "interrupted: the diagnosis is whole, and not all of it is certified; kept page" in captured.err
    assert (fewer / "page" / "index.html").is_file()


def test_without_flint_one_sentence(fewer, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "flint", None)
    assert main(["diagnose", "few.npz", "--sigma2", "90", "--certify"]) == 0
    captured = capsys.readouterr()
    assert captured.err.count("pip install python-flint") == 1 and "of 2 latents (certified" in captured.out
