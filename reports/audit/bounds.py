"""What rounding, averaging and Monte Carlo noise can account for in a printed row.

Notation   n data dimensions; s0 the noise a model was trained at; m_t the mean squared error per dimension of trial
           t, M its average, which is the printed tuned sigma2; K the KL; J the log-Jacobian constant of the data.
           Per trial, E_t = J - K_t - n/2 log(2 pi s0) - n m_t/(2 s0) and T_t = J - K_t - n/2 (1 + log(2 pi m_t)).
Main       Interval; averaging_room, monte_carlo, elbo_noise, tuning_gain, likelihood_constant, implied_error,
           constants.
Reference  theory 5.1 and 5.2; [Cir07] Cirtoaje, The equal variable method, J. Ineq. Pure Appl. Math. 8 (2007);
           [Sam68] Samuelson, How deviant can you be?, J. Amer. Statist. Assoc. 63 (1968).

Averaging. T - E = n/2 [M/s0 - 1 - mean log(m_t/s0)], and mean log m_t <= log M because the logarithm is concave: so the
printed T - E, and the J that a row implies, can only exceed what one model with error M would give, by n/2 (log M -
mean log m_t). Over so few trials this excess is bounded by their spread: `averaging_room`.

Monte Carlo. The KL of two Gaussians is a closed form, so noise enters through the squared error alone. The printed
spread of an average holds the noise of its trials: the noise of M is taken to be at most what the spread of E, and at
most what the spread of T, would mean if all of it were noise. E, T and M may come from three passes over the data.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from reports.paper import TRIALS, Printed, Row

# The mean over the 60000 MNIST training images of log|det dy/dx|, y = logit(alpha + (1 - 2 alpha) x), alpha = 1e-6,
# x = (v + u)/256:  verify.data.sources.load_rows("mnist", logit=1e-6, seed=0).mean_log_jacobian()
MNIST_LOG_JACOBIAN = 4619.6
# Another draw of u moves it: at a black pixel it holds -log u, whose variance is 1; elsewhere it varies less.
DEQUANTISATION_SD = math.sqrt(784 / 60000)
LEVELS = 256


@dataclass(frozen=True)
class Interval:
    """All values from low to high."""

    low: float
    high: float

    def __add__(self, other: "Interval | float") -> "Interval":
        low, high = (other.low, other.high) if isinstance(other, Interval) else (other, other)
        return Interval(self.low + low, self.high + high)

    def __sub__(self, other: "Interval | float") -> "Interval":
        return self + (Interval(-other.high, -other.low) if isinstance(other, Interval) else -other)

    def times(self, factor: float) -> "Interval":
        """Multiplied by a number >= 0."""
        return Interval(self.low * factor, self.high * factor)

    def widened(self, below: float, above: float) -> "Interval":
        return Interval(self.low - below, self.high + above)

    def above(self, other: "Interval") -> float:
        """By how much all of this exceeds all of the other; 0 if they meet (up to the rounding of doubles)."""
        gap = self.low - other.high
        return gap if gap > 1e-9 * max(1.0, abs(self.low), abs(other.high)) else 0.0


def interval(printed: Printed) -> Interval:
    """The numbers that print like this."""
    return Interval(printed.value - printed.half, printed.value + printed.half)


def variance(printed: Printed) -> Interval:
    """The variances that print like this: none is negative."""
    return Interval(max(printed.value - printed.half, 0.0), printed.value + printed.half)


def log(x: Interval) -> Interval:
    return Interval(math.log(x.low) if x.low > 0 else -math.inf, math.log(x.high))


def gain(r: Interval) -> Interval:
    """r - 1 - log r >= 0, least (0) at r = 1: over an interval the ends, or 1 if it is inside."""
    ends = [x - 1 - math.log(x) if x > 0 else math.inf for x in (r.low, r.high)]
    return Interval(0.0 if r.low <= 1 <= r.high else min(ends), max(ends))


def tuning_gain(row: Row, reference: Interval) -> Interval:
    """n/2 (r - 1 - log r), r = M / reference: what tuning the noise from `reference` gains one model (theory 5.1)."""
    tuned = variance(row.tuned_sigma2)
    smallest = tuned.low / reference.high
    largest = tuned.high / reference.low if reference.low > 0 else math.inf
    if math.isinf(largest):
        return Interval(row.n / 2 * gain(Interval(smallest, max(smallest, 1.0))).low, math.inf)
    return gain(Interval(smallest, largest)).times(row.n / 2)


def likelihood_constant(row: Row) -> Interval:
    """J = T + K + n/2 (1 + log(2 pi M)) from rounding alone (theory 5.2)."""
    logs = (log(variance(row.tuned_sigma2)) + (1 + math.log(2 * math.pi))).times(row.n / 2)
    return interval(row.tuned_elbo) + interval(row.kl) + logs


def implied_error(row: Row, constant: Interval) -> Interval:
    """M = 2 s0/n (J - K - n/2 log(2 pi s0) - E) of a fixed-noise row: linear, so averaging does not matter."""
    s0 = row.init_sigma2
    rest = constant - interval(row.kl) - interval(row.elbo) - row.n / 2 * math.log(2 * math.pi * s0)
    return rest.times(2 * s0 / row.n)


def _largest(err: Printed) -> float:
    return err.value + err.half


def _spread(err: Printed) -> float:
    """The largest population standard deviation over the trials that can stand behind a printed spread.

    If standard errors were printed it is sqrt(TRIALS - 1) times them; standard deviations or half ranges mean less.
    """
    return math.sqrt(TRIALS - 1) * _largest(err)


def averaging_room(row: Row) -> float:
    """The most that n/2 (log M - mean log m_t) can be, given the printed spreads: the smaller of two bounds, in nats.

    n/2 log m_t = J' - K_t - T_t, so its deviation is at most that of T plus that of K; and with the noise fixed
    m_t = 2 s0/n (J' - K_t - E_t). Given mean and deviation, TRIALS numbers have the largest mean of exp, and the
    smallest mean of log, when all but one are equal [Cir07].
    """
    c = math.sqrt(TRIALS - 1)
    sd = 2 / row.n * (_spread(row.tuned_elbo_err) + _spread(row.kl_err))
    by_logs = float(np.logaddexp(c * sd, math.log(TRIALS - 1) - sd / c)) - math.log(TRIALS)
    if row.learned:
        return row.n / 2 * by_logs
    mean = variance(row.tuned_sigma2).low
    sd = 2 * row.init_sigma2 / row.n * (_spread(row.elbo_err) + _spread(row.kl_err))
    if mean <= c * sd:
        return row.n / 2 * by_logs
    mean_log = (math.log(mean - c * sd) + (TRIALS - 1) * math.log(mean + sd / c)) / TRIALS
    return row.n / 2 * min(by_logs, math.log(mean) - mean_log)


def monte_carlo(row: Row) -> float:
    """A bound on the Monte Carlo noise of the squared error per dimension (the module says why)."""
    tuned = variance(row.tuned_sigma2).high
    trained = variance(row.final_sigma2).high if row.final_sigma2 is not None else row.init_sigma2
    return 2 / row.n * min(trained * _largest(row.elbo_err), tuned * _largest(row.tuned_elbo_err))


def elbo_noise(row: Row) -> float:
    """A bound on the Monte Carlo noise of the printed ELBO, in nats: n/(2 s) times that of the squared error."""
    if row.final_sigma2 is None:
        return row.n / (2 * row.init_sigma2) * monte_carlo(row)
    trained = variance(row.final_sigma2).low
    return min(_largest(row.elbo_err), row.n / (2 * trained) * monte_carlo(row) if trained > 0 else math.inf)


def best_trial(row: Row) -> float:
    """The most by which the ELBO of one trial can exceed the average: sqrt(TRIALS - 1) standard deviations [Sam68]."""
    return math.sqrt(TRIALS - 1) * _spread(row.elbo_err)


def tuning_noise(row: Row, rows: Sequence[Row]) -> float:
    """The noise of T - E with learned noise, in nats: five times the upper quartile of |T - E| over such rows.

    There tuning has almost nothing left to gain, so that quartile is 1.15 standard deviations, or more; a few rows that
    gained much do not move it. What rounding hides counts as there. Never more than the printed spreads.
    """
    gains = [abs(r.tuned_elbo.value - r.elbo.value) for r in rows if r.dataset == row.dataset and r.learned]
    seen = float(np.quantile(gains, 0.75))
    hidden = row.elbo.half + row.tuned_elbo.half
    return min(5 * max(seen, hidden), _largest(row.elbo_err) + _largest(row.tuned_elbo_err))


def unequal_trials(row: Row, gained: float) -> float:
    """TRIALS times the largest share of one f_t in their sum, if tuning gains `gained` nats on average; at most TRIALS.

    The share of one m_t is largest when the others are equal, at the deviation of log m_t of `averaging_room`. No trial
    gains more than all together, n/2 g(m_t/f_t) <= TRIALS gained, and g(e^u) >= u^2/2, g(e^-v) >= v^2/(2 + v) bound
    the ratios m_t/f_t.
    """
    c = math.sqrt(TRIALS - 1)
    sd = 2 / row.n * (_spread(row.tuned_elbo_err) + _spread(row.kl_err))
    share = 1 / (1 + (TRIALS - 1) * math.exp(-sd * (c + 1 / c)))
    most = 2 * TRIALS * max(gained, 0.0) / row.n
    stretch = math.sqrt(2 * most) + (most + math.sqrt(most**2 + 8 * most)) / 2
    return TRIALS * min(1.0, share * math.exp(min(stretch, 700.0)))


@dataclass(frozen=True)
class Constant:
    """J of one data set and preprocessing: what every row must give, and where that is known from."""

    dataset: str
    preprocessing: str
    value: Interval
    source: str


def constants(rows: Sequence[Row]) -> dict[tuple[str, str], Constant]:
    """J of each data set and preprocessing in these rows (theory 5.2)."""
    return {data: _constant(*data, rows) for data in dict.fromkeys(row.data for row in rows)}


def _constant(dataset: str, preprocessing: str, rows: Sequence[Row]) -> Constant:
    beside = [row for row in rows if row.data == (dataset, preprocessing)]
    n = beside[0].n
    pixel = -n * math.log(LEVELS)
    if preprocessing == "none":
        return Constant(dataset, preprocessing, Interval(pixel, pixel), f"theory: -{n} log {LEVELS}")
    if dataset == "mnist":
        centre, room = MNIST_LOG_JACOBIAN + pixel, 3 * DEQUANTISATION_SD
        source = f"theory: mean log-Jacobian of the training images, {MNIST_LOG_JACOBIAN:g}, - {n} log {LEVELS}"
        return Constant(dataset, preprocessing, Interval(centre - room, centre + room), source)
    return Constant(dataset, preprocessing, *_consensus(beside))


def admissible(row: Row) -> Interval:
    """The J that a row allows, with rounding, averaging (which raises what the row implies) and Monte Carlo noise."""
    noise = likelihood_noise(row)
    return likelihood_constant(row).widened(averaging_room(row) + noise, noise)


def likelihood_noise(row: Row) -> float:
    """Monte Carlo noise of T and of n/2 log M together, in nats."""
    smallest = variance(row.tuned_sigma2).low
    return row.n * monte_carlo(row) / smallest if smallest > 0 else math.inf


def _consensus(beside: Sequence[Row]) -> tuple[Interval, str]:
    """The values of J that contradict the fewest rows of the fullest table; if they fall apart, all from first to last.

    If every row is right, J is in all their intervals, hence here: no consistent table is ever accused.
    """
    fullest = max({row.table for row in beside}, key=lambda t: sum(row.table == t for row in beside))
    members = [row for row in beside if row.table == fullest]
    allowed = [admissible(row) for row in members]
    votes = {a.low: sum(b.low <= a.low <= b.high for b in allowed) for a in allowed}
    most = max(votes.values())
    starts = [low for low, count in votes.items() if count == most]
    # From the first start on, a value that so many intervals hold ends where the next of them ends.
    end = min(b.high for b in allowed if b.low <= max(starts) <= b.high)
    centre = median((likelihood_constant(row).low + likelihood_constant(row).high) / 2 for row in members)
    source = (
        f"no theory without the images: the values that contradict the fewest rows of table {fullest} "
        f"({most} of {len(members)} agree; median of the rows {centre:.1f})"
    )
    return Interval(min(starts), end), source
