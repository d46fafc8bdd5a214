"""Files that are not what their ending says, or of a format that is not read: what they are, and what to do.

Main       refuse, truth.
"""

import zipfile
from collections.abc import Sequence
from pathlib import Path

from verify.errors import InputError

_PICKLES = "pickles, which run whatever code is in them and are never loaded"
_TORCH = (
    'import torch, numpy; x = torch.load("{name}", map_location="cpu", weights_only=True); '
    'numpy.save("{stem}.npy", x.detach().float().numpy()), or x["NAME"] where it holds several'
)
_JOBLIB = 'import joblib, numpy; numpy.save("{stem}.npy", numpy.asarray(joblib.load("{name}")))'
_PICKLED = 'import pickle, numpy; numpy.save("{stem}.npy", numpy.asarray(pickle.load(open("{name}", "rb"))))'
_EXCEL = 'import pandas; pandas.read_excel("{name}").to_csv("{stem}.csv", index=False)'
_RDS = 'write.csv(readRDS("{name}"), "{stem}.csv", row.names=FALSE)'
_RDATA = 'load("{name}"); then write.csv(X, "{stem}.csv", row.names=FALSE) with the name of your table for X'
_JSON = 'import pandas; pandas.read_json("{name}").to_csv("{stem}.csv", index=False)'
_PANDAS = 'import pandas; pandas.{reader}("{name}").to_parquet("{stem}.parquet")'
_IMAGE = "one picture is one datum; a folder of photographs is celeba:FOLDER, small images are stacked in a .npy file"
_FOREIGN = {
    **dict.fromkeys((".pt", ".pth", ".ckpt"), (f"PyTorch files are {_PICKLES}", "Python", _TORCH)),
    **dict.fromkeys((".pkl", ".pickle", ".pck", ".p"), (f"one of Python's {_PICKLES}", "Python", _PICKLED)),
    ".joblib": (f"joblib files are {_PICKLES}", "Python", _JOBLIB),
    ".rds": ("R's own format is not read", "R", _RDS),
    **dict.fromkeys((".rdata", ".rda"), ("R's own format is not read", "R", _RDATA)),
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".ods"), ("spreadsheets are not read", "Python", _EXCEL)),
    **dict.fromkeys((".json", ".jsonl"), ("JSON is not read", "Python", _JSON)),
    ".dta": ("Stata files are not read", "Python", _PANDAS.replace("{reader}", "read_stata")),
    ".sav": ("SPSS files are not read", "Python", _PANDAS.replace("{reader}", "read_spss")),
    ".sas7bdat": ("SAS files are not read", "Python", _PANDAS.replace("{reader}", "read_sas")),
    ".orc": ("ORC files are not read", "Python", _PANDAS.replace("{reader}", "read_orc")),
    **dict.fromkeys((".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar"), ("an archive; unpack it first", "", "")),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"), (_IMAGE, "", "")),
}
_PACKED = (".gz", ".bz2", ".xz")
# First bytes, what a file that begins so is, and the endings under which it may go.
_MAGIC: tuple[tuple[bytes, str, tuple[str, ...]], ...] = (
    (b"\x93NUMPY", "a NumPy array", (".npy",)),
    (b"PAR1", "a Parquet file", (".parquet",)),
    (b"ARROW1", "an Arrow (Feather) file", (".feather", ".arrow")),
    (b"FEA1", "a Feather file of the old version 1", (".feather",)),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", (".h5", ".hdf5", ".h5ad", ".mat")),
    (b"MATLAB", "a MATLAB file", (".mat",)),
    (b"\x1f\x8b", "gzipped", (".gz",)),
    (b"BZh", "packed by bzip2", (".bz2",)),
    (b"\xfd7zXZ\0", "packed by xz", (".xz",)),
    (b"\x28\xb5\x2f\xfd", "packed by zstd", (".zst",)),
    (b"\x89PNG", "a PNG picture", (".png",)),
    (b"\xff\xd8\xff", "a JPEG picture", (".jpg", ".jpeg")),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook", (".xls",)),
    (b"SQLite format 3\0", "an SQLite database", (".db",)),
    (b"%PDF", "a PDF document", (".pdf",)),
    (b"version https://git-lfs", "a pointer of Git LFS: the data were not fetched (git lfs pull)", ()),
)
_PAGE = (b"<!doctype html", b"<html")
_PROTOCOLS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")  # of pickles


def refuse(path: Path, head: bytes, ending: str | None, known: Sequence[str]) -> None:
    """Raises InputError unless a file that begins with `head` can be what its ending, one of `known`, says."""
    name = path.name.lower()
    is_truly, endings = truth(path, head)
    if ending is None:
        foreign = next((one for one in sorted(_FOREIGN, key=len, reverse=True) if name.endswith(one)), None)
        inner = next((name.removesuffix(one) for one in _PACKED if name.endswith(one)), None)
        if foreign is not None:
            raise InputError(f"{path}: {_converted(path, foreign)}")
        if inner is not None and inner.endswith(tuple(known)):
            raise InputError(f"{path}: packed; unpack it first (only text is read packed)")
        again = next((one for one in endings if one in known), None)
        if again:
            raise InputError(f"{path}: {is_truly}; rename it so that it ends in {again}")
        nothing = f"files that end in {path.suffix} are not read" if path.suffix else "has no ending"
        said = f"{is_truly}, which is not read" if is_truly else nothing
        raise InputError(f"{path}: {said}; save numbers, one row per datum, as one of {' '.join(_plain(known))}")
    if is_truly is None or ending in endings or (endings and ending.endswith(endings)):
        return
    again = next((one for one in endings if one in known), None)
    if again is None and endings and endings[0] in _FOREIGN:
        raise InputError(f"{path}: in truth {is_truly}, by its first bytes; {_converted(path, endings[0])}")
    if again is None and endings and endings[0] in _PACKED and ending.startswith("."):
        what = f"rename it so that it ends in {ending}{endings[0]}" if ending + endings[0] in known else "unpack it"
    else:
        what = f"rename it so that it ends in {again}" if again else "write or fetch it again"
    raise InputError(f"{path}: in truth {is_truly}, by its first bytes; {what}")


def truth(path: Path, head: bytes) -> tuple[str | None, tuple[str, ...]]:
    """What a file is by its first bytes, and the endings that suit; None where these say nothing."""
    if head.startswith(b"PK\x03\x04"):
        return _archive(path)
    if head.startswith(_PROTOCOLS):
        return "a pickle", (".pkl",)
    if head.lstrip(b"\xef\xbb\xbf \r\n\t")[:16].lower().startswith(_PAGE):
        return "a web page", (".html",)
    if head[512:520] == b"\x89HDF\r\n\x1a\n":  # behind a block of the writer's own, as in MATLAB 7.3
        return "an HDF5 file", (".h5", ".hdf5", ".h5ad", ".mat")
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 27:
        return "a safetensors file", (".safetensors",)
    for magic, what, endings in _MAGIC:
        if head.startswith(magic):
            return what, endings
    return None, ()


def _archive(path: Path) -> tuple[str | None, tuple[str, ...]]:
    """Which of the formats that are zip archives inside."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return None, ()  # damaged, which its reader says
    if any(name.endswith("data.pkl") for name in names):
        return "a PyTorch file", (".pt",)
    if any(name.startswith("xl/") for name in names):
        return "an Excel workbook", (".xlsx",)
    if not names or any(name.endswith(".npy") for name in names):
        return "an archive of NumPy arrays", (".npz",)
    return "a zip archive", (".zip",)


def _converted(path: Path, ending: str) -> str:
    """Why a format is not read, and how it is converted."""
    why, language, lines = _FOREIGN[ending]
    stem = str(path)[: -len(ending)] if path.name.lower().endswith(ending) else str(path.with_suffix(""))
    return f"{why}; in {language}: {lines.format(name=path, stem=stem)}" if lines else why


def _plain(known: Sequence[str]) -> list[str]:
    return [one for one in known if one.count(".") == 1]
