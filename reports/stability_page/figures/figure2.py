"""Figure 2 on these data: likelihood and ELBO over the number of latents."""

from typing import Any

from reports.panels.components import draw

__all__ = ["ORDER", "SECTION", "alt", "caption", "draw", "there"]

Document = dict[str, Any]
SECTION, ORDER = "figure-2", 10


def there(document: Document) -> bool:
    """Whether there are two k to compare."""
    return document["figure2"] is not None


def caption(document: Document) -> str:
    """What the curves are."""
    reference = document["figure2"]["reference_k"]
    return f"Likelihood and optimal ELBO at the noise of each k, and at that of k = {reference}."


def alt(document: Document) -> str:
    """For who cannot see it."""
    return "Likelihood and optimal ELBO over the latent dimension; the numbers stand in the text above."
