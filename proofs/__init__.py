"""Claims put to the test, one file each and by paper, the ledger of what came of them, and what makes it."""
