"""Who is in the way of a plan: sessions, prepared transactions and replication slots, as a server shows them at one
moment, held against what each step needs.

Pure: :mod:`wesley_tui.services.blockers` reads, this module compares. A step waits for

* whoever holds (or waits in the queue for) a lock that conflicts with one of the step's own;
* CREATE INDEX and REINDEX CONCURRENTLY besides: for writers of the table, and at the end for every transaction of the
  same database that has an older snapshot, whatever it reads;
* DROP INDEX, REINDEX and DETACH CONCURRENTLY: for everybody who has touched the table in a transaction that goes on.

VALIDATE CONSTRAINT waits for no snapshot. The xmin of a replication slot stalls none of them, because it belongs to no
transaction that could be waited for (``GetCurrentVirtualXIDs()`` of PostgreSQL), but it keeps the dead rows of a
backfill from being removed. ``tests/integration/test_blockers.py`` holds all this against real servers.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from wesley_tui.planner.plan import LockMode, Plan, Step, StepKind

__all__ = ["Activity", "Obstacle", "Session", "SessionKind", "Slot", "conflicts", "obstacles"]

_A, _R, _W, _U = (
    LockMode.AccessShareLock, LockMode.RowShareLock, LockMode.RowExclusiveLock, LockMode.ShareUpdateExclusiveLock,
)  # fmt: skip
_S, _SR, _E, _X = (
    LockMode.ShareLock,
    LockMode.ShareRowExclusiveLock,
    LockMode.ExclusiveLock,
    LockMode.AccessExclusiveLock,
)
_CONFLICTS: Mapping[LockMode, frozenset[LockMode]] = {
    _A: frozenset({_X}),
    _R: frozenset({_E, _X}),
    _W: frozenset({_S, _SR, _E, _X}),
    _U: frozenset({_U, _S, _SR, _E, _X}),
    _S: frozenset({_W, _U, _SR, _E, _X}),
    _SR: frozenset({_W, _U, _S, _SR, _E, _X}),
    _E: frozenset({_R, _W, _U, _S, _SR, _E, _X}),
    _X: frozenset(LockMode),
}
"""https://www.postgresql.org/docs/current/explicit-locking.html#TABLE-LOCK-COMPATIBILITY"""


def conflicts(one: LockMode, other: LockMode) -> bool:
    """Whether two sessions cannot hold these locks on one table at the same time."""
    return other in _CONFLICTS[one]


class SessionKind(enum.StrEnum):
    CLIENT = "client"
    AUTOVACUUM = "autovacuum"
    """It gives way by itself when somebody waits for its lock."""
    WRAPAROUND = "autovacuum (to prevent wraparound)"
    """It does not give way."""
    PREPARED = "prepared transaction"
    WESLEY = "run of Wesley"
    SERVER = "server process"


@dataclass(frozen=True, slots=True)
class Session:
    """A transaction under way, or a session that holds locks."""

    kind: SessionKind
    pid: int
    """0 for a prepared transaction, which has no process."""
    user: str
    application: str
    state: str
    """As in ``pg_stat_activity``; empty when the reader may not see it."""
    query: str
    """What it runs, or ran last, first 200 characters; the gid of a prepared transaction."""
    age_s: float | None
    """Seconds since its transaction began; None when the reader may not see it."""
    snapshot: bool = False
    """It holds a snapshot: statements CONCURRENTLY wait for it."""
    holds: Mapping[str, LockMode] = field(default_factory=dict)
    """Strongest lock per table, ``schema.table``."""
    waits: Mapping[str, LockMode] = field(default_factory=dict)
    """Locks it queues for: whoever comes later waits behind it."""

    @property
    def who(self) -> str:
        if self.kind is SessionKind.PREPARED:
            return f"prepared transaction {self.query!r} of {self.user}"
        application = f", {self.application}" if self.application else ""
        return f"pid {self.pid} ({self.user or self.kind}{application})"


@dataclass(frozen=True, slots=True)
class Slot:
    """A replication slot that holds something back."""

    name: str
    active: bool
    xmin_age: int
    """Transactions since the oldest one that it still protects; 0: it protects no rows."""
    retained_bytes: int
    """WAL that is kept for it."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What a server was doing at one moment."""

    at: datetime
    """The server's clock."""
    role: str
    sessions: tuple[Session, ...] = ()
    slots: tuple[Slot, ...] = ()
    hidden: int = 0
    """Sessions of other roles whose state and query could not be seen."""
    may_signal: bool = True
    """The role may cancel sessions of other roles."""

    @property
    def unseen(self) -> str:
        """What could not be seen, and what would help; empty: all was seen."""
        if not self.hidden:
            return ""
        return (
            f"state, query and age of {self.hidden} session(s) of other roles could not be seen, only their locks and "
            f"snapshots: GRANT pg_read_all_stats TO {self.role}"
        )


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One session, or slot, and what of the plan it is in the way of."""

    steps: tuple[int, ...]
    """Ordinals."""
    how: tuple[str, ...]
    """What it does to them, one sentence each."""
    advice: str
    session: Session | None = None
    slot: Slot | None = None

    @property
    def blocks(self) -> bool:
        """Whether a step would wait; else it only makes work dearer."""
        return self.session is not None

    @property
    def who(self) -> str:
        if self.session is not None:
            return self.session.who
        assert self.slot is not None
        return f"replication slot {self.slot.name} ({'active' if self.slot.active else 'nobody reads from it'})"

    @property
    def age_s(self) -> float | None:
        return self.session.age_s if self.session is not None else None


@dataclass(frozen=True, slots=True)
class _Need:
    """What a step cannot get along with."""

    ordinal: int
    locks: Mapping[str, LockMode]
    lockers: Mapping[str, LockMode] = field(default_factory=dict)
    """Transactions that hold a lock in conflict with this mode are waited for, without taking it."""
    snapshots: bool = False


_SNAPSHOT_AGE_S = 1.0
"""Younger snapshots are those of everyday statements: they are gone before the step gets there."""


def obstacles(plan: Plan, activity: Activity) -> tuple[Obstacle, ...]:
    """Who would hold up which step if the plan began now; the oldest transaction first, slots last."""
    needs = [_need(step) for step in plan.steps]
    found = [item for session in activity.sessions if (item := _of_session(session, needs, activity)) is not None]
    found.sort(key=lambda item: -(item.age_s if item.age_s is not None else 0.0))
    return (*found, *_of_slots(plan, activity.slots))


def _need(step: Step) -> _Need:
    words = " ".join(step.statements).upper() if step.kind is StepKind.AUTOCOMMIT else ""
    if "CONCURRENTLY" not in words:
        return _Need(step.ordinal, step.locks)
    builds = words.startswith(("CREATE", "REINDEX"))
    mode = LockMode.ShareLock if words.startswith("CREATE") else LockMode.AccessExclusiveLock
    return _Need(step.ordinal, step.locks, dict.fromkeys(step.locks, mode), snapshots=builds)


def _of_session(session: Session, needs: Iterable[_Need], activity: Activity) -> Obstacle | None:
    reasons: dict[str, list[int]] = {}
    for need in needs:
        for reason in _reasons(session, need):
            reasons.setdefault(reason, []).append(need.ordinal)
    if not reasons:
        return None
    steps = sorted({ordinal for ordinals in reasons.values() for ordinal in ordinals})
    how = tuple(f"{_named(ordinals)} {reason}" for reason, ordinals in reasons.items())
    return Obstacle(tuple(steps), how, _advice(session, activity), session=session)


def _reasons(session: Session, need: _Need) -> Iterator[str]:
    for table, wanted in need.locks.items():
        held, queued = session.holds.get(table), session.waits.get(table)
        if held is not None and conflicts(wanted, held):
            yield f"would wait for {wanted.name} on {table}: it holds {held.name}"
        elif held is not None and table in need.lockers and conflicts(need.lockers[table], held):
            yield f"would wait, CONCURRENTLY, until its transaction ends: it holds {held.name} on {table}"
        elif queued is not None and conflicts(wanted, queued):
            yield f"would queue behind it for {table}: it waits for {queued.name} itself"
    old = session.age_s is None or session.age_s >= _SNAPSHOT_AGE_S
    vacuums = session.kind in (SessionKind.AUTOVACUUM, SessionKind.WRAPAROUND)
    if need.snapshots and session.snapshot and old and not vacuums:
        yield "would wait, CONCURRENTLY, until its snapshot is gone, whatever it reads"


def _named(ordinals: list[int]) -> str:
    shown = ", ".join(map(str, ordinals[:8])) + (f" and {len(ordinals) - 8} more" if len(ordinals) > 8 else "")
    return f"step {shown}" if len(ordinals) == 1 else f"steps {shown}"


def _advice(session: Session, activity: Activity) -> str:
    rights = "" if activity.may_signal else f" (needs GRANT pg_signal_backend TO {activity.role}, or be {session.user})"
    match session.kind:
        case SessionKind.PREPARED:
            gid = session.query.replace("'", "''")
            return f"COMMIT PREPARED '{gid}' or ROLLBACK PREPARED '{gid}', whichever its transaction manager says"
        case SessionKind.AUTOVACUUM:
            return "nothing: it gives way when the step waits for its lock"
        case SessionKind.WRAPAROUND:
            return (
                "wait for it (pg_stat_progress_vacuum shows how far it is): it does not give way, and what "
                f"SELECT pg_cancel_backend({session.pid}) ends is begun again"
            )
        case SessionKind.WESLEY:
            return "another run is under way: wesley status"
        case SessionKind.SERVER:
            return "a process of the server or of replication: find out what it is for before touching it"
        case SessionKind.CLIENT:
            if session.state.startswith("idle in transaction"):
                return f"have its transaction ended, or SELECT pg_terminate_backend({session.pid}){rights}"
            return f"wait, or SELECT pg_cancel_backend({session.pid}){rights}"


def _of_slots(plan: Plan, slots: Iterable[Slot]) -> Iterator[Obstacle]:
    """Slots stall nothing, but what is written in bulk stays on the disks because of them."""
    fills = tuple(step.ordinal for step in plan.steps if step.kind is StepKind.BACKFILL)
    writes = tuple(step.ordinal for step in plan.steps if step.work.get("wal_bytes", 0) > 0)
    for slot in slots:
        how = []
        if fills and slot.xmin_age > 0:
            how.append(
                f"{_named(list(fills))} would leave dead rows that VACUUM cannot remove: it protects the last "
                f"{slot.xmin_age} transactions"
            )
        if writes and not slot.active:
            how.append(
                f"{_named(list(writes))} would write WAL that is kept for it, besides {slot.retained_bytes} bytes now"
            )
        if how:
            advice = "look at the lag of its consumer first" if slot.active else (
                "bring its consumer back; if it is gone for good: SELECT pg_drop_replication_slot("
                f"'{slot.name}')"
            )  # fmt: skip
            steps = tuple(sorted({*(fills if slot.xmin_age > 0 else ()), *(writes if not slot.active else ())}))
            yield Obstacle(steps, tuple(how), advice, slot=slot)
