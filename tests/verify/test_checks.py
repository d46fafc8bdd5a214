"""Numbers from outside are taken as numbers or refused in one line."""

from fractions import Fraction

import numpy as np
import pytest

from verify.checks import latent_dimension, positive_noise, random_seed
from verify.errors import InputError


@pytest.mark.parametrize("sigma2", [1, 0.5, np.float32(0.25), np.int64(3), Fraction(1, 3), 1e-305, 1e305])
def test_a_positive_variance_passes_as_a_float(sigma2):
    assert positive_noise(sigma2) == float(sigma2)
    assert type(positive_noise(sigma2)) is float


@pytest.mark.parametrize(
    "sigma2",
    [0, -1.0, -0.0, float("nan"), float("inf"), 1e-306, 1e306, True, "1", None, 1j, np.ones(2), 10**400],
)
def test_what_is_no_variance_is_refused(sigma2):
    with pytest.raises(InputError, match=r"^sigma2[^\n]*$"):
        positive_noise(sigma2)


@pytest.mark.parametrize("k", [1, 3, np.int32(5)])
def test_a_latent_dimension_from_1_to_n_passes(k):
    assert latent_dimension(k, 5) == int(k)
    assert type(latent_dimension(k, 5)) is int


@pytest.mark.parametrize("k", [0, -1, 6, 2.0, True, "3", None, np.array([[1], [2]])])
def test_any_other_latent_dimension_is_refused(k):
    with pytest.raises(InputError, match=r"^k = [^\n]*$"):
        latent_dimension(k, 5)


def test_a_seed_is_a_whole_number_from_0():
    assert random_seed(np.int64(7)) == 7
    for seed in (-1, 0.5, None):
        with pytest.raises(InputError, match=r"^seed[^\n]*$"):
            random_seed(seed)
