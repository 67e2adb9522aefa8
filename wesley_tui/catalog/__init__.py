"""What a PostgreSQL database holds: immutable records, introspection, canonical DDL, fingerprint."""
