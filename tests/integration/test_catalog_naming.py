"""Identifiers, literals and default names against the server's own."""

from __future__ import annotations

import psycopg
from hypothesis import given, settings
from hypothesis import strategies as st
from pglast.keywords import COL_NAME_KEYWORDS, RESERVED_KEYWORDS, TYPE_FUNC_NAME_KEYWORDS, UNRESERVED_KEYWORDS

from wesley_tui.catalog.naming import MAX_IDENTIFIER_BYTES, default_name, quote_ident, quote_literal

_HOSTILE = ("users", "Users", "a b", 'say "hi"', "a.b", "naïve", "🙂", "1st", "_x", "x$y", "a-b", "", "a\nb", "é" * 31)


def test_identifiers_are_quoted_as_the_server_quotes_them(any_database: str) -> None:
    words = [*COL_NAME_KEYWORDS, *RESERVED_KEYWORDS, *TYPE_FUNC_NAME_KEYWORDS, *UNRESERVED_KEYWORDS]
    with psycopg.connect(any_database) as connection:
        rows = connection.execute(
            "SELECT w, quote_ident(w) FROM unnest(%s::text[]) w WHERE w <> ''", [[*words, *_HOSTILE]]
        ).fetchall()
        version = connection.info.server_version
    different = {word for word, quoted in rows if quote_ident(word) != quoted}
    # An older server quotes fewer words: PostgreSQL 16 to 18 made these keywords, or more than unreserved ones.
    assert all(quote_ident(word) == f'"{word}"' for word in different)
    assert all(word.startswith(("json", "merge_", "system_")) for word in different)
    assert not different or version < 180000


@settings(max_examples=5, deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=50, max_size=50))
def _literals_come_back(connection: psycopg.Connection[tuple[str, ...]], texts: list[str]) -> None:
    row = connection.execute(f"SELECT {', '.join(map(quote_literal, texts))}".encode()).fetchone()
    assert row == tuple(texts)


def test_literals_come_back_as_they_were(database: str) -> None:
    with psycopg.connect(database) as connection:
        _literals_come_back(connection)


def test_default_names_are_those_the_server_chooses(any_database: str) -> None:
    cases = (
        ("t", ("a",)),
        ("orders", ("customer", "shop")),
        ("t" * 63, ("c" * 63,)),
        ("t" * 40, ("c" * 10,)),
        ("t" * 10, ("c" * 60,)),
        ("é" * 31, ("ü" * 31,)),
        ("tabelle_mit_sehr_langem_namen_für_größe_und_maß", ("straße", "hausnummer", "postleitzahl", "größe")),
        ("🙂" * 15, ("🙃" * 15, "x")),
        ("Mixed Case", ("order", "a.b")),
    )
    with psycopg.connect(any_database, autocommit=True) as connection:
        for table, columns in cases:
            written = ", ".join(f"{quote_ident(column)} int" for column in columns)
            key = ", ".join(map(quote_ident, columns))
            connection.execute(
                f"CREATE TABLE {quote_ident(table)} ({written}, PRIMARY KEY ({key}),"
                f" FOREIGN KEY ({key}) REFERENCES {quote_ident(table)} ({key}))".encode()
            )
            connection.execute(f"ALTER TABLE {quote_ident(table)} ADD UNIQUE ({key})".encode())
            connection.execute(f"CREATE INDEX ON {quote_ident(table)} ({key})".encode())
            found = connection.execute(
                "SELECT conname FROM pg_constraint WHERE conrelid = to_regclass(%(t)s) AND contype IN ('p', 'u', 'f')"
                " UNION SELECT relname FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid"
                " WHERE i.indrelid = to_regclass(%(t)s)",
                {"t": quote_ident(table)},
            ).fetchall()
            ours = {
                default_name(table, (), "pkey"),
                *(default_name(table, columns, suffix) for suffix in ("key", "fkey", "idx")),
            }
            assert {name for (name,) in found} == ours
            assert all(len(name.encode()) <= MAX_IDENTIFIER_BYTES for name in ours)
