"""The example sessions on real servers: v1 is created by our own plan, the seed loads, the database remembers, and the
rows satisfy v2: the migration applies, as its first user would run it, keeps them, and leaves nothing to do."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from wesley_tui.demo.sessions import Loaded, Session, available, default, loaded, seed
from wesley_tui.services.demo import create_first_version
from wesley_tui.services.options import PlanningOptions
from wesley_tui.services.planning import plan_schema
from wesley_tui.services.target import Target

_PACE_S = 0.005
"""Between two statements of a client, so that the servers of a small machine do something else too."""
each_session = pytest.mark.parametrize("session", available(), ids=lambda session: session.slug)


async def _load(session: Session, uri: str) -> Loaded | None:
    target = Target(uri)
    await create_first_version(target, session)
    connection = await target.connect()
    try:
        assert await loaded(connection) is None
        await seed(session, connection)
        return await loaded(connection)
    finally:
        await connection.close()


def wesley(*arguments: str) -> dict[str, Any]:
    """Run the command as a user does; its JSON, after it has ended with exit code 0."""
    command = [sys.executable, "-c", "from wesley_tui.cli.main import main; main()", *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert finished.returncode == 0, finished.stderr[-4000:]
    document: dict[str, Any] = json.loads(finished.stdout)
    return document


class Clients:
    """What goes on in a graveyard while it is migrated: a client that touches old rows of columns that have nothing to
    do with the migration, and one that has not heard of it and says NULL where NULL is allowed, until it is not."""

    def __init__(self, uri: str) -> None:
        self.failures: list[str] = []
        self.done = 0
        self._over = threading.Event()
        self._threads = [threading.Thread(target=work, args=(uri,)) for work in (self._touch, self._insert)]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _touch(self, uri: str) -> None:
        with psycopg.connect(uri, autocommit=True) as connection:
            for number in itertools.count(1):
                if self._over.wait(_PACE_S):
                    return
                try:
                    row = 1 + number * 7919 % 100_000
                    connection.execute("UPDATE condolence SET mourner = mourner || '.' WHERE id = %s", [row])
                    connection.execute("UPDATE founder SET deaths = deaths + 1 WHERE id = %s", [1 + row % 6000])
                    self.done += 1
                except psycopg.Error as error:
                    self.failures.append(str(error))

    def _insert(self, uri: str) -> None:
        insert = "INSERT INTO condolence (startup_id, mourner, message, source) VALUES (1, 'you', 'again', %s)"
        with psycopg.connect(uri, autocommit=True) as connection:
            source = None
            while not self._over.wait(_PACE_S):
                try:
                    connection.execute(insert, [source])
                except (psycopg.errors.CheckViolation, psycopg.errors.NotNullViolation):
                    source = "feed"
                except psycopg.Error as error:
                    self.failures.append(str(error))


def rows(uri: str, tables: list[str]) -> dict[str, int]:
    """Number of rows per table, by counting."""
    with psycopg.connect(uri) as connection:
        return {table: _one(connection, sql.SQL("SELECT count(*) FROM {}").format(_table(table))) for table in tables}


def contents(uri: str) -> dict[str, str]:
    """A digest of all rows of each table in ``public``."""
    with psycopg.connect(uri) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return {
            table: _one(
                connection,
                sql.SQL("SELECT sum(hashtextextended(t::text, 0))::text || ' of ' || count(*) FROM {} AS t").format(
                    _table(table)
                ),
            )
            for table in tables_of(uri)
        }


def tables_of(uri: str) -> list[str]:
    with psycopg.connect(uri) as connection:
        return [
            f"public.{name}"
            for (name,) in connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
            )
        ]


def _table(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))


def _one(connection: psycopg.Connection, query: sql.Composed) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


@each_session
def test_loads_migrates_and_keeps_its_rows(session: Session, database: str) -> None:
    note = asyncio.run(_load(session, database))
    assert note is not None
    assert note.is_current(session)
    before = rows(database, tables_of(database))
    assert before[session.largest_table] == 100_000
    assert sum(count >= 1_000 for count in before.values()) >= 6
    assert min(before.values()) > 0

    plan = wesley("plan", str(session.v2_path), "--db", database, "--json")
    assert [wave["name"] for wave in plan["waves"]] == ["EXPAND", "BACKFILL", "VALIDATE", "CONTRACT"]
    if session is default():
        dangerous = {wave["name"] for wave in plan["waves"] if wave["hazard"] == "H3"}
        assert dangerous <= {"CONTRACT"}, "the first look at Wesley must not need --unsafe"
        with Clients(database) as clients:
            wesley("apply", str(session.v2_path), "--db", database, "--yes", "--json")
        assert clients.failures == []
        assert clients.done > 100
    wesley("apply", str(session.v2_path), "--db", database, "--yes", "--unsafe", "--contract", "--json")
    assert wesley("plan", str(session.v2_path), "--db", database, "--json")["waves"] == []
    after = rows(database, tables_of(database))
    renamed = {"public.pin": "public.board_pin"}
    assert all(after[renamed.get(table, table)] >= count for table, count in before.items())
    if session is not default():
        assert after[session.largest_table] == 100_000


@each_session
def test_first_version_can_be_made_on_every_server(session: Session, any_database: str) -> None:
    asyncio.run(create_first_version(Target(any_database), session))
    assert plan_schema(Target(any_database), [str(session.v1_path)], PlanningOptions()).plan.waves == ()


def test_two_loads_hold_the_same_rows(database: str) -> None:
    asyncio.run(_load(default(), database))
    once = contents(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS NULL").format(sql.Identifier(connection.info.dbname)))
    asyncio.run(_load(default(), database))
    assert contents(database) == once


def test_a_comment_of_somebody_else_is_no_session(database: str) -> None:
    async def read(comment: str) -> Loaded | None:
        connection = await Target(database).connect()
        try:
            name = sql.Identifier(connection.info.dbname)
            await connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, sql.Literal(comment)))
            return await loaded(connection)
        finally:
            await connection.close()

    for comment in ("the accounts, do not touch", "[]", '{"wesley_session": "x"}', "7"):
        assert asyncio.run(read(comment)) is None
    assert asyncio.run(read('{"wesley_session": "x", "digest": "y"}')) == Loaded("x", "y")


def test_a_seed_that_fails_leaves_nothing_behind(database: str, tmp_path: Path) -> None:
    session = default()
    for path in (session.v1_path, session.v2_path):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "seed.sql").write_text(session.seed_sql + "\nINSERT INTO nowhere VALUES (1);", encoding="utf-8")
    broken = replace(session, directory=tmp_path)
    with pytest.raises(psycopg.errors.UndefinedTable):
        asyncio.run(_load(broken, database))
    assert set(rows(database, tables_of(database)).values()) == {0}
