"""The problems of the schema, one line each, under the editor."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.content import Content
from textual.events import Click
from textual.message import Message

from wesley_tui.sdl.diagnostics import Diagnostic
from wesley_tui.tui.glyphs import UNICODE, Glyphs
from wesley_tui.tui.text import one_line
from wesley_tui.tui.widgets.line_view import LineView

__all__ = ["ProblemList"]


class ProblemList(LineView, can_focus=False):
    """Not shown while there is nothing to say."""

    class Chosen(Message):
        """A problem was clicked."""

        def __init__(self, problem: Diagnostic) -> None:
            super().__init__()
            self.problem = problem

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:
        super().__init__(id=id)
        self.glyphs = glyphs
        self._problems: tuple[Diagnostic, ...] = ()
        self.display = False

    def show_problems(self, problems: Sequence[Diagnostic], rows: int) -> None:
        """Errors first; at most ``rows`` lines high."""
        ordered = tuple(sorted(problems, key=lambda item: item.severity != "error"))
        self.display = bool(ordered)
        self.styles.height = max(1, min(rows, len(ordered)))
        self._problems = ordered
        self.lines_changed()

    def line_count(self) -> int:
        return len(self._problems)

    def line_at(self, index: int, width: int) -> Content:  # noqa: ARG002 - every line is cut alike
        problem = self._problems[index]
        error = problem.severity == "error"
        return Content.assemble(
            (
                f"{self.glyphs.error if error else self.glyphs.warning} {problem.severity} ",
                "bold $error" if error else "bold $warning",
            ),
            (f"{problem.line}:{problem.column} " if problem.line else "", "$muted"),
            one_line(problem.message),
            (f"  {one_line(problem.hint)}" if problem.hint else "", "$muted"),
        )

    @on(Click)
    def _choose(self, event: Click) -> None:
        index = event.y + self.scroll_offset.y
        if index < len(self._problems):
            self.post_message(self.Chosen(self._problems[index]))
