"""Backfills on real tables: every kind of key, every row once, along the index, and only rows that still need it."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest

import wesley_tui.rails
from tests.catalogs import read, run
from tests.planned import run_backfill
from wesley_tui.catalog.model import QName, Table
from wesley_tui.planner.backfill import backfill_nulls, backfill_rows, walking_key
from wesley_tui.planner.plan import Backfill

_RAILS = Path(wesley_tui.rails.__file__).with_name("006_backfill.sql")

KEYS = {
    "bigint": ("id bigint PRIMARY KEY", "i"),
    "negative": ("id int PRIMARY KEY", "i - 40"),
    "text": ('id text COLLATE "C" PRIMARY KEY', "'k\"''\\é' || i"),
    "uuid": ("id uuid PRIMARY KEY", "md5(i::text)::uuid"),
    "timestamptz": ("id timestamptz PRIMARY KEY", "'2024-01-01'::timestamptz + i * interval '1.000001 s'"),
    "numeric": ("id numeric PRIMARY KEY", "i / 3.0"),
    "float": ("id double precision PRIMARY KEY", "i / 3.0::double precision"),
    "date": ("id date PRIMARY KEY", "'2024-01-01'::date + i"),
    "bytea": ("id bytea PRIMARY KEY", "decode(md5(i::text), 'hex')"),
    "composite": ("id int, sub text, PRIMARY KEY (sub, id)", "i, 's' || i % 5"),
    "unique": ("id bigint NOT NULL UNIQUE", "i"),
    "domain": ("id public.word PRIMARY KEY", "'w' || i"),
    "enum": ("id public.mood PRIMARY KEY", "('m' || i)::public.mood"),
    "fixed width": ("id char(9) PRIMARY KEY", "i::text"),
    "array": ("id text[] PRIMARY KEY", "ARRAY['a,\"', i::text, NULL]"),
    "row": ("id public.pair PRIMARY KEY", "ROW(i % 5, ' ' || i)::public.pair"),
    "not a number": ("id numeric PRIMARY KEY", "CASE WHEN i > 99 THEN 'NaN' ELSE -i::numeric END"),
    "no end": (
        "id timestamptz PRIMARY KEY",
        "CASE i WHEN 1 THEN '-infinity' WHEN 2 THEN 'infinity' ELSE now() + i * interval '1 s' END",
    ),
    "money": ("id money PRIMARY KEY", "(i * 1000.01)::numeric::money"),
    "interval": ("id interval PRIMARY KEY", "i * interval '1 month -3 days 00:00:01.5'"),
    "odd name": ('id int, "a ""b" int, PRIMARY KEY (id, "a ""b")', "i % 7, i"),
}


def _prepare(database: str, definition: str, values: str) -> tuple[Table, Backfill]:
    moods = ", ".join(f"'m{place}'" for place in range(100, 0, -1))
    run(
        database,
        [
            f"CREATE TYPE public.mood AS ENUM ({moods})",
            "CREATE TYPE public.pair AS (a int, b text)",
            "CREATE DOMAIN public.word AS text CHECK (VALUE LIKE 'w%')",
            f"CREATE TABLE public.t ({definition}, value text)",
            f"INSERT INTO public.t SELECT {values}, CASE WHEN i % 3 = 0 THEN 'kept' END "
            "FROM pg_catalog.generate_series(1, 100) AS i",
        ],
    )
    table = read(database).catalog.tables[QName("public", "t")]
    key = walking_key(table)
    assert key is not None
    return table, backfill_nulls(table, key, "value", "'filled'")


@pytest.mark.parametrize("kind", KEYS)
def test_every_row_is_visited_once(database: str, kind: str) -> None:
    _, backfill = _prepare(database, *KEYS[kind])
    with psycopg.connect(database, autocommit=True) as connection:
        assert run_backfill(connection, backfill, batch_rows=7) == 67
        rows = connection.execute("SELECT value, count(*) FROM t GROUP BY value ORDER BY value").fetchall()
        assert rows == [("filled", 67), ("kept", 33)]
        assert run_backfill(connection, backfill, batch_rows=1000) == 0


def test_the_batch_uses_the_index(database: str) -> None:
    run(
        database,
        [
            "CREATE TABLE public.t (id bigint, sub bigint, value text, PRIMARY KEY (id, sub))",
            "INSERT INTO public.t SELECT i, i FROM pg_catalog.generate_series(1, 30000) AS i",
            "ANALYZE public.t",
        ],
    )
    table = read(database).catalog.tables[QName("public", "t")]
    backfill = backfill_nulls(table, ("id", "sub"), "value", "'x'")
    explained = (
        "CREATE FUNCTION public.explained(q text, k jsonb, n bigint) RETURNS json LANGUAGE plpgsql AS "
        "$$ DECLARE r json; BEGIN EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) ' || q INTO r USING k, n; RETURN r; END $$"
    )
    run(database, [explained])
    with psycopg.connect(database) as connection:
        for key in (None, json.dumps(["20000", "20000"])):
            connection.execute("SET LOCAL enable_seqscan = off")
            connection.execute("SET LOCAL enable_bitmapscan = off")
            row = connection.execute("SELECT explained(%s, %s, 100)", [backfill.batch_sql, key]).fetchone()
            connection.rollback()
            assert row is not None
            nodes = _nodes(row[0][0]["Plan"])
            assert "Seq Scan" not in {node["Node Type"] for node in nodes}
            assert all(node["Actual Rows"] <= 100 for node in nodes if "Scan" in node["Node Type"])


def test_the_batch_uses_no_index_on_what_it_fills(database: str) -> None:
    """What the planner believes of the column may be of another day: that no row is to be filled."""
    run(
        database,
        [
            "CREATE TABLE public.t (id bigint PRIMARY KEY, value text) WITH (autovacuum_enabled = off)",
            "INSERT INTO public.t SELECT i, 'filled' FROM pg_catalog.generate_series(1, 30000) AS i",
            "ANALYZE public.t",
            "CREATE INDEX on_value ON public.t (value)",
            "UPDATE public.t SET value = NULL",
        ],
    )
    backfill = backfill_nulls(read(database).catalog.tables[QName("public", "t")], ("id",), "value", "'x'")
    with psycopg.connect(database) as connection:
        connection.execute("SET LOCAL enable_seqscan = off")
        connection.execute("SET LOCAL enable_bitmapscan = off")
        text = backfill.batch_sql.replace("$1", "'[\"20000\"]'").replace("$2", "1000::bigint")
        row = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}".encode()).fetchone()
        assert row is not None
        used = {node["Index Name"] for node in _nodes(row[0][0]["Plan"]) if "Index Name" in node}
        assert used == {"t_pkey"}


def test_the_batch_reads_no_tenant_as_a_whole(any_database: str) -> None:
    """Of two indexes that begin alike the planner would take the smaller one."""
    run(
        any_database,
        [
            "CREATE TABLE public.t (tenant int, id bigint, value text, PRIMARY KEY (tenant, id))",
            "CREATE INDEX ON public.t (tenant)",
            "INSERT INTO public.t SELECT i / 5000, i FROM pg_catalog.generate_series(1, 20000) AS i",
            "ANALYZE public.t",
        ],
    )
    backfill = backfill_nulls(read(any_database).catalog.tables[QName("public", "t")], ("tenant", "id"), "value", "'x'")
    assert _rows_read(any_database, backfill, '\'["1", "6000"]\'', 100) <= 400


def test_the_batch_reads_no_tenant_as_a_whole_that_statistics_do_not_know(any_database: str) -> None:
    """There it would read a smaller index and sort, for it expects a single row."""
    run(
        any_database,
        [
            "CREATE TABLE public.t (tenant int, id bigint, value text, PRIMARY KEY (tenant, id))",
            "CREATE INDEX ON public.t (tenant)",
            "INSERT INTO public.t SELECT i % 2, i FROM pg_catalog.generate_series(1, 2000) AS i",
            "ANALYZE public.t",
            "INSERT INTO public.t SELECT 5, i FROM pg_catalog.generate_series(1, 20000) AS i",
        ],
    )
    backfill = backfill_nulls(read(any_database).catalog.tables[QName("public", "t")], ("tenant", "id"), "value", "'x'")
    assert _rows_read(any_database, backfill, '\'["5", "6000"]\'', 100) <= 400


def test_the_batch_does_not_read_through_deleted_rows_at_the_end(any_database: str) -> None:
    """They are in the index for as long as somebody's snapshot may see them."""
    run(
        any_database,
        [
            "CREATE TABLE public.t (id bigint PRIMARY KEY, value text) WITH (autovacuum_enabled = off)",
            "INSERT INTO public.t SELECT i FROM pg_catalog.generate_series(1, 20000) AS i",
        ],
    )
    backfill = backfill_nulls(read(any_database).catalog.tables[QName("public", "t")], ("id",), "value", "'x'")
    with psycopg.connect(any_database) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT FROM t LIMIT 1")
        run(any_database, ["DELETE FROM public.t WHERE id > 1000"])
        assert _rows_read(any_database, backfill, "'[\"500\"]'", 100) <= 400


def _rows_read(database: str, backfill: Backfill, key: str, batch_rows: int) -> float:
    """Rows of the table that one batch looks at, dead ones and those that it has no use for too."""
    with psycopg.connect(database) as connection:
        for setting in re.findall(r"set_config\('(\w+)', 'off', true\)", _RAILS.read_text()):
            connection.execute(f"SET LOCAL {setting} = off".encode())
        text = backfill.batch_sql.replace("$1", key).replace("$2", f"{batch_rows}::bigint")
        row = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}".encode()).fetchone()
        connection.rollback()
    assert row is not None
    return sum(
        float(node["Actual Loops"])
        * float(max(node["Actual Rows"] + node.get("Rows Removed by Filter", 0), node.get("Heap Fetches", 0)))
        for node in _nodes(row[0][0]["Plan"])
        if node.get("Relation Name") == "t" and "Scan" in node["Node Type"]
    )


@pytest.mark.parametrize("key", ["id", "id, sub"])
def test_tables_and_columns_may_be_called_like_parts_of_the_batch(database: str, key: str) -> None:
    run(
        database,
        [
            "CREATE TABLE public.walk (n int)",
            "INSERT INTO public.walk VALUES (42)",
            f"CREATE TABLE public.changed (id int, sub int, t int, w int, k0 int, key int, PRIMARY KEY ({key}))",
            "INSERT INTO public.changed SELECT i, i FROM pg_catalog.generate_series(1, 20) AS i",
        ],
    )
    table = read(database).catalog.tables[QName("public", "changed")]
    values = [("t", "(SELECT n FROM walk)"), ("w", "t.id"), ("k0", "t.id"), ("key", "t.id")]
    backfill = backfill_rows(table, walking_key(table), values, "t.t IS NULL")
    with psycopg.connect(database, autocommit=True) as connection:
        assert run_backfill(connection, backfill, batch_rows=7) == 20
        query = "SELECT count(*) FROM changed AS c WHERE (t, w, k0, key) = (42, c.id, c.id, c.id)"
        assert connection.execute(query).fetchone() == (20,)


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in _nodes(child))]


def test_a_row_that_is_changed_meanwhile_is_looked_at_again(database: str) -> None:
    """A writer holds a row; the batch waits for that row only, and leaves the writer's value alone."""
    _, backfill = _prepare(database, *KEYS["bigint"])
    with (
        psycopg.connect(database) as writer,
        psycopg.connect(database, autocommit=True) as worker,
        psycopg.connect(database, autocommit=True) as watcher,
    ):
        writer.execute("UPDATE t SET value = 'written' WHERE id = 4")
        result: list[int] = []
        thread = threading.Thread(target=lambda: result.append(run_backfill(worker, backfill, 1000)))
        thread.start()
        waiting = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted)"
        for _ in range(1000):
            row = watcher.execute(waiting, [worker.info.backend_pid]).fetchone()
            if row == (True,):
                break
            watcher.execute("SELECT pg_sleep(0.005)")
        assert row == (True,)
        writer.commit()
        thread.join(30)
    assert result == [66]
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT value FROM t WHERE id = 4").fetchone() == ("written",)


def test_children_can_be_inserted_while_a_batch_holds_its_rows(database: str) -> None:
    _, backfill = _prepare(database, *KEYS["bigint"])
    with psycopg.connect(database) as batch, psycopg.connect(database) as client:
        client.execute("CREATE TABLE child (t_id bigint REFERENCES t (id))")
        client.commit()
        batch.execute(backfill.batch_sql.replace("$1", "NULL").replace("$2", "50").encode())
        client.execute("SET lock_timeout = '2s'")
        client.execute("INSERT INTO child VALUES (1)")
        client.commit()


def test_a_table_without_a_key_has_none(database: str) -> None:
    run(
        database,
        [
            "CREATE TABLE public.t (id bigint UNIQUE, other int NOT NULL, value text)",
            "CREATE UNIQUE INDEX ON public.t (other) WHERE other > 0",
            "CREATE UNIQUE INDEX ON public.t ((other + 1))",
        ],
    )
    assert walking_key(read(database).catalog.tables[QName("public", "t")]) is None


@pytest.mark.parametrize("rows", [0, 1, 5000])
def test_a_table_without_a_key_is_walked_by_blocks(any_database: str, rows: int) -> None:
    """Every row once, also when its batches make the table grow, through ranges of ctid where the server has them."""
    run(
        any_database,
        [
            "CREATE TABLE public.t (other int, value text, visits int NOT NULL DEFAULT 0)",
            f"INSERT INTO public.t SELECT i % 7, CASE WHEN i % 3 = 0 THEN 'kept' END FROM generate_series(1, {rows}) i",
        ],
    )
    table = read(any_database).catalog.tables[QName("public", "t")]
    assert walking_key(table) is None
    backfill = backfill_rows(table, None, [("value", "'filled'"), ("visits", "t.visits + 1")], "t.value IS NULL")
    with psycopg.connect(any_database, autocommit=True) as connection:
        assert run_backfill(connection, backfill, batch_rows=300) == rows - rows // 3
        counted = connection.execute("SELECT count(*), count(value), coalesce(sum(visits), 0) FROM t").fetchone()
        assert counted == (rows, rows, rows - rows // 3)
        assert run_backfill(connection, backfill, batch_rows=300) == 0
        connection.execute("SET enable_seqscan = off")
        text = backfill.batch_sql.replace("$1", "'[5]'").replace("$2", "100")
        explained = connection.execute(f"EXPLAIN {text}".encode()).fetchall()
        assert "Tid Range Scan" in str(explained)
