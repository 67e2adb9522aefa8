"""What the server allows us shrinks while a run goes on: connections, privileges, the time of a transaction; or it does
not answer at all. Nothing is half done, what is wrong is said, and the run goes on when it is mended."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.conftest import FAST
from tests.faults.proxy import proxied
from tests.faults.servers import own_server, until
from tests.faults.test_network import ended, run_sql
from tests.plans import accept, backfill, concurrent_index, make_plan, transactional
from wesley_tui.executor import control, engine, ledger
from wesley_tui.executor.attach import follow_run
from wesley_tui.executor.engine import resume_run, start_run
from wesley_tui.executor.errors import MissingPrivilege
from wesley_tui.executor.events import EventType, RunStatus
from wesley_tui.executor.governor import Knobs
from wesley_tui.executor.opening import connections
from wesley_tui.executor.options import RunOptions
from wesley_tui.executor.psql_binary import find_psql
from wesley_tui.executor.target import PsqlAccess
from wesley_tui.executor.worker import Worker
from wesley_tui.planner.plan import LockMode

_SLOW = os.environ.get("WESLEY_SLOW") == "1"
slow = pytest.mark.skipif(not _SLOW, reason="WESLEY_SLOW=1 runs it")
_OPTIONS = RunOptions(seed=1, knobs=Knobs(workers=1, blind_s=60, calm_s=1))


@pytest.fixture
def limited(database: str) -> Iterator[str]:
    """A conninfo of a role that owns a table and may open three connections."""
    run_sql(
        database,
        "CREATE ROLE limited LOGIN CONNECTION LIMIT 3",
        "CREATE ROLE owning",
        "GRANT owning TO limited",
        f"GRANT CREATE ON DATABASE {conninfo_to_dict(database)['dbname']} TO limited",
        "GRANT CREATE ON SCHEMA public TO limited",
        "CREATE TABLE owned (id int)",
        "ALTER TABLE owned OWNER TO owning",
    )
    yield make_conninfo(database, user="limited")
    run_sql(database, "DROP OWNED BY limited, owning CASCADE", "DROP ROLE limited", "DROP ROLE owning")


def test_no_connection_is_left_for_psql(database: str, limited: str) -> None:
    """Our own connections were the last ones: tried again with growing pauses, and it goes on when there is one."""
    plan = make_plan([transactional("CREATE TABLE made (id int)")], database)
    run = start_run(limited, plan, accept(plan), _OPTIONS)
    until(database, "SELECT 1 FROM wesley.migration_events WHERE type = 'step.retry'")
    assert run_sql(database, "SELECT to_regclass('made') IS NULL") == [(True,)]
    run_sql(database, "ALTER ROLE limited CONNECTION LIMIT 10")
    outcome = ended(run)
    assert outcome.status is RunStatus.COMPLETE, outcome.message
    retries = [event for event in ledger.events(database) if event.type is EventType.STEP_RETRY]
    assert "too many connections" in retries[0].message


@slow
def test_no_connection_is_ever_left_for_psql(database: str, limited: str) -> None:
    plan = make_plan([transactional("CREATE TABLE made (id int)")], database)
    outcome = ended(start_run(limited, plan, accept(plan), _OPTIONS))
    assert (outcome.status, outcome.exit_code) == (RunStatus.FAILED, 1)
    assert "too many connections" in outcome.message
    assert run_sql(database, "SELECT to_regclass('made') IS NULL") == [(True,)]
    assert run_sql(database, "SELECT count(*) FROM wesley.migration_ledger WHERE status = 'succeeded'") == [(0,)]
    run_sql(database, "ALTER ROLE limited CONNECTION LIMIT 10")
    assert ended(resume_run(limited, _OPTIONS)).status is RunStatus.COMPLETE


def test_a_privilege_is_revoked_between_two_waves(database: str, limited: str) -> None:
    run_sql(database, "ALTER ROLE limited CONNECTION LIMIT 10")
    plan = make_plan(
        [
            transactional("CREATE TABLE made (id int)", "SELECT pg_sleep(0.5)"),
            transactional(
                "ALTER TABLE owned ADD c int", object="public.owned", wave="VALIDATE",
                locks={"public.owned": LockMode.AccessExclusiveLock},
            ),
        ],
        database,
    )  # fmt: skip
    run = start_run(limited, plan, accept(plan), _OPTIONS)
    until(database, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    run_sql(database, "REVOKE owning FROM limited")
    outcome = ended(run)
    assert (outcome.status, outcome.sqlstate) == (RunStatus.FAILED, "42501")
    assert run_sql(database, "SELECT to_regclass('made') IS NOT NULL") == [(True,)]
    with pytest.raises(MissingPrivilege, match=r"ownership of public\.owned"):
        resume_run(limited, _OPTIONS)
    run_sql(database, "GRANT owning TO limited")
    assert ended(resume_run(limited, _OPTIONS)).status is RunStatus.COMPLETE
    assert ledger.verify(database) == []


def test_limits_of_the_database_for_its_clients_do_not_end_a_step(database: str) -> None:
    """Timeouts that a DBA has set for the application: our steps have their own."""
    name = conninfo_to_dict(database)["dbname"]
    run_sql(
        database,
        *(
            f"ALTER DATABASE {name} SET {setting} = '200ms'"
            for setting in (
                "transaction_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout",
                "statement_timeout", "lock_timeout",
            )
        ),
    )  # fmt: skip
    plan = make_plan([transactional("CREATE TABLE made (id int)", "SELECT pg_sleep(0.6)")], database)
    outcome = ended(start_run(database, plan, accept(plan), _OPTIONS))
    assert outcome.status is RunStatus.COMPLETE, outcome.message
    assert EventType.STEP_RETRY not in [event.type for event in ledger.events(database)]


def test_defaults_of_the_database_change_nothing(database: str) -> None:
    """What sessions of this database begin with is for its application: what we say and read has its own settings."""
    name = conninfo_to_dict(database)["dbname"]
    defaults = {
        "DateStyle": "German, DMY", "IntervalStyle": "iso_8601", "TimeZone": "Asia/Tokyo", "search_path": "nowhere",
        "bytea_output": "escape", "extra_float_digits": "-5", "standard_conforming_strings": "off",
        "default_transaction_isolation": "serializable", "client_min_messages": "error", "row_security": "off",
        "check_function_bodies": "off", "quote_all_identifiers": "on", "xmloption": "document",
    }  # fmt: skip
    run_sql(
        database,
        "CREATE TABLE t (id bigint PRIMARY KEY, a text, b text)",
        "INSERT INTO t SELECT g, '\\n' FROM generate_series(1, 500) g",
        *(f"ALTER DATABASE {name} SET {setting} = '{value}'" for setting, value in defaults.items()),
    )
    plan = make_plan(
        [
            transactional(
                "CREATE TABLE made (at timestamptz DEFAULT '2024-02-03 04:05', f float8 DEFAULT 0.1::float8, "
                "t text DEFAULT '\\n')"
            ),
            concurrent_index("public.t", "a"),
            backfill("public.t", "id", "b = '\\n'", "t.b IS NULL"),
            transactional("SELECT 1/0", wave="VALIDATE", object="public.made"),
        ],
        database,
    )
    outcome = ended(start_run(database, plan, accept(plan), _OPTIONS))
    assert outcome.sqlstate == "22012", outcome.message
    assert ledger.verify(database) == []
    assert {event.time.tzinfo for event in ledger.events(database)} != {None}
    assert ledger.history(database)[0].status is RunStatus.FAILED
    assert list(follow_run(database, outcome.run_id)) == ledger.events(database)
    for setting in defaults:
        run_sql(database, f"ALTER DATABASE {name} RESET {setting}")
    shown = "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'made'::regclass ORDER BY adnum"
    assert run_sql(database, "SET TimeZone = 'UTC'", shown) == [
        ("'2024-02-03 04:05:00+00'::timestamp with time zone",), ("(0.1)::double precision",), ("'\\n'::text",)
    ]  # fmt: skip
    assert run_sql(database, "SELECT count(*) FROM t WHERE a = b AND a = E'\\\\n'") == [(500,)]
    assert ledger.verify(database) == []


@slow
@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        ("THEN wesley.append_event(", RunStatus.COMPLETE, None),
        ("FROM pg_stat_replication)", RunStatus.COMPLETE, EventType.GOVERNOR_BACKPRESSURE),
        ("SELECT 1\0", RunStatus.FAILED, EventType.LOCK_LOST),
    ],
    ids=["control", "governor", "lock"],
)
def test_a_connection_of_ours_is_swallowed(
    database: str, text: str, status: RunStatus, told: EventType | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing comes back and nobody says so: that is noticed, and another connection is made, or the run ends."""
    monkeypatch.setattr(control, "PATIENCE_S", 1.5)
    monkeypatch.setattr(engine, "PATIENCE_S", 1.5)
    steps = [transactional("SELECT pg_sleep(0.7)", object=f"public.o{n}") for n in range(6)]
    plan = make_plan(steps, database)
    with proxied(database) as (uri, proxy):
        proxy.arm(text, "blackhole", time=2 if told is EventType.GOVERNOR_BACKPRESSURE else 1)
        outcome = ended(start_run(uri, plan, accept(plan), _OPTIONS))
        assert proxy.hits == 1, "the fault did not happen"
    assert outcome.status is status, outcome.message
    if told is not None:
        assert told in [event.type for event in ledger.events(database)]
    if status is not RunStatus.COMPLETE:
        assert outcome.exit_code == 10
        # The server's keepalive would end that session within half a minute, if it were a TCP connection.
        run_sql(
            database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'wesley/%'"
        )
        assert ended(resume_run(database, _OPTIONS)).status is RunStatus.COMPLETE
    assert ledger.verify(database) == []


@slow
def test_the_server_notices_that_our_machine_is_gone() -> None:
    """Locks of a machine that has lost its power are held until the server's keepalive gives up: half a minute, not the
    two hours that are usual."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with own_server(FAST, port):
        asyncio.run(_keepalives(f"postgresql://postgres@127.0.0.1:{port}/postgres"))


async def _keepalives(uri: str) -> None:
    names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")
    async with connections(uri) as (session, lock, _), session.connection, lock:
        for connection in (session.connection, lock):
            rows = [await (await connection.execute(f"SHOW {name}".encode())).fetchone() for name in names]
            assert rows == [("10",), ("5",), ("3",)]
        with PsqlAccess.like(lock) as access:
            worker = Worker(1, find_psql(), access, session, 180000)
            told = await worker.ask(f"SELECT {', '.join(f'current_setting({name!r})' for name in names)}")
            assert told.rows == ("10|5|3",)
            await worker.close()
