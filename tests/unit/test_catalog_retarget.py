"""One declared catalog in another schema."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from tests.strategies import catalogs
from wesley_tui.catalog.fingerprint import fingerprint
from wesley_tui.catalog.model import Catalog, QName
from wesley_tui.catalog.retarget import merged, retargeted
from wesley_tui.sdl.compile import compile_schema
from wesley_tui.sdl.diagnostics import Source

SDL = """
enum Mood { CALM }
type Person @table @check(expr: "public.weigh(mood) > 0 AND 'public.x' <> ''", name: "heavy") {
  id: ID! @pk
  mood: Mood! @default(value: "CALM") @index(where: "mood <> 'CALM'::public.mood")
  bossId: ID @fk(ref: "Person.id")
}
"""


def compiled() -> Catalog:
    return compile_schema([Source("s", SDL)]).catalog


def test_names_and_qualified_names_in_sql_move_and_literals_stay() -> None:
    moved = retargeted(compiled(), "public", "Tenant 1")
    table = moved.tables[QName("Tenant 1", "person")]
    column = table.column("mood")
    assert column is not None
    assert column.type == '"Tenant 1".mood'
    assert column.default is not None
    assert '"Tenant 1".mood' in column.default
    heavy = table.constraint("heavy")
    assert heavy is not None
    assert heavy.expression == "\"Tenant 1\".weigh(mood) > 0 AND 'public.x' <> ''"  # type: ignore[union-attr]
    assert [key.references for key in table.foreign_keys] == [QName("Tenant 1", "person")]
    assert table.indexes[0].where == "mood <> 'CALM'::\"Tenant 1\".mood"
    assert moved.schemas == {"Tenant 1"}
    assert not [name for name in (*moved.tables, *moved.enums) if name.schema == "public"]


def test_two_tenants_are_two_of_everything() -> None:
    both = merged([retargeted(compiled(), "public", name) for name in ("a", "b")])
    assert {str(name) for name in both.tables} == {"a.person", "b.person"}
    assert both.schemas == {"a", "b"}


@given(catalogs())
def test_there_and_back_again(catalog: Catalog) -> None:
    known = replace(catalog, unmanaged=())
    back = retargeted(retargeted(known, "public", "else where"), "else where", "public")
    assert fingerprint(back) == fingerprint(known)
