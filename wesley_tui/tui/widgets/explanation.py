"""The explanation of a plan, wrapped to the width of the screen; knows whether its end has been seen."""

from __future__ import annotations

from textual.content import Content
from textual.message import Message

from wesley_tui.planner.plan import HazardClass
from wesley_tui.tui.present import HAZARD_STYLE
from wesley_tui.tui.text import plain_lines
from wesley_tui.tui.widgets.line_view import LineView

__all__ = ["Explanation", "wrap"]


class Explanation(LineView, can_focus=False):
    """Text that a person has to have had in front of them."""

    class EndSeen(Message):
        """The last line has been on the screen."""

    def __init__(self, text: str, id: str | None = None) -> None:
        super().__init__(id=id)
        self._source = plain_lines(text.rstrip())
        self._wrapped: list[str] = []
        self._wrapped_width = 0
        self.end_seen = False

    def on_resize(self) -> None:
        self._wrap()
        self._look()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._look()

    def _wrap(self) -> None:
        width = max(8, self.line_width - 1)
        if width != self._wrapped_width:
            self._wrapped_width = width
            self._wrapped = [part for line in self._source for part in wrap(line, width)]
            self.lines_changed()

    def _look(self) -> None:
        """Note that the end is on the screen. Nothing counts as seen on a screen too small to read on."""
        readable = self.size.height >= 3 and self.size.width >= 20
        if readable and self._wrapped and not self.end_seen and self.scroll_offset.y >= self.last_top:
            self.end_seen = True
            self.post_message(self.EndSeen())

    @property
    def seen_share(self) -> int:
        """Percent of the lines from the top to the last one on the screen."""
        total = len(self._wrapped)
        return 100 if total == 0 else min(100, 100 * (self.scroll_offset.y + self.page) // total)

    def line_count(self) -> int:
        return len(self._wrapped)

    def line_at(self, index: int, width: int) -> Content:  # noqa: ARG002 - wrapped to the width already
        return Content.assemble(" ", styled_line(self._wrapped[index]))


def styled_line(line: str) -> Content:
    """Badges stand out; lines that are headings (not indented, ending in a colon, or marked) are bold."""
    stripped = line.strip()
    content = Content(line)
    for hazard in HazardClass:
        text = f"{hazard.name} {hazard.word}"
        start = line.find(text)
        if start >= 0:
            content = content.stylize(HAZARD_STYLE[hazard], start, start + len(text))
    if stripped and (
        line[0] != " " and (stripped.endswith(":") or stripped.startswith(("#", "=")) or stripped.isupper())
    ):
        content = content.stylize("bold $primary")
    return content


def wrap(line: str, width: int) -> list[str]:
    """Break at blanks, keep the indentation (and two more) on the lines that follow; a long word is cut."""
    if len(line) <= width:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    follow = indent[: width // 2] + "  "
    lines: list[str] = []
    rest = line
    while len(rest) > width:
        cut = rest.rfind(" ", len(follow) + 1, width + 1)
        if cut <= 0:
            cut = width
        lines.append(rest[:cut].rstrip())
        rest = follow + rest[cut:].lstrip()
    return [*lines, rest]
