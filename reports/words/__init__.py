"""How numbers are printed and documents are put into words, on the terminal and on pages alike."""
