"""Short steps that are given to a worker in one call: each is a transaction of its own all the same."""

from __future__ import annotations

import time
from typing import Any

import psycopg

from tests.plans import Draft, accept, make_plan, transactional
from wesley_tui.executor.engine import resume_run, start_run
from wesley_tui.executor.events import EventType, RunStatus
from wesley_tui.executor.run import RunOutcome
from wesley_tui.planner.plan import Plan

_STEPS = 120
_SLOW = 100
"""Far enough from the beginning to be given together with others."""


def _marks(slow: dict[int, str], **fields: Any) -> list[Draft]:
    """Steps that each leave a mark that a second execution would double; some of them do something else first."""
    made: Draft = transactional("CREATE TABLE public.marks (n int)", **fields)
    return [made] + [
        transactional(*([slow[n]] if n in slow else []), f"INSERT INTO public.marks VALUES ({n})", **fields)
        for n in range(_STEPS)
    ]


def _rows(uri: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(uri, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def _marked(uri: str) -> list[int]:
    return [row[0] for row in _rows(uri, "SELECT n FROM public.marks ORDER BY n")]


def _ended(uri: str, plan: Plan) -> RunOutcome:
    outcome = start_run(uri, plan, accept(plan)).wait(60)
    assert outcome is not None
    return outcome


def test_each_step_is_its_own_transaction(database: str) -> None:
    plan = make_plan(_marks({}), database)
    assert _ended(database, plan).status is RunStatus.COMPLETE
    assert _marked(database) == list(range(_STEPS))
    transactions, sessions = _rows(
        database,
        "SELECT count(DISTINCT xid), count(DISTINCT backend_pid) FROM wesley.migration_ledger"
        " WHERE status = 'succeeded'",
    )[0]
    assert (transactions, sessions) == (_STEPS + 1, 1)
    order = _rows(database, "SELECT ordinal FROM wesley.migration_ledger WHERE status = 'succeeded' ORDER BY ledger_id")
    assert [row[0] for row in order] == [step.ordinal for step in plan.steps]


def test_one_that_is_refused_leaves_those_before_it_and_stops_those_behind_it(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.divisor AS SELECT 0 AS d")
    plan = make_plan(_marks({_SLOW: "SELECT 1 / d FROM public.divisor"}), database)
    outcome = _ended(database, plan)
    assert (outcome.status, outcome.sqlstate) == (RunStatus.FAILED, "22012")
    assert _marked(database) == list(range(_SLOW))
    failed = _rows(database, "SELECT ordinal, attempt, sqlstate FROM wesley.migration_ledger WHERE status = 'failed'")
    assert failed == [(list(plan.steps)[_SLOW + 1].ordinal, 1, "22012")]
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("UPDATE public.divisor SET d = 1")
    resumed = resume_run(database).wait(60)
    assert resumed is not None
    assert resumed.status is RunStatus.COMPLETE
    assert _marked(database) == list(range(_STEPS))


def test_a_session_that_is_ended_in_between_loses_and_doubles_nothing(database: str) -> None:
    plan = make_plan(_marks({_SLOW: "SELECT pg_sleep(0.6)"}), database)
    slow = list(plan.steps)[_SLOW + 1]
    run = start_run(database, plan, accept(plan))
    _until(
        database,
        f"SELECT count(*) FROM wesley.migration_events WHERE type = 'step.start' AND step_sha = '{slow.step_sha}'",
    )
    _rows(database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'wesley/%/1'")
    outcome = run.wait(60)
    assert outcome is not None
    assert outcome.status is RunStatus.COMPLETE, outcome.message
    assert _marked(database) == list(range(_STEPS))
    attempts = _rows(database, f"SELECT max(attempt) FROM wesley.migration_ledger WHERE step_sha = '{slow.step_sha}'")
    assert attempts == [(2,)]


def test_a_slow_one_among_them_is_announced_while_it_runs(database: str) -> None:
    plan = make_plan(_marks({_SLOW: "SELECT pg_sleep(0.6)"}), database)
    slow = list(plan.steps)[_SLOW + 1]
    assert _ended(database, plan).status is RunStatus.COMPLETE
    told = _rows(
        database,
        "SELECT type, EXTRACT(epoch FROM time - lag(time) OVER (ORDER BY id))::float8 FROM wesley.migration_events"
        f" WHERE step_sha = '{slow.step_sha}' ORDER BY id",
    )
    assert [kind for kind, _ in told] == [EventType.STEP_START.value, EventType.STEP_OK.value]
    xids = _rows(
        database, f"SELECT status, xid FROM wesley.migration_ledger WHERE step_sha = '{slow.step_sha}' ORDER BY 2"
    )
    assert [status for status, _ in xids] == ["started", "succeeded"]


def test_statement_timeout_is_each_ones_own(database: str) -> None:
    """Together they take longer than one of them may."""
    slow = dict.fromkeys(range(_SLOW, _SLOW + 4), "SELECT pg_sleep(0.2)")
    plan = make_plan(_marks(slow, statement_timeout_ms=500), database)
    outcome = _ended(database, plan)
    assert outcome.status is RunStatus.COMPLETE, outcome.message
    assert _marked(database) == list(range(_STEPS))
    assert _rows(database, "SELECT count(*) FROM wesley.migration_ledger WHERE status = 'failed'") == [(0,)]


def test_a_pause_waits_for_one_of_them_and_not_for_all(database: str) -> None:
    slow = dict.fromkeys(range(_SLOW, _SLOW + 8), "SELECT pg_sleep(0.4)")
    plan = make_plan(_marks(slow), database)
    run = start_run(database, plan, accept(plan))
    _until_begun(database, plan, _SLOW)
    run.pause()
    begun = time.monotonic()
    _until(database, "SELECT count(*) FROM wesley.migration_events WHERE type = 'plan.paused'")
    assert time.monotonic() - begun < 1.5
    marked = len(_marked(database))
    assert marked <= _SLOW + 2
    run.resume()
    outcome = run.wait(60)
    assert outcome is not None
    assert outcome.status is RunStatus.COMPLETE, outcome.message
    assert _marked(database) == list(range(_STEPS))


def test_one_that_is_to_be_left_out_while_others_of_its_call_run_is_left_out(database: str) -> None:
    plan = make_plan(_marks({_SLOW: "SELECT pg_sleep(0.6)"}), database)
    run = start_run(database, plan, accept(plan))
    _until_begun(database, plan, _SLOW)
    run.skip(list(plan.steps)[_SLOW + 2].step_sha, "not this one")
    outcome = run.wait(60)
    assert outcome is not None
    assert outcome.status is RunStatus.FAILED
    assert _SLOW + 1 not in _marked(database)
    assert _rows(database, "SELECT count(*) FROM wesley.migration_ledger WHERE status = 'failed'") == [(0,)]


def _until_begun(uri: str, plan: Plan, mark: int) -> None:
    """Wait until the step that leaves this mark is announced."""
    sha = list(plan.steps)[mark + 1].step_sha
    _until(uri, f"SELECT count(*) FROM wesley.migration_events WHERE type = 'step.start' AND step_sha = '{sha}'")


def _until(uri: str, query: str) -> None:
    """Wait until the count is not zero."""
    end = time.monotonic() + 30
    while not _rows(uri, query)[0][0]:
        assert time.monotonic() < end, query
        time.sleep(0.01)
