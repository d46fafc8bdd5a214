"""Figure 2 near its top, where one curve falls."""

from typing import Any

from reports.panels.components import draw_detail as draw
from reports.panels.components import falls
from reports.panels.components import label_detail as label

__all__ = ["ORDER", "SECTION", "alt", "caption", "draw", "label", "there"]

Document = dict[str, Any]
SECTION, ORDER = "figure-2", 20


def there(document: Document) -> bool:
    """Whether there is a fall to see."""
    return document["figure2"] is not None and falls(document["figure2"])


def caption(document: Document) -> str:
    """Which curve falls, and which does not."""
    return (
        "The same, near the top: the weights of each k (blue) rise and fall at the noise of another; weights fitted "
        "for that noise (purple) never fall."
    )


def alt(document: Document) -> str:
    """For who cannot see it."""
    return "The likelihood at one noise near its top: it rises, then falls, for the weights of each k."
