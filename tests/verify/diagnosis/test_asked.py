"""Which noise was trained with: told once, as a variance or as a loss."""

import pytest

from verify.diagnosis.asked import noise_asked, one_noise
from verify.errors import InputError


def asked(sigma2=None, loss=None, kl=None, batch=None, beta=1.0):
    return noise_asked(sigma2, loss, n=8, k=4, beta=beta, kl=kl, batch=batch)


def test_a_loss_means_the_noise_of_its_weights():
    assert asked(sigma2=0.3) == 0.3
    assert asked(loss="mse-sum", beta=3.0).sigma2 == 1.5
    assert asked(loss="mse-mean").sigma2 == asked(loss="mse-mean", kl="sum").sigma2 == 4.0
    assert asked(loss="mse-mean", kl="mean").sigma2 == 1.0


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "either --sigma2 S, or --loss KIND"),
        ({"sigma2": 1.0, "loss": "mse-sum"}, "--sigma2 and --loss both say"),
        ({"sigma2": 1.0, "kl": "sum"}, "with --sigma2 leave them out"),
        ({"sigma2": 1.0, "batch": 3}, "with --sigma2 leave them out"),
        ({"sigma2": 0.0}, "sigma2 = 0"),
    ],
)
def test_anything_else_is_refused(told, said):
    with pytest.raises(InputError, match=said):
        asked(**told)


def test_it_is_refused_before_anything_is_read():
    one_noise(1.0, None, None, None)
    with pytest.raises(InputError):
        one_noise(None, None, None, None)
