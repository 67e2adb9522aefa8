"""The watch: who holds up our statements while they wait; afterwards it could not be told any more. And whether one
waits for a standby that does not come: no timeout of the server ends that."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence

from wesley_tui.executor.control import Control
from wesley_tui.executor.errors import StandbyMissing, StatementFailed
from wesley_tui.executor.events import EventType
from wesley_tui.executor.worker import Worker

__all__ = ["watch"]

_EVERY_S = 0.1
_TELL_AFTER_S = 1.0
_TELL_EVERY_S = 10.0
STANDBY_S = 30.0
"""A synchronous standby that has not confirmed a COMMIT for so long is missing."""


async def watch(control: Control, workers: Sequence[Worker]) -> None:
    """Look every tenth of a second at the workers that are busy, for as long as the run lasts; raises
    :class:`StandbyMissing` when a COMMIT does not end."""
    unconfirmed: dict[int, float] = {}
    looked = 0.0
    while True:
        await asyncio.sleep(_EVERY_S)
        now = time.monotonic()
        waiting = {
            worker.backend_pid: worker
            for worker in workers
            if worker.busy_since is not None and now - worker.busy_since > _EVERY_S / 2 and worker.backend_pid
        }
        if not waiting:
            continue
        with contextlib.suppress(StatementFailed):
            found = await control.blockers(list(waiting))
            for pid, worker in waiting.items():
                mine = tuple(blocker for blocker in found if blocker.waiter == pid)
                worker.blockers = mine
                worker.seen_blockers = mine or worker.seen_blockers
                await _tell_waiting(control, worker, now)
            if now - looked >= _TELL_AFTER_S:
                looked = now
                unconfirmed = await _unconfirmed(control, waiting, unconfirmed)


async def _unconfirmed(
    control: Control, waiting: Mapping[int, Worker], before: Mapping[int, float]
) -> dict[int, float]:
    """Since when (monotonic) sessions wait for a standby; asked only of those that have been busy for a while."""
    now = time.monotonic()
    long = [
        pid
        for pid, worker in waiting.items()
        if worker.busy_since is not None and now - worker.busy_since > _TELL_AFTER_S
    ]
    since = {pid: before.get(pid, now) for pid in await control.waiting_for_standby(long)} if long else {}
    for pid, begun in since.items():
        if now - begun > STANDBY_S:
            raise StandbyMissing.told(pid)
    return since


async def _tell_waiting(control: Control, worker: Worker, now: float) -> None:
    """Say now and then whom a statement waits for that has no lock_timeout to end its wait."""
    step, since = worker.step, worker.busy_since
    if not worker.blockers or step is None or since is None or now - since < _TELL_AFTER_S:
        return
    if now - worker.told_waiting >= _TELL_EVERY_S:
        worker.told_waiting = now
        await control.event(
            EventType.LOCK_TIMEOUT,
            "is waiting for " + "; ".join(map(str, worker.blockers)),
            step_sha=step.step_sha,
            metrics={"waiting": True, "waited_ms": round((now - since) * 1000), "pid": worker.backend_pid},
        )
