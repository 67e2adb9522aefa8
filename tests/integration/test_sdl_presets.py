"""Presets of row-level security, proven by asking: two tenants connect, and neither sees nor touches the other's rows.

Every preset is tried twice: by a role that was granted the table, and by the table's owner, who obeys because of FORCE.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from graphlib import TopologicalSorter

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict

from tests.catalogs import read
from wesley_tui.catalog import ddl
from wesley_tui.catalog.expression import same_expression
from wesley_tui.catalog.model import Catalog, ForeignKey, Table
from wesley_tui.catalog.naming import qualified
from wesley_tui.sdl.compile import compile_schema
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.sdl.emit import emit_schema

A, B = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
SCHEMA = """
type Organisation @table { id: ID! @pk parentId: ID @fk(ref: "Organisation.id") }
type Membership @table @pk(fields: ["organisationId", "userId"]) {
  organisationId: ID! @fk(ref: "Organisation.id")
  userId: Int!
}
type OfTenant @table @tenant(by: "organisation") { id: Int! @pk organisation: Organisation! @fk }
type OfMember @table @tenant(by: "organisationId", membership: "Membership") { id: Int! @pk organisationId: ID! }
type OfOwner @table @owner(column: "author") { id: Int! @pk author: Int! }
type Readable @table @rls(preset: "public-read", options: {column: "author"}) { id: Int! @pk author: Int! }
type SignedIn @table @rls(preset: "authenticated") { id: Int! @pk }
type Admins @table @rls(preset: "admin-only") { id: Int! @pk }
type Soft @table @rls(preset: "soft-delete") { id: Int! @pk deletedAt: DateTime }
type Timed @table @rls(preset: "time-window") { id: Int! @pk validFrom: DateTime validTo: DateTime }
type Tree @table @rls(preset: "hierarchical", options: {column: "unit", tree: "Organisation"}) {
  id: Int! @pk
  unit: ID!
}
type TenantAndOwner @table @tenant(by: "tenant") @owner(column: "author")
  @policy(name: "everybody", using: "true") { id: Int! @pk tenant: ID! author: Int! }
type SoftOfTenant @table @tenant(by: "tenant") @rls(preset: "soft-delete") {
  id: Int! @pk
  tenant: ID!
  deletedAt: DateTime
}
"""


def build(database: str, catalog: Catalog, role: str) -> None:
    """Everything that the catalog holds; ``role`` becomes the owner of its tables."""
    with psycopg.connect(database) as connection:

        def run(text: str) -> None:
            connection.execute(text.encode())

        for schema in sorted(catalog.schemas - {"public"}):
            run(ddl.create_schema(schema))
        for schema, details in catalog.schema_details.items():
            for grant in details.grants:
                run(f"GRANT {grant.privilege} ON SCHEMA {schema} TO {grant.grantee}")
        for table in catalog.tables.values():
            plain = dataclasses.replace(table, policies=(), rls_enabled=False, rls_forced=False)
            for statement in ddl.create_table(plain):
                run(statement)
        for table in catalog.tables.values():
            for key in table.foreign_keys:
                run(ddl.add_constraint(table.name, key))
        order = TopologicalSorter({ref: record.depends_on for ref, record in catalog.objects.items()})
        for ref in order.static_order():
            for statement in catalog.objects[ref].statements if ref in catalog.objects else ():
                run(statement)
        for table in catalog.tables.values():
            for policy in table.policies:
                run(ddl.create_policy(table.name, policy))
            run(f"ALTER TABLE {qualified(table.name)} OWNER TO {role}")
            if table.rls_enabled:
                run(f"ALTER TABLE {qualified(table.name)} ENABLE ROW LEVEL SECURITY")
            if table.rls_forced:
                run(f"ALTER TABLE {qualified(table.name)} FORCE ROW LEVEL SECURITY")


@pytest.fixture
def secured(database: str) -> Iterator[str]:
    """The database with the schema on it, and two roles: ``owner_…``, ``client_…``."""
    name = conninfo_to_dict(database)["dbname"]
    owner, client = f"owner_{name}", f"client_{name}"
    catalog = compile_schema([Source("presets.graphql", SCHEMA)]).catalog
    with psycopg.connect(database, autocommit=True) as connection:
        for role in (owner, client):
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
    build(database, catalog, owner)
    with psycopg.connect(database) as connection:
        connection.execute(
            sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}").format(
                sql.Identifier(client)
            )
        )
        # The application has no business with memberships: the helper reads them with the rights of its owner.
        connection.execute(sql.SQL("REVOKE ALL ON membership FROM {}").format(sql.Identifier(client)))
        connection.execute("INSERT INTO organisation VALUES (%s, NULL), (%s, %s)", (A, B, A))
        connection.execute("INSERT INTO membership VALUES (%s, 1), (%s, 2)", (A, B))
    yield database
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(sql.SQL("REASSIGN OWNED BY {} TO CURRENT_USER").format(sql.Identifier(owner)))
        for role in (owner, client):
            connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.fixture(params=["owner", "client"])
def role(request: pytest.FixtureRequest, secured: str) -> tuple[str, str]:
    name = conninfo_to_dict(secured)["dbname"]
    return secured, f"{request.param}_{name}"


@contextmanager
def asking(
    role: tuple[str, str], *, tenant: str = "", user: str = "", roles: str = ""
) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection of that role, on whose behalf the application says who asks."""
    with psycopg.connect(role[0]) as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role[1])))
        for name, value in (("app.tenant_id", tenant), ("app.user_id", user), ("app.roles", roles)):
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        yield connection


def ids(connection: psycopg.Connection[tuple[object, ...]], table: str) -> list[object]:
    return [row[0] for row in connection.execute(f"SELECT id FROM {table} ORDER BY id".encode())]


def changed(connection: psycopg.Connection[tuple[object, ...]], statement: str) -> int:
    return connection.execute(statement.encode()).rowcount


def refused(connection: psycopg.Connection[tuple[object, ...]], statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
        connection.execute(statement.encode())


@pytest.mark.parametrize(
    ("table", "first", "second", "values"),
    [
        ("of_tenant", {"tenant": A}, {"tenant": B}, (f"'{A}'", f"'{B}'")),
        ("of_member", {"user": "1"}, {"user": "2"}, (f"'{A}'", f"'{B}'")),
        ("of_owner", {"user": "1"}, {"user": "2"}, ("1", "2")),
    ],
)
def test_whose_row_it_is(
    role: tuple[str, str], table: str, first: dict[str, str], second: dict[str, str], values: tuple[str, str]
) -> None:
    mine, theirs = values
    with asking(role, **first) as connection:
        assert changed(connection, f"INSERT INTO {table} VALUES (1, {mine})") == 1
        refused(connection, f"INSERT INTO {table} VALUES (2, {theirs})")
    with asking(role, **second) as connection:
        assert changed(connection, f"INSERT INTO {table} VALUES (2, {theirs})") == 1
        assert ids(connection, table) == [2]
        assert changed(connection, f"UPDATE {table} SET id = 9 WHERE id = 1") == 0
        assert changed(connection, f"DELETE FROM {table} WHERE id = 1") == 0
        column = connection.execute(f"SELECT * FROM {table}".encode()).description[1].name  # type: ignore[index]
        refused(connection, f"UPDATE {table} SET {column} = {mine}")
        assert changed(connection, f"UPDATE {table} SET id = 3") == 1
        assert changed(connection, f"DELETE FROM {table}") == 1
    with asking(role) as connection:
        assert ids(connection, table) == []
        assert changed(connection, f"DELETE FROM {table}") == 0
        refused(connection, f"INSERT INTO {table} VALUES (5, {mine})")
    with asking(role, **first) as connection:
        assert ids(connection, table) == [1]


def test_public_read(role: tuple[str, str]) -> None:
    with asking(role, user="1") as connection:
        assert changed(connection, "INSERT INTO readable VALUES (1, 1)") == 1
        refused(connection, "INSERT INTO readable VALUES (2, 2)")
    with asking(role) as connection:
        assert ids(connection, "readable") == [1]
        assert changed(connection, "UPDATE readable SET id = 2") == 0
        refused(connection, "INSERT INTO readable VALUES (2, 2)")
    with asking(role, user="2") as connection:
        assert ids(connection, "readable") == [1]
        assert changed(connection, "UPDATE readable SET id = 2") == 0
        assert changed(connection, "DELETE FROM readable") == 0
    with asking(role, user="1") as connection:
        refused(connection, "UPDATE readable SET author = 2")
        assert changed(connection, "DELETE FROM readable") == 1


@pytest.mark.parametrize(
    ("table", "inside", "outside"),
    [
        ("signed_in", {"user": "7"}, {"tenant": A}),
        ("admins", {"roles": "writer,admin"}, {"user": "7", "roles": "administrator"}),
    ],
)
def test_all_or_nothing(role: tuple[str, str], table: str, inside: dict[str, str], outside: dict[str, str]) -> None:
    with asking(role, **inside) as connection:
        assert changed(connection, f"INSERT INTO {table} VALUES (1)") == 1
        assert changed(connection, f"UPDATE {table} SET id = 2") == 1
    with asking(role, **outside) as connection:
        assert ids(connection, table) == []
        assert changed(connection, f"UPDATE {table} SET id = 3") == 0
        assert changed(connection, f"DELETE FROM {table}") == 0
        refused(connection, f"INSERT INTO {table} VALUES (4)")
    with asking(role, **inside) as connection:
        assert changed(connection, f"DELETE FROM {table} WHERE id = 2") == 1


def test_soft_delete(role: tuple[str, str]) -> None:
    with asking(role) as connection:
        changed(connection, "INSERT INTO soft VALUES (1), (2)")
    with asking(role) as connection:
        assert changed(connection, "UPDATE soft SET deleted_at = now() WHERE id = 1") == 1
        assert changed(connection, "DELETE FROM soft WHERE id = 2") == 0
    with asking(role) as connection:
        assert ids(connection, "soft") == [2]
        assert changed(connection, "UPDATE soft SET deleted_at = NULL WHERE id = 1") == 0
    with psycopg.connect(role[0]) as connection:
        assert ids(connection, "soft") == [1, 2]


def test_time_window(role: tuple[str, str]) -> None:
    with asking(role) as connection:
        changed(connection, "INSERT INTO timed VALUES (1, NULL, NULL), (2, now() - '1 day'::interval, NULL)")
        changed(connection, "INSERT INTO timed VALUES (3, now() + '1 day'::interval, NULL)")
        changed(connection, "INSERT INTO timed VALUES (4, NULL, now() - '1 day'::interval)")
    with asking(role) as connection:
        assert ids(connection, "timed") == [1, 2]
        assert changed(connection, "UPDATE timed SET valid_to = NULL WHERE id = 4") == 0
        assert changed(connection, "DELETE FROM timed WHERE id = 3") == 0
        assert changed(connection, "UPDATE timed SET valid_to = now() WHERE id = 2") == 1
    with asking(role) as connection:
        assert ids(connection, "timed") == [1]


def test_hierarchical(role: tuple[str, str]) -> None:
    with asking(role, tenant=A) as connection:
        changed(connection, f"INSERT INTO tree VALUES (1, '{A}'), (2, '{B}')")
    with asking(role, tenant=B) as connection:
        assert ids(connection, "tree") == [2]
        refused(connection, f"INSERT INTO tree VALUES (3, '{A}')")
        refused(connection, f"UPDATE tree SET unit = '{A}'")
        assert changed(connection, "DELETE FROM tree WHERE id = 1") == 0
    with asking(role, tenant=A) as connection:
        assert ids(connection, "tree") == [1, 2]
        assert changed(connection, "DELETE FROM tree") == 2
    with asking(role) as connection:
        refused(connection, f"INSERT INTO tree VALUES (3, '{A}')")


def test_no_policy_opens_what_belongs_to_a_tenant(role: tuple[str, str]) -> None:
    with asking(role, tenant=A, user="1") as connection:
        changed(connection, f"INSERT INTO tenant_and_owner VALUES (1, '{A}', 1)")
        refused(connection, f"INSERT INTO tenant_and_owner VALUES (2, '{B}', 1)")
    with asking(role, tenant=B, user="1") as connection:
        assert ids(connection, "tenant_and_owner") == []
        assert changed(connection, "DELETE FROM tenant_and_owner") == 0
    with asking(role, tenant=A, user="2") as connection:
        assert ids(connection, "tenant_and_owner") == [1]


def test_filters_and_tenants_hold_together(role: tuple[str, str]) -> None:
    with asking(role, tenant=A) as connection:
        changed(connection, f"INSERT INTO soft_of_tenant VALUES (1, '{A}'), (2, '{A}')")
        refused(connection, f"INSERT INTO soft_of_tenant VALUES (3, '{B}')")
        assert changed(connection, "UPDATE soft_of_tenant SET deleted_at = now() WHERE id = 1") == 1
    with asking(role, tenant=A) as connection:
        assert ids(connection, "soft_of_tenant") == [2]
    with asking(role, tenant=B) as connection:
        assert ids(connection, "soft_of_tenant") == []


def _policies(table: Table) -> dict[str, tuple[object, ...]]:
    return {item.name: (item.command, item.permissive, item.roles) for item in table.policies}


def test_what_the_server_keeps_is_what_was_declared(any_database: str) -> None:
    declared = compile_schema([Source("presets.graphql", SCHEMA)]).catalog
    build(any_database, declared, "CURRENT_USER")
    actual = read(any_database).catalog
    pulled = compile_schema([Source("pulled.graphql", emit_schema(actual))]).catalog
    assert set(declared.objects) == set(actual.objects) == set(pulled.objects)
    assert actual.schema_details == declared.schema_details == pulled.schema_details
    for name, table in declared.tables.items():
        for found in (actual.tables[name], pulled.tables[name]):
            assert (found.rls_enabled, found.rls_forced) == (table.rls_enabled, table.rls_forced)
            assert _policies(found) == _policies(table)
            for policy in table.policies:
                other = next(item for item in found.policies if item.name == policy.name)
                assert same_expression(other.using, policy.using), (other.using, policy.using)
                assert same_expression(other.check, policy.check), (other.check, policy.check)
            assert {index.name for index in found.indexes} == {index.name for index in table.indexes}
            assert sum(isinstance(item, ForeignKey) for item in found.constraints) == sum(
                isinstance(item, ForeignKey) for item in table.constraints
            )
