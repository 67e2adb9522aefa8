"""Everything that PostgreSQL holds, pulled from real servers of several versions and compiled again."""

from __future__ import annotations

import pytest

from tests.catalogs import differences, read, run
from tests.integration.test_catalog_objects import _GRANTS, _RELATIONS, _ROUTINES, _SINCE_18, _TABLES, _TYPES
from wesley_tui.sdl.compile import compile_schema
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.sdl.emit import emit_schema


@pytest.fixture
def everything(any_database: str) -> str:
    run(any_database, [*_TABLES, *_TYPES, *_ROUTINES, *_RELATIONS, *_GRANTS])
    if read(any_database).major >= 18:
        run(any_database, _SINCE_18)
    return any_database


def test_what_is_pulled_compiles_to_what_is_there(everything: str) -> None:
    actual = read(everything).catalog
    text = emit_schema(actual)
    assert "# In the database, and not expressed above" not in text
    again = compile_schema([Source("pulled.graphql", text)]).catalog
    assert differences(actual, again) == []
    assert again.tables == dict(actual.tables)
    assert again.enums == dict(actual.enums)
    assert again.objects == dict(actual.objects)
    assert again.schemas == actual.schemas
    assert again.schema_details == dict(actual.schema_details)
    assert emit_schema(again) == text
