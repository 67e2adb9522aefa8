"""Which database is meant, and how it is shown: a libpq URI or conninfo, or nothing, and then the libpq environment.

The password stays inside :attr:`Target.conninfo`; nothing that is printed, logged or put on a command line is made
from that field.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wesley_tui.services.errors import CannotConnect, CannotRead, InputError

if TYPE_CHECKING:
    from collections.abc import Collection

    import psycopg

    from wesley_tui.catalog.snapshot import Snapshot
    from wesley_tui.services.observing import Observed

_CONNECT_TIMEOUT_S = 10
"""Seconds to wait for one host when neither the conninfo nor PGCONNECT_TIMEOUT says otherwise."""


@dataclass(frozen=True, slots=True)
class Target:
    """``conninfo`` is what libpq takes; empty means that PGHOST, PGSERVICE, PGPASSFILE … decide."""

    conninfo: str = ""

    def __repr__(self) -> str:
        return f"Target({self.label!r})"

    def parameters(self) -> dict[str, str]:
        """The conninfo taken apart; raises :class:`InputError` when libpq cannot parse it."""
        import psycopg
        from psycopg.conninfo import conninfo_to_dict

        try:
            return {key: str(value) for key, value in conninfo_to_dict(self.conninfo).items() if value is not None}
        except psycopg.ProgrammingError as error:
            # libpq quotes the offending text, which may be a password: only the kind of mistake is repeated
            raise InputError(
                "--db is neither a libpq URI nor a conninfo string; nothing was connected. "
                "Write postgresql://user@host:5432/database or 'host=… dbname=…'."
            ) from error

    @property
    def label(self) -> str:
        """``database @ host:port``, without user and password."""
        try:
            known = self.parameters()
        except InputError:
            return "invalid connection string"
        return _label(known.get("dbname") or known.get("user", ""), known.get("host", ""), known.get("port", ""))

    async def connect(self, *, application: str = "wesley") -> psycopg.AsyncConnection:
        """Open one autocommit session; raises :class:`CannotConnect` with libpq's reason and what to try.

        Settings of PGOPTIONS and PGCLIENTENCODING are for other programs: they would change what is read here.
        """
        import os

        import psycopg

        known = self.parameters()
        extra: dict[str, str | int] = {"application_name": application}
        extra |= {name: value for name, value in _OWN.items() if name not in known}
        if "connect_timeout" not in known and "PGCONNECT_TIMEOUT" not in os.environ:
            extra["connect_timeout"] = _CONNECT_TIMEOUT_S
        try:
            return await psycopg.AsyncConnection.connect(self.conninfo, autocommit=True, **extra)  # type: ignore[arg-type]
        except psycopg.OperationalError as error:
            raise CannotConnect(_explain(error, self.label)) from error

    async def matching_schemas(self, patterns: Collection[str]) -> tuple[str, ...]:
        """The schemas that ``patterns`` mean, sorted: a plain name stands for itself, also when there is no such schema
        yet; one with ``*``, ``?`` or ``[`` for those that are there. Raises ``InputError`` when none is."""
        from fnmatch import fnmatchcase

        connection = await self.connect()
        try:
            cursor = await connection.execute(
                "SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN"
                " ('information_schema', 'wesley', 'wesley_retired')"
            )
            there = [str(name) for (name,) in await cursor.fetchall()]
        finally:
            await connection.close()
        found: set[str] = set()
        for pattern in patterns:
            if not any(sign in pattern for sign in "*?["):
                found.add(pattern)
                continue
            matches = [name for name in there if fnmatchcase(name, pattern)]
            if not matches:
                raise InputError(
                    f"no schema of {self.label} matches {pattern!r}; there are: {', '.join(sorted(there))}"
                )
            found.update(matches)
        return tuple(sorted(found))

    async def snapshot(self, schemas: Collection[str] | None = None) -> Snapshot:
        """Connect, read the catalog, disconnect."""
        snapshot, _ = await self._look(schemas, observing=False)
        return snapshot

    async def look(self, schemas: Collection[str] | None = None, *, probing: bool = False) -> tuple[Snapshot, Observed]:
        """The catalog, and then what the server is doing: who is in the way, how fast it was, when it is quiet.
        ``probing`` measures how fast it is where it has no history."""
        return await self._look(schemas, observing=True, probing=probing)

    async def _look(
        self, schemas: Collection[str] | None, *, observing: bool, probing: bool = False
    ) -> tuple[Snapshot, Observed]:
        import psycopg

        from wesley_tui.catalog.introspect import CatalogLocked, UnsupportedServer, read_snapshot
        from wesley_tui.services.observing import NOTHING_SEEN, observe

        connection = await self.connect()
        try:
            snapshot = await read_snapshot(connection, schemas)
            seen = await observe(connection) if observing else NOTHING_SEEN
            if probing:
                from wesley_tui.services.probing import probed_rates

                seen = replace(seen, rates=await probed_rates(connection, snapshot, seen.rates))
        except (CatalogLocked, UnsupportedServer) as error:
            raise CannotRead(f"{self.label}: {error}") from error
        except psycopg.Error as error:
            raise CannotRead(
                f"{self.label}: the catalog could not be read: {_first_line(error)}. Nothing was changed; try again."
            ) from error
        finally:
            await connection.close()
        return snapshot, seen


_OWN = {"options": "", "client_encoding": "UTF8"}


def _label(database: str, host: str, port: str) -> str:
    place = host.split(",")[0] if host else "local socket"
    if place.startswith("/"):
        place = "local socket"
    elif port:
        place += f":{port.split(',')[0]}"
    return f"{database or 'default database'} @ {place}"


_ADVICE = (
    ("password authentication failed", "Check the user and the password (PGPASSFILE, ~/.pgpass or PGPASSWORD)."),
    ("no password supplied", "Put the password into ~/.pgpass or PGPASSFILE; Wesley never asks for it in an argument."),
    ("Connection refused", "Is the server running, and is this its host and port?"),
    ("could not translate host name", "Check the spelling of the host, and the name resolution of this machine."),
    ("timeout expired", "The host did not answer: a firewall, a wrong port, or a server that is down."),
    ("does not exist", "Check the name in --db; `psql -l` lists what is there."),
    ("too many clients", "Wait until sessions end, or raise max_connections; Wesley needs up to 7 sessions."),
    ("remaining connection slots", "Wait until sessions end, or raise max_connections; Wesley needs up to 7 sessions."),
    ("starting up", "The server is starting: try again in a moment."),
    ("no pg_hba.conf entry", "The server's pg_hba.conf does not let this user in from here."),
    ("No such file or directory", "No server listens on that socket: is it running, and is PGHOST right?"),
)


def _explain(error: Exception, label: str) -> str:
    reason = _first_line(error)
    advice = next((text for sign, text in _ADVICE if sign in str(error)), "Check --db and the PG* environment.")
    return f"cannot connect to {label}: {reason}\n  Nothing was read or changed. {advice}"


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
