"""The training images of MNIST and Fashion-MNIST, from files already on this machine; nothing is downloaded.

Main       training_images, read_idx.
Reference  LeCun & Cortes, the MNIST database: the IDX format; 60000 images of 28 x 28 grey values 0..255.
           Xiao, Rasul & Vollgraf, arXiv:1708.07747 (2017): Fashion-MNIST, in the same format.
"""

import gzip
import os
import struct
import zlib
from pathlib import Path

import numpy as np

from verify.arrays import Array
from verify.data.files.opening import sha256_of
from verify.errors import InputError

TRAINING_FILE = "train-images-idx3-ubyte.gz"  # in a folder of the data's name
TRAINING_SHA256 = {
    "mnist": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "fashion-mnist": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
}
SHAPE = (28, 28, 1)  # of an image, in the order of its values: height, width, channels
_MAGIC = 0x00000803  # unsigned bytes, three axes
_LONGEST = 1 << 30  # no IDX file of images read here comes near a gigabyte


def training_images(data_dir: str | os.PathLike[str] | None = None, name: str = "mnist") -> Array:
    """The training images (60000, 784) uint8 of mnist or fashion-mnist, in the file's order.  Raises InputError."""
    path = find_training_file(data_dir, name)
    images = read_idx(path)
    if sha256_of(path) != TRAINING_SHA256[name]:
        raise InputError(f"{path}: wrong sha256, not the original {name} training images; copy the file again")
    return images


def find_training_file(data_dir: str | os.PathLike[str] | None = None, name: str = "mnist") -> Path:
    """The training file of `name` in data_dir, ELBO_VERIFY_DATA, or shared/data beside or in the repository, or here.

    The first that is there.  Raises InputError, naming the folders that the user named.
    """
    named = [] if data_dir is None else [Path(data_dir)]
    if os.environ.get("ELBO_VERIFY_DATA"):
        named.append(Path(os.environ["ELBO_VERIFY_DATA"]))
    usual = [
        folder
        for root in (Path(__file__).resolve().parents[2], Path.cwd())
        for folder in (root.parent / "shared" / "data", root / "shared" / "data")
    ]
    for folder in (*named, *usual):
        if (folder / name / TRAINING_FILE).is_file():
            return folder / name / TRAINING_FILE
    where = f" in {', '.join(map(str, named))}" if named else ""
    raise InputError(
        f"{name}: {name}/{TRAINING_FILE} not found{where}; name the folder that holds it with --data-dir or "
        "ELBO_VERIFY_DATA"
    )


def read_idx(path: Path) -> Array:
    """The images of a gzipped IDX file, one per row: (N, height * width) uint8.  Raises InputError."""
    try:
        with gzip.open(path) as file:
            content = file.read(_LONGEST)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(f"{path}: truncated or damaged gzip file; copy it again") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if len(content) < 16:
        raise InputError(f"{path}: too short for an IDX header; copy it again")
    magic, N, height, width = struct.unpack(">IIII", content[:16])
    if magic != _MAGIC:
        raise InputError(f"{path}: magic number {magic:#010x} instead of {_MAGIC:#010x}; not an IDX file of images")
    if len(content) != 16 + N * height * width:
        raise InputError(
            f"{path}: {len(content) - 16} bytes of pixels, but the header promises {N} x {height} x {width}"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=16).reshape(N, height * width)
