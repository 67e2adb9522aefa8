"""A type with all its extensions, before it means anything to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wesley_tui.sdl.issues import Spot
from wesley_tui.sdl.syntax import Definition, Directive, EnumValue, Field

__all__ = ["Unit"]


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """All definitions of one name, the original first, then its extensions in order of appearance."""

    keyword: str
    name: str
    parts: tuple[Definition, ...]

    @property
    def spot(self) -> Spot:
        return Spot(0, self.parts[0].at)

    def directives(self) -> Iterator[tuple[int, Directive]]:
        for number, part in enumerate(self.parts):
            for directive in part.directives:
                yield number, directive

    def fields(self) -> Iterator[tuple[int, Field]]:
        for number, part in enumerate(self.parts):
            for field in part.fields:
                yield number, field

    def values(self) -> Iterator[tuple[int, EnumValue]]:
        for number, part in enumerate(self.parts):
            for value in part.values:
                yield number, value
