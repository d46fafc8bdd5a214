"""Formulas of sentences, set as MathML: by eye, read back, and English left alone."""

import ast
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from reports.words.mathml import mathematics, plain
from tests.reports.words.house import maths, normal, parsed, read

ROOT = Path(__file__).parents[3]

# As `outline` writes them: elements that hold others by name, symbols bare.
SET = [
    ("sigma2", "msup(σ 2)"),
    ("sigma^2", "msup(σ 2)"),
    ("σ²", "msup(σ 2)"),
    ("lam_50 = 0.17759", "msub(λ 50) = 0.17759"),
    ("λ₅₀ = 0.17759", "msub(λ 50) = 0.17759"),
    ("u₃", "msub(u 3)"),
    ("k = 10", "k = 10"),
    ("W = 0", "W = 0"),
    ("3e-06", "3 × msup(10 mrow(− 6))"),
    ("3 × 10⁻⁷", "3 × msup(10 mrow(− 7))"),
    ("W^T", "msup(W T)"),
    ("C^-1", "msup(C mrow(− 1))"),
    ("D*", "msup(D ∗)"),
    ("KL'", "msup(KL ′)"),
    ("lam_{k+1}", "msub(λ mrow(k + 1))"),
    ("W_MLE", "msub(W MLE)"),
    ("sigma2_MLE", "msubsup(σ MLE 2)"),
    ("2 sigma2^2", "2 msup(σ 4)"),
    ("n/2", "mfrac(n 2)"),
    ("(n - k)/2", "mrow(( n − k )) / 2"),
    ("(U_k R)^{1/2}", "msup(mrow(( msub(U k) R )) mrow(1 / 2))"),
    ("log det M", "log det M"),
    ("diag(W^T W)", "diag mrow(( msup(W T) W ))"),
    ("N(mu, sigma2 I)", "𝒩 mrow(( μ , msup(σ 2) I ))"),
    ("q(z_i|x)", "q mrow(( msub(z i) | x ))"),
    ("|W W^T|", "mrow(| W msup(W T) |)"),
    ("E||x - W z||^2", "E msup(mrow(‖ x − W z ‖) 2)"),
    ("(S - T) (x) I_k", "mrow(( S − T )) ⊗ msub(I k)"),
    ("sqrt 3 u_1", "msqrt(3) msub(u 1)"),
    ("sqrt(1/2)", "msqrt(mfrac(1 2))"),
    ("sum log d_i", "∑ log msub(d i)"),
    ("lam_k >= sigma2", "msub(λ k) ≥ msup(σ 2)"),
    ("r != 0", "r ≠ 0"),
    ("w -> 0", "w → 0"),
    ("x in R^n", "x ∈ msup(ℝ n)"),
    ("dELBO/dW", "d ELBO / d W"),
    ("d2P/dtheta2", "msup(d 2) P / d msup(θ 2)"),
    ("[[0, -t], [1, 0]] R", "mrow([ mtable(mtr(mtd(0) mtd(− t)) mtr(mtd(1) mtd(0))) ]) R"),
    ("#{lam_i > sigma2}", "# mrow({ msub(λ i) > msup(σ 2) })"),
    ("xbar", "mover(x ¯)"),
    ("+-sqrt 2", "± msqrt(2)"),
    ("g_1 < ... < g_k", "msub(g 1) < … < msub(g k)"),
    ("N = 12,345", "N = 12,345"),
    ("n = 1,234,567", "n = 1,234,567"),
    ("lam = (4,2,0.5)", "λ = mrow(( 4 , 2 , 0.5 ))"),
    ("-4 pi", "− 4 π"),
]
ENGLISH = [
    "a saddle, I, 1 or 2, 3-4, 10–20, 10 of 20 latents, e.g. this, i.e. that, n/a, and/or",
    "A zero column grows; A latent collapses. A VAE does, too: A column of zeros",
    "theory 1.5, Eq. 23, Eqs. 2-4, 15, Secs. 4.1, A.1, App. A, App. C.2, Table 2",
    "see reports/words/mathml.py, W.npy, test_eq_13, n_components, https://a.b/k?x=1 and --sigma2 1",
    "2019-07-01 at 13:25, took 5 s and 2 h on an H100 in 2D, 45.3 % of 200, 0.01",
    "KL and ELBO, the VAE's log likelihood, its mean KL, the sum, a rank, L-BFGS, t-SNE, don't",
    "PCA(n_components='mle') <b>&amp;</b> \"quoted\"",
]
PLAIN = [
    ("at sigma2 = 1, lam_50 = 0.17759 and lam_j", "at σ² = 1, λ₅₀ = 0.17759 and λⱼ"),
    ("S C^-1 W = W iff W^T W = 0", "S C⁻¹ W = W iff Wᵀ W = 0"),
    ("W_MLE = U_k (Lam_k - sigma2 I)^{1/2} R", "W_MLE = Uₖ (Λₖ − σ² I)^{1/2} R"),
    ("||x|| >= sqrt 3 and 3e-06 is 28 x 28", "‖x‖ ≥ √3 and 3 × 10⁻⁶ is 28 × 28"),
    ("sigma2_mle in --sigma2 2", "sigma2_mle in --sigma2 2"),
]
LONG = [
    "ELBO - [1/2 log det D - n/2 log(2 pi e sigma2)] = -1/2 tr(W^T G_W - G_V V^T - 2 D G_D) - sigma2 G_sigma2",
    "L = (S V^T - D W - W V S V^T + A B C A B C - A B C D)^{1/2} / sigma2",
    "A B C D S U V W M A B C D S U V W M A B C D S U V W M",
]
NOTATION = (
    "W V D S k n a A I sigma2 sigma^2 σ² λ₅₀ u₃ lam_50 lam_j lam_{k+1} u_a W_MLE sigma2_MLE KL ELBO log "
    "det diag( tr sum sqrt sqrt( E N( p(x|z) ( ) [ ] { } | || ^T ^-1 ^{1/2} ^2 _+ _i * ' = < > <= >= != "
    "-> + - +- / , ; : . x (x) in 1 2 0.5 .24 10^-7 3e-06 1/2 n/2 the column of is beta mu dELBO/dW "
    "d2P/dtheta2 xbar #{ ... \" & < VAE's n_components e.g. a/b.py 10⁻⁷ [[1,2],[3,4]] posterior R^n mean "
    "rank ** − × ≥ – — "
)
PIECES = NOTATION.split()
sentences = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(["", " "])), max_size=12).map(
    lambda parts: "".join(piece + space for piece, space in parts)
)
anything = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc", "Cn", "Co"]), max_size=30)


def shape(markup: Markup) -> str:
    """Without attributes and invisible operators."""
    return re.sub(r"<(\w+) [^>]*>", r"<\1>", re.sub("<mo[^>]*>[\u2061\u2062]</mo>", "", markup))


def outline(element: ElementTree.Element) -> str:
    """msup(W T): what stands in what, without attributes and invisible operators."""
    if len(element) == 0:
        return (element.text or "").strip("\u2061\u2062")
    inner = " ".join(part for child in element if (part := outline(child)))
    return inner if element.tag in ("div", "math") else f"{element.tag}({inner})"


def keyword_strings(tree: ast.AST) -> Iterator[str]:
    """What the claims of a file state, and under which hypotheses."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in ("statement", "hypotheses"):
            yield ast.literal_eval(node.value)


def strings(tree: ast.AST) -> Iterator[str]:
    """All strings of a file: witnesses, sentences, docstrings; of f-strings what stands between the braces."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value.replace("\n", " ").isprintable()
        ):
            yield node.value


def of_files(pattern: str, wanted: Callable[[ast.AST], Iterator[str]]) -> list[str]:
    found = [text for file in sorted(ROOT.glob(pattern)) for text in wanted(ast.parse(file.read_text("utf-8")))]
    assert found
    return found


def assert_nothing_is_lost(text: str) -> None:
    """What was set reads as what was written; the markup is XML, and no formula is empty."""
    markup = mathematics(text)
    assert normal(read(parsed(markup))) == normal(text), text
    assert normal(plain(text)) == normal(text), text
    assert all("".join(formula.itertext()) for formula in maths(markup))


@pytest.mark.parametrize(("formula", "expected"), SET)
def test_formulas_are_set(formula, expected):
    markup = mathematics(formula)
    assert len(maths(markup)) == 1
    assert outline(parsed(markup)) == expected


@pytest.mark.parametrize("text", ENGLISH)
def test_english_stays(text):
    markup = mathematics(text)
    assert not maths(markup)
    assert markup.unescape() == text
    assert plain(text) == text


def test_formulas_stand_among_the_words():
    markup = mathematics("(N = 60) and k latents; a W, the beta-VAE")
    assert shape(markup) == (
        "<span>(<math><mi>N</mi><mo>=</mo><mn>60</mn></math>)</span> and <math><mi>k</mi></math> latents; a "
        "<span><math><mi>W</mi></math>,</span> the <span><math><mi>β</mi></math>-</span>VAE"
    )


def test_names_are_upright_and_letters_are_not():
    markup = mathematics("W^T log det M")
    assert '<mi mathvariant="normal">T</mi>' in markup
    assert "<mi>log</mi>" in markup  # several letters are upright by themselves
    assert "<mi>W</mi>" in markup


@pytest.mark.parametrize(("text", "expected"), PLAIN)
def test_unicode_where_no_tag_can_stand(text, expected):
    assert plain(text) == expected


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "W < <b>", "k = \"'&", "</math>W^T<math>", "a_<i>"])
def test_markup_in_the_text_stays_text(hostile):
    markup = mathematics(hostile)
    assert isinstance(markup, Markup)
    assert {element.tag for element in parsed(markup).iter()} <= {
        "div",
        "span",
        "math",
        "mi",
        "mn",
        "mo",
        "msup",
        "mrow",
    }
    assert_nothing_is_lost(hostile)


@pytest.mark.parametrize("text", LONG)
def test_long_formulas_may_break(text):
    pieces = maths(mathematics(text))
    assert len(pieces) > 1
    for piece in pieces:  # the widest unbreakable thing here is a function of a short argument
        assert len("".join(piece.itertext()).replace("\u2062", "").replace("\u2061", "")) <= 30
    assert_nothing_is_lost(text)


def test_short_formulas_do_not_break():
    assert len(maths(mathematics("W^T W = K - sigma2 I"))) == 1


def test_nothing_of_the_claims_is_lost():
    stated = of_files("proofs/**/test_*.py", keyword_strings)
    for text in stated:
        assert_nothing_is_lost(text)
    assert sum(bool(maths(mathematics(text))) for text in stated) > len(stated) / 2


@pytest.mark.parametrize("pattern", ["proofs/*.py", "reports/**/*.py"])
def test_nothing_of_the_sentences_is_lost(pattern):
    for text in of_files(pattern, strings):
        assert_nothing_is_lost(text)


@given(sentences)
@settings(max_examples=300, deadline=None)
def test_nothing_of_any_notation_is_lost(text):
    assert_nothing_is_lost(text)


@given(anything)
@settings(max_examples=200, deadline=None)
def test_nothing_of_any_text_is_lost(text):
    assert_nothing_is_lost(text)


def test_a_lost_symbol_is_noticed():
    """The control of the reading back."""
    markup = mathematics("W^T W = K")
    for right, wrong_one in (("<mi>K</mi>", "<mi>M</mi>"), ("msup", "msub"), (">=<", ">≤<")):
        wrong = markup.replace(Markup(right), Markup(wrong_one))
        assert wrong != markup
        assert normal(read(parsed(wrong))) != normal("W^T W = K")


@pytest.mark.parametrize(
    "piece", ["(", "|", "a |b ", "W ", "-", "W^{", "[[", "sqrt ", "log ", "(W + (W ", "W |V ", "#{"]
)
def test_nonsense_ends(piece):
    assert_nothing_is_lost(piece * 300)


def test_a_ledger_takes_no_time():
    texts = of_files("proofs/**/test_*.py", keyword_strings)
    start = time.process_time()
    for text in (texts * 3)[:200]:
        mathematics(text)
    assert time.process_time() - start < 0.6  # 0.1 s here; a busy machine may take several times as long
