"""Which spellings of a statement are one, and which are not."""

from __future__ import annotations

import pytest

from wesley_tui.catalog.model import QName, SqlObject
from wesley_tui.catalog.statement import canonical_statement, same_object, same_statement


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (
            "CREATE FUNCTION f(x int, y text = 'a') RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1;\nEND\n$$",
            "CREATE OR REPLACE FUNCTION public.f(x integer, y text DEFAULT 'a'::text)\n RETURNS integer\n"
            " LANGUAGE plpgsql\nAS $function$\nBEGIN\n  RETURN 1;\nEND\n$function$",
        ),
        (
            "CREATE FUNCTION f() RETURNS SETOF int AS 'SELECT 1' LANGUAGE SQL VOLATILE COST 100 ROWS 1000"
            " PARALLEL UNSAFE SECURITY INVOKER CALLED ON NULL INPUT",
            "CREATE FUNCTION f() RETURNS SETOF integer LANGUAGE sql AS $$select  1;\n$$",
        ),
        (
            "CREATE FUNCTION f(OUT a int, OUT b text) AS 'x' LANGUAGE plpgsql",
            "CREATE FUNCTION f(OUT a int, OUT b text) RETURNS record AS 'x' LANGUAGE plpgsql",
        ),
        (
            "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql SET a.b = on SET search_path = x, y STRICT AS 'z'",
            "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql RETURNS NULL ON NULL INPUT SET search_path TO 'x', 'y'"
            " SET a.b TO 'on' AS 'z'",
        ),
        (
            "CREATE VIEW v AS SELECT u.id, lower(name) FROM users u WHERE active ORDER BY id ASC",
            "CREATE OR REPLACE VIEW public.v AS SELECT u.id, lower(u.name) AS lower FROM public.users u WHERE u.active"
            " ORDER BY u.id",
        ),
        (
            "CREATE VIEW v (a, b) AS SELECT 1, 'x' UNION ALL SELECT 2, 'y'",
            "CREATE VIEW v AS SELECT 1 AS a, 'x'::text AS b UNION ALL SELECT 2, 'y'::text",
        ),
        (
            "CREATE VIEW v WITH (security_invoker) AS SELECT 1 AS x WITH CHECK OPTION",
            "CREATE VIEW v WITH (check_option = cascaded, security_invoker = true) AS SELECT 1 AS x",
        ),
        ("CREATE VIEW v AS SELECT n FROM generate_series(1, 2) n",
         "CREATE VIEW v AS SELECT n.n FROM generate_series(1, 2) n(n)"),
        ("CREATE MATERIALIZED VIEW m AS SELECT 1 AS x WITH DATA",
         "CREATE MATERIALIZED VIEW IF NOT EXISTS m AS SELECT 1 AS x"),
        (
            "CREATE TRIGGER t BEFORE UPDATE OR INSERT ON users FOR ROW WHEN (NEW.a <> OLD.a) EXECUTE PROCEDURE f()",
            "CREATE TRIGGER t BEFORE INSERT OR UPDATE ON public.users FOR EACH ROW WHEN ((new.a <> old.a))"
            " EXECUTE FUNCTION public.f()",
        ),
        ("CREATE SEQUENCE s", "CREATE SEQUENCE public.s AS bigint INCREMENT BY 1 NO MINVALUE START 1 CACHE 1 NO CYCLE"),
        ("CREATE SEQUENCE s AS int MAXVALUE 2147483647 OWNED BY t.c", "CREATE SEQUENCE s AS integer"),
        ("CREATE EXTENSION IF NOT EXISTS citext VERSION '1.6' CASCADE", "CREATE EXTENSION citext WITH SCHEMA public"),
        ("CREATE DOMAIN d AS int CHECK (VALUE > 0) NOT NULL DEFAULT NULL", "CREATE DOMAIN public.d AS integer NOT NULL"
         " CONSTRAINT d_check CHECK ((VALUE > 0))"),
        ("CREATE TYPE p AS (a int, b varchar(5))", "CREATE TYPE public.p AS (a integer, b character varying(5))"),
        ("CREATE TYPE r AS RANGE (subtype = float8, multirange_type_name = r_multirange)",
         "CREATE TYPE public.r AS RANGE (SUBTYPE = double precision)"),
        ("CREATE AGGREGATE a (int) (STYPE = int, SFUNC = int4pl, INITCOND = 0)",
         "CREATE AGGREGATE public.a(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0', PARALLEL = UNSAFE)"),
        ("CREATE STATISTICS s ON b, a FROM t",
         "CREATE STATISTICS public.s (mcv, ndistinct, dependencies) ON a, b FROM public.t"),
        ("CREATE PUBLICATION p FOR TABLE b, a WITH (publish = 'delete,insert')",
         "CREATE PUBLICATION p FOR TABLE public.a, public.b WITH (publish = 'insert, delete')"),
        ("CREATE EVENT TRIGGER e ON sql_drop WHEN TAG IN ('drop table') EXECUTE PROCEDURE f()",
         "CREATE EVENT TRIGGER e ON sql_drop WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION public.f()"),
        ("CREATE RULE r AS ON DELETE TO t WHERE OLD.a = 3 DO INSTEAD NOTHING",
         "CREATE OR REPLACE RULE r AS ON DELETE TO public.t WHERE (old.a = 3) DO INSTEAD NOTHING"),
    ],
)  # fmt: skip
def test_two_spellings_of_one_statement(a: str, b: str) -> None:
    assert same_statement(a, b)
    assert same_statement(b, a)
    assert canonical_statement(a) == canonical_statement(b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (
            "CREATE FUNCTION f() RETURNS int AS 'SELECT 1' LANGUAGE plpgsql",
            "CREATE FUNCTION f() RETURNS int AS 'SELECT  1' LANGUAGE plpgsql",
        ),
        (
            "CREATE FUNCTION f() RETURNS int AS 'SELECT 1' LANGUAGE sql",
            "CREATE FUNCTION f() RETURNS int AS 'SELECT 1' LANGUAGE sql STABLE",
        ),
        (
            "CREATE FUNCTION f() RETURNS int AS 'SELECT 1' LANGUAGE sql",
            "CREATE FUNCTION f() RETURNS int AS 'SELECT 1' LANGUAGE sql SECURITY DEFINER",
        ),
        (
            "CREATE FUNCTION f(a int) RETURNS int AS 'SELECT 1' LANGUAGE sql",
            "CREATE FUNCTION f(a int DEFAULT 1) RETURNS int AS 'SELECT 1' LANGUAGE sql",
        ),
        (
            "CREATE FUNCTION f() RETURNS int AS 'x' LANGUAGE plpgsql SET search_path = a, b",
            "CREATE FUNCTION f() RETURNS int AS 'x' LANGUAGE plpgsql SET search_path = 'a, b'",
        ),
        ("CREATE VIEW v AS SELECT a.x FROM a, b", "CREATE VIEW v AS SELECT b.x FROM a, b"),
        ("CREATE VIEW v AS SELECT x FROM a", "CREATE VIEW v AS SELECT x FROM other.a"),
        ("CREATE VIEW v AS SELECT x FROM a", "CREATE VIEW v WITH (security_invoker) AS SELECT x FROM a"),
        ("CREATE VIEW v AS SELECT x AS y FROM a", "CREATE VIEW v AS SELECT x FROM a"),
        (
            "CREATE TRIGGER t AFTER UPDATE ON a FOR EACH ROW WHEN (NEW.x > 1) EXECUTE FUNCTION f()",
            "CREATE TRIGGER t AFTER UPDATE ON a FOR EACH ROW WHEN (OLD.x > 1) EXECUTE FUNCTION f()",
        ),
        (
            "CREATE TRIGGER t AFTER UPDATE ON a FOR EACH ROW EXECUTE FUNCTION f('x')",
            "CREATE TRIGGER t AFTER UPDATE ON a FOR EACH ROW EXECUTE FUNCTION f('y')",
        ),
        ("CREATE SEQUENCE s", "CREATE SEQUENCE s AS integer"),
        ("CREATE SEQUENCE s", "CREATE UNLOGGED SEQUENCE s"),
        ("CREATE DOMAIN d AS int CHECK (VALUE > 0)", "CREATE DOMAIN d AS int CHECK (VALUE > 1)"),
        ("CREATE TYPE p AS (a int, b int)", "CREATE TYPE p AS (b int, a int)"),
        ("CREATE PUBLICATION p FOR TABLE a", "CREATE PUBLICATION p FOR TABLE a (x)"),
        ("CREATE MATERIALIZED VIEW m AS SELECT 1", "CREATE MATERIALIZED VIEW m AS SELECT 1 WITH NO DATA"),
        ("SELECT 1", "SELECT 1; SELECT 2"),
        ("no sql", "no  sql"),
    ],
)
def test_two_statements(a: str, b: str) -> None:
    assert not same_statement(a, b)
    assert not same_statement(b, a)


def test_statements_after_the_first_have_no_order() -> None:
    def view(*more: str) -> SqlObject:
        return SqlObject("view", QName("public", "v"), ("CREATE VIEW v AS SELECT 1 AS a, 2 AS b", *more))

    one, two = "ALTER VIEW v ALTER a SET DEFAULT 1", "ALTER VIEW v ALTER b SET DEFAULT 2"
    assert same_object(view(one, two), view(two, one))
    assert not same_object(view(one), view())
    assert not same_object(view(one), view(two))


def test_default_privileges_are_sets() -> None:
    def privileges(*statements: str) -> SqlObject:
        return SqlObject("default privileges", QName("app", "tables of owner"), statements)

    prefix = "ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA app"
    assert same_object(
        privileges(f"{prefix} GRANT SELECT, INSERT ON TABLES TO a, b"),
        privileges(f"{prefix} GRANT INSERT, SELECT ON TABLES TO b", f"{prefix} GRANT SELECT, INSERT ON TABLES TO a"),
    )
    assert same_object(
        privileges(f"{prefix} GRANT ALL ON TABLES TO a"),
        privileges(
            f"{prefix} GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER, MAINTAIN ON TABLES TO a"
        ),
    )
    assert not same_object(
        privileges(f"{prefix} GRANT SELECT ON TABLES TO a"), privileges(f"{prefix} REVOKE SELECT ON TABLES FROM a")
    )


def test_depth_is_no_trouble() -> None:
    deep = "CREATE VIEW v AS SELECT " + "(" * 200 + "1" + ")" * 200
    assert same_statement(deep, deep + " ")
    hopeless = "CREATE VIEW v AS SELECT " + " + ".join(["1"] * 20000)
    assert canonical_statement(hopeless)
    assert not same_statement(hopeless, deep)
