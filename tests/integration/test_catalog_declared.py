"""What pure comparison cannot see the same is remembered: once recorded, a second look finds nothing to do."""

from __future__ import annotations

import asyncio
import json

import psycopg
import pytest

from tests.catalogs import read, run
from wesley_tui.catalog.declared import declaration_of, declarations, live_digest, paths_of, settled
from wesley_tui.catalog.model import Catalog, Column, Index, IndexKey, Policy, QName, Ref, SqlObject, Table
from wesley_tui.catalog.statement import same_object
from wesley_tui.executor.installation import install_rails

_T, _V = QName("public", "t"), QName("public", "v")
_VIEW = "CREATE VIEW v AS SELECT * FROM t ORDER BY 1"


@pytest.fixture
def railed(any_database: str) -> str:
    async def install() -> None:
        async with await psycopg.AsyncConnection.connect(any_database, autocommit=True) as connection:
            await install_rails(connection)

    asyncio.run(install())
    run(
        any_database,
        [
            "CREATE TABLE public.t (a int DEFAULT 1, b int DEFAULT (1 + 1), c date)",
            "CREATE INDEX i ON public.t ((a + b), c) WHERE c > '2020-01-01'::date",
            "CREATE POLICY p ON public.t USING (a > 1)",
            "CREATE VIEW public.v AS SELECT * FROM public.t ORDER BY 1",
        ],
    )
    return any_database


def _declared(view: str = _VIEW, b_default: str = "2") -> Catalog:
    return Catalog(
        schemas=frozenset(("public",)),
        tables={
            _T: Table(
                _T,
                (Column("a", "integer", default="1"), Column("b", "integer", default=b_default), Column("c", "date")),
                indexes=(Index("i", (IndexKey(expression="b + a"), IndexKey("c")), where="'2020-01-01' < c"),),
                policies=(Policy("p", using="1 < a"),),
            )
        },
        objects={Ref("view", "public.v"): SqlObject("view", _V, (view,))},
    )


def _record(database: str, pairs: dict[str, tuple[str, str]]) -> int:
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT wesley.record_declarations(%s)", (json.dumps(pairs),)).fetchone()
        assert row is not None
        return int(row[0])


def test_what_was_recorded_is_settled(railed: str) -> None:
    actual, desired = read(railed), _declared()
    assert actual.declared == {}
    pairs = declarations(actual.catalog, desired)
    assert set(pairs) == {"view public.v", "default public.t.b", "index public.i", "policy public.t.p"}
    assert _record(railed, pairs) == 4
    assert _record(railed, pairs) == 0
    again = read(railed)
    assert again.declared == pairs
    result = settled(again.catalog, desired, again.declared)
    live = again.catalog.tables[_T]
    table = result.tables[_T]
    assert (table.columns, table.indexes, table.policies) == (live.columns, live.indexes, live.policies)
    view = Ref("view", "public.v")
    assert same_object(result.objects[view], again.catalog.objects[view])
    assert declarations(again.catalog, result) == {}
    # The layout of a text is no part of what was declared.
    same = settled(again.catalog, _declared(_VIEW.replace(" FROM", "\n  FROM"), "  2 "), again.declared)
    assert same.tables == result.tables
    assert same.objects[view].statements == result.objects[view].statements


def test_a_change_on_either_side_is_seen(railed: str) -> None:
    desired = _declared()
    _record(railed, declarations(read(railed).catalog, desired))
    snapshot = read(railed)
    other = _declared("CREATE VIEW v AS SELECT * FROM t ORDER BY 2")
    view = Ref("view", "public.v")
    assert (
        settled(snapshot.catalog, other, snapshot.declared).objects[view].statements == other.objects[view].statements
    )
    run(railed, ["CREATE OR REPLACE VIEW public.v AS SELECT a, b, c FROM public.t ORDER BY 2"])
    snapshot = read(railed)
    assert settled(snapshot.catalog, desired, snapshot.declared).objects[view] == desired.objects[view]


def test_only_what_the_run_made_is_recorded(railed: str) -> None:
    assert set(declarations(read(railed).catalog, _declared(), {"view public.v", "check public.t.none"})) == {
        "view public.v"
    }


def test_who_may_not_read_the_table_reads_the_rest(railed: str) -> None:
    _record(railed, declarations(read(railed).catalog, _declared()))
    with psycopg.connect(railed, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS wesley_outsider")
        connection.execute("CREATE ROLE wesley_outsider LOGIN")
    try:
        snapshot = read(railed.replace("postgres@", "wesley_outsider@"))
        assert snapshot.declared == {}
        assert _T in snapshot.catalog.tables
    finally:
        with psycopg.connect(railed, autocommit=True) as connection:
            connection.execute("DROP ROLE wesley_outsider")


def test_names_of_texts(railed: str) -> None:
    paths = paths_of(read(railed).catalog)
    assert set(paths) == {
        *("default public.t.a", "default public.t.b", "index public.i", "policy public.t.p", "view public.v"),
    }
    assert json.loads(paths["index public.i"])[1:] == [None, "(c > '2020-01-01'::date)"]
    assert len(declaration_of("default public.t.a", "1")) == len(live_digest("1")) == 64
    assert declaration_of("default public.t.a", "1") != declaration_of("default public.t.a", "2")
    assert declaration_of("view public.v", "not sql") == declaration_of("view public.v", "not sql ")
