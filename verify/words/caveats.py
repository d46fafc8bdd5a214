"""What should be known beside the numbers of a stability document: its notes, in words that stand on the page as well.

Notation   facts: a stability document as a dict; lam_j eigenvalues, from j = 1; k latents; sigma2 a noise.
Main       caveats, off_scale, near_noise, tie, kind.
Reference  theory 1.5, 2, 8.

Three kinds of doubt, and each note says which it is: of rounding (the arithmetic cannot tell), of sampling (other data
of the same kind would have other eigenvalues), of the model (a linear theory of a VAE that is not).
"""

from collections.abc import Iterable, Iterator
from typing import Any

from verify.landscape.weighted import PLAIN
from verify.words.numerals import (
    ROUNDING,
    as_threshold,
    at_noise,
    counted,
    directions,
    eigenvalue,
    every,
    learned_plateau,
    likeliest,
    named_eigenvalue,
    on_threshold,
    rough,
    start,
    typed,
    weight,
)

Document = dict[str, Any]

KINDS = ("rounding", "sampling", "model")
MODEL = "model: this is exact for probabilistic PCA and the linear VAE; for a deep VAE it is a prediction"
WEIGHTED = "model: this is exact for the linear VAE with this beta; for a deep VAE it is a prediction"
NO_WEIGHT = "the likelihood has no KL that beta could weigh"
NOT_SHOWN = "not shown: "
UNPROVED = "the proofs were not run for this report: what is stated rests on claims that were not put to the test here"
# With fewer than so many data a dimension, noise alone shows eigenvalues half as large again as its variance, and more:
# (1 + sqrt(1/20))^2 = 1.497.
FEW_DATA = 20
# A noise this many times beyond the spectrum on either side is a matter of units, not of modelling.
OFF_SCALE = 1e3


def caveats(facts: Document, asked: Iterable[float]) -> list[str]:
    """The notes of a stability document; `asked`: the noises of which sampling is told one by one."""
    asked = set(asked)
    return [
        *_ties(facts),
        *_learned(facts),
        *_sampling(facts, [row for row in facts["noise"] if row["sigma2"] in asked]),
        MODEL if weight(facts) == PLAIN else WEIGHTED,
    ]


def names(indices: Iterable[int]) -> str:
    """lam_3, lam_4 and lam_5: of more than four the first and the last."""
    each = [f"lam_{j}" for j in indices]
    if len(each) > 4:
        return f"{each[0]} to {each[-1]}"
    return each[0] if len(each) == 1 else f"{', '.join(each[:-1])} and {each[-1]}"


def tie(row: Document) -> str | None:
    """Which eigenvalues lie on the noise of this row and leave open what is held there; None if that is clear."""
    at, k, noise = f"at sigma2 = {typed(row['sigma2'])}", row["retained"] + row["collapsed"], _noise(row)
    if row["retained_at_most"] > row["retained"]:
        held = counted(row["retained"], row["retained_at_most"])
        lie = "lies" if len(row["undecided"]) == 1 else "lie"
        said = f"{at}, {names(row['undecided'])} {lie} within the rounding error of {noise}"
        return f"{said}: how many latents are held there is undecided, {held} of {k}"
    more = min(k, row["retained"] + len(row["tied"]))
    if more > row["retained"]:
        said = (
            f"{at}, {names(row['tied'])} equal{'s' if len(row['tied']) == 1 else ''} {noise}, which counts as collapsed"
        )
        return f"{said}: {row['retained']} of {k} latents are held there, and {more} just below it"
    return None


def _noise(row: Document) -> str:
    """What eigenvalues are compared with in this row: "the noise", or "beta sigma2 = 0.3"."""
    effective = row["effective_sigma2"] if "effective_sigma2" in row else row["sigma2"]
    return "the noise" if effective == row["sigma2"] else f"beta sigma2 = {typed(effective)}"


def _ties(facts: Document) -> Iterator[str]:
    lam, k = facts["eigenvalues"], facts["k"]
    for row in facts["noise"]:
        if (said := tie(row)) is not None:
            yield f"rounding: {said}" if row["undecided"] else said
    if k < facts["rank"] and lam[k - 1] == lam[k]:
        equal = (
            f"lam_{k} = lam_{k + 1}"
            if facts["resolution"] is None
            else f"rounding: lam_{k} and lam_{k + 1} cannot be told apart"
        )
        yield f"{equal}: which directions the last latents take is not determined"
    if on_threshold(facts) and k < facts["n"]:
        yield (
            f"the maximum-likelihood noise is {named_eigenvalue(facts, k)} itself, which all discarded eigenvalues "
            f"equal: the maximum-likelihood fit has no use for latent {k}"
        )


def _learned(facts: Document) -> Iterator[str]:
    """Where a learned noise goes, if that is nowhere, or with a beta."""
    beta = weight(facts)
    if facts["sigma2_mle" if beta == PLAIN else "sigma2_learned"] is None:
        what = "the likelihood" if beta == PLAIN else f"the ELBO with beta = {typed(beta)}"
        yield (
            f"with learned noise {what} is unbounded at k = {facts['k']}: the noise runs to 0, because "
            f"{_why_unbounded(facts)}; fixed noise is fine"
        )
    elif beta != PLAIN:
        yield f"{_where_it_ends(facts)}{_instead(facts)}"


def _where_it_ends(facts: Document) -> str:
    """Where a noise that is learned with this beta ends, and what is held there."""
    beta, k, s = weight(facts), facts["k"], facts["sigma2_learned"]
    if learned_plateau(facts):
        return (
            f"with beta = {typed(beta)} a learned noise has no one end: every sigma2 up to {as_threshold(s)} attains "
            f"the maximum of the ELBO, and any below it holds {facts['rank']} of {k} latents"
        )
    effective = beta * s
    held = min(k, sum(x > effective for x in facts["eigenvalues"]))
    return (
        f"with beta = {typed(beta)} a learned noise goes to sigma2 = {s:.4g}, where the ELBO with that weight is "
        f"highest and {held} of {k} latents are held"
    )


def _instead(facts: Document) -> str:
    """Which noise the likelihood would have, and which to take; the end of a sentence."""
    mle, learned = facts["sigma2_mle"], facts["sigma2_learned"]
    said = ""
    if mle is not None and not learned_plateau(facts):
        # Both are sums of the same eigenvalues, in another order.
        same = abs(mle - learned) <= ROUNDING * mle
        said = (
            "; that is the maximum-likelihood noise, too"
            if same
            else f"; the likelihood, which has no beta, is highest elsewhere, at sigma2 = {likeliest(facts)}"
        )
    return (
        said
        if start(facts) is None
        else f"{said}; to fix the noise, take {start(facts)} instead, which holds {every(facts['k'])}"
    )


def _why_unbounded(facts: Document) -> str:
    if facts["rank"] <= facts["k"] and facts["rank"] < facts["n"]:
        return f"the data vary in {directions(facts)}"
    return "the latents explain the data wholly, and a KL of weight less than 1 does not hold against that"


def _sampling(facts: Document, rows: list[Document]) -> Iterator[str]:
    if facts["N"] is None:
        yield "sampling: a bare spectrum does not say how many data it comes from; its sampling error is not known"
        return
    last = facts["thresholds"][-1]["standard_error"]
    j = len(facts["thresholds"])
    if last is None:
        yield f"sampling: the standard error of lam_{j} is not known"
    elif _within_noise(facts, j):
        yield (
            f"sampling: {named_eigenvalue(facts, j)} has a standard error of {rough(last)}, which does not count that "
            "the largest of several directions of mere noise come out too large"
        )
    else:
        yield (
            f"sampling: {named_eigenvalue(facts, j)} has a standard error of {rough(last)}, which is how far an "
            f"eigenvalue of N = {facts['N']} data typically lies from that of all data of their kind"
        )
    for row in rows:
        if row["sampling_range"] not in (None, [row["retained"], row["retained_at_most"]]):
            low, high = row["sampling_range"]
            k = facts["k"]
            lost, other = counted(k - row["retained_at_most"], k - row["retained"]), counted(k - high, k - low)
            at = f"at sigma2 = {typed(row['sigma2'])}, {lost} of {k} collapse{'s' if lost == '1' else ''}"
            yield (
                f"sampling: {at}; with other data of the same kind it may be {other} (thresholds moved by up to two "
                "standard errors)"
            )
    yield from _edge(facts)
    if facts["suggested_k"] is not None:
        yield f"sampling: Minka's estimator, scikit-learn's PCA(n_components='mle'), suggests {_suggested(facts)}"


def _suggested(facts: Document) -> str:
    """The estimator's k beside the one that was asked for; its largest says that it found no noise."""
    found, k = facts["suggested_k"], facts["k"]
    most = ", the largest that it considers" if found == facts["n"] - 1 else ""
    beside = ", which is the k here" if found == k else f"; here k = {k}"
    return f"k = {found} for these data{most}{beside}"


def _edge(facts: Document) -> Iterator[str]:
    """Whether few data leave it open that thresholds are noise."""
    if facts["marchenko_pastur_edge"] is None:
        return
    k, steps = facts["k"], facts["marchenko_pastur_edge"]["stepwise"]
    beyond, edge = steps["beyond"], f"{steps['edge']:.3g}"
    N, n = facts["N"], facts["n"]
    few = (
        f"sampling: N = {N} data are few for n = {n} dimensions, so that large eigenvalues come out too large, which "
        "standard errors leave out"
    )
    if FEW_DATA * n <= N:
        few = f"sampling: N = {N} data of mere noise in n = {n} dimensions have eigenvalues above its variance, too"
    if beyond == k:
        which = "lam_1 exceeds" if k == 1 else f"lam_1 to lam_{k} exceed"
        yield f"{few}; {which} what noise alone would show (the Marchenko-Pastur edge, {edge} for lam_{k})"
        return
    yield (
        f"{few}; {named_eigenvalue(facts, beyond + 1)} does not exceed what noise alone would show ({edge}, the "
        f"Marchenko-Pastur edge), and {_perhaps_noise(beyond, k)} may be nothing but noise"
    )


def _within_noise(facts: Document, j: int) -> bool:
    """Whether lam_j does not exceed what noise alone would show."""
    edge = facts["marchenko_pastur_edge"]
    return edge is not None and edge["stepwise"]["beyond"] < j


def _perhaps_noise(beyond: int, k: int) -> str:
    """The thresholds after the first `beyond` of k."""
    if beyond == 0:
        return "the threshold" if k == 1 else f"all {k} thresholds"
    return "that threshold" if beyond == k - 1 else f"the thresholds from lam_{beyond + 1} on"


def near_noise(direction: int, sigma2: float, beta: float = PLAIN) -> str:
    """Of a slice: the sign of the curvature along an eigenvector, numbered from 0, is open."""
    j, at = direction + 1, at_noise(sigma2, beta)
    return (
        f"rounding: lam_{j} cannot be told from {at}: whether a zero column is stable towards u_{j} there is undecided"
    )


def kind(note: str) -> str | None:
    """Which kind of doubt a note says that it is: rounding, sampling or model."""
    head, colon, _ = note.partition(": ")
    return head if colon and head in KINDS else None


def off_scale(facts: Document, rows: Iterable[Document]) -> Iterator[str]:
    """Which noises of these rows lie outside anything that these data could mean."""
    beta = weight(facts)
    largest, mle = facts["eigenvalues"][0], facts["sigma2_mle"]
    for row in rows:
        compared, at = row.get("effective_sigma2", row["sigma2"]), f"sigma2 = {typed(row['sigma2'])}"
        about = at if beta == PLAIN else f"{at} with beta = {typed(beta)}"
        if largest * OFF_SCALE < compared:
            yield (
                f"{about} is off the scale of these data, whose largest variance in any direction is "
                f"{eigenvalue(facts, 1)}: every latent collapses there; set the noise, or the scale of the data, with "
                "that in mind"
            )
        # Retention asks for beta sigma2; the likelihood knows no beta.
        if mle is not None and mle > OFF_SCALE * row["sigma2"]:
            held = "retains every latent" if row["collapsed"] == 0 else "is small"
            yield (
                f"{at} is off the scale of these data, whose maximum-likelihood noise is {likeliest(facts)}: it "
                f"{held}, at the price of likelihood"
            )
