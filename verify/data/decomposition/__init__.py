"""From rows to eigenvalues, each with an error of its own, as cheaply as decides ranks, ties and the noises in question.

What it knows of the world is blocks of rows; `steps` says how far to go.
"""
