"""Theorem 1 where the noise is learned too: every local maximum of the ELBO is a global maximum of the likelihood.

Statement   (W, V, D, sigma2) is a local maximum of the ELBO iff the columns of W are orthogonal, (W, sigma2) is a
            global maximum of L, and the encoder is optimal.  So where L is unbounded the ELBO has no local maximum.
Hypotheses  sigma2 > 0 is a variable like the others.
Source      ours; Lucas et al. 2019 prove Theorem 1 at fixed noise and use it with learned noise; docs, section 6.
Method      a maximum in all variables is one at its own noise (claim theorem-1).  There the ELBO and L have the same
            slope in sigma2, in words for all n and k, which makes the noise the mean of the discarded eigenvalues; as
            none of these exceeds the noise where a column is zero, all are equal to it then (fact mean).
            Beside it: all families of stationary points with their joint Hessians.
"""

from fractions import Fraction
from itertools import combinations_with_replacement

import numpy as np
import sympy as sp

from proofs.machinery.checks import agree, at_most, check, rejected, same, vanishes
from proofs.machinery.claims import Claim
from proofs.machinery.logic import concludes
from proofs.problems.points_in_words import LIKELIHOOD_POINT, K
from proofs.problems.spectra import landscapes
from verify.landscape.families import learned_noise_families
from verify.landscape.points import weights
from verify.models import linear_vae, ppca
from verify.symbolic import linear_vae as in_words
from verify.symbolic import ppca as likelihood_in_words
from verify.symbolic.letters import M, S, W, gram, k, marginal_precision, n, sigma2
from verify.symbolic.matrix_calculus import identity, letter, zero
from verify.symbolic.relations import reduce, relation, substitute
from verify.symbolic.traces import Scalar, trace

CLAIM = Claim(
    id="theorem-1-learned",
    source="ours, after Theorem 1",
    statement="with learned noise, too, every local maximum of the ELBO is a global maximum of the likelihood",
    hypotheses="sigma2 > 0 free",
    section="The linear VAE",
    rests_on=("theorem-1", "profile", "eq-24-28", "fixed-noise-maxima", "eq-07-08", "c-equals-s"),
    trusts=("mean", "second-order"),
)
SLOPE = CLAIM.step(
    "slope",
    "at an optimal encoder, where the columns of W are orthogonal, the ELBO and L have the same derivative in "
    "sigma2, for all n and k",
    says="flat_noise & orthogonal & optimal -> flat_noise_of_L",
    place="Theorem 1",
)
MEAN = CLAIM.step(
    "mean",
    "at a stationary W of L, 2 sigma2^2 dL/dsigma2 is the sum of lam_j - sigma2 over the discarded j, for all n and k: "
    "where it vanishes sigma2 is the mean of the discarded eigenvalues, if there are any",
    says="flat_noise_of_L & on_top -> mean",
    place="Theorem 1",
)
CASES = CLAIM.step(
    "cases",
    "if W retains the q = min(k, number above sigma2) largest eigenvalues, then q = k < n, and these are the k "
    "largest; or no discarded eigenvalue exceeds sigma2: for if q < k, those above it are q and all retained, and if "
    "q = k >= n, nothing is discarded",
    says="on_top -> largest_k | none_above",
    place="Theorem 1",
)
EQUAL = CLAIM.step(
    "equal",
    "where W retains lam_a > sigma2 as at the stationary points of L and all discarded eigenvalues equal sigma2, C = "
    "S, for all n and k",
    says="on_top & discarded_equal_noise -> C_is_S",
    place=("Theorem 1", "Proposition 5"),
)
BOUND = CLAIM.step(
    "bound",
    "where P equals L, and L its maximum over W and sigma2, P is nowhere larger",
    says="below & tight & global_L -> max_of_P",
    place="Theorem 1",
)
CONCLUSION = CLAIM.step(
    "conclusion",
    "(W, V, D, sigma2) is a local maximum of the ELBO iff (W, sigma2) is a global maximum of L, the columns of W are "
    "orthogonal and the encoder is optimal; at every other stationary point P has a direction of positive curvature in "
    "W alone",
    place="Theorem 1",
)

Y = letter("Y", k, n)
NO_EFFECT = relation(Y @ S, zero(k, n))


def noise_slopes():
    """dELBO/dsigma2 at an optimal encoder, dP/dsigma2, and dL/dsigma2 by Woodbury."""
    best_V, best_D = in_words.optimal_encoder()
    of_elbo = reduce(substitute(in_words.gradients().sigma2, {"V": best_V + Y, "D": best_D}), NO_EFFECT, gram)
    of_likelihood = reduce(likelihood_in_words.noise_gradient(), marginal_precision(), gram)
    return of_elbo, in_words.profile_noise_gradient(), of_likelihood


@SLOPE.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_slopes_in_the_noise_agree_where_columns_are_orthogonal_for_all_n_and_k(record):
    of_elbo, of_profile, of_likelihood = noise_slopes()
    same(of_elbo, of_profile)
    orthogonal = relation(W.T @ W, K - sigma2 * identity(k))
    here = [reduce(substitute(f, {"M": K}), orthogonal) for f in (of_elbo, of_likelihood)]
    same(*here)
    with rejected():  # not of every W
        same(of_elbo, of_likelihood)
    with rejected():
        same(here[0], 2 * here[1])
    record(instances=2)


@MEAN.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_noise_is_the_mean_of_the_discarded_for_all_n_and_k(record):
    """tr M is the sum of the retained lam_a and (k - q) sigma2: M has these eigenvalues (docs, Proposition 2)."""
    of_likelihood = noise_slopes()[2]
    found = reduce(2 * sigma2**2 * of_likelihood, *LIKELIHOOD_POINT)
    same(found, trace(S) - trace(M) - (n - k) * sigma2)
    # W = U F R, S U = U (F^2 + sigma2 I), q eigenvectors: tr M is the sum of lam_a = f_a^2 + sigma2, and the rest.
    size = sp.Symbol("q", integer=True, positive=True)
    U, F, R = letter("U", n, size), letter("F", size, size, "diagonal"), letter("R", size, k)
    at = U @ F @ R
    rows = relation(U.T @ U, identity(size)), relation(R @ R.T, identity(size))
    retained_sum = trace(F @ F + sigma2 * identity(size))
    same(reduce(trace(at.T @ at + sigma2 * identity(k)), *rows), retained_sum + (k - size) * sigma2)
    # q = 0: W = 0, and tr M = k sigma2.
    of_zero = substitute(trace(W.T @ W + sigma2 * identity(k)), {"W": 0 * W})
    same(of_zero, Scalar(k * sigma2))
    q, retained, discarded = sp.symbols("q sum_retained sum_discarded")
    left = (retained + discarded) - (retained + (k - q) * sigma2) - (n - k) * sigma2
    vanishes(left - (discarded - (n - q) * sigma2))
    same(sp.solve(left, sigma2), [discarded / (n - q)])
    with rejected():
        vanishes(left - (discarded - (n - k) * sigma2))
    for wrong in (trace(S) - trace(M) - n * sigma2, trace(S) + trace(M) - (n - k) * sigma2, trace(S) - trace(M)):
        with rejected():
            same(found, wrong)
    record(instances=3)


@CASES.evidence(role="supports", kind="symbolic", strength="proved")
def test_all_columns_are_used_or_nothing_above_the_noise_is_left(record):
    """q = min(k, above) is k (and k < n, or nothing is discarded); or it is less, and all those above are retained."""
    columns, above = sp.symbols("k above", integer=True, nonnegative=True)
    check_least(sp.Min(columns, above), columns, above)
    with rejected():
        check_least(sp.Max(columns, above), columns, above)
    record(instances=1)


def check_least(q, columns, above):
    """q = k, or q = above < k and none of those above is discarded."""
    more, as_many = sp.Symbol("more", positive=True), sp.Symbol("as_many_or_more", nonnegative=True)
    same(q.subs(columns, above + more), above)
    same(q.subs(above, columns + as_many), columns)


@EQUAL.evidence(role="supports", kind="symbolic", strength="proved")
def test_discarded_eigenvalues_at_the_noise_make_c_equal_to_s_for_all_n_and_k(record):
    """W = U F R, S = U (F^2 + sigma2 I) U^T + N Lam N^T, N the discarded eigenvectors: N N^T = I - U U^T."""
    q = sp.Symbol("q", integer=True, positive=True)
    U, F, R = letter("U", n, q), letter("F", q, q, "diagonal"), letter("R", q, k)
    N, Lam = letter("N", n, n - q), letter("Lam", n - q, n - q, "diagonal")
    basis = relation(R @ R.T, identity(q)), relation(N @ N.T, identity(n) - U @ U.T)
    marginal = reduce((U @ F @ R) @ (U @ F @ R).T, *basis) + sigma2 * identity(n)
    data = U @ (F @ F + sigma2 * identity(q)) @ U.T + N @ Lam @ N.T
    same(reduce(substitute(data, {"Lam": sigma2 * identity(n - q)}), *basis), marginal)
    with rejected():  # whatever is discarded
        same(reduce(data, *basis), marginal)
    # W = 0, q = 0: S = sigma2 I = C.
    all_of_it = letter("N", n, n)
    whole = reduce(all_of_it @ (sigma2 * identity(n)) @ all_of_it.T, relation(all_of_it @ all_of_it.T, identity(n)))
    same(whole, sigma2 * identity(n))
    record(instances=2)


def check_cases(lam, k, q, noise):
    """lam falls, the first q are retained, q = min(k, number above the noise): largest k, or none of the others is
    above it, and so all equal it."""
    check(q == k or all(x == noise for x in lam[q:]), f"{lam}, k = {k}: neither case at q = {q}")


@CASES.evidence(role="supports", kind="symbolic")
def test_every_spectrum_of_small_numbers_is_in_one_of_the_cases(record):
    """Exact, ties included: all spectra of n <= 5 numbers out of 0, ..., 4; k up to n + 2."""
    seen = 0
    for n_ in range(1, 6):
        for lam in combinations_with_replacement(range(4, -1, -1), n_):
            for k_, q in ((i, j) for i in range(1, n_ + 3) for j in range(min(i, n_ - 1) + 1)):
                mean = Fraction(sum(lam[q:]), n_ - q)
                if q == min(k_, sum(x > mean for x in lam)):
                    check_cases(lam, k_, q, mean)
                    seen += 1
    with rejected():  # W = 0 at the mean of (3, 1) is not on top for k = 1: 3 exceeds it
        check_cases((3, 1), 1, 0, Fraction(2))
    check(seen > 500, f"only {seen} spectra")
    record(instances=seen)


@BOUND.evidence(role="supports", kind="symbolic", strength="proved")
def test_nothing_is_above_a_bound_that_is_attained(record):
    """Elsewhere P = L - gap and L = max L - lack; here P = L = max L."""
    top, gap, lack = sp.Symbol("max_L", real=True), *sp.symbols("gap lack", nonnegative=True)
    elsewhere = (top - lack) - gap
    check((top - elsewhere).is_nonnegative, "P is nowhere larger")
    with rejected():  # not tight here
        check(
            (top - sp.Symbol("gap_here", positive=True) - elsewhere).is_nonnegative is True, "may be larger elsewhere"
        )
    record(instances=1)


USED = {
    "theorem-1": "(~local_max | optimal & orthogonal & global_at_noise) & "
    "(~flat_P | ~optimal | P_rises | orthogonal & global_at_noise)",
    "profile": "optimal & max_of_P -> local_max",
    "second-order": "local_max -> flat_noise",
    "mean": "none_above & mean -> discarded_equal_noise",
    "fixed-noise-maxima": "global_at_noise -> on_top",
    "eq-07-08": "largest_k & mean -> global_L",
    "c-equals-s": "C_is_S -> global_L",
    "eq-24-28": "(~orthogonal | tight) & below",
}


@CONCLUSION.evidence(role="supports", kind="symbolic", strength="proved")
def test_the_steps_give_the_theorem_both_ways(record):
    """tight: P = L here; below: P <= L everywhere; global_at_noise: W, among all W at this sigma2.

    flat_P, P_rises (to second order): in W at this sigma2.
    """
    both = "local_max & orthogonal & global_L & optimal | ~local_max & (~orthogonal | ~global_L | ~optimal)"
    strict = "~flat_P | ~optimal | ~flat_noise | local_max | P_rises"
    count = concludes(CLAIM, f"({both}) & ({strict})", USED)
    with rejected():  # a point of P that is not stationary in the noise need not rise in W
        concludes(CLAIM, "~flat_P | ~optimal | local_max | P_rises", USED)
    with rejected():  # where some exceed it
        concludes(CLAIM, "local_max <-> orthogonal & global_L & optimal", USED | {"mean": "mean & none_above -> mean"})
    for too_much in ("local_max <-> orthogonal & global_at_noise & optimal", "global_at_noise -> global_L"):
        with rejected():
            concludes(CLAIM, too_much, USED)
    record(instances=count)


def joint_rises(point, at):
    """Whether the joint Hessian of P at the point has a surely positive eigenvalue."""
    H = linear_vae.profile_joint_hessian(weights(point, at.lam, at.U), point.sigma2, at.S)
    values = np.linalg.eigvalsh(H)
    return bool(values[-1] > 1e-8 * np.abs(values).max())


def check_rising_or_global(point, at, best):
    """A stationary point whose joint Hessian does not rise has orthogonal columns and the largest likelihood."""
    if joint_rises(point, at):
        return 0.0
    check(point.orthogonal or point.bound_gap < 1e-12, "a point that does not rise has orthogonal columns")
    return at_most(best - point.value, 0.0, slack=1e-9 * abs(best))


@CONCLUSION.evidence(role="supports", kind="numeric")
def test_every_family_rises_or_is_a_global_maximum(record, thorough):
    seen = 0
    for at in landscapes(thorough(60, 600), most_n=5, most_k=3, seed=41):
        if not at.bounded:
            continue
        S_, s = at.S, at.with_learned_noise().sigma2 if at.k < at.n else at.lam[-1]
        best = float(ppca.log_likelihood(ppca.fixed_noise_maximum(at.lam, at.U, at.k, s), s, S_))
        for point in learned_noise_families(at.lam, at.k):
            record(instances=1, worst_error=check_rising_or_global(point, at, best))
            seen += 1
    check(seen > 300, "few families were seen")


@CONCLUSION.evidence(role="control", kind="numeric")
def test_a_point_that_rises_is_no_maximum():
    """Where the joint Hessian is not asked, lower points pass for maxima."""
    refused = 0
    for at in landscapes(20, most_n=5, most_k=3, seed=42, generic=True):
        if at.k == at.n:
            continue
        points = learned_noise_families(at.lam, at.k)
        best = max(p.value for p in points)
        for point in points:
            if best - point.value > 1e-3:
                with rejected():
                    at_most(best - point.value, 0.0, slack=1e-9 * abs(best))
                check(joint_rises(point, at), "it rises")
                refused += 1
    check(refused > 20, "few points were tried")


def check_slopes(W_, s, S_):
    """dELBO/dsigma2 at the optimal encoder is dL/dsigma2; -> the error."""
    found = float(linear_vae.gradients(W_, *linear_vae.optimal_encoder(W_, s), s, S_).sigma2)
    scale = 1 / s + np.trace(S_) / s**2
    return agree(found, float(ppca.noise_gradient(W_, s, S_)), tolerance=1e-12, scale=scale)


@SLOPE.evidence(role="supports", kind="numeric")
def test_the_slopes_of_the_code_agree_at_orthogonal_columns(record):
    rng = np.random.default_rng(43)
    for _ in range(50):
        columns = int(rng.integers(2, 4))
        size = columns + int(rng.integers(1, 4))
        W_ = np.linalg.qr(rng.standard_normal((size, columns)))[0] * rng.uniform(0.2, 2, columns)
        S_ = np.cov(rng.standard_normal((size, 3 * size)), bias=True)
        s = float(rng.uniform(0.2, 1.5))
        record(worst_error=check_slopes(W_, s, S_))
        with rejected():  # where they are not
            check_slopes(W_ + 0.1, s, S_)
