"""Reads what was set back into the notation of the house, for comparing: nothing lost, nothing reordered.

Notation   normal form: no spaces, ASCII names, scripts behind _ and ^ without braces, roots without parentheses.
Main       read, normal, maths.
"""

import re
from xml.etree import ElementTree

from reports.words.notation import SUBSCRIPTS, SUPERSCRIPTS

_WORDS = {
    **{"λ": "lam", "Λ": "Lam", "σ": "sigma", "μ": "mu", "π": "pi", "ε": "epsilon", "δ": "delta", "β": "beta"},
    **{"θ": "theta", "κ": "kappa", "α": "alpha", "γ": "gamma", "ρ": "rho", "φ": "phi", "lambda": "lam"},
    **{"≤": "<=", "≥": ">=", "≠": "!=", "→": "->", "−": "-", "±": "+-", "×": "x", "⊗": "(x)", "∈": "in", "∑": "sum"},
    **{"‖": "||", "…": "...", "𝒩": "N", "ℝ": "R", "√": "sqrt", "x̄": "xbar", "′": "'", "∗": "*"},
}
_INVISIBLE = re.compile("[\\s\u2061\u2062\u200b]+")


def parsed(markup: str) -> ElementTree.Element:
    """The markup as XML, which it must be."""
    return ElementTree.fromstring(f"<div>{markup}</div>")


def maths(markup: str) -> list[ElementTree.Element]:
    """Its formulas."""
    return list(parsed(markup).iter("math"))


def read(element: ElementTree.Element) -> str:
    """The text of the element, its two-dimensional parts written in a line."""
    parts = [read(child) for child in element]
    match element.tag:
        case "msub":
            return f"{parts[0]}_{{{parts[1]}}}"
        case "msup":
            return parts[0] + _above(parts[1])
        case "msubsup":
            return f"{parts[0]}_{{{parts[1]}}}{_above(parts[2])}"
        case "mfrac":
            return f"{parts[0]}/{parts[1]}"
        case "msqrt":
            return f"sqrt({''.join(parts)})"
        case "mover":
            return "xbar"
        case "mtable":
            return ",".join(f"[{','.join(read(cell) for cell in row)}]" for row in element)
    texts = [child.tail or "" for child in element]
    return (element.text or "") + "".join(part + tail for part, tail in zip(parts, texts, strict=True))


def _above(script: str) -> str:
    primes, rest = script[: script.startswith("′")], script.removeprefix("′")
    return primes + (f"^{{{rest}}}" if rest else "")


def normal(text: str) -> str:
    """The normal form."""
    text = re.sub(r"(\d)e([+-]?)0*(?=\d)(\d+)", lambda m: f"{m[1]}x10^{{{m[2].replace('+', '')}{m[3]}}}", text)
    text = re.sub(r"(sigma|σ|theta)(?:\^?2|²)_([A-Za-z]+[0-9]*|[0-9]+|\+|\*|\{[^{}]*\})", r"\1_\2^{2}", text)
    text = _INVISIBLE.sub("", text.replace("**", "^"))
    for letters, mark in ((SUBSCRIPTS, "_"), (SUPERSCRIPTS, "^")):
        back = {shown: letter for letter, shown in letters.items() if not letter.isspace() and shown not in "*′"}
        small = "".join(map(re.escape, back))
        text = re.sub(f"[{small}]+", lambda m, b=back, k=mark: f"{k}{{{''.join(b[c] for c in m[0])}}}", text)
    for shown, word in _WORDS.items():
        text = text.replace(shown, word)
    text = re.sub(r"d2(?=[A-Z])", "d^2", text)
    text = re.sub(r"(sigma|theta)2", r"\1^2", text)
    text = re.sub(r"([VWL])(\d)", r"\1_\2", text)
    before = None
    while text != before:
        before = text
        text = re.sub(r"([\^_])(?:\{([^{}]*)\}|\(([^()]*)\))", lambda m: m[1] + (m[2] or "") + (m[3] or ""), text)
        text = re.sub(r"sqrt\(([^()]*)\)", r"sqrt\1", text)
    text = re.sub(r"sigma\^2\^(\d)", lambda m: f"sigma^{2 * int(m[1])}", text)
    return re.sub(r"\^?\*", "", text)
