"""Sets the formulas of a sentence: as MathML for the page, as Unicode for attributes.

Notation   A sentence is plain text with formulas in the notation of the house, sigma2, lam_j, W^T, (n - k)/2 or σ², λⱼ.
Main       mathematics: the sentence as markup; plain: the same in Unicode, λ₅₀, Wᵀ, where a tag cannot stand.

No browser breaks a line within <math>.  So a formula wider than WIDEST is set as several, which break after relations
first, then after signs, then within parentheses; each break is a space, which takes the place of that of the operator.
"""

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

from reports.words.formulas import find
from reports.words.notation import SUBSCRIPTS, SUPERSCRIPTS, Fraction, Group, Leaf, Matrix, Node, Root, Script

Row = tuple[Node, ...]

WIDEST = 24  # characters; about 15 em, which the narrowest telephone shows beside the margins
_THIN = "0.1667em"
_AFTER = (("relation",), ("sign",), ("times", "cross"), ("relation", "sign", "comma"), ("times", "cross", "slash"))
_OPENS_GROUPS, _FILLS = 3, 2  # the levels of _AFTER from which on groups are opened, and lines filled
_PROSE = (
    (re.compile(r"(?<![\w.-])sigma2(?!\w)"), "σ²"),
    (re.compile(r"(?<=\d) x (?=\d)"), " × "),
    (re.compile(r"(?<![<>=-])<=(?![=>])"), "≤"),
    (re.compile(r"(?<![<>=-])>=(?![=>])"), "≥"),
    (re.compile(r"(?<=\s)->(?=\s)"), "→"),
    (re.compile(r"(?<!\w)\+-(?=\s?\d)"), "±"),
    (re.compile(r"(?<![^\s(\[])-(?=\.?\d)"), "−"),
)
_HEAD = re.compile(r"[^\w\s]+(?=\s|\w|$)")  # what a line must not begin with after a formula
_TAIL = re.compile(r"[^\w\s]+$")  # what a line must not end with before one


def mathematics(text: str) -> Markup:
    """The sentence with its formulas as <math>; everything else escaped."""
    parts: list[str | list[str]] = [p if isinstance(p, str) else list(_pieces(p)) for p in find(text)]
    for at, pieces in enumerate(parts):
        if not isinstance(pieces, list):
            continue
        head = tail = ""
        if at and isinstance(before := parts[at - 1], str) and (found := _TAIL.search(before)):
            head, parts[at - 1] = found[0], before[: found.start()]
        if at + 1 < len(parts) and isinstance(behind := parts[at + 1], str) and (found := _HEAD.match(behind)):
            tail, parts[at + 1] = found[0], behind[found.end() :]
        pieces[0] = f"{escape(head)}{pieces[0]}"
        pieces[-1] = f"{pieces[-1]}{escape(tail)}"
        for i, touched in {0: head, len(pieces) - 1: tail}.items():
            if touched and not pieces[i].startswith("<span"):
                pieces[i] = f'<span class="kept">{pieces[i]}</span>'
    return Markup("".join(str(escape(_prose(p))) if isinstance(p, str) else "".join(p) for p in parts))


def plain(text: str) -> str:
    """The sentence with its formulas in Unicode: σ² = λ₅₀, W Wᵀ."""
    return "".join(_prose(part) if isinstance(part, str) else _plain(part) for part in find(text))


def _prose(text: str) -> str:
    for pattern, shown in _PROSE:
        text = pattern.sub(shown, text)
    return text


# --- line breaks ----------------------------------------------------------------------------------------------------


def _pieces(row: Row) -> Iterator[str]:
    """<math> elements and the spaces between them."""
    chunks = _split(row)
    for chunk in chunks[:-1]:
        last = chunk[-1]
        glue = " " if isinstance(last, Leaf) and last.kind in ("relation", "sign", "comma") else "\u200b"
        yield f"<math>{_set(chunk, ends=True)}</math>"
        yield glue
    yield f"<math>{_set(chunks[-1])}</math>"


def _split(row: Row, level: int = 0) -> list[Row]:
    """Rows that are no wider than WIDEST, as far as there are operators to break after."""
    if _width(row) <= WIDEST or level == len(_AFTER):
        return [row]
    if level >= _OPENS_GROUPS:
        row = tuple(part for node in row for part in _opened(node))
    chunks: list[list[Node]] = [[]]
    for i, node in enumerate(row):
        chunks[-1].append(node)
        if isinstance(node, Leaf) and node.kind in _AFTER[level] and i + 1 < len(row):
            chunks.append([])
    if level >= _FILLS:
        chunks = _filled(chunks)
    return [piece for chunk in chunks for piece in _split(tuple(chunk), level + 1)]


def _opened(node: Node) -> Row:
    """The parts of a wide group, so that it can be broken; what stands above its end stays with its end."""
    if isinstance(node, Script) and isinstance(node.base, Group) and _width((node,)) > WIDEST / 2:
        *inner, closing = _opened(node.base)
        return (*inner, Script(closing, node.sub, node.sup))
    if isinstance(node, Group) and _width((node,)) > WIDEST / 2:
        return (node.opening, *(part for item in node.items for part in _opened(item)), node.closing)
    return (node,)


def _filled(chunks: list[list[Node]]) -> list[list[Node]]:
    """As few chunks as will do."""
    lines: list[list[Node]] = []
    for chunk in chunks:
        if lines and _width((*lines[-1], *chunk)) <= WIDEST:
            lines[-1] += chunk
        else:
            lines.append(list(chunk))
    return lines


def _width(row: Row) -> float:
    """About how many characters wide it is."""
    total = 0.0
    for node in row:
        match node:
            case Leaf("relation" | "sign" | "cross"):
                total += 2.4
            case Leaf("times" | "apply"):
                total += 0.2
            case Leaf(_, shown):
                total += len(shown)
            case Script(base, sub, sup):
                total += _width((base,)) + 0.7 * max(_width(sub), _width(sup))
            case Group(_, items, _):
                total += 2 + _width(items)
            case Root(items):
                total += 1 + _width(items)
            case Fraction():
                total += 1
            case Matrix(rows):
                total += 2 + sum(max(_width(entry) for entry in column) + 1 for column in zip(*rows, strict=True))
    return total


# --- MathML ---------------------------------------------------------------------------------------------------------


def _set(row: Row, small: bool = False, ends: bool = False) -> str:
    """The elements of a row; small: in a script, where operators have no spaces; ends: a space follows."""
    out = []
    for i, node in enumerate(row):
        before, behind = row[i - 1] if i else None, row[i + 1] if i + 1 < len(row) else None
        last = ends and behind is None
        out.append(_leaf(node, before, behind, small, last) if isinstance(node, Leaf) else _tree(node, small))
    return "".join(out)


def _row(row: Row, small: bool = False) -> str:
    """One element."""
    inner = _set(row, small)
    return inner if len(row) == 1 else f"<mrow>{inner}</mrow>"


def _tree(node: Node, small: bool) -> str:
    match node:
        case Script(base, sub, sup):
            name = "msub" if not sup else "msup" if not sub else "msubsup"
            return f"<{name}>{_row((base,), small)}{''.join(_row(s, True) for s in (sub, sup) if s)}</{name}>"
        case Group(opening, items, closing):
            inner = f"{_set((opening,), small)}{_set(items, small)}{_set((closing,), small)}"
            return f"<mrow>{inner}</mrow>"
        case Root(items):
            return f"<msqrt>{_set(items, small)}</msqrt>"
        case Fraction(above, below) if small:
            return f"<mrow>{_set((above,))}{_mo('/', lspace='0', rspace='0')}{_set((below,))}</mrow>"
        case Fraction(above, below):
            return f"<mfrac>{_set((above,))}{_set((below,))}</mfrac>"
        case Matrix(rows):
            cells = ("".join(f"<mtd>{_set(entry)}</mtd>" for entry in entries) for entries in rows)
            table = "".join(f"<mtr>{row}</mtr>" for row in cells)
            return f'<mrow><mo form="prefix">[</mo><mtable>{table}</mtable><mo form="postfix">]</mo></mrow>'
    raise TypeError(node)


def _leaf(node: Leaf, before: Node | None, behind: Node | None, small: bool, last: bool) -> str:
    """One symbol with the spaces that its place asks for."""
    shown = node.shown
    match node.kind:
        case "name" if shown == "x̄":
            return '<mover accent="true"><mi>x</mi><mo stretchy="false">¯</mo></mover>'
        case "name" if shown in ("′", "*", "+"):
            return _mo("∗" if shown == "*" else shown, lspace="0", rspace="0")
        case "name":
            return f"<mi>{shown}</mi>" if shown != "Λ" else f'<mi mathvariant="normal">{shown}</mi>'
        case "upright":
            return f'<mi mathvariant="normal">{shown}</mi>' if len(shown) == 1 else f"<mi>{shown}</mi>"
        case "number":
            return f"<mn>{shown}</mn>"
        case "relation" | "sign" | "cross":
            spaces = {"lspace": "0", "rspace": "0"} if small else {"rspace": "0"} if last else {}
            return _mo(shown, form="infix", **spaces)
        case "prefix":
            return _mo(shown, form="prefix")
        case "times":
            return _mo("\u2062", **({"rspace": _THIN} if _stands_apart(before, behind) else {}))
        case "apply":
            return _mo("\u2061", **({"rspace": _THIN} if _needs_space(before, node, behind) else {}))
        case "comma":
            return _mo(shown, **({"rspace": "0"} if last else {}))
        case "bar":
            return _mo(shown, form="infix", stretchy="false", lspace=_THIN, rspace=_THIN)
        case "slash":
            return _mo(shown, lspace="0", rspace="0")
        case "sum":
            return _mo(shown, lspace="0", rspace="0", movablelimits="true")
    form = {"open": "prefix", "close": "postfix"}[node.kind]
    return _mo(shown, form=form, stretchy="false", lspace="0", rspace="0") if shown else ""


def _mo(shown: str, **attributes: str) -> str:
    given = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<mo{given}>{escape(shown)}</mo>"


def _needs_space(before: Node | None, apply: Leaf, behind: Node | None) -> bool:
    """log x and sum (x - y), but log(x) and log |x|."""
    base = behind.base if isinstance(behind, Script) else behind
    name = before.base if isinstance(before, Script) else before
    summed = isinstance(name, Leaf) and name.kind == "sum"
    return bool(apply.shown) and (summed or not isinstance(base, Group))


def _stands_apart(before: Node | None, behind: Node | None) -> bool:
    """log and KL, and what follows a fraction or a root, have a thin space to the left."""
    if isinstance(before, Fraction | Root):
        return not isinstance(behind, Group)
    base = behind.base if isinstance(behind, Script) else behind
    return isinstance(base, Leaf) and (base.kind == "sum" or (base.kind == "upright" and len(base.shown) > 1))


# --- Unicode --------------------------------------------------------------------------------------------------------


def _plain(row: Row, small: bool = False) -> str:
    """A row for where no tag can stand."""
    return "".join(_flat(node, small) for node in row)


def _flat(node: Node, small: bool) -> str:
    match node:
        case Leaf("relation" | "sign" | "cross", shown):
            return shown if small else f" {shown} "
        case Leaf("comma", shown):
            return f"{shown} "
        case Leaf(_, shown):
            return shown
        case Script(base, sub, sup):
            return f"{_flat(base, small)}{_moved(sub, SUBSCRIPTS, '_')}{_moved(sup, SUPERSCRIPTS, '^')}"
        case Group(opening, items, closing):
            return f"{opening.shown}{_plain(items, small)}{closing.shown}"
        case Root(items, bare):
            return f"√{_plain(items)}" if bare else f"√({_plain(items)})"
        case Fraction(above, below):
            return f"{above.shown}/{below.shown}"
        case Matrix(rows):
            return f"[{', '.join('[' + ', '.join(_plain(entry) for entry in entries) + ']' for entries in rows)}]"


def _moved(row: Row, letters: dict[str, str], mark: str) -> str:
    """A script: in small letters where there are such, else behind its mark."""
    text = _plain(row, small=True)
    if text[:1] == "′":
        return f"′{_moved(row[1:], letters, mark)}" if text[1:] else text
    if all(letter in letters for letter in text):
        return "".join(letters[letter] for letter in text)
    return f"{mark}{text}" if text.isalnum() else f"{mark}{{{text}}}"
