"""Whether the paper's findings on noise show in what was trained.

Notation   fixed, learned: by the noise at the start, means over the trials of what document.py calls cells, in the
           model's space, and "unsettled", why nothing can be told of them yet ("" where they have come to their end);
           linear: how many latents the linear theory keeps at each fixed noise, of k.
Main       findings; number, a measured number in words.
Reference  Lucas et al. 2019, Sec. 6.2.
"""

from collections.abc import Mapping, Sequence
from math import log
from typing import Any

Document = dict[str, Any]
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
    """[{"finding", "holds" (None: cannot be told), "evidence"}]; none where there is nothing to compare."""
    found = []
    if len(fixed) > 1:
        found += [_collapses(fixed), _best_noise(fixed), _below_linear(fixed, linear, k)]
    if len(fixed) > 1 and learned:
        found += [_less_sensitive(fixed, learned), _noise_found(fixed, learned)]
    return found


def _told(text: str, holds: bool | None, evidence: str, against: Sequence[Document] = ()) -> Document:
    """A finding; against: the rows that speak against it, which say nothing as long as they are unsettled."""
    why = [row["unsettled"] for row in against] if holds is False else []
    if why and all(why):
        return {"finding": text, "holds": None, "evidence": f"{evidence}. Training is unfinished: {why[0]}"}
    return {"finding": text, "holds": holds, "evidence": evidence}


def _collapses(fixed: Mapping[float, Document]) -> Document:
    low, high = min(fixed), max(fixed)
    few, many = fixed[low]["collapse_percent"], fixed[high]["collapse_percent"]
    return _told(
        "large fixed noise collapses latents that small noise keeps",
        # Where all latents collapse at either noise there is none that the small one keeps.
        many > few if few < 100 else None,
        f"{many:.0f}% collapsed at sigma2 = {high:g}, {few:.0f}% at {low:g}",
        [fixed[high]],
    )


def _best_noise(fixed: Mapping[float, Document]) -> Document:
    best = max(fixed, key=lambda s: fixed[s]["elbo"])
    tuned = fixed[best]["tuned_sigma2"]
    return _told(
        "of the fixed noises, one near its tuned noise has the best ELBO",
        abs(log(best / tuned)) <= log(NEAR),
        f"best at sigma2 = {best:g}, where tuning gives {tuned:.3g}",
    )


def _below_linear(fixed: Mapping[float, Document], linear: Mapping[float, int], k: int) -> Document:
    """Where the linear theory keeps all k, no model can keep more."""
    top = max(fixed)
    kept = {s: k * (1 - m["collapse_percent"] / 100) for s, m in fixed.items()}
    tested = [s for s in fixed if linear[s] < k]
    beyond = [s for s in tested if kept[s] > linear[s]]
    within = len(tested) - len(beyond)
    at_top = f"at sigma2 = {top:g}: {kept[top]:.1f} against {linear[top]}"
    if not tested:
        evidence = f"the linear theory keeps all {k} at every noise, and no model can keep more; {at_top}"
    elif len(tested) < len(fixed):
        evidence = (
            f"at {within} of the {len(tested)} noises at which the linear theory gives some of the {k} up; {at_top}"
        )
    else:
        evidence = f"at {within} of {len(fixed)} noises; {at_top}"
    return _told(
        "deep models keep no more latents than the linear theory at the same fixed noise",
        not beyond if tested else None,
        evidence,
        [fixed[s] for s in beyond],
    )


def _less_sensitive(fixed: Mapping[float, Document], learned: Mapping[float, Document]) -> Document:
    """Over the noises that were trained both ways."""
    both = sorted(fixed.keys() & learned.keys())
    if len(both) < 2:
        return _told(LESS_SENSITIVE, None, "fewer than two noises were trained both ways")
    ranges = [[f([of[s]["elbo"] for s in both]) for f in (min, max)] for of in (fixed, learned)]
    apart = [high - low for low, high in ranges]
    collapse = [learned[s]["collapse_percent"] for s in both]
    return _told(
        LESS_SENSITIVE,
        apart[1] < apart[0],
        f"learned: {number(ranges[1][0])} to {number(ranges[1][1])} ({_percent(collapse)} collapsed); fixed: "
        f"{number(ranges[0][0])} to {number(ranges[0][1])}, in the model's space",
        [min((learned[s] for s in both), key=lambda row: row["elbo"])],
    )


def _percent(values: Sequence[float]) -> str:
    low, high = (f"{of(values):.0f}" for of in (min, max))
    return f"{low}%" if low == high else f"{low} to {high}%"


def _noise_found(fixed: Mapping[float, Document], learned: Mapping[float, Document]) -> Document:
    """A model that lost all its latents has found the variance of the data, which says nothing."""
    tuned = fixed[max(fixed, key=lambda s: fixed[s]["elbo"])]["tuned_sigma2"]
    ends = {init: m["final_sigma2"] for init, m in learned.items() if m["collapse_percent"] < 100}
    far = [init for init, end in ends.items() if abs(log(end / tuned)) > log(NEAR)]
    shown = f"; from {min(ends.values()):.3g} to {max(ends.values()):.3g}" if ends else ""
    return _told(
        "unless all latents collapse, learned noise ends near the tuned noise of the best fixed one",
        not far if ends else None,
        f"from {len(ends) - len(far)} of {len(ends)} starts near {tuned:.3g}{shown}; from "
        f"{len(learned) - len(ends)} all latents collapse",
        [learned[init] for init in far],
    )
