"""Completion: what fits at the cursor, in a text that is being typed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wesley_tui.sdl.complete import complete

SCHEMA = """\
type User @table {
  id: ID! @pk
  email: String! @unique
  role: Role
}
enum Role { ADMIN }
type Post @table @index(fields: ["|"]) {
  id: ID! @pk
  title: String
}
"""


def at(text: str) -> list[str]:
    """Candidates at the mark ``|``."""
    before, _, after = text.partition("|")
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    return [candidate.text for candidate in complete(before + after, line, column)]


@pytest.mark.parametrize(
    ("text", "first", "absent"),
    [
        ("type A @table {\n  x: Int @un|\n}", "unique", "table"),
        ("type A @ta|", "table", "pk"),
        ("enum E { A @re| }", "renamed", "table"),
        ("type A @table(na|) { x: Int }", "name", "ref"),
        ('type A @table(name: "a", s|) { x: Int }', "schema", "name"),
        ("type A { x: Int @fk(onDelete: C|) }", "CASCADE", "onUpdate"),
        ("type A { x: Int @index(unique: |) }", "true", "name"),
        ("type A { x: Dat| }", "Date", "Int"),
        ("ty|", "type", "enum"),
        ("extend schema @func|", "function", "table"),
        ('type A @table(schema: "app") @par|', "partition", "function"),
        ('type A @rls(preset: "ten|") { x: Int }', "tenant", "owner"),
        ("type A @partition(strategy: L|) { x: Int }", "LIST", "by"),
        ('type A @grant(privileges: ["SEL|"]) { x: Int }', "SELECT", "to"),
        ('type B @table { x: Int } type A @partitionOf(parent: "|") { x: Int }', "B", "x"),
    ],
)
def test_what_fits(text: str, first: str, absent: str) -> None:
    found = at(text)
    assert found[0] == first
    assert absent not in found


def test_names_of_the_schema() -> None:
    assert at(SCHEMA) == ["id", "title"]
    assert at(SCHEMA.replace("|", "").replace("title: String", "title: Ro|"))[0] == "Role"
    keys = at(SCHEMA.replace("|", "").replace("title: String", 'author: ID @fk(ref: "|")'))
    assert {"User.id", "User.email", "Post.id"} <= set(keys)


@pytest.mark.parametrize("text", ["# ty|", '"ty|"', '"""\nty|\n"""', "type A { x| }"])
def test_nothing_where_nothing_is_known(text: str) -> None:
    assert at(text) == []


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(SCHEMA)), st.integers(0, len(SCHEMA)))
def test_any_place_in_any_text(end: int, cursor: int) -> None:
    text = SCHEMA[:end]
    before = text[:cursor]
    line = before.count("\n") + 1
    for candidate in complete(text, line, len(before) - (before.rfind("\n") + 1) + 1):
        assert candidate.text
        assert before.endswith(before[len(before) - candidate.typed :])
