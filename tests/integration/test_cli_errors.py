"""Bad input: one clear message, the right exit code, nothing half-written, never a traceback."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.cli import WESLEY, Called, wesley
from wesley_tui.demo.server import EmbeddedServer

GOOD = "type Person @table { id: ID! @pk }\n"


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / "schema.graphql"
    path.write_text(GOOD)
    return path


@pytest.fixture
def wrong_password(server: EmbeddedServer, database: str) -> Iterator[str]:
    """A conninfo of a role whose password is another one."""
    rules = server.data / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text("local all locked_out scram-sha-256\n" + before)
    with psycopg.connect(server.uri, autocommit=True) as connection:
        connection.execute("CREATE ROLE locked_out LOGIN PASSWORD 'r1ght'")
        connection.execute("SELECT pg_reload_conf()")
        yield make_conninfo(database, user="locked_out", password="wr0ng")
        rules.write_text(before)
        connection.execute("DROP ROLE locked_out")
        connection.execute("SELECT pg_reload_conf()")


def clean(called: Called) -> Called:
    assert "Traceback" not in called.err + called.out
    assert "internal error" not in called.err
    assert called.err.strip()
    return called


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("type A @table { id: ID! @pk\n  x: \n}\n", 3, "expected"),
        ("type A @table {\n  id: ID! @pk @uniqe\n}\n", 2, "@unique"),
        ("type A @tabel {\n  id: ID! @pk\n}\n", 1, "@table"),
        ("type A @table {\n  id: ID! @pk\n  x: Strin\n}\n", 3, "String"),
        ('type A @table {\n  id: ID! @pk(nam: "x")\n}\n', 2, "name"),
        ('type A @table {\n  id: ID! @pk\n  b: ID @fk(ref: "B.id")\n}\n', 3, "B"),
        (f"type A @table {{\n  id: ID! @pk\n  {'x' * 64}: Int\n}}\n", 3, "63"),
        ("type A @table {\n  id: ID! @pk\n  id: Int\n}\n", 3, "id"),
        ('type A @table {\n  id: ID! @pk\n  n: Int @check(expr: "n >")\n}\n', 3, ""),
    ],
    ids=["syntax", "directive", "type-directive", "scalar", "argument", "foreign-key", "too-long", "twice", "sql"],
)
def test_schema_errors_have_a_place(tmp_path: Path, database: str, text: str, line: int, said: str) -> None:
    path = tmp_path / "bad.graphql"
    path.write_text(text)
    called = clean(wesley("plan", path, "--db", database, "--json", state=tmp_path))
    assert called.code == 3
    (diagnostic, *_) = called.json["error"]["diagnostics"]
    assert diagnostic["line"] == line
    assert diagnostic["column"] > 0
    assert said in called.err


@pytest.mark.parametrize(
    "data", [b"type A @table { id: ID! @pk \xff }", b"\x00", b"type A \x1b[2J @table { id: ID! @pk }", b"\xff\xfe{"]
)
def test_bytes_that_are_no_schema(tmp_path: Path, database: str, data: bytes) -> None:
    path = tmp_path / "bad.graphql"
    path.write_bytes(data)
    called = clean(wesley("plan", path, "--db", database, state=tmp_path))
    assert called.code == 3
    assert "bad.graphql:1" in called.err
    assert "\x1b" not in called.err


def test_circular_foreign_keys_are_no_error(tmp_path: Path, database: str) -> None:
    path = tmp_path / "circle.graphql"
    path.write_text(
        'type A @table { id: ID! @pk  b: ID @fk(ref: "B.id") }\ntype B @table { id: ID! @pk  a: ID @fk(ref: "A.id") }\n'
    )
    called = wesley("apply", path, "--db", database, "--yes", state=tmp_path)
    assert called.code == 0, called.err
    with psycopg.connect(database) as connection:
        assert connection.execute(
            "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
        ).fetchone() == (2,)


def test_reserved_words_are_names_like_others(tmp_path: Path, database: str) -> None:
    path = tmp_path / "reserved.graphql"
    path.write_text("type Order @table { id: ID! @pk  select: Int  group: String }\n")
    called = wesley("apply", path, "--db", database, "--yes", state=tmp_path)
    assert called.code == 0, called.err


@pytest.mark.parametrize("verb", ["plan", "apply", "status", "history", "pull", "resume", "cancel", "verify"])
def test_unreachable_server(tmp_path: Path, schema: Path, verb: str) -> None:
    arguments: list[str | Path] = [schema] if verb in {"plan", "apply"} else []
    arguments += ["--yes"] if verb == "apply" else []
    called = clean(wesley(verb, *arguments, "--db", "postgresql://u:s3cret@127.0.0.1:9/x", "--json", state=tmp_path))
    assert called.code == 4
    assert "s3cret" not in called.err + called.out
    assert called.json["error"]["name"] == "cannot_connect"


def test_wrong_password(tmp_path: Path, schema: Path, wrong_password: str) -> None:
    called = clean(wesley("plan", schema, "--db", wrong_password, state=tmp_path))
    assert called.code == 4
    assert "password" in called.err
    assert "wr0ng" not in called.err


@pytest.mark.parametrize("conninfo", ["host=a bla", "postgresql://[", "nonsense"])
def test_bad_conninfo(tmp_path: Path, schema: Path, conninfo: str) -> None:
    for verb in ("plan", "status"):
        arguments = [schema] if verb == "plan" else []
        called = clean(wesley(verb, *arguments, "--db", conninfo, state=tmp_path))
        assert called.code in {2, 4}


def test_missing_file_unknown_command_unknown_option(tmp_path: Path) -> None:
    for arguments in (
        ["plan", "absent.graphql"],
        ["plam"],
        ["plan", "--nope"],
        ["plan"],
        ["apply"],
        ["demo", "--session", "x"],
    ):
        called = clean(wesley(*arguments, state=tmp_path))
        assert called.code == 2


def test_psql_missing_and_too_old(tmp_path: Path, schema: Path, database: str) -> None:
    missing = clean(
        wesley("apply", schema, "--db", database, "--yes", state=tmp_path, env={"WESLEY_PSQL": str(tmp_path / "no")})
    )
    assert missing.code == 6
    assert "psql" in missing.err
    old = tmp_path / "psql"
    old.write_text("#!/bin/sh\necho 'psql (PostgreSQL) 9.6.24'\n")
    old.chmod(old.stat().st_mode | stat.S_IXUSR)
    too_old = clean(wesley("apply", schema, "--db", database, "--yes", state=tmp_path, env={"WESLEY_PSQL": str(old)}))
    assert too_old.code == 6
    assert "9.6" in too_old.err
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('person')").fetchone() == (None,)


def test_plan_output_into_a_place_that_cannot_be_written(tmp_path: Path, schema: Path, database: str) -> None:
    called = clean(wesley("plan", schema, "--db", database, "-o", tmp_path / "no" / "plan.json", state=tmp_path))
    assert called.code == 2


def test_the_application_needs_a_terminal(tmp_path: Path, schema: Path) -> None:
    for arguments in ([], [schema]):
        called = clean(wesley(*arguments, state=tmp_path))
        assert called.code == 2
        assert "terminal" in called.err


def test_output_survives_a_narrow_locale_and_a_closed_pipe(tmp_path: Path, database: str) -> None:
    path = tmp_path / "schema.graphql"
    path.write_text('"""Größe ☃"""\ntype Person @table { id: ID! @pk }\n')
    called = wesley(
        "plan",
        path,
        "--db",
        database,
        "--sql",
        state=tmp_path,
        env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    )
    assert called.code == 0, called.err
    reader, writer = os.pipe()
    os.close(reader)
    try:
        closed = subprocess.run(
            [str(WESLEY), "plan", str(path), "--db", database, "--json"],
            stdout=writer, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert "Traceback" not in closed.stderr
    assert "BrokenPipe" not in closed.stderr


def test_wrong_options_are_json_too(tmp_path: Path) -> None:
    called = clean(wesley("plan", "--nosuch", "--json", state=tmp_path))
    assert called.code == 2
    assert called.json["error"]["name"] == "usage"
    assert "--nosuch" in called.json["error"]["message"]


def test_a_file_that_is_not_there_is_no_command(tmp_path: Path) -> None:
    called = clean(wesley("nowhere.graphql", state=tmp_path))
    assert called.code == 2
    assert "There is no file 'nowhere.graphql'" in called.err


def test_an_empty_schema_is_said_to_be_empty(tmp_path: Path, database: str) -> None:
    called = clean(wesley("plan", "-", "--db", database, state=tmp_path, stdin="\n"))
    assert called.code == 0
    assert "declares nothing" in called.err


def test_a_shortened_key_is_no_key(tmp_path: Path, database: str) -> None:
    called = clean(wesley("verify", "--key", "011a14d88efea743", "--db", database, state=tmp_path))
    assert called.code == 2
    assert "64" in called.err


def test_lint_writes_nothing_that_a_terminal_obeys(tmp_path: Path) -> None:
    path = tmp_path / "evil.sql"
    path.write_text("SELEC \x1b]0;title\x07;")
    for form in ([], ["--github"]):
        called = wesley("lint", path, *form, state=tmp_path)
        assert called.code == 3
        assert "\x1b" not in called.out


@pytest.mark.parametrize("where", [">&-", "| true", ">/dev/full"])
def test_what_nobody_reads_keeps_its_exit_code(tmp_path: Path, where: str) -> None:
    path = tmp_path / "drop.sql"
    path.write_text("DROP TABLE a;\n" * 2000)  # more than a pipe holds
    called = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"exec {WESLEY} lint --json '{path}' {where}"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert called.returncode == 1
    assert "Traceback" not in called.stderr
    assert "defect" not in called.stderr
