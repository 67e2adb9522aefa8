"""What the forms look at when they choose a way: both catalogs, the server, and what else the same plan does."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from wesley_tui.catalog.model import (
    Catalog,
    Check,
    Column,
    Constraint,
    Enum,
    ForeignKey,
    Index,
    PrimaryKey,
    QName,
    Ref,
    Table,
    Unique,
)
from wesley_tui.catalog.naming import default_name, qualified
from wesley_tui.catalog.snapshot import Snapshot
from wesley_tui.diff.changes import (
    AddConstraint,
    AlterColumnType,
    Change,
    ChangeColumnGenerated,
    ChangeColumnIdentity,
    CreateIndex,
    CreateObject,
    CreateTable,
    DropConstraint,
    DropEnum,
    DropIndex,
    DropObject,
    DropTable,
    RenameColumn,
    RenameEnum,
    RenameEnumLabel,
    RenameTable,
    ReplaceConstraint,
    ReplaceIndex,
    ReplaceObject,
)
from wesley_tui.diff.family import whole
from wesley_tui.diff.renames import renamed_catalog
from wesley_tui.diff.tables import RETIRED
from wesley_tui.planner.computed import is_made_anew
from wesley_tui.planner.operations import (
    column_resource,
    constraint_resource,
    enum_resource,
    index_names,
    index_resource,
    object_resource,
    relation_name_pairs,
    table_resource,
)
from wesley_tui.planner.rates import ASSUMED, Rates
from wesley_tui.planner.shadows import Shadows, uses_column
from wesley_tui.planner.stored import is_stored_alike

__all__ = [
    "MOVED_PREFIX",
    "RETIRED_SCHEMA",
    "PlanOptions",
    "Situation",
    "clipped_name",
    "key_resources",
    "numbered_by",
    "survey",
]

_MAX_BYTES = 63

RETIRED_SCHEMA = "wesley_retired"
"""Where retired tables wait, with their rows, until somebody purges them; and their types."""


MOVED_PREFIX = "wesley_old_"
"""Of a constraint or index that made way to another definition, until its drop."""


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What a person chose for a plan."""

    profile: str = "production"
    purge: bool = False
    """Drop for good what would otherwise be retired."""
    adopt_all: bool = False
    """The diff was made with ``adopt_all``: what the schema does not name is dropped."""
    source: str = ""
    """The SDL the plan is made from; it travels with the plan."""
    scope: tuple[str, ...] = ()
    """The objects that fingerprints speak of; empty: all that the schema declares and all that the plan touches."""
    rates: Rates = ASSUMED
    """How fast the server works."""


@dataclass(frozen=True, slots=True)
class Situation:
    snapshot: Snapshot
    live: Catalog
    """The live catalog as it is once the renames of the plan are done."""
    desired: Catalog
    options: PlanOptions
    tag: str
    """Eight hex digits that name this plan's leftovers: from base and target, so that the same plan says the same."""
    created: frozenset[QName] = frozenset()
    dropped: frozenset[QName] = frozenset()
    policed: tuple[QName, ...] = ()
    """Tables that the plan drops or retires and that have policies, sorted."""
    moved: Mapping[tuple[QName, str], str] = field(default_factory=dict)
    """(table, name of a constraint or index) → the name it makes way to, because its own is wanted for another one."""
    types: Mapping[str, Enum] = field(default_factory=dict)
    """Enums of the desired catalog by the spelling that a column's type has."""
    renamed_from: Mapping[QName, QName] = field(default_factory=dict)
    """New name of a table → the name by which the snapshot knows it."""
    incoming: Mapping[QName, tuple[tuple[QName, str, frozenset[str]], ...]] = field(default_factory=dict)
    """Referenced table → live foreign keys that point to it: their table, name and referenced columns."""
    crowded: frozenset[str] = frozenset()
    """Names that more than one of the retired objects has."""
    primary_keys: Mapping[str, PrimaryKey] = field(default_factory=dict)
    """Of the desired tables, by ``schema.name``."""
    numbered: frozenset[Ref] = frozenset()
    """Sequences that take over from an identity column: made by the step that takes the identity off."""
    partitions: Mapping[QName, tuple[QName, ...]] = field(default_factory=dict)
    """Partitioned table → its live partitions."""
    heirs: Mapping[QName, tuple[QName, ...]] = field(default_factory=dict)
    """Table → its live partitions and children by inheritance."""
    leaving: frozenset[Ref] = frozenset()
    """Live objects that the plan drops or retires."""
    rebuilt: frozenset[Ref] = frozenset()
    """Live objects that get another definition."""
    outnumbered: frozenset[Ref] = frozenset()
    """Sequences whose column gets an identity: the step that gives it drops them."""
    keys_aside: frozenset[tuple[QName, str]] = frozenset()
    """Foreign keys that go with a change of type and are not declared as they were, or whose table goes: (table, name).
    """
    standing_on: Mapping[Ref, tuple[Ref, ...]] = field(default_factory=dict)
    """Live object → live objects that depend on it; columns are among the keys."""
    owned: Mapping[QName, tuple[QName, ...]] = field(default_factory=dict)
    """Table → live sequences that belong to its columns, and go where it goes."""
    tables_on: Mapping[Ref, tuple[QName, ...]] = field(default_factory=dict)
    """Live object → live tables whose columns, constraints or indexes need it."""
    exchanged: frozenset[QName] = frozenset()
    """Tables whose primary key is exchanged: between the old and the new one no foreign key can lean on it."""
    anew: frozenset[tuple[QName, str]] = frozenset()
    """(table, column) of columns that are dropped and added again: keys and indexes on them go along."""
    shadows: Shadows = field(default_factory=Shadows)
    """Columns that change their type by shadow column."""

    def live_table(self, name: QName) -> Table:
        """The live table, by its new name; an empty record for one that the plan creates."""
        return self.live.tables.get(name) or Table(name)

    def walked_table(self, name: QName, *, exchanged: bool = False) -> Table:
        """The live table with the types that its columns have when its rows are filled: those that are changed in place
        have changed by then, those that change by shadow column only when they are ``exchanged``."""
        live = self.live_table(name)
        return replace(live, columns=tuple(self._walked_column(name, item, exchanged) for item in live.columns))

    def _walked_column(self, table: QName, column: Column, exchanged: bool) -> Column:
        wanted = self.desired_column(table, column.name)
        if wanted is None or (not exchanged and self.shadows.has(table, column.name)):
            return column
        return replace(column, type=wanted.type)

    def walked_needs(self, table: QName, key: Collection[str] | None) -> tuple[str, ...]:
        """What a walk along ``key`` before the exchange waits for: types that are changed in place."""
        return tuple(
            column_resource(table, column, "typed") for column in key or () if not self.shadows.has(table, column)
        )

    def desired_column(self, table: QName, column: str) -> Column | None:
        wanted = self.desired.tables.get(table)
        return wanted.column(column) if wanted is not None else None

    def current_name(self, table: QName, name: str) -> str:
        """What a live constraint or index is called when it comes to its drop."""
        return self.moved.get((table, name), name)

    def resting_column(self, name: str) -> str:
        """What a retired column is called from this plan on."""
        return clipped_name(f"{RETIRED}{self.tag}_", name)

    def resting_name(self, name: QName, *, shared: bool = False) -> str:
        """What a retired table, index, type or routine is called in the schema of the retired. ``shared``: others of
        that name may rest there. The longest names are cut: of two that differ in the last bytes only, the array types
        would be called the same."""
        if not shared and name.name not in self.crowded and len(name.name.encode()) < _MAX_BYTES:
            return name.name
        schema = f"{name.schema}_".encode()[:20].decode(errors="ignore")
        return clipped_name(schema, f"{name.name}_{self.tag}", _MAX_BYTES - 1)

    def is_stored_alike(self, old: str, new: str) -> bool:
        """Whether the one type becomes the other in PostgreSQL's catalog alone."""
        return is_stored_alike(old, new, self.live, self.desired, timezone=self.snapshot.timezone)

    def is_left_by(self, sequence: QName) -> bool:
        """Whether a live sequence stays, and what it belongs to goes."""
        ref = Ref("sequence", str(sequence))
        owner = self.live.objects[ref].owned_by if ref in self.live.objects else None
        if owner is None or ref not in self.desired.objects:
            return False
        return owner[0] in self.dropped or self.desired_column(*owner) is None

    def goes_along(self, table: QName, part: Constraint | Index) -> bool:
        """Whether a key, a check or an index goes with a column that is made anew."""
        return any(name == table and uses_column(part, column) for name, column in self.anew)

    def type_needs(self, type_name: str) -> tuple[str, ...]:
        enum = self.types.get(type_name.removesuffix("[]"))
        return (enum_resource(enum.name),) if enum is not None else ()

    def rows(self, table: QName) -> float:
        """Estimated rows; 0 only when the statistics say that the table is empty, -1 when nothing is known."""
        size = self.snapshot.sizes.get(self.old_name(table))
        if size is None:
            return 0.0 if table in self.created else -1.0
        return size.reltuples

    def gone_before(self, ref: Ref) -> tuple[str, ...]:
        """What the drop of a live thing waits for: all that stands on it, as far as the plan drops or replaces that."""
        standing = self.standing_on.get(ref, ())
        tables = self.tables_on.get(ref, ())
        return (
            *(f"table {table} gone" for table in tables if table in self.dropped),
            *(need for table in tables if table not in self.dropped for need in self._columns_gone(table)),
            *(
                f"table {item.relation} gone"
                for other in standing
                if (item := self.live.objects[other]).relation in self.dropped
            ),
            *(object_resource(other, "gone") for other in standing),
            *(object_resource(other, "off") for other in standing if other in self.rebuilt),
        )

    def heirs_of(self, table: QName) -> list[QName]:
        """Live partitions and children by inheritance, and theirs: what is done to ``table`` is done to them."""
        found: list[QName] = []
        pending = [table]
        while pending:
            for name in self.heirs.get(pending.pop(), ()):
                if name not in found:
                    found.append(name)
                    pending.append(name)
        return found

    def belongs_to(self, table: QName, ancestor: QName) -> bool:
        """Whether ``table`` is to be below ``ancestor``: a partition or child of it, or of one that is, or itself."""
        pending, seen = [table], set[QName]()
        while pending:
            name = pending.pop()
            if name == ancestor:
                return True
            wanted = self.desired.tables.get(name)
            if wanted is not None and name not in seen:
                seen.add(name)
                pending += (*wanted.inherits, *((wanted.partition_of,) if wanted.partition_of is not None else ()))
        return False

    def _columns_gone(self, table: QName) -> Iterator[str]:
        wanted = self.desired.tables.get(table)
        for column in self.live.tables[table].columns if wanted is not None else ():
            if wanted is not None and wanted.column(column.name) is None:
                yield column_resource(table, column.name, "gone")

    def old_name(self, table: QName) -> QName:
        return self.renamed_from.get(table, table)


def numbered_by(table: Table) -> list[QName]:
    """The sequences behind the identity columns of a table, by the names that the server gives them."""
    return [
        QName(table.name.schema, default_name(table.name.name, (column.name,), "seq"))
        for column in table.columns
        if column.identity is not None
    ]


def clipped_name(prefix: str, name: str, most: int = _MAX_BYTES) -> str:
    """``prefix`` and ``name`` within ``most`` bytes; what is cut off is replaced by a digest: no two collide."""
    encoded = (prefix + name).encode()
    if len(encoded) <= most:
        return prefix + name
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    room = most - len(prefix.encode()) - len(digest) - 1
    return f"{prefix}{name.encode()[:room].decode(errors='ignore')}_{digest}"


def survey(
    snapshot: Snapshot, desired: Catalog, changes: tuple[Change, ...], options: PlanOptions, tag: str
) -> Situation:
    """Look over a whole diff once, before any form is chosen."""
    renames = [item for item in changes if isinstance(item, RenameTable | RenameColumn | RenameEnum | RenameEnumLabel)]
    live = renamed_catalog(snapshot.catalog, renames)
    anew = frozenset(
        (item.table, item.new.name)
        for item in changes
        if isinstance(item, ChangeColumnGenerated)
        and (table := live.tables.get(item.table)) is not None
        and is_made_anew(item, table, snapshot.major)
    )
    return Situation(
        snapshot=snapshot,
        live=live,
        desired=desired,
        options=options,
        tag=tag,
        created=frozenset(item.table.name for item in changes if isinstance(item, CreateTable)),
        dropped=frozenset(item.table.name for item in changes if isinstance(item, DropTable)),
        policed=tuple(
            sorted(item.table.name for item in changes if isinstance(item, DropTable) and item.table.policies)
        ),
        moved=_moved(changes, tag),
        crowded=_crowded(changes, _owned(live), live),
        incoming=_incoming(live),
        owned=_owned(live),
        exchanged=frozenset(
            item.table for item in changes if isinstance(item, ReplaceConstraint) and isinstance(item.new, PrimaryKey)
        ),
        primary_keys={
            str(name): key for name, table in desired.tables.items() if (key := table.primary_key) is not None
        }
        if desired.objects
        else {},
        numbered=_numbered(changes),
        partitions=_partitions(live),
        heirs=_heirs(live),
        leaving=frozenset(item.object.ref for item in changes if isinstance(item, DropObject)),
        rebuilt=frozenset(item.new.ref for item in changes if isinstance(item, ReplaceObject)),
        outnumbered=_outnumbered(changes),
        keys_aside=_keys_aside(
            changes, live, partial(is_stored_alike, live=live, desired=desired, timezone=snapshot.timezone), anew
        ),
        anew=anew,
        standing_on=_standing_on(live),
        tables_on=_tables_on(live),
        types={qualified(name): enum for name, enum in desired.enums.items()},
        renamed_from={item.new: item.old for item in renames if isinstance(item, RenameTable)},
    )


def _numbered(changes: tuple[Change, ...]) -> frozenset[Ref]:
    loosened = {
        (item.table, item.new.name)
        for item in changes
        if isinstance(item, ChangeColumnIdentity) and item.new.identity is None
    }
    return frozenset(
        item.object.ref for item in changes if isinstance(item, CreateObject) and item.object.owned_by in loosened
    )


def _partitions(live: Catalog) -> dict[QName, tuple[QName, ...]]:
    found: dict[QName, list[QName]] = {}
    for table in live.tables.values():
        if table.partition_of is not None:
            found.setdefault(table.partition_of, []).append(table.name)
    return {parent: tuple(names) for parent, names in found.items()}


def _heirs(live: Catalog) -> dict[QName, tuple[QName, ...]]:
    found: dict[QName, list[QName]] = {}
    for table in live.tables.values():
        for parent in (*table.inherits, *((table.partition_of,) if table.partition_of is not None else ())):
            found.setdefault(parent, []).append(table.name)
    return {parent: tuple(names) for parent, names in found.items()}


def _outnumbered(changes: tuple[Change, ...]) -> frozenset[Ref]:
    numbered = {
        (item.table, item.new.name)
        for item in changes
        if isinstance(item, ChangeColumnIdentity) and item.old.identity is None
    }
    return frozenset(
        item.object.ref for item in changes if isinstance(item, DropObject) and item.object.owned_by in numbered
    )


def _keys_aside(
    changes: tuple[Change, ...],
    live: Catalog,
    alike: Callable[[str, str], bool],
    anew: Collection[tuple[QName, str]],
) -> frozenset[tuple[QName, str]]:
    stored = set(anew) | {
        (item.table, item.new.name)
        for item in changes
        if isinstance(item, AlterColumnType) and not alike(item.old.type, item.new.type)
    }
    leaving = {
        (item.table, item.constraint.name if isinstance(item, DropConstraint) else item.old.name)
        for item in changes
        if isinstance(item, DropConstraint | ReplaceConstraint)
    }
    dropped = {item.table.name for item in changes if isinstance(item, DropTable)}
    if not stored or not (leaving or dropped):
        return frozenset()
    return frozenset(
        (name, key.name)
        for name, table in live.tables.items()
        for key in table.foreign_keys
        if ((name, key.name) in leaving or name in dropped)
        and (
            any((name, column) in stored for column in key.columns)
            or any((key.references, column) in stored for column in key.referenced_columns)
        )
    )


def _standing_on(live: Catalog) -> dict[Ref, tuple[Ref, ...]]:
    found: dict[Ref, list[Ref]] = {}
    for ref, item in live.objects.items():
        for need in item.depends_on:
            found.setdefault(need, []).append(ref)
    return {need: tuple(refs) for need, refs in found.items()}


def _tables_on(live: Catalog) -> dict[Ref, tuple[QName, ...]]:
    found: dict[Ref, list[QName]] = {}
    for table in live.tables.values():
        for need in table.depends_on:
            found.setdefault(need, []).append(table.name)
    return {need: tuple(tables) for need, tables in found.items()}


def _crowded(changes: tuple[Change, ...], owned: Mapping[QName, tuple[QName, ...]], live: Catalog) -> frozenset[str]:
    names: Counter[str] = Counter()
    for item in changes:
        match item:
            case DropTable():
                names.update(resource_name for _, resource_name in relation_name_pairs(whole(item.table, live)))
                names.update(name.name for name in (*owned.get(item.table.name, ()), *numbered_by(item.table)))
            case DropEnum():
                names[item.enum.name.name] += 1
            case _:
                pass
    return frozenset(name for name, count in names.items() if count > 1)


def _incoming(live: Catalog) -> dict[QName, tuple[tuple[QName, str, frozenset[str]], ...]]:
    found: dict[QName, list[tuple[QName, str, frozenset[str]]]] = {}
    for table in live.tables.values():
        for key in table.foreign_keys:
            found.setdefault(key.references, []).append((table.name, key.name, frozenset(key.referenced_columns)))
    return {name: tuple(keys) for name, keys in found.items()}


def _owned(live: Catalog) -> dict[QName, tuple[QName, ...]]:
    found: dict[QName, list[QName]] = {}
    for item in live.objects.values():
        if item.owned_by is not None:
            found.setdefault(item.owned_by[0], []).append(item.name)
    return {table: tuple(names) for table, names in found.items()}


def _moved(changes: tuple[Change, ...], tag: str) -> dict[tuple[QName, str], str]:
    """Old constraints and indexes whose name another one gets: they are renamed first and dropped last. Indexes, and
    constraints that have one, share their names with all relations of the schema; other constraints are known by the
    table they are on."""
    claimed: set[tuple[QName, str]] = set()
    relations: set[tuple[str, str]] = set()
    leaving: list[tuple[QName, str]] = []
    indexed: set[tuple[QName, str]] = set()
    for item in changes:
        match item:
            case AddConstraint():
                claimed.add((item.table, item.constraint.name))
                relations.update(_index_name(item.table, item.constraint))
            case CreateIndex():
                claimed.add((item.table, item.index.name))
                relations.add((item.table.schema, item.index.name))
            case CreateTable():
                relations.update(relation_name_pairs(item.table))
            case ReplaceConstraint():
                claimed.add((item.table, item.new.name))
                leaving.append((item.table, item.old.name))
                relations.update(_index_name(item.table, item.new))
                indexed.update((item.table, name) for _, name in _index_name(item.table, item.old))
            case ReplaceIndex() if item.old.valid:
                claimed.add((item.table, item.new.name))
                leaving.append((item.table, item.old.name))
            case DropConstraint():
                leaving.append((item.table, item.constraint.name))
                indexed.update((item.table, name) for _, name in _index_name(item.table, item.constraint))
            case DropIndex():
                leaving.append((item.table, item.index.name))
                indexed.add((item.table, item.index.name))
            case DropTable():
                own = {(item.table.name, name) for name in index_names(item.table)}
                leaving += sorted(own)
                indexed |= own
            case _:
                pass
    return {
        (table, name): clipped_name(f"{MOVED_PREFIX}{tag}_", name)
        for table, name in leaving
        if (table, name) in claimed or ((table, name) in indexed and (table.schema, name) in relations)
    }


def _index_name(table: QName, constraint: Constraint) -> list[tuple[str, str]]:
    return [] if isinstance(constraint, Check | ForeignKey) else [(table.schema, constraint.name)]


def key_resources(situation: Situation, table: QName, columns: tuple[str, ...]) -> tuple[str, ...]:
    """What a foreign key to these columns needs: the columns, and the unique key over them."""
    needs = [table_resource(table), *(column_resource(table, column) for column in columns)]
    wanted = situation.desired.tables.get(table)
    if wanted is not None:
        needs += [
            constraint_resource(table, item.name)
            for item in wanted.constraints
            if isinstance(item, PrimaryKey | Unique) and set(item.columns) == set(columns)
        ]
        needs += [
            index_resource(table, index.name)
            for index in wanted.indexes
            if index.unique and {key.column for key in index.keys} == set(columns)
        ]
    return tuple(needs)
