"""The colours of all pictures: Okabe & Ito 2008, safe for the colour-blind; a page swaps them for light and dark."""

# The page replaces each of these by a colour that suits light or dark; the files themselves stay as they are.
PALETTE = {
    "ink": "#1c1b1a",
    "muted": "#77756f",
    "rule": "#d9d6cf",
    "paper": "#fffefd",
    "blue": "#0072b2",
    "vermillion": "#d55e00",
    "green": "#009e73",
    "purple": "#a4508b",
    "wash": "#b9d8ea",
    "sand": "#f3dfb5",
}

# Of signed values, from negative over 0 to positive: equally light at both ends.
DIVERGING = ((0, 94, 162), (247, 247, 247), (188, 80, 0))
