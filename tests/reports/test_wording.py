"""What the report says: the verdict in every case, numbers and ranges."""

import pytest

from reports import contents, wording
from verify.data import load


def said(spectrum, k):
    document, _ = contents.compute(load(f"eigenvalues:{spectrum}"), k, "x")
    return document


@pytest.mark.parametrize(
    "spectrum, k, expected",
    [
        (
            "6,4,.5,.3,.2",
            3,
            "1 of 3 latents collapses, and that is the global optimum there; start at or below 0.25",
        ),
        (
            "6,.6,.5,.3,.2",
            3,
            "2 of 3 latents collapse, and that is the global optimum there; start at or below 0.25",
        ),
        (".9,.6,.5,.3,.2", 3, "all 3 latents collapse, and that is the global optimum there; start at or below 0.25"),
        (
            ".9,.6,.5,.3,.2",
            1,
            "the only latent collapses, and that is the global optimum there; start at or below 0.4",
        ),
        ("6,4,3,.3,.2", 3, "no latent collapses: all 3 latents are held at the global optimum there; the first"),
        ("6,4,3,.3,.2", 2, "no latent collapses: both latents are held"),
        ("3,2,0,0,0", 4, "2 of 4 latents collapse, and that is the global optimum there; no noise retains all 4"),
    ],
)
def test_verdict(spectrum, k, expected):
    text = wording.verdict(said(spectrum, k))
    assert expected in text and text.startswith("At σ² = 1, the usual default, ") and text.endswith(".")


@pytest.mark.parametrize(
    "spectrum, k, expected",
    [
        ("3e-6,2e-6,1e-6", 2, "off the scale"),
        ("3e6,2e6,1e6", 2, "off the scale"),
        ("3,2,1,.5", 3, "exactly on λ₃"),
        ("3,2,0,0", 2, "unbounded"),
        ("3,2,2,.5", 2, "λ₂ = λ₃"),
    ],
)
def test_doubts(spectrum, k, expected):
    assert any(expected in doubt for doubt in wording.doubts(said(spectrum, k)))
    assert wording.doubts(said("6,4,3,.3,.2", 2)) == []  # control


def test_the_recommended_noise_is_never_rounded_up_to_the_threshold():
    spectrum = "1.00004,1.00002,1.00001,1.00001"
    document = said(spectrum, 2)
    lam, start = document["stability"]["eigenvalues"], document["stability"]["recommended_sigma2"]
    assert start < lam[1] and float(wording.recommended(document)) <= start
    assert float(wording.recommended(said("6,4,2.34567,2.34567,2.1", 2))) == pytest.approx(2.264, abs=1e-9)


@pytest.mark.parametrize(
    "spectrum, k, expected",
    [
        ("6,4,.3,.2", 2, "maximum-likelihood fit itself"),
        ("3,3,3", 2, "lies on it"),
        ("3,2,0", 2, "no maximum-likelihood noise"),
        ("3,2,0,0", 3, "There is none"),
    ],
)
def test_reason_for_noise(spectrum, k, expected):
    assert expected in wording.reason_for_noise(said(spectrum, k))


@pytest.mark.parametrize(
    "value, text",
    [
        (None, "–"),
        (0.0, "0"),
        (0.011748, "0.01175"),
        (-743.0636, "−743.1"),
        (1797, "1797"),
        (60000, "60\u202f000"),
        (1.0, "1"),
        (100.0, "100"),
        (3e-6, "3 × 10⁻⁶"),
        (-2.5e8, "−2.5 × 10⁸"),
        (10**400, "1 × 10⁴⁰⁰"),
        (12345.6, "12\u202f346"),
    ],
)
def test_number(value, text):
    assert wording.number(value) == text


def test_nats_have_the_same_decimals_in_every_row():
    assert [wording.nats(x) for x in (-742.5, 0.0, 12345.67891)] == ["−742.5000", "0.0000", "12\u202f345.6789"]


@pytest.mark.parametrize(
    "indices, text", [([], "none"), ([3], "3"), ([1, 2], "1, 2"), ([1, 2, 3, 9], "1–3, 9"), ([1, 3, 4, 5], "1, 3–5")]
)
def test_ranges(indices, text):
    assert wording.ranges(indices) == text
