"""Looks at a run ten times a second. The engine has its own thread and loop: a slow terminal never slows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.timer import Timer
from textual.widget import Widget

from wesley_tui.executor.events import Event, EventType, RunState
from wesley_tui.planner.plan import Plan
from wesley_tui.tui.ports import RunHandle

__all__ = ["RunFeed"]

POLL_SECONDS = 0.1
"""Between two looks; the engine conflates what happens in between."""


class RunFeed:
    """One run, as the screen knows it."""

    def __init__(
        self, host: Widget, plan: Plan, run: RunHandle, advanced: Callable[[Sequence[Event], int], None]
    ) -> None:
        self.plan = plan
        self.state = RunState(plan_id=plan.plan_id)
        self.certificate: Event | None = None
        self.ended = False
        self._run = run
        self._advanced = advanced
        self._timer: Timer = host.set_interval(POLL_SECONDS, self.poll, name="run")

    def poll(self) -> None:
        """Take what happened since the last look; never blocks."""
        if self.ended:
            return
        over = self._run.wait(0) is not None
        update = self._run.drain()
        self.state = update.state
        for event in update.events:
            if event.type is EventType.CERTIFICATE_ISSUED:
                self.certificate = event
        if over:
            self.ended = True
            self._timer.stop()
        self._advanced(tuple(update.events), update.dropped)

    def pause(self) -> None:
        self._run.pause()

    def resume(self) -> None:
        self._run.resume()

    def stop(self, reason: str) -> None:
        """The current step finishes, then the run stops; it can be resumed."""
        if not self.ended:
            self._run.abort(reason)
