"""A server with standbys: they are missing, they take over, or they are what we were connected to."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict

from tests.conftest import FAST, Servers, fresh_database
from tests.faults.harness import Case, seed, whole_plan
from tests.faults.servers import until
from tests.faults.test_network import ended, run_sql
from tests.plans import accept, autocommit, check, make_plan, transactional
from wesley_tui.demo.server import EmbeddedServer, available_binaries
from wesley_tui.executor import control, ledger, opening, watch
from wesley_tui.executor.abandon import cancel_run
from wesley_tui.executor.engine import resume_run, start_run
from wesley_tui.executor.errors import CannotConnect, CheckFailed, PlanMismatch, ReadOnlyServer, UnsupportedServer
from wesley_tui.executor.events import EventType, RunStatus
from wesley_tui.executor.governor import Knobs
from wesley_tui.executor.options import RunOptions
from wesley_tui.executor.preflight import ServerFacts, read_facts, standbys_needed

_SLOW = os.environ.get("WESLEY_SLOW") == "1"
slow = pytest.mark.skipif(not _SLOW, reason="WESLEY_SLOW=1 runs it")
_WAIT = "SELECT pg_sleep(1)"
_SLOWLY = check("SELECT true FROM pg_sleep(1)")
_OPTIONS = RunOptions(seed=1, knobs=Knobs(workers=2, blind_s=60, calm_s=1), orphan_patience_s=1)
_ONE_AT_A_TIME = replace(_OPTIONS, knobs=Knobs(workers=1, blind_s=60, calm_s=1))


@pytest.fixture
def lonely() -> Iterator[tuple[EmbeddedServer, str]]:
    """A server of our own, whose settings may be changed, and a database on it."""
    servers = Servers()
    try:
        server = servers.get(18)
        yield server, next(fresh_database(server))
    finally:
        servers.close()


def test_a_synchronous_standby_is_missing(lonely: tuple[EmbeddedServer, str]) -> None:
    """COMMIT hangs, which no timeout of the server bounds; when the standby is given up, everything happened once."""
    _, uri = lonely
    run_sql(uri, "CREATE TABLE told (n int)")
    plan = make_plan(
        [
            transactional(f"INSERT INTO told VALUES ({n})", "SELECT pg_sleep(0.2)", object=f"public.o{n}")
            for n in range(6)
        ],
        uri,
    )
    run = start_run(uri, plan, accept(plan), _OPTIONS)
    run_sql(uri, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")
    deadline = time.monotonic() + 15
    while not run_sql(uri, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"):
        assert time.monotonic() < deadline
        assert run.wait(0.01) is None
    assert run.wait(1) is None
    run_sql(uri, "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
    outcome = ended(run)
    if outcome.status is not RunStatus.COMPLETE:
        outcome = ended(resume_run(uri, _OPTIONS))
    assert outcome.status is RunStatus.COMPLETE, outcome.message
    assert run_sql(uri, "SELECT string_agg(n::text, ',' ORDER BY n) FROM told") == [("0,1,2,3,4,5",)]
    assert ledger.verify(uri) == []


@slow
@pytest.mark.parametrize("kind", ["transactional", "autocommit", "control", "cancelled"])
def test_a_commit_that_no_standby_confirms_ends_the_run_and_says_why(
    lonely: tuple[EmbeddedServer, str], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step, a statement outside a transaction, or an event of ours hangs in COMMIT: nothing in the server ends that.
    What it did is not lost, also when it is cancelled then: it is found when the run goes on, and not done again."""
    _, uri = lonely
    monkeypatch.setattr(watch, "STANDBY_S", 60.0 if kind == "cancelled" else 0.5)
    monkeypatch.setattr(control, "PATIENCE_S", 6.0)
    run_sql(uri, "CREATE TABLE told (n int)", "CREATE TYPE mood AS ENUM ('sad')")
    labels = "SELECT 'happy' = ANY (enum_range(NULL::mood)::text[])"
    first, mended = {
        "transactional": (transactional("INSERT INTO told VALUES (1)", _WAIT), None),
        "autocommit": (
            autocommit("ALTER TYPE mood ADD VALUE 'happy'", prechecks=(_SLOWLY,), postchecks=(check(labels),)),
            None,
        ),
        "cancelled": (transactional("INSERT INTO told VALUES (1)", _WAIT), None),
        "control": (transactional(_WAIT, "INSERT INTO told VALUES (1 / (SELECT n FROM divisor))"), "divisor"),
    }[kind]
    run_sql(uri, "CREATE TABLE divisor (n int)", "INSERT INTO divisor VALUES (0)")
    plan = make_plan([first, transactional("INSERT INTO told VALUES (2)", object="public.told")], uri)
    run = start_run(uri, plan, accept(plan), _ONE_AT_A_TIME)
    until(uri, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    run_sql(uri, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")
    if kind == "cancelled":
        until(uri, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name LIKE 'wesley/%/1'")
        run.abort("enough")
    outcome = run.wait(40)
    assert outcome is not None
    assert (outcome.status, outcome.exit_code) == (RunStatus.FAILED, 10)
    assert "no synchronous standby confirms it" in outcome.message
    with pytest.raises(CheckFailed, match="waits for 1 synchronous standby"):
        resume_run(uri, _OPTIONS)
    run_sql(uri, "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
    if mended:
        run_sql(uri, "UPDATE divisor SET n = 1")
    again = ended(resume_run(uri, _OPTIONS))
    assert again.status is RunStatus.COMPLETE, again.message
    expected = "2" if kind == "autocommit" else "1,2"
    assert run_sql(uri, "SELECT string_agg(n::text, ',' ORDER BY n) FROM told") == [(expected,)]
    assert run_sql(uri, labels) == [(kind == "autocommit",)]
    assert ledger.verify(uri) == []


def run_as_server(server: EmbeddedServer, program: str, *arguments: object, folder: Path) -> None:
    """Run a program of the server's as who the server runs as: root may not."""
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    unprivileged: Any = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    command = [str(server.bin / program), *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, cwd=folder, **unprivileged)


@pytest.mark.parametrize(
    ("names", "needed"),
    [("", 0), ("  ", 0), ("nobody", 1), ("a, b", 1), ("*", 1), ("2 (a, b)", 2), ("FIRST 1 (a, b)", 1),
     ("any 3(a,b,c)", 3), ('"2 (x"', 1)],
)  # fmt: skip
def test_how_many_standbys_confirm(names: str, needed: int) -> None:
    assert standbys_needed(names) == needed


@contextmanager
def standby_of(server: EmbeddedServer) -> Iterator[EmbeddedServer]:
    """A standby that streams from ``server``."""
    folder = Path(tempfile.mkdtemp(prefix="wesley-standby-"))
    standby = EmbeddedServer(folder / "data", major=server.major, options=FAST)
    folder.chmod(0o777)
    copy = ("pg_basebackup", "-D", standby.data, "-R", "-X", "stream", "-c", "fast", "-d", server.uri)
    run_as_server(server, *copy, folder=folder)
    try:
        standby.start()
        yield standby
    finally:
        standby.remove()
        folder.rmdir()


@slow
def test_a_standby_takes_over_between_two_waves(lonely: tuple[EmbeddedServer, str], folder: Path) -> None:
    """The primary dies with a step under way. A standby is no place to go on; promoted, it is: what it received is
    done, what it did not is done there, and the run says that the server is another one."""
    server, uri = lonely
    seed(uri)
    name = conninfo_to_dict(uri)["dbname"]
    with standby_of(server) as standby:
        there = standby.uri_for(str(name))
        plan = whole_plan(uri, slow=0.3)
        run = start_run(uri, plan, accept(plan), _OPTIONS)
        until(there, "SELECT 1 FROM pg_tables WHERE schemaname = 'wesley' AND tablename = 'migration_ledger'")
        until(there, "SELECT 1 FROM wesley.migration_checkpoints")
        server.kill()
        outcome = run.wait(60)
        assert outcome is not None
        assert outcome.exit_code == 10
        with pytest.raises(ReadOnlyServer, match="standby"):
            resume_run(there, _OPTIONS)
        standby.stop()
        standby.options = FAST | {"hot_standby": "off"}
        standby.start()
        with pytest.raises(CannotConnect, match="not accepting connections"):
            resume_run(there, _OPTIONS)
        standby.stop()
        standby.options = FAST
        standby.start()
        run_sql(there, "SELECT pg_promote()")
        case = Case(there, plan, folder, None)  # type: ignore[arg-type]
        again = ended(resume_run(there, _OPTIONS))
        assert again.status is RunStatus.COMPLETE, again.message
        case.assert_whole()
        (resumed,) = (event for event in ledger.events(there) if event.type is EventType.PLAN_RESUMED)
        assert "timeline 1, now 2" in resumed.message


@pytest.mark.skipif(not _SLOW or 16 not in available_binaries(), reason="WESLEY_SLOW=1 runs it")
def test_the_server_is_upgraded_between_pause_and_resume() -> None:
    """pg_upgrade makes another cluster of another version: nothing is guessed, the run is given up and planned anew."""
    servers = Servers()
    with tempfile.TemporaryDirectory(prefix="wesley-upgrade-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        try:
            old, new = servers.get(16), servers.get(18)
            uri = next(fresh_database(old))
            plan = make_plan([transactional("CREATE TABLE a (id int)"), transactional("SELECT 1/0")], uri)
            assert ended(start_run(uri, plan, accept(plan), _OPTIONS)).sqlstate == "22012"
            old.stop()
            new.stop()
            which = ("-b", old.bin, "-B", new.bin, "-d", old.data, "-D", new.data, "-U", "postgres")
            run_as_server(new, "pg_checksums", "--disable", "-D", new.data, folder=folder)
            run_as_server(new, "pg_upgrade", *which, folder=folder)
            new.start()
            there = new.uri_for(str(conninfo_to_dict(uri)["dbname"]))
            with pytest.raises(PlanMismatch, match="an upgraded one, from 16 to 18"):
                resume_run(there, _OPTIONS)
            assert cancel_run(there, reason="upgraded") == 1
            assert run_sql(there, "SELECT to_regclass('a') IS NOT NULL") == [(True,)]
            anew = make_plan([transactional("CREATE TABLE b (id int)")], there)
            assert ended(start_run(there, anew, accept(anew), _OPTIONS)).status is RunStatus.COMPLETE
            assert ledger.verify(there) == []
        finally:
            servers.close()


def test_a_server_that_was_updated_meanwhile_is_told(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = make_plan([transactional("INSERT INTO later VALUES (1)")], database)
    assert ended(start_run(database, plan, accept(plan), _OPTIONS)).sqlstate == "42P01"

    async def newer(connection: AsyncConnection[Any]) -> ServerFacts:
        facts = await read_facts(connection)
        return replace(facts, version_num=facts.version_num + 1)

    run_sql(database, "CREATE TABLE later (id int)")
    monkeypatch.setattr(opening, "read_facts", newer)
    assert ended(resume_run(database, _OPTIONS)).status is RunStatus.COMPLETE
    (resumed,) = (event for event in ledger.events(database) if event.type is EventType.PLAN_RESUMED)
    assert re.fullmatch(r"the server was PostgreSQL 18\.\d+ and is PostgreSQL 18\.\d+ now", resumed.message)


@pytest.mark.parametrize(("version", "major"), [(110022, 11), (190000, 19)])
def test_a_version_that_is_not_known_is_refused(
    database: str, monkeypatch: pytest.MonkeyPatch, version: int, major: int
) -> None:
    plan = make_plan([transactional("CREATE TABLE a (id int)")], database)

    async def other(connection: AsyncConnection[Any]) -> ServerFacts:
        return replace(await read_facts(connection), version_num=version)

    monkeypatch.setattr(opening, "read_facts", other)
    with pytest.raises(UnsupportedServer, match=f"the server is PostgreSQL {major}; .* 12 to 18"):
        start_run(database, plan, accept(plan), _OPTIONS)
    assert run_sql(database, "SELECT to_regclass('wesley.migration_runs') IS NULL") == [(True,)]
