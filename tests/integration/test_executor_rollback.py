"""Taking a run back: through the same engine, provably to where it began, and with nothing promised that is not so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli import Called, wesley
from tests.plans import accept, make_plan, transactional
from wesley_tui.executor.engine import start_run
from wesley_tui.executor.events import RunStatus
from wesley_tui.planner.plan import HazardClass
from wesley_tui.services.rollback import undo_of
from wesley_tui.services.target import Target

V1 = """
type Person @table {
  id: ID! @pk
  email: String! @unique
}
"""
V2 = """
enum Mood { CALM TIRED }
type Person @table {
  id: ID! @pk
  email: String! @unique
  mood: Mood! @default(value: "CALM")
  nick: String @index
  bossId: ID @fk(ref: "Person.id") @index
}
type Note @table {
  id: ID! @pk
  personId: ID! @fk(ref: "Person.id")
}
"""


def run_sql(uri: str, *statements: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(uri, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def upgraded(database: str, tmp_path: Path) -> str:
    """A database with a few rows, migrated from the first version to the second."""
    (tmp_path / "v1.graphql").write_text(V1)
    (tmp_path / "v2.graphql").write_text(V2)
    assert call(database, tmp_path, "apply", tmp_path / "v1.graphql", "--yes").code == 0
    run_sql(database, "INSERT INTO person (id, email) SELECT gen_random_uuid(), 'a' || g FROM generate_series(1, 50) g")
    applied = call(database, tmp_path, "apply", tmp_path / "v2.graphql", "--yes", "--json")
    assert applied.code == 0, applied.err
    return database


def call(uri: str, state: Path, verb: str, *arguments: str | Path) -> Called:
    return wesley(verb, *arguments, "--db", uri, state=state)


def test_there_and_back_and_there_again(upgraded: str, tmp_path: Path) -> None:
    back = call(upgraded, tmp_path, "rollback", "--yes", "--unsafe", "--json")
    assert back.code == 0, back.err
    assert (back.json["status"], back.json["verified"]) == ("complete", True)
    assert "loses:" in back.err
    assert run_sql(upgraded, "SELECT count(*) FROM person") == [(50,)]
    assert run_sql(upgraded, "SELECT status FROM wesley.migration_runs ORDER BY run_id") == [
        ("complete",), ("rolled_back",), ("complete",),
    ]  # fmt: skip
    assert call(upgraded, tmp_path, "plan", tmp_path / "v1.graphql", "--json").json["waves"] == []
    again = call(upgraded, tmp_path, "apply", tmp_path / "v2.graphql", "--yes", "--json")
    assert again.code == 0, again.err
    assert again.json["verified"] is True
    assert {step["status"] for step in again.json["steps"]} == {"succeeded"}
    assert call(upgraded, tmp_path, "verify").code == 0


def test_what_would_be_lost_is_said_and_refused(upgraded: str, tmp_path: Path) -> None:
    refused = call(upgraded, tmp_path, "rollback", "--yes")
    assert refused.code == 8, refused.err
    assert "H3" in refused.err
    assert run_sql(upgraded, "SELECT count(*) FROM wesley.migration_runs") == [(2,)]


def test_runs_are_taken_back_in_their_order(upgraded: str, tmp_path: Path) -> None:
    early = call(upgraded, tmp_path, "rollback", "--run", "1", "--yes", "--unsafe")
    assert early.code == 1
    assert "roll that back first" in early.err
    assert call(upgraded, tmp_path, "rollback", "--yes", "--unsafe").code == 0
    last = call(upgraded, tmp_path, "rollback", "--yes", "--unsafe")
    assert "is a rollback itself" in last.err
    twice = call(upgraded, tmp_path, "rollback", "--run", "2", "--yes")
    assert "was rolled back already" in twice.err
    first = call(upgraded, tmp_path, "rollback", "--run", "1", "--yes", "--unsafe")
    assert first.code == 0, first.err
    assert run_sql(upgraded, "SELECT to_regclass('person') IS NULL") == [(True,)]


def test_what_was_taken_back_by_hand_is_not_taken_for_done(database: str, tmp_path: Path) -> None:
    (tmp_path / "v1.graphql").write_text(V1)
    assert call(database, tmp_path, "apply", tmp_path / "v1.graphql", "--yes").code == 0
    run_sql(database, "DROP TABLE person")
    again = call(database, tmp_path, "apply", tmp_path / "v1.graphql", "--yes", "--json")
    assert again.code == 0, again.err
    assert again.json["verified"] is True


def test_a_failed_run_is_taken_back_as_far_as_it_came(upgraded: str, tmp_path: Path) -> None:
    wanted = V2.replace("nick: String @index", "nick: String @index @unique\n  age: Int")
    (tmp_path / "v3.graphql").write_text(wanted)
    run_sql(upgraded, "UPDATE person SET nick = 'same'")
    failed = call(upgraded, tmp_path, "apply", tmp_path / "v3.graphql", "--yes")
    assert failed.code == 1, failed.err
    back = call(upgraded, tmp_path, "rollback", "--yes", "--unsafe", "--json")
    assert back.code == 0, back.err
    assert back.json["verified"] is True
    assert call(upgraded, tmp_path, "plan", tmp_path / "v2.graphql", "--json").json["waves"] == []
    later = call(upgraded, tmp_path, "resume", "--run", "3")
    assert later.code != 0


def test_a_constraint_that_was_proven_remains_so_and_that_is_said(database: str, tmp_path: Path) -> None:
    run_sql(database, "CREATE TABLE t (id int PRIMARY KEY, n int)", "ALTER TABLE t ADD CHECK (n > 0) NOT VALID")
    (tmp_path / "t.graphql").write_text(
        'type T @table(name: "t") { id: Int! @pk  n: Int @check(name: "t_n_check", expr: "n > 0")  more: Int }'
    )
    applied = call(database, tmp_path, "apply", tmp_path / "t.graphql", "--yes")
    assert applied.code == 0, applied.err
    back = call(database, tmp_path, "rollback", "--yes", "--unsafe")
    assert back.code == 0, back.err
    assert "stays: what step 2 (validate_constraint public.t.t_n_check) has proven" in back.err
    assert "NOT verified" not in back.out
    assert run_sql(database, "SELECT convalidated FROM pg_constraint WHERE conname = 't_n_check'") == [(True,)]


def test_a_rollback_that_does_not_end_where_the_run_began_says_so(database: str, tmp_path: Path) -> None:
    """A plan that is wrong about what the catalog was before it: its undo runs, and is found not to lead there."""
    draft = transactional("CREATE TABLE public.x (id int)", object="public.x", undo=("DROP TABLE public.x",))
    plan = make_plan([draft], database, scope=("table public.x",))
    outcome = start_run(database, plan, accept(plan)).wait()
    assert outcome is not None
    assert outcome.status is RunStatus.COMPLETE
    back = call(database, tmp_path, "rollback", "--yes", "--unsafe")
    assert back.code == 6, back.err
    assert "NOT verified: the live catalog, read again, is not what it was before run 1" in back.out


def test_an_undo_says_why_it_is_dangerous(upgraded: str) -> None:
    """Whatever makes a step H3 is in the text that a person types ``rollback`` under."""
    undo = undo_of(Target(upgraded))
    text = undo.text()
    dangerous = [step for step in undo.plan.steps if step.hazard is HazardClass.H3]
    assert dangerous
    for step in dangerous:
        assert step.loses or step.breaks or "blocks" in " ".join(step.why)
        assert step.loses in text
        assert step.breaks in text
