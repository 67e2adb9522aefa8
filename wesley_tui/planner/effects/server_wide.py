"""Statements that touch no table: sessions, transactions, roles, and what belongs to the whole server."""

from __future__ import annotations

from typing import Any

from wesley_tui.planner.effects.code import body_of
from wesley_tui.planner.effects.context import EffectContext
from wesley_tui.planner.effects.evolve import advance_node
from wesley_tui.planner.effects.record import Tally
from wesley_tui.planner.effects.registry import read, rule

__all__: list[str] = []


@rule(
    *("VariableSetStmt", "VariableShowStmt", "ConstraintsSetStmt", "CheckPointStmt"),
    *("ListenStmt", "UnlistenStmt", "NotifyStmt", "DeallocateStmt", "ClosePortalStmt", "FetchStmt", "LoadStmt"),
    *("CreateRoleStmt", "AlterRoleStmt", "AlterRoleSetStmt", "GrantRoleStmt", "AlterDefaultPrivilegesStmt"),
    *("AlterDatabaseSetStmt", "AlterTableSpaceOptionsStmt", "AlterDatabaseRefreshCollStmt"),
    *("CreateForeignServerStmt", "AlterForeignServerStmt", "CreateFdwStmt", "AlterFdwStmt"),
    *("CreateUserMappingStmt", "AlterUserMappingStmt", "DropUserMappingStmt"),
    *("CreateEventTrigStmt", "AlterEventTrigStmt"),
)
def _no_table(node: Any, _context: EffectContext, _tally: Tally) -> None:
    """Only catalogs or the session change."""


@rule("TransactionStmt", "DiscardStmt", "AlterDatabaseStmt")
def _sometimes_outside_transactions(node: Any, _context: EffectContext, tally: Tally) -> None:
    """COMMIT PREPARED, DISCARD ALL and ALTER DATABASE … SET TABLESPACE are refused in a transaction block."""
    moves = node.tag == "AlterDatabaseStmt" and any(item.defname == "tablespace" for item in node.options or ())
    prepared = node.get("kind") in ("TRANS_STMT_COMMIT_PREPARED", "TRANS_STMT_ROLLBACK_PREPARED")
    tally.in_transaction = not (moves or prepared or node.target == "DISCARD_ALL")


@rule("DropRoleStmt")
def _drop_role(node: Any, _context: EffectContext, tally: Tally) -> None:
    names = ", ".join(role.rolename or "?" for role in node.roles)
    tally.breaks.append(f"clients that log in as {names}, or that rely on its membership")


@rule("ReassignOwnedStmt")
def _reassign(_node: Any, _context: EffectContext, tally: Tally) -> None:
    tally.unknown = "every object of these roles is locked, and which those are is not known"


@rule("AlterTableMoveAllStmt")
def _move_all(node: Any, _context: EffectContext, tally: Tally) -> None:
    tally.unknown = f"everything in tablespace {node.orig_tablespacename} is copied, and what that is is not known"


@rule("DropOwnedStmt")
def _drop_owned(node: Any, _context: EffectContext, tally: Tally) -> None:
    names = ", ".join(role.rolename or "?" for role in node.roles)
    tally.unknown = "every object of these roles is dropped, and which those are is not known"
    tally.loses.append(f"every object that {names} owns, with its data, and every privilege granted to it")


@rule("CreatedbStmt", "CreateTableSpaceStmt", "AlterSystemStmt")
def _outside_transactions(_node: Any, _context: EffectContext, tally: Tally) -> None:
    tally.in_transaction = False


@rule("DropdbStmt")
def _drop_database(node: Any, _context: EffectContext, tally: Tally) -> None:
    tally.in_transaction = False
    tally.loses.append(f"database {node.dbname} with everything in it")


@rule("DropTableSpaceStmt")
def _drop_tablespace(_node: Any, _context: EffectContext, tally: Tally) -> None:
    tally.in_transaction = False


@rule("CreateSubscriptionStmt", "DropSubscriptionStmt")
def _subscription(node: Any, _context: EffectContext, tally: Tally) -> None:
    """With a slot on the publisher, which is the default, they cannot be rolled back."""
    options = {item.defname for item in node.options or ()}
    tally.in_transaction = node.tag == "CreateSubscriptionStmt" and bool(options & {"connect", "create_slot"})
    if node.tag == "DropSubscriptionStmt":
        tally.loses.append(f"subscription {node.subname}: its tables receive nothing any more")


@rule("AlterSubscriptionStmt")
def _alter_subscription(node: Any, _context: EffectContext, tally: Tally) -> None:
    refreshes = node.get("kind") in (
        *("ALTER_SUBSCRIPTION_REFRESH", "ALTER_SUBSCRIPTION_SET_PUBLICATION"),
        *("ALTER_SUBSCRIPTION_ADD_PUBLICATION", "ALTER_SUBSCRIPTION_DROP_PUBLICATION"),
    )
    tally.in_transaction = not refreshes


@rule("DoStmt")
def _do(node: Any, context: EffectContext, tally: Tally) -> None:
    body = body_of(node)
    if body.opaque:
        tally.unknown = f"what the code of DO does is not known: {body.opaque}"
        return
    for statement in body.statements:
        read(statement.node, context, tally)
        context = advance_node(statement.node, context, statement.text.encode())
    if body.statements:
        tally.assumes.append("every statement of the code runs once; a loop may run it as often as there are rows")


@rule("CallStmt")
def _call(node: Any, _context: EffectContext, tally: Tally) -> None:
    name = ".".join(part.sval for part in node.funccall.funcname)
    tally.unknown = f"what procedure {name} does cannot be read from outside, and it may commit on its own"


@rule("ExecuteStmt")
def _execute(node: Any, context: EffectContext, tally: Tally) -> None:
    query = context.prepared.get(str(node.name))
    if query is None:
        tally.unknown = f"the prepared statement {node.name} is not part of this text"
    else:
        read(query, context, tally)


@rule("ImportForeignSchemaStmt", "CreateExtensionStmt", "AlterExtensionStmt", "SecLabelStmt")
def _scripts(node: Any, _context: EffectContext, tally: Tally) -> None:
    """Scripts of an extension create objects of their own; an update may do anything."""
    if node.tag == "AlterExtensionStmt":
        tally.unknown = f"the update script of extension {node.extname} may do anything"


@rule("AlterExtensionContentsStmt", "AlterObjectDependsStmt")
def _dependencies(node: Any, _context: EffectContext, _tally: Tally) -> None:
    """Only ``pg_depend`` is written."""
