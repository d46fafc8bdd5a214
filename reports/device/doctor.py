"""What is installed, what works, and what stands in the way.

Main       lines, for people; examine -> document (schema 1): versions, device, features, shadowing packages.

Every package is imported, not merely looked up: a broken installation has a version too. Nothing but the standard
library is needed here, or the doctor would be ill with the patient.
"""

import importlib
import importlib.machinery
import importlib.metadata
import importlib.util
import platform
import shutil
import sys
import textwrap
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Document = dict[str, Any]

OURS = ("verify", "gpu", "proofs", "reports")
HOUSE = Path(__file__).resolve().parents[2]
# (distribution, module, needed)
PACKAGES = (
    ("numpy", "numpy", True),
    ("scipy", "scipy", True),
    ("sympy", "sympy", True),
    ("mpmath", "mpmath", True),
    ("matplotlib", "matplotlib", True),
    ("pillow", "PIL", True),
    ("scikit-learn", "sklearn", True),
    ("rich", "rich", True),
    ("jinja2", "jinja2", True),
    ("safetensors", "safetensors", True),
    ("pyarrow", "pyarrow", True),
    ("python-flint", "flint", True),
    ("pytest", "pytest", True),
    ("hypothesis", "hypothesis", True),
    ("cupy", "cupy", False),
    ("h5py", "h5py", False),
    ("jsonschema", "jsonschema", False),
)
# Looked up and not imported: that takes seconds each, and a share of a device's memory.
PEERS = ("torch", "jax")
FEATURES = (
    ("analysis", ("numpy", "scipy")),
    ("files", ("pyarrow",)),
    ("digits", ("scikit-learn",)),
    ("images", ("pillow", "scikit-learn")),
    ("figures", ("matplotlib",)),
    ("report", ("matplotlib", "jinja2")),
    ("proofs", ("sympy", "mpmath", "pytest", "hypothesis")),
    ("checkpoints", ("safetensors",)),
    ("exact ranks", ("python-flint",)),
    ("certificates", ("python-flint",)),
    ("hdf5", ("h5py",)),
    ("validation", ("jsonschema",)),
)
# What can be done without, and what it is for.
OPTIONAL = {
    "hdf5": "to read .h5 and .h5ad files",
    "validation": "to check documents against their schemas",
    "device": "to compute on an NVIDIA GPU",
    "kernels": "to compile our kernels for one",
    "peers": "for device-check --peers",
    "mnist": "for the data mnist and fashion-mnist",
}
WIDTH = 100


def lines(document: Document) -> Iterator[str]:
    """The examination for people: what is required, what is optional, and last whether anything is wrong."""
    yield f"elbo-verify {document['version']}, Python {document['python']}"
    for heading, needed in (("required", True), ("optional", False)):
        yield f"\n{heading}"
        for f in document["features"]:
            if f["needed"] == needed:
                yield from _feature_lines(f)
    yield "\npackages"
    for p in document["packages"]:
        yield f"  {p['name']:<14} {p['version'] or '-':<12} {'' if p['needed'] else 'optional'}".rstrip()
    device = document["device"]
    if device["available"]:
        yield f"\n{_device_line(device)}"
    shadows = [_shadow(other) for other in document["shadowing"]]
    yield from ("", *shadows) if shadows else ()
    yield ""
    yield from textwrap.wrap(_conclusion(document), _width())


def _feature_lines(f: Document) -> list[str]:
    begin = f"  {f['name']:<12} {'on' if f['on'] else 'off':<4} "
    purpose = OPTIONAL.get(f["name"], "")
    said = purpose if f["on"] else f"{purpose}: {f['reason']}" if purpose else str(f["reason"])
    return textwrap.wrap(said, _width(), initial_indent=begin, subsequent_indent=" " * len(begin)) or [begin.rstrip()]


def _width() -> int:
    return min(shutil.get_terminal_size((WIDTH, 24)).columns, WIDTH)


def _conclusion(document: Document) -> str:
    """Whether what is required is there; what is merely optional is no trouble."""
    missing = [p["reason"] for p in document["packages"] if p["needed"] and p["reason"]]
    shadowed = sorted({s["package"] for s in document["shadowing"] if s["used"]})
    if shadowed:
        missing.append(f"another package {', '.join(shadowed)} is used instead of ours")
    if missing:
        return f"not in order: {'; '.join(missing)}"
    return "everything that is required is there"


def _shadow(other: Document) -> str:
    role = "is used instead of ours" if other["used"] else "is on the path as well, after ours"
    return f"another package {other['package']} at {other['place']} {role}"


def _device_line(device: Document) -> str:
    free = f", {device['free_bytes'] / 2**30:.0f} free" if device["free_bytes"] is not None else ""
    names = {
        "capability": "compute capability",
        "driver": "CUDA of the driver",
        "runtime": "of CuPy",
        "nvrtc": "of NVRTC",
    }
    versions = [f"{said} {device[name]}" for name, said in names.items() if device[name] is not None]
    return f"device: {device['name']}, {device['memory_bytes'] / 2**30:.0f} GiB{free}; {', '.join(versions)}"


def examine(data_dir: str | None = None) -> Document:
    """The whole examination; never raises on account of what it finds."""
    packages = [_package(*entry) for entry in PACKAGES]
    broken = {p["name"]: p["reason"] for p in packages if p["reason"] is not None}
    features = [_feature(name, [broken[n] for n in needs if n in broken]) for name, needs in FEATURES]
    device = _device()
    features.append(_feature("device", [] if device["available"] else [device["reason"]]))
    features.append(_feature("kernels", _kernels()))
    missing = [name for name in PEERS if importlib.util.find_spec(name) is None]
    features.append(_feature("peers", [f"{name} is not installed (pip install {name})" for name in missing]))
    features.append(_feature("mnist", _missing_mnist(data_dir)))
    others = shadowing()
    return {
        "schema": 1,
        "version": _version("elbo-verify") or _own_version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": packages,
        "features": features,
        "device": device,
        "shadowing": others,
        "notes": [*(_off(f) for f in features if not f["on"]), *map(_shadow, others)],
    }


def _off(f: Document) -> str:
    return f"{f['name']} is off{'' if f['needed'] else ', which is optional'}: {f['reason']}"


def _package(name: str, module: str, needed: bool) -> Document:
    reason = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = importlib.import_module(module)
        version = _version(name) or str(getattr(found, "__version__", "unknown"))
    except ModuleNotFoundError as error:
        version = None
        reason = f"{name} is not installed (pip install {name})"
        if error.name not in (module, None):
            reason = f"{name} needs {error.name}, which is not installed"
    except Exception as error:  # a broken installation may raise anything while it loads its libraries
        version = _version(name)
        reason = f"{name} is installed but broken ({_line(error)})"
    return {"name": name, "version": version, "needed": needed, "reason": reason}


def _feature(name: str, reasons: list[str]) -> Document:
    return {"name": name, "on": not reasons, "needed": name not in OPTIONAL, "reason": "; ".join(reasons) or None}


def _device() -> Document:
    try:
        from gpu.device import find_device

        return dict(vars(find_device()))
    except Exception as error:  # another package called gpu, say
        return {"available": False, "name": None, "memory_bytes": None, "reason": f"gpu.device fails ({_line(error)})"}


def _kernels() -> list[str]:
    """Why kernels cannot be compiled, which takes a compiler and no device."""
    try:
        from gpu.device import why_kernels_cannot_be_compiled

        return [why] if (why := why_kernels_cannot_be_compiled()) else []
    except Exception as error:  # another package called gpu, say
        return [f"gpu.device fails ({_line(error)})"]


def _missing_mnist(data_dir: str | None) -> list[str]:
    try:
        from verify.data.mnist import find_training_file

        find_training_file(data_dir)
    except Exception as error:
        return [_line(error)]
    return []


def shadowing() -> list[Document]:
    """Other packages called like ours on the path, and whether one is used instead of ours."""
    others = []
    for name in OURS:
        used = _used(name)
        places = [p for entry in dict.fromkeys(sys.path) if (p := _place(name, entry)) is not None]
        for place in dict.fromkeys([*([used] if used else []), *places]):
            if place.parent != HOUSE:
                others.append({"package": name, "place": str(place), "used": place == used})
    return others


def _used(name: str) -> Path | None:
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if file is None:
        spec = importlib.util.find_spec(name) if module is None else None
        file = None if spec is None else spec.origin
    return _folder(file)


def _place(name: str, entry: str) -> Path | None:
    """Where this entry of sys.path holds a package or module of this name (a bare folder counts for nothing)."""
    spec = importlib.machinery.PathFinder.find_spec(name, [entry or "."])
    return None if spec is None else _folder(spec.origin)


def _folder(file: str | None) -> Path | None:
    """verify/__init__.py -> verify/;  verify.py -> verify.py."""
    if file is None:
        return None
    path = Path(file).resolve()
    return path.parent if path.name.startswith("__init__.") else path


def _version(name: str) -> str | None:
    candidates = [name]
    if name == "cupy":  # its wheels are named for the CUDA that they are built for
        candidates += ["cupy-cuda13x", "cupy-cuda12x", "cupy-cuda11x"]
    for candidate in candidates:
        try:
            return importlib.metadata.version(candidate)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def _own_version() -> str | None:
    return getattr(importlib.import_module("verify"), "__version__", None)


def _line(error: BaseException) -> str:
    message = str(error).strip().splitlines()
    return message[0] if message else type(error).__name__
