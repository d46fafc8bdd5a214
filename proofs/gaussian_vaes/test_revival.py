"""Revival: what linear latents add to a Gaussian VAE that is left as it is.

Statement   freeze f, q(z|x) and s; add latents w ~ N(0, I_m), decoder mean f(z) + b + U w, and q(w|x), independent of z
            given x. The ELBO changes by that of a linear VAE on the mean residuals rbar = x - E_q f, whatever f and q
            are. With c and R their mean and covariance, rho_j its eigenvalues, the largest change is
            |c|^2/(2s) + 1/2 sum_{j <= m, rho_j > s} (rho_j/s - 1 - log(rho_j/s)), over all U, b and all such q(w|x);
            U = u_j (rho_j - s)^{1/2}, V = U^T/rho_j, D = s/rho_j, b = c reach it.
Hypotheses  s > 0; E_q |f|^2 finite. q(w|x) may be encoded from any function of x, but not from the draw of z: one that
            sees z gains by the covariance of the sampled residuals x - f(z), which is larger (control).
            beta: ELBO_beta(sigma2) gains beta times that at s = beta sigma2. Noise learned: theory 6.1 has "the joint
            optimum of section 2"; that holds only where q has no spread in f. In general T = mean tr Cov_q f is added
            to what the discarded eigenvalues leave.
Source      ours, theory 6.1, with that correction.
Method      second moments of f and w at one datum, in words; then the claims on the linear VAE, with rbar for x.
            Numbers: small tanh VAEs, trained and not, with the escape installed, by quadrature over z and w.
Trusted     the normal form of words; SymPy's algebra; Gibbs' inequality; the claims below.
"""

from dataclasses import replace

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.small_vaes import SmallVAE, curved_data, sizes, trained
from proofs.problems.spectra import hard_problems
from verify.data.covariance import covariance
from verify.landscape.revival import direction_nats, escape, installed_nats, noise_with_latents, shift_nats
from verify.symbolic import linear_vae, ppca
from verify.symbolic.expectations import expectation, log_gaussian
from verify.symbolic.letters import C, D, M, S, V, W, gram, k, log_det_of_marginal, marginal_precision, n, sigma2, x, z
from verify.symbolic.matrix_calculus import defined, identity, inverse, letter
from verify.symbolic.relations import expand, reduce, relation, substitute, substitute_log_det
from verify.symbolic.traces import Scalar, log_det, trace

CLAIM = Claim(
    id="revival",
    source="ours, beyond Sec. 6",
    statement="adding m linear latents to any frozen Gaussian VAE changes its ELBO as a linear VAE on the mean "
    "residuals would, and so by |c|^2/(2s) + 1/2 sum_{j <= m, rho_j > s} (rho_j/s - 1 - log(rho_j/s)) at most, which "
    "an explicit escape reaches",
    hypotheses="s > 0, E_q |f|^2 finite; w independent of z given x; R the covariance of the mean residual",
    section="Every Gaussian VAE",
    rests_on=("beta-vae", "eq-05-06", "fixed-noise-maxima"),
    trusts=("kl-nonnegative",),
)
EXPANSION = CLAIM.step(
    "expansion",
    "at a datum, for any f and q with second moments and any q(w|x) independent of z given x, E log p(x|z, w) - "
    "E log p(x|z) = E_w log N(rbar; b + U w, s) - log N(rbar; 0, s): Cov_q f drops out; for all n and m",
    says="independent -> elbo_of_residuals",
    place="Revival",
)
LINEAR = CLAIM.step(
    "linear",
    "with q(w|x) = N(V (rbar - c), D) the mean change is the linear VAE's ELBO at U, V, D, s and R less its value "
    "without latents, plus (|c|^2 - |c - b|^2)/(2s): so b = c is best whatever U, V, D; for all n and m",
    says="elbo_of_residuals -> linear_vae_on_R",
    place="Revival",
)
BOUND = CLAIM.step(
    "bound",
    "no q(w|x) whatever, encoded from any function of x, gets above the mean of log N(rbar; b, U U^T + s I) - "
    "log N(rbar; 0, s), which is L(U; R) - L(0; R) + |c|^2/(2s) less a nonnegative form in c - b",
    says="elbo_of_residuals & posterior & gibbs -> at_most_likelihood_on_R",
    place="Revival",
)
ESCAPE = CLAIM.step(
    "escape",
    "U = u_j (rho_j - s)^{1/2}, V = U^T/rho_j, D = s/rho_j, b = c bring |c|^2/(2s) + 1/2 sum (rho_j/s - 1 - "
    "log(rho_j/s)) over the directions taken, for all n and any number of them",
    says="linear_vae_on_R -> value_reached",
    place="Revival",
)
SADDLE = CLAIM.step(
    "saddle",
    "a latent along u_j with column length a^{1/2} and its best encoder brings 1/2 [rho a/(s (s + a)) - log(1 + a/s)], "
    "whose slope at a = 0 is (rho - s)/(2 s^2): it rises from there on up to a = rho - s if rho > s, and falls, and "
    "nothing is to be gained by it, if 0 <= rho <= s",
    says="at_most_value & value_reached -> saddle_iff_above",
    place="Revival",
)
NOISE = CLAIM.step(
    "noise",
    "with the noise learned as well, m < n latents: T = mean tr Cov_q f stays in the squared error, and if T or some "
    "rho_j beyond the first m is positive, the one best noise has (n - q) s = T + sum of all rho_j but the q retained, "
    "those of the first m with rho_j > s",
    says="at_most_value & value_reached & noise_learned -> one_best_noise",
    place="Revival",
)
CONCLUSION = CLAIM.step("conclusion", "so that is the largest change, and the escape reaches it", place="Revival")
USED = {
    "beta-vae": "weighted & at_most_value -> beta_times",
    "eq-05-06": "posterior",
    "fixed-noise-maxima": "at_most_likelihood_on_R -> at_most_value",
    "kl-nonnegative": "gibbs",
}

# The mean of w at x, its covariance; f at z, its mean and covariance under q; U is W, m is k, s is sigma2, R is S.
mean, Q = letter("m", k, 1), letter("Q", k, k, "symmetric")
f, fbar, F = letter("f", n, 1), letter("f'", n, 1), letter("F", n, n, "symmetric")
b, c = letter("b", n, 1), letter("c", n, 1)


def log_noise(residual):
    """log N(residual; 0, sigma2 I)."""
    return log_gaussian(residual, identity(n) / sigma2, Scalar(n * sp.log(sigma2)))


def change_of_fit(mean_of_w):
    """E [log p(x|z, w) - log p(x|z)] at one datum; w is z here, and f stands for f(z)."""
    of_w = expectation(log_noise(x - f - b - W @ z) - log_noise(x - f), z, mean_of_w, Q)
    return expectation(of_w, f, fbar, F)


def fit_of_residual(residual):
    """E_w log N(residual; b + W w, sigma2 I) - log N(residual; 0, sigma2 I)."""
    return expectation(log_noise(residual - b - W @ z), z, mean, Q) - log_noise(residual)


@EXPANSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_only_the_mean_residual_enters_whatever_the_decoder_is(record):
    same(change_of_fit(mean), fit_of_residual(x - fbar))
    record(instances=1)
    record.witness(f"{change_of_fit(mean)} for all n, m, f and q")
    A = letter("A", k, n)
    with rejected():  # w that sees z: its mean moves with f
        same(change_of_fit(mean + A @ (f - fbar)), fit_of_residual(x - fbar))
    with rejected():  # the residual at another point than the mean of f
        same(change_of_fit(mean), fit_of_residual(x - f))


def change_of_elbo(shift, encoded):
    """The change at one datum whose mean residual is x, b = shift, q(w|x) = N(V encoded, D)."""
    joint = log_noise(x - shift - W @ z) + ppca.log_prior() - log_gaussian(z - V @ encoded, inverse(D), log_det(D))
    return expectation(joint, z, V @ encoded, D) - log_noise(x)


def without_latents():
    """L at W = 0, with covariance S."""
    return -(Scalar(n * sp.log(2 * sp.pi * sigma2)) + trace(S) / sigma2) / 2


@LINEAR.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_mean_change_is_that_of_a_linear_vae_on_the_residuals(record):
    found = expectation(change_of_elbo(b, x - c), x, c, S)
    shifted = (trace(c.T @ c) - trace((c - b).T @ (c - b))) / (2 * sigma2)
    same(found, linear_vae.elbo() - without_latents() + shifted)
    same(substitute(found, {"b": c}), linear_vae.elbo() - without_latents() + trace(c.T @ c) / (2 * sigma2))
    record(instances=2)
    with rejected():  # the shift forgotten
        same(found, linear_vae.elbo() - without_latents())
    with rejected():  # S taken about 0
        same(found, substitute(linear_vae.elbo() - without_latents(), {"S": S + c @ c.T}) + shifted)


def in_latents(A):
    return reduce(substitute_log_det(reduce(A, marginal_precision(), gram), C, log_det_of_marginal()), gram)


@BOUND.evidence(role="supports", kind="symbolic", strength="proved")
def test_no_encoder_of_w_gets_above_the_likelihood_of_the_residuals(record):
    # Pointwise in w: log p(r|w) + log p(w) - log q = log p(r) - (log q - log p(w|r)); so E_q is log p(r) - KL.
    of_residual = {"x": x - b}
    joint, density, posterior = (
        substitute(g, of_residual)
        for g in (ppca.log_observation() + ppca.log_prior(), ppca.log_density(), ppca.log_posterior())
    )
    same(reduce(expand(in_latents(joint - density - posterior), M), gram), Scalar(0))
    # The mean of log p(r) over the data: that about c, less a form of C^-1 > 0 in c - b.
    found = expectation(density, x, c, S)
    same(found, ppca.log_likelihood() - trace((c - b).T @ inverse(C) @ (c - b)) / 2)
    y = letter("y", n, 1)
    same(expand(y.T @ C @ y, C), (W.T @ y).T @ (W.T @ y) + sigma2 * y.T @ y)
    # And without latents the mean of log N(rbar; 0, s) is L(0) - |c|^2/(2s).
    same(expectation(log_noise(x), x, c, S), without_latents() - trace(c.T @ c) / (2 * sigma2))
    record(instances=4)
    with rejected():  # the posterior of another datum
        same(reduce(expand(in_latents(joint - density - ppca.log_posterior()), M), gram), Scalar(0))


U, L, LAMBDA = letter("U", n, k), letter("L", k, k, "diagonal"), letter("P", k, k, "diagonal")
K = defined("K", L @ L + sigma2 * identity(k))
COLUMNS = (relation(U.T @ U, identity(k)), relation(S @ U, U @ LAMBDA))
ALONG_AXES = {"W": U @ L, "V": inverse(K) @ L @ U.T, "D": sigma2 * inverse(K)}


@ESCAPE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_escape_brings_its_value_for_any_number_of_directions(record):
    # L^2 = diag(rho) - s I: then K = diag(rho).
    at_escape = (relation(U.T @ U, identity(k)), relation(S @ U, U @ K), relation(L @ L, K - sigma2 * identity(k)))
    change = substitute(expectation(change_of_elbo(b, x - c), x, c, S), {**ALONG_AXES, "b": c})
    found = reduce(change, *at_escape)
    gains = (trace(K) / sigma2 - k + k * sp.log(sigma2) - log_det(K)) / 2
    same(found, gains + trace(c.T @ c) / (2 * sigma2))
    with rejected():  # b forgotten
        left = substitute(expectation(change_of_elbo(b, x - c), x, c, S), {**ALONG_AXES, "b": 0 * c})
        same(reduce(left, *at_escape), gains + trace(c.T @ c) / (2 * sigma2))
    record(instances=1)
    record.witness(f"{found}")


rho, s, a, more = sp.symbols("rho s a more", positive=True)
ALONG = (rho * a / (s * (s + a)) - sp.log(1 + a / s)) / 2


def check_saddle(gain):
    """The slope of the gain in a: positive below a = rho - s where rho > s, negative everywhere else."""
    slope = sp.factor(sp.diff(gain, a))
    vanishes(slope.subs(a, 0) - (rho - s) / (2 * s**2))
    check(slope.subs(rho, 0).is_negative, "does not fall where the residuals have no variance")
    check(slope.subs(rho, s + a + more).is_positive, "does not rise up to rho - s")
    share = sp.Symbol("share", positive=True)  # rho = (s + a) share/(share + 1) < s + a
    check(sp.simplify(slope.subs(rho, (s + a) * share / (share + 1))).is_negative, "does not fall beyond it")


@SADDLE.evidence(role="supports", kind="symbolic", strength="proved")
def test_a_small_column_rises_iff_the_direction_exceeds_the_noise(record):
    # In words: columns of any lengths a_i on eigenvectors rho_i, L^2 = diag(a), K = diag(a) + s.
    value = reduce(substitute(linear_vae.elbo() - without_latents(), ALONG_AXES), *COLUMNS)
    squares = relation(L @ L, K - sigma2 * identity(k))
    of_all = (trace(LAMBDA) / sigma2 - trace(LAMBDA @ inverse(K)) + k * sp.log(sigma2) - log_det(K)) / 2
    same(reduce(value, squares), of_all)
    # It is what the likelihood of the residuals gains, which no encoder exceeds (step bound): so this one is the best.
    same(reduce(substitute(expand(M, M), ALONG_AXES), *COLUMNS), expand(K, K))
    likelihood = substitute(in_latents(ppca.log_likelihood()), {"M": K, **ALONG_AXES})
    same(reduce(likelihood - without_latents(), *COLUMNS, squares), of_all)
    # One entry of it: rho/s - rho/(s + a) - log((s + a)/s).
    vanishes(sp.expand_log((rho / s - rho / (s + a) + sp.log(s) - sp.log(s + a)) / 2 - ALONG))
    vanishes(ALONG.subs(a, 0))
    check_saddle(ALONG)
    record(instances=6)
    for wrong in (ALONG / 2, ALONG.subs(rho, 2 * rho), -ALONG):
        with rejected():
            check_saddle(wrong)


def check_rises(of_noise):
    check(sp.expand(of_noise.subs(s, s + a) - of_noise).is_positive, "does not rise")


def slope_in_noise(kept, left, unused, noise, spread):
    """2 s^2 times minus the derivative of the best ELBO at noise s in s, one number for each kind of eigenvalue.

    kept: of the first m, above the noise; left: of the first m, not above; unused: beyond the first m.
    """
    minus_twice = sum(sp.log(r) + 1 for r in kept) + sum(sp.log(noise) + r / noise for r in (*left, *unused))
    return sp.expand(noise**2 * sp.diff(minus_twice + spread / noise, noise))


@NOISE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_spread_of_f_stays_in_the_error_and_one_noise_is_best(record):
    # The fit without latents at another noise, over q and the data: T = tr F on top of tr R + |c|^2.
    of_f = expectation(log_noise(x - f), f, fbar, F)
    same(of_f, log_noise(x - fbar) - trace(F) / (2 * sigma2))
    with rejected():  # as theory 6.1 has it
        same(of_f, log_noise(x - fbar))
    # With the best latents at s: -2 ELBO = const + sum over kept (log rho + 1) + sum over others (log s + rho/s) + T/s.
    p, l, u, T = sp.symbols("p l u T", positive=True)
    vanishes(slope_in_noise([p], [l], [u], s, T) - ((s - l) + (s - u) - T))
    with rejected():  # T forgotten
        vanishes(slope_in_noise([p], [l], [u], s, T) - ((s - l) + (s - u)))
    # It is sum_{j <= m} max(s - rho_j, 0) + sum_{j > m} (s - rho_j) - T: no term falls as s grows, and those beyond m
    # rise strictly; there is one such, m < n. At s -> 0 it is not positive, and it tends to infinity: one zero.
    for low in (0, more, -more):  # s - rho
        check((sp.Max(low + a, 0) - sp.Max(low, 0)).is_nonnegative, "falls")
    check_rises(slope_in_noise([], [], [u], s, T))
    with rejected():  # m = n: what is kept has no slope, and the zero may be an interval
        check_rises(slope_in_noise([p], [], [], s, T))
    for left_over, spread in ((u, 0), (0, T)):
        check(slope_in_noise([p], [l], [left_over], s, spread).subs({s: 0, l: 0}).is_negative, "not negative at s = 0")
    # The zero: (n - q) s = T + the sum of what is not kept.
    same(sp.solve(slope_in_noise([p], [l], [u], s, T), s), [(T + l + u) / 2])
    # Each eigenvalue brings a term of its own; so with any numbers of them, their sums for l and u:
    of_left, of_unused = (slope_in_noise([], [r], [], s, 0) for r in (l, u))
    vanishes(slope_in_noise([p, p], [l, l], [u, u, u], s, T) - (2 * of_left + 3 * of_unused - T))
    many, lefts, unuseds = sp.symbols("many lefts unuseds", positive=True)  # n - q, and the two sums
    same(sp.solve(many * s - lefts - unuseds - T, s), [(T + lefts + unuseds) / many])
    record(instances=6)
    record.witness("rho = (5, 1, 1), m = 1, T = 4: s = 3 and not 1, the mean of the discarded")


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_entail_the_largest_change(record):
    goal = "independent & weighted & noise_learned -> saddle_iff_above & value_reached & beta_times & one_best_noise"
    record(instances=concludes(CLAIM, goal, USED))
    with rejected():  # of an encoder of w that sees z
        concludes(CLAIM, goal.replace("independent & ", ""), USED)


def random_small_vae(rng):
    """An untrained one on data about 0."""
    X = curved_data(rng, 25) * float(rng.uniform(0.5, 3))
    count = sum(a * b for a, b in sizes(4))
    return SmallVAE(rng.standard_normal(count), X, float(np.exp(rng.uniform(-2, 1))))


def promised(residuals, noise, latents=None):
    return shift_nats(residuals.mean, noise) + float(direction_nats(residuals.eigenvalues, noise)[:latents].sum())


@ESCAPE.evidence(role="supports", kind="numeric")
def test_installed_in_a_nonlinear_vae_it_brings_what_was_promised(record, thorough):
    """The whole ELBO again, with both kinds of latents, by quadrature over pairs of nodes."""
    rng = np.random.default_rng(71)
    for trial in range(thorough(20, 200)):
        vae = random_small_vae(rng)
        rbar, _ = vae.residuals()
        latents = int(rng.integers(1, 3))
        added = escape(covariance(rbar), vae.s, latents)
        change = float(np.mean(vae.elbo_with(added, added.encode(rbar)) - vae.elbo()))
        expected = promised(covariance(rbar), vae.s, latents)
        scale = expected + float(np.abs(vae.elbo()).mean())
        record(worst_error=agree(change, expected, tolerance=1e-12, scale=scale))
        record(instances=0, worst_error=agree(installed_nats(added, rbar, rbar, vae.s).mean(), change, tolerance=1e-12))
        if trial < 5:
            with rejected():  # b forgotten
                left = replace(added, b=0 * added.b)
                agree(np.mean(vae.elbo_with(left, left.encode(rbar)) - vae.elbo()), expected, tolerance=1e-6)


@ESCAPE.evidence(role="supports", kind="numeric")
def test_a_trained_vae_is_revived(record, thorough):
    """It has one latent and data of three directions: what the two others bring is known before they are there."""
    for seed in range(thorough(1, 10)):
        rng = np.random.default_rng(seed)
        vae = trained(rng, curved_data(rng, 40), 0.2)
        rbar, _ = vae.residuals()
        residuals = covariance(rbar)
        added = escape(residuals, vae.s)
        expected = promised(residuals, vae.s)
        check(expected > 0.1 and added.latents > 0, "nothing to revive")
        change = float(np.mean(vae.elbo_with(added, added.encode(rbar)) - vae.elbo()))
        record(worst_error=agree(change, expected, tolerance=1e-11))
        record.witness(f"{added.latents} latents bring {change:.6f} of {expected:.6f} promised nats")
        # Nothing near it is higher: all of U, V, D, b moved at random.
        for _ in range(50):
            moved = replace(
                added,
                U=added.U + 0.05 * rng.standard_normal(added.U.shape),
                V=added.V + 0.05 * rng.standard_normal(added.V.shape),
                D=added.D * np.exp(0.1 * rng.standard_normal(added.latents)),
                b=added.b + 0.02 * rng.standard_normal(4),
            )
            at_most(np.mean(vae.elbo_with(moved, moved.encode(rbar)) - vae.elbo()), expected)


@BOUND.evidence(role="supports", kind="numeric")
def test_no_table_of_means_and_no_other_function_of_x_gains_more(record, thorough):
    """Also what is encoded from x - f at the mean of q, as a reconstruction there gives it: one function of x."""
    rng = np.random.default_rng(72)
    for _ in range(thorough(20, 200)):
        vae = random_small_vae(rng)
        rbar, _ = vae.residuals()
        best = promised(covariance(rbar), vae.s)
        at_mean = vae.X - vae.decode(vae.encode()[0])
        added = escape(covariance(at_mean), vae.s)
        slack = 1e-12 * float(np.abs(vae.elbo()).mean() + best)
        for means in (added.encode(at_mean), added.encode(np.tanh(rbar)), added.encode(rbar) + rng.standard_normal()):
            change = float(np.mean(vae.elbo_with(added, means) - vae.elbo()))
            record(worst_error=at_most(change, best, slack=slack))
        # What it brings is told by the true residuals, and not by those that it was made from.
        told = installed_nats(added, at_mean, rbar, vae.s)
        change = vae.elbo_with(added, added.encode(at_mean)) - vae.elbo()
        record(instances=0, worst_error=agree(told, change, tolerance=1e-11, scale=slack * 1e12))


def sampled(vae):
    """Mean and covariance of the residuals x - f(z) at draws of z, by the nodes: R + mean Cov_q f."""
    rbar, at_nodes = vae.residuals()
    _, mass = vae.at_nodes
    center = rbar.mean(axis=0)
    off = at_nodes - center
    return center, np.einsum("ipa,ipb,p->ab", off, off, mass) / len(rbar)


@BOUND.evidence(role="control", kind="numeric")
def test_the_covariance_of_sampled_residuals_promises_what_only_an_encoder_that_sees_z_can_keep(record):
    rng = np.random.default_rng(73)
    for _ in range(10):
        vae = random_small_vae(rng)
        rbar, at_nodes = vae.residuals()
        center, larger = sampled(vae)
        values, vectors = np.linalg.eigh(larger)
        too_much = shift_nats(center, vae.s) + float(direction_nats(values, vae.s).sum())
        kept = values > vae.s
        if not kept.any():
            continue
        columns = vectors[:, kept] * np.sqrt(values[kept] - vae.s)
        added = replace(
            escape(covariance(rbar), vae.s), U=columns, V=(columns / values[kept]).T, D=vae.s / values[kept]
        )
        blind = float(np.mean(vae.elbo_with(added, added.encode(rbar)) - vae.elbo()))
        seeing = float(np.mean(vae.elbo_with(added, added.encode(at_nodes)) - vae.elbo()))
        agree(seeing, too_much, tolerance=1e-11, scale=too_much + float(np.abs(vae.elbo()).mean()))
        best = promised(covariance(rbar), vae.s)
        at_most(blind, best, slack=1e-12 * (1 + best))
        with rejected():  # that the encoder which sees z gains no more
            at_most(seeing, best)
        with rejected():  # that the escape made from the sampled residuals brings what it promises
            agree(blind, too_much, tolerance=1e-3)
        record()


@EXPANSION.evidence(role="supports", kind="numeric")
def test_single_draws_tell_the_change_without_bias(record, thorough):
    rng = np.random.default_rng(74)
    vae = random_small_vae(rng)
    rbar, at_nodes = vae.residuals()
    _, mass = vae.at_nodes
    added = escape(covariance(rbar), vae.s, 2)
    exact = float(installed_nats(added, rbar, rbar, vae.s).mean())
    told = []
    for _ in range(thorough(2000, 20000)):
        draw = at_nodes[np.arange(len(rbar)), rng.choice(len(mass), size=len(rbar), p=mass)]
        told.append(installed_nats(added, rbar, draw, vae.s).mean())
    error = np.std(told) / np.sqrt(len(told))
    # Five standard errors: one false alarm in two million.
    record(worst_error=at_most(abs(np.mean(told) - exact), 5 * error))
    with rejected():  # encoded from the very draw: what an encoder that sees z would gain
        seeing = [
            installed_nats(added, draw, draw, vae.s).mean()
            for draw in (at_nodes[np.arange(len(rbar)), rng.choice(len(mass), len(rbar), p=mass)] for _ in told)
        ]
        at_most(abs(np.mean(seeing) - exact), 5 * np.std(seeing) / np.sqrt(len(seeing)))


@ESCAPE.evidence(role="supports", kind="property")
@given(problem=hard_problems(max_n=5), seed=st.integers(0, 2**32 - 1))
def test_on_hostile_residuals_the_escape_brings_its_value(problem, seed, record):
    """Ties, zeros, twelve decades, the noise on a threshold, fewer data than dimensions."""
    rng = np.random.default_rng(seed)
    N = int(rng.integers(2, 9))
    rows = (rng.standard_normal((N, problem.n)) * np.sqrt(problem.lam)) @ problem.U.T
    rbar = rows + rng.standard_normal(problem.n) * np.sqrt(problem.lam[0])
    residuals = covariance(rbar, noises=[problem.sigma2])
    for latents in (1, problem.k, None):
        added = escape(residuals, problem.sigma2, latents)
        expected = promised(residuals, problem.sigma2, latents)
        found = float(installed_nats(added, rbar, rbar, problem.sigma2).mean())
        # Squares of the residuals over s, which may cancel.
        scale = 1 + float((rbar**2).sum(axis=1).mean()) / problem.sigma2
        record(worst_error=agree(found, expected, tolerance=1e-12, scale=scale))


@NOISE.evidence(role="supports", kind="property")
@given(problem=hard_problems(max_n=6), share=st.sampled_from([0.0, 1e-6, 0.3, 10.0]))
def test_no_other_noise_is_better_on_hostile_spectra(problem, share, record):
    lam, n_ = problem.lam, problem.n
    latents = min(problem.k, n_ - 1)
    spread = share * float(lam[0])
    best = noise_with_latents(lam, spread, latents)
    if best == 0:  # nothing is left over: the noise has no optimum
        same(float(lam[latents:].sum() + spread), 0.0)
        return record()

    def minus_twice(noise):
        kept = lam[:latents][lam[:latents] > noise]
        rest = float(lam.sum() - kept.sum()) + spread
        return float(np.sum(np.log(kept)) + len(kept) + (n_ - len(kept)) * np.log(noise) + rest / noise)

    for other in best * 10.0 ** np.linspace(-3, 3, 41):
        # Rounding is relative to the terms, of which log s may be the largest.
        slack = 1e-12 * (n_ * (2 + abs(np.log(other))) + abs(minus_twice(other)))
        record(worst_error=at_most(minus_twice(best), minus_twice(other), slack=slack))


@NOISE.evidence(role="control", kind="numeric")
def test_the_mean_of_the_discarded_eigenvalues_is_rejected_where_f_has_a_spread():
    lam = np.array([5.0, 1.0, 1.0])
    agree(noise_with_latents(lam, 0.0, 1), 1.0, tolerance=1e-15)
    agree(noise_with_latents(lam, 4.0, 1), 3.0, tolerance=1e-15)
    with rejected():
        agree(noise_with_latents(lam, 4.0, 1), lam[1:].mean(), tolerance=1e-3)
