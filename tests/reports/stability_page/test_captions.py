"""Captions: escapes in words, panels of Figure 1, Figure 2 in numbers."""

import pytest

from reports.analysis import report as contents
from reports.stability_page import captions
from reports.stability_page.figures import pictures
from verify.data import load


@pytest.fixture(scope="module")
def document():
    return contents.compute(load("eigenvalues:6,4,2.5,1.2,0.5,0.3,0.2,0.1"), 3, "x")[0]


def point(**fields):
    return {"retained": [1, 3], "orthogonal": True, **fields}


def direction(kind, columns, eigen):
    return {"rate": 1.0, "direction": {"type": kind, "columns": columns, "eigen": eigen}}


@pytest.mark.parametrize(
    "given, expected",
    [
        (point(escape=None), "none"),
        (point(escape=direction("column", [2], [2])), "the column on u₃ turns towards u₂"),
        (point(escape=direction("column", [3], [2])), "a zero column grows along u₂"),
        (point(escape=direction("rotation", [1, 2], [1, 3])), "rotate columns 1 and 2"),
    ],
)
def test_escape_of_orthogonal_points(given, expected):
    assert captions.escape(given) == expected


def test_escape_of_blocks():
    shared = [{"columns": [1, 2], "eigen": [1, 3], "m": 1.0}, {"columns": [3], "eigen": [], "m": 1.0}]
    given = point(blocks=shared, orthogonal=False, escape=direction("column", [1, 2], [2]))
    assert captions.escape(given) == "the block on u₁, u₃ turns towards u₂"
    assert captions.blocks(given) == ["u₁, u₃ in 2 columns"]
    mixed = point(blocks=shared, escape=direction("dense", [1, 2, 3], [1, 3]))
    assert captions.escape(mixed) == "the block on u₁, u₃ with a zero column, mixing u₁, u₃"


def test_every_escape_of_a_report_can_be_said(document):
    for table in document["stationary"]:
        for found in table["points"]:
            text = captions.escape(found)
            assert text and (text == "none") == (found["index"] == 0)


def test_panels_of_figure_1_say_what_the_paper_says(document):
    said = [captions.figure1_panel(panel) for panel in document["figure1"]["panels"]]
    i, j = document["figure1"]["directions"]
    assert "stable in both" in said[0] and "unstable towards u" in said[1] and "unstable towards both" in said[2]
    assert "highest point of the plane" in said[0] and "below the best of the plane" in said[2]
    assert f"u{'₀₁₂₃₄₅₆₇₈₉'[i]}" in captions.figure1_intro(document["figure1"]) and i < j


def test_figure_2_names_the_fall_only_where_there_is_one(document):
    data = document["figure2"]
    k, judged = data["k"], data["weights_at_reference"]
    falling = {"figure2": data | {"weights_at_reference": [*judged[:-1], judged[-2] - 1.0]}}
    assert f"fall to {captions.number(judged[-2] - 1.0)} at k = {k[-1]}" in captions.figure2(falling)
    rising = {"figure2": data | {"weights_at_reference": sorted(judged)}}
    assert "do not fall" in captions.figure2(rising) and "fall to" not in captions.figure2(rising)


def test_table_captions():
    whole = {"truncated": False, "points": [1, 2], "count": 2, "objective": "ppca", "n": 3, "k": 1, "sigma2": 1.0}
    assert captions.table_caption(whole) == "All 2, best first."
    assert captions.table_caption(whole | {"points": [1]}) == "The only one."
    many = whole | {"truncated": True, "count": None, "n": 784, "k": 50, "objective": "ppca", "sigma2": None}
    assert " × 10" in captions.table_caption(many) and "e+" not in captions.table_caption(many)
    assert captions.table_caption(whole | {"truncated": True, "count": 12345}).startswith("12,345 points in all")


def test_gists_of_folded_tables():
    def table(*kinds, count=None, truncated=True):
        points = [
            {"kind": kind, "global": i == 0 and kind == "maximum", "strict": True} for i, kind in enumerate(kinds)
        ]
        return {"points": points, "count": count, "truncated": truncated}

    saddles = ["maximum", *["saddle"] * 7]
    assert captions.table_gist(table(*saddles, count=12345)) == "the best 8 of 12,345; all but the first are saddles"
    assert captions.table_gist(table(*saddles)) == "the best 8; all but the first are saddles"
    assert captions.table_gist(table("maximum", count=1, truncated=False)) == "the only one; a global maximum"
    two = table("maximum", "saddle", count=2, truncated=False)
    assert captions.table_gist(two) == "all 2; the other one is a saddle"
    open_ = table("undecided", "saddle", "saddle", count=3, truncated=False)
    assert captions.table_gist(open_) == "all 3; 1 undecided, 2 saddles"


@pytest.mark.parametrize(
    "data, expected",
    [
        ({"kind": "eigenvalues"}, "a bare spectrum, taken as it was typed"),
        ({}, "values as given"),
        ({"preprocessing": {}}, "values as given"),
        ({"preprocessing": {"scale": 255.0}}, "divided by 255"),
        (
            {"preprocessing": {"logit": 1e-6, "levels": 256, "dequantised": True}, "seed": 3},
            "logit, alpha = 1e-06, 256 grey values, dequantised, seed 3",
        ),
        (
            {"rows": {"drawn": 1000, "of": 60000}, "preprocessing": {"scale": 0.5}, "seed": 0},
            "1000 of 60,000 rows, drawn with seed 0; divided by 0.5",
        ),
        ({"rows": {"odd": "odd"}, "preprocessing": ["odd"]}, "values as given"),
        ({"preprocessing": {"<b>": "<i>"}}, "<b> <i>"),
    ],
)
def test_preprocessing_in_words(data, expected):
    assert captions.prepared(data) == expected


def test_every_picture_has_a_text_and_a_caption_of_its_own(document):
    found = pictures(document)
    assert {"scree", "phase", "retained", "likelihood", "figure2", "figure2-detail"} == found.keys()
    said = [text for of in found.values() for text in (of.alt(document), of.caption(document))]
    assert len(set(said)) == 2 * len(found) and all(text.endswith(".") for text in said)
