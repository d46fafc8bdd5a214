"""Figure 1: stability from curvature and grid, findings that fail where eigenvalues tie, and files it is drawn from."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from reports.paper_figures import figure_1
from reports.paper_figures.setting import Setting
from verify.data import load
from verify.errors import InputError

APART = [9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]


def measured(lam):
    """What the figure finds on data with these eigenvalues."""
    covariance = load(f"eigenvalues:{','.join(map(str, lam))}")
    known = SimpleNamespace(covariance=covariance, eigenvalues=covariance.eigenvalues, rank=covariance.rank)
    return figure_1.measure(Setting("quick", {"mnist": "data"}), SimpleNamespace(material=lambda *a, **b: known))


def test_eigenvalues_that_differ_show_neither_one_and_both():
    found = measured(APART)
    assert [one["holds"] for one in found.findings] == [True, True, True]
    # (lam_5 - lam_4)/lam_4^2, theory 1.3.
    assert "−0.0278" in found.findings[0]["evidence"]


@pytest.mark.parametrize(("ties", "fails"), [((4, 5), 1), ((6, 7), 2)])
def test_where_a_noise_does_not_lie_below_its_eigenvalue_that_panel_does_not_show(ties, fails):
    lam = list(APART)
    lam[ties[0]] = lam[ties[1]]  # lam_5 = lam_6, or lam_7 = lam_8: flat to second order, and falls at fourth
    held = [one["holds"] for one in measured(lam).findings]
    assert held == [i != fails for i in range(3)]


def test_curvature_and_grid_must_agree_and_rounding_decides_nothing():
    [piece, *_] = _pieces()
    assert figure_1.rises(piece, 0) is False
    turned = replace(piece, curvatures=(1.0, -1.0))
    assert figure_1.rises(turned, 0) is None and figure_1.rises(turned, 1) is False
    assert figure_1.rises(replace(piece, values=-piece.values, curvatures=(1.0, -1.0)), 0) is True
    flat = replace(piece, curvatures=(0.0, -1.0))
    assert figure_1.rises(flat, 0) is False
    assert figure_1.rises(replace(flat, undecided=(4,)), 0) is None


def _pieces():
    found = measured(APART)
    return figure_1._slices({"planes": found.more["planes"]}, found.arrays)


def test_planes_are_read_back_as_they_were():
    found = measured(APART)
    lines = figure_1.numbers({"planes": found.more["planes"]}, found.arrays)[1]
    assert len(lines) == found.arrays["values"].size
    # The middle of the first plane is its best, and that is the likelihood of the point itself.
    best = max((line for line in lines if line[0] == 4), key=lambda line: line[-1])
    C = np.array([*APART[:3], *[APART[3]] * 6])
    assert best[2:4] == [0.0, 0.0]
    assert best[-1] == pytest.approx(-0.5 * (np.log(2 * np.pi * C) + np.array(APART) / C).sum(), rel=1e-12)


def test_data_of_few_directions_are_refused():
    with pytest.raises(InputError, match="8 directions"):
        measured(APART[:7])
