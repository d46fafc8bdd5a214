"""Tables 1-5 as they were printed, mistakes included: one row per model, every number with its rounding.

Notation   n data and k latent dimensions; ELBO and KL in nats per datum; collapse at epsilon 0.01, delta 0.01;
           `*_err` the printed spread over the trials.
Main       printed_tables, read_table; Row, Printed.
Reference  Lucas et al. 2019, Tables 1-5, Sec. 6.2 (k = 200 on MNIST; 500 and 64 x 64 x 3 pixels on CelebA).
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from verify.errors import InputError

TABLES = (1, 2, 3, 4, 5)
TRIALS = 5
# (n, k) of the models of each data set.
DIMENSIONS = {"mnist": (784, 200), "celeba64": (12288, 500)}
# Columns that hold measured numbers, in the order of print.
MEASURED = (
    "final_sigma2",
    "elbo",
    "elbo_err",
    "tuned_elbo",
    "tuned_elbo_err",
    "tuned_sigma2",
    "collapse_percent",
    "kl",
    "kl_err",
)


@dataclass(frozen=True)
class Printed:
    """A number as it was printed: the truth lies within half a unit of its last digit."""

    text: str

    @property
    def value(self) -> float:
        return float(self.text)

    @property
    def half(self) -> float:
        """Half a unit of the last digit that was printed."""
        return 0.5 * 10.0 ** -len(self.text.partition(".")[2])

    def rounds_like(self, other: "Printed") -> bool:
        """Whether one number can have been rounded to both.  0.2040 and 0.204: yes."""
        return abs(self.value - other.value) <= (self.half + other.half) * (1 + 1e-9)


@dataclass(frozen=True)
class Row:
    """One model, or rather the average over its trials."""

    table: int
    dataset: str
    preprocessing: str
    noise: str
    init: Printed
    final_sigma2: Printed | None
    elbo: Printed
    elbo_err: Printed
    tuned_elbo: Printed
    tuned_elbo_err: Printed
    tuned_sigma2: Printed
    collapse_percent: Printed
    kl: Printed
    kl_err: Printed

    @property
    def n(self) -> int:
        return DIMENSIONS[self.dataset][0]

    @property
    def k(self) -> int:
        return DIMENSIONS[self.dataset][1]

    @property
    def learned(self) -> bool:
        return self.noise == "learned"

    @property
    def init_sigma2(self) -> float:
        """Where the noise started, or what it was fixed at: chosen, so not rounded."""
        return self.init.value

    @property
    def model(self) -> tuple[str, str, float]:
        """What names a row within its table: data set, fixed or learned, noise at the start."""
        return self.dataset, self.noise, self.init_sigma2

    @property
    def data(self) -> tuple[str, str]:
        """What the model saw: data set and preprocessing."""
        return self.dataset, self.preprocessing

    def measured(self) -> dict[str, Printed]:
        """The measured numbers by column; `final_sigma2` only where the noise was learned."""
        numbers = {name: getattr(self, name) for name in MEASURED}
        return {name: number for name, number in numbers.items() if number is not None}


def read_table(number: int, text: str) -> list[Row]:
    """The rows of one table from its CSV text.  Raises InputError."""
    return [_row(number, line, cells) for line, cells in enumerate(csv.DictReader(io.StringIO(text)), start=2)]


def _row(number: int, line: int, cells: Mapping[str, str | None]) -> Row:
    try:
        measured = {name: Printed(cells[name] or "") if cells[name] else None for name in MEASURED}
        row = Row(
            table=number,
            dataset=str(cells["dataset"]),
            preprocessing=str(cells["preprocessing"]),
            noise=str(cells["noise"]),
            init=Printed(cells["init_sigma2"] or ""),
            **measured,  # type: ignore[arg-type]
        )
        numbers = [row.init.value, *(printed.value for printed in row.measured().values())]
    except (KeyError, ValueError) as error:
        raise InputError(
            f"table {number}, line {line}: {error}; every column must be there and hold a number"
        ) from None
    wanted = [name for name in MEASURED if name != "final_sigma2" or row.learned]
    if row.dataset not in DIMENSIONS or row.noise not in ("fixed", "learned") or len(numbers) != len(wanted) + 1:
        raise InputError(f"table {number}, line {line}: not a row of data set, noise and {len(MEASURED)} numbers")
    return row


def printed_tables() -> list[Row]:
    """All 100 printed rows, in the order of print."""
    folder = files(__name__)
    return [row for t in TABLES for row in read_table(t, (folder / f"table{t}.csv").read_text(encoding="utf-8"))]
