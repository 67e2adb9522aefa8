"""The reader of SDL: judged by graphql-core, and by itself when a text is edited."""

from __future__ import annotations

import re

import graphql
import pytest
from graphql.language import ast
from hypothesis import given, settings
from hypothesis import strategies as st

from wesley_tui.sdl.parser import MAX_NESTING
from wesley_tui.sdl.reader import MAX_CHARACTERS, Placed, Reader
from wesley_tui.sdl.strings import block_value, quoted_value, write_block, write_quoted
from wesley_tui.sdl.syntax import Definition, TypeRef, Value

EXAMPLE = '''\ufeff"""
Users, described
  with indentation
"""
type User implements Node & Named @table(name: "users", with: {fillfactor: 70, on: [true, null, A, -1, 2.5e3]})
@index(fields: ["a" "b"]) {
  id: ID! @pk, "a name" name: String
  tags: [String!]! @default(value: [])
  """block ""\\" quoted""" deep: [[Int!]]!
  posts(first: Int = 10 @deprecated, after: [String!]): [Post] # comment "with" quotes
}
extend type User @pii { extra: Int @check(expr: "extra > 0 and x <> '\\u{1F600}\\ud83d\\ude00\\n'") }
enum Role { VIEWER "an admin" ADMIN @renamed(from: "BOSS") }
scalar Percentage @type(name: "numeric(5,2)")
interface Node { id: ID! }
input Filter { a: Int = 1, b: [String] = ["x"] }
union Any = | User | Role
"does" directive @custom("arg" a: Int = 1) repeatable on | OBJECT | FIELD_DEFINITION
schema @custom { query: User }
extend schema @custom
extend enum Role { GUEST }
extend scalar Percentage @custom
'''
FRAGMENTS = [
    *("type", "enum", "scalar", "extend", "schema", "interface", "input", "union", "directive", "implements", "on"),
    *("{", "}", "(", ")", "[", "]", ":", "!", "=", "|", "&", "@", "@pk", "$", "...", "#", ",", "\n", " ", "\r"),
    *('"', '""', '"""', '"text"', '"\\n"', '"\\q"', '"""block"""', "1", "-1", "01", "1.5", "1.", ".5", "1e", "1x", "-"),
    *("true", "null", "A", "a_b", "x: Int", "x: [Int!]!", "@a(b: 1)", "type T { x: Int }", "\ufeff", "é", "query"),
]


def read(text: str) -> list[Placed]:
    return Reader().read(text)


def accepted(text: str) -> bool:
    return not any(placed.definition.keyword == "broken" for placed in read(text))


def accepted_by_graphql_core(text: str) -> bool:
    """Is this a type system document? Executable definitions parse too, and are not."""
    if not re.sub(r"#[^\r\n]*|[\s,\ufeff]", "", text):
        return True
    try:
        document = graphql.parse(text, no_location=True)
    except graphql.GraphQLSyntaxError:
        return False
    return all(
        isinstance(item, ast.TypeSystemDefinitionNode | ast.TypeSystemExtensionNode) for item in document.definitions
    )


def test_the_example_is_valid_for_both() -> None:
    assert accepted_by_graphql_core(EXAMPLE)
    assert accepted(EXAMPLE)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14).map(" ".join))
def test_random_token_soup_is_judged_as_graphql_core_judges_it(text: str) -> None:
    assert accepted(text) == accepted_by_graphql_core(text)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(EXAMPLE)), st.integers(0, 6), st.sampled_from(["", *FRAGMENTS]))
def test_a_damaged_example_is_judged_as_graphql_core_judges_it(at: int, removed: int, inserted: str) -> None:
    text = EXAMPLE[:at] + inserted + EXAMPLE[at + removed :]
    assert accepted(text) == accepted_by_graphql_core(text)


def reference(node: ast.TypeNode, *, not_null: bool = False) -> TypeRef:
    if isinstance(node, ast.NonNullTypeNode):
        return reference(node.type, not_null=True)
    if isinstance(node, ast.ListTypeNode):
        inner = reference(node.type)
        return TypeRef(inner.name, 0, not_null, inner.lists + 1, inner.not_null)
    assert isinstance(node, ast.NamedTypeNode)
    return TypeRef(node.name.value, 0, not_null)


def python_value(value: Value) -> object:
    if value.kind == "list":
        return [python_value(item) for item in value.value]
    if value.kind == "object":
        return {name: python_value(item) for name, item in value.value}
    return (value.kind, value.value)


def python_value_of_node(node: ast.ValueNode) -> object:
    if isinstance(node, ast.ListValueNode):
        return [python_value_of_node(item) for item in node.values]
    if isinstance(node, ast.ObjectValueNode):
        return {field.name.value: python_value_of_node(field.value) for field in node.fields}
    kind = node.kind.removesuffix("_value")
    return (kind, getattr(node, "value", None))


def test_the_tree_is_that_of_graphql_core() -> None:
    document = graphql.parse(EXAMPLE)
    placed = read(EXAMPLE)
    assert len(document.definitions) == len(placed)
    for node, (definition, start, _) in zip(document.definitions, placed, strict=True):
        name = getattr(node, "name", None)
        assert definition.name == (name.value if name else "")
        if name is not None and name.loc is not None and definition.keyword != "directive":
            assert start + definition.at == name.loc.start
        description = getattr(node, "description", None)
        assert (definition.description.value if definition.description else None) == (
            description.value if description else None
        )
        if definition.keyword not in ("type", "interface"):
            continue
        fields = getattr(node, "fields", ())
        assert [field.name for field in definition.fields] == [field.name.value for field in fields]
        for mine, other in zip(definition.fields, fields, strict=True):
            assert mine.type._replace(at=0) == reference(other.type)
            assert start + mine.at == other.name.loc.start
            assert (mine.description.value if mine.description else None) == (
                other.description.value if other.description else None
            )
        for mine_directives, other_directives in (
            (definition.directives, getattr(node, "directives", ())),
            *((a.directives, b.directives) for a, b in zip(definition.fields, fields, strict=True)),
        ):
            for used, expected in zip(mine_directives, other_directives or (), strict=True):
                assert used.name == expected.name.value
                assert start + used.at == expected.loc.start
                for argument, wanted in zip(used.arguments, expected.arguments or (), strict=True):
                    assert argument.name == wanted.name.value
                    assert start + argument.at == wanted.name.loc.start
                    assert start + argument.value.at == wanted.value.loc.start
                    assert python_value(argument.value) == python_value_of_node(wanted.value)


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from(' \t\n\r"\\aé'), max_size=30))
def test_block_strings_mean_what_graphql_core_says(body: str) -> None:
    source = '"""' + body + '""" type A'
    mine = read(source)
    try:
        document = graphql.parse(source)
    except graphql.GraphQLSyntaxError:
        assert mine[0].definition.keyword == "broken"
        return
    node = document.definitions[0]
    description = mine[0].definition.description
    assert description is not None
    assert description.value == node.description.value  # type: ignore[attr-defined]


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_what_is_written_is_read_again(text: str) -> None:
    quoted = write_quoted(text)
    assert quoted_value(quoted[1:-1]) == text
    assert graphql.parse_value(quoted).value == text  # type: ignore[attr-defined]
    block = write_block(text, "    ")
    if block is not None:
        assert block_value(block[3:-3]) == text


def shown(placed: list[Placed]) -> list[object]:
    """Comparable by value: definitions themselves are compared by identity."""

    def plain(definition: Definition) -> tuple[object, ...]:
        return tuple(getattr(definition, name) for name in Definition.__slots__)

    return [(plain(one.definition), one.start) for one in placed]


edits = st.tuples(st.integers(0, 2000), st.integers(0, 60), st.sampled_from(["", "\n", *FRAGMENTS, EXAMPLE[100:260]]))


@settings(max_examples=250, deadline=None)
@given(st.lists(edits, min_size=1, max_size=5))
def test_reading_an_edited_text_is_reading_it_afresh(changes: list[tuple[int, int, str]]) -> None:
    reader, text = Reader(), EXAMPLE
    reader.read(text)
    for at, removed, inserted in changes:
        at = min(at, len(text))
        text = text[:at] + inserted + text[at + removed :]
        assert shown(reader.read(text)) == shown(read(text))


def test_only_the_edited_definition_is_read_again() -> None:
    text = "\n".join(f"type T{number} {{\n  x: Int\n}}" for number in range(100))
    reader = Reader()
    before = reader.read(text)
    after = reader.read(text.replace("type T50 {\n  x", "type T50 {\n  yy"))
    changed = [old.definition is not new.definition for old, new in zip(before, after, strict=True)]
    assert changed == [number == 50 for number in range(100)]


@pytest.mark.parametrize(
    ("text", "offset", "words"),
    [
        ("type A {\n  x Int\n}", 13, "expected :, found 'Int'"),
        ("type A {\n  x: Int", 17, "the end of the file"),
        ("type A { }", 9, "at least one field"),
        ('type A { x: Int @c(expr: "a) }', 25, "never closed on its line"),
        ('"""never', 0, "never closed"),
        ("type A { x: Int @ }", 18, "name of a directive"),
        ("type A @t() { x: Int }", 10, "between ( and )"),
        ("query { x }", 0, "'query'"),
        ("enum E { true }", 9, "reserved"),
        ('type A @t(a: "\\ud800") { x: Int }', 14, "lone surrogate"),
        ("type A @t(a: 007) { x: Int }", 13, "not a number"),
        ("type A @t(a: $b) { x: Int }", 13, "no variables"),
        ("}", 0, "expected a definition"),
    ],
)
def test_a_syntax_error_says_where_and_what(text: str, offset: int, words: str) -> None:
    (placed,) = [one for one in read(text) if one.definition.issue is not None]
    issue = placed.definition.issue
    assert issue is not None
    assert words in issue.message
    assert placed.start + issue.at == offset


def test_reading_goes_on_after_a_broken_definition() -> None:
    placed = read("type A { x Int }\ntype B { x: Int }\ntype { }\nenum C { D }\n")
    assert [one.definition.name for one in placed] == ["", "B", "", "C"]


@pytest.mark.parametrize("opening", ["[", "{a: "])
def test_deep_nesting_is_an_error_and_no_recursion_error(opening: str) -> None:
    (first, *_) = read("type A @d(x: " + opening * 10_000)
    assert first.definition.issue is not None
    assert first.definition.issue.code == "too-deep"
    (first, *_) = read("type A { x: " + "[" * 10_000)
    assert first.definition.issue is not None
    assert str(MAX_NESTING) in first.definition.issue.message


def test_limits_are_those_of_the_manual() -> None:
    assert MAX_CHARACTERS == 8 * 1024 * 1024
