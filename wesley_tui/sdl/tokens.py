"""Tokens of SDL, line by line, for highlighting while somebody types.

Any text has tokens: what is no SDL is of kind ``error``, and the next line goes on as if nothing had happened. What a
name is depends on what came before it (``User`` is a type after ``type``, a field after ``{``), so a line is read with
the state that the line above left behind; an editor keeps the states and reads again only from the edited line to the
first one whose state is what it was.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from wesley_tui.sdl.directives import SCALARS

__all__ = ["Kind", "LineState", "Token", "tokenize_line"]

Kind = Literal[
    "keyword",
    "type",
    "builtin",
    "field",
    "directive",
    "argument",
    "string",
    "number",
    "constant",
    "enum",
    "comment",
    "punctuation",
    "description",
    "error",
]


class Token(NamedTuple):
    """Characters ``start`` to ``end`` (exclusive) of a line."""

    start: int
    end: int
    kind: Kind


class LineState(NamedTuple):
    """What the end of a line means for the next one; ``LineState()`` is the start of a document."""

    block: Literal["", "string", "description"] = ""
    """Inside a block string of this kind."""
    body: Literal["", "fields", "values"] = ""
    """Inside the braces of a definition."""
    keyword: Literal["", "enum", "directive"] = ""
    """The definition being written, where that matters."""
    nested: Literal["", "directive", "definition"] = ""
    """Inside parentheses: arguments given to a directive, or those that a field or directive defines."""
    depth: int = 0
    """Brackets, braces and further parentheses open inside these."""
    after: Literal["", ":", "@", "="] = ""
    """The last token that decides what a name is."""


_TOKEN = re.compile(
    r"""
    ([ \t,\r\n\ufeff]+)
    | (@[ \t]*[_A-Za-z][_0-9A-Za-z]*)
    | ([_A-Za-z][_0-9A-Za-z]*)
    | ([:!{}()\[\]=|&])
    | (\#.*)
    | (\"\"\")
    | ("(?:[^"\\]|\\.)*")
    | (-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    | ("(?:[^"\\]|\\.)*\\?|[^\s])
    """,
    re.VERBOSE | re.DOTALL,
)
_BLOCK_END = re.compile(r'(?:[^"\\]|\\"""|\\|"(?!""))*+"""')
_BODY_COLON = re.compile(r"[ \t,]*:")
_KEYWORDS = frozenset(
    ("type", "enum", "scalar", "schema", "interface", "union", "input", "directive", "extend", "implements")
)
_MODIFIERS = frozenset(("on", "repeatable"))
_CONSTANTS = frozenset(("true", "false", "null"))
_SPACE, _DIRECTIVE, _NAME, _PUNCTUATOR, _COMMENT, _BLOCK, _STRING, _NUMBER, _OTHER = range(1, 10)
_START = LineState()


def tokenize_line(line: str, state: LineState = _START) -> tuple[list[Token], LineState]:
    """The tokens of one line, in order, without overlap, white space left out; and the state for the next line."""
    block, body, keyword, nested, depth, after = state
    tokens: list[Token] = []
    position = 0
    if block:
        end = _BLOCK_END.match(line)
        if end is None:
            return ([Token(0, len(line), block)] if line else []), state
        position = end.end()
        tokens.append(Token(0, position, block))
        block = ""
    match_token = _TOKEN.match
    length = len(line)
    while position < length:
        match = match_token(line, position)
        if match is None:
            # A character that Python takes for white space and GraphQL does not.
            tokens.append(Token(position, position + 1, "error"))
            position += 1
            continue
        start, position = position, match.end()
        group = match.lastindex
        kind: Kind
        if group == _SPACE:
            continue
        if group == _NAME:
            word = match[0]
            if nested:
                if (depth == 0 and after not in (":", "=")) or _BODY_COLON.match(line, position):
                    kind = "argument"
                elif nested == "definition" and after == ":":
                    kind = "builtin" if word in SCALARS else "type"
                else:
                    kind = "constant" if word in _CONSTANTS else "enum"
                if depth == 0 and kind != "argument":
                    after = ""
            elif body == "fields":
                kind = ("builtin" if word in SCALARS else "type") if after == ":" else "field"
            elif body == "values":
                kind = "enum"
            elif word in _KEYWORDS:
                kind, after = "keyword", ""
                keyword = "enum" if word == "enum" else "directive" if word == "directive" else ""
            elif word in _MODIFIERS and after == "@":
                kind = "keyword"
            else:
                kind = "builtin" if word in SCALARS else "type"
        elif group == _PUNCTUATOR:
            kind = "punctuation"
            character = match[0]
            if character == ":":
                after = ":"
            elif character == "(":
                if nested:
                    depth += 1
                else:
                    nested = "directive" if after == "@" and keyword != "directive" else "definition"
                    depth, after = 0, ""
            elif character == ")":
                if nested and depth:
                    depth -= 1
                elif nested:
                    after = "@" if nested == "directive" or keyword == "directive" else ""
                    nested = ""
                else:
                    kind = "error"
            elif character in "[{" and nested:
                depth += 1
            elif character in "]}" and nested:
                depth -= 1
                if depth < 0:
                    # Somebody forgot to close the parentheses: the brace belongs to the definition.
                    kind, nested, depth, body, after = "error", "", 0, ("" if character == "}" else body), ""
                elif depth == 0:
                    after = ""
            elif character == "{":
                body, after = ("values" if keyword == "enum" else "fields"), ""
            elif character == "}":
                kind = "punctuation" if body else "error"
                body, keyword, after = "", "", ""
            elif character == "=":
                after = "="
        elif group == _DIRECTIVE:
            kind, after = "directive", "@"
        elif group in (_STRING, _BLOCK):
            kind = "string" if nested or after in (":", "=") else "description"
            if group == _BLOCK:
                end = _BLOCK_END.match(line, position)
                if end is None:
                    block = kind
                    position = length
                else:
                    position = end.end()
            if nested and depth == 0:
                after = ""
        elif group == _NUMBER:
            kind = "number"
            if nested and depth == 0:
                after = ""
        elif group == _COMMENT:
            kind = "comment"
        else:
            kind = "error"
        if after == ":" and kind in ("type", "builtin"):
            after = ""
        tokens.append(Token(start, position, kind))
    return tokens, LineState(block, body, keyword, nested, depth, after)
