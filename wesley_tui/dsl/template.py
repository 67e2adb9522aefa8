"""Templates: one text says how an operation is written in SQL, and how it is recognised.

    ALTER TABLE {table} ALTER COLUMN {column} TYPE {type}[ COLLATE {collation:qualified}][ USING {using:expression}]

``{field}`` or ``{field:kind}`` stands for a value; ``[…]`` is there when one of its fields has a value, ``[?flag …]``
when the flag is true; ``<field:A|B C>`` is one of these words, ``"b c"`` in JSON. What stands between is SQL. Rendering
fills the holes; recognising goes over the tokens of a statement, tries every way to cut it, and believes only texts
that are what their kind says. So a statement that is written as JSON and read again is the same to the byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pglast.parser import ParseError

from wesley_tui.dsl.tokens import Token, tokens_of

__all__ = ["Fields", "Kind", "Template", "Values", "Wrong"]

Values = dict[str, Any]
Fields = dict[str, "tuple[Kind | tuple[str, ...] | None, bool]"]
"""Name → kind, words to choose from or None for a flag; and whether the field is required."""


class Wrong(ValueError):
    """A value is not what its field takes. ``path`` leads from the field to the part that is wrong, ``offset`` into its
    text."""

    def __init__(self, message: str, path: tuple[str | int, ...] = (), offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.offset = offset


class Kind(Protocol):
    """What the value of a field is."""

    spread: bool
    """True when its value is several fields of the operation, as an object."""

    def check(self, value: Any) -> None:
        """Raises :class:`Wrong`."""

    def sql(self, value: Any) -> str:
        """The value, which was checked, as SQL."""

    def parse(self, text: str) -> Any:
        """The value that ``text`` is the SQL of; raises ``ValueError`` (also pglast's)."""

    def ends(self, tokens: Sequence[Token], start: int) -> Iterator[int]:
        """Where in ``tokens`` the SQL of a value that begins at ``start`` may end."""

    def schema(self) -> dict[str, Any]:
        """As JSON Schema."""

    def fields(self) -> Fields:
        """Of a kind that is spread."""


@dataclass(frozen=True, slots=True)
class _Literal:
    text: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Hole:
    field: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class _Choice:
    field: str
    words: Mapping[str, tuple[str, tuple[str, ...]]]
    """JSON value → text and its tokens."""


@dataclass(frozen=True, slots=True)
class _Group:
    parts: tuple[_Part, ...]
    flag: str


_Part = _Literal | _Hole | _Choice | _Group

_PIECE = re.compile(r"\[\?(\w+) |(\[)|(\])|\{(\w+)(?::(\w+))?\}|<(\w+):([^>]+)>")


@dataclass(frozen=True)
class Template:
    text: str
    kinds: Mapping[str, Kind] = field(repr=False)
    """By the names that stand behind the colon; a hole without one has the kind of its own name."""

    def __post_init__(self) -> None:
        parts, end = _parts(self.text, 0, self.kinds)
        if end != len(self.text):
            raise ValueError(f"brackets do not match in {self.text}")
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "first", parts[0].words[:1] if isinstance(parts[0], _Literal) else ())

    parts: tuple[_Part, ...] = field(init=False, repr=False)
    first: tuple[str, ...] = field(init=False, repr=False)
    """The word that a statement of this form begins with, when it is always the same."""

    def fields(self) -> Fields:
        found: Fields = {}
        _collect(self.parts, found, True)
        return found

    def render(self, values: Mapping[str, Any]) -> str:
        return _render(self.parts, values)

    def recognise(self, statement: str) -> Values | None:
        """The values with which :meth:`render` gives the same statement; None when there are none."""
        tokens = tokens_of(statement)
        if self.first and (not tokens or tokens[0].word != self.first[0]):
            return None
        for end, values in _match(self.parts, tokens, 0, statement):
            if end == len(tokens):
                return values
        return None


def _parts(text: str, start: int, kinds: Mapping[str, Kind]) -> tuple[tuple[_Part, ...], int]:
    parts: list[_Part] = []
    position = start
    while position < len(text):
        match = _PIECE.search(text, position)
        end = match.start() if match else len(text)
        if end > position:
            literal = text[position:end]
            parts.append(_Literal(literal, tuple(token.word for token in tokens_of(literal))))
        if match is None:
            return tuple(parts), len(text)
        flag, opening, closing, hole, kind, choice, words = match.groups()
        position = match.end()
        if closing:
            return tuple(parts), position
        if flag or opening:
            inner, position = _parts(text, position, kinds)
            parts.append(_Group(inner, flag or ""))
        elif hole:
            parts.append(_Hole(hole, kinds[kind or hole]))
        else:
            choices = {
                item.lower(): (item, tuple(token.word for token in tokens_of(item))) for item in words.split("|")
            }
            parts.append(_Choice(choice, choices))
    return tuple(parts), position


def _collect(parts: Sequence[_Part], found: Fields, required: bool) -> None:
    for part in parts:
        match part:
            case _Hole(name, kind):
                if kind.spread:
                    found.update(kind.fields())
                else:
                    found[name] = (kind, required)
            case _Choice(name, words):
                found[name] = (tuple(words), required)
            case _Group(inner, flag):
                if flag:
                    found[flag] = (None, False)
                _collect(inner, found, False)
            case _Literal():
                pass


def _names(parts: Sequence[_Part]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, _Group):
            yield from _names(part.parts)
        elif not isinstance(part, _Literal):
            yield part.field


def _render(parts: Sequence[_Part], values: Mapping[str, Any]) -> str:
    text = ""
    for part in parts:
        match part:
            case _Literal():
                text += part.text
            case _Hole(name, kind):
                text += kind.sql(values if kind.spread else values[name])
            case _Choice(name, words):
                text += words[values[name]][0]
            case _Group(inner, flag):
                given = values.get(flag) if flag else any(values.get(name) is not None for name in _names(inner))
                text += _render(inner, values) if given else ""
    return text


def _match(parts: Sequence[_Part], tokens: Sequence[Token], at: int, source: str) -> Iterator[tuple[int, Values]]:
    if not parts:
        yield at, {}
        return
    first, rest = parts[0], parts[1:]
    match first:
        case _Literal(_, words):
            if _says(tokens, at, words):
                yield from _match(rest, tokens, at + len(words), source)
        case _Choice(name, choices):
            for value, (_, words) in choices.items():
                if _says(tokens, at, words):
                    for end, values in _match(rest, tokens, at + len(words), source):
                        yield end, {name: value, **values}
        case _Group(inner, flag):
            # With before without: what an optional part can take belongs to it.
            for end, values in _match((*inner, *rest), tokens, at, source):
                yield end, {flag: True, **values} if flag else values
            yield from _match(rest, tokens, at, source)
        case _Hole():
            yield from _fill(first, rest, tokens, at, source)


def _fill(
    hole: _Hole, rest: Sequence[_Part], tokens: Sequence[Token], at: int, source: str
) -> Iterator[tuple[int, Values]]:
    following = rest[0].words[:1] if rest and isinstance(rest[0], _Literal) else ()
    for end in hole.kind.ends(tokens, at):
        if not rest and end != len(tokens):
            continue
        if following and not _says(tokens, end, following):
            continue
        try:
            value = hole.kind.parse(source[tokens[at].start : tokens[end - 1].end])
        except (ParseError, ValueError):
            continue
        own = value if hole.kind.spread else {hole.field: value}
        for last, values in _match(rest, tokens, end, source):
            yield last, {**own, **values}


def _says(tokens: Sequence[Token], at: int, words: Sequence[str]) -> bool:
    return len(tokens) >= at + len(words) and all(tokens[at + number].word == word for number, word in enumerate(words))
