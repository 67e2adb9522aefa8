"""The governor: how much a run may take from a database that has other work to do. Pure; samples and time come in.

Three states. *Healthy*: full speed. *Degraded*: batches are half as long with a pause as long as the batch after each,
and no new CONCURRENTLY statement starts. *Open*, as of a circuit breaker: nothing starts until it has recovered.

It gets worse at once and better slowly: a state is left, one step at a time, only after every reading has stayed below
four fifths of that state's bound for a while, so that a load around the bound does not make it flap. Not being able to
look is a reading too: degraded at once, open when it lasts. Silence is never taken for health.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from math import inf
from typing import Any

from wesley_tui.executor.window import Window
from wesley_tui.planner.plan import WAVE_NAMES

__all__ = ["Bound", "Health", "Judgement", "Knobs", "Sample", "judge"]

_EASE = 0.8
"""A state is left below this share of its bound."""


_ENOUGH_CALLS = 50


class Health(enum.IntEnum):
    """Ordered, worst last."""

    HEALTHY = 0
    DEGRADED = 1
    OPEN = 2


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server said at one moment. Counters only ever grow; what they grew by is what counts."""

    at: float
    """Monotonic seconds."""
    active: int = 0
    """Sessions of clients, not ours, in the middle of a statement."""
    waiting: int = 0
    """Sessions of clients that wait for a lock."""
    oldest_s: float = 0.0
    """Age of the oldest transaction of a client of this database."""
    replica_lag_s: float = 0.0
    """Of the slowest replica, as it reports."""
    errors: int = 0
    """Counter: deadlocks of this database, and attempts of ours that were lost to anything but a lock."""
    forced_checkpoints: int = 0
    """Counter: checkpoints that came early, because so much WAL was written."""
    slots_at_risk: int = 0
    """Replication slots whose WAL is about to be removed, or was."""
    clients: int = 0
    """Sessions of clients that have done something within the last second."""
    calls: int = 0
    """Counter: statements of clients, where ``pg_stat_statements`` counts them."""
    exec_ms: float = 0.0
    """Counter: how long they took."""
    disk_used: float = 0.0
    """Share of the file system with the data directory, in percent; 0 where it cannot be told."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Above ``degraded`` the run slows down, above ``open`` it stops."""

    degraded: float
    open: float

    def level(self, value: float, share: float = 1.0) -> Health:
        if value > self.open * share:
            return Health.OPEN
        return Health.DEGRADED if value > self.degraded * share else Health.HEALTHY


@dataclass(frozen=True, slots=True)
class Knobs:
    """Everything that can be changed about a run while it goes on."""

    rows_per_second: int = 0
    """Of each backfill, beside the plan's own limit; 0: only the plan's."""
    batch_ms: float = 30.0
    """Backfill batches grow or shrink towards this duration."""
    busy_batch_ms: float = 1.0
    """Likewise, while clients work: no longer may one of them have to wait for a row."""
    busy_share: float = 30.0
    """Percent of the time that batches of a backfill take while clients work, 1 to 100; the rest is theirs."""
    lock_wait_ms: float = 250.0
    """The longest that an attempt to get a lock may wait: whoever queues behind it waits as long."""
    workers: int = 4
    """psql children that work at the same time, 1 to 4."""
    active_degraded: float = 50
    active_open: float = 80
    waiting_degraded: float = 10
    waiting_open: float = 30
    errors_degraded: float = 5
    """In :attr:`error_window_s`."""
    errors_open: float = 10
    lag_degraded_s: float = 10
    lag_open_s: float = 60
    oldest_degraded_s: float = 900
    """An index build would wait for such a transaction anyway; nothing is stopped for it."""
    checkpoints_degraded: float = 2
    """Forced ones within a minute."""
    latency_degraded: float = 3
    """How often longer than usual a statement of a client takes, where ``pg_stat_statements`` tells."""
    disk_degraded: float = 90
    """Percent of the file system that are used, where the server is on this machine."""
    disk_open: float = 97
    error_window_s: float = 300
    calm_s: float = 10
    """How long all readings must stay low before a state is left."""
    blind_s: float = 5
    """How long the server may not be looked at before nothing starts any more."""
    window: str = ""
    """When steps of :attr:`window_waves` may begin, see :class:`~wesley_tui.executor.window.Window`; empty: always."""
    window_waves: str = "VALIDATE,CONTRACT"
    """The waves whose steps wait for the window, with commas."""

    def changed(self, changes: Mapping[str, Any]) -> Knobs:
        """With these values; ValueError names what cannot be."""
        known = {knob.name: getattr(self, knob.name) for knob in fields(self)}
        values: dict[str, Any] = {}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"there is no limit {name}; limits: {', '.join(known)}")
            if isinstance(known[name], str):
                values[name] = _text_of(name, str(value))
                continue
            least = 0 if name == "rows_per_second" else 1
            if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < inf:
                raise ValueError(f"{name} must be a number from {least}, not {value!r}")
            values[name] = int(value) if isinstance(known[name], int) else float(value)
        for name, most in (("workers", 4), ("busy_share", 100)):
            if values.get(name, 1) > most:
                raise ValueError(f"{name} must be 1 to {most}")
        return replace(self, **values)


def _text_of(name: str, value: str) -> str:
    if name == "window":
        return Window.parse(value).text if value else ""
    unknown = {part for part in value.split(",") if part not in WAVE_NAMES}
    if unknown:
        raise ValueError(f"{name}: there is no wave {min(unknown)}; waves: {', '.join(WAVE_NAMES)}")
    return value


@dataclass(frozen=True, slots=True)
class Judgement:
    """The state of the governor after a sample, and all it has to remember."""

    health: Health = Health.HEALTHY
    reasons: tuple[str, ...] = ()
    """Readings above their bounds, as text; empty when there are none."""
    calm_since: float | None = None
    blind_since: float | None = None
    history: tuple[Sample, ...] = field(default=(), repr=False)
    """Samples of the error window, oldest first."""


def judge(before: Judgement, sample: Sample | None, now: float, knobs: Knobs) -> Judgement:
    """The judgement after one more look; ``sample`` is None when the server could not be looked at."""
    if sample is None:
        since = now if before.blind_since is None else before.blind_since
        worst = Health.OPEN if now - since >= knobs.blind_s else Health.DEGRADED
        blind = f"the server could not be looked at for {now - since:.0f} s"
        return replace(before, health=max(before.health, worst), reasons=(blind,), calm_since=None, blind_since=since)
    history = tuple(old for old in before.history if sample.at - old.at <= knobs.error_window_s)
    readings = _readings(history, sample, knobs)
    worst = max(bound.level(value) for value, bound in readings.values())
    lingering = max(bound.level(value, _EASE) for value, bound in readings.values())
    reasons = tuple(
        f"{what}: {value:g}, bound {bound.open if bound.level(value) is Health.OPEN else bound.degraded:g}"
        for what, (value, bound) in readings.items()
        if bound.level(value) > Health.HEALTHY
    )
    after = replace(before, reasons=reasons, calm_since=None, blind_since=None, history=(*history, sample))
    if worst > before.health:
        return replace(after, health=worst)
    if lingering >= before.health:
        return after
    calm_since = now if before.calm_since is None else before.calm_since
    if now - calm_since < knobs.calm_s:
        return replace(after, calm_since=calm_since)
    return replace(after, health=Health(before.health - 1), calm_since=now)


def _readings(history: tuple[Sample, ...], sample: Sample, knobs: Knobs) -> dict[str, tuple[float, Bound]]:
    first = history[0] if history else sample
    minute = next((old for old in history if sample.at - old.at <= 60), sample)
    return {
        "active connections": (sample.active, Bound(knobs.active_degraded, knobs.active_open)),
        "sessions waiting for a lock": (sample.waiting, Bound(knobs.waiting_degraded, knobs.waiting_open)),
        "recent errors": (
            _growth(first.errors, sample.errors),
            Bound(knobs.errors_degraded, knobs.errors_open),
        ),
        "replica lag in seconds": (sample.replica_lag_s, Bound(knobs.lag_degraded_s, knobs.lag_open_s)),
        "age of the oldest transaction in seconds": (sample.oldest_s, Bound(knobs.oldest_degraded_s, inf)),
        "forced checkpoints within a minute": (
            _growth(minute.forced_checkpoints, sample.forced_checkpoints),
            Bound(knobs.checkpoints_degraded, inf),
        ),
        "replication slots that lose WAL": (sample.slots_at_risk, Bound(inf, 0.5)),
        "times the usual latency of clients": (_slower(history, sample), Bound(knobs.latency_degraded, inf)),
        "percent of the disk used": (sample.disk_used, Bound(knobs.disk_degraded, knobs.disk_open)),
    }


def _slower(history: tuple[Sample, ...], sample: Sample) -> float:
    """The mean latency of the last ten seconds or so as a multiple of the one before the run; 0 when too few statements
    were counted to tell."""
    if not history or not history[0].calls:
        return 0.0
    then = next((old for old in history if sample.at - old.at <= 12), sample)
    calls = sample.calls - then.calls
    if calls < _ENOUGH_CALLS or history[0].calls < _ENOUGH_CALLS or not history[0].exec_ms:
        return 0.0
    return round((sample.exec_ms - then.exec_ms) / calls / (history[0].exec_ms / history[0].calls), 1)


def _growth(then: int, now: int) -> int:
    """How much a counter grew; one that was reset in between has grown by what it shows now."""
    return now - then if now >= then else now
