"""Structure dumps of a real application: pulled, compiled, and the same catalog again."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import pytest

from tests.catalogs import read
from tests.conftest import Servers, fresh_database
from wesley_tui.catalog.statement import same_object
from wesley_tui.demo.server import available_binaries
from wesley_tui.sdl.compile import compile_schema
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.sdl.emit import emit_schema

_DUMPS = sorted((Path(__file__).parents[3] / "shared" / "schemas").glob("*/*.sql"))

pytestmark = [
    pytest.mark.skipif(not _DUMPS, reason="no dumps beside the project"),
    pytest.mark.skipif(15 not in available_binaries(), reason="the dumps need PostgreSQL 15 with contrib"),
]


@pytest.mark.parametrize("dump", _DUMPS, ids=lambda path: path.stem)
def test_a_pulled_dump_is_its_catalog(servers: Servers, dump: Path) -> None:
    server = servers.get(15)
    for database in fresh_database(server):
        psql = server.bin / "psql"
        subprocess.run([psql, "-X", "-q", "-f", dump, database], check=False, capture_output=True)
        actual = read(database).catalog
        assert len(actual.objects) > 50
        text = emit_schema(actual)
        again = compile_schema([Source("pulled.graphql", text)]).catalog
        assert again.tables == dict(actual.tables)
        assert again.enums == dict(actual.enums)
        assert again.schemas == actual.schemas
        assert again.schema_details == dict(actual.schema_details)
        assert again.objects == dict(actual.objects)
        assert all(same_object(again.objects[ref], record) for ref, record in actual.objects.items())
        # The same catalog is the same text, byte for byte.
        assert emit_schema(again) == emit_schema(dataclasses.replace(actual, unmanaged=()))
        assert emit_schema(read(database).catalog) == text
        # What is needed first is known on the declared side, too; operator classes do not say their extension.
        for name, table in actual.tables.items():
            wanted = {ref for ref in table.depends_on if ref.kind != "extension"}
            assert wanted <= set(again.tables[name].depends_on)
        for ref, record in actual.objects.items():
            wanted = {need for need in record.depends_on if need.kind != "extension"}
            assert wanted <= set(again.objects[ref].depends_on)
