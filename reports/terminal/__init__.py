"""The command line's parts, what the user sees, and files that are written whole or not at all."""
