"""The formats of files: which reader takes which file, and what is said of a file that none takes.

Main       read, image_of, split, ENDINGS.

A file goes by its ending.  Where its first bytes say that it is something else, it is refused as what it is in truth.
"""

import difflib
import importlib
import re
from collections.abc import Callable
from pathlib import Path

from verify.data.files import foreign
from verify.data.files.found import Asked, Found
from verify.data.files.opening import readable, sha256_of
from verify.errors import InputError, about

TEXT = (".csv", ".tsv", ".txt", ".dat", ".data", ".tab", ".asc", ".prn", ".psv", ".ssv")
PACKED = (".gz", ".bz2", ".xz")
# Where the reader of each lies: the libraries behind them are imported when there is a file to read.
_READERS = {
    ".npy": ("npy", "read_npy"),
    ".npz": ("npy", "read_npz"),
    ".mat": ("mat", "read_mat"),
    ".safetensors": ("tensors", "read_safetensors"),
    ".parquet": ("columnar", "read_parquet"),
    ".feather": ("columnar", "read_arrow"),
    ".arrow": ("columnar", "read_arrow"),
    ".h5": ("hdf5", "read_hdf5"),
    ".hdf5": ("hdf5", "read_hdf5"),
    ".h5ad": ("hdf5", "read_h5ad"),
    **{text + packed: ("text", "read_text") for text in TEXT for packed in ("", *PACKED)},
}
# For the words of a help text.
ENDINGS = ".csv .tsv .txt .data (also .gz .bz2 .xz), .npy, .npz, .parquet, .feather, .mat, .safetensors, .h5, .h5ad"
_ARRAYS = (".npy", ".npz", ".mat", ".safetensors", ".h5", ".hdf5")  # which may hold stacks of images
_SEVERAL = (".npz", ".mat", ".safetensors", ".h5", ".hdf5", ".h5ad")  # files of several arrays
_LISTED = 6  # files of a folder
_PICTURES = (".jpg", ".jpeg", ".png")
_HEAD = 1024  # bytes that tell what a file is
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


def split(word: str) -> tuple[Path, str | None]:
    """FILE or FILE:name -> the file, and the name of the array in it, None where none is named.

    A file whose own name has a colon is that file.
    """
    whole = Path(word).expanduser()
    start = 2 if _DRIVE.match(word) else 0
    colons = [i for i in range(start, len(word)) if word[i] == ":"]
    if not colons or _exists(whole):
        return whole, None
    for i in colons:
        path = Path(word[:i]).expanduser()
        # A name behind an ending is one whether or not the file is there: what is missing is then the file.
        if i and (path.name.lower().endswith(tuple(_READERS)) or _exists(path)):
            return path, word[i + 1 :]
    return whole, None


def read(path: Path, asked: Asked) -> Found:
    """What a file holds: rows, and as facts its kind (the ending), sha256, and what else its reader knows.

    Raises InputError, one line that names the file: none there, a format that is not read, damage, what its reader
    refuses.
    """
    found = _opened(path, asked)
    return found.told({"kind": (ending_of(path) or "")[1:], "sha256": sha256_of(path)})


def image_of(path: Path, member: str | None) -> list[int] | None:
    """Height, width and channels where the array of a file is a stack of images; its values are not looked at.

    None where it is anything else, and where it cannot be read: `read` says why.
    """
    if not path.name.lower().endswith(_ARRAYS):
        return None
    try:
        image: list[int] | None = _opened(path, Asked(member=member)).facts.get("image")
    except InputError:
        return None
    return image


def _opened(path: Path, asked: Asked) -> Found:
    """What its reader finds in a file.  Raises InputError as `read` does."""
    _check_there(path)
    ending = ending_of(path)
    with readable(path), path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise InputError(f"{path}: the file is empty")
    # What is known to be foreign is told apart from what only has the wrong name.
    foreign.refuse(path, head, ending, tuple(_READERS))
    assert ending is not None
    text = ending.startswith(TEXT)
    if not text and asked.of_text:
        raise InputError(f"{path}: {asked.of_text}: only text has use for it (.csv, .tsv, .txt); leave it out")
    if asked.member is not None and ending not in _SEVERAL:
        raise InputError(f"{path}: holds one table only; leave out :{asked.member}")
    try:
        with readable(path):
            found = _reader(ending)(path, asked)
    except InputError as error:
        said = str(error)
        whole = f"{path}:{asked.member}" if asked.member and not said.startswith(str(path)) else str(path)
        raise about(whole, error) from None
    return found


def ending_of(path: Path) -> str | None:
    """The ending by which a file is read, None where there is no reader for it."""
    name = path.name.lower()
    return next((ending for ending in sorted(_READERS, key=len, reverse=True) if name.endswith(ending)), None)


def _reader(ending: str) -> Callable[[Path, Asked], Found]:
    module, name = _READERS[ending]
    reader: Callable[[Path, Asked], Found] = getattr(importlib.import_module(f"verify.data.files.{module}"), name)
    return reader


def _inside(folder: Path) -> str:
    """What to do with a folder, by what lies in it."""
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith("."))
    found = [name for name in names if name.lower().endswith(tuple(_READERS))]
    more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    if found:
        return f"; name a file in it: {', '.join(found[:_LISTED])}{more}"
    picture = next((Path(name).suffix for name in names if name.lower().endswith(_PICTURES)), None)
    if picture is None:
        return "; name a file with rows of numbers"
    return (
        f" of pictures; photographs of 64 x 64 pixels or more are celeba:{folder}, smaller ones are stacked: import "
        f'glob, numpy, PIL.Image; numpy.save("pictures.npy", numpy.stack([numpy.asarray(PIL.Image.open(name)) for name '
        f'in sorted(glob.glob("{folder / f"*{picture}"}"))]))'
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _check_there(path: Path) -> None:
    """Raises InputError, with a name that is like this one, unless there is a file."""
    with readable(path):
        if path.is_file():
            return
        if path.is_dir():
            raise InputError(f"{path}: is a folder{_inside(path)}")
        if path.exists():
            raise InputError(f"{path}: is no file that can be read twice; save the data in one")
        folder = path.absolute().parent
        if not folder.is_dir():
            raise InputError(f"{path}: no such file (there is no folder {folder})")
        near = difflib.get_close_matches(path.name, sorted(entry.name for entry in folder.iterdir()), 1)
    meant = f"; did you mean {path.with_name(near[0])}?" if near else ""
    raise InputError(f"{path}: no such file (looked in {folder}){meant}")
