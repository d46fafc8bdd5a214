"""What may be wrong with a page: each check returns a list of sentences, empty where nothing is.

Main       console, requests (what happened while it loaded and since); overflow, cramped, clipped, collisions,
           outside, tiny (how it is laid out now); tabbing (with the keyboard); on_paper; found (what every page must
           pass).
See        faults.js, which measures; conftest.py, which opens pages.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MEASURES = Path(__file__).with_name("faults.js").read_text()
# A4 less margins of 16 mm, at 96 pixels an inch.
PAPER = 673


@dataclass
class Opened:
    """A page in the browser, and what it said and asked for so far."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def measure(self, name: str, *given: Any) -> Any:
        """What a function of faults.js returns."""
        if not self.page.evaluate("() => Boolean(window.faults)"):
            self.page.evaluate(MEASURES)
        return self.page.evaluate("([name, given]) => window.faults[name](...given)", [name, list(given)])


def console(opened: Opened) -> list[str]:
    """Errors, warnings and exceptions of the page and its scripts."""
    return [f"console: {text}" for text in opened.said]


def requests(opened: Opened) -> list[str]:
    """Everything that it asked for beside itself: a page is one file."""
    return [f"asks for {url}" for url in opened.asked]


def overflow(opened: Opened) -> list[str]:
    """What sticks out of the window, other than inside something that scrolls."""
    return list(opened.measure("overflow"))


def cramped(opened: Opened) -> list[str]:
    """What scrolls sideways although the window has room for all of it."""
    return list(opened.measure("cramped"))


def clipped(opened: Opened) -> list[str]:
    """Words that their box cuts off, where no ellipsis says so."""
    return list(opened.measure("clipped"))


def collisions(opened: Opened) -> list[str]:
    """Labels of a picture that run into each other."""
    return list(opened.measure("collisions"))


def outside(opened: Opened) -> list[str]:
    """Labels that leave their picture."""
    return list(opened.measure("outside"))


def tiny(opened: Opened) -> list[str]:
    """Letters of less than 9 pixels; raised and lowered ones of less than 6.5."""
    return list(opened.measure("tiny"))


LAYOUT = (console, requests, overflow, cramped, clipped, collisions, outside, tiny)


def found(opened: Opened) -> list[str]:
    """All of these; a line each."""
    return [f"{check.__name__}: {fault}" for check in LAYOUT for fault in check(opened)]


def tabbing(opened: Opened) -> list[str]:
    """Tab has to stop at all that can be used, in the order of the page, where one sees it."""
    stops, wrong, last = opened.measure("list"), [], -1
    if not stops:
        return ["there is nowhere for Tab to stop"]
    reached = set()
    for _ in range(2 * len(stops) + 10):
        opened.page.keyboard.press("Tab")
        at, seen, inside = opened.measure("focus")
        if at == -1 or at in reached:
            break
        if at == -2:
            continue
        reached.add(at)
        wrong += [] if at > last else [f"{stops[at]} comes after {stops[last]}"]
        wrong += [] if seen else [f"{stops[at]} looks the same with the focus"]
        wrong += [] if inside else [f"{stops[at]} has the focus outside of the window"]
        last = at
    return wrong + [f"Tab never reaches {stop}" for i, stop in enumerate(stops) if i not in reached]


def on_paper(opened: Opened, explorer: str) -> list[str]:
    """Printed, nothing is folded, nothing is cut, and there is nothing that only a hand could move."""
    page = opened.page
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PAPER, "height": 950})
    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    wrong = [f"{path} stays folded" for path in opened.measure("folded")]
    wrong += [f"{explorer} is printed" for _ in range(page.locator(explorer).locator("visible=true").count())]
    wrong += opened.measure("overflow", True) + collisions(opened) + outside(opened)
    page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
    return wrong
