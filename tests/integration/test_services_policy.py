"""The terminal application's workbench plans by the limits of a policy, and starts nothing against it."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from wesley_tui.planner.policy import read_policy
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.services.policing import PolicyRefused
from wesley_tui.services.target import Target
from wesley_tui.services.workbench import Workbench

_SCHEMA = [Source("s.graphql", "type Payment @table { id: ID! @pk  amount: Int! }\ntype Note @table { id: ID! @pk }")]


def _started(database: str, rules: str) -> None:
    policy = read_policy("team.toml", f'name = "team"\n[limits]\nmax_lock_ms = 700\n[rules]\n{rules}\n')
    workbench = Workbench(Target(database), policy=policy)
    asyncio.run(workbench.read())
    plan = workbench.plan(_SCHEMA).plan
    assert plan is not None
    assert {step.lock_timeout_ms for step in plan.steps} == {700}
    explanation = workbench.explain(plan)
    token = workbench.review(plan, explanation, unsafe=False, contract=False, typed_names=(), actor="tester")
    outcome = workbench.start(plan, token).wait(60)
    assert outcome is not None
    assert outcome.exit_code == 0


def test_a_table_that_is_denied_stops_the_whole_plan(database: str) -> None:
    with pytest.raises(PolicyRefused, match=r"public\.payment.*deny_tables"):
        _started(database, 'deny_tables = ["public.payment"]')
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT to_regclass('public.note'), to_regclass('wesley.migration_runs')").fetchone()
    assert row == (None, None)


def test_what_is_allowed_runs(database: str) -> None:
    _started(database, 'allow_tables = ["public.*"]')
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT to_regclass('public.note') IS NOT NULL").fetchone()
    assert row == (True,)
