"""What changes a fingerprint, and what does not."""

from __future__ import annotations

import dataclasses

import pytest

from wesley_tui.catalog.ddl_objects import create_materialized_view
from wesley_tui.catalog.fingerprint import digests, fingerprint, scope_of
from wesley_tui.catalog.model import (
    Catalog,
    Check,
    Column,
    Enum,
    Index,
    IndexKey,
    QName,
    SqlObject,
    Table,
    UnmanagedObject,
)

_USERS = QName("public", "users")
_TABLE = Table(
    _USERS,
    columns=(Column("id", "bigint", not_null=True), Column("status", "character varying", default="'new'")),
    constraints=(Check("known", "status IN ('new', 'old')"),),
    indexes=(Index("by_status", (IndexKey("status"),)),),
)
_MOOD = Enum(QName("public", "mood"), ("happy", "sad"))


def _catalog(table: Table = _TABLE, *others: Table) -> Catalog:
    return Catalog(
        schemas=frozenset(("public",)),
        tables={item.name: item for item in (table, *others)},
        enums={_MOOD.name: _MOOD},
    )


def test_spelling_and_column_order_do_not_count() -> None:
    same = dataclasses.replace(
        _TABLE,
        columns=(Column("status", "character varying", default="'new'::character varying"), _TABLE.columns[0]),
        constraints=(
            Check("known", "((status)::text = ANY (ARRAY['new'::character varying, 'old'::character varying]))"),
        ),
    )
    assert fingerprint(_catalog(same)) == fingerprint(_catalog())
    unmanaged = dataclasses.replace(_catalog(), unmanaged=(UnmanagedObject("view", QName("public", "v")),))
    assert fingerprint(unmanaged) == fingerprint(_catalog())


@pytest.mark.parametrize(
    "changed",
    [
        dataclasses.replace(_TABLE, comment="people"),
        dataclasses.replace(_TABLE, columns=_TABLE.columns[:1]),
        dataclasses.replace(_TABLE, columns=(*_TABLE.columns, Column("x", "text"))),
        dataclasses.replace(_TABLE, columns=(Column("id", "integer", not_null=True), _TABLE.columns[1])),
        dataclasses.replace(_TABLE, columns=(Column("id", "bigint"), _TABLE.columns[1])),
        dataclasses.replace(_TABLE, columns=(_TABLE.columns[0], Column("status", "character varying", default="'x'"))),
        dataclasses.replace(_TABLE, constraints=(Check("known", "status IN ('new', 'other')"),)),
        dataclasses.replace(_TABLE, constraints=(Check("known", "status IN ('new', 'old')", validated=False),)),
        dataclasses.replace(_TABLE, indexes=()),
        dataclasses.replace(_TABLE, indexes=(Index("by_status", (IndexKey("status"),), valid=False),)),
        dataclasses.replace(_TABLE, indexes=(Index("by_status", (IndexKey("status", descending=True),)),)),
        dataclasses.replace(_TABLE, rls_enabled=True),
        dataclasses.replace(_TABLE, options=(("fillfactor", "70"),)),
    ],
)
def test_every_other_difference_counts(changed: Table) -> None:
    assert fingerprint(_catalog(changed)) != fingerprint(_catalog())


def test_a_scope_looks_away_from_the_rest() -> None:
    other = Table(QName("public", "other"), columns=(Column("id", "integer"),))
    alone, together = _catalog(), _catalog(_TABLE, other)
    assert fingerprint(alone) != fingerprint(together)
    assert fingerprint(alone, scope_of(alone)) == fingerprint(together, scope_of(alone)) == fingerprint(alone)
    scope = ["table public.users"]
    assert fingerprint(together, scope) != fingerprint(Catalog(), scope)
    assert fingerprint(together, [*scope, *scope]) == fingerprint(together, scope)
    labels = dataclasses.replace(alone, enums={_MOOD.name: Enum(_MOOD.name, ("sad", "happy"))})
    assert fingerprint(labels, scope) == fingerprint(alone, scope)
    assert fingerprint(labels, ["enum public.mood"]) != fingerprint(alone, ["enum public.mood"])


def test_names_with_dots_do_not_hide_each_other() -> None:
    a, b = Table(QName("a", "b.c"), comment="x"), Table(QName("a.b", "c"), comment="y")
    both = Catalog(tables={a.name: a, b.name: b})
    assert fingerprint(both) != fingerprint(Catalog(tables={a.name: a}))
    assert fingerprint(both) != fingerprint(Catalog(tables={b.name: b}))


def test_the_scope_names_everything() -> None:
    assert scope_of(_catalog()) == ("enum public.mood", "schema public", "table public.users")
    assert len(fingerprint(_catalog())) == 64


def test_objects_count_by_what_their_statements_make() -> None:
    def catalog(statement: str, *, comment: str | None = None) -> Catalog:
        item = SqlObject("view", QName("public", "v"), (statement,), comment=comment)
        return Catalog(objects={item.ref: item})

    one = catalog("CREATE VIEW v AS SELECT a FROM t")
    assert scope_of(one) == ("view public.v",)
    assert fingerprint(one) == fingerprint(catalog("CREATE OR REPLACE VIEW public.v AS\n SELECT t.a\n FROM public.t"))
    assert fingerprint(one) != fingerprint(catalog("CREATE VIEW v AS SELECT b FROM t"))
    assert fingerprint(one) != fingerprint(catalog("CREATE VIEW v AS SELECT a FROM t", comment="x"))
    assert fingerprint(one, ()) == fingerprint(Catalog(), ())


def test_a_partition_counts_by_its_bound() -> None:
    def catalog(bound: str) -> Catalog:
        name = QName("public", "p")
        return Catalog(tables={name: Table(name, partition_of=QName("public", "t"), partition_bound=bound)})

    one = catalog("FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')")
    same = catalog("FOR VALUES FROM ('2024-01-01 00:00:00+00') TO ('2025-01-01 00:00:00+00')")
    other = catalog("FOR VALUES FROM ('2024-01-01') TO ('2026-01-01')")
    assert fingerprint(one) == fingerprint(same)
    assert fingerprint(one) != fingerprint(other)


def test_a_cast_that_changes_how_something_is_computed_counts() -> None:
    whole, exact = (
        dataclasses.replace(_TABLE, constraints=(Check("half", text),))
        for text in ("id / 2 > 1", "(id)::numeric / 2 > 1")
    )
    assert fingerprint(_catalog(whole)) != fingerprint(_catalog(exact))
    written = dataclasses.replace(_TABLE, constraints=(Check("half", "id / (2)::bigint > 1"),))
    assert fingerprint(_catalog(whole)) == fingerprint(_catalog(written))


def test_digests_say_what_differs() -> None:
    scope, users = scope_of(_catalog()), "table public.users"
    before = digests(_catalog(), scope, {"public.users"})
    assert set(before) == set(scope)
    assert set(before[users]) == {
        "", "column id", "column status", "constraint known", "index by_status",
    }  # fmt: skip
    other = dataclasses.replace(_TABLE, columns=(Column("id", "bigint"), _TABLE.columns[1]), comment="people")
    now = digests(_catalog(other, Table(QName("public", "theirs"))), scope, {"public.users"})
    assert set(now) == set(scope)
    differing = {part for part, digest in now[users].items() if digest != before[users].get(part)}
    assert differing == {"", "column id", "its comment"}
    assert set(digests(_catalog(other), scope)[users]) == {""}


@pytest.mark.parametrize(("query", "same"), [("SELECT 1 AS a", True), ("SELECT 2 AS a", False)])
def test_a_refresh_changes_no_digest(query: str, same: bool) -> None:
    def of(query: str, populated: bool) -> dict[str, dict[str, str]]:
        name = QName("public", "m")
        view = SqlObject("materialized view", name, (create_materialized_view(name, query, populated=populated),))
        return digests(Catalog(objects={view.ref: view}), [str(view.ref)])

    assert (of("SELECT 1 AS a", populated=False) == of(query, populated=True)) is same
