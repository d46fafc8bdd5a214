"""The JSON Schemas of reports/schema/, ready to validate with."""

import json
from typing import Any

import pytest

from reports.device.doctor import HOUSE

NAMES = (
    "stationary",
    "stability",
    "landscape",
    "collapse",
    "audit",
    "ledger",
    "claims",
    "doctor",
    "report",
    "device-check",
    "train",
    "tables",
    "figures",
    "diagnose",
    "certify",
)


def validator(name: str) -> Any:
    """A validator of this schema that knows the others; the test is skipped where jsonschema is missing."""
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    from referencing import Registry, Resource

    schemas = {n: json.loads((HOUSE / "reports" / "schema" / f"{n}.json").read_text()) for n in NAMES}
    registry = Registry().with_resources((s["$id"], Resource.from_contents(s)) for s in schemas.values())
    jsonschema.Draft202012Validator.check_schema(schemas[name])
    return jsonschema.Draft202012Validator(schemas[name], registry=registry)


def check(name: str, document: Any) -> Any:
    """The document, if it is valid."""
    validator(name).validate(document)
    return document
