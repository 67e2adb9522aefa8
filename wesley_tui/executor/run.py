"""A run as others see it: a handle to the engine's thread, and a bounded outbox that never makes the engine wait.

The engine puts, one reader takes. There is no lock: the deque's own operations are atomic, the state is one reference
that is replaced. When nobody reads, old events fall out (the database has them all) and the state stays current.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wesley_tui.executor.events import Event, RunState, RunStatus, reduce_all

if TYPE_CHECKING:
    from wesley_tui.executor.certificate import Certificate

__all__ = ["Outbox", "Run", "RunOutcome", "RunUpdate"]

OUTBOX_EVENTS = 2_000


@dataclass(frozen=True, slots=True)
class RunUpdate:
    """What happened since the last :meth:`Run.drain`."""

    state: RunState
    """After all events so far, also those that were dropped."""
    events: tuple[Event, ...]
    dropped: int
    """Events since the last drain that are not in ``events``, because more came than the outbox holds."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended."""

    run_id: int
    plan_id: str
    status: RunStatus
    message: str = ""
    """What happened and what to do next; empty when all went well."""
    failed_step: str | None = None
    """``step_sha``."""
    sqlstate: str = ""
    verified: bool | None = None
    """Whether the database was read again and is what the plan was made for; None when that was not or could not be
    told."""
    certificate: Certificate | None = None
    """Of a run that is complete but for what it was not asked to do."""
    lost: bool = False
    """A connection that the run cannot do without was lost: it is to be resumed."""

    @property
    def exit_code(self) -> int:
        """The status that the ``wesley`` command ends with."""
        if self.lost:
            return 10
        if self.status is RunStatus.CANCELLED:
            return 9
        if self.status in {RunStatus.COMPLETE, RunStatus.CONTRACT_PENDING, RunStatus.ROLLED_BACK}:
            return 0
        return exit_code_of_failure(self.sqlstate)


def exit_code_of_failure(sqlstate: str) -> int:
    """The status that says why a run failed, after the SQLSTATE of the step that failed first: 5 when it never got its
    lock, 6 when one of its checks does not hold, 7 on drift, else 1."""
    return {"55P03": 5, "WE002": 6, "WE003": 6, "WE007": 7}.get(sqlstate, 1)


class Outbox:
    """Events from the engine's thread to one reader; bounded and conflating."""

    def __init__(self, capacity: int = OUTBOX_EVENTS) -> None:
        self._events: deque[Event] = deque()
        self._capacity = capacity
        self._dropped = 0
        self._dropped_told = 0
        self.state = RunState()

    def put(self, events: Sequence[Event]) -> None:
        for event in events:
            if len(self._events) >= self._capacity:
                try:
                    self._events.popleft()
                except IndexError:
                    pass
                else:
                    self._dropped += 1
            self._events.append(event)
        self.state = reduce_all(self.state, events)

    def take(self) -> RunUpdate:
        events = []
        for _ in range(self._capacity):
            try:
                events.append(self._events.popleft())
            except IndexError:
                break
        dropped = self._dropped - self._dropped_told
        self._dropped_told += dropped
        return RunUpdate(self.state, tuple(events), dropped)


class Run:
    """A run under way. Methods return at once, except :meth:`wait`; all may be called from any thread."""

    def __init__(
        self, outbox: Outbox, send: Callable[[str, str, Mapping[str, Any]], None], thread: threading.Thread
    ) -> None:
        self._outbox = outbox
        self._send = send
        self._thread = thread
        self._ended: Future[RunOutcome] = Future()
        self.run_id = 0
        self.plan_id = ""

    def drain(self) -> RunUpdate:
        """The state now, and the events since the last call; one reader only."""
        return self._outbox.take()

    def pause(self) -> None:
        """Start nothing new: running steps end, a backfill stops after its batch."""
        self._send("pause", "", {})

    def resume(self) -> None:
        """Go on after :meth:`pause`."""
        self._send("resume", "", {})

    def abort(self, reason: str) -> None:
        """Cancel what the server runs for us, and end the run as cancelled; it can be resumed.

        A cancelled index build leaves an invalid index, which is removed first; a second call cancels that too.
        """
        self._send("cancel", reason, {})

    def skip(self, step_sha: str, reason: str) -> None:
        """Leave a step out, also when the run is resumed, and with it all that comes after it; the run then ends as
        failed. What of it runs now is cancelled."""
        self._send("skip", reason, {"step": step_sha})

    def retry(self, step_sha: str = "") -> None:
        """Try a step again that waits for its next attempt, or take one in again that was left out; empty: all."""
        self._send("retry", "", {"step": step_sha})

    def terminate(self, pid: int, started: str, reason: str) -> None:
        """End the session of somebody who holds a lock that a step waits for."""
        self._send("terminate", reason, {"pid": pid, "started": started})

    def wait(self, timeout: float | None = None) -> RunOutcome | None:
        """The outcome, or None when the run is still under way after ``timeout`` seconds."""
        try:
            outcome = self._ended.result(timeout)
        except TimeoutError:
            return None
        self._thread.join()
        return outcome

    @property
    def ended(self) -> Future[RunOutcome]:
        """Done when the run has ended."""
        return self._ended
