"""Files that are not what their ending says, or of a format that is not read: what they are, and what to do.

Main       refuse, refuse_in_text, truth.
"""

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

from verify.errors import InputError

_PICKLES = "pickles, which run whatever code is in them and are never loaded"
_TORCH = (
    'import torch, numpy; x = torch.load("{name}", map_location="cpu", weights_only=True); '
    'numpy.save("{stem}.npy", x.detach().double().numpy()), or x["NAME"] where it holds several'
)
_JOBLIB = 'import joblib, numpy; numpy.save("{stem}.npy", numpy.asarray(joblib.load("{name}")))'
_PICKLED = 'import pickle, numpy; numpy.save("{stem}.npy", numpy.asarray(pickle.load(open("{name}", "rb"))))'
_EXCEL = 'import pandas; pandas.read_excel("{name}").to_csv("{stem}.csv", index=False)'
_RDS = 'write.csv(readRDS("{name}"), "{stem}.csv", row.names=FALSE)'
_RDATA = 'load("{name}"); then write.csv(X, "{stem}.csv", row.names=FALSE) with the name of your table for X'
_JSON = 'import pandas; pandas.read_json("{name}").to_csv("{stem}.csv", index=False)'
_PANDAS = 'import pandas; pandas.{reader}("{name}").to_parquet("{stem}.parquet")'
_WEKA = (
    'import pandas; from scipy.io import arff; pandas.DataFrame(arff.loadarff("{name}")[0]).to_csv("{stem}.csv", '
    "index=False)"
)
_IMAGE = "one picture is one datum; a folder of photographs is celeba:FOLDER, small images are stacked in a .npy file"
# By ending: why it is not read, and in which language how it is converted. Without a point: known by its bytes alone.
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
    ".arff": ("ARFF files of Weka are not read", "Python", _WEKA),
    ".pdf": ("a PDF document holds no table that can be read; take it from where it was made", "", ""),
    ".html": ("perhaps a page of a login or an error; download the file itself", "", ""),
    ".xml": ("XML is not read; save its table as CSV", "", ""),
    ".db": ("databases are not read; export the table as CSV", "", ""),
    ".rtf": ("a word processor's document; save it as plain text", "", ""),
    ".zst": ("packed by zstd; unpack it first", "", ""),
    "git-lfs": ("fetch the data with: git lfs pull", "", ""),
    "feather-1": ("read it with pandas.read_feather, and save it with to_parquet", "", ""),
    ".orc": ("ORC files are not read", "Python", _PANDAS.replace("{reader}", "read_orc")),
    **dict.fromkeys(
        (".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar"), ("archives are not read; unpack it first", "", "")
    ),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".svg"), (_IMAGE, "", "")),
}
_PACKED = (".gz", ".bz2", ".xz")
_ZIP = b"PK\x03\x04"
# First bytes, what a file that begins so is, and the endings under which it may go.
_MAGIC: tuple[tuple[bytes, str, tuple[str, ...]], ...] = (
    (b"\x93NUMPY", "a NumPy array", (".npy",)),
    (b"PAR1", "a Parquet file", (".parquet",)),
    (b"ARROW1", "an Arrow (Feather) file", (".feather", ".arrow")),
    (b"FEA1", "a Feather file of the old version 1", ("feather-1",)),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", (".h5", ".hdf5", ".h5ad", ".mat")),
    (b"MATLAB", "a MATLAB file", (".mat",)),
    (b"\x1f\x8b", "gzipped", (".gz",)),
    (b"BZh", "packed by bzip2", (".bz2",)),
    (b"\xfd7zXZ\0", "packed by xz", (".xz",)),
    (b"\x28\xb5\x2f\xfd", "packed by zstd", (".zst",)),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", (".7z",)),
    (b"Rar!", "a RAR archive", (".rar",)),
    (b"\x89PNG", "a PNG picture", (".png",)),
    (b"\xff\xd8\xff", "a JPEG picture", (".jpg", ".jpeg")),
    (b"GIF8", "a GIF picture", (".gif",)),
    (b"II*\0", "a TIFF picture", (".tif", ".tiff")),
    (b"MM\0*", "a TIFF picture", (".tif", ".tiff")),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook or another old Office document", (".xls",)),
    (b"SQLite format 3\0", "an SQLite database", (".db",)),
    (b"%PDF", "a PDF document", (".pdf",)),
    (b"{\\rtf", "a document in RTF", (".rtf",)),
    (b"RDX2", "an R workspace", (".rdata",)),
    (b"RDX3", "an R workspace", (".rdata",)),
    (b"version https://git-lfs", "a pointer of Git LFS, not the data", ("git-lfs",)),
    (b"\x80\x02", "a pickle", (".pkl",)),
    (b"\x80\x03", "a pickle", (".pkl",)),
    (b"\x80\x04", "a pickle", (".pkl",)),
    (b"\x80\x05", "a pickle", (".pkl",)),
)
_MARKUP = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)?<(!doctype html|html|head|body|table|\?xml|svg)\b",
    re.IGNORECASE | re.DOTALL,
)
_MARKED = {b"?xml": ("an XML file", (".xml",)), b"svg": ("an SVG picture", (".svg",))}
_AS_JSON = re.compile(rb'\s*(?:\{\s*"|\[\s*[\[{"])')
_AS_ARFF = re.compile(rb"(?:\s|%[^\n]*\n)*@relation\b", re.IGNORECASE)
_BETWEEN = re.compile(rb"[,;|\s]+")
_NUMBER = re.compile(rb'"?[+-]?[0-9]*[.]?[0-9]+(?:[eE][+-]?[0-9]+)?"?')


def refuse(path: Path, head: bytes, ending: str | None, known: Sequence[str]) -> None:
    """Raises InputError unless a file that begins with `head` can be what its ending, one of `known`, says."""
    name = path.name.lower()
    is_truly, endings = truth(head, path)
    if ending is None:
        foreign = next((one for one in sorted(_FOREIGN, key=len, reverse=True) if name.endswith(one)), None)
        inner = next((name.removesuffix(one) for one in _PACKED if name.endswith(one)), None)
        if foreign is not None:
            raise InputError(f"{path}: {_converted(path, foreign)}")
        if inner is not None and inner.endswith(tuple(known)):
            raise InputError(f"{path}: packed; unpack it first (only text is read packed)")
        if is_truly and endings[0] in _PACKED:
            packed = f"if it holds a text table, rename it so that it ends in .csv{endings[0]}"
            raise InputError(f"{path}: {is_truly}; {packed}, else unpack it first")
        if is_truly:
            raise InputError(f"{path}: {is_truly}; {_to_do(path, endings)}")
        if _looks_like_text(head):
            raise InputError(f"{path}: looks like a text table; rename it so that it ends in .csv or .txt")
        nothing = f"files that end in {path.suffix} are not read" if path.suffix else "has no ending"
        raise InputError(f"{path}: {nothing}; save numbers, one row per datum, as one of {' '.join(_plain(known))}")
    if is_truly is None or ending in endings or ending.endswith(endings):
        return
    if endings[0] in _PACKED:
        if ending + endings[0] in known or ending.endswith(_PACKED):
            return  # text, which is read however it is packed
        raise InputError(f"{path}: in truth {is_truly}, by its first bytes; unpack it")
    raise InputError(f"{path}: in truth {is_truly}, by its first bytes; {_to_do(path, endings)}")


def refuse_in_text(path: Path, start: bytes) -> None:
    """Raises InputError, saying what it is, where a file that begins, unpacked, with `start` is no text table."""
    is_truly, endings = truth(start, path)
    if is_truly is None and start.startswith(_ZIP):
        is_truly, endings = "a zip archive", (".zip",)
    if is_truly:
        raise InputError(f"{path}: in truth {is_truly}; {_to_do(path, endings)}")


def truth(head: bytes, path: Path) -> tuple[str | None, tuple[str, ...]]:
    """What a file is by its first bytes, and the endings that suit; None where these say nothing."""
    if head.startswith(_ZIP):
        return _archive(path)
    markup = _MARKUP.match(head)
    if markup:
        return _MARKED.get(markup[1].lower(), ("a web page (HTML)", (".html",)))
    if _AS_JSON.match(head):
        return "JSON", (".json",)
    if _AS_ARFF.match(head):
        return "an ARFF file of Weka", (".arff",)
    if head[257:262] == b"ustar":
        return "a tar archive", (".tar",)
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
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        return None, ()  # damaged, which its reader says
    if any(name.endswith("data.pkl") for name in names):
        return "a PyTorch file", (".pt",)
    if any(name.startswith("xl/") for name in names):
        return "an Excel workbook", (".xlsx",)
    if "content.xml" in names:
        return "a spreadsheet of OpenDocument", (".ods",)
    if not names or any(name.endswith(".npy") for name in names):
        return "an archive of NumPy arrays", (".npz",)
    return "a zip archive", (".zip",)


def _looks_like_text(head: bytes) -> bool:
    """Whether the first bytes are lines in which numbers stand, a third of the words at least."""
    if b"\0" in head:
        return False
    words = [word for word in _BETWEEN.split(head) if word]
    return 3 * sum(bool(_NUMBER.fullmatch(word)) for word in words) >= len(words) > 0


def _to_do(path: Path, endings: Sequence[str]) -> str:
    """What to do with a file that should have one of these endings."""
    return _converted(path, endings[0]) if endings[0] in _FOREIGN else f"rename it so that it ends in {endings[0]}"


def _converted(path: Path, ending: str) -> str:
    """Why a format is not read, and how it is converted."""
    why, language, lines = _FOREIGN[ending]
    named = path.name.lower().endswith(ending)
    # Never over the file itself, which has another ending than its format's.
    stem = str(path)[: -len(ending)] if named else f"{path.with_suffix('')}-converted"
    return f"{why}; in {language}: {lines.format(name=path, stem=stem)}" if lines else why


def _plain(known: Sequence[str]) -> list[str]:
    return [one for one in known if one.count(".") == 1]
