"""The names at the top: each is there, typed, and nothing is imported before it is used."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import verify


@pytest.mark.parametrize("name", verify.__all__)
def test_each_name_is_what_its_place_holds(name):
    if importlib.util.find_spec(verify._PLACES[name]) is None:
        pytest.skip(f"{verify._PLACES[name]} is not there yet")
    assert callable(getattr(verify, name)) and getattr(verify, name).__doc__


def test_type_checkers_see_the_same_names_at_the_same_places():
    tree = ast.parse(Path(verify.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in block.body for alias in node.names}
    assert seen == {name: place for name, place in verify._PLACES.items() if name in seen}
    there = {name for name, place in verify._PLACES.items() if importlib.util.find_spec(place) is not None}
    assert there <= set(seen)


def test_importing_verify_imports_nothing_else():
    loaded = "import sys, verify; print(sorted({'numpy', 'scipy', 'matplotlib', 'sklearn', 'rich'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True).stdout == "[]\n"
    use = loaded.replace("verify;", "verify; verify.load;")  # control
    assert "numpy" in subprocess.run([sys.executable, "-c", use], capture_output=True, text=True).stdout


def test_names_are_listed_and_others_are_refused():
    assert set(verify.__all__) <= set(dir(verify))
    with pytest.raises(AttributeError, match="no attribute 'stabilty'"):
        getattr(verify, "stabilty")  # noqa: B009
