"""What the model knows when it reads a statement: the server, and the catalog as it is at that moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wesley_tui.catalog.model import Catalog, Check, ForeignKey, QName, Table

__all__ = ["EffectContext", "name_of", "names_in"]


@dataclass(frozen=True, slots=True)
class EffectContext:
    """Without a catalog the model answers from the statement alone: the other tables of a foreign key that is dropped,
    and proofs that make a scan needless, are then unknown to it."""

    server_version_num: int = 180000
    timezone: str = "UTC"
    """TimeZone of the session that runs the statement: it decides whether timestamp ↔ timestamptz rewrites."""
    catalog: Catalog | None = None
    created: frozenset[QName] = frozenset()
    """Tables made earlier by the same plan or file: empty, and unknown to everybody else."""
    search_path: tuple[str, ...] = ("public",)

    @property
    def major(self) -> int:
        return self.server_version_num // 10000

    def table(self, name: QName) -> Table | None:
        return self.catalog.tables.get(name) if self.catalog is not None else None

    def tables(self) -> Iterator[Table]:
        return iter(self.catalog.tables.values()) if self.catalog is not None else iter(())

    def foreign_keys_to(self, name: QName) -> Iterator[tuple[QName, ForeignKey]]:
        """Foreign keys of other tables that point to ``name``."""
        for table in self.tables():
            if table.name != name:
                for key in table.foreign_keys:
                    if key.references == name:
                        yield table.name, key

    def index_table(self, index: QName) -> QName | None:
        """The table that carries ``index``, one of its own or the one of a constraint."""
        for table in self.tables():
            if table.name.schema != index.schema:
                continue
            if table.index(index.name) is not None:
                return table.name
            constraint = table.constraint(index.name)
            if constraint is not None and not isinstance(constraint, ForeignKey | Check):
                return table.name
        return None

    def resolve(self, schema: str | None, name: str) -> QName:
        """The table that an unqualified name means: the first of the search path that has it."""
        if schema is not None:
            return QName(schema, name)
        for candidate in self.search_path:
            if self.table(QName(candidate, name)) is not None:
                return QName(candidate, name)
        return QName(self.search_path[0] if self.search_path else "public", name)


def name_of(relation: Any, context: EffectContext) -> QName:
    """The name in a ``RangeVar``."""
    return context.resolve(relation.schemaname, relation.relname)


def names_in(parts: Any) -> list[str]:
    """The parts of a dotted name, as libpg_query gives it: a tuple of ``String`` nodes."""
    return [part.sval for part in parts]
