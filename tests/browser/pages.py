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

from proofs.machinery.claims import Fact
from proofs.machinery.ledger import ledger
from tests.reports.ledger_page.made_up import SVD, entry
from tests.verify.diagnosis.made_up import holding

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
    "certified": ["report", "wine.csv", "-k", "4", "--sigma2", "1", "30", "--certify"],
    "mnist": ["report", "mnist:1000", "-k", "50"],
    "audit": ["audit"],
    "vae": ["diagnose", "vae.npz", "--loss", "mse-sum", "--beta", "4"],
    "vae-table": ["diagnose", "wine.csv", "--standardize", "--latents", "latents.npz", "--sigma2", "0.5", "--held-out"],
    "claims": ["prove", "--from", "ledger.json"],
    "tables": ["tables", *"1 --data digits --hidden 8 -k 3 --epochs 1 --seeds 1 --learning-rates 0.001".split()],  # noqa: SIM905
    "train": ["train", *"digits --scale 16 --logit 0.01 --arch mlp --hidden 8 -k 3 --epochs 3".split(), *NOISES],  # noqa: SIM905
    "figures": ["figures", *"2 12 13 --data digits --epochs 2 --seeds 1".split()],  # noqa: SIM905
}
REPORTS = [name for name, argv in PAGES.items() if argv[0] == "report"]


def _claim(name: str, strength: str, *roles: str, fault: str | None = None, **fields: Any) -> Any:
    """A claim with words as long as the longest of the real ones, and its evidence."""
    given = {
        "source": "Eq. 13, App. A.1",
        "statement": "moving column i along an eigenvector u_j, the sign of lam_j/k_i - 1 decides stability",
        "hypotheses": "u_j orthogonal to all columns of W; towards a retained u_j it is -(k_i - sigma2)/(k_i lam_j)",
        "quote": "the perturbation of column i along u_j is stable if and only if lam_j < k_i ..." if fault else "",
        "finding": "so it is for every u_j that no column holds, and for no other, sigma2 > 0" if fault else "",
    }
    return entry(name, strength, roles or ("supports",), fault=fault, **given, **fields)


# A claim of every verdict and strength, some upon others. One rests on a claim that is not there.
_ENTRIES = [
    _claim("eq-13", "certified", trusts=("svd", "chain-rule")),
    _claim("eq-24-28", "proved", "refutes", "corrected", fault="missing hypothesis", rests_on=("eq-13", "eq-21")),
    _claim("theorem-1-path", "tested", "refutes", fault="false", rests_on=("eq-13", "eq-11-12"), trusts=("svd",)),
    _claim("eq-11-12", "argued"),
    _claim("figure-1", "proved", "refutes", "corrected", fault="misprint"),
    _claim("other-points", "tested", outcome="undecided", rests_on=("theorem-1-path",)),
    _claim("noise-must-be-learned", "tested", outcome="failed", rests_on=("theorem-1-path",)),
]
_FACTS = [(SVD, []), (Fact("chain-rule", "d/dt f(g(t)) = f'(g(t)) g'(t)", "any course"), [])]
LEDGER = ledger(_ENTRIES, facts=_FACTS, environment={"python": "3.11", "platform": "Linux"})


def write_inputs(folder: Path) -> None:
    """wine.csv, genes.npy, ledger.json, and two VAEs that are half collapsed: of digits and, latents.npz, of wines."""
    from sklearn.datasets import load_digits, load_wine

    wine, rng = load_wine(), np.random.default_rng(0)
    heading = ",".join(str(name).replace("/", " ") for name in wine.feature_names)
    np.savetxt(folder / "wine.csv", wine.data, delimiter=",", header=heading, comments="", fmt="%.10g")
    genes = rng.normal(size=(60, 6)) @ (rng.normal(size=(6, 2000)) * np.geomspace(3, 1, 6)[:, None])
    np.save(folder / "genes.npy", genes + rng.normal(size=(60, 2000)))
    (folder / "ledger.json").write_text(json.dumps(LEDGER))
    digits = load_digits()
    np.savez(folder / "vae.npz", x=digits.images, **_vae(digits.data, [0, 2], 6, 2.0))
    np.savez(folder / "latents.npz", **_vae((wine.data - wine.data.mean(0)) / wine.data.std(0), [0], 4, 0.5))


def _vae(x: Any, held: list[int], k: int, s: float) -> dict[str, Any]:
    """What a linear VAE that holds some principal directions alone makes of its data."""
    lam, U = np.linalg.eigh(np.cov(x.T, bias=True))
    model = holding(x, U[:, ::-1], lam[::-1], held, k, s)
    mu, logvar = model.encode(x)
    made = {"reconstructions": model.decode(mu), "samples": model.draw(x, np.random.default_rng(0))}
    return {"mu": mu, "logvar": logvar, **made}


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
            proofs = PAGES[name][0] == "prove"
            if proofs:
                page.parent.mkdir()
            out = ["--graph", str(page)] if proofs else ["--out", str(page.parent)]
            command = [sys.executable, "-m", "reports", *PAGES[name], "--quiet", *out]
            done = subprocess.run(command, cwd=work, env=environment, capture_output=True)
            assert done.returncode == int(proofs), done.stderr.decode()  # a claim of that ledger is broken
    return page
