"""Tables as a consistent experiment would have printed them: models simulated trial by trial, averaged, rounded.

Notation   as in reports/audit_bounds.py: m the squared error per dimension, f the learned noise, K the KL, J the
           constant of the data.
Main       simulated_tables, model_row, print_row.
"""

import math

import numpy as np

from reports.audit.bounds import MNIST_LOG_JACOBIAN
from reports.paper import DIMENSIONS, TRIALS, Printed, Row, printed_tables

# The constant of each data set; of CelebA with the logit any will do, and the audit has to find it.
CONSTANTS = {
    ("mnist", "logit"): MNIST_LOG_JACOBIAN - 784 * math.log(256),
    ("mnist", "none"): -784 * math.log(256),
    ("celeba64", "logit"): -47700.0,
    ("celeba64", "none"): -12288 * math.log(256),
}
# How differently people print a spread: population and sample standard deviation, standard error.
SPREADS = (
    lambda x: x.std(),
    lambda x: x.std(ddof=1),
    lambda x: x.std(ddof=1) / math.sqrt(len(x)),
)
# Relative Monte Carlo noise of a mean squared error; the trials themselves differ by at least ten times as much.
NOISE = 1e-4


def averages(rng, dataset, J, noise, s0, *, error, kl, spread, trials=TRIALS):
    """Per-trial values of one model: E, T (nats), f, m (variances), K (nats), each (trials,) (theory 5.1)."""
    n, _ = DIMENSIONS[dataset]
    m = error * np.exp(spread * rng.normal(size=trials))
    K = kl * np.exp(spread * rng.normal(size=trials))
    f = np.full(trials, s0) if noise == "fixed" else m * np.exp(1e-3 * rng.normal(size=trials))
    # E, T and m come from three passes over the data, each with its own noise.
    seen = [m * (1 + NOISE * rng.normal(size=trials)) for _ in range(3)]
    E = J - K - n / 2 * np.log(2 * math.pi * f) - n / 2 * seen[0] / f
    T = J - K - n / 2 * np.log(2 * math.pi * m) - n / 2 * seen[1] / m
    return E, T, f, seen[2], K


def print_row(table, dataset, preprocessing, noise, init, values, percent, *, digits, spread=SPREADS[0]) -> Row:
    """The averages as they are printed; `percent` the collapse of each trial."""
    E, T, f, m, K = values
    number = lambda x, d: Printed(f"{x:.{d}f}")  # noqa: E731
    return Row(
        table=table,
        dataset=dataset,
        preprocessing=preprocessing,
        noise=noise,
        init=init,
        final_sigma2=number(f.mean(), digits) if noise == "learned" else None,
        elbo=number(E.mean(), 1),
        elbo_err=number(spread(E), 1),
        tuned_elbo=number(T.mean(), 1),
        tuned_elbo_err=number(spread(T), 1),
        tuned_sigma2=number(m.mean(), digits),
        collapse_percent=number(np.mean(percent), 2),
        kl=number(K.mean(), 1),
        kl_err=number(spread(K), 1),
    )


def model_row(rng, like: Row, constants=CONSTANTS, **changes) -> Row:
    """A consistent row in the place of a printed one; `changes`: error, kl, spread, awake."""
    pixels = like.preprocessing == "none"
    error = changes.get("error", rng.uniform(0.004, 0.07) if pixels else rng.uniform(0.08, 1.8))
    kl = changes.get("kl", rng.uniform(20, 600))
    spread = changes.get("spread", rng.choice([1e-3, 0.01, 0.1, 0.3]))
    values = averages(
        rng, like.dataset, constants[like.data], like.noise, like.init_sigma2, error=error, kl=kl, spread=spread
    )
    awake = changes.get("awake", rng.integers(0, like.k + 1, size=TRIALS))
    percent = 100 * (like.k - awake) / like.k
    digits = 4 if like.dataset == "celeba64" else 3
    return print_row(
        like.table,
        like.dataset,
        like.preprocessing,
        like.noise,
        like.init,
        values,
        percent,
        digits=digits,
        spread=SPREADS[rng.integers(len(SPREADS))],
    )


def simulated_tables(seed: int, constants=CONSTANTS) -> list[Row]:
    """The 100 rows of a consistent experiment; Table 1 is an excerpt of Tables 2 and 3, as in print."""
    rng = np.random.default_rng(seed)
    full = [model_row(rng, like, constants) for like in printed_tables() if like.table > 1]
    places = {(row.data, row.model): row for row in full}
    excerpt = [
        Row(**{**vars(places[like.data, like.model]), "table": 1}) for like in printed_tables() if like.table == 1
    ]
    return excerpt + full
