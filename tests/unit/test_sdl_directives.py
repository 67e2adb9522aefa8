"""The table of directives, and the files that are written from it."""

from __future__ import annotations

import re
from pathlib import Path

import graphql

from wesley_tui.sdl.compile import compile_schema
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.sdl.directives import BY_NAME, DIRECTIVES, SCALARS, canonical_directive
from wesley_tui.sdl.publish import graphql_text, manual_text, published

MANUAL = Path(__file__).parents[2] / "docs" / "dialect.md"


def test_published_files_are_up_to_date() -> None:
    for path, text in published().items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: run python -m wesley_tui.sdl.directives"


def test_the_graphql_file_is_a_valid_schema_for_other_tools() -> None:
    schema = graphql.build_schema(graphql_text() + "\ntype Query { x: Int }")
    assert graphql.validate_schema(schema) == []
    for directive in DIRECTIVES:
        known = schema.get_directive(directive.name)
        assert known is not None
        assert {place.name for place in known.locations} == set(directive.locations)
        assert known.is_repeatable is directive.repeatable
        assert set(known.args) == {argument.name for argument in directive.arguments}


def test_editors_accept_the_schemas_that_the_compiler_accepts() -> None:
    text = (MANUAL.read_text(encoding="utf-8").split("```graphql\n")[1]).split("```")[0]
    schema = graphql.build_schema(graphql_text() + text + "type Query { x: Int }")
    assert graphql.validate_schema(schema) == []


def test_the_example_of_the_manual_compiles_without_warnings() -> None:
    blocks = re.findall(r"```graphql\n(.*?)```", manual_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        assert compile_schema([Source("dialect.md", block)]).warnings == ()


def test_a_schema_may_contain_the_published_definitions() -> None:
    schema = compile_schema(
        [Source("directives.graphql", graphql_text()), Source("a.graphql", "type A @table { id: ID! @pk }")]
    )
    assert [str(name) for name in schema.catalog.tables] == ["public.a"]


def test_aliases() -> None:
    assert canonical_directive("pk") == "pk"
    for alias in ("primaryKey", "wes_pk", "wesley_pk", "wes_primaryKey"):
        assert canonical_directive(alias) == "pk"
    assert canonical_directive("rowLevelSecurity") == "rls"
    assert canonical_directive("uid") == "uid"
    assert canonical_directive("wes_nothing") is None
    names = [*BY_NAME, *(alias for item in DIRECTIVES for alias in item.aliases)]
    assert len(names) == len(set(names))
    assert not set(names) & set(SCALARS)
