"""What a VAE made of its data: shapes that are taken, and what is refused, in one line that says what to do."""

import numpy as np
import pytest

from tests.verify.diagnosis.made_up import rows_of
from verify.diagnosis.outputs import outputs
from verify.errors import InputError

N, n, k = 20, 6, 2
X = np.random.default_rng(0).normal(size=(N, n))
MU = np.random.default_rng(1).normal(size=(N, k))


def taken(reconstructions=None, samples=None):
    return outputs(rows_of(X), MU, 0 * MU, reconstructions, samples)


@pytest.mark.parametrize("shape", [(N, n), (N, 2, 3), (N, 1, 2, 3), (1, N, n)])
def test_a_reconstruction_may_be_an_image(shape):
    assert (taken(X.reshape(shape)).reconstructions == X).all()


@pytest.mark.parametrize("shape", [(N, n), (1, N, n), (N, 1, 2, 3)])
def test_one_draw(shape):
    assert taken(samples=X.reshape(shape)).draws == 1


def test_several_draws_keep_their_order():
    three = np.stack([X, 2 * X, 3 * X])
    for given in (three, three.reshape(3, N, 1, 2, 3)):
        vae = taken(samples=given)
        assert vae.draws == 3
        blocks = list(vae.blocks())
        assert np.array_equal(np.concatenate([b.draws for b in blocks], axis=1), three)
        assert np.array_equal(np.concatenate([b.x for b in blocks]), X)


def test_as_many_draws_as_data_are_draws():
    square = np.random.default_rng(2).normal(size=(N, N, n))
    assert taken(samples=square).draws == N


def test_single_precision_is_widened_block_by_block():
    vae = taken(X.astype(np.float32))
    assert vae.reconstructions.dtype == np.float32
    assert next(vae.blocks()).mean.dtype == np.float64


def nan_at(row, column):
    Y = X.copy()
    Y[row, column] = np.nan
    return Y


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"reconstructions": X[:-1]}, "reconstructions has shape .*it has 19 rows where the data have 20"),
        ({"reconstructions": X[:, :-1]}, "reconstructions has shape"),
        ({"reconstructions": np.ones((N, n), complex)}, "not real numbers"),
        ({"reconstructions": np.array([["a"] * n] * N)}, "not real numbers"),
        ({"reconstructions": X[:0]}, "reconstructions has shape"),
        ({"reconstructions": np.float64(3)}, "reconstructions has shape"),
        ({"reconstructions": nan_at(4, 2)}, "NaN at row 5, column 3"),
        ({"samples": np.stack([X, nan_at(0, 5)])}, "samples is NaN at row 1, column 6"),
        ({"samples": np.full((N, n), np.inf)}, "samples is infinite at row 1, column 1"),
        ({"samples": np.stack([X, X])[:, :-2]}, "samples has shape"),
    ],
)
def test_what_does_not_fit_is_refused(given, said):
    with pytest.raises(InputError, match=said) as caught:
        taken(**given)
    assert "\n" not in str(caught.value)


def test_latents_of_other_data_are_refused():
    with pytest.raises(InputError, match="mu has 19 rows, the data have 20"):
        outputs(rows_of(X), MU[:-1], MU[:-1])
    with pytest.raises(InputError, match="logvar"):
        outputs(rows_of(X), MU, np.zeros((N, k + 1)))


def test_several_reconstructions_of_a_datum_are_draws():
    """The first of them would be taken for what the decoder makes of the mean."""
    with pytest.raises(InputError, match=r"\(3, 20, 6\), 3 for each datum.*as samples"):
        taken(reconstructions=np.stack([X] * 3))
    assert np.array_equal(taken(reconstructions=X[None]).reconstructions, X)
