"""Verdicts that hold beyond floating point: an untrusted search proposes, a small checker decides."""
