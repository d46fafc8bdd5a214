"""Files that are called text tables and are something else: what they are, by their first bytes.

Main       refuse_foreign.
"""

import re
import zipfile
from pathlib import Path

from verify.errors import InputError

_SHEET = "a spreadsheet; save its table there as CSV"
_BEGINNINGS = (
    (b"%PDF-", "a PDF document; take the table from where it was made"),
    (b"\x93NUMPY", "a NumPy array; call it .npy"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file; call it .h5"),
    (b"PAR1", "a parquet file; call it .parquet"),
    (b"ARROW1", "an Arrow file; call it .feather"),
    (b"FEA1", "an old Feather file; read it with pandas and save it as parquet"),
    (b"MATLAB 5.0 MAT-file", "a MATLAB file; call it .mat"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"II*\0", "a picture (TIFF)"),
    (b"MM\0*", "a picture (TIFF)"),
    (b"\xd0\xcf\x11\xe0", f"{_SHEET} (or an old Office document)"),
    (b"SQLite format 3\0", "an SQLite database; export its table as CSV"),
    (b"\x80\x02", "a pickle, which is never loaded; save the rows with numpy.save"),
    (b"\x80\x03", "a pickle, which is never loaded; save the rows with numpy.save"),
    (b"\x80\x04", "a pickle, which is never loaded; save the rows with numpy.save"),
    (b"\x80\x05", "a pickle, which is never loaded; save the rows with numpy.save"),
    (b"RDX2", "an R workspace; in R: write.csv(x, 'x.csv', row.names = FALSE)"),
    (b"RDX3", "an R workspace; in R: write.csv(x, 'x.csv', row.names = FALSE)"),
    (b"{\\rtf", "a word processor's document (RTF); save it as plain text"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd; unpack it first"),
    (b"version https://git-lfs", "a Git LFS pointer, not the data; fetch them with: git lfs pull"),
)
_MARKUP = re.compile(
    rb"\s*(?:<!--.*?-->\s*)?<(!doctype html|html|head|body|table|\?xml|svg)\b", re.IGNORECASE | re.DOTALL
)
_JSON = re.compile(rb'\s*(?:\{\s*"|\[\s*[\[{"])')
_ARFF = re.compile(rb"(?:\s|%[^\n]*\n)*@relation\b", re.IGNORECASE)


def refuse_foreign(path: Path, start: bytes) -> None:
    """Raises InputError, saying what the file is, where its first bytes are not those of a text table."""
    if start.startswith(b"PK\x03\x04"):
        raise InputError(f"{path}: in truth {_archive(path)}")
    what = next((what for magic, what in _BEGINNINGS if start.startswith(magic)), None)
    if start[257:262] == b"ustar":
        what = "a tar archive; unpack it first"
    markup = _MARKUP.match(start)
    if markup:
        kind = markup[1].lower()
        what = {b"?xml": "an XML file; save its table as CSV", b"svg": "a picture (SVG)"}.get(
            kind, "a web page (HTML), perhaps of a login or an error; download the file itself"
        )
    elif _JSON.match(start):
        what = "JSON; in Python: import pandas; pandas.read_json('x.json').to_csv('x.csv', index=False)"
    elif _ARFF.match(start):
        what = "an ARFF file of Weka; save it there as CSV"
    if what:
        raise InputError(f"{path}: in truth {what}")


def _archive(path: Path) -> str:
    """What a zip file holds, in words."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        return "a zip archive; unpack it first"
    if "xl/workbook.xml" in names or "content.xml" in names:
        return _SHEET
    if names and all(name.endswith(".npy") for name in names):
        return "NumPy arrays; call it .npz"
    if any(name.endswith("data.pkl") for name in names):
        return "a PyTorch file; in Python: numpy.save('x.npy', torch.load('x.pt').numpy())"
    return "a zip archive; unpack it first"
