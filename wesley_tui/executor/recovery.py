"""Before a run begins or goes on: what did the one before it leave, and is any of it still moving?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import class_row

from wesley_tui.executor.control import Control
from wesley_tui.executor.errors import ExecutorError, LockNotAcquired, PlanMismatch, RecoveryNeeded
from wesley_tui.executor.installation import installed_version
from wesley_tui.executor.locks import WORKER_LOCK, try_lock
from wesley_tui.executor.preflight import ServerFacts
from wesley_tui.executor.stored import plan_from_document, sha256_hex, step_content
from wesley_tui.planner.plan import Plan

__all__ = [
    "RunRow",
    "find_run",
    "load_plan",
    "refuse_unfinished",
    "same_server",
    "server_since",
    "silence_orphans",
    "verify_history",
]


@dataclass(frozen=True, slots=True)
class RunRow:
    """A row of ``wesley.migration_runs``."""

    run_id: int
    plan_id: str
    status: str
    actor: str
    contract: bool
    review: dict[str, Any]
    system_identifier: str
    server_version: int


_COLUMNS = "run_id, plan_id, status, actor, contract, review, system_identifier, server_version"


async def refuse_unfinished(connection: AsyncConnection[Any]) -> None:
    """Raise :class:`RecoveryNeeded` when a run never came to an end. The caller holds the run lock, so nobody works
    on it."""
    async with connection.cursor(row_factory=class_row(RunRow)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM wesley.migration_runs WHERE status IN ('running', 'paused') ORDER BY run_id"
            " LIMIT 1"
        )
        row = await cursor.fetchone()
    if row is not None:
        raise RecoveryNeeded(
            f"run {row.run_id} of plan {row.plan_id[:16]} by {row.actor} is {row.status}, but its process is gone. "
            f"Nothing was changed now. Finish it with: wesley resume, or give it up with: wesley cancel"
        )


async def find_run(connection: AsyncConnection[Any], run_id: int | None, verb: str = "resume") -> RunRow:
    """The run to resume, or to ``verb``: that one, or the last one that is not complete; ExecutorError when none is."""
    if await installed_version(connection) is None:
        raise ExecutorError(f"there is no run to {verb} on this database: Wesley was never used on it")
    async with connection.cursor(row_factory=class_row(RunRow)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM wesley.migration_runs WHERE %(id)s::bigint IS NULL OR run_id = %(id)s::bigint"
            " ORDER BY run_id DESC LIMIT 1",
            {"id": run_id},
        )
        row = await cursor.fetchone()
    if row is None:
        raise ExecutorError(f"there is no run to {verb} on this database; see: wesley history")
    if row.status in {"complete", "rolled_back"}:
        raise ExecutorError(f"run {row.run_id} is {row.status.replace('_', ' ')}: there is nothing to {verb}")
    standing_on_it = await connection.execute(
        "SELECT min(run_id) FROM wesley.migration_ledger WHERE run_id > %s AND plan_id <> %s AND status = 'succeeded'",
        (row.run_id, row.plan_id),
    )
    later = await standing_on_it.fetchone()
    if later is not None and later[0] is not None:
        raise PlanMismatch(
            f"run {row.run_id} cannot go on: run {later[0]} has changed the database by another plan since. Nothing "
            "was changed now; plan again"
        )
    return row


async def load_plan(connection: AsyncConnection[Any], plan_id: str, plan_sha: str) -> Plan:
    """The stored plan; :class:`PlanMismatch` when document or steps are not what was reviewed."""
    cursor = await connection.execute("SELECT document FROM wesley.migration_plans WHERE plan_id = %s", (plan_id,))
    row = await cursor.fetchone()
    if row is None or sha256_hex(row[0]) != plan_sha:
        raise PlanMismatch(
            f"plan {plan_id[:16]} in the database is not the one that was reviewed. Nothing was changed; find out who "
            "changed wesley.migration_plans, then plan again"
        )
    plan = plan_from_document(row[0])
    cursor = await connection.execute(
        "SELECT ordinal, step_sha, content FROM wesley.migration_steps WHERE plan_id = %s ORDER BY ordinal", (plan_id,)
    )
    stored = await cursor.fetchall()
    if stored != [(step.ordinal, step.step_sha, step_content(step)) for step in plan.steps]:
        raise PlanMismatch(
            f"the stored steps of plan {plan_id[:16]} are not the plan's. Nothing was changed; find out who changed "
            "wesley.migration_steps, then plan again"
        )
    return plan


async def verify_history(connection: AsyncConnection[Any]) -> None:
    """Raise :class:`PlanMismatch` when the event chain or the ledger was edited: what is done could not be told."""
    for function in ("verify_chain", "verify_ledger"):
        cursor = await connection.execute(f"SELECT * FROM wesley.{function}() LIMIT 1")
        row = await cursor.fetchone()
        if row is not None:
            what = "event" if function == "verify_chain" else "step"
            raise PlanMismatch(
                f"the migration history of this database was tampered with: {what} {str(row[0])[:16]}: {row[1]}. "
                "Nothing was changed; compare with the last certificate: wesley verify"
            )


async def silence_orphans(lock: AsyncConnection[Any], control: Control, patience_s: float) -> None:
    """Get the worker lock exclusively: only then no session of an earlier run lives.

    Sessions that keep it are cancelled, then terminated; nobody else's are touched. ``lock`` holds it afterwards:
    release it before starting workers.
    """
    if await try_lock(lock, WORKER_LOCK, patience_s):
        return
    for end in (control.cancel, control.terminate):
        for pid in await control.holders(WORKER_LOCK):
            await end(pid)
        if await try_lock(lock, WORKER_LOCK, patience_s):
            return
    raise LockNotAcquired(
        "a session of an earlier run still works on this database and cannot be ended. Nothing was changed; look for "
        "application_name wesley/… in pg_stat_activity"
    )


def same_server(row: RunRow, facts: ServerFacts) -> None:
    """Refuse to go on with a run on another server than it began on."""
    if row.system_identifier and facts.system_identifier and row.system_identifier != facts.system_identifier:
        before, now = row.server_version // 10000, facts.version_num // 10000
        looks = f"an upgraded one, from {before} to {now}" if before != now else "a restored or copied one"
        raise PlanMismatch(
            f"run {row.run_id} belongs to another database cluster ({row.system_identifier}, this is "
            f"{facts.system_identifier}): this looks like {looks}. Nothing was changed; give that run up with: wesley "
            "cancel, and plan again here: what is done is not planned again"
        )


async def server_since(connection: AsyncConnection[Any], run_id: int, facts: ServerFacts) -> str:
    """What has become of the server since the run was last taken up, in words; empty when nothing has."""
    cursor = await connection.execute(
        "SELECT (metrics ->> 'timeline')::int, (metrics ->> 'server_version')::int FROM wesley.migration_events"
        " WHERE run_id = %s AND type IN ('plan.accepted', 'plan.resumed') AND metrics ? 'timeline'"
        " ORDER BY id DESC LIMIT 1",
        (run_id,),
    )
    row = await cursor.fetchone()
    if row is None:
        return ""
    timeline, version = row
    told = []
    if timeline != facts.timeline:
        told.append(
            f"another server has taken over since, or a backup was restored (timeline {timeline}, now "
            f"{facts.timeline}): what was committed last may be missing, and what is done is read from the ledger here"
        )
    if version != facts.version_num:
        told.append(f"the server was {_version(version)} and is {_version(facts.version_num)} now")
    return "; ".join(told)


def _version(number: int) -> str:
    """``180004`` as people say it."""
    return f"PostgreSQL {number // 10000}.{number % 10000}"
