"""Finds the formulas in a sentence and reads them.

Notation   depth counts the parentheses around a place, bars names the bar that would close, |, || or none.
Main       find: the sentence as stretches of prose (strings) and formulas (tuples of nodes), in order.

A formula is what the grammar below can read from some word on, as far as it goes:
    formula  = operand { operator operand }      operator: a relation, a sign, a slash, or nothing, for a product
    operand  = number | name scripts | function operand | ( formula , ... ) scripts | | formula |
and which then says more than its words do: single names count, bare numbers and "ELBO" do not.  Whatever the grammar
does not cover is prose; English wins where a letter may be a word ("a", "I", "A" that opens a sentence).
"""

from collections.abc import Iterator

from reports.words import notation
from reports.words.english import Sentence
from reports.words.notation import APPLY, CALL, NEXT, TIMES, Fraction, Group, Leaf, Matrix, Node, Root, Script

Row = tuple[Node, ...]

_CLOSING = {"(": ")", "[": "]", "{": "}", "|": "|", "||": "||"}
_DEEPEST, _PATIENCE = 12, 1000  # no formula for people is deeper, or takes as many steps; others are left as they are


class _NotMathsError(Exception):
    """What stands here cannot be read as a formula."""


def find(text: str) -> Iterator[str | Row]:
    """The sentence in order: prose as strings, formulas as rows of nodes."""
    reader, done = _Reader(text), 0
    while reader.i < len(reader.tokens):
        start = reader.i
        row = reader.formula()
        if row is None:
            reader.i = start
            reader.skip_word()
            continue
        begin, end = reader.tokens[start].start, reader.tokens[reader.i - 1].end
        if begin > done:
            yield text[done:begin]
        yield row
        done = end
    if done < len(text):
        yield text[done:]


class _Reader(Sentence):
    """A place in the sentence, and what can be read from there."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.steps = self.nesting = 0

    def expect(self, text: str) -> None:
        if not self.is_op(text):
            raise _NotMathsError
        self.i += 1

    # --- formulas ---------------------------------------------------------------------------------------------------

    def formula(self) -> Row | None:
        """The longest formula that begins here; None if none does."""
        self.steps = 0
        if not self._may_begin():
            return None
        try:
            row = self.row(0)
        except _NotMathsError:
            return None
        return row if self.ends_formula() and _says_something(row) else None

    def _may_begin(self) -> bool:
        token = self.peek()
        opens = token.kind != "op" or token.text in notation.SIGNS or token.text in ("(", "[", "|", "||", "#")
        return opens and self.starts_formula() and not self._wraps_prose()

    def _wraps_prose(self) -> bool:
        """Parentheses of the sentence around a formula, (N = 60), are not part of it."""
        if not self.is_op("(", "["):
            return False
        mark = self.i
        try:
            row = self.row(0)
            return len(row) == 1 and isinstance(row[0], Group)
        except _NotMathsError:
            return True
        finally:
            self.i = mark

    def row(self, depth: int, bars: str = "") -> Row:
        """operand { operator operand }, as far as it goes."""
        found = list(self.operand(depth, bars))
        while True:
            mark = self.i
            try:
                operator = self.operator(depth, bars, found)
                if operator is None:
                    break
                more = self.operand(depth, bars, after=operator)
            except _NotMathsError:
                self.i = mark
                break
            if operator.kind == "slash" and (fraction := _fraction(found, more)) is not None:
                found[-1:] = [fraction]
            else:
                found += [operator, *more]
        return tuple(found)

    def operator(self, depth: int, bars: str = "", found: list[Node] | None = None) -> Leaf | None:
        """What joins the operand before this place with one behind it; None if nothing does."""
        token, text = self.peek(), self.peek().text
        balanced = self.tight() == self.tight(1)
        if token.kind == "op":
            if bars and text == bars:
                return None
            if text in notation.RELATIONS:
                self.i += 1
                return Leaf("relation", notation.RELATIONS[text])
            if text in notation.SIGNS:
                if not balanced or (depth == 0 and self.tight() and not self._small_difference(found)):
                    return None
                self.i += 1
                return Leaf("sign", notation.SIGNS[text])
            if text in "/*×·" and balanced:
                self.i += 1
                return {"/": Leaf("slash", "/"), "*": TIMES}.get(text, Leaf("cross", text))
            if text == "(" and not self.tight() and self.is_op(")", ahead=2) and self.peek(1).text == "x":
                return self._kronecker()
            if text == "|" and depth > 0:
                return self._condition(depth)
        if text == "in" and not self.tight() and found is not None:
            return self._element()
        if text == "x" and not self.tight() and _is_number(found) and self.peek(1).text == "10":
            self.i += 1
            return Leaf("cross", "×")
        return self._product(depth, found)

    def _small_difference(self, found: list[Node] | None) -> bool:
        """n-k and k-1, but neither L-BFGS nor 3-4."""
        left = found[-1] if found else None
        after = self.peek(1)
        simple = isinstance(left, Leaf) and left.kind == "name" and left.shown.islower()
        return self.peek().text != "-" or (simple and (after.kind == "number" or len(after.text) == 1))

    def _kronecker(self) -> Leaf:
        if self.tight(3) or self.peek(3).kind not in ("name", "op"):
            raise _NotMathsError
        self.i += 3
        return Leaf("cross", "⊗")

    def _condition(self, depth: int) -> Leaf | None:
        """The bar of q(z|x), unless it opens |W| after a space."""
        if not self.tight() and self.tight(1):
            mark = self.i
            try:
                self.group(depth)
                return TIMES
            except _NotMathsError:
                pass
            finally:
                self.i = mark
        self.i += 1
        return Leaf("bar", "|")

    def _element(self) -> Leaf | None:
        """x in R^n, R in O(k), x in {...}: but "the gradient of L in W" is English."""
        if not (self.is_op("{", ahead=1) or (self.peek(1).text in "RO" and self.is_op("^", "(", ahead=2))):
            return None
        self.i += 1
        return Leaf("relation", "∈")

    def _product(self, depth: int, found: list[Node] | None) -> Leaf | None:
        """Nothing stands between: a product, if what follows can be a factor."""
        token = self.peek()
        if token.kind == "name":
            if self.tight() or (token.text == "a" and not self.is_op("_", ahead=1)):
                return None
            if depth == 0 and token.text in notation.OBJECTIVES and not self.is_op("_", "(", ahead=1):
                return None
            opens_next = depth == 0 and _is_number(found) and len(found or ()) > 1 and self.is_op("=", ahead=1)
            return None if opens_next and len(token.text) == 1 and token.text.isupper() else TIMES
        if self.is_op("#") and self.is_op("{", ahead=1):
            return None if self.tight() else TIMES
        if token.kind == "op" and token.text in _CLOSING:
            if self.tight():
                last = found[-1] if found else None
                good = not isinstance(last, Leaf) or last.kind in ("name", "upright")
                joins = CALL if isinstance(last, Leaf) else NEXT
                return joins if good and token.text in ("(", "[", "|", "||") else None
            mark = self.i
            try:
                if self.is_op("[", ahead=1):
                    return TIMES
                group = self.group(depth)
                listed = any(isinstance(n, Leaf) and n.kind in ("comma", "relation") for n in group.items)
                factor = _says_something(group.items) or self.is_op("^")
                return None if (listed or not factor) and token.text in "([" else TIMES
            finally:
                self.i = mark
        return None

    # --- operands ---------------------------------------------------------------------------------------------------

    def operand(self, depth: int, bars: str = "", after: Leaf | None = None) -> Row:
        """A number, a name, a function of something, or a group; with its scripts."""
        self.steps += 1
        if self.nesting > _DEEPEST or self.steps > _PATIENCE:
            raise _NotMathsError
        self.nesting += 1
        try:
            return self._operand(depth, bars, after)
        finally:
            self.nesting -= 1

    def _operand(self, depth: int, bars: str, after: Leaf | None) -> Row:
        token, text = self.peek(), self.peek().text
        if token.kind == "number":
            return self._number(after)
        if token.kind == "name":
            return self._named(depth, bars, after)
        if (
            text in notation.SIGNS
            and token.kind == "op"
            and (after is None or after.kind in ("relation", "comma", "sign"))
        ):
            if not self.tight(1):
                raise _NotMathsError
            self.i += 1
            return (Leaf("prefix", notation.SIGNS[text]), *self.operand(depth, bars, APPLY))
        if text in ("...", "…") and (depth > 0 or (after is not None and after.kind == "relation")):
            self.i += 1
            return (Leaf("name", "…"),)
        if text == "#" and self.is_op("{", ahead=1):
            self.i += 1
            return (Leaf("upright", "#"), NEXT, self.group(depth))
        if self.is_op("[") and self.is_op("[", ahead=1):
            return self._scripted(self.matrix(depth))
        if self.is_op("(", "[", "|", "||") or (self.is_op("{") and (depth > 0 or after is not None)):
            return self._scripted(self.group(depth))
        raise _NotMathsError

    def _number(self, after: Leaf | None) -> Row:
        """0.25, .5, 2^n; 3e-06 as 3 x 10^-6.  No factor after a name: "lam 3" are two words."""
        if after in (TIMES, NEXT) and not self.is_op("*", ahead=-1):
            raise _NotMathsError
        mantissa, e, exponent = self.take().text.partition("e")
        if not e:
            return self._scripted(Leaf("number", mantissa))
        sign = (Leaf("prefix", "−"),) if exponent[0] == "-" else ()
        raised = Script(Leaf("number", "10"), sup=(*sign, Leaf("number", exponent.lstrip("+-").lstrip("0") or "0")))
        return (Leaf("number", mantissa), Leaf("cross", "×"), raised)

    def _named(self, depth: int, bars: str, after: Leaf | None) -> Row:
        word = self.peek().text
        if word == "sqrt":
            return self._scripted(self.root(depth))
        if word in notation.FUNCTIONS:
            return self._function(depth, bars)
        found = notation.named(word)
        if not found:
            raise _NotMathsError
        if depth == 0 and word == "a" and after is not None and self.peek(1).kind == "name" and not self.tight(1):
            raise _NotMathsError
        self.i += 1
        if word == "N" and self.is_op("(") and self.tight():
            found = (Leaf("upright", "𝒩"),)
        if word == "R" and after == Leaf("relation", "∈") and self.is_op("^"):
            found = (Leaf("upright", "ℝ"),)
        return (*found[:-1], *self._scripted(found[-1]))

    def _function(self, depth: int, bars: str) -> Row:
        """log x, log det(M), sum b_i^2: a function is none without an argument."""
        previous, word = self.peek(-1).text if self.i else "", self.take().text
        name: Node = Leaf("sum", "∑") if word == "sum" else Leaf("upright", word)
        below = self._script("_") if word == "sum" and self.is_op("_") and self.tight() else ()
        name = Script(name, sub=below) if below else name
        if self.is_op("(", "[") and self.tight():
            return (name, CALL, *self._scripted(self.group(depth)))
        argument = self.peek()
        if word in notation.CALLED or self.tight() or previous in ("the", "a", "their", "this", "its", "no"):
            raise _NotMathsError
        if word == "mean" and not (len(argument.text) == 1 and self.is_op("_", ahead=1)) and argument.text != "log":
            raise _NotMathsError
        if argument.kind == "number" and word not in ("log", "det"):
            raise _NotMathsError
        if word in ("rank", "sum", "logit") and argument.kind == "name" and self.is_word():
            raise _NotMathsError
        return (name, APPLY, *self.operand(depth, bars, APPLY))

    def root(self, depth: int) -> Root:
        """sqrt(2 pi), sqrt 3."""
        self.i += 1
        if self.is_op("(") and self.tight():
            return Root(self.group(depth).items, bare=False)
        if self.tight() or self.peek().kind not in ("number", "name") or self.peek().text in notation.FUNCTIONS:
            raise _NotMathsError
        return Root(self.operand(depth, "", APPLY), bare=True)

    def group(self, depth: int) -> Group:
        """( formula , formula ; ... ), with any of the brackets and bars."""
        opening = self.take().text
        closing = _CLOSING[opening]
        items = [*self.row(depth + 1, closing if "|" in opening else "")]
        while self.is_op(",", ";"):
            comma = Leaf("comma", self.take().text)
            items += [comma, *self._entry(depth + 1, comma)]
        self.expect(closing)
        bar = {"||": "‖"}
        return Group(Leaf("open", bar.get(opening, opening)), tuple(items), Leaf("close", bar.get(closing, closing)))

    def _entry(self, depth: int, comma: Leaf) -> Row:
        if self.peek().text == "posterior":
            self.i += 1
            return (Leaf("upright", "posterior"),)
        return self.row(depth)

    def matrix(self, depth: int) -> Matrix:
        """[[1, -1], [2, 2]]."""
        self.expect("[")
        rows: list[tuple[Row, ...]] = []
        while True:
            self.expect("[")
            entries = [self.row(depth + 1)]
            while self.is_op(","):
                self.i += 1
                entries.append(self.row(depth + 1))
            self.expect("]")
            rows.append(tuple(entries))
            if not self.is_op(","):
                break
            self.i += 1
        self.expect("]")
        if len({len(entries) for entries in rows}) > 1:
            raise _NotMathsError
        return Matrix(tuple(rows))

    # --- scripts ----------------------------------------------------------------------------------------------------

    def _scripted(self, base: Node) -> Row:
        """What stands below and above a base, in either order, and primes and stars."""
        sub: Row = ()
        sup: Row = ()
        if isinstance(base, Script):
            sub, sup, base = base.sub, base.sup, base.base
        own = sup  # the square of sigma2, which a subscript may follow
        while self.tight():
            if self.is_op("'") and not sup and self._is_prime(base):
                self.i += 1
                sup = (Leaf("name", "′"),)
            elif self.is_op("*") and not sup and self._is_star(base):
                self.i += 1
                sup = (Leaf("name", "*"),)
            elif (self.peek().kind == "lowered" or self.is_op("_")) and not sub and (not sup or sup == own):
                sub = self._script("_")
            elif (self.peek().kind == "raised" or self.is_op("^", "**")) and (not sup or sup == (Leaf("name", "′"),)):
                sup = (*sup, *self._script("^"))
            elif self.is_op("^", "**") and base == Leaf("name", "σ") and sup == notation.SQUARED:
                sup = self._doubled()
            else:
                break
        if self.tight() and self.is_op("_", "^", "**"):
            raise _NotMathsError  # a third script, or one that cannot be read: n_components
        return (Script(base, sub, sup),) if sub or sup else (base,)

    def _doubled(self) -> Row:
        """sigma2^2 is the fourth power of sigma."""
        found = self._script("^")
        if len(found) > 1 or not isinstance(found[0], Leaf) or not found[0].shown.isdigit():
            raise _NotMathsError
        return (Leaf("number", str(2 * int(found[0].shown))),)

    def _is_prime(self, base: Node) -> bool:
        token = self.peek(1)
        quoted = self.i > 1 and self.text[self.peek(-1).start - 1 : self.peek(-1).start] in ("'", "‘")
        return isinstance(base, Leaf) and not quoted and not (self.tight(1) and token.kind in ("name", "other"))

    def _is_star(self, base: Node) -> bool:
        """D* followed by no factor."""
        after = self.peek(1)
        return (
            isinstance(base, Leaf)
            and base.kind == "name"
            and not (self.tight(1) and (after.kind in ("name", "number", "other") or after.text in "(*["))
        )

    def _script(self, which: str) -> Row:
        token = self.take()
        if token.kind == "lowered":
            return (Leaf("number", "".join(notation.LOWERED[c] for c in token.text)),)
        if token.kind == "raised":
            return _raised(token.text)
        if self.is_op("{") or (which == "^" and self.is_op("(")):
            opening = self.take().text
            row = self.row(1)
            self.expect(_CLOSING[opening])
            return row
        if self.is_op("+", "*"):
            return (Leaf("name", self.take().text),)
        sign: Row = ()
        if which == "^" and self.is_op("-", "−"):
            self.i += 1
            sign = (Leaf("prefix", "−"),)
        return (*sign, *self._small(which))

    def _small(self, which: str) -> Row:
        """One number, one name, two indices or an abbreviation."""
        token = self.take()
        if token.kind == "number" and "e" not in token.text and (which == "^" or token.text.isdigit()):
            return (Leaf("number", token.text),)
        if token.kind != "name":
            raise _NotMathsError
        if which == "^":
            if len(token.text) != 1:
                raise _NotMathsError
            return (Leaf("upright" if token.text == "T" else "name", token.text),)
        if found := notation.named(token.text):
            return found
        if token.text in ("MLE", "max", "min"):
            return (Leaf("upright", token.text),)
        if len(token.text) == 2 and token.text.isalpha() and token.text.islower():
            return tuple(Leaf("name", letter) for letter in token.text)
        raise _NotMathsError


def _raised(text: str) -> Row:
    read = "".join(notation.RAISED[c] for c in text)
    if read == "T":
        return (Leaf("upright", "T"),)
    sign: Row = (Leaf("prefix", "−"),) if read[0] == "-" else ()
    digits = read.removeprefix("-")
    if not digits.isdigit():
        raise _NotMathsError
    return (*sign, Leaf("number", digits))


def _is_number(found: list[Node] | None) -> bool:
    last = found[-1] if found else None
    return isinstance(last, Leaf) and last.kind == "number"


def _fraction(found: list[Node], below: Row) -> Fraction | None:
    """1/2 and n/2 as small fractions; what is longer, or the argument of a function, keeps its slash."""
    above = found[-1]
    applied = len(found) > 1 and isinstance(found[-2], Leaf) and found[-2].kind in ("apply", "slash", "cross", "times")
    if applied or len(below) != 1 or not isinstance(above, Leaf) or not isinstance(below[0], Leaf):
        return None
    whole = above.shown.isdigit() and len(above.shown) <= 2
    simple = whole or (above.kind == "name" and len(above.shown) == 1)
    return Fraction(above, below[0]) if simple and below[0].shown.isdigit() and len(below[0].shown) <= 2 else None


def _says_something(row: Row) -> bool:
    """Whether there is a symbol in it, or a power, that prose would not show as well."""
    if len(row) == 1 and isinstance(row[0], Leaf):
        return row[0].kind == "name" and row[0].shown not in "aIO…"
    return any(_symbol(node) for node in row) or (len(row) > 2 and any(_objective(node) for node in row))


def _objective(node: Node) -> bool:
    return isinstance(node, Leaf) and node.shown in notation.OBJECTIVES


def _symbol(node: Node) -> bool:
    if isinstance(node, Leaf):
        return node.kind in ("name", "apply")
    if isinstance(node, Group):
        return any(_symbol(item) for item in node.items)
    return not isinstance(node, Fraction) or node.above.kind == "name"
