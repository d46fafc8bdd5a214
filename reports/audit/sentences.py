"""What the paper says in words about its tables, held against the numbers that it prints.

Notation   z: a difference in standard errors. Of collapse no spread is printed, so the largest is taken that averages
           of percentages can have: TRIALS numbers in [0, 1] with mean p have a variance of at most p (1 - p).
           Printed spreads are taken as standard errors, the larger reading.
Main       sentences.
Reference  Lucas et al. 2019, Sec. 6, App. E and the captions of Figure 3 and Tables 1-5; theory 5.4.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from scipy import stats

from reports.audit.bounds import admissible, interval
from reports.audit.checks import DELTA, EPSILON, Constants, copied, excerpt, kl_beside_collapse, whole_latents
from reports.paper import TRIALS, Row
from verify.data.mnist import find_training_file
from verify.data.sources import load
from verify.errors import InputError
from verify.landscape.likelihood_curves import maximum_likelihood_curve

VERDICTS = ("holds", "holds in part", "refuted", "undecided")
Sentence = dict[str, str]
Series = dict[tuple[int, str], list[Row]]

# So many standard errors count as significant; less than so many percentage points in a whole series as no collapse.
SIGNIFICANT, FLAT = 3.0, 5.0
# Figure 3: final ELBO of the analytic training, 1000 images of MNIST, k = 200.
FIGURE_3, FIGURE_3_K, SUBSETS = 950.7, 200, 10
# Below this chance a number is called impossible rather than unlikely.
RARE = 1e-3


def sentences(rows: Sequence[Row], known: Constants) -> list[Sentence]:
    """Each sentence about the tables with a verdict and its evidence, both computed from the rows."""
    series = _full_series(rows, known)
    return [
        pixel_space(rows, known),
        more_collapse(series),
        collapse_when_learned(series),
        after_tuning(series),
        learned_narrows(series),
        still_significant(series),
        five_trials(rows),
        caption_of_collapse(rows),
        caption_of_table_1(rows),
        caption_of_table_5(rows, known),
    ]


def judged(text: str, verdict: str, evidence: str) -> Sentence:
    return {"text": text, "verdict": verdict, "evidence": evidence}


def share(right: int, total: int) -> str:
    """The verdict on a sentence that is right in so many of the places it speaks of."""
    return "undecided" if total == 0 else "refuted" if right == 0 else "holds" if right == total else "holds in part"


def _full_series(rows: Sequence[Row], known: Constants) -> Series:
    """The rows of one table and kind of noise, by noise at the start; without excerpts and without copied rows.

    Where two tables share their numbers, they count where they fit the likelihood identity.
    """
    series: Series = {}
    for row in rows:
        if not excerpt(row, rows) and not (any(copied(row, rows, known)) and not _mostly_fits(row, rows, known)):
            series.setdefault((row.table, row.noise), []).append(row)
    return {key: sorted(members, key=lambda r: r.init_sigma2) for key, members in series.items()}


def _fits(row: Row, known: Constants) -> bool:
    """Whether the row allows the constant of its data."""
    allowed, constant = admissible(row), known[row.data].value
    return not (allowed.above(constant) or constant.above(allowed))


def _mostly_fits(row: Row, rows: Sequence[Row], known: Constants) -> bool:
    """Whether most rows of its table and kind of noise do."""
    beside = [r for r in rows if (r.table, r.noise) == (row.table, row.noise)]
    return 2 * sum(_fits(r, known) for r in beside) >= len(beside)


def _collapse_z(a: Row, b: Row) -> float:
    """By how many standard errors a has collapsed more than b, with the largest spreads there can be."""
    p, q = (r.collapse_percent.value / 100 for r in (a, b))
    variance = (p * (1 - p) + q * (1 - q)) / (TRIALS - 1)
    return (p - q) / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, p - q) if p != q else 0.0


def _elbo_z(a: Row, b: Row) -> float:
    """By how many standard errors the tuned ELBO of a exceeds that of b."""
    error = math.hypot(*(r.tuned_elbo_err.value + r.tuned_elbo_err.half for r in (a, b)))
    return (a.tuned_elbo.value - b.tuned_elbo.value) / error


def pixel_space(rows: Sequence[Row], known: Constants) -> Sentence:
    """Sec. 6.2: collapse with and without the logit, at the same noise."""
    own = [r for members in _full_series(rows, known).values() for r in members]
    pairs = [
        (a, b)
        for a, b in combinations(own, 2)
        if a.model == b.model and {a.preprocessing, b.preprocessing} == {"logit", "none"}
    ]
    lost = sum(r.preprocessing == "none" and any(copied(r, rows, known)) for r in rows)
    different = [pair for pair in pairs if abs(_collapse_z(*pair)) > SIGNIFICANT]
    evidence = f"{len(pairs)} pairs of models, alike but for the preprocessing"
    if pairs:
        a, b = max(pairs, key=lambda pair: abs(_collapse_z(*pair)))
        evidence += (
            f"; collapse differs significantly in {len(different)}, most in {a.dataset}, {a.noise} {a.init.text}: "
            f"{a.collapse_percent.text} % ({a.preprocessing}) and {b.collapse_percent.text} % ({b.preprocessing}), "
            f"{abs(_collapse_z(a, b)):.1f} standard errors"
        )
    evidence += f"; {lost} further rows say nothing, being the same numbers twice" if lost else ""
    verdict = "refuted" if different else "holds" if pairs else "undecided"
    return judged(
        'pixel space and logit space: "no significant difference" for the hypotheses tested', verdict, evidence
    )


def more_collapse(series: Series) -> Sentence:
    """Sec. 6.2: the larger sigma2 at the start, the more collapse."""
    kinds, said = [], []
    for (table, noise), members in series.items():
        pairs = list(combinations(members, 2))
        rising = sum(b.collapse_percent.value > a.collapse_percent.value for a, b in pairs)
        falling = sum(b.collapse_percent.value < a.collapse_percent.value for a, b in pairs)
        values = [r.collapse_percent.value for r in members]
        a, b = max(pairs, key=lambda pair: _collapse_z(*pair))
        broken = _collapse_z(a, b) > SIGNIFICANT
        flat = max(values) - min(values) < FLAT
        kinds.append("no collapse" if flat else "not so" if broken or rising <= falling else "so")
        text = f"table {table} {noise}: {kinds[-1]} ({rising} pairs rise, {falling} fall"
        drop = f"{a.collapse_percent.text} % at {a.init.text} but {b.collapse_percent.text} % at {b.init.text}"
        said.append(text + (f"; {drop}, {_collapse_z(a, b):.1f} standard errors)" if broken else ")"))
    return judged(
        "the larger sigma^2 at the start, the more collapse", share(kinds.count("so"), len(kinds)), "; ".join(said)
    )


def collapse_when_learned(series: Series) -> Sentence:
    """Sec. 6.2: from a large start the posterior matches the prior even where the noise is learned."""
    ends = [members[-1] for (_, noise), members in series.items() if noise == "learned"]
    said = [
        f"table {r.table} from {r.init.text}: {r.collapse_percent.text} % collapsed, KL {r.kl.text}"
        + (" (which means full collapse)" if r.kl.value < r.k * EPSILON * DELTA else "")
        for r in ends
    ]
    right = sum(r.collapse_percent.value > FLAT for r in ends)
    text = 'from a large start, latents collapse "even when" sigma^2 is learned'
    return judged(text, share(right, len(ends)), "; ".join(said))


def after_tuning(series: Series) -> Sentence:
    """Sec. 6.2: fixed noise leaves significant differences of the ELBO even after tuning."""
    return _gaps("fixed noise: significant differences in ELBO that tuning sigma^2 does not remove", series, "fixed")


def still_significant(series: Series) -> Sentence:
    """Sec. 6.2: with learned noise the gap is smaller but still significant."""
    return _gaps('learned noise: the gap between starts is "still significant"', series, "learned")


def _gaps(text: str, series: Series, kind: str) -> Sentence:
    said, right = [], 0
    chosen = {table: members for (table, noise), members in series.items() if noise == kind}
    for table, members in chosen.items():
        a, b = max(((a, b) for a in members for b in members), key=lambda pair: _elbo_z(*pair))
        right += _elbo_z(a, b) > SIGNIFICANT
        said.append(
            f"table {table}: tuned {a.tuned_elbo.text} from {a.init.text}, {b.tuned_elbo.text} from {b.init.text}, "
            f"{_elbo_z(a, b):.1f} standard errors"
        )
    return judged(text, share(right, len(chosen)), "; ".join(said))


def learned_narrows(series: Series) -> Sentence:
    """Sec. 6.2: the gap across starts is smaller with learned noise."""
    said, right, total = [], 0, 0
    for table in sorted({table for table, _ in series}):
        if (table, "fixed") not in series or (table, "learned") not in series:
            said.append(f"table {table}: fixed rows are those of another table")
            continue
        gaps = []
        for kind in ("fixed", "learned"):
            tuned = [r.tuned_elbo.value for r in series[table, kind]]
            gaps.append(max(tuned) - min(tuned))
        total += 1
        right += gaps[1] < gaps[0]
        said.append(f"table {table}: best to worst tuned ELBO {gaps[0]:.1f} fixed, {gaps[1]:.1f} learned")
    return judged(
        'learned noise: the gap between starts is "smaller than for fixed"', share(right, total), "; ".join(said)
    )


def five_trials(rows: Sequence[Row]) -> Sentence:
    """Captions: the number of trials, from what averages of whole numbers of latents can be."""
    said, right, total = [], 0, 0
    for table, data in dict.fromkeys((r.table, r.data) for r in rows):
        members = [r for r in rows if (r.table, r.data) == (table, data)]
        wrong = sum(any(whole_latents(r)) for r in members)
        fits = [t for t in range(1, 2 * TRIALS + 1) if not any(any(whole_latents(r, t)) for r in members)]
        total += 1
        right += wrong == 0
        fitting = f"all rows fit {' or '.join(map(str, fits))}" if fits else "no number up to 10 fits all rows"
        said.append(f"table {table}, {data[0]}: {wrong} of {len(members)} rows impossible, {fitting}")
    return judged(f'collapse in percent is "averaged over {TRIALS} trials"', share(right, total), "; ".join(said))


def caption_of_collapse(rows: Sequence[Row]) -> Sentence:
    """Captions: collapse counts latents within epsilon for 1 - delta of the inputs; then 0 % needs some KL."""
    strange = [(row, found) for row in rows for found in kl_beside_collapse(row)]
    inexcusable = sum(not found.excusable for _, found in strange)
    said = [f"{len(strange)} rows print less KL than their collapse percentage needs, {inexcusable} beyond rounding"]
    for table, kl in dict.fromkeys((row.table, row.kl.text) for row, _ in strange):
        members = [row for row, _ in strange if (row.table, row.kl.text) == (table, kl)]
        # Markov: P(KL >= epsilon) <= mean KL / epsilon, and it must exceed delta for every latent.
        most = max(100 * interval(row.kl).high / (row.k * EPSILON) for row in members)
        said.append(
            f"table {table}, {', '.join(f'{row.noise} {row.init.text}' for row in members)}: "
            f"{members[0].collapse_percent.text} % collapsed at a KL of {kl}; every latent must exceed {EPSILON:g} on "
            f"more than {100 * DELTA:g} % of the inputs, and on average can on {most:.2g} % at most"
        )
    verdict = "refuted" if inexcusable else "undecided" if strange else "holds"
    return judged("collapsed: within 0.01 KL of the prior for at least 99 % of the inputs", verdict, "; ".join(said))


def caption_of_table_1(rows: Sequence[Row]) -> Sentence:
    """Caption of Table 1: which data."""
    members = [r for r in rows if r.table == 1]
    right = sum(r.dataset == "mnist" for r in members)
    evidence = f"{right} of its {len(members)} rows are MNIST, the others CelebA"
    return judged("Table 1 is on real-valued MNIST", share(right, len(members)), evidence)


def caption_of_table_5(rows: Sequence[Row], known: Constants) -> Sentence:
    """Caption of Table 5: no nonlinear preprocessing, so J = -n log 256 (theory 5.2)."""
    members = [r for r in rows if r.table == 5]
    right = [r for r in members if _fits(r, known)]
    kinds = {kind: sum(r.noise == kind for r in members) for kind in ("fixed", "learned")}
    said = [f"{sum(r.noise == kind for r in right)} of {count} {kind}" for kind, count in kinds.items()]
    evidence = f"the likelihood identity of pixel data is met by {' and '.join(said)} rows"
    twins = sum(any(copied(r, rows, known)) for r in members)
    evidence += f"; {twins} rows are those of the table with preprocessing" if twins else ""
    return judged("Table 5 is without any nonlinear preprocessing", share(len(right), len(members)), evidence)


def figure_3(data_dir: str | None, seed: int = 0) -> Sentence:
    """Figure 3's ELBO cannot exceed the maximum likelihood of the same images (Lemma 1)."""
    text = f"Figure 3: a final ELBO of {FIGURE_3:g} with k = {FIGURE_3_K} on the 1000 images of Figure 2"
    try:
        find_training_file(data_dir)
    except InputError:
        return judged(text, "undecided", "needs MNIST: its training images are not at hand (--data-dir)")
    best = np.array(list(_maximum_likelihoods(data_dir, seed)))
    mean, sd = float(best.mean()), float(best.std(ddof=1))
    chance = float(stats.t.sf((FIGURE_3 - mean) / (sd * math.sqrt(1 + 1 / SUBSETS)), SUBSETS - 1))
    reached = int((best >= FIGURE_3).sum())
    # Which images the paper drew is not known: one subset that reaches it proves nothing for another.
    verdict = "holds" if reached == SUBSETS else "refuted" if not reached and chance < RARE else "undecided"
    evidence = (
        f"no ELBO exceeds the maximum likelihood of its own data; over {SUBSETS} subsets of 1000 images that is "
        f"{best.min():.1f} to {best.max():.1f} (mean {mean:.1f}, standard deviation {sd:.1f}), and {reached} reach "
        f"{FIGURE_3:g}; the chance that another subset does is about {100 * chance:.2g} %"
    )
    return judged(text, verdict, evidence)


def _maximum_likelihoods(data_dir: str | None, first: int) -> Iterator[float]:
    """L at the maximum-likelihood solution for subsets of 1000 raw training images / 255 (theory 1.2)."""
    for seed in range(first, first + SUBSETS):
        lam = load("mnist:1000", scale=255, seed=seed, data_dir=data_dir).eigenvalues
        yield float(maximum_likelihood_curve(lam, np.array([FIGURE_3_K]))[0])
