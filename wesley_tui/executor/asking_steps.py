"""Asking about single steps from another process: leave one out, try it again now, end the session that holds it up.

As with the other requests (:mod:`wesley_tui.executor.asking`), what is asked is a row, and the event that answers
carries its number.
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from wesley_tui.executor.asking import Answer, find_summary
from wesley_tui.executor.control import Blocker
from wesley_tui.executor.errors import ExecutorError
from wesley_tui.executor.events import EventType, RunStatus
from wesley_tui.executor.ledger import RunSummary, asking, reading

__all__ = ["Holdup", "StepName", "ask_retry", "ask_skip", "ask_terminate", "find_step", "holdups"]

_OVER = frozenset({RunStatus.COMPLETE, RunStatus.ROLLED_BACK})


@dataclass(frozen=True, slots=True)
class StepName:
    ordinal: int
    step_sha: str
    op: str
    object: str
    done: bool

    def __str__(self) -> str:
        return f"step {self.ordinal} ({self.op} {self.object})"


@dataclass(frozen=True, slots=True)
class Holdup:
    """A session that holds up a step, now or a moment ago."""

    blocker: Blocker
    started: str
    """When its session began, as text: with the process id it names the session for good."""


def find_step(conninfo: str, run: RunSummary, named: str) -> StepName:
    """The step with this number, or whose identity begins so; ExecutorError when there is none, or more than one."""
    with reading(conninfo) as connection:
        rows = connection.execute(
            "SELECT s.ordinal, s.step_sha, s.op, s.object, d.step_sha IS NOT NULL FROM wesley.migration_steps s"
            " LEFT JOIN wesley.migration_done d USING (plan_id, step_sha) WHERE s.plan_id = %(plan)s"
            " AND (s.ordinal::text = %(named)s OR (length(%(named)s) >= 6 AND starts_with(s.step_sha, %(named)s)))",
            {"plan": run.plan_id, "named": named},
        ).fetchall()
    if len(rows) != 1:
        how = "no step" if not rows else "more than one step"
        raise ExecutorError(
            f"run {run.run_id} has {how} {named!r}: say its number, or the first hex digits of its identity. Nothing "
            "was asked; see: wesley status"
        )
    return StepName(*rows[0])


def ask_skip(conninfo: str, run_id: int | None, named: str, reason: str, patience_s: float = 10.0) -> Answer:
    """Leave a step out; what of it runs now is cancelled. Kept for when the run is resumed, also when no process
    executes it now."""
    run = _unfinished(conninfo, run_id, "skip")
    step = find_step(conninfo, run, named)
    if step.done:
        raise ExecutorError(f"{step} of run {run.run_id} is done: there is nothing to skip")
    number = _insert(conninfo, run, "skip", reason, {"step": step.step_sha})
    answered = run.owned and _answered(conninfo, run.run_id, number, patience_s) is not None
    return Answer(run.run_id, run.status, answered or not run.owned)


def ask_retry(conninfo: str, run_id: int | None, named: str = "") -> RunSummary:
    """Try again now what waits for its next attempt, and take in again what was left out; an empty name means every
    step. When no process executes the run, it is to be resumed then."""
    run = _unfinished(conninfo, run_id, "retry")
    step_sha = find_step(conninfo, run, named).step_sha if named else ""
    _insert(conninfo, run, "retry", "", {"step": step_sha})
    return run


def holdups(conninfo: str, run: RunSummary) -> list[Holdup]:
    """Who holds up the steps of this run: now, or according to its events of the last two minutes and still in a
    transaction."""
    with reading(conninfo) as connection:
        rows = connection.execute(_HOLDUPS, {"run": run.run_id, "ours": f"wesley/{run.run_id}/%"}).fetchall()
    return [Holdup(Blocker(0, *row[:-1]), row[-1] or "") for row in rows]


def ask_terminate(conninfo: str, run: RunSummary, holdup: Holdup, reason: str, patience_s: float = 10.0) -> str | None:
    """Let the run end the session of somebody who holds it up. What came of it, in words; None when the run has not
    answered yet. Raises ExecutorError when it was refused."""
    if not run.owned:
        raise ExecutorError(f"no process executes run {run.run_id}: nothing of it waits. Nothing was asked")
    number = _insert(conninfo, run, "terminate", reason, {"pid": holdup.blocker.pid, "started": holdup.started})
    answer = _answered(conninfo, run.run_id, number, patience_s)
    if answer is not None and answer[0] == EventType.COMMAND_REFUSED:
        raise ExecutorError(f"run {run.run_id}: {answer[1]}")
    return answer[1] if answer is not None else None


def _unfinished(conninfo: str, run_id: int | None, verb: str) -> RunSummary:
    run = find_summary(conninfo, run_id)
    if run.status in _OVER:
        raise ExecutorError(f"run {run.run_id} is {run.status.value.replace('_', ' ')}: there is nothing to {verb}")
    return run


def _insert(conninfo: str, run: RunSummary, verb: str, reason: str, knobs: Mapping[str, Any]) -> int:
    with asking(conninfo) as connection:
        row = connection.execute(
            "INSERT INTO wesley.migration_commands (run_id, verb, argument, knobs, person)"
            " VALUES (%s, %s, %s, %s, %s) RETURNING command_id",
            (run.run_id, verb, reason, Jsonb(dict(knobs)), getpass.getuser()),
        ).fetchone()
    assert row is not None
    return int(row[0])


def _answered(conninfo: str, run_id: int, number: int, patience_s: float) -> tuple[str, str] | None:
    """Type and message of the event that answers a request, when there is one in time."""
    end = time.monotonic() + patience_s
    with reading(conninfo) as connection:
        while time.monotonic() < end:
            row = connection.execute(
                "SELECT type, message FROM wesley.migration_events WHERE run_id = %s AND metrics ->> 'command' = %s"
                " ORDER BY id LIMIT 1",
                (run_id, str(number)),
            ).fetchone()
            if row is not None:
                return str(row[0]), str(row[1])
            time.sleep(0.1)
    return None


_HOLDUPS = """
WITH named AS (
    SELECT (b.value ->> 'pid')::int AS pid
      FROM wesley.migration_events e, jsonb_array_elements(e.metrics -> 'blockers') AS b
     WHERE e.run_id = %(run)s AND e.type = 'lock.timeout' AND e.time > clock_timestamp() - interval '2 minutes'
     UNION
    SELECT unnest(pg_blocking_pids(a.pid)) FROM pg_stat_activity a WHERE a.application_name LIKE %(ours)s
)
SELECT a.pid, coalesce(a.usename, ''), coalesce(a.application_name, ''), coalesce(a.state, 'unknown'),
       coalesce(EXTRACT(epoch FROM clock_timestamp() - a.xact_start), 0)::float8, coalesce(left(a.query, 200), ''),
       a.backend_start::text
  FROM pg_stat_activity a JOIN named USING (pid)
 WHERE a.backend_type = 'client backend' AND a.datname = current_database() AND a.xact_start IS NOT NULL
   AND a.application_name NOT LIKE 'wesley/%%'
 ORDER BY a.xact_start
"""
