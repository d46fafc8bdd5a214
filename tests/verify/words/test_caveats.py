"""What should be known beside the numbers: each kind of doubt where there is one, and not where there is none."""

import numpy as np
import pytest

from reports.analysis import report as contents
from reports.analysis.landscape import landscape
from tests.reports.spectra import measured
from verify.analysis.stability import stability
from verify.data.covariance import covariance, from_eigenvalues
from verify.data.sampling import marchenko_pastur_edge
from verify.words import caveats
from verify.words.numerals import likeliest


def notes(data, k, sigma2s=None, beta=1.0):
    return stability(data, k, sigma2s, beta=beta)["notes"]


def has(found, words):
    return any(words in note for note in found)


def test_a_typed_tie_is_said_with_both_sides():
    found = notes(from_eigenvalues([3.0, 2.0, 1.0, 1.0, 0.5]), 4, [1.0])
    tied = "at sigma2 = 1, lam_3 and lam_4 equal the noise, which counts as collapsed: 2 of 4"
    assert has(found, tied) and has(found, "and 4 just below it")
    assert not has(notes(from_eigenvalues([3.0, 2.0, 1.0, 1.0, 0.5]), 4, [1.01]), "equal")  # control


def test_a_tie_of_rounding_is_undecided():
    found = notes(measured(3.0, 2.0, 1.0, 0.5), 3, [1.0 + 1e-15])
    assert has(found, "rounding: at sigma2 = 1.000000000000001, lam_3 lies within the rounding error of the noise")
    assert has(found, "undecided, 2 or 3 of 3")
    assert not has(notes(measured(3.0, 2.0, 1.0, 0.5), 3, [1.0 + 1e-12]), "rounding: at")  # control
    assert not has(notes(measured(3.0, 2.0, 1.0, 0.5), 2, [1.0]), "rounding: at")  # no latent is on lam_3


def test_rows_hold_what_is_undecided():
    row = stability(measured(3.0, 2.0, 1.0, 0.5), 3, [1.0])["noise"][0]
    assert (row["retained"], row["retained_at_most"], row["undecided"], row["tied"]) == (2, 3, [3], [])
    row = stability(from_eigenvalues([3.0, 2.0, 1.0, 0.5]), 3, [1.0])["noise"][0]
    assert (row["retained"], row["retained_at_most"], row["undecided"], row["tied"]) == (2, 2, [], [3])


def test_thresholds_that_sampling_cannot_tell_from_a_noise_are_said():
    data = measured(3.0, 2.0, 1.05, 0.95, 0.5, 0.1, sampling=0.04)
    row = stability(data, 5, [1.0])["noise"][0]
    assert row["retained"] == 3 and row["sampling_range"] == [2, 4]  # 0.05 < 2 * 0.04
    found = notes(data, 5, [1.0])
    assert has(found, "at sigma2 = 1, 2 of 5 collapse; with other data of the same kind it may be 1 to 3")
    precise = measured(3.0, 2.0, 1.05, 0.95, 0.5, 0.1, sampling=0.02)
    assert not has(notes(precise, 5, [1.0]), "of the same kind it may be")  # control
    assert has(found, "lam_5 = 0.5 has a standard error of 0.04, which is how far")


def test_standard_errors_stand_in_the_document():
    document = stability(measured(3.0, 2.0, 1.0, sampling=0.25), 2)
    assert [t["standard_error"] for t in document["thresholds"]] == [0.25, 0.25]
    unknown = stability(measured(3.0, 2.0, 1.0, sampling=None), 2, [1.9])
    assert unknown["thresholds"][0]["standard_error"] is None and unknown["noise"][0]["sampling_range"] is None
    assert has(unknown["notes"], "the standard error of lam_2 is not known")
    bare = stability(from_eigenvalues([3.0, 2.0, 1.0]), 2, [1.9])
    assert bare["thresholds"][0]["standard_error"] is None and bare["suggested_k"] is None
    assert has(bare["notes"], "sampling: a bare spectrum")


def test_the_edge_is_there_where_data_are_few():
    lam = (9.0, 5.0, 1.6, 1.0, 1.0, 0.9)
    few = stability(measured(*lam, N=60), 3)
    noise = likeliest(few)
    edge = few["marchenko_pastur_edge"]
    assert edge["edge"] == marchenko_pastur_edge(edge["noise"], 6, 60) and float(noise) == pytest.approx(edge["noise"])
    assert edge["beyond"] == sum(x > edge["edge"] for x in lam) == 2
    steps = edge["stepwise"]
    assert steps["beyond"] == 2 and steps["noise"] == pytest.approx(4.5 / 4)
    assert steps["edge"] == marchenko_pastur_edge(steps["noise"], 4, 60) > 1.6
    assert has(few["notes"], "N = 60 data are few for n = 6 dimensions")
    assert has(
        few["notes"], "lam_3 = 1.6 does not exceed what noise alone would show (1.78, the Marchenko-Pastur edge)"
    )
    assert has(few["notes"], "and that threshold may be nothing but noise")
    assert has(notes(measured(*lam, N=60), 2), "lam_1 to lam_2 exceed what noise alone would show")
    many = stability(measured(*lam, N=120), 2)
    assert many["marchenko_pastur_edge"] is None and not has(many["notes"], "Pastur")  # control: N = 20 n
    assert stability(measured(*lam, N=60), 6)["marchenko_pastur_edge"] is None  # nothing is discarded


def test_noise_alone_is_not_taken_for_latents():
    noise = covariance(np.random.default_rng(0).normal(size=(60, 200)))
    document = stability(noise, 20)
    edge = document["marchenko_pastur_edge"]
    assert edge["beyond"] >= 20 and edge["stepwise"]["beyond"] == 0  # the noise that 20 latents leave is too small
    assert has(document["notes"], "lam_1 = 7.37754 does not exceed what noise alone would show (7.83, the March")
    assert has(document["notes"], "all 20 thresholds may be nothing but noise")


def test_the_default_noises_reach_from_below_the_recommended_one_to_above_the_spectrum():
    wide = from_eigenvalues([2.5e9, 2.5e7, 144.0, 0.026, 2.5e-5])
    document = stability(wide, 3)
    noises = [row["sigma2"] for row in document["noise"]]
    assert noises[0] < document["recommended_sigma2"] < 2.5e9 < noises[-1]
    assert {row["retained"] for row in document["noise"]} == {0, 1, 2, 3}


def test_the_suggested_number_of_latents_stands_beside_the_one_asked_for(monkeypatch):
    monkeypatch.setattr("verify.analysis.stability.suggested_latents", lambda lam, N: 2)
    assert has(notes(measured(3.0, 2.0, 1.0), 1), "suggests k = 2 for these data, the largest that it considers")
    assert has(notes(measured(3.0, 2.0, 1.0, 0.5), 1), "suggests k = 2 for these data; here k = 1")
    assert has(notes(measured(3.0, 2.0, 1.0, 0.5), 2), "suggests k = 2 for these data, which is the k here")
    monkeypatch.setattr("verify.analysis.stability.suggested_latents", lambda lam, N: None)
    assert not has(notes(measured(3.0, 2.0, 1.0), 1), "suggests")  # control


@pytest.mark.parametrize(
    "spectrum, k, expected",
    [
        ([3.0, 2.0, 0.0, 0.0], 2, "unbounded at k = 2: the noise runs to 0, because the data vary in only 2 of 4"),
        ([3.0, 2.0, 2.0, 0.5], 2, "lam_2 = lam_3: which directions the last latents take is not determined"),
        ([3.0, 2.0, 2.0, 2.0], 2, "the maximum-likelihood noise is lam_2 = 2 itself"),
    ],
)
def test_degenerate_spectra(spectrum, k, expected):
    assert has(notes(from_eigenvalues(spectrum), k), expected)
    assert not has(notes(from_eigenvalues([6.0, 4.0, 3.0, 0.3, 0.2]), k), expected)  # control


@pytest.mark.parametrize(
    "unit, expected", [(1e-6, "whose largest variance in any direction is 3e-06"), (1e6, "noise is 1e+06")]
)
def test_a_noise_off_the_scale_of_the_data(unit, expected):
    lam = [3.0 * unit, 2.0 * unit, unit]
    document, _ = contents.compute(from_eigenvalues(lam), 2, "x")
    assert has(document["notes"], expected) and has(document["notes"], "off the scale")
    near = stability(from_eigenvalues([3.0, 2.0, 1.0]), 2, [1.0])
    assert not list(caveats.off_scale(near, near["noise"]))  # control


def test_off_the_scale_is_what_is_compared_with_the_eigenvalues():
    facts = stability(from_eigenvalues([3.0, 2.0, 1.0]), 2, [10.0], beta=1000.0)
    (said,) = caveats.off_scale(facts, facts["noise"])
    assert said.startswith("sigma2 = 10 with beta = 1000 is off the scale")
    plain = stability(from_eigenvalues([3.0, 2.0, 1.0]), 2, [10.0])
    assert not list(caveats.off_scale(plain, plain["noise"]))  # control


def test_a_small_weight_does_not_move_a_noise_off_the_scale():
    lam = [3.0, 2.0, 1.0]
    small = stability(from_eigenvalues(lam), 2, [1.0], beta=1e-4)  # beta sigma2 is far below, and the noise is not
    assert not list(caveats.off_scale(small, small["noise"]))
    tiny = stability(from_eigenvalues(lam), 2, [1e-5], beta=1e-4)  # control
    (said,) = caveats.off_scale(tiny, tiny["noise"])
    assert said.startswith("sigma2 = 1e-05 is off the scale") and "retains every latent, at the price" in said
    both = list(caveats.off_scale(facts := stability(from_eigenvalues(lam), 2, [1e-5], beta=1e9), facts["noise"]))
    assert "every latent collapses there" in both[0] and "is small, at the price" in both[1]


LEARNED = [
    ([1.0, 1.0, 1.0], 1, 2.0, ["goes to sigma2 = 1,", "0 of 1 latents", "that is the maximum-likelihood noise, too"]),
    ([5.0, 2.0, 0.0, 0.0], 3, 2.0, ["every sigma2 up to 1 attains the maximum", "holds 2 of 3 latents"]),
    ([6.0, 4.0, 2.5, 1.2], 2, 2.0, ["highest elsewhere, at sigma2 = 1.85", "take 0.925 instead, which holds both"]),
    ([6.0, 4.0, 0.0, 0.0], 2, 4.0, ["goes to sigma2 = 2.5", "take 0.5 instead, which holds both latents"]),
]


@pytest.mark.parametrize(("spectrum", "k", "beta", "expected"), LEARNED)
def test_where_a_learned_noise_goes(spectrum, k, beta, expected):
    said = [note for note in notes(from_eigenvalues(spectrum), k, beta=beta) if "learned noise" in note]
    assert len(said) == 1 and all(words in said[0] for words in expected), said
    for words in ("highest elsewhere", "too", "every sigma2 up to"):  # each is said of its own case alone
        assert (words in said[0]) == any(words in each for each in expected)


def test_kinds_of_doubt():
    assert [caveats.kind(n) for n in ("rounding: x", "sampling: x", "model: x", "else: x", "x")] == [
        "rounding",
        "sampling",
        "model",
        None,
        None,
    ]


def test_a_slice_whose_stability_rounding_cannot_tell():
    data = measured(4.0, 3.0, 2.0, 1.0)
    document, slices = landscape(data, 3, [2.0], (3, 4), grid=3)
    piece = document["slices"][0]
    assert (piece["undecided"], piece["unstable"], piece["curvatures"][0]) == ([3], 0, 0.0) and slices[0].unstable == 0
    assert has(document["notes"], "whether a zero column is stable towards u_3 there is undecided")
    assert landscape(data, 3, [2.1], (3, 4), grid=3)[0]["slices"][0]["undecided"] == []  # control


def test_a_direction_that_falls_is_replaced_by_the_next():
    """With one eigenvalue that an outlier made, k directions stay above the noise all the same."""
    row = stability(measured(30.0, 20.0, 10.0, 9.0, 0.1, sampling=12.0), 2, [1.0])["noise"][0]
    assert row["retained"] == 2 and row["sampling_range"] == [2, 2]
    row = stability(measured(30.0, 20.0, 1.005, 0.1, sampling=12.0), 2, [1.0])["noise"][0]
    assert row["sampling_range"] == [1, 2]  # control: none there to take its place


def test_noise_alone_is_told_with_many_data_too():
    """N = 25 n: above sigma2 = 1 in the data, below it in what they were drawn from."""
    rng = np.random.default_rng(9)
    noise = np.sqrt(0.914) * rng.standard_normal((3000, 120))
    found = notes(covariance(noise), 8, [1.0])
    assert has(found, "N = 3000 data of mere noise in n = 120 dimensions have eigenvalues above its variance, too")
    assert has(found, "all 8 thresholds may be nothing but noise")
    assert has(found, "which does not count that the largest of several directions of mere noise come out too large")
    assert not has(found, "typically lies")
    latent = noise + 3 * rng.standard_normal((3000, 8)) @ rng.standard_normal((8, 120))
    found = notes(covariance(latent), 8, [1.0])
    assert not has(found, "noise") and has(found, "typically lies")  # control


def test_a_noise_off_the_scale_is_told_of_where_it_was_named():
    data = measured(3e6, 2e6, 1e4, 1e4)
    assert has(notes(data, 2, [1.0]), "sigma2 = 1 is off the scale of these data")
    assert not has(notes(data, 2, [1e4]), "off the scale") and not has(notes(data, 2), "off the scale")
