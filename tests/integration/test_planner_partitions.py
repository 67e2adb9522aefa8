"""Partitioned tables: made, extended, indexed and taken apart on real servers, with their rows."""

from __future__ import annotations

from collections.abc import Collection

import psycopg
import pytest

from tests.catalogs import clear_database, read, run
from tests.planned import carry_out, changes_left, plan_for
from wesley_tui.planner.plan import LockMode, Plan

_PARENT = (
    "CREATE TABLE public.kind (id integer PRIMARY KEY)",
    "INSERT INTO public.kind VALUES (1), (2)",
    "CREATE TABLE public.event (id bigint NOT NULL, at date NOT NULL, kind integer, note text) PARTITION BY RANGE (at)",
    "CREATE TABLE public.event_1 PARTITION OF public.event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
    "CREATE TABLE public.event_2 PARTITION OF public.event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') "
    "PARTITION BY LIST (kind)",
    "CREATE TABLE public.event_2_a PARTITION OF public.event_2 FOR VALUES IN (1)",
    "CREATE TABLE public.event_2_rest PARTITION OF public.event_2 DEFAULT",
)
_ROWS = (
    "INSERT INTO public.event SELECT i, CASE WHEN i % 2 = 0 THEN date '2024-05-05' ELSE '2025-05-05' END, "
    "1 + (i % 3 = 0)::int, 'n' FROM generate_series(1, 30) AS i",
)


def migrate(database: str, after: Collection[str], before: Collection[str] = _PARENT) -> Plan:
    """From ``before`` with rows to what ``before`` and ``after`` make; no row is lost."""
    run(database, (*_PARENT, *after))
    wanted = read(database).catalog
    clear_database(database)
    run(database, (*before, *_ROWS) if before else ())
    plan = plan_for(database, wanted)
    carry_out(database, plan)
    assert changes_left(database, wanted).changes == ()
    if before:
        with psycopg.connect(database) as connection:
            rows = connection.execute("SELECT count(*) FROM public.event").fetchone()
        assert rows == (30,)
    return plan


def test_a_tree_of_partitions_is_made(any_database: str) -> None:
    migrate(any_database, ("CREATE INDEX ON public.event (note)",), ())


def test_a_partition_is_added_without_blocking_the_parent(any_database: str) -> None:
    plan = migrate(
        any_database,
        ("CREATE TABLE public.event_3 PARTITION OF public.event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",),
    )
    (step,) = plan.steps
    assert "ATTACH PARTITION" in step.sql
    with psycopg.connect(any_database) as connection:
        connection.execute("DROP TABLE public.event_3")
        connection.commit()
        for statement in step.statements:
            connection.execute(statement.encode())
        modes = connection.execute(
            "SELECT mode FROM pg_locks WHERE relation = 'public.event'::regclass AND pid = pg_backend_pid()"
        ).fetchall()
        connection.rollback()
    assert max(LockMode[mode] for (mode,) in modes) == LockMode.ShareUpdateExclusiveLock


def test_a_new_partition_comes_after_a_new_index(any_database: str) -> None:
    plan = migrate(
        any_database,
        (
            "CREATE INDEX event_note ON public.event (note)",
            "CREATE TABLE public.event_3 PARTITION OF public.event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        ),
    )
    assert [step.op for step in plan.steps][-2:] == ["join_partition_indexes", "create_table"]


def test_an_index_is_built_partition_by_partition(any_database: str) -> None:
    plan = migrate(any_database, ("CREATE INDEX event_note ON public.event (note)",))
    assert [step.op for step in plan.steps] == ["add_index_concurrently"] * 3 + ["join_partition_indexes"]
    with psycopg.connect(any_database) as connection:
        rows = connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone()
    assert rows == (0,)


@pytest.mark.parametrize(
    "after",
    [
        "ALTER TABLE public.event ADD CONSTRAINT event_key UNIQUE (id, at, kind)",
        "ALTER TABLE public.event ADD CONSTRAINT event_kind FOREIGN KEY (kind) REFERENCES public.kind",
        "ALTER TABLE public.event ADD CONSTRAINT positive CHECK (id > 0)",
        "ALTER TABLE public.event ADD COLUMN extra uuid NOT NULL DEFAULT gen_random_uuid()",
        "ALTER TABLE public.event ALTER COLUMN note TYPE varchar(50)",
        "ALTER TABLE public.event ALTER COLUMN note SET NOT NULL",
        "ALTER TABLE public.event DETACH PARTITION public.event_1",
        "DROP TABLE public.event_1",
    ],
)
def test_the_parent_changes_and_its_partitions_follow(any_database: str, after: str) -> None:
    if "DETACH" in after or "DROP" in after:
        run(any_database, (*_PARENT, after))
        wanted = read(any_database).catalog
        clear_database(any_database)
        run(any_database, (*_PARENT, *_ROWS))
        plan = plan_for(any_database, wanted, adopt_all=True)
        carry_out(any_database, plan)
        assert changes_left(any_database, wanted, adopt_all=True).changes == ()
        assert plan.hazard.name == "H3"
        return
    migrate(any_database, (after,))


def test_a_table_becomes_a_partition(any_database: str) -> None:
    before = (
        *_PARENT,
        "CREATE TABLE public.old (id bigint NOT NULL, at date NOT NULL, kind integer, note text)",
        "INSERT INTO public.old VALUES (7, '2023-07-07', 1, 'old')",
    )
    after = "CREATE TABLE public.old PARTITION OF public.event FOR VALUES FROM ('2023-01-01') TO ('2024-01-01')"
    run(any_database, (*_PARENT, after))
    wanted = read(any_database).catalog
    clear_database(any_database)
    run(any_database, before)
    carry_out(any_database, plan_for(any_database, wanted))
    assert changes_left(any_database, wanted).changes == ()


def test_another_partition_key_is_refused(database: str) -> None:
    run(database, (_PARENT[0], _PARENT[2].replace("RANGE (at)", "HASH (id)")))
    wanted = read(database).catalog
    clear_database(database)
    run(database, _PARENT)
    plan = plan_for(database, wanted)
    assert [step.op for step in plan.steps] == ["refuse"]
    assert "partitioned by" in plan.steps.__next__().prechecks[0].message
