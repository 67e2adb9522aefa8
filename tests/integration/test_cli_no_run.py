"""One rule for a run that is not there, or with which there is nothing to do: exit code 1, and what to do instead."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest

from tests.cli import wesley

_SLOW = os.environ.get("WESLEY_SLOW") == "1"
"""Every verb is a process: one of a kind, or all."""
slow = pytest.mark.skipif(not _SLOW, reason="WESLEY_SLOW=1 runs it")
_VERBS = [
    ("attach",), ("pause",), ("resume",), ("cancel",), ("rollback", "--yes"), ("skip", "1"), ("retry",), ("terminate",),
    ("throttle", "--workers", "2"),
]  # fmt: skip
_SCHEMA = """type Note @table(name: "note") {
  id: BigInt! @pk
  body: String
}
"""


def test_no_run_at_all(database: str, tmp_path: Path) -> None:
    for verb in _VERBS if _SLOW else _VERBS[:2]:
        called = wesley(*verb, "--db", database, state=tmp_path)
        assert (called.code, called.out) == (1, ""), (verb, called.err)
        assert "wesley: " in called.err


@slow
def test_a_run_that_is_over_and_one_of_another_number(database: str, tmp_path: Path) -> None:
    assert wesley("status", "--db", database, state=tmp_path).code == 0
    assert wesley("history", "--db", database, state=tmp_path).code == 0
    schema = tmp_path / "schema.graphql"
    schema.write_text(_SCHEMA)
    assert wesley("apply", schema, "--db", database, "--yes", state=tmp_path).code == 0
    for verb in (("attach",), ("status",), ("rollback", "--yes"), ("resume",)):
        called = wesley(*verb, "--db", database, "--run", "9", state=tmp_path)
        assert (called.code, called.out) == (1, ""), (verb, called.err)
    for word in ("throttle", "cancel", "pause", "resume", "retry"):
        more = ("--workers", "2") if word == "throttle" else ()
        called = wesley(word, *more, "--db", database, "--json", state=tmp_path)
        assert called.code == 1
        assert called.json["error"]["message"] == f"run 1 is complete: there is nothing to {word}"


def test_a_limit_may_be_a_text_and_one_that_is_none_is_refused(database: str, tmp_path: Path) -> None:
    for limit, words in (("window_waves=SOON", "there is no wave SOON"), ("workers=many", "workers must be a number")):
        called = wesley("throttle", "--set", limit, "--db", database, state=tmp_path)
        assert called.code == 2
        assert words in called.err


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--accept-rename", "public.person=people"), "the schema declares no table public.people"),
        pytest.param(("--accept-rename", "column:public.note.id=body"), "public.note has both id and body", marks=slow),
        pytest.param(("--accept-rename", "column:public.note.txt=body"), "", marks=slow),
        (("--only", "table:public.nope_*"), "--only table:public.nope_* matches nothing"),
        pytest.param(("--only", "table:public.note"), "", marks=slow),
    ],
)
def test_an_option_that_meets_nothing_is_told(
    database: str, tmp_path: Path, option: tuple[str, str], words: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE note (id bigint PRIMARY KEY, body text); CREATE TABLE person (id int)")
    schema = tmp_path / "schema.graphql"
    schema.write_text(_SCHEMA)
    called = wesley("plan", schema, "--db", database, *option, "--json", state=tmp_path)
    assert called.code == 0, called.err
    assert words in called.err
    told = called.json["warnings"]
    assert len(told) == bool(words)
    assert all(words in text for text in told)
