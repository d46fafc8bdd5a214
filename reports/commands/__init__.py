"""The commands of elbo-verify: one file each (cli.py says what it holds)."""
