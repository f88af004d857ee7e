"""Sends, recipients, leases, the journal and the way out over SMTP. Owns the ledger; promises a row per recipient and an outcome
per attempt, nothing lost and nothing twice; refuses to guess: what is not known is `uncertain`."""
