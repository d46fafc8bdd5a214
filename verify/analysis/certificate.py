"""Certificates made and checked, as documents: what is proved, refuted, undecided, and why.

Notation   k latents; sigma2 the noise, beta the weight of the KL, as exact numbers.
Main       asked, made, of_reading; checked; differs, from a certificate that was kept.
Reference  docs/certificates.md; reports/schema/certify.json.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from verify.analysis.scales import compared
from verify.certify import files, sources, verdict
from verify.certify.checker.numbers import exact
from verify.certify.checker.outcome import Outcome, Status
from verify.certify.checker.subject import Subject
from verify.certify.verdict import Asked, Stated, certificate, check
from verify.checks import latent_dimension, positive_noise
from verify.eigenvalues import decimal
from verify.errors import InputError, about, first_line
from verify.landscape.weighted import PLAIN, usable_weight
from verify.words.caveats import MODEL, WEIGHTED
from verify.words.certificate import SAMPLING
from verify.words.statements import sentence

Document = dict[str, Any]
Say = Callable[[str], object]


def asked(subject: Subject, k: Any, sigma2: Any, beta: Any = PLAIN) -> Asked:
    """What a certificate is asked to say, exactly.  Raises InputError."""
    compared([sigma2], beta)
    k = latent_dimension(k, subject.n, "" if subject.N is None else " (the columns of the data)")
    return Asked(k, decimal(positive_noise(sigma2)), decimal(usable_weight(beta)))


def made(subject: Subject, name: str, of: Asked, say: Say = lambda doing: None) -> tuple[Document, Document]:
    """The document, and the certificate of what is proved (its source to be added)."""
    found: Stated = []
    notes = []
    for part in verdict.PARTS:
        say(part.doing)
        try:
            why_not = part.applies(subject, of)
            found += part.proposed(subject, of) if why_not is None else []
        except InputError as error:  # a package that is missing, a size that is refused
            why_not = str(error)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:  # the rest does not depend on a search
            why_not = f"the search failed: {first_line(error, 80)}"
        if why_not:
            notes.append(f"not tried: {part.doing} ({why_not})")
    say("checking the certificate")
    kept = [statement for statement, outcome in found if outcome.status is Status.PROVED]
    whole = certificate(subject, kept)
    # What is written is checked as it will be read; what it then came to is what is said.
    outcomes = iter(check(json.loads(json.dumps(whole)), subject, say) if kept else [])
    found = [(s, next(outcomes) if outcome.status is Status.PROVED else outcome) for s, outcome in found]
    whole["statements"] = [statement for statement, outcome in found if outcome.status is Status.PROVED]
    numbers = {"k": of.k, "sigma2": float(of.sigma2), "beta": float(of.beta)}
    return _document(subject, name, numbers, found, notes), whole


def checked(path: Path, data: Any = None, data_dir: Any = None, say: Say = lambda doing: None) -> Document:
    """What becomes of every statement of a file, without the search.  Raises InputError: the file, or the data."""
    whole = files.read(path)
    try:
        say("reading the data")
        reading = sources.again(whole.get("source"), path.parent, data, data_dir)
        outcomes = check(whole, reading.subject, say)
    except InputError as error:
        raise about(str(path), error) from None
    nothing = dict.fromkeys(("k", "sigma2", "beta"))
    found = list(zip(whole["statements"], outcomes, strict=True))
    return of_reading(_document(reading.subject, reading.name, nothing, found, []), reading)


def differs(path: Path, subject: Subject, of: Asked) -> str | None:
    """In what a certificate that was kept is another one than is asked for; None: in nothing."""
    try:
        whole = files.read(path)
        if whole["subject"] != certificate(subject, [])["subject"]:
            return "is a certificate of other data"
        found = {(s["k"], exact(s["sigma2"]), exact(s["beta"])) for s in whole["statements"] if s["kind"] == "optimum"}
    except (InputError, LookupError, TypeError) as error:
        return f"is a certificate that cannot be read ({first_line(error).removeprefix(f'{path}: ')[:60]})"
    if not found:
        return "is a certificate that does not say of which k, sigma2 and beta it is"
    return None if found == {(of.k, of.sigma2, of.beta)} else "is a certificate of another k, sigma2 or beta"


def of_reading(document: Document, reading: sources.Reading) -> Document:
    """The document with how its data were read, and what reading has to say of them."""
    return document | {"read": reading.read, "notes": [*reading.notes, *document["notes"]]}


def _document(subject: Subject, name: str, numbers: Document, found: Stated, notes: list[str]) -> Document:
    rows = [_row(statement, outcome) for statement, outcome in found]
    counts = {status.value: sum(row["status"] == status for row in rows) for status in Status}
    return {
        "schema": 1,
        "data": name,
        "sha256": subject.sha256,
        "N": subject.N,
        "n": subject.n,
        "read": None,
        **numbers,
        "statements": rows,
        **counts,
        "notes": [*notes, *_meaning(subject, [statement for statement, _ in found])],
    }


def _row(statement: Document, outcome: Outcome) -> Document:
    says = sentence(statement, outcome.status is Status.PROVED)
    return {"kind": statement["kind"], "says": says, "status": outcome.status.value, "reason": outcome.reason}


def _meaning(subject: Subject, statements: list[Document]) -> list[str]:
    """What a proof is about."""
    weights = {exact(s.get("beta", "1")) == 1 for s in statements if s["kind"] == "optimum"}
    model = (MODEL if weights == {True} else WEIGHTED).replace("this", "what is said of the optimum", 1)
    return [*([] if subject.N is None else [SAMPLING]), *([model] if weights else [])]
