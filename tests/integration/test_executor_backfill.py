"""Backfills beside clients that write, lock and fail."""

from __future__ import annotations

import time
from typing import Any

import psycopg
import pytest

from tests.plans import accept, backfill, check, make_plan, transactional
from wesley_tui.executor import ledger
from wesley_tui.executor.engine import start_run
from wesley_tui.executor.events import EventType, RunStatus
from wesley_tui.executor.governor import Knobs
from wesley_tui.executor.options import RunOptions
from wesley_tui.executor.retry import RetryPolicy
from wesley_tui.executor.run import RunOutcome
from wesley_tui.executor.worker import Worker
from wesley_tui.planner.plan import Plan

_QUICK = RunOptions(retry=RetryPolicy(budget_s=10.0, first_lock_timeout_ms=200, longest_pause_s=0.05), seed=1)


def run_sql(uri: str, *statements: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(uri, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def execute(uri: str, plan: Plan, options: RunOptions = _QUICK) -> RunOutcome:
    outcome = start_run(uri, plan, accept(plan), options).wait(60)
    assert outcome is not None
    return outcome


@pytest.fixture
def table(database: str) -> str:
    """A database with 1,000 rows to fill."""
    run_sql(
        database,
        "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int, visits int NOT NULL DEFAULT 0)",
        "INSERT INTO t SELECT g, g FROM generate_series(1, 1000) g",
    )
    return database


def fill(**choices: Any) -> Any:
    return backfill("public.t", "id", "b = a, visits = visits + 1", "t.b IS NULL", **choices)


def test_an_empty_table(database: str) -> None:
    run_sql(database, "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int, visits int)")
    assert execute(database, make_plan([fill()], database)).status is RunStatus.COMPLETE


def test_the_rate_holds(table: str) -> None:
    """Within 5 %, by the server's clock, between the first progress that is told and the last."""
    begun = time.monotonic()
    assert execute(table, make_plan([fill(rows_per_second=400)], table)).status is RunStatus.COMPLETE
    took = time.monotonic() - begun
    told = [event for event in ledger.events(table) if event.type is EventType.BACKFILL_PROGRESS]
    first, last = told[0], told[-1]
    rows = last.metrics["rows_done"] - first.metrics["rows_done"]
    assert 0.95 < rows / (last.time - first.time).total_seconds() / 400 < 1.05
    assert len(told) <= 5 * took
    assert run_sql(table, "SELECT min(visits), max(visits) FROM t") == [(1, 1)]


def test_rows_that_appear_behind_the_cursor_get_another_pass(table: str) -> None:
    plan = make_plan([fill(rows_per_second=1500)], table)
    run = start_run(table, plan, accept(plan), _QUICK)
    while not run_sql(table, "SELECT 1 FROM wesley.migration_checkpoints WHERE batches > 0"):
        assert run.wait(0) is None
    run_sql(table, "INSERT INTO t (id, a) VALUES (-5, 7)")
    outcome = run.wait(30)
    assert outcome is not None
    assert outcome.status is RunStatus.COMPLETE, outcome.message
    assert run_sql(table, "SELECT count(*), min(visits), max(visits) FROM t WHERE b = a") == [(1001, 1, 1)]
    assert run_sql(table, "SELECT pass FROM wesley.migration_checkpoints") == [(2,)]


def test_rows_that_no_pass_repairs_are_an_error_and_not_a_loop(table: str) -> None:
    outcome = execute(table, make_plan([fill(visit="t.id > 10")], table))
    assert (outcome.status, outcome.sqlstate, outcome.exit_code) == (RunStatus.FAILED, "WE003", 6)
    assert "10 rows are still to do" in outcome.message


@pytest.mark.parametrize("sqlstate", ["40P01", "40001", "55P03"])
def test_a_batch_that_loses_against_a_client_is_tried_again_and_smaller(table: str, sqlstate: str) -> None:
    run_sql(
        table,
        "CREATE SEQUENCE attempts",
        f"""CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('attempts') IN (150, 151, 400) THEN RAISE 'lost' USING ERRCODE = '{sqlstate}'; END IF;
            RETURN NEW; END $$""",
        "CREATE TRIGGER lose BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION lose()",
    )
    outcome = execute(table, make_plan([fill(batch_rows=100)], table))
    assert outcome.status is RunStatus.COMPLETE, outcome.message
    assert run_sql(table, "SELECT min(visits), max(visits) FROM t") == [(1, 1)]
    kinds = [event.type.value for event in ledger.events(table)]
    assert kinds.count("lock.timeout" if sqlstate == "55P03" else "step.retry") == 3
    assert kinds.count("step.ok") == 1


def test_prechecks_hold_only_before_the_first_batch(table: str) -> None:
    first = check("SELECT NOT EXISTS (SELECT FROM public.t WHERE b IS NOT NULL)", "somebody has begun already")
    assert execute(table, make_plan([fill(prechecks=(first,), batch_rows=50)], table)).status is RunStatus.COMPLETE
    run_sql(table, "UPDATE t SET b = NULL WHERE id > 1")
    outcome = execute(table, make_plan([fill(prechecks=(first,), batch_rows=51)], table))
    assert outcome.sqlstate == "WE002"


def test_rows_that_a_policy_hides_are_not_forgotten(table: str) -> None:
    """The policy comes with the plan itself, so that nothing can be told beforehand."""
    run_sql(
        table,
        "DROP ROLE IF EXISTS filler",
        "CREATE ROLE filler LOGIN",
        "ALTER TABLE t OWNER TO filler",
        "CREATE POLICY half ON t USING (id % 2 = 0)",
        f"GRANT CREATE ON DATABASE {psycopg.conninfo.conninfo_to_dict(table)['dbname']} TO filler",
    )
    hide = transactional(
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY", "ALTER TABLE t FORCE ROW LEVEL SECURITY", object="public.t"
    )
    outcome = execute(table.replace("postgres@", "filler@"), make_plan([hide, fill()], table))
    run_sql(table, "DROP OWNED BY filler CASCADE", "DROP ROLE filler")
    assert (outcome.status, outcome.sqlstate) == (RunStatus.FAILED, "42501")
    assert "row-level security" in outcome.message


def test_a_prepared_transaction_that_holds_the_lock_is_named(any_database: str) -> None:
    run_sql(any_database, "CREATE TABLE t (id int)", "INSERT INTO t VALUES (1)")
    with psycopg.connect(any_database, autocommit=True) as connection:
        connection.execute("BEGIN")
        connection.execute("UPDATE t SET id = 2")
        connection.execute("PREPARE TRANSACTION 'forgotten at noon'")
    plan = make_plan([transactional("ALTER TABLE t ADD c int", object="public.t")], any_database)
    options = RunOptions(retry=RetryPolicy(budget_s=0.6, first_lock_timeout_ms=300, longest_pause_s=0.05))
    outcome = execute(any_database, plan, options)
    run_sql(any_database, "ROLLBACK PREPARED 'forgotten at noon'")
    assert (outcome.status, outcome.sqlstate) == (RunStatus.FAILED, "55P03")
    assert "prepared transaction forgotten at noon of postgres" in outcome.message


@pytest.mark.parametrize("first", [-5, 2_147_483_640, 9_223_372_036_854_775_000])
def test_keys_of_any_size(database: str, first: int) -> None:
    """Below zero, beyond what an integer holds, near the end of bigint."""
    run_sql(
        database,
        "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, b int, visits int DEFAULT 0)",
        "INSERT INTO t (id, a) OVERRIDING SYSTEM VALUE"
        f" SELECT {first}::bigint + g * 3, g FROM generate_series(1, 200) g",
    )
    assert execute(database, make_plan([fill(batch_rows=17)], database)).status is RunStatus.COMPLETE
    assert run_sql(database, "SELECT count(*), min(visits), max(visits) FROM t WHERE b = a") == [(200, 1, 1)]


def test_a_partitioned_table(database: str) -> None:
    run_sql(
        database,
        "CREATE TABLE t (id bigint, a int, b int, visits int DEFAULT 0) PARTITION BY RANGE (id)",
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100)",
        "CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (100) TO (200)",
        "CREATE TABLE t_rest PARTITION OF t DEFAULT",
        "ALTER TABLE t ADD PRIMARY KEY (id)",
        "INSERT INTO t (id, a) SELECT g, g FROM generate_series(1, 300) g",
    )
    assert execute(database, make_plan([fill(batch_rows=17)], database)).status is RunStatus.COMPLETE
    assert run_sql(database, "SELECT count(*), min(visits), max(visits) FROM t WHERE b = a") == [(300, 1, 1)]


def test_several_batches_of_one_call_and_sessions_that_are_ended_in_between(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every row once, also where the server goes from batch to batch by itself."""
    run_sql(
        database,
        "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int, visits int NOT NULL DEFAULT 0)",
        "INSERT INTO t SELECT g, g FROM generate_series(1, 100000) g",
    )
    calls: list[str] = []
    right_ask = Worker.ask

    async def ask(self: Worker, statement: str, **options: Any) -> Any:
        calls.append(statement.split("(")[0])
        return await right_ask(self, statement, **options)

    monkeypatch.setattr(Worker, "ask", ask)
    plan = make_plan([fill(batch_rows=50)], database)
    run = start_run(database, plan, accept(plan), RunOptions(seed=1, knobs=Knobs(batch_ms=1, busy_batch_ms=1)))
    ended = 0
    while run.wait(0.15) is None:
        if ended < 4:
            ended += len(
                run_sql(
                    database,
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name LIKE 'wesley/%/1' AND query LIKE 'CALL wesley.backfill_batches%'",
                )
            )
    outcome = run.wait()
    assert outcome is not None
    assert outcome.status is RunStatus.COMPLETE, outcome.message
    assert ended
    assert calls.count("CALL wesley.backfill_batches") > 1
    batches, visited = run_sql(database, "SELECT batches, visited FROM wesley.migration_checkpoints")[0]
    assert batches > 2 * len(calls)
    assert visited == 100_000
    assert run_sql(database, "SELECT min(visits), max(visits) FROM t") == [(1, 1)]
    assert ledger.verify(database) == []
