"""Hand-written plans as text: what is accepted, what is refused and where, and what the published schema says."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.hand_written import document, made, text
from tests.unit.planner_cases import ORDERS, USERS, table
from wesley_tui.catalog.model import Catalog, Column, Enum, QName
from wesley_tui.catalog.snapshot import Snapshot, TableSize
from wesley_tui.dsl.document import COMPOUND, read_plan
from wesley_tui.dsl.json_schema import plan_schema
from wesley_tui.dsl.json_text import PlanError, read_json
from wesley_tui.dsl.page import operations_table
from wesley_tui.dsl.spelling import parts_of, spelled_parts
from wesley_tui.dsl.vocabulary import OPERATIONS
from wesley_tui.planner.plan import HazardClass, StepKind

DOCS = Path(__file__).parents[2] / "docs"
COLUMN = {"op": "add_column", "table": "public.users", "column": "age", "type": "integer"}
SNAPSHOT = Snapshot(
    Catalog(
        frozenset({"public"}),
        {
            USERS: table(USERS, Column("email", "text"), Column("old", "text", not_null=True)),
            ORDERS: table(ORDERS, Column("user_id", "bigint")),
        },
        {QName("public", "mood"): Enum(QName("public", "mood"), ("sad", "glad"))},
    ),
    sizes=dict.fromkeys((USERS, ORDERS), TableSize(10_000, 1e6, 81_920_000)),
)


def changed(**fields: Any) -> bytes:
    value = {**document(COLUMN), **fields}
    return json.dumps({name: item for name, item in value.items() if item is not ...}).encode()


def test_a_plan_is_read() -> None:
    plan = read_plan("plan.json", text(COLUMN, max_retries=3))
    assert (plan.title, len(plan.waves), plan.waves[0].limits.max_retries) == ("A test", 1, 3)


BAD_JSON = [
    (b"", "1:1", "empty"),
    (b"[1, 2", "1:6", "ends too early"),
    (b'{"a": 1, "a": 2}', "1:10", "second time"),
    (b'{"a": NaN}', "1:7", "no such number"),
    (b'{"a": -Infinity}', "1:7", "no such number"),
    (b'{"a": 1,}', "1:9", "double quotes"),
    (b"{'a': 1}", "1:2", "double quotes"),
    (b'{"a": 1} x', "1:10", "after the end"),
    (b'{"a": "b', "1:7", "no end"),
    (b'{"a": "\\ud83d"}', "1:7", "surrogate"),
    (b'{"a": "\\q"}', "1:8", "no escape"),
    (b'{"a": "tab\there"}', "1:11", "control character"),
    (b'{\n  "a": // x\n}', "2:8", "no comments"),
    (b'{"a": \xff}', "1:7", "UTF-8"),
    (b'{"a": ' + b"9" * 50 + b"}", "1:7", "40 characters"),
    (b"[" * 100_000, "1:42", "nested"),
    (b'{"a":' * 60 + b"1" + b"}" * 60, "1:206", "nested"),
    (b" " * 10_000_000, "", "at most"),
]


@pytest.mark.parametrize(("data", "place", "said"), BAD_JSON, ids=lambda value: str(value)[:20])
def test_what_is_no_json(data: bytes, place: str, said: str) -> None:
    with pytest.raises(PlanError, match=said) as caught:
        read_plan("plan.json", data)
    assert str(caught.value).startswith(f"plan.json:{place}" if place else "plan.json")


BAD_PLANS: list[tuple[dict[str, Any], str, str]] = [
    ({"wesley_plan": ...}, "", "version is missing"),
    ({"wesley_plan": 2}, "wesley_plan", "version 2"),
    ({"wesley_plan": True}, "wesley_plan", "not known"),
    ({"title": ...}, "", "'title' is missing"),
    ({"title": "ab"}, "title", "3 to 80"),
    ({"title": "x" * 81}, "title", "3 to 80"),
    ({"title": 3}, "title", "a text"),
    ({"reason": "too short"}, "reason", "10 to 280"),
    ({"reason": "x" * 281}, "reason", "10 to 280"),
    ({"raeson": "x"}, "raeson", "did you mean 'reason'"),
    ({"waves": []}, "waves", "1 to 5"),
    ({"waves": {}}, "waves", "1 to 5"),
    ({"waves": ...}, "", "'waves' is missing"),
    ({"waves": [3]}, "waves[0]", "an object"),
    ({"waves": [{"name": "EXPAND"}]}, "waves[0]", "at least one step"),
    ({"waves": [{"name": "EXPAND", "steps": []}]}, "waves[0].steps", "at least one step"),
    ({"waves": [{"name": "expand", "steps": [COLUMN]}]}, "waves[0].name", "did you mean EXPAND"),
    ({"waves": [{"steps": [COLUMN]}]}, "waves[0]", "'name' is missing"),
    (
        {"waves": [{"name": "CONTRACT", "steps": [COLUMN]}, {"name": "EXPAND", "steps": [COLUMN]}]},
        "waves[1].name",
        "EXPAND stands behind CONTRACT",
    ),
    ({"waves": [{"name": "EXPAND", "steps": [COLUMN]}] * 2}, "waves[1].name", "each once"),
    ({"waves": [{"name": "EXPAND", "steps": [COLUMN]}] * 6}, "waves", "1 to 5"),
    *(
        ({"waves": [{"name": "EXPAND", "steps": [COLUMN], "limits": {name: value}}]}, f"waves[0].limits.{name}", said)
        for name, value, said in (
            ("rows_per_second", 99, "100 to 50000"),
            ("rows_per_second", 50_001, "100 to 50000"),
            ("max_lock_ms", 49, "50 to 30000"),
            ("max_lock_ms", 30_001, "50 to 30000"),
            ("max_stmt_ms", 999, "1000 to 300000"),
            ("max_stmt_ms", 300_001, "1000 to 300000"),
            ("max_retries", -1, "0 to 5"),
            ("max_retries", 6, "0 to 5"),
            ("max_retries", 1.5, "0 to 5"),
            ("max_retries", "3", "0 to 5"),
            ("max_rows", 3, "no field"),
        )
    ),
]


@pytest.mark.parametrize(("fields", "path", "said"), BAD_PLANS, ids=str)
def test_what_is_no_plan(fields: dict[str, Any], path: str, said: str) -> None:
    with pytest.raises(PlanError, match=said.replace("(", r"\(")) as caught:
        read_plan("plan.json", changed(**fields))
    assert caught.value.path == path


BAD_STEPS: list[tuple[Any, str, str]] = [
    (3, "", "an object"),
    ({}, "", "'op' is missing"),
    ({"op": "ad_column"}, "op", "did you mean 'add_column'"),
    ({"op": "add_index_concurently"}, "op", "did you mean 'add_index_concurrently'"),
    ({"op": 7}, "op", "there is no operation"),
    ({"op": "add_column", "table": "public.users"}, "", "are missing"),
    ({**COLUMN, "typ": "x"}, "typ", "did you mean 'type'"),
    ({**COLUMN, "type": "integer, DROP COLUMN id"}, "type", "syntax error"),
    ({**COLUMN, "type": 'text); DROP TABLE users; --'}, "type", "syntax error"),
    ({**COLUMN, "type": ""}, "type", "syntax error"),
    ({**COLUMN, "default": "1, ADD COLUMN x int"}, "default", "syntax error"),
    ({**COLUMN, "default": "1) , (2"}, "default", "expression"),
    ({**COLUMN, "default": "(SELECT 1"}, "default", "syntax error"),
    ({**COLUMN, "default": "1 FROM pg_sleep(9)"}, "default", "syntax error"),
    ({**COLUMN, "default": "1) FROM pg_class WHERE (true"}, "default", "nothing else"),
    ({**COLUMN, "default": 1}, "default", "as a text, not 1"),
    ({**COLUMN, "default": "a\x00b"}, "default", "NUL"),
    ({**COLUMN, "column": "x" * 64}, "column", "63 bytes"),
    ({**COLUMN, "column": ""}, "column", "not empty"),
    ({**COLUMN, "table": "a.b.c"}, "table", "3 parts"),
    ({**COLUMN, "table": 'public."users'}, "table", "not closed"),
    ({**COLUMN, "not_null": "yes"}, "not_null", "true or false"),
    ({**COLUMN, "identity": "sometimes"}, "identity", "one of always, by default"),
    ({**COLUMN, "note": "x" * 281}, "note", "280"),
    ({"op": "add_index", "index": "i", "table": "t", "keys": []}, "keys", "empty"),
    ({"op": "add_index", "index": "i", "table": "t", "keys": [3]}, "keys[0]", "a column"),
    ({"op": "add_index", "index": "i", "table": "t", "keys": [{"expression": "a)"}]}, "keys[0].expression", "syntax"),
    ({"op": "create_view", "view": "v", "query": "DELETE FROM t"}, "query", "SELECT is expected"),
    ({"op": "create_view", "view": "v", "query": "SELECT 1; SELECT 2"}, "query", "several statements"),
    ({"op": "create_function", "definition": "DROP TABLE t"}, "definition", "makes a function"),
    ({"op": "run_sql", "statement": "COMMIT"}, "statement", "no step"),
    ({"op": "run_sql", "statement": "DO $$BEGIN END$$"}, "statement", "no step"),
    ({"op": "run_sql", "statement": "COPY t FROM PROGRAM 'x'"}, "statement", "no step"),
    ({"op": "run_sql", "statement": "SELECT 1; SELECT 2"}, "statement", "several"),
    ({"op": "revoke", "kind": "table", "name": "t", "privileges": ["fly"], "roles": ["r"]}, "privileges[0]", "is no"),
    ({"op": "set_table_options", "table": "t", "options": {"fillfactor": 70}}, "options", "as a text"),
    ({"op": "alter_table", "table": "t", "actions": []}, "actions", "at least one"),
    ({"op": "alter_table", "table": "t", "actions": [COLUMN]}, "actions[0].table", "leave it out"),
    ({"op": "alter_table", "table": "t", "actions": [{"op": "rename_table", "to": "x"}]}, "actions[0].op", "no change"),
    ({"op": "in_one_transaction", "steps": [{"op": "in_one_transaction", "steps": []}]}, "steps[0].op", "stands alone"),
    ({"op": "in_one_transaction", "steps": [COLUMN], "label": "No Label"}, "label", "a word"),
    ({"op": "require", "checks": []}, "checks", "list of objects"),
    ({"op": "require", "checks": [{"sql": "SELECT true"}]}, "checks[0]", "sql and message"),
    ({"op": "require", "checks": [{"sql": "DELETE FROM t", "message": "m"}]}, "checks[0].sql", "a SELECT"),
    ({"op": "require", "checks": [{"sql": "SELECT pg_sleep(9) IS NULL", "message": "m"}]}, "checks[0].sql", "refused"),
    ({"op": "require", "checks": [{"sql": "SELECT 1 FROM t FOR UPDATE", "message": "m"}]}, "checks[0].sql", "locks"),
    ({"op": "retire_column", "table": "t", "column": "c", "tag": "xyz"}, "tag", "hexadecimal"),
    ({"op": "backfill_sql", "sql": "UPDATE t SET a = 1", "batch_rows": 1}, "batch_rows", "10 to 100000"),
    ({"op": "backfill_sql", "sql": 3}, "sql", "as a text"),
]  # fmt: skip


@pytest.mark.parametrize(("step", "path", "said"), BAD_STEPS, ids=str)
def test_what_is_no_step(step: Any, path: str, said: str) -> None:
    with pytest.raises(PlanError, match=said) as caught:
        read_plan("plan.json", text(step))
    whole = f"waves[0].steps[0].{path}".rstrip(".")
    assert caught.value.path == whole
    assert caught.value.line > 1
    assert caught.value.column > 0


def test_the_place_is_that_of_the_character() -> None:
    step = {"op": "backfill_sql", "sql": "UPDATE \"t\u00e9\" SET a = '\\' || pg_sleep(1)"}
    with pytest.raises(PlanError) as caught:
        made(SNAPSHOT, step)
    error = caught.value
    line = text(step).decode().split("\n")[error.line - 1]
    assert line[error.column - 1 :].startswith('\\"t')  # the table is not there
    step = {"op": "backfill_sql", "sql": "UPDATE public.users SET email = '\\' || pg_sleep(1)"}
    with pytest.raises(PlanError) as caught:
        made(SNAPSHOT, step)
    line = text(step).decode().split("\n")[caught.value.line - 1]
    assert line[caught.value.column - 1 :].startswith("pg_sleep")


def test_unknown_tables_are_told_with_what_is_near() -> None:
    with pytest.raises(PlanError, match=r"there is no table public.user; did you mean public.users\?") as caught:
        made(SNAPSHOT, {**COLUMN, "table": "public.user"})
    assert caught.value.path == "waves[0].steps[0].table"
    made(SNAPSHOT, {"op": "create_table", "table": "public.fresh", "columns": [{"column": "a", "type": "text"}]},
         {**COLUMN, "table": "public.fresh"})  # fmt: skip


def test_steps_wait_for_each_other_in_the_order_in_which_they_stand() -> None:
    plan = made(SNAPSHOT, COLUMN, {**COLUMN, "table": "public.orders"}, {**COLUMN, "column": "b"})
    first, second, third = plan.steps
    assert (first.depends_on, second.depends_on, third.depends_on) == ((), (first.step_sha,), (second.step_sha,))


def test_limits_become_those_of_the_steps() -> None:
    steps: list[dict[str, Any]] = [
        COLUMN,
        {"op": "add_index_concurrently", "index": "i", "table": "users", "keys": ["email"]},
        {"op": "backfill_sql", "sql": "UPDATE public.users SET email = lower(email)"},
    ]
    plan = made(SNAPSHOT, *steps, rows_per_second=500, max_lock_ms=70, max_stmt_ms=2000, max_retries=2)
    column, index, backfill = plan.steps
    assert {step.lock_timeout_ms for step in plan.steps} == {70}
    assert {step.max_retries for step in plan.steps} == {2}
    assert (column.statement_timeout_ms, index.statement_timeout_ms) == (2000, 0)
    assert "at most 0.07 s each attempt" in column.who_waits
    assert backfill.backfill is not None
    assert backfill.backfill.rows_per_second == 500
    assert (column.kind, index.kind, backfill.kind) == (
        StepKind.TRANSACTIONAL, StepKind.AUTOCOMMIT, StepKind.BACKFILL,
    )  # fmt: skip


def test_it_is_judged_like_any_plan() -> None:
    def judged(step: dict[str, Any]) -> HazardClass:
        return next(made(SNAPSHOT, step).steps).hazard

    assert judged(COLUMN) is HazardClass.H1
    assert judged({**COLUMN, "default": "gen_random_uuid()", "type": "uuid"}) is HazardClass.H3
    assert judged({**COLUMN, "not_null": True}) is HazardClass.H3
    assert judged({"op": "add_index", "index": "i", "table": "users", "keys": ["email"]}) is HazardClass.H3
    assert judged({"op": "drop_column", "table": "users", "column": "old"}) is HazardClass.H3
    assert judged({"op": "enable_rls", "table": "users"}) is HazardClass.H3
    assert judged({"op": "run_sql", "statement": "TRUNCATE public.users"}) is HazardClass.H3
    assert judged({"op": "backfill_sql", "sql": "UPDATE users SET email = ''"}) is HazardClass.H2
    assert judged({"op": "backfill_sql", "sql": "DELETE FROM users"}) is HazardClass.H3
    assert judged({"op": "create_view", "view": "v", "query": "SELECT id FROM public.users"}) is HazardClass.H0


def test_the_same_document_is_the_same_plan() -> None:
    one, other = made(SNAPSHOT, COLUMN), made(SNAPSHOT, COLUMN)
    assert one == other
    assert made(SNAPSHOT, {**COLUMN, "column": "b"}).target != one.target


def test_the_published_schema_is_the_one_of_the_code() -> None:
    published = json.loads((DOCS / "plan.schema.json").read_text(encoding="utf-8"))
    assert published == plan_schema(), "write it anew: wesley plan --dsl-schema > docs/plan.schema.json"
    jsonschema.Draft202012Validator.check_schema(published)


def test_the_page_lists_every_operation() -> None:
    page = (DOCS / "dsl.md").read_text(encoding="utf-8")
    assert page.endswith(operations_table()), "replace its table by what wesley_tui.dsl.page.operations_table() gives"


@lru_cache(maxsize=1)
def judge() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(plan_schema())


GOOD_STEPS: list[dict[str, Any]] = [
    COLUMN,
    {**COLUMN, "note": "why", "not_null": True, "default": "0"},
    {"op": "create_table", "table": "a.b", "columns": [{"column": "id", "type": "bigint", "identity": "always"}],
     "constraints": [{"constraint": "pk", "primary_key": ["id"]}]},
    {"op": "create_table", "table": "a.p1", "partition_of": "a.p", "bound": "DEFAULT"},
    {"op": "add_index", "index": "i", "table": "t", "keys": ["a", {"expression": "lower(b)", "descending": True}]},
    {"op": "alter_table", "table": "t", "actions": [{"op": "drop_default", "column": "a"}]},
    {"op": "in_one_transaction", "label": "both", "steps": [COLUMN, {"op": "analyze", "table": "t"}]},
    {"op": "backfill_sql", "sql": "UPDATE t SET a = 1", "repeat": False, "batch_rows": 50},
    {"op": "retire_table", "table": "t", "tag": "0123abcd"},
    {"op": "grant", "kind": "table", "name": "t", "privileges": ["select", {"privilege": "update", "columns": ["a"]}],
     "roles": ["public"]},
    {"op": "comment", "kind": "column", "on": "a.b.c", "text": "x"},
    {"op": "comment", "kind": "table", "on": "a.b"},
]  # fmt: skip


@pytest.mark.parametrize("step", GOOD_STEPS, ids=str)
def test_reader_and_schema_accept_the_same(step: dict[str, Any]) -> None:
    read_plan("plan.json", text(step))
    assert judge().is_valid(document(step)), next(judge().iter_errors(document(step))).message


# What only PostgreSQL's grammar, or its rules of names, can tell.
_ONLY_SQL_SHOWS = (
    "checks[0].sql",
    "type",
    "default",
    "keys[0].expression",
    "query",
    "definition",
    "statement",
    "column",
    "table",
)


# A JSON Schema cannot say that a list is in order.
@pytest.mark.parametrize("fields", [item[0] for item in BAD_PLANS if not item[1].startswith("waves[1]")], ids=str)
def test_the_schema_refuses_what_the_reader_refuses(fields: dict[str, Any]) -> None:
    assert not judge().is_valid(json.loads(changed(**fields)))


@pytest.mark.parametrize("step", [item[0] for item in BAD_STEPS if item[1] not in _ONLY_SQL_SHOWS], ids=str)
def test_the_schema_refuses_wrong_steps(step: Any) -> None:
    assert not judge().is_valid(document(step))


def test_every_operation_of_the_issue_is_there() -> None:
    wanted = {
        "add_column", "add_index_concurrently", "drop_index_concurrently", "add_foreign_key_not_valid",
        "add_check_not_valid", "validate_constraint", "set_not_null", "set_default", "create_table", "create_view",
        "create_enum", "add_enum_value", "rename_column", "rename_table", "alter_type", "backfill_sql", "enable_rls",
        "create_policy", "attach_partition", "detach_partition", "drop_column", "drop_table", "drop_constraint",
    }  # fmt: skip
    assert wanted <= {*OPERATIONS, *COMPOUND}


@pytest.mark.parametrize("parts", [["a", "b"], ["a.b", 'c"d'], ['"', "."], ["A b", "é"]])
def test_names_are_spelled_and_read_again(parts: list[str]) -> None:
    assert parts_of(spelled_parts(parts)) == parts


def test_places_of_values() -> None:
    found = read_json("x", b'{\n "a": [1,\n  "b"]}')
    assert [found.line(path) for path in ((), ("a",), ("a", 1))] == [1, 2, 3]
