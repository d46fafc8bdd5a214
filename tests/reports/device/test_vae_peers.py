"""PyTorch's ways to train the ensemble, on its CPU beside CuPy's stand-in: compared, then timed, or a reason."""

import json

import pytest

from reports.cli import main
from reports.device import check as acceptance
from reports.device import peers, vae_peers
from tests.emulator import device
from tests.reports.schemas import check

SCALE = 2e-4
NAMES = [way.name for way in vae_peers.WAYS]
# What other libraries warn of is not ours to mend.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def cupy(monkeypatch):
    return device.install(monkeypatch)


@pytest.fixture
def there():
    """PyTorch on the CPU; "eager" traces as Inductor would and compiles nothing."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield vae_peers.There(torch, "cpu", lambda f, mode: torch.compile(f, backend="eager", fullgraph=True))
    torch.set_num_threads(threads)


def measured(cupy, there):
    before = there.library.get_float32_matmul_precision()
    rows = vae_peers.measure(cupy, SCALE, lambda: there)
    assert there.library.get_float32_matmul_precision() == before
    assert [row["peer"] for row in rows] == NAMES * len(vae_peers.AGREES)
    return rows


def test_every_way_answers_as_ours_does_and_is_timed(cupy, there, tmp_path, monkeypatch):
    monkeypatch.setattr(acceptance, "SCALE", SCALE)
    monkeypatch.setattr(acceptance, "STAGES", {"peers": acceptance.peers})
    monkeypatch.setattr(peers, "PEERS", {})
    measure = vae_peers.measure
    monkeypatch.setattr(vae_peers, "measure", lambda xp, scale: measure(xp, scale, lambda: there))
    assert main(["device-check", "--peers", "--out", str(tmp_path)]) == 0
    document = check("device-check", json.loads((tmp_path / "device-check-emulator.json").read_text()))
    [stage], notes = document["stages"], document["notes"]
    assert notes == [] and len(stage["result"]) == len(NAMES) * len(vae_peers.AGREES)
    for row in stage["result"]:
        assert row["agrees"] and row["seconds"] > 0 and row["peer_seconds"] > 0 and row["count"] == 2 * 5
        # The CPU has no tf32; sums of some ten terms in float32, and bf16's 2^-8 through six layers.
        assert row["difference"] <= (5e-2 if "bf16" in row["task"] else 1e-5)
        assert ("theirs is one model's times 2" in row["task"]) == (row["peer"] == NAMES[0])


@pytest.mark.parametrize("way", vae_peers.WAYS, ids=NAMES)
def test_training_moves_models_as_ours_are_moved(cupy, there, way, monkeypatch):
    """Two steps of Adam by its formula from their own gradients; stacked models as each alone."""
    torch = there.library
    problem, _ = vae_peers._ours(cupy, there, *vae_peers.table_models(SCALE))
    which = slice(None) if way.stacked else 0
    gradient = vae_peers._gradient(there, way, "float32")
    seen = []

    def kept(parameters, x, noise):
        seen.append((x, gradient(parameters, x, noise)))
        return seen[-1][1]

    p = {name: a[which].clone() for name, a in problem.parameters.items()}
    step = vae_peers._training(there, kept, p, problem.X, problem.noise[which].shape)
    expected = {name: a.clone() for name, a in p.items()}
    first, second = ({name: torch.zeros_like(a) for name, a in p.items()} for _ in range(2))
    for t in (1, 2):
        step()
        x, g = seen[-1]
        assert x.shape == problem.x[which].shape and (x[..., None, :] == problem.X).all(-1).any(-1).all()
        for name in p:
            first[name] = 0.9 * first[name] + 0.1 * g[name]
            second[name] = 0.999 * second[name] + 0.001 * g[name] ** 2
            root = (second[name] / (1 - 0.999**t)).sqrt() + 1e-8
            expected[name] -= vae_peers.LEARNING_RATE * first[name] / (1 - 0.9**t) / root
            assert (p[name] - expected[name]).abs().max() <= 1e-6  # float32
    rows = torch.cat([x.reshape(-1, x.shape[-2], x.shape[-1]) for x, _ in seen], dim=1)
    assert all(len(torch.unique(each, dim=0)) == each.shape[0] for each in rows)  # no row twice in an epoch


@pytest.mark.parametrize("wrong", ["sign of the KL", "NaN"])
def test_another_loss_is_rejected_and_not_timed(cupy, there, monkeypatch, wrong):
    right, factor = vae_peers._divergence, {"sign of the KL": -1.0, "NaN": float("nan")}[wrong]
    monkeypatch.setattr(vae_peers, "_divergence", lambda *args: factor * right(*args))
    for row in measured(cupy, there):
        assert row["agrees"] is False and row["peer_seconds"] is None and row["reason"] == peers.OTHERWISE
        assert json.loads(json.dumps(row, allow_nan=False))["difference"] > 0.2


def test_what_a_way_raises_is_the_reason_of_its_row_alone(cupy, there):
    def broken(function, mode):
        raise RuntimeError("backend='inductor' raised:\nFailed to find C compiler\nand a long story")

    freed = []

    class Counted(vae_peers.There):
        def free(self):
            freed.append(vae_peers.There.free(self))

    rows = measured(cupy, Counted(there.library, "cpu", broken))
    for row in rows:
        if row["peer"] == "torch.func.vmap":
            assert row["agrees"] and row["peer_seconds"] > 0 and row["reason"] is None
        else:
            assert row["reason"] == "backend='inductor' raised: Failed to find C compiler"
            assert row["agrees"] is None and row["peer_seconds"] is None
    assert len(freed) == 1 + len(rows)


def test_no_row_is_begun_after_its_time(cupy, there, monkeypatch):
    monkeypatch.setattr(vae_peers, "WHOLE", 0.0)
    assert all(row["reason"].startswith("not begun") and row["agrees"] is None for row in measured(cupy, there))


def test_where_torch_is_not_there_one_row_says_so(cupy):
    def absent():
        raise peers.Absent("torch sees no CUDA device")

    [row] = vae_peers.measure(cupy, SCALE, absent)
    assert (row["peer"], row["version"], row["reason"]) == ("torch", None, "torch sees no CUDA device")
    assert row["task"] == "a training step of 2 models, batch 5"
