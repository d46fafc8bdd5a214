"""A sentence as tokens, and where its letters are words of English rather than symbols.

Notation   tokens carry their place in the text; i is the next one.
Main       Sentence.
"""

import re
from dataclasses import dataclass

from reports.words import notation

_TOKEN = re.compile(
    r"""(?P<kept>https?://\S+ | `[^`]*` | (?<![\w-])--[a-z][\w-]* | \bn/a\b | \b\w+@\w[\w.]*
        | [\w.+/-]*\w\.(?:py|html?|json|csv|npy|npz|cuh?|md|txt|gz|css|svg|js|toml|cfg)\b
        | (?<!\w)~?(?:/[\w.-]+){2,} | \b[A-Za-z]+\.[A-Za-z](?:[\w.]*\w)?\b | \b[A-Z]\.\d[\w.]*\b)
    | (?P<number>(?:(?:\d{2,3}(?:,\d{3})+(?!\d)|\d(?:,\d{3}){2,}(?!\d)|\d+)(?:\.\d+)?|(?<![\w.])\.\d+)
        (?:e[+-]?\d+)?(?!\w))
    | (?P<name>d2[A-Z]+|[A-Za-zΑ-ω]+[0-9]*)
    | (?P<raised>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹ᵀ]+) | (?P<lowered>[₀-₉]+)
    | (?P<op><=|>=|!=|->|\+-|\*\*|\|\||\.\.\.|_|[^\s\w])
    | (?P<other>[^\W_]+)""",
    re.VERBOSE,
)
_REFERENCES = {"Eq", "Eqs", "Table", "Tables", "Lemma", "Theorem", "Corollary", "Figure", "Sec", "Secs", "theory"}
_REFERENCES |= {"column", "columns", "row", "rows", "seed", "axes", "panel"}
_LETTERED = {"App", "Appendix", "Section", "Table", "Figure", "Panel", "panel"}
_WORDLIKE = ("name", "number", "other", "lowered")
_UNITS = "smhgd"


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int


class Sentence:
    """The tokens of a text, and a place among them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [Token(m.lastgroup or "", m[0], m.start(), m.end()) for m in _TOKEN.finditer(text)]
        self.i = 0

    def peek(self, ahead: int = 0) -> Token:
        at = self.i + ahead
        end = len(self.text)
        return self.tokens[at] if 0 <= at < len(self.tokens) else Token("end", "", end, end)

    def tight(self, ahead: int = 0) -> bool:
        """Whether no space stands before the token."""
        at = self.i + ahead
        return 0 < at < len(self.tokens) and self.tokens[at - 1].end == self.tokens[at].start

    def is_op(self, *texts: str, ahead: int = 0) -> bool:
        token = self.peek(ahead)
        return token.kind == "op" and token.text in texts

    def take(self) -> Token:
        token = self.peek()
        self.i += 1
        return token

    def skip_word(self) -> None:
        """Past a word of prose with all that is tied to it: n_components, sigma2_mle."""
        word = self.take().kind in ("name", "number", "other")
        while word and self.tight() and (self.peek().kind in _WORDLIKE or self.is_op("_")):
            self.i += 1

    # --- English ----------------------------------------------------------------------------------------------------

    def starts_formula(self) -> bool:
        """Whether a formula may begin here, as far as the words around tell."""
        token = self.peek()
        before = self.text[token.start - 1] if token.start else " "
        if not (before.isspace() or before in '([{"“‘«–—|,;:'):
            return False
        previous = self.peek(-1).text if self.i else ""
        if previous == "." and self.i > 1:
            previous = self.peek(-2).text
        if token.kind == "number":
            return previous not in _REFERENCES and not self._counts_something()
        if token.kind == "name":
            return not (previous in _LETTERED and len(token.text) == 1) and not self.is_word()
        return token.kind == "op" and (token.text not in notation.SIGNS or (self.tight(1) and before not in "–—"))

    def ends_formula(self) -> bool:
        """A formula is not the first half of a word, of a file's name or of an address."""
        token, rest = self.peek(), self.text[self.peek().start : self.peek().start + 2]
        if not self.tight():
            return True
        return token.kind in ("op", "end") and not (rest[0] in "._\\@" and rest[1:].isalnum())

    def _counts_something(self) -> bool:
        """A number and one letter: "10 k" may be any count, and so is no product, unless a formula goes on."""
        after = self.peek(1)
        if after.kind != "name" or len(after.text) > 1:
            return False
        if after.text == "x" and self.peek(2).kind == "number":
            return not self.is_op("^", ahead=3) and self.peek(3).kind != "raised"
        return not (self.is_op("^", "_", "=", "+", "-", "/", "*", "(", "<", ">", "<=", ">=", "'", ahead=2))

    def is_word(self) -> bool:
        """Whether a letter is a word of English, or a unit, here."""
        word, after = self.peek().text, self.peek(1)
        spaced_word = after.kind == "name" and not self.tight(1)
        if word in ("a", "I", "o", "O"):
            joined = after.kind == "op" and (
                after.text in "^_('" or after.text in notation.RELATIONS or after.text in "+-/"
            )
            return not joined or (word == "a" and after.text == "-" and self.tight(1))
        if word == "x" and self.i and self.peek(-1).kind == self.peek(1).kind == "number":
            return True  # 28 x 28
        if word == "A":
            before = self.text[: self.peek().start].rstrip(" \n\"“'‘(")
            return spaced_word and (not before or before[-1] in ".!?:;")
        if word in _UNITS and len(word) == 1 and self.i and self.peek(-1).kind == "number" and not self.tight():
            return not (after.kind == "op" and after.text in "^_='")
        hyphen = len(word) == 1 and word.isascii() and after.text == "-" and self.tight(1)
        return hyphen and len(self.peek(2).text) > 1 and self.peek(2).text.isupper()
