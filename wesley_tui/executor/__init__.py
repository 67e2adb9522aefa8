"""S.L.A.P.S., Staged, Lock-Aware, Phased Steps: Plan → database, through psql, with a ledger and events."""
