"""What a migration that waits for a lock does to everybody else: no client waits longer than one attempt."""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
import pytest

from tests.plans import accept, make_plan, transactional
from wesley_tui.executor import ledger
from wesley_tui.executor.engine import start_run
from wesley_tui.executor.events import EventType, RunStatus
from wesley_tui.executor.locks import in_the_way
from wesley_tui.executor.options import RunOptions
from wesley_tui.executor.retry import RetryPolicy
from wesley_tui.planner.plan import LockMode

_BOTH = {"public.a": LockMode.AccessExclusiveLock, "public.b": LockMode.AccessExclusiveLock}
_SLACK_MS = 150
"""Two cores that others use too."""


def run_sql(uri: str, *statements: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(uri, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


class Client(threading.Thread):
    """Reads a table again and again, and knows its longest wait."""

    def __init__(self, uri: str, query: str) -> None:
        super().__init__()
        self.uri, self.query = uri, query
        self.over = threading.Event()
        self.longest_ms = 0.0
        self.errors: list[str] = []

    def run(self) -> None:
        with psycopg.connect(self.uri, autocommit=True) as connection:
            while not self.over.wait(0.002):
                begun = time.perf_counter()
                try:
                    connection.execute(self.query.encode())
                except psycopg.Error as error:
                    self.errors.append(str(error))
                self.longest_ms = max(self.longest_ms, (time.perf_counter() - begun) * 1000)


@pytest.mark.parametrize(("ceiling", "holds"), [(150, 1.5), (400, 2.0)])
def test_no_client_waits_longer_than_one_attempt(database: str, ceiling: int, holds: float) -> None:
    run_sql(database, "CREATE TABLE a (id int)", "INSERT INTO a VALUES (1)")
    plan = make_plan([transactional("ALTER TABLE a ADD c int", object="public.a", lock_timeout_ms=ceiling)], database)
    client = Client(database, "SELECT count(*) FROM a")
    with psycopg.connect(database) as pin:
        pin.execute("SELECT count(*) FROM a")
        client.start()
        begun = time.monotonic()
        run = start_run(database, plan, accept(plan), RunOptions(seed=1))
        while time.monotonic() - begun < holds:
            assert run.wait(0.05) is None
    outcome = run.wait(30)
    client.over.set()
    client.join()
    assert outcome is not None
    assert outcome.status is RunStatus.COMPLETE, outcome.message
    assert client.errors == []
    timeouts = [event for event in ledger.events(database) if event.type is EventType.LOCK_TIMEOUT]
    assert [event.metrics["lock_timeout_ms"] for event in timeouts[:2]] == [100, min(200, ceiling)]
    assert max(event.metrics["lock_timeout_ms"] for event in timeouts) <= ceiling
    assert 50 < client.longest_ms <= ceiling + _SLACK_MS


def test_several_locks_are_waited_for_within_one_attempt(database: str) -> None:
    """A table that is free and one that is not: the first is not held while the second is waited for any longer."""
    run_sql(database, "CREATE TABLE a (id int)", "CREATE TABLE b (id int)")
    plan = make_plan(
        [
            transactional(
                "ALTER TABLE b ADD c int", "ALTER TABLE a ADD c int",
                object="public.a", locks=_BOTH, lock_timeout_ms=300,
            )
        ],
        database,
    )  # fmt: skip
    options = RunOptions(retry=RetryPolicy(budget_s=20, first_lock_timeout_ms=300, longest_pause_s=0.1), seed=1)
    client = Client(database, "SELECT count(*) FROM a")
    with psycopg.connect(database) as pin:
        pin.execute("SELECT count(*) FROM b")
        client.start()
        run = start_run(database, plan, accept(plan), options)
        deadline = time.monotonic() + 15
        while EventType.LOCK_TIMEOUT not in [event.type for event in ledger.events(database)]:
            assert time.monotonic() < deadline
        told = run_sql(database, "SELECT count(*) FROM wesley.migration_ledger WHERE sqlstate = '55P03'")
    outcome = run.wait(30)
    client.over.set()
    client.join()
    assert outcome is not None
    assert outcome.status is RunStatus.COMPLETE, outcome.message
    assert told[0][0] >= 1
    assert client.longest_ms <= 300 + _SLACK_MS


def test_two_opposite_orders_do_not_deadlock(database: str) -> None:
    """An application that locks a, then b; the step names b first."""
    run_sql(database, "CREATE TABLE a (id int)", "CREATE TABLE b (id int)")
    plan = make_plan(
        [
            transactional(
                f"ALTER TABLE b ADD c{n} int", f"ALTER TABLE a ADD c{n} int", object=f"public.o{n}", locks=_BOTH
            )
            for n in range(40)
        ],
        database,
    )
    over = threading.Event()
    errors: list[str] = []

    def application() -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            while not over.is_set():
                try:
                    with connection.transaction():
                        connection.execute("LOCK TABLE a IN ROW EXCLUSIVE MODE")
                        connection.execute("LOCK TABLE b IN ROW EXCLUSIVE MODE")
                except psycopg.Error as error:
                    errors.append(str(error))

    thread = threading.Thread(target=application)
    thread.start()
    patient = RunOptions(retry=RetryPolicy(first_lock_timeout_ms=900), seed=1)
    outcome = start_run(database, plan, accept(plan), patient).wait(60)
    over.set()
    thread.join()
    assert outcome is not None
    assert outcome.status is RunStatus.COMPLETE, outcome.message
    assert errors == []
    assert EventType.LOCK_TIMEOUT not in [event.type for event in ledger.events(database)], "they waited for each other"


def test_a_table_that_may_not_be_locked_is_left_to_the_statement(database: str) -> None:
    """REFERENCES is enough for a foreign key; LOCK TABLE would ask for more."""
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    run_sql(
        database, "DROP ROLE IF EXISTS modest", "CREATE ROLE modest LOGIN",
        f"GRANT CREATE ON DATABASE {name} TO modest", "CREATE TABLE b (id int PRIMARY KEY)",
        "GRANT REFERENCES, SELECT ON b TO modest", "CREATE TABLE a (id int)", "ALTER TABLE a OWNER TO modest",
        "GRANT CREATE ON SCHEMA public TO modest",
    )  # fmt: skip
    try:
        locks = {"public.a": LockMode.ShareRowExclusiveLock, "public.b": LockMode.ShareRowExclusiveLock}
        step = transactional(
            "ALTER TABLE a ADD FOREIGN KEY (id) REFERENCES b NOT VALID", object="public.a", locks=locks
        )
        plan = make_plan([step], database)
        outcome = start_run(database.replace("postgres@", "modest@"), plan, accept(plan)).wait(30)
        assert outcome is not None
        assert outcome.status is RunStatus.COMPLETE, outcome.message
    finally:
        run_sql(database, "DROP OWNED BY modest CASCADE", "DROP ROLE modest")


def test_what_a_lock_waits_for_is_what_the_server_says(database: str) -> None:
    """Every pair of modes, against a server that refuses at once."""
    run_sql(database, "CREATE TABLE a (id int)")

    def words(lock: LockMode) -> str:
        return "".join(" " + c if c.isupper() else c for c in lock.name.removesuffix("Lock")).upper()

    with psycopg.connect(database) as holder, psycopg.connect(database) as other:
        for mode in LockMode:
            (_, step) = transactional("SELECT 1", object="public.a", locks={"public.a": mode})
            refused = set()
            for held in LockMode:
                holder.execute(f"LOCK TABLE a IN{words(held)} MODE".encode())
                try:
                    other.execute(f"LOCK TABLE a IN{words(mode)} MODE NOWAIT".encode())
                except psycopg.errors.LockNotAvailable:
                    refused.add(held.name)
                holder.rollback()
                other.rollback()
            assert {held for name, held in in_the_way(step) if name == "public.a"} == refused


def test_a_blocker_is_named_though_nobody_looked_in_time(database: str) -> None:
    """An attempt of a few milliseconds is over before the watch looks."""
    run_sql(database, "CREATE TABLE a (id int)")
    plan = make_plan([transactional("ALTER TABLE a ADD c int", object="public.a", lock_timeout_ms=5)], database)
    options = RunOptions(retry=RetryPolicy(budget_s=0.2, first_pause_s=0.05, longest_pause_s=0.05), seed=1)
    with psycopg.connect(database, application_name="nightly report") as reader:
        reader.execute("SELECT count(*) FROM a")
        outcome = start_run(database, plan, accept(plan), options).wait(30)
    assert outcome is not None
    assert outcome.sqlstate == "55P03"
    for event in ledger.events(database):
        if event.type is EventType.LOCK_TIMEOUT:
            assert [blocker["application"] for blocker in event.metrics["blockers"]] == ["nightly report"]
