"""A browser for each test process, and pages that are opened in it.  Without Chromium these tests skip, and say so."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import pages
from tests.browser.faults import Opened
from verify.data.mnist import find_training_file
from verify.errors import InputError

# As root there is no sandbox; containers have a /dev/shm of 64 MB.
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
HEIGHT = 900


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium, without a window; playwright drives it and downloads nothing."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium: apt-get install chromium")
    driver = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    with driver.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page_of(browser: Any) -> Iterator[Callable[..., Opened]]:
    """page_of(path, width, dark=False, print=False) -> the page, opened in a fresh profile without a network."""
    contexts = []

    def opened(path: Path, width: int, dark: bool = False, print: bool = False) -> Opened:
        context = browser.new_context(viewport={"width": width, "height": HEIGHT}, offline=True)
        contexts.append(context)
        made = Opened(context.new_page())
        made.page.emulate_media(color_scheme="dark" if dark else "light", media="print" if print else "screen")
        # Whoever asks for less motion is scrolled to the focus at once, and need not be waited for.
        made.page.emulate_media(reduced_motion="reduce")
        listen(made, path.as_uri())
        made.page.goto(path.as_uri())
        return made

    yield opened
    for context in contexts:
        context.close()


def listen(opened: Opened, own: str) -> None:
    """Keep what the page says and what it asks for; its own address and data: within it are no requests."""
    page = opened.page
    page.on("console", lambda m: opened.said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: opened.said.append(str(error)))
    page.on("request", lambda r: opened.asked.append(r.url) if not r.url.startswith((own, "data:")) else None)


@pytest.fixture
def page_from(page_of: Callable[..., Opened], tmp_path: Path) -> Callable[..., Opened]:
    """page_from(body, width=420, head="") -> a page that consists of this, for controls."""

    def opened(body: str, width: int = 420, head: str = "", **options: bool) -> Opened:
        path = tmp_path / "page.html"
        path.write_text(
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A control</title>'
            f'<meta name="viewport" content="width=device-width">{head}</head><body>{body}</body></html>'
        )
        return page_of(path, width, **options)

    return opened


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """built(name) -> the page of that name, made once for all test processes."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def page(name: str) -> Path:
        if name == "mnist":
            try:
                find_training_file()
            except InputError:
                pytest.skip("no MNIST: name its folder in ELBO_VERIFY_DATA")
        return pages.build(name, shared / "pages")

    return page
