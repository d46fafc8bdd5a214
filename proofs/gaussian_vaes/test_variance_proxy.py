"""The noise above which every decoder collapses: its dual, two-valued data, a bound, and an ascent to it.

Statement   s* = sup_t 2 K(t)/|t|^2, K(t) = log mean exp <y, t>, is also sup |sum p_i y_i|^2/(2 KL(p, uniform)) over
            weights p of the data other than equal ones; (1 - 2p)/(2 log((1-p)/p)) for data that are 1 for a part p and
            0 for the others; and at most (B^4 - lam_1^2)/(2 B^2 log(B^2/lam_1)), B the largest |y|. t <- grad K(t)/s at
            s = 2 K(t)/|t|^2 never lowers the quotient.
Hypotheses  finitely many data, y measured from their mean, not all 0; 0 < p < 1, with 1/4 at p = 1/2, where it is a
            limit at t -> 0 that no t reaches; the bound is lam_1 where lam_1 = B^2. The ascent: from a t with K(t) > 0,
            that is, not across all data.
Source      ours, with claim any-decoder; theory 6.2. The closed form is Kearns & Saul's (UAI 1998), here by the tangent
            of a concave function (Jaakkola & Jordan 1997); the bound follows Bennett, JASA 57 (1962).
Method      identities, exact; numbers on data with known and unknown answers.
Trusted     SymPy's algebra; the normal form of words; Gibbs' inequality; tangents of concave functions.
"""

import math

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from verify.data import load_rows
from verify.landscape.any_decoder import lower_bound, proxy, upper_bound
from verify.landscape.proxy_search import ascend, quotient
from verify.symbolic.letters import n
from verify.symbolic.matrix_calculus import letter
from verify.symbolic.relations import substitute
from verify.symbolic.traces import trace

CLAIM = Claim(
    id="variance-proxy",
    source="ours, beside Sec. 4.4",
    statement="the variance proxy s* of the data (by claim any-decoder the threshold of all decoders) is "
    "sup |sum p_i y_i|^2/(2 KL(p, uniform)), has a closed form for two-valued data and is at most "
    "(B^4 - lam_1^2)/(2 B^2 log(B^2/lam_1))",
    hypotheses="finitely many data, not all equal, measured from their mean; weights other than equal ones; where the "
    "form or the bound is 0/0 its limit: 1/4 for p = 1/2, lam_1 for B^2 = lam_1",
    section="Every Gaussian VAE",
    trusts=("kl-nonnegative", "tangents"),
)
DUAL = CLAIM.step(
    "dual",
    "K(t) <= s |t|^2/2 for all t iff |m|^2 <= 2 s KL(p, uniform) for all weights p, m = sum p_i y_i: the gain of an "
    "output that carries these weights is not positive",
    says="gibbs -> (sub_gaussian & dual) | (~sub_gaussian & ~dual)",
    place="Variance proxy",
)
TWO_VALUES = CLAIM.step(
    "two values",
    "for data that are 1 for a part p and 0 for the others s* = (1 - 2p)/(2 log((1-p)/p)), reached at t = 2 "
    "log((1-p)/p), 0 < p < 1, p != 1/2; for p = 1/2 it is 1/4, the limit, and the supremum is not reached",
    says="two_values & tangents -> (above_closed_form & sub_gaussian) | (~above_closed_form & ~sub_gaussian)",
    place="Variance proxy",
)
ABOVE = CLAIM.step(
    "from above",
    "K(t) <= log((1 - q) + q exp(h |t|)) - q h |t|, h = B + lam_1/B, q = lam_1/(B^2 + lam_1): data with the two values "
    "B and -lam_1/B; by the closed form s* <= (B^4 - lam_1^2)/(2 B^2 log(B^2/lam_1)), and s* <= lam_1 where B^2 = "
    "lam_1",
    says="above_bound -> sub_gaussian",
    place="Variance proxy",
)
ASCENT = CLAIM.step(
    "ascent",
    "where K(t) > 0, at t' = grad K(t)/s, s = 2 K(t)/|t|^2, t' is not 0 and K(t') - s |t'|^2/2 >= s |t' - t|^2/2: the "
    "quotient never falls",
    place="Variance proxy",
)
CONCLUSION = CLAIM.step(
    "conclusion", "so the threshold has this dual, this closed form and this bound", place="Variance proxy"
)
USED = {"kl-nonnegative": "gibbs", "tangents": "tangents"}

s, L = sp.symbols("s L", positive=True)
t = sp.Symbol("t", real=True)
GOAL = "(~two_values | (above_closed_form & dual) | (~above_closed_form & ~dual)) & (~above_bound | dual)"


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_the_three(record):
    record(instances=concludes(CLAIM, GOAL, USED))
    with rejected():
        concludes(CLAIM, "dual -> above_bound", USED)


@DUAL.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_two_conditions_are_one(record):
    # One datum: p (log(N p) - a) = p (log(p/p_t) - K), p_t = exp(a - K)/N, a = <y, t>: KL(p, uniform) - <m, t> + K is
    # KL(p, p_t) >= 0, and 0 at p = p_t.
    p, N = sp.symbols("p N", positive=True)
    a, K = sp.symbols("a K", real=True)
    tilted = sp.exp(a - K) / N
    vanishes(sp.expand_log(p * (sp.log(N * p) - a) - p * (sp.log(p / tilted) - K), force=True))
    with rejected():
        vanishes(sp.expand_log(p * (sp.log(N * p) - a) - p * (sp.log(p / tilted) + K), force=True))
    m, v = letter("m", n, 1), letter("t", n, 1)
    # From left to right: at t = m/s, KL >= <m, t> - K(t) >= <m, t> - s |t|^2/2 = |m|^2/(2 s).
    at = m / s
    same(trace(m.T @ at) - s * trace(at.T @ at) / 2, trace(m.T @ m) / (2 * s))
    # From right to left: K(t) = <m, t> - KL(p_t) <= <m, t> - |m|^2/(2 s) = s |t|^2/2 - |m - s t|^2/(2 s).
    off = m - s * v
    same(s * trace(v.T @ v) / 2 - trace(m.T @ v) + trace(m.T @ m) / (2 * s), trace(off.T @ off) / (2 * s))
    with rejected():
        same(s * trace(v.T @ v) / 2 - trace(m.T @ v) + trace(m.T @ m) / s, trace(off.T @ off) / (2 * s))
    for side in (p * (sp.log(N * p) - a), p * (sp.log(p / tilted) - K)):  # a datum without weight
        vanishes(sp.limit(side, p, 0, "+"))
    record(instances=5)


def in_exponentials(expression):
    return sp.simplify(sp.expand(sp.together(expression.rewrite(sp.exp))))


@TWO_VALUES.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_closed_form_is_a_tangent(record):
    """With L = log((1-p)/p), K(t) = h((t - L)^2) - h(L^2) + t (1 - 2p)/2 for h(v) = log cosh(v^(1/2)/2), concave."""
    p = 1 / (1 + sp.exp(L))
    vanishes(in_exponentials(sp.tanh(L / 2) - (1 - 2 * p)))
    # exp K(t) exp(t p): the mean of exp over the two values, less their mean p.
    cosh = sp.cosh((t - L) / 2) / sp.cosh(L / 2)
    vanishes(in_exponentials(p * sp.exp(t) + (1 - p) - sp.exp(t / 2) * cosh))
    with rejected():
        vanishes(in_exponentials(p * sp.exp(t) + (1 - p) - sp.exp(t / 2) * cosh**2))
    # s t^2/2 - K(t) is the tangent of h at L^2, of slope tanh(L/2)/(4 L), less h: for h concave it is >= 0.
    h, h_L = sp.symbols("h h_L", real=True)
    proxy_of_two = sp.tanh(L / 2) / (2 * L)
    excess = proxy_of_two * t**2 / 2 - (h - h_L + t * sp.tanh(L / 2) / 2)
    tangent = sp.tanh(L / 2) / (4 * L) * ((t - L) ** 2 - L**2)
    vanishes(sp.expand(excess - (tangent - (h - h_L))))
    x = sp.Symbol("x", positive=True)  # x = v^(1/2)/2
    v = 4 * x**2
    slope = sp.diff(sp.log(sp.cosh(x)), x) / sp.diff(v, x)
    vanishes(slope.subs(x, L / 2) - sp.tanh(L / 2) / (4 * L))
    # d/dx tanh(x)/x = -(sinh(2x) - 2x)/(2 x^2 cosh(x)^2), and sinh w - w rises from 0: its slope is 2 sinh(w/2)^2.
    vanishes(in_exponentials(sp.diff(sp.tanh(x) / x, x) + (sp.sinh(2 * x) - 2 * x) / (2 * x**2 * sp.cosh(x) ** 2)))
    vanishes(in_exponentials(sp.diff(sp.sinh(x) - x, x) - 2 * sp.sinh(x / 2) ** 2))
    # At t = 2 L, (t - L)^2 = L^2: equality.
    vanishes(tangent.subs(t, 2 * L))
    with rejected():
        vanishes(tangent.subs(t, L))
    vanishes(sp.limit(proxy_of_two, L, 0) - sp.Rational(1, 4))
    with rejected():  # the closed form of the variance, p (1 - p)
        vanishes(in_exponentials(proxy_of_two * L - p * (1 - p) * L))
    record(instances=8)
    record.witness("p = 1/10: s* = 0.8/(2 log 9) = 0.18205 at t = 2 log 9, while lam_1 = 0.09")


@TWO_VALUES.evidence(role="supports", kind="symbolic", strength="proved")
def test_more_ones_than_zeros_and_as_many(record):
    """L > 0 above is p < 1/2. For p > 1/2 both sides are those of 1 - p at -t; at p = 1/2, K(t) = log cosh(t/2)."""
    p, unknown = sp.Symbol("p", positive=True), sp.Symbol("t", real=True)

    def of(part, at):  # exp K
        return part * sp.exp(at * (1 - part)) + (1 - part) * sp.exp(-at * part)

    def closed(part):
        return (1 - 2 * part) / (2 * sp.log((1 - part) / part))

    vanishes(sp.expand(of(1 - p, unknown) - of(p, -unknown)))
    with rejected():  # at t itself
        vanishes(sp.expand(of(1 - p, unknown) - of(p, unknown)))
    share = sp.Symbol("share", positive=True)  # the odds (1 - p)/p
    vanishes(sp.expand_log(closed(1 / (1 + share)) - closed(share / (1 + share)), force=True))
    half = sp.Rational(1, 2)
    vanishes(sp.simplify(of(half, unknown).rewrite(sp.exp) - sp.cosh(unknown / 2).rewrite(sp.exp)))
    # t^2/8 - K(t) is 0 with its slope at 0, and its second derivative is a square, 0 at t = 0 only: positive elsewhere,
    # so that no t reaches the 1/4 to which the quotient tends.
    excess = unknown**2 / 8 - sp.log(sp.cosh(unknown / 2))
    vanishes(excess.subs(unknown, 0))
    vanishes(sp.diff(excess, unknown).subs(unknown, 0))
    vanishes(in_exponentials(sp.diff(excess, unknown, 2) - sp.tanh(unknown / 2) ** 2 / 4))
    vanishes(sp.limit(2 * sp.log(sp.cosh(unknown / 2)) / unknown**2, unknown, 0) - sp.Rational(1, 4))
    with rejected():
        vanishes(in_exponentials(sp.diff(excess, unknown, 2) + sp.tanh(unknown / 2) ** 2 / 4))
    t_not_0 = sp.Symbol("t_not_0", positive=True)  # excess is even
    vanishes(excess.subs(unknown, -unknown) - excess)
    check((sp.tanh(t_not_0 / 2) ** 2 / 4).is_positive, "it is reached elsewhere")
    with rejected():
        check((sp.tanh(0 * t_not_0 / 2) ** 2 / 4).is_positive, "t = 0")
    record(instances=5)


@ABOVE.evidence(role="supports", kind="symbolic", strength="proved")
def test_no_variable_of_that_range_exceeds_two_values(record):
    """a = <y, t>/|t| <= B has mean 0 and variance <= V = lam_1; r = |t|, c = V/B, h = B + c."""
    r, B, V, u = sp.symbols("r B V u", positive=True)
    a = sp.Symbol("a", real=True)
    c, h = V / B, B + V / B
    # psi(x) = (e^x - 1 - x)/x^2 = the integral of (1 - u) e^(u x) over u in [0, 1] rises with x.
    x = sp.Symbol("x", real=True, nonzero=True)
    vanishes(sp.integrate((1 - u) * sp.exp(u * x), (u, 0, 1)) - (sp.exp(x) - 1 - x) / x**2)
    with rejected():
        vanishes(sp.integrate(sp.exp(u * x), (u, 0, 1)) - (sp.exp(x) - 1 - x) / x**2)
    # So e^(r (a + c)) <= 1 + r (a + c) + r^2 (a + c)^2 psi(r h); its mean, at mean a = 0 and mean a^2 = V, the most:
    psi = (sp.exp(r * h) - 1 - r * h) / (r * h) ** 2
    mean = sp.expand(1 + r * (a + c) + r**2 * (a + c) ** 2 * psi).subs(a**2, V).subs(a, 0)
    q = V / (B**2 + V)
    vanishes(sp.simplify(mean - (1 - q + q * sp.exp(r * h))))
    vanishes(sp.simplify(q * h - c))
    with rejected():  # the range without the other value
        vanishes(sp.simplify(mean - (1 - q + q * sp.exp(r * B))))
    # The closed form for two values at distance h, with odds (1 - q)/q = B^2/V.
    vanishes(sp.simplify((1 - q) / q - B**2 / V))
    found = h**2 * (1 - 2 * q) / (2 * sp.log(B**2 / V))
    vanishes(sp.simplify(found - (B**4 - V**2) / (2 * B**2 * sp.log(B**2 / V))))
    # At V = B^2, q = 1/2: a quarter of the distance squared, which is V, and the limit of the bound.
    vanishes(q.subs(V, B**2) - sp.Rational(1, 2))
    vanishes((h**2 / 4).subs(V, B**2) - B**2)
    vanishes(sp.limit(found.subs(V, B**2 / (1 + u)), u, 0) - B**2)
    record(instances=8)


@ASCENT.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_ascent_never_falls(record):
    """K(t') - K(t) - <m, t' - t> = KL(p_t, p_t') >= 0; then with K(t) = s |t|^2/2 and m = s t'."""
    p, N = sp.symbols("p N", positive=True)
    a, a_next, K, K_next = sp.symbols("a a_next K K_next", real=True)
    one = p * (K_next - K - (a_next - a))  # a datum of weight p = exp(a - K)/N
    log_ratio = sp.log(sp.exp(a - K) / N) - sp.log(sp.exp(a_next - K_next) / N)
    vanishes(sp.expand_log(one - p * log_ratio, force=True))
    with rejected():
        vanishes(sp.expand_log(one + p * log_ratio, force=True))
    v, w = letter("t", n, 1), letter("w", n, 1)  # w is t'
    m = s * w
    least = s * trace(v.T @ v) / 2 + trace(m.T @ (w - v)) - s * trace(w.T @ w) / 2
    same(least, s * trace((w - v).T @ (w - v)) / 2)
    with rejected():
        same(least, s * trace((w + v).T @ (w + v)) / 2)
    # t' = 0, where K is 0, is none: this would be s |t|^2/2 = K(t) > 0 at most 0.
    same(substitute(least, {"w": 0 * w}), s * trace(v.T @ v) / 2)
    size = sp.Symbol("size", positive=True)  # |t|^2
    check((s * size / 2).is_positive, "t' may be 0")
    with rejected():
        check((0 * size / 2).is_positive, "K(t) = 0")
    record(instances=3)


@ASCENT.evidence(role="supports", kind="numeric")
def test_it_finds_what_is_known(record):
    """Bundled tables, to the digits of theory 6.2, and that no step falls."""
    for name, lam_1, bound in (("iris", 4.200, 4.246), ("wine", 98644.0, 117339.0), ("digits", 178.9, 191.9)):
        y = load_rows(name).array()
        found = lower_bound(y)
        record(worst_error=agree(found.lam_1, lam_1, tolerance=3e-4))
        record(worst_error=agree(found.value, bound, tolerance=3e-4))  # four digits are written down
        record(worst_error=agree(found.check(y), found.value, tolerance=1e-10))
        at_most(found.value, found.upper)
        with rejected():
            agree(found.value, found.lam_1, tolerance=3e-3)
        at = np.random.default_rng(81).normal(size=(y.shape[1], 4)) / np.sqrt(found.lam_1)
        before = quotient(y, at)
        for _ in range(10):
            at = ascend(y - y.mean(axis=0), at, 1)
            at_most(before, quotient(y, at), slack=1e-12 * found.value)
            before = quotient(y, at)
    with rejected():
        at_most(found.value, found.lam_1)


@TWO_VALUES.evidence(role="supports", kind="numeric")
def test_two_valued_data_reach_the_closed_form(record):
    for part in (1, 13, 120, 499, 501, 990):
        y, p = (np.arange(1000) < part).astype(float)[:, None], part / 1000
        expected = (1 - 2 * p) / (2 * math.log((1 - p) / p))
        at = np.array([2 * math.log((1 - p) / p)])
        record(worst_error=agree(float(proxy(y, at)), expected, tolerance=1e-12))
        record(worst_error=agree(lower_bound(y).value, expected, tolerance=1e-9))
        # Two values at a distance reach the bound from above too.
        record(worst_error=agree(upper_bound(p * (1 - p), max(p, 1 - p)), expected, tolerance=1e-9))
    with rejected():  # the variance
        agree(lower_bound(y).value, p * (1 - p), tolerance=0.1)


@ABOVE.evidence(role="supports", kind="property")
@given(seed=st.integers(0, 10**6), N=st.integers(2, 30), columns=st.integers(1, 6), power=st.integers(1, 4))
def test_no_quotient_exceeds_the_bound(seed, N, columns, power, record):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(N, columns)) ** power * 10.0 ** rng.integers(-6, 7)
    y -= y.mean(axis=0)
    lam_1, largest = float(np.linalg.eigvalsh(y.T @ y / N)[-1]), float(np.sqrt((y * y).sum(axis=1).max()))
    bound = upper_bound(lam_1, largest)
    at = rng.normal(size=(columns, 40)) * 10.0 ** rng.uniform(-3, 2, size=40) / largest
    at = np.concatenate([at, ascend(y, at, 5), (y / lam_1).T], axis=1)
    record(worst_error=at_most(proxy(y, at) / bound, 1.0, slack=1e-9))
    with rejected():
        at_most(bound, 0.99 * lam_1)


@DUAL.evidence(role="supports", kind="numeric")
def test_the_dual_has_the_same_maximum(record):
    y = np.random.default_rng(82).exponential(size=(40, 3))
    y -= y.mean(axis=0)
    found = lower_bound(y)
    p = np.exp(y @ found.t)
    p /= p.sum()

    def dual(weights):
        return float(((weights @ y) ** 2).sum() / (2 * (weights * np.log(len(y) * weights)).sum()))

    # At a maximum the two agree to the square of the error in t.
    record(worst_error=agree(dual(p), found.value, tolerance=1e-9))
    for weights in np.random.default_rng(83).dirichlet(np.full(40, 0.3), size=300) + 1e-12:
        record(worst_error=at_most(dual(weights / weights.sum()), found.value))
    check(dual(p) > 1.05 * found.lam_1, "the example is near lam_1")
    with rejected():
        check(dual(p) > 1.05 * found.value, "the example is near its bound")
