"""Certificates as files: deterministic bytes, and one line for whatever is no certificate."""

import json
import os
import random
import time

import pytest

from verify.certify import files
from verify.errors import InputError

CERTIFICATE = {
    "format": "elbo-verify certificate",
    "version": 1,
    "subject": {"sha256": "0" * 64, "n": 2, "N": None},
    "statements": [{"kind": "claim", "level": "0x1.8p+1", "evidence": {"integers": [1, -2, 3]}}, {"kind": "claim"}],
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "c.json"
    path.write_bytes(files.written(CERTIFICATE))
    return path


def test_it_comes_back_and_its_bytes_are_always_the_same(path):
    found = files.read(path)
    assert {name: value for name, value in found.items() if name != "digest"} == CERTIFICATE
    assert files.written(found) == path.read_bytes() == files.written(files.sealed(CERTIFICATE))
    assert json.loads(path.read_bytes()) == found  # any reader of JSON reads it
    assert files.ours(path)


def test_the_digest_is_that_of_the_documentation(path):
    """Written out from docs/certificates.md with nothing of ours."""
    import hashlib

    content = json.loads(path.read_text())
    stated = content.pop("digest")
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert stated == "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def test_cut_off_anywhere_it_is_refused(path):
    held = path.read_bytes()
    for length in range(len(held.rstrip())):
        path.write_bytes(held[:length])
        with pytest.raises(InputError):
            files.read(path)


def test_a_flipped_bit_is_refused_or_changes_nothing(path):
    held, rng = path.read_bytes(), random.Random(0)
    whole, refused = files.read(path), 0
    for place in range(len(held)):
        damaged = bytearray(held)
        damaged[place] ^= 1 << rng.randrange(8)
        path.write_bytes(bytes(damaged))
        try:
            assert files.read(path) == whole  # a line break turned into a blank
        except InputError:
            refused += 1
    assert refused > 0.9 * len(held)


def deep(n):
    return ("[" * n + "]" * n).encode()


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (b"", "no JSON"),
        (b"{}", "no certificate"),
        (b"[]", "no certificate"),
        (b"null", "no certificate"),
        (b"\xff\xfe\x00", "no text"),
        (b"PK\x03\x04 zip", "no JSON"),
        (deep(100_000), "nested too deeply"),
        (deep(900), "no certificate|nested too deeply"),
        (b'{"a": ' * 100_000, "nested too deeply"),
        (b'{"format": "elbo-verify certificate", "format": "x"}', "'format' twice"),
        (b'{"format": 1.5}', "not exact"),
        (b'{"format": 1e999}', "not exact"),
        (b'{"format": NaN}', "not exact"),
        (b'{"format": -Infinity}', "not exact"),
        (b'{"format": ' + b"9" * 5000 + b"}", "5000 digits"),
        (b'{"format": "elbo-verify certificate", "version": 2}', "version '2'"),
        (b'{"format": "elbo-verify certificate", "version": 1}', "digest"),
        (b'{"format": "elbo-verify certificate", "version": 1, "digest": "\xed\xa0\x80"}', "no text"),
    ],
)
def test_what_is_no_certificate_is_refused_in_one_line(path, held, said):
    path.write_bytes(held)
    with pytest.raises(InputError, match=said) as caught:
        files.read(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_what_is_no_file_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")  # reading it would wait for ever
    for name, said in [
        (tmp_path, "no file"), (tmp_path / "missing", "No such file"), (tmp_path / "pipe", "no file"),
        ("/dev/null", "no file"),
        ("/dev/zero", "no file"), ("a\0b", "no file has such a name"), (tmp_path / ("x" * 300), "File name too long"),
    ]:  # fmt: skip
        with pytest.raises(InputError, match=said):
            files.read(type(tmp_path)(name))


def test_a_file_of_10_gigabytes_is_refused_unread(tmp_path):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(10**10)  # sparse: nothing is written
    with pytest.raises(InputError, match="10000000000 bytes"):
        files.read(tmp_path / "large")


def test_what_cannot_be_read_is_not_written(monkeypatch):
    monkeypatch.setattr(files, "LARGEST", 100)
    with pytest.raises(InputError, match="ask for less"):
        files.written(CERTIFICATE)
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.written({**CERTIFICATE, "x": float("nan")})


def test_other_files_are_not_ours(tmp_path):
    (tmp_path / "other.json").write_text('{"format": "mine"}')
    assert not files.ours(tmp_path / "other.json") and not files.ours(tmp_path) and not files.ours(tmp_path / "no")


def test_many_names_of_which_the_last_stands_twice_are_refused_soon(tmp_path):
    path = tmp_path / "c.json"
    names = [f'"{i}":1' for i in range(200_000)]
    path.write_text("{" + ",".join([*names, names[-1]]) + "}")
    started = time.process_time()
    with pytest.raises(InputError, match="says '199999' twice"):
        files.read(path)
    assert time.process_time() - started < 5  # counting every name in all names takes minutes


def test_a_pipe_is_none_of_ours_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert not files.ours(tmp_path / "pipe")
