"""A result: the document of a command as an object that is read, printed, drawn and kept.

Main       Result: its fields as attributes, notes, summary, to_frame, to_json, to_dict, plot.

Fields are those of the document, told in docs/python.md: lists of numbers as arrays of NumPy, NaN where a number is not
known. Latents, eigenvalues and columns are numbered from 1, as in every document.
"""

from abc import ABC, abstractmethod
from html import escape
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, get_origin

import numpy as np

from verify.data.documents import to_json, write_json
from verify.errors import InputError
from verify.landscape.weighted import PLAIN
from verify.results.notebook import as_html
from verify.words.numerals import typed, weight
from verify.words.tables import Blocks, contained, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Document = dict[str, Any]


class Result(ABC):
    """The document of a command; what it says, as a table, as JSON, as a picture."""

    # What the rows of `to_frame` are, and the name of their index.
    row: ClassVar[str]
    notes: list[str]

    def __init__(self, document: Document):
        self._document = document

    @abstractmethod
    def said(self) -> Blocks:
        """What the terminal prints: sentences and tables."""

    @abstractmethod
    def records(self) -> list[Document]:
        """The rows of `to_frame`, numbered from 1."""

    @abstractmethod
    def draw(self, axes: "Axes") -> None:
        """The picture of `plot`."""

    @property
    def verdict(self) -> str:
        """The first sentences."""
        return str(self.said()[0])

    def summary(self) -> str:
        """What the terminal prints, notes at the end."""
        said = plain(self.said())
        notes = [f"note: {note}" for note in self.notes if not contained(note, " ".join(said.split()))]
        return "\n\n".join([said, *([plain(["\n".join(notes)])] if notes else [])])

    def to_dict(self) -> Document:
        """The document, a copy: what the command prints with --json."""
        copied: Document = _copied(self._document)
        return copied

    def to_json(self, path: str | PathLike[str] | None = None) -> str:
        """The document as JSON, written to `path` as well where one is given.  Raises InputError."""
        if path is not None:
            write_json(self._document, Path(path))
        return to_json(self._document)

    def to_frame(self) -> Any:
        """The rows as a DataFrame of pandas.  Raises InputError where there is no pandas."""
        return frame_of(self.records(), self.row)

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """A picture, on axes of your own or on new ones."""
        from verify.pictures.shown import on_axes

        return on_axes(self.draw, axes)

    def __getattr__(self, name: str) -> Any:
        """A field of the document."""
        document = {} if name.startswith("_") else self._document
        if name in document:
            listed = get_origin(type(self).__annotations__.get(name, Result.__annotations__.get(name))) is list
            return _copied(document[name]) if listed else _as_array(document[name])
        raise AttributeError(f"{type(self).__name__} has no field {name!r}; there are {', '.join(document)}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._document})

    def __repr__(self) -> str:
        of = self._document
        shown = [f"{name}={of[name]}" for name in ("N", "n", "k", "sigma2") if of.get(name) is not None]
        shown += [f"beta={typed(weight(of))}"] if weight(of) != PLAIN else []
        return f"<{type(self).__name__} {', '.join(shown)}: {self.verdict.split('. ')[0].rstrip('.')}>"

    def _repr_html_(self) -> str:
        return as_html(self.said(), self.notes, escape(type(self).__name__))


def frame_of(rows: list[Document], row: str) -> Any:
    """Rows as a DataFrame of pandas, numbered from 1; `row` names the index.  Raises InputError."""
    try:
        import pandas
    except ImportError:
        raise InputError("to_frame needs pandas, which is not installed: pip install pandas") from None
    numbers = pandas.RangeIndex(1, len(rows) + 1, name=row)
    return pandas.DataFrame(rows, index=numbers)


def _copied(value: Any) -> Any:
    """Lists and dictionaries anew, numbers as they are."""
    if isinstance(value, dict):
        return {name: _copied(inner) for name, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def _as_array(value: Any) -> Any:
    """A list of numbers, some of them perhaps None, as an array; all else as it is."""
    if not isinstance(value, list):
        return _copied(value)
    if any(isinstance(one, bool) or not isinstance(one, int | float | None) for one in value):
        return _copied(value)
    if not value:
        return np.zeros(0, dtype=int)  # usable as an index
    return np.array([np.nan if one is None else one for one in value])


def latents(document: Document) -> list[Document]:
    """One row for each latent, of a document of `collapse` or of `diagnose`."""
    fallen = set(document["collapsed"])
    rows = zip(document["kl"], document["second_moment"], strict=True)
    return [{"kl": kl, "second_moment": m, "collapsed": i in fallen} for i, (kl, m) in enumerate(rows, start=1)]
