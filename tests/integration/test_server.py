"""The embedded server itself."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.conftest import Servers
from wesley_tui.demo.server import EmbeddedServer, ServerError


def test_every_version_answers(any_server: EmbeddedServer, any_database: str) -> None:
    with psycopg.connect(any_database) as connection:
        row = connection.execute("SHOW server_version_num").fetchone()
    assert row is not None
    assert int(row[0]) // 10000 == any_server.major


def test_survives_a_killed_postmaster(servers: Servers, server: EmbeddedServer, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    server.kill()
    assert not server.running
    server.start()
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_missing_binaries_say_what_to_install() -> None:
    with pytest.raises(ServerError, match="demo extra"):
        EmbeddedServer(data=Path("unused"), major=9)
