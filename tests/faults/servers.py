"""Servers of a test's own, and waiting for what can be seen in a server."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from wesley_tui.demo.server import EmbeddedServer

__all__ = ["own_server", "until"]


@contextmanager
def own_server(options: Mapping[str, str], port: int | None = None) -> Iterator[EmbeddedServer]:
    """A server with other settings than those of all tests."""
    with tempfile.TemporaryDirectory(prefix="wesley-own-") as name:
        server = EmbeddedServer(Path(name) / "data", options=options, port=port)
        server.start()
        try:
            yield server
        finally:
            server.remove()


def until(uri: str, query: str, timeout: float = 20) -> None:
    """Wait until ``query`` yields a row; a table that it names need not be there yet."""
    end = time.monotonic() + timeout
    with psycopg.connect(uri, autocommit=True) as connection:
        while True:
            with contextlib.suppress(psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                if connection.execute(query.encode()).fetchone() is not None:
                    return
            assert time.monotonic() < end, f"never seen: {query}"
            time.sleep(0.02)
