"""The small faults that are planted: every mutant of a source text, as one replacement of a few characters.

Main       Mutant, mutants.

Not touched: docstrings and all other texts, what a `raise` says, type hints, decorators, imports, `__all__`, protocols,
defaults of TypeVar and the like. Nor are `strict=True` of zip and the like: they guard, and change no result.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

COMPARISONS = {
    ast.Lt: ("<", ("<=", ">=")),
    ast.LtE: ("<=", ("<", ">")),
    ast.Gt: (">", (">=", "<=")),
    ast.GtE: (">=", (">", "<")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: ("is not", ("is",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: ("not in", ("in",)),
}
ARITHMETIC = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "//"),
    ast.Pow: ("**", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
}
SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any", "minimum": "maximum", "maximum": "minimum",
           "floor": "ceil", "ceil": "floor", "sin": "cos", "cos": "sin", "argmin": "argmax", "argmax": "argmin",
           "takewhile": "dropwhile"}  # fmt: skip
GUARDS = ("strict", "check", "repr", "init", "frozen")
TOLERANCE = 1e-3  # a number below this is taken for a tolerance: mutated by four decades, and to zero
MAGNITUDE = 10  # a whole number from here on counts digits, steps or items: one more is no fault, ten times as many is


@dataclass(frozen=True, order=True)
class Mutant:
    """`path` with the bytes [start, end) replaced by `new`, inside the function `scope`.

    `text` is its `line` as it stands, without indentation, and `becomes` what is made of it.
    """

    path: str
    line: int
    start: int
    end: int
    new: str
    operator: str
    scope: str
    text: str
    becomes: str

    def applied(self, source: str) -> str:
        """The mutated source."""
        raw = source.encode()
        return (raw[: self.start] + self.new.encode() + raw[self.end :]).decode()


def mutants(path: str, source: str) -> list[Mutant]:
    """All mutants of a source text, in the order of their places.  SyntaxError where it does not parse."""
    text = _Text(source)
    found: dict[tuple[int, int, str], Mutant] = {}
    for scope, node in _open_to_faults(ast.parse(source), ""):
        for start, end, new, operator in _faults(node, text):
            line = text.raw[:start].count(b"\n")
            first, last = text.starts[line], text.starts[line + 1]
            becomes = (text.raw[first:start] + new.encode() + text.raw[end : max(last, end)]).decode()
            before = text.raw[first:last].decode().strip()
            mutant = Mutant(path, line + 1, start, end, new, operator, scope, before, becomes.splitlines()[0].strip())
            found.setdefault((start, end, new), mutant)
    return sorted(found.values())


class _Text:
    """Byte offsets of nodes, as ast counts columns."""

    def __init__(self, source: str) -> None:
        self.raw = source.encode()
        self.starts = [0, *(m.end() for m in re.finditer(rb"\n", self.raw)), len(self.raw)]

    def begin(self, node: ast.expr | ast.stmt) -> int:
        return self.starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self.starts[node.end_lineno - 1] + node.end_col_offset

    def of(self, node: ast.expr | ast.stmt) -> str:
        return self.raw[self.begin(node) : self.end(node)].decode()

    def token(self, symbol: str, after: int, before: int) -> tuple[int, int] | None:
        """Where an operator stands in between."""
        words = r"\b" if symbol[0].isalpha() else ""
        pattern = words + r"\s+".join(map(re.escape, symbol.split())) + words
        match = re.search(pattern.encode(), self.raw[after:before])
        return (after + match.start(), after + match.end()) if match else None


def _open_to_faults(tree: ast.AST, scope: str) -> Iterator[tuple[str, ast.AST]]:
    """The nodes that may be mutated, from the top, each with the function or class that it stands in."""
    if isinstance(tree, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        scope = f"{scope}.{tree.name}".lstrip(".")
    for node in _children(tree):
        yield scope, node
        yield from _open_to_faults(node, scope)


def _children(node: ast.AST) -> Iterable[ast.AST]:
    if isinstance(node, (ast.Raise, ast.Assert, ast.JoinedStr, ast.Import, ast.ImportFrom)):
        return ()
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return [*node.args.defaults, *(d for d in node.args.kw_defaults if d), *node.body]
    if isinstance(node, ast.ClassDef):
        protocol = any("Protocol" in ast.unparse(base) for base in node.bases)
        return () if protocol else node.body
    if isinstance(node, ast.AnnAssign):
        return [node.value] if node.value else ()
    if isinstance(node, ast.Assign):
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        typing = isinstance(node.value, ast.Call) and ast.unparse(node.value.func).endswith(("TypeVar", "NewType"))
        return () if typing or any(re.fullmatch(r"__\w+__", name) for name in names) else ast.iter_child_nodes(node)
    if isinstance(node, ast.Call):
        return [node.func, *node.args, *(k.value for k in node.keywords if k.arg not in GUARDS)]
    return ast.iter_child_nodes(node)


def _faults(node: ast.AST, text: _Text) -> Iterator[tuple[int, int, str, str]]:
    """(start, end, new text, name of the operator) of each way to get this node wrong."""
    if isinstance(node, ast.Compare):
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            symbol, others = COMPARISONS[type(op)]
            if place := text.token(symbol, text.end(left), text.begin(right)):
                yield from ((*place, other, "comparison") for other in others)
            left = right
    elif isinstance(node, ast.BinOp):
        yield from _of_product(node, text)
    elif isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
        symbol, other = ARITHMETIC[type(node.op)]
        if place := text.token(symbol + "=", text.end(node.target), text.begin(node.value)):
            yield (*place, other + "=", "arithmetic")
    elif isinstance(node, ast.BoolOp):
        symbol, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            if place := text.token(symbol, text.end(left), text.begin(right)):
                yield (*place, other, "boolean")
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub, ast.Invert)):
        yield text.begin(node), text.end(node), f"({text.of(node.operand)})", "dropped sign"
    elif isinstance(node, ast.Constant):
        for value in _other_values(node.value):
            yield text.begin(node), text.end(node), f"({value})" if value.startswith("-") else value, "constant"
    elif isinstance(node, ast.Call):
        yield from _of_call(node, text)
    elif isinstance(node, ast.Subscript):
        yield from _of_index(node, text)
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield text.end(node) - 2, text.end(node), "", "dropped transpose"
    elif isinstance(node, (ast.If, ast.While, ast.IfExp)) and not isinstance(node.test, (ast.Compare, ast.UnaryOp)):
        yield text.begin(node.test), text.end(node.test), f"(not ({text.of(node.test)}))", "condition"
    elif isinstance(node, ast.comprehension):
        for test in node.ifs:
            yield text.begin(test), text.end(test), "True", "condition"
    elif isinstance(node, ast.stmt):
        yield from _of_statement(node, text)


def _of_product(node: ast.BinOp, text: _Text) -> Iterator[tuple[int, int, str, str]]:
    if isinstance(node.op, ast.MatMult):
        swapped = f"({text.of(node.right)}) @ ({text.of(node.left)})"
        yield text.begin(node), text.end(node), swapped, "arithmetic"
        return
    # A text times or plus something is a text, and unions of types stand outside annotations as well.
    texts = any(isinstance(side, (ast.JoinedStr, ast.Constant)) and isinstance(getattr(side, "value", ""), str)
                for side in (node.left, node.right))  # fmt: skip
    if texts or type(node.op) not in ARITHMETIC:
        return
    symbol, other = ARITHMETIC[type(node.op)]
    if place := text.token(symbol, text.end(node.left), text.begin(node.right)):
        yield (*place, other, "arithmetic")


def _other_values(value: object) -> list[str]:
    if isinstance(value, bool):
        return [str(not value)]
    if isinstance(value, int):
        others = (value * 10, value // 10) if value >= MAGNITUDE else (value + 1, value - 1)
        return [str(other) for other in others]
    if isinstance(value, float) and 0 < value < TOLERANCE:
        return [repr(value * 1e4), "0.0"]
    return [repr(value + 1)] if isinstance(value, float) and abs(value) < 1e15 else []


def _of_call(node: ast.Call, text: _Text) -> Iterator[tuple[int, int, str, str]]:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if name in SWAPPED:
        yield text.end(node.func) - len(name), text.end(node.func), SWAPPED[name], "function"
    if name == "transpose" and len(node.args) == 1:
        yield text.begin(node), text.end(node), f"({text.of(node.args[0])})", "dropped transpose"


def _of_index(node: ast.Subscript, text: _Text) -> Iterator[tuple[int, int, str, str]]:
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    bounds = [b for p in parts for b in ((p.lower, p.upper) if isinstance(p, ast.Slice) else (p,)) if b is not None]
    for bound in bounds:
        # Of a constant the other values are mutants already; None and ... are no numbers.
        if isinstance(bound, (ast.Name, ast.BinOp, ast.Attribute, ast.Subscript, ast.Call)):
            for shift in ("+ 1", "- 1"):
                yield text.begin(bound), text.end(bound), f"({text.of(bound)} {shift})", "index"


def _of_statement(node: ast.stmt, text: _Text) -> Iterator[tuple[int, int, str, str]]:
    whole = text.begin(node), text.end(node)
    if isinstance(node, ast.Return) and node.value is not None and text.of(node.value) != "None":
        yield *whole, "return None", "return"
    elif isinstance(node, (ast.Break, ast.Continue)):
        yield *whole, "continue" if isinstance(node, ast.Break) else "break", "statement"
    elif isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)):
        yield *whole, "pass", "statement"
