"""Statements and evidence spoilt: whatever the evidence becomes, what is stated stays true or stays false.

Main       spoilt, a generator of evidence; other_numbers, a generator of statements.
"""

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

Json = Any
# In place of a number: other numbers, what is no number, and what is none in JSON.
NUMBERS: tuple[Json, ...] = (
    "0", "-0x0.0p+0", "1", "-1", "1/3", "-2/7", "0x1p-1074", "-0x1p-1074", "0x1p+1023", "1/0", "NaN", "nan", "Infinity",
    "-inf", "0x1p+5000", "1e5", "", " 1", "1_0", "9" * 400, "9" * 399 + "/7", "0." + "0" * 390 + "1", "0x1.8",
    0, 1, -1, 1.5, float("nan"), float("inf"), True, None, [], {},
)  # fmt: skip
WHOLE: tuple[Json, ...] = (
    0,
    1,
    -1,
    2,
    10**6,
    2**53,
    -(2**53),
    2**53 + 1,
    10**400,
    True,
    None,
    "1",
    1.0,
    float("nan"),
    [],
)
WHOLES_AS_MATRIX = (
    "zeros",
    "huge",
    "transposed",
    "shuffled",
    "reversed",
    "negated",
    "repeated",
    "random",
    "fewer",
    "more",
)


def spoilt(evidence: Json, rng: np.random.Generator, many: int) -> Iterator[tuple[str, Json]]:
    """So many ways to spoil it, drawn at random: what was done, and the evidence."""
    for _ in range(many):
        places = list(_places(evidence))
        draw = rng.random()
        if draw < 0.08 or not places:
            yield "replaced", _one([None, [], {}, "", "x", 7, 1.5, True, [[]], [evidence], {"evidence": evidence}], rng)
        elif draw < 0.14:
            changed = copy.deepcopy(evidence)
            path = _one(places, rng)
            holder = _at(changed, path[:-1])
            del holder[path[-1]]
            yield f"without {path[-1]}", changed
        else:
            path = _one(places, rng)
            changed = copy.deepcopy(evidence)
            holder = _at(changed, path[:-1])
            what, holder[path[-1]] = _instead(holder[path[-1]], rng)
            yield f"{path[-1]} {what}", changed


def _one(choices: Any, rng: np.random.Generator) -> Any:
    return choices[int(rng.integers(len(choices)))]


def _at(value: Json, path: tuple[Any, ...]) -> Json:
    for step in path:
        value = value[step]
    return value


def _places(value: Json, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to everything inside; of a long list the first few and the last."""
    if isinstance(value, dict):
        items: Any = list(value.items())
    elif isinstance(value, list):
        items = [(i, value[i]) for i in sorted({*range(min(6, len(value))), len(value) - 1} - {-1})]
    else:
        return
    for key, inner in items:
        yield (*path, key)
        yield from _places(inner, (*path, key))


def _is_matrix(value: Json) -> bool:
    return isinstance(value, dict) and {"shape", "exponent", "integers"} <= set(value)


def _instead(value: Json, rng: np.random.Generator) -> tuple[str, Json]:
    if _is_matrix(value):
        way = _one(WHOLES_AS_MATRIX, rng)
        return way, _matrix(value, way, rng)
    if isinstance(value, str) and set(value) <= set(".0123456789") and "." in value and len(value) > 3:
        return "cut", _string(value, rng)
    if isinstance(value, str):
        return "another number", _one(NUMBERS, rng)
    if isinstance(value, int):
        return "another integer", _one((*WHOLE, value + 1, value - 1, -value, 2 * value), rng)
    if isinstance(value, list) and value:
        order = rng.permutation(len(value))
        ways = [
            [value[i] for i in order],
            value[1:],
            value[:-1],
            [*value, value[-1]],
            value[::-1],
            [value[0]] * len(value),
        ]
        return "reordered", _one(ways, rng)
    return "replaced", _one(NUMBERS, rng)


def _string(value: str, rng: np.random.Generator) -> str:
    """A tree with a part left out, put in, or of other digits."""
    i, j = sorted(int(x) for x in rng.integers(0, len(value) + 1, 2))
    ways = [value[:i] + value[i + 1 :], value[:i] + value[j:], value[:i] + "." + value[j:], ".", "", value + "."]
    return _one([*ways, value[:i] + "0" + value[i:], value[:i] + "9" + value[i:], value[::-1], "x", "0" * 2000], rng)


def _matrix(value: Json, way: str, rng: np.random.Generator) -> Json:
    """The matrix (n, m) spoilt in one way."""
    try:
        (n, m), exponent = value["shape"], value["exponent"]
        held = np.array(value["integers"], dtype=object).reshape(n, m)
    except (ValueError, TypeError):
        return None
    changed = {
        "zeros": lambda: held * 0,
        "huge": lambda: held * 0 + 2**53,
        "transposed": lambda: held.T,
        "shuffled": lambda: rng.permutation(held.ravel()).reshape(n, m),
        "reversed": lambda: held[:, ::-1],
        "negated": lambda: -held,
        "repeated": lambda: held[:, [0] * m],
        "random": lambda: rng.integers(-(2**50), 2**50, (n, m)).astype(object),
        "fewer": lambda: held[:, 1:],
        "more": lambda: np.hstack([held, held[:, :1]]),
    }[way]()
    shape = [int(x) for x in changed.shape]
    return {"shape": shape, "exponent": exponent, "integers": [int(x) for x in changed.ravel()]}
