"""SQL as PostgreSQL's own scanner cuts it up: what templates are matched against, and where texts may be cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pglast.parser import scan

__all__ = ["Token", "balanced_ends", "is_word", "split_at_commas", "tokens_of", "unquoted"]

_COMMENTS = frozenset(("SQL_COMMENT", "C_COMMENT"))
_OPENING = {"(": 1, "[": 1}
_CLOSING = {")": 1, "]": 1}


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    start: int
    end: int
    """Behind the last character."""
    name: str
    """The scanner's: ``IDENT``, ``SCONST``, ``Op`` …"""

    @property
    def word(self) -> str:
        """For comparison with what a template says literally."""
        return self.text.upper() if self.name != "SCONST" else self.text


@lru_cache(maxsize=4096)
def tokens_of(text: str) -> tuple[Token, ...]:
    """Without comments. Raises ``pglast.parser.ParseError`` for a text that cannot even be scanned."""
    return tuple(
        Token(text[item.start : item.end + 1], item.start, item.end + 1, item.name)
        for item in scan(text)
        if item.name not in _COMMENTS
    )


def is_word(token: Token) -> bool:
    """Whether it may stand for a name: an identifier, quoted or not, or a keyword."""
    return token.name == "IDENT" or (token.text.replace("_", "a").isalnum() and not token.text[0].isdigit())


def unquoted(token: Token) -> str:
    """The name that an identifier means."""
    if token.text.startswith('"'):
        return token.text[1:-1].replace('""', '"')
    return token.text.lower() if token.text.isascii() else token.text


def balanced_ends(tokens: Sequence[Token], start: int) -> Iterator[int]:
    """Ends (exclusive) of the stretches from ``start`` whose brackets are balanced, shortest first."""
    depth = 0
    for position in range(start, len(tokens)):
        text = tokens[position].text
        depth += _OPENING.get(text, 0)
        depth -= _CLOSING.get(text, 0)
        if depth < 0:
            return
        if depth == 0:
            yield position + 1


def split_at_commas(text: str) -> list[str]:
    """The parts between the commas that stand in no brackets."""
    parts: list[str] = []
    depth, start = 0, 0
    for token in tokens_of(text):
        depth += _OPENING.get(token.text, 0)
        depth -= _CLOSING.get(token.text, 0)
        if token.text == "," and depth == 0:
            parts.append(text[start : token.start].strip())
            start = token.end
    return [*parts, text[start:].strip()]
