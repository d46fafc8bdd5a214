"""What the script of the page says of a noise is what the tables say of it, with a weight of the KL too: by node."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reports.analysis.report import compute
from reports.stability_page import page
from verify.analysis.stability import stability
from verify.data.covariance import from_eigenvalues

SCRIPT = Path(page.__file__).parent / "templates" / "page.js"
LAM = [6.0, 4.0, 2.5, 1.2, 0.3]
NOISES = [0.05, 0.1, 0.4, 0.7, 1.5, 5.0, 12.0, 30.0]


def said(document, noises):
    """What the script says at these noises, typed one after the other."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: apt-get install nodejs")
    data = json.dumps(page._explorer(json.loads(json.dumps(document))))
    command = [node, str(Path(__file__).with_name("explorer.mjs")), str(SCRIPT), data, *map(repr, noises)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def number(text):
    return float(text.replace("−", "-").replace(",", ""))


@pytest.mark.parametrize("beta", [1.0, 3.0, 0.25])
def test_the_readout_agrees_with_the_table_of_noises(beta):
    data = from_eigenvalues(LAM)
    document, _ = compute(data, 3, "x", beta=beta)
    rows = stability(data, 3, NOISES, beta=beta)["noise"]
    for row, heard in zip(rows, said(document, NOISES), strict=True):
        assert (heard["retained"], heard["most"]) == (row["retained"], row["retained_at_most"])
        assert heard["effective"] == pytest.approx(row["effective_sigma2"], rel=1e-14)
        value = re.search(r"(?:L|ELBO \(β = [\d.]+\)) = (−?[\d.,]+) nats", heard["readout"])
        assert number(value[1]) == pytest.approx(row["value"], rel=5e-6)  # six digits are printed
        rate = re.search(r"at rate ([\d.,]+)\.", heard["readout"])
        s = beta * row["sigma2"]
        assert (rate is None) == (s >= LAM[0])
        if rate is not None:
            assert number(rate[1]) == pytest.approx(beta * (LAM[0] - s) / s**2, rel=5e-6)
    assert len({row["retained"] for row in rows}) > 2


def test_a_product_of_decimals_ties_as_decimals_do():
    data = from_eigenvalues(LAM)
    (heard,) = said(compute(data, 5, "x", beta=3.0)[0], [0.1])
    assert heard["effective"] == 0.3 != 3 * 0.1 and heard["retained"] == 4
    assert "λ₅ equals 3 times this noise, which counts as collapsed" in heard["readout"]
    (other,) = said(compute(data, 5, "x", beta=3.0)[0], [0.09999999])  # control
    assert other["retained"] == 5 and "equals" not in other["readout"]


@pytest.mark.parametrize(
    ("beta", "sigma2"), [(3.0, 0.3333333333333333), (2.5e-7, 4e6), (1e22, 1e-22), (7.0, 0.14285714285714285)]
)
def test_the_product_has_all_its_digits(beta, sigma2):
    data = from_eigenvalues([1.0, 0.5])
    (heard,) = said(compute(data, 2, "x", beta=beta)[0], [sigma2])
    (row,) = stability(data, 2, [sigma2], beta=beta)["noise"]
    assert heard["effective"] == float(row["effective_sigma2"])
    assert ("equals" in heard["readout"]) == (row["tied"] == [1])
