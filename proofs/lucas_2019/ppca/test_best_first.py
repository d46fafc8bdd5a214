"""The stationary points of L can be listed best first, without the others: each hangs on one that is not lower.

Statement   call A valid if q = |A| <= k and it is stationary: at fixed noise all lam_a > sigma2, with learned noise
            q < n and all lam_a > sigma2_A > 0, the mean of the discarded. Every valid A, but for the largest valid
            (1, ..., q), comes from another valid set that is not lower: by moving one index up by one place, or from
            (1, ..., q + 1) by leaving out the last.
Hypotheses  lam descending; ties allowed; with learned noise q < n.
Source      ours; theory 1.2 and 2, docs/mathematics.md Proposition 6.
Method      with learned noise L is, as a function of the eigenvalue x that a pair leaves discarded, h(x) = 1/2 [log x
            - p log(x + r)], p = n - q, r the sum of the other discarded. It falls where p x > x + r: at lam_a validity
            says so. At fixed noise values add up (claim fixed-noise-maxima). Beside it: all sets of random spectra.
"""

from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
import sympy as sp

from proofs.machinery.checks import check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from verify.landscape.stationary import learned_noise_points

CLAIM = Claim(
    id="best-first",
    source="ours, after App. A",
    statement="every stationary index set of pPCA but the best comes from another that is not lower, by one small move",
    hypotheses="lam descending, ties allowed; A valid: q <= k, and all lam_a > sigma2 > 0 at a fixed noise, or with "
    "learned noise q < n and sigma2 the mean of the discarded",
    section="Probabilistic PCA",
    rests_on=("eq-07-08", "fixed-noise-maxima"),
    trusts=("descent", "induction"),
)
FIXED = CLAIM.step(
    "fixed",
    "at fixed noise: if a of a valid A is exchanged for j outside, lam_j >= lam_a, or, if q < k, lam_j > sigma2 is "
    "added to A, the set is valid and not lower; so is A less one of its members valid, and not higher",
    says="fixed & values_add_up -> fixed_exchange_keeps & fixed_less_keeps",
    place="Proposition 6",
)
EXCHANGE = CLAIM.step(
    "exchange",
    "with learned noise: if A is valid, a in A, j outside and lam_j > lam_a, then A with j in the place of a is valid "
    "and strictly higher; if lam_j = lam_a, it is valid and as high; for all n and q < n",
    says="learned & profile_value -> learned_exchange_keeps",
    place="Proposition 6",
)
LESS = CLAIM.step(
    "less",
    "with learned noise: if (1, ..., q) is valid, q >= 1, so is (1, ..., q - 1), and it is lower; for all n and q < n",
    says="learned & profile_value -> learned_less_keeps",
    place="Proposition 6",
)
CHAIN = CLAIM.step(
    "chain",
    "a set of q indices that is not (1, ..., q) holds some a with a - 1 outside, and exchanging them lowers the sum of "
    "the indices by 1; (1, ..., q) comes from (1, ..., q + 1) if that is valid and q < k. Each such move lowers "
    "(k + 1)(k - q) plus the sum of the indices, a natural number",
    says="valid & (fixed_exchange_keeps & fixed_less_keeps | learned_exchange_keeps & learned_less_keeps) "
    "& initial_segments -> best | (comes_from_one_not_lower & number_falls)",
    place="Proposition 6",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "so at either noise every valid set is the largest valid (1, ..., q), q <= k, or comes from a valid one that is "
    "not lower; and finitely many such moves lead from it to the largest valid (1, ..., q), along which the value "
    "never falls",
    place="Proposition 6",
)

lam_a, d, e, m, x, s, p = sp.symbols("lam_a d e m x s p", positive=True)
r = sp.Symbol("r", nonnegative=True)  # all the other discarded may be 0


def log_likelihood(discarded, count, others, both):
    """L of the profile up to constants: a pair with product `both` leaves `discarded` out, of `count` in all."""
    return -(sp.log(both / discarded) + count * sp.log((discarded + others) / count)) / 2


def check_falls(numerator):
    """-e - m d: negative for all positive e, m and d >= 0."""
    check(bool(sp.expand(numerator).is_negative), f"{numerator} is not negative")


@EXCHANGE.evidence(role="supports", kind="symbolic", strength="proved")
def test_an_exchange_for_a_larger_eigenvalue_rises_with_learned_noise(record):
    both = sp.Symbol("both", positive=True)
    slope = sp.diff(log_likelihood(x, p, r, both), x)
    vanishes(slope - (r - (p - 1) * x) / (2 * x * (x + r)))
    # Valid: p lam_a > lam_j + r >= lam_a + r, so (p - 1) lam_a - r = e > 0, p - 1 = m > 0. At x = lam_a + d, d >= 0:
    numerator = (r - (p - 1) * x).subs({x: lam_a + d, p: 1 + m}).subs(r, m * lam_a - e)
    vanishes(numerator + e + m * d)
    check_falls(numerator)
    with rejected():  # without validity, e of either sign
        check_falls(numerator.subs(e, sp.Symbol("e", real=True)))
    # What is excluded by r >= 0: p = 1 has m = 0 and e = -r.
    check(not bool((0 * lam_a - r).is_positive), "with a single discarded eigenvalue the set is valid")
    # The new mean (lam_a + r)/p is positive, and below the old one, hence below all that stay and lam_j > lam_a.
    old, new = (lam_a + d + r) / p, (lam_a + r) / p
    vanishes(old - new - d / p)
    vanishes((old - new).subs(d, 0))  # at a tie the noise stays, and with x = lam_a = lam_j the value
    check(bool(new.is_positive) and bool(sp.factor(old - new).is_positive), "the noise does not fall")
    record(instances=4)


def gain_of_less(lam, noise, count):
    """2 [L(1..q) - L(1..q-1)]: lam_q leaves, `count` others of mean `noise` were discarded before."""
    mean = (count * noise + lam) / (count + 1)
    return (count + 1) * sp.log(mean) - sp.log(lam) - count * sp.log(noise)


@LESS.evidence(role="supports", kind="symbolic", strength="proved")
def test_leaving_out_the_smallest_is_valid_and_lower(record):
    f = gain_of_less(x, s, p)
    vanishes(sp.expand_log(f.subs(x, s), force=True))
    slope = sp.diff(f, x)
    vanishes(slope - p * (x - s) / (x * (p * s + x)))
    check(bool(sp.factor(slope.subs(x, s + d)).is_positive), "retaining the smallest does not rise")
    with rejected():  # the mean without the weight of the others
        vanishes(sp.diff((p + 1) * sp.log((s + x) / 2) - sp.log(x) - p * sp.log(s), x) - slope)
    # The new noise lies strictly between the old one and lam_q, the smallest retained so far: all that stay exceed it.
    mean = (p * s + (s + d)) / (p + 1)
    check(bool(sp.factor(s + d - mean).is_positive) and bool(sp.factor(mean - s).is_positive), "not between")
    record(instances=4)


@FIXED.evidence(role="supports", kind="symbolic", strength="proved")
def test_at_fixed_noise_values_add_up(record):
    gain = (x / s - 1 - sp.log(x / s)) / 2
    above = sp.diff(gain, x).subs(x, s + d)
    check(bool(sp.factor(above).is_positive), "the gain does not increase above the noise")
    vanishes(gain.subs(x, s))
    with rejected():  # below the noise it falls, and there no set is valid
        check(bool(sp.factor(sp.diff(gain, x).subs(x, s / (1 + d))).is_positive), "falls")
    record(instances=2)


def moved_up(chosen):
    """The set with some a > 1, a - 1 outside, moved up by one; None for (1, ..., q)."""
    for a in chosen:
        if a > 1 and a - 1 not in chosen:
            return tuple(sorted({*chosen, a - 1} - {a}))
    return None


def check_chain(size, move):
    """From every set of indices up to `size` the moves lead to (1, ..., q), each to a smaller sum; -> how many sets."""
    seen = 0
    for q in range(size + 1):
        for start in combinations(range(1, size + 1), q):
            here = start
            while (above := move(here)) is not None:
                check(len(above) == q and sum(above) == sum(here) - 1, f"{here} to {above}")
                here = above
            same(here, tuple(range(1, q + 1)))
            seen += 1
    return seen


more = sp.Symbol("more", integer=True, nonnegative=True)
held = sp.Symbol("held", integer=True, nonnegative=True)  # q < k: k = q + 1 + more
columns = held + 1 + more


def check_number_falls(number):
    """It is lower by 1 or more after an exchange, and after the step from (1, ..., q) to (1, ..., q + 1)."""
    total = sp.Symbol("total", integer=True, nonnegative=True)
    for falls in (
        number(held, total) - number(held, total - 1),
        number(held, total) - number(held + 1, total + held + 1),
    ):
        check(bool(sp.expand(falls - 1).is_nonnegative), f"falls by {sp.expand(falls)}")


@CHAIN.evidence(role="supports", kind="symbolic", strength="proved")
def test_only_initial_segments_have_no_move(record):
    """With every a > 1 of A in A also a - 1: an initial segment, by induction (trusted). Else there is a move.

    It leaves as many members, and a sum smaller by 1; sums are positive integers, so that the moves end.
    """
    a, total = sp.symbols("a total", integer=True, positive=True)
    vanishes(total - a + (a - 1) - (total - 1))
    # With t = k + 1 for the weight: one index more, q + 1 <= k, adds q + 1 to the sum and takes k + 1 off the rest.
    check_number_falls(lambda q, total: (columns + 1) * (columns - q) + total)
    for wrong in (lambda q, total: total, lambda q, total: -q):
        with rejected():
            check_number_falls(wrong)
    record(instances=2 + check_chain(9, moved_up))
    with rejected():  # a move that only the last index makes stops too early
        check_chain(5, lambda A: moved_up(A) if A and A[-1] > 1 and A[-1] - 1 not in A else None)


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_it(record):
    used = {
        "descent": "best | (comes_from_one_not_lower & number_falls) -> hangs_on_the_best",
        "eq-07-08": "profile_value",
        "fixed-noise-maxima": "values_add_up",
        "induction": "initial_segments",
    }
    wanted = "valid & (fixed | learned) -> hangs_on_the_best & (best | comes_from_one_not_lower)"
    record(instances=concludes(CLAIM, wanted, used))
    with rejected():
        concludes(CLAIM, "valid -> best | comes_from_one_not_lower", used)
    with rejected():
        concludes(CLAIM, "valid & (fixed | learned) -> comes_from_one_not_lower", used)


def mean_discarded(lam, chosen):
    rest = [value for i, value in enumerate(lam, start=1) if i not in chosen]
    return Fraction(sum(rest), len(rest)) if rest else None


def valid(lam, chosen):
    noise = mean_discarded(lam, chosen)
    return noise is not None and noise > 0 and all(lam[i - 1] > noise for i in chosen)


def height(lam, chosen):
    """exp(-2 L) up to a constant, a rational number: the smaller the higher."""
    noise = mean_discarded(lam, chosen)
    return sp.prod([sp.Rational(lam[i - 1]) for i in chosen]) * sp.Rational(noise) ** (len(lam) - len(chosen))


def check_every_parent(lam, k, parent):
    """Every valid set but the largest valid (1..q) has a valid parent that is not lower; -> how many sets."""
    n = len(lam)
    sets = [A for q in range(min(k, n - 1) + 1) for A in combinations(range(1, n + 1), q) if valid(lam, A)]
    initial = [A for A in sets if tuple(range(1, len(A) + 1)) == A]
    best = max(initial, key=len)
    for A in sets:
        if best != A:
            above = parent(A)
            check(valid(lam, above) and len(above) <= k, f"{lam}: {A} comes from {above}, which is not valid")
            check(height(lam, above) <= height(lam, A), f"{lam}: {above} is lower than {A}")
    return len(sets)


def parent(A):
    return moved_up(A) or tuple(range(1, len(A) + 2))


@CONCLUSION.evidence(role="supports", kind="symbolic")
def test_every_valid_set_has_its_parent_in_rational_arithmetic(record, thorough):
    rng = np.random.default_rng(60)
    for _ in range(thorough(40, 400)):
        lam = sorted((int(v) for v in rng.integers(0, 30, int(rng.integers(2, 8)))), reverse=True)
        if lam[0] > 0:
            record(instances=check_every_parent(lam, int(rng.integers(1, len(lam) + 1)), parent))
    with rejected():  # the parent that lacks the last index instead
        check_every_parent([9, 4, 2, 1], 3, lambda A: A[:-1] or (1,))


@CONCLUSION.evidence(role="supports", kind="numeric")
def test_the_program_lists_them_all_best_first(record, thorough):
    rng = np.random.default_rng(61)
    for _ in range(thorough(40, 400)):
        lam = sorted((float(v) for v in rng.integers(1, 30, int(rng.integers(2, 8)))), reverse=True)
        k = int(rng.integers(1, len(lam)))
        listed = [tuple(i + 1 for i in point.retained) for point in learned_noise_points(np.array(lam), k)]
        whole = [int(v) for v in lam]
        everything = [A for q in range(k + 1) for A in combinations(range(1, len(lam) + 1), q) if valid(whole, A)]
        same(sorted(listed), sorted(everything))
        heights = [height(whole, A) for A in listed]
        check(all(one <= two for one, two in pairwise(heights)), "not best first")
        record(instances=len(listed))
