"""Asking something of a run from another process: a row in ``wesley.migration_commands``, which the process that owns
the run takes within a quarter of a second, whatever machine it is on.

Where no process owns the run, nobody would take it: then the run itself is marked, so that a pause holds until somebody
says ``wesley resume``, and a cancel gives the run up.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from wesley_tui.executor.abandon import cancel_run
from wesley_tui.executor.errors import ExecutorError
from wesley_tui.executor.events import RunStatus
from wesley_tui.executor.governor import Knobs
from wesley_tui.executor.ledger import RunSummary, asking, find, reading
from wesley_tui.executor.opening import connections, take_run_lock
from wesley_tui.executor.recovery import silence_orphans

__all__ = ["Answer", "ask_cancel", "ask_pause", "ask_resume", "ask_set", "find_summary", "limits_of", "may_steer"]

_MOVING = frozenset({RunStatus.RUNNING, RunStatus.PAUSED})
_OVER = frozenset({RunStatus.COMPLETE, RunStatus.ROLLED_BACK})
_LOOK_EVERY_S = 0.1

Verb = Literal["pause", "resume", "cancel", "set"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request."""

    run_id: int
    status: RunStatus
    """Of the run, when the wait was over."""
    obeyed: bool
    """Whether it is as was asked for; False: it will be once the running step or batch has ended."""


def find_summary(conninfo: str, run_id: int | None) -> RunSummary:
    """Run ``run_id``, or the last one; ExecutorError when there is none."""
    found = find(conninfo, run_id)
    if found is None:
        which = f"run {run_id}" if run_id is not None else "a run"
        raise ExecutorError(f"this database does not know {which}. Nothing was asked; list them with: wesley history")
    return found


def may_steer(conninfo: str) -> bool:
    """Whether the role may ask anything of a run: INSERT on ``wesley.migration_commands``."""
    with reading(conninfo) as connection:
        row = connection.execute(
            "SELECT has_schema_privilege('wesley', 'USAGE')"
            " AND has_table_privilege('wesley.migration_commands', 'INSERT')"
        ).fetchone()
    return row is not None and bool(row[0])


def ask_pause(conninfo: str, run_id: int | None, reason: str, patience_s: float = 10.0) -> Answer:
    """Pause after the current step or batch; waits up to ``patience_s`` seconds for that."""
    run = find_summary(conninfo, run_id)
    if run.owned:
        return _ask(conninfo, run, "pause", reason, patience_s, lambda status: status is not RunStatus.RUNNING)
    status = asyncio.run(_pause_unowned(conninfo, run.run_id, reason))
    if status is not RunStatus.PAUSED:
        raise ExecutorError(f"run {run.run_id} is {_word(status)}: there is nothing to pause")
    return Answer(run.run_id, status, obeyed=True)


def ask_resume(conninfo: str, run: RunSummary, patience_s: float = 10.0) -> Answer:
    """Let a paused run go on in the process that owns it."""
    return _ask(conninfo, run, "resume", "", patience_s, lambda status: status is not RunStatus.PAUSED)


def ask_cancel(conninfo: str, run_id: int | None, reason: str, patience_s: float = 30.0) -> Answer:
    """Cancel: what the server runs is cancelled and half-made indexes are removed; what has succeeded stays.

    Waits up to ``patience_s`` seconds for that; asking again cancels the tidying too.
    """
    run = find_summary(conninfo, run_id)
    if run.owned and run.status in _MOVING:
        return _ask(conninfo, run, "cancel", reason, patience_s, lambda status: status not in _MOVING)
    return Answer(cancel_run(conninfo, run.run_id, reason), RunStatus.CANCELLED, obeyed=True)


def ask_set(conninfo: str, run_id: int | None, knobs: Mapping[str, Any]) -> Answer:
    """Change limits of a run; kept for when it is resumed, also when no process owns it now. ValueError for what is no
    limit, or cannot be its value."""
    Knobs().changed(knobs)
    run = find_summary(conninfo, run_id)
    if run.status in _OVER:
        raise ExecutorError(f"run {run.run_id} is {_word(run.status)}: there is nothing to throttle")
    _insert(conninfo, run.run_id, "set", "", knobs)
    return Answer(run.run_id, run.status, obeyed=not run.owned)


def limits_of(conninfo: str, run_id: int) -> Knobs:
    """The limits that hold for a run now: its own, and every change that was asked for since it began."""
    knobs = Knobs()
    with reading(conninfo) as connection:
        rows = connection.execute(
            "SELECT knobs FROM wesley.migration_commands WHERE run_id = %s AND verb = 'set' ORDER BY command_id",
            (run_id,),
        ).fetchall()
    for row in rows:
        with contextlib.suppress(ValueError):  # refused: an event says so
            knobs = knobs.changed(row[0])
    return knobs


def _ask(
    conninfo: str, run: RunSummary, verb: Verb, reason: str, patience_s: float, done: Callable[[RunStatus], bool]
) -> Answer:
    if run.status not in _MOVING:
        raise ExecutorError(f"run {run.run_id} is {_word(run.status)}: there is nothing to {verb}")
    _insert(conninfo, run.run_id, verb, reason, {})
    end = time.monotonic() + patience_s
    while True:
        now = find_summary(conninfo, run.run_id)
        if done(now.status) or time.monotonic() > end:
            return Answer(run.run_id, now.status, done(now.status))
        if not now.owned:
            raise ExecutorError(
                f"the process that ran run {run.run_id} ended before it could {verb}. What was committed is recorded, "
                "the rest was rolled back; go on with: wesley resume, or give it up with: wesley cancel"
            )
        time.sleep(_LOOK_EVERY_S)


def _insert(conninfo: str, run_id: int, verb: Verb, reason: str, knobs: Mapping[str, Any]) -> None:
    with asking(conninfo) as connection:
        try:
            connection.execute(
                "INSERT INTO wesley.migration_commands (run_id, verb, argument, knobs, person)"
                " VALUES (%s, %s, %s, %s, %s)",
                (run_id, verb, reason, Jsonb(dict(knobs)), getpass.getuser()),
            )
        except psycopg.errors.UndefinedTable as error:
            raise ExecutorError(
                f"run {run_id} was begun by an older Wesley, which takes no commands. Nothing was asked; {verb} it in "
                "the process that runs it"
            ) from error


async def _pause_unowned(conninfo: str, run_id: int, reason: str) -> RunStatus:
    async with connections(conninfo) as (control, lock, _):
        try:
            await take_run_lock(lock, 1.0)
            await silence_orphans(lock, control, 1.0)
            person = getpass.getuser()
            message = f"{person}: {reason}" if reason else f"asked for by {person}"
            cursor = await control.connection.execute(
                "SELECT wesley.pause_unowned_run(%s, %s, %s)", (run_id, message, Jsonb({"person": person}))
            )
            row = await cursor.fetchone()
            assert row is not None
            return RunStatus(row[0])
        finally:
            await lock.close()
            await control.connection.close()


def _word(status: RunStatus) -> str:
    return status.value.replace("_", " ")
