"""The examples of the manual, on a real server: made, read back, and nothing is left to do."""

from __future__ import annotations

import dataclasses
import re

import psycopg
import pytest

from tests.catalogs import create_statements, read
from wesley_tui.diff.compare import compare
from wesley_tui.sdl.compile import compile_schema
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.sdl.emit import emit_schema
from wesley_tui.sdl.publish import manual_text

EXAMPLES = re.findall(r"```graphql\n(.*?)```", manual_text(), re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.split()[1] + text.split()[2])
def test_an_example_leaves_nothing_to_do(database: str, text: str) -> None:
    schema = compile_schema([Source("dialect.md", text)])
    # Contrib is not everywhere, and what @sql makes is only known to the ledger of the run that made it.
    objects = {ref: item for ref, item in schema.catalog.objects.items() if ref.kind not in ("extension", "other")}
    catalog = dataclasses.replace(schema.catalog, objects=objects)
    with psycopg.connect(database) as connection:
        for role in ("reader", "writer", "owner"):
            connection.execute(
                f"DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object THEN NULL; END $$".encode()
            )
        for statement in create_statements(catalog):
            connection.execute(statement.encode())
    actual = read(database).catalog
    assert compare(actual, catalog, schema.intent).changes == ()
    pulled = compile_schema([Source("pulled.graphql", emit_schema(actual))])
    assert compare(actual, pulled.catalog, pulled.intent).changes == ()
