"""What must be true before a run may begin; each refusal names what was found, and nothing has been changed then."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pglast import parse_sql
from pglast.parser import ParseError
from psycopg import AsyncConnection

from wesley_tui.executor.errors import (
    CheckFailed,
    MissingPrivilege,
    PlanMismatch,
    PoolerDetected,
    ReadOnlyServer,
    UnsupportedServer,
)
from wesley_tui.planner.plan import Plan, Step, StepKind

__all__ = [
    "ServerFacts",
    "check_plan",
    "check_privileges",
    "check_server",
    "check_standbys",
    "read_facts",
    "standbys_needed",
]

OLDEST, NEWEST = 12, 18


@dataclass(frozen=True, slots=True)
class ServerFacts:
    version_num: int
    database: str
    role: str
    backend_pid: int
    in_recovery: bool
    read_only: bool
    system_identifier: str
    """Empty when the role may not read it."""
    timeline: int = 0
    """Which history of the cluster this is: a standby that is promoted begins the next one. 0 on a standby."""


async def read_facts(connection: AsyncConnection[Any]) -> ServerFacts:
    cursor = await connection.execute(
        "SELECT current_setting('server_version_num')::int, current_database(), current_user::text, pg_backend_pid(),"
        " pg_is_in_recovery(), current_setting('transaction_read_only')::bool,"
        " has_function_privilege('pg_control_system()', 'EXECUTE'),"
        " CASE WHEN NOT pg_is_in_recovery()"
        " THEN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int ELSE 0 END"
    )
    row = await cursor.fetchone()
    assert row is not None
    version_num, database, role, backend_pid, in_recovery, read_only, readable, timeline = row
    identifier = ""
    if readable:
        cursor = await connection.execute("SELECT system_identifier::text FROM pg_control_system()")
        found = await cursor.fetchone()
        identifier = found[0] if found else ""
    return ServerFacts(version_num, database, role, backend_pid, in_recovery, read_only, identifier, timeline)


def check_server(connection: AsyncConnection[Any], facts: ServerFacts) -> None:
    """Refuse servers on which a run could not keep its promises."""
    major = facts.version_num // 10000
    if not OLDEST <= major <= NEWEST:
        raise UnsupportedServer(
            f"the server is PostgreSQL {major}; Wesley knows the locks of {OLDEST} to {NEWEST}. Nothing was changed"
        )
    if connection.info.backend_pid != facts.backend_pid:
        raise PoolerDetected(
            f"a pooler stands between us and the server (it said this is session {connection.info.backend_pid}, the "
            f"server says {facts.backend_pid}): in transaction mode locks and timeouts would land in other clients' "
            "sessions, and its mode cannot be told from here. Nothing was changed; connect to the server itself"
        )
    if facts.in_recovery:
        raise ReadOnlyServer(
            "the server is a standby; it takes no changes (25006). Nothing was changed; connect to the primary of "
            f"{facts.database}"
        )
    if facts.read_only:
        raise ReadOnlyServer(
            f"transactions of {facts.role} on {facts.database} are read-only (25006). Nothing was changed; see "
            "default_transaction_read_only of server, database and role"
        )


async def check_standbys(connection: AsyncConnection[Any]) -> None:
    """Refuse to begin while every COMMIT would wait for synchronous standbys that are not there. Of standbys that the
    role may not look at it is believed that they are."""
    cursor = await connection.execute(
        "SELECT current_setting('synchronous_standby_names'),"
        " current_setting('synchronous_commit') IN ('off', 'local'),"
        " (SELECT count(*) FROM pg_stat_replication WHERE coalesce(sync_state, 'sync') IN ('sync', 'quorum'))"
    )
    row = await cursor.fetchone()
    assert row is not None
    names, unconfirmed, there = row
    needed = standbys_needed(names)
    if there < needed and not unconfirmed:
        raise CheckFailed(
            f"COMMIT on this server waits for {needed} synchronous standby(s), and {there} are connected "
            f"(synchronous_standby_names = {names!r}): no transaction of anybody would end. Nothing was changed; bring "
            "the standby back, or change synchronous_standby_names"
        )


def standbys_needed(names: str) -> int:
    """How many standbys confirm a COMMIT, of a value of synchronous_standby_names."""
    counted = re.match(r"\s*(?:(?:ANY|FIRST)\s+)?(\d+)\s*\(", names, re.IGNORECASE)
    return int(counted[1]) if counted else int(bool(names.strip()))


def check_plan(plan: Plan, facts: ServerFacts) -> None:
    """Refuse a plan that is not in itself right, or was made for another version of PostgreSQL."""
    planned, actual = plan.server_version_num // 10000, facts.version_num // 10000
    if planned != actual:
        raise PlanMismatch(
            f"the plan was made for PostgreSQL {planned}, the server is {actual}, and locks and rewrites differ "
            "between them. Nothing was changed; make the plan again"
        )
    steps = list(plan.steps)
    if [step.ordinal for step in steps] != sorted({step.ordinal for step in steps}):
        raise PlanMismatch("the plan's steps are not numbered in order. Nothing was changed; make the plan again")
    if len({step.step_sha for step in steps}) != len(steps):
        raise PlanMismatch("two steps of the plan have the same identity. Nothing was changed; make the plan again")
    for step in steps:
        _check_step(step)


def _check_step(step: Step) -> None:
    where = f"step {step.ordinal} ({step.op} {step.object})"
    if (step.kind is StepKind.BACKFILL) != (step.backfill is not None):
        raise PlanMismatch(f"{where} is {step.kind.value}, but that is not what it holds. Nothing was changed")
    texts: list[str] = [*step.statements, *step.leftover_cleanup]
    checks = [*step.prechecks, *step.postchecks, *([step.leftover_check] if step.leftover_check else [])]
    texts += [check.sql for check in checks]
    if step.backfill is not None:
        texts += [step.backfill.batch_sql, step.backfill.remaining_sql]
    for text in texts:
        problem = _not_one_statement(text)
        if problem is not None:
            raise PlanMismatch(f"{where}: {problem}: {text[:120]!r}. Nothing was changed; make the plan again")


def _not_one_statement(text: str) -> str | None:
    """Why ``text`` is not exactly one SQL statement, None when it is. Meta-commands of psql are not SQL."""
    if "\0" in text:
        return "it holds a NUL byte"
    try:
        parsed = parse_sql(text)
    except (ParseError, UnicodeError) as error:
        return f"PostgreSQL's parser refuses it ({error})"
    if len(parsed) != 1:
        return f"it is {len(parsed)} statements, not one"
    kind = type(parsed[0].stmt).__name__
    return _NOT_A_STEP.get(kind)


_NOT_A_STEP = {
    "CopyStmt": "COPY reads and writes files, programs and the client, which a migration does not",
    "DiscardStmt": "DISCARD would drop the locks and settings of the session",
    "ListenStmt": "LISTEN belongs to the session, not to the database",
    "LoadStmt": "LOAD runs code in the session only",
    "TransactionStmt": "the executor begins and ends transactions",
    "VariableSetStmt": "a setting would outlive the step in its session",
}
"""Statements that would escape the step's transaction or its session."""


async def check_privileges(connection: AsyncConnection[Any], plan: Plan, *, contract: bool) -> None:
    """Refuse when the role lacks what the plan needs, as far as that can be told beforehand: the schema ``wesley``,
    the schemas that objects are created in, ownership of tables that are altered, UPDATE on those that are filled."""
    problems: list[str] = []
    cursor = await connection.execute(
        "SELECT current_user::text, current_database(), has_database_privilege(current_database(), 'CREATE'),"
        " CASE WHEN to_regnamespace('wesley') IS NULL THEN NULL"
        " ELSE has_schema_privilege('wesley', 'USAGE') AND has_schema_privilege('wesley', 'CREATE') END"
    )
    row = await cursor.fetchone()
    assert row is not None
    role, database, may_create, may_use = row
    if may_use is None and not may_create:
        problems.append(f"CREATE on database {database}, to install the schema wesley (GRANT CREATE ON DATABASE …)")
    if may_use is False:
        problems.append("USAGE and CREATE on schema wesley, or be its owner")
    steps = [step for wave in plan.waves if contract or wave.name != "CONTRACT" for step in wave.steps]
    cursor = await connection.execute(
        "SELECT n.nspname || '.' || c.relname, pg_has_role(c.relowner, 'USAGE'), has_table_privilege(c.oid, 'UPDATE'),"
        " row_security_active(c.oid)"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p') AND n.nspname || '.' || c.relname = ANY (%s)",
        (sorted({relation for step in steps for relation in _touched(step)}),),
    )
    known = {name: facts for name, *facts in await cursor.fetchall()}
    for relation in sorted(known):
        owned, update, filtered = known[relation]
        filled = any(step.backfill is not None and step.backfill.table == relation for step in steps)
        altered = any(_alters(step, relation) for step in steps)
        if altered and not owned:
            problems.append(f"ownership of {relation} (ALTER TABLE … OWNER TO, or membership in the owner's role)")
        elif filled and not update:
            problems.append(f"UPDATE on {relation}")
        if filled and filtered:
            problems.append(f"BYPASSRLS: policies of {relation} hide rows from it that are to be filled (ALTER ROLE …)")
    schemas = sorted(
        {step.object.split(".")[0] for step in steps if step.op.startswith("create_") and "." in step.object}
    )
    cursor = await connection.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname = ANY (%s) AND NOT has_schema_privilege(oid, 'CREATE')",
        (schemas,),
    )
    problems += [f"CREATE on schema {name}" for (name,) in await cursor.fetchall()]
    if problems:
        raise MissingPrivilege(
            f"role {role} lacks, on {database}: {'; '.join(problems)}. Nothing was changed; have it granted, or "
            "connect as a role that has it"
        )


def _touched(step: Step) -> Iterable[str]:
    yield from step.locks
    if step.backfill is not None:
        yield step.backfill.table


def _alters(step: Step, relation: str) -> bool:
    """Whether the step changes this relation itself: the other table of a foreign key is locked, but not altered."""
    return step.backfill is None and (step.object == relation or step.object.startswith(relation + "."))
