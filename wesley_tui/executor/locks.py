"""Advisory locks: their keys, and the one that lets a single migration at a time run on a database.

A key is the first 8 bytes of SHA-256 of a stable text, big-endian, signed. Three kinds of locks are taken:

* the **run lock**, exclusive, session level, on a dedicated connection that does nothing else and is never in a
  transaction (a transaction would hold back CREATE INDEX CONCURRENTLY);
* the **worker lock**, shared, session level, on every connection that runs steps: while one of them lives, even as an
  orphan whose psql is gone, a new run cannot get it exclusively and does not begin;
* **object locks**, exclusive, transaction level, taken by ``wesley.apply_step`` itself.

All are tried and polled from here, never waited for in the server: a statement that waits for an advisory lock holds a
snapshot, CREATE INDEX CONCURRENTLY waits for snapshots, and the two would wait for each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from typing import Any

import psycopg
from psycopg import AsyncConnection

from wesley_tui.planner.plan import LockMode, Step

__all__ = [
    "RUN_LOCK",
    "WORKER_LOCK",
    "in_the_way",
    "lock_key",
    "object_keys",
    "relations_of",
    "try_lock",
    "unlock",
    "unlock_all",
]


def lock_key(text: str) -> int:
    """A signed 64-bit key for ``pg_advisory_lock``."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)


RUN_LOCK = lock_key("wesley:run")
WORKER_LOCK = lock_key("wesley:worker")


def relations_of(step: Step) -> frozenset[str]:
    """What no two steps may work on at the same time: the relations it locks, and its object."""
    return frozenset({step.object, *step.locks})


_CONFLICTS = {
    "AccessShareLock": "AccessExclusiveLock",
    "RowShareLock": "ExclusiveLock AccessExclusiveLock",
    "RowExclusiveLock": "ShareLock ShareRowExclusiveLock ExclusiveLock AccessExclusiveLock",
    "ShareUpdateExclusiveLock": "ShareUpdateExclusiveLock ShareLock ShareRowExclusiveLock ExclusiveLock"
    " AccessExclusiveLock",
    "ShareLock": "RowExclusiveLock ShareUpdateExclusiveLock ShareRowExclusiveLock ExclusiveLock AccessExclusiveLock",
    "ShareRowExclusiveLock": "RowExclusiveLock ShareUpdateExclusiveLock ShareLock ShareRowExclusiveLock ExclusiveLock"
    " AccessExclusiveLock",
    "ExclusiveLock": "RowShareLock RowExclusiveLock ShareUpdateExclusiveLock ShareLock ShareRowExclusiveLock"
    " ExclusiveLock AccessExclusiveLock",
}
"""https://www.postgresql.org/docs/current/explicit-locking.html#TABLE-LOCK-COMPATIBILITY; ACCESS EXCLUSIVE conflicts
with all."""


def in_the_way(step: Step) -> list[tuple[str, str]]:
    """(relation, mode) of every lock that somebody may hold on what the step locks, and that it has to wait for. An
    object without a known lock counts as if it were locked ACCESS EXCLUSIVE."""
    wanted = {name: step.locks[name].name if name in step.locks else "" for name in relations_of(step)}
    everything = [mode.name for mode in LockMode]
    return [
        (name, mode)
        for name, own in sorted(wanted.items())
        for mode in (_CONFLICTS[own].split() if own in _CONFLICTS else everything)
    ]


def object_keys(step: Step) -> list[int]:
    """Keys of the step's object locks, in the one order in which everybody takes them."""
    return sorted(lock_key(f"wesley:object:{name}") for name in relations_of(step))


async def try_lock(connection: AsyncConnection[Any], key: int, patience_s: float) -> bool:
    """Try for the exclusive session lock ``key`` until it is ours or ``patience_s`` seconds have passed."""
    end = time.monotonic() + patience_s
    while True:
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (key,))
        row = await cursor.fetchone()
        if row is not None and row[0]:
            return True
        left = end - time.monotonic()
        if left <= 0:
            return False
        await asyncio.sleep(min(0.1, left))


async def unlock_all(connection: AsyncConnection[Any]) -> None:
    """Give back every session lock before the connection is closed: the server notices that a little later, and who
    looks in between would believe that the run goes on."""
    with contextlib.suppress(psycopg.Error):
        await connection.execute("SELECT pg_advisory_unlock_all()")


async def unlock(connection: AsyncConnection[Any], key: int) -> None:
    await connection.execute("SELECT pg_advisory_unlock(%s)", (key,))
