"""The example sessions: a schema as it is, a schema as it should be, and the rows that stand in between.

A session is a folder with four files: ``session.toml`` (title, story, target server, what to look at),
``schema.v1.graphql`` (what the database holds at the start), ``schema.v2.graphql`` (where it is to go) and
``seed.sql`` (rows for v1 that also satisfy v2, the same rows every time). The folders lie in ``sessions/`` of a
checkout and in ``wesley_tui/_data/sessions`` of an installed wheel.

Loading has two halves. The objects of v1 are made by the pipeline itself, like any other plan; only the rows come from
here (:func:`seed`). The database remembers which session it holds, in the comment on the database: written in the
transaction that loads the rows, so that it is there exactly when all of them are (:func:`loaded`).
"""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import AsyncConnection

__all__ = ["Loaded", "Session", "SessionError", "available", "default", "find", "loaded", "seed", "sessions_directory"]

_PACKAGE = Path(__file__).resolve().parent.parent
_DEFAULT_SLUG = "startup-graveyard"
_COMMENT_KEY = "wesley_session"


class SessionError(Exception):
    """An example session is missing or incomplete; the message says which one, where it was looked for, and what to
    type instead."""


@dataclass(frozen=True)
class Session:
    """One example session; texts are read when they are first asked for."""

    slug: str
    """The name of its folder, and what the command line takes."""
    title: str
    summary: str
    """One sentence."""
    story: str
    """One paragraph: who wants this migration, and why it must not hurt."""
    major: int
    """Major version of the server that the session is meant for; all of 15 and later can hold it."""
    profile: str
    """Profile that its plans are made with by default."""
    largest_table: str
    """``schema.table`` with the most rows."""
    look_at: tuple[str, ...]
    """Steps of the plan that are worth a look, ``object: why``."""
    directory: Path

    @property
    def v1_path(self) -> Path:
        return self.directory / "schema.v1.graphql"

    @property
    def v2_path(self) -> Path:
        return self.directory / "schema.v2.graphql"

    @property
    def seed_path(self) -> Path:
        return self.directory / "seed.sql"

    @cached_property
    def v1(self) -> str:
        """SDL of what the database holds at the start."""
        return self._read(self.v1_path)

    @cached_property
    def v2(self) -> str:
        """SDL of the next version."""
        return self._read(self.v2_path)

    @cached_property
    def seed_sql(self) -> str:
        return self._read(self.seed_path)

    @property
    def digest(self) -> str:
        """64 hex digits over what a loaded database was made from: first schema and rows."""
        return hashlib.sha256(f"{self.v1}\0{self.seed_sql}".encode()).hexdigest()

    def _read(self, path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8")
        except OSError as error:
            raise SessionError(
                f"the session {self.slug!r} is incomplete: {path.name} cannot be read: {error.strerror or error}. "
                "Nothing was loaded. Install Wesley again, or restore the folder from the repository."
            ) from error


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a database says about itself: the session whose rows it was seeded with."""

    slug: str
    digest: str
    """:attr:`Session.digest` at that time; another one now means that the session has changed since."""

    def is_current(self, session: Session) -> bool:
        return (self.slug, self.digest) == (session.slug, session.digest)


def sessions_directory() -> Path:
    """Where the sessions are: beside the package in a checkout, inside it when installed from a wheel."""
    for candidate in (_PACKAGE / "_data" / "sessions", _PACKAGE.parent / "sessions"):
        if candidate.is_dir():
            return candidate
    raise SessionError(
        f"no example sessions: neither {_PACKAGE / '_data' / 'sessions'} nor {_PACKAGE.parent / 'sessions'} exists. "
        "Install Wesley again, or run from a complete checkout."
    )


@cache
def available() -> tuple[Session, ...]:
    """All sessions, the default one first, then by title."""
    sessions = [_read_session(path.parent) for path in sessions_directory().glob("*/session.toml")]
    return tuple(sorted(sessions, key=lambda session: (session.slug != _DEFAULT_SLUG, session.title)))


def default() -> Session:
    """The session that ``wesley demo`` opens when none is named."""
    return find(_DEFAULT_SLUG)


def find(slug: str) -> Session:
    """The session called ``slug``; raises :class:`SessionError` with the nearest name."""
    sessions = {session.slug: session for session in available()}
    if slug in sessions:
        return sessions[slug]
    near = difflib.get_close_matches(slug, sessions, n=1, cutoff=0.4)
    guess = f" Did you mean {near[0]!r}?" if near else ""
    raise SessionError(f"there is no session {slug!r}.{guess} Available: {', '.join(sessions)}.")


def _read_session(directory: Path) -> Session:
    path = directory / "session.toml"
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return Session(
            slug=directory.name,
            title=data["title"],
            summary=data["summary"],
            story=" ".join(data["story"].split()),
            major=data["major"],
            profile=data["profile"],
            largest_table=data["largest_table"],
            look_at=tuple(data["look_at"]),
            directory=directory,
        )
    except (tomllib.TOMLDecodeError, KeyError, OSError) as error:
        raise SessionError(f"{path} is not a session's description: {error}") from error


async def seed(session: Session, connection: AsyncConnection) -> None:
    """Fill the empty tables of ``session``'s first version, gather statistics, and note in the database that it is
    done; one transaction, all or nothing.

    ``connection`` belongs to the owner of the database. Without the statistics, estimates of durations would be made
    from ``reltuples = -1``.
    """
    from psycopg import sql

    async with connection.transaction():
        await connection.execute(session.seed_sql.encode())
        await connection.execute("ANALYZE")
        cursor = await connection.execute("SELECT current_database()")
        row = await cursor.fetchone()
        assert row is not None
        note = json.dumps({_COMMENT_KEY: session.slug, "digest": session.digest})
        await connection.execute(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(row[0]), sql.Literal(note))
        )


async def loaded(connection: AsyncConnection) -> Loaded | None:
    """The session that the connected database was completely seeded with, None when it was not."""
    cursor = await connection.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
    )
    row = await cursor.fetchone()
    if row is None or row[0] is None:
        return None
    try:
        note = json.loads(row[0])
        return Loaded(note[_COMMENT_KEY], note["digest"])
    except (ValueError, KeyError, TypeError):
        return None
