"""What must hold of any correct table, row by row: each check gives the contradictions of a row.

Notation   as in audit_bounds.py. A contradiction's size is by how much the printed numbers miss at the most favourable
           rounding; where rounding itself is the excuse, by how much they miss as printed.
Main       CHECKS, contradictions.
Reference  theory 5.1, 5.2 and 6.3.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from reports.audit.bounds import (
    Constant,
    Interval,
    averaging_room,
    best_trial,
    elbo_noise,
    implied_error,
    interval,
    likelihood_constant,
    likelihood_noise,
    monte_carlo,
    tuning_gain,
    tuning_noise,
    unequal_trials,
    variance,
)
from reports.audit.linear import Optima
from reports.paper import TRIALS, Printed, Row

# Collapse in the tables: KL below EPSILON for at least 1 - DELTA of the inputs.
EPSILON, DELTA = 0.01, 0.01

# In `why`: the fact comes before, what might excuse it and how far that reaches after.
EXCUSE = "; excuse: "

# What must hold, by name.
CHECKS = {
    "cross-table equality": "the same model printed in two tables has the same numbers",
    "copied numbers": "models of differently preprocessed data do not share all their numbers",
    "tuning identity": "tuned ELBO - ELBO = n/2 (r - 1 - log r), r = tuned/fixed sigma^2; averages only exceed it",
    "linear check": "at fixed sigma^2, the squared error that the ELBO implies is the tuned sigma^2",
    "likelihood identity": "tuned ELBO + KL + n/2 (1 + log 2 pi sigma^2) = J of the data; averages only exceed it",
    "learned noise": "final and tuned sigma^2 differ by no more than tuning gains",
    "tuning lowers": "tuning does not lower the ELBO (at fixed sigma^2 the tuning identity asks for more)",
    "error variance": "data in [0, 1]: an error variance above 1/4 is worse than answering 1/2",
    "KL beside collapse": f"each latent that has not collapsed has a mean KL above {EPSILON:g} x {DELTA:g}",
    "whole latents": f"the collapsed latents of {TRIALS} models are whole numbers",
    "linear VAE inside": "a network that holds every linear VAE, once trained, has at least the ELBO of the best one",
}
# What a correct table may fail: this one says of the training, not of the print, that something went wrong.
OF_TRAINING = ("linear VAE inside",)


@dataclass(frozen=True)
class Contradiction:
    """One way in which a row cannot be right, and what could excuse it."""

    check: str
    size: float
    unit: str
    excusable: bool
    why: str


Found = Iterator[Contradiction]
Constants = dict[tuple[str, str], Constant]


def contradictions(
    row: Row, rows: Sequence[Row], known: Constants, optima: Optima | None = None
) -> list[Contradiction]:
    """All contradictions of a row, in the order of CHECKS; `rows` are all tables, `known` the constants J.

    optima: the linear VAEs inside the networks; without them the check that needs them is not made.
    """
    checks: tuple[Callable[[], Found], ...] = (
        lambda: cross_table(row, rows),
        lambda: copied(row, rows, known),
        lambda: tuning_identity(row),
        lambda: linear(row, known[row.data]),
        lambda: likelihood(row, known[row.data]),
        lambda: learned_noise(row, rows),
        lambda: tuning_lowers(row, rows),
        lambda: error_variance(row),
        lambda: kl_beside_collapse(row),
        lambda: whole_latents(row),
        lambda: linear_inside(row, optima or {}),
    )
    return [found for check in checks for found in check()]


def _others(row: Row, rows: Sequence[Row]) -> Iterator[Row]:
    """The rows of other tables with the same data set, fixed or learned, and noise at the start."""
    return (other for other in rows if other.table != row.table and other.model == row.model)


def cross_table(row: Row, rows: Sequence[Row]) -> Found:
    """Equality with the row of another table that names the same model on the same data."""
    for other in _others(row, rows):
        if other.data != row.data:
            continue
        theirs = other.measured()
        differ = {name: (p, theirs[name]) for name, p in row.measured().items() if p.value != theirs[name].value}
        grave = {name: pair for name, pair in differ.items() if not pair[0].rounds_like(pair[1])}
        shown = ", ".join(f"{name} {p.text} there {q.text}" for name, (p, q) in (grave or differ).items())
        if grave:
            why = f"against table {other.table}: {shown}{_belongs(row, other, rows)}; {_witness(row)}"
            yield Contradiction("cross-table equality", len(grave), "columns", False, why)
        elif differ:
            why = f"against table {other.table}: {shown}{EXCUSE}rounding of one number to different digits"
            yield Contradiction("cross-table equality", len(differ), "columns", True, why)


def _belongs(row: Row, other: Row, rows: Sequence[Row]) -> str:
    """Where the numbers of a disputed row stand as well, if another row of either table has them."""
    tables = (row.table, other.table)
    for twin in rows:
        if twin.table in tables and twin.data == row.data and twin.model != row.model:
            same = _agreeing(row, twin, ("tuned_elbo", "tuned_elbo_err", "tuned_sigma2", "kl", "kl_err"))
            if len(same) == 5:
                return f"; tuned columns and KL are those of table {twin.table} at {twin.init.text}"
    return ""


def _witness(row: Row) -> str:
    """What the row's own numbers say, where tuning has an identity to satisfy."""
    if row.learned:
        return "this row has no identity to decide by"
    missed = next(iter(tuning_identity(row)), None)
    if missed is None or missed.excusable:
        return "this row satisfies the tuning identity"
    return f"this row misses the tuning identity by {missed.size:.1f} nats"


def _agreeing(row: Row, other: Row, columns: Sequence[str]) -> list[str]:
    """The columns in which two rows can be the same number."""
    mine, theirs = row.measured(), other.measured()
    return [name for name in columns if name in mine and name in theirs and mine[name].rounds_like(theirs[name])]


def copied(row: Row, rows: Sequence[Row], known: Constants) -> Found:
    """No model of logit data has all the numbers of a model of pixels. An excerpt (Table 1) is left to its source."""
    if excerpt(row, rows):
        return
    for other in _others(row, rows):
        if other.data == row.data or excerpt(other, rows):
            continue
        names = list(row.measured())
        if len(_agreeing(row, other, names)) == len(names):
            found = likelihood_constant(row)
            here, there = (known[r.data].value for r in (row, other))
            why = (
                f"all equal table {other.table}; they miss J of {row.preprocessing} by "
                f"{found.above(here) or here.above(found):.0f} nats, of {other.preprocessing} by "
                f"{found.above(there) or there.above(found):.0f}"
            )
            yield Contradiction("copied numbers", len(names), "columns", False, why)


def excerpt(row: Row, rows: Sequence[Row]) -> bool:
    """Whether another table has more rows of the same data."""
    sizes = Counter(r.table for r in rows if r.data == row.data)
    return sizes[row.table] < max(sizes.values())


def tuning_identity(row: Row) -> Found:
    """T - E = n/2 (r - 1 - log r), r = M/s0; averaging can only raise the left side (theory 5.1)."""
    if row.learned:
        return
    rise = interval(row.tuned_elbo) - interval(row.elbo)
    due = tuning_gain(row, _exactly(row.init_sigma2))
    smallest = min(row.init_sigma2, variance(row.tuned_sigma2).low)
    # E, T and M may each be off by the noise of one pass: n/2 noise (1/s0 + 1/M + |1/s0 - 1/M|).
    noise = row.n * monte_carlo(row) / smallest if smallest > 0 else math.inf
    text = f"gains {row.tuned_elbo.value - row.elbo.value:.1f}, should be {_range(due.low, due.high)}"
    yield from _one_sided("tuning identity", due.above(rise), rise.above(due), row, noise, text)


def likelihood(row: Row, known: Constant) -> Found:
    """J = T + K + n/2 (1 + log(2 pi M)) is the constant of the data; averaging can only raise it (theory 5.2)."""
    found = likelihood_constant(row)
    text = f"J = {_range(found.low, found.high)}, should be {_range(known.value.low, known.value.high)}"
    noise = likelihood_noise(row)
    yield from _one_sided("likelihood identity", known.value.above(found), found.above(known.value), row, noise, text)


def _one_sided(check: str, low: float, high: float, row: Row, noise: float, text: str) -> Found:
    """A number that is too low by `low` nats, or too high by `high`, where averaging can only raise it."""
    if low > 0:
        excuse = f"Monte Carlo noise up to {noise:.3g}; averaging can only raise it"
        yield Contradiction(check, low, "nats", low <= noise, f"{text}{EXCUSE}{excuse}")
    if high > 0:
        room = averaging_room(row)
        excuse = f"averaging up to {room:.3g}, Monte Carlo noise up to {noise:.3g}"
        yield Contradiction(check, high, "nats", high <= room + noise, f"{text}{EXCUSE}{excuse}")


def linear(row: Row, known: Constant) -> Found:
    """2 s0/n (J - K - n/2 log(2 pi s0) - E) = M, whatever was averaged (theory 5.1)."""
    if row.learned:
        return
    implied, tuned = implied_error(row, known.value), variance(row.tuned_sigma2)
    size = implied.above(tuned) or tuned.above(implied)
    if size > 0:
        noise = 2 * monte_carlo(row)  # of E and of M
        text = f"the ELBO implies {_range(implied.low, implied.high)}, printed {row.tuned_sigma2.text}"
        if implied.high < 0:
            text += "; no squared error is negative"
        why = f"{text}{EXCUSE}Monte Carlo noise up to {noise:.3g}; averaging changes nothing"
        yield Contradiction("linear check", size, "sigma^2", size <= noise, why)


def learned_noise(row: Row, rows: Sequence[Row]) -> Found:
    """Final f_t and tuned m_t of each trial: T_t - E_t = n/2 g(m_t/f_t) with g(r) = r - 1 - log r convex.

    With weights w_t = f_t / sum f, sum w_t m_t/f_t = M/F, so
    n/2 g(M/F) <= n/2 sum w_t g(m_t/f_t) <= TRIALS max w_t (T - E).
    """
    if row.final_sigma2 is None:
        return
    rise = interval(row.tuned_elbo) - interval(row.elbo)
    due, noise = tuning_gain(row, variance(row.final_sigma2)), tuning_noise(row, rows)
    pair = f"final {row.final_sigma2.text}, tuned {row.tuned_sigma2.text}"
    size = due.low - max(rise.high, 0.0)
    if size > 1e-9:
        gained = max(rise.high + noise, 0.0)
        most = unequal_trials(row, gained) * gained
        why = (
            f"{pair}: worth {due.low:.2g} or more, gained {row.tuned_elbo.value - row.elbo.value:.1f}"
            f"{EXCUSE}unequal trials and Monte Carlo noise up to {most:.3g}"
        )
        yield Contradiction("learned noise", size, "nats", due.low <= most, why)
    elif rise.above(due) > noise:
        why = (
            f"{pair}: worth {due.high:.1f} at most, gained {row.tuned_elbo.value - row.elbo.value:.1f}"
            f"{EXCUSE}averaging trials that deviate in opposite directions"
        )
        yield Contradiction("learned noise", rise.above(due), "nats", True, why)


def tuning_lowers(row: Row, rows: Sequence[Row]) -> Found:
    """T >= E. With fixed noise the tuning identity asks for more."""
    if not row.learned:
        return
    size = interval(row.elbo).above(interval(row.tuned_elbo))
    if size > 0:
        noise = tuning_noise(row, rows)
        why = f"{row.elbo.text} became {row.tuned_elbo.text}{EXCUSE}Monte Carlo noise up to {noise:.3g}"
        yield Contradiction("tuning lowers", size, "nats", size <= noise, why)


def error_variance(row: Row) -> Found:
    """E (x - 1/2)^2 <= 1/4 for x in [0, 1]: no decoder as good as a constant has a larger error."""
    size = variance(row.tuned_sigma2).low - 0.25
    if row.preprocessing == "none" and size > 1e-9:
        why = f"printed {row.tuned_sigma2.text}, and 0.25 suffices"
        yield Contradiction("error variance", size, "sigma^2", False, why)


def kl_beside_collapse(row: Row) -> Found:
    """A latent that has not collapsed has KL >= epsilon with frequency > delta: KL > epsilon delta each."""
    awake = row.k * (1 - interval(row.collapse_percent).high / 100)
    least = awake * EPSILON * DELTA
    size = least - row.kl.value
    if size > 0:
        most = interval(row.kl).high
        excusable = least <= most
        why = (
            f"{row.collapse_percent.text} % of {row.k} collapsed needs {least:.3g}, printed {row.kl.text}"
            f"{EXCUSE}rounding, if the KL was up to {most:.3g}"
        )
        yield Contradiction("KL beside collapse", size, "nats", excusable, why)


def whole_latents(row: Row, trials: int = TRIALS) -> Found:
    """The mean over `trials` models of a whole number of k latents is a multiple of 100/(trials k) percent."""
    size = _off_grid(row.collapse_percent, trials * row.k)
    if size > 0:
        fits = next((t for t in range(1, 2 * TRIALS + 1) if not _off_grid(row.collapse_percent, t * row.k)), None)
        others = f"{fits} trials would fit" if fits else f"nor would any number of trials up to {2 * TRIALS} fit"
        step = 100 / (trials * row.k)
        why = f"{row.collapse_percent.text} % of {row.k} latents, in steps of {step:g} % for {trials} trials; {others}"
        yield Contradiction("whole latents", size, "percentage points", False, why)


def linear_inside(row: Row, optima: Optima) -> Found:
    """E >= the linear optimum at the same noise, k and data (theory 6.3).

    It holds of each trial that was trained to its optimum, and so of their average: how the trials differ is no excuse.
    """
    inside = optima.get(row.data)
    if inside is None:
        return
    best, printed = inside.at(row), interval(row.elbo)
    size = best.value.above(printed)
    if size > 0:
        noise = elbo_noise(row)
        who = "none" if size > best_trial(row) else "not every one"
        why = (
            f"printed {row.elbo.text} +- {row.elbo_err.text}; the linear optimum is {best.drawn:.1f}, which {who} of "
            f"{TRIALS} trials reached{EXCUSE}Monte Carlo noise up to {noise:.3g}"
        )
        yield Contradiction("linear VAE inside", size, "nats", size <= noise, why)


def _off_grid(percent: Printed, steps: int) -> float:
    """How far the printed percentage is from the nearest i/steps, beyond rounding."""
    nearest = round(percent.value * steps / 100) * 100 / steps
    distance = abs(percent.value - nearest) - percent.half
    return distance if distance > 1e-9 else 0.0


def _exactly(value: float) -> Interval:
    return Interval(value, value)


def _range(low: float, high: float) -> str:
    """What lies between two numbers, with no more digits than tell them apart."""
    digits = 1 if max(abs(low), abs(high)) >= 10 else 4
    a, b = f"{low:.{digits}f}", f"{high:.{digits}f}"
    return a if a == b else f"{a} to {b}"
