"""What the model knows when it reads a statement: the server, and the catalog as it is at that moment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from wesley_tui.catalog.model import Catalog, Check, ForeignKey, QName, Ref, SqlObject, Table
from wesley_tui.planner.effects.links import Links, links_of

__all__ = ["EffectContext", "name_of", "names_in"]

_DOMAIN = r"CREATE DOMAIN \S+ AS (.+?)(?:\s+(?:COLLATE|DEFAULT|CONSTRAINT|CHECK|NOT NULL)\b.*|$)"
_OTHER_RELATIONS = ("view", "materialized view", "sequence", "foreign table")


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
    partial: bool = False
    """The catalog holds only what earlier statements of the same file made: other tables exist that it does not
    know."""
    guarded: frozenset[QName] = frozenset()
    """Tables that got a policy, also those that the catalog does not know."""
    stubs: frozenset[QName] = frozenset()
    """Tables of which a partial catalog holds no more than what statements before said of them."""
    prepared: Mapping[str, Any] = field(default_factory=dict)
    """Statements that the session has prepared, by name."""

    @property
    def major(self) -> int:
        return self.server_version_num // 10000

    @property
    def complete(self) -> bool:
        """What the catalog does not have does not exist."""
        return self.catalog is not None and not self.partial

    def knows(self, name: QName) -> bool:
        """True when what the catalog says of the table, or that it does not exist, is all there is to know."""
        return self.complete or (self.table(name) is not None and name not in self.stubs)

    def table(self, name: QName) -> Table | None:
        return self.catalog.tables.get(name) if self.catalog is not None else None

    def whole_table(self, name: QName, *, below: frozenset[QName] = frozenset()) -> Table | None:
        """The table with what it has from its parents, which the catalog's record leaves out. ``below``: where the
        question comes from; a script may say of a table that it inherits from itself, and the server refuses it."""
        table = self.table(name)
        if table is None or name in below:
            return None
        parents = (table.partition_of,) if table.partition_of is not None else table.inherits
        for parent_name in parents:
            parent = self.whole_table(parent_name, below=below | {name})
            if parent is None:
                continue
            own = {column.name for column in table.columns}
            is_partition = table.partition_of is not None
            constraints = tuple(
                item
                for item in parent.constraints
                if table.constraint(item.name) is None
                and (is_partition or (isinstance(item, Check) and not item.no_inherit))
            )
            table = replace(
                table,
                columns=(*(column for column in parent.columns if column.name not in own), *table.columns),
                constraints=(*constraints, *table.constraints),
                indexes=(*(parent.indexes if is_partition else ()), *table.indexes),
            )
        return table

    def object(self, kind: str, name: QName) -> SqlObject | None:
        return self.catalog.objects.get(Ref(kind, str(name))) if self.catalog is not None else None

    def tables(self) -> Iterator[Table]:
        return iter(self.catalog.tables.values()) if self.catalog is not None else iter(())

    def objects(self) -> Iterator[SqlObject]:
        return iter(self.catalog.objects.values()) if self.catalog is not None else iter(())

    def is_row_trigger(self, relation: QName, name: str) -> bool:
        """Fires for each row, as far as anybody knows; partitions have those of their parent."""
        item = self.catalog.objects.get(Ref("trigger", f"{name} ON {relation}")) if self.catalog is not None else None
        return item is None or "FOR EACH ROW" in item.statements[0].upper()

    def is_stable_routine(self, names: Sequence[str]) -> bool:
        """A function of the user's own that says it gives the same value for the same arguments."""
        *schema, name = names
        homes = set(schema or self.search_path)
        found = [
            item
            for item in self.objects()
            if item.kind == "function" and item.name.name == name and item.name.schema in homes
        ]
        return bool(found) and all(re.search(r"\b(IMMUTABLE|STABLE)\b", item.statements[0]) for item in found)

    def domain_base(self, type_name: str, *, constrained: bool = False) -> str:
        """The type under a domain that has no constraint (or ``constrained``: any), down to the last; other types as
        they are."""
        seen: set[str] = set()
        while type_name not in seen:
            seen.add(type_name)
            schema, dot, name = type_name.partition(".")
            domain = self.object("domain", QName(schema, name)) if dot else None
            if domain is None or (not constrained and self.is_constrained_domain(domain)):
                return type_name
            found = re.match(_DOMAIN, domain.statements[0], re.DOTALL)
            type_name = found[1] if found is not None else type_name
        return type_name

    def is_constrained_domain(self, domain: SqlObject) -> bool:
        """A CHECK or NOT NULL of the domain's own, or of one that it is made of."""
        text = " ".join(domain.statements).upper()
        if "CHECK" in text or "NOT NULL" in text or "CONSTRAINT" in text:
            return True
        below = (self.catalog.objects.get(ref) if self.catalog is not None else None for ref in domain.depends_on)
        return any(item is not None and item.kind == "domain" and self.is_constrained_domain(item) for item in below)

    @property
    def links(self) -> Links:
        """Who inherits from whom, and who points to whom."""
        return links_of(self.catalog)

    def foreign_keys_to(self, name: QName) -> Iterator[tuple[QName, ForeignKey]]:
        """Foreign keys of other tables that point to ``name``."""
        return iter(self.links.keys_to.get(name, ()))

    def descendants(self, name: QName) -> tuple[QName, ...]:
        """Partitions and inheritance children at every level, without ``name`` itself."""
        children = self.links.children
        if name not in children:
            return ()
        found: dict[QName, None] = {}
        stack = [name]
        while stack:
            for child in children.get(stack.pop(), ()):
                if child not in found:
                    found[child] = None
                    stack.append(child)
        return tuple(found)

    def children(self, name: QName) -> tuple[QName, ...]:
        """Partitions and inheritance children of the next level."""
        return self.links.children.get(name, ())

    def partitions(self, name: QName) -> tuple[QName, ...]:
        """Partitions at every level, without ``name`` itself and without children of plain inheritance."""
        found = ((child, self.table(child)) for child in self.descendants(name))
        return tuple(child for child, table in found if table is not None and table.partition_of is not None)

    def family(self, name: QName) -> tuple[QName, ...]:
        """A table with its partitions: what a foreign key that names it means."""
        return (name, *self.partitions(name))

    def ancestors(self, name: QName) -> tuple[QName, ...]:
        """The tables of which ``name`` is a partition, the nearest first."""
        found: dict[QName, None] = {}
        table = self.table(name)
        while table is not None and table.partition_of is not None and table.partition_of not in found:
            found[table.partition_of] = None
            table = self.table(table.partition_of)
        return tuple(found)

    def default_partition(self, parent: QName) -> QName | None:
        for child in self.links.children.get(parent, ()):
            table = self.table(child)
            if table is not None and (table.partition_bound or "").upper() == "DEFAULT":
                return child
        return None

    def is_view(self, name: QName) -> bool:
        return self.object("view", name) is not None

    def index_table(self, index: QName) -> QName | None:
        """The table or materialized view that carries ``index``, one of its own or the one of a constraint."""
        for table in self.tables():
            if table.name.schema != index.schema:
                continue
            if table.index(index.name) is not None:
                return table.name
            constraint = table.constraint(index.name)
            if constraint is not None and not isinstance(constraint, ForeignKey | Check):
                return table.name
        for item in self.objects():
            if item.name.schema == index.schema and any(found.name == index.name for found in item.indexes):
                return item.name
        return None

    def resolve(self, schema: str | None, name: str) -> QName:
        """The relation that an unqualified name means: the first of the search path that has it."""
        if schema:
            return QName(schema, name)
        path = self.search_path
        if self.catalog is not None:
            for candidate in ("pg_temp", *path):
                found = QName(candidate, name)
                if found in self.catalog.tables or any(
                    Ref(kind, str(found)) in self.catalog.objects for kind in _OTHER_RELATIONS
                ):
                    return found
        # The names of PostgreSQL's own relations begin so, and are found without being in the path.
        if name.startswith("pg_"):
            return QName("pg_catalog", name)
        return QName(path[0] if path else "public", name)

    def is_absent(self, name: QName) -> bool:
        """True when the catalog is all there is, and has no relation of that name: IF EXISTS does nothing then."""
        if self.catalog is None or self.partial or name in self.catalog.tables:
            return False
        if any(item.name == name and item.kind.endswith("table") for item in self.catalog.unmanaged):
            return False
        return not any(self.object(kind, name) is not None for kind in _OTHER_RELATIONS) and (
            self.index_table(name) is None
        )


def name_of(relation: Any, context: EffectContext) -> QName:
    """The name in a ``RangeVar``."""
    return context.resolve(relation.schemaname, relation.relname)


def names_in(parts: Any) -> list[str]:
    """The parts of a dotted name, as libpg_query gives it: a list of ``String`` nodes, or what holds one."""
    if parts is None:
        return []
    if isinstance(parts, dict):
        return names_in(parts.get("names") or parts.get("objname")) if "sval" not in parts else [parts["sval"]]
    return [part["sval"] for part in parts if "sval" in part]
