"""Offsets to lines and columns, and the table of where each object of the catalog is written."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from wesley_tui.sdl.diagnostics import Source
from wesley_tui.sdl.issues import Spot

__all__ = ["Locations", "Place", "Places"]

_LINE_END = re.compile(r"\r\n|[\r\n]")


class Place(NamedTuple):
    """Where a definition stands: number of its source, offset of its first character."""

    source: int
    start: int


class Places:
    """Lines and columns in a list of sources. Lines end with LF, CRLF or CR; a byte order mark takes no column."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._starts: dict[int, list[int]] = {}

    def position(self, source: int, offset: int) -> tuple[str, int, int]:
        """(name of the source, line, column) of a character, both counted from 1."""
        starts = self._starts.get(source)
        text = self._sources[source].text
        if starts is None:
            starts = [1 if text.startswith("\ufeff") else 0, *(match.end() for match in _LINE_END.finditer(text))]
            self._starts[source] = starts
        line = max(bisect_right(starts, offset), 1)
        return self._sources[source].name, line, max(offset - starts[line - 1], 0) + 1

    def text(self, place: Place, at: int) -> str:
        """``file:line:column`` for a message."""
        name, line, column = self.position(place.source, place.start + at)
        return f"{name}:{line}:{column}"

    def locations(self, objects: Iterable[tuple[str, str, Mapping[str, Spot], Sequence[Place]]]) -> Locations:
        """Locations of objects given as (kind, name, spots by part, places of the definitions)."""
        return Locations(self, {f"{kind} {name}": (spots, places) for kind, name, spots, places in objects})


class Locations(Mapping[str, tuple[str, int, int]]):
    """Object → (source, line, column). Lines are counted when somebody asks: an editor asks for one at a time."""

    def __init__(self, places: Places, objects: Mapping[str, tuple[Mapping[str, Spot], Sequence[Place]]]) -> None:
        self._places = places
        self._objects = objects

    def __getitem__(self, key: str) -> tuple[str, int, int]:
        found = self._objects.get(key)
        if found is not None:
            return self._resolve(found, "")
        kind, _, name = key.partition(" ")
        owner_kind = "enum" if kind == "label" else "table"
        dot = name.find(".")
        # Names may contain dots: the owner is one of the prefixes that end at a dot.
        while (dot := name.find(".", dot + 1)) != -1:
            found = self._objects.get(f"{owner_kind} {name[:dot]}")
            if found is not None and f"{kind} {name[dot + 1 :]}" in found[0]:
                return self._resolve(found, f"{kind} {name[dot + 1 :]}")
        raise KeyError(key)

    def _resolve(self, found: tuple[Mapping[str, Spot], Sequence[Place]], key: str) -> tuple[str, int, int]:
        part, at = found[0][key]
        place = found[1][part]
        return self._places.position(place.source, place.start + at)

    def __iter__(self) -> Iterator[str]:
        for owner, (spots, _) in self._objects.items():
            name = owner.partition(" ")[2]
            for key in spots:
                kind, _, inner = key.partition(" ")
                yield f"{kind} {name}.{inner}" if key else owner

    def __len__(self) -> int:
        return sum(len(spots) for spots, _ in self._objects.values())
