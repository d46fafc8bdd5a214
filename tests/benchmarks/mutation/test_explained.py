"""The list of what no test can see: read, matched, and never stale."""

import pytest

from benchmarks.mutation.__main__ import ROOT, population
from benchmarks.mutation.explained import Explained, explanation, read, stale
from benchmarks.mutation.operators import mutants

SOURCE = "def f(a):\n    return a < 1\n\n\ndef g(a):\n    return a < 1\n"


def test_an_entry_names_a_function_and_a_line_and_not_its_number():
    entry = Explained("f.py", "g", "return a < 1", "return a <= 1", "a is never 1")
    found = mutants("f.py", "\n\n" + SOURCE)
    assert [m.line for m in found if explanation(m, [entry])] == [8]
    assert {explanation(m, [entry]) for m in found} == {"", "a is never 1"}
    assert stale([entry], found) == []
    assert stale([entry], mutants("f.py", SOURCE.replace("< 1", "< 2"))) == [entry]
    assert stale([entry], mutants("h.py", SOURCE)) == [entry]


def test_the_list_is_read(tmp_path):
    path = tmp_path / "list.toml"
    fields = {"path": "f.py", "scope": "", "text": "x = 1", "becomes": "x = 2", "why": "x is not read."}
    path.write_text("[[mutant]]\n" + "".join(f'{name} = "{value}"\n' for name, value in fields.items()))
    assert read(path) == [Explained(**fields)]
    path.write_text('[[mutant]]\npath = "f.py"\n')
    with pytest.raises(TypeError):
        read(path)
    path.write_text("# nothing\n")
    assert read(path) == []


def test_what_is_explained_is_there_once_and_says_why():
    entries = read()
    assert stale(entries, [m for found in population(ROOT).values() for m in found]) == []
    assert len({(e.path, e.scope, e.text, e.becomes) for e in entries}) == len(entries)
    assert all(e.why.endswith(".") and len(e.why) > 20 for e in entries)
