"""Enum types: labels are added in place; removing or reordering them needs a new type and a rewrite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from wesley_tui.catalog import ddl
from wesley_tui.catalog.ddl_grants import change_grants, grant_target
from wesley_tui.catalog.model import Check, Enum, Index, IndexKey, QName, Ref, Table
from wesley_tui.catalog.naming import qualified, quote_ident, quote_literal
from wesley_tui.diff.changes import AddEnumLabel, ChangeEnumLabels, CreateEnum, DropEnum, RenameEnum, RenameEnumLabel
from wesley_tui.planner import checks
from wesley_tui.planner.operations import (
    TYPE_OF,
    Operation,
    Phase,
    enum_resource,
    name_resource,
    schema_resource,
)
from wesley_tui.planner.plan import StepCheck
from wesley_tui.planner.recompiling import compiled_again_in_place
from wesley_tui.planner.situation import RETIRED_SCHEMA, Situation, clipped_name

__all__ = ["add_label", "change_labels", "create_enum", "drop_enum", "rename_enum", "rename_label"]


def create_enum(change: CreateEnum, _: Situation) -> Iterator[Operation]:
    enum = change.enum
    yield Operation(
        op="create_enum",
        object=str(enum.name),
        wave="EXPAND",
        phase=Phase.TYPE,
        statements=(ddl.create_enum(enum), *change_grants(grant_target(enum), (), enum.grants), *_comment(enum)),
        undo=(f"DROP TYPE {qualified(enum.name)}",),
        prechecks=(checks.type_absent(enum.name),),
        postchecks=(checks.type_exists(enum.name),),
        provides=(enum_resource(enum.name),),
        needs=(schema_resource(enum.name.schema), name_resource(*enum.name)),
        why=("the type is new: nobody uses it yet",),
    )


def add_label(change: AddEnumLabel, _: Situation) -> Iterator[Operation]:
    yield Operation(
        op="add_enum_value",
        object=f"{change.enum}.{change.label}",
        wave="EXPAND",
        phase=Phase.TYPE,
        statements=(ddl.add_enum_label(change.enum, change.label, change.position, change.neighbour),),
        prechecks=(checks.type_exists(change.enum), checks.label_absent(change.enum, change.label)),
        postchecks=(checks.label_exists(change.enum, change.label),),
        provides=(enum_resource(change.enum),),
        why=(
            "a step of its own: PostgreSQL does not let the transaction that adds a label use it",
            "there is no statement that takes a label away; an unused one harms nobody",
        ),
    )


def rename_label(change: RenameEnumLabel, _: Situation) -> Iterator[Operation]:
    def statement(old: str, new: str) -> str:
        return f"ALTER TYPE {qualified(change.enum)} RENAME VALUE {quote_literal(old)} TO {quote_literal(new)}"

    yield Operation(
        op="rename_enum_value",
        object=f"{change.enum}.{change.new}",
        wave="EXPAND",
        phase=Phase.RENAME,
        statements=(statement(change.old, change.new),),
        undo=(statement(change.new, change.old),),
        prechecks=(checks.label_exists(change.enum, change.old), checks.label_absent(change.enum, change.new)),
        postchecks=(checks.label_exists(change.enum, change.new),),
        provides=(enum_resource(change.enum),),
    )


def rename_enum(change: RenameEnum, _: Situation) -> Iterator[Operation]:
    old, new = change.old, change.new
    forward, backward = [], []
    if old.name != new.name:
        forward.append(f"ALTER TYPE {qualified(old)} RENAME TO {quote_ident(new.name)}")
        backward.append(f"ALTER TYPE {qualified(QName(old.schema, new.name))} RENAME TO {quote_ident(old.name)}")
    if old.schema != new.schema:
        forward.append(f"ALTER TYPE {qualified(QName(old.schema, new.name))} SET SCHEMA {quote_ident(new.schema)}")
        backward.append(f"ALTER TYPE {qualified(new)} SET SCHEMA {quote_ident(old.schema)}")
    yield Operation(
        op="rename_enum",
        object=str(new),
        wave="EXPAND",
        phase=Phase.RENAME,
        statements=tuple(forward),
        undo=tuple(reversed(backward)),
        prechecks=(checks.type_exists(old), checks.type_absent(new)),
        postchecks=(checks.type_exists(new),),
        provides=(enum_resource(new), name_resource(*old)),
        needs=(schema_resource(new.schema), name_resource(*new)),
    )


def drop_enum(change: DropEnum, situation: Situation) -> Iterator[Operation]:
    """Set aside like a table: a retired table or column may still be of this type."""
    enum = change.enum
    name = qualified(enum.name)
    base = Operation(
        op="drop_enum",
        object=str(enum.name),
        wave="CONTRACT",
        phase=Phase.DROP_TYPE,
        statements=(f"DROP TYPE {name}",),
        undo=(ddl.create_enum(enum), *_comment(enum)),
        prechecks=(checks.type_exists(enum.name),),
        postchecks=(checks.type_absent(enum.name),),
        provides=(name_resource(*enum.name),),
        needs=situation.gone_before(Ref("enum", str(enum.name))),
        why=("RESTRICT: PostgreSQL refuses while a column is of this type, also a retired one",),
    )
    if situation.options.purge:
        yield base
        return
    resting = QName(RETIRED_SCHEMA, situation.resting_name(enum.name))
    renamed = QName(enum.name.schema, resting.name)
    forward = (f"ALTER TYPE {name} RENAME TO {quote_ident(resting.name)}",) if renamed != enum.name else ()
    backward = (f"ALTER TYPE {qualified(renamed)} RENAME TO {quote_ident(enum.name.name)}",) if forward else ()
    yield replace(
        base,
        op="retire_enum",
        statements=(
            f"CREATE SCHEMA IF NOT EXISTS {RETIRED_SCHEMA}",
            *forward,
            f"ALTER TYPE {qualified(renamed)} SET SCHEMA {RETIRED_SCHEMA}",
        ),
        undo=(f"ALTER TYPE {qualified(resting)} SET SCHEMA {quote_ident(enum.name.schema)}", *backward),
        prechecks=(*base.prechecks, checks.type_absent(resting)),
        why=(f"retired, not dropped: the type rests as {resting}, and what was retired with it can come back",),
        retires=True,
    )


def _comment(enum: Enum) -> tuple[str, ...]:
    return (ddl.comment_on("type", enum.name, None, enum.comment),) if enum.comment is not None else ()


def change_labels(change: ChangeEnumLabels, situation: Situation) -> Iterator[Operation]:
    """The old type makes way under another name, and every column is moved to the new one through its text. The old
    one rests for retired tables and columns, which have it still."""
    forward, backward = _exchange(change, situation)
    composites = [
        ref for ref in situation.standing_on.get(Ref("enum", str(change.old.name)), ()) if ref.kind == "composite type"
    ]
    if any(situation.tables_on.get(ref) for ref in composites):
        shown = ", ".join(ref.name for ref in composites)
        yield Operation(
            op="refuse",
            object=str(change.new.name),
            wave="PLAN",
            phase=Phase.SCHEMA,
            prechecks=(
                StepCheck(
                    f"labels of {change.new.name} cannot be removed or reordered: columns hold values of {shown}, which"
                    " contain it, and PostgreSQL cannot change an attribute of a type in use. Nothing was changed; add "
                    "labels only, or give these columns another type first",
                    "SELECT false",
                ),
            ),
            danger=f"{shown} cannot follow",
        )
        return
    removed = [label for label in change.old.labels if label not in change.new.labels]
    yield Operation(
        op="change_enum",
        object=str(change.new.name),
        wave="EXPAND",
        phase=Phase.TYPE,
        statements=forward,
        undo=backward,
        prechecks=tuple(
            _label_unused(situation.live_table(table), column, removed) for table, column in change.users if removed
        ),
        postchecks=tuple(checks.label_exists(change.new.name, label) for label in change.new.labels)
        + tuple(checks.label_absent(change.new.name, label) for label in removed),
        provides=(enum_resource(change.new.name),),
        why=(
            "PostgreSQL cannot remove or reorder the labels of an enum: the type is made anew and every table that "
            "uses it is written again, under ACCESS EXCLUSIVE",
            "a lookup table instead of an enum would make such a change harmless",
        ),
        danger=f"clients that send one of {', '.join(map(repr, removed))} fail" if removed else "",
        unbounded=True,
        disturbs=(
            Ref("enum", str(change.old.name)),
            *(Ref(kind, f"{table}.{column}") for table, column in change.users for kind in ("column", TYPE_OF)),
        ),
        kept="the type stands again, with its new labels, at the end of the same transaction",
    )


def _label_unused(owner: Table, column: str, removed: list[str]) -> StepCheck:
    table = owner.name
    labels = ", ".join(quote_literal(label) for label in removed)
    record = owner.column(column)
    array = record is not None and record.type.endswith("[]")
    name = quote_ident(column)
    condition = f"{name}::pg_catalog.text[] && ARRAY[{labels}]" if array else f"{name}::pg_catalog.text IN ({labels})"
    question = f"SELECT count(*) FROM {qualified(table)} WHERE {condition}"
    return StepCheck(
        f"rows of {table} still use a label that is to be removed ({question}): give them another value first",
        f"SELECT NOT EXISTS (SELECT 1 FROM {qualified(table)} WHERE {condition})",
    )


def _exchange(change: ChangeEnumLabels, situation: Situation) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """There and back."""
    old, new = change.old, change.new
    away = QName(old.name.schema, situation.resting_name(old.name, shared=True))
    resting = QName(RETIRED_SCHEMA, away.name)
    spelled = qualified(new.name)
    leaving = f"ALTER TYPE {spelled} RENAME TO {quote_ident(away.name)}"
    grants = change_grants(grant_target(new), (), old.grants)
    before, changes, after, restore = _moved_columns(change, situation)
    forward = (
        *before,
        leaving,
        ddl.create_enum(new),
        *grants,
        *_comment(replace(new, comment=old.comment)),
        *changes,
        f"CREATE SCHEMA IF NOT EXISTS {RETIRED_SCHEMA}",
        f"ALTER TYPE {qualified(away)} SET SCHEMA {RETIRED_SCHEMA}",
        *after,
    )
    spare = QName(new.name.schema, clipped_name(f"wesley_new_{situation.tag}_", new.name.name))
    backward = (
        *before,
        f"ALTER TYPE {spelled} RENAME TO {quote_ident(spare.name)}",
        f"ALTER TYPE {qualified(resting)} SET SCHEMA {quote_ident(old.name.schema)}",
        f"ALTER TYPE {qualified(away)} RENAME TO {quote_ident(old.name.name)}",
        *changes,
        f"DROP TYPE {qualified(spare)}",
        *restore,
    )
    return forward, backward


def _moved_columns(change: ChangeEnumLabels, situation: Situation) -> tuple[list[str], list[str], list[str], list[str]]:
    """What is taken down first, the columns that change over to what has the name of the type by then, what is put up
    again, and what is on the way back."""
    before: list[str] = []
    changes: list[str] = []
    after: list[str] = []
    restore: list[str] = []
    spelled = qualified(change.new.name)
    gone = _gone(change)
    by_table: dict[QName, list[str]] = {}
    for table_name, column_name in change.users:
        by_table.setdefault(table_name, []).append(column_name)
    for table_name, columns in by_table.items():
        owner = situation.live_table(table_name)
        aside = _set_aside(owner, change, situation)
        before += aside.down
        after += aside.up
        restore += aside.restore
        target = f"ALTER TABLE {qualified(table_name)}"
        actions: list[str] = []
        for name in columns:
            column = owner.column(name)
            if column is None:
                continue
            quoted = quote_ident(name)
            array = "[]" if column.type.endswith("[]") else ""
            if column.default is not None:
                actions.append(f"ALTER COLUMN {quoted} DROP DEFAULT")
                default = f"{target} ALTER COLUMN {quoted} SET DEFAULT {ddl.default_clause(column.default)}"
                restore.append(default)
                if not any(label in column.default for label in gone):
                    after.append(default)
            wanted = spelled + array
            actions.append(f"ALTER COLUMN {quoted} TYPE {wanted} USING {quoted}::pg_catalog.text{array}::{wanted}")
        changes.append(f"{target} {', '.join(actions)}")
        changes += compiled_again_in_place(table_name, situation)
    return before, changes, after, restore


@dataclass(frozen=True, slots=True)
class _Aside:
    """What is taken down, put up again, and, on the way back, put up as it was."""

    down: list[str] = field(default_factory=list)
    up: list[str] = field(default_factory=list)
    restore: list[str] = field(default_factory=list)

    def move(self, table: QName, before: Check | Index, after: Check | Index) -> None:
        if isinstance(before, Check) and isinstance(after, Check):
            self.down.append(f"ALTER TABLE {qualified(table)} DROP CONSTRAINT {quote_ident(before.name)}")
            self.up.append(ddl.add_constraint(table, after))
            self.restore.append(ddl.add_constraint(table, before))
        elif isinstance(before, Index) and isinstance(after, Index):
            self.down.append(f"DROP INDEX {qualified(QName(table.schema, before.name))}")
            self.up.append(ddl.create_index(table, after))
            self.restore.append(ddl.create_index(table, before))
        if before.comment is not None:
            kind: ddl.CommentKind = "constraint" if isinstance(before, Check) else "index"
            comment = ddl.comment_on(kind, table, before.name, before.comment)
            self.up.append(comment)
            self.restore.append(comment)


def _gone(change: ChangeEnumLabels) -> list[str]:
    """The labels that are removed, as they stand in an expression."""
    return [quote_literal(label) for label in change.old.labels if label not in change.new.labels]


def _set_aside(table: Table, change: ChangeEnumLabels, situation: Situation) -> _Aside:
    """What names the type in its expression cannot follow a column to another type: it is dropped and made again. What
    speaks of a label that is removed cannot be made again: something empty keeps its place until the plan drops it."""
    aside = _Aside()
    type_name = qualified(change.new.name)
    gone = _gone(change)
    for constraint in table.constraints:
        if isinstance(constraint, Check) and type_name in constraint.expression:
            check = replace(constraint, name=situation.current_name(table.name, constraint.name))
            empty = any(label in check.expression for label in gone)
            aside.move(table.name, check, replace(check, expression="true") if empty else check)
    for item in table.indexes:
        texts = [text for text in (item.where, *(key.expression for key in item.keys)) if text is not None]
        if any(type_name in text for text in texts):
            index = replace(item, name=situation.current_name(table.name, item.name))
            stub = Index(index.name, (IndexKey(expression="1"),), where="false", comment=index.comment)
            empty = any(label in text for text in texts for label in gone)
            aside.move(table.name, index, stub if empty else index)
    return aside
