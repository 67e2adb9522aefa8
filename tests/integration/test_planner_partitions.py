"""Partitioned tables: made, extended, indexed and taken apart on real servers, with their rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import psycopg
import pytest

from tests.catalogs import clear_database, read, run
from tests.planned import carry_out, changes_left, plan_for, take_back, unsatisfied
from wesley_tui.catalog.model import Catalog, QName
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


_EVENT = (
    "CREATE TABLE public.event (id bigint NOT NULL, at date NOT NULL, kind text) PARTITION BY RANGE (at)",
    "CREATE TABLE public.event_1 PARTITION OF public.event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
    "CREATE INDEX event_kind ON public.event (kind)",
    "ALTER TABLE public.event ADD CONSTRAINT event_pkey PRIMARY KEY (id, at)",
    "ALTER TABLE public.event ADD CONSTRAINT positive CHECK (id > 0)",
)
_DEFAULT = ("CREATE TABLE public.event_rest PARTITION OF public.event DEFAULT",)
_FREE = (
    "CREATE TABLE public.old (id bigint NOT NULL, at date NOT NULL, kind text)",
    "INSERT INTO public.old SELECT i, date '2023-01-01' + i, 'k' FROM generate_series(1, 50) AS i",
)
_ATTACHED = ("CREATE TABLE public.old PARTITION OF public.event FOR VALUES FROM ('2023-01-01') TO ('2024-01-01')",)


def wanted_after(database: str, statements: Collection[str]) -> Catalog:
    run(database, statements)
    wanted = read(database).catalog
    clear_database(database)
    return wanted


def notices_of(database: str, plan: Plan) -> list[str]:
    """Carry the plan out, and what the server tells at DEBUG1 of the steps that attach."""
    told: list[str] = []
    with psycopg.connect(database, autocommit=True, options="-c search_path=") as connection:
        connection.add_notice_handler(lambda diagnostic: told.append(diagnostic.message_primary or ""))
        for step in plan.steps:
            attaches = "ATTACH" in step.sql
            connection.execute(b"SET client_min_messages = " + (b"debug1" if attaches else b"warning"))
            assert unsatisfied(connection, step.prechecks) == []
            for statement in step.statements:
                connection.execute(statement.encode())
            assert unsatisfied(connection, step.postchecks) == []
    return told


def test_a_table_is_attached_without_a_scan(any_database: str) -> None:
    """With its keys and indexes built before, and a proven CHECK on it and on the DEFAULT partition."""
    before = (*_EVENT, *_DEFAULT)
    wanted = wanted_after(any_database, (*before, *_ATTACHED))
    run(any_database, (*before, *_FREE, "INSERT INTO public.event VALUES (9, '2030-01-01', 'k')"))
    plan = plan_for(any_database, wanted)
    attach = next(step for step in plan.steps if step.op == "attach_partition")
    assert attach.scans == ()
    assert attach.hazard.name == "H1"
    told = notices_of(any_database, plan)
    assert sum("implied by existing constraints" in text for text in told) == 2, told
    assert not any("building index" in text for text in told)
    assert changes_left(any_database, wanted).changes == ()
    with psycopg.connect(any_database) as connection:
        rows = connection.execute("SELECT count(*) FROM public.event WHERE at < '2024-01-01'").fetchone()
        helpers = connection.execute("SELECT conname FROM pg_constraint WHERE conname ~ '^wesley_'").fetchall()
    assert rows == (50,)
    assert helpers == []


@pytest.mark.parametrize(
    ("key", "bound", "row"),
    [
        ("LIST (kind)", "FOR VALUES IN ('a', 'it''s', NULL)", "'it''s'"),
        ("LIST (kind)", "FOR VALUES IN ('a')", "'a'"),
        ("LIST (lower(kind))", "FOR VALUES IN ('a', 'b')", "'B'"),
        ("RANGE (id)", "FOR VALUES FROM (MINVALUE) TO (50)", "'x'"),
    ],
)
def test_the_condition_of_a_bound_is_a_proof(database: str, key: str, bound: str, row: str) -> None:
    table = "(id bigint, kind text)"
    rest = "CREATE TABLE public.rest PARTITION OF public.p DEFAULT"
    parent = (f"CREATE TABLE public.p {table} PARTITION BY {key}", rest)
    wanted = wanted_after(database, (*parent, f"CREATE TABLE public.c PARTITION OF public.p {bound}"))
    run(database, (*parent, f"CREATE TABLE public.c {table}", f"INSERT INTO public.c VALUES (7, {row})"))
    told = notices_of(database, plan_for(database, wanted))
    assert sum("implied by existing constraints" in text for text in told) == 2, told
    assert changes_left(database, wanted).changes == ()


def test_rows_of_the_default_partition_that_belong_to_the_new_one_stop_the_plan(database: str) -> None:
    before = (*_EVENT, *_DEFAULT)
    wanted = wanted_after(database, (*before, *_ATTACHED))
    run(database, (*before, "INSERT INTO public.event VALUES (9, '2023-05-05', 'k')"))
    with pytest.raises(AssertionError, match=r"belong to public\.old: move them"):
        carry_out(database, plan_for(database, wanted))


def test_a_partition_is_detached_beside_readers(any_database: str) -> None:
    """It keeps its keys, indexes and checks, and the CHECK that the server leaves behind goes."""
    wanted = wanted_after(any_database, (*_EVENT, "ALTER TABLE public.event DETACH PARTITION public.event_1"))
    run(any_database, (*_EVENT, "INSERT INTO public.event VALUES (9, '2024-05-05', 'k')"))
    plan = plan_for(any_database, wanted)
    assert [step.op for step in plan.steps] == ["detach_partition_concurrently", "drop_constraint"]
    carry_out(any_database, plan)
    assert changes_left(any_database, wanted).changes == ()


def test_a_detach_that_did_not_finish_is_finished(any_database: str) -> None:
    wanted = wanted_after(any_database, (*_EVENT, "ALTER TABLE public.event DETACH PARTITION public.event_1"))
    run(any_database, (*_EVENT, "INSERT INTO public.event VALUES (9, '2024-05-05', 'k')"))
    plan = plan_for(any_database, wanted)
    step = next(iter(plan.steps))
    assert step.leftover_check is not None
    with (
        psycopg.connect(any_database) as reader,
        psycopg.connect(any_database, autocommit=True, options="-c statement_timeout=500") as worker,
    ):
        reader.execute("SELECT count(*) FROM public.event")
        with pytest.raises(psycopg.errors.QueryCanceled):
            worker.execute(step.statements[0].encode())
        assert unsatisfied(worker, (step.leftover_check,)) == []
        reader.rollback()
        (finish,) = step.leftover_cleanup
        worker.execute(finish.encode())
        assert unsatisfied(worker, (step.leftover_check,)) != []
        assert unsatisfied(worker, step.postchecks) == []
    carry_out(any_database, plan_for(any_database, wanted))
    assert changes_left(any_database, wanted).changes == ()


def test_a_partition_is_retired_and_comes_back(any_database: str) -> None:
    run(any_database, (*_EVENT, "INSERT INTO public.event VALUES (9, '2024-05-05', 'k')"))
    before = read(any_database).catalog
    event = before.tables[QName("public", "event")]
    wanted = replace(before, tables={event.name: event})
    plan = plan_for(any_database, wanted, adopt_all=True)
    assert "detach_partition_concurrently" in [step.op for step in plan.steps]
    carry_out(any_database, plan)
    assert changes_left(any_database, wanted, adopt_all=True).changes == ()
    take_back(any_database, plan)
    assert changes_left(any_database, before).changes == ()


def test_what_comes_with_a_parent_does_not_stay_when_the_parent_is_left(any_database: str) -> None:
    family = "CREATE TABLE public.parent (id bigint NOT NULL)", "CREATE TABLE public.child () INHERITS (public.parent)"
    alone = "CREATE TABLE public.child (id bigint NOT NULL)"
    wanted = wanted_after(any_database, (family[0].replace(")", ", more text DEFAULT 'm')"), alone))
    run(any_database, (*family, "INSERT INTO public.child VALUES (7)"))
    carry_out(any_database, plan_for(any_database, wanted))
    assert changes_left(any_database, wanted).changes == ()


@pytest.mark.parametrize("joins", [True, False])
def test_a_child_finds_or_leaves_its_parent(any_database: str, joins: bool) -> None:
    alone = (
        "CREATE TABLE public.parent (id bigint NOT NULL, note text DEFAULT 'n', CONSTRAINT positive CHECK (id > 0))",
        "CREATE TABLE public.child (id bigint NOT NULL, own text)",
    )
    rows = ("INSERT INTO public.child VALUES (7)",)
    together = (alone[0], "CREATE TABLE public.child (own text) INHERITS (public.parent)")
    before, after = (alone, together) if joins else (together, alone)
    wanted = wanted_after(any_database, after)
    run(any_database, (*before, *rows))
    carry_out(any_database, plan_for(any_database, wanted))
    assert changes_left(any_database, wanted).changes == ()
    with psycopg.connect(any_database) as connection:
        assert connection.execute("SELECT count(*) FROM public.parent").fetchone() == (1 if joins else 0,)
        assert connection.execute("SELECT count(*) FROM public.child").fetchone() == (1,)


@pytest.mark.parametrize(
    "after",
    [
        "CREATE INDEX event_note ON public.event (note)",
        "ALTER TABLE public.event ADD CONSTRAINT event_key UNIQUE (id, at, kind)",
        "ALTER TABLE public.event ADD CONSTRAINT event_kind FOREIGN KEY (kind) REFERENCES public.kind",
    ],
)
def test_a_run_that_stopped_between_partitions_goes_on_there(any_database: str, after: str) -> None:
    """What stands on some partitions is neither built again nor dropped."""
    wanted = wanted_after(any_database, (*_PARENT, after))
    run(any_database, (*_PARENT, *_ROWS))
    first = plan_for(any_database, wanted)
    steps = list(first.steps)
    if len(steps) < 4:
        pytest.skip("this server does it in one go")
    carry_out(any_database, replace(first, waves=(replace(first.waves[0], steps=tuple(steps[:3])),)))
    rest = plan_for(any_database, wanted)
    assert len(list(rest.steps)) == len(steps) - 3
    assert not any("drop" in step.op for step in rest.steps)
    carry_out(any_database, rest)
    assert changes_left(any_database, wanted).changes == ()
