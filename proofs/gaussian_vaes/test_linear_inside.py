"""The linear VAE inside a deep one: its maximum is a lower bound for the optimum of the network.

Statement   a network whose unit has phi(t) - phi(-t) = c t, c != 0 (ReLU, leaky ReLU, GELU, SiLU, softplus), with 2q
            units or more in every hidden layer, of encoder and decoder, is every affine map of rank <= q for some
            weights. So a Gaussian VAE of k latents and such networks, of hidden layers h wide or more and linear
            outputs, has an ELBO not below the maximum of the linear VAE with min(k, floor(h/2)) latents at the same
            noise and data. As a supremum, ReLU with biases reaches that of min(k, h) latents.
Hypotheses  linear outputs (mean of the decoder, means and log variances of the encoder), a bias in each; a constant log
            variance is a bias. With a sigmoid on the output it is false (control). N < infinity data, sigma2 > 0 fixed.
Source      ours, theory 6.3, which has the factor 2 only.
Method      the units that carry t, -t and nothing are selected by matrices with orthonormal columns, in words for all
            sizes, layer by layer; phi by cases; the error of one unit a dimension in closed form for a Gaussian.
            Then numbers: whole VAEs of such networks by quadrature beside the closed form of the linear ELBO.
Trusted     the normal form of words; SymPy's algebra and integrals; gaussian-moments: H z is Gaussian given x;
            lemma-1 and fixed-noise-maxima for the value.
"""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.linear_vaes import random_vae
from proofs.problems.spectra import hard_problems
from verify.models import linear_vae as model
from verify.models import ppca
from verify.models.networks import apply, rank_factors, relu_network, shifted_relu_network
from verify.symbolic.letters import k, n
from verify.symbolic.matrix_calculus import identity, letter, zero
from verify.symbolic.relations import reduce, relation
from verify.symbolic.traces import trace

CLAIM = Claim(
    id="linear-inside",
    source="ours, beside the networks of Sec. 6",
    statement="a Gaussian VAE with ReLU networks and linear outputs, its hidden layers all h wide or more, has an "
    "optimal ELBO not below the maximum of the linear VAE with min(k, floor(h/2)) latents at the same noise and data, "
    "and a supremum not below that with min(k, h)",
    hypotheses="sigma2 > 0 fixed; a bias in every layer; the first part for leaky ReLU, GELU, SiLU and softplus "
    "as well",
    section="Every Gaussian VAE",
    rests_on=("fixed-noise-maxima", "lemma-1"),
    trusts=("gaussian-moments",),
)
PAIR = CLAIM.step(
    "pair",
    "phi(t) - phi(-t) = c t for all real t, with c = 1 for ReLU, GELU, SiLU and softplus and c = 1 + slope for leaky "
    "ReLU; and with no c for tanh, sigmoid and ELU",
    says="known_unit -> odd_part_linear",
    place="The linear VAE inside",
)
LAYERS = CLAIM.step(
    "layers",
    "with such a phi, c != 0, units that hold phi(y), phi(-y) and phi(0), 2q or more of them, hand y on to the next "
    "layer and G y + b to the output: x -> G H x + b for any depth and widths, all n, k, q",
    says="odd_part_linear & twice_as_wide -> all_affine_maps",
    place="The linear VAE inside",
)
HEADS = CLAIM.step(
    "heads",
    "with means V x and W z of rank q = min(k, floor(h/2)), constant log variances, and on the other latents the prior "
    "and no column, the network's ELBO is that of the linear VAE with q latents: 2q <= h, and the others cost 0",
    says="all_affine_maps -> not_below_linear_maximum",
    place="The linear VAE inside",
)
SUPREMUM = CLAIM.step(
    "supremum",
    "ReLU layers of q units or more are x -> G max(H x, -r) + b for some weights, any depth and r >= 0: exact on "
    "finitely many data for large r; for t ~ N(m, v) the mean of (max(t, -r) - t)^2 tends to 0 with r to infinity, and "
    "so the ELBO to that of the linear VAE with q = min(k, h)",
    says="plain_relu & as_wide & gaussian_sums -> not_below_linear_maximum",
    place="The linear VAE inside",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "so the optimum, or supremum, is not below the value at W = 0 plus the sum of the gains of the largest lam_j > "
    "sigma2, at most that many",
    place="The linear VAE inside",
)
USED = {
    "gaussian-moments": "as_wide -> gaussian_sums",
    "lemma-1": "not_below_linear_maximum -> not_below_likelihood",
    "fixed-noise-maxima": "not_below_likelihood -> not_below_gains",
}

t, r, c, slope = (sp.Symbol(name, real=True) for name in ("t", "r", "c", "slope"))
p = sp.Symbol("p", positive=True)


def check_linear_odd_part(phi, factor):
    """phi(t) - phi(-t) = factor t: both sides are odd, continuous and 0 at 0, with one derivative at all t > 0."""
    vanishes(sp.diff(phi(p) - phi(-p), p) - factor)


def check_no_factor(phi):
    """The derivative of the odd part is smaller at 2 than at 1, or larger: it is no constant."""
    at = sp.diff(phi(p) - phi(-p), p)
    check(bool(at.subs(p, 2) < at.subs(p, 1)) or bool(at.subs(p, 2) > at.subs(p, 1)), "one factor will do")


def relu(value):
    return sp.Max(value, 0)


def elu(value):
    return sp.Max(value, 0) + sp.exp(sp.Min(value, 0)) - 1


UNITS = {
    "relu": (relu, 1),
    "leaky": (lambda v: relu(v) - slope * relu(-v), 1 + slope),
    "gelu": (lambda v: v * (1 + sp.erf(v / sp.sqrt(2))) / 2, 1),
    "silu": (lambda v: v / (1 + sp.exp(-v)), 1),
    "softplus": (lambda v: sp.log(1 + sp.exp(v)), 1),
}


@PAIR.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_odd_parts_of_the_usual_units_are_linear(record):
    for phi, factor in UNITS.values():
        check_linear_odd_part(phi, factor)
        record()
    for wrong in (sp.tanh, lambda v: 1 / (1 + sp.exp(-v)), elu, lambda v: relu(v) ** 2):
        with rejected():
            check_linear_odd_part(wrong, 1)
    with rejected():  # leaky ReLU with the factor of ReLU
        check_linear_odd_part(UNITS["leaky"][0], 1)
    for phi in (sp.tanh, lambda v: 1 / (1 + sp.exp(-v)), elu):
        check_no_factor(phi)
    with rejected():
        check_no_factor(relu)


q, h, g = sp.symbols("q h g", integer=True, positive=True)
# Columns that say which unit of a layer carries y_i (P), -y_i (Q), nothing (E); in the next layer F, N, Z.
P, Q, E = letter("P", h, q), letter("Q", h, q), letter("E", h, h - 2 * q)
F, N, Z = letter("F", g, q), letter("N", g, q), letter("Z", g, g - 2 * q)
SELECTED = [
    relation(X.T @ Y, identity(X.shape.cols) if X is Y else zero(X.shape.cols, Y.shape.cols))
    for own in ((P, Q, E), (F, N, Z))
    for i, X in enumerate(own)
    for Y in own[i:]
]
y, above, below, rest = letter("y", q, 1), letter("a", q, 1), letter("a'", q, 1), letter("o", h - 2 * q, 1)
# phi(y) = phi(-y) + c y, entry by entry.
ODD = relation(above, below + c * y)
HIDDEN = P @ above + Q @ below + E @ rest
H, G, x, b = letter("H", q, k), letter("G", n, q), letter("x", k, 1), letter("b", n, 1)


def check_carries(sums, value):
    """The units of the next layer get value, -value and 0."""
    for unit, expected in ((F, value), (N, -1 * value), (Z, 0 * (Z.T @ (F @ value)))):
        same(reduce(unit.T @ sums, *SELECTED, ODD), expected)


@LAYERS.evidence(role="supports", kind="symbolic", strength="proved")
def test_each_layer_hands_on_what_it_holds_for_all_widths(record):
    # The first layer: its sums are y = H x, -y and 0.
    check_carries((F - N) @ H @ x, H @ x)
    # From layer to layer, with weights (F - N)(P - Q)^T / c and no bias.
    check_carries((F - N) @ (P - Q).T @ HIDDEN / c, y)
    # And the output.
    same(reduce(G @ (P - Q).T @ HIDDEN / c + b, *SELECTED, ODD), G @ y + b)
    record(instances=3)
    with rejected():  # without the units that carry -y
        check_carries((F - N) @ P.T @ HIDDEN / c, y)
    with rejected():  # the unit of another layer, c = 1 in its place
        check_carries((F - N) @ (P - Q).T @ HIDDEN, y)
    with rejected():  # units that share a place: P^T Q is not 0
        same(reduce(G @ (P - Q).T @ HIDDEN / c + b, relation(P.T @ P, identity(q)), ODD), G @ y + b)


def selections(width, rank):
    """P and Q as matrices of integers; their columns are different unit vectors iff width >= 2 rank."""
    return sp.eye(width, 2 * rank)[:, :rank], sp.eye(width, 2 * rank)[:, rank:]


@LAYERS.evidence(role="supports", kind="symbolic")
@pytest.mark.parametrize("unit", ["relu", "leaky"])
def test_whole_networks_in_rational_numbers(unit, record):
    """Integer G, H of rank 2, three hidden layers, leaky ReLU with slope 1/3: the outputs are those of the map."""
    rng = np.random.default_rng(31)
    G_, H_, b_ = (sp.Matrix(rng.integers(-5, 6, shape)) for shape in ((3, 2), (2, 4), (3, 1)))
    third = sp.Rational(1, 3) if unit == "leaky" else sp.Integer(0)

    def output(x, widths, factor):
        (P_, Q_), *inner = [selections(width, 2) for width in widths]
        hidden = ((P_ - Q_) * H_ * x).applyfunc(lambda v: v if v > 0 else third * v)
        for next_P, next_Q in inner:
            sums = (next_P - next_Q) * (P_ - Q_).T * hidden / factor
            hidden = sums.applyfunc(lambda v: v if v > 0 else third * v)
            P_, Q_ = next_P, next_Q
        return list(G_ * (P_ - Q_).T * hidden / factor + b_)

    for widths in ((4,), (4, 7), (6, 4, 5)):
        for x in (sp.Matrix(rng.integers(-9, 10, (4, 1))) for _ in range(10)):
            same(output(x, widths, 1 + third), list(G_ * H_ * x + b_))
            record()
    with rejected():  # 2q - 1 units: the last column of Q is 0
        for x in (sp.Matrix(rng.integers(-9, 10, (4, 1))) for _ in range(10)):
            same(output(x, (4, 3, 4), 1 + third), list(G_ * H_ * x + b_))


@HEADS.evidence(role="supports", kind="symbolic", strength="proved")
def test_unused_latents_cost_nothing_and_half_the_width_is_enough(record):
    mean, variance = sp.Symbol("mean", real=True), sp.Symbol("variance", positive=True)
    kl = (mean**2 + variance - 1 - sp.log(variance)) / 2
    vanishes(kl.subs({mean: 0, variance: 1}))
    # A column that is 0 leaves the decoder's mean: |x - W z|^2 does not know its latent.
    u, w, data = letter("u", k, 1), letter("w", 1, 1), letter("d", n, 1)
    W, none = letter("W", n, k), zero(n, 1)
    residual = data - W @ u - none @ w
    same(trace(residual.T @ residual), trace((data - W @ u).T @ (data - W @ u)))
    # The variance: weights 0 and the bias log d give log d at every datum.
    same(zero(1, n) @ data + identity(1), identity(1))
    for width in (2 * q, 2 * q + 1):
        same(sp.floor(width / 2), q)
        check((width - 2 * q).is_nonnegative, "the layer is too narrow")
    record(instances=4)
    with rejected():  # one unit less than two a latent
        check((2 * q - 1 - 2 * q).is_nonnegative, "the layer is too narrow")
    with rejected():  # a latent that keeps another variance pays
        vanishes(kl.subs({mean: 0, variance: 2}))


def check_cut_off(phi, expected):
    """At t above, at and below -r, r >= 0."""
    level = sp.Symbol("level", nonnegative=True)
    for value in (-level + p, -level, -level - p):
        vanishes(phi(value, level) - expected(value, level))


@SUPREMUM.evidence(role="supports", kind="symbolic", strength="proved")
def test_one_unit_a_dimension_cuts_off_and_nothing_more(record):
    def cut(v, level):
        return sp.Max(v, -level)

    check_cut_off(lambda v, level: relu(v + level) - level, cut)
    check_cut_off(lambda v, level: relu(relu(v + level)) - level, cut)  # further layers let it through
    with rejected():  # without the shift of the first layer
        check_cut_off(lambda v, level: relu(v), cut)
    # In words: the units U hold a = max(y, -r) + r, and the rest of a layer relu(0) = 0; the output takes off G r.
    U, X, a, shift = letter("U", h, q), letter("X", g, q), letter("a", q, 1), letter("s", q, 1)
    orthonormal = (relation(U.T @ U, identity(q)), relation(X.T @ X, identity(q)))
    hidden = U @ (a + shift)
    same(reduce(X.T @ (X @ U.T @ hidden), *orthonormal), a + shift)
    same(reduce(G @ U.T @ hidden + b - G @ shift, *orthonormal), G @ a + b)
    with rejected():
        same(reduce(G @ U.T @ hidden + b, *orthonormal), G @ a + b)
    record(instances=4)


def missed(level):
    """E (max(u, -level) - u)^2 for u ~ N(0, 1): the integral of (u - level)^2 over u > level, by symmetry."""
    u = sp.Symbol("u", real=True)
    return sp.integrate((u - level) ** 2 * sp.exp(-(u**2) / 2) / sp.sqrt(2 * sp.pi), (u, level, sp.oo))


@SUPREMUM.evidence(role="supports", kind="symbolic", strength="proved")
def test_what_is_cut_off_vanishes_and_the_elbo_with_it(record):
    level, sd = sp.symbols("level sd", positive=True)
    error = missed(level)
    vanishes(sp.limit(error, level, sp.oo))
    above, density = sp.erfc(level / sp.sqrt(2)) / 2, sp.exp(-(level**2) / 2) / sp.sqrt(2 * sp.pi)
    vanishes(sp.expand(error.rewrite(sp.erfc) - ((1 + level**2) * above - level * density)))
    with rejected():
        vanishes(sp.expand(error.rewrite(sp.erfc) - (1 + level**2) * above))
    # t = m + sd u: max(t, -r) - t = sd (max(u, -(r + m)/sd) - u), and (r + m)/sd tends to infinity with r.
    m = sp.Symbol("m", real=True)
    for value in (p, -p):
        at = (value - r - m) / sd  # u with t + r = value
        vanishes(sp.Max(m + sd * at, -r) - (m + sd * at) - sd * (sp.Max(at, -(r + m) / sd) - at))
    same(sp.limit((r + m) / sd, r, sp.oo), sp.oo)
    # The ELBO moves by (2 e^T v - |e|^2)/(2 s), v = x - f, e = G delta; for any eta > 0, entry by entry,
    # |2 e v - e^2| <= eta v^2 + (1 + 1/eta) e^2: it vanishes with E e^2, eta being as small as one likes.
    e, v = sp.symbols("e v", real=True)
    root = sp.Symbol("root", positive=True)  # of eta
    vanishes(
        sp.expand(
            root**2 * v**2 + (1 + 1 / root**2) * e**2 - (2 * e * v - e**2) - (root * v - e / root) ** 2 - 2 * e**2
        )
    )
    vanishes(sp.expand(root**2 * v**2 + (1 + 1 / root**2) * e**2 + (2 * e * v - e**2) - (root * v + e / root) ** 2))
    vanishes(sp.expand((v - e) ** 2 - v**2 + 2 * e * v - e**2))
    with rejected():  # without a shift, half of the Gaussian is lost
        vanishes(missed(sp.Integer(0)))
    record(instances=7)
    record.witness(f"E (max(u, -r) - u)^2 = {sp.simplify(error)} -> 0")


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_the_lower_bound(record):
    goal = "(known_unit & twice_as_wide) | (plain_relu & as_wide) -> not_below_gains"
    record(instances=concludes(CLAIM, goal, USED))
    with rejected():  # any unit of that width, tanh say
        concludes(CLAIM, "twice_as_wide | as_wide -> not_below_gains", USED)


def elbo_of_networks(encoder, decoder, variances, sigma2, X, points):
    """The ELBO of means encoder(x), variances (k,) and decoder(z), by Gauss-Hermite quadrature.  k <= 2."""
    size = len(variances)
    nodes, weights = np.polynomial.hermite_e.hermegauss(points)
    grid = np.stack(np.meshgrid(*[nodes] * size, indexing="ij"), axis=-1).reshape(-1, size)
    w = np.prod(np.stack(np.meshgrid(*[weights] * size, indexing="ij"), axis=-1).reshape(-1, size), axis=1)
    means = encoder(X)
    z = means[:, None, :] + grid * np.sqrt(variances)
    error = ((X[:, None, :] - decoder(z)) ** 2).sum(axis=-1) @ (w / w.sum())
    kl = (means**2 + variances - 1 - np.log(variances)).sum(axis=1) / 2
    return float(np.mean(-error / (2 * sigma2) - X.shape[1] / 2 * np.log(2 * np.pi * sigma2) - kl))


@HEADS.evidence(role="supports", kind="numeric")
@pytest.mark.parametrize("negative", [0.0, 0.01])
def test_a_vae_of_networks_has_the_elbo_of_the_linear_one(negative, record, thorough):
    rng = np.random.default_rng(32)
    for _ in range(thorough(10, 100)):
        p_ = random_vae(rng, 4, 2)
        X = rng.standard_normal((9, 4))
        X -= X.mean(axis=0)
        widths = [int(width) for width in rng.integers(4, 8, rng.integers(1, 4))]
        encoder = relu_network(p_.V, np.zeros(2), widths, negative)
        decoder = relu_network(p_.W, np.zeros(4), widths[::-1], negative)
        # Quadrature with four points is exact for the squares that stand here.
        found = elbo_of_networks(
            lambda x, e=encoder: apply(e, x, negative),
            lambda z, d=decoder: apply(d, z, negative),
            p_.D,
            p_.sigma2,
            X,
            4,
        )
        expected = float(model.elbo(p_.W, p_.V, p_.D, p_.sigma2, X.T @ X / 9))
        record(worst_error=agree(found, expected, tolerance=1e-12, scale=1 + abs(expected) + p_.size_of_elbo))
        with rejected():  # the same networks through a sigmoid: no affine map
            sigmoid = elbo_of_networks(
                lambda x, e=encoder: apply(e, x, negative),
                lambda z, d=decoder: 1 / (1 + np.exp(-apply(d, z, negative))),
                p_.D,
                p_.sigma2,
                X,
                20,
            )
            agree(sigmoid, expected, tolerance=1e-6, scale=1 + abs(expected))


@HEADS.evidence(role="supports", kind="property")
@given(problem=hard_problems(max_n=4), seed=st.integers(0, 2**32 - 1))
def test_at_the_linear_maximum_the_networks_are_its_maps_on_hostile_spectra(problem, seed, record):
    """Encoder and decoder of the maximum, over twelve decades and with collapsed latents, are what the networks are."""
    rng = np.random.default_rng(seed)
    W = ppca.fixed_noise_maximum(problem.lam, problem.U, problem.k, problem.sigma2)
    V, _ = model.optimal_encoder(W, problem.sigma2)
    for A in (W, V):
        X = rng.standard_normal((6, A.shape[1])) * 10.0 ** rng.uniform(-6, 6)
        layers = relu_network(A, np.zeros(len(A)), [2 * problem.k, 2 * problem.k + 3])
        # Products of a few entries, and the rank cut at eps of the largest.
        size = np.linalg.norm(A) * np.linalg.norm(X)
        record(worst_error=agree(apply(layers, X), X @ A.T, tolerance=1e-13, scale=size or 1.0))


@SUPREMUM.evidence(role="supports", kind="numeric")
def test_with_one_unit_a_latent_the_elbo_approaches_the_linear_one(record):
    """Hidden layers as wide as there are latents: the shortfall falls as the closed form says, to rounding at 12."""
    rng = np.random.default_rng(33)
    p_ = random_vae(rng, 4, 1)
    X = rng.standard_normal((9, 4))
    X -= X.mean(axis=0)
    expected = float(model.elbo(p_.W, p_.V, p_.D, p_.sigma2, X.T @ X / 9))
    short = []
    for reach in (1.0, 3.0, 5.0, 12.0):
        # H is one number here: z itself is cut off at -reach or at reach.
        decoder = shifted_relu_network(p_.W, np.zeros(4), [1, 1], reach * abs(float(rank_factors(p_.W)[1][0, 0])))
        encoder = shifted_relu_network(p_.V, np.zeros(1), [1, 1], 1e3)
        found = elbo_of_networks(
            lambda x, e=encoder: apply(e, x), lambda z, d=decoder: apply(d, z), p_.D, p_.sigma2, X, 120
        )
        short.append(abs(expected - found))
    record(instances=4, worst_error=at_most(short[-1], 1e-10))
    at_most(np.diff(short), 0.0)
    with rejected():  # at reach 1 it is short of it
        at_most(short[0], 1e-3)


@LAYERS.evidence(role="control", kind="numeric")
def test_a_hidden_layer_narrower_than_the_rank_is_rejected():
    """A bottleneck of one unit: whatever it sees, the best output weights leave a map of rank 2 far off."""
    rng = np.random.default_rng(34)
    A, X = rng.standard_normal((3, 2)), rng.standard_normal((40, 2))
    for _ in range(20):
        hidden = np.maximum(X @ rng.standard_normal((2, 1)) + rng.standard_normal(1), 0)
        features = np.concatenate([hidden, np.ones((40, 1))], axis=1)
        best = features @ np.linalg.lstsq(features, X @ A.T, rcond=None)[0]
        with rejected():
            agree(best, X @ A.T, tolerance=0.1)
