"""The doctor on devices, kernels and peers: each is on, or off with a sentence; the document is valid either way."""

import importlib.util

import pytest

from gpu.device import Device
from reports.cli import main
from reports.device import doctor
from tests.emulator import device
from tests.gpu.test_device import fail, without_cupy
from tests.reports.schemas import check


def features():
    document = check("doctor", doctor.examine())
    return {f["name"]: f for f in document["features"]}, document["device"]


def test_a_device_is_described(monkeypatch, capsys):
    found = Device(True, "NVIDIA H200", 141 * 2**30, "", 140 * 2**30, "9.0", "14.2.0", "13.2", "13.0", None)
    monkeypatch.setattr("gpu.device.find_device", lambda: found)
    on, described = features()
    assert on["device"]["on"] and described["free_bytes"] == 140 * 2**30
    assert main(["doctor"]) == 0
    line = "device: NVIDIA H200, 141 GiB, 140 free; compute capability 9.0, CUDA of the driver 13.2, of CuPy 13.0"
    assert line in capsys.readouterr().out.splitlines()


def test_without_cupy_neither_device_nor_kernels(monkeypatch):
    without_cupy(monkeypatch, ModuleNotFoundError("No module named 'cupy'"))
    on, _ = features()
    for name in ("device", "kernels"):
        assert not on[name]["on"] and on[name]["reason"].startswith("CuPy cannot be imported")


def test_kernels_may_be_compiled_where_no_device_is(monkeypatch):
    monkeypatch.setattr("gpu.device.find_device", lambda: Device(False, reason="the driver sees no CUDA device"))
    monkeypatch.setattr("gpu.device.why_kernels_cannot_be_compiled", lambda: "")
    on, _ = features()
    assert not on["device"]["on"] and on["kernels"]["on"]


def test_the_other_way_round(monkeypatch):
    device.install(monkeypatch)  # the stand-in compiles nothing by NVRTC
    on, _ = features()
    assert on["device"]["on"]
    assert on["kernels"]["reason"].startswith("NVRTC does not work (")


@pytest.mark.parametrize("there", [(), ("torch",), ("torch", "jax")])
def test_peers_are_on_if_all_are_there(monkeypatch, there):
    look = importlib.util.find_spec

    def found(name, *rest):
        return look("json") if name in there else None if name in doctor.PEERS else look(name, *rest)

    monkeypatch.setattr("importlib.util.find_spec", found)
    peers = features()[0]["peers"]
    missing = [name for name in doctor.PEERS if name not in there]
    assert peers["on"] == (not missing)
    assert all(f"{name} is not installed (pip install {name})" in peers["reason"] for name in missing)


@pytest.mark.parametrize("question", ["find_device", "why_kernels_cannot_be_compiled"])
def test_a_gpu_package_that_fails_is_no_crash(monkeypatch, question):
    monkeypatch.setattr(f"gpu.device.{question}", fail("somebody else's gpu"))
    on, _ = features()
    name = "device" if question == "find_device" else "kernels"
    assert on[name]["reason"] == "gpu.device fails (somebody else's gpu)"


def conclusion(document):
    return list(doctor.lines(document))[-1]


def test_what_is_optional_is_off_without_trouble_and_what_is_required_is_not():
    document = doctor.examine()
    for f in document["features"]:
        if not f["needed"]:
            f |= {"on": False, "reason": "it is not installed"}
    for p in document["packages"]:
        p |= {"version": "1", "reason": None} if p["needed"] else {"version": None, "reason": "not installed"}
    document["shadowing"] = []
    assert conclusion(document) == "everything that is required is there"
    said = list(doctor.lines(document))
    for name, purpose in doctor.OPTIONAL.items():
        line = next(line for line in said if line.split()[:2] == [name, "off"])
        assert purpose in line and said.index(line) > said.index("\noptional")
    arrow = next(p for p in document["packages"] if p["name"] == "pyarrow")
    arrow |= {"version": None, "reason": "pyarrow is not installed (pip install pyarrow)"}
    assert conclusion(document) == "not in order: pyarrow is not installed (pip install pyarrow)"  # control


def test_every_optional_feature_is_examined():
    on, _ = features()
    assert doctor.OPTIONAL.keys() == {name for name, f in on.items() if not f["needed"]}


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_lines_fit_the_terminal(monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    without_cupy(monkeypatch, ModuleNotFoundError("No module named 'cupy'"))
    said = "\n".join(doctor.lines(doctor.examine())).splitlines()
    assert max(map(len, said)) <= min(width, 100)
