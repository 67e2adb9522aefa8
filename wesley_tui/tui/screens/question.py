"""A question with a letter per answer. Enter and Escape never choose what changes something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Static

__all__ = ["Answer", "QuestionScreen"]


@dataclass(frozen=True, slots=True)
class Answer:
    key: str
    """One letter."""
    name: str
    """What the caller gets."""
    label: str
    """What it does, as a person would say it."""


class QuestionScreen(ModalScreen[str | None]):
    """Returns the name of an answer; None when the person went back."""

    def __init__(self, title: str, text: Content | str, answers: Sequence[Answer], *, back: str = "go back") -> None:
        super().__init__()
        self._heading = title
        self._text = text if isinstance(text, Content) else Content(text)
        self._answers = tuple(answers)
        self._back = back

    def compose(self) -> ComposeResult:
        keys = [
            Content.assemble("  ", (f" {item.key} ", "bold reverse $primary"), f"  {item.label}")
            for item in self._answers
        ]
        keys.append(Content.assemble("  ", (" Esc ", "bold reverse $primary"), f"  {self._back}"))
        with Vertical(id="question"):
            yield Static(self._text, markup=False)
            yield Static(Content("\n").join(keys), markup=False, id="answers")

    def on_mount(self) -> None:
        self.query_one("#question").border_title = self._heading

    def on_key(self, event: Key) -> None:
        event.stop()
        if event.key == "escape":
            self.dismiss(None)
            return
        for answer in self._answers:
            if event.character == answer.key:
                self.dismiss(answer.name)
                return
