"""JSON as people write it, read with the place of every value, so that a mistake can be shown where it stands.

Stricter than ``json.loads``: no duplicate keys, no NaN or Infinity, no lone surrogates, nesting and size are bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

__all__ = ["MAX_BYTES", "Document", "Path", "PlanError", "read_json"]

MAX_BYTES = 8_000_000
"""Of a document; a plan of ten thousand steps is smaller."""
_MAX_DEPTH = 40

Path = tuple[str | int, ...]
"""Where a value stands: ``("waves", 0, "steps", 2, "table")``."""

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_HEX = re.compile(r"[0-9a-fA-F]{4}")


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake and its place, as programs read it."""

    source: str
    line: int
    column: int
    message: str
    severity: str = "error"
    code: str = "plan"
    hint: str | None = None


class PlanError(ValueError):
    """A hand-written plan cannot be used: ``str()`` says where, what is wrong, and what to write instead. Nothing was
    executed."""

    def __init__(self, message: str, *, source: str = "", line: int = 0, column: int = 0, path: str = "") -> None:
        self.message = message
        self.source = source
        self.line = line
        """From 1; 0 when it is not known."""
        self.column = column
        self.path = path
        """As in ``waves[0].steps[2].table``."""
        self.diagnostics = (Mistake(source, line, column, f"{path}: {message}" if path else message),)
        place = f"{source}:{line}:{column}" if line else source
        super().__init__(": ".join(part for part in (place, path, message) if part))


@dataclass(frozen=True, slots=True)
class Document:
    """A value and where its parts stand."""

    source: str
    text: str
    value: Any
    places: dict[Path, int] = field(default_factory=dict)
    """Path → offset of the first character."""

    def line(self, path: Path) -> int:
        """The line of a value, from 1."""
        return self.text.count("\n", 0, self.places.get(path, 0)) + 1

    def error(self, path: Path, message: str, offset: int = 0) -> PlanError:
        """An error at a value, or ``offset`` characters into the text of a string value."""
        while path and path not in self.places:
            path = path[:-1]
        at = self.places.get(path, 0)
        if offset:
            at = _inside(self.text, at, offset)
        return _error(self.source, self.text, at, message, path)


def read_json(source: str, data: bytes) -> Document:
    """Raises :class:`PlanError` with line and column for what is not JSON."""
    if len(data) > MAX_BYTES:
        raise PlanError(
            f"the document has {len(data):,} bytes, a plan has at most {MAX_BYTES:,}: split it into several plans",
            source=source,
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise PlanError(
            "this byte is not UTF-8: save the file as UTF-8", source=source, line=line, column=column
        ) from None
    reader = _Reader(source, text)
    return Document(source, text, reader.document(), reader.places)


def shown(path: Path) -> str:
    """``waves[0].steps[2].table``"""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _error(source: str, text: str, at: int, message: str, path: Path = ()) -> PlanError:
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    return PlanError(message, source=source, line=line, column=column, path=shown(path))


def _inside(text: str, at: int, offset: int) -> int:
    """The place of the character ``offset`` of the string that begins at ``at``: escapes are longer than what they
    mean."""
    position = at + 1
    while offset > 0 and position < len(text):
        if text[position] == "\\":
            position += 6 if text[position + 1 : position + 2] == "u" else 2
        else:
            position += 1
        offset -= 1
    return position


class _Reader:
    def __init__(self, source: str, text: str) -> None:
        self._source = source
        self._text = text
        self._at = 0
        self.places: dict[Path, int] = {}

    def document(self) -> Any:
        self._skip()
        if self._at == len(self._text):
            raise self._wrong("the document is empty: a plan is a JSON object, see `wesley plan --dsl-schema`")
        value = self._value(())
        self._skip()
        if self._at < len(self._text):
            raise self._wrong("text after the end of the document: a plan is one JSON object")
        return value

    def _wrong(self, message: str, at: int | None = None, path: Path = ()) -> PlanError:
        return _error(self._source, self._text, self._at if at is None else at, message, path)

    def _skip(self) -> None:
        match = _SPACE.match(self._text, self._at)
        assert match is not None
        self._at = match.end()

    def _value(self, path: Path) -> Any:
        if len(path) > _MAX_DEPTH:
            raise self._wrong(f"nested more than {_MAX_DEPTH} deep: no plan is", path=path[:4])
        self.places[path] = self._at
        char = self._text[self._at : self._at + 1]
        if char == "{":
            return self._object(path)
        if char == "[":
            return self._array(path)
        if char == '"':
            return self._string()
        for word, value in (("true", True), ("false", False), ("null", None)):
            if self._text.startswith(word, self._at):
                self._at += len(word)
                return value
        return self._number()

    def _number(self) -> int | float:
        match = _NUMBER.match(self._text, self._at)
        if match is None:
            found = self._text[self._at : self._at + 12].split("\n")[0]
            hint = ""
            if found.startswith(("NaN", "Infinity", "-Infinity")):
                hint = ": JSON has no such number"
            elif found.startswith("'"):
                hint = ": texts stand in double quotes"
            elif found.startswith(("//", "/*", "#")):
                hint = ": JSON has no comments"
            elif found.startswith(("}", "]")):
                hint = ": a comma before it is one too many"
            raise self._wrong(
                f"a value is expected here, not {found!r}{hint}" if found else "the document ends too early"
            )
        text = match.group()
        if len(text) > 40:
            raise self._wrong("a number of more than 40 characters: no plan needs one")
        self._at = match.end()
        return int(text) if text.lstrip("-").isdigit() else float(text)

    def _array(self, path: Path) -> list[Any]:
        self._at += 1
        items: list[Any] = []
        self._skip()
        if self._text.startswith("]", self._at):
            self._at += 1
            return items
        while True:
            self._skip()
            items.append(self._value((*path, len(items))))
            if self._closes("]"):
                return items

    def _object(self, path: Path) -> dict[str, Any]:
        self._at += 1
        found: dict[str, Any] = {}
        self._skip()
        if self._text.startswith("}", self._at):
            self._at += 1
            return found
        while True:
            self._skip()
            at = self._at
            if not self._text.startswith('"', at):
                raise self._wrong("the name of a field is expected here, in double quotes", path=path)
            key = self._string()
            if key in found:
                raise self._wrong(f"{key!r} stands here for the second time: only one can count", at, path)
            self._skip()
            if not self._text.startswith(":", self._at):
                raise self._wrong(f"a colon is expected after {key!r}", path=path)
            self._at += 1
            self._skip()
            found[key] = self._value((*path, key))
            if self._closes("}"):
                return found

    def _closes(self, end: str) -> bool:
        self._skip()
        char = self._text[self._at : self._at + 1]
        if char == end:
            self._at += 1
            return True
        if char != ",":
            raise self._wrong(f"a comma or {end} is expected here" if char else "the document ends too early")
        self._at += 1
        return False

    def _string(self) -> str:
        start = self._at
        self._at += 1
        parts: list[str] = []
        while True:
            match = _PLAIN.match(self._text, self._at)
            assert match is not None
            parts.append(match.group())
            self._at = match.end()
            char = self._text[self._at : self._at + 1]
            if char == '"':
                self._at += 1
                break
            if char != "\\":
                what = (
                    "the text that begins here has no end"
                    if not char
                    else "a control character in a text: write it as \\u00…"
                )
                raise self._wrong(what, start if not char else None)
            parts.append(self._escape())
        text = "".join(parts)
        try:
            joined = text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise self._wrong("half of a surrogate pair: this is no character", start) from None
        return joined

    def _escape(self) -> str:
        char = self._text[self._at + 1 : self._at + 2]
        if char == "u":
            match = _HEX.match(self._text, self._at + 2)
            if match is None:
                raise self._wrong("four hexadecimal digits are expected after \\u")
            self._at += 6
            return chr(int(match.group(), 16))
        if char not in _ESCAPES or not char:
            raise self._wrong(f"\\{char} is no escape of JSON")
        self._at += 2
        return _ESCAPES[char]
