"""Structure dumps of a real application: read whole, quickly, and created again from what was read."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tests.catalogs import create_statements, differences, read, run
from tests.conftest import Servers, fresh_database
from wesley_tui.catalog import ddl
from wesley_tui.catalog.fingerprint import fingerprint
from wesley_tui.catalog.types import canonical_type
from wesley_tui.demo.server import available_binaries

_DUMPS = sorted((Path(__file__).parents[3] / "shared" / "schemas").glob("*/*.sql"))

pytestmark = [
    pytest.mark.skipif(not _DUMPS, reason="no dumps beside the project"),
    pytest.mark.skipif(15 not in available_binaries(), reason="the dumps need PostgreSQL 15 with contrib"),
]


@pytest.mark.parametrize("dump", _DUMPS, ids=lambda path: path.stem)
def test_a_dump_is_read_whole(servers: Servers, dump: Path) -> None:
    server = servers.get(15)
    for database in fresh_database(server):
        psql = server.bin / "psql"
        subprocess.run(
            [psql, "-X", "-q", "-v", "ON_ERROR_STOP=0", "-f", dump, database], check=False, capture_output=True
        )
        text = dump.read_text()
        started = time.perf_counter()
        snapshot = read(database)
        elapsed = time.perf_counter() - started
        catalog = snapshot.catalog
        assert len(catalog.tables) >= text.count("\nCREATE TABLE ") * 0.8
        names = {user.name: user for user in catalog.enums}
        for table in catalog.tables.values():
            for column in table.columns:
                if not column.type.startswith("public."):
                    assert canonical_type(column.type, names) == column.type
            assert ddl.create_table(table)
        assert fingerprint(catalog) == fingerprint(read(database).catalog)
        # Everything has a record, and is made again as it was.
        assert not catalog.unmanaged
        for copy in fresh_database(server):
            run(copy, list(create_statements(catalog)))
            assert differences(catalog, read(copy).catalog) == []
        # Connecting included; an order of magnitude above what it takes, to catch a query per table.
        assert elapsed < 2
