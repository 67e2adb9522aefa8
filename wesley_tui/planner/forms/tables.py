"""Forms for schemas and tables: create, rename, options, comments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wesley_tui.catalog import ddl
from wesley_tui.catalog.model import ForeignKey, QName, Ref, Table
from wesley_tui.catalog.naming import qualified, quote_ident
from wesley_tui.diff.changes import (
    ChangeComment,
    ChangeTableOptions,
    ChangeTablePersistence,
    CreatePolicy,
    CreateSchema,
    CreateTable,
    RenameTable,
)
from wesley_tui.planner import checks
from wesley_tui.planner.forms.foreign_keys import add_foreign_key_to_new_table
from wesley_tui.planner.forms.partitions import bound_taken_by, parts_of_parent, prove_default
from wesley_tui.planner.forms.security import create_policy
from wesley_tui.planner.operations import (
    Operation,
    Phase,
    column_resource,
    constraint_resource,
    index_resource,
    name_resource,
    persistence_resource,
    ref_resources,
    relation_names,
    schema_resource,
    table_resource,
)
from wesley_tui.planner.situation import RETIRED_SCHEMA, Situation

__all__ = [
    "change_comment",
    "change_options",
    "change_persistence",
    "create_schema",
    "create_table",
    "rename_table",
]


def create_schema(change: CreateSchema, _: Situation) -> Iterator[Operation]:
    yield Operation(
        op="create_schema",
        object=change.schema,
        wave="EXPAND",
        phase=Phase.SCHEMA,
        statements=(ddl.create_schema(change.schema),),
        undo=(f"DROP SCHEMA {quote_ident(change.schema)}",),
        postchecks=(checks.schema_exists(change.schema),),
        provides=(schema_resource(change.schema),),
    )


def create_table(change: CreateTable, situation: Situation) -> Iterator[Operation]:
    """Foreign keys, and policies that look at other objects, come when all of these are there. A partition of a table
    in use is made apart and attached."""
    table = change.table
    name = table.name
    needs = [schema_resource(name.schema), *_needs_of(table)]
    for column in table.columns:
        needs += situation.type_needs(column.type)
    parents = [*table.inherits, *((table.partition_of,) if table.partition_of is not None else ())]
    needs += (table_resource(parent) for parent in parents)
    for parent in table.inherits:
        wanted = situation.desired.tables.get(parent)
        needs += (column_resource(parent, column.name) for column in (wanted.columns if wanted is not None else ()))
    if table.partition_of is not None:
        needs += parts_of_parent(table.partition_of, situation, settled=False)
    attached = table.partition_of is not None and table.partition_of not in situation.created
    why = ["the table is new: nobody uses it yet"]
    proof = list(prove_default(table, situation)) if attached else []
    if attached:
        assert table.partition_of is not None
        needs += bound_taken_by(table, situation)
        needs += (item for operation in proof for item in operation.provides if item.endswith(" valid"))
        why = [
            f"made by itself and attached: {table.partition_of} goes on being read and written",
            "a DEFAULT partition is read for rows that belong to the new one, unless a valid CHECK says that there are "
            "none",
        ]
    yield from (operation for operation in proof if operation.op != "drop_constraint")
    later = table.policies if table.depends_on or any(item.depends_on for item in table.policies) else ()
    yield Operation(
        op="create_table",
        object=str(name),
        wave="EXPAND",
        phase=Phase.TABLE,
        statements=ddl.create_table(replace(table, policies=()) if later else table, attach=attached),
        undo=(f"DROP TABLE {qualified(name)}",),
        prechecks=(checks.relation_absent(name),),
        postchecks=(checks.table_exists(name),),
        provides=(
            table_resource(name),
            *(column_resource(name, column.name) for column in table.columns),
            *(constraint_resource(name, item.name) for item in table.constraints if not isinstance(item, ForeignKey)),
            *(index_resource(name, index.name) for index in table.indexes),
            f"partition {name}",
        ),
        needs=(*needs, *relation_names(table)),
        why=tuple(why),
        unbounded=attached,
        proven=tuple(operation.object.rpartition(".")[0] for operation in proof if operation.op == "drop_constraint"),
    )
    yield from (operation for operation in proof if operation.op == "drop_constraint")
    for policy in later:
        for operation in create_policy(CreatePolicy(name, policy), situation):
            read = ref_resources((*table.depends_on, *policy.depends_on))
            yield replace(operation, needs=(*operation.needs, *read))
    for key in table.foreign_keys:
        yield from add_foreign_key_to_new_table(name, key, situation)


def _needs_of(table: Table) -> tuple[str, ...]:
    """What the columns, constraints and indexes of a new table lean on. Other relations only its policies read, unless
    a column has the type of their rows."""
    types = {column.type.removesuffix("[]") for column in table.columns}
    return ref_resources(
        ref
        for ref in table.depends_on
        if ref.kind not in ("table", "view", "materialized view", "column") or _row_type(ref.name) in types
    )


def _row_type(name: str) -> str:
    schema, _, rest = name.partition(".")
    return qualified(QName(schema, rest)) if rest else name


def rename_table(change: RenameTable, _: Situation) -> Iterator[Operation]:
    """Name first, then schema; the undo goes the same way back."""
    old, new = change.old, change.new
    forward: list[str] = []
    backward: list[str] = []
    if old.name != new.name:
        forward.append(f"ALTER TABLE {qualified(old)} RENAME TO {quote_ident(new.name)}")
        backward.append(f"ALTER TABLE {qualified(QName(old.schema, new.name))} RENAME TO {quote_ident(old.name)}")
    if old.schema != new.schema:
        forward.append(f"ALTER TABLE {qualified(QName(old.schema, new.name))} SET SCHEMA {quote_ident(new.schema)}")
        backward.append(f"ALTER TABLE {qualified(new)} SET SCHEMA {quote_ident(old.schema)}")
    back = old.schema == RETIRED_SCHEMA
    yield Operation(
        op="restore_table" if back else "rename_table",
        object=str(new),
        wave="EXPAND",
        phase=Phase.RENAME,
        statements=tuple(forward),
        undo=tuple(reversed(backward)),
        prechecks=(checks.table_exists(old), checks.relation_absent(new)),
        postchecks=(checks.table_exists(new), checks.relation_absent(old)),
        provides=(table_resource(new), name_resource(old.schema, old.name)),
        needs=(schema_resource(new.schema), name_resource(new.schema, new.name)),
        why=(
            "it was retired, and comes back with its rows"
            if back
            else f"the rename is immediate, but statements of clients that still say {old} fail from that moment on: "
            "deploy the new name at the same time, or keep the old one with a view",
        ),
        kept="nobody uses a retired table" if back else "",
    )


def change_options(change: ChangeTableOptions, _: Situation) -> Iterator[Operation]:
    yield Operation(
        op="set_table_options",
        object=str(change.table),
        wave="EXPAND",
        phase=Phase.SETTING,
        statements=_options(change.table, change.old, change.new),
        undo=_options(change.table, change.new, change.old),
        prechecks=(checks.table_exists(change.table),),
        needs=(table_resource(change.table),),
        why=("storage parameters hold for rows written from now on; existing pages stay as they are",),
    )


def _options(table: QName, old: tuple[tuple[str, str], ...], new: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    values = dict(new)
    set_now = tuple(item for item in new if item not in old)
    gone = [name for name, _ in old if name not in values]
    statements = []
    if set_now:
        statements.append(f"ALTER TABLE {qualified(table)} SET ({ddl.storage_options(set_now)})")
    if gone:
        names = ", ".join(".".join(quote_ident(part) for part in name.split(".")) for name in gone)
        statements.append(f"ALTER TABLE {qualified(table)} RESET ({names})")
    return tuple(statements)


def change_persistence(change: ChangeTablePersistence, situation: Situation) -> Iterator[Operation]:
    """No logged table may reference an unlogged one: what is referenced is logged first, and unlogged last."""
    wanted, before = ("UNLOGGED", "LOGGED") if change.unlogged else ("LOGGED", "UNLOGGED")
    live = situation.live_table(change.table)
    if change.unlogged:
        others = {(other, name) for other, name, _ in situation.incoming.get(change.table, ())}
    else:
        others = {(key.references, "") for key in live.foreign_keys}
        others |= {(change.table, key.name) for key in live.foreign_keys}
    yield Operation(
        op="set_unlogged" if change.unlogged else "set_logged",
        object=str(change.table),
        wave="EXPAND",
        phase=Phase.SETTING,
        statements=(f"ALTER TABLE {qualified(change.table)} SET {wanted}", *_sequences_kept(change, situation)),
        undo=(f"ALTER TABLE {qualified(change.table)} SET {before}",),
        prechecks=(checks.table_exists(change.table),),
        provides=(persistence_resource(change.table),),
        needs=(
            table_resource(change.table),
            *(persistence_resource(other) for other, _ in sorted(others) if other != change.table),
            *(constraint_resource(other, name, "gone") for other, name in sorted(others) if name),
        ),
        unbounded=True,
    )


def _sequences_kept(change: ChangeTablePersistence, situation: Situation) -> Iterator[str]:
    """From PostgreSQL 15 on the sequences of a table follow it: those that are declared otherwise go back."""
    if situation.snapshot.major < 15:
        return
    for name in situation.owned.get(change.table, ()):
        declared = situation.desired.objects.get(Ref("sequence", str(name)))
        if declared is not None and ("UNLOGGED" in declared.statements[0].split('"')[0]) != change.unlogged:
            yield f"ALTER SEQUENCE {qualified(name)} SET {'LOGGED' if change.unlogged else 'UNLOGGED'}"


def change_comment(change: ChangeComment, _: Situation) -> Iterator[Operation]:
    name = f"{change.relation}.{change.name}" if change.name is not None else str(change.relation)
    on_relation = change.kind in ("table", "column")
    yield Operation(
        op="comment",
        object=f"{change.kind} {name}",
        wave="EXPAND",
        phase=Phase.COMMENT,
        statements=(ddl.comment_on(change.kind, change.relation, change.name, change.new),),
        undo=(ddl.comment_on(change.kind, change.relation, change.name, change.old),),
        postchecks=(checks.comment_is(change.relation, change.name, change.new),) if on_relation else (),
        needs=_comment_needs(change),
    )


def _comment_needs(change: ChangeComment) -> tuple[str, ...]:
    if change.kind == "type" or change.name is None:
        return (table_resource(change.relation),)
    match change.kind:
        case "column":
            return (column_resource(change.relation, change.name),)
        case "constraint":
            return (constraint_resource(change.relation, change.name),)
        case "index":
            return (index_resource(change.relation, change.name),)
        case _:
            return (table_resource(change.relation),)
