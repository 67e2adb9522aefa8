"""Views, routines, types, sequences, triggers, privileges: from one state to another on real servers."""

from __future__ import annotations

from collections.abc import Collection

import psycopg
import pytest

from tests.catalogs import clear_database, create_statements, differences, read, run
from tests.planned import carry_out, changes_left, plan_for
from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog, QName, Ref
from wesley_tui.planner.document import plan_from_json, plan_to_json
from wesley_tui.planner.plan import Plan
from wesley_tui.sdl.compile import compile_schema
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.sdl.emit import emit_schema

_BASE = (
    "CREATE TABLE public.account (id bigint PRIMARY KEY, code varchar(10), amount integer NOT NULL DEFAULT 0, "
    "created date)",
    "CREATE TABLE public.entry (id bigint PRIMARY KEY, account bigint NOT NULL REFERENCES public.account, note text)",
    "INSERT INTO public.account SELECT i, 'c' || i, i, '2024-01-01' FROM generate_series(1, 9) AS i",
    "INSERT INTO public.entry SELECT i, i, 'n' FROM generate_series(1, 9) AS i",
)


def migrate(database: str, before: Collection[str], after: Collection[str], *, adopt_all: bool = False) -> Plan:
    """From ``before`` to what ``after`` would have made; the rows of both tables stay."""
    run(database, (*_BASE, *after))
    wanted = read(database).catalog
    clear_database(database)
    run(database, (*_BASE, *before))
    plan = plan_for(database, wanted, adopt_all=adopt_all)
    carry_out(database, plan)
    assert changes_left(database, wanted, adopt_all=adopt_all).changes == ()
    assert differences(wanted, read(database).catalog) == [] or not adopt_all
    assert plan_from_json(plan_to_json(plan)) == plan
    assert count(database, "public.account") == 9
    assert count(database, "public.entry") == 9
    return plan


def count(database: str, table: str) -> int:
    with psycopg.connect(database) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def operations(plan: Plan) -> list[str]:
    return [step.op for step in plan.steps]


_VIEWS = (
    "CREATE VIEW public.rich AS SELECT id, code, amount FROM public.account WHERE amount > 3",
    "CREATE VIEW public.richer AS SELECT id, code FROM public.rich WHERE amount > 6",
    "CREATE MATERIALIZED VIEW public.codes AS SELECT code, count(*) AS n FROM public.richer GROUP BY code",
    "CREATE UNIQUE INDEX codes_code ON public.codes (code)",
    "COMMENT ON VIEW public.rich IS 'more than three'",
    "COMMENT ON COLUMN public.rich.amount IS 'in cents'",
    "GRANT SELECT ON public.rich TO pg_read_all_data",
    "GRANT SELECT (code) ON public.richer TO pg_monitor",
)


def test_views_are_created_in_order_and_dropped_in_order(any_database: str) -> None:
    plan = migrate(any_database, (), _VIEWS)
    assert operations(plan) == ["create_view", "create_view", "create_materialized_view"]
    plan = plan_for(any_database, Catalog(schemas=frozenset({"public"})), adopt_all=True)
    drops = [step.object for step in plan.steps if step.op.startswith("drop")]
    assert drops == ["public.codes", "public.richer", "public.rich"]
    assert all(step.hazard.name == "H3" for step in plan.steps if step.op.startswith("drop"))


def test_a_type_changes_under_views_that_show_it(any_database: str) -> None:
    plan = migrate(
        any_database,
        _VIEWS,
        ("ALTER TABLE public.account ALTER COLUMN code TYPE text, ALTER COLUMN amount TYPE bigint", *_VIEWS),
    )
    assert operations(plan) == ["alter_type"]
    (step,) = plan.steps
    assert "CASCADE" not in step.sql
    with psycopg.connect(any_database) as connection:
        rows = connection.execute("SELECT count(*) FROM public.codes").fetchone()
    assert rows == (3,)


def test_a_view_gets_a_column_more_in_place(any_database: str) -> None:
    before = "CREATE VIEW public.rich AS SELECT id, code FROM public.account"
    after = "CREATE VIEW public.rich AS SELECT id, code, amount FROM public.account"
    on_it = "CREATE VIEW public.richer AS SELECT id FROM public.rich"
    plan = migrate(any_database, (before, on_it), (after, on_it))
    assert operations(plan) == ["replace_view"]
    (step,) = plan.steps
    assert step.sql.startswith("CREATE OR REPLACE VIEW")


def test_a_view_that_loses_a_column_is_made_again_with_what_stands_on_it(any_database: str) -> None:
    before = "CREATE VIEW public.rich AS SELECT id, code, amount FROM public.account"
    after = "CREATE VIEW public.rich AS SELECT id, amount::text AS amount FROM public.account"
    on_it = "CREATE VIEW public.richer AS SELECT id FROM public.rich"
    plan = migrate(any_database, (before, on_it), (after, on_it))
    assert operations(plan) == ["replace_view"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "CREATE FUNCTION public.f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a'",
            "CREATE FUNCTION public.f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a + 1'",
        ),
        (
            "CREATE FUNCTION public.f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a'",
            "CREATE FUNCTION public.f(b integer) RETURNS bigint LANGUAGE sql AS 'SELECT b'",
        ),
        ("CREATE SEQUENCE public.s", "CREATE SEQUENCE public.s AS integer INCREMENT BY 5 CACHE 3 CYCLE"),
        (
            "CREATE SEQUENCE public.s INCREMENT BY -1 MINVALUE -100 START WITH -3",
            "CREATE SEQUENCE public.s",
        ),
        (
            "CREATE DOMAIN public.d AS text DEFAULT 'a' CONSTRAINT short CHECK (length(VALUE) < 9)",
            "CREATE DOMAIN public.d AS text DEFAULT 'b' NOT NULL CONSTRAINT shorter CHECK (length(VALUE) < 5)",
        ),
        ("CREATE DOMAIN public.d AS text", "CREATE DOMAIN public.d AS varchar(20)"),
        ("CREATE TYPE public.c AS (a integer, b text)", "CREATE TYPE public.c AS (a integer, c numeric(5,2))"),
        ("CREATE TYPE public.c AS (a integer)", "CREATE TYPE public.c AS (b bigint, a text)"),
        (
            "CREATE TYPE public.r AS RANGE (subtype = float8)",
            "CREATE TYPE public.r AS RANGE (subtype = numeric)",
        ),
        ("CREATE PUBLICATION p FOR TABLE public.account", "CREATE PUBLICATION p FOR TABLE public.entry"),
        (
            "CREATE STATISTICS public.st (ndistinct) ON id, code FROM public.account",
            "CREATE STATISTICS public.st (dependencies) ON id, amount FROM public.account",
        ),
        (
            "CREATE RULE r AS ON DELETE TO public.entry DO INSTEAD NOTHING",
            "CREATE RULE r AS ON UPDATE TO public.entry DO INSTEAD NOTHING",
        ),
        (
            "CREATE AGGREGATE public.total(integer) (SFUNC = int4pl, STYPE = integer)",
            "CREATE AGGREGATE public.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0')",
        ),
    ],
)
def test_an_object_changes_its_definition(database: str, before: str, after: str) -> None:
    migrate(database, (before,), (after,))


_TRIGGER = (
    "CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER touched BEFORE UPDATE OF code ON public.account FOR EACH ROW EXECUTE FUNCTION public.touch()",
    "COMMENT ON TRIGGER touched ON public.account IS 'touches'",
)


def test_triggers_come_after_their_functions_and_change(any_database: str) -> None:
    migrate(any_database, (), _TRIGGER)
    clear_database(any_database)
    changed = _TRIGGER[1].replace("BEFORE UPDATE OF code", "AFTER INSERT OR UPDATE OF amount")
    migrate(any_database, _TRIGGER, (_TRIGGER[0], changed, _TRIGGER[2]))


def test_a_type_changes_under_a_trigger_a_policy_and_a_key(any_database: str) -> None:
    around = (
        *_TRIGGER,
        "CREATE POLICY own ON public.account USING (id > 0 AND code <> 'x')",
        "CREATE POLICY entries ON public.entry USING (EXISTS (SELECT FROM public.account a WHERE a.id = account))",
    )
    change = (
        "ALTER TABLE public.entry DROP CONSTRAINT entry_account_fkey",
        "ALTER TABLE public.account ALTER COLUMN id TYPE integer, ALTER COLUMN code TYPE text",
        "ALTER TABLE public.entry ALTER COLUMN account TYPE integer",
        "ALTER TABLE public.entry ADD CONSTRAINT entry_account_fkey FOREIGN KEY (account) REFERENCES public.account",
    )
    plan = migrate(any_database, around, (*change, *around))
    assert operations(plan).count("validate_constraint") == 1


def test_a_generated_column_goes_along_with_the_type_of_what_it_is_computed_from(any_database: str) -> None:
    generated = (
        "ALTER TABLE public.account ADD COLUMN twice bigint GENERATED ALWAYS AS (amount * 2) STORED",
        "CREATE INDEX account_twice ON public.account (twice)",
        "COMMENT ON COLUMN public.account.twice IS 'twice'",
        "CREATE VIEW public.twice AS SELECT twice FROM public.account",
    )
    change = ("ALTER TABLE public.account ALTER COLUMN amount TYPE bigint",)
    migrate(any_database, generated, (*change, *generated))


def test_serial_and_identity_take_over_from_each_other(any_database: str) -> None:
    serial = (
        "CREATE TABLE public.n (id bigint PRIMARY KEY)",
        "CREATE SEQUENCE public.n_id_seq OWNED BY public.n.id",
        "ALTER TABLE public.n ALTER COLUMN id SET DEFAULT nextval('public.n_id_seq')",
        "INSERT INTO public.n SELECT FROM generate_series(1, 5)",
    )
    identity = (
        "CREATE TABLE public.n (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY)",
        "INSERT INTO public.n SELECT FROM generate_series(1, 5)",
    )
    for before, after in ((serial, identity), (identity, serial)):
        clear_database(any_database)
        migrate(any_database, before, after)
        run(any_database, ("INSERT INTO public.n DEFAULT VALUES",))
        assert count(any_database, "public.n") == 6


def test_privileges_are_given_and_taken(any_database: str) -> None:
    plan = migrate(
        any_database,
        ("GRANT SELECT, INSERT ON public.account TO pg_monitor", "GRANT USAGE ON SCHEMA public TO pg_monitor"),
        (
            "GRANT SELECT, UPDATE (code) ON public.account TO pg_monitor WITH GRANT OPTION",
            "GRANT CREATE ON SCHEMA public TO pg_monitor",
            "COMMENT ON SCHEMA public IS 'ours'",
        ),
    )
    assert [(step.op, step.hazard.name) for step in plan.steps if step.op == "revoke"] == [("revoke", "H3")] * 2


def test_settings_of_tables_and_columns(any_database: str) -> None:
    after = (
        "ALTER TABLE public.account ALTER COLUMN code SET STORAGE external, ALTER COLUMN amount SET STATISTICS 50",
        "ALTER TABLE public.account ALTER COLUMN created SET (n_distinct = 5)",
        "ALTER TABLE public.account ALTER COLUMN code SET COMPRESSION pglz",
        "ALTER TABLE public.entry REPLICA IDENTITY FULL",
        "CREATE TABLE public.child () INHERITS (public.account)",
    )
    plain = ("CREATE TABLE public.child (LIKE public.account INCLUDING ALL)",)
    migrate(any_database, (), after[:-1])
    clear_database(any_database)
    migrate(any_database, (*after[:-1], *plain), plain)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("CREATE DOMAIN public.d AS text", "CREATE DOMAIN public.d AS varchar(20)"),
        ("CREATE TYPE public.d AS (a text, b text)", "CREATE TYPE public.d AS (b text, a text)"),
    ],
)
def test_a_type_is_exchanged_under_its_columns(any_database: str, before: str, after: str) -> None:
    users = (
        "CREATE TABLE public.n (id bigint PRIMARY KEY, d public.d, many public.d[])",
        "CREATE VIEW public.d_view AS SELECT d FROM public.n",
        "CREATE FUNCTION public.d_function(x public.d) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    )
    migrate(any_database, (before, *users), (after, *users))


def test_functions_and_types_come_before_the_tables_that_use_them(any_database: str) -> None:
    after = (
        "CREATE DOMAIN public.short AS text CHECK (length(VALUE) < 9)",
        "CREATE TYPE public.pair AS (a integer, b public.short)",
        "CREATE FUNCTION public.fresh() RETURNS integer LANGUAGE sql AS 'SELECT 7'",
        "CREATE FUNCTION public.good(x text) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT x IS NOT NULL'",
        "CREATE SEQUENCE public.numbers",
        "CREATE TABLE public.user_of_all (a integer DEFAULT public.fresh(), b public.short, c public.pair, "
        "d bigint DEFAULT nextval('public.numbers'), CHECK (public.good(b)))",
        "CREATE INDEX user_good ON public.user_of_all (public.good(b))",
        "ALTER TABLE public.account ADD COLUMN fresh integer DEFAULT public.fresh(), ADD CHECK (public.good(code))",
        "CREATE FUNCTION public.rows() RETURNS SETOF public.user_of_all LANGUAGE sql BEGIN ATOMIC "
        "SELECT * FROM public.user_of_all; END",
    )
    migrate(any_database, (), after)


def test_undeclared_objects_are_listed_and_left(any_database: str) -> None:
    run(any_database, (*_BASE, *_VIEWS, "CREATE SEQUENCE public.s"))
    wanted = read(any_database).catalog
    bare = Catalog(schemas=wanted.schemas, tables=wanted.tables)
    left = changes_left(any_database, bare)
    assert left.changes == ()
    assert {"view public.rich", "materialized view public.codes", "sequence public.s"} <= set(left.unmanaged)


def test_five_hundred_views_in_a_chain(database: str) -> None:
    views = [f"CREATE VIEW public.v{i} AS SELECT id, code FROM public.v{i - 1}" for i in range(1, 500)]
    views.insert(0, "CREATE VIEW public.v0 AS SELECT id, code FROM public.account")
    run(database, (*_BASE, *views))
    wanted = read(database).catalog
    clear_database(database)
    run(database, _BASE)
    plan = plan_for(database, wanted)
    assert operations(plan) == ["create_view"] * 500
    assert list(create_statements(wanted))


@pytest.mark.parametrize(
    ("view", "operation"),
    [
        ("SELECT id, mail AS code FROM public.account WHERE mail <> ''", []),
        ("SELECT a.id, a.mail AS code FROM public.account a JOIN public.entry e ON e.account = a.id", []),
        ("SELECT id, mail FROM public.account WHERE mail <> ''", ["replace_view"]),
    ],
)
def test_a_view_stays_when_a_column_is_renamed(any_database: str, view: str, operation: list[str]) -> None:
    """The server follows the rename and shows the column under its old name; another name takes no more than ALTER."""
    before = view.replace("mail AS code", "code").replace("mail", "code")
    on_it = "CREATE VIEW public.above AS SELECT id FROM public.shown"
    run(any_database, (*_BASE, "ALTER TABLE public.account RENAME code TO mail", f"CREATE VIEW public.shown AS {view}"))
    run(any_database, (on_it,))
    wanted = read(any_database).catalog
    clear_database(any_database)
    run(any_database, (*_BASE, f"CREATE VIEW public.shown AS {before}", on_it))
    intent = Intent(renamed_columns={(QName("public", "account"), "mail"): "code"})
    plan = plan_for(any_database, wanted, intent)
    assert operations(plan) == ["rename_column", *operation]
    assert not any("DROP VIEW" in step.sql for step in plan.steps)
    carry_out(any_database, plan)
    assert changes_left(any_database, wanted).changes == ()


def test_a_range_type_is_exchanged_and_comes_and_goes(any_database: str) -> None:
    """With its multirange type and its constructors, which have its name."""
    users = (
        "CREATE TABLE public.n (id bigint PRIMARY KEY, d public.span, many public.span[], m public.span_multirange)",
        "INSERT INTO public.n SELECT i, public.span(i, i + 1), ARRAY[public.span(0, i)], "
        "public.span_multirange(public.span(i, i + 1)) FROM generate_series(1, 5) AS i",
        "CREATE VIEW public.d_view AS SELECT d FROM public.n",
    )
    narrow = "CREATE TYPE public.span AS RANGE (subtype = float8)"
    wide = "CREATE TYPE public.span AS RANGE (subtype = float8, subtype_diff = float8mi)"
    migrate(any_database, (narrow, *users), (wide, *users))
    assert count(any_database, "public.n WHERE d = public.span(id, id + 1)") == 5
    clear_database(any_database)
    migrate(any_database, (narrow,), (), adopt_all=True)
    plan = plan_for(any_database, Catalog(schemas=frozenset({"public"})))
    assert plan.waves == ()
    run(any_database, (narrow, "SELECT public.span_multirange(public.span(1, 2))"))


def test_statistics_may_be_called_like_their_table(database: str) -> None:
    """And wait for it: through a pulled schema, where all that is known comes from parsing."""
    after = ("CREATE TABLE public.n (a integer, b integer)", "CREATE STATISTICS public.n ON a, b FROM public.n")
    run(database, after)
    pulled = emit_schema(read(database).catalog)
    clear_database(database)
    wanted = compile_schema([Source("pulled.graphql", pulled)]).catalog
    carry_out(database, plan_for(database, wanted))
    assert changes_left(database, wanted).changes == ()
    (statistics,) = (item for item in wanted.objects.values() if item.kind == "statistics")
    assert Ref("table", "public.n") in statistics.depends_on
