"""Reads SDL text into definitions, and after an edit only what the edit touched.

A definition depends on nothing that stands before it (:mod:`wesley_tui.sdl.parser`). Hence, after an edit, all
definitions that end before the changed text are kept, and reading stops as soon as it comes to a place where an old
definition started and from which on the text is the same.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import NamedTuple

from wesley_tui.sdl.parser import Parser
from wesley_tui.sdl.syntax import Definition, SyntaxIssue

__all__ = ["MAX_CHARACTERS", "MAX_DEFINITIONS", "Placed", "Reader"]

MAX_CHARACTERS = 8 * 1024 * 1024
MAX_DEFINITIONS = 20_000


class Placed(NamedTuple):
    """A definition and where its text starts in its source; ``reach`` is how far it had to look to be read."""

    definition: Definition
    start: int
    reach: int


class Reader:
    """Reads one source, again and again as it is edited."""

    def __init__(self) -> None:
        self._text = ""
        self._placed: list[Placed] = []

    def read(self, text: str) -> list[Placed]:
        """All definitions of ``text`` in order; reuses those of the text read before. Never raises for bad text."""
        if text == self._text:
            return self._placed
        prefix, suffix = _unchanged(self._text, text)
        shift = len(text) - len(self._text)
        old = self._placed
        keep = 0
        while keep < len(old) and old[keep].reach < prefix:
            keep += 1
        starts = [placed.start for placed in old]
        placed = old[:keep]
        parser = Parser(text)
        if keep and keep == len(old):
            placed.pop()
            keep -= 1
        parser.position = old[keep].start if keep else 0
        same_from = len(self._text) - suffix
        while True:
            start = parser.skip()
            if start >= len(text):
                break
            before = start - shift
            if before >= same_from:
                index = bisect_left(starts, before)
                if index < len(starts) and starts[index] == before:
                    tail = old[index:]
                    placed += tail if not shift else [Placed(one, at + shift, reach + shift) for one, at, reach in tail]
                    break
            if len(placed) >= MAX_DEFINITIONS:
                issue = SyntaxIssue(
                    "too-large",
                    f"more than {MAX_DEFINITIONS:,} definitions in one file; the rest was not read",
                    0,
                    "split the schema",
                )
                placed.append(Placed(Definition("broken", "", 0, issue=issue), start, len(text)))
                break
            definition = parser.definition(start)
            placed.append(Placed(definition, start, parser.reach))
        self._text, self._placed = text, placed
        return placed


def _unchanged(old: str, new: str) -> tuple[int, int]:
    """Length of the common start and of the common end of two texts (they do not overlap)."""
    shorter = min(len(old), len(new))
    prefix = _common(shorter, lambda n: old.startswith(new[:n]))
    limit = shorter - prefix
    suffix = _common(limit, lambda n: n == 0 or old.endswith(new[len(new) - n :]))
    return prefix, suffix


def _common(limit: int, holds: Callable[[int], bool]) -> int:
    """The greatest length up to ``limit`` for which ``holds`` is true (it is for all smaller ones)."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low
