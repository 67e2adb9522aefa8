"""The crew: up to four workers, each with a psql child; another one is taken on only when that is worth it."""

from __future__ import annotations

import time
from collections.abc import Collection

from wesley_tui.executor.control import Control
from wesley_tui.executor.psql_binary import PsqlBinary
from wesley_tui.executor.target import PsqlAccess
from wesley_tui.executor.worker import Worker
from wesley_tui.planner.plan import Step, StepKind

__all__ = ["LONG_S", "Crew"]

LONG_S = 0.1
"""A worker that has been busy for longer is worth another psql for the next ready step."""


def _since(worker: Worker) -> float:
    """Since when a worker is at one thing: a statement, or the pause between two attempts to get a lock."""
    return worker.given_at if worker.busy_since is None else worker.busy_since


class Crew:
    def __init__(self, binary: PsqlBinary, access: PsqlAccess, control: Control, server_version: int) -> None:
        self.workers: list[Worker] = []
        self._binary = binary
        self._access = access
        self._control = control
        self._server_version = server_version

    def idle(self, step: Step, busy: Collection[Worker], limit: int) -> Worker | None:
        """A worker for ``step`` that is not among the ``busy`` ones, of at most ``limit``."""
        if len(busy) >= limit:
            return None
        for worker in self.workers:
            if worker not in busy:
                return worker
        if len(self.workers) >= limit:
            return None
        now = time.monotonic()
        long = all(now - _since(worker) > LONG_S for worker in busy)
        if busy and not long and step.kind is StepKind.TRANSACTIONAL:
            return None
        worker = Worker(len(self.workers) + 1, self._binary, self._access, self._control, self._server_version)
        self.workers.append(worker)
        return worker

    async def cancel(self, *, insistent: bool, step_sha: str | None = None) -> None:
        """Cancel what the server runs for us, or for one step only; what tidies up only when ``insistent``."""
        for worker in self.workers:
            mine = step_sha is None or (worker.step is not None and worker.step.step_sha == step_sha)
            if mine and worker.busy_since is not None and worker.backend_pid and (worker.cancellable or insistent):
                worker.cancelled_for = step_sha
                await self._control.cancel(worker.backend_pid)

    async def close(self) -> None:
        for worker in self.workers:
            if worker.busy_since is not None:
                worker.kill()
            await worker.close()
