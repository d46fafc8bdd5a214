"""Folders and archives of photographs, and patches of scikit-learn's two, as rows of 64 x 64 x 3 grey values 0..255.

Notation   a row: pixels in the order (row, column, channel), n = 12288, uint8.
Main       Images, folder_or_archive, patches.
Reference  Liu, Luo, Wang & Tang, ICCV 2015: CelebA, whose aligned images are 178 x 218.

An image is cut to its largest centred square and resized with antialiasing (Pillow's bilinear filter). Images are
opened, decoded and closed as their rows are asked for; Pillow may take them for JPEG or PNG and nothing else.
"""

import hashlib
import importlib
import io
import math
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from verify.arrays import Array
from verify.data.files.opening import readable
from verify.errors import InputError, first_line

SIDE = 64
SHAPE = (SIDE, SIDE, 3)  # of a row, in the order of its values: height, width, channels
PATCHES = 10000  # where no number is named
_ENDINGS = (".jpg", ".jpeg", ".png")
_MODES = ("RGB", "L", "P", "1")  # what is a picture of three channels without loss: no transparency, 8 bits
_LARGEST_FILE = 1 << 26


@dataclass(frozen=True, eq=False)
class Images:
    """N images that slice by rows like an array (N, 12288) uint8; read(i) -> (64, 64, 3), called only when needed."""

    count: int
    read: Callable[[int], Array]
    ndim = 2
    dtype = np.dtype(np.uint8)

    @property
    def shape(self) -> tuple[int, int]:
        """(N, n)."""
        return self.count, math.prod(SHAPE)

    @property
    def size(self) -> int:
        """N n."""
        return math.prod(self.shape)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, rows: Any) -> Array:
        """A row (n,), or those of a slice (b, n)."""
        numbers = range(self.count)[rows]
        if isinstance(numbers, int):
            return self.read(numbers).reshape(-1)
        block = np.empty((len(numbers), self.shape[1]), dtype=np.uint8)
        for row, i in zip(block, numbers, strict=True):
            row[:] = self.read(i).reshape(-1)
        return block


def folder_or_archive(path: Path) -> tuple[Images, str]:
    """The .jpg and .png images of a folder or .zip archive, sorted by name, and their sha256.  Raises InputError.

    The hash is of each image's name and bytes, the same for a folder and for an archive of it. An image that is
    damaged, or of another size than the first, raises InputError when its row is read.
    """
    with readable(path):
        names, content = _listed(path)
    if not names:
        raise InputError(f"{path}: holds no .jpg or .png image")
    decoder = _pillow()
    first: list[tuple[int, int]] = []  # the size of the first image, once it is known

    def read(i: int) -> Array:
        where = f"{path}, image {names[i]}"
        if not first:
            first.append(_opened(decoder, content(0), f"{path}, image {names[0]}").size)
        image = _opened(decoder, content(i), where)
        if image.size != first[0]:
            raise InputError(
                f"{where}: {image.size[0]} x {image.size[1]} pixels, but the first image has {first[0][0]} x "
                f"{first[0][1]}; bring all images to one size"
            )
        return _square(decoder, image, where)

    digest = hashlib.sha256()
    for i, name in enumerate(names):
        digest.update(name.encode("utf-8", "surrogateescape") + b"\0" + hashlib.sha256(content(i)).digest())
    return Images(len(names), read), digest.hexdigest()


def patches(count: int, seed: int) -> tuple[Images, dict[str, Any]]:
    """`count` different 64 x 64 patches of scikit-learn's photographs, drawn by default_rng(seed), and their facts.

    Raises InputError.
    """
    try:
        from sklearn.datasets import load_sample_images

        _pillow()
        photographs = np.stack(load_sample_images().images)  # (2, 427, 640, 3)
    except ImportError:
        raise InputError("patches: needs scikit-learn, which is not installed (pip install scikit-learn)") from None
    places = (len(photographs), photographs.shape[1] - SIDE + 1, photographs.shape[2] - SIDE + 1)
    if not 2 <= count <= math.prod(places):
        raise InputError(f"patches:{count}: the number of patches must lie between 2 and {math.prod(places)}")
    drawn = np.random.default_rng(seed).choice(math.prod(places), count, replace=False)
    corners = np.column_stack(np.unravel_index(drawn, places))

    def read(i: int) -> Array:
        picture, row, column = corners[i]
        return np.ascontiguousarray(photographs[picture, row : row + SIDE, column : column + SIDE], dtype=np.uint8)

    digests = [hashlib.sha256(a.tobytes()).hexdigest() for a in (photographs, drawn.astype("<i8"))]
    return Images(count, read), {
        "sha256": digests[0],
        "rows": {"drawn": count, "of": math.prod(places), "sha256": digests[1]},
    }


def _listed(path: Path) -> tuple[Sequence[str], Callable[[int], bytes]]:
    """The names of the images under `path`, sorted, and a function that gives the bytes of one."""
    if path.is_dir():
        names = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if _is_image(file.name))

        def content(i: int) -> bytes:
            with readable(path / names[i]), (path / names[i]).open("rb") as file:
                return _bounded(file, f"{path}, image {names[i]}")

        return names, content
    archive = zipfile.ZipFile(path)
    for name in archive.namelist():
        if _climbs(name):
            raise InputError(f"{path}: the archive holds {name[:80]!r}, a path that leads out of it; refused")
    entries = sorted(
        (info for info in archive.infolist() if _is_image(PurePosixPath(info.filename).name)),
        key=lambda info: info.filename,
    )

    def member(i: int) -> bytes:
        where = f"{path}, image {entries[i].filename}"
        with _decodable(where), archive.open(entries[i]) as file:
            return _bounded(file, where)

    return [info.filename for info in entries], member


def _is_image(name: str) -> bool:
    """By its ending; files that begin with a dot are the system's."""
    return name.lower().endswith(_ENDINGS) and not name.startswith(".")


def _climbs(name: str) -> bool:
    """Whether the name of an archive's member is anything but a path below the archive."""
    parts = name.replace("\\", "/").split("/")
    return parts[0] == "" or ".." in parts or ":" in parts[0]


def _bounded(file: Any, where: str) -> bytes:
    content: bytes = file.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise InputError(f"{where}: larger than {_LARGEST_FILE >> 20} MB; not one of the images meant here")
    return content


def _opened(decoder: Any, content: bytes, where: str) -> Any:
    """The image of these bytes, its pixels not yet decoded.  Raises InputError."""
    with _decodable(where):
        image = decoder.open(io.BytesIO(content), formats=("JPEG", "PNG"))
    if image.mode not in _MODES or "transparency" in image.info:
        raise InputError(f"{where}: pixels of kind {image.mode}, transparent perhaps; save it as plain RGB")
    if min(image.size) < SIDE:
        small = f"{image.size[0]} x {image.size[1]} pixels, fewer than {SIDE} x {SIDE}"
        raise InputError(f"{where}: {small}; small pictures are stacked in a .npy file (N, height, width)")
    return image


def _square(decoder: Any, image: Any, where: str) -> Array:
    """The largest centred square of an image, resized: (64, 64, 3) uint8.  Raises InputError."""
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    with _decodable(where):
        square = image.convert("RGB").crop((left, top, left + side, top + side))
        return np.asarray(square.resize((SIDE, SIDE), decoder.Resampling.BILINEAR))


@contextmanager
def _decodable(where: str) -> Iterator[None]:
    """Turns whatever a decoder trips over into an InputError."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # Pillow and zipfile let anything through: struct.error, SyntaxError, their own
        reason = first_line(error, 120)
        raise InputError(f"{where}: damaged or not a JPEG or PNG image ({reason}); copy it again") from None


def _pillow() -> Any:
    """Pillow's module Image; imported when there is an image to decode.  Raises InputError."""
    try:
        return importlib.import_module("PIL.Image")
    except ImportError:
        raise InputError("images: need Pillow, which is not installed (pip install pillow)") from None
