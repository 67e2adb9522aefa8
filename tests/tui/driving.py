"""Drives the application in tests: waits for workers and messages, never for time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from textual.events import Key
from textual.pilot import Pilot

from tests.tui.fakes import SCHEMA, FakeWorkbench, fixed_clock
from wesley_tui.tui.app import WesleyApp
from wesley_tui.tui.screens.main import MainScreen

Scenario = Callable[["Driver"], Awaitable[None]]


class Driver:
    """An application under test, and the words that scenarios use."""

    def __init__(self, app: WesleyApp, workbench: FakeWorkbench, pilot: Pilot[Any]) -> None:
        self.app = app
        self.workbench = workbench
        self.pilot = pilot

    @property
    def main(self) -> MainScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, MainScreen)
        return screen

    async def settle(self) -> None:
        """Until every worker is done and every message it posted was handled."""
        calm = 0
        while calm < 2:
            calm = 0 if any(not worker.is_finished for worker in self.app.workers) else calm + 1
            await self.app.workers.wait_for_complete()
            await self.handled()

    async def handled(self) -> None:
        """Until every widget has handled the messages that it has now, and those that they led to."""
        for _ in range(3):
            await self.pilot.pause(0)

    async def press(self, *keys: str) -> None:
        """Each key when the one before has been handled; then until all is quiet."""
        for key in keys:
            if not self.app.is_running:
                return
            name = KEYS.get(key, key)
            character = CHARACTERS.get(name, name if len(name) == 1 else None)
            self.app.post_message(Key(name, character))
            await self.handled()
        await self.settle()

    async def type(self, text: str) -> None:
        await self.press(*text)

    async def run_plan(self) -> None:
        """Review, read to the end, confirm: the run has started, nothing has happened yet."""
        await self.press("ctrl+r")
        await self.press("ctrl+end")
        await self.type("apply")
        await self.press("enter")

    async def advance(self) -> None:
        """What the run's timer does ten times a second."""
        assert self.main.feed is not None
        self.main.feed.poll()
        await self.settle()


KEYS = {
    ".": "full_stop",
    "_": "underscore",
    " ": "space",
    "@": "at",
    "?": "question_mark",
    "{": "left_curly_bracket",
    "}": "right_curly_bracket",
}
CHARACTERS = {name: character for character, name in KEYS.items()}


def make_app(workbench: FakeWorkbench, *, text: str = SCHEMA, **options: Any) -> WesleyApp:
    options.setdefault("environment", {"LANG": "C.UTF-8"})
    sources = options.pop("sources", [("schema.graphql", text)])
    return WesleyApp(workbench, sources, clock=fixed_clock, debounce=0, **options)


def drive(
    scenario: Scenario, workbench: FakeWorkbench | None = None, *, size: tuple[int, int] = (100, 28), **options: Any
) -> WesleyApp:
    """Run ``scenario`` against an application on a terminal of ``size`` cells; the smallest that shows four panes."""
    bench = workbench if workbench is not None else FakeWorkbench()
    app = make_app(bench, **options)

    async def session() -> None:
        async with app.run_test(size=size, notifications=True) as pilot:
            driver = Driver(app, bench, pilot)
            await driver.settle()
            await scenario(driver)

    asyncio.run(session())
    return app
