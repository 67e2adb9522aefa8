"""A message that stays until its cause is gone: what happened, what it means, what to do next."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from wesley_tui.tui.text import visible

__all__ = ["Banner"]


class Banner(Static):
    """Hidden while there is nothing to say."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__("", markup=False, id=id)
        self.display = False
        self.message = ""

    def tell(self, word: str, message: str, *, severe: bool = True) -> None:
        """Show a message; ``word`` names its kind."""
        self.message = message
        style = "bold reverse $error" if severe else "bold reverse $warning"
        self.update(Content.assemble((f" {word} ", style), f" {visible(message.strip())}"))
        self.display = True

    def clear(self) -> None:
        self.message = ""
        self.display = False
