"""Steering a run while it goes on: what the governor judges and what people change, in one place that steps look at.

The server is sampled once a second over a connection of its own, so that a server that does not answer is noticed as
such and delays nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from psycopg import AsyncConnection

from wesley_tui.executor.control import Control
from wesley_tui.executor.errors import ExecutorError, StatementFailed
from wesley_tui.executor.events import EventType
from wesley_tui.executor.gate import Gate
from wesley_tui.executor.governor import Health, Judgement, Knobs, Sample, judge
from wesley_tui.executor.readings import ClientLatency, DiskUse
from wesley_tui.executor.target import OWN_LIMITS, answering_within, connect
from wesley_tui.executor.window import Window
from wesley_tui.planner.plan import Step, StepKind

__all__ = ["Sampler", "Steering"]

_EVERY_S = 1.0
_PATIENCE_S = 2.0
_KEEP_EVERY_S = 60.0


class Steering:
    """The knobs and the governor's judgement. ``changed`` is called when what may start has changed."""

    def __init__(self, knobs: Knobs, waves: Mapping[str, str], gate: Gate, changed: Callable[[], None]) -> None:
        """``waves``: the name of each step's wave, by ``step_sha``."""
        self.knobs = knobs
        self._waves = waves
        self._window_open = not knobs.window
        self.errors = 0
        """Attempts of ours that were lost to something else than a lock."""
        self._gate = gate
        self._changed = changed
        self._judgement = Judgement()
        self._told_window: Window | None = None
        self._clients = False
        """Whether clients were at work at one of the last two looks, or could not be looked for."""
        self._clients_before = False

    @property
    def health(self) -> Health:
        return self._judgement.health

    @property
    def batch_target_ms(self) -> float:
        target = min(self.knobs.batch_ms, self.knobs.busy_batch_ms) if self._clients else self.knobs.batch_ms
        return target / (1 if self.health is Health.HEALTHY else 2)

    @property
    def rest(self) -> float:
        """Pause after a batch, as a multiple of the batch's duration."""
        courtesy = 100 / self.knobs.busy_share - 1 if self._clients else 0.0
        return courtesy if self.health is Health.HEALTHY else max(courtesy, 1.0)

    def may_start(self, step: Step) -> bool:
        """Whether a step of this kind may begin: a build that takes long would make a busy server busier."""
        return self.in_window(step) and (self.health is Health.HEALTHY or step.kind is not StepKind.AUTOCOMMIT)

    def in_window(self, step: Step) -> bool:
        """Whether the clock lets the step begin, or begin another batch."""
        return self._window_open or self._waves.get(step.step_sha, "") not in self.knobs.window_waves.split(",")

    def turn(self, changes: Mapping[str, Any]) -> None:
        """Change knobs; ValueError names what cannot be, nothing is changed then."""
        self.knobs = self.knobs.changed(changes)
        self._changed()

    def take(self, sample: Sample | None, now: float) -> tuple[EventType, str, dict[str, Any]] | None:
        """Judge one more sample; the event to tell when the state has changed."""
        clients = sample is None or sample.clients > 0
        self._clients, self._clients_before = clients or self._clients_before, clients
        before = self._judgement
        self._judgement = after = judge(before, sample, now, self.knobs)
        if after.health is before.health:
            return None
        self._gate.hold(after.health is Health.OPEN)
        self._changed()
        metrics = {"health": after.health.name.lower(), "was": before.health.name.lower()}
        if after.health is Health.OPEN:
            return EventType.GOVERNOR_CIRCUIT_OPEN, "nothing starts: " + "; ".join(after.reasons), metrics
        if after.health is Health.HEALTHY:
            return EventType.GOVERNOR_RECOVERED, "full speed again", metrics
        why = "; ".join(after.reasons) or "the load has eased, but not for long enough"
        return EventType.GOVERNOR_BACKPRESSURE, f"smaller batches, pauses, no new index builds: {why}", metrics

    async def govern(self, sampler: Sampler, control: Control) -> None:
        """Look, judge and tell, once a second for as long as the run lasts."""
        while True:
            begun = time.monotonic()
            await self.look(sampler, control)
            await asyncio.sleep(max(0.0, begun + _EVERY_S - time.monotonic()))

    async def look(self, sampler: Sampler, control: Control) -> None:
        """One sample, and the event of what it changed."""
        await self._look_at_clock(control)
        event = self.take(await sampler.sample(self.errors), time.monotonic())
        if event is not None:
            with contextlib.suppress(StatementFailed):
                await control.event(event[0], event[1], metrics=event[2])

    async def _look_at_clock(self, control: Control) -> None:
        """Open or close the window by the server's clock."""
        window = Window.parse(self.knobs.window) if self.knobs.window else None
        local = await control.local_time(window.zone) if window is not None else None
        is_open = window is None or (local is not None and window.contains(local))
        if is_open is self._window_open and (is_open or window == self._told_window):
            return
        self._window_open, self._told_window = is_open, window
        self._changed()
        now = f"{local:%a %H:%M}" if local is not None else "not known"
        message = "the window is open" if is_open else f"{self.knobs.window_waves} wait for {self.knobs.window}"
        with contextlib.suppress(StatementFailed):
            await control.event(
                EventType.GOVERNOR_CHANGED, f"{message}; it is {now} there" if window else message,
                metrics={"window": self.knobs.window, "open": is_open},
            )  # fmt: skip


class Sampler:
    """Reads what the server says of its load; never raises for a server that does not answer."""

    def __init__(self, conninfo: str, server_version: int) -> None:
        self._conninfo = conninfo
        self._query = _query(server_version)
        self._latency = ClientLatency(server_version)
        self._disk = DiskUse()
        self._connection: AsyncConnection[Any] | None = None
        self._kept = float("-inf")

    async def sample(self, errors: int) -> Sample | None:
        """A sample with our own count of errors added, None when there is no answer within two seconds."""
        try:
            if self._connection is None:
                async with asyncio.timeout(_PATIENCE_S):
                    self._connection = await connect(self._conninfo, "wesley/governor")
                with answering_within(self._connection, _PATIENCE_S):
                    await self._connection.execute(OWN_LIMITS)
                    await self._connection.execute(
                        "SELECT set_config('statement_timeout', '1500', false),"
                        " set_config('lock_timeout', '200', false)"
                    )
            with answering_within(self._connection, _PATIENCE_S):
                cursor = await self._connection.execute(self._query)
                row = await cursor.fetchone()
                calls, exec_ms = await self._latency.read(self._connection)
                disk_used = await self._disk.read(self._connection)
                await self._keep(self._connection)
        except (psycopg.Error, ExecutorError, TimeoutError):
            await self.close()
            return None
        assert row is not None
        active, waiting, oldest_s, lag_s, deadlocks, checkpoints, slots, clients = row
        return Sample(
            time.monotonic(), active, waiting, oldest_s, lag_s, int(deadlocks) + errors, int(checkpoints), slots,
            clients, calls, exec_ms, disk_used,
        )  # fmt: skip

    async def _keep(self, connection: AsyncConnection[Any]) -> None:
        """Leave a sample of the load in the ledger, once a minute: they tell when the server is quiet."""
        if time.monotonic() - self._kept >= _KEEP_EVERY_S:
            self._kept = time.monotonic()
            with contextlib.suppress(psycopg.Error):
                await connection.execute("SELECT wesley.sample_load()")

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                await connection.close()


def _query(server_version: int) -> str:
    """One row of what :class:`Sample` holds; reads statistics and the lock table, waits for nobody.

    A role that may not see other roles' sessions finds their state NULL; those count as active while they are in a
    transaction, which ``pg_locks`` shows to everybody.
    """
    checkpoints = (
        "(SELECT num_requested FROM pg_stat_checkpointer)"
        if server_version >= 170000
        else "(SELECT checkpoints_req FROM pg_stat_bgwriter)"
    )
    slots = (
        "(SELECT count(*) FROM pg_replication_slots WHERE wal_status IN ('unreserved', 'lost'))"
        if server_version >= 130000
        else "0"
    )
    return f"""
WITH theirs AS (
    SELECT a.pid, a.state, a.datname, a.xact_start, a.state_change FROM pg_stat_activity a
     WHERE a.pid <> pg_backend_pid() AND coalesce(a.application_name, '') !~ '^wesley(/|$)'
       AND coalesce(a.backend_type, 'client backend') = 'client backend' AND a.datid IS NOT NULL
), busy AS (
    SELECT pid FROM pg_locks WHERE locktype = 'virtualxid' AND granted AND pid IS NOT NULL
)
SELECT (SELECT count(*) FROM theirs
         WHERE state IN ('active', 'fastpath function call') OR (state IS NULL AND pid IN (SELECT pid FROM busy))),
       (SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN theirs USING (pid) WHERE NOT l.granted),
       (SELECT coalesce(max(EXTRACT(epoch FROM clock_timestamp() - xact_start)), 0)::float8 FROM theirs
         WHERE datname = current_database()),
       (SELECT coalesce(max(EXTRACT(epoch FROM replay_lag)), 0)::float8 FROM pg_stat_replication),
       (SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()),
       {checkpoints}, {slots}::int,
       (SELECT count(*) FROM theirs
         WHERE state = 'active' OR state_change > clock_timestamp() - interval '1 second'
            OR (state IS NULL AND pid IN (SELECT pid FROM busy)))
"""
