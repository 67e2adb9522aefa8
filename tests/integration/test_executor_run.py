"""Runs on real servers: what they do, what they skip, what stops them, and what they say about it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce as fold
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from tests.plans import accept, autocommit, backfill, check, concurrent_index, make_plan, transactional
from wesley_tui.executor import ledger
from wesley_tui.executor.engine import resume_run, start_run
from wesley_tui.executor.errors import LockNotAcquired, RecoveryNeeded
from wesley_tui.executor.events import Event, EventType, RunState, RunStatus, StepStatus, reduce
from wesley_tui.executor.governor import Knobs
from wesley_tui.executor.locks import WORKER_LOCK
from wesley_tui.executor.options import RunOptions
from wesley_tui.executor.retry import RetryPolicy
from wesley_tui.executor.run import Run, RunOutcome
from wesley_tui.planner.plan import LockMode, Plan

_QUICK = RunOptions(
    lock_patience_s=0.0, retry=RetryPolicy(budget_s=10.0, first_lock_timeout_ms=200, longest_pause_s=0.1), seed=1
)


@contextmanager
def connected(uri: str) -> Iterator[Connection[Any]]:
    with psycopg.connect(uri, autocommit=True) as connection:
        yield connection


def run_sql(uri: str, *statements: str) -> None:
    with connected(uri) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def rows(uri: str, query: str) -> list[tuple[Any, ...]]:
    with connected(uri) as connection:
        return connection.execute(query.encode()).fetchall()


def ended(run: Run, timeout: float = 30) -> RunOutcome:
    outcome = run.wait(timeout)
    assert outcome is not None, f"still running: {run.drain().state}"
    return outcome


def execute(uri: str, plan: Plan, options: RunOptions = _QUICK, *, contract: bool = False) -> RunOutcome:
    return ended(start_run(uri, plan, accept(plan, contract=contract), options))


def until(happened: Callable[[], object], timeout: float = 15) -> None:
    """Poll an observable state; fails when it is not reached."""
    end = time.monotonic() + timeout
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def kinds(events: list[Event]) -> list[str]:
    return [event.type.value for event in events]


def fill(uri: str, count: int = 3000) -> None:
    run_sql(
        uri,
        "CREATE TABLE public.t (id bigint PRIMARY KEY, a int, b int, marker int NOT NULL DEFAULT 0)",
        f"INSERT INTO public.t SELECT g, g FROM generate_series(1, {count}) g",
    )


def whole_plan(uri: str) -> Plan:
    return make_plan(
        [
            transactional(
                "CREATE TABLE public.u (id int PRIMARY KEY)",
                "COMMENT ON TABLE public.u IS 'it''s new'",
                object="public.u",
                prechecks=(check("SELECT to_regclass('public.u') IS NULL"),),
                postchecks=(check("SELECT to_regclass('public.u') IS NOT NULL"),),
            ),
            concurrent_index("public.t", "a"),
            backfill("public.t", "id", "b = a, marker = marker + 1", "t.b IS NULL"),
            transactional(
                "ALTER TABLE public.t ADD CONSTRAINT b_set CHECK (b IS NOT NULL)", object="public.t", wave="VALIDATE"
            ),
            transactional("ALTER TABLE public.t DROP COLUMN a", object="public.t", wave="CONTRACT"),
        ],
        uri,
    )


def test_a_whole_plan_on_every_version(any_database: str) -> None:
    fill(any_database)
    plan = whole_plan(any_database)
    run = start_run(any_database, plan, accept(plan), _QUICK)
    outcome = ended(run)
    assert (outcome.status, outcome.exit_code, outcome.message) == (RunStatus.CONTRACT_PENDING, 0, "")
    assert rows(any_database, "SELECT count(*), min(marker), max(marker) FROM t WHERE b = a") == [(3000, 1, 1)]
    update = run.drain()
    assert update.dropped == 0
    assert kinds(list(update.events)) == kinds(ledger.events(any_database, run.run_id))
    names = [name for name in kinds(list(update.events)) if name != "backfill.progress"]
    assert names[:3] == ["plan.accepted", "lock.acquired", "wave.start"]
    assert names[-4:] == ["wave.complete", "plan.complete", "lock.released", "certificate.issued"]
    assert names.count("step.start") == names.count("step.ok") == 4
    assert update.state == ledger.run_state(any_database, run.run_id)
    assert ledger.verify(any_database) == []

    again = ended(resume_run(any_database, RunOptions(token=accept(plan, contract=True))))
    assert (again.status, again.run_id) == (RunStatus.COMPLETE, outcome.run_id)
    state = ledger.run_state(any_database, run.run_id)
    assert {step.status for step in state.steps.values()} == {StepStatus.SUCCEEDED}
    assert rows(
        any_database,
        "SELECT count(*), count(DISTINCT step_sha) FROM wesley.migration_ledger WHERE status = 'succeeded'",
    ) == [(5, 5)]
    (summary,) = ledger.history(any_database)
    assert (summary.status, summary.steps, summary.succeeded, summary.owned) == (RunStatus.COMPLETE, 5, 5, False)


def test_what_was_applied_is_skipped(database: str) -> None:
    plan = make_plan([transactional("CREATE TABLE a (id int)"), transactional("CREATE TABLE b (id int)")], database)
    assert execute(database, plan).status is RunStatus.COMPLETE
    run = start_run(database, plan, accept(plan), _QUICK)
    assert ended(run).status is RunStatus.COMPLETE
    assert kinds(list(run.drain().events)) == [
        *("plan.accepted", "lock.acquired", "step.skip", "step.skip", "plan.complete", "lock.released"),
        "certificate.issued",
    ]


def test_an_empty_plan_completes(database: str) -> None:
    assert execute(database, make_plan([], database)).status is RunStatus.COMPLETE


def test_a_refused_statement_stops_the_run_and_can_be_resumed(database: str) -> None:
    plan = make_plan(
        [
            transactional("CREATE TABLE a (id int)", object="public.a"),
            transactional("CREATE TABLE half (id int)", "ALTER TABLE later ADD x int", object="public.later"),
            transactional("CREATE TABLE c (id int)", object="public.later"),
        ],
        database,
    )
    outcome = execute(database, plan)
    assert (outcome.status, outcome.sqlstate, outcome.exit_code) == (RunStatus.FAILED, "42P01", 1)
    assert 'relation "later" does not exist' in outcome.message
    assert outcome.failed_step == list(plan.steps)[1].step_sha
    assert rows(database, "SELECT to_regclass('a') IS NULL, to_regclass('half') IS NULL, to_regclass('c') IS NULL") == [
        (False, True, True)
    ]
    assert kinds(ledger.events(database)).count("step.retry") == 0
    run_sql(database, "CREATE TABLE later (id int)")
    assert ended(resume_run(database, _QUICK)).status is RunStatus.COMPLETE
    assert rows(database, "SELECT attempt FROM wesley.migration_ledger WHERE ordinal = 2 AND status = 'succeeded'") == [
        (2,)
    ]
    assert ledger.verify(database) == []


@pytest.mark.parametrize("kind", ["prechecks", "postchecks"])
@pytest.mark.parametrize("make", [transactional, autocommit])
def test_a_check_that_does_not_hold_stops_the_run(database: str, kind: str, make: Any) -> None:
    checks = {kind: (check("SELECT true"), check("SELECT NULL::boolean", "the moon is not full"))}
    plan = make_plan([make("CREATE TABLE a (id int)", **checks)], database)
    outcome = execute(database, plan)
    assert (outcome.status, outcome.exit_code) == (RunStatus.FAILED, 6)
    assert "the moon is not full" in outcome.message
    exists = rows(database, "SELECT to_regclass('a') IS NOT NULL")[0][0]
    assert exists == (make is autocommit and kind == "postchecks")


def test_a_lock_is_tried_in_short_attempts_and_the_blocker_is_named(database: str) -> None:
    fill(database, 10)
    plan = make_plan([transactional("ALTER TABLE t ADD c int", object="public.t")], database)
    with connected(database) as reader:
        reader.execute("SET application_name = 'nightly report'")
        with reader.transaction():
            reader.execute("SELECT count(*) FROM t")
            run = start_run(database, plan, accept(plan), _QUICK)
            until(lambda: EventType.LOCK_TIMEOUT in [e.type for e in ledger.events(database)])
    assert ended(run).status is RunStatus.COMPLETE
    timeout = next(event for event in ledger.events(database) if event.type is EventType.LOCK_TIMEOUT)
    assert "nightly report" in timeout.message
    assert "SELECT count(*) FROM t" in timeout.message
    assert timeout.metrics["sqlstate"] == "55P03"
    assert timeout.metrics["lock_timeout_ms"] == 200
    assert timeout.metrics["blockers"][0]["pid"] > 0


def test_a_lock_that_never_comes_ends_the_run_within_the_budget(database: str) -> None:
    fill(database, 10)
    plan = make_plan([transactional("ALTER TABLE t ADD c int", object="public.t")], database)
    options = RunOptions(retry=RetryPolicy(budget_s=0.5, first_lock_timeout_ms=100, longest_pause_s=0.05))
    with connected(database) as reader, reader.transaction():
        reader.execute("SELECT count(*) FROM t")
        outcome = execute(database, plan, options)
    assert (outcome.status, outcome.sqlstate) == (RunStatus.FAILED, "55P03")
    assert "SELECT count(*) FROM t" in outcome.message


def test_no_statement_waits_longer_than_its_statement_timeout(database: str) -> None:
    plan = make_plan([transactional("SELECT pg_sleep(30)", statement_timeout_ms=300)], database)
    outcome = execute(database, plan)
    assert (outcome.status, outcome.sqlstate) == (RunStatus.FAILED, "57014")
    assert kinds(ledger.events(database)).count("step.retry") == 0


def test_a_unique_index_over_duplicates_leaves_nothing_behind(database: str) -> None:
    fill(database, 10)
    run_sql(database, "UPDATE t SET a = 7")
    outcome = execute(database, make_plan([concurrent_index("public.t", "a", unique=True)], database))
    assert (outcome.status, outcome.sqlstate) == (RunStatus.FAILED, "23505")
    assert "Key (a)=(7) is duplicated" in outcome.message
    assert rows(database, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    run_sql(database, "INSERT INTO t (id, a) VALUES (11, 7)")


@pytest.mark.parametrize("unique", [False, True])
def test_an_invalid_index_of_a_cancelled_build_is_replaced(any_database: str, unique: bool) -> None:
    fill(any_database, 10)
    run_sql(any_database, "INSERT INTO t (id, a) VALUES (11, 10)")
    with connected(any_database) as connection, pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute("CREATE UNIQUE INDEX CONCURRENTLY t_a_idx ON t (a)")
    run_sql(any_database, "DELETE FROM t WHERE id = 11")
    plan = make_plan([concurrent_index("public.t", "a", unique=unique)], any_database)
    assert execute(any_database, plan).status is RunStatus.COMPLETE
    assert rows(
        any_database, "SELECT indisvalid, indisunique FROM pg_index WHERE indexrelid = 't_a_idx'::regclass"
    ) == [(True, unique)]


def test_an_index_build_waits_for_an_old_snapshot_and_says_so(database: str) -> None:
    fill(database, 10)
    plan = make_plan([concurrent_index("public.t", "a", lock_timeout_ms=100)], database)
    with connected(database) as old:
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        old.execute("SELECT 'a nightly dump'")
        run = start_run(database, plan, accept(plan), _QUICK)
        until(lambda: "lock.timeout" in kinds(ledger.events(database)))
        assert run.wait(0) is None
    assert ended(run).status is RunStatus.COMPLETE
    (told,) = [event for event in ledger.events(database) if event.type is EventType.LOCK_TIMEOUT]
    assert told.message.startswith("is waiting for pid ")
    assert "a nightly dump" in told.message
    assert told.metrics["waiting"] is True
    assert ledger.run_state(database, run.run_id).step(plan.waves[0].steps[0].step_sha).attempt == 1


def test_only_sessions_of_a_dead_run_are_ended(database: str) -> None:
    plan = make_plan([transactional("CREATE TABLE a (id int)")], database)
    assert execute(database, plan).status is RunStatus.COMPLETE
    run_sql(database, "UPDATE wesley.migration_runs SET status = 'running', finished_at = NULL")
    with connected(f"{database}&application_name=wesley%2Fread") as reader, connected(database) as orphan:
        orphan.execute("SELECT pg_advisory_lock_shared(%s)", (WORKER_LOCK,))
        assert ended(resume_run(database, RunOptions(orphan_patience_s=0.2))).status is RunStatus.COMPLETE
        assert reader.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError):
            orphan.execute("SELECT 1")


def test_pause_starts_nothing_new_and_resume_goes_on(database: str) -> None:
    fill(database, 4000)
    plan = make_plan(
        [
            backfill(
                "public.t", "id", "b = a, marker = marker + 1", "t.b IS NULL", batch_rows=50, rows_per_second=2000
            ),
            transactional("CREATE TABLE after (id int)", object="public.t", wave="VALIDATE"),
        ],
        database,
    )
    run = start_run(database, plan, accept(plan), _QUICK)
    until(lambda: EventType.BACKFILL_PROGRESS in [e.type for e in ledger.events(database)])
    run.pause()
    until(lambda: ledger.run_state(database, run.run_id).status is RunStatus.PAUSED)
    assert rows(database, "SELECT status FROM wesley.migration_runs") == [("paused",)]
    held = rows(database, "SELECT visited FROM wesley.migration_checkpoints")
    assert run.wait(0.3) is None
    assert rows(database, "SELECT visited FROM wesley.migration_checkpoints") == held
    assert held[0][0] < 4000
    run.resume()
    assert ended(run).status is RunStatus.COMPLETE
    assert rows(database, "SELECT min(marker), max(marker) FROM t") == [(1, 1)]


@pytest.mark.parametrize("make", [transactional, autocommit])
def test_abort_cancels_the_statement_in_the_server(database: str, make: Any) -> None:
    plan = make_plan([make("SELECT pg_sleep(60)", locks={"public.t": LockMode.AccessShareLock})], database)
    run = start_run(database, plan, accept(plan), _QUICK)
    until(lambda: rows(database, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))
    begun = time.monotonic()
    run.abort("the phone rang")
    outcome = ended(run)
    assert time.monotonic() - begun < 5
    assert (outcome.status, outcome.exit_code, outcome.message) == (RunStatus.CANCELLED, 9, "the phone rang")
    assert ledger.run_state(database, run.run_id).status is RunStatus.CANCELLED
    until(lambda: not rows(database, "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'wesley/%'"))


def test_an_aborted_index_build_leaves_no_index_that_rejects_rows(database: str) -> None:
    fill(database, 10)
    plan = make_plan([concurrent_index("public.t", "a", unique=True)], database)
    with connected(database) as old:
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        old.execute("SELECT 1")
        run = start_run(database, plan, accept(plan), _QUICK)
        until(lambda: rows(database, "SELECT 1 FROM pg_stat_progress_create_index WHERE phase LIKE '%old snapshots'"))
        run.abort("enough")
        assert ended(run).status is RunStatus.CANCELLED
        assert rows(database, "SELECT count(*) FROM pg_class WHERE relname = 't_a_idx'") == [(0,)]
    assert ended(resume_run(database, _QUICK)).status is RunStatus.COMPLETE


def test_the_control_connection_may_be_lost(database: str) -> None:
    plan = make_plan([transactional("SELECT pg_sleep(0.4)", object=f"public.o{n}") for n in range(3)], database)
    run = start_run(database, plan, accept(plan), RunOptions(knobs=Knobs(workers=1)))
    for _ in range(2):
        until(lambda: rows(database, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))
        run_sql(
            database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'wesley/control'"
        )
    assert ended(run).status is RunStatus.COMPLETE
    assert ledger.verify(database) == []


def test_without_the_run_lock_no_further_step_starts(database: str) -> None:
    plan = make_plan([transactional("SELECT pg_sleep(1.5)"), transactional("CREATE TABLE never (id int)")], database)
    run = start_run(database, plan, accept(plan), _QUICK)
    run_sql(database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'wesley/lock'")
    outcome = ended(run)
    assert (outcome.status, outcome.exit_code) == (RunStatus.FAILED, 10)
    assert "lock.lost" in kinds(ledger.events(database))
    assert rows(database, "SELECT to_regclass('never') IS NULL") == [(True,)]
    assert ended(resume_run(database, _QUICK)).status is RunStatus.COMPLETE


def test_a_paused_run_can_be_aborted(database: str) -> None:
    plan = make_plan([transactional("SELECT pg_sleep(0.3)"), transactional("CREATE TABLE never (id int)")], database)
    run = start_run(database, plan, accept(plan), _QUICK)
    run.pause()
    until(lambda: ledger.run_state(database, run.run_id).status is RunStatus.PAUSED)
    run.abort("enough")
    assert ended(run).status is RunStatus.CANCELLED
    assert rows(database, "SELECT to_regclass('never') IS NULL") == [(True,)]
    assert ended(resume_run(database, _QUICK)).status is RunStatus.COMPLETE


def test_of_two_runs_at_once_one_is_refused(database: str) -> None:
    plans = [
        make_plan([transactional(f"CREATE TABLE t{n} (id int)", "SELECT pg_sleep(0.5)")], database) for n in (1, 2)
    ]
    barrier = threading.Barrier(2)
    results: list[object] = []

    def race(plan: Plan) -> None:
        barrier.wait()
        try:
            results.append(execute(database, plan).status)
        except LockNotAcquired as error:
            results.append(error)

    threads = [threading.Thread(target=race, args=(plan,)) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [result for result in results if isinstance(result, LockNotAcquired)]
    assert len(refused) == 1
    assert RunStatus.COMPLETE in results
    assert refused[0].exit_code == 5
    assert rows(database, "SELECT count(*) FROM wesley.migration_ledger WHERE status = 'succeeded'") == [(1,)]


def test_a_run_that_nobody_looks_at_finishes_and_its_state_is_current(database: str) -> None:
    plan = make_plan([transactional("SELECT 1", object=f"public.o{n}") for n in range(1100)], database)
    run = start_run(database, plan, accept(plan), _QUICK)
    assert ended(run, 60).status is RunStatus.COMPLETE
    update = run.drain()
    stored = ledger.events(database)
    assert update.dropped + len(update.events) == len(stored)
    assert len(update.events) == 2000
    assert update.events == tuple(stored[-2000:])
    assert update.state == fold(reduce, stored, RunState())


def test_steps_of_different_tables_run_side_by_side_and_those_of_one_table_do_not(database: str) -> None:
    meet = "SELECT pg_advisory_lock_shared({0}), pg_sleep(0.4), pg_advisory_unlock_shared({0})"
    plan = make_plan([autocommit(meet.format(table), object=f"public.t{table}") for table in (1, 2, 3, 1)], database)
    run = start_run(database, plan, accept(plan), _QUICK)
    together = set()
    while run.wait(0) is None:
        found = rows(
            database,
            "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND granted AND mode = 'ShareLock' AND objid < 9",
        )
        together.add(tuple(sorted(int(row[0]) for row in found)))
    assert (1, 2, 3) in together
    assert not any(numbers.count(1) > 1 for numbers in together)


def test_a_run_whose_process_vanished_must_be_recovered_first(database: str) -> None:
    plan = make_plan([transactional("CREATE TABLE a (id int)")], database)
    assert execute(database, plan).status is RunStatus.COMPLETE
    run_sql(database, "UPDATE wesley.migration_runs SET status = 'running', finished_at = NULL")
    other = make_plan([transactional("CREATE TABLE b (id int)")], database)
    with pytest.raises(RecoveryNeeded, match="wesley resume"):
        start_run(database, other, accept(other), _QUICK)
    assert ledger.history(database)[0].recovery_needed
    assert ended(resume_run(database, _QUICK)).status is RunStatus.COMPLETE
    assert execute(database, other).status is RunStatus.COMPLETE
