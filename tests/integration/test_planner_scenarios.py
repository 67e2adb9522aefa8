"""Changes as people make them, on tables with rows: the plan is carried out, converges, keeps the rows, and its undo
leads back to the catalog that was there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg
import pytest

from tests.catalogs import read
from tests.planned import carry_out, changes_left, plan_for, take_back
from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog, QName
from wesley_tui.planner.plan import HazardClass, Plan

BASE = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE org (id bigint PRIMARY KEY, name text NOT NULL, slug text);
CREATE TABLE person (
    id bigint PRIMARY KEY, org_id bigint NOT NULL REFERENCES org, email text, nick text DEFAULT 'anon', age int,
    mood mood DEFAULT 'ok' NOT NULL, moods mood[], old text NOT NULL,
    CONSTRAINT person_age_check CHECK (age > 0), CONSTRAINT person_mood_check CHECK (mood <> 'sad'::mood)
);
CREATE INDEX person_email_idx ON person (email);
CREATE INDEX person_happy_idx ON person (id) WHERE mood = 'happy';
CREATE POLICY happy ON person USING (mood = 'happy');
COMMENT ON POLICY happy ON person IS 'only happy ones';
ALTER TABLE person ENABLE ROW LEVEL SECURITY;
INSERT INTO org SELECT i, 'org ' || i, 'slug-' || i FROM generate_series(1, 20) AS i;
INSERT INTO person (id, org_id, email, nick, age, old)
    SELECT i, 1 + i % 20, 'mail' || i, CASE WHEN i % 2 = 0 THEN 'nick' END, i, 'old' || i
    FROM generate_series(1, 100) AS i;
"""


@dataclass(frozen=True)
class Scenario:
    """``after`` makes the desired catalog out of the base, in any way that a scratch database accepts."""

    after: str
    steps: str
    """``op:hazard`` of every step, in order."""
    intent: Intent = field(default_factory=Intent)
    undo: bool = True
    check: Mapping[str, object] = field(default_factory=dict)
    """Questions to the database after the plan, with the answer."""


PERSON, ORG = QName("public", "person"), QName("public", "org")

SCENARIOS = {
    "nothing": Scenario("SELECT 1", ""),
    "index": Scenario("CREATE INDEX ON person (nick)", "add_index_concurrently:H1"),
    "replaced index": Scenario(
        "DROP INDEX person_email_idx; CREATE INDEX person_email_idx ON person (lower(email))",
        "rename_index:H0 add_index_concurrently:H1 drop_index_concurrently:H1",
    ),
    "renamed index": Scenario("ALTER INDEX person_email_idx RENAME TO person_mail_idx", "rename_index:H0"),
    "nullable column": Scenario("ALTER TABLE person ADD phone text", "add_column:H1"),
    "column with a constant": Scenario(
        "ALTER TABLE person ADD active boolean NOT NULL DEFAULT true",
        "add_column:H1",
        check={"SELECT count(*) FROM person WHERE active": 100},
    ),
    "column with now()": Scenario("ALTER TABLE person ADD at timestamptz NOT NULL DEFAULT now()", "add_column:H1"),
    "column with a volatile default": Scenario(
        "ALTER TABLE person ADD token uuid NOT NULL DEFAULT gen_random_uuid()",
        "add_column:H1 set_default:H1 backfill_sql:H2 add_check_not_valid:H1 backfill_sql:H2 validate_constraint:H2 "
        "set_not_null:H1 drop_constraint:H1",
        check={"SELECT count(DISTINCT token) FROM person": 100},
    ),
    "required column": Scenario(
        "ALTER TABLE person ADD must int NOT NULL DEFAULT 1; ALTER TABLE person ALTER must DROP DEFAULT",
        "require_empty:H0 add_column:H3",
        undo=False,
    ),
    "not null without nulls": Scenario(
        "ALTER TABLE person ALTER email SET NOT NULL",
        "add_check_not_valid:H1 validate_constraint:H2 set_not_null:H1 drop_constraint:H1",
    ),
    "not null with nulls and a default": Scenario(
        "UPDATE person SET nick = 'x'; ALTER TABLE person ALTER nick SET NOT NULL",
        "backfill_sql:H2 add_check_not_valid:H1 backfill_sql:H2 validate_constraint:H2 set_not_null:H1 "
        "drop_constraint:H1",
        check={"SELECT count(*) FROM person WHERE nick = 'anon'": 50},
    ),
    "unique": Scenario(
        "ALTER TABLE person ADD CONSTRAINT person_email_key UNIQUE (email)",
        "add_index_concurrently:H1 add_unique_using_index:H1",
    ),
    "check": Scenario(
        "ALTER TABLE person ADD CONSTRAINT c CHECK (age < 1000)", "add_check_not_valid:H1 validate_constraint:H2"
    ),
    "changed check": Scenario(
        "ALTER TABLE person DROP CONSTRAINT person_age_check; "
        "ALTER TABLE person ADD CONSTRAINT person_age_check CHECK (age >= 0)",
        "rename_constraint:H1 add_check_not_valid:H1 validate_constraint:H2 drop_constraint:H1",
    ),
    "changed foreign key": Scenario(
        "ALTER TABLE person DROP CONSTRAINT person_org_id_fkey; ALTER TABLE person ADD CONSTRAINT person_org_id_fkey "
        "FOREIGN KEY (org_id) REFERENCES org ON DELETE CASCADE",
        "rename_constraint:H1 add_foreign_key_not_valid:H1 validate_constraint:H2 drop_constraint:H1",
    ),
    "dropped check": Scenario("ALTER TABLE person DROP CONSTRAINT person_age_check", "drop_constraint:H3"),
    "other primary key": Scenario(
        "ALTER TABLE person DROP CONSTRAINT person_pkey; ALTER TABLE person ADD CONSTRAINT person_pkey PRIMARY KEY "
        "(id, org_id)",
        "rename_constraint:H1 add_index_concurrently:H1 replace_primary_key:H3",
        undo=False,
    ),
    "exclusion": Scenario("ALTER TABLE person ADD CONSTRAINT e EXCLUDE USING btree (id WITH =)", "add_exclusion:H3"),
    "new tables in a circle": Scenario(
        "CREATE TABLE a (id bigint PRIMARY KEY, b_id bigint, person_id bigint REFERENCES person); CREATE TABLE b (id "
        "bigint PRIMARY KEY, a_id bigint REFERENCES a); ALTER TABLE a ADD FOREIGN KEY (b_id) REFERENCES b",
        "create_table:H0 create_table:H0 add_foreign_key:H0 add_foreign_key:H1 add_foreign_key:H0",
    ),
    "enum label in the middle, used at once": Scenario(
        "ALTER TYPE mood ADD VALUE 'fine' AFTER 'ok'; COMMIT; ALTER TABLE person ALTER mood SET DEFAULT 'fine'",
        "add_enum_value:H0 set_default:H1",
        undo=False,
    ),
    "renamed label": Scenario(
        "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'",
        "rename_enum_value:H3",
        Intent(renamed_labels={(QName("public", "mood"), "fine"): "ok"}),
    ),
    "reordered labels": Scenario(
        """
        DROP POLICY happy ON person; DROP INDEX person_happy_idx;
        ALTER TABLE person DROP CONSTRAINT person_mood_check, ALTER mood DROP DEFAULT;
        ALTER TYPE mood RENAME TO mood_old; CREATE TYPE mood AS ENUM ('happy', 'ok', 'sad');
        ALTER TABLE person ALTER mood TYPE mood USING mood::text::mood, ALTER moods TYPE mood[] USING
            moods::text[]::mood[], ALTER mood SET DEFAULT 'ok',
            ADD CONSTRAINT person_mood_check CHECK (mood <> 'sad'::mood);
        DROP TYPE mood_old; CREATE INDEX person_happy_idx ON person (id) WHERE mood = 'happy';
        CREATE POLICY happy ON person USING (mood = 'happy');
        COMMENT ON POLICY happy ON person IS 'only happy ones'
        """,
        "change_enum:H3",
    ),
    "renamed column": Scenario(
        "ALTER TABLE person RENAME email TO mail; ALTER INDEX person_email_idx RENAME TO person_mail_idx",
        "rename_column:H3 rename_index:H0",
        Intent(renamed_columns={(PERSON, "mail"): "email"}),
    ),
    "renamed table and column": Scenario(
        "ALTER TABLE person RENAME TO human; ALTER TABLE human RENAME age TO years; ALTER TABLE human ADD extra int",
        "rename_table:H3 rename_column:H3 add_column:H1",
        Intent(
            renamed_tables={QName("public", "human"): PERSON},
            renamed_columns={(QName("public", "human"), "years"): "age"},
        ),
    ),
    "renamed enum": Scenario(
        "ALTER TYPE mood RENAME TO feeling",
        "rename_enum:H3",
        Intent(renamed_enums={QName("public", "feeling"): QName("public", "mood")}),
    ),
    "retired column": Scenario(
        "ALTER TABLE person DROP old",
        "retire_column:H3",
        check={"SELECT count(*) FROM person": 100},
    ),
    "retired table": Scenario(
        "ALTER TABLE person DROP CONSTRAINT person_org_id_fkey; DROP TABLE org",
        "drop_constraint:H3 retire_table:H3",
        Intent(dropped_tables=frozenset([ORG])),
        check={"SELECT count(*) FROM wesley_retired.org": 20},
    ),
    "policy and security": Scenario(
        "ALTER POLICY happy ON person USING (true); CREATE POLICY more ON org USING (true); ALTER TABLE org ENABLE ROW "
        "LEVEL SECURITY",
        "create_policy:H1 alter_policy:H3 enable_rls:H3",
    ),
    "security without a policy": Scenario("ALTER TABLE org ENABLE ROW LEVEL SECURITY", "enable_rls:H3"),
    "security off": Scenario("ALTER TABLE person DISABLE ROW LEVEL SECURITY", "disable_rls:H3"),
    "storage": Scenario("ALTER TABLE person SET (fillfactor=80)", "set_table_options:H0"),
    "comments": Scenario(
        "COMMENT ON TABLE person IS 'people'; COMMENT ON COLUMN person.age IS NULL; "
        "COMMENT ON INDEX person_email_idx IS 'mail'",
        "comment:H0 comment:H0",
    ),
    "identity": Scenario(
        "ALTER TABLE person ALTER id ADD GENERATED BY DEFAULT AS IDENTITY",
        "add_identity:H1",
        check={"SELECT nextval(pg_get_serial_sequence('public.person', 'id'))": 101},
    ),
    "identity column": Scenario("ALTER TABLE org ADD no int GENERATED ALWAYS AS IDENTITY", "add_column:H3"),
    "stored column": Scenario("ALTER TABLE person ADD twice int GENERATED ALWAYS AS (age * 2) STORED", "add_column:H3"),
    "unlogged": Scenario("ALTER TABLE person SET UNLOGGED", "set_unlogged:H3", undo=False),
    "dropped not null": Scenario("ALTER TABLE org ALTER name DROP NOT NULL", "drop_not_null:H1"),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(database: str, name: str) -> None:
    scenario = SCENARIOS[name]
    desired = _after(database, scenario.after)
    _reset(database)
    base = read(database).catalog
    plan = plan_for(database, desired, scenario.intent)
    assert " ".join(f"{step.op}:{step.hazard.name}" for step in plan.steps) == scenario.steps
    if name == "required column":
        with pytest.raises(AssertionError, match="has rows"):
            carry_out(database, plan)
        return
    carry_out(database, plan)
    assert changes_left(database, desired, scenario.intent).changes == ()
    with psycopg.connect(database) as connection:
        for question, answer in scenario.check.items():
            assert connection.execute(question.encode()).fetchone() == (answer,)
    if scenario.undo:
        take_back(database, plan)
        assert changes_left(database, base, _backwards(scenario.intent)).changes == ()


def _after(database: str, statements: str) -> Catalog:
    """The desired catalog: the base in the same database, changed by hand, read, and thrown away again."""
    _reset(database)
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in statements.split(";"):
            if statement.strip() and statement.strip() != "COMMIT":
                connection.execute(statement.encode())
    return read(database).catalog


def _reset(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("SET client_min_messages = error")
        connection.execute("DROP SCHEMA public CASCADE; DROP SCHEMA IF EXISTS wesley_retired CASCADE")
        connection.execute("CREATE SCHEMA public")
        connection.execute(BASE)


def _backwards(intent: Intent) -> Intent:
    """The undo renames by itself; nothing is left to be meant."""
    return Intent(dropped_tables=frozenset(), dropped_columns=intent.dropped_columns)


def test_purge_drops_for_good(database: str) -> None:
    desired = _after(database, "ALTER TABLE person DROP CONSTRAINT person_org_id_fkey, DROP old; DROP TABLE org")
    _reset(database)
    intent = Intent(dropped_tables=frozenset([ORG]))
    plan = plan_for(database, desired, intent, purge=True)
    assert [(step.op, bool(step.loses), bool(step.undo)) for step in plan.steps] == [
        ("drop_constraint", True, True),
        ("drop_column", True, False),
        ("drop_table", True, False),
    ]
    carry_out(database, plan)
    assert changes_left(database, desired, intent).changes == ()


def test_only_declared_tables_are_managed(database: str) -> None:
    _reset(database)
    catalog = read(database).catalog
    desired = Catalog(frozenset({"public"}), {ORG: catalog.tables[ORG]})
    plan = plan_for(database, desired)
    assert plan.waves == ()
    assert plan.unmanaged == ("enum public.mood", "table public.person")


def test_what_is_not_declared_goes_when_the_whole_database_is_adopted(database: str) -> None:
    _reset(database)
    catalog = read(database).catalog
    desired = Catalog(frozenset({"public"}), {ORG: catalog.tables[ORG]})
    plan = plan_for(database, desired, adopt_all=True)
    assert [step.op for step in plan.steps] == ["retire_table", "retire_enum"]
    carry_out(database, plan)
    assert changes_left(database, desired, adopt_all=True).changes == ()
    take_back(database, plan)
    assert changes_left(database, catalog).changes == ()


def test_an_invalid_index_is_dropped_and_built_again(database: str) -> None:
    _reset(database)
    desired = read(database).catalog
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'person_email_idx'::regclass")
    plan = plan_for(database, desired)
    assert [(step.op, step.hazard) for step in plan.steps] == [
        ("drop_index_concurrently", HazardClass.H1),
        ("add_index_concurrently", HazardClass.H1),
    ]
    carry_out(database, plan)
    assert changes_left(database, desired).changes == ()


def test_a_plan_left_before_contract_goes_on_later(database: str) -> None:
    """Without ``--contract`` the old index stays under its other name; the next plan only drops it."""
    scenario = SCENARIOS["replaced index"]
    desired = _after(database, scenario.after)
    _reset(database)
    plan = plan_for(database, desired)
    carry_out(database, Plan(plan.plan_id, plan.base, plan.target, plan.waves[:-1]))
    rest = plan_for(database, desired)
    assert [step.op for step in rest.steps] == ["drop_index_concurrently"]
    carry_out(database, rest)
    assert changes_left(database, desired).changes == ()


def test_a_replaced_constraint_that_was_left_behind_is_no_loss(database: str) -> None:
    desired = _after(database, SCENARIOS["changed check"].after)
    _reset(database)
    plan = plan_for(database, desired)
    carry_out(database, Plan(plan.plan_id, plan.base, plan.target, plan.waves[:-1]))
    rest = plan_for(database, desired)
    assert [(step.op, step.hazard) for step in rest.steps] == [("drop_constraint", HazardClass.H1)]


def test_inserts_work_after_a_column_was_retired(database: str) -> None:
    desired = _after(database, "ALTER TABLE person DROP old, DROP org_id")
    _reset(database)
    plan = plan_for(database, desired)
    assert [step.op for step in plan.steps] == ["drop_constraint", "retire_column", "retire_column"]
    carry_out(database, plan)
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO person (id) VALUES (1000)")
        assert plan_for(database, desired).waves == ()


def test_nulls_without_a_default_stop_the_plan_before_it_changes_anything(database: str) -> None:
    desired = _after(database, "ALTER TABLE person ALTER nick DROP DEFAULT; DELETE FROM person WHERE nick IS NULL; "
                               "ALTER TABLE person ALTER nick SET NOT NULL")  # fmt: skip
    _reset(database)
    plan = plan_for(database, desired)
    with pytest.raises(AssertionError, match=r"SELECT count\(\*\) FROM public.person WHERE nick IS NULL"):
        carry_out(database, plan)
