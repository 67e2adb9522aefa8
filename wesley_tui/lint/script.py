"""A script as psql reads it: statements with their places, and what is not SQL put aside.

Meta-commands (``\\i``, ``\\c``, ``\\copy`` …) and the data after ``COPY … FROM stdin`` are blanked out before the text
is parsed, byte for byte, so that every position stays true; each meta-command leaves a note. A statement that cannot be
parsed is reported at its place, and the others are read all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pglast.parser import ParseError

from wesley_tui.planner.effects.tree import Node, Parsed, parse_script

__all__ = ["Ignore", "Note", "Piece", "Script", "read_script"]


@dataclass(frozen=True, slots=True)
class Piece:
    """One statement; ``node`` is None when it cannot be parsed."""

    text: str
    start: int
    """Byte in the script where the tree's locations count from."""
    line: int
    """Of its first token, from 1."""
    last_line: int
    gap_line: int
    """Where the comments before it begin."""
    node: Node | None
    error: str = ""
    error_line: int = 0
    error_column: int = 0
    starts_file: bool = False
    """The comments before it name a file, alone on a line: ``-- 0002_orders.sql``. So look several files in one."""


@dataclass(frozen=True, slots=True)
class Note:
    """A meta-command, which nobody but psql can run."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Ignore:
    """``-- wesley:ignore rule-id reason``."""

    line: int
    rules: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Script:
    source: bytes
    """What was parsed: the text with everything that is not SQL blanked out."""
    pieces: tuple[Piece, ...]
    notes: tuple[Note, ...]
    ignores: tuple[Ignore, ...]


_TOKEN = re.compile(
    rb"""
    (?P<line_comment>--[^\n]*) | (?P<comment>/\*) | (?P<escaped>\b[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z))
    | (?P<quoted>'(?:[^']|'')*(?:'|\Z)) | (?P<name>"(?:[^"]|"")*(?:"|\Z))
    | (?P<dollar>(?<![\w$])\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\$) | (?P<end>;) | (?P<meta>\\[^\n]*)
    | (?P<atomic>\bBEGIN\s+ATOMIC\b) | (?P<case>\bCASE\b) | (?P<finish>\bEND\b)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_COMMENT_PART = re.compile(rb"/\*|\*/")
_COPY_DATA = re.compile(rb"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*copy\b.*\bfrom\s+stdin\b", re.IGNORECASE | re.DOTALL)
_DATA_END = re.compile(rb"^\\\.[ \t\r]*$", re.MULTILINE)
_GAP = re.compile(rb"(?:\s+|--[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)*")
_IGNORE = re.compile(rb"--[ \t]*wesley:ignore[ \t]+([\w-]+(?:[ \t]*,[ \t]*[\w-]+)*)[ \t]*([^\n]*)")
_FILE = re.compile(rb"^--[ \t]*[\w./-]+\.sql[ \t]*\r?$", re.MULTILINE)
_VARIABLE = re.compile(rb"(?<![:\w\]]):(?=['\"A-Za-z_])")


def read_script(text: str) -> Script:
    """Read a script; never raises for what it says."""
    source = text.removeprefix("\ufeff").encode("utf-8", "surrogateescape").replace(b"\x00", b" ")
    notes: list[Note] = []
    ends: list[int] | None = None
    if b"\\" in source or re.search(rb"from\s+stdin", source, re.IGNORECASE):
        source, ends = _without_meta(source, notes)
    try:
        parsed = parse_script(source.decode("utf-8", "replace")) if _is_utf8(source) else None
    except (ParseError, ValueError):
        parsed = None
    lines = _Lines(source)
    if parsed is not None:
        pieces = tuple(_all(source, parsed, lines))
    else:
        pieces = tuple(_one_by_one(source, ends if ends is not None else list(_ends(source)), lines))
    ignores: tuple[Ignore, ...] = ()
    if b"wesley:ignore" in source:
        ignores = tuple(
            Ignore(
                source.count(b"\n", 0, found.start()) + 1,
                tuple(part.strip().decode() for part in found.group(1).split(b",")),
                found.group(2).strip().decode("utf-8", "replace"),
            )
            for found in _IGNORE.finditer(source)
        )
    return Script(source, pieces, tuple(notes), ignores)


def _all(source: bytes, parsed: list[Parsed], lines: _Lines) -> Iterator[Piece]:
    """The statements of a script without errors. A statement begins where the one before ended."""
    start = 0
    for item in parsed:
        end = item.start + item.length if item.length else len(source)
        yield _piece(source, start, end, item.node, 0, lines)
        start = end + 1


def _is_utf8(source: bytes) -> bool:
    try:
        source.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Lines:
    """Line numbers of positions that are asked for in ascending order."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.position = 0
        self.line = 1

    def at(self, position: int) -> int:
        if position < self.position:
            return self.source.count(b"\n", 0, position) + 1
        self.line += self.source.count(b"\n", self.position, position)
        self.position = position
        return self.line


def _piece(source: bytes, start: int, end: int, node: Node | None, base: int, lines: _Lines) -> Piece:
    gap = _GAP.match(source, start, end)
    first = gap.end() if gap is not None else start
    text = source[first:end].decode("utf-8", "replace").rstrip()
    gap_line = lines.at(start)
    line = lines.at(first)
    starts_file = start > 0 and b".sql" in source[start:first] and _FILE.search(source, start, first) is not None
    return Piece(text, base, line, line + text.count("\n"), gap_line, node, starts_file=starts_file)


def _one_by_one(source: bytes, ends: list[int], lines: _Lines) -> Iterator[Piece]:
    """The statements of a script of which at least one cannot be parsed."""
    start = 0
    for end in (*ends, len(source)):
        part = source[start:end]
        gap = _GAP.match(part)
        if part[gap.end() if gap is not None else 0 :].strip():
            yield _parsed_alone(source, start, end, lines)
        start = end + 1


def _parsed_alone(source: bytes, start: int, end: int, lines: _Lines) -> Piece:
    part = source[start:end]
    message, place = "", 0
    for attempt in (part, _VARIABLE.sub(b" ", part), _VARIABLE.sub(b"_", part)):
        try:
            found = parse_script(attempt.decode("utf-8", "replace"))
        except ParseError as error:
            message = message or _first_line(str(error.args[0]))
            place = place or _place_of(error, part)
            continue
        except ValueError as error:
            message = message or str(error)
            break
        if len(found) == 1:
            return _piece(source, start, end, found[0].node, start, lines)
    piece = _piece(source, start, end, None, start, lines)
    gap = _GAP.match(part)
    first = start + max(place, gap.end() if gap is not None else 0)
    before = source[:first]
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    return Piece(
        piece.text, start, piece.line, piece.last_line, piece.gap_line, None, message, before.count(b"\n") + 1, column
    )


def _first_line(message: str) -> str:
    """PostgreSQL quotes all that is left of the script after a quote that nobody closes."""
    first, newline, _ = message.partition("\n")
    return f"{first[:200]} …" if newline or len(first) > 200 else first


def _place_of(error: ParseError, part: bytes) -> int:
    """Byte of the error in ``part``; the parser counts characters."""
    if "at end of input" in str(error.args[0]):
        return len(part.rstrip())
    place = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], int) else 0
    return len(part.decode("utf-8", "replace")[:place].encode())


def _ends(source: bytes) -> Iterator[int]:
    """Places of the semicolons that end statements."""
    for kind, position, _ in _tokens(source, 0):
        if kind == "end":
            yield position


def _tokens(source: bytes, position: int) -> Iterator[tuple[str, int, int]]:
    """(kind, start, end) of semicolons and meta-commands outside of quotes, comments and bodies of functions."""
    depth = 0
    while True:
        found = _TOKEN.search(source, position)
        if found is None:
            return
        kind, position = found.lastgroup, found.end()
        if kind == "comment":
            position = _end_of_comment(source, position)
        elif kind == "dollar":
            close = source.find(found.group(), position)
            position = len(source) if close < 0 else close + len(found.group())
        elif kind == "atomic" or (kind == "case" and depth):
            depth += 1
        elif kind == "finish" and depth:
            depth -= 1
        elif kind in ("end", "meta") and not depth:
            yield kind, found.start(), found.end()


def _end_of_comment(source: bytes, position: int) -> int:
    depth = 1
    while depth:
        found = _COMMENT_PART.search(source, position)
        if found is None:
            return len(source)
        depth += 1 if found.group() == b"/*" else -1
        position = found.end()
    return position


def _without_meta(source: bytes, notes: list[Note]) -> tuple[bytes, list[int]]:
    """The script with meta-commands and COPY data as blanks, and where its statements end."""
    result = bytearray(source)
    ends: list[int] = []
    position = start = 0
    while True:
        token = next(_tokens(bytes(result) if position == 0 else source, position), None)
        if token is None:
            return bytes(result), ends
        kind, begin, end = token
        if kind == "end":
            ends.append(begin)
            position = begin + 1
            if _COPY_DATA.match(source[start:begin]):
                newline = source.find(b"\n", begin)
                close = _DATA_END.search(source, newline + 1) if newline >= 0 else None
                position = close.end() if close is not None else len(source)
                if newline >= 0:
                    _blank(result, newline + 1, position)
            start = position
            continue
        if source.startswith(b"\\;", begin):
            # Sends what stands before it together with what follows: two statements.
            result[begin : begin + 2] = b" ;"
            ends.append(begin + 1)
            position = start = begin + 2
            continue
        words = source[begin:end].split()
        line = source.count(b"\n", 0, begin) + 1
        notes.append(Note(line, source[begin:end].decode("utf-8", "replace").strip()))
        _blank(result, begin, end)
        if words and words[0].startswith((b"\\g", b"\\;", b"\\watch", b"\\crosstabview")):
            result[begin : begin + 1] = b";"
            ends.append(begin)
            start = end
        position = end


def _blank(text: bytearray, start: int, end: int) -> None:
    text[start:end] = re.sub(rb"[^\n]", b" ", bytes(text[start:end]))
