"""Indexes: built and dropped CONCURRENTLY, replaced by a new one before the old one goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wesley_tui.catalog import ddl
from wesley_tui.catalog.model import Index, QName
from wesley_tui.catalog.naming import qualified, quote_ident
from wesley_tui.diff.changes import CreateIndex, DropIndex, RenameIndex, ReplaceIndex
from wesley_tui.planner import checks
from wesley_tui.planner.effects.expressions import mentions
from wesley_tui.planner.forms.partitioned import (
    build_by_partition,
    built_concurrently,
    drop_whole_index,
    is_partitioned,
)
from wesley_tui.planner.forms.shadow.parts import on_old_columns
from wesley_tui.planner.operations import (
    Operation,
    Phase,
    column_resource,
    index_resource,
    name_resource,
    table_resource,
)
from wesley_tui.planner.plan import StepKind
from wesley_tui.planner.situation import Situation

__all__ = ["build_index", "create_index", "drop_index", "rename_away", "rename_index", "replace_index"]


def create_index(change: CreateIndex, situation: Situation) -> Iterator[Operation]:
    yield from _build(change.table, change.index, situation)
    yield from _extras(change.table, change.index)


def _build(table: QName, index: Index, situation: Situation) -> Iterator[Operation]:
    if is_partitioned(table, situation):
        yield from build_by_partition(table, index, situation)
    else:
        yield build_index(table, index, situation)


def build_index(table: QName, index: Index, _: Situation, why: str = "") -> Operation:
    columns = [key.column for key in index.keys if key.column is not None] + list(index.include)
    return replace(
        built_concurrently(table, index),
        needs=(
            table_resource(table),
            *(column_resource(table, column) for column in columns),
            *(column_resource(table, column, "typed") for column in columns),
            *(column_resource(table, column, "filled") for column in columns),
            name_resource(table.schema, index.name),
        ),
        why=(
            why or "CONCURRENTLY: the table is read twice, and readers and writers go on",
            "it waits for transactions that are older than itself; if it is interrupted, the INVALID index that is "
            "left is dropped and the build starts again",
        ),
    )


def _extras(table: QName, index: Index) -> Iterator[Operation]:
    """What comes with a new index, once it is there."""
    if any(key.statistics is not None for key in index.keys):
        yield Operation(
            op="set_index_statistics",
            object=f"{table}.{index.name}",
            wave="EXPAND",
            phase=Phase.SETTING,
            statements=ddl.set_index_statistics(table, index),
            needs=(index_resource(table, index.name),),
        )
    if index.comment is not None:
        yield Operation(
            op="comment",
            object=f"index {table}.{index.name}",
            wave="EXPAND",
            phase=Phase.COMMENT,
            statements=(ddl.comment_on("index", table, index.name, index.comment),),
            undo=(ddl.comment_on("index", table, index.name, None),),
            needs=(index_resource(table, index.name),),
        )


def _comment_text(table: QName, index: Index) -> tuple[str, ...]:
    return (ddl.comment_on("index", table, index.name, index.comment),) if index.comment is not None else ()


def drop_index(change: DropIndex, situation: Situation) -> Iterator[Operation]:
    table, index = change.table, change.index
    if situation.goes_along(table, index):
        return
    if _hinders_type(table, index, situation):
        yield _drop_early(table, index, situation)
        return
    away = situation.current_name(table, index.name)
    if away != index.name:
        yield rename_away(table, index.name, away, "its name is wanted for something else")
    yield _drop(table, replace(index, name=away), situation)


def _hinders_type(table: QName, index: Index, situation: Situation) -> bool:
    """An expression over a column whose type is changed in place: PostgreSQL would try to carry it over."""
    texts = [text for text in (index.where, *(key.expression for key in index.keys)) if text is not None]
    return any(
        name == table and any(mentions(text, column) for text in texts) for name, column in situation.shadows.direct
    )


def _drop_early(table: QName, index: Index, situation: Situation) -> Operation:
    drop = _drop(table, index, situation)
    return replace(
        drop,
        wave="EXPAND",
        phase=Phase.RENAME_PART,
        why=(*drop.why, "it goes before the type of its column changes: its expression may not fit the new type"),
    )


def _drop(table: QName, index: Index, situation: Situation) -> Operation:
    drop = _drop_beside_others(table, index, on_old_columns(table, index, situation))
    return drop_whole_index(drop, table, index) if is_partitioned(table, situation) else drop


def _drop_beside_others(table: QName, index: Index, before: Index) -> Operation:
    """``before``: the index as it stands when it goes."""
    statement = f"DROP INDEX CONCURRENTLY {qualified(QName(table.schema, index.name))}"
    return Operation(
        op="drop_index_concurrently",
        object=f"{table}.{index.name}",
        wave="CONTRACT",
        phase=Phase.DROP_INDEX,
        kind=StepKind.AUTOCOMMIT,
        statements=(statement,),
        undo=(ddl.create_index(table, before, concurrently=True), *_comment_text(table, before)),
        postchecks=(checks.index_absent(table, index.name),),
        provides=(name_resource(table.schema, index.name),),
        why=("CONCURRENTLY: readers and writers go on; queries that used the index become slower",),
        unbounded=True,
        leftover_check=checks.index_leftover(table, index.name),
        leftover_cleanup=(statement,),
    )


def replace_index(change: ReplaceIndex, situation: Situation) -> Iterator[Operation]:
    """New before old: the old one is renamed, serves on under its other name, and is dropped at the end. One that is
    INVALID serves nobody and is dropped first."""
    table, old, new = change.table, change.old, change.new
    if situation.goes_along(table, old):
        yield from _build(table, new, situation)
    elif not old.valid:
        drop = _drop(table, old, situation)
        yield replace(
            drop,
            wave="EXPAND",
            phase=Phase.MOVE_AWAY,
            undo=(),
            why=("the index is INVALID: an earlier build did not finish, no query uses it, and it only costs writes",),
        )
        yield from _build(table, new, situation)
    elif _hinders_type(table, old, situation):
        yield _drop_early(table, old, situation)
        yield from _build(table, new, situation)
    else:
        away = situation.current_name(table, old.name)
        yield rename_away(table, old.name, away, "the old index makes way and serves on until the new one is built")
        yield from _build(table, new, situation)
        yield replace(_drop(table, replace(old, name=away), situation), needs=(index_resource(table, new.name),))
    yield from _extras(table, new)


def rename_index(change: RenameIndex, _: Situation) -> Iterator[Operation]:
    renamed = rename_away(change.table, change.old, change.new)
    yield replace(
        renamed,
        phase=Phase.RENAME_PART,
        provides=(*renamed.provides, index_resource(change.table, change.new)),
        needs=(*renamed.needs, name_resource(change.table.schema, change.new)),
    )


def rename_away(table: QName, old: str, new: str, why: str = "") -> Operation:
    """``ALTER INDEX``, which also renames the constraint that the index belongs to."""

    def statement(before: str, after: str) -> str:
        return f"ALTER INDEX {qualified(QName(table.schema, before))} RENAME TO {quote_ident(after)}"

    return Operation(
        op="rename_index",
        object=f"{table}.{new}",
        wave="EXPAND",
        phase=Phase.MOVE_AWAY,
        statements=(statement(old, new),),
        undo=(statement(new, old),),
        prechecks=(checks.relation_absent(QName(table.schema, new)),),
        postchecks=(checks.index_exists(table, new),),
        provides=(name_resource(table.schema, old),),
        needs=(table_resource(table),),
        why=(why or "ALTER INDEX, not ALTER TABLE: only the index is locked, and readers go on",),
    )
