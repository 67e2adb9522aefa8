"""How many rows the next batch of a backfill visits, and how long to rest before it."""

from __future__ import annotations

__all__ = ["BatchPacer"]

_FEWEST, _MOST = 10, 50_000
_CREDIT_S = 0.5


class BatchPacer:
    """Steers batches towards ``target_ms``, and the whole towards at most ``rows_per_second``."""

    def __init__(self, rows: int, target_ms: float, rows_per_second: int | None) -> None:
        self.rows = max(1, rows)
        self._target_s = target_ms / 1000
        self._own_rate = self._rate = rows_per_second
        self._rest = 0.0
        self._free_at: float | None = None
        self._limit()

    def after(self, visited: int, begun: float, ended: float) -> float:
        """Take in a batch that visited so many rows between two monotonic times; seconds to rest.

        The rest follows a schedule, not the last batch alone: time that was overslept, or lost by a slow batch, is made
        up for, at most half a second of it; so the rate holds on average, and after a long wait there is no burst.
        """
        took = max(ended - begun, 1e-6)
        if visited >= self.rows:
            factor = min(2.0, max(0.5, self._target_s / took))
            self.rows = min(_MOST, max(_FEWEST, round(self.rows * factor)))
        self._limit()
        rest = self._rest * took
        if self._rate is None:
            return rest
        self._free_at = max(self._free_at or begun, begun - _CREDIT_S) + visited / self._rate
        return max(rest, self._free_at - ended)

    def steer(self, target_ms: float, rows_per_second: int, rest: float) -> None:
        """Change what is aimed at: the duration of a batch, the rate (0: only the step's own), and a pause after each
        batch as a share of its duration."""
        self._target_s, self._rest = target_ms / 1000, rest
        rates = [rate for rate in (self._own_rate, rows_per_second) if rate]
        rate = min(rates, default=None)
        if rate != self._rate:
            self._rate, self._free_at = rate, None
        self._limit()

    def failed(self) -> None:
        """The batch ran into a lock or a deadlock: smaller ones hold fewer rows for less time."""
        self.rows = max(_FEWEST, self.rows // 2)
        self._limit()

    def _limit(self) -> None:
        """A throttled batch is at most a twentieth of a second's share: the rate is smooth, and holds for a backfill of
        a second or two as well, though nobody rests after its last batch."""
        if self._rate is not None:
            self.rows = max(1, min(self.rows, self._rate // 20 or 1))
