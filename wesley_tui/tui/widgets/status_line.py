"""The first line: which database, which server, which plan, and whether what is shown is true right now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from wesley_tui.tui.text import one_line

__all__ = ["Segment", "StatusLine", "fit"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a status line; when the line is too short, the highest ``rank`` goes first."""

    content: Content
    rank: int
    right: bool = False


class StatusLine(Widget):
    """One line of segments, some on the left, some on the right."""

    segments: reactive[tuple[Segment, ...]] = reactive(())

    def render(self) -> Content:
        return fit(self.segments, self.size.width)


def fit(segments: Sequence[Segment], width: int) -> Content:
    """The segments that fit into ``width`` cells, two blanks apart."""
    kept = [item for item in segments if item.content]

    def needed() -> int:
        return sum(item.content.cell_length + 2 for item in kept)

    while len(kept) > 1 and needed() > width:
        kept.remove(max(kept, key=lambda item: item.rank))
    left = Content("  ").join(item.content for item in kept if not item.right)
    right = Content("  ").join(item.content for item in kept if item.right)
    gap = max(1, width - 2 - left.cell_length - right.cell_length)
    return Content.assemble(" ", left, " " * gap, right, " ").truncate(max(0, width), ellipsis=False)


def label(text: str, style: str = "") -> Content:
    """A segment's text, made harmless."""
    return Content.styled(one_line(text), style)
