"""What has to be trusted is small: the checker's lines of code, and what it imports and calls."""

import ast
import io
import sys
import tokenize
from pathlib import Path

import pytest

import verify.certify.checker
from verify.certify.checker.certificate import KINDS
from verify.certify.sentences import SENTENCES

CHECKER = Path(verify.certify.checker.__file__).parent
FILES = sorted(CHECKER.glob("*.py"))
MOST = 400
ALLOWED = {"numpy", "flint", "verify", *sys.stdlib_module_names}
# Of verify the checker knows its own files, the type of errors, the type of arrays, and whom it asks for a factor.
OURS = ("verify.certify.checker", "verify.errors", "verify.arrays", "verify.certify.aids")
FORBIDDEN = ("linalg", "random", "scipy", "sympy", "eval", "exec", "__import__", "subprocess", "pickle", "ctypes")


def code_lines(text):
    """Lines that hold code: neither blank, nor a comment, nor a docstring."""
    docstrings = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            docstrings |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    held = set()
    skipped = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in skipped:
            held |= set(range(token.start[0], token.end[0] + 1))
    return len(held - docstrings)


def named(text):
    """All modules that are imported, and all names and attributes that are used."""
    modules, names = set(), set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, (ast.Name, ast.Attribute)):
            names.add(node.id if isinstance(node, ast.Name) else node.attr)
    return modules, names


def test_lines_are_counted_as_they_should_be():
    text = '"""Doc.\n\nmore"""\n\nimport os  # why\n\n# comment\ndef f():\n    """One."""\n'
    text += "    return (\n        1\n    )\n"
    assert code_lines(text) == 5


def relied_on(kind):
    """The files of the checker that a statement of this kind is decided by, and the one that reads certificates."""
    reached, left = {"certificate"}, [KINDS[kind].__module__.rpartition(".")[2], "subject"]
    while left:
        if (name := left.pop()) not in reached:
            reached.add(name)
            modules, _ = named((CHECKER / f"{name}.py").read_text())
            inside = (module.split(".") for module in modules if module.startswith("verify.certify.checker."))
            left += [module[3] for module in inside]
    return sorted(reached)


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_relies_on_one_kind_relies_on_at_most_400_lines_of_code(kind):
    lines = {name: code_lines((CHECKER / f"{name}.py").read_text()) for name in relied_on(kind)}
    assert sum(lines.values()) <= MOST, lines
    assert sum(lines.values()) > 150  # control: they were counted


def test_every_file_of_the_checker_belongs_to_some_kind():
    assert {path.stem for path in FILES} - {"__init__"} == {name for kind in KINDS for name in relied_on(kind)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_knows_no_eigenvalues_and_nothing_else_of_ours(path):
    modules, names = named(path.read_text())
    assert {module.partition(".")[0] for module in modules} <= ALLOWED
    assert all(module.startswith(OURS) for module in modules if module.startswith("verify"))
    assert not [name for name in FORBIDDEN if name in names or any(name in module.split(".") for module in modules)]


def test_an_eigenvalue_routine_would_be_seen():
    modules, names = named("import numpy as np\nnp.linalg.eigh(1)\nfrom scipy import linalg\n")
    assert "linalg" in names and "scipy.linalg" in modules


def test_the_documentation_says_how_long_it_is_and_has_every_kind():

    page = (Path(__file__).parents[3] / "docs" / "certificates.md").read_text()
    assert f"at most {MOST} lines" in page
    assert set(KINDS) == set(SENTENCES)
    assert all(f"\n### {kind}\n" in page for kind in SENTENCES)
