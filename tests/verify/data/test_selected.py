"""Some rows and columns of a source, and where they stand in it."""

import numpy as np
import pytest

from verify.data.selected import Places, Selected, blocks

X = np.random.default_rng(0).standard_normal((200, 5))


class Counted:
    """Rows that remember how many of them were held at once."""

    shape, dtype, most = X.shape, X.dtype, 0

    def __getitem__(self, part):
        self.most = max(self.most, len(X[part]))
        return X[part]


@pytest.mark.parametrize("rows", [None, [0, 1, 2, 150, 199], list(range(0, 200, 7)), [3]])
def test_slices_are_those_of_the_rows_chosen(rows):
    part = Selected(X, rows and np.array(rows))
    whole = X if rows is None else X[rows]
    assert part.shape == whole.shape and part.dtype == X.dtype
    for start, stop in ((0, 2), (1, 4), (0, 200), (2, 2)):
        assert np.array_equal(part[start:stop], whole[start:stop])
    assert not np.array_equal(part[0:1], whole[0:1] + 1e-15)  # control


def test_rows_that_are_far_apart_do_not_bring_all_between_them():
    source = Counted()
    part = Selected(source, rows=np.array([0, 199]))
    assert np.array_equal(part[0:2], X[[0, 199]]) and source.most == 2


def test_what_is_missing_is_filled_in_and_nothing_else():
    holes = X.copy()
    holes[3, 1] = holes[7, 4] = np.nan
    fill = np.arange(5.0)
    filled = Selected(holes, fill=fill)[0:10]
    assert filled[3, 1] == 1 and filled[7, 4] == 4
    filled[3, 1], filled[7, 4] = X[3, 1], X[7, 4]
    assert np.array_equal(filled, X[:10]) and np.isnan(holes[3, 1])


def test_blocks_are_all_rows_in_order():
    parts = list(blocks(X))
    assert np.array_equal(np.concatenate([block for _, block in parts]), X) and parts[0][0] == 0


def test_places_are_said_as_the_source_counts():
    places = Places((2, 4), ("ash", ""), None, lambda row: row + 1)
    assert places.entry(6, 0) == "at row 7 (line 8), column 2 (ash)"
    assert places.column(1) == "column 4" and Places().entry(0, 0) == "at row 1, column 1"
    left = places.chosen(np.array([1]), np.array([5, 9]))
    assert left.entry(1, 0) == "at row 10 (line 11), column 4"
    assert left.chosen(None, np.array([1])).row(0) == "row 10 (line 11)"


def test_columns_are_the_subject_of_a_sentence():
    places = Places((2, 3, 4), ("a", "", "c"))
    assert places.columns([0], 3) == "column 2 (a) is"
    assert places.columns([0, 1], 3) == "columns 2 (a), 3 are"
    assert places.columns([0, 1, 2], 3) == "all 3 columns are"
    assert Places().columns(range(8), 9) == "columns 1, 2, 3, 4, 5 and 3 more are"
