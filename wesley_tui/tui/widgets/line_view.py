"""A scrolling list of lines that are styled when they are drawn, and only then.

The base of the plan tree, the event log and the explanation in the review: a million lines cost what the forty on the
screen cost. Subclasses say how many lines there are and what one of them looks like.
"""

from __future__ import annotations

from rich.segment import Segment
from textual.content import Content
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

__all__ = ["LineView"]


class LineView(ScrollView, can_focus=True):
    """Lines from 0 to :meth:`line_count`; each as wide as the widget, cut with an ellipsis."""

    DEFAULT_CSS = """
    LineView {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
    }
    """

    def line_count(self) -> int:
        """How many lines there are now."""
        raise NotImplementedError

    def line_at(self, index: int, width: int) -> Content:
        """The line ``index``, which has ``width`` cells."""
        raise NotImplementedError

    def line_style(self, index: int) -> str:  # noqa: ARG002 - for subclasses with a cursor
        """A style that lies under the whole line; empty for none."""
        return ""

    def lines_changed(self) -> None:
        """To be called when the number or the look of lines changed."""
        self.virtual_size = Size(0, self.line_count())
        self.refresh()

    def line_changed(self, index: int) -> None:
        """To be called when one line looks different: draws that line only."""
        y = index - self.scroll_offset.y
        if 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    @property
    def line_width(self) -> int:
        return self.scrollable_content_region.width

    @property
    def page(self) -> int:
        """Lines on the screen, at least one."""
        return max(1, self.scrollable_content_region.height)

    @property
    def last_top(self) -> int:
        """The scroll position that shows the last line at the bottom."""
        return max(0, self.line_count() - self.page)

    def render_line(self, y: int) -> Strip:
        width = self.line_width
        index = y + self.scroll_offset.y
        base = self.visual_style
        if not 0 <= index < self.line_count():
            return Strip.blank(width, base.rich_style)
        parse_style = self.app.stylesheet.parse_style
        if style := self.line_style(index):
            base = base + parse_style(style)
        content = self.line_at(index, width).truncate(width, ellipsis=True, pad=True)
        segments = [
            Segment(text, part.rich_style) for text, part in content.render(base, end="", parse_style=parse_style)
        ]
        return Strip(segments).adjust_cell_length(width, base.rich_style)

    def show_line(self, index: int) -> None:
        """Scroll so that the line is on the screen, as little as possible."""
        top = self.scroll_offset.y
        if index < top:
            self.go_to(index)
        elif index >= top + self.page:
            self.go_to(index - self.page + 1)

    def go_to(self, top: int) -> None:
        """Scroll so that ``top`` is the first line on the screen, without animation."""
        self.scroll_to(y=max(0, top), animate=False, force=True)

    def action_line_up(self) -> None:
        self.go_to(self.scroll_offset.y - 1)

    def action_line_down(self) -> None:
        self.go_to(self.scroll_offset.y + 1)

    def action_page_up(self) -> None:
        self.go_to(self.scroll_offset.y - self.page)

    def action_page_down(self) -> None:
        self.go_to(self.scroll_offset.y + self.page)

    def action_first(self) -> None:
        self.go_to(0)

    def action_last(self) -> None:
        self.go_to(self.last_top)
