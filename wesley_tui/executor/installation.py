"""Putting the rails into a database: all files in one transaction, once per version."""

from __future__ import annotations

import asyncio
import hashlib
import time
from importlib import resources
from typing import Any

from psycopg import AsyncConnection

from wesley_tui.executor.errors import LockNotAcquired, RailsConflict
from wesley_tui.executor.locks import lock_key

__all__ = ["RAILS_VERSION", "install_rails", "installed_version", "rails_digest", "rails_files"]

RAILS_VERSION = 1
"""Counts up whenever the files change in a way that an older program could not work with."""

_INSTALL_LOCK = lock_key("wesley:rails")


def rails_files() -> list[tuple[str, str]]:
    """(name, text) of the numbered files, in order."""
    folder = resources.files("wesley_tui.rails")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(name, (folder / name).read_text(encoding="utf-8")) for name in names]


def rails_digest() -> str:
    """SHA-256 over all files: tells whether the installed functions are these."""
    return hashlib.sha256("\0".join(text for _, text in rails_files()).encode()).hexdigest()


async def installed_version(connection: AsyncConnection[Any]) -> tuple[int, str] | None:
    """(version, digest) of what is installed, None when nothing is.

    Raises :class:`RailsConflict` when there is a schema ``wesley`` that is not ours.
    """
    cursor = await connection.execute(
        "SELECT to_regclass('wesley.rails_version') IS NOT NULL,"
        " EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'wesley')"
    )
    row = await cursor.fetchone()
    assert row is not None
    ours, occupied = row
    if not ours:
        if occupied:
            raise RailsConflict(
                "the database has a schema wesley that Wesley did not make. Nothing was changed. Rename that schema, "
                "or migrate this database with another tool"
            )
        return None
    cursor = await connection.execute("SELECT version, digest FROM wesley.rails_version ORDER BY version DESC LIMIT 1")
    return await cursor.fetchone()


async def install_rails(connection: AsyncConnection[Any], patience_s: float = 10.0) -> bool:
    """Install or renew the rails; True when something was installed. ``connection`` is in autocommit mode."""
    digest = rails_digest()
    end = time.monotonic() + patience_s
    while True:
        installed = await installed_version(connection)
        if installed is not None and installed[0] > RAILS_VERSION:
            raise RailsConflict(
                f"the schema wesley of this database has version {installed[0]}, this program knows {RAILS_VERSION}. "
                "Nothing was changed. Use the newer Wesley that installed it"
            )
        if installed == (RAILS_VERSION, digest):
            return False
        if await _try_install(connection, digest):
            return True
        if time.monotonic() >= end:
            raise LockNotAcquired("another process is installing the schema wesley. Nothing was changed; try again")
        await asyncio.sleep(0.1)


async def _try_install(connection: AsyncConnection[Any], digest: str) -> bool:
    async with connection.transaction():
        await connection.execute(
            "SELECT set_config('search_path', 'pg_catalog, pg_temp', true), set_config('lock_timeout', '5s', true),"
            " set_config('client_min_messages', 'warning', true), set_config('check_function_bodies', 'on', true),"
            " set_config('default_tablespace', '', true)"
        )
        cursor = await connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (_INSTALL_LOCK,))
        row = await cursor.fetchone()
        if row is None or not row[0]:
            return False
        for _, text in rails_files():
            await connection.execute(text.encode())
        await connection.execute(
            "INSERT INTO wesley.rails_version (version, digest) VALUES (%s, %s)"
            " ON CONFLICT (version) DO UPDATE SET digest = excluded.digest, installed_at = clock_timestamp(),"
            " installed_by = session_user",
            (RAILS_VERSION, digest),
        )
    return True
