"""ALTER TABLE: one function per subcommand; the strongest lock of all of them is taken at once.

The lock levels are those of ``AlterTableGetLockLevel()`` in ``tablecmds.c``; what the subcommands do to *other* tables
(the referenced one of a foreign key, the referencing ones of a key) is not in that function and is the part that people
get wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wesley_tui.catalog.model import (
    Check,
    Column,
    Constraint,
    Exclude,
    ForeignKey,
    PrimaryKey,
    QName,
    Ref,
    Table,
    Unique,
)
from wesley_tui.diff.constraints import same_constraint
from wesley_tui.planner.casts import changes_operator_class, is_metadata_only
from wesley_tui.planner.effects.context import EffectContext, name_of
from wesley_tui.planner.effects.expressions import mentions, proves_not_null
from wesley_tui.planner.effects.record import Tally
from wesley_tui.planner.effects.types import printed_type
from wesley_tui.planner.plan import LockMode
from wesley_tui.planner.volatility import functions_in

__all__ = ["read"]

_Rule = Callable[[Any, "_Target"], None]
_RULES: dict[str, _Rule] = {}

_WEAK_OPTIONS = frozenset(
    """
    fillfactor toast_tuple_target parallel_workers autovacuum_enabled autovacuum_vacuum_threshold
    autovacuum_vacuum_insert_threshold autovacuum_analyze_threshold autovacuum_vacuum_cost_limit
    autovacuum_vacuum_cost_delay autovacuum_vacuum_scale_factor autovacuum_vacuum_insert_scale_factor
    autovacuum_analyze_scale_factor autovacuum_freeze_min_age autovacuum_freeze_max_age
    autovacuum_freeze_table_age autovacuum_multixact_freeze_min_age autovacuum_multixact_freeze_max_age
    autovacuum_multixact_freeze_table_age log_autovacuum_min_duration vacuum_truncate vacuum_index_cleanup
    vacuum_max_eager_freeze_failure_rate autovacuum_vacuum_max_threshold deduplicate_items fastupdate
    gin_pending_list_limit
    """.split()  # noqa: SIM905 - a list of words reads better as one
)
"""Storage parameters under SHARE UPDATE EXCLUSIVE (``reloptions.c``); any other takes ACCESS EXCLUSIVE."""


class _Target:
    """The table that is altered, with what is known about it."""

    def __init__(self, name: QName, context: EffectContext, tally: Tally) -> None:
        self.name = name
        self.context = context
        self.tally = tally
        self.table: Table | None = context.table(name)

    def lock(self, mode: LockMode) -> None:
        self.tally.lock(self.name, mode)

    def scan(self) -> None:
        self.tally.scans.add(self.name)

    def rewrite(self) -> None:
        self.tally.rewrites.add(self.name)

    def column(self, name: str) -> Column | None:
        return self.table.column(name) if self.table is not None else None


def read(node: Any, context: EffectContext, tally: Tally) -> None:
    """Add the effects of an ``AlterTableStmt`` to ``tally``."""
    name = name_of(node.relation, context)
    if node.objtype.name == "OBJECT_INDEX":
        _read_alter_index(node, name, context, tally)
        return
    if node.objtype.name not in ("OBJECT_TABLE",):
        tally.lock(name, LockMode.AccessExclusiveLock)
        tally.unknown = f"ALTER {node.objtype.name.removeprefix('OBJECT_')} is not in the model"
        return
    target = _Target(name, context, tally)
    for command in node.cmds:
        rule = _RULES.get(command.subtype.name)
        if rule is None:
            target.lock(LockMode.AccessExclusiveLock)
            tally.unknown = f"ALTER TABLE … {command.subtype.name.removeprefix('AT_')} is not in the model"
        else:
            rule(command, target)


def _read_alter_index(node: Any, name: QName, context: EffectContext, tally: Tally) -> None:
    """Locks the index alone; its table is not locked."""
    for command in node.cmds:
        if command.subtype.name not in ("AT_SetRelOptions", "AT_ResetRelOptions", "AT_SetStatistics"):
            tally.unknown = f"ALTER INDEX … {command.subtype.name.removeprefix('AT_')} is not in the model"
            table = context.index_table(name)
            if table is not None:
                tally.lock(table, LockMode.AccessExclusiveLock)


def _rule(*subtypes: str) -> Callable[[_Rule], _Rule]:
    def register(function: _Rule) -> _Rule:
        for subtype in subtypes:
            _RULES[subtype] = function
        return function

    return register


@_rule("AT_SetStatistics", "AT_SetOptions", "AT_ResetOptions", "AT_ClusterOn", "AT_DropCluster")
def _share_update_exclusive(_: Any, target: _Target) -> None:
    target.lock(LockMode.ShareUpdateExclusiveLock)


@_rule(
    *("AT_AddIdentity", "AT_ColumnDefault", "AT_DropExpression", "AT_DropNotNull", "AT_ReplicaIdentity"),
    *("AT_SetCompression", "AT_SetIdentity", "AT_SetStorage"),
)
def _brief_access_exclusive(_: Any, target: _Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)


@_rule("AT_EnableRowSecurity", "AT_DisableRowSecurity", "AT_ForceRowSecurity", "AT_NoForceRowSecurity")
def _row_security(command: Any, target: _Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)
    policies = target.table.policies if target.table is not None else ()
    if command.subtype.name == "AT_EnableRowSecurity" and not policies and target.name not in target.context.created:
        target.tally.breaks.append(
            f"row-level security without a policy on {target.name}: every role but its owner sees no row"
        )


@_rule("AT_SetRelOptions", "AT_ResetRelOptions")
def _storage_parameters(command: Any, target: _Target) -> None:
    names = {item.defname for item in command.def_ or ()}
    weak = names <= _WEAK_OPTIONS
    target.lock(LockMode.ShareUpdateExclusiveLock if weak else LockMode.AccessExclusiveLock)


@_rule("AT_AddColumn")
def _add_column(command: Any, target: _Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)
    definition = command.def_
    has_default = False
    for constraint in definition.constraints or ():
        match constraint.contype.name:
            case "CONSTR_DEFAULT":
                has_default = True
                if functions_in(constraint.raw_expr):
                    target.rewrite()
            case "CONSTR_IDENTITY":
                has_default = True
                target.rewrite()
            case "CONSTR_GENERATED":
                has_default = True
                if constraint.generated_kind != "v":
                    target.rewrite()
            case "CONSTR_CHECK" | "CONSTR_PRIMARY" | "CONSTR_UNIQUE":
                target.scan()
            case "CONSTR_FOREIGN":
                other = name_of(constraint.pktable, target.context)
                target.tally.lock(other, LockMode.ShareRowExclusiveLock)
                target.scan()
    not_null = any(item.contype.name in ("CONSTR_NOTNULL", "CONSTR_PRIMARY") for item in definition.constraints or ())
    if not_null and not has_default:
        target.scan()
    if _may_be_domain(definition.typeName, target):
        target.rewrite()
    if any(part.sval.endswith("serial") for part in definition.typeName.names):
        target.rewrite()


def _may_be_domain(type_name: Any, target: _Target) -> bool:
    """A domain with a constraint makes ADD COLUMN write every row, default or not; whether one has a constraint is not
    in the catalog's records, so every domain counts."""
    if target.context.catalog is None or type_name.arrayBounds:
        return False
    *schema, name = [part.sval for part in type_name.names]
    schemas = schema or target.context.search_path
    return any(Ref("domain", f"{candidate}.{name}") in target.context.catalog.objects for candidate in schemas)


@_rule("AT_DropColumn")
def _drop_column(command: Any, target: _Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)
    target.tally.loses.append(f"the data in {target.name}.{command.name}")
    target.tally.breaks.append(f"clients that still use {target.name}.{command.name}, or that read SELECT *")
    for key in target.table.foreign_keys if target.table is not None else ():
        if command.name in key.columns:
            target.tally.lock(key.references, LockMode.AccessExclusiveLock)
    for other, key in target.context.foreign_keys_to(target.name):
        if command.name in key.referenced_columns:
            target.tally.lock(other, LockMode.AccessExclusiveLock)


@_rule("AT_AlterColumnType")
def _alter_column_type(command: Any, target: _Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)
    column = target.column(command.name)
    new = printed_type(command.def_.typeName)
    free = (
        column is not None
        and new is not None
        and command.def_.raw_default is None
        and is_metadata_only(column.type, new, timezone=target.context.timezone)
    )
    if not free:
        target.rewrite()
        target.tally.breaks.append(f"clients that expect the old type of {target.name}.{command.name}")
    if target.table is None:
        return
    _rebuilt_with_column(command, column, new, rewritten=not free, target=target)


def _rebuilt_with_column(
    command: Any, column: Column | None, new: str | None, rewritten: bool, target: _Target
) -> None:
    """What hangs on the column and is made again with it: checks are proven again, some indexes are built again, and
    foreign keys are dropped and added, which locks the other table."""
    name = command.name
    table = target.table
    assert table is not None
    collation = column is not None and (command.def_.collClause is not None or column.collation is not None)
    other_order = collation or (column is not None and new is not None and changes_operator_class(column.type, new))
    for index in table.indexes:
        keys = {key.column for key in index.keys} | set(index.include)
        complex_index = index.where is not None or any(key.expression is not None for key in index.keys)
        texts = [index.where, *(key.expression for key in index.keys)]
        concerned = name in keys or any(mentions(text, name) for text in texts if text is not None)
        if concerned and (rewritten or other_order or complex_index):
            target.tally.rebuilds.add(QName(table.name.schema, index.name))
            target.scan()
    for constraint in table.constraints:
        match constraint:
            case Check() if constraint.validated and mentions(constraint.expression, name):
                target.scan()
            case PrimaryKey() | Unique() if name in (*constraint.columns, *constraint.include):
                if rewritten or other_order:
                    target.tally.rebuilds.add(QName(table.name.schema, constraint.name))
                    target.scan()
            case ForeignKey() if name in constraint.columns:
                target.tally.lock(constraint.references, LockMode.AccessExclusiveLock)
                if constraint.validated and (rewritten or other_order):
                    target.scan()
                    target.tally.scans.add(constraint.references)
            case _:
                pass
    for other, key in target.context.foreign_keys_to(table.name):
        if name in key.referenced_columns:
            target.tally.lock(other, LockMode.AccessExclusiveLock)
            if key.validated and (rewritten or other_order):
                target.tally.scans.add(other)


@_rule("AT_SetNotNull")
def _set_not_null(command: Any, target: _Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)
    column = target.column(command.name)
    if column is not None and column.not_null:
        return
    if not _is_proven_not_null(command.name, target):
        target.scan()


def _is_proven_not_null(column: str, target: _Target) -> bool:
    """A validated CHECK that says the same lets PostgreSQL 12 and later skip the scan."""
    constraints = target.table.constraints if target.table is not None else ()
    return any(
        isinstance(item, Check) and item.validated and proves_not_null(item.expression, column) for item in constraints
    )


@_rule("AT_DropIdentity")
def _drop_identity(command: Any, target: _Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)
    target.tally.breaks.append(f"clients that rely on {target.name}.{command.name} being numbered by the database")


@_rule("AT_SetExpression")
def _set_expression(command: Any, target: _Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)
    column = target.column(command.name)
    if column is None or column.generated is None or column.generated.kind == "stored":
        target.rewrite()


@_rule("AT_SetLogged", "AT_SetUnLogged")
def _set_logged(command: Any, target: _Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)
    target.rewrite()
    if command.subtype.name == "AT_SetUnLogged":
        target.tally.loses.append(f"the durability of {target.name}: it is empty after a crash, and on every standby")


@_rule("AT_AddConstraint")
def _add_constraint(command: Any, target: _Target) -> None:
    constraint = command.def_
    match constraint.contype.name:
        case "CONSTR_FOREIGN":
            other = name_of(constraint.pktable, target.context)
            target.lock(LockMode.ShareRowExclusiveLock)
            target.tally.lock(other, LockMode.ShareRowExclusiveLock)
            if not constraint.skip_validation and target.name not in target.context.created:
                target.scan()
                target.tally.scans.add(other)
        case "CONSTR_CHECK":
            target.lock(LockMode.AccessExclusiveLock)
            if not constraint.skip_validation:
                target.scan()
        case "CONSTR_NOTNULL":
            target.lock(LockMode.AccessExclusiveLock)
            column = names[0].sval if (names := constraint.keys) else ""
            if not constraint.skip_validation and not _is_proven_not_null(column, target):
                target.scan()
        case "CONSTR_PRIMARY" | "CONSTR_UNIQUE" | "CONSTR_EXCLUSION":
            target.lock(LockMode.AccessExclusiveLock)
            if constraint.indexname is None:
                target.scan()
            elif constraint.contype.name == "CONSTR_PRIMARY":
                _primary_key_using_index(constraint, target)
        case other_kind:
            target.lock(LockMode.AccessExclusiveLock)
            target.tally.unknown = f"ADD {other_kind} is not in the model"


def _primary_key_using_index(constraint: Any, target: _Target) -> None:
    """Columns that are not yet NOT NULL become so, which reads the table unless a check proves it."""
    index = target.table.index(constraint.indexname) if target.table is not None else None
    columns = [key.column for key in index.keys if key.column is not None] if index is not None else None
    if columns is None:
        target.scan()
        return
    for name in columns:
        column = target.column(name)
        if (column is None or not column.not_null) and not _is_proven_not_null(name, target):
            target.scan()


@_rule("AT_ValidateConstraint")
def _validate_constraint(command: Any, target: _Target) -> None:
    target.lock(LockMode.ShareUpdateExclusiveLock)
    constraint = target.table.constraint(command.name) if target.table is not None else None
    if isinstance(constraint, Check | ForeignKey) and constraint.validated:
        return
    target.scan()
    if isinstance(constraint, ForeignKey):
        target.tally.lock(constraint.references, LockMode.RowShareLock)
        target.tally.scans.add(constraint.references)


@_rule("AT_DropConstraint")
def _drop_constraint(command: Any, target: _Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)
    table = target.table
    constraint = table.constraint(command.name) if table is not None else None
    if table is None or constraint is None:
        target.tally.loses.append(f"constraint {command.name} of {target.name}")
        return
    if isinstance(constraint, ForeignKey):
        target.tally.lock(constraint.references, LockMode.AccessExclusiveLock)
    if isinstance(constraint, PrimaryKey | Unique):
        for other, key in target.context.foreign_keys_to(target.name):
            if set(key.referenced_columns) == set(constraint.columns):
                target.tally.lock(other, LockMode.AccessExclusiveLock)
    if not _is_redundant(constraint, table):
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
