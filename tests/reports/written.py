"""A report computed, written and drawn in one step, as the command does it."""

from pathlib import Path

from reports.analysis.report import report
from reports.stability_page.write import write
from reports.terminal.files import staged


def write_report(covariance, *, out: Path, progress=None, **options) -> Path:
    """The path of index.html; options as of reports.analysis.report.report."""
    with staged(out) as stage:
        document, arrays = report(covariance, progress=progress, **options)
        write(document, arrays, stage, out)
    return out / "index.html"
