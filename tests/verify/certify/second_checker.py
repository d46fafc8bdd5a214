"""A second checker of certificates, written from docs/certificates.md alone: the standard library, and nothing of ours.

Notation   as there; numbers are fractions, and intervals of fractions where there is a logarithm.
Main       check(text, rows or spectrum) -> "proved", "refuted", "undecided" of each statement; Refused.

It is slow and small: for data of a few columns. Where it can decide a statement by itself it does not look at the
evidence, so that its answer is that of the statement.
"""

import hashlib
import json
import re
import struct
from fractions import Fraction

from tests.verify.certify.fractions_between import PI, Interval, around, exp, inertia, interval, log, signs

PROVED, REFUTED, UNDECIDED = "proved", "refuted", "undecided"


class Refused(Exception):
    """No certificate, a damaged one, or one of other data."""


class Data:
    """Rows of doubles over a divisor, or a bare spectrum; exact."""

    def __init__(self, rows=None, divisor=1.0, spectrum=None):
        self.spectrum = None if spectrum is None else sorted(map(Fraction, spectrum), reverse=True)
        if rows is None:
            self.N, self.n, self.rows = None, len(self.spectrum), None
            self.sha256 = hashlib.sha256(" ".join(map(str, self.spectrum)).encode()).hexdigest()
            self.S = [[x if i == j else Fraction(0) for j in range(self.n)] for i, x in enumerate(self.spectrum)]
            return
        self.N, self.n = len(rows), len(rows[0])
        held = b"".join(struct.pack("<d", x + 0.0) for row in rows for x in row)  # a zero has no sign
        self.sha256 = hashlib.sha256(f"{self.N} {self.n} {float(divisor).hex()} ".encode() + held).hexdigest()
        exact = [[Fraction(x) / Fraction(divisor) for x in row] for row in rows]
        means = [sum(column) / self.N for column in zip(*exact, strict=True)]
        self.rows = [[x - m for x, m in zip(row, means, strict=True)] for row in exact]
        n = range(self.n)
        self.S = [[sum(row[i] * row[j] for row in self.rows) / self.N for j in n] for i in n]

    def above(self, level):
        """How many eigenvalues of S exceed a level, and how many equal it."""
        more, _, same = inertia([[x - (level if i == j else 0) for j, x in enumerate(r)] for i, r in enumerate(self.S)])
        return more, same

    def eigenvalue(self, j, width):
        """The j-th, from 1, within an interval of at most this width, by bisection."""
        low, high = Fraction(0), sum(self.S[i][i] for i in range(self.n)) + 1
        while high - low > width:
            middle = (low + high) / 2
            low, high = (middle, high) if self.above(middle)[0] >= j else (low, middle)
        return Interval(low, high)


def check(text, data):
    """What becomes of each statement.  Raises Refused."""
    certificate = parsed(text)
    try:
        if (certificate["format"], certificate["version"]) != ("elbo-verify certificate", 1):
            raise Refused("another format or version")
        content = {name: value for name, value in certificate.items() if name != "digest"}
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        if certificate["digest"] != "sha256:" + hashlib.sha256(canonical.encode()).hexdigest():
            raise Refused("damaged")
        about = certificate["subject"]
        if (about["sha256"], about["n"], about["N"]) != (data.sha256, data.n, data.N):
            raise Refused("other data")
        return [_checked(statement, data) for statement in certificate["statements"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise Refused(f"malformed: {error!r}") from None


def _checked(statement, data):
    try:
        return CHECKS[statement["kind"]](statement, data)
    except ArithmeticError:  # a logarithm or a quotient of what may be 0, as far as intervals tell
        return UNDECIDED


def parsed(text):
    """JSON, without floats and names that stand twice."""

    def refuse(text):
        raise Refused(f"{text} is not exact")

    def once(pairs):
        if len(dict(pairs)) < len(pairs):
            raise Refused("a name stands twice")
        return dict(pairs)

    try:
        return json.loads(text, parse_float=refuse, parse_constant=refuse, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise Refused(f"no JSON: {error}") from None


def number(text):
    """ "3/7", "-12", "0.1" or "0x1.8p+1"."""
    if isinstance(text, str):
        if re.fullmatch(r"-?\d+(\.\d+|/\d+)?", text, re.ASCII) and not re.search("/0+$", text):
            return Fraction(text)
        if found := re.fullmatch(r"(-?)0x([0-9a-f]+)\.?([0-9a-f]*)p([+-]\d{1,4})", text, re.ASCII):
            sign, whole, part, power = found.groups()
            value = Fraction(int(whole + part, 16)) * Fraction(2) ** (int(power) - 4 * len(part))
            return -value if sign else value
    raise Refused(f"{text!r} is no number")


def matrix(given):
    """A matrix of fractions, as a list of rows."""
    if isinstance(given, list):
        return [[number(x) for x in row] for row in given]
    (n, m), unit = given["shape"], Fraction(2) ** given["exponent"]
    if len(given["integers"]) != n * m:
        raise Refused("a matrix of another shape")
    return [[given["integers"][i * m + j] * unit for j in range(m)] for i in range(n)]


# Second derivatives by arithmetic: f + f_i e_i + f_j e_j + f_ij e_i e_j with e_i^2 = e_j^2 = 0.


class Jet:
    """Value, two first derivatives and the mixed second one, each an interval."""

    def __init__(self, v, i=0, j=0, ij=0):
        self.v, self.i, self.j, self.ij = map(interval, (v, i, j, ij))

    def __add__(self, other):
        other = jet(other)
        return Jet(self.v + other.v, self.i + other.i, self.j + other.j, self.ij + other.ij)

    def __sub__(self, other):
        return self + jet(other) * -1

    def __mul__(self, other):
        o = jet(other)
        mixed = self.v * o.ij + self.i * o.j + self.j * o.i + self.ij * o.v
        return Jet(self.v * o.v, self.v * o.i + self.i * o.v, self.v * o.j + self.j * o.v, mixed)

    def of(self, f, first, second):
        """f(self), of its value and two derivatives."""
        return Jet(f, first * self.i, first * self.j, first * self.ij + second * self.i * self.j)

    def inverse(self):
        y = self.v.inverse()
        return self.of(y, -(y * y), 2 * (y * y * y))

    def log(self):
        """The logarithm but for its value, which no derivative needs."""
        y = self.v.inverse()
        if y.low < 0:
            raise ZeroDivisionError("the logarithm of what is not positive")
        return self.of(interval(0), y, -(y * y))

    def __truediv__(self, other):
        return self * jet(other).inverse()

    __radd__ = __add__
    __rmul__ = __mul__


def jet(x):
    return x if isinstance(x, Jet) else Jet(x)


def objective(W, s, S, of_elbo):
    """-1/2 [log det C + tr C^-1 S], of the profile ELBO less 1/2 [sum log M_ii - log det M]: its derivatives."""
    n, k = len(W), len(W[0])
    C = gram(W, s)
    logs, solved = eliminated(C, S)
    value = logs + sum((solved[i][i] for i in range(n)), jet(0))
    if of_elbo:
        M = gram(list(zip(*W, strict=True)), s)
        value = value + sum((M[i][i].log() for i in range(k)), jet(0)) - eliminated(M, [])[0]
    return value * Fraction(-1, 2)


def gram(rows, s):
    """<row, row> + s I."""
    r = range(len(rows))
    return [
        [sum((a * b for a, b in zip(rows[i], rows[j], strict=True)), s if i == j else jet(0)) for j in r] for i in r
    ]


def eliminated(A, B):
    """log det A and A^-1 B, by Gauss, of a positive definite matrix of jets."""
    n, logs = len(A), jet(0)
    rows = [list(map(jet, A[i])) + (list(map(jet, B[i])) if B else []) for i in range(n)]
    for p in range(n):
        logs = logs + rows[p][p].log()
        inverse = rows[p][p].inverse()
        rows[p] = [x * inverse for x in rows[p]]
        for i in range(n):
            if i != p:
                factor = rows[i][p]
                rows[i] = [x - factor * y for x, y in zip(rows[i], rows[p], strict=True)]
    return logs, [row[n:] for row in rows]


class Point:
    """A statement about a stationary point: where it is said to lie."""

    def __init__(self, statement, data):
        self.W = matrix(statement["W"])
        self.learned = statement["sigma2"] == "learned"
        self.noise = number(statement["noise" if self.learned else "sigma2"])
        self.radius, self.data = number(statement["radius"]), data
        self.of_elbo = {"ppca": False, "elbo": True}[statement["objective"]]
        self.n, self.k = len(self.W), len(self.W[0])
        if self.n != data.n or statement["k"] != self.k or self.noise <= 0 or self.radius < 0:
            raise Refused("W of another shape, a noise that is not positive, or a negative radius")
        self.x0 = [x for row in self.W for x in row] + ([self.noise] if self.learned else [])

    def second(self, x, i, j):
        """The objective's jet in coordinates i and j at a box x."""
        y = [Jet(v, i=int(i == c), j=int(j == c)) for c, v in enumerate(x)]
        W = [y[a * self.k : (a + 1) * self.k] for a in range(self.n)]
        return objective(W, y[-1] if self.learned else jet(self.noise), self.data.S, self.of_elbo)

    def gradient(self, x):
        return [self.second(x, i, i).i for i in range(len(x))]

    def hessian(self, x):
        N = len(x)
        H = [[None] * N for _ in range(N)]
        for i in range(N):
            for j in range(i + 1):
                H[i][j] = H[j][i] = self.second(x, i, j).ij
        return H

    def tangents(self, x):
        """W turned in the plane of two columns, one of which is given as nonzero; a list of vectors."""
        if self.of_elbo:
            return []
        found = []
        for i in range(self.k):
            for j in range(i + 1, self.k):
                if any(row[i] or row[j] for row in self.W):
                    t = [interval(0)] * len(x)
                    for a in range(self.n):
                        t[a * self.k + j] = interval(x[a * self.k + i])
                        t[a * self.k + i] = -interval(x[a * self.k + j])
                    found.append(t)
        return found

    def enclosed(self):
        """A box that holds the point, or what is wrong with it.

        Krawczyk's operator for F(x) + G mu = 0, G^T (x - x_0) = 0 maps the box and a range of mu into themselves: there
        is a zero. |I - Y J| < 1 in the rows: only one. At it mu = 0, since F is orthogonal to the tangents there and
        those are not orthogonal to G.
        """
        box = [around(x, self.radius) for x in self.x0]
        if any(g.low > 0 or g.high < 0 for g in self.gradient(box)):
            return REFUTED
        G = [[t.lo for t in tangent] for tangent in self.tangents(list(map(interval, self.x0)))]
        inner = self.step(box, G)
        if inner is None or any(m.low < b.low or m.high > b.high for m, b in zip(inner, box, strict=True)):
            return UNDECIDED
        box = inner
        for _ in range(3):  # each step squares the width, so that the last digits of a curvature can be told
            narrow = self.step(box, G)
            box = box if narrow is None else [met(a, b) for a, b in zip(box, narrow, strict=True)]
        return box if regular(G, self.tangents(box)) else UNDECIDED

    def step(self, box, G):
        """Krawczyk's image of a box; None where nothing follows from it."""
        N, middle = len(box), [(b.lo + b.hi) / 2 for b in box]
        J = bordered(self.hessian(box), G)
        Y = inverse([[(a.lo + a.hi) / 2 for a in row] for row in J])
        if Y is None:
            return None
        F = self.gradient(list(map(interval, middle)))
        F += [total(g * (m - x) for g, m, x in zip(t, middle, self.x0, strict=True)) for t in G]
        rows = range(len(J))
        steps = [-total(Y[i][a] * F[a] for a in rows) for i in rows]
        rest = [[int(i == j) - total(Y[i][a] * J[a][j] for a in rows) for j in rows] for i in rows]
        if any(sum(max(abs(r.lo), abs(r.hi)) for r in row) >= 1 for row in rest):
            return None
        most = 2 * max([max(abs(s.lo), abs(s.hi)) for s in steps[N:]], default=0) + self.radius
        whole = [b - m for b, m in zip(box, middle, strict=True)] + [around(0, most)] * len(G)
        moved = [s + total(r * w for r, w in zip(row, whole, strict=True)) for s, row in zip(steps, rest, strict=True)]
        if any(m.lo < -most or m.hi > most for m in moved[N:]):
            return None
        return [m + d for m, d in zip(middle, moved[:N], strict=True)]


def met(a, b):
    """What two intervals have in common."""
    return Interval(max(a.lo, b.lo), min(a.hi, b.hi))


def total(terms):
    return sum(terms, interval(0))


def bordered(H, G):
    """[[H, G^T], [G, 0]]."""
    zero = [interval(0)] * len(G)
    return [h + [interval(t[i]) for t in G] for i, h in enumerate(H)] + [list(map(interval, t)) + zero for t in G]


def inverse(A):
    """Of a matrix of fractions, rounded to 40 digits or so on the way; None where a pivot is 0."""
    n = len(A)
    rows = [list(A[i]) + [Fraction(int(i == j)) for j in range(n)] for i in range(n)]
    for p in range(n):
        best = max(range(p, n), key=lambda i: abs(rows[i][p]))
        if rows[best][p] == 0:
            return None
        rows[p], rows[best] = rows[best], rows[p]
        rows[p] = [short(x / rows[p][p]) for x in rows[p]]
        for i in range(n):
            if i != p and rows[i][p]:
                factor = rows[i][p]
                rows[i] = [short(x - factor * y) for x, y in zip(rows[i], rows[p], strict=True)]
    return [row[n:] for row in rows]


def short(x):
    return Fraction(round(x * 2**160), 2**160)


def regular(G, T):
    """Whether the matrix <g, t> surely is, by elimination."""
    A = [[sum((interval(a) * b for a, b in zip(g, t, strict=True)), interval(0)) for t in T] for g in G]
    while A:
        place = next(
            ((i, j) for i in range(len(A)) for j in range(len(A)) if A[i][j].low > 0 or A[i][j].high < 0), None
        )
        if place is None:
            return False
        p, q = place
        A = [[A[i][j] - A[i][q] * A[p][j] / A[p][q] for j in range(len(A)) if j != q] for i in range(len(A)) if i != p]
    return True


def enclosed(statement, data):
    """The point of a statement, and a box that holds it or what is wrong with it."""
    point = Point(statement, data)
    key = (data.sha256, point.of_elbo, point.learned, point.radius, point.noise, *point.x0)
    if key not in _KNOWN:
        try:
            _KNOWN[key] = point.enclosed()
        except ZeroDivisionError:
            _KNOWN[key] = UNDECIDED
    return point, _KNOWN[key]


_KNOWN = {}  # several statements speak of one point


def stationary(statement, data):
    """Exactly one stationary point, up to its gauge, within the radius of W."""
    found = enclosed(statement, data)[1]
    return found if isinstance(found, str) else PROVED


def counted(statement, data):
    """Its Hessian has so many positive, negative and zero eigenvalues, these along the gauge alone."""
    point, box = enclosed(statement, data)
    claimed = [statement[name] for name in ("positive", "negative", "zero")]
    if isinstance(box, str):
        return box
    H, T = point.hessian(box), point.tangents(box)
    # H + T T^T has one more positive eigenvalue for each tangent, and H's others: H T = 0.
    N = len(H)
    lifted = [[H[i][j] + sum((t[i] * t[j] for t in T), interval(0)) for j in range(N)] for i in range(N)]
    found = signs(lifted)
    if found is None:
        return REFUTED if sum(claimed) != N else UNDECIDED
    return PROVED if [found[0] - len(T), found[1], len(T)] == claimed else REFUTED


def saddle(statement, data):
    """An eigenvalue above the curvature, and of pPCA a negative one."""
    (point, box), level = enclosed(statement, data), number(statement["curvature"])
    if level < 0:
        raise Refused("a curvature is not negative")
    if isinstance(box, str):
        return box
    H, T = point.hessian(box), point.tangents(box)
    N = len(H)
    shifted = [[H[i][j] - (level if i == j else 0) for j in range(N)] for i in range(N)]
    lifted = [[H[i][j] + sum((t[i] * t[j] for t in T), interval(0)) for j in range(N)] for i in range(N)]
    rising, falling = signs(shifted), signs(lifted)
    if rising is None or falling is None:
        return UNDECIDED
    return PROVED if rising[0] and (falling[1] or point.of_elbo) else REFUTED


def whole(value, least=0):
    if type(value) is not int or value < least:
        raise Refused(f"{value!r} is no whole number from {least} on")
    return value


def count(statement, data):
    """Exactly so many eigenvalues exceed the level and so many equal it; or at least so many exceed it."""
    above, equal = whole(statement["above"]), whole(statement.get("equal", 0))
    more, same = data.above(number(statement["level"]))
    if statement.get("at_least") is True:
        return PROVED if more >= above else REFUTED
    return PROVED if (more, same) == (above, equal) else REFUTED


def eigenvalues(statement, data):
    """lam_j lies in the j-th interval: at least j are not below its lower end, fewer than j above its upper one."""
    if not isinstance(statement["intervals"], list) or not 0 < len(statement["intervals"]) <= data.n:
        raise Refused("one to n intervals")
    right = True
    for j, (low, high) in enumerate(statement["intervals"], start=1):
        right &= sum(data.above(number(low))) >= j > data.above(number(high))[0]
    return PROVED if right else REFUTED


def optimum(statement, data):
    """So many of k latents are retained, and the value lies between the two ends.

    -(n log(2 pi sigma2) + beta (tr S/s - sum of h(lam_j/s)))/2 over the retained, h(x) = x - 1 - log x, s = beta
    sigma2.
    """
    k, (low, high) = whole(statement["k"], 1), map(number, statement["value"])
    sigma2, beta = number(statement["sigma2"]), number(statement.get("beta", "1"))
    if k > data.n or sigma2 <= 0 or beta <= 0:
        raise Refused("k from 1 to n, sigma2 and beta positive")
    s, trace = beta * sigma2, sum(data.S[i][i] for i in range(data.n))
    retained = min(k, data.above(s)[0])
    if whole(statement["retained"]) != retained:
        return REFUTED
    value = data.n * log(2 * sigma2 * PI) + beta * trace / s
    for j in range(1, retained + 1):
        x = data.eigenvalue(j, s * Fraction(1, 2**70)) * (1 / s)
        value = value - beta * (x - 1 - log(x))
    value = value * Fraction(-1, 2)
    if low <= value.lo and value.hi <= high:
        return PROVED
    return REFUTED if value.hi < low or high < value.lo else UNDECIDED


def witness(statement, data):
    """Some decoder beats collapse at `level`: mean exp <y, t> > exp(level |t|^2/2) at t, or near 0 along it."""
    level, t = number(statement["level"]), list(map(number, statement["evidence"]["t"]))
    if data.rows is None or len(t) != data.n or not any(t):
        raise Refused("t is a vector other than 0, and the data have rows")
    along, square = [sum(x * y for x, y in zip(row, t, strict=True)) for row in data.rows], sum(x * x for x in t)
    if sum(x * x for x in along) > level * square * data.N:
        return PROVED
    mean = total(exp(x) for x in along) * Fraction(1, data.N)
    return PROVED if mean.lo > exp(level * square / 2).hi else UNDECIDED


def every_decoder(statement, data):
    """No decoder beats collapse at a noise of `level` or more.

    Of data within B of their mean so is it at B^2 (Hoeffding); below lam_1 a linear one does. Between nothing is said.
    """
    level = number(statement["level"])
    if data.rows is None:
        raise Refused("the data have rows")
    if level >= max(sum(x * x for x in row) for row in data.rows):
        return PROVED
    return REFUTED if data.above(level)[0] else UNDECIDED


def box(statement, data):
    """f has a sign all over a box: here for f = x^2, and f = s^2 (1 + a^2 + b^2 - 2 s a b), where the factor has it."""
    ends = [(number(low), number(high)) for low, high in statement["box"]]
    if statement["sign"] not in ("<", ">") or any(low >= high for low, high in ends):
        raise Refused("a sign is < or >, and low < high")
    if statement["function"] == "gap of two":
        return PROVED if statement["sign"] == ">" else REFUTED
    if statement["function"] != "gap of three":
        return UNDECIDED
    parts, steps = [ends], 0
    while parts and steps < 4000:
        part, steps = parts.pop(), steps + 1
        x, a, b = (Interval(*side) for side in part)
        factor = 1 + a * a + b * b - 2 * (x * a * b)
        if factor.hi < 0 or factor.lo > 0:
            if (factor.lo > 0) != (statement["sign"] == ">"):
                return REFUTED
            continue
        i = max(range(3), key=lambda i: part[i][1] - part[i][0])
        low, high = part[i]
        parts += [[*part[:i], half, *part[i + 1 :]] for half in ((low, (low + high) / 2), ((low + high) / 2, high))]
    return UNDECIDED if parts else PROVED


CHECKS = {
    "count": count,
    "eigenvalues": eigenvalues,
    "optimum": optimum,
    "witness": witness,
    "every decoder": every_decoder,
    "box": box,
    "stationary": stationary,
    "inertia": counted,
    "saddle": saddle,
}
