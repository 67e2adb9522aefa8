"""A worker: one psql child, replaced when it is lost, with a session that is set up the same way every time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from wesley_tui.executor.control import Blocker, Control
from wesley_tui.executor.errors import ConnectionLost, StatementFailed
from wesley_tui.executor.locks import WORKER_LOCK
from wesley_tui.executor.psql import Answer, Psql
from wesley_tui.executor.psql_binary import PsqlBinary
from wesley_tui.executor.stored import STEP_SETTINGS
from wesley_tui.executor.target import OWN_LIMITS, PsqlAccess
from wesley_tui.planner.plan import Step

__all__ = ["Worker", "WorkerLost", "application_prefix"]

_GRACE_S = 30.0
"""An answer that is this much later than statement_timeout does not come any more: COMMIT is not bounded by
statement_timeout, a connection can swallow everything."""


class WorkerLost(ConnectionLost):
    """A psql child or its session ended during a step; whether the step happened is to be looked up."""


def application_prefix(run_id: int) -> str:
    """``application_name`` of all sessions that run steps of this run begins so."""
    return f"wesley/{run_id}/"


class Worker:
    def __init__(
        self, number: int, binary: PsqlBinary, access: PsqlAccess, control: Control, server_version: int
    ) -> None:
        self.number = number
        self.blockers: tuple[Blocker, ...] = ()
        """Who holds up the current statement, as of the watch's last look."""
        self.seen_blockers: tuple[Blocker, ...] = ()
        """Who has held it up at any time since it was sent."""
        self.busy_since: float | None = None
        """Monotonic time since when it waits for an answer."""
        self.step: Step | None = None
        """What it was given to run last."""
        self.given_at = 0.0
        """Monotonic time when it got what it is at."""
        self.told_waiting = 0.0
        """Monotonic time of the last event that says whom its statement waits for."""
        self.together = 1
        """How many short steps it may be given at once."""
        self.cancellable = False
        """Whether an abort may cancel what it runs: not while it removes what was left half-made."""
        self.cancelled_for: str | None = None
        """``step_sha`` of the one step for whose sake its statement was cancelled."""
        self._binary = binary
        self._access = access
        self._control = control
        self._server_version = server_version
        self._psql: Psql | None = None
        self._timeouts = (0, 0)

    @property
    def backend_pid(self) -> int:
        return self._psql.backend_pid if self._psql is not None else 0

    @property
    def psql_pid(self) -> int:
        return self._psql.pid if self._psql is not None else 0

    async def ask(
        self,
        statement: str,
        *,
        statement_timeout_ms: int = 0,
        lock_timeout_ms: int = 0,
        generated: bool = False,
        cancellable: bool = True,
    ) -> Answer:
        """Run one statement with these session timeouts (0: none).

        statement_timeout must be set before the statement begins, the server reads it then; lock_timeout is the
        session's, transactional steps lower it inside. Raises StatementFailed, or :class:`WorkerLost` after having
        made sure that the lost session is gone.
        """
        psql = await self._session()
        self.blockers = self.seen_blockers = ()
        self.busy_since = time.monotonic()
        self.cancellable, self.cancelled_for = cancellable, None
        try:
            if self._timeouts != (statement_timeout_ms, lock_timeout_ms):
                await psql.ask(
                    f"SELECT pg_catalog.set_config('statement_timeout', '{statement_timeout_ms}', false),"
                    f" pg_catalog.set_config('lock_timeout', '{lock_timeout_ms}', false)"
                )
                self._timeouts = (statement_timeout_ms, lock_timeout_ms)
            async with asyncio.timeout(statement_timeout_ms / 1000 + _GRACE_S if statement_timeout_ms else None):
                return await psql.ask(statement, generated=generated)
        except (ConnectionLost, TimeoutError) as error:
            await self._bury(psql)
            raise WorkerLost(str(error) or "the server did not answer in time") from error
        finally:
            self.busy_since = None

    async def close(self) -> None:
        if self._psql is not None:
            await self._psql.close()
            self._psql = None

    def kill(self) -> None:
        if self._psql is not None:
            self._psql.kill()

    async def _session(self) -> Psql:
        if self._psql is not None and self._psql.alive:
            return self._psql
        if self._psql is not None:
            await self._bury(self._psql)
        name = f"{application_prefix(self._control.run_id)}{self.number}"
        try:
            psql = await Psql.start(self._binary, self._access, name)
            settings = dict(
                STEP_SETTINGS,
                client_min_messages="notice",
                statement_timeout="0",
                lock_timeout="0",
                default_transaction_isolation="read committed",
            )
            await psql.ask(
                "SELECT "
                + ", ".join(f"pg_catalog.set_config('{name}', '{value}', false)" for name, value in settings.items())
            )
            await psql.ask(OWN_LIMITS)
            if self._server_version >= 140000:
                # A server on a platform that cannot tell a closed connection refuses; then only the worker lock fences.
                with contextlib.suppress(StatementFailed):
                    await psql.ask("SELECT pg_catalog.set_config('client_connection_check_interval', '1s', false)")
            answer = await psql.ask(f"SELECT pg_catalog.pg_try_advisory_lock_shared({WORKER_LOCK})")
        except ConnectionLost as error:
            raise WorkerLost(str(error)) from error
        if answer.rows != ("t",):
            await psql.close()
            raise WorkerLost("another run is taking over this database")
        self._psql = psql
        self._timeouts = (0, 0)
        return psql

    async def _bury(self, psql: Psql) -> None:
        """Make sure that nothing of a lost session can still happen before anything else is tried."""
        self._psql = None
        psql.kill()
        with contextlib.suppress(ConnectionLost):
            await psql.close()
        pid = psql.backend_pid
        await until_gone(self._control, pid, cancel_after_s=3.0, terminate_after_s=6.0, give_up_after_s=30.0)


async def until_gone(
    control: Control,
    pid: int,
    *,
    cancel_after_s: float,
    terminate_after_s: float,
    give_up_after_s: float,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Wait until the session ``pid`` has ended; cancel, then terminate it when it takes long.

    Raises :class:`ConnectionLost` when it is still there after ``give_up_after_s`` seconds.
    """
    begun = clock()
    asked: set[str] = set()
    while pid and await control.session_alive(pid):
        waited = clock() - begun
        if waited > give_up_after_s:
            raise ConnectionLost(
                f"session {pid} of a lost psql is still there after {waited:.0f} s, so its statement may still commit. "
                f"Nothing else was run; end it with SELECT pg_terminate_backend({pid}), then: wesley resume"
            )
        if waited > cancel_after_s and "cancel" not in asked:
            asked.add("cancel")
            await control.cancel(pid)
        if waited > terminate_after_s and "terminate" not in asked:
            asked.add("terminate")
            await control.terminate(pid)
        await asyncio.sleep(0.05)
