"""What a compiler remembers from one compilation to the next."""

from __future__ import annotations

from dataclasses import dataclass, field

from wesley_tui.catalog.model import Ref, Table
from wesley_tui.sdl.assembly import Remembered
from wesley_tui.sdl.drafts import EnumDraft, TableDraft
from wesley_tui.sdl.environment import Environment, TypeInfo
from wesley_tui.sdl.issues import Spot
from wesley_tui.sdl.links import Linker
from wesley_tui.sdl.presets import Secured
from wesley_tui.sdl.reader import Reader
from wesley_tui.sdl.schema_objects import ObjectDraft, SchemaDraft
from wesley_tui.sdl.syntax import Definition
from wesley_tui.sdl.views import ViewDraft

__all__ = ["Memory"]


@dataclass(slots=True)
class Memory:
    """What the last compilation found out, by the definitions it was found from."""

    readers: dict[str, Reader] = field(default_factory=dict)
    drafts: dict[tuple[Definition, ...], tuple[TableDraft, Environment]] = field(default_factory=dict)
    enums: dict[tuple[Definition, ...], tuple[EnumDraft, frozenset[str]]] = field(default_factory=dict)
    kinds: dict[tuple[Definition, ...], TypeInfo] = field(default_factory=dict)
    schemas: dict[tuple[Definition, ...], tuple[SchemaDraft, frozenset[str]]] = field(default_factory=dict)
    views: dict[tuple[Definition, ...], tuple[ViewDraft, Environment]] = field(default_factory=dict)
    linker: Linker | None = None
    secured: dict[int, tuple[Table, list[Table | None], Secured]] = field(default_factory=dict)
    made: dict[tuple[Ref, tuple[str, ...], Spot], ObjectDraft] = field(default_factory=dict)
    """Objects that presets and computed columns made."""
    assembly: Remembered = field(default_factory=Remembered)
