"""What a directive of the dialect is: where it stands, what it takes, what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Argument", "Directive", "Location", "Status"]

Location = Literal["SCHEMA", "SCALAR", "OBJECT", "FIELD_DEFINITION", "ENUM", "ENUM_VALUE"]
Status = Literal["built", "informs"]


@dataclass(frozen=True, slots=True)
class Argument:
    name: str
    type: str
    """As in SDL: ``String``, ``[String!]``, ``Boolean`` …; a single value stands for a list of one, as in GraphQL."""
    doc: str
    aliases: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        return self.type.endswith("!")


@dataclass(frozen=True, slots=True)
class Directive:
    name: str
    locations: tuple[Location, ...]
    doc: str
    arguments: tuple[Argument, ...] = ()
    repeatable: bool = False
    once_on: tuple[Location, ...] = ()
    """Of a repeatable one: where it stands only once all the same."""
    aliases: tuple[str, ...] = ()
    status: Status = "built"
    example: str = ""
    """Of a schema that uses it, for the manual; several directives may share the one of their family."""
