"""What the terminal shows, cell by cell, and the shortest way from there to what it should show.

Textual writes whole widgets for every change: a typed letter costs 20 kB. A :class:`Canvas` takes what Textual wants
to be painted, remembers what was sent, and :meth:`Canvas.draw` gives only the cells that differ. Whoever calls it late
gets the newest picture: what was painted over in between is never sent.

How wide a terminal draws some text nobody can know (emoji joined by ZWJ, flags, variation selectors, marks without a
base). A row in which such text was painted is *doubtful*: whatever is painted there is sent as it came, in its order,
until the whole row is painted with text that leaves no doubt. So a terminal shows exactly what it would have shown.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain

from rich.cells import get_character_cell_size

__all__ = ["Canvas", "Cell", "Piece", "cells_of"]

Cell = tuple[str, str]
"""What is in a cell, and its style; the text is empty in the right half of a wide character."""

Piece = tuple[str, str]
"""Text, and its style: the parameters of SGR since the last reset, then after ``LINK`` those of a hyperlink."""

LINK = "\x00"
"""Separates the two parts of a style."""

_REWRITE_CELLS = 4
"""A gap of unchanged cells up to this long is written again: moving the cursor would take as many bytes."""
_KEPT_WRITES = 64
"""Paintings of a doubtful row that are kept while the terminal does not take them, once its whole width was painted."""

_DOUBTFUL_RANGES = (
    (0x1100, 0x115F),  # Hangul jamo, which join
    (0x1160, 0x11FF),
    (0xA960, 0xA97F),
    (0xD7B0, 0xD7FF),
    (0xE000, 0xF8FF),  # private use: as wide as the font says
    (0x1F1E6, 0x1F1FF),  # regional indicators, two of which are a flag
    (0x1F3FB, 0x1F3FF),  # skin tones
    (0xF0000, 0x10FFFF),
)


@lru_cache(maxsize=4096)
def cells_of(text: str, style: str) -> tuple[Cell, ...] | None:
    """The cells that ``text`` takes on any terminal; None when that is in doubt."""
    if text.isascii():
        return tuple((character, style) for character in text)
    cells: list[Cell] = []
    for character in text:
        width = get_character_cell_size(character)
        if width == 0:
            if not cells or not unicodedata.combining(character) or cells[-1][0] == "":
                return None
            cells[-1] = (cells[-1][0] + character, style)
        elif any(first <= ord(character) <= last for first, last in _DOUBTFUL_RANGES):
            return None
        else:
            cells.append((character, style))
            if width == 2:
                cells.append(("", style))
    return tuple(cells)


@dataclass(slots=True)
class _Row:
    wanted: tuple[Cell, ...] | None = None
    """None for a doubtful row."""
    shown: tuple[Cell, ...] | None = None
    """What the terminal has; None when that is unknown."""
    writes: list[str] = field(default_factory=list)
    """Of a doubtful row: what has to be sent, in its order."""


class Canvas:
    """A screen of ``width`` × ``height`` cells; nothing is known about it at first. Not for several threads at once."""

    def __init__(self, width: int, height: int) -> None:
        self.size = (width, height)
        self.cursor: tuple[int, int] | None = None
        """Where the cursor has to be after drawing: column and row from 0; None for wherever it is."""
        self._rows = [_Row() for _ in range(height)]
        self._damaged: set[int] = set()
        self._cursor_shown: tuple[int, int] | None = None

    @property
    def damaged(self) -> bool:
        """Whether :meth:`draw` has something to say."""
        return bool(self._damaged) or (self.cursor is not None and self.cursor != self._cursor_shown)

    def forget(self) -> None:
        """The terminal may show anything now: everything that is known is to be drawn again."""
        self._cursor_shown = None
        for number, row in enumerate(self._rows):
            row.shown = None
            if row.wanted is not None or row.writes:
                self._damaged.add(number)

    def paint(self, x: int, y: int, pieces: Sequence[Piece]) -> bool:
        """Text from column ``x`` of row ``y`` on. False when that is not on the canvas; nothing is painted then."""
        width, height = self.size
        if not (0 <= y < height and 0 <= x < width):
            return False
        row = self._rows[y]
        self._damaged.add(y)
        cells = _joined(pieces)
        if cells is not None and x + len(cells) <= width:
            if len(cells) == width:
                row.wanted = cells
                row.writes.clear()
                return True
            if row.wanted is not None and _on_borders(row.wanted, x, x + len(cells)):
                row.wanted = row.wanted[:x] + cells + row.wanted[x + len(cells) :]
                return True
        self._write(row, x, y, pieces)
        return True

    def _write(self, row: _Row, x: int, y: int, pieces: Sequence[Piece]) -> None:
        """The row is doubtful, perhaps from now on: this has to be sent as it is, after what is still to be sent."""
        pen = _Pen()
        if row.wanted is not None:
            pen.draw(y, row.shown, row.wanted)
            row.wanted = None
        pen.move(x, y)
        for text, style in pieces:
            pen.write(text, style)
        row.shown = None
        if x == 0 and len(row.writes) > _KEPT_WRITES:
            row.writes.clear()
        row.writes.append(pen.finish())

    def draw(self) -> str:
        """What has to be sent to the terminal, which then shows everything that was painted; often empty."""
        pen = _Pen(self._cursor_shown)
        for number in sorted(self._damaged):
            row = self._rows[number]
            if row.wanted is None:
                for text in row.writes:
                    pen.verbatim(text)
                row.writes.clear()
            elif row.wanted is not row.shown:
                pen.draw(number, row.shown, row.wanted)
                row.shown = row.wanted
        self._damaged.clear()
        if self.cursor is not None:
            pen.move(*self.cursor)
        drawn = pen.finish()
        self._cursor_shown = pen.position
        return drawn

    def moved(self) -> None:
        """Something else has moved the cursor."""
        self._cursor_shown = None


def _joined(pieces: Sequence[Piece]) -> tuple[Cell, ...] | None:
    """The cells of all pieces; None when one of them is in doubt, or a mark of one would join the piece before."""
    found = [cells_of(text, style) for text, style in pieces]
    if any(cells is None for cells in found):
        return None
    return tuple(chain.from_iterable(cells for cells in found if cells is not None))


def _on_borders(cells: Sequence[Cell], start: int, end: int) -> bool:
    """Whether writing from ``start`` to ``end`` cuts no wide character in half."""
    return cells[start][0] != "" and (end == len(cells) or cells[end][0] != "")


class _Pen:
    """Writes cells, and knows where the terminal's cursor is and which style it has."""

    def __init__(self, position: tuple[int, int] | None = None) -> None:
        self.position = position
        """Column and row; None when unknown, as after the last column."""
        self._parts: list[str] = []
        self._style: str = ""

    def move(self, x: int, y: int) -> None:
        if self.position == (x, y):
            return
        self._parts.append(f"\x1b[{y + 1};{x + 1}H")
        self.position = (x, y)

    def write(self, text: str, style: str) -> None:
        if style != self._style:
            self._parts.append(_change(self._style, style))
            self._style = style
        self._parts.append(text)
        self.position = None

    def verbatim(self, text: str) -> None:
        """Something that begins and ends without a style."""
        if self._style:
            self._parts.append(_change(self._style, ""))
            self._style = ""
        self._parts.append(text)
        self.position = None

    def draw(self, y: int, shown: Sequence[Cell] | None, wanted: Sequence[Cell]) -> None:
        """Bring row ``y`` from ``shown`` to ``wanted``."""
        for start, end in _changes(shown, wanted):
            self.move(start, y)
            text: list[str] = []
            style = wanted[start][1]
            for cell_text, cell_style in wanted[start:end]:
                if cell_style != style and cell_text:
                    self.write("".join(text), style)
                    text.clear()
                    style = cell_style
                text.append(cell_text)
            self.write("".join(text), style)
            self.position = (end, y) if end < len(wanted) else None

    def finish(self) -> str:
        if self._style:
            self._parts.append(_change(self._style, ""))
            self._style = ""
        return "".join(self._parts)


def _change(before: str, after: str) -> str:
    """The sequences from one style to another."""
    sgr_before, _, link_before = before.partition(LINK)
    sgr_after, _, link_after = after.partition(LINK)
    parts = []
    if link_before != link_after:
        parts.append(f"\x1b]8;{link_after or ';'}\x1b\\")
    if sgr_before != sgr_after:
        reset = "0;" if sgr_before and sgr_after else ""
        parts.append(f"\x1b[{reset}{sgr_after}m" if sgr_after else "\x1b[0m")
    return "".join(parts)


def _changes(shown: Sequence[Cell] | None, wanted: Sequence[Cell]) -> list[tuple[int, int]]:
    """Where the two differ, as half-open ranges that begin and end beside whole characters."""
    width = len(wanted)
    if shown is None:
        return [(0, width)]
    ranges: list[tuple[int, int]] = []
    for index in [index for index in range(width) if shown[index] != wanted[index]]:
        start, end = index, index + 1
        while start > 0 and (wanted[start][0] == "" or shown[start][0] == ""):
            start -= 1
        while end < width and (wanted[end][0] == "" or shown[end][0] == ""):
            end += 1
        if ranges and start - ranges[-1][1] <= _REWRITE_CELLS:
            ranges[-1] = (ranges[-1][0], max(end, ranges[-1][1]))
        else:
            ranges.append((start, end))
    return ranges
