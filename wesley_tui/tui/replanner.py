"""Plans while one types: debounced, one at a time in a thread, stale answers dropped.

Planning is pure CPU on a workbench that must not be shared between threads, so there is never more than one planning
under way; when the text changed meanwhile, the next one starts as soon as the first has ended.

A catalog of a thousand tables and what is remembered of its schema are a million objects that live for as long as the
snapshot. The garbage collector would walk over all of them again and again while one types (100 ms each time, where
planning takes 30); after the first plan of a snapshot they are put out of its sight.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from functools import partial

from textual.timer import Timer
from textual.widget import Widget

from wesley_tui.sdl.diagnostics import Source
from wesley_tui.tui.messages import Planned
from wesley_tui.tui.ports import PlanningResult

__all__ = ["Replanner"]


class Replanner:
    """Owned by a screen, which gets :class:`Planned` messages and hands each to :meth:`settle`."""

    def __init__(
        self,
        host: Widget,
        plan: Callable[[Sequence[Source]], PlanningResult],
        sources: Callable[[], Sequence[Source]],
        *,
        delay: float,
    ) -> None:
        self._host = host
        self._plan = plan
        self._sources = sources
        self._delay = delay
        """Seconds without a keystroke before planning starts."""
        self._timer: Timer | None = None
        self._under_way = False
        self._first = True
        """Whether the next answer is the first one after the database was read."""
        self.generation = 0
        """Counts the texts; an answer to another generation than this one is stale."""

    @property
    def busy(self) -> bool:
        """Whether an answer to the present text is still to come."""
        return self._under_way or self._timer is not None

    def request(self, *, now: bool = False) -> None:
        """The text is another one; with ``now``, so is the database."""
        self.generation += 1
        self._first |= now
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if now or self._delay <= 0:
            self._start()
        else:
            self._timer = self._host.set_timer(self._delay, self._start, name="replan")

    def settle(self, message: Planned) -> bool:
        """Take note of an answer; True when it belongs to the present text."""
        self._under_way = False
        if message.generation == self.generation:
            return True
        if self._timer is None:
            self._start()
        return False

    def _start(self) -> None:
        self._timer = None
        if self._under_way:
            return
        self._under_way = True
        work = partial(self._work, self.generation, tuple(self._sources()))
        self._host.run_worker(work, name="plan", group="plan", thread=True, exit_on_error=False)

    def _work(self, generation: int, sources: tuple[Source, ...]) -> None:
        try:
            message = Planned(generation, self._plan(sources))
        except Exception as error:
            message = Planned(generation, None, error)
        if self._first:
            self._first = False
            gc.collect()
            gc.freeze()
        self._host.post_message(message)
