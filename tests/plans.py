"""Plans by hand, for tests of what executes them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg

from wesley_tui.catalog.model import Column, QName, Table
from wesley_tui.executor.review import ReviewToken, review
from wesley_tui.planner.backfill import backfill_rows
from wesley_tui.planner.plan import (
    WAVE_NAMES,
    HazardClass,
    LockMode,
    Plan,
    Step,
    StepCheck,
    StepKind,
    Wave,
    WaveName,
)

__all__ = ["Draft", "accept", "autocommit", "backfill", "check", "concurrent_index", "make_plan", "transactional"]

Draft = tuple[WaveName, Step]


def check(sql: str, message: str = "does not hold") -> StepCheck:
    return StepCheck(message, sql)


def transactional(*statements: str, wave: WaveName = "EXPAND", **fields: Any) -> Draft:
    """A step in one transaction; fields of :class:`Step` as keywords."""
    return wave, _step(StepKind.TRANSACTIONAL, statements=statements, **fields)


def autocommit(*statements: str, wave: WaveName = "EXPAND", **fields: Any) -> Draft:
    return wave, _step(StepKind.AUTOCOMMIT, statements=statements, statement_timeout_ms=0, **fields)


def concurrent_index(table: str, column: str, *, unique: bool = False, **fields: Any) -> Draft:
    """CREATE INDEX CONCURRENTLY on ``schema.table``, with the checks that the planner would give it."""
    schema, name = table.split(".")
    index = f"{name}_{column}_idx"
    found = (
        f"SELECT EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = '{index}'"
        f" AND c.relnamespace = '{schema}'::regnamespace AND "
    )
    return autocommit(
        f"CREATE {'UNIQUE ' if unique else ''}INDEX CONCURRENTLY {index} ON {table} ({column})",
        op="add_index_concurrently",
        object=table,
        locks={table: LockMode.ShareUpdateExclusiveLock},
        postchecks=(check(found + "i.indisvalid)", f"index {index} is not there or not valid"),),
        leftover_check=check(found + "NOT i.indisvalid)", f"an invalid index {index} is there"),
        leftover_cleanup=(f"DROP INDEX CONCURRENTLY IF EXISTS {schema}.{index}",),
        **fields,
    )


def backfill(table: str, key: str, assignment: str, todo: str, *, wave: WaveName = "BACKFILL", **fields: Any) -> Draft:
    """Batches, as the planner makes them, along the bigint column ``key`` of ``schema.table``: rows where ``visit``
    (default ``todo``) get ``assignment``, until no row is ``todo``."""
    visit = fields.pop("visit", todo)
    live = Table(QName(*table.split(".")), columns=(Column(key, "bigint"),))
    # Everything behind the first column is part of that one's expression, for UPDATE … SET.
    column, expression = assignment.split(" = ", 1)
    made = backfill_rows(live, (key,), [(column, expression)], visit)
    return wave, _step(
        StepKind.BACKFILL,
        statements=(),
        op="backfill",
        object=table,
        locks={table: LockMode.RowExclusiveLock},
        backfill=replace(
            made,
            remaining_sql=f"SELECT count(*) FROM {table} t WHERE {todo}",
            batch_rows=fields.pop("batch_rows", 100),
            rows_per_second=fields.pop("rows_per_second", None),
        ),
        **fields,
    )


def make_plan(drafts: Sequence[Draft], uri: str | None = None, **fields: Any) -> Plan:
    """Number the steps and give them identities; ``uri``: the server whose version the plan is for."""
    version = 180000
    if uri is not None:
        with psycopg.connect(uri) as connection:
            version = connection.info.server_version
    seed = repr((drafts, sorted(fields.items())))
    plan_id = hashlib.sha256(seed.encode()).hexdigest()
    ordered = sorted(drafts, key=lambda draft: WAVE_NAMES.index(draft[0]))
    steps: list[Draft] = []
    for ordinal, (wave, step) in enumerate(ordered, 1):
        sha = hashlib.sha256(f"{plan_id}{ordinal}{step!r}".encode()).hexdigest()
        steps.append((wave, replace(step, ordinal=ordinal, step_sha=sha)))
    waves = tuple(
        Wave(name, members) for name in WAVE_NAMES if (members := tuple(step for wave, step in steps if wave == name))
    )
    return Plan(plan_id, base="b" * 64, target="c" * 64, waves=waves, server_version_num=version, **fields)


def accept(plan: Plan, *, contract: bool = False) -> ReviewToken:
    """The token of somebody who accepts everything."""
    names = {step.object for step in plan.steps}
    return review(plan, explain="explained", unsafe=True, contract=contract, typed_names=names, actor="tester")


def _step(kind: StepKind, **fields: Any) -> Step:
    given: dict[str, Any] = {"op": "run", "object": "public.thing", "hazard": HazardClass.H1, **fields}
    return Step(step_sha="", ordinal=0, kind=kind, **given)
