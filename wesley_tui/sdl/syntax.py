"""The syntax tree of GraphQL SDL, as far as a database cares.

Positions (``at``) are offsets in characters *relative to the start of their definition*, so that a definition whose
text did not change stays the same record wherever it moves in its file: that is what makes compiling after every
keystroke cheap (see :class:`wesley_tui.sdl.reader.Reader`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

__all__ = ["Argument", "Definition", "Directive", "EnumValue", "Field", "Keyword", "SyntaxIssue", "TypeRef", "Value"]

Keyword = Literal["type", "enum", "scalar", "schema", "interface", "union", "input", "directive", "broken"]


class Value(NamedTuple):
    kind: Literal["string", "int", "float", "boolean", "null", "enum", "list", "object"]
    value: Any
    """``str`` for string and enum, the digits as written for int and float, ``bool``, ``None``; a tuple of values for
    a list, a tuple of (name, value) for an object."""
    at: int
    raw: bool = True
    """A string whose text stands in the source as it is (no escapes, not a block)."""
    written: str = ""
    """Of a string that is not raw: as it stands in the source, with its quotes, to map offsets."""


class Argument(NamedTuple):
    name: str
    value: Value
    at: int


class Directive(NamedTuple):
    name: str
    arguments: tuple[Argument, ...]
    at: int


class TypeRef(NamedTuple):
    """``[Int!]!`` is ``TypeRef("Int", lists=1, not_null=True, element_not_null=True)``."""

    name: str
    at: int
    not_null: bool = False
    lists: int = 0
    element_not_null: bool = False


class Field(NamedTuple):
    name: str
    type: TypeRef
    directives: tuple[Directive, ...]
    description: Value | None
    at: int
    has_arguments: bool = False


class EnumValue(NamedTuple):
    name: str
    directives: tuple[Directive, ...]
    description: Value | None
    at: int


class SyntaxIssue(NamedTuple):
    code: str
    message: str
    at: int
    hint: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """One top-level definition. Compared by identity: the same text read again in the same place is the same object."""

    keyword: Keyword
    name: str
    at: int
    """Of the name (of the keyword, where there is no name)."""
    extend: bool = False
    description: Value | None = None
    directives: tuple[Directive, ...] = ()
    fields: tuple[Field, ...] = ()
    values: tuple[EnumValue, ...] = ()
    issue: SyntaxIssue | None = None
    """Why a ``broken`` definition could not be read."""
