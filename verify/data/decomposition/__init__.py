"""From rows to eigenvalues, each with an error of its own: as far as ranks, ties and the noises asked about need it.

What it knows of the world is blocks of rows; `steps` says how far to go.
"""
