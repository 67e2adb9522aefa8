"""How many rows the next batch of a backfill visits, and how long to rest before it.

A batch takes some time whatever its size (the round trip, the commit on the server's disk) and some for every row. Only
the second part is worth making smaller: on a slow disk or a busy machine the first alone is longer than a batch should
be, and batches of a few rows would make the backfill endless and spare nobody anything. Both are estimated from the
batches so far.

Once their size has settled, several batches are made by one call, with the pauses in between: the server then needs
nobody to tell it to go on, and small batches cost little more than large ones.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["CALL_S", "BatchPacer"]

CALL_S = 0.25
"""So long may the batches of one call take, all in all: nobody can be heard before its end."""
_MOST_TOGETHER = 100
_SETTLED = 1.5
"""A size has settled when the next one is at most so many times larger or smaller."""
_FEWEST, _MOST = 10, 50_000
_CREDIT_S = 0.5
_MEMORY = 0.9
"""What a batch counts for in the estimate beside the one after it."""


class BatchPacer:
    """Steers batches towards ``target_ms``, and the whole towards at most ``rows_per_second``."""

    def __init__(self, rows: int, target_ms: float, rows_per_second: int | None) -> None:
        self.rows = max(1, rows)
        self.together = 1
        """How many batches the next call may make."""
        self._target_s = target_ms / 1000
        self._own_rate = self._rate = rows_per_second
        self._rest = 0.0
        self._cost = _Cost()
        self._free_at: float | None = None
        self._limit()

    def after(self, visited: int, begun: float, ended: float) -> float:
        """Take in a batch that visited so many rows between two monotonic times; seconds to rest.

        The rest follows a schedule, not the last batch alone: time that was overslept, or lost by a slow batch, is made
        up for, at most half a second of it; so the rate holds on average, and after a long wait there is no burst.
        """
        took = max(ended - begun, 1e-6)
        self._take_in([took] if visited >= self.rows else [])
        rest = self._rest * took
        if self._rate is None:
            return rest
        self._free_at = max(self._free_at or begun, begun - _CREDIT_S) + visited / self._rate
        return max(rest, self._free_at - ended)

    def after_several(self, batches: Sequence[tuple[int, float]]) -> float:
        """Take in the batches of one call, (rows visited, seconds) each; seconds to rest."""
        self._take_in([seconds for visited, seconds in batches if visited >= self.rows])
        return self._rest * batches[-1][1]

    @property
    def rest(self) -> float:
        """The pause after a batch, as a share of its duration."""
        return self._rest

    def _take_in(self, durations: Sequence[float]) -> None:
        """Batches of :attr:`rows` rows took so long; settle how large the next ones are, and how many."""
        if durations:
            for seconds in durations:
                self._cost.take_in(self.rows, seconds)
            took = sum(durations) / len(durations)
            wanted = self._cost.rows_for(self._target_s)
            factor = min(2.0, max(0.5, self._target_s / took if wanted is None else wanted / self.rows))
            self.rows = min(_MOST, max(_FEWEST, round(self.rows * factor)))
            fitting = int(CALL_S / (took * (1 + self._rest)))
            settled = 1 / _SETTLED <= factor <= _SETTLED
            self.together = max(1, min(2 * self.together, fitting, _MOST_TOGETHER)) if settled else 1
        self._limit()

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
        self.together = 1
        self._limit()

    def _limit(self) -> None:
        """A throttled batch is at most a twentieth of a second's share: the rate is smooth, and holds for a backfill of
        a second or two as well, though nobody rests after its last batch."""
        if self._rate is not None:
            self.rows, self.together = max(1, min(self.rows, self._rate // 20 or 1)), 1


class _Cost:
    """A line through the batches so far, the later ones weighing more: seconds = fixed + rows × per row."""

    def __init__(self) -> None:
        self._weight = self._rows = self._seconds = self._squares = self._products = 0.0

    def take_in(self, rows: int, seconds: float) -> None:
        self._weight = self._weight * _MEMORY + 1
        self._rows = self._rows * _MEMORY + rows
        self._seconds = self._seconds * _MEMORY + seconds
        self._squares = self._squares * _MEMORY + rows * rows
        self._products = self._products * _MEMORY + rows * seconds

    def rows_for(self, target_s: float) -> float | None:
        """The rows of a batch that takes so long, or at least half of that, or a quarter of what is fixed, for its rows
        alone; None when batches were too alike to tell what a row takes."""
        rows, seconds = self._rows / self._weight, self._seconds / self._weight
        variance = self._squares / self._weight - rows * rows
        if variance < (rows / 10) ** 2:
            return None
        per_row = (self._products / self._weight - rows * seconds) / variance
        if per_row <= 0:
            return rows * 2
        fixed = max(0.0, seconds - per_row * rows)
        return max(target_s - fixed, target_s / 2, fixed / 4) / per_row
