"""Readings that only some servers give: the latency of clients by ``pg_stat_statements``, the room on the disk."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from wesley_tui.demo.server import EmbeddedServer, available_binaries
from wesley_tui.executor import readings
from wesley_tui.executor.readings import ClientLatency, DiskUse

_DEBIAN = 15
"""The only one at hand that comes with the extension."""


def test_disk_and_latency_where_there_is_nothing_to_read(database: str) -> None:
    async def read() -> tuple[float, tuple[int, float]]:
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
            return await DiskUse().read(connection), await ClientLatency(180000).read(connection)

    used, latency = asyncio.run(read())
    assert 0 < used < 100
    assert latency == (0, 0.0)


@pytest.fixture
def counting() -> Iterator[str]:
    """A server that counts statements."""
    if os.environ.get("WESLEY_SLOW") != "1" or _DEBIAN not in available_binaries():
        pytest.skip("WESLEY_SLOW=1 runs it, where a server with contrib is installed")
    directory = Path(tempfile.mkdtemp(prefix="wesley-test-counting-"))
    server = EmbeddedServer(
        directory / "data", major=_DEBIAN, options={"shared_preload_libraries": "pg_stat_statements"}
    )
    server.start()
    yield server.uri
    server.remove()
    directory.rmdir()


def test_latency_of_clients_without_our_own_statements(counting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "_LATENCY_EVERY_S", 0.0)

    async def read() -> list[tuple[int, float]]:
        async with await psycopg.AsyncConnection.connect(counting, autocommit=True) as connection:
            await connection.execute("CREATE SCHEMA stats")
            await connection.execute("CREATE EXTENSION pg_stat_statements SCHEMA stats")
            latency = ClientLatency(150000)
            found = [await latency.read(connection)]
            for _ in range(10):
                await connection.execute("SELECT pg_sleep(0.02)")
            found.append(await latency.read(connection))
            await connection.execute("SELECT pg_sleep(0.1) FROM (SELECT 1) AS wesley")
            found.append(await latency.read(connection))
        return found

    first, second, third = asyncio.run(read())
    assert second[0] - first[0] >= 10
    assert second[1] - first[1] >= 200
    assert third[1] - second[1] < 100
