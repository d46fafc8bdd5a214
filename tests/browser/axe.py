"""axe-core over a page: what keeps people from using it, by the rules of WCAG.

    python -m tests.browser.axe PAGE.html ...

Main       source (the text of axe.min.js, fetched by npm once); violations (of an opened page); main.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

# One version, so that the same page passes tomorrow.
PACKAGE, VERSION = "axe-core", "4.14.1"
GRAVE = ("serious", "critical")


class Missing(Exception):
    """axe-core cannot be had here; the message says why."""


def cache() -> Path:
    """Where it is kept: inside of the virtual environment, or among the temporary files without one."""
    own = Path(sys.prefix) if sys.prefix != sys.base_prefix else Path(tempfile.gettempdir())
    return own / PACKAGE / f"axe-{VERSION}.min.js"


def source() -> str:
    """The text of axe.min.js.  Raises Missing."""
    kept = cache()
    if not kept.is_file():
        if shutil.which("npm") is None:
            raise Missing("no npm: apt-get install npm")
        with tempfile.TemporaryDirectory() as folder:
            command = ["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"]
            try:
                run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
            except subprocess.TimeoutExpired:
                raise Missing("npm pack axe-core takes too long") from None
            packed = list(Path(folder).glob("*.tgz"))
            if run.returncode or not packed:
                raise Missing(f"npm pack axe-core fails: {' '.join(run.stderr.split())[:200]}")
            with tarfile.open(packed[0]) as archive:
                script = archive.extractfile("package/axe.min.js")
                assert script is not None
                text = script.read()
        kept.parent.mkdir(parents=True, exist_ok=True)
        # Written beside and moved: another test process may be doing the same.
        half = kept.with_suffix(f".{os.getpid()}")
        half.write_bytes(text)
        half.replace(kept)
    return kept.read_text()


def violations(page: Any, script: str) -> list[dict[str, Any]]:
    """[{"id", "impact", "help", "nodes": [{"target", "html", "failureSummary"}]}] of an opened page."""
    page.evaluate(script)
    return list(page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations"))


def sentences(given: list[dict[str, Any]], impacts: tuple[str, ...] = GRAVE) -> list[str]:
    """A line for each node that is at fault."""
    return [
        " ".join(
            f"{rule['impact']} {rule['id']}: {' '.join(map(str, node['target']))}: {node['failureSummary']}".split()
        )
        for rule in given
        for node in rule["nodes"]
        if rule["impact"] in impacts
    ]


def main(paths: list[str]) -> int:
    """Print all that axe finds in these files, light and dark; 1 if any of it is serious or critical."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import FLAGS

    script, grave = source(), 0
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for path in paths:
            for scheme in ("light", "dark"):
                page = browser.new_page(viewport={"width": 1400, "height": 900}, bypass_csp=True, color_scheme=scheme)
                page.goto(Path(path).resolve().as_uri())
                given = violations(page, script)
                grave += len(sentences(given))
                for line in sentences(given, ("minor", "moderate", *GRAVE)):
                    print(f"{path} ({scheme}): {line}")
        browser.close()
    return int(grave > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
