"""The rails by themselves: installing them, and what they refuse whoever asks."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

import wesley_tui
from tests.plans import accept, make_plan, transactional
from wesley_tui.executor import ledger
from wesley_tui.executor.abandon import cancel_run
from wesley_tui.executor.certificate import (
    Certificate,
    certificate_of,
    compare_with_database,
    issue_certificate,
    verify_certificate,
)
from wesley_tui.executor.engine import resume_run, start_run
from wesley_tui.executor.errors import CheckFailed, ExecutorError, LockNotAcquired, PlanMismatch
from wesley_tui.executor.events import EventType, RunStatus
from wesley_tui.executor.installation import install_rails, rails_files
from wesley_tui.executor.options import RunOptions
from wesley_tui.executor.target import connect


def run_sql(uri: str, *statements: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(uri, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def a_run(uri: str) -> int:
    plan = make_plan([transactional("CREATE TABLE a (id int)"), transactional("CREATE TABLE b (id int)")], uri)
    outcome = start_run(uri, plan, accept(plan)).wait(20)
    assert outcome is not None
    assert outcome.status is RunStatus.COMPLETE, outcome.message
    return outcome.run_id


def installed(uri: str) -> bool:
    async def install() -> bool:
        async with await connect(uri, "test") as connection:
            return await install_rails(connection)

    return asyncio.run(install())


def test_installing_twice_changes_nothing(any_database: str) -> None:
    assert installed(any_database)
    assert not installed(any_database)
    assert run_sql(any_database, "SELECT version FROM wesley.rails_version") == [(1,)]


def test_every_file_can_be_run_again(database: str) -> None:
    run_id = a_run(database)
    run_sql(database, *(text for _, text in rails_files()))
    assert ledger.verify(database) == []
    assert ledger.history(database)[0].run_id == run_id


_UNDER_THEIR_CALLERS = frozenset(
    {
        "event_sha", "hold_head", "chain_events", "enter_step", "take_object_locks", "lock_relations", "use_settings",
        "failing_check", "demand", "succeed_step",
    }
)  # fmt: skip
"""They run under the search_path of the function that calls them."""
_QUALIFIED = frozenset({"apply_steps", "backfill_batches", "put_in_generation"})
"""They have none, and name everything in full: a procedure that has one cannot commit."""


def test_every_function_pins_its_search_path(database: str) -> None:
    installed(database)
    found = run_sql(
        database,
        "SELECT proname FROM pg_proc WHERE pronamespace = 'wesley'::regnamespace"
        " AND proconfig IS DISTINCT FROM ARRAY['search_path=pg_catalog, wesley, pg_temp']",
    )
    assert {name for (name,) in found} == _UNDER_THEIR_CALLERS | _QUALIFIED


def test_the_program_calls_no_function_that_runs_under_its_callers_path() -> None:
    texts = [path.read_text() for path in Path(wesley_tui.__file__).parent.rglob("*.py")]
    asked = {name for text in texts for name in re.findall(r"wesley\.([a-z_]+)\(|\"([a-z_]+)\"", text) for name in name}
    assert "apply_steps" in asked
    assert "append_event" in asked
    assert not asked & (_UNDER_THEIR_CALLERS - {"demand"}), "demand is a word of other rooms too"


def test_no_operator_of_another_schema_is_taken_for_the_rails_own(database: str) -> None:
    installed(database)
    run_id = a_run(database)
    run_sql(
        database,
        "CREATE SCHEMA evil",
        "CREATE FUNCTION evil.never(text, text) RETURNS boolean LANGUAGE plpgsql AS"
        " $$BEGIN RAISE EXCEPTION 'taken in'; END$$",
        "CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.never)",
        "CREATE FUNCTION evil.cardinality(anyarray) RETURNS int LANGUAGE plpgsql AS"
        " $$BEGIN RAISE EXCEPTION 'taken in'; END$$",
    )
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET search_path = evil, pg_catalog")
        with pytest.raises(psycopg.Error, match="taken in"):
            connection.execute("SELECT 'a'::text = 'b'::text")
        row = connection.execute("SELECT fence FROM wesley.migration_head").fetchone()
        assert row is not None
        steps = connection.execute(
            "SELECT array_agg(ordinal), array_agg(content_sha), array_agg(9), array_agg(100)"
            " FROM wesley.migration_steps"
        ).fetchone()
        assert steps is not None
        connection.execute(
            "INSERT INTO wesley.migration_generations SELECT plan_id, 2, 'again' FROM wesley.migration_plans"
        )
        connection.execute("DROP TABLE public.a, public.b")
        connection.execute("CALL wesley.apply_steps(%s, %s, %s, %s, %s, %s)", (run_id, row[0], *steps))
    assert run_sql(database, "SELECT to_regclass('public.a') IS NOT NULL, to_regclass('public.b') IS NOT NULL") == [
        (True, True)
    ]


@pytest.mark.parametrize("table", ["migration_plans", "migration_steps", "migration_ledger", "migration_events"])
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_a_superuser_cannot_change_the_past_by_accident(database: str, table: str, role: str) -> None:
    a_run(database)
    for verb in (
        f"UPDATE wesley.{table} SET plan_id = plan_id",
        f"DELETE FROM wesley.{table}",
        f"TRUNCATE wesley.{table} CASCADE",
    ):
        with pytest.raises(psycopg.Error) as caught:
            run_sql(database, f"SET session_replication_role = {role}", verb)
        assert caught.value.sqlstate == "WE009"


def test_a_temporary_table_captures_nothing(database: str) -> None:
    a_run(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TEMP TABLE migration_events (LIKE wesley.migration_events)")
        connection.execute("CREATE TEMP TABLE migration_head (LIKE wesley.migration_head)")
        connection.execute("SET search_path = pg_temp, public")
        connection.execute("SELECT wesley.append_event(1, 1, 'lock.lost', NULL, NULL, 'x', '{}')")
        assert connection.execute("SELECT count(*) FROM pg_temp.migration_events").fetchone() == (0,)
    assert ledger.verify(database) == []


_EDITS = {
    "message": "UPDATE wesley.migration_events SET message = 'innocent' WHERE id = 4",
    "time": "UPDATE wesley.migration_events SET time = time + interval '1 microsecond' WHERE id = 4",
    "metrics": "UPDATE wesley.migration_events SET metrics = metrics || '{\"x\": 1}' WHERE id = 4",
    "removed": "DELETE FROM wesley.migration_events WHERE id = 4",
    "cut": "DELETE FROM wesley.migration_events WHERE id = (SELECT max(id) FROM wesley.migration_events)",
    "ledger removed": "DELETE FROM wesley.migration_ledger WHERE status = 'succeeded' AND ordinal = 1",
    "ledger moved": "UPDATE wesley.migration_ledger SET step_sha = repeat('e', 64) WHERE status = 'succeeded' AND "
    "ordinal = 1",
    **{
        f"ledger: {column}": f"UPDATE wesley.migration_ledger SET {column} = {value}"
        " WHERE status = 'succeeded' AND ordinal = 1"
        for column, value in {
            "generation": "9",
            "ordinal": "7",
            "attempt": "4",
            "duration_ms": "duration_ms + 1",
            "message": "'well'",
        }.items()
    },
    "ledger added": "INSERT INTO wesley.migration_ledger (run_id, plan_id, step_sha, ordinal, attempt, status)"
    " SELECT run_id, plan_id, repeat('e', 64), 9, 1, 'succeeded' FROM wesley.migration_runs",
}


@pytest.mark.parametrize("edit", list(_EDITS))
def test_an_edited_history_is_noticed_and_stops_the_next_run(database: str, edit: str) -> None:
    a_run(database)
    run_sql(
        database,
        "ALTER TABLE wesley.migration_events DISABLE TRIGGER append_only",
        "ALTER TABLE wesley.migration_ledger DISABLE TRIGGER append_only",
        _EDITS[edit],
    )
    assert ledger.verify(database) != []
    plan = make_plan([transactional("CREATE TABLE c (id int)")], database)
    with pytest.raises(PlanMismatch, match="tampered"):
        start_run(database, plan, accept(plan))


def test_a_run_that_lost_its_fence_cannot_commit_a_step(database: str) -> None:
    plan = make_plan([transactional("CREATE TABLE a (id int)", "SELECT pg_sleep(0.5)")], database)
    run = start_run(database, plan, accept(plan))
    run_sql(database, "UPDATE wesley.migration_head SET fence = fence + 1")
    outcome = run.wait(20)
    assert outcome is not None
    assert outcome.exit_code != 0
    assert run_sql(database, "SELECT to_regclass('a') IS NULL") == [(True,)]
    assert run_sql(database, "SELECT count(*) FROM wesley.migration_ledger WHERE status = 'succeeded'") == [(0,)]


def test_giving_up_a_run(database: str) -> None:
    plan = make_plan([transactional("SELECT pg_sleep(0.8)"), transactional("SELECT 1/0")], database)
    run = start_run(database, plan, accept(plan))
    with pytest.raises(LockNotAcquired):
        cancel_run(database, patience_s=0.0)
    assert run.wait(20) is not None
    assert cancel_run(database, reason="not needed any more") == run.run_id
    summary = ledger.status(database)
    assert summary is not None
    assert (summary.status, summary.message) == (RunStatus.CANCELLED, "not needed any more")
    assert ledger.verify(database) == []


def test_nothing_to_resume_or_give_up(database: str) -> None:
    for call in (resume_run, cancel_run):
        with pytest.raises(ExecutorError, match=r"no run to (resume|cancel)"):
            call(database)
    assert ledger.history(database) == []
    assert ledger.events(database) == []
    run_id = a_run(database)
    with pytest.raises(ExecutorError, match=f"run {run_id} is complete"):
        resume_run(database, RunOptions())


def test_a_certificate_can_be_checked_without_the_database(database: str, tmp_path: Path) -> None:
    run_id = a_run(database)
    key = tmp_path / "keys" / "signing.key"
    certificate = issue_certificate(database, run_id, key)
    assert key.stat().st_mode & 0o777 == 0o600
    assert verify_certificate(certificate) == []
    assert certificate.content["status"] == "complete"
    assert [step["ledger"]["run_id"] for step in certificate.content["steps"]] == [run_id, run_id]
    assert certificate_of(database, run_id) == certificate
    assert [event.type for event in ledger.events(database)][-1] is EventType.CERTIFICATE_ISSUED
    assert compare_with_database(database, certificate) == []
    assert ledger.verify(database) == []
    assert issue_certificate(database, run_id, key).public_key == certificate.public_key

    forged = Certificate(
        certificate.document.replace("complete", "failed"), certificate.signature, certificate.public_key
    )
    assert verify_certificate(forged) != []
    spaced = certificate.document.replace('":', '": ', 1)
    assert verify_certificate(Certificate(spaced, certificate.signature, certificate.public_key)) != []
    stranger = issue_certificate(database, run_id, tmp_path / "other.key")
    assert verify_certificate(stranger, certificate.public_key) != []


def test_a_chain_that_was_cut_with_its_head_is_found_against_a_certificate(database: str, tmp_path: Path) -> None:
    run_id = a_run(database)
    certificate = issue_certificate(database, run_id, tmp_path / "key")
    run_sql(
        database,
        "ALTER TABLE wesley.migration_events DISABLE TRIGGER append_only",
        "DELETE FROM wesley.migration_events WHERE id > 8",
        "UPDATE wesley.migration_head SET last_id = 8, last_sha = (SELECT sha FROM wesley.migration_events WHERE id = "
        "8)",
    )
    assert [problem for problem in ledger.verify(database) if problem.startswith("event")] == []
    assert "cut off" in compare_with_database(database, certificate)[0]


def test_only_a_run_that_has_ended_is_certified(database: str, tmp_path: Path) -> None:
    plan = make_plan([transactional("SELECT pg_sleep(0.5)")], database)
    run = start_run(database, plan, accept(plan))
    with pytest.raises(CheckFailed, match="has ended"):
        issue_certificate(database, run.run_id, tmp_path / "key")
    assert run.wait(20) is not None
