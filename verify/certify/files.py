"""Certificates as files: JSON of integers and strings, one statement a line, sealed by a digest.

Notation   digest: "sha256:" and the SHA-256 of the certificate without it, as JSON in ASCII with sorted keys and no
           blanks: well defined, since no number in it is a float.
Main       read, written, sealed, digest; ours.
Reference  docs/certificates.md.

The digest tells damage, not forgery: whoever changes a certificate can seal it again. What is proved is decided by the
checker alone.
"""

import hashlib
import json
import stat
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

from verify.certify.checker.certificate import header
from verify.errors import InputError

LARGEST = 2**26  # bytes of a file: more is refused unread
_DIGITS = 20  # of an integer; a number with more is a string
_SEAL = "digest"
_ORDER = ("format", "version", "made_by", "source", "subject", "statements", _SEAL)

Certificate = dict[str, Any]


def digest(certificate: Certificate) -> str:
    """Of everything but the digest itself."""
    content = {name: value for name, value in certificate.items() if name != _SEAL}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return f"sha256:{hashlib.sha256(text.encode('ascii')).hexdigest()}"


def sealed(certificate: Certificate) -> Certificate:
    """With its digest, at the end."""
    content = {name: value for name, value in certificate.items() if name != _SEAL}
    return {**content, _SEAL: digest(content)}


def written(certificate: Certificate) -> bytes:
    """The bytes of its file: the same for the same certificate.  Raises InputError where nobody could read them."""
    lines, whole = [], sealed(certificate)
    for name in sorted(whole, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER) - 2.5):
        value = whole[name]
        text = _compact(value)
        if name == "statements":
            text = "[\n" + ",\n".join(map(_compact, value)) + "\n]"
        lines.append(f"{_compact(name)}: {text}")
    held = ("{\n" + ",\n".join(lines) + "\n}\n").encode("ascii")
    if len(held) > LARGEST:
        raise InputError(f"the certificate has {len(held)} bytes, more than the {LARGEST} that are read; ask for less")
    return held


def read(path: Path) -> Certificate:
    """The certificate of a file.  Raises InputError: unreadable, not JSON, another version, truncated or damaged."""
    try:
        found = _parsed(_bytes(path))
        header(found)
        if found.get(_SEAL) != digest(found):
            raise InputError("damaged or changed: its digest is another one; make it again, or get it again")
    except RecursionError:
        raise InputError(f"{path}: is nested too deeply: this is no certificate") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    certificate: Certificate = found
    return certificate


def ours(path: Path) -> bool:
    """Whether the file is a certificate, of whatever version, however damaged behind its first line."""
    try:
        if not path.is_file():  # whoever opens a pipe waits for its other end
            return False
        with path.open("rb") as file:
            return file.read(80).startswith(b'{\n"format": "elbo-verify certificate"')
    except OSError:
        return False


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _bytes(path: Path) -> bytes:
    """What the file holds.  Raises InputError."""
    try:
        if not stat.S_ISREG((about := path.stat()).st_mode):
            raise InputError("is no file; name the file of a certificate")
        if about.st_size > LARGEST:
            raise InputError(f"has {about.st_size} bytes, and a certificate at most {LARGEST}: this is none")
        with path.open("rb") as file:
            held = file.read(LARGEST + 1)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror or error}); name the file of a certificate") from None
    except InputError:
        raise
    except ValueError:  # a name with a zero byte
        raise InputError("cannot be read: no file has such a name") from None
    if len(held) > LARGEST:
        raise InputError(f"has more than {LARGEST} bytes: this is no certificate")
    return held


def _parsed(held: bytes) -> Any:
    """JSON without floats, NaN, long integers or names that stand twice.  Raises InputError."""
    try:
        return json.loads(
            held.decode("utf-8"),
            parse_float=_no_float,
            parse_constant=_no_float,
            parse_int=_integer,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError:
        raise InputError("is no text: this is no certificate, or a damaged one") from None
    except json.JSONDecodeError as error:
        raise InputError(f"is no JSON, or cut off (line {error.lineno}, column {error.colno}); get it again") from None


def _no_float(text: str) -> NoReturn:
    raise InputError(f"holds the number {text[:40]}, which is not exact; numbers are integers or strings")


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > _DIGITS:
        raise InputError(f"holds an integer of {len(text)} digits; long numbers are strings")
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise InputError(f"says {twice[:40]!r} twice; which of them counts is nobody's guess")
    return found
