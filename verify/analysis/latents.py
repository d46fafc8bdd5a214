"""Other people's latents: the means and variances of an encoder, in whatever names and files they come.

Notation   mu, logvar (N, k): mean and log variance of q(z|x) for each datum.
Main       read_latents -> Latents; settled, of arrays that were chosen by their names; NAMES.

What is given as a standard deviation or a variance is converted, and that is said. Nothing is guessed: names that are
unknown, and two arrays that could both be meant, are refused.
"""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from verify.arrays import Array
from verify.errors import InputError, first_line

# The names that models in circulation give them, in lower case; ours first.
NAMES = {
    "mean": ("mu", "mean", "means", "mus", "z_mean", "z_mu", "mu_z", "loc"),
    "logvar": ("logvar", "log_var", "logvariance", "log_variance", "z_log_var", "z_logvar", "logvar_z", "logvars"),
    "variance": ("var", "variance", "variances", "z_var"),
    "standard deviation": ("std", "stds", "stddev", "std_dev", "sigma", "scale", "z_std", "z_sigma"),
}
SPREADS = ("logvar", "variance", "standard deviation")
PICKLES = (".pt", ".pth", ".pkl", ".pickle")
NEEDED = "mu and logvar (or std, or var), each (N, k)"
TO_LOGVAR: dict[str, Callable[[Array], Array]] = {
    "logvar": lambda a: a,
    "variance": np.log,
    "standard deviation": lambda a: 2 * np.log(a),
}


@dataclass(frozen=True)
class Latents:
    """mu and logvar (N, k) float64, finite, and what was done to have them."""

    mu: Array
    logvar: Array
    notes: list[str] = field(default_factory=list)


Chosen = tuple[tuple[str, Array], tuple[str, str, Array], list[str]]


def read_latents(paths: Sequence[Path]) -> Latents:
    """Of one .npz or .safetensors file, or of two .npy files.  Raises InputError: names, shapes, damage, NaN."""
    if len(paths) > 2:
        raise InputError(f"{len(paths)} files: name one .npz or .safetensors, or two .npy, the means and the variances")
    if len(paths) == 2 or paths[0].suffix.lower() == ".npy":
        arrays = _pair(paths)
    elif paths[0].suffix.lower() == ".safetensors":
        arrays = _safetensors(paths[0])
    else:
        arrays = _npz(paths[0])
    return settled(arrays)


def settled(arrays: Chosen) -> Latents:
    """mu and logvar, out of what was chosen.  Raises InputError: shapes, NaN, what is no variance."""
    (mean, mu), (spread, kind, variances), notes = arrays
    mu, variances = checked(mu, mean), checked(variances, spread)
    if mu.shape != variances.shape:
        raise InputError(f"{mean} has shape {mu.shape}, {spread} {variances.shape}; both must be (N, k)")
    if kind != "logvar":
        _positive(variances, spread, kind)
        notes = [*notes, f"{spread} is taken for the {kind} of each latent, by its name, and turned into log variances"]
    return Latents(mu, TO_LOGVAR[kind](variances), notes)


def chosen(where: str, names: Sequence[str]) -> tuple[str, str, str, list[str]]:
    """Which array is the mean, which tells the variance, and as what; notes.  Raises InputError."""
    known = {name.lower(): name for name in names}
    found = {kind: [known[n] for n in some if n in known] for kind, some in NAMES.items()}
    spreads = [(name, kind) for kind in SPREADS for name in found[kind]]
    if not found["mean"] or not spreads:
        missing = [w for w, f in (("mu", found["mean"]), ("logvar", spreads)) if not f]
        held = ", ".join(sorted(names)) or "nothing"
        raise InputError(f"{where}: no array {' and no '.join(missing)}; it holds {held}, and needs {NEEDED}")
    ambiguous = [*found["mean"]] if len(found["mean"]) > 1 else []
    ambiguous += [name for name, _ in spreads] if len(spreads) > 1 else []
    if not ambiguous:
        return found["mean"][0], *spreads[0], []
    if {"mu", "logvar"} <= set(names):
        aside = [name for name in ambiguous if name not in ("mu", "logvar")]
        return "mu", "logvar", "logvar", [f"{where}: mu and logvar are read; {', '.join(aside)} left aside"]
    raise InputError(f"{where}: {', '.join(ambiguous)} could be meant; keep one for the mean and one for the variance")


def _npz(path: Path) -> Chosen:
    if path.suffix.lower() in PICKLES:
        raise InputError(
            f"{path}: a pickle, which is never loaded; save with numpy.savez('latents.npz', mu=mu.numpy(), "
            "logvar=logvar.numpy())"
        )
    with readable(path, "no .npz file, or truncated; write it again with numpy.savez"):
        with zipfile.ZipFile(path):
            pass  # numpy.load would read anything else as a pickle, and say so
        with np.load(path, allow_pickle=False) as archive:
            mean, spread, kind, notes = chosen(str(path), archive.files)
            return (mean, archive[mean]), (spread, kind, archive[spread]), notes


def _safetensors(path: Path) -> Chosen:
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError:
        raise InputError(f"{path}: reading it needs safetensors (pip install safetensors); or save an .npz") from None
    with readable(path, "is damaged, or no .safetensors file"):
        path.open("rb").close()  # a missing file is told as with other formats
        try:
            with safe_open(path, framework="numpy") as file:
                mean, spread, kind, notes = chosen(str(path), list(file.keys()))
                return (mean, file.get_tensor(mean)), (spread, kind, file.get_tensor(spread)), notes
        except (SafetensorError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: cannot be read ({first_line(error)}); save float32 or float64 arrays") from None


def _pair(paths: Sequence[Path]) -> Chosen:
    """Two .npy files, told apart by their names."""
    if len(paths) == 1:
        raise InputError(f"{paths[0]}: one array; name two files, for instance mu.npy logvar.npy, or an .npz of both")
    wrong = [path for path in paths if path.suffix.lower() != ".npy"]
    if wrong:
        raise InputError(f"{wrong[0]}: of two files both must be .npy; name one .npz or .safetensors by itself")
    kinds = [_kind(path) for path in paths]
    if kinds.count("mean") != 1 or None in kinds:
        raise InputError(
            f"{paths[0]} {paths[1]}: their names do not say which holds the means and which the variances; "
            "call them mu.npy and logvar.npy (or std.npy, var.npy)"
        )
    first = kinds.index("mean")
    mean, spread = paths[first], paths[1 - first]
    return (str(mean), _npy(mean)), (str(spread), str(kinds[1 - first]), _npy(spread)), []


def _kind(path: Path) -> str | None:
    """What a file's name says it holds: mu.npy, test-mu.npy, z_log_var.npy; the longest known name at its end."""
    stem = path.stem.lower()
    ends = [
        (len(name), kind)
        for kind, names in NAMES.items()
        for name in names
        if re.search(rf"(^|[^a-z0-9]){re.escape(name)}$", stem)
    ]
    return max(ends)[1] if ends else None


def _npy(path: Path) -> Array:
    with readable(path, "no .npy file, or truncated; write it again with numpy.save"):
        with path.open("rb") as file:
            if file.read(6) != b"\x93NUMPY":
                raise EOFError
        return np.load(path, allow_pickle=False)


@contextmanager
def readable(path: Path, damaged: str) -> Iterator[None]:
    """Whatever goes wrong with a file, as one line that names it."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: no such file (looked in {path.absolute().parent})") from None
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise InputError(f"{path}: {damaged}") from None
    except ValueError as error:
        pickled = "pickle" in str(error).lower()
        why = "holds Python objects (a pickle), which are never loaded" if pickled else "is damaged"
        raise InputError(f"{path}: {why}; save mu and logvar as plain numbers") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (SyntaxError, TypeError, KeyError, RuntimeError, NotImplementedError, OverflowError):
        raise InputError(f"{path}: is damaged; write it again") from None


def checked(array: Array, name: str) -> Array:
    """Finite float64 (N, k), N and k at least 1.  Raises InputError."""
    array = np.asarray(array)
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name} is of type {array.dtype}, not real numbers; save it as float64")
    if array.ndim != 2 or array.size == 0:
        raise InputError(f"{name} has shape {array.shape}; it must be (N, k), one row per datum{_reshaped(array)}")
    array = array.astype(np.float64, copy=False)
    finite(array, name, "every entry must be a finite number")
    return array


def _reshaped(array: Array) -> str:
    """What to do about a shape such as (N, k, 1), as frameworks export it."""
    if array.size == 0 or array.ndim == 0:
        return ""
    if array.ndim == 1:
        return "; one latent alone is (N, 1): reshape(-1, 1)"
    if array.shape[0] == 1:
        return f"; if the first axis is a batch of batches, take [0], of shape {array.shape[1:]}"
    N, k = array.shape[0], array.size // array.shape[0]
    return f"; if each of the {N} rows is a datum, reshape({N}, -1) makes it ({N}, {k})"


def finite(array: Array, name: str, advice: str) -> None:
    """Raises InputError at the first entry that is no finite number."""
    if np.isfinite(array).all():
        return
    row, column = np.argwhere(~np.isfinite(array))[0]
    value = "NaN" if np.isnan(array[row, column]) else "infinite"
    raise InputError(f"{name} is {value} at row {row + 1}, column {column + 1}; {advice}")


def _positive(array: Array, name: str, kind: str) -> None:
    if (array > 0).all():
        return
    row, column = np.argwhere(array <= 0)[0]
    raise InputError(
        f"{name} is {array[row, column]:g} at row {row + 1}, column {column + 1}, and a {kind} is positive; "
        "if it holds logarithms of variances, call it logvar"
    )
