"""The normal numbers of a device: known answers, the kernel against its twin, and what is promised of their law."""

import numpy as np
import pytest
from scipy import stats

from gpu.vae import philox as module
from gpu.vae.noise import EVALUATION, LATENT, normals
from gpu.vae.philox import normals as twin
from gpu.vae.philox import philox
from tests.gpu.batches import cupy, error, slip

__all__ = ["cupy"]

ONES = 2**32 - 1
# Known answers of Random123 (kat_vectors) for philox4x32-10: counter, key, result.
KNOWN = [
    ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ([ONES] * 4, [ONES] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]
SEEDS = (0, 1, 2**32 + 5, 2**64 - 1)
# Both precisions draw the same; float32 rounds, most of all where the logarithm is near 0.
TOLERANCE = {"float64": 1e-14, "float32": 1e-6}


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_the_words_are_the_known_answers(counter, key, words):
    assert " ".join(f"{w:08x}" for w in philox(np.array(counter), np.array(key))) == words


def test_a_round_less_is_another_generator(monkeypatch):
    monkeypatch.setattr(module, "ROUNDS", 9)
    assert f"{philox(np.zeros(4), np.zeros(2))[0]:08x}" != "6627e8d5"


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (41, 37), (0, 3)])
def test_the_kernel_draws_what_its_twin_draws(cupy, shape, dtype):
    for step in (0, 7, 2**32 + 3):
        out = cupy.ndarray(np.full((len(SEEDS), *shape), np.nan, dtype=dtype))
        assert normals(SEEDS, LATENT, step, out) is out
        assert error(out, twin(SEEDS, LATENT, step, shape, dtype)) <= TOLERANCE[dtype]


def test_both_precisions_draw_the_same():
    single, double = (twin(SEEDS, LATENT, 3, (100, 20), dtype) for dtype in ("float32", "float64"))
    assert error(single, double) <= TOLERANCE["float32"]


def test_a_stream_depends_on_seed_purpose_and_step_alone(cupy):
    def drawn(seeds, purpose, step, B=9):
        return normals(seeds, purpose, step, cupy.ndarray(np.empty((len(seeds), B, 5)))).get()

    first = drawn(SEEDS, LATENT, 3)
    assert np.array_equal(first, drawn(SEEDS, LATENT, 3))
    assert np.array_equal(first[2:3], drawn(SEEDS[2:3], LATENT, 3))  # alone and among others
    assert np.array_equal(first[:, :4], drawn(SEEDS, LATENT, 3, 4))
    others = [*first, *drawn(SEEDS, EVALUATION, 3), *drawn(SEEDS, LATENT, 4), *drawn(SEEDS, LATENT, 2**32 + 3)]
    streams = {a.tobytes() for a in others}
    assert len(streams) == 4 * len(SEEDS)


def lawful(z):
    """Whether so many numbers look like independent standard normal ones; each test errs once in 10^5 runs."""
    z, N = z.ravel(), z.size
    bound = stats.norm.isf(0.5e-5)
    moments = abs(z.mean()) < bound / np.sqrt(N) and abs(z.var() - 1) < bound * np.sqrt(2 / N)
    alone = stats.kstest(z, "norm").pvalue > 1e-5
    # Neighbours, both of a Box-Muller pair and across pairs, and the squares, which a bad radius would couple.
    together = all(
        abs(np.corrcoef(f(z[:-lag]), f(z[lag:]))[0, 1]) < bound / np.sqrt(N - lag)
        for lag in (1, 2, 3, 4)
        for f in (np.asarray, np.square)
    )
    return bool(moments and alone and together)


def test_the_numbers_are_standard_normal_and_independent():
    assert lawful(twin([5], LATENT, 0, (1 << 18,), "float64"))
    assert lawful(twin(range(1 << 10), LATENT, 1, (1 << 8,), "float32"))  # across seeds
    assert lawful(np.stack([twin([5], LATENT, step, (16,), "float64") for step in range(1 << 12)]))  # across steps


@pytest.mark.parametrize("slipped", ["shift", "scale", "pairs", "uniform"])
def test_numbers_that_are_not_are_told_apart(slipped):
    """The control."""
    z = twin([5], LATENT, 0, (1 << 18,), "float64").ravel()
    wrong = {
        "shift": z + 0.02,
        "scale": 1.01 * z,
        "pairs": np.repeat(z[::2], 2),
        "uniform": np.sqrt(12) * (stats.norm.cdf(z) - 0.5),
    }
    assert not lawful(wrong[slipped])


def test_slips_in_the_generator_are_caught(cupy, monkeypatch):
    slip(monkeypatch, "vae_float64", {"key1 += 0xBB67AE85u;": "key1 += 0xBB67AE84u;"})
    with pytest.raises(AssertionError):
        test_the_kernel_draws_what_its_twin_draws(cupy, (3, 5), "float64")
