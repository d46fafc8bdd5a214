"""A ledger as a page of its own: the blueprint, every claim folded out, the standard facts, the machine it ran on.

Main       render.
"""

from typing import Any

from reports.ledger_page.section import conclusion, section
from reports.pages.html import environment

ENVIRONMENT = environment("reports.ledger_page")
ENVIRONMENT.filters |= {"conclusion": conclusion}


def render(document: dict[str, Any]) -> str:
    """The page as text, in one file that needs no other."""
    return ENVIRONMENT.get_template("claims.html").render(ledger=section(document))
