"""The claims of the paper put to the test, one file each, and the ledger of what came of it."""
