"""Giving up a run whose process is gone, so that another plan may run."""

from __future__ import annotations

import asyncio

from wesley_tui.executor.locks import unlock_all
from wesley_tui.executor.opening import connections, take_run_lock
from wesley_tui.executor.recovery import find_run, silence_orphans

__all__ = ["cancel_run"]


def cancel_run(conninfo: str, run_id: int | None = None, reason: str = "given up", patience_s: float = 1.0) -> int:
    """End run ``run_id`` (None: the last one) as cancelled and return its id.

    Statements of it that still run in the server are cancelled first. What has succeeded stays; ``wesley resume`` can
    still take it up. Raises LockNotAcquired when a process works on a run (abort it there), and ExecutorError when
    there is nothing to give up.
    """
    return asyncio.run(_cancel(conninfo, run_id, reason, patience_s))


async def _cancel(conninfo: str, run_id: int | None, reason: str, patience_s: float) -> int:
    async with connections(conninfo) as (control, lock, _):
        try:
            await take_run_lock(lock, patience_s)
            row = await find_run(control.connection, run_id, verb="cancel")
            await silence_orphans(lock, control, patience_s)
            await control.connection.execute("SELECT wesley.abandon_run(%s, %s)", (row.run_id, reason))
            return row.run_id
        finally:
            await unlock_all(lock)
            await lock.close()
            await control.connection.close()
