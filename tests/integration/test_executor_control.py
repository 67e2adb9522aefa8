"""Steering a run from another process: what is asked is a row, what happened is an event, and both survive."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli import wesley
from tests.plans import accept, backfill, make_plan, transactional
from wesley_tui.executor import ledger
from wesley_tui.executor.asking import ask_cancel, ask_pause, ask_resume, find_summary
from wesley_tui.executor.attach import follow_run
from wesley_tui.executor.engine import resume_run, start_run
from wesley_tui.executor.errors import ExecutorError, RecoveryNeeded
from wesley_tui.executor.events import Event, EventType, RunStatus
from wesley_tui.executor.run import Run, RunOutcome
from wesley_tui.planner.plan import Plan


def run_sql(uri: str, *statements: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(uri, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def until(happened: Callable[[], object], timeout: float = 15) -> None:
    end = time.monotonic() + timeout
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def ended(run: Run, timeout: float = 30) -> RunOutcome:
    outcome = run.wait(timeout)
    assert outcome is not None, f"still running: {run.drain().state}"
    return outcome


def last(uri: str, kind: EventType) -> Event:
    return [event for event in ledger.events(uri) if event.type is kind][-1]


@pytest.fixture
def plan(database: str) -> Plan:
    """A backfill that takes two seconds, and something after it."""
    run_sql(
        database,
        "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int, visits int NOT NULL DEFAULT 0)",
        "INSERT INTO t SELECT g, g FROM generate_series(1, 2000) g",
    )
    return make_plan(
        [
            backfill("public.t", "id", "b = a, visits = visits + 1", "t.b IS NULL", rows_per_second=1000),
            transactional("CREATE TABLE after (id int)", object="public.t", wave="VALIDATE"),
        ],
        database,
    )


def begun(uri: str, plan: Plan) -> Run:
    run = start_run(uri, plan, accept(plan))
    until(lambda: run_sql(uri, "SELECT 1 FROM wesley.migration_checkpoints WHERE batches > 0"))
    return run


def test_a_run_is_paused_and_resumed_by_another_process(database: str, plan: Plan, tmp_path: Path) -> None:
    run = begun(database, plan)
    told = wesley("pause", "--db", database, "--reason", "the shop is busy", "--json", state=tmp_path)
    assert told.code == 0, told.err
    assert told.json == {"run_id": run.run_id, "status": "paused", "obeyed": True}
    held = run_sql(database, "SELECT visited FROM wesley.migration_checkpoints")
    assert run.wait(0.3) is None
    assert run_sql(database, "SELECT visited FROM wesley.migration_checkpoints") == held
    paused = last(database, EventType.PLAN_PAUSED)
    assert paused.message.endswith(": the shop is busy")
    assert paused.metrics["role"] == "postgres"
    again = wesley("resume", "--db", database, state=tmp_path)
    assert again.code == 0, again.err
    assert "wesley attach" in again.out
    assert ended(run).status is RunStatus.COMPLETE
    assert run_sql(database, "SELECT min(visits), max(visits) FROM t") == [(1, 1)]
    assert last(database, EventType.PLAN_RESUMED).metrics["role"] == "postgres"
    assert ledger.verify(database) == []


def test_a_pause_survives_the_process_that_was_paused(database: str, plan: Plan, tmp_path: Path) -> None:
    run = begun(database, plan)
    assert ask_pause(database, None, "for the night").status is RunStatus.PAUSED
    run_sql(database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'wesley/lock'")
    assert ended(run).exit_code == 10
    assert ask_pause(database, None, "still").status is RunStatus.PAUSED
    other = make_plan([transactional("CREATE TABLE other (id int)")], database)
    with pytest.raises(RecoveryNeeded, match="wesley resume"):
        start_run(database, other, accept(other))
    assert ended(resume_run(database)).status is RunStatus.COMPLETE
    assert run_sql(database, "SELECT min(visits), max(visits) FROM t") == [(1, 1)]


def test_a_run_is_cancelled_by_another_process(database: str) -> None:
    slow = make_plan([transactional("CREATE TABLE never (id int)", "SELECT pg_sleep(60)")], database)
    run = start_run(database, slow, accept(slow))
    until(lambda: run_sql(database, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))
    begun_at = time.monotonic()
    answer = ask_cancel(database, run.run_id, "called off")
    assert (answer.status, answer.obeyed) == (RunStatus.CANCELLED, True)
    assert time.monotonic() - begun_at < 5
    outcome = ended(run)
    assert (outcome.status, outcome.exit_code) == (RunStatus.CANCELLED, 9)
    assert outcome.message.endswith(": called off")
    assert run_sql(database, "SELECT to_regclass('never') IS NULL") == [(True,)]


def test_nothing_is_asked_of_a_run_that_is_over(database: str) -> None:
    plan = make_plan([transactional("CREATE TABLE a (id int)")], database)
    with pytest.raises(ExecutorError, match="does not know a run"):
        ask_pause(database, None, "")
    assert ended(start_run(database, plan, accept(plan))).status is RunStatus.COMPLETE
    with pytest.raises(ExecutorError, match="is complete: there is nothing to pause"):
        ask_pause(database, None, "")
    with pytest.raises(ExecutorError, match="nothing to resume"):
        ask_resume(database, find_summary(database, None))


def test_a_resume_is_newer_than_what_was_asked_of_a_dead_process(database: str, plan: Plan) -> None:
    run = begun(database, plan)
    run.abort("stop")
    assert ended(run).status is RunStatus.CANCELLED
    run_sql(
        database,
        f"INSERT INTO wesley.migration_commands (run_id, verb, person) VALUES ({run.run_id}, 'cancel', 'late')",
    )
    assert ended(resume_run(database)).status is RunStatus.COMPLETE


def test_a_second_terminal_sees_every_event_once(database: str, plan: Plan, tmp_path: Path) -> None:
    run = begun(database, plan)
    seen = wesley("attach", "--db", database, "--json", state=tmp_path)
    assert ended(run).status is RunStatus.COMPLETE
    assert seen.code == 0, seen.err
    told = [json.loads(line) for line in seen.out.splitlines()]
    assert [event["id"] for event in told] == [event.id for event in ledger.events(database, run.run_id)]
    assert told[-1]["type"] == "certificate.issued"
    text = wesley("status", "--follow", "--db", database, state=tmp_path)
    assert text.code == 0
    assert "step.ok            backfill public.t" in text.out


def test_an_attached_terminal_survives_its_connection_and_spoofed_notifications(database: str, plan: Plan) -> None:
    run = begun(database, plan)
    seen: list[Event] = []
    watcher = threading.Thread(target=lambda: seen.extend(follow_run(database, run.run_id)))
    watcher.start()
    listening = "application_name = 'wesley/attach' AND datname = current_database()"
    until(lambda: run_sql(database, f"SELECT 1 FROM pg_stat_activity WHERE {listening}"))
    run_sql(database, "NOTIFY wesley_events, '999999999'", "NOTIFY wesley_events, 'DROP TABLE t'")
    run_sql(database, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {listening}")
    assert ended(run).status is RunStatus.COMPLETE
    watcher.join(20)
    assert seen == ledger.events(database, run.run_id)


def test_who_watches_is_told_that_the_process_is_gone(database: str, plan: Plan, tmp_path: Path) -> None:
    run = begun(database, plan)
    assert ended(run).status is RunStatus.COMPLETE
    events = len(ledger.events(database))
    run_sql(database, f"SELECT * FROM wesley.open_run('{plan.plan_id}', 'x', 'x', false, '{{}}', '', NULL, '{{}}')")
    gone = wesley("attach", "--db", database, state=tmp_path)
    assert gone.code == 10
    assert "wesley resume" in gone.err
    assert len(ledger.events(database)) == events + 2


def test_who_may_only_read_watches_and_cannot_steer(database: str, plan: Plan, tmp_path: Path) -> None:
    run = begun(database, plan)
    run_sql(
        database,
        "DROP ROLE IF EXISTS onlooker",
        "CREATE ROLE onlooker LOGIN",
        "GRANT USAGE ON SCHEMA wesley TO onlooker",
        "GRANT SELECT ON ALL TABLES IN SCHEMA wesley TO onlooker",
    )
    onlooker = database.replace("postgres@", "onlooker@")
    try:
        with pytest.raises(ExecutorError, match="permission denied"):
            ask_pause(onlooker, None, "")
        seen = wesley("attach", "--db", onlooker, state=tmp_path)
        assert seen.code == 0, seen.err
        assert "plan.complete" in seen.out
    finally:
        assert ended(run).status is RunStatus.COMPLETE
        run_sql(database, "DROP OWNED BY onlooker CASCADE", "DROP ROLE onlooker")
