"""What is said of the revival test: how many directions exceed the noise, and what latents along them would add.

Notation   document: {"sigma2", "beta", "eigenvalues", "directions", "nats", "bias_nats"}.
Main       said -> blocks; AT_MEANS.
Reference  theory 6.1.
"""

from typing import Any

from verify.landscape.revival import direction_nats
from verify.landscape.weighted import effective_noise
from verify.words.numerals import at_noise, weight
from verify.words.tables import Blocks, Table, short

MOST = 20
# What a constant brings that is off by rounding alone.
NOTHING = 1e-6
AT_MEANS = (
    "exact where the reconstructions are the means of the decoder over q(z|x); of one draw of z each they promise too "
    "much, and of the decoder at the mean of z they leave out how the decoder bends: diagnose tells them apart"
)


def said(document: dict[str, Any]) -> Blocks:
    """The verdict, and the directions that exceed the noise."""
    m, rho = document["directions"], document["eigenvalues"]
    at = at_noise(document["sigma2"], weight(document))
    bias = "" if document["bias_nats"] < NOTHING else f", of which {short(document['bias_nats'], 4)} for a constant"
    gain = f"{short(document['nats'], 6)} nats per datum{bias}"
    if not m:
        constant = f"; a constant would add {gain.split(',')[0]}" if bias else ""
        return [f"No direction of the residual exceeds {at}: no linear latent would add anything{constant}."]
    which = "direction of the residual exceeds" if m == 1 else "directions of the residual exceed"
    added = "it" if m == len(rho) == 1 else "all of them" if m == len(rho) else f"the first {len(rho)} of them"
    verdict = f"{m} {which} {at}. Linear latents along {added}, beside the decoder as it is, would add {gain}."
    s = effective_noise(document["sigma2"], weight(document))
    rows = [(str(j), short(r), short(float(direction_nats(r, s)), 4)) for j, r in enumerate(rho[:MOST], start=1)]
    return [verdict, Table([("direction", True), ("eigenvalue", True), ("nats", True)], rows)]
