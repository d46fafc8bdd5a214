"""What the pictures of a diagnosis show, for who cannot see them.

Notation   document: diagnose.json as a dict.
Main       ALTS, by the names of the pictures.
"""

from typing import Any

from verify.pictures.spectra import PROVED, noises, printed
from verify.words.diagnosis import nats, noise
from verify.words.wording import number

Document = dict[str, Any]


def elbo(document: Document) -> str:
    """The curves over the noise."""
    linear = document["linear"]
    model = "" if document["elbo"] is None else f"; of the model {nats(document['elbo'])}"
    best = "" if linear["value_mle"] is None else f"; of a linear VAE that learns its noise {nats(linear['value_mle'])}"
    at = noise(document["sigma2"])
    return f"ELBO over the noise. At {at} the best linear VAE has {nats(linear['value'])} nats{model}{best}"


def latents(document: Document) -> str:
    """The bars of the KL."""
    kl, kept = document["kl"], document["linear"]["retained"]
    return (
        f"KL of each latent, largest first, from {number(max(kl), 3)} down to {number(min(kl), 3)} nats; "
        f"{len(document['collapsed'])} of {len(kl)} collapsed. The best linear VAE uses {kept}"
    )


def moments(document: Document) -> str:
    """The dots of the second moments."""
    low, high = min(document["second_moment"]), max(document["second_moment"])
    return f"Mean of mu squared plus variance of each latent, from {number(low, 3)} to {number(high, 3)}; 1 is wanted"


def spectra(document: Document) -> str:
    """The two spectra and the noises."""
    lam, s = document["linear"]["eigenvalues"], document["sigma2"]
    above = sum(value > s for value in lam)
    revival = document["revival"]
    most = revival["leading"][0] if revival else None
    proved = [(name, value) for name, value, *_ in noises(document) if name.endswith(PROVED)]
    bounds = "".join(f"; {name}: {printed(name, value)}" for name, value in proved)
    missed = "" if most is None else f"; what the model misses varies by {number(most, 3)} at most"
    return (
        f"Variance of the data in each direction, from {number(lam[0], 3)} down; {above} of the {len(lam)} shown "
        f"exceed {noise(s)}{missed}{bounds}"
    )


def directions(document: Document) -> str:
    """The eigen-images of the residual."""
    told = "; ".join(
        f"variance {number(d['eigenvalue'], 2)}, {number(d['nats'], 2)} nats"
        for d in document["portrait"]["directions"]
    )
    return f"What the model misses most, direction by direction, as pictures: {told}"


def examples(document: Document) -> str:
    """The gallery of data and reconstructions."""
    more = ", and with the escape" if document["portrait"]["installed"] else ""
    return f"{len(document['portrait']['rows'])} data, what the model makes of them, what it misses{more}"


ALTS = {
    "elbo": elbo,
    "latents": latents,
    "moments": moments,
    "spectra": spectra,
    "directions": directions,
    "examples": examples,
}
