"""Where the tests find the MNIST training images; without them they skip, and say so."""

import os
from pathlib import Path

import pytest

TRAINING_FILE = Path("mnist", "train-images-idx3-ubyte.gz")


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    """The folder that holds mnist/train-images-idx3-ubyte.gz: ELBO_VERIFY_DATA or shared/data."""
    root = Path(__file__).resolve().parents[3]
    folders = [root.parent / "shared" / "data", root / "shared" / "data"]
    if os.environ.get("ELBO_VERIFY_DATA"):
        folders.insert(0, Path(os.environ["ELBO_VERIFY_DATA"]))
    for folder in folders:
        if (folder / TRAINING_FILE).is_file():
            return folder
    pytest.skip(f"{TRAINING_FILE} is neither in ELBO_VERIFY_DATA nor in ../shared/data")
