"""Which changes of type touch no row: the table in ``planner/casts.py`` against the file nodes of real servers."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace

import psycopg
import pytest

from tests.catalogs import clear_database, read, run
from tests.planned import carry_out, changes_left, plan_for, take_back
from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog, Column, PrimaryKey, QName, Table
from wesley_tui.catalog.types import canonical_type
from wesley_tui.diff.compare import compare
from wesley_tui.planner.build import build_plan
from wesley_tui.planner.casts import cast_through, is_metadata_only
from wesley_tui.planner.plan import HazardClass

TYPES = (  # noqa: SIM905 - a list of words reads better as one
    "varchar(5) varchar(10) varchar text char(5) char(10) numeric(8,2) numeric(10,2) numeric(10,3) numeric(8) numeric "
    "timestamp timestamp(3) timestamp(0) timestamptz timestamptz(3) time time(3) timetz interval interval(3) date "
    "int2 int4 int8 float4 float8 bool json jsonb uuid inet cidr bit(8) bit(16) varbit(8) varbit(16) varbit bytea "
    "varchar(5)[] varchar(10)[] text[] int4[] int8[]"
).split()
T = QName("public", "t")


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin"])
def test_metadata_only_changes_keep_the_file(any_database: str, timezone: str, request: pytest.FixtureRequest) -> None:
    if timezone != "UTC" and "pg18" not in request.node.name and os.environ.get("WESLEY_SLOW") != "1":
        pytest.skip("WESLEY_SLOW=1 tries every time zone on every version")
    wrong = []
    with psycopg.connect(any_database) as connection:
        connection.execute("SELECT set_config('TimeZone', %s, false)", [timezone])
        connection.commit()
        for old, new in itertools.permutations(TYPES, 2):
            connection.execute(f"CREATE TABLE t (c {old}); INSERT INTO t VALUES (NULL)".encode())
            before = connection.execute("SELECT pg_relation_filenode('t')").fetchone()
            try:
                connection.execute(f"ALTER TABLE t ALTER c TYPE {new}".encode())
            except psycopg.Error:
                kept = False
            else:
                kept = connection.execute("SELECT pg_relation_filenode('t')").fetchone() == before
            connection.rollback()
            model = is_metadata_only(canonical_type(old, {}), canonical_type(new, {}), timezone=timezone)
            if model != kept:
                wrong.append(f"{old} → {new} under {timezone}: model {model}, server {kept}")
    assert not wrong, "\n".join(wrong)


def test_there_is_a_cast_from_every_type_to_every_other(database: str) -> None:
    """``USING c::new`` is written only where PostgreSQL can parse it."""
    wrong = []
    with psycopg.connect(database, autocommit=True) as connection:
        for old, new in itertools.permutations(TYPES, 2):
            through = cast_through(canonical_type(old, {}), canonical_type(new, {}))
            try:
                connection.execute(f"SELECT (NULL::{old}){f'::{through}' if through else ''}::{new}".encode())
            except psycopg.Error as error:
                wrong.append(f"{old} → {new}: {error}")
    assert not wrong, "\n".join(wrong)


def _table(type_name: str, default: str | None = None) -> Table:
    columns = (Column("id", "bigint", not_null=True), Column("c", type_name, default=default))
    return Table(T, columns, (PrimaryKey("t_pkey", ("id",)),))


@pytest.mark.parametrize(
    ("old", "new", "value", "hazard"),
    [
        ("character varying(10)", "character varying(20)", "'abc'", HazardClass.H1),
        ("character varying(10)", "text", "'abc'", HazardClass.H1),
        ("numeric(8,2)", "numeric(12,2)", "1.25", HazardClass.H1),
        ("timestamp without time zone", "timestamp with time zone", "'2024-01-01 10:00'", HazardClass.H1),
        ("integer", "bigint", "7", HazardClass.H1),
        ("text", "integer", "'7'", HazardClass.H1),
        ("bigint", "boolean", "'1'", HazardClass.H1),
        ("text", "jsonb", "'{}'", HazardClass.H1),
        ("character varying(20)", "character varying(10)", "'abc'", HazardClass.H1),
        ("text", "uuid", "'7c3e9a2e-6a5b-4b0e-9df5-0c5b4a7e1f00'", HazardClass.H1),
        ("text[]", "integer[]", "'{1,2}'", HazardClass.H1),
    ],
)
def test_a_type_is_changed_and_changed_back(database: str, old: str, new: str, value: str, hazard: HazardClass) -> None:
    run(
        database,
        [
            f"CREATE TABLE public.t (id bigint PRIMARY KEY, c {old} DEFAULT {value})",
            "INSERT INTO public.t (id) VALUES (1), (2)",
        ],
    )
    desired = Catalog(frozenset({"public"}), {T: _table(new, value)})
    plan = plan_for(database, desired)
    assert [(step.op, step.hazard) for step in plan.steps if step.op == "alter_type"] == [("alter_type", hazard)]
    carry_out(database, plan)
    assert changes_left(database, desired).changes == ()
    take_back(database, plan)
    assert changes_left(database, Catalog(frozenset({"public"}), {T: _table(old, value)})).changes == ()


def test_a_value_that_does_not_fit_stops_the_change(database: str) -> None:
    run(
        database,
        ["CREATE TABLE public.t (id bigint PRIMARY KEY, c text)", "INSERT INTO public.t VALUES (1, 'too long')"],
    )
    plan = plan_for(database, Catalog(frozenset({"public"}), {T: _table("character varying(3)")}))
    with pytest.raises(psycopg.errors.StringDataRightTruncation):
        carry_out(database, plan)


def test_time_zone_of_the_server_decides(database: str) -> None:
    run(database, ["CREATE TABLE public.t (id bigint PRIMARY KEY, c timestamp)"])
    snapshot = replace(read(database), timezone="Europe/Berlin")
    desired = Catalog(frozenset({"public"}), {T: _table("timestamp with time zone")})
    plan = build_plan(snapshot, desired, compare(snapshot.catalog, desired, Intent()))
    (step,) = plan.steps
    assert "AT TIME ZONE 'Europe/Berlin'" in step.sql
    assert step.hazard is HazardClass.H1
    assert step.rewrites == ("public.t",)


_COMPUTED = "CREATE TABLE public.n (id bigint PRIMARY KEY, a integer, b integer"


@pytest.mark.parametrize(
    ("before", "after", "major"),
    [
        ("GENERATED ALWAYS AS (a * 2) STORED", "GENERATED ALWAYS AS (a * 3) STORED", 15),
        ("GENERATED ALWAYS AS (a * 2) STORED", "", 15),
        ("", "GENERATED ALWAYS AS (a * 3) STORED", 15),
        ("GENERATED ALWAYS AS (a * 2) VIRTUAL", "GENERATED ALWAYS AS (a * 3) VIRTUAL", 18),
        ("GENERATED ALWAYS AS (a * 2) VIRTUAL", "GENERATED ALWAYS AS (a * 3) STORED", 18),
        ("GENERATED ALWAYS AS (a * 2) VIRTUAL", "", 18),
    ],
)
def test_the_rule_of_a_generated_column_changes(any_database: str, before: str, after: str, major: int) -> None:
    """Its values follow; its comment, index, check and the view that shows it stay."""
    if read(any_database).major < major:
        pytest.skip("this server has no virtual columns")
    virtual = "VIRTUAL" in before + after
    around = (
        "COMMENT ON COLUMN public.n.b IS 'computed'",
        *(() if virtual else ("CREATE INDEX n_b ON public.n (b)",)),
        "ALTER TABLE public.n ADD CONSTRAINT small CHECK (b < 1000)",
        "CREATE VIEW public.shown AS SELECT b FROM public.n",
    )
    run(any_database, (f"{_COMPUTED} {after})", *around))
    wanted = read(any_database).catalog
    clear_database(any_database)
    run(any_database, (f"{_COMPUTED} {before})", *around))
    run(any_database, ("INSERT INTO public.n (id, a) SELECT i, i FROM generate_series(1, 9) AS i",))
    carry_out(any_database, plan_for(any_database, wanted))
    assert changes_left(any_database, wanted).changes == ()
    factor = 3 if after else 2
    with psycopg.connect(any_database) as connection:
        rows = connection.execute("SELECT a, b FROM public.n ORDER BY a").fetchall()
    computed = before or after
    kept = after or "STORED" in before
    assert computed
    assert rows == [(i, factor * i if kept else None) for i in range(1, 10)]


def test_labels_change_under_views_and_beside_retired_columns(any_database: str) -> None:
    """A retired column keeps the old type, which rests with it; grants and comment of the type stay."""
    moods = ("'sad', 'ok', 'happy'", "'happy', 'ok'")

    def made(labels: str, columns: str) -> tuple[str, ...]:
        return (
            f"CREATE TYPE public.mood AS ENUM ({labels})",
            "COMMENT ON TYPE public.mood IS 'how it is'",
            "GRANT USAGE ON TYPE public.mood TO pg_monitor",
            f"CREATE TABLE public.n (id bigint PRIMARY KEY, mood public.mood DEFAULT 'ok' {columns})",
            "CREATE INDEX n_ok ON public.n (id) WHERE mood = 'ok'::public.mood",
            "CREATE VIEW public.happy AS SELECT id FROM public.n WHERE mood = 'happy'",
            "CREATE FUNCTION public.f(m public.mood) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        )

    run(any_database, made(moods[1], ""))
    wanted = read(any_database).catalog
    clear_database(any_database)
    run(any_database, made(moods[0], ", was public.mood"))
    run(any_database, ("INSERT INTO public.n VALUES (1, 'ok', 'sad'), (2, 'happy', 'happy')",))
    narrower = read(any_database).catalog
    table = narrower.tables[QName("public", "n")]
    narrower = replace(narrower, tables={table.name: replace(table, columns=table.columns[:2])})
    carry_out(any_database, plan_for(any_database, narrower))
    plan = plan_for(any_database, wanted)
    carry_out(any_database, plan)
    assert changes_left(any_database, wanted).changes == ()
    with psycopg.connect(any_database) as connection:
        row = connection.execute("SELECT to_jsonb(n) - 'id' FROM public.n WHERE id = 1").fetchone()
    assert row is not None
    assert sorted(row[0].values()) == ["ok", "sad"]
    take_back(any_database, plan)
    assert changes_left(any_database, narrower).changes == ()


@pytest.mark.parametrize(
    ("domain", "old", "new", "kept"),
    [
        ("AS text", "text", "public.d", True),
        ("AS text DEFAULT 'x'", "varchar(10)", "public.d", True),
        ("AS varchar(20)", "varchar(10)", "public.d", True),
        ("AS varchar(20)", "text", "public.d", False),
        ("AS text CHECK (VALUE <> '')", "text", "public.d", False),
        ("AS text NOT NULL", "text", "public.d", False),
        ("AS text CHECK (VALUE <> '')", "public.d", "text", True),
        ("AS text", "public.d", "varchar(10)", False),
    ],
)
def test_a_domain_without_rules_is_the_type_under_it(
    database: str, domain: str, old: str, new: str, kept: bool
) -> None:
    made = [f"CREATE DOMAIN public.d {domain}"]

    def table(kind: str) -> list[str]:
        return [f"CREATE TABLE public.t (id bigint PRIMARY KEY, c {kind})", "CREATE INDEX i ON public.t (c)"]

    run(database, [*made, *table(new)])
    wanted = read(database).catalog
    clear_database(database)
    run(database, [*made, *table(old), "INSERT INTO public.t SELECT i, 'a' || i FROM generate_series(1, 9000) AS i"])

    def files() -> object:
        with psycopg.connect(database) as connection:
            query = "SELECT pg_relation_filenode('public.t'), pg_relation_filenode('public.i')"
            return connection.execute(query).fetchone()

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ANALYZE public.t")
    before = files()
    plan = plan_for(database, wanted)
    assert ([step.op for step in plan.steps] == ["alter_type"] and plan.hazard is HazardClass.H1) is kept
    carry_out(database, plan)
    assert (files() == before) is kept
    assert changes_left(database, wanted).changes == ()
