"""``@uid``: what a verified run remembers makes a rename of what would be a drop and an add."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg

from tests.cli import wesley

BEFORE = """
type Person @table @uid(value: "t1") {
  id: Int! @pk
  email: String @uid(value: "c1")
  phone: String
}
"""
AFTER = """
type Member @table @uid(value: "t1") {
  id: Int! @pk
  address: String @uid(value: "c1")
  phone: String
}
"""


def _ops(database: str, path: Path) -> list[tuple[str, str]]:
    called = wesley("plan", path, "--db", database, "--json", state=path.parent / "state")
    assert called.code == 0, called.err
    waves = json.loads(called.out)["waves"]
    return [(step["op"], step["object"]) for wave in waves for step in wave["steps"]]


def _apply(database: str, path: Path, state: Path, *flags: str) -> None:
    called = wesley("apply", path, "--db", database, "--yes", *flags, state=state)
    assert called.code == 0, called.err


def test_an_identity_that_moved_is_a_rename(database: str, tmp_path: Path) -> None:
    before, after = tmp_path / "before.graphql", tmp_path / "after.graphql"
    before.write_text(BEFORE)
    after.write_text(AFTER)
    # Nobody knows it yet: a new table beside the old one.
    _apply(database, before, tmp_path / "state")
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO person VALUES (1, 'a@b.c', '1')")
    ops = _ops(database, after)
    assert ops[:2] == [("rename_table", "public.member"), ("rename_column", "public.member.address")]
    assert not any("drop" in op or "retire" in op or op == "create_table" for op, _ in ops)
    _apply(database, after, tmp_path / "state", "--unsafe")
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT * FROM member").fetchall() == [(1, "a@b.c", "1")]
    assert _ops(database, after) == []
    # And back again, by what the second run remembered.
    assert _ops(database, before)[:2] == [("rename_table", "public.person"), ("rename_column", "public.person.email")]


def test_an_identity_on_a_new_object_beside_the_old_one_is_no_rename(database: str, tmp_path: Path) -> None:
    before, after = tmp_path / "before.graphql", tmp_path / "after.graphql"
    before.write_text(BEFORE)
    after.write_text(
        BEFORE.replace('@uid(value: "t1")', "").replace('email: String @uid(value: "c1")', "email: String") + AFTER
    )
    _apply(database, before, tmp_path / "state")
    assert _ops(database, after)[0] == ("create_table", "public.member")
