"""What the database remembers of its migrations: runs, their events and their states, read without running anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import class_row

from wesley_tui.executor.control import EVENT_COLUMNS, event_from_row, translated
from wesley_tui.executor.errors import CannotConnect, MissingPrivilege, StatementFailed
from wesley_tui.executor.events import Event, RunState, RunStatus, reduce_all
from wesley_tui.executor.locks import RUN_LOCK
from wesley_tui.executor.target import own_conninfo
from wesley_tui.planner.plan import StepCheck

__all__ = [
    "RunSummary",
    "asking",
    "begun",
    "events",
    "find",
    "history",
    "holds",
    "plan_document",
    "reading",
    "run_state",
    "sqlstate_of_end",
    "status",
    "succeeded",
    "verify",
]

_ALL = 10_000
"""More runs than any database has seen."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run, as a line of ``wesley history``."""

    run_id: int
    plan_id: str
    status: RunStatus
    """``running`` with ``owned`` false: its process died, the run is to be resumed or given up."""
    owned: bool
    """Whether a process holds the run lock of this database now, and this is the last run."""
    actor: str
    application: str
    contract: bool
    message: str
    started: datetime
    finished: datetime | None
    steps: int
    """Steps of the plan."""
    succeeded: int
    """Steps of the plan that are done, by this run or another."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", RunStatus(self.status))

    @property
    def recovery_needed(self) -> bool:
        """Nobody works on it, and nobody has ended it."""
        return self.status in {RunStatus.RUNNING, RunStatus.PAUSED} and not self.owned


@contextmanager
def reading(conninfo: str) -> Iterator[Connection[Any]]:
    """An autocommit connection that waits for nobody longer than two seconds; errors become ours."""
    try:
        connection = psycopg.connect(own_conninfo(conninfo, "wesley/read"), autocommit=True)
    except psycopg.OperationalError as error:
        raise CannotConnect(
            f"cannot connect: {str(error).strip()}. Check --db, or PGHOST, PGPORT and PGUSER"
        ) from error
    try:
        with connection:
            connection.execute(
                "SELECT set_config('lock_timeout', '2s', false), set_config('TimeZone', 'UTC', false),"
                " set_config('DateStyle', 'ISO, YMD', false)"
            )
            yield connection
    except psycopg.errors.InsufficientPrivilege as error:
        raise MissingPrivilege(
            f"the migration history cannot be read: {str(error).strip()}. GRANT USAGE ON SCHEMA wesley and SELECT on "
            "its tables to this role"
        ) from error
    except psycopg.Error as error:
        raise translated(error) from error


@contextmanager
def asking(conninfo: str) -> Iterator[Connection[Any]]:
    """As :func:`reading`, to leave a row in ``wesley.migration_commands``: a role that may only watch is told so."""
    with reading(conninfo) as connection:
        try:
            yield connection
        except psycopg.errors.InsufficientPrivilege as error:
            raise MissingPrivilege(
                "this role may watch runs, but not steer them. Nothing was asked; whoever owns schema wesley lets it: "
                "GRANT INSERT ON wesley.migration_commands TO this role"
            ) from error


def history(conninfo: str, limit: int = 100) -> list[RunSummary]:
    """The last runs, newest first; empty when none was ever started on this database."""
    with reading(conninfo) as connection:
        if not _installed(connection):
            return []
        with connection.cursor(row_factory=class_row(RunSummary)) as cursor:
            return cursor.execute(_HISTORY, {"lock": RUN_LOCK, "limit": limit}).fetchall()


def status(conninfo: str) -> RunSummary | None:
    """The last run."""
    return next(iter(history(conninfo, 1)), None)


def find(conninfo: str, run_id: int | None = None) -> RunSummary | None:
    """Run ``run_id``, or the last one; None when there is no such run."""
    runs = history(conninfo, 1 if run_id is None else _ALL)
    return next((run for run in runs if run_id in (None, run.run_id)), None)


def events(conninfo: str, run_id: int | None = None, after: int = 0, limit: int = 100_000) -> list[Event]:
    """Events with an id above ``after``, oldest first; of one run, or of all."""
    with reading(conninfo) as connection:
        if not _installed(connection):
            return []
        rows = connection.execute(
            f"SELECT {EVENT_COLUMNS} FROM wesley.migration_events"
            " WHERE id > %(after)s AND (%(run)s::bigint IS NULL OR run_id = %(run)s::bigint) ORDER BY id LIMIT "
            "%(limit)s",
            {"after": after, "run": run_id, "limit": limit},
        ).fetchall()
    return [event_from_row(row) for row in rows]


def run_state(conninfo: str, run_id: int) -> RunState:
    """The state of a run: all its events, folded."""
    return reduce_all(RunState(), events(conninfo, run_id))


def plan_document(conninfo: str, plan_id: str) -> str:
    """The plan as it was stored; see :func:`~wesley_tui.executor.stored.plan_from_document`."""
    with reading(conninfo) as connection:
        row = (
            connection.execute("SELECT document FROM wesley.migration_plans WHERE plan_id = %s", (plan_id,)).fetchone()
            if _installed(connection)
            else None
        )
    if row is None:
        raise StatementFailed("", f"this database knows no plan {plan_id[:16]}")
    return str(row[0])


def succeeded(conninfo: str, plan_id: str) -> set[str]:
    """``step_sha`` of the plan's steps that are done and were not taken back since."""
    with reading(conninfo) as connection:
        rows = connection.execute(
            "SELECT step_sha FROM wesley.migration_done WHERE plan_id = %s", (plan_id,)
        ).fetchall()
    return {row[0] for row in rows}


def sqlstate_of_end(conninfo: str, run_id: int) -> str:
    """The SQLSTATE of the failure that has ended a run last; empty when it ended without one."""
    with reading(conninfo) as connection:
        row = connection.execute(
            "SELECT metrics ->> 'sqlstate' FROM wesley.migration_events WHERE run_id = %s AND type = 'abort.reason'"
            " ORDER BY id DESC LIMIT 1",
            (run_id,),
        ).fetchone()
    return (row[0] or "") if row is not None else ""


def begun(conninfo: str, plan_id: str) -> set[str]:
    """``step_sha`` of the steps outside a transaction that were begun and of which nobody knows how they ended."""
    with reading(conninfo) as connection:
        rows = connection.execute(
            "SELECT last.step_sha FROM (SELECT DISTINCT ON (l.step_sha) l.step_sha, l.status"
            " FROM wesley.migration_ledger l LEFT JOIN wesley.migration_generations g USING (plan_id)"
            " WHERE l.plan_id = %s AND l.generation = coalesce(g.generation, 1)"
            " ORDER BY l.step_sha, l.ledger_id DESC) AS last WHERE last.status = 'started'",
            (plan_id,),
        ).fetchall()
    return {row[0] for row in rows}


def holds(conninfo: str, checks: Sequence[StepCheck]) -> bool:
    """Whether all ``checks`` are satisfied now."""
    with reading(conninfo) as connection:
        return all(bool((connection.execute(check.sql.encode()).fetchone() or (None,))[0]) for check in checks)


def verify(conninfo: str) -> list[str]:
    """What is wrong with the event chain or the ledger; empty when nothing was edited, removed or inserted."""
    with reading(conninfo) as connection:
        if not _installed(connection):
            return []
        chain = connection.execute("SELECT event_id, problem FROM wesley.verify_chain()").fetchall()
        ledger = connection.execute("SELECT step_sha, problem FROM wesley.verify_ledger()").fetchall()
    return [f"event {event}: {problem}" for event, problem in chain] + [
        f"step {step[:16]}: {problem}" for step, problem in ledger
    ]


def _installed(connection: Connection[Any]) -> bool:
    row = connection.execute("SELECT to_regclass('wesley.migration_runs') IS NOT NULL").fetchone()
    return row is not None and bool(row[0])


_HISTORY = """
SELECT r.run_id, r.plan_id, r.status, r.actor, r.application, r.contract, r.message, r.started_at AS started,
       r.finished_at AS finished,
       (SELECT count(*) FROM wesley.migration_steps s WHERE s.plan_id = r.plan_id) AS steps,
       (SELECT count(DISTINCT l.step_sha) FROM wesley.migration_ledger l
         WHERE l.plan_id = r.plan_id AND l.status = 'succeeded')
           AS succeeded,
       r.run_id = (SELECT max(run_id) FROM wesley.migration_runs) AND EXISTS (
           SELECT FROM pg_locks l
            WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
              AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND (l.classid::bigint << 32 | l.objid::bigint) = %(lock)s) AS owned
  FROM wesley.migration_runs r ORDER BY r.run_id DESC LIMIT %(limit)s
"""
