"""What a person writes and what PostgreSQL prints mean the same, and different things stay different.

Every expression is given to a real server, read back as introspection reads it, and compared with what was written.
The negative pairs are given to the server too, so that each is known to be two different things to PostgreSQL and not
two spellings that the test's author thought different.
"""

from __future__ import annotations

import psycopg
import pytest

from wesley_tui.catalog.expression import same_default, same_expression

_COLUMNS = {
    "id": "integer",
    "big": "bigint",
    "small": "smallint",
    "n": "numeric(10,2)",
    "f": "double precision",
    "r": "real",
    "v": "character varying(20)",
    "w": "character varying(20)",
    "x": "text",
    "c": "character(3)",
    "d": "date",
    "ts": "timestamp without time zone",
    "tz": "timestamp with time zone",
    "iv": "interval",
    "j": "jsonb",
    "tags": "text[]",
    "vs": "character varying[]",
    "ints": "integer[]",
    "u": "uuid",
    "m": "public.mood",
    "ok": "boolean",
    "ip": "inet",
    "net": "cidr",
    "data": "bytea",
    "span": "int4range",
    '"Mixed Case"': "integer",
    '"order"': "integer",
}

_SETUP = (
    "CREATE TYPE public.mood AS ENUM ('happy', 'sad', 'it''s')",
    "CREATE SEQUENCE public.counter",
    "CREATE FUNCTION public.half(integer) RETURNS integer LANGUAGE sql IMMUTABLE RETURN $1 / 2",
    "CREATE TABLE public.members (doc integer, person text, role character varying(10))",
    f"CREATE TABLE public.t ({', '.join(f'{name} {type_}' for name, type_ in _COLUMNS.items())})",
)
_READING = ("SET search_path = ''", "SET TimeZone = 'UTC'", "SET IntervalStyle = 'postgres'")

CONDITIONS = (
    "id > 0",
    "(id) > (0)",
    "((id > 0))",
    "ID > 0",
    "t.id > 0",
    "public.t.id > 0",
    "id > -1",
    "id > - 1",
    "n > 0",
    "n >= 0.5",
    "n > -0.5",
    "n > .5",
    "n BETWEEN 0 AND 100",
    "f > 0",
    "f > 0.5",
    "f BETWEEN 0.0 AND 1.0",
    "r >= 0",
    "big > 0",
    "big < 9999999999",
    "small BETWEEN 1 AND 5",
    "id NOT BETWEEN 1 AND 5",
    "id BETWEEN SYMMETRIC 5 AND 1",
    "id > 0.5",
    "id != 3",
    "id <> 3",
    "id % 2 = 0",
    "id * 2 + 1 < 100",
    "id + n > 0",
    "n / 2 > 0.25",
    "v = 'a'",
    "v <> ''",
    "v != 'a' OR v IS NULL",
    "v IN ('a', 'b', 'c')",
    "v IN ('a')",
    "v NOT IN ('a', 'b')",
    "v = ANY (ARRAY['a', 'b'])",
    "v::text = ANY (ARRAY['a'::varchar, 'b'::varchar]::text[])",
    "v = ANY ('{a,b}')",
    "x IN ('a', 'b')",
    "x NOT IN ('a')",
    "x = 'it''s'",
    "x = E'tab\\t'",
    "x IN ('a', v)",
    "x NOT IN ('a', 'b', v, w)",
    "c = 'abc'",
    "c IN ('abc', 'def')",
    "id IN (1, 2, 3)",
    "n IN (1, 2.5)",
    "big IN (1, 2)",
    "m = 'happy'",
    "m = 'happy'::mood",
    "m = 'happy'::public.mood",
    "m IN ('happy', 'sad')",
    "m <> 'it''s'",
    "x LIKE 'a%'",
    "v LIKE 'a%'",
    "v NOT LIKE '%b'",
    "v ILIKE 'a%'",
    "v NOT ILIKE 'a%'",
    "v LIKE 'a!%' ESCAPE '!'",
    "v SIMILAR TO '(a|b)%'",
    "v ~ '^[a-z]+$'",
    "x ~* '^[^@]+@[^@]+\\.[a-z]+$'",
    "length(v) > 3",
    "char_length(x) <= 255",
    "length(trim(x)) > 0",
    "trim(both ' ' from v) <> ''",
    "lower(v) = v",
    "lower(v) = lower(w)",
    "upper(substring(x from 1 for 1)) = 'A'",
    "position('@' in v) > 1",
    "v || w <> 'ab'",
    "x || v = 'a'",
    "coalesce(v, '') <> ''",
    "COALESCE(x, v, 'z') <> 'a'",
    "nullif(v, '') IS NOT NULL",
    "greatest(id, 5) > least(big, 3)",
    "ok",
    "NOT ok",
    "ok = true",
    "ok IS TRUE",
    "ok IS NOT FALSE",
    "ok = 't'",
    "x IS NULL",
    "x IS NOT NULL AND v IS NULL",
    "(x IS NULL) = (v IS NULL)",
    "x IS DISTINCT FROM v",
    "x IS NOT DISTINCT FROM v",
    "x IS DISTINCT FROM NULL",
    "id > 0 AND big > 0 AND small > 0",
    "id > 0 AND (big > 0 AND small > 0)",
    "(id > 0 AND big > 0) OR small > 0",
    "id > 0 OR (big > 0 OR small > 0)",
    "NOT (id > 0 AND big > 0)",
    "id > 0 and Big > 0",
    "d > '2020-01-01'",
    "d > date '2020-1-1'",
    "d >= '2020-01-01'::date AND d < '2021-01-01'::date",
    "ts > '2020-01-01 10:00'",
    "tz > '2020-01-01'",
    "tz > '2020-01-01 00:00:00+00'",
    "tz > timestamptz '2020-01-01T00:00:00Z'",
    "tz > ts AT TIME ZONE 'UTC'",
    "tz > now() - interval '1 day'",
    "tz < now() + '30 days'",
    "tz < CURRENT_TIMESTAMP + interval '24 hours'",
    "tz < current_timestamp(3)",
    "tz < now() + interval '1 week 2 hours 30 minutes'",
    "d <= CURRENT_DATE",
    "d <= now()::date",
    "iv > '1 month'",
    "iv >= interval '90 seconds'",
    "iv < interval '1 year 2 months'",
    "extract(year from d) > 2000",
    "EXTRACT(epoch FROM tz) > 0",
    "date_part('year', d) > 2000",
    "date_trunc('day', tz) = tz",
    "date_trunc('month', d) = d",
    "j ->> 'kind' = 'a'",
    "(j -> 'a' ->> 'b')::int > 3",
    "j @> '{\"a\":1}'",
    "j ? 'a'",
    "jsonb_typeof(j) = 'object'",
    "j #>> '{a,b}' = 'x'",
    "j['a'] = '1'",
    "cardinality(tags) > 0",
    "array_length(tags, 1) <= 10",
    "array_position(tags, NULL) IS NULL",
    "tags <@ ARRAY['a', 'b']",
    "tags @> '{a}'",
    "tags <> '{}'",
    "tags = ARRAY[]::text[]",
    "vs @> ARRAY['a']::varchar[]",
    "vs && ARRAY['a', 'b']::varchar[]",
    "ints @> ARRAY[1, 2]",
    "ints[1] > 0",
    "id = ANY (ints)",
    "'a' = ALL (tags)",
    "u <> '00000000-0000-0000-0000-000000000000'",
    "u = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid",
    "ip << '10.0.0.0/8'",
    "net << ip",
    "data <> ''",
    "span && int4range(1, 10)",
    "lower(span) > 0",
    "CASE WHEN ok THEN id > 0 ELSE id < 0 END",
    "CASE WHEN ok THEN 1 END = 1",
    "CASE v WHEN 'a' THEN 1 WHEN 'b' THEN 2 ELSE 0 END > 0",
    "CASE WHEN id > 0 THEN NULL ELSE 1 END IS NULL",
    "num_nonnulls(id, x) = 1",
    "num_nonnulls(id, v, n) >= 1",
    "half(id) > 1",
    "public.half(id) > 1",
    "pg_catalog.length(x) > 1",
    "x COLLATE \"C\" > 'a'",
    "id::text = '5'",
    "n::integer = 5",
    "tz::date = '2020-01-01'",
    "cast(x as integer) > 0",
    "x::numeric(10,2) > 0",
    "x::varchar(3) = 'abc'",
    "v::text <> 'a'",
    "x::text <> 'a'",
    "round(n, 1) = n",
    "round(f) = f",
    "sqrt(id) > 1",
    "power(id, 2) < 100",
    "abs(small) < 10",
    "floor(n) = n",
    '"Mixed Case" > 0',
    '"order" > 0',
    "ROW(id, x) IS NOT NULL",
    "make_interval(days => 3) > iv",
    "-id < 0",
    "@ id > 0",
    "id & 1 = 0",
    "(id >> 2) > 0",
    "starts_with(x, 'a')",
    "regexp_replace(v, '[^0-9]', '', 'g') <> ''",
    "to_tsvector('english', x) @@ to_tsquery('english', 'a')",
    "concat(x, v) <> ''",
    "md5(v) = x",
    "overlay(x placing 'a' from 1 for 1) <> x",
    "encode(data, 'hex') <> ''",
)

POLICY_CONDITIONS = (
    "x = current_user",
    "x = CURRENT_ROLE",
    "x = session_user",
    "v = current_setting('app.tenant', true)",
    "u = current_setting('app.tenant')::uuid",
    "u = (select current_setting('app.tenant', true))::uuid",
    "u = nullif(current_setting('app.tenant', true), '')::uuid",
    "EXISTS (SELECT 1 FROM members WHERE members.doc = t.id)",
    "exists (select * from members m where m.doc = t.id and m.person = current_user)",
    "EXISTS (SELECT 1 FROM public.members AS m WHERE m.doc = t.id AND m.role IN ('owner', 'editor'))",
    "id IN (SELECT doc FROM members WHERE person = current_user)",
    "id = ANY (SELECT m.doc FROM members m WHERE m.person = current_user)",
    "id NOT IN (SELECT doc FROM public.members)",
    "id > (SELECT max(doc) FROM members)",
    "id > ALL (SELECT doc FROM members)",
    "id IN (SELECT m.doc FROM members m JOIN members o ON o.doc = m.doc WHERE o.role = 'a')",
    "true",
    "pg_has_role(current_user, 'pg_monitor', 'member')",
    "x = (SELECT current_user)",
)

DEFAULTS = (
    ("integer", "0"),
    ("integer", "-1"),
    ("integer", "'5'"),
    ("integer", "(1 + 2)"),
    ("integer", "nextval('public.counter')"),
    ("integer", "nextval('public.counter'::regclass)"),
    ("integer", "nextval('counter')"),
    ("bigint", "0"),
    ("bigint", "9999999999"),
    ("bigint", "-5"),
    ("smallint", "1"),
    ("numeric(10,2)", "0"),
    ("numeric(10,2)", "0.00"),
    ("numeric(10,2)", "-1.5"),
    ("numeric", "1e3"),
    ("double precision", "0"),
    ("double precision", "0.5"),
    ("double precision", "-0.5"),
    ("real", "1.5"),
    ("boolean", "true"),
    ("boolean", "FALSE"),
    ("boolean", "'t'"),
    ("boolean", "'no'"),
    ("text", "''"),
    ("text", "'a'"),
    ("text", "'a'::text"),
    ("text", "'it''s'"),
    ("text", "upper('x')"),
    ("text", "current_user"),
    ("text", "md5(random()::text)"),
    ("text", "'a' || 'b'"),
    ("character varying(20)", "'draft'"),
    ("character varying(20)", "'draft'::varchar"),
    ("character varying(20)", "'draft'::text"),
    ("character varying", "NULL"),
    ("character varying(20)", "NULL::character varying"),
    ("character(3)", "'abc'"),
    ("public.mood", "'happy'"),
    ("public.mood", "'happy'::mood"),
    ("public.mood", "'it''s'::public.mood"),
    ("public.mood[]", "'{}'"),
    ("public.mood[]", "ARRAY['happy']::mood[]"),
    ("text[]", "'{}'"),
    ("text[]", "'{}'::text[]"),
    ("text[]", "ARRAY[]::text[]"),
    ("text[]", "'{a, b}'"),
    ("text[]", "ARRAY['a', 'b']"),
    ("integer[]", "'{1,2}'"),
    ("integer[]", "ARRAY[1, 2]"),
    ("jsonb", "'{}'"),
    ("jsonb", "'[]'::jsonb"),
    ("jsonb", '\'{"a":1, "b": [1,2]}\''),
    ("json", "'{\"a\":1}'"),
    ("jsonb", "jsonb_build_object('a', 1)"),
    ("uuid", "gen_random_uuid()"),
    ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"),
    ("timestamp with time zone", "now()"),
    ("timestamp with time zone", "CURRENT_TIMESTAMP"),
    ("timestamp with time zone", "now()::timestamptz"),
    ("timestamp with time zone", "now() + interval '7 days'"),
    ("timestamp with time zone", "now() + '1 hour'"),
    ("timestamp with time zone", "transaction_timestamp()"),
    ("timestamp with time zone", "clock_timestamp()"),
    ("timestamp with time zone", "'infinity'"),
    ("timestamp with time zone", "'2020-01-01 00:00:00Z'"),
    ("timestamp without time zone", "now()"),
    ("timestamp without time zone", "(now() AT TIME ZONE 'utc')"),
    ("timestamp without time zone", "timezone('utc', now())"),
    ("timestamp without time zone", "LOCALTIMESTAMP"),
    ("timestamp without time zone", "'2020-01-01 00:00:00'"),
    ("date", "CURRENT_DATE"),
    ("date", "now()::date"),
    ("date", "now()"),
    ("date", "'2020-1-5'"),
    ("time without time zone", "CURRENT_TIME"),
    ("interval", "'1 day'"),
    ("interval", "interval '36 hours'"),
    ("interval", "'90 minutes'::interval"),
    ("interval", "'1 year 3 mons'"),
    ("inet", "'127.0.0.1'"),
    ("bytea", "'\\x00'"),
    ("int4range", "'[1,10)'"),
    ("point", "point(0, 0)"),
)

DIFFERENT_CONDITIONS = (
    ("id > 0", "id >= 0"),
    ("id > 0", "id > 1"),
    ("id > 0", "big > 0"),
    ("id > 1", "id > -1"),
    ("v = 'a'", "v = 'A'"),
    ("v IN ('a', 'b')", "v IN ('a', 'c')"),
    ("v IN ('a', 'b')", "v IN ('b')"),
    ("v IN ('a', 'b')", "v NOT IN ('a', 'b')"),
    ("x = ANY ('{a,b}')", "x = ALL ('{a,b}')"),
    ("tz > '2020-01-01'", "tz::date > '2020-01-01'"),
    ("tz > ts", "tz > ts AT TIME ZONE 'UTC'"),
    ("n > 5", "n::integer > 5"),
    ("n = 5", "n::text = '5'"),
    ("id / small > 0.5", "id::numeric / small::numeric > 0.5"),
    ("n > 1.5", "n > 1.5::integer"),
    ("x LIKE 'a%'", "x ILIKE 'a%'"),
    ("x LIKE 'a%'", "x NOT LIKE 'a%'"),
    ("x ~ 'a'", "x ~* 'a'"),
    ("x IS NULL", "x IS NOT NULL"),
    ("ok", "NOT ok"),
    ("ok IS TRUE", "ok IS NOT FALSE"),
    ("ok = true", "ok = false"),
    ("id > 0 AND big > 0", "id > 0 OR big > 0"),
    ("(id > 0 AND big > 0) OR small > 0", "id > 0 AND (big > 0 OR small > 0)"),
    ("id BETWEEN 1 AND 5", "id > 1 AND id < 5"),
    ("id BETWEEN 1 AND 5", "id NOT BETWEEN 1 AND 5"),
    ("x IS DISTINCT FROM v", "x <> v"),
    ("lower(x) = 'a'", "upper(x) = 'a'"),
    ("x || v = 'a'", "v || x = 'a'"),
    ("coalesce(x, 'a') = 'b'", "coalesce(x, 'b') = 'b'"),
    ("tz < now() + interval '1 day'", "tz < now() + interval '1 month'"),
    ("tz < now() + interval '1 day'", "tz < now() + interval '24 hours'"),
    ("tz < now()", "tz < clock_timestamp()"),
    ("j ->> 'a' = 'b'", "j -> 'a' = '\"b\"'"),
    ("j @> '{\"a\":1}'", "j @> '{\"a\":2}'"),
    ("x COLLATE \"C\" > 'a'", "x > 'a'"),
    ("x::varchar(3) = 'abc'", "x::varchar(2) = 'abc'"),
    ("m = 'happy'", "m = 'sad'"),
    ("m = 'happy'", "m::text = 'happy'"),
    ("half(id) > 1", "abs(id) > 1"),
    ("tags = '{}'", "tags = '{a}'"),
    ("CASE WHEN ok THEN 1 ELSE 2 END = 1", "CASE WHEN ok THEN 2 ELSE 1 END = 1"),
    ("id::text = '5'", "id = '5'"),
    ('"Mixed Case" > 0', '"order" > 0'),
    ("x = 't'", "x = 'true'"),
    ("date_trunc('day', ts) = ts", "date_trunc('day', ts::timestamptz) = ts"),
)

DIFFERENT_POLICIES = (
    (
        "EXISTS (SELECT 1 FROM members m WHERE m.doc = t.id)",
        "EXISTS (SELECT 1 FROM members m WHERE m.doc = m.doc)",
    ),
    ("EXISTS (SELECT 1 FROM members m WHERE m.doc = t.id)", "EXISTS (SELECT 1 FROM t m WHERE m.id = t.id)"),
    ("EXISTS (SELECT 1 FROM members)", "NOT EXISTS (SELECT 1 FROM members)"),
    ("EXISTS (SELECT 1 FROM members)", "EXISTS (SELECT count(*) FROM members)"),
    ("id IN (SELECT doc FROM members)", "id NOT IN (SELECT doc FROM members)"),
    ("x = current_user", "x = session_user"),
    ("id > (SELECT max(doc) FROM members)", "id > (SELECT min(doc) FROM members)"),
    ("true", "false"),
)


@pytest.fixture
def printing(any_database: str) -> psycopg.Connection[tuple[str, ...]]:
    connection = psycopg.connect(any_database, autocommit=True)
    for statement in _SETUP:
        connection.execute(statement)
    return connection


def _printed_checks(connection: psycopg.Connection[tuple[str, ...]], conditions: list[str]) -> list[str]:
    connection.execute("RESET search_path")
    for number, condition in enumerate(conditions):
        connection.execute(f"ALTER TABLE public.t ADD CONSTRAINT k{number} CHECK ({condition})".encode())
    return _read(
        connection, "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = 'k%s'", conditions
    )


def _printed_policies(connection: psycopg.Connection[tuple[str, ...]], conditions: list[str]) -> list[str]:
    connection.execute("RESET search_path")
    for number, condition in enumerate(conditions):
        connection.execute(f"CREATE POLICY p{number} ON public.t USING ({condition})".encode())
    return _read(connection, "SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polname = 'p%s'", conditions)


def _read(connection: psycopg.Connection[tuple[str, ...]], query: str, conditions: list[str]) -> list[str]:
    for setting in _READING:
        connection.execute(setting.encode())
    found = []
    for number in range(len(conditions)):
        row = connection.execute((query % number).encode()).fetchone()
        assert row is not None
        found.append(row[0])
    return found


def test_a_check_is_the_same_after_the_server_has_stored_it(printing: psycopg.Connection[tuple[str, ...]]) -> None:
    types = {name.strip('"'): type_ for name, type_ in _COLUMNS.items()}
    with printing:
        printed = _printed_checks(printing, list(CONDITIONS))
    wrong = [
        (written, found)
        for written, found in zip(CONDITIONS, printed, strict=True)
        if not same_expression(written, found, types) or not same_expression(found, written, types)
    ]
    assert wrong == []


def test_without_the_types_of_columns_nothing_written_looks_changed(
    printing: psycopg.Connection[tuple[str, ...]],
) -> None:
    with printing:
        printed = _printed_checks(printing, list(CONDITIONS))
    changed = [
        written for written, found in zip(CONDITIONS, printed, strict=True) if not same_expression(written, found)
    ]
    assert changed == ["date_trunc('month', d) = d"]  # only a date is cast to timestamptz; a timestamp must not be


def test_a_policy_is_the_same_after_the_server_has_stored_it(printing: psycopg.Connection[tuple[str, ...]]) -> None:
    types = {name.strip('"'): type_ for name, type_ in _COLUMNS.items()}
    with printing:
        printed = _printed_policies(printing, list(POLICY_CONDITIONS))
    wrong = [
        (written, found)
        for written, found in zip(POLICY_CONDITIONS, printed, strict=True)
        if not same_expression(written, found, types) or not same_expression(written, found)
    ]
    assert wrong == []


def test_a_default_is_the_same_after_the_server_has_stored_it(printing: psycopg.Connection[tuple[str, ...]]) -> None:
    columns = ", ".join(f"c{number} {type_} DEFAULT {text}" for number, (type_, text) in enumerate(DEFAULTS))
    with printing:
        printing.execute(f"CREATE TABLE public.defaults ({columns})".encode())
        for setting in _READING:
            printing.execute(setting.encode())
        rows = printing.execute(
            "SELECT pg_get_expr(d.adbin, 0) FROM pg_attribute a"
            " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
            " WHERE a.attrelid = 'public.defaults'::regclass AND a.attnum > 0 ORDER BY a.attnum"
        ).fetchall()
    wrong = [
        (type_, written, found)
        for (type_, written), (found,) in zip(DEFAULTS, rows, strict=True)
        if not same_default(written, found, type_)
    ]
    assert wrong == []


def test_conditions_that_differ_stay_different(printing: psycopg.Connection[tuple[str, ...]]) -> None:
    types = {name.strip('"'): type_ for name, type_ in _COLUMNS.items()}
    with printing:
        printed = _printed_checks(printing, [side for pair in DIFFERENT_CONDITIONS for side in pair])
    confused = []
    for (a, b), printed_a, printed_b in zip(DIFFERENT_CONDITIONS, printed[::2], printed[1::2], strict=True):
        assert printed_a != printed_b
        confused += [
            (one, other)
            for one, other in ((printed_a, printed_b), (a, b), (a, printed_b), (printed_a, b))
            if same_expression(one, other, types) or same_expression(other, one, types)
        ]
    assert confused == []


def test_policies_that_differ_stay_different(printing: psycopg.Connection[tuple[str, ...]]) -> None:
    with printing:
        printed = _printed_policies(printing, [side for pair in DIFFERENT_POLICIES for side in pair])
    confused = []
    for (a, b), printed_a, printed_b in zip(DIFFERENT_POLICIES, printed[::2], printed[1::2], strict=True):
        confused += [
            (one, other)
            for one, other in ((printed_a, printed_b), (a, b), (a, printed_b), (printed_a, b))
            if same_expression(one, other)
        ]
    assert confused == []
