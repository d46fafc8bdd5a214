"""What every result can: fields, a frame, JSON, HTML, a picture."""

import copy
import html.parser
import json
import pickle
import sys

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from verify.errors import InputError
from verify.results.base import Result
from verify.results.notebook import MOST_ROWS
from verify.words.tables import Table

matplotlib.use("agg")


class Small(Result):
    row = "thing"

    def said(self):
        rows = [(str(i), f"{i * i}") for i in range(1, 20)]
        return ["Two & two <b>are</b> four. And so on.", Table([("name", False), ("square", True)], rows)]

    def records(self):
        return [{"square": 1}, {"square": 4}]

    def draw(self, axes):
        axes.plot([1, 2], [1, 4])


DOCUMENT = {
    "N": 7, "k": 2, "beta": 1.0, "kl": [0.5, None], "numbers": [1, 2], "none": [], "notes": [],
    "rows": [{"a": [1, 2]}], "nested": {"a": [1, 2]}, "bound": float("inf"),
}  # fmt: skip


@pytest.fixture
def small():
    return Small(DOCUMENT)


def test_lists_of_numbers_are_arrays_and_an_unknown_one_is_nan(small):
    assert small.kl.dtype == float and small.kl[0] == 0.5 and np.isnan(small.kl[1])
    assert np.arange(10, 13)[small.numbers].tolist() == [11, 12] and np.arange(3)[small.none].tolist() == []
    assert small.notes == [] and small.rows == [{"a": [1, 2]}] and small.k == 2
    with pytest.raises(AttributeError, match=r"Small has no field 'nope'; there are N, k, beta, .*bound"):
        getattr(small, "nope")  # noqa: B009
    assert {"kl", "summary"} <= set(dir(small))


def test_nothing_that_is_handed_out_changes_the_document(small):
    small.to_dict()["nested"]["a"].append(3)
    small.nested["a"].append(3)
    small.rows[0]["a"].append(3)
    small.kl[0] = 9
    assert small.to_dict() == DOCUMENT and DOCUMENT["nested"] == {"a": [1, 2]} and DOCUMENT["rows"] == [{"a": [1, 2]}]


def test_json_is_the_document_and_no_number_that_json_lacks(small, tmp_path):
    path = tmp_path / "small.json"
    assert json.loads(small.to_json(path)) == json.loads(path.read_text()) == {**DOCUMENT, "bound": None}
    with pytest.raises(InputError, match="cannot be written"):
        small.to_json(tmp_path / "nowhere" / "small.json")


def test_it_can_be_copied_and_kept(small):
    assert copy.deepcopy(small).k == copy.copy(small).k == pickle.loads(pickle.dumps(small)).k == 2


def test_the_frame_counts_from_one_and_its_lack_is_one_line(small, monkeypatch):
    frame = small.to_frame()
    assert frame.loc[2, "square"] == 4 and frame.index.name == "thing" and frame.index[0] == 1
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match=r"^to_frame needs pandas, [^\n]*pip install pandas$"):
        small.to_frame()


def test_it_prints_short_and_says_all(small):
    assert repr(small) == "<Small N=7, k=2: Two & two <b>are</b> four>"
    assert small.summary().splitlines()[2:5] == ["name  square", "1          1", "2          4"]
    assert Small({**DOCUMENT, "beta": 4.0, "notes": ["and a note"]}).summary().endswith("\n\nnote: and a note")
    said_already = Small({**DOCUMENT, "notes": ["rounding: two & two <b>are</b> four"]})
    assert "note" not in said_already.summary()


class Balance(html.parser.HTMLParser):
    """Which elements are open, and all text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_html_is_whole_escaped_and_has_no_colour_of_its_own(small):
    shown = Small({**DOCUMENT, "notes": ["at sigma2 = 1e-06 <script>"]})._repr_html_()
    read = Balance(shown)
    assert read.open == [] and "Two & two <b>are</b> four" in read.text and "<b>" not in shown
    assert "At σ² = 1 × 10⁻⁶ <script>." in read.text and "<script>" not in shown
    assert f"and {19 - MOST_ROWS} more" in read.text
    assert "#" not in shown and "rgb" not in shown and "http" not in shown
    assert "color:inherit" in shown.split("<table", 1)[1].split(">", 1)[0]
    assert "more" not in Balance(_few()._repr_html_()).text  # control


def test_lines_below_a_question_stand_under_it_in_html():
    class Headed(Small):
        def said(self):
            return ["One.\nAnd two.", "1. Why\n  Because.\n  Therefore."]

    shown = Headed(DOCUMENT)._repr_html_()
    assert shown.count("<strong>") == 1 and "<strong>1. Why</strong>" in shown and ">  Because.<" in shown
    assert Headed(DOCUMENT).summary() == "One.\nAnd two.\n\n1. Why\n  Because.\n  Therefore."


def _few():
    class Few(Small):
        def said(self):
            return ["One.", Table([("name", False)], [("a",)])]

    return Few(DOCUMENT)


def test_a_picture_comes_on_new_axes_or_on_those_given(small):
    figure = plt.figure()
    axes = figure.subplots()
    assert small.plot(axes) is axes and len(axes.lines) == 1
    assert small.plot() is not axes
    plt.close("all")
