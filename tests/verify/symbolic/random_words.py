"""Random products over letters of every kind, with arrays for them: what the calculus of words is tested on."""

from dataclasses import dataclass

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from verify.symbolic.letters import k, n, sigma2
from verify.symbolic.matrix_calculus import WordSum, defined, diag, identity, inverse, letter

ROWS, COLUMNS, NOISE = 4, 3, 0.7
SIZES = {"n": ROWS, "k": COLUMNS, "1": 1}
DIMENSIONS = {"n": n, "k": k, "1": 1}
VALUES = {n: ROWS, k: COLUMNS, sigma2: NOISE}

# name: rows, columns, kind
LETTERS = {
    "W": ("n", "k", "general"),
    "V": ("k", "n", "general"),
    "A": ("n", "n", "general"),
    "S": ("n", "n", "symmetric"),
    "D": ("k", "k", "diagonal"),
    "E": ("k", "k", "diagonal"),
    "x": ("n", "1", "general"),
    "z": ("k", "1", "general"),
}
WORDS: dict[str, WordSum] = {
    name: letter(name, DIMENSIONS[rows], DIMENSIONS[cols], kind) for name, (rows, cols, kind) in LETTERS.items()
}
WORDS["M"] = defined("M", WORDS["W"].T @ WORDS["W"] + sigma2 * identity(k))
SQUARE = {**{name: rows for name, (rows, cols, _) in LETTERS.items() if rows == cols}, "M": "k"}

reproducible = settings(derandomize=True, database=None, deadline=None, max_examples=150)


def arrays(seed: int = 0) -> dict[str, np.ndarray]:
    """Well-conditioned arrays of the right kinds, by name of letter, M included."""
    rng = np.random.default_rng(seed)
    result = {}
    for name, (rows, cols, kind) in LETTERS.items():
        A = rng.standard_normal((SIZES[rows], SIZES[cols]))
        if kind == "diagonal":
            A = np.diag(rng.uniform(0.5, 2.0, len(A)))
        elif rows == cols:
            A = A / 3 + 2 * np.eye(len(A))
        result[name] = A + A.T if kind == "symmetric" else A
    result["M"] = result["W"].T @ result["W"] + NOISE * np.eye(COLUMNS)
    return result


@dataclass(frozen=True)
class Product:
    """The same product twice: as a word sum in normal form, and multiplied out in NumPy as it was drawn."""

    words: WordSum
    array: np.ndarray


@st.composite
def products(draw, rows: str, cols: str, depth: int = 1) -> Product:
    """A product of up to five random factors of shape (rows, cols)."""
    words, array, here = identity(DIMENSIONS[rows]), np.eye(SIZES[rows]), rows
    for _ in range(draw(st.integers(0, 4))):
        factor, here = draw(_factors(here, depth))
        words, array = words @ factor.words, array @ factor.array
    if here != cols:
        factor = draw(_to(here, cols))
        words, array = words @ factor.words, array @ factor.array
    return Product(words, array)


@st.composite
def _factors(draw, rows: str, depth: int) -> tuple[Product, str]:
    values = arrays()
    options = [
        (name, flip) for name, (r, c, _) in LETTERS.items() for flip in (False, True) if (c if flip else r) == rows
    ]
    options += [(name, "inverse") for name, dimension in SQUARE.items() if dimension == rows]
    options += [("M", False)] if rows == "k" else []
    options += [("diag", False)] if depth and rows != "1" else []
    name, how = draw(st.sampled_from(options))
    if name == "diag":
        inner = draw(products(rows, rows, depth=depth - 1))
        return Product(diag(inner.words), np.diag(np.diag(inner.array))), rows
    if how == "inverse":
        return Product(inverse(WORDS[name]), np.linalg.inv(values[name])), rows
    r, c, _ = LETTERS.get(name, ("k", "k", ""))
    if how:
        return Product(WORDS[name].T, values[name].T), r
    return Product(WORDS[name], values[name]), c


def _to(rows: str, cols: str) -> st.SearchStrategy[Product]:
    """A single factor between two different dimensions."""
    values = arrays()
    found = [
        Product(WORDS[name].T if flip else WORDS[name], values[name].T if flip else values[name])
        for name, (r, c, _) in LETTERS.items()
        for flip in (False, True)
        if ((c, r) if flip else (r, c)) == (rows, cols)
    ]
    return st.sampled_from(found)
