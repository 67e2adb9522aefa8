"""What ``backfill_sql`` refuses, and where; what it takes, and how that is run in batches."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hand_written import made
from tests.unit.planner_cases import ORDERS, USERS, table
from wesley_tui.catalog.model import Catalog, Column, PrimaryKey, QName, Ref, SqlObject, Table
from wesley_tui.catalog.snapshot import Snapshot
from wesley_tui.dsl.backfill import statement_of
from wesley_tui.dsl.backfill_guard import Allowed, check_harmless, harmless_functions, read_backfill
from wesley_tui.dsl.json_text import PlanError
from wesley_tui.dsl.template import Wrong
from wesley_tui.planner.backfill import backfill_rows
from wesley_tui.planner.plan import Step


def function(name: str, volatility: str) -> SqlObject:
    definition = f"CREATE FUNCTION public.{name}(a text) RETURNS text LANGUAGE sql {volatility} AS 'SELECT a'"
    return SqlObject("function", QName("public", name), (definition,), arguments="text")


VIEW = SqlObject("view", QName("public", "v"), ("CREATE VIEW public.v AS SELECT 1",))
KEYLESS = QName("public", "log")
CATALOG = Catalog(
    frozenset({"public"}),
    {
        USERS: table(USERS, Column("email", "text"), Column("n", "integer"), Column("m", "integer")),
        ORDERS: table(ORDERS, Column("user_id", "bigint"), Column("total", "integer")),
        KEYLESS: Table(KEYLESS, (Column("line", "text"),)),
        QName("wesley_retired", "gone"): Table(
            QName("wesley_retired", "gone"), (Column("id", "bigint"),), (PrimaryKey("p", ("id",)),)
        ),
    },
    objects={
        item.ref: item
        for item in (VIEW, function("tidy", "IMMUTABLE"), function("look", "STABLE"), function("spend", "VOLATILE"))
    },
)
SNAPSHOT = Snapshot(CATALOG)

# Text, what it is refused at (the first place where this stands), and a word of the message.
REFUSED: list[tuple[str, str, str]] = [
    # not one UPDATE, INSERT … SELECT or DELETE
    ("", "", "empty"),
    (";", "", "empty"),
    ("SELECT 1", "SELECT", "no backfill"),
    ("SELECT * INTO t2 FROM users", "SELECT", "no backfill"),
    ("TABLE users", "TABLE", "no backfill"),
    ("VALUES (1)", "VALUES", "no backfill"),
    ("COPY users FROM '/etc/passwd'", "COPY", "no backfill"),
    ("COPY users TO PROGRAM 'sh'", "COPY", "no backfill"),
    ("DO $$BEGIN DELETE FROM users; END$$", "DO", "no backfill"),
    ("CALL f()", "CALL", "no backfill"),
    ("TRUNCATE users", "TRUNCATE", "no backfill"),
    ("DROP TABLE users", "DROP", "no backfill"),
    ("ALTER TABLE users ADD COLUMN x int", "ALTER", "no backfill"),
    ("CREATE TABLE x AS SELECT 1", "CREATE", "no backfill"),
    ("MERGE INTO users u USING orders o ON u.id = o.id WHEN MATCHED THEN DELETE", "MERGE", "no backfill"),
    ("BEGIN", "BEGIN", "no backfill"),
    ("COMMIT", "COMMIT", "no backfill"),
    ("SET search_path = evil", "SET", "no backfill"),
    ("RESET ALL", "RESET", "no backfill"),
    ("EXPLAIN ANALYZE DELETE FROM users", "EXPLAIN", "no backfill"),
    ("PREPARE p AS DELETE FROM users", "PREPARE", "no backfill"),
    ("EXECUTE p", "EXECUTE", "no backfill"),
    ("LOCK users", "LOCK", "no backfill"),
    ("VACUUM users", "VACUUM", "no backfill"),
    ("GRANT ALL ON users TO public", "GRANT", "no backfill"),
    ("NOTIFY x", "NOTIFY", "no backfill"),
    ("LISTEN x", "LISTEN", "no backfill"),
    ("DECLARE c CURSOR FOR SELECT 1", "DECLARE", "no backfill"),
    ("INSERT INTO users (id) VALUES (1)", "users", "single rows"),
    ("INSERT INTO users DEFAULT VALUES", "users", "single rows"),
    # more than one
    ("UPDATE users SET n = 1; DROP TABLE users", "DROP", "second statement"),
    ("UPDATE users SET n = 1;DELETE FROM users", "DELETE", "second statement"),
    ("UPDATE users SET n = 1; COMMIT; DROP TABLE users", "COMMIT", "second statement"),
    ("UPDATE users SET n = 1 WHERE email = 'a;b'; SELECT 1", "SELECT", "second statement"),
    # hidden
    ("UPDATE users SET n = 1 -- WHERE id = 1", "--", "comment"),
    ("UPDATE users SET n = 1 /* ; DROP TABLE users */", "/*", "comment"),
    ("UPDATE/**/users SET n = 1", "/*", "comment"),
    ("UPDATE users SET n = 1 /* a /* nested */ b */", "/*", "comment"),
    ("UPDATE users SET n = 1\x00", "\x00", "NUL"),
    # psql's own language
    ("\\! rm -rf /", "\\", "meta-command"),
    ("UPDATE users SET n = 1 \\gexec", "\\", "meta-command"),
    ("UPDATE users SET n = 1\n\\copy users from '/etc/passwd'", "\\copy", "meta-command"),
    ("UPDATE users SET n = :x", ":", "syntax error"),
    ("UPDATE users SET n = :'x'", ":", "syntax error"),
    ("UPDATE users SET n = $1", "$1", "parameter"),
    ("UPDATE users SET n = `id`", "`", "backtick"),
    # cut off, or wrong
    ("UPDATE users SET n = 'abc", "'abc", "unterminated"),
    ("UPDATE users SET email = $$abc", "$$abc", "unterminated"),
    ("UPDATE users SET", "", "syntax error"),
    ("DELETE FROM users WHERE", "", "syntax error"),
    # clauses
    ("UPDATE users SET n = 1 RETURNING *", "RETURNING", "RETURNING"),
    ("DELETE FROM users RETURNING id", "RETURNING", "RETURNING"),
    ("UPDATE users SET n = (SELECT 1 FROM orders FOR UPDATE)", "FOR", "FOR UPDATE"),
    ("UPDATE users SET n = (SELECT 1 FROM orders FOR KEY SHARE)", "FOR", "FOR UPDATE"),
    ("UPDATE users SET n = 1 WHERE CURRENT OF c", "", "cursor"),
    ("UPDATE users SET (n, m) = (1, 2)", "n, m", "by itself"),
    ("UPDATE users SET n[1] = 1", "n[1]", "whole column"),
    # writes elsewhere
    ("WITH d AS (DELETE FROM orders RETURNING id) UPDATE users SET n = 1 FROM d", "orders", "writes elsewhere"),
    ("WITH d AS (UPDATE orders SET total = 1 RETURNING id) DELETE FROM users USING d", "orders", "writes elsewhere"),
    ("WITH d AS (INSERT INTO orders SELECT 1 RETURNING id) UPDATE users SET n = 1", "orders", "writes elsewhere"),
    # functions
    ("UPDATE users SET email = pg_sleep(10)::text", "pg_sleep", "pg_sleep"),
    ("UPDATE users SET email = pg_catalog.pg_sleep(10)::text", "pg_catalog.pg_sleep", "pg_sleep"),
    ("UPDATE users SET email = \"pg_sleep\"(10)::text", '"pg_sleep"', "pg_sleep"),
    ("UPDATE users SET n = setval('s', 1)", "setval", "setval"),
    ("UPDATE users SET n = nextval('s')", "nextval", "nextval"),
    ("UPDATE users SET n = currval('s')", "currval", "currval"),
    ("UPDATE users SET n = lo_import('/etc/passwd')", "lo_import", "lo_import"),
    ("UPDATE users SET n = lo_unlink(1)", "lo_unlink", "lo_unlink"),
    ("UPDATE users SET email = pg_read_file('/etc/passwd')", "pg_read_file", "pg_read_file"),
    ("UPDATE users SET email = pg_ls_dir('.')", "pg_ls_dir", "pg_ls_dir"),
    ("UPDATE users SET n = 1 WHERE pg_terminate_backend(1)", "pg_terminate_backend", "refused"),
    ("UPDATE users SET n = 1 WHERE pg_cancel_backend(1)", "pg_cancel_backend", "refused"),
    ("UPDATE users SET email = set_config('role', 'root', false)", "set_config", "set_config"),
    ("UPDATE users SET email = dblink_exec('host=x', 'y')", "dblink_exec", "dblink_exec"),
    ("UPDATE users SET n = 1 FROM dblink('x', 'y') AS d(a int)", "dblink", "dblink"),
    ("UPDATE users SET email = query_to_xml('DELETE FROM x', true, true, '')::text", "query_to_xml", "query_to_xml"),
    ("UPDATE users SET email = database_to_xml(true, true, '')::text", "database_to_xml", "database_to_xml"),
    ("DELETE FROM users WHERE pg_advisory_lock(1) IS NULL", "pg_advisory_lock", "refused"),
    ("DELETE FROM users WHERE pg_notify('a', 'b') IS NULL", "pg_notify", "refused"),
    ("UPDATE users SET n = txid_current()", "txid_current", "refused"),
    ("UPDATE users SET email = spend(email)", "spend", "volatile"),
    ("UPDATE users SET email = public.spend(email)", "public.spend", "volatile"),
    ("UPDATE users SET email = nobody_knows(email)", "nobody_knows", "nobody knows"),
    ("UPDATE users SET email = ext.tidy(email)", "ext.tidy", "nobody knows"),
    ("UPDATE users SET n = n OPERATOR(evil.+) 1", "OPERATOR", "operator"),
    ("UPDATE users SET n = (SELECT 1 FROM orders WHERE pg_sleep(1) IS NULL)", "pg_sleep", "pg_sleep"),
    # tables
    ("UPDATE pg_catalog.pg_class SET relname = 'x'", "pg_catalog", "system"),
    ("DELETE FROM pg_authid", "pg_authid", "system"),
    ("INSERT INTO users SELECT 1 FROM pg_shadow", "pg_shadow", "system"),
    ("UPDATE information_schema.tables SET x = 1", "information_schema", "system"),
    ("DELETE FROM wesley.migration_ledger", "wesley.", "system"),
    ("UPDATE users SET n = (SELECT 1 FROM wesley.migration_runs)", "wesley.", "system"),
    ("DELETE FROM wesley_retired.gone", "wesley_retired", "retired"),
    ("UPDATE other.public.users SET n = 1", "other", "own database"),
    ("UPDATE user SET n = 1", "user", "syntax error"),
    ("UPDATE public.usres SET n = 1", "public.usres", "did you mean public.users"),
    ("UPDATE users SET n = o.n FROM ordres o", "ordres", "did you mean public.orders"),
    ("UPDATE v SET n = 1", "v", "is a view"),
    # what batches cannot do
    ("UPDATE log SET line = ''", "", "nothing to walk along"),
    ("DELETE FROM log", "", "nothing to walk along"),
    ("UPDATE users SET id = id + 1", "", "walk along"),
    ("INSERT INTO users SELECT max(id) FROM orders", "", "aggregate"),
    ("INSERT INTO users SELECT user_id FROM orders GROUP BY user_id", "GROUP", "GROUP BY"),
    ("INSERT INTO users SELECT DISTINCT user_id FROM orders", "DISTINCT", "DISTINCT"),
    ("INSERT INTO users SELECT id FROM orders LIMIT 5", "LIMIT", "LIMIT"),
    ("INSERT INTO users SELECT id FROM orders ORDER BY 1", "ORDER", "ORDER BY"),
    ("INSERT INTO users SELECT 1 UNION SELECT 2", "UNION", "UNION"),
    ("INSERT INTO users SELECT 1", "users", "nothing to walk along"),
    ("INSERT INTO users SELECT g FROM generate_series(1, 9) AS g", "", "must be a table"),
    ("INSERT INTO users SELECT o.id FROM users u RIGHT JOIN orders o ON true", "", "RIGHT and FULL"),
    ("INSERT INTO orders SELECT 1 FROM log", "", "nothing to walk along"),
]  # fmt: skip


def step_of(sql: str, **fields: Any) -> Step:
    return next(made(SNAPSHOT, {"op": "backfill_sql", "sql": sql, **fields}).steps)


def test_the_table_is_long_enough() -> None:
    assert len(REFUSED) >= 60
    assert len({item[0] for item in REFUSED}) == len(REFUSED)


@pytest.mark.parametrize(("sql", "at", "said"), REFUSED, ids=[repr(item[0][:50]) for item in REFUSED])
def test_it_is_refused_at_its_place(sql: str, at: str, said: str) -> None:
    if "\x00" in sql:
        with pytest.raises(Wrong, match=said) as wrong:
            read_backfill(sql, CATALOG)
        assert wrong.value.offset == sql.index("\x00")
        return
    with pytest.raises(PlanError, match=said) as caught:
        step_of(sql)
    error = caught.value
    assert error.path == "waves[0].steps[0].sql"
    if at:
        with pytest.raises(Wrong) as wrong:
            read_backfill(sql, CATALOG) if said not in ("aggregate",) else step_of(sql)
        offset = wrong.value.offset
        assert sql.index(at) <= offset < sql.index(at) + max(1, len(at)), (sql[offset:], wrong.value.message)


TAKEN = [
    "UPDATE users SET n = 1",
    "UPDATE users SET n = 1;",
    "UPDATE ONLY public.users SET n = 1 WHERE n IS NULL",
    "UPDATE public.users AS u SET email = lower(u.email), n = coalesce(u.n, 0) WHERE u.id > 5 AND u.email LIKE '%;%--'",
    "UPDATE users SET email = 'a /* b */ -- c \\! d'",
    "UPDATE users SET n = CASE WHEN m IS DISTINCT FROM n THEN 1 ELSE extract(year FROM now())::int END",
    "UPDATE users u SET n = o.total FROM orders o WHERE o.user_id = u.id AND o.total > 0",
    "UPDATE users SET n = (SELECT sum(o.total) FROM orders o WHERE o.user_id = users.id)",
    "WITH big AS (SELECT user_id FROM orders WHERE total > 5) UPDATE users SET n = 1 FROM big WHERE user_id = users.id",
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT 2 FROM r WHERE i < 3) DELETE FROM users WHERE n IN (TABLE r)",
    "DELETE FROM users",
    "DELETE FROM orders o USING users u WHERE u.id = o.user_id AND u.n IS NULL",
    "INSERT INTO orders (id) SELECT u.id FROM users u LEFT JOIN orders o ON o.user_id = u.id WHERE o.id IS NULL",
    "INSERT INTO orders SELECT id FROM users ON CONFLICT (id) DO UPDATE SET total = 1 WHERE orders.total IS NULL",
    "UPDATE users SET email = tidy(email), n = length(look(email))",
    "UPDATE users SET email = gen_random_uuid()::text, n = (random() * 10)::int",
    "UPDATE users SET email = md5(convert_to(email, 'UTF8'))",
]  # fmt: skip


@pytest.mark.parametrize("sql", TAKEN)
def test_it_is_taken(sql: str) -> None:
    step = step_of(sql)
    assert step.backfill is not None
    assert step.backfill.key == ("id",)


@pytest.mark.parametrize(
    "value",
    [
        "(email).pg_read_file",
        "('postgresql.conf'::text).pg_read_file",
        "(3).pg_sleep",
        "(SELECT 5).pg_terminate_backend",
        "users.loud",
        "(users).loud",
        "!!! email",
    ],
)
def test_a_call_in_disguise_is_a_call(value: str) -> None:
    """``(x).f`` is ``f(x)``, and so is an operator."""
    own = function("loud", "VOLATILE")
    operator = SqlObject(
        "operator",
        QName("public", "!!!"),
        ("CREATE OPERATOR public.!!! (FUNCTION = public.loud, RIGHTARG = text)",),
        arguments="none, text",
    )
    catalog = Catalog(CATALOG.schemas, CATALOG.tables, objects={own.ref: own, operator.ref: operator})
    with pytest.raises(Wrong, match="may write, wait or call out"):
        read_backfill(f"UPDATE users SET email = {value}", catalog)
    if value.startswith("(") and "loud" not in value:
        with pytest.raises(Wrong, match="may write, wait or call out"):
            check_harmless(f"SELECT {value} FROM users")


def test_a_view_that_calls_is_a_call() -> None:
    own = function("loud", "VOLATILE")
    inner = SqlObject("view", QName("public", "inside"), ("CREATE VIEW public.inside AS SELECT public.loud('x') AS e",))
    outer = SqlObject("view", QName("public", "outside"), ("CREATE VIEW public.outside AS SELECT * FROM inside",))
    catalog = Catalog(CATALOG.schemas, CATALOG.tables, objects={item.ref: item for item in (own, inner, outer)})
    with pytest.raises(Wrong, match=r"public\.loud"):
        read_backfill("UPDATE users SET email = v.e FROM outside AS v", catalog)


def test_a_field_is_no_call() -> None:
    for value in ("(users).email", "users.email", "(email).lower"):
        read_backfill(f"UPDATE users SET email = {value}", CATALOG)


def test_a_policy_can_allow_functions_and_deny_tables() -> None:
    allowed = Allowed(frozenset({"nextval", "public.spend"}), lambda name: name != ORDERS)
    for sql in ("UPDATE users SET n = nextval('s')", "UPDATE users SET email = spend(email)"):
        read_backfill(sql, CATALOG, allowed)
    with pytest.raises(Wrong, match="allow_tables"):
        read_backfill("DELETE FROM orders", CATALOG, allowed)


def test_functions_that_shadow_those_of_postgresql_are_looked_at() -> None:
    own = function("lower", "VOLATILE")
    catalog = Catalog(CATALOG.schemas, CATALOG.tables, objects={own.ref: own})
    with pytest.raises(Wrong, match="volatile"):
        read_backfill("UPDATE users SET email = lower(email)", catalog)
    assert Ref("function", "public.lower(text)") == own.ref


@pytest.mark.parametrize(
    ("sql", "again"),
    [
        ("UPDATE users SET n = 0 WHERE n IS NULL", True),
        ("UPDATE users SET n = coalesce(m, 0) WHERE n IS NULL AND id > 5", True),
        ("UPDATE users SET n = m WHERE n IS DISTINCT FROM m", True),
        ("UPDATE users SET n = m WHERE n IS NULL", False),
        ("UPDATE users SET n = m WHERE n IS DISTINCT FROM m + 1", False),
        ("UPDATE users SET n = 0 WHERE n IS NULL OR m IS NULL", False),
        ("UPDATE users SET n = n * 2", False),
        ("UPDATE users SET n = n + 1 WHERE n < 5", False),
        ("UPDATE users u SET n = 0 FROM orders o WHERE u.n IS NULL AND o.id = u.id", False),
        ("DELETE FROM users WHERE n IS NULL", True),
        ("DELETE FROM users WHERE id < extract(epoch FROM now())", False),
        ("INSERT INTO orders SELECT id FROM users", False),
    ],
)
def test_only_what_makes_itself_false_has_a_second_pass(sql: str, again: bool) -> None:
    backfill = step_of(sql).backfill
    assert backfill is not None
    assert (not backfill.remaining_sql.startswith("SELECT 0")) is again


def test_its_author_may_know_better() -> None:
    sql = "UPDATE users SET n = m WHERE n IS NULL"
    repeated = step_of(sql, repeat=True).backfill
    assert repeated is not None
    assert repeated.remaining_sql.startswith("SELECT pg_catalog.count(*)")
    blocks = step_of("UPDATE log AS t SET line = '' WHERE t.line IS NULL", blocks=True).backfill
    assert blocks is not None
    assert blocks.key == ("ctid",)


def test_the_list_of_functions_is_whole() -> None:
    known = harmless_functions()
    assert {"lower", "count", "now", "coalesce_", "gen_random_uuid"} & known == {
        "lower",
        "count",
        "now",
        "gen_random_uuid",
    }
    assert not {"nextval", "setval", "pg_sleep", "set_config", "lo_get", "pg_read_file", "query_to_xml"} & known


@pytest.mark.parametrize("key", [("id",), ("id", "n"), None])
def test_a_backfill_of_the_planner_is_written_as_one_statement(key: tuple[str, ...] | None) -> None:
    users = CATALOG.tables[USERS]
    backfill = backfill_rows(users, key, [("m", "t.n + 1"), ("email", "(SELECT 'x' WHERE (true))")], "t.m IS NULL")
    fields = statement_of(backfill)
    assert fields is not None
    assert fields["sql"] == (
        "UPDATE public.users AS t SET m = t.n + 1, email = (SELECT 'x' WHERE (true)) WHERE t.m IS NULL"
    )
