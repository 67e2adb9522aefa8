"""Scripts: what psql would do with them, what the statements leave for each other, what is silenced."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wesley_tui.lint import LintOptions, StatementReport, lint_script
from wesley_tui.lint.report import as_github, as_json, as_sarif, as_text
from wesley_tui.lint.run import notes_of
from wesley_tui.planner.plan import LockMode


def rules(sql: str, **options: object) -> list[set[str]]:
    reports = lint_script(sql, LintOptions(**options))  # type: ignore[arg-type]
    return [{item.rule for item in report.findings} for report in reports]


def reports(sql: str) -> list[StatementReport]:
    return lint_script(sql, LintOptions())


def test_lines_are_those_of_the_first_token() -> None:
    sql = "-- a comment; with a semicolon\n\nSELECT 1;\n/* two\nlines */ SELECT\n 2; SELECT 'ü;';\nSELECT 4"
    assert [(item.line, item.sql) for item in reports(sql)] == [
        (3, "SELECT 1"),
        (5, "SELECT\n 2"),
        (6, "SELECT 'ü;'"),
        (7, "SELECT 4"),
    ]


def test_a_syntax_error_is_one_finding_at_its_place_and_the_rest_is_linted() -> None:
    found = reports("SELECT 1;\nALTER TABLE t ADD COLUM x int;\nDROP TABLE users;\n")
    assert [item.parsed for item in found] == [True, False, True]
    assert [item.rule for item in found[1].findings] == ["syntax-error"]
    assert found[1].findings[0].message.startswith("2:")
    assert "ban-drop-table" in {item.rule for item in found[2].findings}


def test_meta_commands_are_skipped_with_a_note() -> None:
    sql = "\\set x 1\n\\c other\nSELECT 1 \\gexec\nSELECT 2;\n\\copy t from 'f'\nSELECT '\\';\n"
    assert [item.line for item in reports(sql)] == [3, 4, 6]
    assert [note.line for note in notes_of(sql)] == [1, 2, 3, 5]


def test_copy_data_is_no_sql() -> None:
    sql = "COPY t (id) FROM stdin;\n1\tit's; DROP TABLE x\n\\N\n\\.\nDROP TABLE y;\n"
    found = reports(sql)
    assert [item.line for item in found] == [1, 5]


def test_bodies_of_functions_are_one_statement() -> None:
    sql = (
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $f$ BEGIN; RETURN 1; END $f$;\n"
        "CREATE FUNCTION g() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; END;\n"
        "THIS IS WRONG;\nSELECT 1;"
    )
    assert [item.line for item in reports(sql)] == [1, 2, 3, 4]


def test_variables_of_psql_do_not_hide_statements() -> None:
    found = reports("DROP TABLE :\"name\";\nUPDATE users SET a = :'value', b = x::text WHERE id = :id;\nBROKEN;")
    assert [item.parsed for item in found] == [True, True, False]


def test_new_tables_are_harmless() -> None:
    sql = (
        "CREATE TABLE t (id bigint PRIMARY KEY, a text);\nCREATE INDEX i ON t (a);\nALTER TABLE t ADD CHECK (a <> '');"
    )
    found = reports(sql)
    assert [item.hazard.name for item in found] == ["H0", "H0", "H0"]
    assert not any(item.findings for item in found)


def test_a_new_table_of_if_not_exists_may_be_an_old_one() -> None:
    sql = "CREATE TABLE IF NOT EXISTS t (id bigint PRIMARY KEY, a text);\nCREATE INDEX i ON t (a);"
    assert "require-concurrent-index-creation" in rules(sql)[1]


def test_single_transaction_is_one_transaction() -> None:
    sql = "CREATE INDEX CONCURRENTLY i ON users (a);"
    assert "ban-concurrent-index-creation-in-transaction" not in rules(sql)[0]
    assert "ban-concurrent-index-creation-in-transaction" in rules(sql, single_transaction=True)[0]


def test_timeouts_count_as_long_as_they_hold() -> None:
    sql = (
        "BEGIN;\nSET LOCAL lock_timeout = '1s';\nSET LOCAL statement_timeout = '1s';\n"
        "ALTER TABLE a ADD COLUMN b text;\nCOMMIT;\nALTER TABLE a ADD COLUMN c text;"
    )
    found = rules(sql)
    assert not found[3]
    assert {"missing-lock-timeout", "missing-statement-timeout"} <= found[5]


def test_the_transaction_is_known() -> None:
    sql = "BEGIN;\nALTER TABLE a ADD COLUMN b text;\nUPDATE a SET b = 'x' WHERE id < 9;\nCOMMIT;"
    found = reports(sql)
    assert found[2].hazard.name == "H3"
    assert "ddl-and-backfill-in-one-transaction" in {item.rule for item in found[2].findings}


def test_the_search_path_is_known() -> None:
    found = reports("SET search_path TO app;\nALTER TABLE a ADD COLUMN b text;")
    assert dict(found[1].locks).keys() == {"app.a"}


@pytest.mark.parametrize(
    ("sql", "kept"),
    [
        ("-- wesley:ignore ban-drop-table nobody uses it\nDROP TABLE a;", False),
        ("DROP TABLE a; -- wesley:ignore ban-drop-table nobody uses it", False),
        ("-- wesley:ignore ban-drop-table\nDROP TABLE a;", True),
        ("-- wesley:ignore ban-truncate other rule\nDROP TABLE a;", True),
        ("SELECT 1; -- wesley:ignore ban-drop-table for the one before\nDROP TABLE a;", True),
    ],
)
def test_findings_are_silenced_with_a_reason(sql: str, kept: bool) -> None:
    assert any("ban-drop-table" in found for found in rules(sql)) == kept


def test_unknown_is_dangerous() -> None:
    (report,) = reports("DO $$ BEGIN EXECUTE format('DROP TABLE %I', 'a'); END $$;")
    assert report.hazard.name == "H3"


def test_code_is_read_when_it_can_be() -> None:
    (report,) = reports("DO $$ BEGIN IF true THEN ALTER TABLE a DROP COLUMN b; END IF; END $$;")
    assert (report.hazard.name, dict(report.locks)) == ("H3", {"public.a": LockMode.AccessExclusiveLock})
    assert "ban-drop-column" in {item.rule for item in report.findings}
    (report,) = reports("DO $$ BEGIN CREATE TYPE m AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END $$;")
    assert report.hazard.name == "H0"


@pytest.mark.parametrize(
    ("sql", "places"),
    [
        ("SELECT 1 \\; DROP TABLE a;", [(1, 1), (1, 13)]),
        ("\ufeffSELECT 1;\r\nDROP TABLE;\r\n", [(1, 1), (2, 11)]),
        ("SELECT 'open;\nDROP TABLE a;\n", [(1, 8)]),
        ("SELECT 1;\n\n  DO $$ open", [(1, 1), (3, 6)]),
        ("SELECT \x00 1;\nSELEC 2;", [(1, 1), (2, 1)]),
        ("é; SELECT 'é' é é;", [(1, 1), (1, 15)]),
        ("CREATE TABLE q (\n  a int,\n  b intt(,\n);", [(3, 10)]),
        ("SELECT * FROM :table WHERE id = :'id';", [(1, 1)]),
        ("SELECT 1\n\\gexec\nDROP TABLE", [(1, 1), (3, 11)]),
        ("COPY t FROM stdin;\n'\n\\.\nSELEC;", [(1, 1), (4, 1)]),
        ("\udcff\udcfe; SELECT 1;", [(1, 1), (1, 5)]),
        (";;\n;", []),
    ],
)
def test_positions(sql: str, places: list[tuple[int, int]]) -> None:
    found = reports(sql)
    assert [report.line for report in found] == [line for line, _ in places]
    assert [r.column for r in found if not r.parsed] == [
        c for r, (_, c) in zip(found, places, strict=True) if not r.parsed
    ]


def test_files_one_after_the_other() -> None:
    made = "CREATE TABLE a (id bigint);\n"
    assert "ban-drop-column" in rules(f"-- 1.sql\n{made}-- 2.sql\nALTER TABLE a DROP COLUMN id;")[1]
    assert "ban-drop-column" not in rules(f"{made}-- see 2.sql for more\nALTER TABLE a DROP COLUMN id;")[1]


def test_what_is_put_back_is_not_lost() -> None:
    assert "ban-drop-view" not in rules("BEGIN;\nDROP VIEW v;\nCREATE VIEW v AS SELECT 1 AS a;\nCOMMIT;")[1]
    again = "CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f();"
    assert "ban-drop-trigger" not in rules(f"DROP TRIGGER IF EXISTS t ON a;\n{again}")[0]
    assert "ban-drop-trigger" in rules(f"{again}\nDROP TRIGGER t ON a;")[1]


def test_json_has_exactly_the_fields_of_the_contract() -> None:
    (item,) = as_json([("a.sql", reports("ALTER TABLE users ADD COLUMN a text;"))])
    assert list(item) == ["line", "sql", "hazard", "locks", "rewrites", "scans", "in_transaction", "findings"]
    assert item["locks"] == {"public.users": "AccessExclusiveLock"}
    assert list(item["findings"][0]) == ["rule", "severity", "message", "fix"]


def test_other_forms_of_the_report() -> None:
    files = [("a,b.sql", reports("DROP TABLE users;"))]
    sarif = json.loads(json.dumps(as_sarif(files, "1")))
    assert sarif["runs"][0]["results"][0]["ruleId"] == "ban-drop-table"
    assert as_github(files).startswith("::error file=a%2Cb.sql,line=1,col=1,title=ban-drop-table::")
    assert "a,b.sql:1: H3" in as_text(files)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="abSELECT 1;'\"$\\\n-/*()copyfromstdin.:\x00ü", max_size=80))
def test_nothing_that_a_script_says_raises(text: str) -> None:
    lint_script(text, LintOptions())
