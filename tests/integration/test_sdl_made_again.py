"""A database is pulled, and what was pulled makes the same catalog on an empty one: what real applications have and
whole-catalog strategies do not draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import psycopg
import pytest

from tests.catalogs import clear_database, differences, read, run
from tests.planned import carry_out, plan_for, take_back
from wesley_tui.catalog.model import Catalog
from wesley_tui.sdl.compile import compile_schema
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.sdl.emit import emit_schema


def made_again(database: str, statements: Iterable[str]) -> Catalog:
    """Make, pull, see that nothing is left to do; take it all away, apply what was pulled, and compare. The catalog."""
    run(database, list(statements))
    before = read(database).catalog
    text = emit_schema(before)
    compiled = compile_schema([Source("pulled.graphql", text)])
    assert not plan_for(database, compiled.catalog, compiled.intent, adopt_all=True).waves
    assert differences(before, compiled.catalog) == []
    clear_database(database)
    carry_out(database, plan_for(database, compiled.catalog, compiled.intent))
    after = read(database).catalog
    assert differences(before, after) == []
    assert emit_schema(after) == text
    assert not plan_for(database, compiled.catalog, compiled.intent, adopt_all=True).waves
    return before


@pytest.fixture
def roles(database: str) -> Iterator[None]:
    """Two roles that exist for the test only."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute('CREATE ROLE pulled_reader; CREATE ROLE "Pulled Writer"')
    yield
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute('DROP OWNED BY pulled_reader, "Pulled Writer"')
        connection.execute('DROP ROLE pulled_reader, "Pulled Writer"')


def test_policies_that_read_a_table_to_which_a_foreign_key_leads(database: str) -> None:
    made_again(
        database,
        [
            "CREATE TABLE public.tenants (id integer PRIMARY KEY, login text)",
            "CREATE TABLE public.accounts (id integer PRIMARY KEY, tenant integer REFERENCES public.tenants)",
            "CREATE POLICY own ON public.accounts USING"
            " (tenant = (SELECT t.id FROM public.tenants t WHERE t.login = CURRENT_USER))",
        ],
    )


@pytest.mark.usefixtures("roles")
def test_privileges_of_a_new_enum(database: str) -> None:
    made_again(
        database,
        [
            "CREATE TYPE public.mood AS ENUM ('sad', 'ok')",
            "REVOKE USAGE ON TYPE public.mood FROM PUBLIC",
            "GRANT USAGE ON TYPE public.mood TO pulled_reader",
        ],
    )


def test_exclusion_by_an_operator_of_the_users_own(database: str) -> None:
    made_again(
        database,
        [
            "CREATE OPERATOR public.=== (FUNCTION = box_same, LEFTARG = box, RIGHTARG = box,"
            " COMMUTATOR = OPERATOR(public.===))",
            "CREATE OPERATOR CLASS public.same_box FOR TYPE box USING gist AS OPERATOR 6 public.===,"
            " FUNCTION 1 gist_box_consistent(internal, box, smallint, oid, internal),"
            " FUNCTION 2 gist_box_union(internal, internal), FUNCTION 5 gist_box_penalty(internal, internal, internal),"
            " FUNCTION 6 gist_box_picksplit(internal, internal), FUNCTION 7 gist_box_same(box, box, internal)",
            "CREATE TABLE public.places (at box, EXCLUDE USING gist (at public.same_box WITH OPERATOR(public.===)))",
        ],
    )


_COUNTED = (
    "CREATE TABLE public.t (id integer GENERATED ALWAYS AS IDENTITY{identity}, a integer, b text,"
    " CONSTRAINT t_pkey PRIMARY KEY (id){stored}, CONSTRAINT t_a_key UNIQUE (a){stored},"
    " EXCLUDE USING btree (b WITH =){stored})",
    "CREATE INDEX t_expr ON public.t ((a + 1), lower(b))",
)


def _settings(identity: str = "", stored: str = "") -> list[str]:
    return [text.format(identity=identity, stored=stored) for text in _COUNTED]


PLAIN = _settings()
SET = [
    *_settings(
        identity=" (SEQUENCE NAME public.counter START 100 INCREMENT -5 MINVALUE -50 MAXVALUE 1000 CACHE 20 CYCLE)",
        stored=" WITH (fillfactor=60)",
    ),
    "ALTER INDEX public.t_expr ALTER COLUMN 2 SET STATISTICS 500",
    "ALTER TABLE public.t CLUSTER ON t_a_key",
]


def test_settings_of_identities_keys_and_indexes(any_database: str) -> None:
    catalog = made_again(any_database, SET)
    (table,) = catalog.tables.values()
    identity = table.columns[0]
    assert dict(identity.identity_options) == {
        "start": "100",
        "increment": "-5",
        "min": "-50",
        "max": "1000",
        "cache": "20",
        "cycle": "true",
    }
    assert identity.identity_sequence == ("public", "counter")
    assert table.clustered_on == "t_a_key"


@pytest.mark.parametrize(("before", "after"), [(PLAIN, SET), (SET, PLAIN)], ids=["set", "reset"])
def test_settings_are_changed_in_place(database: str, before: list[str], after: list[str]) -> None:
    run(database, after)
    wanted = read(database).catalog
    clear_database(database)
    run(database, [*before, "INSERT INTO public.t (a, b) VALUES (1, 'x')"])
    first = read(database).catalog
    plan = plan_for(database, wanted)
    carry_out(database, plan)
    # Who names no sequence takes the name that there is.
    assert [line for line in differences(wanted, read(database).catalog) if "identity_sequence" not in line] == []
    assert not plan_for(database, wanted).waves
    assert {step.op for step in plan.steps} == {
        *("set_identity_options", "set_index_options", "set_index_statistics", "set_clustering")
    }
    take_back(database, plan)
    run(database, ["INSERT INTO public.t (a, b) VALUES (2, 'y')"])
    assert differences(first, read(database).catalog) == []


def test_comments_of_not_null(database: str) -> None:
    made_again(
        database,
        [
            "CREATE TABLE public.t (a integer NOT NULL, b integer CONSTRAINT must NOT NULL)",
            "COMMENT ON CONSTRAINT must ON public.t IS 'named'",
            "COMMENT ON CONSTRAINT t_a_not_null ON public.t IS 'by default'",
        ],
    )


@pytest.mark.usefixtures("roles")
def test_a_closed_schema_public(database: str) -> None:
    made_again(
        database,
        [
            "REVOKE ALL ON SCHEMA public FROM PUBLIC",
            "GRANT USAGE ON SCHEMA public TO pulled_reader",
            "CREATE TABLE public.t (a integer)",
        ],
    )


@pytest.mark.usefixtures("roles")
@pytest.mark.parametrize("closed", [True, False])
def test_privileges_of_others_neither_open_nor_close_schema_public(database: str, closed: bool) -> None:
    state = "REVOKE ALL ON SCHEMA public FROM PUBLIC" if closed else "GRANT CREATE ON SCHEMA public TO PUBLIC"
    run(database, [state, "CREATE TABLE public.t (a integer)"])
    sdl = (
        'extend schema @grant(on: "schema public", to: ["pulled_reader"], privileges: ["USAGE"])'
        " type T @table { a: Int }"
    )
    compiled = compile_schema([Source("s.graphql", sdl)])
    plan = plan_for(database, compiled.catalog)
    assert [step.statements for step in plan.steps] == [("GRANT USAGE ON SCHEMA public TO pulled_reader",)]
    silent = compile_schema([Source("s.graphql", "type T @table { a: Int }")]).catalog
    for adopt_all in (False, True):
        plan = plan_for(database, silent, adopt_all=adopt_all)
        assert (plan.waves, plan.unmanaged) == ((), ())
    opened = sdl.replace('"pulled_reader"', '"public"')
    plan = plan_for(database, compile_schema([Source("s.graphql", opened)]).catalog)
    wanted = [("GRANT USAGE ON SCHEMA public TO PUBLIC",)] if closed else []
    assert [step.statements for step in plan.steps] == wanted


def test_settings_of_columns_of_materialized_views(database: str) -> None:
    made_again(
        database,
        [
            "CREATE MATERIALIZED VIEW public.m AS SELECT 'x'::text AS a, 1 AS b",
            "ALTER MATERIALIZED VIEW public.m ALTER COLUMN a SET STORAGE EXTERNAL",
            "ALTER MATERIALIZED VIEW public.m ALTER COLUMN a SET STATISTICS 44",
            "ALTER MATERIALIZED VIEW public.m ALTER COLUMN b SET (n_distinct = 5)",
        ],
    )


def test_tables_that_refer_to_each_other_are_purged_in_any_order(database: str) -> None:
    """A trigger's function makes the table that comes first by name wait for the others."""
    run(
        database,
        [
            "CREATE TABLE public.b (id integer PRIMARY KEY)",
            "CREATE TABLE public.a (id integer PRIMARY KEY, b integer REFERENCES public.b)",
            "ALTER TABLE public.b ADD COLUMN a integer REFERENCES public.a",
            "CREATE FUNCTION public.of_a(public.a) RETURNS integer LANGUAGE sql IMMUTABLE RETURN ($1).id",
            "CREATE TABLE public.c (v public.a, CHECK (public.of_a(v) > 0))",
            "CREATE VIEW public.v AS SELECT v FROM public.c",
        ],
    )
    empty = compile_schema([Source("s.graphql", 'extend schema @namespace(name: "public")')]).catalog
    carry_out(database, plan_for(database, empty, adopt_all=True, purge=True))
    assert not read(database).catalog.tables


def test_an_invalid_index_is_pulled_as_one_and_left_so(database: str) -> None:
    run(
        database,
        [
            "CREATE TABLE public.p (a integer, b integer) PARTITION BY LIST (a)",
            "CREATE TABLE public.p1 PARTITION OF public.p FOR VALUES IN (1)",
            "CREATE INDEX p_b ON ONLY public.p (b)",
        ],
    )
    text = emit_schema(read(database).catalog)
    pulled = compile_schema([Source("pulled.graphql", text)]).catalog
    assert not plan_for(database, pulled, adopt_all=True).waves
    wanted = compile_schema([Source("edited.graphql", text.replace("invalid: true", "invalid: false"))]).catalog
    plan = plan_for(database, wanted)
    assert plan.waves
    carry_out(database, plan)
    assert not plan_for(database, wanted, adopt_all=True).waves
    assert not plan_for(database, pulled, adopt_all=True).waves


def test_a_label_goes_with_what_speaks_of_it(database: str) -> None:
    made = [
        "CREATE TYPE public.state AS ENUM ({labels})",
        "CREATE TABLE public.jobs (id integer PRIMARY KEY, s public.state DEFAULT {default}, t text)",
        "ALTER TABLE public.jobs ADD CONSTRAINT known CHECK (s <> {default} OR t <> '')",
        "CREATE INDEX open_jobs ON public.jobs (id) WHERE s IN ({open})",
    ]
    old = {"labels": "'todo', 'doing', 'aborting'", "default": "'aborting'", "open": "'todo', 'aborting'"}
    new = {"labels": "'todo', 'doing'", "default": "'doing'", "open": "'todo', 'doing'"}
    run(database, [text.format(**new) for text in made])
    wanted = read(database).catalog
    clear_database(database)
    run(database, [*(text.format(**old) for text in made), "INSERT INTO public.jobs VALUES (1, 'todo', 'x')"])
    plan = plan_for(database, wanted)
    carry_out(database, plan)
    assert differences(wanted, read(database).catalog) == []
    assert not plan_for(database, wanted).waves
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT * FROM public.jobs").fetchall() == [(1, "todo", "x")]


def test_tables_whose_policies_read_each_other_are_purged(database: str) -> None:
    run(
        database,
        [
            "CREATE TABLE public.a (id integer PRIMARY KEY)",
            "CREATE TABLE public.b (id integer PRIMARY KEY)",
            "CREATE POLICY of_b ON public.a USING (EXISTS (SELECT FROM public.b WHERE b.id = a.id))",
            "CREATE POLICY of_a ON public.b USING (EXISTS (SELECT FROM public.a WHERE a.id = b.id))",
        ],
    )
    empty = compile_schema([Source("s.graphql", 'extend schema @namespace(name: "public")')]).catalog
    carry_out(database, plan_for(database, empty, adopt_all=True, purge=True))
    assert not read(database).catalog.tables


@pytest.mark.parametrize("purge", [False, True], ids=["retired", "purged"])
def test_a_key_of_a_table_that_goes_does_not_hinder_a_change_of_type(database: str, purge: bool) -> None:
    run(
        database,
        [
            "CREATE TABLE public.users (id text PRIMARY KEY)",
            "CREATE TABLE public.notes (id integer PRIMARY KEY, by text REFERENCES public.users)",
            "INSERT INTO public.users VALUES ('1')",
        ],
    )
    wanted = compile_schema([Source("s.graphql", 'type User @table(name: "users") { id: Int! @pk }')]).catalog
    carry_out(database, plan_for(database, wanted, adopt_all=True, purge=purge))
    assert not plan_for(database, wanted, adopt_all=True).waves
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT * FROM public.users").fetchall() == [(1,)]
