"""A plan that is applied again to a database that is what it was before it: which of its steps are to run again.

A step that is done is skipped. But when a plan has been drawn up anew from the catalog as it is now, and says the same
as one that the ledger knows, then whatever that one had made is gone: somebody took it back, by another plan or by
hand. Its steps must run again, above all before a CONTRACT that takes away what they replace. What leaves no trace in
the catalog that plans are drawn up from, as the rows that a statement changed, is not done twice.
"""

from __future__ import annotations

from typing import Any

from pglast import parse_sql
from pglast.parser import ParseError
from psycopg import AsyncConnection

from wesley_tui.planner.plan import Plan, Step, StepKind

__all__ = ["begin_anew", "changes_catalog"]

_ROWS_ONLY = frozenset(
    {
        "SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "DoStmt", "CallStmt", "LockStmt",
        "RefreshMatViewStmt", "VacuumStmt", "ReindexStmt", "ClusterStmt", "CheckPointStmt", "NotifyStmt",
        "VariableSetStmt",
    }
)  # fmt: skip
_HIDDEN = ("wesley_new_", "wesley_old_", "~wesley_", "wesley_policy", "wesley.")
"""Parts of names of our own, which no schema declares and no plan is drawn up from."""


async def begin_anew(connection: AsyncConnection[Any], plan: Plan) -> None:
    """Let the plan's steps run again if what they had made is gone. The caller has found the catalog to be what the
    plan was drawn up from."""
    cursor = await connection.execute(
        "SELECT d.step_sha, (SELECT r.status FROM wesley.migration_runs r WHERE r.plan_id = d.plan_id"
        " ORDER BY r.run_id DESC LIMIT 1) FROM wesley.migration_done d WHERE d.plan_id = %s",
        (plan.plan_id,),
    )
    found = dict(await cursor.fetchall())
    completed = any(status in {"complete", "contract_pending"} for status in found.values())
    if completed or any(step.step_sha in found and changes_catalog(step) for step in plan.steps):
        await connection.execute(
            "SELECT wesley.next_generation(%s, 'the database is what it was before this plan')", (plan.plan_id,)
        )


def changes_catalog(step: Step) -> bool:
    """Whether the step leaves a trace in what plans are drawn up from."""
    return step.kind is not StepKind.BACKFILL and any(_changes_catalog(text) for text in step.statements)


def _changes_catalog(text: str) -> bool:
    try:
        kinds = {type(raw.stmt).__name__ for raw in parse_sql(text)}
    except ParseError:
        return False
    hidden = any(part in text for part in _HIDDEN) and "RenameStmt" not in kinds
    return not hidden and not kinds <= _ROWS_ONLY
