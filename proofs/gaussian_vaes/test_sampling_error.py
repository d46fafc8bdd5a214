"""How far a threshold of the linear theory is from that of the population: the sampling error of eigenvalues.

Statement   lam_j of N rows has the standard error sd_x[(u_j^T (x - xbar))^2]/sqrt(N), which is lam_j sqrt(2/N) if the
            rows are Gaussian; it covers the population's eigenvalue as often as a normal law says. An eigenvalue means
            something only beyond the edge s (1 + sqrt(n/N))^2 of noise of variance s; and independent columns of
            whatever law stay below the edges of shuffled ones, with the probability that was asked for.
Hypotheses  lam_j simple, its gap to the neighbours large beside the error, N large beside n; fourth moments. What
            happens without each of them is a control. The edge: entries independent, of one variance, fourth moments.
            The coverage and both edges are tested, in simulations; the derivative and the Gaussian case are proved.
Source      ours; theory section 8; Anderson 1963; Marchenko & Pastur 1967.
Method      the derivative of a simple eigenvalue in words, for all n; moments of one normal variable; simulation.
Trusted     the rules of verify.symbolic; SymPy's integrals; central-limit; implicit-functions for the derivative.
"""

import numpy as np
import pytest
import sympy as sp

from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from verify.data import covariance, load
from verify.data.sampling import beyond_noise, marchenko_pastur_edge, permuted_edges
from verify.symbolic.letters import S, n, x
from verify.symbolic.matrix_calculus import identity, letter
from verify.symbolic.relations import reduce, relation
from verify.symbolic.unit_vectors import orthonormal, unit_vector

CLAIM = Claim(
    id="sampling-error",
    source="ours, beside theory section 8",
    statement="a simple eigenvalue of N rows has the standard error sd_x[(u_j^T (x - xbar))^2]/sqrt(N), lam_j "
    "sqrt(2/N) for Gaussian rows; noise reaches up to the Marchenko-Pastur edge",
    hypotheses="N large beside n and beside (lam_j/gap)^2; rows independent, with fourth moments; the edge: entries "
    "independent, of one variance",
    section="Every Gaussian VAE",
    trusts=("central-limit", "implicit-functions"),
)
DERIVATIVE = CLAIM.step(
    "derivative",
    "a simple eigenvalue changes by u^T dS u to first order, for all n; and so that of N rows from that of the "
    "population by the mean of (u^T x)^2 - lam over them, x measured from the population's mean",
    says="differentiable -> mean_of_squares",
    place="Sampling error",
)
SPREAD = CLAIM.step(
    "spread",
    "the mean of N independent y^2 has the variance (E y^4 - lam^2)/N, y = u^T x and lam = E y^2; the mean of the rows "
    "in the place of the population's lowers u^T S u by lam/N on average, which the factor N/(N - 1) undoes",
    says="mean_of_squares & independent_rows -> standard_error",
    place="Sampling error",
)
GAUSSIAN = CLAIM.step(
    "gaussian",
    "for a normal y of variance lam it is 2 lam^2/N: the standard error is lam sqrt(2/N)",
    place="Sampling error",
)
COVERAGE = CLAIM.step(
    "coverage",
    "lam_j +- 1.96 standard errors, estimated from the rows themselves, hold the population's eigenvalue in about 95 "
    "of 100 samples: normal, light and heavy tails, dependent columns, correlation matrices",
    says="standard_error & normal_in_the_limit -> covers",
    place="Sampling error",
)
EDGE = CLAIM.step(
    "edge",
    "the largest eigenvalue of N rows of normal noise of variance s in n dimensions is s (1 + sqrt(n/N))^2 within a "
    "few per cent; a direction of variance s (1 + 2 sqrt(n/N)) stands out of it, one of s (1 + sqrt(n/N)/2) does not",
    place="Sampling error",
)
SHUFFLED = CLAIM.step(
    "shuffled",
    "independent rows of independent columns, of unequal variances and heavy tails, exceed the largest of m shuffled "
    "first eigenvalues in about 1 of m + 1 samples; the Marchenko-Pastur edge they exceed nearly always",
    place="Sampling error",
)
CONCLUSION = CLAIM.step(
    "conclusion", "so the intervals cover as they promise, where the hypotheses hold", place="Sampling error"
)


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_it(record):
    premises = {
        "central-limit": "independent_rows -> normal_in_the_limit",
        "implicit-functions": "simple -> differentiable",
    }
    record(instances=concludes(CLAIM, "simple & independent_rows -> covers", premises))
    with rejected():  # of repeated eigenvalues nothing is said
        concludes(CLAIM, "independent_rows -> covers", premises)


@DERIVATIVE.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_simple_eigenvalue_changes_by_the_quadratic_form_for_all_n(record):
    u, du, dS = unit_vector("u", n), letter("du", n, 1), letter("dS", n, n, "symmetric")
    lam, change = sp.symbols("lam dlam", real=True)
    eigenvector = (*orthonormal(u), relation(S @ u, lam * u))
    # S u = lam u, differentiated along S -> S + t dS, u -> u + t du: it vanishes, and so does u^T times it.
    equation = dS @ u + S @ du - change * u - lam * du
    same(reduce(u.T @ equation, *eigenvector), u.T @ dS @ u - change * identity(1))
    with rejected():  # of a vector that is no eigenvector
        same(reduce(u.T @ equation, *orthonormal(u)), u.T @ dS @ u - change * identity(1))
    # dS = mean of x x^T less the population's S, at one row.
    row = reduce(u.T @ (x @ x.T - S) @ u, *eigenvector)
    same(row, (u.T @ x) @ (x.T @ u) - lam * identity(1))
    with rejected():
        same(row, (u.T @ x) @ (x.T @ u))
    record(instances=2)
    record.witness("d lam = u^T dS u for all n")


N, lam = sp.Symbol("N", positive=True), sp.Symbol("lam", positive=True)


@SPREAD.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_variance_of_a_mean_of_squares(record):
    fourth = sp.Symbol("E4", positive=True)
    # Of the N^2 products y_a^2 y_b^2 there are N with a = b, of mean E y^4, and N (N - 1) of mean lam^2.
    second = (N * fourth + N * (N - 1) * lam**2) / N**2
    vanishes(second - lam**2 - (fourth - lam**2) / N)
    with rejected():
        vanishes(second - lam**2 - fourth / N)
    # u^T S u = mean y^2 - (mean y)^2; the N^2 products y_a y_b have mean lam where a = b and else 0.
    lowered = lam - N * lam / N**2
    vanishes(lowered - lam * (1 - 1 / N))
    vanishes(lowered * N / (N - 1) - lam)
    with rejected():
        vanishes(lowered - lam)
    record(instances=3)


@GAUSSIAN.evidence(role="supports", kind="symbolic", strength="proved")
def test_of_a_normal_variable_it_is_twice_the_square(record):
    y = sp.Symbol("y", real=True)
    density = sp.exp(-(y**2) / (2 * lam)) / sp.sqrt(2 * sp.pi * lam)
    second, fourth = (sp.integrate(y**power * density, (y, -sp.oo, sp.oo)) for power in (2, 4))
    vanishes(second - lam)
    vanishes(fourth - second**2 - 2 * lam**2)
    for wrong in (lam**2, 3 * lam**2):
        with rejected():
            vanishes(fourth - second**2 - wrong)
    record(instances=2)


LAM = np.array([4.0, 2.0, 1.0])
AXES = np.linalg.qr(np.random.default_rng(80).standard_normal((3, 3)))[0]


def normal(rng, N):
    return rng.standard_normal((N, 3)) * np.sqrt(LAM)


def light(rng, N):
    """Uniform: fourth moments 3/5 of the normal ones."""
    return rng.uniform(-1, 1, (N, 3)) * np.sqrt(3 * LAM)


def heavy(rng, N):
    """Student's t with 9 degrees of freedom: fourth moments 7/5 of the normal ones."""
    return rng.standard_t(9, (N, 3)) * np.sqrt(LAM * 7 / 9)


def dependent(rng, N):
    """Rows of random size, so that columns are uncorrelated and not independent, and turned."""
    size = np.sqrt(rng.choice([0.25, 1.75], (N, 1)))
    return (size * normal(rng, N)) @ AXES.T


KINDS = {"normal": normal, "light": light, "heavy": heavy, "dependent": dependent}


def own(c):
    return c.standard_errors(3)


def anderson(c):
    """The Gaussian formula, whatever the rows are."""
    return c.eigenvalues * np.sqrt(2 / c.N)


def drawn(sample, errors_of, runs, N=600, seed=81):
    """Eigenvalues and their standard errors, sample by sample: two arrays (runs, n)."""
    rng = np.random.default_rng(seed)
    found = [covariance(sample(rng, N)) for _ in range(runs)]
    return np.array([c.eigenvalues for c in found]), np.array([errors_of(c) for c in found])


def check_covers(values, errors, truth=LAM):
    """95 % within 1.96 errors: within four deviations of the count and 2 % for what is of order 1/N."""
    share = np.mean(np.abs(values - truth) <= 1.96 * errors, axis=0)
    return at_most(np.abs(share - 0.95), 0.02 + 4 * np.sqrt(0.95 * 0.05 / len(values)))


def check_size(values, errors):
    """The mean error is the deviation of the eigenvalues: 300 samples give that to 4 %, of heavy tails to 8 %."""
    return agree(errors.mean(axis=0), values.std(axis=0), tolerance=0.15)


@COVERAGE.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize("kind", KINDS)
def test_the_intervals_cover_as_often_as_they_promise(kind, record, thorough):
    runs = thorough(300, 3000)
    values, both = drawn(KINDS[kind], lambda c: np.array([own(c), anderson(c)]), runs)
    errors, gaussian = both[:, 0], both[:, 1]
    check_covers(values, errors)
    record(worst_error=check_size(values, errors), instances=runs)
    with rejected():  # half of them
        check_covers(values, errors / 2)
    if kind == "normal":
        check_size(values, gaussian)
    else:
        with rejected():  # the Gaussian formula: too small for heavy tails, too large for light ones
            check_size(values, gaussian)


@GAUSSIAN.evidence(role="supports", kind="numeric")
def test_for_normal_rows_the_gaussian_formula_covers_too(record, thorough):
    runs = thorough(300, 3000)
    values, errors = drawn(normal, anderson, runs)
    check_covers(values, errors)
    with rejected():  # lam/sqrt(N), without the 2
        check_covers(values, errors / np.sqrt(2))
    record(instances=runs)


@SPREAD.evidence(role="supports", kind="numeric")
def test_on_the_axis_itself_the_mean_lowers_the_variance_by_one_part_in_n(record, thorough):
    """u fixed, not estimated: 1/N gives lam (1 - 1/N) on average, 1/(N - 1) gives lam; the largest is above both."""
    rng, rows, runs = np.random.default_rng(82), 5, thorough(40_000, 400_000)
    y = rng.standard_normal((runs, rows))
    spread = y.var(axis=1)
    # Five standard errors.
    slack = 5 * spread.std() / np.sqrt(runs)
    record(worst_error=agree(spread.mean(), 1 - 1 / rows, tolerance=slack, scale=1.0))
    agree(spread.mean() * rows / (rows - 1), 1.0, tolerance=2 * slack, scale=1.0)
    with rejected():
        agree(spread.mean(), 1.0, tolerance=slack, scale=1.0)


@COVERAGE.evidence(role="supports", kind="numeric")
def test_those_of_a_correlation_matrix_cover_too(record, thorough):
    """Of standardized rows; the truth from one sample of 400,000."""
    mix = np.random.default_rng(83).standard_normal((3, 5)) * [[2.5], [1.2], [0.7]]

    def mixed(rng, N):
        return rng.standard_normal((N, 3)) @ mix + 0.5 * rng.standard_normal((N, 5))

    truth = np.linalg.eigvalsh(np.corrcoef(mixed(np.random.default_rng(84), 400_000).T))[::-1][:2]
    rng, runs, values, errors, plain = np.random.default_rng(85), thorough(200, 2000), [], [], []
    for _ in range(runs):
        X = mixed(rng, 600)
        c = load(X, standardize=True)
        values.append(c.eigenvalues[:2])
        errors.append(c.standard_errors(2))
        plain.append(covariance((X - X.mean(axis=0)) / X.std(axis=0)).standard_errors(2))
    values, errors, plain = np.array(values), np.array(errors), np.array(plain)
    check_covers(values, errors, truth)
    record(worst_error=check_size(values, errors), instances=runs)
    with rejected():  # as if the columns' deviations were known
        check_size(values, plain)


def spherical(size):
    return lambda rng, N: rng.standard_normal((N, size))


def one_direction(rng, N):
    """Variance 3 in the first of 40 columns, 1 in the others."""
    return rng.standard_normal((N, 40)) * np.sqrt(np.r_[3.0, np.ones(39)])


def no_fourth_moment(rng, N):
    """t with 3 degrees of freedom, variances LAM."""
    return rng.standard_t(3, (N, 3)) * np.sqrt(LAM / 3)


@COVERAGE.evidence(role="control", kind="numeric")
@pytest.mark.parametrize(
    ("sample", "N", "truth"),
    [(spherical(6), 600, 1.0), (one_direction, 80, 3.0), (no_fourth_moment, 600, LAM[0])],
    ids=["ties", "few rows", "no fourth moment"],
)
def test_where_a_hypothesis_fails_they_do_not_cover(sample, N, truth):
    """The first of equal eigenvalues is too large; with N = 2 n the noise adds to a direction; a few rows decide."""
    values, errors = drawn(sample, lambda c: c.standard_errors(1), 200, N=N)
    with rejected():
        check_covers(values[:, :1], errors, truth)


def largest(X):
    return float(np.linalg.eigvalsh(X.T @ X / len(X) - np.outer(X.mean(axis=0), X.mean(axis=0)))[-1])


@EDGE.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize("shape", [(2000, 100), (800, 400), (400, 400), (300, 900)], ids=str)
def test_noise_reaches_the_edge_and_directions_above_it_stand_out(shape, record):
    rows, size = shape
    rng = np.random.default_rng(86)
    X = 3.0 * rng.standard_normal(shape)
    edge = marchenko_pastur_edge(9.0, size, rows)
    # The largest deviates by N^(-2/3): 2 % for 400.
    record(worst_error=agree(largest(X), edge, tolerance=0.05))
    for wrong in (9 * (1 + np.sqrt(size / rows)), 9 * (1 + size / rows) ** 2 + 9, 9.0):
        with rejected():  # not squared; the ratio for its root; no edge at all
            agree(largest(X), wrong, tolerance=0.05)
    # A direction of variance 9 (1 + 2 sqrt(n/N)) in the population is seen, one of half the excess is not.
    ratio = np.sqrt(size / rows)
    scale = np.ones(size)
    scale[0] = np.sqrt(1 + 2 * ratio)
    at_most(1.03 * edge, largest(X * scale))
    scale[0] = np.sqrt(1 + 0.5 * ratio)
    with rejected():
        at_most(1.03 * edge, largest(X * scale))


@EDGE.evidence(role="control", kind="numeric")
def test_heavy_tails_pass_the_edge_and_are_rejected():
    """t with 3 degrees of freedom has no fourth moment: its largest eigenvalue is that of a few entries."""
    X = np.random.default_rng(87).standard_t(3, (800, 200)) / np.sqrt(3)
    with rejected():
        agree(largest(X), marchenko_pastur_edge(1.0, 200, 800), tolerance=0.05)


@SHUFFLED.evidence(role="supports", kind="numeric")
def test_independent_columns_exceed_the_shuffled_edge_as_often_as_asked(record, thorough):
    """m = 9 shuffles: 1 sample in 10."""
    rng, runs, draws = np.random.default_rng(88), thorough(100, 1000), 9
    beyond, passed = [], []
    for _ in range(runs):
        X = rng.standard_t(3, (60, 10)) * np.geomspace(1, 4, 10)
        c = covariance(X)
        beyond.append(c.eigenvalues[0] > permuted_edges(X, draws=draws, seed=int(rng.integers(2**32)))[0])
        passed.append(beyond_noise(c.eigenvalues, 60, 1)[0] > 0)
    # Four deviations of the count.
    slack = 4 * np.sqrt(0.1 * 0.9 / runs)
    record(worst_error=agree(np.mean(beyond), 1 / (draws + 1), tolerance=slack, scale=1.0), instances=runs)
    check(np.mean(passed) > 0.9, "the other edge is not exceeded nearly always")
    with rejected():
        check(np.mean(beyond) > 0.9, "the other edge is not exceeded nearly always")
    with rejected():
        agree(np.mean(passed), 1 / (draws + 1), tolerance=slack, scale=1.0)
    # And what is there is found: three directions under heavy tails.
    X = rng.standard_normal((300, 3)) @ rng.standard_normal((3, 20)) + rng.standard_t(3, (300, 20))
    values, edges = covariance(X).eigenvalues, permuted_edges(X)
    same([bool(v) for v in values[:4] > edges[:4]], [True, True, True, False])
    with rejected():  # rows that are far out as a whole have no direction, and pass
        rows = rng.standard_normal((300, 20)) / np.sqrt(rng.chisquare(4, (300, 1)) / 4)
        check(covariance(rows).eigenvalues[0] <= permuted_edges(rows)[0], "it passes")


@SHUFFLED.evidence(role="control", kind="numeric")
def test_rows_that_depend_on_one_another_pass_the_shuffled_edge_and_are_rejected():
    """Columns that are independent random walks: shuffling takes away what makes them look correlated."""
    rng, beyond = np.random.default_rng(89), []
    for seed in range(60):
        X = np.cumsum(rng.standard_normal((60, 5)), axis=0)
        beyond.append(covariance(X).eigenvalues[0] > permuted_edges(X, draws=9, seed=seed)[0])
    with rejected():
        agree(np.mean(beyond), 0.1, tolerance=0.2, scale=1.0)


@SHUFFLED.evidence(role="control", kind="numeric")
def test_a_strong_direction_hides_the_next_one_from_the_shuffled_edge():
    """The same second direction, alone and beside one of 36 times its variance."""
    rng = np.random.default_rng(90)
    noise, factors, axes = rng.standard_normal((300, 20)), rng.standard_normal((300, 2)), rng.standard_normal((2, 20))
    alone, beside = noise + 0.5 * factors[:, 1:] @ axes[1:], noise + (factors * [3.0, 0.5]) @ axes
    check(covariance(alone).eigenvalues[0] > permuted_edges(alone)[0], "it is not seen")
    with rejected():
        check(covariance(beside).eigenvalues[1] > permuted_edges(beside)[1], "it is not seen")
