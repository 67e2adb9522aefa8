"""Who is in the way: said of real servers, and held against who really waits for whom."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.cli import wesley
from tests.conftest import _VERSIONS as VERSIONS
from tests.conftest import Servers, fresh_database
from wesley_tui.planner.effects import EffectContext, effects_of
from wesley_tui.planner.obstacles import Obstacle, Session, SessionKind, obstacles
from wesley_tui.planner.plan import HazardClass, Plan, Step, StepKind, Wave
from wesley_tui.services.observing import Observed, observe
from wesley_tui.services.target import Target

SLOW = os.environ.get("WESLEY_SLOW") == "1"
SETUP = """
CREATE TABLE t (id int PRIMARY KEY, n int, CONSTRAINT positive CHECK (n > 0) NOT VALID);
CREATE INDEX t_n ON t (n);
CREATE TABLE other (id int PRIMARY KEY);
CREATE TABLE whole (id int) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF whole FOR VALUES FROM (1) TO (10);
INSERT INTO t VALUES (1, 1);
"""
BLOCKERS = {
    "reader": ["SELECT FROM t"],
    "writer": ["UPDATE t SET n = n + 1"],
    "reader of the parent": ["SELECT FROM whole"],
    "snapshot elsewhere": ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SELECT FROM other"],
    "writer elsewhere": ["INSERT INTO other VALUES (7)"],
    "other maintenance": ["LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE"],
}
STATEMENTS = {
    "add column": "ALTER TABLE public.t ADD COLUMN c int",
    "build": "CREATE INDEX CONCURRENTLY i ON public.t (n)",
    "drop index": "DROP INDEX CONCURRENTLY public.t_n",
    "validate": "ALTER TABLE public.t VALIDATE CONSTRAINT positive",
    "reindex": "REINDEX TABLE CONCURRENTLY public.t",
    "detach": "ALTER TABLE public.whole DETACH PARTITION public.part CONCURRENTLY",
    "comment": "COMMENT ON TABLE public.other IS 'x'",
}
_ALL = [(blocker, statement) for blocker in BLOCKERS for statement in STATEMENTS]
_SOME = [
    ("reader", "add column"), ("writer", "build"), ("snapshot elsewhere", "build"), ("reader", "drop index"),
    ("writer", "validate"), ("reader of the parent", "detach"), ("writer elsewhere", "add column"),
]  # fmt: skip
PAIRS = _ALL if SLOW else _SOME


@pytest.fixture(params=VERSIONS if SLOW else VERSIONS[-1:], ids=lambda major: f"pg{major}")
def filled(servers: Servers, request: pytest.FixtureRequest) -> Iterator[str]:
    """On the newest PostgreSQL; on every version with WESLEY_SLOW=1."""
    for uri in fresh_database(servers.get(request.param)):
        with psycopg.connect(uri) as connection:
            connection.execute(SETUP.encode())
        yield uri


@contextmanager
def transaction(uri: str, *statements: str, **parameters: str) -> Iterator[psycopg.Connection]:
    """A session that has done something and does not end its transaction."""
    with psycopg.connect(uri, **parameters) as connection:  # type: ignore[arg-type]
        for statement in statements:
            connection.execute(statement.encode())
        yield connection
        connection.rollback()


def look(uri: str) -> Observed:
    async def looking() -> Observed:
        async with await psycopg.AsyncConnection.connect(uri, autocommit=True) as connection:
            return await observe(connection)

    return asyncio.run(looking())


def in_the_way(uri: str, statement: str) -> tuple[Obstacle, ...]:
    """What is said about a plan of one step."""
    plan = plan_of(uri, statement)
    seen = look(uri).activity
    assert seen is not None
    return obstacles(plan, seen)


def plan_of(uri: str, statement: str) -> Plan:
    snapshot = asyncio.run(Target(uri).snapshot())
    effects = effects_of(statement, EffectContext(snapshot.server_version_num, "UTC", snapshot.catalog))
    kind = StepKind.TRANSACTIONAL if effects.in_transaction else StepKind.AUTOCOMMIT
    step = Step("0" * 64, 1, "op", "o", kind, (statement,), HazardClass.H1, locks=effects.locks)
    return Plan("p", "b", "t", (Wave("EXPAND", (step,)),))


def really_waits(uri: str, statement: str, blocker: int) -> bool:
    """Run it beside the blocker, and look whether the server says that it waits for that one."""
    with psycopg.connect(uri, autocommit=True) as connection, psycopg.connect(uri, autocommit=True) as watching:
        pid = connection.info.backend_pid

        def work() -> None:
            with suppress(psycopg.errors.QueryCanceled):
                connection.execute(statement.encode())

        thread = threading.Thread(target=work)
        thread.start()
        try:
            end = time.monotonic() + 20
            while thread.is_alive() and time.monotonic() < end:
                row = watching.execute("SELECT pg_blocking_pids(%s)", [pid]).fetchone()
                assert row is not None
                if blocker in row[0]:  # for a moment it may also be the snapshot of this very question
                    return True
                thread.join(0.01)
            assert not thread.is_alive(), "it neither ended nor waited"
            return False
        finally:
            while thread.is_alive():
                watching.execute("SELECT pg_cancel_backend(%s)", [pid])
                thread.join(0.05)


@pytest.mark.parametrize(("blocker", "statement"), PAIRS)
def test_what_is_said_is_what_happens(filled: str, blocker: str, statement: str) -> None:
    with transaction(filled, *BLOCKERS[blocker]) as connection:
        pid = connection.info.backend_pid
        _wait_until_old(filled, pid)
        said = [item.session.pid for item in in_the_way(filled, STATEMENTS[statement]) if item.session]
        assert bool(said) == really_waits(filled, STATEMENTS[statement], pid)
        assert said in ([], [pid])


def _wait_until_old(uri: str, pid: int) -> None:
    """Snapshots count when they are older than a second: let this one get older, by the server's clock."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_sleep(greatest(0, 1.01 - EXTRACT(epoch FROM clock_timestamp() - xact_start)))"
            " FROM pg_stat_activity WHERE pid = %s AND backend_xmin IS NOT NULL",
            [pid],
        )


def test_a_session_is_described(filled: str) -> None:
    with transaction(filled, "SELECT n FROM t WHERE id = 1", application_name="shop") as connection:
        (item,) = in_the_way(filled, STATEMENTS["add column"])
        session = item.session
        assert session is not None
        assert (session.pid, session.application) == (connection.info.backend_pid, "shop")
        assert (session.state, session.query) == ("idle in transaction", "SELECT n FROM t WHERE id = 1")
        assert session.age_s is not None
        assert session.age_s >= 0
        assert item.advice.endswith(f"SELECT pg_terminate_backend({session.pid})")


def test_a_prepared_transaction_is_found(filled: str) -> None:
    with psycopg.connect(filled, autocommit=True) as connection:
        connection.execute("BEGIN")
        connection.execute("UPDATE t SET n = 5")
        connection.execute("PREPARE TRANSACTION 'half'")
        try:
            (item,) = in_the_way(filled, STATEMENTS["build"])
            assert item.session is not None
            assert item.session.kind is SessionKind.PREPARED
            assert "ROLLBACK PREPARED 'half'" in item.advice
        finally:
            connection.execute("ROLLBACK PREPARED 'half'")


def test_one_who_waits_holds_up_those_behind(filled: str) -> None:
    """Behind a waiting ALTER TABLE even a weak lock queues."""
    plan = plan_of(filled, STATEMENTS["validate"])
    with transaction(filled, *BLOCKERS["reader"]), psycopg.connect(filled, autocommit=True) as altering:
        pid = altering.info.backend_pid

        def work() -> None:
            with suppress(psycopg.errors.QueryCanceled):
                altering.execute(STATEMENTS["add column"].encode())

        thread = threading.Thread(target=work)
        thread.start()
        try:
            waiting: list[Session] = []
            while not waiting and thread.is_alive():
                activity = look(filled).activity
                assert activity is not None
                waiting = [session for session in activity.sessions if session.waits]
            assert [session.pid for session in waiting] == [pid]
            assert activity is not None
            (item,) = (item for item in obstacles(plan, activity) if item.session in waiting)
            assert "would queue behind it" in item.how[0]
        finally:
            with psycopg.connect(filled, autocommit=True) as ending:
                while thread.is_alive():
                    ending.execute("SELECT pg_cancel_backend(%s)", [pid])
                    thread.join(0.05)


def test_a_role_without_rights_says_what_it_cannot_see(filled: str) -> None:
    role = f"poor_{os.getpid()}"
    with psycopg.connect(filled, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN".encode())
    try:
        poor = psycopg.conninfo.make_conninfo(filled, user=role)
        with transaction(filled, *BLOCKERS["writer"]) as connection:
            activity = look(poor).activity
            assert activity is not None
            assert activity.hidden >= 1
            assert f"GRANT pg_read_all_stats TO {role}" in activity.unseen
            (session,) = [item for item in activity.sessions if item.pid == connection.info.backend_pid]
            assert (session.state, session.query, session.age_s) == ("", "", None)
            assert session.holds
            (item,) = in_the_way(poor, STATEMENTS["add column"])
            assert "pg_signal_backend" in item.advice
    finally:
        with psycopg.connect(filled, autocommit=True) as connection:
            connection.execute(f"DROP ROLE {role}".encode())


def test_serializable_transactions_are_understood(filled: str) -> None:
    with transaction(filled, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SELECT FROM t") as connection:
        (item,) = in_the_way(filled, STATEMENTS["add column"])
        assert item.session is not None
        assert item.session.pid == connection.info.backend_pid


def test_it_is_one_round_trip_and_waits_for_nobody(filled: str) -> None:
    with transaction(filled, "LOCK TABLE t, other, whole"):
        started = time.monotonic()
        activity = look(filled).activity
        assert activity is not None
        assert time.monotonic() - started < 3


SCHEMA = 'type T @table(name: "t") { id: Int! @pk  n: Int  c: Int }\n'


def test_on_the_command_line(database: str, tmp_path: Path) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE t (id int PRIMARY KEY, n int)")
    schema = tmp_path / "schema.graphql"
    schema.write_text(SCHEMA)
    plan = tmp_path / "my.plan"
    printed = wesley("plan", schema, "--db", database, "--json", state=tmp_path)
    assert (printed.json["verdict"].split(":")[0], printed.json["risk"]["word"]) == ("SAFE", "low")
    plan.write_text(printed.out)
    with transaction(database, "SELECT FROM t") as connection:
        pid = connection.info.backend_pid
        for what in (schema, plan):
            called = wesley("blockers", what, "--db", database, "--json", state=tmp_path)
            assert called.code == 0, called.err
            (item,) = called.json["in_the_way"]
            assert (item["pid"], item["steps"]) == (pid, [1])
            assert item["since"] < called.json["at"]
        text = wesley("blockers", schema, "--db", database, state=tmp_path)
        assert f"pg_terminate_backend({pid})" in text.out
        told = wesley("plan", "--explain=markdown", schema, "--db", database, state=tmp_path)
        assert f"pid {pid}" in told.out, told.err
        plain = wesley("plan", "--explain", schema, "--db", database, state=tmp_path)
        assert plain.out.startswith("SAFE: 1 step"), plain.err
        offline = wesley("plan", plan, "--explain", "--db", "host=/nowhere", state=tmp_path)
        assert offline.out.startswith("SAFE: 1 step"), offline.err
        data = wesley("plan", schema, "--explain", "--json", "--db", database, state=tmp_path).json
        assert data["waves"][0]["steps"][0]["in_the_way_now"] == [item["who"]]


def test_rates_and_load_are_learned_from_a_run(database: str, tmp_path: Path) -> None:
    schema = tmp_path / "schema.graphql"
    schema.write_text(SCHEMA)
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE t (id int PRIMARY KEY, n int)")
    before = wesley("plan", schema, "--explain=json", "--db", database, state=tmp_path).json
    assert {rate["source"] for rate in before["rates"].values()} == {"assumed"}
    report = wesley("apply", schema, "--db", database, "--yes", "--json", state=tmp_path)
    assert report.code == 0, report.err
    assert report.json["forecast"]["sequential_ms"] > 0
    seen = look(database)
    assert seen.rates.brief.source.startswith("measured in ")
    schema.write_text(SCHEMA.replace("c: Int", "c: Int  d: Int"))
    after = wesley("plan", schema, "--explain=json", "--db", database, state=tmp_path).json
    assert after["rates"]["brief"]["source"].startswith("measured in ")
    assert after["rates"]["scan"]["source"] == "assumed"
    quiet = wesley("quiet", "--db", database, "--record", "--json", state=tmp_path)
    assert quiet.code == 0, quiet.err
    assert quiet.json["window"] == ""
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM wesley.load_samples").fetchone()
        assert row is not None
        assert row[0] in (1, 2), "one a minute"
        connection.execute("DELETE FROM wesley.load_samples")
        connection.execute(
            "INSERT INTO wesley.load_samples (minute, transactions, rows_written, blocks_read)"
            " SELECT at, sum(CASE WHEN EXTRACT(hour FROM at AT TIME ZONE 'UTC') = 3 THEN 60 ELSE 60000 END)"
            " OVER (ORDER BY at), 0, 0 FROM generate_series(timestamptz '2026-01-01 00:30Z', '2026-01-06 00:30Z',"
            " interval '30 minutes') AS at"
        )
    quiet = wesley("quiet", "--db", database, "--json", state=tmp_path)
    assert quiet.json["window"] == "daily 03:00-04:00 UTC"
    assert quiet.json["per_second"] < 1 < quiet.json["busiest_per_second"]


def test_a_server_without_history_can_be_probed(filled: str) -> None:
    with psycopg.connect(filled) as connection:
        connection.execute("INSERT INTO other SELECT g FROM generate_series(1, 60000) AS g")
    before = look(filled).rates
    _, seen = asyncio.run(Target(filled).look(probing=True))
    assert seen.rates.scan.source.startswith("probed: ")
    assert "public.other" in seen.rates.scan.source
    assert seen.rates.build.source.startswith("probed: ")
    assert (seen.rates.rewrite, seen.rates.backfill) == (before.rewrite, before.backfill)
    assert {rate.source for rate in before.described().values()} == {"assumed"}
