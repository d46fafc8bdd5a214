"""The check of a device, over CuPy's stand-in: every comparison runs, every slip and every crash shows, 0, 1 or 2."""

import json
from functools import partial, partialmethod

import numpy as np
import pytest

from gpu import check, comparisons, kernels, throughput
from gpu.comparisons import COMPARISONS, Comparison, compare, error
from tests.emulator import device, emulated
from tests.emulator.build import Module
from tests.gpu.test_device import fail, without_cupy

TINY = 2e-4


@pytest.fixture
def cupy(monkeypatch):
    return device.install(monkeypatch)


def test_every_kernel_file_has_a_comparison_with_a_control():
    assert set(kernels.names()) <= set(COMPARISONS)
    assert all(COMPARISONS[name].flip for name in kernels.names())


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("name", COMPARISONS)
def test_every_kernel_is_its_twin_and_its_control_is_caught(cupy, monkeypatch, name, backward):
    monkeypatch.setattr(Module, "launch", partialmethod(Module.launch, backward=backward))
    launched = set()
    launch = Module.launch

    def noted(module, kernel, *args, **options):
        launched.add(kernel)
        return launch(module, kernel, *args, **options)

    monkeypatch.setattr(Module, "launch", noted)
    outcome = compare(name, cupy)
    assert outcome.agrees, outcome
    assert outcome.caught, outcome
    if COMPARISONS[name].flip is not None:
        assert launched == set(emulated(text=kernels.source(name)).names)  # no kernel of the file is left out


def test_the_seed_decides_everything(cupy):
    assert compare("gradients", cupy, seed=3) == compare("gradients", cupy, seed=3)
    assert compare("gradients", cupy, seed=3) != compare("gradients", cupy, seed=4)


def test_an_error_is_relative_and_never_hides_what_is_not_a_number():
    assert error(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == 0.0
    assert error(np.array([3.0, 4.1]), np.array([3.0, 4.0])) == pytest.approx(0.02)
    assert error(np.array([1e-3]), np.array([0.0])) == 1e-3
    assert error(np.empty(0), np.empty(0)) == 0.0
    for found, expected in [
        (np.array([np.nan]), np.array([1.0])),
        (np.array([1.0]), np.array([np.nan])),
        (np.array([np.inf]), np.array([np.inf])),
        (np.ones(2), np.ones(3)),
        (np.array([1]), np.array([2])),
        (np.array([True]), np.array([False])),
        (np.array([2**63 + 1], dtype=np.uint64), np.array([2**63], dtype=np.uint64)),  # the same as doubles
    ]:
        assert error(found, expected) == np.inf


def test_a_comparison_without_cases_is_no_agreement(cupy, monkeypatch):
    monkeypatch.setitem(COMPARISONS, "gradients", Comparison(lambda xp, rng: iter(()), None))
    assert not compare("gradients", cupy).agrees


def test_a_control_that_changes_nothing_is_missed(cupy, monkeypatch):
    harmless = Comparison(COMPARISONS["gradients"].run, ("0.5 * (1.0 / d", "0.50 * (1.0 / d"))
    monkeypatch.setitem(COMPARISONS, "gradients", harmless)
    monkeypatch.setattr(check, "COMPARISONS", {"gradients": harmless})
    lines = []
    found = check.comparisons(cupy, lines.append)
    assert not check.sound(found)
    assert lines[0].endswith("control MISSED")


def test_altered_texts_are_forgotten_afterwards_and_must_occur_once(cupy):
    patch = COMPARISONS["gradients"].flip
    with kernels.altered("gradients", patch):
        wrong = kernels.kernel("gradients", "elbo_gradients", cupy)
    right = kernels.kernel("gradients", "elbo_gradients", cupy)
    assert wrong is not right
    with kernels.altered("gradients", patch):
        assert kernels.kernel("gradients", "elbo_gradients", cupy) is wrong
    with pytest.raises(ValueError, match="0 times"), kernels.altered("gradients", ("no such text", "")):
        pass


def test_a_flipped_kernel_is_found_out_and_only_while_it_is_flipped(cupy, monkeypatch):
    monkeypatch.setitem(COMPARISONS, "hessian", Comparison(COMPARISONS["hessian"].run, None))
    with kernels.altered("hessian", ("- (i == j ? own_scale : 0.0)", "+ (i == j ? own_scale : 0.0)")):
        document = check._compared(compare("hessian", cupy))
    assert not document["agrees"] and document["worst"] > 1e-3 and document["reason"].startswith("differs")
    assert compare("hessian", cupy).agrees


def test_a_kernel_that_does_not_compile_is_a_finding(cupy, monkeypatch):
    monkeypatch.setattr(check, "COMPARISONS", {"gradients": None, "saddles": None})
    source = kernels.source
    broken = {"gradients": "no kernel\n" + source("gradients"), "saddles": source("saddles")}
    monkeypatch.setattr(kernels, "source", broken.__getitem__)
    lines = []
    gradients, saddles = check.comparisons(cupy, lines.append)
    assert gradients["reason"].startswith("text.cu does not compile") and not gradients["agrees"]
    assert saddles["agrees"]
    assert lines[0].startswith("gradients    fails: ")
    assert not check.sound([gradients, saddles])
    assert check.sound([saddles])
    assert not check.sound([])


class Ticks:
    """A clock on which every call takes one second; it counts them."""

    calls = 0

    def __call__(self, work):
        work()
        self.calls += 1
        return 1.0


def test_every_figure_has_its_floor(cupy):
    clock = Ticks()
    document = check.throughput(cupy, clock, TINY)
    names = {f["name"] for f in document["figures"]}
    assert names == {
        "gradients", "hessian", "profile_hessian", "eigenvalues", "enumeration", "saddle points", "saddle escapes",
        "landscape", "Hessian products", "ends of a Hessian", "VAE step",
    }  # fmt: skip
    assert document["missed"] == []
    assert clock.calls >= throughput.REPEATS * (2 + len(document["figures"]))
    for f in document["figures"]:
        assert f["seconds"] == 1.0 and f["per_second"] == f["count"]
        assert f["floor_seconds"] > 0 and f["of_floor"] == 1.0 / f["floor_seconds"]
        assert (f["library_agrees"], f["library_seconds"]) == (
            (True, 1.0) if f["name"] == "eigenvalues" else (None, None)
        )
    json.dumps(document, allow_nan=False)


def out_of_memory(*arguments):
    raise MemoryError("Out of memory allocating 9 bytes")


@pytest.mark.parametrize(("fails", "memory"), [(out_of_memory, True), (fail("CUDA_ERROR_X\nand more"), False)])
def test_what_breaks_is_missed_and_the_others_are_measured(cupy, monkeypatch, fails, memory):
    def jobs(xp, rng, scale):
        job = partial(throughput.Job, unit="things", count=1, bytes=1.0, operations=1.0)
        yield job("one", "small", work=lambda: None)
        yield job("one", "large", work=fails)
        yield job("one", "middle", work=lambda: None)
        fails()

    monkeypatch.setattr(throughput, "WORKLOADS", {"one": jobs, "planes": throughput.WORKLOADS["landscape"]})
    lines = []
    document = check.throughput(cupy, Ticks(), TINY, lines.append)
    assert [f["size"] for f in document["figures"][:2]] == ["small", "middle"]
    assert {f["name"] for f in document["figures"]} == {"one", "landscape"}
    assert [(m["name"], m["size"], m["memory"]) for m in document["missed"]] == [
        ("one", "large", memory), ("one", None, memory),
    ]  # fmt: skip
    assert all("\n" not in m["reason"] for m in document["missed"])
    assert sum("missed: " in line for line in lines) == 2


def test_the_floor_is_that_of_the_bytes_or_of_the_operations():
    rates = throughput.Machine(bandwidth=100.0, rate=10.0)
    job = throughput.Job("a job", "", "things", 4, bytes=500.0, operations=20.0, work=lambda: None)
    figure = throughput._figure(job, rates, lambda work: 15.0)
    assert (figure.floor, figure.floor_seconds, figure.of_floor) == ("bytes", 5.0, 3.0)
    job = throughput.Job("a job", "", "things", 4, bytes=100.0, operations=60.0, work=lambda: None)
    figure = throughput._figure(job, rates, lambda work: 15.0)
    assert (figure.floor, figure.floor_seconds, figure.of_floor) == ("operations", 6.0, 2.5)


def test_a_library_with_another_answer_is_not_timed():
    ours, theirs = np.ones(3), np.ones(3) + 1e-6
    job = throughput.Job("a job", "", "things", 1, 1.0, 1.0, lambda: ours, lambda: theirs)
    figure = throughput._figure(job, throughput.Machine(1.0, 1.0), lambda work: 1.0)
    assert figure.library_agrees is False and figure.library_seconds is None


def test_a_library_that_cannot_do_it_leaves_our_figure_alone():
    job = throughput.Job("a job", "", "things", 1, 1.0, 1.0, lambda: np.ones(3), fail("CUSOLVER_STATUS_ALLOC_FAILED"))
    figure = throughput._figure(job, throughput.Machine(1.0, 1.0), lambda work: work() is None or 1.0)
    assert (figure.seconds, figure.library_agrees, figure.library_seconds) == (1.0, None, None)


@pytest.mark.parametrize(
    ("taken", "median", "calls"), [([1.5, 9.0, 1.0, 2.0, 3.0, 100.0], 3.0, 6), ([50.0, 40.0, 1.0], 40.0, 2)]
)
def test_the_first_call_is_not_timed_and_a_slow_one_is_timed_once(taken, median, calls):
    called, ticks = [], iter(taken)
    assert throughput.seconds(lambda: called.append(1), lambda work: work() or next(ticks)) == median
    assert len(called) == calls


def test_events_measure_in_seconds(cupy):
    clock = throughput.Events(cupy)
    assert 0.0 <= clock(lambda: None) < 1.0


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(check, "QUICK", TINY)


def test_the_command_prints_a_line_for_each_and_writes_json(cupy, small, capsys, tmp_path):
    assert check.main(["--quick", "--json", str(tmp_path / "out.json")]) == 0
    out = capsys.readouterr().out.splitlines()
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["device"]["name"] == "Emulator"
    assert [c["name"] for c in document["comparisons"]] == list(COMPARISONS)
    assert len(out) == len(COMPARISONS) + 1 + len(document["throughput"]["figures"])


def test_the_command_ends_with_1_where_a_kernel_is_wrong(cupy, small, monkeypatch, capsys):
    source = kernels.source
    wrong = source("saddles").replace("2.0 * off * off", "-2.0 * off * off")
    monkeypatch.setattr(kernels, "source", lambda name: wrong if name == "saddles" else source(name))
    assert check.main(["--quick"]) == 1
    assert "saddles      DIFFERS" in capsys.readouterr().out


def test_without_a_device_the_command_says_why_in_one_line(monkeypatch, capsys):
    without_cupy(monkeypatch, ModuleNotFoundError("No module named 'cupy'"))
    assert check.main([]) == 2
    assert capsys.readouterr().err.startswith("gpu.check: backend cupy: CuPy cannot be imported")


def test_a_file_that_cannot_be_written_is_said_before_anything_runs(cupy, capsys, tmp_path):
    assert check.main(["--json", str(tmp_path / "nowhere" / "out.json")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_out_of_memory_is_a_finding_of_its_kernel(cupy, monkeypatch):
    monkeypatch.setattr(check, "COMPARISONS", {"gradients": None})
    monkeypatch.setattr(comparisons, "gradients", fail("out of memory"))
    assert check.comparisons(cupy)[0]["reason"] == "out of memory"
