"""The tokens of a document, line by line, kept while the text changes.

The tokenizer is a pure function from a line and the state at its start to tokens and the state at its end, so after an
edit only the lines from the edit down to what is on the screen are done again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["TOKEN_STYLES", "LineTokens", "sdl_tokenizer"]

Tokenizer = Callable[[str, Any], tuple[Sequence[Any], Any]]
"""Tokens have ``start`` and ``end`` (characters from 0) and a ``kind``."""

TOKEN_STYLES: Mapping[str, str] = {
    "keyword": "bold $sdl-keyword",
    "type": "$sdl-type",
    "field": "$sdl-field",
    "argument": "$sdl-field",
    "name": "$sdl-field",
    "directive": "$sdl-directive",
    "string": "$sdl-string",
    "block-string": "$sdl-string",
    "description": "italic $sdl-string",
    "number": "$sdl-number",
    "literal": "$sdl-number",
    "constant": "$sdl-number",
    "enum": "$sdl-number",
    "variable": "$sdl-number",
    "punctuation": "$sdl-punctuation",
    "comment": "italic $sdl-comment",
    "error": "underline $error",
    "invalid": "underline $error",
}


def sdl_tokenizer() -> tuple[Tokenizer, Any]:
    """The tokenizer of SDL and the state at the start of a document."""
    from wesley_tui.sdl.tokens import LineState, tokenize_line

    return tokenize_line, LineState()


class LineTokens:
    """Tokens by line index; :meth:`sync` before asking."""

    def __init__(self, tokenize: Tokenizer, start: Any) -> None:
        self._tokenize = tokenize
        self._start = start
        self._lines: list[str] = []
        self._done: list[tuple[Sequence[Any], Any]] = []

    def sync(self, lines: Sequence[str]) -> None:
        """Forget everything from the first line that differs; cheap when nothing does."""
        if self._lines == lines:
            return
        same = 0
        for old, new in zip(self._lines, lines, strict=False):
            if old is not new and old != new:
                break
            same += 1
        self._lines = list(lines)
        del self._done[same:]

    def tokens(self, index: int) -> Sequence[Any]:
        """The tokens of a line; lines above it that are not known yet are done on the way."""
        if not 0 <= index < len(self._lines):
            return ()
        state = self._done[-1][1] if self._done else self._start
        for line in self._lines[len(self._done) : index + 1]:
            tokens, state = self._tokenize(line, state)
            self._done.append((tokens, state))
        return self._done[index][0]
