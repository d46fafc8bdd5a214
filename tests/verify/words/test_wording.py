"""What the report says: the verdict in every case, numbers and ranges."""

import pytest

from reports.analysis import report as contents
from tests.reports.spectra import measured
from verify.data import load
from verify.words import wording


def said(spectrum, k):
    document, _ = contents.compute(load(f"eigenvalues:{spectrum}"), k, "x")
    return document


@pytest.mark.parametrize(
    "spectrum, k, expected",
    [
        (
            "6,4,.5,.3,.2",
            3,
            "1 of 3 latents collapses, and that is the global optimum there; every noise below lam_3 = 0.5 keeps all "
            "3; start at the maximum-likelihood noise, 0.25.",
        ),
        ("6,.6,.5,.3,.2", 3, "2 of 3 latents collapse, and that is the global optimum there; every noise below lam_3"),
        (".9,.6,.5,.3,.2", 3, "all 3 latents collapse, and that is the global optimum there; every noise below lam_3"),
        (
            ".9,.6,.5,.3,.2",
            1,
            "the one latent collapses, and that is the global optimum there; every noise below lam_1",
        ),
        (
            "6,4,3,.3,.2",
            3,
            "all 3 latents are held at the global optimum there, as at every noise below lam_3 = 3; start at "
            "the maximum-likelihood noise, 0.25.",
        ),
        ("6,4,3,.3,.2", 2, "no latent collapses: both latents are held"),
        ("3,2,0,0,0", 4, "no noise keeps all 4, because the data vary in only 2 of 5 directions; choose k <= 2."),
        ("3,.5,0", 2, "every noise below lam_2 = 0.5 keeps both; to start, take 0.25."),
        ("3,.5,.5,.5", 2, "every noise below lam_2 = 0.5 keeps both; to start, take 0.25."),
    ],
)
def test_verdict(spectrum, k, expected):
    text = wording.verdict(said(spectrum, k))
    assert expected in text and text.startswith("At sigma2 = 1, the usual default, ") and text.endswith(".")


def test_the_verdict_names_a_tie_and_both_its_sides():
    text = wording.verdict(said("3,2,1,.5", 3))
    assert "At sigma2 = 1, lam_3 equals the noise, which counts as collapsed: 2 of 3" in text
    assert "and 3 just below it" in text
    assert "equal" not in wording.verdict(said("3,2,1.1,.5", 3))  # control
    assert "equal" not in wording.verdict(said("3,2,1,.5", 2))  # nobody holds lam_3


def test_the_verdict_says_what_rounding_leaves_open():
    document, _ = contents.compute(measured(3.0, 2.0, 1.0, 0.5), 3, "x")
    assert (document["usual"]["retained"], document["usual"]["retained_at_most"]) == (2, 3)
    text = wording.verdict(document)
    assert "at most 1 of 3 latents collapses" in text and "undecided, 2 or 3 of 3" in text
    assert "undecided" not in wording.verdict(contents.compute(measured(3.0, 2.0, 1.1, 0.5), 3, "x")[0])  # control


@pytest.mark.parametrize(
    "spectrum, k, expected",
    [
        ("6,4,.3,.2", 2, "Every noise below lam_2 = 4 keeps both latents; above it some collapse. Start at the"),
        ("6,4,.3,.2", 2, "maximum-likelihood fit itself"),
        ("6,.3", 1, "keeps the one latent; above it it collapses"),
        ("3,3,2,2", 3, "The maximum-likelihood noise is lam_3 itself, and latent 3 is not used there"),
        ("3,2,1", 3, "With k = n every noise up to lam_3 attains the maximum of the likelihood"),
        ("3,2,0", 2, "no maximum-likelihood noise"),
        ("3,2,0,0", 3, "There is none: no noise keeps all 3"),
    ],
)
def test_reason_for_noise(spectrum, k, expected):
    document = said(spectrum, k)
    assert expected in wording.reason_for_noise(document)
    alone = wording.stability_verdict(document["stability"])
    assert expected.removeprefix("There is none: no") in alone


def test_symbols_are_set_and_numbers_stay():
    assert wording.symbols("at sigma2 = 1e-12, lam_50 and u_3") == "at σ² = 1 × 10⁻¹², λ₅₀ and u₃"
    assert wording.symbols("lambda_3, 0.5") == "lambda_3, 0.5"


@pytest.mark.parametrize(
    "value, text",
    [
        (None, "–"),
        (0.0, "0"),
        (0.011748, "0.01175"),
        (-743.0636, "−743.1"),
        (1797, "1797"),
        (60000, "60,000"),
        (1.0, "1"),
        (100.0, "100"),
        (3e-6, "3 × 10⁻⁶"),
        (-2.5e8, "−2.5 × 10⁸"),
        (10**400, "1 × 10⁴⁰⁰"),
        (12345.6, "12,346"),
    ],
)
def test_number(value, text):
    assert wording.number(value) == text


def test_nats_have_the_same_decimals_in_every_row():
    assert [wording.nats(x) for x in (-742.5, 0.0, 12345.67891)] == ["−742.5000", "0.0000", "12,345.6789"]


@pytest.mark.parametrize(
    "indices, text", [([], "none"), ([3], "3"), ([1, 2], "1, 2"), ([1, 2, 3, 9], "1–3, 9"), ([1, 3, 4, 5], "1, 3–5")]
)
def test_ranges(indices, text):
    assert wording.ranges(indices) == text
