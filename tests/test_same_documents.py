"""The comparison of two checkouts finds every kind of difference, and only differences that matter."""

import io
import json

import numpy as np
import pytest

from tests.same_documents import cases, differences, fields, main

DOCUMENT = {"n": 3, "date": "2026-11-27 13:20 UTC", "noise": [{"sigma2": 1.0, "seconds": 0.1}], "name": "digits"}


def stored(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def tensors(value, backwards=False):
    """A safetensors file of one number; its format leaves the order of what is said about it to chance."""
    said = [("epochs", "3"), ("step", "42")]
    entry = {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}
    header = json.dumps({"__metadata__": dict(said[::-1] if backwards else said), "W": entry}).encode()
    return len(header).to_bytes(8, "little") + header + np.array([value]).tobytes()


def found(name, before, after, *allowed, case="report digits"):
    return [field for field, _, _ in differences(fields(name, before), fields(name, after), list(allowed), case)]


def changed(**changes):
    return json.dumps(DOCUMENT | changes).encode()


@pytest.mark.parametrize(
    ("name", "before", "after", "field"),
    [
        ("report.json", changed(), changed(n=4), "report.json:n"),
        ("report.json", changed(), changed(n=3.0), "report.json:n"),
        ("report.json", changed(), changed(noise=[{"sigma2": 1.0000000000000002}]), "report.json:noise.1.sigma2"),
        ("report.json", changed(), changed(noise=[]), "report.json:noise.1.sigma2"),
        ("report.json", changed(), changed(portrait=None), "report.json:portrait"),
        ("stdout", changed(), changed(name="wine"), "stdout:name"),
        ("stdout", b"a\nb\n", b"a\nc\n", "stdout:2"),
        ("stderr", b"", b"note: more\n", "stderr:1"),
        ("train.csv", b"model,elbo\n1,-3\n", b"model,elbo\n1,-4\n", "train.csv:1.elbo"),
        ("scree.svg", b"<svg>\n<g/>\n", b"<svg>\n<a/>\n", "scree.svg:2"),
        ("points.npz", stored(W=np.zeros(2)), stored(W=np.array([0.0, -0.0])), "points.npz:W"),
        ("points.npz", stored(W=np.zeros(2)), stored(W=np.zeros(2, "f4")), "points.npz:W"),
        ("m.safetensors", tensors(1.0), tensors(-1.0), "m.safetensors:numbers"),
        ("page.png", b"\x89one", b"\x89two", "page.png"),
    ],
)
def test_a_difference_is_found_and_named(name, before, after, field):
    assert found(name, before, before) == []
    assert found(name, before, after)[0] == field


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("report.json", changed(), changed(date="2027-01-01 00:00 UTC", noise=[{"sigma2": 1.0, "seconds": 9}])),
        ("stderr", b"about 3 seconds", b"about 12 seconds"),
        ("stderr", b"made 2026-11-27 13:20 UTC", b"made 2026-11-28 01:00 UTC"),
        ("stdout", b"no tests ran in 1.39s", b"no tests ran in 1.35s"),
        ("m.safetensors", tensors(1.0), tensors(1.0, backwards=True)),
        ("ledger.json", b'{"test": "proofs/test_a.py::test_b"}', b'{"test": "proofs/c/test_a.py::test_b"}'),
    ],
)
def test_what_differs_from_run_to_run_is_left_out(name, before, after):
    assert before != after and found(name, before, after) == []


def test_the_name_of_a_test_counts():
    assert found("ledger.json", b'{"test": "p/test_a.py::test_b"}', b'{"test": "p/test_a.py::test_c"}')


def test_only_what_is_allowed_may_differ():
    after = changed(portrait={"size": 3, "rows": [1]}, n=4)
    assert found("report.json", changed(), after, "report.json:portrait") == ["report.json:n"]
    assert found("report.json", changed(), after, "*:portrait", "*:n") == []
    assert found("report.json", changed(), after, "report.json") == []
    assert found("report.json", changed(), after, "report report.json") == []
    assert found("report.json", changed(), after, "tables report.json", "report.json:port")[0] == "report.json:n"


def test_every_command_is_run():
    from reports.cli import parser

    commands = next(action for action in parser()._actions if action.choices).choices
    run = {argv[0] for case in cases() for argv in case.steps if argv}
    assert set(commands) <= run and len({(case.command, case.input) for case in cases()}) == len(cases())


def test_what_is_no_checkout_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main([str(tmp_path), str(tmp_path)])
    assert stop.value.code == 2 and "no checkout" in capsys.readouterr().err
