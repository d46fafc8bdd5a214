"""What terminal and notebooks say of a collapse document: what fell, what is active, and which latents say least.

Notation   document: a collapse document as a dict; k latents; N data; KL in nats.
Main       said -> blocks; headline.
Reference  theory 3.11, 6.4.
"""

from decimal import Decimal
from typing import Any

from verify.landscape.collapse import ACTIVE_VARIANCE, EPSILONS
from verify.words.numerals import typed
from verify.words.tables import Blocks, Table, short
from verify.words.wording import ranges

Document = dict[str, Any]
MOST_LATENTS = 10


def said(document: Document) -> Blocks:
    """The verdict, collapse over epsilon, the latents that say least, and what the columns mean."""
    asked = [row["epsilon"] for row in document["curve"]] != list(EPSILONS)
    blocks: Blocks = [headline(document), _curve(document, all_of_it=asked), _latents(document)]
    if not asked:
        many = len(document["curve"])
        blocks.append(f"epsilon from: where the percentage changes, of the {many} epsilons in the document")
    return [*blocks, "mu^2 + var: mean over the data; 1 where the encoder is at a stationary point of the ELBO"]


def headline(document: Document) -> str:
    """Collapse at one epsilon, and activity, in words."""
    k, N, fallen = document["k"], document["N"], document["collapsed"]
    delta = Decimal(typed(document["delta"]))  # the decimal that was written
    epsilon, percent = short(document["epsilon"], 4), f"{(100 * (1 - delta)).normalize():f}"
    have = "has" if len(fallen) == 1 else "have"
    which = f" (number {ranges(fallen)})" if 0 < len(fallen) < k else ""
    return (
        f"{len(fallen)} of {k} latents {have} collapsed over {N} data{which}: a KL below {epsilon} nats for at least "
        f"{percent}% of the data (epsilon = {epsilon}, delta = {delta}). {document['active_units']} of {k} latents are "
        f"active: the variance of their mean over the data exceeds {ACTIVE_VARIANCE:g}. The KL of all latents together "
        f"is {short(document['kl_total'])} nats per datum."
    )


def _curve(document: Document, all_of_it: bool) -> Table:
    """Where the percentage changes, or all that was asked for."""
    curve = document["curve"]
    steps = [
        row
        for before, row in zip([None, *curve], curve, strict=False)
        if before is None or before["collapsed_percent"] != row["collapsed_percent"] or all_of_it
    ]
    rows = [(short(row["epsilon"], 4), short(row["collapsed_percent"], 4)) for row in steps]
    return Table([("epsilon" if all_of_it else "epsilon from", True), ("collapsed %", True)], rows)


def _latents(document: Document) -> Table:
    """Those that say least."""
    k, kl, moment = document["k"], document["kl"], document["second_moment"]
    least = sorted(range(k), key=lambda i: kl[i])[:MOST_LATENTS]
    first = "latent that says least" if k > MOST_LATENTS else "latent"
    rows = [(str(i + 1), short(kl[i], 4), short(moment[i], 4)) for i in least]
    return Table([(first, True), ("mean KL", True), ("mu^2 + var", True)], rows)
