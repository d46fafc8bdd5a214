"""Whether the paper's findings on noise show in what was trained.

Notation   fixed, learned: by the noise at the start, means over the trials of what document.py calls cells, in the
           model's space, "unsettled", why nothing can be told of them yet ("" where they have come to their end), and
           "collapse_trials", the percentage of each trial;
           linear: how many latents the linear theory keeps at each fixed noise, of k.
Main       findings; number, a measured number in words.
Reference  Lucas et al. 2019, Sec. 6.2.
"""

from collections.abc import Mapping, Sequence
from math import log
from typing import Any

from reports.training.chance import trend

Document = dict[str, Any]
# A finding, whether it holds, and by which numbers.
Told = tuple[str, bool | None, str]
TOO_FEW = "too few models to tell"
# In points: a difference in collapse that would matter.
MATTERS = 10.0
# Of a number of latents that comes from a percentage.
SLACK = 1e-6
# The printed noises are a factor sqrt(10) apart: "near" means no farther than a neighbour.
NEAR = 3.4
LESS_SENSITIVE = "where the noise is learned, the ELBO depends less on where it starts"


def number(value: float | None, name: str = "elbo") -> str:
    """A measured number: variances in three digits, the rest with one decimal, large ones with none."""
    if value is None:
        return "-"
    if "sigma2" in name or abs(value) >= 1e7:
        return f"{value:.3g}"
    return f"{value:.1f}" if abs(value) < 1e4 else f"{value:.0f}"


def findings(
    fixed: Mapping[float, Document], learned: Mapping[float, Document], linear: Mapping[float, int], k: int
) -> list[Document]:
    """[{"finding", "holds" (None: cannot be told), "evidence"}]; none where there is nothing to compare.

    What is unfinished speaks neither for nor against: it is left out, and named.
    """
    found = []
    of_fixed, without_fixed = _ready(fixed, "fixed")
    of_learned, without_learned = _ready(learned, "learned")
    if len(fixed) > 1:
        told = [_collapses(of_fixed), _best_noise(of_fixed), _below_linear(of_fixed, linear, k)]
        found += [_told(*one, without_fixed) for one in told]
    if len(fixed) > 1 and learned:
        told = [_less_sensitive(of_fixed, of_learned), _noise_found(of_fixed, of_learned)]
        found += [_told(*one, without_fixed + without_learned) for one in told]
    return found


def _ready(rows: Mapping[float, Document], noise: str) -> tuple[dict[float, Document], str]:
    """Those that have come to their end, and which have not, in words."""
    ready = {s: row for s, row in rows.items() if not row["unsettled"]}
    without = [s for s in rows if s not in ready]
    if not without:
        return ready, ""
    names = ", ".join(f"{s:g}" for s in without)
    return ready, f". Left out, {noise}: {names}; training is unfinished: {rows[without[0]]['unsettled']}"


def _told(text: str, holds: bool | None, evidence: str, without: str) -> Document:
    return {"finding": text, "holds": holds, "evidence": evidence + without}


def _collapses(fixed: Mapping[float, Document]) -> Told:
    """By a line through all trials of all noises, as Figure 5 is judged."""
    text = "large fixed noise collapses latents that small noise keeps"
    if len(fixed) < 2:
        return text, None, TOO_FEW
    low, high = min(fixed), max(fixed)
    few, many = fixed[low]["collapse_percent"], fixed[high]["collapse_percent"]
    ends = f"{many:.0f}% collapsed at sigma2 = {high:g}, {few:.0f}% at {low:g}"
    points = [(log(s), value) for s, row in fixed.items() for value in row["collapse_trials"]]
    line = trend(points)
    # Where all latents collapse at either noise there is none that the small one keeps.
    if few == 100 or line is None:
        return text, None, ends if few == 100 else f"{ends}; {TOO_FEW}"
    rise, margin = line
    holds = True if rise > margin else False if rise < -margin or rise + margin < MATTERS else None
    way = f"{'falls' if rise < 0 else 'rises'} by {abs(rise):.0f} points"
    return text, holds, f"{ends}; over all noises it {way}, and by chance it may by {margin:.0f}"


def _best_noise(fixed: Mapping[float, Document]) -> Told:
    text = "of the fixed noises, one near its tuned noise has the best ELBO"
    if len(fixed) < 2:
        return text, None, TOO_FEW
    best = max(fixed, key=lambda s: fixed[s]["elbo"])
    tuned = fixed[best]["tuned_sigma2"]
    return (
        text,
        abs(log(best / tuned)) <= log(NEAR),
        f"best at sigma2 = {best:g}, where tuning gives {tuned:.3g}",
    )


def _below_linear(fixed: Mapping[float, Document], linear: Mapping[float, int], k: int) -> Told:
    """In every trial.  Where the linear theory keeps all k, no model can keep more."""
    text = (
        "deep models keep no more latents than the linear theory at the same fixed noise (a comparison of ours, which "
        "the paper does not make)"
    )
    if not fixed:
        return text, None, TOO_FEW
    top = max(fixed)
    tested = [s for s in fixed if linear[s] < k]
    more = {s: [k * (1 - c / 100) > linear[s] + SLACK for c in fixed[s]["collapse_trials"]] for s in tested}
    within = sum(not any(trials) for trials in more.values())
    at_top = f"at sigma2 = {top:g}: {k * (1 - fixed[top]['collapse_percent'] / 100):.1f} against {linear[top]}"
    if not tested:
        evidence = f"the linear theory keeps all {k} at every noise, and no model can keep more; {at_top}"
    elif len(tested) < len(fixed):
        evidence = (
            f"at {within} of the {len(tested)} noises at which the linear theory gives some of the {k} up; {at_top}"
        )
    else:
        evidence = f"at {within} of {len(fixed)} noises; {at_top}"
    against = any(all(trials) for trials in more.values())
    # Where trials of one noise differ it cannot be told.
    return text, False if against else True if tested and within == len(tested) else None, evidence


def _less_sensitive(fixed: Mapping[float, Document], learned: Mapping[float, Document]) -> Told:
    """Over the noises that were trained both ways."""
    both = sorted(fixed.keys() & learned.keys())
    if len(both) < 2:
        return LESS_SENSITIVE, None, "fewer than two noises were trained both ways, to their end"
    ranges = [[f([of[s]["elbo"] for s in both]) for f in (min, max)] for of in (fixed, learned)]
    apart = [high - low for low, high in ranges]
    collapse = [learned[s]["collapse_percent"] for s in both]
    return (
        LESS_SENSITIVE,
        apart[1] < apart[0],
        f"learned: {number(ranges[1][0])} to {number(ranges[1][1])} ({_percent(collapse)} collapsed); fixed: "
        f"{number(ranges[0][0])} to {number(ranges[0][1])}, in the model's space",
    )


def _percent(values: Sequence[float]) -> str:
    low, high = (f"{of(values):.0f}" for of in (min, max))
    return f"{low}%" if low == high else f"{low} to {high}%"


def _noise_found(fixed: Mapping[float, Document], learned: Mapping[float, Document]) -> Told:
    """A model that lost all its latents has found the variance of the data, which says nothing."""
    text = (
        "unless all latents collapse, learned noise ends near the tuned noise of the best fixed one (printed in the "
        "paper's tables, not said in its text)"
    )
    if not fixed:
        return text, None, TOO_FEW
    tuned = fixed[max(fixed, key=lambda s: fixed[s]["elbo"])]["tuned_sigma2"]
    ends = {init: m["final_sigma2"] for init, m in learned.items() if m["collapse_percent"] < 100}
    far = [init for init, end in ends.items() if abs(log(end / tuned)) > log(NEAR)]
    shown = f"; from {min(ends.values()):.3g} to {max(ends.values()):.3g}" if ends else ""
    return (
        text,
        not far if ends else None,
        f"from {len(ends) - len(far)} of {len(ends)} starts near {tuned:.3g}{shown}; from "
        f"{len(learned) - len(ends)} all latents collapse",
    )
