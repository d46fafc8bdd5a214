"""What a benchmark is, and how ours and a peer are compared: answers first, then times, in turn.

Notation   a ratio is the peer's time over ours, pair by pair: ours, peer, ours, peer, ...
Main       Subject, Contender, Work, Machine, Effort; compare -> Result (Outcome, Spread).

To add a subject: a module of this package with `subjects(quick) -> list[Subject]`, its name in __main__.MODULES. Each
contender is "module:function", where function(setup) does what is not timed and returns run(), and run() returns the
answer: a dictionary of arrays. Every contender lives in its own process (processes.py) with the number of threads
that suits it best. A peer whose answer is not ours is reported as wrong, and not timed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.processes import Failed, Missing, Worker, thread_choices

Setup = dict[str, Any]
Answer = dict[str, Any]

# Pairs of times: as many as fit into the budget, within these bounds.
FEWEST, MOST = 2, 9
# An answer that took longer is not asked for again to warm up.
WARM = 3.0


@dataclass(frozen=True)
class Effort:
    """How long to measure: `budget` seconds for the pairs of one peer; one time takes `shortest` seconds at least, for
    which what is faster is repeated; numbers of threads to choose the best from."""

    budget: float
    shortest: float
    threads: tuple[int, ...]

    def loops(self, seconds: float) -> int:
        """How often to repeat what takes so many seconds."""
        return max(1, round(self.shortest / max(seconds, 1e-7)))

    def pairs(self, seconds: float) -> int:
        """How many pairs of so many seconds to measure."""
        return max(FEWEST, min(MOST, int(self.budget / seconds)))


FULL = Effort(8.0, 0.1, thread_choices())
QUICK = Effort(1.0, 0.025, (1,))


@dataclass(frozen=True)
class Contender:
    """Who computes. `target`: the peer's time should be at least so many times ours.

    `share` is the part of the whole task that is timed (1 over it extrapolates); a `wrong_on_purpose` shows what goes
    wrong without the care that the others take; `threads` are the settings to choose from (None: one, or all cores).
    """

    name: str
    where: str
    packages: tuple[str, ...] = ()
    target: float | None = None
    remark: str = ""
    share: float = 1.0
    wrong_on_purpose: bool = False
    threads: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Work:
    """What any way of computing it must move (bytes read and written) and calculate (operations)."""

    bytes: float
    operations: float
    single_precision: bool = False


@dataclass(frozen=True)
class Machine:
    """Measured in the same run: bytes per second of a copy, operations per second of matrix products."""

    bandwidth: float
    double: float
    single: float

    def floor(self, work: Work) -> float:
        """Seconds that the work takes if nothing else limits it."""
        rate = self.single if work.single_precision else self.double
        return max(work.bytes / self.bandwidth, work.operations / rate)


@dataclass(frozen=True)
class Subject:
    """One benchmark: `check(ours, theirs)` is the error of a peer's answer; `work(setup, ours)` what bounds
    the time.

    `amount` of `unit` are done in one run, and ours should do `rate` of them a second.
    """

    name: str
    title: str
    setup: Setup
    ours: Contender
    peers: tuple[Contender, ...]
    check: Callable[[Answer, Answer], float]
    tolerance: float
    work: Callable[[Setup, Answer], Work]
    remark: str = ""
    unit: str = ""
    amount: float = 0.0
    rate: float | None = None


@dataclass(frozen=True)
class Spread:
    """min, median, max."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, samples: list[float]) -> "Spread":
        """Of at least one sample."""
        return cls(min(samples), median(samples), max(samples))


@dataclass
class Outcome:
    """What came of a peer: "timed", "wrong", "missing" or "failed" (why)."""

    contender: Contender
    status: str
    why: str = ""
    error: float | None = None
    threads: int | None = None
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """Their time over ours, pair by pair, of the whole task."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return [theirs / self.contender.share / ours for ours, theirs in pairs]

    @property
    def met(self) -> bool | None:
        """Whether the median ratio reaches the target; None where there is none, or nothing was timed."""
        if self.contender.target is None or self.status != "timed":
            return None
        return median(self.ratios) >= self.contender.target


@dataclass
class Result:
    """A subject, the threads and times of ours, and what came of each peer."""

    subject: Subject
    threads: int
    floor: float
    outcomes: list[Outcome]
    alone: list[float]

    @property
    def ours(self) -> list[float]:
        """Every time of ours, whichever peer it was paired with."""
        return self.alone + [seconds for outcome in self.outcomes for seconds in outcome.ours]

    @property
    def rate(self) -> float | None:
        """How much is done a second, by the median time; None where there is nothing to count."""
        return self.subject.amount / median(self.ours) if self.subject.unit else None

    @property
    def met(self) -> bool | None:
        """Whether that rate reaches its target; None where there is none."""
        return None if self.rate is None or self.subject.rate is None else self.rate >= self.subject.rate


class Entrant:
    """A contender at work: the process with the number of threads that was fastest, its answer, and how often to
    repeat it for one measured time."""

    def __init__(self, contender: Contender, setup: Setup, effort: Effort):
        self.contender, self.worker = contender, None
        for threads in contender.threads or effort.threads:
            worker = Worker(contender.where, setup, threads, contender.packages)
            try:
                answer, seconds = worker.answer()
                if seconds < WARM:
                    seconds = min(worker.time(1), worker.time(1))
                    seconds = worker.time(effort.loops(seconds))
            except BaseException:
                worker.close()
                self.close()
                raise
            if self.worker is not None and seconds >= self.seconds:
                worker.close()
                continue
            self.close()
            self.worker, self.answer, self.threads, self.seconds = worker, answer, threads, seconds
        self.loops = effort.loops(self.seconds)

    def time(self) -> float:
        """Seconds of one computation, the mean of `loops`."""
        assert self.worker is not None
        return self.worker.time(self.loops)

    def close(self) -> None:
        """End the process."""
        if self.worker is not None:
            self.worker.close()


def outcome_of(subject: Subject, peer: Contender, ours: Entrant, effort: Effort) -> Outcome:
    """Check a peer's answer, and where it is right time it in turn with ours."""
    try:
        theirs = Entrant(peer, subject.setup, effort)
    except Missing as missing:
        return Outcome(peer, "missing", str(missing))
    except Failed as failed:
        return Outcome(peer, "failed", str(failed))
    try:
        error = float(subject.check(ours.answer, theirs.answer))
        if not error <= subject.tolerance:
            return Outcome(peer, "wrong", f"off by {error:.2g}, allowed are {subject.tolerance:.0e}", error)
        found = Outcome(peer, "timed", error=error, threads=theirs.threads)
        pair = ours.loops * ours.seconds + theirs.loops * theirs.seconds
        for _ in range(effort.pairs(pair)):
            found.ours.append(ours.time())
            found.theirs.append(theirs.time())
        return found
    except Failed as failed:
        return Outcome(peer, "failed", str(failed))
    finally:
        theirs.close()


def compare(
    subject: Subject, machine: Machine, effort: Effort, say: Callable[[str], object] = lambda text: None
) -> Result:
    """Ours against every peer of a subject.  Raises Failed if ours does not run."""
    say(f"{subject.title}: {subject.ours.name}")
    ours = Entrant(subject.ours, subject.setup, effort)
    try:
        outcomes = []
        for peer in subject.peers:
            say(f"{subject.title}: {peer.name}")
            outcomes.append(outcome_of(subject, peer, ours, effort))
        alone = [] if any(o.ours for o in outcomes) else [ours.time() for _ in range(FEWEST + 1)]
        return Result(subject, ours.threads, machine.floor(subject.work(subject.setup, ours.answer)), outcomes, alone)
    finally:
        ours.close()
