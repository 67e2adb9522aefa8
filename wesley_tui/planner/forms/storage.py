"""How rows and columns are kept, and what tables inherit: settings that most clients never notice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wesley_tui.catalog import ddl
from wesley_tui.catalog.identity import alter_identity
from wesley_tui.catalog.model import Column, Exclude, PrimaryKey, QName, Unique
from wesley_tui.catalog.naming import default_name, qualified, quote_ident, quote_idents
from wesley_tui.diff.changes import (
    ChangeClustering,
    ChangeColumnSetting,
    ChangeConstraintStorage,
    ChangeIdentityOptions,
    ChangeIndexStatistics,
    ChangeInheritance,
    ChangeReplicaIdentity,
    ChangeTableStorage,
    RenameNotNull,
)
from wesley_tui.planner import checks
from wesley_tui.planner.forms.partitions import came_along, parts_of_parent, resting_columns
from wesley_tui.planner.operations import (
    Operation,
    Phase,
    column_resource,
    constraint_resource,
    detached_resource,
    index_resource,
    shape_resource,
    table_resource,
)
from wesley_tui.planner.situation import Situation

__all__ = [
    "change_clustering",
    "change_column_setting",
    "change_constraint_storage",
    "change_identity_options",
    "change_index_statistics",
    "change_inheritance",
    "change_replica_identity",
    "change_storage",
    "rename_not_null",
]

_NATURAL_STORAGE = {"numeric": "main", "inet": "main", "cidr": "main"}
_SETTING_MEANING = {
    "storage": "it holds for values that are stored from now on",
    "compression": "it holds for values that are stored from now on",
    "statistics": "it counts from the next ANALYZE on",
    "options": "it counts from the next ANALYZE on",
}


def change_column_setting(change: ChangeColumnSetting, _: Situation) -> Iterator[Operation]:
    table, name = change.table, change.new.name
    yield Operation(
        op=f"set_column_{change.setting}",
        object=f"{table}.{name}",
        wave="EXPAND",
        phase=Phase.SETTING,
        statements=_setting(table, change.setting, change.old, change.new),
        undo=_setting(table, change.setting, change.new, change.old),
        prechecks=(checks.column_exists(table, name),),
        needs=(table_resource(table), column_resource(table, name), column_resource(table, name, "typed")),
        why=(_SETTING_MEANING[change.setting],),
    )


def _setting(table: QName, setting: str, old: Column, new: Column) -> tuple[str, ...]:
    match setting:
        case "storage":
            return (ddl.set_column_storage(table, new.name, new.storage or natural_storage(new.type)),)
        case "compression":
            return (ddl.set_column_compression(table, new.name, new.compression),)
        case "statistics":
            return (ddl.set_column_statistics(table, new.name, new.statistics),)
        case _:
            return ddl.set_column_options(table, new.name, old.options, new.options)


_FIXED = frozenset(
    """
    smallint integer bigint boolean real date oid uuid money point line lseg box circle macaddr macaddr8 name
    interval "char" xid cid tid pg_lsn
    """.split()  # noqa: SIM905 - a list of words reads better as one
)


def natural_storage(type_name: str) -> str:
    """The storage that a built-in type has by itself (``pg_type.typstorage``): ``SET STORAGE DEFAULT`` exists only
    since PostgreSQL 16."""
    base = type_name.partition("(")[0].strip()
    if base in _FIXED or base.startswith(("double precision", "time")):
        return "plain"
    return _NATURAL_STORAGE.get(base, "extended")


def change_replica_identity(change: ChangeReplicaIdentity, _: Situation) -> Iterator[Operation]:
    table = change.table
    needs = [table_resource(table)]
    if change.new not in (None, "full", "nothing"):
        needs += (index_resource(table, change.new or ""), constraint_resource(table, change.new or ""))
    yield Operation(
        op="set_replica_identity",
        object=str(table),
        wave="EXPAND",
        phase=Phase.SETTING,
        statements=(ddl.set_replica_identity(table, change.new),),
        undo=(ddl.set_replica_identity(table, change.old),),
        prechecks=(checks.table_exists(table),),
        needs=tuple(needs),
        why=("subscribers of logical replication get these columns of old rows from now on",),
    )


def change_identity_options(change: ChangeIdentityOptions, _: Situation) -> Iterator[Operation]:
    """Constant time; numbers that sessions have taken ahead stay theirs."""
    table, old, new = change.table, change.old, change.new
    usual = QName(table.schema, default_name(table.name, (new.name,), "seq"))
    renamed = new.identity_sequence is not None
    named = replace(old, identity_sequence=(old.identity_sequence or usual) if renamed else None)
    yield Operation(
        op="set_identity_options",
        object=f"{table}.{new.name}",
        wave="EXPAND",
        phase=Phase.SETTING,
        statements=alter_identity(table, old, new),
        undo=alter_identity(table, new, named),
        prechecks=(checks.column_exists(table, new.name),),
        needs=(table_resource(table), column_resource(table, new.name, "typed")),
        why=("the next number stays what it is; numbers that sessions have taken ahead stay theirs",),
    )


def change_constraint_storage(change: ChangeConstraintStorage, _: Situation) -> Iterator[Operation]:
    """Parameters hold from now on; another tablespace copies the index while nobody can use the table."""
    table, name = change.table, change.new.name
    moves = change.old.tablespace != change.new.tablespace

    def statements(old: PrimaryKey | Unique | Exclude, new: PrimaryKey | Unique | Exclude) -> tuple[str, ...]:
        target = f"ALTER INDEX {qualified(QName(table.schema, name))}"
        before, after = dict(old.options), dict(new.options)
        gone = [option for option in before if option not in after]
        changed = [(option, value) for option, value in after.items() if before.get(option) != value]
        found = [f"{target} RESET ({quote_idents(gone)})"] if gone else []
        found += [f"{target} SET ({ddl.storage_options(changed)})"] if changed else []
        found += [f"{target} SET TABLESPACE {quote_ident(new.tablespace or 'pg_default')}"] if moves else []
        return tuple(found)

    yield Operation(
        op="set_index_options",
        object=f"{table}.{name}",
        wave="EXPAND",
        phase=Phase.SETTING,
        statements=statements(change.old, change.new),
        undo=statements(change.new, change.old),
        needs=(table_resource(table), constraint_resource(table, name)),
        why=("storage parameters hold for pages written from now on; existing pages stay as they are",),
        unbounded=moves,
    )


def change_index_statistics(change: ChangeIndexStatistics, _: Situation) -> Iterator[Operation]:
    table = change.table
    yield Operation(
        op="set_index_statistics",
        object=f"{table}.{change.new.name}",
        wave="EXPAND",
        phase=Phase.SETTING,
        statements=ddl.set_index_statistics(table, change.new, change.old),
        undo=ddl.set_index_statistics(table, replace(change.old, name=change.new.name), change.new),
        needs=(table_resource(table), index_resource(table, change.new.name)),
        why=("it counts from the next ANALYZE on",),
    )


def change_clustering(change: ChangeClustering, _: Situation) -> Iterator[Operation]:
    """A mark: nothing is sorted before somebody says CLUSTER."""
    table, needs = change.table, [table_resource(change.table)]
    if change.new is not None:
        needs += [index_resource(table, change.new), constraint_resource(table, change.new)]
    yield Operation(
        op="set_clustering",
        object=str(table),
        wave="EXPAND",
        phase=Phase.SETTING,
        statements=(ddl.set_clustering(table, change.new),),
        undo=(ddl.set_clustering(table, change.old),),
        prechecks=(checks.table_exists(table),),
        needs=tuple(needs),
        why=("a mark for CLUSTER; nothing is sorted now",),
    )


def rename_not_null(change: RenameNotNull, situation: Situation) -> Iterator[Operation]:
    """Before PostgreSQL 18 a NOT NULL has no name."""
    if situation.snapshot.major < 18:
        return
    table = change.table
    usual = default_name(table.name, (change.column,), "not_null")
    old, new = change.old or usual, change.new or usual

    def statement(before: str, after: str) -> str:
        return f"ALTER TABLE {qualified(table)} RENAME CONSTRAINT {quote_ident(before)} TO {quote_ident(after)}"

    yield Operation(
        op="rename_constraint",
        object=f"{table}.{new}",
        wave="EXPAND",
        phase=Phase.RENAME_PART,
        statements=(statement(old, new),),
        undo=(statement(new, old),),
        prechecks=(checks.constraint_exists(table, old),),
        postchecks=(checks.constraint_exists(table, new),),
        needs=(table_resource(table), column_resource(table, change.column)),
    )


def change_storage(change: ChangeTableStorage, _: Situation) -> Iterator[Operation]:
    """Every row is written again under ACCESS EXCLUSIVE."""

    def statement(value: str | None) -> str:
        usual = "pg_default" if change.setting == "tablespace" else "heap"
        word = change.setting.upper()
        return f"ALTER TABLE {qualified(change.table)} SET {word} {quote_ident(value or usual)}"

    yield Operation(
        op=f"set_{change.setting.replace(' ', '_')}",
        object=str(change.table),
        wave="EXPAND",
        phase=Phase.SETTING,
        statements=(statement(change.new),),
        undo=(statement(change.old),),
        prechecks=(checks.table_exists(change.table),),
        needs=(table_resource(change.table),),
        why=("PostgreSQL copies the whole table while nobody can use it; pg_repack does it beside them",),
        unbounded=True,
    )


def change_inheritance(change: ChangeInheritance, situation: Situation) -> Iterator[Operation]:
    """Out of a family first, into another one last: in between the table becomes what the new parents ask for."""
    table = change.table
    target = f"ALTER TABLE {qualified(table)}"
    leaves = [parent for parent in change.old if parent not in change.new]
    joins = [parent for parent in change.new if parent not in change.old]
    base = Operation(
        op="set_inheritance",
        object=str(table),
        wave="EXPAND",
        phase=Phase.SETTING,
        prechecks=(checks.table_exists(table),),
        needs=(table_resource(table),),
    )
    if leaves:
        yield replace(
            base,
            wave="CONTRACT",
            phase=Phase.DROP_TRIGGER,
            statements=tuple(f"{target} NO INHERIT {qualified(parent)}" for parent in leaves),
            undo=tuple(f"{target} INHERIT {qualified(parent)}" for parent in leaves),
            provides=(detached_resource(table),),
            danger=f"queries of {', '.join(map(str, leaves))} no longer see the rows of {table}",
        )
        yield from came_along(table, leaves, situation)
    if joins:
        resting = [item for parent in joins for item in resting_columns(parent, situation)]
        yield replace(
            base,
            statements=(
                *(f"{target} ADD COLUMN IF NOT EXISTS {name} {kind}" for name, kind in resting),
                *(f"{target} INHERIT {qualified(parent)}" for parent in joins),
            ),
            undo=tuple(f"{target} NO INHERIT {qualified(parent)}" for parent in joins),
            needs=(
                *base.needs,
                *((detached_resource(table),) if leaves else ()),
                shape_resource(table),
                *(need for parent in joins for need in parts_of_parent(parent, situation)),
            ),
        )
