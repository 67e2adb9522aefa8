"""ALTER TABLE: one function per subcommand; the strongest lock of all of them is taken at once.

The lock levels are those of ``AlterTableGetLockLevel()`` in ``tablecmds.c``; what the subcommands do to *other* tables
(the referenced one of a foreign key, the referencing ones of a key, partitions and children) is not in that function
and is the part that people get wrong. Whole tables are here, columns in :mod:`.alter_columns`, constraints in
:mod:`.alter_constraints`, partitions and parents in :mod:`.partitions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wesley_tui.catalog.model import Check, QName
from wesley_tui.planner.effects.context import EffectContext, name_of
from wesley_tui.planner.effects.dependents import typed_tables
from wesley_tui.planner.effects.record import Tally
from wesley_tui.planner.effects.registry import rule
from wesley_tui.planner.effects.target import SUBCOMMANDS, Target, subcommand
from wesley_tui.planner.plan import LockMode

__all__: list[str] = []

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


@rule("AlterTableStmt")
def _alter_table(node: Any, context: EffectContext, tally: Tally) -> None:
    name = name_of(node.relation, context)
    if node.missing_ok and context.is_absent(name):
        return
    match node.objtype:
        case "OBJECT_INDEX" if context.table(name) is None:
            _alter_index(node, name, context, tally)
        case "OBJECT_VIEW" | "OBJECT_MATVIEW" | "OBJECT_SEQUENCE":
            _alter_other_relation(node, name, context, tally)
        case "OBJECT_TYPE":
            _alter_composite(node, name, context, tally)
        case "OBJECT_TABLE" | "OBJECT_FOREIGN_TABLE" | "OBJECT_INDEX":
            if any(context.object(kind, name) is not None for kind in ("view", "materialized view", "sequence")):
                _alter_other_relation(node, name, context, tally)
            else:
                _alter_real_table(node, name, context, tally)
        case other:
            tally.lock(name, LockMode.AccessExclusiveLock)
            tally.unknown = f"ALTER {other.removeprefix('OBJECT_')} is not in the model"


def _alter_real_table(node: Any, name: QName, context: EffectContext, tally: Tally) -> None:
    target = Target(name, context, tally, said_foreign=node.objtype == "OBJECT_FOREIGN_TABLE")
    for command in node.cmds:
        found = SUBCOMMANDS.get(command.subtype)
        if found is None:
            target.lock(LockMode.AccessExclusiveLock)
            tally.unknown = f"ALTER TABLE … {command.subtype.removeprefix('AT_')} is not in the model"
            continue
        function, recurses = found
        function(command, target)
        if recurses:
            for child in _reached(command, target, only=not node.relation.inh):
                function(command, child)
    if not context.knows(name):
        tally.assumes.append(f"{name} has no partitions and no inheritance children; they would be locked too")


def _reached(command: Any, target: Target, *, only: bool) -> Iterator[Target]:
    """The children that a subcommand goes on to: all of them, or none under ONLY, with these exceptions. A column is
    looked for one level at a time, and where a child has it in its own right too, those below it keep it. Under ONLY
    the next level learns that a column or a key is no longer, or not yet, its parent's."""
    context, tally = target.context, target.tally
    if command.subtype not in ("AT_AddColumn", "AT_DropColumn"):
        if not only:
            yield from (Target(name, context, tally, is_child=True) for name in target.children)
        elif _told_to_children(command, target):
            for name in target.children if target.is_partitioned else context.children(target.name):
                tally.lock(name, LockMode.AccessExclusiveLock)
        return
    if only and command.subtype == "AT_AddColumn":
        return
    adds = command.subtype == "AT_AddColumn"
    column = command.get("def").colname if adds else command.name
    stack, seen = [target.name], {target.name}
    while stack:
        for name in context.children(stack.pop()):
            if name in seen:
                continue
            seen.add(name)
            child = Target(name, context, tally, is_child=True)
            stays = child.column(column) is not None if adds else only or _has_in_its_own_right(child, column)
            if stays:
                child.lock(LockMode.AccessExclusiveLock)
            else:
                stack.append(name)
                yield child


def _told_to_children(command: Any, target: Target) -> bool:
    if command.subtype == "AT_AddConstraint":
        return bool(command.get("def").contype == "CONSTR_PRIMARY")
    if command.subtype != "AT_DropConstraint" or target.table is None:
        return False
    constraint = target.table.constraint(command.name)
    return isinstance(constraint, Check) and not constraint.no_inherit


def _has_in_its_own_right(child: Target, column: str) -> bool:
    """Declared by the child itself, or by more than one of its parents."""
    own = child.context.table(child.name)
    if own is None or own.partition_of is not None:
        return False
    parents = [child.context.whole_table(parent) for parent in own.inherits]
    giving = [parent for parent in parents if parent is not None and parent.column(column) is not None]
    return own.column(column) is not None or len(giving) > 1


def _alter_index(node: Any, name: QName, context: EffectContext, tally: Tally) -> None:
    """Locks the index alone; its table is not locked."""
    for command in node.cmds:
        match command.subtype:
            case "AT_SetRelOptions" | "AT_ResetRelOptions" | "AT_SetStatistics":
                tally.lock(name, LockMode.ShareUpdateExclusiveLock)
            case "AT_SetTableSpace":
                tally.rebuilds.add(name)
                tally.lock(name, LockMode.AccessExclusiveLock)
            case "AT_AttachPartition":
                for index in (name, name_of(command.get("def").name, context)):
                    table = context.index_table(index)
                    if table is not None:
                        tally.lock(table, LockMode.AccessShareLock)
            case other:
                tally.unknown = f"ALTER INDEX … {other.removeprefix('AT_')} is not in the model"
                table = context.index_table(name)
                if table is not None:
                    tally.lock(table, LockMode.AccessExclusiveLock)


_MOVES = frozenset(("AT_SetTableSpace", "AT_SetAccessMethod", "AT_SetLogged", "AT_SetUnLogged"))
_WEAK = frozenset(("AT_ClusterOn", "AT_DropCluster", "AT_SetStatistics", "AT_SetOptions", "AT_ResetOptions"))


def _alter_other_relation(node: Any, name: QName, context: EffectContext, tally: Tally) -> None:
    """Views, materialized views and sequences: only a materialized view has rows."""
    is_sequence = node.objtype == "OBJECT_SEQUENCE" or context.object("sequence", name) is not None
    for command in node.cmds:
        weak = command.subtype in _WEAK
        if command.subtype in ("AT_SetRelOptions", "AT_ResetRelOptions"):
            weak = {item.defname for item in command.get("def") or ()} <= _WEAK_OPTIONS
        if command.subtype in _MOVES and not is_sequence:
            tally.rewrites.add(name)
        tally.lock(name, LockMode.ShareUpdateExclusiveLock if weak else LockMode.AccessExclusiveLock)


def _alter_composite(node: Any, name: QName, context: EffectContext, tally: Tally) -> None:
    """A composite type: the tables OF it change with it, under CASCADE."""
    for command in node.cmds:
        if command.subtype == "AT_DropColumn":
            tally.loses.append(f"attribute {command.name} of type {name}, in every value that has it")
        if command.subtype in ("AT_DropColumn", "AT_AlterColumnType"):
            tally.breaks.append(f"clients that still use attribute {command.name} of type {name}")
        if command.behavior == "DROP_CASCADE":
            if not context.complete:
                tally.unknown = f"the tables OF type {name} are not known: they are locked too"
                continue
            for table in typed_tables(context):
                for found in (table, *context.descendants(table)):
                    tally.lock(found, LockMode.AccessExclusiveLock)
                if command.subtype == "AT_AlterColumnType":
                    tally.rewrites.add(table)


@subcommand("ClusterOn", "DropCluster")
def _share_update_exclusive(_: Any, target: Target) -> None:
    target.lock(LockMode.ShareUpdateExclusiveLock)


@subcommand("ReplicaIdentity", "DropOids", "AddOf", "DropOf", "GenericOptions")
@subcommand("EnableRule", "DisableRule", "EnableAlwaysRule", "EnableReplicaRule")
def _brief_access_exclusive(_: Any, target: Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)


@subcommand(
    *("EnableTrig", "DisableTrig", "EnableTrigAll", "DisableTrigAll", "EnableTrigUser", "DisableTrigUser"),
    *("EnableAlwaysTrig", "EnableReplicaTrig"),
    recurses=True,
)
def _triggers(command: Any, target: Target) -> None:
    if target.is_child and (target.table is None or target.table.partition_of is None):
        return
    if target.is_child and command.name:
        above = target.context.ancestors(target.name)
        if not any(target.context.is_row_trigger(parent, command.name) for parent in above):
            return
    target.lock(LockMode.ShareRowExclusiveLock)
    if target.is_child or not command.subtype.startswith("AT_DisableTrig"):
        return
    what = f"trigger {command.name} does not fire" if command.name else "no trigger fires"
    target.tally.loses.append(f"what triggers of {target.name} guard: {what} until it is enabled again")


@subcommand("ChangeOwner")
def _owner(_: Any, target: Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)
    for item in target.context.objects():
        if item.owned_by is not None and item.owned_by[0] == target.name:
            target.tally.lock(item.name, LockMode.AccessExclusiveLock)


@subcommand("EnableRowSecurity", "DisableRowSecurity", "ForceRowSecurity", "NoForceRowSecurity")
def _row_security(command: Any, target: Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)
    policies = target.table.policies if target.table is not None else ()
    if command.subtype == "AT_DisableRowSecurity":
        target.tally.loses.append(f"row-level security of {target.name}: everybody with a grant sees every row")
    unguarded = not policies and target.name not in target.context.guarded | target.context.created
    if command.subtype == "AT_EnableRowSecurity" and unguarded:
        target.tally.breaks.append(
            f"row-level security without a policy on {target.name}: every role but its owner sees no row"
        )


@subcommand("SetRelOptions", "ResetRelOptions", "ReplaceRelOptions")
def _storage_parameters(command: Any, target: Target) -> None:
    names = {item.defname for item in command.get("def") or ()}
    weak = names <= _WEAK_OPTIONS
    target.lock(LockMode.ShareUpdateExclusiveLock if weak else LockMode.AccessExclusiveLock)


@subcommand("SetLogged", "SetUnLogged")
def _set_logged(command: Any, target: Target) -> None:
    target.lock(LockMode.AccessExclusiveLock)
    unlogged = command.subtype == "AT_SetUnLogged"
    if target.table is not None and target.context.knows(target.name) and target.table.unlogged == unlogged:
        return
    target.rewrite()
    if unlogged:
        target.tally.loses.append(f"the durability of {target.name}: it is empty after a crash, and on every standby")


@subcommand("SetTableSpace", "SetAccessMethod")
def _moved(command: Any, target: Target) -> None:
    """Every block is copied under the lock; of a partitioned table only the default for new partitions changes."""
    target.lock(LockMode.AccessExclusiveLock)
    old = target.table
    if old is not None and target.context.knows(target.name):
        before = (
            old.access_method or "heap" if command.subtype == "AT_SetAccessMethod" else old.tablespace or "pg_default"
        )
        if command.name == before:
            return
    target.rewrite()
