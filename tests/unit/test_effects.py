"""The model of effects without a server: what follows elsewhere, what restricts a query, one class per statement."""

from __future__ import annotations

import pytest

from tests.effect_forms import forms, named
from wesley_tui.catalog.model import (
    Catalog,
    Check,
    Column,
    ForeignKey,
    Index,
    IndexKey,
    PrimaryKey,
    QName,
    Ref,
    SqlObject,
    Table,
)
from wesley_tui.lint import LintOptions, lint_script
from wesley_tui.planner.effects import EffectContext, Effects, advance, effects_of, effects_of_all
from wesley_tui.planner.effects.links import links_of
from wesley_tui.planner.effects.record import RowLock
from wesley_tui.planner.hazards import Verdict, judge
from wesley_tui.planner.operations import Operation, Phase
from wesley_tui.planner.plan import LockMode, StepKind
from wesley_tui.planner.profiles import profile_named

ORG, USERS = QName("public", "org"), QName("public", "users")
PUBLICATION = SqlObject(
    "publication", QName("", "pub"), ("CREATE PUBLICATION pub FOR TABLE users",), depends_on=(Ref("table", str(USERS)),)
)
CATALOG = Catalog(
    tables={
        ORG: Table(ORG, (Column("id", "bigint", not_null=True),), (PrimaryKey("org_pkey", ("id",)),)),
        USERS: Table(
            USERS,
            (Column("id", "bigint", not_null=True), Column("org_id", "bigint"), Column("name", "text")),
            (
                PrimaryKey("users_pkey", ("id",)),
                ForeignKey("users_org", ("org_id",), ORG, ("id",), on_delete="cascade"),
                Check("users_name", "name <> ''"),
            ),
            (Index("users_name_idx", (IndexKey(column="name"),)),),
        ),
    },
    objects={PUBLICATION.ref: PUBLICATION},
)
CONTEXT = EffectContext(catalog=CATALOG)


def of(sql: str, context: EffectContext = CONTEXT) -> Effects:
    return effects_of(sql, context)


@pytest.mark.parametrize(
    ("sql", "scans"),
    [
        ("SELECT * FROM users", [str(USERS)]),
        ("SELECT * FROM users WHERE id = 1", []),
        ("SELECT * FROM users WHERE org_id = 1", [str(USERS)]),
        ("SELECT * FROM users WHERE name > 'a' AND org_id = 1", []),
        ("SELECT * FROM users WHERE id = 1 OR org_id = 1", [str(USERS)]),
        ("SELECT * FROM users WHERE lower(name) = 'a'", [str(USERS)]),
        ("SELECT * FROM users WHERE name IS NULL", []),
        ("SELECT * FROM users u JOIN org o ON o.id = u.org_id WHERE u.id = 1", []),
        ("SELECT * FROM users u JOIN org o ON o.id = u.org_id", [str(ORG), str(USERS)]),
        ("UPDATE users SET name = 'a'", [str(USERS)]),
        ("UPDATE users SET name = 'a' WHERE id IN (SELECT id FROM users WHERE name = 'b')", []),
        ("DELETE FROM org WHERE id = 1", [str(USERS)]),
        ("INSERT INTO users (id) VALUES (1)", []),
        ("INSERT INTO users (id) SELECT id FROM org", [str(ORG)]),
        ("SELECT * FROM users LIMIT 3", []),
    ],
)
def test_what_a_query_reads_from_end_to_end(sql: str, scans: list[str]) -> None:
    assert list(of(sql).scans) == scans


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("UPDATE users SET name = 'a' WHERE id = 1", {str(USERS): RowLock.NO_KEY_UPDATE}),
        ("UPDATE users SET id = 2 WHERE id = 1", {str(USERS): RowLock.UPDATE}),
        ("UPDATE users SET org_id = 2 WHERE id = 1", {str(ORG): RowLock.KEY_SHARE, str(USERS): RowLock.NO_KEY_UPDATE}),
        ("DELETE FROM org WHERE id = 1", {str(ORG): RowLock.UPDATE, str(USERS): RowLock.UPDATE}),
        ("INSERT INTO users (id, org_id) VALUES (1, 1)", {str(ORG): RowLock.KEY_SHARE}),
        ("SELECT 1 FROM users u JOIN org o ON true FOR SHARE OF o", {str(ORG): RowLock.SHARE}),
        ("SELECT 1 FROM users", {}),
    ],
)
def test_which_rows_are_locked(sql: str, rows: dict[str, RowLock]) -> None:
    assert dict(of(sql).row_locks) == rows


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("ALTER TABLE users ADD COLUMN a int", "DDL is not replicated"),
        ("ALTER TABLE users REPLICA IDENTITY NOTHING", "every UPDATE and DELETE of it fails"),
        ("ALTER TABLE users DROP CONSTRAINT users_pkey", "every UPDATE and DELETE of it fails"),
        ("ALTER TABLE users SET UNLOGGED", "refuses"),
        ("TRUNCATE users", "subscribers empty it too"),
        ("ALTER TABLE users RENAME TO people", "stand still"),
        ("UPDATE users SET name = 'a'", "every row that changes"),
    ],
)
def test_what_subscribers_notice(sql: str, word: str) -> None:
    (said,) = of(sql).replication
    assert word in said
    assert "published by pub" in said
    assert of(sql.replace("users", "org").replace("org_pkey", "org_x")).replication == ()


def test_what_standbys_and_prepared_statements_notice() -> None:
    effects = of("ALTER TABLE users ALTER COLUMN org_id TYPE int")
    assert any("replayed on every standby" in text for text in effects.standbys)
    assert any("every block of public.users" in text for text in effects.standbys)
    assert any("cached plan" in text for text in effects.notices)
    assert of("CREATE TABLE fresh (id int)").standbys == of("SELECT * FROM users").standbys == ()
    assert "no rows on a standby" in of("CREATE UNLOGGED TABLE fresh (id int)").standbys[0]


def test_the_server_finds_its_own_catalogs_without_the_path() -> None:
    assert of("SELECT * FROM pg_class JOIN information_schema.tables ON true").locks == {}


def test_if_exists_of_what_is_absent_locks_nothing() -> None:
    for sql in ("ALTER TABLE IF EXISTS nope ADD COLUMN a int", "DROP TRIGGER IF EXISTS t ON users"):
        assert of(sql).locks == {}
    assert of("ALTER TABLE IF EXISTS nope ADD COLUMN a int", EffectContext()).locks


_NOT_ONE_STATEMENT_OF_A_PLAN = ("Queries",)


def test_lint_and_plans_give_a_statement_the_same_class() -> None:
    context = EffectContext(180000, "UTC", Catalog(), partial=True)
    differ = []
    for form in forms():
        sql = named(form.sql, "x")
        effects = effects_of(sql, context)
        if form.group in _NOT_ONE_STATEMENT_OF_A_PLAN or effects.writes:
            continue
        kind = StepKind.TRANSACTIONAL if effects.in_transaction else StepKind.AUTOCOMMIT
        operation = Operation("free_sql", "x", "EXPAND", Phase.SETTING, (sql,), kind)
        verdict = judge(operation, effects, created=(), sizes={}, estimate_ms=0.0, profile=profile_named("production"))
        (report,) = lint_script(sql, LintOptions())
        if report.hazard is not verdict.hazard:
            differ.append(f"{sql}: lint {report.hazard.name}, plan {verdict.hazard.name} {verdict.why}")
    assert not differ, "\n".join(differ)


@pytest.mark.parametrize(
    ("sql", "hazard"),
    [
        ("UPDATE users SET name = 'a'", "H3"),
        ("UPDATE users SET name = 'a' FROM org", "H3"),
        ("DELETE FROM users", "H3"),
        ("UPDATE users SET name = 'a' WHERE id = 1", "H2"),
        ("INSERT INTO users (id) VALUES (1)", "H0"),
    ],
)
def test_rows_that_a_step_of_a_plan_writes(sql: str, hazard: str) -> None:
    operation = Operation("run_sql", "users", "EXPAND", Phase.SETTING, (sql,))
    verdict = judge(operation, of(sql), created=(), sizes={}, estimate_ms=0.0, profile=profile_named("production"))
    assert verdict.hazard.name == hazard
    assert (verdict.who_waits == "nobody") is (hazard == "H0")
    (report,) = lint_script(sql, LintOptions())
    assert report.hazard.name in (hazard, "H3")


def test_who_waits_for_long_waits_for_the_lock_of_that_time() -> None:
    """What is read under a weaker lock is not read under the stronger one that comes after it, for a moment."""
    look = ("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE", "SELECT count(*) FROM users WHERE org_id IS NULL")
    rename = "ALTER TABLE users RENAME COLUMN name TO called"
    production = profile_named("production")

    def judged(*statements: str) -> Verdict:
        effects, _ = effects_of_all(statements, EffectContext(180000, "UTC", CATALOG))
        operation = Operation("undo_exchange_columns", "users", "CONTRACT", Phase.SETTING, statements)
        return judge(operation, effects, created=(), sizes={}, estimate_ms=5000.0, profile=production)

    assert "writers (readers go on) of public.users: about 5" in judged(*look, rename).who_waits
    assert "then readers and writers of public.users: a few ms" in judged(*look, rename).who_waits
    assert judged(*look, rename).hazard.name == "H3"
    assert "readers and writers of public.users: about 5" in judged(rename, look[1]).who_waits


def test_a_script_s_own_relations_are_nobody_s() -> None:
    (_, report) = lint_script("CREATE TABLE a (id int);\nUPDATE a SET id = 1;", LintOptions())
    assert report.hazard.name == "H0"
    assert report.locks == {"public.a": LockMode.RowExclusiveLock}


def test_what_is_dropped_and_made_again_is_locked() -> None:
    """The new relation of that name is nobody's yet, the old one was somebody's."""
    context = EffectContext()
    effects, _ = effects_of_all(["DROP VIEW public.v", "CREATE VIEW public.v AS SELECT 1"], context)
    assert effects.locks == {"public.v": LockMode.AccessExclusiveLock}
    effects, _ = effects_of_all(["CREATE VIEW public.v AS SELECT 1", "DROP VIEW public.v"], context)
    assert effects.locks == {}


def test_relationships_are_followed_as_if_they_were_read_again() -> None:
    """A plan has thousands of statements: what each changes is followed, and nothing else is looked at."""
    trigger = SqlObject("trigger", QName("public", "tr"), ("CREATE TRIGGER …",), relation=USERS, arguments=None)
    view = SqlObject(
        "view",
        QName("public", "seen"),
        ("CREATE VIEW …",),
        depends_on=(Ref("table", str(USERS)), Ref("table", str(ORG))),
    )
    catalog = Catalog(tables=CATALOG.tables, objects={item.ref: item for item in (PUBLICATION, trigger, view)})
    context = EffectContext(catalog=catalog)
    links_of(catalog)
    for statement in (
        "CREATE TABLE t (id bigint PRIMARY KEY, org_id bigint REFERENCES org)",
        "ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES users (id)",
        "CREATE VIEW both AS SELECT 1 FROM users, t",
        "ALTER TABLE users RENAME COLUMN name TO called",
        "ALTER TABLE users RENAME TO people",
        "CREATE TABLE w (id bigint) PARTITION BY LIST (id)",
        "CREATE TABLE x PARTITION OF w DEFAULT",
        "ALTER TABLE w SET SCHEMA other",
        "DROP VIEW both",
        "ALTER TABLE t DROP CONSTRAINT t_org_id_fkey",
        "DROP TABLE org CASCADE",
        "DROP TABLE people CASCADE",
    ):
        context = advance(statement, context)
        assert context.catalog is not None
        again = Catalog(tables=dict(context.catalog.tables), objects=dict(context.catalog.objects))
        followed, read = links_of(context.catalog), links_of(again)
        for field in ("children", "keys_to", "users", "on_relation"):
            found, expected = (
                {key: sorted(map(str, items)) for key, items in getattr(links, field).items() if items}
                for links in (followed, read)
            )
            assert found == expected, f"{field} after {statement}"
        assert followed.publications == read.publications
