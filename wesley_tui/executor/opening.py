"""Opening a run: every check that can refuse it, the locks, and the entry in the database. In this order nothing is
changed before the last check has passed, except that rails of an earlier version are renewed."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from wesley_tui.executor.anew import begin_anew
from wesley_tui.executor.control import Control, translated
from wesley_tui.executor.errors import CheckFailed, DriftDetected, LockNotAcquired, PlanMismatch, UnsafeBlocked
from wesley_tui.executor.installation import install_rails, installed_version
from wesley_tui.executor.locks import RUN_LOCK, WORKER_LOCK, object_keys, try_lock, unlock
from wesley_tui.executor.options import RunOptions
from wesley_tui.executor.preflight import (
    ServerFacts,
    check_plan,
    check_privileges,
    check_server,
    check_standbys,
    read_facts,
)
from wesley_tui.executor.psql_binary import find_psql
from wesley_tui.executor.recovery import (
    find_run,
    load_plan,
    refuse_unfinished,
    same_server,
    server_since,
    silence_orphans,
    verify_history,
)
from wesley_tui.executor.review import ReviewToken, dangerous_steps
from wesley_tui.executor.scheduler import Frontier, phases_of
from wesley_tui.executor.stored import document_from_plan, plan_digest, sha256_hex, step_content
from wesley_tui.executor.target import OWN_LIMITS, connect
from wesley_tui.executor.window import Window
from wesley_tui.planner.plan import Plan

__all__ = ["Opened", "connections", "open_again", "open_new", "take_run_lock"]


@dataclass(frozen=True, slots=True)
class Opened:
    """A run that is entered in the database, with the connections that belong to it."""

    plan: Plan
    control: Control
    lock: AsyncConnection[Any]
    contract: bool
    server_version: int
    fresh: bool
    """A new run, not a resumed one."""


async def open_new(conninfo: str, plan: Plan, token: ReviewToken, options: RunOptions) -> Opened:
    """Enter a new run of ``plan``."""
    document = document_from_plan(plan)
    check_review(plan, sha256_hex(document), token)
    find_psql()
    async with connections(conninfo) as (control, lock, facts):
        await _check_window(control, options)
        check_plan(plan, facts)
        _check_order(plan, token.contract)
        await check_privileges(control.connection, plan, contract=token.contract)
        await take_run_lock(lock, options.lock_patience_s)
        if await installed_version(control.connection) is not None:
            await install_rails(control.connection)
            await refuse_unfinished(control.connection)
            await verify_history(control.connection)
        await _check_drift(conninfo, plan, options)
        await install_rails(control.connection)
        await silence_orphans(lock, control, options.orphan_patience_s)
        token = replace(token, plan_sha=await _store_plan(control.connection, plan, document, token.actor))
        if options.fingerprint is not None and plan.base != plan.target:
            await begin_anew(control.connection, plan)
        await _enter(control, lock, plan, token, facts, resumed=None)
        return Opened(plan, control, lock, token.contract, facts.version_num, fresh=True)


async def open_again(conninfo: str, run_id: int | None, options: RunOptions) -> Opened:
    """Enter an earlier run once more."""
    find_psql()
    async with connections(conninfo) as (control, lock, facts):
        await _check_window(control, options)
        await take_run_lock(lock, options.lock_patience_s)
        await install_rails(control.connection)
        row = await find_run(control.connection, run_id)
        same_server(row, facts)
        await verify_history(control.connection)
        token = ReviewToken(**{**row.review, "typed_names": tuple(row.review["typed_names"])})
        plan = await load_plan(control.connection, row.plan_id, token.plan_sha)
        if options.token is not None:
            check_review(plan, plan_digest(plan), options.token)
            token = options.token
        check_plan(plan, facts)
        _check_order(plan, token.contract)
        await check_privileges(control.connection, plan, contract=token.contract)
        await silence_orphans(lock, control, options.orphan_patience_s)
        since = await server_since(control.connection, row.run_id, facts)
        await _enter(control, lock, plan, token, facts, resumed=row.run_id, message=since)
        return Opened(plan, control, lock, token.contract, facts.version_num, fresh=False)


async def _check_window(control: Control, options: RunOptions) -> None:
    if options.knobs.window:
        zone = Window.parse(options.knobs.window).zone
        if await control.local_time(zone) is None:
            raise CheckFailed(
                f"the server knows no time zone {zone}. Nothing was changed; its zones are in pg_timezone_names"
            )


async def take_run_lock(lock: AsyncConnection[Any], patience_s: float) -> None:
    """Become the one migration on this database, or :class:`LockNotAcquired` with who is."""
    if await try_lock(lock, RUN_LOCK, patience_s):
        return
    cursor = await lock.execute(
        "SELECT a.pid, a.application_name, a.usename, coalesce(a.client_addr::text, 'local') FROM pg_locks l"
        " JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
        " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND (l.classid::bigint << 32 | l.objid::bigint) = %s",
        (RUN_LOCK,),
    )
    row = await cursor.fetchone()
    who = f"session {row[0]} ({row[1]}, user {row[2]}, {row[3]})" if row else "another session"
    raise LockNotAcquired(
        f"another migration is running on this database: {who} holds the lock. Nothing was changed; look at it with: "
        "wesley status"
    )


def check_review(plan: Plan, plan_sha: str, token: ReviewToken) -> None:
    """Refuse a token of another plan, and H3 steps that it does not accept."""
    if token.plan_id != plan.plan_id or token.plan_sha != plan_sha:
        raise PlanMismatch(
            f"plan {plan.plan_id[:16]} is not the one that was reviewed ({token.plan_id[:16]}), or it was changed "
            "since. Nothing was changed; review it again"
        )
    dangerous = dangerous_steps(plan, contract=token.contract)
    blocked = [step for step in dangerous if not token.unsafe or step.object not in token.typed_names]
    if blocked or (dangerous and plan.profile == "chaos"):
        raise UnsafeBlocked(
            f"step {dangerous[0].ordinal} ({dangerous[0].op} {dangerous[0].object}) is of class H3 and was not "
            "accepted. Nothing was changed; review the plan again"
        )


def _check_order(plan: Plan, contract: bool) -> None:
    done: set[str] = set()
    for phase in phases_of(plan, contract=contract):
        steps = [step for _, step in phase]
        Frontier(steps, done)
        done.update(step.step_sha for step in steps)


async def _check_drift(conninfo: str, plan: Plan, options: RunOptions) -> None:
    if options.fingerprint is None:
        return
    async with await connect(conninfo, "wesley/look") as connection:
        found = await options.fingerprint(connection, plan.scope)
    if found != plan.base:
        raise DriftDetected(
            f"the database is not what plan {plan.plan_id[:16]} was made for: its fingerprint is {found[:16]}, the "
            f"plan's base is {plan.base[:16]}. Nothing was changed; somebody altered the schema since, or this plan "
            "has run. Make the plan again"
        )


@asynccontextmanager
async def connections(conninfo: str) -> AsyncIterator[tuple[Control, AsyncConnection[Any], ServerFacts]]:
    """The control and the lock connection; closed when opening fails, handed over when it succeeds."""
    control_connection = await connect(conninfo, "wesley/control")
    opened = [control_connection]
    try:
        facts = await read_facts(control_connection)
        check_server(control_connection, facts)
        await check_standbys(control_connection)
        lock = await connect(conninfo, "wesley/lock")
        opened.append(lock)
        await lock.execute(OWN_LIMITS)
        control = Control(conninfo, control_connection)
        await control.prepare()
        yield control, lock, facts
    except BaseException as error:
        for connection in opened:
            with contextlib.suppress(psycopg.Error):
                await connection.close()
        if isinstance(error, psycopg.Error):
            raise translated(error) from error
        raise


async def _store_plan(connection: AsyncConnection[Any], plan: Plan, document: str, actor: str) -> str:
    """Keep the plan as it was reviewed; the digest of the document that is kept.

    A plan that is already there must run the same in every byte. What it says of sizes and durations may differ: they
    are those of another day, and the first document stays.
    """
    async with connection.transaction():
        cursor = await connection.execute(
            "INSERT INTO wesley.migration_plans (plan_id, document, document_sha, actor) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            (plan.plan_id, document, sha256_hex(document), actor),
        )
        if cursor.rowcount == 0:
            cursor = await connection.execute(
                "SELECT document_sha FROM wesley.migration_plans WHERE plan_id = %s", (plan.plan_id,)
            )
            row = await cursor.fetchone()
            cursor = await connection.execute(
                "SELECT step_sha, content_sha FROM wesley.migration_steps WHERE plan_id = %s ORDER BY ordinal",
                (plan.plan_id,),
            )
            kept = await cursor.fetchall()
            if row is None or kept != [(step.step_sha, sha256_hex(step_content(step))) for step in plan.steps]:
                raise PlanMismatch(
                    f"the database already knows a plan {plan.plan_id[:16]} with other content. Nothing was changed; "
                    "make the plan again"
                )
            return str(row[0])
        async with connection.cursor() as writer, writer.copy(_COPY_STEPS) as copy:
            for wave in plan.waves:
                for step in wave.steps:
                    content = step_content(step)
                    await copy.write_row(
                        (
                            *(plan.plan_id, step.ordinal, step.step_sha, wave.name, step.op, step.object),
                            *(step.kind.value, object_keys(step), content, sha256_hex(content)),
                        )
                    )
    return sha256_hex(document)


_COPY_STEPS = (
    "COPY wesley.migration_steps (plan_id, ordinal, step_sha, wave, op, object, kind, object_locks, content, "
    "content_sha)"
    " FROM STDIN"
)


async def _enter(
    control: Control,
    lock: AsyncConnection[Any],
    plan: Plan,
    token: ReviewToken,
    facts: ServerFacts,
    *,
    resumed: int | None,
    message: str = "",
) -> None:
    """Take the fencing number and say that the run begins; from here on it has to be ended or recovered."""
    cursor = await control.connection.execute(
        "SELECT run_id, fence FROM wesley.open_run(%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *(plan.plan_id, token.actor, f"wesley on {socket.gethostname()}", token.contract),
            *(Jsonb(asdict(token)), facts.system_identifier, resumed),
            Jsonb(
                {
                    "plan_sha": token.plan_sha,
                    "hazard": int(plan.hazard),
                    "steps": sum(1 for _ in plan.steps),
                    "server_version": facts.version_num,
                    "timeline": facts.timeline,
                    "message": message,
                }
            ),
        ),
    )
    row = await cursor.fetchone()
    assert row is not None
    control.run_id, control.fence = row
    await unlock(lock, WORKER_LOCK)
