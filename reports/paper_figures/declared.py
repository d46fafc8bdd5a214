"""The figures that there are: each module figure_N.py of this package.

Main       FIGURES, their numbers; figure, the module of one; chosen, those that a command line names; dataset_of.
"""

from collections.abc import Sequence
from importlib import import_module
from importlib.resources import files
from types import ModuleType

from reports.paper_figures.setting import Setting
from verify.errors import InputError

PREFIX = "figure_"
FIGURES = tuple(
    sorted(
        int(path.name.removeprefix(PREFIX).removesuffix(".py"))
        for path in files(__package__).iterdir()
        if path.name.startswith(PREFIX) and path.name.endswith(".py")
    )
)


def figure(number: int) -> ModuleType:
    """The module of a figure."""
    return import_module(f"{__package__}.{PREFIX}{number}")


def dataset_of(module: ModuleType, setting: Setting) -> str:
    """On which of the paper's data sets this figure is: its DATASET, or what its `dataset` makes of the setting."""
    name: str = module.dataset(setting) if hasattr(module, "dataset") else module.DATASET
    return name


def chosen(numbers: Sequence[int]) -> list[int]:
    """Those asked for, each once, in order; all if none.  Raises InputError."""
    wrong = [number for number in numbers if number not in FIGURES]
    if wrong:
        raise InputError(f"figure {wrong[0]}: the paper has Figures {FIGURES[0]} to {FIGURES[-1]}")
    return sorted(set(numbers)) if numbers else list(FIGURES)
