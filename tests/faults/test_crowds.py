"""Crowded tables: many readers, opposite orders, a vacuum that may not be stopped. Nobody waits for us longer than one
attempt takes, and we give up rather than insist."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.conftest import FAST
from tests.faults.servers import own_server, until
from tests.faults.test_network import ended, run_sql
from tests.integration.test_executor_locks import Client
from tests.plans import accept, make_plan, transactional
from wesley_tui.executor import ledger
from wesley_tui.executor.engine import resume_run, start_run
from wesley_tui.executor.events import EventType, RunStatus
from wesley_tui.executor.governor import Knobs
from wesley_tui.executor.options import RunOptions
from wesley_tui.executor.retry import RetryPolicy

_SLOW = os.environ.get("WESLEY_SLOW") == "1"
slow = pytest.mark.skipif(not _SLOW, reason="WESLEY_SLOW=1 runs it")
_PATIENT = RunOptions(seed=1, knobs=Knobs(workers=1, blind_s=60, calm_s=1))


class Reader(threading.Thread):
    """Holds a lock on table ``a`` for a while, again and again."""

    def __init__(self, uri: str, offset_s: float, holds_s: float) -> None:
        super().__init__()
        self.uri, self.offset_s, self.holds_s = uri, offset_s, holds_s
        self.over = threading.Event()
        self.errors: list[str] = []

    def run(self) -> None:
        self.over.wait(self.offset_s)
        with psycopg.connect(self.uri) as connection:
            while not self.over.is_set():
                try:
                    connection.execute("SELECT count(*) FROM a")
                    self.over.wait(self.holds_s)
                    connection.commit()
                except psycopg.Error as error:
                    self.errors.append(str(error))
                    return


@contextmanager
def crowd(uri: str, readers: int, holds_s: float) -> Iterator[list[Reader]]:
    """Readers whose transactions overlap: at no moment is the table free."""
    threads = [Reader(uri, holds_s * number / readers, holds_s) for number in range(readers)]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        for thread in threads:
            thread.over.set()
        for thread in threads:
            thread.join()


@slow
def test_a_storm_of_readers_is_never_held_up_for_longer_than_an_attempt(database: str) -> None:
    run_sql(database, "CREATE TABLE a (id int)", "INSERT INTO a VALUES (1)")
    plan = make_plan([transactional("ALTER TABLE a ADD c int", object="public.a", lock_timeout_ms=300)], database)
    impatient = RunOptions(seed=1, retry=RetryPolicy(budget_s=6, longest_pause_s=0.5), knobs=_PATIENT.knobs)
    client = Client(database, "SELECT count(*) FROM a")
    with crowd(database, readers=20, holds_s=3.0) as readers:
        until(database, "SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction' HAVING count(*) > 15")
        client.start()
        outcome = ended(start_run(database, plan, accept(plan), impatient))
        client.over.set()
        client.join()
    assert (outcome.status, outcome.sqlstate, outcome.exit_code) == (RunStatus.FAILED, "55P03", 5)
    assert "SELECT count(*) FROM a" in outcome.message
    assert client.errors == [error for reader in readers for error in reader.errors] == []
    assert 50 < client.longest_ms <= 300 + 150
    timeouts = [event for event in ledger.events(database) if event.type is EventType.LOCK_TIMEOUT]
    assert len(timeouts) >= 4
    pauses = [(later.time - earlier.time).total_seconds() for earlier, later in itertools.pairwise(timeouts)]
    assert len({round(pause, 2) for pause in pauses}) > 1, "the pauses are not jittered"
    assert ended(resume_run(database, _PATIENT)).status is RunStatus.COMPLETE


def test_a_deadlock_with_a_client_repeats_the_whole_step(database: str) -> None:
    """The step has locked b and wants a, a client the other way round. The step is the one that gives way, and begins
    anew: what it had done before is not there twice."""
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    run_sql(
        database,
        "CREATE TABLE a (id int)", "CREATE TABLE b (id int)", "CREATE TABLE told (n int)",
        "INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (1)",
        f"ALTER DATABASE {name} SET deadlock_timeout = '20ms'",
    )  # fmt: skip
    statements = (
        "INSERT INTO told VALUES (1)", "ALTER TABLE b ADD c int", "SELECT pg_sleep(0.5)", "ALTER TABLE a ADD c int"
    )  # fmt: skip
    plan = make_plan([transactional(*statements, object="public.told", lock_timeout_ms=20_000)], database)
    options = RunOptions(seed=1, retry=RetryPolicy(first_lock_timeout_ms=10_000), knobs=_PATIENT.knobs)
    with psycopg.connect(database) as client:
        client.execute("SET deadlock_timeout = '60s'")
        client.execute("UPDATE a SET id = 2")
        run = start_run(database, plan, accept(plan), options)
        until(database, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
        client.execute("UPDATE b SET id = 2")
        client.commit()
    outcome = ended(run)
    assert outcome.status is RunStatus.COMPLETE, outcome.message
    assert run_sql(database, "SELECT (SELECT count(*) FROM told), a.id, b.id FROM a, b") == [(1, 2, 2)]
    retries = [event for event in ledger.events(database) if event.type is EventType.STEP_RETRY]
    assert [event.metrics["sqlstate"] for event in retries] == ["40P01"]


@slow
def test_a_vacuum_against_wraparound_is_named_and_let_alone() -> None:
    """Other autovacuums give way to whoever waits for them, this one does not: who it is is said, and it goes on."""
    options = FAST | {"autovacuum": "on", "autovacuum_naptime": "1s", "autovacuum_freeze_max_age": "100000"}
    with own_server(options | {"synchronous_commit": "off"}) as server:
        uri = server.uri
        run_sql(
            uri,
            "CREATE TABLE a (id int, filler text) WITH (autovacuum_enabled = off,"
            " autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)",
            "INSERT INTO a SELECT g, repeat('x', 500) FROM generate_series(1, 20000) g",
            "CREATE PROCEDURE burn() LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1..110000 LOOP"
            " PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$",
            "CALL burn()",
        )
        vacuum = "FROM pg_stat_activity WHERE query LIKE 'autovacuum: VACUUM%public.a (to prevent wraparound)'"
        until(uri, f"SELECT 1 {vacuum}")
        plan = make_plan([transactional("ALTER TABLE a ADD c int", object="public.a", lock_timeout_ms=500)], uri)
        retry = RetryPolicy(budget_s=3, first_lock_timeout_ms=500, longest_pause_s=0.2)
        (pid,) = run_sql(uri, f"SELECT pid {vacuum}")
        outcome = ended(start_run(uri, plan, accept(plan), RunOptions(seed=1, retry=retry, knobs=_PATIENT.knobs)))
        assert (outcome.sqlstate, outcome.exit_code) == ("55P03", 5), outcome.message
        assert "to prevent wraparound" in outcome.message
        assert run_sql(uri, f"SELECT pid {vacuum}") == [pid], "the vacuum was ended"
