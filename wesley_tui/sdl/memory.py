"""What a compiler remembers from one compilation to the next."""

from __future__ import annotations

from dataclasses import dataclass, field

from wesley_tui.catalog.model import Table
from wesley_tui.sdl.drafts import EnumDraft, TableDraft
from wesley_tui.sdl.environment import Environment
from wesley_tui.sdl.links import Linker
from wesley_tui.sdl.needs import Known
from wesley_tui.sdl.presets import Secured
from wesley_tui.sdl.reader import Reader
from wesley_tui.sdl.schema_objects import SchemaDraft
from wesley_tui.sdl.syntax import Definition
from wesley_tui.sdl.views import ViewDraft

__all__ = ["Memory"]


@dataclass(slots=True)
class Memory:
    """What the last compilation found out, by the definitions it was found from."""

    readers: dict[str, Reader] = field(default_factory=dict)
    drafts: dict[tuple[Definition, ...], tuple[TableDraft, Environment]] = field(default_factory=dict)
    enums: dict[tuple[Definition, ...], tuple[EnumDraft, frozenset[str]]] = field(default_factory=dict)
    schemas: dict[tuple[Definition, ...], tuple[SchemaDraft, frozenset[str]]] = field(default_factory=dict)
    views: dict[tuple[Definition, ...], tuple[ViewDraft, Environment]] = field(default_factory=dict)
    linker: Linker | None = None
    secured: dict[int, tuple[Table, list[Table | None], Secured]] = field(default_factory=dict)
    needs: dict[int, Known] = field(default_factory=dict)
