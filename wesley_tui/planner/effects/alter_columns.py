"""ALTER TABLE, the columns: when rows are written again, and what hangs on a column and is made again with it."""

from __future__ import annotations

from typing import Any

from wesley_tui.catalog.model import Check, Column, ForeignKey, PrimaryKey, QName, Ref, Unique
from wesley_tui.planner.casts import changes_operator_class, is_metadata_only
from wesley_tui.planner.effects.context import EffectContext, name_of
from wesley_tui.planner.effects.dependents import drop_users
from wesley_tui.planner.effects.expressions import mentions, proves_not_null, volatile_calls
from wesley_tui.planner.effects.target import Target, subcommand
from wesley_tui.planner.effects.types import is_serial, printed_type
from wesley_tui.planner.plan import LockMode

__all__ = ["is_proven_not_null"]


@subcommand("SetStatistics", recurses=True)
@subcommand("SetOptions", "ResetOptions")
def _share_update_exclusive(_: Any, target: Target) -> None:
    target.lock(LockMode.ShareUpdateExclusiveLock)


@subcommand("ColumnDefault", "SetStorage", "DropNotNull", "DropExpression", recurses=True)
@subcommand("SetCompression", "AlterColumnGenericOptions")
def _brief_access_exclusive(_: Any, target: Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)


@subcommand("AddIdentity", "SetIdentity", "DropIdentity", recurses=True)
def _identity(command: Any, target: Target) -> None:
    """Partitions have an identity since PostgreSQL 17."""
    if target.is_child and (target.context.major < 17 or target.table is None or target.table.partition_of is None):
        return
    target.lock(LockMode.AccessExclusiveLock)
    if command.subtype == "AT_DropIdentity" and not target.is_child:
        target.tally.breaks.append(f"clients that rely on {target.name}.{command.name} being numbered by the database")


@subcommand("AddColumn", recurses=True)
def _add_column(command: Any, target: Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)
    definition = command.get("def")
    if (command.missing_ok or target.is_child) and target.column(definition.colname) is not None:
        # A child that has the column already takes it for the parent's, as it is.
        return
    constraints = definition.constraints or ()
    has_default = any(
        item.contype in ("CONSTR_DEFAULT", "CONSTR_IDENTITY")
        or (item.contype == "CONSTR_GENERATED" and item.generated_kind != "v")
        for item in constraints
    )
    for constraint in constraints:
        match constraint.contype:
            case "CONSTR_DEFAULT":
                if volatile_calls(constraint.raw_expr, target.context.is_stable_routine):
                    target.rewrite()
            case "CONSTR_IDENTITY":
                target.rewrite()
            case "CONSTR_GENERATED":
                if constraint.generated_kind != "v":
                    target.rewrite()
            case "CONSTR_CHECK" | "CONSTR_PRIMARY" | "CONSTR_UNIQUE":
                target.scan()
            case "CONSTR_NOTNULL" if not has_default:
                target.scan()
            case "CONSTR_FOREIGN" if not target.is_child or target.table is None or target.table.partition_of:
                other = name_of(constraint.pktable, target.context)
                target.tally.lock(other, LockMode.ShareRowExclusiveLock)
                if has_default:
                    # Without a default every row has NULL, which points nowhere and needs no proof.
                    target.scan()
                    Target(other, target.context, target.tally).scan()
    if is_serial(definition.typeName) or _may_be_domain(definition.typeName, target):
        target.rewrite()


def _may_be_domain(type_name: Any, target: Target) -> bool:
    """A domain with a constraint makes ADD COLUMN write every row, default or not."""
    if target.context.catalog is None or type_name.arrayBounds:
        return False
    *schema, name = [part.sval for part in type_name["names"]]
    for candidate in schema or target.context.search_path:
        domain = target.context.object("domain", QName(candidate, name))
        if domain is not None:
            return target.context.is_constrained_domain(domain)
    return False


@subcommand("DropColumn", recurses=True)
def _drop_column(command: Any, target: Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)
    if command.missing_ok and target.context.complete and target.column(command.name) is None:
        return
    if not target.is_child:
        target.tally.loses.append(f"the data in {target.name}.{command.name}")
        target.tally.breaks.append(f"clients that still use {target.name}.{command.name}, or that read SELECT *")
        target.assume(
            f"no foreign key goes from or to {target.name}.{command.name}; the table at its other end would be locked"
        )
    for key in target.table.foreign_keys if target.table is not None else ():
        if command.name in key.columns:
            for found in target.context.family(key.references):
                target.tally.lock(found, LockMode.AccessExclusiveLock)
    for other, key in target.context.foreign_keys_to(target.name):
        if command.name in key.referenced_columns:
            for found in target.context.family(other):
                target.tally.lock(found, LockMode.AccessExclusiveLock)
    for item in target.context.objects():
        if item.owned_by == (target.name, command.name):
            target.tally.lock(item.name, LockMode.AccessExclusiveLock)
    if command.behavior == "DROP_CASCADE":
        drop_users(Ref("column", f"{target.name}.{command.name}"), target.context, target.tally)


@subcommand("AlterColumnType", recurses=True)
def _alter_column_type(command: Any, target: Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)
    column = target.column(command.name)
    definition = command.get("def")
    context = target.context
    new = printed_type(definition.typeName) or _user_type(definition.typeName, context)
    free = (
        column is not None
        and (definition.raw_default is None or _says_nothing_more(definition, command.name))
        and is_metadata_only(
            context.domain_base(column.type, constrained=True), context.domain_base(new), timezone=context.timezone
        )
    )
    if not free:
        target.rewrite()
        if column is None:
            target.assume(f"the new type of {target.name}.{command.name} is stored in another way than the old one")
        if not target.is_child:
            target.tally.breaks.append(f"clients that expect the old type of {target.name}.{command.name}")
    if target.table is not None:
        _rebuilt_with_column(command, column, new, rewritten=not free, target=target)


def _user_type(type_name: Any, context: EffectContext) -> str:
    """A type that PostgreSQL does not bring: where the search path finds it."""
    *schema, name = [part.sval for part in type_name["names"]]
    array = "[]" if type_name.arrayBounds else ""
    for home in schema or context.search_path:
        if context.object("domain", QName(home, name)) is not None:
            return f"{home}.{name}{array}"
    return f"{(schema or context.search_path or ('public',))[0]}.{name}{array}"


def _says_nothing_more(definition: Any, column: str) -> bool:
    """USING that only repeats the new type: ``USING name::text``, or the column alone."""
    using = definition.raw_default
    if using.tag == "TypeCast" and _same_type(using.typeName, definition.typeName):
        using = using.arg
    return bool(using.tag == "ColumnRef" and len(using.fields) == 1 and using.fields[0].sval == column)


def _same_type(one: Any, other: Any) -> bool:
    first, second = printed_type(one), printed_type(other)
    return first is not None and first == second


def _rebuilt_with_column(command: Any, column: Column | None, new: str | None, rewritten: bool, target: Target) -> None:
    """What hangs on the column and is made again with it: checks are proven again, some indexes are built again, and
    foreign keys are dropped and added, which locks the other table."""
    name = command.name
    table = target.table
    assert table is not None
    collation = column is not None and (command.get("def").collClause is not None or column.collation is not None)
    other_order = collation or (column is not None and new is not None and changes_operator_class(column.type, new))
    # The index of a partitioned table is made anew, and with it, without a look at what is there, those below it.
    anew = rewritten or other_order or table.partition_of is not None
    for index in table.indexes:
        keys = {key.column for key in index.keys} | set(index.include)
        complex_index = index.where is not None or any(key.expression is not None for key in index.keys)
        texts = [index.where, *(key.expression for key in index.keys)]
        concerned = name in keys or any(mentions(text, name) for text in texts if text is not None)
        if concerned and (anew or complex_index):
            target.tally.rebuilds.add(QName(table.name.schema, index.name))
            target.scan()
    for constraint in table.constraints:
        match constraint:
            case Check() if constraint.validated and mentions(constraint.expression, name):
                target.scan()
            case PrimaryKey() | Unique() if name in (*constraint.columns, *constraint.include):
                if anew:
                    target.tally.rebuilds.add(QName(table.name.schema, constraint.name))
                    target.scan()
            case ForeignKey() if name in constraint.columns:
                for found in target.context.family(constraint.references):
                    target.tally.lock(found, LockMode.AccessExclusiveLock)
                    if constraint.validated and (rewritten or other_order):
                        target.scan()
                        Target(found, target.context, target.tally).scan()
            case _:
                pass
    for other, key in target.context.foreign_keys_to(table.name):
        if name in key.referenced_columns:
            for found in target.context.family(other):
                target.tally.lock(found, LockMode.AccessExclusiveLock)
                if key.validated and (rewritten or other_order):
                    Target(found, target.context, target.tally).scan()


@subcommand("SetNotNull", recurses=True)
def _set_not_null(command: Any, target: Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)
    column = target.column(command.name)
    if column is not None and column.not_null:
        return
    if not is_proven_not_null(command.name, target):
        target.assume(f"no validated CHECK proves that {target.name}.{command.name} is not null")
        target.scan()


def is_proven_not_null(column: str, target: Target) -> bool:
    """A validated CHECK that says the same lets PostgreSQL 12 and later skip the scan."""
    constraints = target.table.constraints if target.table is not None else ()
    return any(
        isinstance(item, Check) and item.validated and proves_not_null(item.expression, column) for item in constraints
    )


@subcommand("SetExpression", recurses=True)
def _set_expression(command: Any, target: Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)
    column = target.column(command.name)
    if column is None or column.generated is None or column.generated.kind == "stored":
        target.rewrite()
