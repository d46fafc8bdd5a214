"""Figure 2: findings that show, and that do not on data of few directions."""

from types import SimpleNamespace

import numpy as np
import pytest

from reports.paper_figures import figure_2
from reports.paper_figures.setting import Setting
from verify.errors import InputError


def measured(lam):
    """What the figure finds on data with these eigenvalues."""
    lam = np.array(lam, dtype=float)
    material = SimpleNamespace(eigenvalues=lam, rank=int((lam > 0).sum()))
    return figure_2.measure(Setting("quick", {"mnist": "data"}), SimpleNamespace(material=lambda *a, **b: material))


def holds(lam):
    return [one["holds"] for one in measured(lam).findings]


def test_a_long_slow_tail_shows_all_three():
    assert holds(np.linspace(1.0, 0.01, 200)) == [True, True, True]


def test_where_the_noise_of_k0_keeps_all_nothing_falls():
    # k0 = 2, its noise 0.55, and with k = 3 all columns are in use.
    assert holds([9.0, 4.0, 1.0, 0.1])[1:] == [False, False]


def test_data_of_two_directions_are_too_few():
    with pytest.raises(InputError, match="three directions"):
        measured([2.0, 1.0])
