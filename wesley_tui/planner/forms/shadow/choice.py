"""Which changes of a column's type are made by shadow column, and why the others are not.

A change that PostgreSQL makes in its catalog alone needs no shadow, and neither does a table so small that it is
written again in a moment. For all others a new column is filled beside the old one and takes its place in one short
transaction, unless something on the column can only be made by writing the table under lock; then the plan says what.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from wesley_tui.catalog.model import Exclude, ForeignKey, PrimaryKey, QName, Table, Unique
from wesley_tui.catalog.reading.names import SHADOW_PREFIX
from wesley_tui.diff.changes import (
    AlterColumnType,
    Change,
    ChangeColumnGenerated,
    ChangeColumnIdentity,
    DropConstraint,
    DropIndex,
    RenameConstraint,
    RenameIndex,
    ReplaceConstraint,
    ReplaceIndex,
)
from wesley_tui.planner.backfill import walking_key
from wesley_tui.planner.conversion import conversion_between
from wesley_tui.planner.effects.expressions import mentions
from wesley_tui.planner.estimates import table_bytes
from wesley_tui.planner.profiles import profile_named
from wesley_tui.planner.shadows import ShadowColumn, Shadows, ShadowTable, uses_column
from wesley_tui.planner.situation import MOVED_PREFIX, Situation, clipped_name
from wesley_tui.planner.volatility import is_volatile

__all__ = ["shadows_of"]


def shadows_of(changes: Sequence[Change], situation: Situation) -> Shadows:
    """Decide, for every change of type in ``changes`` that is not a matter of the catalog alone."""
    altered: dict[QName, list[AlterColumnType]] = {}
    for change in changes:
        if isinstance(change, AlterColumnType) and (
            change.using is not None or not situation.is_stored_alike(change.old.type, change.new.type)
        ):
            altered.setdefault(change.table, []).append(change)
    if not altered:
        return Shadows()
    parties: list[tuple[ShadowTable, ...]] = []
    direct: dict[tuple[QName, str], str] = {}
    small: set[tuple[QName, str]] = set()
    for names in _together(altered, situation):
        members = [item for name in names for item in altered[name]]
        reason = next((text for item in members if (text := _obstacle(item, changes, situation))), "")
        columns = [(item.table, item.new.name) for item in members]
        if not reason and all(_is_small(name, situation) for name in names):
            limit = profile_named(situation.options.profile).rewrite_bytes // 1024
            reason = f"the table has at most {limit} kB, and is written again as fast as a catalog is changed"
            small.update(columns)
        if reason:
            direct.update(dict.fromkeys(columns, reason))
        else:
            parties.append(tuple(_shadow_table(name, altered[name], changes, situation) for name in names))
    return Shadows(tuple(parties), direct, frozenset(small))


def _together(altered: Mapping[QName, list[AlterColumnType]], situation: Situation) -> list[tuple[QName, ...]]:
    """Tables joined by foreign keys of which both ends change their type."""
    group = {name: {name} for name in altered}
    columns = {name: {item.new.name for item in items} for name, items in altered.items()}
    for name in altered:
        for key in situation.live_table(name).foreign_keys:
            other = columns.get(key.references, set())
            pairs = zip(key.columns, key.referenced_columns, strict=True)
            if any(mine in columns[name] and theirs in other for mine, theirs in pairs):
                joined = group[name] | group[key.references]
                for member in joined:
                    group[member] = joined
    return sorted({tuple(sorted(names)) for names in group.values()})


def _is_small(table: QName, situation: Situation) -> bool:
    """By its size on disk with all its partitions, which the plan's step looks at again before it runs. A table without
    pages is empty."""
    if table in situation.created:
        return True
    total = 0
    pending = [table]
    while pending:
        name = pending.pop()
        size = situation.snapshot.sizes.get(situation.old_name(name))
        if size is None:
            return False
        total += table_bytes(size)
        pending += situation.partitions.get(name, ())
    return total <= profile_named(situation.options.profile).rewrite_bytes


def _obstacle(change: AlterColumnType, changes: Sequence[Change], situation: Situation) -> str:
    """Why this column cannot be changed by shadow; empty when it can."""
    table, name = change.table, change.new.name
    live = situation.live_table(table)
    if change.old.generated is not None or change.new.generated is not None:
        return "a generated column is computed by PostgreSQL, and nobody else can fill its shadow"
    if live.partition_of is not None or live.inherits or any(table in other.inherits for other in _tables(situation)):
        return "columns of parents and children change together, and a shadow of one of them would not follow"
    if live.partition_by is not None and _is_key(live, name, situation):
        return (
            "it is part of a key, an index or a foreign key of a partitioned table: these cannot be exchanged there "
            "without reading all partitions under lock"
        )
    if live.partition_by is not None and walking_key(live) is None:
        return "a partitioned table without a key cannot be walked in batches"
    wanted = change.new
    if wanted.not_null and not change.old.not_null and wanted.default is not None and is_volatile(wanted.default):
        return "it also becomes NOT NULL, and its default gives every row another value; two plans would not block"
    for column in live.columns:
        computed = column.generated
        if computed is not None and change.using is not None and mentions(change.using, column.name):
            return (
                f"its conversion reads the generated column {column.name}, which no trigger can see before it is "
                "computed"
            )
        if computed is not None and computed.kind == "stored" and mentions(computed.expression, name):
            return (
                f"the stored generated column {column.name} is computed from it, and PostgreSQL can only write it again"
            )
    for item in live.constraints:
        if isinstance(item, Exclude) and uses_column(item, name):
            return f"the exclusion constraint {item.name} stands on it: there is no way to build one without blocking"
        if isinstance(item, PrimaryKey | Unique) and item.deferrable and uses_column(item, name):
            return (
                f"the key {item.name} is deferrable, and the unique index that a shadow needs never waits: it would "
                "refuse what clients may write"
            )
        if isinstance(item, PrimaryKey) and item.without_overlaps and uses_column(item, name):
            return f"the key {item.name} WITHOUT OVERLAPS stands on it, and cannot take over an index that is there"
    if _is_constrained_domain(change.new.type, situation):
        return f"{change.new.type} is a domain with rules: even a new column of it makes PostgreSQL write every row"
    for other in changes:
        if isinstance(other, ChangeColumnGenerated) and (other.table, other.new.name) == (table, name):
            return "it also becomes, or stops being, a generated column"
        if isinstance(other, DropConstraint | ReplaceConstraint) and other.table == table:
            gone = other.constraint if isinstance(other, DropConstraint) else other.old
            if isinstance(gone, PrimaryKey | ForeignKey) and uses_column(gone, name):
                return f"{gone.name} is dropped or replaced by the same plan; two plans would not block"
    for key_table, key in _keys_to(table, name, situation):
        owner = situation.live_table(key_table)
        if (key_table, key.name) in situation.keys_aside:
            return f"the foreign key {key.name} of {key_table} changes in the same plan; two plans would not block"
        if owner.partition_by is not None or owner.partition_of is not None:
            return (
                f"the partitioned table {key_table} has a foreign key to it, which cannot be exchanged without blocking"
            )
    for ref in situation.live.objects.values():
        if ref.kind == "publication" and _names_columns(ref.statements[0], table, name):
            return f"publication {ref.name.name} lists it by name, and would go on publishing the old column"
    return ""


def _tables(situation: Situation) -> Collection[Table]:
    return situation.live.tables.values()


def _is_key(table: Table, column: str, situation: Situation) -> bool:
    own = any(uses_column(item, column) for item in (*table.constraints, *table.indexes))
    return own or any(True for _ in _keys_to(table.name, column, situation))


def _keys_to(table: QName, column: str, situation: Situation) -> Iterator[tuple[QName, ForeignKey]]:
    """Foreign keys that reference the column."""
    for other in _tables(situation):
        for key in other.foreign_keys:
            if key.references == table and column in key.referenced_columns:
                yield other.name, key


def _is_constrained_domain(type_name: str, situation: Situation) -> bool:
    for catalog in (situation.live, situation.desired):
        for item in catalog.objects.values():
            if item.kind == "domain" and type_name in (str(item.name), f'{item.name.schema}."{item.name.name}"'):
                text = item.statements[0].upper()
                if "CHECK" in text or "NOT NULL" in text or len(item.statements) > 1:
                    return True
    return False


def _names_columns(statement: str, table: QName, column: str) -> bool:
    text = statement.replace('"', "")
    _, found, rest = text.partition(f"{table} (")
    return bool(found) and column in [item.strip() for item in rest.partition(")")[0].split(",")]


def _shadow_table(
    name: QName,
    altered: Sequence[AlterColumnType],
    changes: Sequence[Change],
    situation: Situation,
) -> ShadowTable:
    own = [item for item in changes if getattr(item, "table", None) == name]
    renamed = {item.old: item.new for item in own if isinstance(item, RenameConstraint | RenameIndex)}
    leaving: set[str] = set()
    for item in own:
        match item:
            case DropConstraint():
                leaving.add(situation.current_name(name, item.constraint.name))
            case DropIndex():
                leaving.add(situation.current_name(name, item.index.name))
            case ReplaceConstraint() | ReplaceIndex():
                leaving.add(situation.current_name(name, item.old.name))
            case _:
                pass
    live = situation.live_table(name)
    now = {
        item.name: renamed.get(item.name, situation.current_name(name, item.name))
        for item in (*live.constraints, *live.indexes)
    }
    live = replace(
        live,
        constraints=tuple(replace(item, name=now[item.name]) for item in live.constraints),
        indexes=tuple(replace(item, name=now[item.name]) for item in live.indexes),
    )
    timezone = situation.snapshot.timezone
    return ShadowTable(
        live,
        tuple(
            ShadowColumn(
                item.old,
                item.new,
                clipped_name(f"{SHADOW_PREFIX}{situation.tag}_", item.new.name),
                clipped_name(f"{MOVED_PREFIX}{situation.tag}_", item.new.name),
                conversion_between(item.old, item.new, table=name.name, timezone=timezone, using=item.using),
            )
            for item in altered
        ),
        frozenset(item.new.name for item in own if isinstance(item, ChangeColumnIdentity)),
        frozenset(leaving),
    )
