# ruff: noqa: E501 - a table reads best with one case a line
"""Every operation of a hand-written plan, executed on real servers: does it do what it says, and does its undo run?"""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.catalogs import read
from tests.hand_written import made
from tests.planned import run_backfill, unsatisfied
from wesley_tui.dsl.backfill_guard import Allowed, harmless_functions
from wesley_tui.dsl.document import COMPOUND
from wesley_tui.dsl.vocabulary import OPERATIONS
from wesley_tui.planner.plan import Plan, Step, StepKind

SETUP = """
CREATE SCHEMA app;
CREATE TABLE app.users (id bigint PRIMARY KEY, email text, old text NOT NULL DEFAULT 'x', n integer, tags text[]);
INSERT INTO app.users SELECT g, 'U' || g, 'o', g FROM generate_series(1, 50) AS g;
CREATE TABLE app.orders (id bigint PRIMARY KEY, user_id bigint, total integer, at date NOT NULL DEFAULT '2026-01-01');
INSERT INTO app.orders SELECT g, g, g FROM generate_series(1, 50) AS g;
CREATE TABLE app.keyless (a integer);
INSERT INTO app.keyless SELECT g FROM generate_series(1, 50) AS g;
CREATE TABLE app.parent (id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE app.part (id bigint NOT NULL, at date NOT NULL);
CREATE TABLE app.shed (a integer);
ANALYZE
"""

Case = tuple[dict[str, Any], str]


def relation(name: str, kind: str = "r") -> str:
    return f"EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('{name}') AND relkind = '{kind}')"


def attribute(table: str, column: str, condition: str = "true") -> str:
    return (
        f"EXISTS (SELECT FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
        f"WHERE a.attrelid = '{table}'::regclass AND a.attname = '{column}' AND NOT a.attisdropped AND {condition})"
    )


def constraint(table: str, name: str, condition: str = "true") -> str:
    return f"EXISTS (SELECT FROM pg_constraint WHERE conrelid = '{table}'::regclass AND conname = '{name}' AND {condition})"


def no(condition: str) -> str:
    return f"NOT {condition}"


def op(word: str, /, **fields: Any) -> dict[str, Any]:
    return {"op": word, **fields}


U, ORDERS = "app.users", "app.orders"
FUNCTION = "CREATE FUNCTION app.twice(a integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT a * 2'"
TRIGGERED = "CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"

CASES: list[Case] = [
    (op("require", checks=[{"sql": "SELECT count(*) = 50 FROM app.users", "message": "app.users has other rows"}]), "true"),
    (op("create_schema", schema="extra"), "EXISTS (SELECT FROM pg_namespace WHERE nspname = 'extra')"),
    (op("create_enum", enum="app.mood", values=["sad", "it's ok"]), "enum_range(NULL::app.mood)::text[] = '{sad,it''s ok}'"),
    (op("add_enum_value", enum="app.mood", value="glad", before="it's ok"), "to_regtype('app.mood') IS NOT NULL"),
    (op("rename_enum_value", enum="app.mood", value="sad", to="blue"), "'blue'::app.mood IS NOT NULL"),
    (op("create_composite_type", definition="CREATE TYPE app.pair AS (a integer, b text)"), "to_regtype('app.pair') IS NOT NULL"),
    (op("create_range_type", definition="CREATE TYPE app.span AS RANGE (subtype = integer)"), "to_regtype('app.span') IS NOT NULL"),
    (op("rename_type", type_name="app.pair", to="duo"), "to_regtype('app.duo') IS NOT NULL"),
    (op("move_type", type_name="app.duo", schema="extra"), "to_regtype('extra.duo') IS NOT NULL"),
    (op("drop_type", type_name="extra.duo"), "to_regtype('extra.duo') IS NULL"),
    (op("create_domain", definition="CREATE DOMAIN app.short AS text CHECK (length(VALUE) < 9)"), "to_regtype('app.short') IS NOT NULL"),
    (op("alter_domain", definition="ALTER DOMAIN app.short SET DEFAULT 'x'"), "(SELECT typdefault FROM pg_type WHERE typname = 'short') LIKE '%x%'"),
    (op("create_sequence", definition="CREATE SEQUENCE app.counter START WITH 7"), relation("app.counter", "S")),
    (op("alter_sequence", definition="ALTER SEQUENCE app.counter INCREMENT BY 3"), "(SELECT seqincrement FROM pg_sequence WHERE seqrelid = 'app.counter'::regclass) = 3"),
    (op("create_table", table="app.fresh", columns=[
        {"column": "id", "type": "bigint", "identity": "by default", "not_null": True},
        {"column": "mood", "type": "app.mood", "default": "'glad'"},
        {"column": "double", "type": "integer", "generated": "length(note) * 2", "generated_kind": "stored"},
        {"column": "note", "type": "character varying(20)", "collation": "C"},
    ], constraints=[
        {"constraint": "fresh_pk", "primary_key": ["id"]},
        {"constraint": "fresh_note", "check": "note <> ''"},
        {"constraint": "fresh_once", "unique": ["note"], "deferrable": True},
        {"constraint": "fresh_user", "foreign_key": ["id"], "references": U, "referenced_columns": ["id"], "on_delete": "cascade"},
    ]), relation("app.fresh")),
    (op("create_table", table="app.part_of", partition_of="app.parent", bound="FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')"), relation("app.part_of")),
    (op("add_column", table=U, column="mail", type="text"), attribute(U, "mail")),
    (op("add_column", table=U, column="level", type="integer", not_null=True, default="1"), attribute(U, "level", "attnotnull")),
    (op("rename_column", table=U, column="level", to="rank"), attribute(U, "rank")),
    (op("backfill_sql", sql="UPDATE app.users SET mail = lower(email) WHERE mail IS NULL"), "(SELECT count(*) FROM app.users WHERE mail = lower(email)) = 50"),
    (op("backfill_sql", sql="UPDATE app.users AS t SET mail = 'x' || coalesce(t.mail, '') WHERE t.mail IS DISTINCT FROM 'x' || coalesce(t.mail, '')", repeat=False), "(SELECT count(*) FROM app.users WHERE mail LIKE 'xu%') = 50"),
    (op("backfill_sql", sql="UPDATE app.users SET n = n * 2 WHERE id > 10", batch_rows=10), "(SELECT sum(n) FROM app.users) = 2 * 1275 - 55"),
    (op("backfill_sql", sql="WITH big AS (SELECT user_id FROM app.orders WHERE total > 40) UPDATE app.users u SET email = 'big' FROM big WHERE big.user_id = u.id"), "(SELECT count(*) FROM app.users WHERE email = 'big') = 10"),
    (op("backfill_sql", sql="UPDATE app.users SET email = coalesce((SELECT 'paid' FROM app.orders o WHERE o.user_id = users.id AND o.total < 6), email)"), "(SELECT count(*) FROM app.users WHERE email = 'paid') = 5"),
    (op("backfill_sql", sql="DELETE FROM app.orders o USING app.users u WHERE u.id = o.user_id AND u.id > 45"), "(SELECT count(*) FROM app.orders) = 45"),
    (op("backfill_sql", sql="DELETE FROM app.orders WHERE total <= 2"), "(SELECT count(*) FROM app.orders) = 43"),
    (op("backfill_sql", sql="INSERT INTO app.orders (id, user_id, total) SELECT u.id + 1000, u.id, 0 FROM app.users AS u WHERE u.id > 40 OR u.id < 3 ON CONFLICT (id) DO NOTHING"), "(SELECT count(*) FROM app.orders WHERE id > 1000) = 12"),
    (op("backfill_sql", sql="INSERT INTO app.shed SELECT o.id FROM app.orders o LEFT JOIN app.users u ON u.id = o.user_id"), "(SELECT count(*) FROM app.shed) = 55"),
    (op("backfill_sql", sql="UPDATE app.keyless AS t SET a = -1 WHERE t.a IS DISTINCT FROM -1", blocks=True), "(SELECT sum(a) FROM app.keyless) = -50"),
    (op("alter_type", table=U, column="n", type="bigint", using="n::bigint"), attribute(U, "n", "atttypid = 'bigint'::regtype")),
    (op("set_default", table=U, column="n", default="1 + 1"), attribute(U, "n", "atthasdef")),
    (op("drop_default", table=U, column="n"), attribute(U, "n", "NOT atthasdef")),
    (op("set_not_null", table=U, column="n"), attribute(U, "n", "attnotnull")),
    (op("drop_not_null", table=U, column="n"), attribute(U, "n", "NOT attnotnull")),
    (op("set_column_statistics", table=U, column="mail", statistics=300), attribute(U, "mail", "attstattarget = 300")),
    (op("set_column_storage", table=U, column="mail", storage="external"), attribute(U, "mail", "attstorage = 'e'")),
    (op("set_column_compression", table=U, column="mail", compression="pglz"), attribute(U, "mail", "attcompression = 'p'")),
    (op("set_column_options", table=U, column="mail", options={"n_distinct": "5"}), attribute(U, "mail", "attoptions IS NOT NULL")),
    (op("reset_column_options", table=U, column="mail", names=["n_distinct"]), attribute(U, "mail", "attoptions IS NULL")),
    (op("set_not_null", table=U, column="n"), attribute(U, "n", "attnotnull")),
    (op("add_identity", table=U, column="n", identity="by default"), attribute(U, "n", "attidentity = 'd'")),
    (op("continue_numbers", table=U, column="n", sequence_of=U, named="n"), "(SELECT last_value > 90 FROM app.users_n_seq)"),
    (op("recompile_functions", table=U), attribute(U, "n")),
    (op("set_identity", table=U, column="n", identity="always"), attribute(U, "n", "attidentity = 'a'")),
    (op("drop_identity", table=U, column="n"), attribute(U, "n", "attidentity = ''")),
    (op("drop_expression", table="app.fresh", column="double"), attribute("app.fresh", "double", "attgenerated = ''")),
    (op("own_sequence", sequence="app.counter", owner="app.users.n"), "pg_get_serial_sequence('app.users', 'n') = 'app.counter'"),
    (op("own_sequence", sequence="app.counter"), "pg_get_serial_sequence('app.users', 'n') IS NULL"),
    (op("add_check_not_valid", table=U, constraint="rank_check", check="rank > 0"), constraint(U, "rank_check", "NOT convalidated")),
    (op("validate_constraint", table=U, constraint="rank_check"), constraint(U, "rank_check", "convalidated")),
    (op("rename_constraint", table=U, constraint="rank_check", to="rank_ok"), constraint(U, "rank_ok")),
    (op("drop_constraint", table=U, constraint="rank_ok"), no(constraint(U, "rank_ok"))),
    (op("add_check", table=ORDERS, constraint="total_ok", check="total >= 0", no_inherit=True), constraint(ORDERS, "total_ok", "connoinherit")),
    (op("add_foreign_key_not_valid", table=ORDERS, constraint="orders_user", columns=["user_id"], references=U, referenced_columns=["id"], on_delete="set null"), constraint(ORDERS, "orders_user", "confdeltype = 'n'")),
    (op("add_foreign_key", table="app.fresh", constraint="fresh_again", columns=["id"], references=U, referenced_columns=["id"]), constraint("app.fresh", "fresh_again")),
    (op("add_unique", table="app.part", constraint="part_once", columns=["id", "at"]), constraint("app.part", "part_once")),
    (op("add_exclusion", table="app.shed", constraint="shed_one", method="btree", elements=[{"column": "a", "operator": "="}]), constraint("app.shed", "shed_one")),
    (op("drop_constraint", table="app.shed", constraint="shed_one"), no(constraint("app.shed", "shed_one"))),
    (op("add_index_concurrently", index="users_mail", table=U, unique=True, keys=[{"expression": "lower(mail)"}, {"column": "id", "descending": True, "nulls": "last"}], where="mail IS NOT NULL"), "(SELECT indisvalid AND indisunique FROM pg_index WHERE indexrelid = 'app.users_mail'::regclass)"),
    (op("add_index", index="users_tags", table=U, method="gin", keys=["tags"], options={"fastupdate": "off"}), relation("app.users_tags", "i")),
    (op("rename_index", index="app.users_tags", to="tags_gin"), relation("app.tags_gin", "i")),
    (op("drop_index", index="app.tags_gin"), no(relation("app.tags_gin", "i"))),
    (op("drop_index_concurrently", index="app.users_mail"), no(relation("app.users_mail", "i"))),
    (op("add_index_concurrently", index="users_n_key", table=U, unique=True, keys=["n"]), relation("app.users_n_key", "i")),
    (op("add_unique_using_index", table=U, constraint="users_n_key", index="users_n_key"), constraint(U, "users_n_key", "contype = 'u'")),
    (op("set_replica_identity", table=U, index="users_n_key"), "(SELECT relreplident = 'i' FROM pg_class WHERE oid = 'app.users'::regclass)"),
    (op("set_replica_identity", table=U, identity="full"), "(SELECT relreplident = 'f' FROM pg_class WHERE oid = 'app.users'::regclass)"),
    (op("cluster_on", table=U, index="users_n_key"), "(SELECT indisclustered FROM pg_index WHERE indexrelid = 'app.users_n_key'::regclass)"),
    (op("add_primary_key", table="app.shed", constraint="shed_pk", columns=["a"]), constraint("app.shed", "shed_pk", "contype = 'p'")),
    (op("drop_constraint", table="app.shed", constraint="shed_pk"), no(constraint("app.shed", "shed_pk"))),
    (op("add_index_concurrently", index="shed_pk", table="app.shed", unique=True, keys=["a"]), relation("app.shed_pk", "i")),
    (op("add_primary_key_using_index", table="app.shed", constraint="shed_pk", index="shed_pk"), constraint("app.shed", "shed_pk", "contype = 'p'")),
    (op("add_index", index="parent_at", table="app.parent", only=True, method="btree", keys=["at"]), relation("app.parent_at", "I")),
    (op("add_index", index="part_of_at", table="app.part_of", keys=["at"]), relation("app.part_of_at", "i")),
    (op("attach_index", index="app.parent_at", partition_index="app.part_of_at"), "(SELECT indisvalid FROM pg_index WHERE indexrelid = 'app.parent_at'::regclass)"),
    (op("attach_partition", table="app.parent", partition="app.part", bound="FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"), "(SELECT relispartition FROM pg_class WHERE oid = 'app.part'::regclass)"),
    (op("detach_partition", table="app.parent", partition="app.part", concurrently=True), "(SELECT NOT relispartition FROM pg_class WHERE oid = 'app.part'::regclass)"),
    (op("detach_partition", table="app.parent", partition="app.part_of"), "(SELECT NOT relispartition FROM pg_class WHERE oid = 'app.part_of'::regclass)"),
    (op("set_table_options", table=U, options={"fillfactor": "70"}), "(SELECT reloptions = '{fillfactor=70}' FROM pg_class WHERE oid = 'app.users'::regclass)"),
    (op("reset_table_options", table=U, names=["fillfactor"]), "(SELECT reloptions IS NULL FROM pg_class WHERE oid = 'app.users'::regclass)"),
    (op("set_unlogged", table="app.keyless"), "(SELECT relpersistence = 'u' FROM pg_class WHERE oid = 'app.keyless'::regclass)"),
    (op("set_logged", table="app.keyless"), "(SELECT relpersistence = 'p' FROM pg_class WHERE oid = 'app.keyless'::regclass)"),
    (op("set_tablespace", table="app.keyless", tablespace="pg_default"), relation("app.keyless")),
    (op("set_access_method", table="app.keyless", access_method="heap"), relation("app.keyless")),
    (op("create_table", table="app.child", columns=[{"column": "a", "type": "integer"}]), relation("app.child")),
    (op("inherit", table="app.child", parent="app.keyless"), "EXISTS (SELECT FROM pg_inherits WHERE inhrelid = 'app.child'::regclass)"),
    (op("no_inherit", table="app.child", parent="app.keyless"), "NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = 'app.child'::regclass)"),
    (op("leave_bodies_unread"), "true"),
    (op("create_function", definition=FUNCTION), "app.twice(2) = 4"),
    (op("rename_object", kind="function", name="app.twice(integer)", to="thrice"), "app.thrice(2) = 4"),
    (op("move_object", kind="function", name="app.thrice(integer)", schema="extra"), "extra.thrice(2) = 4"),
    (op("drop_function", function="extra.thrice(integer)"), "to_regprocedure('extra.thrice(integer)') IS NULL"),
    (op("create_procedure", definition="CREATE PROCEDURE app.work() LANGUAGE sql AS 'SELECT 1'"), "to_regprocedure('app.work()') IS NOT NULL"),
    (op("drop_procedure", procedure="app.work()"), "to_regprocedure('app.work()') IS NULL"),
    (op("create_aggregate", definition="CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer)"), "(SELECT app.total(a) FROM (VALUES (1), (2)) AS v(a)) = 3"),
    (op("drop_aggregate", aggregate="app.total(integer)"), "to_regprocedure('app.total(integer)') IS NULL"),
    (op("create_function", definition=TRIGGERED), "to_regprocedure('app.touch()') IS NOT NULL"),
    (op("create_trigger", definition="CREATE TRIGGER t1 BEFORE INSERT ON app.users FOR EACH ROW EXECUTE FUNCTION app.touch()"), "EXISTS (SELECT FROM pg_trigger WHERE tgname = 't1')"),
    (op("disable_trigger", table=U, trigger="t1"), "(SELECT tgenabled = 'D' FROM pg_trigger WHERE tgname = 't1')"),
    (op("enable_trigger", table=U, trigger="t1", when="always"), "(SELECT tgenabled = 'A' FROM pg_trigger WHERE tgname = 't1')"),
    (op("drop_trigger", table=U, trigger="t1"), "NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 't1')"),
    (op("create_rule", definition="CREATE RULE r1 AS ON DELETE TO app.shed DO INSTEAD NOTHING"), "EXISTS (SELECT FROM pg_rewrite WHERE rulename = 'r1')"),
    (op("disable_rule", table="app.shed", rule="r1"), "(SELECT ev_enabled = 'D' FROM pg_rewrite WHERE rulename = 'r1')"),
    (op("enable_rule", table="app.shed", rule="r1"), "(SELECT ev_enabled = 'O' FROM pg_rewrite WHERE rulename = 'r1')"),
    (op("drop_rule", table="app.shed", rule="r1"), "NOT EXISTS (SELECT FROM pg_rewrite WHERE rulename = 'r1')"),
    (op("create_view", view="app.v", columns=["who"], query="SELECT id FROM app.users", check_option="local"), relation("app.v", "v")),
    (op("create_view", view="app.v", replace=True, columns=["who"], query="SELECT id FROM app.users WHERE id > 5"), "(SELECT count(*) FROM app.v) = 45"),
    (op("drop_view", view="app.v"), no(relation("app.v", "v"))),
    (op("create_materialized_view", view="app.m", query="SELECT id FROM app.users", no_data=True), relation("app.m", "m")),
    (op("refresh_materialized_view", view="app.m"), "(SELECT count(*) FROM app.m) = 50"),
    (op("drop_materialized_view", view="app.m"), no(relation("app.m", "m"))),
    (op("create_statistics", definition="CREATE STATISTICS app.st (ndistinct) ON id, n FROM app.users"), "EXISTS (SELECT FROM pg_statistic_ext WHERE stxname = 'st')"),
    (op("set_statistics_target", name="app.st", target=50), "(SELECT stxstattarget = 50 FROM pg_statistic_ext WHERE stxname = 'st')"),
    (op("drop_statistics", statistics="app.st"), "NOT EXISTS (SELECT FROM pg_statistic_ext WHERE stxname = 'st')"),
    (op("create_publication", definition="CREATE PUBLICATION pub FOR TABLE app.users"), "EXISTS (SELECT FROM pg_publication WHERE pubname = 'pub')"),
    (op("drop_publication", publication="pub"), "NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'pub')"),
    (op("create_function", definition="CREATE FUNCTION app.seen() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'"), "true"),
    (op("create_event_trigger", definition="CREATE EVENT TRIGGER ev ON ddl_command_end EXECUTE FUNCTION app.seen()"), "EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'ev')"),
    (op("disable_event_trigger", trigger="ev"), "(SELECT evtenabled = 'D' FROM pg_event_trigger WHERE evtname = 'ev')"),
    (op("enable_event_trigger", trigger="ev"), "(SELECT evtenabled = 'O' FROM pg_event_trigger WHERE evtname = 'ev')"),
    (op("drop_event_trigger", trigger="ev"), "NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'ev')"),
    (op("create_default_privileges", definition="ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO pg_monitor"), "EXISTS (SELECT FROM pg_default_acl)"),
    (op("create_extension", extension="plpgsql", if_not_exists=True), "true"),
    (op("create_policy", table=U, policy="own", command="select", roles=["public"], using="n > 0"), "EXISTS (SELECT FROM pg_policy WHERE polname = 'own')"),
    (op("alter_policy", table=U, policy="own", using="n > 1"), "(SELECT pg_get_expr(polqual, polrelid) LIKE '%1%' FROM pg_policy)"),
    (op("enable_rls", table=U), "(SELECT relrowsecurity FROM pg_class WHERE oid = 'app.users'::regclass)"),
    (op("force_rls", table=U), "(SELECT relforcerowsecurity FROM pg_class WHERE oid = 'app.users'::regclass)"),
    (op("no_force_rls", table=U), "(SELECT NOT relforcerowsecurity FROM pg_class WHERE oid = 'app.users'::regclass)"),
    (op("disable_rls", table=U), "(SELECT NOT relrowsecurity FROM pg_class WHERE oid = 'app.users'::regclass)"),
    (op("drop_policy", table=U, policy="own"), "NOT EXISTS (SELECT FROM pg_policy)"),
    (op("grant", kind="table", name=U, privileges=["select", {"privilege": "update", "columns": ["n"]}], roles=["public"]), "has_table_privilege('pg_monitor', 'app.users', 'SELECT')"),
    (op("revoke", kind="table", name=U, privileges=["select"], roles=["public"]), "NOT has_table_privilege('pg_monitor', 'app.users', 'SELECT')"),
    (op("grant", kind="schema", name="app", privileges=["usage"], roles=["pg_monitor"], grant_option=True), "has_schema_privilege('pg_monitor', 'app', 'USAGE')"),
    (op("comment", kind="table", on=U, text="it's a table"), "obj_description('app.users'::regclass) = 'it''s a table'"),
    (op("comment", kind="column", on="app.users.n", text="n"), "col_description('app.users'::regclass, 4) = 'n'"),
    (op("comment", kind="constraint", name="users_pkey", on=U, text="pk"), "true"),
    (op("comment", kind="table", on=U), "obj_description('app.users'::regclass) IS NULL"),
    (op("analyze", table=U, columns=["n"]), "EXISTS (SELECT FROM pg_stats WHERE tablename = 'users' AND attname = 'n')"),
    (op("run_sql", statement="REINDEX INDEX app.users_pkey"), "true"),
    (op("alter_table", table=U, actions=[op("alter_type", column="n", type="numeric"), op("set_default", column="n", default="5"), op("drop_column", column="tags")]), attribute(U, "n", "atttypid = 'numeric'::regtype AND atthasdef")),
    (op("in_one_transaction", label="swap", steps=[op("rename_column", table=U, column="email", to="was"), op("rename_column", table=U, column="mail", to="email")]), attribute(U, "was")),
    (op("drop_column", table=U, column="was"), no(attribute(U, "was"))),
    (op("retire_column", table=U, column="old", tag="0123abcd"), attribute(U, "wesley_retired_0123abcd_old", "NOT attnotnull OR atthasdef")),
    (op("rename_table", table="app.shed", to="hut"), relation("app.hut")),
    (op("move_table", table="app.hut", schema="extra"), relation("extra.hut")),
    (op("drop_table", table="extra.hut"), no(relation("extra.hut"))),
    (op("retire_table", table="app.part"), relation("wesley_retired.part")),
    (op("retire_enum", enum="app.mood"), "to_regtype('wesley_retired.mood') IS NOT NULL"),
    (op("drop_domain", domain="app.short"), "to_regtype('app.short') IS NULL"),
    (op("drop_sequence", sequence="app.counter"), no(relation("app.counter", "S"))),
    (op("drop_schema", schema="extra"), "NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'extra')"),
]  # fmt: skip

ELSEWHERE = frozenset(("add_not_null_not_valid", "set_generated", "finish_detach", "move_extension", "drop_extension"))
"""Needs another version, an interruption or an extension: see the tests below."""


def test_every_operation_is_executed_here() -> None:
    executed = {case[0]["op"] for case in CASES}
    executed |= {item["op"] for case in CASES for item in (*case[0].get("steps", ()), *case[0].get("actions", ()))}
    assert {*OPERATIONS, *COMPOUND} - executed == ELSEWHERE


def execute(connection: psycopg.Connection[Any], step: Step) -> None:
    failed = unsatisfied(connection, step.prechecks)
    assert not failed, f"before {step.op} {step.object}: {failed}"
    if step.backfill is not None:
        run_backfill(connection, step.backfill, 7)
    elif step.kind is StepKind.AUTOCOMMIT:
        connection.execute(step.statements[0].encode())
    else:
        with connection.transaction():
            for statement in step.statements:
                connection.execute(statement.encode())
    failed = unsatisfied(connection, step.postchecks)
    assert not failed, f"after {step.op} {step.object}: {failed}"


def holds(connection: psycopg.Connection[Any], condition: str) -> bool:
    row = connection.execute(f"SELECT {condition}".encode()).fetchone()
    assert row is not None
    return bool(row[0])


def takes_back(connection: psycopg.Connection[Any], step: Step) -> None:
    """Run the undo and forget it again, where both can be in a transaction."""
    if not step.undo or step.kind is not StepKind.TRANSACTIONAL:
        return
    with connection.transaction(force_rollback=True):
        for statement in step.undo:
            connection.execute(statement.encode())


def open_at(database: str) -> psycopg.Connection[Any]:
    return psycopg.connect(database, autocommit=True, options="-c search_path=public,pg_temp -c TimeZone=UTC")


def test_each_operation_on_each_server(any_database: str) -> None:
    with open_at(any_database) as connection:
        connection.execute(SETUP.encode())
        plan: Plan = made(read(any_database), *(case[0] for case in CASES))
        for step, (fields, condition) in zip(plan.steps, CASES, strict=True):
            try:
                execute(connection, step)
                assert holds(connection, condition), f"{fields} has not done what it says: {condition}"
                takes_back(connection, step)
            except psycopg.Error as error:
                pytest.fail(f"{fields}: {error}\n{step.sql}\nundo: {step.undo}")


def test_what_only_newer_servers_have(database: str) -> None:
    with open_at(database) as connection:
        connection.execute(b"CREATE TABLE public.t (id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a) STORED)")
        steps = [
            op("set_generated", table="public.t", column="b", generated="a + 1"),
            op("add_not_null_not_valid", table="public.t", constraint="a_not_null", column="a"),
            op("validate_constraint", table="public.t", constraint="a_not_null"),
            op("add_check_not_valid", table="public.t", constraint="later", check="a > 0"),
        ]
        for step in made(read(database), *steps).steps:
            execute(connection, step)
            takes_back(connection, step)
        assert holds(connection, attribute("public.t", "a", "attnotnull"))


def test_the_functions_that_backfills_may_call(any_database: str) -> None:
    """What the list names is immutable or stable here, or gives a new value each time and does nothing else."""
    with open_at(any_database) as connection:
        rows = connection.execute(
            "SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND provolatile = 'v'"
        ).fetchall()
    new_values = {
        "random", "random_normal", "gen_random_uuid", "uuidv4", "uuidv7", "clock_timestamp", "timeofday",
        "array_shuffle", "array_sample",
    }  # fmt: skip
    assert {row[0] for row in rows} & harmless_functions() <= new_values


def test_a_killed_backfill_touches_no_row_twice(database: str) -> None:
    with open_at(database) as connection:
        connection.execute(b"CREATE TABLE public.t (id int PRIMARY KEY, n int NOT NULL DEFAULT 1)")
        connection.execute(b"INSERT INTO public.t SELECT generate_series(1, 100)")
        (step,) = made(read(database), op("backfill_sql", sql="UPDATE t SET n = n * 2"), allowed=Allowed()).steps
        assert step.backfill is not None
        run_backfill(connection, step.backfill, 7)
        assert holds(connection, "(SELECT min(n) = 2 AND max(n) = 2 FROM public.t)")
