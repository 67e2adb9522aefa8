"""A type with all its extensions, before it means anything to PostgreSQL; and how definitions become such units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wesley_tui.sdl.directives import SCALARS
from wesley_tui.sdl.issues import Spot
from wesley_tui.sdl.names import nearest
from wesley_tui.sdl.reports import Reports
from wesley_tui.sdl.syntax import Definition, Directive, EnumValue, Field

__all__ = ["Unit", "units_of"]


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


def units_of(definitions: Iterable[Definition], reports: Reports) -> list[Unit]:
    """Definitions of one name together. A second one, or an extension of nothing, is an error."""
    first: dict[str, Definition] = {}
    extensions: dict[str, list[Definition]] = {}
    directives: dict[str, Definition] = {}
    schemas: list[Definition] = []
    for definition in definitions:
        if definition.keyword == "schema":
            schemas.append(definition)
        elif definition.keyword == "directive":
            directives.setdefault(definition.name, definition)
        elif definition.extend:
            extensions.setdefault(definition.name, []).append(definition)
        elif definition.name in first:
            where = reports.text(first[definition.name])
            reports.error(
                definition,
                "duplicate-type",
                f"{definition.name!r} is defined already, at {where}",
                "rename one of them, or write extend type",
            )
        elif definition.name in SCALARS and definition.keyword != "scalar":
            reports.error(
                definition,
                "reserved-name",
                f"{definition.name} is a scalar of the dialect ({SCALARS[definition.name]})",
                "give the type another name",
            )
        else:
            if definition.name.startswith("__"):
                reports.error(
                    definition,
                    "reserved-name",
                    f"{definition.name!r}: names with __ belong to GraphQL",
                    "rename it",
                )
            first[definition.name] = definition
    units = []
    for name, definition in first.items():
        parts = [definition]
        for extension in extensions.pop(name, ()):
            if extension.keyword != definition.keyword:
                reports.error(
                    extension,
                    "wrong-extension",
                    f"{name!r} is no {extension.keyword} but {'an' if definition.keyword[0] in 'aeiou' else 'a'} "
                    f"{definition.keyword}",
                    f"write extend {definition.keyword} {name}",
                )
            else:
                parts.append(extension)
        units.append(Unit(definition.keyword, name, tuple(parts)))
    for name, orphans in extensions.items():
        if name in SCALARS:
            continue
        near = nearest(name, first)
        for orphan in orphans:
            reports.error(
                orphan,
                "unknown-type",
                f"cannot extend {name!r}: it is not defined in any source",
                f"did you mean {near}?" if near else f"write {orphan.keyword} {name} where it is first defined",
            )
    units += [Unit("directive", name, (definition,)) for name, definition in directives.items()]
    units += [Unit("schema", "", (definition,)) for definition in schemas]
    return units
