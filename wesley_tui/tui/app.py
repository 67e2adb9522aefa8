"""The application: themes, style sheet, signals. What is on the screen lives in ``screens/main.py``.

Only Textual and the records are imported here; the compiler, the driver of PostgreSQL and the parser come with the
first plan, after the first paint.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from textual.app import App, SystemCommand
from textual.command import Provider
from textual.screen import Screen

from wesley_tui.executor.events import RunStatus
from wesley_tui.services.interruption import Interruption
from wesley_tui.tui.context import Context
from wesley_tui.tui.driver import CellDriver, driver_class
from wesley_tui.tui.glyphs import ASCII, glyphs_for
from wesley_tui.tui.ports import WorkbenchPort
from wesley_tui.tui.resources import style_sheet
from wesley_tui.tui.running import RunFeed
from wesley_tui.tui.screens.main import MainScreen
from wesley_tui.tui.signals import LastResort, end_on_signals
from wesley_tui.tui.theme import DARK, LIGHT, VARIABLES, initial_theme, other_theme

__all__ = ["WesleyApp", "run_terminal"]

DEBOUNCE_SECONDS = 0.12
"""Long enough not to plan between two letters of a fast typist, short enough to feel immediate."""

STUCK_SECONDS = 3.0
"""How long an ordered end may take after a signal, before the terminal is given back by force."""
PATIENCE_SECONDS = 30.0
"""How long a run that was told to stop is waited for."""
_LOOK_SECONDS = 0.25
_DONE = frozenset({RunStatus.COMPLETE, RunStatus.CONTRACT_PENDING, RunStatus.ROLLED_BACK})


def _now() -> datetime:
    return datetime.now(UTC).astimezone()


def _palette() -> type[Provider]:
    from wesley_tui.tui.palette import CommandProvider

    return CommandProvider


class WesleyApp(App[None]):
    """``WesleyApp(workbench, sources=[(path, text)]).run()``; ``return_code`` is 128 + n after signal n."""

    TITLE = "wesley"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS = {_palette}

    def __init__(
        self,
        workbench: WorkbenchPort,
        sources: Sequence[tuple[str, str]] = (),
        *,
        unsafe: bool = False,
        keys: Mapping[str, str] | None = None,
        clock: Callable[[], datetime] = _now,
        debounce: float = DEBOUNCE_SECONDS,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        environment = dict(os.environ) if environment is None else environment
        # under NO_COLOR Textual decides here, before a theme is known, between no colours at all and shades of grey
        super().__init__(
            driver_class=driver_class(environment),
            css_path=style_sheet("wesley.tcss"),
            ansi_color=True if "NO_COLOR" in environment else None,
        )
        glyphs = glyphs_for(environment)
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        theme = initial_theme(environment)
        self.theme = theme if theme in self.available_themes else DARK.name
        self.set_class(glyphs is ASCII, "-ascii")
        self.title = workbench.title
        self.animation_level = "none"
        self.last_resort = LastResort()
        self.context = Context(
            workbench=workbench,
            sources=tuple(sources) or (("schema.graphql", ""),),
            unsafe=unsafe,
            glyphs=glyphs,
            clock=clock,
            debounce=debounce,
            next_theme=self._next_theme,
            repaint=self._repaint,
            keys=dict(keys or {}),
        )
        if keys:
            self.set_keymap(dict(keys))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(VARIABLES)

    def get_default_screen(self) -> Screen[None]:
        return MainScreen(self.context)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Textual's own entries are few: what Wesley can do comes from its key map."""
        for command in super().get_system_commands(screen):
            if command.title in ("Theme", "Screenshot"):
                yield SystemCommand(f"view: {command.title}", command.help, command.callback)

    def on_mount(self) -> None:
        if not self.is_headless:
            end_on_signals(self._end_on_signal)

    def _end_on_signal(self, number: int, name: str) -> None:
        """A closed terminal or a kill: stop the run after its step, restore the terminal, end with 128 + n."""
        for feed in self.context.feeds:
            feed.stop(f"the terminal application got {name}")
        self.last_resort.arm(128 + number, STUCK_SECONDS, self.wait_for_runs)
        self.exit(return_code=128 + number)

    def wait_for_runs(self) -> None:
        """Block until runs that were told to stop have stopped; only when nobody looks at the screen any more."""
        for feed in self.context.feeds:
            feed.wait(PATIENCE_SECONDS)

    async def action_quit(self) -> None:
        """Ctrl+Q wherever one is: the main screen knows what would be lost."""
        for screen in self.screen_stack:
            if isinstance(screen, MainScreen):
                screen.do_app_quit()
                return
        self.exit()

    def _repaint(self) -> None:
        """Draw everything again, also what has not changed."""
        if isinstance(self._driver, CellDriver):
            self._driver.repaint()
        self.screen.refresh()

    def _next_theme(self) -> None:
        self.theme = other_theme(self.theme)


def run_terminal(app: WesleyApp, say: Callable[[str], None] = lambda _: None) -> int:
    """Run the application, give the terminal back, then wait for a run that was told to stop, and ``say`` how it ended.

    The exit status: 0, or 128 + n after signal n. A signal while the run tidies up ends that too, a third one the
    process. A run that does not stop in time ends with the process, and is to be resumed.
    """
    app.run()
    app.last_resort.over()
    with Interruption() as interruption:
        for feed in app.context.feeds:
            _await_end(feed, say, interruption)
    return app.return_code or (interruption.number and interruption.status)


def _await_end(feed: RunFeed, say: Callable[[str], None], interruption: Interruption) -> None:
    if feed.ended:
        return
    if feed.attached:
        say(f"Run {feed.run_id} goes on in the process that executes it; watch it with: wesley attach")
        return
    if not feed.stopping:
        feed.stop("the terminal application ended")
    end = time.monotonic() + PATIENCE_SECONDS
    told = False
    while not feed.wait(_LOOK_SECONDS) and time.monotonic() < end:
        if not told:
            told = True
            say(f"Run {feed.run_id} is ending in order: what runs is cancelled, what is half-made is removed")
        if interruption.new():
            feed.abort(f"the terminal application got {interruption.name}")
    if feed.outcome is None:
        say(f"Run {feed.run_id} has not ended yet, and ends with this process. Go on with: wesley resume")
    else:
        status = feed.outcome.status
        more = "" if status in _DONE else " Go on with: wesley resume"
        say(f"Run {feed.run_id}: {status.value.replace('_', ' ')}.{more}")
