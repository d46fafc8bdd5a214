"""The stability report, drawn from report.json and report.npz alone."""
