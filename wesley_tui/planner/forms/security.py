"""Row-level security: policies first, then the switch; what takes protection away comes last."""

from __future__ import annotations

from collections.abc import Iterator

from wesley_tui.catalog import ddl
from wesley_tui.catalog.model import Policy, QName
from wesley_tui.diff.changes import ChangePolicy, ChangeRowSecurity, CreatePolicy, DropPolicy
from wesley_tui.planner import checks
from wesley_tui.planner.effects.expressions import mentions
from wesley_tui.planner.operations import Operation, Phase, column_resource, table_resource
from wesley_tui.planner.situation import Situation

__all__ = ["change_policy", "change_row_security", "create_policy", "drop_policy"]


def _hides(table: QName, situation: Situation, what: str) -> str:
    """Why connected clients may see fewer rows from one moment to the next; empty for a table without rows."""
    return f"{what}: connected clients may see and write fewer rows of {table}" if situation.rows(table) != 0 else ""


def create_policy(change: CreatePolicy, situation: Situation) -> Iterator[Operation]:
    """A permissive policy lets more through; a restrictive one, on a table whose policies count already, less."""
    table, policy = change.table, change.policy
    narrows = not policy.permissive and situation.live_table(table).rls_enabled
    comment = (ddl.comment_on("policy", table, policy.name, policy.comment),) if policy.comment is not None else ()
    yield Operation(
        op="create_policy",
        object=f"{table}.{policy.name}",
        wave="EXPAND",
        phase=Phase.SECURITY,
        statements=(ddl.create_policy(table, policy), *comment),
        undo=(ddl.drop_policy(table, policy),),
        prechecks=(checks.table_exists(table), checks.policy_absent(table, policy.name)),
        postchecks=(checks.policy_exists(table, policy.name),),
        provides=(f"policies {table}",),
        needs=(table_resource(table), *_columns_read(table, policy, situation)),
        why=("the policy counts from the moment row-level security is enabled; columns and roles must exist",),
        danger=_hides(table, situation, f"policy {policy.name} restricts") if narrows else "",
    )


def _columns_read(table: QName, policy: Policy, situation: Situation) -> Iterator[str]:
    """Its columns in their declared types: PostgreSQL does not change the type of a column that a policy reads."""
    wanted = situation.desired.tables.get(table)
    for column in wanted.columns if wanted is not None else ():
        if any(text is not None and mentions(text, column.name) for text in (policy.using, policy.check)):
            yield from (column_resource(table, column.name, state) for state in ("exists", "typed"))


def drop_policy(change: DropPolicy, _: Situation) -> Iterator[Operation]:
    table, policy = change.table, change.policy
    comment = (ddl.comment_on("policy", table, policy.name, policy.comment),) if policy.comment is not None else ()
    yield Operation(
        op="drop_policy",
        object=f"{table}.{policy.name}",
        wave="CONTRACT",
        phase=Phase.DROP_POLICY,
        statements=(ddl.drop_policy(table, policy),),
        provides=(f"policy {table}.{policy.name} gone",),
        undo=(ddl.create_policy(table, policy), *comment),
        prechecks=(checks.policy_exists(table, policy.name),),
        postchecks=(checks.policy_absent(table, policy.name),),
    )


def change_policy(change: ChangePolicy, situation: Situation) -> Iterator[Operation]:
    table, old, new = change.table, change.old, change.new
    yield Operation(
        op="alter_policy",
        object=f"{table}.{new.name}",
        wave="EXPAND",
        phase=Phase.SECURITY,
        statements=ddl.alter_policy(table, old, new),
        undo=ddl.alter_policy(table, new, old),
        prechecks=(checks.policy_exists(table, old.name),),
        postchecks=(checks.policy_exists(table, new.name),),
        provides=(f"policies {table}",),
        needs=(table_resource(table),),
        why=("connected clients see and write rows by the new rule from that moment on",),
        kept="the policy stands again at the end of the same transaction",
        danger=_hides(table, situation, f"policy {new.name} gets another condition")
        if situation.live_table(table).rls_enabled
        else "",
    )


def change_row_security(change: ChangeRowSecurity, situation: Situation) -> Iterator[Operation]:
    """Switching on comes after the policies. Switching off shows every row to whoever may read the table: CONTRACT."""
    table = change.table
    before = {"enabled": change.was_enabled, "forced": change.was_forced}
    after = {"enabled": change.enabled, "forced": change.forced}
    weaker = (change.was_enabled and not change.enabled) or (change.was_forced and not change.forced)
    yield Operation(
        op="enable_rls" if not weaker else "disable_rls",
        object=str(table),
        wave="CONTRACT" if weaker else "EXPAND",
        phase=Phase.DROP_POLICY if weaker else Phase.SETTING,
        statements=ddl.set_row_security(table, **after, was_enabled=change.was_enabled, was_forced=change.was_forced),
        undo=ddl.set_row_security(table, **before, was_enabled=change.enabled, was_forced=change.forced),
        prechecks=(checks.row_security_is(table, **before),),
        postchecks=(checks.row_security_is(table, **after),),
        needs=(table_resource(table), f"policies {table}"),
        why=()
        if weaker
        else ("from that moment on, connected clients see only the rows that a policy grants to their role",),
        danger=f"policies no longer protect {table}: rows become visible to every role that may read it"
        if weaker
        else _hides(table, situation, "row-level security is switched on"),
    )
