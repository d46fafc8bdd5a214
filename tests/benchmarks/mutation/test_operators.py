"""Every operator plants what it says, where it says, and nothing is planted in words, hints and guards."""

import ast
from pathlib import Path

import pytest

from benchmarks.mutation.judges import STRATA
from benchmarks.mutation.operators import mutants

ROOT = Path(__file__).resolve().parents[3]


def planted(source, operator=None):
    """What becomes of a source of one line."""
    return {m.becomes for m in mutants("f.py", source) if operator in (None, m.operator)}


@pytest.mark.parametrize(
    ("source", "operator", "expected"),
    [
        ("x = a < b", "comparison", {"x = a <= b", "x = a >= b"}),
        ("x = a <= b != c", "comparison", {"x = a < b != c", "x = a > b != c", "x = a <= b == c"}),
        ("x = a is not b", "comparison", {"x = a is b"}),
        ("x = a not  in b", "comparison", {"x = a in b"}),
        ("x = is_in in b", "comparison", {"x = is_in not in b"}),
        ("x = (a) + (b * c)", "arithmetic", {"x = (a) - (b * c)", "x = (a) + (b / c)"}),
        ("x = a ** b // c", "arithmetic", {"x = a * b // c", "x = a ** b * c"}),
        ("x = a @ b.c", "arithmetic", {"x = (b.c) @ (a)"}),
        ("x += a", "arithmetic", {"x -= a"}),
        ("x = a and b and c", "boolean", {"x = a or b and c", "x = a and b or c"}),
        ("x = not a", "dropped sign", {"x = (a)"}),
        ("x = -a + b", "dropped sign", {"x = (a) + b"}),
        ("x = 3", "constant", {"x = 4", "x = 2"}),
        ("x = 9", "constant", {"x = 10", "x = 8"}),
        ("x = 10", "constant", {"x = 100", "x = 1"}),
        ("x = 0.5", "constant", {"x = 1.5"}),
        ("x = 1e-9", "constant", {"x = 1e-05", "x = 0.0"}),
        ("x = True", "constant", {"x = False"}),
        ("x = a[i]", "index", {"x = a[(i + 1)]", "x = a[(i - 1)]"}),
        ("x = a[k:, :n]", "index", {"x = a[(k + 1):, :n]", "x = a[(k - 1):, :n]", "x = a[k:, :(n + 1)]",
                                    "x = a[k:, :(n - 1)]"}),
        ("x = a[0]", "constant", {"x = a[1]", "x = a[(-1)]"}),
        ("x = np.min(a)", "function", {"x = np.max(a)"}),
        ("x = A.T", "dropped transpose", {"x = A"}),
        ("x = transpose(A)", "dropped transpose", {"x = (A)"}),
        ("x = a if b() else c", "condition", {"x = a if (not (b())) else c"}),
        ("x = [a for a in b if a.c]", "condition", {"x = [a for a in b if True]"}),
        ("f(x)", "statement", {"pass"}),
        ("raise ValueError('x')", "statement", {"pass"}),
    ],
)  # fmt: skip
def test_an_operator_plants(source, operator, expected):
    assert planted(source, operator) == expected


def test_returns_and_jumps():
    source = "def f(x):\n    for y in x:\n        if y.z():\n            continue\n        break\n    return y\n"
    assert planted(source) == {"if (not (y.z())):", "break", "continue", "return None"}
    assert {m.scope for m in mutants("f.py", source)} == {"f"}


@pytest.mark.parametrize(
    "source",
    [
        '"""Words: 1 + 1 < 3."""\n',
        "def f(a: 'x' = None) -> tuple[int, 3]:\n    '''Words.'''\n",
        "x: Literal[1, 2]\n",
        "x = f'{a + 1}'\n",
        "x = 'a' 'b'\n",
        "__all__ = ['a'] + b\n",
        "from a import b\n",
        "T = TypeVar('T', bound=A[1])\n",
        "@cache(maxsize=3)\ndef f():\n    x\n".replace("    x\n", "    '''Words.'''\n"),
        "class P(Protocol):\n    a: int = 1\n",
        "x = zip(a, b, strict=True)\n",
        "assert a < b\n",
    ],
)
def test_nothing_is_planted_in_words_hints_and_guards(source):
    assert planted(source) == set()


def test_what_a_raise_says_is_not_mutated_but_that_it_raises_is():
    assert planted("raise ValueError(f'{a + 1}' + str(2 * b))") == {"pass"}


def test_positions_count_bytes_and_lines():
    source = "x = 'Größe'; y = a + (\n    b  # + c\n    < 2\n)\n"
    found = {(m.line, m.operator, m.becomes) for m in mutants("f.py", source)}
    assert (1, "arithmetic", "x = 'Größe'; y = a - (") in found
    assert {m.applied(source) for m in mutants("f.py", source) if m.operator == "constant"} == {
        source.replace("2", "3"),
        source.replace("2", "1"),
    }


def test_every_mutant_of_the_tree_parses_and_is_another_program():
    for stratum in STRATA:
        seen = 0
        for path in sorted((ROOT / stratum).rglob("*.py")):
            source = path.read_text()
            before = ast.dump(ast.parse(source))
            for mutant in mutants(str(path), source)[::25]:
                assert ast.dump(ast.parse(mutant.applied(source))) != before, mutant
                seen += 1
        assert seen > 20
