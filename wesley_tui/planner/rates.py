"""How fast a server works, measured where that is possible.

Each kind of work has a rate. Assumed rates are those of one core with warm caches, rounded down: they say whether a
step takes a second or an hour, not more. What a server has done before says it better: the ledger knows how long each
step took, its plan how much there was to do. A probe reads a little and sorts a little, where there is no history yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from wesley_tui.planner.plan import Rate

__all__ = ["ASSUMED", "WORK_OF_RATE", "Rates", "measured_rates"]


@dataclass(frozen=True, slots=True)
class Rates:
    brief: Rate
    """A statement that changes catalogs only, with its round trip and commit."""
    scan: Rate
    """VALIDATE and other sequential reads."""
    rewrite: Rate
    """Reading, writing and logging every row."""
    build: Rate
    """Sorting and writing the rows of an index; reading them is counted as a scan."""
    backfill: Rate
    """Batches with their commits and checkpoints."""

    def described(self) -> dict[str, Rate]:
        """By name, as a plan keeps them."""
        return {name: getattr(self, name) for name in self.__slots__}

    def value(self, name: str) -> float:
        """The number of the rate that is called so."""
        return float(getattr(self, name).value)


ASSUMED = Rates(
    brief=Rate(5.0, "ms", "assumed"),
    scan=Rate(200_000.0, "bytes/ms", "assumed"),
    rewrite=Rate(40_000.0, "bytes/ms", "assumed"),
    build=Rate(500.0, "rows/ms", "assumed"),
    backfill=Rate(15.0, "rows/ms", "assumed"),
)

WORK_OF_RATE: Mapping[str, str] = {
    "scan": "scanned_bytes",
    "rewrite": "rewritten_bytes",
    "build": "sorted_rows",
    "backfill": "filled_rows",
}
"""Which amount in ``Step.work`` each rate divides."""

_SHARE = 0.7
"""A step tells of the one rate that makes up this share of its expected time."""
_LEAST_MS = 20.0
"""Shorter steps are mostly overhead and tell nothing of how fast rows are read or written."""


def measured_rates(history: Iterable[tuple[float, Mapping[str, int]]], assumed: Rates = ASSUMED) -> Rates:
    """``assumed``, replaced by the median of what ``history`` tells where it tells something.

    ``history`` holds (milliseconds, ``Step.work``) of steps that have succeeded on this server. Waits for locks and
    pauses of the governor are part of the time: they are part of what a step takes there.
    """
    found: dict[str, list[float]] = {name: [] for name in assumed.__slots__}
    for duration, work in history:
        if duration <= 0:
            continue
        if not any(work.get(amount) for amount in WORK_OF_RATE.values()):
            found["brief"].append(duration)
            continue
        name = _told_rate(work, assumed)
        if name is not None and duration >= _LEAST_MS:
            found[name].append(work[WORK_OF_RATE[name]] / max(duration - assumed.brief.value, 1.0))
    if not any(found.values()):
        return assumed
    from statistics import median  # not for a server without history: it brings decimals, fractions and random numbers

    told = {
        name: Rate(round(median(values), 3), getattr(assumed, name).unit, f"measured in {_steps(len(values))}")
        for name, values in found.items()
        if values
    }
    return replace(assumed, **told)


def _told_rate(work: Mapping[str, int], rates: Rates) -> str | None:
    expected = {name: work.get(amount, 0) / rates.value(name) for name, amount in WORK_OF_RATE.items()}
    name = max(expected, key=lambda name: expected[name])
    return name if expected[name] >= _SHARE * sum(expected.values()) else None


def _steps(number: int) -> str:
    return f"{number} step{'s' if number != 1 else ''} on this server"
