"""Looks at a run ten times a second. The engine has its own thread and loop: a slow terminal never slows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from textual.timer import Timer
from textual.widget import Widget

from wesley_tui.executor.events import Event, EventType, RunState
from wesley_tui.planner.plan import Plan
from wesley_tui.tui.holdups import waiting_after
from wesley_tui.tui.ports import RunEnd, RunHandle

__all__ = ["RunFeed"]

POLL_SECONDS = 0.1
"""Between two looks; the engine conflates what happens in between."""


class RunFeed:
    """One run, as the screen knows it."""

    def __init__(
        self,
        host: Widget,
        plan: Plan,
        run: RunHandle,
        advanced: Callable[[Sequence[Event], int], None],
        *,
        leave: Callable[[], None] | None = None,
    ) -> None:
        """``leave``: another process executes the run; this looks at it no longer."""
        self.plan = plan
        self.state = RunState(plan_id=plan.plan_id)
        self.certificate: Event | None = None
        self.outcome: RunEnd | None = None
        self.waiting: Mapping[str, Event] = {}
        """The last ``lock.timeout`` of the steps that wait for a lock, by ``step_sha``."""
        self.ended = False
        self.stopping = False
        """It was told to end."""
        self._run = run
        self._leave = leave
        self._advanced = advanced
        self._timer: Timer = host.set_interval(POLL_SECONDS, self.poll, name="run")

    @property
    def run_id(self) -> int:
        return self._run.run_id

    @property
    def attached(self) -> bool:
        """Whether another process executes it, which goes on when this one ends."""
        return self._leave is not None

    def poll(self) -> None:
        """Take what happened since the last look; never blocks."""
        if self.ended:
            return
        outcome = self._run.wait(0)
        update = self._run.drain()
        self.state = update.state
        self.waiting = {} if outcome is not None else waiting_after(self.waiting, update.events)
        for event in update.events:
            if event.type is EventType.CERTIFICATE_ISSUED:
                self.certificate = event
        if outcome is not None:
            self.ended = True
            self.outcome = outcome
            if update.state.status is not outcome.status:
                self.state = replace(update.state, status=outcome.status)
            self._timer.stop()
        self._advanced(tuple(update.events), update.dropped)

    def pause(self) -> None:
        self._run.pause()

    def resume(self) -> None:
        self._run.resume()

    def skip(self, step_sha: str) -> None:
        """Leave a step out, and what comes after it."""
        self._run.skip(step_sha, "left out in the terminal application")

    def retry(self, step_sha: str = "") -> None:
        """Do not wait for the next attempt at a step; take in again what was left out. Empty: all steps."""
        self._run.retry(step_sha)

    def terminate(self, blocker: Mapping[str, Any]) -> None:
        """End a session that holds up a step."""
        self._run.terminate(int(blocker["pid"]), str(blocker["started"]), "ended in the terminal application")

    def abort(self, reason: str) -> None:
        """A person ends the run, wherever it is executed: what runs now is cancelled; it can be resumed."""
        if not self.ended:
            self.stopping = True
            self._run.abort(reason)

    def stop(self, reason: str) -> None:
        """This application ends, and its own run with it; one that another process executes is left."""
        if self._leave is not None:
            self._leave()
        else:
            self.abort(reason)

    def wait(self, timeout: float) -> bool:
        """Block until our own run has ended, at most ``timeout`` seconds: only after the terminal was given back."""
        if self.ended or self.attached:
            return True
        self.outcome = self._run.wait(timeout)
        return self.outcome is not None
