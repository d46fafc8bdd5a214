"""Training: the optima it must reach, what must not depend on grouping, freezing, memory, and annealing."""

import weakref

import numpy as np
import pytest

from gpu.vae import model
from gpu.vae.adam import adam, flush
from gpu.vae.architecture import Architecture, Layout
from gpu.vae.plan import Plan, Run
from gpu.vae.training import Group, State, fresh, group_size, train
from tests.gpu.vae.problems import Fixed, Redrawn
from verify.errors import InputError
from verify.models import ppca

MLP = Architecture("mlp", 8, 3, (7, 6))


def rows(N=60, n=8, seed=0, spread=None):
    """Data whose covariance has falling eigenvalues."""
    rng = np.random.default_rng(seed)
    spread = np.linspace(2.0, 0.3, n) if spread is None else np.asarray(spread)
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    return rng.standard_normal((N, n)) * spread @ Q + 0.5


def same(a, b):
    return all(getattr(a, name) == getattr(b, name) for name in ("run", "evaluation", "frozen", "history", "watched"))


RUNS = (Run(0.5, False, seed=1), Run(2.0, True, seed=2, anneal=2), Run(0.1, True, seed=3, learning_rate=3e-3, beta=0.5))


@pytest.mark.parametrize("data", [Fixed(rows()), Redrawn(rows())], ids=["once", "every epoch"])
def test_a_watched_training_tells_what_shorter_ones_would(data):
    watched = train(Plan(MLP, RUNS, 5, 16, watched=(2, 3)), data)
    plain = train(Plan(MLP, RUNS, 5, 16), data)
    assert [o.evaluation for o in watched] == [o.evaluation for o in plain]  # looking changes nothing
    for at, epochs in enumerate((2, 3)):
        shorter = train(Plan(MLP, RUNS, epochs, 16), data)
        assert [o.watched[at] for o in watched] == [o.evaluation for o in shorter]
        assert all(o.watched[at] != o.evaluation for o in watched)


def test_a_model_that_diverges_is_not_seen_afterwards():
    runs = (Run(1.0, False, learning_rate=1e30), Run(1.0, False))
    lost, kept = train(Plan(MLP, runs, 3, 16, watched=(1, 3)), Fixed(rows()))
    assert lost.frozen and lost.watched[-1] is None
    assert None not in kept.watched and kept.watched[1] == kept.evaluation


@pytest.mark.parametrize("data", [Fixed(rows()), Redrawn(rows())], ids=["once", "every epoch"])
def test_groups_of_any_size_give_the_same_bits(data):
    expected = train(Plan(MLP, RUNS, 4, 16, watched=(2,)), data)
    for group in (1, 2):
        found = train(Plan(MLP, RUNS, 4, 16, group=group, watched=(2,)), data)
        assert all(same(a, b) for a, b in zip(found, expected, strict=True))
    other = train(Plan(MLP, tuple(Run(r.sigma2, r.learned, r.seed + 9) for r in RUNS), 4, 16), data)
    assert not any(same(a, b) for a, b in zip(other, expected, strict=True))


def descend(plan, X, rates, steps):
    """Train with falling learning rates; -> the group."""
    group = Group(plan, fresh(plan, range(len(plan.runs))), Fixed(X))
    for rate in rates:
        group.rates = np.full(len(plan.runs), rate)
        group.advance(group.state.step + steps)
    return group


def test_the_linear_vae_reaches_the_optimum_of_ppca():
    """Lemma 1 and Corollary 1 by descent: fixed noise with a collapsed latent, and learned noise."""
    X = rows(200, 6, spread=[2.0, 1.6, 1.2, 0.5, 0.4, 0.3])
    S = np.cov(X.T, bias=True)
    lam, U = (a[..., ::-1] for a in np.linalg.eigh(S))
    noise = 0.5 * (lam[1] + lam[2])
    runs = (Run(float(noise), False, seed=3), Run(1.0, True, seed=4))
    plan = Plan(Architecture("linear", 6, 3), runs, 10**9, len(X), analytic=True, dtype="float64")
    group = descend(plan, X, [1e-2, 1e-3, 1e-4, 1e-5], 3000)
    W_fixed = ppca.fixed_noise_maximum(lam, U, 3, float(noise))
    W_learned, mle = ppca.maximum_likelihood(lam, U, 3)
    best = [ppca.log_likelihood(W_fixed, noise, S), ppca.log_likelihood(W_learned, mle, S)]
    outcomes = group.outcomes()
    found = group.ensemble.layout.views(group.state.parameters)["decoder.0.weight"]
    for e, (outcome, W) in enumerate(zip(outcomes, (W_fixed, W_learned), strict=True)):
        assert best[e] - 1e-6 <= outcome.evaluation.elbo <= best[e] + 1e-9
        columns = sorted(found[e], key=lambda w: -w @ w)
        for w, axis in zip(columns, W.T, strict=True):
            assert min(np.abs(w - axis).max(), np.abs(w + axis).max()) <= 1e-3
    assert outcomes[0].evaluation.active_units == 2 and outcomes[1].evaluation.active_units == 3
    # Entropy sum: at a stationary point with learned noise sigma2 is the mean squared error.
    assert outcomes[1].evaluation.sigma2 == pytest.approx(outcomes[1].evaluation.tuned_sigma2, rel=1e-4)
    assert outcomes[1].evaluation.sigma2 == pytest.approx(mle, rel=1e-4)
    assert abs(outcomes[0].evaluation.tuned_sigma2 / noise - 1) > 0.1  # a fixed noise does not follow


def test_the_learned_noise_of_a_deep_model_ends_at_its_mean_squared_error():
    X = rows(256)
    plan = Plan(MLP, (Run(30.0, True, seed=1), Run(5.0, False, seed=1)), 10**9, 256)
    group = descend(plan, X, [1e-2, 1e-3, 1e-4], 800)
    learned, fixed = (o.evaluation for o in group.outcomes())
    # One draw of z for each of 256 x 8 entries leaves a relative error of sqrt(2/2048) = 3%.
    assert learned.sigma2 == pytest.approx(learned.tuned_sigma2, rel=0.1)
    assert abs(fixed.sigma2 / fixed.tuned_sigma2 - 1) > 0.1


def test_annealing_delays_collapse_and_the_fixed_noise_brings_it_back():
    """Figures 7 and 8 in miniature, with one eigenvalue above the noise: relief while beta is small, then none.

    Where the noise is learned, annealing lets it fall sooner, and nothing collapses.
    """
    X = rows(200, 6, spread=[2.2, 1.3, 1.1, 0.6, 0.5, 0.4])
    pairs = [(learned, anneal) for learned in (False, True) for anneal in (0, 800)]
    runs = tuple(Run(3.0, learned, seed=5, anneal=anneal, learning_rate=1e-2) for learned, anneal in pairs)
    plan = Plan(Architecture("linear", 6, 3), runs, 10**9, len(X), analytic=True, dtype="float64")
    group = Group(plan, fresh(plan, range(4)), Fixed(X))
    group.advance(200)
    sooner = [o.evaluation.sigma2 for o in group.outcomes()]
    group.advance(500)
    early = [o.evaluation.collapse_percent for o in group.outcomes()]
    group.advance(2000)
    late = [o.evaluation.collapse_percent for o in group.outcomes()]
    assert early == [pytest.approx(200 / 3), 0, 0, 0]
    assert late == [pytest.approx(200 / 3), pytest.approx(200 / 3), 0, 0]
    assert sooner[3] < 0.8 * sooner[2]


def test_a_model_that_diverges_is_frozen_and_the_others_go_on():
    X = rows()
    runs = (RUNS[0], Run(0.5, False, seed=1, learning_rate=1e30), RUNS[2])
    found = train(Plan(MLP, runs, 5, 16), Fixed(X))
    alone = train(Plan(MLP, (RUNS[0], RUNS[2]), 5, 16), Fixed(X))
    assert same(found[0], alone[0]) and same(found[2], alone[1])
    assert found[1].evaluation is None and 1 < found[1].frozen <= 4
    assert found[0].frozen is None and len(found[1].history) == 5


def test_a_frozen_model_keeps_its_parameters():
    plan = Plan(MLP, (RUNS[0], RUNS[0]), 5, 16)
    state = fresh(plan, range(2))
    state.parameters[1, 3] = np.nan
    before = state.parameters.copy()
    group = Group(plan, state, Fixed(rows()))
    group.advance(3)
    assert np.array_equal(state.parameters[1], before[1], equal_nan=True)
    assert not np.array_equal(state.parameters[0], before[0]) and list(state.frozen) == [0, 1]


def test_losses_of_half_a_million_are_no_reason_to_freeze():
    """At sigma2 = 0.001 the paper's own losses are as large."""
    [found] = train(Plan(MLP, (Run(1e-7, False, seed=1),), 2, 16), Fixed(rows()))
    assert found.frozen is None and found.evaluation.elbo < -500_000


def test_too_little_memory_halves_the_group(monkeypatch):
    """Whatever is trained beside a model, and wherever memory ran out, it comes out the same."""
    expected = train(Plan(MLP, RUNS, 4, 16), Fixed(rows()))
    true, said = Group._step, []

    def step(self, x, noise):
        if len(self.runs) > 1 and self.state.step >= 5:
            raise MemoryError
        true(self, x, noise)

    monkeypatch.setattr(Group, "_step", step)
    found = train(Plan(MLP, RUNS, 4, 16, group=3), Fixed(rows()), note=said.append)
    assert all(same(a, b) for a, b in zip(found, expected, strict=True))
    assert len(said) == 2 and "half as many" in said[0]


def test_where_memory_ran_out_nothing_is_held_any_more(monkeypatch):
    """Not even the models' state may have had room: whatever the failed attempt took is free before the next one."""
    expected = train(Plan(MLP, RUNS, 4, 16), Fixed(rows()))
    true_step, true_on, groups, held = Group._step, State.on, [], []

    def step(self, x, noise):
        groups.append(weakref.ref(self))
        if len(self.runs) == 2:
            raise MemoryError
        true_step(self, x, noise)

    def on(self, xp):
        if len(self.models) == 3:
            raise MemoryError
        return true_on(self, xp)

    monkeypatch.setattr(Group, "_step", step)
    monkeypatch.setattr(State, "on", on)
    found = train(
        Plan(MLP, RUNS, 4, 16, group=3),
        Fixed(rows()),
        note=lambda text: held.append([g() for g in groups if g() is not None]),
    )
    assert held == [[], []] and groups
    assert all(same(a, b) for a, b in zip(found, expected, strict=True))


def test_too_little_memory_for_one_model_is_said(monkeypatch):
    def step(self, x, noise):
        raise MemoryError

    monkeypatch.setattr(Group, "_step", step)
    with pytest.raises(InputError, match="single model"):
        train(Plan(MLP, RUNS, 4, 16), Fixed(rows()))


def test_progress_runs_to_its_end():
    told = []
    train(Plan(MLP, RUNS, 4, 16, group=2), Fixed(rows()), progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (12, 12) and told == sorted(told)


def test_the_host_runs_few_large_models_and_many_small_ones_in_step():
    runs = tuple(Run(1.0, False, seed=s) for s in range(50))
    large = Plan(Architecture("mlp", 784, 200, (1024, 512)), runs, 1, 128)
    assert group_size(large) == 1
    assert group_size(Plan(MLP, runs, 1, 128)) == 50
    assert group_size(Plan(MLP, runs, 1, 128, group=7)) == 7


def test_adam_is_its_definition():
    """Algorithm 1 of Kingma & Ba, written out in float64; the control skips the correction of the moments' start."""
    rng = np.random.default_rng(0)
    p = rng.standard_normal((2, 5))
    m, v, ours = np.zeros_like(p), np.zeros_like(p), p.copy()
    first, second = np.zeros_like(p), np.zeros_like(p)
    uncorrected = p.copy()
    rates = np.array([1e-2, 3e-3])
    for t in range(1, 6):
        g = rng.standard_normal(p.shape)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        p = p - rates[:, None] * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        uncorrected = uncorrected - rates[:, None] * m / (np.sqrt(v) + 1e-8)
        adam(ours, g, first, second, rates, t, np.ones(2, dtype=bool))
        assert np.abs(ours - p).max() <= 1e-14
    assert np.abs(ours - uncorrected).max() > 1e-3


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Run(0.0, False), "sigma2"),
        (lambda: Run(float("nan"), True), "sigma2"),
        (lambda: Run(1.0, False, learning_rate=-1.0), "learning_rate"),
        (lambda: Run(1.0, False, beta=-1.0), "beta"),
        (lambda: Plan(MLP, (), 1), "no models"),
        (lambda: Plan(MLP, RUNS, 0), "epochs"),
        (lambda: Plan(MLP, RUNS, 1, 0), "batch"),
        (lambda: Plan(MLP, RUNS, 1, analytic=True), "linear decoder"),
    ],
)
def test_plans_that_cannot_be_are_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_every_initial_weight_is_drawn_from_the_models_own_stream():
    layout = Layout(MLP)
    both, alone = layout.initial([1, 2], [1.0, 4.0], np.float64), layout.initial([2], [4.0], np.float64)
    assert np.array_equal(both[1], alone[0]) and not np.array_equal(both[0], both[1])
    views = layout.views(both)
    for name, (inputs, outputs) in layout.fans.items():
        bound = np.sqrt(6 / (inputs + outputs))
        assert 0.5 * bound < np.abs(views[name]).max() <= bound
    assert views["log_sigma2"].tolist() == [0.0, np.log(4.0)]


def test_a_fixed_noise_is_evaluated_as_it_was_given():
    """Not as exp of the logarithm that a float32 parameter holds, which misses 0.1 by some 1e-9."""
    X = rows()
    fixed, learned = train(Plan(MLP, (Run(0.1, False, seed=1), Run(0.1, True, seed=1)), 2, 16), Fixed(X))
    e = fixed.evaluation
    assert e.sigma2 == 0.1 and {row[2] for row in fixed.history} == {0.1}
    expected = -e.kl - 4 * np.log(2 * np.pi * 0.1) - e.error / 0.2
    assert e.elbo == pytest.approx(expected, rel=1e-14)
    kept = float(np.exp(np.float64(np.float32(np.log(0.1)))))
    assert kept != 0.1 and abs(-e.kl - 4 * np.log(2 * np.pi * kept) - e.error / (2 * kept) - expected) > 1e-9  # control
    assert learned.evaluation.sigma2 != 0.1


@pytest.mark.parametrize(("anneal", "epochs", "expected"), [(0, 3, 0.5), (2, 3, 0.5), (12, 3, 0.5 * (3 - 1 / 3) / 12)])
def test_the_final_weight_is_that_of_the_last_step(anneal, epochs, expected, monkeypatch):
    seen = []
    true = model.weigh

    def weigh(*args):
        weights = true(*args)
        seen.append(16 * float(weights.kl[0]))
        return weights

    monkeypatch.setattr(model, "weigh", weigh)
    plan = Plan(MLP, (Run(1.0, False, seed=1, beta=0.5, anneal=anneal),), epochs, 16)
    train(plan, Fixed(rows(N=50)))  # three batches of 16
    assert len(seen) == 3 * epochs
    assert plan.final_weight(plan.runs[0], 50) == pytest.approx(seen[-1], rel=1e-15)
    assert seen[-1] == pytest.approx(expected, rel=1e-12)


def test_evaluations_hold_second_moments_and_the_error_without_a_draw():
    X = rows(N=40)
    architecture = Architecture("linear-decoder", 8, 3, (7,))
    plan = Plan(architecture, (Run(0.5, False, seed=1),), 2, 16, dtype="float64")
    group = Group(plan, fresh(plan, [0]), Fixed(X))
    group.advance(group.steps)
    [outcome] = group.outcomes()
    mean, logvar = (np.array(a[0]) for a in group.ensemble.encode(X[None]))
    p = group.ensemble.layout.views(group.state.parameters)
    W, b = p["decoder.0.weight"][0], p["decoder.0.bias"][0]  # y = z W + b
    np.testing.assert_allclose(outcome.evaluation.second_moment, (mean**2 + np.exp(logvar)).mean(axis=0), rtol=1e-12)
    exact = ((mean @ W + b - X) ** 2).sum(axis=1) + np.exp(logvar) @ (W**2).sum(axis=1)
    assert outcome.evaluation.exact_error == pytest.approx(exact.mean(), rel=1e-12)
    assert outcome.evaluation.error != pytest.approx(exact.mean(), rel=1e-3)  # one draw of z, as the tables report
    [deep] = train(Plan(MLP, RUNS[:1], 1, 16), Fixed(X))
    assert deep.evaluation.exact_error is None


def test_float64_rows_that_single_precision_cannot_hold_are_refused():
    plan = Plan(MLP, RUNS[:1], 1, 16)
    with pytest.raises(InputError, match="not held by single precision"):
        train(plan, Fixed(rows() + 1e8))
    train(Plan(MLP, RUNS[:1], 1, 16, dtype="float64"), Fixed(rows() + 1e3))


def test_weights_that_decay_for_ever_do_not_become_subnormal():
    """They would make every product some hundred times slower: a pixel that is always black, many steps."""
    data = rows().copy()
    data[:, :3] = 0
    plan = Plan(Architecture("linear", data.shape[1], 2), (Run(0.5, False, learning_rate=1e-2),), 3000, len(data), True)
    group = Group(plan, fresh(plan, [0]), Fixed(data))
    group.advance(plan.epochs)
    tiny, state = np.finfo(np.float32).tiny, group.state
    W = group.ensemble._p["decoder.0.weight"][0]
    assert (W[:, :3] == 0).any()  # they did decay
    for array in (state.parameters, state.first, state.second, group.ensemble.gradient):
        assert not ((array != 0) & (np.abs(array) < tiny)).any()


def test_only_what_is_negligible_is_flushed():
    for dtype in (np.float32, np.float64):
        tiny = np.finfo(dtype).tiny
        array = np.array([0.0, 1.0, -1e-20, 1e9 * tiny, -1e7 * tiny, tiny / 4, np.nan, -np.inf], dtype=dtype)
        flush(array)
        expected = np.array([0.0, 1.0, -1e-20, 1e9 * tiny, 0.0, 0.0, np.nan, -np.inf], dtype=dtype)
        np.testing.assert_array_equal(array, expected)
