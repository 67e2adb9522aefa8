"""Databases whose parts lean on each other in ways that plans easily order wrongly: each becomes the other and back."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import pytest

from tests.catalogs import clear_database, differences, read, run
from tests.conftest import fresh_database
from tests.law import converge, made
from tests.planned import carry_out, plan_for, take_back
from wesley_tui.demo.server import EmbeddedServer

_SLOW = os.environ.get("WESLEY_SLOW") == "1"


def _referring(table: str, target: str) -> str:
    key = f"CONSTRAINT f FOREIGN KEY (r) REFERENCES public.{target}"
    return f"CREATE TABLE public.{table} (id bigint PRIMARY KEY, r bigint, {key})"


_CASES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "a materialized view reads a table, then a view of the same name": (
        (
            "CREATE TABLE public.t (id bigint PRIMARY KEY, a text)",
            "CREATE MATERIALIZED VIEW public.m AS SELECT id FROM public.t",
        ),
        (
            "CREATE TABLE public.s (id bigint PRIMARY KEY, a text)",
            "CREATE VIEW public.t AS SELECT id FROM public.s",
            "CREATE MATERIALIZED VIEW public.m AS SELECT id, id + 1 AS next FROM public.t",
        ),
    ),
    "a view groups by a primary key that moves to another column": (
        (
            "CREATE TABLE public.t (id bigint NOT NULL, a bigint NOT NULL, b text, CONSTRAINT t_pkey PRIMARY KEY (id))",
            "CREATE MATERIALIZED VIEW public.m AS SELECT id, b FROM public.t GROUP BY id",
        ),
        (
            "CREATE TABLE public.t (id bigint NOT NULL, a bigint NOT NULL, b text, CONSTRAINT t_pkey PRIMARY KEY (a))",
            "CREATE MATERIALIZED VIEW public.m AS SELECT a, b FROM public.t GROUP BY a",
        ),
    ),
    "an index takes the name of a table that goes": (
        ("CREATE TABLE public.t (id bigint PRIMARY KEY)", "CREATE TABLE public.i (id bigint)"),
        ("CREATE TABLE public.t (id bigint, CONSTRAINT i PRIMARY KEY (id))",),
    ),
    "a foreign key moves to a new table of the same key": (
        (
            "CREATE TABLE public.a (id bigint, CONSTRAINT k UNIQUE (id))",
            _referring("c", "a (id)"),
        ),
        (
            "CREATE TABLE public.b (id bigint, CONSTRAINT k UNIQUE (id))",
            _referring("c", "b (id)"),
        ),
    ),
    "a foreign key moves to another key of its table": (
        (
            "CREATE TABLE public.a (id bigint, o bigint, CONSTRAINT k UNIQUE (id))",
            _referring("c", "a (id)"),
        ),
        (
            "CREATE TABLE public.a (id bigint, o bigint, CONSTRAINT k UNIQUE (o))",
            _referring("c", "a (o)"),
        ),
    ),
    "a child leaves while a column of an inherited generated column changes": (
        (
            "CREATE TABLE public.p (a integer, g integer GENERATED ALWAYS AS (a * 2) STORED)",
            "CREATE TABLE public.c (b text) INHERITS (public.p)",
        ),
        (
            "CREATE TABLE public.p (a bigint, g bigint GENERATED ALWAYS AS (a * 2) STORED)",
            "CREATE TABLE public.c (b text, a integer, g integer GENERATED ALWAYS AS (a * 2) STORED)",
        ),
    ),
    "a partition leaves while its parent gets an index": (
        (
            "CREATE TABLE public.p (a integer, b text) PARTITION BY LIST (a)",
            "CREATE TABLE public.q PARTITION OF public.p FOR VALUES IN (1, 2)",
            "CREATE TABLE public.r PARTITION OF public.p FOR VALUES IN (3, 4)",
        ),
        (
            "CREATE TABLE public.p (a integer, b text) PARTITION BY LIST (a)",
            "CREATE TABLE public.q (a integer, b text)",
            "CREATE TABLE public.r PARTITION OF public.p FOR VALUES IN (3, 4)",
            "CREATE INDEX i ON public.p (b)",
        ),
    ),
    "partitions of one name in two schemas rest with their indexes": (
        (
            "CREATE SCHEMA other",
            "CREATE TABLE public.p (a integer, b text) PARTITION BY LIST (a)",
            "CREATE INDEX ON public.p (b)",
            "CREATE TABLE public.q PARTITION OF public.p FOR VALUES IN (1, 2)",
            "CREATE TABLE other.q PARTITION OF public.p FOR VALUES IN (3, 4)",
        ),
        ("CREATE SCHEMA other",),
    ),
    "a sequence changes hands when its table goes": (
        (
            "CREATE SEQUENCE public.numbers AS integer",
            "CREATE TABLE public.a (id integer DEFAULT nextval('public.numbers') PRIMARY KEY)",
            "ALTER SEQUENCE public.numbers OWNED BY public.a.id",
        ),
        (
            "CREATE SEQUENCE public.numbers AS integer",
            "CREATE TABLE public.b (id integer DEFAULT nextval('public.numbers') PRIMARY KEY)",
            "ALTER SEQUENCE public.numbers OWNED BY public.b.id",
        ),
    ),
    "a numbered column becomes a text": (
        ("CREATE TABLE public.t (id bigint PRIMARY KEY, n integer GENERATED ALWAYS AS IDENTITY)",),
        ("CREATE TABLE public.t (id bigint PRIMARY KEY, n varchar(20) DEFAULT 'none' NOT NULL)",),
    ),
    "a sequence is logged, and its table is not": (
        (
            "CREATE TABLE public.t (id bigint PRIMARY KEY)",
            "CREATE SEQUENCE public.s",
            "ALTER SEQUENCE public.s OWNED BY public.t.id",
        ),
        (
            "CREATE UNLOGGED TABLE public.t (id bigint PRIMARY KEY)",
            "CREATE SEQUENCE public.s",
            "ALTER SEQUENCE public.s OWNED BY public.t.id",
        ),
    ),
    "comments go with the parts of types": (
        (
            "CREATE TYPE public.pair AS (a int, b int)",
            "COMMENT ON COLUMN public.pair.b IS 'second'",
            "CREATE DOMAIN public.d AS int CONSTRAINT small CHECK (VALUE < 9)",
            "COMMENT ON CONSTRAINT small ON DOMAIN public.d IS 'small'",
        ),
        ("CREATE TYPE public.pair AS (a int)", "CREATE DOMAIN public.d AS int"),
    ),
    "a column becomes a generated one, with its keys": (
        (
            "CREATE TABLE public.t (id bigint PRIMARY KEY, a int, b int UNIQUE, c int REFERENCES public.t (b))",
            "CREATE INDEX i ON public.t (b, a)",
        ),
        ("CREATE TABLE public.t (id bigint PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a + 1) STORED, c int)",),
    ),
    "a policy goes with the type of the column that it reads": (
        (
            "CREATE TABLE public.t (id bigint PRIMARY KEY, a uuid)",
            "CREATE POLICY p ON public.t USING (a <> '00000000-0000-0000-0000-000000000000')",
        ),
        (
            "CREATE TABLE public.t (id bigint PRIMARY KEY, a text)",
            "CREATE POLICY q ON public.t USING (a <> 'x'::text)",
        ),
    ),
    "a partition key stays while a partition leaves for another family": (
        (
            "CREATE TABLE public.p (a integer, b text, CHECK (a > 0)) PARTITION BY LIST (a)",
            "CREATE TABLE public.q PARTITION OF public.p FOR VALUES IN (1, 2)",
        ),
        (
            "CREATE TABLE public.p (a integer, b text, CHECK (a > 0)) PARTITION BY LIST (a)",
            "CREATE TABLE public.q (a text, b text)",
        ),
    ),
    "a new table has the key name of a retired one, and its foreign key": (
        (
            "CREATE TABLE public.a (id bigint, CONSTRAINT k PRIMARY KEY (id))",
            _referring("b", "a (id)"),
        ),
        (
            "CREATE TABLE public.n (id bigint, r bigint, CONSTRAINT k PRIMARY KEY (id))",
            _referring("b", "n (id)"),
        ),
    ),
}


@pytest.fixture
def pair(server: EmbeddedServer) -> Iterator[tuple[str, str]]:
    first, second = fresh_database(server), fresh_database(server)
    yield next(first), next(second)
    for database in (first, second):
        next(database, None)


@pytest.mark.parametrize("name", _CASES)
def test_it_becomes_the_other_and_back(pair: tuple[str, str], name: str) -> None:
    catalogs = []
    for database, statements in zip(pair, _CASES[name], strict=True):
        run(database, statements)
        catalogs.append(read(database).catalog)
    ways = itertools.product((catalogs, catalogs[::-1]), (False, True))
    for (before, after), purge in ways if _SLOW else ((catalogs, False), (catalogs[::-1], True)):
        assert made(pair[0], before)
        assert made(pair[1], after)
        converge(*pair, purge=purge)


@pytest.mark.parametrize(
    "name",
    [
        "a foreign key moves to a new table of the same key",
        "a new table has the key name of a retired one, and its foreign key",
        "a materialized view reads a table, then a view of the same name",
        "a sequence changes hands when its table goes",
    ],
)
def test_it_is_taken_back(database: str, name: str) -> None:
    first, second = _CASES[name]
    run(database, second)
    wanted = read(database).catalog
    clear_database(database)
    run(database, first)
    before = read(database).catalog
    plan = plan_for(database, wanted, adopt_all=True)
    carry_out(database, plan)
    take_back(database, plan)
    assert differences(before, read(database, ["public"]).catalog) == []
