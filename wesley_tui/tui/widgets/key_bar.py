"""The last line: keys that do something here. One that does nothing now is dim, and says why when pressed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

__all__ = ["KeyBar", "KeyHint"]


@dataclass(frozen=True, slots=True)
class KeyHint:
    key: str
    label: str
    enabled: bool = True


class KeyBar(Widget):
    """As many hints as fit, in order; what is cut off is on the help screen."""

    hints: reactive[tuple[KeyHint, ...]] = reactive(())

    def render(self) -> Content:
        return key_line(self.hints, self.size.width)


def key_line(hints: Sequence[KeyHint], width: int) -> Content:
    """The line of hints; the last one (quit, or back) and the one before (help) are kept when others have to go."""
    kept = list(hints)

    def length() -> int:
        return sum(len(item.key) + len(item.label) + 3 for item in kept)

    while len(kept) > 2 and length() > width:
        disabled = [item for item in kept if not item.enabled]
        kept.remove(disabled[-1] if disabled else kept[-3])
    parts: list[tuple[str, str]] = []
    for item in kept:
        if item.enabled:
            parts += ((f" {item.key}", "bold $primary"), (f" {item.label} ", ""))
        else:
            parts += ((f" {item.key} {item.label} ", "dim $muted"),)
    return Content.assemble(*parts).truncate(max(0, width), ellipsis=False)
