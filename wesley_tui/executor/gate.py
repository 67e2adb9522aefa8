"""The gate of a run: every step and every batch passes it, and it is shut while a person has paused the run or the
governor holds it. Who paused is said once, when what was running has ended, and again when it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wesley_tui.executor.control import Control
from wesley_tui.executor.events import EventType

__all__ = ["Asked", "Gate", "Stopped"]


class Stopped(Exception):
    """The run stops: an abort, or another step failed. The step has not succeeded and can be run again."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked for something, as the event of it tells."""

    message: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)


class Gate:
    """``stopping`` tells whether the run stops, so that nobody waits here for ever."""

    def __init__(self, control: Control, stopping: Callable[[], bool]) -> None:
        self._control = control
        self._stopping = stopping
        self._paused: Asked | None = None
        self._resumed = Asked()
        self._held = False
        self._told = False
        self._open = asyncio.Event()
        self._open.set()

    @property
    def is_open(self) -> bool:
        return self._open.is_set()

    def pause(self, asked: Asked) -> None:
        """Nothing passes until :meth:`resume`; what is under way ends first."""
        self._paused = self._paused or asked
        self.refresh()

    def resume(self, asked: Asked) -> None:
        self._resumed, self._paused = asked, None
        self.refresh()

    def hold(self, held: bool) -> None:
        """What the governor says; a person's pause stays a pause when it lets go."""
        self._held = held
        self.refresh()

    def refresh(self) -> None:
        """Look again at what shuts the gate; a run that stops is let through, to be told so."""
        if self._stopping() or not (self._held or self._paused is not None):
            self._open.set()
        else:
            self._open.clear()

    async def passage(self) -> None:
        """Wait until the gate is open; raises :class:`Stopped` when the run stops."""
        while True:
            if self._stopping():
                raise Stopped
            await self._tell()
            if self.is_open:
                return
            await self._open.wait()

    async def _tell(self) -> None:
        paused = self._paused
        if paused is not None and not self._told:
            self._told = True
            await self._control.move_run("paused", EventType.PLAN_PAUSED, paused.message, paused.metrics)
        elif paused is None and self._told:
            self._told = False
            await self._control.move_run(
                "running", EventType.PLAN_RESUMED, self._resumed.message, self._resumed.metrics
            )
