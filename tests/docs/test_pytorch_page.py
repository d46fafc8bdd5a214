"""docs/pytorch.md: its code runs where PyTorch is, its promises hold, and its table says what the losses mean."""

import json
import os
import re
import shlex
import sys
import types

import numpy as np
import pytest

from reports.cli import main
from tests.docs.blocks import DOCS, fenced
from verify import diagnose
from verify.landscape.collapse import kl as divergence
from verify.models.losses import noise_of_loss
from verify.monitor import LatentWatch

PAGE = "pytorch.md"
BLOCKS = fenced(PAGE)
TORCH = [block for block in BLOCKS if block.language == "bash" or (block.language == "python" and not block.label)]
OTHERS = {block.label: block for block in BLOCKS if block.label}


def needs(name):
    try:
        return pytest.importorskip(name)
    except pytest.skip.Exception:
        count = len(TORCH) if name == "torch" else 1
        pytest.skip(f"{count} of {len(BLOCKS)} blocks of docs/{PAGE} need {name} (extra peers)")


def test_every_block_is_one_that_some_test_runs():
    assert len(TORCH) == 9 and set(OTHERS) == {"jax", "keras"} and len(BLOCKS) == len(TORCH) + len(OTHERS)
    for block in BLOCKS:
        if block.language == "python":
            compile(block.code, PAGE, "exec")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The names of the page after all of its blocks, and the folder that they ran in."""
    needs("torch")
    folder, before = tmp_path_factory.mktemp("page"), os.getcwd()
    os.chdir(folder)
    try:
        names = {"__name__": "page"}
        for block in TORCH:
            if block.language == "python":
                block.run(names)
                continue
            for line in block.code.splitlines():
                assert main(shlex.split(line)[1:]) == 0
    finally:
        os.chdir(before)
    return types.SimpleNamespace(**names, folder=folder)


def test_the_file_holds_one_pass(page):
    with np.load(page.folder / "vae.npz") as held:
        arrays = {name: held[name] for name in held.files}
    shapes = {name: array.shape for name, array in arrays.items()}
    assert shapes == {
        "x": (600, 12),
        "mu": (600, 4),
        "logvar": (600, 4),
        "reconstructions": (600, 12),
        "samples": (2, 600, 12),
    }
    # The rows of all arrays are the same datum, shuffled as they are, and the draws are independent.
    assert sorted(arrays["x"][:, 0]) == sorted(page.rows[:, 0].tolist()) != list(arrays["x"][:, 0])
    assert not np.array_equal(*arrays["samples"])


def test_the_escape_brings_what_was_promised(page):
    """installed - before against the exact change on the page's rows (theory 6.1), from 200 draws of its own."""
    torch, x, s = page.torch, page.rows, 0.5
    with np.load(page.folder / "escape.npz") as held:
        U, V, D, b, center = (held[name] for name in ("U", "V", "D", "b", "center"))
    assert len(D) > 0
    torch.manual_seed(1)
    with torch.no_grad():
        mu, logvar = page.model.encode(x)
        drawn = sum(page.model.decode(mu + torch.exp(logvar / 2) * torch.randn_like(mu)) for _ in range(200)) / 200
        encoded, residual = ((x - f).numpy().astype(float) for f in (page.model.decode(mu), drawn))
    w = (encoded - center) @ V.T
    moved = b + w @ U.T
    error = (moved * (moved - 2 * residual)).sum(axis=1) + D @ (U**2).sum(axis=0)
    promised = -(divergence(w, np.log(D) + 0 * w).sum(axis=1) + error / (2 * s)).mean()
    assert promised > 5
    # Over 600 rows and 200 draws |x - f|^2/(2 s), which varies by some tens, has a standard error of about 0.03.
    assert page.installed - page.before == pytest.approx(promised, abs=0.12)
    assert page.after > page.installed
    wrong = page.WithEscape(page.model, page.folder / "escape.npz")  # control: a sign turned
    wrong.U.data.neg_()
    assert page.elbo(wrong, x, s, draws=20).mean() < page.before


def test_the_escape_is_a_model_of_the_same_three_methods(page):
    torch, larger = page.torch, page.larger
    m = len(larger.log_D)
    drawn = []
    with torch.no_grad():
        mu, logvar = larger.encode(page.rows)
        for forward in (lambda: larger(page.rows), lambda: larger(page.rows), None):
            torch.manual_seed(2)
            drawn.append(forward()[0] if forward else larger.decode(mu + (logvar / 2).exp() * torch.randn_like(mu)))
        assert torch.equal(drawn[0], drawn[1]) and torch.allclose(drawn[0], drawn[2])
        assert not torch.equal(larger(page.rows)[0], drawn[0])  # a draw, not the mean
        xhat, *latents = larger(page.rows)
    assert xhat.shape == page.rows.shape and [a.shape for a in latents] == [(600, 4 + m)] * 2
    assert torch.equal(latents[0], mu) and torch.equal(latents[1], logvar)

    class Pictures(page.VAE):
        encode = lambda self, x: super().encode(x.flatten(1))  # noqa: E731
        decode = lambda self, z: super().decode(z).view(-1, 1, 3, 4)  # noqa: E731

    pictures = page.WithEscape(Pictures(), page.folder / "escape.npz")
    assert pictures(page.rows.view(600, 1, 3, 4))[0].shape == (600, 1, 3, 4)


def test_after_an_escape_the_linear_vae_has_as_many_latents_as_the_model_has_now(page, tmp_path):
    m = len(page.larger.log_D)
    page.export(page.larger, page.loader, tmp_path / "larger.npz")
    assert diagnose(tmp_path / "larger.npz", sigma2=0.5).linear["latents"] == 4 + m
    for now in (4, 4 + m):
        weight = 0.3 * now / 4
        assert noise_of_loss("mse-sum", n=12, k=now, beta=weight, kl="mean").sigma2 == pytest.approx(0.3 / 8)


def test_a_learned_noise_ends_at_the_error_of_the_model(page):
    """Theory 5.1, over an epoch of moving weights and of single draws; a linear VAE of four latents ends near there."""
    found = diagnose(page.folder / "learned.npz", sigma2=page.s)
    assert found.tuned_sigma2 == pytest.approx(page.s, rel=0.1)  # each has a standard error of 2 %
    assert page.s == pytest.approx(found.linear["sigma2_mle"], rel=0.15)
    assert not any(line["change"].startswith("noise") for line in found.advice)
    assert len(found.collapsed) == 0
    # The controls: the noise that it began with is too large, and is told so; not learned, it stays.
    start = page.rows.var(0).mean().item()
    assert page.s < 0.7 * start
    advice = diagnose(page.folder / "learned.npz", sigma2=start).advice
    assert any(line["change"].startswith("noise: learn it") for line in advice)
    assert page.train(page.VAE(), page.loader, epochs=1, s=start) == start


def test_a_noise_that_is_learned_is_told_to_the_watch(page):
    watch = page.LatentWatch(page.rows, k=4, sigma2=1.0)
    end = page.train(page.VAE(), page.loader, epochs=2, s=1.0, learn=True, watch=watch)
    assert watch.last["learned_noise"] and watch.last["sigma2"] not in (1.0, end)


QUICKSTART = "F.mse_loss(xhat, x) + kl.sum(1).mean()"


def test_a_plain_quickstart_needs_one_option(tmp_path, capsys):
    """beta = 1 and a sum over the latents are what diagnose takes where nothing is said."""
    text = " ".join((DOCS / PAGE).read_text(encoding="utf-8").split())
    assert f"`{QUICKSTART}`, is `--loss mse-mean` and nothing else" in text
    row = next(loss for loss, options, _ in LOSSES if options == "--loss mse-mean")
    assert row.replace("beta * ", "") == QUICKSTART
    rng = np.random.default_rng(0)
    arrays = {"x": rng.standard_normal((40, 7)), "mu": rng.standard_normal((40, 3)), "logvar": np.zeros((40, 3))}
    np.savez(tmp_path / "vae.npz", **arrays, reconstructions=0 * arrays["x"])
    assert main(["diagnose", str(tmp_path / "vae.npz"), "--loss", "mse-mean", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["sigma2"]
    assert found == noise_of_loss("mse-mean", n=7, k=3, beta=1.0, kl="sum").sigma2 == 3.5


def test_the_exported_file_is_in_evaluation_mode(page, tmp_path):
    """A control: with dropout left on, two exports would differ."""
    torch = page.torch
    model = page.VAE()
    model.encoder.append(torch.nn.Dropout(0.5))
    model.train()
    for name in ("a", "b"):
        torch.manual_seed(3)
        loader = page.DataLoader(page.TensorDataset(page.rows), batch_size=600)
        page.export(model, loader, tmp_path / f"{name}.npz", draws=1 if name == "a" else 2)
    mu = [np.load(tmp_path / f"{name}.npz")["mu"] for name in ("a", "b")]
    assert np.array_equal(*mu) and model.training
    assert not torch.equal(model.encode(page.rows)[0], model.encode(page.rows)[0])


def stand_in_for_a_trainer(page, watch, epochs=3):
    """A loop that calls the hooks, as Lightning does."""
    logged, said = [], []
    trainer = types.SimpleNamespace(should_stop=False)
    module = types.SimpleNamespace(log_dict=logged.append)
    callback = page.WatchLatents(watch, said.append)
    for _ in range(epochs):
        for i, (x,) in enumerate(page.loader):
            mu, logvar = page.model.encode(x)
            outputs = {"loss": page.kl_of(mu, logvar).sum(), "mu": mu, "logvar": logvar}
            callback.on_train_batch_end(trainer, module, outputs, (x,), i)
        callback.on_train_epoch_end(trainer, module)
        if trainer.should_stop:
            break
    return logged, said


def test_the_callback_logs_and_stops_where_collapse_is_certain(page):
    logged, said = stand_in_for_a_trainer(page, page.LatentWatch(page.rows, k=4, sigma2=0.5))
    assert len(logged) == 3 and not any("certain" in text for text in said)
    assert all(isinstance(value, float) for value in logged[0].values()) and "latents/kl_4" in logged[0]
    far = float((page.rows - page.rows.mean(0)).pow(2).sum(1).max())
    logged, said = stand_in_for_a_trainer(page, page.LatentWatch(page.rows, k=4, sigma2=far))
    assert len(logged) == 1 and logged[0]["latents/certain_collapse"] == 1.0 and "no decoder" in said[0]


@pytest.mark.filterwarnings("ignore")
def test_lightning_itself(page, tmp_path):
    lightning = pytest.importorskip("lightning.pytorch")

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.vae, self.logged = page.VAE(), []

        def training_step(self, batch, batch_idx):
            mu, logvar = self.vae.encode(batch[0])
            error = (batch[0] - self.vae.decode(mu)).pow(2).sum(1)
            return {"loss": (error + page.kl_of(mu, logvar).sum(1)).mean(), "mu": mu, "logvar": logvar}

        def configure_optimizers(self):
            return page.torch.optim.Adam(self.parameters())

    far = float((page.rows - page.rows.mean(0)).pow(2).sum(1).max())
    watch = page.LatentWatch(page.rows, k=4, sigma2=far)
    trainer = lightning.Trainer(
        max_epochs=4,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
        callbacks=[page.WatchLatents(watch, lambda text: None)],
    )
    trainer.fit(Module(), page.loader)
    assert watch.epoch == 1 and watch.last["N"] == 600  # stopped after the first
    assert float(trainer.callback_metrics["latents/kl_1"]) == pytest.approx(watch.last["kl"][0], rel=1e-6)


TABLE = re.compile(r"^\| `(.+?)` \| `(--.+?)` \| (.+?) \|$", re.MULTILINE)
LOSSES = TABLE.findall((DOCS / PAGE).read_text(encoding="utf-8"))
SIZES = {"n": 7, "k": 3, "B": 5, "beta": 0.3, "S": 0.8}


def said_noise(noise):
    """What a formula of the table is: products and one quotient, written without signs."""
    top, _, bottom = noise.partition("/")
    value = lambda text: np.prod([SIZES[w] if w in SIZES else float(w) for w in re.findall(r"\w+", text)])  # noqa: E731
    return value(top) / (value(bottom) if bottom else 1.0)


def test_the_table_has_its_rows():
    assert len(LOSSES) == 9


@pytest.mark.parametrize(("loss", "options", "noise"), LOSSES)
def test_the_options_of_a_loss_give_the_noise_of_the_table(loss, options, noise):
    given = dict(zip(*[iter(options.replace("--", "").split())] * 2, strict=True))
    if "sigma2" in given:
        assert said_noise(noise) == pytest.approx(SIZES["beta"] * SIZES[given["sigma2"]], rel=1e-12)
        return
    batch = SIZES[given["batch"]] if "batch" in given else None
    found = noise_of_loss(
        given["loss"], n=SIZES["n"], k=SIZES["k"], beta=SIZES["beta"], kl=given.get("kl", "sum"), batch=batch
    )
    assert found.sigma2 == pytest.approx(said_noise(noise), rel=1e-12)


@pytest.mark.parametrize(("loss", "options", "noise"), LOSSES)
def test_the_loss_as_it_is_written_means_that_noise(loss, options, noise):
    """sigma2 = b/(2a), both weights read off the gradients: 2a (xhat - x) and b, of one datum, by the same factor."""
    torch = needs("torch")
    torch.manual_seed(0)
    x = torch.randn(SIZES["B"], SIZES["n"], dtype=torch.float64)
    xhat = torch.randn_like(x, requires_grad=True)
    kl = torch.rand(SIZES["B"], SIZES["k"], dtype=torch.float64, requires_grad=True)
    names = {"torch": torch, "F": torch.nn.functional, "x": x, "xhat": xhat, "kl": kl, **SIZES}
    eval(loss, names).backward()
    error_weight = (xhat.grad / (xhat - x)).detach().numpy() / 2
    ratios = kl.grad.numpy()[:, :1] / (2 * error_weight)
    np.testing.assert_allclose(ratios, said_noise(noise), rtol=1e-10)


def read(path):
    with np.load(path) as held:
        return {name: held[name] for name in held.files}


def check(arrays, x, mu):
    assert {name: a.shape for name, a in arrays.items()} == {
        "x": (20, 6),
        "mu": (20, 2),
        "logvar": (20, 2),
        "reconstructions": (20, 6),
        "samples": (2, 20, 6),
    }
    np.testing.assert_allclose(arrays["x"], x.reshape(20, 6), rtol=1e-6)
    np.testing.assert_allclose(arrays["mu"], mu, rtol=1e-5, atol=1e-6)  # single precision
    assert not np.array_equal(*arrays["samples"])


@pytest.mark.filterwarnings("ignore")
def test_jax(tmp_path):
    jax, names, rng = needs("jax"), {}, np.random.default_rng(0)
    OTHERS["jax"].run(names)
    params, x = rng.standard_normal((6, 2)), rng.standard_normal((20, 3, 2)).astype(np.float32)
    encode = lambda W, x: (x.reshape(-1, 6) @ W, 0 * (x.reshape(-1, 6) @ W))  # noqa: E731
    names["export_from_jax"](
        encode,
        lambda W, z: (z @ W.T).reshape(-1, 3, 2),
        params,
        jax.numpy.asarray(x),
        jax.random.key(0),
        tmp_path / "v.npz",
    )
    check(read(tmp_path / "v.npz"), x, x.reshape(20, 6) @ params)
    mu, logvar = encode(params, jax.numpy.asarray(x))
    watches = [LatentWatch(np.asarray([2.0, 1.0]), 2, sigma2=1.0) for _ in range(2)]
    watches[0].add(mu, logvar)
    watches[1].add(np.asarray(mu), np.asarray(logvar))
    assert watches[0].epoch_end() == watches[1].epoch_end()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("real", [False, True])
def test_keras(tmp_path, monkeypatch, real):
    names, rng = {}, np.random.default_rng(0)
    W, x = rng.standard_normal((6, 2)).astype(np.float32), rng.standard_normal((20, 3, 2)).astype(np.float32)
    encode = lambda x: (x.reshape(-1, 6) @ W, np.zeros((len(x), 2), np.float32), None)  # noqa: E731
    decode = lambda z: (z @ W.T).reshape(-1, 3, 2)  # noqa: E731
    pair = [types.SimpleNamespace(predict=lambda a, verbose, f=f: f(a)) for f in (encode, decode)]
    if real:
        pair = keras_models(monkeypatch, W)
    OTHERS["keras"].run(names)
    names["export_from_keras"](*pair, x, tmp_path / "v.npz")
    check(read(tmp_path / "v.npz"), x, x.reshape(20, 6) @ W)


def keras_models(monkeypatch, W):
    """The same two models in Keras, where it and a backend are."""
    needs("torch")
    if "keras" not in sys.modules:
        monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = needs("keras")
    data, code = keras.Input((3, 2)), keras.Input((2,))
    dense = keras.layers.Dense(2, use_bias=False)
    mu = dense(keras.layers.Flatten()(data))
    encoder = keras.Model(data, [mu, keras.ops.zeros_like(mu), mu])
    back = keras.layers.Dense(6, use_bias=False)
    decoder = keras.Model(code, keras.layers.Reshape((3, 2))(back(code)))
    dense.set_weights([W])
    back.set_weights([W.T])
    return encoder, decoder
