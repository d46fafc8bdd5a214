"""The notation of the house as trees: what a formula consists of, and what its names mean.

Notation   A formula is a tuple of nodes, read from left to right; operators stand between what they join.
Main       Leaf, Script, Group, Root, Fraction, Matrix; NAMES, FUNCTIONS, GREEK, SUPERSCRIPTS, SUBSCRIPTS.
"""

from dataclasses import dataclass

GREEK = {
    **{"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "theta": "θ", "kappa": "κ"},
    **{"lam": "λ", "lambda": "λ", "Lam": "Λ", "mu": "μ", "pi": "π", "rho": "ρ", "sigma": "σ", "phi": "φ"},
}
FUNCTIONS = ("log", "det", "diag", "tr", "exp", "min", "max", "rank", "sign", "mean", "sum", "logit", "sigmoid", "sin")
CALLED = ("diag", "exp", "min", "max", "sign", "sigmoid")  # only with a parenthesis: these are words as well
OBJECTIVES = ("KL", "ELBO")
RELATIONS = {
    **{"=": "=", "<": "<", ">": ">", "<=": "≤", ">=": "≥", "!=": "≠", "->": "→"},
    **{"≤": "≤", "≥": "≥", "≠": "≠", "→": "→", "≈": "≈"},
}
SIGNS = {"+": "+", "-": "−", "−": "−", "+-": "±", "±": "±"}
SUPERSCRIPTS = dict(
    zip("0123456789+-−nijkabcdefghlmoprstuvwxyzTVW*′", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿⁱʲᵏᵃᵇᶜᵈᵉᶠᵍʰˡᵐᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀⱽᵂ*′", strict=True)
)
SUBSCRIPTS = dict(zip("0123456789+-−aehijklmnoprstuvxβ", "₀₁₂₃₄₅₆₇₈₉₊₋₋ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦ", strict=True))
RAISED = {"ᵀ": "T", **{shown: read for read, shown in zip("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻", strict=True)}}
LOWERED = {shown: read for read, shown in zip("0123456789", "₀₁₂₃₄₅₆₇₈₉", strict=True)}


@dataclass(frozen=True)
class Leaf:
    """One symbol.  kind: name, upright, number, relation, sign, prefix, slash, cross, times, apply, comma, open, close,
    bar; for times and apply `shown` is the space that the plain text has there."""

    kind: str
    shown: str


@dataclass(frozen=True)
class Script:
    """A base with something below it or above it."""

    base: "Node"
    sub: tuple["Node", ...] = ()
    sup: tuple["Node", ...] = ()


@dataclass(frozen=True)
class Group:
    """What stands within parentheses, brackets, braces or bars."""

    opening: Leaf
    items: tuple["Node", ...]
    closing: Leaf


@dataclass(frozen=True)
class Root:
    """A square root; `bare` if the argument stood without parentheses."""

    items: tuple["Node", ...]
    bare: bool


@dataclass(frozen=True)
class Fraction:
    """A small fraction that is set upright: 1/2, n/2."""

    above: Leaf
    below: Leaf


@dataclass(frozen=True)
class Matrix:
    """Rows of entries, each a formula."""

    rows: tuple[tuple[tuple["Node", ...], ...], ...]


Node = Leaf | Script | Group | Root | Fraction | Matrix
TIMES, NEXT, APPLY, CALL = Leaf("times", " "), Leaf("times", ""), Leaf("apply", " "), Leaf("apply", "")
SQUARED = (Leaf("number", "2"),)


def _greek(word: str) -> Node | None:
    if word == "sigma2":
        return Script(Leaf("name", GREEK["sigma"]), sup=SQUARED)
    shown = GREEK.get(word, word)
    return Leaf("name", shown) if shown in GREEK.values() else None


def _derivative(word: str) -> tuple[Node, ...] | None:
    """dELBO, dW, dsigma2 of dELBO/dW; d2P and dtheta2 of the second derivative."""
    d: Node = Leaf("name", "d")
    rest = word[1:]
    if rest[:1] == "2":
        d, rest = Script(d, sup=SQUARED), rest[1:]
    if rest == "theta2":
        return (d, Script(Leaf("name", "θ"), sup=SQUARED))
    known = rest in OBJECTIVES or _greek(rest) is not None or (len(rest) == 1 and rest in "LPVDWM")
    return (d, *named(rest)) if known else None


def named(word: str) -> tuple[Node, ...]:
    """What a word denotes as a symbol; nothing if it is a word of the language."""
    if len(word) == 1 and word.isascii() and word.isalpha():
        return (Leaf("upright" if word == "E" else "name", word),)
    if word in OBJECTIVES:
        return (Leaf("upright", word),)
    if (found := _greek(word)) is not None:
        return (found,)
    if len(word) == 2 and word[0] in "VWL" and word[1].isdigit():
        return (Script(Leaf("name", word[0]), sub=(Leaf("number", word[1]),)),)
    if word == "xbar":
        return (Leaf("name", "x̄"),)
    if word[0] == "d" and (parts := _derivative(word)) is not None:
        return parts
    return ()
