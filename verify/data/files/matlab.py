"""What the variables of MATLAB hold, and along which axis they count the data.

Main       holds, axis_of_data.
"""

from verify.data.files.stacks import counting_axis, shown
from verify.errors import InputError

_WHOLE = {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
_NUMBERS = {"", "double", "single", "logical", "sparse", *_WHOLE}
_WORDS = {
    "char": "words",
    "cell": "a cell array",
    "struct": "a struct",
    "function": "a function",
    "function_handle": "a function",
}


def holds(kind: str) -> str:
    """What a variable of this class of MATLAB's holds, "" where that is numbers.

    Tables, strings, dates are objects: what a file has in their place are references to numbers that are elsewhere.
    """
    return "" if kind in _NUMBERS else _WORDS.get(kind, f"an object of MATLAB ({kind})")


def axis_of_data(name: str, shape: tuple[int, ...]) -> tuple[int, tuple[str, ...]]:
    """The axis that counts the data in an array of this name, 0 or -1, and what is to be said of that.

    MATLAB counts images along the last axis, others along the first.  Raises InputError where neither is clearly it.
    """
    if len(shape) < 3:
        return 0, ()
    axis = counting_axis(shape)
    if axis is None:
        rank = len(shape)
        by_last, by_first = (" ".join(map(str, axes)) for axes in (range(rank, 0, -1), (1, *range(rank, 1, -1))))
        raise InputError(
            f"{name} is {shown(shape)}, and either its last axis counts the data, as MATLAB has images, or its first; "
            f"save a matrix: reshape(permute({name}, [{by_last}]), size({name}, {rank}), []) if the last does, "
            f"reshape(permute({name}, [{by_first}]), size({name}, 1), []) if the first does"
        )
    return axis, (f"of {shown(shape)} the last axis was taken for that of the data",) if axis else ()
