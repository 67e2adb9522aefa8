"""Catalog × Catalog → Changes: what differs, by meaning, with renames; no opinion on how to get there."""
