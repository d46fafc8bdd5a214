"""The audit: no consistent table is accused, every planted fault is found by its checks alone, and the real tables."""

import copy
import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from reports.audit import document as audit_document_module
from reports.audit import sentences as audit_sentences
from reports.audit.bounds import (
    constants,
)
from reports.audit.checks import CHECKS, contradictions
from reports.audit.document import audit_document
from reports.audit.text import pieces, summary
from reports.cli import main
from reports.paper import TABLES, Printed, Row, printed_tables
from tests.reports.printed import CONSTANTS, model_row, simulated_tables
from tests.reports.schemas import validator
from verify.errors import InputError


@pytest.fixture
def without_mnist(monkeypatch):
    def absent(*args, **options):
        raise InputError("mnist: not found")

    for module in (audit_sentences, audit_document_module):
        monkeypatch.setattr(module, "find_training_file", absent)


def accused(rows: list[Row]) -> set[tuple[int, str, str, float, str]]:
    """(table, data set, noise, noise at the start, check) of every contradiction without excuse."""
    known = constants(rows)
    return {
        (row.table, *row.model, found.check)
        for row in rows
        for found in contradictions(row, rows, known)
        if not found.excusable
    }


def place(rows: list[Row], table: int, dataset: str, noise: str, init: float) -> int:
    return next(i for i, r in enumerate(rows) if r.table == table and r.model == (dataset, noise, init))


# --- consistent tables ---


@pytest.mark.parametrize("seed", range(12))
def test_consistent_tables_are_never_accused(seed):
    assert accused(simulated_tables(seed)) == set()


def test_consistent_tables_disagree_excusably_at_times():
    """Otherwise the tolerances, and not the tables, would explain that nobody is accused."""
    rows = simulated_tables(0)
    known = constants(rows)
    assert any(contradictions(row, rows, known) for row in rows)


# --- planted faults ---


def shifted(printed: Printed, by: float) -> Printed:
    digits = len(printed.text.partition(".")[2])
    return Printed(f"{printed.value + by:.{digits}f}")


FIXED, LEARNED = (4, "mnist", "fixed", 0.3), (4, "mnist", "learned", 1.0)
IDENTITIES = {"tuning identity", "linear check", "likelihood identity"}
# Each of the three identities holds three of the four numbers E, T, K, M, and any two imply the third: a fault in one
# number is seen by those that hold it and by no other.
ONE_NUMBER = [
    (FIXED, "elbo", -60.0, {"tuning identity", "linear check"}),
    (FIXED, "elbo", 60.0, {"tuning identity", "linear check"}),
    (FIXED, "tuned_elbo", -60.0, {"tuning identity", "likelihood identity"}),
    (FIXED, "tuned_elbo", 60.0, {"tuning identity", "likelihood identity"}),
    (FIXED, "kl", 60.0, {"linear check", "likelihood identity"}),
    (FIXED, "tuned_sigma2", 0.1, IDENTITIES),
    (FIXED, "collapse_percent", 0.05, {"whole latents"}),
    (FIXED, "kl_err", 3.0, set()),  # nothing to hold it against within its table
    (LEARNED, "kl", 60.0, {"likelihood identity"}),
    (LEARNED, "final_sigma2", 0.02, {"learned noise"}),
    (LEARNED, "tuned_elbo", -3.0, {"tuning lowers"}),  # within the noise of J, not of T - E
]


@pytest.mark.parametrize(("where", "column", "by", "checks"), ONE_NUMBER)
def test_a_fault_in_one_number_is_found_by_the_checks_that_hold_it(where, column, by, checks):
    rng = np.random.default_rng(11)
    rows = simulated_tables(1)
    i = place(rows, *where)
    rows[i] = model_row(rng, rows[i], error=0.05, kl=100.0, spread=0.01)
    assert accused(rows) == set()
    rows[i] = replace(rows[i], **{column: shifted(getattr(rows[i], column), by)})
    assert accused(rows) == {(*where, check) for check in checks}


def test_a_number_that_differs_between_tables_is_found_in_both():
    rows = simulated_tables(1)
    i = place(rows, 1, "mnist", "learned", 0.1)
    rows[i] = replace(rows[i], kl_err=shifted(rows[i].kl_err, 3.0))
    both = {(t, "mnist", "learned", 0.1, "cross-table equality") for t in (1, 2)}
    assert accused(rows) == both


def test_other_digits_of_the_same_number_are_excused():
    rows = simulated_tables(1)
    i = place(rows, 1, "celeba64", "learned", 0.1)
    rows[i] = replace(rows[i], kl_err=Printed(f"{rows[i].kl_err.value + 0.04:.2f}"))
    found = contradictions(rows[i], rows, constants(rows))
    assert [f.excusable for f in found if f.check == "cross-table equality"] == [True]
    assert accused(rows) == set()


def test_a_row_copied_into_the_table_of_other_data_is_found():
    """With one constant for both, so that the likelihood identity has nothing against it."""
    rows = simulated_tables(1, {**CONSTANTS, ("celeba64", "logit"): CONSTANTS["celeba64", "none"]})
    rng = np.random.default_rng(4)
    i, j = (place(rows, t, "celeba64", "learned", 3.0) for t in (3, 5))
    rows[i] = model_row(rng, rows[j], spread=0.01)
    rows[j] = rows[i] = replace(rows[i], table=3, preprocessing="logit")
    rows[j] = replace(rows[i], table=5, preprocessing="none")
    assert accused(rows) == {(t, "celeba64", "learned", 3.0, "copied numbers") for t in (3, 5)}


def test_an_error_worse_than_a_constant_answer_is_found_and_only_in_pixel_space():
    rows = simulated_tables(1)
    rng = np.random.default_rng(4)
    i, j = (place(rows, t, "mnist", "learned", 3.0) for t in (4, 2))
    rows[i], rows[j] = (model_row(rng, rows[h], error=0.4, spread=0.01) for h in (i, j))
    assert accused(rows) == {(4, "mnist", "learned", 3.0, "error variance")}


@pytest.mark.parametrize(("text", "excusable"), [("0.0", True), ("0.00", False)])
def test_no_kl_beside_no_collapse_is_excused_only_by_rounding(text, excusable):
    rows = simulated_tables(1)
    i = place(rows, 4, "mnist", "learned", 3.0)
    rows[i] = model_row(np.random.default_rng(4), rows[i], kl=0.0, awake=np.full(5, 200), spread=0.01)
    rows[i] = replace(rows[i], kl=Printed(text))
    found = [f for f in contradictions(rows[i], rows, constants(rows)) if f.check == "KL beside collapse"]
    assert [f.excusable for f in found] == [excusable]
    assert found[0].size == pytest.approx(200 * 0.01 * 0.01, rel=1e-3)  # k epsilon delta; 0.00 % is up to 0.005 %
    assert accused(rows) == (set() if excusable else {(4, "mnist", "learned", 3.0, "KL beside collapse")})


def test_whole_latents_are_counted_by_hand():
    """Every multiple of 1/1000 is a mean over five models of 200 latents; of what four models give, every fourth is."""
    row = simulated_tables(1)[place(simulated_tables(1), *FIXED)]
    known = constants([row])

    def found(percent: str) -> bool:
        changed = replace(row, collapse_percent=Printed(percent))
        return any(f.check == "whole latents" for f in contradictions(changed, [changed], known))

    assert not any(found(f"{i / 10:.2f}") for i in range(1001))
    by_four = [f"{i / 8:.2f}" for i in range(801)]
    assert [p for p in by_four if found(p)] == [f"{i / 8:.2f}" for i in range(801) if i % 4]


# --- the printed tables ---


def test_every_printed_row_is_there_once():
    rows = printed_tables()
    assert [sum(r.table == t for r in rows) for t in TABLES] == [20] * 5
    assert len({(r.table, *r.model) for r in rows}) == 100


NAMED = [
    (1, "mnist", "fixed", 0.01, "cross-table equality"),
    (2, "mnist", "fixed", 0.01, "cross-table equality"),
    (1, "mnist", "fixed", 0.01, "tuning identity"),
    (2, "mnist", "fixed", 0.001, "tuning identity"),
    (2, "mnist", "fixed", 0.001, "linear check"),
    (2, "mnist", "fixed", 0.003, "likelihood identity"),
    (3, "celeba64", "fixed", 0.001, "likelihood identity"),
    (3, "celeba64", "learned", 0.01, "learned noise"),
    (5, "celeba64", "fixed", 30.0, "linear check"),
    *[(4, "mnist", "fixed", init, "error variance") for init in (30.0, 10.0, 3.0, 1.0)],
    *[(4, "mnist", "fixed", init, "linear check") for init in (30.0, 10.0, 3.0, 1.0)],
    *[
        (table, "celeba64", "fixed", init, "copied numbers")
        for table in (3, 5)
        for init in (30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
    ],
]


def test_what_the_register_of_claims_names_is_found():
    assert set(NAMED) <= accused(printed_tables())


def test_what_is_consistent_in_print_is_not_accused():
    """Control: the learned rows of Tables 2 and 4 satisfy their identities."""
    wrong = {a for a in accused(printed_tables()) if a[0] in (2, 4) and a[2] == "learned"}
    assert {a[-1] for a in wrong} <= {"whole latents"}


def test_no_kl_beside_no_collapse_is_excusable_in_print():
    rows = printed_tables()
    known = constants(rows)
    found = {
        (row.table, *row.model): [
            f.excusable for f in contradictions(row, rows, known) if f.check == "KL beside collapse"
        ]
        for row in rows
    }
    assert {where: e for where, e in found.items() if e} == {
        (4, "mnist", "fixed", 30.0): [True],
        (4, "mnist", "fixed", 10.0): [True],
        (4, "mnist", "learned", 30.0): [True],
    }


def test_the_disputed_row_names_where_its_numbers_belong(without_mnist):
    rows = audit_document()["rows"]
    row = next(r for r in rows if (r["table"], r["noise"], r["init_sigma2"]) == (1, "fixed", 0.01))
    why = next(c["why"] for c in row["contradictions"] if c["check"] == "cross-table equality")
    assert "those of table 2 at 0.003" in why


# --- sentences, document, print ---


def verdicts(document) -> dict[str, str]:
    return {s["text"]: s["verdict"] for s in document["sentences"]}


def by_words(document, words: str) -> dict[str, str]:
    [sentence] = [s for s in document["sentences"] if words in s["text"]]
    return sentence


def test_sentences_follow_the_numbers(without_mnist):
    """The same sentences on the printed tables and on tables made to say otherwise."""
    printed = audit_document()
    assert by_words(printed, "no significant difference")["verdict"] == "refuted"
    assert by_words(printed, "averaged over 5 trials")["verdict"] == "holds in part"
    assert by_words(printed, "without any nonlinear preprocessing")["verdict"] == "holds in part"
    assert "74.52 % at 0.3 but 2.52 % at 1.0" in by_words(printed, "the more collapse")["evidence"]

    rng = np.random.default_rng(0)
    rising = []
    for row in simulated_tables(0):
        share = min(1.0, math.log10(row.init_sigma2 / 0.0005) / 5)  # of latents collapsed, rising with the noise
        spread = 1e-3 if row.learned else 0.02
        error = 0.05 * (1 + (0.02 if row.learned else 1.0) * share)
        awake = np.full(5, row.k - round(share * row.k))
        rising.append(model_row(rng, row, error=error, kl=100.0, awake=awake, spread=spread))
    document = audit_document(rows=rising)
    for words in ("no significant difference", "the more collapse", "smaller than for fixed", "averaged over 5 trials"):
        assert by_words(document, words)["verdict"] == "holds", words
    assert by_words(document, "without any nonlinear preprocessing")["verdict"] == "holds"
    assert by_words(document, "within 0.01 KL")["verdict"] == "holds"

    level = [model_row(rng, row, error=0.05, kl=100.0, awake=np.full(5, row.k), spread=0.02) for row in rising]
    document = audit_document(rows=level)
    for words in ("the more collapse", '"even when"', "tuning sigma^2 does not remove"):
        assert by_words(document, words)["verdict"] == "refuted", words


@pytest.mark.parametrize(("scale", "verdict"), [(1.0, "refuted"), (0.0, "undecided")])
def test_figure_3_is_judged_by_what_subsets_allow(monkeypatch, scale, verdict):
    """Subsets whose maximum likelihood is far below 950.7, or now above and now below it."""

    class Subset:
        def __init__(self, seed):
            # All eigenvalues equal: L = -n/2 (log 2 pi lam + 1).
            target = 900 + 0.5 * seed if scale else 940 + 4 * seed
            self.eigenvalues = np.full(784, math.exp(-2 * target / 784 - 1) / (2 * math.pi))

    monkeypatch.setattr(audit_sentences, "find_training_file", lambda data_dir: None)
    monkeypatch.setattr(audit_sentences, "load", lambda *args, seed, **options: Subset(seed))
    sentence = audit_sentences.figure_3(None)
    assert sentence["verdict"] == verdict
    assert ("0 reach" in sentence["evidence"]) == (verdict == "refuted")


def test_without_mnist_figure_3_says_what_it_needs(without_mnist):
    sentence = by_words(audit_document(), "Figure 3")
    assert sentence["verdict"] == "undecided" and "needs MNIST" in sentence["evidence"]


def test_the_document_is_valid_and_a_damaged_one_is_not(without_mnist):
    document = json.loads(json.dumps(audit_document(), allow_nan=False))
    assert validator("audit").is_valid(document)
    checks = validator("audit").schema["$defs"]["contradiction"]["properties"]["check"]["enum"]
    assert checks == list(CHECKS)
    verdicts = validator("audit").schema["properties"]["sentences"]["items"]["properties"]["verdict"]["enum"]
    assert verdicts == list(audit_sentences.VERDICTS)
    guilty = next(i for i, row in enumerate(document["rows"]) if row["contradictions"])
    for damage in (
        lambda d: d["rows"][guilty]["contradictions"][0].pop("why"),
        lambda d: d["rows"][guilty]["contradictions"][0].update(unit="bits"),
        lambda d: d["rows"][guilty]["contradictions"][0].update(size=-1.0),
        lambda d: d["rows"][guilty].update(table=6),
        lambda d: d["sentences"][0].update(verdict="true"),
    ):
        damaged = copy.deepcopy(document)
        damage(damaged)
        assert not validator("audit").is_valid(damaged)


def test_the_command_prints_the_document_and_nothing_else(without_mnist, capsys):
    assert main(["audit", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(audit_document()))
    assert main(["audit"]) == 0
    assert "The paper's sentences" in capsys.readouterr().out
    assert main(["audit", "--seed", "-1"]) == 2  # control


@pytest.mark.parametrize("width", [80, 100])
def test_without_all_it_is_a_screenful(without_mnist, width):
    document = audit_document()
    console = Console(width=width, record=True, markup=False, highlight=False)
    with console.capture() as capture:
        for piece in summary(document, width):
            console.print(piece)
    text = capture.get()
    assert len(text.splitlines()) <= 36
    assert max(map(len, text.splitlines())) <= width
    assert all(" ".join(s["text"].split()[:4]) in text for s in document["sentences"])
    assert not [line for line in text.splitlines() if line and not {*line.split()[-5:]} - {"-"}]
    # The largest of Table 2, counted by hand.
    found = [c for row in document["rows"] if row["table"] == 2 for c in row["contradictions"] if not c["excusable"]]
    worst = max((c for c in found if c["unit"] == "nats"), key=lambda c: c["size"])
    row = next(line for line in text.splitlines() if line.startswith("Table 2: mnist"))
    assert worst["check"] in row
    whole = Console(width=width, record=True, markup=False, highlight=False)
    with whole.capture() as everything:
        for piece in pieces(document):
            whole.print(piece)
    assert len(everything.get().splitlines()) > 200  # control


def test_the_whole_output_is_a_screenful(without_mnist, capsys):
    assert main(["audit"]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) + len(err.splitlines()) <= 36
    assert main(["audit", "--json"]) == 0
    document, err = capsys.readouterr()
    assert err.count("note: ") == len(json.loads(document)["notes"])  # nothing is lost where nothing else is read


def test_all_is_an_option_and_changes_no_document(without_mnist, capsys):
    assert main(["audit", "--quiet"]) == 0
    short = capsys.readouterr().out
    assert main(["audit", "--all", "--quiet"]) == 0
    assert "What counts as an excuse" in capsys.readouterr().out and "What counts as an excuse" not in short
    documents = []
    for options in ([], ["--all"]):
        assert main(["audit", "--json", *options]) == 0
        documents.append(capsys.readouterr().out)
    assert documents[0] == documents[1]


def test_the_print_is_readable_at_100_columns(without_mnist):
    document = audit_document()
    console = Console(width=100, record=True, markup=False, highlight=False)
    with console.capture() as capture:
        for piece in pieces(document):
            console.print(piece)
    text = capture.get()
    assert max(map(len, text.splitlines())) <= 100
    order = [text.index(words) for words in ("check  ", "No excuse", "Excusable by", "The paper's sentences")]
    assert order == sorted(order)
    row = next(line for line in text.splitlines() if line.startswith("error variance "))
    counts = dict.fromkeys(TABLES, 0)
    for r in document["rows"]:
        counts[r["table"]] += sum(c["check"] == "error variance" for c in r["contradictions"])
    assert re.findall(r"\d+|-", row.removeprefix("error variance")) == [str(c) if c else "-" for c in counts.values()]
