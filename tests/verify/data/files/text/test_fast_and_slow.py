"""The fast reader takes nothing that the slow one does not read to the same bits."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verify.data.files.text import fast, slow
from verify.data.files.text.fast import Unfit, read_fast
from verify.data.files.text.records import Dialect, Records
from verify.data.files.text.slow import Plan, Surprise, read_slowly
from verify.data.files.text.source import opened
from verify.errors import InputError

PLAIN = ["0", "1", "-2.5", "+3", "4.", ".5", "1e5", "1E-3", "0.1", "123456789.123456789", "1e-310", "5e-324"]
MISSING = ["", "NA", "nan", "NaN", "n/a", "N/A", "null", ".", "-", "?", "Missing", "<NA>", "nAn", "-nan", "nan(7)"]
NASTY = [
    " 7 ", "\t8", '"9"', '" 9"', '"1"0', '1"2', ' "3"', "inf", "-Infinity", "1e400", "9007199254740993", "1_0", "0x10",
    "1d5", "--1", "+-1", "1e", "e5", "x", '""', '"NA"', '"a\nb"', '"a,b;c"', '"', "1\x0b", "\xa01", "٣", "#1", "%2",
    "1\r2", "1,5", "1.5", "1.234,5", "True", "false", " ", "1 2", "1\x00", "\x0c1",
]  # fmt: skip


@st.composite
def texts(draw):
    """A text, its delimiter and width, and the decimal mark to read it with."""
    delimiter, mark = draw(st.sampled_from([",", ";", "\t", "|"])), draw(st.sampled_from(".,"))
    width = draw(st.integers(1, 4))
    numbers = st.floats(allow_nan=False, allow_infinity=False).map(repr)
    plain = st.one_of(st.sampled_from(PLAIN), numbers, st.sampled_from(MISSING))
    field = plain if draw(st.booleans()) else st.one_of(plain, plain, st.sampled_from(NASTY))
    if mark == ",":
        field = field.map(lambda word: word.replace(".", ",") if len(word) > 1 else word)
    row = st.lists(field, min_size=width, max_size=width)
    rows = draw(st.lists(row, min_size=1, max_size=12))
    end = draw(st.sampled_from(["\n", "\r\n", "\n", "\n\n", "\r"]))
    lines = [delimiter.join(fields) for fields in rows]
    if draw(st.integers(0, 9)) == 0:
        lines.insert(
            draw(st.integers(0, len(lines))), draw(st.sampled_from(["# a remark", " #x", "%", "  ", delimiter]))
        )
    return end.join(lines) + draw(st.sampled_from(["", end])), delimiter, width, mark


def both(path, text, plan, blank=False):
    """What each reader makes of a text; None where the fast one leaves it."""
    path.write_bytes(text.encode("utf-8"))
    try:
        source = opened(path)
        quick = read_fast(source, plan, 1, 8).rows()
    except (Unfit, InputError):
        return None
    return quick, read_slowly(Records(source.lines(), plan.dialect.delimiter), plan).rows()


def plan_of(delimiter, width, mark=".", places=None, **others):
    places = tuple(range(width)) if places is None else places
    parts = {"truths": frozenset(), "empty": (), "names": ()} | others
    return Plan(Dialect(delimiter if width > 1 else "", mark), 1, False, width, places, **parts)


@settings(max_examples=1000, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts(), st.data())
def test_both_readers_agree_on_all_that_the_fast_one_takes(tmp_path, case, data):
    text, delimiter, width, mark = case
    places = tuple(data.draw(st.permutations(range(width)))[: data.draw(st.integers(1, width))])
    rest = [j for j in range(width) if j not in places]
    empty = tuple(data.draw(st.lists(st.sampled_from(rest), unique=True))) if rest else ()
    truths = frozenset(data.draw(st.sets(st.sampled_from(places), max_size=1)))
    plan = plan_of(delimiter, width, mark, places, truths=truths, empty=empty)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast, "_PIECE", 64)
        patch.setattr(slow, "_ENTRIES", data.draw(st.sampled_from([1, 5, 1000])))
        found = both(tmp_path / "a.csv", text, plan)
    if found is not None:
        quick, right = found
        assert quick.shape == right.shape
        assert np.array_equal(quick, right, equal_nan=True)
        assert np.array_equal(np.signbit(quick), np.signbit(right)) or np.isnan(right).any()


@pytest.mark.parametrize(("delimiter", "mark"), list(itertools.product(",;\t|", ".,")))
def test_the_fast_reader_takes_plain_tables(tmp_path, delimiter, mark):
    """Without this the test above could compare nothing."""
    if delimiter == mark:
        pytest.skip("the delimiter is the decimal mark")
    rows = np.random.default_rng(0).standard_normal((50, 3))
    rows[3, 1] = np.nan
    text = "\n".join(delimiter.join(map(repr, row)) for row in rows.tolist()).replace(".", mark)
    quick, right = both(tmp_path / "a.csv", text, plan_of(delimiter, 3, mark))
    assert np.array_equal(quick, rows, equal_nan=True) and np.array_equal(right, rows, equal_nan=True)


@pytest.mark.parametrize("odd", ["x", "9007199254740993", "1e300", "1_0", "1,2", "True"])
def test_the_fast_reader_leaves_what_it_may_not_judge(tmp_path, odd):
    assert both(tmp_path / "a.csv", f"1,2\n3,{odd}\n", plan_of(",", 2)) is None


def test_a_surprise_is_one_for_both(tmp_path):
    plan = plan_of(",", 2, places=(0,), empty=(1,))
    assert both(tmp_path / "a.csv", "1,\n2,NA\n", plan)[1].tolist() == [[1.0], [2.0]]
    assert both(tmp_path / "a.csv", "1,\n2,3\n", plan) is None
    with pytest.raises(Surprise):
        read_slowly(Records(["1,\n", "2,3\n"], ","), plan)


def test_a_long_line_with_one_quotation_mark_costs_nothing(tmp_path):
    line = ",".join(["1"] * 200)
    assert both(tmp_path / "a.csv", f'{line}\n{line[:-1]}"1\n', plan_of(",", 200, places=(0,))) is None
    assert both(tmp_path / "a.csv", f'{line}\n{line[:-1]}"1"\n', plan_of(",", 200, places=(0,))) is not None
