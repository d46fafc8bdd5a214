"""One small report, written once, for all tests of its parts."""

from pathlib import Path

import pytest

from tests.reports.written import write_report
from verify.data import load

SPECTRUM = "eigenvalues:6,4,2.5,1.2,0.5,0.3,0.2,0.1"


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """A written report of a bare spectrum, k = 4: 0 of 4 collapse at sigma2 = 1."""
    out = tmp_path_factory.mktemp("report") / "small"
    write_report(load(SPECTRUM), k=4, name=SPECTRUM, ledger=None, out=out, command="elbo-verify report")
    return out
