"""What is known about a plan beside the plan itself: how long it would take as it is scheduled, who is in the way now,
and when the server is quiet. Records; each is made by a module of its own and shown by the explanation."""

from __future__ import annotations

from dataclasses import dataclass

from wesley_tui.planner.obstacles import Activity, Obstacle

__all__ = ["Forecast", "Outlook", "Quiet", "Wanted"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A table that steps need under a lock which keeps other steps out."""

    table: str
    steps: int
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """How long all steps take, CONTRACT included, by the estimates and the executor's own rules; milliseconds, without
    waits for locks."""

    sequential_ms: float
    """One step after the other."""
    waves_ms: float
    """Side by side within a wave, a barrier after each."""
    rolling_ms: float
    """As the executor does it: a step begins when what it waits for is done and a worker is free."""
    workers: int
    chain: tuple[int, ...]
    """Ordinals of the longest chain of steps that wait for each other: more workers cannot beat it."""
    chain_ms: float
    wanted: tuple[Wanted, ...]
    """Tables that most of the time goes to, at most five."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """When a server had least to do, as far as its samples tell."""

    window: str
    """``daily 02:00-04:00 UTC``, as ``--window`` takes it; empty: there is not enough history to say."""
    evidence: str
    """What that is based on, or what is missing."""
    per_second: float | None = None
    """Transactions a second in the window, on average."""
    busiest_per_second: float | None = None
    """Transactions a second in the busiest hour."""


@dataclass(frozen=True, slots=True)
class Outlook:
    forecast: Forecast | None = None
    activity: Activity | None = None
    obstacles: tuple[Obstacle, ...] = ()
    """Those of ``activity`` that concern the plan."""
    quiet: Quiet | None = None
