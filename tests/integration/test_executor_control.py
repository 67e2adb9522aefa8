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
from wesley_tui.executor.governor import Knobs
from wesley_tui.executor.options import RunOptions
from wesley_tui.executor.run import Run, RunOutcome
from wesley_tui.executor.window import Window
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


def begun(uri: str, plan: Plan, options: RunOptions | None = None) -> Run:
    run = start_run(uri, plan, accept(plan), options)
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
        with pytest.raises(ExecutorError, match="may watch runs, but not steer"):
            ask_pause(onlooker, None, "")
        seen = wesley("attach", "--db", onlooker, state=tmp_path)
        assert seen.code == 0, seen.err
        assert "plan.complete" in seen.out
    finally:
        assert ended(run).status is RunStatus.COMPLETE
        run_sql(database, "DROP OWNED BY onlooker CASCADE", "DROP ROLE onlooker")


def test_limits_are_changed_while_it_runs_and_kept_for_a_resume(database: str, plan: Plan, tmp_path: Path) -> None:
    run = begun(database, plan, RunOptions(knobs=Knobs(rows_per_second=300)))
    slower = wesley("throttle", "--db", database, "--rows-per-second", "200", "--json", state=tmp_path)
    assert slower.code == 0, slower.err
    until(lambda: EventType.GOVERNOR_CHANGED in [event.type for event in ledger.events(database)])
    assert last(database, EventType.GOVERNOR_CHANGED).message.endswith("rows_per_second = 200")
    run.abort("enough")
    assert ended(run).status is RunStatus.CANCELLED
    (left,) = run_sql(database, "SELECT count(*) FROM t WHERE b IS NULL")[0]
    begun_at = time.monotonic()
    resumed = resume_run(database)
    until(lambda: run_sql(database, f"SELECT 1 FROM t WHERE b IS NULL HAVING count(*) <= {left - 150}"))
    assert left / 200 > 1
    assert time.monotonic() - begun_at > 0.4
    faster = wesley("throttle", "--db", database, "--set", "rows_per_second=0", state=tmp_path)
    assert faster.code == 0, faster.err
    assert ended(resumed).status is RunStatus.COMPLETE
    assert run_sql(database, "SELECT min(visits), max(visits) FROM t") == [(1, 1)]
    wrong = wesley("throttle", "--db", database, "--set", "speed=9", state=tmp_path)
    assert wrong.code == 2
    assert "there is no limit speed" in wrong.err


def test_a_busy_server_holds_the_run_until_it_is_calm(database: str, plan: Plan) -> None:
    """Two clients in the middle of a statement are too many here: nothing starts until they are gone."""
    limits = Knobs(active_degraded=1, active_open=1, calm_s=1)
    busy = [psycopg.connect(database, autocommit=True) for _ in range(3)]
    for connection in busy:
        connection.pgconn.send_query(b"SELECT pg_sleep(60)")
    until(lambda: run_sql(database, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' HAVING count(*) = 3"))
    run = start_run(database, plan, accept(plan), RunOptions(knobs=limits))
    until(lambda: EventType.GOVERNOR_CIRCUIT_OPEN in [event.type for event in ledger.events(database)])
    opened = last(database, EventType.GOVERNOR_CIRCUIT_OPEN)
    assert "active connections: 3, bound 1" in opened.message
    assert run.wait(0.5) is None
    assert "step.start" not in [event.type.value for event in ledger.events(database)]
    for connection in busy:
        connection.cancel_safe()
        connection.close()
    assert ended(run).status is RunStatus.COMPLETE
    kinds = [event.type.value for event in ledger.events(database) if event.type.value.startswith("governor")]
    assert kinds == ["governor.circuit_open", "governor.backpressure", "governor.recovered"]


def test_a_server_that_cannot_be_looked_at_holds_the_run(database: str) -> None:
    """Fails closed: the sampler's role may not connect any more, the other connections live."""
    run_sql(
        database,
        "DROP ROLE IF EXISTS runner",
        "CREATE ROLE runner LOGIN",
        f"GRANT CREATE ON DATABASE {psycopg.conninfo.conninfo_to_dict(database)['dbname']} TO runner",
        "GRANT CREATE ON SCHEMA public TO runner",
    )
    plan = make_plan([transactional("SELECT pg_sleep(0.3)", object=f"public.o{n}") for n in range(16)], database)
    limits = Knobs(blind_s=1, calm_s=1, workers=1)
    run = start_run(database.replace("postgres@", "runner@"), plan, accept(plan), RunOptions(knobs=limits))
    try:
        until(lambda: run_sql(database, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))
        run_sql(
            database,
            "ALTER ROLE runner CONNECTION LIMIT 0",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'wesley/governor'",
        )
        until(lambda: EventType.GOVERNOR_CIRCUIT_OPEN in [event.type for event in ledger.events(database)])
        assert "could not be looked at" in last(database, EventType.GOVERNOR_CIRCUIT_OPEN).message
        run_sql(database, "ALTER ROLE runner CONNECTION LIMIT -1")
        assert ended(run, 60).status is RunStatus.COMPLETE
        assert ledger.events(database)[-1].type is EventType.CERTIFICATE_ISSUED
    finally:
        run_sql(database, "ALTER ROLE runner CONNECTION LIMIT -1", "DROP OWNED BY runner CASCADE", "DROP ROLE runner")


def test_validation_waits_for_its_window(database: str, tmp_path: Path) -> None:
    """A window that is closed now by the server's clock; opened from another terminal, kept over a resume."""
    run_sql(database, "CREATE TABLE t (id int)")
    (today,) = run_sql(database, "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC' + interval '3 days', 'Dy')")[0]
    plan = make_plan(
        [
            transactional("ALTER TABLE t ADD c int", object="public.t"),
            transactional("ALTER TABLE t ADD CHECK (id > 0)", object="public.t", wave="VALIDATE"),
        ],
        database,
    )
    with pytest.raises(ExecutorError, match="knows no time zone"):
        start_run(database, plan, accept(plan), RunOptions(knobs=Knobs(window="daily 01:00-02:00 Mars/Base")))
    run = start_run(database, plan, accept(plan), RunOptions(knobs=Knobs(window=f"{today} 00:00-24:00 UTC")))
    until(lambda: "step.ok" in [event.type.value for event in ledger.events(database)])
    assert run.wait(0.5) is None
    assert "wait for" in last(database, EventType.GOVERNOR_CHANGED).message
    run.abort("the process ends")
    assert ended(run).status is RunStatus.CANCELLED
    resumed = resume_run(database)
    assert resumed.wait(0.7) is None
    opened = wesley("throttle", "--db", database, "--window", "daily 00:00-24:00 UTC", state=tmp_path)
    assert opened.code == 0, opened.err
    assert ended(resumed).status is RunStatus.COMPLETE
    wrong = wesley("resume", "--db", database, "--window", "when it rains", state=tmp_path)
    assert wrong.code == 2
    assert "is not a window" in wrong.err


def test_a_window_follows_the_clocks_of_its_zone(database: str) -> None:
    """As the server tells the time there, when summer time begins and ends."""
    instants = {
        # in Berlin clocks went from 02:00 to 03:00 on 31 March 2024 …
        "2024-03-31 00:59:59Z": False,
        "2024-03-31 01:00:00Z": True,
        "2024-03-31 02:59:59Z": True,
        "2024-03-31 03:00:00Z": False,
        # … and from 03:00 to 02:00 on 27 October: the hour from 02:00 to 03:00 came twice
        "2024-10-26 23:59:59Z": False,
        "2024-10-27 00:00:00Z": True,
        "2024-10-27 01:30:00Z": True,
        "2024-10-27 03:59:59Z": True,
        "2024-10-27 04:00:00Z": False,
    }
    window = Window.parse("Sun 02:00-05:00 Europe/Berlin")
    for instant, is_open in instants.items():
        ((local,),) = run_sql(database, f"SELECT timestamptz '{instant}' AT TIME ZONE '{window.zone}'")
        assert window.contains(local) is is_open, instant
