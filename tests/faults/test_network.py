"""The network and the server fail at the worst moment: what was not heard is found out, and nothing happens twice."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.faults.harness import TALLY, Case, seed, whole_plan
from tests.faults.proxy import Fault, proxied
from tests.faults.zygote import Zygote
from tests.plans import accept, concurrent_index, make_plan, transactional
from wesley_tui.executor import ledger, worker
from wesley_tui.executor.asking import ask_pause
from wesley_tui.executor.engine import resume_run, start_run
from wesley_tui.executor.errors import CannotConnect, PoolerDetected
from wesley_tui.executor.events import RunStatus
from wesley_tui.executor.governor import Knobs
from wesley_tui.executor.options import RunOptions
from wesley_tui.executor.run import Run, RunOutcome
from wesley_tui.planner.plan import Plan

_SLOW = os.environ.get("WESLEY_SLOW") == "1"
_OPTIONS = RunOptions(seed=1, knobs=Knobs(workers=2, blind_s=60, calm_s=1), orphan_patience_s=1)
_CALLS = {
    "SELECT wesley.apply_step(": 2,
    "SELECT wesley.backfill_batch(": 3,
    "SELECT wesley.finish_step(": 1,
    "SELECT wesley.begin_step(": 2,
    "SELECT wesley.autocommit_statement(": 1,
    "CREATE UNIQUE INDEX CONCURRENTLY": 3,
}
"""What is sent, and which time it is hit; the text of a step is sent twice when the plan is stored."""
_ALL: list[tuple[str, Fault]] = [(call, fault) for call in _CALLS for fault in ("cut", "lose_answer")]
_ALL += [(call, "blackhole") for call in ("SELECT wesley.apply_step(", "SELECT wesley.backfill_batch(")]
_SAMPLE: list[tuple[str, Fault]] = [
    ("SELECT wesley.apply_step(", "lose_answer"),
    ("SELECT wesley.apply_step(", "cut"),
    ("SELECT wesley.backfill_batch(", "lose_answer"),
    ("CREATE UNIQUE INDEX CONCURRENTLY", "lose_answer"),
]


@pytest.fixture
def case(database: str, folder: Path, zygote: Zygote) -> Case:
    seed(database)
    return Case(database, whole_plan(database), folder, zygote)


def ended(run: Run) -> RunOutcome:
    outcome = run.wait(90)
    assert outcome is not None, f"still running: {run.drain().state}"
    return outcome


def run_sql(uri: str, *statements: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(uri, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@pytest.mark.parametrize(("call", "fault"), _ALL if _SLOW else _SAMPLE)
def test_a_message_is_lost(case: Case, monkeypatch: pytest.MonkeyPatch, call: str, fault: Fault) -> None:
    monkeypatch.setattr(worker, "_GRACE_S", 1.0)
    if fault == "blackhole":
        case.plan = _impatient(case)
    with proxied(case.uri) as (uri, proxy):
        proxy.arm(call, fault, time=_CALLS[call])
        outcome = ended(start_run(uri, case.plan, accept(case.plan), _OPTIONS))
        for _ in range(3):
            if outcome.status is RunStatus.COMPLETE:
                break
            outcome = ended(resume_run(uri, _OPTIONS))
        assert outcome.status is RunStatus.COMPLETE, outcome.message
        assert proxy.hits == 1, "the fault did not happen"
    TALLY.kills[f"message: {fault}"] += 1
    case.assert_whole()


def _impatient(case: Case) -> Plan:
    """The plan with short statement timeouts, so that the watchdog need not wait for long."""
    waves = tuple(
        replace(
            wave,
            steps=tuple(replace(s, statement_timeout_ms=2000) if s.kind != "autocommit" else s for s in wave.steps),
        )
        for wave in case.plan.waves
    )
    return replace(case.plan, waves=waves)


@pytest.mark.parametrize(
    ("sqlstate", "message"),
    [("53300", "sorry, too many clients already"), ("57P03", "the database system is starting up")][
        : 2 if _SLOW else 1
    ],
)
def test_a_server_that_refuses_connections_for_a_moment(case: Case, sqlstate: str, message: str) -> None:
    with proxied(case.uri) as (uri, proxy):
        proxy.refuse, proxy.refusals = (sqlstate, message), 1
        with pytest.raises(CannotConnect, match=message):
            start_run(uri, case.plan, accept(case.plan), _OPTIONS)
        assert run_sql(case.uri, "SELECT to_regclass('wesley.migration_runs') IS NULL") == [(True,)]
        proxy.arm("SELECT wesley.apply_step(", "cut")
        run = start_run(uri, case.plan, accept(case.plan), _OPTIONS)
        proxy.refusals = 3
        outcome = ended(run)
        if outcome.status is not RunStatus.COMPLETE:
            assert outcome.exit_code == 10, outcome.message
            proxy.refusals = 0
            outcome = ended(resume_run(uri, _OPTIONS))
        assert outcome.status is RunStatus.COMPLETE, outcome.message
        assert proxy.refusals == 0
    assert case.violations() == []


@pytest.mark.parametrize("function", ["append_event", "fail_step", "move_run"])
def test_an_event_whose_answer_is_lost_is_told_once(database: str, function: str) -> None:
    """The call is made again over a new connection; that it was committed before is known by its token."""
    plan = make_plan([transactional("SELECT 1/0")], database)
    with proxied(database) as (uri, proxy):
        proxy.arm(f"THEN wesley.{function}(", "lose_answer")
        outcome = ended(start_run(uri, plan, accept(plan), _OPTIONS))
        assert proxy.hits == 1, "the fault did not happen"
    assert outcome.sqlstate == "22012"
    kinds = [event.type.value for event in ledger.events(database)]
    for kind in ("wave.start", "step.fail", "abort.reason"):
        assert kinds.count(kind) == 1, kinds
    assert run_sql(database, "SELECT count(*) FROM wesley.migration_ledger WHERE status = 'failed'") == [(1,)]
    assert ledger.verify(database) == []


def test_a_command_whose_taking_is_not_heard_is_obeyed(database: str) -> None:
    plan = make_plan([transactional("SELECT pg_sleep(1)", object=f"public.o{n}") for n in range(8)], database)
    with proxied(database) as (uri, proxy):
        run = start_run(uri, plan, accept(plan), replace(_OPTIONS, knobs=Knobs(workers=1, blind_s=60)))
        proxy.arm("FROM wesley.take_commands(", "lose_answer")
        assert ask_pause(database, run.run_id, "heard or not").status is RunStatus.PAUSED
        assert proxy.hits == 1, "the fault did not happen"
        run.resume()
        assert ended(run).status is RunStatus.COMPLETE
    assert [event.type.value for event in ledger.events(database)].count("plan.paused") == 1


def test_a_session_that_is_another_one_than_it_says_is_refused(case: Case) -> None:
    with proxied(case.uri) as (uri, proxy):
        proxy.forge_pid = True
        with pytest.raises(PoolerDetected, match="a pooler stands between"):
            start_run(uri, case.plan, accept(case.plan), _OPTIONS)
    assert run_sql(case.uri, "SELECT to_regclass('wesley.migration_runs') IS NULL") == [(True,)]


def test_no_room_for_an_index(database: str) -> None:
    """The sort of a build runs out of temporary files: no invalid index stays, and with more room it succeeds."""
    run_sql(
        database,
        "CREATE TABLE t (id int, a text)",
        "INSERT INTO t SELECT g, repeat(md5(g::text), 4) FROM generate_series(1, 60000) g",
    )
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    run_sql(
        database,
        f"ALTER DATABASE {name} SET temp_file_limit = '64kB'",
        f"ALTER DATABASE {name} SET maintenance_work_mem = '1MB'",
        f"ALTER DATABASE {name} SET max_parallel_maintenance_workers = 0",
    )
    plan = make_plan([concurrent_index("public.t", "a")], database)
    outcome = ended(start_run(database, plan, accept(plan), _OPTIONS))
    assert (outcome.status, outcome.sqlstate) == (RunStatus.FAILED, "53400")
    assert run_sql(database, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    run_sql(database, f"ALTER DATABASE {name} RESET temp_file_limit")
    assert ended(resume_run(database, _OPTIONS)).status is RunStatus.COMPLETE
