"""Plans in tests: make one between a database and a catalog, carry it out step by step, take it back."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import psycopg

from tests.catalogs import read
from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog
from wesley_tui.diff.changes import Diff
from wesley_tui.diff.compare import compare
from wesley_tui.planner.build import PlanOptions, build_plan
from wesley_tui.planner.plan import Backfill, Plan, Step, StepCheck, StepKind
from wesley_tui.planner.restoring import with_resting

__all__ = ["carry_out", "changes_left", "plan_for", "take_back", "unsatisfied"]


def plan_for(
    database: str,
    desired: Catalog,
    intent: Intent | None = None,
    *,
    adopt_all: bool = False,
    purge: bool = False,
) -> Plan:
    restoring = with_resting(read(database), desired, intent or Intent())
    diff = compare(restoring.snapshot.catalog, desired, restoring.intent, adopt_all=adopt_all)
    diff = replace(diff, questions=(*diff.questions, *restoring.questions))
    return build_plan(restoring.snapshot, desired, diff, PlanOptions(adopt_all=adopt_all, purge=purge))


def changes_left(database: str, desired: Catalog, intent: Intent | None = None, *, adopt_all: bool = False) -> Diff:
    """What still differs; an executed plan leaves nothing."""
    return compare(read(database).catalog, desired, intent or Intent(), adopt_all=adopt_all)


def carry_out(database: str, plan: Plan, *, batch_rows: int = 7) -> None:
    """Every step as the executor would run it, with its checks: prechecks hold before, postchecks after."""
    with psycopg.connect(database, autocommit=True, options="-c search_path= -c TimeZone=UTC") as connection:
        for step in plan.steps:
            _carry_out_step(connection, step, batch_rows)


def _carry_out_step(connection: psycopg.Connection[Any], step: Step, batch_rows: int) -> None:
    failed = unsatisfied(connection, step.prechecks)
    assert not failed, f"before {step.op} {step.object}: {failed}"
    if step.kind is StepKind.TRANSACTIONAL:
        with connection.transaction():
            for statement in step.statements:
                connection.execute(statement.encode())
    elif step.kind is StepKind.AUTOCOMMIT:
        (statement,) = step.statements
        connection.execute(statement.encode())
    else:
        assert step.backfill is not None
        run_backfill(connection, step.backfill, batch_rows)
    failed = unsatisfied(connection, step.postchecks)
    assert not failed, f"after {step.op} {step.object}: {failed}"


def run_backfill(connection: psycopg.Connection[Any], backfill: Backfill, batch_rows: int) -> int:
    """All batches, each with the key of the one before; the number of rows that were changed."""
    query = re.sub(r"\$(\d)", r"%(p\1)s", backfill.batch_sql.replace("%", "%%"))
    key: str | None = None
    total: int = 0
    while True:
        row = connection.execute(query.encode(), {"p1": key, "p2": batch_rows}).fetchone()
        assert row is not None
        last, visited, changed = row
        assert visited <= batch_rows
        total += changed
        if last is None:
            break
        key = json.dumps(last)
    remaining = connection.execute(backfill.remaining_sql.encode()).fetchone()
    assert remaining == (0,)
    return int(total)


def unsatisfied(connection: psycopg.Connection[Any], checks: tuple[StepCheck, ...]) -> list[str]:
    """Messages of the checks that do not hold."""
    messages = []
    for check in checks:
        row = connection.execute(check.sql.encode()).fetchone()
        assert row is not None
        assert isinstance(row[0], bool), check.sql
        if not row[0]:
            messages.append(check.message)
    return messages


def take_back(database: str, plan: Plan) -> None:
    """Undo statements of all steps, last step first."""
    with psycopg.connect(database, autocommit=True, options="-c search_path= -c TimeZone=UTC") as connection:
        for step in reversed(list(plan.steps)):
            alone = any("CONCURRENTLY" in statement for statement in step.undo)
            with nullcontext() if alone else connection.transaction():
                for statement in step.undo:
                    connection.execute(statement.encode())
