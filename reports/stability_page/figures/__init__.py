"""The pictures of a stability report: one file each, and they are found.

A picture is a module with SECTION (the id of a section of page.html), ORDER (its place there), draw(axes, document),
caption(document) and alt(document), both as plain text; there(document), where it cannot always be drawn; and
label(axes, document), for names that have to find room once the frame is laid out.

Main       pictures, those of a document; by name, which is that of its files too; every, all names.
"""

import importlib
import pkgutil
from typing import Any

Document = dict[str, Any]


def every() -> list[str]:
    """The names of all pictures, whatever the document."""
    return [entry.name.replace("_", "-") for entry in pkgutil.iter_modules(__path__)]


def pictures(document: Document) -> dict[str, Any]:
    """Every picture that the document has data for, in its order: name -> module."""
    found = {name: importlib.import_module(f"{__name__}.{name.replace('-', '_')}") for name in every()}
    there = {name: of for name, of in found.items() if not hasattr(of, "there") or of.there(document)}
    return dict(sorted(there.items(), key=lambda item: (item[1].ORDER, item[0])))
