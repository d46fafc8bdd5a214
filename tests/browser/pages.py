"""The pages that are looked at, and where things stand on them.

Main       PAGES (name -> command); build; LEDGER.
"""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

HOUSE = Path(__file__).parents[2]

# Where things stand on a stability report.  Whoever moves them changes these lines and no others.
EXPLORER = "#explorer"
SLIDER = "#slider"
TYPED = "#typed"
WRONG = "#wrong"
CURSOR = "svg.retained g.cursor"
CANVAS = "#canvas"
READOUT = "#readout"
SPECTRUM = "#spectrum"
# What the readout says: a noise, how many are retained at least and at most, of how many.
SAID = r"σ² = ([^:]+): (\d+)(?: (?:or|to) (\d+))? of (\d+) latents? retained"

# More than there are colours in a row.
NOISES = "--sigma2 0.03 0.1 0.3 1 3 10 30 --learned-noise 10 1 --seeds 2".split()  # noqa: SIM905

PAGES = {
    "digits": ["report", "digits", "-k", "10"],
    "wine": ["report", "wine.csv", "--ledger", "ledger.json"],
    "spectrum": ["report", "eigenvalues:6,4,2.5,1.2,0.5", "-k", "3"],
    "genes": ["report", "genes.npy"],
    "beta": ["report", "wine.csv", "-k", "4", "--beta", "4", "--sigma2", "0.01", "100"],
    "mnist": ["report", "mnist:1000", "-k", "50"],
    "audit": ["audit"],
    "tables": ["tables", *"1 --data digits --hidden 8 -k 3 --epochs 1 --seeds 1 --learning-rates 0.001".split()],  # noqa: SIM905
    "train": ["train", *"digits --scale 16 --logit 0.01 --arch mlp --hidden 8 -k 3 --epochs 3".split(), *NOISES],  # noqa: SIM905
    "figures": ["figures", *"2 12 13 --data digits --epochs 2 --seeds 1".split()],  # noqa: SIM905
}
REPORTS = [name for name, argv in PAGES.items() if argv[0] == "report"]


def _evidence(name: str, role: str, kind: str) -> dict[str, Any]:
    said = {"test": f"proofs/test_eq_13.py::test_{name}", "role": role, "kind": kind, "strength": "tested"}
    passed = {"outcome": "passed", "instances": 653, "worst_error": 2.4e-16, "seconds": 0.643, "backend": "numpy"}
    return said | passed | {"witness": "sigma2 = 1 and lam = (4, 2, 0.5), k = 2: 0.31" if role == "refutes" else ""}


def _claim(name: str, verdict: str, *evidence: dict[str, Any], rests_on: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "id": name,
        "source": "Eq. 13, App. A.1",
        "statement": "moving column i along an eigenvector u_j, the sign of lam_j/k_i - 1 decides stability",
        "hypotheses": "u_j orthogonal to all columns of W; towards a retained u_j it is -(k_i - sigma2)/(k_i lam_j)",
        "section": "Probabilistic PCA",
        "rests_on": list(rests_on),
        "verdict": verdict,
        "strength": "tested",
        "reasons": ["no control was run"] if verdict == "broken" else [],
        "evidence": list(evidence),
    }


# A claim of every verdict, with names as long as the longest of the real ones. One rests on a claim that is not there.
LEDGER = {
    "schema": 1,
    "complete": True,
    "claims": [
        _claim(
            "eq-13",
            "holds",
            _evidence("towards_retained_eigenvectors_it_is_never_positive_for_all_n_and_k", "supports", "symbolic"),
        ),
        _claim(
            "theorem-1-path",
            "refuted",
            _evidence("the_path_of_the_printed_argument_loses_likelihood", "refutes", "numeric"),
            rests_on=("eq-13", "other-points", "eq-24-28"),
        ),
        _claim(
            "eq-24-28",
            "holds with correction",
            _evidence("survives_hostile_spectra", "corrected", "property"),
            rests_on=("eq-13", "eq-21"),
        ),
        _claim("other-points", "undecided", _evidence("a_search_finds_no_other", "supports", "certificate")),
        _claim("noise-must-be-learned", "broken", _evidence("x", "control", "numeric"), rests_on=("theorem-1-path",)),
    ],
}


def write_inputs(folder: Path) -> None:
    """wine.csv, genes.npy and ledger.json."""
    from sklearn.datasets import load_wine

    wine, rng = load_wine(), np.random.default_rng(0)
    heading = ",".join(str(name).replace("/", " ") for name in wine.feature_names)
    np.savetxt(folder / "wine.csv", wine.data, delimiter=",", header=heading, comments="", fmt="%.10g")
    genes = rng.normal(size=(60, 6)) @ (rng.normal(size=(6, 2000)) * np.geomspace(3, 1, 6)[:, None])
    np.save(folder / "genes.npy", genes + rng.normal(size=(60, 2000)))
    (folder / "ledger.json").write_text(json.dumps(LEDGER))


def build(name: str, folder: Path) -> Path:
    """The page of that name in `folder`, made at the first call; test processes share a folder and wait in line."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / name / "index.html"
    with open(folder / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not page.is_file():
            (work := folder / f"{name}-inputs").mkdir()
            write_inputs(work)
            environment = os.environ | {"PYTHONPATH": str(HOUSE), "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}
            command = [sys.executable, "-m", "reports", *PAGES[name], "--quiet", "--out", str(page.parent)]
            subprocess.run(command, cwd=work, env=environment, check=True, capture_output=True)
    return page
