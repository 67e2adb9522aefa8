"""Every spelling of a type against ``format_type()`` of real servers."""

from __future__ import annotations

import psycopg
import pytest

from wesley_tui.catalog.model import QName
from wesley_tui.catalog.types import InvalidType, SerialType, UnknownType, canonical_type

_USER_TYPES = {
    "mood": QName("public", "mood"),
    "Mood Swing": QName("public", "Mood Swing"),
    "order": QName("public", "order"),
    "positive": QName("app", "positive"),
    "pair": QName("app", "pair"),
}
_SETUP = (
    "CREATE SCHEMA app",
    "CREATE TYPE public.mood AS ENUM ('a')",
    "CREATE TYPE public.\"Mood Swing\" AS ENUM ('a')",
    "CREATE TYPE public.\"order\" AS ENUM ('a')",
    "CREATE DOMAIN app.positive AS integer CHECK (VALUE > 0)",
    "CREATE TYPE app.pair AS (a integer, b text)",
    "SET search_path = public, app",
)

SPELLINGS = (
    *("int", "INT", "int4", "integer", "Integer", "pg_catalog.int4", "int8", "bigint", "int2", "smallint", "  int  "),
    *("float", "float(1)", "float(24)", "float(25)", "float(53)", "float4", "float8", "real", "double precision"),
    *("numeric", "decimal", "dec", "numeric(10)", "numeric(10,2)", "decimal(10, 2)", "numeric(1000,1000)"),
    *("numeric(3,-2)", "numeric(3,5)", "money", "bool", "boolean", "text", "pg_catalog.text", '"text"'),
    *("varchar", "varchar(20)", "character varying", "character varying(20)", "VARCHAR ( 20 )", "char varying(3)"),
    *("char", "char(3)", "character", "character(3)", "bpchar", "bpchar(3)", '"char"', "nchar(3)", "national char(2)"),
    *("national character varying(3)", "pg_catalog.varchar(4)", "name"),
    *("bit", "bit(3)", "bit varying", "bit varying(3)", "varbit", "varbit(3)", '"bit"'),
    *("date", "time", "time(3)", "time with time zone", "time(2) with time zone", "timetz", "timetz(1)"),
    *("time without time zone", "timestamp", "timestamp(3)", "timestamp(6)", "timestamp without time zone"),
    *("timestamp(0) without time zone", "timestamptz", "timestamptz(3)", "timestamp with time zone"),
    *("TIMESTAMP(3) WITH TIME ZONE", "pg_catalog.timestamptz", "interval", "interval(3)", "interval year"),
    *("interval month", "interval day", "interval hour", "interval minute", "interval second"),
    *("interval second(3)", "interval year to month", "interval day to hour", "interval day to minute"),
    *("interval day to second", "interval day to second(2)", "interval hour to minute", "interval hour to second"),
    *("interval hour to second(1)", "interval minute to second", "interval minute to second(4)"),
    *("uuid", "json", "jsonb", "jsonpath", "xml", "bytea", "inet", "cidr", "macaddr", "macaddr8", "oid", "tid"),
    *("point", "line", "lseg", "box", "path", "polygon", "circle", "tsvector", "tsquery", "pg_lsn", "xid", "xid8"),
    *("cid", "txid_snapshot", "pg_snapshot", "refcursor", "regclass", "regproc", "regtype", "regrole", "regconfig"),
    *("int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange", "int4multirange", "nummultirange"),
    *("tsmultirange", "tstzmultirange", "datemultirange", "int8multirange", "int2vector", "oidvector", "aclitem"),
    *("int[]", "int[3]", "int[][]", "int[3][4]", "int array", "int array[4]", "varchar(20)[]", "numeric(10,2)[]"),
    *("timestamptz(3)[]", "char(3)[]", "_int4", "_text", "_varchar", "bit(3)[]", "interval year to month[]"),
    *("mood", "MOOD", '"mood"', "public.mood", 'public."mood"', "mood[]", '"Mood Swing"', 'public."Mood Swing"[]'),
    *('"order"', 'public."order"', "positive", "app.positive", "pair", "app.pair[]", "positive[]"),
    "int /* a comment */",
)


def test_spellings_come_out_as_the_server_prints_them(any_database: str) -> None:
    with psycopg.connect(any_database, autocommit=True) as connection:
        for statement in _SETUP:
            connection.execute(statement)
        columns = ", ".join(f"c{number} {spelling}" for number, spelling in enumerate(SPELLINGS))
        connection.execute(f"CREATE TABLE public.t ({columns})".encode())
        connection.execute("SET search_path = ''")
        rows = connection.execute(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = 'public.t'::regclass AND attnum > 0 ORDER BY attnum"
        ).fetchall()
    ours = {spelling: canonical_type(spelling, _USER_TYPES) for spelling in SPELLINGS}
    assert ours == {spelling: printed for spelling, (printed,) in zip(SPELLINGS, rows, strict=True)}
    assert {printed: canonical_type(printed, {}) for printed in ours.values()} == {p: p for p in ours.values()}


def test_every_builtin_type_of_the_server_is_known(any_database: str) -> None:
    with psycopg.connect(any_database, autocommit=True) as connection:
        connection.execute("SET search_path = ''")
        rows = connection.execute(
            "SELECT quote_ident(typname), format_type(oid, -1) FROM pg_type"
            " WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm') AND typcategory <> 'A'"
            # Types that only statistics hold.
            " AND typname NOT IN ('pg_ndistinct', 'pg_dependencies', 'pg_mcv_list', 'pg_brin_bloom_summary',"
            " 'pg_brin_minmax_multi_summary')"
        ).fetchall()
    assert {f"pg_catalog.{name}": canonical_type(f"pg_catalog.{name}", {}) for name, _ in rows} == {
        f"pg_catalog.{name}": printed for name, printed in rows
    }


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "int; DROP TABLE t", "int, text", "int NOT NULL", "int::text", 'int COLLATE "C"', "int AS x"),
        *("int FROM t", "SETOF int", "t.c%TYPE", "a.b.c", "varchar(0)", "varchar(10485761)", "varchar(1,2)"),
        *("numeric(0)", "numeric(1001)", "numeric(1,1001)", "float(54)", "text(3)", "uuid(1)", "varchar(x)", "1"),
        *("int\0", "anyelement", "record", "trigger", "void", "timestamp(-1)", "int UNION SELECT 1", "int) --"),
    ],
)
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(InvalidType):
        canonical_type(text, _USER_TYPES)


def test_unknown_types_and_serials_are_told_apart() -> None:
    with pytest.raises(UnknownType) as unknown:
        canonical_type("Mood_Swing", _USER_TYPES)
    assert unknown.value.name == "mood_swing"
    with pytest.raises(SerialType) as serial:
        canonical_type("BigSerial", _USER_TYPES)
    assert serial.value.integer_type == "bigint"
    with pytest.raises(UnknownType):
        canonical_type('"Mood"', _USER_TYPES)
    assert canonical_type("geometry(point, 4326)", {}) == "public.geometry(Point,4326)"
    assert canonical_type("gis.geography(POINTZ)[]", {}) == "gis.geography(PointZ)[]"
