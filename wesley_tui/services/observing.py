"""Look at a live server: who is in the way, how fast it has been, when it is quiet. One round trip, nothing is written.

The query is ``observing.sql``. Whatever a role may not see is said, never guessed; a server that cannot be looked at
leaves everything unknown, and a plan is made all the same.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from wesley_tui.planner.obstacles import Activity, Session, SessionKind, Slot, obstacles
from wesley_tui.planner.outlook import Outlook
from wesley_tui.planner.plan import LockMode, Plan
from wesley_tui.planner.quiet import LoadHour, quiet_hours
from wesley_tui.planner.rates import ASSUMED, Rates, measured_rates

if TYPE_CHECKING:
    from psycopg import AsyncConnection

__all__ = ["NOTHING_SEEN", "Observed", "observe", "outlook_of"]

_PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True)
class Observed:
    """What one look has shown."""

    activity: Activity | None = None
    """None when the server could not be asked."""
    rates: Rates = ASSUMED
    load: tuple[LoadHour, ...] = ()
    """What the samples of the ledger say; empty without any."""


NOTHING_SEEN = Observed()


async def observe(connection: AsyncConnection[Any]) -> Observed:
    """One round trip on an idle connection in autocommit mode; :data:`NOTHING_SEEN` when there is no answer."""
    import psycopg

    try:
        async with asyncio.timeout(_PATIENCE_S):
            cursor = await connection.execute(_query().encode())
            row = await cursor.fetchone()
    except (psycopg.Error, TimeoutError):
        return NOTHING_SEEN
    assert row is not None
    found = row[0]
    history = [json.loads(word) for word in found["history"] or ()]
    load = [LoadHour(*json.loads(word)) for word in found["load"] or ()]
    return Observed(
        activity_of(found),
        measured_rates((duration, work) for _, duration, work in history if duration is not None),
        tuple(sorted(load)),
    )


def outlook_of(plan: Plan, seen: Observed) -> Outlook:
    """All that is known about ``plan`` beside itself."""
    from wesley_tui.services.forecast import forecast

    if not plan.waves:
        return Outlook(activity=seen.activity)
    expected = forecast(plan)
    return Outlook(
        forecast=expected,
        activity=seen.activity,
        obstacles=obstacles(plan, seen.activity) if seen.activity is not None else (),
        quiet=quiet_hours(seen.load, expected.rolling_ms) if seen.activity is not None else None,
    )


@lru_cache(maxsize=1)
def _query() -> str:
    return (resources.files(__package__) / "observing.sql").read_text(encoding="utf-8")


def activity_of(found: Mapping[str, Any]) -> Activity:
    """The record of what ``observing.sql`` has answered."""
    locks: dict[tuple[int, str], tuple[dict[str, LockMode], dict[str, LockMode]]] = {}
    for pid, transaction, relation, mode, granted in found["locks"] or ():
        # A prepared transaction has no process; a session holds the locks of all its transactions.
        key = (pid, "") if pid is not None else (0, transaction)
        held, queued = locks.setdefault(key, ({}, {}))
        place = held if granted else queued
        place[relation] = max(LockMode[mode], place.get(relation, LockMode.AccessShareLock))
    return Activity(
        at=datetime.fromisoformat(found["at"]),
        role=found["role"],
        sessions=(*_sessions(found["sessions"] or (), locks), *_prepared(found["prepared"] or (), locks)),
        slots=tuple(Slot(name, active, age, retained) for name, active, age, retained in found["slots"] or ()),
        hidden=found["hidden"],
        may_signal=found["may_signal"],
    )


_Locks = Mapping[tuple[int, str], tuple[dict[str, LockMode], dict[str, LockMode]]]


def _sessions(rows: Iterable[Mapping[str, Any]], locks: _Locks) -> Iterable[Session]:
    for row in rows:
        if row["backend"] == "parallel worker":
            continue
        held, queued = locks.get((row["pid"], ""), ({}, {}))
        query = row["query"] or ""
        yield Session(
            kind=_kind(row),
            pid=row["pid"],
            user=row["usename"] or "",
            application=row["application_name"] or "",
            state=row["state"] or "",
            query="" if query == "<insufficient privilege>" else " ".join(query.split()),
            age_s=row["age_s"],
            snapshot=row["snapshot"],
            holds=held,
            waits=queued,
        )


def _kind(row: Mapping[str, Any]) -> SessionKind:
    if row["backend"] == "autovacuum worker":
        return SessionKind.WRAPAROUND if "to prevent wraparound" in (row["query"] or "") else SessionKind.AUTOVACUUM
    if (row["application_name"] or "").startswith("wesley/"):
        return SessionKind.WESLEY
    return SessionKind.CLIENT if row["backend"] in ("", "client backend") else SessionKind.SERVER


def _prepared(rows: Iterable[Mapping[str, Any]], locks: _Locks) -> Iterable[Session]:
    for row in rows:
        held, queued = locks.get((0, row["virtualtransaction"]), ({}, {}))
        yield Session(
            SessionKind.PREPARED, 0, row["owner"], "", "prepared", row["gid"], row["age_s"], holds=held, waits=queued
        )  # fmt: skip
