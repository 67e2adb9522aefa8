"""Profiles: how long a step may wait for a lock, and how long a statement may run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["PROFILES", "Profile", "profile_named"]


@dataclass(frozen=True, slots=True)
class Profile:
    name: str
    lock_timeout_ms: int
    """The longest a step waits for a lock: whoever comes after it in the queue waits as long."""
    statement_timeout_ms: int
    """The longest a statement runs; index builds and proofs are exempt (0) and watched instead."""
    rewrite_bytes: int = 65_536
    """Up to this size (8 pages) a table may be written again in place when a column changes its type: it takes no
    longer than a change of the catalog. Larger ones get a shadow column."""


PROFILES: Mapping[str, Profile] = {
    "production": Profile("production", lock_timeout_ms=5_000, statement_timeout_ms=30_000),
    "chaos": Profile("chaos", lock_timeout_ms=2_000, statement_timeout_ms=10_000),
}


def profile_named(name: str) -> Profile:
    """Raises ``ValueError`` with the names that exist."""
    try:
        return PROFILES[name]
    except KeyError:
        raise ValueError(f"there is no profile {name!r}: choose one of {', '.join(PROFILES)}") from None
