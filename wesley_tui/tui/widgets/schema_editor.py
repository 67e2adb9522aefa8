"""The editor of one SDL file: highlighting, problems in the gutter and under the word, indentation that helps.

Textual's :class:`~textual.widgets.TextArea` does the editing. Highlighting goes through its public ``get_line()``; no
tree-sitter, whose GraphQL grammar has no usable build for Linux.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.segment import Segment
from rich.style import Style as RichStyle
from rich.text import Text
from textual.document._document_navigator import DocumentNavigator
from textual.document._wrapped_document import WrappedDocument
from textual.events import Key
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme

from wesley_tui.sdl.diagnostics import Diagnostic
from wesley_tui.sdl.tokens import Token
from wesley_tui.tui.glyphs import UNICODE, Glyphs
from wesley_tui.tui.highlight import TOKEN_STYLES, LineTokens
from wesley_tui.tui.text import same_width

__all__ = ["SchemaEditor"]

_INDENT = 2
_OPENING = ("{", "(", "[")
_HIGHLIGHT_LIMIT = 5_000
"""Characters of one line; a longer one is shown plain."""


class _Unwrapped(WrappedDocument):
    """A document whose lines are never wrapped. Textual asks for its height with every line that it draws, and would
    go through all lines of the document for each answer."""

    @property
    def height(self) -> int:
        return len(self._wrap_offsets)


class SchemaEditor(TextArea):
    """One file of the schema."""

    def __init__(self, name: str, text: str, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:
        super().__init__(
            text,
            language=None,
            soft_wrap=False,
            tab_behavior="indent",
            show_line_numbers=True,
            id=id,
        )
        self.indent_width = _INDENT
        self.cursor_blink = False
        self.source_name = name
        self.saved_text = text
        self.glyphs = glyphs
        self._tokens = LineTokens()
        self._problems: dict[int, list[Diagnostic]] = {}

    def _set_document(self, text: str, language: str | None) -> None:
        super()._set_document(text, language)
        self.wrapped_document = _Unwrapped(self.document, tab_width=self.indent_width)
        self.navigator = DocumentNavigator(self.wrapped_document)
        self._rewrap_and_refresh_virtual_size()

    def on_mount(self) -> None:
        self._follow_theme()
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._follow_theme())

    def _follow_theme(self) -> None:
        """The line with the cursor gets a background only: a style from CSS would bring a colour for its text too, and
        that would cover the highlighting."""
        name = f"schema-{self.app.theme}"
        self.register_theme(TextAreaTheme(name, cursor_line_style=self._rich("on $cursor-line")))
        self.theme = name

    @property
    def modified(self) -> bool:
        """Whether the text differs from what was opened or saved last."""
        return self.text != self.saved_text

    def show_problems(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Mark the diagnostics of this file; those of other files are ignored."""
        problems: dict[int, list[Diagnostic]] = {}
        for item in diagnostics:
            if item.source == self.source_name:
                problems.setdefault(max(item.line, 1) - 1, []).append(item)
        if problems != self._problems:
            self._problems = problems
            self.notify_style_update()
            self.refresh()

    def go_to_location(self, line: int, column: int) -> None:
        """Put the cursor at a position (from 1), in the middle of the screen when it was not on it."""
        row = max(0, min(line - 1, self.document.line_count - 1))
        self.move_cursor((row, max(0, min(column - 1, len(self.document.get_line(row))))), center=True)

    def problem_after(self, row: int, *, backwards: bool = False) -> Diagnostic | None:
        """The next problem below (above) a row, from 0, starting over at the end."""
        lines = sorted(self._problems)
        if not lines:
            return None
        if backwards:
            line = next((item for item in reversed(lines) if item < row), lines[-1])
        else:
            line = next((item for item in lines if item > row), lines[0])
        return self._problems[line][0]

    def get_line(self, line_index: int) -> Text:
        raw = self.document.get_line(line_index)
        line = Text(same_width(raw), end="", no_wrap=True)
        for token in self._line_tokens(line_index, raw):
            line.stylize(self._rich(TOKEN_STYLES[token.kind]), token.start, token.end)
        for problem in self._problems.get(line_index, ()):
            style = "bold underline $error" if problem.severity == "error" else "underline $warning"
            start, end = _word(raw, max(0, problem.column - 1)) if problem.column else (0, len(raw))
            line.stylize(self._rich(style), start, end)
        return line

    def _line_tokens(self, line_index: int, raw: str) -> Sequence[Token]:
        if len(raw) > _HIGHLIGHT_LIMIT:
            return ()
        self._tokens.sync(self.document.lines)
        return self._tokens.tokens(line_index)

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        problems = self._problems.get(y + self.scroll_offset.y)
        if not problems or not self.show_line_numbers:
            return strip
        worst = any(item.severity == "error" for item in problems)
        glyph = self.glyphs.error if worst else self.glyphs.warning
        mark = self._rich("bold $error" if worst else "bold $warning")
        width = self.gutter_width
        left, rest = strip.crop(0, width - 2), strip.crop(width - 2)
        base = next((segment.style for segment in strip if segment.style), RichStyle.null())
        return Strip.join([left, Strip([Segment(glyph + " ", base + mark)], 2), rest.crop(2)])

    def _rich(self, style: str) -> RichStyle:
        parsed = self.app.stylesheet.parse_style(style)
        return parsed.rich_style

    async def on_key(self, event: Key) -> None:
        """Enter keeps the indentation, and adds one level after an opening bracket; a closing one goes back."""
        if self.read_only:
            return
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self._break_line()
        elif event.character in ("}", ")", "]") and self.selection.is_empty:
            row, column = self.cursor_location
            before = self.document.get_line(row)[:column]
            if before and not before.strip() and len(before) >= _INDENT:
                event.stop()
                event.prevent_default()
                self.replace(
                    before[:-_INDENT] + event.character, (row, 0), (row, column), maintain_selection_offset=False
                )

    def _break_line(self) -> None:
        start, end = sorted(self.selection)
        row, column = start
        line = self.document.get_line(row)
        before, after = line[:column], self.document.get_line(end[0])[end[1] :]
        indent = before[: len(before) - len(before.lstrip())]
        inner = indent + " " * _INDENT if before.rstrip().endswith(_OPENING) else indent
        if inner != indent and after.lstrip().startswith(("}", ")", "]")):
            self.replace(f"\n{inner}\n{indent}", start, end, maintain_selection_offset=False)
            self.move_cursor((row + 1, len(inner)))
        else:
            self.replace(f"\n{inner}", start, end, maintain_selection_offset=False)


def _word(line: str, column: int) -> tuple[int, int]:
    """The word at a column, with the ``@`` before it; one character when there is none."""
    end = min(column, len(line))
    if end < len(line) and line[end] == "@":
        end += 1
    while end < len(line) and (line[end].isalnum() or line[end] == "_"):
        end += 1
    return min(column, len(line)), max(end, column + 1)
