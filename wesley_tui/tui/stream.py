"""Textual's output taken apart: what is painted goes onto the canvas, everything else on to the terminal untouched.

Painting is text, cursor positions, styles (SGR) and hyperlinks. A bell, the clipboard (OSC 52), titles, modes, queries
and the shape of the cursor paint nothing: they pass, in their order. What is neither, say a scrolling region, may
change the screen in ways that are not modelled: that write passes as a whole, and nothing is taken as known after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from wesley_tui.tui.canvas import LINK, Canvas, Piece

__all__ = ["TerminalStream"]

_TOKENS = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|\x1b\[(?P<sgr>[\d;:]*)m"
    r"|\x1b\[(?P<move>[\d;]*)[Hf]"
    r"|(?P<newline>\r?\n)"
    r"|\x1b\]8;(?P<link>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|(?P<mode>\x1b\[\?[\d;]*[hl])"
    r"|(?P<passing>\x07"  # bell
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC: title, clipboard, colours
    r"|\x1b\[[?>=]?[\d;]*\$p|\x1b\[[?>=]?[\d;]*[nc]"  # queries: modes, status, attributes
    r"|\x1b\[[<>=][\d;]*u|\x1b\[>[\d;]*m"  # keyboard protocols
    r"|\x1b\[\d* q|\x1b\[[\d;]*t)"  # shape of the cursor, window operations
    r"|(?P<other>.)",
    re.DOTALL,
)

_SYNCHRONIZED = ("\x1b[?2026h", "\x1b[?2026l")
_ALTERNATE_SCREEN = ("\x1b[?1049h", "\x1b[?1049l")


@dataclass(slots=True)
class _Painting:
    x: int
    y: int
    pieces: list[Piece] = field(default_factory=list)


@dataclass(slots=True)
class _Parsed:
    paintings: list[_Painting] = field(default_factory=list)
    passing: list[str] = field(default_factory=list)
    known: bool = True
    """False when something is in there that is not understood."""


class TerminalStream:
    """Feeds a canvas; ``send`` gets what is not painting, and is to write it in its order, before any later drawing."""

    def __init__(self, canvas: Canvas, send: Callable[[str], None]) -> None:
        self.canvas = canvas
        self.visible = False
        """Whether the alternate screen is on: on the other one nothing of ours may be drawn."""
        self.synchronized = False
        """Whether the terminal knows synchronized output."""
        self._send = send
        self._sgr = ""
        self._link = ""
        self._position: tuple[int, int] | None = None
        """Column and row that Textual's next character would have; None when unknown."""

    def write(self, data: str) -> None:
        """One write of Textual's, taken whole."""
        parsed = self._parse(data)
        if parsed.known and self._paint(parsed.paintings):
            if parsed.paintings:
                self.canvas.cursor = self._position
            for text in parsed.passing:
                self._send(text)
        else:
            self._pass_whole(data)

    def resize(self, width: int, height: int) -> None:
        """The terminal has another size: nothing that it shows is known."""
        self.canvas = Canvas(width, height)
        self._position = None

    def _pass_whole(self, data: str) -> None:
        """Show what is still to be shown, then this, then know nothing."""
        if self.visible:
            self._send(self.canvas.draw())
        self._send(data)
        self.resize(*self.canvas.size)

    def _paint(self, paintings: list[_Painting]) -> bool:
        width, height = self.canvas.size
        if not all(0 <= item.x < width and 0 <= item.y < height for item in paintings):
            return False
        for item in paintings:
            if item.pieces:
                self.canvas.paint(item.x, item.y, item.pieces)
        return True

    def _parse(self, data: str) -> _Parsed:
        parsed = _Parsed()
        painting: _Painting | None = None
        if self._position is not None:
            painting = _Painting(*self._position)
            parsed.paintings.append(painting)
        for match in _TOKENS.finditer(data):
            match match.lastgroup:
                case "text":
                    if painting is None:
                        parsed.known = False
                    else:
                        painting.pieces.append((match[0], self._style))
                case "sgr":
                    self._sgr = _after_sgr(self._sgr, match["sgr"])
                case "move":
                    painting = _Painting(*_target(match["move"]))
                    parsed.paintings.append(painting)
                case "newline":
                    if painting is None or painting.y >= self.canvas.size[1] - 1:
                        parsed.known = False  # it may scroll
                    painting = None
                case "link":
                    self._link = "" if match["link"].endswith(";") else match["link"]
                case "mode":
                    self._mode(match[0], parsed)
                case "passing":
                    parsed.passing.append(match[0])
                case _:
                    parsed.known = False
        self._position = (painting.x, painting.y) if painting is not None and not painting.pieces else None
        return parsed

    def _mode(self, sequence: str, parsed: _Parsed) -> None:
        if sequence in _SYNCHRONIZED:
            self.synchronized = True
            return
        if sequence in _ALTERNATE_SCREEN:
            self.visible = sequence == _ALTERNATE_SCREEN[0]
            self.canvas.forget()
        parsed.passing.append(sequence)

    @property
    def _style(self) -> str:
        return f"{self._sgr}{LINK}{self._link}" if self._link else self._sgr


def _after_sgr(before: str, parameters: str) -> str:
    """The parameters in force: all since the last reset."""
    if parameters in ("", "0"):
        return ""
    if parameters.startswith("0;"):
        return parameters[2:]
    return f"{before};{parameters}" if before else parameters


def _target(parameters: str) -> tuple[int, int]:
    """Column and row, from 0, of a cursor position."""
    row, _, column = parameters.partition(";")
    return max(1, int(column or 1)) - 1, max(1, int(row or 1)) - 1
