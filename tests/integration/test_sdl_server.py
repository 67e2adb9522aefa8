"""Against real servers: compile → apply → introspect is the same catalog, and default names are the server's own."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.catalogs import create_statements, differences, read, run
from wesley_tui.catalog.model import Catalog
from wesley_tui.sdl.compile import compile_schema
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.sdl.emit import emit_schema
from wesley_tui.sdl.source import read_source

SESSIONS = sorted((Path(__file__).parents[2] / "sessions").glob("*/schema*.graphql"))

EVERYTHING = r'''
"""
Organisations,
with "quotes"
"""
type Organisation @table(name: "org", with: {fillfactor: 70, autovacuum_enabled: false})
@unique(fields: ["name", "country"], nullsNotDistinct: true, include: ["id"])
@exclude(expr: "country WITH =, name WITH =", using: "btree", where: "id IS NOT NULL") {
  id: ID! @pk @default(expr: "gen_random_uuid()")
  name: String! @check(expr: "length(name) > 2") @collate(name: "C")
  country: String @type(name: "char(2)") @default(value: "de") @comment(text: "ISO 3166")
}

type User @table @rls(force: true, select: "active", insert: "age > 0", update: "active", delete: "false")
@policy(name: "Only adults", for: "all", using: "age > 17", restrictive: true)
@index(expr: ["lower(email)", "created_at"], order: [ASC, DESC_NULLS_LAST], unique: true, where: "active")
@index(fields: ["tags"], using: "gin") @index(fields: ["email"], opclass: "text_pattern_ops", include: ["age"])
@check(expr: "age < 150 AND score >= 0", comment: "sane") {
  id: BigInt! @pk @identity(always: true)
  email: String! @unique
  age: Int! @check(expr: "age > 0") @check(expr: "age <> 13")
  score: Float! @default(value: 0.5)
  price: Decimal @type(name: "decimal(10,2)") @default(value: "-1.50")
  big: BigInt @default(value: 3000000000)
  small: Int @type(name: "smallint") @default(value: -3)
  active: Boolean! @default(value: true)
  mood: Mood! @default(value: OK)
  moods: [Mood!]! @default(value: [OK, BAD])
  tags: [String!] @default(value: ["a", "b c", ""])
  codes: [Code!]
  matrix: [Int] @default(value: [[1, 2], [3, 4]])
  meta: JSON! @default(value: {a: 1, b: [true, null, "it's"]})
  day: Date @default(expr: "CURRENT_DATE")
  createdAt: DateTime! @default(value: "now()")
  at: Time
  address: Inet @default(value: "127.0.0.1")
  raw: Bytes
  role: String @default(value: "user")
  full: String @generated(expr: "lower(email)")
  select: String
  organisation: Organisation! @fk(onDelete: CASCADE) @index
  boss: User @fk(onDelete: SET_NULL, deferrable: true)
  second: ID @fk(ref: "Organisation.id", onUpdate: CASCADE, initiallyDeferred: true, match: FULL)
}

"How they feel"
enum Mood { OK BAD @label(name: "not ok") }
scalar Code @type(name: "varchar(9)")
type Membership @table(schema: "app", name: "Member ship") @pk(fields: ["user", "organisation"]) {
  user: User! @fk
  organisation: Organisation! @fk
}
'''


def compiled(text: str) -> Catalog:
    return compile_schema([Source("everything.graphql", text)]).catalog


def applied(database: str, catalog: Catalog) -> Catalog:
    run(database, list(create_statements(catalog)))
    return read(database).catalog


def with_public(catalog: Catalog) -> Catalog:
    """Every fresh database has the schema public, whether or not anything is declared in it."""
    return Catalog(catalog.schemas | {"public"}, catalog.tables, catalog.enums)


def test_compile_apply_introspect(any_database: str) -> None:
    catalog = compiled(EVERYTHING)
    actual = applied(any_database, catalog)
    assert differences(with_public(catalog), actual) == []
    pulled = compiled(emit_schema(actual))
    assert pulled.tables == dict(actual.tables)
    assert pulled.enums == dict(actual.enums)


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_sessions_compile_apply_introspect(database: str, path: Path) -> None:
    catalog = compile_schema([read_source(path)]).catalog
    actual = applied(database, catalog)
    assert differences(with_public(catalog), actual) == []
    assert compiled(emit_schema(actual)) == Catalog(actual.schemas, dict(actual.tables), dict(actual.enums))


UNNAMED = """
CREATE TABLE users (
  id uuid PRIMARY KEY, email text UNIQUE, age int CHECK (age > 0) CHECK (age < 150), a int, b int,
  org_id uuid REFERENCES orgs, boss_id uuid REFERENCES users (id), during int4range,
  UNIQUE (a, b) INCLUDE (age), CHECK (a > b), CHECK (a > 0 AND a < 9), CHECK (1 > 0),
  FOREIGN KEY (a, b) REFERENCES pairs (a, b),
  EXCLUDE USING gist (during WITH &&), EXCLUDE USING btree (a WITH =, (b + 1) WITH =)
);
CREATE INDEX ON users (lower(email), lower(email || 'x'), (a + b), a) INCLUDE (b);
CREATE INDEX ON users (email);
CREATE INDEX ON users (email DESC);
CREATE UNIQUE INDEX ON users (coalesce(a, b), (a::text), (CASE WHEN a > 0 THEN b END));
CREATE INDEX ON users (greatest(a, b), nullif(a, b), (ARRAY[a, b]), ((a, b) IS NULL), (email COLLATE "C"));
CREATE TABLE a_table_with_quite_a_long_name_indeed (a_column_with_a_name_that_is_as_long int UNIQUE CHECK (
  a_column_with_a_name_that_is_as_long > 0), "Ünïcödé name with ümläuts and more" int REFERENCES numbers);
CREATE INDEX ON a_table_with_quite_a_long_name_indeed (
  a_column_with_a_name_that_is_as_long, "Ünïcödé name with ümläuts and more");
"""
DECLARED = r"""
type Orgs @table { id: ID! @pk }
type Numbers @table { id: Int! @pk }
type Pairs @table @pk(fields: ["a", "b"]) { a: Int! b: Int! }
type Users @table @unique(fields: ["a", "b"], include: ["age"]) @check(expr: "a > b") @check(expr: "a > 0 AND a < 9")
@check(expr: "1 > 0") @fk(fields: ["a", "b"], ref: "Pairs") @exclude(expr: "during WITH &&")
@exclude(expr: "a WITH =, (b + 1) WITH =", using: "btree")
@index(expr: ["lower(email)", "lower(email || 'x')", "a + b", "a"], include: ["b"])
@index(fields: ["email"]) @index(fields: ["email"], order: DESC)
@index(expr: ["coalesce(a, b)", "a::text", "CASE WHEN a > 0 THEN b END"], unique: true)
@index(expr: ["greatest(a, b)", "nullif(a, b)", "ARRAY[a, b]", "(a, b) IS NULL", "email"],
  collate: [null, null, null, null, "C"]) {
  id: ID! @pk email: String @unique age: Int @check(expr: "age > 0") @check(expr: "age < 150") a: Int b: Int
  org: Orgs @fk bossId: ID @fk(ref: "Users.id") during: String @type(name: "int4range")
}
type Long @table(name: "a_table_with_quite_a_long_name_indeed")
@index(fields: ["a_column_with_a_name_that_is_as_long", "other"]) {
  a_column_with_a_name_that_is_as_long: Int @unique @check(expr: "a_column_with_a_name_that_is_as_long > 0")
  other: Int @column(name: "Ünïcödé name with ümläuts and more") @fk(ref: "Numbers.id")
}
"""


def test_default_names_are_those_of_the_server(any_database: str) -> None:
    with psycopg.connect(any_database) as connection:
        connection.execute("CREATE TABLE orgs (id uuid PRIMARY KEY)")
        connection.execute("CREATE TABLE numbers (id int PRIMARY KEY)")
        connection.execute("CREATE TABLE pairs (a int, b int, PRIMARY KEY (a, b))")
        connection.execute(UNNAMED.encode())
    actual = read(any_database).catalog
    declared = compiled(DECLARED)
    for name, table in actual.tables.items():
        wanted = declared.tables[name]
        assert {item.name for item in wanted.constraints} == {item.name for item in table.constraints}
        assert {item.name for item in wanted.indexes} == {item.name for item in table.indexes}
    assert differences(with_public(declared), actual) == []
