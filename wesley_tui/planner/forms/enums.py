"""Enum types: labels are added in place; removing or reordering them needs a new type and a rewrite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wesley_tui.catalog import ddl
from wesley_tui.catalog.ddl_grants import change_grants, grant_target
from wesley_tui.catalog.model import Check, Enum, QName, Ref, Table
from wesley_tui.catalog.naming import qualified, quote_ident, quote_literal
from wesley_tui.diff.changes import AddEnumLabel, ChangeEnumLabels, CreateEnum, DropEnum, RenameEnum, RenameEnumLabel
from wesley_tui.planner import checks
from wesley_tui.planner.operations import Operation, Phase, enum_resource, name_resource, schema_resource
from wesley_tui.planner.plan import StepCheck
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
    """A new type under another name, every column moved to it through its text, then the names exchanged."""
    forward = _new_labels(change.old, change.new, change, situation)
    removed = [label for label in change.old.labels if label not in change.new.labels]
    yield Operation(
        op="change_enum",
        object=str(change.new.name),
        wave="EXPAND",
        phase=Phase.TYPE,
        statements=forward,
        undo=_new_labels(change.new, change.old, change, situation),
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


def _new_labels(old: Enum, new: Enum, change: ChangeEnumLabels, situation: Situation) -> tuple[str, ...]:
    temporary = QName(new.name.schema, clipped_name(f"wesley_new_{situation.tag}_", new.name.name))
    statements = [ddl.create_enum(Enum(temporary, new.labels))]
    afterwards: list[str] = []
    spelled = qualified(new.name)
    by_table: dict[QName, list[str]] = {}
    for table_name, column_name in change.users:
        by_table.setdefault(table_name, []).append(column_name)
    for table_name, columns in by_table.items():
        owner = situation.live_table(table_name)
        before, after = _set_aside(owner, spelled)
        statements += before
        afterwards += after
        actions: list[str] = []
        for name in columns:
            column = owner.column(name)
            if column is None:
                continue
            quoted = quote_ident(name)
            array = "[]" if column.type.endswith("[]") else ""
            target = qualified(temporary) + array
            if column.default is not None:
                actions.append(f"ALTER COLUMN {quoted} DROP DEFAULT")
                afterwards.append(
                    f"ALTER TABLE {qualified(table_name)} ALTER COLUMN {quoted} SET DEFAULT "
                    f"{ddl.default_clause(column.default)}"
                )
            actions.append(f"ALTER COLUMN {quoted} TYPE {target} USING {quoted}::pg_catalog.text{array}::{target}")
        statements.append(f"ALTER TABLE {qualified(table_name)} {', '.join(actions)}")
    statements.append(f"DROP TYPE {spelled}")
    statements.append(f"ALTER TYPE {qualified(temporary)} RENAME TO {quote_ident(new.name.name)}")
    if old.comment is not None:
        statements.append(ddl.comment_on("type", new.name, None, old.comment))
    return (*statements, *afterwards)


def _set_aside(table: Table, type_name: str) -> tuple[list[str], list[str]]:
    """What names the type in its expression cannot follow a column to another type: it is dropped and made again."""
    before: list[str] = []
    after: list[str] = []
    name = qualified(table.name)
    for policy in table.policies:
        if type_name in f"{policy.using} {policy.check}":
            before.append(ddl.drop_policy(table.name, policy))
            after.append(ddl.create_policy(table.name, policy))
            if policy.comment is not None:
                after.append(ddl.comment_on("policy", table.name, policy.name, policy.comment))
    for constraint in table.constraints:
        if isinstance(constraint, Check) and type_name in constraint.expression:
            before.append(f"ALTER TABLE {name} DROP CONSTRAINT {quote_ident(constraint.name)}")
            after.append(ddl.add_constraint(table.name, constraint))
            if constraint.comment is not None:
                after.append(ddl.comment_on("constraint", table.name, constraint.name, constraint.comment))
    for index in table.indexes:
        texts = [index.where, *(key.expression for key in index.keys)]
        if any(text is not None and type_name in text for text in texts):
            before.append(f"DROP INDEX {qualified(QName(table.name.schema, index.name))}")
            after.append(ddl.create_index(table.name, index))
            if index.comment is not None:
                after.append(ddl.comment_on("index", table.name, index.name, index.comment))
    return before, after
