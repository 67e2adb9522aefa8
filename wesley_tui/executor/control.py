"""The control connection: events, the ledger, and looking at what blocks whom. Short autocommit statements only, so
that nothing here ever holds a snapshot that an index build would wait for."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from wesley_tui.executor.errors import CannotConnect, ConnectionLost, ExecutorError, StandbyMissing, StatementFailed
from wesley_tui.executor.events import Event, EventType
from wesley_tui.executor.target import OWN_LIMITS, answering_within, connect

__all__ = ["EVENT_COLUMNS", "Blocker", "Command", "Control", "event_from_row", "translated"]

EVENT_COLUMNS = "id, run_id, plan_id, type, time, actor, message, wave, step_sha, metrics, previous_sha, sha"


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session that one of ours waits for."""

    waiter: int
    """Our backend's process id."""
    pid: int
    """0 for a prepared transaction, which has no process."""
    user: str
    application: str
    state: str
    age_s: float
    """Seconds since its transaction began."""
    query: str
    """What it runs, or ran last, at most 200 characters; the gid of a prepared transaction."""
    started: str = ""
    """When its session began, as text: with the process id it names the session for good."""

    @property
    def metrics(self) -> dict[str, Any]:
        """As an event tells it."""
        named = {"pid": self.pid, "user": self.user, "application": self.application, "state": self.state}
        return {**named, "age_s": round(self.age_s, 1), "query": self.query, "started": self.started}

    def __str__(self) -> str:
        if self.pid == 0:
            return f"prepared transaction {self.query} of {self.user}, {self.age_s:.0f} s old"
        application = f", {self.application}" if self.application else ""
        return f"pid {self.pid} ({self.user}{application}), {self.state} for {self.age_s:.0f} s: {self.query}"


@dataclass(frozen=True, slots=True)
class Command:
    """What another process asks of a run: a row of ``wesley.migration_commands``."""

    number: int
    verb: str
    """``pause``, ``resume``, ``cancel``, ``set``, ``skip``, ``retry`` or ``terminate``."""
    argument: str
    """The reason that was given."""
    knobs: Mapping[str, Any]
    """With ``set``: the limits that change. With ``skip`` and ``retry``: ``step``, a ``step_sha`` (empty: all). With
    ``terminate``: ``pid``, and when that session ``started``."""
    person: str
    role: str

    def __str__(self) -> str:
        return f"{self.person}: {self.argument}" if self.argument else f"asked for by {self.person}"

    @property
    def metrics(self) -> dict[str, Any]:
        return {"person": self.person, "role": self.role, "command": self.number, **self.knobs}


def event_from_row(row: Sequence[Any]) -> Event:
    """An :class:`Event` from the columns of :data:`EVENT_COLUMNS`."""
    identity, run_id, plan_id, kind, *rest = row
    return Event(identity, run_id, plan_id, EventType(kind), *rest)


def translated(error: psycopg.Error) -> ExecutorError:
    """psycopg's error as one of ours."""
    if error.sqlstate is None or error.sqlstate in _SESSION_ENDED or error.sqlstate.startswith("08"):
        return ConnectionLost(f"the connection to the server ended: {str(error).strip()}")
    diagnostics = error.diag
    return StatementFailed(
        error.sqlstate,
        diagnostics.message_primary or str(error).strip(),
        detail=diagnostics.message_detail or "",
        hint=diagnostics.message_hint or "",
        context=diagnostics.context or "",
    )


class Control:
    """Calls of the rails on behalf of one run; ``run_id`` and ``fence`` are set when it is opened.

    A connection that was lost is made again, for as long as :data:`_RECONNECT_S`, and the call is repeated. What had
    been committed without an answer is not written again, and a run that was taken over is refused by its fence. One
    that does not answer for :data:`PATIENCE_S` counts as lost.
    """

    def __init__(self, conninfo: str, connection: AsyncConnection[Any]) -> None:
        self.connection = connection
        self.run_id = 0
        self.fence = 0
        self._conninfo = conninfo
        self._connecting = asyncio.Lock()

    async def prepare(self) -> None:
        """Bound every wait of this connection: it must answer while the server is busy."""
        for query in (OWN_LIMITS, _SESSION):
            await self._rows(query)

    async def event(
        self,
        kind: EventType,
        message: str = "",
        *,
        wave: str | None = None,
        step_sha: str | None = None,
        metrics: Mapping[str, Any] | None = None,
    ) -> None:
        await self._once(
            "append_event",
            (self.run_id, self.fence, kind.value, wave, step_sha, message, Jsonb(dict(metrics or {}))),
        )

    async def move_run(
        self, status: str, kind: EventType, message: str, metrics: Mapping[str, Any] | None = None
    ) -> None:
        await self._once(
            "move_run",
            (self.run_id, self.fence, status, kind.value, message, Jsonb(dict(metrics or {}))),
        )

    async def commands(self) -> list[Command]:
        """What other processes have asked of this run since the last call, oldest first."""
        waiting = await self._rows(
            f"SELECT {_COMMAND} FROM wesley.migration_commands WHERE run_id = %s AND taken_at IS NULL"
            " ORDER BY command_id",
            (self.run_id,),
        )
        if not waiting:
            return []
        # What is taken without an answer is not waiting any more when it is asked for again: it was read before.
        taken = await self._rows(f"SELECT {_COMMAND} FROM wesley.take_commands(%s, %s)", (self.run_id, self.fence))
        return [
            Command(*row) for row in sorted({row[0]: row for row in (*waiting, *taken)}.values(), key=itemgetter(0))
        ]

    async def decisions(self) -> list[Command]:
        """What people have said of single steps of this run so far, oldest first; it holds over a resume."""
        rows = await self._rows(
            f"SELECT {_COMMAND} FROM wesley.migration_commands WHERE run_id = %s AND verb IN ('skip', 'retry')"
            " ORDER BY command_id",
            (self.run_id,),
        )
        return [Command(*row) for row in rows]

    async def ask(self, verb: str, argument: str, knobs: Mapping[str, Any], person: str) -> None:
        """Ask something of this run itself, so that it is kept."""
        await self._rows(
            "INSERT INTO wesley.migration_commands (run_id, verb, argument, knobs, person)"
            " VALUES (%s, %s, %s, %s, %s) RETURNING command_id",
            (self.run_id, verb, argument, Jsonb(dict(knobs)), person),
        )

    async def knobs(self) -> list[Mapping[str, Any]]:
        """Limits of this run that were changed before it was resumed, oldest change first."""
        rows = await self._rows(
            "SELECT knobs FROM wesley.migration_commands WHERE run_id = %s AND verb = 'set' AND taken_at IS NOT NULL"
            " ORDER BY command_id",
            (self.run_id,),
        )
        return [row[0] for row in rows]

    async def announce(self, ordinal: int, attempt: int) -> None:
        await self._value("SELECT wesley.announce_step(%s, %s, %s, %s)", (self.run_id, self.fence, ordinal, attempt))

    async def fail_step(
        self, ordinal: int, attempt: int, kind: EventType, sqlstate: str, message: str, metrics: Mapping[str, Any]
    ) -> None:
        await self._once(
            "fail_step",
            (self.run_id, self.fence, ordinal, attempt, kind.value, sqlstate, message, Jsonb(dict(metrics))),
        )

    async def skip_step(self, ordinal: int, message: str, metrics: Mapping[str, Any] | None = None) -> None:
        await self._once(
            "skip_step",
            (self.run_id, self.fence, ordinal, message, Jsonb(dict(metrics or {}))),
        )

    async def events_after(self, identity: int, limit: int = 1000) -> list[Event]:
        """Events of this run with an id above ``identity``, in order."""
        rows = await self._rows(
            f"SELECT {EVENT_COLUMNS} FROM wesley.migration_events WHERE run_id = %s AND id > %s ORDER BY id LIMIT %s",
            (self.run_id, identity, limit),
        )
        return [event_from_row(row) for row in rows]

    async def succeeded(self, plan_id: str) -> set[str]:
        """``step_sha`` of the steps that are done, in whatever run."""
        rows = await self._rows("SELECT step_sha FROM wesley.migration_done WHERE plan_id = %s", (plan_id,))
        return {row[0] for row in rows}

    async def succeeded_among(self, step_shas: Collection[str]) -> set[str]:
        """Those of these steps of the run's plan that are done."""
        rows = await self._rows(
            "SELECT d.step_sha FROM wesley.migration_done d JOIN wesley.migration_runs r USING (plan_id)"
            " WHERE r.run_id = %s AND d.step_sha = ANY (%s)",
            (self.run_id, list(step_shas)),
        )
        return {row[0] for row in rows}

    async def catalog_left(self) -> tuple[Mapping[str, Mapping[str, str]], frozenset[str]] | None:
        """What the catalog held when this run ended with CONTRACT pending (``Digests``), and the ``step_sha`` of the
        steps that were begun since. None when no end of this run has kept it."""
        rows = await self._rows(
            "SELECT e.metrics -> 'digests', ARRAY(SELECT DISTINCT s.step_sha FROM wesley.migration_events s"
            " WHERE s.run_id = e.run_id AND s.id > e.id AND s.type = 'step.start')"
            " FROM wesley.migration_events e"
            " WHERE e.run_id = %s AND e.type = 'plan.complete' AND e.metrics ? 'digests' ORDER BY e.id DESC LIMIT 1",
            (self.run_id,),
        )
        return (rows[0][0], frozenset(rows[0][1])) if rows else None

    async def waves_complete(self) -> set[str]:
        """The waves of this run that an event says are complete."""
        rows = await self._rows(
            "SELECT DISTINCT wave FROM wesley.migration_events WHERE run_id = %s AND type = 'wave.complete'",
            (self.run_id,),
        )
        return {row[0] for row in rows}

    async def attempts(self, plan_id: str) -> dict[str, int]:
        """Highest attempt per ``step_sha``, so that numbers go on after a resume."""
        rows = await self._rows(
            "SELECT step_sha, max(attempt) FROM wesley.migration_ledger WHERE plan_id = %s GROUP BY step_sha",
            (plan_id,),
        )
        return {row[0]: row[1] for row in rows}

    async def blockers(self, waiters: Sequence[int]) -> list[Blocker]:
        """Who holds up the sessions ``waiters``; reads the lock table and pg_stat_activity, waits for nobody."""
        return [Blocker(*row) for row in await self._rows(_BLOCKERS, (list(waiters),))]

    async def lock_holders(self, locks: Sequence[tuple[str, str]]) -> list[Blocker]:
        """Clients that hold one of these locks (relation, mode) at this moment."""
        return [
            Blocker(0, *row)
            for row in await self._rows(_HOLDERS, ([name for name, _ in locks], [mode for _, mode in locks]))
        ]

    async def holders(self, key: int) -> list[int]:
        """Process ids of the sessions that hold the advisory lock ``key`` on this database."""
        rows = await self._rows(
            "SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND (classid::bigint << 32 | objid::bigint) = %s AND pid <> pg_backend_pid()",
            (key,),
        )
        return [row[0] for row in rows]

    async def session_alive(self, pid: int) -> bool:
        return bool(await self._value("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)", (pid,)))

    async def waiting_for_standby(self, pids: Sequence[int]) -> set[int]:
        """Those of these sessions whose COMMIT waits for a synchronous standby. Reading waits for no standby."""
        rows = await self._rows(
            "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid = ANY (%s)", (list(pids),)
        )
        return {row[0] for row in rows}

    async def building_index(self, relation_names: Sequence[str]) -> list[int]:
        """Process ids that build an index on one of these relations right now."""
        rows = await self._rows(
            "SELECT p.pid FROM pg_stat_progress_create_index p JOIN pg_class c ON c.oid = p.relid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE p.datname = current_database()"
            " AND n.nspname || '.' || c.relname = ANY (%s)",
            (list(relation_names),),
        )
        return [row[0] for row in rows]

    async def row_estimate(self, relation: str) -> int | None:
        """reltuples of ``schema.name``, None when it is not known."""
        value = await self._value(
            "SELECT c.reltuples::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname || '.' || c.relname = %s",
            (relation,),
        )
        return int(value) if value is not None and int(value) > 0 else None

    async def cancel(self, pid: int) -> None:
        await self._value("SELECT pg_cancel_backend(%s)", (pid,))

    async def terminate(self, pid: int) -> None:
        await self._value("SELECT pg_terminate_backend(%s)", (pid,))

    async def terminate_client(self, pid: int, started: str) -> bool:
        """End the session ``pid`` if it is a client's, not ours, and the one that began at ``started``: process ids are
        used again."""
        return bool(
            await self._value(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid = %s AND backend_start = %s::timestamptz"
                " AND backend_type = 'client backend' AND application_name NOT LIKE 'wesley/%%'",
                (pid, started),
            )
        )

    async def local_time(self, zone: str) -> datetime | None:
        """The server's time in this zone; None when it does not know the zone."""
        try:
            value: datetime = await self._value("SELECT clock_timestamp() AT TIME ZONE %s", (zone,))
        except StatementFailed:
            return None
        return value

    async def keep_knobs(self, knobs: Mapping[str, Any], person: str) -> None:
        """Remember limits that the run began with, for when it is resumed."""
        await self._rows(
            "INSERT INTO wesley.migration_commands (run_id, verb, knobs, person, taken_at)"
            " VALUES (%s, 'set', %s, %s, clock_timestamp()) RETURNING command_id",
            (self.run_id, Jsonb(dict(knobs)), person),
        )

    async def clock(self) -> str:
        """The server's time, as text for a timestamptz parameter."""
        return str(await self._value("SELECT clock_timestamp()::text"))

    async def _once(self, function: str, arguments: Sequence[Any]) -> None:
        """Call a function of the rails that writes; when the answer is lost and the call is made again, it is told
        apart by its token, and nothing is written twice."""
        holders = ", ".join(["%s"] * len(arguments))
        await self._value(
            f"SELECT CASE WHEN wesley.once(%s) THEN wesley.{function}({holders})::text END",
            (secrets.token_hex(16), *arguments),
        )

    async def _value(self, query: str, parameters: Sequence[Any] = ()) -> Any:
        rows = await self._rows(query, parameters)
        return rows[0][0] if rows else None

    async def _rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        begun, tries = time.monotonic(), 0
        while True:
            connection, tries = self.connection, tries + 1
            try:
                return await self._fetch(connection, query, parameters)
            except ConnectionLost:
                if not self.run_id or tries > _TRIES:
                    raise
                await self._reconnect(connection)
                if time.monotonic() - begun >= PATIENCE_S:
                    await self._refuse_unconfirmed()
            except StatementFailed as error:
                if error.sqlstate in _TIMED_OUT:
                    await self._refuse_unconfirmed()
                raise

    async def _refuse_unconfirmed(self) -> None:
        """Say so when what this connection waited for is a COMMIT of ours that waits for a standby."""
        for (pid,) in await self._fetch(self.connection, _UNCONFIRMED, (f"wesley/{self.run_id}/%",)):
            raise StandbyMissing.told(pid)

    async def _fetch(
        self, connection: AsyncConnection[Any], query: str, parameters: Sequence[Any]
    ) -> list[tuple[Any, ...]]:
        try:
            with answering_within(connection, PATIENCE_S):
                cursor = await connection.execute(query, parameters or None)
                return await cursor.fetchall()
        except psycopg.Error as error:
            raise translated(error) from error

    async def _reconnect(self, lost: AsyncConnection[Any]) -> None:
        """Replace ``lost``; once, however many callers have noticed."""
        end = time.monotonic() + _RECONNECT_S
        async with self._connecting:
            while self.connection is lost:
                try:
                    connection = await connect(self._conninfo, "wesley/control")
                    for query in (OWN_LIMITS, _SESSION):
                        await self._fetch(connection, query, ())
                except (CannotConnect, ConnectionLost) as error:
                    if time.monotonic() > end:
                        raise ConnectionLost(str(error)) from error
                    await asyncio.sleep(0.25)
                    continue
                await lost.close()
                self.connection = connection


def json_literal(value: Mapping[str, Any]) -> str:
    """An SQL literal of type jsonb."""
    return "'" + json.dumps(value).replace("'", "''") + "'::pg_catalog.jsonb"


_COMMAND = "command_id, verb, argument, knobs, person, role"
_RECONNECT_S = 10.0
_TRIES = 3
"""How often one call may lose its connection."""
PATIENCE_S = 40.0
"""An answer that is later than this does not come any more: statement_timeout ends every statement of the control
connection after 30 s, but neither a COMMIT nor a silent network."""
_SESSION = (
    "SELECT set_config('search_path', 'pg_catalog, pg_temp', false), set_config('lock_timeout', '5s', false),"
    " set_config('statement_timeout', '30s', false), set_config('TimeZone', 'UTC', false),"
    " set_config('DateStyle', 'ISO, YMD', false), set_config('default_transaction_isolation', 'read committed', false)"
)
_SESSION_ENDED = frozenset({"25P03", "25P04", "57P01", "57P02", "57P03", "57P05"})
_TIMED_OUT = frozenset({"55P03", "57014"})
_UNCONFIRMED = """
SELECT pid FROM pg_stat_activity
 WHERE wait_event = 'SyncRep' AND datname = current_database()
   AND (application_name = 'wesley/control' OR application_name LIKE %s)
"""
_HOLDERS = """
SELECT DISTINCT a.pid, coalesce(a.usename, ''), coalesce(a.application_name, ''), coalesce(a.state, 'unknown'),
       coalesce(EXTRACT(epoch FROM clock_timestamp() - a.xact_start), 0)::float8, coalesce(left(a.query, 200), ''),
       coalesce(a.backend_start::text, '')
  FROM unnest(%s::text[], %s::text[]) AS w (name, mode)
  JOIN pg_namespace n ON w.name LIKE n.nspname || '.%%'
  JOIN pg_class c ON c.relnamespace = n.oid AND n.nspname || '.' || c.relname = w.name
  JOIN pg_locks l ON l.relation = c.oid AND l.granted AND l.mode = w.mode
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  JOIN pg_stat_activity a ON a.pid = l.pid AND coalesce(a.application_name, '') NOT LIKE 'wesley/%%'
"""
_BLOCKERS = """
WITH waiting AS (
    SELECT w.pid AS waiter, b.pid
      FROM unnest(%s::int[]) AS w (pid), LATERAL unnest(pg_blocking_pids(w.pid)) AS b (pid)
)
SELECT DISTINCT w.waiter, w.pid, coalesce(a.usename, '') AS "user", coalesce(a.application_name, '') AS application,
       coalesce(a.state, 'unknown') AS state,
       coalesce(EXTRACT(epoch FROM clock_timestamp() - a.xact_start), 0)::float8 AS age_s,
       coalesce(left(a.query, 200), '') AS query, coalesce(a.backend_start::text, '') AS started
  FROM waiting w LEFT JOIN pg_stat_activity a ON a.pid = w.pid WHERE w.pid <> 0
UNION ALL
SELECT w.waiter, 0, p.owner, '', 'prepared', EXTRACT(epoch FROM clock_timestamp() - p.prepared)::float8, p.gid, ''
  FROM (SELECT DISTINCT waiter FROM waiting WHERE pid = 0) w
  JOIN pg_locks mine ON mine.pid = w.waiter AND NOT mine.granted
  JOIN pg_locks theirs ON theirs.pid IS NULL AND theirs.granted
   AND theirs.locktype = mine.locktype AND theirs.database IS NOT DISTINCT FROM mine.database
   AND theirs.relation IS NOT DISTINCT FROM mine.relation
   AND theirs.transactionid IS NOT DISTINCT FROM mine.transactionid
  JOIN pg_locks itself ON itself.locktype = 'transactionid' AND itself.granted AND itself.pid IS NULL
   AND itself.virtualtransaction = theirs.virtualtransaction
  JOIN pg_prepared_xacts p ON p.transaction = itself.transactionid
"""
