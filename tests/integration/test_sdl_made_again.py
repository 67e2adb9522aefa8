"""A database is pulled, and what was pulled makes the same catalog on an empty one: what real applications have and
whole-catalog strategies do not draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import psycopg
import pytest

from tests.catalogs import clear_database, differences, read, run
from tests.planned import carry_out, plan_for
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
