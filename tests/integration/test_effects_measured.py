"""The model of effects against real servers, form by form (``tests/effect_forms.py``).

Each form runs in a transaction that is rolled back. While it is open, another session reads the locks of its backend
in ``pg_locks``; the file nodes say what was rewritten, ``pg_stat_xact_user_tables`` what was read. A form that the
model gets wrong fails here, and with it every hazard that is built on it.
"""

from __future__ import annotations

import asyncio
import re
import threading
from typing import NamedTuple

import psycopg
import pytest
from pglast import ast
from pglast.enums import AlterTableType

from tests.effect_forms import SCHEMA, forms, named
from wesley_tui.catalog.introspect import read_snapshot
from wesley_tui.catalog.model import QName
from wesley_tui.catalog.snapshot import Snapshot
from wesley_tui.planner.effects import EffectContext, effects_of
from wesley_tui.planner.effects.registry import known_kinds
from wesley_tui.planner.effects.target import SUBCOMMANDS
from wesley_tui.planner.plan import LockMode

_QUERIES = ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "COPY")
_LOCKS = """
SELECT n.nspname || '.' || c.relname, l.mode, c.oid, c.relkind::text
FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE l.pid = %s AND l.locktype = 'relation' AND (l.granted OR %s)
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema')
"""
_NODES = """
SELECT c.oid, n.nspname || '.' || c.relname, pg_relation_filenode(c.oid), c.relkind::text FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'i', 'I') AND n.nspname IN ('app', 'public', 'other')
"""
_NODES_NOW = "SELECT oid, relfilenode FROM pg_class WHERE relkind IN ('r', 'm') AND oid >= 16384"
_READS = """
SELECT relid, seq_tup_read FROM pg_stat_xact_user_tables JOIN pg_class AS c ON c.oid = relid
WHERE seq_tup_read > 0 AND seq_tup_read >= c.reltuples
"""


def _snapshot(uri: str) -> Snapshot:
    async def read() -> Snapshot:
        async with await psycopg.AsyncConnection.connect(uri) as connection:
            return await read_snapshot(connection)

    return asyncio.run(read())


def _prepared(uri: str) -> tuple[EffectContext, str]:
    with psycopg.connect(uri, autocommit=True) as connection:
        suffix = connection.info.dbname
        connection.execute(named(SCHEMA, suffix))
        connection.execute("REINDEX TABLE app.org")
    snapshot = _snapshot(uri)
    return EffectContext(snapshot.server_version_num, "UTC", snapshot.catalog), suffix


_Relations = dict[int, tuple[str, int, str]]
"""By oid: name, file node and kind."""


class _Seen(NamedTuple):
    """What a statement did while its transaction was open."""

    locks: list[tuple[str, str, int, str]]
    nodes: dict[int, int]
    """File nodes by oid."""
    read: set[str]
    """Tables that were read from end to end."""


def _run(statement: str, worker: psycopg.Connection, watcher: psycopg.Connection, before: _Relations) -> _Seen:
    """Run it and take it back, in as few round trips as there can be. Counts of reads survive a rollback, so they are
    sent off before the next one."""
    try:
        worker.execute(f"BEGIN; {statement}")
        locks = watcher.execute(_LOCKS, [worker.info.backend_pid, False]).fetchall()
        answers = worker.execute(f"{_NODES_NOW}; {_READS}")
        nodes: dict[int, int] = dict(answers.fetchall())
        answers.nextset()
        read = {before[oid][0] for oid, _ in answers if oid in before}
    finally:
        more = "DEALLOCATE ALL;" if statement.startswith("PREPARE") else ""
        worker.execute(f"ROLLBACK; {more} SELECT pg_stat_force_next_flush()")
    return _Seen(locks, nodes, read)


def _difference(
    statement: str, workers: tuple[psycopg.Connection, ...], before: _Relations, context: EffectContext
) -> list[str]:
    """What the model says differently from the server; empty when it is right. ``workers``: one that runs it, one that
    runs it with a planner that avoids reading whole tables wherever it can, one that watches."""
    worker, frugal, watcher = workers
    expected = effects_of(statement, context)
    try:
        seen, after, read = _run(statement, worker, watcher, before)
    except psycopg.Error as error:
        return [f"{statement}\n    the server refuses: {error}"]
    found, beside = _strongest([(name, mode, oid, kind) for name, mode, oid, kind in seen if oid in before], before)
    rewritten = sorted(
        name
        for oid, (name, node, kind) in before.items()
        if kind in "rm" and oid in after and after[oid] != node and "TRUNCATE" not in statement
    )
    problems = []
    is_query = statement.startswith(_QUERIES) or re.match(r"CREATE (\w+ )?(TABLE|VIEW) \S+ AS ", statement) is not None
    if expected.unknown:
        problems.append(f"unknown: {expected.unknown}")
    surely = {name: mode for name, mode in expected.locks.items() if name not in beside or name in found}
    if is_query:
        # Which partitions are opened depends on the values; the model names all that may be.
        surely = {name: mode for name, mode in surely.items() if name in found or not _is_partition(name, context)}
    if surely != found or any(beside.get(n, m) != m for n, m in expected.locks.items() if n not in found):
        problems.append(f"locks: model {_short(expected.locks)},\n      server {_short(found)} beside {_short(beside)}")
    if list(expected.rewrites) != rewritten:
        problems.append(f"rewrites: model {expected.rewrites}, server {rewritten}")
    if is_query:
        anyhow = _run(statement, frugal, watcher, before).read
        if not anyhow <= set(expected.scans) <= read:
            problems.append(f"scans: model {expected.scans}, server {sorted(read)}, at least {sorted(anyhow)}")
    elif statement.startswith(("ALTER", "CREATE")) and sorted({*expected.scans, *expected.rewrites}) != sorted(read):
        problems.append(f"scans: model {expected.scans} and rewrites, server {sorted(read)}")
    return [f"{statement}\n    {problem}" for problem in problems]


def _is_partition(name: str, context: EffectContext) -> bool:
    table = context.table(QName(*name.split(".", 1)))
    return table is not None and table.partition_of is not None


def _strongest(
    rows: list[tuple[str, str, int, str]], before: _Relations
) -> tuple[dict[str, LockMode], dict[str, LockMode]]:
    """Locks on tables and views, which the model must name all, and those on sequences and indexes, of which it names
    only the ones that the statement speaks of."""
    tables: dict[str, LockMode] = {}
    beside: dict[str, LockMode] = {}
    for _, mode, oid, kind in rows:
        name = before[oid][0]
        into = beside if kind in "SiI" else tables
        into[name] = max(LockMode[mode], into.get(name, LockMode.AccessShareLock))
    return tables, beside


def _short(locks: object) -> dict[str, str]:
    assert isinstance(locks, dict)
    return {name: mode.name for name, mode in sorted(locks.items())}


def test_every_form_locks_rewrites_and_reads_what_the_model_says(any_database: str) -> None:
    context, suffix = _prepared(any_database)
    wrong = []
    count = 0
    with (
        psycopg.connect(any_database, autocommit=True, options="-c TimeZone=UTC") as worker,
        psycopg.connect(any_database, autocommit=True, options="-c TimeZone=UTC -c enable_seqscan=off") as frugal,
        psycopg.connect(any_database, autocommit=True) as watcher,
    ):
        before = {oid: (name, node, kind) for oid, name, node, kind in watcher.execute(_NODES)}
        for form in forms():
            if form.since <= context.major:
                count += 1
                wrong += _difference(named(form.sql, suffix), (worker, frugal, watcher), before, context)
    assert not wrong, f"{len(wrong)} of {count} forms differ:\n" + "\n".join(wrong)
    assert count > 550


_SUE, _AE, _SHARE = LockMode.ShareUpdateExclusiveLock, LockMode.AccessExclusiveLock, LockMode.ShareLock
_WRITER = "UPDATE app.person SET n = n WHERE id = 1"


_OUTSIDE: list[tuple[str, str, dict[str, LockMode]]] = [
    ("CREATE INDEX CONCURRENTLY fresh ON app.person (n)", _WRITER, {"app.person": _SUE}),
    ("REINDEX INDEX CONCURRENTLY app.person_at_idx", _WRITER, {"app.person": _SUE}),
    ("REINDEX TABLE CONCURRENTLY app.person", _WRITER, {"app.person": _SUE}),
    ("DROP INDEX CONCURRENTLY app.person_at_idx", _WRITER, {"app.person": _SUE}),
    ("VACUUM app.person", "ALTER TABLE app.person SET (fillfactor=90)", {"app.person": _SUE}),
    ("VACUUM (ANALYZE) app.person", "ALTER TABLE app.person SET (fillfactor=90)", {"app.person": _SUE}),
    ("VACUUM FULL app.person", "SELECT 1 FROM app.person", {"app.person": _AE}),
    ("REINDEX TABLE app.event_1", "UPDATE app.event_1 SET what = what", {"app.event_1": _SHARE}),
    (
        "ALTER TABLE app.metric DETACH PARTITION app.metric_1 CONCURRENTLY",
        "SELECT 1 FROM app.metric_1",
        {"app.metric": _SUE, "app.metric_1": _AE},
    ),
]
"""Statement, what an older transaction does that it then waits for, and the locks it holds or waits for."""


def test_forms_outside_transactions(any_database: str) -> None:
    """They commit in between, so they are watched while they wait for an older transaction."""
    context, _ = _prepared(any_database)
    for statement, blocker, expected in _OUTSIDE:
        effects = effects_of(statement, context)
        assert dict(effects.locks) == expected, statement
        assert effects.in_transaction == statement.startswith("REINDEX TABLE app.event_1")
        with (
            psycopg.connect(any_database) as older,
            psycopg.connect(any_database, autocommit=True) as watcher,
            psycopg.connect(any_database, autocommit=True) as worker,
        ):
            older.execute(blocker)
            thread = threading.Thread(target=worker.execute, args=[statement])
            thread.start()
            try:
                found = _locks_while_waiting(watcher, worker.info.backend_pid)
            finally:
                older.rollback()
                thread.join(30)
        assert found == expected, statement


def _locks_while_waiting(watcher: psycopg.Connection, pid: int) -> dict[str, LockMode]:
    waiting = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted)"
    for _ in range(2000):
        row = watcher.execute(waiting, [pid]).fetchone()
        if row is not None and row[0]:
            break
        watcher.execute("SELECT pg_sleep(0.005)")
    rows = watcher.execute(_LOCKS, [pid, True]).fetchall()
    return {name: LockMode[mode] for name, mode, _, kind in rows if kind in "rp" and "_ccnew" not in name}


_REFUSED = [
    "VACUUM app.person",
    "REINDEX SCHEMA app",
    "REINDEX TABLE app.event",
    "CLUSTER",
    "CREATE DATABASE fresh",
    "ALTER SYSTEM SET work_mem = '4MB'",
    "CREATE TABLESPACE fresh LOCATION '/nowhere'",
    "REINDEX (CONCURRENTLY) INDEX app.person_at_idx",
    "ALTER TABLE app.metric DETACH PARTITION app.metric_1 CONCURRENTLY",
    "CREATE INDEX CONCURRENTLY ON app.person (n)",
    "DISCARD ALL",
    "ALTER DATABASE nothing SET TABLESPACE pg_default",
    "COMMIT PREPARED 'nothing'",
    "VACUUM FULL",
    "REINDEX DATABASE",
    "DROP DATABASE nothing",
    "DROP TABLESPACE nothing",
    "DROP INDEX CONCURRENTLY app.person_at_idx",
]


def test_what_cannot_run_in_a_transaction_is_refused_there(database: str) -> None:
    context, _ = _prepared(database)
    for statement in _REFUSED:
        with psycopg.connect(database) as connection:
            connection.execute("SELECT 1")
            with pytest.raises(psycopg.errors.ActiveSqlTransaction):
                connection.execute(statement)
        assert not effects_of(statement, context).in_transaction


def test_what_nobody_can_know_is_unknown() -> None:
    for statement in ("DO 'BEGIN EXECUTE x(); END'", "CALL f()", "EXECUTE p", "ALTER TABLE", "SELECT 1; SELECT 2"):
        assert effects_of(statement, EffectContext()).unknown, statement


def test_every_statement_of_the_grammar_is_in_the_model() -> None:
    parts = {"PLAssignStmt", "RawStmt", "ReplicaIdentityStmt", "ReturnStmt", "SetOperationStmt"}
    statements = {name for name in dir(ast) if name.endswith("Stmt")}
    assert statements - parts == known_kinds()


def test_every_subcommand_of_alter_table_is_in_the_model() -> None:
    internal = re.compile(r"AT_(Re|Cooked|AddIndex|AddColumnToView)(?!set|placeRel|plicaId)")
    written = {item.name for item in AlterTableType if not internal.match(item.name)}
    assert written <= SUBCOMMANDS.keys()
