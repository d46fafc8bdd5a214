"""Which models the options of a training mean.

Main       seeds_of, latents_number, check_images.
"""

from collections.abc import Sequence

from verify.checks import random_seed
from verify.data.files.stacks import CHANNELS_FIRST
from verify.data.rows import Rows
from verify.errors import InputError

# Seeds are keys of random streams of 64 bits.
LARGEST_SEED = 2**64 - 1


def seeds_of(given: Sequence[int] | None, first: int, default: int = 1) -> list[int]:
    """One number: so many seeds from `first` on; several: these.  Raises InputError."""
    first = random_seed(first)
    if given is None or len(given) == 1:
        count = default if given is None else given[0]
        if count < 1:
            raise InputError(
                f"seeds = {count}: train at least one model of each kind, or name the seeds: --seeds 3 4 5"
            )
        seeds = list(range(first, first + count))
    else:
        seeds = [random_seed(seed) for seed in given]
    if len(set(seeds)) < len(seeds):
        raise InputError(f"seeds {' '.join(map(str, seeds))}: the same twice; name different ones")
    if max(seeds) > LARGEST_SEED:
        raise InputError(f"seed = {max(seeds)}: must be below 2^64")
    return seeds


def latents_number(k: int) -> int:
    """k, if it is at least 1: of more latents than columns the optimum leaves some unused.  Raises InputError."""
    if k < 1:
        raise InputError(f"k = {k}: a model has at least 1 latent")
    return k


def check_images(word: str, kind: str, rows: Rows) -> None:
    """Raises InputError where convolutions would take the values of an image for those of others."""
    image = rows.provenance.get("image")
    if kind != "conv" or image is None:
        return
    if rows.provenance.get("image_order") == CHANNELS_FIRST:
        raise InputError(
            f"{word}: its images have their channels first, and convolutions take them last; save "
            "numpy.moveaxis(x, 1, -1)"
        )
    if image[0] != image[1]:
        raise InputError(f"{word}: images of {image[0]} x {image[1]}: convolutions take square ones; cut them")
