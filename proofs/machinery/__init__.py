"""What turns marked tests into a ledger of claims: the plugin, the checks, the verdicts, the printed table."""
