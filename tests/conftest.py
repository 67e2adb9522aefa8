"""Real servers for the tests: one cluster per major version and test process, one fresh database per test.

``server`` is PostgreSQL 18; ``any_server`` runs a test on every version at hand (embedded 16 and 18, Debian's 15 where
it is installed). ``database`` and ``any_database`` give a libpq URI of an empty database on them.

Property tests draw the same examples every time, so that a change is judged by what it changes; with ``WESLEY_SLOW=1``
they draw at random.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from wesley_tui.demo.server import EmbeddedServer, available_binaries

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile("random" if os.environ.get("WESLEY_SLOW") == "1" else "same")

FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "max_prepared_transactions": "5",
    "autovacuum": "off",
    "log_min_messages": "warning",
}
_VERSIONS = [major for major in (15, 16, 18) if major in available_binaries()]
_COUNTER = itertools.count(1)


class Servers:
    """Clusters by major version, started when a test first asks."""

    def __init__(self) -> None:
        self._running: dict[int, EmbeddedServer] = {}

    def get(self, major: int) -> EmbeddedServer:
        if major not in self._running:
            directory = Path(tempfile.mkdtemp(prefix=f"wesley-test-{major}-"))
            server = EmbeddedServer(directory / "data", major=major, options=FAST)
            server.start()
            self._running[major] = server
        server = self._running[major]
        server.start()
        return server

    def close(self) -> None:
        for server in self._running.values():
            server.remove()
            server.data.parent.rmdir()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    clusters = Servers()
    yield clusters
    clusters.close()


@pytest.fixture
def server(servers: Servers) -> EmbeddedServer:
    """PostgreSQL 18 (or the newest at hand)."""
    return servers.get(_VERSIONS[-1])


@pytest.fixture(params=_VERSIONS, ids=lambda major: f"pg{major}")
def any_server(servers: Servers, request: pytest.FixtureRequest) -> EmbeddedServer:
    return servers.get(request.param)


@pytest.fixture
def database(server: EmbeddedServer) -> Iterator[str]:
    """URI of an empty database on PostgreSQL 18."""
    yield from fresh_database(server)


@pytest.fixture
def any_database(any_server: EmbeddedServer) -> Iterator[str]:
    """URI of an empty database, once per server version."""
    yield from fresh_database(any_server)


def fresh_database(server: EmbeddedServer) -> Iterator[str]:
    """Create a database, yield its URI, drop it with whoever is still connected."""
    name = f"t_{os.getpid()}_{next(_COUNTER)}"
    with psycopg.connect(server.uri, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield server.uri_for(name)
    server.start()
    with psycopg.connect(server.uri, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
