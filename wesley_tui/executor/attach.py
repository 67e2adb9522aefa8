"""Watching a run from outside: its events as they are committed, read from the table.

A notification only says that it is worth looking; its payload is never read, anybody could have sent it. What counts is
the id: the event chain hands ids out in the order of commits, so "above the last one that was seen" misses nothing,
however many notifications were lost, and a connection that broke is made again without a gap. SELECT on the tables of
schema ``wesley`` is enough; on a standby, where LISTEN is refused, the table is looked at twice a second.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from psycopg import Connection

from wesley_tui.executor.control import EVENT_COLUMNS, event_from_row, translated
from wesley_tui.executor.errors import CannotConnect, ConnectionLost
from wesley_tui.executor.events import Event
from wesley_tui.executor.locks import RUN_LOCK
from wesley_tui.executor.target import own_conninfo

__all__ = ["follow_pages", "follow_run"]

_PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.5
"""Without a notification the table is looked at as often as this, and whether the run is still owned."""
_PAGE = 1000

Page = list[Event]


def _never() -> bool:
    return False


def follow_run(conninfo: str, run_id: int, after: int = 0) -> Iterator[Event]:
    """The events of a run with an id above ``after``, those to come included, until the run has ended; see
    :func:`follow_pages`."""
    for events in follow_pages(conninfo, run_id, after):
        yield from events


def follow_pages(conninfo: str, run_id: int, after: int = 0, enough: Callable[[], bool] = _never) -> Iterator[Page]:
    """As :func:`follow_run`, as many events at once as there are (at most 1000); also ends when ``enough`` says so.

    A run has ended when no process works on it: fold the events to see whether it came to its own end. Raises
    ConnectionLost when the server is away for more than a minute.
    """
    connection: Connection[Any] | None = None
    lost_since: float | None = None
    while True:
        try:
            if connection is None:
                connection = _listening(conninfo)
            ended = not _owned(connection, run_id)
            while events := _events_after(connection, run_id, after):
                after = events[-1].id
                yield events
            lost_since = None
            if ended or enough():
                break
            for _ in connection.notifies(timeout=_LOOK_EVERY_S, stop_after=1):
                pass
        except (psycopg.OperationalError, CannotConnect, ConnectionLost) as error:
            if connection is not None:
                connection.close()
                connection = None
            lost_since = lost_since or time.monotonic()
            if time.monotonic() - lost_since > _PATIENCE_S:
                raise ConnectionLost(
                    f"the server has been away for a minute: {str(error).strip()}. Nothing is known of run {run_id} "
                    "since; look again with: wesley status"
                ) from error
            time.sleep(_LOOK_EVERY_S)
        except psycopg.Error as error:
            raise translated(error) from error
    connection.close()


def _listening(conninfo: str) -> Connection[Any]:
    connection = psycopg.connect(own_conninfo(conninfo, "wesley/attach"), autocommit=True)
    connection.execute(
        "SELECT set_config('lock_timeout', '2s', false), set_config('TimeZone', 'UTC', false),"
        " set_config('DateStyle', 'ISO, YMD', false)"
    )
    with contextlib.suppress(psycopg.errors.ObjectNotInPrerequisiteState, psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("LISTEN wesley_events")
    return connection


def _owned(connection: Connection[Any], run_id: int) -> bool:
    """Whether a process works on the run. Asked before the events are read, so that the last ones are not missed."""
    row = connection.execute(
        "SELECT %(run)s = (SELECT max(run_id) FROM wesley.migration_runs) AND EXISTS (SELECT FROM pg_locks l"
        " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
        " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND (l.classid::bigint << 32 | l.objid::bigint) = %(lock)s)",
        {"run": run_id, "lock": RUN_LOCK},
    ).fetchone()
    return row is not None and bool(row[0])


def _events_after(connection: Connection[Any], run_id: int, after: int) -> list[Event]:
    rows = connection.execute(
        f"SELECT {EVENT_COLUMNS} FROM wesley.migration_events WHERE run_id = %s AND id > %s ORDER BY id LIMIT %s",
        (run_id, after, _PAGE),
    ).fetchall()
    return [event_from_row(row) for row in rows]
