"""Certificates: definiteness, all thresholds, and the check of a count, beside what they are measured by.

Ours       verify/certify: Cholesky with an a-priori bound; LAPACK proposes, the checker multiplies.
Peers      python-flint's congruence with float eigenvectors and Gershgorin discs in balls, which is the cross-check as
           well; eigh(S) alone; finding a count, which is eigh, a proposal and the same check.
Floor      the products that the checks cannot do without.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from benchmarks.harness import Answer, Contender, Setup, Subject, Work
from verify.certify import fast
from verify.certify.checker import counts as checker
from verify.certify.checker.outcome import Status
from verify.certify.checker.rounding import positive_definite
from verify.certify.decided.thresholds import thresholds as proven
from verify.certify.propose import counts as propose
from verify.certify.subjects import of_rows
from verify.data.sources import load_rows

ONE = (1,)  # eigh on two threads gains little here, and threads that wait keep the cores from the other side


def definite(setup: Setup) -> Any:
    """A (n, n) with eigenvalues from 0.1 to some 4."""
    n = setup["n"]
    X = np.random.default_rng(0).standard_normal((n, n))
    return X @ X.T / n + 0.1 * np.eye(n)


def residual(setup: Setup) -> Callable[[], Answer]:
    """The checker on LAPACK's factor."""
    A = definite(setup)
    return lambda: {"definite": np.array([positive_definite(A).status is Status.PROVED])}


def a_priori(setup: Setup) -> Callable[[], Answer]:
    """One Cholesky decomposition and no check."""
    A = definite(setup)
    return lambda: {"definite": np.array([fast.positive_definite(A).status is Status.PROVED])}


def images(setup: Setup) -> Any:
    """The subject of 1000 rows of 784 whole numbers of one byte, with directions of many scales, as images have."""
    rng = np.random.default_rng(0)
    shapes = np.abs(rng.standard_normal((40, 784))) * (rng.random((40, 784)) < 0.2)
    rows = rng.exponential(size=(1000, 40)) @ shapes * 20 + 5 * rng.random((1000, 784))
    return of_rows(load_rows(np.minimum(rows, 255).astype(np.uint8), scale=255.0))


def thresholds(setup: Setup) -> Callable[[], Answer]:
    """Every eigenvalue with its radius: eigh, two products."""
    subject = images(setup)

    def run() -> Answer:
        propose.decomposed.cache_clear()
        return {"values": proven(subject).values}

    return run


def only_eigh(setup: Setup) -> Callable[[], Answer]:
    """numpy.linalg.eigh(S)."""
    subject = images(setup)
    S = subject.enclosure.mid
    return lambda: {"values": np.linalg.eigh(S)[0][::-1] * float(subject.enclosure.unit)}


def _level(subject: Any) -> Fraction:
    values = proven(subject).values
    return Fraction(float(values[30] + values[31]) / 2)


def checking(setup: Setup) -> Callable[[], Answer]:
    """The statement alone."""
    subject = images(setup)
    statement, _ = propose.count(subject, _level(subject))

    def run() -> Answer:
        proved = checker.check_count(statement, subject).status is Status.PROVED
        return {"above": np.array([statement["above"] if proved else -1])}

    return run


def finding(setup: Setup) -> Callable[[], Answer]:
    """eigh, the proposal, the check."""
    subject = images(setup)
    level = _level(subject)

    def run() -> Answer:
        propose.decomposed.cache_clear()
        statement, outcome = propose.count(subject, level)
        return {"above": np.array([statement["above"] if outcome.status is Status.PROVED else -1])}

    return run


def check(ours: Answer, theirs: Answer) -> float:
    """The largest deviation, as a share of the largest entry."""
    return max(float(np.abs(ours[x] - 1.0 * theirs[x]).max() / np.abs(ours[x]).max()) for x in theirs)


def _products(number: float) -> Callable[[Setup, Answer], Work]:
    def work(setup: Setup, _: Answer) -> Work:
        n = float(setup["n"])
        return Work(8 * n * n, number * 2 * n**3)

    return work


def _definiteness(n: int) -> Subject:
    return Subject(
        name="certificates",
        title=f"definiteness proved, n = {n}",
        setup={"n": n},
        ours=Contender("Cholesky, a-priori bound", "benchmarks.certificates:a_priori", threads=ONE),
        peers=(
            Contender("python-flint, congruence", "benchmarks.peers.flint_peers:congruence", ("flint",), 200.0),
            Contender("Cholesky, residual bounded", "benchmarks.certificates:residual", threads=ONE),
        ),
        check=check,
        tolerance=0.0,  # it is definite
        work=_products(1 / 6),  # Cholesky
        remark="certificates rest on the residual, whoever made the factor; the a-priori bound trusts LAPACK",
    )


def subjects(quick: bool) -> list[Subject]:
    """Definiteness at two sizes; every threshold of n = 784 beside eigh; checking a count beside finding it."""
    alone = Contender("eigh(S) alone", "benchmarks.certificates:only_eigh", target=1 / 3, threads=ONE)
    found = Contender("finding it", "benchmarks.certificates:finding", target=10.0, threads=ONE)
    enclosed = Subject(
        name="certificates",
        title="every eigenvalue with a rigorous radius, 1000 rows, n = 784",
        setup={"n": 784},
        ours=Contender("eigh, two products", "benchmarks.certificates:thresholds", threads=ONE),
        peers=(alone,),
        check=check,
        tolerance=1e-12,  # two eigensolvers
        work=_products(1.5),
    )
    counted = Subject(
        name="certificates",
        title="a count of eigenvalues checked, n = 784, 31 above",
        setup={"n": 784},
        ours=Contender("the check", "benchmarks.certificates:checking", threads=ONE),
        peers=(found,),
        check=check,
        tolerance=0.0,  # a number of eigenvalues
        work=_products(2 / 3),
        remark="the check is Cholesky and a product, and eigh is only some three times that",
    )
    return [_definiteness(100), _definiteness(784), enclosed, counted]
