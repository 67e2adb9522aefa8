"""Readings of the governor that are to be had only in some places: the latency of clients where ``pg_stat_statements``
is installed, the room on the disk where the server is on this machine. Where they are not, they are zero."""

from __future__ import annotations

import os
import time
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql

__all__ = ["ClientLatency", "DiskUse"]

_LATENCY_EVERY_S = 5.0


class ClientLatency:
    """How many statements of clients there were in this database so far, and how long they took in all."""

    def __init__(self, server_version: int) -> None:
        self._total = "total_exec_time" if server_version >= 130000 else "total_time"
        self._view: sql.Identifier | None = None
        self._missing = False
        self._at = 0.0
        self._last = (0, 0.0)

    async def read(self, connection: AsyncConnection[Any]) -> tuple[int, float]:
        """(statements, milliseconds), not older than five seconds; zeros where that cannot be told.

        Our own statements, which all begin with a call of schema ``wesley`` or are a build, are left out.
        """
        if self._missing or time.monotonic() - self._at < _LATENCY_EVERY_S:
            return self._last
        self._at = time.monotonic()
        try:
            if self._view is None:
                self._view = await _statements_view(connection)
            if self._view is None:
                self._missing = True
                return self._last
            cursor = await connection.execute(
                sql.SQL(
                    "SELECT coalesce(sum(calls), 0)::bigint, coalesce(sum({total}), 0)::float8 FROM {view}"
                    " WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
                    " AND query NOT ILIKE '%wesley%' AND query NOT ILIKE '%concurrently%'"
                ).format(total=sql.Identifier(self._total), view=self._view)
            )
            row = await cursor.fetchone()
            if row is not None:
                self._last = (row[0], row[1])
        except psycopg.errors.Error as error:
            if error.sqlstate is None:
                raise
            self._missing = True
        return self._last


async def _statements_view(connection: AsyncConnection[Any]) -> sql.Identifier | None:
    cursor = await connection.execute(
        "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
        " WHERE e.extname = 'pg_stat_statements'"
    )
    row = await cursor.fetchone()
    return sql.Identifier(row[0], "pg_stat_statements") if row is not None else None


class DiskUse:
    """How full the file system is that holds the data directory, when the connection is a Unix socket."""

    def __init__(self) -> None:
        self._directory: str | None = None

    async def read(self, connection: AsyncConnection[Any]) -> float:
        """Percent; 0 where it cannot be told."""
        if self._directory is None:
            self._directory = ""
            if connection.info.host.startswith("/"):
                cursor = await connection.execute(
                    "SELECT setting FROM pg_settings WHERE name = 'data_directory' AND setting IS NOT NULL"
                )
                row = await cursor.fetchone()
                self._directory = row[0] if row is not None else ""
        if not self._directory:
            return 0.0
        try:
            found = os.statvfs(self._directory)
        except OSError:
            return 0.0
        usable = found.f_blocks - found.f_bfree + found.f_bavail
        return round(100 * (1 - found.f_bavail / usable), 1) if usable else 0.0
