"""How results are said: numbers, notes and verdicts, in plain text for a terminal, a page or a notebook."""
