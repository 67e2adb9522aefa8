"""The executor: Plan → database, through psql, with a ledger and events."""
