"""After the exchange: the old column, its indexes and its trigger go in the last wave.

The same steps come from the plan that has made the exchange and from every later plan, as long as they have not run:
then from what the database says (:class:`~wesley_tui.catalog.snapshot.RestingColumn`). What an abandoned plan has left
from before its exchange is swept away, because its copy is worth nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from wesley_tui.catalog import ddl
from wesley_tui.catalog.model import Catalog, Constraint, Index, PrimaryKey, QName
from wesley_tui.catalog.naming import qualified, quote_ident
from wesley_tui.catalog.reading.names import RETIRED_PREFIX, SHADOW_PREFIX
from wesley_tui.catalog.snapshot import RestingColumn
from wesley_tui.diff.changes import RenameColumn
from wesley_tui.diff.renames import renamed_catalog
from wesley_tui.planner import checks
from wesley_tui.planner.bounds import key_columns
from wesley_tui.planner.conversion import reverse_template
from wesley_tui.planner.forms.shadow.parts import Parts, index_of
from wesley_tui.planner.forms.shadow.prepare import has_way_back, shadow_resource
from wesley_tui.planner.forms.shadow.sync import Sync, differs, guard, guard_removed
from wesley_tui.planner.operations import Operation, Phase, constraint_resource, name_resource
from wesley_tui.planner.plan import StepKind
from wesley_tui.planner.shadows import ShadowTable
from wesley_tui.planner.situation import MOVED_PREFIX, Situation, clipped_name

__all__ = ["finish", "left_behind", "purged"]


def finish(table: ShadowTable, parts: Parts, situation: Situation) -> Iterator[Operation]:
    """The last wave of a table of a party."""
    own = parts.on(table.name)
    away = {item.name: item.away for item in table.columns}
    indexes: list[Index] = [replace(part.old, name=part.away) for part in own.indexes]
    keys: list[Constraint] = []
    for part in own.keys:
        if isinstance(part.old, PrimaryKey):
            if has_way_back(table, part.old):
                indexes.append(index_of(part.old, part.away))
        elif not part.old.nulls_not_distinct:
            keys.append(replace(part.old, name=part.away))
    old = replace(table.live, constraints=tuple(keys), indexes=tuple(indexes), policies=())
    renamed = renamed_catalog(
        Catalog(tables={table.name: old}), [RenameColumn(table.name, before, after) for before, after in away.items()]
    ).tables[table.name]
    needs = (shadow_resource(table.name, "exchanged"),)
    for index in renamed.indexes:
        again = [ddl.create_index(table.name, index, concurrently=True)]
        if index.comment is not None:
            again.append(ddl.comment_on("index", table.name, index.name, index.comment))
        yield _drop_index(table.name, index.name, needs, tuple(again))
    sync = Sync(table, situation.tag)
    yield _let_go(
        table.name,
        [item.away for item in table.columns],
        [item.name for item in renamed.constraints],
        sync.removed(),
        situation,
        # Their undo knows the column by the name that it has until now.
        needs=(*needs, *_leaving(table, situation)),
        back=(
            *(ddl.add_constraint(table.name, item) for item in renamed.constraints),
            *(
                ddl.comment_on("constraint", table.name, item.name, item.comment)
                for item in renamed.constraints
                if item.comment is not None
            ),
            *sync.backward(),
            *_caught_up(table),
        ),
    )


def _leaving(table: ShadowTable, situation: Situation) -> Iterator[str]:
    """What stands on the old column, is not made again, and is dropped by steps of its own."""
    live = situation.live_table(table.name)
    for item in (*live.constraints, *live.indexes):
        now = situation.current_name(table.name, item.name)
        if now in table.leaving or item.name in table.leaving:
            yield constraint_resource(table.name, item.name, "gone")
            yield name_resource(table.name.schema, now)


def _caught_up(table: ShadowTable) -> Iterator[str]:
    """The old columns have stood still since the trigger went: what was written meanwhile reaches them now."""
    for item in table.columns:
        if item.conversion.using:
            continue
        back = reverse_template(item.old.type, item.new.type) or "NULL"
        new = f"t.{quote_ident(item.name)}"
        value = back.replace("{}", new)
        converted = replace(item.conversion, column=item.away).of("t")
        yield (
            f"UPDATE {qualified(table.name)} AS t SET {quote_ident(item.away)} = {value} "
            f"WHERE {differs(new, converted, item.new.type)}"
        )


def left_behind(situation: Situation, renamed: Collection[QName] = ()) -> Iterator[Operation]:
    """What earlier plans have left in the declared tables. ``renamed``: tables of which this plan renames columns;
    there the trigger, which knows them by name, goes before that."""
    by_table: dict[QName, list[RestingColumn]] = {}
    for item in situation.snapshot.resting_columns:
        if not item.column.name.startswith(RETIRED_PREFIX) and item.table in situation.desired.tables:
            by_table.setdefault(item.table, []).append(item)
    for table, columns in sorted(by_table.items()):
        shadows = [item for item in columns if item.column.name.startswith(SHADOW_PREFIX)]
        old = [item for item in columns if item.column.name.startswith(MOVED_PREFIX)]
        if shadows:
            yield _sweep(table, shadows)
        if old:
            for name in dict.fromkeys(name for item in old for name in item.indexes):
                yield _drop_index(table, name, ())
            let_go = _let_go(
                table,
                [item.column.name for item in old],
                list(dict.fromkeys(name for item in old for name in item.constraints)),
                _trigger_removed(table, old),
                situation,
            )
            yield replace(let_go, wave="EXPAND", phase=Phase.SCHEMA) if table in renamed else let_go


def purged(situation: Situation) -> Iterator[Operation]:
    """When purge was asked for: what earlier plans have retired, unless the schema declares it again."""
    if not situation.options.purge:
        return
    shown = situation.snapshot.catalog.tables
    by_table: dict[QName, list[RestingColumn]] = {}
    for item in situation.snapshot.resting_columns:
        live = shown.get(item.table)
        declared_again = live is not None and live.column(item.column.name) is not None
        if (
            item.column.name.startswith(RETIRED_PREFIX)
            and item.table in situation.desired.tables
            and not declared_again
        ):
            by_table.setdefault(item.table, []).append(item)
    for table, columns in sorted(by_table.items()):
        yield _purge_columns(table, columns)
    for name in sorted(situation.snapshot.retired.tables.keys() - shown.keys()):
        others = sorted(
            str(other.name)
            for other in situation.snapshot.retired.tables.values()
            if name in other.inherits or other.partition_of == name
        )
        pointing = [
            other.name
            for other in situation.snapshot.retired.tables.values()
            if other.name != name and any(key.references == name for key in other.foreign_keys)
        ]
        yield Operation(
            op="drop_table",
            object=str(name),
            wave="CONTRACT",
            phase=Phase.DROP_TABLE,
            statements=(f"DROP TABLE {qualified(name)}",),
            prechecks=(checks.table_exists(name),),
            postchecks=(checks.relation_absent(name),),
            provides=(f"table {name} gone",),
            needs=(*(f"table {other} gone" for other in others), *(f"table {other} gone" for other in pointing)),
            why=("purge was asked for: an earlier plan retired it, and now only a backup brings its rows back",),
        )


def _purge_columns(table: QName, columns: Sequence[RestingColumn]) -> Operation:
    target = f"ALTER TABLE {qualified(table)}"
    names = [item.column.name for item in columns]
    triggers = {(item.trigger, item.function) for item in columns if item.trigger}
    gone = [
        text
        for trigger, function in sorted(triggers)
        for text in (f"DROP TRIGGER {quote_ident(trigger)} ON {qualified(table)}", f"DROP FUNCTION {function}()")
    ]
    return Operation(
        op="drop_column",
        object=", ".join(f"{table}.{name}" for name in names),
        wave="CONTRACT",
        phase=Phase.DROP_COLUMN,
        statements=(*gone, f"{target} " + ", ".join(f"DROP COLUMN {quote_ident(name)}" for name in names)),
        prechecks=tuple(checks.column_exists(table, name) for name in names),
        postchecks=tuple(checks.column_absent(table, name) for name in names),
        why=("purge was asked for: earlier plans retired them, and now only a backup brings their values back",),
    )


def _trigger_removed(table: QName, columns: Sequence[RestingColumn]) -> tuple[str, ...]:
    trigger, function = columns[0].trigger, columns[0].function
    if not trigger:
        return ()
    return (f"DROP TRIGGER {quote_ident(trigger)} ON {qualified(table)}", f"DROP FUNCTION {function}()")


def _sweep(table: QName, columns: Sequence[RestingColumn]) -> Operation:
    target = f"ALTER TABLE {qualified(table)}"
    names = [item.column.name for item in columns]
    return Operation(
        op="drop_shadow_column",
        object=", ".join(f"{table}.{name}" for name in names),
        wave="EXPAND",
        phase=Phase.MOVE_AWAY,
        statements=(
            *_trigger_removed(table, columns),
            f"{target} " + ", ".join(f"DROP COLUMN {quote_ident(name)}" for name in names),
        ),
        prechecks=tuple(checks.column_exists(table, name) for name in names),
        postchecks=tuple(checks.column_absent(table, name) for name in names),
        provides=(shadow_resource(table, "swept"),),
        why=("left by a change of type that was given up before its exchange: a copy, which nobody reads",),
        kept="it is a copy of a column that is there",
    )


def _drop_index(table: QName, name: str, needs: tuple[str, ...], again: tuple[str, ...] = ()) -> Operation:
    statement = f"DROP INDEX CONCURRENTLY {qualified(QName(table.schema, name))}"
    return Operation(
        op="drop_index_concurrently",
        object=f"{table}.{name}",
        wave="CONTRACT",
        phase=Phase.DROP_TRIGGER,
        kind=StepKind.AUTOCOMMIT,
        statements=(statement,),
        undo=again,
        postchecks=(checks.index_absent(table, name),),
        provides=(shadow_resource(table, f"without {name}"),),
        needs=needs,
        why=("it stands on the old column, which nobody reads any more",),
        kept="the new column has the same",
        unbounded=True,
        leftover_check=checks.index_leftover(table, name),
        leftover_cleanup=(statement,),
    )


def _partition_columns(table: QName, situation: Situation) -> list[str]:
    """What decides to which partition a row belongs, on every level."""
    found: list[str] = []
    pending = [table]
    while pending:
        name = pending.pop()
        key = situation.live_table(name).partition_by
        found += key_columns(key) if key is not None else ()
        pending += situation.partitions.get(name, ())
    return list(dict.fromkeys(found))


def _let_go(
    table: QName,
    columns: Sequence[str],
    constraints: Sequence[str],
    trigger: tuple[str, ...],
    situation: Situation,
    *,
    needs: tuple[str, ...] = (),
    back: tuple[str, ...] = (),
) -> Operation:
    """The trigger goes, and the old columns are retired, or dropped when purge was asked for."""
    target = f"ALTER TABLE {qualified(table)}"
    purge = situation.options.purge
    # The tag of the plan that has made the exchange, by which columns and trigger are found to belong together.
    tag = columns[0].removeprefix(MOVED_PREFIX).partition("_")[0]
    resting = {name: clipped_name(f"{RETIRED_PREFIX}was_", name.removeprefix(MOVED_PREFIX)) for name in columns}
    gone = [f"{target} DROP CONSTRAINT {quote_ident(name)}" for name in constraints]
    if purge:
        last = [f"{target} " + ", ".join(f"DROP COLUMN {quote_ident(name)}" for name in columns)]
    else:
        last = [f"{target} RENAME COLUMN {quote_ident(old)} TO {quote_ident(new)}" for old, new in resting.items()]
        last += guard(table, list(resting.values()), tag, _partition_columns(table, situation))
    undo: tuple[str, ...] = ()
    if back and not purge:
        last_back = guard_removed(table, tag)
        renamed = (f"{target} RENAME COLUMN {quote_ident(new)} TO {quote_ident(old)}" for old, new in resting.items())
        undo = (*last_back, *renamed, *back)
    return Operation(
        op="drop_column" if purge else "retire_column",
        object=", ".join(f"{table}.{name}" for name in columns),
        wave="CONTRACT",
        phase=Phase.DROP_TRIGGER,
        statements=(*trigger, *gone, *last),
        undo=undo,
        prechecks=tuple(checks.column_exists(table, name) for name in columns),
        postchecks=tuple(checks.column_absent(table, name) for name in columns),
        needs=needs,
        why=(
            "purge was asked for: the old values go, and the exchange cannot be taken back any more"
            if purge
            else f"retired, not dropped: the old values rest as {', '.join(resting.values())} until they are purged; "
            "the trigger that kept them up to date goes",
            "an INSERT without column list, which still counts on their position, is refused from now on: its values "
            "would go astray",
        ),
        kept="the new column has the values" if not purge else "",
        retires=not purge,
    )
