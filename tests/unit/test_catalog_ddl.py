"""What ddl writes is SQL that PostgreSQL's grammar takes, one statement each."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from pglast.parser import parse_sql

from tests.catalogs import create_statements
from tests.strategies import catalogs
from tests.strategies_objects import KINDS
from wesley_tui.catalog import ddl
from wesley_tui.catalog.ddl_grants import change_grants
from wesley_tui.catalog.ddl_lifecycle import drop_object
from wesley_tui.catalog.model import (
    Catalog,
    Check,
    Column,
    Grant,
    Index,
    IndexKey,
    Policy,
    PrimaryKey,
    QName,
    Ref,
    Table,
    Unique,
)
from wesley_tui.catalog.order import sorted_by_needs

_T = QName("public", "order")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(catalogs(major=18))
def test_every_statement_is_one_statement(catalog: Catalog) -> None:
    for statement in create_statements(catalog):
        assert len(parse_sql(statement)) == 1
        assert not statement.endswith(";")
    for table in catalog.tables.values():
        for index in table.indexes:
            assert len(parse_sql(ddl.create_index(table.name, index, concurrently=True))) == 1
        for policy in table.policies:
            assert len(parse_sql(ddl.drop_policy(table.name, policy))) == 1
            changed = ddl.alter_policy(table.name, policy, Policy(policy.name, using="a = 1"))
            assert all(len(parse_sql(statement)) == 1 for statement in changed)


def test_a_table_reads_like_one_that_a_person_wrote() -> None:
    table = Table(
        _T,
        columns=(
            Column("id", "bigint", not_null=True, identity="always"),
            Column("Name", "character varying(20)", not_null=True, default="'x'"),
        ),
        constraints=(Check("positive", "id > 0"), PrimaryKey("order_pkey", ("id",))),
        options=(("fillfactor", "70"),),
    )
    assert ddl.create_table(table) == (
        'CREATE TABLE public."order" (\n'
        "    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,\n"
        "    \"Name\" character varying(20) DEFAULT 'x' NOT NULL,\n"
        "    CONSTRAINT positive CHECK (id > 0),\n"
        "    CONSTRAINT order_pkey PRIMARY KEY (id)\n"
        ") WITH (fillfactor=70)",
    )


@pytest.mark.parametrize(
    ("default", "clause"),
    [
        ("0", "0"),
        ("now()", "now()"),
        ("a AND b", "(a AND b)"),
        ("1 IS NULL", "(1 IS NULL)"),
        ("'x'::text COLLATE \"C\"", "('x'::text COLLATE \"C\")"),
        ("now() -- today", "now() -- today\n"),
        ("0 NOT NULL", "(0 NOT NULL)"),
        ("0, d int", "(0, d int)"),
    ],
)
def test_a_default_stays_one_expression(default: str, clause: str) -> None:
    assert ddl.default_clause(default) == clause


def test_keys_that_repeat_each_other_are_not_lost() -> None:
    table = Table(
        _T,
        columns=(Column("id", "integer", not_null=True),),
        constraints=(Unique("a", ("id",)), PrimaryKey("b", ("id",)), Unique("c", ("id",), deferrable=True)),
    )
    first, *others = ddl.create_table(table)
    assert "PRIMARY KEY" in first
    assert "UNIQUE" not in first
    assert [statement.split(" ADD ")[1] for statement in others] == [
        "CONSTRAINT a UNIQUE (id)",
        "CONSTRAINT c UNIQUE (id) DEFERRABLE",
    ]


def test_only_checks_and_foreign_keys_can_be_not_valid() -> None:
    assert ddl.add_constraint(_T, Check("c", "a > 0"), not_valid=True).endswith("CHECK (a > 0) NOT VALID")
    assert ddl.add_constraint(_T, Check("c", "a > 0", validated=False)).endswith("NOT VALID")
    with pytest.raises(ValueError, match="only CHECK and FOREIGN KEY"):
        ddl.add_constraint(_T, Unique("u", ("a",)), not_valid=True)


def test_a_policy_that_cannot_be_altered_is_made_again() -> None:
    old = Policy("p", "select", using="true")
    assert ddl.alter_policy(_T, old, Policy("p", "select", roles=("pg_monitor",), using="a")) == (
        'ALTER POLICY p ON public."order" TO pg_monitor USING (a)',
    )
    assert ddl.alter_policy(_T, old, Policy("p", "update", using="a", check="b")) == (
        'DROP POLICY p ON public."order"',
        'CREATE POLICY p ON public."order" FOR UPDATE USING (a) WITH CHECK (b)',
    )


def test_index_and_comment_spell_everything() -> None:
    index = Index(
        "i",
        (
            IndexKey(
                "a", collation=QName("pg_catalog", "C"), opclass="text_pattern_ops", descending=True, nulls_first=False
            ),
            IndexKey(expression="lower(b)"),
        ),
        unique=True,
        include=("select",),
        nulls_not_distinct=True,
        where="a > 0",
        options=(("fillfactor", "70"),),
    )
    assert ddl.create_index(_T, index, concurrently=True) == (
        'CREATE UNIQUE INDEX CONCURRENTLY i ON public."order" USING btree '
        '(a COLLATE "C" text_pattern_ops DESC NULLS LAST, (lower(b))) INCLUDE ("select") NULLS NOT DISTINCT '
        "WITH (fillfactor=70) WHERE (a > 0)"
    )
    assert ddl.comment_on("index", _T, "i", "it's") == "COMMENT ON INDEX public.i IS 'it''s'"
    assert ddl.comment_on("policy", _T, "p", None) == 'COMMENT ON POLICY p ON public."order" IS NULL'
    assert ddl.comment_on("schema", QName("a b", ""), None, "x") == "COMMENT ON SCHEMA \"a b\" IS 'x'"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(catalogs(major=18, max_tables=2, kinds=KINDS))
def test_every_kind_is_written_in_the_grammar(catalog: Catalog) -> None:
    for statement in create_statements(catalog):
        assert len(parse_sql(statement)) == 1
    for item in catalog.objects.values():
        for statement in drop_object(item):
            assert len(parse_sql(statement)) == 1
    for table in catalog.tables.values():
        if table.partition_of is not None:
            first, *_, last = ddl.create_table(table, attach=True)
            assert "LIKE " in first
            assert " ATTACH PARTITION " in last
            statements = (first, last, ddl.detach_partition(table, concurrently=True))
            assert all(len(parse_sql(statement)) == 1 for statement in statements)


def test_what_comes_before_what() -> None:
    a, b, c, d = (Ref("view", name) for name in "abcd")
    table = Ref("table", "z")
    assert sorted_by_needs({a: [b], b: [table], table: [], c: []}) == [table, b, a, c]
    # A circle is cut, and nothing is lost.
    assert sorted_by_needs({a: [b], b: [c], c: [a], d: [a, table]}) == [a, c, b, d]
    chain = {Ref("table", f"{number:05}"): [Ref("table", f"{number + 1:05}")] for number in range(5000)}
    assert sorted_by_needs(chain) == sorted(chain, reverse=True)


def test_privileges_are_given_and_taken() -> None:
    old = (Grant("a", "SELECT"), Grant("a", "UPDATE", grantable=True), Grant("public", "EXECUTE", revoked=True))
    new = (Grant("a", "UPDATE"), Grant("public", "SELECT", column="x y"), Grant("public", "INSERT", column="z"))
    assert change_grants("TABLE t", old, new) == (
        "REVOKE SELECT ON TABLE t FROM a",
        "REVOKE GRANT OPTION FOR UPDATE ON TABLE t FROM a",
        'GRANT EXECUTE, INSERT (z), SELECT ("x y") ON TABLE t TO PUBLIC',
    )
    assert change_grants("TABLE t", new, new) == ()
    assert change_grants("FUNCTION f()", (), old[2:]) == ("REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC",)
