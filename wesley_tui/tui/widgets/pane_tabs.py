"""The names of the panes, where they do not all fit on the screen."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

__all__ = ["PaneTabs"]


class PaneTabs(Widget):
    """`` F2 Schema  F3 Plan  F4 Details  F5 Activity ``; the active one is reversed."""

    active: reactive[str] = reactive("")

    def __init__(self, names: Sequence[tuple[str, str]], id: str | None = None) -> None:
        super().__init__(id=id)
        self._names = tuple(names)

    def render(self) -> Content:
        parts: list[tuple[str, str]] = []
        for identifier, title in self._names:
            parts.append((f" {title} ", "bold reverse $primary" if identifier == self.active else "$muted"))
        return Content.assemble(*parts).truncate(max(0, self.size.width), ellipsis=False)
