"""Yes to a rename lands in the text where it means that, and nothing else is touched."""

from __future__ import annotations

import pytest

from wesley_tui.sdl.compile import compile_schema
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.sdl.renaming import rename_insertion

_PEOPLE = '''"""type People"""
type Person @table(name: "people") {
  id: ID! @pk
  "name: the login"
  login: String! @unique
  tags
    : [String!]! # in
  roles: [[Int!]!]!, age: Int
}
'''


@pytest.mark.parametrize(
    ("where", "old", "before", "after"),
    [
        ("column public.people.login", ("name",), "login: String!", ' @renamed(from: "name") @unique'),
        ("column public.people.tags", ("labels",), "    : [String!]!", ' @renamed(from: "labels") # in'),
        ("column public.people.roles", ("Old",), "  roles: [[Int!]!]!", ' @renamed(from: "\\"Old\\""), age: Int'),
        ("column public.people.age", ("years",), ", age: Int", ' @renamed(from: "years")'),
        ("table public.people", ("persons",), "type Person", ' @renamed(from: "persons") @table(name: "people") {'),
        (
            "table public.people",
            ("app", "a.b"),
            "type Person",
            ' @renamed(from: "app.\\"a.b\\"") @table(name: "people") {',
        ),
    ],
)
def test_the_answer_stands_behind_name_and_type(where: str, old: tuple[str, ...], before: str, after: str) -> None:
    _, line, column = compile_schema([Source("s.graphql", _PEOPLE)]).locations[where]
    lines = _PEOPLE.split("\n")
    insertion = rename_insertion(lines, line, column, old)
    assert insertion is not None
    row = lines[insertion.row]
    assert row[: insertion.column].endswith(before)
    assert insertion.text + row[insertion.column :] == after
    lines[insertion.row] = row[: insertion.column] + insertion.text + row[insertion.column :]
    compiled = compile_schema([Source("s.graphql", "\n".join(lines))])
    found = {*compiled.intent.renamed_columns.values()} | {
        name.name if name.schema == "public" else f"{name.schema}.{name.name}"
        for name in compiled.intent.renamed_tables.values()
    }
    assert found == {".".join(old)}


def test_no_answer_where_a_directive_makes_the_column() -> None:
    lines = ["type Person", "  @tenant(by: tenant_id)", "  @table { id: ID! @pk }"]
    assert rename_insertion(lines, 2, 4, ("old",)) is None
    assert rename_insertion(lines, 2, 3, ("old",)) is None
