"""What expressions, indexes and columns lean on: read, written as SDL, and made again on an empty database."""

from __future__ import annotations

from tests.catalogs import differences, read, run
from tests.planned import carry_out, changes_left, plan_for
from wesley_tui.catalog.model import Ref
from wesley_tui.catalog.statement import same_statement
from wesley_tui.sdl.compile import compile_schema
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.sdl.emit import emit_schema

_FUNCTIONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "="}

STATEMENTS = (
    'CREATE COLLATION public.bytes FROM "C"',
    "COMMENT ON COLLATION public.bytes IS 'by bytes'",
    "CREATE TEXT SEARCH DICTIONARY public.plain (TEMPLATE = simple, stopwords = english, accept = false)",
    'CREATE TEXT SEARCH CONFIGURATION public.notes (PARSER = "default")',
    "ALTER TEXT SEARCH CONFIGURATION public.notes ADD MAPPING FOR asciiword, word WITH public.plain, english_stem",
    "CREATE TYPE public.complex AS (r double precision, i double precision)",
    *(
        f"CREATE FUNCTION public.c_{name}(public.complex, public.complex) RETURNS boolean LANGUAGE sql IMMUTABLE "
        f"RETURN ($1).r {sign} ($2).r"
        for name, sign in _FUNCTIONS.items()
    ),
    "CREATE FUNCTION public.c_cmp(public.complex, public.complex) RETURNS integer LANGUAGE sql IMMUTABLE RETURN 0",
    "CREATE FUNCTION public.c_text(public.complex) RETURNS text LANGUAGE sql IMMUTABLE RETURN ($1).r",
    "CREATE OPERATOR public.<~ (FUNCTION = public.c_lt, LEFTARG = public.complex, RIGHTARG = public.complex,"
    " COMMUTATOR = OPERATOR(public.~>), RESTRICT = scalarltsel)",
    "CREATE OPERATOR public.~> (FUNCTION = public.c_gt, LEFTARG = public.complex, RIGHTARG = public.complex)",
    "CREATE OPERATOR public.<~= (FUNCTION = public.c_le, LEFTARG = public.complex, RIGHTARG = public.complex)",
    "CREATE OPERATOR public.~>= (FUNCTION = public.c_ge, LEFTARG = public.complex, RIGHTARG = public.complex)",
    "CREATE OPERATOR public.~= (FUNCTION = public.c_eq, LEFTARG = public.complex, RIGHTARG = public.complex,"
    " COMMUTATOR = OPERATOR(public.~=), HASHES, MERGES)",
    "CREATE OPERATOR public.@#@ (FUNCTION = int8um, RIGHTARG = bigint)",
    "COMMENT ON OPERATOR public.@#@ (NONE, bigint) IS 'minus'",
    "CREATE OPERATOR CLASS public.by_real DEFAULT FOR TYPE public.complex USING btree AS OPERATOR 1 public.<~,"
    " OPERATOR 2 public.<~=, OPERATOR 3 public.~=, OPERATOR 4 public.~>=, OPERATOR 5 public.~>,"
    " FUNCTION 1 public.c_cmp(public.complex, public.complex)",
    "CREATE OPERATOR FAMILY public.numbers USING btree",
    "ALTER OPERATOR FAMILY public.numbers USING btree ADD OPERATOR 1 <(int4, int8)",
    "CREATE CAST (public.complex AS text) WITH FUNCTION public.c_text(public.complex) AS ASSIGNMENT",
    "COMMENT ON CAST (public.complex AS text) IS 'its real part'",
    "CREATE FOREIGN DATA WRAPPER files",
    "CREATE SERVER \"Far away\" TYPE 'x' FOREIGN DATA WRAPPER files OPTIONS (host 'it''s')",
    "CREATE FOREIGN TABLE public.remote (id integer OPTIONS (field 'ID') NOT NULL, body text DEFAULT 'x' COLLATE \"C\","
    " CONSTRAINT positive CHECK (id > 0)) SERVER \"Far away\" OPTIONS (path '/tmp')",
    "COMMENT ON COLUMN public.remote.id IS 'key'",
    "GRANT SELECT ON public.remote TO PUBLIC",
    'GRANT USAGE ON FOREIGN SERVER "Far away" TO PUBLIC',
    "CREATE TABLE public.t (id integer PRIMARY KEY, name text COLLATE public.bytes, c public.complex,"
    " words tsvector GENERATED ALWAYS AS (to_tsvector('public.notes', 'x')) STORED,"
    " EXCLUDE (c WITH OPERATOR(public.~=)))",
    "CREATE INDEX t_c_idx ON public.t (c public.by_real)",
    "CREATE VIEW public.v AS SELECT c OPERATOR(public.<~) c AS less, c::text AS shown, r.body FROM public.t,"
    " public.remote r",
)


def test_they_are_read_written_and_made_again(any_database: str) -> None:
    run(any_database, STATEMENTS)
    catalog = read(any_database).catalog
    kinds = {ref.kind for ref in catalog.objects}
    assert {"collation", "operator", "operator class", "operator family", "cast", "server", "foreign table"} <= kinds
    assert not catalog.unmanaged
    text = emit_schema(catalog)
    compiled = compile_schema([Source("pulled.graphql", text)])
    assert not differences(catalog, compiled.catalog)
    assert not changes_left(any_database, compiled.catalog, adopt_all=True).changes

    # Everything goes, in the order in which it stands on each other, and comes back.
    empty = compile_schema([Source("empty.graphql", 'extend schema @namespace(name: "public")')]).catalog
    carry_out(any_database, plan_for(any_database, empty, adopt_all=True, purge=True))
    assert not read(any_database).catalog.objects
    carry_out(any_database, plan_for(any_database, compiled.catalog))
    again = read(any_database).catalog
    assert not differences(catalog, again)
    assert emit_schema(again) == text


def test_what_a_view_leans_on_is_known_on_both_sides(database: str) -> None:
    run(database, STATEMENTS)
    catalog = read(database).catalog
    compiled = compile_schema([Source("pulled.graphql", emit_schema(catalog))]).catalog
    wanted = Ref("operator", "public.<~(public.complex, public.complex)")
    for side in (catalog, compiled):
        assert wanted in side.objects[Ref("view", "public.v")].depends_on
        assert Ref("server", "Far away") in side.objects[Ref("foreign table", "public.remote")].depends_on


def test_spellings_of_definitions() -> None:
    assert same_statement(
        "CREATE OPERATOR === (PROCEDURE = f, LEFTARG = point, RIGHTARG = point)",
        "CREATE OPERATOR public.=== (LEFTARG = point, RIGHTARG = point, FUNCTION = public.f)",
    )
    assert same_statement(
        "CREATE COLLATION c (provider = libc, locale = 'C')", "CREATE COLLATION public.c (LOCALE = 'C')"
    )
    assert same_statement(
        "CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = simple, accept = false)",
        "CREATE TEXT SEARCH DICTIONARY public.d (accept = 'false', template = pg_catalog.simple)",
    )
    assert not same_statement(
        "CREATE COLLATION c (provider = icu, locale = 'de')", "CREATE COLLATION c (provider = icu, locale = 'en')"
    )
    assert same_statement(
        "ALTER TEXT SEARCH CONFIGURATION c ADD MAPPING FOR word, asciiword WITH d, english_stem",
        "ALTER TEXT SEARCH CONFIGURATION public.c ADD MAPPING FOR asciiword, word"
        " WITH public.d, pg_catalog.english_stem",
    )
    assert not same_statement(
        "ALTER TEXT SEARCH CONFIGURATION c ADD MAPPING FOR word WITH d, english_stem",
        "ALTER TEXT SEARCH CONFIGURATION c ADD MAPPING FOR word WITH english_stem, d",
    )
