"""Hand-written plans and policies through the command: shown, refused, executed, taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli import Called, wesley
from tests.hand_written import document

SETUP = """
CREATE TABLE users (id bigint PRIMARY KEY, email text);
INSERT INTO users SELECT g, 'U' || g FROM generate_series(1, 200) AS g;
ANALYZE
"""
COLUMN = {"op": "add_column", "table": "public.users", "column": "mail", "type": "text"}
FILL = {"op": "backfill_sql", "sql": "UPDATE users SET mail = lower(email) WHERE mail IS NULL"}


def plan(*steps: dict[str, Any], wave: str = "EXPAND", **limits: int) -> str:
    return json.dumps(document(*steps, wave=wave, **limits))


def run(state: Path, database: str, name: str, text: str, *flags: str, command: str = "apply") -> Called:
    path = state / name
    path.write_text(text)
    yes = ("--yes",) if command == "apply" else ()
    return wesley(command, path, "--db", database, *yes, *flags, state=state)


@pytest.fixture
def users(database: str) -> str:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(SETUP.encode())
    return database


def value(database: str, query: str) -> Any:
    with psycopg.connect(database, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_a_plan_is_shown_executed_and_taken_back(users: str, tmp_path: Path) -> None:
    text = plan(COLUMN, FILL, max_lock_ms=500, max_retries=1, rows_per_second=50_000)
    shown = run(tmp_path, users, "lower.txt", text, "--json", command="plan")
    assert shown.code == 0, shown.err
    first, second = shown.json["waves"][0]["steps"]
    assert (first["op"], first["lock_timeout_ms"], first["max_retries"]) == ("add_column", 500, 1)
    assert second["backfill"]["rows_per_second"] == 50_000
    assert shown.json["title"] == "A test"
    assert [item["decision"] for item in shown.json["policy"]["steps"]] == ["allowed", "allowed"]
    done = run(tmp_path, users, "lower.txt", text, "--json")
    assert done.code == 0, done.err
    assert value(users, "SELECT count(*) FROM users WHERE mail = lower(email)") == 200
    back = wesley("rollback", "--db", users, "--yes", "--unsafe", "--json", state=tmp_path)
    assert back.code == 0, back.err
    assert value(users, "SELECT count(*) FROM pg_attribute WHERE attname = 'mail'") == 0


def test_mistakes_have_their_place_and_exit_code(users: str, tmp_path: Path) -> None:
    wrong = run(tmp_path, users, "p.json", plan({**COLUMN, "colum": "x"}), "--json")
    assert wrong.code == 3
    (found,) = wrong.json["error"]["diagnostics"]
    assert (found["line"], "did you mean 'column'" in found["message"]) == (1, True)
    assert run(tmp_path, users, "p.json", plan({**COLUMN, "table": "public.usrs"})).code == 3
    refused = run(tmp_path, users, "p.json", plan({**FILL, "sql": "UPDATE users SET email = pg_sleep(1)::text"}))
    assert refused.code == 3
    assert "pg_sleep is refused" in refused.err
    assert "Traceback" not in refused.err
    assert value(users, "SELECT to_regnamespace('wesley') IS NULL")


def test_a_planned_migration_is_written_and_runs_the_same(users: str, tmp_path: Path) -> None:
    schema = tmp_path / "schema.graphql"
    schema.write_text(
        'type User @table(name: "users") { id: BigInt! @pk  email: String  note: String! @default(value: "n") }\n'
    )
    written = wesley("plan", schema, "--db", users, "--dsl", state=tmp_path)
    assert written.code == 0, written.err
    planned = wesley("plan", schema, "--db", users, "--json", state=tmp_path).json
    again = run(tmp_path, users, "written.json", written.out, "--json", command="plan").json

    def statements(found: dict[str, Any]) -> list[list[str]]:
        return [step["statements"] for wave in found["waves"] for step in wave["steps"]]

    assert statements(again) == statements(planned) != []
    assert run(tmp_path, users, "written.json", written.out).code == 0
    nothing = wesley("plan", schema, "--db", users, "--dsl", state=tmp_path)
    assert (nothing.code, nothing.out, "nothing to do" in nothing.err) == (0, "", True)


def test_chaos_refuses_too_much_too_soon_and_too_often(users: str, tmp_path: Path) -> None:
    columns = [{**COLUMN, "column": f"c{number}"} for number in range(6)]
    many = run(tmp_path, users, "many.json", plan(*columns), "--profile", "chaos", "--json")
    assert (many.code, "max_steps_per_wave" in many.err) == (8, True)
    verdicts = many.json["error"]["policy"]["steps"]
    assert [item["decision"] for item in verdicts] == ["allowed"] * 5 + ["refused"]
    lossy = plan({"op": "drop_column", "table": "users", "column": "email"})
    lost = run(tmp_path, users, "lost.json", lossy, "--profile", "chaos", "--unsafe")
    assert (lost.code, "max_hazard" in lost.err) == (8, True)
    assert run(tmp_path, users, "one.json", plan(columns[0]), "--profile", "chaos").code == 0
    soon = run(tmp_path, users, "two.json", plan(columns[1]), "--profile", "chaos")
    assert (soon.code, "cooldown_s" in soon.err) == (8, True)
    own = tmp_path / "own.toml"
    own.write_text('name = "own"\nbased_on = "chaos"\n[rules]\ncooldown_s = 0\nplans_per_user_per_day = 1\n')
    often = run(tmp_path, users, "two.json", plan(columns[1]), "--policy", str(own), "--json")
    assert (often.code, "plans_per_user_per_day, policy own" in often.json["error"]["message"]) == (8, True)
    assert (
        value(users, "SELECT count(*) FROM pg_attribute WHERE attname LIKE 'c_' AND attrelid = 'users'::regclass") == 1
    )


def test_a_policy_of_ones_own(users: str, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('name = "own"\n[limits]\nmax_lock_ms = 70\n[rules]\ndeny_tables = ["public.users"]\n')
    shown = run(tmp_path, users, "p.json", plan(COLUMN), "--policy", str(own), "--json", command="plan").json
    assert shown["waves"][0]["steps"][0]["lock_timeout_ms"] == 70
    (verdict,) = shown["policy"]["steps"]
    assert (verdict["decision"], verdict["rule"], verdict["policy"]) == ("refused", "deny_tables", "own")
    own.write_text('name = "own"\n[rules]\nmax_hazzard = "H1"\n')
    wrong = run(tmp_path, users, "p.json", plan(COLUMN), "--policy", str(own))
    assert (wrong.code, ":3:1: " in wrong.err, "max_hazard" in wrong.err) == (2, True, True)
    config = tmp_path / "config" / "wesley"
    config.mkdir(parents=True)
    (config / "team.toml").write_text('name = "team"\n[rules]\ndeny_ops = ["add_column"]\n')
    (config / "config.toml").write_text('[wesley]\npolicy = "team.toml"\n')
    refused = run(tmp_path, users, "p.json", plan(COLUMN))
    assert (refused.code, "deny_ops, policy team" in refused.err) == (8, True)
    assert run(tmp_path, users, "p.json", plan(COLUMN), "--policy", "production").code == 0


def test_lint_speaks_of_the_lines_of_the_document(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    bad = {"op": "add_index", "index": "i", "table": "public.users", "keys": ["email"]}
    path.write_text(json.dumps(document(COLUMN, bad), indent=1))
    linted = wesley("lint", path, "--json", state=tmp_path)
    column, index = linted.json
    lines = path.read_text().split("\n")
    assert "{" in lines[column["line"] - 1]
    assert '"op": "add_index"' in lines[index["line"]]
    assert index["findings"]
    assert not column["findings"]


def test_a_step_is_tried_as_often_as_its_wave_says(users: str, tmp_path: Path) -> None:
    with psycopg.connect(users) as blocker:
        blocker.execute(b"LOCK TABLE public.users IN ACCESS SHARE MODE")
        stopped = run(tmp_path, users, "p.json", plan(COLUMN, max_lock_ms=200, max_retries=1), "--json")
    assert stopped.code == 5, stopped.err
    assert "wesley resume" in stopped.err
    watched = wesley("attach", "--db", users, state=tmp_path)
    assert watched.code == 5, watched.err
    assert value(users, "SELECT count(*) FROM wesley.migration_events WHERE type = 'lock.timeout'") == 1
    waited = value(
        users,
        "SELECT array_agg((metrics ->> 'lock_timeout_ms')::int ORDER BY id) FROM wesley.migration_events "
        "WHERE type IN ('lock.timeout', 'step.fail')",
    )
    assert waited == [100, 200], "the last attempt waits as long as it may"


def test_what_waits_for_contract_is_judged_when_it_runs(users: str, tmp_path: Path) -> None:
    waves = [
        {"name": "EXPAND", "steps": [COLUMN]},
        {"name": "CONTRACT", "steps": [{"op": "drop_column", "table": "users", "column": "email"}]},
    ]
    text = json.dumps({"wesley_plan": 1, "title": "Two waves", "reason": "One of them loses data.", "waves": waves})
    own = tmp_path / "own.toml"
    own.write_text('name = "own"\n[rules]\ndeny_ops = ["drop_*"]\n')
    assert run(tmp_path, users, "p.json", text, "--policy", str(own)).code == 0
    flags = ("--contract", "--unsafe", "--db", users)
    refused = wesley("resume", *flags, "--policy", own, state=tmp_path)
    assert (refused.code, "deny_ops, policy own" in refused.err) == (8, True)
    assert wesley("resume", *flags, state=tmp_path).code == 0
    assert (
        value(users, "SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'email'") == 0
    )
