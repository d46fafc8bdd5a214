"""The front door: the command line, analyses, figures, tables and pages."""
