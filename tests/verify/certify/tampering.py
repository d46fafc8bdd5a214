"""Certificates tampered with by somebody who knows the format: every number changed, one at a time, and sealed again.

Main       changed, of a statement; sealed.
"""

import copy
import json

from verify.certify import files
from verify.certify.verdict import certificate

# What a number is turned into.
TURNS = {
    str: ("0", "-{}", "1/3", "0x1p-1074", "0x1p+900", "1000000007/1000000006", "nan", "Infinity", "", "1e5", 1.5, None),
    int: (0, 1, -1, "{}", 2**53, 10**400, True, 1.0, None),
}


def changed(statement, part=None):
    """Pairs (where, a copy with one number changed).  part: of the "evidence", or None: of all else."""
    root = statement.get("evidence", {}) if part == "evidence" else statement
    for path, value in _leaves(root):
        if part is None and path[0] in ("evidence", "kind"):
            continue
        for new in _turned(value):
            copied = copy.deepcopy(statement)
            place = copied[part] if part else copied
            for name in path[:-1]:
                place = place[name]
            place[path[-1]] = new
            yield (*path, new), copied


def _turned(value):
    if type(value) is int:
        yield from (value + 1, value - 1)
    for new in TURNS.get(type(value), ()):
        turned = new.format(value) if isinstance(new, str) else new
        if turned != value or type(turned) is not type(value):
            yield turned


def _leaves(value, path=()):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _leaves(inner, (*path, i))
    elif not isinstance(value, bool):
        yield path, value


def sealed(subject, *statements):
    """A certificate of these statements with the right digest, as text; a float and NaN as JSON would have them."""
    whole = certificate(subject, list(statements))
    try:
        return json.dumps(files.sealed(whole))
    except ValueError:  # NaN
        return json.dumps(whole)
