"""A question that is only answered by typing a word: for what cannot be taken back, and hurts somebody else."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input, Static

__all__ = ["TypedScreen"]


class TypedScreen(ModalScreen[bool]):
    """Returns whether ``word`` was typed; Escape, and any other word, mean no."""

    def __init__(self, title: str, text: Content | str, word: str) -> None:
        super().__init__()
        self._heading = title
        self._text = text if isinstance(text, Content) else Content(text)
        self._word = word

    def compose(self) -> ComposeResult:
        with Vertical(id="question"):
            yield Static(self._text, markup=False)
            yield Static(Content.assemble("Type ", (self._word, "bold"), " and press Enter, or Esc."), markup=False)
            yield Input(id="typed-input", select_on_focus=False)

    def on_mount(self) -> None:
        self.query_one("#question").border_title = self._heading
        field = self.query_one(Input)
        field.cursor_blink = False
        self.set_focus(field)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value.strip() == self._word)

    def on_key(self, event: Key) -> None:
        if event.key == "escape":
            event.stop()
            self.dismiss(False)
