"""Reads a ledger from a file, and judges it anew: what a file says of its verdicts is not believed.

Main       read.

A ledger comes from outside. Its claims, steps and evidence are taken as they stand, each field of the kind that it
must be; verdicts, strengths and notes are computed from them, and where the file says otherwise a note tells.
"""

import dataclasses
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from proofs.machinery.claims import FAULTS, KINDS, OUTCOMES, RIGOROUS, ROLES, STRENGTHS, Claim, Fact
from proofs.machinery.judging import Evidence
from proofs.machinery.ledger import IDS, STEP_WORDS, WORDS, Document, ledger, printable, restored
from verify.errors import InputError

ANEW = "write one with `elbo-verify prove --ledger FILE`"
VALUE, MESSAGE = 40, 200  # how many characters of a value, and of what is wrong, are said
COUNTS = 2**63  # more than this no count is: other readers of JSON take it for a whole number of 64 bits
Kind = Callable[[Any], bool]


class _Wrong(ValueError):
    """What is wrong in the file, and where in it."""


def read(path: Path) -> Document:
    """A ledger document from a file, judged anew.  InputError if it cannot be read or is none."""
    try:
        return _judged_anew(_parsed(path.read_bytes()))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; {ANEW}") from None
    except _Wrong as error:
        said = f" ({_cut(str(error), MESSAGE)})" if str(error) else ""
        raise InputError(f"{path}: not a ledger{said}; {ANEW}") from None


def _parsed(raw: bytes) -> Document:
    """_Wrong for what is no JSON, holds text that is no Unicode, or is nested without end."""
    try:
        document = json.loads(raw.decode("utf-8"), parse_constant=_no_number)
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode("utf-8")
        document = _printable(document)
    except RecursionError:
        raise _Wrong("nested too deeply") from None
    except UnicodeError:
        raise _Wrong("its text is no Unicode") from None
    except ValueError:
        raise _Wrong from None
    if not isinstance(document, dict) or document.get("schema") != 1 or not isinstance(document.get("claims"), list):
        raise _Wrong
    return document


def _printable(value: Any) -> Any:
    """The same document, in which no text steers a terminal or spoils a picture."""
    if isinstance(value, dict):
        return {printable(name): _printable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_printable(one) for one in value]
    return printable(value) if isinstance(value, str) else value


def _no_number(word: str) -> float:
    raise ValueError(word)


def _judged_anew(document: Document) -> Document:
    claims = [_claim(value, f"claims[{i}]") for i, value in enumerate(document["claims"])]
    ids = [claim.id for claim, _ in claims]
    _once("claim", ids)
    facts = [_fact(value, f"facts[{i}]") for i, value in enumerate(_take(document, "facts", "it", _list, []))]
    _once("fact", [fact.id for fact, _ in facts])
    errors, skipped = (_take(document, name, "it", _texts, []) for name in ("errors", "skipped"))
    stated = {fact.id for fact, _ in facts}
    trusted = dict.fromkeys(id for claim, _ in claims for id in claim.trusts if id not in stated)
    errors = list(dict.fromkeys([*errors, *(f"no such standard fact: {_short(id)}" for id in trusted)]))
    environment = _take(document, "environment", "it", _is_environment, {})
    complete = _take(document, "complete", "it", _is(bool), True)
    judged = ledger(claims, facts=facts, environment=environment, complete=complete, errors=errors, skipped=skipped)
    judged["notes"] += [
        f"claim {new['id']}: the file says {_said(old)}; by its evidence it is {_said(new)}"
        for old, new in zip(_in_order(document["claims"], judged["claims"]), judged["claims"], strict=True)
        if (old.get("verdict"), old.get("strength")) != (new["verdict"], new["strength"])
    ]
    return judged


def _once(kind: str, ids: list[str]) -> None:
    """_Wrong if an id is there twice."""
    if repeated := [id for id, count in Counter(ids).items() if count > 1]:
        raise _Wrong(f"{kind} {_short(repeated[0])} stands in it twice")


def _in_order(stated: list[Document], judged: list[Document]) -> list[Document]:
    by_id = {claim["id"]: claim for claim in stated}
    return [by_id[claim["id"]] for claim in judged]


def _said(claim: Document) -> str:
    strength = claim.get("strength")
    return _short(f"{claim.get('verdict')}{f', {strength}' if strength else ''}")


def _claim(value: Any, where: str) -> tuple[Claim, list[Evidence]]:
    if not isinstance(value, dict):
        raise _Wrong(f"{where} is no claim")
    if "steps" not in value:
        raise _Wrong(f"{where} has no steps: an earlier version wrote it")
    stated: Document = {name: _take(value, name, where, _is(str)) for name in WORDS}
    stated |= {name: _take(value, name, where, _texts) for name in IDS}
    stated["fault"] = _take(value, "kind_of_fault", where, lambda fault: fault is None or fault in FAULTS)
    stated["steps"] = [
        {name: _take(step, name, f"{where}.steps[{i}]", _is(str)) for name in STEP_WORDS}
        | {"place": _take(step, "place", f"{where}.steps[{i}]", _texts)}
        for i, step in enumerate(_take(value, "steps", where, _list))
    ]
    try:
        claim = restored(stated)
    except ValueError as error:
        raise _Wrong(f"{where}: {error}") from None
    return claim, _evidence(value, where)


def _fact(value: Any, where: str) -> tuple[Fact, list[Evidence]]:
    words = [field.name for field in dataclasses.fields(Fact)]
    return Fact(**{name: _take(value, name, where, _is(str)) for name in words}), _evidence(value, where)


def _evidence(owner: Document, where: str) -> list[Evidence]:
    found = []
    for i, said in enumerate(_take(owner, "evidence", where, _list)):
        here = f"{where}.evidence[{i}]"
        evidence = Evidence(**{name: _take(said, name, here, is_one) for name, is_one in FIELDS.items()})
        if impossible := _impossible(evidence):
            raise _Wrong(f"{here}: {impossible}")
        found.append(evidence)
    return found


def _impossible(said: Evidence) -> str:
    """What no run writes: what a mark would refuse, or what the plugin lets no test pass with."""
    if said.strength != "tested" and said.kind not in RIGOROUS:
        return f"{said.kind} evidence is tested, never {said.strength}"
    if said.outcome == "passed" and said.instances == 0:
        return "it passed and recorded nothing"
    return ""


def _is(kind: type) -> Kind:
    return lambda value: isinstance(value, kind)


def _list(value: Any) -> bool:
    return isinstance(value, list)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < COUNTS


def _amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= sys.float_info.max


def _is_environment(value: Any) -> bool:
    return isinstance(value, dict) and all(one is None or isinstance(one, str | int | float) for one in value.values())


FIELDS: dict[str, Kind] = {
    "test": _is(str),
    "role": lambda value: value in ROLES,
    "kind": lambda value: value in KINDS,
    "strength": lambda value: value in STRENGTHS[1:],
    "outcome": lambda value: value in OUTCOMES,
    "step": _is(str),
    "rejections": _count,
    "accepted": _texts,
    "refused": _texts,
    "instances": _count,
    "worst_error": lambda value: value is None or _amount(value),
    "seconds": _amount,
    "backend": _is(str),
    "witness": _is(str),
    "reason": _is(str),
}
_MISSING = object()


def _take(value: Any, name: str, where: str, is_one: Kind, default: Any = _MISSING) -> Any:
    """The field of that name.  _Wrong if it is missing and has no default, or is not what it must be."""
    if not isinstance(value, dict):
        raise _Wrong(f"{where} is {_short(value)}")
    if name not in value:
        if default is _MISSING:
            raise _Wrong(f"{where} has no {name}")
        return default
    if not is_one(value[name]):
        raise _Wrong(f"{where}: {name} is {_short(value[name])}")
    return value[name]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _cut(text, VALUE)


def _cut(text: str, length: int) -> str:
    """In one line, and not longer than that: what a file holds may have any length."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[:length]}..."
