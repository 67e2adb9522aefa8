"""What can go wrong, as a small tree: the class says what it means for the database, the message where and what next.

``exit_code`` is the status that the ``wesley`` command ends with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

__all__ = [
    "CannotConnect",
    "CheckFailed",
    "ConnectionLost",
    "DriftDetected",
    "ExecutorError",
    "LockNotAcquired",
    "MissingPrivilege",
    "PlanMismatch",
    "PoolerDetected",
    "PsqlUnusable",
    "RailsConflict",
    "ReadOnlyServer",
    "RecoveryNeeded",
    "StandbyMissing",
    "StatementFailed",
    "UnsafeBlocked",
    "UnsupportedServer",
]


class ExecutorError(Exception):
    """The migration could not be executed."""

    exit_code: ClassVar[int] = 1


class CannotConnect(ExecutorError):
    """No connection to the server; nothing was read or changed."""

    exit_code = 4


class LockNotAcquired(ExecutorError):
    """Another process runs a migration on this database; nothing was changed."""

    exit_code = 5


class CheckFailed(ExecutorError):
    """A condition that the migration needs does not hold; nothing was changed."""

    exit_code = 6


class PsqlUnusable(CheckFailed):
    """There is no psql, or only one that is too old."""


class UnsupportedServer(CheckFailed):
    """The server's version is outside 12 to 18."""


class ReadOnlyServer(CheckFailed):
    """The server is a standby, or takes read-only transactions only (SQLSTATE 25006)."""


class PoolerDetected(CheckFailed):
    """Between us and the server sits a transaction pooler: session locks and settings would go to anybody's session."""


class MissingPrivilege(CheckFailed):
    """The role may not do what the plan needs (SQLSTATE 42501)."""


class RailsConflict(CheckFailed):
    """The schema ``wesley`` in the database is newer than this program, or is not ours."""


class PlanMismatch(CheckFailed):
    """The plan is not the one that was reviewed, stored, or made for this server."""


class DriftDetected(ExecutorError):
    """The database is not what the plan was made for; nothing was changed."""

    exit_code = 7


class UnsafeBlocked(ExecutorError):
    """Steps of class H3 were not explicitly accepted; nothing was changed."""

    exit_code = 8


class RecoveryNeeded(ExecutorError):
    """An earlier run ended without an end (its process died); it must be resumed or given up first."""

    exit_code = 10


class ConnectionLost(ExecutorError):
    """A connection ended while something was under way: what was not committed is rolled back, what was is recorded."""

    exit_code = 10


class StandbyMissing(ConnectionLost):
    """COMMIT waits for a synchronous standby that does not confirm: what it committed is not lost, and not seen yet."""

    @classmethod
    def told(cls, pid: int) -> StandbyMissing:
        return cls(
            f"COMMIT in session {pid} does not end, because no synchronous standby confirms it. "
            "What it did has happened on this server, and is seen once a standby confirms it or the wait is cancelled; "
            "every client that writes waits likewise. No further step was started. Bring the standby back, or change "
            "synchronous_standby_names and reload"
        )


@dataclass(slots=True, eq=False)
class StatementFailed(ExecutorError):
    """The server refused or cancelled a statement; its transaction is rolled back."""

    sqlstate: str
    """Five characters; empty when psql itself failed."""
    primary: str
    detail: str = ""
    hint: str = ""
    context: str = ""

    def __str__(self) -> str:
        parts = [f"{self.primary} (SQLSTATE {self.sqlstate or 'unknown'})"]
        parts += [f"{word}: {text}" for word, text in (("detail", self.detail), ("what to do", self.hint)) if text]
        return "; ".join(parts)
