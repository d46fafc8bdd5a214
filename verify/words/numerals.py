"""One number, one printing: thresholds and noises as they stand on the terminal, in the notes and on the page.

Notation   facts: a stability document as a dict; lam_j its eigenvalues, from j = 1; k its latents.
           beta weighs the KL: eigenvalues are compared with beta sigma2, and latent j collapses at sigma2 = lam_j/beta.
Main       threshold, eigenvalue, likeliest, start, rank, directions, typed, rough, counted; weight, scaled; at_most,
           enclosed, of bounds that are proved.
Reference  theory 1.5, 3.9.

A number that stands beside a statement keeps it true when somebody types it in: what is below the printed threshold is
below the threshold, and the printed maximum-likelihood noise keeps all that it is said to keep.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from typing import Any

from verify.landscape.weighted import PLAIN, effective_noise, noise_at
from verify.models.beta_vae import flat_below

Document = dict[str, Any]

DIGITS = 6
# Eigenvalues of data carry at least so small an error, relatively.
ROUNDING = 1e-12
_FLOOR = Context(prec=DIGITS, rounding=ROUND_FLOOR)
_CEILING = Context(prec=2, rounding=ROUND_CEILING)


def typed(value: float) -> str:
    """The shortest decimal that denotes the double: what somebody typed, 0.1 or 1e-05 or 2."""
    return repr(float(value)).removesuffix(".0")


def not_above(value: float, error: float = 0.0) -> str:
    """Six digits of a number > 0, not rounded up by more than its error."""
    text = f"{value:.{DIGITS}g}"
    return text if float(text) <= value + error else f"{float(_FLOOR.create_decimal(repr(float(value)))):.{DIGITS}g}"


def as_threshold(value: float) -> str:
    """A noise that is an eigenvalue of data or stands beside some, as `threshold` prints those."""
    return not_above(value, ROUNDING * value)


def rough(value: float) -> str:
    """Two digits, of an error: 0.38, 9700, 8e+06."""
    return typed(float(f"{value:.2g}")) if value < 1e6 else f"{value:.2g}"


def at_most(bound: float | Fraction) -> str:
    """Two digits of a bound, not rounded down: 0.38, 1.9e-10; "0" of 0."""
    exact = Fraction(bound)
    rounded = _CEILING.divide(Decimal(exact.numerator), Decimal(exact.denominator)).normalize()
    return f"{rounded:f}" if rounded == 0 or Decimal("1e-4") <= rounded < 10**6 else f"{rounded:e}"


def enclosed(value: float, radius: float | Fraction) -> tuple[str, str]:
    """As many decimals of a value as its proven radius bears, and within how much of these the true one lies."""
    if radius == 0:
        return typed(value), "0"
    decimals = max(0, -Decimal(at_most(radius)).adjusted())
    text = f"{Decimal(value):.{decimals}f}"
    return text, at_most(abs(Fraction(text) - Fraction(value)) + Fraction(radius))


def below(value: float, limit: float) -> str:
    """A number < limit in six digits, or in as many as it takes to stay below."""
    written = (f"{value:.{digits}g}" for digits in range(DIGITS, 18))
    return next((text for text in written if float(text) < limit), typed(value))


def error(facts: Document, j: int) -> float:
    """Within how much lam_j is known; 0 in a bare spectrum."""
    return 0.0 if facts["resolution"] is None else float(facts["resolution"][j - 1])


def weight(document: Document) -> float:
    """beta, 1 in a document that was written before there was one."""
    return float(document.get("beta", PLAIN))


def scaled(beta: float) -> str:
    """What eigenvalues are compared with: sigma2, or 4 sigma2."""
    return "sigma2" if beta == PLAIN else f"{typed(beta)} sigma2"


def at_noise(sigma2: float, beta: float) -> str:
    """sigma2 = 0.1, or 3 sigma2 = 0.3 with its product exact."""
    return f"{scaled(beta)} = {typed(effective_noise(sigma2, beta))}"


def eigenvalue(facts: Document, j: int) -> str:
    """lam_j."""
    return not_above(facts["eigenvalues"][j - 1], error(facts, j))


def named_eigenvalue(facts: Document, j: int) -> str:
    """The same with its name: lam_50 = 0.17759."""
    return f"lam_{j} = {eigenvalue(facts, j)}"


def threshold(facts: Document, j: int) -> str:
    """lam_j/beta, the noise below which latent j is held."""
    beta = weight(facts)
    return not_above(noise_at(facts["eigenvalues"][j - 1], beta), error(facts, j) / beta)


def share(facts: Document, j: int) -> str:
    """What that threshold is: lam_50, or lam_50/4."""
    return share_of(j, weight(facts))


def share_of(j: int | str, beta: float) -> str:
    """The same of a weight alone, and of any j."""
    return f"lam_{j}" if beta == PLAIN else f"lam_{j}/{typed(beta)}"


def named_threshold(facts: Document, j: int) -> str:
    """Both: lam_50 = 0.17759, lam_50/4 = 0.0443975."""
    return f"{share(facts, j)} = {threshold(facts, j)}"


def on_threshold(facts: Document) -> bool:
    """Whether the maximum-likelihood noise cannot be told from lam_k: all discarded eigenvalues equal it, or k = n."""
    k = facts["k"]
    return facts["sigma2_mle"] is not None and facts["sigma2_mle"] >= facts["eigenvalues"][k - 1] - error(facts, k)


def likeliest(facts: Document) -> str | None:
    """The maximum-likelihood noise; None if there is none."""
    value, k = facts["sigma2_mle"], facts["k"]
    if value is None:
        return None
    return eigenvalue(facts, k) if on_threshold(facts) else below(value, facts["eigenvalues"][k - 1] - error(facts, k))


def start(facts: Document) -> str | None:
    """The recommended noise; None if no noise keeps all k latents."""
    value, k, beta = facts["recommended_sigma2"], facts["k"], weight(facts)
    if value is None or value == facts["sigma2_mle"]:
        return None if value is None else likeliest(facts)
    return below(value, noise_at(facts["eigenvalues"][k - 1] - error(facts, k), beta))


def starts_likely(facts: Document) -> bool:
    """Whether the recommended noise is sigma2_MLE/beta, where the optimum has the maximum-likelihood decoder."""
    value, mle = facts["recommended_sigma2"], facts["sigma2_mle"]
    return value is not None and mle is not None and not on_threshold(facts) and value == noise_at(mle, weight(facts))


def learned_plateau(facts: Document) -> bool:
    """Whether no single noise is best for the ELBO: all up to sigma2_learned are, as with k = n at beta = 1."""
    flat = flat_below(facts["eigenvalues"], facts["k"], weight(facts))
    return flat is not None and bool(flat == facts["sigma2_learned"])


def every(k: int, noun: str = " latents") -> str:
    """All of the k latents: "the one latent", "both latents", "all 10 latents"."""
    return {1: f"the one{noun.removesuffix('s')}" if noun else "it", 2: f"both{noun}"}.get(k, f"all {k}{noun}")


def rank_at_most(facts: Document) -> int:
    """The rank if all eigenvalues are positive that rounding cannot tell from 0; N data have at most N - 1."""
    rank, n, N = facts["rank"], facts["n"], facts["N"]
    open_zeros = sum(x == 0 and error(facts, j) > 0 for j, x in enumerate(facts["eigenvalues"], start=1))
    return int(max(rank, min(rank + open_zeros, n if N is None else N - 1)))


def directions(facts: Document) -> str:
    """In how many directions the data vary, and how many more rounding leaves open."""
    rank, n, more = facts["rank"], facts["n"], rank_at_most(facts) - facts["rank"]
    text = f"{rank} of {n} direction{'' if n == 1 else 's'}"
    if not more:
        return f"only {text}"
    zeros = "one eigenvalue" if more == 1 else f"{more} eigenvalues"
    return f"{text}, or up to {rank + more}: {zeros} cannot be told from 0"


def rank(facts: Document) -> str:
    """61, or 61 to 64 where rounding leaves that open."""
    return counted(facts["rank"], rank_at_most(facts))


def counted(least: int, most: int) -> str:
    """17; 17 or 18; 17 to 20."""
    return str(least) if least == most else f"{least} {'or' if most == least + 1 else 'to'} {most}"
