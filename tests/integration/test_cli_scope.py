"""``--only``, ``--ignore`` and ``--ignore-from`` on the command line: what is outside stays as it is."""

from __future__ import annotations

from pathlib import Path

import psycopg

from tests.cli import wesley

_LIVE = """
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('fine', 'bad');
CREATE TABLE public.people (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE app.notes (id bigint PRIMARY KEY, person bigint REFERENCES public.people, mood app.mood);
CREATE TABLE app.legacy_notes (id bigint PRIMARY KEY, note text);
CREATE VIEW app.names AS SELECT name FROM public.people;
"""


def test_pull_of_a_part_plans_to_nothing_and_applies_to_that_part(database: str, tmp_path: Path) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(_LIVE)
    schema, ignored = tmp_path / "app.graphql", tmp_path / "ignored.txt"
    ignored.write_text("# what nobody owns\napp.legacy_*\n\nview:*  \n")
    scope = ["--only", "app.*", "--ignore-from", str(ignored)]
    pulled = wesley("pull", "--db", database, "-o", str(schema), *scope, state=tmp_path)
    assert pulled.code == 0, pulled.err
    text = schema.read_text()
    assert "type Notes " in text
    assert "Legacy" not in text
    assert "type People " not in text
    planned = wesley("plan", str(schema), "--db", database, "--json", *scope, state=tmp_path)
    assert planned.code == 0, planned.err
    assert planned.json["waves"] == []
    assert planned.json["unmanaged"] == []

    schema.write_text(text.replace("person: ", "title: String\n  person: "))
    applied = wesley("apply", str(schema), "--db", database, "--yes", *scope, state=tmp_path)
    assert applied.code == 0, applied.err
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT to_regclass('app.legacy_notes'), to_regclass('app.names')").fetchone()
        assert row is not None
        assert None not in row
        connection.execute("SELECT title FROM app.notes")


def test_a_list_that_is_not_there_is_named(database: str, tmp_path: Path) -> None:
    result = wesley("pull", "--db", database, "--ignore-from", "missing.txt", state=tmp_path)
    assert result.code == 2
    assert "missing.txt: cannot be read" in result.err
