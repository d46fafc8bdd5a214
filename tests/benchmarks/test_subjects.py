"""Every subject at a small size, in this process: ours and the peers agree, and the check tells a wrong answer."""

import importlib

import numpy as np
import pytest

from benchmarks import ends, enumeration, hessian, product, reading, spectrum, training
from benchmarks.__main__ import MODULES
from benchmarks.harness import FULL
from gpu.enumeration import candidates
from verify.models import ppca

PLACE = {"n": 9, "k": 4}
SMALL = {"k": 3, "batch": 6, "models": 2}
CASES = {
    "spectrum": (spectrum, spectrum.closed_form, PLACE),
    "hessian": (hessian, hessian.assembled, PLACE),
    "product, stationary": (product, product.matrix_free, PLACE | {"stationary": True}),
    "product, anywhere": (product, product.matrix_free, PLACE | {"stationary": False}),
    # No copies: at so small a size Lanczos converges before it meets them, and misses some.
    "ends": (ends, ends.matrix_free, {"n": 30, "k": 4, "unused": 0, "zeros": 0}),
    "enumeration": (enumeration, enumeration.walk, {"n": 12, "k": 5}),
    "training, mlp": (training, training.ensemble, SMALL | {"arch": "mlp", "n": 12, "hidden": (9, 7)}),
    "reading": (reading, reading.ours, {"N": 300, "n": 4}),
    "training, conv": (training, training.ensemble, SMALL | {"arch": "conv", "n": 192, "hidden": (4, 5, 6)}),
}
TOLERANCE = 1e-8  # what the loosest subject in float64 allows
SINGLE = 1e-5  # gradients in float32, sums of some ten terms


def answer_of(run):
    return {name: np.asarray(a) for name, a in run().items()}


def peers():
    """(case, "module:function", the library it needs) of every peer of every subject."""
    for case, (module, _, _) in CASES.items():
        for peer in {p.where: p for s in module.subjects(False) for p in s.peers}.values():
            if not peer.wrong_on_purpose or "deflated" in peer.name:
                yield case, peer.where, peer.packages


@pytest.mark.filterwarnings("default")  # what other libraries warn of is not ours to mend
@pytest.mark.parametrize(("case", "where", "needs"), list(peers()), ids=lambda x: str(x))
def test_peers_agree_with_ours(case, where, needs):
    for library in needs:
        pytest.importorskip(library, reason=f"{library} is not installed")
    module, ours, setup = CASES[case]
    path, function = where.split(":")
    theirs = answer_of(getattr(importlib.import_module(path), function)(setup))
    error = module.check(answer_of(ours(setup)), theirs)
    if function == "undeflated":
        assert error > TOLERANCE  # the gauge's zeros are no eigenvalues of what is asked for
    else:
        assert error <= (SINGLE if module is training else TOLERANCE)


@pytest.mark.parametrize("case", CASES)
def test_the_check_tells_a_wrong_answer(case):
    """The control: one number of each array in turn is changed."""
    module, ours, setup = CASES[case]
    right = answer_of(ours(setup))
    assert module.check(right, right) == 0.0
    compared = [name for name in right if name not in ("norm", "products")]
    for name in compared:
        wrong = dict(right)
        wrong[name] = right[name] + (right[name] == right[name].max()).astype(right[name].dtype)
        assert module.check(right, wrong) > TOLERANCE


def test_the_answers_are_those_of_the_models():
    setup = PLACE | {"stationary": False}
    problem = product.anywhere_problem(setup)
    X = np.random.default_rng(2).standard_normal(problem.W.shape)
    W = problem.U.T @ problem.W
    expected = ppca.hessian_vector_product(W, problem.sigma2, np.diag(problem.lam), X)
    assert product.relative_error(expected, product.matrix_free(setup)()["product"]) <= 1e-12
    H = ppca.hessian(problem.W, problem.sigma2, problem.S)
    assert product.relative_error(H, hessian.assembled(PLACE)()["H"]) <= 1e-12
    at = spectrum.stationary_problem(PLACE)
    dense = np.linalg.eigvalsh(ppca.hessian(at.W, at.sigma2, at.S))
    assert product.relative_error(dense, spectrum.closed_form(PLACE)()["values"]) <= 1e-12


def test_the_walk_answers_for_all_sets():
    found = answer_of(enumeration.walk({"n": 12, "k": 5}))
    assert found["by_index"].sum() == found["valid"] < candidates(12, 5)
    assert 0 < found["sampled_valid"] < enumeration.SAMPLED


def test_every_subject_has_a_floor_and_says_where_its_contenders_are():
    titles = []
    for name in MODULES:
        for subject in importlib.import_module(f"benchmarks.{name}").subjects(False):
            titles.append(subject.title)
            assert subject.name == name
            work = subject.work(subject.setup, {"products": 10.0})
            assert max(work.bytes, work.operations) > 0
            path, function = subject.ours.where.split(":")
            assert callable(getattr(importlib.import_module(path), function))
            assert all(0 < peer.share <= 1 for peer in subject.peers)
    assert len(titles) == len(set(titles)) >= 10 and FULL.threads[0] == 1
