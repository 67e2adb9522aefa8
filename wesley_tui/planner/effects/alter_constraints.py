"""ALTER TABLE, the constraints: which other tables they lock, and which proofs let PostgreSQL skip a scan."""

from __future__ import annotations

from typing import Any

from wesley_tui.catalog.model import Check, Constraint, Exclude, ForeignKey, PrimaryKey, Table, Unique
from wesley_tui.diff.constraints import same_constraint
from wesley_tui.planner.effects.alter_columns import is_proven_not_null
from wesley_tui.planner.effects.context import name_of
from wesley_tui.planner.effects.expressions import proves_not_null
from wesley_tui.planner.effects.target import Target, subcommand
from wesley_tui.planner.plan import LockMode

__all__: list[str] = []


@subcommand("AddConstraint", recurses=True)
def _add_constraint(command: Any, target: Target) -> None:
    constraint = command.get("def")
    kind = constraint.contype
    if target.is_child and not _reaches_children(constraint, target):
        return
    match kind:
        case "CONSTR_FOREIGN":
            other = name_of(constraint.pktable, target.context)
            target.lock(LockMode.ShareRowExclusiveLock)
            if target.is_child and target.table is not None and target.table.partition_of is None:
                return
            for found in target.context.family(other):
                target.tally.lock(found, LockMode.ShareRowExclusiveLock)
            for above in target.context.ancestors(other):
                target.tally.lock(above, LockMode.AccessShareLock)
            if constraint.is_enforced is None:
                return
            if not constraint.skip_validation and target.name not in target.context.created:
                target.scan()
                for found in target.context.family(other):
                    Target(found, target.context, target.tally).scan()
        case "CONSTR_CHECK":
            target.lock(LockMode.AccessExclusiveLock)
            if target.is_child and constraint.is_no_inherit:
                return
            table = target.table
            is_there = table is not None and table.constraint(constraint.conname or "") is not None
            if not constraint.skip_validation and constraint.is_enforced is not None and not is_there:
                target.scan()
        case "CONSTR_NOTNULL":
            target.lock(LockMode.AccessExclusiveLock)
            if target.is_child and constraint.is_no_inherit:
                return
            names = constraint.get("keys") or ()
            column = names[0].sval if names else ""
            known = target.column(column)
            if known is not None and known.not_null:
                return
            if not constraint.skip_validation and not is_proven_not_null(column, target):
                target.scan()
        case "CONSTR_PRIMARY" | "CONSTR_UNIQUE" | "CONSTR_EXCLUSION":
            target.lock(_lock_of_key(constraint, target))
            if constraint.indexname is None:
                if not target.is_child or target.table is None or target.table.partition_of is not None:
                    target.scan()
                elif kind == "CONSTR_PRIMARY":
                    _not_null_in_child(constraint, target)
            elif kind == "CONSTR_PRIMARY":
                _primary_key_using_index(constraint, target)
        case "CONSTR_ATTR_DEFERRABLE" | "CONSTR_ATTR_NOT_DEFERRABLE":
            pass
        case other_kind:
            target.lock(LockMode.AccessExclusiveLock)
            target.tally.unknown = f"ADD {other_kind} is not in the model"


def _reaches_children(constraint: Any, target: Target) -> bool:
    """A partition has every constraint of its parent. Children of plain inheritance are locked with their parent
    since PostgreSQL 18, also where they do not get the constraint; before, only where they do."""
    if target.table is not None and target.table.partition_of is not None:
        return True
    if target.context.major >= 18:
        return True
    kind = constraint.contype
    return kind == "CONSTR_PRIMARY" or (kind in ("CONSTR_CHECK", "CONSTR_NOTNULL") and not constraint.is_no_inherit)


def _lock_of_key(constraint: Any, target: Target) -> LockMode:
    """Before PostgreSQL 18 a partition whose columns are NOT NULL already sees no more than the build of its index."""
    if not target.is_child or target.context.major >= 18 or target.table is None or target.table.partition_of is None:
        return LockMode.AccessExclusiveLock
    columns = [target.column(item.sval) for item in constraint.get("keys") or ()]
    ready = all(column is not None and column.not_null for column in columns)
    return LockMode.ShareLock if constraint.contype != "CONSTR_PRIMARY" or ready else LockMode.AccessExclusiveLock


def _not_null_in_child(constraint: Any, target: Target) -> None:
    for item in constraint.get("keys") or ():
        column = target.column(item.sval)
        if (column is None or not column.not_null) and not is_proven_not_null(item.sval, target):
            target.scan()


def _primary_key_using_index(constraint: Any, target: Target) -> None:
    """Columns that are not yet NOT NULL become so, which reads the table unless a check proves it."""
    index = target.table.index(constraint.indexname) if target.table is not None else None
    columns = [key.column for key in index.keys if key.column is not None] if index is not None else None
    if columns is None:
        target.assume(
            f"the columns of index {constraint.indexname} are NOT NULL already, else the table is read under the lock"
        )
        if target.context.knows(target.name):
            target.scan()
        return
    for name in columns:
        column = target.column(name)
        if column is None and not target.context.knows(target.name):
            target.assume(f"{target.name}.{name} is NOT NULL already, else the table is read under the lock")
        elif (column is None or not column.not_null) and not is_proven_not_null(name, target):
            target.scan()


@subcommand("AlterConstraint", recurses=True)
def _alter_constraint(command: Any, target: Target) -> None:
    """Deferrability and, since 18, NOT ENFORCED and INHERIT of a constraint."""
    definition = command.get("def")
    if target.is_child and (target.table is None or target.table.partition_of is None):
        return
    target.lock(LockMode.AccessExclusiveLock)
    name = definition.conname if definition is not None else command.name
    constraint = target.table.constraint(name) if target.table is not None else None
    if isinstance(constraint, ForeignKey):
        if definition is not None and definition.alterEnforceability and definition.is_enforced:
            target.tally.lock(constraint.references, LockMode.ShareRowExclusiveLock)
            target.scan()
            Target(constraint.references, target.context, target.tally).scan()
        elif definition is not None and definition.alterEnforceability:
            target.tally.lock(constraint.references, LockMode.AccessExclusiveLock)
            target.tally.loses.append(f"constraint {name} of {target.name}: rows that break it are accepted then")
    elif constraint is None:
        target.assume(f"{name} of {target.name} is a foreign key whose enforcement stays as it is")


@subcommand("ValidateConstraint", recurses=True)
def _validate_constraint(command: Any, target: Target) -> None:
    constraint = target.table.constraint(command.name) if target.table is not None else None
    if target.is_child and not (
        isinstance(constraint, Check)
        or (target.table is not None and target.table.partition_of is not None and constraint is not None)
    ):
        return
    target.lock(LockMode.ShareUpdateExclusiveLock)
    if isinstance(constraint, Check | ForeignKey) and constraint.validated:
        return
    target.scan()
    if isinstance(constraint, ForeignKey):
        target.tally.lock(constraint.references, LockMode.RowShareLock)
        Target(constraint.references, target.context, target.tally).scan()
    elif constraint is None:
        target.assume(f"{command.name} of {target.name} is a CHECK; of a foreign key the referenced table is read too")


@subcommand("DropConstraint", recurses=True)
def _drop_constraint(command: Any, target: Target) -> None:
    table = target.table
    constraint = table.constraint(command.name) if table is not None else None
    if target.is_child and table is not None and table.partition_of is None and not isinstance(constraint, Check):
        return
    target.lock(LockMode.AccessExclusiveLock)
    if table is None or constraint is None:
        if not target.is_child:
            target.tally.loses.append(f"constraint {command.name} of {target.name}")
            target.assume(
                f"{command.name} of {target.name} is no foreign key; the table that it references would be locked too"
            )
        return
    if isinstance(constraint, ForeignKey):
        target.tally.lock(constraint.references, LockMode.AccessExclusiveLock)
        for found in target.context.partitions(constraint.references):
            target.tally.lock(found, LockMode.AccessExclusiveLock)
    if isinstance(constraint, PrimaryKey | Unique):
        for other, key in target.context.foreign_keys_to(target.name):
            if set(key.referenced_columns) == set(constraint.columns):
                for found in target.context.family(other):
                    target.tally.lock(found, LockMode.AccessExclusiveLock)
    if not target.is_child and not _is_redundant(constraint, table):
        target.tally.loses.append(f"constraint {command.name} of {target.name}: rows that break it are accepted then")


def _is_redundant(constraint: Constraint, table: Table) -> bool:
    """The same rule stands elsewhere: another constraint says it, or the column is NOT NULL anyway."""
    if isinstance(constraint, Check):
        for column in table.columns:
            if column.not_null and proves_not_null(constraint.expression, column.name, alone=True):
                return True
    return any(
        other.name != constraint.name
        and same_constraint(constraint, other)
        and (not isinstance(other, Check | ForeignKey) or other.validated)
        for other in table.constraints
        if not isinstance(other, Exclude)
    )
