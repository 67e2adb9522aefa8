"""When an attempt failed: try again, how soon, and with how much patience for a lock. Pure; randomness comes in."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

__all__ = ["RetryPolicy", "is_cancelled", "waits_for_lock"]

_LOCK = frozenset({"55P03"})
_CONFLICT = frozenset({"40001", "40P01"})


def waits_for_lock(sqlstate: str, *, was_blocked: bool) -> bool:
    """Whether the attempt died waiting for a lock: lock_timeout, or statement_timeout while somebody blocked it."""
    return sqlstate in _LOCK or (sqlstate == "57014" and was_blocked)


def is_cancelled(sqlstate: str) -> bool:
    return sqlstate == "57014"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Short, growing attempts with jittered pauses inside a budget: an attempt that waits for a lock blocks everybody
    who is queued behind it."""

    budget_s: float = 120.0
    """Seconds that one step may spend on attempts and pauses before it counts as failed."""
    first_lock_timeout_ms: int = 100
    first_pause_s: float = 0.1
    longest_pause_s: float = 5.0

    def lock_timeout_ms(self, tries: int, ceiling_ms: int, longest_ms: float, max_retries: int | None = None) -> int:
        """How long attempt number ``tries`` (from 1) may wait for a lock: each twice as long as the one before, up to
        ``longest_ms``, as long as clients may have to queue behind it. The step's own limit is the ceiling, and 0 (no
        limit) stays 0. When there are only ``max_retries`` after the first, the last one waits as long as it may."""
        if ceiling_ms <= 0:
            return 0
        longest = max(self.first_lock_timeout_ms, int(longest_ms))
        if max_retries is not None and tries > max_retries:
            return min(ceiling_ms, longest)
        return min(ceiling_ms, longest, self.first_lock_timeout_ms << min(tries - 1, 16))

    def pause_s(self, tries: int, random: Random) -> float:
        """Pause after attempt ``tries``: doubling, half of it random, so that two waiters do not keep step."""
        pause = min(self.longest_pause_s, self.first_pause_s * (1 << min(tries - 1, 16)))
        return pause * random.uniform(0.5, 1.0)

    def retries(self, sqlstate: str, *, was_blocked: bool) -> bool:
        return waits_for_lock(sqlstate, was_blocked=was_blocked) or sqlstate in _CONFLICT
