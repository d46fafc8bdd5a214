"""elbo-verify collapse: the document against the definition, what second moments suggest, names and files."""

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from reports.cli import main
from tests.reports.schemas import check
from verify.analysis.collapse import collapse_document, moment_notes
from verify.analysis.latents import NAMES, read_latents
from verify.errors import InputError


def naive_collapse(mu, logvar, epsilon, delta):
    N, k = mu.shape
    lost = 0
    for i in range(k):
        within = 0
        for x in range(N):
            divergence = 0.5 * (mu[x, i] ** 2 + np.exp(logvar[x, i]) - 1 - logvar[x, i])
            within += divergence < epsilon
        lost += within / N >= 1 - delta
    return 100 * lost / k


def test_collapse_is_measured_datum_by_datum():
    rng = np.random.default_rng(0)
    mu = rng.normal(size=(200, 6)) * [2, 1, 0.3, 0.05, 0.01, 0]
    mu[:3, 5] = 4.0  # three data in two hundred use this latent
    logvar = rng.normal(size=(200, 6)) * 0.1
    epsilons = [0.01, 0.05, 0.1, 0.5, 2.0]
    document = collapse_document(mu, logvar, epsilons, 0.02)
    found = [row["collapsed_percent"] for row in document["curve"]]
    assert found == pytest.approx([naive_collapse(mu, logvar, e, 0.02) for e in epsilons])
    assert len(set(found)) > 2
    # control: the mean over data instead of the proportion calls the last latent alive
    averaged = [100 * np.mean(np.array(document["kl"]) < e) for e in epsilons]
    assert found != pytest.approx(averaged)
    assert document["kl_total"] == pytest.approx(sum(document["kl"]))
    assert document["active_units"] == sum(np.var(mu[:, i]) > 0.01 for i in range(6))
    np.testing.assert_allclose(document["second_moment"], (mu**2 + np.exp(logvar)).mean(axis=0), rtol=1e-12)
    assert document["collapsed_percent"] == found[0] and document["epsilon"] == 0.01


def encoder(N=500, seed=0):
    """mu, logvar of an encoder at the optimum, drawn: mean square plus variance 1, the second latent collapsed."""
    rng = np.random.default_rng(seed)
    variance = np.array([0.05, 0.9999, 0.1])
    return rng.normal(size=(N, 3)) * np.sqrt(1 - variance), np.log(variance) * np.ones((N, 3))


def test_the_headline_is_at_the_epsilon_of_the_papers_tables(tmp_path, capsys):
    mu, logvar = encoder()
    np.savez(tmp_path / "l.npz", mu=mu, logvar=logvar)
    assert main(["collapse", str(tmp_path / "l.npz")]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "1 of 3 latents has collapsed over 500 data (number 2): a KL below 0.01 nats for at least 99% of the" in out
    assert "2 of 3 latents are active: the variance of their mean over the data exceeds 0.01" in out
    document = collapse_document(mu, logvar, None, Decimal("0.01"))
    assert (document["epsilon"], document["collapsed"]) == (0.01, [2])
    assert collapse_document(mu, logvar, [0.5, 2.0], 0.01)["epsilon"] == 0.5


def test_a_delta_near_one_still_asks_for_one_datum(tmp_path, capsys):
    np.savez(tmp_path / "l.npz", mu=np.full((500, 2), 3.0), logvar=np.zeros((500, 2)))
    assert main(["collapse", str(tmp_path / "l.npz"), "--delta", "0.9999999999", "--json"]) == 0
    document = check("collapse", json.loads(capsys.readouterr().out))
    assert document["collapsed"] == [] and document["curve"][-1]["collapsed_percent"] == 0


SUGGESTED = {
    "holds variances: ": lambda mu, logvar, rng: (mu, np.exp(logvar)),
    "holds standard deviations: ": lambda mu, logvar, rng: (mu, np.exp(logvar / 2)),
    "logarithms of standard deviations": lambda mu, logvar, rng: (mu, logvar / 2),
    "samples of z": lambda mu, logvar, rng: (mu + np.exp(logvar / 2) * rng.normal(size=mu.shape), logvar),
    "has not converged": lambda mu, logvar, rng: (2 * mu, logvar),
}


@pytest.mark.parametrize("said", SUGGESTED)
def test_second_moments_away_from_one_suggest_what_was_mistaken(said):
    [note] = moment_notes(*SUGGESTED[said](*encoder(20000), np.random.default_rng(1)))
    assert said in note and "suggests" in note
    assert [other for other in SUGGESTED if other in note] == [said]


def test_an_encoder_at_its_optimum_suggests_nothing():
    """Neither on its own data nor on some that it was not trained on, within their sampling error."""
    assert all(moment_notes(*encoder(seed=seed)) == [] for seed in range(20))
    mu, logvar = encoder(20)
    assert moment_notes(3 * mu, logvar) == []  # of so few data nothing is said


def test_notes_are_in_the_document_even_if_nobody_hears_them(tmp_path, capsys):
    mu, logvar = encoder()
    np.savez(tmp_path / "l.npz", z_mean=2 * mu, std=np.exp(logvar / 2))
    assert main(["collapse", str(tmp_path / "l.npz"), "--json", "--quiet"]) == 0
    told = capsys.readouterr()
    document = check("collapse", json.loads(told.out))
    assert told.err == "" and len(document["notes"]) == 2
    assert "standard deviation" in document["notes"][0] and "suggests" in document["notes"][1]
    assert main(["collapse", str(tmp_path / "l.npz")]) == 0
    told = capsys.readouterr()
    assert all(note in told.err for note in document["notes"])


FROM_LOGVAR = {"logvar": lambda a: a, "variance": np.exp, "standard deviation": lambda a: np.exp(a / 2)}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in FROM_LOGVAR for name in NAMES[kind]])
def test_every_known_name_gives_the_same_latents(kind, name, tmp_path):
    mu, logvar = encoder()
    np.savez(tmp_path / "l.npz", **{"Mean": mu, name: FROM_LOGVAR[kind](logvar)})
    found = read_latents([tmp_path / "l.npz"])
    np.testing.assert_array_equal(found.mu, mu)
    np.testing.assert_allclose(found.logvar, logvar, rtol=1e-12, atol=1e-15)  # exp and log round
    assert bool(found.notes) == (kind != "logvar") and all(kind in note for note in found.notes)


def test_pairs_of_files_and_safetensors_hold_the_same(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    mu, logvar = encoder()
    np.save(tmp_path / "test-mu.npy", mu)
    np.save(tmp_path / "z_log_var.npy", logvar)
    safetensors.save_file({"loc": mu, "scale": np.exp(logvar / 2)}, tmp_path / "l.safetensors")
    pair = [tmp_path / "test-mu.npy", tmp_path / "z_log_var.npy"]
    for paths in (pair, pair[::-1], [tmp_path / "l.safetensors"]):
        found = read_latents(paths)
        np.testing.assert_array_equal(found.mu, mu)
        np.testing.assert_allclose(found.logvar, logvar, rtol=1e-12, atol=1e-15)


def saved(folder: Path, **arrays) -> list[Path]:
    np.savez(folder / "l.npz", **arrays)
    return [folder / "l.npz"]


def npy(folder: Path, **arrays) -> list[Path]:
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return [folder / f"{name}.npy" for name in arrays]


Z = np.zeros((6, 2))
REFUSED = {
    "it holds a, b, and needs mu and logvar": lambda f: saved(f, a=Z, b=Z),
    "log_var, std could be meant": lambda f: saved(f, mean=Z, log_var=Z, std=Z + 1),
    "mean, z_mean could be meant": lambda f: saved(f, mean=Z, z_mean=Z, logvar=Z),
    "std is 0 at row 1, column 1": lambda f: saved(f, mu=Z, std=Z),
    "reshape(6, -1) makes it (6, 2)": lambda f: saved(f, mu=Z[..., None], logvar=Z[..., None]),
    "take [0], of shape (6, 2)": lambda f: saved(f, mu=Z[None], logvar=Z[None]),
    "reshape(-1, 1)": lambda f: saved(f, mu=Z[:, 0], logvar=Z[:, 0]),
    "names do not say": lambda f: npy(f, a=Z, b=Z),
    "names do not say which holds": lambda f: npy(f, mu=Z, z_mean=Z),
    "name two files": lambda f: npy(f, mu=Z),
    "both must be .npy": lambda f: [*npy(f, mu=Z), *saved(f, mu=Z, logvar=Z)],
    "3 files": lambda f: npy(f, mu=Z, logvar=Z, std=Z),
    "a pickle, which is never loaded": lambda f: [f / "latents.pt"],
    "no .npy file": lambda f: [(f / "mu.npy", (f / "mu.npy").write_text("hello"))[0], *npy(f, logvar=Z)],
    "no such file": lambda f: [f / "missing.safetensors"],
    "cannot be read": lambda f: [(f / "l.safetensors", (f / "l.safetensors").write_text("hello"))[0]],
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_cannot_be_read_says_what_to_do(said, tmp_path, capsys):
    paths = REFUSED[said](tmp_path)
    with pytest.raises(InputError) as refused:
        read_latents(paths)
    assert said in str(refused.value)
    assert main(["collapse", *map(str, paths)]) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1


def test_mu_and_logvar_go_before_other_names(tmp_path):
    found = read_latents(saved(tmp_path, mu=Z, logvar=Z, std=Z + 1, mean=Z + 7))
    assert not found.mu.any() and not found.logvar.any() and "mean, std left aside" in found.notes[0]


def test_one_of_many_latents_a_little_off_suggests_no_misreading():
    """Of log standard deviations one latent in twenty would be off no more than all others are."""
    rng = np.random.default_rng(2)
    logvar = np.full((5000, 20), np.log(0.05))
    mu = np.sqrt(0.95) * rng.standard_normal((5000, 20))
    mu[:, 10] *= np.sqrt(1.25)
    [note] = moment_notes(mu, logvar)
    assert "1 of 20" in note and "not converged" in note and "standard deviations" not in note
