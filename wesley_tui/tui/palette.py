"""The commands of the key map in Textual's command palette, as ``group: What it does``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from wesley_tui.tui.keymap import COMMANDS, Command, key_name
from wesley_tui.tui.screens.main import MainScreen

__all__ = ["CommandProvider"]


class CommandProvider(Provider):
    """Everything that a person can ask for on the main screen."""

    def _commands(self) -> Iterator[tuple[str, Command]]:
        for item in COMMANDS:
            if item.palette and item.scope == "main":
                yield f"{item.group}: {item.help}", item

    def _runner(self, item: Command) -> partial[None] | None:
        screen = self.screen
        return partial(screen.action_command, item.id) if isinstance(screen, MainScreen) else None

    async def discover(self) -> Hits:
        for title, item in self._commands():
            runner = self._runner(item)
            if runner is not None:
                yield DiscoveryHit(title, runner, help=" ".join(map(key_name, item.keys)))

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, item in self._commands():
            score = matcher.match(title)
            runner = self._runner(item)
            if score > 0 and runner is not None:
                yield Hit(score, matcher.highlight(title), runner, help=" ".join(map(key_name, item.keys)))
