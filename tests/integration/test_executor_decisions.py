"""People decide about single steps: leave one out, try again now, end whoever holds it up. What was decided is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli import wesley
from tests.plans import accept, backfill, concurrent_index, make_plan, transactional
from wesley_tui.executor import ledger
from wesley_tui.executor.asking_steps import ask_retry, ask_skip, ask_terminate, holdups
from wesley_tui.executor.engine import resume_run, start_run
from wesley_tui.executor.errors import ExecutorError
from wesley_tui.executor.events import Event, EventType, RunStatus, StepStatus
from wesley_tui.executor.options import RunOptions
from wesley_tui.executor.retry import RetryPolicy
from wesley_tui.executor.run import Run, RunOutcome
from wesley_tui.planner.plan import Plan

_OPTIONS = RunOptions(retry=RetryPolicy(longest_pause_s=0.2), seed=1)
_SLOW = RunOptions(retry=RetryPolicy(first_pause_s=60, longest_pause_s=60), seed=1)
"""Whoever does not say that it should be tried again waits for a minute."""


def run_sql(uri: str, *statements: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(uri, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def until(happened: Callable[[], object], timeout: float = 20) -> None:
    end = time.monotonic() + timeout
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def ended(run: Run) -> RunOutcome:
    outcome = run.wait(40)
    assert outcome is not None, f"still running: {run.drain().state}"
    return outcome


def told(uri: str, kind: EventType) -> list[Event]:
    return [event for event in ledger.events(uri) if event.type is kind]


@contextmanager
def reader(uri: str, table: str) -> Iterator[psycopg.Connection[Any]]:
    """Somebody in the middle of a transaction with one snapshot, who has read ``table``."""
    connection = psycopg.connect(uri, application_name="nightly report")
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    try:
        connection.execute(f"SELECT count(*) FROM {table}".encode())
        yield connection
    finally:
        connection.close()


@pytest.fixture
def plan(database: str) -> Plan:
    """Step 1 alters ``a``, step 2 comes after it; step 3 is on ``b``, step 4 takes something away."""
    run_sql(database, "CREATE TABLE a (id int)", "CREATE TABLE b (id int, old int)")
    return make_plan(
        [
            transactional("ALTER TABLE a ADD c int", object="public.a"),
            transactional("ALTER TABLE a ADD d int", object="public.a"),
            transactional("ALTER TABLE b ADD c int", object="public.b"),
            transactional("ALTER TABLE b DROP old", object="public.b", wave="CONTRACT"),
        ],
        database,
    )


def test_a_step_that_cannot_get_its_lock_is_left_out(database: str, plan: Plan, tmp_path: Path) -> None:
    first, second, third, last = plan.steps
    with reader(database, "a"):
        run = start_run(database, plan, accept(plan, contract=True), _OPTIONS)
        until(lambda: told(database, EventType.LOCK_TIMEOUT))
        asked = wesley("skip", "1", "--db", database, "--reason", "tomorrow", "--json", state=tmp_path)
        assert asked.code == 0, asked.err
        assert asked.json == {"run_id": run.run_id, "status": "running", "obeyed": True}
        outcome = ended(run)
    assert (outcome.status, outcome.exit_code) == (RunStatus.FAILED, 1)
    assert "left out: step 1 (run public.a), and 2 that come after were not run" in outcome.message
    assert "wesley retry" in outcome.message
    state = ledger.run_state(database, run.run_id)
    assert [state.step(step.step_sha).status for step in (first, second, third, last)] == [
        *(StepStatus.SKIPPED, StepStatus.SKIPPED, StepStatus.SUCCEEDED, StepStatus.PENDING)
    ]
    assert state.step(first.step_sha).message.endswith(": tomorrow")
    assert "after step 1" in state.step(second.step_sha).message
    skipped = told(database, EventType.STEP_SKIP)[0]
    assert skipped.metrics["role"] == "postgres"
    assert ledger.succeeded(database, plan.plan_id) == {third.step_sha}
    # the decision holds over a resume, until it is taken back
    again = ended(resume_run(database, _OPTIONS))
    assert (again.status, again.exit_code) == (RunStatus.FAILED, 1)
    taken_up = wesley("retry", "--db", database, state=tmp_path)
    assert taken_up.code == 0, taken_up.err
    assert ledger.succeeded(database, plan.plan_id) == {step.step_sha for step in plan.steps}
    assert ledger.verify(database) == []


def test_a_step_that_was_left_out_is_taken_in_again_while_the_run_goes_on(database: str, plan: Plan) -> None:
    run_sql(database, "CREATE TABLE slow (id int)")
    longer = make_plan(
        [*((wave.name, step) for wave in plan.waves[:1] for step in wave.steps),
         transactional("SELECT pg_sleep(2)", object="public.slow")],
        database,
    )  # fmt: skip
    with reader(database, "a"):
        run = start_run(database, longer, accept(longer), _OPTIONS)
        until(lambda: told(database, EventType.LOCK_TIMEOUT))
        assert ask_skip(database, None, longer.waves[0].steps[0].step_sha[:12], "").obeyed
    ask_retry(database, None, "1")
    assert ended(run).status is RunStatus.COMPLETE
    assert run_sql(database, "SELECT count(*) FROM pg_attribute WHERE attrelid = 'a'::regclass AND attnum > 0") == [
        (3,)
    ]


def test_a_build_that_runs_is_left_out_and_leaves_no_index(database: str) -> None:
    run_sql(database, "CREATE TABLE a (id int)")
    plan = make_plan([concurrent_index("public.a", "id"), transactional("CREATE TABLE z (id int)")], database)
    with reader(database, "pg_namespace"):
        run = start_run(database, plan, accept(plan), _OPTIONS)
        until(lambda: run_sql(database, "SELECT 1 FROM pg_stat_progress_create_index"))
        assert ask_skip(database, None, "1", "").obeyed
        outcome = ended(run)
    assert (outcome.status, outcome.exit_code) == (RunStatus.FAILED, 1)
    assert run_sql(database, "SELECT count(*) FROM pg_class WHERE relname = 'a_id_idx'") == [(0,)]
    assert run_sql(database, "SELECT to_regclass('z') IS NOT NULL") == [(True,)]


def test_a_backfill_is_left_out_after_its_batch(database: str) -> None:
    run_sql(
        database, "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int)",
        "INSERT INTO t SELECT g, g FROM generate_series(1, 5000) g",
    )  # fmt: skip
    plan = make_plan([backfill("public.t", "id", "b = a", "t.b IS NULL", rows_per_second=1000)], database)
    run = start_run(database, plan, accept(plan), _OPTIONS)
    until(lambda: told(database, EventType.BACKFILL_PROGRESS))
    assert ask_skip(database, None, "1", "").obeyed
    assert ended(run).exit_code == 1
    (visited,) = run_sql(database, "SELECT visited FROM wesley.migration_checkpoints")[0]
    assert run_sql(database, "SELECT count(*) FROM t WHERE b = a") == [(visited,)]


def test_what_is_done_or_unknown_is_not_left_out(database: str, plan: Plan) -> None:
    assert ended(start_run(database, plan, accept(plan))).exit_code == 0
    with pytest.raises(ExecutorError, match="is done: there is nothing to skip"):
        ask_skip(database, None, "3", "")
    with pytest.raises(ExecutorError, match="has no step '99'"):
        ask_skip(database, None, "99", "")
    assert ask_skip(database, None, "4", "not this year").obeyed
    later = ended(resume_run(database, RunOptions(token=accept(plan, contract=True))))
    assert (later.status, later.exit_code) == (RunStatus.FAILED, 1)
    assert run_sql(database, "SELECT count(old) FROM b") == [(0,)]


def test_try_again_does_not_wait_for_the_next_attempt(database: str, plan: Plan) -> None:
    with reader(database, "a"):
        run = start_run(database, plan, accept(plan), _SLOW)
        until(lambda: told(database, EventType.LOCK_TIMEOUT))
    begun = time.monotonic()
    ask_retry(database, None)
    assert ended(run).exit_code == 0
    assert time.monotonic() - begun < 20


def test_a_blocker_is_ended_after_its_pid_was_typed(database: str, plan: Plan, tmp_path: Path) -> None:
    with reader(database, "a") as connection:
        pid = connection.info.backend_pid
        run = start_run(database, plan, accept(plan), _SLOW)
        until(lambda: told(database, EventType.LOCK_TIMEOUT))
        (named,) = told(database, EventType.LOCK_TIMEOUT)[0].metrics["blockers"]
        assert {key: named[key] for key in ("pid", "user", "application", "query")} == {
            "pid": pid, "user": "postgres", "application": "nightly report", "query": "SELECT count(*) FROM a",
        }  # fmt: skip
        assert named["age_s"] >= 0
        shown = wesley("terminate", "--db", database, "--json", state=tmp_path)
        assert [entry["pid"] for entry in shown.json] == [pid]
        wrong = wesley("terminate", str(pid), "--db", database, "--confirm", "1", state=tmp_path)
        assert (wrong.code, f"--confirm {pid}" in wrong.err) == (2, True)
        mine = wesley("terminate", "1", "--db", database, "--confirm", "1", state=tmp_path)
        assert (mine.code, "does not hold up run" in mine.err) == (1, True)
        assert connection.execute("SELECT 1").fetchone() == (1,)
        done = wesley(
            "terminate", str(pid), "--db", database, "--confirm", str(pid), "--reason", "3 h old", state=tmp_path
        )
        assert (done.code, f"ended session {pid}" in done.out) == (0, True), done.err
        assert ended(run).exit_code == 0
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    (event,) = told(database, EventType.BLOCKER_TERMINATED)
    assert (event.metrics["pid"], event.metrics["role"]) == (pid, "postgres")


def test_ending_a_blocker_does_not_take_in_what_was_left_out(database: str, plan: Plan) -> None:
    with reader(database, "a"), reader(database, "b") as other:
        run = start_run(database, plan, accept(plan), _SLOW)
        until(lambda: len(told(database, EventType.LOCK_TIMEOUT)) == 2)
        assert ask_skip(database, None, "1", "").obeyed
        summary = ledger.history(database)[0]
        (held,) = [found for found in holdups(database, summary) if found.blocker.pid == other.info.backend_pid]
        assert ask_terminate(database, summary, held, "") is not None
        outcome = ended(run)
    assert (outcome.exit_code, "left out: step 1" in outcome.message) == (1, True)
    assert ledger.succeeded(database, plan.plan_id) == {list(plan.steps)[2].step_sha}


def test_a_session_that_has_gone_is_not_ended_nor_is_its_successor(database: str, plan: Plan) -> None:
    with reader(database, "a"), reader(database, "b") as other:
        run = start_run(database, plan, accept(plan), _OPTIONS)
        until(lambda: len(holdups(database, ledger.history(database)[0])) == 2)
        summary = ledger.history(database)[0]
        (held,) = [found for found in holdups(database, summary) if found.blocker.pid == other.info.backend_pid]
        other.close()
        with pytest.raises(ExecutorError, match="it is gone"):
            ask_terminate(database, summary, held, "")
    assert ended(run).exit_code == 0


def test_a_long_build_can_be_cancelled_when_another_step_has_failed(database: str) -> None:
    """It goes on by itself, what it has built would be lost; a person may decide otherwise."""
    run_sql(database, "CREATE TABLE a (id int)")
    plan = make_plan(
        [concurrent_index("public.a", "id"), transactional("SELECT pg_sleep(0.5), 1/0", object="public.other")],
        database,
    )
    with reader(database, "pg_namespace"):
        run = start_run(database, plan, accept(plan), _OPTIONS)
        until(lambda: told(database, EventType.STEP_FAIL))
        assert run.wait(0.3) is None
        run.abort("it would take hours")
        outcome = ended(run)
    assert (outcome.status, outcome.exit_code) == (RunStatus.CANCELLED, 9)
    assert "step 2 had failed: division by zero" in outcome.message
    assert run_sql(database, "SELECT count(*) FROM pg_class WHERE relname = 'a_id_idx'") == [(0,)]
