"""The tokens of a document, line by line, kept while the text changes.

The tokenizer is a pure function from a line and the state at its start to tokens and the state at its end, so after an
edit only the lines from the edit down to what is on the screen are done again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wesley_tui.sdl.tokens import Kind, LineState, Token, tokenize_line

__all__ = ["TOKEN_STYLES", "LineTokens"]

TOKEN_STYLES: Mapping[Kind, str] = {
    "keyword": "bold $sdl-keyword",
    "type": "$sdl-type",
    "builtin": "$sdl-type",
    "field": "$sdl-field",
    "argument": "$sdl-field",
    "directive": "$sdl-directive",
    "string": "$sdl-string",
    "description": "italic $sdl-string",
    "number": "$sdl-number",
    "constant": "$sdl-number",
    "enum": "$sdl-number",
    "punctuation": "$sdl-punctuation",
    "comment": "italic $sdl-comment",
    "error": "underline $error",
}


class LineTokens:
    """Tokens by line index; :meth:`sync` before asking."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._done: list[tuple[Sequence[Token], LineState]] = []

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

    def tokens(self, index: int) -> Sequence[Token]:
        """The tokens of a line; lines above it that are not known yet are done on the way."""
        if not 0 <= index < len(self._lines):
            return ()
        state = self._done[-1][1] if self._done else LineState()
        for line in self._lines[len(self._done) : index + 1]:
            tokens, state = tokenize_line(line, state)
            self._done.append((tokens, state))
        return self._done[index][0]
