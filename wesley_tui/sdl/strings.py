"""GraphQL's two kinds of strings: what their source text means, and how to write a text as one of them."""

from __future__ import annotations

import re

__all__ = ["BadEscape", "block_value", "offset_in_source", "quoted_value", "write_block", "write_quoted"]

_LINE_END = re.compile(r"\r\n|[\n\r]")
_ESCAPE = re.compile(r"\\(?:u\{([0-9A-Fa-f]+)\}|u([0-9A-Fa-f]{4})|([\"\\/bfnrt])|(.?))", re.DOTALL)
_SIMPLE = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WRITE = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MUST_ESCAPE = re.compile(r'["\\\x00-\x1f\x7f-\x9f\ufeff\u2028\u2029]')


class BadEscape(ValueError):
    """An escape sequence that means nothing; ``offset`` counts from the first character inside the quotes."""

    def __init__(self, message: str, offset: int) -> None:
        self.offset = offset
        super().__init__(message)


def quoted_value(body: str) -> str:
    """The text that ``"body"`` stands for.

    Raises:
        BadEscape: unknown escape, or one half of a surrogate pair.
    """
    if "\\" not in body:
        return body
    result: list[str] = []
    position = 0
    lead: tuple[int, int] | None = None
    for match in _ESCAPE.finditer(body):
        start, end = match.span()
        if lead is not None and (start != position or match.group(2) is None):
            raise BadEscape("a lone surrogate is not a character", lead[1])
        result.append(body[position:start])
        position = end
        braced, four, simple, _ = match.groups()
        if simple is not None:
            result.append(_SIMPLE[simple])
            continue
        if braced is None and four is None:
            raise BadEscape(f"unknown escape sequence {match.group()}", start)
        code = int(braced or four, 16)
        if lead is not None:
            if not 0xDC00 <= code <= 0xDFFF:
                raise BadEscape("a lone surrogate is not a character", lead[1])
            result.append(chr(0x10000 + ((lead[0] - 0xD800) << 10) + (code - 0xDC00)))
            lead = None
        elif four is not None and 0xD800 <= code <= 0xDBFF:
            lead = (code, start)
        elif 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
            raise BadEscape(f"{match.group()} is not a character", start)
        else:
            result.append(chr(code))
    if lead is not None:
        raise BadEscape("a lone surrogate is not a character", lead[1])
    result.append(body[position:])
    return "".join(result)


def block_value(body: str) -> str:
    '''The text that ``"""body"""`` stands for: without common indentation and blank edges (BlockStringValue()).'''
    lines = _LINE_END.split(body.replace('\\"""', '"""'))
    indents = [len(line) - len(stripped) for line in lines[1:] if (stripped := line.lstrip(" \t"))]
    common = min(indents, default=0)
    lines = [lines[0], *(line[common:] for line in lines[1:])]
    while lines and not lines[0].strip(" \t"):
        del lines[0]
    while lines and not lines[-1].strip(" \t"):
        del lines[-1]
    return "\n".join(lines)


def offset_in_source(written: str, offset: int) -> int:
    """Where in a string as it is ``written``, quotes and all, the character ``offset`` of its value comes from."""
    if not written.startswith('"""'):
        position = 1
        for _ in range(offset):
            match = _ESCAPE.match(written, position)
            position = match.end() if match is not None else position + 1
        return position
    body = written[3:-3]
    value = block_value(body)
    before = value[:offset].split("\n")
    starts = [0, *(match.end() for match in _LINE_END.finditer(body))]
    lines = _LINE_END.split(body)
    blank = 0
    while blank < len(lines) - 1 and not lines[blank].strip(" \t"):
        blank += 1
    number = blank + len(before) - 1
    indents = [len(line) - len(line.lstrip(" \t")) for line in lines[1:] if line.strip(" \t")]
    position = starts[number] + (min(indents, default=0) if number else 0)
    for _ in range(len(before[-1])):
        # An escaped \""" is three characters of the value.
        position += 2 if body.startswith('\\"""', position) else 1
    return min(position, len(body)) + 3


def write_quoted(text: str) -> str:
    """``text`` as a one-line string; control characters are escaped, so that the result is safe on a terminal."""
    return '"' + _MUST_ESCAPE.sub(lambda match: _WRITE.get(match[0], f"\\u{ord(match[0]):04X}"), text) + '"'


def write_block(text: str, indent: str, closing: str | None = None) -> str | None:
    """``text`` as a block string in which every line starts with ``indent``; None when no block string means it.

    ``closing`` is the indentation of the quotes that close it.
    """
    body = text.replace('"""', '\\"""')
    lines = body.split("\n")
    block = (
        '"""\n'
        + "\n".join(indent + line if line else "" for line in lines)
        + f"\n{indent if closing is None else closing}"
        + '"""'
    )
    if _MUST_ESCAPE.search(text.replace("\n", "").replace('"', "").replace("\\", "").replace("\t", "")):
        return None
    return block if block_value(block[3:-3]) == text else None
