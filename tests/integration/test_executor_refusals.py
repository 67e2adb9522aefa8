"""What forbids a run, each told before anything has changed."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from tests.plans import accept, autocommit, backfill, check, make_plan, transactional
from wesley_tui.executor import installation, ledger
from wesley_tui.executor.engine import resume_run, start_run
from wesley_tui.executor.errors import (
    CannotConnect,
    DriftDetected,
    ExecutorError,
    MissingPrivilege,
    PlanMismatch,
    PsqlUnusable,
    RailsConflict,
    ReadOnlyServer,
    UnsafeBlocked,
)
from wesley_tui.executor.events import EventType, RunStatus
from wesley_tui.executor.options import RunOptions
from wesley_tui.executor.preflight import ServerFacts, read_facts
from wesley_tui.executor.review import review
from wesley_tui.planner.plan import HazardClass, LockMode, Plan, Step

_QUICK = RunOptions(lock_patience_s=0.0)


def run_sql(uri: str, *statements: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(uri, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def refused(uri: str, plan: Plan, kind: type[ExecutorError], match: str, options: RunOptions = _QUICK) -> ExecutorError:
    """The error; and the database holds no run."""
    with pytest.raises(kind, match=match) as caught:
        start_run(uri, plan, accept(plan), options)
    assert "othing was changed" in str(caught.value)
    if run_sql(uri, "SELECT to_regclass('wesley.migration_runs') IS NOT NULL")[0][0]:
        assert run_sql(uri, "SELECT count(*) FROM wesley.migration_runs") == [(0,)]
    return caught.value


@pytest.fixture
def plan(database: str) -> Plan:
    return make_plan([transactional("CREATE TABLE a (id int)", object="public.a")], database)


def test_a_plan_that_was_changed_after_its_review(database: str, plan: Plan) -> None:
    token = accept(plan)
    step = plan.waves[0].steps[0]
    changed = replace(plan.waves[0], steps=(replace(step, statements=("CREATE TABLE b (id int)",)),))
    with pytest.raises(PlanMismatch, match="review it again"):
        start_run(database, replace(plan, waves=(changed,)), token, _QUICK)
    with pytest.raises(PlanMismatch):
        start_run(database, replace(plan, plan_id="d" * 64), token, _QUICK)


def test_the_content_of_a_step_that_was_changed_in_the_database(database: str, plan: Plan) -> None:
    bad = make_plan([transactional("SELECT 1/0", object="public.a"), transactional("SELECT 2")], database)
    outcome = start_run(database, bad, accept(bad), _QUICK).wait(20)
    assert outcome is not None
    assert outcome.sqlstate == "22012"
    with pytest.raises(psycopg.Error, match="only ever appended"):
        run_sql(database, "UPDATE wesley.migration_steps SET op = 'other'")
    run_sql(
        database,
        "ALTER TABLE wesley.migration_steps DISABLE TRIGGER append_only",
        "UPDATE wesley.migration_steps SET content = c, content_sha = encode(sha256(convert_to(c, 'UTF8')), 'hex')"
        " FROM (SELECT replace(content, 'SELECT 1/0', 'DROP SCHEMA public') AS c FROM wesley.migration_steps"
        " WHERE ordinal = 1) x WHERE ordinal = 1",
    )
    with pytest.raises(PlanMismatch, match="stored steps"):
        resume_run(database, _QUICK)


def test_h3_steps_need_to_be_accepted_by_name(database: str) -> None:
    drop = transactional("DROP TABLE a", object="public.a", hazard=HazardClass.H3, wave="CONTRACT")
    plan = make_plan([drop], database)

    def reviewed(**choices: Any) -> Any:
        given = {"unsafe": True, "contract": True, "typed_names": ["public.a"], **choices}
        return review(plan, explain="", actor="tester", **given)

    assert reviewed().unsafe
    assert reviewed(contract=False, unsafe=False, typed_names=[]).contract is False
    with pytest.raises(UnsafeBlocked, match=r"public\.a.*--unsafe"):
        reviewed(unsafe=False)
    with pytest.raises(UnsafeBlocked, match="type the name"):
        reviewed(typed_names=["public.b"])
    with pytest.raises(UnsafeBlocked, match="chaos never"):
        review(replace(plan, profile="chaos"), explain="", unsafe=True, contract=True, typed_names=["public.a"])
    with pytest.raises(UnsafeBlocked):
        start_run(database, plan, replace(reviewed(), unsafe=False), _QUICK)


def test_a_database_that_has_drifted(database: str, plan: Plan) -> None:
    seen: list[tuple[str, ...]] = []

    async def fingerprint(connection: AsyncConnection[Any], scope: tuple[str, ...]) -> str:
        seen.append(scope)
        cursor = await connection.execute(
            "SELECT CASE WHEN to_regclass('extra') IS NULL THEN repeat('b', 64) ELSE 'x' END"
        )
        row = await cursor.fetchone()
        assert row is not None
        return str(row[0])

    options = replace(_QUICK, fingerprint=fingerprint)
    run_sql(database, "CREATE TABLE extra (id int)")
    error = refused(database, plan, DriftDetected, "Make the plan again", options)
    assert error.exit_code == 7
    run_sql(database, "DROP TABLE extra")
    outcome = start_run(database, plan, accept(plan), options).wait(20)
    assert outcome is not None
    assert outcome.status is RunStatus.COMPLETE
    assert seen == [plan.scope, plan.scope]


@pytest.mark.parametrize(
    ("statement", "match"),
    [
        ("\\! touch /tmp/pwned", "parser refuses"),
        ("SELECT 1; DROP TABLE a", "2 statements"),
        ("DELETE FROM a WHERE", "parser refuses"),
        ("", "0 statements"),
        ("COMMIT", "begins and ends transactions"),
        ("COPY a TO PROGRAM 'touch /tmp/pwned'", "COPY"),
        ("SET ROLE postgres", "outlive"),
        ("SELECT 'a\0b'", "NUL"),
    ],
)
def test_text_that_is_not_one_statement(database: str, statement: str, match: str) -> None:
    refused(database, make_plan([transactional(statement)], database), PlanMismatch, match)
    checked = transactional("SELECT 1", prechecks=(check(statement),))
    refused(database, make_plan([checked], database), PlanMismatch, match)


@pytest.mark.parametrize("make", [transactional, autocommit])
def test_text_goes_to_the_server_verbatim(database: str, make: Any) -> None:
    hostile = "it's :USER :'x' :\"y\" \\! \\q $1 %s ; -- \t é \u202e \U0001f418 `id`\n\\echo no"
    quoted = "'" + hostile.replace("'", "''") + "'"
    plan = make_plan([make(f"COMMENT ON SCHEMA public IS {quoted}")], database)
    outcome = start_run(database, plan, accept(plan), _QUICK).wait(20)
    assert outcome is not None
    assert outcome.status is RunStatus.COMPLETE, outcome.message
    said = run_sql(database, "SELECT obj_description('public'::regnamespace)")
    assert said == [(hostile,)]


def test_a_commit_inside_a_step_is_refused_by_the_server(database: str) -> None:
    plan = make_plan([transactional("CREATE TABLE a (id int)", "DO $$ BEGIN COMMIT; END $$")], database)
    outcome = start_run(database, plan, accept(plan), _QUICK).wait(20)
    assert outcome is not None
    assert outcome.sqlstate == "2D000"
    assert run_sql(database, "SELECT to_regclass('a') IS NULL") == [(True,)]


def test_read_only_transactions(database: str, plan: Plan) -> None:
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    run_sql(database, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert refused(database, plan, ReadOnlyServer, "25006").exit_code == 6


def test_another_version_of_postgresql(database: str, plan: Plan) -> None:
    refused(database, replace(plan, server_version_num=150018), PlanMismatch, "made for PostgreSQL 15")


def test_policies_that_would_hide_rows_from_a_backfill_are_refused_before_anything_runs(database: str) -> None:
    run_sql(
        database,
        "DROP ROLE IF EXISTS filtered",
        "CREATE ROLE filtered LOGIN",
        "CREATE TABLE public.t (id bigint PRIMARY KEY, a int)",
        "ALTER TABLE public.t OWNER TO filtered",
        "ALTER TABLE public.t ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE public.t FORCE ROW LEVEL SECURITY",
        f"GRANT CREATE ON DATABASE {psycopg.conninfo.conninfo_to_dict(database)['dbname']} TO filtered",
    )
    plan = make_plan([backfill("public.t", "id", "a = 1", "t.a IS NULL")], database)
    owner = database.replace("postgres@", "filtered@")
    with pytest.raises(MissingPrivilege, match=r"BYPASSRLS: policies of public\.t"):
        start_run(owner, plan, accept(plan), _QUICK)
    run_sql(database, "ALTER TABLE public.t NO FORCE ROW LEVEL SECURITY")
    outcome = start_run(owner, plan, accept(plan), _QUICK).wait(20)
    assert outcome is not None
    assert outcome.status is RunStatus.COMPLETE


def test_missing_privileges_are_all_named(database: str) -> None:
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    run_sql(
        database,
        "CREATE TABLE public.t (id bigint PRIMARY KEY, a int)",
        "DROP ROLE IF EXISTS weak",
        "CREATE ROLE weak LOGIN",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    )
    plan = make_plan(
        [
            transactional(
                "ALTER TABLE t ADD b int", object="public.t.b", locks={"public.t": LockMode.AccessExclusiveLock}
            ),
            transactional("CREATE TABLE u (id int)", op="create_table", object="public.u"),
            backfill("public.t", "id", "a = 1", "t.a IS NULL"),
        ],
        database,
    )
    weak = database.replace("postgres@", "weak@")
    with pytest.raises(MissingPrivilege) as caught:
        start_run(weak, plan, accept(plan), _QUICK)
    for lack in (f"CREATE on database {name}", "ownership of public.t", "CREATE on schema public"):
        assert lack in str(caught.value)
    run_sql(
        database,
        f"GRANT CREATE ON DATABASE {name} TO weak",
        "GRANT CREATE ON SCHEMA public TO weak",
        "ALTER TABLE public.t OWNER TO weak",
    )
    outcome = start_run(weak, plan, accept(plan), _QUICK).wait(20)
    assert outcome is not None
    assert outcome.status is RunStatus.COMPLETE, outcome.message
    run_sql(database, "DROP OWNED BY weak CASCADE", "DROP SCHEMA IF EXISTS wesley CASCADE", "DROP ROLE weak")


def test_a_schema_wesley_that_is_not_ours(database: str, plan: Plan) -> None:
    run_sql(database, "CREATE SCHEMA wesley", "CREATE TABLE wesley.crusher (id int)")
    refused(database, plan, RailsConflict, "did not make")


def test_rails_that_are_newer_than_this_program(database: str, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "RAILS_VERSION", 99)
    assert start_run(database, plan, accept(plan), _QUICK).wait(20) is not None
    monkeypatch.undo()
    other = make_plan([transactional("CREATE TABLE b (id int)")], database)
    with pytest.raises(RailsConflict, match="version 99"):
        start_run(database, other, accept(other), _QUICK)


def test_nobody_answers(plan: Plan) -> None:
    for uri in ("host=/nonexistent", "postgresql://127.0.0.1:1/x", "this is not = a conninfo"):
        with pytest.raises(CannotConnect) as caught:
            start_run(uri, plan, accept(plan), _QUICK)
        assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("script", "match"),
    [
        ("echo 'psql (PostgreSQL) 11.22'", "psql 11.22; Wesley needs 13 or newer"),
        ("echo 'psql (not ours)'", "does not call itself psql"),
        (None, "no such program"),
    ],
)
def test_psql_that_cannot_be_used(
    database: str, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, match: str
) -> None:
    psql = tmp_path / "psql"
    if script is not None:
        psql.write_text(f"#!/bin/sh\n{script}\n")
        psql.chmod(0o755)
    monkeypatch.setenv("WESLEY_PSQL", str(psql))
    refused(database, plan, PsqlUnusable, match)


def test_a_step_that_depends_on_a_later_one(database: str) -> None:
    plan = make_plan([transactional("SELECT 1"), transactional("SELECT 2")], database)
    first, second = plan.waves[0].steps
    steps: tuple[Step, ...] = (replace(first, depends_on=(second.step_sha,)), second)
    bad = replace(plan, waves=(replace(plan.waves[0], steps=steps),))
    refused(database, bad, PlanMismatch, "not before it")


def test_drift_before_contract_stops_all_of_it(database: str) -> None:
    """Two tables lose a column; somebody has used one of the columns meanwhile: neither is touched."""
    run_sql(database, "CREATE TABLE a (id int, old int)", "CREATE TABLE b (id int, old int)")
    empty = [
        check(f"SELECT NOT EXISTS (SELECT FROM {name} WHERE old IS NOT NULL)", f"{name}.old is used") for name in "ab"
    ]
    plan = make_plan(
        [
            transactional("ALTER TABLE a ADD n int", object="public.a"),
            transactional("ALTER TABLE a DROP old", object="public.a", wave="CONTRACT", prechecks=(empty[0],)),
            transactional("ALTER TABLE b DROP old", object="public.b", wave="CONTRACT", prechecks=(empty[1],)),
        ],
        database,
    )
    run = start_run(database, plan, accept(plan))
    outcome = run.wait(30)
    assert outcome is not None
    assert outcome.status is RunStatus.CONTRACT_PENDING
    run_sql(database, "INSERT INTO b VALUES (1, 1)")
    refused = resume_run(database, RunOptions(token=accept(plan, contract=True))).wait(30)
    assert refused is not None
    assert (refused.status, refused.exit_code) == (RunStatus.FAILED, 7)
    assert "b.old is used" in refused.message
    assert EventType.DRIFT_DETECTED in [event.type for event in ledger.events(database)]
    assert run_sql(
        database,
        "SELECT count(*) FROM pg_attribute WHERE attname = 'old' AND attrelid IN ('a'::regclass, 'b'::regclass)",
    ) == [(2,)]
    run_sql(database, "DELETE FROM b")
    again = resume_run(database, RunOptions(token=accept(plan, contract=True))).wait(30)
    assert again is not None
    assert again.status is RunStatus.COMPLETE, again.message


def test_a_server_that_was_upgraded_between_pause_and_resume(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan knows the locks of another version: it is made again, nothing is guessed."""
    bad = make_plan([transactional("SELECT 1/0")], database)
    outcome = start_run(database, bad, accept(bad), _QUICK).wait(20)
    assert outcome is not None
    assert outcome.sqlstate == "22012"

    async def older(connection: AsyncConnection[Any]) -> ServerFacts:
        return replace(await read_facts(connection), version_num=170004)

    monkeypatch.setattr("wesley_tui.executor.opening.read_facts", older)
    with pytest.raises(PlanMismatch, match="made for PostgreSQL 18"):
        resume_run(database, _QUICK)
    assert [event.type for event in ledger.events(database)][-1] is EventType.LOCK_RELEASED


def test_a_clock_that_jumps_changes_nothing(database: str, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this machine only the monotonic clock counts, of the server's the order of events does not depend."""
    monkeypatch.setattr(time, "time", lambda: -1e9)
    outcome = start_run(database, plan, accept(plan), _QUICK).wait(20)
    assert outcome is not None
    assert outcome.status is RunStatus.COMPLETE
    events = ledger.events(database)
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert all(event.time.year > 2000 for event in events)
