"""The command line from end to end on a real server: the flow that CI runs, and what its exit codes promise."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.cli import Called, wesley
from wesley_tui.executor.locks import RUN_LOCK

Run = Callable[..., Called]

V1 = """
enum Mood { CALM TIRED }
type Person @table {
  id: ID! @pk
  email: String! @unique
  mood: Mood! @default(value: "CALM")
}
"""
V2 = """
enum Mood { CALM TIRED AWAKE }
type Person @table {
  id: ID! @pk
  email: String! @unique
  mood: Mood! @default(value: "CALM")
  token: UUID! @default(expr: "gen_random_uuid()")
  bossId: ID @fk(ref: "Person.id") @index
}
"""
WITHOUT_EMAIL = """
enum Mood { CALM TIRED AWAKE }
type Person @table {
  id: ID! @pk
  mood: Mood! @default(value: "CALM")
  token: UUID! @default(expr: "gen_random_uuid()")
  bossId: ID @fk(ref: "Person.id") @index
}
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def call(*arguments: str | Path, **options: str) -> Called:
        return wesley(*arguments, state=tmp_path / "xdg", **options)  # type: ignore[arg-type]

    return call


@pytest.fixture
def schema(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str, name: str = "schema.graphql") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def applied(run: Run, path: Path, database: str, *flags: str) -> Called:
    called = run("apply", path, "--db", database, "--yes", "--json", *flags)
    assert called.code == 0, called.err
    return called


def rows(database: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def execute(database: str, *statements: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def test_plan_apply_plan(run: Run, schema: Callable[..., Path], any_database: str) -> None:
    database = any_database
    first = run("plan", schema(V1), "--db", database, "--json")
    assert first.code == 0
    assert [wave["name"] for wave in first.json["waves"]] == ["EXPAND"]
    applied(run, schema(V1), database)
    execute(
        database,
        "INSERT INTO person (id, email) SELECT gen_random_uuid(), 'p' || n FROM generate_series(1, 500) n",
    )
    before = rows(database, "SELECT id, email, mood FROM person ORDER BY id")

    planned = run("plan", schema(V2), "--db", database, "--json").json
    report = applied(run, schema(V2), database).json

    assert report["status"] == "complete"
    assert report["verified"] is True
    assert {step["step_sha"] for step in report["steps"]} == {
        step["step_sha"] for wave in planned["waves"] for step in wave["steps"]
    }
    assert rows(database, "SELECT id, email, mood FROM person ORDER BY id") == before
    assert rows(database, "SELECT count(DISTINCT token) FROM person") == [(500,)]
    again = run("plan", schema(V2), "--db", database, "--json")
    assert again.json["waves"] == []
    assert again.code == 0


def test_contract_of_a_step(run: Run, schema: Callable[..., Path], database: str) -> None:
    applied(run, schema(V1), database)
    execute(database, "INSERT INTO person (id, email) VALUES (gen_random_uuid(), 'a')")
    plan = run("plan", schema(V2), "--db", database, "--json").json
    assert {"plan_id", "base", "target", "hazard", "waves"} <= plan.keys()
    steps = [step for wave in plan["waves"] for step in wave["steps"]]
    keys = {
        "step_sha", "op", "object", "sql", "hazard", "locks", "rewrites", "scans", "in_transaction", "depends_on",
        "prechecks", "postchecks", "undo", "estimate_ms",
    }  # fmt: skip
    assert all(keys <= step.keys() for step in steps)
    by_op = {step["op"]: step for step in steps}
    assert by_op["add_index_concurrently"]["in_transaction"] is False
    assert by_op["add_index_concurrently"]["locks"] == {"public.person": "ShareUpdateExclusiveLock"}
    known: set[str] = set()
    for step in steps:
        assert set(step["depends_on"]) <= known
        known.add(step["step_sha"])


def test_dropped_column_waits_for_contract_and_unsafe(run: Run, schema: Callable[..., Path], database: str) -> None:
    applied(run, schema(V2), database)
    execute(database, "INSERT INTO person (id, email) VALUES (gen_random_uuid(), 'a')")
    path = schema(WITHOUT_EMAIL)
    report = applied(run, path, database).json
    assert report["status"] in {"contract_pending", "nothing_to_do"}
    assert rows(database, "SELECT email FROM person") == [("a",)]

    blocked = run("apply", path, "--db", database, "--yes", "--contract")
    assert blocked.code == 8
    assert "retire_column public.person.email" in blocked.err
    assert rows(database, "SELECT email FROM person") == [("a",)]

    done = applied(run, path, database, "--contract", "--unsafe").json
    assert done["status"] == "complete"
    columns = rows(database, "SELECT attname FROM pg_attribute WHERE attrelid = 'person'::regclass AND attnum > 0")
    assert ("email",) not in columns
    assert any(str(name[0]).startswith("wesley_retired_") for name in columns)
    assert run("plan", path, "--db", database, "--json").json["waves"] == []


def test_purge_drops(run: Run, schema: Callable[..., Path], database: str) -> None:
    applied(run, schema(V2), database)
    applied(run, schema(WITHOUT_EMAIL), database, "--contract", "--unsafe", "--purge")
    columns = rows(
        database,
        "SELECT attname FROM pg_attribute WHERE attrelid = 'person'::regclass AND attnum > 0 AND NOT attisdropped",
    )
    assert not [name for name in columns if "email" in str(name[0])]


def test_what_the_schema_does_not_name_is_left_alone(run: Run, schema: Callable[..., Path], database: str) -> None:
    execute(database, "CREATE TABLE ledger_2009 (id int)", "CREATE VIEW v AS SELECT 1 AS one")
    plan = run("plan", schema(V1), "--db", database, "--json").json
    assert {"table public.ledger_2009", "view public.v"} <= set(plan["unmanaged"])
    applied(run, schema(V1), database, "--contract", "--unsafe")
    assert rows(database, "SELECT to_regclass('ledger_2009') IS NOT NULL") == [(True,)]
    adopted = run("plan", schema(V1), "--db", database, "--json", "--adopt-all").json
    assert [wave["name"] for wave in adopted["waves"]] == ["CONTRACT"]
    assert {step["object"] for step in adopted["waves"][0]["steps"]} == {"public.ledger_2009", "public.v"}


def test_a_plan_file_is_executed_exactly_or_not_at_all(
    run: Run, schema: Callable[..., Path], database: str, tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"
    assert run("plan", schema(V1), "--db", database, "-o", file).code == 0
    changed = tmp_path / "changed.json"
    changed.write_text(file.read_text().replace("text NOT NULL", "text"))
    assert changed.read_text() != file.read_text()
    refused = run("apply", changed, "--db", database, "--yes")
    assert refused.code == 6
    assert "changed.json" in refused.err
    assert rows(database, "SELECT to_regclass('person')") == [(None,)]

    execute(database, "CREATE TABLE person (id uuid)")
    drifted = run("apply", file, "--db", database, "--yes")
    assert drifted.code == 7
    assert rows(database, "SELECT to_regnamespace('wesley')") == [(None,)]
    execute(database, "DROP TABLE person")

    assert run("apply", file, "--db", database, "--yes").code == 0
    drifted = run("apply", file, "--db", database, "--yes")
    assert drifted.code == 7
    assert "Make the plan again" in drifted.err


@pytest.mark.parametrize("damage", ["{", "[]", '{"plan_id": 1}', '{"waves": [], "version": 99}', "\0{}"])
def test_a_damaged_plan_file_is_refused(run: Run, schema: Callable[..., Path], database: str, damage: str) -> None:
    called = run("apply", schema(damage, "plan.json"), "--db", database, "--yes")
    assert called.code in {3, 6}
    assert "Traceback" not in called.err


def test_a_failed_run_is_resumed_by_the_same_apply(run: Run, schema: Callable[..., Path], database: str) -> None:
    applied(run, schema(V1), database)
    execute(database, "INSERT INTO person (id, email) SELECT gen_random_uuid(), 'p' || n FROM generate_series(1, 9) n")
    path = schema(
        V1.replace("email: String! @unique", 'email: String! @unique\n  nick: String! @default(value: "x") @unique')
    )
    failed = run("apply", path, "--db", database, "--yes", "--json")
    assert failed.code in {1, 6}
    assert failed.json["status"] == "failed"
    assert "nick" in failed.err
    status = run("status", "--db", database, "--json").json
    assert status["run"]["status"] == "failed"
    assert "failed" in {step["status"] for step in status["steps"]}
    execute(database, "UPDATE person SET nick = email")
    done = applied(run, path, database)
    assert "going on with its plan" in done.err
    assert done.json["run_id"] == failed.json["run_id"]
    assert done.json["verified"] is True


def test_status_and_history_of_an_untouched_database(run: Run, database: str) -> None:
    assert run("status", "--db", database, "--json").json == {"run": None, "steps": []}
    assert run("history", "--db", database, "--json").json == {"runs": []}
    assert run("status", "--db", database).code == 0
    assert rows(database, "SELECT to_regnamespace('wesley')") == [(None,)]


def test_history_and_verify_after_tampering(run: Run, schema: Callable[..., Path], database: str) -> None:
    applied(run, schema(V1), database)
    assert len(run("history", "--db", database, "--json").json["runs"]) == 1
    assert run("verify", "--db", database).code == 0
    execute(
        database,
        "ALTER TABLE wesley.migration_events DISABLE TRIGGER USER",
        "UPDATE wesley.migration_events SET message = 'nothing happened' WHERE id = 3",
    )
    tampered = run("verify", "--db", database, "--json")
    assert tampered.code == 6
    assert tampered.json["ok"] is False
    refused = run("apply", schema(V2), "--db", database, "--yes")
    assert refused.code == 6
    assert "tampered" in refused.err


def test_pull_plans_to_nothing(run: Run, schema: Callable[..., Path], any_database: str, tmp_path: Path) -> None:
    applied(run, schema(V2), any_database)
    pulled = tmp_path / "pulled.graphql"
    assert run("pull", "--db", any_database, "-o", pulled).code == 0
    assert run("plan", pulled, "--db", any_database, "--json").json["waves"] == []
    document = run("pull", "--db", any_database, "--json").json
    assert document["sdl"] == pulled.read_text()


def test_plan_changes_nothing(run: Run, schema: Callable[..., Path], database: str) -> None:
    for form in ((), ("--explain",), ("--sql",), ("--json",)):
        assert run("plan", schema(V1), "--db", database, *form).code == 0
    assert rows(database, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]
    assert rows(database, "SELECT to_regnamespace('wesley')") == [(None,)]


def test_apply_asks_before_it_changes_anything(run: Run, schema: Callable[..., Path], database: str) -> None:
    called = run("apply", schema(V1), "--db", database)
    assert called.code == 2
    assert "--yes" in called.err
    assert rows(database, "SELECT to_regclass('person')") == [(None,)]


def test_two_files_and_a_directory(run: Run, database: str, tmp_path: Path) -> None:
    folder = tmp_path / "schema"
    folder.mkdir()
    (folder / "a.graphql").write_text("type A @table { id: ID! @pk }\n")
    (folder / "b.graphql").write_text('extend type A { b: ID @fk(ref: "B.id") }\ntype B @table { id: ID! @pk }\n')
    plan = run("plan", folder, "--db", database, "--json")
    assert plan.code == 0
    other = run("plan", folder / "a.graphql", folder / "b.graphql", "--db", database, "--json")
    assert other.json["plan_id"] == plan.json["plan_id"]


def test_schema_from_stdin(run: Run, database: str) -> None:
    assert run("plan", "-", "--db", database, "--json", stdin=V1).json["waves"]


def test_byte_order_mark_and_line_ends_make_no_other_plan(run: Run, database: str, tmp_path: Path) -> None:
    ids = set()
    for name, data in (("lf", V1), ("crlf", V1.replace("\n", "\r\n")), ("bom", "\ufeff" + V1)):
        path = tmp_path / f"{name}.graphql"
        path.write_bytes(data.encode())
        ids.add(run("plan", path, "--db", database, "--json").json["plan_id"])
    assert len(ids) == 1


def test_demo_lists_its_sessions(run: Run) -> None:
    sessions = run("demo", "--list", "--json").json
    assert len(sessions) >= 3
    assert json.dumps(sessions)


def test_one_schema_for_many_tenants(run: Run, schema: Callable[..., Path], database: str, tmp_path: Path) -> None:
    first = applied(run, schema(V1), database, "--schema", "tenant_a", "--schema", "tenant b").json
    assert first["verified"] is True
    tables = "SELECT schemaname FROM pg_tables WHERE tablename = 'person' ORDER BY 1"
    assert rows(database, tables) == [("tenant b",), ("tenant_a",)]
    execute(database, """INSERT INTO "tenant b".person (id, email) VALUES (gen_random_uuid(), 'a')""")
    execute(database, "CREATE SCHEMA elsewhere")

    file = tmp_path / "plan.json"
    assert run("plan", schema(V2), "--db", database, "--schema", "tenant*", "-o", file).code == 0
    done = run("apply", file, "--db", database, "--yes", "--json")
    assert done.json["verified"] is True
    assert rows(database, """SELECT token IS NOT NULL FROM "tenant b".person""") == [(True,)]
    assert rows(database, tables) == [("tenant b",), ("tenant_a",)]
    assert run("plan", schema(V2), "--db", database, "--schema", "tenant*", "--json").json["waves"] == []
    none = run("plan", schema(V2), "--db", database, "--schema", "client_*")
    assert none.code == 2
    assert "elsewhere" in none.err


def test_a_rename_is_asked_and_accepted(run: Run, schema: Callable[..., Path], database: str) -> None:
    applied(run, schema(V1), database)
    execute(database, "INSERT INTO person (id, email) VALUES (gen_random_uuid(), 'kept')")
    renamed = schema(V1.replace("email:", "eMail:"))
    asked = run("plan", renamed, "--db", database, "--json").json
    assert [(question["old"], question["new"]) for question in asked["questions"]] == [("email", "e_mail")]
    applied(run, renamed, database, "--accept-rename", "column:public.person.email=e_mail", "--unsafe")
    assert rows(database, "SELECT e_mail FROM person") == [("kept",)]


def test_ignored_objects_are_left_out(run: Run, schema: Callable[..., Path], database: str) -> None:
    execute(database, "CREATE TABLE legacy_a (id int)", "CREATE TABLE other (id int)")
    plan = run("plan", schema(V1), "--db", database, "--json", "--adopt-all", "--ignore", "public.legacy_*").json
    objects = {step["object"] for wave in plan["waves"] for step in wave["steps"]}
    assert "public.other" in objects
    assert "public.legacy_a" not in objects


def test_spellings_that_only_the_server_understands_settle(
    run: Run, schema: Callable[..., Path], any_database: str
) -> None:
    """``SELECT *`` is stored as a list of columns: only a memory of what was made can tell that nothing differs."""
    text = V1 + "\ntype Everybody @view(query: \"SELECT * FROM person WHERE mood IN ('TIRED') ORDER BY 2\")\n"
    done = applied(run, schema(text), any_database).json
    assert done["verified"] is True
    assert run("plan", schema(text), "--db", any_database, "--json").json["waves"] == []
    other = schema(text.replace("ORDER BY 2", "ORDER BY 1"))
    assert run("plan", other, "--db", any_database, "--json").json["waves"] != []
    execute(any_database, "CREATE OR REPLACE VIEW everybody AS SELECT * FROM person WHERE mood = 'CALM' ORDER BY 2")
    assert run("plan", schema(text), "--db", any_database, "--json").json["waves"] != []


def test_free_sql_runs_once_for_each_of_its_texts(run: Run, schema: Callable[..., Path], database: str) -> None:
    text = V1 + (
        '\nextend schema @sql(name: "note", create: "CREATE TABLE noted AS SELECT 1 AS n", drop: "DROP TABLE noted")\n'
    )
    assert applied(run, schema(text), database, "--unsafe").json["verified"] is True
    assert run("plan", schema(text), "--db", database, "--json").json["waves"] == []
    execute(database, "DROP TABLE noted")
    other = schema(text.replace("SELECT 1", "SELECT 2"))
    assert applied(run, other, database, "--unsafe").json["verified"] is True
    assert rows(database, "SELECT n FROM noted") == [(2,)]
    assert run("plan", other, "--db", database, "--json").json["waves"] == []


def test_one_migration_at_a_time(run: Run, schema: Callable[..., Path], database: str) -> None:
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (RUN_LOCK,))
        refused = run("apply", schema(V1), "--db", database, "--yes", "--json")
    assert refused.code == 5
    assert refused.json["error"]["name"] == "lock_not_acquired"
    assert rows(database, "SELECT to_regclass('person')") == [(None,)]


def test_a_run_whose_process_is_gone_has_to_be_ended_first(
    run: Run, schema: Callable[..., Path], database: str
) -> None:
    applied(run, schema(V1), database)
    execute(database, "UPDATE wesley.migration_runs SET status = 'running'")
    refused = run("apply", schema(V2), "--db", database, "--yes")
    assert refused.code == 10
    assert "wesley resume" in refused.err
    assert run("cancel", "--db", database).code == 0
    assert run("apply", schema(V2), "--db", database, "--yes").code == 0
