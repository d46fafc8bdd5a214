"""The latents of an encoder as Python holds them: arrays, tensors, DataFrames, a dictionary of these, or files.

Notation   mu, logvar (N, k): mean and log variance of q(z|x) for each datum.
Main       given_latents -> Latents.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from verify.analysis.latents import Latents, chosen, read_latents, settled
from verify.data.files.objects import to_array
from verify.errors import InputError, about

KINDS = {"logvar": "logvar", "var": "variance", "std": "standard deviation"}


def given_latents(mu: Any, **spreads: Any) -> Latents:
    """Of mu and one of logvar, var, std (N, k); of a dictionary, or of files, that hold both.  Raises InputError."""
    given = {name: array for name, array in spreads.items() if array is not None}
    files = _files(mu)
    if (files or isinstance(mu, Mapping)) and given:
        raise InputError(f"mu holds means and variances already; leave out {', '.join(given)}")
    if files:
        return read_latents(files)
    if isinstance(mu, Mapping):
        mean, spread, kind, notes = chosen("the latents", [str(name) for name in mu])
        return settled(((mean, _array(mu[mean], mean)), (spread, kind, _array(mu[spread], spread)), notes))
    if len(given) != 1:
        told = f"{', '.join(given)} are given" if given else "none is given"
        raise InputError(f"mu and one of logvar, var and std are needed, each (N, k); {told}")
    name, array = next(iter(given.items()))
    latents = settled((("mu", _array(mu, "mu")), (name, KINDS[name], _array(array, name)), []))
    return Latents(latents.mu, latents.logvar)  # the keyword says what it is: nothing was guessed


def _files(mu: Any) -> list[Path]:
    """The files that are named, none where mu is something else."""
    named = [mu] if isinstance(mu, str | os.PathLike) else mu if isinstance(mu, list | tuple) else []
    return [Path(one) for one in named] if all(isinstance(one, str | os.PathLike) for one in named) else []


def _array(given: Any, name: str) -> Any:
    try:
        return to_array(given)
    except InputError as error:
        raise about(name, error) from None
