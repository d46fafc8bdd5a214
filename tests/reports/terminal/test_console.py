"""Long work is heard of where there is no terminal, once a minute, and never with --quiet; how wide tables are."""

import pytest

from reports.terminal import console


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands where it is put."""
    now = [100.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    return now


def work(session, clock, seconds, steps=10):
    with session.counting("training") as told:
        for done in range(1, steps + 1):
            clock[0] += seconds
            told(done, steps)


def test_a_pipe_hears_of_long_work_about_once_a_minute(clock, capsys):
    work(console.Session(), clock, 25.0)
    assert capsys.readouterr().err.splitlines() == [
        "training: 3 of 10 after 1 min",
        "training: 6 of 10 after 2 min",
        "training: 9 of 10 after 4 min",
    ]


def test_short_work_and_quiet_say_nothing(clock, capsys):
    work(console.Session(), clock, 5.0)
    work(console.Session(quiet=True), clock, 100.0)
    assert capsys.readouterr() == ("", "")


def test_a_cell_of_two_lines_is_as_wide_as_the_longer_one(capsys):
    rows = [["-1234.5678901\n-99", "x"], ["1", "y"]]
    console.Session().say(console.table([("ELBO", True), ("", False)], rows))
    assert capsys.readouterr().out.splitlines() == [
        "         ELBO",
        "-1234.5678901  x",
        "          -99",
        "            1  y",
    ]
