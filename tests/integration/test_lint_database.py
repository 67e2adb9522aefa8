"""Lint with a live database: exact locks, proofs, sizes. And the command, end to end."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
from click.testing import CliRunner

from tests.lock_page import locks_page, read_catalog
from wesley_tui.cli.main import cli

ROOT = Path(__file__).parents[2]
SCHEMA = """
CREATE TABLE org (id bigint PRIMARY KEY, name varchar(10));
CREATE TABLE users (id bigint PRIMARY KEY, org_id bigint REFERENCES org (id), email text,
    CONSTRAINT email_there CHECK (email IS NOT NULL));
INSERT INTO org SELECT i, 'x' FROM generate_series(1, 100) AS i;
INSERT INTO users SELECT i, 1, 'e' FROM generate_series(1, 100000) AS i;
ANALYZE;
"""


def lint(tmp_path: Path, sql: str, *options: str) -> tuple[int, list[dict[str, object]]]:
    file = tmp_path / "m.sql"
    file.write_text(sql)
    outcome = CliRunner().invoke(cli, ["lint", str(file), "--json", *options])
    return outcome.exit_code, json.loads(outcome.stdout)


def test_with_a_database_the_answers_are_its_own(tmp_path: Path, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(SCHEMA)
    sql = (
        "ALTER TABLE users DROP COLUMN org_id;\nALTER TABLE users ALTER COLUMN email SET NOT NULL;\n"
        "ALTER TABLE org ALTER COLUMN name TYPE text;\nCREATE INDEX o ON org (name);\n"
        "CREATE INDEX u ON users (email);\n"
    )
    _, found = lint(tmp_path, sql, "--db", database)
    assert found[0]["locks"] == {"public.org": "AccessExclusiveLock", "public.users": "AccessExclusiveLock"}
    assert (found[1]["hazard"], found[1]["scans"]) == ("H1", [])
    assert (found[2]["hazard"], found[2]["rewrites"]) == ("H1", [])
    assert (found[3]["hazard"], found[3]["findings"]) == ("H1", []), "a tiny table is no hazard"
    assert found[4]["hazard"] == "H3"


def test_exit_codes(tmp_path: Path) -> None:
    assert lint(tmp_path, "SELECT 1;")[0] == 0
    assert lint(tmp_path, "DROP TABLE users;")[0] == 1
    assert lint(tmp_path, "DROP TABLE;\nSELECT 1;")[0] == 3


def test_the_page_of_locks_is_current(database: str) -> None:
    assert (ROOT / "docs" / "locks.md").read_text(encoding="utf-8") == locks_page(read_catalog(database))
